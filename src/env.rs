//! The only reader of environment variables.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::id::PaneId;

/// The tmux server that this process was started in: the first part of `$TMUX`.
#[must_use]
pub fn tmux_socket() -> Option<PathBuf> {
    let value = std::env::var_os("TMUX")?.into_string().ok()?;
    let socket = tmux_parts(&value).0;
    (!socket.is_empty()).then(|| PathBuf::from(socket))
}

/// The process of that server: the second part of `$TMUX`.
#[must_use]
pub fn tmux_server() -> Option<i32> {
    let value = std::env::var_os("TMUX")?.into_string().ok()?;
    value.rsplit(',').nth(1)?.parse().ok()
}

/// The session number in `$TMUX`. It goes stale when the pane moves, so it only serves where there
/// is no `$TMUX_PANE`: in a popup, a hook or `run-shell`.
#[must_use]
pub fn tmux_session() -> Option<String> {
    let value = std::env::var_os("TMUX")?.into_string().ok()?;
    let number = tmux_parts(&value).1?;
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| format!("${number}"))
}

/// `socket,pid,session`, from the right: the socket's path may hold commas.
fn tmux_parts(value: &str) -> (&str, Option<&str>) {
    let mut parts = value.rsplitn(3, ',');
    let session = parts.next().filter(|number| !number.is_empty());
    let _pid = parts.next();
    match parts.next() {
        Some(socket) => (socket, session),
        None => (value.split(',').next().unwrap_or(""), None),
    }
}

/// The pane that this process runs in.
#[must_use]
pub fn tmux_pane() -> Option<PaneId> {
    std::env::var("TMUX_PANE").ok()?.parse().ok()
}

/// What tells a tmux server where its client is asking from.
pub fn place() -> impl Iterator<Item = (OsString, OsString)> {
    ["TMUX", "TMUX_PANE"]
        .into_iter()
        .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
}

/// The folder that tmux keeps its own socket folders in: `$TMUX_TMPDIR`, else the system's.
#[must_use]
pub fn tmux_folder() -> Option<PathBuf> {
    std::env::var_os("TMUX_TMPDIR")
        .filter(|value| !value.is_empty())
        .and_then(|value| PathBuf::from(value).canonicalize().ok())
        .or_else(|| PathBuf::from("/tmp").canonicalize().ok())
}

/// The sockets of the servers that are all of this user's, where somebody says so: `$SESH_TMUX_SOCKETS`, paths with a
/// colon between them.
#[must_use]
pub fn tmux_sockets() -> Option<Vec<PathBuf>> {
    let value = std::env::var_os("SESH_TMUX_SOCKETS").filter(|value| !value.is_empty())?;
    let paths = std::env::split_paths(&value);
    Some(paths.filter(|path| path.is_absolute()).collect())
}

/// The user's number.
#[must_use]
pub fn user() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// Whether every question goes through the tmux program: `SESH_CLIENT=tmux`.
#[must_use]
pub fn by_program() -> bool {
    std::env::var_os("SESH_CLIENT").is_some_and(|value| value == "tmux")
}

/// Whether the person wants no colours: `NO_COLOR` that is not empty.
#[must_use]
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The name of this machine: `$SESH_MACHINE`, else the host name.
#[must_use]
pub fn machine() -> String {
    std::env::var("SESH_MACHINE")
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| nix::unistd::gethostname().ok()?.into_string().ok())
        .unwrap_or_else(|| "localhost".into())
}

/// The user's shell as tmux told the pane (`default-shell`), else as the login did.
#[must_use]
pub fn shell() -> PathBuf {
    std::env::var_os("SHELL")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| "/bin/sh".into())
}

/// Where a user's short-lived private files belong.
#[must_use]
pub fn runtime_dir() -> Option<PathBuf> {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.is_dir())
}

/// The user's home folder.
#[must_use]
pub fn home() -> Option<PathBuf> {
    std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// The folder that a variable names.
#[must_use]
pub fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// Where the user's own descriptions of agents are.
#[must_use]
pub fn agents_dir() -> Option<PathBuf> {
    std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(home()?.join(".config")))
        .map(|path| path.join("tmux-sesh/agents"))
}

/// Where what outlives a run is kept.
#[must_use]
pub fn state_dir() -> Option<PathBuf> {
    std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(home()?.join(".local/state")))
        .map(|path| path.join("tmux-sesh"))
}

/// Where everybody's short-lived files are.
#[must_use]
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}

/// The helper `name` in the folder of this program.
#[must_use]
pub fn helper_beside(name: &str) -> Option<PathBuf> {
    std::env::current_exe()
        .ok()
        .and_then(|program| program.canonicalize().ok())
        .map(|program| program.with_file_name(name))
        .filter(|path| path.is_file())
}

/// The helper `name` that PATH finds.
#[must_use]
pub fn helper_on_path(name: &str) -> Option<PathBuf> {
    which::which(name).ok()
}

/// The helper `name`: beside this program, else on PATH.
#[must_use]
pub fn helper(name: &str) -> Option<PathBuf> {
    helper_beside(name).or_else(|| helper_on_path(name))
}

/// The PATH of this process, for error texts.
#[must_use]
pub fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Whether a variable belongs to the place that the caller runs in, and would be a lie in another:
/// tmux's own, the terminal's, our own, and what agent CLIs set for the children of one session
/// (an agent that finds them believes it is nested and does not save its conversation).
/// Names: Claude Code 2.1.329, Codex 0.169.0 and Gemini CLI 0.61.0, seen in their hooks' environment.
#[must_use]
pub fn belongs_to_place(name: &OsStr) -> bool {
    const PREFIXES: [&str; 4] = ["TMUX", "CLAUDE_CODE_", "SESH_", "TERM_PROGRAM"];
    const NAMES: [&str; 22] = [
        "TERM",
        "LINES",
        "COLUMNS",
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
        "GEMINI_CLI",
        "GEMINI_CLI_NO_RELAUNCH",
        "GEMINI_CWD",
        "GEMINI_PLANS_DIR",
        "GEMINI_PROJECT_DIR",
        "GEMINI_SESSION_ID",
    ];
    let Some(name) = name.to_str() else {
        return false;
    };
    // A person's own settings of ours go along.
    if ["SESH_MACHINE", "SESH_CLIENT", "SESH_TMUX_SOCKETS"].contains(&name) {
        return false;
    }
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The caller's environment without what [`belongs_to_place`].
pub fn carried() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !belongs_to_place(name))
}

/// The variables of this process that a program started elsewhere must not see, tmux's own excepted:
/// for tmux clients, which need those.
pub fn left_behind() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        belongs_to_place(name)
            && !name
                .to_str()
                .is_some_and(|name| name.starts_with("TMUX") || name == "TERM")
    })
}

/// Whether a variable is tmux's own.
#[must_use]
pub fn is_tmux(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("TMUX"))
}

/// What tmux gives each pane and nobody else may set.
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
    fn tmux_variable() {
        assert_eq!(
            tmux_parts("/run/t/default,12,3"),
            ("/run/t/default", Some("3"))
        );
        assert_eq!(tmux_parts("/run/a,b/s,12,0"), ("/run/a,b/s", Some("0")));
        assert_eq!(tmux_parts("/run/s"), ("/run/s", None));
    }

    #[test]
    fn what_stays_behind() {
        for name in [
            "TMUX",
            "TMUX_PANE",
            "TMUX_TMPDIR",
            "CLAUDECODE",
            "CLAUDE_CODE_ENTRYPOINT",
            "SESH_ID",
            "TERM",
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
        ] {
            assert!(!belongs_to_place(OsStr::new(name)), "{name}");
        }
    }
}
