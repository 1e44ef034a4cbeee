//! Whose turn it is, and the claim at that turn.

use std::process::Child;

use pretty_assertions::assert_eq;
use serde_json::Value;

use super::{Ground, blocked, started};
use crate::support::{GitRepo, Said, until};

/// A gate that holds the first candidate until there is a file.
fn holding(ground: &Ground) -> String {
    let folder = ground.server.folder().display();
    format!(
        "[ ! -e first ] || {{ touch '{folder}/holds'; while [ ! -e '{folder}/go' ]; do sleep 0.02; done; }}"
    )
}

/// A ground whose gate holds the branch `first`, and that landing.
fn held() -> (Ground, Child) {
    let ground = Ground::new();
    let gate = holding(&ground);
    ground.set_gate(&ground.repo, &gate);
    ground.repo.commit("a gate that holds");
    let first = ground.branch("first", "first", "1\n");
    let child = started(ground.land(&first, ["--json"]));
    let holds = ground.server.path("holds");
    until("the gate holds", || holds.exists());
    (ground, child)
}

fn go(ground: &Ground) {
    std::fs::write(ground.server.path("go"), "").expect("a file");
}

/// The branches that wait or land, in their order.
fn queue(ground: &Ground) -> Vec<String> {
    let board = ground.server.helper("sesh-work");
    let said = board.args(["--json"]).folder(ground.repo.path()).said();
    let landing = said.json()["landing"].clone();
    let all = landing.as_array().cloned().unwrap_or_default();
    let branch = |it: &Value| it["branch"].as_str().unwrap_or_default().to_string();
    all.iter().map(branch).collect()
}

fn ends(mut child: Child) -> Option<i32> {
    child.wait().expect("a status").code()
}

#[test]
fn scenario_31_by_priority_and_then_by_number() {
    let (ground, first) = held();
    let mut all = Vec::new();
    for (name, priority) in [
        ("n1", "normal"),
        ("n2", "normal"),
        ("low", "low"),
        ("n3", "normal"),
        ("hot", "critical"),
    ] {
        let tree = ground.branch(name, name, "1\n");
        all.push(started(ground.land(&tree, ["--priority", priority])));
        until("it has its ticket", || {
            queue(&ground).contains(&name.to_string())
        });
    }
    assert_eq!(queue(&ground), ["hot", "first", "n1", "n2", "n3", "low"]);
    go(&ground);
    assert_eq!(ends(first), Some(0));
    for child in all {
        assert_eq!(ends(child), Some(0));
    }
    let subjects = ground
        .repo
        .git(["log", "-6", "--reverse", "--format=%s", "main"]);
    let order: Vec<&str> = subjects.lines().collect();
    assert_eq!(
        order,
        [
            "write first",
            "write hot",
            "write n1",
            "write n2",
            "write n3",
            "write low"
        ]
    );
    assert_eq!(queue(&ground), [""; 0]);
    ground.is_sound("HEAD~6");
}

#[test]
fn scenario_32_the_second_waits_for_the_last_child_of_a_killed_one() {
    let (ground, mut first) = held();
    let second = ground.branch("second", "second", "1\n");
    let second = started(ground.land(&second, ["--json"]));
    until("it has its ticket", || {
        queue(&ground) == ["first", "second"]
    });
    first.kill().expect("it is there");
    first.wait().expect("a status");
    // The gate of the first one still runs in the worktree.
    until("the first one is out", || queue(&ground) == ["second"]);
    let gated = ground.gated().len();
    assert!(tmux_sesh::proc::read(second.id().cast_signed()).is_some());
    go(&ground);
    assert_eq!(ends(second), Some(0));
    assert_eq!(ground.gated().len(), gated + 1);
    assert_eq!(
        ground.repo.git(["log", "-1", "--format=%s", "main"]),
        "write second"
    );
    // The killed one types it again.
    let first = GitRepo::at(&ground.server.path("tree-first"));
    ground.lands(&first);
    ground.is_sound("HEAD~2");
}

