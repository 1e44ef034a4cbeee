//! The payloads of the extension for pi. Measured: pi 0.73.1.

use serde::Deserialize;

use crate::agent::report::{
    self, HookEvent, IDLE, conversation_ended, in_conversation, in_state, lenient, prompt_taken,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::kinds) struct PiPayload {
    #[serde(rename = "type", deserialize_with = "lenient")]
    event: String,
    #[serde(rename = "sessionId", deserialize_with = "lenient")]
    session: String,
    #[serde(deserialize_with = "lenient")]
    text: String,
}

impl report::Payload for PiPayload {
    fn event(&self) -> &str {
        &self.event
    }

    fn conversation(&self) -> &str {
        &self.session
    }

    fn hook_event(&self) -> Option<HookEvent> {
        let event = match self.event() {
            "session_start" => in_conversation(Some(IDLE)),
            // The events that follow show whether the input is a command or a prompt.
            "input" => HookEvent {
                prompt: Some(self.text.clone()),
                ..HookEvent::default()
            },
            "agent_start" => prompt_taken(""),
            "agent_end" => in_state(IDLE),
            "session_shutdown" => conversation_ended(),
            _ => return None,
        };
        Some(event)
    }
}
