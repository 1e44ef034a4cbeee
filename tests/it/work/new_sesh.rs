//! A sesh that starts with an item or in a worktree.

use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{Repo, write};
use crate::send::Agent;
use crate::support::{MAIN, Record, until, until_some};

impl Repo {
    #[track_caller]
    fn new_with_work(&self, args: &[&str]) -> Record {
        let call = self.server.sesh("sesh-new", ["--json", "--target", MAIN]);
        call.args(args).folder(&self.top).ok().record()
    }
}

#[test]
fn five_seshes_start_with_five_items() {
    let repo = Repo::new();
    let items: Vec<_> = (0..6)
        .map(|at| json!({"id": format!("item-{at}")}))
        .collect();
    repo.registry(&json!(items));
    for at in 0..5 {
        let made = repo.new_with_work(&["--work", "next", "--", "cat"]);
        let id = format!("item-{at}");
        let claim = repo.claimed(&id);
        assert_eq!(claim["sesh"], made.uuid());
        assert_eq!(
            (&claim["name"], &claim["pane"]),
            (&json!(id), &json!(made.pane()))
        );
        let cwd = made.text("cwd");
        assert_eq!(claim["worktree"], cwd);
        assert_eq!(
            repo.git_in(Path::new(cwd), &["symbolic-ref", "--short", "HEAD"]),
            format!("feature/{id}")
        );
        until("its pane shows it", || repo.shown(made.pane()) == id);
        // It is the holder without any further word.
        repo.work(made.pane(), &["step", "at it"]).ok();
    }
    let list = repo
        .server
        .sesh("sesh-list", ["--columns", "name,claim", "--no-header"])
        .ok();
    assert_eq!(list.lines()[0], "item-0\titem-0");
}

#[test]
fn an_agent_gets_the_item_as_its_first_message() {
    let repo = Repo::new();
    repo.registry(&json!([{"id": "login", "prompt": "Add a login; with \"quotes\" and #(x)"}]));
    repo.server.agent("claude");
    let new = ["--work", "next", "--agent", "claude", "--target", MAIN];
    let call = repo.server.sesh("sesh-new", new).folder(&repo.top);
    let got = std::thread::scope(|scope| {
        let call = scope.spawn(|| call.said());
        let pane = until_some("the agent has a pane", || {
            let all = repo.server.sesh("sesh-list", ["--json", "login"]).said();
            (all.code() == Some(0)).then(|| all.only().pane().to_string())
        });
        repo.server.runs(&pane, "claude");
        // It draws its composer only when it is told to.
        let agent = Agent::of(&repo.server, &pane);
        let said = call.join().expect("its output");
        assert_eq!(said.code(), Some(0), "{said}");
        agent.got()
    });
    let (_, text) = got.first().expect("a message");
    assert!(
        text.starts_with("Add a login; with \"quotes\" and #(x) (This is the item login. "),
        "{text}"
    );
    assert!(text.contains("sesh-land"), "{text}");
    assert_eq!(repo.claimed("login")["name"], "login");
}

#[test]
fn what_cannot_be_created_leaves_nothing() {
    let repo = Repo::new();
    repo.registry(&json!([{"id": "a"}]));
    repo.server
        .new_sesh(["taken", "--target", MAIN, "--", "cat"]);
    let refused = |args: &[&str], code| {
        let call = repo.server.sesh("sesh-new", ["--target", MAIN]).args(args);
        call.folder(&repo.top).fails(code)
    };
    refused(&["taken", "--work", "a", "--", "cat"], 4);
    refused(&["--work", "a", "--", "no-such-program"], 3);
    refused(&["taken", "--worktree", "topic", "--", "cat"], 4);
    assert_eq!(repo.board()["claims"], json!([]));
    assert_eq!(repo.git(&["branch", "--list"]), "* main");
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 1);
    // A setup that fails starts nothing.
    write(&repo.top, ".sesh/setup", "#!/bin/sh\nexit 3\n");
    repo.git(&["add", "-f", ".sesh/setup"]);
    repo.git(&["update-index", "--chmod=+x", ".sesh/setup"]);
    repo.git(&["commit", "-qm", "setup"]);
    let failed = refused(&["--work", "a", "--", "cat"], 1);
    assert!(failed.starts_with("setup: "), "{failed}");
    assert_eq!(repo.board()["claims"], json!([]));
    let unknown = refused(&["--work", "b", "--", "cat"], 3);
    assert!(
        unknown.starts_with("no item b in the registry"),
        "{unknown}"
    );
}

#[test]
fn a_sesh_starts_in_a_worktree_without_a_claim() {
    let repo = Repo::new();
    let made = repo.new_with_work(&["topic", "--worktree", "--", "cat"]);
    let branch = |record: &Record| {
        repo.git_in(
            Path::new(record.text("cwd")),
            &["symbolic-ref", "--short", "HEAD"],
        )
    };
    assert_eq!(branch(&made), "topic");
    let other = repo.new_with_work(&["--worktree", "fix/größe", "--", "cat"]);
    assert_eq!(branch(&other), "fix/größe");
    assert!(!repo.top.join(".git/sesh").exists());
}

#[test]
fn s08_the_sums_know_of_a_holder_that_is_gone_after_a_reap() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x"]);
    repo.claim(two.pane(), &["y"]);
    let sums = || {
        repo.server
            .format(two.pane(), "#{@seshsum_claims} #{@seshsum_lostclaims}")
    };
    assert_eq!(sums(), "2 0");
    repo.server.tmux(["kill-pane", "-t", one.pane()]);
    repo.server.sesh("sesh-reap", crate::support::NONE).ok();
    assert_eq!(sums(), "2 1");
    // It repairs a picture that is off.
    repo.server
        .tmux(["set-option", "-pu", "-t", two.pane(), "@sesh_claim"]);
    repo.server.sesh("sesh-reap", crate::support::NONE).ok();
    assert_eq!(repo.shown(two.pane()), "y");
    repo.work(two.pane(), &["take", "x"]).ok();
    repo.work(two.pane(), &[]).ok();
    assert_eq!(sums(), "2 0");
}
