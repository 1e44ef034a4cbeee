//! The private file that carries a command and its environment into a new pane.
//!
//! tmux shows the arguments of its own commands to every client (`show-messages`) and keeps them, so a tmux command
//! must not contain any part of an argv or an environment. The file has mode 0600 in a folder of mode 0700. Its reader
//! deletes it before the command starts.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{AccessFlags, access, geteuid};

use crate::env;
use crate::error::{Error, Result};
use crate::id::shell_word;

/// The command of a new pane and what it needs. All values are bytes: an argument or a variable need not be UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    pub cwd: PathBuf,
    /// The tmux program of the caller. PATH may find another one in the pane.
    pub tmux: PathBuf,
    /// Empty for a login shell.
    pub argv: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// Whether the command is an agent, whose state comes from its own sources.
    pub agent: bool,
    /// Whether to wait for a key before the command starts.
    pub wait: bool,
    /// The headless turn that the command is.
    pub turn: Option<LaunchedTurn>,
}

/// A headless turn, as far as the process in its pane needs to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchedTurn {
    /// The folder of its files.
    pub folder: PathBuf,
    /// The kind of the agent.
    pub kind: String,
    /// The conversation, where it is known before the turn.
    pub conversation: String,
    /// The seconds after which it is ended.
    pub limit: u64,
    /// Whether another process of the agent has the conversation open, so that the prompt goes into the agent's queue.
    pub queued: bool,
}

/// The first word of the file, which identifies its format.
const FORMAT: &str = "tmux-sesh launch 1";
/// The age after which a file is stale: its pane was never created, because the server died in between.
const STALE_AFTER: Duration = Duration::from_secs(600);

impl Launch {
    /// Writes the file and returns its path.
    ///
    /// # Errors
    /// When the file cannot be written, or its folder belongs to another user.
    pub fn write(&self) -> Result<PathBuf> {
        let folder = folder()?;
        remove_stale(&folder);
        let prefix = prefix(self.turn.as_ref().map(|turn| &*turn.folder));
        let mut file = tempfile::Builder::new()
            .prefix(&prefix)
            .rand_bytes(12)
            .tempfile_in(&folder)
            .map_err(|error| io_error("write in", &folder, &error))?;
        file.write_all(&self.to_bytes())
            .map_err(|error| io_error("write", file.path(), &error))?;
        let (_, path) = file
            .keep()
            .map_err(|error| io_error("keep", &folder, &error.error))?;
        Ok(path)
    }

    /// Opens the file, deletes it and reads it. Returns `None` if it no longer exists: then it was read before.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a launch file.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        let mut file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", path, &error)),
        };
        let _ = fs::remove_file(path);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes)
            .map_err(|error| io_error("read", path, &error))?;
        Self::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| Error::failed(format!("{} is not a launch file", path.display())))
    }

    /// Removes a file whose pane was not created.
    pub fn discard(path: &Path) {
        // It does not matter if the file is already gone.
        let _ = fs::remove_file(path);
    }

    /// Removes the files of a turn whose pane was not created. `turn` is the folder of the turn.
    pub fn discard_turn(turn: &Path) {
        let own = prefix(Some(turn));
        let entries = fs::read_dir(path()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own)) {
            Self::discard(&entry.path());
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |word: &[u8]| {
            bytes.extend_from_slice(word);
            bytes.push(0);
        };
        put(FORMAT.as_bytes());
        match (&self.turn, self.wait) {
            (Some(turn), _) => {
                put(if turn.queued { b"queued" } else { b"turn" });
                put(turn.folder.as_os_str().as_bytes());
                put(turn.kind.as_bytes());
                put(turn.conversation.as_bytes());
                put(turn.limit.to_string().as_bytes());
            }
            (None, true) => put(b"wait"),
            (None, false) => put(b"start"),
        }
        put(if self.agent { b"agent" } else { b"command" });
        put(self.cwd.as_os_str().as_bytes());
        put(self.tmux.as_os_str().as_bytes());
        put(self.argv.len().to_string().as_bytes());
        for word in &self.argv {
            put(word.as_bytes());
        }
        for (name, value) in &self.environment {
            let mut pair = name.as_bytes().to_vec();
            pair.push(b'=');
            pair.extend_from_slice(value.as_bytes());
            put(&pair);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut words = bytes.strip_suffix(&[0])?.split(|&byte| byte == 0);
        if words.next()? != FORMAT.as_bytes() {
            return None;
        }
        let path = |word: &[u8]| PathBuf::from(OsStr::from_bytes(word));
        let text = |word: &[u8]| std::str::from_utf8(word).ok().map(String::from);
        let begin = words.next()?;
        let wait = begin == b"wait";
        let turn = match begin {
            b"turn" | b"queued" => Some(LaunchedTurn {
                folder: path(words.next()?),
                kind: text(words.next()?)?,
                conversation: text(words.next()?)?,
                limit: text(words.next()?)?.parse().ok()?,
                queued: begin == b"queued",
            }),
            _ => None,
        };
        let agent = words.next()? == b"agent";
        let cwd = path(words.next()?);
        let tmux = path(words.next()?);
        let count: usize = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        let mut argv = Vec::new();
        for _ in 0..count {
            argv.push(OsString::from_vec(words.next()?.to_vec()));
        }
        let environment = words
            .map(|pair| {
                let at = pair.iter().position(|&byte| byte == b'=')?;
                Some((
                    OsString::from_vec(pair[..at].to_vec()),
                    OsString::from_vec(pair[at + 1..].to_vec()),
                ))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            cwd,
            tmux,
            argv,
            environment,
            agent,
            wait,
            turn,
        })
    }
}

