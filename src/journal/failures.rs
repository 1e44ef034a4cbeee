//! The failures of programs that run unattended: one line each, in one file of limited size.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::clock;
use crate::env;

/// The maximum size of the file in bytes. Above it the older half is removed.
const MAX_BYTES: u64 = 64 * 1024;
/// The maximum number of characters of a sentence, which may contain text of another program.
const MAX_SENTENCE: usize = 500;

/// The last failure in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    pub file: PathBuf,
    pub count: usize,
    /// Epoch seconds.
    pub at: u64,
    pub sentence: String,
}

fn path() -> Option<PathBuf> {
    Some(env::state_dir()?.join("failures.log"))
}

/// Appends a failure to the file. Ignores an error, since there is no other place to report it.
pub fn log(helper: &str, sentence: &str) {
    if let Some(path) = path() {
        let now = clock::seconds();
        let _ = append(&path, &line(now, helper, sentence));
    }
}

/// Returns the last failure in the file and the number of all; `None` without one.
#[must_use]
pub fn last() -> Option<Last> {
    let file = path()?;
    let text = fs::read_to_string(&file).ok()?;
    let line = text.lines().last()?;
    let (at, sentence) = line.split_once(' ')?;
    Some(Last {
        count: text.lines().count(),
        at: at.parse().ok()?,
        sentence: sentence.into(),
        file,
    })
}

fn line(now: u64, helper: &str, sentence: &str) -> String {
    let sentence: String = sentence
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_SENTENCE)
        .collect();
    format!("{now} {helper}: {sentence}\n")
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    // A single write keeps the lines of concurrent processes apart.
    file.write_all(line.as_bytes())?;
    if file.metadata()?.len() > MAX_BYTES {
        shorten(path)?;
    }
    Ok(())
}

/// Keeps the newer half of the file. A line that another process writes meanwhile may be lost, but is never torn.
fn shorten(path: &Path) -> std::io::Result<()> {
    let text = fs::read(path)?;
    let middle = text.len() / 2;
    let start = text[middle..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |at| middle + at + 1);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&text[start..])?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_file_keeps_whole_lines_and_a_limited_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("below/failures.log");
        for at in 0..2_000 {
            append(
                &path,
                &line(
                    at,
                    "sesh-report",
                    &format!("number {at}\n{}", "x".repeat(80)),
                ),
            )
            .expect("a line");
            assert!(fs::metadata(&path).expect("a file").len() <= MAX_BYTES);
        }
        let text = fs::read_to_string(&path).expect("UTF-8");
        let numbers: Vec<u64> = text
            .lines()
            .map(|line| {
                line.split(' ')
                    .next()
                    .expect("a word")
                    .parse()
                    .expect("a number")
            })
            .collect();
        assert_eq!(numbers.last(), Some(&1_999));
        assert!(numbers.len() > 200 && numbers.is_sorted_by(|one, other| one + 1 == *other));
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        let line = line(7, "sesh-report", &format!("a\nb\x1b{}", "ü".repeat(1_000)));
        assert!(line.starts_with("7 sesh-report: a b ü"));
        assert!(line.len() < 1_100 && line.lines().count() == 1);
    }
}
