//! The plugin for opencode. Measured: 1.18.33.

use crate::agent::hooks::{HookForm, Hooks};

pub(in crate::agent::kinds) static HOOKS: Hooks = Hooks {
    kind: "opencode",
    home: &[
        ("OPENCODE_CONFIG_DIR", ""),
        ("XDG_CONFIG_HOME", "opencode"),
        ("HOME", ".config/opencode"),
    ],
    file: "plugin/tmux-sesh.js",
    off_switch: None,
    note: None,
    form: HookForm::File(include_str!("hooks.js")),
};
