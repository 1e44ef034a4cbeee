//! kill -9 of each part of a landing at each moment, and what the next one makes of it.

use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use super::{Ground, executable, started};
use crate::support::{Dice, GitRepo, count, soak};

/// Which part is killed.
#[derive(Clone, Copy, Debug)]
enum Part {
    Runner,
    Group,
    Git,
}

/// A ground with many files, and with two of the user's in the checkout of the target.
fn large(files: usize) -> Ground {
    let ground = Ground::with_gate(":");
    for at in 0..files {
        ground
            .repo
            .write(&format!("files/{}/{at}", at % 50), &format!("{at}\n"));
    }
    ground.repo.write("users.txt", "theirs\n");
    ground.repo.commit("many files");
    ground.repo.write("users.txt", "mine\n");
    ground.repo.write("untracked", "mine\n");
    ground
}

#[track_caller]
fn users_files_are_there(ground: &Ground) {
    assert_eq!(ground.repo.read("users.txt"), "mine\n");
    assert_eq!(ground.repo.read("untracked"), "mine\n");
    assert_eq!(ground.repo.status(), " M users.txt\n?? untracked");
}

/// A branch that changes, adds and deletes files.
fn changes_many(ground: &Ground, name: &str, files: usize) -> GitRepo {
    let tree = ground.branch(name, &format!("new/{name}"), "1\n");
    for at in (0..files).step_by(2) {
        tree.write(
            &format!("files/{}/{at}", at % 50),
            &format!("{at} {name}\n"),
        );
    }
    tree.write(&format!("big-{name}"), &"x".repeat(300_000));
    tree.commit(name);
    tree
}

/// A filter kills a part in the middle of the move of the checkout, each time in exactly the same place.
#[test]
fn scenario_28_a_move_that_is_killed_halfway_is_finished() {
    for part in [Part::Runner, Part::Group, Part::Git] {
        let ground = large(200);
        let place = ground.repo.path().display().to_string();
        let pid = ground.server.path("pid").display().to_string();
        let seen = ground.server.path("seen").display().to_string();
        let victim = match part {
            Part::Runner => format!("kill -9 $(cat '{pid}')"),
            Part::Group => format!("kill -s KILL -- -$(cat '{pid}')"),
            // A filter is the child of git.
            Part::Git => "kill -9 $PPID".into(),
        };
        ground.set_gate(&ground.repo, &format!("echo $PPID >'{pid}'"));
        let filter = ground.server.path("filter");
        let script = format!(
            "#!/bin/sh\ncat\n[ \"$PWD\" = '{place}' ] || exit 0\necho x >>'{seen}'\n\
             [ $(wc -l <'{seen}') -ne 40 ] || {victim}\n"
        );
        ground.server.program_file(&filter, script.as_bytes());
        ground
            .repo
            .write(".gitattributes", "files/** filter=kills\n");
        ground.repo.git(["add", ".sesh", ".gitattributes"]);
        ground.repo.git(["commit", "--quiet", "-m", "a filter"]);
        let clean = "cat";
        ground.repo.git(["config", "filter.kills.clean", clean]);
        let tree = changes_many(&ground, "feature", 200);
        ground.repo.git([
            "config",
            "filter.kills.smudge",
            filter.to_str().expect("a path"),
        ]);
        let _ = std::fs::remove_file(&seen);
        let old = ground.repo.oid("main");
        let mut child = started(ground.land(&tree, ["--json"]));
        let code = child.wait().expect("a status").code();
        match part {
            // The runner lives, and finishes it at once.
            Part::Git => assert_eq!(code, Some(0), "{part:?}"),
            _ => assert_eq!(code, None, "{part:?}"),
        }
        let json = ground.lands(&tree);
        assert_eq!(json["commit"], ground.repo.oid("main").as_str(), "{part:?}");
        assert_eq!(ground.repo.oid("main~1"), old, "{part:?}");
        users_files_are_there(&ground);
        ground.is_sound("main~1");
        assert_eq!(
            ground
                .repo
                .git(["diff", "--stat", "HEAD", "--", "files", "new"]),
            ""
        );
    }
}

