//! The coding CLIs that can live in a pane: what is known of each ([`manifest`]), which one lives there
//! ([`recognise`]), in which conversation it is ([`conversation`]), what stands on its screen ([`screen`]) and in its
//! composer ([`composer`]), what can be typed to it ([`message`]), what its hooks say ([`report`]), what it is doing
//! ([`state`]) and why that is so
//! ([`explain`]).
//!
//! `agent` is given text, titles and processes, never a server.

pub mod composer;
pub mod conversation;
pub mod explain;
pub mod hooks;
pub mod locate;
pub mod manifest;
pub mod message;
mod program;
pub mod recognise;
#[cfg(test)]
mod recorded;
pub mod report;
pub mod rule;
pub mod screen;
pub mod session;
pub mod state;
pub mod transcript;

/// A known agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its word in `--agent` and in records.
    pub name: &'static str,
    /// The program that starts it.
    pub program: &'static str,
    /// What is known of it.
    manifest: &'static str,
}

macro_rules! kinds {
    ($($name:literal),*) => {
        [$(Kind {
            name: $name,
            program: $name,
            manifest: include_str!(concat!("manifests/", $name, ".toml")),
        }),*]
    };
}

/// The agents that were measured (Claude Code 2.1.329, Codex 0.169.0, pi 0.73.1, Gemini CLI 0.61.0, opencode
/// 1.18.33, Copilot CLI 1.0.102, aider 0.86.2).
pub const KINDS: [Kind; 7] = kinds![
    "claude", "codex", "pi", "gemini", "opencode", "copilot", "aider"
];

impl Kind {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.name == name)
    }
}
