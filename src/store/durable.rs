//! The part of the store that outlives the server: the lines of the journal, read as records.
//!
//! While a server runs, its options are authoritative; the journal is used for seshes that they do not contain. The
//! journal does not contain what belongs to one server process: processes, panes, generations.
//!
//! A caller has to read the journal first and tmux second, since a change is written to tmux before the journal: then
//! every sesh in the journal that is not in tmux is really absent there. A sesh with neither a pane nor a record in
//! tmux has exited, whatever its lines contain: its server is gone, and [`Record::was`] is its last state.

use std::collections::HashSet;

use super::kept::JournalData;
use super::note::{COUNTERS, PATH};
use super::record::{ExitStatus, Record, Values};
use super::schema::{Key, Lifetime, PANE};
use crate::clock;
use crate::env;
use crate::error::{self, Error, Result};
use crate::id::SeshId;
use crate::journal::export;
use crate::journal::exported_file::FileToExport;
use crate::journal::line::{FORGOTTEN, Line};
use crate::journal::log::{self, Log};
use crate::journal::merged::MergedLines;
use crate::journal::search::Search;
use crate::state::State;
use crate::tmux::Server;

/// Returns the log file of a server's journal.
///
/// # Errors
/// The server's socket is unknown, or there is no folder for journals.
pub(super) fn log_of(server: &Server) -> Result<Log> {
    let socket = server
        .address()
        .ok_or_else(|| Error::failed("the socket of the server is unknown: name it with -S"))?;
    Log::of(&socket)
}

/// Returns the path of a server's journal.
///
/// # Errors
/// The server's socket is unknown, or there is no folder for journals.
pub fn file(server: &Server) -> Result<std::path::PathBuf> {
    Ok(log_of(server)?.path().into())
}

/// The content of a journal at one moment, or a part of it.
#[derive(Debug, Default)]
pub struct Journal {
    text: Vec<u8>,
}

impl Journal {
    /// Reads the journal of a server. If it cannot be read, that is reported as a warning, and the journal is empty.
    #[must_use]
    pub fn read(server: &Server) -> Self {
        Self::or_warn(log_of(server).and_then(|log| log.read()))
    }

    /// Like [`Journal::read`], for the seshes that are searched for. It may contain some more.
    #[must_use]
    pub fn search(server: &Server, search: &Search) -> Self {
        Self::or_warn(log_of(server).and_then(|log| log.search(search)))
    }

    /// Like [`Journal::search`], for one sesh.
    #[must_use]
    pub fn of(server: &Server, id: SeshId) -> Self {
        Self::search(server, &Search::default().id(id))
    }

