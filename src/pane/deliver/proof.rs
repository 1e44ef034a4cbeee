//! Waits for proof that a message arrived.

use std::time::{Duration, Instant};

use super::typing::buffer;
use super::{Busy, Delivery, DeliveryOutcome, PaneView, Proof, Unreported, pause, typed};
use crate::agent::composer::Composer;
use crate::agent::message;
use crate::agent::transcript::Transcript;
use crate::error::{Error, Exit, Result};
use crate::id::SeshId;
use crate::pane::agent::PaneAgent;
use crate::state::State;
use crate::store::hook_report::{AcceptedPrompt, HookReport};

/// How long after Enter a stronger proof than the screen is awaited.
const STRONGER_PROOF: Duration = Duration::from_millis(1500);
/// How long after a proof the composer may still show the text. The next message would take it for a person's draft.
const REDRAW: Duration = Duration::from_secs(1);
/// When Enter is repeated, counted from the first Enter, if the text still stands in the composer.
const REPEATS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
];

/// What was known before a message was sent.
pub(super) struct Before {
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// The prompt that the agent's hook reported last, as it is stored. It is no proof, even if its time is later than
    /// [`Before::at`]: then the clock was set back since.
    pub(super) prompt: String,
    /// The last report of the agent's hook.
    pub(super) report: Option<HookReport>,
    pub(super) transcript: Option<Transcript>,
    /// What the agent's screen showed above its composer.
    pub(super) shown: Option<String>,
    /// The agent's composer, with the text in it.
    pub(super) composer: Option<Composer>,
    /// The pane's sesh and its generation.
    pub(super) sesh: Option<(SeshId, u64)>,
}

/// Returns whether the text still stands in the composer.
fn stands(pane_agent: &PaneAgent<'_>, composer: &Composer, text: &str, before: &Before) -> bool {
    let known = &pane_agent.process_of_agent.agent.manifest.messages;
    match composer {
        Composer::Draft(draft) => {
            before.composer.as_ref() == Some(composer) || message::is_text(known, draft, text)
        }
        _ => false,
    }
}

/// Returns the report of a message that no hook has reported. A command of the agent begins no turn.
fn unreported(seen: &PaneView<'_>, text: &str, before: &Before) -> Option<Unreported> {
    let pane_agent = seen.pane_agent()?;
    let agent = pane_agent.process_of_agent.agent;
    message::guarded(&agent.manifest.messages, text).ok()?;
    Some(Unreported {
        process: pane_agent.process(),
        kind: agent.name.clone(),
        first: seen.look.pane.place.pid,
        conversation: pane_agent.hook_conversation.clone(),
        last: before.report.clone(),
        shown: before.shown.clone(),
    })
}

impl Delivery<'_> {
    /// Waits for proof that the message arrived.
    pub(super) fn wait_for_proof(
        &self,
        busy: bool,
        text: &str,
        mut before: Before,
    ) -> Result<DeliveryOutcome> {
        let mark = message::mark(text);
        let entered = Instant::now();
        let queued = busy && self.message.busy == Busy::Queue;
        let mut repeats = REPEATS.iter();
        let mut next = repeats.next();
        let mut transcript = before.transcript.take();
        let mut screen_proofs = 0;
        let mut arrived: Option<(Proof, Instant)> = None;
        loop {
            let seen = match self.look() {
                // The pane closed after the message was sent.
                Err(error) if error.exit == Exit::Nothing => {
                    return Err(Error::nothing(format!(
                        "pane {} closed after the message: unknown whether it was delivered",
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
                unreported: unreported(&seen, text, &before)
                    .filter(|_| by != Proof::Hook && !queued),
            };
            let Some(pane_agent) = seen.pane_agent() else {
                return Ok(typed(&seen, "its agent has exited after the message"));
            };
            let process = pane_agent.process();
            let prompt = seen.facts().prompt;
            let taken = AcceptedPrompt::parse(prompt)
                .filter(|it| it.process == process && prompt != before.prompt);
            if taken.is_some_and(|it| it.mark == mark && it.at >= before.at) {
                arrived = arrived.or_else(|| Some((Proof::Hook, Instant::now())));
            }
            transcript = transcript.or_else(|| pane_agent.transcript().map(Transcript::from_begin));
            if transcript.as_mut().is_some_and(|it| it.took(text)) {
                arrived = arrived.or_else(|| Some((Proof::Transcript, Instant::now())));
            }
            let composer = pane_agent.composer();
            let stands = stands(pane_agent, &composer, text, &before);
            let empty = composer == Composer::Empty;
            if let Some((by, at)) = arrived {
                if !stands || at.elapsed() >= REDRAW {
                    return Ok(proven(by));
                }
                pause();
                continue;
            }
            let state = pane_agent.own_verdict().state;
            if stands {
                screen_proofs = 0;
                if let Some(after) = next
                    && entered.elapsed() >= *after
                    && state != State::Waiting
                {
                    next = repeats.next();
                    let buffer = buffer();
                    let submit = self.submit(&seen, busy, &buffer);
                    self.run_if_unchanged(&seen, None, submit, b"\n", &buffer)?;
                }
            } else if state == State::Busy
                || message::ends_in(text, &seen.text())
                || (empty
                    && (entered.elapsed() >= STRONGER_PROOF
                        || before.shown.as_ref() != Some(&pane_agent.above_composer())))
            {
                // Two looks in a row have to agree, since a screen may be half drawn.
                screen_proofs += 1;
                let has_transcript = transcript.is_some();
                let stronger = has_transcript || pane_agent.has_hook_report();
                let is_enough = !(has_transcript && self.becomes_prompt(busy))
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
    fn becomes_prompt(&self, busy: bool) -> bool {
        !busy && !self.message.allow_agent_commands
    }
}

/// Returns why a message that was sent is not proven. `stands`: the composer still has it.
fn why_unproven(stands: bool, has_transcript: bool) -> &'static str {
    match (stands, has_transcript) {
        (true, _) => "the message is still in the composer",
        (false, true) => "the message left the composer, but is not in the conversation",
        (false, false) => "the message left the composer, and nothing shows where it went",
    }
}
