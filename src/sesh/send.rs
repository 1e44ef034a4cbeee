//! Sends messages to several panes at once, and waits for the end of the turn that each begins.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::agent::headless::HeadlessResult;
use crate::agent::kinds::{Agent, Agents};
use crate::agent::state::Authority;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::inventory::find;
use crate::pane::agent::{self, Look};
use crate::pane::deliver::reply::{Reply, ReplyFrom, has_answered, read_until_drawn, reply};
use crate::pane::deliver::{DeliveryOutcome, Message, Proof, deliver};
use crate::pane::shell::is_at_prompt;
use crate::proc;
use crate::sesh::reap::{ReapScope, reap};
use crate::sesh::report;
use crate::sesh::turn::{self, RunningTurn, TurnRequest};
use crate::state::{State, Why};
use crate::store::{Record, Select, Target};
use crate::tmux::Server;
use crate::watch::{self, Set, WaitEvent, WaitMode, WaitRequest, WaitSince, Watch};

/// How to wait for the end of a turn.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// `None` waits without a limit.
    pub limit: Option<Duration>,
    /// Also read the reply.
    pub reply: bool,
}

/// How to send a message as a headless turn. That is how a sesh gets it whose last turn was headless.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headless<'a> {
    /// Every exited agent gets it so.
    pub to_exited: bool,
    /// The tools that the agent may use without asking.
    pub allow: &'a [String],
}

/// A message to one target, with its outcome.
#[derive(Debug)]
pub struct Sent {
    /// What the caller named.
    pub target: String,
    pub sesh: Option<SeshId>,
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    pub outcome: Result<DeliveryOutcome>,
    /// The end of the turn, if it was waited for.
    pub turn: Option<Result<TurnEnd>>,
    /// What came of a headless turn, if it was waited for.
    pub headless: Option<HeadlessResult>,
    /// It goes to the sesh as a headless turn.
    is_headless: bool,
}

impl Sent {
    /// Returns whether the target is neither a sesh nor a pane.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.sesh.is_none() && self.pane.is_none()
    }
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub struct TurnEnd {
    pub state: State,
    pub why: Option<Why>,
    pub reply: Option<Reply>,
}

/// How often the end of a turn is looked for where no event reports it: in a pane that is no sesh, and in a shell.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How long an agent that does not report the end of its turn has to be idle after a message until the turn counts as
/// over. An agent that works on the message shows it within this time.
const IDLE_AFTER_TURN: Duration = Duration::from_secs(2);
/// How long an agent may show nothing of a message that it has taken. On a busy machine, OpenCode 1.18.33 draws it seconds
/// after its composer is empty.
const UNDRAWN: Duration = Duration::from_secs(10);

/// Sends a message to every target at once. All targets are resolved before anything is typed: if one is unknown, nothing
/// is sent. An exited sesh is known, and does not keep the message from the others.
///
/// # Errors
/// An error that prevents every delivery. The outcome for each target is in the returned list.
pub fn send(
    server: &Server,
    targets: &[(String, Target)],
    message: Message<'_>,
    patience: Option<Patience>,
    headless: Headless<'_>,
) -> Result<Vec<Sent>> {
    let agents = &Agents::loaded().all;
    let named: Vec<Target> = targets.iter().map(|(_, target)| target.clone()).collect();
    let snapshot = find::read(server, &Select::targets(&named))?;
    let mut all: Vec<Sent> = Vec::new();
    for (text, target) in targets {
        let sent = match target {
            Target::Pane(pane) => {
                // Without a server nothing is known of panes; the delivery reports that.
                let exists = snapshot.server_id.is_none()
                    || snapshot.panes.iter().any(|it| it.place.pane == *pane);
                let unknown = || Error::no_pane(pane);
                addressed(
                    text,
                    None,
                    None,
                    exists.then_some(*pane).ok_or_else(unknown),
                )
            }
            target => match snapshot.find(target) {
                Ok(record) if takes_headless_turn(record, headless) => {
                    Sent::of_record(text, record)
                }
                Ok(record) => {
                    let pane = record.tmux.as_ref().map(|place| place.pane);
                    let way_out = if record.agent.is_some() {
                        "sesh-restore restores it; sesh-send --headless has it answer without a pane"
                    } else {
                        "sesh-restore restores it"
                    };
                    let pane = pane.ok_or_else(|| record.no_pane(way_out));
                    addressed(text, Some(record.uuid), Some(record.name.clone()), pane)
                }
                Err(error) => addressed(text, None, None, Err(error)),
            },
        };
        // A pane that is named twice gets only one copy, and so does a sesh without a pane.
        let is_same = |other: &Sent| match sent.pane {
            Some(pane) => other.pane == Some(pane),
            None => sent.is_headless && other.is_headless && other.sesh == sent.sesh,
        };
        if !all.iter().any(is_same) {
            all.push(sent);
        }
    }
    if all.iter().any(Sent::is_unknown) {
        for sent in all.iter_mut().filter(|sent| sent.outcome.is_ok()) {
            let why = "nothing was sent: another target is unknown";
            sent.outcome = Err(Error::unusable(why));
        }
        return Ok(all);
    }
    std::thread::scope(|scope| {
        for sent in all.iter_mut().filter(|sent| sent.outcome.is_ok()) {
            let agents = &agents;
            scope.spawn(move || {
                let server = server.for_another_task();
                send_one(&server, sent, agents, message, patience, headless.allow);
            });
        }
    });
    Ok(all)
}

