//! What a sesh does not go on for, each with the way out.

use std::ffi::OsString;
use std::path::Path;

use super::Resumed;
use crate::agent::conversation;
use crate::agent::manifest::Agent;
use crate::agent::recognise::everywhere;
use crate::env;
use crate::error::{Error, Result};
use crate::proc::{self, Process};
use crate::store::query::{both, equal};
use crate::store::{Key, Record, value};
use crate::tmux::{Batch, Frame, Server, command, is_empty_server};

/// One that lives, or in whose pane somebody else does.
pub(super) fn one_that_is_here(record: &Record) -> Result<()> {
    let name = &record.name;
    match &record.tmux {
        Some(place) if record.live => Err(Error::unusable(format!(
            "{name} lives, in pane {}: sesh-enter {name} goes there",
            place.pane
        ))),
        Some(place) if record.exit.is_none() => Err(Error::unusable(format!(
            "another process runs in the pane of {name}, {}: sesh-reap takes the name off it",
            place.pane
        ))),
        _ => Ok(()),
    }
}

/// A folder that is gone: tmux would silently start somewhere else.
pub(super) fn folder(record: &Record) -> Result<()> {
    let folder = Path::new(&record.cwd);
    if folder.is_dir() && proc::may_enter(folder) {
        return Ok(());
    }
    let what = if folder.is_dir() {
        "cannot be entered"
    } else {
        "is gone"
    };
    Err(Error::unusable(format!(
        "the folder of {}, {}, {what}: put it back first",
        record.name, record.cwd
    )))
}

/// An agent that is not there. Its program becomes the path that was found.
pub(super) fn program(argv: &mut [OsString], kind: &str, record: &Record) -> Result<()> {
    let path = env::path();
    let Some(program) = argv.first_mut() else {
        return Err(Error::unusable(format!("{kind} has no command to go on")));
    };
    let found = which::which_in(&*program, Some(&path), &record.cwd).map_err(|_| {
        Error::unusable(format!(
            "{kind} is not installed: no {} in {}",
            program.display(),
            path.display()
        ))
    })?;
    *program = found.into_os_string();
    Ok(())
}

/// A conversation that goes on elsewhere: two that write it would be two conversations.
pub(super) fn conversation(
    server: &Server,
    record: &Record,
    resumed: &Resumed<'_>,
    agents: &[Agent],
) -> Result<()> {
    if let Some(pane) = in_pane(server, &resumed.conversation)? {
        return Err(Error::unusable(format!(
            "the conversation of {} goes on in {pane}: sesh-enter goes there",
            record.name
        )));
    }
    if let Some(process) = in_process(resumed, agents) {
        return Err(Error::unusable(format!(
            "the conversation of {} goes on in the process {} ({}): end that first",
            record.name, process.pid, process.name
        )));
    }
    Ok(())
}

/// A living sesh of a server that has a conversation, with its pane.
fn in_pane(server: &Server, conversation: &str) -> Result<Option<String>> {
    let has = both(
        &equal(Key::Conv, &value::encode(conversation)),
        &equal(Key::Exit, ""),
    );
    let frame = Frame::new();
    let format = frame.format([&Key::Name.format(), "#{pane_id}"]);
    let output = match server.run(&Batch::from(command::list_panes(&format, Some(&has)))) {
        Err(error) if error.exit == crate::error::Exit::NoServer || is_empty_server(&error) => {
            return Ok(None);
        }
        outcome => outcome?,
    };
    let (rows, _) = frame.read(&output);
    Ok(rows.first().map(|row| row.join(", pane ")))
}

/// A process of the agent's that is in the conversation, by its files or its command line.
fn in_process(resumed: &Resumed<'_>, _agents: &[Agent]) -> Option<Process> {
    let id = &resumed.conversation;
    let variable = |name: &str| env::folder(name).map(Into::into);
    let is_alive = |pid, start: Option<u64>| {
        proc::read(pid).is_some_and(|process| {
            !process.zombie && start.is_none_or(|start| start == process.start)
        })
    };
    let manifest = &resumed.agent.manifest;
    let by_files = conversation::holders(manifest, id, variable, is_alive);
    if let Some(process) = by_files.first().and_then(|pid| proc::read(*pid)) {
        return Some(process);
    }
    let processes = proc::all();
    everywhere(&processes, resumed.agent, proc::program)
        .into_iter()
        .find(|living| {
            let environment = proc::environment(living.process.pid);
            conversation::id(living, |name| environment.get(name)).as_deref() == Some(id)
        })
        .map(|living| living.process)
}
