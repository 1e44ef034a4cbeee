//! What differs between what is stored and what exists, and the commands that mend it.

use serde::Serialize;

use crate::id::{PaneId, SeshId};
use crate::store::Record;
use crate::tmux::Command;

/// The kind of a change. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// What a shell or an agent does is another state.
    State,
    /// Another agent lives in a sesh's pane, or it is in another conversation.
    Agent,
    /// A pane with an agent was no sesh and becomes one.
    Adopted,
    /// Such an agent is in the conversation of an exited sesh, which it becomes again.
    Returned,
    /// An end was not recorded.
    Ended,
    /// Another process runs in the pane, which is the sesh's no longer.
    Released,
    /// The record differed from the options of its pane.
    Book,
    /// The time of a held pane is over, and it is closed.
    Closed,
    /// Last lines were left of a sesh that is forgotten.
    Tail,
    /// A sesh is ended since its time is over.
    Expired,
}

/// One change, made or to be made.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub change: ChangeKind,
    pub uuid: SeshId,
    /// `None` for a sesh that is forgotten.
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// What changes and why, as the end of a sentence.
    pub what: String,
}

/// A change with the commands that make it.
#[derive(Clone, Debug)]
pub(super) struct Repair {
    pub(super) change: Change,
    /// The condition that must still hold in the server.
    pub(super) condition: String,
    pub(super) commands: Vec<Command>,
    /// A sesh that this change replaces: every trace of it is removed.
    pub(super) replaces: Option<SeshId>,
}

/// All that differs.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(super) mends: Vec<Repair>,
    /// What else is to be written and is no change to report.
    pub(super) silent: Vec<Command>,
    /// The seshes to end.
    pub(crate) expired: Vec<Record>,
    /// Whether the journal could not be written for a time.
    pub(crate) unwritten: bool,
}

impl Differences {
    /// Returns the changes that would make what is stored what exists.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.mends.iter().map(|mend| mend.change.clone())
    }
}
