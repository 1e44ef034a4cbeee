//! Who lives in a pane: the process table's answer, and what the agent's own files say of its conversation.

use serde::Serialize;

use crate::agent::conversation;
use crate::agent::manifest::Agent;
use crate::agent::recognise::living;
use crate::env;
use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::proc;
use crate::store::Place;
use crate::store::query::{extra, read_row, row_format_with};
use crate::tmux::{Batch, Frame, Server, command, is_empty_server};

/// An agent in a pane.
#[derive(Clone, Debug, Serialize)]
pub struct Resident {
    /// The sesh that the pane is.
    pub uuid: Option<SeshId>,
    /// Its kind.
    pub agent: String,
    /// The folder that it works in.
    pub cwd: String,
    pub machine: String,
    pub pid: i32,
    /// The id of its conversation, as its own files or its command line say, else as the pane's sesh does.
    pub conversation: Option<String>,
    pub tmux: Place,
}

/// Looks who lives in a pane: one question to the server, and the processes below the pane.
///
/// # Errors
/// No such pane, or no agent in it.
pub fn resolve(server: &Server, pane: PaneId, agents: &[Agent]) -> Result<Resident> {
    let frame = Frame::new();
    let row = row_format_with(&frame, &["#{pane_dead}", "#{pane_current_path}"]);
    let gone = || Error::nothing(format!("there is no pane {pane}"));
    let question = Batch::from(command::print(Some(&pane.to_string()), &row));
    let output = match server.run(&question) {
        Err(error) if is_empty_server(&error) => return Err(gone()),
        outcome => outcome?,
    };
    let (rows, _) = frame.read(&output);
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let found = read_row(row)?.ok_or_else(gone)?;
    let [dead, folder] = *extra(row) else {
        return Err(gone());
    };
    let none = || Error::nothing(format!("no agent lives in pane {pane}"));
    // The pid of a process that has ended may be another's by now.
    if dead == "1" {
        return Err(none());
    }
    let processes = proc::tree(found.place.pid);
    let living = living(&processes, found.place.pid, agents, proc::program);
    let living = living.first().ok_or_else(none)?;
    let pid = living.process.pid;
    let kind = living.agent.name.as_str();
    let record = found.record.filter(|record| record.live);
    let told = record
        .as_ref()
        .filter(|record| record.agent.as_deref().is_none_or(|agent| agent == kind))
        .and_then(|record| record.conversation.clone());
    Ok(Resident {
        agent: kind.into(),
        cwd: proc::folder(pid).map_or_else(
            || folder.into(),
            |folder| folder.to_string_lossy().into_owned(),
        ),
        conversation: conversation::id(living, |name| proc::variable(pid, name)).or(told),
        machine: record
            .as_ref()
            .map_or_else(env::machine, |record| record.machine.clone()),
        uuid: record.map(|record| record.uuid),
        pid,
        tmux: found.place,
    })
}
