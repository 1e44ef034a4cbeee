//! `sesh-wait`: waits for seshes.

use std::time::Duration;

use clap::Parser;
use serde::Serialize;

use super::{ServerArgs, end_clients_on_signal, targets};
use crate::clock;
use crate::error::{Error, Exit, Result};
use crate::id::{SeshId, Tag};
use crate::out;
use crate::store::{Record, Select, Snapshot};
use crate::watch::{
    Cursor, EventKind, SeshEvent, Set, WaitEvent, WaitMode, WaitOutcome, WaitRequest, WaitSince,
    Watch,
};

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Wait until an agent is idle, waits for a person or has exited",
        "sesh-wait api",
    ),
    (
        "Wait until all commands with a tag have exited",
        "sesh-wait --tag ci --for exit --all",
    ),
    (
        "Wait for a line of output, for at most a minute",
        "sesh-wait build --for output=compiled --timeout 1m",
    ),
    (
        "Wait until nothing has been printed for a second",
        "sesh-wait notes --for quiet=1s",
    ),
];

/// Wait until a sesh is idle, waits for a person, exits or prints something
///
/// Prints one line for each event, with tabs between its fields: the name, the event (idle, waiting, busy, exit,
/// joined, left, output, quiet), the reason, and a cursor. With --since CURSOR the next call continues there: no state,
/// exit, arrival or departure is missed or reported twice, whatever happens between the calls. (A state that came and
/// went between two calls is reported as the current one.) Without a cursor, a condition that already holds counts.
/// Exit 0 after the event, 3 if all have exited and no event can come, 6 after the timeout, 69 as soon as the server
/// ends.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The seshes to wait for
    #[arg(value_name = "TARGET", required_unless_present = "tag")]
    targets: Vec<String>,

    /// Wait for all seshes with this tag, also those that get it later or exited in the last ten minutes; repeat it to
    /// require several tags
    #[arg(long, visible_alias = "tagged", value_name = "TAG")]
    tag: Vec<Tag>,

    /// Wait for this event: idle, waiting, busy, exit, turn (the end of busy), output=REGEX, quiet=DURATION or change
    /// (of anything); may be repeated [default: idle, waiting, exit]
    #[arg(long = "for", value_name = "EVENT", value_parser = events)]
    until: Vec<EventList>,

    /// Return when any one matches (default)
    #[arg(long)]
    any: bool,

    /// Return when all have matched
    #[arg(long, conflicts_with = "any")]
    all: bool,

    /// Continue where the wait that printed this cursor ended; start (or an empty text) is no cursor, now is --fresh
    #[arg(long, value_name = "CURSOR")]
    since: Option<String>,

    /// Ignore conditions that already hold
    #[arg(long)]
    fresh: bool,

    /// Give up after this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Continue after each event, until all have exited
    #[arg(long, conflicts_with = "all")]
    follow: bool,

    /// Exit 1 if a sesh exited with anything but 0
    #[arg(long)]
    propagate: bool,

    /// Print each event as a line of JSON, with the record
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// The events of one `--for`.
#[derive(Clone, Debug)]
struct EventList(Vec<WaitEvent>);

fn events(text: &str) -> Result<EventList, String> {
    WaitEvent::parse_list(text).map(EventList)
}

/// Parses the value of `--since`: a cursor, or a word for what needs none. An empty one is as good as `start`, so that a loop
/// can begin with a variable that is not set yet.
fn since(text: &str) -> Result<Since> {
    match text {
        "" | "start" => Ok(Since::Start),
        "now" => Ok(Since::Now),
        cursor => cursor.parse().map(Since::Cursor),
    }
}

