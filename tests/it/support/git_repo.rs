//! A repository of git, made by the real git, with nothing of the developer's configuration.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tmux_sesh::git::{Oid, Repository};

/// A checkout in which a test works.
#[derive(Clone, Debug)]
pub(crate) struct GitRepo {
    path: PathBuf,
}

impl GitRepo {
    /// A new repository with the branch `main` and one commit.
    #[track_caller]
    pub(crate) fn init(path: &Path) -> Self {
        std::fs::create_dir_all(path).expect("a folder");
        let repo = Self { path: path.into() };
        repo.git(["init", "--quiet", "--initial-branch=main"]);
        repo.configure();
        repo.write("base.txt", "base\n");
        repo.commit("first");
        repo
    }

    /// A bare repository, for a remote.
    #[track_caller]
    pub(crate) fn bare(path: &Path) -> Self {
        std::fs::create_dir_all(path).expect("a folder");
        let repo = Self { path: path.into() };
        repo.git(["init", "--quiet", "--bare", "--initial-branch=main"]);
        repo
    }

    /// A clone of a repository.
    #[track_caller]
    pub(crate) fn cloned(from: &Path, path: &Path) -> Self {
        let above = path.parent().expect("a folder above");
        let repo = Self { path: path.into() };
        let output = git(above)
            .args(["clone", "--quiet"])
            .args([from, path])
            .output();
        assert!(output.expect("git").status.success(), "the clone");
        repo.configure();
        repo
    }

    /// A checkout that exists.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.into() }
    }

    fn configure(&self) {
        self.git(["config", "user.name", "Alice Example"]);
        self.git(["config", "user.email", "alice@example.org"]);
        self.git(["config", "commit.gpgSign", "false"]);
    }

    /// Another checkout of the repository, with a new branch that starts at a revision.
    #[track_caller]
    pub(crate) fn worktree(&self, path: &Path, branch: &str, start: &str) -> Self {
        let add = ["worktree", "add", "--quiet", "-b", branch];
        let words = add.iter().map(OsStr::new);
        self.git(words.chain([path.as_os_str(), OsStr::new(start)]));
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Runs git, which must succeed, and gives what it printed.
    #[track_caller]
    pub(crate) fn git(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let output = self.try_git(args);
        assert!(output.status.success(), "git failed: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().into()
    }

    pub(crate) fn try_git(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        git(&self.path).args(args).output().expect("git")
    }

    #[track_caller]
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect("a file")
    }

    /// Commits everything, and gives the commit.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) -> Oid {
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "-m", message]);
        self.oid("HEAD")
    }

    /// Writes a file and commits everything.
    #[track_caller]
    pub(crate) fn commits(&self, name: &str, text: &str) -> Oid {
        self.write(name, text);
        self.commit(&format!("write {name}"))
    }

    /// The object that a revision names.
    #[track_caller]
    pub(crate) fn oid(&self, revision: &str) -> Oid {
        let text = self.git(["rev-parse", "--verify", revision]);
        text.parse().expect("a hash")
    }

    #[track_caller]
    pub(crate) fn repository(&self) -> Repository {
        Repository::find(&self.path).expect("a repository")
    }

    /// What `git status` prints.
    #[track_caller]
    pub(crate) fn status(&self) -> String {
        self.git(["status", "--porcelain"])
    }
}

/// git in a folder, without the developer's configuration.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .current_dir(folder);
    command
}