fn addressed(
    target: &str,
    sesh: Option<SeshId>,
    name: Option<String>,
    pane: Result<PaneId>,
) -> Sent {
    let (pane, outcome) = match pane {
        Ok(pane) => (Some(pane), Ok(DeliveryOutcome::Placed { agent: None })),
        Err(error) => (None, Err(error)),
    };
    Sent {
        target: target.into(),
        sesh,
        name,
        pane,
        outcome,
        turn: None,
        headless: None,
        is_headless: false,
    }
}

/// Returns whether a message to a sesh is a headless turn.
fn takes_headless_turn(record: &Record, headless: Headless<'_>) -> bool {
    let is_exited = !record.live && record.lost_server().is_none();
    record.agent.is_some() && (record.is_headless() || (headless.to_exited && is_exited))
}

impl Sent {
    fn of_record(target: &str, record: &Record) -> Self {
        Self {
            target: target.into(),
            sesh: Some(record.uuid),
            name: Some(record.name.clone()),
            pane: None,
            outcome: Ok(DeliveryOutcome::Placed { agent: None }),
            turn: None,
            headless: None,
            is_headless: true,
        }
    }

    /// Returns the outcome of the message with which a headless turn was started, and waits for its end if wanted.
    #[must_use]
    pub fn of_turn(running: &RunningTurn, patience: Option<Patience>) -> Self {
        let mut sent = Self::of_record(&running.record.name, &running.record);
        sent.finish(running, patience);
        sent
    }

    fn finish(&mut self, running: &RunningTurn, patience: Option<Patience>) {
        self.outcome = Ok(DeliveryOutcome::Proven {
            by: Proof::Turn,
            queued: false,
            agent: running.record.agent.clone(),
            before: None,
            unreported: None,
        });
        let Some(patience) = patience else { return };
        let result = match running.wait() {
            Ok(result) => result,
            Err(error) => {
                self.turn = Some(Err(error));
                return;
            }
        };
        self.turn = Some(match turn::error_of(&result, limit_of(Some(patience))) {
            Some(error) => Err(error),
            None => Ok(TurnEnd {
                state: State::Exited,
                why: None,
                reply: patience.reply.then(|| Reply {
                    text: result.answer.clone().unwrap_or_default(),
                    from: ReplyFrom::Output,
                    cut: false,
                }),
            }),
        });
        self.headless = Some(result);
    }
}

/// Returns how long a headless turn may take.
#[must_use]
pub fn limit_of(patience: Option<Patience>) -> Duration {
    patience
        .and_then(|patience| patience.limit)
        .unwrap_or(turn::LIMIT)
}

