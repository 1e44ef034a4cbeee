//! Work that only one process does each second, for all processes that need it.

use super::{schema, write};
use crate::error::Result;
use crate::tmux::{Batch, Server, command};

/// Returns whether this process is the first one that asks in this second of the server's clock.
///
/// # Errors
/// As [`Server::run`].
pub fn is_first(server: &Server) -> Result<bool> {
    let done = format!("#{{==:#{{{}}},{}}}", schema::RECONCILED, write::NOW);
    let first = Batch::from(command::set_hidden_expanded(schema::RECONCILED, write::NOW))
        .then(command::print(None, "first"));
    let claim = Batch::from(command::if_format(None, &done, &Batch::new(), &first));
    // If the batch runs twice, the second run may find the value of the first. Then no process is the first one in this
    // second, and one is in the next.
    let answer = server.run(&claim.repeatable())?;
    Ok(answer.trim() == "first")
}
