//! The transcripts of Codex, which it calls rollouts. Measured: 0.169.0 and 0.171.0.

use serde_json::Value;

use crate::transcript::content::{answer, entry, owned_at, prompt, string_at, sum_at, text};
use crate::transcript::summary::ConversationFacts;
use crate::transcript::{LogEntry, ParsedLine, TranscriptMessage};

pub(in crate::transcript) fn content(line: &Value) -> ParsedLine {
    let payload = line.get("payload").unwrap_or(&Value::Null);
    let kind = string_at(payload, "/type");
    let entries = match (string_at(line, "/type"), kind) {
        (Some("event_msg"), Some(kind)) => event(payload, kind),
        (Some("response_item"), Some(kind)) => item(payload, kind),
        (Some("compacted"), _) => vec![LogEntry::note("the conversation was compacted")],
        _ => Vec::new(),
    };
    ParsedLine {
        messages: vec![TranscriptMessage {
            id: None,
            at: owned_at(line, "/timestamp"),
            entries,
            cut: None,
        }],
        facts: facts(line),
        ..ParsedLine::default()
    }
}

fn facts(line: &Value) -> ConversationFacts {
    let is_context = string_at(line, "/type") == Some("turn_context");
    ConversationFacts {
        model: owned_at(line, "/payload/model").filter(|_| is_context),
        // Those from the cache are among them.
        tokens: sum_at(line, &["/payload/info/last_token_usage/input_tokens"]),
        window: sum_at(line, &["/payload/info/model_context_window"]),
        ..ConversationFacts::default()
    }
}

/// Returns what an event is. A prompt and an answer are events and items, and only the events of prompts are without
/// what Codex itself adds.
fn event(payload: &Value, kind: &str) -> Vec<LogEntry> {
    match kind {
        "task_started" => vec![LogEntry::Begin],
        "task_complete" => {
            let error = owned_at(payload, "/error/message").map(LogEntry::note);
            error.into_iter().chain([LogEntry::End]).collect()
        }
        "turn_aborted" => vec![LogEntry::note("interrupted"), LogEntry::End],
        "item_completed" => {
            let content = payload.pointer("/item/content");
            let found = match string_at(payload, "/item/type") {
                Some("UserMessage") => entry(prompt, content),
                Some("AgentMessage") => entry(answer, content),
                _ => None,
            };
            found.into_iter().collect()
        }
        // The events of versions before 0.169.
        "user_message" => entry(prompt, payload.get("message")).into_iter().collect(),
        "agent_message" => entry(answer, payload.get("message")).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn item(payload: &Value, kind: &str) -> Vec<LogEntry> {
    let id = || owned_at(payload, "/call_id").unwrap_or_default();
    match kind {
        "function_call" | "custom_tool_call" => {
            let input = payload.get("arguments").or_else(|| payload.get("input"));
            vec![LogEntry::Tool {
                id: id(),
                name: owned_at(payload, "/name").unwrap_or_default(),
                input: input.map(parsed).unwrap_or_default(),
            }]
        }
        "function_call_output" | "custom_tool_call_output" => {
            let output = payload.get("output").map(text).unwrap_or_default();
            let (text, error) = of_output(&output);
            vec![LogEntry::Result {
                id: id(),
                text,
                error,
            }]
        }
        _ => Vec::new(),
    }
}

/// Returns the value of arguments, which are JSON in a string.
fn parsed(arguments: &Value) -> Value {
    arguments
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| arguments.clone())
}

/// Returns the output of a tool without the lines that Codex puts before it, and whether the tool has failed.
fn of_output(output: &str) -> (String, bool) {
    let (head, text) = match output.split_once("\nOutput:\n") {
        Some((head, text)) => (head, text),
        None => (output, output),
    };
    let code = head.split_once("Process exited with code ");
    let failed = code.is_some_and(|(_, code)| code.lines().next() != Some("0"));
    let aborted = output.ends_with("aborted by user");
    (text.into(), failed || aborted)
}
