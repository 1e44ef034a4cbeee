//! Waits for seshes: one, any or all of a set. A wait misses no change and reports none twice.
//!
//! A wait reads the store together with the counter of signalled changes ([`schema::CHANGED`]), and then waits for the
//! next signal. A signal that came in between ends that wait at once. The signal is a hint and the store is the truth:
//! each sesh has a generation that grows with every change of its state, and a [`Cursor`] holds the generation up to
//! which the caller knows each sesh. Of the states between two readings only the last one is reported. An exit is never
//! lost, since the record of an exited sesh stays.
//!
//! `poll` finds changes that no writer reports, and `printed` watches what panes print.

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
use events::{Judged, Seshes, cursor_of, judge};
use poll::Poll;
use printed::Screens;
pub use wait_event::WaitEvent;

use crate::error::{Error, Exit, Result};
use crate::id::{ServerId, SeshId, Tag};
use crate::inventory::reconcile;
use crate::store::condition::{equal, registered};
use crate::store::query::{Snapshot, books, life, row_format};
use crate::store::{Record, Target, schema, write};
use crate::tmux::{Batch, Counters, Frame, Server, Subscription, command};

/// Which seshes are waited for.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// These seshes, also after they have exited.
    pub ids: Vec<SeshId>,
    /// The seshes that have all of these tags at the moment of a reading. Without a tag there are none.
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
    /// The first event. Of several, the oldest one.
    #[default]
    Any,
    /// One event of each sesh of the set. For a sesh that exits before its event comes, the exit is its event.
    All,
    /// All events that are found at once.
    Each,
}

/// Which conditions and changes count for a wait.
#[derive(Clone, Debug, Default)]
pub enum WaitSince {
    /// Conditions that already hold count, however old. Turns and changes count from now on.
    #[default]
    Now,
    /// Only what happens from now on counts.
    Fresh,
    /// Everything counts that had not been reported to the caller when it got this cursor.
    Cursor(Cursor),
    /// Changes after these generations count.
    Generations(BTreeMap<SeshId, u64>),
}

/// What is waited for.
#[derive(Clone, Debug, Default)]
pub struct WaitRequest {
    pub set: Set,
    /// Each of these is an event.
    pub until: Vec<WaitEvent>,
    pub how: WaitMode,
    pub since: WaitSince,
}

/// How a wait ended.
#[derive(Clone, Debug)]
pub enum WaitOutcome {
    Events(Vec<SeshEvent>),
    TimedOut,
    /// All seshes of the set have exited, or the set is empty. No event can come any more.
    Empty,
}

/// Waits once, and returns the outcome and the cursor for the next wait.
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

/// A wait that can be continued. Nothing between two events is missed.
pub struct Watch<'a> {
    server: &'a Server,
    request: WaitRequest,
    cursor: Cursor,
    /// What wakes this wait.
    subscription: Subscription,
    /// The last known record of each sesh.
    before: BTreeMap<SeshId, Record>,
    poll: Poll,
    screens: Screens,
    /// For [`WaitMode::All`]: the event of each sesh that has had one.
    happened: BTreeMap<SeshId, Judged>,
}

/// The store at one moment.
struct StoreView {
    server: ServerId,
    /// The plugin's tick looks at agents.
    ticks: bool,
    /// The server's clock, in epoch seconds.
    now: u64,
    /// The signals up to that moment.
    counters: Counters,
    seshes: Seshes,
}

impl<'a> Watch<'a> {
    /// Begins a wait.
    ///
    /// # Errors
    /// As [`wait`].
    pub fn new(server: &'a Server, mut request: WaitRequest) -> Result<Self> {
        let mut poll = Poll::of(&read(server, &request.set)?.seshes);
        reconcile_store(server, &mut poll)?;
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
        let seshes = begin(since, &seen, &request.set);
        if fresh {
            request.since = WaitSince::Fresh;
        }
        Ok(Self {
            server,
            cursor: Cursor {
                server: seen.server,
                seshes,
            },
            subscription: server.subscribe(&schema::CHANGED),
            before: BTreeMap::new(),
            poll,
            screens: Screens::of(seen.server),
            happened: BTreeMap::new(),
            request,
        })
    }

