//! Waiting for seshes: one, any or all of a set, without missing a change and without being told of one twice.
//!
//! A wait reads the store and with it how many changes were signalled ([`schema::CHANGED`]), and then waits for the next
//! one, which is there at once where it came in between. The signal is a hint and the store is the truth:
//! each sesh has a generation that grows with every change of its state, and a [`Cursor`] says up to which of them the
//! caller knows. States that came and went between two readings are told as what is there now; an end is never lost,
//! since an ended sesh stays in its book.
//!
//! What no writer says is looked at by `levels`, what is printed by `printed`.

pub mod cursor;
mod events;
mod poll;
mod printed;
mod server_activity;
mod wait_event;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use cursor::Cursor;
use cursor::SeshCursor;
pub use events::{EventKind, SeshEvent};
use events::{Judged, Seshes, judge, mark};
use poll::Levels;
use printed::Screens;
pub use wait_event::WaitEvent;

use crate::error::{Error, Exit, Result};
use crate::id::{ServerId, SeshId, Tag};
use crate::inventory::reconcile;
use crate::store::condition::{equal, registered};
use crate::store::query::{Snapshot, books, row_format};
use crate::store::{Record, Target, schema, write};
use crate::tmux::{Batch, Counters, Frame, Server, Subscription, command};

/// Which seshes are waited for.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// These, whatever becomes of them.
    pub ids: Vec<SeshId>,
    /// And those that have all of these tags, at each moment; without a tag none.
    pub tags: Vec<Tag>,
}

impl Set {
    fn has(&self, record: &Record) -> bool {
        let has = |tag: &Tag| record.tags.iter().any(|it| it == tag.as_str());
        self.ids.contains(&record.uuid) || (!self.tags.is_empty() && self.tags.iter().all(has))
    }
}

/// How many events end a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitMode {
    /// The first. Of several the one that is oldest.
    #[default]
    Any,
    /// One of each sesh of the set. Of those that end in another way than is waited for, their end.
    All,
    /// As many as there are.
    Each,
}

/// Since when a change is one.
#[derive(Clone, Debug, Default)]
pub enum WaitSince {
    /// What is so now counts, if it has not changed for years. A turn and a change are counted from now.
    #[default]
    Now,
    /// Only what comes from now on.
    Fresh,
    /// What the caller was not told of when it got this.
    Cursor(Cursor),
    /// What came after these generations.
    Generations(BTreeMap<SeshId, u64>),
}

/// What is waited for.
#[derive(Clone, Debug, Default)]
pub struct WaitRequest {
    pub set: Set,
    /// One of these.
    pub until: Vec<WaitEvent>,
    pub how: WaitMode,
    pub since: WaitSince,
}

/// How a wait ended.
#[derive(Clone, Debug)]
pub enum WaitOutcome {
    Events(Vec<SeshEvent>),
    TimedOut,
    /// All of the set have ended, or it has nobody: nothing can come any more.
    Empty,
}

/// Waits once, and gives the cursor to go on from.
///
/// # Errors
/// [`Exit::Changed`] for a cursor of another server, [`Exit::NoServer`] as soon as the server ends.
pub fn wait(
    server: &Server,
    request: WaitRequest,
    timeout: Option<Duration>,
) -> Result<(WaitOutcome, Cursor)> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut watch = Watch::new(server, request)?;
    let outcome = watch.next(deadline)?;
    Ok((outcome, watch.cursor().clone()))
}

/// A wait that can be gone on with: between two events nothing is missed.
pub struct Watch<'a> {
    server: &'a Server,
    request: WaitRequest,
    cursor: Cursor,
    /// What wakes this wait.
    subscription: Subscription,
    /// What was last known of each.
    before: BTreeMap<SeshId, Record>,
    levels: Levels,
    screens: Screens,
    /// For [`How::All`]: what has happened to whom.
    happened: BTreeMap<SeshId, Judged>,
}

/// The store at one moment.
struct StoreView {
    server: ServerId,
    /// The plugin's tick looks after agents.
    ticks: bool,
    /// The server's clock, epoch seconds.
    now: u64,
    /// What was signalled up to then.
    counters: Counters,
    seshes: Seshes,
}

