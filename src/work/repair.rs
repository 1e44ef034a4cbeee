//! Repairs what tmux shows of claims, from the ledgers.

use super::holder::{HolderServer, HolderState, HolderView};
use super::mirror;
use super::workplace::Workplace;
use crate::error::Result;
use crate::store::work_mirror::{self, WorkMirror};
use crate::tmux::Server;

/// Has a server show the claims of all repositories that it knows, with how many of them have a holder that is gone. This
/// is one question of the server where no repository has claims.
///
/// # Errors
/// As [`Server::run`].
pub fn repair(server: &Server) -> Result<()> {
    let known = work_mirror::repositories(server)?;
    if known.repositories.is_empty() {
        return Ok(());
    }
    let own = HolderServer::here(known.socket, known.server_pid);
    let mut view = HolderView::new(Some(server));
    for (short_hash, common_dir) in known.repositories {
        // A repository that has been removed has no claims any more.
        let Ok(place) = Workplace::find(&common_dir) else {
            continue;
        };
        let Ok(state) = place.ledger.read() else {
            continue;
        };
        let claims = state.claims();
        let lost = claims.filter(|claim| view.look(&claim.holder).state == HolderState::Gone);
        let lost = lost.count();
        let shown = WorkMirror::read(server, &short_hash)?;
        mirror::write(server, &place, &own, &shown, &state, lost)?;
    }
    Ok(())
}
