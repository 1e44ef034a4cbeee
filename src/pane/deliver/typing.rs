//! Types the text and then Enter. Each of the two steps happens only if the pane still is as it was seen last.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::refusal::Blocked;
use super::{Busy, Delivery, DeliveryOutcome, PaneView, Reason, pause, refused, typed};
use crate::agent::composer::Composer;
use crate::agent::message;
use crate::error::Result;
use crate::state::State;
use crate::store::condition::{both, equal};
use crate::store::{Key, write};
use crate::tmux::command::ActingClient;
use crate::tmux::{Batch, command};

/// How long a text must stay unchanged before Enter. Gemini CLI 0.61.0 takes an Enter that comes within 40 ms of the
/// end of a paste for a line end of it.
pub(super) const STABLE: Duration = Duration::from_millis(120);
/// How long a paste may take to be drawn.
pub(super) const DRAW_TIMEOUT: Duration = Duration::from_secs(5);
/// A paste may take one second more for each this many bytes.
pub(super) const BYTES_PER_SECOND: usize = 10_000;

impl<'a> Delivery<'a> {
    /// Returns the condition that the pane is as it was seen, which the server tests when something is typed.
    fn is_unchanged(&self, seen: &PaneView<'_>) -> String {
        let is = |field: &str, value: &str| format!("#{{==:#{{{field}}},{value}}}");
        let pid = seen.look.pane.place.pid.to_string();
        let mut condition = both(&is("pane_dead", "0"), &is("pane_input_off", "0"));
        condition = both(&condition, &is("pane_synchronized", "0"));
        condition = both(&condition, &is("pane_pid", &pid));
        if let Some(sesh) = self.sesh {
            condition = both(&condition, &equal(Key::Id, &sesh.to_string()));
        }
        // If the agent has exited meanwhile, a shell is in front.
        let front = seen.facts().in_front;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !front.is_empty() && front.chars().all(plain) {
            condition = both(&condition, &is("pane_current_command", front));
        }
        condition
    }

    /// Runs the commands of `act` if the pane still is as it was seen and `also` is true, and returns whether they ran.
    /// The server tests and runs them in one step. `input` is loaded into `buffer` before.
    pub(super) fn run_if_unchanged(
        &self,
        seen: &PaneView<'_>,
        also: Option<&str>,
        act: Batch,
        input: &[u8],
        buffer: &str,
    ) -> Result<bool> {
        let mut condition = self.is_unchanged(seen);
        if let Some(also) = also {
            condition = both(&condition, also);
        }
        let target = self.pane.to_string();
        let guarded = command::if_format(
            Some(&target),
            &condition,
            &act.then(command::print(None, "typed")),
            &Batch::new(),
        );
        let batch = Batch::from(command::load_buffer(buffer)).then(guarded);
        let typed = self.server.run_with_input(&batch, input)?.trim() == "typed";
        if !typed {
            // The buffer still exists, since only this process knows its name. If it did not exist, tmux would delete
            // the newest buffer of the server instead.
            self.server
                .run(&Batch::from(command::delete_buffer(buffer)))?;
        }
        Ok(typed)
    }

    /// Presses keys if the pane still is as it was seen, and returns whether it did. `condition`: see
    /// [`Delivery::run_if_unchanged`].
    pub(super) fn press(
        &self,
        seen: &PaneView<'_>,
        condition: Option<&str>,
        times: u16,
        keys: &[String],
    ) -> Result<bool> {
        let buffer = buffer();
        let act = self
            .keys(seen, times, keys)
            .then(command::delete_buffer(&buffer));
        self.run_if_unchanged(seen, condition, act, b" ", &buffer)
    }

    /// Returns the commands that send keys. In copy mode a key would be one of that mode.
    fn keys(&self, seen: &PaneView<'_>, times: u16, keys: &[String]) -> Batch {
        let send = command::send_keys(self.pane, client(seen), times, keys);
        Batch::from(command::leave_mode(self.pane)).then(send)
    }

    /// Pastes the text if the pane still is as it was seen.
    pub(super) fn paste(
        &self,
        seen: &PaneView<'_>,
        text: &str,
    ) -> Result<Result<(), DeliveryOutcome>> {
        let buffer = buffer();
        let act = Batch::from(command::paste(self.pane, &buffer));
        if self.run_if_unchanged(seen, None, act, text.as_bytes(), &buffer)? {
            return Ok(Ok(()));
        }
        let now = self.look()?;
        let blocked = match self.destination(&now) {
            Err(blocked) => blocked,
            Ok(_) => Blocked::new(Reason::NotReady, "another program came to the foreground"),
        };
        Ok(Err(refused(&now, blocked)))
    }

