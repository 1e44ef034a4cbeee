//! Reads environment variables. No other module does.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::id::PaneId;

/// Returns the socket of the tmux server that this process was started in: the first part of `$TMUX`.
#[must_use]
pub fn tmux_socket() -> Option<PathBuf> {
    let value = std::env::var_os("TMUX")?.into_string().ok()?;
    let socket = tmux_parts(&value).0;
    (!socket.is_empty()).then(|| PathBuf::from(socket))
}

/// Returns the pid of that server: the second part of `$TMUX`.
#[must_use]
pub fn tmux_server() -> Option<i32> {
    let value = std::env::var_os("TMUX")?.into_string().ok()?;
    value.rsplit(',').nth(1)?.parse().ok()
}

/// Returns the target of the session in `$TMUX`: `$` and its number. It is outdated when the pane has moved, so use it
/// only where there is no `$TMUX_PANE`: in a popup, a hook or `run-shell`.
#[must_use]
pub fn tmux_session() -> Option<String> {
    let value = std::env::var_os("TMUX")?.into_string().ok()?;
    let number = tmux_parts(&value).1?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| format!("${number}"))
}

/// Splits `socket,pid,session` from the right, since the path of the socket may contain commas.
fn tmux_parts(value: &str) -> (&str, Option<&str>) {
    let mut parts = value.rsplitn(3, ',');
    let session = parts.next().filter(|number| !number.is_empty());
    let _pid = parts.next();
    match parts.next() {
        Some(socket) => (socket, session),
        None => (value.split(',').next().unwrap_or(""), None),
    }
}

/// Returns the pane that this process runs in.
#[must_use]
pub fn tmux_pane() -> Option<PaneId> {
    std::env::var("TMUX_PANE").ok()?.parse().ok()
}

/// Returns the variables from which a tmux server learns which pane its client runs in.
pub fn place() -> impl Iterator<Item = (OsString, OsString)> {
    ["TMUX", "TMUX_PANE"]
        .into_iter()
        .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
}

/// Returns the folder of the socket folders of tmux: `$TMUX_TMPDIR`, or `/tmp` if it is unset or does not exist.
#[must_use]
pub fn tmux_folder() -> Option<PathBuf> {
    std::env::var_os("TMUX_TMPDIR")
        .filter(|value| !value.is_empty())
        .and_then(|value| PathBuf::from(value).canonicalize().ok())
        .or_else(|| PathBuf::from("/tmp").canonicalize().ok())
}

/// Returns the sockets of all of this user's servers, if `$SESH_TMUX_SOCKETS` lists them: paths separated by colons.
#[must_use]
pub fn tmux_sockets() -> Option<Vec<PathBuf>> {
    let value = std::env::var_os("SESH_TMUX_SOCKETS").filter(|value| !value.is_empty())?;
    let paths = std::env::split_paths(&value);
    Some(paths.filter(|path| path.is_absolute()).collect())
}

/// Returns the user id of this process.
#[must_use]
pub fn user() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// The variable that names the headless turn in whose process this program runs.
pub const TURN: &str = "SESH_TURN";

/// Returns whether this process belongs to a headless turn of an agent.
#[must_use]
pub fn is_in_turn() -> bool {
    std::env::var_os(TURN).is_some()
}

/// Returns whether every request goes through the tmux program: `SESH_CLIENT=tmux`.
#[must_use]
pub fn by_program() -> bool {
    std::env::var_os("SESH_CLIENT").is_some_and(|value| value == "tmux")
}

/// Returns whether the user wants no colours: `NO_COLOR` is set and not empty.
#[must_use]
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Returns the name of this machine: `$SESH_MACHINE`, else the host name, else `localhost`.
#[must_use]
pub fn machine() -> String {
    std::env::var("SESH_MACHINE")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| nix::unistd::gethostname().ok()?.into_string().ok())
        .unwrap_or_else(|| "localhost".into())
}

/// Returns the user's shell, `$SHELL`, else `/bin/sh`. In a pane tmux sets it (`default-shell`), elsewhere the login
/// does.
#[must_use]
pub fn shell() -> PathBuf {
    std::env::var_os("SHELL")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| "/bin/sh".into())
}

/// Returns the folder for the user's short-lived private files.
#[must_use]
pub fn runtime_dir() -> Option<PathBuf> {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.is_dir())
}

