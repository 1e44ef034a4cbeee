//! What is new in a pane since it was read.

use std::str::FromStr;

use super::capture::{Captured, behind, plain, printed};
use super::capture_cursor::{ABOVE, CaptureCursor, New, Print, anywhere, in_place};
use super::look::{self, Located, PaneReading, number};
use super::output::may_be_trimmed;
use crate::error::{Error, Result};
use crate::store::Target;
use crate::tmux::{Batch, Frame, Server, command};

/// Since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureSince {
    /// All that there is.
    Start,
    /// Nothing but a mark for next time.
    Now,
    Mark(CaptureCursor),
}

impl FromStr for CaptureSince {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "start" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            text => text.parse().map(Self::Mark),
        }
    }
}

/// Tries of a read that a program foils by changing between its screens.
const TRIES: usize = 20;
/// After so many the whole history is read, which no printing foils.
const PATIENCE: usize = 3;

/// Reads what was printed since: once more when the history was cleared, or was printed to faster than could be read.
///
/// Lines come joined where the pane's width had wrapped them, up to the last that holds text, each whole: one that has
/// been changed or continued on the screen comes again, and all that are below it. A full-screen program's screen
/// comes whole when anything on it has changed, and the lines of the normal screen when that is back.
///
/// # Errors
/// As [`capture`](super::capture::capture), and [`Exit::Changed`](crate::error::Exit::Changed) for a mark of another
/// server, pane or sesh.
pub fn since(
    server: &Server,
    target: &Target,
    since: &CaptureSince,
    styled: bool,
) -> Result<Captured> {
    let mut reach = Reach::Enough;
    for tries in 0..TRIES {
        match look_since(server, target, since, styled, reach)? {
            ReadOutcome::Read(captured) => return Ok(*captured),
            ReadOutcome::Moved if tries < PATIENCE => {}
            ReadOutcome::Moved | ReadOutcome::NotThere => reach = Reach::All,
        }
    }
    Err(Error::unusable(format!(
        "{target} changes between its screens faster than it can be read"
    ))
    .with_way_out("try again"))
}

/// How one read went.
enum ReadOutcome {
    Read(Box<Captured>),
    /// The pane printed, or changed its screen, between the question and the answer.
    Moved,
    /// The mark is not at its place.
    NotThere,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// From the mark on, where it is to be found at its place.
    Enough,
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
            CaptureSince::Mark(mark) if reach == Reach::Enough => {
                let (height, limit) = (number(seen.facts.height), number(seen.facts.history_limit));
                let same_width = number(seen.facts.width) == mark.width;
                (same_width && !may_be_trimmed(history, height, limit)).then_some(mark.row)
            }
            _ => None,
        };
        let from = match (since, in_place) {
            _ if alternate => "0".into(),
            (CaptureSince::Now, _) => "0".into(),
            (_, Some(row)) => (i64::from(row) - i64::from(history)).to_string(),
            (CaptureSince::Start | CaptureSince::Mark(_), None) => "-".into(),
        };
        let (pane, number) = (seen.pane.to_string(), seen.pane.0.to_string());
        let mark = [
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
        Batch::from(command::print(Some(&pane), &frame.format(mark)))
            .then(command::capture_pane(&pane, &from, styled, true))
            .then(command::print(None, &frame.format([number.as_str()])))
            // The pane's own screen: while a full-screen program shows its own, the one that it hides.
            .then(if alternate {
                command::capture_saved(&pane)
            } else {
                command::capture_pane(&pane, &format!("-{ABOVE}"), false, true)
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
            if let CaptureSince::Mark(mark) = since {
                mark.must_be_of(own, None, Some(id))?;
            }
            let lines = printed(&text, true);
            let prints = prints(&lines);
            let (new, pane) = match since {
                // What came before the saved lines is gone.
                CaptureSince::Start => (
                    New {
                        from: 0,
                        whole: false,
                    },
                    None,
                ),
                CaptureSince::Now => (
                    New {
                        from: lines.len(),
                        whole: true,
                    },
                    None,
                ),
                CaptureSince::Mark(mark) => (anywhere(&mark.lines, &prints), mark.pane),
            };
            let next = CaptureCursor {
                server: own,
                pane,
                sesh: Some(id),
                width: 0,
                row: 0,
                fixed: 0,
                lines: prints,
                alternate: None,
            };
            Ok(ReadOutcome::Read(Box::new(Captured {
                truncated: Some(!new.whole),
                next: Some(next.to_string()),
                lines: behind(&lines, new.from, styled, true),
                ..Captured::saved(record)
            })))
        }
    }
}