impl<'a> Watch<'a> {
    /// Begins a wait. See [`wait`].
    ///
    /// # Errors
    /// As there.
    pub fn new(server: &'a Server, mut request: WaitRequest) -> Result<Self> {
        let mut levels = Levels::of(&read(server, &request.set)?.seshes);
        put_right(server, &mut levels)?;
        let seen = read(server, &request.set)?;
        let since = std::mem::take(&mut request.since);
        if let WaitSince::Cursor(cursor) = &since
            && cursor.server != seen.server
        {
            return Err(Error::new(
                Exit::Changed,
                "that cursor is of another tmux server, which is gone: wait without it to start from now",
            ));
        }
        let fresh = matches!(since, WaitSince::Fresh);
        let marks = begin(since, &seen, &request.set);
        if fresh {
            request.since = WaitSince::Fresh;
        }
        Ok(Self {
            server,
            cursor: Cursor {
                server: seen.server,
                marks,
            },
            subscription: server.subscribe(&schema::CHANGED),
            before: BTreeMap::new(),
            levels,
            screens: Screens::of(seen.server),
            happened: BTreeMap::new(),
            request,
        })
    }

    /// What the caller knows: it goes on from here.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    /// As [`wait`].
    pub fn next(&mut self, deadline: Option<Instant>) -> Result<WaitOutcome> {
        loop {
            let seen = read(self.server, &self.request.set)?;
            if seen.server != self.cursor.server {
                return Err(Error::new(
                    Exit::NoServer,
                    "the tmux server has ended, and another one is in its place",
                ));
            }
            self.look_at_screens(&seen.seshes)?;
            if let Some(outcome) = self.outcome(&seen.seshes) {
                return Ok(outcome);
            }
            let known = seen.seshes.members.iter().cloned();
            self.before
                .extend(known.map(|record| (record.uuid, record)));
            if !self.pause(&seen, deadline)? {
                return Ok(WaitOutcome::TimedOut);
            }
        }
    }

    fn look_at_screens(&mut self, seshes: &Seshes) -> Result<()> {
        if self.prints() {
            let fresh = matches!(self.request.since, WaitSince::Fresh);
            let marks = &mut self.cursor.marks;
            let until = &self.request.until;
            self.screens
                .look(self.server, seshes, marks, until, fresh)?;
        }
        Ok(())
    }

    fn prints(&self) -> bool {
        self.request.until.iter().any(WaitEvent::is_printed)
    }

    /// What has happened, if that ends the wait.
    fn outcome(&mut self, seshes: &Seshes) -> Option<WaitOutcome> {
        let WaitRequest {
            set, until, how, ..
        } = &self.request;
        let marks = &self.cursor.marks;
        let mut found = judge(seshes, marks, until, set, &self.before);
        for printed in self.screens.found(seshes, marks, until) {
            if found
                .iter()
                .all(|found| found.event.uuid != printed.event.uuid)
            {
                found.push(printed);
            }
        }
        match how {
            WaitMode::Any => found.truncate(1),
            WaitMode::Each => {}
            WaitMode::All => found = self.all(seshes, found),
        }
        if !found.is_empty() {
            return Some(WaitOutcome::Events(self.tell(found)));
        }
        seshes.open().next().is_none().then_some(WaitOutcome::Empty)
    }

    /// One event of each, once there are all of them.
    fn all(&mut self, seshes: &Seshes, found: Vec<Judged>) -> Vec<Judged> {
        for found in found {
            self.happened.entry(found.event.uuid).or_insert(found);
        }
        let members = &seshes.members;
        let is_done =
            |record: &Record| record.exit.is_some() || self.happened.contains_key(&record.uuid);
        if self.happened.is_empty() || !members.iter().all(is_done) {
            return Vec::new();
        }
        // Those that ended, which is not what was waited for.
        let mut all = std::mem::take(&mut self.happened);
        for record in members {
            let known = self.cursor.marks.get(&record.uuid);
            if known.is_none_or(|known| !(known.ended && known.told)) {
                all.entry(record.uuid).or_insert_with(|| Judged {
                    event: events::event(record, EventKind::Exit),
                    mark: Some(mark(record, true)),
                });
            }
        }
        all.into_values().collect()
    }

    /// The caller is told of these.
    fn tell(&mut self, found: Vec<Judged>) -> Vec<SeshEvent> {
        let mut events = Vec::with_capacity(found.len());
        for Judged { event, mark } in found {
            match mark {
                Some(mark) => {
                    self.cursor.marks.insert(event.uuid, mark);
                }
                None => {
                    self.cursor.marks.remove(&event.uuid);
                }
            }
            if matches!(event.what, EventKind::Output | EventKind::Quiet) {
                self.screens.told(event.uuid);
            }
            events.push(event);
        }
        events
    }

