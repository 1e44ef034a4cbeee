//! What the forms have in common: how to read the values of a line.

use serde_json::Value;

use super::LogEntry;

/// Returns the string at a JSON pointer of a line.
pub(super) fn string_at<'a>(line: &'a Value, pointer: &str) -> Option<&'a str> {
    line.pointer(pointer).and_then(Value::as_str)
}

/// Returns the same as an owned string.
pub(super) fn owned_at(line: &Value, pointer: &str) -> Option<String> {
    string_at(line, pointer).map(Into::into)
}

/// Returns the sum of the numbers at these JSON pointers, if it is not 0.
pub(super) fn sum_at(line: &Value, pointers: &[&str]) -> Option<u64> {
    let numbers = pointers.iter().filter_map(|it| line.pointer(it)?.as_u64());
    Some(numbers.fold(0, u64::saturating_add)).filter(|sum| *sum > 0)
}

/// Returns whether the value at a JSON pointer is `true`.
pub(super) fn is_true(line: &Value, pointer: &str) -> bool {
    line.pointer(pointer) == Some(&Value::Bool(true))
}

/// Returns one entry with the text of a content, or none if it has no text.
pub(super) fn entry(make: fn(String) -> LogEntry, content: Option<&Value>) -> Option<LogEntry> {
    let text = content.map(text).unwrap_or_default();
    (!text.is_empty()).then(|| make(text))
}

pub(super) fn prompt(text: String) -> LogEntry {
    LogEntry::Prompt { text }
}

pub(super) fn answer(text: String) -> LogEntry {
    LogEntry::Answer { text }
}

/// Returns the text of a content: a string, or the parts that have a text.
pub(super) fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(text_of_part).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// Returns the text of a part of a content.
pub(super) fn text_of_part(part: &Value) -> Option<&str> {
    let kind = part.get("type").and_then(Value::as_str);
    // `text`, `Text`, `input_text` and `output_text`.
    let is_text = kind.is_none_or(|kind| kind.ends_with("ext"));
    part.get("text").and_then(Value::as_str).filter(|_| is_text)
}
