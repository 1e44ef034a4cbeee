//! What blocks a message: anything that would take the message or its Enter for something else, or lose it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::refusal::Blocked;
use super::shell::{self, ShellLine};
use super::{Busy, Delivery, DeliveryOutcome, Draft, PaneView, Reason, pause, refused};
use crate::agent::composer::Composer;
use crate::agent::message;
use crate::clock;
use crate::error::Result;
use crate::id::ProcessId;
use crate::pane::agent::PaneAgent;
use crate::pane::given;
use crate::pane::interrupt_keys::press_each;
use crate::proc::{self, Process};
use crate::state::{State, Why};
use crate::store::Record;
use crate::store::hook_report::{AcceptedPrompt, HookReport};

/// How long an agent that has just started must have shown its composer. Some agents lose earlier input (pi 0.73.1,
/// Gemini CLI 0.61.0).
const STARTUP_DELAY: Duration = Duration::from_secs(2);

/// How long a pane counts as new.
const NEW_PANE: Duration = Duration::from_secs(5);

/// How long after a hook has reported a prompt the composer may still show it.
const SENT_DELAY: Duration = Duration::from_secs(2);

/// The program that gets a text.
pub(super) enum Destination {
    /// An agent with a composer. While it is busy, other keys send the text.
    Agent {
        busy: bool,
    },
    Shell(ShellLine),
}

impl PaneView<'_> {
    /// Returns whether the composer still shows the prompt that the agent's hook has just reported.
    fn draft_was_sent(&self) -> bool {
        let Some(pane_agent) = self.pane_agent() else {
            return false;
        };
        let now = clock::milliseconds();
        let just = |prompt: &AcceptedPrompt| {
            let age = now.checked_sub(prompt.at).map(Duration::from_millis);
            prompt.process == pane_agent.process() && age.is_some_and(|age| age < SENT_DELAY)
        };
        let known = &pane_agent.process_of_agent.agent.manifest.messages;
        let Composer::Draft(draft) = pane_agent.composer() else {
            return false;
        };
        let reported = AcceptedPrompt::parse(self.facts().prompt).filter(just);
        reported.is_some_and(|prompt| {
            prompt.mark == message::mark(&draft) || message::is_abbreviated(known, &draft)
        })
    }
}

/// Returns whether an agent is known to have run below the first process of a pane, and is gone. A pane that was started
/// anew has none.
fn has_lost_agent(seen: &PaneView<'_>, first: &Process) -> bool {
    let reported = HookReport::parse(seen.facts().hook).map(|report| report.process);
    let messaged = seen.facts().last_agent.parse().ok();
    let is_lost =
        |it: &ProcessId| it.pid != first.pid && it.start >= first.start && !proc::is_alive(*it);
    reported.iter().chain(&messaged).any(is_lost)
}

impl<'a> Delivery<'a> {
    /// Waits, as far as the message allows, until nothing blocks it.
    pub(super) fn wait_until_ready(
        &self,
    ) -> Result<Result<(PaneView<'a>, Destination), DeliveryOutcome>> {
        let mut stashed = false;
        let mut interrupted = false;
        let mut ready_since: Option<Instant> = None;
        let mut absent_since: Option<Instant> = None;
        loop {
            let seen = self.look()?;
            let blocked = match self.destination(&seen) {
                Ok(destination) => {
                    let young = seen.pane_agent().is_some_and(PaneAgent::is_young);
                    let ready = ready_since.get_or_insert_with(Instant::now).elapsed();
                    if !(self.message.starting && young && ready < STARTUP_DELAY)
                        || self.timed_out()
                    {
                        return Ok(Ok((seen, destination)));
                    }
                    pause();
                    continue;
                }
                Err(blocked) => blocked,
            };
            ready_since = None;
            let passes = !blocked.passes_within.is_zero()
                && absent_since.get_or_insert_with(Instant::now).elapsed() < blocked.passes_within;
            // In a new pane the program may still have to come to the front.
            let not_yet = match blocked.reason {
                _ if passes => true,
                Reason::Draft if seen.draft_was_sent() => true,
                Reason::NotReady | Reason::NoAgent | Reason::Stranger => {
                    self.message.starting || seen.is_new(NEW_PANE)
                }
                Reason::Busy => self.message.starting,
                _ => false,
            };
            if not_yet && !self.timed_out() {
                pause();
                continue;
            }
            let keys = seen
                .pane_agent()
                .map(|pane_agent| &pane_agent.process_of_agent.agent.manifest.keys);
            match (blocked.reason, self.message.draft) {
                (Reason::Draft, Draft::Wait) if !self.timed_out() => {}
                (Reason::Draft, Draft::Stash) if !self.timed_out() => {
                    let Some(stash) = keys.and_then(|keys| keys.stash.as_ref()) else {
                        let why = "it cannot stash a draft: --draft wait waits until it is sent";
                        return Ok(Err(refused(&seen, Blocked::new(Reason::Draft, why))));
                    };
                    if !stashed && !self.press(&seen, None, 1, stash)? {
                        continue;
                    }
                    stashed = true;
                }
                (Reason::Busy, _) if self.message.busy == Busy::Now && !self.timed_out() => {
                    let interrupt = keys.and_then(|keys| keys.interrupt.as_ref());
                    if let (Some(interrupt), false) = (interrupt, interrupted) {
                        interrupted = self.interrupt(&seen, interrupt)?;
                    }
                }
                _ => return Ok(Err(refused(&seen, blocked))),
            }
            pause();
        }
    }

