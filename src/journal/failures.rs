//! The failures of programs that run unattended: one line each, in one file of limited size. A line goes when the same
//! program works again.

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

/// Appends a failure to the file. `source` is the program, and behind a blank what tells its callers apart. Ignores an
/// error, since there is no other place to report it.
pub fn log(source: &str, sentence: &str) {
    if let Some(path) = path() {
        let now = clock::seconds();
        let _ = append(&path, &line(now, source, sentence));
    }
}

/// Removes the failures of a source, which works again, and those of its program that are of no certain source. Ignores
/// an error, as [`log`] does.
pub fn worked(source: &str) {
    if let Some(path) = path() {
        let _ = remove(&path, source);
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

fn line(now: u64, source: &str, sentence: &str) -> String {
    let sentence: String = sentence
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_SENTENCE)
        .collect();
    format!("{now} {source}: {sentence}\n")
}

/// Returns the source of a line.
fn source_of(line: &str) -> &str {
    let (_, rest) = line.split_once(' ').unwrap_or_default();
    rest.split(": ").next().unwrap_or_default()
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

/// Keeps the newer half of the file.
fn shorten(path: &Path) -> std::io::Result<()> {
    let text = fs::read(path)?;
    let middle = text.len() / 2;
    let start = text[middle..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(text.len(), |at| middle + at + 1);
    replace(path, &text[start..])
}

/// Removes the lines of a source, and the file when none is left.
fn remove(path: &Path, source: &str) -> std::io::Result<()> {
    let text = match fs::read(path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let program = source.split(' ').next().unwrap_or_default();
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| ![source, program].contains(&source_of(line)))
        .collect();
    match kept.len() {
        0 => fs::remove_file(path),
        length if length == text.len() => Ok(()),
        _ => replace(path, kept.as_bytes()),
    }
}

/// Replaces the file. A line that another process writes meanwhile may be lost, but is never torn.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
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
    fn what_works_again_has_no_failure_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("failures.log");
        let sources = [
            "sesh-report --from claude",
            "sesh-report --from codex",
            "sesh-report",
            "sesh-run",
        ];
        let left = || fs::read_to_string(&path).unwrap_or_default();
        for source in sources {
            append(&path, &line(7, source, "why: it is so")).expect("a line");
        }
        remove(&path, "sesh-report --from gemini").expect("a file");
        let all = left();
        assert_eq!(
            all.lines().map(source_of).collect::<Vec<_>>(),
            [
                "sesh-report --from claude",
                "sesh-report --from codex",
                "sesh-run"
            ]
        );
        remove(&path, "sesh-report --from codex").expect("a file");
        remove(&path, "sesh-run").expect("a file");
        assert_eq!(left(), "7 sesh-report --from claude: why: it is so\n");
        remove(&path, "sesh-report --from claude").expect("a file");
        assert!(!path.exists());
        remove(&path, "sesh-report").expect("no file");
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        let line = line(7, "sesh-report", &format!("a\nb\x1b{}", "ü".repeat(1_000)));
        assert!(line.starts_with("7 sesh-report: a b ü"));
        assert!(line.len() < 1_100 && line.lines().count() == 1);
    }
}
