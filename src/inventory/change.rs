//! What differs between what is stored and what exists, and the commands that mend it.

use serde::Serialize;

use crate::id::{PaneId, SeshId};
use crate::store::Record;
use crate::tmux::Command;

/// What kind of change. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What a shell or an agent is doing.
    State,
    /// Which agent lives in a sesh's pane, or in which conversation it is.
    Agent,
    /// An agent in a pane that was no sesh.
    Adopted,
    /// An agent in such a pane, in the conversation of a sesh that had ended.
    Returned,
    /// An end that nobody had recorded.
    Ended,
    /// A pane in which another process runs is that sesh's no more.
    Released,
    /// A book that did not say what its pane says.
    Book,
    /// A held pane whose time was over.
    Closed,
    /// The last lines of a sesh that is forgotten.
    Tail,
    /// One that was ended since its time was over.
    Expired,
}

/// One change, made or to be made.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub change: Kind,
    pub uuid: SeshId,
    /// `None` of one that is forgotten.
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// What changes and why, as the end of a sentence.
    pub what: String,
}

/// A change with what makes it.
#[derive(Clone, Debug)]
pub(super) struct Mend {
    pub(super) change: Change,
    /// What must still hold in the server.
    pub(super) condition: String,
    pub(super) commands: Vec<Command>,
    /// A sesh that is no more then, as if it had never been.
    pub(super) replaces: Option<SeshId>,
}

/// All that differs.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(super) mends: Vec<Mend>,
    /// What else is to be written and is no change to report.
    pub(super) unsaid: Vec<Command>,
    /// What is to be ended.
    pub(crate) expired: Vec<Record>,
    /// The journal could not be written for a time.
    pub(crate) unwritten: bool,
}

impl Differences {
    /// The changes that would make what is stored what is.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.mends.iter().map(|mend| mend.change.clone())
    }
}
