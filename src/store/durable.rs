//! What of the store outlives the server: the journal's lines, as records.
//!
//! The store in tmux is the truth while its server lives, and the journal is what is left when it does not. What belongs to
//! one life of a server is not in it: processes, panes, generations.
//!
//! To know what the journal has, read it first and ask tmux then: a sesh that is in the journal already and not in tmux yet
//! does not exist. What neither a pane nor a book has is exited, whatever its lines say: its server is gone, and
//! [`Record::was`] says what it did last.

use std::collections::HashSet;

use super::kept::{Kept, Left};
use super::note::keys;
use super::record::{ExitStatus, Record, Values};
use super::schema::{Key, PANE};
use crate::error::{self, Error, Result};
use crate::id::SeshId;
use crate::journal::line::{Line, Sum};
use crate::journal::log::{self, Log};
use crate::state::State;
use crate::tmux::Server;

pub(super) fn of(server: &Server) -> Result<Log> {
    let socket = server
        .address()
        .ok_or_else(|| Error::failed("the socket of that server is unknown: name it with -S"))?;
    Log::of(&socket)
}

/// Where the journal of a server is.
///
/// # Errors
/// There is no place for one.
pub fn file(server: &Server) -> Result<std::path::PathBuf> {
    Ok(of(server)?.path().into())
}

/// What a journal holds at one moment.
#[derive(Debug, Default)]
pub struct Journal {
    text: Vec<u8>,
}

impl Journal {
    /// Reads it. One that cannot be read is said, and is empty.
    #[must_use]
    pub fn read(server: &Server) -> Self {
        match of(server).and_then(|log| log.read()) {
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

    /// The seshes that are not among those that tmux knows, as ended ones.
    #[must_use]
    pub fn others(&self, known: &HashSet<SeshId>) -> Vec<Record> {
        Sum::of(&self.text)
            .lines
            .iter()
            .filter(|line| !known.contains(&line.uuid))
            .filter_map(record_of)
            .collect()
    }

    /// All that it has ever heard of.
    #[must_use]
    pub fn ids(&self) -> HashSet<SeshId> {
        let lines = Sum::of(&self.text).lines;
        lines.iter().map(|line| line.uuid).collect()
    }

    /// Whether it has ever heard of one.
    #[must_use]
    pub fn has(&self, id: SeshId) -> bool {
        Sum::of(&self.text).lines.iter().any(|line| line.uuid == id)
    }

    /// The session that a sesh was in last.
    #[must_use]
    pub fn session(&self, id: SeshId) -> Option<String> {
        let lines = Sum::of(&self.text).lines;
        let own = lines.iter().find(|line| line.uuid == id)?;
        Some(own.spot.as_ref()?.session.clone().into_owned())
    }

    /// Those that are forgotten.
    #[must_use]
    pub fn forgotten(&self) -> HashSet<SeshId> {
        let lines = Sum::of(&self.text).lines;
        lines
            .iter()
            .filter(|line| line.is_forgotten())
            .map(|line| line.uuid)
            .collect()
    }
}

/// Returns what a line says, as an exited sesh: its server is gone.
pub(super) fn record_of(line: &Line<'_>) -> Option<Record> {
    // Of one whose birth is not there nothing is left that could be called by a name.
    if line.is_forgotten() || line.values.get(Key::Name.field()).is_empty() {
        return None;
    }
    let id = line.uuid.to_string();
    let mut values = [""; PANE.len()];
    for (name, value) in &line.values.0 {
        if let Some(key) = keys().find(|key| key.field() == name) {
            values[key as usize] = value;
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
    record.kept = Some(Kept {
        server: line.server,
        spot: line.spot.as_ref().map(|spot| Left {
            session: spot.session.clone().into_owned(),
            window: spot.window,
            name: spot.name.clone().into_owned(),
        }),
        tail: line.tail.as_ref().map(|tail| tail.clone().into_owned()),
    });
    Some(record)
}

/// Writes the journal anew with what its lines add up to.
///
/// # Errors
/// It cannot be written.
pub fn tidy(server: &Server) -> Result<()> {
    of(server)?.compact()
}

/// How the journal of a server stands.
#[derive(Clone, Debug)]
pub struct JournalStatus {
    pub path: std::path::PathBuf,
    pub bytes: usize,
    pub seshes: usize,
    pub newer: usize,
    pub torn: usize,
}

/// Looks at the journal of a server, and tries whether it can be written.
///
/// # Errors
/// The sentence that says what is wrong.
pub fn examine(server: &Server) -> Result<JournalStatus> {
    let log = of(server)?;
    let text = log.read()?;
    let sum = Sum::of(&text);
    log.probe()?;
    Ok(JournalStatus {
        path: log.path().into(),
        bytes: text.len(),
        seshes: sum.lines.iter().filter(|line| !line.is_forgotten()).count(),
        newer: sum.newer,
        torn: sum.torn,
    })
}

pub use log::inspect;

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::id::ServerId;
    use crate::journal::line::FORGOTTEN;
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
    fn what_lasts_comes_back() {
        let record = record();
        let server = Some(ServerId { pid: 1, start: 2 });
        let mut line = Note::all(JournalEvent::Created, &record, server).line;
        let left = record_of(&line).expect("a record");
        assert_eq!((left.was, left.state), (Some(State::Busy), State::Exited));
        assert_eq!(left.tags, ["a", "b"]);
        assert_eq!(left.note.as_deref(), Some("50%"));
        assert_eq!(left.bound(), None);
        assert_eq!(left.kept.as_ref().expect("kept").server, server);

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
