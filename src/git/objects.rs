//! What git computes from objects alone, without a checkout: merges, commits, ancestry.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::command::GitCommand;
use crate::error::{Error, Result};

/// The name of an object: its hash in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Oid(String);

impl Oid {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::ffi::OsStr> for Oid {
    fn as_ref(&self) -> &std::ffi::OsStr {
        self.0.as_ref()
    }
}

impl FromStr for Oid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_hash = [40, 64].contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if is_hash {
            Ok(Self(text.into()))
        } else {
            let text = crate::id::shown(text);
            Err(Error::failed(format!("{text} is no name of an object")))
        }
    }
}

impl TryFrom<String> for Oid {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// The outcome of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergedTree {
    Clean(Oid),
    /// The files in conflict.
    Conflict(Vec<String>),
}

/// Who wrote a commit, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
    /// Seconds and zone, as git takes them.
    pub date: String,
}

/// Returns the commit that a revision names. `None` if it names none.
///
/// # Errors
/// git fails.
pub fn commit(folder: &Path, revision: &str) -> Result<Option<Oid>> {
    named(folder, &format!("{revision}^{{commit}}"))
}

/// Returns the object at a path of a commit. `None` if nothing is there.
///
/// # Errors
/// git fails.
pub fn at_path(folder: &Path, commit: &Oid, path: &str) -> Result<Option<Oid>> {
    named(folder, &format!("{commit}:{path}"))
}

/// Returns the tree of a commit.
///
/// # Errors
/// git fails, or there is no such commit.
pub fn tree(folder: &Path, commit: &Oid) -> Result<Oid> {
    named(folder, &format!("{commit}^{{tree}}"))?
        .ok_or_else(|| Error::failed(format!("{commit} is no commit of this repository")))
}

fn named(folder: &Path, revision: &str) -> Result<Option<Oid>> {
    let output = GitCommand::read(folder, "rev-parse")
        .args(["--verify", "--quiet", "--end-of-options", revision])
        .output()?;
    match output.code {
        0 => output.text().parse().map(Some),
        1 => Ok(None),
        // A path that a commit does not have, or a name that is none.
        128 if output.stdout.is_empty() && !output.stderr.contains("not a git repository") => {
            Ok(None)
        }
        _ => Err(output.error()),
    }
}

/// Returns whether a commit is another one, or an ancestor of it.
///
/// # Errors
/// git fails, or one of them is not there.
pub fn is_ancestor(folder: &Path, ancestor: &Oid, of: &Oid) -> Result<bool> {
    let output = GitCommand::read(folder, "merge-base")
        .arg("--is-ancestor")
        .args([ancestor, of])
        .output()?;
    match output.code {
        0 => Ok(true),
        1 => Ok(false),
        _ => Err(output.error()),
    }
}

/// Returns whether this repository has an object.
///
/// # Errors
/// git cannot be run.
pub fn exists(folder: &Path, oid: &Oid) -> Result<bool> {
    let output = GitCommand::read(folder, "cat-file")
        .args(["-e".as_ref(), oid.as_ref() as &std::ffi::OsStr])
        .output()?;
    Ok(output.code == 0)
}

/// Returns the newest common ancestor of two commits. `None` if their histories have nothing in common.
///
/// # Errors
/// git fails.
pub fn merge_base(folder: &Path, one: &Oid, other: &Oid) -> Result<Option<Oid>> {
    let output = GitCommand::read(folder, "merge-base")
        .args([one, other])
        .output()?;
    match output.code {
        0 => output.text().parse().map(Some),
        1 => Ok(None),
        _ => Err(output.error()),
    }
}

/// Returns how many commits `tip` has that `base` has not.
///
/// # Errors
/// git fails.
pub fn count(folder: &Path, base: &Oid, tip: &Oid) -> Result<usize> {
    let text = GitCommand::read(folder, "rev-list")
        .args(["--count", &format!("{base}..{tip}"), "--"])
        .text()?;
    text.parse()
        .map_err(|_| Error::failed(format!("git rev-list --count prints {text}")))
}

/// Merges two commits and writes the tree, without a checkout.
///
/// # Errors
/// git fails. A conflict is not an error.
pub fn merge_tree(folder: &Path, base: &Oid, tip: &Oid) -> Result<MergedTree> {
    merge_tree_from(folder, None, base, tip)
}

