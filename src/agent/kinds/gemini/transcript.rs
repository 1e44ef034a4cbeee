//! The transcripts of Gemini CLI. Measured: 0.61.0.

use serde_json::Value;

use crate::agent::transcript::{Entry, entry, word};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<Entry> {
    match word(line, "/type") {
        Some("user") => entry(Entry::Prompt, line.get("content")),
        Some("gemini") => entry(Entry::Answer, line.get("content")),
        _ => Vec::new(),
    }
}
