//! Reads the text on a pane, and facts about the pane.

use std::collections::BTreeMap;

use serde::Serialize;

use super::look::{self, ExpectedQuestion, Located, PaneReading, number};
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::state::State;
use crate::store::schema::HELD;
use crate::store::{Record, Target};
use crate::tmux::{Batch, Frame, Server, command};

/// Which lines of a pane are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureRegion {
    /// At most this many lines, up to the last that holds text. They include history where the screen has too few.
    Text(u32),
    /// The whole screen, with its empty lines.
    Screen,
    /// The screen and this many lines of history above it. `None` is the whole history.
    History(Option<u32>),
}

/// How a pane is captured.
#[derive(Clone, Copy, Debug)]
pub struct CaptureOptions {
    pub region: CaptureRegion,
    /// Keep colours and attributes.
    pub styled: bool,
    /// Join wrapped lines.
    pub joined: bool,
}

/// The size of a pane in columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PaneSize {
    pub columns: u32,
    pub rows: u32,
}

/// Where the terminal cursor of a pane is, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CursorPosition {
    pub column: u32,
    pub row: u32,
    pub visible: bool,
}

/// What a pane showed.
#[derive(Clone, Debug, Serialize)]
pub struct Captured {
    pub uuid: Option<SeshId>,
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// The process of the sesh has exited. Without a pane, `lines` are its saved last lines.
    pub ended: bool,
    pub size: Option<PaneSize>,
    pub cursor: Option<CursorPosition>,
    /// A full-screen program shows its alternate screen.
    pub alternate: bool,
    /// The mode that a person has put the pane in (`copy-mode`, …). The text is that of the program all the same.
    pub mode: Option<String>,
    /// Lines of history that the pane has.
    pub history: u32,
    /// Lines of history that the pane can have.
    #[serde(rename = "historyLimit")]
    pub history_limit: Option<u32>,
    /// Whether lines before these may be missing. `None` where the lines were not asked for since a cursor.
    pub truncated: Option<bool>,
    /// The cursor for what comes after these lines. `None` where they were not asked for since one.
    pub next: Option<String>,
    pub lines: Vec<String>,
}

/// How often a read is tried while a program changes between its screens. The result of the last try is used as it is.
const TRIES: usize = 5;

/// Reads what a target shows.
///
/// # Errors
/// There is no such pane or sesh, or the sesh has exited and no lines of it were saved.
pub fn capture(server: &Server, target: &Target, how: CaptureOptions) -> Result<Captured> {
    let frame = Frame::new();
    // The history belongs to the normal screen, so the screen of a full-screen program is read without it.
    let start = |alternate: bool| match how.region {
        CaptureRegion::Text(_) | CaptureRegion::Screen if alternate => "0".into(),
        CaptureRegion::Text(_) if how.joined => "-".into(),
        CaptureRegion::Screen => "0".into(),
        CaptureRegion::History(None) => "-".into(),
        CaptureRegion::Text(lines) | CaptureRegion::History(Some(lines)) => format!("-{lines}"),
    };
    let capture = |pane: PaneId, alternate: bool| {
        let (target, number) = (pane.to_string(), pane.0.to_string());
        let header = frame.format([number.as_str(), "#{alternate_on}"]);
        Batch::from(command::print(Some(&target), &header)).then(command::capture_pane(
            &target,
            &start(alternate),
            how.styled,
            how.joined,
        ))
    };
    let question = |seen: &PaneReading<'_>| capture(seen.pane, seen.is_alternate());
    let read = |located: Located<'_>| match located {
        Located::Pane(seen, record) => {
            let mut captured = Captured::of(&seen, record);
            let (header, text) = seen.texts.first().cloned().unwrap_or_default();
            captured.lines = lines(text, how, captured.ended);
            // The program may have changed its screen between the two questions.
            let screen_changed = header.first() != Some(&seen.facts.alternate);
            (captured, screen_changed)
        }
        Located::Saved(_, record, text) => {
            let mut captured = Captured::saved(record);
            captured.lines = lines(&text, how, true);
            (captured, false)
        }
    };
    for _ in 1..TRIES {
        let expected = match target {
            Target::Pane(pane) => Some(ExpectedQuestion {
                condition: "#{==:#{alternate_on},0}",
                question: capture(*pane, false),
            }),
            _ => None,
        };
        let (captured, screen_changed) =
            look::locate(server, &frame, target, expected, &question, |located| {
                Ok(read(located))
            })?;
        if !screen_changed {
            return Ok(captured);
        }
    }
    look::locate(server, &frame, target, None, &question, |located| {
        Ok(read(located).0)
    })
}

