//! The files in an exported journal: the transcripts of agents, behind the lines of the seshes.
//!
//! Each is a line of JSON that describes it, and then its bytes. They are copied in blocks, because a transcript can have
//! any size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

/// The longest line that describes a file, in bytes.
const LONGEST_LINE: u64 = 64 << 10;

/// What describes a file in an exported journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// The kind of agent that it belongs to.
    pub agent: String,
    pub conversation: String,
    /// Where it is, below the agent's folder.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A file that is to be exported.
#[derive(Debug)]
pub struct FileToExport {
    pub file: ExportedFile,
    pub source: PathBuf,
}

/// What became of a file of an exported journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    Written,
    /// The same file is there.
    Same,
    /// Another file is there, which stays as it is.
    Different,
}

impl FileToExport {
    /// Appends it to an exported journal.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *to, &self.file)?;
        to.write_all(b"\n")?;
        let copied = io::copy(&mut File::open(&self.source)?.take(self.file.size), to)?;
        if copied == self.file.size {
            return Ok(());
        }
        let path = self.source.display();
        Err(io::Error::other(format!("{path} has become shorter")))
    }
}

impl ExportedFile {
    /// Reads the description of the next file of an exported journal, whose bytes follow. Returns `None` at the end.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = Vec::new();
        if from.take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).map_err(Into::into)
    }

    /// Writes its bytes, which come next, to a path where nothing is, in one step. What is there stays.
    ///
    /// # Errors
    /// The bytes cannot be read, or the file cannot be written.
    pub fn unpack(&self, from: &mut (impl Read + Seek), path: &Path) -> io::Result<FileOutcome> {
        if path.symlink_metadata().is_ok() {
            let start = from.stream_position()?;
            let is_same = is_same(&mut from.take(self.size), path, self.size)?;
            from.seek(SeekFrom::Start(start + self.size))?;
            return Ok(if is_same {
                FileOutcome::Same
            } else {
                FileOutcome::Different
            });
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".tmux-sesh-")
            .tempfile_in(folder)?;
        let copied = io::copy(&mut from.take(self.size), &mut file)?;
        if copied != self.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(FileOutcome::Written),
            // An agent has written it meanwhile.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(FileOutcome::Different)
            }
            Err(error) => Err(error.error),
        }
    }
}

/// Returns whether a file has these bytes.
fn is_same(bytes: &mut impl Read, path: &Path, size: u64) -> io::Result<bool> {
    const BLOCK: usize = 64 << 10;
    // It does not wait for the writer of a pipe.
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)?;
    let about = file.metadata()?;
    if !about.is_file() || about.len() != size {
        return Ok(false);
    }
    let (mut one, mut other) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let read = bytes.read(&mut one)?;
        if read == 0 {
            return Ok(true);
        }
        match file.read_exact(&mut other[..read]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            outcome => outcome?,
        }
        if one[..read] != other[..read] {
            return Ok(false);
        }
    }
}
