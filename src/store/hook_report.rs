//! The last reports of an agent's hooks: the hidden variables `SESH_hook_<pane number>`, `SESH_prompt_<pane number>`
//! and `SESH_answer_<pane number>`.
//!
//! A hook report is `pid:start,milliseconds,state,why,event,conversation`, with `-` for what the hook did not report.
//! The prompt that the agent accepted last is `pid:start,milliseconds,mark`. The mark shows whether the prompt is a
//! certain text, but not what the text is.

use super::value;
use crate::id::ProcessId;
use crate::state::{State, Why};

/// The last report of a hook, with the agent's process and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReport {
    /// The agent's process.
    pub process: ProcessId,
    /// Milliseconds since the epoch. Seconds are too coarse: an agent's own file may change within the same second.
    pub at: u64,
    pub state: Option<State>,
    pub why: Option<Why>,
    /// The agent's own name of the event.
    pub event: String,
    pub conversation: Option<String>,
}

impl HookReport {
    /// The event of a delivery that no hook has reported: `sesh-send` reports it in place of the hook.
    pub const DELIVERY: &str = "delivered";

    /// Returns whether `sesh-send` has reported a delivery, and no hook of the agent has reported anything since.
    #[must_use]
    pub fn is_delivery(&self) -> bool {
        self.event == Self::DELIVERY
    }

    /// Returns the text of the variable.
    #[must_use]
    pub fn text(&self) -> String {
        let event = value::encode(&self.event);
        let conversation = self.conversation.as_deref().map(value::encode);
        format!(
            "{},{},{},{},{},{}",
            self.process,
            self.at,
            self.state.map_or("-", State::as_str),
            self.why.map_or("-", Why::as_str),
            event,
            conversation.as_deref().unwrap_or("-"),
        )
    }

    /// Parses the text of the variable. Returns `None` if it is empty or malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (process, at) = process_and_time(&mut fields)?;
        Some(Self {
            process,
            at,
            state: fields.next()?.parse().ok(),
            why: fields.next()?.parse().ok(),
            event: value::decode(fields.next()?),
            conversation: fields
                .next()
                .filter(|id| !matches!(*id, "-" | ""))
                .map(value::decode),
        })
    }
}

/// Parses `pid:start,milliseconds`.
fn process_and_time<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<(ProcessId, u64)> {
    let process = fields.next()?.parse().ok()?;
    Some((process, fields.next()?.parse().ok()?))
}

/// The answer of an agent at the end of a turn, with the agent's process and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentAnswer {
    /// The agent's process.
    pub process: ProcessId,
    /// Milliseconds since the epoch.
    pub at: u64,
    pub text: String,
    /// Whether the end of the text is missing.
    pub cut: bool,
}

impl AgentAnswer {
    /// The maximum length of an encoded text, in bytes: a whole list of commands may have 16 kB.
    const MAX_ENCODED: usize = 8_000;

    /// Returns the text of the variable. It contains only the start of a long answer.
    #[must_use]
    pub fn line(&self) -> String {
        let (mut remaining, mut end) = (Self::MAX_ENCODED, 0);
        for c in self.text.chars() {
            let encoded = value::encode(c.encode_utf8(&mut [0; 4]));
            let Some(left) = remaining.checked_sub(encoded.len()) else {
                break;
            };
            remaining = left;
            end += c.len_utf8();
        }
        let whole = if self.cut || end < self.text.len() {
            "cut"
        } else {
            "whole"
        };
        let text = value::encode(&self.text[..end]);
        format!("{},{},{whole},{text}", self.process, self.at)
    }

    /// Parses the text of the variable. Returns `None` if it is empty or malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (process, at) = process_and_time(&mut fields)?;
        Some(Self {
            process,
            at,
            cut: fields.next()? == "cut",
            text: value::decode(fields.next()?),
        })
    }
}

/// A prompt that an agent accepted, with the agent's process and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedPrompt {
    /// The agent's process.
    pub process: ProcessId,
    /// Milliseconds since the epoch.
    pub at: u64,
    /// See [`crate::agent::message::mark`].
    pub mark: String,
}

impl AcceptedPrompt {
    /// Returns the text of the variable.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{},{},{}", self.process, self.at, self.mark)
    }

    /// Parses the text of the variable. Returns `None` if it is empty or malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (process, at) = process_and_time(&mut fields)?;
        Some(Self {
            process,
            at,
            mark: fields.next()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_hook_report_round_trips(
            pid in 1..i32::MAX,
            start: u64,
            at: u64,
            state in prop::option::of(prop::sample::select(State::ALL.to_vec())),
            why in prop::option::of(prop::sample::select(Why::ALL.to_vec())),
            event: String,
            conversation in prop::option::of("[^-]+"),
        ) {
            let report = HookReport { process: ProcessId { pid, start }, at, state, why, event, conversation };
            let text = report.text();
            prop_assert_eq!(HookReport::parse(&text), Some(report));
        }

        #[test]
        fn an_answer_round_trips(text: String, at: u64) {
            let answer = AgentAnswer { process: ProcessId { pid: 7, start: 8 }, at, text, cut: false };
            prop_assert_eq!(AgentAnswer::parse(&answer.line()), Some(answer));
        }

        #[test]
        fn a_long_answer_keeps_its_start(piece in "[a-z ,é日\n%#]{1,9}") {
            let text = piece.repeat(10_000);
            let answer = AgentAnswer { process: ProcessId { pid: 7, start: 8 }, at: 9, text, cut: false };
            let line = answer.line();
            prop_assert!(line.len() < 9_000, "{}", line.len());
            let parsed = AgentAnswer::parse(&line).expect("an answer");
            prop_assert!(parsed.cut && parsed.text.len() > 1_000 && answer.text.starts_with(&parsed.text));
        }

        #[test]
        fn parsing_any_text_does_not_panic(text: String) {
            let _ = HookReport::parse(&text);
            let _ = AgentAnswer::parse(&text);
        }
    }
}
