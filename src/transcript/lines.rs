//! The lines of a file that grows: from its end backward, and forward as bytes are added. Both return only lines whose end
//! is written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memrchr};

/// The size from which a line is left out, in bytes: it is not kept in memory.
pub const SKIP_LIMIT: usize = 64 << 20;

/// A line without its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawLine {
    Whole(Vec<u8>),
    /// A line that is too long to be read, with its size in bytes.
    TooLong(u64),
}

impl RawLine {
    /// Returns its size, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::TooLong(size) => *size,
        }
    }
}

/// A line, and where it begins in its file.
pub type PlacedLine = (u64, RawLine);

/// Reads the lines of a file from its last one on to its first one.
#[derive(Debug)]
pub struct LinesBack {
    file: File,
    /// A part of the file.
    window: Vec<u8>,
    /// Where the window begins in the file.
    start: u64,
    /// The part of the window that was not returned yet ends here, behind a newline.
    end: usize,
    skip_limit: usize,
}

impl LinesBack {
    /// The first read from the end, in bytes. Each further one doubles what is kept.
    const BLOCK: usize = 128 << 10;
    const LARGEST_BLOCK: usize = 8 << 20;

    /// Reads the file as long as it is now.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let start = file.metadata()?.len();
        let mut lines = Self {
            file,
            window: Vec::new(),
            start,
            end: 0,
            skip_limit: SKIP_LIMIT,
        };
        // A last line whose end is not written is left out.
        while lines.end == 0 && lines.start > 0 {
            lines.window.clear();
            lines.grow()?;
            lines.end = memrchr(b'\n', &lines.window).map_or(0, |at| at + 1);
        }
        lines.window.truncate(lines.end);
        Ok(lines)
    }

    /// Returns where the last line ends whose end is written.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.start + self.end as u64
    }

    /// Reads a block before the window, and returns its size.
    fn grow(&mut self) -> io::Result<usize> {
        let block = self.window.len().clamp(Self::BLOCK, Self::LARGEST_BLOCK);
        let block = usize::try_from(self.start).map_or(block, |start| block.min(start));
        let mut window = vec![0; block];
        self.start -= block as u64;
        self.file.read_exact_at(&mut window, self.start)?;
        window.extend_from_slice(&self.window);
        self.window = window;
        self.end += block;
        Ok(block)
    }

    /// Returns the line before the last one that was returned.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter than it was.
    pub fn previous(&mut self) -> io::Result<Option<PlacedLine>> {
        if self.end == 0 {
            return Ok(None);
        }
        self.window.truncate(self.end);
        // The newline of this line is not searched, and neither is what was searched before.
        let mut unsearched = self.end - 1;
        // How much of the line is not kept, with its newline.
        let mut left_out = 0_u64;
        let begin = loop {
            if let Some(at) = memrchr(b'\n', &self.window[..unsearched]) {
                break at + 1;
            }
            if self.start == 0 {
                break 0;
            }
            if left_out > 0 || self.end > self.skip_limit {
                left_out += self.end as u64;
                self.window.clear();
                self.end = 0;
            }
            unsearched = self.grow()?;
        };
        let place = self.start + begin as u64;
        let kept = self.end - begin;
        let line = if left_out > 0 {
            RawLine::TooLong(left_out + kept as u64 - 1)
        } else {
            RawLine::Whole(self.window[begin..self.end - 1].to_vec())
        };
        self.end = begin;
        Ok(Some((place, line)))
    }
}

/// Splits bytes that are added to a file into lines.
#[derive(Debug)]
pub struct LineFeed {
    /// The line whose end has not come yet.
    partial: Vec<u8>,
    /// How much of it is not kept.
    left_out: u64,
    /// Where it begins in the file.
    start: u64,
    skip_limit: usize,
}

impl LineFeed {
    /// Begins at the start of a line.
    #[must_use]
    pub fn at(start: u64) -> Self {
        Self {
            partial: Vec::new(),
            left_out: 0,
            start,
            skip_limit: SKIP_LIMIT,
        }
    }

