//! A command in the foreground of the terminal that this process leads, as a shell's job control does it.
//!
//! The one place with `unsafe`: a child must make itself the terminal's foreground group between fork and
//! exec. Done by the parent after the fork, the child may read the terminal first and be stopped for it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, getpid, setpgid, tcsetpgrp};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Code(i32),
    Signal(i32),
}

/// What happened while the terminal was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A signal that asks this process to end: HUP or TERM.
    End,
    /// One key alone: not part of a paste or of an escape sequence.
    Key(u8),
    /// Time is up.
    Timeout,
    /// The terminal is gone.
    Gone,
}

/// The terminal of the pane, and the signals of this process, which arrive as data.
pub struct Terminal {
    tty: std::fs::File,
    /// The same to read from, which never waits: a job that was left behind may take what was there a moment ago.
    keys: std::fs::File,
    /// One byte for each signal that came, its number.
    signals: UnixStream,
    saved: Option<Termios>,
    /// The signals that were blocked before: those that a child starts with.
    before: SigSet,
}

/// What is passed on to the child's group.
const PASSED: [Signal; 7] = [
    Signal::SIGHUP,
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
];

impl Terminal {
    /// Takes the controlling terminal. From here on no signal but KILL and STOP acts by itself.
    ///
    /// # Errors
    /// When there is no controlling terminal.
    pub fn take() -> io::Result<Self> {
        let tty = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")?;
        let keys = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits())
            .open("/dev/tty")?;
        let mut mask = SigSet::empty();
        for signal in PASSED {
            mask.add(signal);
        }
        for signal in [
            Signal::SIGCHLD,
            Signal::SIGTSTP,
            // Not blocked, they would stop this process when it takes the terminal back or draws on it.
            Signal::SIGTTOU,
            Signal::SIGTTIN,
        ] {
            mask.add(signal);
        }
        let before = SigSet::thread_get_mask()?;
        mask.thread_block()?;
        let signals = as_data(mask)?;
        let saved = tcgetattr(&tty).ok();
        Ok(Self {
            tty,
            keys,
            signals,
            saved,
            before,
        })
    }

    /// Runs a command as the foreground job until it ends. A child that stops itself is continued: nobody
    /// is there to do it. Signals are passed on to its group.
    ///
    /// `started` is called with the child's pid, which is its group too. The second value says whether somebody
    /// asked this process to end meanwhile.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub fn run(&self, mut command: Command, started: impl FnOnce(i32)) -> io::Result<(End, bool)> {
        in_foreground(&mut command, self.before);
        let child = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        started(pid.as_raw());
        let mut ending = false;
        let end = loop {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
                Ok(WaitStatus::Exited(_, code)) => break End::Code(code),
                Ok(WaitStatus::Signaled(_, signal, _)) => break End::Signal(signal as i32),
                Ok(WaitStatus::Stopped(_, signal)) => {
                    if matches!(signal, Signal::SIGTTIN | Signal::SIGTTOU) {
                        // A grandchild had the foreground and is gone: continued alone, it would stop again.
                        let _ = tcsetpgrp(&self.tty, pid);
                    }
                    let _ = killpg(pid, Signal::SIGCONT);
                    continue;
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            Self::wait(&[self.signals.as_fd()], None);
            for signal in self.arrived() {
                if PASSED.contains(&signal) {
                    let _ = killpg(pid, signal);
                }
                if matches!(signal, Signal::SIGHUP | Signal::SIGTERM) {
                    // A stopped child would see it only when it goes on.
                    let _ = killpg(pid, Signal::SIGCONT);
                    ending = true;
                }
            }
        };
        Ok((end, ending))
    }

    /// Takes the terminal back from a job that ended: the foreground, and a state in which keys are read
    /// one by one and nothing is echoed.
    pub fn take_back(&self) {
        let _ = tcsetpgrp(&self.tty, getpgrp());
        if let Ok(mut raw) = tcgetattr(&self.tty) {
            cfmakeraw(&mut raw);
            let _ = tcsetattr(&self.tty, SetArg::TCSANOW, &raw);
        }
    }

    /// Gives the terminal the settings that it had at first.
    pub fn restore(&self) {
        if let Some(saved) = &self.saved {
            let _ = tcsetattr(&self.tty, SetArg::TCSANOW, saved);
        }
    }

    pub fn write(&mut self, text: &str) {
        let _ = self.tty.write_all(text.as_bytes());
        let _ = self.tty.flush();
    }

    /// Waits until tmux has read everything that was written to the terminal: it answers a status
    /// request in order, so the answer comes after all of it. Keys typed in these milliseconds are
    /// dropped. `false` when no answer came within the limit. It is asked for again now and then: what the job left
    /// in the background may have been reading, and takes the first.
    ///
    /// tmux alone loses the tail of a fast exit: 181 of 200 runs of 24 kB on Debian's 3.3a.
    pub fn drain(&mut self, limit: Duration) -> bool {
        const REQUEST: &str = "\x1b[5n";
        const ANSWER: &[u8] = b"\x1b[0n";
        const AGAIN: Duration = Duration::from_millis(200);
        self.write(REQUEST);
        let deadline = Instant::now() + limit;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            if !Self::wait(&[self.keys.as_fd()], Some(left.min(AGAIN))) {
                self.write(REQUEST);
                continue;
            }
            let mut bytes = [0; 256];
            match self.keys.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Ok(0) | Err(_) => return false,
                Ok(count) => seen.extend_from_slice(&bytes[..count]),
            }
            if seen.windows(ANSWER.len()).any(|window| window == ANSWER) {
                return true;
            }
        }
    }

    /// Waits for a key, a signal to end, or the limit.
    pub fn event(&mut self, limit: Option<Duration>) -> TerminalEvent {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if !Self::wait(&[self.signals.as_fd(), self.keys.as_fd()], left) {
                return TerminalEvent::Timeout;
            }
            if self
                .arrived()
                .iter()
                .any(|signal| matches!(signal, Signal::SIGHUP | Signal::SIGTERM))
            {
                return TerminalEvent::End;
            }
            if Self::wait(&[self.keys.as_fd()], Some(Duration::ZERO)) {
                match self.read_burst() {
                    None => return TerminalEvent::Gone,
                    Some(burst) => {
                        if let [key] = burst[..] {
                            return TerminalEvent::Key(key);
                        }
                    }
                }
            }
        }
    }

    /// The signals that came since the last look.
    fn arrived(&self) -> Vec<Signal> {
        let mut bytes = [0; 64];
        match (&self.signals).read(&mut bytes) {
            Ok(count) => bytes[..count]
                .iter()
                .filter_map(|&number| Signal::try_from(i32::from(number)).ok())
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Everything that arrives together. A person's key is one byte and then nothing for a while; a paste
    /// or an arrow key is more.
    fn read_burst(&mut self) -> Option<Vec<u8>> {
        let mut burst = Vec::new();
        loop {
            let mut bytes = [0; 4096];
            match self.keys.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(burst),
                Ok(0) | Err(_) => return None,
                Ok(count) => burst.extend_from_slice(&bytes[..count]),
            }
            if !Self::wait(&[self.keys.as_fd()], Some(Duration::from_millis(30))) {
                return Some(burst);
            }
        }
    }

    /// Waits until one of the descriptors can be read. `false` at the limit.
    fn wait(descriptors: &[BorrowedFd<'_>], limit: Option<Duration>) -> bool {
        let timeout = limit.map_or(PollTimeout::NONE, |limit| {
            // Rounded up: a limit below a millisecond is not a busy loop.
            PollTimeout::try_from(limit + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX)
        });
        let mut polled: Vec<PollFd<'_>> = descriptors
            .iter()
            .map(|descriptor| PollFd::new(*descriptor, PollFlags::POLLIN))
            .collect();
        loop {
            match poll(&mut polled, timeout) {
                Err(Errno::EINTR) => {}
                Ok(count) => return count > 0,
                Err(_) => return false,
            }
        }
    }
}

/// Hands blocked signals to a thread that waits for them and writes each as a byte: portable, where
/// signalfd is Linux alone.
fn as_data(mask: SigSet) -> io::Result<UnixStream> {
    let (reader, mut writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    std::thread::Builder::new().spawn(move || {
        while let Ok(signal) = mask.wait() {
            // The numbers that are passed on are below 64 on every system.
            let Ok(byte) = u8::try_from(signal as i32) else {
                continue;
            };
            if writer.write_all(&[byte]).is_err() {
                return;
            }
        }
    })?;
    Ok(reader)
}

/// Has the command start in a process group of its own that owns the terminal.
#[allow(unsafe_code)]
fn in_foreground(command: &mut Command, signals: SigSet) {
    let claim = move || {
        let own = getpid();
        setpgid(own, own)?;
        let tty = std::fs::File::open("/dev/tty")?;
        // A group in the background that touches the terminal's foreground is stopped by TTOU.
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGTTOU);
        mask.thread_block()?;
        let claimed = tcsetpgrp(&tty, own);
        // What this process blocks is its own affair: std (1.95) hands the mask on, and a child that blocks
        // HUP and TERM could not be ended.
        signals.thread_set_mask()?;
        claimed?;
        Ok(())
    };
    // SAFETY: the closure runs in the forked child before exec and only makes system calls that are safe
    // there (getpid, setpgid, open, sigprocmask, tcsetpgrp, close): it allocates nothing, as `/dev/tty`
    // fits the buffer that std keeps on the stack for short paths.
    unsafe {
        command.pre_exec(claim);
    }
}
