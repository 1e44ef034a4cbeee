//! Who lives in a pane, as an answer of its own.

use serde::Serialize;

use super::resident::{TOLD, Told, resident, screen};
use crate::agent::manifest::Agent;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::proc;
use crate::state::{State, Why};
use crate::store::query::{extra, read_row, row_format_with};
use crate::store::{Place, write};
use crate::tmux::{Batch, Frame, Server, command};

/// An agent in a pane.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
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
    /// What it is doing at this moment.
    pub state: State,
    /// Why it waits.
    pub why: Option<Why>,
    /// Who says so.
    pub by: String,
    /// Since when, in epoch seconds, as far as its sesh knows.
    pub since: Option<u64>,
    pub tmux: Place,
}

/// Looks who lives in a pane: one question to the server, and the processes below the pane.
///
/// # Errors
/// No such pane, or no agent in it.
pub fn resolve(server: &Server, pane: PaneId, agents: &[Agent]) -> Result<Answer> {
    let frame = Frame::new();
    let more = ["#{pane_dead}", "#{pane_current_path}", write::NOW];
    let more: Vec<&str> = more.into_iter().chain(TOLD).collect();
    let row = row_format_with(&frame, &more);
    let target = pane.to_string();
    let mut question = Batch::from(command::print(Some(&target), &row));
    question.extend(screen(&frame, &target));
    let gone = || Error::nothing(format!("there is no pane {pane}"));
    let output = match server.run(&question) {
        Err(error) if error.exit == Exit::Nothing => return Err(gone()),
        outcome => outcome?,
    };
    let (rows, screen) = frame.read(&output);
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let found = read_row(row)?.ok_or_else(gone)?;
    let [dead, folder, now, tells @ ..] = extra(row) else {
        return Err(gone());
    };
    let none = || Error::nothing(format!("no agent lives in pane {pane}"));
    // The pid of a process that has ended may be another's by now.
    if *dead == "1" {
        return Err(none());
    }
    let processes = proc::tree(found.place.pid);
    let mut told = Told::of(tells);
    told.screen = Some(screen);
    let now = now.parse().unwrap_or(0);
    let resident = resident(found.place.pid, &processes, agents, told, now).ok_or_else(none)?;
    let kind = resident.living.agent.name.as_str();
    let record = found.record.filter(|record| record.live);
    let registered = record
        .as_ref()
        .filter(|record| record.agent.as_deref().is_none_or(|agent| agent == kind))
        .and_then(|record| record.conversation.clone());
    let verdict = resident.verdict();
    let since = record.as_ref().and_then(|record| {
        let same = record.state == verdict.state;
        if same { record.since } else { Some(now) }
    });
    Ok(Answer {
        agent: kind.into(),
        cwd: resident
            .folder
            .clone()
            .unwrap_or_else(|| folder.to_string()),
        machine: record
            .as_ref()
            .map_or_else(env::machine, |record| record.machine.clone()),
        uuid: record.map(|record| record.uuid),
        pid: resident.living.process.pid,
        state: verdict.state,
        why: verdict.why,
        by: verdict.by.as_str().into(),
        since,
        conversation: resident.conversation.or(registered),
        tmux: found.place,
    })
}
