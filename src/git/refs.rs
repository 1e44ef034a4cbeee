//! Refs: they are compared and set, here and at a remote. Nothing here is ever forced.

use std::path::Path;

use super::command::{GitCommand, GitOutput};
use super::objects::Oid;
use crate::error::Result;

/// The outcome of a comparison and set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefChange {
    Done,
    /// The ref has another value than the expected one, and was left as it is.
    Moved,
}

/// The outcome of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    Done,
    /// The remote has another value than the expected one.
    Moved,
    /// The remote does not take it, in its own words.
    Refused(String),
}

/// Returns the object of a ref, given by its whole name. `None` if there is no such ref.
///
/// # Errors
/// git fails.
pub fn read(folder: &Path, name: &str) -> Result<Option<Oid>> {
    let output = GitCommand::read(folder, "for-each-ref")
        .args(["--format=%(refname) %(objectname)", "--", name])
        .ok()?;
    // The pattern also matches what is below the name.
    output
        .text()
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(str::parse)
        .transpose()
}

/// Returns the refs below a prefix that ends with a slash, with their objects.
///
/// # Errors
/// git fails.
pub fn list(folder: &Path, prefix: &str) -> Result<Vec<(String, Oid)>> {
    let text = GitCommand::read(folder, "for-each-ref")
        .args(["--format=%(refname) %(objectname)", "--", prefix])
        .text()?;
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, oid)| Ok((name.into(), oid.parse()?)))
        .collect()
}

/// Sets a ref if it has the expected value, or does not exist where `None` is expected.
///
/// # Errors
/// git fails for another reason than the value.
pub fn set(folder: &Path, name: &str, to: &Oid, expected: Option<&Oid>) -> Result<RefChange> {
    let command = GitCommand::change(folder, "update-ref")
        .args(["--no-deref", "-m", "tmux-sesh", name])
        .args([to.as_str(), expected.map_or("", Oid::as_str)]);
    compared(folder, name, expected, command.output()?)
}

/// Sets a ref, whatever its value is. It is for refs that belong to tmux-sesh alone.
///
/// # Errors
/// git fails.
pub fn set_own(folder: &Path, name: &str, to: &Oid) -> Result<()> {
    let command = GitCommand::change(folder, "update-ref");
    command.args(["--no-deref", name, to.as_str()]).ok()?;
    Ok(())
}

/// Deletes a ref if it has the expected value.
///
/// # Errors
/// git fails for another reason than the value.
pub fn delete(folder: &Path, name: &str, expected: &Oid) -> Result<RefChange> {
    let command = GitCommand::change(folder, "update-ref").args(["--no-deref", "-d", name]);
    compared(
        folder,
        name,
        Some(expected),
        command.arg(expected).output()?,
    )
}

/// Tells a ref with another value from a call that failed.
fn compared(
    folder: &Path,
    name: &str,
    expected: Option<&Oid>,
    output: GitOutput,
) -> Result<RefChange> {
    if output.code == 0 {
        return Ok(RefChange::Done);
    }
    if read(folder, name)?.as_ref() == expected {
        return Err(output.error());
    }
    Ok(RefChange::Moved)
}

/// Returns the remote and the branch there that a branch follows. `None` if it follows none, or another one here.
///
/// # Errors
/// git fails.
pub fn upstream(folder: &Path, branch: &str) -> Result<Option<(String, String)>> {
    let text = GitCommand::read(folder, "for-each-ref")
        .args([
            "--format=%(upstream:remotename) %(upstream:remoteref)",
            "--",
        ])
        .arg(format!("refs/heads/{branch}"))
        .text()?;
    let (remote, name) = text
        .lines()
        .next()
        .and_then(|line| line.split_once(' '))
        .unwrap_or_default();
    let name = name.strip_prefix("refs/heads/").unwrap_or_default();
    let follows = !name.is_empty() && !remote.is_empty() && remote != ".";
    Ok(follows.then(|| (remote.into(), name.into())))
}

