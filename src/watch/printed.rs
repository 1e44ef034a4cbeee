//! What panes print: their screens, looked at ten times a second while somebody waits for output or for quiet.
//!
//! None is looked at while the server has read nothing. One question to it tells which windows have printed; only their
//! screens are asked for and compared, and not those of panes that are seen to scroll on while only quiet is waited for.
//! What is printed and gone again between two looks, the same picture afterwards, is no change. A tap on the panes that
//! `sesh-new` makes would see each byte as it comes; it belongs here.

use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use regex::Regex;
use siphasher::sip::SipHasher13;

use super::cursor::{SeshCursor, ShownOutput};
use super::events::{EventKind, Judged, SeshEvent, Seshes, mark};
use super::server_activity::ServerActivity;
use super::wait_event::WaitEvent;
use crate::error::{Exit, Result};
use crate::id::{PaneId, ServerId, SeshId};
use crate::store::condition::{either, registered};
use crate::store::schema::HELD;
use crate::store::{Record, write};
use crate::tmux::{Batch, Frame, Server, command};

/// How often panes are looked at.
pub(super) const OFTEN: Duration = Duration::from_millis(100);

/// The panes of a set, as they were last seen.
#[derive(Debug)]
pub(super) struct Screens {
    panes: BTreeMap<SeshId, PrintedScreen>,
    intake: ServerActivity,
    /// The server's second in which it was last asked who has printed: who did so in it may have printed more since.
    second: u64,
}

#[derive(Debug)]
struct PrintedScreen {
    now: ShownOutput,
    /// What the caller knows.
    base: ShownOutput,
    /// It has printed since then.
    moved: bool,
    /// Since when it is as it is now.
    since: Instant,
    /// The second in which its window printed last.
    activity: u64,
    history: u64,
    alternate: bool,
    /// The first line in which nothing was looked for yet, counted as in [`Shown::line`].
    unread: Option<u64>,
    /// A line that was waited for.
    line: Option<String>,
    /// How many looks in a row have found its lines moving.
    scrolled: u32,
}

/// What tmux tells of a pane.
struct PaneOutput {
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
    // Not the id as it is: its % and what stands behind would be a time to display-message.
    "#{s/%//:pane_id}",
    // 3.2a dies of a time of what is gone, and a pane may go between two questions.
    "#{?pane_id,#{window_activity},}",
    "#{window_panes}",
    "#{history_size}",
    "#{history_limit}",
    "#{cursor_y}",
    "#{cursor_x}",
    "#{alternate_on}",
    write::NOW,
];

impl PaneOutput {
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
            pane: PaneId(pane.parse().ok()?),
            activity,
            alone: panes == 1,
            history,
            limit,
            cursor: (row, column),
            alternate: alternate == 1,
            now,
        })
    }

    fn shown(&self, screen: &str) -> ShownOutput {
        let mut hasher = SipHasher13::new();
        (screen, self.history, self.cursor).hash(&mut hasher);
        ShownOutput {
            hash: hasher.finish(),
            line: self.line(),
            told: false,
        }
    }

    fn line(&self) -> u64 {
        self.history + self.cursor.0
    }

    /// The first line that may be new, of what was seen up to a line. A full history loses a tenth of its lines at a time:
    /// from then on nobody knows how many are new.
    fn first_new(&self, seen: u64) -> u64 {
        let may_have_dropped = self.history >= self.limit - self.limit / 10;
        if may_have_dropped || self.line() < seen {
            0
        } else {
            seen
        }
    }
}

/// The pane of a member.
fn pane(record: &Record) -> Option<PaneId> {
    record.tmux.as_ref().map(|place| place.pane)
}

/// The members that have a pane.
type Members<'a> = BTreeMap<PaneId, &'a Record>;

impl Screens {
    /// Those of a server, none of which was seen yet.
    pub(super) fn of(server: ServerId) -> Self {
        Self {
            panes: BTreeMap::new(),
            intake: ServerActivity::of(server),
            second: 0,
        }
    }

