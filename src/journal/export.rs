//! Exported journals: a file with the merged lines of seshes, for another machine or another server.
//!
//! The first line is a head with the version of the format and the number of lines behind it, so that a file that was cut
//! off is noticed. Each other line is a [`Line`]. Behind the lines there can be files: the transcripts of agents. A file is written as a whole or not at all, and read as a whole or
//! refused.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::exported_file::{ExportedFile, FileOutcome, FileToExport};
use super::line::{Line, SCHEMA};
use crate::error::{Error, Result};

/// The version of the format of a file with lines only.
const VERSION: u32 = 1;
/// The version of the format of a file with other files behind the lines.
const VERSION_WITH_FILES: u32 = 2;

/// The largest size of the lines, in bytes: some hundred thousand seshes.
const MOST: u64 = 256 << 20;

/// The first line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportHead {
    /// The version of the format.
    #[serde(rename = "tmux-sesh-export")]
    version: u32,
    /// The machine that it was written on.
    pub machine: String,
    /// When it was written, in seconds since the epoch.
    pub at: u64,
    /// The number of lines behind this one.
    lines: usize,
    /// The number of files behind the lines.
    #[serde(default, skip_serializing_if = "is_zero")]
    files: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The part of the first line that is read in every version.
#[derive(Deserialize)]
struct AnyVersion {
    #[serde(rename = "tmux-sesh-export")]
    version: u32,
}

/// Writes a file with these lines, and with the files behind them. It replaces an earlier file in one step, and only the user may read it.
///
/// # Errors
/// The file cannot be written, or it exists and is no ordinary file. Then an earlier file is as it was.
pub fn write(
    path: &Path,
    machine: &str,
    at: u64,
    lines: &[Line<'_>],
    files: &[FileToExport],
) -> Result<()> {
    let failed =
        |error: &std::io::Error| Error::failed(format!("cannot write {}: {error}", path.display()));
    // A link stays, and its file is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if fs::metadata(&target).is_ok_and(|existing| !existing.is_file()) {
        return Err(Error::unusable(format!(
            "{} exists, and is no ordinary file: give another",
            path.display()
        )));
    }
    let head = ExportHead {
        version: if files.is_empty() {
            VERSION
        } else {
            VERSION_WITH_FILES
        },
        machine: machine.into(),
        at,
        lines: lines.len(),
        files: files.len(),
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(".tmux-sesh-")
            .tempfile_in(folder)?;
        let mut text = serde_json::to_vec(&head)?;
        text.push(b'\n');
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        file.write_all(&text)?;
        let mut buffered = BufWriter::new(file.as_file_mut());
        for file in files {
            file.write(&mut buffered)?;
        }
        buffered.flush()?;
        drop(buffered);
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|error| failed(&error))?;
    file.persist(&target)
        .map_err(|error| failed(&error.error))?;
    Ok(())
}

/// A file that may be an exported journal, while it is read.
#[derive(Debug)]
pub struct ExportReader {
    from: BufReader<File>,
    /// The lines, and all of a file that is no exported journal.
    pub bytes: Vec<u8>,
    /// The files behind the lines, and where their bytes start.
    files: Vec<(u64, ExportedFile)>,
}

