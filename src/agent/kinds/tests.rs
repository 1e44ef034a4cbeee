//! Tests of the payloads of all kinds.

use pretty_assertions::{assert_eq, assert_ne};
use proptest::prelude::*;

use super::{Agents, Kind};
use crate::agent::manifest::Ability;
use crate::agent::report::{BUSY, HookEvent, IDLE, PERMISSION, ReadPayload, is_word};
use crate::state::{State, Why};

/// Returns the names of the kinds that have hooks.
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

#[test]
fn a_kind_has_recorded_screens_and_stands_in_the_guide() {
    const GUIDE: &str = include_str!("../../../plugin/doc/agents.md");
    let (_, files) = GUIDE
        .split_once("## Files that describe an agent\n\n")
        .expect("the section");
    let (first, _) = files.split_once("\n\n").expect("its first paragraph");
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/agents");
    let fixtures: Vec<String> = std::fs::read_dir(fixtures)
        .expect("the folder of recordings")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into()
        })
        .collect();
    for kind in super::KINDS {
        let name = kind.name;
        let recorded = |folder: &String| {
            let version = folder
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('-'));
            version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        };
        assert!(
            fixtures.iter().any(recorded),
            "no recorded screens of {name}"
        );
        let named = first
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| word == name);
        assert!(named, "plugin/doc/agents.md does not name {name}");
        assert!(
            !kind.manifest.contains("\"apart\":"),
            "{name}: the key is not_agent"
        );
    }
}

fn hook_event(kind: &str, payload: &str) -> Option<HookEvent> {
    match read(kind, payload.as_bytes()) {
        ReadPayload::Event(event) => Some(event),
        ReadPayload::Irrelevant => None,
        ReadPayload::Unreadable(why) => panic!("{payload}: {why}"),
    }
}

fn state(kind: &str, payload: &str) -> Option<(State, Option<Why>)> {
    hook_event(kind, payload)?.state
}

#[test]
fn a_turn_with_background_tasks_has_not_ended() {
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
fn opencode_and_pi_report_prompts() {
    let chat = r#"{"type":"chat.message","properties":{"sessionID":"ses_1","prompt":"say hello"}}"#;
    let input = r#"{"type":"input","text":"say hello","sessionId":"a"}"#;
    for (kind, payload) in [("opencode", chat), ("pi", input)] {
        let event = hook_event(kind, payload).expect("an event");
        assert_eq!(event.prompt.as_deref(), Some("say hello"), "{kind}");
    }
}

#[test]
fn the_last_answer() {
    let answer = |kind: &str, payload: &str| hook_event(kind, payload)?.answer;
    let expected = Some("hello world".to_string());
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
        assert_eq!(answer(kind, payload), expected, "{payload}");
    }
    let of_another =
        r#"{"hook_event_name":"SubagentStop","agent_id":"a8","last_assistant_message":"x"}"#;
    assert_eq!(answer("claude", of_another), None);
    assert_eq!(answer("claude", r#"{"hook_event_name":"Stop"}"#), None);
}

#[test]
fn prompts_of_a_person_and_of_the_agent() {
    let prompt = |kind: &str, text: &str| {
        let payload = serde_json::json!({
            "session_id": "a", "hook_event_name": "UserPromptSubmit", "prompt": text,
        });
        hook_event(kind, &payload.to_string())
    };
    let human = prompt("claude", "say hello").expect("an event");
    assert_eq!(
        (human.prompt.as_deref(), human.proves_conversation),
        (Some("say hello"), true)
    );
    let own = prompt("claude", "<task-notification>\n<task-id>a8</task-id>");
    let own = own.expect("an event");
    assert_eq!((own.prompt, own.proves_conversation), (None, true));
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
fn events_that_change_nothing() {
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
        assert_eq!(hook_event(kind, payload), None, "{payload}");
    }
}

#[test]
fn a_field_of_another_type_counts_as_absent() {
    let payload = r#"{"hook_event_name":"PermissionRequest","session_id":7,"tool_name":{"a":1},"details":"x",
                      "background_tasks":"none","input-messages":3,"properties":[]}"#;
    let event = hook_event("claude", payload).expect("an event");
    assert_eq!((event.state, event.conversation), (Some(PERMISSION), None));
}

#[test]
fn invalid_payloads() {
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
    fn events_and_ids_are_plain_words(kind in prop::sample::select(hooked()), event: String, id: String) {
        let payload = serde_json::json!({ "hook_event_name": event, "type": event, "session_id": id });
        if let ReadPayload::Event(event) = read(kind, payload.to_string().as_bytes()) {
            prop_assert!(is_word(&event.event));
            prop_assert!(event.conversation.is_none_or(|id| is_word(&id)));
        }
    }

    #[test]
    fn no_bytes_cause_a_panic(kind in prop::sample::select(hooked()), bytes: Vec<u8>) {
        let _ = read(kind, &bytes);
    }
}

/// What an agent cannot do is said, so that it does not look like a description that is missing.
#[test]
fn a_kind_says_what_it_can_and_what_it_lacks() {
    for agent in &Agents::read(None).all {
        let manifest = &agent.manifest;
        let commands = &manifest.commands;
        if commands.launch.is_none() {
            continue;
        }
        for (ability, is_described) in [
            (Ability::Headless, manifest.headless.first.is_some()),
            (Ability::Allow, commands.allow.is_some()),
        ] {
            let name = &agent.name;
            assert_ne!(is_described, manifest.lacks(ability), "{name}: {ability:?}");
        }
        let lacks_models = manifest.lacks(Ability::Models) && commands.models.is_some();
        let lacks_compact = manifest.lacks(Ability::Compact) && manifest.keys.compact.is_some();
        assert!(!lacks_models && !lacks_compact, "{}", agent.name);
    }
}
