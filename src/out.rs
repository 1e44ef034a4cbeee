//! Printing. No other module writes to stdout or stderr, and only `cli` prints. The picker draws itself, and uses only
//! the functions that prepare text.
//!
//! Text from panes and from people is escaped for a terminal and left exact on a pipe. A reader that closes the pipe is
//! not an error.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::clock;
use crate::env;

/// Prints a text as it is, and adds a newline where it does not end with one.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Prints one line that may hold any text.
pub(crate) fn line(line: &str) -> anyhow::Result<()> {
    text(&as_line(line))
}

/// Prints values, each ended by a NUL.
pub(crate) fn fields<'a>(values: impl IntoIterator<Item = &'a str>) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    for value in values {
        stdout.write_all(value.as_bytes())?;
        stdout.write_all(b"\0")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Returns whether an error is only that the reader of the output has gone.
pub(crate) fn is_hang_up(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Ignores that the reader has gone: for output amid a change, which has to be finished.
pub(crate) fn unless_hung_up(printed: anyhow::Result<()>) -> anyhow::Result<()> {
    match printed {
        Err(error) if is_hang_up(&error) => Ok(()),
        printed => printed,
    }
}

/// Returns the line as [`line`] prints it.
pub(crate) fn as_line(line: &str) -> String {
    let mut printed = if io::stdout().is_terminal() {
        escaped(line)
    } else {
        line.to_string()
    };
    printed.push('\n');
    printed
}

/// Prints a text over the one before it, cut to the height of the terminal. On a pipe the text follows the one before
/// it, after an empty line unless `packed`.
pub(crate) fn redraw(now: &str, packed: bool) -> anyhow::Result<()> {
    if !io::stdout().is_terminal() {
        let gap = if packed { "" } else { "\n" };
        return text(&format!("{gap}{now}"));
    }
    let rows = terminal_size::terminal_size().map_or(24, |(_, rows)| usize::from(rows.0));
    let mut drawn = "\x1b[H".to_string();
    for line in now.lines().take(rows.saturating_sub(1)) {
        drawn.push_str(line);
        // Each line is cleared behind its text, so that nothing of the text before stays. Clearing the whole screen
        // first would flicker.
        drawn.push_str("\x1b[K\n");
    }
    drawn.push_str("\x1b[J");
    let mut stdout = io::stdout().lock();
    stdout.write_all(drawn.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Prints lines from a pane. With `styled` they are printed as tmux wrote them: tmux writes colours, attributes and
/// links, and no other sequence that a program in the pane chose.
pub(crate) fn lines(lines: &[String], styled: bool) -> anyhow::Result<()> {
    let terminal = io::stdout().is_terminal();
    let mut all = String::new();
    for line in lines {
        if terminal && !styled {
            all.push_str(&escaped(line));
        } else {
            all.push_str(line);
        }
        all.push('\n');
    }
    if all.is_empty() { Ok(()) } else { text(&all) }
}

/// Prints a value as JSON: indented for a terminal, one line on a pipe.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    text(&json_text(value)?)
}

/// Prints a value as JSON in one line, also for a terminal.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    text(&serde_json::to_string(value)?)
}

/// Returns the value as [`json`] prints it.
pub(crate) fn json_text(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(if io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)?
    } else {
        serde_json::to_string(value)?
    })
}

/// Prints a sentence on stderr, behind the name of the helper.
pub(crate) fn complain(helper: &str, sentence: &str) {
    // An error is ignored: where stderr is closed, it cannot be reported.
    let _ = writeln!(io::stderr(), "{helper}: {}", escaped(sentence));
}

/// Prints a sentence for a person that is no result and no error: what takes its time, what to do next. It is printed
/// only where stderr is a terminal.
pub(crate) fn hint(sentence: &str) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        let _ = writeln!(stderr, "{}", escaped(sentence));
    }
}

/// Returns the width of the terminal on stdout, in columns, and `None` on a pipe.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0))
}

