//! `sesh-gather`: reads the results of a set of seshes.

use std::time::Duration;

use clap::{ArgGroup, Parser};

use super::{ServerArgs, sesh_end, targets};
use crate::clock;
use crate::error::Exit;
use crate::id::Tag;
use crate::out;
use crate::sesh::end::EndOptions;
use crate::sesh::gather::{Gathered, gather};

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Print what all seshes with a tag have printed",
        "sesh-gather --tag ci",
    ),
    (
        "Print the results of two seshes as JSON",
        "sesh-gather tests build --json",
    ),
    (
        "Write a log, then remove the seshes and their records",
        "sesh-gather --tag ci --forget >ci.log",
    ),
];

/// Collect the results of a set of seshes: state, exit code, duration and output
///
/// The set is every sesh with the tag, also the exited ones, and all targets. Of an existing pane all of its output is
/// read; of a closed one its saved last lines.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
#[command(group = ArgGroup::new("ends").args(["end", "forget"]).multiple(true))]
pub(super) struct Args {
    /// The seshes to read
    #[arg(required_unless_present = "tag", value_name = "TARGET")]
    targets: Vec<String>,

    /// Read all seshes with this tag; repeat it to require several tags
    #[arg(long, visible_alias = "tagged", value_name = "TAG")]
    tag: Vec<Tag>,

    /// Print only the last N lines of each [default: all]
    #[arg(short = 'n', long, visible_alias = "tail", value_name = "N")]
    lines: Option<usize>,

    /// End every sesh whose output was read, as sesh-end does, also those that still run
    #[arg(long)]
    end: bool,

    /// Like --end, and remove their records and saved lines
    #[arg(long)]
    forget: bool,

    /// Send KILL to what does not end otherwise
    #[arg(long, requires = "ends")]
    kill: bool,

    /// Give up ending this long after the first signal [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Exit 1 if a command of the set failed: by its exit code, by a signal, or for an unknown cause
    #[arg(long)]
    propagate: bool,

    /// Print an array of JSON objects
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server_within(args.timeout)?;
    let mut gathered = gather(&server, &args.tag, &targets(&server, &args.targets)?)?;
    if let Some(count) = args.lines {
        for one in &mut gathered {
            one.keep_last(count);
        }
    }
    let printed = print(&gathered, args.json);
    if args.end || args.forget {
        out::unless_hung_up(printed)?;
    } else {
        printed?;
    }
    let mut exit = Exit::Done;
    if args.end || args.forget {
        let read = gathered
            .iter()
            .filter(|one| one.lines.is_some())
            // A sesh that has exited and has no pane can only be forgotten.
            .filter(|one| one.pane.is_some() || args.forget)
            .map(|one| &one.record)
            .collect();
        let how = EndOptions {
            kill: args.kill,
            forget: args.forget,
            timeout: args.timeout.unwrap_or(sesh_end::END_TIMEOUT),
        };
        let outcomes = sesh_end::end_all(&server, "sesh-gather", read, how);
        exit = sesh_end::worst(&outcomes);
    }
    if exit == Exit::Done && args.propagate && gathered.iter().any(Gathered::failed) {
        exit = Exit::Failed;
    }
    Ok(exit)
}

fn print(gathered: &[Gathered], json: bool) -> anyhow::Result<()> {
    if json {
        return out::json(&gathered);
    }
    for (at, one) in gathered.iter().enumerate() {
        if at > 0 {
            out::text("\n")?;
        }
        out::line(&header(one))?;
        out::lines(one.lines.as_deref().unwrap_or_default(), false)?;
    }
    Ok(())
}

/// Formats the header line: the name, the state, the duration, and what is unusual about the lines.
fn header(one: &Gathered) -> String {
    let mut words = vec![one.name.clone(), one.record.state_in_words()];
    words.extend(
        one.duration
            .map(|seconds| humantime::format_duration(Duration::from_secs(seconds)).to_string()),
    );
    if one.alternate {
        words.push("alternate screen".into());
    }
    match (&one.lines, one.pane) {
        (None, _) => words.push("no lines saved".into()),
        (Some(_), None) => words.push("last lines only".into()),
        (Some(_), Some(_)) if one.truncated => words.push("first lines may be missing".into()),
        _ => {}
    }
    format!("==> {} <==", words.join(", "))
}
