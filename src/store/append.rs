//! Appending to the journal. A line is written after the change in tmux has happened, and is on the disk before success is
//! reported; only what a sesh does at the moment ([`Event::State`]) is not waited for.
//!
//! Forgetting goes the other way round: first the tombstone, then tmux, so that nothing is left that could come back.
//!
//! A journal that cannot be written is no reason to stop. It is said once a server, and by `sesh-doctor`; `sesh-save`
//! writes what was missed.

use super::backfill;
use super::durable::{of, record_of};
use super::note::{Event, Note, keys};
use super::record::{Record, Values};
use super::schema::{self, Key};
use super::target::changed;
use crate::clock;
use crate::error::{self, Error, Result};
use crate::id::{ServerId, SeshId};
use crate::journal::line::{FORGOTTEN, Fields, Line};
use crate::tmux::{Batch, Server, command};

/// Writes down what has happened in tmux. What cannot be written is said, once a server.
pub fn note(server: &Server, notes: &[Note<'_>]) {
    if notes.is_empty() {
        return;
    }
    if let Err(error) = try_note(server, notes)
        && let Err(error) = complain(server, &error)
    {
        error::warn(error.to_string());
    }
}

/// The same for a process whose messages are not read, in a pane that closes or behind a hook: the next process that
/// cannot write says it.
pub fn note_unheard(server: &Server, notes: &[Note<'_>]) {
    if notes.is_empty() || try_note(server, notes).is_ok() {
        return;
    }
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

fn try_note(server: &Server, notes: &[Note<'_>]) -> Result<()> {
    let ledger = of(server)?;
    let mut parts = notes.iter().filter(|note| note.lasts() && !note.is_whole());
    // A birth could not be written, or the file was removed: this part alone would be a sesh without a name.
    let lacks = parts.any(|note| !ledger.names(note.0.uuid));
    let lines: Vec<Line<'_>> = notes.iter().map(|note| note.0.clone()).collect();
    ledger.append(&lines, notes.iter().any(Note::lasts))?;
    if lacks {
        backfill::write(server)?;
    }
    Ok(())
}

/// Says that the journal cannot be written, once in the life of the server. Without a server it is an error, since nothing
/// could write it later.
fn complain(server: &Server, error: &Error) -> Result<()> {
    let said = command::if_format(
        None,
        &format!("#{{==:#{{{}}},said}}", schema::UNWRITTEN),
        &Batch::new(),
        &Batch::from(command::set_hidden(schema::UNWRITTEN, "said"))
            .then(command::print(None, "first")),
    );
    let first = match server.run(&Batch::from(said)) {
        Err(none) if none.exit == crate::error::Exit::NoServer => return Err(error.clone()),
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

/// Says in which life of the server these were alive last.
///
/// # Errors
/// It cannot be written, and there is no server that goes on without.
pub fn lived_in(server: &Server, records: &[Record], life: ServerId) -> Result<()> {
    let known = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let others = records.iter().filter(|record| known(record) != Some(life));
    let notes: Vec<Note<'_>> = others
        .map(|record| {
            let mut said = Line::new(record.uuid, Event::Saved.as_str(), clock::seconds());
            said.server = Some(life);
            Note(said)
        })
        .collect();
    if notes.is_empty() {
        return Ok(());
    }
    try_note(server, &notes).or_else(|error| complain(server, &error))
}

/// Leaves a tombstone: nothing brings that sesh back.
///
/// # Errors
/// It cannot be written, and there is no server that would know.
pub fn forget(server: &Server, id: SeshId) -> Result<()> {
    let known = || -> Result<()> {
        let ledger = of(server)?;
        let tombstone = Line::new(id, FORGOTTEN, clock::seconds());
        ledger.append(&[tombstone], true)
    };
    known().or_else(|error| {
        let too = format!("#{{{}}} {id}", schema::FORGOTTEN);
        let too = command::set_hidden_expanded(schema::FORGOTTEN, &too);
        // Without a server `complain` says so.
        let _ = server.run(&Batch::from(too));
        complain(server, &error)
    })
}

/// Changes a sesh that only the journal has.
///
/// # Errors
/// It cannot be written; [`Exit::Changed`](crate::error::Exit::Changed) when it lives again or is forgotten.
pub fn change(
    server: &Server,
    record: &Record,
    edit: impl FnOnce(&mut Values) -> Result<()>,
) -> Result<Record> {
    let id = record.uuid;
    let mut outcome = None;
    of(server)?.update(id, |line| {
        let line = line.ok_or_else(|| changed(id))?;
        let known = record_of(&line).ok_or_else(|| changed(id))?;
        let lived_in = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
        if lived_in(&known) != lived_in(record) {
            return Err(changed(id));
        }
        let mut values = known.values.clone();
        edit(&mut values)?;
        if values == known.values {
            outcome = Some(known);
            return Ok(None);
        }
        values.set(Key::Updated, clock::seconds().to_string());
        let fields = keys()
            .filter(|key| values.get(*key) != known.values.get(*key))
            .map(|key| (key.field().into(), values.get(key).to_string().into()));
        let mut change = Line::new(id, Event::Changed.as_str(), clock::seconds());
        change.values = Fields(fields.collect());
        let mut all = line;
        all.absorb(change.clone());
        outcome = record_of(&all);
        Ok(Some(change))
    })?;
    let record: Record = outcome.ok_or_else(|| changed(id))?;
    Ok(record.of(server))
}
