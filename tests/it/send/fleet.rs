//! A fleet of agents and shells in random states. What arrives is counted from what they log themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::support::{Dice, NONE, Said, Server, count, say, seed, until};

use super::{Agent, empty_composer};

/// The agents of the fleet, in turn.
const AGENTS: [&str; 7] = [
    "claude", "codex", "pi", "gemini", "opencode", "copilot", "aider",
];

/// The shells of the fleet. One that is not installed is left out.
const SHELLS: [&str; 10] = [
    "bash --norc",
    "bash --norc -o vi",
    "bash --noprofile --rcfile slow",
    "zsh -f",
    "zsh -f -o vi",
    "fish -C 'function fish_prompt; printf \"fish> \"; end'",
    "dash",
    "ksh",
    "mksh",
    "zsh -f",
];

/// How many send at the same time.
const WORKERS: usize = 4;

/// What a member of the fleet does while a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Prompt,
    Draft,
    CopyMode,
    Starting,
    Busy,
    /// A turn that ends by itself.
    Turn,
    Dialog,
    /// The agent has exited, and its shell is at its prompt.
    Gone,
    /// The shell reads without echo: below a shell, or where an agent was.
    HiddenRead,
    Question,
    Script,
    Continued,
}

/// States of agents and of shells.
const STATES: [State; 6] = [
    State::Prompt,
    State::Prompt,
    State::Draft,
    State::CopyMode,
    State::Starting,
    State::Busy,
];

const AGENT_STATES: [State; 4] = [State::Turn, State::Dialog, State::Gone, State::HiddenRead];

const SHELL_STATES: [State; 4] = [
    State::HiddenRead,
    State::Question,
    State::Script,
    State::Continued,
];

/// What was said of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Arrived,
    /// It may have arrived.
    Typed,
    Refused,
}

struct Message {
    text: String,
    claim: Claim,
}

/// What a member of the fleet has in common with the others.
struct Member<'a> {
    server: &'a Server,
    pane: String,
    /// Where it logs what it gets.
    folder: PathBuf,
    kind: Kind<'a>,
    messages: Vec<Message>,
    drafts: Vec<String>,
}

enum Kind<'a> {
    Agent {
        name: &'static str,
        agent: Agent<'a>,
    },
    Shell {
        command: &'static str,
        prompt: String,
    },
}

impl<'a> Member<'a> {
    fn agent(server: &'a Server, name: &'static str, hooks: bool) -> Self {
        let agent = Agent::called(server, name);
        if hooks && name != "aider" && name != "copilot" {
            agent.order("hooks");
        }
        Self {
            server,
            pane: agent.pane.clone(),
            folder: agent.folder.clone(),
            kind: Kind::Agent { name, agent },
            messages: Vec::new(),
            drafts: Vec::new(),
        }
    }

