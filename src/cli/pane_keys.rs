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

/// Type keys and text into a pane
///
/// Keys are tmux's: Enter, Escape, C-c, M-x, Up, F5, or one character. Each is checked before anything is
/// sent. Exit 4, with the reason, when nothing would arrive or it would go elsewhere.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    target: String,

    /// The keys, in order
    #[arg(value_name = "KEY", required_unless_present = "literal")]
    keys: Vec<String>,

    /// This text, to the letter, before the keys
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    literal: String,

    /// All of it so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,

    /// Leave copy mode first
    #[arg(long)]
    leave_mode: bool,

    /// The keys are for copy mode
    #[arg(long, conflicts_with = "leave_mode")]
    to_mode: bool,

    /// The keys are for the prompt of a held pane: Enter closes it, r runs its command again
    #[arg(long)]
    to_held: bool,

    /// Also to the other panes, if the window's panes are synchronised
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
        return Err(
            Error::usage("there is nothing to send: name keys, or a text with --literal").into(),
        );
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
                .ok_or_else(|| record.no_pane("nothing was sent, sesh-restore brings it back"))?;
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
