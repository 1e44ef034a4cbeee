//! How long a process waits for the answers of a tmux server. A server that is stopped or hangs accepts connections and
//! never answers.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Exit};

/// How long one answer may take where the caller has set no limit.
const ANSWER: Duration = Duration::from_secs(5);
/// How long each later answer may take when the server has not answered in time, or when the limit of the caller has
/// passed: what is left to do is to tidy up.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// How long a server may take to start: it reads the user's configuration before it answers.
pub(super) const START: Duration = Duration::from_secs(30);

/// For limits beyond the range of the clock.
const DAY: Duration = Duration::from_secs(86_400);

/// The limits of one process, or of one of its tasks, for a server.
#[derive(Debug)]
pub(super) struct AnswerLimit {
    each: Duration,
    /// The moment by which all answers have to be there. It takes the place of `each`.
    deadline: Option<Instant>,
    /// The server did not answer the last question in time.
    silent: AtomicBool,
    /// A change was sent to the server, so that it is not known any more whether nothing was done.
    changed: AtomicBool,
}

impl Default for AnswerLimit {
    fn default() -> Self {
        Self::each(ANSWER)
    }
}

impl AnswerLimit {
    pub(super) fn each(each: Duration) -> Self {
        Self {
            each,
            deadline: None,
            silent: AtomicBool::new(false),
            changed: AtomicBool::new(false),
        }
    }

    /// Returns a limit, from now on, for all answers together.
    pub(super) fn all(all: Duration) -> Self {
        let now = Instant::now();
        Self {
            deadline: now.checked_add(all).or(now.checked_add(DAY)),
            ..Self::default()
        }
    }

    /// Returns the same limits for another task, which has changed nothing yet.
    pub(super) fn of_another_task(&self) -> Self {
        Self {
            each: self.each,
            deadline: self.deadline,
            silent: AtomicBool::new(self.silent.load(Ordering::Relaxed)),
            changed: AtomicBool::new(false),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns the moment by which the answer to a question that is asked now has to be there.
    pub(super) fn of_next_answer(&self) -> Instant {
        let now = Instant::now();
        let afterwards = now + AFTERWARDS;
        if self.silent.load(Ordering::Relaxed) {
            return afterwards;
        }
        match self.deadline {
            Some(deadline) => deadline.max(afterwards),
            None => now.checked_add(self.each).unwrap_or(now + DAY),
        }
    }

    pub(super) fn note_change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_answer(&self) {
        self.silent.store(false, Ordering::Relaxed);
    }

    /// Returns the error for an answer that did not come in time.
    pub(super) fn passed(&self, server: Option<i32>, socket: &str) -> Error {
        self.silent.store(true, Ordering::Relaxed);
        let why = match server {
            Some(pid) => format!(
                "no answer from tmux: its server {pid} at {socket} hangs or is stopped; kill -CONT {pid} continues a \
                 stopped one"
            ),
            None => format!("no answer from tmux: its server at {socket} hangs or is stopped"),
        };
        let error = if self.changed.load(Ordering::Relaxed) {
            Error::new(
                Exit::Unconfirmed,
                format!("not known whether it was done: {why}"),
            )
        } else {
            Error::new(Exit::TimedOut, why)
        };
        error.of_kind(ErrorKind::NoAnswer)
    }
}

/// Returns the process that listens at a socket. `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn server_at(socket: &Path) -> Option<i32> {
    let stream = super::direct::connect(socket, Instant::now() + AFTERWARDS).ok()?;
    let credentials = rustix::net::sockopt::socket_peercred(&stream).ok()?;
    Some(credentials.pid.as_raw_nonzero().get())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn server_at(_socket: &Path) -> Option<i32> {
    None
}
