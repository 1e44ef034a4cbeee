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

/// Write down what must outlive the tmux server, where that was missed
///
/// Every helper writes what it changes to a journal, one file for each server. This compares all that tmux knows with it
/// and writes what it lacks: after the disk was full, or a change without the helpers. Then it writes the file anew with
/// what its lines add up to. Forgotten seshes stay forgotten. On a terminal it says what it did, else nothing: the plugin
/// starts it.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Print which pane is which sesh, for the end of the file of tmux-resurrect: for its hook post-save-layout
    #[arg(long, conflicts_with = "json")]
    resurrect: bool,

    /// Print the journal's file and how many lines were written
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
            0 => out::hint(&format!("{file} has it all")),
            _ => out::line(&format!("{file}: {written} lines written"))?,
        }
    }
    Ok(Exit::Done)
}
