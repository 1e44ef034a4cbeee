//! The rules of a manifest: which state a title or a part of a screen shows.

use std::fmt;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, de};

use super::screen::{Colour, ComposerArea, Screen, ScreenRow};
use crate::state::{State, Why};

/// A rule. The agent is in `state` if every condition that the rule has holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    pub state: Option<State>,
    /// Why the agent waits.
    pub why: Option<Why>,
    /// Where on the screen to look.
    pub region: Option<ScreenRegion>,
    /// Whether the composer must be on the screen, or must not.
    pub composer: Option<bool>,
    /// Whether the title of the pane must be one that the agent has set: the name of the folder that it works in, or one
    /// that ends with it behind `| `.
    pub titled: Option<bool>,
    /// One of these texts is in the last rows of the screen: those after the last blank row, or those below the
    /// composer.
    pub last: Option<Vec<String>>,
    /// One of these texts begins a row.
    pub starts: Option<Vec<String>>,
    /// One of these texts is there.
    pub any: Option<Vec<String>>,
    /// All of these texts are there.
    pub all: Option<Vec<String>>,
    /// None of these texts is there.
    pub none: Option<Vec<String>>,
    /// This pattern matches; `^` and `$` are the ends of a row.
    pub regex: Option<Pattern>,
    /// Whether only rows count that begin in a colour of their own. What a person types has none.
    pub coloured: Option<bool>,
    /// The priority. The rule with the highest one wins. The default is 30 for waiting, 20 for busy, 10 for the others.
    pub priority: Option<i32>,
}

/// A part of the screen. The rows of the composer are only in the region of that name, because what a person types
/// shows nothing about the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenRegion {
    /// The last rows that are not blank.
    Bottom(usize),
    /// The last rows above the composer that are not blank.
    Above(usize),
    /// The rows below the composer.
    Below,
    /// The rows of the composer: some agents ask there.
    Composer,
    /// The rows that the composer's frame is drawn with: some agents show there that they work.
    Frame,
}

/// A regular expression, compiled when it is first used.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Result<Regex, String>>,
}

/// Why a rule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss<'a> {
    /// How many conditions held before this one.
    pub held: usize,
    /// The condition that does not hold.
    pub what: Condition<'a>,
}

