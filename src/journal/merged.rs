//! The lines of a journal, merged into one for each identity.

use std::collections::HashMap;

use super::line::{AnySchema, FORGOTTEN, Head, Line, SCHEMA};
use super::search;
use crate::id::SeshId;

/// The number of seshes from which several threads merge their lines. One takes about 5 us.
const PARALLEL_FROM: usize = 2_000;

/// The lines of a text, by identity. They are parsed and merged when they are read.
#[derive(Debug, Default)]
pub struct MergedLines<'a> {
    /// In the order of their first lines. Forgotten seshes are included.
    seshes: Vec<SeshLines<'a>>,
    at: HashMap<SeshId, usize>,
    /// The lines of a newer schema, byte for byte.
    pub(super) newer: Vec<&'a [u8]>,
    /// The broken lines that do not even start like a line.
    torn: usize,
}

/// The lines of one identity. Most have a single one.
#[derive(Debug)]
struct SeshLines<'a> {
    first: &'a [u8],
    later: Vec<&'a [u8]>,
}

/// What one line is.
enum Parsed<'a> {
    Line(Line<'a>),
    /// A line of a newer schema, with what it says of the identity in every schema.
    Newer(Option<Line<'a>>),
    Head,
    Torn,
}

fn parse(bytes: &[u8]) -> Parsed<'_> {
    // A line is checked to be UTF-8 as a whole, which is faster than each of its many short texts.
    let line = std::str::from_utf8(bytes).map(serde_json::from_str::<Line<'_>>);
    match line {
        Ok(Ok(line)) if line.schema <= SCHEMA => Parsed::Line(line),
        _ => match serde_json::from_slice::<AnySchema>(bytes) {
            Ok(any) if any.schema > SCHEMA => Parsed::Newer(match (any.uuid, any.event) {
                // This event means the same in every schema.
                (Some(uuid), Some(event)) if event == FORGOTTEN => {
                    Some(Line::new(uuid, FORGOTTEN, 0))
                }
                _ => None,
            }),
            _ if serde_json::from_slice::<Head<'_>>(bytes).is_ok() => Parsed::Head,
            _ => Parsed::Torn,
        },
    }
}

impl<'a> SeshLines<'a> {
    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        std::iter::once(self.first).chain(self.later.iter().copied())
    }

    /// Returns the merged line. `None` if all lines are broken.
    fn merged(&self) -> Option<Line<'a>> {
        let mut merged: Option<Line<'a>> = None;
        for bytes in self.lines() {
            let (Parsed::Line(line) | Parsed::Newer(Some(line))) = parse(bytes) else {
                continue;
            };
            match &mut merged {
                Some(merged) => merged.absorb(line),
                None => merged = Some(line.without_empty_values()),
            }
        }
        merged
    }
}

impl<'a> MergedLines<'a> {
    /// Finds the lines of each identity in the text of a file.
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        let mut all = Self::default();
        search::each_line(text, |bytes| {
            let id = search::plain_id(bytes).or_else(|| match parse(bytes) {
                Parsed::Line(line) => Some(line.uuid),
                Parsed::Newer(known) => {
                    all.newer.push(bytes);
                    known.map(|line| line.uuid)
                }
                Parsed::Head => None,
                Parsed::Torn => {
                    all.torn += 1;
                    None
                }
            });
            let Some(id) = id else { return };
            let next = all.seshes.len();
            let at = *all.at.entry(id).or_insert(next);
            match all.seshes.get_mut(at) {
                Some(identity) => identity.later.push(bytes),
                None => all.seshes.push(SeshLines {
                    first: bytes,
                    later: Vec::new(),
                }),
            }
        });
        all
    }

    /// Returns the merged line of each identity, in the order of their first lines. Forgotten seshes are included.
    pub fn iter(&self) -> impl Iterator<Item = Line<'a>> {
        self.seshes.iter().filter_map(SeshLines::merged)
    }

    /// Returns the merged line of an identity.
    #[must_use]
    pub fn get(&self, id: SeshId) -> Option<Line<'a>> {
        self.seshes[*self.at.get(&id)?].merged()
    }

    /// Returns what `select` makes of each merged line, in their order.
    pub fn map<T: Send>(&self, select: impl Fn(Line<'a>) -> Option<T> + Sync) -> Vec<T> {
        let threads = match self.seshes.len() {
            0..PARALLEL_FROM => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let share = self.seshes.len().div_ceil(threads).max(1);
        // Each result has its place from the start. To move them would cost as much memory again.
        let mut places: Vec<Option<T>> = Vec::new();
        places.resize_with(self.seshes.len(), || None);
        let fill = |seshes: &[SeshLines<'a>], places: &mut [Option<T>]| {
            for (identity, place) in seshes.iter().zip(places) {
                *place = identity.merged().and_then(&select);
            }
        };
        let shares = self.seshes.chunks(share).zip(places.chunks_mut(share));
        std::thread::scope(|scope| {
            let mut shares = shares;
            let own = shares.next();
            for (seshes, places) in shares {
                scope.spawn(move || fill(seshes, places));
            }
            if let Some((seshes, places)) = own {
                fill(seshes, places);
            }
        });
        places.into_iter().flatten().collect()
    }

    /// Returns the number of lines of a newer schema.
    #[must_use]
    pub fn newer(&self) -> usize {
        self.newer.len()
    }

    /// Returns the number of broken lines, whose writers were killed while writing.
    #[must_use]
    pub fn torn(&self) -> usize {
        let lines = self.seshes.iter().flat_map(SeshLines::lines);
        self.torn
            + lines
                .filter(|bytes| matches!(parse(bytes), Parsed::Torn))
                .count()
    }
}
