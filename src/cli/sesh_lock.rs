//! `sesh-lock`: runs a command while no other one holds the same name.

use std::ffi::OsString;
use std::time::Duration;

use clap::Parser;

use super::ServerArgs;
use super::sesh_run::CommandExit;
use crate::clock;
use crate::error::Exit;
use crate::proc::job::End;
use crate::work::named_lock::{self, LockName};

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Run a command while no other one holds the lock",
        "sesh-lock deploy -- echo deployed",
    ),
    (
        "Wait up to ten minutes for the lock",
        "sesh-lock deploy --wait 10m -- echo deployed",
    ),
    (
        "Several commands under one lock",
        "sesh-lock db -- sh -c 'echo migrate && echo seed'",
    ),
];

/// Run a command while no other one on this machine holds the same lock
///
/// The command and all that it starts hold the lock: it is free when the last of them has ended, however they end. In a
/// pane, the option @sesh_locks shows it. It needs no repository and no tmux server. The exit code is that of the command,
/// 128 and the number of the signal that ended it, 127 if there is no such command and 126 if it cannot be run. 4 and 6 may
/// also mean that another process holds the lock; then a message says so.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The name of the lock: letters, digits, . _ and -
    #[arg(value_name = "NAME")]
    name: LockName,

    /// Wait for the lock, at most this long [default: do not wait]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    wait: Option<Duration>,

    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    // Without tmux there is no pane to show the lock, and that is all.
    let server = args.on.server().ok();
    let ended = named_lock::run(&args.name, args.wait, &args.command, server.as_ref())?;
    let code = match ended {
        End::Code(code) => u8::try_from(code).unwrap_or(u8::MAX),
        End::Signal(signal) => 128 + u8::try_from(signal).unwrap_or_default(),
    };
    match code {
        0 => Ok(Exit::Done),
        code => Err(CommandExit(code).into()),
    }
}
