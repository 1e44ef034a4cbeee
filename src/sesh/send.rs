//! Sending messages to several panes at once, and waiting for the end of what each begins.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::agent::kinds::{Agent, Agents};
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::inventory::find;
use crate::pane::agent::{self, Look};
use crate::pane::deliver::reply::{Reply, drawn, has_answered, reply};
use crate::pane::deliver::{DeliveryOutcome, Message, deliver};
use crate::proc;
use crate::state::{State, Why};
use crate::store::{Select, Target};
use crate::tmux::Server;
use crate::watch::{self, Set, WaitEvent, WaitMode, WaitRequest, WaitSince, Watch};

/// How long the end of what was sent is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// `None`: for ever.
    pub limit: Option<Duration>,
    /// Also read the answer.
    pub reply: bool,
}

/// One message on its way.
#[derive(Debug)]
pub struct Sent {
    /// What the caller named.
    pub target: String,
    pub sesh: Option<SeshId>,
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    pub outcome: Result<DeliveryOutcome>,
    /// What its end was, if that was waited for.
    pub turn: Option<Result<TurnEnd>>,
}

/// How what was sent came to its end.
#[derive(Clone, Debug)]
pub struct TurnEnd {
    pub state: State,
    pub why: Option<Why>,
    pub reply: Option<Reply>,
}

/// How often the end of a turn is looked for where nobody tells of it: in a pane that is no sesh, and in a shell.
const LOOK: Duration = Duration::from_millis(250);
/// How long an agent that does not say so has to be idle behind a message for its turn to be over: what it works on
/// shows within this time.
const OVER: Duration = Duration::from_secs(2);

/// Sends a message to every target at once.
///
/// # Errors
/// What keeps it from being tried at all. What came of each is in the answer.
pub fn send(
    server: &Server,
    targets: &[(String, Target)],
    message: Message<'_>,
    patience: Option<Patience>,
) -> Result<Vec<Sent>> {
    let agents = &Agents::loaded().all;
    let named: Vec<Target> = targets.iter().map(|(_, target)| target.clone()).collect();
    let snapshot = find::read(server, &Select::targets(&named))?;
    let mut all: Vec<Sent> = Vec::new();
    for (text, target) in targets {
        let sent = match target {
            Target::Pane(pane) => to(text, None, None, Ok(*pane)),
            target => match snapshot.find(target) {
                Ok(record) => {
                    let pane = record.tmux.as_ref().map(|place| place.pane);
                    let pane = pane.ok_or_else(|| {
                        let name = &record.name;
                        Error::unusable(format!(
                            "{name} has ended and has no pane any more: sesh-restore brings it back"
                        ))
                    });
                    to(text, Some(record.uuid), Some(record.name.clone()), pane)
                }
                Err(error) => to(text, None, None, Err(error)),
            },
        };
        // Never two copies: a pane that is named twice gets one.
        if sent.pane.is_none() || all.iter().all(|other| other.pane != sent.pane) {
            all.push(sent);
        }
    }
    std::thread::scope(|scope| {
        for sent in all.iter_mut().filter(|sent| sent.outcome.is_ok()) {
            let agents = &agents;
            scope.spawn(move || one(server, sent, agents, message, patience));
        }
    });
    Ok(all)
}

fn to(target: &str, sesh: Option<SeshId>, name: Option<String>, pane: Result<PaneId>) -> Sent {
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
    }
}

fn one(
    server: &Server,
    sent: &mut Sent,
    agents: &[Agent],
    message: Message<'_>,
    patience: Option<Patience>,
) {
    let Some(pane) = sent.pane else { return };
    sent.outcome = deliver(server, pane, sent.sesh, agents, message);
    if let (Ok(DeliveryOutcome::Proven { queued, before, .. }), Some(patience)) =
        (&sent.outcome, patience)
    {
        let begun = Begun {
            text: message.text,
            queued: *queued,
            before: *before,
        };
        sent.turn = Some(turn(server, pane, begun, agents, patience));
    }
}

/// A message that has arrived.
struct Begun<'a> {
    text: &'a str,
    queued: bool,
    /// The pane's sesh, and its generation before the message.
    before: Option<(SeshId, u64)>,
}

/// Waits for the end of what a message has begun.
fn turn(
    server: &Server,
    pane: PaneId,
    begun: Begun<'_>,
    agents: &[Agent],
    patience: Patience,
) -> Result<TurnEnd> {
    let text = begun.text;
    let limit = patience
        .limit
        .and_then(|limit| Instant::now().checked_add(limit));
    let mut news = Wakeup::of(server, begun.before)?;
    // One that had to wait in a queue begins when the turn before it is over.
    let mut worked = false;
    let mut idle: Option<Instant> = None;
    loop {
        let look = agent::look(server, pane, agents, &[])?;
        let (state, why) = state(&look);
        let over = match state {
            // Whoever waits for a person, or is gone, has come to an end at once.
            State::Waiting | State::Exited => true,
            State::Idle => {
                let since = *idle.get_or_insert_with(Instant::now);
                (worked && !begun.queued) || since.elapsed() >= OVER || has_answered(&look, text)
            }
            State::Busy | State::Unknown | State::Starting => {
                idle = None;
                false
            }
        };
        if over {
            let mut reply = patience.reply.then(|| reply(server, &look, text));
            if let (Some(seen), true) = (&mut reply, look.pane_agent.is_some()) {
                drawn(server, seen, pane, agents, text);
            }
            return Ok(TurnEnd { state, why, reply });
        }
        if limit.is_some_and(|limit| Instant::now() >= limit) {
            return Err(Error::new(
                Exit::TimedOut,
                format!("it is still {} after what was sent", state.as_str()),
            ));
        }
        let settles = idle.map(|since| since + OVER);
        // What a shell's commands do is written down nowhere.
        let again = look.pane_agent.is_none().then(|| Instant::now() + LOOK);
        match news.wait([settles, limit, again].into_iter().flatten().min())? {
            Progress::Nothing => {}
            Progress::Worked => worked = true,
            Progress::Ended => {
                return Ok(TurnEnd {
                    state: State::Exited,
                    why: None,
                    reply: patience.reply.then(|| reply(server, &look, text)),
                });
            }
        }
    }
}

/// What makes it worth to look again.
enum Wakeup<'a> {
    /// A change of the sesh, and what it had worked on before.
    Sesh(Box<Watch<'a>>, u64),
    /// Nobody tells of a pane that is no sesh.
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

    /// Waits for some, until a moment at the latest.
    fn wait(&mut self, until: Option<Instant>) -> Result<Progress> {
        match self {
            Wakeup::Pane => {
                std::thread::sleep(LOOK); // why: nobody tells of what a pane does that is no sesh.
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

/// What [`News`] say.
enum Progress {
    Nothing,
    /// It has worked since the message, and does no more.
    Worked,
    Ended,
}

fn state(look: &Look<'_>) -> (State, Option<Why>) {
    if look.dead {
        return (State::Exited, None);
    }
    if let Some(pane_agent) = &look.pane_agent {
        let verdict = pane_agent.verdict();
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
        Some(front) if front.is_shell() => (State::Idle, None),
        Some(_) => (State::Busy, None),
        None => (State::Unknown, None),
    }
}
