//! Registers seshes that have no pane: conversations of agents, and seshes of another journal. They are exited, and only
//! the journal has them, from where they can be restored.

use std::collections::{HashMap, HashSet};

use super::condition::name_is_free;
use super::durable::{log_of, record_of};
use super::hint;
use super::note::{JournalEvent, PATH, keys};
use super::query::{Past, Select, Snapshot};
use super::record::{ExitStatus, Record};
use super::schema::Key;
use super::value;
use crate::clock;
use crate::error::{Exit, Result};
use crate::id::{Name, SeshId};
use crate::journal::line::{Fields, Line, Spot};
use crate::journal::merged::MergedLines;
use crate::journal::search::Search;
use crate::state::State;
use crate::tmux::{Batch, Server, command};

/// The largest number of bytes of one value. Anything longer was not written by this program.
const MAX_VALUE: usize = 64 * 1024;

/// A sesh that is to be registered.
#[derive(Clone, Debug)]
pub struct Unregistered {
    line: Line<'static>,
    /// Whether it was alive where it comes from.
    pub was_alive: bool,
}

/// What became of a [`Unregistered`].
#[derive(Clone, Debug)]
pub enum RegisterOutcome {
    Registered(Box<Record>),
    /// Its identity is known, perhaps as a forgotten sesh. Nothing of it has changed.
    Known,
    /// This sesh has its conversation.
    ConversationTaken(Box<Record>),
}

impl Unregistered {
    /// Returns an exited sesh with these values, as they are stored. The cause of its end is unknown. `end` is its time,
    /// in seconds since the epoch.
    #[must_use]
    pub fn exited(id: SeshId, values: &[(Key, String)], end: u64) -> Self {
        let mut line = Line::new(id, JournalEvent::Adopted.as_str(), clock::seconds());
        let values = values
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.field().into(), value.clone().into()));
        line.values = Fields(values.collect());
        let mut sesh = Self {
            line,
            was_alive: false,
        };
        sesh.end(end);
        sesh
    }

    /// Returns the sesh of a line of another journal. `end` is the time of its end if the line contains none.
    ///
    /// # Errors
    /// What is wrong with the line. A value that this program would not have written is refused, because stored values
    /// get into formats of tmux.
    pub fn from_line(line: &Line<'_>, end: u64) -> Result<Self, String> {
        let name = line.values.get(Key::Name.field());
        Name::stored(name).map_err(|error| error.to_string())?;
        let own = |field: &str| field == PATH || keys().any(|key| key.field() == field);
        let mut values = Vec::new();
        for (field, text) in line.values.0.iter().filter(|(field, _)| own(field)) {
            let is_name = field == Key::Name.field();
            if text.len() > MAX_VALUE || !(is_name || field == PATH || value::is_stored(text)) {
                return Err(format!("the value of {field} is malformed"));
            }
            if !text.is_empty() {
                values.push((field.to_string().into(), text.to_string().into()));
            }
        }
        if line
            .tail
            .as_ref()
            .is_some_and(|tail| !value::is_stored(tail))
        {
            return Err("its last lines are malformed".into());
        }
        let mut own = Line::new(line.uuid, JournalEvent::Saved.as_str(), clock::seconds());
        own.values = Fields(values);
        own.tail = line.tail.as_ref().map(|tail| tail.to_string().into());
        own.spot = line.spot.as_ref().map(|spot| Spot {
            session: spot.session.to_string().into(),
            window: spot.window,
            name: spot.name.to_string().into(),
        });
        let mut sesh = Self {
            was_alive: line.values.get(Key::Exit.field()).is_empty(),
            line: own,
        };
        sesh.set(Key::Id, line.uuid.to_string());
        if sesh.was_alive {
            sesh.end(end);
        }
        match record_of(&sesh.line) {
            Some(_) => Ok(sesh),
            None => Err("it is no record of a sesh".into()),
        }
    }

    #[must_use]
    pub fn id(&self) -> SeshId {
        self.line.uuid
    }

    /// Returns its record, as it would be registered.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        record_of(&self.line)
    }

    fn end(&mut self, at: u64) {
        let exit = format!("{} {at}", ExitStatus::value(None, None));
        self.set(Key::Exit, exit);
        self.set(Key::State, State::Exited.as_str().into());
        self.set(Key::Why, String::new());
        self.set(Key::Since, at.to_string());
    }

    fn set(&mut self, key: Key, text: String) {
        let values = &mut self.line.values.0;
        values.retain(|(field, _)| field != key.field());
        if !text.is_empty() {
            values.push((key.field().into(), text.into()));
        }
    }

    fn conversation(&self) -> &str {
        self.line.values.get(Key::Conv.field())
    }
}

