//! What an agent keeps of a conversation: whether it took a prompt, and what it answered.
//!
//! Lines of JSON, which grow at their end. Measured on Claude Code 2.1.329, Codex 0.169.0, Gemini CLI 0.61.0, pi 0.73.1
//! and Copilot CLI 1.0.102; opencode keeps a database, and aider text.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::message;

/// The file of a conversation, and how far it was read.
#[derive(Debug)]
pub struct Transcript {
    kind: String,
    path: PathBuf,
    read: u64,
    /// What was read of a line whose end is not there yet.
    begun: Vec<u8>,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
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
    /// The transcript of a kind of agent, from its end on. `None` where there is none that can be read.
    ///
    /// `files` is the manifest's pattern below the agent's folder.
    #[must_use]
    pub fn find(kind: &str, folder: &Path, files: &str, id: &str) -> Option<Self> {
        // Gemini names the file after the id's first part.
        let short = id.split('-').next().unwrap_or_default();
        let pattern = files.replace("{id8}", short).replace("{id}", id);
        let path = newest(folder, &pattern)?;
        let read = path.metadata().ok()?.len();
        KINDS.contains(&kind).then(|| Self {
            kind: kind.into(),
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
            .rfind(|entry| matches!(entry, Entry::Begin | Entry::End));
        last == Some(&Entry::Begin)
    }

    /// What was added since it was read last.
    pub fn more(&mut self) -> Vec<Entry> {
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
            .flat_map(|line| entries(&self.kind, &line))
            .collect()
    }

    /// Whether a prompt was added that is this text.
    pub fn took(&mut self, text: &str) -> bool {
        let text = message::essence(text);
        self.more()
            .iter()
            .any(|entry| matches!(entry, Entry::Prompt(prompt) if message::essence(prompt) == text))
    }
}

/// Whose transcripts are understood.
const KINDS: [&str; 5] = ["claude", "codex", "copilot", "gemini", "pi"];

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

fn entries(kind: &str, line: &Value) -> Vec<Entry> {
    let word = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    let of = |make: fn(String) -> Entry, content: Option<&Value>| {
        let text = content.map(text).unwrap_or_default();
        (!text.is_empty()).then(|| make(text)).into_iter().collect()
    };
    let end = || vec![Entry::End];
    match (kind, word("/type")) {
        ("claude", _) if line.get("isSidechain") == Some(&Value::Bool(true)) => Vec::new(),
        ("claude", Some("user")) => of(Entry::Prompt, line.pointer("/message/content")),
        ("claude", Some("queue-operation")) if word("/operation") == Some("enqueue") => {
            of(Entry::Prompt, line.get("content"))
        }
        ("claude", Some("assistant")) => of(Entry::Answer, line.pointer("/message/content")),
        ("claude", Some("system")) if word("/subtype") == Some("turn_duration") => end(),
        ("codex", Some("response_item")) if word("/payload/type") == Some("message") => {
            match word("/payload/role") {
                Some("user") => of(Entry::Prompt, line.pointer("/payload/content")),
                Some("assistant") => of(Entry::Answer, line.pointer("/payload/content")),
                _ => Vec::new(),
            }
        }
        ("codex", Some("event_msg")) => match word("/payload/type") {
            Some("task_started") => vec![Entry::Begin],
            Some("task_complete" | "turn_aborted") => end(),
            _ => Vec::new(),
        },
        ("gemini", Some("user")) => of(Entry::Prompt, line.get("content")),
        ("gemini", Some("gemini")) => of(Entry::Answer, line.get("content")),
        ("pi", Some("message")) => match word("/message/role") {
            Some("user") => of(Entry::Prompt, line.pointer("/message/content")),
            Some("assistant") => of(Entry::Answer, line.pointer("/message/content")),
            _ => Vec::new(),
        },
        ("copilot", Some("user.message")) => of(Entry::Prompt, line.pointer("/data/content")),
        ("copilot", Some("assistant.message")) => of(Entry::Answer, line.pointer("/data/content")),
        ("copilot", Some("assistant.turn_end")) => end(),
        _ => Vec::new(),
    }
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