/// What `--since` names.
#[derive(Clone, Debug)]
enum Since {
    Start,
    Now,
    Cursor(Cursor),
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    // A cursor that cannot be read is reported first, whatever else is wrong.
    let from = args.since.as_deref().map_or(Ok(Since::Start), since)?;
    let server = args.on.server_within(args.timeout)?;
    let deadline = server.deadline();
    let targets = targets(&server, &args.targets)?;
    let mut ids = Vec::new();
    if !targets.is_empty() {
        let snapshot = Snapshot::read(&server, &Select::targets(&targets))?;
        for target in &targets {
            let record = snapshot.find(target)?;
            if record.lost_server().is_some() {
                return Err(record.no_pane("").into());
            }
            ids.push(record.uuid);
        }
    }
    let request = WaitRequest {
        set: Set {
            ids,
            tags: args.tag.clone(),
        },
        until: if args.until.is_empty() {
            vec![WaitEvent::Idle, WaitEvent::Waiting, WaitEvent::Exit]
        } else {
            let lists = args.until.iter();
            lists.flat_map(|EventList(events)| events.clone()).collect()
        },
        how: match () {
            () if args.all => WaitMode::All,
            () if args.follow => WaitMode::Each,
            () => WaitMode::Any,
        },
        since: match from {
            _ if args.fresh => WaitSince::Fresh,
            Since::Now => WaitSince::Fresh,
            Since::Cursor(cursor) => WaitSince::Cursor(cursor),
            Since::Start => WaitSince::Now,
        },
    };
    end_clients_on_signal(&server);
    let mut watch = Watch::new(&server, request)?;
    let mut reported = false;
    let mut exit = Exit::Done;
    loop {
        let error = match watch.next(deadline)? {
            WaitOutcome::Events(events) => {
                for event in &events {
                    print_event(event, watch.cursor(), args.json)?;
                    if args.propagate && failed(event) {
                        exit = Exit::Failed;
                    }
                }
                reported = true;
                if args.follow {
                    continue;
                }
                return Ok(exit);
            }
            WaitOutcome::Empty if reported => return Ok(exit),
            WaitOutcome::Empty => {
                Error::nothing("nothing left to wait for: no match, or all have already exited")
                    .with_way_out("sesh-list --all shows them")
            }
            WaitOutcome::TimedOut => Error::new(Exit::TimedOut, "timed out before it happened")
                .with_way_out("sesh-list shows the states"),
        };
        if args.json {
            let event = if error.exit == Exit::TimedOut {
                "timeout"
            } else {
                "empty"
            };
            let cursor = watch.cursor().to_string();
            out::json_line(&EventJson {
                event,
                cursor,
                ..EventJson::default()
            })?;
        }
        return Err(error.into());
    }
}

/// An event as JSON.
#[derive(Default, Serialize)]
struct EventJson<'a> {
    event: &'a str,
    reason: Option<&'a str>,
    uuid: Option<SeshId>,
    name: Option<&'a str>,
    sesh: Option<&'a Record>,
    cursor: String,
}

fn print_event(event: &SeshEvent, cursor: &Cursor, json: bool) -> anyhow::Result<()> {
    let record = event.record.as_ref();
    let cursor = cursor.to_string();
    let what = event.what.as_str();
    if json {
        return out::json_line(&EventJson {
            event: what,
            reason: Some(&event.reason),
            uuid: Some(event.uuid),
            name: record.map(|record| record.name.as_str()),
            sesh: record,
            cursor,
        });
    }
    let uuid = event.uuid.to_string();
    let name = record.map_or(&uuid, |record| &record.name);
    let line = [name, what, &event.reason, &cursor].map(out::tsv);
    out::line(&line.join("\t"))
}

/// Returns whether the sesh of an event ended with anything but exit code 0.
fn failed(event: &SeshEvent) -> bool {
    let exit = event.record.as_ref().and_then(|record| record.exit);
    match (event.what, exit) {
        (EventKind::Exit, exit) => exit.is_none_or(|exit| exit.code != Some(0)),
        (_, exit) => exit.is_some_and(|exit| exit.code != Some(0)),
    }
}
