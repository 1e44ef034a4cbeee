//! Which agent runs in a pane, from the process table alone.
//!
//! Titles and screens remain after an agent was killed, so they do not count.

use super::kinds::Agent;
use super::program::{is_agent, is_tool_of, role};
use crate::proc::{self, Process, Program};

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
}

/// Programs that give their children a terminal of their own and pass on the typed keys.
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
/// Returns the agents below a pane's first process, on the pane's terminal. The one in the foreground comes first, then
/// those that are not stopped, then the newest.
///
/// `processes` must contain at least the descendants of `first`. `program` returns what a process runs.
pub fn living<'a>(
    processes: &[Process],
    first: i32,
    agents: &'a [Agent],
    program: impl Fn(i32) -> Program,
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
        let has_foreground = process.group == process.foreground;
        let in_front = step.in_front && has_foreground;
        let mut inside = step.inside;
        if !process.zombie && !proc::is_shell(&process.name) {
            let program = program(process.pid);
            let agent = agents
                .iter()
                .find(|agent| is_agent(&agent.manifest, process, &program));
            if let Some(agent) = agent {
                // A wrapper and the process that it wraps are one agent. Another agent below an agent is its tool.
                let wrapper = inside.filter(|&at| found[at].agent.name == agent.name);
                let mut living = AgentProcess {
                    agent,
                    process: process.clone(),
                    program,
                    in_front,
                    wrappers: Vec::new(),
                };
                match (inside, wrapper) {
                    (_, Some(at)) if is_tool_of(&living.program, &found[at].program) => {}
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

/// Returns every process of one agent, wherever it runs: on this server, on another one, or on none.
pub fn everywhere<'a>(
    processes: &[Process],
    agent: &'a Agent,
    program: impl Fn(i32) -> Program,
) -> Vec<AgentProcess<'a>> {
    let living = |process: &Process| {
        let program = program(process.pid);
        is_agent(&agent.manifest, process, &program).then(|| AgentProcess {
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

/// Returns whether a process runs a program of an agent, in whatever role.
pub fn is_of(agent: &Agent, process: &Process, program: &Program) -> bool {
    role(&agent.manifest, process, program).is_some()
}

/// Returns the agent that reports through a hook, from the processes above the hook: its parent first, the pane's first
/// process last.
///
/// It is the agent of the pane only if no other program of an agent is in between: a daemon may be a child of the agent
/// that started it and report for others, and an agent may run another one as a tool.
pub fn reporter<'a>(
    above: &[Process],
    agents: &'a [Agent],
    program: impl Fn(i32) -> Program,
) -> Option<AgentProcess<'a>> {
    let first = above.last()?.pid;
    let nearest = nearest(above, agents, &program)?;
    living(above, first, agents, program)
        .into_iter()
        .find(|living| living.process.pid == nearest)
}

/// Returns the nearest process above a hook that runs a program of an agent, in whatever role.
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
    /// The terminal that counts as the pane's terminal here.
    terminal: u64,
    /// Whether the programs that lead to that terminal have the foreground.
    in_front: bool,
    /// The index of the agent that it descends from, among those found.
    inside: Option<usize>,
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::Agents;

    /// A process on the terminal: pid, parent, short name, words, file.
    type ProcessRow = (i32, i32, &'static str, &'static str, &'static str);

    /// A process table. The shell of the pane is process 10, on terminal 1.
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

        /// Adds a process on the terminal. The shell has its own group; all others are in group 11, which has the
        /// foreground.
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

        /// Returns the kind and the pid of each agent, the best first.
        fn found(&self) -> Vec<(String, i32)> {
            self.map(|living| (living.agent.name.clone(), living.process.pid))
        }

        fn map<T>(&self, value: impl Fn(&AgentProcess<'_>) -> T) -> Vec<T> {
            let agents = Agents::read(None).all;
            let program = |pid| {
                let known = self.programs.iter().find(|(of, _)| *of == pid);
                known
                    .map(|(_, program)| program.clone())
                    .unwrap_or_default()
            };
            living(&self.processes, 10, &agents, program)
                .iter()
                .map(value)
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

    /// Recorded process trees: the kind, the pid that is found, and the processes.
    const RECORDED: [(&str, i32, &[ProcessRow]); 16] = [
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
    fn every_recorded_process_tree() {
        for (kind, pid, processes) in RECORDED {
            assert_eq!(found(processes), [(kind.to_string(), pid)], "{processes:?}");
        }
    }

    #[test]
    fn programs_that_only_look_like_agents() {
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
    fn the_first_process_of_a_pane_can_be_the_agent() {
        let mut table = ProcessTable::default();
        table.add(10, 1, "claude", "claude", CLAUDE);
        table.processes[0].foreground = 10;
        assert_eq!(table.found(), [("claude".to_string(), 10)]);
    }

    #[test]
    fn a_process_without_the_panes_terminal_is_left_out() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "codex", "codex", "/v/bin/codex");
        table.add(12, 11, "codex", "codex", "/v/bin/codex").terminal = 0;
        // A tool shell of Gemini has its own terminal, and so has the program that runs in it.
        table
            .add(13, 11, "bash", "bash -c claude", "/usr/bin/bash")
            .terminal = 7;
        table.add(14, 13, "claude", "claude", CLAUDE).terminal = 7;
        assert_eq!(table.found(), [("codex".to_string(), 11)]);
    }

    #[test]
    fn an_agent_below_a_pty_tool_is_found() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "script", "script -qc claude", "/usr/bin/script");
        for (pid, parent, name) in [(12, 11, "sh"), (13, 12, "claude")] {
            let process = table.add(pid, parent, name, name, &format!("/bin/{name}"));
            process.terminal = 2;
            process.group = 12;
            process.foreground = 12;
        }
        assert_eq!(table.map(|it| (it.process.pid, it.in_front)), [(13, true)]);
        // Now script itself is in the background.
        for process in &mut table.processes[..2] {
            process.foreground = 10;
        }
        assert_eq!(table.map(|it| (it.process.pid, it.in_front)), [(13, false)]);
    }

    #[test]
    fn a_stopped_agent_is_found_and_a_zombie_is_not() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "claude", "claude", CLAUDE).stopped = true;
        for process in &mut table.processes {
            process.foreground = 10;
        }
        let seen = table.map(|it| (it.process.pid, it.in_front, it.process.stopped));
        assert_eq!(seen, [(11, false, true)]);
        table.processes[1].zombie = true;
        assert_eq!(table.found(), []);
    }

    #[test]
    fn the_agent_in_the_foreground_is_first() {
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
        // A fork; a process that is about to run another program, of which only the name is still the agent's; and the
        // agent's program under another name.
        for (words, file) in [(words, CLAUDE), ("", "/usr/bin/rg"), ("rg --files", CLAUDE)] {
            let tool = (12, 11, "claude", words, file);
            assert_eq!(found(&[agent, tool]), [("claude".into(), 11)], "{file}");
        }
    }

    #[test]
    fn wrappers_are_listed() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "node", "node /n/.bin/gemini", NODE);
        let words = "/usr/bin/node --max-old-space-size=4096 /n/.bin/gemini";
        table.add(12, 11, "node", words, NODE);
        let wrappers = table.map(|living| {
            let pids = living.wrappers.iter().map(|wrapper| wrapper.pid);
            (living.process.pid, pids.collect::<Vec<i32>>())
        });
        assert_eq!(wrappers, [(12, vec![11])]);
    }

    #[test]
    fn an_agent_below_another_agent_is_its_tool() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "claude", "claude", CLAUDE);
        table.add(12, 11, "codex", "codex exec x", "/v/bin/codex");
        assert_eq!(table.found(), [("claude".to_string(), 11)]);
    }
    /// Returns the process that reports through a hook which one of the processes runs.
    fn reporter_below(table: &ProcessTable, parent: i32) -> Option<i32> {
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
    fn only_the_agent_of_the_pane_is_the_reporter() {
        let mut table = ProcessTable::new();
        table.add(11, 10, "node", "node /n/.bin/codex", NODE);
        table.add(12, 11, "codex", "/v/bin/codex", "/v/bin/codex");
        // The shells of hooks, on the terminal and without one.
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
            assert_eq!(reporter_below(&table, parent), expected, "below {parent}");
        }
    }
}
