//! The journal: the data that outlives a tmux server. Each server has one file, to which a line is appended for every
//! change that must last.
//!
//! The file name is derived from the socket of the server, and the first line names the socket. Every other line is a
//! [`Line`]: one JSON object, which describes a change of one identity. Lines of one identity are merged: a later value
//! replaces the earlier one, and an empty value removes it ([`Line::absorb`]). So two writers that change different
//! values do not undo each other's changes, in whatever order they write. After [`FORGOTTEN`](super::line::FORGOTTEN)
//! no data of an identity counts any more, not even later lines. A line of a newer schema is not interpreted, and is
//! kept byte for byte.
//!
//! How it is locked, appended to and replaced: [`lines_file`](super::lines_file). A line that a killed writer has not
//! finished does not count.
//!
//! When the file has grown enough, it is compacted: a new file with the merged lines is written and renamed to its
//! name.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::file_name;
use super::line::{Head, Line, SCHEMA};
use super::lines_file::{LinesFile, LinesLock};
use super::merged::MergedLines;
use super::search::{self, Search};
use crate::env;
use crate::error::{Error, Result};
use crate::id::{SeshId, shell_word};

/// How many bytes the file may grow before it is compacted, in addition to twice its size after the last compaction.
const GROWTH: u64 = 256 * 1024;
/// How long a writer waits for another one. A write takes a few milliseconds, but the other writer may be stopped.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The journal of one tmux server.
#[derive(Clone, Debug)]
pub struct Log {
    socket: String,
    file: LinesFile,
}

/// A journal in which only this process writes.
pub struct LockedLog<'a> {
    log: &'a Log,
    lock: LinesLock,
}

impl LockedLog<'_> {
    /// Appends all lines or none, as [`Log::append`], and lets others write again.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append(self, lines: &[Line<'_>], lasting: bool) -> Result<()> {
        self.log.add(self.lock, lines, lasting)
    }
}

impl Log {
    /// Returns the journal of the server at `socket`. The file need not exist.
    ///
    /// # Errors
    /// When neither `$XDG_STATE_HOME` nor `$HOME` is set.
    pub fn of(socket: &Path) -> Result<Self> {
        let folder = env::state_dir().ok_or_else(|| {
            Error::failed("no place for the journal: neither $XDG_STATE_HOME nor $HOME is set")
        })?;
        Ok(Self::in_folder(&folder.join("journal"), socket))
    }

    fn in_folder(folder: &Path, socket: &Path) -> Self {
        let socket = socket.to_string_lossy().into_owned();
        Self {
            file: LinesFile::at(folder.join(file_name(&socket)), LOCK_TIMEOUT),
            socket,
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the text of the file, empty if there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or belongs to another server.
    pub fn read(&self) -> Result<Vec<u8>> {
        let text = self.file.read()?;
        self.check(&text)?;
        Ok(text)
    }

    /// Returns the lines of the identities that are searched for, and perhaps of some more. Empty if there is no file.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub fn search(&self, search: &Search) -> Result<Vec<u8>> {
        let Some(file) = self.file.open_to_read()? else {
            return Ok(Vec::new());
        };
        self.compacted_size(&file)?;
        search
            .lines(&file)
            .map_err(|error| self.file.io_error("read", &error))
    }

    /// Returns whether the file contains a line of an identity. Returns false if it cannot be read.
    #[must_use]
    pub fn names(&self, uuid: SeshId) -> bool {
        File::open(self.path())
            .and_then(|file| search::has_line_of(&file, uuid))
            .unwrap_or(false)
    }

    /// Waits until no other process writes, and keeps others from writing.
    ///
    /// # Errors
    /// When another process writes for too long, or the lock cannot be made.
    pub fn locked(&self) -> Result<LockedLog<'_>> {
        let lock = self.file.lock()?;
        Ok(LockedLog { log: self, lock })
    }

    /// Appends all lines or none. With `lasting` they are on the disk when this returns.
    ///
    /// # Errors
    /// When the lines cannot be written. Then none of them is in the file.
    pub fn append(&self, lines: &[Line<'_>], lasting: bool) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.locked()?.append(lines, lasting)
    }

    /// Appends the line that `change` returns for the merged line of an identity. No other process writes in between.
    ///
    /// # Errors
    /// As [`Log::read`] and [`Log::append`], and the errors of `change`.
    pub fn update(
        &self,
        uuid: SeshId,
        change: impl for<'a> FnOnce(Option<Line<'a>>) -> Result<Option<Line<'a>>>,
    ) -> Result<()> {
        let lock = self.file.lock()?;
        let text = self.search(&Search::default().id(uuid))?;
        match change(MergedLines::of(&text).get(uuid))? {
            Some(line) => self.add(lock, &[line], true),
            None => Ok(()),
        }
    }

