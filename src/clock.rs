//! The clock of this machine, which the tmux server uses too, and durations as people write them.

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

/// Parses a duration: a number of seconds such as `10` or `0.5`, or numbers with units such as `90s`, `1.5h` or `2m 30s`.
///
/// # Errors
/// A sentence that says how a duration is written.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_alphabetic());
    let (number, unit) = text.split_at(unit.unwrap_or(text.len()));
    let is_plain = |c: char| c.is_ascii_digit() || c == '.';
    let parsed = if !number.is_empty() && number.chars().all(is_plain) {
        // humantime has no fractions, and no number without a unit.
        let unit = if unit.is_empty() { "s" } else { unit };
        if number.contains('.') {
            fraction(number, unit)
        } else {
            humantime::parse_duration(&format!("{number}{unit}")).ok()
        }
    } else {
        humantime::parse_duration(text).ok()
    };
    parsed.ok_or_else(|| {
        let text = crate::id::shown(text);
        format!("{text} is no duration: write 10 (seconds), 500ms, 90s, 5m or 2h")
    })
}

/// Formats a duration in its largest unit: `12s`, `5m`, `3h`, `4d`.
#[must_use]
pub fn short(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..=59 => format!("{seconds}s"),
        seconds @ 60..=3599 => format!("{}m", seconds / 60),
        seconds @ 3600..=86_399 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn fraction(number: &str, unit: &str) -> Option<Duration> {
    if !unit.chars().all(char::is_alphabetic) {
        return None;
    }
    let one = humantime::parse_duration(&format!("1{unit}")).ok()?;
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * one.as_secs_f64()).ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        for (text, milliseconds) in [
            ("10", 10_000),
            ("0", 0),
            ("0.5", 500),
            (" 3 ", 3_000),
            ("250ms", 250),
            ("1.5h", 5_400_000),
            ("2m 30s", 150_000),
            ("1h30m", 5_400_000),
        ] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_told_how_to_write_one() {
        for text in [
            "",
            "fast",
            "-1",
            "1.2.3",
            "10 potatoes",
            "1e9",
            "inf",
            ".",
            "1.5h 30m",
            "9".repeat(40).as_str(),
        ] {
            let error = duration(text).expect_err(text);
            assert!(error.contains("write 10 (seconds)"), "{text}: {error}");
        }
    }
}
