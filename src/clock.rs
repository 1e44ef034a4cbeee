//! The clock of this machine, which the tmux server uses too.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time since the epoch, or 0 if the clock is before it.
fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Returns the seconds since the epoch.
#[must_use]
pub fn seconds() -> u64 {
    now().as_secs()
}

/// Returns the milliseconds since the epoch.
#[must_use]
pub fn milliseconds() -> u64 {
    u64::try_from(now().as_millis()).unwrap_or(u64::MAX)
}