impl ExportReader {
    /// Reads the lines, and where the files behind them are.
    ///
    /// # Errors
    /// The file cannot be read, or is cut off ([`io::ErrorKind::InvalidData`]).
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut from = BufReader::new(File::open(path)?);
        let mut bytes = Vec::new();
        from.by_ref().take(MOST).read_until(b'\n', &mut bytes)?;
        let head = serde_json::from_slice::<ExportHead>(&bytes);
        let head = head.ok().filter(|head| head.version == VERSION_WITH_FILES);
        let mut files = Vec::new();
        if let Some(head) = head {
            for _ in 0..head.lines {
                let left = MOST - bytes.len() as u64;
                if from.by_ref().take(left).read_until(b'\n', &mut bytes)? == 0 {
                    return Err(cut_off());
                }
            }
            let size = from.get_ref().metadata()?.len();
            while let Some(file) = ExportedFile::read(&mut from).map_err(|_| cut_off())? {
                let start = from.stream_position()?;
                let end = start.checked_add(file.size).filter(|end| *end <= size);
                from.seek(SeekFrom::Start(end.ok_or_else(cut_off)?))?;
                files.push((start, file));
            }
            if files.len() != head.files {
                return Err(cut_off());
            }
        } else {
            let left = MOST - bytes.len() as u64;
            if from.by_ref().take(left).read_to_end(&mut bytes)? as u64 == left {
                let why = "it is larger than any file of seshes";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
        Ok(Self { from, bytes, files })
    }

    /// Writes the files behind the lines to where `place` says, and returns what became of each. A file without a place is
    /// left out.
    pub fn unpack(
        mut self,
        place: impl Fn(&ExportedFile) -> Option<PathBuf>,
    ) -> Vec<(ExportedFile, Option<io::Result<FileOutcome>>)> {
        let mut outcomes = Vec::new();
        for (start, file) in self.files {
            let outcome = place(&file).map(|path| {
                self.from.seek(SeekFrom::Start(start))?;
                file.unpack(&mut self.from, &path)
            });
            outcomes.push((file, outcome));
        }
        outcomes
    }
}

fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "it was cut off or changed: its transcripts are not whole",
    )
}

/// Returns whether a text starts like an exported journal, whatever its version.
#[must_use]
pub fn is_export(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<AnyVersion>(first).is_ok()
}

/// Parses the text of an exported journal.
///
/// # Errors
/// A sentence that says what is wrong with it: it is of a newer version, was cut off, or a line is broken.
pub fn parse(text: &str) -> Result<(ExportHead, Vec<Line<'_>>), String> {
    let newer = "it was written by a newer tmux-sesh: update this one";
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match serde_json::from_str::<AnyVersion>(first) {
        Ok(AnyVersion {
            version: VERSION | VERSION_WITH_FILES,
        }) => {}
        Ok(_) => return Err(newer.into()),
        Err(_) => return Err("it is no exported journal".into()),
    }
    let head: ExportHead = serde_json::from_str(first).map_err(|_| "its first line is broken")?;
    let mut lines = Vec::new();
    for (at, text) in rest.lines().enumerate() {
        let number = at + 2;
        let line: Line<'_> = serde_json::from_str(text)
            .map_err(|error| format!("its line {number} is broken: {error}"))?;
        if line.schema > SCHEMA {
            return Err(newer.into());
        }
        lines.push(line);
    }
    if lines.len() != head.lines || !text.ends_with('\n') {
        return Err(format!(
            "it was cut off or changed: it has {} of {} seshes",
            lines.len(),
            head.lines
        ));
    }
    Ok((head, lines))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::line::tests::{ONE, TWO, line};
    use super::*;

    #[test]
    fn an_export_round_trips_and_a_part_of_it_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("export");
        let lines = [
            line(ONE, "created", &[("name", "a"), ("note", "%22\u{1f980}")]),
            line(TWO, "ended", &[("name", "b")]),
        ];
        write(&path, "here", 7, &lines, &[]).expect("a file");
        let text = fs::read_to_string(&path).expect("a text");
        let (head, read) = parse(&text).expect("an export");
        assert_eq!((head.machine.as_str(), head.at), ("here", 7));
        assert_eq!(read, lines);
        for end in 0..text.len() {
            if let Some(part) = text.get(..end) {
                assert!(parse(part).is_err(), "the first {end} bytes");
            }
        }
        let newer = text.replacen("\"tmux-sesh-export\":1", "\"tmux-sesh-export\":3", 1);
        assert!(parse(&newer).expect_err("a refusal").contains("newer"));
        let newer = text.replacen("\"schema\":1", "\"schema\":2", 1);
        assert!(parse(&newer).expect_err("a refusal").contains("newer"));
    }

    #[test]
    fn an_earlier_file_stays_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(write(folder.path(), "here", 7, &[], &[]).is_err());
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert!(write(&pipe, "here", 7, &[], &[]).is_err());
        let link = folder.path().join("link");
        let file = folder.path().join("file");
        fs::write(&file, "before").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write(&link, "here", 7, &[], &[]).expect("an export");
        let is_link = fs::symlink_metadata(&link).expect("a link").is_symlink();
        assert!(is_link && is_export(&fs::read_to_string(&file).expect("a text")));
    }
}
