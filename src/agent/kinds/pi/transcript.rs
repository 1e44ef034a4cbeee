//! The transcripts of pi. Measured: 0.73.1.

use serde_json::Value;

use crate::agent::transcript::{TranscriptLine, entry, string_at};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<TranscriptLine> {
    match string_at(line, "/type") {
        Some("message") => match string_at(line, "/message/role") {
            Some("user") => entry(TranscriptLine::Prompt, line.pointer("/message/content")),
            Some("assistant") => entry(TranscriptLine::Answer, line.pointer("/message/content")),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
