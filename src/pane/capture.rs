//! Reading a pane: the text on it, and what it is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::state::State;
use crate::store::query::{self, extra, read_row, row_format_with};
use crate::store::schema::{self, HELD};
use crate::store::{Record, Snapshot, Target, value};
use crate::tmux::{Batch, Frame, Server, command, is_empty_server};

/// Which lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The last lines, up to the last that holds text; history is taken where the screen is too short.
    Text(u32),
    /// The screen as it is, with its empty lines.
    Screen,
    /// This much history, or all of it, and the screen.
    History(Option<u32>),
}

/// How.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub region: Region,
    /// With colours and attributes.
    pub styled: bool,
    /// Wrapped lines joined.
    pub joined: bool,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    pub columns: u32,
    pub rows: u32,
}

/// Where the cursor is, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cursor {
    pub column: u32,
    pub row: u32,
    pub visible: bool,
}

/// What was on a pane.
#[derive(Clone, Debug, Serialize)]
pub struct Captured {
    pub uuid: Option<SeshId>,
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// The process of the sesh has ended; without a pane, these are its saved last lines.
    pub ended: bool,
    pub size: Option<Size>,
    pub cursor: Option<Cursor>,
    /// A full-screen program shows its alternate screen.
    pub alternate: bool,
    /// The mode that a person has the pane in (`copy-mode`, …); the text is the program's all the same.
    pub mode: Option<String>,
    /// Lines of history that the pane has.
    pub history: u32,
    pub lines: Vec<String>,
}

/// The formats behind a pane's row here.
const FACTS: [&str; 8] = [
    "#{pane_width}",
    "#{pane_height}",
    "#{cursor_x}",
    "#{cursor_y}",
    "#{cursor_flag}",
    "#{alternate_on}",
    "#{pane_mode}",
    "#{history_size}",
];

/// Reads what a target shows: one question for whatever has a pane.
///
/// # Errors
/// No such pane or sesh; a sesh that ended and left no lines.
pub fn capture(server: &Server, target: &Target, how: How) -> Result<Captured> {
    let frame = Frame::new();
    let output = match server.run(&batch(&frame, target, how)) {
        Ok(output) => output,
        // Without a session there is no pane, and only the ended ones are left to read.
        Err(error) if is_empty_server(&error) => {
            server.run(&Batch::from(command::show_server_options()).then(command::show_hidden()))?
        }
        Err(error) => return Err(error),
    };
    let mut snapshot = Snapshot::default();
    let mut seen: Vec<Seen<'_>> = Vec::new();
    for (row, text) in frame.sections(&output) {
        if let [pane] = row[..] {
            // A mark: what follows is the screen of that pane.
            if let Some(seen) = seen.iter_mut().find(|seen| seen.pane.0.to_string() == pane) {
                seen.text = text;
            }
        } else if let Some(pane) = read_row(&row)?
            && seen.iter().all(|seen| seen.pane != pane.place.pane)
        {
            seen.push(Seen {
                pane: pane.place.pane,
                facts: extra(&row).iter().map(ToString::to_string).collect(),
                text: "",
            });
            snapshot.panes.push(pane);
        }
    }
    let (pane, record) = match (target, snapshot.panes.first()) {
        (Target::Pane(pane), None) => {
            return Err(Error::nothing(format!("there is no pane {pane}")));
        }
        (Target::Pane(pane), Some(found)) => (*pane, found.record.clone()),
        (_, None) => return saved(&frame, &output, target, how),
        _ => {
            let record = snapshot.find(target)?;
            let pane = record.tmux.as_ref().map(|place| place.pane);
            let Some(pane) = pane else {
                return Err(Error::nothing(format!("{target} has no pane")));
            };
            (pane, Some(record.clone()))
        }
    };
    seen.into_iter()
        .find(|seen| seen.pane == pane)
        .map(|seen| seen.describe(record, how))
        .ok_or_else(|| Error::nothing(format!("there is no pane {pane}")))
}

