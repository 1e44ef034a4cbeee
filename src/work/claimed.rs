//! A claim as a whole: the grant, the ref at the remote, and the worktree.

use std::path::PathBuf;
use std::time::Duration;

use super::claim::{self, ClaimRequest};
use super::event::ClaimEvent;
use super::holder::Holder;
use super::ledger_state::{Claim, LedgerState};
use super::workplace::Workplace;
use super::{remote_claim, worktree};
use crate::error::{Error, Result};
use crate::tmux::Server;

/// Whether a claim gets a worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorktreeWish {
    None,
    /// In the usual folder.
    Usual,
    At(PathBuf),
}

/// A claim that was made, with what it has.
#[derive(Debug)]
pub struct MadeClaim {
    pub claim: Claim,
    /// The ledger afterwards.
    pub state: LedgerState,
    /// How the preparation of the worktree ended. The claim is kept if it failed.
    pub setup: Result<()>,
}

/// Claims an item for a sesh, and makes what is wished for. If that fails, the claim is given back.
///
/// # Errors
/// As [`claim::claim`], [`remote_claim::publish`] and [`worktree::make`].
pub fn make(
    server: &Server,
    place: &Workplace,
    holder: &Holder,
    request: &ClaimRequest,
    limit: Option<Duration>,
    wish: &WorktreeWish,
) -> Result<MadeClaim> {
    let granted = claim::claim(server, place, holder, request, limit)?;
    let (claim, state) = (granted.claim, granted.state);
    let finished = finish(server, place, &claim, wish);
    match finished {
        Ok(None) => Ok(MadeClaim {
            claim,
            state,
            setup: Ok(()),
        }),
        Ok(Some((claim, state, setup))) => Ok(MadeClaim {
            claim,
            state,
            setup,
        }),
        Err(error) if granted.had_it => Err(error),
        Err(error) => {
            give_back(place, &claim)?;
            Err(error)
        }
    }
}

/// Gives a claim back that could not be finished.
///
/// # Errors
/// When the ledger cannot be written.
pub fn give_back(place: &Workplace, claim: &Claim) -> Result<()> {
    let grant = claim.grant;
    place
        .ledger
        .change(|_| Ok((vec![ClaimEvent::Drop { grant }.into()], ())))?;
    // A ref at the remote is that of this grant, or was never made.
    remote_claim::withdraw(place, claim)
}

fn finish(
    server: &Server,
    place: &Workplace,
    claim: &Claim,
    wish: &WorktreeWish,
) -> Result<Option<(Claim, LedgerState, Result<()>)>> {
    remote_claim::publish(place, claim)?;
    let folder = match wish {
        WorktreeWish::None => return Ok(None),
        // It has one already.
        _ if !claim.worktree.is_empty() => return Ok(None),
        WorktreeWish::Usual => worktree::default_place(server, place, &claim.id.file_name())?,
        WorktreeWish::At(folder) => folder.clone(),
    };
    let made = worktree::make(place, &claim.work.branch, &folder)?;
    let ((), state) = place
        .ledger
        .change_and_read(|_| Ok((vec![worktree::event(claim, &made).into()], ())))?;
    let now = state.granted(claim.grant).cloned();
    let now = now.ok_or_else(|| Error::failed(format!("the ledger has lost {}", claim.id)))?;
    let setup = if made.reused {
        Ok(())
    } else {
        worktree::prepare(place, &made)
    };
    Ok(Some((now, state, setup)))
}