/// What was read of a pane, all at one moment.
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
    /// The pane's own screen, and the rows of history above it that a mark remembers.
    own: &'a str,
}

/// Where the text of the normal screen begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    AtMark,
    /// Some rows after it: those that were printed between the question and the answer.
    AfterMark,
    /// With the oldest line, or, of a full-screen program, with its screen.
    Oldest,
}

impl<'a> Read<'a> {
    /// `None` when a full-screen program came or went meanwhile.
    fn of(seen: &PaneReading<'a>) -> Result<Option<Self>> {
        let gone = || Error::nothing(format!("there is no pane {}", seen.pane));
        let [(mark, text), (_, own), ..] = &seen.texts[..] else {
            return Err(gone());
        };
        // The fields of the mark that the question prints, behind the pane's number.
        let &[
            in_place,
            history_before,
            alternate_before,
            history_now,
            alternate,
            width,
            height,
            limit,
        ] = &mark[..]
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
                (true, true) => Begins::AtMark,
                (true, false) => Begins::AfterMark,
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
            CaptureSince::Mark(mark) => {
                mark.must_be_of(own, Some(seen.pane), captured.uuid)?;
                Some(mark)
            }
            _ => None,
        };
        let lines = printed(self.text, ended && !self.alternate);
        let now = prints(&lines);
        let alternate = self.alternate.then(|| Print::of(&plain(self.text)));
        let new = if self.alternate {
            let same = old.is_some_and(|old| old.alternate == alternate);
            let nothing = same || *since == CaptureSince::Now;
            Ok(New {
                from: if nothing { lines.len() } else { 0 },
                whole: true,
            })
        } else {
            self.place(since, &now)
        };
        let new = match new {
            Ok(new) => new,
            Err(outcome) => return Ok(outcome),
        };
        let own = match old {
            // What the normal screen got before the full-screen program came is still to be read.
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
                    self.history.saturating_sub(ABOVE)
                },
                fixed: self.fixed(),
                lines: prints(&printed(self.own, ended)),
                alternate,
            },
        };
        Ok(ReadOutcome::Read(Box::new(Captured {
            alternate: self.alternate,
            history: self.history,
            history_limit: Some(self.limit),
            truncated: Some(!new.whole),
            next: Some(own.to_string()),
            lines: behind(&lines, new.from, styled, true),
            ..captured
        })))
    }

    /// How many lines of `own` are in the history at least: the screen holds no more of them than it has rows.
    fn fixed(&self) -> u32 {
        let lines = u32::try_from(self.own.matches('\n').count()).unwrap_or(u32::MAX);
        if self.alternate {
            0
        } else {
            lines.saturating_sub(self.height)
        }
    }

    /// Where the new lines of the normal screen begin.
    fn place(&self, since: &CaptureSince, now: &[Print]) -> Result<New, ReadOutcome> {
        match since {
            CaptureSince::Now => Ok(New {
                from: now.len(),
                whole: true,
            }),
            CaptureSince::Start => Ok(New {
                from: 0,
                whole: !self.may_be_trimmed,
            }),
            CaptureSince::Mark(mark) => match self.begins {
                Begins::AtMark => {
                    let fixed = usize::try_from(mark.fixed).unwrap_or(usize::MAX);
                    in_place(&mark.lines, fixed, now).ok_or(ReadOutcome::NotThere)
                }
                Begins::AfterMark => Err(ReadOutcome::Moved),
                // Nothing was there yet.
                Begins::Oldest if mark.lines.is_empty() => Ok(New {
                    from: 0,
                    whole: !self.may_be_trimmed && mark.row == 0,
                }),
                Begins::Oldest => Ok(anywhere(&mark.lines, now)),
            },
        }
    }
}

fn prints(lines: &[&str]) -> Vec<Print> {
    lines.iter().map(|line| Print::of(&plain(line))).collect()
}
