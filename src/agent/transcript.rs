//! What an agent keeps of a conversation: whether it took a prompt, and what it answered.
//!
//! Lines of JSON, which grow at their end; what a line tells is read in [`kinds`](super::kinds). opencode 1.18.33 keeps a
//! database, and aider 0.86.2 text: those are not read.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::message;

/// Returns what a line of a kind's transcript tells.
pub type Entries = fn(&Value) -> Vec<TranscriptLine>;

/// The file of a conversation, and how far it was read.
#[derive(Debug)]
pub struct Transcript {
    entries: Entries,
    path: PathBuf,
    read: u64,
    /// What was read of a line whose end is not there yet.
    begun: Vec<u8>,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TranscriptLine {
    /// A prompt that was taken, or queued.
    Prompt(String),
    /// A part of an answer.
    Answer(String),
    /// A turn begins.
    Begin,
    /// The turn is over.
    End,
}

impl Transcript {
    /// The transcript of a conversation, from its end on. `None` where there is none.
    ///
    /// `files` is the manifest's pattern below the agent's folder.
    #[must_use]
    pub fn find(entries: Entries, folder: &Path, files: &str, id: &str) -> Option<Self> {
        // Gemini names the file after the id's first part.
        let short = id.split('-').next().unwrap_or_default();
        let pattern = files.replace("{id8}", short).replace("{id}", id);
        let path = newest(folder, &pattern)?;
        let read = path.metadata().ok()?.len();
        Some(Self {
            entries,
            path,
            read,
            begun: Vec::new(),
        })
    }

    /// The same from its begin on.
    #[must_use]
    pub fn from_begin(self) -> Self {
        Self {
            read: 0,
            begun: Vec::new(),
            ..self
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its last turn has not ended: it goes on, or whoever wrote it died over it.
    #[must_use]
    pub fn is_in_turn(self) -> bool {
        let entries = self.from_begin().more();
        let last = entries
            .iter()
            .rfind(|entry| matches!(entry, TranscriptLine::Begin | TranscriptLine::End));
        last == Some(&TranscriptLine::Begin)
    }

    /// What was added since it was read last.
    pub fn more(&mut self) -> Vec<TranscriptLine> {
        let mut bytes = std::mem::take(&mut self.begun);
        let added = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut bytes)
        });
        self.read += added.map_or(0, |added| added as u64);
        let end = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        self.begun = bytes.split_off(end);
        bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .flat_map(|line| (self.entries)(&line))
            .collect()
    }

    /// Whether a prompt was added that is this text.
    pub fn took(&mut self, text: &str) -> bool {
        let text = message::essence(text);
        self.more()
            .iter()
            .any(|entry| matches!(entry, TranscriptLine::Prompt(prompt) if message::essence(prompt) == text))
    }
}

/// The newest file that a pattern names, in which a `*` stands for a part of a name.
fn newest(folder: &Path, pattern: &str) -> Option<PathBuf> {
    let mut found = vec![folder.to_path_buf()];
    for part in pattern.split('/') {
        found = match part.split_once('*') {
            None => found.into_iter().map(|path| path.join(part)).collect(),
            Some((begin, end)) => found
                .iter()
                .filter_map(|path| path.read_dir().ok())
                .flatten()
                .flatten()
                .filter(|entry| {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    name.len() >= begin.len() + end.len()
                        && name.starts_with(begin)
                        && name.ends_with(end.trim_start_matches('*'))
                })
                .map(|entry| entry.path())
                .collect(),
        };
    }
    found
        .into_iter()
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().and_then(|it| it.modified()).ok())
}

/// One entry with the text of a content, if it has any.
pub(super) fn entry(
    make: fn(String) -> TranscriptLine,
    content: Option<&Value>,
) -> Vec<TranscriptLine> {
    let text = content.map(text).unwrap_or_default();
    (!text.is_empty()).then(|| make(text)).into_iter().collect()
}

/// The text at a place of a line.
pub(super) fn word<'a>(line: &'a Value, pointer: &str) -> Option<&'a str> {
    line.pointer(pointer).and_then(Value::as_str)
}

/// The text of a content: a text, or parts of which some have one.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter(|part| {
                    let kind = part.get("type").and_then(Value::as_str);
                    kind.is_none_or(|kind| kind.ends_with("text"))
                })
                .filter_map(|part| part.get("text")?.as_str())
                .collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}
