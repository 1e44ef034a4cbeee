//! The payloads of the hooks of Codex, and of its `notify`. Measured: 0.169.0.

use serde::Deserialize;
use serde_json::Value;

use crate::agent::report::{
    self, BUSY, HookEvent, IDLE, PERMISSION, QUESTION, ends, enters, is, is_word, lenient, over,
    takes,
};

/// How the prompt starts with which Codex has a title made, in a thread of its own.
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

/// The field of a hook, or that of `notify`, which has other names.
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

    fn told(&self) -> Option<HookEvent> {
        let of_title = |text: &str| text.starts_with(TITLE);
        let first = self.input_messages.first().map(String::as_str);
        if self.agent_id.is_some() || first.is_some_and(of_title) || of_title(&self.prompt) {
            return None;
        }
        let told = match self.event() {
            // It comes with the first prompt, not with the start.
            "SessionStart" if self.source != "compact" => enters(None),
            "UserPromptSubmit" => takes(&self.prompt),
            "PreToolUse" if self.tool_name == "request_user_input" => is(QUESTION),
            "PreToolUse" | "PostToolUse" => is(BUSY),
            "PermissionRequest" => is(PERMISSION),
            "Stop" => ends(IDLE, &self.answer),
            "agent-turn-complete" => ends(IDLE, &self.notified),
            "Interrupt" => is(IDLE),
            "SessionEnd" => over(),
            _ => return None,
        };
        Some(told)
    }
}