    fn or_warn(outcome: Result<Vec<u8>>) -> Self {
        match outcome {
            Ok(text) => Self { text },
            Err(error) => {
                error::warn(error.to_string());
                Self::default()
            }
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the seshes that are not in `known`, the seshes that tmux has. They are exited.
    #[must_use]
    pub fn others(&self, known: &HashSet<SeshId>) -> Vec<Record> {
        MergedLines::of(&self.text).map(|line| {
            (!known.contains(&line.uuid))
                .then(|| record_of(&line))
                .flatten()
        })
    }

    /// Returns whether it has a sesh that is not forgotten.
    #[must_use]
    pub fn has_records(&self) -> bool {
        let merged = MergedLines::of(&self.text);
        merged.iter().any(|line| record_of(&line).is_some())
    }

    /// Returns all seshes that have a line in the journal, forgotten ones too.
    #[must_use]
    pub fn ids(&self) -> HashSet<SeshId> {
        let merged = MergedLines::of(&self.text);
        merged.iter().map(|line| line.uuid).collect()
    }

    /// Returns whether a sesh has a line in the journal, even if it is forgotten.
    #[must_use]
    pub fn has(&self, id: SeshId) -> bool {
        MergedLines::of(&self.text).get(id).is_some()
    }

    /// Returns the session that a sesh was in last.
    #[must_use]
    pub fn session(&self, id: SeshId) -> Option<String> {
        let own = MergedLines::of(&self.text).get(id)?;
        Some(own.spot?.session.into_owned())
    }

    /// Returns the PATH that the command of a sesh got.
    #[must_use]
    pub fn path(&self, id: SeshId) -> Option<String> {
        let own = MergedLines::of(&self.text).get(id)?;
        Some(own.values.get(PATH))
            .filter(|path| !path.is_empty())
            .map(Into::into)
    }

    /// Returns the seshes that are forgotten.
    #[must_use]
    pub fn forgotten(&self) -> HashSet<SeshId> {
        let merged = MergedLines::of(&self.text);
        let forgotten = merged.iter().filter(Line::is_forgotten);
        forgotten.map(|line| line.uuid).collect()
    }
}

/// Returns the search for the seshes whose end is in no line: they were alive when their server died.
#[must_use]
pub(super) fn without_end() -> Search {
    Search::default().without(Key::Exit.field())
}

/// Returns the search for the seshes that are forgotten.
#[must_use]
pub(super) fn forgotten() -> Search {
    Search::default().value(FORGOTTEN)
}

/// Returns the sesh of a line. It is exited, since its server is gone.
pub(super) fn record_of(line: &Line<'_>) -> Option<Record> {
    // Without the line of its creation a sesh has no name, so a person could not refer to it.
    if line.is_forgotten() || line.values.get(Key::Name.field()).is_empty() {
        return None;
    }
    let id = line.uuid.to_string();
    let mut values = [""; PANE.len()];
    // The values of a line are in the order of the keys, so that the next key is mostly the one after the last.
    let mut next = PANE.iter().cycle();
    for (name, value) in &line.values.0 {
        let mut left = next.clone().take(PANE.len());
        if let Some(skipped) = left.position(|entry| entry.key.field() == name)
            && let Some(entry) = next.nth(skipped)
            && (entry.lifetime == Lifetime::Journal || COUNTERS.contains(&entry.key))
        {
            values[entry.key as usize] = value;
        }
    }
    values[Key::Id as usize] = &id;
    let mut record = Record::ended(Values::from_row(&values)?)?;
    if record.exit.is_none() {
        record.was = Some(
            record
                .values
                .get(Key::State)
                .parse()
                .unwrap_or(State::Unknown),
        );
        record.exit = Some(ExitStatus {
            code: None,
            signal: None,
            at: None,
        });
    }
    record.kept = Some(JournalData {
        server: line.server,
        // An empty one says that there are none. A screen without text is stored as a line end.
        tail: line
            .tail
            .as_deref()
            .filter(|tail| !tail.is_empty())
            .map(Into::into),
        lost_server: None,
    });
    Some(record)
}

/// Compacts the journal: rewrites it with the combined lines of each sesh.
///
/// # Errors
/// The journal cannot be written.
pub fn tidy(server: &Server) -> Result<()> {
    log_of(server)?.compact()
}

/// Writes the lines of all seshes that are not forgotten into a file for another machine. Returns their number.
///
/// # Errors
/// The journal cannot be read, or the file cannot be written; [`Exit::Nothing`](crate::error::Exit::Nothing) if there is
/// no sesh.
pub fn export(
    server: &Server,
    file: &std::path::Path,
    transcript: impl Fn(&Record) -> Option<FileToExport>,
) -> Result<Exported> {
    let text = log_of(server)?.read()?;
    let merged = MergedLines::of(&text);
    if merged.newer() > 0 {
        error::warn(
            "what a newer tmux-sesh wrote into the journal is not exported: update this one",
        );
    }
    let (lines, records): (Vec<Line<'_>>, Vec<Record>) = merged
        .iter()
        .filter_map(|line| record_of(&line).map(|record| (line, record)))
        .unzip();
    if lines.is_empty() {
        return Err(Error::nothing("there is no sesh to export"));
    }
    let mut files: Vec<FileToExport> = records.iter().filter_map(transcript).collect();
    // Two seshes may have had one conversation.
    files.sort_by(|one, other| one.source.cmp(&other.source));
    files.dedup_by(|one, other| one.source == other.source);
    export::write(file, &env::machine(), clock::seconds(), &lines, &files)?;
    Ok(Exported {
        seshes: lines.len(),
        transcripts: files.len(),
    })
}

/// What was exported.
#[derive(Clone, Copy, Debug)]
pub struct Exported {
    pub seshes: usize,
    pub transcripts: usize,
}

/// The status of a server's journal.
#[derive(Clone, Debug)]
pub struct JournalStatus {
    pub path: std::path::PathBuf,
    pub bytes: usize,
    pub seshes: usize,
    pub newer: usize,
    pub torn: usize,
}

/// Reads the journal of a server, and tests whether it can be written.
///
/// # Errors
/// The journal cannot be read or written.
pub fn examine(server: &Server) -> Result<JournalStatus> {
    let log = log_of(server)?;
    let text = log.read()?;
    let merged = MergedLines::of(&text);
    log.probe()?;
    Ok(JournalStatus {
        path: log.path().into(),
        bytes: text.len(),
        seshes: merged.iter().filter(|line| !line.is_forgotten()).count(),
        newer: merged.newer(),
        torn: merged.torn(),
    })
}

pub use log::inspect;

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::id::ServerId;
    use crate::store::note::{JournalEvent, Note};

    const ID: &str = "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";

    fn record() -> Record {
        let mut values = Values::default();
        for (key, value) in [
            (Key::Id, ID),
            (Key::Name, "x"),
            (Key::Tags, " a b "),
            (Key::State, "busy"),
            (Key::Proc, "41:900"),
            (Key::Note, "50%25"),
        ] {
            values.set(key, value);
        }
        Record::ended(values).expect("a record")
    }

    #[test]
    fn a_record_round_trips_through_the_journal() {
        let record = record();
        let server = Some(ServerId { pid: 1, start: 2 });
        let mut line = Note::all(JournalEvent::Created, &record, server).line;
        let lost = record_of(&line).expect("a record");
        assert_eq!((lost.was, lost.state), (Some(State::Busy), State::Exited));
        assert_eq!(lost.tags, ["a", "b"]);
        assert_eq!(lost.note.as_deref(), Some("50%"));
        assert_eq!(lost.bound(), None);
        assert_eq!(lost.kept.as_ref().expect("kept").server, server);

        line.absorb(Note::end(record.uuid, &ExitStatus::value(Some(3), None), Some("a%0A")).line);
        let ended = record_of(&line).expect("a record");
        assert_eq!(
            (ended.was, ended.exit.expect("an exit").code),
            (None, Some(3))
        );
        assert_eq!(ended.kept.expect("kept").tail.as_deref(), Some("a%0A"));

        line.absorb(Line::new(record.uuid, FORGOTTEN, 1));
        assert!(record_of(&line).is_none());
    }
}
