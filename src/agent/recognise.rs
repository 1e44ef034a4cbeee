//! Which agent runs in a pane, from the process table alone.
//!
//! Titles and screens remain after an agent was killed, so they do not count.

use super::kinds::Agent;
use super::program::{Clues, is_tool_of, keeps_children, passes_keys_on, runs_script, script_path};
use crate::proc::{self, Process, Program};

/// What is read of the processes that the process table names.
pub trait ProcessReader {
    /// Returns what a process runs.
    fn program(&self, pid: i32) -> Program;
    /// Returns the terminal that is the standard input of a process, in the form of [`Process::terminal`].
    fn input(&self, pid: i32) -> Option<u64>;
    /// Returns whether a process holds the master of a terminal: it made the terminal, and passes on what is typed.
    fn has_master_of(&self, pid: i32, terminal: u64) -> bool;
    /// Returns whether two processes were started with the same environment. A process that was forked and runs no
    /// program of its own yet has that of its parent.
    fn have_one_environment(&self, one: i32, other: i32) -> bool;
}

/// Reads the processes of this machine.
#[derive(Clone, Copy, Debug)]
pub struct OwnProcesses;

impl ProcessReader for OwnProcesses {
    fn program(&self, pid: i32) -> Program {
        let mut program = proc::program(pid);
        program.script = script_path(&program).and_then(|script| {
            // Relative to the folder of the process, and kept only where it says more than the argument does.
            let path = proc::folder(pid).unwrap_or_default().join(script);
            let resolved = path.canonicalize().ok().filter(|it| *it != path)?;
            resolved.into_os_string().into_string().ok()
        });
        program
    }

    fn input(&self, pid: i32) -> Option<u64> {
        proc::input_terminal(pid)
    }

    fn has_master_of(&self, pid: i32, terminal: u64) -> bool {
        proc::has_master_of(pid, terminal)
    }

    fn have_one_environment(&self, one: i32, other: i32) -> bool {
        proc::environment(one) == proc::environment(other)
    }
}

/// The process of an agent.
#[derive(Clone, Debug)]
pub struct AgentProcess<'a> {
    pub agent: &'a Agent,
    pub process: Process,
    pub program: Program,
    /// It reads the pane's keys: it is in the foreground, and so is the program that gives it a terminal of its own.
    pub in_front: bool,
    /// The processes of the same agent that wrap it. Each of them counted as the agent before this process existed.
    pub wrappers: Vec<Process>,
    /// Whether it counts as the agent because a person said so, and not by what it runs.
    pub given: bool,
}

/// Returns the agents below a pane's first process that read what is typed in the pane. The one in the foreground comes
/// first, then those that are not stopped, then the newest.
///
/// Such an agent is on the pane's terminal. Or it reads that terminal from a session of its own, as a sandbox starts it.
/// Or it is on a terminal that a program on the pane's terminal made for it and passes the keys on to.
///
/// `processes` must contain at least the descendants of `first`.
pub fn living<'a>(
    processes: &[Process],
    first: i32,
    agents: &'a [Agent],
    reader: &impl ProcessReader,
) -> Vec<AgentProcess<'a>> {
    let mut found: Vec<AgentProcess<'a>> = Vec::new();
    let Some(first) = processes.iter().find(|process| process.pid == first) else {
        return found;
    };
    let mut walk = vec![Descent {
        process: first,
        terminal: first.terminal,
        in_front: true,
        inside: None,
    }];
    while let Some(step) = walk.pop() {
        let Descent {
            process, terminal, ..
        } = step;
        // Without a controlling terminal there is no job control, and the foreground is that of the program above.
        let has_foreground = process.terminal == 0 || process.group == process.foreground;
        let in_front = step.in_front && has_foreground;
        let mut inside = step.inside;
        // The runner of a pane starts programs, and is none of an agent's.
        let may_be_agent = !process.zombie && process.name != proc::RUNNER;
        let program = may_be_agent.then(|| reader.program(process.pid));
        if let Some(program) = &program {
            let clues = Clues::of(process, program);
            let agent = agents.iter().find(|agent| clues.is_agent(&agent.process));
            if let Some(agent) = agent {
                // A wrapper and the process that it wraps are one agent. Another agent below an agent is its tool.
                let wrapper = inside.filter(|&at| found[at].agent.name == agent.name);
                let mut living = AgentProcess {
                    agent,
                    process: process.clone(),
                    program: program.clone(),
                    in_front,
                    wrappers: Vec::new(),
                    given: false,
                };
                match (inside, wrapper) {
                    (_, Some(at))
                        if is_tool_of(&living.program, &found[at].program)
                            && !is_started_again(&living, &found[at], terminal, reader) => {}
                    (_, Some(at)) => {
                        living.wrappers.append(&mut found[at].wrappers);
                        living.wrappers.push(found[at].process.clone());
                        found[at] = living;
                    }
                    (None, None) => {
                        inside = Some(found.len());
                        found.push(living);
                    }
                    (Some(_), None) => {}
                }
            }
        }
        for child in processes
            .iter()
            .filter(|child| child.parent == process.pid && child.pid != process.pid)
        {
            let same = child.terminal == terminal;
            let reads_keys = same || {
                // What an agent starts on another terminal, or in another session, is its tool. A wrapper of its name
                // may start the agent itself there.
                let outer = inside.map(|at| &found[at]);
                reads_terminal(child, process, terminal, reader)
                    && outer.is_none_or(|outer| is_wrapped(child, outer, reader))
            };
            if reads_keys {
                walk.push(Descent {
                    process: child,
                    terminal: if child.terminal == 0 {
                        terminal
                    } else {
                        child.terminal
                    },
                    // Each process on a terminal shows which group has the foreground of it.
                    in_front: if same { step.in_front } else { in_front },
                    inside,
                });
            }
        }
    }
    found.sort_by_key(|living| {
        let process = &living.process;
        std::cmp::Reverse((living.in_front, !process.stopped, process.start))
    });
    found
}

