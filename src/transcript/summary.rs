//! What a transcript says of the conversation as a whole: its model, its title, how full its context is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::form::TranscriptForm;
use super::lines::{LineFeed, LinesBack, RawLine};
use super::{LINE_LIMIT, LogEntry};

/// How much of the end of a transcript is read, in bytes. Claude Code writes the title again and again, so that it is
/// never further from the end.
const END: u64 = 64 << 10;
/// How much is read for the last prompt, where it is further from the end.
const PROMPT_LIMIT: u64 = 4 << 20;
/// How much of the start of a transcript is read for the first prompt.
const START: u64 = 1 << 20;

/// What a line says of the conversation as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFacts {
    /// The model that has answered.
    pub model: Option<String>,
    /// The tokens that the last request had, with those from a cache.
    pub tokens: Option<u64>,
    /// The tokens that a request can have, where the transcript says so.
    pub window: Option<u64>,
    /// The title that a person gave the conversation. An empty one removes it.
    pub title: Option<String>,
    /// The title that the agent gave the conversation, which counts where a person gave none.
    pub generated_title: Option<String>,
}

impl ConversationFacts {
    /// Fills what is missing from what an earlier line says.
    fn fill(&mut self, earlier: Self) {
        self.model = self.model.take().or(earlier.model);
        self.tokens = self.tokens.or(earlier.tokens);
        self.window = self.window.or(earlier.window);
        self.title = self.title.take().or(earlier.title);
        self.generated_title = self.generated_title.take().or(earlier.generated_title);
    }

    /// Returns whether the last answer was found.
    fn is_measured(&self) -> bool {
        self.model.is_some() && self.tokens.is_some()
    }

    fn is_complete(&self) -> bool {
        let is_titled = self
            .title
            .as_ref()
            .is_some_and(|title| !title.trim().is_empty());
        self.is_measured() && is_titled
    }
}

/// A conversation as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TranscriptSummary {
    pub model: Option<String>,
    /// The title of the conversation.
    pub title: Option<String>,
    /// The last prompt.
    pub prompt: Option<String>,
    tokens: Option<u64>,
    window: Option<u64>,
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
            if read > END && prompt.is_some() || read > PROMPT_LIMIT {
                break;
            }
            // Parsing is nearly all of the cost.
            if matches!(&line, RawLine::Whole(line) if form.is_without_facts(line, facts.is_measured()))
            {
                continue;
            }
            let Some(parsed) = form.parse(&line) else {
                continue;
            };
            facts.fill(parsed.facts);
            let entries = parsed.messages.into_iter().flat_map(|it| it.entries);
            prompt = prompt.or_else(|| entries.rev().find_map(LogEntry::into_prompt));
            if facts.is_complete() {
                break;
            }
        }
        let title = [facts.title, facts.generated_title].into_iter().flatten();
        Ok(Self {
            model: facts.model,
            title: { title }.find(|title| !title.trim().is_empty()),
            prompt,
            tokens: facts.tokens,
            window: facts.window,
        })
    }

    /// Returns how full the context is, in percent. It is `None` unless the transcript says how much fits, or `windows`
    /// has the model.
    #[must_use]
    pub fn context(&self, windows: &BTreeMap<String, u64>) -> Option<u64> {
        let known = || windows.get(self.model.as_ref()?).copied();
        let window = self.window.or_else(known).filter(|window| *window > 0)?;
        Some(self.tokens?.saturating_mul(100) / window)
    }

    /// Returns the title of the conversation, or the first line of the last prompt.
    #[must_use]
    pub fn title_or_prompt(&self) -> Option<&str> {
        let prompt = || self.prompt.as_ref()?.trim().lines().next();
        self.title.as_deref().or_else(prompt)
    }
}

/// Returns the first prompt of a conversation that is no command of the agent, if it is near the start of the transcript.
///
/// # Errors
/// The file cannot be read.
pub fn first_prompt(file: &File, form: TranscriptForm) -> io::Result<Option<String>> {
    const BLOCK: usize = 64 << 10;
    let mut feed = LineFeed::at(0);
    let mut block = vec![0; BLOCK];
    while feed.read_to() < START {
        let size = file.read_at(&mut block, feed.read_to())?;
        if size == 0 {
            break;
        }
        let lines = feed.feed(&block[..size]);
        let parsed = lines.iter().filter_map(|(_, line)| form.parse(line));
        let entries = parsed.flat_map(|it| it.messages).flat_map(|it| it.entries);
        let prompt = entries
            .filter_map(LogEntry::into_prompt)
            .find(|text| !text.starts_with('/') && !text.trim().is_empty());
        if prompt.is_some() {
            return Ok(prompt);
        }
    }
    Ok(None)
}
