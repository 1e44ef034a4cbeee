//! Waits until a file is written, until a file appears in a folder, until a process ends, until another descriptor is
//! readable, or until the reader of standard output is gone: without a process and without processor time in between.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{ProcessId, is_alive};

/// How often to look where the system reports nothing, in milliseconds.
const LOOK_EVERY: u16 = 1000;

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// The file may have been written, or a descriptor is readable.
    Changed,
    /// The process has ended. What it wrote last may not have been read yet.
    Ended,
    /// The reader of standard output is gone.
    HungUp,
}

/// A file or a folder, and a process, that are watched.
#[derive(Debug)]
pub struct FileWatch {
    process: ProcessId,
    /// Whether a file or a folder is watched.
    has_path: bool,
    /// A descriptor that is readable when the file was written, if the system has one.
    writes: Option<OwnedFd>,
    /// A descriptor that is readable when the process has ended, if the system has one.
    end: Option<OwnedFd>,
}

impl FileWatch {
    /// Begins to watch. What is written to the file from now on ends the next wait, and so does a file that appears in the
    /// folder.
    ///
    /// # Errors
    /// The file or the folder cannot be watched.
    pub fn new(path: Option<&Path>, process: ProcessId) -> io::Result<Self> {
        Ok(Self {
            process,
            has_path: path.is_some(),
            writes: path.map_or(Ok(None), writes_to)?,
            end: end_of(process),
        })
    }

    /// Waits, also for other descriptors. Without these the caller looks itself, and the wait ends after a second.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub fn wait(&self, others: &[BorrowedFd<'_>]) -> io::Result<WatchEvent> {
        // Its pid may have been given to another process before that was watched.
        if !is_alive(self.process) {
            return Ok(WatchEvent::Ended);
        }
        let stdout = io::stdout();
        let descriptors = [&self.writes, &self.end];
        let is_reported = self.writes.is_some() || !self.has_path;
        let timeout = if is_reported && self.end.is_some() && !others.is_empty() {
            PollTimeout::NONE
        } else {
            PollTimeout::from(LOOK_EVERY)
        };
        // A closed pipe is reported without being asked for.
        let mut polled = vec![PollFd::new(stdout.as_fd(), PollFlags::empty())];
        let descriptors = descriptors.into_iter().flatten();
        let descriptors = descriptors.map(AsFd::as_fd).chain(others.iter().copied());
        polled.extend(descriptors.map(|it| PollFd::new(it, PollFlags::POLLIN)));
        loop {
            match poll(&mut polled, timeout) {
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => break,
            }
        }
        if polled[0].any() == Some(true) {
            return Ok(WatchEvent::HungUp);
        }
        self.forget_writes();
        Ok(if is_alive(self.process) {
            WatchEvent::Changed
        } else {
            WatchEvent::Ended
        })
    }

    /// Reads the reports of writes until there are none.
    fn forget_writes(&self) {
        let mut reports = [0; 4096];
        let Some(writes) = &self.writes else { return };
        while nix::unistd::read(writes, &mut reports).is_ok_and(|size| size > 0) {}
    }
}

/// Waits until a process has ended, at most for a time. Where the system does not report the end, it may return earlier.
pub fn wait_for_end(process: ProcessId, limit: Duration) {
    let end = end_of(process);
    if !is_alive(process) {
        return;
    }
    let mut polled: Vec<PollFd<'_>> = end
        .iter()
        .map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN))
        .collect();
    let limit = if polled.is_empty() {
        limit.min(Duration::from_millis(LOOK_EVERY.into()))
    } else {
        limit
    };
    // A signal ends the wait early, and the caller looks again.
    let _ = poll(
        &mut polled,
        PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX),
    );
}

#[cfg(target_os = "linux")]
fn writes_to(path: &Path) -> io::Result<Option<OwnedFd>> {
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

    // Other files in a folder are of no concern.
    let what = if path.is_dir() {
        AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO
    } else {
        AddWatchFlags::IN_MODIFY
    };
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    inotify.add_watch(path, what)?;
    Ok(Some(inotify.into()))
}

/// A kernel before 5.3 has no such descriptor.
#[cfg(target_os = "linux")]
fn end_of(process: ProcessId) -> Option<OwnedFd> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    pidfd_open(Pid::from_raw(process.pid)?, PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
fn writes_to(_path: &Path) -> io::Result<Option<OwnedFd>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn end_of(_process: ProcessId) -> Option<OwnedFd> {
    None
}