/// Returns the user's home folder.
#[must_use]
pub fn home() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// Returns the value of a variable.
#[must_use]
pub fn value(variable: &str) -> Option<OsString> {
    std::env::var_os(variable)
}

/// Returns the folder that a variable contains, if it is an absolute path.
#[must_use]
pub fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// Returns the folder of the user's own agent descriptions.
#[must_use]
pub fn agents_dir() -> Option<PathBuf> {
    std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(home()?.join(".config")))
        .map(|path| path.join("tmux-sesh/agents"))
}

/// Returns the folder for files that must outlive a run.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(home()?.join(".local/state")))
        .map(|path| path.join("tmux-sesh"))
}

/// Returns the folder for short-lived files of all users.
#[must_use]
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

/// Returns the helper `name` in the folder of this program.
#[must_use]
pub fn helper_beside(name: &str) -> Option<PathBuf> {
    std::env::current_exe()
        .ok()
        .and_then(|program| program.canonicalize().ok())
        .map(|program| program.with_file_name(name))
        .filter(|path| path.is_file())
}

/// Returns the helper `name` that is found on PATH.
#[must_use]
pub fn helper_on_path(name: &str) -> Option<PathBuf> {
    which::which(name).ok()
}

/// Returns the helper `name` in the folder of this program, else the one on PATH.
#[must_use]
pub fn helper(name: &str) -> Option<PathBuf> {
    helper_beside(name).or_else(|| helper_on_path(name))
}

/// Returns the PATH of this process, for error texts.
#[must_use]
pub fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Returns whether a variable describes where the caller runs, and would be wrong elsewhere: [`is_of_program`] and
/// [`is_of_login`]. `plugin/doc/environment.md` lists them with the reasons.
#[must_use]
pub fn belongs_to_place(name: &OsStr) -> bool {
    is_of_program(name) || is_of_login(name)
}

/// Returns whether a variable is that of one program that runs above the caller: of tmux, of the terminal and of
/// tmux-sesh, of a git command that runs a hook, of an editor, of make and of systemd, and those that agent CLIs set for
/// the child processes of one session. An agent that finds the last ones assumes that it is nested and does not save its
/// conversation.
///
/// The names are those of Claude Code 2.1.329, Codex 0.169.0 and Gemini CLI 0.61.0, as seen in the environment of their
/// hooks, and of git 2.47, as seen in the hooks of a commit and in `git rev-parse --local-env-vars`.
fn is_of_program(name: &OsStr) -> bool {
    const PREFIXES: [&str; 5] = [
        "TMUX",
        "CLAUDE_CODE_",
        "SESH_",
        "TERM_PROGRAM",
        "GIT_PUSH_OPTION_",
    ];
    // In order, since every call compares them with the whole environment.
    const NAMES: &[&str] = &[
        "AI_AGENT",
        "CLAUDECODE",
        "CLAUDE_EFFORT",
        "CLAUDE_ENV_FILE",
        "CLAUDE_JOB_DIR",
        "CLAUDE_PID",
        "CLAUDE_PROJECT_DIR",
        "CODEX_CI",
        "CODEX_MANAGED_BY_NPM",
        "CODEX_MANAGED_PACKAGE_ROOT",
        "CODEX_SANDBOX",
        "CODEX_SANDBOX_NETWORK_DISABLED",
        "CODEX_THREAD_ID",
        "COLUMNS",
        "GEMINI_CLI",
        "GEMINI_CLI_NO_RELAUNCH",
        "GEMINI_CWD",
        "GEMINI_PLANS_DIR",
        "GEMINI_PROJECT_DIR",
        "GEMINI_SESSION_ID",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_AUTHOR_DATE",
        "GIT_COMMITTER_DATE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_EXEC_PATH",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REFLOG_ACTION",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
        "INSIDE_EMACS",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "LINES",
        "LISTEN_FDNAMES",
        "LISTEN_FDS",
        "LISTEN_PID",
        "MAINPID",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MAKE_TERMERR",
        "MAKE_TERMOUT",
        "MFLAGS",
        "MYVIMRC",
        "NOTIFY_SOCKET",
        "NVIM",
        "NVIM_LISTEN_ADDRESS",
        "TERM",
        "VIM",
        "VIMRUNTIME",
        "VIM_TERMINAL",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
    ];
    let Some(name) = name.to_str() else {
        return false;
    };
    // These are the user's own settings, which are passed on.
    if ["SESH_MACHINE", "SESH_CLIENT", "SESH_TMUX_SOCKETS"].contains(&name) {
        return false;
    }
    NAMES.binary_search(&name).is_ok() || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Returns whether a variable is that of the login or the terminal window in which a person works. A tmux client that
/// attaches passes them on to its session, and a new pane does not get them from its caller.
fn is_of_login(name: &OsStr) -> bool {
    const NAMES: [&str; 13] = [
        "ITERM_SESSION_ID",
        "KITTY_LISTEN_ON",
        "KITTY_PID",
        "KITTY_WINDOW_ID",
        "SSH_CLIENT",
        "SSH_CONNECTION",
        "SSH_ORIGINAL_COMMAND",
        "SSH_TTY",
        "STY",
        "TERM_SESSION_ID",
        "WEZTERM_PANE",
        "WINDOWID",
        "WT_SESSION",
    ];
    name.to_str().is_some_and(|name| {
        NAMES.contains(&name) || name == "ZELLIJ" || name.starts_with("ZELLIJ_")
    })
}

/// Returns the names of git's variables that do not belong into a call of git by us. A hook sets them for the repository and
/// the commit that it runs for. The user's identity, configuration and transports stay.
pub fn git_variables_to_remove() -> impl Iterator<Item = OsString> {
    const KEPT: [&str; 13] = [
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_PROXY_COMMAND",
        "GIT_PROTOCOL",
        "GIT_TERMINAL_PROMPT",
    ];
    const KEPT_PREFIXES: [&str; 3] = ["GIT_SSH", "GIT_SSL_", "GIT_HTTP_"];
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        name.to_str().is_some_and(|name| {
            name.starts_with("GIT_")
                && !KEPT.contains(&name)
                && !KEPT_PREFIXES.iter().any(|start| name.starts_with(start))
        })
    })
}

