//! The last turns of a conversation, read from the end of its transcript.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;

use super::form::TranscriptForm;
use super::lines::{LinesBack, RawLine};
use super::{LINE_LIMIT, LogEntry, Logged, ParsedLine, Rewrite, TranscriptMessage};

/// How much of a transcript is read for its last turns, in bytes.
const READ_LIMIT: u64 = 16 << 20;

/// How much of a conversation to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The last turns, from the end with a limit.
    Turns(usize),
    Whole,
    /// What was added since a position.
    Since(LogPosition),
}

/// A position in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPosition {
    /// A position in a file.
    Offset(u64),
    /// A number of entries of a message, for a form that changes its file.
    Message { id: String, entries: usize },
}

/// A part of a conversation.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub entries: Vec<Logged>,
    /// Where the last line ends.
    pub end: u64,
    /// The id of the last message.
    pub leaf: Option<String>,
    /// In a form that changes its file: how many entries each message has.
    pub known: HashMap<String, usize>,
    /// Whether turns that were asked for are missing, because they are too far from the end.
    pub is_limited: bool,
}

impl History {
    /// Reads a transcript.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(file: File, form: TranscriptForm, extent: &Extent) -> io::Result<Self> {
        let mut lines = LinesBack::new(file)?;
        let end = lines.position();
        // The file was written anew and is shorter: nothing says how much of it was read.
        let is_anew = matches!(extent, Extent::Since(LogPosition::Offset(since)) if *since > end);
        let extent = if is_anew { &Extent::Whole } else { extent };
        let mut reader = HistoryReader::new(form, extent);
        reader.history.end = end;
        let mut read = 0;
        while let Some((place, line)) = lines.previous()? {
            if matches!(extent, Extent::Since(LogPosition::Offset(since)) if place < *since) {
                break;
            }
            // What is cut out of a long line is not read.
            read += line.size().min(LINE_LIMIT as u64);
            if read > READ_LIMIT && matches!(extent, Extent::Turns(_)) {
                reader.history.is_limited = true;
                break;
            }
            if !reader.add(place, &line) {
                break;
            }
        }
        let mut history = reader.finish();
        if is_anew {
            let note = Logged {
                entry: LogEntry::note("the transcript was written anew: this is all of it"),
                at: None,
                cut: None,
            };
            history.entries.insert(0, note);
        }
        Ok(history)
    }
}

/// Where an entry stands in the transcript: the line, the message in it, and the entry in that.
type EntryPlace = (u64, usize, usize);

/// Collects a conversation from its last line on to its first one.
struct HistoryReader<'a> {
    form: TranscriptForm,
    extent: &'a Extent,
    history: History,
    found: Vec<(EntryPlace, Logged)>,
    /// In a tree: the line that is next on the branch.
    next: NextNode,
    turns: usize,
    /// Results whose tool has not been found yet, by the id of the tool. The results of tools that ran at the same time
    /// are beside the branch.
    results: HashMap<String, Vec<(EntryPlace, Logged)>>,
    /// Messages beside the branch, by their group.
    beside: HashMap<String, Vec<(EntryPlace, Logged)>>,
    /// The messages that were found, and those that later lines replace.
    seen: HashSet<String>,
}

/// The line of a tree that is next on the branch.
enum NextNode {
    /// The newest one, or the one before a line that cannot be read.
    Any,
    Id(String),
    /// None: this was the first one.
    None,
}

impl<'a> HistoryReader<'a> {
    fn new(form: TranscriptForm, extent: &'a Extent) -> Self {
        Self {
            form,
            extent,
            history: History::default(),
            found: Vec::new(),
            next: NextNode::Any,
            turns: 0,
            results: HashMap::new(),
            beside: HashMap::new(),
            seen: HashSet::new(),
        }
    }

