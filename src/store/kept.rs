//! What the journal knows of a sesh besides its values.

use crate::id::ServerId;

/// What the journal knows of a sesh that tmux does not know any more, besides its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// In which life of the server it was seen last.
    pub server: Option<ServerId>,
    /// Where it was.
    pub spot: Option<Left>,
    /// Its last lines, as they are stored.
    pub tail: Option<String>,
}

/// Where a sesh was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub session: String,
    /// The window's index in it.
    pub window: u32,
    /// The window's name.
    pub name: String,
}
