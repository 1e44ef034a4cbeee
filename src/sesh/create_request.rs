//! What a sesh is to be created from, as the helpers ask for it and before anything is decided.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::place::Where;
use crate::id::{Name, SeshId, Tag};
use crate::journal::launch::LaunchedTurn;
use crate::store::prior::Prior;

/// What to create.
#[derive(Clone, Debug, Default)]
pub struct CreateRequest {
    pub name: Option<Name>,
    pub id: Option<SeshId>,
    pub agent: Option<String>,
    pub conversation: Option<String>,
    pub tags: Vec<Tag>,
    /// Absolute, and exists.
    pub cwd: PathBuf,
    pub variables: Vec<(OsString, OsString)>,
    /// Columns and rows.
    pub size: RequestedSize,
    pub fixed: bool,
    pub place: Where,
    /// The parent. Without one, the sesh of the caller's pane.
    pub parent: Option<SeshId>,
    /// Who is responsible for it. Without one, the sesh of the caller's pane.
    pub owner: Option<String>,
    /// The time after which `sesh-reap` ends it.
    pub ttl: Option<Duration>,
    pub note: String,
    /// Empty for a login shell.
    pub argv: Vec<OsString>,
    /// Make the pane and wait there for a key.
    pub wait: bool,
    /// The exited sesh that continues here. Values that are not of this run are carried over from it.
    pub prior: Option<Prior>,
    /// The headless turn that the command is.
    pub turn: Option<LaunchedTurn>,
}

/// Columns and rows, where given.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestedSize {
    pub columns: Option<u16>,
    pub rows: Option<u16>,
}
