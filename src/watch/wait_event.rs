//! The events that a wait can be for.

use std::str::FromStr;
use std::time::Duration;

use regex::Regex;

use crate::state::{State, Why};
use crate::store::Record;

/// A kind of event that a wait is for.
#[derive(Clone, Debug)]
pub enum WaitEvent {
    Idle,
    /// The sesh waits for a person. A menu that a person opened does not count.
    Waiting,
    Busy,
    Exit,
    /// The sesh was busy and is not any more: it is idle, waits for a person, or has exited.
    Turn,
    /// The state has changed, the sesh has exited, or a sesh has joined or left the set.
    Change,
    /// A printed line matches the pattern.
    Output(Regex),
    /// The pane has printed nothing for so long.
    Quiet(Duration),
}

/// The written forms of [`WaitEvent`].
const WORDS: &str = "idle, waiting, busy, exit, turn, output=REGEX, quiet=DURATION or change";

impl FromStr for WaitEvent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("output", pattern)) => {
                Regex::new(pattern).map(WaitEvent::Output).map_err(|error| {
                    let lines = error.to_string();
                    let what = lines.lines().last().unwrap_or("it cannot be parsed").trim();
                    format!(
                        "not a regular expression: {}",
                        what.trim_start_matches("error: ")
                    )
                })
            }
            Some(("quiet", time)) => match humantime::parse_duration(time) {
                Ok(time) if !time.is_zero() => Ok(WaitEvent::Quiet(time)),
                Ok(_) => Err("the time must be longer than 0, as in quiet=2s".into()),
                Err(error) => Err(format!("{error}, as in quiet=2s")),
            },
            None if text == "idle" => Ok(WaitEvent::Idle),
            None if text == "waiting" => Ok(WaitEvent::Waiting),
            None if text == "busy" => Ok(WaitEvent::Busy),
            None if text == "exit" => Ok(WaitEvent::Exit),
            None if text == "turn" => Ok(WaitEvent::Turn),
            None if text == "change" => Ok(WaitEvent::Change),
            _ => Err(format!("an event is {WORDS}")),
        }
    }
}

impl WaitEvent {
    /// Returns whether the condition holds for a sesh now, however long it has held.
    pub(super) fn holds(&self, record: &Record) -> bool {
        match self {
            WaitEvent::Idle => is_in(record, State::Idle),
            WaitEvent::Waiting => waits(record),
            WaitEvent::Busy => is_in(record, State::Busy),
            WaitEvent::Exit => record.exit.is_some(),
            WaitEvent::Turn | WaitEvent::Change | WaitEvent::Output(_) | WaitEvent::Quiet(_) => {
                false
            }
        }
    }

    /// Returns whether this event has happened to a sesh since a generation. The record is known to have changed since.
    pub(super) fn happened_since(&self, record: &Record, since: u64) -> bool {
        match self {
            WaitEvent::Turn => {
                let worked = record.worked();
                let over = is_in(record, State::Idle) || waits(record);
                record.exit.is_some() || (over && worked > 0 && worked >= since)
            }
            WaitEvent::Change => true,
            _ => false,
        }
    }

    /// Returns whether this event depends on what a pane prints.
    pub(super) fn is_printed(&self) -> bool {
        matches!(self, WaitEvent::Output(_) | WaitEvent::Quiet(_))
    }
}

fn is_in(record: &Record, state: State) -> bool {
    record.live && record.state == state
}

fn waits(record: &Record) -> bool {
    is_in(record, State::Waiting) && record.why.as_deref() != Some(Why::Dialog.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_events_and_words_that_are_not() {
        for word in [
            "idle",
            "waiting",
            "busy",
            "exit",
            "turn",
            "change",
            "output=a|b=c",
            "quiet=1s 500ms",
        ] {
            assert!(word.parse::<WaitEvent>().is_ok(), "{word}");
        }
        for word in [
            "",
            "Idle",
            "idle=1",
            "output",
            "output=(",
            "quiet",
            "quiet=",
            "quiet=0s",
            "quiet=fast",
        ] {
            let error = word.parse::<WaitEvent>().expect_err("no word");
            assert!(
                !error.is_empty() && !error.contains('\n'),
                "{word}: {error}"
            );
        }
    }
}
