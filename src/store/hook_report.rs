//! What an agent's hooks said last: the hidden variables `SESH_hook_<pane number>`, `SESH_prompt_<pane number>` and
//! `SESH_answer_<pane number>`.
//!
//! `pid:start,milliseconds,state,why,event,conversation`; `-` for what was not said. And of the prompt that it took last
//! `pid:start,milliseconds,mark`, which tells whether it is a certain text, and not what stands in it.

use super::value;
use crate::id::ProcessId;
use crate::state::{State, Why};

/// What was said, by which process, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReport {
    /// The agent's process.
    pub process: ProcessId,
    /// Milliseconds since the epoch: an agent's own file may follow within the second.
    pub at: u64,
    pub state: Option<State>,
    pub why: Option<Why>,
    /// The agent's own word for what happened.
    pub event: String,
    pub conversation: Option<String>,
}

impl HookReport {
    /// The text of the variable.
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

    /// Reads it. `None` when nothing was said, or nothing that can be understood.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (process, at) = who_and_when(&mut fields)?;
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

/// `pid:start,milliseconds`.
fn who_and_when<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<(ProcessId, u64)> {
    let process = fields.next()?.parse().ok()?;
    Some((process, fields.next()?.parse().ok()?))
}

/// What an agent said at the end of a turn, which process, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentAnswer {
    /// The agent's process.
    pub process: ProcessId,
    /// Milliseconds since the epoch.
    pub at: u64,
    pub text: String,
    /// The text's end is not there.
    pub cut: bool,
}

impl AgentAnswer {
    /// How long an encoded text may be: a list of commands has 16 kB in all.
    const LONGEST: usize = 8_000;

    /// The text of the variable. Of a long answer it has the begin.
    #[must_use]
    pub fn line(&self) -> String {
        let (mut room, mut end) = (Self::LONGEST, 0);
        for c in self.text.chars() {
            let encoded = value::encode(c.encode_utf8(&mut [0; 4]));
            let Some(left) = room.checked_sub(encoded.len()) else {
                break;
            };
            room = left;
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

    /// Reads it. `None` when nothing was said, or nothing that can be understood.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (process, at) = who_and_when(&mut fields)?;
        Some(Self {
            process,
            at,
            cut: fields.next()? == "cut",
            text: value::decode(fields.next()?),
        })
    }
}

/// A prompt that was taken, by which process, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPrompt {
    /// The agent's process.
    pub process: ProcessId,
    /// Milliseconds since the epoch.
    pub at: u64,
    /// See [`crate::agent::message::mark`].
    pub mark: String,
}

impl TakenPrompt {
    /// The text of the variable.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{},{},{}", self.process, self.at, self.mark)
    }

    /// Reads it. `None` when no prompt was taken, or nothing that can be understood.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(',');
        let (process, at) = who_and_when(&mut fields)?;
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
        fn what_was_said_comes_back(
            pid in 1..i32::MAX,
            start: u64,
            at: u64,
            state in prop::option::of(prop::sample::select(State::ALL.to_vec())),
            why in prop::option::of(prop::sample::select(Why::ALL.to_vec())),
            event: String,
            conversation in prop::option::of("[^-]+"),
        ) {
            let heard = HookReport { process: ProcessId { pid, start }, at, state, why, event, conversation };
            let text = heard.text();
            prop_assert_eq!(HookReport::parse(&text), Some(heard));
        }

        #[test]
        fn an_answer_comes_back(text: String, at: u64) {
            let answered = AgentAnswer { process: ProcessId { pid: 7, start: 8 }, at, text, cut: false };
            prop_assert_eq!(AgentAnswer::parse(&answered.line()), Some(answered));
        }

        #[test]
        fn of_a_long_answer_the_begin_comes_back(piece in "[a-z ,é日\n%#]{1,9}") {
            let text = piece.repeat(10_000);
            let answered = AgentAnswer { process: ProcessId { pid: 7, start: 8 }, at: 9, text, cut: false };
            let line = answered.line();
            prop_assert!(line.len() < 9_000, "{}", line.len());
            let back = AgentAnswer::parse(&line).expect("an answer");
            prop_assert!(back.cut && back.text.len() > 1_000 && answered.text.starts_with(&back.text));
        }

        #[test]
        fn any_text_is_read_or_not(text: String) {
            let _ = HookReport::parse(&text);
            let _ = AgentAnswer::parse(&text);
        }
    }
}