/// Like [`merge_tree`], with the commit from which both started, where that is not what the history says. git 2.40 is the
/// first one that takes it; an older one merges by the history.
///
/// # Errors
/// As [`merge_tree`].
pub fn merge_tree_from(
    folder: &Path,
    start: Option<&Oid>,
    base: &Oid,
    tip: &Oid,
) -> Result<MergedTree> {
    let call = |start: Option<&Oid>| {
        GitCommand::change(folder, "merge-tree")
            .args(["--write-tree", "-z", "--name-only", "--no-messages"])
            .args(start.map(|start| format!("--merge-base={start}")))
            .args([base, tip])
            .output()
    };
    let mut output = call(start)?;
    let is_old = output.code == 129 && start.is_some();
    if is_old {
        output = call(None)?;
    }
    let mut parts = output.parts().map(String::from_utf8_lossy);
    match (output.code, parts.next()) {
        (0, Some(tree)) => tree.parse().map(MergedTree::Clean),
        (1, Some(_)) => {
            let mut files: Vec<String> = parts.map(Into::into).collect();
            files.sort_unstable();
            files.dedup();
            Ok(MergedTree::Conflict(files))
        }
        _ => Err(output.error()),
    }
}

/// Writes a commit. With an author it is that person's work; the committer is the user of this repository.
///
/// # Errors
/// git fails: the user has no name, or the disk is full.
pub fn commit_tree(
    folder: &Path,
    tree: &Oid,
    parents: &[&Oid],
    message: &str,
    author: Option<&Author>,
) -> Result<Oid> {
    let mut command = GitCommand::change(folder, "commit-tree");
    if let Some(author) = author {
        command = command
            .env("GIT_AUTHOR_NAME", &author.name)
            .env("GIT_AUTHOR_EMAIL", &author.email)
            .env("GIT_AUTHOR_DATE", &author.date);
    }
    for parent in parents {
        command = command.arg("-p").arg(parent);
    }
    command
        .args(["-F", "-", tree.as_str()])
        .input(message)
        .text()?
        .parse()
}

/// Returns who wrote a commit.
///
/// # Errors
/// git fails.
pub fn author(folder: &Path, commit: &Oid) -> Result<Author> {
    let text = shown(folder, commit, "%an%x00%ae%x00%ad", &["--date=raw"])?;
    let mut parts = text.split('\0').map(String::from);
    let mut next = || parts.next().unwrap_or_default();
    Ok(Author {
        name: next(),
        email: next(),
        date: next(),
    })
}

/// Returns the message of a commit.
///
/// # Errors
/// git fails.
pub fn message(folder: &Path, commit: &Oid) -> Result<String> {
    shown(folder, commit, "%B", &[])
}

/// Returns the subjects of the commits that `tip` has and `base` has not, the oldest first.
///
/// # Errors
/// git fails.
pub fn subjects(folder: &Path, base: &Oid, tip: &Oid) -> Result<Vec<String>> {
    let text = GitCommand::read(folder, "log")
        .args(["--reverse", "--no-merges", "--format=%s"])
        .args([&format!("{base}..{tip}"), "--"])
        .text()?;
    Ok(text.lines().map(Into::into).collect())
}

fn shown(folder: &Path, commit: &Oid, format: &str, more: &[&str]) -> Result<String> {
    GitCommand::read(folder, "show")
        .args(["--no-patch", "--no-show-signature"])
        .args(more)
        .args([&format!("--format={format}"), commit.as_str(), "--"])
        .text()
}

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    pub path: String,
    pub executable: bool,
    pub oid: Oid,
}

/// Returns the regular files below a folder of a commit.
///
/// # Errors
/// git fails.
pub fn files(folder: &Path, commit: &Oid, below: &str) -> Result<Vec<TreeFile>> {
    let output = GitCommand::read(folder, "ls-tree")
        .args(["-r", "-z", "--full-tree", commit.as_str(), "--", below])
        .ok()?;
    let file = |row: &[u8]| {
        let row = std::str::from_utf8(row).ok()?;
        let (head, path) = row.split_once('\t')?;
        let mut words = head.split(' ');
        let (mode, _kind, oid) = (words.next()?, words.next()?, words.next()?);
        ["100644", "100755"].contains(&mode).then_some(())?;
        Some(TreeFile {
            path: path.into(),
            executable: mode == "100755",
            oid: oid.parse().ok()?,
        })
    };
    Ok(output.parts().filter_map(file).collect())
}

/// Returns the bytes of a file.
///
/// # Errors
/// git fails.
pub fn blob(folder: &Path, oid: &Oid) -> Result<Vec<u8>> {
    let output = GitCommand::read(folder, "cat-file")
        .args(["blob", oid.as_str()])
        .ok()?;
    Ok(output.stdout)
}

/// Writes bytes as an object that a ref can name.
///
/// # Errors
/// git fails.
pub fn write_blob(folder: &Path, bytes: &[u8]) -> Result<Oid> {
    GitCommand::change(folder, "hash-object")
        .args(["-w", "--stdin"])
        .input(bytes)
        .text()?
        .parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects() {
        let hash = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        assert_eq!(hash.parse::<Oid>().expect("a hash").short(), "4b825dc642");
        for text in ["", "HEAD", &hash[1..], &hash.to_uppercase(), "--all"] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Oid>("\"main\"").is_err());
    }
}
