//! What a holder does with its claim: it tells its step, and blocks or unblocks it.

use super::event::{ClaimEvent, LedgerEvent};
use super::holder::Holder;
use super::item::ItemId;
use super::ledger_state::{Claim, ClaimEnd, FormerClaim, LedgerState};
use super::registry::Registry;
use super::workplace::Workplace;
use super::{claim, risk::Risk};
use crate::clock;
use crate::error::{self, Error, Exit, Result};
use crate::id::{SeshId, shown};

/// A change of a claim by its holder.
#[derive(Clone, Debug)]
pub enum OwnChange {
    Step {
        step: String,
        done: Option<u32>,
        total: Option<u32>,
    },
    /// `None` means that the work can continue.
    Block(Option<String>),
}

/// Changes the claim of a sesh. Without an id it is the only one that the sesh has.
///
/// # Errors
/// As [`own_claim`], and if the ledger cannot be written.
pub fn change(
    place: &Workplace,
    sesh: SeshId,
    id: Option<&ItemId>,
    change: &OwnChange,
) -> Result<(Claim, LedgerState)> {
    let (id, state) = place.ledger.change_and_read(|state| {
        let claim = own_claim(state, sesh, id)?;
        let grant = claim.grant;
        let event = match change.clone() {
            OwnChange::Step { step, done, total } => ClaimEvent::Step {
                grant,
                step,
                done,
                total,
            },
            OwnChange::Block(why) => ClaimEvent::Block { grant, why },
        };
        Ok((vec![event.into()], claim.id.clone()))
    })?;
    let claim = state.claim(&id).cloned();
    let claim = claim.ok_or_else(|| Error::failed(format!("the ledger has lost {id}")))?;
    Ok((claim, state))
}

/// Returns the claim of a sesh on an item, or without an id the only one that it has.
///
/// # Errors
/// [`Exit::Changed`] if another sesh has taken it over, [`Exit::Unusable`] if another sesh has it or the sesh has several,
/// and [`Exit::Nothing`] if the sesh has none.
pub fn own_claim<'a>(
    state: &'a LedgerState,
    sesh: SeshId,
    id: Option<&ItemId>,
) -> Result<&'a Claim> {
    let Some(id) = id else {
        let own: Vec<&Claim> = state.held_by(sesh).collect();
        return match (&own[..], state.taken_from(sesh).last()) {
            ([one], _) => Ok(one),
            ([], Some(lost)) => Err(no_longer_yours(lost)),
            ([], None) => Err(Error::nothing("this sesh has claimed nothing")
                .with_way_out("sesh-work claim takes the next item")),
            (several, _) => {
                let ids: Vec<&str> = several.iter().map(|claim| claim.id.as_str()).collect();
                Err(
                    Error::unusable(format!("several claims: {}", ids.join(", ")))
                        .with_way_out("name one"),
                )
            }
        };
    };
    let lost = || {
        state
            .taken_from(sesh)
            .filter(|lost| lost.claim.id == *id)
            .last()
    };
    match (state.claim(id), lost()) {
        (Some(claim), _) if claim.holder.sesh == sesh => Ok(claim),
        (_, Some(lost)) => Err(no_longer_yours(lost)),
        (Some(claim), None) => Err(Error::unusable(format!(
            "{id} is held by {}",
            claim.holder.name
        ))
        .with_way_out(format!("sesh-work take {id} continues it"))),
        (None, None) => Err(Error::nothing(format!("{id} is not claimed"))
            .with_way_out(format!("sesh-work claim {id}"))),
    }
}

/// Returns the error of a former holder.
fn no_longer_yours(lost: &FormerClaim) -> Error {
    Error::new(Exit::Changed, lost_sentence(lost)).with_way_out("stop working on it")
}

fn lost_sentence(lost: &FormerClaim) -> String {
    let id = &lost.claim.id;
    match &lost.end {
        ClaimEnd::Taken { by, force } => {
            let ago =
                std::time::Duration::from_millis(clock::milliseconds().saturating_sub(lost.at));
            let mut text = format!(
                "{id} is no longer yours: {} took it over {} ago",
                by.name,
                clock::short(ago)
            );
            if let Some(why) = force {
                text += &format!(" ({})", shown(why));
            }
            text
        }
        _ => format!("{id} is no longer yours"),
    }
}

/// Tells a sesh, once, which of its claims other seshes have taken over, and whose work overlaps with its own. Records
/// where the sesh is, if that has changed. Returns the state of the ledger after that.
///
/// # Errors
/// When the ledger cannot be written.
pub fn tell(place: &Workplace, holder: &Holder, state: &LedgerState) -> Result<LedgerState> {
    let sesh = holder.sesh;
    let mut events: Vec<LedgerEvent> = Vec::new();
    for claim in state.held_by(sesh).filter(|claim| claim.holder != *holder) {
        // The sesh was restored or its pane has moved.
        let (grant, holder) = (claim.grant, holder.clone());
        events.push(ClaimEvent::Moved { grant, holder }.into());
    }
    for lost in state.taken_from(sesh).filter(|lost| !lost.told) {
        error::warn(format!("{}: stop working on it", lost_sentence(lost)));
        let grant = lost.claim.grant;
        events.push(ClaimEvent::Told { grant }.into());
    }
    for own in state.held_by(sesh) {
        for other in state.claims().filter(|other| other.holder.sesh != sesh) {
            if state.overlap_is_told(own.grant, other.grant) {
                continue;
            }
            let none = Registry::default();
            let (risk, common) = claim::risk_with(&none, &own.id, &own.work.paths, other);
            if risk > Risk::None {
                error::warn(format!(
                    "{} of {} touches what {} does: {}: the risk is {risk}",
                    other.id,
                    other.holder.name,
                    own.id,
                    common.join(", ")
                ));
                let (one, other) = (own.grant, other.grant);
                events.push(ClaimEvent::Overlap { one, other }.into());
            }
        }
    }
    if events.is_empty() {
        return Ok(state.clone());
    }
    let ((), state) = place.ledger.change_and_read(|_| Ok((events.clone(), ())))?;
    Ok(state)
}
