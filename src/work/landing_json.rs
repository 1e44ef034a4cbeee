//! Landings as JSON. The fields are public.

use serde::Serialize;

use super::item::ItemId;
use super::landing::{BlockedReason, LandEnd, LandOutcome};
use super::landing_state::{LandingState, RedGate, Ticket, TicketEnd};

/// The version of the objects.
const SCHEMA: u32 = 1;

/// The outcome of `sesh-land`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeJson<'a> {
    schema: u32,
    id: Option<&'a str>,
    branch: &'a str,
    tip: &'a str,
    target: &'a str,
    ticket: Option<u64>,
    /// `landed` or `blocked`.
    state: &'static str,
    commit: Option<&'a str>,
    /// It had landed before this call.
    before: bool,
    reason: Option<BlockedReason>,
    what: Option<&'a str>,
    files: &'a [String],
    log: Option<String>,
    tail: &'a [String],
    next: Option<&'a str>,
    attempts: usize,
    /// What others have landed since the ticket was taken.
    meanwhile: Vec<LandedJson<'a>>,
    red: Vec<RedJson<'a>>,
    worktree_removed: bool,
    branch_deleted: bool,
    /// The word of the multi-session skill for the reason.
    blocked_reason: Option<&'static str>,
}

/// A landing of another process.
#[derive(Debug, Serialize)]
struct LandedJson<'a> {
    id: Option<&'a str>,
    branch: &'a str,
    commit: &'a str,
    files: &'a [String],
}

/// A red gate.
#[derive(Debug, Serialize)]
struct RedJson<'a> {
    ticket: u64,
    tip: &'a str,
    log: &'a str,
}

/// A ticket that waits or lands.
#[derive(Debug, Serialize)]
struct TicketJson<'a> {
    schema: u32,
    ticket: u64,
    /// 1 is the next one, or the one that lands.
    position: usize,
    id: Option<&'a str>,
    branch: &'a str,
    tip: &'a str,
    target: &'a str,
    priority: u8,
    files: &'a [String],
    pane: &'a str,
    process: &'a str,
    /// Epoch milliseconds.
    since: u64,
}

/// Returns the outcome of a landing as JSON.
#[must_use]
pub fn outcome(outcome: &LandOutcome) -> serde_json::Value {
    let subject = &outcome.subject;
    let mut json = OutcomeJson {
        schema: SCHEMA,
        id: subject.id.as_ref().map(ItemId::as_str),
        branch: &subject.branch,
        tip: subject.tip.as_str(),
        target: &outcome.target,
        ticket: outcome.ticket,
        state: "landed",
        commit: None,
        before: false,
        reason: None,
        what: None,
        files: &[],
        log: None,
        tail: &[],
        next: None,
        attempts: outcome.attempts,
        meanwhile: outcome.meanwhile.iter().filter_map(landed).collect(),
        red: outcome.red.iter().map(red).collect(),
        worktree_removed: false,
        branch_deleted: false,
        blocked_reason: None,
    };
    match &outcome.end {
        LandEnd::Landed {
            commit,
            before,
            removed,
        } => {
            json.commit = Some(commit.as_str());
            json.before = *before;
            json.worktree_removed = removed.worktree;
            json.branch_deleted = removed.branch;
        }
        LandEnd::Blocked(blocked) => {
            json.state = "blocked";
            json.reason = Some(blocked.reason);
            json.blocked_reason = Some(blocked.reason.original());
            json.what = Some(&blocked.what);
            json.files = &blocked.files;
            let log = blocked.log.as_ref();
            json.log = log.map(|log| log.to_string_lossy().into_owned());
            json.tail = &blocked.tail;
            json.next = Some(&blocked.next);
        }
    }
    serde_json::to_value(json).unwrap_or_default()
}

/// Returns the tickets that wait or land, in their order, as JSON.
#[must_use]
pub fn queue(state: &LandingState) -> Vec<serde_json::Value> {
    let queue = state.queue();
    let json = queue.iter().enumerate().map(|(at, ticket)| {
        let json = TicketJson {
            schema: SCHEMA,
            ticket: ticket.number,
            position: at + 1,
            id: ticket.id.as_ref().map(ItemId::as_str),
            branch: &ticket.branch,
            tip: ticket.tip.as_str(),
            target: &ticket.target,
            priority: ticket.priority,
            files: &ticket.files,
            pane: &ticket.runner.pane,
            process: &ticket.runner.process,
            since: ticket.at,
        };
        serde_json::to_value(json).unwrap_or_default()
    });
    json.collect()
}

fn landed(ticket: &Ticket) -> Option<LandedJson<'_>> {
    let Some(TicketEnd::Landed(commit)) = &ticket.end else {
        return None;
    };
    Some(LandedJson {
        id: ticket.id.as_ref().map(ItemId::as_str),
        branch: &ticket.branch,
        commit: commit.as_str(),
        files: &ticket.files,
    })
}

fn red(gate: &RedGate) -> RedJson<'_> {
    RedJson {
        ticket: gate.ticket,
        tip: gate.tip.as_str(),
        log: &gate.log,
    }
}
