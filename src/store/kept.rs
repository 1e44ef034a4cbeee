//! The data that the journal contains of a sesh besides its values.

use crate::id::ServerId;

/// The data of a sesh that only the journal contains, besides its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalData {
    /// The server on which it was alive last.
    pub server: Option<ServerId>,
    /// Its last location.
    pub spot: Option<LastLocation>,
    /// Its last lines, as they are stored.
    pub tail: Option<String>,
}

/// The last location of a sesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastLocation {
    pub session: String,
    /// The window's index in the session.
    pub window: u32,
    /// The window's name.
    pub name: String,
}
