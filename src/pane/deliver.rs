//! A message to an agent or a shell in a pane: typed where it does no harm, and proven to have arrived.
//!
//! The text goes as a paste and Enter as a second step, when the text is there and stays: fast typing is taken for a
//! paste, and an Enter too close behind one for a line of it (Codex 0.169.0, Gemini CLI 0.61.0). What would take the
//! text or the Enter for something else is looked for before each of the two. Enter alone is ever repeated, and only
//! while the text still stands in the composer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::resident::{self, Look, Resident};
use crate::agent::composer::Composer;
use crate::agent::manifest::Agent;
use crate::agent::message::{self, End};
use crate::agent::screen::{Row, Screen};
use crate::agent::transcript::Transcript;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::proc;
use crate::state::{State, Why};
use crate::store::heard::Taken;
use crate::store::query::{both, either, equal};
use crate::store::{Key, schema};
use crate::tmux::command::As;
use crate::tmux::{Batch, Server, command};

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
pub enum Outcome {
    Proven {
        by: Proof,
        /// It waits for the end of what the agent does.
        queued: bool,
        agent: Option<String>,
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
/// How long a text has to stand as it is before Enter: Gemini CLI 0.61.0 takes one that comes within 40 ms of the end of
/// a paste for a line of it.
const STILL: Duration = Duration::from_millis(120);
/// How long a paste may take to be drawn, and what more a longer one may.
const DRAWN: Duration = Duration::from_secs(5);
const DRAWN_EACH: usize = 10_000;
/// After so long a stronger proof is not waited for.
const STRONGER: Duration = Duration::from_millis(1500);
/// When Enter is repeated, if the text still stands there.
const AGAIN: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
];
/// How many of the screen's last lines are shown to whoever asked.
const SEEN: usize = 8;

/// What is asked of a pane beside what tells who lives there.
const ASKED: [&str; 8] = [
    "#{pane_input_off}",
    "#{pane_synchronized}",
    "#{pane_current_command}",
    "#{cursor_x},#{cursor_y}",
    schema::PROMPT_OF_PANE,
    "#{@sesh_held}",
    "#{@sesh_agent}",
    "#{alternate_on}",
];

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
) -> Result<Outcome> {
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
struct Seen<'a> {
    look: Look<'a>,
}

impl<'a> Seen<'a> {
    fn asked(&self, at: usize) -> &str {
        self.look.more.get(at).map_or("", String::as_str)
    }

    fn resident(&self) -> Option<&Resident<'a>> {
        self.look.resident.as_ref()
    }

    fn agent(&self) -> Option<String> {
        self.resident()
            .map(|resident| resident.living.agent.name.clone())
    }

    /// The last lines of the screen.
    fn last_lines(&self) -> String {
        let screen = Screen::parse(&self.look.drawn);
        let rows: Vec<&str> = screen.rows().iter().map(Row::text).collect();
        let end = rows.iter().rposition(|row| !row.is_empty());
        let rows = &rows[..end.map_or(0, |at| at + 1)];
        rows[rows.len().saturating_sub(SEEN)..].join("\n")
    }

    fn text(&self) -> String {
        Screen::parse(&self.look.drawn).text()
    }
}

/// Where a text goes.
enum Place {
    /// Into a composer. While the agent works the keys that send it are others.
    Agent {
        busy: bool,
    },
    Shell,
}

/// The right to type a message into a pane, of which two at once would be one text. Given back when it is dropped.
struct Turn<'a> {
    server: &'a Server,
    variable: String,
    holder: String,
}

impl Turn<'_> {
    /// Takes it if nobody has it, or somebody who is gone. Gives who has it then.
    fn take(&self, left_over: &str) -> Result<String> {
        let held = |by: &str| format!("#{{==:#{{{}}},{by}}}", self.variable);
        let take = Batch::from(command::set_hidden(&self.variable, &self.holder));
        let take = command::if_format(
            None,
            &either(&held(""), &held(left_over)),
            &take,
            &Batch::new(),
        );
        let tell = command::print(None, &format!("#{{{}}}", self.variable));
        let said = self.server.run(&Batch::from(take).then(tell))?;
        Ok(said.trim_end().into())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let own = format!("#{{==:#{{{}}},{}}}", self.variable, self.holder);
        let give = Batch::from(command::unset_hidden(&self.variable));
        let give = command::if_format(None, &own, &give, &Batch::new());
        // With the server it is gone anyway.
        let _ = self.server.run(&Batch::from(give));
    }
}

