//! A pipe by which the process in a new pane tells its maker that the command runs. It lies beside the launch file.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::error::{Error, Result};

/// What is written when the command runs. Anything else is the reason why it does not.
const STARTED: &str = "started";
/// A reason is a sentence, which a pipe takes at once.
const MAX_BYTES: usize = 4096;

fn path_of(launch: &Path) -> PathBuf {
    launch.with_extension("started")
}

/// The end of the process that makes the pane. The file is removed with it.
#[derive(Debug)]
pub struct StartSignal {
    path: PathBuf,
    pipe: File,
}

/// What the process in the pane has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Started,
    /// The command cannot be started, for this reason.
    Failed(String),
    /// The process has ended and has told nothing.
    Ended,
}

impl StartSignal {
    /// Makes the pipe of a launch file.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn of(launch: &Path) -> Result<Self> {
        let path = path_of(launch);
        let make = || {
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
            let flags = OFlag::O_NONBLOCK.bits();
            File::options().read(true).custom_flags(flags).open(&path)
        };
        match make() {
            Ok(pipe) => Ok(Self { path, pipe }),
            Err(error) => Err(Error::failed(format!(
                "cannot make {}: {error}",
                path.display()
            ))),
        }
    }

    /// Waits for the word of the process in the pane. Returns `None` if there is none within the limit.
    #[must_use]
    pub fn wait(&mut self, limit: Duration) -> Option<Start> {
        let timeout = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        let mut polled = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
        if !poll(&mut polled, timeout).is_ok_and(|count| count > 0) {
            return None;
        }
        let mut word = [0; MAX_BYTES];
        match self.pipe.read(&mut word) {
            Ok(0) => Some(Start::Ended),
            Ok(length) => Some(match String::from_utf8_lossy(&word[..length]) {
                word if word == STARTED => Start::Started,
                reason => Start::Failed(reason.into_owned()),
            }),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                None
            }
            Err(_) => Some(Start::Ended),
        }
    }
}

impl Drop for StartSignal {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The end of the process in the pane. It tells once, and does nothing where no process reads.
#[derive(Default)]
pub struct StartReport {
    pipe: Cell<Option<File>>,
    failed: Cell<bool>,
}

impl StartReport {
    /// Opens the pipe of a launch file, and removes its file.
    #[must_use]
    pub fn of(launch: &Path) -> Self {
        let path = path_of(launch);
        let flags = OFlag::O_NONBLOCK.bits();
        let pipe = File::options().write(true).custom_flags(flags).open(&path);
        let _ = fs::remove_file(&path);
        Self {
            pipe: Cell::new(pipe.ok()),
            failed: Cell::default(),
        }
    }

    /// Tells that the command runs, or that it waits for a key as it should.
    pub fn started(&self) {
        self.tell(STARTED);
    }

    /// Tells why the command cannot be started.
    pub fn failed(&self, reason: &str) {
        let told = self.tell(reason);
        self.failed.set(told);
    }

    /// Returns whether the maker of the pane was told why the command cannot be started. It takes everything away then.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.get()
    }

    /// Writes a word, the first time. Returns whether the maker of the pane can read it.
    fn tell(&self, word: &str) -> bool {
        let end = word.len().min(MAX_BYTES);
        let pipe = self.pipe.take();
        pipe.is_some_and(|mut pipe| pipe.write_all(&word.as_bytes()[..end]).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn what_is_told_arrives_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let launch = folder.path().join("launch-x");
        for (tell, expected) in [
            (
                (|report: &StartReport| report.started()) as fn(&StartReport),
                Start::Started,
            ),
            (|report| report.failed("no"), Start::Failed("no".into())),
            (|_| {}, Start::Ended),
        ] {
            let mut signal = StartSignal::of(&launch).expect("a pipe");
            assert_eq!(signal.wait(AT_ONCE), None);
            let report = StartReport::of(&launch);
            assert_eq!(signal.wait(AT_ONCE), None);
            tell(&report);
            if expected != Start::Ended {
                report.failed("too late");
            }
            drop(report);
            // A process that another test is just starting holds the pipe until it runs its program.
            assert_eq!(signal.wait(Duration::from_secs(10)), Some(expected));
        }
        StartReport::of(&launch).started();
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