/// One pane as it was read.
struct Seen<'a> {
    pane: PaneId,
    facts: Vec<String>,
    text: &'a str,
}

impl Seen<'_> {
    fn describe(&self, record: Option<Record>, how: How) -> Captured {
        let fact = |at: usize| self.facts.get(at).map_or("", String::as_str);
        let number = |at: usize| fact(at).parse().unwrap_or(0);
        let ended = record
            .as_ref()
            .is_some_and(|record| record.state == State::Exited);
        Captured {
            uuid: record.as_ref().map(|record| record.uuid),
            name: record.map(|record| record.name),
            pane: Some(self.pane),
            ended,
            size: Some(Size {
                columns: number(0),
                rows: number(1),
            }),
            cursor: Some(Cursor {
                column: number(2),
                row: number(3),
                visible: fact(4) == "1",
            }),
            alternate: fact(5) == "1",
            mode: Some(fact(6).to_string()).filter(|mode| !mode.is_empty()),
            history: number(7),
            lines: lines(self.text, how, ended),
        }
    }
}

/// The one command list: the rows of the panes that are meant, and the screen of each.
fn batch(frame: &Frame, target: &Target, how: How) -> Batch {
    let row = row_format_with(frame, &FACTS);
    // The history belongs to the normal screen: a full-screen program's is shown alone.
    let start = match how.region {
        Region::Text(_) if how.joined => "#{?#{alternate_on},0,-}".into(),
        Region::Text(lines) => format!("#{{?#{{alternate_on}},0,-{lines}}}"),
        Region::Screen => "0".into(),
        Region::History(None) => "-".into(),
        Region::History(Some(lines)) => format!("-{lines}"),
    };
    // Only the server can tell which pane a name means and how it stands, and one question is all there is: it
    // writes the commands itself. Only ids and our own words are in them: no text from a pane.
    let commands = |pane: &str, number: &str| {
        Batch::from(command::print(None, &frame.format([number])))
            .then(command::capture_pane(pane, &start, how.styled, how.joined))
            .text()
    };
    if let Target::Pane(pane) = target {
        let pane = pane.to_string();
        let here = format!(
            "#{{?#{{==:#{{pane_id}},{pane}}},{},}}",
            commands(&pane, pane.trim_start_matches('%'))
        );
        return Batch::from(command::print(Some(&pane), &row))
            .then(command::ask_expanded(Some(&pane), &here));
    }
    let tails = match target {
        Target::Id(id) => command::print(
            None,
            &format!("{tail}=#{{{tail}}}", tail = schema::tail(*id)),
        ),
        _ => command::show_hidden(),
    };
    let mut ended = Batch::new();
    ended.extend(query::books(frame));
    ended.extend([tails]);
    Batch::from(command::list_panes(&row, Some(&target.filter())))
        .then(command::ask_expanded(
            None,
            &format!(
                "#{{S:#{{W:#{{P:#{{?{},{} ; ,}}}}}}}}",
                target.filter(),
                commands("#{pane_id}", "#{s/%//:pane_id}")
            ),
        ))
        .then(command::if_format(
            None,
            &query::no_pane_has(&target.filter()),
            &ended,
            &Batch::new(),
        ))
}

/// The lines of a capture that were asked for.
fn lines(text: &str, how: How, ended: bool) -> Vec<String> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    // tmux ends each line.
    lines.pop();
    let mut colours = String::new();
    if let Region::Text(count) = how.region {
        trim(&mut lines);
        if ended {
            // What the pane says about itself is not what was printed in it. In a pane that was made narrower
            // it is more than one line.
            let says = lines.iter().rposition(|line| plain(line).starts_with(HELD));
            if let Some(at) = says.filter(|at| lines.len() - at <= 4) {
                lines.truncate(at);
                trim(&mut lines);
            }
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let surplus = lines.len().saturating_sub(count);
        let cut: Vec<&str> = lines.drain(..surplus).collect();
        if how.styled {
            colours = in_force(&cut.join("\n"));
        }
    }
    // Joined lines keep their blanks, and 3.2a fills each to the pane's width.
    let trims = how.joined && !how.styled;
    let mut lines: Vec<String> = lines
        .into_iter()
        .map(|line| if trims { line.trim_end() } else { line }.to_string())
        .collect();
    if how.styled {
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, &colours);
        }
        let left = in_force(&lines.join("\n"));
        if let Some(last) = lines.last_mut().filter(|_| !left.is_empty()) {
            last.push_str(RESET);
        }
    }
    lines
}