#[test]
fn a_waiting_one_that_is_cancelled_is_out() {
    let (ground, first) = held();
    let second = ground.branch("second", "second", "1\n");
    let second = started(ground.land(&second, []));
    until("it has its ticket", || {
        queue(&ground) == ["first", "second"]
    });
    let pid = nix::unistd::Pid::from_raw(second.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it is there");
    assert_eq!(ends(second), None);
    assert_eq!(queue(&ground), ["first"]);
    // One whose gate runs ends its gate too.
    let pid = nix::unistd::Pid::from_raw(first.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it is there");
    assert_eq!(ends(first), None);
    let main = ground.repo.oid("main");
    let third = ground.branch("third", "third", "1\n");
    ground.lands(&third);
    assert_eq!(ground.repo.oid("main~1"), main);
}

/// A sesh with a claim, in whose pane helpers run.
struct Worker<'a> {
    ground: &'a Ground,
    pane: String,
}

impl<'a> Worker<'a> {
    fn new(ground: &'a Ground, name: &str) -> Self {
        let pane = ground.server.session((80, 24), &["-s", name, "sh"]);
        Self { ground, pane }
    }

    #[track_caller]
    fn work(&self, args: &[&str]) -> Said {
        let call = self.ground.server.inside(&self.pane, "sesh-work", args);
        call.folder(self.ground.repo.path()).said()
    }

    fn land(&self, tree: &GitRepo) -> crate::support::Call {
        let call = self
            .ground
            .server
            .inside(&self.pane, "sesh-land", ["--json"]);
        call.folder(tree.path())
    }
}

#[test]
fn scenario_33_one_that_lost_its_claim_does_not_land() {
    let (ground, first) = held();
    let (one, two) = (Worker::new(&ground, "one"), Worker::new(&ground, "two"));
    let claimed = one.work(&["claim", "x", "--branch", "feature"]);
    assert_eq!(claimed.code(), Some(0), "{claimed}");
    let tree = ground.branch("feature", "feature", "1\n");
    // Another sesh does not land it, and neither does no sesh.
    assert_eq!(two.land(&tree).said().code(), Some(4));
    ground.land(&tree, []).fails(4);
    let lands = started(one.land(&tree));
    until("it has its ticket", || {
        queue(&ground).contains(&"feature".into())
    });
    let taken = two.work(&["take", "x", "--force", "one has gone home"]);
    assert_eq!(taken.code(), Some(0), "{taken}");
    go(&ground);
    assert_eq!(ends(first), Some(0));
    assert_eq!(ends(lands), Some(5));
    let again = one.land(&tree).said();
    assert_eq!(again.code(), Some(5), "{again}");
    assert!(!ground.repo.file("feature").exists());
    // The new holder lands it.
    let said = two.land(&tree).said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert_eq!(said.json()["id"], "x");
    assert!(ground.repo.file("feature").exists());
}

#[test]
fn a_landing_from_its_own_worktree_removes_it() {
    let ground = Ground::new();
    ground.repo.git(["config", "sesh.delete", "true"]);
    let one = Worker::new(&ground, "one");
    let claimed = one.work(&["claim", "x", "--worktree", "--json"]);
    assert_eq!(claimed.code(), Some(0), "{claimed}");
    let claim = claimed.json();
    let folder = claim["worktree"].as_str().expect("a folder");
    std::fs::write(format!("{folder}/made"), "1\n").expect("a file");
    ground.repo.git(["-C", folder, "add", "made"]);
    ground.repo.git(["-C", folder, "commit", "-qm", "make it"]);
    let call = ground
        .server
        .inside(&one.pane, "sesh-land", ["--json"])
        .folder(std::path::Path::new(folder));
    let said = call.said();
    assert_eq!((said.code(), &*said.stderr), (Some(0), ""), "{said}");
    let landed = said.json();
    assert_eq!(
        (&landed["worktreeRemoved"], &landed["branchDeleted"]),
        (&true.into(), &true.into()),
        "{landed}"
    );
    assert!(!std::path::Path::new(folder).exists());
    assert!(ground.repo.file("made").exists());
}

#[test]
fn scenario_33_at_the_last_moment() {
    let ground = Ground::new();
    let (one, two) = (Worker::new(&ground, "one"), Worker::new(&ground, "two"));
    let gate = holding(&ground);
    ground.set_gate(&ground.repo, &gate);
    ground.repo.commit("a gate that holds");
    let claimed = one.work(&["claim", "x", "--branch", "feature"]);
    assert_eq!(claimed.code(), Some(0), "{claimed}");
    let tree = ground.branch("feature", "first", "1\n");
    let lands = started(one.land(&tree));
    let holds = ground.server.path("holds");
    until("the gate holds", || holds.exists());
    let taken = two.work(&["take", "x", "--force", "urgent"]);
    assert_eq!(taken.code(), Some(0), "{taken}");
    let main = ground.repo.oid("main");
    go(&ground);
    let output = lands.wait_with_output().expect("an output");
    assert_eq!(output.status.code(), Some(5));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["reason"], "fenced");
    assert_eq!(ground.repo.oid("main"), main);
}

