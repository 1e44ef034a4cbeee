//! Notes for the journal: which change of a sesh is which line. A line holds the values that have changed, so that of two
//! processes that change different ones neither undoes the other.

use super::record::{Place, Record};
use super::schema::{Key, PANE};
use crate::clock;
use crate::id::SeshId;
use crate::journal::line::{Fields, Life, Line, Spot};
use crate::state::State;

/// What happened. The words are public: they stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
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
        let mut line = Line::new(record.uuid, event.as_str(), clock::seconds());
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
        let at = clock::seconds();
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
        let mut line = Line::new(id, event.as_str(), clock::seconds());
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

    pub(super) fn lasts(&self) -> bool {
        self.0.event != Event::State.as_str()
    }

    /// Whether nothing has to stand before it.
    pub(super) fn is_whole(&self) -> bool {
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
