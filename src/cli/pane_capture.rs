//! `pane-capture`: prints the text of a pane.

use clap::Parser;

use super::{ServerArgs, target};
use crate::error::Exit;
use crate::out;
use crate::pane::capture::{CaptureOptions, CaptureRegion, Captured, capture};
use crate::pane::since::{CaptureSince, since};

/// Print the text of a pane: of a sesh, also an ended one, or of any pane
///
/// The last lines up to the last that holds text, 50 of them if nothing else is asked.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    target: String,

    /// The last N lines that hold text
    #[arg(short = 'n', long, visible_alias = "tail", value_name = "N", default_value_t = 50, group = "region",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    lines: u32,

    /// The whole screen, empty lines too
    #[arg(long, group = "region")]
    screen: bool,

    /// The screen and all its history, or the last N lines of history
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, group = "region")]
    scrollback: Option<Option<u32>>,

    /// Only what is new since a cursor, lines joined: start (all there is), now (nothing), or the `next` that the last call
    /// gave (--json, --cursor). A line that was changed on the screen comes again, with all below it; a full-screen
    /// program's screen comes whole when anything on it changed
    #[arg(long, value_name = "CURSOR", group = "region")]
    since: Option<CaptureSince>,

    /// Print the next cursor first, as a line of its own
    #[arg(long, requires = "since", conflicts_with = "json")]
    cursor: bool,

    /// With colours and attributes
    #[arg(long)]
    ansi: bool,

    /// Join lines that the pane's width has wrapped
    #[arg(long)]
    join: bool,

    /// With the pane's size, cursor and mode, as JSON
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
            "lines before these may be missing: the history was full, or was cleared",
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
        words.push(if saved { "ended, saved lines" } else { "ended" }.into());
    }
    format!("[{}]", words.join(", "))
}
