//! The transcripts of Claude Code. Measured: 2.1.329.

use serde_json::Value;

use crate::agent::transcript::{TranscriptLine, entry, string_at};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<TranscriptLine> {
    // Lines of a sub-agent do not belong to the conversation.
    if line.get("isSidechain") == Some(&Value::Bool(true)) {
        return Vec::new();
    }
    match string_at(line, "/type") {
        Some("user") => entry(TranscriptLine::Prompt, line.pointer("/message/content")),
        Some("queue-operation") if string_at(line, "/operation") == Some("enqueue") => {
            entry(TranscriptLine::Prompt, line.get("content"))
        }
        Some("assistant") => entry(TranscriptLine::Answer, line.pointer("/message/content")),
        Some("system") if string_at(line, "/subtype") == Some("turn_duration") => {
            vec![TranscriptLine::End]
        }
        _ => Vec::new(),
    }
}
