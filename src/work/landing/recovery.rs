//! Finishes what killed processes have journaled. Runs under the lock of landings, when all their children have ended.
//!
//! The history decides: a candidate that the target has is landed. A checkout that a killed git has left half moved is made
//! whole and moved to the end. Else nothing has landed, and the ticket is withdrawn.

use std::path::{Path, PathBuf};

use super::apply::{self, Applied};
use super::blocked::Stop;
use super::candidate::landed_candidate;
use super::finish;
use crate::error::Result;
use crate::git::{GitCommand, Oid, diff, objects, refs, worktree};
use crate::journal::landing_files;
use crate::proc;
use crate::work::landing_event::LandingEvent;
use crate::work::landing_state::Ticket;
use crate::work::workplace::{WorkTarget, Workplace};

/// Finishes all tickets whose processes have ended.
pub(super) fn run(place: &Workplace) -> Result<(), Stop> {
    let state = place.ledger.read()?;
    let abandoned: Vec<Ticket> = state.landing().abandoned().cloned().collect();
    for ticket in abandoned {
        let landed = landed(place, &ticket)?;
        match landed {
            Some(commit) => finish::prove(place, &ticket, &commit)?,
            None => {
                let event = LandingEvent::Withdraw {
                    ticket: ticket.number,
                    reason: Some("killed".into()),
                };
                place
                    .ledger
                    .change(|_| Ok((vec![event.clone().into()], ())))?;
            }
        }
    }
    Ok(())
}

/// Returns the commit in which a ticket has landed, after a half moved checkout is whole again.
pub(super) fn landed(place: &Workplace, ticket: &Ticket) -> Result<Option<Oid>, Stop> {
    let Some(journaled) = &ticket.journaled else {
        return Ok(None);
    };
    let folder = place.repository.common.as_path();
    let name = format!("refs/heads/{}", ticket.target);
    let upstream = refs::upstream(folder, &ticket.target)?;
    let target = WorkTarget {
        branch: ticket.target.clone(),
        upstream: upstream.filter(|_| journaled.remote.is_some()),
    };
    remove_locks(&target, &place.repository.common)?;
    let checkout = journaled.place.as_ref().map(PathBuf::from);
    let checkout = checkout.filter(|path| path.is_dir());
    let half_moved = match (&checkout, &journaled.old) {
        (Some(path), Some(old)) => repair(place, path, old, &journaled.candidate)?,
        _ => false,
    };
    let newest = place.fetched_base(&target)?;
    let landed = landed_candidate(place, &ticket.candidates, &newest)?;
    let local = refs::read(folder, &name)?;
    if let (Some(local), Some(checkout)) = (&local, &checkout)
        && *local != newest
        && target.upstream.is_some()
        && landed.is_some()
        && objects::is_ancestor(folder, local, &newest)?
    {
        // The branch here is behind, or its files are half moved.
        let _ = apply::forward(checkout, &newest);
    }
    if landed.is_some() {
        return Ok(landed);
    }
    let (true, None, Some(checkout)) = (half_moved, &target.upstream, &checkout) else {
        return Ok(None);
    };
    match apply::forward(checkout, &journaled.candidate) {
        Ok(Applied::Landed) => Ok(Some(journaled.candidate.clone())),
        // The target has moved, or the user has changed a file meanwhile. The checkout is whole.
        Ok(Applied::Moved) | Err(Stop::Blocked(_)) => Ok(None),
        Err(failed) => Err(failed),
    }
}

/// Removes the lock files of refs that a killed git has left behind, and that no process has open.
fn remove_locks(target: &WorkTarget, common: &Path) -> Result<()> {
    let mut names = vec![
        format!("refs/heads/{}.lock", target.branch),
        format!("{}.lock", target.fetched_ref()),
    ];
    if let Some((remote, branch)) = &target.upstream {
        names.push(format!("refs/remotes/{remote}/{branch}.lock"));
    }
    for name in names {
        remove_unowned(&common.join(name))?;
    }
    Ok(())
}

fn remove_unowned(lock: &Path) -> Result<()> {
    if lock.exists() && proc::processes_with_open_file(lock).is_empty() {
        landing_files::remove(lock)?;
    }
    Ok(())
}

/// Makes a checkout whole that a killed git has left half moved, and returns whether there was one. Only files that differ
/// between the two commits are touched, and only where they are those of the candidate or a part of them: others are the
/// user's.
fn repair(place: &Workplace, checkout: &Path, old: &Oid, candidate: &Oid) -> Result<bool> {
    let folder = place.repository.common.as_path();
    let git_dir = worktree::git_dir(checkout)?;
    let lock = git_dir.join("index.lock");
    if lock.exists() && !proc::processes_with_open_file(&lock).is_empty() {
        return Ok(false);
    }
    let was_locked = lock.exists();
    for name in ["index.lock", "HEAD.lock", "ORIG_HEAD.lock"] {
        remove_unowned(&git_dir.join(name))?;
    }
    if worktree::head(checkout)?.as_ref() != Some(old) {
        return Ok(false);
    }
    let mut half_moved = was_locked;
    let mut restored: Vec<u8> = Vec::new();
    for name in diff::changed(folder, old, candidate)? {
        let path = checkout.join(&name);
        let (before, after) = (
            objects::at_path(folder, old, &name)?,
            objects::at_path(folder, candidate, &name)?,
        );
        let now = content(&path);
        let is_of = |oid: &Option<Oid>, commit: &Oid| -> Result<FileMatch> {
            match (oid, &now) {
                (None, None) => Ok(FileMatch::Whole),
                (None, Some(_)) | (Some(_), None) => Ok(FileMatch::No),
                (Some(_), Some(now)) => matches(checkout, commit, &name, now),
            }
        };
        if is_of(&before, old)? == FileMatch::Whole {
            continue;
        }
        // A file that git was about to replace is gone for a moment.
        let is_part = match is_of(&after, candidate)? {
            FileMatch::Whole | FileMatch::Part => true,
            FileMatch::No => now.is_none() && before.is_some(),
        };
        if !is_part {
            continue;
        }
        half_moved = true;
        if before.is_some() {
            restored.extend_from_slice(name.as_bytes());
            restored.push(0);
        } else {
            landing_files::remove(&path)?;
        }
    }
    if !restored.is_empty() {
        GitCommand::checkout(checkout, "checkout-index")
            .args(["--force", "-u", "-z", "--stdin"])
            .input(restored)
            .ok()?;
    }
    Ok(half_moved)
}

/// How much of a file of a commit a file of a checkout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileMatch {
    Whole,
    Part,
    No,
}

/// Compares a file with that of a commit, as git would write it.
fn matches(checkout: &Path, commit: &Oid, name: &str, now: &[u8]) -> Result<FileMatch> {
    let output = GitCommand::read(checkout, "cat-file")
        .args(["--filters", &format!("{commit}:{name}")])
        .ok()?;
    Ok(if output.stdout == now {
        FileMatch::Whole
    } else if output.stdout.starts_with(now) {
        FileMatch::Part
    } else {
        FileMatch::No
    })
}

/// Returns what a file or a link contains. `None` if it is not there.
fn content(path: &Path) -> Option<Vec<u8>> {
    let kind = path.symlink_metadata().ok()?;
    if kind.is_symlink() {
        let target = std::fs::read_link(path).ok()?;
        return Some(target.as_os_str().as_encoded_bytes().to_vec());
    }
    std::fs::read(path).ok()
}
