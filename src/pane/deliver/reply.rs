//! The answer to a message that was delivered: from the agent's transcript, its hook's last word, or its screen.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::agent::kinds::Agent;
use crate::agent::message;
use crate::agent::screen::Screen;
use crate::agent::transcript::TranscriptLine;
use crate::id::PaneId;
use crate::pane::agent::{self, Look, PaneAgent};
use crate::store::hook_report::{AgentAnswer, TakenPrompt};
use crate::store::schema;
use crate::tmux::{Batch, Frame, Server, command};

/// The answer to a message.
#[derive(Clone, Debug)]
pub struct Reply {
    pub text: String,
    pub from: ReplyFrom,
    /// Its end is not there.
    pub cut: bool,
}

/// Where an answer was read, the best first. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyFrom {
    Transcript,
    /// What the agent's hook gave as its last word.
    Hook,
    /// What the screen shows below the message, whatever that is.
    Screen,
}

/// How often a screen that is still being drawn is looked at, and for how long at most.
const LOOK: Duration = Duration::from_millis(250);
const DRAWING: Duration = Duration::from_secs(2);

/// What the transcript has behind a message. `None` where it does not have the message.
fn behind(look: &Look<'_>, text: &str) -> Option<Vec<TranscriptLine>> {
    let transcript = look.pane_agent.as_ref().and_then(PaneAgent::transcript)?;
    let mut entries = transcript.from_begin().more();
    let essence = message::essence(text);
    let is_it = |entry: &TranscriptLine| matches!(entry, TranscriptLine::Prompt(prompt) if message::essence(prompt) == essence);
    let at = entries.iter().rposition(is_it)?;
    Some(entries.split_off(at + 1))
}

/// Whether the transcript has the end of what a message has begun.
pub(crate) fn has_answered(look: &Look<'_>, text: &str) -> bool {
    let behind = behind(look, text).unwrap_or_default();
    behind
        .iter()
        .any(|entry| matches!(entry, TranscriptLine::End))
}

/// The answer to a message: what the transcript has behind it, else what the hook gave behind it, else what the screen
/// shows below it.
pub(crate) fn reply(server: &Server, look: &Look<'_>, text: &str) -> Reply {
    let behind = behind(look, text).unwrap_or_default();
    let answers: Vec<&str> = behind
        .iter()
        .take_while(|entry| !matches!(entry, TranscriptLine::End))
        .filter_map(|entry| match entry {
            TranscriptLine::Answer(answer) => Some(answer.as_str()),
            _ => None,
        })
        .collect();
    if !answers.is_empty() {
        return Reply {
            text: answers.join("\n"),
            from: ReplyFrom::Transcript,
            cut: false,
        };
    }
    if let Some(said) = said(server, look, text) {
        return Reply {
            text: said.text,
            from: ReplyFrom::Hook,
            cut: said.cut,
        };
    }
    let shown = match &look.pane_agent {
        Some(pane_agent) => pane_agent.above_composer(),
        None => Screen::parse(&look.drawn).text(),
    };
    let rows: Vec<&str> = shown.lines().collect();
    let last = text.lines().next_back().unwrap_or_default();
    let at = rows.iter().rposition(|row| message::ends_in(last, row));
    let below = rows[at.map_or(0, |at| at + 1)..].join("\n");
    Reply {
        text: below.trim_matches('\n').into(),
        from: ReplyFrom::Screen,
        // What was above is not known.
        cut: at.is_none(),
    }
}

/// An answer that the screen alone shows is read when it is drawn: an agent says that its turn is over before it has drawn
/// the last of it (OpenCode 1.18.33 its last line before what it says).
pub(crate) fn drawn(server: &Server, seen: &mut Reply, pane: PaneId, agents: &[Agent], text: &str) {
    let begun = Instant::now();
    while seen.from == ReplyFrom::Screen && begun.elapsed() < DRAWING {
        std::thread::sleep(LOOK); // why: a screen that comes to rest is no event.
        let Ok(look) = agent::look(server, pane, agents, &[]) else {
            break;
        };
        if look.pane_agent.is_none() {
            break;
        }
        let now = reply(server, &look, text);
        if now.text == seen.text {
            break;
        }
        *seen = now;
    }
}

/// What the hook of the agent gave as its last word, if the prompt that it took last is this text and came before.
fn said(server: &Server, look: &Look<'_>, text: &str) -> Option<AgentAnswer> {
    let process = look.pane_agent.as_ref()?.process();
    let frame = Frame::new();
    let format = frame.format([schema::PROMPT_OF_PANE, schema::ANSWER_OF_PANE]);
    let target = look.pane.place.pane.to_string();
    let ask = Batch::from(command::print(Some(&target), &format));
    let output = server.run(&ask).ok()?;
    let (rows, _) = frame.read(&output);
    let &[taken, answered] = rows.first()?.as_slice() else {
        return None;
    };
    let (taken, answered) = (TakenPrompt::parse(taken)?, AgentAnswer::parse(answered)?);
    let is_its = taken.process == process && answered.process == process;
    (is_its && taken.mark == message::mark(text) && taken.at <= answered.at).then_some(answered)
}
