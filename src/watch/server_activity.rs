//! Tells whether a tmux server has read anything: output of its panes, input of people, output of its jobs.
//!
//! If it has not, no pane has printed, and the server need not be asked. Questions of its clients do not count: they
//! come as messages, which Linux counts separately. Measured with tmux 3.2a, 3.3a, 3.7c and next: one printed byte is
//! noticed, and any number of questions is not, as long as none is about processes (`pane_current_command` reads
//! `/proc`).

use std::time::{Duration, SystemTime};

use crate::id::ServerId;
use crate::proc;

/// How much a server had read at the last look, by the process table.
#[derive(Debug)]
pub(super) struct ServerActivity {
    /// The process of the server. `None` where the process table does not show it.
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

    /// Returns whether the server may have read something since the last call. Returns `true` for the first call, after
    /// [`forget`](Self::forget), and where the system does not count.
    pub(super) fn may_have_read(&mut self) -> bool {
        // The count is 0 on systems that do not count. A server that has started has always read more.
        let read = self.pid.and_then(proc::bytes_read).filter(|read| *read > 0);
        let is_same = read.is_some() && read == self.read;
        self.read = read;
        !is_same
    }

    /// Forgets the last look, because not everything that the server had read by then was looked at.
    pub(super) fn forget(&mut self) {
        self.read = None;
    }
}

/// Returns whether a process is the server itself. Where the server runs in another container, its pid may belong to
/// any process here.
fn is_server(pid: i32, started: u64) -> bool {
    const TOLERANCE: Duration = Duration::from_secs(2);
    let process = proc::read(pid);
    let process_start = process.as_ref().and_then(proc::started);
    let server_start = SystemTime::UNIX_EPOCH + Duration::from_secs(started);
    process_start.is_some_and(|process_start| {
        let difference = process_start
            .duration_since(server_start)
            .unwrap_or_else(|before| before.duration());
        difference <= TOLERANCE
    })
}
