//! The worktree of a claim: a checkout of its branch outside the repository, prepared so that an agent can start.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::event::ClaimEvent;
use super::item::ItemId;
use super::ledger_state::Claim;
use super::workplace::Workplace;
use crate::env;
use crate::error::{Error, Result};
use crate::git::repository::GitVersion;
use crate::git::{GitCommand, Oid, objects, refs, worktree};
use crate::journal::worktree_files;
use crate::store::setting::WORKTREES;
use crate::tmux::{Batch, Server, command};

/// The file whose lines say which files of the main checkout a worktree gets.
const INCLUDE_FILE: &str = ".worktreeinclude";
/// The program that prepares a worktree.
const SETUP_FILE: &str = ".sesh/setup";

/// A worktree that was made or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimWorktree {
    pub path: PathBuf,
    pub branch: String,
    /// The commit at which its branch started, or starts now.
    pub base: Oid,
    /// It was there before.
    pub reused: bool,
}

/// Returns the folder of the worktree of an item, where no other is asked for.
///
/// # Errors
/// No folder is known, and as [`Server::run`].
pub fn default_place(server: &Server, place: &Workplace, name: &str) -> Result<PathBuf> {
    let question = Batch::from(command::print(None, &WORKTREES.format()));
    let option = match server.run(&question) {
        Err(error) if error.server_is_gone() => String::new(),
        outcome => outcome?.trim_end_matches('\n').to_string(),
    };
    let root = match option.as_str() {
        "" => env::state_dir().map(|state| state.join("worktrees")),
        text => match text.strip_prefix("~/") {
            Some(rest) => env::home().map(|home| home.join(rest)),
            None => Some(PathBuf::from(text)).filter(|path| path.is_absolute()),
        },
    };
    let root = root.ok_or_else(|| {
        Error::failed("no folder for worktrees is known")
            .with_way_out("set the option @sesh-worktrees to an absolute path")
    })?;
    Ok(root.join(&place.short_hash).join(name))
}

/// Makes the worktree of a branch, or returns the one that the branch has. The branch starts at the fetched target, if it
/// does not exist.
///
/// # Errors
/// git is too old, the repository has no commit yet, or git fails. Then nothing was made.
pub fn make(place: &Workplace, branch: &str, folder: &Path) -> Result<ClaimWorktree> {
    GitVersion::installed()?.check()?;
    let own = place.repository.folder();
    let target = place.target()?;
    let base = place.fetched_base(&target)?;
    let made = |path: PathBuf, base: Oid, reused: bool| ClaimWorktree {
        path,
        branch: branch.into(),
        base,
        reused,
    };
    let tip = objects::commit(own, &format!("refs/heads/{branch}"))?;
    if let Some(tip) = tip {
        let start = objects::merge_base(own, &tip, &base)?.unwrap_or(base);
        if let Some(checkout) = worktree::of_branch(own, branch)? {
            return Ok(made(checkout.path, start, true));
        }
        worktree::add(own, folder, branch)?;
        return Ok(made(folder.into(), start, false));
    }
    worktree::add_new(own, folder, branch, &base).inspect_err(|_| {
        // git makes the branch first. If even this fails, an empty branch stays.
        let _ = refs::delete(own, &format!("refs/heads/{branch}"), &base);
    })?;
    Ok(made(folder.into(), base, false))
}

/// Returns the event that records the worktree of a claim.
#[must_use]
pub fn event(claim: &Claim, made: &ClaimWorktree) -> ClaimEvent {
    ClaimEvent::Worktree {
        grant: claim.grant,
        branch: made.branch.clone(),
        worktree: made.path.to_string_lossy().into_owned(),
        base: made.base.to_string(),
        found: made.reused,
    }
}

/// Prepares a new worktree: copies the files that `.worktreeinclude` names, initialises submodules, and runs `.sesh/setup`
/// of the base. What that prints goes to standard error.
///
/// # Errors
/// A step fails. The worktree stays as it is then.
pub fn prepare(place: &Workplace, made: &ClaimWorktree) -> Result<()> {
    if let Some(main) = place.main_checkout() {
        copy_included(&main, &made.path)?;
    }
    worktree::update_submodules(&made.path)?;
    run_setup(made)
}

