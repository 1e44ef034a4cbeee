//! The coding CLIs that can live in a pane: for now, how each is launched.
//!
//! `agent` is given text, titles and processes, never a server.

/// A known agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its word in `--agent` and in records.
    pub name: &'static str,
    /// The program that starts it.
    pub program: &'static str,
}

/// The agents whose launch was measured (Claude Code 2.1.329, Codex 0.169.0, pi 0.73.1, Gemini CLI
/// 0.61.0, opencode 1.18.33, Copilot CLI 1.0.102, aider 0.86.2).
pub const KINDS: [Kind; 7] = [
    kind("claude"),
    kind("codex"),
    kind("pi"),
    kind("gemini"),
    kind("opencode"),
    kind("copilot"),
    kind("aider"),
];

const fn kind(name: &'static str) -> Kind {
    Kind {
        name,
        program: name,
    }
}

impl Kind {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.name == name)
    }
}
