//! The transcripts of Gemini CLI. Measured: 0.61.0.
//!
//! A line is a message, or sets fields of the conversation: `{"$set": {"messages": […]}}` replaces all messages before it.
//! Each resume begins a new file with such a line. After a refused tool it writes all messages again, under new ids, and
//! then replaces the conversation by them. A message is written again when its tools have run.

use serde_json::Value;

use crate::transcript::content::{answer, owned_at, prompt, string_at, sum_at, text, text_of_part};
use crate::transcript::summary::ConversationFacts;
use crate::transcript::{LogEntry, ParsedLine, Rewrite, TranscriptMessage};

/// What Gemini itself puts before the first prompt.
const CONTEXT: &str = "<session_context>";

pub(in crate::transcript) fn content(line: &Value) -> ParsedLine {
    if let Some(messages) = line.pointer("/$set/messages").and_then(Value::as_array) {
        return ParsedLine {
            messages: messages.iter().map(message).collect(),
            rewrite: Rewrite::Replaces,
            ..ParsedLine::default()
        };
    }
    if line.get("type").is_none() {
        return ParsedLine {
            facts: ConversationFacts {
                generated_title: owned_at(line, "/$set/summary"),
                ..ConversationFacts::default()
            },
            ..ParsedLine::default()
        };
    }
    let begins = parts(line).iter().any(is_context);
    ParsedLine {
        messages: vec![message(line)],
        rewrite: if begins { Rewrite::Begins } else { Rewrite::No },
        facts: ConversationFacts {
            model: owned_at(line, "/model"),
            tokens: sum_at(line, &["/tokens/input"]),
            ..ConversationFacts::default()
        },
        ..ParsedLine::default()
    }
}

fn parts(message: &Value) -> &[Value] {
    let parts = message.get("content").and_then(Value::as_array);
    parts.map_or(&[], Vec::as_slice)
}

fn is_context(part: &Value) -> bool {
    text_of_part(part).is_some_and(|text| text.starts_with(CONTEXT))
}

fn message(message: &Value) -> TranscriptMessage {
    let entries = match string_at(message, "/type") {
        Some("user") => user(message),
        Some("gemini") => model(message),
        Some("info" | "error" | "warning") => {
            let text = message.get("content").map(text).unwrap_or_default();
            vec![LogEntry::note(text)]
        }
        _ => Vec::new(),
    };
    TranscriptMessage {
        id: owned_at(message, "/id"),
        at: owned_at(message, "/timestamp"),
        entries,
        cut: None,
    }
}

fn user(message: &Value) -> Vec<LogEntry> {
    let mut entries: Vec<LogEntry> = parts(message).iter().filter_map(result).collect();
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        _ => {
            let texts = parts(message).iter().filter(|part| !is_context(part));
            let texts: Vec<&str> = texts.filter_map(text_of_part).collect();
            texts.join("\n")
        }
    };
    if !text.is_empty() {
        entries.push(prompt(text));
    }
    entries
}

fn result(part: &Value) -> Option<LogEntry> {
    let response = part.get("functionResponse")?;
    let output = string_at(response, "/response/output");
    let error = string_at(response, "/response/error");
    let other = || response.get("response").map(ToString::to_string);
    Some(LogEntry::Result {
        id: owned_at(response, "/id").unwrap_or_default(),
        text: output
            .or(error)
            .map(Into::into)
            .or_else(other)
            .unwrap_or_default(),
        error: error.is_some(),
    })
}

fn model(message: &Value) -> Vec<LogEntry> {
    let text = message.get("content").map(text).unwrap_or_default();
    let calls = parts(message)
        .iter()
        .filter_map(|part| part.get("functionCall"));
    let run = message.get("toolCalls").and_then(Value::as_array);
    let tools = calls.chain(run.into_iter().flatten()).map(tool);
    let text = (!text.is_empty()).then(|| answer(text));
    text.into_iter().chain(tools).collect()
}

fn tool(call: &Value) -> LogEntry {
    LogEntry::Tool {
        id: owned_at(call, "/id").unwrap_or_default(),
        name: owned_at(call, "/name").unwrap_or_default(),
        input: call.get("args").cloned().unwrap_or_default(),
    }
}
