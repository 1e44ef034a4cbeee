//! `sesh-report`: what agents' hooks say reaches the pane that they live in, and no other.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use pretty_assertions::assert_eq;
use serde_json::{Map, Value};
use tmux_sesh::agent::kinds::Kind;
use tmux_sesh::agent::report::{HookEvent, ReadPayload};

use crate::support::{MAIN, NONE, Record, Screen, Server, count, until};

/// The payloads that were recorded of an agent: name and payload.
fn recorded(agent: &str) -> Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/hooks")
        .join(format!("{agent}.json"));
    let text = std::fs::read(path).expect("recorded payloads");
    serde_json::from_slice(&text).expect("an object of payloads")
}

/// What a payload comes to, in a few words: state, reason and marks; `-` where nothing of the pane's changes.
fn words(outcome: ReadPayload) -> String {
    let told = match outcome {
        ReadPayload::Event(told) => told,
        ReadPayload::Irrelevant => return "-".into(),
        ReadPayload::Unreadable(why) => panic!("unreadable: {why}"),
    };
    let HookEvent {
        state,
        proves_conversation: proves,
        is_repeat: vague,
        prompt,
        conversation_ended: over,
        conversation,
        ..
    } = told;
    assert!(
        conversation.is_some(),
        "each of them names its conversation"
    );
    let mut words = Vec::new();
    if let Some((state, why)) = state {
        words.push(state.as_str());
        words.extend(why.map(tmux_sesh::state::Why::as_str));
    }
    let marks = [
        (proves, "proves"),
        (vague, "vague"),
        (prompt.is_some(), "prompt"),
        (over, "over"),
    ];
    words.extend(marks.iter().filter(|(set, _)| *set).map(|(_, word)| *word));
    words.join(" ")
}

/// What each payload that was recorded comes to; those that are not named are of no concern.
const RECORDED: [(&str, &[(&str, &str)]); 5] = [
    (
        "claude-2.1.329",
        &[
            ("SessionStart.1", "idle proves"),
            ("SessionStart.2", "idle proves"),
            ("SessionStart.3", "idle proves"),
            ("SessionStart.4", "idle proves"),
            ("SessionStart.5", "idle proves"),
            // Of a background session, which runs under an agent's name.
            ("SessionStart.6", "idle proves"),
            ("UserPromptSubmit.1", "busy proves prompt"),
            ("PreToolUse.1", "busy"),
            ("PreToolUse.2", "busy"),
            ("PreToolUse.3", "busy"),
            ("PreToolUse.4", "busy"),
            ("PermissionRequest.1", "waiting permission"),
            ("PermissionRequest.2", "waiting permission"),
            ("PermissionRequest.3", "waiting question"),
            ("PostToolUse.1", "busy"),
            ("PostToolUse.2", "busy"),
            ("PostToolUse.3", "busy"),
            ("Notification.1", "waiting permission vague"),
            ("Notification.2", "idle"),
            ("Stop.1", "idle"),
            ("StopFailure.1", "idle"),
            ("SessionEnd.1", "over"),
            ("SessionEnd.2", "over"),
            ("SessionEnd.3", "over"),
            ("SessionEnd.4", "over"),
            ("SessionEnd.5", "over"),
            ("SessionEnd.6", "over"),
        ],
    ),
    (
        "codex-0.169.0",
        &[
            ("SessionStart.1", "proves"),
            ("SessionStart.2", "proves"),
            ("UserPromptSubmit.1", "busy proves prompt"),
            ("PreToolUse.1", "busy"),
            ("PreToolUse.2", "waiting question"),
            ("PermissionRequest.1", "waiting permission"),
            ("PostToolUse.1", "busy"),
            ("PostToolUse.2", "busy"),
            ("Stop.1", "idle"),
            ("Interrupt.1", "idle"),
            ("SessionEnd.1", "over"),
        ],
    ),
    (
        "gemini-0.61.0",
        &[
            ("SessionStart.1", "idle proves"),
            ("BeforeAgent.1", "busy proves prompt"),
            ("BeforeTool.1", "busy"),
            ("BeforeTool.2", "busy"),
            ("Notification.1", "waiting permission"),
            ("AfterTool.1", "busy"),
            ("AfterTool.2", "busy"),
            ("AfterAgent.1", "idle"),
            ("SessionEnd.1", "over"),
        ],
    ),
    (
        "opencode-1.18.33",
        &[
            ("event-session.created.1", "idle proves"),
            ("chat.message.1", "busy proves"),
            ("event-session.status.1", "busy"),
            ("event-permission.asked.1", "waiting permission"),
            ("event-permission.replied.1", "busy"),
            ("event-question.asked.1", "waiting question"),
            ("event-question.replied.1", "busy"),
            ("event-session.idle.1", "idle"),
        ],
    ),
    (
        "pi-0.73.1",
        &[
            ("session_start.1", "idle proves"),
            ("input.1", "prompt"),
            ("agent_start.1", "busy proves"),
            ("agent_end.1", "idle"),
            ("session_shutdown.1", "over"),
        ],
    ),
];

