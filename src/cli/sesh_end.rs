//! `sesh-end`: ends seshes.

use std::time::Duration;

use clap::Parser;

use super::{ServerArgs, targets};
use crate::env;
use crate::error::{Error, Exit};
use crate::inventory::find;
use crate::out;
use crate::proc::signal;
use crate::sesh::end::{EndOptions, Ended, end, names, still_alive_after};
use crate::store::{Record, Select};
use crate::tmux::Server;

pub(super) const EXAMPLES: super::Examples = &[
    (
        "End a sesh; its record and last lines are kept",
        "sesh-end build",
    ),
    (
        "End a sesh that may ignore HUP and TERM",
        "sesh-end --kill --timeout 10s notes",
    ),
    (
        "Remove exited seshes with their records",
        "sesh-end --forget tests old",
    ),
];

/// End seshes: have an idle agent quit, else send HUP, then TERM
///
/// An idle agent gets its own command for quitting, as in /exit, where that cannot do harm. A pane that sesh-new
/// created closes; its record and last lines are kept. In an adopted pane only the foreground job ends; the pane and
/// its shell stay. Waits until the processes have ended, and names those that are still alive.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The seshes to end
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,

    /// Send KILL to what does not end otherwise
    #[arg(long)]
    kill: bool,

    /// Remove the record too; works for exited and archived seshes
    #[arg(long)]
    forget: bool,

    /// Give up this long after the first signal [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    on: ServerArgs,
}

/// How long HUP and TERM may take where nothing else is said.
pub(super) const END_TIMEOUT: Duration = Duration::from_secs(5);
/// How many seshes are ended at the same time. Each takes a thread, which only waits.
const AT_ONCE: usize = 32;

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server_within(args.timeout)?;
    let targets = targets(&server, &args.targets)?;
    let snapshot = find::read(&server, &Select::targets(&targets))?;
    let found = targets
        .iter()
        .map(|target| snapshot.find(target))
        .collect::<Result<Vec<&Record>, Error>>()?;
    let how = EndOptions {
        kill: args.kill,
        forget: args.forget,
        timeout: args.timeout.unwrap_or(END_TIMEOUT),
    };
    Ok(end_all(&server, "sesh-end", found, how))
}

/// Ends all these seshes, prints each failure as `helper`, and returns the worst exit code.
pub(super) fn end_all(
    server: &Server,
    helper: &str,
    mut found: Vec<&Record>,
    how: EndOptions,
) -> Exit {
    // The caller's own pane comes last: its end also ends the process that waits for the answer.
    let own = env::tmux_pane().filter(|_| server.is_own_server());
    let is_own =
        |record: &Record| own.is_some() && record.tmux.as_ref().map(|place| place.pane) == own;
    found.sort_by_key(|record| (is_own(record), record.uuid));
    found.dedup_by_key(|record| record.uuid);
    if found.last().is_some_and(|record| is_own(record)) {
        signal::block_hangup_and_term();
    }
    let last = found.iter().filter(|record| is_own(record)).count();
    let (others, own) = found.split_at(found.len() - last);
    let mut worst = Exit::Done;
    for some in others.chunks(AT_ONCE).chain([own]) {
        let outcomes: Vec<Result<Ended, Error>> = std::thread::scope(|scope| {
            let ends: Vec<_> = some
                .iter()
                .map(|record| scope.spawn(|| end(server, record, how, &out::hint)))
                .collect();
            ends.into_iter()
                .map(|end| {
                    end.join()
                        .unwrap_or_else(|_| Err(Error::failed("a thread failed")))
                })
                .collect()
        });
        let ended: Vec<Ended> = outcomes.iter().flatten().copied().collect();
        let mut left = still_alive_after(&ended).into_iter();
        for (record, outcome) in some.iter().zip(outcomes) {
            match outcome {
                Ok(_) => {
                    let left = left.next().unwrap_or_default();
                    if !left.is_empty() {
                        out::complain(
                            helper,
                            &format!(
                                "{} has exited; still alive in its terminal: {}",
                                record.name,
                                names(&left)
                            ),
                        );
                    }
                }
                Err(error) => {
                    out::complain(helper, &error.to_string());
                    worst = worst.worst(error.exit);
                }
            }
        }
    }
    worst
}
