//! The last lines that a sesh printed before its end. The server keeps them in a hidden variable, in the encoding of
//! [`value`](super::value).

use std::collections::HashMap;

use super::schema;
use crate::id::SeshId;
use crate::tmux::{Command, command};

/// The maximum size of the last lines, in bytes as they are stored. The journal has as many as the server, so that a
/// sesh which only the journal has shows the same.
pub const BYTES: usize = 12_000;

/// Returns the command that stores the last lines of a sesh.
#[must_use]
pub fn set(id: SeshId, encoded: &str) -> Command {
    command::set_hidden(&schema::tail(id), encoded)
}

/// Returns the command that removes the last lines of a sesh.
#[must_use]
pub fn unset(id: SeshId) -> Command {
    command::unset_hidden(&schema::tail(id))
}

/// Returns the command that prints the last lines of a sesh, for [`read`].
#[must_use]
pub fn print(id: SeshId) -> Command {
    let variable = schema::tail(id);
    command::print(None, &format!("{variable}=#{{{variable}}}"))
}

/// Parses last lines, still encoded, from hidden variables as tmux prints them.
#[must_use]
pub fn read(text: &str) -> HashMap<SeshId, &str> {
    let variables = text.lines().filter_map(|line| line.split_once('='));
    variables
        .filter_map(|(name, lines)| Some((schema::tail_of(name)?, lines)))
        .collect()
}
