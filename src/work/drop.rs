//! Gives an item back, or abandons it.

use super::event::ClaimEvent;
use super::item::ItemId;
use super::landing::landed_tip;
use super::ledger_state::{Claim, LedgerState};
use super::own::own_claim;
use super::workplace::Workplace;
use super::worktree::{self, WorktreeEnd};
use crate::error::{Error, Result};
use crate::git::{Oid, objects, refs};
use crate::id::SeshId;

/// A claim that was given back.
#[derive(Clone, Debug)]
pub struct DroppedClaim {
    pub claim: Claim,
    pub worktree: WorktreeEnd,
    /// Where its work is saved, if it was abandoned and has any.
    pub rescued: Option<Oid>,
    /// The ledger afterwards.
    pub state: LedgerState,
}

/// Ends the claim of a sesh. Without an id it is the only one that the sesh has. A clean worktree is removed, and a dirty
/// one stays. What was abandoned is saved before.
///
/// # Errors
/// As [`own_claim`], and [`Exit::Unusable`](crate::error::Exit::Unusable) if the branch has commits that have not landed
/// and the item is not abandoned.
pub fn drop_claim(
    place: &Workplace,
    sesh: SeshId,
    id: Option<&ItemId>,
    abandon: Option<&str>,
) -> Result<DroppedClaim> {
    let before = place.ledger.read()?;
    let claim = own_claim(&before, sesh, id)?.clone();
    let unlanded = unlanded(place, &before, &claim)?;
    let rescued = match (abandon, unlanded) {
        (Some(_), _) => worktree::rescue(place, &claim)?,
        (None, 0) => None,
        (None, count) => {
            let commits = if count == 1 { "commit" } else { "commits" };
            return Err(Error::unusable(format!(
                "{} has {count} {commits} on {} not landed",
                claim.id, claim.work.branch
            ))
            .with_way_out("sesh-land lands them, sesh-work drop --abandon WHY gives them up"));
        }
    };
    let ((), state) = place.ledger.change_and_read(|state| {
        let grant = own_claim(state, sesh, Some(&claim.id))?.grant;
        let event = match abandon {
            Some(why) => ClaimEvent::Abandon {
                grant,
                why: why.into(),
            },
            None => ClaimEvent::Drop { grant },
        };
        Ok((vec![event.into()], ()))
    })?;
    let worktree = worktree::remove_clean(place, &claim)?;
    if worktree == WorktreeEnd::Removed && unlanded == 0 {
        delete_branch(place, &claim)?;
    }
    Ok(DroppedClaim {
        claim,
        worktree,
        rescued,
        state,
    })
}

/// Returns how many commits of the branch of a claim are not in the target. Those that have landed as a squash are.
fn unlanded(place: &Workplace, state: &LedgerState, claim: &Claim) -> Result<usize> {
    let folder = place.repository.common.as_path();
    let tip = objects::commit(folder, &format!("refs/heads/{}", claim.work.branch))?;
    let Some(tip) = tip else { return Ok(0) };
    let target = place.target()?;
    let own = format!("refs/heads/{}", target.branch);
    let mut fewest = usize::MAX;
    for name in [own, target.fetched_ref()] {
        if let Some(landed) = objects::commit(folder, &name)? {
            let of = (&claim.id, &*claim.work.branch);
            let start = landed_tip(place, state.landing(), of, &tip, &landed)?;
            for from in start.iter().chain([&landed]) {
                fewest = fewest.min(objects::count(folder, from, &tip)?);
            }
        }
    }
    Ok(if fewest == usize::MAX { 0 } else { fewest })
}

/// Deletes a branch that was made for a claim and has nothing that the target does not have.
fn delete_branch(place: &Workplace, claim: &Claim) -> Result<()> {
    let folder = place.repository.common.as_path();
    let name = format!("refs/heads/{}", claim.work.branch);
    if let Some(tip) = refs::read(folder, &name)? {
        refs::delete(folder, &name, &tip)?;
    }
    Ok(())
}
