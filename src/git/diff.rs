//! The names of the files that commits change.

use std::path::Path;

use super::command::GitCommand;
use super::objects::{self, Oid};
use crate::error::Result;

/// Returns the files that differ between two commits. Both names of a renamed file count.
///
/// # Errors
/// git fails.
pub fn changed(folder: &Path, from: &Oid, to: &Oid) -> Result<Vec<String>> {
    let output = GitCommand::read(folder, "diff-tree")
        .args(["-r", "-z", "--name-only", "--no-renames"])
        .args([from, to])
        .ok()?;
    let names = output.parts().map(String::from_utf8_lossy);
    Ok(names.map(Into::into).collect())
}

/// Returns the files that a branch has changed since it left its base.
///
/// # Errors
/// git fails.
pub fn changed_on_branch(folder: &Path, base: &Oid, tip: &Oid) -> Result<Vec<String>> {
    match objects::merge_base(folder, base, tip)? {
        Some(start) => changed(folder, &start, tip),
        None => changed(folder, base, tip),
    }
}
