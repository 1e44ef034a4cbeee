//! What went wrong in programs that nobody watches: a line each, in one file that does not grow for ever.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::clock;
use crate::env;

/// How large the file may become; then its older half goes.
const MOST: u64 = 64 * 1024;
/// How long a line may be: what is told may hold what another program said.
const LINE: usize = 500;

/// The last failure of those that are remembered.
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

/// Writes a failure down. Where that fails there is nobody left to tell.
pub fn log(helper: &str, sentence: &str) {
    if let Some(path) = path() {
        let now = clock::seconds();
        let _ = append(&path, &line(now, helper, sentence));
    }
}

/// What is remembered of failures; `None` without one.
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
        .take(LINE)
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
    // In one piece, so that lines of several at once do not mix.
    file.write_all(line.as_bytes())?;
    if file.metadata()?.len() > MOST {
        shorten(path)?;
    }
    Ok(())
}

/// Keeps the newer half. A line that another writes meanwhile may be lost, never torn.
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
    fn it_keeps_whole_lines_and_does_not_grow_for_ever() {
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
            assert!(fs::metadata(&path).expect("a file").len() <= MOST);
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
