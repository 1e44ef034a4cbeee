//! What panes print: their screens, looked at ten times a second while somebody waits for output or for quiet.
//!
//! One question to the server tells which windows have printed; only their screens are asked for and compared. What is
//! printed and gone again between two looks, the same picture afterwards, is no change. A tap on the panes that
//! `sesh-new` makes would see each byte as it comes; it belongs here.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use regex::Regex;

use super::cursor::{Mark, Shown};
use super::judge::{Event, Found, Seshes, What, mark};
use super::until::Until;
use crate::error::{Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::store::query::{either, registered};
use crate::store::schema::HELD;
use crate::store::{Record, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// How often panes are looked at.
pub(super) const OFTEN: Duration = Duration::from_millis(100);

/// The panes of a set, as they were last seen.
#[derive(Debug, Default)]
pub(super) struct Screens {
    panes: BTreeMap<SeshId, Screen>,
    /// The server's second of the last look: what printed in it may have printed more since.
    second: u64,
}

#[derive(Debug)]
struct Screen {
    now: Shown,
    /// What the caller knows.
    base: Shown,
    /// It has printed since then.
    moved: bool,
    /// Since when it is as it is now.
    since: Instant,
    /// The second in which its window printed last.
    activity: u64,
    history: u64,
    /// A line that was waited for.
    line: Option<String>,
}

/// What tmux tells of a pane.
struct Row {
    pane: PaneId,
    activity: u64,
    alone: bool,
    history: u64,
    limit: u64,
    cursor: (u64, u64),
    alternate: bool,
    /// The server's clock.
    now: u64,
}

const FIELDS: [&str; 9] = [
    "#{pane_id}",
    "#{window_activity}",
    "#{window_panes}",
    "#{history_size}",
    "#{history_limit}",
    "#{cursor_y}",
    "#{cursor_x}",
    "#{alternate_on}",
    write::NOW,
];

impl Row {
    fn read(fields: &[&str]) -> Option<Self> {
        let [pane, numbers @ ..] = fields else {
            return None;
        };
        let numbers: Vec<u64> = numbers
            .iter()
            .map(|number| number.parse().ok())
            .collect::<Option<_>>()?;
        let &[activity, panes, history, limit, row, column, alternate, now] = &numbers[..] else {
            return None;
        };
        Some(Self {
            pane: pane.parse().ok()?,
            activity,
            alone: panes == 1,
            history,
            limit,
            cursor: (row, column),
            alternate: alternate == 1,
            now,
        })
    }

    fn shown(&self, screen: &str) -> Shown {
        let mut hasher = DefaultHasher::new();
        (screen, self.history, self.cursor).hash(&mut hasher);
        Shown {
            hash: hasher.finish(),
            line: self.history + self.cursor.0,
            told: false,
        }
    }
}

/// The pane of a member.
fn pane(record: &Record) -> Option<PaneId> {
    record.tmux.as_ref().map(|place| place.pane)
}

/// The members that have a pane.
type Members<'a> = BTreeMap<PaneId, &'a Record>;

/// A pane that has printed, and the first line that may be new, counted from the top of its screen.
struct Moved<'a> {
    row: &'a Row,
    from: i64,
}

impl Screens {
    /// Looks at the panes of the members. `fresh`: what those that are known show now is of no concern.
    pub(super) fn look(
        &mut self,
        server: &Server,
        seshes: &Seshes,
        marks: &mut BTreeMap<SeshId, Mark>,
        until: &[Until],
        fresh: bool,
    ) -> Result<()> {
        let in_pane = |record| Some((pane(record)?, record));
        let members: Members<'_> = seshes.members.iter().filter_map(in_pane).collect();
        self.panes
            .retain(|id, _| members.values().any(|record| record.uuid == *id));
        let is_new = |record: &&Record| !self.panes.contains_key(&record.uuid);
        if members.values().any(is_new) {
            self.second = 0;
        }
        match self.look_at(server, &members, marks, until, fresh) {
            // A pane went between two questions: the store will say so.
            Err(error) if error.exit == Exit::Nothing => Ok(()),
            outcome => outcome,
        }
    }

    fn look_at(
        &mut self,
        server: &Server,
        members: &Members<'_>,
        marks: &mut BTreeMap<SeshId, Mark>,
        until: &[Until],
        fresh: bool,
    ) -> Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        let rows = self.rows(server, members)?;
        let screens = ask(server, rows.iter().map(|row| (row.pane, "0".into())))?;
        let mut moved: Vec<Moved<'_>> = Vec::new();
        for row in &rows {
            let (Some(record), Some(text)) = (members.get(&row.pane), screens.get(&row.pane))
            else {
                continue;
            };
            let shown = row.shown(text);
            let from = match self.panes.get_mut(&record.uuid) {
                Some(screen) => screen.follow(row, shown),
                None => self.begin(record.uuid, row, shown, marks, fresh),
            };
            moved.extend(from.map(|from| Moved { row, from }));
            self.second = self.second.max(row.now);
        }
        self.find_lines(server, members, &moved, until)
    }

    /// The first look at a pane. Gives the first line that is new to the caller, if there may be one.
    fn begin(
        &mut self,
        id: SeshId,
        row: &Row,
        shown: Shown,
        marks: &mut BTreeMap<SeshId, Mark>,
        fresh: bool,
    ) -> Option<i64> {
        let base = match marks.get_mut(&id) {
            // One that came later has printed nothing before.
            None => Shown::default(),
            Some(mark) => {
                let known = mark.shown.filter(|_| !fresh);
                let base = known.unwrap_or(Shown {
                    told: fresh,
                    ..shown
                });
                mark.shown = Some(base);
                base
            }
        };
        let quiet = Duration::from_secs(row.now.saturating_sub(row.activity + 1));
        let at = Instant::now();
        let screen = Screen {
            now: shown,
            base,
            moved: base.hash != shown.hash,
            since: at.checked_sub(quiet).unwrap_or(at),
            activity: row.activity,
            history: row.history,
            line: None,
        };
        let first = lines(base.line) - lines(row.history);
        let from = match (base.told, screen.moved) {
            // What the screen shows counts too.
            (false, _) => Some(first.min(0)),
            (true, true) => Some(first),
            (true, false) => None,
        };
        self.panes.insert(id, screen);
        from
    }

    /// Looks for lines that are waited for in what is new.
    fn find_lines(
        &mut self,
        server: &Server,
        members: &Members<'_>,
        moved: &[Moved<'_>],
        until: &[Until],
    ) -> Result<()> {
        let patterns: Vec<&Regex> = until
            .iter()
            .filter_map(|until| match until {
                Until::Output(pattern) => Some(pattern),
                _ => None,
            })
            .collect();
        if patterns.is_empty() {
            return Ok(());
        }
        let matches = |line: &&str| {
            // sesh-run's own line is not printed by what was started.
            !line.starts_with(HELD) && patterns.iter().any(|pattern| pattern.is_match(line))
        };
        let parts = moved.iter().map(|Moved { row, from }| {
            let from = if row.alternate {
                0
            } else {
                (*from).max(-lines(row.limit))
            };
            (row.pane, from.to_string())
        });
        for (pane, text) in ask(server, parts)? {
            let id = members.get(&pane).map(|record| record.uuid);
            if let Some(screen) = id.and_then(|id| self.panes.get_mut(&id))
                && screen.line.is_none()
            {
                let found = text.lines().map(str::trim_end).find(matches);
                screen.line = found.map(Into::into);
            }
        }
        Ok(())
    }

    /// The panes whose windows have printed since the last look.
    fn rows(&self, server: &Server, members: &Members<'_>) -> Result<Vec<Row>> {
        // A longer chain of conditions costs more on each pane than the rows it saves.
        const FEW: usize = 4;
        let own = (members.len() <= FEW)
            .then(|| {
                let panes = members.keys();
                let conditions = panes.map(|pane| format!("#{{==:#{{pane_id}},{pane}}}"));
                conditions.reduce(|one, other| either(&one, &other))
            })
            .flatten()
            .unwrap_or_else(registered);
        let second = self.second;
        let printed = format!("#{{?#{{e|>=:#{{window_activity}},{second}}},{own},0}}");
        let frame = Frame::new();
        let format = frame.format_with(FIELDS, std::iter::empty::<&str>());
        let output = server.run(&Batch::from(command::list_panes(&format, Some(&printed))))?;
        let mut seen = HashSet::new();
        Ok(frame
            .sections(&output)
            .filter_map(|(row, _)| Row::read(&row))
            .filter(|row| members.contains_key(&row.pane) && seen.insert(row.pane))
            .collect())
    }

    /// What has been waited for, of those that the caller does not know of.
    pub(super) fn found(
        &self,
        seshes: &Seshes,
        marks: &BTreeMap<SeshId, Mark>,
        until: &[Until],
    ) -> Vec<Found> {
        let hit = |record: &Record| {
            let screen = self.panes.get(&record.uuid)?;
            let (what, reason) = match &screen.line {
                Some(line) => (What::Output, line.clone()),
                None => {
                    let time = screen.quiet(until)?;
                    (What::Quiet, humantime::format_duration(time).to_string())
                }
            };
            let known = marks.get(&record.uuid).copied();
            let mut mark = known.unwrap_or_else(|| mark(record, false));
            mark.shown = Some(Shown {
                told: true,
                ..screen.now
            });
            Some(Found {
                event: Event {
                    uuid: record.uuid,
                    what,
                    reason,
                    record: Some(record.clone()),
                },
                mark: Some(mark),
            })
        };
        seshes.members.iter().filter_map(hit).collect()
    }

    /// The caller knows of what a pane shows.
    pub(super) fn told(&mut self, id: SeshId) {
        if let Some(screen) = self.panes.get_mut(&id) {
            screen.base = Shown {
                told: true,
                ..screen.now
            };
            screen.moved = false;
            screen.line = None;
        }
    }

    /// When the first of them will have been quiet for long enough.
    pub(super) fn due(&self, until: &[Until]) -> Option<Instant> {
        let panes = self.panes.values().filter(|screen| screen.counts());
        panes
            .flat_map(|screen| quiet(until).filter_map(|time| screen.since.checked_add(time)))
            .min()
    }
}

impl Screen {
    /// A later look. Gives the first line that may be new, if there may be one.
    fn follow(&mut self, row: &Row, shown: Shown) -> Option<i64> {
        // The window's time is that of all its panes.
        let printed = row.alone && row.activity != self.activity;
        if !printed && shown.hash == self.now.hash {
            return None;
        }
        // tmux has dropped lines, or drops one with each that comes: nobody knows how many are new.
        let from = if row.history < self.history || row.history >= row.limit {
            -lines(row.limit)
        } else {
            lines(self.now.line) - lines(row.history)
        };
        self.now = shown;
        self.moved = true;
        self.since = Instant::now();
        self.activity = row.activity;
        self.history = row.history;
        Some(from)
    }

    /// Whether it is of any concern that it is quiet.
    fn counts(&self) -> bool {
        self.moved || !self.base.told
    }

    fn quiet(&self, until: &[Until]) -> Option<Duration> {
        let passed = self.since.elapsed();
        quiet(until).find(|time| self.counts() && passed >= *time)
    }
}

fn quiet(until: &[Until]) -> impl Iterator<Item = Duration> {
    until.iter().filter_map(|until| match until {
        Until::Quiet(time) => Some(*time),
        _ => None,
    })
}

fn lines(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The text of panes, each from a line on, in one question.
fn ask(
    server: &Server,
    panes: impl Iterator<Item = (PaneId, String)>,
) -> Result<BTreeMap<PaneId, String>> {
    let frame = Frame::new();
    let mut batch = Batch::new();
    for (pane, from) in panes {
        batch.extend(capture(&frame, pane, &from));
    }
    if batch.is_empty() {
        return Ok(BTreeMap::new());
    }
    let output = server.run(&batch)?;
    Ok(frame
        .sections(&output)
        .filter_map(|(row, text)| Some((row.first()?.parse().ok().map(PaneId)?, text.into())))
        .collect())
}

fn capture(frame: &Frame, pane: PaneId, from: &str) -> [Command; 2] {
    [
        command::print(None, &frame.format([pane.0.to_string()])),
        command::capture_pane(&pane.to_string(), from, false, true),
    ]
}
