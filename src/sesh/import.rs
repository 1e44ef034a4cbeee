//! Registers the seshes of a file: one that `sesh-save --export` wrote, or the `sessions.json` of sesh v1.

mod sessions_json;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::agent::conversation;
use crate::agent::kinds::Agents;
use crate::env;
use crate::error::{Error, Result};
use crate::id::{ServerId, shown};
use crate::journal::export::{self, ExportReader};
use crate::journal::exported_file::FileOutcome;
use crate::journal::line::Line;
use crate::store::registration::{RegisterOutcome, Unregistered, register};
use crate::store::{Key, Record};
use crate::tmux::Server;

/// A sesh of the file, and what became of it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its name in the file.
    pub name: String,
    pub outcome: RegisterOutcome,
    /// Whether it was alive when the file was written.
    pub was_alive: bool,
}

impl Imported {
    /// Returns its record, if it is new here.
    #[must_use]
    pub fn registered(&self) -> Option<&Record> {
        match &self.outcome {
            RegisterOutcome::Registered(record) => Some(record),
            RegisterOutcome::Known | RegisterOutcome::ConversationTaken(_) => None,
        }
    }
}

/// Registers the seshes of a file as exited ones: all that are new here, or none. With `write` false it does nothing, and
/// returns what it would do.
///
/// # Errors
/// [`Exit::Unusable`](crate::error::Exit::Unusable) if anything in the file is wrong, as a whole; and as [`register`].
pub fn import(server: &Server, file: &Path, write: bool) -> Result<Import> {
    let failed = |error: &str| format!("{} cannot be read: {error}", file.display());
    let refused =
        |why: String| Error::unusable(format!("nothing of {} was taken: {why}", file.display()));
    let mut reader = ExportReader::open(file).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => refused(error.to_string()),
        _ => Error::failed(failed(&error.to_string())),
    })?;
    let text = String::from_utf8(std::mem::take(&mut reader.bytes))
        .map_err(|_| refused("it is not UTF-8".into()))?;
    let seshes = if export::is_export(&text) {
        of_export(&text)
    } else {
        sessions_json::parse(&text)
    };
    let seshes = seshes.map_err(refused)?;
    let outcomes = register(server, &seshes, write)?;
    let imported = seshes.iter().zip(outcomes).map(|(sesh, outcome)| Imported {
        name: sesh.record().map(|record| record.name).unwrap_or_default(),
        outcome,
        was_alive: sesh.was_alive,
    });
    Ok(Import {
        seshes: imported.collect(),
        reader,
    })
}

/// What a file has, and what became of its seshes.
#[derive(Debug)]
pub struct Import {
    pub seshes: Vec<Imported>,
    reader: ExportReader,
}

impl Import {
    /// Writes the transcripts of the file to where the agents keep them, unless another one is there. Returns a sentence for
    /// each that was not written.
    #[must_use]
    pub fn unpack_transcripts(self) -> Vec<String> {
        let agents = Agents::loaded();
        let variable = |name: &str| env::folder(name).map(OsString::from);
        let outcomes = self.reader.unpack(|file| {
            let agent = agents.named(&file.agent)?;
            conversation::place_of_transcript(agent, &file.conversation, &file.path, variable)
        });
        let why = |outcome: Option<io::Result<FileOutcome>>| match outcome {
            Some(Ok(FileOutcome::Written | FileOutcome::Same)) => None,
            Some(Ok(FileOutcome::Different)) => {
                Some("there is another one here, which stays".into())
            }
            Some(Err(error)) => Some(error.to_string()),
            None => Some("it is no place where this agent keeps them".into()),
        };
        let sentences = outcomes.into_iter().filter_map(|(file, outcome)| {
            let why = why(outcome)?;
            let (agent, path) = (shown(&file.agent), shown(&file.path));
            Some(format!(
                "the transcript {path} of {agent} was not written: {why}"
            ))
        });
        sentences.collect()
    }
}

fn of_export(text: &str) -> Result<Vec<Unregistered>, String> {
    let (head, lines) = export::parse(text)?;
    let without_end = |line: &&Line<'_>| line.values.get(Key::Exit.field()).is_empty();
    let alive = lines
        .iter()
        .filter(without_end)
        .filter_map(|line| line.server);
    // Those of earlier servers were left as they are, and those of no server were dismissed.
    let newest = alive
        .filter(|server| *server != ServerId::NONE)
        .max_by_key(|server| server.start);
    let mut seshes = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // The first line is the head.
        let number = at + 2;
        let mut sesh = Unregistered::from_line(line, head.at)
            .map_err(|why| format!("line {number}: {why}"))?;
        sesh.was_alive &= line.server == newest;
        seshes.push(sesh);
    }
    Ok(seshes)
}
