//! Has tmux show what the ledger has.

use std::collections::BTreeMap;

use super::caller::Caller;
use super::holder::HolderServer;
use super::ledger_state::{Claim, ClaimEnd, LedgerState};
use super::workplace::Workplace;
use crate::id::{PaneId, SeshId};
use crate::store::work_mirror::{MirroredPane, MirroredWork, WorkMirror};
use crate::tmux::Server;

/// Has the server of the caller show the state of the ledger. A server that does not answer shows it later: the ledger
/// has decided already.
pub fn show(server: &Server, place: &Workplace, caller: &Caller, state: &LedgerState) {
    let own = &caller.holder.server;
    let lost = caller.mirror.lost.min(state.claims().count());
    let _ = write(server, place, own, &caller.mirror, state, lost);
}

/// Like [`show`], with the number of claims whose holders are gone.
///
/// # Errors
/// As [`Server::run`].
pub fn write(
    server: &Server,
    place: &Workplace,
    own: &HolderServer,
    mirror: &WorkMirror,
    state: &LedgerState,
    lost: usize,
) -> crate::error::Result<()> {
    let work = MirroredWork {
        repository: &place.short_hash,
        common_dir: &place.repository.common,
        length: state.length(),
        claims: state.claims().count(),
        lost,
        landing: state.landing().queue().len(),
        panes: panes(own, mirror, state),
    };
    mirror.write(server, &work)
}

/// Returns what the panes of a server are to show.
fn panes(own: &HolderServer, mirror: &WorkMirror, state: &LedgerState) -> Vec<MirroredPane> {
    let mut of_seshes: BTreeMap<SeshId, (PaneId, Vec<String>)> = BTreeMap::new();
    for claim in state.claims().filter(|claim| claim.holder.server == *own) {
        if let Some(pane) = claim.holder.pane_id() {
            let (_, texts) = of_seshes
                .entry(claim.holder.sesh)
                .or_insert_with(|| (pane, Vec::new()));
            texts.push(text(claim));
        }
    }
    let mut shown: Vec<MirroredPane> = of_seshes
        .into_iter()
        .map(|(sesh, (pane, texts))| MirroredPane {
            pane,
            sesh,
            text: texts.join(" "),
        })
        .collect();
    // Former holders: those that lost a claim are told on their panes, and the others show nothing any more.
    let mut former: BTreeMap<SeshId, (PaneId, String)> = BTreeMap::new();
    for lost in state.former() {
        let holder = &lost.claim.holder;
        let pane = holder.pane_id().filter(|_| holder.server == *own);
        let known = mirror.panes.iter().any(|it| it.sesh == holder.sesh);
        if let Some(pane) = pane.filter(|_| known) {
            former.insert(holder.sesh, (pane, String::new()));
        }
    }
    for (sesh, (pane, text)) in &mut former {
        if let Some(lost) = state.taken_from(*sesh).last()
            && let ClaimEnd::Taken { by, .. } = &lost.end
        {
            *text = format!("{} lost to {}", lost.claim.id, by.name);
            let known = mirror.panes.iter().find(|it| it.sesh == *sesh);
            *pane = known.map_or(*pane, |it| it.pane);
        }
    }
    for (sesh, (pane, text)) in former {
        if !shown.iter().any(|it| it.sesh == sesh) {
            shown.push(MirroredPane { pane, sesh, text });
        }
    }
    shown
}

/// Returns what a pane shows of a claim: the item, with its progress.
#[must_use]
pub fn text(claim: &Claim) -> String {
    let id = &claim.id;
    match (claim.done, claim.total) {
        (Some(done), Some(total)) => format!("{id} {done}/{total}"),
        (Some(done), None) => format!("{id} {done}"),
        _ => id.to_string(),
    }
}
