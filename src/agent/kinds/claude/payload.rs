//! The payloads of the hooks of Claude Code. Measured: 2.1.329.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, ends, enters, is, lenient, over, takes,
};

/// How the prompt starts that Claude gives itself when a background task has ended.
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

    fn told(&self) -> Option<HookEvent> {
        // `agent_type` alone is only that the conversation runs under an agent's name.
        if self.agent_id.is_some() {
            return None;
        }
        let told = match self.event() {
            // A compaction begins no turn and ends none.
            "SessionStart" if self.source == "compact" => return None,
            "SessionStart" => enters(Some(IDLE)),
            // While busy it fires when the prompt is queued, and not again when its turn comes.
            "UserPromptSubmit" if self.prompt.starts_with(NOTE) => takes(""),
            "UserPromptSubmit" => takes(&self.prompt),
            "PreToolUse" | "PostToolUse" | "PostToolUseFailure" => is(BUSY),
            "PermissionRequest" if self.tool_name == "AskUserQuestion" => is(QUESTION),
            "PermissionRequest" => is(PERMISSION),
            "Notification" => match self.notification_type.as_str() {
                // It comes seconds after the request, and for questions too.
                "permission_prompt" => HookEvent {
                    vague: true,
                    ..is(PERMISSION)
                },
                "elicitation_dialog" => is(QUESTION),
                "idle_prompt" => is(IDLE),
                _ => return None,
            },
            // The next turn comes by itself when they end.
            "Stop" if !self.background_tasks.is_empty() => ends(BUSY, &self.answer),
            "Stop" | "StopFailure" => ends(IDLE, &self.answer),
            "SessionEnd" => over(),
            _ => return None,
        };
        Some(told)
    }
}
