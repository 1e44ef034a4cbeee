//! Targets: the ways to refer to a sesh or a pane.

use super::condition::{either, equal};
use super::schema::Key;
use super::value;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, PaneId, SeshId, Tag, shown};
use crate::journal::search::Search;

/// A reference of a person or a script to a sesh or a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `.` or `%N`: a pane, whichever sesh it holds.
    Pane(PaneId),
    /// A whole UUID.
    Id(SeshId),
    /// A name, or the first four or more characters of a UUID.
    Word(String),
}

impl Target {
    /// Parses a TARGET. `own` is the caller's pane, for `.`.
    ///
    /// # Errors
    /// [`Exit::Usage`] for an empty text, and [`Exit::Nothing`] for a text that cannot be a target, or for `.` outside
    /// a pane.
    pub fn parse(text: &str, own: Option<PaneId>) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::usage(
                "the target is empty: give a name, a uuid, a pane (%3) or . (this pane)",
            ));
        }
        if text == "." {
            return own.map(Target::Pane).ok_or_else(|| {
                Error::nothing(
                    ". means this pane, but $TMUX_PANE is not set: name the pane, as in %3",
                )
            });
        }
        if text.starts_with('%') {
            return Ok(Target::Pane(text.parse()?));
        }
        if let Ok(id) = text.parse() {
            return Ok(Target::Id(id));
        }
        if is_id_prefix(text) || Name::stored(text).is_ok() {
            return Ok(Target::Word(text.into()));
        }
        Err(no_such(text))
    }

    /// Returns the condition that holds on the panes that this target can mean.
    #[must_use]
    pub fn filter(&self) -> String {
        match self {
            Target::Pane(pane) => format!("#{{==:#{{pane_id}},{pane}}}"),
            Target::Id(id) => equal(Key::Id, &id.to_string()),
            // The word has passed Target::parse, so it contains no character that is special in formats.
            Target::Word(word) if is_id_prefix(word) => {
                let prefix = format!("#{{m:{}*,{}}}", word.to_lowercase(), Key::Id.format());
                either(&equal(Key::Name, word), &prefix)
            }
            Target::Word(word) => equal(Key::Name, word),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Pane(pane) => pane.fmt(f),
            Target::Id(id) => id.fmt(f),
            Target::Word(word) => f.write_str(word),
        }
    }
}

/// Returns the search for the seshes of the journal that these targets can mean.
#[must_use]
pub fn search(targets: &[Target]) -> Search {
    targets
        .iter()
        .fold(Search::default(), |search, target| match target {
            Target::Pane(_) => search,
            Target::Id(id) => search.id(*id),
            Target::Word(word) if is_id_prefix(word) => {
                search.value(word).start(&word.to_lowercase())
            }
            Target::Word(word) => search.value(word),
        })
}

/// Returns the search for the seshes of the journal whose names or identities start with one of these words.
#[must_use]
pub fn search_starts(words: &[String]) -> Search {
    words.iter().fold(Search::default(), |search, word| {
        let lower = word.to_lowercase();
        let search = if lower == *word {
            search
        } else {
            search.start(&lower)
        };
        search.start(word)
    })
}

/// Returns the search for the seshes of the journal with a tag.
#[must_use]
pub fn search_tag(tag: &Tag) -> Search {
    Search::default().part(&value::encode_tags(&[tag.as_str()]))
}

/// Returns whether a text can be the start of a UUID. The start must have at least four characters.
#[must_use]
pub fn is_id_prefix(text: &str) -> bool {
    (4..36).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Returns the error that there is no such sesh.
pub(in crate::store) fn no_such(text: &str) -> Error {
    Error::nothing(format!(
        "no sesh {}: sesh-list --all shows all seshes",
        shown(text)
    ))
}

/// Returns the error that a sesh was changed by another process.
#[must_use]
pub fn changed(id: SeshId) -> Error {
    Error::new(
        Exit::Changed,
        format!("sesh {id} has changed in the meantime: check it with sesh-list"),
    )
}