impl Captured {
    /// Returns everything about a pane but its lines.
    pub(super) fn of(seen: &PaneReading<'_>, record: Option<Record>) -> Self {
        let ended = record
            .as_ref()
            .is_some_and(|record| record.state == State::Exited);
        Self {
            uuid: record.as_ref().map(|record| record.uuid),
            name: record.map(|record| record.name),
            pane: Some(seen.pane),
            ended,
            size: Some(PaneSize {
                columns: number(seen.facts.width),
                rows: number(seen.facts.height),
            }),
            cursor: Some(CursorPosition {
                column: number(seen.facts.cursor_column),
                row: number(seen.facts.cursor_row),
                visible: seen.facts.cursor_visible == "1",
            }),
            alternate: seen.is_alternate(),
            mode: Some(seen.facts.mode.to_string()).filter(|mode| !mode.is_empty()),
            history: number(seen.facts.history),
            history_limit: Some(number(seen.facts.history_limit)),
            truncated: None,
            next: None,
            lines: Vec::new(),
        }
    }

    /// Returns the same for a sesh that has no pane any more.
    pub(super) fn saved(record: Record) -> Self {
        Self {
            uuid: Some(record.uuid),
            name: Some(record.name),
            pane: None,
            ended: true,
            size: None,
            cursor: None,
            alternate: false,
            mode: None,
            history: 0,
            history_limit: None,
            truncated: None,
            next: None,
            lines: Vec::new(),
        }
    }
}

/// Returns the lines of a text up to the last that holds text. `ended`: without the line that sesh-run prints in the
/// pane of an exited sesh.
pub(super) fn printed(text: &str, ended: bool) -> Vec<&str> {
    let mut lines = all(text);
    trim(&mut lines);
    if ended {
        // In a pane that was made narrower this line takes more than one row.
        let held_line = lines.iter().rposition(|line| plain(line).starts_with(HELD));
        if let Some(at) = held_line.filter(|at| lines.len() - at <= 4) {
            lines.truncate(at);
            trim(&mut lines);
        }
    }
    lines
}

/// Returns all lines of a text.
fn all(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    // tmux ends each line.
    lines.pop();
    lines
}

/// Returns the lines of a capture that were asked for.
fn lines(text: &str, how: CaptureOptions, ended: bool) -> Vec<String> {
    match how.region {
        CaptureRegion::Text(count) => {
            let lines = printed(text, ended);
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let from = lines.len().saturating_sub(count);
            lines_from(&lines, from, how.styled, how.joined)
        }
        CaptureRegion::Screen | CaptureRegion::History(_) => {
            lines_from(&all(text), 0, how.styled, how.joined)
        }
    }
}

/// Returns the lines from index `from` on. The first begins with the colours that are in force before it, and the last
/// ends with a reset where colours are still in force.
pub(super) fn lines_from(lines: &[&str], from: usize, styled: bool, joined: bool) -> Vec<String> {
    let (cut, kept) = lines.split_at(from);
    // tmux keeps the trailing blanks of joined lines, and 3.2a fills each line to the pane's width.
    let trims = joined && !styled;
    let mut lines: Vec<String> = kept
        .iter()
        .map(|line| if trims { line.trim_end() } else { line }.to_string())
        .collect();
    if styled {
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, &active_style(&cut.join("\n")));
        }
        let left = active_style(&lines.join("\n"));
        if let Some(last) = lines.last_mut().filter(|_| !left.is_empty()) {
            last.push_str(RESET);
        }
    }
    lines
}

const RESET: &str = "\x1b[0m";

/// Returns a line without colours and attributes.
pub(super) fn plain(line: &str) -> String {
    anstream::adapter::strip_str(line).to_string()
}

/// Removes lines without text from the end.
fn trim(lines: &mut Vec<&str>) {
    while lines
        .last()
        .is_some_and(|line| plain(line).trim().is_empty())
    {
        lines.pop();
    }
}

