//! What payloads of the kinds come to.

use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::Kind;
use crate::agent::report::{BUSY, HookEvent, IDLE, PERMISSION, ReadPayload, is_word};
use crate::state::{State, Why};

/// The names of the kinds that have hooks.
fn hooked() -> Vec<&'static str> {
    Kind::with_hooks().iter().map(|kind| kind.name).collect()
}

fn read(kind: &str, payload: &[u8]) -> ReadPayload {
    let kind = Kind::named(kind).expect("a kind that comes along");
    kind.code.payload.expect("its payloads")(payload)
}

#[test]
fn a_kind_with_hooks_reads_its_payloads() {
    for kind in super::KINDS {
        let Some(hooks) = kind.code.hooks else {
            assert!(kind.code.payload.is_none(), "{}", kind.name);
            continue;
        };
        assert_eq!(hooks.kind, kind.name);
        assert!(kind.code.payload.is_some(), "{}", kind.name);
    }
}

fn told(kind: &str, payload: &str) -> Option<HookEvent> {
    match read(kind, payload.as_bytes()) {
        ReadPayload::Told(told) => Some(told),
        ReadPayload::NoConcern => None,
        ReadPayload::Unreadable(why) => panic!("{payload}: {why}"),
    }
}

fn state(kind: &str, payload: &str) -> Option<(State, Option<Why>)> {
    told(kind, payload)?.state
}

#[test]
fn an_end_with_work_in_the_background_is_none() {
    let stop = |tasks: &str| {
        state(
            "claude",
            &format!(r#"{{"session_id":"a","hook_event_name":"Stop","background_tasks":{tasks}}}"#),
        )
    };
    assert_eq!(stop("[]"), Some(IDLE));
    assert_eq!(stop("null"), Some(IDLE));
    assert_eq!(stop(r#"[{"id":"a8","type":"subagent"}]"#), Some(BUSY));
}

#[test]
fn what_opencode_and_pi_say_of_a_prompt() {
    let chat = r#"{"type":"chat.message","properties":{"sessionID":"ses_1","prompt":"say hello"}}"#;
    let input = r#"{"type":"input","text":"say hello","sessionId":"a"}"#;
    for (kind, payload) in [("opencode", chat), ("pi", input)] {
        let told = told(kind, payload).expect("a concern");
        assert_eq!(told.prompt.as_deref(), Some("say hello"), "{kind}");
    }
}

#[test]
fn what_was_said_last() {
    let answer = |kind: &str, payload: &str| told(kind, payload)?.answer;
    let said = Some("hello world".to_string());
    for (kind, payload) in [
        (
            "claude",
            r#"{"hook_event_name":"Stop","last_assistant_message":"hello world"}"#,
        ),
        (
            "codex",
            r#"{"hook_event_name":"Stop","last_assistant_message":"hello world"}"#,
        ),
        (
            "codex",
            r#"{"type":"agent-turn-complete","last-assistant-message":"hello world"}"#,
        ),
        (
            "gemini",
            r#"{"hook_event_name":"AfterAgent","prompt_response":"hello world"}"#,
        ),
    ] {
        assert_eq!(answer(kind, payload), said, "{payload}");
    }
    let of_another =
        r#"{"hook_event_name":"SubagentStop","agent_id":"a8","last_assistant_message":"x"}"#;
    assert_eq!(answer("claude", of_another), None);
    assert_eq!(answer("claude", r#"{"hook_event_name":"Stop"}"#), None);
}

#[test]
fn whose_prompt_it_is() {
    let prompt = |kind: &str, text: &str| {
        let payload = serde_json::json!({
            "session_id": "a", "hook_event_name": "UserPromptSubmit", "prompt": text,
        });
        told(kind, &payload.to_string())
    };
    let human = prompt("claude", "say hello").expect("a concern");
    assert_eq!(
        (human.prompt.as_deref(), human.proves),
        (Some("say hello"), true)
    );
    let own = prompt("claude", "<task-notification>\n<task-id>a8</task-id>");
    let own = own.expect("a concern");
    assert_eq!((own.prompt, own.proves), (None, true));
    assert_eq!(own.state, Some(BUSY));
    assert!(prompt("codex", "say hello").is_some());
    assert_eq!(
        prompt(
            "codex",
            "Generate a concise, single-line task title of 36 characters"
        ),
        None
    );
}

#[test]
fn what_begins_no_turn_and_ends_none() {
    for (kind, payload) in [
        (
            "claude",
            r#"{"hook_event_name":"SessionStart","source":"compact"}"#,
        ),
        (
            "codex",
            r#"{"hook_event_name":"SessionStart","source":"compact"}"#,
        ),
        (
            "claude",
            r#"{"hook_event_name":"Notification","notification_type":"auth_success"}"#,
        ),
        ("claude", r#"{"hook_event_name":"SomethingNew"}"#),
        ("claude", r#"{"hook_event_name":"Stop","agent_id":"a8"}"#),
        (
            "opencode",
            r#"{"type":"session.created","properties":{"sessionID":"ses_2","info":{"parentID":"ses_1"}}}"#,
        ),
        (
            "opencode",
            r#"{"type":"session.status","properties":{"status":{"type":"new"}}}"#,
        ),
        (
            "gemini",
            r#"{"hook_event_name":"Notification","notification_type":"x"}"#,
        ),
    ] {
        assert_eq!(told(kind, payload), None, "{payload}");
    }
}

#[test]
fn a_field_of_another_form_is_as_good_as_absent() {
    let payload = r#"{"hook_event_name":"PermissionRequest","session_id":7,"tool_name":{"a":1},"details":"x",
                      "background_tasks":"none","input-messages":3,"properties":[]}"#;
    let told = told("claude", payload).expect("a concern");
    assert_eq!((told.state, told.conversation), (Some(PERMISSION), None));
}

#[test]
fn what_is_no_payload() {
    for payload in [
        "",
        "x",
        "[]",
        "3",
        "{}",
        r#"{"hook_event_name":"a,b"}"#,
        "{\"type\":\"x\"",
    ] {
        let outcome = read("claude", payload.as_bytes());
        assert!(
            matches!(outcome, ReadPayload::Unreadable(_)),
            "{payload}: {outcome:?}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_that_acts_gets_through(kind in prop::sample::select(hooked()), event: String, id: String) {
        let payload = serde_json::json!({ "hook_event_name": event, "type": event, "session_id": id });
        if let ReadPayload::Told(told) = read(kind, payload.to_string().as_bytes()) {
            prop_assert!(is_word(&told.event));
            prop_assert!(told.conversation.is_none_or(|id| is_word(&id)));
        }
    }

    #[test]
    fn any_bytes_are_read_or_not(kind in prop::sample::select(hooked()), bytes: Vec<u8>) {
        let _ = read(kind, &bytes);
    }
}
