//! A message to an agent or a shell in a pane: typed where it does no harm, and proven to have arrived.
//!
//! The text goes as a paste and Enter as a second step, when the text is there and stays: fast typing is taken for a
//! paste, and an Enter too close behind one for a line of it (Codex 0.169.0, Gemini CLI 0.61.0). What would take the
//! text or the Enter for something else is looked for before each of the two. Enter alone is ever repeated, and only
//! while the text still stands in the composer.

mod blocked;
mod native;
mod proof;
pub mod reply;
mod turn;
mod typing;

use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::agent::{self, Look, PaneAgent};
use crate::agent::kinds::Agent;
use crate::agent::message::{self, TextEnd};
use crate::agent::screen::{Screen, ScreenRow};
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::proc;
use crate::store::schema;
use crate::tmux::Server;
use crate::tmux::row::formats;
use blocked::Blocked;
use proof::Before;

/// What to deliver, and how.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// It must be typeable: [`message::typeable`].
    pub text: &'a str,
    pub busy: Busy,
    pub draft: Draft,
    /// Send it; otherwise it is left in the composer.
    pub enter: bool,
    /// Also a text that the agent takes for a command.
    pub as_it_is: bool,
    /// It was started a moment ago: what is not there yet is waited for.
    pub starting: bool,
    /// How long all of it may take.
    pub within: Duration,
}

/// What to do with an agent that works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Busy {
    #[default]
    Refuse,
    /// The agent's own queue.
    Queue,
    /// Into what it does at this moment; where it has no such thing, that is interrupted.
    Now,
}

/// What to do with a text that a person has typed and not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draft {
    #[default]
    Refuse,
    /// Wait until it is sent or gone.
    Wait,
    /// Have the agent put it aside, where it can.
    Stash,
}

