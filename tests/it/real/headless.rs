//! Headless turns of the real agents.

use pretty_assertions::assert_eq;

use super::agents::{CLAUDE, CODEX, PI, Real};
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

#[track_caller]
fn answers(agent: &'static Real) {
    let Some(lab) = lab(agent) else { return };
    assert_eq!(delegate(&lab, "hello").ok().line(), "got 5");
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
        assert_eq!(
            said.line(),
            format!("got {}", text.chars().count()),
            "{text:.20}"
        );
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
    // Without hooks the answer of pi is read from its screen, and the call says so.
    let sent = sesh(&lab, "sesh-send", &["runner", "recall", "--reply"]).said();
    assert_eq!(sent.code(), Some(0), "{sent}");
    assert_eq!(sent.line().trim(), "it was secret-blue");
    assert!(lab.server.screen(record.pane()).contains("secret-blue"));
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn claude_answers() {
    answers(&CLAUDE);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn codex_answers() {
    answers(&CODEX);
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn pi_answers() {
    answers(&PI);
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
fn claude_names_refused_tools() {
    let Some(lab) = lab(&CLAUDE) else { return };
    let json = delegate(&lab, "tool touch made")
        .args(["--json"])
        .said()
        .json();
    assert_eq!(json["outcome"], "answered");
    assert_eq!(json["refused"], serde_json::json!(["Bash"]));
    assert!(!lab.server.path("project/made").exists());
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