/// Kills at moments that are drawn.
#[test]
fn scenario_28_kill_moments() {
    let files = if soak() { 3000 } else { 200 };
    let mut dice = Dice::new();
    for bare in [false, true] {
        let ground = large(files);
        if bare {
            // The target is checked out nowhere.
            ground.repo.git(["checkout", "--quiet", "--detach"]);
        }
        let start = ground.repo.oid("main");
        let rounds = count(120) / 2;
        for round in 0..rounds {
            let tree = changes_many(&ground, &format!("b-{round}"), files);
            let part = *dice.one_of(&[Part::Runner, Part::Group, Part::Git]);
            let mut child = started(ground.land(&tree, ["--json"]));
            let moment = dice.moment(if soak() { 2500 } else { 700 });
            std::thread::sleep(moment); // why: the moment of the kill is drawn.
            kill_part(child.id(), part);
            let _ = child.wait();
            let before = ground.repo.oid("main");
            let json = ground.lands(&tree);
            let main = ground.repo.oid("main");
            assert_eq!(json["commit"], main.as_str(), "{part:?} after {moment:?}");
            let new = ground
                .repo
                .git(["rev-list", "--count", &format!("{before}..main")]);
            assert!(["0", "1"].contains(&&*new), "{part:?} after {moment:?}");
            if !bare {
                users_files_are_there(&ground);
            }
            ground.is_sound(start.as_str());
            ground.repo.git([
                "worktree",
                "remove",
                "--force",
                tree.path().to_str().expect("a path"),
            ]);
        }
        let landed = ground
            .repo
            .git(["rev-list", "--count", &format!("{start}..main")]);
        assert_eq!(landed, rounds.to_string());
        let merges = ground
            .repo
            .git(["rev-list", "--merges", &format!("{start}..main")]);
        assert_eq!(merges, "");
    }
}

fn kill_part(pid: u32, part: Part) {
    let own = Pid::from_raw(pid.cast_signed());
    let git = || {
        let tree = tmux_sesh::proc::tree(own.as_raw());
        tree.into_iter().find(|process| process.name == "git")
    };
    let _ = match part {
        Part::Runner => kill(own, Signal::SIGKILL),
        Part::Group => killpg(own, Signal::SIGKILL),
        Part::Git => match git() {
            Some(git) => kill(Pid::from_raw(git.pid), Signal::SIGKILL),
            None => kill(own, Signal::SIGKILL),
        },
    };
    // What is still to come of a killed one's children has a moment to come.
    std::thread::sleep(Duration::from_millis(5)); // why: the next call must also meet children that live on.
}

/// A lock that children inherit is free when the last of them has ended.
#[test]
fn children_keep_the_lock_of_a_killed_one() {
    let ground = Ground::new();
    let folder = ground.server.folder().display().to_string();
    let gate = format!(
        "[ ! -e feature ] || {{ touch '{folder}/runs'; while [ ! -e '{folder}/go' ]; do sleep 0.02; done; }}"
    );
    ground.set_gate(&ground.repo, &gate);
    ground.repo.commit("a gate that waits");
    let tree = ground.branch("feature", "feature", "1\n");
    let mut child = started(ground.land(&tree, []));
    let runs = ground.server.path("runs");
    crate::support::until("the gate runs", || runs.exists());
    child.kill().expect("it is there");
    child.wait().expect("a status");
    let lock = ground.repo.file(".git/sesh/landing.lock");
    let file = std::fs::File::open(&lock).expect("the lock");
    assert!(
        file.try_lock().is_err(),
        "the gate of the killed one still runs"
    );
    std::fs::write(ground.server.path("go"), "").expect("a file");
    file.lock().expect("it is free when the gate has ended");
}

/// An own file that appears after the kill, where the candidate has another one, is the user's.
#[test]
fn what_the_user_writes_after_a_kill_stays() {
    let ground = large(60);
    let place = ground.repo.path().display().to_string();
    let filter = ground.server.path("filter");
    let script = format!("#!/bin/sh\ncat\n[ \"$PWD\" != '{place}' ] || kill -9 $PPID\n");
    ground.server.program_file(&filter, script.as_bytes());
    executable(&filter);
    ground
        .repo
        .write(".gitattributes", "files/1/* filter=kills\n");
    ground.repo.git(["add", ".gitattributes"]);
    ground.repo.git(["commit", "--quiet", "-m", "a filter"]);
    ground.repo.git(["config", "filter.kills.clean", "cat"]);
    let tree = ground.branch("feature", "files/1/1", "changed\n");
    tree.commits("files/0/0", "changed\n");
    ground.repo.git([
        "config",
        "filter.kills.smudge",
        filter.to_str().expect("a path"),
    ]);
    let said = ground.land(&tree, ["--json"]).said();
    assert_eq!(said.code(), Some(1), "{said}");
    ground.repo.git(["config", "filter.kills.smudge", "cat"]);
    ground.repo.write("files/0/0", "the user's\n");
    let json = ground.is_blocked(&tree, "target-dirty");
    assert_eq!(json["files"], serde_json::json!(["files/0/0"]));
    assert_eq!(ground.repo.read("files/0/0"), "the user's\n");
    users_files_are_there_and(&ground, " M files/0/0\n");
    ground.repo.git(["checkout", "--quiet", "files/0/0"]);
    ground.lands(&tree);
    users_files_are_there(&ground);
}

#[track_caller]
fn users_files_are_there_and(ground: &Ground, more: &str) {
    assert_eq!(
        ground.repo.status(),
        format!("{more} M users.txt\n?? untracked")
    );
}
