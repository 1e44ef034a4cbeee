//! Why a landing is blocked: a closed list of reasons, with what a person or an agent needs to continue.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// The reasons. Their words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockedReason {
    Conflict,
    Checks,
    Timeout,
    Setup,
    GateUnrunnable,
    GateBroken,
    TargetDirty,
    TargetDiverged,
    Push,
    Fenced,
    BranchMissing,
    NothingToMerge,
    Dependency,
    DirtyWorktree,
    GitLocked,
    DiskFull,
}

impl BlockedReason {
    /// Every reason with its meaning, for the documents.
    pub const MEANINGS: [(Self, &'static str); 16] = [
        (
            Self::Conflict,
            "the branch and the target change the same lines",
        ),
        (Self::Checks, "the gate is red on the candidate"),
        (Self::Timeout, "the gate did not end in time"),
        (Self::Setup, "the worktree of the gate cannot be prepared"),
        (
            Self::GateUnrunnable,
            "there is no gate, or it cannot be run",
        ),
        (
            Self::GateBroken,
            "the gate is red on the target itself; no branch is blamed",
        ),
        (
            Self::TargetDirty,
            "where the target is checked out, own changes are in the way",
        ),
        (
            Self::TargetDiverged,
            "the target here has commits that its remote does not have",
        ),
        (Self::Push, "the remote does not take the candidate"),
        (Self::Fenced, "another sesh has taken the item over"),
        (Self::BranchMissing, "the branch does not exist any more"),
        (
            Self::NothingToMerge,
            "the branch changes nothing of the target",
        ),
        (
            Self::Dependency,
            "an item that this one needs is not completed",
        ),
        (
            Self::DirtyWorktree,
            "the worktree of the branch has uncommitted files",
        ),
        (Self::GitLocked, "a lock file of git is in the way"),
        (Self::DiskFull, "the disk is full"),
    ];

    /// Returns the word of the reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Checks => "checks",
            Self::Timeout => "timeout",
            Self::Setup => "setup",
            Self::GateUnrunnable => "gate-unrunnable",
            Self::GateBroken => "gate-broken",
            Self::TargetDirty => "target-dirty",
            Self::TargetDiverged => "target-diverged",
            Self::Push => "push",
            Self::Fenced => "fenced",
            Self::BranchMissing => "branch-missing",
            Self::NothingToMerge => "nothing-to-merge",
            Self::Dependency => "dependency",
            Self::DirtyWorktree => "dirty-worktree",
            Self::GitLocked => "git-locked",
            Self::DiskFull => "disk-full",
        }
    }

    /// Returns the word that the multi-session skill has for the reason.
    #[must_use]
    pub fn original(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Checks | Self::Timeout | Self::GateBroken => "test-failure",
            Self::TargetDirty | Self::TargetDiverged | Self::Push | Self::GitLocked => {
                "merge-blocked"
            }
            Self::Fenced => "stale",
            _ => "other",
        }
    }
}

/// A landing that is blocked. Nothing has landed.
#[derive(Clone, Debug)]
pub struct BlockedLanding {
    pub reason: BlockedReason,
    /// What exactly, in one sentence without a full stop.
    pub what: String,
    pub files: Vec<String>,
    pub log: Option<PathBuf>,
    /// The last lines of the log.
    pub tail: Vec<String>,
    /// The command, or the deed, with which to continue.
    pub next: String,
}

impl BlockedLanding {
    pub(super) fn new(reason: BlockedReason, what: impl Into<String>, next: &str) -> Self {
        Self {
            reason,
            what: what.into(),
            files: Vec::new(),
            log: None,
            tail: Vec::new(),
            next: next.into(),
        }
    }

    pub(super) fn with_files(mut self, files: Vec<String>) -> Self {
        self.files = files;
        self
    }
}

/// Why a step of a landing stops it.
#[derive(Debug)]
pub(super) enum Stop {
    Blocked(Box<BlockedLanding>),
    Failed(Error),
}

impl From<BlockedLanding> for Stop {
    fn from(blocked: BlockedLanding) -> Self {
        Self::Blocked(Box::new(blocked))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let again = "type sesh-land again";
        match error.kind {
            ErrorKind::GitLocked => {
                let next = "let the other git end, or remove its lock file; then sesh-land again";
                BlockedLanding::new(BlockedReason::GitLocked, error.what, next).into()
            }
            ErrorKind::DiskFull => {
                BlockedLanding::new(BlockedReason::DiskFull, error.what, again).into()
            }
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_json() {
        for (reason, _) in BlockedReason::MEANINGS {
            let word = serde_json::to_string(&reason).expect("JSON");
            pretty_assertions::assert_eq!(word, format!("\"{}\"", reason.as_str()));
        }
    }
}
