//! What an agent's own hook says of its state: a payload in, and what follows from it for the pane.
//!
//! Hooks are edges: some never come (no agent fires one on Escape in every place), so what they say is fast and not the
//! last word. Measured on Claude Code 2.1.329, Codex 0.169.0, Gemini CLI 0.61.0, opencode 1.18.33 and pi 0.73.1.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use crate::state::{State, Why};

/// The agents whose payloads are understood.
pub const KINDS: [&str; 5] = ["claude", "codex", "gemini", "opencode", "pi"];

/// What a payload comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Told(Told),
    /// It says nothing of the pane's own conversation: it is of a sub-agent or of a thread that nobody sees, it repeats
    /// what was said, or it is of another kind.
    NoConcern,
    /// It is no payload of that agent's: the sentence says why.
    Unreadable(String),
}

/// What an agent told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The agent's own word for what happened.
    pub event: String,
    /// The conversation that it happened in.
    pub conversation: Option<String>,
    /// This proves which conversation the agent is in: it began or resumed it, or took a prompt in it.
    pub proves: bool,
    /// What the agent does now. `None`: as before.
    pub state: Option<(State, Option<Why>)>,
    /// It repeats what another event has said more exactly: where the state is that one already, its reason stays.
    pub vague: bool,
    /// The prompt that it took, where it says so.
    pub prompt: Option<String>,
    /// What it said last, at the end of a turn, where it tells.
    pub answer: Option<String>,
    /// The conversation is over.
    pub over: bool,
}

const BUSY: (State, Option<Why>) = (State::Busy, None);
const IDLE: (State, Option<Why>) = (State::Idle, None);
const PERMISSION: (State, Option<Why>) = (State::Waiting, Some(Why::Permission));
const QUESTION: (State, Option<Why>) = (State::Waiting, Some(Why::Question));

/// How the prompt starts with which Codex has a title made, in a thread of its own.
const CODEX_TITLE: &str = "Generate a concise, single-line task title";
/// How the prompt starts that Claude gives itself when a background task has ended.
const CLAUDE_NOTE: &str = "<task-notification>";

/// Reads a payload of an agent of one of [`KINDS`].
#[must_use]
pub fn read(kind: &str, payload: &[u8]) -> Outcome {
    let payload: Payload = match serde_json::from_slice(payload) {
        Ok(payload) => payload,
        Err(error) => {
            return Outcome::Unreadable(format!("the payload is no JSON object of its: {error}"));
        }
    };
    let understood = match kind {
        "claude" => claude(&payload),
        "codex" => codex(&payload),
        "gemini" => gemini(&payload),
        "opencode" => opencode(&payload),
        "pi" => pi(&payload),
        _ => return Outcome::Unreadable(format!("nothing is known of the hooks of {kind:?}")),
    };
    let Some(event) = payload.event() else {
        return Outcome::Unreadable("the payload names no event".into());
    };
    match understood {
        Some(told) => Outcome::Told(Told {
            event: event.into(),
            conversation: payload.conversation().map(Into::into),
            ..told
        }),
        None => Outcome::NoConcern,
    }
}

fn is(state: (State, Option<Why>)) -> Told {
    Told {
        state: Some(state),
        ..Told::default()
    }
}

/// It is in this conversation, and does that.
fn enters(state: Option<(State, Option<Why>)>) -> Told {
    Told {
        state,
        proves: true,
        ..Told::default()
    }
}

/// It took a prompt.
fn takes(prompt: &str) -> Told {
    Told {
        prompt: (!prompt.is_empty()).then(|| prompt.into()),
        ..enters(Some(BUSY))
    }
}

/// It has come to an end, with this word.
fn ends(state: (State, Option<Why>), answer: &str) -> Told {
    Told {
        answer: (!answer.is_empty()).then(|| answer.into()),
        ..is(state)
    }
}

fn over() -> Told {
    Told {
        over: true,
        ..Told::default()
    }
}

