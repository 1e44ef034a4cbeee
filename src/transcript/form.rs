//! The forms of transcripts, and the parsing of a line.

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use super::forms::{claude, codex, copilot, gemini, pi};
use super::lines::RawLine;
use super::{LINE_LIMIT, LogEntry, ParsedLine, TranscriptMessage};

/// The form of a transcript, which a manifest names. A form has the name of the agent that it was measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TranscriptForm {
    /// A tree: each line names the line before it, and the branch of the newest line counts.
    Claude,
    /// A list of events.
    Codex,
    /// A list of events.
    Copilot,
    /// A list of messages that later lines can replace. Each resume begins a new file, which repeats all of it.
    Gemini,
    /// A tree, as the form of Claude.
    Pi,
}

impl TranscriptForm {
    /// Returns whether its lines are a tree.
    #[must_use]
    pub fn is_tree(self) -> bool {
        matches!(self, Self::Claude | Self::Pi)
    }

    /// Returns whether a conversation moves to another file. A position in one is of no use in the next.
    #[must_use]
    pub fn changes_file(self) -> bool {
        self == Self::Gemini
    }

    /// Returns what a line has, or `None` where it cannot be read.
    #[must_use]
    pub fn parse(self, line: &RawLine) -> Option<ParsedLine> {
        let bytes = match line {
            RawLine::Whole(bytes) => bytes,
            RawLine::TooLong(_) => return None,
        };
        if bytes.iter().all(u8::is_ascii_whitespace) || self.is_bookkeeping(bytes) {
            return Some(ParsedLine::default());
        }
        let mut parsed = self.content(&serde_json::from_slice(bytes).ok()?);
        if bytes.len() > LINE_LIMIT {
            cut(&mut parsed.messages, bytes.len());
        }
        Some(parsed)
    }

    /// Returns whether a line has no prompt and says nothing of the conversation as a whole, without parsing it.
    /// `is_measured` says that answers have nothing more to tell. These are the words as the agents write them: in a text
    /// their quotes are escaped.
    pub(super) fn is_without_facts(self, line: &[u8], is_measured: bool) -> bool {
        let has = |word: &str| memmem::find(line, word.as_bytes()).is_some();
        match self {
            Self::Claude => {
                has(r#""type":"tool_result""#) || is_measured && has(r#""type":"assistant""#)
            }
            Self::Codex => has(r#""type":"response_item""#),
            Self::Pi => {
                has(r#""role":"toolResult""#) || is_measured && has(r#""role":"assistant""#)
            }
            Self::Copilot | Self::Gemini => false,
        }
    }

    /// Returns what the JSON of a line has.
    #[must_use]
    pub fn content(self, line: &Value) -> ParsedLine {
        match self {
            Self::Claude => claude::content(line),
            Self::Codex => codex::content(line),
            Self::Copilot => copilot::content(line),
            Self::Gemini => gemini::content(line),
            Self::Pi => pi::content(line),
        }
    }

    /// Returns whether a line has nothing for a log, without parsing it: such lines are two thirds of a transcript of
    /// Claude.
    fn is_bookkeeping(self, line: &[u8]) -> bool {
        const BEGINS: [&[u8]; 2] = [b"{\"type\":\"api-request", b"{\"type\":\"file-history-"];
        self == Self::Claude && BEGINS.iter().any(|begin| line.starts_with(begin))
    }
}

/// Cuts the texts of a long line, so that they have the size of the longest line that is not cut, together.
fn cut(messages: &mut [TranscriptMessage], size: usize) {
    let mut left = LINE_LIMIT;
    for message in messages {
        message.cut = Some(size as u64);
        for entry in &mut message.entries {
            if let LogEntry::Tool { input, .. } = entry {
                let text = input.to_string();
                if text.len() > left {
                    *input = Value::String(text[..boundary(&text, left)].into());
                }
                left = left.saturating_sub(text.len());
            }
            if let Some(text) = entry.text_mut() {
                text.truncate(boundary(text, left));
                left -= text.len();
            }
        }
    }
}

/// Returns the last boundary between characters of a text that is not behind a position.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
