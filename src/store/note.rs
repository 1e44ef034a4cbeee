//! Notes for the journal: each change of a sesh becomes one line. A line contains only the values that have changed, so
//! that two processes that change different values do not undo each other's change.

use super::record::{Place, Record};
use super::schema::{Key, Lifetime, PANE};
use super::tail;
use crate::clock;
use crate::id::{ServerId, SeshId};
use crate::journal::line::{FORGOTTEN, Fields, Line, Spot};
use crate::state::State;

/// The kind of a change. The words are public, since the file contains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalEvent {
    Created,
    Adopted,
    /// The name, tags, note, fields or parent changed, the sesh was archived or unarchived, or it runs again.
    Changed,
    /// The agent or its conversation changed.
    Conversation,
    /// The state changed. Only these lines may be lost.
    State,
    Ended,
    /// All values are written, since the journal lacked some.
    Saved,
}

impl JournalEvent {
    /// Returns the word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            JournalEvent::Created => "created",
            JournalEvent::Adopted => "adopted",
            JournalEvent::Changed => "changed",
            JournalEvent::Conversation => "conversation",
            JournalEvent::State => "state",
            JournalEvent::Ended => "ended",
            JournalEvent::Saved => "saved",
        }
    }
}

/// The name of the value that only the journal has: the PATH of a sesh.
pub(super) const PATH: &str = "path";
/// The values that only a server changes. The journal gets them when a sesh leaves the server, so that they stay the same.
pub(super) const COUNTERS: [Key; 4] = [Key::Gen, Key::Seen, Key::Worked, Key::Pid];
/// The values that describe the state of a sesh.
pub const STATE: [Key; 4] = [Key::State, Key::Why, Key::Since, Key::By];
/// The values that describe the agent of a sesh.
pub const AGENT: [Key; 3] = [Key::Agent, Key::Conv, Key::Auto];
/// Returns the keys of the values that outlive the server.
pub fn keys() -> impl Iterator<Item = Key> {
    PANE.iter()
        .filter(|entry| entry.lifetime == Lifetime::Journal)
        .map(|entry| entry.key)
}

/// A note for the journal about one change of a sesh.
#[derive(Clone, Debug)]
pub struct Note {
    pub(super) line: Line<'static>,
    /// Whether the sesh may be among the pending restores: see [`Note::of_pending`].
    pub(super) pending: bool,
}

impl Note {
    fn new(line: Line<'static>) -> Self {
        Self {
            line,
            pending: false,
        }
    }

    /// Returns a note of these values of a sesh and of its location.
    #[must_use]
    pub fn of(event: JournalEvent, record: &Record, keys: impl IntoIterator<Item = Key>) -> Self {
        let values = keys.into_iter().map(|key| (key, record.values.get(key)));
        let mut line = line(event, record.uuid, values);
        line.spot = record.tmux.as_ref().map(spot);
        Self::new(line)
    }

    /// Returns a note of all values that outlive the server, of the location, and of the server on which the sesh is
    /// alive.
    #[must_use]
    pub fn all(event: JournalEvent, record: &Record, life: Option<ServerId>) -> Self {
        let mut note = Self::of(event, record, keys());
        note.line.server = life;
        note
    }

    /// Returns a note of an end, with the last lines if they are known. `exit` is the exit status without its time.
    #[must_use]
    pub fn end(id: SeshId, exit: &str, tail: Option<&str>) -> Self {
        let at = clock::seconds();
        let exit = format!("{exit} {at}");
        let since = at.to_string();
        let values = [
            (Key::Exit, exit.as_str()),
            (Key::State, State::Exited.as_str()),
            (Key::Why, ""),
            (Key::Since, &since),
            (Key::By, "process"),
        ];
        let mut line = line(JournalEvent::Ended, id, values);
        line.at = at;
        let note = Self::new(line);
        match tail {
            Some(tail) => note.with_tail(tail),
            None => note,
        }
    }

    /// Returns a note of single values, as they are stored.
    #[must_use]
    pub fn values(event: JournalEvent, id: SeshId, values: &[(Key, &str)]) -> Self {
        Self::new(line(event, id, values.iter().copied()))
    }

    /// Returns a note that a sesh was alive on this server.
    pub(super) fn lived_in(id: SeshId, life: ServerId) -> Self {
        let mut note = Self::values(JournalEvent::Saved, id, &[]);
        note.line.server = Some(life);
        note
    }

    /// Returns a tombstone: the sesh cannot be restored any more.
    #[must_use]
    pub fn forgotten(id: SeshId) -> Self {
        Self::new(Line::new(id, FORGOTTEN, clock::seconds()))
    }

    /// Returns the note with last lines, which are given as they are stored.
    #[must_use]
    pub fn with_tail(mut self, tail: &str) -> Self {
        self.line.tail = Some(end_of(tail, tail::BYTES).to_string().into());
        self
    }

    /// Returns the note with the PATH that the command of the sesh got. A restore on a server that was started without it
    /// looks for programs there.
    #[must_use]
    pub fn with_path(mut self, path: Option<&str>) -> Self {
        let value = path.map(|path| (PATH.into(), path.to_string().into()));
        self.line.values.0.extend(value);
        self
    }

    /// Returns the note with the information whether the sesh may be among the pending restores. If it may,
    /// [`commit`](mod@super::commit) counts them again.
    #[must_use]
    pub fn with_pending(mut self, pending: bool) -> Self {
        self.pending = pending;
        self
    }

    /// Returns whether it contains the same values and location as another note. The time is not compared.
    #[must_use]
    pub fn has_same_values(&self, other: &Self) -> bool {
        (&self.line.values, &self.line.spot) == (&other.line.values, &other.line.spot)
    }

    /// Returns whether its line must not be lost.
    pub(super) fn is_durable(&self) -> bool {
        self.line.event != JournalEvent::State.as_str()
    }

    /// Returns whether it is complete without an earlier line of the same sesh.
    pub(super) fn is_whole(&self) -> bool {
        !self.line.values.get(Key::Created.field()).is_empty()
    }
}

fn line<'v>(
    event: JournalEvent,
    id: SeshId,
    values: impl IntoIterator<Item = (Key, &'v str)>,
) -> Line<'static> {
    let mut line = Line::new(id, event.as_str(), clock::seconds());
    let values = values
        .into_iter()
        .map(|(key, value)| (key.field().into(), value.to_string().into()));
    line.values = Fields(values.collect());
    line
}

fn spot(place: &Place) -> Spot<'static> {
    Spot {
        session: place.session.clone().into(),
        window: place.window,
        name: place.window_name.clone().into(),
    }
}

/// Returns the end of a text of encoded lines: at most `most` bytes, from the start of a line on.
pub(super) fn end_of(text: &str, most: usize) -> &str {
    const NEWLINE: &str = "%0A";
    if text.len() <= most {
        return text;
    }
    // A line begins after the newline of the line before it, which may lie just before the last `most` bytes.
    let from = (text.len() - most).saturating_sub(NEWLINE.len());
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at));
    let end = &text[from.unwrap_or(text.len())..];
    end.find(NEWLINE)
        .map_or("", |at| &end[at + NEWLINE.len()..])
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn end_of_keeps_whole_lines() {
        assert_eq!(end_of("a%0Ab%0A", 8), "a%0Ab%0A");
        assert_eq!(end_of("aü%0Ab%0A", 6), "b%0A");
        assert_eq!(end_of("aü%0Ab%0A", 8), "b%0A");
    }
}
