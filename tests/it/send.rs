//! Messages that arrive once and as they are, or not at all: `sesh-send` to agents that do with them what real ones do.

mod composers;
mod fleet;
mod matrix;
mod shells;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::stat::Mode;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Call, Said, Server, count, until, until_some};

/// A fake agent with a composer, in a pane.
pub(crate) struct Agent<'a> {
    server: &'a Server,
    pub(crate) pane: String,
    folder: PathBuf,
}

impl<'a> Agent<'a> {
    #[track_caller]
    pub(crate) fn new(server: &'a Server) -> Self {
        Self::called(server, "claude")
    }

    /// One that does what the real one of that name does.
    #[track_caller]
    pub(crate) fn called(server: &'a Server, name: &str) -> Self {
        let agent = Self::of(server, &server.hosts(name));
        agent.shows(empty_composer(name));
        agent
    }

    /// The one that lives in a pane.
    #[track_caller]
    pub(crate) fn of(server: &'a Server, pane: &str) -> Self {
        let folder = server.path(&format!("composer{}", pane.trim_start_matches('%')));
        std::fs::create_dir_all(&folder).expect("a folder");
        let _ = std::fs::remove_file(folder.join("orders"));
        nix::unistd::mkfifo(&folder.join("orders"), Mode::S_IRWXU).expect("a pipe");
        let agent = Self {
            server,
            pane: pane.into(),
            folder,
        };
        agent.begins();
        agent
    }

    /// It draws its composer.
    #[track_caller]
    fn begins(&self) {
        let line = format!("composer {}", self.folder.display());
        self.server.say(&self.pane, &line);
    }

    pub(crate) fn order(&self, line: &str) {
        std::fs::write(self.folder.join("orders"), format!("{line}\n")).expect("an order");
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.server.shows(&self.pane, text);
    }

    /// What it was sent, queued and given leave to do.
    pub(crate) fn got(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.folder.join("got")).unwrap_or_default();
        let line = |line: &str| serde_json::from_str(line).expect("a line");
        // The last one may be half written at this moment.
        let whole = text.rfind('\n').unwrap_or(0);
        text[..whole].lines().map(line).collect()
    }

    /// Whether the last that its hook has said is that its turn is over.
    fn has_said_idle(&self) -> bool {
        let variable = format!("SESH_hook_{}=", self.pane.trim_start_matches('%'));
        let hidden = self.server.tmux(["show-environment", "-gh"]);
        let mut said = hidden.lines().filter(|line| line.starts_with(&variable));
        said.all(|line| line.contains(",idle,"))
    }

    /// Its turn is over.
    #[track_caller]
    fn is_done(&self) {
        until("its turn is over", || self.has_said_idle());
    }

    /// What it was sent until now does not count.
    fn forgets(&self) {
        std::fs::write(self.folder.join("got"), "").expect("a file");
    }

    /// Its hook has said that it works.
    #[track_caller]
    fn works(&self) {
        self.order("busy");
        let variable = format!("SESH_hook_{}=", self.pane.trim_start_matches('%'));
        until("it says that it works", || {
            let hidden = self.server.tmux(["show-environment", "-gh"]);
            let mut said = hidden.lines().filter(|line| line.starts_with(&variable));
            said.any(|line| line.contains(",busy,"))
        });
    }

    #[track_caller]
    fn got_only(&self, what: &str, text: &str) {
        assert_eq!(self.got(), [(what.to_string(), text.to_string())]);
    }

    pub(crate) fn send(&self, args: &[&str]) -> Call {
        let mut words = vec![self.pane.as_str()];
        words.extend(args);
        words.push("--json");
        self.server.sesh("sesh-send", &words)
    }
}

/// What an agent shows beside an empty composer.
fn empty_composer(agent: &str) -> &'static str {
    match agent {
        "codex" => "Ask Codex to do anything",
        "pi" => "lab-model",
        "gemini" => "Type your message",
        "opencode" => "ctrl+p commands",
        "copilot" => "/ commands",
        "aider" => "────",
        _ => "? for shortcuts",
    }
}

#[track_caller]
fn refused(said: Said, reason: &str) {
    assert_eq!(said.code(), Some(4), "{said}");
    let said = said.json();
    assert_eq!(
        (&said["outcome"], &said["reason"]),
        (&"refused".into(), &reason.into())
    );
    assert!(said["message"].as_str().is_some_and(|why| !why.is_empty()));
}

