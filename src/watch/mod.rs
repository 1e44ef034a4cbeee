//! Waits for seshes: one, any or all of a set. A wait misses no change and reports none twice.
//!
//! A wait reads the store together with the count of signalled changes ([`schema::CHANGES`]), and then waits for the
//! next [`hint`](crate::store::hint), which comes with what the store has then. A wait on a few seshes waits for their
//! hints, any other wait for all. A hint that came in between ends that wait at once. The hint is no proof and the store
//! is the truth: each sesh has a generation that grows with every change of its state, and a [`Cursor`] holds the
//! generation up to which the caller knows each sesh. Of the states between two readings only the last one is reported.
//! An exit is never lost, since the record of an exited sesh stays.
//!
//! `poll` finds changes that no writer reports, and `printed` watches what panes print.

pub mod cursor;
mod events;
mod poll;
mod printed;
mod server_activity;
mod view;
mod wait_event;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use cursor::Cursor;
use cursor::SeshCursor;
pub use events::{EventKind, SeshEvent};
use events::{Judged, Seshes, cursor_of, judge};
use poll::{Duty, Poll};
use printed::Screens;
use view::{Hints, StoreView};
pub use wait_event::WaitEvent;

use crate::error::{Error, Exit, Result};
use crate::id::{SeshId, Tag};
use crate::inventory::reconcile;
use crate::store::{Record, schema};
use crate::tmux::{ChannelOutcome, Server, Subscription};

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
        self.ids.contains(&record.uuid) || (!self.tags.is_empty() && record.has_tags(&self.tags))
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
    /// What it listens to, from its first pause on.
    hints: Option<Hints>,
    /// What was read last, where it was not judged yet.
    unjudged: Option<StoreView>,
    /// The last known record of each sesh.
    before: BTreeMap<SeshId, Record>,
    poll: Poll,
    screens: Screens,
    /// For [`WaitMode::All`]: the event of each sesh that has had one.
    happened: BTreeMap<SeshId, Judged>,
}

impl<'a> Watch<'a> {
    /// Begins a wait.
    ///
    /// # Errors
    /// As [`wait`].
    pub fn new(server: &'a Server, mut request: WaitRequest) -> Result<Self> {
        let mut poll = Poll::of(&StoreView::read(server, &request.set)?.seshes);
        reconcile_store(server, &mut poll)?;
        let seen = StoreView::read(server, &request.set)?;
        let server_id = seen.server();
        let since = std::mem::take(&mut request.since);
        if let WaitSince::Cursor(cursor) = &since
            && cursor.server != server_id
        {
            return Err(Error::new(
                Exit::Changed,
                "the cursor is from a tmux server that is gone: wait without --since to start now",
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
                server: server_id,
                seshes,
            },
            subscription: server.subscribe(schema::CHANGES),
            hints: None,
            unjudged: Some(seen),
            before: BTreeMap::new(),
            poll,
            screens: Screens::of(server_id),
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
            let seen = match self.unjudged.take() {
                Some(seen) => seen,
                None => StoreView::read(self.server, &self.request.set)?,
            };
            if seen.server() != self.cursor.server {
                return Err(Error::new(
                    Exit::NoServer,
                    "the tmux server has ended, and another one has replaced it",
                ));
            }
            self.look_at_screens(&seen.seshes)?;
            if let Some(outcome) = self.outcome(&seen.seshes) {
                // All that has happened by now is reported. The next pause finds out whether more has.
                self.unjudged = (self.request.how == WaitMode::Each).then_some(seen);
                return Ok(outcome);
            }
            let known = seen.seshes.members.iter().cloned();
            self.before
                .extend(known.map(|record| (record.uuid, record)));
            match self.pause(&seen, deadline)? {
                Pause::Seen(seen) => self.unjudged = Some(seen),
                Pause::Unseen => {}
                Pause::TimedOut => return Ok(WaitOutcome::TimedOut),
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

    /// Waits for a reason to judge the store again.
    fn pause(&mut self, seen: &StoreView, deadline: Option<Instant>) -> Result<Pause> {
        let set = &self.request.set;
        let hints = match self.hints.take() {
            Some(hints) if hints.are_of(set, &seen.seshes) => hints,
            _ => Hints::of(set, &seen.seshes),
        };
        let pause = self.pause_for(&hints, seen, deadline);
        self.hints = Some(hints);
        pause
    }

    fn pause_for(
        &mut self,
        hints: &Hints,
        seen: &StoreView,
        deadline: Option<Instant>,
    ) -> Result<Pause> {
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
            if !limit.is_zero() {
                match (self.subscription).wait(&hints.channels, seen.changes, limit) {
                    ChannelOutcome::Answer(answer) => {
                        let seen = hints
                            .question
                            .view(self.server, &self.request.set, &answer)?;
                        return Ok(seen.map_or(Pause::Unseen, Pause::Seen));
                    }
                    ChannelOutcome::Ask => return Ok(Pause::Unseen),
                    ChannelOutcome::TimedOut => {}
                }
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
                    return Ok(Pause::Unseen);
                }
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(Pause::TimedOut);
            }
            if now >= self.poll.due() {
                match self.poll.look(self.server, &seen.seshes, seen.ticks)? {
                    Duty::Nothing => {}
                    Duty::Read => return Ok(Pause::Unseen),
                    Duty::Reconcile => {
                        reconcile_store(self.server, &mut self.poll)?;
                        return Ok(Pause::Unseen);
                    }
                }
            }
        }
    }
}

/// How a pause of a wait ended.
enum Pause {
    /// With what the store has now.
    Seen(StoreView),
    /// The store has to be read.
    Unseen,
    TimedOut,
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
