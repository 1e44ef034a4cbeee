//! Follows a sesh: what is added to its transcript, also in the conversations that come after this one.
//!
//! Between two additions nothing runs. The system reports what is written and the end of the agent's process, and a
//! [`hint`] reports that the sesh has changed, on a connection that waits in the server. Which conversation the sesh is in
//! is read again after each of these hints, and only then.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

use super::{LogCursor, LogExtent, LogSource, SeshLog, process_of, variables};
use crate::agent::conversation::folder_of_transcript;
use crate::agent::kinds::Agents;
use crate::error::Exit;
use crate::id::ProcessId;
use crate::inventory::find;
use crate::proc;
use crate::proc::file_watch::{FileWatch, WatchEvent};
use crate::store::{Record, Target, hint, schema};
use crate::tmux::{Batch, Changes, Channel, ChannelOutcome, Server, Subscription};
use crate::transcript::history::LogPosition;
use crate::transcript::{LogEntry, Logged};

/// A log of a sesh that continues from conversation to conversation.
pub struct LogFollower<'a> {
    agents: &'a Agents,
    record: Record,
    changes: SeshChanges<'a>,
    /// The agent's process, once it is known.
    agent: Option<ProcessId>,
    /// How much is printed of a conversation that was not followed before.
    extent: LogExtent,
    /// The transcript that is followed. There is none until the agent has written it.
    log: Option<SeshLog>,
    /// The last known conversation.
    conversation: Option<String>,
    /// How far the conversations were followed that the sesh has left. It may come back.
    left: HashMap<String, LogCursor>,
}

impl<'a> LogFollower<'a> {
    /// Begins behind a log. Without one it waits until the sesh has a transcript, and begins with as much as `extent` says.
    #[must_use]
    pub fn new(
        server: &'a Server,
        agents: &'a Agents,
        record: Record,
        log: Option<SeshLog>,
        extent: &LogExtent,
    ) -> Self {
        let conversation = log.as_ref().map(|log| log.conversation.clone());
        Self {
            agents,
            changes: SeshChanges::new(server),
            agent: None,
            extent: match extent {
                // A conversation that has just begun has one turn at most.
                LogExtent::Now => LogExtent::Turns(1),
                extent => extent.clone(),
            },
            conversation: conversation.or_else(|| record.conversation.clone()),
            record,
            log,
            left: HashMap::new(),
        }
    }

    /// Passes on what is added, until the sesh has exited or is forgotten, or the reader of standard output is gone.
    ///
    /// # Errors
    /// Those of `print`, and a transcript cannot be read.
    pub fn follow(
        mut self,
        mut print: impl FnMut(Vec<Logged>, LogCursor) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        loop {
            let is_known = self.changes.read(&mut self.record);
            let Some(process) = self.process().filter(|_| is_known) else {
                return self.print_added(&mut print);
            };
            self.go_over(&mut print)?;
            let watch = FileWatch::new(self.place().as_deref(), process)?;
            // The agent may have written it before its folder was watched.
            if self.log.is_none() && self.go_over(&mut print)? {
                continue;
            }
            if !self.follow_unchanged(&watch, &mut print)? {
                return Ok(());
            }
        }
    }

    /// Passes on what is added, until the sesh may have changed. Returns whether anyone still reads that.
    fn follow_unchanged(
        &mut self,
        watch: &FileWatch,
        mut print: impl FnMut(Vec<Logged>, LogCursor) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        loop {
            self.print_added(&mut print)?;
            if self.changes.have_come(&self.record) {
                return Ok(true);
            }
            let descriptors = self.changes.descriptors();
            match watch.wait(&descriptors)? {
                WatchEvent::HungUp => return Ok(false),
                WatchEvent::Ended => return Ok(true),
                WatchEvent::Changed if self.log.is_none() || descriptors.is_empty() => {
                    return Ok(true);
                }
                WatchEvent::Changed => {}
            }
        }
    }

    /// Returns the process whose end is the end of the log, while it is alive.
    fn process(&mut self) -> Option<ProcessId> {
        let of_record = process_of(&self.record)?;
        // That of its pane counts only as long as that of the agent was not known.
        if self.record.agent_pid.is_some() {
            self.agent = Some(of_record);
        }
        let process = self.agent.unwrap_or(of_record);
        proc::is_alive(process).then_some(process)
    }

