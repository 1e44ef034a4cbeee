//! Headless turns of the real agents.

use std::fs::File;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use tmux_sesh::id::SeshId;

use super::agents::{CLAUDE, CODEX, COPILOT, GEMINI, OPENCODE, PI, QWEN, Real};
use super::lab::Lab;
use crate::support::{Call, NONE, until};

/// The lab of an agent that the helpers can start without a terminal.
fn lab(agent: &'static Real) -> Option<Lab> {
    let lab = super::lab(agent, (100, 30))?;
    lab.on_path_alone();
    Some(lab)
}

fn sesh(lab: &Lab, helper: &str, args: &[&str]) -> Call {
    lab.server
        .sesh(helper, args)
        .env("HOME", lab.server.path("agent"))
        .env("XDG_STATE_HOME", lab.server.path("home/.local/state"))
        .folder(&lab.server.path("project"))
}

fn sesh_hooks(lab: &Lab, args: &[&str]) -> Call {
    let call = lab.server.helper("sesh-hooks").args(args);
    call.env("HOME", lab.server.path("agent"))
}

fn delegate(lab: &Lab, task: &str) -> Call {
    sesh(lab, "sesh-delegate", &["--agent", lab.agent.name, task])
}

/// A headless sesh, after its first turn.
#[track_caller]
fn runner(lab: &Lab, first: &str) -> String {
    let new = [
        "runner",
        "--headless",
        "--agent",
        lab.agent.name,
        "--send",
        first,
        "--reply",
    ];
    let said = sesh(lab, "sesh-new", &new).ok();
    said.lines()[0].to_string()
}

/// `added` is how many characters the agent puts before the prompt.
#[track_caller]
fn answers(agent: &'static Real, added: usize) {
    let Some(lab) = lab(agent) else { return };
    let got = |text: &str| format!("got {}", text.chars().count() + added);
    assert_eq!(delegate(&lab, "hello").ok().line(), got("hello"));
    let long = "a line of a long text\n".repeat(9100);
    assert!(long.len() > 200_000);
    let texts = [
        "-p x",
        "@x y",
        "/tmp/x is a path",
        "!ls",
        "größe 👩‍🚀 $(x) `y` \"q\"",
        long.trim_end(),
    ];
    for text in texts {
        let said = delegate(&lab, "-").stdin(text).ok();
        assert_eq!(said.line(), got(text), "{text:.20}");
    }
    let failed = delegate(&lab, "error 400").said();
    assert_eq!(failed.code(), Some(1), "{failed}");
    let slow = delegate(&lab, "slow 30").args(["--timeout", "3s"]).said();
    assert_eq!(slow.code(), Some(6), "{slow}");
    let left = sesh(&lab, "sesh-list", &["--all", "--json"]).ok();
    assert_eq!(left.records().iter().filter(|it| !it.live()).count(), 0);
    let sessions = lab.server.panes("#{session_name}");
    assert!(!sessions.contains(&"sesh-headless".into()), "{sessions:?}");
}

