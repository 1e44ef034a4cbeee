//! The repository in which work is claimed, with its settings, its ledger and its registry.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ledger::Ledger;
use super::registry::Registry;
use crate::error::{Error, Result};
use crate::git::{GitCommand, Oid, Repository, objects, refs};

/// A repository in which work is claimed.
#[derive(Debug)]
pub struct Workplace {
    pub repository: Repository,
    pub ledger: Ledger,
    /// The 8 digits that name the repository.
    pub short_hash: String,
    settings: OnceCell<BTreeMap<String, String>>,
}

/// The branch on which work lands, and where new work starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTarget {
    pub branch: String,
    /// The remote, and the branch there, that the target follows.
    pub upstream: Option<(String, String)>,
}

impl WorkTarget {
    /// Returns the ref that the remote's branch is fetched to. It is ours alone.
    #[must_use]
    pub fn fetched_ref(&self) -> String {
        format!("refs/sesh/base/{}", self.branch)
    }
}

impl Workplace {
    /// Returns the workplace that a folder belongs to. In a main checkout this is one call of git, which also reads the
    /// settings.
    ///
    /// # Errors
    /// The folder is in no repository.
    pub fn find(folder: &Path) -> Result<Self> {
        let (repository, settings) = match Repository::of_main_checkout(folder, "sesh.") {
            Some((repository, settings)) => (repository, OnceCell::from(settings)),
            None => (Repository::find(folder)?, OnceCell::new()),
        };
        Ok(Self {
            ledger: Ledger::of(&repository.common),
            short_hash: repository.short_hash(),
            repository,
            settings,
        })
    }

    /// Returns a setting of `git config`, by its name below `sesh.`. git is called once for all of them.
    ///
    /// # Errors
    /// git fails.
    pub fn setting(&self, name: &str) -> Result<Option<&str>> {
        let settings = match self.settings.get() {
            Some(settings) => settings,
            None => {
                let settings = self.read_settings()?;
                self.settings.get_or_init(|| settings)
            }
        };
        let name = format!("sesh.{}", name.to_lowercase());
        let value = settings.get(&name).map(String::as_str);
        Ok(value.filter(|value| !value.is_empty()))
    }

    fn read_settings(&self) -> Result<BTreeMap<String, String>> {
        let output = GitCommand::read(self.repository.folder(), "config")
            .args(["-z", "--get-regexp", "^sesh\\."])
            .output()?;
        // 1 means that there is none.
        if output.code > 1 {
            return Err(output.error());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let rows = text.split('\0').filter_map(|row| row.split_once('\n'));
        Ok(rows
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }

    /// Returns the top folder of the main checkout: the registry and the files that a new worktree needs are there.
    /// `None` for a bare repository.
    #[must_use]
    pub fn main_checkout(&self) -> Option<PathBuf> {
        let common = &self.repository.common;
        let above = common.parent().filter(|_| common.ends_with(".git"));
        above.map(Into::into).or_else(|| {
            // A submodule has its folder of git elsewhere.
            let is_main = self.repository.git_dir == *common;
            self.repository.top.clone().filter(|_| is_main)
        })
    }

    /// Reads the registry.
    ///
    /// # Errors
    /// It cannot be read or parsed.
    pub fn registry(&self) -> Result<Registry> {
        let top = self.main_checkout();
        let top = top.or_else(|| self.repository.top.clone());
        match top {
            Some(top) => Registry::read(&top, self.setting("work")?),
            None => Ok(Registry::default()),
        }
    }

    /// Returns the branch on which work lands: `git config sesh.target`, else the one that the remote `origin` has as its
    /// default, else `main` or `master`, else the branch of the main checkout.
    ///
    /// # Errors
    /// git fails, or there is no such branch.
    pub fn target(&self) -> Result<WorkTarget> {
        let folder = self.repository.folder();
        let exists = |branch: &str| refs::read(folder, &format!("refs/heads/{branch}"));
        let branch = match self.setting("target")? {
            Some(branch) => branch.to_string(),
            None => self.usual_target()?,
        };
        let upstream = refs::upstream(folder, &branch)?;
        if upstream.is_none() && exists(&branch)?.is_none() {
            if objects::commit(folder, "HEAD")?.is_none()
                && refs::list(folder, "refs/heads/")?.is_empty()
            {
                return Err(no_commit());
            }
            return Err(
                Error::unusable(format!("there is no branch {branch} to land on"))
                    .with_way_out("git config sesh.target BRANCH names another one"),
            );
        }
        Ok(WorkTarget { branch, upstream })
    }

    fn usual_target(&self) -> Result<String> {
        let folder = self.repository.folder();
        let output = GitCommand::read(folder, "symbolic-ref")
            .args(["--quiet", "refs/remotes/origin/HEAD"])
            .output()?;
        let text = output.text();
        let of_remote = text.strip_prefix("refs/remotes/origin/");
        for branch in of_remote.into_iter().chain(["main", "master"]) {
            if refs::read(folder, &format!("refs/heads/{branch}"))?.is_some() {
                return Ok(branch.into());
            }
        }
        let main = self.main_checkout();
        let head = GitCommand::read(main.as_deref().unwrap_or(folder), "symbolic-ref")
            .args(["--quiet", "HEAD"])
            .output()?;
        let text = head.text();
        let branch = text.strip_prefix("refs/heads/");
        branch.map(Into::into).ok_or_else(|| {
            Error::unusable("no branch to land on is known")
                .with_way_out("git config sesh.target BRANCH names one")
        })
    }

    /// Returns the newest commit of the target: what its remote has, if it follows one, else what it is here.
    ///
    /// # Errors
    /// The remote cannot be reached, or there is no commit yet.
    pub fn fetched_base(&self, target: &WorkTarget) -> Result<Oid> {
        let folder = self.repository.folder();
        if let Some((remote, branch)) = &target.upstream
            && let Some(oid) = refs::fetch(folder, remote, branch, &target.fetched_ref())?
        {
            return Ok(oid);
        }
        objects::commit(folder, &format!("refs/heads/{}", target.branch))?.ok_or_else(no_commit)
    }
}

fn no_commit() -> Error {
    Error::unusable("the repository has no commit yet").with_way_out("make a first one")
}
