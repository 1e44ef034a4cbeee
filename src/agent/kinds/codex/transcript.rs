//! The transcripts of Codex. Measured: 0.169.0.

use serde_json::Value;

use crate::agent::transcript::{TranscriptLine, entry, string_at};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<TranscriptLine> {
    match string_at(line, "/type") {
        Some("response_item") if string_at(line, "/payload/type") == Some("message") => {
            match string_at(line, "/payload/role") {
                Some("user") => entry(TranscriptLine::Prompt, line.pointer("/payload/content")),
                Some("assistant") => {
                    entry(TranscriptLine::Answer, line.pointer("/payload/content"))
                }
                _ => Vec::new(),
            }
        }
        Some("event_msg") => match string_at(line, "/payload/type") {
            Some("task_started") => vec![TranscriptLine::Begin],
            Some("task_complete" | "turn_aborted") => vec![TranscriptLine::End],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
