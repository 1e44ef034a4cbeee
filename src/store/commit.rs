//! Commits changes of seshes: first to tmux, then to the journal, then to the number of pending restores. All changes
//! use this module. The commands of [`write`](mod@write) keep the sums of the status line up to date, since they make
//! the plugin count each changed pane again.
//!
//! Forgetting uses the opposite order: first the tombstone, then tmux, so that the journal cannot bring the sesh back.

use std::path::Path;

use super::append::{self, OnFailure};
use super::durable::{log_of, record_of};
use super::edit::Edit;
use super::hint;
use super::note::{JournalEvent, Note, keys};
use super::query::row_format;
use super::record::{Record, Values};
use super::schema::{self, Key};
use super::target::changed;
use super::write::{self, BoundOutcome};
use super::{pending_restore, tail};
use crate::clock;
use crate::error::{Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::journal::line::{Fields, Line};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The maximum number of attempts of a write while other processes change the same record. Each attempt is one client
/// of the server.
const ATTEMPTS: u32 = 100;

/// Runs a list of commands, and writes its changes to the journal. `read` gets the output of the list, or the error. It
/// returns the result, and a note for each change that outlives the server.
///
/// If the journal cannot be written, that is reported as a warning, once per server. The change in tmux stays.
///
/// # Errors
/// Those of `read`, and those of [`Server::run`] if the pending restores are counted.
pub fn commit<T>(
    server: &Server,
    batch: &Batch,
    read: impl FnOnce(Result<String>) -> Result<(T, Vec<Note>)>,
) -> Result<T> {
    finish(server, OnFailure::Warn, read(server.run(batch)))
}

/// Like [`commit`], but runs the list in a folder. A list that creates a pane needs this.
///
/// # Errors
/// As [`commit`].
pub fn commit_in<T>(
    server: &Server,
    folder: &Path,
    batch: &Batch,
    read: impl FnOnce(Result<String>) -> Result<(T, Vec<Note>)>,
) -> Result<T> {
    let answer = server.run_in(batch, folder);
    finish(server, OnFailure::Warn, read(answer))
}

/// Like [`commit`], but does not report a journal that cannot be written. It is for processes whose messages a person
/// does not read: in a pane that closes, or in a hook. The next process that cannot write the journal reports it.
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
/// Those of [`Server::run`] if the pending restores are counted.
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

/// Runs commands on the pane of a sesh, as [`write::bound`] describes, and writes `notes` if they ran. Returns
/// `Ok(false)` if only the condition failed.
///
/// # Errors
/// [`Exit::Changed`] if the pane is gone or belongs to another sesh now.
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

/// Makes edits to the sesh of a pane, all or none, and returns its record after them. `after` is a list that has to run
/// on its own; it runs if the edits were made. Returns `None` if the condition of an edit failed.
///
/// # Errors
/// [`Exit::Changed`] if the pane is gone or belongs to another sesh now.
pub fn edit_on_pane(
    server: &Server,
    pane: PaneId,
    record: &Record,
    edits: &[Edit],
    after: Option<&Batch>,
) -> Result<Option<Record>> {
    let id = record.uuid;
    let condition = Edit::condition(edits, record);
    let frame = Frame::new();
    let row = command::print(Some(&pane.to_string()), &row_format(&frame));
    let mut commands = Edit::commands(edits, pane);
    commands.push(row);
    let bound = Batch::from(write::bound(pane, id, &condition, commands));
    let answer = server.run(&bound)?;
    match BoundOutcome::read_each(&answer).last() {
        Some(BoundOutcome::Done) => {}
        Some(BoundOutcome::Condition) => return Ok(None),
        Some(BoundOutcome::Gone) | None => return Err(changed(id)),
    }
    if let Some(after) = after {
        server.run(after)?;
    }
    let mut record = write::record_in(&frame, &answer, id)?;
    loop {
        keep(server, OnFailure::Warn, &[Edit::note(edits, &record)])?;
        let now = match write::reread(server, pane, id) {
            Ok(now) => now,
            // The pane closed after the edits were made.
            Err(error) if error.exit == Exit::Changed => return Ok(Some(record)),
            Err(error) => return Err(error),
        };
        // If two processes change one sesh at the same time, the one that read the newer values may have written its
        // line first. The last line has to agree with tmux.
        if Edit::note(edits, &now).has_same_values(&Edit::note(edits, &record)) {
            return Ok(Some(now));
        }
        record = now;
    }
}

/// Makes edits to the record of an exited sesh. It reads the record, changes it, and writes it if no other process has
/// changed it meanwhile; else it tries again.
///
/// # Errors
/// [`Exit::Changed`] if the sesh has a pane again or is forgotten.
pub fn edit_record(server: &Server, old: &Record, edits: &[Edit]) -> Result<Record> {
    if old.kept.is_some() {
        return edit_in_journal(server, old, edits);
    }
    let id = old.uuid;
    let name = schema::book(id);
    let current = format!("#{{{name}}}");
    for _ in 0..ATTEMPTS {
        let output = server.run(&Batch::from(command::print(None, &current)))?;
        let stored = output.trim_end_matches('\n');
        let before = Values::from_book(stored).ok_or_else(|| changed(id))?;
        let mut values = before.clone();
        Edit::apply(edits, &mut values, &old.name)?;
        if values != before {
            values.set(Key::Updated, clock::seconds().to_string());
            let answer = server.run(&Batch::from(command::if_format(
                None,
                &format!("#{{==:{current},{stored}}}"),
                &Batch::from(command::set_server(&name, &values.to_book()))
                    .and(hint::of_sesh(id))
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

/// Like [`edit_record`], for a sesh that only the journal has. The pending restores are counted again if the sesh
/// becomes archived or unarchived, since an archived one is not offered for a restore.
fn edit_in_journal(server: &Server, old: &Record, edits: &[Edit]) -> Result<Record> {
    let id = old.uuid;
    let mut outcome = None;
    log_of(server)?.update(id, |line| {
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

/// Removes everything that is stored of an exited sesh.
///
/// # Errors
/// The tombstone cannot be written, and there is no server from which it could be written later.
pub fn forget(server: &Server, record: &Record) -> Result<()> {
    append::tombstones(server, &[record.uuid])?;
    match withdraw(server, record.uuid) {
        // The server has exited with its last pane, and its options are gone with it.
        Err(error) if error.server_is_gone() => {}
        outcome => outcome?,
    }
    if record.kept.is_some() {
        pending_restore::recount(server)?;
    }
    Ok(())
}

/// Like [`forget`], for many seshes, and compacts the journal, so that nothing of them is in the file any more.
///
/// # Errors
/// As [`forget`], and if the journal cannot be compacted.
pub fn forget_all(server: &Server, records: &[Record]) -> Result<()> {
    /// How many are removed from the server in one list.
    const AT_ONCE: usize = 100;
    let ids: Vec<SeshId> = records.iter().map(|record| record.uuid).collect();
    append::tombstones(server, &ids)?;
    for some in ids.chunks(AT_ONCE) {
        let mut batch = Batch::new();
        batch.extend(some.iter().flat_map(|id| removal(*id)));
        match server.run(&batch) {
            Err(error) if error.server_is_gone() => {}
            outcome => drop(outcome?),
        }
    }
    if records.iter().any(|record| record.kept.is_some()) {
        pending_restore::recount(server)?;
    }
    log_of(server)?.compact_now()
}

/// Writes tombstones of seshes that other seshes have already replaced in tmux.
///
/// # Errors
/// They cannot be written, and there is no server from which they could be written later.
pub fn forget_replaced(server: &Server, ids: impl IntoIterator<Item = SeshId>) -> Result<()> {
    append::tombstones(server, &ids.into_iter().collect::<Vec<_>>())
}

/// Removes what tmux stores of a sesh whose creation failed. The journal contains nothing of it.
///
/// # Errors
/// As [`Server::run`].
pub fn withdraw(server: &Server, id: SeshId) -> Result<()> {
    let mut batch = Batch::new();
    batch.extend(removal(id));
    server.run(&batch).map(drop)
}

/// Returns the commands that remove what tmux stores of a sesh without a pane.
fn removal(id: SeshId) -> Vec<Command> {
    let mut commands = vec![write::drop_record(id), tail::unset(id)];
    commands.extend(hint::of_sesh(id));
    commands
}