#[track_caller]
fn delivered(said: Said, proof: &str) {
    assert_eq!(said.code(), Some(0), "{said}");
    let said = said.json();
    assert_eq!(
        (&said["outcome"], &said["proof"]),
        (&"delivered".into(), &proof.into())
    );
}

#[test]
fn every_text_arrives_as_it_is_and_once() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("hooks");
    agent.order("swallow 60");
    let texts = [
        "x".to_string(),
        "sixty characters of a message that is neither long nor short".into(),
        (0..10)
            .map(|at| format!("row {at}\n"))
            .collect::<String>()
            .trim_end()
            .into(),
        "line of a long text\n".repeat(250).trim_end().into(),
        "y".repeat(200_000),
        "'\"`$(touch x)` #{pane_id} ; & | > \\n ~/ :".into(),
        "ends with ;".into(),
        "-starts like an option".into(),
        "👩‍👩‍👧 日本語 العربية".into(),
        "a\tb".into(),
        "#hash".into(),
        "?question".into(),
        "/a/path is no command".into(),
        "see @file".into(),
    ];
    for (at, text) in texts.iter().enumerate() {
        agent.is_done();
        delivered(agent.send(&["-"]).stdin(text.as_str()).said(), "hook");
        let got = agent.got();
        assert_eq!(got.len(), at + 1, "once");
        // Claude makes blanks of it.
        let sent = text.replace('\t', "    ");
        assert_eq!(got[at], ("sent".to_string(), sent));
    }
    // A blank keeps them from being taken for something else; what would be a command is refused.
    for (text, sent) in [("!ls", " !ls"), ("ends with \\", "ends with \\ ")] {
        agent.is_done();
        delivered(agent.send(&[text]).said(), "hook");
        assert_eq!(agent.got().last().expect("a message").1, sent);
    }
    let before = agent.got();
    refused(agent.send(&["/clear"]).said(), "command");
    assert_eq!(agent.got(), before);
    agent.is_done();
    // No hook tells of a command.
    delivered(agent.send(&["--as-it-is", "/clear"]).said(), "screen");
    assert_eq!(agent.got().last().expect("a command").0, "command");
    // Nothing that acts is typed.
    agent.is_done();
    delivered(
        agent
            .send(&["-"])
            .stdin("a\x1b[201~\rb\x07\u{202e}c\r\n")
            .said(),
        "hook",
    );
    assert_eq!(agent.got().last().expect("a message").1, "a[201~\nbc");
    let empty = agent.send(&["-"]).stdin("\x1b\n\n").fails(2);
    assert!(empty.contains("the message is empty"), "{empty}");
    assert_eq!(server.tmux(["list-buffers"]), "", "no buffer is left");
    let hidden = server.tmux(["show-environment", "-gh"]);
    assert!(!hidden.contains("SESH_send_"), "{hidden}");
}

#[test]
fn without_hooks_the_screen_proves_it() {
    let server = Server::start();
    let agent = Agent::new(&server);
    delivered(agent.send(&["hello there"]).said(), "screen");
    agent.got_only("sent", "hello there");
    agent.order("turn 400");
    delivered(agent.send(&["--wait", "hello again"]).said(), "screen");
    agent.shows("? for shortcuts");
    let said = agent.send(&["--reply", "what is it"]).ok().json();
    assert_eq!(said["state"], "idle");
    assert_eq!(
        (&said["reply"], &said["replyFrom"]),
        (&"got 10".into(), &"screen".into())
    );
    let text = server
        .sesh("sesh-send", [&agent.pane, "--reply", "and now"])
        .said();
    assert_eq!(text.stdout, b"got 7\n");
    assert!(text.stderr.contains("read from its screen"), "{text}");
}

#[test]
fn where_the_conversation_is_known_the_screen_alone_proves_nothing() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("hooks");
    agent.order("transcript");
    let proven = agent.send(&["--wait", "the first"]).said();
    assert_eq!(proven.code(), Some(0), "{proven}");
    agent.order("mute");
    delivered(agent.send(&["--wait", "kept"]).said(), "transcript");
    // It leaves the composer, and begins another conversation.
    agent.order("elsewhere");
    let astray = agent.send(&["astray", "--timeout=3s"]).said();
    assert_eq!(astray.code(), Some(7), "{astray}");
    let why = astray.json()["message"].to_string();
    assert!(why.contains("is not in the conversation"), "{why}");
    // A command is no prompt, and is not kept.
    delivered(agent.send(&["--as-it-is", "/clear"]).said(), "screen");
}