    /// Looks at the panes of the members. `fresh`: what those that are known show now is of no concern.
    pub(super) fn look(
        &mut self,
        server: &Server,
        seshes: &Seshes,
        marks: &mut BTreeMap<SeshId, SeshCursor>,
        until: &[WaitEvent],
        fresh: bool,
    ) -> Result<()> {
        let in_pane = |record| Some((pane(record)?, record));
        let members: Members<'_> = seshes.members.iter().filter_map(in_pane).collect();
        self.panes
            .retain(|id, _| members.values().any(|record| record.uuid == *id));
        let is_new = |record: &&Record| !self.panes.contains_key(&record.uuid);
        let has_new = members.values().any(is_new);
        if has_new {
            self.second = 0;
        }
        if !self.intake.has_grown() && !has_new {
            return Ok(());
        }
        let second = self.second;
        match self.look_at(server, &members, marks, until, fresh) {
            // A pane went between two questions: the store will say so, and the others are looked at again.
            Err(error) if error.exit == Exit::Nothing => {
                self.second = second;
                self.intake.forget();
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn look_at(
        &mut self,
        server: &Server,
        members: &Members<'_>,
        marks: &mut BTreeMap<SeshId, SeshCursor>,
        until: &[WaitEvent],
        fresh: bool,
    ) -> Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        let mut printed = self.printed(server, members)?;
        if until
            .iter()
            .all(|until| !matches!(until, WaitEvent::Output(_)))
        {
            printed.retain(|row| {
                let id = members.get(&row.pane).map(|record| record.uuid);
                let screen = id.and_then(|id| self.panes.get_mut(&id));
                let scrolls_on = screen.is_some_and(|screen| screen.scrolls_on(row));
                if scrolls_on {
                    // Its picture is for the next time, also if it has come to rest by then.
                    self.second = self.second.min(row.activity);
                    self.intake.forget();
                }
                !scrolls_on
            });
        }
        let printed = printed.into_iter().map(|row| (row.pane, 0));
        for (row, text) in ask(server, printed)? {
            let Some(record) = members.get(&row.pane) else {
                continue;
            };
            let shown = row.shown(&text);
            match self.panes.get_mut(&record.uuid) {
                Some(screen) => screen.follow(&row, shown),
                None => self.begin(record.uuid, &row, shown, marks, fresh),
            }
        }
        self.find_lines(server, members, until)
    }

    /// The first look at a pane.
    fn begin(
        &mut self,
        id: SeshId,
        row: &PaneOutput,
        shown: ShownOutput,
        marks: &mut BTreeMap<SeshId, SeshCursor>,
        fresh: bool,
    ) {
        let base = match marks.get_mut(&id) {
            // One that came later has printed nothing before.
            None => ShownOutput::default(),
            Some(mark) => {
                let known = mark.shown.filter(|_| !fresh);
                let base = known.unwrap_or(ShownOutput {
                    told: fresh,
                    ..shown
                });
                mark.shown = Some(base);
                base
            }
        };
        let moved = base.hash != shown.hash;
        let quiet = Duration::from_secs(row.now.saturating_sub(row.activity + 1));
        let at = Instant::now();
        let screen = PrintedScreen {
            now: shown,
            base,
            moved,
            since: at.checked_sub(quiet).unwrap_or(at),
            activity: row.activity,
            history: row.history,
            alternate: row.alternate,
            unread: if base.told {
                moved.then(|| row.first_new(base.line))
            } else {
                // What the screen shows counts too.
                Some(base.line.min(row.history))
            },
            line: None,
            scrolled: 0,
        };
        self.panes.insert(id, screen);
    }

    /// Looks for lines that are waited for in what is new.
    fn find_lines(
        &mut self,
        server: &Server,
        members: &Members<'_>,
        until: &[WaitEvent],
    ) -> Result<()> {
        let patterns: Vec<&Regex> = until
            .iter()
            .filter_map(|until| match until {
                WaitEvent::Output(pattern) => Some(pattern),
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
        let unread = |(pane, record): (&PaneId, &&Record)| {
            let screen = self.panes.get(&record.uuid)?;
            let first = lines(screen.unread?) - lines(screen.history);
            Some((*pane, if screen.alternate { 0 } else { first }))
        };
        let unread: Vec<(PaneId, i64)> = members.iter().filter_map(unread).collect();
        for (row, text) in ask(server, unread.into_iter())? {
            let id = members.get(&row.pane).map(|record| record.uuid);
            let Some(screen) = id.and_then(|id| self.panes.get_mut(&id)) else {
                continue;
            };
            screen.unread = None;
            screen.now.line = row.line();
            screen.history = row.history;
            if screen.line.is_none() {
                let found = text.lines().map(str::trim_end).find(matches);
                screen.line = found.map(Into::into);
            }
        }
        Ok(())
    }

    /// What tmux tells of the panes whose windows have printed since the last look.
    fn printed(&mut self, server: &Server, members: &Members<'_>) -> Result<Vec<PaneOutput>> {
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
        let batch = Batch::from(command::list_panes(&frame.format(FIELDS), Some(&printed)));
        let output = server.run(&batch)?;
        let (rows, _) = frame.read(&output);
        let mut rows: Vec<PaneOutput> = rows
            .iter()
            .filter_map(|row| PaneOutput::read(row))
            .collect();
        // Of this moment, and not of the looks that follow: what prints between them is for the next time.
        self.second = rows.last().map_or(self.second, |row| row.now);
        // A window that is in several sessions is told of in each.
        let mut seen = HashSet::new();
        rows.retain(|row| members.contains_key(&row.pane) && seen.insert(row.pane));
        Ok(rows)
    }

    /// What has been waited for, of those that the caller does not know of.
    pub(super) fn found(
        &self,
        seshes: &Seshes,
        marks: &BTreeMap<SeshId, SeshCursor>,
        until: &[WaitEvent],
    ) -> Vec<Judged> {
        let hit = |record: &Record| {
            let screen = self.panes.get(&record.uuid)?;
            let (what, reason) = match &screen.line {
                Some(line) => (EventKind::Output, line.clone()),
                None => {
                    let time = screen.quiet(until)?;
                    (
                        EventKind::Quiet,
                        humantime::format_duration(time).to_string(),
                    )
                }
            };
            let known = marks.get(&record.uuid).copied();
            let mut mark = known.unwrap_or_else(|| mark(record, false));
            mark.shown = Some(ShownOutput {
                told: true,
                ..screen.now
            });
            Some(Judged {
                event: SeshEvent {
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
            screen.base = ShownOutput {
                told: true,
                ..screen.now
            };
            screen.moved = false;
            screen.line = None;
        }
    }

    /// When the first of them will have been quiet for long enough.
    pub(super) fn due(&self, until: &[WaitEvent]) -> Option<Instant> {
        let panes = self.panes.values().filter(|screen| screen.counts());
        panes
            .flat_map(|screen| quiet(until).filter_map(|time| screen.since.checked_add(time)))
            .min()
    }
}

impl PrintedScreen {
    /// A later look.
    fn follow(&mut self, row: &PaneOutput, shown: ShownOutput) {
        // The window's time is that of all its panes.
        let printed = row.alone && row.activity != self.activity;
        if printed || shown.hash != self.now.hash {
            self.has_moved(row, shown);
        }
    }

    /// A later look without the picture, which costs a flooding pane more than the rest: enough for one whose lines
    /// have moved for some looks and move on. Its next picture then is another one, whatever it shows: nobody knows
    /// since when.
    fn scrolls_on(&mut self, row: &PaneOutput) -> bool {
        const FLOODS: u32 = 3;
        let moves = row.line() != self.now.line;
        self.scrolled = if moves { self.scrolled + 1 } else { 0 };
        if self.scrolled > FLOODS {
            self.has_moved(
                row,
                ShownOutput {
                    line: row.line(),
                    ..ShownOutput::default()
                },
            );
        }
        self.scrolled > FLOODS
    }

    fn has_moved(&mut self, row: &PaneOutput, shown: ShownOutput) {
        let first = row.first_new(self.now.line);
        self.unread = Some(self.unread.map_or(first, |unread| unread.min(first)));
        self.now = shown;
        self.moved = true;
        self.since = Instant::now();
        self.activity = row.activity;
        self.history = row.history;
        self.alternate = row.alternate;
    }

    /// Whether it is of any concern that it is quiet.
    fn counts(&self) -> bool {
        self.moved || !self.base.told
    }

    fn quiet(&self, until: &[WaitEvent]) -> Option<Duration> {
        let passed = self.since.elapsed();
        quiet(until).find(|time| self.counts() && passed >= *time)
    }
}

fn quiet(until: &[WaitEvent]) -> impl Iterator<Item = Duration> {
    until.iter().filter_map(|until| match until {
        WaitEvent::Quiet(time) => Some(*time),
        _ => None,
    })
}

fn lines(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The text of panes, each from a line on that is counted from the top of its screen, and what tmux tells of them at the
/// same moment: one question.
fn ask(
    server: &Server,
    panes: impl Iterator<Item = (PaneId, i64)>,
) -> Result<Vec<(PaneOutput, String)>> {
    let frame = Frame::new();
    let row = frame.format_with(FIELDS, std::iter::empty::<&str>());
    let mut batch = Batch::new();
    for (pane, from) in panes {
        let pane = pane.to_string();
        batch.extend([
            command::print(Some(&pane), &row),
            command::capture_pane(&pane, &from.to_string(), false, true),
        ]);
    }
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let output = server.run(&batch)?;
    let sections = frame.sections(&output);
    Ok(sections
        .filter_map(|(row, text)| Some((PaneOutput::read(&row)?, text.to_string())))
        .collect())
}
