//! The checkouts of a repository.

use std::path::{Path, PathBuf};

use super::command::{GitCommand, path};
use super::objects::{self, Oid};
use super::repository::unfinished_in;
use crate::error::{Error, Result};

/// One checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    pub path: PathBuf,
    /// Its branch, without `refs/heads/`.
    pub branch: Option<String>,
    pub bare: bool,
    /// Its folder is gone.
    pub prunable: bool,
}

/// What a checkout has that is not committed. Ignored files do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uncommitted {
    /// Files that differ from the commit, staged or not.
    pub changed: Vec<String>,
    pub untracked: Vec<String>,
}

impl Uncommitted {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.untracked.is_empty()
    }

    /// Returns the names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.changed.iter().chain(&self.untracked);
        all.map(String::as_str)
    }
}

/// The outcome of a move of a checkout to a later commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FastForward {
    Done,
    /// The user's own changes to these files are in the way. Nothing was changed.
    InTheWay(Vec<String>),
    /// The commit of the checkout is not an ancestor. Nothing was changed.
    Diverged,
}

/// Returns all checkouts of a repository, the main one first.
///
/// # Errors
/// git fails.
pub fn list(folder: &Path) -> Result<Vec<Checkout>> {
    let output = GitCommand::read(folder, "worktree")
        .args(["list", "--porcelain", "-z"])
        .ok()?;
    let mut all: Vec<Checkout> = Vec::new();
    for line in output.parts() {
        if let Some(place) = line.strip_prefix(b"worktree ") {
            all.push(Checkout {
                path: path(place),
                ..Checkout::default()
            });
        }
        let Some(last) = all.last_mut() else { continue };
        if let Some(name) = line.strip_prefix(b"branch refs/heads/") {
            last.branch = Some(String::from_utf8_lossy(name).into_owned());
        }
        last.bare |= line == b"bare";
        last.prunable |= line.starts_with(b"prunable");
    }
    Ok(all)
}

/// Returns the checkout of a branch.
///
/// # Errors
/// git fails.
pub fn of_branch(folder: &Path, branch: &str) -> Result<Option<Checkout>> {
    let is_it = |checkout: &Checkout| {
        checkout.branch.as_deref() == Some(branch) && !checkout.prunable && !checkout.bare
    };
    Ok(list(folder)?.into_iter().find(is_it))
}

/// Makes a checkout of a branch that exists.
///
/// # Errors
/// git fails: the branch is checked out elsewhere, or something is at the place.
pub fn add(folder: &Path, place: &Path, branch: &str) -> Result<()> {
    added(folder, place, &[branch.as_ref()], &[])
}

/// Makes a checkout of a new branch that starts at a commit.
///
/// # Errors
/// git fails: the branch exists, or something is at the place.
pub fn add_new(folder: &Path, place: &Path, branch: &str, start: &Oid) -> Result<()> {
    added(
        folder,
        place,
        &[start.as_ref()],
        &["--no-track", "-b", branch],
    )
}

/// Makes a checkout of a commit, without a branch.
///
/// # Errors
/// git fails: something is at the place.
pub fn add_detached(folder: &Path, place: &Path, commit: &Oid) -> Result<()> {
    added(folder, place, &[commit.as_ref()], &["--detach"])
}

fn added(folder: &Path, place: &Path, commit: &[&std::ffi::OsStr], options: &[&str]) -> Result<()> {
    GitCommand::checkout(folder, "worktree")
        .args(["add", "--quiet"])
        .args(options)
        .arg("--")
        .arg(place)
        .args(commit)
        .ok()?;
    Ok(())
}

/// Removes a checkout, with what is ignored in it. git refuses one that is dirty.
///
/// # Errors
/// git fails.
pub fn remove(folder: &Path, place: &Path) -> Result<()> {
    GitCommand::change(folder, "worktree")
        .args(["remove", "--"])
        .arg(place)
        .ok()?;
    Ok(())
}

/// Forgets the checkouts whose folders are gone.
///
/// # Errors
/// git fails.
pub fn prune(folder: &Path) -> Result<()> {
    GitCommand::change(folder, "worktree").arg("prune").ok()?;
    Ok(())
}

