//! Named locks of this machine: a command runs while no other one holds the same name.
//!
//! The lock is that of a file in the state folder. The command inherits it, with all that it starts, so the lock is free
//! when the last of them has ended, however they end. The file says who holds it, for the text of an error, and the pane
//! shows it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ProcessId, prints, shell_word, shown};
use crate::journal::lock_file::LockFile;
use crate::proc::job::End;
use crate::proc::{self, child};
use crate::store::lock_mark;
use crate::tmux::{Server, Socket};

/// How long a server may take to show a lock. The lock does not depend on it.
const ANSWER: Duration = Duration::from_secs(1);

/// The name of a lock: it is the name of a file, and a word of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockName(String);

impl FromStr for LockName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let first = text.bytes().next();
        let fits = text.len() <= 64
            && first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && text.bytes().all(is_plain);
        if fits {
            return Ok(Self(text.into()));
        }
        Err(Error::usage(format!(
            "{} is no name of a lock: write up to 64 letters, digits, . _ and -",
            shown(text)
        )))
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the file of a lock says of its holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LockHolder {
    /// `sesh-lock`, as `pid:start`.
    process: String,
    /// Its tmux server and its pane, empty without one.
    socket: PathBuf,
    pane: String,
    command: String,
    /// Epoch seconds.
    since: u64,
}

/// Where the lock is shown.
struct LockPane {
    server: Server,
    pane: PaneId,
}

/// Runs a command while it holds a lock, and returns how the command ended. Waits for the lock at most `wait`. The lock is
/// shown where this process runs in a pane of `server`.
///
/// # Errors
/// [`Exit::Unusable`] or [`Exit::TimedOut`] if another process holds the lock.
pub fn run(
    name: &LockName,
    wait: Option<Duration>,
    argv: &[OsString],
    server: Option<&Server>,
) -> Result<End> {
    let file = LockFile::open(&path_of(name)?)?;
    if !file.take_within(wait.unwrap_or_default())? {
        return Err(held(name, &file, wait));
    }
    clear_mark_of_former(name, &file);
    let own = server.filter(|server| server.is_own_server());
    let place = own.zip(env::tmux_pane()).map(|(server, pane)| LockPane {
        server: server.clone().within(ANSWER),
        pane,
    });
    let pane = place.as_ref().map(|place| place.pane);
    let socket = place.as_ref().and_then(|place| place.server.address());
    let holder = LockHolder {
        process: proc::own().to_string(),
        socket: socket.unwrap_or_default(),
        pane: pane.map(|pane| pane.to_string()).unwrap_or_default(),
        command: text_of(argv),
        since: clock::seconds(),
    };
    // Without it the lock holds all the same.
    let _ = file.write(&serde_json::to_vec(&holder).unwrap_or_default());
    if let Some(place) = &place {
        let _ = lock_mark::show(&place.server, place.pane, &name.0);
    }
    file.pass_to_children()?;
    let ended = started(argv);
    let path = file.path().to_path_buf();
    drop(file);
    // What the command has left behind may still hold it.
    let again = LockFile::open(&path)?;
    if again.try_take()? {
        let _ = again.write(b"");
        if let Some(place) = &place {
            let _ = lock_mark::clear(&place.server, place.pane, &name.0);
        }
    }
    ended
}

/// Runs the command. One that cannot be started ends with the code that a shell gives: 127 if there is none, else 126.
fn started(argv: &[OsString]) -> Result<End> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| Error::usage("there is no command: write it after --"))?;
    child::run(Command::new(program).args(arguments)).or_else(|error| {
        let program = shown(&program.to_string_lossy());
        let (code, why) = match error.kind() {
            std::io::ErrorKind::NotFound => (127, "no such command".into()),
            _ => (126, error.to_string()),
        };
        crate::error::warn(format!("cannot run {program}: {why}"));
        Ok(End::Code(code))
    })
}

fn path_of(name: &LockName) -> Result<PathBuf> {
    let folder = env::state_dir().ok_or_else(|| {
        Error::failed("no place for locks: neither $XDG_STATE_HOME nor $HOME is set")
    })?;
    Ok(folder.join("locks").join(&name.0))
}

/// Removes the mark of a holder that was killed before it could do that. It does not hold the lock any more, since this
/// process does.
fn clear_mark_of_former(name: &LockName, file: &LockFile) {
    let Some(former) = holder(file) else { return };
    let (Ok(pane), true) = (former.pane.parse(), former.socket.exists()) else {
        return;
    };
    if let Ok(server) = Server::at(Socket::Path(former.socket)) {
        let _ = lock_mark::clear(&server.within(ANSWER), pane, &name.0);
    }
}

fn holder(file: &LockFile) -> Option<LockHolder> {
    serde_json::from_slice(&file.read().ok()?).ok()
}

/// Returns the error for a lock that another process holds.
fn held(name: &LockName, file: &LockFile, wait: Option<Duration>) -> Error {
    let mut words = vec![format!("the lock {name} is held")];
    if let Some(holder) = holder(file) {
        let process: Option<ProcessId> = holder.process.parse().ok();
        let pid = process.map(|process| process.pid);
        let by = match (process.filter(|it| proc::is_alive(*it)), pid) {
            (Some(process), _) => format!("by process {}", process.pid),
            (None, Some(pid)) => format!("by what process {pid} has left behind"),
            (None, None) => String::new(),
        };
        words.push(by);
        if !holder.pane.is_empty() {
            words.push(format!("in pane {}", holder.pane));
        }
        let age = Duration::from_secs(clock::seconds().saturating_sub(holder.since));
        words.push(format!("for {}", humantime::format_duration(age)));
        words.push(format!("({})", shown_command(&holder.command)));
    }
    let exit = match wait {
        None => Exit::Unusable,
        Some(_) => Exit::TimedOut,
    };
    let error = Error::new(exit, words.join(" "));
    match wait {
        None => error.with_way_out_after_why("--wait 10m waits for it"),
        Some(_) => error,
    }
}

/// Returns a command for the text of an error: one line that is not too long.
fn shown_command(command: &str) -> String {
    const LONGEST: usize = 60;
    let plain: String = command
        .chars()
        .map(|c| if prints(c) { c } else { '?' })
        .collect();
    match plain.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &plain[..at]),
        None => plain,
    }
}

/// Returns a command as a shell would read it.
fn text_of(argv: &[OsString]) -> String {
    let words = argv.iter().map(|word| shell_word(&word.to_string_lossy()));
    words.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_locks() {
        for text in ["deploy", "a.b-c_1", "_", &"x".repeat(64)] {
            assert!(text.parse::<LockName>().is_ok(), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "-a",
            "a b",
            "#(x)",
            "a,b",
            "ü",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(text.parse::<LockName>().is_err(), "{text:?}");
        }
    }
}