    /// Waits for a reason to read the store again. `false` when the time is over.
    fn pause(&mut self, seen: &StoreView, deadline: Option<Instant>) -> Result<bool> {
        loop {
            let now = Instant::now();
            let mut next = self.levels.due();
            if self.prints() {
                next = next.min(now + printed::OFTEN);
                next = next.min(self.screens.due(&self.request.until).unwrap_or(next));
            }
            next = deadline.map_or(next, |deadline| next.min(deadline));
            // One that only looks once is no client that waits.
            let limit = next.saturating_duration_since(now);
            if !limit.is_zero() && self.subscription.wait(seen.counters, limit) {
                return Ok(true);
            }
            let now = Instant::now();
            if self.prints() {
                self.look_at_screens(&seen.seshes)?;
                let found =
                    (self.screens).found(&seen.seshes, &self.cursor.marks, &self.request.until);
                if found
                    .iter()
                    .any(|found| !self.happened.contains_key(&found.event.uuid))
                {
                    return Ok(true);
                }
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(false);
            }
            if now >= self.levels.due()
                && self.levels.are_off(self.server, &seen.seshes, seen.ticks)?
            {
                put_right(self.server, &mut self.levels)?;
                return Ok(true);
            }
        }
    }
}

/// Puts right what is stored. A pane that goes meanwhile is a reason to try again, and none to end a wait.
fn put_right(server: &Server, levels: &mut Levels) -> Result<()> {
    match reconcile::reconcile_known(server) {
        Err(error) if matches!(error.exit, Exit::Nothing | Exit::Failed) => {
            levels.are_still_off();
            Ok(())
        }
        outcome => outcome,
    }
}

/// What counts as known when a wait begins.
fn begin(since: WaitSince, seen: &StoreView, set: &Set) -> BTreeMap<SeshId, SeshCursor> {
    let members = seen.seshes.members.iter();
    match since {
        WaitSince::Cursor(cursor) => cursor.marks,
        WaitSince::Generations(generations) => generations
            .into_iter()
            .map(|(id, generation)| {
                let mark = SeshCursor {
                    generation,
                    told: true,
                    ..SeshCursor::default()
                };
                (id, mark)
            })
            .collect(),
        WaitSince::Fresh => members
            .map(|record| (record.uuid, mark(record, true)))
            .collect(),
        WaitSince::Now => members
            .map(|record| {
                // Of a tag's seshes those that are long gone were those of another time. One whose pane was not held, or
                // had to make room for others, is of this.
                const LONG: u64 = 600;
                let ended = record.exit.as_ref().and_then(|exit| exit.at);
                let old = record.exit.is_some()
                    && record.tmux.is_none()
                    && ended.is_none_or(|at| at + LONG < seen.now)
                    && !set.ids.contains(&record.uuid);
                (record.uuid, mark(record, old))
            })
            .collect(),
    }
}

fn read(server: &Server, set: &Set) -> Result<StoreView> {
    // A slower tick of the plugin's, in seconds, is no help.
    const FAST: f64 = 5.0;
    let frame = Frame::new();
    // Where the plugin was taken out, the first of these is unset.
    let every = "#{?SESH_tick,#{SESH_every},}";
    let counters = schema::CHANGED.format();
    let head = frame.format(["#{pid}", "#{start_time}", every, write::NOW, &counters]);
    let mut filter = registered();
    if let ([id], []) = (&set.ids[..], &set.tags[..]) {
        filter = equal(schema::Key::Id, &id.to_string());
    }
    let mut batch = Batch::from(command::print(None, &head))
        .then(command::list_panes(&row_format(&frame), Some(&filter)));
    batch.extend(books(&frame));
    let output = server.run(&batch)?;
    let mut snapshot = Snapshot::parse(&frame, &output)?;
    // Those of a server that has died have ended, and nobody else is told of.
    let named: Vec<Target> = set.ids.iter().copied().map(Target::Id).collect();
    snapshot.take_in_past_of(server, &named);
    let head = frame.sections(&output).next().map(|(row, _)| row);
    let Some(&[pid, started, every, now, counters]) = head.as_deref() else {
        return Err(Error::failed("tmux did not say which server it is"));
    };
    Ok(StoreView {
        server: ServerId::read(pid, started).unwrap_or(ServerId::NONE),
        ticks: every.parse::<f64>().is_ok_and(|every| every <= FAST),
        now: now.parse().unwrap_or(0),
        counters: Counters::read(counters),
        seshes: Seshes::new(snapshot.records().cloned(), set),
    })
}
