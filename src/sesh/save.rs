//! Writing down for the journal what it lacks, also that somebody has answered what was offered.

use crate::error::Result;
use crate::store::backfill;
use crate::store::pending_restore;
use crate::tmux::Server;

/// Writes what the journal lacks of all that tmux knows, and gives how many lines that took.
///
/// # Errors
/// As [`Server::run`], and when the journal cannot be written.
pub fn save(server: &Server) -> Result<usize> {
    let written = backfill::write(server)?;
    pending_restore::keep_answer(server)?;
    Ok(written)
}
