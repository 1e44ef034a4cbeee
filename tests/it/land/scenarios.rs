//! One landing at a time.

use pretty_assertions::assert_eq;

use super::{Ground, executable};
use crate::support::GitRepo;

#[test]
fn scenario_23_two_that_are_green_alone() {
    // Every word of a `use` file must be a line of `lib`.
    let gate =
        "for file in use-*; do [ ! -e \"$file\" ] || grep -qxf \"$file\" lib || exit 1; done";
    let ground = Ground::with_gate(gate);
    ground.repo.commits("lib", "old\n");
    let renames = ground.branch("renames", "lib", "new\n");
    let uses = ground.branch("uses", "use-1", "old\n");
    let tip = uses.oid("HEAD");
    ground.lands(&renames);
    let main = ground.repo.oid("main");
    let json = ground.is_blocked(&uses, "checks");
    assert_eq!(json["blockedReason"], "test-failure");
    assert_eq!((ground.repo.oid("main"), uses.oid("uses")), (main, tip));
    assert_eq!(ground.repo.status(), "");
}

#[test]
fn scenario_24_the_target_is_the_commit_that_the_gate_ran_on() {
    let ground = Ground::new();
    let tree = ground.branch("feature", "größe \"x\"", "1\n");
    let json = ground.lands(&tree);
    let main = ground.repo.oid("main");
    assert_eq!(json["commit"], main.as_str());
    assert_eq!(
        ground.gated().last().map(String::as_str),
        Some(main.as_str())
    );
    // The target itself was tested first, once.
    assert_eq!(ground.gated().len(), 2);
    let tip = ground.repo.oid("refs/sesh/landed/feature");
    assert_eq!(tip, tree.oid("HEAD"));
    // The checkout has followed.
    assert_eq!(ground.repo.read("größe \"x\""), "1\n");
    assert_eq!(ground.repo.status(), "");
    assert_eq!(
        ground.repo.git(["log", "-1", "--format=%an %s", "main"]),
        "Alice Example write größe \"x\""
    );
    // Typed again it is the same answer, and nothing runs.
    let again = ground.lands(&tree);
    assert_eq!(
        (&again["before"], &again["commit"]),
        (&true.into(), &json["commit"])
    );
    assert_eq!(ground.gated().len(), 2);
    // What has passed as a candidate is not tested as a base.
    let next = ground.branch("next", "next", "1\n");
    ground.lands(&next);
    assert_eq!(ground.gated().len(), 3);
    ground.is_sound("HEAD~2");
}

#[test]
fn scenario_25_a_conflict_names_the_files() {
    let ground = Ground::new();
    let one = ground.branch("one", "base.txt", "one\n");
    let two = ground.branch("two", "base.txt", "two\n");
    ground.lands(&one);
    let gated = ground.gated().len();
    let json = ground.is_blocked(&two, "conflict");
    assert_eq!(json["files"], serde_json::json!(["base.txt"]));
    assert!(
        json["next"]
            .as_str()
            .is_some_and(|next| next.starts_with("git rebase main"))
    );
    assert_eq!((two.status().as_str(), ground.gated().len()), ("", gated));
    assert_eq!(two.repository().unfinished(), None);
    // The agent rebases, and it lands.
    two.try_git(["rebase", "main"]);
    two.write("base.txt", "one\ntwo\n");
    two.git(["add", "base.txt"]);
    two.git(["-c", "core.editor=true", "rebase", "--continue"]);
    ground.lands(&two);
    assert_eq!(ground.repo.read("base.txt"), "one\ntwo\n");
}

#[test]
fn scenario_26_what_the_user_has_in_the_checkout_stays() {
    let ground = Ground::new();
    ground.repo.commits("other.txt", "other\n");
    let tree = ground.branch("feature", "base.txt", "feature\n");
    ground.repo.write("other.txt", "mine\n");
    ground.repo.write("untracked", "mine\n");
    ground.repo.write("staged", "mine\n");
    ground.repo.git(["add", "staged"]);
    ground.lands(&tree);
    assert_eq!(ground.repo.read("base.txt"), "feature\n");
    assert_eq!(
        ground.repo.status(),
        " M other.txt\nA  staged\n?? untracked"
    );
    // In the way: changed, untracked, ignored.
    let main = ground.repo.oid("main");
    let next = ground.branch("next", "other.txt", "theirs\n");
    next.write("untracked", "theirs\n");
    next.write("ignored", "theirs\n");
    next.commit("more");
    ground.repo.write(".git/info/exclude", "ignored\n");
    ground.repo.write("ignored", "mine\n");
    let json = ground.is_blocked(&next, "target-dirty");
    assert_eq!(
        json["files"],
        serde_json::json!(["ignored", "other.txt", "untracked"])
    );
    for file in ["other.txt", "untracked", "ignored", "staged"] {
        assert_eq!(ground.repo.read(file), "mine\n");
    }
    assert_eq!(ground.repo.oid("main"), main);
}

