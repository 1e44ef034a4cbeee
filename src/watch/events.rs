//! What has happened since a cursor: decided from records alone.

use std::collections::BTreeMap;

use super::Set;
use super::cursor::SeshCursor;
use super::wait_event::WaitEvent;
use crate::id::SeshId;
use crate::proc::signal;
use crate::state::State;
use crate::store::Record;
use crate::store::record::ExitStatus;

/// Something that happened to a sesh.
#[derive(Clone, Debug)]
pub struct SeshEvent {
    pub uuid: SeshId,
    pub what: EventKind,
    /// Why: who says so of a state, the reason of `waiting`, the code or the signal of an end, the line that was printed,
    /// how long it was quiet.
    pub reason: String,
    /// What is known of it. `None` of one that was forgotten before this wait had seen it.
    pub record: Option<Record>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It is in this state now.
    State(State),
    Exit,
    /// It is in the set now.
    Joined,
    Left,
    Output,
    Quiet,
}

impl EventKind {
    /// Its public word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::State(state) => state.as_str(),
            EventKind::Exit => "exit",
            EventKind::Joined => "joined",
            EventKind::Left => "left",
            EventKind::Output => "output",
            EventKind::Quiet => "quiet",
        }
    }
}

/// An event, and what is known of its sesh once the caller is told. `None` for one that is of no concern any more.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) event: SeshEvent,
    pub(super) mark: Option<SeshCursor>,
}

/// All seshes that have a pane or a book, and which of them are waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct Seshes {
    /// Those of the set; whose state is the oldest comes first.
    pub(super) members: Vec<Record>,
    pub(super) others: Vec<Record>,
}

impl Seshes {
    pub(super) fn new(records: impl IntoIterator<Item = Record>, set: &Set) -> Self {
        let (mut members, others): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|record| set.has(record));
        members.sort_by_key(|record| (record.since, record.created_at, record.uuid));
        Self { members, others }
    }

    /// Those that have not ended.
    pub(super) fn open(&self) -> impl Iterator<Item = &Record> {
        self.members.iter().filter(|record| record.exit.is_none())
    }
}

/// What is known of a sesh now.
pub(super) fn mark(record: &Record, told: bool) -> SeshCursor {
    SeshCursor {
        generation: record.generation,
        ended: record.exit.is_some(),
        told,
        shown: None,
    }
}

/// What has happened to the seshes of a set. `before` is what was known of those that were lost since.
pub(super) fn judge(
    seshes: &Seshes,
    marks: &BTreeMap<SeshId, SeshCursor>,
    until: &[WaitEvent],
    set: &Set,
    before: &BTreeMap<SeshId, Record>,
) -> Vec<Judged> {
    let mut found: Vec<Judged> = lost(seshes, marks, until, set, before);
    found.extend(seshes.members.iter().filter_map(|record| {
        let known = marks.get(&record.uuid);
        let what = happened(record, known, until)?;
        Some(Judged {
            event: event(record, what),
            mark: Some(SeshCursor {
                shown: known.and_then(|known| known.shown),
                ..mark(record, true)
            }),
        })
    }));
    found
}

fn happened(record: &Record, known: Option<&SeshCursor>, until: &[WaitEvent]) -> Option<EventKind> {
    let ended = record.exit.is_some();
    let before = known.copied().unwrap_or_default();
    let changed = known.is_none() || record.generation > before.generation || ended != before.ended;
    let is_now = (changed || !before.told) && until.iter().any(|until| until.is_now(record));
    let has_come = changed
        && until
            .iter()
            .any(|until| until.has_come(record, before.generation));
    if !is_now && !has_come {
        return None;
    }
    Some(if ended {
        EventKind::Exit
    } else if known.is_none() && !is_now {
        EventKind::Joined
    } else {
        EventKind::State(record.state)
    })
}

/// Those that were in the set and are no more: another tag, or forgotten.
fn lost(
    seshes: &Seshes,
    marks: &BTreeMap<SeshId, SeshCursor>,
    until: &[WaitEvent],
    set: &Set,
    before: &BTreeMap<SeshId, Record>,
) -> Vec<Judged> {
    let any_change = until.iter().any(|until| matches!(until, WaitEvent::Change));
    let an_end = until
        .iter()
        .any(|until| matches!(until, WaitEvent::Exit | WaitEvent::Turn | WaitEvent::Change));
    let is_member = |id: &SeshId| seshes.members.iter().any(|record| record.uuid == *id);
    marks
        .iter()
        .filter(|(id, _)| !is_member(id))
        .filter_map(|(id, mark)| {
            let other = seshes.others.iter().find(|record| record.uuid == *id);
            let (what, reason, record) = match other {
                // A cursor may be of more than this set.
                Some(other) => (any_change && !set.tags.is_empty())
                    .then(|| (EventKind::Left, "untagged", Some(other.clone()))),
                None => (an_end && !mark.ended)
                    .then(|| (EventKind::Exit, "forgotten", before.get(id).cloned())),
            }?;
            Some(Judged {
                event: SeshEvent {
                    uuid: *id,
                    what,
                    reason: reason.into(),
                    record,
                },
                mark: None,
            })
        })
        .collect()
}

/// An event of a sesh, for the reason that its record gives.
pub(super) fn event(record: &Record, what: EventKind) -> SeshEvent {
    let by = || record.by.clone().unwrap_or_default();
    let reason = match what {
        EventKind::Exit => record.exit.as_ref().map_or_else(|| "?".into(), how),
        EventKind::State(State::Waiting) => record.why.clone().unwrap_or_else(by),
        EventKind::Joined => record.state.as_str().into(),
        _ => by(),
    };
    SeshEvent {
        uuid: record.uuid,
        what,
        reason,
        record: Some(record.clone()),
    }
}

/// The code or the signal of an end.
fn how(exit: &ExitStatus) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => code.to_string(),
        (None, Some(number)) => signal::name(number),
        (None, None) => "?".into(),
    }
}
