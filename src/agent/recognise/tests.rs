//! Recorded and possible process trees.

mod programs;

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
    /// The processes that read terminal 1 from a session of their own.
    readers: Vec<i32>,
    /// Processes, and the terminals whose masters they hold.
    masters: Vec<(i32, u64)>,
    /// The processes whose environment is not that of their parent.
    changed: Vec<i32>,
}

impl ProcessReader for ProcessTable {
    fn program(&self, pid: i32) -> Program {
        let known = self.programs.iter().find(|(of, _)| *of == pid);
        known.map_or_else(Program::default, |(_, program)| program.clone())
    }

    fn input(&self, pid: i32) -> Option<u64> {
        self.readers.contains(&pid).then_some(1)
    }

    fn has_master_of(&self, pid: i32, terminal: u64) -> bool {
        self.masters.contains(&(pid, terminal))
    }

    fn have_one_environment(&self, one: i32, other: i32) -> bool {
        !(self.changed.contains(&one) || self.changed.contains(&other))
    }
}

impl ProcessTable {
    fn new() -> Self {
        let mut table = Self::default();
        table.add(10, 1, "bash", "-bash", "/usr/bin/bash");
        table
    }

    /// Adds a process on the terminal. The shell has its own group; all others are in group 11, which has the
    /// foreground.
    fn add(&mut self, pid: i32, parent: i32, name: &str, argv: &str, file: &str) -> &mut Process {
        self.programs.push((
            pid,
            Program {
                argv: argv.split_terminator(' ').map(Into::into).collect(),
                file: Some(file.into()),
                script: None,
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

    /// Adds a process that leads a session on another terminal, or on none.
    fn add_apart(&mut self, pid: i32, parent: i32, argv: &str, file: &str, terminal: u64) {
        let name = file.rsplit('/').next().unwrap_or_default();
        let process = self.add(pid, parent, name, argv, file);
        process.terminal = terminal;
        process.group = pid;
        process.foreground = if terminal == 0 { -1 } else { pid };
    }

    /// Returns the kind and the pid of each agent, the best first.
    fn found(&self) -> Vec<(String, i32)> {
        self.map(|living| (living.agent.name.clone(), living.process.pid))
    }

    fn map<T>(&self, value: impl Fn(&AgentProcess<'_>) -> T) -> Vec<T> {
        let agents = Agents::read(None).all;
        living(&self.processes, 10, &agents, self)
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
    let cases: [&[ProcessRow]; 8] = [
        &[(11, 10, "vim", "vim claude", "/usr/bin/vim")],
        &[(11, 10, "claude-foo", "claude-foo", "/home/a/claude-foo")],
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
fn a_script_that_starts_itself_again_is_the_new_one() {
    const WORDS: &str = "/n/node/bin/node --expose-gc /n/@qwen-code/qwen-code/cli.js";
    let table = |changed: &[i32], readers: &[i32]| {
        let mut table = ProcessTable::new();
        table.add(11, 10, "node", "node /n/.bin/qwen", NODE);
        table.add(12, 11, "node", WORDS, NODE);
        table.add(13, 12, "node", WORDS, NODE);
        table.changed = changed.to_vec();
        table.readers = readers.to_vec();
        table.found()
    };
    let qwen = |pid: i32| [("qwen".to_string(), pid)];
    assert_eq!(table(&[13], &[12, 13]), qwen(13));
    // A fork that runs no program of its own yet, and a worker that reads something else.
    assert_eq!(table(&[], &[12, 13]), qwen(12));
    assert_eq!(table(&[13], &[12]), qwen(12));
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
    reporter(&above, &agents, table).map(|living| living.process.pid)
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

#[test]
fn a_script_that_is_a_link_to_an_agents_program() {
    let mut table = ProcessTable::new();
    table.add(11, 10, "node", "node /h/bin/ai", NODE);
    assert_eq!(table.found(), []);
    table.programs[1].1.script = Some("/n/@google/gemini-cli/dist/index.js".into());
    assert_eq!(table.found(), [("gemini".into(), 11)]);
}

#[test]
fn an_agent_in_a_session_of_its_own_reads_the_panes_terminal() {
    let mut table = ProcessTable::new();
    table.add(
        11,
        10,
        "bwrap",
        "bwrap --new-session claude",
        "/usr/bin/bwrap",
    );
    table.add_apart(12, 11, "claude", CLAUDE, 0);
    assert_eq!(table.found(), []);
    table.readers.push(12);
    assert_eq!(table.map(|it| (it.process.pid, it.in_front)), [(12, true)]);
    // The shell that a sandbox starts, and the agent below it.
    table.add_apart(13, 11, "sh -c codex", "/bin/sh", 0);
    table.add_apart(14, 13, "codex", "/v/bin/codex", 0);
    table.readers.extend([13, 14]);
    assert_eq!(table.found().len(), 2);
    // In the background it gets no keys.
    table.processes[1].group = 20;
    assert_eq!(table.map(|it| it.in_front), [false, false]);
}

#[test]
fn an_agent_on_a_terminal_that_a_wrapper_made() {
    let mut table = ProcessTable::new();
    table.add(
        11,
        10,
        "python3",
        "python3 wrap.py claude",
        "/usr/bin/python3",
    );
    table.add_apart(12, 11, "claude", CLAUDE, 7);
    assert_eq!(table.found(), [], "no process above holds the master");
    table.masters.push((11, 7));
    assert_eq!(table.map(|it| (it.process.pid, it.in_front)), [(12, true)]);
    for editor in [
        "nvim",
        "vim.basic",
        "emacs-nox",
        "tmux: client",
        "gnome-terminal-",
        "zellij",
    ] {
        table.processes[1].name = editor.into();
        assert_eq!(
            table.found(),
            [],
            "{editor} shows it as a part of its screen"
        );
    }
}

#[test]
fn a_wrapper_of_the_agents_name_starts_the_agent_itself_elsewhere() {
    let script = ("/bin/bash /h/bin/claude", "/usr/bin/bash");
    let program = ("python3 /h/bin/claude", "/usr/bin/python3");
    for (words, file) in [script, program] {
        let mut table = ProcessTable::new();
        table.add(11, 10, "claude", words, file);
        table.add_apart(12, 11, "claude", CLAUDE, 7);
        table.masters.push((11, 7));
        assert_eq!(table.found(), [("claude".into(), 12)], "{words}");
    }
    // A tool on a terminal that the agent made for it is no agent of the pane, also where it is the agent's program.
    let mut table = ProcessTable::new();
    table.add(11, 10, "gemini", "node /n/.bin/gemini", NODE);
    table.add_apart(12, 11, "bash -c gemini", "/usr/bin/bash", 7);
    table.add_apart(13, 12, "node /n/.bin/gemini -p x", NODE, 7);
    table.masters.push((11, 7));
    assert_eq!(table.found(), [("gemini".into(), 11)]);
}
