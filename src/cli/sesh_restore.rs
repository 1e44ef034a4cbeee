//! `sesh-restore`: has an ended sesh go on.

use std::ffi::OsString;
use std::time::Duration;

use clap::Parser;

use super::{On, sesh_enter, target};
use crate::error::Exit;
use crate::out;
use crate::sesh::find;
use crate::sesh::restore::{self, Options};
use crate::state::State;

/// Bring an ended sesh back: the same identity in a new pane, its agent in the same conversation
///
/// It goes on in its folder, in a window of its session or in a new one. Waits until its agent is there; one that does not
/// come leaves everything as it was, and its last lines are told. A command stands there typed and waits for Enter. Prints
/// the uuid.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    target: String,

    /// Run a command that would otherwise be typed and wait for Enter
    #[arg(long)]
    run: bool,

    /// How long an agent may take until it is there
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Go there
    #[arg(long)]
    enter: bool,

    /// Print the record as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: On,

    /// More words for the agent's command line
    #[arg(last = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let record = find::one(&server, &target(&server, &args.target)?)?;
    let options = Options {
        run: args.run,
        words: args.words,
        within: args.timeout,
        late: &out::hint,
    };
    let record = restore::one(&server, &record, &options)?;
    if args.json {
        out::json(&record)?;
    } else {
        out::text(&record.uuid.to_string())?;
    }
    if record.state == State::Waiting && !args.enter {
        let why = record.why.as_deref().unwrap_or("somebody");
        out::hint(&format!("{} is there and waits for {why}", record.name));
    }
    if args.enter {
        sesh_enter::go(&server, &record, None, false)?;
    }
    Ok(Exit::Done)
}
