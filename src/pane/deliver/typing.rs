//! The text and its Enter: two steps, each bound to what was seen a moment before.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::blocked::{Blocked, Destination};
use super::{Busy, Delivery, DeliveryOutcome, PaneView, Reason, pause, refused, typed};
use crate::agent::composer::Composer;
use crate::agent::message;
use crate::error::Result;
use crate::state::State;
use crate::store::Key;
use crate::store::condition::{both, equal};
use crate::tmux::command::ActingClient;
use crate::tmux::{Batch, command};

/// How long a text has to stand as it is before Enter: Gemini CLI 0.61.0 takes one that comes within 40 ms of the end of
/// a paste for a line of it.
const STILL: Duration = Duration::from_millis(120);
/// How long a paste may take to be drawn, and what more a longer one may.
const DRAWN: Duration = Duration::from_secs(5);
const DRAWN_EACH: usize = 10_000;

impl<'a> Delivery<'a> {
    /// What must still be so in the server when something is typed.
    fn same(&self, seen: &PaneView<'_>) -> String {
        let is = |field: &str, value: &str| format!("#{{==:#{{{field}}},{value}}}");
        let pid = seen.look.pane.place.pid.to_string();
        let mut same = both(&is("pane_dead", "0"), &is("pane_input_off", "0"));
        same = both(&same, &is("pane_synchronized", "0"));
        same = both(&same, &is("pane_pid", &pid));
        if let Some(sesh) = self.sesh {
            same = both(&same, &equal(Key::Id, &sesh.to_string()));
        }
        // When the agent has ended meanwhile, a shell is in front.
        let front = seen.facts().in_front;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !front.is_empty() && front.chars().all(plain) {
            same = both(&same, &is("pane_current_command", front));
        }
        same
    }

    /// Runs commands if the pane still is as it was seen: test and act are one step of the server.
    pub(super) fn act(
        &self,
        seen: &PaneView<'_>,
        also: Option<&str>,
        act: Batch,
        input: &[u8],
        buffer: &str,
    ) -> Result<bool> {
        let mut condition = self.same(seen);
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
        let typed = self.server.run_with(&batch, input)?.trim() == "typed";
        if !typed {
            // It is there, since nothing else knows its name: without it tmux would delete the newest buffer of all.
            self.server
                .run(&Batch::from(command::delete_buffer(buffer)))?;
        }
        Ok(typed)
    }

    /// Presses keys, if the pane still is as it was seen.
    pub(super) fn press(&self, seen: &PaneView<'_>, keys: &[String]) -> Result<bool> {
        let buffer = buffer();
        let act = Batch::from(command::delete_buffer(&buffer)).then(command::send_keys(
            self.pane,
            client(seen),
            1,
            keys,
        ));
        self.act(seen, None, act, b" ", &buffer)
    }

    pub(super) fn paste(
        &self,
        seen: &PaneView<'_>,
        place: &Destination,
        text: &str,
    ) -> Result<Result<(), DeliveryOutcome>> {
        let buffer = buffer();
        let act = Batch::from(command::paste(self.pane, &buffer));
        if self.act(seen, None, act, text.as_bytes(), &buffer)? {
            return Ok(Ok(()));
        }
        let now = self.look()?;
        let blocked = match (self.place(&now), place) {
            (Err(blocked), _) => blocked,
            (Ok(_), _) => Blocked::new(Reason::NotReady, "another program came to the front"),
        };
        Ok(Err(refused(&now, blocked)))
    }

