//! Reads the transcripts that agents keep of their conversations: files of lines of JSON that grow at their end.
//!
//! [`lines`] splits a file into lines, from its end or as it grows, and never returns a line whose end is not written yet.
//! [`form`] and the files in `forms` read the content of a line. [`history`] reads the last turns of a conversation, [`growth`]
//! what is added afterwards, and [`summary`] what the end says of all of it. Nothing here knows which agent keeps which form: its manifest says so.

mod content;
pub mod form;
pub mod growth;
pub mod history;
pub mod lines;
pub mod summary;
mod forms {
    pub(super) mod claude;
    pub(super) mod codex;
    pub(super) mod copilot;
    pub(super) mod gemini;
    pub(super) mod pi;
}

use serde::Serialize;
use serde_json::Value;
use summary::ConversationFacts;

/// The size from which a line is cut, in bytes.
pub const LINE_LIMIT: usize = 1 << 20;

/// One thing that a transcript has of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum LogEntry {
    /// A prompt that the agent took. A turn begins with it.
    Prompt { text: String },
    /// A part of an answer.
    Answer { text: String },
    /// The agent uses a tool.
    Tool {
        id: String,
        name: String,
        input: Value,
    },
    /// The result of a tool, with the id of its use.
    Result {
        id: String,
        text: String,
        error: bool,
    },
    /// Something that is neither a prompt nor an answer: an interrupt, an error, a summary, a message of the agent itself.
    Note { text: String },
    /// Another conversation begins, with this id. No transcript has it: a log that follows a sesh does.
    Conversation { id: String },
    /// A prompt that waits until the agent takes it. The log leaves it out.
    #[serde(skip)]
    Queued { text: String },
    /// The agent begins to work. The log leaves it out.
    #[serde(skip)]
    Begin,
    /// The agent has finished. The log leaves it out.
    #[serde(skip)]
    End,
}

impl LogEntry {
    /// Returns a note.
    pub(crate) fn note(text: impl Into<String>) -> Self {
        Self::Note { text: text.into() }
    }

    /// Returns whether a log shows it.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        !matches!(self, Self::Queued { .. } | Self::Begin | Self::End)
    }

    /// Returns the text of a prompt.
    fn into_prompt(self) -> Option<String> {
        match self {
            Self::Prompt { text } => Some(text),
            _ => None,
        }
    }

    /// Returns its text, which a long line has cut.
    fn text_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Prompt { text }
            | Self::Answer { text }
            | Self::Result { text, .. }
            | Self::Note { text }
            | Self::Queued { text } => Some(text),
            Self::Tool { .. } | Self::Conversation { .. } | Self::Begin | Self::End => None,
        }
    }
}

/// An entry as the log prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Logged {
    #[serde(flatten)]
    pub entry: LogEntry,
    /// When it was written, in the transcript's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The size of the line that it was cut out of, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
}

/// A message of a conversation: what a line has, or one of several that it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TranscriptMessage {
    pub id: Option<String>,
    pub at: Option<String>,
    pub entries: Vec<LogEntry>,
    /// The size of its line, if the line was cut.
    pub cut: Option<u64>,
}

impl TranscriptMessage {
    /// Returns its entries from one on, as the log prints them.
    pub(crate) fn logged(self, from: usize) -> impl Iterator<Item = Logged> {
        let (at, cut) = (self.at, self.cut);
        self.entries
            .into_iter()
            .skip(from)
            .filter(LogEntry::is_shown)
            .map(move |entry| Logged {
                entry,
                at: at.clone(),
                cut,
            })
    }

    /// Returns whether it begins a turn.
    pub(crate) fn is_prompt(&self) -> bool {
        let is_prompt = |entry: &LogEntry| matches!(entry, LogEntry::Prompt { .. });
        self.entries.iter().any(is_prompt)
    }
}

/// What a line of a transcript has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedLine {
    /// In a tree: the id of the message before it. `None` is the root, or no node at all.
    pub parent: Option<String>,
    /// In a tree: the messages with the same group were one message of the model, so they are on the same branch.
    pub group: Option<String>,
    pub messages: Vec<TranscriptMessage>,
    pub rewrite: Rewrite,
    pub facts: ConversationFacts,
}

/// What a line does to the lines before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rewrite {
    #[default]
    No,
    /// The messages that follow repeat the conversation, up to a line that replaces it.
    Begins,
    /// Its messages are the whole conversation.
    Replaces,
}
