//! Finds what has happened since a cursor, from records alone.

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
    /// The reason: the source of a state, the reason of `waiting`, the code or the signal of an exit, the line that was
    /// printed, or how long the pane was quiet.
    pub reason: String,
    /// The record of the sesh. `None` where it was forgotten before this wait had read it.
    pub record: Option<Record>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The sesh is in this state now.
    State(State),
    Exit,
    /// The sesh is in the set now.
    Joined,
    Left,
    Output,
    Quiet,
}

impl EventKind {
    /// Returns its public word.
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

/// An event, and the cursor of its sesh once the event is reported. The cursor is `None` for a sesh that is not in the
/// set any more.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) event: SeshEvent,
    pub(super) cursor: Option<SeshCursor>,
}

/// All seshes that have a pane or a record, by whether they are waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct Seshes {
    /// The seshes of the set. The one whose state is the oldest comes first.
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

    /// Returns the members that have not exited.
    pub(super) fn not_exited(&self) -> impl Iterator<Item = &Record> {
        self.members.iter().filter(|record| record.exit.is_none())
    }
}

/// Returns the cursor of a sesh from its present record.
pub(super) fn cursor_of(record: &Record, reported: bool) -> SeshCursor {
    SeshCursor {
        generation: record.generation,
        ended: record.exit.is_some(),
        reported,
        shown: None,
    }
}

/// Returns what has happened to the seshes of a set. `before` holds the last known records, also of seshes that are not
/// in the set any more.
pub(super) fn judge(
    seshes: &Seshes,
    cursors: &BTreeMap<SeshId, SeshCursor>,
    until: &[WaitEvent],
    set: &Set,
    before: &BTreeMap<SeshId, Record>,
) -> Vec<Judged> {
    let mut found: Vec<Judged> = left_events(seshes, cursors, until, set, before);
    found.extend(seshes.members.iter().filter_map(|record| {
        let known = cursors.get(&record.uuid);
        let what = happened(record, known, until)?;
        Some(Judged {
            event: event(record, what),
            cursor: Some(SeshCursor {
                shown: known.and_then(|known| known.shown),
                ..cursor_of(record, true)
            }),
        })
    }));
    found
}

fn happened(record: &Record, known: Option<&SeshCursor>, until: &[WaitEvent]) -> Option<EventKind> {
    let ended = record.exit.is_some();
    let before = known.copied().unwrap_or_default();
    let changed = known.is_none() || record.generation > before.generation || ended != before.ended;
    let holds = (changed || !before.reported) && until.iter().any(|until| until.holds(record));
    let happened_since = changed
        && until
            .iter()
            .any(|until| until.happened_since(record, before.generation));
    if !holds && !happened_since {
        return None;
    }
    Some(if ended {
        EventKind::Exit
    } else if known.is_none() && !holds {
        EventKind::Joined
    } else {
        EventKind::State(record.state)
    })
}

/// Returns the events of seshes that have left the set, because their tags changed or they were forgotten.
fn left_events(
    seshes: &Seshes,
    cursors: &BTreeMap<SeshId, SeshCursor>,
    until: &[WaitEvent],
    set: &Set,
    before: &BTreeMap<SeshId, Record>,
) -> Vec<Judged> {
    let any_change = until.iter().any(|until| matches!(until, WaitEvent::Change));
    let any_exit = until
        .iter()
        .any(|until| matches!(until, WaitEvent::Exit | WaitEvent::Turn | WaitEvent::Change));
    let is_member = |id: &SeshId| seshes.members.iter().any(|record| record.uuid == *id);
    // A cursor may hold seshes of another set. Only a set of tags is read with all others.
    let may_be_of_set = |id: &SeshId| !set.tags.is_empty() || set.ids.contains(id);
    cursors
        .iter()
        .filter(|(id, _)| !is_member(id) && may_be_of_set(id))
        .filter_map(|(id, cursor)| {
            let other = seshes.others.iter().find(|record| record.uuid == *id);
            let (what, reason, record) = match other {
                Some(other) => (any_change && !set.tags.is_empty())
                    .then(|| (EventKind::Left, "untagged", Some(other.clone()))),
                None => (any_exit && !cursor.ended)
                    .then(|| (EventKind::Exit, "forgotten", before.get(id).cloned())),
            }?;
            Some(Judged {
                event: SeshEvent {
                    uuid: *id,
                    what,
                    reason: reason.into(),
                    record,
                },
                cursor: None,
            })
        })
        .collect()
}

/// Returns an event of a sesh, with the reason from its record.
pub(super) fn event(record: &Record, what: EventKind) -> SeshEvent {
    let by = || record.by.clone().unwrap_or_default();
    let reason = match what {
        EventKind::Exit => record.exit.as_ref().map_or_else(|| "?".into(), exit_reason),
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

/// Returns the code or the signal of an exit.
fn exit_reason(exit: &ExitStatus) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => code.to_string(),
        (None, Some(number)) => signal::name(number),
        (None, None) => "?".into(),
    }
}