/// A condition that does not hold. Its text is a sentence on what is missing, which is built only when it is needed,
/// because most rules miss each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    Composer,
    NoComposer,
    Titled(bool),
    Any(&'a [String]),
    All(&'a str),
    Starts(&'a [String]),
    Regex(&'a str),
    Last(&'a [String]),
    None(&'a str),
}

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Composer => f.write_str("there is no composer"),
            Self::NoComposer => f.write_str("there is a composer"),
            Self::Titled(true) => f.write_str("the title is not the agent's"),
            Self::Titled(false) => f.write_str("the title is the agent's"),
            Self::Any(texts) => write!(f, "none of {texts:?}"),
            Self::All(text) => write!(f, "no {text:?}"),
            Self::Starts(texts) => write!(f, "no row starts with one of {texts:?}"),
            Self::Regex(text) => write!(f, "no match of {text:?}"),
            Self::Last(texts) => write!(f, "none of {texts:?} in the last rows"),
            Self::None(text) => write!(f, "{text:?} is present"),
        }
    }
}

impl Rule {
    #[must_use]
    pub fn weight(&self) -> i32 {
        self.priority.unwrap_or(match self.state {
            Some(State::Waiting) => 30,
            Some(State::Busy) => 20,
            _ => 10,
        })
    }

    /// Returns whether the rule has a condition on a text.
    pub(super) fn has_text(&self) -> bool {
        let texts = [&self.any, &self.all, &self.none, &self.starts];
        texts.into_iter().any(Option::is_some) || self.regex.is_some()
    }

    /// Returns whether the rule has no condition.
    pub(super) fn has_no_condition(&self) -> bool {
        !self.has_text() && self.composer.is_none() && self.last.is_none() && self.titled.is_none()
    }

    /// Returns `Ok` if the rule holds for a title. `composer`: whether the composer is on the screen, and `None` if the
    /// screen was not captured, for which every rule holds.
    ///
    /// # Errors
    /// The condition that does not hold.
    pub fn holds_for_title(&self, title: &str, composer: Option<bool>) -> Result<(), Miss<'_>> {
        let mut tally = Tally::default();
        match (self.composer, composer) {
            (Some(true), Some(false)) => return tally.miss(Condition::Composer),
            (Some(false), Some(true)) => return tally.miss(Condition::NoComposer),
            _ => {}
        }
        self.matches(&mut tally, title, std::iter::once(title))
    }

    /// Returns `Ok` if the rule holds for a screen with this composer, and a title that the agent has set or not.
    ///
    /// # Errors
    /// The condition that does not hold.
    pub fn holds_on(
        &self,
        screen: &Screen,
        composer: Option<&ComposerArea>,
        titled: bool,
    ) -> Result<(), Miss<'_>> {
        let mut tally = Tally::default();
        match (self.composer, composer) {
            (Some(true), None) => return tally.miss(Condition::Composer),
            (Some(false), Some(_)) => return tally.miss(Condition::NoComposer),
            _ => {}
        }
        if let Some(wanted) = self.titled {
            tally.require(wanted == titled, Condition::Titled(wanted))?;
        }
        if let Some(region) = self.region {
            let Some(mut rows) = region.rows(screen, composer) else {
                return tally.miss(Condition::Composer);
            };
            if self.coloured == Some(true) {
                rows.retain(|row| row.first_style().colour != Colour::Default);
            }
            let texts = rows.iter().map(|row| row.text());
            self.matches(&mut tally, &flat(&rows), texts)?;
        }
        if let Some(texts) = &self.last {
            let last = flat(&last_rows(screen, composer));
            let there = texts.iter().any(|text| last.contains(text));
            tally.require(there, Condition::Last(texts))?;
        }
        Ok(())
    }

    /// Checks the conditions on texts. `flat` is for words, which may be broken over rows.
    fn matches<'a>(
        &self,
        tally: &mut Tally,
        flat: &str,
        rows: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), Miss<'_>> {
        if let Some(texts) = &self.any {
            let there = texts.iter().any(|text| flat.contains(text));
            tally.require(there, Condition::Any(texts))?;
        }
        for text in self.all.iter().flatten() {
            tally.require(flat.contains(text), Condition::All(text))?;
        }
        if let Some(texts) = &self.starts {
            let begins = |row: &str| {
                let row = row.trim_start();
                texts.iter().any(|text| row.starts_with(text))
            };
            tally.require(rows.clone().any(begins), Condition::Starts(texts))?;
        }
        if let Some(regex) = &self.regex {
            let there = rows.clone().any(|row| regex.matches(row));
            tally.require(there, Condition::Regex(&regex.text))?;
        }
        for text in self.none.iter().flatten() {
            tally.require(!flat.contains(text), Condition::None(text))?;
        }
        Ok(())
    }
}

/// The number of conditions of a rule that held.
#[derive(Default)]
struct Tally(usize);

impl Tally {
    fn require<'a>(&mut self, holds: bool, what: Condition<'a>) -> Result<(), Miss<'a>> {
        if !holds {
            return self.miss(what);
        }
        self.0 += 1;
        Ok(())
    }

    fn miss<'a>(&self, what: Condition<'a>) -> Result<(), Miss<'a>> {
        Err(Miss { held: self.0, what })
    }
}

