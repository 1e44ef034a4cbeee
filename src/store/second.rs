//! Reconciliation, which one process does at a time, at most once a second, for all processes that noticed a change.

use super::condition::{both, either};
use super::{schema, write};
use crate::error::Result;
use crate::tmux::{Batch, Server, command};

/// Who reconciles the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciler {
    /// This process, now.
    Own,
    /// Another process has begun to since the second in which this one noticed a change.
    Other,
    /// It is too early: another process has begun to in this second of the server's clock, maybe before the change.
    Later(Option<u64>),
}

/// Returns who reconciles the store for a process that noticed a change. `noticed` is the second of
/// [`Reconciler::Later`], if it has asked before.
///
/// # Errors
/// As [`Server::run`].
pub fn reconciler(server: &Server, noticed: Option<u64>) -> Result<Reconciler> {
    let last = format!("#{{{}}}", schema::RECONCILED);
    let in_this_second = format!("#{{==:{last},{}}}", write::NOW);
    // A time in the future is not one: the clock was set.
    let since = |second: u64| {
        both(
            &format!("#{{e|>:{last},{second}}}"),
            &format!("#{{e|<:{last},{}}}", write::NOW),
        )
    };
    let needless = noticed.map_or(in_this_second.clone(), |second| {
        either(&in_this_second, &since(second))
    });
    let own = Batch::from(command::set_hidden_expanded(schema::RECONCILED, write::NOW))
        .then(command::print(None, "own"));
    let other = Batch::from(command::print(None, &format!("{last} {}", write::NOW)));
    let claim = Batch::from(command::if_format(None, &needless, &other, &own));
    // If the batch runs twice, the second run may find the value of the first. Then no process is the first one in this
    // second, and one is in the next.
    let answer = server.run(&claim.repeatable())?;
    if answer.trim() == "own" {
        return Ok(Reconciler::Own);
    }
    let seconds = answer.split_whitespace().map(|second| second.parse().ok());
    let [last, now]: [Option<u64>; 2] = match seconds.collect::<Vec<_>>()[..] {
        [last, now] => [last, now],
        _ => [None, None],
    };
    if noticed.is_some_and(|noticed| last > Some(noticed)) {
        return Ok(Reconciler::Other);
    }
    Ok(Reconciler::Later(now))
}
