//! The events that a wait can be for.

use std::str::FromStr;
use std::time::Duration;

use regex::Regex;

use crate::clock;
use crate::id::shown;
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
            Some(("quiet", time)) => match clock::duration(time) {
                Ok(time) if !time.is_zero() => Ok(WaitEvent::Quiet(time)),
                Ok(_) => Err("the time must be longer than 0, as in quiet=2s".into()),
                Err(error) => Err(format!("{error}, as in quiet=2s")),
            },
            _ => match text {
                "idle" => Ok(WaitEvent::Idle),
                "waiting" => Ok(WaitEvent::Waiting),
                "busy" => Ok(WaitEvent::Busy),
                // The first is the word of the event, the second that of the state.
                "exit" | "exited" => Ok(WaitEvent::Exit),
                "turn" => Ok(WaitEvent::Turn),
                "change" => Ok(WaitEvent::Change),
                _ => Err(instead(text)),
            },
        }
    }
}

/// Returns what to write instead of a word that is no event.
fn instead(word: &str) -> String {
    let way_out = match word {
        "done" | "finished" | "complete" | "completed" | "end" | "ended" | "stopped" | "dead" => {
            "write exit (the process has ended) or turn (the agent has finished what it worked on)"
        }
        "ready" | "prompt" => "write idle",
        "permission" | "question" | "input" | "blocked" => "write waiting (it needs a person)",
        "running" | "started" | "working" => "write busy",
        "success" | "failed" | "failure" => "write exit, with --propagate for the exit code",
        "output" => "write output=REGEX, as in --for 'output=listening on'",
        "quiet" | "silent" => "write quiet=DURATION, as in quiet=2s",
        "joined" | "left" | "starting" | "unknown" | "any" => "write change",
        _ => return format!("write {WORDS}"),
    };
    way_out.into()
}

impl WaitEvent {
    /// Parses events with commas between them. A pattern may contain commas, so what follows `output=` is one event.
    ///
    /// # Errors
    /// What is wrong with the first word that is no event.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut events = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (event, after) = match text.split_once(',') {
                Some((event, after)) if !event.starts_with("output=") => (event, Some(after)),
                _ => (text, None),
            };
            // Of a list, the word that is none has to be named.
            let name = |error: String| match after {
                None if events.is_empty() => error,
                _ => format!("{}: {error}", shown(event)),
            };
            let parsed = event.parse().map_err(name)?;
            events.push(parsed);
            rest = after;
        }
        Ok(events)
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
            "exited",
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
            "done",
        ] {
            let error = word.parse::<WaitEvent>().expect_err("no word");
            assert!(
                !error.is_empty() && !error.contains('\n'),
                "{word}: {error}"
            );
        }
    }

    #[test]
    fn a_list_of_events_ends_with_a_pattern() {
        let parsed = WaitEvent::parse_list("idle,quiet=3,output=a,b").expect("events");
        assert_eq!(parsed.len(), 3);
        let WaitEvent::Output(pattern) = &parsed[2] else {
            panic!("{parsed:?}")
        };
        assert_eq!(pattern.as_str(), "a,b");
        for text in ["", "idle,", ",idle", "idle,done", "done,idle"] {
            assert!(WaitEvent::parse_list(text).is_err(), "{text}");
        }
    }
}