impl ScreenRegion {
    fn rows<'a>(
        self,
        screen: &'a Screen,
        composer: Option<&ComposerArea>,
    ) -> Option<Vec<&'a ScreenRow>> {
        let rows = screen.rows();
        let mut rows: Vec<&ScreenRow> = match self {
            Self::Bottom(count) => {
                let own = composer.map_or(0..0, |found| found.rows.clone());
                let rows = rows.iter().enumerate().rev();
                rows.filter(|(at, row)| !row.is_blank() && !own.contains(at))
                    .map(|(_, row)| row)
                    .take(count)
                    .collect()
            }
            Self::Above(count) => {
                let rows = rows.get(..composer?.rows.start)?.iter().rev();
                rows.filter(|row| !row.is_blank()).take(count).collect()
            }
            Self::Below => {
                let rows = rows.get(composer?.rows.end..)?.iter().rev();
                rows.filter(|row| !row.is_blank()).collect()
            }
            Self::Composer => {
                let rows = rows.get(composer?.text.clone())?.iter().rev();
                rows.filter(|row| !row.is_blank()).collect()
            }
            Self::Frame => {
                let found = composer?;
                let own = found.rows.clone().rev();
                let frame = own.filter(|at| !found.text.contains(at));
                frame.filter_map(|at| rows.get(at)).collect()
            }
        };
        rows.reverse();
        Some(rows)
    }
}

/// Returns whether a title is one that an agent sets: a part of it between ` | ` is the name of its folder, or of one that
/// contains that. A long name is cut off.
pub(super) fn is_own_title(title: &str, folder: &str) -> bool {
    let names = || folder.split('/').filter(|name| !name.is_empty());
    title
        .split(" | ")
        .any(|part| match part.strip_suffix("...") {
            Some(begin) if !begin.is_empty() => names().any(|name| name.starts_with(begin)),
            _ => names().any(|name| name == part),
        })
}

/// Returns the last rows of the screen, or those below the composer, back to the last blank row between them.
fn last_rows<'a>(screen: &'a Screen, composer: Option<&ComposerArea>) -> Vec<&'a ScreenRow> {
    let rows = screen.rows();
    let from = composer.map_or(0, |found| found.rows.end);
    let rows = rows.get(from..).unwrap_or_default().iter().rev();
    let rows = rows.skip_while(|row| row.is_blank());
    let mut rows: Vec<&ScreenRow> = rows.take_while(|row| !row.is_blank()).collect();
    rows.reverse();
    rows
}

/// Joins rows to one line, without blanks and frames at their ends, so that a sentence is found wherever it was broken.
fn flat(rows: &[&ScreenRow]) -> String {
    let edge = |c: char| c.is_whitespace() || matches!(c, '│' | '┃' | '║');
    let mut flat = String::new();
    for row in rows {
        let text = row.text().trim_matches(edge);
        if !text.is_empty() {
            if !flat.is_empty() {
                flat.push(' ');
            }
            flat.push_str(text);
        }
    }
    flat
}

impl Pattern {
    /// Compiles the pattern, once.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub fn compile(&self) -> Result<&Regex, &str> {
        let compiled = self.compiled.get_or_init(|| {
            RegexBuilder::new(&self.text)
                .size_limit(1 << 20)
                .build()
                .map_err(|error| error.to_string().lines().last().unwrap_or("").to_string())
        });
        compiled.as_ref().map_err(String::as_str)
    }

    pub(super) fn matches(&self, row: &str) -> bool {
        self.compile().is_ok_and(|regex| regex.is_match(row))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            text: String::deserialize(deserializer)?,
            compiled: OnceLock::new(),
        })
    }
}

impl<'de> Deserialize<'de> for ScreenRegion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut words = text.split(' ');
        let count = |word: Option<&str>| word.and_then(|word| word.parse().ok());
        let region = match (words.next(), count(words.next()), words.next()) {
            (Some("bottom"), Some(count), None) => Some(Self::Bottom(count)),
            (Some("above"), Some(count), None) => Some(Self::Above(count)),
            _ if text == "below" => Some(Self::Below),
            _ if text == "composer" => Some(Self::Composer),
            _ if text == "frame" => Some(Self::Frame),
            _ => None,
        };
        region.ok_or_else(|| {
            de::Error::custom(
                "a region is \"bottom N\", \"above N\", \"below\", \"composer\" or \"frame\"",
            )
        })
    }
}
