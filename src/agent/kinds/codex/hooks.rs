//! The hooks of Codex. Measured: 0.169.0.

use crate::agent::hooks::{HookForm, Hooks};

/// The events are those that the payload parser uses.
pub(in crate::agent::kinds) static HOOKS: Hooks = Hooks {
    kind: "codex",
    home: &[("CODEX_HOME", ""), ("HOME", ".codex")],
    file: "hooks.json",
    off_switch: None,
    note: Some(
        "at its next start Codex says \"Hooks need review\" and asks once whether to trust them",
    ),
    form: HookForm::Settings {
        events: &[
            "SessionStart",
            "UserPromptSubmit",
            "PreToolUse",
            "PermissionRequest",
            "PostToolUse",
            "Stop",
            "Interrupt",
            "SessionEnd",
        ],
        timeout: 10,
    },
};
