//! The payloads of the hooks of Gemini CLI. Measured: 0.61.0.

use serde::Deserialize;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, Typed, conversation_ended, in_conversation,
    in_state, lenient, prompt_taken, turn_ended,
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

    fn hook_event(&self) -> Option<HookEvent> {
        let event = match self.event() {
            "SessionStart" => in_conversation(Some(IDLE)),
            "BeforeAgent" => prompt_taken(&self.prompt),
            "BeforeTool" | "AfterTool" => in_state(BUSY),
            "Notification" if self.notification_type != "ToolPermission" => return None,
            "Notification" if self.details.kind == "ask_user" => in_state(QUESTION),
            "Notification" => in_state(PERMISSION),
            "AfterAgent" => turn_ended(IDLE, &self.prompt_response),
            // This event comes three times.
            "SessionEnd" => conversation_ended(),
            _ => return None,
        };
        Some(event)
    }
}
