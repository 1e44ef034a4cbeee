//! What of the store must outlive the server: which change is which line of the journal, and what the journal's lines
//! are again.
//!
//! The store in tmux is the truth while its server lives, and the journal is what is left when it does not. A line is
//! written after the change in tmux has happened, and is on the disk before success is reported; only what a sesh does
//! at the moment ([`state`]) is not waited for. It holds the values that have changed, so that of two who
//! change different ones neither undoes the other. What belongs to one life of a server is not written: processes, panes,
//! generations.
//!
//! Forgetting goes the other way round: first the tombstone, then tmux, so that nothing is left that could come back.
//!
//! Whoever wants to know what the journal has reads it first and asks tmux then: a sesh that is in the journal already
//! and not in tmux yet does not exist. What neither a pane nor a book has is ended, whatever its lines say: its server
//! is gone, and [`Record::was`] says what it did last.
//!
//! A journal that cannot be written is no reason not to go on. It is said once a server, and by `sesh-doctor`;
//! `sesh-save` writes what was missed.

use std::collections::HashSet;

use super::missed;
use super::record::{Exit, Place, Record, Values};
use super::schema::{self, Key, PANE};
use super::write::changed as changed_meanwhile;
use crate::error::{self, Error, Result};
use crate::id::SeshId;
use crate::journal::ledger::{self, Ledger};
use crate::journal::line::{FORGOTTEN, Fields, Line, Spot, Sum};
use crate::state::State;
use crate::tmux::{Batch, Server, command};

pub use crate::journal::line::Life;

/// What happened. The words are public: they stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Created,
    Adopted,
    /// Name, tags, note, fields, parent, put away or not; or that it runs again.
    Changed,
    /// Which agent, and in which conversation.
    Conversation,
    /// What it does: the only one that may be lost.
    State,
    Ended,
    /// All that is known, where something was missed.
    Saved,
}

impl Event {
    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Created => "created",
            Event::Adopted => "adopted",
            Event::Changed => "changed",
            Event::Conversation => "conversation",
            Event::State => "state",
            Event::Ended => "ended",
            Event::Saved => "saved",
        }
    }
}

/// What means nothing to another life of the server.
const FLEETING: [Key; 6] = [
    Key::Proc,
    Key::Pid,
    Key::Held,
    Key::Gen,
    Key::Seen,
    Key::Worked,
];
/// The values that say what a sesh does.
pub const STATE: [Key; 4] = [Key::State, Key::Why, Key::Since, Key::By];
/// The values that say which agent lives there.
pub const AGENT: [Key; 3] = [Key::Agent, Key::Conv, Key::Auto];
/// Of the last lines so much is written, in bytes as they are stored.
pub(super) const TAIL: usize = 4_000;

/// What the journal knows of a sesh that tmux does not know any more, besides its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// In which life of the server it was seen last.
    pub server: Option<Life>,
    /// Where it was.
    pub spot: Option<Left>,
    /// Its last lines, as they are stored.
    pub tail: Option<String>,
}

/// Where a sesh was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub session: String,
    /// The window's index in it.
    pub window: u32,
    /// The window's name.
    pub name: String,
}

/// Every key that outlives the server.
pub fn keys() -> impl Iterator<Item = Key> {
    PANE.iter()
        .map(|entry| entry.key)
        .filter(|key| !FLEETING.contains(key))
}

/// What is to be written of a sesh.
#[derive(Clone, Debug)]
pub struct Note<'a>(pub(super) Line<'a>);

impl<'a> Note<'a> {
    /// These values of it, and where it is.
    #[must_use]
    pub fn of(event: Event, record: &'a Record, keys: impl IntoIterator<Item = Key>) -> Self {
        let mut line = Line::new(record.uuid, event.as_str(), super::now());
        let values = keys
            .into_iter()
            .map(|key| (key.field().into(), record.values.get(key).into()));
        line.values = Fields(values.collect());
        line.spot = record.tmux.as_ref().map(spot);
        Self(line)
    }

    /// All that lasts of it.
    #[must_use]
    pub fn all(event: Event, record: &'a Record, life: Option<Life>) -> Self {
        let mut note = Self::of(event, record, keys());
        note.0.server = life;
        note
    }

