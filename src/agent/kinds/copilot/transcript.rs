//! The transcripts of Copilot CLI. Measured: 1.0.102.

use serde_json::Value;

use crate::agent::transcript::{TranscriptLine, entry, string_at};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<TranscriptLine> {
    match string_at(line, "/type") {
        Some("user.message") => entry(TranscriptLine::Prompt, line.pointer("/data/content")),
        Some("assistant.message") => entry(TranscriptLine::Answer, line.pointer("/data/content")),
        Some("assistant.turn_end") => vec![TranscriptLine::End],
        _ => Vec::new(),
    }
}
