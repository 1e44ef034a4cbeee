//! The time for which a pane is held.

use std::time::{Duration, Instant};

/// How many times the pane is looked at while its time passes.
const LOOKS: u32 = 20;
const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
const LONGEST_INTERVAL: Duration = Duration::from_secs(30);

/// Measures for how long a pane is held. The time begins anew when the last person who reads the pane looks away. tmux
/// reports no such moment, so the pane is looked at from time to time.
pub(super) struct HoldTimer {
    limit: Option<Duration>,
    /// `None` without a limit, or for one beyond the range of the clock.
    deadline: Option<Instant>,
    is_read: bool,
}

impl HoldTimer {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        let mut timer = Self {
            limit,
            deadline: None,
            is_read: false,
        };
        timer.restart();
        timer
    }

    fn restart(&mut self) {
        self.deadline = self
            .limit
            .and_then(|limit| Instant::now().checked_add(limit));
    }

    /// Returns how long to wait before the next [`HoldTimer::look`]. `None` means for ever.
    pub(super) fn next_look(&self) -> Option<Duration> {
        let left = self.deadline?.saturating_duration_since(Instant::now());
        let interval = (self.limit? / LOOKS).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        Some(if self.is_read {
            interval
        } else {
            interval.min(left)
        })
    }

    /// Takes into account whether a person reads the pane now.
    pub(super) fn look(&mut self, is_read: bool) {
        if is_read || self.is_read {
            self.restart();
        }
        self.is_read = is_read;
    }

    /// Returns whether the time is over.
    pub(super) fn is_over(&self) -> bool {
        !self.is_read
            && self
                .deadline
                .is_some_and(|deadline| deadline <= Instant::now())
    }
}
