//! The hooks of Claude Code. Measured: 2.1.329.

use crate::agent::hooks::{HookForm, Hooks};

/// The events are those that the payload parser uses.
pub(in crate::agent::kinds) static HOOKS: Hooks = Hooks {
    kind: "claude",
    home: &[("CLAUDE_CONFIG_DIR", ""), ("HOME", ".claude")],
    file: "settings.json",
    off_switch: Some("disableAllHooks"),
    note: None,
    form: HookForm::Settings {
        events: &[
            "SessionStart",
            "UserPromptSubmit",
            "PreToolUse",
            "PermissionRequest",
            "PostToolUse",
            "Notification",
            "Stop",
            "StopFailure",
            "SessionEnd",
        ],
        timeout: 10,
    },
};
