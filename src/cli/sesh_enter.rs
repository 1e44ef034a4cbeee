//! `sesh-enter`: goes to a sesh.

use std::io::{IsTerminal, Read};
use std::os::unix::process::CommandExt;

use clap::Parser;

use super::{ServerArgs, target};
use crate::error::{Error, Exit, Result};
use crate::id::{SeshId, shell_word};
use crate::inventory::find;
use crate::out;
use crate::picker::choice::Choice;
use crate::picker::rows::Row;
use crate::picker::{self, From, PickerOptions, PickerOutcome, Purpose};
use crate::sesh::enter::{Route, asking_client_name, chooser, last, mark_seen, next, route};
use crate::sesh::restore;
use crate::store::Record;
use crate::store::setting::PICKERS;
use crate::tmux::{Batch, Server, command};

pub(super) const EXAMPLES: super::Examples = &[
    ("Go to a sesh", "sesh-enter api"),
    (
        "Go to the next sesh that waits for a person or is unread",
        "sesh-enter --next",
    ),
    ("Go back", "sesh-enter --last"),
    (
        "Print the tmux command that would go there",
        "sesh-enter --print build",
    ),
];

/// Go to a sesh: switch this client, or attach
///
/// An exited sesh without a pane is restored first, as by sesh-restore. Without a TARGET the picker opens: a live list
/// of all seshes, to go to and to act on. The option @sesh-picker replaces it by fzf or by tmux's own chooser (tree).
/// Exit 130 if nothing was chosen, 3 if there is nothing to choose or --next finds nothing.
#[derive(Debug, Parser)]
#[command(after_help = after_help())]
pub(super) struct Args {
    /// The sesh or pane to go to. With --pick, - chooses among the lines of stdin: the records of sesh-list --json, or
    /// one TARGET a line
    target: Option<String>,

    /// Go to the next sesh that waits for a person or is unread; repeat for the one after it
    #[arg(long, conflicts_with = "target")]
    next: bool,

    /// Go back to where this client was before a key of the plugin or sesh-enter moved it; repeat to return
    #[arg(long, conflicts_with_all = ["target", "next"])]
    last: bool,

    /// Switch this client [default: the one that shows this session]
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,

    /// Attach or switch read-only
    #[arg(long)]
    read_only: bool,

    /// Print the tmux command that would go there, and do not run it
    #[arg(long)]
    print: bool,

    /// Print the record of the sesh as JSON; with a TARGET or --next
    #[arg(long, conflicts_with_all = ["last", "print", "pick"])]
    json: bool,

    /// Use this picker [default: @sesh-picker, else builtin]
    #[arg(long, value_name = "PICKER", value_parser = PICKERS, help_heading = "Picker")]
    picker: Option<String>,

    /// Print the chosen sesh instead of going there. The picker uses the terminal, even if stdout is a pipe
    #[arg(long, conflicts_with_all = ["next", "last", "print"], help_heading = "Picker")]
    pick: bool,

    /// Print the choice as a JSON object, as values that each end with a NUL, or as key=value lines
    #[arg(long, value_name = "FORM", value_parser = ["json", "nul", "kv"], default_value = "json", requires = "pick", help_heading = "Picker")]
    format: String,

    /// Choose this sesh without opening the picker
    #[arg(long, value_name = "UUID", requires = "pick", help_heading = "Picker")]
    select: Option<SeshId>,

    /// Also go to the chosen sesh, besides printing it
    #[arg(long, requires = "pick", help_heading = "Picker")]
    enter: bool,

    /// Place the cursor on this sesh at the start
    #[arg(long, value_name = "UUID", help_heading = "Picker")]
    cursor: Option<SeshId>,

    /// Start with this filter text
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Picker"
    )]
    filter: String,

    /// Show archived and exited seshes from the start
    #[arg(long, conflicts_with = "next", help_heading = "Picker")]
    all: bool,

    /// Stay, as a dashboard: sesh-list --watch
    #[arg(long, hide = true, conflicts_with = "pick")]
    watch: bool,

    #[command(flatten)]
    on: ServerArgs,
}

const FORMS: &str = "\
What --pick prints: action (goto where there is a pane, else resume), uuid, machine, agent, cwd, name, socket, session, \
window and pane, in this order and empty where there is none; in JSON the last four are the object tmux. In key=value \
lines a tab, a newline and a backslash are \\t, \\n and \\\\.";