    /// That it has ended, with its last lines where they are known. `exit` is without its time.
    #[must_use]
    pub fn end(id: SeshId, exit: &str, tail: Option<&'a str>) -> Self {
        let at = super::now();
        let mut line = Line::new(id, Event::Ended.as_str(), at);
        let values = [
            (Key::Exit, format!("{exit} {at}")),
            (Key::State, State::Exited.as_str().into()),
            (Key::Why, String::new()),
            (Key::Since, at.to_string()),
        ];
        let values = values.map(|(key, value)| (key.field().into(), value.into()));
        line.values = Fields(values.into());
        line.tail = tail.map(|tail| end_of(tail, TAIL).into());
        Self(line)
    }

    /// Single values, as they are stored.
    #[must_use]
    pub fn values(event: Event, id: SeshId, values: &[(Key, &'a str)]) -> Self {
        let mut line = Line::new(id, event.as_str(), super::now());
        let values = values
            .iter()
            .map(|(key, value)| (key.field().into(), (*value).into()));
        line.values = Fields(values.collect());
        Self(line)
    }

    /// The same with last lines, as they are stored.
    #[must_use]
    pub fn with_tail(mut self, tail: &'a str) -> Self {
        self.0.tail = Some(end_of(tail, TAIL).into());
        self
    }

    /// Whether it says the same as another, whenever.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        (&self.0.values, &self.0.spot) == (&other.0.values, &other.0.spot)
    }

    fn lasts(&self) -> bool {
        self.0.event != Event::State.as_str()
    }

    /// Whether nothing has to stand before it.
    fn is_whole(&self) -> bool {
        !self.0.values.get(Key::Created.field()).is_empty()
    }
}

fn spot(place: &Place) -> Spot<'_> {
    Spot {
        session: place.session.as_str().into(),
        window: place.window,
        name: place.window_name.as_str().into(),
    }
}

/// The end of a text of encoded lines, from the start of a line on.
pub(super) fn end_of(text: &str, most: usize) -> &str {
    const NEWLINE: &str = "%0A";
    if text.len() <= most {
        return text;
    }
    // A line begins where one ends.
    let from = (text.len() - most).saturating_sub(NEWLINE.len());
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at));
    let end = &text[from.unwrap_or(text.len())..];
    end.find(NEWLINE)
        .map_or("", |at| &end[at + NEWLINE.len()..])
}

pub(super) fn of(server: &Server) -> Result<Ledger> {
    let socket = server.address().ok_or_else(|| {
        Error::failed("nobody knows where that server's socket is: name it with -S")
    })?;
    Ledger::of(&socket)
}

/// Where the journal of a server is.
///
/// # Errors
/// There is no place for one.
pub fn file(server: &Server) -> Result<std::path::PathBuf> {
    Ok(of(server)?.path().into())
}

