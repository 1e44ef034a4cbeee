//! The transcripts of Claude Code. Measured: 2.1.329.

use serde_json::Value;

use crate::agent::transcript::{Entry, entry, word};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<Entry> {
    // What a sub-agent says.
    if line.get("isSidechain") == Some(&Value::Bool(true)) {
        return Vec::new();
    }
    match word(line, "/type") {
        Some("user") => entry(Entry::Prompt, line.pointer("/message/content")),
        Some("queue-operation") if word(line, "/operation") == Some("enqueue") => {
            entry(Entry::Prompt, line.get("content"))
        }
        Some("assistant") => entry(Entry::Answer, line.pointer("/message/content")),
        Some("system") if word(line, "/subtype") == Some("turn_duration") => vec![Entry::End],
        _ => Vec::new(),
    }
}