#[track_caller]
fn remembers(agent: &'static Real) {
    let Some(lab) = lab(agent) else { return };
    let uuid = runner(&lab, "remember secret-blue");
    let recall = |lab: &Lab| sesh(lab, "sesh-send", &["runner", "recall", "--reply"]);
    assert_eq!(recall(&lab).ok().line(), "it was secret-blue");
    // Also after a turn that was ended, and from another folder.
    let slow = ["runner", "slow 30", "--reply", "--wait=3s"];
    let slow = sesh(&lab, "sesh-send", &slow).said();
    assert_eq!(slow.code(), Some(6), "{slow}");
    let elsewhere = recall(&lab).folder(&lab.server.path("home"));
    assert_eq!(elsewhere.ok().line(), "it was secret-blue");
    // Live in a pane: there are no two writers.
    sesh(&lab, "sesh-restore", &["runner"]).ok();
    let record = lab.server.record(&uuid);
    assert!(record.live(), "{:#}", record.0);
    until("it is ready", || {
        sesh(&lab, "sesh-reap", &NONE).ok();
        lab.server.record(&uuid).state() == "idle"
    });
    let sent = sesh(&lab, "sesh-send", &["runner", "recall", "--wait=60s"]).said();
    assert_eq!(sent.code(), Some(0), "{sent}");
    until("it remembers", || {
        let screen = lab.server.screen(record.pane());
        screen.contains("it was secret-blue")
    });
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_answers() {
    answers(&CLAUDE, 0);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_answers() {
    answers(&CODEX, 0);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn pi_answers() {
    answers(&PI, 0);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn gemini_answers() {
    answers(&GEMINI, 0);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn opencode_answers() {
    answers(&OPENCODE, 0);
}

/// A line with the time is before the prompt.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn copilot_answers() {
    answers(&COPILOT, 68);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn qwen_answers() {
    answers(&QWEN, 0);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_remembers() {
    remembers(&CLAUDE);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_remembers() {
    remembers(&CODEX);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn pi_remembers() {
    remembers(&PI);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn gemini_remembers() {
    remembers(&GEMINI);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn opencode_remembers() {
    remembers(&OPENCODE);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn copilot_remembers() {
    remembers(&COPILOT);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn qwen_remembers() {
    remembers(&QWEN);
}

/// What `sesh-log` prints of a conversation that the agent itself has written.
#[track_caller]
fn is_logged(agent: &'static Real, has_shell: bool) {
    let Some(lab) = lab(agent) else { return };
    runner(&lab, "the first question");
    let send = |text: &str| sesh(&lab, "sesh-send", &["runner", text, "--reply"]);
    assert_eq!(send("größe 👩‍🚀").ok().line().trim(), "got 9");
    has_written(&lab, ["got 18", "got 9"], has_shell.then_some(&send));
}

/// The same of an agent that is started without us, with these words for the first turn and for each further one.
#[track_caller]
fn is_logged_by_hand(
    agent: &'static Real,
    [first, next]: [&str; 2],
    answers: [&str; 2],
    has_shell: bool,
) {
    let Some(lab) = lab(agent) else { return };
    let id = SeshId::random().to_string();
    let turn = |words: &str, text: &str| {
        let call = lab.server.call(&lab.server.path("bin").join(agent.name));
        let call = call.folder(&lab.server.path("project"));
        call.args([words, &id]).stdin(text)
    };
    for (words, text) in [(first, "the first question"), (next, "größe 👩‍🚀")] {
        let said = turn(words, text).said();
        assert_eq!(said.code(), Some(0), "{said}");
    }
    let adopt = [
        "--agent", agent.name, "--conv", &id, "--cwd", ".", "--name", "runner",
    ];
    sesh(&lab, "sesh-adopt", &adopt).ok();
    let send = |text: &str| turn(next, text);
    has_written(&lab, answers, has_shell.then_some(&send));
}

/// The turns of `runner` are in its transcript, and those that are sent now are added.
#[track_caller]
fn has_written(lab: &Lab, answers: [&str; 2], send: Option<&dyn Fn(&str) -> Call>) {
    let log = |args: &[&str]| {
        let said = sesh(lab, "sesh-log", &["runner"]).args(args).ok();
        let lines = said.text().lines().map(Into::into);
        lines.collect::<Vec<String>>()
    };
    let [first, second] = answers.map(|answer| format!("  {answer}"));
    let turns = ["> the first question", &first, "> größe 👩‍🚀", &second];
    assert_eq!(log(&[]), turns);
    assert_eq!(log(&["-n", "1"]), turns[2..]);
    assert_eq!(log(&["--whole"]), turns);
    let cursor = log(&["--json"]).pop().expect("a cursor");
    let cursor: serde_json::Value = serde_json::from_str(&cursor).expect("an object");
    let cursor = cursor["cursor"].as_str().expect("a cursor");
    assert_eq!(log(&["--since", cursor]), Vec::<String>::new());
    if let Some(send) = send {
        // Some of them refuse the tool.
        let tool = send("tool echo from-a-tool").said();
        assert_eq!(tool.code(), Some(0), "{tool}");
        let new = log(&["--since", cursor]);
        let begins = [
            "> tool echo from-a-tool",
            "  I will use a tool.",
            "* ",
            "= ",
        ];
        let kinds = new.iter().zip(begins);
        assert!(
            kinds
                .into_iter()
                .all(|(line, begin)| line.starts_with(begin)),
            "{new:#?}"
        );
        assert!(new[2].contains("echo from-a-tool"), "{new:#?}");
        assert_eq!(
            new.last().map(String::as_str),
            Some("  tool done"),
            "{new:#?}"
        );
        assert_eq!(log(&["-n", "1"]), new);
    }
    let columns = ["--json", "--columns", "model,context,title", "runner"];
    let record = sesh(lab, "sesh-list", &columns).ok().only();
    assert!(!record.text("title").is_empty(), "{:#}", record.0);
    assert!(!record.text("model").is_empty(), "{:#}", record.0);
    assert!(!record.text("transcript").is_empty(), "{:#}", record.0);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_is_logged() {
    is_logged(&CLAUDE, true);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_is_logged() {
    is_logged(&CODEX, true);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn pi_is_logged() {
    is_logged(&PI, true);
}

/// Without a terminal it has no shell.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn gemini_is_logged() {
    is_logged_by_hand(
        &GEMINI,
        ["--session-id", "--resume"],
        ["got 18", "got 9"],
        false,
    );
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn copilot_is_logged() {
    // It adds 68 characters to a prompt from its standard input.
    is_logged_by_hand(
        &COPILOT,
        ["--session-id", "--resume"],
        ["got 86", "got 77"],
        true,
    );
}

/// It draws nothing, and a look at its screen would find it idle.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_is_busy_during_a_turn() {
    let Some(lab) = lab(&CODEX) else { return };
    let new = [
        "runner",
        "--headless",
        "--agent",
        "codex",
        "--send",
        "slow 6",
    ];
    let uuid = sesh(&lab, "sesh-new", &new).ok().line().to_string();
    until("it has exited", || {
        sesh(&lab, "sesh-reap", &NONE).ok();
        let record = lab.server.record(&uuid);
        let state = record.state();
        assert!(["busy", "exited"].contains(&state), "{:#}", record.0);
        state == "exited"
    });
    assert_eq!(lab.server.record(&uuid).code(), Some(0));
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_asks_after_a_look_without_a_turn() {
    let Some(lab) = lab(&CODEX) else { return };
    let uuid = runner(&lab, "hello");
    for _ in 0..2 {
        sesh(&lab, "sesh-restore", &["runner"]).ok();
        let pane = lab.server.record(&uuid).pane().to_string();
        until("it is ready", || {
            lab.server.screen(&pane).contains(CODEX.ready)
        });
        sesh(&lab, "sesh-end", &["runner"]).ok();
    }
    sesh(&lab, "sesh-restore", &["runner"]).ok();
    let pane = lab.server.record(&uuid).pane().to_string();
    let (prompt, asks) = CODEX.permission.expect("it asks");
    sesh(&lab, "sesh-send", &["runner", prompt]).ok();
    until("it asks whether it may", || {
        lab.server.screen(&pane).contains(asks)
    });
    sesh(&lab, "sesh-reap", &NONE).ok();
}

/// Its daemon has the conversation open after the TUI has left.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_answers_by_its_daemon() {
    let Some(lab) = lab(&CODEX) else { return };
    let _daemon = Daemon::start(&lab);
    let uuid = runner(&lab, "remember secret-blue");
    let conversation = lab.server.record(&uuid).text("conversation").to_string();
    // By hand: with the words that sesh-restore adds, Codex does not use its daemon.
    let codex = lab.server.path("bin/codex");
    let line = format!("{} resume {conversation}", codex.display());
    lab.server.say(&lab.pane, &line);
    let lock = format!("agent/.codex/thread-writer-locks/{conversation}.lock");
    let is_held = || {
        let lock = File::open(lab.server.path(&lock));
        lock.is_ok_and(|lock| lock.try_lock_shared().is_err())
    };
    until("the conversation is open", || {
        is_held() && lab.screen().contains("got 20")
    });
    lab.put(CODEX.leave);
    lab.keys(&["Enter"]);
    until("it has left", || lab.in_shell());
    sesh(&lab, "sesh-reap", &NONE).ok();
    assert!(is_held(), "its daemon has left, too");
    let send = |text: &str| {
        sesh(
            &lab,
            "sesh-send",
            &["--headless", "runner", text, "--reply"],
        )
    };
    assert_eq!(send("recall").ok().line(), "it was secret-blue");
    assert_eq!(send("@x y").ok().line(), "got 4");
    let failed = send("error 400").said();
    assert_eq!(failed.code(), Some(1), "{failed}");
    let slow = send("slow 30").args(["--wait=3s"]).said();
    assert_eq!(slow.code(), Some(6), "{slow}");
}

/// The daemon that Codex starts by default. Ends with the value, and what updates it.
struct Daemon<'a>(&'a Lab);

impl<'a> Daemon<'a> {
    /// The first TUI would start it, and not wait for it.
    #[track_caller]
    fn start(lab: &'a Lab) -> Self {
        let daemon = Self(lab);
        let start = ["app-server", "daemon", "start"];
        let codex = lab.server.path("bin/codex");
        let said = lab.server.call(&codex).args(start).said();
        assert_eq!(said.code(), Some(0), "{said}");
        daemon
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let server = &self.0.server;
        let stop = ["app-server", "daemon", "stop"];
        server.call(&server.path("bin/codex")).args(stop).said();
        let updater = server.path("agent/.codex/app-server-daemon/daemon-updater.pid");
        let updater = std::fs::read_to_string(updater).unwrap_or_default();
        let pid: String = updater
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        if let Ok(pid) = pid.parse() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

/// Two Escapes at once are another key.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn opencode_takes_a_message_at_once() {
    let Some(lab) = lab(&OPENCODE) else { return };
    let made = sesh(&lab, "sesh-new", &["one", "--agent", "opencode"]).ok();
    let uuid = made.line().to_string();
    let pane = lab.server.record(&uuid).pane().to_string();
    until("it is ready", || {
        lab.server.screen(&pane).contains(OPENCODE.ready)
    });
    sesh(&lab, "sesh-send", &["one", "slow 40"]).ok();
    until("it works", || lab.server.screen(&pane).contains("word1 "));
    let now = sesh(
        &lab,
        "sesh-send",
        &["--now", "one", "hello", "--reply", "--wait=30s"],
    );
    let now = now.said();
    assert_eq!(now.code(), Some(0), "{now}");
    assert!(now.text().contains("got 5"), "{now}");
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_compacts_without_a_pane() {
    let Some(lab) = lab(&CLAUDE) else { return };
    runner(&lab, "remember secret-blue");
    let compact = ["runner", "--compact", "--wait=1m"];
    sesh(&lab, "sesh-send", &compact).ok();
    let log = sesh(&lab, "sesh-log", &["runner", "--whole"]).ok();
    assert!(log.text().contains("compact"), "{}", log.text());
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_asks_for_its_tools() {
    allows(&CLAUDE, &[], "Bash", &["Bash(touch:*)", "WebFetch"]);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn copilot_asks_for_its_tools() {
    allows(&COPILOT, &[], "bash", &["shell(touch:*)", "write"]);
}

/// Without an allowed tool it does not offer any to the model.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn gemini_asks_for_its_tools() {
    let (some, all) = ("run_shell_command(ls)", "run_shell_command");
    allows(&GEMINI, &[some], "run_shell_command", &[all, "glob"]);
}

/// A command that writes a file is an edit, too.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn qwen_asks_for_its_tools() {
    let all = ["run_shell_command", "edit", "write_file"];
    allows(&QWEN, &all[..1], all[0], &all);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn opencode_names_refused_tools() {
    let Some(lab) = lab(&OPENCODE) else { return };
    refuses(&lab, &[], "bash");
}

/// With the tools of `too_few` it refuses a tool, and with those of `enough` it uses it.
#[track_caller]
fn allows(agent: &'static Real, too_few: &[&str], refused: &str, enough: &[&str]) {
    let Some(lab) = lab(agent) else { return };
    refuses(&lab, too_few, refused);
    let json = delegate(&lab, "tool touch made").args(["--json"]);
    let json = json.args(allowed(enough)).said().json();
    assert_eq!(json["reply"], "tool done", "{json:#}");
    assert_eq!(json["refused"], serde_json::json!([]));
    assert!(lab.server.path("project/made").exists());
}

#[track_caller]
fn refuses(lab: &Lab, allow: &[&str], refused: &str) {
    let json = delegate(lab, "tool touch made").args(["--json"]);
    let json = json.args(allowed(allow)).said().json();
    assert_eq!(json["outcome"], "answered", "{json:#}");
    assert_eq!(json["refused"], serde_json::json!([refused]));
    assert!(!lab.server.path("project/made").exists());
}

fn allowed<'a>(tools: &[&'a str]) -> Vec<&'a str> {
    tools.iter().flat_map(|tool| ["--allow", tool]).collect()
}

/// It knows of the helpers by the skill alone, has another agent do a task, and answers with what that says.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_delegates_to_codex_as_the_skill_says() {
    let Some(lab) = lab(&CLAUDE) else { return };
    if !CODEX.is_installed() {
        return;
    }
    lab.beside(&CODEX);
    let allowed = ["--", "--allowedTools", "Bash(sesh-delegate:*)", "Skill"];
    let task = "delegate What is 2+2?";
    let before = delegate(&lab, task).args(allowed).said();
    assert_eq!(before.line(), "no skill says how to delegate", "{before}");
    let install = sesh_hooks(&lab, &["install", "claude", "--skill"]);
    install.ok();
    let said = delegate(&lab, task).args(allowed).ok();
    assert_eq!(said.line(), "codex said: got 12");
    assert_eq!(
        lab.prompts().last().map(String::as_str),
        Some("What is 2+2?")
    );
    let left = sesh(&lab, "sesh-list", &["--all", "--json"]).ok();
    assert_eq!(left.records().iter().filter(|it| !it.live()).count(), 0);
}

/// `codex exec` leaves the approval policy `never` in the thread.
#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_asks_again_after_a_headless_turn() {
    let Some(lab) = lab(&CODEX) else { return };
    let uuid = runner(&lab, "hello");
    sesh(&lab, "sesh-restore", &["runner"]).ok();
    let pane = lab.server.record(&uuid).pane().to_string();
    let (prompt, asks) = CODEX.permission.expect("it asks");
    sesh(&lab, "sesh-send", &["runner", prompt]).ok();
    until("it asks whether it may", || {
        lab.server.screen(&pane).contains(asks)
    });
    sesh(&lab, "sesh-reap", &NONE).ok();
}
