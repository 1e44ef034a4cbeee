//! The private files of a headless turn, and the locks by which turns of one sesh follow each other.
//!
//! A turn has a folder of mode 0700 with the prompt, the output and the result. The process that starts the turn makes it,
//! and the last of the two that are concerned removes it: that process, or the `sesh-run` of the turn where no process
//! waits. What killed processes leave is found by [`TurnFiles::all`].
//!
//! A lock is a file that is locked with `flock`, so that a killed process releases it. Its holder removes the file, and a
//! process that gets the lock of a removed file tries again. [`remove_remains`] removes what a killed process has made in
//! part, and locks without a holder. It has an exclusive lock on the folder of all turns then, and a process that makes or
//! removes files there has a shared one.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::env;
use crate::error::{Error, Result};
use crate::id::{ProcessId, SeshId};
use crate::journal::file::fnv1a;
use crate::journal::launch::Launch;

const STARTER: &str = "starter";
const RUNNER: &str = "runner";
const PROMPT: &str = "prompt";
const OUTPUT: &str = "output";
const RESULT: &str = "result";
/// The result while it is written.
const NEW_RESULT: &str = "result.new";
/// An empty file, which says that the result could not be written. It fits on a full disk.
const UNWRITTEN: &str = "unwritten";

/// The files of one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnFiles {
    folder: PathBuf,
}

/// Who started a turn. It is written before the turn begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnStarter {
    pub process: ProcessId,
    pub sesh: SeshId,
    /// The socket of the tmux server.
    pub socket: PathBuf,
    /// Whether the process waits for the result and removes the files.
    pub waits: bool,
    /// Whether the sesh is to be forgotten with the turn.
    pub forget: bool,
}

/// A lock that this process holds.
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // While it is locked: another process that waits for it sees that it is gone.
        let _ = fs::remove_file(&self.path);
    }
}

impl FileLock {
    /// Takes the lock of those that start a turn of a sesh. Waits until it is free.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn to_start(sesh: SeshId) -> Result<Self> {
        Self::wait(folder()?.join(format!("{sesh}.start")))
    }

    /// Takes the lock of those that start a turn of a conversation, which seshes of several servers may have, and waits
    /// until no turn of it runs. Until it is released none begins.
    ///
    /// # Errors
    /// As [`FileLock::to_start`].
    pub fn to_start_in(kind: &str, conversation: &str) -> Result<Self> {
        let folder = folder()?;
        let lock = Self::wait(folder.join(lock_name(kind, conversation, "start")))?;
        if let Ok(running) = File::open(folder.join(lock_name(kind, conversation, "run"))) {
            // A lock that cannot be taken is one of a file system without locks.
            let _ = running.lock_shared();
        }
        Ok(lock)
    }

    fn wait(path: PathBuf) -> Result<Self> {
        loop {
            let file = open(&path)?;
            file.lock().map_err(|error| cannot_lock(&path, &error))?;
            if is_current(&path, &file) {
                return Ok(Self { path, _file: file });
            }
        }
    }

    /// Takes the lock of the process that runs a turn of a conversation. Returns `None` if another process holds it.
    ///
    /// # Errors
    /// As [`FileLock::to_start`].
    pub fn to_run(files: &TurnFiles, kind: &str, conversation: &str) -> Result<Option<Self>> {
        let name = lock_name(kind, conversation, "run");
        let path = files.folder.with_file_name(name);
        // Else `remove_remains` could have the lock at this moment, which would count as a turn.
        let _shared = share();
        loop {
            let file = open(&path)?;
            match file.try_lock() {
                Ok(()) if is_current(&path, &file) => return Ok(Some(Self { path, _file: file })),
                // Its holder has ended in between.
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Ok(None),
                Err(fs::TryLockError::Error(error)) => return Err(cannot_lock(&path, &error)),
            }
        }
    }
}