    fn shell(server: &'a Server, at: usize, command: &'static str) -> Option<Self> {
        let program = command.split(' ').next().expect("a program");
        if which::which(program).is_err() {
            say(&format!("not tried: {program} is not installed"));
            return None;
        }
        let folder = server.path(&format!("shell{at}"));
        std::fs::create_dir(&folder).expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).expect("a file");
        };
        write(
            "slow",
            "i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done; PS1='slow$ '\n",
        );
        write("script", "read -r answer && echo \"$answer\" >>answers\n");
        let word = folder.to_string_lossy().into_owned();
        let new = ["new-window", "-d", "-P", "-F", "#{pane_id}", "-c", &word];
        let pane = server.tmux(new.into_iter().chain(["-e", "LC_ALL=C.UTF-8", command]));
        let mut shell = Self {
            server,
            pane: pane.trim_end().into(),
            folder,
            kind: Kind::Shell {
                command,
                prompt: String::new(),
            },
            messages: Vec::new(),
            drafts: Vec::new(),
        };
        until("the shell has a prompt", || {
            let row = shell.cursor_row();
            // What a shell says at its start ends otherwise.
            row.ends_with(['$', '#', '%', '>']) && row == shell.cursor_row()
        });
        let now = shell.cursor_row();
        if let Kind::Shell { prompt, .. } = &mut shell.kind {
            *prompt = now;
        }
        Some(shell)
    }

    /// The row that the cursor is in, without the blanks at its end.
    fn cursor_row(&self) -> String {
        self.row(0)
    }

    /// The row so many rows above the cursor.
    fn row(&self, above: usize) -> String {
        let cursor = self.server.format(&self.pane, "#{cursor_y}");
        let cursor: usize = cursor.parse().expect("a row");
        let screen = self.server.screen(&self.pane);
        let row = cursor.checked_sub(above);
        let row = row.and_then(|row| screen.lines().nth(row));
        row.unwrap_or("").trim_end().into()
    }

    /// Types a line, and waits until the shell has taken it and shows what it reads next.
    fn says(&self, line: &str) {
        self.server.say(&self.pane, line);
        until(&format!("{} has taken {line}", self.pane), || {
            self.row(1).ends_with(line) && !self.is_at_prompt()
        });
    }

    fn keys(&self, keys: &[&str]) {
        let send = ["send-keys", "-t", &self.pane];
        self.server.tmux(send.iter().chain(keys));
    }

    fn is_agent(&self) -> bool {
        matches!(self.kind, Kind::Agent { .. })
    }

    /// A text that logs its number where a shell runs it, and whether every member takes it at its prompt.
    fn text(&self, number: usize, dice: &mut Dice) -> (String, bool) {
        if self.is_agent() {
            let line = format!("echo {number} >>executed");
            let noise = match dice.roll(8) {
                0 => "; echo 'quoted' \"twice\" `touch ticks` $(touch dollars) #{pane_id}".into(),
                1 => "\nand a second line\n\nand a fourth".into(),
                2 => format!(" {}", "a long text of words ".repeat(40)),
                3 => " 日本語 é 👍🏽 👩‍👩‍👧".into(),
                4 => format!("\n{}", "row of many\n".repeat(30)),
                _ => String::new(),
            };
            return (format!("{line}{noise}").trim_end().into(), true);
        }
        match dice.roll(8) {
            0 => (
                format!(": 'a  b' \"$HOME\" '#{{pane_id}}' ';' \\&; echo {number} >>ran"),
                true,
            ),
            1 => (format!(": first; true\necho {number} >>ran"), false),
            2 => (format!(": '日本 é 👍🏽'; echo {number} >>ran"), false),
            3 => (
                format!(": {}; echo {number} >>ran", "words ".repeat(50)),
                false,
            ),
            _ => (format!("echo {number} >>ran"), true),
        }
    }

    fn sends(&mut self, state: State, number: usize, dice: &mut Dice) -> (Claim, String) {
        let (text, plain) = self.text(number, dice);
        let queues = state == State::Busy && self.is_agent() && dice.roll(2) == 0;
        let mut words = vec![self.pane.as_str(), "--json", "--timeout", "10s", "-"];
        if queues {
            words.push("--queue");
        }
        let said = self.server.sesh("sesh-send", words).stdin(text.as_str());
        let said = said.said();
        let (claim, why) = claim(&said);
        let right = match (claim, state) {
            // No member swallows a text.
            (Claim::Typed, _) => false,
            (Claim::Refused, State::Prompt | State::CopyMode) => !plain,
            (_, State::Prompt | State::CopyMode | State::Starting | State::Turn) => true,
            (_, State::Busy) if queues => true,
            (claim, _) => claim == Claim::Refused,
        };
        assert!(right, "{state:?}: {said}");
        self.messages.push(Message { text, claim });
        (claim, why)
    }

    /// Brings it into a state, in which it stays until [`Member::leaves`].
    fn enters(&mut self, state: State, number: usize, dice: &mut Dice) {
        let server = self.server;
        if state == State::CopyMode {
            server.tmux(["copy-mode", "-t", &self.pane]);
            return;
        }
        if state == State::Draft {
            let draft = format!("echo draft{number} >>drafts");
            match &self.kind {
                // An agent takes Enter right behind fast keys for a line of them.
                Kind::Agent { agent, .. } => agent.order(&format!("draft {draft}")),
                Kind::Shell { .. } => self.keys(&["-l", &draft]),
            }
            server.shows(&self.pane, &draft);
            self.drafts.push(draft);
            return;
        }
        match &self.kind {
            Kind::Agent { name, agent } => match state {
                State::Turn => agent.order(&format!("turn {}", dice.roll(400) + 1)),
                State::Busy | State::Dialog => {
                    let before = server.screen(&self.pane);
                    agent.order(if state == State::Busy { "busy" } else { "ask" });
                    until("it shows that", || server.screen(&self.pane) != before);
                }
                State::Starting | State::Gone | State::HiddenRead => {
                    agent.order("exit");
                    server.runs(&self.pane, "sh");
                    if state == State::Starting {
                        server.say(&self.pane, name);
                    } else if state == State::HiddenRead {
                        let read = "stty -echo; read -r answer; echo \"$answer\" >>answers";
                        server.say(&self.pane, read);
                    }
                }
                _ => {}
            },
            Kind::Shell { command, .. } => match state {
                State::Busy => {
                    server.say(&self.pane, "tail -f /dev/null");
                    server.runs(&self.pane, "tail");
                }
                State::Script => {
                    server.say(&self.pane, "sh script");
                    server.runs(&self.pane, "sh");
                }
                State::HiddenRead | State::Question => {
                    let read = match (state, *command) {
                        (State::Question, _) => "read answer",
                        (_, it) if it.starts_with("dash") || it.contains("ksh") => {
                            "stty -echo; read answer"
                        }
                        _ => "read -s answer",
                    };
                    let line = format!("{read} && echo \"$answer\" >>answers");
                    self.says(&line);
                }
                State::Continued => self.says("echo 'half"),
                State::Starting => {
                    let folder = self.folder.to_string_lossy().into_owned();
                    let slow = format!("sleep 0.{}; exec {command}", dice.roll(6));
                    let slow = if dice.roll(2) == 0 {
                        command
                    } else {
                        slow.as_str()
                    };
                    let again = ["respawn-pane", "-k", "-t", &self.pane, "-c", &folder];
                    server.tmux(again.into_iter().chain(["-e", "LC_ALL=C.UTF-8", slow]));
                }
                _ => {}
            },
        }
    }

    fn is_at_prompt(&self) -> bool {
        match &self.kind {
            // What the interrupt key shows may stand before it.
            Kind::Shell { prompt, .. } => self.cursor_row().ends_with(prompt),
            Kind::Agent { .. } => false,
        }
    }

    /// Brings it back to an empty prompt. A draft must still be what it was.
    fn leaves(&mut self, state: State) {
        let server = self.server;
        if state == State::CopyMode {
            server.tmux(["copy-mode", "-q", "-t", &self.pane]);
        }
        if state == State::Draft {
            self.keys(&["Enter"]);
            let draft = self.drafts.last().expect("a draft").clone();
            until(&format!("{} has {draft:?} as it was", self.pane), || {
                self.logs().contains(&draft)
            });
        }
        match &self.kind {
            Kind::Agent { name, agent } => {
                match state {
                    State::Turn => agent.order("turn 0\nidle"),
                    State::Busy => agent.order("idle"),
                    State::Dialog => agent.order("answered"),
                    State::Starting => {
                        server.runs(&self.pane, name);
                        agent.begins();
                    }
                    State::Gone => server.starts(&self.pane, name),
                    State::HiddenRead => {
                        self.keys(&["Enter"]);
                        server.say(&self.pane, "stty echo");
                        server.starts(&self.pane, name);
                    }
                    _ => {}
                }
                if matches!(state, State::Gone | State::HiddenRead) {
                    agent.begins();
                }
                agent.shows(empty_composer(name));
            }
            Kind::Shell { .. } => {
                match state {
                    State::Busy
                    | State::Script
                    | State::HiddenRead
                    | State::Question
                    | State::Continued => self.keys(&["C-c"]),
                    _ => {}
                }
                if state == State::HiddenRead {
                    until("it reads no more", || self.is_at_prompt());
                    self.keys(&["-l", "stty echo"]);
                    self.keys(&["Enter"]);
                }
                let what = format!("{} is at its prompt after {state:?}", self.pane);
                until(&what, || self.is_at_prompt());
            }
        }
    }

    /// What it got, as it logged it.
    fn logs(&self) -> Vec<String> {
        match &self.kind {
            Kind::Agent { agent, .. } => {
                let got = agent.got().into_iter();
                let sent = got.filter(|(what, _)| what == "sent" || what == "steered");
                sent.map(|(_, text)| text.trim_end().into()).collect()
            }
            Kind::Shell { .. } => {
                let lines = |name: &str| {
                    let text = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
                    text.lines().map(ToString::to_string).collect::<Vec<_>>()
                };
                let drafts = lines("drafts");
                let drafts = drafts.iter().map(|draft| format!("echo {draft} >>drafts"));
                lines("ran").into_iter().chain(drafts).collect()
            }
        }
    }

    /// The line that a message leaves in the log.
    fn logged(&self, text: &str) -> String {
        if self.is_agent() {
            return text.into();
        }
        let number = text.rsplit("echo ").next().unwrap_or_default();
        number.trim_end_matches(" >>ran").into()
    }

    /// Whether all that was said to have arrived is in the log.
    fn has_all(&self) -> bool {
        let logs = self.logs();
        let mut arrived = self.messages.iter().filter(|it| it.claim == Claim::Arrived);
        arrived.all(|it| logs.contains(&self.logged(&it.text)))
    }

    /// Adds what is wrong to a report.
    fn judge(&self, report: &mut String) {
        let name = match &self.kind {
            Kind::Agent { name, .. } => *name,
            Kind::Shell { command, .. } => command,
        };
        let mut wrong = |what: &str, text: &str| {
            let _ = writeln!(report, "{name} {}: {what}: {text:?}", self.pane);
        };
        let mut left = self.logs();
        for message in &self.messages {
            let logged = self.logged(&message.text);
            let times = left.iter().filter(|it| **it == logged).count();
            left.retain(|it| *it != logged);
            match (message.claim, times) {
                (Claim::Arrived, 1) | (Claim::Typed, 0 | 1) | (Claim::Refused, 0) => {}
                (Claim::Arrived, 0) => wrong("lost", &message.text),
                (Claim::Refused, _) => wrong("refused and there", &message.text),
                _ => wrong("doubled", &message.text),
            }
        }
        for draft in &self.drafts {
            let times = left.iter().filter(|it| *it == draft).count();
            left.retain(|it| it != draft);
            if times != 1 {
                wrong("a draft that did not stay", draft);
            }
        }
        for text in left {
            wrong("glued or of unknown origin", &text);
        }
        if let Kind::Agent { agent, .. } = &self.kind {
            for (what, text) in agent.got() {
                if matches!(what.as_str(), "approved" | "ran" | "command") {
                    wrong(&what, &text);
                }
            }
        }
    }
}

