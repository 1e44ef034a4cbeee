//! `pane-keys`: types into a pane.

use clap::Parser;
use serde::Serialize;

use super::{ServerArgs, target};
use crate::error::{Error, Exit};
use crate::id::{PaneId, SeshId};
use crate::inventory::find;
use crate::out;
use crate::pane::keys::{KeysRequest, Mode, send};
use crate::store::Target;

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Type a line into a shell",
        "pane-keys notes --literal 'ls src' Enter",
    ),
    ("Interrupt a program", "pane-keys build C-c"),
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
    #[arg(value_name = "KEY", required_unless_present = "literal")]
    keys: Vec<String>,

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

    /// Print where the keys went, as JSON: uuid and name of the sesh (null for another pane), and pane
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
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if args.keys.is_empty() && args.literal.is_empty() {
        return Err(Error::usage("nothing to type: give keys, or a text with --literal").into());
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
    send(
        &server,
        pane,
        sesh.as_ref().map(|(uuid, _)| *uuid),
        &KeysRequest {
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
        },
    )?;
    if args.json {
        let (uuid, name) = sesh.unzip();
        out::unless_hung_up(out::json(&KeysJson { uuid, name, pane }))?;
    }
    Ok(Exit::Done)
}
