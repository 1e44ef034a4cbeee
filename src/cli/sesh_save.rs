//! `sesh-save`: writes what the journal lacks.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

use super::ServerArgs;
use crate::error::Exit;
use crate::id::counted;
use crate::out;
use crate::sesh::restore::resurrect;
use crate::sesh::save::{export, save};
use crate::store::durable::{self, Exported};

pub(super) const EXAMPLES: super::Examples = &[
    ("Add to the journal what it lacks", "sesh-save"),
    ("Print the path of the journal", "sesh-save --json"),
    (
        "Write all seshes into a file for another machine",
        "sesh-save --export seshes.jsonl",
    ),
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

    /// Also write all seshes into this file, for sesh-restore --from on another machine or server. It replaces an earlier
    /// file in one step. The transcripts of agents are in it, unless --no-transcripts is given
    #[arg(long, value_name = "FILE", conflicts_with = "resurrect")]
    export: Option<PathBuf>,

    /// With --export: leave the transcripts of agents out
    #[arg(long, requires = "export")]
    no_transcripts: bool,

    /// Print the journal's file and how many lines were written, as JSON; with --export the file and the numbers of seshes
    /// and transcripts
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

#[derive(Serialize)]
struct ExportJson {
    file: String,
    seshes: usize,
    transcripts: usize,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    if let Some(file) = &args.export {
        let Exported {
            seshes,
            transcripts,
        } = export(&server, file, !args.no_transcripts)?;
        let file = file.display().to_string();
        if args.json {
            out::json(&ExportJson {
                file,
                seshes,
                transcripts,
            })?;
        } else {
            let seshes = counted(seshes, "sesh", "seshes");
            let transcripts = counted(transcripts, "transcript", "transcripts");
            out::hint(&format!("{file}: {seshes} and {transcripts} written"));
        }
        return Ok(Exit::Done);
    }
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