#[test]
fn at_a_question_nothing_is_approved() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("ask");
    agent.shows("Do you want to proceed?");
    for how in [
        &["yes"][..],
        &["--queue", "yes"],
        &["--now", "yes"],
        &["--draft", "stash", "yes"],
    ] {
        refused(agent.send(how).said(), "permission");
    }
    assert_eq!(agent.got(), []);
    server.tmux(["send-keys", "-t", &agent.pane, "Escape"]);
    agent.shows("? for shortcuts");
    // It asks between the text and its Enter.
    agent.order("ask-behind-paste");
    let said = agent.send(&["yes"]).said();
    assert_eq!(said.code(), Some(7));
    let said = said.json();
    assert_eq!(said["outcome"], "typed");
    assert_eq!(
        said["message"],
        "it now asks a question: the text was not sent"
    );
    // Perhaps half drawn.
    assert!(said["seen"].as_str().is_some_and(|seen| !seen.is_empty()));
    assert_eq!(agent.got(), []);
}

#[test]
fn a_persons_draft_is_never_sent() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("draft I was about to say");
    agent.shows("❯\u{a0}I was about to say");
    refused(agent.send(&["hello"]).said(), "draft");
    refused(
        agent
            .send(&["--draft", "wait", "--timeout", "300ms", "hello"])
            .said(),
        "draft",
    );
    assert_eq!(agent.got(), []);
    delivered(agent.send(&["--draft", "stash", "hello"]).said(), "screen");
    agent.got_only("sent", "hello");
    agent.shows("❯\u{a0}I was about to say");
    // A key in copy mode would be one of that mode.
    server.tmux(["copy-mode", "-t", &agent.pane]);
    delivered(agent.send(&["--draft", "stash", "hello"]).said(), "screen");
    agent.shows("❯\u{a0}I was about to say");
    let waits = agent.send(&["--draft", "wait", "hello again"]);
    let waits = std::thread::spawn(|| waits.said());
    agent.order("clear");
    delivered(waits.join().expect("an answer"), "screen");
    let got: Vec<String> = agent.got().into_iter().map(|(_, text)| text).collect();
    assert_eq!(got, ["hello", "hello", "hello again"]);
}

#[test]
fn while_it_works() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("busy");
    agent.shows("esc to interrupt");
    refused(agent.send(&["hello"]).said(), "busy");
    assert_eq!(agent.got(), []);
    let said = agent.send(&["--queue", "later"]).said();
    assert_eq!(
        (said.code(), &said.json()["outcome"]),
        (Some(0), &"queued".into())
    );
    agent.got_only("queued", "later");
    agent.order("idle");
    until("its turn comes", || agent.got().len() == 2);
    agent.order("busy");
    agent.shows("esc to interrupt");
    delivered(agent.send(&["--now", "at once"]).said(), "screen");
    assert_eq!(agent.got()[2], ("sent".into(), "at once".into()));
}

#[test]
fn the_end_of_this_prompt_is_waited_for() {
    let server = Server::start();
    let agent = Agent::new(&server);
    server.becomes(&agent.pane, "idle");
    agent.order("hooks");
    agent.order("turn 700");
    let waits = |how: &[&str]| agent.send(&[&["--wait"], how].concat());
    let is_over = |text: &str| {
        let sent = ("sent".to_string(), text.to_string());
        assert_eq!(agent.got().last(), Some(&sent));
        // Its hook has said so; what it draws comes a moment later.
        assert!(agent.has_said_idle());
    };
    assert_eq!(waits(&["one"]).ok().json()["state"], "idle");
    is_over("one");
    // Behind another one.
    delivered(agent.send(&["two"]).said(), "hook");
    let said = waits(&["--queue", "three"]).ok().json();
    assert_eq!(
        (&said["outcome"], &said["state"]),
        (&"queued".into(), &"idle".into())
    );
    is_over("three");
    // No hook tells of Escape.
    let is_stopped = || {
        server.tmux(["send-keys", "-t", &agent.pane, "Escape"]);
        server.becomes(&agent.pane, "idle");
    };
    // It asks a person, it takes too long, it goes.
    agent.order("turn 60000");
    let asked = waits(&["four"]);
    let asked = std::thread::spawn(move || asked.said());
    agent.shows("esc to interrupt");
    agent.order("ask");
    let asked = asked.join().expect("an answer").json();
    assert_eq!(
        (&asked["state"], &asked["why"]),
        (&"waiting".into(), &"permission".into())
    );
    is_stopped();
    let late = agent.send(&["--wait=300ms", "five"]).said();
    assert_eq!(late.code(), Some(6), "{late}");
    is_stopped();
    let gone = waits(&["six"]);
    let gone = std::thread::spawn(move || gone.said());
    agent.shows("esc to interrupt");
    until("it has arrived", || {
        let hidden = server.tmux(["show-environment", "-gh"]);
        !hidden.contains("SESH_send_")
    });
    agent.order("exit");
    assert_eq!(gone.join().expect("an answer").json()["state"], "exited");
}

