//! `sesh-pane`: prints which sesh a pane is.

use std::path::PathBuf;

use clap::Parser;

use super::transcript_columns::DetailedRecord;
use super::{ServerArgs, pane_of, pane_or_own};
use crate::error::{Error, Exit};
use crate::id::PaneId;
use crate::inventory::find;
use crate::out;

pub(super) const EXAMPLES: super::Examples = &[
    ("Print the sesh of this pane", "sesh-pane"),
    (
        "Print its name, for a prompt",
        "sesh-pane --format '#{@sesh_name}'",
    ),
    (
        "Print the record of another pane",
        "sesh-pane --pane %4 --json",
    ),
];

/// Print which sesh a pane is: uuid, name, state and agent
///
/// The fields are separated by tabs. The pane itself is asked, so a SESH_ID inherited from another pane does not
/// mislead it. Exit 3 if the pane is not a sesh.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// A pane or a sesh [default: this pane, $TMUX_PANE]
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// The pane; the same as %N as the TARGET
    #[arg(long, value_name = "%N", conflicts_with = "target")]
    pane: Option<PaneId>,

    /// Use the tmux server with this socket path; the same as -S
    #[arg(long = "socket-path", value_name = "PATH", conflicts_with_all = ["socket_name", "socket_path"])]
    socket_path_of_pane: Option<PathBuf>,

    /// Print this tmux format instead, as in '#{@sesh_name}'
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    format: Option<String>,

    /// Print the record as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(mut args: Args) -> anyhow::Result<Exit> {
    if args.socket_path_of_pane.is_some() {
        args.on.socket_path = args.socket_path_of_pane;
    }
    let server = args.on.server()?;
    let pane = match &args.target {
        Some(target) => pane_of(&server, target)?,
        None => pane_or_own(&server, args.pane)?,
    };
    let (record, formatted) = find::of_pane(&server, pane, args.format.as_deref())?
        .ok_or_else(|| Error::not_a_sesh(pane))?;
    if args.json {
        out::json(&DetailedRecord::read(&record))?;
    } else if args.format.is_some() {
        out::line(&formatted)?;
    } else {
        out::line(&format!(
            "{}\t{}\t{}\t{}",
            record.uuid,
            record.name,
            record.state.as_str(),
            record.agent.unwrap_or_default()
        ))?;
    }
    Ok(Exit::Done)
}
