//! Watches what panes print: looks at their screens ten times a second while a wait is for output or for quiet.
//!
//! No screen is read while the server has read nothing. One question to the server finds the windows that have printed,
//! and only their screens are read and compared. While a wait is only for quiet, the screens of panes that keep
//! scrolling are not read either. Text that is printed and removed again between two looks is no change if the screen
//! is the same afterwards. A tap on the panes that `sesh-new` makes would see each byte; it would belong in this
//! file.

use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use regex::Regex;
use siphasher::sip::SipHasher13;

use super::cursor::{SeshCursor, ShownOutput};
use super::events::{EventKind, Judged, SeshEvent, Seshes, cursor_of};
use super::server_activity::ServerActivity;
use super::wait_event::WaitEvent;
use crate::error::{Exit, Result};
use crate::id::{PaneId, ServerId, SeshId};
use crate::store::condition::{either, registered};
use crate::store::schema::HELD;
use crate::store::{Record, write};
use crate::tmux::{Batch, Frame, Server, command};

/// How often panes are looked at.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);

/// The panes of a set, as they were last seen.
#[derive(Debug)]
pub(super) struct Screens {
    panes: BTreeMap<SeshId, PrintedScreen>,
    server_activity: ServerActivity,
    /// The second, by the server's clock, of the last question for windows that have printed. A window that printed in
    /// that second may have printed more since.
    second: u64,
}

/// What was seen of one pane.
#[derive(Debug)]
struct PrintedScreen {
    now: ShownOutput,
    /// What the caller knows of it.
    base: ShownOutput,
    /// It has changed since `base`.
    changed: bool,
    /// When it changed last.
    since: Instant,
    /// The second, by the server's clock, in which its window printed last.
    activity: u64,
    history: u64,
    alternate: bool,
    /// The first line that was not searched yet, counted as [`ShownOutput::line`] is.
    unread: Option<u64>,
    /// A line that matches a pattern of the wait.
    line: Option<String>,
    /// How many looks in a row have found that its lines had moved.
    scrolled: u32,
}

/// What tmux knows about the output of a pane.
struct PaneOutput {
    pane: PaneId,
    activity: u64,
    /// The pane is the only one of its window.
    alone: bool,
    history: u64,
    limit: u64,
    /// The row and the column of the terminal cursor.
    cursor: (u64, u64),
    alternate: bool,
    /// The server's clock.
    now: u64,
}

const FIELDS: [&str; 9] = [
    // The id without its %: display-message would take the % and the text after it for a time format.
    "#{s/%//:pane_id}",
    // 3.2a crashes on the time of a window that is gone, and a pane may close between two questions.
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
            reported: false,
        }
    }

    fn line(&self) -> u64 {
        self.history + self.cursor.0
    }

    /// Returns the first line that may be new where the lines before `seen` are known. A full history loses a tenth of
    /// its lines at a time, and from then on the number of new lines is not known.
    fn first_new(&self, seen: u64) -> u64 {
        let may_have_dropped = self.history >= self.limit - self.limit / 10;
        if may_have_dropped || self.line() < seen {
            0
        } else {
            seen
        }
    }
}

/// Returns the pane of a member.
fn pane(record: &Record) -> Option<PaneId> {
    record.tmux.as_ref().map(|place| place.pane)
}

/// The members that have a pane.
type Members<'a> = BTreeMap<PaneId, &'a Record>;

impl Screens {
    /// Returns the screens of a server, none of which has been read yet.
    pub(super) fn of(server: ServerId) -> Self {
        Self {
            panes: BTreeMap::new(),
            server_activity: ServerActivity::of(server),
            second: 0,
        }
    }

