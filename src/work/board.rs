//! The board: all claims and items of a repository, in groups.

use serde::Serialize;

use super::claim::risk_with;
use super::claim_json::{ClaimJson, SCHEMA};
use super::holder::{HolderState, HolderView};
use super::item::ItemId;
use super::landing_json;
use super::ledger_state::{Claim, ItemResult, LedgerState};
use super::overlap::{self, WorkOverlap};
use super::registry::{ItemStatus, Registry, WorkItem};
use super::risk::Risk;
use super::workplace::Workplace;
use crate::clock;
use crate::error::Result;
use crate::tmux::Server;

/// Where a claim or an item is on the board. The order is that of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoardGroup {
    Active,
    /// The holder waits for a person.
    Waiting,
    Silent,
    Gone,
    Unknown,
    Blocked,
    Ready,
    /// An item on which it depends is not completed.
    Dependency,
    Draft,
    /// In progress by the registry, and not claimed here.
    Elsewhere,
    Done,
}

impl BoardGroup {
    /// Returns its heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Waiting => "Waiting for a person",
            Self::Silent => "Silent",
            Self::Gone => "Gone: sesh-work take ID continues it",
            Self::Unknown => "Unknown whether the holder lives",
            Self::Blocked => "Blocked",
            Self::Ready => "Ready",
            Self::Dependency => "Blocked by a dependency",
            Self::Draft => "Drafts",
            Self::Elsewhere => "In progress elsewhere",
            Self::Done => "Done",
        }
    }
}

/// An item as JSON. The fields are public, and their order is that of the JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemJson {
    pub schema: u32,
    pub id: String,
    pub title: String,
    pub status: ItemStatus,
    pub priority: &'static str,
    pub group: BoardGroup,
    pub depends_on: Vec<String>,
    /// The items on which it depends and which are not completed.
    pub open_dependencies: Vec<String>,
    pub file: Option<String>,
    pub paths: Vec<String>,
    pub done: Option<u32>,
    pub total: Option<u32>,
    pub risk: Risk,
    /// The claimed items with which it may conflict.
    pub conflicts_with: Vec<ConflictJson>,
    /// The commit in which it has landed.
    pub landed: Option<String>,
    /// Why it was abandoned.
    pub abandoned: Option<String>,
}

/// A conflict that is possible, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictJson {
    pub id: String,
    pub risk: Risk,
    pub paths: Vec<String>,
}

/// A claim on the board.
#[derive(Clone, Debug, Serialize)]
pub struct BoardClaim {
    #[serde(flatten)]
    pub claim: ClaimJson,
    pub group: BoardGroup,
    pub risk: Risk,
    #[serde(rename = "conflictsWith")]
    pub conflicts_with: Vec<ConflictJson>,
}

/// The board of a repository.
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    pub schema: u32,
    /// The common git directory.
    pub repository: String,
    /// The remote on which claims count, or `null`: then they count in this clone only.
    pub remote: Option<String>,
    pub items: Vec<ItemJson>,
    pub claims: Vec<BoardClaim>,
    pub landing: Vec<serde_json::Value>,
    /// How many claims have a holder that is gone.
    #[serde(skip)]
    pub lost: usize,
    /// The number of events of the ledger.
    #[serde(skip)]
    pub state: LedgerState,
}

impl Board {
    /// Reads the board. With `diffs` the risk of claims comes from what their branches and worktrees have changed, too.
    ///
    /// # Errors
    /// The ledger or the registry cannot be read, or git fails.
    pub fn read(server: Option<&Server>, place: &Workplace, diffs: bool) -> Result<Self> {
        let state = place.ledger.read()?;
        let registry = place.registry()?;
        let mut view = HolderView::new(server);
        let now = clock::seconds();
        let overlaps = if diffs {
            overlap::of_claims(place, &state)?
        } else {
            Vec::new()
        };
        let mut claims: Vec<BoardClaim> = Vec::new();
        for claim in state.claims() {
            let sighting = view.look(&claim.holder);
            let json = ClaimJson::of(claim, &sighting, now);
            let group = match (sighting.state, json.status) {
                (HolderState::Gone, _) => BoardGroup::Gone,
                (_, "blocked") => BoardGroup::Blocked,
                (HolderState::Unknown, _) => BoardGroup::Unknown,
                (HolderState::Silent, _) => BoardGroup::Silent,
                (_, "waiting") => BoardGroup::Waiting,
                _ => BoardGroup::Active,
            };
            let conflicts = conflicts_of_claim(&registry, claim, &state, &overlaps);
            claims.push(BoardClaim {
                claim: json,
                group,
                risk: highest(&conflicts),
                conflicts_with: conflicts,
            });
        }
        claims.sort_by_key(|claim| claim.group);
        let unclaimed = registry.items.iter();
        let unclaimed = unclaimed.filter(|item| state.claim(&item.id).is_none());
        let mut items: Vec<ItemJson> = unclaimed
            .map(|item| item_json(&registry, item, &state))
            .collect();
        if !registry.exists() {
            items.extend(results_without_registry(&state));
        }
        items.sort_by_key(|item| item.group);
        let lost = claims.iter().filter(|it| it.group == BoardGroup::Gone);
        Ok(Self {
            schema: SCHEMA,
            repository: place.repository.common.to_string_lossy().into_owned(),
            remote: place.setting("claims")?.map(Into::into),
            lost: lost.count(),
            items,
            claims,
            landing: landing_json::queue(state.landing()),
            state,
        })
    }
}

