//! Reconciling what is stored with what is: the panes, and the process table.
//!
//! One tmux process reads and one writes, and only what differs: an equal write would redraw every client. Each
//! write is bound to what was read, so several reconciliations at once are one, and nobody else's change is lost.

mod agent;
mod book;
mod found;
mod pane;
mod returned;
mod seen;

use std::time::Duration;

use serde::Serialize;

use super::end::{How, end, names};
use super::lost;
use super::save::save;
use crate::error::{Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::store::lasting::{self, AGENT, Event, Note, STATE};
use crate::store::{Record, Select, Snapshot, schema, write};
use crate::tmux::{Batch, Command, Server, command};
use seen::{Sweep, look_at, look_at_closed};

/// How long HUP and TERM may take together for one whose time is over.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many are ended at once: each only waits.
const AT_ONCE: usize = 32;

/// What kind of change. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What a shell or an agent is doing.
    State,
    /// Which agent lives in a sesh's pane, or in which conversation it is.
    Agent,
    /// An agent in a pane that was no sesh.
    Adopted,
    /// An agent in such a pane, in the conversation of a sesh that had ended.
    Returned,
    /// An end that nobody had recorded.
    Ended,
    /// A pane in which another process runs is that sesh's no more.
    Released,
    /// A book that did not say what its pane says.
    Book,
    /// A held pane whose time was over.
    Closed,
    /// The last lines of a sesh that is forgotten.
    Tail,
    /// One that was ended since its time was over.
    Expired,
}

/// One change, made or to be made.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub change: Kind,
    pub uuid: SeshId,
    /// `None` of one that is forgotten.
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// What changes and why, as the end of a sentence.
    pub what: String,
}

/// A change with what makes it.
#[derive(Clone, Debug)]
struct Mend {
    change: Change,
    /// What must still hold in the server.
    condition: String,
    commands: Vec<Command>,
    /// A sesh that is no more then, as if it had never been.
    replaces: Option<SeshId>,
}

/// All that differs.
#[derive(Debug, Default)]
struct Differences {
    mends: Vec<Mend>,
    /// What else is to be written, which is no news to anybody.
    unsaid: Vec<Command>,
    /// What is to be ended.
    expired: Vec<Record>,
    /// The journal could not be written for a time.
    unwritten: bool,
}

/// What would be changed.
///
/// # Errors
/// As [`Server::run`], and [`Exit::Unusable`] when a name of the panes' is set elsewhere.
pub fn look(server: &Server) -> Result<Vec<Change>> {
    let Differences { mends, expired, .. } = look_at(server, Sweep::Now)?;
    let mended = mends.into_iter().map(|mend| mend.change);
    let ended = expired
        .iter()
        .map(|record| over(record, "is alive, and its time is over"));
    Ok(mended.chain(ended).collect())
}

/// Of which seshes what is stored is compared with what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    All,
    /// Those that are recorded as alive and have no pane any more: nothing is asked about the others.
    Closed,
}

/// Mends what differs, and gives what it changed: not what others changed meanwhile.
///
/// Whoever wants a reconciliation while this one is under way leaves word in [`schema::REAP_AGAIN`], and it goes
/// round once more. The plugin says in [`schema::REAP`] that one is under way; the last list takes that back.
///
/// # Errors
/// As [`look`].
pub fn reap(server: &Server, mut of: Of) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    loop {
        let differences = match of {
            Of::All => look_at(server, Sweep::WhenDue),
            Of::Closed => look_at_closed(server),
        };
        let mut differences = differences.inspect_err(|error| {
            if error.exit == Exit::Unusable {
                let _ = server.run(&Batch::from(command::unset_hidden(schema::REAP)));
            }
        })?;
        let expired = std::mem::take(&mut differences.expired);
        let unwritten = differences.unwritten;
        let (made, again) = mend(server, differences)?;
        changes.extend(made);
        changes.extend(end_all(server, &expired));
        if !again {
            if unwritten {
                // It may be so still: the next one tries again.
                let _ = save(server);
            }
            return Ok(changes);
        }
        // Another one may have wanted all.
        of = Of::All;
        // What is wanted from now on is not seen by the look before, and may be by the next.
        server.run(&Batch::from(command::unset_hidden(schema::REAP_AGAIN)).may_run_twice())?;
    }
}

/// Ends those whose time is over, all at once: each is given the time to end by itself.
fn end_all(server: &Server, expired: &[Record]) -> Vec<Change> {
    let how = How {
        kill: true,
        forget: false,
        timeout: PATIENCE,
    };
    let end = |record: &Record| {
        let left = end(server, record, how, &|_| {}).ok()?;
        Some(match &left[..] {
            [] => over(record, "has ended: its time was over"),
            left => over(
                record,
                &format!(
                    "has ended: its time was over; of its terminal still alive: {}",
                    names(left)
                ),
            ),
        })
    };
    let mut changes = Vec::new();
    for some in expired.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let ends: Vec<_> = some
                .iter()
                .map(|record| scope.spawn(move || end(record)))
                .collect();
            changes.extend(ends.into_iter().filter_map(|end| end.join().ok().flatten()));
        });
    }
    changes
}

