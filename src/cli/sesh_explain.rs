//! `sesh-explain`: prints why a pane has its state.

use clap::Parser;

use super::{ServerArgs, target};
use crate::agent::explain::{NearMiss, Statement};
use crate::agent::kinds::Agents;
use crate::agent::state::{Confidence, SourceState};
use crate::error::Exit;
use crate::out::{self, Table};
use crate::sesh::explain::{Account, explain};
use crate::state::Why;

pub(super) const EXAMPLES: super::Examples = &[
    ("Explain the state of this pane", "sesh-explain"),
    ("Explain the state of a sesh", "sesh-explain api"),
    ("Explain any pane, as JSON", "sesh-explain %3 --json"),
];

/// Explain how a pane's state was decided
///
/// Reads all sources again, and prints what each of them says, its age, the rule that matched, and which source
/// decided. Writes nothing. The pane need not be a sesh.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The sesh or pane to explain
    #[arg(default_value = ".")]
    target: String,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let agents = Agents::loaded();
    for problem in &agents.problems {
        out::complain("sesh-explain", &problem.sentence);
    }
    let account = explain(&server, &target(&server, &args.target)?, &agents.all)?;
    if args.json {
        out::json(&account)?;
    } else {
        for line in lines(&account) {
            out::line(&line)?;
        }
    }
    Ok(Exit::Done)
}

fn lines(account: &Account) -> Vec<String> {
    let explanation = &account.explanation;
    let verdict = &explanation.verdict;
    let mut lines = vec![
        subject(account),
        format!(
            "{} by {}, {}: {}",
            state_text(Some(SourceState {
                state: verdict.state,
                why: verdict.why
            })),
            verdict.by.as_str(),
            match verdict.confidence {
                Confidence::Low => "a guess",
                Confidence::Medium => "likely",
                Confidence::High => "sure",
            },
            explanation.because
        ),
    ];
    if let Some(stored) = &account.stored {
        let why = stored.why.as_deref().unwrap_or_default();
        let state = format!("{} {why}", stored.state.as_str());
        lines.push(format!(
            "stored: {} by {} for {}, generation {}, seen {}",
            state.trim_end(),
            stored.by.as_deref().unwrap_or("no source"),
            account
                .now
                .map_or_else(|| "good".into(), |now| out::age(stored.since, now)),
            stored.generation,
            stored.seen
        ));
    }
    lines.push(String::new());
    let table = sources(&explanation.sources);
    lines.extend(table.render(true, out::width()).lines().map(Into::into));
    let near: Vec<&NearMiss> = explanation
        .sources
        .iter()
        .flat_map(|source| &source.near)
        .collect();
    if !near.is_empty() {
        lines.extend([String::new(), "near misses:".into()]);
        lines.extend(near.into_iter().map(|miss| {
            let NearMiss {
                rule,
                state,
                missing,
            } = miss;
            format!("  {rule} ({}): {missing}", state.as_str())
        }));
    }
    if !explanation.changes.is_empty() {
        lines.extend([String::new(), "what would change it:".into()]);
        lines.extend(explanation.changes.iter().map(|it| format!("  {it}")));
    }
    lines
}

/// Formats what is explained: `claude-api (%3): claude, pid 4711, conversation 46ed…`.
fn subject(account: &Account) -> String {
    let place = account.pane.map(|pane| pane.to_string());
    let subject = match (&account.name, place) {
        (Some(name), Some(pane)) => format!("{name} ({pane})"),
        (Some(name), None) => format!("{name} (no pane)"),
        (None, Some(pane)) => format!("{pane} (no sesh)"),
        (None, None) => String::new(),
    };
    let agent = match (&account.agent, account.agent_pid) {
        (Some(agent), Some(pid)) => format!("{agent}, pid {pid}"),
        (Some(agent), None) => agent.clone(),
        _ => "no agent".into(),
    };
    match &account.conversation {
        Some(id) => format!("{subject}: {agent}, conversation {id}"),
        None => format!("{subject}: {agent}"),
    }
}

fn sources(sources: &[Statement]) -> Table {
    Table {
        header: vec!["SOURCE", "SAYS", "AGE", "RULE", "READ"],
        rows: sources
            .iter()
            .map(|source| {
                vec![
                    source.source.as_str().into(),
                    state_text(source.says),
                    source
                        .age
                        .map_or_else(|| "-".into(), |age| format!("{age:.0}s")),
                    source.rule.clone().unwrap_or_else(|| "-".into()),
                    source.read.clone().unwrap_or_else(|| "-".into()),
                ]
            })
            .collect(),
        shrink: vec![4],
        ..Table::default()
    }
}

/// Formats a state and its reason: `waiting permission`.
fn state_text(claimed: Option<SourceState>) -> String {
    let Some(SourceState { state, why }) = claimed else {
        return "-".into();
    };
    let why = why.map_or("", Why::as_str);
    format!("{} {why}", state.as_str()).trim_end().into()
}