/// Returns whether a process that is not on a terminal gets what is typed there: from a session of its own, or through
/// its parent.
fn reads_terminal(
    child: &Process,
    parent: &Process,
    terminal: u64,
    reader: &impl ProcessReader,
) -> bool {
    if child.zombie {
        return false;
    }
    if child.terminal == 0 {
        return terminal != 0 && reader.input(child.pid) == Some(terminal);
    }
    passes_keys_on(&parent.name)
        || !keeps_children(&parent.name) && reader.has_master_of(parent.pid, child.terminal)
}

/// Returns whether a wrapper of an agent starts the agent itself: a script of its name does with all that it starts, any
/// other program does with the agent's program alone.
fn is_wrapped(child: &Process, outer: &AgentProcess<'_>, reader: &impl ProcessReader) -> bool {
    if runs_script(&outer.program) {
        return true;
    }
    let program = reader.program(child.pid);
    Clues::of(child, &program).is_agent(&outer.agent.process)
        && !is_tool_of(&program, &outer.program)
}

/// Returns whether an agent's script has started itself again with the same words, as Qwen Code does: only its environment
/// tells the new one that it need not do so once more. It is the new one that reads the terminal, and that works on when
/// the first is killed.
fn is_started_again(
    child: &AgentProcess<'_>,
    parent: &AgentProcess<'_>,
    terminal: u64,
    reader: &impl ProcessReader,
) -> bool {
    let (pid, of) = (child.process.pid, parent.process.pid);
    child.program.argv == parent.program.argv
        && script_path(&child.program).is_some()
        && reader.input(pid) == Some(terminal)
        && !reader.have_one_environment(pid, of)
}

/// Returns every process of one agent, wherever it runs: on this server, on another one, or on none.
pub fn everywhere<'a>(
    processes: &[Process],
    agent: &'a Agent,
    reader: &impl ProcessReader,
) -> Vec<AgentProcess<'a>> {
    let living = |process: &Process| {
        let program = reader.program(process.pid);
        let is_agent = Clues::of(process, &program).is_agent(&agent.process);
        is_agent.then(|| AgentProcess {
            agent,
            process: process.clone(),
            program,
            in_front: process.group == process.foreground,
            wrappers: Vec::new(),
            given: false,
        })
    };
    processes
        .iter()
        .filter(|process| !process.zombie && !proc::is_shell(&process.name))
        .filter_map(living)
        .collect()
}

/// Returns whether a process runs a program of an agent, in whatever role.
pub fn is_of(agent: &Agent, process: &Process, program: &Program) -> bool {
    Clues::of(process, program).role(&agent.process).is_some()
}

/// Returns the agent that reports through a hook, from the processes above the hook: its parent first, the pane's first
/// process last.
///
/// It is the agent of the pane only if no other program of an agent is in between: a daemon may be a child of the agent
/// that started it and report for others, and an agent may run another one as a tool.
pub fn reporter<'a>(
    above: &[Process],
    agents: &'a [Agent],
    reader: &impl ProcessReader,
) -> Option<AgentProcess<'a>> {
    let first = above.last()?.pid;
    let nearest = nearest(above, agents, reader)?;
    // The processes below it run no program of an agent.
    let below = above.iter().take_while(|process| process.pid != nearest);
    let above = &above[below.count()..];
    living(above, first, agents, reader)
        .into_iter()
        .find(|living| living.process.pid == nearest)
}

/// Returns the nearest process above a hook that runs a program of an agent, in whatever role.
pub fn nearest(above: &[Process], agents: &[Agent], reader: &impl ProcessReader) -> Option<i32> {
    let is_one = |process: &&Process| {
        let program = reader.program(process.pid);
        let clues = Clues::of(process, &program);
        agents
            .iter()
            .any(|agent| clues.role(&agent.process).is_some())
    };
    above.iter().find(is_one).map(|process| process.pid)
}

/// One process on the way down.
struct Descent<'a> {
    process: &'a Process,
    /// The terminal that counts as the pane's terminal here.
    terminal: u64,
    /// Whether the programs that lead to that terminal have the foreground.
    in_front: bool,
    /// The index of the agent that it descends from, among those found.
    inside: Option<usize>,
}

#[cfg(test)]
mod tests;
