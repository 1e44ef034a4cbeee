//! The one way by which changes are made: in tmux first, then in the journal, then in the number of pending restores. The
//! sums of the status line follow from the commands of [`write`](super::write), which have the plugin count each pane anew.
//!
//! Forgetting goes the other way round: first the tombstone, then tmux, so that nothing is left that could come back.

use std::path::Path;

use super::append::{self, OnFailure};
use super::durable::{of, record_of};
use super::edit::Edit;
use super::note::{JournalEvent, Note, keys};
use super::record::{Record, Values};
use super::schema::{self, Key};
use super::target::changed;
use super::write::{self, BoundOutcome};
use super::{pending_restore, tail};
use crate::clock;
use crate::error::{Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::journal::line::{Fields, Line};
use crate::tmux::{Batch, Command, Server, command};

/// Tries of a write that others keep changing under us; each try is one tmux process.
const TRIES: u32 = 100;

/// Runs a list of commands, and writes what it has changed. `read` gets the answer, or the error, and returns what came of
/// it, with a note for each change that outlives the server.
///
/// A journal that cannot be written is reported as a warning, once a server: the change in tmux stands.
///
/// # Errors
/// Those of `read`; those of [`Server::run`] where the pending restores are counted.
pub fn commit<T>(
    server: &Server,
    batch: &Batch,
    read: impl FnOnce(Result<String>) -> Result<(T, Vec<Note>)>,
) -> Result<T> {
    finish(server, OnFailure::Warn, read(server.run(batch)))
}

/// The same from a folder, for a list that makes a pane.
///
/// # Errors
/// As [`commit`].
pub fn commit_in<T>(
    server: &Server,
    folder: &Path,
    batch: &Batch,
    read: impl FnOnce(Result<String>) -> Result<(T, Vec<Note>)>,
) -> Result<T> {
    let answer = server.run_in(batch, Some(folder));
    finish(server, OnFailure::Warn, read(answer))
}

/// The same for a process whose messages are not read, in a pane that closes or behind a hook: the next process that
/// cannot write the journal reports it.
///
/// # Errors
/// As [`commit`].
pub fn commit_quietly<T>(
    server: &Server,
    batch: &Batch,
    read: impl FnOnce(Result<String>) -> Result<(T, Vec<Note>)>,
) -> Result<T> {
    finish(server, OnFailure::Leave, read(server.run(batch)))
}

/// Writes notes of changes that other processes have made in tmux, such as the `sesh-run` of a pane.
///
/// # Errors
/// Those of [`Server::run`] where the pending restores are counted.
pub fn note(server: &Server, notes: &[Note]) -> Result<()> {
    keep(server, OnFailure::Warn, notes)
}

fn finish<T>(server: &Server, failure: OnFailure, outcome: Result<(T, Vec<Note>)>) -> Result<T> {
    let (value, notes) = outcome?;
    keep(server, failure, &notes)?;
    Ok(value)
}

fn keep(server: &Server, failure: OnFailure, notes: &[Note]) -> Result<()> {
    append::notes(server, notes, failure);
    if notes.iter().any(|note| note.pending) {
        pending_restore::recount(server)?;
    }
    Ok(())
}

/// Runs commands on the pane of a sesh, as [`write::bound`] describes, and writes `notes` where they ran. `Ok(false)` when
/// only the condition failed.
///
/// # Errors
/// [`Exit::Changed`] when the pane went or is another's now.
pub fn on_pane(
    server: &Server,
    pane: PaneId,
    id: SeshId,
    condition: &str,
    commands: Vec<Command>,
    notes: Vec<Note>,
) -> Result<bool> {
    let batch = Batch::from(write::bound(pane, id, condition, commands));
    commit_quietly(server, &batch, |answer| {
        match BoundOutcome::read(&answer?) {
            BoundOutcome::Done => Ok((true, notes)),
            BoundOutcome::Condition => Ok((false, Vec::new())),
            BoundOutcome::Gone => Err(changed(id)),
        }
    })
}

/// Makes edits to the sesh of a pane, all or none, and returns what it is then. `after` is a list that must stand alone,
/// run where the edits were made. `None` when the condition of an edit failed.
///
/// # Errors
/// [`Exit::Changed`] when the pane went or is another's now.
pub fn edit_on_pane(
    server: &Server,
    pane: PaneId,
    record: &Record,
    edits: &[Edit],
    after: Option<&Batch>,
) -> Result<Option<Record>> {
    let id = record.uuid;
    let condition = Edit::condition(edits, record);
    let commands = Edit::commands(edits, pane);
    let bound = Batch::from(write::bound(pane, id, &condition, commands));
    match BoundOutcome::read(&server.run(&bound)?) {
        BoundOutcome::Done => {}
        BoundOutcome::Condition => return Ok(None),
        BoundOutcome::Gone => return Err(changed(id)),
    }
    if let Some(after) = after {
        server.run(after)?;
    }
    let mut record = write::reread(server, pane, id)?;
    loop {
        keep(server, OnFailure::Warn, &[Edit::note(edits, &record)])?;
        let now = match write::reread(server, pane, id) {
            Ok(now) => now,
            // It went away after it was changed.
            Err(error) if error.exit == Exit::Changed => return Ok(Some(record)),
            Err(error) => return Err(error),
        };
        // Of two processes that change one sesh at once, the one that read later may have written its line first. The
        // last line has to say what tmux says.
        if Edit::note(edits, &now).says_as(&Edit::note(edits, &record)) {
            return Ok(Some(record));
        }
        record = now;
    }
}

/// Makes edits to the record of an exited sesh: reads it, changes it, and writes it unless another process did meanwhile.
///
/// # Errors
/// [`Exit::Changed`] when it has a pane again or is forgotten.
pub fn edit_record(server: &Server, old: &Record, edits: &[Edit]) -> Result<Record> {
    if old.kept.is_some() {
        return edit_in_journal(server, old, edits);
    }
    let id = old.uuid;
    let name = schema::book(id);
    let held = format!("#{{{name}}}");
    for _ in 0..TRIES {
        let output = server.run(&Batch::from(command::print(None, &held)))?;
        let stored = output.trim_end_matches('\n');
        let before = Values::from_book(stored).ok_or_else(|| changed(id))?;
        let mut values = before.clone();
        Edit::apply(edits, &mut values, &old.name)?;
        if values != before {
            values.set(Key::Updated, clock::seconds().to_string());
            let answer = server.run(&Batch::from(command::if_format(
                None,
                &format!("#{{==:{held},{stored}}}"),
                &Batch::from(command::set_server(&name, &values.to_book()))
                    .and(write::hint())
                    .then(command::print(None, "done")),
                &Batch::from(command::print(None, "lost")),
            )))?;
            if answer.trim() != "done" {
                continue;
            }
        }
        let record = Record::ended(values).ok_or_else(|| changed(id))?;
        let record = record.of(server);
        keep(server, OnFailure::Warn, &[Edit::note(edits, &record)])?;
        return Ok(record);
    }
    Err(changed(id))
}

/// The same for a sesh that only the journal has. An archived one is not offered for a restore.
fn edit_in_journal(server: &Server, old: &Record, edits: &[Edit]) -> Result<Record> {
    let id = old.uuid;
    let mut outcome = None;
    of(server)?.update(id, |line| {
        let line = line.ok_or_else(|| changed(id))?;
        let known = record_of(&line).ok_or_else(|| changed(id))?;
        let lived_in = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
        if lived_in(&known) != lived_in(old) {
            return Err(changed(id));
        }
        let mut values = known.values.clone();
        Edit::apply(edits, &mut values, &old.name)?;
        if values == known.values {
            outcome = Some(known);
            return Ok(None);
        }
        values.set(Key::Updated, clock::seconds().to_string());
        let fields = keys()
            .filter(|key| values.get(*key) != known.values.get(*key))
            .map(|key| (key.field().into(), values.get(key).to_string().into()));
        let mut change = Line::new(id, JournalEvent::Changed.as_str(), clock::seconds());
        change.values = Fields(fields.collect());
        let mut all = line;
        all.absorb(change.clone());
        outcome = record_of(&all);
        Ok(Some(change))
    })?;
    let now: Record = outcome.ok_or_else(|| changed(id))?;
    let now = now.of(server);
    if now.archived != old.archived {
        pending_restore::recount(server)?;
    }
    Ok(now)
}

/// Removes every trace of an exited sesh.
///
/// # Errors
/// The tombstone cannot be written, and there is no server that could do it later.
pub fn forget(server: &Server, record: &Record) -> Result<()> {
    append::tombstone(server, record.uuid)?;
    match withdraw(server, record.uuid) {
        // With its last pane the server went, and everything with it.
        Err(error) if error.exit == Exit::NoServer => {}
        outcome => outcome?,
    }
    if record.kept.is_some() {
        pending_restore::recount(server)?;
    }
    Ok(())
}

/// Writes tombstones of seshes that others have replaced in tmux already.
///
/// # Errors
/// They cannot be written, and there is no server that could do it later.
pub fn forget_replaced(server: &Server, ids: impl IntoIterator<Item = SeshId>) -> Result<()> {
    ids.into_iter()
        .try_for_each(|id| append::tombstone(server, id))
}

/// Removes what tmux has of a sesh that never came to be. The journal has nothing of it.
///
/// # Errors
/// As [`Server::run`].
pub fn withdraw(server: &Server, id: SeshId) -> Result<()> {
    let batch = Batch::from(command::unset_server(&schema::book(id)))
        .then(tail::unset(id))
        .and(write::hint());
    server.run(&batch).map(drop)
}
