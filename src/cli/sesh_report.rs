//! `sesh-report`: stores the state that an agent reports.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use super::ServerArgs;
use super::kind_parser::KindParser;
use crate::agent::kinds::{Agents, Kind};
use crate::agent::report::{self, HookEvent, ReadPayload};
use crate::env;
use crate::error::{Error, Exit};
use crate::proc::input;
use crate::sesh::report::report;
use crate::state::{State, Why};

/// The longest payload that is read, in bytes. Payloads contain the output of tools.
const MAX_PAYLOAD: usize = 64 << 20;
/// How long an agent may keep the pipe open without writing.
const READ_TIMEOUT: Duration = Duration::from_secs(1);
/// How long all of it may take: the agent waits for its hook.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Report that the agent of this pane is busy",
        "sesh-report --state busy",
    ),
    (
        "Report that it waits for an answer",
        "sesh-report --state waiting --why question",
    ),
    (
        "Report that a script has finished its work",
        "sesh-report --state idle --event done",
    ),
];

/// Report the state of the agent in this pane; the hooks of agents call it
///
/// With --from it reads the payload of that agent's hook, else the options give the state. A report counts only for the
/// pane whose agent started it, not from a tool that the agent runs, nor from a daemon that serves several panes.
/// Unless its standard input is a terminal it prints nothing and exits with 0, because agents interpret the output and
/// the exit code of their hooks; sesh-doctor shows what failed. sesh-hooks installs it in the configuration of agents.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Read the hook payload of this kind of agent
    #[arg(long, value_name = "AGENT", value_parser = KindParser::with_hooks(), required_unless_present = "state")]
    from: Option<String>,

    /// The payload [default: standard input]
    #[arg(value_name = "PAYLOAD", requires = "from")]
    payload: Option<OsString>,

    /// The state of the agent
    #[arg(long, value_enum, conflicts_with = "from")]
    state: Option<ReportedState>,

    /// What the agent waits for
    #[arg(long, value_enum, requires = "state")]
    why: Option<WaitReason>,

    /// The id of the agent's conversation
    #[arg(long, value_name = "ID", requires = "state")]
    conversation: Option<String>,

    /// A word for the event
    #[arg(
        long,
        value_name = "WORD",
        requires = "state",
        default_value = "report"
    )]
    event: String,

    #[command(flatten)]
    on: ServerArgs,
}

/// A state that an agent can report.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ReportedState {
    Starting,
    Busy,
    Waiting,
    Idle,
    Unknown,
}

/// What an agent can wait for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum WaitReason {
    Permission,
    Question,
    Trust,
    Login,
    Dialog,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    if env::is_in_turn() {
        // A headless turn is busy until its process ends.
        return Ok(Exit::Done);
    }
    let event = match (&args.from, args.state) {
        (Some(kind), _) => read_payload(kind, args.payload)?,
        (None, Some(state)) => Some(from_options(
            state,
            args.why,
            args.conversation,
            args.event,
        )?),
        (None, None) => None,
    };
    let Some(event) = event else {
        return Ok(Exit::Done);
    };
    let left = TIMEOUT.saturating_sub(begun.elapsed());
    let server = args.on.server_within(Some(left))?;
    let agents = Agents::loaded();
    if report(&server, args.from.as_deref(), &event, &agents.all)? || args.from.is_some() {
        return Ok(Exit::Done);
    }
    Err(Error::nothing("not started in a pane of that server").into())
}

/// Reads the hook event in a payload. Returns `None` where the payload concerns no state.
fn read_payload(kind: &str, payload: Option<OsString>) -> anyhow::Result<Option<HookEvent>> {
    let payload = match payload {
        Some(payload) => payload.into_vec(),
        None if input::is_terminal() => {
            return Err(
                Error::usage("no payload on standard input: hooks call this, with --from").into(),
            );
        }
        None => input::read(MAX_PAYLOAD, READ_TIMEOUT),
    };
    let read = Kind::named(kind).and_then(|kind| kind.code.payload);
    let read = read.ok_or_else(|| Error::usage(format!("no hooks are known for {kind:?}")))?;
    match read(&payload) {
        ReadPayload::Event(event) => Ok(Some(event)),
        ReadPayload::Irrelevant => Ok(None),
        ReadPayload::Unreadable(why) => Err(Error::failed(format!("--from {kind}: {why}")).into()),
    }
}

/// Makes the hook event that the options describe.
fn from_options(
    state: ReportedState,
    why: Option<WaitReason>,
    conversation: Option<String>,
    event: String,
) -> anyhow::Result<HookEvent> {
    let state = match state {
        ReportedState::Starting => State::Starting,
        ReportedState::Busy => State::Busy,
        ReportedState::Waiting => State::Waiting,
        ReportedState::Idle => State::Idle,
        ReportedState::Unknown => State::Unknown,
    };
    let why = why.map(|why| match why {
        WaitReason::Permission => Why::Permission,
        WaitReason::Question => Why::Question,
        WaitReason::Trust => Why::Trust,
        WaitReason::Login => Why::Login,
        WaitReason::Dialog => Why::Dialog,
    });
    if why.is_some() && state != State::Waiting {
        return Err(Error::usage("--why needs --state waiting").into());
    }
    for word in conversation.iter().chain([&event]) {
        if !report::is_word(word) {
            return Err(Error::usage(format!(
                "{word:?} is not 1 to 128 letters, digits, dots, dashes and underscores"
            ))
            .into());
        }
    }
    Ok(HookEvent {
        event,
        proves_conversation: conversation.is_some(),
        conversation,
        state: Some((state, why)),
        ..HookEvent::default()
    })
}
