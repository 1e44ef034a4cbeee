//! Which repository a folder belongs to, and whether git can be used in it now.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use siphasher::sip::SipHasher13;

use super::command::{GitCommand, path};
use crate::error::{Error, Result};

/// A repository, seen from one of its checkouts or from its own folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The folder that all checkouts share, as a real path.
    pub common: PathBuf,
    /// The folder of git for this checkout: [`Repository::common`] in the main one.
    pub git_dir: PathBuf,
    /// The top folder of this checkout. `None` in a bare repository and inside a folder of git.
    pub top: Option<PathBuf>,
}

/// An operation of git that was begun in a checkout and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    Rebase,
    Merge,
    CherryPick,
    Revert,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rebase => "a rebase",
            Self::Merge => "a merge",
            Self::CherryPick => "a cherry-pick",
            Self::Revert => "a revert",
        })
    }
}

/// The version of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitVersion(pub u32, pub u32);

/// The oldest version that can merge without a checkout (`merge-tree --write-tree`).
pub const OLDEST: GitVersion = GitVersion(2, 38);

impl fmt::Display for GitVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl GitVersion {
    /// Returns the version of the git on PATH.
    ///
    /// # Errors
    /// git cannot be run, or does not print a version.
    pub fn installed() -> Result<Self> {
        let text = GitCommand::read(Path::new("/"), "version").text()?;
        Self::parse(&text)
            .ok_or_else(|| Error::failed(format!("git version prints {}", crate::id::shown(&text))))
    }

    fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix("git version ")?;
        let mut numbers = number.split(|c: char| !c.is_ascii_digit());
        Some(Self(
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
        ))
    }

    /// Refuses a version that cannot do what landing and risk need.
    ///
    /// # Errors
    /// This version is too old.
    pub fn check(self) -> Result<()> {
        if self >= OLDEST {
            return Ok(());
        }
        Err(
            Error::unusable(format!("git {self} is too old: this needs {OLDEST}"))
                .with_way_out_after_why("install a newer git"),
        )
    }
}

impl Repository {
    /// Returns the repository that a folder belongs to. This is one call of git.
    ///
    /// # Errors
    /// There is none, or git refuses it.
    pub fn find(folder: &Path) -> Result<Self> {
        let output = GitCommand::read(folder, "rev-parse")
            .args(["--path-format=absolute", "--git-common-dir", "--git-dir"])
            // This one fails where there is no checkout, so it is the last.
            .arg("--show-toplevel")
            .output()?;
        let mut lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
        lines.pop();
        let (common, git_dir, top) = match lines[..] {
            [common, git_dir, top] if output.code == 0 => (common, git_dir, Some(path(top))),
            [common, git_dir] if output.code != 0 => (common, git_dir, None),
            _ if output.code != 0 => return Err(no_repository(folder, &output.stderr)),
            _ => {
                return Err(Error::unusable(format!(
                    "the path of the repository at {} contains a newline",
                    folder.display()
                )));
            }
        };
        let common = path(common);
        let common = common.canonicalize().map_err(|error| {
            Error::failed(format!("cannot resolve {}: {error}", common.display()))
        })?;
        Ok(Self {
            common,
            git_dir: path(git_dir),
            top,
        })
    }

    /// Returns the repository whose main checkout a folder belongs to, with the settings below a name like `sesh.`. This is
    /// one call of git, which also proves where the repository is. `None` for every other folder, or where git does not
    /// prove it: [`Repository::find`] says more there.
    #[must_use]
    pub fn of_main_checkout(
        folder: &Path,
        section: &str,
    ) -> Option<(Self, BTreeMap<String, String>)> {
        let folder = folder.canonicalize().ok()?;
        let mut above = folder.ancestors();
        let top = above.find(|top| top.join(".git").symlink_metadata().is_ok())?;
        let common = top.join(".git");
        let has_newline = common.as_os_str().as_bytes().contains(&b'\n');
        if has_newline || !is_plain_git_dir(&common) {
            return None;
        }
        let wanted = format!(
            "^({}\\.|core\\.(repositoryformatversion|bare|worktree)$)",
            section.trim_end_matches('.')
        );
        let output = GitCommand::read(&folder, "config")
            .args([
                "-z",
                "--show-scope",
                "--show-origin",
                "--get-regexp",
                &wanted,
            ])
            .output();
        let output = output.ok().filter(|output| output.code == 0)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut settings = BTreeMap::new();
        let mut is_proven = false;
        let mut parts = text.split('\0');
        while let (Some(scope), Some(origin), Some(row)) =
            (parts.next(), parts.next(), parts.next())
        {
            // git has moved to the top folder that it found. A repository that it refuses has no local settings.
            is_proven |= (scope, origin) == ("local", "file:.git/config");
            match row.split_once('\n') {
                Some(("core.repositoryformatversion", _) | ("core.bare", "false")) => {}
                Some((name, value)) if !name.starts_with("core.") => {
                    settings.insert(name.to_string(), value.to_string());
                }
                // A name without a value is none of the settings with a text.
                None if !row.starts_with("core.") => {}
                _ => return None,
            }
        }
        let git_dir = common.clone();
        let top = Some(top.to_path_buf());
        is_proven.then_some((
            Self {
                common,
                git_dir,
                top,
            },
            settings,
        ))
    }