#[test]
fn an_enter_that_is_lost_is_pressed_again_and_the_text_is_not() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("deaf 1");
    delivered(agent.send(&["hello"]).said(), "screen");
    agent.got_only("sent", "hello");
    agent.order("deaf 1000");
    let said = agent.send(&["--timeout", "2s", "not heard"]).said();
    assert_eq!(said.code(), Some(7));
    assert_eq!(
        said.json()["message"],
        "the message is still in the composer"
    );
    agent.shows("❯\u{a0}not heard\n");
    assert_eq!(agent.got().len(), 1);
}

#[test]
fn a_dead_agents_shell_runs_nothing() {
    let server = Server::start();
    let agent = Agent::new(&server);
    server.becomes(&agent.pane, "idle");
    let sesh = server.sesh_of(&agent.pane).expect("a sesh");
    agent.order("exit");
    server.runs(&agent.pane, "sh");
    let marker = server.path("marker");
    let text = format!("touch {}", marker.display());
    // Its sesh is remembered to be an agent's.
    refused(agent.send(&[&text]).said(), "no-agent");
    let by_name = server.sesh("sesh-send", [sesh.name(), &text]).said();
    assert!(matches!(by_name.code(), Some(3 | 4)));
    server.say(&agent.pane, "echo still here");
    server.shows(&agent.pane, "still here");
    assert!(!marker.exists());
}

#[test]
fn a_plain_panes_shell_runs_nothing_for_the_agent_that_it_had() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-adopt", "off"]);
    let marker = server.path("marker");
    let text = format!("touch {}", marker.display());
    // What a message was sent to, and what has reported by its hooks.
    let sent = Agent::new(&server);
    delivered(sent.send(&["hello"]).said(), "screen");
    let reported = Agent::new(&server);
    reported.order("hooks");
    reported.works();
    for agent in [&sent, &reported] {
        assert!(server.sesh_of(&agent.pane).is_none());
        agent.order("exit");
        server.runs(&agent.pane, "sh");
        refused(agent.send(&[&text]).said(), "no-agent");
        server.say(&agent.pane, "echo still here");
        server.shows(&agent.pane, "still here");
    }
    // One that became a sesh by itself is a plain pane again.
    server.tmux(["set-option", "-g", "@sesh-adopt", "on"]);
    let adopted = Agent::new(&server);
    server.becomes(&adopted.pane, "idle");
    adopted.order("exit");
    server.runs(&adopted.pane, "sh");
    until("it is a plain pane again", || {
        server.sesh("sesh-reap", crate::support::NONE).ok();
        server.sesh_of(&adopted.pane).is_none()
    });
    refused(adopted.send(&[&text]).said(), "no-agent");
    assert!(!marker.exists());
    // A shell that is started anew in the pane has had none, and nor has any other shell.
    let respawn = ["respawn-pane", "-k", "-t", &sent.pane, "sh", "-i"];
    server.tmux(respawn);
    server.runs(&sent.pane, "sh");
    let plain = server.types("PS1='$ '");
    for pane in [&sent.pane, &plain] {
        let text = format!("echo told {pane}");
        let said = server
            .sesh("sesh-send", [pane.as_str(), &text, "--timeout=20s"])
            .said();
        assert_eq!(said.code(), Some(0), "{said}");
    }
}

