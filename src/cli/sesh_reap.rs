//! `sesh-reap`: reconciles what is stored with the panes and processes that exist.

use std::io::IsTerminal;

use clap::Parser;

use super::ServerArgs;
use crate::error::Exit;
use crate::inventory::change::{Change, ChangeKind};
use crate::out;
use crate::sesh::reap::{ReapScope, reap};

/// Mend what tmux remembers of seshes where it is not so any more
///
/// Writes down ends that were not recorded and what shells are doing, takes marks off panes in which something else
/// runs, closes held panes whose time is over, ends what has outlived its --ttl, and drops what is left of forgotten
/// seshes. What is right is not
/// written again. On a terminal it prints a line a change, else nothing: hooks start it.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Print the changes as JSON
    #[arg(long)]
    json: bool,

    /// Write down only the ends of seshes whose pane has closed
    #[arg(long)]
    closed: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let of = if args.closed {
        ReapScope::Closed
    } else {
        ReapScope::All
    };
    let changes = reap(&args.on.server()?, of)?;
    if args.json {
        out::json(&changes)?;
    } else if std::io::stdout().is_terminal() {
        for change in &changes {
            out::line(&sentence(change))?;
        }
        if changes.is_empty() {
            out::hint("there is nothing to mend");
        }
    } else {
        // Nothing is forgotten silently: the plugin shows these lines.
        let forgotten = |change: &&Change| change.change == ChangeKind::Forgotten;
        for change in changes.iter().filter(forgotten) {
            out::line(&sentence(change))?;
        }
    }
    Ok(Exit::Done)
}

/// Formats a change as a sentence.
fn sentence(change: &Change) -> String {
    let who = match &change.name {
        Some(name) if !name.is_empty() => name.clone(),
        _ => change.uuid.to_string(),
    };
    let place = change
        .pane
        .map_or_else(String::new, |pane| format!(" ({pane})"));
    format!("{who}{place} {}", change.what)
}