    /// Returns the folder in which git is run for this repository.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.top.as_deref().unwrap_or(&self.git_dir)
    }

    /// Returns the 8 hexadecimal digits that name the repository in options and folders.
    #[must_use]
    pub fn short_hash(&self) -> String {
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        hasher.write(self.common.as_os_str().as_bytes());
        format!("{:08x}", hasher.finish() & 0xffff_ffff)
    }

    /// Returns the operation that was begun in this checkout and has not ended.
    #[must_use]
    pub fn unfinished(&self) -> Option<Unfinished> {
        unfinished_in(&self.git_dir)
    }

    /// Refuses a checkout in which an operation has not ended.
    ///
    /// # Errors
    /// An operation has not ended.
    pub fn check_finished(&self) -> Result<()> {
        match self.unfinished() {
            None => Ok(()),
            Some(what) => Err(Error::unusable(format!(
                "{what} is in progress in {}",
                self.folder().display()
            ))
            .with_way_out("end it, or abort it, then try again")),
        }
    }

    /// Returns the branch that is checked out, without `refs/heads/`. `None` where no branch is.
    ///
    /// # Errors
    /// git fails.
    pub fn branch(&self) -> Result<Option<String>> {
        let output = GitCommand::read(self.folder(), "symbolic-ref")
            .args(["--quiet", "HEAD"])
            .output()?;
        match output.code {
            0 => Ok(output.text().strip_prefix("refs/heads/").map(Into::into)),
            1 => Ok(None),
            _ => Err(output.error()),
        }
    }

    /// Returns the value of a setting.
    ///
    /// # Errors
    /// git fails.
    pub fn setting(&self, name: &str) -> Result<Option<String>> {
        self.read_setting(name, None)
    }

    /// Returns the value of a setting that is true or false. It is false where it is not set.
    ///
    /// # Errors
    /// git fails, or the value is neither.
    pub fn switch(&self, name: &str) -> Result<bool> {
        let value = self.read_setting(name, Some("--type=bool"))?;
        Ok(value.is_some_and(|value| value == "true"))
    }

    fn read_setting(&self, name: &str, form: Option<&str>) -> Result<Option<String>> {
        // A checkout may have been removed since it was found, as after a landing from it.
        let output = GitCommand::read(&self.common, "config")
            .args(form)
            .args(["-z", "--get", name])
            .output()?;
        match output.code {
            0 => {
                let text = String::from_utf8_lossy(&output.stdout);
                Ok(Some(text.trim_end_matches('\0').into()))
            }
            1 => Ok(None),
            _ => Err(output.error()),
        }
    }
}

/// Returns the operation that was begun in the checkout with this folder of git and has not ended.
#[must_use]
pub fn unfinished_in(git_dir: &Path) -> Option<Unfinished> {
    let signs = [
        ("rebase-merge", Unfinished::Rebase),
        ("rebase-apply", Unfinished::Rebase),
        ("MERGE_HEAD", Unfinished::Merge),
        ("CHERRY_PICK_HEAD", Unfinished::CherryPick),
        ("REVERT_HEAD", Unfinished::Revert),
    ];
    let found = signs.iter().find(|(file, _)| git_dir.join(file).exists());
    found.map(|(_, what)| *what)
}

/// Returns whether git takes a folder for the folder of a repository that has no other one beside it. What git also takes
/// in rare forms is not told here.
fn is_plain_git_dir(folder: &Path) -> bool {
    let is_folder = |path: &Path| path.symlink_metadata().is_ok_and(|it| it.is_dir());
    let is_open = |name: &str| {
        let path = folder.join(name);
        is_folder(&path) && access(&path, AccessFlags::X_OK).is_ok()
    };
    let head = std::fs::read(folder.join("HEAD")).unwrap_or_default();
    is_folder(folder)
        && head.starts_with(b"ref: refs/")
        && is_open("objects")
        && is_open("refs")
        && !folder.join("commondir").exists()
}

/// Returns the error for a folder in which git finds no repository, with git's own words where it is another reason.
fn no_repository(folder: &Path, stderr: &str) -> Error {
    let reason = stderr.lines().find_map(|line| line.strip_prefix("fatal: "));
    match reason {
        Some(reason) if !reason.starts_with("not a git repository") => {
            Error::unusable(format!("git refuses {}: {reason}", folder.display()))
        }
        _ => Error::unusable(format!("not in a git repository: {}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn versions() {
        for (text, version) in [
            ("git version 2.47.3", Some(GitVersion(2, 47))),
            (
                "git version 2.39.5 (Apple Git-154)",
                Some(GitVersion(2, 39)),
            ),
            ("git version 2.50.0.rc1", Some(GitVersion(2, 50))),
            ("git 2.47", None),
            ("", None),
        ] {
            assert_eq!(GitVersion::parse(text), version, "{text}");
        }
        assert!(GitVersion(2, 37).check().is_err());
        assert!(GitVersion(2, 38).check().is_ok());
        assert!(GitVersion(3, 0).check().is_ok());
    }

    #[test]
    fn the_hash_of_a_repository_is_stable() {
        let repository = |common: &str| Repository {
            common: common.into(),
            git_dir: "/x".into(),
            top: None,
        };
        let hash = repository("/home/alice/proj/.git").short_hash();
        assert_eq!(hash, "b2b66cf7");
        assert_ne!(hash, repository("/home/alice/proj2/.git").short_hash());
    }
}