fn send_headless(
    server: &Server,
    sent: &mut Sent,
    message: Message<'_>,
    patience: Option<Patience>,
    allow: &[String],
) {
    let Some(id) = sent.sesh else { return };
    if !message.enter {
        let why = "it has no composer: --no-enter needs a pane";
        sent.outcome = Err(Error::unusable(why));
        return;
    }
    let request = TurnRequest {
        prompt: message.text,
        limit: limit_of(patience),
        waits: patience.is_some(),
        forget: false,
        allow,
        words: &[],
    };
    match turn::next(server, id, &request) {
        Ok(running) => sent.finish(&running, patience),
        Err(error) => {
            // The agent may run in the conversation in a pane that nothing has reported. Then that pane becomes the sesh.
            sent.pane = (error.exit == Exit::Unusable)
                .then(|| pane_with_conversation(server, id))
                .flatten();
            sent.is_headless = sent.pane.is_none();
            sent.outcome = Err(error);
        }
    }
}

/// Returns the pane of a sesh that is alive once what exists is reconciled.
fn pane_with_conversation(server: &Server, id: SeshId) -> Option<PaneId> {
    reap(server, ReapScope::All).ok()?;
    let record = find::one(server, &Target::Id(id)).ok()?;
    let is_there = record.live && !record.is_headless();
    record.tmux.filter(|_| is_there).map(|place| place.pane)
}

fn send_one(
    server: &Server,
    sent: &mut Sent,
    agents: &[Agent],
    message: Message<'_>,
    patience: Option<Patience>,
    allow: &[String],
) {
    if sent.is_headless {
        send_headless(&server.without_deadline(), sent, message, patience, allow);
    }
    if sent.is_headless {
        return;
    }
    let Some(pane) = sent.pane else { return };
    if !allow.is_empty() {
        let why =
            format!("nothing was sent: it is in pane {pane}, and --allow is for headless turns");
        sent.outcome = Err(Error::unusable(why));
        return;
    }
    sent.outcome = deliver(server, pane, sent.sesh, agents, message).inspect(|outcome| {
        if let DeliveryOutcome::Proven {
            unreported: Some(unreported),
            ..
        } = outcome
        {
            // The message is there, whether or not this can be stored.
            let _ = report::delivered(server, pane, unreported);
        }
    });
    if let (
        Ok(DeliveryOutcome::Proven {
            queued,
            before,
            unreported,
            ..
        }),
        Some(patience),
    ) = (&sent.outcome, patience)
    {
        let delivered = DeliveredMessage {
            text: message.text,
            queued: *queued,
            before: *before,
            shown: unreported.as_ref().and_then(|it| it.shown.as_deref()),
        };
        // The delivery is over, and its time limit with it.
        let server = &server.without_deadline();
        sent.turn = Some(wait_for_end(server, pane, delivered, agents, patience));
    }
}

/// A message that was delivered.
struct DeliveredMessage<'a> {
    text: &'a str,
    queued: bool,
    /// The pane's sesh, and its generation before the message.
    before: Option<(SeshId, u64)>,
    /// What the agent's screen showed above its composer before the message, if no hook has reported that it took it.
    shown: Option<&'a str>,
}

impl DeliveredMessage<'_> {
    /// Returns whether an idle agent is as it was before the message, because its screen shows nothing of that so far.
    fn is_undrawn(&self, look: &Look<'_>) -> bool {
        look.pane_agent.as_ref().is_some_and(|pane_agent| {
            pane_agent.own_verdict().by != Authority::Hook
                && self.shown == Some(pane_agent.above_composer().as_str())
        })
    }
}

