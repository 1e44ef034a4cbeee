//! `sesh-enter`: goes to a sesh.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;

use clap::Parser;

use super::{On, target};
use crate::error::{Error, Exit, Result};
use crate::id::shell_word;
use crate::out;
use crate::sesh::enter::{Way, chooser, next, see, way, who_asks};
use crate::sesh::find;
use crate::sesh::restore::{self, Options};
use crate::store::Record;
use crate::tmux::Server;

/// Go to a sesh: switch the client that asked, or attach
///
/// One that has ended and has no pane any more is brought back first, as sesh-restore does. Without a TARGET, tmux's own chooser opens, showing seshes alone. Exit 3 when --next finds none.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    target: Option<String>,

    /// The one that needs you: it waits, or it has finished and nobody has looked at it since; again for the next
    #[arg(long, conflicts_with = "target")]
    next: bool,

    /// The client to switch [default: the one that looks at this session]
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,

    /// Look without being able to type
    #[arg(long)]
    read_only: bool,

    /// Print the tmux command that would go there, and do nothing
    #[arg(long)]
    print: bool,

    #[command(flatten)]
    on: On,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let client = args.client.as_deref();
    let way = match &args.target {
        Some(text) => {
            let mut record = find::one(&server, &target(&server, text)?)?;
            if record.tmux.is_none() && !args.print {
                // Not for nobody.
                if who_asks(&server, client)?.is_none() {
                    terminal()?;
                }
                let late = Options {
                    late: &out::hint,
                    ..Options::DEFAULT
                };
                record = restore::one(&server, &record, &late)?;
            }
            way(&server, &record, client, args.read_only)?
        }
        None if args.next => {
            let record = next(&server, client)?;
            let way = way(&server, &record, client, args.read_only)?;
            match see(&record) {
                Some(seen) => way.then(seen),
                None => way,
            }
        }
        None => chooser(&server, client, args.read_only)?,
    };
    if args.print {
        let (Way::Switch(batch) | Way::Attach(batch)) = &way;
        let words: Vec<String> = server
            .client_words(batch)
            .iter()
            .map(|word| shell_word(word))
            .collect();
        out::text(&words.join(" "))?;
        return Ok(Exit::Done);
    }
    follow(&server, way)?;
    Ok(Exit::Done)
}

/// Goes to a sesh that is known already.
pub(super) fn go(
    server: &Server,
    record: &Record,
    client: Option<&str>,
    read_only: bool,
) -> Result<()> {
    follow(server, way(server, record, client, read_only)?)
}

fn follow(server: &Server, way: Way) -> Result<()> {
    match way {
        Way::Switch(batch) => server.run(&batch).map(drop),
        Way::Attach(batch) => {
            terminal()?;
            let error = server.client_for(&batch).exec();
            Err(Error::failed(format!(
                "cannot become the tmux client: {error}"
            )))
        }
    }
}

/// That there is a terminal to attach.
fn terminal() -> Result<()> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Error::unusable(
        "this is no terminal to attach: --print shows the command for one",
    ))
}
