//! The worktrees of claims.

use std::path::Path;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{Repo, write};

#[test]
fn s04_a_claim_has_a_branch_and_a_worktree_outside_the_repository() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let place = repo.server.path("x");
    let claim = repo.claim(
        one.pane(),
        &["prd-x", "--worktree", place.to_str().expect("UTF-8")],
    );
    assert_eq!(
        (&claim["branch"], &claim["worktree"]),
        (&json!("feature/x"), &json!(place))
    );
    assert_eq!(
        repo.git_in(&place, &["symbolic-ref", "--short", "HEAD"]),
        "feature/x"
    );
    assert_eq!(claim["base"], repo.git(&["rev-parse", "main"]));
    assert_eq!(repo.shown(one.pane()), "prd-x");
    let again = repo.claim(
        one.pane(),
        &["prd-x", "--worktree", place.to_str().expect("UTF-8")],
    );
    assert_eq!(
        (&again["grant"], &again["worktree"]),
        (&claim["grant"], &claim["worktree"])
    );
    // The branch is there already: it is used.
    repo.git(&["branch", "feature/y"]);
    let y = repo.claim(one.pane(), &["y", "--worktree"]);
    let usual = repo.server.path("home/.local/state/tmux-sesh/worktrees");
    let at = Path::new(y["worktree"].as_str().expect("a path"));
    assert!(at.starts_with(&usual) && at.ends_with("y"), "{at:?}");
    assert_eq!(
        repo.git_in(at, &["symbolic-ref", "--short", "HEAD"]),
        "feature/y"
    );
    // Clean ones go, with the branch that has nothing of its own.
    repo.work(one.pane(), &["drop", "x"]).ok();
    assert!(!place.exists());
    assert_eq!(repo.git(&["branch", "--list", "feature/x"]), "");
    assert_eq!(repo.git(&["worktree", "list"]).lines().count(), 2);
}

#[test]
fn a_worktree_starts_at_what_the_remote_has() {
    let repo = Repo::new();
    repo.git_in(
        repo.server.folder(),
        &["clone", "-q", "--bare", "repo", "remote.git"],
    );
    repo.git(&["remote", "add", "origin", "../remote.git"]);
    repo.git(&["fetch", "-q"]);
    repo.git(&["branch", "-q", "-u", "origin/main"]);
    repo.git_in(
        repo.server.folder(),
        &["clone", "-q", "remote.git", "other"],
    );
    let other = repo.server.path("other");
    repo.commit_in(&other, "new.txt", "new\n");
    repo.git_in(&other, &["push", "-q"]);
    let refs = repo.git(&["for-each-ref", "refs/remotes"]);
    let one = repo.sesh("one");
    let claim = repo.claim(one.pane(), &["x", "--worktree"]);
    assert!(
        Path::new(claim["worktree"].as_str().expect("a path"))
            .join("new.txt")
            .is_file()
    );
    // Neither the refs of the remote nor the own target have moved.
    assert_eq!(repo.git(&["for-each-ref", "refs/remotes"]), refs);
    assert!(
        !repo.top.join(".git/FETCH_HEAD").exists()
            || repo.git(&["log", "--oneline", "main"]).lines().count() == 1
    );
}

