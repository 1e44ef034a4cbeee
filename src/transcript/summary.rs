//! What the end of a transcript says of the conversation as a whole: its model, its title, how full its context is.

use std::fs::File;
use std::io;

use super::form::TranscriptForm;
use super::lines::LinesBack;
use super::{LINE_LIMIT, LogEntry};

/// How much of a transcript is read, in bytes.
const END: u64 = 512 << 10;

/// What a line says of the conversation as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFacts {
    /// The model that has answered.
    pub model: Option<String>,
    /// The tokens that the last request had, with those from a cache.
    pub tokens: Option<u64>,
    /// The tokens that a request can have, where the transcript says so.
    pub window: Option<u64>,
    /// The title that the agent or a person gave the conversation.
    pub title: Option<String>,
}

impl ConversationFacts {
    /// Fills what is missing from what an earlier line says.
    fn fill(&mut self, earlier: Self) {
        self.model = self.model.take().or(earlier.model);
        self.tokens = self.tokens.or(earlier.tokens);
        self.window = self.window.or(earlier.window);
        self.title = self.title.take().or(earlier.title);
    }

    fn is_complete(&self) -> bool {
        self.model.is_some() && self.tokens.is_some() && self.title.is_some()
    }
}

/// A conversation as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranscriptSummary {
    pub model: Option<String>,
    /// How full the context is, in percent. `None` unless the transcript says how much fits.
    pub context: Option<u64>,
    /// The title of the conversation, or the first line of the last prompt.
    pub title: Option<String>,
}

impl TranscriptSummary {
    /// Reads the end of a transcript.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(file: File, form: TranscriptForm) -> io::Result<Self> {
        let mut lines = LinesBack::new(file)?;
        let mut facts = ConversationFacts::default();
        let mut prompt = None;
        let mut read = 0;
        while let Some((_, line)) = lines.previous()? {
            read += line.size().min(LINE_LIMIT as u64);
            if read > END && prompt.is_some() || read > END * 8 {
                break;
            }
            let Some(parsed) = form.parse(&line) else {
                continue;
            };
            facts.fill(parsed.facts);
            let entries = parsed.messages.into_iter().flat_map(|it| it.entries);
            prompt = prompt.or(entries.rev().find_map(|entry| match entry {
                LogEntry::Prompt { text } => Some(text),
                _ => None,
            }));
            if facts.is_complete() {
                break;
            }
        }
        let first_line = |text: String| text.trim().lines().next().map(Into::into);
        Ok(Self {
            context: facts
                .tokens
                .zip(facts.window.filter(|window| *window > 0))
                .map(|(tokens, window)| tokens.saturating_mul(100) / window),
            model: facts.model,
            title: facts.title.or_else(|| prompt.and_then(first_line)),
        })
    }
}
