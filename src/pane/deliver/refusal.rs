//! What blocks a message now, and how long that may last.

use std::time::Duration;

use super::Reason;

/// How long a composer may be absent before that counts. A half-drawn screen shows none.
const REDRAW_DELAY: Duration = Duration::from_millis(250);

/// The reason why a message cannot be sent now.
pub(super) struct Blocked {
    pub(super) reason: Reason,
    pub(super) why: String,
    /// How long it may take to pass by itself.
    pub(super) passes_within: Duration,
}

impl Blocked {
    pub(super) fn new(reason: Reason, why: impl Into<String>) -> Self {
        let passes_within = match reason {
            Reason::NotReady => REDRAW_DELAY,
            _ => Duration::ZERO,
        };
        Self {
            reason,
            why: why.into(),
            passes_within,
        }
    }

    pub(super) fn passes_within(self, passes_within: Duration) -> Self {
        Self {
            passes_within,
            ..self
        }
    }
}
