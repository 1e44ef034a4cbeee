//! Those that were alive when the last tmux server died: which they are, and whether a person is still asked about them.

use super::append;
use super::{Record, Select, Snapshot, schema, setting};
use crate::error::{Exit, Result};
use crate::id::ServerId;
use crate::tmux::{Batch, Server, command};

/// What [`schema::RESTORED`] says when it was answered.
pub(crate) const DONE: &str = "done";

/// What is to be done with them: `@sesh-restore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreSetting {
    Ask,
    On,
    Off,
}

/// Those that were alive when the last server died: the eldest first, so that a parent is there before its children.
/// Those of a server before that are history, unless they were offered since and nobody has answered. None where that was
/// answered in this life of the server.
///
/// # Errors
/// As [`Server::run`].
pub fn pending(server: &Server) -> Result<Vec<Record>> {
    if standing(server)? == DONE {
        return Ok(Vec::new());
    }
    Ok(unanswered(server)?.0)
}

/// The same, whatever was answered in this life of the server, and that life.
fn unanswered(server: &Server) -> Result<(Vec<Record>, Option<ServerId>)> {
    let snapshot = match Snapshot::read(server, &Select::ended()) {
        Err(error) if error.exit == Exit::NoServer => return Ok((Vec::new(), None)),
        outcome => outcome?,
    };
    let life = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let mut lost: Vec<&Record> = snapshot
        .ended
        .iter()
        .filter(|record| record.was.is_some() && !record.archived)
        .filter(|record| life(record) != Some(ServerId::NONE))
        .collect();
    // Of two that started in the same second it is the one that is written down last.
    let newest = lost
        .iter()
        .filter_map(|record| life(record))
        .filter(|life| Some(*life) != snapshot.life)
        .max_by_key(|life| life.start);
    lost.retain(|record| life(record) == newest || life(record) == snapshot.life);
    lost.sort_by_key(|record| record.created_at);
    Ok((lost.into_iter().cloned().collect(), snapshot.life))
}

/// Says how many there are, as long as nobody has answered.
///
/// # Errors
/// As [`Server::run`].
pub fn offer(server: &Server) -> Result<()> {
    let lost = pending(server)?;
    // Should this server end before anybody has answered, they are among those that the next one offers.
    if let Some(life) = Snapshot::read(server, &Select::ended())?.life {
        append::lived_in(server, &lost, life)?;
    }
    let said = match lost.len() {
        0 => command::unset_server(schema::PENDING),
        some => command::set_server(schema::PENDING, &some.to_string()),
    };
    // Also while somebody brings them back, who may be killed in that.
    let unanswered = format!("#{{!=:#{{{}}},{DONE}}}", schema::RESTORED);
    let offer = command::if_format(None, &unanswered, &Batch::from(said), &Batch::new());
    server.run(&Batch::from(offer)).map(drop)
}

/// Says it again where it was said, since one of them may have come back.
///
/// # Errors
/// As [`Server::run`].
pub fn recount(server: &Server) -> Result<()> {
    let said = command::print(None, &format!("#{{{}}}", schema::PENDING));
    match server.run(&Batch::from(said)) {
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        Ok(said) if said.trim_end().is_empty() => Ok(()),
        outcome => outcome.and_then(|_| offer(server)),
    }
}

/// Says that it was answered: nobody is asked again about those, and nothing is brought back by itself.
///
/// # Errors
/// As [`Server::run`], and it cannot be written where no server would know it.
pub fn answer(server: &Server) -> Result<()> {
    append::lived_in(server, &pending(server)?, ServerId::NONE)?;
    let answered = Batch::from(command::set_hidden(schema::RESTORED, DONE))
        .then(command::unset_server(schema::PENDING));
    match server.run(&answered) {
        // Nobody is left to be asked.
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Writes an answer down again that could not be written when it was given.
///
/// # Errors
/// As [`Server::run`], and it cannot be written.
pub fn keep_answer(server: &Server) -> Result<()> {
    if standing(server)? != DONE {
        return Ok(());
    }
    let (mut records, life) = unanswered(server)?;
    let lived = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    records.retain(|record| lived(record) != life);
    append::lived_in(server, &records, ServerId::NONE)
}

/// # Errors
/// As [`Server::run`].
pub fn setting(server: &Server) -> Result<RestoreSetting> {
    let format = setting::RESTORE.format();
    let set = server.run(&Batch::from(command::print(None, &format)))?;
    Ok(match set.trim_end() {
        "on" => RestoreSetting::On,
        "off" => RestoreSetting::Off,
        // The default, and what is no word of ours.
        _ => RestoreSetting::Ask,
    })
}

fn standing(server: &Server) -> Result<String> {
    let format = format!("#{{{}}}", schema::RESTORED);
    match server.run(&Batch::from(command::print(None, &format))) {
        Err(error) if error.exit == Exit::NoServer => Ok(String::new()),
        outcome => Ok(outcome?.trim_end().into()),
    }
}
