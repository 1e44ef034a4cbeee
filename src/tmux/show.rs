//! The commands that list everything of a kind: options, hooks, keys, hidden variables.

use super::command::Command;

/// Lists every option of the server scope, one per line.
#[must_use]
pub fn server_options() -> Command {
    Command::of(["show-options", "-s"]).repeatable()
}

/// Lists every global option of sessions or of windows, one per line. tmux 3.2a assigns fewer hooks to the sessions
/// than later versions do.
#[must_use]
pub fn global_options(of: OptionScope) -> Command {
    Command::of(["show-options", of.flag()]).repeatable()
}

/// Lists every global hook, one per line: `name[index] command`.
#[must_use]
pub fn global_hooks(of: OptionScope) -> Command {
    Command::of(["show-hooks", of.flag()]).repeatable()
}

/// Lists the variables that a client passes to its session when it attaches, a name or a pattern on each line.
#[must_use]
pub fn updated_variables(target: &str) -> Command {
    Command::of([
        "show-options",
        "-A",
        "-v",
        "-t",
        target,
        "update-environment",
    ])
    .repeatable()
}

/// Lists the environment of a session, one variable per line: `NAME=value`, or `-NAME` where new panes have none.
#[must_use]
pub fn session_environment(target: &str) -> Command {
    Command::of(["show-environment", "-t", target]).repeatable()
}

/// The scope of global options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionScope {
    Sessions,
    Windows,
}

impl OptionScope {
    fn flag(self) -> &'static str {
        match self {
            OptionScope::Sessions => "-g",
            OptionScope::Windows => "-gw",
        }
    }
}

/// Lists every key binding, one per line: `bind-key [-r] -T table key command`.
#[must_use]
pub fn keys() -> Command {
    Command::of(["list-keys"]).repeatable()
}

/// Lists every hidden variable of the global environment, one per line: `NAME=value`.
#[must_use]
pub fn hidden_variables() -> Command {
    Command::of(["show-environment", "-gh"]).repeatable()
}
