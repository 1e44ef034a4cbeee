//! The kinds of agents. Each built-in kind has a folder with its manifest (`manifest.toml`) and with code for what a
//! manifest cannot express. The user's files are read over them. All other code uses the loaded kinds
//! ([`Agents::loaded`]).
//!
//! A new kind needs a folder with a manifest, and an entry in [`KINDS`]. `manifest.json` in that folder is generated from
//! `manifest.toml`: `UPDATE=1 cargo test --test it docs` writes it.

mod loaded;
#[cfg(test)]
mod tests;
mod unsupported;

mod claude {
    pub(super) mod hooks;
    pub(super) mod payload;
}
mod codex {
    pub(super) mod hooks;
    pub(super) mod payload;
}
mod gemini {
    pub(super) mod hooks;
    pub(super) mod payload;
}
mod opencode {
    pub(super) mod hooks;
    pub(super) mod payload;
}
mod pi {
    pub(super) mod hooks;
    pub(super) mod payload;
}

pub use loaded::{Agent, Agents, Problem};

use super::hooks::Hooks;
use super::report::{self, ReadPayload};

/// A built-in kind of agent.
#[derive(Debug)]
pub struct Kind {
    /// Its name in `--agent` and in records.
    pub name: &'static str,
    /// Its manifest as JSON. The first line is its `[process]`, which a helper parses of all kinds, and the others are all
    /// of it. With TOML the first lines alone were a sixth of the instructions of a hook.
    manifest: &'static str,
    pub code: Code,
}

/// What a manifest cannot express of a kind. A kind that only the user's files describe has none of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Code {
    /// The hooks for its own configuration.
    pub hooks: Option<&'static Hooks>,
    /// Parses a payload of its hooks.
    pub payload: Option<fn(&[u8]) -> ReadPayload>,
}

const NO_CODE: Code = Code {
    hooks: None,
    payload: None,
};

/// The built-in kinds. They were measured with Claude Code 2.1.332, Codex 0.171.0, pi 1.6.0, Gemini CLI 0.61.0, opencode
/// 1.18.33, Copilot CLI 1.0.102, aider 0.86.2, Qwen Code 0.24.4, Kimi Code 2.1.0 and Cline 3.0.65.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "claude",
        manifest: include_str!("claude/manifest.json"),
        code: Code {
            hooks: Some(&claude::hooks::HOOKS),
            payload: Some(report::read::<claude::payload::ClaudePayload>),
        },
    },
    Kind {
        name: "codex",
        manifest: include_str!("codex/manifest.json"),
        code: Code {
            hooks: Some(&codex::hooks::HOOKS),
            payload: Some(report::read::<codex::payload::CodexPayload>),
        },
    },
    Kind {
        name: "pi",
        manifest: include_str!("pi/manifest.json"),
        code: Code {
            hooks: Some(&pi::hooks::HOOKS),
            payload: Some(report::read::<pi::payload::PiPayload>),
        },
    },
    Kind {
        name: "gemini",
        manifest: include_str!("gemini/manifest.json"),
        code: Code {
            hooks: Some(&gemini::hooks::HOOKS),
            payload: Some(report::read::<gemini::payload::GeminiPayload>),
        },
    },
    Kind {
        name: "opencode",
        manifest: include_str!("opencode/manifest.json"),
        code: Code {
            hooks: Some(&opencode::hooks::HOOKS),
            payload: Some(report::read::<opencode::payload::OpencodePayload>),
        },
    },
    Kind {
        name: "copilot",
        manifest: include_str!("copilot/manifest.json"),
        code: NO_CODE,
    },
    Kind {
        name: "aider",
        manifest: include_str!("aider/manifest.json"),
        code: NO_CODE,
    },
    Kind {
        name: "qwen",
        manifest: include_str!("qwen/manifest.json"),
        code: NO_CODE,
    },
    Kind {
        name: "kimi",
        manifest: include_str!("kimi/manifest.json"),
        code: NO_CODE,
    },
    Kind {
        name: "cline",
        manifest: include_str!("cline/manifest.json"),
        code: NO_CODE,
    },
];

impl Kind {
    /// Returns the built-in kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Returns the kinds that have hooks, sorted by name.
    #[must_use]
    pub fn with_hooks() -> Vec<&'static Self> {
        let mut kinds: Vec<_> = KINDS
            .iter()
            .filter(|kind| kind.code.hooks.is_some())
            .collect();
        kinds.sort_by_key(|kind| kind.name);
        kinds
    }
}
