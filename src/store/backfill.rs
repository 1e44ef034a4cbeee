//! Writes to the journal what it lacks: changes that happened while it could not be written, or while its file was
//! gone.

use std::collections::{HashMap, HashSet};

use super::durable::{Journal, log_of, tidy};
use super::note::{JournalEvent, Note, end_of, keys};
use super::query::{Select, Snapshot};
use super::record::Record;
use super::schema::{self, Key};
use super::{tail, value};
use crate::clock;
use crate::error::Result;
use crate::id::SeshId;
use crate::journal::line::{FORGOTTEN, Line};
use crate::journal::merged::MergedLines;
use crate::tmux::{Batch, Server, command};

/// Writes to the journal what it lacks of the seshes in tmux, compacts it, and returns the number of written lines.
///
/// # Errors
/// As [`Server::run`], and if the journal cannot be written.
pub fn write(server: &Server) -> Result<usize> {
    let written = save(server)?;
    tidy(server)?;
    clear_missed(server)?;
    Ok(written)
}

/// Returns all seshes that tmux has.
fn known(server: &Server) -> Result<Snapshot> {
    let select = Select {
        ended: true,
        ..Select::default()
    };
    Snapshot::read(server, &select)
}

/// Returns the number of seshes that tmux has and the journal lacks.
///
/// # Errors
/// As [`Server::run`].
pub fn lacks(server: &Server) -> Result<usize> {
    // The journal is read last, so that it already contains a sesh that is created in between.
    let snapshot = known(server)?;
    let of_tmux: HashSet<SeshId> = snapshot.records().map(|record| record.uuid).collect();
    let ids = Journal::search(server, &of_tmux.iter().copied().collect()).ids();
    Ok(of_tmux.difference(&ids).count())
}

/// Returns the last lines of an ended sesh, as they are stored.
fn last_lines(server: &Server, id: SeshId) -> Option<String> {
    let variable = format!("#{{{}}}", schema::tail(id));
    let answer = server.run(&Batch::from(command::print(None, &variable)));
    let text = answer.ok()?.trim_end_matches('\n').to_string();
    (!value::decode(&text).is_empty()).then_some(text)
}

/// Writes to the journal what it lacks of the seshes in tmux, and returns the number of written lines. Forgotten seshes
/// stay forgotten.
///
/// # Errors
/// As [`Server::run`], and if the journal cannot be read or written.
fn save(server: &Server) -> Result<usize> {
    // A server that does not answer is noticed before others are kept from writing.
    known(server)?;
    let log = log_of(server)?;
    // tmux is read while no other process writes. A process that changes a sesh changes it in tmux first, so its line
    // comes after those that are written here, and an older state is never the last one.
    let locked = log.locked()?;
    let snapshot = known(server)?;
    let records: Vec<&Record> = snapshot.records().collect();
    let life = snapshot.server_id;
    let forgotten = unwritten_forgotten(server);
    let ids = records.iter().map(|record| record.uuid);
    let text = log.search(&ids.chain(forgotten.iter().copied()).collect())?;
    let merged = MergedLines::of(&text);
    let known: HashMap<SeshId, Line<'_>> = merged.iter().map(|line| (line.uuid, line)).collect();
    let mut lines: Vec<Line<'_>> = forgotten
        .iter()
        .filter(|id| known.get(id).is_none_or(|old| !old.is_forgotten()))
        .map(|id| Line::new(*id, FORGOTTEN, clock::seconds()))
        .collect();
    for record in records {
        let old = known.get(&record.uuid);
        if old.is_some_and(Line::is_forgotten) {
            continue;
        }
        let mut now = Note::all(JournalEvent::Saved, record, life).line;
        let ended = !record.values.get(Key::Exit).is_empty();
        if ended && old.is_none_or(|old| old.tail.is_none()) {
            let tail = last_lines(server, record.uuid);
            now.tail = tail.map(|text| end_of(&text, tail::BYTES).to_string().into());
        }
        let same = old.is_some_and(|old| {
            let same = |key: Key| old.values.get(key.field()) == now.values.get(key.field());
            let there = now.spot.is_none() || (&old.spot, old.server) == (&now.spot, life);
            keys().all(same) && there && now.tail.is_none()
        });
        if !same {
            lines.push(now);
        }
    }
    if lines.is_empty() {
        drop(locked);
        log.probe()?;
        return Ok(0);
    }
    locked.append(&lines, true)?;
    Ok(lines.len())
}

/// Removes the variables that show that the journal lacks something, unless the journal still lacks a sesh that was
/// forgotten, or one was forgotten since the variable was read.
///
/// # Errors
/// As [`Server::run`].
fn clear_missed(server: &Server) -> Result<()> {
    let missed = unwritten_forgotten(server);
    let written = Journal::search(server, &missed.iter().copied().collect()).forgotten();
    if missed.iter().any(|id| !written.contains(id)) {
        return Ok(());
    }
    let ids: String = missed.iter().map(|id| format!(" {id}")).collect();
    let same = format!("#{{==:#{{{}}},{ids}}}", schema::FORGOTTEN);
    let none = Batch::from(command::unset_hidden(schema::UNWRITTEN))
        .then(command::unset_hidden(schema::FORGOTTEN));
    let unset = command::if_format(None, &same, &none, &Batch::new());
    server.run(&Batch::from(unset)).map(drop)
}

/// Returns the seshes that were forgotten while the journal could not be written.
fn unwritten_forgotten(server: &Server) -> Vec<SeshId> {
    let print = command::print(None, &format!("#{{{}}}", schema::FORGOTTEN));
    let ids = server.run(&Batch::from(print)).unwrap_or_default();
    let ids = ids.split_whitespace();
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// Returns whether a change could not be written to the journal while this server runs.
#[must_use]
pub fn was_missed(server: &Server) -> bool {
    let print = command::print(None, &format!("#{{{}}}", schema::UNWRITTEN));
    server
        .run(&Batch::from(print))
        .is_ok_and(|answer| !answer.trim_end().is_empty())
}
