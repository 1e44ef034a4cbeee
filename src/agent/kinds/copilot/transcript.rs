//! The transcripts of Copilot CLI. Measured: 1.0.102.

use serde_json::Value;

use crate::agent::transcript::{Entry, entry, word};

pub(in crate::agent::kinds) fn entries(line: &Value) -> Vec<Entry> {
    match word(line, "/type") {
        Some("user.message") => entry(Entry::Prompt, line.pointer("/data/content")),
        Some("assistant.message") => entry(Entry::Answer, line.pointer("/data/content")),
        Some("assistant.turn_end") => vec![Entry::End],
        _ => Vec::new(),
    }
}
