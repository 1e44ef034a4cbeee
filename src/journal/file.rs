//! A journal's file: its name, and bytes that are written to it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;

use nix::sys::signal::{SigSet, Signal};

/// How much of the socket's path the file's name shows.
const SHOWN: usize = 100;

/// Whether a file of this length ends with a whole line.
pub(super) fn ends_a_line(file: &File, length: u64) -> std::io::Result<bool> {
    let mut last = [0];
    file.read_exact_at(&mut last, length - 1)?;
    Ok(last == *b"\n")
}

/// A name for a path of any kind: its end for people, and a number of all of it.
pub(super) fn file_name(socket: &str) -> String {
    let plain: Vec<char> = socket
        .chars()
        .map(|c| match c {
            '/' => '%',
            c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
            _ => '_',
        })
        .collect();
    let shown: String = plain[plain.len().saturating_sub(SHOWN)..].iter().collect();
    let shown = shown.trim_start_matches(['%', '.']);
    format!("{shown}-{:016x}.jsonl", number(socket.as_bytes()))
}

/// FNV-1a: the same in every version of every program.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |number, byte| {
        (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Writes all of it. Beyond the size that files may have (`ulimit -f`) that is an error, where it would be the end of
/// this process.
pub(super) fn write_all(mut file: &File, text: &[u8]) -> std::io::Result<()> {
    let mut too_large = SigSet::empty();
    too_large.add(Signal::SIGXFSZ);
    let before = too_large.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK);
    let outcome = file.write_all(text);
    if let Err(error) = &outcome
        && error.kind() == ErrorKind::FileTooLarge
    {
        // Blocked, it waits for this thread, and would come as soon as it may.
        let _ = too_large.wait();
    }
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
    outcome
}
