//! A file whose lock a process and its children hold: it is free when the last of them has ended.
//!
//! The lock belongs to the open file (flock), and a child inherits that. The file stays: if it were removed, two processes
//! could lock two files of one name.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::error::{Error, Result};

/// The longest text that is read from a lock file.
const MAX_TEXT: u64 = 64 * 1024;

/// A lock file that is open.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// Opens the file, and makes it and its folder if they are not there.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> std::io::Result<File> {
            if let Some(folder) = path.parent() {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)?;
            }
            File::options()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .mode(0o600)
                .open(path)
        };
        let file = open().map_err(|error| io_error("open", path, &error))?;
        Ok(Self {
            file,
            path: path.into(),
        })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn try_take(&self) -> Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(io_error("lock", &self.path, &error)),
        }
    }

    /// Waits until it has the lock, at most for a time. Then it returns false, and this process has to end: it still
    /// waits, and would get the lock later.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn take_within(&self, limit: Duration) -> Result<bool> {
        if self.try_take()? {
            return Ok(true);
        }
        if limit.is_zero() {
            return Ok(false);
        }
        let (sender, receiver) = mpsc::channel();
        // The lock belongs to the open file, which the copy of the descriptor shares.
        let copy = self
            .file
            .try_clone()
            .map_err(|error| io_error("lock", &self.path, &error))?;
        std::thread::spawn(move || {
            let _ = sender.send(copy.lock());
        });
        match receiver.recv_timeout(limit) {
            Ok(outcome) => outcome
                .map(|()| true)
                .map_err(|error| io_error("lock", &self.path, &error)),
            Err(_) => Ok(false),
        }
    }

    /// Waits until it has the lock.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn take(&self) -> Result<()> {
        self.file
            .lock()
            .map_err(|error| io_error("lock", &self.path, &error))
    }

    /// Frees the lock, also for the children that have inherited it.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn release(&self) -> Result<()> {
        self.file
            .unlock()
            .map_err(|error| io_error("unlock", &self.path, &error))
    }

    /// Makes every program that this process starts from now on inherit the lock.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn pass_to_children(&self) -> Result<()> {
        fcntl(&self.file, FcntlArg::F_SETFD(FdFlag::empty()))
            .map_err(|error| io_error("share", &self.path, &error.into()))?;
        Ok(())
    }

    /// Returns the text of the file: what its last holder has written.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut text = Vec::new();
            let mut file = &self.file;
            file.rewind()?;
            file.take(MAX_TEXT).read_to_end(&mut text)?;
            Ok(text)
        };
        read().map_err(|error| io_error("read", &self.path, &error))
    }

    /// Replaces the text of the file. Only a holder of the lock does that.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, text: &[u8]) -> Result<()> {
        let write = || -> std::io::Result<()> {
            let mut file = &self.file;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(text)
        };
        write().map_err(|error| io_error("write", &self.path, &error))
    }
}

fn io_error(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}
