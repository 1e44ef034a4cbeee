//! The file name of a journal, and how its file ends.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// How many characters of the socket path the file name contains.
const SHOWN_CHARACTERS: usize = 100;

/// Returns whether a file of this length ends with a whole line.
pub(super) fn ends_a_line(file: &File, length: u64) -> std::io::Result<bool> {
    let mut last = [0];
    file.read_exact_at(&mut last, length - 1)?;
    Ok(last == *b"\n")
}

/// Returns the file name for a socket path: the end of the path, for people, and a hash of the whole path.
pub(super) fn file_name(socket: &str) -> String {
    let plain: Vec<char> = socket
        .chars()
        .map(|c| match c {
            '/' => '%',
            c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
            _ => '_',
        })
        .collect();
    let shown: String = plain[plain.len().saturating_sub(SHOWN_CHARACTERS)..]
        .iter()
        .collect();
    let shown = shown.trim_start_matches(['%', '.']);
    format!("{shown}-{:016x}.jsonl", fnv1a(socket.as_bytes()))
}

/// Returns the FNV-1a hash, which is the same in every version of every program.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
