//! Writes the files of landings: what a gate prints, the gate of the base, and what says how a worktree was prepared. Removes
//! lock files that a killed git has left behind.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How many logs are kept.
const KEPT_LOGS: u64 = 50;

/// The log of the gates of one landing.
#[derive(Debug)]
pub struct GateLog {
    path: PathBuf,
    file: File,
}

impl GateLog {
    /// Makes the log of a ticket in a folder, and removes the one that is too old.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(folder: &Path, ticket: u64) -> Result<Self> {
        let path = folder.join(format!("{ticket}.log"));
        let create = || -> std::io::Result<File> {
            make_folder(folder)?;
            if let Some(old) = ticket.checked_sub(KEPT_LOGS) {
                let _ = fs::remove_file(folder.join(format!("{old}.log")));
            }
            File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&path)
        };
        let file = create().map_err(|error| io_error("write", &path, &error))?;
        Ok(Self { path, file })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends what a gate has printed. A full disk does not end the gate.
    pub fn append(&mut self, text: &[u8]) {
        let _ = self.file.write_all(text);
    }

    /// Returns the last lines.
    #[must_use]
    pub fn tail(&self, count: usize) -> Vec<String> {
        let text = fs::read(&self.path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(count);
        lines[from..].iter().map(|line| (*line).into()).collect()
    }
}

/// Writes a file, with the folders above it.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &[u8], executable: bool) -> Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let mut file = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(if executable { 0o700 } else { 0o600 })
            .open(path)?;
        file.write_all(text)
    };
    write().map_err(|error| io_error("write", path, &error))
}

/// Removes a file or a link, if it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Removes a folder that belongs to tmux-sesh, with all that is in it, if it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("remove", path, &error)),
        _ => Ok(()),
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn io_error(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}