#[test]
fn every_payload_that_was_recorded() {
    for (agent, expected) in RECORDED {
        let kind = agent.split('-').next().and_then(Kind::named);
        let read = kind.and_then(|kind| kind.code.payload);
        let read = read.expect("a kind whose payloads are read");
        let payloads = recorded(agent);
        for (name, _) in expected {
            assert!(
                payloads.contains_key(*name),
                "{agent} {name} was not recorded"
            );
        }
        for (name, payload) in &payloads {
            let outcome = read(payload.to_string().as_bytes());
            let wanted = expected.iter().find(|(it, _)| it == name);
            let wanted = wanted.map_or("-", |(_, words)| words);
            assert_eq!(words(outcome), wanted, "{agent} {name}");
        }
    }
}

const CONVERSATION: &str = "ffd20b7a-65d3-4f36-ac54-6eaf75cc5807";

/// An agent that is not, in a sesh of its own.
struct Agent<'a> {
    server: &'a Server,
    sesh: Record,
    hooks: AtomicUsize,
}

impl<'a> Agent<'a> {
    #[track_caller]
    fn start(server: &'a Server, kind: &str) -> Self {
        server.agent(kind);
        let sesh = server.new_sesh(["--agent", kind, "one"]);
        server.runs(sesh.pane(), kind);
        Self {
            server,
            sesh,
            hooks: AtomicUsize::new(0),
        }
    }

    fn pane(&self) -> &str {
        self.sesh.pane()
    }

    /// Runs a line as its hook, to the end. Gives what it printed and its exit code.
    #[track_caller]
    fn runs(&self, line: &str) -> String {
        self.runs_in(self.pane(), line)
    }

    /// The same for an agent in another pane.
    #[track_caller]
    fn runs_in(&self, pane: &str, line: &str) -> String {
        let number = self.hooks.fetch_add(1, Ordering::Relaxed);
        let script = self.server.path(&format!("hook-{number}"));
        let said = self.server.path(&format!("said-{number}"));
        let (whole, part) = (said.display(), said.with_extension("part"));
        let part = part.display();
        let text =
            format!("{{ {line}\n}} >{part} 2>&1\necho \"exit $?\" >>{part}\nmv {part} {whole}\n");
        std::fs::write(&script, text).expect("a script");
        let typed = format!("hook . {}", script.display());
        self.server.tmux(["send-keys", "-t", pane, "-l", &typed]);
        self.server.tmux(["send-keys", "-t", pane, "Enter"]);
        until("the hook has ended", || said.exists());
        std::fs::read_to_string(&said).expect("what it said")
    }

    /// Its hook reports a payload, as the agent itself would have it run.
    #[track_caller]
    fn reports(&self, kind: &str, payload: &Value) {
        let file = self.payload(payload);
        let line = format!("sesh-report --from {kind} <{}", file.display());
        assert_eq!(self.runs(&line), "exit 0\n");
    }

    fn payload(&self, payload: &Value) -> PathBuf {
        let number = self.hooks.fetch_add(1, Ordering::Relaxed);
        let file = self.server.path(&format!("payload-{number}"));
        std::fs::write(&file, payload.to_string()).expect("a payload");
        file
    }

    /// State, reason, authority and conversation, as they are stored.
    fn stored(&self) -> String {
        let format = "#{@sesh_state} #{@sesh_why} #{@sesh_by} #{@sesh_conv}";
        self.server.format(self.pane(), format)
    }

