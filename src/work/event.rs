//! The events of which the ledger consists. Each is one line of JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::grant::GrantId;
use super::holder::Holder;
use super::item::ItemId;
use super::landing_event::LandingEvent;

/// What a claim says of an item when it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClaimedWork {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The file of the registry that describes the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// The paths that the work changes: globs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub step: String,
}

/// Something that happened to a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum ClaimEvent {
    /// A sesh has an item.
    Claim {
        id: ItemId,
        grant: GrantId,
        holder: Holder,
        #[serde(flatten)]
        work: ClaimedWork,
        /// Why a refused claim was made nevertheless.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<String>,
    },
    /// A sesh continues what another one had.
    Take {
        id: ItemId,
        /// The grant that ends.
        from: GrantId,
        grant: GrantId,
        holder: Holder,
        /// Why, where the former holder may be alive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        force: Option<String>,
    },
    /// The holder is in another pane now, or has one at last.
    Moved { grant: GrantId, holder: Holder },
    /// The claim has a worktree on a branch that started at `base`.
    Worktree {
        grant: GrantId,
        branch: String,
        worktree: String,
        base: String,
        /// It was there before, so it stays when the claim ends.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        found: bool,
    },
    Step {
        grant: GrantId,
        step: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        done: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<u32>,
    },
    /// The work cannot continue, or with `None` it can again.
    Block {
        grant: GrantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The item was given back.
    Drop { grant: GrantId },
    /// The item is not worked any more.
    Abandon { grant: GrantId, why: String },
    /// The work of an item is in the target, in this commit.
    Landed {
        id: ItemId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        commit: String,
    },
    /// The former holder of a grant was told that it ended.
    Told { grant: GrantId },
    /// The holder of `one` was told that its work overlaps with that of `other`.
    Overlap { one: GrantId, other: GrantId },
}

/// An event of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LedgerEvent {
    Claim(Box<ClaimEvent>),
    Landing(Box<LandingEvent>),
    /// An event of a newer version, which is kept and has no effect.
    Newer(Value),
}

impl From<ClaimEvent> for LedgerEvent {
    fn from(event: ClaimEvent) -> Self {
        Self::Claim(Box::new(event))
    }
}

impl From<LandingEvent> for LedgerEvent {
    fn from(event: LandingEvent) -> Self {
        Self::Landing(Box::new(event))
    }
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Milliseconds since the epoch.
    pub at: u64,
    #[serde(flatten)]
    pub event: LedgerEvent,
}
