//! `sesh-report`: stores the state that an agent reports.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use super::ServerArgs;
use super::kind_parser::KindParser;
use crate::agent::kinds::{Agents, Kind};
use crate::agent::report::{self, HookEvent, ReadPayload};
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

/// Tell the state of the agent in this pane: what agents' hooks call
///
/// With --from it reads the payload of that agent's hook; without, the options say the state. It is believed only for
/// the pane whose agent started it: what an agent runs as a tool, and a daemon that serves several panes, do not speak
/// for it. What is no news is not written. Unless its standard input is a terminal it prints nothing and exits with 0,
/// whatever happens: agents take its words and its exit code for an answer; what went wrong, sesh-doctor tells.
/// sesh-hooks puts it into the configuration of agents.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The agent whose payload it is
    #[arg(long, value_name = "AGENT", value_parser = KindParser::with_hooks(), required_unless_present = "state")]
    from: Option<String>,

    /// The payload, where it does not come on standard input
    #[arg(value_name = "PAYLOAD", requires = "from")]
    payload: Option<OsString>,

    /// What it does now
    #[arg(long, value_enum, conflicts_with = "from")]
    state: Option<ReportedState>,

    /// What it waits for
    #[arg(long, value_enum, requires = "state")]
    why: Option<WaitReason>,

    /// The id of the conversation that it is in
    #[arg(long, value_name = "ID", requires = "state")]
    conversation: Option<String>,

    /// The word for what happened
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
    Err(Error::nothing("it was started in no pane of that server").into())
}

/// Reads the hook event in a payload. Returns `None` where the payload concerns no state.
fn read_payload(kind: &str, payload: Option<OsString>) -> anyhow::Result<Option<HookEvent>> {
    let payload = match payload {
        Some(payload) => payload.into_vec(),
        None if input::is_terminal() => {
            return Err(Error::usage(
                "the payload comes on standard input: this is what hooks call",
            )
            .into());
        }
        None => input::read(MAX_PAYLOAD, READ_TIMEOUT),
    };
    let read = Kind::named(kind).and_then(|kind| kind.code.payload);
    let read = read.ok_or_else(|| Error::usage(format!("the hooks of {kind:?} are not known")))?;
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
        return Err(Error::usage("--why is the reason of --state waiting").into());
    }
    for word in conversation.iter().chain([&event]) {
        if !report::is_word(word) {
            return Err(Error::usage(format!(
                "{word:?} is no word of 1 to 128 letters, digits, dots, dashes and underscores"
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
