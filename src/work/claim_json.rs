//! A claim as JSON. The fields are public, and their order is that of the JSON.

use serde::Serialize;

use super::holder::{HolderSighting, HolderState};
use super::ledger_state::Claim;
use crate::state::State;

/// The version of the objects. It grows when a field changes its meaning.
pub const SCHEMA: u32 = 1;

/// A claim, with what is known of its holder now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimJson {
    pub schema: u32,
    pub id: String,
    pub title: String,
    pub file: Option<String>,
    pub branch: String,
    pub worktree: Option<String>,
    pub base: Option<String>,
    pub grant: String,
    pub sesh: String,
    pub name: String,
    pub pane: Option<String>,
    pub server: ServerJson,
    /// Seconds since the epoch.
    pub claimed_at: u64,
    pub step: String,
    pub done: Option<u32>,
    pub total: Option<u32>,
    /// Whether its holder is alive: `live`, `silent`, `gone` or `unknown`.
    pub state: HolderState,
    /// Seconds since the last sign of life of the holder.
    pub age: Option<u64>,
    pub blocked_reason: Option<String>,
    pub ticket: Option<u64>,
    // The names of the tool multi-session.
    pub session_id: String,
    pub prd_id: String,
    pub prd_file: Option<String>,
    /// Seconds since the epoch.
    pub heartbeat: Option<u64>,
    pub current_story: String,
    /// `working`, `waiting`, `blocked` or `stale`.
    pub status: &'static str,
}

/// The server of a holder.
#[derive(Clone, Debug, Serialize)]
pub struct ServerJson {
    pub socket: String,
    pub pid: i32,
    pub start: u64,
    pub machine: String,
}

impl ClaimJson {
    /// Returns a claim, with what is known of its holder at `now`, in seconds.
    #[must_use]
    pub fn of(claim: &Claim, sighting: &HolderSighting, now: u64) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_string());
        let holder = &claim.holder;
        let age = sighting.age.map(|age| age.as_secs());
        Self {
            schema: SCHEMA,
            id: claim.id.to_string(),
            title: claim.work.title.clone(),
            file: claim.work.file.clone(),
            branch: claim.work.branch.clone(),
            worktree: given(&claim.worktree),
            base: given(&claim.base),
            grant: claim.grant.to_string(),
            sesh: holder.sesh.to_string(),
            name: holder.name.clone(),
            pane: given(&holder.pane),
            server: ServerJson {
                socket: holder.server.socket.clone(),
                pid: holder.server.pid,
                start: holder.server.start,
                machine: holder.server.machine.clone(),
            },
            claimed_at: claim.claimed_at / 1_000,
            step: claim.step.clone(),
            done: claim.done,
            total: claim.total,
            state: sighting.state,
            age,
            blocked_reason: claim.blocked.clone(),
            ticket: None,
            session_id: holder.sesh.to_string(),
            prd_id: claim.id.to_string(),
            prd_file: claim.work.file.clone(),
            heartbeat: age.map(|age| now.saturating_sub(age)),
            current_story: claim.step.clone(),
            status: status(claim, sighting),
        }
    }
}

/// Returns the word of multi-session for the state of a claim.
#[must_use]
pub fn status(claim: &Claim, sighting: &HolderSighting) -> &'static str {
    let is_waiting = |sighting: &HolderSighting| {
        let record = sighting.record.as_ref();
        record.is_some_and(|record| record.state == State::Waiting)
    };
    match sighting.state {
        _ if claim.blocked.is_some() => "blocked",
        HolderState::Silent | HolderState::Gone | HolderState::Unknown => "stale",
        HolderState::Live if is_waiting(sighting) => "waiting",
        HolderState::Live => "working",
    }
}
