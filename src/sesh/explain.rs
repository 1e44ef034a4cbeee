//! Explains why a pane or a sesh is in its state.

use serde::Serialize;

use crate::agent::explain::{Explanation, Statement};
use crate::agent::kinds::Agent;
use crate::agent::state::{Authority, Confidence, SourceState, Verdict};
use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::inventory::find;
use crate::pane::agent::{Look, look};
use crate::proc;
use crate::state::State;
use crate::store::{Record, Target};
use crate::tmux::Server;

/// Everything that is known of the state of a pane or a sesh.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub uuid: Option<SeshId>,
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// The kind of the agent that runs there.
    pub agent: Option<String>,
    pub agent_pid: Option<i32>,
    pub conversation: Option<String>,
    /// The stored state, which the next evaluation corrects.
    pub stored: Option<Stored>,
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The server's clock, epoch seconds.
    pub now: Option<u64>,
}

/// What is stored of the state.
#[derive(Clone, Debug, Serialize)]
pub struct Stored {
    pub state: State,
    pub why: Option<String>,
    pub by: Option<String>,
    /// Epoch seconds.
    pub since: Option<u64>,
    #[serde(rename = "gen")]
    pub generation: u64,
    pub seen: u64,
}

impl From<&Record> for Stored {
    fn from(record: &Record) -> Self {
        Self {
            state: record.state,
            why: record.why.clone(),
            by: record.by.clone(),
            since: record.since,
            generation: record.generation,
            seen: record.seen,
        }
    }
}

/// Explains a sesh, or a pane that is no sesh.
///
/// # Errors
/// There is no such sesh or pane.
pub fn explain(server: &Server, target: &Target, agents: &[Agent]) -> Result<Account> {
    let pane = match target {
        Target::Pane(pane) => *pane,
        target => {
            let record = find::one(server, target)?;
            match &record.tmux {
                Some(place) => place.pane,
                None => return Ok(of_ended(&record)),
            }
        }
    };
    let Look {
        pane: found,
        dead,
        now,
        pane_agent,
        ..
    } = look(server, pane, agents, &[])?;
    let record = found.record.as_ref();
    let ended = record.filter(|record| record.exit.is_some());
    let explanation = match (&pane_agent, ended, record) {
        (_, Some(record), _) => ended_explained(record),
        (Some(pane_agent), ..) => pane_agent.explanation(),
        (None, _, record) => of_process(found.place.pid, dead, record)?,
    };
    let live = pane_agent.as_ref().filter(|_| ended.is_none());
    Ok(Account {
        uuid: record.map(|record| record.uuid),
        name: record.map(|record| record.name.clone()),
        pane: Some(pane),
        agent: live.map(|pane_agent| pane_agent.process_of_agent.agent.name.clone()),
        agent_pid: live.map(|pane_agent| pane_agent.process_of_agent.process.pid),
        conversation: live.and_then(|pane_agent| pane_agent.conversation.clone()),
        stored: record.map(Stored::from),
        explanation,
        now: Some(now),
    })
}

/// Returns the account of a sesh that has only a book record.
fn of_ended(record: &Record) -> Account {
    Account {
        uuid: Some(record.uuid),
        name: Some(record.name.clone()),
        pane: None,
        agent: record.agent.clone(),
        agent_pid: None,
        conversation: record.conversation.clone(),
        stored: Some(record.into()),
        explanation: ended_explained(record),
        now: None,
    }
}

fn ended_explained(record: &Record) -> Explanation {
    let how = match (record.was, record.exit.map(|exit| (exit.code, exit.signal))) {
        (Some(was), _) => format!("it was {} then", was.as_str()),
        (None, Some((Some(code), _))) => format!("exit code {code}"),
        (None, Some((_, Some(signal)))) => proc::signal::name(signal),
        _ => "the cause is unknown".into(),
    };
    if let Some(lost) = record.lost_server() {
        let read = format!("server {}", lost.pid);
        let changes = "a socket for its server";
        return by_process(State::Unknown, &lost.to_string(), read, changes);
    }
    let (because, changes) = match (record.was, &record.tmux) {
        (Some(_), _) => (
            "its tmux server has ended, with everything in it",
            "sesh-restore restores it",
        ),
        (None, Some(_)) => (
            "its end was recorded",
            "sesh-enter or a key in the held pane starts it again; so does sesh-restore, in another pane",
        ),
        (None, None) => ("its end was recorded", "sesh-restore restores it"),
    };
    by_process(State::Exited, because, how, changes)
}

/// Explains a pane in which no known agent runs.
fn of_process(pid: i32, dead: bool, record: Option<&Record>) -> Result<Explanation> {
    if dead {
        return Ok(by_process(
            State::Exited,
            "tmux keeps the pane of a process that has exited",
            format!("pid {pid}"),
            "another process in the pane",
        ));
    }
    let first = proc::read(pid)
        .ok_or_else(|| Error::failed(format!("process {pid} of the pane cannot be read")))?;
    let front = proc::read(first.foreground).unwrap_or_else(|| first.clone());
    let read = format!("{} (pid {}) is in the foreground", front.name, front.pid);
    let state = match record {
        Some(record) => find::state_without_agent(record),
        None => find::state_by_shell(&first),
    };
    let (because, changes) = match state {
        State::Idle => (
            "its shell is at its prompt",
            "a command in the foreground of the shell, or a known agent",
        ),
        State::Busy => (
            "the foreground program is not a known agent: busy until it exits",
            "its exit; silence is not one",
        ),
        _ => (
            "its process cannot be recognized as a shell",
            "a shell or a known agent in the pane",
        ),
    };
    Ok(by_process(state, because, read, changes))
}

fn by_process(state: State, because: &str, read: String, changes: &str) -> Explanation {
    let by = Authority::Process;
    Explanation {
        verdict: Verdict {
            state,
            why: None,
            by,
            confidence: Confidence::High,
        },
        because: because.into(),
        sources: vec![Statement {
            source: by,
            says: Some(SourceState { state, why: None }),
            age: None,
            read: Some(read),
            rule: None,
            near: Vec::new(),
        }],
        changes: vec![changes.into()],
    }
}
