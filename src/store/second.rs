//! What is done once a second for all processes that want it.

use super::{schema, write};
use crate::error::Result;
use crate::tmux::{Batch, Server, command};

/// Returns whether this process is the first of this second, by the server's clock, that asks.
///
/// # Errors
/// As [`Server::run`].
pub fn is_first(server: &Server) -> Result<bool> {
    let done = format!("#{{==:#{{{}}},{}}}", schema::RECONCILED, write::NOW);
    let first = Batch::from(command::set_hidden_expanded(schema::RECONCILED, write::NOW))
        .then(command::print(None, "first"));
    let claim = Batch::from(command::if_format(None, &done, &Batch::new(), &first));
    // A second run may find the answer of the first: then the next second is this process's.
    let answer = server.run(&claim.may_run_twice())?;
    Ok(answer.trim() == "first")
}
