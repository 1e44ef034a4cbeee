//! The transcripts of Gemini CLI. Measured: 0.61.0.

use serde_json::Value;

use crate::agent::transcript::{TranscriptLine, entry, string_at};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<TranscriptLine> {
    match string_at(line, "/type") {
        Some("user") => entry(TranscriptLine::Prompt, line.get("content")),
        Some("gemini") => entry(TranscriptLine::Answer, line.get("content")),
        _ => Vec::new(),
    }
}
