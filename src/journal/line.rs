//! The lines of a journal: one JSON object each. Several lines of one identity are merged into one.

use std::borrow::Cow;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{ServerId, SeshId};

/// The version of the format of a line.
pub const SCHEMA: u32 = 1;
/// The event after which no data of an identity counts.
pub const FORGOTTEN: &str = "forgotten";

/// The position of a pane: its session and window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot<'a> {
    #[serde(borrow)]
    pub session: Cow<'a, str>,
    /// The index of the window in the session.
    pub window: u32,
    /// The window's name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// Values by name, in the order in which they were first set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a>(pub Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Fields<'a> {
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(it, _)| it == name)
            .map_or("", |(_, value)| value)
    }

    fn absorb(&mut self, later: Fields<'a>) {
        for (name, value) in later.0 {
            match self.0.iter().position(|(it, _)| *it == name) {
                Some(at) if value.is_empty() => {
                    self.0.remove(at);
                }
                Some(at) => self.0[at].1 = value,
                None if value.is_empty() => {}
                None => self.0.push((name, value)),
            }
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A text that is borrowed from the input if it contains no JSON escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("texts by name")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Vec::with_capacity(24);
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// One change of one identity, or the merged result of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<'a> {
    pub schema: u32,
    pub uuid: SeshId,
    /// What happened; in a merged line, the last event.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// When it happened, in seconds since the epoch. In a merged line, the time of the last event.
    pub at: u64,
    /// The server in which the sesh was created or seen alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot<'a>>,
    #[serde(borrow, default)]
    pub values: Fields<'a>,
    /// The last lines of its pane.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    #[must_use]
    pub fn new(uuid: SeshId, event: &'a str, at: u64) -> Self {
        Self {
            schema: SCHEMA,
            uuid,
            event: event.into(),
            at,
            server: None,
            spot: None,
            values: Fields::default(),
            tail: None,
        }
    }

    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.event == FORGOTTEN
    }

    /// Merges a later line into this one. A later value replaces the earlier one, and an empty value removes it.
    pub fn absorb(&mut self, later: Line<'a>) {
        if self.is_forgotten() {
            return;
        }
        if later.is_forgotten() {
            *self = Line {
                schema: SCHEMA,
                server: None,
                spot: None,
                values: Fields::default(),
                tail: None,
                ..later
            };
            return;
        }
        self.event = later.event;
        self.at = later.at;
        self.server = later.server.or(self.server);
        self.spot = later.spot.or(self.spot.take());
        self.values.absorb(later.values);
        self.tail = later.tail.or(self.tail.take());
    }

    /// Returns the first line of an identity without its empty values, which have no value to remove.
    pub(super) fn without_empty_values(mut self) -> Self {
        self.values.0.retain(|(_, value)| !value.is_empty());
        self
    }
}

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
pub(super) struct Head<'a> {
    pub(super) schema: u32,
    /// The socket of the server that the file belongs to.
    #[serde(borrow)]
    pub(super) journal: Cow<'a, str>,
    /// The size in bytes of the lines when the file was last compacted.
    pub(super) kept: u64,
}

/// The part of a line that is read in every schema.
#[derive(Deserialize)]
pub(super) struct AnySchema {
    pub(super) schema: u32,
    pub(super) uuid: Option<SeshId>,
    pub(super) event: Option<String>,
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::merged::MergedLines;

    pub(crate) const ONE: &str = "aaaa8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";
    pub(crate) const TWO: &str = "bbbb8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";

    pub(crate) fn id(text: &str) -> SeshId {
        text.parse().expect("a UUID")
    }

    pub(crate) fn line(
        uuid: &str,
        event: &'static str,
        values: &[(&'static str, &'static str)],
    ) -> Line<'static> {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Line {
            values: Fields(values.collect()),
            ..Line::new(id(uuid), event, 7)
        }
    }

    prop_compose! {
        pub(crate) fn lines()(
            one in prop::bool::ANY,
            event in "[a-z]{1,9}|forgotten",
            at: u64,
            server in prop::option::of((1..i32::MAX, any::<u64>())),
            spot in prop::option::of((any::<String>(), any::<u32>(), any::<String>())),
            values in prop::collection::vec(("[a-z]{1,3}", any::<String>()), 0..4),
            tail in prop::option::of(any::<String>()),
        ) -> Line<'static> {
            let values = values.into_iter().map(|(name, value)| (name.into(), value.into()));
            Line {
                schema: SCHEMA,
                uuid: id(if one { ONE } else { TWO }),
                event: event.into(),
                at,
                server: server.map(|(pid, start)| ServerId { pid, start }),
                spot: spot.map(|(session, window, name)| Spot {
                    session: session.into(),
                    window,
                    name: name.into(),
                }),
                values: Fields(values.collect()),
                tail: tail.map(Into::into),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_line_round_trips(line in lines()) {
            let text = serde_json::to_string(&line).expect("JSON");
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Line<'_>>(&text).expect("a line"), line);
        }

        #[test]
        fn reading_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let merged = MergedLines::of(&bytes);
            let _ = (merged.map(Some), merged.torn());
        }
    }
}
