//! What seshes and panes are called.

use super::condition::{either, equal};
use super::schema::Key;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, PaneId, SeshId, shown};

/// What a person or a script calls a sesh or a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `.` or `%N`: a pane, whoever lives there.
    Pane(PaneId),
    /// A whole UUID.
    Id(SeshId),
    /// A name, or the first four or more characters of a UUID.
    Word(String),
}

impl Target {
    /// Reads a TARGET. `own` is the caller's pane: what `.` stands for.
    ///
    /// # Errors
    /// [`Exit::Usage`](crate::error::Exit::Usage) for an empty text, [`Exit::Nothing`](crate::error::Exit::Nothing)
    /// for one that can be nothing, or for `.` outside a pane.
    pub fn parse(text: &str, own: Option<PaneId>) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::usage(
                "the target is empty: name a sesh, a uuid, a pane (%3) or . for this pane",
            ));
        }
        if text == "." {
            return own.map(Target::Pane).ok_or_else(|| {
                Error::nothing(
                    ". is this pane, but there is no $TMUX_PANE here: name the pane, as in %3",
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

    /// The condition that holds on the panes that this target can mean.
    #[must_use]
    pub fn filter(&self) -> String {
        match self {
            Target::Pane(pane) => format!("#{{==:#{{pane_id}},{pane}}}"),
            Target::Id(id) => equal(Key::Id, &id.to_string()),
            // The word has passed Target::parse: it holds nothing that a format would act on.
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

/// Whether a text can be the start of a UUID and nothing shorter than four of its characters.
#[must_use]
pub fn is_id_prefix(text: &str) -> bool {
    (4..36).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

pub(super) fn no_such(text: &str) -> Error {
    Error::nothing(format!(
        "there is no sesh {}: sesh-list --all shows them all",
        shown(text)
    ))
}

/// That a sesh is not as it was.
#[must_use]
pub fn changed(id: SeshId) -> Error {
    Error::new(
        Exit::Changed,
        format!("sesh {id} was changed meanwhile: look again with sesh-list"),
    )
}
