//! Takes over a claim whose holder is gone, or with a reason one whose holder is not.

use super::claim::held;
use super::event::{ClaimEvent, GrantId};
use super::holder::{Holder, HolderState, HolderView};
use super::item::ItemId;
use super::ledger_state::{Claim, LedgerState};
use super::workplace::Workplace;
use crate::error::{Error, Result};
use crate::tmux::Server;

/// A claim that was taken over.
#[derive(Clone, Debug)]
pub struct TakenClaim {
    pub claim: Claim,
    /// Who had it. `None` if the sesh itself has it.
    pub from: Option<Holder>,
    /// The ledger afterwards.
    pub state: LedgerState,
}

/// Has a sesh continue a claim. Its worktree stays as it is.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) if the item is not claimed,
/// [`Exit::Unusable`](crate::error::Exit::Unusable) if its holder is not gone and there is no reason.
pub fn take(
    server: &Server,
    place: &Workplace,
    holder: &Holder,
    id: &ItemId,
    force: Option<&str>,
) -> Result<TakenClaim> {
    loop {
        let before = place.ledger.read()?;
        let claim = before.claim(id).ok_or_else(|| {
            Error::nothing(format!("{id} is not claimed"))
                .with_way_out(format!("sesh-work claim {id}"))
        })?;
        if claim.holder.sesh == holder.sesh {
            return Ok(TakenClaim {
                claim: claim.clone(),
                from: None,
                state: before.clone(),
            });
        }
        // The holder is looked at before the ledger is locked, because its server may not answer.
        let sighting = HolderView::new(Some(server)).look(&claim.holder);
        let is_gone = sighting.state == HolderState::Gone;
        if !is_gone && force.is_none() {
            return Err(held(server, claim));
        }
        let (grant, from) = (GrantId::random(), claim.grant);
        let (taken, state) = place.ledger.change_and_read(|state| {
            if state.granted(from).is_none() {
                // Another sesh was faster, or the holder is back with another grant.
                return Ok((Vec::new(), false));
            }
            let take = ClaimEvent::Take {
                id: claim.id.clone(),
                from,
                grant,
                holder: holder.clone(),
                force: force.filter(|_| !is_gone).map(Into::into),
            };
            Ok((vec![take.into()], true))
        })?;
        if !taken {
            continue;
        }
        let now = state.claim(id).cloned();
        return Ok(TakenClaim {
            claim: now.ok_or_else(|| Error::failed(format!("the ledger has lost {id}")))?,
            from: Some(claim.holder.clone()),
            state,
        });
    }
}