    /// Returns what the caller knows by now. The next wait continues from here.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Waits for the next events.
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
            let cursors = &mut self.cursor.seshes;
            let until = &self.request.until;
            self.screens
                .look(self.server, seshes, cursors, until, fresh)?;
        }
        Ok(())
    }

    fn prints(&self) -> bool {
        self.request.until.iter().any(WaitEvent::is_printed)
    }

    /// Returns the outcome, if what has happened ends the wait.
    fn outcome(&mut self, seshes: &Seshes) -> Option<WaitOutcome> {
        let WaitRequest {
            set, until, how, ..
        } = &self.request;
        let cursors = &self.cursor.seshes;
        let mut found = judge(seshes, cursors, until, set, &self.before);
        for printed in self.screens.found(seshes, cursors, until) {
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
            return Some(WaitOutcome::Events(self.report(found)));
        }
        seshes
            .not_exited()
            .next()
            .is_none()
            .then_some(WaitOutcome::Empty)
    }

    /// Returns one event of each sesh as soon as each of them has one or has exited, and none before.
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
        // Seshes that exited without the event that is waited for.
        let mut all = std::mem::take(&mut self.happened);
        for record in members {
            let known = self.cursor.seshes.get(&record.uuid);
            if known.is_none_or(|known| !(known.ended && known.reported)) {
                all.entry(record.uuid).or_insert_with(|| Judged {
                    event: events::event(record, EventKind::Exit),
                    cursor: Some(cursor_of(record, true)),
                });
            }
        }
        all.into_values().collect()
    }

    /// Records these events as reported, and returns them.
    fn report(&mut self, found: Vec<Judged>) -> Vec<SeshEvent> {
        let mut events = Vec::with_capacity(found.len());
        for Judged { event, cursor } in found {
            match cursor {
                Some(cursor) => {
                    self.cursor.seshes.insert(event.uuid, cursor);
                }
                None => {
                    self.cursor.seshes.remove(&event.uuid);
                }
            }
            if matches!(event.what, EventKind::Output | EventKind::Quiet) {
                self.screens.set_reported(event.uuid);
            }
            events.push(event);
        }
        events
    }

    /// Waits for a reason to read the store again. Returns `false` when the deadline has passed.
    fn pause(&mut self, seen: &StoreView, deadline: Option<Instant>) -> Result<bool> {
        loop {
            let now = Instant::now();
            let mut next = self.poll.due();
            if self.prints() {
                next = next.min(now + printed::INTERVAL);
                next = next.min(self.screens.due(&self.request.until).unwrap_or(next));
            }
            next = deadline.map_or(next, |deadline| next.min(deadline));
            // Without time left the wait does not become a waiting client of the server.
            let limit = next.saturating_duration_since(now);
            if !limit.is_zero() && self.subscription.wait(seen.counters, limit) {
                return Ok(true);
            }
            let now = Instant::now();
            if self.prints() {
                self.look_at_screens(&seen.seshes)?;
                let found =
                    (self.screens).found(&seen.seshes, &self.cursor.seshes, &self.request.until);
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
            if now >= self.poll.due()
                && self
                    .poll
                    .needs_reconcile(self.server, &seen.seshes, seen.ticks)?
            {
                reconcile_store(self.server, &mut self.poll)?;
                return Ok(true);
            }
        }
    }
}

/// Reconciles the store. A pane that closes meanwhile makes the wait try again later, and does not end it.
fn reconcile_store(server: &Server, poll: &mut Poll) -> Result<()> {
    match reconcile::reconcile_known(server) {
        Err(error) if matches!(error.exit, Exit::Nothing | Exit::Failed) => {
            poll.reconcile_failed();
            Ok(())
        }
        outcome => outcome,
    }
}

/// Returns what the caller counts as knowing when a wait begins.
fn begin(since: WaitSince, seen: &StoreView, set: &Set) -> BTreeMap<SeshId, SeshCursor> {
    let members = seen.seshes.members.iter();
    match since {
        WaitSince::Cursor(cursor) => cursor.seshes,
        WaitSince::Generations(generations) => generations
            .into_iter()
            .map(|(id, generation)| {
                let cursor = SeshCursor {
                    generation,
                    reported: true,
                    ..SeshCursor::default()
                };
                (id, cursor)
            })
            .collect(),
        WaitSince::Fresh => members
            .map(|record| (record.uuid, cursor_of(record, true)))
            .collect(),
        WaitSince::Now => members
            .map(|record| {
                // A sesh that a tag selects and that exited long ago belongs to earlier work. One that exited shortly
                // before counts, also where its pane was not held or was closed to make room for others.
                const RECENT_SECONDS: u64 = 600;
                let ended = record.exit.as_ref().and_then(|exit| exit.at);
                let old = record.exit.is_some()
                    && record.tmux.is_none()
                    && ended.is_none_or(|at| at + RECENT_SECONDS < seen.now)
                    && !set.ids.contains(&record.uuid);
                (record.uuid, cursor_of(record, old))
            })
            .collect(),
    }
}

fn read(server: &Server, set: &Set) -> Result<StoreView> {
    // If the plugin's tick is slower, in seconds, the wait looks at agents itself.
    const SLOWEST_TICK: f64 = 5.0;
    let frame = Frame::new();
    // SESH_tick is unset where the plugin was removed.
    let every = "#{?SESH_tick,#{SESH_every},}";
    let counters = schema::CHANGED.format();
    let head = frame.format(["#{pid}", "#{start_time}", every, write::NOW, &counters]);
    let mut filter = registered();
    if let ([id], []) = (&set.ids[..], &set.tags[..]) {
        filter = equal(schema::Key::Id, &id.to_string());
    }
    let mut batch = Batch::from(command::print(None, &head))
        .then(command::list_panes(&row_format(&frame), Some(&filter)));
    batch.extend([life(&frame)]);
    batch.extend(books(&frame));
    let output = server.run(&batch)?;
    let mut snapshot = Snapshot::parse(&frame, &output)?;
    // Seshes of a server that has died have exited. Only those that the set names are read from the journal.
    let named: Vec<Target> = set.ids.iter().copied().map(Target::Id).collect();
    snapshot.add_past_of(server, &named);
    snapshot.add_left(server, &set.tags);
    let head = frame.sections(&output).next().map(|(row, _)| row);
    let Some(&[pid, started, every, now, counters]) = head.as_deref() else {
        return Err(Error::failed("tmux did not say which server it is"));
    };
    Ok(StoreView {
        server: ServerId::read(pid, started).unwrap_or(ServerId::NONE),
        ticks: every
            .parse::<f64>()
            .is_ok_and(|every| every <= SLOWEST_TICK),
        now: now.parse().unwrap_or(0),
        counters: Counters::read(counters),
        seshes: Seshes::new(snapshot.records().cloned(), set),
    })
}
