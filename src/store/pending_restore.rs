//! The pending restores: seshes that were alive when the last tmux server died, until a person has decided about them.

use std::collections::BTreeSet;

use super::kept::LostServer;
use super::{Record, Select, Snapshot, schema, setting};
use super::{append, durable, lost_socket};
use crate::error::{Exit, Result};
use crate::id::ServerId;
use crate::tmux::{Batch, Server, command};

/// The value of [`schema::RESTORED`] after a person has decided about the pending restores.
pub(crate) const DONE: &str = "done";

/// The value of `@sesh-restore`: what is to be done with the pending restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreSetting {
    Ask,
    On,
    Off,
}

/// Returns the seshes that were alive when the last server died, the oldest first, so that a parent comes before its
/// children. Seshes of earlier servers are included only if they were offered since and a person has not decided about
/// them. Returns none if the decision was made while this server runs.
///
/// # Errors
/// As [`Server::run`].
pub fn pending(server: &Server) -> Result<Vec<Record>> {
    if restored(server)? == DONE {
        return Ok(Vec::new());
    }
    Ok(read_pending(server)?.0)
}

/// Returns the servers that live without their socket. What runs there is not restored.
///
/// # Errors
/// As [`Server::run`].
pub fn lost_servers(server: &Server) -> Result<BTreeSet<LostServer>> {
    let snapshot = match Snapshot::read(server, &Select::ended(durable::without_end())) {
        Err(error) if error.exit == Exit::NoServer => return Ok(BTreeSet::new()),
        outcome => outcome?,
    };
    Ok(lost_socket::servers(snapshot.ended.iter()))
}

/// Returns the pending restores even if a decision was made while this server runs, and the [`ServerId`] of this
/// server.
fn read_pending(server: &Server) -> Result<(Vec<Record>, Option<ServerId>)> {
    let snapshot = match Snapshot::read(server, &Select::ended(durable::without_end())) {
        Err(error) if error.exit == Exit::NoServer => return Ok((Vec::new(), None)),
        outcome => outcome?,
    };
    let life = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let mut pending: Vec<&Record> = snapshot
        .ended
        .iter()
        .filter(|record| record.was.is_some() && record.exit.is_some() && !record.archived)
        .filter(|record| life(record) != Some(ServerId::NONE))
        .collect();
    // Of two servers that started in the same second, the one that the journal contains last counts.
    let newest = pending
        .iter()
        .filter_map(|record| life(record))
        .filter(|life| Some(*life) != snapshot.server_id)
        .max_by_key(|life| life.start);
    pending.retain(|record| life(record) == newest || life(record) == snapshot.server_id);
    pending.sort_by_key(|record| record.created_at);
    Ok((pending.into_iter().cloned().collect(), snapshot.server_id))
}

/// Writes the number of pending restores to [`schema::PENDING`], unless a decision was made while this server runs.
///
/// # Errors
/// As [`Server::run`].
pub fn offer(server: &Server) -> Result<()> {
    let (pending, life) = match restored(server)?.as_str() {
        DONE => (Vec::new(), None),
        _ => read_pending(server)?,
    };
    // If this server ends before a person has decided, the next server offers these seshes too.
    if let Some(life) = life {
        append::lived_in(server, &pending, life)?;
    }
    let write = match pending.len() {
        0 => command::unset_server(schema::PENDING),
        some => command::set_server(schema::PENDING, &some.to_string()),
    };
    // The number is also written while a process restores them, since that process may be killed.
    let undecided = format!("#{{!=:#{{{}}},{DONE}}}", schema::RESTORED);
    let offer = command::if_format(None, &undecided, &Batch::from(write), &Batch::new());
    server.run(&Batch::from(offer)).map(drop)
}

/// Returns the number of pending restores that the plugin offers.
///
/// # Errors
/// As [`Server::run`].
pub fn offered(server: &Server) -> Result<usize> {
    let number = command::print(None, &format!("#{{{}}}", schema::PENDING));
    let number = server.run(&Batch::from(number))?;
    Ok(number.trim_end().parse().unwrap_or(0))
}

/// Writes the number of pending restores again if there are some, since one of the seshes may have been restored.
///
/// # Errors
/// As [`Server::run`].
pub fn recount(server: &Server) -> Result<()> {
    match offered(server) {
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        Ok(0) => Ok(()),
        outcome => outcome.and_then(|_| offer(server)),
    }
}

/// Stores that a person has decided about the pending restores: they are not offered again, and they are not restored
/// automatically.
///
/// # Errors
/// As [`Server::run`], and if the journal cannot be written and there is no server that could keep the decision.
pub fn answer(server: &Server) -> Result<()> {
    append::lived_in(server, &pending(server)?, ServerId::NONE)?;
    let answered = Batch::from(command::set_hidden(schema::RESTORED, DONE))
        .then(command::unset_server(schema::PENDING));
    match server.run(&answered) {
        // Without a server nothing is offered.
        Err(error) if error.server_is_gone() => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Writes a decision to the journal that could not be written when it was made.
///
/// # Errors
/// As [`Server::run`], and if the journal cannot be written.
pub fn keep_answer(server: &Server) -> Result<()> {
    if restored(server)? != DONE {
        return Ok(());
    }
    let (mut records, life) = read_pending(server)?;
    let lived = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    records.retain(|record| lived(record) != life);
    append::lived_in(server, &records, ServerId::NONE)
}

/// Returns the value of `@sesh-restore`.
///
/// # Errors
/// As [`Server::run`].
pub fn setting(server: &Server) -> Result<RestoreSetting> {
    let format = setting::RESTORE.format();
    let set = server.run(&Batch::from(command::print(None, &format)))?;
    Ok(match set.trim_end() {
        "on" => RestoreSetting::On,
        "off" => RestoreSetting::Off,
        // The default, and any unknown word.
        _ => RestoreSetting::Ask,
    })
}

/// Returns the value of [`schema::RESTORED`], empty without a server.
fn restored(server: &Server) -> Result<String> {
    let format = format!("#{{{}}}", schema::RESTORED);
    match server.run(&Batch::from(command::print(None, &format))) {
        Err(error) if error.exit == Exit::NoServer => Ok(String::new()),
        outcome => Ok(outcome?.trim_end().into()),
    }
}
