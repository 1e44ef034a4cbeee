//! A file of lines that several processes append to: the generic half of the journal and of the ledger.
//!
//! A writer locks a file beside it, which is never renamed, and holds the lock only while it writes. It writes its lines
//! in one piece. If the write fails halfway, the writer truncates the file to its earlier length. If a writer was killed
//! in the middle of the last line, the next writer ends that line first. A reader takes no lock, because the file only
//! grows or is replaced as a whole.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, access};

use super::file::ends_a_line;
use crate::error::{Error, Result};

/// A file of lines. It need not exist.
#[derive(Clone, Debug)]
pub struct LinesFile {
    path: PathBuf,
    /// How long a writer waits for another one. A write takes a few milliseconds, but the other writer may be stopped.
    lock_timeout: Duration,
}

/// The lock of a file of lines: as long as it lives, no other process writes.
#[derive(Debug)]
pub struct LinesLock(#[expect(dead_code, reason = "the descriptor holds the lock")] File);

/// A file of lines that is open for appending.
pub(super) struct OpenLines {
    pub(super) file: File,
    /// Its length in bytes.
    pub(super) length: u64,
}

impl LinesFile {
    /// Returns the file at a path, whose writers wait for each other at most as long as `lock_timeout`.
    #[must_use]
    pub fn at(path: PathBuf, lock_timeout: Duration) -> Self {
        Self { path, lock_timeout }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the text of the file, empty if there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        if let Some(mut file) = self.open_to_read()? {
            file.read_to_end(&mut text)
                .map_err(|error| self.io_error("read", &error))?;
        }
        Ok(text)
    }

    /// Opens the file for reading. Returns `None` if there is none.
    pub(super) fn open_to_read(&self) -> Result<Option<File>> {
        match File::open(&self.path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.io_error("read", &error)),
        }
    }

    /// Opens the file for appending, and makes it if there is none.
    pub(super) fn open(&self) -> Result<OpenLines> {
        let open = || -> std::io::Result<OpenLines> {
            let file = File::options()
                .create(true)
                .append(true)
                .read(true)
                .mode(0o600)
                .open(&self.path)?;
            let length = file.metadata()?.len();
            Ok(OpenLines { file, length })
        };
        open().map_err(|error| self.io_error("write", &error))
    }

    /// Waits until no other process writes, and keeps others from writing. Makes the folder if there is none.
    ///
    /// # Errors
    /// When another process writes for too long, or the lock cannot be made.
    pub fn lock(&self) -> Result<LinesLock> {
        const RETRY_INTERVAL: Duration = Duration::from_millis(2);
        let path = self.path.with_extension("lock");
        let open = || {
            File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
        };
        let lock = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_folder().and_then(|()| open())
            }
            outcome => outcome,
        };
        let lock = lock.map_err(|error| self.io_error("write", &error))?;
        let deadline = Instant::now() + self.lock_timeout;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(LinesLock(lock)),
                Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => {}
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(Error::failed(format!(
                        "cannot write {}: another process keeps {} locked",
                        self.path.display(),
                        path.display()
                    ))
                    .with_way_out("end that process, or continue it"));
                }
                Err(fs::TryLockError::Error(error)) => return Err(self.io_error("lock", &error)),
            }
            std::thread::sleep(RETRY_INTERVAL); // why: a blocking lock has no time limit, and its holder may be stopped.
        }
    }

    /// Appends a text of whole lines, all of it or nothing. Ends the last line first if a killed writer did not. With
    /// `lasting` the text is on the disk when this returns.
    ///
    /// # Errors
    /// When the text cannot be written. Then nothing of it is in the file.
    pub fn append(&self, _lock: &LinesLock, text: Vec<u8>, lasting: bool) -> Result<()> {
        let open = self.open()?;
        self.append_to(&open, text)?;
        if lasting { self.sync(&open) } else { Ok(()) }
    }

    /// Appends a text to the open file, as [`LinesFile::append`]. The caller holds the lock.
    pub(super) fn append_to(&self, open: &OpenLines, mut text: Vec<u8>) -> Result<()> {
        let OpenLines { file, length } = open;
        let mut file = file;
        let mut write = || -> std::io::Result<()> {
            if *length > 0 && !ends_a_line(file, *length)? {
                text.insert(0, b'\n');
            }
            file.write_all(&text).inspect_err(|_| {
                let _ = file.set_len(*length);
            })
        };
        write().map_err(|error| self.io_error("write", &error))
    }

    /// Writes what was appended to the disk.
    pub(super) fn sync(&self, open: &OpenLines) -> Result<()> {
        let sync = || -> std::io::Result<()> {
            open.file.sync_data()?;
            if open.length == 0 {
                self.sync_folder()?;
            }
            Ok(())
        };
        sync().map_err(|error| self.io_error("write", &error))
    }

    /// Replaces the file by one with this text, which is on the disk when this returns. A reader sees the old file or
    /// the new one.
    ///
    /// # Errors
    /// When the new file cannot be written. Then the old one stays.
    pub fn replace(&self, _lock: &LinesLock, text: &[u8]) -> std::io::Result<()> {
        // The name is always the same, so that this file overwrites one that a killed writer left behind.
        let new = self.path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let file = File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            (&file).write_all(text)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            self.sync_folder()
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })
    }

    /// Checks that a line can be appended, without appending one. Makes nothing.
    ///
    /// # Errors
    /// When a line cannot be appended.
    pub fn probe(&self) -> Result<()> {
        if !self.path.exists() {
            return self.check_creatable();
        }
        let _lock = self.lock()?;
        let OpenLines { file, length } = self.open()?;
        // This is as much as a line needs. Blank lines do not count, and are removed again.
        let written = (&file).write_all(&[b'\n'; 4096]);
        file.set_len(length)
            .and(written)
            .map_err(|error| self.io_error("write", &error))
    }

    /// Checks that the file can be created.
    fn check_creatable(&self) -> Result<()> {
        let above = self.path.ancestors().skip(1).find(|path| path.exists());
        let above = above.unwrap_or(Path::new("/"));
        let usable = if above.is_dir() {
            access(above, AccessFlags::W_OK | AccessFlags::X_OK).map_err(std::io::Error::from)
        } else {
            Err(ErrorKind::NotADirectory.into())
        };
        usable.map_err(|error| self.io_error("make", &error))
    }

    fn make_folder(&self) -> std::io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.folder())
    }

    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        File::open(self.folder())?.sync_all()
    }

    pub(super) fn io_error(&self, what: &str, error: &std::io::Error) -> Error {
        Error::failed(format!("cannot {what} {}: {error}", self.path.display()))
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