    fn generation(&self) -> u64 {
        let generation = self.server.format(self.pane(), "#{@sesh_gen}");
        generation.parse().expect("a number")
    }

    /// What the hooks said last: state, reason, event, conversation.
    fn heard(&self, pane: &str) -> String {
        heard(self.server, pane)
    }

    fn failures(&self) -> String {
        failures(self.server)
    }
}

fn heard(server: &Server, pane: &str) -> String {
    let variable = format!("#{{SESH_hook_{}}}", pane.trim_start_matches('%'));
    let value = server.format(pane, &variable);
    let fields: Vec<&str> = value.split(',').collect();
    fields.get(2..).unwrap_or_default().join(" ")
}

fn failures(server: &Server) -> String {
    let file = server.path("home/.local/state/tmux-sesh/failures.log");
    std::fs::read_to_string(file).unwrap_or_default()
}

/// A payload of Claude's.
fn claude(event: &str, more: &Value) -> Value {
    let mut payload = serde_json::json!({ "session_id": CONVERSATION, "hook_event_name": event });
    let fields = more.as_object().expect("fields").clone();
    payload.as_object_mut().expect("an object").extend(fields);
    payload
}

fn plain(event: &str) -> Value {
    claude(event, &serde_json::json!({}))
}

#[test]
fn what_hooks_say_outlives_the_server() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    for event in [
        "SessionStart",
        "UserPromptSubmit",
        "Stop",
        "UserPromptSubmit",
    ] {
        agent.reports("claude", &plain(event));
    }
    let pid = i32::try_from(server.pid()).expect("a pid");
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it is there");
    until("the server is gone", || !server.alive());
    let records = server
        .sesh("sesh-list", ["--all", "--json", agent.sesh.uuid()])
        .ok()
        .records();
    let [left] = &records[..] else {
        panic!("one sesh: {records:?}");
    };
    assert_eq!(
        (left.text("was"), left.text("conversation")),
        ("busy", CONVERSATION)
    );
    // Each hook names the conversation, and only the first is news.
    let folder = server.path("home/.local/state/tmux-sesh/journal");
    let journal = std::fs::read_dir(folder)
        .expect("the journal's folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .expect("a journal");
    let text = std::fs::read_to_string(journal).expect("the journal");
    let count = |event: &str| text.matches(&format!("\"event\":\"{event}\"")).count();
    assert_eq!((count("conversation"), count("state")), (1, 4), "{text}");
}

#[test]
fn a_hook_is_one_client() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    agent.reports("claude", &plain("SessionStart"));
    server.count_tmux();
    for event in ["UserPromptSubmit", "PreToolUse", "Stop", "Stop"] {
        let payload = agent.payload(&plain(event));
        let line = format!(
            "SESH_CLIENT=tmux sesh-report --from claude <{}",
            payload.display()
        );
        assert_eq!(agent.runs(&line), "exit 0\n");
        assert_eq!(server.tmux_calls(), 1, "{event}");
    }
    assert_eq!(agent.stored(), format!("idle  hook {CONVERSATION}"));
}

#[test]
fn a_turn_from_prompt_to_end() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    let born = agent.generation();
    let question = serde_json::json!({ "tool_name": "AskUserQuestion" });
    let bash = serde_json::json!({ "tool_name": "Bash" });
    let note = serde_json::json!({ "notification_type": "permission_prompt" });
    let story = [
        (plain("SessionStart"), "idle ", 1),
        (plain("UserPromptSubmit"), "busy ", 2),
        (claude("PreToolUse", &bash), "busy ", 2),
        (claude("PermissionRequest", &bash), "waiting permission", 3),
        (claude("Notification", &note), "waiting permission", 3),
        (claude("PostToolUse", &bash), "busy ", 4),
        (
            claude("PermissionRequest", &question),
            "waiting question",
            5,
        ),
        // It comes for questions too, and does not say so.
        (claude("Notification", &note), "waiting question", 5),
        (plain("Stop"), "idle ", 6),
    ];
    for (payload, expected, changes) in story {
        agent.reports("claude", &payload);
        assert_eq!(
            agent.stored(),
            format!("{expected} hook {CONVERSATION}"),
            "{payload}"
        );
        assert_eq!(agent.generation() - born, changes, "{payload}");
        let (state, why) = expected.split_once(' ').expect("two words");
        let why = if why.is_empty() { "-" } else { why };
        assert!(
            agent
                .heard(agent.pane())
                .starts_with(&format!("{state} {why} "))
        );
        // What is in the book is what is on the pane.
        let record = server.record(agent.sesh.uuid());
        let book = server.tmux([
            "show-options",
            "-sv",
            &format!("@seshbook_{}", record.uuid()),
        ]);
        assert!(book.contains(&format!(",state={state},")), "{book}");
        assert!(book.contains(&format!(",conv={CONVERSATION},")), "{book}");
    }
    agent.reports("claude", &plain("SessionEnd"));
    assert_eq!(agent.heard(agent.pane()), "- - SessionEnd -");
    // Where it was is what a resume needs.
    assert_eq!(agent.stored(), format!("idle  hook {CONVERSATION}"));
    assert_eq!(agent.failures(), "");
}

