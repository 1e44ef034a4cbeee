//! The agent in a pane, as the answer of a helper.

use serde::Serialize;

use super::agent::{Look, look};
use crate::agent::kinds::Agent;
use crate::env;
use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::state::{State, Why};
use crate::store::Place;
use crate::tmux::Server;

/// An agent in a pane.
#[derive(Clone, Debug, Serialize)]
pub struct Resolved {
    /// The sesh that the pane is registered as.
    pub uuid: Option<SeshId>,
    /// The kind of agent.
    pub agent: String,
    /// The folder that it works in.
    pub cwd: String,
    pub machine: String,
    pub pid: i32,
    /// The id of its conversation: from its own files, its command line or its hooks, else from the record of the
    /// pane's sesh.
    pub conversation: Option<String>,
    /// Its state at this moment.
    pub state: State,
    /// Why it is waiting.
    pub why: Option<Why>,
    /// The source of the state.
    pub by: String,
    /// When this state began, in epoch seconds, as far as the record of its sesh has it.
    pub since: Option<u64>,
    pub tmux: Place,
}

/// Returns the agent in a pane.
///
/// # Errors
/// There is no such pane, or no agent in it.
pub fn resolve(server: &Server, pane: PaneId, agents: &[Agent]) -> Result<Resolved> {
    let Look {
        pane: found,
        folder,
        now,
        pane_agent,
        ..
    } = look(server, pane, agents, &[])?;
    let none = || {
        let none = Error::nothing(format!("no agent runs in pane {pane}"));
        none.with_way_out(format!("sesh-explain {pane} shows what runs there"))
    };
    let pane_agent = pane_agent.ok_or_else(none)?;
    let kind = pane_agent.process_of_agent.agent.name.as_str();
    let record = found.record.filter(|record| record.live);
    let registered = record
        .as_ref()
        .filter(|record| record.agent.as_deref().is_none_or(|agent| agent == kind))
        .and_then(|record| record.conversation.clone());
    let verdict = pane_agent.verdict();
    let since = record.as_ref().and_then(|record| {
        let same = record.state == verdict.state;
        if same { record.since } else { Some(now) }
    });
    Ok(Resolved {
        agent: kind.into(),
        cwd: pane_agent.folder().unwrap_or(folder),
        machine: record
            .as_ref()
            .map_or_else(env::machine, |record| record.machine.clone()),
        uuid: record.map(|record| record.uuid),
        pid: pane_agent.process_of_agent.process.pid,
        state: verdict.state,
        why: verdict.why,
        by: verdict.by.as_str().into(),
        since,
        conversation: pane_agent.conversation.or(registered),
        tmux: found.place,
    })
}
