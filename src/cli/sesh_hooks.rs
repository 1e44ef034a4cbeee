//! `sesh-hooks`: our hooks in the configuration of agents.

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use similar::TextDiff;

use crate::agent::report::KINDS;
use crate::error::{Error, Exit};
use crate::out;
use crate::sesh::hooks::{self, Act, Change};

/// Put the hooks that report an agent's state into its own configuration, show them, take them out
///
/// Everything else in those files stays as it is, byte for byte. Before the first change a copy is kept. A file that
/// cannot be read is left alone. Without AGENT it is about those whose program or folder is there.
#[derive(Debug, Parser)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put them in, or bring them up to date
    Install(Which),
    /// Take them out
    Remove(Which),
    /// Show how they stand: agent, state and file, tab-separated
    Status {
        /// The agents [default: all that have hooks]
        #[arg(value_name = "AGENT", value_parser = PossibleValuesParser::new(KINDS))]
        agents: Vec<String>,

        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The agents [default: those that are there]
    #[arg(value_name = "AGENT", value_parser = PossibleValuesParser::new(KINDS))]
    agents: Vec<String>,

    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Install(which) => change(Act::Install, &which),
        What::Remove(which) => change(Act::Remove, &which),
        What::Status { agents, json } => status(&agents, json),
    }
}

/// Each agent is by itself; the exit code is that of the last one that failed.
fn change(act: Act, which: &Which) -> anyhow::Result<Exit> {
    let mut failed: Option<Error> = None;
    for change in hooks::plan(act, &which.agents)? {
        let outcome = match change {
            Ok(change) => show(act, &change, which.dry_run)?,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome
            && let Some(before) = failed.replace(error)
        {
            out::complain("sesh-hooks", &before.sentence);
        }
    }
    failed.map_or(Ok(Exit::Done), |error| Err(error.into()))
}

/// Shows a change and makes it.
fn show(act: Act, change: &Change, dry_run: bool) -> anyhow::Result<Result<(), Error>> {
    let file = change.file.display();
    if !change.is_one() {
        let already = match act {
            Act::Install => "installed already",
            Act::Remove => "not installed",
        };
        out::line(&format!("{}: {already}: {file}", change.agent))?;
        return Ok(Ok(()));
    }
    let kept = if dry_run {
        None
    } else {
        match change.make() {
            Ok(kept) => kept,
            Err(error) => return Ok(Err(error)),
        }
    };
    out::lines(&diff(change), false)?;
    let done = match (act, dry_run) {
        (Act::Install, false) => "installed",
        (Act::Install, true) => "would be installed",
        (Act::Remove, false) => "removed",
        (Act::Remove, true) => "would be removed",
    };
    out::line(&format!("{}: {done}: {file}", change.agent))?;
    if let Some(kept) = kept {
        out::line(&format!("{}: as it was: {}", change.agent, kept.display()))?;
    }
    if let Some(note) = change.note {
        out::line(&format!("{}: {note}", change.agent))?;
    }
    Ok(Ok(()))
}

/// The lines of a unified diff.
fn diff(change: &Change) -> Vec<String> {
    let name = |text: &Option<String>| match text {
        Some(_) => change.file.display().to_string(),
        None => "/dev/null".into(),
    };
    let before = change.before.as_deref().unwrap_or("");
    let after = change.after.as_deref().unwrap_or("");
    TextDiff::from_lines(before, after)
        .unified_diff()
        .header(&name(&change.before), &name(&change.after))
        .to_string()
        .lines()
        .map(Into::into)
        .collect()
}

fn status(agents: &[String], json: bool) -> anyhow::Result<Exit> {
    let all = hooks::status(agents)?;
    if json {
        out::json(&all)?;
        return Ok(Exit::Done);
    }
    for status in &all {
        let word = match (status.present, &status.what) {
            (_, Some(what)) => format!("{}: {what}", status.state.as_str()),
            (true, None) => status.state.as_str().into(),
            (false, None) => format!("{}, and so is the agent", status.state.as_str()),
        };
        let file = status.file.to_string_lossy();
        out::line(&format!(
            "{}\t{}\t{}",
            status.agent,
            out::tsv(&word),
            out::tsv(&file)
        ))?;
    }
    Ok(Exit::Done)
}