/// Fetches a branch of a remote to a ref of our own, and returns its commit. Neither the remote's own refs here nor
/// FETCH_HEAD change. `None` if the remote has no such branch.
///
/// # Errors
/// The remote cannot be reached.
pub fn fetch(folder: &Path, remote: &str, branch: &str, to: &str) -> Result<Option<Oid>> {
    let output = GitCommand::remote(folder, "fetch")
        .args(["--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="])
        .args(["--no-recurse-submodules", "--", remote])
        .arg(format!("+refs/heads/{branch}:{to}"))
        .output()?;
    match output.code {
        0 => read(folder, to),
        _ if output.stderr.contains("couldn't find remote ref") => Ok(None),
        _ => Err(output.error()),
    }
}

/// Pushes a commit to a branch of a remote. The remote takes it only if its branch is an ancestor, or does not exist.
///
/// # Errors
/// The remote cannot be reached.
pub fn push(folder: &Path, remote: &str, commit: &Oid, branch: &str) -> Result<Push> {
    let output = GitCommand::remote(folder, "push")
        .args(["--porcelain", "--no-follow-tags", "--recurse-submodules=no"])
        .args(["--", remote, &format!("{commit}:refs/heads/{branch}")])
        .output()?;
    pushed(&output)
}

/// Creates a ref at a remote, which must not have it: also not with the same value.
///
/// # Errors
/// The remote cannot be reached.
pub fn create_at(folder: &Path, remote: &str, name: &str, commit: &Oid) -> Result<Push> {
    replace_at(folder, remote, name, None, Some(commit))
}

/// Deletes a ref at a remote if it has the expected value.
///
/// # Errors
/// The remote cannot be reached.
pub fn delete_at(folder: &Path, remote: &str, name: &str, expected: &Oid) -> Result<Push> {
    replace_at(folder, remote, name, Some(expected), None)
}

fn replace_at(
    folder: &Path,
    remote: &str,
    name: &str,
    expected: Option<&Oid>,
    to: Option<&Oid>,
) -> Result<Push> {
    let expected = expected.map_or("", Oid::as_str);
    let to = to.map_or("", Oid::as_str);
    let output = GitCommand::remote(folder, "push")
        .args(["--porcelain", "--no-follow-tags", "--recurse-submodules=no"])
        .arg(format!("--force-with-lease={name}:{expected}"))
        .args(["--", remote, &format!("{to}:{name}")])
        .output()?;
    // git takes a ref that has the new value already for pushed, whatever was expected.
    if output.text().lines().any(|line| line.starts_with('=')) {
        return Ok(Push::Moved);
    }
    pushed(&output)
}

/// Returns the object of a ref at a remote. `None` if it has no such ref.
///
/// # Errors
/// The remote cannot be reached.
pub fn read_at(folder: &Path, remote: &str, name: &str) -> Result<Option<Oid>> {
    let text = GitCommand::remote(folder, "ls-remote")
        .args(["--quiet", "--", remote, name])
        .text()?;
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    let found = rows.into_iter().find(|(_, found)| *found == name);
    found.map(|(oid, _)| oid.parse()).transpose()
}

/// Reads the answer of `git push --porcelain`.
fn pushed(output: &GitOutput) -> Result<Push> {
    const MOVED: [&str; 6] = [
        "(fetch first)",
        "(non-fast-forward)",
        "(stale info)",
        "(needs force)",
        // Another push won between the answer of the remote and ours.
        "(incorrect old value provided)",
        "failed to update ref",
    ];
    if output.code == 0 {
        return Ok(Push::Done);
    }
    let text = output.text();
    let Some(line) = text.lines().find(|line| line.starts_with('!')) else {
        return Err(output.error());
    };
    let summary = line.rsplit('\t').next().unwrap_or_default();
    let is_lock = summary.contains("cannot lock ref") || summary.contains("failed to lock");
    if is_lock || MOVED.iter().any(|reason| summary.contains(reason)) {
        return Ok(Push::Moved);
    }
    Ok(Push::Refused(summary.into()))
}