#[test]
fn where_it_would_be_lost_or_go_elsewhere() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let pane = agent.pane.as_str();
    server.tmux(["select-pane", "-d", "-t", pane]);
    refused(agent.send(&["hello"]).said(), "input-off");
    server.tmux(["select-pane", "-e", "-t", pane]);
    server.tmux(["set-option", "-w", "-t", pane, "synchronize-panes", "on"]);
    refused(agent.send(&["hello"]).said(), "synchronized");
    server.tmux(["set-option", "-w", "-t", pane, "synchronize-panes", "off"]);
    // In copy mode it arrives, and the mode stays as it is.
    server.tmux(["copy-mode", "-t", pane]);
    delivered(agent.send(&["hello"]).said(), "screen");
    assert_eq!(server.format(pane, "#{pane_in_mode}"), "1");
    agent.got_only("sent", "hello");
    server.tmux(["copy-mode", "-q", "-t", pane]);
    let none = server.sesh("sesh-send", ["%999", "hello"]).fails(3);
    assert!(none.contains("no pane %999"), "{none}");
    let no_message = server.sesh("sesh-send", [pane]).fails(2);
    assert!(no_message.contains("no message"), "{no_message}");
    // A dead pane: a paste there ends a server of 3.2a and 3.3a.
    let dead = server.tmux([
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "sh -c 'exec cat'",
    ]);
    let dead = dead.trim_end();
    server.tmux(["set-option", "-p", "-t", dead, "remain-on-exit", "on"]);
    server.tmux(["send-keys", "-t", dead, "C-d"]);
    until("it is dead", || server.format(dead, "#{pane_dead}") == "1");
    let said = server.sesh("sesh-send", [dead, "--json", "hello"]).said();
    refused(said, "dead");
}

#[test]
fn to_a_shell() {
    let server = Server::start();
    let pane = server.types("PS1='$ '");
    let marker = server.path("a file");
    let text = format!("touch '{}'", marker.display());
    let said = server.sesh("sesh-send", [&pane, "--json", &text]).said();
    delivered(said, "screen");
    until("it ran", || marker.exists());
    server.say(&pane, "sleep 1000");
    server.runs(&pane, "sleep");
    let said = server
        .sesh("sesh-send", [&pane, "--json", "echo no"])
        .said();
    refused(said, "stranger");
}

#[test]
fn two_at_once_are_two_messages() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("swallow 30");
    let texts: Vec<String> = (0..6).map(|at| format!("message number {at}")).collect();
    let senders: Vec<_> = texts
        .iter()
        .map(|text| agent.send(&[text]))
        .map(|call| std::thread::spawn(|| call.said()))
        .collect();
    for sender in senders {
        delivered(sender.join().expect("an answer"), "screen");
    }
    let mut got: Vec<String> = agent.got().into_iter().map(|(_, text)| text).collect();
    got.sort();
    assert_eq!(got, texts);
}

#[test]
fn a_sender_that_was_killed_holds_nobody_up() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let variable = format!("SESH_send_{}", agent.pane.trim_start_matches('%'));
    server.tmux(["set-environment", "-gh", &variable, "1:1:sesh-1-0"]);
    delivered(agent.send(&["hello"]).said(), "screen");
    agent.got_only("sent", "hello");
}

#[test]
fn several_targets_have_a_line_each_and_the_worst_code() {
    let server = Server::start();
    let agents: Vec<Agent<'_>> = (0..4).map(|_| Agent::new(&server)).collect();
    agents[2].order("ask");
    agents[2].shows("Do you want to proceed?");
    let mut words: Vec<&str> = agents.iter().map(|agent| agent.pane.as_str()).collect();
    words.extend([words[0], "--json", "to all"]);
    let said = server.sesh("sesh-send", &words).said();
    assert_eq!(said.code(), Some(4));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let outcomes: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["delivered", "delivered", "refused", "delivered"]);
    for (at, agent) in agents.iter().enumerate() {
        assert_eq!(agent.got().len(), usize::from(at != 2));
    }
    let lines = server
        .sesh("sesh-send", [&agents[0].pane, &agents[1].pane, "again"])
        .ok();
    let expected = format!(
        "{}: delivered (screen)\n{}: delivered (screen)\n",
        agents[0].pane, agents[1].pane
    );
    assert_eq!(lines.text(), expected);
}