/// Returns the one escape sequence that switches on the colours and attributes that a styled text leaves in force.
fn active_style(text: &str) -> String {
    // The keys are the codes that switch each one off: 39 a foreground, 49 a background, 22 bold and dim, …
    let mut on: BTreeMap<u8, String> = BTreeMap::new();
    for part in text.split("\x1b[").skip(1) {
        let end = part.find(|c: char| !(c.is_ascii_digit() || ";:".contains(c)));
        let Some((numbers, rest)) = end.map(|end| part.split_at(end)) else {
            continue;
        };
        if !rest.starts_with('m') {
            continue;
        }
        let mut words = numbers.split(';');
        while let Some(word) = words.next() {
            let code: u8 = word
                .split(':')
                .next()
                .and_then(|code| code.parse().ok())
                .unwrap_or(0);
            let mut value = word.to_string();
            if matches!(code, 38 | 48 | 58) && !word.contains(':') {
                // 38;5;N and 38;2;R;G;B are one colour.
                let more = match words.clone().next() {
                    Some("5") => 2,
                    Some("2") => 4,
                    _ => 0,
                };
                for word in words.by_ref().take(more) {
                    value.push_str(&format!(";{word}"));
                }
            }
            match code {
                0 => on.clear(),
                22..=29 | 39 | 49 | 55 | 59 => drop(on.remove(&code)),
                1 | 2 => {
                    let both = on.entry(22).or_default();
                    if both.is_empty() {
                        *both = value;
                    } else if *both != value && !both.contains(';') {
                        *both = "1;2".into();
                    }
                }
                3..=9 => drop(on.insert(code + 20, value)),
                30..=38 | 90..=97 => drop(on.insert(39, value)),
                40..=48 | 100..=107 => drop(on.insert(49, value)),
                53 => drop(on.insert(55, value)),
                58 => drop(on.insert(59, value)),
                _ => {}
            }
        }
    }
    let on: Vec<String> = on.into_values().collect();
    if on.is_empty() {
        String::new()
    } else {
        format!("\x1b[{}m", on.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const HOW: CaptureOptions = CaptureOptions {
        region: CaptureRegion::Text(2),
        styled: false,
        joined: false,
    };

    #[test]
    fn text_ends_with_the_last_line_that_holds_text() {
        assert_eq!(lines("a\nb\n\nc\n\n\n", HOW, false), ["", "c"]);
        assert_eq!(lines("\n\n", HOW, false), Vec::<String>::new());
        assert_eq!(lines("a\n\x1b[2m \x1b[0m\n", HOW, false), ["a"]);
    }

    #[test]
    fn a_screen_keeps_its_empty_lines() {
        let how = CaptureOptions {
            region: CaptureRegion::Screen,
            ..HOW
        };
        assert_eq!(lines("a\n\n\n", how, false), ["a", "", ""]);
    }

    #[test]
    fn colours_continue_after_a_cut_and_are_reset_at_the_end() {
        let how = CaptureOptions {
            styled: true,
            ..HOW
        };
        let red = "\x1b[1m\x1b[31ma\nb\nc\n";
        assert_eq!(lines(red, how, false), ["\x1b[1;31mb", "c\x1b[0m"]);
        assert_eq!(lines("\x1b[31ma\x1b[0m\nb\nc\n", how, false), ["b", "c"]);
        assert_eq!(active_style("\x1b[31mx\x1b[0;1my\x1b[4:3m"), "\x1b[1;4:3m");
        assert_eq!(
            active_style("\x1b[38;5;200mx\x1b[48;2;1;2;3my\x1b[32mz"),
            "\x1b[32;48;2;1;2;3m"
        );
        assert_eq!(active_style("\x1b[1;2;31mx\x1b[39m"), "\x1b[1;2m");
        assert_eq!(active_style("\x1b[7;38;5;9mx\x1b[27;39m"), "");
    }

    #[test]
    fn the_line_of_a_held_pane_is_left_out() {
        let text = "a\n\x1b[2m[sesh: exit 0 after 1s; Enter closes]\x1b[0m\n\n";
        assert_eq!(lines(text, HOW, true), ["a"]);
        assert_eq!(lines(text, HOW, false).len(), 2);
    }
}
