//! Appends to the journal, for [`commit`](mod@super::commit). A line is written after the change in tmux has happened,
//! and it is on the disk before success is reported. Only a line of the current state
//! ([`JournalEvent::State`](super::note::JournalEvent)) is not synced to the disk.
//!
//! If the journal cannot be written, the change in tmux still succeeds. The failure is reported once per server, and by
//! `sesh-doctor`. `sesh-save` writes what was missed.

use super::backfill;
use super::durable::log_of;
use super::note::Note;
use super::record::Record;
use super::schema;
use crate::error::{self, Error, Exit, Result};
use crate::id::{ServerId, SeshId};
use crate::journal::line::Line;
use crate::tmux::{Batch, Server, command};

/// What is done if the journal cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// This process reports it, once per server.
    Warn,
    /// The next process that cannot write reports it, since a person does not read the messages of this process.
    Leave,
}

/// Writes notes of changes that have happened in tmux.
pub(super) fn notes(server: &Server, notes: &[Note], failure: OnFailure) {
    if notes.is_empty() {
        return;
    }
    let Err(error) = try_notes(server, notes) else {
        return;
    };
    match failure {
        OnFailure::Warn => {
            if let Err(error) = warn_once(server, &error) {
                error::warn(error.to_string());
            }
        }
        OnFailure::Leave => set_missed(server),
    }
}

/// Stores in the server that a change is missing in the journal and that this is not reported yet.
fn set_missed(server: &Server) {
    let unset = format!("#{{==:#{{{}}},}}", schema::UNWRITTEN);
    let missed = Batch::from(command::set_hidden(schema::UNWRITTEN, "missed"));
    // An error is ignored: without a server the variable has no reader.
    let _ = server.run(&Batch::from(command::if_format(
        None,
        &unset,
        &missed,
        &Batch::new(),
    )));
}

fn try_notes(server: &Server, notes: &[Note]) -> Result<()> {
    let log = log_of(server)?;
    let mut parts = notes
        .iter()
        .filter(|note| note.is_durable() && !note.is_whole());
    // The journal lacks a sesh if its creation could not be written, or if the file was removed. Then the changed
    // values alone would give a sesh without a name.
    let lacks = parts.any(|note| !log.names(note.line.uuid));
    let lines: Vec<Line<'_>> = notes.iter().map(|note| note.line.clone()).collect();
    log.append(&lines, notes.iter().any(Note::is_durable))?;
    if lacks {
        backfill::write(server)?;
    }
    Ok(())
}

/// Reports that the journal cannot be written, once per server. Without a server it returns the error, since no process
/// could write the change later.
fn warn_once(server: &Server, error: &Error) -> Result<()> {
    let reported = command::if_format(
        None,
        &format!("#{{==:#{{{}}},said}}", schema::UNWRITTEN),
        &Batch::new(),
        &Batch::from(command::set_hidden(schema::UNWRITTEN, "said"))
            .then(command::print(None, "first")),
    );
    let first = match server.run(&Batch::from(reported)) {
        Err(none) if none.exit == Exit::NoServer => return Err(error.clone()),
        Err(_) => true,
        Ok(answer) => answer.trim() == "first",
    };
    if first {
        error::warn(format!(
            "{error}; until this is fixed, changes are lost when this tmux server ends; then run sesh-save"
        ));
    }
    Ok(())
}

/// Writes on which server these seshes were alive last.
///
/// # Errors
/// The journal cannot be written, and there is no server from which it could be written later.
pub(super) fn lived_in(server: &Server, records: &[Record], life: ServerId) -> Result<()> {
    let known = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let others = records.iter().filter(|record| known(record) != Some(life));
    let notes: Vec<Note> = others
        .map(|record| Note::lived_in(record.uuid, life))
        .collect();
    if notes.is_empty() {
        return Ok(());
    }
    try_notes(server, &notes).or_else(|error| warn_once(server, &error))
}

/// Writes the tombstones of seshes.
///
/// # Errors
/// The journal cannot be written, and there is no server from which it could be written later.
pub(super) fn tombstones(server: &Server, ids: &[SeshId]) -> Result<()> {
    let lines = ids.iter().map(|id| Note::forgotten(*id).line);
    let write = || log_of(server)?.append(&lines.collect::<Vec<_>>(), true);
    write().or_else(|error| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let all = format!("#{{{}}} {}", schema::FORGOTTEN, ids.join(" "));
        let add = command::set_hidden_expanded(schema::FORGOTTEN, &all);
        // An error is ignored: without a server `warn_once` fails.
        let _ = server.run(&Batch::from(add));
        warn_once(server, &error)
    })
}
