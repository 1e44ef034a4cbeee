//! The payloads of the hooks of Claude Code. Measured: 2.1.329.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, conversation_ended, in_conversation,
    in_state, lenient, prompt_taken, turn_ended,
};

/// The start of the prompt that Claude sends to itself when a background task has ended.
const NOTE: &str = "<task-notification>";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::kinds) struct ClaudePayload {
    #[serde(deserialize_with = "lenient")]
    hook_event_name: String,
    #[serde(deserialize_with = "lenient")]
    session_id: String,
    #[serde(deserialize_with = "lenient")]
    agent_id: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    source: String,
    #[serde(deserialize_with = "lenient")]
    prompt: String,
    #[serde(rename = "last_assistant_message", deserialize_with = "lenient")]
    answer: String,
    #[serde(deserialize_with = "lenient")]
    tool_name: String,
    #[serde(deserialize_with = "lenient")]
    notification_type: String,
    #[serde(deserialize_with = "lenient")]
    background_tasks: Vec<Value>,
}

impl report::Payload for ClaudePayload {
    fn event(&self) -> &str {
        &self.hook_event_name
    }

    fn conversation(&self) -> &str {
        &self.session_id
    }

    fn hook_event(&self) -> Option<HookEvent> {
        // `agent_type` alone only means that the conversation runs under an agent's name.
        if self.agent_id.is_some() {
            return None;
        }
        let event = match self.event() {
            // A compaction neither begins nor ends a turn.
            "SessionStart" if self.source == "compact" => return None,
            "SessionStart" => in_conversation(Some(IDLE)),
            // While the agent is busy, this event fires when the prompt is queued, and not again when its turn begins.
            "UserPromptSubmit" if self.prompt.starts_with(NOTE) => prompt_taken(""),
            "UserPromptSubmit" => prompt_taken(&self.prompt),
            "PreToolUse" | "PostToolUse" | "PostToolUseFailure" => in_state(BUSY),
            "PermissionRequest" if self.tool_name == "AskUserQuestion" => in_state(QUESTION),
            "PermissionRequest" => in_state(PERMISSION),
            "Notification" => match self.notification_type.as_str() {
                // This event comes seconds after the request, and for questions too.
                "permission_prompt" => HookEvent {
                    is_repeat: true,
                    ..in_state(PERMISSION)
                },
                "elicitation_dialog" => in_state(QUESTION),
                "idle_prompt" => in_state(IDLE),
                _ => return None,
            },
            // The next turn begins by itself when the background tasks end.
            "Stop" if !self.background_tasks.is_empty() => turn_ended(BUSY, &self.answer),
            "Stop" | "StopFailure" => turn_ended(IDLE, &self.answer),
            "SessionEnd" => conversation_ended(),
            _ => return None,
        };
        Some(event)
    }
}
