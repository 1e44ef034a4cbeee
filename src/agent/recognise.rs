//! Which agent lives in a pane, from the process table alone.
//!
//! Titles and screens outlive a killed agent and are not asked.

use super::kinds::Agent;
use super::program::{is_agent, is_tool, role};
use crate::proc::{self, Process, Program};

/// An agent's process.
#[derive(Clone, Debug)]
pub struct Living<'a> {
    pub agent: &'a Agent,
    pub process: Process,
    pub program: Program,
    /// It reads the pane's keys: it, and what gives it a terminal of its own, are in the foreground.
    pub in_front: bool,
    /// The processes of the same agent that it is wrapped in: before it was there, each of them was the agent.
    pub wrappers: Vec<Process>,
}

/// Programs that give their children a terminal of their own and pass on what is typed.
const PTY_TOOLS: [&str; 8] = [
    "script",
    "unbuffer",
    "expect",
    "asciinema",
    "sudo",
    "su",
    "doas",
    "ttyrec",
];
/// The agents below a pane's first process, on the pane's terminal: the one that has the foreground first, then those
/// that run, then the newest.
///
/// `processes` hold at least the descendants of `first`; `program` tells what one of them runs.
pub fn living<'a>(
    processes: &[Process],
    first: i32,
    agents: &'a [Agent],
    program: impl Fn(i32) -> Program,
) -> Vec<Living<'a>> {
    let mut found: Vec<Living<'a>> = Vec::new();
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
        let has_foreground = process.group == process.foreground;
        let in_front = step.in_front && has_foreground;
        let mut inside = step.inside;
        if !process.zombie && !proc::is_shell(&process.name) {
            let program = program(process.pid);
            let agent = agents
                .iter()
                .find(|agent| is_agent(&agent.manifest, process, &program));
            if let Some(agent) = agent {
                // A wrapper and what it wraps are one agent; what another one runs is its tool.
                let wrapper = inside.filter(|&at| found[at].agent.name == agent.name);
                let mut living = Living {
                    agent,
                    process: process.clone(),
                    program,
                    in_front,
                    wrappers: Vec::new(),
                };
                match (inside, wrapper) {
                    (_, Some(at)) if is_tool(&living.program, &found[at].program) => {}
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
        let gives_terminal = PTY_TOOLS.contains(&process.name.as_str());
        for child in processes
            .iter()
            .filter(|child| child.parent == process.pid && child.pid != process.pid)
        {
            let same = child.terminal == terminal;
            if same || (gives_terminal && child.terminal != 0) {
                walk.push(Descent {
                    process: child,
                    terminal: child.terminal,
                    // Who has the foreground of a terminal is told by each process on it.
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

/// Every process of one agent's, wherever it runs: on this server, on another, on none.
pub fn everywhere<'a>(
    processes: &[Process],
    agent: &'a Agent,
    program: impl Fn(i32) -> Program,
) -> Vec<Living<'a>> {
    let living = |process: &Process| {
        let program = program(process.pid);
        is_agent(&agent.manifest, process, &program).then(|| Living {
            agent,
            process: process.clone(),
            program,
            in_front: process.group == process.foreground,
            wrappers: Vec::new(),
        })
    };
    processes
        .iter()
        .filter(|process| !process.zombie && !proc::is_shell(&process.name))
        .filter_map(living)
        .collect()
}

/// Whether a process runs a program of an agent's, whatever it does with it.
pub fn is_of(agent: &Agent, process: &Process, program: &Program) -> bool {
    role(&agent.manifest, process, program).is_some()
}

/// The agent that speaks through a hook, of the processes above the hook: its parent first, the pane's first process
/// last.
///
/// It is the agent that lives in the pane only if no other program of an agent's is between: a daemon may be a child of
/// the agent that started it and speak for others, and an agent may run another one as a tool.
pub fn reporter<'a>(
    above: &[Process],
    agents: &'a [Agent],
    program: impl Fn(i32) -> Program,
) -> Option<Living<'a>> {
    let first = above.last()?.pid;
    let nearest = nearest(above, agents, &program)?;
    living(above, first, agents, program)
        .into_iter()
        .find(|living| living.process.pid == nearest)
}

/// The nearest of the processes above a hook that runs a program of an agent's, whatever it does with it.
pub fn nearest(
    above: &[Process],
    agents: &[Agent],
    program: impl Fn(i32) -> Program,
) -> Option<i32> {
    let is_one = |process: &&Process| {
        let program = program(process.pid);
        agents.iter().any(|agent| is_of(agent, process, &program))
    };
    above.iter().find(is_one).map(|process| process.pid)
}

/// One process on the way down.
struct Descent<'a> {
    process: &'a Process,
    /// The terminal that stands for the pane's here.
    terminal: u64,
    /// What leads to that terminal has the foreground.
    in_front: bool,
    /// The agent that it descends from, among those found.
    inside: Option<usize>,
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::Agents;

    /// A process on the terminal: pid, parent, short name, words, file.
    type ProcessRow = (i32, i32, &'static str, &'static str, &'static str);

    /// A process table: pane 1's shell is 10, on terminal 1.
    #[derive(Default)]
    struct ProcessTable {
        processes: Vec<Process>,
        programs: Vec<(i32, Program)>,
    }

    impl ProcessTable {
        fn new() -> Self {
            let mut table = Self::default();
            table.add(10, 1, "bash", "-bash", "/usr/bin/bash");
            table
        }

        /// Adds a process on the terminal, in the group of the last word that [`Table::front`] named.
        fn add(
            &mut self,
            pid: i32,
            parent: i32,
            name: &str,
            argv: &str,
            file: &str,
        ) -> &mut Process {
            self.programs.push((
                pid,
                Program {
                    argv: argv.split_terminator(' ').map(Into::into).collect(),
                    file: Some(file.into()),
                },
            ));
            self.processes.push(Process {
                pid,
                parent,
                group: if pid == 10 { 10 } else { 11 },
                session: 10,
                terminal: 1,
                foreground: 11,
                start: u64::try_from(pid).expect("a pid"),
                zombie: false,
                stopped: false,
                name: name.into(),
            });
            self.processes.last_mut().expect("a process")
        }

        /// The agents, best first: kind and pid.
        fn found(&self) -> Vec<(String, i32)> {
            self.look(|living| (living.agent.name.clone(), living.process.pid))
        }

        fn look<T>(&self, look: impl Fn(&Living<'_>) -> T) -> Vec<T> {
            let agents = Agents::read(None).all;
            let program = |pid| {
                let known = self.programs.iter().find(|(of, _)| *of == pid);
                known
                    .map(|(_, program)| program.clone())
                    .unwrap_or_default()
            };
            living(&self.processes, 10, &agents, program)
                .iter()
                .map(look)
                .collect()
        }
    }

    fn found(processes: &[ProcessRow]) -> Vec<(String, i32)> {
        let mut table = ProcessTable::new();
        for (pid, parent, name, argv, file) in processes {
            table.add(*pid, *parent, name, argv, file);
        }
        table.found()
    }

    const CLAUDE: &str = "/n/@anthropic-ai/claude-code/bin/claude.exe";
    const NODE: &str = "/usr/bin/node";

    /// What is found and below which process, of what was seen.
    const SEEN: [(&str, i32, &[ProcessRow]); 16] = [
        (
            "claude",
            11,
            &[(11, 10, "claude", "claude --model x", CLAUDE)],
        ),
        ("claude", 11, &[(11, 10, "claude.exe", CLAUDE, CLAUDE)]),
        ("claude", 11, &[(11, 10, "cc", "/home/a/bin/cc", CLAUDE)]),
        (
            "claude",
            12,
            &[
                (
                    11,
                    10,
                    "node",
                    "node /n/@anthropic-ai/claude-code/cli-wrapper.cjs",
                    NODE,
                ),
                (12, 11, "claude", "claude", CLAUDE),
            ],
        ),
        (
            "claude",
            13,
            &[
                (11, 10, "npm exec claude", "npm exec claude", NODE),
                (12, 11, "sh", "sh -c claude", "/usr/bin/dash"),
                (13, 12, "claude", "claude", CLAUDE),
            ],
        ),
        (
            "claude",
            12,
            &[
                (
                    11,
                    10,
                    "claude",
                    "/bin/bash /home/a/bin/claude",
                    "/usr/bin/bash",
                ),
                (12, 11, "claude", "claude", CLAUDE),
            ],
        ),
        (
            "codex",
            11,
            &[(
                11,
                10,
                "codex",
                "/v/x86_64-unknown-linux-musl/bin/codex -c a=b",
                "/v/bin/codex",
            )],
        ),
        (
            "codex",
            12,
            &[
                (11, 10, "node", "node /n/.bin/codex", NODE),
                (12, 11, "codex", "/v/bin/codex", "/v/bin/codex"),
            ],
        ),
        ("pi", 11, &[(11, 10, "pi", "pi           ", NODE)]),
        ("pi", 11, &[(11, 10, "node", "node /n/.bin/pi -c", NODE)]),
        (
            "gemini",
            12,
            &[
                (11, 10, "node", "node /n/.bin/gemini", NODE),
                (
                    12,
                    11,
                    "node",
                    "/usr/bin/node --max-old-space-size=4096 /n/.bin/gemini",
                    NODE,
                ),
            ],
        ),
        (
            "opencode",
            11,
            &[(11, 10, "opencode", "opencode", "/n/opencode.exe")],
        ),
        (
            "copilot",
            12,
            &[
                (11, 10, "node", "node /n/.bin/copilot", NODE),
                (
                    12,
                    11,
                    "MainThread",
                    "/n/copilot-linux-x64/copilot",
                    "/n/copilot-linux-x64/copilot",
                ),
            ],
        ),
        (
            "aider",
            11,
            &[(
                11,
                10,
                "aider",
                "/v/bin/python3 /v/bin/aider --yes-always",
                "/usr/bin/python3.11",
            )],
        ),
        (
            "aider",
            11,
            &[(11, 10, "python3", "python3 -m aider", "/usr/bin/python3.11")],
        ),
        (
            "gemini",
            11,
            &[(
                11,
                10,
                "node",
                "node -r x /n/@google/gemini-cli/dist/index.js",
                NODE,
            )],
        ),
    ];

    #[test]
    fn every_agent_as_it_was_seen() {
        for (kind, pid, processes) in SEEN {
            assert_eq!(found(processes), [(kind.to_string(), pid)], "{processes:?}");
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        let cases: [&[ProcessRow]; 9] = [
            &[(11, 10, "vim", "vim claude", "/usr/bin/vim")],
            &[(11, 10, "claude-foo", "claude-foo", "/home/a/claude-foo")],
            &[(
                11,
                10,
                "claude",
                "/bin/bash /home/a/bin/claude",
                "/usr/bin/bash",
            )],
            &[(11, 10, "node", "node -e claude", NODE)],
            &[(11, 10, "node", "node server.js codex", NODE)],
            &[(11, 10, "claude", "claude agents", CLAUDE)],
            &[(11, 10, "claude", "claude attach 80dece1f", CLAUDE)],
            &[(11, 10, "claude", "claude daemon run", CLAUDE)],
            &[(
                11,
                10,
                "codex",
                "codex -c a=b app-server --listen unix://",
                "/v/bin/codex",
            )],
        ];
        for processes in cases {
            assert_eq!(found(processes), [], "{processes:?}");
        }
    }

    #[test]
    fn the_panes_first_process_itself() {
        let mut table = ProcessTable::default();
        table.add(10, 1, "claude", "claude", CLAUDE);
        table.processes[0].foreground = 10;
        assert_eq!(table.found(), [("claude".to_string(), 10)]);
    }

    #[test]
    fn what_has_no_terminal_or_another_is_left_out() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "codex", "codex", "/v/bin/codex");
        table.add(12, 11, "codex", "codex", "/v/bin/codex").terminal = 0;
        // A tool shell of Gemini's has its own, and so has what runs in it.
        table
            .add(13, 11, "bash", "bash -c claude", "/usr/bin/bash")
            .terminal = 7;
        table.add(14, 13, "claude", "claude", CLAUDE).terminal = 7;
        assert_eq!(table.found(), [("codex".to_string(), 11)]);
    }

    #[test]
    fn script_and_sudo_pass_the_keys_on() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "script", "script -qc claude", "/usr/bin/script");
        for (pid, parent, name) in [(12, 11, "sh"), (13, 12, "claude")] {
            let process = table.add(pid, parent, name, name, &format!("/bin/{name}"));
            process.terminal = 2;
            process.group = 12;
            process.foreground = 12;
        }
        assert_eq!(table.look(|it| (it.process.pid, it.in_front)), [(13, true)]);
        // With script itself in the background.
        for process in &mut table.processes[..2] {
            process.foreground = 10;
        }
        assert_eq!(
            table.look(|it| (it.process.pid, it.in_front)),
            [(13, false)]
        );
    }

    #[test]
    fn stopped_and_ended_ones() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "claude", "claude", CLAUDE).stopped = true;
        for process in &mut table.processes {
            process.foreground = 10;
        }
        let seen = table.look(|it| (it.process.pid, it.in_front, it.process.stopped));
        assert_eq!(seen, [(11, false, true)]);
        table.processes[1].zombie = true;
        assert_eq!(table.found(), []);
    }

    #[test]
    fn the_one_in_front_is_first() {
        let mut table = ProcessTable::new();
        let stopped = table.add(12, 10, "codex", "codex", "/v/bin/codex");
        stopped.stopped = true;
        stopped.group = 12;
        table.add(11, 10, "claude", "claude", CLAUDE);
        let expected = [("claude".to_string(), 11), ("codex".to_string(), 12)];
        assert_eq!(table.found(), expected);
    }

    #[test]
    fn a_tool_of_the_same_program_is_not_the_agent() {
        let words = "claude --permission-mode manual";
        let agent = (11, 10, "claude", words, CLAUDE);
        // Forked; in the middle of running something else, where only the name is left of the agent's; the program
        // under another name.
        for (words, file) in [(words, CLAUDE), ("", "/usr/bin/rg"), ("rg --files", CLAUDE)] {
            let tool = (12, 11, "claude", words, file);
            assert_eq!(found(&[agent, tool]), [("claude".into(), 11)], "{file}");
        }
    }

    #[test]
    fn what_it_is_wrapped_in_was_the_agent_before_it() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "node", "node /n/.bin/gemini", NODE);
        let words = "/usr/bin/node --max-old-space-size=4096 /n/.bin/gemini";
        table.add(12, 11, "node", words, NODE);
        let wrappers = table.look(|living| {
            let pids = living.wrappers.iter().map(|wrapper| wrapper.pid);
            (living.process.pid, pids.collect::<Vec<i32>>())
        });
        assert_eq!(wrappers, [(12, vec![11])]);
    }

    #[test]
    fn what_an_agent_starts_is_its_tool() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "claude", "claude", CLAUDE);
        table.add(12, 11, "codex", "codex exec x", "/v/bin/codex");
        assert_eq!(table.found(), [("claude".to_string(), 11)]);
    }
    /// Who speaks through a hook that one of the processes runs.
    fn speaks(table: &ProcessTable, parent: i32) -> Option<i32> {
        let agents = Agents::read(None).all;
        let by_pid = |pid: i32| table.processes.iter().find(|process| process.pid == pid);
        let above = std::iter::successors(by_pid(parent), |process| by_pid(process.parent));
        let above: Vec<Process> = above.cloned().collect();
        let program = |pid| {
            let known = table.programs.iter().find(|(of, _)| *of == pid);
            known
                .map(|(_, program)| program.clone())
                .unwrap_or_default()
        };
        reporter(&above, &agents, program).map(|living| living.process.pid)
    }

    #[test]
    fn the_agent_in_the_pane_speaks_and_nobody_else() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "node", "node /n/.bin/codex", NODE);
        table.add(12, 11, "codex", "/v/bin/codex", "/v/bin/codex");
        // A hook's shell, on the terminal or without one.
        table.add(13, 12, "sh", "sh -c sesh-report", "/bin/sh");
        table
            .add(14, 12, "sh", "sh -c sesh-report", "/bin/sh")
            .terminal = 0;
        let daemon = "codex app-server --listen unix:// --managed-daemon";
        table.add(15, 12, "codex", daemon, "/v/bin/codex").terminal = 0;
        table
            .add(16, 15, "sh", "sh -c sesh-report", "/bin/sh")
            .terminal = 0;
        // A tool that is another agent.
        table.add(17, 14, "claude", "claude -p x", CLAUDE).terminal = 0;
        table.add(18, 10, "vim", "vim", "/usr/bin/vim");
        for (parent, expected) in [
            (12, Some(12)),
            (13, Some(12)),
            (14, Some(12)),
            (15, None),
            (16, None),
            (17, None),
            (18, None),
            (10, None),
        ] {
            assert_eq!(speaks(&table, parent), expected, "below {parent}");
        }
    }
}
