//! Writing down for the journal what it lacks: what was missed while it could not be written, or while its file was gone.

use std::collections::{HashMap, HashSet};

use super::durable::{Journal, of, tidy};
use super::note::{JournalEvent, Note, TAIL, end_of, keys};
use super::query::{Select, Snapshot};
use super::record::Record;
use super::schema::{self, Key};
use super::value;
use crate::clock;
use crate::error::Result;
use crate::id::{ServerId, SeshId};
use crate::journal::line::{FORGOTTEN, Line, Sum};
use crate::tmux::{Batch, Server, command};

/// How often it is looked again: others change things meanwhile, and theirs must not be written over with what was.
const TIMES: usize = 8;

/// Writes what the journal lacks of all that tmux knows, and gives how many lines that took. It is written anew then.
///
/// # Errors
/// As [`Server::run`], and when the journal cannot be written.
pub fn write(server: &Server) -> Result<usize> {
    let mut written = 0;
    for _ in 0..TIMES {
        let snapshot = known(server)?;
        let records: Vec<&Record> = snapshot.records().collect();
        let more = save(server, &records, snapshot.life, &|id| tail(server, id))?;
        written += more;
        if more == 0 {
            break;
        }
    }
    tidy(server)?;
    all_is_written(server)?;
    Ok(written)
}

/// All that tmux knows.
fn known(server: &Server) -> Result<Snapshot> {
    let select = Select {
        ended: true,
        ..Select::default()
    };
    Snapshot::read(server, &select)
}

/// How many seshes that tmux knows the journal does not.
///
/// # Errors
/// As [`Server::run`].
pub fn lacks(server: &Server) -> Result<usize> {
    // The journal is asked last: what is born in between is in it already.
    let snapshot = known(server)?;
    let ids: HashSet<SeshId> = Journal::read(server).ids();
    let lacks = |record: &&Record| !ids.contains(&record.uuid);
    Ok(snapshot.records().filter(lacks).count())
}

/// The last lines of an ended sesh, as they are stored.
fn tail(server: &Server, id: SeshId) -> Option<String> {
    let variable = format!("#{{{}}}", schema::tail(id));
    let answer = server.run(&Batch::from(command::print(None, &variable)));
    let text = answer.ok()?.trim_end_matches('\n').to_string();
    (!value::decode(&text).is_empty()).then_some(text)
}

/// Writes what the journal lacks of these seshes, and gives how many those are. Forgotten ones stay forgotten.
///
/// # Errors
/// It cannot be read or written.
fn save(
    server: &Server,
    records: &[&Record],
    life: Option<ServerId>,
    tails: &dyn Fn(SeshId) -> Option<String>,
) -> Result<usize> {
    let log = of(server)?;
    let text = log.read()?;
    let sum = Sum::of(&text);
    let known: HashMap<SeshId, &Line<'_>> =
        sum.lines.iter().map(|line| (line.uuid, line)).collect();
    let missed = forgotten_meanwhile(server);
    let mut lines: Vec<Line<'_>> = missed
        .iter()
        .filter(|id| known.get(id).is_none_or(|old| !old.is_forgotten()))
        .map(|id| Line::new(*id, FORGOTTEN, clock::seconds()))
        .collect();
    for record in records {
        let old = known.get(&record.uuid);
        if old.is_some_and(|old| old.is_forgotten()) {
            continue;
        }
        let mut now = Note::all(JournalEvent::Saved, record, life).line;
        let ended = !record.values.get(Key::Exit).is_empty();
        if ended && old.is_none_or(|old| old.tail.is_none()) {
            now.tail = tails(record.uuid).map(|tail| end_of(&tail, TAIL).to_string().into());
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
        log.probe()?;
    }
    log.append(&lines, true)?;
    Ok(lines.len())
}

/// Says that nothing is missed any more. What was forgotten and could not be written since the journal was read stays said.
///
/// # Errors
/// As [`Server::run`].
fn all_is_written(server: &Server) -> Result<()> {
    let forgotten = Journal::read(server).forgotten();
    let missed = forgotten_meanwhile(server);
    if missed.iter().any(|id| !forgotten.contains(id)) {
        return Ok(());
    }
    let ids: String = missed.iter().map(|id| format!(" {id}")).collect();
    let same = format!("#{{==:#{{{}}},{ids}}}", schema::FORGOTTEN);
    let none = Batch::from(command::unset_hidden(schema::UNWRITTEN))
        .then(command::unset_hidden(schema::FORGOTTEN));
    let unset = command::if_format(None, &same, &none, &Batch::new());
    server.run(&Batch::from(unset)).map(drop)
}

/// Those that were forgotten while the journal could not be written.
fn forgotten_meanwhile(server: &Server) -> Vec<SeshId> {
    let said = command::print(None, &format!("#{{{}}}", schema::FORGOTTEN));
    let said = server.run(&Batch::from(said)).unwrap_or_default();
    let ids = said.split_whitespace();
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// Whether something was missed in this life of the server.
#[must_use]
pub fn was_missed(server: &Server) -> bool {
    let said = command::print(None, &format!("#{{{}}}", schema::UNWRITTEN));
    server
        .run(&Batch::from(said))
        .is_ok_and(|answer| !answer.trim_end().is_empty())
}
