//! The transcripts of Claude Code. Measured: 2.1.329.

use serde_json::Value;

use crate::agent::transcript::{TranscriptLine, entry, word};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<TranscriptLine> {
    // What a sub-agent says.
    if line.get("isSidechain") == Some(&Value::Bool(true)) {
        return Vec::new();
    }
    match word(line, "/type") {
        Some("user") => entry(TranscriptLine::Prompt, line.pointer("/message/content")),
        Some("queue-operation") if word(line, "/operation") == Some("enqueue") => {
            entry(TranscriptLine::Prompt, line.get("content"))
        }
        Some("assistant") => entry(TranscriptLine::Answer, line.pointer("/message/content")),
        Some("system") if word(line, "/subtype") == Some("turn_duration") => {
            vec![TranscriptLine::End]
        }
        _ => Vec::new(),
    }
}
