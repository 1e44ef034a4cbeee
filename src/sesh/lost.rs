//! Those that were alive when the last tmux server died: which they are, and whether a person is still asked about them.

use super::find;
use crate::error::{Exit, Result};
use crate::store::query::Past;
use crate::store::{Record, Select, schema};
use crate::tmux::{Batch, Server, command};

/// What [`schema::RESTORED`] says when it was answered.
pub(super) const DONE: &str = "done";

/// What is to be done with them: `@sesh-restore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    Ask,
    On,
    Off,
}

/// Those that were alive when the last server died: the eldest first, so that a parent is there before its children.
/// Those of a server before that are history. None where that was answered in this life of the server.
///
/// # Errors
/// As [`Server::run`].
pub fn lost(server: &Server) -> Result<Vec<Record>> {
    if standing(server)? == DONE {
        return Ok(Vec::new());
    }
    let select = Select {
        ended: true,
        past: Past::All,
        ..Select::default()
    };
    let snapshot = match find::read(server, &select) {
        Err(error) if error.exit == Exit::NoServer => return Ok(Vec::new()),
        outcome => outcome?,
    };
    let life = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let mut lost: Vec<&Record> = snapshot
        .ended
        .iter()
        .filter(|record| record.was.is_some() && life(record) != snapshot.life)
        .collect();
    // Of two that started in the same second it is the one that is written down last.
    let newest = lost
        .iter()
        .filter_map(|record| life(record))
        .max_by_key(|life| life.start);
    lost.retain(|record| life(record) == newest);
    lost.sort_by_key(|record| record.created_at);
    Ok(lost.into_iter().cloned().collect())
}

/// Says how many there are, as long as nobody has answered.
///
/// # Errors
/// As [`Server::run`].
pub fn offer(server: &Server) -> Result<()> {
    let said = match lost(server)?.len() {
        0 => command::unset_server(schema::LOST),
        some => command::set_server(schema::LOST, &some.to_string()),
    };
    let unanswered = format!("#{{==:#{{{}}},}}", schema::RESTORED);
    let offer = command::if_format(None, &unanswered, &Batch::from(said), &Batch::new());
    server.run(&Batch::from(offer)).map(drop)
}

/// Says it again where it was said, since one of them may have come back.
///
/// # Errors
/// As [`Server::run`].
pub fn recount(server: &Server) -> Result<()> {
    let said = command::print(None, &format!("#{{{}}}", schema::LOST));
    match server.run(&Batch::from(said)) {
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        Ok(said) if said.trim_end().is_empty() => Ok(()),
        outcome => outcome.and_then(|_| offer(server)),
    }
}

/// Says that it was answered: in this life of the server nobody is asked again, and nothing is brought back by itself.
///
/// # Errors
/// As [`Server::run`].
pub fn answer(server: &Server) -> Result<()> {
    let answered = Batch::from(command::set_hidden(schema::RESTORED, DONE))
        .then(command::unset_server(schema::LOST));
    match server.run(&answered) {
        // Nobody is left to be asked.
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// # Errors
/// As [`Server::run`].
pub fn setting(server: &Server) -> Result<Setting> {
    let format = schema::RESTORE.format();
    let set = server.run(&Batch::from(command::print(None, &format)))?;
    Ok(match set.trim_end() {
        "on" => Setting::On,
        "off" => Setting::Off,
        // The default, and what is no word of ours.
        _ => Setting::Ask,
    })
}

pub(super) fn standing(server: &Server) -> Result<String> {
    let format = format!("#{{{}}}", schema::RESTORED);
    match server.run(&Batch::from(command::print(None, &format))) {
        Err(error) if error.exit == Exit::NoServer => Ok(String::new()),
        outcome => Ok(outcome?.trim_end().into()),
    }
}
