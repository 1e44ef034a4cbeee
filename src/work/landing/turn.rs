//! The turn of a ticket: by priority, then by number. Each process waits for those before it; no process gives out turns.

use std::time::Duration;

use super::LandProgress;
use crate::error::Result;
use crate::journal::lock_file::LockFile;
use crate::proc::file_watch;
use crate::work::landing_event::RunnerState;
use crate::work::landing_state::Ticket;
use crate::work::workplace::Workplace;

/// How often a waiting process looks whether the one before it was stopped, or a more urgent one has come.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits until it is the turn of a ticket, and takes the lock of landings.
pub(super) fn wait(
    place: &Workplace,
    number: u64,
    lock: &LockFile,
    progress: &mut dyn FnMut(LandProgress<'_>),
) -> Result<()> {
    let mut shown = None;
    loop {
        if before(place, number)?.is_none() {
            // The one that has it may be less urgent: it was first.
            lock.take()?;
            if before(place, number)?.is_none() {
                return Ok(());
            }
            lock.release()?;
        }
        let Some((position, ahead)) = before(place, number)? else {
            continue;
        };
        if shown != Some((position, ahead.number)) {
            shown = Some((position, ahead.number));
            progress(LandProgress::Waiting {
                position,
                ahead: &ahead,
            });
        }
        if let RunnerState::Alive(process) = ahead.runner.state() {
            file_watch::wait_for_end(process, LOOK_AGAIN);
        }
    }
}

/// Returns how many tickets are before one, and the last of those.
fn before(place: &Workplace, number: u64) -> Result<Option<(usize, Ticket)>> {
    let state = place.ledger.read()?;
    let queue = state.landing().queue();
    let position = queue.iter().position(|ticket| ticket.number == number);
    let ahead = &queue[..position.unwrap_or(0)];
    Ok(ahead.last().map(|last| (ahead.len(), (*last).clone())))
}