    /// Adds a line, and returns whether to continue.
    fn add(&mut self, place: u64, line: &RawLine) -> bool {
        let Some(parsed) = self.form.parse(line) else {
            // It may have been on the branch.
            self.next = NextNode::Any;
            if let Some(logged) = unreadable(line) {
                self.found.push(((place, 0, 0), logged));
            }
            return true;
        };
        let ParsedLine {
            parent,
            group,
            messages,
            rewrite,
            ..
        } = parsed;
        for (nth, message) in messages.into_iter().enumerate().rev() {
            let on_branch = !self.form.is_tree() || self.is_on_branch(&message, parent.as_ref());
            let Some(from) = self.begin_of_new(&message) else {
                continue;
            };
            let is_last = self.is_since(&message);
            if on_branch && message.is_prompt() {
                self.turns += 1;
            }
            self.collect((place, nth), group.as_ref(), message, from, on_branch);
            if is_last || matches!(self.extent, Extent::Turns(turns) if *turns <= self.turns) {
                return false;
            }
        }
        rewrite != Rewrite::Replaces && !matches!(self.next, NextNode::None)
    }

    /// Returns whether a message is the next one on the branch, and if it is, takes the one before it for the next.
    fn is_on_branch(&mut self, message: &TranscriptMessage, parent: Option<&String>) -> bool {
        let Some(id) = &message.id else {
            return true;
        };
        let is_next = match &self.next {
            NextNode::Any => true,
            NextNode::Id(next) => next == id,
            NextNode::None => false,
        };
        if self.history.leaf.is_none() {
            self.history.leaf = Some(id.clone());
        }
        if is_next {
            self.next = parent.map_or(NextNode::None, |parent| NextNode::Id(parent.clone()));
        }
        is_next
    }

    /// Returns the first entry of a message that is new, or `None` where a later line replaces the message.
    fn begin_of_new(&mut self, message: &TranscriptMessage) -> Option<usize> {
        let (false, Some(id)) = (self.form.is_tree(), &message.id) else {
            return Some(0);
        };
        if !self.seen.insert(id.clone()) {
            return None;
        }
        self.history.known.insert(id.clone(), message.entries.len());
        if self.history.leaf.is_none() {
            self.history.leaf = Some(id.clone());
        }
        match self.extent {
            Extent::Since(LogPosition::Message { id: since, entries }) if since == id => {
                Some(*entries)
            }
            _ => Some(0),
        }
    }

    /// Returns whether a message is the one that the reader asked to read from.
    fn is_since(&self, message: &TranscriptMessage) -> bool {
        let Extent::Since(LogPosition::Message { id, .. }) = self.extent else {
            return false;
        };
        message.id.as_ref() == Some(id)
    }

    fn collect(
        &mut self,
        (line, nth): (u64, usize),
        group: Option<&String>,
        message: TranscriptMessage,
        from: usize,
        on_branch: bool,
    ) {
        if let Some(group) = group.filter(|_| on_branch) {
            for placed in self.beside.remove(group).into_iter().flatten() {
                self.keep(placed);
            }
        }
        for (at, logged) in message.logged(from).enumerate() {
            let placed = ((line, nth, at), logged);
            match (&placed.1.entry, group) {
                _ if on_branch => self.keep(placed),
                (LogEntry::Result { id, .. }, _) => {
                    self.results.entry(id.clone()).or_default().push(placed);
                }
                (_, Some(group)) => self.beside.entry(group.clone()).or_default().push(placed),
                _ => {}
            }
        }
    }

    /// Keeps an entry of the branch, with the results of the tool that it is.
    fn keep(&mut self, placed: (EntryPlace, Logged)) {
        if let LogEntry::Tool { id, .. } = &placed.1.entry {
            self.found
                .extend(self.results.remove(id).into_iter().flatten());
        }
        self.found.push(placed);
    }

    fn finish(mut self) -> History {
        // The tools of these results were used before the position.
        if matches!(self.extent, Extent::Since(_)) {
            self.found.extend(self.results.into_values().flatten());
        }
        self.found.sort_by_key(|(place, _)| *place);
        self.history.entries = self.found.into_iter().map(|(_, logged)| logged).collect();
        self.history
    }
}

/// Returns the note for a line that is too long to be read. Another one that cannot be read has nothing to tell.
pub(super) fn unreadable(line: &RawLine) -> Option<Logged> {
    match line {
        RawLine::Whole(_) => None,
        RawLine::TooLong(size) => Some(Logged {
            entry: LogEntry::note(format!("a line of {} MB was left out", size >> 20)),
            at: None,
            cut: Some(*size),
        }),
    }
}
