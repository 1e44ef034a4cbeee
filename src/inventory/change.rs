//! Differences between what is stored and what exists, and the commands that repair them.

use std::time::Duration;

use serde::Serialize;

use crate::id::{PaneId, ServerId, SeshId};
use crate::store::Record;
use crate::store::leave::Leaver;
use crate::tmux::Command;

/// The kind of a change. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A shell or an agent is in another state.
    State,
    /// Another agent runs in a sesh's pane, or it is in another conversation.
    Agent,
    /// A pane with an agent was no sesh, and becomes one.
    Adopted,
    /// An agent that is not registered is in the conversation of an exited sesh, and becomes that sesh again.
    Returned,
    /// An end was not recorded.
    Ended,
    /// Another process runs in the pane, which does not belong to the sesh any more.
    Released,
    /// The record differed from the options of its pane.
    Book,
    /// A held pane is closed: its time is over, or too many panes are held.
    Closed,
    /// Last lines are left of a sesh that is forgotten.
    Tail,
    /// A sesh is ended because its time is over.
    Expired,
    /// An exited sesh is forgotten, as `@sesh-forget` says.
    Forgotten,
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

/// All differences that were found.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(super) repairs: Vec<Repair>,
    /// Commands to run that are no change to report.
    pub(super) silent: Vec<Command>,
    /// The seshes to end.
    pub(crate) expired: Vec<Record>,
    /// Whether the journal could not be written for a time.
    pub(crate) unwritten: bool,
    /// The exited seshes whose time in the server is over, and that server.
    pub(crate) leavers: Option<(ServerId, Vec<Leaver>)>,
    /// How long after their end exited seshes are forgotten, where that is due now.
    pub(crate) forget: Option<Duration>,
}

impl Differences {
    /// Returns the changes that make the stored state match what exists.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.repairs.iter().map(|repair| repair.change.clone())
    }
}
