//! Gives the target the candidate: the remote first, where there is one, then the branch here.

use std::path::Path;

use super::blocked::{BlockedLanding, BlockedReason, Stop};
use super::candidate::{Base, CandidateCommit};
use super::subject::{Subject, listed};
use crate::error::Result;
use crate::git::refs::{Push, RefChange};
use crate::git::worktree::FastForward;
use crate::git::{Oid, diff, objects, refs, worktree};
use crate::work::landing_event::LandingEvent;
use crate::work::workplace::{WorkTarget, Workplace};

/// Whether the target has the candidate now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Landed,
    /// The target has moved, here or at its remote.
    Moved,
}

/// Gives the target the candidate. It is compared with the base in the same step, so nothing that others have landed
/// meanwhile is lost.
pub(super) fn apply(
    place: &Workplace,
    ticket: u64,
    subject: &Subject,
    target: &WorkTarget,
    base: &Base,
    candidate: &CandidateCommit,
) -> Result<Applied, Stop> {
    let folder = place.repository.common.as_path();
    let name = format!("refs/heads/{}", target.branch);
    if refs::read(folder, &name)? != base.local {
        return Ok(Applied::Moved);
    }
    let checkout = worktree::of_branch(folder, &target.branch)?.map(|found| found.path);
    if let (Some(checkout), Some(old)) = (&checkout, &base.local) {
        check_checkout(place, target, checkout, old, candidate)?;
    }
    journal(
        place,
        ticket,
        subject,
        target,
        base,
        candidate,
        checkout.as_deref(),
    )?;
    if let Some((remote, branch)) = &target.upstream {
        match refs::push(folder, remote, &candidate.commit, branch)? {
            Push::Done => {}
            Push::Moved => return Ok(Applied::Moved),
            Push::Refused(why) => {
                let what = format!("{remote} refuses {}: {why}", target.branch);
                let next = "do what the remote asks for, then sesh-land again";
                return Err(BlockedLanding::new(BlockedReason::Push, what, next).into());
            }
        }
        // The work has landed. The branch here follows, and if it cannot, it is behind and no more.
        if let Err(stop) = move_local(place, target, base, candidate, checkout.as_deref()) {
            crate::error::warn(format!(
                "{} here stays behind {remote}: {}",
                target.branch,
                reason(&stop)
            ));
        }
        return Ok(Applied::Landed);
    }
    move_local(place, target, base, candidate, checkout.as_deref())
}

fn reason(stop: &Stop) -> String {
    match stop {
        Stop::Blocked(blocked) => blocked.what.clone(),
        Stop::Failed(error) => error.to_string(),
    }
}

/// Checks the grant and journals the landing, in one step, so that no other sesh takes the item over in between.
fn journal(
    place: &Workplace,
    ticket: u64,
    subject: &Subject,
    target: &WorkTarget,
    base: &Base,
    candidate: &CandidateCommit,
    checkout: Option<&Path>,
) -> Result<(), Stop> {
    let event = LandingEvent::Landing {
        ticket,
        old: base.local.clone(),
        candidate: candidate.commit.clone(),
        place: checkout.map(|path| path.to_string_lossy().into_owned()),
        remote: target.upstream.as_ref().map(|(remote, _)| remote.clone()),
    };
    let granted = place.ledger.change(|state| {
        if subject
            .grant
            .is_some_and(|grant| state.granted(grant).is_none())
        {
            return Ok((Vec::new(), false));
        }
        Ok((vec![event.clone().into()], true))
    })?;
    if granted {
        Ok(())
    } else {
        Err(fenced(subject))
    }
}

/// Returns why a former holder does not land.
pub(super) fn fenced(subject: &Subject) -> Stop {
    let item = subject
        .id
        .as_ref()
        .map_or(&*subject.branch, |id| id.as_str());
    let what = format!("{item} is no longer yours: another sesh has taken it over");
    BlockedLanding::new(BlockedReason::Fenced, what, "stop working on it").into()
}

/// Refuses a checkout of the target in which something is in the way.
fn check_checkout(
    place: &Workplace,
    target: &WorkTarget,
    checkout: &Path,
    old: &Oid,
    candidate: &CandidateCommit,
) -> Result<(), Stop> {
    let folder = place.repository.common.as_path();
    let git_dir = worktree::git_dir(checkout)?;
    let lock = git_dir.join("index.lock");
    if lock.exists() {
        let what = format!("another git works in {}", checkout.display());
        let next = format!(
            "let it end, or remove {}; then sesh-land again",
            lock.display()
        );
        return Err(BlockedLanding::new(BlockedReason::GitLocked, what, &next).into());
    }
    let dirty = |what: String, files: Vec<String>| {
        let next = format!(
            "commit or move them in {}, then sesh-land again",
            checkout.display()
        );
        Stop::from(BlockedLanding::new(BlockedReason::TargetDirty, what, &next).with_files(files))
    };
    if worktree::is_unfinished(checkout)? {
        let what = format!(
            "an operation of git is in progress in {}",
            checkout.display()
        );
        return Err(dirty(what, Vec::new()));
    }
    let changes = diff::changed(folder, old, &candidate.commit)?;
    let own = worktree::uncommitted(checkout)?.changed;
    let mut in_the_way: Vec<String> = Vec::new();
    for name in changes {
        // A file that only the candidate has would replace one that is untracked or ignored.
        let replaces = || -> Result<bool> {
            let is_there = checkout.join(&name).symlink_metadata().is_ok();
            Ok(is_there && objects::at_path(folder, old, &name)?.is_none())
        };
        if own.contains(&name) || replaces()? {
            in_the_way.push(name);
        }
    }
    if in_the_way.is_empty() {
        return Ok(());
    }
    let what = format!(
        "{} is checked out in {}, where own changes are in the way: {}",
        target.branch,
        checkout.display(),
        listed(&in_the_way)
    );
    Err(dirty(what, in_the_way))
}

/// Moves the branch here to the candidate.
pub(super) fn move_local(
    place: &Workplace,
    target: &WorkTarget,
    base: &Base,
    candidate: &CandidateCommit,
    checkout: Option<&Path>,
) -> Result<Applied, Stop> {
    let folder = place.repository.common.as_path();
    let Some(old) = &base.local else {
        return Ok(Applied::Landed);
    };
    let Some(checkout) = checkout else {
        let name = format!("refs/heads/{}", target.branch);
        return Ok(
            match refs::set(folder, &name, &candidate.commit, Some(old))? {
                RefChange::Done => Applied::Landed,
                RefChange::Moved => Applied::Moved,
            },
        );
    };
    forward(checkout, &candidate.commit)
}

/// Moves a checkout and its branch to a commit.
pub(super) fn forward(checkout: &Path, commit: &Oid) -> Result<Applied, Stop> {
    match worktree::fast_forward(checkout, commit)? {
        FastForward::Done => Ok(Applied::Landed),
        FastForward::Diverged => Ok(Applied::Moved),
        FastForward::InTheWay(files) => {
            let what = format!(
                "own changes are in the way in {}: {}",
                checkout.display(),
                listed(&files)
            );
            let next = "commit or move them there, then sesh-land again";
            Err(BlockedLanding::new(BlockedReason::TargetDirty, what, next)
                .with_files(files)
                .into())
        }
    }
}