/// Waits for the end of the turn that a message has begun.
fn wait_for_end(
    server: &Server,
    pane: PaneId,
    delivered: DeliveredMessage<'_>,
    agents: &[Agent],
    patience: Patience,
) -> Result<TurnEnd> {
    let text = delivered.text;
    let limit = patience
        .limit
        .and_then(|limit| Instant::now().checked_add(limit));
    let mut wakeup = Wakeup::of(server, delivered.before)?;
    // A message that had to wait in a queue begins when the turn before it is over.
    let mut worked = false;
    let mut idle: Option<Instant> = None;
    let begun = Instant::now();
    loop {
        let look = agent::look(server, pane, agents, &[])?;
        let (state, why) = state(&look);
        let undrawn = begun.elapsed() < UNDRAWN && delivered.is_undrawn(&look);
        let over = match state {
            // An agent that waits for a person, or is gone, has ended its turn.
            State::Waiting | State::Exited => true,
            State::Idle if !undrawn => {
                let since = *idle.get_or_insert_with(Instant::now);
                (worked && !delivered.queued)
                    || since.elapsed() >= IDLE_AFTER_TURN
                    || has_answered(&look, text)
            }
            State::Idle | State::Busy | State::Unknown | State::Starting => {
                idle = None;
                false
            }
        };
        if over {
            let mut reply = patience.reply.then(|| reply(server, &look, state, text));
            if let (Some(seen), true) = (&mut reply, look.pane_agent.is_some()) {
                read_until_drawn(server, seen, pane, agents, state, text);
            }
            return Ok(TurnEnd { state, why, reply });
        }
        if limit.is_some_and(|limit| Instant::now() >= limit) {
            return Err(Error::new(
                Exit::TimedOut,
                format!(
                    "timed out: it is still {} after the message",
                    state.as_str()
                ),
            ));
        }
        let turn_over_at = idle.map(|since| since + IDLE_AFTER_TURN);
        // What the commands of a shell do is not recorded anywhere, and neither is what a screen shows of a message. If
        // the store has another state than the agent, the agent may come to that state before the store is reconciled:
        // then nothing changes there.
        let stored = look.pane.record.as_ref().map(|record| record.state);
        let is_unrecorded = undrawn || look.pane_agent.is_none() || stored != Some(state);
        let next_poll = is_unrecorded.then(|| Instant::now() + POLL_INTERVAL);
        match wakeup.wait([turn_over_at, limit, next_poll].into_iter().flatten().min())? {
            Progress::Nothing => {}
            Progress::Worked => worked = true,
            Progress::Ended => {
                return Ok(TurnEnd {
                    state: State::Exited,
                    why: None,
                    reply: patience.reply.then(|| reply(server, &look, state, text)),
                });
            }
        }
    }
}

/// What makes another look worthwhile.
enum Wakeup<'a> {
    /// A change of the sesh, and its generation before the message.
    Sesh(Box<Watch<'a>>, u64),
    /// A pane that is no sesh has no events.
    Pane,
}

impl<'a> Wakeup<'a> {
    fn of(server: &'a Server, before: Option<(SeshId, u64)>) -> Result<Self> {
        let Some((id, generation)) = before else {
            return Ok(Wakeup::Pane);
        };
        let request = WaitRequest {
            set: Set {
                ids: vec![id],
                tags: Vec::new(),
            },
            until: vec![WaitEvent::Change],
            how: WaitMode::Any,
            since: WaitSince::Generations(BTreeMap::from([(id, generation)])),
        };
        let watch = Watch::new(server, request)?;
        Ok(Wakeup::Sesh(Box::new(watch), generation))
    }

    /// Waits until there is progress, at most until a moment.
    fn wait(&mut self, until: Option<Instant>) -> Result<Progress> {
        match self {
            Wakeup::Pane => {
                std::thread::sleep(POLL_INTERVAL); // why: a pane that is no sesh has no events.
                Ok(Progress::Nothing)
            }
            Wakeup::Sesh(watch, before) => match watch.next(until)? {
                watch::WaitOutcome::Events(events) => {
                    let worked = events
                        .iter()
                        .filter_map(|event| event.record.as_ref())
                        .any(|record| record.worked() > *before && record.state == State::Idle);
                    Ok(if worked {
                        Progress::Worked
                    } else {
                        Progress::Nothing
                    })
                }
                watch::WaitOutcome::TimedOut => Ok(Progress::Nothing),
                watch::WaitOutcome::Empty => Ok(Progress::Ended),
            },
        }
    }
}

/// The result of [`Wakeup::wait`].
enum Progress {
    Nothing,
    /// It has worked since the message, and is idle again.
    Worked,
    Ended,
}

fn state(look: &Look<'_>) -> (State, Option<Why>) {
    if look.dead {
        return (State::Exited, None);
    }
    if let Some(pane_agent) = &look.pane_agent {
        let verdict = pane_agent.own_verdict();
        return (verdict.state, verdict.why);
    }
    let agents = look
        .pane
        .record
        .as_ref()
        .and_then(|record| record.agent.as_ref());
    if agents.is_some() {
        return (State::Exited, None);
    }
    let first = proc::read(look.pane.place.pid);
    let front = first.and_then(|first| proc::read(first.foreground));
    match front {
        Some(front) if is_at_prompt(&front) => (State::Idle, None),
        Some(_) => (State::Busy, None),
        None => (State::Unknown, None),
    }
}
