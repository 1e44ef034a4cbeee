//! Writes into the journal what it lacks, and an answer about pending restores that could not be written when it was
//! given.

use std::path::Path;

use super::log;
use crate::agent::kinds::Agents;
use crate::error::{Exit, Result};
use crate::journal::failures;
use crate::runner;
use crate::store::backfill;
use crate::store::durable::{self, Exported};
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

/// Writes all seshes into a file for another machine, if wanted with the transcripts of agents. Without a server it writes
/// what the journal has.
///
/// # Errors
/// As [`save`] and [`durable::export`].
pub fn export(server: &Server, file: &Path, transcripts: bool) -> Result<Exported> {
    match save(server) {
        Err(error) if error.exit == Exit::NoServer => {}
        outcome => drop(outcome?),
    }
    durable::export(server, file, |record| {
        transcripts.then(|| log::to_export(record, Agents::loaded()))?
    })
}
