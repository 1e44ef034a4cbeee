//! Shows on a pane which locks `sesh-lock` holds for the commands that run there.
//!
//! The mark is for people. The lock is that of a file, and decides.

use super::schema;
use crate::error::Result;
use crate::id::PaneId;
use crate::tmux::{Batch, Server, command};

/// Adds a lock to those that a pane shows.
///
/// # Errors
/// As [`Server::run`].
pub fn show(server: &Server, pane: PaneId, lock: &str) -> Result<()> {
    change(server, pane, &format!("{} {lock} ", without(lock)))
}

/// Removes a lock from those that a pane shows.
///
/// # Errors
/// As [`Server::run`].
pub fn clear(server: &Server, pane: PaneId, lock: &str) -> Result<()> {
    change(server, pane, &without(lock))
}

fn change(server: &Server, pane: PaneId, format: &str) -> Result<()> {
    let pane = pane.to_string();
    let is_empty = format!("#{{==:#{{{}}},}}", schema::LOCKS);
    let batch = Batch::from(command::set_pane_expanded(&pane, schema::LOCKS, format)).then(
        command::if_format(
            Some(&pane),
            &is_empty,
            &Batch::from(command::unset_pane(&pane, schema::LOCKS)),
            &Batch::new(),
        ),
    );
    server.for_upkeep().run(&batch).map(drop)
}

/// The locks of a pane without one of them, as a format. The name of a lock has no character that means something in a
/// format, and the dot is the only one that means something in a pattern.
fn without(lock: &str) -> String {
    let pattern = lock.replace('.', "[.]");
    format!("#{{s/ {pattern} //:{}}}", schema::LOCKS)
}
