//! The extension for pi. Measured: 0.73.1.

use crate::agent::hooks::{HookForm, Hooks};

pub(in crate::agent::kinds) static HOOKS: Hooks = Hooks {
    kind: "pi",
    home: &[("PI_CODING_AGENT_DIR", ""), ("HOME", ".pi/agent")],
    file: "extensions/tmux-sesh.ts",
    off_switch: None,
    note: None,
    form: HookForm::File(include_str!("hooks.ts")),
};