fn claude(payload: &Payload) -> Option<Told> {
    // `agent_type` alone is only that the conversation runs under an agent's name.
    if payload.agent_id.is_some() {
        return None;
    }
    let told = match payload.event()? {
        // A compaction begins no turn and ends none.
        "SessionStart" if payload.source == "compact" => return None,
        "SessionStart" => enters(Some(IDLE)),
        // While busy it fires when the prompt is queued, and not again when its turn comes.
        "UserPromptSubmit" if payload.prompt.starts_with(CLAUDE_NOTE) => takes(""),
        "UserPromptSubmit" => takes(&payload.prompt),
        "PreToolUse" | "PostToolUse" | "PostToolUseFailure" => is(BUSY),
        "PermissionRequest" if payload.tool_name == "AskUserQuestion" => is(QUESTION),
        "PermissionRequest" => is(PERMISSION),
        "Notification" => match payload.notification_type.as_str() {
            // It comes seconds after the request, and for questions too.
            "permission_prompt" => Told {
                vague: true,
                ..is(PERMISSION)
            },
            "elicitation_dialog" => is(QUESTION),
            "idle_prompt" => is(IDLE),
            _ => return None,
        },
        // The next turn comes by itself when they end.
        "Stop" if !payload.background_tasks.is_empty() => ends(BUSY, &payload.answer),
        "Stop" | "StopFailure" => ends(IDLE, &payload.answer),
        "SessionEnd" => over(),
        _ => return None,
    };
    Some(told)
}

fn codex(payload: &Payload) -> Option<Told> {
    let of_title = |text: &str| text.starts_with(CODEX_TITLE);
    let first = payload.input_messages.first().map(String::as_str);
    if payload.agent_id.is_some() || first.is_some_and(of_title) || of_title(&payload.prompt) {
        return None;
    }
    let told = match payload.event()? {
        // It comes with the first prompt, not with the start.
        "SessionStart" if payload.source != "compact" => enters(None),
        "UserPromptSubmit" => takes(&payload.prompt),
        "PreToolUse" if payload.tool_name == "request_user_input" => is(QUESTION),
        "PreToolUse" | "PostToolUse" => is(BUSY),
        "PermissionRequest" => is(PERMISSION),
        "Stop" => ends(IDLE, &payload.answer),
        "agent-turn-complete" => ends(IDLE, &payload.notified),
        "Interrupt" => is(IDLE),
        "SessionEnd" => over(),
        _ => return None,
    };
    Some(told)
}

fn gemini(payload: &Payload) -> Option<Told> {
    let told = match payload.event()? {
        "SessionStart" => enters(Some(IDLE)),
        "BeforeAgent" => takes(&payload.prompt),
        "BeforeTool" | "AfterTool" => is(BUSY),
        "Notification" if payload.notification_type != "ToolPermission" => return None,
        "Notification" if payload.details.kind == "ask_user" => is(QUESTION),
        "Notification" => is(PERMISSION),
        "AfterAgent" => ends(IDLE, &payload.prompt_response),
        // It comes three times.
        "SessionEnd" => over(),
        _ => return None,
    };
    Some(told)
}

fn opencode(payload: &Payload) -> Option<Told> {
    let told = match payload.event()? {
        // A child session is a sub-agent's.
        _ if payload.properties.info.parent.is_some() => return None,
        "session.created" => enters(Some(IDLE)),
        "chat.message" => takes(&payload.properties.prompt),
        "session.status" => match payload.properties.status.kind.as_str() {
            "busy" | "retry" => is(BUSY),
            "idle" => is(IDLE),
            _ => return None,
        },
        "session.idle" => is(IDLE),
        "permission.asked" => is(PERMISSION),
        "question.asked" => is(QUESTION),
        // After a refusal session.idle says the rest.
        "permission.replied" | "question.replied" | "question.rejected" => is(BUSY),
        _ => return None,
    };
    Some(told)
}

fn pi(payload: &Payload) -> Option<Told> {
    let told = match payload.event()? {
        "session_start" => enters(Some(IDLE)),
        // What the input is, a command or a prompt, is told by what follows.
        "input" => Told {
            prompt: Some(payload.text.clone()),
            ..Told::default()
        },
        "agent_start" => takes(""),
        "agent_end" => is(IDLE),
        "session_shutdown" => over(),
        _ => return None,
    };
    Some(told)
}

