//! Delivers a message to an agent or a shell in a pane: types it where that does no harm, and proves that it arrived.
//!
//! The text is pasted. Enter is a second step, when the text has been drawn and does not change any more: agents take
//! fast typing for a paste, and an Enter that follows a paste too closely for a line end of it (Codex 0.169.0, Gemini
//! CLI 0.61.0). Before each of the two steps the pane is checked for anything that would take the text or the Enter for
//! something else. Only Enter is ever repeated, and only while the text still stands in the composer.

mod blocked;
mod lease;
mod native;
mod proof;
mod refusal;
pub mod reply;
mod shell;
mod typing;

use std::time::{Duration, Instant};

use serde::Serialize;

use super::agent::{self, Look, PaneAgent};
use crate::agent::kinds::Agent;
use crate::agent::message::{self, TextEnd};
use crate::agent::screen::{Screen, ScreenRow};
use crate::clock;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ProcessId, SeshId};
use crate::proc;
use crate::store::hook_report::HookReport;
use crate::store::schema;
use crate::tmux::Server;
use crate::tmux::row::formats;
use blocked::Destination;
use proof::Before;
use refusal::Blocked;

/// What to deliver, and how.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The text, which [`message::typeable`] has cleaned.
    pub text: &'a str,
    pub busy: Busy,
    pub draft: Draft,
    /// Press Enter. Otherwise the text is left in the composer.
    pub enter: bool,
    /// Also send a text that the agent takes for a command.
    pub allow_agent_commands: bool,
    /// The sesh was started a moment ago: wait for the agent or shell to be ready.
    pub starting: bool,
    /// How long the whole delivery may take.
    pub within: Duration,
}

/// What to do with an agent that is busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Busy {
    #[default]
    Refuse,
    /// Put the message into the agent's own queue.
    Queue,
    /// Send the message into what the agent is doing. Interrupt that where the agent cannot take a message meanwhile.
    Now,
}

/// What to do with a text that a person has typed and not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draft {
    #[default]
    Refuse,
    /// Wait until the text is sent or removed.
    Wait,
    /// Have the agent stash the text, where it can.
    Stash,
}

/// What proves that a message arrived. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The agent's hook reported that prompt.
    Hook,
    /// The message stands in the agent's transcript.
    Transcript,
    /// The agent's own command has put the message into its queue.
    Queue,
    /// The agent was started with the message, in a headless turn.
    Turn,
    /// The message left the composer, and the agent is busy or shows it as sent. In a shell: the line was taken.
    Screen,
}

/// Why nothing was sent. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Dead,
    Held,
    InputOff,
    Synchronized,
    /// Stopped by C-z, or behind another program.
    Suspended,
    Permission,
    Question,
    Trust,
    Login,
    Dialog,
    Busy,
    Draft,
    /// There is no composer: the agent is starting, or shows something unknown.
    NotReady,
    /// The agent is gone, and a shell would run the text.
    NoAgent,
    /// The program in front is no agent and no shell.
    Stranger,
    /// The agent would take the text for a command.
    Command,
    /// The shell cannot get this text as it is.
    Unsupported,
}

/// The outcome of a delivery.
#[derive(Clone, Debug)]
pub enum DeliveryOutcome {
    Proven {
        by: Proof,
        /// The message waits in the queue of the agent.
        queued: bool,
        agent: Option<String>,
        /// The pane's sesh and its generation just before Enter was pressed. `None` where the pane is no sesh.
        before: Option<(SeshId, u64)>,
        unreported: Option<Unreported>,
    },
    /// The text stands in the composer, and Enter was not to be pressed.
    Placed { agent: Option<String> },
    /// The text was typed, and nothing proves that it arrived.
    Typed {
        /// The reason, as a sentence.
        why: String,
        seen: String,
        agent: Option<String>,
    },
    Refused {
        reason: Reason,
        why: String,
        seen: String,
        agent: Option<String>,
    },
}

/// A message that an agent has, and that no hook has reported so far.
#[derive(Clone, Debug)]
pub struct Unreported {
    pub process: ProcessId,
    pub kind: String,
    /// The first process of its pane.
    pub first: i32,
    pub conversation: Option<String>,
    /// The last report of a hook before the message.
    pub last: Option<HookReport>,
    /// What the agent's screen showed above its composer before the message.
    pub shown: Option<String>,
}