#[test]
fn the_process_and_the_conversation_are_proven_anew() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    agent.reports("claude", &plain("SessionStart"));
    let pid = server.sesh("pane-resolve", ["--pane", agent.pane()]).said();
    let pid: i32 = pid
        .line()
        .split('\t')
        .nth(2)
        .expect("a pid")
        .parse()
        .expect("a number");
    let process = tmux_sesh::proc::read(pid).expect("the agent");
    let variable = format!("#{{SESH_hook_{}}}", agent.pane().trim_start_matches('%'));
    let value = server.format(agent.pane(), &variable);
    assert!(
        value.starts_with(&format!("{pid}:{},", process.start)),
        "{value}"
    );
    // Another conversation in the same process, as after /clear.
    let other = "3a622d7b-4e3c-46c3-8128-83b8d9d72dd4";
    let mut payload = plain("UserPromptSubmit");
    payload["session_id"] = other.into();
    agent.reports("claude", &payload);
    assert_eq!(agent.stored(), format!("busy  hook {other}"));
    // What does not prove it is of another thread.
    agent.reports("claude", &plain("Stop"));
    assert_eq!(agent.stored(), format!("busy  hook {other}"));
    assert_eq!(
        agent.heard(agent.pane()),
        format!("busy - UserPromptSubmit {other}")
    );
}

#[test]
fn what_is_no_news_draws_nothing() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    agent.reports("claude", &plain("UserPromptSubmit"));
    let born = agent.generation();
    let look = Screen::attach(&server, MAIN, (80, 20));
    let beat = look.cost(&server, &|| agent.reports("claude", &plain("PreToolUse")));
    assert_eq!((beat, agent.generation()), (0, born));
    // It was heard all the same.
    assert_eq!(
        agent.heard(agent.pane()),
        format!("busy - PreToolUse {CONVERSATION}")
    );
    let change = look.cost(&server, &|| {
        agent.reports("claude", &plain("Stop"));
        agent.reports("claude", &plain("PreToolUse"));
    });
    assert!(change > 0);
}

#[test]
fn no_process_of_tmux() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    let other = server.user_pane();
    server.count_tmux();
    let payload = agent.payload(&plain("UserPromptSubmit"));
    let cases = [
        ("", 0),
        ("SESH_CLIENT=tmux", 1),
        ("-u TMUX_PANE", 0),
        ("-u TMUX_PANE SESH_CLIENT=tmux", 2),
        (&format!("TMUX_PANE={other}"), 0),
        ("TMUX_PANE=%999", 0),
    ];
    for (environment, calls) in cases {
        agent.runs("sesh-report --state idle");
        server.tmux_calls();
        let line = format!(
            "env {environment} sesh-report --from claude <{}",
            payload.display()
        );
        assert_eq!(agent.runs(&line), "exit 0\n");
        assert_eq!(server.tmux_calls(), calls, "{environment}");
        assert_eq!(
            agent.stored(),
            format!("busy  hook {CONVERSATION}"),
            "{environment}"
        );
        assert_eq!(heard(&server, &other), "", "{environment}");
    }
    // Of no concern is not even looked at.
    let part = claude("Stop", &serde_json::json!({ "agent_id": "a8" }));
    agent.reports("claude", &part);
    assert_eq!(server.tmux_calls(), 0);
}