/// The fields of all payloads that something follows from. What has another form than expected is as good as absent:
/// a hook of a newer version must not turn into a failure for a field that it changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    hook_event_name: String,
    /// Of opencode, of pi and of Codex's `notify`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    session_id: String,
    #[serde(rename = "sessionId", deserialize_with = "lenient")]
    session: String,
    #[serde(rename = "thread-id", deserialize_with = "lenient")]
    thread: String,
    #[serde(deserialize_with = "lenient")]
    agent_id: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    source: String,
    #[serde(deserialize_with = "lenient")]
    prompt: String,
    /// Of pi.
    #[serde(deserialize_with = "lenient")]
    text: String,
    #[serde(rename = "last_assistant_message", deserialize_with = "lenient")]
    answer: String,
    /// Of Codex's `notify`.
    #[serde(rename = "last-assistant-message", deserialize_with = "lenient")]
    notified: String,
    /// Of Gemini.
    #[serde(deserialize_with = "lenient")]
    prompt_response: String,
    #[serde(deserialize_with = "lenient")]
    tool_name: String,
    #[serde(deserialize_with = "lenient")]
    notification_type: String,
    #[serde(deserialize_with = "lenient")]
    background_tasks: Vec<Value>,
    #[serde(deserialize_with = "lenient")]
    details: Typed,
    #[serde(rename = "input-messages", deserialize_with = "lenient")]
    input_messages: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    properties: Properties,
}

/// What opencode wraps its fields in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Properties {
    #[serde(rename = "sessionID", deserialize_with = "lenient")]
    session: String,
    #[serde(deserialize_with = "lenient")]
    prompt: String,
    #[serde(deserialize_with = "lenient")]
    status: Typed,
    #[serde(deserialize_with = "lenient")]
    info: Info,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    #[serde(rename = "parentID", deserialize_with = "lenient")]
    parent: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: String,
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

impl Payload {
    /// Its event, if its name is a word: it is put into an option.
    fn event(&self) -> Option<&str> {
        [&self.hook_event_name, &self.kind]
            .into_iter()
            .find(|name| is_word(name))
            .map(String::as_str)
    }

    fn conversation(&self) -> Option<&str> {
        [
            &self.session_id,
            &self.session,
            &self.thread,
            &self.properties.session,
        ]
        .into_iter()
        .find(|id| is_word(id))
        .map(String::as_str)
    }
}

/// Whether a text is one of the words that agents use for events and ids.
#[must_use]
pub fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn told(kind: &str, payload: &str) -> Option<Told> {
        match read(kind, payload.as_bytes()) {
            Outcome::Told(told) => Some(told),
            Outcome::NoConcern => None,
            Outcome::Unreadable(why) => panic!("{payload}: {why}"),
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
                &format!(
                    r#"{{"session_id":"a","hook_event_name":"Stop","background_tasks":{tasks}}}"#
                ),
            )
        };
        assert_eq!(stop("[]"), Some(IDLE));
        assert_eq!(stop("null"), Some(IDLE));
        assert_eq!(stop(r#"[{"id":"a8","type":"subagent"}]"#), Some(BUSY));
    }

    #[test]
    fn what_opencode_and_pi_say_of_a_prompt() {
        let chat =
            r#"{"type":"chat.message","properties":{"sessionID":"ses_1","prompt":"say hello"}}"#;
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
            prompt("codex", &format!("{CODEX_TITLE} of 36 characters")),
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
                matches!(outcome, Outcome::Unreadable(_)),
                "{payload}: {outcome:?}"
            );
        }
        let aider = read("aider", br#"{"hook_event_name":"Stop"}"#);
        assert!(matches!(aider, Outcome::Unreadable(_)));
    }

    proptest! {
        #[test]
        fn nothing_that_acts_gets_through(kind in prop::sample::select(KINDS.to_vec()), event: String, id: String) {
            let payload = serde_json::json!({ "hook_event_name": event, "type": event, "session_id": id });
            if let Outcome::Told(told) = read(kind, payload.to_string().as_bytes()) {
                prop_assert!(is_word(&told.event));
                prop_assert!(told.conversation.is_none_or(|id| is_word(&id)));
            }
        }

        #[test]
        fn any_bytes_are_read_or_not(kind in prop::sample::select(KINDS.to_vec()), bytes: Vec<u8>) {
            let _ = read(kind, &bytes);
        }
    }
}
