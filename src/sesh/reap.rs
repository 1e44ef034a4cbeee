//! Reconciles what is stored with what exists, once, and ends seshes whose time is over.

use std::time::Duration;

use super::end::{EndOptions, Ended, end, names, still_alive_after};
use super::forget;
use super::save::save;
use super::turn;
use crate::error::{Exit, Result};
use crate::inventory::change::{Change, ChangeKind};
use crate::inventory::reconcile::reconcile;
use crate::inventory::scan::{Sweep, scan, scan_closed};
use crate::store::{Record, leave, write};
use crate::tmux::{Batch, Server};

/// How long HUP and TERM together may take for a sesh whose time is over.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// How many seshes are ended at once. Each of them only waits.
const MAX_CONCURRENT: usize = 32;

/// Returns what would be changed.
///
/// # Errors
/// As [`Server::run`], and [`Exit::Unusable`] when an option that belongs to panes is set elsewhere.
pub fn look(server: &Server) -> Result<Vec<Change>> {
    let differences = scan(server, Sweep::Now)?;
    let expired = differences.expired.iter();
    let ended = expired.map(|record| expired_change(record, "is alive, and its --ttl is over"));
    Ok(differences.changes().chain(ended).collect())
}

/// The seshes whose stored state is compared with what exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReapScope {
    All,
    /// Those that are recorded as alive and have no pane any more. Nothing is asked about the others.
    Closed,
}

/// Repairs what differs. Returns what it changed, without what others changed meanwhile.
///
/// A process that wants a reconciliation while this one runs sets [`REAP_AGAIN`](crate::store::schema::REAP_AGAIN), and
/// then this one runs once more. The plugin sets [`REAP`](crate::store::schema::REAP) while one runs; the last list unsets
/// it.
///
/// # Errors
/// As [`look`].
pub fn reap(server: &Server, mut of: ReapScope) -> Result<Vec<Change>> {
    let mut changes = turn::sweep::sweep(server);
    loop {
        let differences = match of {
            ReapScope::All => scan(server, Sweep::WhenDue),
            ReapScope::Closed => scan_closed(server),
        };
        let mut differences = differences.inspect_err(|error| {
            if error.exit == Exit::Unusable {
                let _ = server.run(&Batch::from(write::reap_is_over()));
            }
        })?;
        let expired = std::mem::take(&mut differences.expired);
        let unwritten = differences.unwritten;
        let leavers = differences.leavers.take();
        let forget = differences.forget;
        let (made, again) = reconcile(server, differences)?;
        changes.extend(made);
        changes.extend(end_all(server, &expired));
        if let Some((life, leavers)) = leavers {
            // It is tried again the next time. Until then nothing is missing.
            let _ = leave::leave(server, life, leavers);
        }
        if let Some(age) = forget {
            changes.extend(forget_older(server, age)?);
        }
        if !again {
            if unwritten {
                // The journal may still be unwritable. Then the next reconciliation tries again.
                let _ = save(server);
            }
            return Ok(changes);
        }
        // Another process may have wanted [`ReapScope::All`].
        of = ReapScope::All;
        // The last look does not cover a request that comes from now on. The next look may.
        server.run(&Batch::from(write::reap_again_is_read()).repeatable())?;
    }
}

/// Forgets the exited seshes without a pane that exited longer ago than `age`.
fn forget_older(server: &Server, age: Duration) -> Result<Vec<Change>> {
    let mut old = forget::older(server, age, &[])?;
    old.retain(|record| record.tmux.is_none());
    if old.is_empty() {
        return Ok(Vec::new());
    }
    forget::forget(server, &old)?;
    let age = humantime::format_duration(age);
    let what = format!("is forgotten: it exited more than {age} ago (@sesh-forget)");
    let change = |record: &Record| Change {
        change: ChangeKind::Forgotten,
        ..expired_change(record, &what)
    };
    Ok(old.iter().map(change).collect())
}

/// Ends the seshes whose time is over, all at once. Each of them gets the time to end by itself.
fn end_all(server: &Server, expired: &[Record]) -> Vec<Change> {
    let how = EndOptions {
        kill: true,
        forget: false,
        timeout: END_TIMEOUT,
    };
    let mut changes = Vec::new();
    for some in expired.chunks(MAX_CONCURRENT) {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let ends: Vec<_> = some
                .iter()
                .map(|record| scope.spawn(move || end(server, record, how, &|_| {})))
                .collect();
            ends.into_iter().map(|end| end.join().ok()?.ok()).collect()
        });
        let ended: Vec<Ended> = outcomes.iter().flatten().copied().collect();
        let records = some.iter().zip(&outcomes).filter(|(_, end)| end.is_some());
        for ((record, _), left) in records.zip(still_alive_after(&ended)) {
            let what = if left.is_empty() {
                "has exited: its --ttl was over".into()
            } else {
                format!(
                    "has exited: its --ttl was over; still alive in its terminal: {}",
                    names(&left)
                )
            };
            changes.push(expired_change(record, &what));
        }
    }
    changes
}

fn expired_change(record: &Record, what: &str) -> Change {
    Change {
        change: ChangeKind::Expired,
        uuid: record.uuid,
        name: Some(record.name.clone()),
        pane: record.tmux.as_ref().map(|place| place.pane),
        what: what.into(),
    }
}
