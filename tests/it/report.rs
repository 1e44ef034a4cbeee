//! `sesh-report`: what agents' hooks say reaches the pane that they live in, and no other.

use std::path::Path;

use serde_json::{Map, Value};
use tmux_sesh::agent::report::{Outcome, Told, read};

/// The payloads that were recorded of an agent: name and payload.
fn recorded(agent: &str) -> Map<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/hooks")
        .join(format!("{agent}.json"));
    let text = std::fs::read(path).expect("recorded payloads");
    serde_json::from_slice(&text).expect("an object of payloads")
}

/// What a payload comes to, in a few words: state, reason and marks; `-` where nothing of the pane's changes.
fn words(outcome: Outcome) -> String {
    let told = match outcome {
        Outcome::Told(told) => told,
        Outcome::NoConcern => return "-".into(),
        Outcome::Unreadable(why) => panic!("unreadable: {why}"),
    };
    let Told {
        state,
        proves,
        vague,
        prompt,
        over,
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
        (prompt, "prompt"),
        (over, "over"),
    ];
    words.extend(marks.iter().filter(|(set, _)| *set).map(|(_, word)| *word));
    words.join(" ")
}

#[test]
fn every_payload_that_was_recorded() {
    let agents: [(&str, &[(&str, &str)]); 5] = [
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
                ("chat.message.1", "busy proves prompt"),
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
                ("agent_start.1", "busy proves prompt"),
                ("agent_end.1", "idle"),
                ("session_shutdown.1", "over"),
            ],
        ),
    ];
    for (agent, expected) in agents {
        let kind = agent.split('-').next().expect("a kind");
        let payloads = recorded(agent);
        for (name, _) in expected {
            assert!(
                payloads.contains_key(*name),
                "{agent} {name} was not recorded"
            );
        }
        for (name, payload) in &payloads {
            let outcome = read(kind, payload.to_string().as_bytes());
            let wanted = expected.iter().find(|(it, _)| it == name);
            let wanted = wanted.map_or("-", |(_, words)| words);
            assert_eq!(words(outcome), wanted, "{agent} {name}");
        }
    }
}
