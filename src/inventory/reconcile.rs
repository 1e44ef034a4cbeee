//! Making what is stored what exists: each write is bound to what was read, so several reconciliations at once are one,
//! and no change of another process is lost.

use super::change::{Change, ChangeKind, Differences, Repair};
use super::scan::{Sweep, look_at};
use crate::error::{Exit, Result};
use crate::id::SeshId;
use crate::store::commit::{self, commit_quietly};
use crate::store::note::{AGENT, JournalEvent, Note, STATE};
use crate::store::{Select, Snapshot, schema, write};
use crate::tmux::{Batch, Server, command};

/// Mends what is stored of the seshes that exist, and leaves everything else, for a wait for one of them.
///
/// # Errors
/// As [`look_at`].
pub fn reconcile_known(server: &Server) -> Result<()> {
    let Differences { mut mends, .. } = look_at(server, Sweep::Never)?;
    mends.retain(|mend| mend.change.change != ChangeKind::Closed);
    if mends.is_empty() {
        return Ok(());
    }
    let (batch, alone) = made(&mends);
    let mut answer = String::new();
    for batch in alone {
        answer.push_str(&server.run(&batch)?);
    }
    commit_quietly(server, &batch, |last| {
        answer.push_str(&last?);
        let changes = changes(done(mends, &answer));
        Ok(((), notes(server, &changes)))
    })
}

/// Returns the notes of what was changed, as it is now.
fn notes(server: &Server, changes: &[Change]) -> Vec<Note> {
    let lasts = |change: &Change| event(change.change).is_some();
    if !changes.iter().any(lasts) {
        return Vec::new();
    }
    let select = Select {
        ended: true,
        ..Select::default()
    };
    // Without a server there is nothing to read, and the journal has what it was.
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
                // An agent that is first seen has a state, and a conversation with it.
                JournalEvent::State | JournalEvent::Conversation => {
                    Note::of(event, record, AGENT.into_iter().chain(STATE))
                }
                _ => Note::all(event, record, now.life.filter(|_| record.live))
                    .of_pending(change.change == ChangeKind::Returned),
            })
        })
        .collect()
}

/// Returns what a change is in the journal. `None` for what the journal does not have.
fn event(kind: ChangeKind) -> Option<JournalEvent> {
    match kind {
        ChangeKind::State => Some(JournalEvent::State),
        ChangeKind::Agent => Some(JournalEvent::Conversation),
        ChangeKind::Adopted => Some(JournalEvent::Adopted),
        ChangeKind::Returned => Some(JournalEvent::Changed),
        ChangeKind::Ended => Some(JournalEvent::Ended),
        // The helper that ended it wrote its end, or its sesh-run did. The last lines of a forgotten one are in no journal.
        ChangeKind::Released
        | ChangeKind::Book
        | ChangeKind::Closed
        | ChangeKind::Tail
        | ChangeKind::Expired => None,
    }
}

fn changes(mends: Vec<Repair>) -> Vec<Change> {
    mends.into_iter().map(|mend| mend.change).collect()
}

/// Returns the changes that the server says were made.
fn done(mends: Vec<Repair>, answer: &str) -> Vec<Repair> {
    let made: Vec<usize> = answer.lines().filter_map(|at| at.parse().ok()).collect();
    mends
        .into_iter()
        .enumerate()
        .filter(|(at, _)| made.contains(at))
        .map(|(_, mend)| mend)
        .collect()
}

/// Makes the changes, and in the last list takes back that `sesh-reap` runs. Gives the changes, and whether another
/// reconciliation is wanted.
///
/// # Errors
/// As [`Server::run`].
pub(crate) fn reconcile(server: &Server, differences: Differences) -> Result<(Vec<Change>, bool)> {
    let Differences {
        mends,
        silent: unsaid,
        ..
    } = differences;
    let wanted = format!("#{{==:#{{{}}},1}}", schema::REAP_AGAIN);
    let over = command::if_format(
        None,
        &wanted,
        &Batch::from(command::print(None, "again")),
        &Batch::from(write::reap_is_over()),
    );
    let (mut batch, alone) = made(&mends);
    let only_ends = batch.is_empty() && unsaid.is_empty();
    batch.extend(unsaid);
    batch.extend([over]);
    if only_ends {
        batch = batch.may_run_twice();
    }
    let mut answer = String::new();
    for batch in alone {
        match server.run(&batch) {
            // With its last pane the server went.
            Err(error) if error.exit == Exit::NoServer => return Ok((changes(mends), false)),
            outcome => answer.push_str(&outcome?),
        }
    }
    commit_quietly(server, &batch, |last| {
        let last = last?;
        let again = last.lines().any(|line| line == "again");
        answer.push_str(&last);
        let done = done(mends, &answer);
        commit::forget_replaced(server, done.iter().filter_map(|mend| mend.replaces))?;
        let changes = changes(done);
        let notes = notes(server, &changes);
        Ok(((changes, again), notes))
    })
}

/// Each change that can still be made, with the number of each that was: those that fit into one list, and those that
/// must end one.
fn made(mends: &[Repair]) -> (Batch, Vec<Batch>) {
    let mut together = Batch::new();
    let mut alone = Vec::new();
    for (at, mend) in mends.iter().enumerate() {
        let pane = mend.change.pane.map(|pane| pane.to_string());
        let ends = matches!(mend.change.change, ChangeKind::Closed | ChangeKind::Tail);
        let mut commands = Batch::new();
        commands.extend(mend.commands.iter().cloned());
        commands.extend(pane.as_deref().filter(|_| !ends).map(write::count));
        let commands = commands.then(command::print(None, &at.to_string()));
        let mend = command::if_format(pane.as_deref(), &mend.condition, &commands, &Batch::new());
        if ends {
            alone.push(Batch::from(mend));
        } else {
            together.extend([mend]);
        }
    }
    (together, alone)
}