/// Returns whether no live sesh has this name.
///
/// # Errors
/// As [`Server::run`]. Without a server the name is free.
pub fn is_name_free(server: &Server, name: &Name) -> Result<bool> {
    let free = name_is_free(name, None);
    let question = command::print(None, &format!("#{{?{free},free,taken}}"));
    match server.run(&Batch::from(question)) {
        Err(error) if error.exit == Exit::NoServer => Ok(true),
        outcome => Ok(outcome?.trim() == "free"),
    }
}

/// Registers seshes: all that are new, or none. With `write` false it does nothing, and returns what it would do.
///
/// # Errors
/// The journal cannot be read or written, and as [`Server::run`]. No server is needed.
pub fn register(
    server: &Server,
    seshes: &[Unregistered],
    write: bool,
) -> Result<Vec<RegisterOutcome>> {
    let log = log_of(server)?;
    // Two processes that register one conversation do it one after the other.
    let locked = log.locked()?;
    let ids = seshes.iter().map(Unregistered::id);
    let conversations = seshes.iter().map(Unregistered::conversation);
    let search = conversations
        .filter(|conversation| !conversation.is_empty())
        .fold(ids.collect::<Search>(), Search::value);
    let text = log.search(&search)?;
    let written = MergedLines::of(&text);
    let select = Select {
        ended: true,
        past: Past::Of(search),
        ..Select::default()
    };
    let snapshot = match Snapshot::read(server, &select) {
        Err(error) if error.exit == Exit::NoServer => Snapshot::default(),
        outcome => outcome?,
    };
    let mut present: HashSet<SeshId> = snapshot.records().map(|record| record.uuid).collect();
    let mut holders: HashMap<String, Record> = HashMap::new();
    for record in snapshot.records() {
        let conversation = record.values.get(Key::Conv);
        if !conversation.is_empty() {
            // One with a pane comes first.
            let holder = holders.entry(conversation.into());
            holder.or_insert_with(|| record.clone());
        }
    }
    let mut outcomes = Vec::new();
    let mut lines = Vec::new();
    for sesh in seshes {
        let id = sesh.id();
        let is_known = written.get(id).is_some() || !present.insert(id);
        let conversation = sesh.conversation();
        let outcome = match (holders.get(conversation), sesh.record()) {
            _ if is_known => RegisterOutcome::Known,
            (Some(holder), _) => RegisterOutcome::ConversationTaken(Box::new(holder.clone())),
            (None, Some(record)) => {
                let record = record.of(server);
                if !conversation.is_empty() {
                    holders.insert(conversation.into(), record.clone());
                }
                lines.push(sesh.line.clone());
                RegisterOutcome::Registered(Box::new(record))
            }
            (None, None) => RegisterOutcome::Known,
        };
        outcomes.push(outcome);
    }
    if !write || lines.is_empty() {
        return Ok(outcomes);
    }
    locked.append(&lines, true)?;
    let mut hints = Batch::new();
    hints.extend(
        lines
            .first()
            .into_iter()
            .flat_map(|line| hint::of_sesh(line.uuid)),
    );
    match server.run(&hints) {
        Err(error) if error.server_is_gone() => {}
        outcome => drop(outcome?),
    }
    Ok(outcomes)
}