/// How often the pane is looked at while the delivery waits.
const INTERVAL: Duration = Duration::from_millis(40);
/// How often a message is typed at a shell at most. After each time but the last its line was empty again.
const TRIES: usize = 2;
/// How many last lines of the screen an outcome holds.
const SHOWN_LINES: usize = 8;

formats! {
    /// The facts of a pane that a delivery needs beside those that identify the agent.
    struct DeliveryFacts {
        /// `1` where input to the pane is switched off.
        input_off = "#{pane_input_off}",
        /// `1` where the panes of the window are synchronised.
        synchronized = "#{pane_synchronized}",
        /// The name of the program in front.
        in_front = "#{pane_current_command}",
        /// The pane's columns.
        width = "#{pane_width}",
        /// The file of the pane's terminal.
        terminal = "#{pane_tty}",
        /// `1` where the program has asked for bracketed paste, else `0`. Empty up to tmux 3.6.
        bracketed = "#{bracket_paste_flag}",
        /// The cursor's column, from 0.
        cursor_column = "#{cursor_x}",
        /// The cursor's row, from 0.
        cursor_row = "#{cursor_y}",
        /// The prompt that the agent's hook reported last, as
        /// [`AcceptedPrompt`](crate::store::hook_report::AcceptedPrompt) parses it.
        prompt = schema::PROMPT_OF_PANE,
        /// The last report of the agent's hook, as [`HookReport`] parses it.
        hook = schema::HOOK_OF_PANE,
        /// Not empty while the pane is held after the end of its command.
        held = "#{@sesh_held}",
        /// The kind of agent that is stored for the pane.
        stored_agent = "#{@sesh_agent}",
        /// The agent that got a message there last, if the pane is no sesh.
        last_agent = schema::LAST_AGENT_OF_PANE,
        /// `1` up to tmux 3.6: 3.2a and 3.3a have no `send-keys -c`, and 3.4 to 3.6 do not need it.
        sends_without_client = "#{m:3.[2-6]*,#{version}}",
    }
}

/// Delivers a message to a pane. `sesh` is the sesh that the pane must belong to, for a target that was given as a
/// name.
///
/// # Errors
/// [`Exit::Nothing`] when the pane is gone, [`Exit::Changed`] when it belongs to another sesh, and as [`Server::run`].
/// A message that was not sent, or was sent without proof, is no error: see [`DeliveryOutcome`].
pub fn deliver(
    server: &Server,
    pane: PaneId,
    sesh: Option<SeshId>,
    agents: &[Agent],
    message: Message<'_>,
) -> Result<DeliveryOutcome> {
    let by = Instant::now() + message.within;
    let delivery = Delivery {
        server,
        pane,
        sesh,
        agents,
        message,
        deadline: server.deadline().map_or(by, |deadline| by.min(deadline)),
    };
    delivery.run()
}

struct Delivery<'a> {
    server: &'a Server,
    pane: PaneId,
    sesh: Option<SeshId>,
    agents: &'a [Agent],
    message: Message<'a>,
    deadline: Instant,
}

/// One look at the pane.
struct PaneView<'a> {
    look: Look<'a>,
}

impl<'a> PaneView<'a> {
    fn facts(&self) -> DeliveryFacts<'_> {
        DeliveryFacts::read(self.look.more.iter().map(String::as_str))
    }

    fn pane_agent(&self) -> Option<&PaneAgent<'a>> {
        self.look.pane_agent.as_ref()
    }

    fn agent(&self) -> Option<String> {
        self.pane_agent()
            .map(|pane_agent| pane_agent.process_of_agent.agent.name.clone())
    }

    /// Returns whether the pane's first process has started within this time.
    fn is_new(&self, within: Duration) -> bool {
        let first = proc::read(self.look.pane.place.pid);
        let started = first.and_then(|first| proc::started(&first));
        started.is_some_and(|at| at.elapsed().unwrap_or_default() < within)
    }

    /// Returns the last lines of the screen, up to the last that holds text.
    fn last_lines(&self) -> String {
        let screen = Screen::parse(&self.look.drawn);
        let rows: Vec<&str> = screen.rows().iter().map(ScreenRow::text).collect();
        let end = rows.iter().rposition(|row| !row.is_empty());
        let rows = &rows[..end.map_or(0, |at| at + 1)];
        rows[rows.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }

    fn text(&self) -> String {
        Screen::parse(&self.look.drawn).text()
    }
}