/// Copies the files that are not in git and that [`INCLUDE_FILE`] names.
fn copy_included(main: &Path, to: &Path) -> Result<()> {
    let include = main.join(INCLUDE_FILE);
    if !include.is_file() {
        return Ok(());
    }
    let mut exclude = std::ffi::OsString::from("--exclude-from=");
    exclude.push(&include);
    let output = GitCommand::read(main, "ls-files")
        .args(["--others", "--ignored", "-z"])
        .arg(exclude)
        .ok()?;
    for name in output.parts() {
        let name = Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
        worktree_files::copy(&main.join(name), &to.join(name))?;
    }
    Ok(())
}

/// Runs the program of the base that prepares a worktree. The branch may have changed its own.
fn run_setup(made: &ClaimWorktree) -> Result<()> {
    let files = objects::files(&made.path, &made.base, SETUP_FILE)?;
    let Some(setup) = files.iter().find(|file| file.path == SETUP_FILE) else {
        return Ok(());
    };
    if !setup.executable {
        return Err(
            Error::failed(format!("setup: {SETUP_FILE} is not executable"))
                .with_way_out("chmod +x it, and commit that"),
        );
    }
    let text = objects::blob(&made.path, &setup.oid)?;
    let own = made.path.join(SETUP_FILE);
    let of_branch = std::fs::read(&own).is_ok_and(|own| own == text);
    let program = if of_branch {
        own
    } else {
        let copy = worktree::git_dir(&made.path)?.join("sesh-setup");
        worktree_files::write_program(&copy, &text)?;
        copy
    };
    let mut setup = std::process::Command::new(&program);
    setup
        .current_dir(&made.path)
        .stdin(Stdio::null())
        .stdout(std::io::stderr());
    for name in env::git_variables_to_remove() {
        setup.env_remove(name);
    }
    let status = setup.status();
    let failed = |why: String| {
        Error::failed(format!(
            "setup: {SETUP_FILE} {why} in {}",
            made.path.display()
        ))
        .with_way_out_after_why("the claim is kept: repair it there, and continue")
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("failed ({status})"))),
        Err(error) => Err(failed(format!("cannot be run: {error}"))),
    }
}

/// What became of the worktree of a claim that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorktreeEnd {
    /// There was none.
    None,
    Removed,
    /// It has uncommitted files, which are its first ones here.
    Kept(Vec<String>),
}

/// Removes the worktree of a claim if it is clean. A dirty one stays.
///
/// # Errors
/// git fails.
pub fn remove_clean(place: &Workplace, claim: &Claim) -> Result<WorktreeEnd> {
    let path = PathBuf::from(&claim.worktree);
    if claim.worktree.is_empty() || claim.worktree_was_found || !path.is_dir() {
        return Ok(WorktreeEnd::None);
    }
    let uncommitted = worktree::uncommitted(&path)?;
    if !uncommitted.is_empty() || worktree::is_unfinished(&path)? {
        let names = uncommitted.names().take(5).map(Into::into).collect();
        return Ok(WorktreeEnd::Kept(names));
    }
    worktree::remove(&place.repository.common, &path)?;
    Ok(WorktreeEnd::Removed)
}

/// Saves what is on the branch of a claim, and what is not committed in its worktree, under `refs/sesh/rescue/<id>`.
/// Returns the commit, or `None` where there is no branch.
///
/// # Errors
/// git fails.
pub fn rescue(place: &Workplace, claim: &Claim) -> Result<Option<Oid>> {
    let folder = place.repository.common.as_path();
    let path = PathBuf::from(&claim.worktree);
    let saved =
        if !claim.worktree.is_empty() && path.is_dir() && !worktree::uncommitted(&path)?.is_empty()
        {
            let index = worktree::git_dir(&path)?.join("sesh-rescue-index");
            let message = format!("Uncommitted work of {}", claim.id);
            let saved = worktree::snapshot(&path, &index, &message);
            worktree_files::remove(&index);
            Some(saved?)
        } else {
            objects::commit(folder, &format!("refs/heads/{}", claim.work.branch))?
        };
    if let Some(oid) = &saved {
        refs::set_own(folder, &rescue_ref(&claim.id), oid)?;
    }
    Ok(saved)
}

/// Returns the ref under which the work of an item is saved before it is removed.
#[must_use]
pub fn rescue_ref(id: &ItemId) -> String {
    format!("refs/sesh/rescue/{}", id.plain())
}
