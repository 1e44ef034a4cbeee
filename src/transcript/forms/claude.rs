//! The transcripts of Claude Code. Measured: 2.1.329 and 2.1.332.
//!
//! They are a tree, because a conversation can go back to an earlier prompt, and because two processes can write to one.
//! Where the model uses several tools at once, each use names the one before it, and each result its use.

use serde_json::Value;

use crate::transcript::content::{
    answer, is_true, owned_at, prompt, string_at, sum_at, text, text_of_part,
};
use crate::transcript::summary::ConversationFacts;
use crate::transcript::{LogEntry, ParsedLine, TranscriptMessage};

pub(in crate::transcript) fn content(line: &Value) -> ParsedLine {
    // Lines of a sub-agent do not belong to the conversation.
    if is_true(line, "/isSidechain") {
        return ParsedLine::default();
    }
    let entries = match string_at(line, "/type") {
        Some("user") => user(line),
        Some("assistant") => assistant(line),
        Some("system") => system(line),
        // A prompt that the agent takes while it works.
        Some("attachment") if string_at(line, "/attachment/type") == Some("queued_command") => {
            let text = line.pointer("/attachment/prompt").map(text);
            text.into_iter().map(prompt).collect()
        }
        Some("queue-operation") if string_at(line, "/operation") == Some("enqueue") => {
            let text = line.get("content").map(text).unwrap_or_default();
            vec![LogEntry::Queued { text }]
        }
        _ => Vec::new(),
    };
    // The line before the place where the past was folded.
    let folded = || owned_at(line, "/logicalParentUuid");
    ParsedLine {
        parent: owned_at(line, "/parentUuid").or_else(folded),
        group: owned_at(line, "/message/id"),
        messages: vec![TranscriptMessage {
            id: owned_at(line, "/uuid"),
            at: owned_at(line, "/timestamp"),
            entries,
            cut: None,
        }],
        facts: facts(line),
        ..ParsedLine::default()
    }
}

fn facts(line: &Value) -> ConversationFacts {
    // What Claude Code itself says in the place of an answer.
    const NO_MODEL: &str = "<synthetic>";
    let model = owned_at(line, "/message/model").filter(|model| model != NO_MODEL);
    ConversationFacts {
        tokens: model.as_ref().and_then(|_| {
            let usage = [
                "/message/usage/input_tokens",
                "/message/usage/cache_creation_input_tokens",
                "/message/usage/cache_read_input_tokens",
            ];
            sum_at(line, &usage)
        }),
        model,
        window: None,
        title: owned_at(line, "/customTitle"),
        generated_title: owned_at(line, "/aiTitle"),
    }
}

fn system(line: &Value) -> Vec<LogEntry> {
    match string_at(line, "/subtype") {
        Some("turn_duration") => vec![LogEntry::End],
        Some("compact_boundary") => vec![LogEntry::note("the conversation was compacted")],
        _ => Vec::new(),
    }
}

fn assistant(line: &Value) -> Vec<LogEntry> {
    let content = line.pointer("/message/content");
    if is_true(line, "/isApiErrorMessage") {
        return content.map(text).map(LogEntry::note).into_iter().collect();
    }
    match content {
        Some(Value::Array(parts)) => parts.iter().filter_map(part).collect(),
        Some(Value::String(text)) => vec![answer(text.clone())],
        _ => Vec::new(),
    }
}

/// Returns what a part of an answer is.
fn part(part: &Value) -> Option<LogEntry> {
    if string_at(part, "/type") == Some("tool_use") {
        return Some(LogEntry::Tool {
            id: owned_at(part, "/id").unwrap_or_default(),
            name: owned_at(part, "/name").unwrap_or_default(),
            input: part.get("input").cloned().unwrap_or_default(),
        });
    }
    let text = text_of_part(part).filter(|text| !text.is_empty())?;
    Some(answer(text.into()))
}

fn user(line: &Value) -> Vec<LogEntry> {
    if is_true(line, "/isMeta") {
        return Vec::new();
    }
    let content = line.pointer("/message/content");
    let parts = content.and_then(Value::as_array).into_iter().flatten();
    let mut entries: Vec<LogEntry> = parts.filter_map(result).collect();
    let text = content.map(text).unwrap_or_default();
    if !text.is_empty() {
        entries.push(said(line, text));
    }
    entries
}

fn result(part: &Value) -> Option<LogEntry> {
    (string_at(part, "/type") == Some("tool_result")).then(|| LogEntry::Result {
        id: owned_at(part, "/tool_use_id").unwrap_or_default(),
        text: part.get("content").map(text).unwrap_or_default(),
        error: is_true(part, "/is_error"),
    })
}

/// Returns what a text of the user's side is: a prompt, or what the agent itself says there.
fn said(line: &Value, text: String) -> LogEntry {
    let origin = string_at(line, "/origin/kind");
    if text.starts_with("[Request interrupted by user") {
        return LogEntry::note("interrupted");
    }
    if is_true(line, "/isCompactSummary")
        || origin.is_some_and(|origin| origin != "human")
        || text.starts_with("<local-command-")
    {
        return LogEntry::note(text);
    }
    prompt(command(&text).unwrap_or(text))
}

/// Returns a slash command as it was typed.
fn command(text: &str) -> Option<String> {
    let field = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.trim())
    };
    if !text.starts_with("<command-") {
        return None;
    }
    let name = field("command-name")?;
    let arguments = field("command-args").unwrap_or_default();
    Some(format!("{name} {arguments}").trim_end().into())
}
