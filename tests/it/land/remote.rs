//! A target that follows a remote: the remote first, then here, and never by force.

use pretty_assertions::assert_eq;

use super::{Ground, executable};
use crate::support::GitRepo;

/// A ground whose target follows a bare repository, and another clone of that.
fn ground() -> (Ground, GitRepo, GitRepo) {
    let ground = Ground::new();
    let bare = GitRepo::bare(&ground.server.path("bare"));
    let remote = bare.path().to_str().expect("a path");
    ground.repo.git(["remote", "add", "origin", remote]);
    ground.repo.git(["push", "--quiet", "-u", "origin", "main"]);
    let other = GitRepo::cloned(bare.path(), &ground.server.path("other"));
    (ground, bare, other)
}

/// The target here is never ahead of that of the remote.
#[track_caller]
fn is_not_ahead(ground: &Ground, bare: &GitRepo) {
    let here = ground.repo.oid("main");
    let ancestor = bare.try_git(["merge-base", "--is-ancestor", here.as_str(), "main"]);
    assert!(ancestor.status.success(), "{here} is not at the remote");
}

#[test]
fn the_remote_and_then_here() {
    let (ground, bare, other) = ground();
    other.commits("theirs", "1\n");
    other.git(["push", "--quiet"]);
    let before = ground.repo.oid("refs/remotes/origin/main");
    let tree = ground.branch("feature", "feature", "1\n");
    let json = ground.lands(&tree);
    // It is on top of what the other clone has pushed.
    assert_eq!(json["commit"], bare.oid("main").as_str());
    assert_eq!(ground.repo.oid("main"), bare.oid("main"));
    assert_eq!(bare.oid("main~1"), other.oid("HEAD"));
    assert_eq!(ground.repo.read("theirs"), "1\n");
    assert_ne!(ground.repo.oid("refs/sesh/base/main"), before);
    assert!(!ground.repo.file(".git/FETCH_HEAD").exists());
}

#[test]
fn scenario_35_a_push_that_loses_its_race_is_tried_again() {
    for (moves, expected) in [(2, 0), (9, 4)] {
        let (ground, bare, other) = ground();
        let count = ground.server.path("count").display().to_string();
        let push = format!(
            "[ ! -e feature ] || {{ echo x >>'{count}'; [ $(wc -l <'{count}') -gt {moves} ] || {{ \
             cd '{}' && git pull --quiet --rebase && git commit --quiet --allow-empty -m theirs && git push --quiet; }}; }}",
            other.path().display()
        );
        ground.set_gate(&ground.repo, &push);
        ground.repo.commit("a gate that pushes");
        ground.repo.git(["push", "--quiet"]);
        let tree = ground.branch("feature", "feature", "1\n");
        let said = ground.land(&tree, ["--json"]).said();
        assert_eq!(said.code(), Some(expected), "{said}");
        let json = said.json();
        if expected == 0 {
            assert_eq!(json["attempts"], moves + 1);
            assert_eq!(bare.oid("main").as_str(), json["commit"]);
        } else {
            assert_eq!(
                (&json["reason"], &json["attempts"]),
                (&"push".into(), &4.into())
            );
        }
        // What the other clone has pushed is still there, in its order.
        let theirs = bare.git(["log", "--format=%s", "main"]);
        let theirs = theirs.lines().filter(|line| *line == "theirs").count();
        assert_eq!(theirs, moves.min(4));
        is_not_ahead(&ground, &bare);
    }
}

#[test]
fn scenario_59_nothing_here_before_the_remote_has_it() {
    let (ground, bare, _other) = ground();
    let tree = ground.branch("feature", "feature", "1\n");
    let main = ground.repo.oid("main");
    // A remote that says no.
    bare.write(
        "hooks/pre-receive",
        "#!/bin/sh\necho needs a review >&2\nexit 1\n",
    );
    executable(&bare.file("hooks/pre-receive"));
    let json = ground.is_blocked(&tree, "push");
    let what = json["what"].as_str().expect("a sentence");
    assert!(what.contains("pre-receive hook declined"), "{what}");
    assert_eq!(
        (ground.repo.oid("main"), bare.oid("main")),
        (main.clone(), main.clone())
    );
    std::fs::remove_file(bare.file("hooks/pre-receive")).expect("it is there");
    // One that cannot be reached.
    let away = ground.server.path("away");
    std::fs::rename(bare.path(), &away).expect("a move");
    ground.land(&tree, []).fails(1);
    assert_eq!(ground.repo.oid("main"), main);
    std::fs::rename(&away, bare.path()).expect("a move");
    // A target here that has commits of its own.
    let own = ground.repo.commits("own", "1\n");
    ground.is_blocked(&tree, "target-diverged");
    assert_eq!(
        (ground.repo.oid("main"), bare.oid("main")),
        (own, main.clone())
    );
    ground
        .repo
        .git(["reset", "--quiet", "--hard", main.as_str()]);
    ground.lands(&tree);
    is_not_ahead(&ground, &bare);
}

#[test]
fn a_push_that_a_killed_one_has_made_is_found() {
    let (ground, bare, _other) = ground();
    let tree = ground.branch("feature", "feature", "1\n");
    // The remote kills who pushes, when it has taken the commit.
    let pid = ground.server.path("pid").display().to_string();
    ground.set_gate(&ground.repo, &format!("echo $PPID >'{pid}'"));
    ground.repo.commit("a gate that tells");
    ground.repo.git(["push", "--quiet"]);
    bare.write(
        "hooks/post-receive",
        &format!("#!/bin/sh\nkill -9 $(cat '{pid}')\n"),
    );
    executable(&bare.file("hooks/post-receive"));
    let said = ground.land(&tree, ["--json"]).said();
    assert_eq!(said.code(), None, "{said}");
    std::fs::remove_file(bare.file("hooks/post-receive")).expect("it is there");
    let pushed = bare.oid("main");
    assert_ne!(ground.repo.oid("main"), pushed);
    let json = ground.lands(&tree);
    assert_eq!(
        (&json["commit"], bare.oid("main")),
        (&pushed.as_str().into(), pushed.clone())
    );
    // The next landing brings the branch here to the remote's.
    let next = ground.branch("next", "next", "1\n");
    ground.lands(&next);
    assert_eq!(ground.repo.oid("main"), bare.oid("main"));
    assert_eq!(ground.repo.oid("main~1"), pushed);
}