#[test]
fn scenario_27_a_target_that_moves_is_tested_again() {
    let ground = Ground::new();
    let repo = ground.repo.path().display().to_string();
    let moved = ground.server.path("moved").display().to_string();
    let script = format!(
        "[ ! -e feature ] || [ -e '{moved}' ] || {{ touch '{moved}'; \
         cd '{repo}' && git commit --quiet --allow-empty -m meanwhile; }}"
    );
    ground.set_gate(&ground.repo, &script);
    ground.repo.commit("a gate that moves");
    let tree = ground.branch("feature", "feature", "1\n");
    let json = ground.lands(&tree);
    assert_eq!(json["attempts"], 2);
    let subjects = ground.repo.git(["log", "-2", "--format=%s", "main"]);
    assert_eq!(subjects, "write feature\nmeanwhile");
    assert_eq!(
        ground.gated().last(),
        Some(&ground.repo.oid("main").to_string())
    );
}

#[test]
fn scenario_29_a_gate_that_is_broken_blames_no_branch() {
    let ground = Ground::new();
    ground.repo.commits("broken", "x\n");
    let tree = ground.branch("feature", "feature", "1\n");
    let json = ground.is_blocked(&tree, "gate-broken");
    assert_eq!(json["red"], serde_json::json!([]));
    // A gate that cannot be run.
    ground.repo.git(["rm", "--quiet", "broken"]);
    ground.set_gate(&ground.repo, "exec no-such-program");
    let main = ground.repo.commit("another gate");
    ground.is_blocked(&tree, "gate-unrunnable");
    // None, and one that is not executable: no ticket is taken.
    ground
        .repo
        .git(["update-index", "--chmod=-x", ".sesh/check"]);
    ground.repo.git(["commit", "--quiet", "-m", "no bit"]);
    let json = ground.is_blocked(&tree, "gate-unrunnable");
    assert_eq!(json["ticket"], serde_json::Value::Null);
    ground.repo.git(["rm", "--quiet", "-f", ".sesh/check"]);
    ground.repo.commit("no gate");
    let json = ground.is_blocked(&tree, "gate-unrunnable");
    assert_eq!(json["ticket"], serde_json::Value::Null);
    assert_ne!(ground.repo.oid("main"), main);
    // One of the settings of this clone.
    ground.repo.git([
        "config",
        "sesh.check",
        "test -e feature || test -e base.txt",
    ]);
    ground.lands(&tree);
}

#[test]
fn a_program_that_only_the_branch_lacks_is_the_fault_of_the_branch() {
    let ground = Ground::with_gate("./tool");
    ground.repo.write("tool", "#!/bin/sh\nexit 0\n");
    executable(&ground.repo.file("tool"));
    ground.repo.commit("add the tool");
    let tree = ground.branch("feature", "feature", "1\n");
    tree.git(["rm", "--quiet", "tool"]);
    tree.commit("remove the tool");
    ground.is_blocked(&tree, "checks");
}

#[test]
fn scenario_30_the_gate_is_that_of_the_target() {
    let ground = Ground::new();
    let tree = ground.branch("feature", "broken", "x\n");
    tree.write(".sesh/check", "#!/bin/sh\ntrue\n");
    tree.commit("loosen the gate");
    ground.is_blocked(&tree, "checks");
    // One that changes it and is green lands, and the new gate is tested before it judges others.
    tree.git(["rm", "--quiet", "broken"]);
    ground.set_gate(&tree, "[ ! -e worse ]");
    tree.commit("another gate");
    ground.lands(&tree);
    let next = ground.branch("next", "worse", "x\n");
    let before = ground.gated().len();
    ground.is_blocked(&next, "checks");
    assert_eq!(ground.gated().len(), before + 2);
}

