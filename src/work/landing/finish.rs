//! What follows a landing: the proof, the recovery ref, and what is not needed any more.

use super::subject::Subject;
use crate::error::{self, Result};
use crate::git::refs::{Push, RefChange};
use crate::git::{Oid, refs, worktree as checkouts};
use crate::work::event::{ClaimEvent, LedgerEvent};
use crate::work::landing_event::LandingEvent;
use crate::work::landing_state::Ticket;
use crate::work::ledger_state::Claim;
use crate::work::workplace::{WorkTarget, Workplace};
use crate::work::worktree::{self, WorktreeEnd};

/// Records that a ticket has landed, and keeps its tip under `refs/sesh/landed/`.
pub(super) fn prove(place: &Workplace, ticket: &Ticket, commit: &Oid) -> Result<()> {
    let events: Vec<LedgerEvent> = [
        Some(
            LandingEvent::Proof {
                ticket: ticket.number,
                candidate: commit.clone(),
            }
            .into(),
        ),
        ticket.id.as_ref().map(|id| {
            ClaimEvent::Landed {
                id: id.clone(),
                grant: ticket.grant,
                commit: commit.to_string(),
            }
            .into()
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    place.ledger.change(|_| Ok((events.clone(), ())))?;
    let name = ticket.id.as_ref().map_or(&*ticket.branch, |id| id.plain());
    let name = format!("refs/sesh/landed/{name}");
    // The proof is in the ledger; two names of which one is a folder of the other cannot both be refs.
    if let Err(why) = refs::set_own(&place.repository.common, &name, &ticket.tip) {
        error::warn(format!("cannot keep the landed tip as {name}: {why}"));
    }
    Ok(())
}

/// What was removed after a landing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub worktree: bool,
    pub branch: bool,
}

/// Removes what is not needed any more: the worktree of the claim if it is clean, and the branch if the settings ask for it.
/// What cannot be removed stays, and that is said.
pub(super) fn tidy(
    place: &Workplace,
    subject: &Subject,
    target: &WorkTarget,
    claim: Option<&Claim>,
) -> Removed {
    let mut removed = Removed::default();
    let tried = |what: &str, outcome: Result<bool>| match outcome {
        Ok(done) => done,
        Err(why) => {
            error::warn(format!("{what} stays: {why}"));
            false
        }
    };
    // The checkout that this process was started in may be the worktree that is removed.
    let asked = place.repository.switch("sesh.delete");
    if let Some(claim) = claim {
        let end = worktree::remove_clean(place, claim).map(|end| end == WorktreeEnd::Removed);
        removed.worktree = tried("the worktree", end);
    }
    if tried("the branch", asked) {
        removed.branch = tried("the branch", delete(place, subject));
        if let Some((remote, _)) = target.upstream.as_ref().filter(|_| removed.branch) {
            tried(
                "the branch of the remote",
                delete_at(place, subject, remote),
            );
        }
    }
    removed
}

/// Deletes the branch if it still is what has landed.
fn delete(place: &Workplace, subject: &Subject) -> Result<bool> {
    let folder = place.repository.common.as_path();
    if checkouts::of_branch(folder, &subject.branch)?.is_some() {
        return Ok(false);
    }
    let name = format!("refs/heads/{}", subject.branch);
    Ok(refs::delete(folder, &name, &subject.tip)? == RefChange::Done)
}

fn delete_at(place: &Workplace, subject: &Subject, remote: &str) -> Result<bool> {
    let folder = place.repository.common.as_path();
    let name = format!("refs/heads/{}", subject.branch);
    if refs::read_at(folder, remote, &name)?.as_ref() != Some(&subject.tip) {
        return Ok(false);
    }
    Ok(refs::delete_at(folder, remote, &name, &subject.tip)? == Push::Done)
}