    /// Compacts the file: replaces it by one with the merged lines. Does nothing where that would gain little.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn compact(&self) -> Result<()> {
        let lock = self.file.lock()?;
        let Some(file) = self.file.open_to_read()? else {
            return Ok(());
        };
        match self.compacted_size(&file)? {
            Some(kept) if self.is_worth_compacting(&file, kept)? => self
                .rewrite(&lock)
                .map_err(|error| self.file.io_error("write anew", &error)),
            _ => Ok(()),
        }
    }

    /// Compacts the file, however little that gains: after seshes were forgotten, nothing of them shall be in it.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn compact_now(&self) -> Result<()> {
        let lock = self.file.lock()?;
        let Some(file) = self.file.open_to_read()? else {
            return Ok(());
        };
        match self.compacted_size(&file)? {
            // A journal of a newer schema is left as it is.
            None => Ok(()),
            Some(_) => self
                .rewrite(&lock)
                .map_err(|error| self.file.io_error("write anew", &error)),
        }
    }

    /// Returns whether much was appended to a file since it was compacted, or a line that was never finished.
    fn is_worth_compacting(&self, file: &File, kept: u64) -> Result<bool> {
        const LITTLE: u64 = 8;
        let read = || -> std::io::Result<bool> {
            let length = file.metadata()?.len();
            let head = u64::try_from(self.head(kept).len()).unwrap_or(u64::MAX);
            let Some(appended) = length.checked_sub(head.saturating_add(kept)) else {
                return Ok(length > 0);
            };
            if appended > kept / LITTLE {
                return Ok(true);
            }
            let mut text = vec![0; usize::try_from(appended).unwrap_or(0)];
            file.read_exact_at(&mut text, length - appended)?;
            Ok(MergedLines::of(&text).torn() > 0)
        };
        read().map_err(|error| self.file.io_error("read", &error))
    }

    /// Checks that a line can be appended, without appending one.
    ///
    /// # Errors
    /// When a line cannot be appended.
    pub fn probe(&self) -> Result<()> {
        self.file.probe()
    }

    fn add(&self, lock: LinesLock, lines: &[Line<'_>], lasting: bool) -> Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)
                .map_err(|error| self.file.io_error("write", &error.into()))?;
            text.push(b'\n');
        }
        let open = self.file.open()?;
        let kept = self.compacted_size(&open.file)?;
        if open.length == 0 {
            let mut all = self.head(0);
            all.append(&mut text);
            text = all;
        }
        self.file.append_to(&open, text)?;
        let grown = open.file.metadata().map_or(0, |metadata| metadata.len());
        if kept.is_some_and(|kept| grown > GROWTH + 2 * kept) {
            // The lines are in the file even if this fails.
            let _ = self.rewrite(&lock);
        }
        drop(lock);
        if lasting {
            self.file.sync(&open)?;
        }
        Ok(())
    }

    fn head(&self, kept: u64) -> Vec<u8> {
        let head = Head {
            schema: SCHEMA,
            journal: self.socket.as_str().into(),
            kept,
        };
        let mut text = serde_json::to_vec(&head).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// Returns the size of the lines when the file was last compacted. `None` if its first line is of a newer schema.
    fn compacted_size(&self, file: &File) -> Result<Option<u64>> {
        let mut first = [0; 8192];
        let read = file
            .read_at(&mut first, 0)
            .map_err(|error| self.file.io_error("read", &error))?;
        self.check(&first[..read])?;
        let head = first_line(&first[..read]);
        Ok(match serde_json::from_slice::<Head<'_>>(head) {
            Ok(head) if head.schema > SCHEMA => None,
            Ok(head) => Some(head.kept),
            Err(_) => Some(0),
        })
    }

    /// Refuses the file of another server, since two paths may have the same file name.
    fn check(&self, text: &[u8]) -> Result<()> {
        match serde_json::from_slice::<Head<'_>>(first_line(text)) {
            Ok(head) if head.journal != self.socket.as_str() => Err(Error::unusable(format!(
                "{} is the journal of {}, not of {}",
                self.path().display(),
                head.journal,
                self.socket
            ))
            .with_way_out("move it elsewhere")),
            _ => Ok(()),
        }
    }

    /// Compacts the file.
    fn rewrite(&self, lock: &LinesLock) -> std::io::Result<()> {
        let mut old = Vec::new();
        match self.file.open_to_read() {
            Ok(Some(mut file)) => file.read_to_end(&mut old)?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(std::io::Error::other(error)),
        };
        let merged = MergedLines::of(&old);
        let mut text = Vec::new();
        for line in merged.iter() {
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
        }
        for line in &merged.newer {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        let mut all = self.head(u64::try_from(text.len()).unwrap_or(u64::MAX));
        all.append(&mut text);
        self.file.replace(lock, &all)
    }
}

/// Checks that only the user may open the journals. Returns their folder, which need not exist yet.
///
/// # Errors
/// When other users may open the folder or a file in it.
pub fn inspect() -> Result<Option<PathBuf>> {
    let Some(folder) = env::state_dir().map(|folder| folder.join("journal")) else {
        return Ok(None);
    };
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let paths = std::iter::once(folder.clone()).chain(entries.map(|entry| entry.path()));
    for path in paths {
        if fs::metadata(&path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
            let path = path.display().to_string();
            return Err(Error::failed(format!("other users can open {path}"))
                .with_way_out(format!("chmod go= {}", shell_word(&path))));
        }
    }
    Ok(Some(folder))
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
