//! `pane-resolve`: prints which agent runs in a pane.

use std::path::PathBuf;

use clap::Parser;

use super::{ServerArgs, pane_of, pane_or_own};
use crate::agent::kinds::Agents;
use crate::error::Exit;
use crate::id::PaneId;
use crate::out;
use crate::pane::resolve::resolve;
use crate::state::Why;

pub(super) const EXAMPLES: super::Examples = &[
    ("Print which agent runs in a pane", "pane-resolve --pane %5"),
    (
        "Print only the kind of agent",
        "pane-resolve --pane %5 | cut -f 1",
    ),
    ("Print it as JSON", "pane-resolve --pane %5 --json"),
];

/// Print which agent runs in a pane: kind, conversation, pid, uuid, state and reason
///
/// The fields are separated by tabs. The pane need not be a sesh. The agent is found in the process table, so wrappers,
/// links and other programs with the same name do not mislead it. Exit 3 where no agent runs, 4 where one runs and its
/// conversation is not known.
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

    /// Print JSON
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
    let agents = Agents::loaded();
    for problem in &agents.problems {
        out::complain("pane-resolve", &problem.sentence);
    }
    let found = resolve(&server, pane, &agents.all)?;
    if args.json {
        out::json(&found)?;
    } else {
        out::line(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}",
            found.agent,
            found.conversation.as_deref().unwrap_or(""),
            found.pid,
            found.uuid.map(|id| id.to_string()).unwrap_or_default(),
            found.state.as_str(),
            found.why.map_or("", Why::as_str),
        ))?;
    }
    Ok(match found.conversation {
        Some(_) => Exit::Done,
        None => Exit::Unusable,
    })
}