/// Returns what a checkout has that is not committed.
///
/// # Errors
/// git fails.
pub fn uncommitted(place: &Path) -> Result<Uncommitted> {
    let output = GitCommand::read(place, "status")
        .args(["--porcelain=v1", "-z", "--untracked-files=normal"])
        .args(["--no-renames", "--ignore-submodules=none"])
        .ok()?;
    let mut found = Uncommitted::default();
    for row in output.parts() {
        let Some((state, name)) = row.split_at_checked(3) else {
            continue;
        };
        let name = String::from_utf8_lossy(name).into_owned();
        if state == b"?? " {
            found.untracked.push(name);
        } else {
            found.changed.push(name);
        }
    }
    Ok(found)
}

/// Returns the commit of a checkout. `None` if it has none yet.
///
/// # Errors
/// git fails.
pub fn head(place: &Path) -> Result<Option<Oid>> {
    objects::commit(place, "HEAD")
}

/// Moves a checkout and its branch to a later commit. The user's own changes stay, and nothing is changed where one of
/// them is in the way.
///
/// # Errors
/// git fails.
pub fn fast_forward(place: &Path, to: &Oid) -> Result<FastForward> {
    let output = GitCommand::checkout(place, "merge")
        .args(["--ff-only", "--no-autostash", "--no-stat", "--quiet"])
        .arg(to)
        .output()?;
    if output.code == 0 {
        return Ok(FastForward::Done);
    }
    let says = |text: &str| output.stderr.contains(text);
    if says("would be overwritten by merge") {
        return Ok(FastForward::InTheWay(indented(&output.stderr)));
    }
    if says("Not possible to fast-forward") || says("Diverging branches") {
        return Ok(FastForward::Diverged);
    }
    Err(output.error())
}

/// Returns the file names that git lists in a complaint, one on a line after a tab.
fn indented(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.strip_prefix('\t'));
    names.map(Into::into).collect()
}

/// Makes a checkout without a branch exactly that of a commit: what is tracked or untracked changes, and ignored files
/// stay. It is for checkouts that belong to tmux-sesh alone.
///
/// # Errors
/// git fails.
pub fn reset_own(place: &Path, to: &Oid) -> Result<()> {
    GitCommand::checkout(place, "checkout")
        .args(["--quiet", "--force", "--detach", to.as_str(), "--"])
        .ok()?;
    GitCommand::checkout(place, "clean")
        .args(["--quiet", "-ffd"])
        .ok()?;
    Ok(())
}

/// Initialises and updates the submodules of a checkout, where it has any.
///
/// # Errors
/// git fails.
pub fn update_submodules(place: &Path) -> Result<()> {
    if !place.join(".gitmodules").is_file() {
        return Ok(());
    }
    GitCommand::remote(place, "submodule")
        .args(["--quiet", "update", "--init", "--recursive", "--force"])
        .ok()?;
    Ok(())
}

/// Writes everything that a checkout has, committed or not, as a commit, and returns it. The checkout and its index stay as
/// they are: `index` is the path of an index for this call, which the caller removes. Ignored files are not in the commit.
///
/// # Errors
/// git fails.
pub fn snapshot(place: &Path, index: &Path, message: &str) -> Result<Oid> {
    let head = head(place)?
        .ok_or_else(|| Error::unusable(format!("{} has no commit yet", place.display())))?;
    let call = |verb: &str| GitCommand::change(place, verb).env("GIT_INDEX_FILE", index);
    call("read-tree").arg(&head).ok()?;
    call("add").args(["--all", "--", "."]).ok()?;
    let tree = call("write-tree").text()?.parse()?;
    objects::commit_tree(place, &tree, &[&head], message, None)
}

/// Returns the folder of git for a checkout.
///
/// # Errors
/// git fails.
pub fn git_dir(place: &Path) -> Result<PathBuf> {
    let text = GitCommand::read(place, "rev-parse")
        .args(["--path-format=absolute", "--git-dir"])
        .ok()?;
    let bytes = text.stdout.strip_suffix(b"\n").unwrap_or(&text.stdout);
    Ok(path(bytes))
}

/// Returns whether a rebase, a merge or the like was begun in a checkout and has not ended.
///
/// # Errors
/// git fails.
pub fn is_unfinished(place: &Path) -> Result<bool> {
    Ok(unfinished_in(&git_dir(place)?).is_some())
}