#[test]
fn scenario_18_unlanded_commits_are_not_dropped() {
    let ground = Ground::new();
    let one = Worker::new(&ground, "one");
    let claimed = one.work(&["claim", "x", "--branch", "feature"]);
    assert_eq!(claimed.code(), Some(0), "{claimed}");
    let tree = ground.branch("feature", "feature", "1\n");
    let dropped = one.work(&["drop"]);
    assert_eq!(dropped.code(), Some(4), "{dropped}");
    // Else the commit that lands is that of the branch.
    ground.repo.commits("other", "1\n");
    let said = one.land(&tree).said();
    assert_eq!(said.code(), Some(0), "{said}");
    // A landing ends the claim, so there is nothing to drop; claimed again, all of it has landed, also as a squash.
    let claimed = one.work(&["claim", "x", "--branch", "feature"]);
    assert_eq!(claimed.code(), Some(0), "{claimed}");
    let dropped = one.work(&["drop"]);
    assert_eq!(dropped.code(), Some(0), "{dropped}");
    let claimed = one.work(&["claim", "x", "--branch", "feature"]);
    assert_eq!(claimed.code(), Some(0), "{claimed}");
    tree.commits("more", "1\n");
    assert_eq!(one.work(&["drop"]).code(), Some(4));
    let json = blocked(
        &one.land(&{
            tree.write("dirty", "x");
            tree.clone()
        })
        .said(),
        "dirty-worktree",
    );
    assert_eq!(json["id"], "x");
}

#[test]
fn an_item_that_needs_another_lands_after_it() {
    let ground = Ground::new();
    let one = Worker::new(&ground, "one");
    let registry = |needs: &str| {
        let text = format!(
            r#"{{"version": 1, "items": [{{"id": "a"}}, {{"id": "b", "dependsOn": [{needs}]}}]}}"#
        );
        ground.repo.write(".sesh/work.json", &text);
    };
    registry("");
    for id in ["a", "b"] {
        let claimed = one.work(&["claim", id, "--branch", id]);
        assert_eq!(claimed.code(), Some(0), "{claimed}");
    }
    let (a, b) = (
        ground.branch("a", "a", "1\n"),
        ground.branch("b", "b", "1\n"),
    );
    registry("\"a\"");
    let json = blocked(&one.land(&b).said(), "dependency");
    assert_eq!(json["ticket"], Value::Null);
    for tree in [&a, &b] {
        let said = one.land(tree).said();
        assert_eq!(said.code(), Some(0), "{said}");
    }
}
