//! The answer to a message that was delivered: from the agent's transcript, its last hook report, or its screen.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::agent::kinds::Agent;
use crate::agent::message;
use crate::agent::screen::Screen;
use crate::agent::transcript::TranscriptLine;
use crate::id::PaneId;
use crate::pane::agent::{self, Look, PaneAgent};
use crate::state::State;
use crate::store::hook_report::{AcceptedPrompt, AgentAnswer};
use crate::store::schema;
use crate::tmux::{Batch, Frame, Server, command};

/// The answer to a message.
#[derive(Clone, Debug)]
pub struct Reply {
    pub text: String,
    pub from: ReplyFrom,
    /// A part of the answer is missing.
    pub cut: bool,
}

/// The source of an answer, the best first. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyFrom {
    Transcript,
    /// The last answer that the agent's hook reported.
    Hook,
    /// The output of a headless turn.
    Output,
    /// Everything that the screen shows below the message.
    Screen,
}

/// How often a screen that is still being drawn is read.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long the end of the drawing is awaited at most.
const DRAWING: Duration = Duration::from_secs(2);

/// Returns the entries of the transcript after a message, or `None` where the transcript does not have the message.
fn entries_after(look: &Look<'_>, text: &str) -> Option<Vec<TranscriptLine>> {
    let transcript = look.pane_agent.as_ref().and_then(PaneAgent::transcript)?;
    let mut entries = transcript.from_begin().more();
    let normalized = message::normalized(text);
    let is_it = |entry: &TranscriptLine| matches!(entry, TranscriptLine::Prompt(prompt) if message::normalized(prompt) == normalized);
    let at = entries.iter().rposition(is_it)?;
    Some(entries.split_off(at + 1))
}

/// Returns whether the transcript has the end of the turn that a message has begun.
pub(crate) fn has_answered(look: &Look<'_>, text: &str) -> bool {
    let entries = entries_after(look, text).unwrap_or_default();
    entries
        .iter()
        .any(|entry| matches!(entry, TranscriptLine::End))
}

/// Returns the answer to a message: the answers that follow it in the transcript, else the answer that the hook
/// reported after it, else what the screen shows below it. The prompt of an idle shell is no part of it; what stands
/// before the prompt in its row is, where the prompt is the one before which the message was typed.
pub(crate) fn reply(server: &Server, look: &Look<'_>, state: State, text: &str) -> Reply {
    let entries = entries_after(look, text).unwrap_or_default();
    let answers: Vec<&str> = entries
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
    if let Some(answer) = hook_answer(server, look, text) {
        return Reply {
            text: answer.text,
            from: ReplyFrom::Hook,
            cut: answer.cut,
        };
    }
    let shown = match &look.pane_agent {
        Some(pane_agent) => pane_agent.above_composer(),
        None => Screen::parse(&look.drawn).text(),
    };
    let mut rows: Vec<&str> = shown.lines().collect();
    let last = text.lines().next_back().unwrap_or_default();
    let at = rows.iter().rposition(|row| message::ends_in(last, row));
    if let (None, State::Idle, Some(cursor)) = (&look.pane_agent, state, look.cursor) {
        let typed = at.and_then(|at| rows[at].strip_suffix(last.trim_end()));
        let prompt = typed.map(str::trim_end).filter(|prompt| !prompt.is_empty());
        let unfinished = rows.get(cursor.row).copied();
        rows.truncate(cursor.row);
        rows.extend(
            unfinished
                .zip(prompt)
                .and_then(|(row, prompt)| row.strip_suffix(prompt)),
        );
    }
    let below = rows[at.map_or(0, |at| at + 1)..].join("\n");
    Reply {
        text: below.trim_matches('\n').into(),
        from: ReplyFrom::Screen,
        // The screen does not show the message, so the beginning of the answer may be missing.
        cut: at.is_none(),
    }
}

/// Reads an answer that only the screen shows again until it stays the same. An agent reports the end of its turn
/// before it has drawn all of the answer (OpenCode 1.18.33 draws its last line before its answer).
pub(crate) fn read_until_drawn(
    server: &Server,
    seen: &mut Reply,
    pane: PaneId,
    agents: &[Agent],
    state: State,
    text: &str,
) {
    let begun = Instant::now();
    while seen.from == ReplyFrom::Screen && begun.elapsed() < DRAWING {
        std::thread::sleep(INTERVAL); // why: the end of drawing sends no event.
        let Ok(look) = agent::look(server, pane, agents, &[]) else {
            break;
        };
        if look.pane_agent.is_none() {
            break;
        }
        let now = reply(server, &look, state, text);
        if now.text == seen.text {
            break;
        }
        *seen = now;
    }
}

/// Returns the last answer that the agent's hook reported, if the last prompt that it reported is this text and is not
/// newer than the answer.
fn hook_answer(server: &Server, look: &Look<'_>, text: &str) -> Option<AgentAnswer> {
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
    let (taken, answered) = (AcceptedPrompt::parse(taken)?, AgentAnswer::parse(answered)?);
    let is_its = taken.process == process && answered.process == process;
    (is_its && taken.mark == message::mark(text) && taken.at <= answered.at).then_some(answered)
}
