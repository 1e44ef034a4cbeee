//! What the hook of an agent reports of its state: parses a payload and derives what follows for the pane.
//! [`kinds`](super::kinds) reads the payloads of each kind of agent.
//!
//! Hooks report changes, and some reports never come (no agent fires a hook on Escape in every place). So they are
//! fast, but other sources can correct them. Measured on Claude Code 2.1.329, Codex 0.169.0, Gemini CLI 0.61.0,
//! opencode 1.18.33 and pi 0.73.1.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use crate::state::{State, Why};

/// The result of reading a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadPayload {
    Event(HookEvent),
    /// The payload does not concern the pane's own conversation: it belongs to a sub-agent or to a thread that is not
    /// shown, it repeats an earlier event, or its event is of another kind.
    Irrelevant,
    /// The payload is not one of that agent. The sentence explains why.
    Unreadable(String),
}

/// A hook event of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookEvent {
    /// The agent's own name of the event.
    pub event: String,
    /// The conversation of the event.
    pub conversation: Option<String>,
    /// Whether the event proves which conversation the agent is in: the agent began it, resumed it, or took a prompt in
    /// it.
    pub proves_conversation: bool,
    /// The new state of the agent. `None` if the event does not change it.
    pub state: Option<(State, Option<Why>)>,
    /// Whether the event repeats what another event reports more exactly. If the state is already that one, its reason
    /// stays.
    pub is_repeat: bool,
    /// The prompt that the agent took, if the payload contains it.
    pub prompt: Option<String>,
    /// The agent's last answer, at the end of a turn, if the payload contains it.
    pub answer: Option<String>,
    /// Whether the conversation has ended.
    pub conversation_ended: bool,
}

pub(super) const BUSY: (State, Option<Why>) = (State::Busy, None);
pub(super) const IDLE: (State, Option<Why>) = (State::Idle, None);
pub(super) const PERMISSION: (State, Option<Why>) = (State::Waiting, Some(Why::Permission));
pub(super) const QUESTION: (State, Option<Why>) = (State::Waiting, Some(Why::Question));

/// The payload of one kind of agent: the fields that matter. A field of another type than expected counts as absent
/// ([`lenient`]), so that a field that changes in a newer version does not make the hook fail.
pub(super) trait Payload: DeserializeOwned {
    /// Returns the agent's own name of the event.
    fn event(&self) -> &str;

    /// Returns the id of the conversation.
    fn conversation(&self) -> &str;

    /// Returns the event without its name and conversation, or `None` if nothing follows from it for the pane.
    fn hook_event(&self) -> Option<HookEvent>;
}

/// Reads a payload of type `P`.
pub(super) fn read<P: Payload>(payload: &[u8]) -> ReadPayload {
    let payload: P = match serde_json::from_slice(payload) {
        Ok(payload) => payload,
        Err(error) => {
            return ReadPayload::Unreadable(format!(
                "the payload is not the expected JSON object: {error}"
            ));
        }
    };
    let word = |text: &str| is_word(text).then(|| text.to_string());
    let Some(event) = word(payload.event()) else {
        return ReadPayload::Unreadable("the payload has no event name".into());
    };
    match payload.hook_event() {
        Some(hook_event) => ReadPayload::Event(HookEvent {
            event,
            conversation: word(payload.conversation()),
            ..hook_event
        }),
        None => ReadPayload::Irrelevant,
    }
}

/// Returns an event with this state.
pub(super) fn in_state(state: (State, Option<Why>)) -> HookEvent {
    HookEvent {
        state: Some(state),
        ..HookEvent::default()
    }
}

/// Returns an event that proves the conversation, with this state.
pub(super) fn in_conversation(state: Option<(State, Option<Why>)>) -> HookEvent {
    HookEvent {
        state,
        proves_conversation: true,
        ..HookEvent::default()
    }
}

/// Returns the event that the agent took a prompt.
pub(super) fn prompt_taken(prompt: &str) -> HookEvent {
    HookEvent {
        prompt: (!prompt.is_empty()).then(|| prompt.into()),
        ..in_conversation(Some(BUSY))
    }
}

/// Returns the event that a turn ended, with this answer.
pub(super) fn turn_ended(state: (State, Option<Why>), answer: &str) -> HookEvent {
    HookEvent {
        answer: (!answer.is_empty()).then(|| answer.into()),
        ..in_state(state)
    }
}

/// Returns the event that the conversation has ended.
pub(super) fn conversation_ended() -> HookEvent {
    HookEvent {
        conversation_ended: true,
        ..HookEvent::default()
    }
}

/// An object that names its kind in `type`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
}

/// Deserializes a field. A value of another type counts as absent.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

/// Returns whether a text is a word of the form that agents use for events and ids.
#[must_use]
pub fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
