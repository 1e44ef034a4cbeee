//! Printing. Nothing else writes to stdout or stderr, and only `cli` uses this; the picker
//! draws, and takes from here what makes a text fit for it.
//!
//! Text from panes and from people is made harmless for a terminal and left exact on a pipe; a reader that
//! hangs up is not an error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Prints a text as it is, with a newline if it has none.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Prints one line that may hold anything.
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

/// The line as [`line`] prints it.
pub(crate) fn as_line(line: &str) -> String {
    let mut printed = if io::stdout().is_terminal() {
        harmless(line)
    } else {
        line.to_string()
    };
    printed.push('\n');
    printed
}

/// Prints a text over the one before it, as much as a terminal holds; on a pipe behind it, after an empty line unless
/// `packed`.
pub(crate) fn again(now: &str, packed: bool) -> anyhow::Result<()> {
    if !io::stdout().is_terminal() {
        let gap = if packed { "" } else { "\n" };
        return text(&format!("{gap}{now}"));
    }
    let rows = terminal_size::terminal_size().map_or(24, |(_, rows)| usize::from(rows.0));
    let mut drawn = "\x1b[H".to_string();
    for line in now.lines().take(rows.saturating_sub(1)) {
        drawn.push_str(line);
        // To its end, so that nothing of the text before shows; without a moment of emptiness, which would flicker.
        drawn.push_str("\x1b[K\n");
    }
    drawn.push_str("\x1b[J");
    let mut stdout = io::stdout().lock();
    stdout.write_all(drawn.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Prints lines from a pane. With `styled` they go as tmux wrote them: it prints
/// colours, attributes and links, and nothing that a program in the pane chose.
pub(crate) fn lines(lines: &[String], styled: bool) -> anyhow::Result<()> {
    let terminal = io::stdout().is_terminal();
    let mut all = String::new();
    for line in lines {
        if terminal && !styled {
            all.push_str(&harmless(line));
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

/// Prints a value as JSON in one line, wherever that goes.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    text(&serde_json::to_string(value)?)
}

/// The value as [`json`] prints it.
pub(crate) fn json_text(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(if io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)?
    } else {
        serde_json::to_string(value)?
    })
}

/// Says a sentence on stderr, as the helper.
pub(crate) fn complain(helper: &str, sentence: &str) {
    // stderr that is gone leaves nobody to tell.
    let _ = writeln!(io::stderr(), "{helper}: {}", harmless(sentence));
}

/// Tells a person at a terminal something that is no result and no error: what takes its time, what to do
/// next. On a pipe it says nothing.
pub(crate) fn hint(sentence: &str) {
    let mut stderr = io::stderr().lock();
    if stderr.is_terminal() {
        let _ = writeln!(stderr, "{}", harmless(sentence));
    }
}

/// The width of the terminal on stdout; `None` on a pipe.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0))
}

/// Makes a text harmless for a terminal: what would act, hide or turn is shown as `\x1b`.
pub(crate) fn harmless(text: &str) -> String {
    let acts = |c: char| c.is_control() && c != '\t' || is_bidi(c);
    if !text.chars().any(acts) {
        return text.into();
    }
    text.chars().fold(String::new(), |mut shown, c| {
        if acts(c) {
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

/// Characters that reorder what follows.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One value in a line of tab-separated values: a tab, a newline and a backslash are written `\t`, `\n`,
/// `\\`, so that a line is a row and a tab a border.
pub(crate) fn tsv(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

/// A table whose columns are as wide as what is in them.
pub(crate) struct Table {
    pub(crate) header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    /// The columns that give way in a narrow terminal, the first of them first.
    pub(crate) shrink: Vec<usize>,
}

impl Table {
    /// The table as text, fitted into `width` cells if there is a limit.
    pub(crate) fn render(&self, header: bool, width: Option<usize>) -> String {
        const GAP: usize = 2;
        let mut lines: Vec<Vec<String>> = Vec::new();
        if header {
            lines.push(self.header.iter().map(ToString::to_string).collect());
        }
        lines.extend(
            self.rows
                .iter()
                .map(|row| row.iter().map(|cell| harmless(&tsv_free(cell))).collect()),
        );
        let mut widths: Vec<usize> = (0..self.header.len())
            .map(|at| {
                lines
                    .iter()
                    .map(|line| line.get(at).map_or(0, |cell| cell.width()))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
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
        for line in &lines {
            let mut row = String::new();
            for (cell, &width) in line.iter().zip(&widths) {
                let cell = cut(cell, width);
                let padding = width - cell.width() + GAP;
                row.push_str(&cell);
                row.extend(std::iter::repeat_n(' ', padding));
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A cell is one line, with no borders of its own.
fn tsv_free(cell: &str) -> String {
    cell.replace(['\t', '\n', '\r'], " ")
}

/// A text in at most `width` cells; what is cut ends in `…`.
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

/// An age as people say it: `12s`, `5m`, `3h`, `4d`.
pub(crate) fn age(since: Option<u64>, now: u64) -> String {
    let Some(since) = since else {
        return String::new();
    };
    match now.saturating_sub(since) {
        seconds @ 0..=59 => format!("{seconds}s"),
        seconds @ 60..=3599 => format!("{}m", seconds / 60),
        seconds @ 3600..=86_399 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        assert_eq!(
            harmless("a\x1b[31mb\u{202e}c\td"),
            "a\\x1b[31mb\\u{202e}c\td"
        );
        assert_eq!(harmless("größe 🦀"), "größe 🦀");
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
        };
        assert_eq!(table.render(true, None), "NAME  X\n日本  1\na     2\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_what_may_be_cut() {
        let table = Table {
            header: vec!["NAME", "CWD"],
            rows: vec![vec!["build".into(), "/a/very/long/path".into()]],
            shrink: vec![1, 0],
        };
        assert_eq!(table.render(false, Some(14)), "build  /a/ver…\n");
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