#[test]
fn scenario_58_caches_are_kept_and_submodules_are_there() {
    let gate = "[ -e module/base.txt ] || exit 1\n\
                [ ! -e cache ] || echo warm >>\"$(git rev-parse --git-common-dir)/../../warm\"\n\
                touch cache";
    let ground = Ground::with_gate(gate);
    let module = GitRepo::init(&ground.server.path("module"));
    let path = module.path().to_str().expect("a path");
    // git takes no submodule from a path unless it is told to.
    ground.repo.git(["config", "protocol.file.allow", "always"]);
    ground.repo.write(".gitignore", "cache\n");
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "--quiet",
    ];
    ground.repo.git(add.iter().chain(&[path, "module"]));
    ground.repo.write(
        ".sesh/setup",
        "#!/bin/sh\necho run >>../setups\ntouch prepared\n",
    );
    executable(&ground.repo.file(".sesh/setup"));
    ground.repo.write(".gitignore", "cache\nprepared\n");
    ground.repo.commit("a submodule");
    for at in 0..3 {
        let tree = ground.branch(&format!("b-{at}"), &format!("file-{at}"), "1\n");
        let said = ground
            .land(&tree, ["--json"])
            .env("GIT_CONFIG_GLOBAL", allow_files(&ground))
            .said();
        assert_eq!(said.code(), Some(0), "{said}");
    }
    let warm = std::fs::read_to_string(ground.server.path("warm")).expect("the cache was warm");
    // Three candidates, and the first target before them.
    assert_eq!(warm.lines().count(), 3);
    let state = ground.server.path("home/.local/state/tmux-sesh/worktrees");
    let repository = ground.repo.repository().short_hash();
    let setups = state.join(repository).join("setups");
    let setups = std::fs::read_to_string(setups).expect("it was prepared");
    assert_eq!(setups.lines().count(), 1);
}

/// A configuration in which git takes submodules from paths.
fn allow_files(ground: &Ground) -> std::path::PathBuf {
    let path = ground.server.path("gitconfig");
    std::fs::write(&path, "[protocol \"file\"]\n\tallow = always\n").expect("a file");
    path
}

#[test]
fn scenario_63_uncommitted_files_of_the_branch_are_not_lost() {
    let ground = Ground::new();
    let tree = ground.branch("feature", "feature", "1\n");
    tree.write("base.txt", "changed\n");
    tree.write("new \"ü\"", "1\n");
    let json = ground.is_blocked(&tree, "dirty-worktree");
    assert_eq!(json["files"], serde_json::json!(["base.txt", "new \"ü\""]));
    assert_eq!(tree.read("base.txt"), "changed\n");
    assert_eq!(json["ticket"], serde_json::Value::Null);
}

#[test]
fn scenario_64_the_variables_of_a_hook_change_nothing() {
    let ground = Ground::with_gate("env | grep '^GIT_DIR=\\|^GIT_INDEX_FILE=' && exit 1; true");
    let tree = ground.branch("feature", "feature", "1\n");
    let other = GitRepo::init(&ground.server.path("other"));
    let before = other.oid("main");
    let said = ground
        .land(&tree, ["--json"])
        .env("GIT_DIR", other.file(".git"))
        .env("GIT_WORK_TREE", other.path())
        .env("GIT_INDEX_FILE", other.file(".git/index"))
        .env("GIT_PREFIX", "sub/")
        .env("GIT_OBJECT_DIRECTORY", other.file(".git/objects"))
        .env("GIT_EDITOR", "false")
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert_eq!((other.oid("main"), other.status().as_str()), (before, ""));
    assert_eq!(ground.repo.read("feature"), "1\n");
}

#[test]
fn scenario_65_three_red_gates_block_an_item() {
    let ground = Ground::new();
    let pane = ground.server.session((80, 24), &["-s", "work", "sh"]);
    let claim = ["claim", "x", "--branch", "feature"];
    ground
        .server
        .inside(&pane, "sesh-work", claim)
        .folder(ground.repo.path())
        .ok();
    let tree = ground.branch("feature", "broken", "x\n");
    let land = || {
        ground
            .server
            .inside(&pane, "sesh-land", ["--json"])
            .folder(tree.path())
            .said()
    };
    for count in 1..=3 {
        let json = super::blocked(&land(), "checks");
        assert_eq!(json["red"].as_array().map(Vec::len), Some(count));
        tree.commits("more", &count.to_string());
    }
    let before = ground.gated().len();
    let json = super::blocked(&land(), "checks");
    assert!(
        json["what"]
            .as_str()
            .is_some_and(|it| it.contains("3 times")),
        "{json}"
    );
    assert_eq!(ground.gated().len(), before);
    ground
        .server
        .inside(&pane, "sesh-work", ["block", "--clear"])
        .folder(ground.repo.path())
        .ok();
    tree.git(["rm", "--quiet", "broken"]);
    tree.commit("repair");
    assert_eq!(land().code(), Some(0));
    assert_eq!(ground.repo.oid("refs/sesh/landed/x"), tree.oid("HEAD"));
}

