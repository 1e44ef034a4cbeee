//! `sesh-reap`: reconciles what is stored with the panes and processes that exist.

use std::io::IsTerminal;

use clap::Parser;

use super::ServerArgs;
use crate::error::Exit;
use crate::inventory::change::{Change, ChangeKind};
use crate::out;
use crate::sesh::reap::{ReapScope, reap};
use crate::work::repair;

pub(super) const EXAMPLES: super::Examples = &[
    ("Reconcile all seshes", "sesh-reap"),
    ("Print the changes as JSON", "sesh-reap --json"),
    ("Record only the ends of closed panes", "sesh-reap --closed"),
];

/// Reconcile stored state with the panes and processes that exist
///
/// Records ends that were missed and the states of shells, releases panes in which another process runs, closes held
/// panes after their time, ends seshes whose --ttl is over, and removes the remains of forgotten seshes. On a terminal
/// it prints one line for each change, else nothing, because hooks start it.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Print the changes as JSON
    #[arg(long)]
    json: bool,

    /// Record only the ends of seshes whose pane has closed
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
    let server = args.on.server()?;
    let changes = reap(&server, of)?;
    // What tmux shows of claims is a picture: a part of it that cannot be repaired now is repaired the next time.
    let _ = repair::repair(&server);
    if args.json {
        out::json(&changes)?;
    } else if std::io::stdout().is_terminal() {
        for change in &changes {
            out::line(&sentence(change))?;
        }
        if changes.is_empty() {
            out::hint("records match reality");
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
