//! How long a process waits for the answers of a tmux server. A server that is stopped or hangs accepts connections and
//! never answers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::Server;
use crate::error::{Error, ErrorKind, Exit};

/// How long one answer may take where the caller has set no limit.
const ANSWER: Duration = Duration::from_secs(5);
/// How long each later answer may take when the server has not answered in time, or when the limit of the caller has
/// passed: what is left to do is to tidy up.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// How long a server may take to start: it reads the user's configuration before it answers.
const START: Duration = Duration::from_secs(30);

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
                format!("unknown whether it was done: {why}"),
            )
        } else {
            Error::new(Exit::TimedOut, why)
        };
        error.of_kind(ErrorKind::NoAnswer)
    }
}

impl Server {
    /// Returns the server with a limit, from now on, for all its answers together.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Arc::new(AnswerLimit::all(limit));
        self
    }

    /// Returns the server with a limit for each of its answers.
    #[must_use]
    pub fn with_each_answer_within(mut self, limit: Duration) -> Self {
        self.limit = Arc::new(AnswerLimit::each(limit));
        self
    }

    /// Returns the moment by which all its answers have to be there, where [`Server::within`] has set one.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.limit.deadline
    }

    /// Returns the same server for changes that the user did not ask for. A server that answers none of them leaves
    /// nothing in doubt.
    #[must_use]
    pub fn for_upkeep(&self) -> Self {
        Self {
            upkeep: true,
            ..self.clone()
        }
    }

    /// Returns the same server, with the limits that hold where nothing is set.
    #[must_use]
    pub fn without_deadline(&self) -> Self {
        Self {
            limit: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the same server for a task of its own: what other tasks have changed does not count there.
    #[must_use]
    pub fn for_another_task(&self) -> Self {
        Self {
            limit: Arc::new(self.limit.of_another_task()),
            ..self.clone()
        }
    }

    /// Returns how much time a client has from now on. It has more where the server is starting.
    pub(super) fn time_for_client(&self) -> impl Fn() -> Duration {
        let (begun, deadline) = (SystemTime::now(), self.limit.of_next_answer());
        move || {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() && self.limit.deadline.is_none() && self.has_started_since(begun) {
                return (deadline + START).saturating_duration_since(now);
            }
            left
        }
    }

    /// Returns the error for an answer that did not come in time.
    pub(super) fn no_answer(&self) -> Error {
        self.limit.passed(self.listener(), &self.socket_shown())
    }

    /// Returns the process that listens at its socket, whether it answers or not. `None` where the system does not tell.
    #[must_use]
    pub fn listener(&self) -> Option<i32> {
        self.socket_path().and_then(|path| server_at(&path))
    }

    /// Returns whether the server has started since a moment, which makes it slow to answer. Its socket is as old as it.
    fn has_started_since(&self, begun: SystemTime) -> bool {
        // The system stamps files by a clock that ticks this often, at least.
        const CLOCK_TICK: Duration = Duration::from_millis(20);
        let metadata = self.socket_path().and_then(|path| path.metadata().ok());
        let made = metadata.and_then(|metadata| metadata.modified().ok());
        made.is_some_and(|made| made + CLOCK_TICK >= begun)
    }
}

/// Returns how much time the tmux program has from now on to print its version, for which it asks no server.
pub(super) fn time_for_version() -> impl Fn() -> Duration {
    let begun = Instant::now();
    move || ANSWER.saturating_sub(begun.elapsed())
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
