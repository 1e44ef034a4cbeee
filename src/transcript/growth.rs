//! What is added to a transcript after it was read.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::form::TranscriptForm;
use super::history::{History, LogPosition, unreadable};
use super::lines::{LineFeed, RawLine};
use super::{LogEntry, Logged, Rewrite, TranscriptMessage};

/// A transcript that grows, and how far it was read.
#[derive(Debug)]
pub struct Growth {
    form: TranscriptForm,
    feed: LineFeed,
    /// The id of the last message.
    leaf: Option<String>,
    /// How many entries of each message were returned, in a form that writes messages again.
    known: HashMap<String, usize>,
    /// In a tree: the messages since the last prompt.
    turn: HashSet<String>,
    /// Whether the lines repeat the conversation.
    repeats: bool,
}

impl Growth {
    /// Begins behind what was read.
    #[must_use]
    pub fn after(form: TranscriptForm, history: &History) -> Self {
        Self {
            form,
            feed: LineFeed::at(history.end),
            leaf: history.leaf.clone(),
            known: history.known.clone(),
            turn: history.leaf.clone().into_iter().collect(),
            repeats: false,
        }
    }

    /// Returns how far the conversation was read.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        match self.leaf.as_ref().filter(|_| self.form.changes_file()) {
            Some(id) => LogPosition::Message {
                id: id.clone(),
                entries: self.known.get(id).copied().unwrap_or(0),
            },
            None => LogPosition::Offset(self.feed.position()),
        }
    }

    /// Returns what was added to the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self, file: &File) -> io::Result<Vec<Logged>> {
        const BLOCK: usize = 256 << 10;
        let mut added = Vec::new();
        let mut block = vec![0; BLOCK];
        if file.metadata()?.len() < self.feed.read_to() {
            let end = file.metadata()?.len();
            self.feed = LineFeed::at(end);
            added.push(Logged {
                entry: LogEntry::note(
                    "the transcript was written anew: the log continues at its end",
                ),
                at: None,
                cut: None,
            });
        }
        loop {
            let size = file.read_at(&mut block, self.feed.read_to())?;
            if size == 0 {
                return Ok(added);
            }
            added.extend(self.add(&block[..size]));
        }
    }

    /// Adds bytes of the file, and returns the entries of the lines that end in them.
    pub fn add(&mut self, bytes: &[u8]) -> Vec<Logged> {
        let lines = self.feed.feed(bytes);
        lines
            .iter()
            .flat_map(|(_, line)| self.entries(line))
            .collect()
    }

    fn entries(&mut self, line: &RawLine) -> Vec<Logged> {
        let Some(parsed) = self.form.parse(line) else {
            return unreadable(line).into_iter().collect();
        };
        let mut entries = Vec::new();
        self.repeats |= parsed.rewrite == Rewrite::Begins;
        let repeats = self.repeats || parsed.rewrite == Rewrite::Replaces;
        for message in parsed.messages {
            let mut from = 0;
            if let Some(id) = &message.id {
                if self.form.is_tree() {
                    entries.extend(self.goes_back(&message, parsed.parent.as_ref()));
                    self.turn.insert(id.clone());
                } else {
                    let known = self.known.insert(id.clone(), message.entries.len());
                    from = known.unwrap_or(0);
                }
                self.leaf = Some(id.clone());
            }
            if !repeats {
                entries.extend(message.logged(from));
            }
        }
        self.repeats &= parsed.rewrite != Rewrite::Replaces;
        entries
    }

    /// Returns the note for a prompt that begins another branch of a tree.
    fn goes_back(
        &mut self,
        message: &TranscriptMessage,
        parent: Option<&String>,
    ) -> Option<Logged> {
        if !message.is_prompt() {
            return None;
        }
        // Tools that were used at the same time are small branches of one turn.
        let turn = std::mem::take(&mut self.turn);
        let continues = turn.is_empty() || parent.is_some_and(|parent| turn.contains(parent));
        (!continues).then(|| Logged {
            entry: LogEntry::note("the conversation goes back to an earlier point"),
            at: message.at.clone(),
            cut: None,
        })
    }
}
