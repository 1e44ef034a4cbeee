//! Agents that are recognized, and of which nothing else is known. Without this list a pane with one of them would be busy
//! until it ends, also while it waits for a person. So its state is unknown. A user's file can describe the rest.

use crate::agent::manifest::ProcessForm;

/// The name of an agent, which is that of its process too, the folder of its package, and first words with which a
/// program of that name is none.
type Unsupported = (&'static str, Option<&'static str>, &'static [&'static str]);

const UNSUPPORTED: [Unsupported; 10] = [
    ("amp", Some("@sourcegraph/amp"), &[]),
    ("auggie", Some("@augmentcode/auggie"), &[]),
    ("crush", Some("@charmland/crush"), &[]),
    ("cursor-agent", None, &[]),
    ("droid", None, &[]),
    // A tool for databases has that name too.
    (
        "goose",
        None,
        &[
            "up", "down", "redo", "reset", "status", "version", "create", "fix", "validate",
            "postgres", "mysql", "sqlite3",
        ],
    ),
    ("iflow", Some("@iflow-ai/iflow-cli"), &[]),
    ("kilocode", Some("@kilocode/cli"), &[]),
    ("kiro-cli", None, &[]),
    ("openhands", None, &[]),
];

/// Returns the names of these agents, with how to recognize their processes.
pub(super) fn processes() -> impl Iterator<Item = (&'static str, ProcessForm)> {
    UNSUPPORTED.iter().map(|(name, package, not_agent)| {
        let process = ProcessForm {
            names: Some(vec![(*name).into()]),
            packages: package.map(|package| vec![package.into()]),
            not_agent: Some(not_agent.iter().map(|word| (*word).into()).collect()),
        };
        (*name, process)
    })
}
