//! Waits until a file is written, until a process ends, or until the reader of standard output is gone: without a process
//! and without processor time in between.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{ProcessId, is_alive};

/// How often to look where the system reports nothing, in milliseconds.
const LOOK_EVERY: u16 = 1000;

/// Why a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// The file may have been written.
    Written,
    /// The process has ended. What it wrote last may not have been read yet.
    Ended,
    /// The reader of standard output is gone.
    HungUp,
}

/// A file and a process that are watched.
#[derive(Debug)]
pub struct FileWatch {
    process: ProcessId,
    /// A descriptor that is readable when the file was written, if the system has one.
    writes: Option<OwnedFd>,
    /// A descriptor that is readable when the process has ended, if the system has one.
    end: Option<OwnedFd>,
}

impl FileWatch {
    /// Begins to watch. What is written from now on ends the next wait.
    ///
    /// # Errors
    /// The file cannot be watched.
    pub fn new(file: &Path, process: ProcessId) -> io::Result<Self> {
        Ok(Self {
            process,
            writes: writes_to(file)?,
            end: end_of(process),
        })
    }

    /// Waits.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub fn wait(&self) -> io::Result<WatchEvent> {
        // Its pid may have been given to another process before that was watched.
        if !is_alive(self.process) {
            return Ok(WatchEvent::Ended);
        }
        let stdout = io::stdout();
        let descriptors = [&self.writes, &self.end];
        let timeout = if descriptors.iter().all(|it| it.is_some()) {
            PollTimeout::NONE
        } else {
            PollTimeout::from(LOOK_EVERY)
        };
        // A closed pipe is reported without being asked for.
        let mut polled = vec![PollFd::new(stdout.as_fd(), PollFlags::empty())];
        let descriptors = descriptors.into_iter().flatten();
        polled.extend(descriptors.map(|it| PollFd::new(it.as_fd(), PollFlags::POLLIN)));
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
            WatchEvent::Written
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

#[cfg(target_os = "linux")]
fn writes_to(file: &Path) -> io::Result<Option<OwnedFd>> {
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    inotify.add_watch(file, AddWatchFlags::IN_MODIFY)?;
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
fn writes_to(_file: &Path) -> io::Result<Option<OwnedFd>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn end_of(_process: ProcessId) -> Option<OwnedFd> {
    None
}