fn highest(conflicts: &[ConflictJson]) -> Risk {
    let risks = conflicts.iter().map(|conflict| conflict.risk);
    risks.max().unwrap_or_default()
}

/// Returns the conflicts of a claim with the others: what is declared, and what is changed already.
fn conflicts_of_claim(
    registry: &Registry,
    claim: &Claim,
    state: &LedgerState,
    overlaps: &[WorkOverlap],
) -> Vec<ConflictJson> {
    let others = state.claims().filter(|other| other.grant != claim.grant);
    let conflict = |other: &Claim| {
        let (declared, mut paths) = risk_with(registry, &claim.id, &claim.work.paths, other);
        let found = overlaps
            .iter()
            .find(|it| it.is_of(claim.grant, other.grant));
        let mut risk = declared;
        if let Some(found) = found {
            risk = risk.max(found.risk);
            paths.extend(found.paths.iter().cloned());
            paths.sort();
            paths.dedup();
        }
        (risk > Risk::None).then(|| ConflictJson {
            id: other.id.to_string(),
            risk,
            paths,
        })
    };
    others.filter_map(conflict).collect()
}

fn item_json(registry: &Registry, item: &WorkItem, state: &LedgerState) -> ItemJson {
    let status = registry.status(item, state);
    let open: Vec<String> = registry
        .open_dependencies(item, state)
        .map(ItemId::to_string)
        .collect();
    let group = match status {
        ItemStatus::Draft => BoardGroup::Draft,
        ItemStatus::Completed | ItemStatus::Abandoned => BoardGroup::Done,
        ItemStatus::InProgress => BoardGroup::Elsewhere,
        ItemStatus::Ready if open.is_empty() => BoardGroup::Ready,
        ItemStatus::Ready => BoardGroup::Dependency,
    };
    let conflicts: Vec<ConflictJson> = state
        .claims()
        .filter(|_| matches!(group, BoardGroup::Ready | BoardGroup::Dependency))
        .filter_map(|claim| {
            let (risk, paths) = risk_with(registry, &item.id, &item.paths, claim);
            (risk > Risk::None).then(|| ConflictJson {
                id: claim.id.to_string(),
                risk,
                paths,
            })
        })
        .collect();
    let (landed, abandoned) = outcome(state.result(&item.id));
    ItemJson {
        schema: SCHEMA,
        id: item.id.to_string(),
        title: item.title.clone(),
        status,
        priority: item.priority.as_str(),
        group,
        depends_on: item.depends_on.iter().map(ItemId::to_string).collect(),
        open_dependencies: open,
        file: item.file.clone(),
        paths: item.paths.clone(),
        done: item.done,
        total: item.total,
        risk: highest(&conflicts),
        conflicts_with: conflicts,
        landed,
        abandoned,
    }
}

fn outcome(result: Option<&ItemResult>) -> (Option<String>, Option<String>) {
    match result {
        Some(ItemResult::Landed { commit, .. }) => (Some(commit.clone()), None),
        Some(ItemResult::Abandoned { why, .. }) => (None, Some(why.clone())),
        None => (None, None),
    }
}

/// Returns the items that have ended in a repository without a registry.
fn results_without_registry(state: &LedgerState) -> impl Iterator<Item = ItemJson> {
    let ended = state.results();
    ended
        .filter(|(id, _)| state.claim(id).is_none())
        .map(|(id, result)| {
            let (landed, abandoned) = outcome(Some(result));
            ItemJson {
                schema: SCHEMA,
                id: id.to_string(),
                title: String::new(),
                status: match result {
                    ItemResult::Landed { .. } => ItemStatus::Completed,
                    ItemResult::Abandoned { .. } => ItemStatus::Abandoned,
                },
                priority: "normal",
                group: BoardGroup::Done,
                depends_on: Vec::new(),
                open_dependencies: Vec::new(),
                file: None,
                paths: Vec::new(),
                done: None,
                total: None,
                risk: Risk::None,
                conflicts_with: Vec::new(),
                landed,
                abandoned,
            }
        })
}
