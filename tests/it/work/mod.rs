//! Work: claims, their holders and their worktrees. The numbers are those of the scenarios that each test is of.

mod board_key;
mod claims;
mod contenders;
mod holders;
mod new_sesh;
mod registry;
mod worktrees;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Call, MAIN, Record, Server};

/// A server, and a repository with one commit on `main`.
pub(crate) struct Repo {
    pub(crate) server: Server,
    pub(crate) top: PathBuf,
}

impl Repo {
    #[track_caller]
    pub(crate) fn new() -> Self {
        let server = Server::start();
        let top = server.path("repo");
        let repo = Self { server, top };
        let config = "[user]\nname = t\nemail = t@example.org\n[init]\ndefaultBranch = main\n[protocol \"file\"]\nallow = always\n";
        std::fs::write(repo.server.path("home/.gitconfig"), config).expect("a file");
        repo.git_in(repo.server.folder(), &["init", "-q", "repo"]);
        repo.commit("base.txt", "one\n");
        repo
    }

    /// Runs git in the repository; it must succeed.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.top, args)
    }

    #[track_caller]
    pub(crate) fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        let git = self.server.call("git".as_ref()).folder(folder).args(args);
        let said = git.said();
        assert_eq!(said.code(), Some(0), "{said}");
        said.text().trim_end().into()
    }

    /// Writes a file of the repository.
    #[track_caller]
    pub(crate) fn write(&self, name: &str, text: &str) {
        write(&self.top, name, text);
    }

    /// Writes a file and commits it.
    #[track_caller]
    pub(crate) fn commit(&self, name: &str, text: &str) {
        self.commit_in(&self.top, name, text);
    }

    #[track_caller]
    pub(crate) fn commit_in(&self, folder: &Path, name: &str, text: &str) {
        write(folder, name, text);
        self.git_in(folder, &["add", "--", name]);
        self.git_in(folder, &["commit", "-qm", name]);
    }

    /// Makes a registry of our own form, and does not commit it.
    #[track_caller]
    pub(crate) fn registry(&self, items: &Value) {
        let all = serde_json::json!({"version": 1, "items": items});
        self.write(".sesh/work.json", &all.to_string());
    }

    /// A sesh in the repository.
    #[track_caller]
    pub(crate) fn sesh(&self, name: &str) -> Record {
        let top = self.top.to_str().expect("UTF-8");
        self.server
            .new_sesh([name, "--target", MAIN, "--cwd", top, "--", "cat"])
    }

    /// `sesh-work` as the sesh of a pane types it.
    pub(crate) fn work(&self, pane: &str, args: &[&str]) -> Call {
        let call = self.server.inside(pane, "sesh-work", args);
        call.folder(&self.top)
    }

    /// What `sesh-work` prints of a claim.
    #[track_caller]
    pub(crate) fn claim(&self, pane: &str, args: &[&str]) -> Value {
        let args = [&["claim", "--json"], args].concat();
        self.work(pane, &args).ok().json()
    }

    /// The board, as one looks at it from outside tmux.
    #[track_caller]
    pub(crate) fn board(&self) -> Value {
        let call = self.server.sesh("sesh-work", ["--json"]);
        call.folder(&self.top).ok().json()
    }

    /// The claim on an item, on the board.
    #[track_caller]
    pub(crate) fn claimed(&self, id: &str) -> Value {
        let board = self.board();
        let claims = board["claims"].as_array().expect("claims");
        let claim = claims.iter().find(|claim| claim["id"] == id);
        claim
            .unwrap_or_else(|| panic!("{id} is not claimed: {board}"))
            .clone()
    }

    /// The state of the holder of an item.
    #[track_caller]
    pub(crate) fn state(&self, id: &str) -> String {
        self.claimed(id)["state"].as_str().expect("a word").into()
    }

    /// The text of the ledger, empty if there is none.
    pub(crate) fn ledger(&self) -> String {
        std::fs::read_to_string(self.top.join(".git/sesh/work.jsonl")).unwrap_or_default()
    }

    /// What a pane shows of its claims.
    pub(crate) fn shown(&self, pane: &str) -> String {
        self.server.format(pane, "#{@sesh_claim}")
    }
}

#[track_caller]
pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    let above = path.parent().expect("a folder");
    std::fs::create_dir_all(above).expect("a folder");
    std::fs::write(path, text).expect("a file");
}