/// What proves that a message arrived. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The agent's hook was given that prompt.
    Hook,
    /// It stands in the agent's transcript.
    Transcript,
    /// The agent's own command has put it into its queue.
    Queue,
    /// It left the composer, and the agent works or shows it as sent; in a shell, the line was taken.
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
    /// There is no composer: it starts, or shows something that nobody knows.
    NotReady,
    /// Its agent is gone, and a shell would run the text.
    NoAgent,
    /// What is in front is no agent and no shell.
    Stranger,
    /// The agent would take the text for a command.
    Command,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum DeliveryOutcome {
    Proven {
        by: Proof,
        /// It waits for the end of what the agent does.
        queued: bool,
        agent: Option<String>,
        /// The pane's sesh, where it is one, and its generation when Enter was about to be pressed.
        before: Option<(SeshId, u64)>,
    },
    /// It stands in the composer, as asked.
    Placed { agent: Option<String> },
    /// It was typed, and nothing shows that it arrived.
    Typed {
        /// What is in its place, as a sentence.
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

/// How often the pane is looked at while something is to come.
const LOOK: Duration = Duration::from_millis(40);
/// How many of the screen's last lines are shown to whoever asked.
const SEEN: usize = 8;

formats! {
    /// What a delivery asks of a pane beside what tells which agent runs there.
    struct DeliveryFacts {
        /// `1` where input to the pane is switched off.
        input_off = "#{pane_input_off}",
        /// `1` where the panes of the window are synchronised.
        synchronized = "#{pane_synchronized}",
        /// The name of the program in front.
        in_front = "#{pane_current_command}",
        /// The cursor's column, from 0.
        cursor_column = "#{cursor_x}",
        /// The cursor's row, from 0.
        cursor_row = "#{cursor_y}",
        /// The prompt that the agent's hook reported last, as [`Taken`](crate::store::hook_report::Taken) parses it.
        prompt = schema::PROMPT_OF_PANE,
        /// Not empty while the pane is held after the end of its command.
        held = "#{@sesh_held}",
        /// The kind of agent that is stored for the pane.
        stored_agent = "#{@sesh_agent}",
        /// `1` up to tmux 3.6: 3.2a and 3.3a have no `send-keys -c`, and 3.4 to 3.6 do not need it.
        sends_without_client = "#{m:3.[2-6]*,#{version}}",
    }
}

/// Delivers a message to a pane. `sesh` is who must live in it, for a target that was a name.
///
/// # Errors
/// [`Exit::Nothing`] when the pane is gone, [`Exit::Changed`] when it is another sesh's, and as [`Server::run`]. That
/// nothing was sent, or without proof, is no error: [`Outcome`].
pub fn deliver(
    server: &Server,
    pane: PaneId,
    sesh: Option<SeshId>,
    agents: &[Agent],
    message: Message<'_>,
) -> Result<DeliveryOutcome> {
    let delivery = Delivery {
        server,
        pane,
        sesh,
        agents,
        message,
        deadline: Instant::now() + message.within,
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
            .map(|pane_agent| pane_agent.living.agent.name.clone())
    }

    /// Whether the pane's first process has started within this time.
    fn is_new(&self, within: Duration) -> bool {
        let first = proc::read(self.look.pane.place.pid);
        let started = first.and_then(|first| proc::started(&first));
        started.is_some_and(|at| at.elapsed().unwrap_or_default() < within)
    }

    /// Whether the cursor is where a line begins.
    fn at_left_edge(&self) -> bool {
        self.facts().cursor_column == "0"
    }

    /// The last lines of the screen.
    fn last_lines(&self) -> String {
        let screen = Screen::parse(&self.look.drawn);
        let rows: Vec<&str> = screen.rows().iter().map(ScreenRow::text).collect();
        let end = rows.iter().rposition(|row| !row.is_empty());
        let rows = &rows[..end.map_or(0, |at| at + 1)];
        rows[rows.len().saturating_sub(SEEN)..].join("\n")
    }

    fn text(&self) -> String {
        Screen::parse(&self.look.drawn).text()
    }
}

impl<'a> Delivery<'a> {
    fn run(&self) -> Result<DeliveryOutcome> {
        // First, since a text that somebody else is about to send looks like a person's draft.
        let turn = self.turn()?;
        if turn.is_some()
            && let Some(outcome) = self.native()?
        {
            return Ok(outcome);
        }
        let ready = match (self.ready()?, turn) {
            (Ok((seen, _)), None) => {
                let why = "another message is on its way there";
                return Ok(refused(&seen, Blocked::new(Reason::Busy, why)));
            }
            (Ok(ready), Some(turn)) => (ready, turn),
            (Err(refused), _) => return Ok(refused),
        };
        let ((seen, place), _turn) = ready;
        let text = match (seen.pane_agent(), self.message.as_it_is) {
            (Some(pane_agent), false) => {
                let agent = pane_agent.living.agent;
                match message::guarded(&agent.manifest.messages, self.message.text) {
                    Ok(text) => text,
                    Err(trap) => {
                        let at = match trap.at {
                            TextEnd::Begin => "begins",
                            TextEnd::End => "ends",
                        };
                        let why = format!(
                            "{} takes a text that {at} with {} for a command: --as-it-is sends it all the same",
                            agent.name, trap.mark
                        );
                        return Ok(refused(&seen, Blocked::new(Reason::Command, why)));
                    }
                }
            }
            _ => self.message.text.into(),
        };
        let transcript = seen.pane_agent().and_then(PaneAgent::transcript);
        let at = SystemTime::now();
        if let Err(outcome) = self.paste(&seen, &place, &text)? {
            return Ok(outcome);
        }
        let seen = match self.drawn(&place, &text)? {
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
            transcript,
            shown: seen.pane_agent().map(PaneAgent::above_composer),
            sesh: record.map(|record| (record.uuid, record.generation)),
        };
        if let Err(outcome) = self.enter(seen, &place, &text)? {
            return Ok(outcome);
        }
        self.proof(&place, &text, before)
    }

    fn look(&self) -> Result<PaneView<'a>> {
        let look = agent::look(self.server, self.pane, self.agents, DeliveryFacts::FORMATS)?;
        let found = look.pane.record.as_ref().map(|record| record.uuid);
        if self.sesh.is_some() && found != self.sesh {
            return Err(Error::new(
                Exit::Changed,
                format!(
                    "pane {} is another sesh's now: look again with sesh-list",
                    self.pane
                ),
            ));
        }
        Ok(PaneView { look })
    }

    fn late(&self) -> bool {
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
    std::thread::sleep(LOOK); // why: what a program draws has no event.
}