    /// Returns what is to be watched: the transcript, or the folder in which it is expected.
    fn place(&self) -> Option<PathBuf> {
        if let Some(log) = &self.log {
            return Some(log.path.clone());
        }
        let agent = self.agents.named(self.record.agent.as_ref()?)?;
        let conversation = self.conversation.as_ref()?;
        let variable = variables(process_of(&self.record));
        folder_of_transcript(agent, conversation, &self.record.cwd, variable)
    }

    /// Goes over to the transcript that the sesh has now, if it has another one. Returns whether it has gone over.
    fn go_over(
        &mut self,
        mut print: impl FnMut(Vec<Logged>, LogCursor) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let Ok((_, conversation)) = super::conversation(&self.record, self.agents) else {
            return Ok(false);
        };
        let conversation = conversation.to_string();
        let source = LogSource::of(&self.record, self.agents).ok();
        let path = source.map(|source| source.file.path);
        let is_other = self.conversation.as_ref() != Some(&conversation);
        let is_same_file = match (&self.log, &path) {
            (Some(log), Some(path)) => log.path == *path,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        if !is_other && is_same_file {
            return Ok(false);
        }
        // What the agent has written last.
        self.print_added(&mut print)?;
        let mut cursor = LogCursor {
            conversation: conversation.clone(),
            position: LogPosition::Offset(0),
        };
        if let Some(log) = self.log.take() {
            self.left.insert(log.conversation.clone(), log.cursor());
        }
        let known = self.conversation.replace(conversation.clone());
        let mut entries = Vec::new();
        if is_other && known.is_some() {
            let entry = LogEntry::Conversation {
                id: conversation.clone(),
            };
            entries.push(Logged {
                entry,
                at: None,
                cut: None,
            });
        }
        if path.is_some() {
            let extent = match self.left.get(&conversation) {
                Some(cursor) => LogExtent::Since(cursor.clone()),
                None => self.extent.clone(),
            };
            let mut log = SeshLog::read(&self.record, self.agents, &extent)?;
            entries.append(&mut log.entries);
            cursor = log.cursor();
            self.log = Some(log);
        }
        if !entries.is_empty() {
            print(entries, cursor)?;
        }
        Ok(self.log.is_some())
    }

    fn print_added(
        &mut self,
        mut print: impl FnMut(Vec<Logged>, LogCursor) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let added = log.growth.read(&log.file)?;
        if added.is_empty() {
            return Ok(());
        }
        print(added, log.cursor())
    }
}

/// The changes of a sesh.
struct SeshChanges<'a> {
    server: &'a Server,
    subscription: Subscription,
    /// The changes before the sesh was read last. There are none where its server cannot be asked.
    seen: Option<Changes>,
}

impl<'a> SeshChanges<'a> {
    fn new(server: &'a Server) -> Self {
        Self {
            server,
            subscription: server.subscribe(schema::CHANGES),
            seen: None,
        }
    }

    /// Reads the record. Where the server cannot be asked, the record stays as it was. Returns `false` when the sesh has
    /// exited or is forgotten.
    fn read(&mut self, record: &mut Record) -> bool {
        self.seen = self.server.changes(schema::CHANGES).ok();
        match find::one(self.server, &Target::Id(record.uuid)) {
            Ok(now) => *record = now,
            Err(error) if error.exit == Exit::Nothing => return false,
            Err(_) => self.seen = None,
        }
        record.live
    }

    /// Returns whether there may have been changes since the record was read. The next ones make a descriptor readable.
    fn have_come(&mut self, record: &Record) -> bool {
        let Some(seen) = self.seen else {
            return false;
        };
        let pane = record.tmux.as_ref().map(|place| place.pane);
        let channels = hint::channels(record.uuid, pane, record.exit.is_some());
        let channels = channels.into_iter().map(|name| Channel {
            name,
            question: Batch::new(),
        });
        let channels: Vec<Channel> = channels.collect();
        let outcome = self.subscription.wait(&channels, seen, Duration::ZERO);
        !matches!(outcome, ChannelOutcome::TimedOut)
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self.seen {
            Some(_) => self.subscription.descriptors(),
            None => Vec::new(),
        }
    }
}
