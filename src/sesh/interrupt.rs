//! Interrupts the turn of an agent with its own keys, and checks that it has stopped.

use std::time::{Duration, Instant};

use crate::agent::kinds::Agents;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::inventory::reconcile;
use crate::pane::agent::{self, Look};
use crate::pane::interrupt_keys::press_each;
use crate::pane::keys::{self, KeysRequest};
use crate::state::{State, Why};
use crate::tmux::Server;

/// How often the pane is looked at while the agent stops, for which a screen has no event.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long the agent has to be idle until it counts as stopped. Between two steps of a turn a screen may look idle for a
/// moment.
const SETTLED: Duration = Duration::from_millis(500);

/// What an interrupt has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterruptOutcome {
    /// The agent was in a turn, and has stopped.
    Stopped,
    /// The agent was not in a turn, so that no key was sent.
    NotBusy,
}

/// Sends an agent the keys that interrupt it, and waits until it has stopped. `sesh` is the sesh that the pane must
/// belong to, for a target that was given as a name. Of the request, the keys and the text are replaced.
///
/// # Errors
/// [`Exit::Unusable`] where no agent runs in the pane, or it waits for a person, or its keys are unknown or would not
/// reach it: then nothing was sent. [`Exit::TimedOut`] if it still works at the end of the limit. [`Exit::Failed`] if the
/// keys have ended it.
pub fn interrupt(
    server: &Server,
    pane: PaneId,
    sesh: Option<SeshId>,
    request: &KeysRequest,
    limit: Duration,
) -> Result<InterruptOutcome> {
    let agents = &Agents::loaded().all;
    let look = || {
        let look = agent::look(server, pane, agents, &[])?;
        let found = look.pane.record.as_ref().map(|record| record.uuid);
        if sesh.is_some() && found != sesh {
            return Err(Error::new(
                Exit::Changed,
                format!("pane {pane} is now another sesh: check with sesh-list"),
            ));
        }
        Ok(look)
    };
    let first = look()?;
    let Some(pane_agent) = &first.pane_agent else {
        return Err(not_sent(pane, "no agent runs in it"));
    };
    let agent = pane_agent.process_of_agent.agent;
    let kind = &agent.name;
    if pane_agent.process_of_agent.process.stopped || !pane_agent.process_of_agent.in_front {
        let why = format!("{kind} is suspended, or another program is in the foreground");
        return Err(not_sent(pane, &why));
    }
    let Some(own_keys) = &agent.manifest.keys.interrupt else {
        let why = format!(
            "the keys that interrupt {kind} are unknown: describe them in a file (plugin/doc/agents.md)"
        );
        return Err(not_sent(pane, &why));
    };
    let verdict = pane_agent.own_verdict();
    match verdict.state {
        State::Busy => {}
        State::Idle => return Ok(InterruptOutcome::NotBusy),
        State::Waiting => {
            let why = verdict.why.map_or("a person", Why::as_str);
            let keys = own_keys.join(" ");
            let why = format!("{kind} waits for {why}: answer it, or press {keys} with pane-keys");
            return Err(not_sent(pane, &why));
        }
        State::Starting | State::Unknown | State::Exited => {
            let why = format!("it is not known what {kind} does: sesh-explain {pane} says why");
            return Err(not_sent(pane, &why));
        }
    }
    let is_busy = || Ok(state(&look()?) == State::Busy);
    press_each(own_keys, is_busy, |keys| {
        let request = KeysRequest {
            text: String::new(),
            keys: keys.to_vec(),
            repeat: 1,
            to_held: false,
            ..request.clone()
        };
        keys::send(server, pane, sesh, &request).map(|()| true)
    })?;
    let deadline = Instant::now() + limit;
    let mut idle_since: Option<Instant> = None;
    loop {
        std::thread::sleep(POLL_INTERVAL); // why: see POLL_INTERVAL.
        let now = look()?;
        match state(&now) {
            State::Exited => {
                return Err(Error::failed(format!(
                    "{kind} in pane {pane} has exited with the keys that interrupt it"
                )));
            }
            State::Idle => {
                if idle_since.get_or_insert_with(Instant::now).elapsed() >= SETTLED {
                    break;
                }
            }
            _ => idle_since = None,
        }
        if Instant::now() >= deadline {
            return Err(Error::new(
                Exit::TimedOut,
                format!(
                    "the interrupt of {kind} in pane {pane} timed out: it is still {}",
                    state(&now).as_str()
                ),
            )
            .with_way_out_after_why("pane-capture shows what it does"));
        }
    }
    if sesh.is_some() {
        // Few agents report that they were interrupted. The store has it now, and those that wait for it.
        reconcile::reconcile_known(server)?;
    }
    Ok(InterruptOutcome::Stopped)
}

fn state(look: &Look<'_>) -> State {
    match &look.pane_agent {
        Some(pane_agent) => pane_agent.own_verdict().state,
        None => State::Exited,
    }
}

fn not_sent(pane: PaneId, why: &str) -> Error {
    Error::unusable(format!("nothing was sent to pane {pane}: {why}"))
}
