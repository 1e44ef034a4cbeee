//! Waiting until an agent that was started again is there, in its conversation.

use std::time::{Duration, Instant};

use super::{RestoreOptions, Resumed};
use crate::agent::kinds::Agent;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, shown};
use crate::pane::agent::{self, Look, PaneAgent};
use crate::state::State;
use crate::store::schema::HELD;
use crate::store::{Record, tail, value};
use crate::tmux::{Batch, Server, command};

/// How often it is looked for: an agent's start has no event but where it has hooks.
const LOOK: Duration = Duration::from_millis(50);
/// After which time a person is told what is being waited for.
const LATE: Duration = Duration::from_secs(1);
/// How long one has to be at its composer that says nowhere in which conversation it is: one that does not find it ends
/// or says so at once.
const SETTLED: Duration = Duration::from_millis(500);
/// How many of its last lines are told.
const LINES: usize = 3;

/// Why it is not there.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Nothing of it is left.
    pub(super) undo: bool,
}

/// What is seen of one that was started.
enum StartState {
    /// Not there yet.
    Starts,
    /// There, and nothing says in which conversation.
    Silent,
    There,
    InAnother(String),
    Gone,
}

/// Waits until it is there.
pub(super) fn wait(
    server: &Server,
    made: &Record,
    resumed: &Resumed<'_>,
    agents: &[Agent],
    options: &RestoreOptions<'_>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut told = false;
    let mut same: Option<(bool, Instant)> = None;
    let Some(place) = &made.tmux else {
        return Ok(());
    };
    loop {
        let seen = match agent::look(server, place.pane, agents, &[]) {
            Ok(look) => see(&look, made, resumed),
            Err(error) if matches!(error.exit, Exit::Nothing | Exit::NoServer) => StartState::Gone,
            Err(error) => return Err(Failure { error, undo: false }),
        };
        let silent = match &seen {
            StartState::There => return Ok(()),
            StartState::Gone => return Err(gone(server, made, place.pane)),
            StartState::Silent => Some(true),
            StartState::InAnother(_) => Some(false),
            StartState::Starts => None,
        };
        same = silent.map(|silent| match same {
            Some((before, since)) if before == silent => (silent, since),
            _ => (silent, Instant::now()),
        });
        if same.is_some_and(|(_, since)| since.elapsed() >= SETTLED) {
            return match seen {
                StartState::InAnother(other) => Err(in_another(made, resumed, &other)),
                _ => Ok(()),
            };
        }
        if begun.elapsed() >= options.within {
            return Err(late(server, made, place.pane));
        }
        if begun.elapsed() >= LATE && !told {
            told = true;
            (options.late)(&format!("waiting for {} to be there …", made.name));
        }
        std::thread::sleep(LOOK); // why: what an agent shows when it is there is nobody's event.
    }
}

fn see(look: &Look<'_>, made: &Record, resumed: &Resumed<'_>) -> StartState {
    let own = look.pane.record.as_ref();
    let own = own.filter(|record| record.uuid == made.uuid && record.exit.is_none());
    if look.dead || own.is_none() {
        return StartState::Gone;
    }
    let Some(pane_agent) = &look.pane_agent else {
        return StartState::Starts;
    };
    if pane_agent.living.agent.name != resumed.agent.name || !is_there(pane_agent) {
        return StartState::Starts;
    }
    match &pane_agent.conversation {
        Some(id) if *id == resumed.conversation => StartState::There,
        Some(id) => StartState::InAnother(id.clone()),
        None => StartState::Silent,
    }
}

/// Whether something of its own says what it does.
fn is_there(pane_agent: &PaneAgent<'_>) -> bool {
    !matches!(
        pane_agent.verdict().state,
        State::Unknown | State::Starting | State::Exited
    )
}

fn gone(server: &Server, made: &Record, pane: PaneId) -> Failure {
    let lines = last_lines(server, made, pane);
    Failure {
        error: Error::failed(format!(
            "{} did not come: it has ended at once{lines}",
            made.name
        )),
        undo: true,
    }
}

fn in_another(made: &Record, resumed: &Resumed<'_>, other: &str) -> Failure {
    Failure {
        error: Error::new(
            Exit::Unconfirmed,
            format!(
                "{} runs again, but in the conversation {} and not in {}: sesh-enter {} goes there",
                made.name,
                shown(other),
                resumed.conversation,
                made.name
            ),
        ),
        undo: false,
    }
}

fn late(server: &Server, made: &Record, pane: PaneId) -> Failure {
    let lines = last_lines(server, made, pane);
    Failure {
        error: Error::new(
            Exit::TimedOut,
            format!(
                "{} runs, but does not show yet that it is there: sesh-enter {} goes there{lines}",
                made.name, made.name
            ),
        ),
        undo: false,
    }
}

/// What it said last, as the end of a sentence: what stands in its pane, else what was kept of that.
fn last_lines(server: &Server, made: &Record, pane: PaneId) -> String {
    let target = pane.to_string();
    let shown_there = server.run(&Batch::from(command::capture_pane(
        &target, "0", false, true,
    )));
    let text = shown_there.or_else(|_| {
        let kept = server.run(&Batch::from(tail::print(made.uuid)));
        kept.map(|kept| {
            let tails = tail::read(&kept);
            tails
                .get(&made.uuid)
                .map(|tail| value::decode(tail))
                .unwrap_or_default()
        })
    });
    let text = text.unwrap_or_default();
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(HELD))
        .collect();
    lines.drain(..lines.len().saturating_sub(LINES));
    if lines.is_empty() {
        return String::new();
    }
    format!("; its last lines: {}", shown(&lines.join(" / ")))
}