/// What the program says of a message. A refusal has a reason.
fn claim(said: &Said) -> (Claim, String) {
    let outcome = || said.json()["outcome"].as_str().map(ToString::to_string);
    match said.code() {
        Some(0) => (Claim::Arrived, outcome().expect("an outcome")),
        Some(4) => {
            let answer = said.json();
            let reason = answer["reason"].as_str().expect("a reason");
            let message = answer["message"].as_str().expect("a sentence");
            assert!(!message.is_empty(), "{said}");
            (Claim::Refused, reason.into())
        }
        Some(7) => (Claim::Typed, "typed".into()),
        _ => panic!("neither delivered nor refused: {said}"),
    }
}

/// Lines that a read below a shell logged. The empty one is a person's Enter.
fn answers(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("answers")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(ToString::to_string).collect()
}

#[test]
fn a_fleet_in_random_states_loses_nothing() {
    let server = Server::start();
    let seed = seed();
    let sends = count(1000);
    let mut fleet: Vec<Member<'_>> = (0..20)
        .map(|at| Member::agent(&server, AGENTS[at % AGENTS.len()], at % 2 == 0))
        .collect();
    for agent in &fleet {
        server.becomes(&agent.pane, "idle");
    }
    let shells = SHELLS.iter().enumerate();
    fleet.extend(shells.filter_map(|(at, command)| Member::shell(&server, at, command)));
    // Each worker has some of each kind.
    let mut crews: Vec<Vec<Member<'_>>> = (0..WORKERS).map(|_| Vec::new()).collect();
    for (at, member) in fleet.into_iter().enumerate() {
        crews[at % WORKERS].push(member);
    }
    let tally: Mutex<BTreeMap<(bool, State, String), usize>> = Mutex::default();
    std::thread::scope(|scope| {
        for (worker, crew) in crews.iter_mut().enumerate() {
            let (server, tally) = (&server, &tally);
            let mut dice = Dice::of(seed.wrapping_add(worker as u64));
            scope.spawn(move || {
                for number in (worker..sends).step_by(WORKERS) {
                    let member = dice.roll(crew.len());
                    let member = &mut crew[member];
                    let own = if member.is_agent() {
                        AGENT_STATES
                    } else {
                        SHELL_STATES
                    };
                    let state = *dice.one_of(&[&STATES[..], &own].concat());
                    member.enters(state, number, &mut dice);
                    let (_, why) = member.sends(state, number, &mut dice);
                    member.leaves(state);
                    until("what was delivered is there", || member.has_all());
                    let key = (member.is_agent(), state, why);
                    *tally.lock().expect("a tally").entry(key).or_default() += 1;
                    if dice.roll(10) == 0 {
                        server.sesh("sesh-reap", NONE).ok();
                    }
                }
            });
        }
    });
    for ((is_agent, state, why), times) in tally.into_inner().expect("a tally") {
        let what = if is_agent { "agent" } else { "shell" };
        say(&format!("{what} {state:?}: {why} {times}"));
    }
    let mut report = String::new();
    for member in crews.iter().flatten() {
        member.judge(&mut report);
        for answer in answers(&member.folder) {
            let _ = writeln!(report, "{}: an answer: {answer:?}", member.pane);
        }
    }
    for answer in answers(server.folder()) {
        let _ = writeln!(report, "an answer where an agent was: {answer:?}");
    }
    for file in ["executed", "ticks", "dollars"] {
        if server.path(file).exists() {
            let _ = writeln!(report, "a shell ran what was for an agent: {file}");
        }
    }
    assert!(report.is_empty(), "{report}");
}
