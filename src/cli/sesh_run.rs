//! `sesh-run`: the process of a created pane.

use std::fmt;
use std::path::PathBuf;

use clap::Parser;

use crate::error::Exit;
use crate::out;
use crate::runner::{self, queued};

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Show how sesh-new would start it",
        "sesh-new hello --dry-run -- echo hello",
    ),
    (
        "Run the command of a held pane again",
        "pane-keys tests --to-held r",
    ),
    ("Close a held pane", "pane-keys lint --to-held Enter"),
];

/// Run the command of a sesh in its pane, record its end and hold the pane
///
/// Started by sesh-new, not by hand. The command and its environment are in a private file, which is deleted when it is
/// opened, because every user can see tmux's arguments. Exits with the exit code of the command.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The launch file that sesh-new wrote
    #[arg(long, value_name = "FILE", required_unless_present = "queued")]
    launch: Option<PathBuf>,

    /// Put the prompt on stdin into the agent's queue, and print the answer: the command of a headless turn
    #[arg(long, hide = true, num_args = 2, value_names = ["KIND", "ID"], conflicts_with = "launch")]
    queued: Vec<String>,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if let [kind, conversation] = args.queued.as_slice() {
        let answer = queued::answer(kind, conversation)?;
        let lines: Vec<String> = answer.lines().map(Into::into).collect();
        out::lines(&lines, false)?;
        return Ok(Exit::Done);
    }
    match runner::run(&args.launch.unwrap_or_default())? {
        0 => Ok(Exit::Done),
        code => Err(CommandExit(code).into()),
    }
}

/// The exit code of the command. It is passed as an error, which is not printed.
#[derive(Debug)]
pub(super) struct CommandExit(pub(super) u8);

impl fmt::Display for CommandExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}", self.0)
    }
}

impl std::error::Error for CommandExit {}