    /// Returns where the first line begins whose end has not come yet.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.start
    }

    /// Returns where the next bytes come from.
    #[must_use]
    pub fn read_to(&self) -> u64 {
        self.start + self.left_out + self.partial.len() as u64
    }

    /// Adds bytes, and returns the lines that end in them.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<PlacedLine> {
        let mut lines = Vec::new();
        while let Some(at) = memchr(b'\n', bytes) {
            self.keep(&bytes[..at]);
            bytes = &bytes[at + 1..];
            let size = self.left_out + self.partial.len() as u64;
            let kept = std::mem::take(&mut self.partial);
            let line = match std::mem::take(&mut self.left_out) {
                0 => RawLine::Whole(kept),
                _ => RawLine::TooLong(size),
            };
            lines.push((self.start, line));
            self.start += size + 1;
        }
        self.keep(bytes);
        lines
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.left_out > 0 || self.partial.len() + bytes.len() > self.skip_limit {
            self.left_out += self.partial.len() as u64 + bytes.len() as u64;
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        file
    }

    /// Returns the lines of a file, read from its end, the first one first.
    fn backward(content: &[u8], skip_limit: usize) -> Vec<PlacedLine> {
        let mut lines = LinesBack::new(file(content)).expect("a file");
        lines.skip_limit = skip_limit;
        let mut all = Vec::new();
        while let Some(line) = lines.previous().expect("a line") {
            all.push(line);
        }
        all.reverse();
        all
    }

    /// Returns the lines of bytes that are added in pieces.
    fn forward(content: &[u8], pieces: &[usize], skip_limit: usize) -> Vec<PlacedLine> {
        let mut feed = LineFeed::at(0);
        feed.skip_limit = skip_limit;
        let (mut all, mut rest) = (Vec::new(), content);
        for piece in pieces {
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            all.extend(feed.feed(now));
            rest = later;
        }
        all.extend(feed.feed(rest));
        assert_eq!(feed.read_to(), content.len() as u64);
        all
    }

    /// Returns the lines as the standard library splits them.
    fn expected(content: &[u8], skip_limit: usize) -> Vec<PlacedLine> {
        let mut start = 0;
        let lines = content.split_inclusive(|byte| *byte == b'\n');
        let ended = lines.filter(|line| line.ends_with(b"\n"));
        ended
            .map(|line| {
                let text = &line[..line.len() - 1];
                let placed = if text.len() > skip_limit {
                    (start, RawLine::TooLong(text.len() as u64))
                } else {
                    (start, RawLine::Whole(text.to_vec()))
                };
                start += line.len() as u64;
                placed
            })
            .collect()
    }

    #[test]
    fn a_half_written_line_is_not_returned() {
        assert_eq!(backward(b"", SKIP_LIMIT), []);
        assert_eq!(backward(b"half", SKIP_LIMIT), []);
        assert_eq!(
            backward(b"one\n\nhalf", SKIP_LIMIT),
            [
                (0, RawLine::Whole(b"one".to_vec())),
                (4, RawLine::Whole(Vec::new()))
            ]
        );
        let lines = LinesBack::new(file(b"one\n\nhalf")).expect("a file");
        assert_eq!(lines.position(), 5);
    }

    #[test]
    fn lines_longer_than_a_block() {
        let long = vec![b'x'; LinesBack::BLOCK * 5 + 3];
        let mut content = b"first\n".to_vec();
        content.extend(&long);
        content.extend(b"\nlast\n");
        content.extend(&long);
        assert_eq!(
            backward(&content, SKIP_LIMIT),
            expected(&content, SKIP_LIMIT)
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept() {
        let limit = LinesBack::BLOCK;
        let mut content = b"first\n".to_vec();
        content.extend(vec![b'x'; LinesBack::BLOCK * 5 + 3]);
        content.extend(b"\nlast\n");
        assert_eq!(backward(&content, limit), expected(&content, limit));
        assert_eq!(
            forward(&content, &[7, 100_000], limit),
            expected(&content, limit)
        );
    }

    proptest! {
        #[test]
        fn any_split_of_writes_gives_the_same_lines(
            content in "(\\PC|\n|\n\n){0,80}",
            pieces in proptest::collection::vec(0_usize..20, 0..40),
            limit in 1_usize..12,
        ) {
            let content = content.as_bytes();
            prop_assert_eq!(forward(content, &pieces, SKIP_LIMIT), expected(content, SKIP_LIMIT));
            prop_assert_eq!(forward(content, &pieces, limit), expected(content, limit));
            prop_assert_eq!(backward(content, SKIP_LIMIT), expected(content, SKIP_LIMIT));
        }
    }
}
