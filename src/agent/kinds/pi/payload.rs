//! What the extension for pi sends. Measured: pi 0.73.1.

use serde::Deserialize;

use crate::agent::report::{self, HookEvent, IDLE, enters, is, lenient, over, takes};

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

    fn told(&self) -> Option<HookEvent> {
        let told = match self.event() {
            "session_start" => enters(Some(IDLE)),
            // What the input is, a command or a prompt, is told by what follows.
            "input" => HookEvent {
                prompt: Some(self.text.clone()),
                ..HookEvent::default()
            },
            "agent_start" => takes(""),
            "agent_end" => is(IDLE),
            "session_shutdown" => over(),
            _ => return None,
        };
        Some(told)
    }
}
