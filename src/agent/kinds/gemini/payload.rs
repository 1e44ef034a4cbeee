//! The payloads of the hooks of Gemini CLI. Measured: 0.61.0.

use serde::Deserialize;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, Typed, ends, enters, is, lenient, over,
    takes,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::kinds) struct GeminiPayload {
    #[serde(deserialize_with = "lenient")]
    hook_event_name: String,
    #[serde(deserialize_with = "lenient")]
    session_id: String,
    #[serde(deserialize_with = "lenient")]
    prompt: String,
    #[serde(deserialize_with = "lenient")]
    prompt_response: String,
    #[serde(deserialize_with = "lenient")]
    notification_type: String,
    #[serde(deserialize_with = "lenient")]
    details: Typed,
}

impl report::Payload for GeminiPayload {
    fn event(&self) -> &str {
        &self.hook_event_name
    }

    fn conversation(&self) -> &str {
        &self.session_id
    }

    fn told(&self) -> Option<HookEvent> {
        let told = match self.event() {
            "SessionStart" => enters(Some(IDLE)),
            "BeforeAgent" => takes(&self.prompt),
            "BeforeTool" | "AfterTool" => is(BUSY),
            "Notification" if self.notification_type != "ToolPermission" => return None,
            "Notification" if self.details.kind == "ask_user" => is(QUESTION),
            "Notification" => is(PERMISSION),
            "AfterAgent" => ends(IDLE, &self.prompt_response),
            // It comes three times.
            "SessionEnd" => over(),
            _ => return None,
        };
        Some(told)
    }
}
