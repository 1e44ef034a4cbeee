//! The transcripts of pi. Measured: 0.73.1 and 1.6.0. They are a tree.

use serde_json::Value;

use crate::transcript::content::{
    answer, entry, is_true, owned_at, prompt, string_at, sum_at, text, text_of_part,
};
use crate::transcript::summary::ConversationFacts;
use crate::transcript::{LogEntry, ParsedLine, TranscriptMessage};

pub(in crate::transcript) fn content(line: &Value) -> ParsedLine {
    let entries = match string_at(line, "/type") {
        // The first line describes the file, and its id is that of the conversation.
        Some("session") => return ParsedLine::default(),
        Some("message") => message(line.get("message").unwrap_or(&Value::Null)),
        Some("compaction") => vec![LogEntry::note("the conversation was compacted")],
        _ => Vec::new(),
    };
    ParsedLine {
        parent: owned_at(line, "/parentId"),
        messages: vec![TranscriptMessage {
            id: owned_at(line, "/id"),
            at: owned_at(line, "/timestamp"),
            entries,
            cut: None,
        }],
        facts: ConversationFacts {
            model: owned_at(line, "/message/model"),
            tokens: sum_at(
                line,
                &[
                    "/message/usage/input",
                    "/message/usage/cacheRead",
                    "/message/usage/cacheWrite",
                ],
            ),
            title: owned_at(line, "/name")
                .filter(|_| string_at(line, "/type") == Some("session_info")),
            ..ConversationFacts::default()
        },
        ..ParsedLine::default()
    }
}

fn message(message: &Value) -> Vec<LogEntry> {
    match string_at(message, "/role") {
        Some("user") => entry(prompt, message.get("content")).into_iter().collect(),
        Some("assistant") => assistant(message),
        Some("toolResult") => vec![LogEntry::Result {
            id: owned_at(message, "/toolCallId").unwrap_or_default(),
            text: message.get("content").map(text).unwrap_or_default(),
            error: is_true(message, "/isError"),
        }],
        _ => Vec::new(),
    }
}

fn assistant(message: &Value) -> Vec<LogEntry> {
    let mut entries: Vec<LogEntry> = match message.get("content") {
        Some(Value::Array(parts)) => parts.iter().filter_map(part).collect(),
        content => entry(answer, content).into_iter().collect(),
    };
    entries.extend(match string_at(message, "/stopReason") {
        Some("aborted") => Some(LogEntry::note("interrupted")),
        Some("error") => owned_at(message, "/errorMessage").map(LogEntry::note),
        _ => None,
    });
    entries
}

/// Returns what a part of an answer is.
fn part(part: &Value) -> Option<LogEntry> {
    if string_at(part, "/type") == Some("toolCall") {
        return Some(LogEntry::Tool {
            id: owned_at(part, "/id").unwrap_or_default(),
            name: owned_at(part, "/name").unwrap_or_default(),
            input: part.get("arguments").cloned().unwrap_or_default(),
        });
    }
    let text = text_of_part(part).filter(|text| !text.is_empty())?;
    Some(answer(text.into()))
}
