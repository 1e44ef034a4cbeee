//! The payloads of the hooks of Codex, and of its `notify`. Measured: 0.169.0.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, conversation_ended, in_conversation,
    in_state, is_word, lenient, prompt_taken, turn_ended,
};

/// The start of the prompt with which Codex generates a title, in a separate thread.
const TITLE: &str = "Generate a concise, single-line task title";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::kinds) struct CodexPayload {
    #[serde(deserialize_with = "lenient")]
    hook_event_name: String,
    /// The event, for `notify`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    session_id: String,
    /// The conversation, for `notify`.
    #[serde(rename = "thread-id", deserialize_with = "lenient")]
    thread: String,
    #[serde(deserialize_with = "lenient")]
    agent_id: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    source: String,
    #[serde(deserialize_with = "lenient")]
    prompt: String,
    #[serde(rename = "last_assistant_message", deserialize_with = "lenient")]
    answer: String,
    /// The answer, for `notify`.
    #[serde(rename = "last-assistant-message", deserialize_with = "lenient")]
    notified: String,
    #[serde(deserialize_with = "lenient")]
    tool_name: String,
    #[serde(rename = "input-messages", deserialize_with = "lenient")]
    input_messages: Vec<String>,
}

/// Returns the field of a hook, or else that of `notify`, which has other names.
fn either<'a>(hook: &'a str, notify: &'a str) -> &'a str {
    if is_word(hook) { hook } else { notify }
}

impl report::Payload for CodexPayload {
    fn event(&self) -> &str {
        either(&self.hook_event_name, &self.kind)
    }

    fn conversation(&self) -> &str {
        either(&self.session_id, &self.thread)
    }

    fn hook_event(&self) -> Option<HookEvent> {
        let of_title = |text: &str| text.starts_with(TITLE);
        let first = self.input_messages.first().map(String::as_str);
        if self.agent_id.is_some() || first.is_some_and(of_title) || of_title(&self.prompt) {
            return None;
        }
        let event = match self.event() {
            // This event comes with the first prompt, not at the start.
            "SessionStart" if self.source != "compact" => in_conversation(None),
            "UserPromptSubmit" => prompt_taken(&self.prompt),
            "PreToolUse" if self.tool_name == "request_user_input" => in_state(QUESTION),
            "PreToolUse" | "PostToolUse" => in_state(BUSY),
            "PermissionRequest" => in_state(PERMISSION),
            "Stop" => turn_ended(IDLE, &self.answer),
            "agent-turn-complete" => turn_ended(IDLE, &self.notified),
            "Interrupt" => in_state(IDLE),
            "SessionEnd" => conversation_ended(),
            _ => return None,
        };
        Some(event)
    }
}