/// Returns the caller's environment without the variables for which [`belongs_to_place`] is true. Without the editors too
/// that git sets for its hooks: they do nothing, so that a commit there would be without a message.
pub fn inherited_environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, value)| {
        let edits_nothing = (name == "GIT_EDITOR" || name == "GIT_SEQUENCE_EDITOR") && value == ":";
        !belongs_to_place(name) && !edits_nothing
    })
}

/// Returns the names of the variables to remove from the environment of a tmux client: those of the programs above the
/// caller, except `TMUX…` and `TERM`, which the client needs.
pub fn variables_to_remove() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        is_of_program(name)
            && !name
                .to_str()
                .is_some_and(|name| name.starts_with("TMUX") || name == "TERM")
    })
}

/// Returns the variables that a tmux client keeps of those of this process.
pub fn of_tmux_client() -> impl Iterator<Item = (OsString, OsString)> {
    let removed: Vec<OsString> = variables_to_remove().collect();
    std::env::vars_os().filter(move |(name, _)| !removed.contains(name))
}

/// Returns whether a variable is set by tmux for its own use.
#[must_use]
pub fn is_tmux(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("TMUX"))
}

/// Returns the variables that tmux sets for each pane and that nothing else may set.
pub fn of_pane() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| {
            name.starts_with("TMUX") || name.starts_with("TERM_PROGRAM") || name == "TERM"
        })
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn parts_of_the_tmux_variable() {
        assert_eq!(
            tmux_parts("/run/t/default,12,3"),
            ("/run/t/default", Some("3"))
        );
        assert_eq!(tmux_parts("/run/a,b/s,12,0"), ("/run/a,b/s", Some("0")));
        assert_eq!(tmux_parts("/run/s"), ("/run/s", None));
    }

    #[test]
    fn variables_of_the_place() {
        for name in [
            "TMUX",
            "TMUX_PANE",
            "TMUX_TMPDIR",
            "CLAUDECODE",
            "CLAUDE_CODE_ENTRYPOINT",
            "SESH_ID",
            "TERM",
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "GIT_PUSH_OPTION_0",
            "SSH_TTY",
            "ZELLIJ_PANE_ID",
        ] {
            assert!(belongs_to_place(OsStr::new(name)), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "LANG",
            "ANTHROPIC_API_KEY",
            "SESH_MACHINE",
            "TERMINFO",
            "CODEX_HOME",
            "GIT_AUTHOR_NAME",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_GLOBAL",
            "SSH_AUTH_SOCK",
            "DISPLAY",
            "MAKE",
        ] {
            assert!(!belongs_to_place(OsStr::new(name)), "{name}");
        }
    }
}
