//! The transcript of a sesh's conversation: its last turns, what is new since a cursor, and what is added from now on.

pub mod follow;

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::agent::conversation::{TranscriptFile, transcript_file};
use crate::agent::kinds::{Agent, Agents};
use crate::env;
use crate::error::{Error, Result};
use crate::id::ProcessId;
use crate::journal::exported_file::{ExportedFile, FileToExport};
use crate::proc;
use crate::store::Record;
use crate::transcript::Logged;
use crate::transcript::form::TranscriptForm;
use crate::transcript::growth::Growth;
use crate::transcript::history::{Extent, History, LogPosition};
use crate::transcript::lines::LinesBack;
use crate::transcript::summary::{TranscriptSummary, first_prompt};

/// The version prefix of a cursor. A newer form has another prefix.
const VERSION: &str = "l1.";

/// Where a log begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogSince {
    Start,
    Now,
    Cursor(LogCursor),
}

impl FromStr for LogSince {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            // The first of several calls in a loop has none.
            "start" | "" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            cursor => cursor.parse().map(Self::Cursor),
        }
    }
}

/// A position in a conversation, written as a word that a caller keeps from one log to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCursor {
    conversation: String,
    position: LogPosition,
}

impl LogCursor {
    /// Returns whether it is a position in a conversation. An offset is none where the conversation changes its file.
    fn is_in(&self, conversation: &str, form: TranscriptForm) -> bool {
        let is_position =
            !form.changes_file() || matches!(self.position, LogPosition::Message { .. });
        self.conversation == conversation && is_position
    }
}

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = match &self.position {
            LogPosition::Offset(offset) => offset.to_string(),
            LogPosition::Message { id, entries } => format!("{entries}\n{id}"),
        };
        let text = format!("{}\n{position}", self.conversation);
        write!(f, "{VERSION}{}", URL_SAFE_NO_PAD.encode(text))
    }
}

impl FromStr for LogCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let word = text.strip_prefix(VERSION);
        let bytes = word.and_then(|word| URL_SAFE_NO_PAD.decode(word).ok());
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| cursor(&text)).ok_or_else(|| {
            Error::usage("this is not a cursor of sesh-log: take it from the last line of --json")
        })
    }
}

/// Parses the content of a cursor.
fn cursor(text: &str) -> Option<LogCursor> {
    let (conversation, position) = text.split_once('\n')?;
    let position = match position.split_once('\n') {
        None => LogPosition::Offset(position.parse().ok()?),
        Some((entries, id)) => LogPosition::Message {
            id: id.into(),
            entries: entries.parse().ok()?,
        },
    };
    Some(LogCursor {
        conversation: conversation.into(),
        position,
    })
}

/// The log of a sesh.
#[derive(Debug)]
pub struct SeshLog {
    /// What was asked for.
    pub entries: Vec<Logged>,
    /// Whether turns that were asked for are missing, because they are too far from the end.
    pub is_limited: bool,
    conversation: String,
    path: PathBuf,
    file: File,
    growth: Growth,
}

/// How much of a conversation a log has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogExtent {
    Turns(usize),
    Whole,
    Since(LogCursor),
    /// Nothing: what is added from now on.
    Now,
}

impl SeshLog {
    /// Reads the transcript of a sesh, which may have exited.
    ///
    /// # Errors
    /// It has no agent, or one whose transcripts cannot be read. Or there is no transcript yet.
    pub fn read(record: &Record, agents: &Agents, extent: &LogExtent) -> Result<Self> {
        let source = LogSource::of(record, agents)?;
        let unreadable = |error: io::Error| source.unreadable(&error);
        let file = File::open(&source.file.path).map_err(unreadable)?;
        let (form, conversation) = (source.file.form, source.conversation);
        let part = match extent {
            LogExtent::Turns(turns) => Extent::Turns(*turns),
            // In another conversation everything is new.
            LogExtent::Since(cursor) if cursor.is_in(conversation, form) => {
                Extent::Since(cursor.position.clone())
            }
            LogExtent::Whole | LogExtent::Since(_) => Extent::Whole,
            LogExtent::Now => Extent::Turns(1),
        };
        let duplicate = file.try_clone().map_err(unreadable)?;
        let mut history = History::read(duplicate, form, &part).map_err(unreadable)?;
        if *extent == LogExtent::Now {
            history.entries.clear();
        }
        Ok(Self {
            entries: std::mem::take(&mut history.entries),
            is_limited: history.is_limited && *extent != LogExtent::Now,
            conversation: conversation.into(),
            growth: Growth::after(form, &history),
            file,
            path: source.file.path,
        })
    }

    /// Returns the cursor behind what was read.
    #[must_use]
    pub fn cursor(&self) -> LogCursor {
        LogCursor {
            conversation: self.conversation.clone(),
            position: self.growth.position(),
        }
    }
}

/// Where the log of a sesh comes from.
struct LogSource<'a> {
    agent: &'a Agent,
    conversation: &'a str,
    file: TranscriptFile,
}

