//! Reads what is new in a pane since it was read last.

use std::str::FromStr;

use super::capture::{Captured, lines_from, plain, printed};
use super::capture_cursor::{
    CaptureCursor, Fingerprint, HISTORY_ROWS, NewLines, anywhere, in_place,
};
use super::look::{self, Located, PaneReading, number};
use super::output::may_be_trimmed;
use crate::error::{Error, Result};
use crate::store::Target;
use crate::tmux::{Batch, Frame, Server, command};

/// From where on lines count as new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureSince {
    /// From the oldest line on.
    Start,
    /// No line counts as new. Only a cursor for the next time is returned.
    Now,
    Cursor(CaptureCursor),
}

impl FromStr for CaptureSince {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            // A loop can begin with a variable that is not set yet.
            "" | "start" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            text => text.parse().map(Self::Cursor),
        }
    }
}

/// How often a read is tried while a program changes between its screens.
const TRIES: usize = 20;
/// After so many tries the whole history is read, which succeeds however fast the pane prints.
const TRIES_FROM_CURSOR: usize = 3;

/// Reads what was printed since. It reads again when the history was cleared, or when the pane prints faster than it
/// can be read.
///
/// Lines are joined where the pane's width had wrapped them, and end with the last that holds text. Each line is
/// returned whole: one that has changed or was continued on the screen is returned again, with all lines below it. The
/// screen of a full-screen program is returned whole when anything on it has changed. The lines of the normal screen
/// are returned when the program has left its own screen.
///
/// # Errors
/// As [`capture`](super::capture::capture), and [`Exit::Changed`](crate::error::Exit::Changed) for a cursor of
/// another server, pane or sesh.
pub fn since(
    server: &Server,
    target: &Target,
    since: &CaptureSince,
    styled: bool,
) -> Result<Captured> {
    let mut reach = Reach::FromCursor;
    for tries in 0..TRIES {
        match look_since(server, target, since, styled, reach)? {
            ReadOutcome::Read(captured) => return Ok(*captured),
            ReadOutcome::Moved if tries < TRIES_FROM_CURSOR => {}
            ReadOutcome::Moved | ReadOutcome::NotThere => reach = Reach::All,
        }
    }
    Err(Error::unusable(format!(
        "{target} switches its screens faster than it can be read"
    ))
    .with_way_out("try again"))
}

/// The outcome of one read.
enum ReadOutcome {
    Read(Box<Captured>),
    /// The pane printed, or changed its screen, between the question and the answer.
    Moved,
    /// The lines of the cursor are not at their place.
    NotThere,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// From the row of the cursor on, where its lines may still be there.
    FromCursor,
    /// The whole history.
    All,
}

fn look_since(
    server: &Server,
    target: &Target,
    since: &CaptureSince,
    styled: bool,
    reach: Reach,
) -> Result<ReadOutcome> {
    let frame = Frame::new();
    let answer = look::ask(server, &frame, target, None, &|seen| {
        let (history, alternate) = (number(seen.facts.history), seen.is_alternate());
        let in_place = match since {
            CaptureSince::Cursor(cursor) if reach == Reach::FromCursor => {
                let (height, limit) = (number(seen.facts.height), number(seen.facts.history_limit));
                let same_width = number(seen.facts.width) == cursor.width;
                (same_width && !may_be_trimmed(history, height, limit)).then_some(cursor.row)
            }
            _ => None,
        };
        let from = match (since, in_place) {
            _ if alternate => "0".into(),
            (CaptureSince::Now, _) => "0".into(),
            (_, Some(row)) => (i64::from(row) - i64::from(history)).to_string(),
            (CaptureSince::Start | CaptureSince::Cursor(_), None) => "-".into(),
        };
        let (pane, number) = (seen.pane.to_string(), seen.pane.0.to_string());
        let header = [
            number.as_str(),
            if in_place.is_some() { "1" } else { "0" },
            seen.facts.history,
            seen.facts.alternate,
            "#{history_size}",
            "#{alternate_on}",
            "#{pane_width}",
            "#{pane_height}",
            "#{history_limit}",
        ];
        Batch::from(command::print(Some(&pane), &frame.format(header)))
            .then(command::capture_pane(&pane, &from, styled, true))
            .then(command::print(None, &frame.format([number.as_str()])))
            // The normal screen, which a full-screen program hides while it shows the alternate one.
            .then(if alternate {
                command::capture_saved(&pane)
            } else {
                command::capture_pane(&pane, &format!("-{HISTORY_ROWS}"), false, true)
            })
    })?;
    match look::read(&frame, &answer, target)? {
        Located::Pane(seen, record) => {
            let captured = Captured::of(&seen, record);
            match Read::of(&seen)? {
                Some(read) => read.into_captured(captured, &seen, since, styled),
                None => Ok(ReadOutcome::Moved),
            }
        }
        Located::Saved(own, record, text) => {
            let id = record.uuid;
            if let CaptureSince::Cursor(cursor) = since {
                cursor.check_target(own, None, Some(id))?;
            }
            let lines = printed(&text, true);
            let fingerprints = fingerprints(&lines);
            let (new, pane) = match since {
                // The lines before the saved ones are lost.
                CaptureSince::Start => (
                    NewLines {
                        from: 0,
                        complete: false,
                    },
                    None,
                ),
                CaptureSince::Now => (
                    NewLines {
                        from: lines.len(),
                        complete: true,
                    },
                    None,
                ),
                CaptureSince::Cursor(cursor) => {
                    (anywhere(&cursor.lines, &fingerprints), cursor.pane)
                }
            };
            let next = CaptureCursor {
                server: own,
                pane,
                sesh: Some(id),
                width: 0,
                row: 0,
                fixed: 0,
                lines: fingerprints,
                alternate: None,
            };
            Ok(ReadOutcome::Read(Box::new(Captured {
                truncated: Some(!new.complete),
                next: Some(next.to_string()),
                lines: lines_from(&lines, new.from, styled, true),
                ..Captured::saved(record)
            })))
        }
    }
}