/// Writes down what has happened in tmux. What cannot be written is said, once a server.
pub fn note(server: &Server, notes: &[Note<'_>]) {
    if notes.is_empty() {
        return;
    }
    if let Err(error) = try_note(server, notes)
        && let Err(error) = complain(server, &error)
    {
        error::warn(error.sentence);
    }
}

/// The same by one whose words nobody reads, in a pane that goes or behind a hook: the next one that cannot write says it.
pub fn note_unheard(server: &Server, notes: &[Note<'_>]) {
    if notes.is_empty() || try_note(server, notes).is_ok() {
        return;
    }
    let unset = format!("#{{==:#{{{}}},}}", schema::UNWRITTEN);
    let missed = Batch::from(command::set_hidden(schema::UNWRITTEN, "missed"));
    // Without a server nobody would read that either.
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
    // A birth that could not be written, or a file that somebody took away: a part alone would be a sesh without a name.
    let lacks = parts.any(|note| !ledger.names(note.0.uuid));
    let lines: Vec<Line<'_>> = notes.iter().map(|note| note.0.clone()).collect();
    ledger.append(&lines, notes.iter().any(Note::lasts))?;
    if lacks {
        missed::write(server)?;
    }
    Ok(())
}

/// Says that the journal cannot be written, if nobody has in this life of the server. Without one it is the error that it
/// is: nobody is there who could write it later.
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
pub fn lived_in(server: &Server, records: &[Record], life: Life) -> Result<()> {
    let known = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let others = records.iter().filter(|record| known(record) != Some(life));
    let notes: Vec<Note<'_>> = others
        .map(|record| {
            let mut said = Line::new(record.uuid, Event::Saved.as_str(), super::now());
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
        let tombstone = Line::new(id, FORGOTTEN, super::now());
        ledger.append(&[tombstone], true)
    };
    known().or_else(|error| {
        let too = format!("#{{{}}} {id}", schema::FORGOTTEN);
        let too = command::set_hidden_expanded(schema::FORGOTTEN, &too);
        // Without a server that is told next.
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
        let line = line.ok_or_else(|| changed_meanwhile(id))?;
        let known = record_of(&line).ok_or_else(|| changed_meanwhile(id))?;
        let lived_in = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
        if lived_in(&known) != lived_in(record) {
            return Err(changed_meanwhile(id));
        }
        let mut values = known.values.clone();
        edit(&mut values)?;
        if values == known.values {
            outcome = Some(known);
            return Ok(None);
        }
        values.set(Key::Updated, super::now().to_string());
        let fields = keys()
            .filter(|key| values.get(*key) != known.values.get(*key))
            .map(|key| (key.field().into(), values.get(key).to_string().into()));
        let mut change = Line::new(id, Event::Changed.as_str(), super::now());
        change.values = Fields(fields.collect());
        let mut all = line;
        all.absorb(change.clone());
        outcome = record_of(&all);
        Ok(Some(change))
    })?;
    let record: Record = outcome.ok_or_else(|| changed_meanwhile(id))?;
    Ok(record.of(server))
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
        match of(server).and_then(|ledger| ledger.read()) {
            Ok(text) => Self { text },
            Err(error) => {
                error::warn(error.sentence);
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

/// What a line says, as of a sesh that has ended: now, if nobody wrote it down.
fn record_of(line: &Line<'_>) -> Option<Record> {
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
        record.exit = Some(Exit {
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
pub struct Standing {
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
pub fn examine(server: &Server) -> Result<Standing> {
    let ledger = of(server)?;
    let text = ledger.read()?;
    let sum = Sum::of(&text);
    ledger.probe()?;
    Ok(Standing {
        path: ledger.path().into(),
        bytes: text.len(),
        seshes: sum.lines.iter().filter(|line| !line.is_forgotten()).count(),
        newer: sum.newer,
        torn: sum.torn,
    })
}

pub use ledger::inspect;

#[cfg(test)]
mod tests {
    use super::*;

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
        let server = Some(Life { pid: 1, start: 2 });
        let mut line = Note::all(Event::Created, &record, server).0;
        let left = record_of(&line).expect("a record");
        assert_eq!((left.was, left.state), (Some(State::Busy), State::Exited));
        assert_eq!(left.tags, ["a", "b"]);
        assert_eq!(left.note.as_deref(), Some("50%"));
        assert_eq!(left.bound(), None);
        assert_eq!(left.kept.as_ref().expect("kept").server, server);

        line.absorb(Note::end(record.uuid, &Exit::value(Some(3), None), Some("a%0A")).0);
        let ended = record_of(&line).expect("a record");
        assert_eq!(
            (ended.was, ended.exit.expect("an exit").code),
            (None, Some(3))
        );
        assert_eq!(ended.kept.expect("kept").tail.as_deref(), Some("a%0A"));

        line.absorb(Line::new(record.uuid, FORGOTTEN, 1));
        assert!(record_of(&line).is_none());
    }

    #[test]
    fn of_last_lines_the_last_whole_ones_stay() {
        assert_eq!(end_of("a%0Ab%0A", 8), "a%0Ab%0A");
        assert_eq!(end_of("aü%0Ab%0A", 6), "b%0A");
        assert_eq!(end_of("aü%0Ab%0A", 8), "b%0A");
    }
}