#[test]
fn a_worktree_is_prepared() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.commit(".gitignore", ".env\nnode_modules/\n*.log\n");
    repo.commit(".worktreeinclude", ".env\nnode_modules/\n");
    repo.write(".env", "SECRET=1\n");
    repo.write("node_modules/größe; x/a.js", "1\n");
    repo.write("noise.log", "1\n");
    let setup = "#!/bin/sh\necho preparing\ntest -f .env && pwd >setup.done && echo \"$GIT_DIR\" >>setup.done\n";
    write(&repo.top, ".sesh/setup", setup);
    repo.git(&["add", ".sesh/setup"]);
    repo.git(&["update-index", "--chmod=+x", ".sesh/setup"]);
    repo.git(&["commit", "-qm", "setup"]);
    let call = repo.work(one.pane(), &["claim", "x", "--worktree", "--json"]);
    let said = call
        .env("GIT_DIR", repo.top.join(".git"))
        .env("GIT_INDEX_FILE", "/nonexistent")
        .said();
    assert_eq!(
        (said.code(), &*said.stderr),
        (Some(0), "preparing\n"),
        "{said}"
    );
    let claim = said.json();
    let at = Path::new(claim["worktree"].as_str().expect("a path"));
    let read =
        |name: &str| std::fs::read_to_string(at.join(name)).unwrap_or_else(|_| panic!("{name}"));
    assert_eq!(read(".env"), "SECRET=1\n");
    assert_eq!(read("node_modules/größe; x/a.js"), "1\n");
    assert!(!at.join("noise.log").exists());
    assert_eq!(read("setup.done"), format!("{}\n\n", at.display()));
}

#[test]
fn a_setup_that_fails_keeps_the_claim() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    write(&repo.top, ".sesh/setup", "#!/bin/sh\nexit 3\n");
    repo.git(&["add", ".sesh/setup"]);
    repo.git(&["update-index", "--chmod=+x", ".sesh/setup"]);
    repo.git(&["commit", "-qm", "setup"]);
    let said = repo.work(one.pane(), &["claim", "x", "--worktree"]).said();
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(
        said.sentence()
            .starts_with("setup: .sesh/setup failed (exit status: 3) in "),
        "{said}"
    );
    assert_eq!(repo.claimed("x")["name"], "one");
}

#[test]
fn a_worktree_that_cannot_be_made_gives_the_item_back() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    write(&repo.server.path("full"), "file", "x");
    let full = repo.server.path("full");
    let refused = repo
        .work(
            one.pane(),
            &["claim", "x", "--worktree", full.to_str().expect("UTF-8")],
        )
        .fails(1);
    assert!(refused.contains("already exists"), "{refused}");
    assert_eq!(repo.board()["claims"], json!([]));
    assert_eq!(repo.git(&["branch", "--list", "feature/*"]), "");
    let empty = repo.server.path("empty");
    repo.git_in(repo.server.folder(), &["init", "-q", "empty"]);
    let refused = repo
        .work(one.pane(), &["claim", "x", "--worktree"])
        .folder(&empty)
        .fails(4);
    assert!(refused.contains("no commit yet"), "{refused}");
}

#[test]
fn s63_a_dirty_worktree_is_never_lost() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    let claim = repo.claim(one.pane(), &["x", "--worktree"]);
    let at = Path::new(claim["worktree"].as_str().expect("a path")).to_path_buf();
    write(&at, "base.txt", "changed\n");
    write(&at, "new.txt", "new\n");
    repo.work(two.pane(), &["take", "x", "--force", "w"]).ok();
    assert_eq!(repo.claimed("x")["worktree"], json!(at));
    let said = repo.work(two.pane(), &["drop"]).ok();
    assert!(
        said.text()
            .contains("stays, with uncommitted base.txt, new.txt"),
        "{}",
        said.text()
    );
    let read = |name: &str| std::fs::read_to_string(at.join(name)).expect("a file");
    assert_eq!(
        (read("base.txt"), read("new.txt")),
        ("changed\n".into(), "new\n".into())
    );
    // The next one continues there, and what it abandons is saved.
    repo.claim(two.pane(), &["x", "--worktree"]);
    assert_eq!(repo.claimed("x")["worktree"], json!(at));
    let index = repo.git_in(&at, &["status", "--porcelain"]);
    repo.work(two.pane(), &["drop", "--abandon", "w"]).ok();
    assert_eq!(repo.git(&["show", "refs/sesh/rescue/x:new.txt"]), "new");
    assert_eq!(repo.git_in(&at, &["status", "--porcelain"]), index);
    assert_eq!(
        (read("base.txt"), read("new.txt")),
        ("changed\n".into(), "new\n".into())
    );
}