impl<'a> Delivery<'a> {
    fn run(&self) -> Result<DeliveryOutcome> {
        // The lease comes first, since a text that another process is about to send looks like a person's draft.
        let lease = self.lease()?;
        if lease.is_some()
            && let Some(outcome) = self.queue_natively()?
        {
            return Ok(outcome);
        }
        let mut tries = 0;
        loop {
            let (seen, destination) = match (self.wait_until_ready()?, &lease) {
                (Ok((seen, _)), None) => {
                    let why = "another message is being typed there";
                    return Ok(refused(&seen, Blocked::new(Reason::Busy, why)));
                }
                (Ok(ready), Some(_)) => ready,
                (Err(refused), _) => return Ok(refused),
            };
            tries += 1;
            match destination {
                Destination::Agent { busy } => return self.deliver_to_agent(seen, busy),
                Destination::Shell(line) => {
                    if let Some(outcome) = self.deliver_to_shell(seen, &line, tries >= TRIES)? {
                        return Ok(outcome);
                    }
                }
            }
        }
    }

    fn deliver_to_agent(&self, seen: PaneView<'a>, busy: bool) -> Result<DeliveryOutcome> {
        let text = match (seen.pane_agent(), self.message.allow_agent_commands) {
            (Some(pane_agent), false) => {
                let agent = pane_agent.process_of_agent.agent;
                match message::guarded(&agent.manifest.messages, self.message.text) {
                    Ok(text) => text,
                    Err(trap) => {
                        let at = match trap.at {
                            TextEnd::Begin => "begins",
                            TextEnd::End => "ends",
                        };
                        let why = format!(
                            "{} takes a text that {at} with {} for a command: --as-it-is sends it anyway",
                            agent.name, trap.mark
                        );
                        return Ok(refused(&seen, Blocked::new(Reason::Command, why)));
                    }
                }
            }
            _ => self.message.text.into(),
        };
        let transcript = seen.pane_agent().and_then(PaneAgent::transcript);
        let at = clock::milliseconds();
        if let Err(outcome) = self.paste(&seen, &text)? {
            return Ok(outcome);
        }
        let seen = match self.wait_until_drawn(&text)? {
            Ok(seen) => seen,
            Err(outcome) => return Ok(outcome),
        };
        if !self.message.enter {
            return Ok(DeliveryOutcome::Placed {
                agent: seen.agent(),
            });
        }
        let record = seen.look.pane.record.as_ref();
        let before = Before {
            at,
            prompt: seen.facts().prompt.into(),
            report: HookReport::parse(seen.facts().hook),
            transcript,
            shown: seen.pane_agent().map(PaneAgent::above_composer),
            composer: seen.pane_agent().map(PaneAgent::composer),
            sesh: record.map(|record| (record.uuid, record.generation)),
        };
        if let Err(outcome) = self.enter(seen, busy, &text)? {
            return Ok(outcome);
        }
        self.wait_for_proof(busy, &text, before)
    }

    fn look(&self) -> Result<PaneView<'a>> {
        let look = agent::look(self.server, self.pane, self.agents, DeliveryFacts::FORMATS)?;
        let found = look.pane.record.as_ref().map(|record| record.uuid);
        if self.sesh.is_some() && found != self.sesh {
            return Err(Error::new(
                Exit::Changed,
                format!(
                    "pane {} is now another sesh: check with sesh-list",
                    self.pane
                ),
            ));
        }
        Ok(PaneView { look })
    }

    fn timed_out(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

fn refused(seen: &PaneView<'_>, blocked: Blocked) -> DeliveryOutcome {
    DeliveryOutcome::Refused {
        reason: blocked.reason,
        why: blocked.why,
        seen: seen.last_lines(),
        agent: seen.agent(),
    }
}

fn typed(seen: &PaneView<'_>, why: &str) -> DeliveryOutcome {
    DeliveryOutcome::Typed {
        why: why.into(),
        seen: seen.last_lines(),
        agent: seen.agent(),
    }
}

fn pause() {
    std::thread::sleep(INTERVAL); // why: drawing by a program sends no event.
}
