//! Registers the seshes of a file: one that `sesh-save --export` wrote, or the `sessions.json` of sesh v1.

mod sessions_json;

use std::path::Path;

use crate::error::{Error, Result};
use crate::id::ServerId;
use crate::journal::export;
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
pub fn import(server: &Server, file: &Path, write: bool) -> Result<Vec<Imported>> {
    let failed = |error: &str| format!("{} cannot be read: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| Error::failed(failed(&error.to_string())))?;
    let refused =
        |why: String| Error::unusable(format!("nothing of {} was taken: {why}", file.display()));
    let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".into()))?;
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
    Ok(imported.collect())
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