/// Escapes a text for a terminal: control characters and characters that reorder text are shown as in `\x1b`.
pub(crate) fn escaped(text: &str) -> String {
    let is_unsafe = |c: char| c.is_control() && c != '\t' || is_bidi(c);
    if !text.chars().any(is_unsafe) {
        return text.into();
    }
    text.chars().fold(String::new(), |mut shown, c| {
        if is_unsafe(c) {
            let _ = match u32::from(c) {
                code @ 0..=0xff => write!(shown, "\\x{code:02x}"),
                code => write!(shown, "\\u{{{code:x}}}"),
            };
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Returns whether a character reorders the text after it.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes a value for a line of tab-separated values: a tab, a newline and a backslash are written `\t`, `\n`, `\\`,
/// so that a line is a row and a tab separates two values.
pub(crate) fn tsv(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// A table whose columns are as wide as their widest cells.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    /// The columns that are cut in a narrow terminal, in the order in which they are cut.
    pub(crate) shrink: Vec<usize>,
    /// The cells that are red on a terminal with colours, by row and column.
    pub(crate) red: Vec<(usize, usize)>,
}

impl Table {
    /// Returns the table as text, cut to `width` cells if a width is given.
    pub(crate) fn render(&self, header: bool, width: Option<usize>) -> String {
        const GAP: usize = 2;
        let header = header.then(|| self.header.iter().map(|title| Cell::of(title)).collect());
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(|cell| Cell::of(cell)).collect());
        let lines: Vec<Vec<Cell<'_>>> = header.into_iter().chain(rows).collect();
        let mut widths = vec![0; self.header.len()];
        for line in &lines {
            for (cell, width) in line.iter().zip(&mut widths) {
                *width = cell.width.max(*width);
            }
        }
        if let Some(limit) = width {
            for &at in &self.shrink {
                let used: usize =
                    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
                let surplus = used.saturating_sub(limit);
                let least = self.header[at].width().max(4).min(widths[at]);
                widths[at] = widths[at].saturating_sub(surplus).max(least);
            }
        }
        let mut text = String::new();
        let first = lines.len() - self.rows.len();
        let colours = width.is_some() && !env::no_colour();
        for (at, line) in lines.into_iter().enumerate() {
            let start = text.len();
            for (column, (cell, &width)) in line.into_iter().zip(&widths).enumerate() {
                let cell = cell.cut(width);
                let is_red = |(row, it): &(usize, usize)| (row + first, *it) == (at, column);
                if colours && self.red.iter().any(is_red) {
                    text.push_str(RED);
                    text.push_str(&cell.text);
                    text.push_str(DEFAULT_COLOUR);
                } else {
                    text.push_str(&cell.text);
                }
                text.extend(std::iter::repeat_n(' ', width - cell.width + GAP));
            }
            text.truncate(start + text[start..].trim_end().len());
            text.push('\n');
        }
        text
    }
}

const RED: &str = "\x1b[31m";
const DEFAULT_COLOUR: &str = "\x1b[39m";

/// A cell of a table as it is printed, with its width in columns of the terminal.
struct Cell<'a> {
    text: Cow<'a, str>,
    width: usize,
}

impl<'a> Cell<'a> {
    fn of(text: &'a str) -> Self {
        // A list of 160 seshes has more than a thousand cells, and nearly all of them are like this.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let width = text.len();
            return Self {
                text: text.into(),
                width,
            };
        }
        let text = escaped(&one_line(text));
        let width = text.width();
        Self {
            text: text.into(),
            width,
        }
    }

    fn cut(self, width: usize) -> Self {
        if self.width <= width {
            return self;
        }
        let text = cut(&self.text, width);
        let width = text.width();
        Self {
            text: text.into(),
            width,
        }
    }
}

/// Returns a cell as one line without tabs.
fn one_line(cell: &str) -> String {
    cell.replace(['\t', '\n', '\r'], " ")
}

/// Cuts a text to at most `width` cells. A text that is cut ends in `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.into();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        kept.push(c);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// Formats an age in its largest unit: `12s`, `5m`, `3h`, `4d`. The times are in epoch seconds.
pub(crate) fn age(since: Option<u64>, now: u64) -> String {
    let Some(since) = since else {
        return String::new();
    };
    clock::short(Duration::from_secs(now.saturating_sub(since)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            escaped("a\x1b[31mb\u{202e}c\td"),
            "a\\x1b[31mb\\u{202e}c\td"
        );
        assert_eq!(escaped("größe 🦀"), "größe 🦀");
    }

    #[test]
    fn wide_cells_line_up() {
        let table = Table {
            header: vec!["NAME", "X"],
            rows: vec![
                vec!["日本".into(), "1".into()],
                vec!["a".into(), "2".into()],
            ],
            shrink: vec![0],
            ..Table::default()
        };
        assert_eq!(table.render(true, None), "NAME  X\n日本  1\na     2\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_columns() {
        let table = Table {
            header: vec!["NAME", "CWD"],
            rows: vec![vec!["build".into(), "/a/very/long/path".into()]],
            shrink: vec![1, 0],
            red: vec![(0, 1)],
        };
        assert_eq!(
            table.render(false, Some(14)),
            "build  \u{1b}[31m/a/ver…\u{1b}[39m\n"
        );
        assert_eq!(table.render(false, None), "build  /a/very/long/path\n");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn ages() {
        assert_eq!(age(Some(0), 59), "59s");
        assert_eq!(age(Some(0), 60), "1m");
        assert_eq!(age(Some(0), 7200), "2h");
        assert_eq!(age(Some(0), 200_000), "2d");
        assert_eq!(age(None, 5), "");
    }
}
