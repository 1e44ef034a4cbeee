//! `sesh-land`: what is tested is what lands, and nothing of the user's is touched.

mod killed;
mod remote;
mod scenarios;
mod soak;
mod turns;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Call, GitRepo, Said, Server};

/// A repository with a gate, whose target `main` is checked out.
pub(crate) struct Ground {
    pub(crate) server: Server,
    pub(crate) repo: GitRepo,
}

impl Ground {
    /// A repository whose gate logs the commit that it runs on, and is red where there is a file `broken`.
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self::with_gate("[ ! -e broken ]")
    }

    /// The same with a gate that ends with these lines.
    #[track_caller]
    pub(crate) fn with_gate(script: &str) -> Self {
        let server = Server::start();
        let repo = GitRepo::init(&server.path("repo"));
        let ground = Self { server, repo };
        ground.set_gate(&ground.repo, script);
        ground.repo.commit("add the gate");
        ground
    }

    /// Writes the gate of a checkout.
    pub(crate) fn set_gate(&self, repo: &GitRepo, script: &str) {
        let log = self.gate_log();
        let log = log.display();
        let text = format!("#!/bin/sh\ngit rev-parse HEAD >>'{log}'\n{script}\n");
        repo.write(".sesh/check", &text);
        executable(&repo.file(".sesh/check"));
    }

    fn gate_log(&self) -> PathBuf {
        self.server.path("gate.log")
    }

    /// The commits that the gate has run on.
    pub(crate) fn gated(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.gate_log()).unwrap_or_default();
        text.lines().map(Into::into).collect()
    }

    /// A branch in a worktree of its own, with one commit that writes a file.
    #[track_caller]
    pub(crate) fn branch(&self, name: &str, file: &str, text: &str) -> GitRepo {
        let path = self.server.path(&format!("tree-{name}"));
        let tree = self.repo.worktree(&path, name, "main");
        tree.commits(file, text);
        tree
    }

    /// `sesh-land` in a checkout.
    pub(crate) fn land<'a>(&self, tree: &GitRepo, args: impl IntoIterator<Item = &'a str>) -> Call {
        self.server
            .helper("sesh-land")
            .args(["-S".as_ref(), self.server.socket().as_os_str()])
            .args(args)
            .folder(tree.path())
    }

    /// Lands, and gives the object.
    #[track_caller]
    pub(crate) fn lands(&self, tree: &GitRepo) -> Value {
        let said = self.land(tree, ["--json"]).said();
        assert_eq!(said.code(), Some(0), "{said}");
        said.json()
    }

    /// Is blocked, and gives the object.
    #[track_caller]
    pub(crate) fn is_blocked(&self, tree: &GitRepo, reason: &str) -> Value {
        let said = self.land(tree, ["--json"]).said();
        blocked(&said, reason)
    }

    /// Everything that must hold at any time: no lock file is left, no operation is in progress, and every commit of the
    /// target's first parents since `from` is one that the gate has run on.
    #[track_caller]
    pub(crate) fn is_sound(&self, from: &str) {
        let gated = self.gated();
        let range = format!("{from}..main");
        let landed = self.repo.git(["rev-list", "--first-parent", &range]);
        for commit in landed.lines() {
            assert!(
                gated.iter().any(|it| it == commit),
                "{commit} was not tested"
            );
        }
        let common = self
            .repo
            .git(["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        let locks = locks_below(Path::new(&common));
        assert!(locks.is_empty(), "{locks:?}");
    }
}

/// The object of a call that was blocked for a reason.
#[track_caller]
pub(crate) fn blocked(said: &Said, reason: &str) -> Value {
    let expected = if reason == "fenced" { 5 } else { 4 };
    assert_eq!(said.code(), Some(expected), "{said}");
    let json = said.json();
    assert_eq!(json["reason"], reason, "{said}");
    assert_eq!(json["state"], "blocked", "{said}");
    assert!(
        said.sentence().starts_with(&format!("{reason}: ")),
        "{said}"
    );
    json
}

/// The lock files of git below a folder. Those of tmux-sesh stay: they are locked, and never removed.
fn locks_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_own = path.file_name().is_some_and(|name| name == "sesh");
        if path.is_dir() && !is_own {
            found.extend(locks_below(&path));
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
    found
}

pub(crate) fn executable(path: &Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("a mode");
}

/// Starts a call that is not awaited, in a process group of its own.
pub(crate) fn started(call: Call) -> Child {
    use std::os::unix::process::CommandExt;

    let mut command = call.command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("it starts")
}
