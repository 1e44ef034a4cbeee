//! Appending to the journal, for [`commit`](mod@super::commit). A line is written after the change in tmux has happened, and
//! is on the disk before success is reported; only what a sesh does at the moment ([`Event::State`](super::note::Event)) is
//! not waited for.
//!
//! A journal that cannot be written is no reason to stop. It is reported once a server, and by `sesh-doctor`; `sesh-save`
//! writes what was missed.

use super::backfill;
use super::durable::of;
use super::note::Note;
use super::record::Record;
use super::schema;
use crate::error::{self, Error, Exit, Result};
use crate::id::{ServerId, SeshId};
use crate::journal::line::Line;
use crate::tmux::{Batch, Server, command};

/// What is done where the journal cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    /// It is reported, once a server.
    Warn,
    /// It is left for the next process that cannot write: what this one says is not read.
    Leave,
}

/// Writes notes of what has happened in tmux.
pub(super) fn notes(server: &Server, notes: &[Note], failure: OnFailure) {
    if notes.is_empty() {
        return;
    }
    let Err(error) = try_notes(server, notes) else {
        return;
    };
    match failure {
        OnFailure::Warn => {
            if let Err(error) = complain(server, &error) {
                error::warn(error.to_string());
            }
        }
        OnFailure::Leave => leave(server),
    }
}

/// Marks in the server that something was missed.
fn leave(server: &Server) {
    let unset = format!("#{{==:#{{{}}},}}", schema::UNWRITTEN);
    let missed = Batch::from(command::set_hidden(schema::UNWRITTEN, "missed"));
    // Without a server that would not be read either.
    let _ = server.run(&Batch::from(command::if_format(
        None,
        &unset,
        &missed,
        &Batch::new(),
    )));
}

fn try_notes(server: &Server, notes: &[Note]) -> Result<()> {
    let log = of(server)?;
    let mut parts = notes.iter().filter(|note| note.lasts() && !note.is_whole());
    // A birth could not be written, or the file was removed: this part alone would be a sesh without a name.
    let lacks = parts.any(|note| !log.names(note.line.uuid));
    let lines: Vec<Line<'_>> = notes.iter().map(|note| note.line.clone()).collect();
    log.append(&lines, notes.iter().any(Note::lasts))?;
    if lacks {
        backfill::write(server)?;
    }
    Ok(())
}

/// Reports that the journal cannot be written, once in the life of the server. Without a server it is an error, since
/// nothing could write it later.
fn complain(server: &Server, error: &Error) -> Result<()> {
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
            "{error}; what happens from now on is lost when this tmux server ends: sesh-save when that is mended"
        ));
    }
    Ok(())
}

/// Writes in which life of the server these were alive last.
///
/// # Errors
/// It cannot be written, and there is no server that could do it later.
pub(super) fn lived_in(server: &Server, records: &[Record], life: ServerId) -> Result<()> {
    let known = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let others = records.iter().filter(|record| known(record) != Some(life));
    let notes: Vec<Note> = others
        .map(|record| Note::lived_in(record.uuid, life))
        .collect();
    if notes.is_empty() {
        return Ok(());
    }
    try_notes(server, &notes).or_else(|error| complain(server, &error))
}

/// Writes a tombstone.
///
/// # Errors
/// It cannot be written, and there is no server that could do it later.
pub(super) fn tombstone(server: &Server, id: SeshId) -> Result<()> {
    let write = || of(server)?.append(&[Note::forgotten(id).line], true);
    write().or_else(|error| {
        let too = format!("#{{{}}} {id}", schema::FORGOTTEN);
        let too = command::set_hidden_expanded(schema::FORGOTTEN, &too);
        // Without a server `complain` fails.
        let _ = server.run(&Batch::from(too));
        complain(server, &error)
    })
}
