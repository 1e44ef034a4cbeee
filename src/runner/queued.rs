//! A headless turn in a conversation that another process of the agent has open: the prompt goes into the agent's queue,
//! that process answers it, and the answer is read in the transcript.
//!
//! It runs in a process of its own, which is the command of the turn, so that it ends as the agent of a turn does. What
//! is in the queue stays there: the other process finishes it.
//!
//! Codex 0.171.0 keeps a thread open in its daemon after a TUI that used it has left, and then refuses every other writer.

use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::agent::conversation;
use crate::agent::kinds::{Agent, Agents};
use crate::agent::message;
use crate::agent::transcript::{Transcript, TranscriptLine};
use crate::env;
use crate::error::{Error, Result};

/// How often the transcript is read.
const INTERVAL: Duration = Duration::from_millis(200);
/// How often it is read until a conversation that no process has open counts as left.
const LEFT_AFTER: u32 = 10;

/// Puts the prompt on standard input into the queue of a conversation, and returns the answer to it.
///
/// # Errors
/// The queue does not take it; the turn ends without an answer; or the process that has the conversation open ends.
pub fn answer(kind: &str, id: &str) -> Result<String> {
    let agent = Agents::loaded().named(kind);
    let agent = agent.ok_or_else(|| Error::unusable(format!("unknown agent {kind}")))?;
    let mut prompt = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut prompt)
        .map_err(|error| Error::failed(format!("cannot read the prompt: {error}")))?;
    let transcript = conversation::transcript(agent, id, variable);
    let transcript =
        transcript.ok_or_else(|| Error::failed("the transcript of the conversation is gone"))?;
    queue(agent, id, &prompt)?;
    await_answer(agent, id, transcript, &prompt)
}

/// Puts a prompt into the queue by the agent's own command.
fn queue(agent: &Agent, id: &str, prompt: &str) -> Result<()> {
    let kind = &agent.name;
    let words = agent.manifest.commands.queue.as_deref();
    let Some((program, words)) = words.and_then(<[_]>::split_first) else {
        return Err(Error::unusable(format!("{kind} has no queue")));
    };
    let word = |word: &String| word.replace("{id}", id).replace("{text}", prompt);
    let ended = Command::new(program)
        .args(words.iter().map(word))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::ArgumentListTooLong => Error::unusable(format!(
                "the prompt is too long for the queue of {kind}, which another process has open: end that first"
            )),
            _ => Error::failed(format!("cannot run {program}: {error}")),
        })?;
    if ended.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&ended.stderr);
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    Err(Error::failed(format!(
        "the queue of {kind} did not take the prompt: {}",
        last.unwrap_or("it printed no reason").trim()
    )))
}

/// Waits until the transcript has the end of the turn that the prompt begins.
fn await_answer(
    agent: &Agent,
    id: &str,
    mut transcript: Transcript,
    prompt: &str,
) -> Result<String> {
    let prompt = message::normalized(prompt);
    let mut is_in_turn = false;
    let mut answer = None;
    let mut note = None;
    let mut unlocked = 0;
    loop {
        for entry in transcript.more() {
            match entry {
                TranscriptLine::Prompt(text) => is_in_turn |= message::normalized(&text) == prompt,
                TranscriptLine::Answer(text) if is_in_turn => answer = Some(text),
                TranscriptLine::Note(text) if is_in_turn => note = Some(text),
                TranscriptLine::End if is_in_turn => {
                    let why = note.unwrap_or_else(|| "the turn ended without an answer".into());
                    return answer.ok_or_else(|| Error::failed(why));
                }
                _ => {}
            }
        }
        unlocked += 1;
        if conversation::is_locked(agent, id, variable) {
            unlocked = 0;
        }
        if unlocked >= LEFT_AFTER {
            return Err(Error::failed(
                "the process that had the conversation open has ended",
            ));
        }
        std::thread::sleep(INTERVAL); // why: what another process writes sends no event.
    }
}

fn variable(name: &str) -> Option<OsString> {
    env::folder(name).map(Into::into)
}
