//! What the extension for pi sends. Measured: pi 0.73.1.

use serde::Deserialize;

use crate::agent::report::{self, IDLE, Told, enters, is, lenient, over, takes};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::kinds) struct Payload {
    #[serde(rename = "type", deserialize_with = "lenient")]
    event: String,
    #[serde(rename = "sessionId", deserialize_with = "lenient")]
    session: String,
    #[serde(deserialize_with = "lenient")]
    text: String,
}

impl report::Payload for Payload {
    fn event(&self) -> &str {
        &self.event
    }

    fn conversation(&self) -> &str {
        &self.session
    }

    fn told(&self) -> Option<Told> {
        let told = match self.event() {
            "session_start" => enters(Some(IDLE)),
            // What the input is, a command or a prompt, is told by what follows.
            "input" => Told {
                prompt: Some(self.text.clone()),
                ..Told::default()
            },
            "agent_start" => takes(""),
            "agent_end" => is(IDLE),
            "session_shutdown" => over(),
            _ => return None,
        };
        Some(told)
    }
}
