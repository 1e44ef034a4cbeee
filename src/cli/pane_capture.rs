//! `pane-capture`: prints the text of a pane.

use clap::Parser;

use super::{ServerArgs, target};
use crate::error::Exit;
use crate::out;
use crate::pane::capture::{CaptureOptions, CaptureRegion, Captured, capture};
use crate::pane::since::{CaptureSince, since};

pub(super) const EXAMPLES: super::Examples = &[
    ("Print the last lines of a sesh", "pane-capture build -n 3"),
    (
        "Print all output, with wrapped lines joined",
        "pane-capture build --scrollback --join",
    ),
    (
        "Print the last lines of a sesh whose pane has closed",
        "pane-capture old",
    ),
    (
        "Print the screen of any pane, with colours",
        "pane-capture %3 --screen --ansi",
    ),
    (
        "Print a cursor and all output, to ask for new output later",
        "pane-capture build --since start --cursor",
    ),
];

/// Print the text of a pane, also of a sesh that has exited
///
/// Without a selection the last 50 lines are printed, up to the last one that holds text. Of a sesh whose pane has
/// closed, its saved last lines are printed.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The sesh or pane to read
    target: String,

    /// Print the last N lines, up to the last one that holds text
    #[arg(short = 'n', long, visible_alias = "tail", value_name = "N", default_value_t = 50, group = "region",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    lines: u32,

    /// Print the whole screen, with its empty lines
    #[arg(long, group = "region")]
    screen: bool,

    /// Print the screen and all of its history, or its last N lines of history
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, group = "region")]
    scrollback: Option<Option<u32>>,

    /// Print only what is new since a cursor: start (everything), now (nothing), or the next cursor of an earlier call
    /// (--cursor, --json). Wrapped lines are joined. A line that changed on the screen is printed again with all lines
    /// below it; the screen of a full-screen program is printed whole when anything on it has changed
    #[arg(long, value_name = "CURSOR", group = "region")]
    since: Option<CaptureSince>,

    /// Print the next cursor first, on a line of its own
    #[arg(long, requires = "since", conflicts_with = "json")]
    cursor: bool,

    /// Keep colours and attributes, as escape sequences
    #[arg(long)]
    ansi: bool,

    /// Join lines that were wrapped at the pane's width
    #[arg(long)]
    join: bool,

    /// Print JSON, with the pane's size, cursor and mode
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let target = target(&server, &args.target)?;
    if let Some(from) = &args.since {
        return print(&args, &since(&server, &target, from, args.ansi)?);
    }
    let region = match (args.screen, args.scrollback) {
        (true, _) => CaptureRegion::Screen,
        (_, Some(history)) => CaptureRegion::History(history),
        _ => CaptureRegion::Text(args.lines),
    };
    let captured = capture(
        &server,
        &target,
        CaptureOptions {
            region,
            styled: args.ansi,
            joined: args.join,
        },
    )?;
    print(&args, &captured)
}

fn print(args: &Args, captured: &Captured) -> anyhow::Result<Exit> {
    if args.json {
        out::json(captured)?;
        return Ok(Exit::Done);
    }
    out::hint(&summary(captured));
    if captured.truncated == Some(true) {
        out::complain(
            "pane-capture",
            "earlier lines may be missing: the history was full or was cleared",
        );
    }
    if let (true, Some(next)) = (args.cursor, &captured.next) {
        out::text(next)?;
    }
    out::lines(&captured.lines, args.ansi)?;
    Ok(Exit::Done)
}

/// Describes the capture for a person: the sesh, the pane, its size, and what is unusual about it.
fn summary(captured: &Captured) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(captured.name.clone());
    words.extend(captured.pane.map(|pane| pane.to_string()));
    if let Some(size) = captured.size {
        words.push(format!("{}x{}", size.columns, size.rows));
    }
    if let Some(cursor) = captured.cursor {
        words.push(format!("cursor {},{}", cursor.column, cursor.row));
    }
    if captured.history > 0 {
        words.push(format!("{} lines of history", captured.history));
    }
    if captured.alternate {
        words.push("alternate screen".into());
    }
    words.extend(captured.mode.clone());
    if captured.ended {
        let saved = captured.pane.is_none();
        words.push(
            if saved {
                "exited, saved lines"
            } else {
                "exited"
            }
            .into(),
        );
    }
    format!("[{}]", words.join(", "))
}
