//! The agent that a person named for a pane in which none is found: it runs on another machine or in a container, and
//! only the program that shows it runs here. The person's word counts until that program ends.

use crate::agent::kinds::Agent;
use crate::agent::recognise::AgentProcess;
use crate::id::ProcessId;
use crate::proc::{self, Process};
use crate::store::{Key, Record};

/// Follows the process in `@sesh_pid` where a person named the agent.
const MARK: &str = ":given";

/// Returns the value of `@sesh_pid` for the process that shows an agent which a person named.
#[must_use]
pub fn stored_value(process: ProcessId) -> String {
    format!("{process}{MARK}")
}

/// Returns the process of such a value.
pub(super) fn process_of(value: &str) -> Option<ProcessId> {
    value.strip_suffix(MARK)?.parse().ok()
}

/// Returns the agent that a person named for a sesh, as the process that shows it.
pub(super) fn agent<'a>(
    record: &Record,
    first: i32,
    processes: &[Process],
    agents: &'a [Agent],
) -> Option<AgentProcess<'a>> {
    let kind = record.agent.as_ref()?;
    if record.was_auto_adopted() || record.exit.is_some() {
        return None;
    }
    let agent = agents.iter().find(|agent| agent.name == *kind)?;
    let process = match record.values.get(Key::Pid) {
        "" => front(first, record.is_made(), processes)?,
        stored => {
            let stored = process_of(stored)?;
            let is_it = |process: &&Process| process.id() == stored && !process.zombie;
            processes.iter().find(is_it)?
        }
    };
    Some(AgentProcess {
        agent,
        process: process.clone(),
        program: proc::program(process.pid),
        in_front: process.group == process.foreground,
        wrappers: Vec::new(),
        given: true,
    })
}

/// Returns the program in front of a pane, of its first process and those below it. A shell there is none, but what a
/// shell without job control has started is. `is_made` says that the first process is `sesh-run`, which is none either.
#[must_use]
pub fn front(first: i32, is_made: bool, processes: &[Process]) -> Option<&Process> {
    let first = processes.iter().find(|process| process.pid == first)?;
    let is_program = |process: &&Process| {
        // A child that has not run its program yet has the name of its parent.
        let is_runner = is_made && process.name == first.name;
        process.group == first.foreground
            && process.terminal == first.terminal
            && !process.zombie
            && !process.is_shell()
            && !is_runner
    };
    processes
        .iter()
        .filter(is_program)
        .min_by_key(|process| (process.pid != first.foreground, process.start))
}
