//! Waits until a restarted agent is ready, in its conversation.

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

/// How often the agent is looked at: its start has no event unless it has hooks.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The time after which a person is notified of what is being waited for.
const NOTIFY_AFTER: Duration = Duration::from_secs(1);
/// How long an agent that does not show its conversation has to be at its composer. An agent that does not find its
/// conversation ends or says so at once.
const STABLE_FOR: Duration = Duration::from_millis(500);
/// How many of its last lines an error includes.
const LINES: usize = 3;

/// Why the agent is not ready.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether nothing of it is left.
    pub(super) undo: bool,
}

/// What is seen of an agent that was started.
enum StartState {
    /// Not ready yet.
    Starting,
    /// Ready, and its conversation is unknown.
    NoConversation,
    Ready,
    InAnother(String),
    Gone,
}

/// Waits until the agent is ready.
pub(super) fn wait(
    server: &Server,
    made: &Record,
    resumed: &Resumed<'_>,
    agents: &[Agent],
    options: &RestoreOptions<'_>,
) -> Result<(), Failure> {
    let (begun, deadline) = (Instant::now(), server.deadline());
    let mut notified = false;
    let mut same: Option<(bool, Instant)> = None;
    let Some(place) = &made.tmux else {
        return Ok(());
    };
    loop {
        let seen = match agent::look(server, place.pane, agents, &[]) {
            Ok(look) => start_state(&look, made, resumed),
            Err(error) if matches!(error.exit, Exit::Nothing | Exit::NoServer) => StartState::Gone,
            Err(error) => return Err(Failure { error, undo: false }),
        };
        let no_conversation = match &seen {
            StartState::Ready => return Ok(()),
            StartState::Gone => return Err(gone(server, made, place.pane)),
            StartState::NoConversation => Some(true),
            StartState::InAnother(_) => Some(false),
            StartState::Starting => None,
        };
        same = no_conversation.map(|no_conversation| match same {
            Some((before, since)) if before == no_conversation => (no_conversation, since),
            _ => (no_conversation, Instant::now()),
        });
        if same.is_some_and(|(_, since)| since.elapsed() >= STABLE_FOR) {
            return match seen {
                StartState::InAnother(other) => Err(in_another(made, resumed, &other)),
                _ => Ok(()),
            };
        }
        if begun.elapsed() >= options.within || deadline.is_some_and(|it| Instant::now() >= it) {
            return Err(late(server, made, place.pane));
        }
        if begun.elapsed() >= NOTIFY_AFTER && !notified {
            notified = true;
            (options.late)(&format!("waiting for {} to start …", made.name));
        }
        std::thread::sleep(POLL_INTERVAL); // why: there is no event for what an agent shows when it is ready.
    }
}

fn start_state(look: &Look<'_>, made: &Record, resumed: &Resumed<'_>) -> StartState {
    let own = look.pane.record.as_ref();
    let own = own.filter(|record| record.uuid == made.uuid && record.exit.is_none());
    if look.dead || own.is_none() {
        return StartState::Gone;
    }
    let Some(pane_agent) = &look.pane_agent else {
        return StartState::Starting;
    };
    if pane_agent.process_of_agent.agent.name != resumed.agent.name || !is_ready(pane_agent) {
        return StartState::Starting;
    }
    match &pane_agent.conversation {
        Some(id) if *id == resumed.conversation => StartState::Ready,
        Some(id) => StartState::InAnother(id.clone()),
        None => StartState::NoConversation,
    }
}

/// Whether the state of the agent is known from the agent itself.
fn is_ready(pane_agent: &PaneAgent<'_>) -> bool {
    !matches!(
        pane_agent.verdict().state,
        State::Unknown | State::Starting | State::Exited
    )
}

fn gone(server: &Server, made: &Record, pane: PaneId) -> Failure {
    let lines = last_lines(server, made, pane);
    Failure {
        error: Error::failed(format!(
            "{} did not start: it exited at once{lines}",
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
                "{} runs again, but in conversation {} instead of {}: sesh-enter {} goes there",
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
                "{} runs, but has not shown its screen yet: sesh-enter {} goes there{lines}",
                made.name, made.name
            ),
        ),
        undo: false,
    }
}

/// Returns the last lines of the agent as the end of a sentence: those in its pane, or else those that were kept of it.
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