/// Returns how the name of a file begins. That of a turn has the name of the turn.
fn prefix(turn: Option<&Path>) -> String {
    let turn = turn.and_then(Path::file_name).map(OsStr::to_string_lossy);
    turn.map_or_else(|| "launch-".into(), |turn| format!("launch-{turn}-"))
}

/// Checks that a file can be written in the folder, or that the folder can be made.
///
/// # Errors
/// When it cannot, with the reason.
pub fn probe() -> Result<()> {
    let folder = path();
    let outcome = if fs::symlink_metadata(&folder).is_ok() {
        tempfile::tempfile_in(&folder).and_then(|mut file| file.write_all(&[0; 4096]))
    } else {
        let above = folder.parent().unwrap_or(Path::new("/"));
        access(above, AccessFlags::W_OK | AccessFlags::X_OK).map_err(Into::into)
    };
    outcome.map_err(|error| {
        io_error("write in", &folder, &error).with_way_out_after_why(
            "free space there or make it writable, or set XDG_RUNTIME_DIR to another folder",
        )
    })
}

/// Checks that only the user may open the folder and the files in it. Returns the path of the folder, which need not
/// exist yet.
///
/// # Errors
/// When the folder is not a private folder of the user, or other users may open a file in it.
pub fn inspect() -> Result<PathBuf> {
    let folder = path();
    if fs::symlink_metadata(&folder).is_err() {
        return Ok(folder);
    }
    check(&folder)?;
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry
            .metadata()
            .is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
        {
            let path = entry.path().display().to_string();
            return Err(Error::failed(format!("other users can open {path}"))
                .with_way_out(format!("chmod go= {}", shell_word(&path))));
        }
    }
    Ok(folder)
}

fn path() -> PathBuf {
    env::runtime_dir().map_or_else(
        || env::temp_dir().join(format!("tmux-sesh-{}", geteuid())),
        |runtime| runtime.join("tmux-sesh"),
    )
}

/// Returns the private folder for launch files. Creates it if it does not exist.
fn folder() -> Result<PathBuf> {
    let folder = path();
    if let Err(error) = fs::DirBuilder::new().mode(0o700).create(&folder)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(io_error("make", &folder, &error));
    }
    check(&folder)?;
    Ok(folder)
}

/// Refuses a folder that is not private: in a shared parent folder another user may have created it first, or have
/// placed a link.
fn check(folder: &Path) -> Result<()> {
    let metadata =
        fs::symlink_metadata(folder).map_err(|error| io_error("look at", folder, &error))?;
    if !metadata.is_dir() || metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        let path = folder.display().to_string();
        let way_out = match (metadata.uid() == geteuid().as_raw(), metadata.is_dir()) {
            (true, true) => format!("chmod 700 {}", shell_word(&path)),
            (true, false) => format!("mv {0} {0}.other", shell_word(&path)),
            // In a folder that all users share, another user's cannot be moved.
            (false, _) => "set XDG_RUNTIME_DIR to a folder that you own".into(),
        };
        return Err(Error::failed(format!(
            "{path} is not a folder that you own with mode 0700"
        ))
        .with_way_out(way_out));
    }
    Ok(())
}

/// Removes files whose pane was never created.
fn remove_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|at| at.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > STALE_AFTER) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn io_error(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn os_string(bytes: Vec<u8>) -> OsString {
        OsString::from_vec(bytes)
    }

    prop_compose! {
        fn bytes()(bytes in prop::collection::vec(1..=255_u8, 0..20)) -> OsString { os_string(bytes) }
    }

    proptest! {
        #[test]
        fn a_launch_round_trips(
            cwd in bytes(),
            argv in prop::collection::vec(bytes(), 0..5),
            values in prop::collection::vec(("[A-Z_]{1,5}", bytes()), 0..5),
            (agent, wait) in any::<(bool, bool)>(),
            turn in prop::option::of(("[/a-z]{1,9}", "[a-z-]{0,9}", any::<u64>(), any::<bool>())),
        ) {
            let launch = Launch {
                cwd: cwd.into(),
                tmux: "/usr/bin/tmux".into(),
                argv,
                environment: values.into_iter().map(|(name, value)| (name.into(), value)).collect(),
                agent,
                wait: wait && turn.is_none(),
                turn: turn.map(|(folder, word, limit, queued)| LaunchedTurn {
                    folder: folder.into(),
                    kind: word.clone(),
                    conversation: word,
                    limit,
                    queued,
                }),
            };
            prop_assert_eq!(Launch::from_bytes(&launch.to_bytes()), Some(launch));
        }
    }

    #[test]
    fn a_truncated_file_is_rejected() {
        let bytes = Launch {
            argv: vec!["a".into()],
            ..Launch::default()
        }
        .to_bytes();
        for end in 0..bytes.len() - 1 {
            assert!(
                Launch::from_bytes(&bytes[..end]).is_none_or(|launch| launch.argv.is_empty()),
                "{end}"
            );
        }
    }
}
