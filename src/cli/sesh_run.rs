//! `sesh-run`: the process of a created pane.

use std::fmt;
use std::path::PathBuf;

use clap::Parser;

use crate::error::Exit;
use crate::runner;

/// Run a sesh's command in its pane, record its end, hold the pane readable
///
/// sesh-new starts it; it is not typed by hand. The command and its environment are in a private file, which is
/// deleted when it is opened: tmux shows its own arguments to everyone. It exits with the command's code.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The launch file
    #[arg(long, value_name = "FILE")]
    launch: PathBuf,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match runner::run(&args.launch)? {
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
