//! Writes into the journal what it lacks, and an answer about pending restores that could not be written when it was
//! given.

use crate::error::Result;
use crate::journal::failures;
use crate::runner;
use crate::store::backfill;
use crate::store::pending_restore;
use crate::tmux::Server;

/// Writes into the journal what it lacks of all that tmux knows. Returns how many lines that took.
///
/// # Errors
/// As [`Server::run`], and when the journal cannot be written.
pub fn save(server: &Server) -> Result<usize> {
    let written = backfill::write(server)?;
    pending_restore::keep_answer(server)?;
    // What `sesh-run` cannot say on its terminal is about the journal, which is whole again.
    failures::worked(runner::PROGRAM);
    Ok(written)
}