/// What was read from a pane at one moment.
struct Read<'a> {
    history: u32,
    limit: u32,
    width: u32,
    height: u32,
    alternate: bool,
    may_be_trimmed: bool,
    /// Where the text begins.
    begins: Begins,
    text: &'a str,
    /// The normal screen, and the rows of history above it that a cursor holds.
    own: &'a str,
}

/// Where the text of the normal screen begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    AtCursor,
    /// Some rows after the cursor: the pane printed that many between the question and the answer.
    AfterCursor,
    /// At the oldest line; for a full-screen program, at the top of its screen.
    Oldest,
}

impl<'a> Read<'a> {
    /// Returns `None` when the pane changed between the normal and the alternate screen meanwhile.
    fn of(seen: &PaneReading<'a>) -> Result<Option<Self>> {
        let gone = || Error::no_pane(seen.pane);
        let [(header, text), (_, own), ..] = &seen.texts[..] else {
            return Err(gone());
        };
        // The fields of the header that the question prints, after the pane's number.
        let &[
            in_place,
            history_before,
            alternate_before,
            history_now,
            alternate,
            width,
            height,
            limit,
        ] = &header[..]
        else {
            return Err(gone());
        };
        let (history, height, limit) = (number(history_now), number(height), number(limit));
        Ok((alternate_before == alternate).then(|| Self {
            history,
            limit,
            width: number(width),
            height,
            alternate: alternate == "1",
            may_be_trimmed: may_be_trimmed(history, height, limit),
            begins: match (in_place == "1", history_before == history_now) {
                (true, true) => Begins::AtCursor,
                (true, false) => Begins::AfterCursor,
                (false, _) => Begins::Oldest,
            },
            text,
            own,
        }))
    }

    fn into_captured(
        self,
        captured: Captured,
        seen: &PaneReading<'_>,
        since: &CaptureSince,
        styled: bool,
    ) -> Result<ReadOutcome> {
        let (own, ended) = (seen.server(), captured.ended);
        let old = match since {
            CaptureSince::Cursor(cursor) => {
                cursor.check_target(own, Some(seen.pane), captured.uuid)?;
                Some(cursor)
            }
            _ => None,
        };
        let lines = printed(self.text, ended && !self.alternate);
        let now = fingerprints(&lines);
        let alternate = self.alternate.then(|| Fingerprint::of(&plain(self.text)));
        let new = if self.alternate {
            let same = old.is_some_and(|old| old.alternate == alternate);
            let nothing = same || *since == CaptureSince::Now;
            Ok(NewLines {
                from: if nothing { lines.len() } else { 0 },
                complete: true,
            })
        } else {
            self.place(since, &now)
        };
        let new = match new {
            Ok(new) => new,
            Err(outcome) => return Ok(outcome),
        };
        let own = match old {
            // The lines that the normal screen got before the full-screen program started are still to be read.
            Some(old) if self.alternate => CaptureCursor {
                alternate,
                ..old.clone()
            },
            _ => CaptureCursor {
                server: own,
                pane: Some(seen.pane),
                sesh: captured.uuid,
                width: self.width,
                row: if self.alternate {
                    self.history
                } else {
                    self.history.saturating_sub(HISTORY_ROWS)
                },
                fixed: self.fixed(),
                lines: fingerprints(&printed(self.own, ended)),
                alternate,
            },
        };
        Ok(ReadOutcome::Read(Box::new(Captured {
            alternate: self.alternate,
            history: self.history,
            history_limit: Some(self.limit),
            truncated: Some(!new.complete),
            next: Some(own.to_string()),
            lines: lines_from(&lines, new.from, styled, true),
            ..captured
        })))
    }

    /// Returns how many lines of `own` are in the history at least: all but as many as the screen has rows.
    fn fixed(&self) -> u32 {
        let lines = u32::try_from(self.own.matches('\n').count()).unwrap_or(u32::MAX);
        if self.alternate {
            0
        } else {
            lines.saturating_sub(self.height)
        }
    }

    /// Finds where the new lines of the normal screen begin.
    fn place(&self, since: &CaptureSince, now: &[Fingerprint]) -> Result<NewLines, ReadOutcome> {
        match since {
            CaptureSince::Now => Ok(NewLines {
                from: now.len(),
                complete: true,
            }),
            CaptureSince::Start => Ok(NewLines {
                from: 0,
                complete: !self.may_be_trimmed,
            }),
            CaptureSince::Cursor(cursor) => match self.begins {
                Begins::AtCursor => {
                    let fixed = usize::try_from(cursor.fixed).unwrap_or(usize::MAX);
                    in_place(&cursor.lines, fixed, now).ok_or(ReadOutcome::NotThere)
                }
                Begins::AfterCursor => Err(ReadOutcome::Moved),
                // The pane was empty when the cursor was made.
                Begins::Oldest if cursor.lines.is_empty() => Ok(NewLines {
                    from: 0,
                    complete: !self.may_be_trimmed && cursor.row == 0,
                }),
                Begins::Oldest => Ok(anywhere(&cursor.lines, now)),
            },
        }
    }
}

fn fingerprints(lines: &[&str]) -> Vec<Fingerprint> {
    lines
        .iter()
        .map(|line| Fingerprint::of(&plain(line)))
        .collect()
}
