//! The branch that is checked out in a folder, read from git's own files: starting git for every row would be slow.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Branches by folder, each looked up once.
#[derive(Debug, Default)]
pub(super) struct Branches(HashMap<String, Option<String>>);

impl Branches {
    /// Returns the branch of a folder, or the first 8 digits of the commit where no branch is checked out.
    pub(super) fn of(&mut self, folder: &str) -> Option<String> {
        if let Some(known) = self.0.get(folder) {
            return known.clone();
        }
        let found = read(Path::new(folder));
        self.0.insert(folder.into(), found.clone());
        found
    }
}

fn read(folder: &Path) -> Option<String> {
    let git = folder.ancestors().find_map(|above| {
        let path = above.join(".git");
        if path.is_dir() {
            return Some(path);
        }
        // In a worktree, `.git` is a file that names the folder.
        let text = std::fs::read_to_string(&path).ok()?;
        let named = PathBuf::from(text.strip_prefix("gitdir: ")?.trim_end());
        Some(above.join(named))
    })?;
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let head = head.trim_end();
    match head.strip_prefix("ref: refs/heads/") {
        Some(branch) => Some(branch.into()),
        None => head.get(..8).map(Into::into),
    }
}
