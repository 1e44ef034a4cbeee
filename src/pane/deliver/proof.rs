//! Waits for proof that a message arrived.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::blocked::Destination;
use super::typing::buffer;
use super::{Busy, Delivery, DeliveryOutcome, PaneView, Proof, pause, typed};
use crate::agent::composer::Composer;
use crate::agent::message;
use crate::agent::screen::{Screen, ScreenRow};
use crate::agent::transcript::Transcript;
use crate::error::{Error, Exit, Result};
use crate::id::SeshId;
use crate::proc;
use crate::state::State;
use crate::store::hook_report::AcceptedPrompt;

/// How long after Enter a stronger proof than the screen is awaited.
const STRONGER_PROOF: Duration = Duration::from_millis(1500);
/// When Enter is repeated, counted from the first Enter, if the text still stands in the composer.
const REPEATS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
];

/// What was known before a message was sent.
pub(super) struct Before {
    pub(super) at: SystemTime,
    /// The prompt that the agent's hook reported last, as it is stored. It is no proof, even if its time is later than
    /// [`Before::at`]: then the clock was set back since.
    pub(super) prompt: String,
    pub(super) transcript: Option<Transcript>,
    /// What the agent's screen showed above its composer.
    pub(super) shown: Option<String>,
    /// The pane's sesh and its generation.
    pub(super) sesh: Option<(SeshId, u64)>,
}

impl Delivery<'_> {
    /// Waits for proof that the message arrived.
    pub(super) fn wait_for_proof(
        &self,
        destination: &Destination,
        text: &str,
        before: Before,
    ) -> Result<DeliveryOutcome> {
        let mark = message::mark(text);
        let begun_at = before
            .at
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        let entered = Instant::now();
        let queued = matches!(destination, Destination::Agent { busy: true })
            && self.message.busy == Busy::Queue;
        let mut repeats = REPEATS.iter();
        let mut next = repeats.next();
        let mut transcript = before.transcript;
        let mut screen_proofs = 0;
        loop {
            let seen = match self.look() {
                // The pane closed after the message was sent.
                Err(error) if error.exit == Exit::Nothing => {
                    return Err(Error::nothing(format!(
                        "pane {} went away behind the message: it is not known whether it arrived",
                        self.pane
                    )));
                }
                outcome => outcome?,
            };
            let proven = |by| DeliveryOutcome::Proven {
                by,
                queued,
                agent: seen.agent(),
                before: before.sesh,
            };
            let Some(pane_agent) = seen.pane_agent() else {
                if matches!(destination, Destination::Shell) {
                    if Self::line_was_taken(&seen, text) {
                        return Ok(proven(Proof::Screen));
                    }
                } else {
                    return Ok(typed(&seen, "its agent has gone behind the message"));
                }
                if self.timed_out() {
                    return Ok(typed(&seen, "the shell has not taken the line"));
                }
                pause();
                continue;
            };
            let process = pane_agent.process();
            let prompt = seen.facts().prompt;
            let taken = AcceptedPrompt::parse(prompt)
                .filter(|it| it.process == process && prompt != before.prompt);
            if taken.is_some_and(|it| it.mark == mark && it.at >= begun_at) {
                return Ok(proven(Proof::Hook));
            }
            transcript = transcript.or_else(|| pane_agent.transcript().map(Transcript::from_begin));
            if transcript.as_mut().is_some_and(|it| it.took(text)) {
                return Ok(proven(Proof::Transcript));
            }
            let (stands, empty) = match pane_agent.composer() {
                Composer::Draft(draft) => (
                    message::is_text(
                        &pane_agent.process_of_agent.agent.manifest.messages,
                        &draft,
                        text,
                    ),
                    false,
                ),
                Composer::Empty => (false, true),
                Composer::Absent => (false, false),
            };
            let state = pane_agent.verdict().state;
            if stands {
                screen_proofs = 0;
                if let Some(after) = next
                    && entered.elapsed() >= *after
                    && state != State::Waiting
                {
                    next = repeats.next();
                    let buffer = buffer();
                    let submit = self.submit(&seen, destination, &buffer);
                    self.run_if_unchanged(&seen, None, submit, b"\n", &buffer)?;
                }
            } else if state == State::Busy
                || message::ends_in(text, &seen.text())
                || (empty && before.shown.as_ref() != Some(&pane_agent.above_composer()))
            {
                // Two looks in a row have to agree, since a screen may be half drawn.
                screen_proofs += 1;
                let has_transcript = transcript.is_some();
                let stronger = has_transcript || pane_agent.has_hook_report();
                let is_enough = !(has_transcript && self.becomes_prompt(destination))
                    && (!stronger || entered.elapsed() >= STRONGER_PROOF);
                if screen_proofs >= 2 && is_enough {
                    return Ok(proven(Proof::Screen));
                }
            } else {
                screen_proofs = 0;
            }
            if self.timed_out() {
                let why = why_unproven(stands, transcript.is_some());
                return Ok(typed(&seen, why));
            }
            pause();
        }
    }

    /// Returns whether the message becomes a prompt at once, which the transcript of the conversation then has. An agent
    /// that works takes it later, and a command is no prompt. Without it in the transcript, the screen proves nothing: it
    /// may show another view, in which the text has begun another conversation.
    fn becomes_prompt(&self, destination: &Destination) -> bool {
        let idle = matches!(destination, Destination::Agent { busy: false });
        idle && !self.message.allow_agent_commands
    }

    /// Returns whether a shell has taken a line: the cursor's row does not end with it any more, or a command is in
    /// front.
    fn line_was_taken(seen: &PaneView<'_>, text: &str) -> bool {
        let first = proc::read(seen.look.pane.place.pid);
        let front = first.and_then(|first| proc::read(first.foreground));
        if front.is_some_and(|front| !front.is_shell()) {
            return true;
        }
        let row: usize = seen.facts().cursor_row.parse().unwrap_or(0);
        let screen = Screen::parse(&seen.look.drawn);
        let at_cursor = screen.rows().get(row).map_or("", ScreenRow::text);
        let last = text.lines().next_back().unwrap_or_default();
        !message::ends_in(last, at_cursor)
    }
}

/// Returns why a message that was sent is not proven. `stands`: the composer still has it.
fn why_unproven(stands: bool, has_transcript: bool) -> &'static str {
    match (stands, has_transcript) {
        (true, _) => "it still stands in the composer",
        (false, true) => "it left the composer, and its conversation does not have it",
        (false, false) => "it left the composer, and nothing shows where to",
    }
}
