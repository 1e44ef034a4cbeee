//! Leases: hidden variables that one live process at a time holds.
//!
//! The value is `pid:start` of the holder, or `pid:start:mark`. The server compares and sets it in one list of
//! commands, so only one of two racing processes gets the lease. A process that was killed does not release its lease:
//! the next process sees that the holder is gone, and takes the lease over.

use super::condition::either;
use crate::error::Result;
use crate::id::ProcessId;
use crate::proc;
use crate::tmux::{Batch, Server, command};

/// A lease that this process may take. It is released when it is dropped.
#[derive(Debug)]
pub struct Lease<'a> {
    server: &'a Server,
    variable: String,
    holder: String,
    closed: Option<&'static str>,
    held: bool,
}

/// The outcome of one try to take a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// This process holds it.
    Held,
    /// Another process that is alive holds it.
    HeldByOther,
    /// The lease is closed: see [`Lease::closed_by`].
    Closed,
}

impl<'a> Lease<'a> {
    /// Returns the lease of a hidden variable. It is not taken yet.
    #[must_use]
    pub fn of(server: &'a Server, variable: &str) -> Self {
        Self {
            server,
            variable: variable.into(),
            holder: proc::own().to_string(),
            closed: None,
            held: false,
        }
    }

    /// Adds a mark that distinguishes several holders in this process. It must not contain `:`, `,`, `#` or braces.
    #[must_use]
    pub fn marked(mut self, mark: &str) -> Self {
        self.holder = format!("{}:{mark}", self.holder);
        self
    }

    /// Sets the value that closes the lease: a lease with this value is never taken.
    #[must_use]
    pub fn closed_by(mut self, word: &'static str) -> Self {
        self.closed = Some(word);
        self
    }

    /// Tries once to take the lease. The caller decides whether to wait and to try again. A lease whose holder is gone
    /// is taken over.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn take(&mut self) -> Result<LeaseOutcome> {
        /// The maximum number of attempts to take the lease over while other processes do the same.
        const ATTEMPTS: usize = 10;
        let mut gone = String::new();
        for _ in 0..ATTEMPTS {
            let holder = self.take_from(&gone)?;
            if holder == self.holder {
                self.held = true;
                return Ok(LeaseOutcome::Held);
            }
            if self.closed.is_some_and(|word| word == holder) {
                return Ok(LeaseOutcome::Closed);
            }
            if process(&holder).is_some_and(proc::is_alive) {
                break;
            }
            gone = holder;
        }
        Ok(LeaseOutcome::HeldByOther)
    }

    /// Releases the lease if this process still holds it.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn release(mut self) -> Result<()> {
        self.release_if_held()
    }

    /// Takes the lease if it is free or if `gone` holds it. Returns the holder after that.
    fn take_from(&self, gone: &str) -> Result<String> {
        let held = |by: &str| format!("#{{==:#{{{}}},{by}}}", self.variable);
        let take = command::if_format(
            None,
            &either(&held(""), &held(gone)),
            &Batch::from(command::set_hidden(&self.variable, &self.holder)),
            &Batch::new(),
        );
        let holder = command::print(None, &format!("#{{{}}}", self.variable));
        let server = self.server.for_upkeep();
        let printed = server.run(&Batch::from(take).then(holder))?;
        Ok(printed.trim_end().into())
    }

    fn release_if_held(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.held) {
            return Ok(());
        }
        let release = command::if_format(
            None,
            &format!("#{{==:#{{{}}},{}}}", self.variable, self.holder),
            &Batch::from(command::unset_hidden(&self.variable)),
            &Batch::new(),
        );
        let server = self.server.for_upkeep();
        server.run(&Batch::from(release)).map(drop)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // An error means that the server is gone, and the lease with it.
        let _ = self.release_if_held();
    }
}

/// Returns the process of a holder, or `None` if the value contains none.
fn process(holder: &str) -> Option<ProcessId> {
    let mark = holder.match_indices(':').nth(1);
    let end = mark.map_or(holder.len(), |(at, _)| at);
    holder[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_process_of_a_holder() {
        let some = Some(ProcessId { pid: 7, start: 8 });
        assert_eq!(process("7:8"), some);
        assert_eq!(process("7:8:sesh-7-0"), some);
        assert_eq!(process("7:8:a:b"), some);
        for value in ["", "done", "7", "7:", ":8", "7:x:8"] {
            assert_eq!(process(value), None, "{value}");
        }
    }
}
