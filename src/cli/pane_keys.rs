//! `pane-keys`: types into a pane.

use std::time::Duration;

use clap::Parser;
use serde::Serialize;

use super::{ServerArgs, target};
use crate::clock;
use crate::error::{Error, Exit};
use crate::id::{PaneId, SeshId};
use crate::inventory::find;
use crate::out;
use crate::pane::keys::{KeysRequest, Mode, send};
use crate::sesh::interrupt::{InterruptOutcome, interrupt};
use crate::store::Target;

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Type a line into a shell",
        "pane-keys notes --literal 'ls src' Enter",
    ),
    ("Interrupt a program", "pane-keys build C-c"),
    (
        "Stop the turn of an agent, and wait until it has stopped",
        "pane-keys api --interrupt",
    ),
    ("Press a key several times", "pane-keys notes --repeat 3 Up"),
    ("Close a held pane", "pane-keys tests --to-held Enter"),
];

/// Type keys and text into a pane
///
/// Keys have tmux's names: Enter, Escape, C-c, M-x, Up, F5, or one character. All of them are checked before any is
/// sent. Where the keys would not reach the program in the pane, nothing is sent, and the exit code is 4.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The sesh or pane to type into
    target: String,

    /// The keys to type, in order
    #[arg(value_name = "KEY", required_unless_present_any = ["literal", "interrupt"])]
    keys: Vec<String>,

    /// Interrupt the agent there with its own keys, and wait until it has stopped. Prints interrupted, or not busy where
    /// it was idle and no key was sent. Exit 6 if it still works after --timeout
    #[arg(long, conflicts_with_all = ["keys", "literal", "repeat", "to_mode", "to_held"])]
    interrupt: bool,

    /// With --interrupt: give up after this long [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Type this text before the keys, as it is
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    literal: String,

    /// Type text and keys this many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,

    /// Leave copy mode first
    #[arg(long)]
    leave_mode: bool,

    /// Send the keys to copy mode
    #[arg(long, conflicts_with = "leave_mode")]
    to_mode: bool,

    /// Send the keys to the prompt of a held pane: Enter closes it, r runs its command again
    #[arg(long)]
    to_held: bool,

    /// Send also where the window's panes are synchronised: then to all of them
    #[arg(long)]
    synchronized: bool,

    /// Print where the keys went, as JSON: uuid and name of the sesh (null for another pane), pane, and with --interrupt
    /// whether the agent was interrupted
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// Where the keys went, as JSON. The fields are public.
#[derive(Serialize)]
struct KeysJson {
    uuid: Option<SeshId>,
    name: Option<String>,
    pane: PaneId,
    /// Whether the agent was in a turn and has stopped, where it was to be interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<bool>,
}

/// How long an agent may take to stop where nothing else is said.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if args.keys.is_empty() && args.literal.is_empty() && !args.interrupt {
        return Err(Error::usage("nothing to type: give keys, or a text with --literal").into());
    }
    // What takes keys conflicts with --interrupt, so that clap does not require it there.
    if args.timeout.is_some() && !args.interrupt {
        return Err(Error::usage("--timeout is only for --interrupt").into());
    }
    let server = args.on.server()?;
    let (pane, sesh) = match target(&server, &args.target)? {
        Target::Pane(pane) if args.json => {
            let record = find::of_pane(&server, pane, None)?.map(|(record, _)| record);
            (pane, record.map(|record| (record.uuid, record.name)))
        }
        Target::Pane(pane) => (pane, None),
        named => {
            let record = find::one(&server, &named)?;
            let place = record
                .tmux
                .as_ref()
                .ok_or_else(|| record.no_pane("nothing was sent, sesh-restore restores it"))?;
            (place.pane, Some((record.uuid, record.name.clone())))
        }
    };
    let id = sesh.as_ref().map(|(uuid, _)| *uuid);
    let request = KeysRequest {
        text: args.literal,
        keys: args.keys,
        repeat: args.repeat,
        mode: match (args.leave_mode, args.to_mode) {
            (true, _) => Mode::Leave,
            (_, true) => Mode::Use,
            _ => Mode::Refuse,
        },
        to_held: args.to_held,
        synchronized: args.synchronized,
    };
    let outcome = if args.interrupt {
        let limit = args.timeout.unwrap_or(INTERRUPT_TIMEOUT);
        Some(interrupt(&server, pane, id, &request, limit)?)
    } else {
        send(&server, pane, id, &request)?;
        None
    };
    if args.json {
        let (uuid, name) = sesh.unzip();
        let interrupted = outcome.map(|outcome| outcome == InterruptOutcome::Stopped);
        out::unless_hung_up(out::json(&KeysJson {
            uuid,
            name,
            pane,
            interrupted,
        }))?;
    } else if let Some(outcome) = outcome {
        out::unless_hung_up(out::line(match outcome {
            InterruptOutcome::Stopped => "interrupted",
            InterruptOutcome::NotBusy => "not busy",
        }))?;
    }
    Ok(Exit::Done)
}
