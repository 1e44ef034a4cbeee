//! `sesh-save`: writes what the journal lacks.

use std::io::IsTerminal;

use clap::Parser;
use serde::Serialize;

use super::ServerArgs;
use crate::error::Exit;
use crate::out;
use crate::sesh::restore::resurrect;
use crate::sesh::save::save;
use crate::store::durable;

pub(super) const EXAMPLES: super::Examples = &[
    ("Add to the journal what it lacks", "sesh-save"),
    ("Print the path of the journal", "sesh-save --json"),
    (
        "Print the panes of all seshes for tmux-resurrect",
        "sesh-save --resurrect",
    ),
];

/// Write to the journal what it lacks, and compact it
///
/// The journal is the file that outlives the tmux server; every helper writes its changes there. This command compares
/// it with what tmux stores, and adds what is missing, as after a full disk or a change without the helpers. Forgotten
/// seshes stay forgotten. On a terminal it prints what it did, else nothing, because the plugin starts it.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Print which pane is which sesh, for the save file of tmux-resurrect; for its hook post-save-layout
    #[arg(long, conflicts_with = "json")]
    resurrect: bool,

    /// Print the journal's file and how many lines were written, as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

#[derive(Serialize)]
struct Saved {
    file: String,
    written: usize,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let written = save(&server)?;
    if args.resurrect {
        for line in resurrect::lines(&server)?.lines() {
            out::line(line)?;
        }
        return Ok(Exit::Done);
    }
    let file = durable::file(&server)?.display().to_string();
    if args.json {
        out::json(&Saved { file, written })?;
    } else if std::io::stdout().is_terminal() {
        match written {
            0 => out::hint(&format!("{file} is complete")),
            _ => out::line(&format!("{file}: {written} lines written"))?,
        }
    }
    Ok(Exit::Done)
}
