//! `sesh-hooks`: installs, shows and removes hooks in the configuration of agents.

use std::ops::Range;

use clap::{Parser, ValueEnum};
use imara_diff::{Algorithm, Diff, InternedInput};
use serde::Serialize;

use super::kind_parser::KindParser;
use crate::error::{Error, Exit};
use crate::out;
use crate::sesh::hooks::{self, FileChange, Installable};

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Show for which agents hooks are installed",
        "sesh-hooks status",
    ),
    (
        "Show what would change",
        "sesh-hooks install claude --dry-run",
    ),
    (
        "Install the hooks of two agents",
        "sesh-hooks install claude codex",
    ),
    (
        "Teach an agent to use tmux-sesh",
        "sesh-hooks install claude --skill",
    ),
    ("Remove the hooks of an agent", "sesh-hooks remove claude"),
];

/// Install, show or remove the hooks that report an agent's state
///
/// The hooks go into the agent's own configuration files. Everything else in those files stays unchanged, byte for
/// byte, and a copy is kept before the first change. A file that cannot be parsed is left alone. The hooks call
/// sesh-report; if that is missing, they do nothing.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// What to do. status prints agent, state and file, separated by tabs
    #[arg(value_enum)]
    act: HooksCommand,

    /// The kinds of agents [default: those that are installed; all for status]
    #[arg(value_name = "AGENT", value_parser = KindParser::with_hooks())]
    agents: Vec<String>,

    /// Act on the skill, a text that teaches the agent to use tmux-sesh, instead of the hooks
    #[arg(long)]
    skill: bool,

    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the status as JSON. For install and remove, print an array with agent, file, change (installed, removed or
    /// none), kept (the path of the copy from before the change) and note
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HooksCommand {
    Install,
    Status,
    #[value(alias = "uninstall")]
    Remove,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let act = match args.act {
        HooksCommand::Status if args.dry_run => {
            return Err(Error::usage(
                "--dry-run is for install and remove: status changes nothing",
            )
            .into());
        }
        HooksCommand::Status => return status(what(&args), &args.agents, args.json),
        HooksCommand::Install => hooks::HooksAction::Install,
        HooksCommand::Remove => hooks::HooksAction::Remove,
    };
    change(act, &args)
}

fn what(args: &Args) -> Installable {
    if args.skill {
        Installable::Skill
    } else {
        Installable::Hooks
    }
}

/// Changes the agents one by one. The exit code is that of the last one that failed.
fn change(act: hooks::HooksAction, args: &Args) -> anyhow::Result<Exit> {
    let mut failed: Option<Error> = None;
    let mut made = Vec::new();
    for change in hooks::plan(act, what(args), &args.agents)? {
        let outcome = match change {
            Ok(change) => show(act, &change, args)?,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(change) => made.push(change),
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    out::complain("sesh-hooks", &before.to_string());
                }
            }
        }
    }
    if args.json {
        out::unless_hung_up(out::json(&made))?;
    }
    failed.map_or(Ok(Exit::Done), |error| Err(error.into()))
}

/// A change of one file, as JSON. The fields are public.
#[derive(Serialize)]
struct ChangeJson {
    agent: &'static str,
    file: String,
    change: &'static str,
    /// Where the file is kept as it was before the first change.
    kept: Option<String>,
    note: Option<&'static str>,
}