/// Something in the way.
struct Blocked {
    reason: Reason,
    why: String,
}

impl Blocked {
    fn new(reason: Reason, why: impl Into<String>) -> Self {
        Self {
            reason,
            why: why.into(),
        }
    }
}

impl<'a> Delivery<'a> {
    fn run(&self) -> Result<Outcome> {
        if let Err(refused) = self.ready()? {
            return Ok(refused);
        }
        let turn = self.turn()?;
        let ready = match (self.ready()?, turn) {
            (Ok((seen, _)), None) => {
                let why = "another message is on its way there";
                return Ok(refused(&seen, Blocked::new(Reason::Busy, why)));
            }
            (Ok(ready), Some(turn)) => (ready, turn),
            (Err(refused), _) => return Ok(refused),
        };
        let ((seen, place), _turn) = ready;
        let text = match (seen.resident(), self.message.as_it_is) {
            (Some(resident), false) => {
                let agent = resident.living.agent;
                match message::guarded(&agent.manifest.messages, self.message.text) {
                    Ok(text) => text,
                    Err(trap) => {
                        let at = match trap.at {
                            End::Begin => "begins",
                            End::End => "ends",
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
        let transcript = seen.resident().and_then(Resident::transcript);
        let begun = SystemTime::now();
        if let Err(outcome) = self.paste(&seen, &place, &text)? {
            return Ok(outcome);
        }
        let seen = match self.drawn(&place, &text)? {
            Ok(seen) => seen,
            Err(outcome) => return Ok(outcome),
        };
        if !self.message.enter {
            return Ok(Outcome::Placed {
                agent: seen.agent(),
            });
        }
        let before = seen.resident().map(Resident::above_composer);
        if let Err(outcome) = self.enter(seen, &place, &text)? {
            return Ok(outcome);
        }
        self.proof(&place, &text, transcript, begun, before.as_deref())
    }

    fn look(&self) -> Result<Seen<'a>> {
        let look = resident::look(self.server, self.pane, self.agents, &ASKED)?;
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
        Ok(Seen { look })
    }

    /// Waits until nobody else is typing a message into the pane. `None` when that lasts too long.
    fn turn(&self) -> Result<Option<Turn<'a>>> {
        let own = proc::read(std::process::id().cast_signed()).map_or(0, |own| own.start);
        let turn = Turn {
            server: self.server,
            variable: schema::send(self.pane),
            holder: format!("{}:{own}:{}", std::process::id(), buffer()),
        };
        let mut left_over = String::new();
        loop {
            let holder = turn.take(&left_over)?;
            if holder == turn.holder {
                return Ok(Some(turn));
            }
            // Whoever was killed does not give it back.
            let mut fields = holder.split(':').map(str::parse::<u64>);
            let alive = match (fields.next(), fields.next()) {
                (Some(Ok(pid)), Some(Ok(start))) => i32::try_from(pid)
                    .ok()
                    .and_then(proc::read)
                    .is_some_and(|process| process.start == start && !process.zombie),
                _ => false,
            };
            left_over = if alive { String::new() } else { holder };
            if self.late() {
                return Ok(None);
            }
            if alive {
                pause();
            }
        }
    }

    fn late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits, as far as that was asked for, until nothing is in the way.
    fn ready(&self) -> Result<Result<(Seen<'a>, Place), Outcome>> {
        let mut stashed = false;
        let mut interrupted = false;
        loop {
            let seen = self.look()?;
            let blocked = match self.place(&seen) {
                Ok(place) => return Ok(Ok((seen, place))),
                Err(blocked) => blocked,
            };
            let keys = seen
                .resident()
                .map(|resident| &resident.living.agent.manifest.keys);
            match (blocked.reason, self.message.draft) {
                (Reason::Draft, Draft::Wait) if !self.late() => {}
                (Reason::Draft, Draft::Stash) if !self.late() => {
                    let Some(stash) = keys.and_then(|keys| keys.stash.as_ref()) else {
                        let why =
                            "it cannot put a draft aside: --draft wait waits until it is sent";
                        return Ok(Err(refused(&seen, Blocked::new(Reason::Draft, why))));
                    };
                    if !stashed && !self.press(&seen, stash)? {
                        continue;
                    }
                    stashed = true;
                }
                (Reason::Busy, _) if self.message.busy == Busy::Now && !self.late() => {
                    let interrupt = keys.and_then(|keys| keys.interrupt.as_ref());
                    if let (Some(interrupt), false) = (interrupt, interrupted) {
                        interrupted = self.press(&seen, interrupt)?;
                    }
                }
                _ => return Ok(Err(refused(&seen, blocked))),
            }
            pause();
        }
    }

    /// Where the text would go, or what is in the way.
    fn place(&self, seen: &Seen<'_>) -> Result<Place, Blocked> {
        let block = |reason, why: &str| Err(Blocked::new(reason, why));
        if seen.look.dead {
            return block(Reason::Dead, "its process has ended");
        }
        if !seen.asked(5).is_empty() {
            return block(Reason::Held, "its command has ended and the pane is held");
        }
        if seen.asked(0) == "1" {
            return block(
                Reason::InputOff,
                "its input is switched off (select-pane -e switches it on)",
            );
        }
        if seen.asked(1) == "1" {
            return block(
                Reason::Synchronized,
                "its window's panes are synchronised: Enter would go to all of them",
            );
        }
        match seen.resident() {
            Some(resident) => self.at_agent(resident),
            None => Self::at_shell(seen),
        }
    }

    fn at_agent(&self, resident: &Resident<'_>) -> Result<Place, Blocked> {
        let name = &resident.living.agent.name;
        if resident.living.process.stopped || !resident.living.in_front {
            let why = format!("{name} is suspended, or another program is in front");
            return Err(Blocked::new(Reason::Suspended, why));
        }
        let verdict = resident.verdict();
        if verdict.state == State::Waiting {
            let (reason, what) = match verdict.why {
                Some(Why::Permission) | None => (
                    Reason::Permission,
                    "asks for permission: Enter would mean yes",
                ),
                Some(Why::Question) => (Reason::Question, "asks its person something"),
                Some(Why::Trust) => (Reason::Trust, "asks whether to trust the folder"),
                Some(Why::Login) => (Reason::Login, "asks for a login"),
                Some(Why::Dialog) => (Reason::Dialog, "shows a menu that a person opened"),
            };
            return Err(Blocked::new(reason, format!("{name} {what}")));
        }
        let busy = verdict.state == State::Busy;
        let keys = &resident.living.agent.manifest.keys;
        if busy {
            let way = match self.message.busy {
                Busy::Refuse => {
                    let why = format!("{name} works: --queue or --now");
                    return Err(Blocked::new(Reason::Busy, why));
                }
                Busy::Queue => &keys.queue,
                Busy::Now => &keys.steer,
            };
            if way.is_none() {
                let why = format!("{name} works, and takes nothing meanwhile");
                return Err(Blocked::new(Reason::Busy, why));
            }
        }
        match resident.composer() {
            Composer::Empty => Ok(Place::Agent { busy }),
            Composer::Draft(draft) => {
                let draft: String = draft.chars().take(60).collect();
                let why = format!("somebody has typed and not sent {draft:?}");
                Err(Blocked::new(Reason::Draft, why))
            }
            Composer::Absent => {
                let why = format!("{name} shows no composer");
                Err(Blocked::new(Reason::NotReady, why))
            }
        }
    }

    fn at_shell(seen: &Seen<'_>) -> Result<Place, Blocked> {
        if !seen.asked(6).is_empty() {
            return Err(Blocked::new(
                Reason::NoAgent,
                "its agent is gone, and a shell would run the text",
            ));
        }
        let first = proc::read(seen.look.pane.place.pid);
        let front = first.and_then(|first| proc::read(first.foreground));
        match front {
            Some(front) if front.is_shell() && !front.stopped => Ok(Place::Shell),
            Some(front) => {
                let why = format!(
                    "{} is in front, which is no agent and no shell: pane-keys types into anything",
                    front.name
                );
                Err(Blocked::new(Reason::Stranger, why))
            }
            None => Err(Blocked::new(
                Reason::Stranger,
                "nobody knows what is in front",
            )),
        }
    }

    /// What must still be so in the server when something is typed.
    fn same(&self, seen: &Seen<'_>) -> String {
        let is = |field: &str, value: &str| format!("#{{==:#{{{field}}},{value}}}");
        let pid = seen.look.pane.place.pid.to_string();
        let mut same = both(&is("pane_dead", "0"), &is("pane_input_off", "0"));
        same = both(&same, &is("pane_synchronized", "0"));
        same = both(&same, &is("pane_pid", &pid));
        if let Some(sesh) = self.sesh {
            same = both(&same, &equal(Key::Id, &sesh.to_string()));
        }
        // When the agent has ended meanwhile, a shell is in front.
        let front = seen.asked(2);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !front.is_empty() && front.chars().all(plain) {
            same = both(&same, &is("pane_current_command", front));
        }
        same
    }

    /// Runs commands if the pane still is as it was seen: test and act are one step of the server.
    fn act(
        &self,
        seen: &Seen<'_>,
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
        let otherwise = Batch::from(command::delete_buffer(buffer));
        let guarded = command::if_format(
            Some(&target),
            &condition,
            &act.then(command::print(None, "typed")),
            &otherwise,
        );
        let batch = Batch::from(command::load_buffer(buffer)).then(guarded);
        let said = self.server.run_with(&batch, input)?;
        Ok(said.trim_end() == "typed")
    }

    /// Presses keys, if the pane still is as it was seen.
    fn press(&self, seen: &Seen<'_>, keys: &[String]) -> Result<bool> {
        let buffer = buffer();
        let mut act = Batch::from(command::delete_buffer(&buffer));
        act.extend([command::if_format(
            None,
            super::keys::OWN_CLIENT,
            &Batch::from(command::send_keys(self.pane, As::Whoever, 1, keys)),
            &Batch::from(command::send_keys(self.pane, As::Nobody, 1, keys)),
        )]);
        self.act(seen, None, act, b" ", &buffer)
    }

    fn paste(&self, seen: &Seen<'_>, place: &Place, text: &str) -> Result<Result<(), Outcome>> {
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
    fn drawn(&self, place: &Place, text: &str) -> Result<Result<Seen<'a>, Outcome>> {
        let more = u32::try_from(text.len() / DRAWN_EACH).unwrap_or(u32::MAX);
        let limit = Instant::now() + DRAWN + Duration::from_secs(1).saturating_mul(more);
        let mut last = (String::new(), Instant::now());
        loop {
            let seen = self.look()?;
            let stands = match (place, seen.resident()) {
                (Place::Agent { .. }, None) => {
                    return Ok(Err(typed(&seen, "its agent is gone: nothing was sent")));
                }
                (Place::Agent { .. }, Some(resident)) => {
                    if resident.verdict().state == State::Waiting {
                        let why = "it asks something now: the text was not sent";
                        return Ok(Err(typed(&seen, why)));
                    }
                    match resident.composer() {
                        Composer::Draft(draft)
                            if message::is_text(resident.living.agent, &draft, text) =>
                        {
                            Some(draft)
                        }
                        _ => None,
                    }
                }
                (Place::Shell, _) => {
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
    fn enter(&self, seen: Seen<'a>, place: &Place, text: &str) -> Result<Result<(), Outcome>> {
        // An agent that draws all the time may move its cursor: then what was seen a moment ago has to do.
        const STRICT: Duration = Duration::from_secs(1);
        let begun = Instant::now();
        let mut seen = seen;
        loop {
            let cursor = format!(
                "#{{==:#{{cursor_x}}:#{{cursor_y}},{}}}",
                seen.asked(3).replace(',', ":")
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
    fn submit(&self, seen: &Seen<'_>, place: &Place, buffer: &str) -> Batch {
        let enter = Batch::from(command::paste_as_keys(self.pane, buffer));
        let keys = seen
            .resident()
            .map(|resident| &resident.living.agent.manifest.keys);
        let keys = match (place, self.message.busy) {
            (Place::Agent { busy: true }, Busy::Queue) => keys.and_then(|keys| keys.queue.as_ref()),
            (Place::Agent { busy: true }, Busy::Now) => keys.and_then(|keys| keys.steer.as_ref()),
            _ => keys.and_then(|keys| keys.submit.as_ref()),
        };
        match keys {
            Some(keys) if !keys.iter().eq(["Enter"]) => {
                let mut batch = Batch::from(command::delete_buffer(buffer));
                batch.extend([
                    command::leave_mode(self.pane),
                    command::if_format(
                        None,
                        super::keys::OWN_CLIENT,
                        &Batch::from(command::send_keys(self.pane, As::Whoever, 1, keys)),
                        &Batch::from(command::send_keys(self.pane, As::Nobody, 1, keys)),
                    ),
                ]);
                batch
            }
            _ => enter,
        }
    }

    /// Waits for what proves the arrival.
    fn proof(
        &self,
        place: &Place,
        text: &str,
        transcript: Option<Transcript>,
        begun: SystemTime,
        before: Option<&str>,
    ) -> Result<Outcome> {
        let mark = message::mark(text);
        let begun_at = begun
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        let entered = Instant::now();
        let queued =
            matches!(place, Place::Agent { busy: true }) && self.message.busy == Busy::Queue;
        let mut again = AGAIN.iter();
        let mut next = again.next();
        let mut transcript = transcript;
        let mut weak = 0;
        loop {
            let seen = match self.look() {
                // It was the last thing that the pane did.
                Err(error) if error.exit == Exit::Nothing => {
                    return Err(Error::nothing(format!(
                        "pane {} went away behind the message: nobody knows whether it arrived",
                        self.pane
                    )));
                }
                outcome => outcome?,
            };
            let proven = |by| Outcome::Proven {
                by,
                queued,
                agent: seen.agent(),
            };
            let Some(resident) = seen.resident() else {
                if matches!(place, Place::Shell) {
                    if Self::line_was_taken(&seen, text) {
                        return Ok(proven(Proof::Screen));
                    }
                } else {
                    return Ok(typed(&seen, "its agent has gone behind the message"));
                }
                if self.late() {
                    return Ok(typed(&seen, "the shell has not taken the line"));
                }
                pause();
                continue;
            };
            let process = (resident.living.process.pid, resident.living.process.start);
            let taken = Taken::parse(seen.asked(4)).filter(|it| (it.pid, it.start) == process);
            if taken.is_some_and(|it| it.mark == mark && it.at >= begun_at) {
                return Ok(proven(Proof::Hook));
            }
            transcript = transcript.or_else(|| resident.transcript().map(Transcript::from_begin));
            if transcript.as_mut().is_some_and(|it| it.took(text)) {
                return Ok(proven(Proof::Transcript));
            }
            let (stands, empty) = match resident.composer() {
                Composer::Draft(draft) => {
                    (message::is_text(resident.living.agent, &draft, text), false)
                }
                Composer::Empty => (false, true),
                Composer::Absent => (false, false),
            };
            let state = resident.verdict().state;
            if stands {
                weak = 0;
                if let Some(after) = next
                    && entered.elapsed() >= *after
                    && state != State::Waiting
                {
                    next = again.next();
                    let buffer = buffer();
                    let submit = self.submit(&seen, place, &buffer);
                    self.act(&seen, None, submit, b"\n", &buffer)?;
                }
            } else if state == State::Busy
                || message::ends_in(text, &seen.text())
                || (empty && before != Some(&resident.above_composer()))
            {
                // Twice, since a screen may be half drawn.
                weak += 1;
                let none_stronger = transcript.is_none() && !resident.has_spoken();
                if weak >= 2 && (none_stronger || entered.elapsed() >= STRONGER) {
                    return Ok(proven(Proof::Screen));
                }
            } else {
                weak = 0;
            }
            if self.late() {
                let why = if stands {
                    "it still stands in the composer"
                } else {
                    "it left the composer, and nothing shows where to"
                };
                return Ok(typed(&seen, why));
            }
            pause();
        }
    }

    /// Whether a shell has taken a line: the cursor is not behind it any more, or a command is in front.
    fn line_was_taken(seen: &Seen<'_>, text: &str) -> bool {
        let first = proc::read(seen.look.pane.place.pid);
        let front = first.and_then(|first| proc::read(first.foreground));
        if front.is_some_and(|front| !front.is_shell()) {
            return true;
        }
        let row = seen.asked(3).split(',').nth(1);
        let row: usize = row.and_then(|row| row.parse().ok()).unwrap_or(0);
        let screen = Screen::parse(&seen.look.drawn);
        let at_cursor = screen.rows().get(row).map_or("", Row::text);
        let last = text.lines().next_back().unwrap_or_default();
        !message::ends_in(last, at_cursor)
    }
}

fn refused(seen: &Seen<'_>, blocked: Blocked) -> Outcome {
    Outcome::Refused {
        reason: blocked.reason,
        why: blocked.why,
        seen: seen.last_lines(),
        agent: seen.agent(),
    }
}

fn typed(seen: &Seen<'_>, why: &str) -> Outcome {
    Outcome::Typed {
        why: why.into(),
        seen: seen.last_lines(),
        agent: seen.agent(),
    }
}

/// A buffer's name that nobody else uses: buffers are the server's.
fn buffer() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("sesh-{}-{next}", std::process::id())
}

fn pause() {
    // why: what a program draws has no event.
    std::thread::sleep(LOOK);
}
