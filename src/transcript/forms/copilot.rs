//! The transcripts of Copilot CLI. Measured: 1.0.102.

use serde_json::Value;

use crate::transcript::content::{answer, entry, owned_at, prompt, string_at, sum_at};
use crate::transcript::summary::ConversationFacts;
use crate::transcript::{LogEntry, ParsedLine, TranscriptMessage};

pub(in crate::transcript) fn content(line: &Value) -> ParsedLine {
    let data = line.get("data").unwrap_or(&Value::Null);
    let found = match string_at(line, "/type") {
        Some("user.message") => entry(prompt, data.get("content")),
        Some("assistant.message") => entry(answer, data.get("content")),
        Some("assistant.turn_end") => Some(LogEntry::End),
        Some("abort") => Some(LogEntry::note("interrupted")),
        Some("tool.execution_start") => Some(LogEntry::Tool {
            id: owned_at(data, "/toolCallId").unwrap_or_default(),
            name: owned_at(data, "/toolName").unwrap_or_default(),
            input: data.get("arguments").cloned().unwrap_or_default(),
        }),
        Some("tool.execution_complete") => {
            let error = owned_at(data, "/error/message");
            Some(LogEntry::Result {
                id: owned_at(data, "/toolCallId").unwrap_or_default(),
                error: error.is_some(),
                text: error
                    .or_else(|| owned_at(data, "/result/content"))
                    .unwrap_or_default(),
            })
        }
        _ => None,
    };
    ParsedLine {
        messages: vec![TranscriptMessage {
            id: None,
            at: owned_at(line, "/timestamp"),
            entries: found.into_iter().collect(),
            cut: None,
        }],
        facts: ConversationFacts {
            model: owned_at(data, "/model"),
            tokens: sum_at(
                data,
                &[
                    "/usage/inputTokens",
                    "/usage/cacheReadTokens",
                    "/usage/cacheWriteTokens",
                ],
            ),
            ..ConversationFacts::default()
        },
        ..ParsedLine::default()
    }
}