    /// Looks at the panes of the members. `fresh`: what the panes of known seshes show at their first look does not
    /// count.
    pub(super) fn look(
        &mut self,
        server: &Server,
        seshes: &Seshes,
        cursors: &mut BTreeMap<SeshId, SeshCursor>,
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
        if !self.server_activity.may_have_read() && !has_new {
            return Ok(());
        }
        let second = self.second;
        match self.look_at(server, &members, cursors, until, fresh) {
            // A pane closed between two questions. The store will show that, and the others are looked at again.
            Err(error) if error.exit == Exit::Nothing => {
                self.second = second;
                self.server_activity.forget();
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn look_at(
        &mut self,
        server: &Server,
        members: &Members<'_>,
        cursors: &mut BTreeMap<SeshId, SeshCursor>,
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
                    // Its screen is left for the next look, also if it has stopped scrolling by then.
                    self.second = self.second.min(row.activity);
                    self.server_activity.forget();
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
                None => self.begin(record.uuid, &row, shown, cursors, fresh),
            }
        }
        self.find_lines(server, members, until)
    }

    /// Records the first look at a pane.
    fn begin(
        &mut self,
        id: SeshId,
        row: &PaneOutput,
        shown: ShownOutput,
        cursors: &mut BTreeMap<SeshId, SeshCursor>,
        fresh: bool,
    ) {
        let base = match cursors.get_mut(&id) {
            // A sesh that joined later had printed nothing before.
            None => ShownOutput::default(),
            Some(cursor) => {
                let known = cursor.shown.filter(|_| !fresh);
                let base = known.unwrap_or(ShownOutput {
                    reported: fresh,
                    ..shown
                });
                cursor.shown = Some(base);
                base
            }
        };
        let changed = base.hash != shown.hash;
        let quiet = Duration::from_secs(row.now.saturating_sub(row.activity + 1));
        let at = Instant::now();
        let screen = PrintedScreen {
            now: shown,
            base,
            changed,
            since: at.checked_sub(quiet).unwrap_or(at),
            activity: row.activity,
            history: row.history,
            alternate: row.alternate,
            unread: if base.reported {
                changed.then(|| row.first_new(base.line))
            } else {
                // The lines that the screen shows count too.
                Some(base.line.min(row.history))
            },
            line: None,
            scrolled: 0,
        };
        self.panes.insert(id, screen);
    }

    /// Searches the new lines for the patterns of the wait.
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
            // The line that sesh-run prints is no output of the command.
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

    /// Asks tmux about the panes whose windows have printed since the last look.
    fn printed(&mut self, server: &Server, members: &Members<'_>) -> Result<Vec<PaneOutput>> {
        // For more panes the chain of conditions costs more on each pane than it saves in rows.
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
        // The second of this question, not of the ones that follow: what is printed in between is found the next time.
        self.second = rows.last().map_or(self.second, |row| row.now);
        // A window that is linked to several sessions has a row in each of them.
        let mut seen = HashSet::new();
        rows.retain(|row| members.contains_key(&row.pane) && seen.insert(row.pane));
        Ok(rows)
    }

    /// Returns the output events and quiet events that the caller does not know yet.
    pub(super) fn found(
        &self,
        seshes: &Seshes,
        cursors: &BTreeMap<SeshId, SeshCursor>,
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
            let known = cursors.get(&record.uuid).copied();
            let mut cursor = known.unwrap_or_else(|| cursor_of(record, false));
            cursor.shown = Some(ShownOutput {
                reported: true,
                ..screen.now
            });
            Some(Judged {
                event: SeshEvent {
                    uuid: record.uuid,
                    what,
                    reason,
                    record: Some(record.clone()),
                },
                cursor: Some(cursor),
            })
        };
        seshes.members.iter().filter_map(hit).collect()
    }

    /// Records that what a pane shows was reported to the caller.
    pub(super) fn set_reported(&mut self, id: SeshId) {
        if let Some(screen) = self.panes.get_mut(&id) {
            screen.base = ShownOutput {
                reported: true,
                ..screen.now
            };
            screen.changed = false;
            screen.line = None;
        }
    }

    /// Returns when the first pane will have been quiet for long enough.
    pub(super) fn due(&self, until: &[WaitEvent]) -> Option<Instant> {
        let panes = self.panes.values().filter(|screen| screen.quiet_counts());
        panes
            .flat_map(|screen| quiet(until).filter_map(|time| screen.since.checked_add(time)))
            .min()
    }
}

impl PrintedScreen {
    /// Records a later look.
    fn follow(&mut self, row: &PaneOutput, shown: ShownOutput) {
        // The time of a window belongs to all of its panes, so it counts only where there is one.
        let printed = row.alone && row.activity != self.activity;
        if printed || shown.hash != self.now.hash {
            self.record_change(row, shown);
        }
    }

    /// Records a later look for which the screen has not been read, which is the most expensive part for a flooding
    /// pane. Returns `true` where that suffices, for a pane whose lines have moved for several looks in a row. The next
    /// screen that is read then counts as changed whatever it shows, since it is not known when it changed.
    fn scrolls_on(&mut self, row: &PaneOutput) -> bool {
        const SCROLLED_LOOKS: u32 = 3;
        let changed = row.line() != self.now.line;
        self.scrolled = if changed { self.scrolled + 1 } else { 0 };
        if self.scrolled > SCROLLED_LOOKS {
            self.record_change(
                row,
                ShownOutput {
                    line: row.line(),
                    ..ShownOutput::default()
                },
            );
        }
        self.scrolled > SCROLLED_LOOKS
    }

    fn record_change(&mut self, row: &PaneOutput, shown: ShownOutput) {
        let first = row.first_new(self.now.line);
        self.unread = Some(self.unread.map_or(first, |unread| unread.min(first)));
        self.now = shown;
        self.changed = true;
        self.since = Instant::now();
        self.activity = row.activity;
        self.history = row.history;
        self.alternate = row.alternate;
    }

    /// Returns whether its quiet counts: it has changed, or what it shows was not reported.
    fn quiet_counts(&self) -> bool {
        self.changed || !self.base.reported
    }

    fn quiet(&self, until: &[WaitEvent]) -> Option<Duration> {
        let passed = self.since.elapsed();
        quiet(until).find(|time| self.quiet_counts() && passed >= *time)
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

/// Reads the text of panes, and what tmux knows about them at the same moment, in one question. Each pane comes with
/// the line that its text begins at, counted from the top of its screen.
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
