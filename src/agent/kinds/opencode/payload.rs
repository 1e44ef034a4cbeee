//! What the plugin for opencode sends. Measured: opencode 1.18.33.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, Typed, enters, is, lenient, takes,
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

    fn told(&self) -> Option<HookEvent> {
        let told = match self.event() {
            // A child session is a sub-agent's.
            _ if self.properties.info.parent.is_some() => return None,
            "session.created" => enters(Some(IDLE)),
            "chat.message" => takes(&self.properties.prompt),
            "session.status" => match self.properties.status.kind.as_str() {
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
}
