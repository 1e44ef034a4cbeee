//! `sesh-land`: tests a branch on top of the target, and lands it.

use std::io::IsTerminal;

use clap::{Parser, ValueEnum};

use super::ServerArgs;
use crate::error::{Error, Exit};
use crate::out;
use crate::work::caller::Caller;
use crate::work::landing::{
    BlockedLanding, BlockedReason, LandEnd, LandOutcome, LandProgress, LandRequest, land,
};
use crate::work::landing_json;
use crate::work::workplace::Workplace;
use crate::work::worktree;

pub(super) const EXAMPLES: super::Examples = &[
    ("Land the branch that is checked out here", "sesh-land"),
    ("Land the item that was claimed as login", "sesh-land login"),
    (
        "Land a branch before all others, and print JSON",
        "sesh-land hotfix --priority critical --json",
    ),
];

/// Test a branch on top of the target, and land it
///
/// Waits for its turn, merges the branch with the newest target without a checkout, runs the gate (.sesh/check of the
/// target, else git config sesh.check) on exactly that commit, and gives the target the commit that has passed: first at the
/// remote, if the target follows one. A target that moves meanwhile is tested again. Exit 0 means that it has landed, also
/// where it had before. Exit 4 means that it is blocked: the message says why, and how to continue. Exit 5 means that
/// another sesh has taken the item over.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The item or the branch to land [default: the branch that is checked out here]
    #[arg(value_name = "ID|BRANCH")]
    name: Option<String>,

    /// Land before those that are less urgent [default: that of the item, else normal]
    #[arg(long, value_enum, value_name = "PRIORITY")]
    priority: Option<Urgency>,

    /// Print a JSON object, also for what is blocked
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// The values of `--priority`, the most urgent one first.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Urgency {
    Critical,
    High,
    Normal,
    Low,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let folder = std::env::current_dir()
        .map_err(|error| Error::failed(format!("no working folder: {error}")))?;
    let place = Workplace::find(&folder)?;
    // Without a server there is no sesh, and a branch that no claim has can land all the same.
    let caller = Caller::known(&server, &place.short_hash).ok().flatten();
    let request = LandRequest {
        name: args.name,
        priority: args.priority.map(|urgency| urgency as u8),
        sesh: caller.as_ref().map(|caller| caller.holder.sesh),
        pane: caller.map(|caller| caller.holder.pane).unwrap_or_default(),
        gate_folder: worktree::default_place(&server, &place, ".gate")?,
    };
    let shows = !args.json;
    let prints = shows && std::io::stdout().is_terminal();
    let mut progress = |event: LandProgress<'_>| {
        // A reader that has gone ends the output, and not the landing.
        let _ = match event {
            LandProgress::Printed(text) if prints => out::text(&String::from_utf8_lossy(text)),
            LandProgress::Printed(_) => Ok(()),
            event if shows => out::line(&sentence(&event)),
            _ => Ok(()),
        };
    };
    let outcome = land(&place, &request, &mut progress)?;
    if args.json {
        out::unless_hung_up(out::json(&landing_json::outcome(&outcome)))?;
    }
    match &outcome.end {
        LandEnd::Landed { commit, before, .. } => {
            if shows {
                let had = if *before { " before" } else { "" };
                let branch = &outcome.subject.branch;
                out::unless_hung_up(out::line(&format!(
                    "{branch} has landed on {}{had}: {commit}",
                    outcome.target
                )))?;
            }
            Ok(Exit::Done)
        }
        LandEnd::Blocked(blocked) => {
            if shows {
                out::unless_hung_up(print_blocked(&outcome, blocked, prints))?;
            }
            let what = format!("{}: {}", blocked.reason.as_str(), blocked.what);
            let exit = match blocked.reason {
                BlockedReason::Fenced => Exit::Changed,
                _ => Exit::Unusable,
            };
            let error = Error::new(exit, what);
            Err(error.with_way_out_after_why(blocked.next.clone()).into())
        }
    }
}

fn sentence(event: &LandProgress<'_>) -> String {
    match event {
        LandProgress::Waiting { position, ahead } => {
            format!(
                "waiting: {position} before this one, the last is {}",
                ahead.branch
            )
        }
        LandProgress::Testing { commit, is_target } => {
            let what = if *is_target {
                "the target"
            } else {
                "the candidate"
            };
            format!("testing {what} {}", commit.short())
        }
        LandProgress::Moved(count) => format!("the target has moved ({count}): testing again"),
        LandProgress::ChangesGate => {
            "the branch changes .sesh: the gate of the target judges it".into()
        }
        LandProgress::Printed(_) => String::new(),
    }
}

/// Prints what a person needs to see of a blocked landing: the end of the log, the red gates, and what others have landed.
fn print_blocked(
    outcome: &LandOutcome,
    blocked: &BlockedLanding,
    was_printed: bool,
) -> anyhow::Result<()> {
    if !was_printed {
        out::lines(&blocked.tail, false)?;
    }
    if let Some(log) = &blocked.log {
        out::line(&format!("log: {}", log.display()))?;
    }
    for red in outcome.red.iter().take(outcome.red.len().saturating_sub(1)) {
        out::line(&format!("red before: {} {}", red.tip.short(), red.log))?;
    }
    for ticket in &outcome.meanwhile {
        out::line(&format!("landed meanwhile: {}", ticket.branch))?;
    }
    Ok(())
}