impl<'a> LogSource<'a> {
    fn of(record: &'a Record, agents: &'a Agents) -> Result<Self> {
        let name = &record.name;
        let (agent, conversation) = conversation(record, agents)?;
        let variable = variables(process_of(record));
        let file = transcript_file(agent, conversation, Some(&record.cwd), variable);
        let file = file.ok_or_else(|| {
            Error::nothing(format!(
                "{name} has no transcript yet: {} writes it with the first prompt or answer",
                agent.name
            ))
        })?;
        Ok(Self {
            agent,
            conversation,
            file,
        })
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        let path = self.file.path.display();
        Error::failed(format!("cannot read the transcript {path}: {error}"))
    }
}

/// Returns the process of a sesh's agent. While it starts it is not known, and that of its pane is.
fn process_of(record: &Record) -> Option<ProcessId> {
    let of_pane = || Some(record.tmux.as_ref()?.pid);
    let pid = record.agent_pid.or_else(of_pane);
    pid.filter(|_| record.live).map(proc::identity)
}

/// Returns a reader of the environment of an agent. Without a process it is that of the caller.
fn variables(process: Option<ProcessId>) -> impl Fn(&str) -> Option<OsString> {
    let environment = process.map(|process| proc::environment(process.pid));
    move |variable| match &environment {
        Some(environment) => environment.get(variable),
        None => env::folder(variable).map(Into::into),
    }
}

/// What the transcript of a sesh says of its conversation as a whole, and where it is.
#[derive(Clone, Debug, Default)]
pub struct SeshSummary {
    pub path: Option<PathBuf>,
    /// How full the context is, in percent.
    pub context: Option<u64>,
    pub summary: TranscriptSummary,
}

impl SeshSummary {
    /// Reads the end of the transcript of a sesh. What cannot be read is left empty.
    #[must_use]
    pub fn read(record: &Record, agents: &Agents) -> Self {
        let Ok(LogSource { agent, file, .. }) = LogSource::of(record, agents) else {
            return Self::default();
        };
        let read = File::open(&file.path).and_then(|it| TranscriptSummary::read(it, file.form));
        let summary = read.unwrap_or_default();
        Self {
            context: summary.context(&agent.manifest.transcripts.windows),
            summary,
            path: Some(file.path),
        }
    }
}

/// Returns the transcript of a sesh as it is to be exported: up to the end of its last line.
#[must_use]
pub fn to_export(record: &Record, agents: &Agents) -> Option<FileToExport> {
    let source = LogSource::of(record, agents).ok()?;
    let below = source.file.path.strip_prefix(&source.file.home).ok()?;
    let path = below.to_str()?.to_string();
    let lines = LinesBack::new(File::open(&source.file.path).ok()?).ok()?;
    let size = Some(lines.position()).filter(|size| *size > 0)?;
    Some(FileToExport {
        file: ExportedFile {
            agent: source.agent.name.clone(),
            conversation: source.conversation.into(),
            path,
            size,
        },
        source: source.file.path,
    })
}

/// Returns what the conversation of a sesh is about: its title, else its first prompt, else its last one.
///
/// # Errors
/// As [`SeshLog::read`].
pub fn subject(record: &Record, agents: &Agents) -> Result<Option<String>> {
    let source = LogSource::of(record, agents)?;
    let unreadable = |error: io::Error| source.unreadable(&error);
    let form = source.file.form;
    let file = File::open(&source.file.path).map_err(unreadable)?;
    let end = file.try_clone().map_err(unreadable)?;
    let summary = TranscriptSummary::read(end, form).map_err(unreadable)?;
    Ok(match summary.title {
        Some(title) => Some(title),
        None => first_prompt(&file, form)
            .map_err(unreadable)?
            .or(summary.prompt),
    })
}

/// Returns the agent of a sesh and the id of its conversation.
fn conversation<'a>(record: &'a Record, agents: &'a Agents) -> Result<(&'a Agent, &'a str)> {
    let name = &record.name;
    let Some(kind) = &record.agent else {
        return Err(Error::unusable(format!(
            "{name} is no agent, so it has no transcript: pane-capture {name} prints its output"
        )));
    };
    let agent = agents.named(kind);
    let agent = agent.filter(|agent| agent.manifest.transcripts.form.is_some());
    let agent = agent.ok_or_else(|| {
        Error::unusable(format!(
            "the transcripts of {kind} cannot be read: pane-capture {name} prints its output"
        ))
    })?;
    let conversation = record.conversation.as_deref();
    let conversation = conversation.filter(|id| agent.manifest.conversation.may_be(id));
    let conversation = conversation.ok_or_else(|| {
        Error::nothing(format!(
            "the conversation of {name} is unknown: its hooks report it (sesh-hooks install {kind})"
        ))
    })?;
    Ok((agent, conversation))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_that_are_no_cursor() {
        for text in ["x", "l1.", "l1.!!", "c1.AAAA", "l1.AAAA", "l1._w"] {
            let error = text.parse::<LogSince>().expect_err("no cursor");
            assert_eq!(error.exit, crate::error::Exit::Usage, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_a_word(conversation in "[^\n]*", offset: u64, id: String, entries: usize) {
            for position in [
                LogPosition::Offset(offset),
                LogPosition::Message { id: id.clone(), entries },
            ] {
                let cursor = LogCursor { conversation: conversation.clone(), position };
                let word = cursor.to_string();
                prop_assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)));
                prop_assert_eq!(word.parse::<LogCursor>().ok(), Some(cursor));
            }
        }
    }
}