/// Returns the name of a lock's file. A file system takes names of 255 bytes, and a conversation can have a longer one.
fn lock_name(kind: &str, conversation: &str, what: &str) -> String {
    const LONGEST: usize = 200;
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let name: String = conversation.chars().map(plain).collect();
    let mut name = format!("{kind}-{name}");
    if name.len() > LONGEST {
        name.truncate(LONGEST);
        name = format!("{name}-{:016x}", fnv1a(conversation.as_bytes()));
    }
    format!("{name}.{what}")
}

fn open(path: &Path) -> Result<File> {
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| cannot_lock(path, &error))
}

/// Returns whether a path still has the file that was opened there.
fn is_current(path: &Path, file: &File) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let now = fs::metadata(path).map(id);
    file.metadata()
        .map(id)
        .is_ok_and(|opened| now.is_ok_and(|now| now == opened))
}

fn cannot_lock(path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot lock {}: {error}", path.display()))
}

impl TurnFiles {
    /// Makes the files of a new turn.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn make(starter: &TurnStarter, prompt: &str) -> Result<Self> {
        let folder = folder()?.join(format!("turn-{}", SeshId::random().simple()));
        let files = Self { folder };
        let shared = share();
        let make = || {
            DirBuilder::new().mode(0o700).create(&files.folder)?;
            files.write(STARTER, starter.to_text().as_bytes())?;
            files.write(PROMPT, prompt.as_bytes())
        };
        let outcome = make();
        drop(shared);
        outcome.map_err(|error| {
            files.remove();
            files.error("write", &error)
        })?;
        Ok(files)
    }

    /// Returns the turn of a folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Returns all turns whose files exist.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let Some(folder) = path() else {
            return Vec::new();
        };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let is_turn =
            |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("turn-");
        let turns = entries.filter(is_turn);
        turns.map(|entry| Self::at(&entry.path())).collect()
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the name of the turn, which its processes have in their environment.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Returns who started the turn. `None` if that is not written, or not yet.
    #[must_use]
    pub fn starter(&self) -> Option<TurnStarter> {
        TurnStarter::parse(&fs::read_to_string(self.folder.join(STARTER)).ok()?)
    }

    /// Writes which process runs the turn, and locks the file. It is locked as long as the returned file is open.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&self, runner: ProcessId) -> Result<File> {
        let begin = || {
            let mut file = File::options()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(self.folder.join(RUNNER))?;
            file.lock()?;
            file.write_all(runner.to_string().as_bytes())?;
            Ok(file)
        };
        begin().map_err(|error| self.error("write", &error))
    }

    /// Returns the process that runs the turn. `None` if none has begun.
    #[must_use]
    pub fn runner(&self) -> Option<ProcessId> {
        let text = fs::read_to_string(self.folder.join(RUNNER)).ok()?;
        text.parse().ok()
    }

    /// Returns whether a process has begun to run the turn.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.runner().is_some()
    }

    /// Waits until the process that runs the turn has ended. Returns at once if none has begun.
    pub fn wait_for_end(&self) {
        if let Ok(file) = File::open(self.folder.join(RUNNER)) {
            // A lock that cannot be taken is one of a file system without locks.
            let _ = file.lock_shared();
        }
    }

    /// Returns whether the process that runs the turn holds its lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let file = File::open(self.folder.join(RUNNER));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
    }

    /// Opens the prompt and deletes its file.
    ///
    /// # Errors
    /// It is gone.
    pub fn take_prompt(&self) -> Result<File> {
        let path = self.folder.join(PROMPT);
        let prompt = File::open(&path).map_err(|error| self.error("read", &error))?;
        let _ = fs::remove_file(&path);
        Ok(prompt)
    }

    /// Makes the file of the output.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn output(&self) -> Result<File> {
        File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(self.folder.join(OUTPUT))
            .map_err(|error| self.error("write", &error))
    }

    /// Writes the result, all of it or nothing. On a full disk the copy of the output makes room for it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn set_result(&self, result: &[u8]) -> Result<()> {
        let write = || {
            self.write(NEW_RESULT, result)?;
            fs::rename(self.folder.join(NEW_RESULT), self.folder.join(RESULT))
        };
        let again = |_| {
            for name in [OUTPUT, NEW_RESULT] {
                let _ = fs::remove_file(self.folder.join(name));
            }
            write()
        };
        write().or_else(again).map_err(|error| {
            let _ = self.write(UNWRITTEN, b"");
            self.error("write", &error)
        })
    }

    /// Returns whether there was a result that could not be written.
    #[must_use]
    pub fn is_unwritten(&self) -> bool {
        self.folder.join(UNWRITTEN).exists()
    }

    /// Returns the result. `None` if the turn was killed, or has not ended.
    #[must_use]
    pub fn result(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = File::open(self.folder.join(RESULT)).ok()?;
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Removes all files of the turn.
    pub fn remove(&self) {
        let _shared = share();
        Launch::discard_turn(&self.folder);
        // Another process may have been first.
        let _ = fs::remove_dir_all(&self.folder);
    }

    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = File::options()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(self.folder.join(name))?;
        file.write_all(bytes)
    }

    fn error(&self, what: &str, error: &std::io::Error) -> Error {
        Error::failed(format!(
            "cannot {what} the files of a turn in {}: {error}",
            self.folder.display()
        ))
    }
}

