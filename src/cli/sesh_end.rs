//! `sesh-end`: ends seshes.

use std::time::Duration;

use clap::Parser;
use serde::Serialize;

use super::{ServerArgs, targets};
use crate::clock;
use crate::env;
use crate::error::{Error, Exit};
use crate::id::{PaneId, SeshId, Tag};
use crate::inventory::find;
use crate::out;
use crate::proc::{Process, signal};
use crate::sesh::end::{EndOptions, Ended, end, names, still_alive_after};
use crate::sesh::forget;
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
    #[arg(required_unless_present_any = ["tag", "older"], value_name = "TARGET")]
    targets: Vec<String>,

    /// End every sesh with this tag that has a pane; repeat it to require several tags. With --forget exited ones too
    #[arg(long, visible_alias = "tagged", value_name = "TAG")]
    tag: Vec<Tag>,

    /// Send KILL to what does not end otherwise
    #[arg(long)]
    kill: bool,

    /// Remove the record too; works for exited and archived seshes
    #[arg(long)]
    forget: bool,

    /// Forget the exited seshes that exited longer ago than this, with --tag only those with the tag, and print each: uuid and
    /// name, tab-separated. Archived ones stay, and so do those that are offered for a restore
    #[arg(long, value_name = "DURATION", value_parser = clock::duration, requires = "forget", conflicts_with = "targets")]
    older: Option<Duration>,

    /// Give up this long after the first signal [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Print an array with an object for each sesh: uuid, name, pane, ended, forgotten, exit (the exit code for it), message
    /// (why it failed) and alive (pid and name of what is still alive of its terminal)
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// How long HUP and TERM may take where nothing else is said.
pub(super) const END_TIMEOUT: Duration = Duration::from_secs(5);
/// How many seshes are ended at the same time. Each takes a thread, which only waits.
const AT_ONCE: usize = 32;

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server_within(args.timeout)?;
    let how = EndOptions {
        kill: args.kill,
        forget: args.forget,
        timeout: args.timeout.unwrap_or(END_TIMEOUT),
    };
    if let Some(age) = args.older {
        return forget_older(&server, age, &args, how);
    }
    let targets = targets(&server, &args.targets)?;
    let mut found = if targets.is_empty() {
        Vec::new()
    } else {
        let snapshot = find::read(&server, &Select::targets(&targets))?;
        let found = targets.iter().map(|target| snapshot.find(target).cloned());
        found.collect::<Result<Vec<Record>, Error>>()?
    };
    if !args.tag.is_empty() {
        found.extend(if args.forget {
            find::tagged_or_exited(&server, &args.tag)?
        } else {
            find::tagged(&server, &args.tag)?
        });
    }
    let outcomes = end_all(&server, "sesh-end", found.iter().collect(), how);
    if args.json {
        out::unless_hung_up(print_json(&outcomes, args.forget))?;
    }
    Ok(worst(&outcomes))
}

/// Forgets the exited seshes that exited longer ago than `age`. A held pane is closed as for any other end.
fn forget_older(
    server: &Server,
    age: Duration,
    args: &Args,
    how: EndOptions,
) -> anyhow::Result<Exit> {
    let old = forget::older(server, age, &args.tag)?;
    let (held, gone): (Vec<Record>, Vec<Record>) =
        old.into_iter().partition(|record| record.tmux.is_some());
    if held.is_empty() && gone.is_empty() {
        out::hint("no sesh exited that long ago: nothing is forgotten");
    }
    let mut outcomes = end_all(server, "sesh-end", held.iter().collect(), how);
    if !gone.is_empty() {
        forget::forget(server, &gone)?;
    }
    outcomes.extend(gone.iter().map(|record| EndOutcome {
        record,
        error: None,
        alive: Vec::new(),
    }));
    if args.json {
        out::unless_hung_up(print_json(&outcomes, true))?;
    } else {
        for EndOutcome { record, .. } in outcomes.iter().filter(|it| it.error.is_none()) {
            let line = format!("{}\t{}", record.uuid, record.name);
            out::unless_hung_up(out::line(&line))?;
        }
    }
    Ok(worst(&outcomes))
}

/// The outcome of the end of one sesh.
pub(super) struct EndOutcome<'a> {
    record: &'a Record,
    error: Option<Error>,
    /// What is still alive of its terminal.
    alive: Vec<Process>,
}

impl EndOutcome<'_> {
    fn complain(&self, helper: &str) {
        if !self.alive.is_empty() {
            let sentence = format!(
                "{} has ended; of its terminal still alive: {}",
                self.record.name,
                names(&self.alive)
            );
            out::complain(helper, &sentence);
        }
        if let Some(error) = &self.error {
            out::complain(helper, &error.to_string());
        }
    }
}

/// The outcome of the end of one sesh, as JSON. The fields are public.
#[derive(Serialize)]
struct EndJson<'a> {
    uuid: SeshId,
    name: &'a str,
    /// Where it was.
    pane: Option<PaneId>,
    ended: bool,
    forgotten: bool,
    exit: u8,
    message: Option<String>,
    alive: Vec<AliveProcess<'a>>,
}

#[derive(Serialize)]
struct AliveProcess<'a> {
    pid: i32,
    name: &'a str,
}

fn print_json(outcomes: &[EndOutcome<'_>], forget: bool) -> anyhow::Result<()> {
    let all: Vec<EndJson<'_>> = outcomes
        .iter()
        .map(|outcome| {
            let ended = outcome.error.is_none();
            let error = outcome.error.as_ref();
            let alive = outcome.alive.iter();
            EndJson {
                uuid: outcome.record.uuid,
                name: &outcome.record.name,
                pane: outcome.record.tmux.as_ref().map(|place| place.pane),
                ended,
                forgotten: ended && forget,
                exit: error.map_or(Exit::Done, |error| error.exit).code(),
                message: error.map(ToString::to_string),
                alive: alive
                    .map(|process| AliveProcess {
                        pid: process.pid,
                        name: &process.name,
                    })
                    .collect(),
            }
        })
        .collect();
    out::json(&all)
}

/// Ends all these seshes, prints as `helper` what failed and what is still alive, and returns the outcome of each.
pub(super) fn end_all<'a>(
    server: &Server,
    helper: &str,
    mut found: Vec<&'a Record>,
    how: EndOptions,
) -> Vec<EndOutcome<'a>> {
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
    let mut all = Vec::with_capacity(found.len());
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
            let outcome = EndOutcome {
                record,
                alive: match outcome {
                    Ok(_) => left.next().unwrap_or_default(),
                    Err(_) => Vec::new(),
                },
                error: outcome.err(),
            };
            outcome.complain(helper);
            all.push(outcome);
        }
    }
    all
}

/// Returns the worst exit code.
pub(super) fn worst(outcomes: &[EndOutcome<'_>]) -> Exit {
    let errors = outcomes.iter().filter_map(|outcome| outcome.error.as_ref());
    errors.fold(Exit::Done, |worst, error| worst.worst(error.exit))
}
