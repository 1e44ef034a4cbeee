//! The input that another program passes to this one on standard input.

use std::io::{BufRead, IsTerminal, stdin};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Returns whether standard input is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    stdin().is_terminal()
}

/// Reads standard input to its end, at most `most` bytes. If nothing arrives for `patience`, that counts as the end
/// too: another process may have left the pipe open.
#[must_use]
pub fn read(most: usize, patience: Duration) -> Vec<u8> {
    let mut stdin = stdin().lock();
    let mut text = Vec::new();
    while text.len() < most && readable(&stdin, patience) {
        // The buffer of the standard library: it is empty before, so that what is read next is what is readable.
        match stdin.fill_buf() {
            Ok([]) => break,
            Ok(bytes) => {
                text.extend_from_slice(bytes);
                let length = bytes.len();
                stdin.consume(length);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    text
}

fn readable(stdin: &impl AsFd, patience: Duration) -> bool {
    let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
    let mut polled = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut polled, timeout) {
            Err(Errno::EINTR) => {}
            outcome => return outcome.is_ok_and(|count| count > 0),
        }
    }
}
