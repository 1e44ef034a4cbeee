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

/// Say which agent lives in a pane, registered or not: kind, conversation, pid, uuid, state and reason, tab-separated
///
/// It asks the process table, so wrappers, links and names of others do not mislead it. Exit 3 when no agent lives
/// there, 4 when one does and its conversation is not known.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// A pane or a sesh [default: this pane, $TMUX_PANE]
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// The pane: the same as a TARGET that is one
    #[arg(long, value_name = "%N", conflicts_with = "target")]
    pane: Option<PaneId>,

    /// The tmux server with this socket path: the same as -S
    #[arg(long = "socket-path", value_name = "PATH", conflicts_with_all = ["socket_name", "socket_path"])]
    socket_path_of_pane: Option<PathBuf>,

    /// Print it as JSON
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
