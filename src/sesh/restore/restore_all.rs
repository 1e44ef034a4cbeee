//! All that were alive when the last tmux server died, brought back one after another, once.

use super::{RestoreOptions, one};
use crate::error::{Error, Exit, Result};
use crate::store::lease::{Lease, Taken};
use crate::store::pending_restore::{DONE, answer, offer, pending as still_lost};
use crate::store::{Record, schema};
use crate::tmux::Server;

/// Brings them back. `each` is told of every one, before and with what came of it. Those that do not come stay offered.
///
/// # Errors
/// [`Exit::Unusable`] while somebody else does. What becomes of each is for `each`.
pub fn all(
    server: &Server,
    options: &RestoreOptions<'_>,
    each: &mut dyn FnMut(&Record, Option<&Result<Record>>),
) -> Result<()> {
    let lost = still_lost(server)?;
    let mut lease = Lease::of(server, schema::RESTORED).closed_by(DONE);
    match lease.take() {
        // Each is brought back once in any case: there is no server yet that would hold the lease.
        Err(error) if error.exit == Exit::NoServer => {}
        Err(error) => return Err(error),
        Ok(Taken::Ours) => {}
        Ok(Taken::Closed) => return Ok(()),
        Ok(Taken::Theirs) => {
            return Err(
                Error::unusable("another sesh-restore brings them back at this moment")
                    .with_way_out("sesh-list shows how far it is"),
            );
        }
    }
    for record in &lost {
        each(record, None);
        let outcome = one(server, record, options);
        each(record, Some(&outcome));
    }
    if still_lost(server)?.is_empty() {
        return answer(server);
    }
    // The next one may try.
    match lease.release().and_then(|()| offer(server)) {
        // Not one has come, so there is none who would be asked.
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        outcome => outcome,
    }
}