    /// Waits until the text stands where it was pasted and does not change any more.
    pub(super) fn wait_until_drawn(
        &self,
        text: &str,
    ) -> Result<Result<PaneView<'a>, DeliveryOutcome>> {
        let more = u32::try_from(text.len() / BYTES_PER_SECOND).unwrap_or(u32::MAX);
        let limit = Instant::now() + DRAW_TIMEOUT + Duration::from_secs(1).saturating_mul(more);
        let mut last = (String::new(), Instant::now());
        loop {
            let seen = self.look()?;
            let stands = match seen.pane_agent() {
                None => {
                    return Ok(Err(typed(&seen, "its agent is gone: nothing was sent")));
                }
                Some(pane_agent) => {
                    if pane_agent.own_verdict().state == State::Waiting {
                        let why = "it now asks a question: the text was not sent";
                        return Ok(Err(typed(&seen, why)));
                    }
                    match pane_agent.composer() {
                        Composer::Draft(draft)
                            if message::is_text(
                                &pane_agent.process_of_agent.agent.manifest.messages,
                                &draft,
                                text,
                            ) || message::resembles(&draft, text) =>
                        {
                            Some(draft)
                        }
                        _ => None,
                    }
                }
            };
            match stands {
                Some(stands) if stands == last.0 => {
                    if last.1.elapsed() >= STABLE {
                        return Ok(Ok(seen));
                    }
                }
                stands => last = (stands.unwrap_or_default(), Instant::now()),
            }
            if Instant::now() >= limit.min(self.deadline) {
                let why = "the text in the composer is not as it was typed: Enter was not pressed";
                return Ok(Err(typed(&seen, why)));
            }
            pause();
        }
    }

    /// Presses Enter where the text stands. The terminal cursor must not have moved, so that nothing else can be there
    /// by then.
    pub(super) fn enter(
        &self,
        seen: PaneView<'a>,
        busy: bool,
        text: &str,
    ) -> Result<Result<(), DeliveryOutcome>> {
        // An agent that draws all the time may keep moving the cursor. After this time its position is not tested.
        const STRICT_TIME: Duration = Duration::from_secs(1);
        let begun = Instant::now();
        let mut seen = seen;
        loop {
            let facts = seen.facts();
            let cursor = format!(
                "#{{==:#{{cursor_x}}:#{{cursor_y}},{}:{}}}",
                facts.cursor_column, facts.cursor_row
            );
            let strict = begun.elapsed() < STRICT_TIME;
            let buffer = buffer();
            let mut submit = self.submit(&seen, busy, &buffer);
            if let (Some(pane_agent), None) = (seen.pane_agent(), &seen.look.pane.record) {
                submit = submit.then(write::last_agent(self.pane, pane_agent.process()));
            }
            if self.run_if_unchanged(
                &seen,
                strict.then_some(cursor.as_str()),
                submit,
                b"\n",
                &buffer,
            )? {
                return Ok(Ok(()));
            }
            pause();
            seen = match self.wait_until_drawn(text)? {
                Ok(seen) => seen,
                Err(outcome) => return Ok(Err(outcome)),
            };
        }
    }

    /// Returns the commands that send the text in the composer. In copy mode no key reaches the program, but a paste
    /// does.
    pub(super) fn submit(&self, seen: &PaneView<'_>, busy: bool, buffer: &str) -> Batch {
        let enter = Batch::from(command::paste_as_keys(self.pane, buffer));
        let keys = seen
            .pane_agent()
            .map(|pane_agent| &pane_agent.process_of_agent.agent.manifest.keys);
        let keys = match (busy, self.message.busy) {
            (true, Busy::Queue) => keys.and_then(|keys| keys.queue.as_ref()),
            (true, Busy::Now) => keys.and_then(|keys| keys.steer.as_ref()),
            _ => keys.and_then(|keys| keys.submit.as_ref()),
        };
        match keys {
            Some(keys) if !keys.iter().eq(["Enter"]) => {
                let send = self.keys(seen, 1, keys);
                send.then(command::delete_buffer(buffer))
            }
            _ => enter,
        }
    }
}

/// Returns the client as which keys are sent. From 3.7 on tmux refuses keys where the client that shows the pane is
/// read-only.
pub(super) fn client(seen: &PaneView<'_>) -> ActingClient {
    if seen.facts().sends_without_client == "1" {
        ActingClient::Default
    } else {
        ActingClient::None
    }
}

/// Returns the name of a buffer that no other process uses, since all processes share the buffers of the server.
pub(super) fn buffer() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("sesh-{}-{next}", std::process::id())
}