#[test]
fn where_one_target_is_unknown_nothing_is_sent() {
    let server = Server::start();
    let agents: Vec<Agent<'_>> = (0..2).map(|_| Agent::new(&server)).collect();
    let first = agents[0].pane.as_str();
    let second = agents[1].pane.as_str();
    // A message of several words that was not quoted, a pane that is gone, a name that nothing has.
    for words in [
        vec![first, "do", "not", "delete"],
        vec![first, second, "%999", "x"],
        vec!["no-such", second, "x"],
    ] {
        let said = server.sesh("sesh-send", &words).said();
        assert_eq!(said.code(), Some(3), "{said}");
        assert!(said.stderr.contains("put the message in quotes"), "{said}");
        assert!(said.stderr.contains("another target is unknown"), "{said}");
    }
    for agent in &agents {
        assert_eq!(agent.got(), []);
    }
}

#[test]
fn a_prompt_from_before_the_clock_was_set_back_is_no_proof() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let resolve = ["--pane", &agent.pane, "--json"];
    let resolved = server.sesh("pane-resolve", resolve).said();
    let pid = resolved.record().get("pid").as_i64().expect("a pid");
    let process = tmux_sesh::proc::identity(i32::try_from(pid).expect("a pid"));
    // The hook reported the same text, by a clock that is an hour ahead of the present one.
    let later = tmux_sesh::clock::milliseconds() + 3_600_000;
    let mark = tmux_sesh::agent::message::mark("hello");
    let variable = format!("SESH_prompt_{}", agent.pane.trim_start_matches('%'));
    let prompt = format!("{process},{later},{mark}");
    server.tmux(["set-environment", "-gh", &variable, &prompt]);
    let sent = agent.send(&["hello"]).ok();
    assert_eq!(sent.record().text("proof"), "screen");
    agent.got_only("sent", "hello");
}

#[test]
fn the_limit_of_a_wait_may_stand_behind_it() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let words = [agent.pane.as_str(), "--wait", "10m", "hello"];
    server.sesh("sesh-send", words).ok();
    agent.got_only("sent", "hello");
    // What is no duration is a target or the message.
    let words = ["--wait", agent.pane.as_str(), "again"];
    server.sesh("sesh-send", words).ok();
    let sentence = server
        .sesh("sesh-send", [agent.pane.as_str(), "--wait", "10m"])
        .fails(2);
    assert!(sentence.contains("no message"), "{sentence}");
}

#[test]
fn an_idle_agent_is_ended_by_its_own_way_out() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let sesh = server.becomes(&agent.pane, "idle");
    server.sesh("sesh-end", [sesh.name()]).ok();
    agent.got_only("command", "/exit");
    server.runs(&agent.pane, "sh");
    // At a question, or while it works, nothing is typed.
    for (order, state) in [("ask", "waiting permission"), ("busy", "busy")] {
        let agent = Agent::new(&server);
        agent.order(order);
        let sesh = server.becomes(&agent.pane, state);
        server.sesh("sesh-end", [sesh.name()]).ok();
        server.runs(&agent.pane, "sh");
        assert_eq!(agent.got(), []);
    }
}

#[test]
fn a_new_sesh_gets_its_first_message_when_it_is_ready() {
    let server = Server::start();
    let file = server.path("first");
    let text = format!("touch {}", file.display());
    server
        .sesh(
            "sesh-new",
            ["shell", "--send", &text, "--wait=20s", "--", "sh"],
        )
        .ok();
    assert!(file.exists());
    // A command that is a shell is busy for the store, whatever it runs.
    let second = server.path("second");
    let text = format!("sleep 0.4; touch {}", second.display());
    server
        .sesh("sesh-send", ["shell", "--wait=20s", &text])
        .ok();
    assert!(second.exists());
    server.agent("claude");
    let new = server.sesh(
        "sesh-new",
        ["worker", "--send", "say hello", "--", "claude"],
    );
    let new = std::thread::spawn(|| new.said());
    let pane = until_some("it is made", || {
        let all = server.sesh("sesh-list", ["--json"]).ok().records();
        let worker = all.into_iter().find(|record| record.name() == "worker")?;
        Some(worker.pane().to_string())
    });
    server.runs(&pane, "claude");
    assert_eq!(server.record("worker").text("agent"), "claude");
    let agent = Agent::of(&server, &pane);
    let said = new.join().expect("an answer");
    assert_eq!(said.code(), Some(0), "{said}");
    agent.got_only("sent", "say hello");
    server.sesh("sesh-new", ["none", "--send", "\n"]).fails(2);
    server.sesh("sesh-pane", ["none"]).fails(3);
    server
        .sesh("sesh-new", ["quick", "--wait", "--", "true"])
        .ok();
    assert_eq!(server.record("quick").state(), "exited");
    let late = server.sesh("sesh-new", ["slow", "--wait=200ms", "--", "sleep", "1000"]);
    let late = late.said();
    assert_eq!(late.code(), Some(6), "{late}");
    assert!(late.stderr.contains("slow has not finished"), "{late}");
}

