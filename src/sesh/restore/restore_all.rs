//! Restores all seshes that were alive when the last tmux server died, one after another, once.

use super::{RestoreOptions, one};
use crate::error::{Error, Exit, Result};
use crate::inventory::find;
use crate::store::lease::{Lease, LeaseOutcome};
use crate::store::pending_restore::{DONE, answer, offer, pending};
use crate::store::{Record, Target, schema};
use crate::tmux::Server;

/// Restores those for which `wanted` is true. Calls `each` for every sesh, first before its restore and then with the
/// outcome. Those that are not wanted or cannot be restored stay pending.
///
/// # Errors
/// [`Exit::Unusable`] while another process restores them. The outcome of each sesh goes to `each`.
pub fn all(
    server: &Server,
    options: &RestoreOptions<'_>,
    wanted: &dyn Fn(&Record) -> bool,
    each: &mut dyn FnMut(&Record, Option<&Result<Record>>),
) -> Result<()> {
    let to_restore = pending(server)?;
    let mut lease = Lease::of(server, schema::RESTORED).closed_by(DONE);
    match lease.take() {
        // Each sesh is restored only once in any case. Without a server there is nothing that could hold the lease.
        Err(error) if error.server_is_gone() => {}
        Err(error) => return Err(error),
        Ok(LeaseOutcome::Held) => {}
        Ok(LeaseOutcome::Closed) => return Ok(()),
        Ok(LeaseOutcome::HeldByOther) => {
            return Err(
                Error::unusable("another sesh-restore is restoring them now")
                    .with_way_out("sesh-list shows its progress"),
            );
        }
    }
    for record in to_restore.iter().filter(|record| wanted(record)) {
        each(record, None);
        let outcome =
            one(server, record, options).or_else(|error| restored_by_other(server, record, error));
        each(record, Some(&outcome));
    }
    if pending(server)?.is_empty() {
        return answer(server);
    }
    // The next call may try again.
    match lease.release().and_then(|()| offer(server)) {
        // No sesh was restored, so there is no server that could offer them.
        Err(error) if error.server_is_gone() => Ok(()),
        outcome => outcome,
    }
}

/// Returns the new record of a sesh that another process has restored since the list was read: a person by its name, or a
/// `sesh-restore` that was killed, whose last request the server carried out after its death.
fn restored_by_other(server: &Server, record: &Record, error: Error) -> Result<Record> {
    if !matches!(error.exit, Exit::Unusable | Exit::Changed) {
        return Err(error);
    }
    match find::one(server, &Target::Id(record.uuid)) {
        Ok(now) if now.live && now.tmux.is_some() => Ok(now),
        _ => Err(error),
    }
}