fn after_help() -> String {
    let keys = picker::actions::help();
    format!("{}\n\n{FORMS}\n\n{keys}", super::TARGETS)
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let client = args.client.as_deref();
    if args.json && args.target.is_none() && !args.next {
        return Err(Error::usage("--json needs a TARGET or --next: --pick prints a choice").into());
    }
    let mut found = None;
    let route = match &args.target {
        Some(text) if args.pick && text != "-" => {
            return Err(Error::usage(
                "--pick takes no TARGET: omit it, or give - for rows on stdin",
            )
            .into());
        }
        _ if args.pick && args.picker.as_deref() == Some("tree") => {
            return Err(Error::usage(
                "tmux's own chooser cannot print the choice: use --picker builtin or fzf",
            )
            .into());
        }
        _ if args.pick => return pick(&server, &args),
        Some(text) => {
            let mut record = find::one(&server, &target(&server, text)?)?;
            if record.tmux.is_none() && !args.print {
                require_client_or_terminal(&server, client)?;
                let late = restore::RestoreOptions {
                    late: &out::hint,
                    ..restore::RestoreOptions::DEFAULT
                };
                record = restore::one(&server, &record, &late)?;
            }
            let there = route(&server, &record, client, args.read_only)?;
            found = Some(record);
            there
        }
        None if args.next => {
            let record = next(&server, client)?;
            let there = route(&server, &record, client, args.read_only)?;
            let there = match mark_seen(&record) {
                Some(seen) => there.then(seen),
                None => there,
            };
            found = Some(record);
            there
        }
        None if args.last => last(&server, client)?,
        None => match picker_name(&server, &args).as_str() {
            _ if args.watch => return choose(&server, &args, Purpose::Watch, From::Store),
            "tree" => chooser(&server, client, args.read_only)?,
            _ if args.print => chooser(&server, client, args.read_only)?,
            _ => return choose(&server, &args, Purpose::Enter, From::Store),
        },
    };
    if args.print {
        let (Route::Switch(batch) | Route::Attach(batch)) = &route;
        let words: Vec<String> = server
            .client_words(batch)
            .iter()
            .map(|word| shell_word(word))
            .collect();
        out::text(&words.join(" "))?;
        return Ok(Exit::Done);
    }
    let found = found.filter(|_| args.json);
    match (route, found) {
        (route @ Route::Switch(_), Some(record)) => {
            follow(&server, route)?;
            out::unless_hung_up(out::json(&record))?;
        }
        // What attaches becomes another program, which uses the terminal.
        (route @ Route::Attach(_), Some(record)) => {
            require_terminal()?;
            out::json(&record)?;
            follow(&server, route)?;
        }
        (route, None) => follow(&server, route)?,
    }
    Ok(Exit::Done)
}

/// Returns the name of the picker: that of `--picker`, else the value of `@sesh-picker`.
fn picker_name(server: &Server, args: &Args) -> String {
    args.picker.clone().unwrap_or_else(|| {
        let asked = server.run(&Batch::from(command::print(None, "#{@sesh-picker}")));
        asked.map_or_else(|_| String::new(), |said| said.trim_end().into())
    })
}

/// Opens the picker, and goes to what was chosen or prints it.
fn choose(server: &Server, args: &Args, purpose: Purpose, from: From) -> anyhow::Result<Exit> {
    let options = PickerOptions {
        purpose,
        client: args.client.clone(),
        read_only: args.read_only,
        filter: args.filter.clone(),
        all: args.all,
        cursor: args.cursor,
        from,
    };
    let outcome = match picker_name(server, args).as_str() {
        "fzf" if purpose != Purpose::Watch => picker::run_fzf(server, &options)?,
        _ => picker::run(server, options)?,
    };
    match outcome {
        PickerOutcome::Left => return Ok(Exit::Cancelled),
        PickerOutcome::Gone => {}
        PickerOutcome::Attach(route) => follow(server, route)?,
        PickerOutcome::Chosen(row) if purpose == Purpose::Pick => {
            return print_choice(server, args, &row);
        }
        PickerOutcome::Chosen(row) => follow(
            server,
            picker::route(
                server,
                &row,
                args.client.as_deref(),
                args.read_only,
                &out::hint,
            )?,
        )?,
    }
    Ok(Exit::Done)
}

/// Chooses a row and prints it.
fn pick(server: &Server, args: &Args) -> anyhow::Result<Exit> {
    let from = match &args.target {
        None => From::Store,
        Some(_) => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text)?;
            match text.trim_start().chars().next() {
                None => return Err(Error::nothing("stdin is empty: no rows to choose from").into()),
                Some('[' | '{') => From::Rows(Row::from_json(&text)?),
                Some(_) => From::Only(picker::named(server, &text)?),
            }
        }
    };
    match args.select {
        Some(uuid) => print_choice(server, args, &picker::row(server, uuid, from)?),
        None => choose(server, args, Purpose::Pick, from),
    }
}

fn print_choice(server: &Server, args: &Args, row: &Row) -> anyhow::Result<Exit> {
    let choice = Choice::of(row);
    match args.format.as_str() {
        "nul" => out::fields(choice.fields().iter().map(|(_, value)| value.as_str()))?,
        "kv" => {
            for (key, value) in choice.fields() {
                out::line(&format!("{key}={}", out::tsv(&value)))?;
            }
        }
        _ => out::json(&choice)?,
    }
    if args.enter {
        follow(
            server,
            picker::route(
                server,
                row,
                args.client.as_deref(),
                args.read_only,
                &out::hint,
            )?,
        )?;
    }
    Ok(Exit::Done)
}

/// Goes to a sesh whose record is known already.
pub(super) fn go(
    server: &Server,
    record: &Record,
    client: Option<&str>,
    read_only: bool,
) -> Result<()> {
    follow(server, route(server, record, client, read_only)?)
}

fn follow(server: &Server, route: Route) -> Result<()> {
    match route {
        Route::Switch(batch) => server.run(&batch).map(drop),
        Route::Attach(batch) => {
            require_terminal()?;
            let error = server.client_for(&batch).exec();
            Err(Error::failed(format!(
                "cannot become the tmux client: {error}"
            )))
        }
    }
}

/// Fails where neither a client nor a terminal could go to a sesh, so that no sesh is restored in vain.
pub(super) fn require_client_or_terminal(server: &Server, client: Option<&str>) -> Result<()> {
    match asking_client_name(server, client)? {
        Some(_) => Ok(()),
        None => require_terminal(),
    }
}

/// Fails where stdin is no terminal to attach.
fn require_terminal() -> Result<()> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Error::unusable(
        "cannot attach: stdin is not a terminal: sesh-enter --print shows the command",
    ))
}
