//! The transcript that an agent keeps of a conversation: whether the agent took a prompt, and what it answered.
//!
//! A transcript consists of lines of JSON, and grows at its end. [`crate::transcript`] reads the content of a line.
//! opencode 1.18.33 keeps a database, and aider 0.86.2 text; those are not read.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::message;
use crate::transcript::LogEntry;
use crate::transcript::form::TranscriptForm;

/// The file of a conversation, and how far it was read.
#[derive(Debug)]
pub struct Transcript {
    form: TranscriptForm,
    path: PathBuf,
    offset: u64,
    /// The bytes of a line whose end is not written yet.
    partial: Vec<u8>,
}

/// An entry of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TranscriptLine {
    /// A prompt that the agent took or queued.
    Prompt(String),
    /// A part of an answer.
    Answer(String),
    /// Something else, such as the error with which a turn ends.
    Note(String),
    /// A turn begins.
    Begin,
    /// The turn has ended.
    End,
}

impl Transcript {
    /// Returns the transcript in a file, positioned at its end, or `None` if the file cannot be read.
    #[must_use]
    pub fn at_end(form: TranscriptForm, path: PathBuf) -> Option<Self> {
        let offset = path.metadata().ok()?.len();
        Some(Self {
            form,
            path,
            offset,
            partial: Vec::new(),
        })
    }

    /// Returns the transcript positioned at its start.
    #[must_use]
    pub fn from_begin(self) -> Self {
        Self {
            offset: 0,
            partial: Vec::new(),
            ..self
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the last turn has not ended: it continues, or its process died during it.
    #[must_use]
    pub fn is_in_turn(self) -> bool {
        let entries = self.from_begin().more();
        let last = entries
            .iter()
            .rfind(|entry| matches!(entry, TranscriptLine::Begin | TranscriptLine::End));
        last == Some(&TranscriptLine::Begin)
    }

    /// Returns the entries that were added since the last read.
    pub fn more(&mut self) -> Vec<TranscriptLine> {
        let mut bytes = std::mem::take(&mut self.partial);
        let added = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_end(&mut bytes)
        });
        self.offset += added.map_or(0, |added| added as u64);
        let end = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.partial = bytes.split_off(end);
        bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .flat_map(|line| self.form.content(&line).messages)
            .flat_map(|message| message.entries)
            .filter_map(TranscriptLine::of)
            .collect()
    }

    /// Returns whether this text was added as a prompt.
    pub fn took(&mut self, text: &str) -> bool {
        let text = message::normalized(text);
        self.more()
            .iter()
            .any(|entry| matches!(entry, TranscriptLine::Prompt(prompt) if message::normalized(prompt) == text))
    }
}

impl TranscriptLine {
    /// Returns what an entry of a log is here.
    fn of(entry: LogEntry) -> Option<Self> {
        match entry {
            LogEntry::Prompt { text } | LogEntry::Queued { text } => Some(Self::Prompt(text)),
            LogEntry::Answer { text } => Some(Self::Answer(text)),
            LogEntry::Begin => Some(Self::Begin),
            LogEntry::End => Some(Self::End),
            LogEntry::Note { text } => Some(Self::Note(text)),
            LogEntry::Tool { .. } | LogEntry::Result { .. } | LogEntry::Conversation { .. } => None,
        }
    }
}

/// Returns the files of a conversation, the newest first. `files` is the manifest's pattern below the agent's folder; a
/// `*` in it stands for a part of a name.
pub(super) fn files(folder: &Path, files: &str, id: &str) -> Vec<PathBuf> {
    let pattern = of_conversation(files, id);
    let mut found = vec![folder.to_path_buf()];
    for part in pattern.split('/') {
        found = match part.split_once('*') {
            None => found.into_iter().map(|path| path.join(part)).collect(),
            Some(_) => found
                .iter()
                .filter_map(|path| path.read_dir().ok())
                .flatten()
                .flatten()
                .filter(|entry| fits(part, &entry.file_name().to_string_lossy()))
                .map(|entry| entry.path())
                .collect(),
        };
    }
    found.retain(|path| path.is_file());
    found.sort_by_cached_key(|path| {
        std::cmp::Reverse(path.metadata().and_then(|it| it.modified()).ok())
    });
    found
}

/// Returns whether a path below the agent's folder fits the manifest's pattern of the files of a conversation.
pub(super) fn is_file_of(files: &str, id: &str, path: &str) -> bool {
    let pattern = of_conversation(files, id);
    let is_plain = |name: &str| !name.is_empty() && !name.starts_with('.');
    let count = |text: &str| text.split('/').count();
    let mut parts = pattern.split('/').zip(path.split('/'));
    count(&pattern) == count(path) && parts.all(|(part, name)| is_plain(name) && fits(part, name))
}

/// Returns a pattern of files with the id of a conversation.
fn of_conversation(files: &str, id: &str) -> String {
    // Gemini names the file after the first part of the id.
    let short = id.split('-').next().unwrap_or_default();
    files.replace("{id8}", short).replace("{id}", id)
}

/// Returns whether a name fits a part of a pattern.
fn fits(part: &str, name: &str) -> bool {
    match part.split_once('*') {
        None => part == name,
        Some((begin, end)) => {
            name.len() >= begin.len() + end.len()
                && name.starts_with(begin)
                && name.ends_with(end.trim_start_matches('*'))
        }
    }
}
