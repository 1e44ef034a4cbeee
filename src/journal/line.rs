//! The lines of a journal: one JSON object each, and what several add up to.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{ServerId, SeshId};

/// The version of a line's form.
pub const SCHEMA: u32 = 1;
/// The event after which nothing of an identity counts.
pub const FORGOTTEN: &str = "forgotten";

/// Where something was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot<'a> {
    #[serde(borrow)]
    pub session: Cow<'a, str>,
    /// The window's index in it.
    pub window: u32,
    /// The window's name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// Values by their names, in the order in which they came.
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

/// A text that is not copied where JSON escapes nothing in it.
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

/// One change of one identity, or what several add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line<'a> {
    pub schema: u32,
    pub uuid: SeshId,
    /// What happened; of several, the last.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// When, in epoch seconds.
    pub at: u64,
    /// The server in which it was born or seen alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot<'a>>,
    #[serde(borrow, default)]
    pub values: Fields<'a>,
    /// Its last lines.
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

    /// Takes in what came later.
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

    /// Of what is the first of its identity, the empty values say nothing.
    fn begin(mut self) -> Self {
        self.values.0.retain(|(_, value)| !value.is_empty());
        self
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Head<'a> {
    pub(super) schema: u32,
    /// The socket whose file this is.
    #[serde(borrow)]
    pub(super) journal: Cow<'a, str>,
    /// How many bytes it held when it was last written anew.
    pub(super) kept: u64,
}

/// What any line may be.
#[derive(Deserialize)]
struct Any {
    schema: u32,
    uuid: Option<SeshId>,
    event: Option<String>,
}

/// What the lines of a file add up to.
#[derive(Debug, Default)]
pub struct Sum<'a> {
    /// One of each identity, the first one first; forgotten ones too.
    pub lines: Vec<Line<'a>>,
    /// How many lines are of a newer schema.
    pub newer: usize,
    /// How many are no lines: their writers were killed in them.
    pub torn: usize,
    /// Those of a newer schema, to the letter.
    pub(super) kept: Vec<&'a [u8]>,
}

impl<'a> Sum<'a> {
    /// Adds up the text of a file.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        let mut sum = Self::default();
        let mut known: HashMap<SeshId, usize> = HashMap::new();
        for bytes in text.split(|&byte| byte == b'\n') {
            if bytes.is_empty() {
                continue;
            }
            let line = match serde_json::from_slice::<Line<'a>>(bytes) {
                Ok(line) if line.schema <= SCHEMA => line,
                _ => match serde_json::from_slice::<Any>(bytes) {
                    Ok(any) if any.schema > SCHEMA => {
                        sum.newer += 1;
                        sum.kept.push(bytes);
                        match (any.uuid, any.event) {
                            // That much of every schema is understood.
                            (Some(uuid), Some(event)) if event == FORGOTTEN => {
                                Line::new(uuid, FORGOTTEN, 0)
                            }
                            _ => continue,
                        }
                    }
                    _ if serde_json::from_slice::<Head<'a>>(bytes).is_ok() => continue,
                    _ => {
                        sum.torn += 1;
                        continue;
                    }
                },
            };
            match known.get(&line.uuid) {
                Some(&at) => sum.lines[at].absorb(line),
                None => {
                    known.insert(line.uuid, sum.lines.len());
                    sum.lines.push(line.begin());
                }
            }
        }
        sum
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

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
        fn a_line_comes_back(line in lines()) {
            let text = serde_json::to_string(&line).expect("JSON");
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Line<'_>>(&text).expect("a line"), line);
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sum::of(&bytes);
        }
    }
}