const RESET: &str = "\x1b[0m";

fn plain(line: &str) -> String {
    anstream::adapter::strip_str(line).to_string()
}

/// Takes lines without text off the end.
fn trim(lines: &mut Vec<&str>) {
    while lines
        .last()
        .is_some_and(|line| plain(line).trim().is_empty())
    {
        lines.pop();
    }
}

/// The colours and attributes that a styled text leaves switched on, as one sequence of each kind.
fn in_force(text: &str) -> String {
    // By what switches it off: 39 a foreground, 49 a background, 22 bold and dim, …
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

/// The saved last lines of a sesh that has no pane any more.
fn saved(frame: &Frame, output: &str, target: &Target, how: How) -> Result<Captured> {
    let snapshot = Snapshot::parse(frame, output)?;
    let record = snapshot.find(target)?;
    let name = schema::tail(record.uuid);
    let text = output
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(variable, _)| *variable == name)
        .map(|(_, tail)| value::decode(tail))
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            Error::unusable(format!(
                "{} ended without a pane to read: its last lines were not saved",
                record.name
            ))
        })?;
    Ok(Captured {
        uuid: Some(record.uuid),
        name: Some(record.name.clone()),
        pane: None,
        ended: true,
        size: None,
        cursor: None,
        alternate: false,
        mode: None,
        history: 0,
        lines: lines(&text, how, true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: How = How {
        region: Region::Text(2),
        styled: false,
        joined: false,
    };

    #[test]
    fn the_last_lines_that_hold_text() {
        assert_eq!(lines("a\nb\n\nc\n\n\n", HOW, false), ["", "c"]);
        assert_eq!(lines("\n\n", HOW, false), Vec::<String>::new());
        assert_eq!(lines("a\n\x1b[2m \x1b[0m\n", HOW, false), ["a"]);
    }

    #[test]
    fn the_screen_is_left_as_it_is() {
        let how = How {
            region: Region::Screen,
            ..HOW
        };
        assert_eq!(lines("a\n\n\n", how, false), ["a", "", ""]);
    }

    #[test]
    fn colours_outlive_a_cut_and_end_with_the_text() {
        let how = How {
            styled: true,
            ..HOW
        };
        let red = "\x1b[1m\x1b[31ma\nb\nc\n";
        assert_eq!(lines(red, how, false), ["\x1b[1;31mb", "c\x1b[0m"]);
        assert_eq!(lines("\x1b[31ma\x1b[0m\nb\nc\n", how, false), ["b", "c"]);
        assert_eq!(in_force("\x1b[31mx\x1b[0;1my\x1b[4:3m"), "\x1b[1;4:3m");
        assert_eq!(
            in_force("\x1b[38;5;200mx\x1b[48;2;1;2;3my\x1b[32mz"),
            "\x1b[32;48;2;1;2;3m"
        );
        assert_eq!(in_force("\x1b[1;2;31mx\x1b[39m"), "\x1b[1;2m");
        assert_eq!(in_force("\x1b[7;38;5;9mx\x1b[27;39m"), "");
    }

    #[test]
    fn what_a_held_pane_says_is_left_out() {
        let text = "a\n\x1b[2m[sesh: exit 0 after 1s; Enter closes]\x1b[0m\n\n";
        assert_eq!(lines(text, HOW, true), ["a"]);
        assert_eq!(lines(text, HOW, false).len(), 2);
    }
}