fn over(record: &Record, what: &str) -> Change {
    Change {
        change: Kind::Expired,
        uuid: record.uuid,
        name: Some(record.name.clone()),
        pane: record.tmux.as_ref().map(|place| place.pane),
        what: what.into(),
    }
}

/// Mends what is stored of the seshes that there are, and leaves everything else: for whoever waits for one of them.
///
/// # Errors
/// As [`look`].
pub fn settle(server: &Server) -> Result<()> {
    let Differences { mut mends, .. } = look_at(server, Sweep::Never)?;
    mends.retain(|mend| mend.change.change != Kind::Closed);
    if mends.is_empty() {
        return Ok(());
    }
    let (batch, alone) = made(&mends);
    let mut answer = server.run(&batch)?;
    for batch in alone {
        answer.push_str(&server.run(&batch)?);
    }
    remember(server, &changes(done(mends, &answer)));
    Ok(())
}

/// Writes down for the journal what was changed, as it is now.
fn remember(server: &Server, changes: &[Change]) {
    let lasts = |change: &Change| event(change.change).is_some();
    if !changes.iter().any(lasts) {
        return;
    }
    let select = Select {
        ended: true,
        ..Select::default()
    };
    // Without a server there is nobody to ask, and what it was is in the journal.
    let Ok(now) = Snapshot::read(server, &select) else {
        return;
    };
    let record = |id: SeshId| now.records().find(|record| record.uuid == id);
    let notes: Vec<Note<'_>> = changes
        .iter()
        .filter_map(|change| {
            let event = event(change.change)?;
            let record = record(change.uuid)?;
            Some(match event {
                // An agent that is first seen has a state, and a conversation with it.
                Event::State | Event::Conversation => {
                    Note::of(event, record, AGENT.into_iter().chain(STATE))
                }
                _ => Note::all(event, record, now.life.filter(|_| record.live)),
            })
        })
        .collect();
    lasting::note_unheard(server, &notes);
}

/// What a change is to the journal.
fn event(kind: Kind) -> Option<Event> {
    match kind {
        Kind::State => Some(Event::State),
        Kind::Agent => Some(Event::Conversation),
        Kind::Adopted => Some(Event::Adopted),
        Kind::Returned => Some(Event::Changed),
        Kind::Ended => Some(Event::Ended),
        // Whoever ended it wrote that down, or its sesh-run did; and the last lines of a forgotten one are in no journal.
        Kind::Released | Kind::Book | Kind::Closed | Kind::Tail | Kind::Expired => None,
    }
}

fn changes(mends: Vec<Mend>) -> Vec<Change> {
    mends.into_iter().map(|mend| mend.change).collect()
}

/// Those that the server says were made.
fn done(mends: Vec<Mend>, answer: &str) -> Vec<Mend> {
    let made: Vec<usize> = answer.lines().filter_map(|at| at.parse().ok()).collect();
    mends
        .into_iter()
        .enumerate()
        .filter(|(at, _)| made.contains(at))
        .map(|(_, mend)| mend)
        .collect()
}

/// The changes, and in their last list the word that this is over, or begins again.
fn mend(server: &Server, differences: Differences) -> Result<(Vec<Change>, bool)> {
    let Differences { mends, unsaid, .. } = differences;
    let wanted = format!("#{{==:#{{{}}},1}}", schema::REAP_AGAIN);
    let over = command::if_format(
        None,
        &wanted,
        &Batch::from(command::print(None, "again")),
        &Batch::from(command::unset_hidden(schema::REAP)),
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
    let last = server.run(&batch)?;
    let again = last.lines().any(|line| line == "again");
    answer.push_str(&last);
    let done = done(mends, &answer);
    for id in done.iter().filter_map(|mend| mend.replaces) {
        lasting::forget(server, id)?;
    }
    let changes = changes(done);
    remember(server, &changes);
    let returned = |change: &Change| change.change == Kind::Returned;
    if changes.iter().any(returned) {
        lost::recount(server)?;
    }
    Ok((changes, again))
}

/// Each change that can still be made, with the number of each that was: those that fit into one list, and those that
/// must end one.
fn made(mends: &[Mend]) -> (Batch, Vec<Batch>) {
    let mut together = Batch::new();
    let mut alone = Vec::new();
    for (at, mend) in mends.iter().enumerate() {
        let pane = mend.change.pane.map(|pane| pane.to_string());
        let ends = matches!(mend.change.change, Kind::Closed | Kind::Tail);
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