#[test]
fn a_branch_that_has_landed_continues() {
    let ground = Ground::new();
    let tree = ground.branch("feature", "base.txt", "one\n");
    // Else the commit that lands is that of the branch.
    ground.repo.commits("other", "1\n");
    ground.lands(&tree);
    // The same lines again: by the history alone that is a conflict with its own squash.
    tree.commits("base.txt", "two\n");
    ground.lands(&tree);
    assert_eq!(ground.repo.read("base.txt"), "two\n");
    assert_eq!(ground.repo.git(["rev-list", "--count", "main"]), "5");
}

#[test]
fn what_has_nothing_to_land() {
    let ground = Ground::new();
    let tree = ground.branch("feature", "feature", "1\n");
    tree.git(["reset", "--quiet", "--hard", "main"]);
    ground.is_blocked(&tree, "nothing-to-merge");
    ground.land(&ground.repo, []).fails(4);
    ground.land(&ground.repo, ["none"]).fails(3);
    ground.land(&ground.repo, ["#(touch x)"]).fails(3);
    ground.land(&ground.repo, ["--upload-pack=x"]).fails(2);
    let outside = GitRepo::at(ground.server.folder());
    let sentence = ground.land(&outside, []).fails(4);
    assert!(
        sentence.starts_with("not in a git repository"),
        "{sentence}"
    );
    tree.commits("base.txt", "theirs\n");
    ground.repo.commits("base.txt", "ours\n");
    tree.try_git(["rebase", "main"]);
    let sentence = ground.land(&tree, []).fails(4);
    assert!(sentence.contains("rebase is in progress"), "{sentence}");
}

#[test]
fn a_gate_that_does_not_end_is_ended() {
    let ground =
        Ground::with_gate("[ ! -e feature ] || { trap '' TERM; sleep 1000 & wait; sleep 1000; }");
    ground.repo.git(["config", "sesh.checkTimeout", "300ms"]);
    let tree = ground.branch("feature", "feature", "1\n");
    ground.is_blocked(&tree, "timeout");
    let left = ground.server.processes();
    let sleeps = left
        .iter()
        .filter(|pid| tmux_sesh::proc::read(**pid).is_some_and(|process| process.name == "sleep"));
    assert_eq!(sleeps.count(), 0);
}

#[test]
fn a_lock_of_another_git_is_named() {
    let ground = Ground::new();
    let tree = ground.branch("feature", "feature", "1\n");
    let lock = ground.repo.file(".git/index.lock");
    std::fs::write(&lock, "").expect("a file");
    ground.is_blocked(&tree, "git-locked");
    assert!(lock.exists());
    std::fs::remove_file(lock).expect("it is there");
    ground.lands(&tree);
}

#[test]
fn a_merge_and_the_deletion_of_the_branch_are_asked_for() {
    let ground = Ground::new();
    ground.repo.git(["config", "sesh.strategy", "merge"]);
    ground.repo.git(["config", "sesh.delete", "true"]);
    let tree = ground.branch("feature", "feature", "1\n");
    let tip = tree.oid("HEAD");
    // The worktree is the user's own, so the branch stays with it.
    let json = ground.lands(&tree);
    assert_eq!(json["branchDeleted"], false);
    assert_eq!(ground.repo.oid("main^2"), tip);
    ground.repo.git(["branch", "alone", "main"]);
    let other = ground.branch("other", "other", "1\n");
    ground
        .repo
        .git(["worktree", "remove", other.path().to_str().expect("a path")]);
    let said = ground.land(&ground.repo, ["other", "--json"]).said();
    assert_eq!(
        (said.code(), &said.json()["branchDeleted"]),
        (Some(0), &true.into())
    );
    assert!(
        !ground
            .repo
            .try_git(["rev-parse", "--verify", "-q", "refs/heads/other"])
            .status
            .success()
    );
    ground.repo.oid("refs/sesh/landed/other");
}
