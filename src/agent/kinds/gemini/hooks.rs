//! The hooks of Gemini CLI. Measured: 0.61.0.

use crate::agent::hooks::{HookForm, Hooks};

/// The events are those that the payload parser uses.
pub(in crate::agent::kinds) static HOOKS: Hooks = Hooks {
    kind: "gemini",
    home: &[("GEMINI_CLI_HOME", ".gemini"), ("HOME", ".gemini")],
    file: "settings.json",
    off_switch: None,
    note: None,
    form: HookForm::Settings {
        events: &[
            "SessionStart",
            "BeforeAgent",
            "BeforeTool",
            "Notification",
            "AfterTool",
            "AfterAgent",
            "SessionEnd",
        ],
        timeout: 10_000,
    },
};