    /// Presses the keys that interrupt the agent, as long as it is busy. Returns whether it did.
    fn interrupt(&self, seen: &PaneView<'a>, keys: &[String]) -> Result<bool> {
        let now = RefCell::new(None);
        let is_busy = || {
            let look = self.look()?;
            let is_busy = look
                .pane_agent()
                .is_some_and(|pane_agent| pane_agent.own_verdict().state == State::Busy);
            *now.borrow_mut() = Some(look);
            Ok(is_busy)
        };
        press_each(keys, is_busy, |key| {
            self.press(now.borrow().as_ref().unwrap_or(seen), None, 1, key)
        })
    }

    /// Returns the program that would get the text, or what blocks the message.
    pub(super) fn destination(&self, seen: &PaneView<'_>) -> Result<Destination, Blocked> {
        let block = |reason, why: &str| Err(Blocked::new(reason, why));
        if seen.look.dead {
            return block(Reason::Dead, "its process has exited");
        }
        let facts = seen.facts();
        if !facts.held.is_empty() {
            return block(Reason::Held, "its command has exited and the pane is held");
        }
        if facts.input_off == "1" {
            return block(
                Reason::InputOff,
                "its input is switched off (select-pane -e switches it on)",
            );
        }
        if facts.synchronized == "1" {
            return block(
                Reason::Synchronized,
                "its window's panes are synchronised: Enter would go to all of them",
            );
        }
        match seen.pane_agent() {
            Some(pane_agent) => self.agent_destination(pane_agent),
            None => Self::shell_destination(seen),
        }
    }

    fn agent_destination(&self, pane_agent: &PaneAgent<'_>) -> Result<Destination, Blocked> {
        let name = &pane_agent.process_of_agent.agent.name;
        if pane_agent.process_of_agent.process.stopped || !pane_agent.process_of_agent.in_front {
            let why = format!("{name} is suspended, or another program is in the foreground");
            return Err(Blocked::new(Reason::Suspended, why));
        }
        let verdict = pane_agent.own_verdict();
        if verdict.state == State::Waiting {
            let (reason, what) = match verdict.why {
                Some(Why::Permission) | None => (
                    Reason::Permission,
                    "asks for permission: Enter would mean yes",
                ),
                Some(Why::Question) => (Reason::Question, "asks a question"),
                Some(Why::Trust) => (Reason::Trust, "asks whether to trust the folder"),
                Some(Why::Login) => (Reason::Login, "asks for a login"),
                Some(Why::Dialog) => (Reason::Dialog, "shows a menu that a person has opened"),
                Some(Why::Start) => (Reason::Held, "has not started: press Enter in its pane"),
            };
            return Err(Blocked::new(reason, format!("{name} {what}")));
        }
        let busy = verdict.state == State::Busy;
        let keys = &pane_agent.process_of_agent.agent.manifest.keys;
        if busy {
            let keys = match self.message.busy {
                Busy::Refuse => {
                    let why = format!("{name} is busy: use --queue or --now");
                    return Err(Blocked::new(Reason::Busy, why));
                }
                Busy::Queue => &keys.queue,
                Busy::Now => &keys.steer,
            };
            if keys.is_none() {
                let why = format!("{name} is busy, and accepts nothing until it has finished");
                return Err(Blocked::new(Reason::Busy, why));
            }
        }
        match pane_agent.composer() {
            Composer::Empty => Ok(Destination::Agent { busy }),
            Composer::Draft(draft) => {
                let draft: String = draft.chars().take(60).collect();
                let why = format!("a person has typed, but not sent: {draft:?}");
                Err(Blocked::new(Reason::Draft, why))
            }
            Composer::Locked(mode) => {
                let why = format!("{name} is in {mode} mode: Enter would not send");
                Err(Blocked::new(Reason::NotReady, why))
            }
            Composer::Absent => {
                let why = format!("{name} shows no composer");
                Err(Blocked::new(Reason::NotReady, why))
            }
        }
    }

    fn shell_destination(seen: &PaneView<'_>) -> Result<Destination, Blocked> {
        let first = proc::read(seen.look.pane.place.pid);
        // A sesh that was made for a shell is one, whatever has run in it.
        let is_made = seen.look.pane.record.as_ref().is_some_and(Record::is_made);
        if !is_made
            && first
                .as_ref()
                .is_some_and(|first| has_lost_agent(seen, first))
        {
            return Err(Blocked::new(
                Reason::NoAgent,
                "its agent is gone, and a shell would run the text: pane-keys can type it",
            ));
        }
        let front = first.and_then(|first| proc::read(first.foreground));
        if !seen.facts().stored_agent.is_empty() {
            // A shell without job control leads the group of the program that reads the keys.
            let pid = seen.look.pane.place.pid;
            let why = match given::front(pid, is_made, &proc::tree(pid)) {
                Some(front) => {
                    format!("its agent is gone, and {} is in the foreground", front.name)
                }
                None => "its agent is gone, and a shell would run the text".into(),
            };
            return Err(Blocked::new(Reason::NoAgent, why));
        }
        // No agent is starting: the command of the sesh waits for Enter in the pane, and only sesh-run runs there.
        let awaits_enter = |record: &&Record| {
            record.agent.is_none() && record.why.as_deref() == Some(Why::Start.as_str())
        };
        if let Some(record) = seen.look.pane.record.as_ref().filter(awaits_enter) {
            let why = format!(
                "its command has not started: press Enter in its pane (pane-keys {} Enter)",
                record.name
            );
            return Err(Blocked::new(Reason::Held, why));
        }
        match front {
            Some(front) => shell::line_of(seen, front).map(Destination::Shell),
            None => Err(Blocked::new(
                Reason::Stranger,
                "its foreground program is unknown",
            )),
        }
    }
}
