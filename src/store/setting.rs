//! The global options that a person may set, with their possible values and their defaults.

/// The possible values of a setting.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// One of these words.
    Word(&'static [&'static str]),
    /// A duration such as `10m`, or `off` for none.
    Duration,
    Number,
    /// A number, or `off` for none.
    Limit,
    /// Any text.
    Text,
}

/// A global option that a person may set.
pub struct Setting {
    pub name: &'static str,
    /// The value that applies if the option is not set.
    pub default: &'static str,
    pub takes: Takes,
    pub meaning: &'static str,
}

impl Setting {
    /// Returns the tmux format that expands to its value, which is empty if the option is not set.
    #[must_use]
    pub fn format(&self) -> String {
        format!("#{{{}}}", self.name)
    }
}

pub const NEW_IN: Setting = Setting {
    name: "@sesh-new-in",
    default: "window",
    takes: Takes::Word(&["window", "session"]),
    meaning: "where `sesh-new` puts a sesh inside tmux: `window` or `session`",
};
pub const HOLD: Setting = Setting {
    name: "@sesh-hold",
    default: "10m",
    takes: Takes::Duration,
    meaning: "how long a pane that exited with 0 is held readable; `0` closes at once, `off` never",
};
pub const KEEP: Setting = Setting {
    name: "@sesh-keep",
    default: "50",
    takes: Takes::Number,
    meaning: "how many exited panes are held at most; the oldest close first",
};
pub const KEEP_RECORDS: Setting = Setting {
    name: "@sesh-keep-records",
    default: "1h",
    takes: Takes::Duration,
    meaning: "how long the server has the record and the last lines of an exited sesh without a pane, `10m` at least: \
              then \
              the journal alone has them, and every helper reads them there; `off` keeps them as long as the server lives",
};

pub const FORGET: Setting = Setting {
    name: "@sesh-forget",
    default: "off",
    takes: Takes::Duration,
    meaning: "how long after its end an exited sesh is forgotten, as with `sesh-end --forget`; `off` never. Archived ones and \
              those that are offered for a restore stay. Each is named in a message",
};

pub const ADOPT: Setting = Setting {
    name: "@sesh-adopt",
    default: "on",
    takes: Takes::Word(&["on", "off"]),
    meaning: "`off`: agents that were started by hand do not become seshes by themselves",
};

pub const MAX: Setting = Setting {
    name: "@sesh-max",
    default: "off",
    takes: Takes::Limit,
    meaning: "how many live seshes one owner may have: `sesh-new` creates no more. Any other value is no limit; a \
              sesh without an owner does not count",
};

pub const MODEL: Setting = Setting {
    name: "@sesh-model",
    default: "",
    takes: Takes::Text,
    meaning: "the model of agents that `sesh-new --agent` and `sesh-delegate` start without `--model`; with a kind behind it (`-claude`, `-codex`, \
              …) that of this kind. Without it the agent's own default",
};

pub const RESTORE: Setting = Setting {
    name: "@sesh-restore",
    default: "ask",
    takes: Takes::Word(&["ask", "on", "off"]),
    meaning: "what to do with the seshes that were alive when the last tmux server died: `ask` shows their number in \
              the status segment until `sesh-restore --last-alive` or `--dismiss`, `on` restores them, `off` does neither",
};

pub const SILENT: Setting = Setting {
    name: "@sesh-silent",
    default: "10m",
    takes: Takes::Duration,
    meaning: "how long the holder of a claim may show no sign of life (a hook event, output, a change of its state) before \
              `sesh-work` shows it as silent; `off` never",
};

pub const WORKTREES: Setting = Setting {
    name: "@sesh-worktrees",
    default: "",
    takes: Takes::Text,
    meaning: "the folder of the worktrees that claims make, an absolute path; without it \
              `$XDG_STATE_HOME/tmux-sesh/worktrees`",
};

/// The pickers: the values of `@sesh-picker` and of `sesh-enter --picker`.
pub const PICKERS: [&str; 3] = ["builtin", "fzf", "tree"];

/// All settings.
pub const SETTINGS: [Setting; 11] = [
    NEW_IN,
    HOLD,
    KEEP,
    KEEP_RECORDS,
    FORGET,
    ADOPT,
    MAX,
    MODEL,
    RESTORE,
    SILENT,
    WORKTREES,
];