#[test]
fn only_the_agent_in_the_pane_is_believed() {
    let server = Server::start();
    let agent = Agent::start(&server, "codex");
    server.agent("claude");
    let payload = agent.payload(&plain("UserPromptSubmit"));
    let report = |kind: &str| format!("sesh-report --from {kind} <{}", payload.display());
    let before = agent.stored();
    let nobody_is = |what: &str| {
        assert_eq!(agent.stored(), before, "{what}");
        assert_eq!(agent.heard(agent.pane()), "", "{what}");
    };
    // As its daemon: its child, without a terminal. As its tool: another agent. As another kind.
    let script = server.path("daemons");
    std::fs::write(&script, format!("hook {}\n", report("codex"))).expect("a script");
    let script = script.display();
    agent.runs(&format!(
        "setsid codex app-server --listen unix:// <{script}"
    ));
    nobody_is("a daemon");
    agent.runs(&format!("setsid codex exec x <{script}"));
    nobody_is("one without a terminal");
    agent.runs(&report("claude"));
    nobody_is("another kind");
    // From another pane, with what this one has in its environment.
    let typed = server.types("claude");
    server.runs(&typed, "claude");
    let line = format!("TMUX_PANE={} {}", agent.pane(), report("claude"));
    agent.runs_in(&typed, &line);
    nobody_is("another pane");
    assert_eq!(
        heard(&server, &typed),
        format!("busy - UserPromptSubmit {CONVERSATION}")
    );
    assert_eq!(server.format(&typed, "#{@sesh_id}#{@sesh_state}"), "");
    // Without a terminal it is believed all the same: some agents give their hooks none.
    agent.runs(&format!("setsid {}", report("codex")));
    assert_eq!(agent.stored(), format!("busy  hook {CONVERSATION}"));
    // And now a daemon, by the conversation that was proven.
    let stop = agent.payload(&plain("Stop"));
    let daemon = format!("hook sesh-report --from codex <{}\n", stop.display());
    std::fs::write(server.path("daemons"), daemon).expect("a script");
    let from = format!("env TMUX_PANE={typed} codex app-server --listen unix:// <{script}");
    agent.runs_in(&typed, &format!("setsid {from}"));
    assert_eq!(agent.stored(), format!("idle  hook {CONVERSATION}"));
    assert_eq!(
        heard(&server, &typed),
        format!("busy - UserPromptSubmit {CONVERSATION}")
    );
}

#[test]
fn another_agent_by_hand_is_another_story() {
    let server = Server::start();
    server.agent("codex");
    let pane = server.types("codex");
    server.runs(&pane, "codex");
    let adopt = ["--json", &pane, "--agent", "claude", "--name", "one"];
    let sesh = server.sesh("sesh-adopt", adopt).ok().record();
    let agent = Agent {
        server: &server,
        sesh,
        hooks: AtomicUsize::new(0),
    };
    let before = agent.stored();
    agent.reports("codex", &plain("UserPromptSubmit"));
    assert_eq!(agent.stored(), before);
    assert_eq!(
        agent.heard(agent.pane()),
        format!("busy - UserPromptSubmit {CONVERSATION}")
    );
}

