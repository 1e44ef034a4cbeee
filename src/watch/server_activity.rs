//! Whether a tmux server has read anything: what its panes print, what people type, what its jobs say.
//!
//! Where it has not, no pane has printed, and nobody needs to ask it. Its clients' questions do not count: they come in
//! messages, which Linux counts by themselves. Measured with tmux 3.2a, 3.3a, 3.7c and next: one byte printed is seen, and
//! any number of questions is not, as long as none is about processes (`pane_current_command` reads `/proc`).

use std::time::{Duration, SystemTime};

use crate::id::ServerId;
use crate::proc;

/// What the process table tells of a server, by one's last look.
#[derive(Debug)]
pub(super) struct ServerActivity {
    /// `None` where it does not tell.
    pid: Option<i32>,
    read: Option<u64>,
}

impl ServerActivity {
    pub(super) fn of(server: ServerId) -> Self {
        Self {
            pid: Some(server.pid).filter(|pid| is_server(*pid, server.start)),
            read: None,
        }
    }

    /// Whether it may have read something since the last time that this was asked, or was forgotten.
    pub(super) fn has_grown(&mut self) -> bool {
        // Where nobody counts it is 0, which a server that has started has long passed.
        let read = self.pid.and_then(proc::bytes_read).filter(|read| *read > 0);
        let is_same = read.is_some() && read == self.read;
        self.read = read;
        !is_same
    }

    /// What was read last was not looked at, or not all of it.
    pub(super) fn forget(&mut self) {
        self.read = None;
    }
}

/// Whether that is the server itself: where it runs in another container, its pid is that of anybody here.
fn is_server(pid: i32, started: u64) -> bool {
    const APART: Duration = Duration::from_secs(2);
    let process = proc::read(pid);
    let begun = process.as_ref().and_then(proc::started);
    let said = SystemTime::UNIX_EPOCH + Duration::from_secs(started);
    begun.is_some_and(|begun| {
        let apart = begun
            .duration_since(said)
            .unwrap_or_else(|before| before.duration());
        apart <= APART
    })
}
