//! What an agent's own hook says of its state: a payload in, and what follows from it for the pane. What each kind of
//! agent puts into its payloads is read in [`kinds`](super::kinds).
//!
//! Hooks are edges: some never come (no agent fires one on Escape in every place), so what they say is fast and not the
//! last word. Measured on Claude Code 2.1.329, Codex 0.169.0, Gemini CLI 0.61.0, opencode 1.18.33 and pi 0.73.1.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use crate::state::{State, Why};

/// What a payload comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadPayload {
    Told(HookEvent),
    /// It says nothing of the pane's own conversation: it is of a sub-agent or of a thread that nobody sees, it repeats
    /// what was said, or it is of another kind.
    NoConcern,
    /// It is no payload of that agent's: the sentence says why.
    Unreadable(String),
}

/// What an agent told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookEvent {
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

pub(super) const BUSY: (State, Option<Why>) = (State::Busy, None);
pub(super) const IDLE: (State, Option<Why>) = (State::Idle, None);
pub(super) const PERMISSION: (State, Option<Why>) = (State::Waiting, Some(Why::Permission));
pub(super) const QUESTION: (State, Option<Why>) = (State::Waiting, Some(Why::Question));

/// The payloads of one kind of agent, by the fields that something follows from. Those of another form than expected
/// are as good as absent ([`lenient`]): a hook of a newer version must not turn into a failure for a field that it
/// changed.
pub(super) trait Payload: DeserializeOwned {
    /// The agent's own word for what happened.
    fn event(&self) -> &str;

    /// The id of the conversation that it happened in.
    fn conversation(&self) -> &str;

    /// Returns what follows from it, without the event and the conversation. `None`: nothing for the pane.
    fn told(&self) -> Option<HookEvent>;
}

/// Reads a payload as one of these.
pub(super) fn read<P: Payload>(payload: &[u8]) -> ReadPayload {
    let payload: P = match serde_json::from_slice(payload) {
        Ok(payload) => payload,
        Err(error) => {
            return ReadPayload::Unreadable(format!(
                "the payload is no JSON object of its: {error}"
            ));
        }
    };
    let word = |text: &str| is_word(text).then(|| text.to_string());
    let Some(event) = word(payload.event()) else {
        return ReadPayload::Unreadable("the payload names no event".into());
    };
    match payload.told() {
        Some(told) => ReadPayload::Told(HookEvent {
            event,
            conversation: word(payload.conversation()),
            ..told
        }),
        None => ReadPayload::NoConcern,
    }
}

/// It does this now.
pub(super) fn is(state: (State, Option<Why>)) -> HookEvent {
    HookEvent {
        state: Some(state),
        ..HookEvent::default()
    }
}

/// It is in this conversation, and does that.
pub(super) fn enters(state: Option<(State, Option<Why>)>) -> HookEvent {
    HookEvent {
        state,
        proves: true,
        ..HookEvent::default()
    }
}

/// It took a prompt.
pub(super) fn takes(prompt: &str) -> HookEvent {
    HookEvent {
        prompt: (!prompt.is_empty()).then(|| prompt.into()),
        ..enters(Some(BUSY))
    }
}

/// It has come to an end, with this word.
pub(super) fn ends(state: (State, Option<Why>), answer: &str) -> HookEvent {
    HookEvent {
        answer: (!answer.is_empty()).then(|| answer.into()),
        ..is(state)
    }
}

/// Its conversation is over.
pub(super) fn over() -> HookEvent {
    HookEvent {
        over: true,
        ..HookEvent::default()
    }
}

/// An object that says in `type` what it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
}

/// Reads a field. One of another form is as good as absent.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

/// Whether a text is one of the words that agents use for events and ids.
#[must_use]
pub fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