#[test]
fn an_agent_is_not_disturbed_and_failures_are_told_by_the_doctor() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    let silent = |line: &str| assert_eq!(agent.runs(line), "exit 0\n", "{line}");
    let payload = agent.payload(&plain("Stop"));
    let file = payload.display();
    // A server that is not there is no failure.
    silent(&format!(
        "TMUX=/nowhere/s,1,0 sesh-report --from claude <{file}"
    ));
    silent(&format!("sesh-report -S /nowhere/s --from claude <{file}"));
    silent(&format!(
        "env -u TMUX -u TMUX_PANE TMUX_TMPDIR=/nowhere sesh-report --from claude <{file}"
    ));
    assert_eq!(agent.failures(), "");
    let before = server.everything();
    let failing = [
        (
            "sesh-report --from claude <&-",
            "the payload is not the expected JSON",
        ),
        (
            "sesh-report --from claude </dev/null",
            "the payload is not the expected JSON",
        ),
        (
            "echo x | sesh-report --from claude",
            "the payload is not the expected JSON",
        ),
        ("sesh-report --from aider </dev/null", "aider"),
        ("sesh-report --form claude </dev/null", "--form"),
        ("sesh-report --state busy --why trust", "--why"),
        (
            "PATH=/nowhere $(command -v sesh-report) --state busy",
            "no tmux on PATH",
        ),
    ];
    for (at, (line, told)) in failing.iter().enumerate() {
        silent(line);
        let failures = agent.failures();
        assert_eq!(failures.lines().count(), at + 1, "{failures}");
        let last = failures.lines().last().expect("a line");
        assert!(
            last.contains(" sesh-report") && last.contains(told),
            "{line}: {last}"
        );
    }
    assert_eq!(server.everything(), before);
    let findings = server.sesh("sesh-doctor", NONE).said();
    let fault = findings
        .lines()
        .into_iter()
        .find(|line| line.contains("hooks of agents"));
    let fault = fault.expect("a finding");
    assert!(
        fault.contains("failed 7 times") && fault.contains("no tmux on PATH"),
        "{fault}"
    );
}

#[test]
fn a_person_is_told() {
    let server = Server::start();
    let pane = server.types("sesh-report --from claude; sesh-report --state bsy; sesh-report -S /nowhere/s --state busy");
    server.shows(&pane, "sesh-report: no payload on standard input");
    server.shows(&pane, "--help shows the usage");
    server.shows(&pane, "not started in a pane");
    assert_eq!(failures(&server), "");
    let help = server.helper("sesh-report").args(["--help"]).ok();
    assert!(help.text().contains("--from"));
}

#[test]
fn a_large_payload_and_one_that_does_not_end() {
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    let response = "x\n".repeat(2_000_000);
    let large = claude(
        "PostToolUse",
        &serde_json::json!({ "tool_response": response }),
    );
    agent.reports("claude", &large);
    assert_eq!(agent.stored(), "busy  hook ");
    let stop = agent.payload(&plain("Stop"));
    // Somebody keeps the pipe open.
    let line = format!(
        "mkfifo pipe\n{{ cat {}; exec sleep 1000; }} >pipe &\nsesh-report --from claude <pipe\ncode=$?\nkill $!\n(exit $code)",
        stop.display()
    );
    assert_eq!(agent.runs(&line), "exit 0\n");
    assert_eq!(agent.stored(), "idle  hook ");
}

/// 50 reports at once: what is stored at the end is what one of them said, whole.
#[test]
fn of_50_reports_one_is_the_last() {
    const STATES: [(&str, &str); 5] = [
        ("busy", ""),
        ("idle", ""),
        ("waiting", "permission"),
        ("waiting", "question"),
        ("waiting", "trust"),
    ];
    let server = Server::start();
    let agent = Agent::start(&server, "claude");
    let option = |why: &str| match why {
        "" => String::new(),
        why => format!("--why {why}"),
    };
    for round in 0..count(60) {
        let born = agent.generation();
        let mut script = String::new();
        for at in 0..50 {
            let (state, why) = STATES[at % STATES.len()];
            script += &format!(
                "sesh-report --state {state} {} --conversation c{round}.{at} --event e{at} &\n",
                option(why)
            );
        }
        script += "wait";
        assert_eq!(agent.runs(&script), "exit 0\n");
        let heard = agent.heard(agent.pane());
        let words: Vec<&str> = heard.split(' ').collect();
        let at: usize = words[2].trim_start_matches('e').parse().expect("a number");
        let (state, why) = STATES[at % STATES.len()];
        let dash = if why.is_empty() { "-" } else { why };
        assert_eq!(heard, format!("{state} {dash} e{at} c{round}.{at}"));
        assert_eq!(agent.stored(), format!("{state} {why} hook c{round}.{at}"));
        let changes = agent.generation() - born;
        assert!((1..=50).contains(&changes), "{changes}");
        let book = server.tmux([
            "show-options",
            "-sv",
            &format!("@seshbook_{}", agent.sesh.uuid()),
        ]);
        assert!(book.contains(&format!(",conv=c{round}.{at},")), "{book}");
        assert!(
            book.contains(&format!(",state={state},why={why},")),
            "{book}"
        );
    }
    assert_eq!(agent.failures(), "");
}
