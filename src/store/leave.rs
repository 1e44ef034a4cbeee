//! Exited seshes without a pane leave the server after a time, once the journal has all that the server has of them. Then
//! the journal alone answers for them.

use std::collections::HashSet;

use super::append::{self, OnFailure};
use super::condition::record_is;
use super::durable::log_of;
use super::note::{COUNTERS, JournalEvent, Note, keys};
use super::record::Record;
use super::{schema, tail, write};
use crate::error::Result;
use crate::id::{ServerId, SeshId};
use crate::journal::line::Line;
use crate::journal::merged::MergedLines;
use crate::tmux::{Batch, Server, command};

/// The largest number of seshes that leave at once. The others leave the next time.
const AT_ONCE: usize = 32;

/// An exited sesh without a pane.
#[derive(Clone, Debug)]
pub(crate) struct Leaver {
    pub(crate) record: Record,
    /// Its record, as it is stored.
    pub(crate) text: String,
}

/// Removes those of these seshes from the server of which the journal has everything, the ones that exited first before
/// the others. What it lacks of the others is written to it, and they leave the next time: what a sesh leaves on is what
/// was read from the file.
///
/// # Errors
/// As [`Server::run`], and if the journal cannot be read.
pub(crate) fn leave(server: &Server, life: ServerId, mut leavers: Vec<Leaver>) -> Result<()> {
    if leavers.is_empty() {
        return Ok(());
    }
    leavers.sort_by_key(|leaver| leaver.record.exit.and_then(|exit| exit.at));
    leavers.truncate(AT_ONCE);
    let ids: HashSet<SeshId> = leavers.iter().map(|leaver| leaver.record.uuid).collect();
    let mut tails = Batch::new();
    tails.extend(ids.iter().copied().map(tail::print));
    let tails = server.run(&tails)?;
    let tails = tail::read(&tails);
    let text = log_of(server)?.search(&ids.into_iter().collect())?;
    let merged = MergedLines::of(&text);
    let mut lacking = Vec::new();
    for Leaver { record, text } in &leavers {
        let id = record.uuid;
        let note = Note::leaving(record, life, tails.get(&id).copied().unwrap_or_default());
        match merged.get(id) {
            // A forgotten sesh has no data in the journal, whatever is written there.
            Some(old) if old.is_forgotten() => {}
            Some(old) if has_all(&old, &note.line) => {
                let commands = Batch::from(command::set_hidden(schema::LEFT, "1"))
                    .then(write::drop_record(id))
                    .then(tail::unset(id));
                // A restore or an edit meanwhile has changed the record.
                let same = record_is(id, text);
                let list = command::if_format(None, &same, &commands, &Batch::new());
                // Options are unset at the end of a list alone, so each sesh has its own.
                server.run(&Batch::from(list).repeatable())?;
            }
            _ => lacking.push(note),
        }
    }
    append::notes(server, &lacking, OnFailure::Leave);
    Ok(())
}

/// Returns whether the merged line of a sesh has all that a line has.
fn has_all(old: &Line<'_>, line: &Line<'_>) -> bool {
    let mut keys = keys().chain(COUNTERS);
    let tail = |line: &Line<'_>| line.tail.as_deref().unwrap_or_default().to_string();
    old.server == line.server
        && tail(old) == tail(line)
        && keys.all(|key| old.values.get(key.field()) == line.values.get(key.field()))
}

impl Note {
    /// Returns a note of everything that the server has of an exited sesh.
    fn leaving(record: &Record, life: ServerId, tail: &str) -> Self {
        let keys = keys().chain(COUNTERS);
        let mut note = Self::of(JournalEvent::Saved, record, keys);
        note.line.server = Some(life);
        // Without last lines in the server, those of an earlier life in the journal do not count any more.
        note.with_tail(tail)
    }
}
