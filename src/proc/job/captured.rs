//! Runs a command whose output is read, as the foreground job of a terminal and with a time limit.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::termios::{InputFlags, SetArg, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{End, FORWARDED, Terminal, end_with_child, in_foreground};
use crate::proc::{self, Process};

/// How long a command that was asked to end may take until it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long output is awaited after the end of the command. A process that it left behind may keep the pipe open.
const DRAIN: Duration = Duration::from_secs(2);

/// Which output of a command bytes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// How a command ended whose output was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedEnd {
    pub end: End,
    /// This process received HUP or TERM meanwhile.
    pub asked_to_end: bool,
    pub timed_out: bool,
}

/// The pipes of a command that are still open.
struct Pipes(Vec<(OutputStream, File)>);

impl Pipes {
    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(|(_, pipe)| pipe.as_fd())
    }

    /// Reads what is there, without waiting. Closes the pipes at their end.
    fn read(&mut self, taker: &mut impl FnMut(OutputStream, &[u8])) {
        let mut bytes = vec![0; 64 * 1024];
        self.0.retain_mut(|(stream, pipe)| {
            if !Terminal::wait(&[pipe.as_fd()], Some(Duration::ZERO)) {
                return true;
            }
            match pipe.read(&mut bytes) {
                Ok(0) => false,
                Ok(count) => {
                    taker(*stream, &bytes[..count]);
                    true
                }
                Err(error) => error.kind() == io::ErrorKind::Interrupted,
            }
        });
    }
}

impl Terminal {
    /// Runs a command as [`Terminal::run`] does, and passes its output on. When its time is over, or this process was
    /// asked to end, its whole process group is ended: by TERM, and by KILL what stays.
    ///
    /// # Errors
    /// When the command cannot be started.
    pub fn run_captured(
        &self,
        mut command: Command,
        limit: Duration,
        started: impl FnOnce(i32),
        mut taker: impl FnMut(OutputStream, &[u8]),
    ) -> io::Result<CapturedEnd> {
        self.ignore_stop_key();
        in_foreground(&mut command, self.inherited_mask);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        // Else the command would keep its input, and this process the end of a pipe, until the value is dropped.
        drop(command);
        let mut pipes = Pipes(Vec::new());
        for (stream, pipe) in [
            (OutputStream::Stdout, stdout),
            (OutputStream::Stderr, stderr),
        ] {
            pipes.0.extend(pipe.map(|pipe| (stream, File::from(pipe))));
        }
        started(pid.as_raw());
        let mut ended = CapturedEnd {
            end: End::Code(0),
            asked_to_end: false,
            timed_out: false,
        };
        let mut next_signal = Instant::now()
            .checked_add(limit)
            .map(|at| (at, Signal::SIGTERM));
        let mut started_by_child: Vec<Process> = Vec::new();
        ended.end = loop {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
                Ok(WaitStatus::Exited(_, code)) => break End::Code(code),
                Ok(WaitStatus::Signaled(_, signal, _)) => break End::Signal(signal as i32),
                Ok(WaitStatus::Stopped(..)) => {
                    let _ = killpg(pid, Signal::SIGCONT);
                    continue;
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let left = next_signal.map(|(at, _)| at.saturating_duration_since(Instant::now()));
            let mut descriptors = vec![self.signals.as_fd()];
            descriptors.extend(pipes.descriptors());
            Self::wait(&descriptors, left);
            pipes.read(&mut taker);
            for signal in self.received_signals() {
                let asks_to_end = matches!(signal, Signal::SIGHUP | Signal::SIGTERM);
                if asks_to_end && !ended.asked_to_end {
                    ended.asked_to_end = true;
                    started_by_child = descendants(pid);
                    next_signal = Some((Instant::now() + GRACE, Signal::SIGKILL));
                }
                if FORWARDED.contains(&signal) {
                    let _ = killpg(pid, signal);
                    let _ = killpg(pid, Signal::SIGCONT);
                }
            }
            if let Some((at, signal)) = next_signal
                && Instant::now() >= at
            {
                if signal == Signal::SIGTERM {
                    ended.timed_out = true;
                    started_by_child = descendants(pid);
                }
                let _ = killpg(pid, signal);
                let _ = killpg(pid, Signal::SIGCONT);
                let is_first = signal == Signal::SIGTERM;
                next_signal = is_first.then(|| (Instant::now() + GRACE, Signal::SIGKILL));
            }
        };
        let is_killed = matches!(ended.end, End::Signal(_));
        if is_killed && !ended.asked_to_end && !ended.timed_out {
            // The parent of what it had started is another process by now, and a scan finds it.
            started_by_child = proc::session(super::own_session());
        }
        if ended.asked_to_end || ended.timed_out || is_killed {
            let _ = killpg(pid, Signal::SIGKILL);
            end_with_child(&started_by_child, true);
        }
        let deadline = Instant::now() + DRAIN;
        while !pipes.0.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            Self::wait(&pipes.descriptors().collect::<Vec<_>>(), Some(left));
            pipes.read(&mut taker);
        }
        Ok(ended)
    }

    /// Lets Ctrl-S be a key as any other. Else a person who looks at the pane could stop what this process writes, and with
    /// it this process, its time limit included.
    fn ignore_stop_key(&self) {
        if let Ok(mut settings) = tcgetattr(&self.tty) {
            settings.input_flags.remove(InputFlags::IXON);
            let _ = tcsetattr(&self.tty, SetArg::TCSANOW, &settings);
        }
    }

    /// Writes a text while a command runs.
    pub fn show(&self, text: &str) {
        let _ = io::Write::write_all(&mut &self.tty, text.as_bytes());
    }
}

/// Returns what a process has started.
fn descendants(pid: Pid) -> Vec<Process> {
    let mut all = proc::tree(pid.as_raw());
    all.retain(|process| process.pid != pid.as_raw());
    all
}
