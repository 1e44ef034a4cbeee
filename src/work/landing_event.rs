//! The events of landings in the ledger.

use serde::{Deserialize, Serialize};

use super::grant::GrantId;
use super::item::ItemId;
use crate::env;
use crate::git::Oid;
use crate::id::ProcessId;
use crate::proc;

/// The process that lands a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingRunner {
    /// As `pid:start`.
    pub process: String,
    /// The boot of the machine, and the pid namespace, in which the pid means that process.
    pub boot: String,
    pub namespace: String,
    pub machine: String,
    /// Its pane, as in `%3`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pane: String,
}

/// Whether the process of a landing is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunnerState {
    Alive(ProcessId),
    /// It is stopped, and does nothing until it is continued.
    Stopped,
    Gone,
    /// It is in another pid namespace, or on another machine.
    Unknown,
}

impl LandingRunner {
    /// Returns this process.
    #[must_use]
    pub fn own(pane: String) -> Self {
        Self {
            process: proc::own().to_string(),
            boot: proc::boot(),
            namespace: proc::pid_namespace(),
            machine: env::machine(),
            pane,
        }
    }

    /// Returns whether it is alive now.
    #[must_use]
    pub fn state(&self) -> RunnerState {
        if self.machine != env::machine() {
            return RunnerState::Unknown;
        }
        if self.boot != proc::boot() {
            return RunnerState::Gone;
        }
        if self.namespace != proc::pid_namespace() {
            return RunnerState::Unknown;
        }
        let process: Option<ProcessId> = self.process.parse().ok();
        let now = process.and_then(|process| Some((process, proc::read(process.pid)?)));
        match now {
            Some((process, now)) if now.id() == process && !now.zombie => {
                if now.stopped {
                    RunnerState::Stopped
                } else {
                    RunnerState::Alive(process)
                }
            }
            _ => RunnerState::Gone,
        }
    }
}

/// Something that happened to a landing. A ticket is named by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub enum LandingEvent {
    /// A process waits for its turn to land a branch.
    Ticket {
        ticket: u64,
        branch: String,
        tip: Oid,
        target: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<ItemId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        /// 0 is the most urgent one.
        priority: u8,
        files: Vec<String>,
        runner: LandingRunner,
    },
    /// A commit that may land was made on top of `base`.
    Attempt {
        ticket: u64,
        base: Oid,
        candidate: Oid,
    },
    /// The gate has run on a tree.
    Gate {
        ticket: u64,
        tree: Oid,
        /// Which gate it was.
        gate: String,
        passed: bool,
        /// It blames the branch: the gate was red on its candidate.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        red: bool,
        log: String,
    },
    /// From now on the target may have the candidate.
    Landing {
        ticket: u64,
        /// The commit of the target here, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<Oid>,
        candidate: Oid,
        /// The folder where the target is checked out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
        /// The remote that has the target.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remote: Option<String>,
    },
    /// The target has the candidate.
    Proof { ticket: u64, candidate: Oid },
    /// The ticket ends, and nothing of it has landed.
    Withdraw {
        ticket: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}
