//! Makes the stored state match what exists. Each write is bound to what was read. Therefore several reconciliations at
//! once have the effect of one, and no change of another process is lost.

use super::change::{Change, ChangeKind, Differences, Repair};
use super::scan::{Sweep, scan};
use crate::error::Result;
use crate::id::SeshId;
use crate::store::commit::{self, commit_quietly};
use crate::store::note::{AGENT, JournalEvent, Note, STATE};
use crate::store::{Select, Snapshot, schema, write};
use crate::tmux::{Batch, Server, command};

/// Repairs the stored state of the seshes that exist, for a wait for one of them. It changes nothing else.
///
/// # Errors
/// As [`scan`](super::scan::scan).
pub fn reconcile_known(server: &Server) -> Result<()> {
    let server = &server.for_upkeep();
    let Differences { mut repairs, .. } = scan(server, Sweep::Never)?;
    repairs.retain(|repair| repair.change.change != ChangeKind::Closed);
    if repairs.is_empty() {
        return Ok(());
    }
    let (batch, separate) = batches(&repairs);
    let mut answer = String::new();
    for batch in separate {
        answer.push_str(&server.run(&batch)?);
    }
    commit_quietly(server, &batch, |last| {
        answer.push_str(&last?);
        let changes = changes(applied(repairs, &answer));
        Ok(((), notes(server, &changes)))
    })
}

/// Returns the journal notes of these changes, with the values as they are now.
fn notes(server: &Server, changes: &[Change]) -> Vec<Note> {
    let is_in_journal = |change: &Change| event(change.change).is_some();
    if !changes.iter().any(is_in_journal) {
        return Vec::new();
    }
    let select = Select {
        ended: true,
        ..Select::default()
    };
    // Without a server there is nothing to read, and the journal already has the last values.
    let Ok(now) = Snapshot::read(server, &select) else {
        return Vec::new();
    };
    let record = |id: SeshId| now.records().find(|record| record.uuid == id);
    changes
        .iter()
        .filter_map(|change| {
            let event = event(change.change)?;
            let record = record(change.uuid)?;
            Some(match event {
                // An agent that is first seen also has a state and a conversation.
                JournalEvent::State | JournalEvent::Conversation => {
                    Note::of(event, record, AGENT.into_iter().chain(STATE))
                }
                _ => Note::all(event, record, now.server_id.filter(|_| record.live))
                    .with_pending(change.change == ChangeKind::Returned),
            })
        })
        .collect()
}

/// Returns the journal event of a change. Returns `None` for a change that the journal does not hold.
fn event(kind: ChangeKind) -> Option<JournalEvent> {
    match kind {
        ChangeKind::State => Some(JournalEvent::State),
        ChangeKind::Agent => Some(JournalEvent::Conversation),
        ChangeKind::Adopted => Some(JournalEvent::Adopted),
        ChangeKind::Returned => Some(JournalEvent::Changed),
        ChangeKind::Ended => Some(JournalEvent::Ended),
        // The helper that ended the sesh, or its sesh-run, wrote the end. The last lines of a forgotten sesh are in no
        // journal.
        ChangeKind::Released
        | ChangeKind::Book
        | ChangeKind::Closed
        | ChangeKind::Tail
        | ChangeKind::Expired
        | ChangeKind::Forgotten => None,
    }
}

fn changes(repairs: Vec<Repair>) -> Vec<Change> {
    repairs.into_iter().map(|repair| repair.change).collect()
}

/// Returns the repairs that the server reports as made.
fn applied(repairs: Vec<Repair>, answer: &str) -> Vec<Repair> {
    let numbers: Vec<usize> = answer.lines().filter_map(|at| at.parse().ok()).collect();
    repairs
        .into_iter()
        .enumerate()
        .filter(|(at, _)| numbers.contains(at))
        .map(|(_, repair)| repair)
        .collect()
}

/// Runs the repairs. The last list also unsets the variable that says that `sesh-reap` runs. Returns the changes that
/// were made, and whether another reconciliation is wanted.
///
/// # Errors
/// As [`Server::run`].
pub(crate) fn reconcile(server: &Server, differences: Differences) -> Result<(Vec<Change>, bool)> {
    let Differences {
        repairs, silent, ..
    } = differences;
    let wanted = format!("#{{==:#{{{}}},1}}", schema::REAP_AGAIN);
    let finish = command::if_format(
        None,
        &wanted,
        &Batch::from(command::print(None, "again")),
        &Batch::from(write::reap_is_over()),
    );
    let (mut batch, separate) = batches(&repairs);
    let only_ends = batch.is_empty() && silent.is_empty();
    batch.extend(silent);
    batch.extend([finish]);
    if only_ends {
        batch = batch.repeatable();
    }
    let mut answer = String::new();
    for batch in separate {
        match server.run(&batch) {
            // The server ended with its last pane.
            Err(error) if error.server_is_gone() => return Ok((changes(repairs), false)),
            outcome => answer.push_str(&outcome?),
        }
    }
    commit_quietly(server, &batch, |last| {
        let last = last?;
        let again = last.lines().any(|line| line == "again");
        answer.push_str(&last);
        let applied = applied(repairs, &answer);
        commit::forget_replaced(server, applied.iter().filter_map(|repair| repair.replaces))?;
        let changes = changes(applied);
        let notes = notes(server, &changes);
        Ok(((changes, again), notes))
    })
}

/// Returns one batch of the repairs that fit into one command list, and a batch for each repair that must end a list.
/// Each repair runs only if its condition still holds, and then prints its number.
fn batches(repairs: &[Repair]) -> (Batch, Vec<Batch>) {
    let mut together = Batch::new();
    let mut separate = Vec::new();
    for (at, repair) in repairs.iter().enumerate() {
        let pane = repair.change.pane.map(|pane| pane.to_string());
        let ends = matches!(repair.change.change, ChangeKind::Closed | ChangeKind::Tail);
        let mut commands = Batch::new();
        commands.extend(repair.commands.iter().cloned());
        commands.extend(pane.as_deref().filter(|_| !ends).map(write::count));
        let commands = commands.then(command::print(None, &at.to_string()));
        let repair =
            command::if_format(pane.as_deref(), &repair.condition, &commands, &Batch::new());
        if ends {
            separate.push(Batch::from(repair));
        } else {
            together.extend([repair]);
        }
    }
    (together, separate)
}