    /// Waits until the text stands where it was pasted, and stays.
    pub(super) fn drawn(
        &self,
        place: &Destination,
        text: &str,
    ) -> Result<Result<PaneView<'a>, DeliveryOutcome>> {
        let more = u32::try_from(text.len() / DRAWN_EACH).unwrap_or(u32::MAX);
        let limit = Instant::now() + DRAWN + Duration::from_secs(1).saturating_mul(more);
        let mut last = (String::new(), Instant::now());
        loop {
            let seen = self.look()?;
            let stands = match (place, seen.pane_agent()) {
                (Destination::Agent { .. }, None) => {
                    return Ok(Err(typed(&seen, "its agent is gone: nothing was sent")));
                }
                (Destination::Agent { .. }, Some(pane_agent)) => {
                    if pane_agent.verdict().state == State::Waiting {
                        let why = "it asks something now: the text was not sent";
                        return Ok(Err(typed(&seen, why)));
                    }
                    match pane_agent.composer() {
                        Composer::Draft(draft)
                            if message::is_text(
                                &pane_agent.living.agent.manifest.messages,
                                &draft,
                                text,
                            ) =>
                        {
                            Some(draft)
                        }
                        _ => None,
                    }
                }
                (Destination::Shell, _) => {
                    let screen = seen.text();
                    message::ends_in(text, &screen).then_some(screen)
                }
            };
            match stands {
                Some(stands) if stands == last.0 => {
                    if last.1.elapsed() >= STILL {
                        return Ok(Ok(seen));
                    }
                }
                stands => last = (stands.unwrap_or_default(), Instant::now()),
            }
            if Instant::now() >= limit.min(self.deadline) {
                let why =
                    "it does not stand in the composer as it was typed: Enter was not pressed";
                return Ok(Err(typed(&seen, why)));
            }
            pause();
        }
    }

    /// Presses Enter where the text stands: bound to where the cursor is, so that nothing else can have come there.
    pub(super) fn enter(
        &self,
        seen: PaneView<'a>,
        place: &Destination,
        text: &str,
    ) -> Result<Result<(), DeliveryOutcome>> {
        // An agent that draws all the time may move its cursor: then what was seen a moment ago has to do.
        const STRICT: Duration = Duration::from_secs(1);
        let begun = Instant::now();
        let mut seen = seen;
        loop {
            let facts = seen.facts();
            let cursor = format!(
                "#{{==:#{{cursor_x}}:#{{cursor_y}},{}:{}}}",
                facts.cursor_column, facts.cursor_row
            );
            let strict = begun.elapsed() < STRICT;
            let buffer = buffer();
            let submit = self.submit(&seen, place, &buffer);
            if self.act(
                &seen,
                strict.then_some(cursor.as_str()),
                submit,
                b"\n",
                &buffer,
            )? {
                return Ok(Ok(()));
            }
            pause();
            seen = match self.drawn(place, text)? {
                Ok(seen) => seen,
                Err(outcome) => return Ok(Err(outcome)),
            };
        }
    }

    /// The commands that send what stands in the composer. In copy mode no key reaches the program, but a paste does.
    pub(super) fn submit(&self, seen: &PaneView<'_>, place: &Destination, buffer: &str) -> Batch {
        let enter = Batch::from(command::paste_as_keys(self.pane, buffer));
        let keys = seen
            .pane_agent()
            .map(|pane_agent| &pane_agent.living.agent.manifest.keys);
        let keys = match (place, self.message.busy) {
            (Destination::Agent { busy: true }, Busy::Queue) => {
                keys.and_then(|keys| keys.queue.as_ref())
            }
            (Destination::Agent { busy: true }, Busy::Now) => {
                keys.and_then(|keys| keys.steer.as_ref())
            }
            _ => keys.and_then(|keys| keys.submit.as_ref()),
        };
        match keys {
            Some(keys) if !keys.iter().eq(["Enter"]) => Batch::from(command::delete_buffer(buffer))
                .then(command::leave_mode(self.pane))
                .then(command::send_keys(self.pane, client(seen), 1, keys)),
            _ => enter,
        }
    }
}

/// As which client keys are sent: from 3.7 on tmux refuses them where the one that looks at the pane is read-only.
fn client(seen: &PaneView<'_>) -> ActingClient {
    if seen.facts().sends_without_client == "1" {
        ActingClient::Default
    } else {
        ActingClient::None
    }
}

/// A buffer's name that nobody else uses: buffers are the server's.
pub(super) fn buffer() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("sesh-{}-{next}", std::process::id())
}
