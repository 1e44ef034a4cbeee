//! The payloads of the plugin for opencode. Measured: opencode 1.18.33.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, Typed, in_conversation, in_state, lenient,
    prompt_taken,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::kinds) struct OpencodePayload {
    #[serde(rename = "type", deserialize_with = "lenient")]
    event: String,
    #[serde(deserialize_with = "lenient")]
    properties: Properties,
}

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

impl report::Payload for OpencodePayload {
    fn event(&self) -> &str {
        &self.event
    }

    fn conversation(&self) -> &str {
        &self.properties.session
    }

    fn hook_event(&self) -> Option<HookEvent> {
        let event = match self.event() {
            // A child session belongs to a sub-agent.
            _ if self.properties.info.parent.is_some() => return None,
            "session.created" => in_conversation(Some(IDLE)),
            "chat.message" => prompt_taken(&self.properties.prompt),
            "session.status" => match self.properties.status.kind.as_str() {
                "busy" | "retry" => in_state(BUSY),
                "idle" => in_state(IDLE),
                _ => return None,
            },
            "session.idle" => in_state(IDLE),
            "permission.asked" => in_state(PERMISSION),
            "question.asked" => in_state(QUESTION),
            // After a refusal, `session.idle` reports the end of the turn.
            "permission.replied" | "question.replied" | "question.rejected" => in_state(BUSY),
            _ => return None,
        };
        Some(event)
    }
}