impl TurnStarter {
    fn to_text(&self) -> String {
        format!(
            "{} {} {} {}\n{}",
            self.process,
            self.sesh,
            u8::from(self.waits),
            u8::from(self.forget),
            self.socket.display()
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let (words, socket) = text.split_once('\n')?;
        let mut words = words.split(' ');
        Some(Self {
            process: words.next()?.parse().ok()?,
            sesh: words.next()?.parse().ok()?,
            waits: words.next()? == "1",
            forget: words.next()? == "1",
            socket: socket.into(),
        })
    }
}

/// Removes the files of locks that no process holds, and the folders of turns that a killed process has made or removed in
/// part. Does nothing while another process makes or removes such files.
pub fn remove_remains() {
    let Some(folder) = path() else {
        return;
    };
    // Held to the end of this function.
    let Some(_exclusive) = File::open(&folder)
        .ok()
        .filter(|folder| folder.try_lock().is_ok())
    else {
        return;
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_lock = path
            .extension()
            .is_some_and(|end| end == "start" || end == "run");
        if is_lock {
            if let Ok(file) = File::open(&path)
                && file.try_lock().is_ok()
                && is_current(&path, &file)
            {
                let _ = fs::remove_file(&path);
            }
        } else if TurnFiles::at(&path).starter().is_none() {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Locks the folder of all turns against [`remove_remains`], until the returned file is closed. Without the lock, on a file
/// system that has none, nothing removes what is left there.
fn share() -> Option<File> {
    let folder = File::open(path()?).ok()?;
    folder.lock_shared().ok()?;
    Some(folder)
}

fn path() -> Option<PathBuf> {
    Some(env::state_dir()?.join("turns"))
}

/// Returns the folder of all turns. Makes it if it does not exist.
fn folder() -> Result<PathBuf> {
    let folder = path().ok_or_else(|| {
        Error::failed("no place for the files of a turn: neither $XDG_STATE_HOME nor $HOME is set")
    })?;
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::failed(format!(
            "cannot make {}: {error}",
            folder.display()
        ))),
        _ => Ok(folder),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_starter_round_trips() {
        let starter = TurnStarter {
            process: ProcessId { pid: 7, start: 8 },
            sesh: SeshId::random(),
            socket: "/tmp/a b/s".into(),
            waits: true,
            forget: false,
        };
        assert_eq!(TurnStarter::parse(&starter.to_text()), Some(starter));
        for text in ["", "7:8", "7:8 x 1 0\n/s"] {
            assert_eq!(TurnStarter::parse(text), None, "{text}");
        }
    }
}
