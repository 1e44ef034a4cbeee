//! Notes for the journal: which change of a sesh is which line. A line holds the values that have changed, so that of two
//! processes that change different ones neither undoes the other.

use super::record::{Place, Record};
use super::schema::{Key, Lifetime, PANE};
use crate::clock;
use crate::id::{ServerId, SeshId};
use crate::journal::line::{FORGOTTEN, Fields, Line, Spot};
use crate::state::State;

/// What happened. The words are public: they stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalEvent {
    Created,
    Adopted,
    /// Name, tags, note, fields, parent or archived; or that it runs again.
    Changed,
    /// Which agent, and in which conversation.
    Conversation,
    /// What it does: the only one that may be lost.
    State,
    Ended,
    /// All that is known, where something was missed.
    Saved,
}

impl JournalEvent {
    /// The word in the file.
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

/// The values that say what a sesh does.
pub const STATE: [Key; 4] = [Key::State, Key::Why, Key::Since, Key::By];
/// The values that say which agent lives there.
pub const AGENT: [Key; 3] = [Key::Agent, Key::Conv, Key::Auto];
/// Of the last lines so much is written, in bytes as they are stored.
pub(super) const TAIL: usize = 4_000;

/// Every key that outlives the server.
pub fn keys() -> impl Iterator<Item = Key> {
    PANE.iter()
        .filter(|entry| entry.lifetime == Lifetime::Journal)
        .map(|entry| entry.key)
}

/// What the journal is to keep of one change of a sesh.
#[derive(Clone, Debug)]
pub struct Note {
    pub(super) line: Line<'static>,
    /// See [`Note::of_pending`].
    pub(super) pending: bool,
}

impl Note {
    fn new(line: Line<'static>) -> Self {
        Self {
            line,
            pending: false,
        }
    }

    /// Returns a note of these values of a sesh, and of where it is.
    #[must_use]
    pub fn of(event: JournalEvent, record: &Record, keys: impl IntoIterator<Item = Key>) -> Self {
        let values = keys.into_iter().map(|key| (key, record.values.get(key)));
        let mut line = line(event, record.uuid, values);
        line.spot = record.tmux.as_ref().map(spot);
        Self::new(line)
    }

    /// Returns a note of all that outlives the server, and of the server where it lives.
    #[must_use]
    pub fn all(event: JournalEvent, record: &Record, life: Option<ServerId>) -> Self {
        let mut note = Self::of(event, record, keys());
        note.line.server = life;
        note
    }

    /// Returns a note of an end, with the last lines where they are known. `exit` is without its time.
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

    /// Returns a note that in this server a sesh was alive.
    pub(super) fn lived_in(id: SeshId, life: ServerId) -> Self {
        let mut note = Self::values(JournalEvent::Saved, id, &[]);
        note.line.server = Some(life);
        note
    }

    /// Returns a tombstone: nothing brings that sesh back.
    #[must_use]
    pub fn forgotten(id: SeshId) -> Self {
        Self::new(Line::new(id, FORGOTTEN, clock::seconds()))
    }

    /// The same with last lines, as they are stored.
    #[must_use]
    pub fn with_tail(mut self, tail: &str) -> Self {
        self.line.tail = Some(end_of(tail, TAIL).to_string().into());
        self
    }

    /// The same for a sesh that may be among the pending restores: their number is computed again.
    #[must_use]
    pub fn of_pending(mut self, pending: bool) -> Self {
        self.pending = pending;
        self
    }

    /// Returns whether it holds the same values as another, at whatever time.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        (&self.line.values, &self.line.spot) == (&other.line.values, &other.line.spot)
    }

    pub(super) fn lasts(&self) -> bool {
        self.line.event != JournalEvent::State.as_str()
    }

    /// Returns whether it needs no earlier line of the same sesh.
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn of_last_lines_the_last_whole_ones_stay() {
        assert_eq!(end_of("a%0Ab%0A", 8), "a%0Ab%0A");
        assert_eq!(end_of("aü%0Ab%0A", 6), "b%0A");
        assert_eq!(end_of("aü%0Ab%0A", 8), "b%0A");
    }
}