#[test]
fn a_message_can_be_left_unsent() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let said = agent.send(&["--no-enter", "look at this"]).said();
    assert_eq!(
        (said.code(), &said.json()["outcome"]),
        (Some(0), &"placed".into())
    );
    agent.shows("❯\u{a0}look at this\n");
    assert_eq!(agent.got(), []);
}

#[test]
fn without_a_server_or_a_target() {
    let server = Server::start();
    let socket = server.path("none").display().to_string();
    let call = server.helper("sesh-send");
    call.args(["-S", &socket, "%0", "hello"]).fails(69);
    server.sesh("sesh-send", ["nobody", "hello"]).fails(3);
}

#[test]
fn a_busy_fleet_gets_every_message_once() {
    const FLEET: usize = 20;
    const SENDERS: usize = 8;
    let server = Server::start();
    let agents: Vec<Agent<'_>> = (0..FLEET).map(|_| Agent::new(&server)).collect();
    for agent in &agents {
        agent.order("hooks");
        agent.order("swallow 40");
        agent.order("turn 100");
    }
    let many = count(1000);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= many {
                        break;
                    }
                    let text = format!("message {at} of many");
                    let said = agents[at % FLEET].send(&["--queue", &text]).said();
                    assert_eq!(said.code(), Some(0), "{said}");
                }
            });
        }
    });
    for (place, agent) in agents.iter().enumerate() {
        let expected = (place..many).step_by(FLEET);
        let mut expected: Vec<String> =
            expected.map(|at| format!("message {at} of many")).collect();
        until("all turns are over", || {
            agent
                .got()
                .iter()
                .filter(|(what, _)| what == "sent")
                .count()
                == expected.len()
        });
        let mut got: Vec<String> = agent
            .got()
            .into_iter()
            .filter_map(|(what, text)| (what == "sent").then_some(text))
            .collect();
        got.sort();
        expected.sort();
        assert_eq!(got, expected);
    }
}

#[test]
fn a_fleet_leaves_nothing_behind() {
    let server = Server::start();
    // Panes, options, hidden variables and buffers. When a wait last looked is remembered.
    let all = || -> Vec<String> {
        let mut all = server.everything();
        for more in [&["show-options", "-gw"][..], &["list-buffers"]] {
            all.push_str(&server.tmux(more));
        }
        let lines = all
            .lines()
            .filter(|line| !line.starts_with("SESH_settled="));
        lines.map(Into::into).collect()
    };
    let many = count(200);
    // What is not held any more has left the set.
    server.option("@sesh-keep", "1000");
    let before = (all(), server.processes());
    let names: Vec<String> = (0..many).map(|at| format!("one-{at}")).collect();
    for name in &names {
        server
            .sesh(
                "sesh-new",
                [name, "--tag", "fleet", "--session", "--", "sh"],
            )
            .ok();
    }
    let mut words: Vec<&str> = names.iter().map(String::as_str).collect();
    words.push("echo done; exit 3");
    server.sesh("sesh-send", &words).ok();
    let wait = [
        "--tag",
        "fleet",
        "--for",
        "exit",
        "--all",
        "--timeout",
        "60s",
    ];
    let ends = server.sesh("sesh-wait", wait).ok();
    assert_eq!(ends.lines().len(), many);
    let gather = ["--tag", "fleet", "--forget", "--json", "--propagate"];
    let gathered = server.sesh("sesh-gather", gather).said();
    assert_eq!(gathered.code(), Some(1), "{gathered}");
    for one in gathered.json().as_array().expect("an array") {
        assert_eq!(one["exit"]["code"], 3, "{one}");
        let lines = one["lines"].to_string();
        assert!(lines.contains("done"), "{lines}");
    }
    until("everything is as it was", || {
        (all(), server.processes()) == before
    });
    assert_eq!(server.launch_files(), Vec::<PathBuf>::new());
}
