//! The input that another program passes to this one on standard input.

use std::fs::File;
use std::io::{BufRead, IsTerminal, Read, stdin};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::{Error, Result};

/// Returns whether standard input is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    stdin().is_terminal()
}

/// Reads a text from a file, or from standard input without one, to its end.
///
/// # Errors
/// It cannot be read, or is larger than any text for an agent.
pub fn text(file: Option<&Path>) -> Result<String> {
    const MOST: u64 = 64 << 20;
    let name = file.map_or_else(|| "stdin".into(), Path::to_string_lossy);
    let mut bytes = Vec::new();
    let read = match file {
        Some(file) => File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut bytes)),
        None => stdin().lock().take(MOST).read_to_end(&mut bytes),
    };
    read.map_err(|error| Error::failed(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 == MOST {
        return Err(Error::unusable(format!(
            "{name} has 64 MB or more: give the agent the name of a file instead"
        )));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