/// Makes a change, unless it is a dry run, and shows it unless that is for JSON. A reader that has gone does not keep the other changes from being
/// made.
fn show(
    act: hooks::HooksAction,
    change: &FileChange,
    args: &Args,
) -> anyhow::Result<Result<ChangeJson, Error>> {
    let file = change.file.display();
    let mut made = ChangeJson {
        agent: change.agent,
        file: file.to_string(),
        change: "none",
        kept: None,
        note: None,
    };
    if !change.is_one() && args.json {
        return Ok(Ok(made));
    }
    if !change.is_one() {
        let already = match act {
            hooks::HooksAction::Install => "already installed",
            hooks::HooksAction::Remove => "not installed",
        };
        out::unless_hung_up(out::line(&format!("{}: {already}: {file}", change.agent)))?;
        return Ok(Ok(made));
    }
    let kept = if args.dry_run {
        None
    } else {
        match change.make() {
            Ok(kept) => kept,
            Err(error) => return Ok(Err(error)),
        }
    };
    made.change = match act {
        hooks::HooksAction::Install => "installed",
        hooks::HooksAction::Remove => "removed",
    };
    made.kept = kept.as_ref().map(|kept| kept.display().to_string());
    made.note = change.note;
    if args.json {
        return Ok(Ok(made));
    }
    out::unless_hung_up(out::lines(&diff(change), false))?;
    let done = match (act, args.dry_run) {
        (hooks::HooksAction::Install, false) => "installed",
        (hooks::HooksAction::Install, true) => "would be installed",
        (hooks::HooksAction::Remove, false) => "removed",
        (hooks::HooksAction::Remove, true) => "would be removed",
    };
    out::unless_hung_up(out::line(&format!("{}: {done}: {file}", change.agent)))?;
    if let Some(kept) = kept {
        out::unless_hung_up(out::line(&format!(
            "{}: copy of the old file: {}",
            change.agent,
            kept.display()
        )))?;
    }
    if let Some(note) = change.note {
        out::unless_hung_up(out::line(&format!("{}: {note}", change.agent)))?;
    }
    Ok(Ok(made))
}

/// Returns the lines of a unified diff.
fn diff(change: &FileChange) -> Vec<String> {
    let name = |text: &Option<String>| match text {
        Some(_) => change.file.display().to_string(),
        None => "/dev/null".into(),
    };
    let before = change.before.as_deref().unwrap_or("");
    let after = change.after.as_deref().unwrap_or("");
    let header = [
        format!("--- {}", name(&change.before)),
        format!("+++ {}", name(&change.after)),
    ];
    header.into_iter().chain(hunks(before, after)).collect()
}

/// Returns the hunks of a unified diff. That of imara-diff 0.2.0 has wrong line numbers where the first change is behind
/// the third line and before the seventh.
fn hunks(before: &str, after: &str) -> Vec<String> {
    const CONTEXT: usize = 3;
    let lines = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &lines);
    diff.postprocess_lines(&lines);
    let changes: Vec<[Range<usize>; 2]> = diff
        .hunks()
        .map(|hunk| [hunk.before, hunk.after].map(|it| it.start as usize..it.end as usize))
        .collect();
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let marked = |sign: char, lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| format!("{sign}{line}")).collect()
    };
    let mut text = Vec::new();
    // Changes with little between them are one hunk.
    for hunk in changes.chunk_by(|[one, _], [next, _]| next.start - one.end <= 2 * CONTEXT) {
        let ([first, first_new], [last, last_new]) = (&hunk[0], &hunk[hunk.len() - 1]);
        let lead = first.start.min(CONTEXT);
        let trail = (old.len() - last.end).min(CONTEXT);
        text.push(format!(
            "@@ -{} +{} @@",
            range_in_header(first.start - lead..last.end + trail),
            range_in_header(first_new.start - lead..last_new.end + trail)
        ));
        let mut at = first.start - lead;
        for [removed, added] in hunk {
            text.extend(marked(' ', &old[at..removed.start]));
            text.extend(marked('-', &old[removed.clone()]));
            text.extend(marked('+', &new[added.clone()]));
            at = removed.end;
        }
        text.extend(marked(' ', &old[at..last.end + trail]));
    }
    text
}

/// Returns a range of lines as a unified diff has it: the first line is 1, and an empty range is that of the line before it.
fn range_in_header(lines: Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => (lines.start + 1).to_string(),
        count => format!("{},{count}", lines.start + 1),
    }
}

fn status(what: Installable, agents: &[String], json: bool) -> anyhow::Result<Exit> {
    let all = hooks::status(what, agents)?;
    if json {
        out::json(&all)?;
        return Ok(Exit::Done);
    }
    for status in &all {
        let word = match (status.present, &status.what) {
            (_, Some(what)) => format!("{}: {what}", status.state.as_str()),
            (true, None) => status.state.as_str().into(),
            (false, None) => format!("{}; the agent is not installed", status.state.as_str()),
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
