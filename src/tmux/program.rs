//! Runs the tmux program to its end, or until its time is over.

use std::io::{ErrorKind, Read, Result, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What a client printed, and how it ended.
#[derive(Debug)]
pub(super) struct ProgramOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Runs a client with an input on stdin. `left` returns how much time it still has, and is asked again when that is over.
/// Returns `None` if the time is over, and ends the client then.
///
/// # Errors
/// The program cannot be started.
pub(super) fn run(
    command: &mut Command,
    input: Option<&[u8]>,
    left: impl Fn() -> Duration,
) -> Result<Option<ProgramOutput>> {
    let mut child = command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let printed = exchange(&mut child, input.unwrap_or_default(), left);
    if !matches!(printed, Ok(Some(_))) {
        let _ = child.kill();
    }
    let status = child.wait()?;
    Ok(printed?.map(|[stdout, stderr]| ProgramOutput {
        status,
        stdout,
        stderr,
    }))
}

/// Writes the input and reads both outputs to their ends. Returns `None` if the time is over.
fn exchange(
    child: &mut Child,
    input: &[u8],
    left: impl Fn() -> Duration,
) -> Result<Option<[Vec<u8>; 2]>> {
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &stdin {
        // A client that does not read yet must not block this process.
        let flags = OFlag::from_bits_truncate(fcntl(stdin, FcntlArg::F_GETFL)?);
        fcntl(stdin, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    }
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let mut printed = [Vec::new(), Vec::new()];
    let mut unwritten = input;
    while stdout.is_some() || stderr.is_some() {
        let [input, output, errors] = {
            let time = left();
            if time.is_zero() {
                return Ok(None);
            }
            let inputs = stdin.as_ref().map(|it| (it.as_fd(), PollFlags::POLLOUT));
            let outputs = stdout.as_ref().map(|it| (it.as_fd(), PollFlags::POLLIN));
            let errors = stderr.as_ref().map(|it| (it.as_fd(), PollFlags::POLLIN));
            ready([inputs, outputs, errors], time)?
        };
        if input && !write_some(stdin.as_mut(), &mut unwritten) {
            stdin = None;
        }
        if output && read_some(stdout.as_mut(), &mut printed[0])? {
            stdout = None;
        }
        if errors && read_some(stderr.as_mut(), &mut printed[1])? {
            stderr = None;
        }
    }
    Ok(Some(printed))
}

/// Waits until one of the descriptors is ready or has ended, or for some time. Returns which are.
fn ready(
    descriptors: [Option<(BorrowedFd<'_>, PollFlags)>; 3],
    time: Duration,
) -> Result<[bool; 3]> {
    // The time is rounded up, so that one below a millisecond does not cause a busy loop.
    let timeout =
        PollTimeout::try_from(time + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
    let mut polled: Vec<PollFd<'_>> = descriptors
        .iter()
        .flatten()
        .map(|(descriptor, flags)| PollFd::new(*descriptor, *flags))
        .collect();
    match poll(&mut polled, timeout) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok([false; 3]),
        Err(error) => return Err(error.into()),
    }
    let mut polled = polled.iter();
    Ok(descriptors.map(|descriptor| {
        descriptor.is_some() && polled.next().is_some_and(|it| it.any().unwrap_or(true))
    }))
}

/// Writes a part of the input. Returns `false` when there is nothing more to write. If there is no server, the client
/// closes the pipe, and its error message is more useful than this error.
fn write_some(stdin: Option<&mut ChildStdin>, unwritten: &mut &[u8]) -> bool {
    let Some(stdin) = stdin else { return false };
    match stdin.write(unwritten) {
        Ok(length) => {
            *unwritten = &unwritten[length..];
            !unwritten.is_empty()
        }
        Err(error) => matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock),
    }
}

/// Reads a part of an output. Returns whether it has ended.
fn read_some(output: Option<&mut impl Read>, printed: &mut Vec<u8>) -> Result<bool> {
    let mut chunk = [0; 16_384];
    match output.map_or(Ok(0), |output| output.read(&mut chunk)) {
        Ok(length) => {
            printed.extend_from_slice(&chunk[..length]);
            Ok(length == 0)
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn more_than_a_pipe_holds_in_both_directions() {
        let input = vec![b'x'; 1_000_000];
        let left = || Duration::from_secs(20);
        let output = run(&mut shell("tee /dev/stderr"), Some(&input), left);
        let output = output.expect("a shell").expect("in time");
        assert!(output.status.success());
        assert_eq!(
            (output.stdout.len(), output.stderr.len()),
            (1_000_000, 1_000_000)
        );
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        for script in [
            "exec sleep 1000",
            "echo x; exec sleep 1000",
            "exec sleep 1000 <&-",
        ] {
            let end = Instant::now() + Duration::from_millis(50);
            let left = || end.saturating_duration_since(Instant::now());
            let input = vec![b'x'; 1_000_000];
            let output = run(&mut shell(script), Some(&input), left).expect("a shell");
            assert!(output.is_none(), "{script}: {output:?}");
        }
    }
}
