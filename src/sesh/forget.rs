//! Forgets exited seshes by their age.

use std::collections::HashSet;
use std::time::Duration;

use crate::clock;
use crate::error::Result;
use crate::id::{SeshId, Tag};
use crate::state::State;
use crate::store::commit;
use crate::store::pending_restore;
use crate::store::query::Past;
use crate::store::{Record, Select, Snapshot};
use crate::tmux::Server;

/// Returns the exited seshes with all of these tags that exited longer ago than `age`, the oldest first. Archived seshes are
/// left out, because a person keeps them, and so are those that are offered for a restore.
///
/// # Errors
/// As [`Server::run`].
pub fn older(server: &Server, age: Duration, tags: &[Tag]) -> Result<Vec<Record>> {
    let snapshot = Snapshot::read(
        server,
        &Select {
            ended: true,
            past: Past::All,
            ..Select::default()
        },
    )?;
    let offered: HashSet<SeshId> = pending_restore::pending(server)?
        .into_iter()
        .map(|record| record.uuid)
        .collect();
    let before = clock::seconds().saturating_sub(age.as_secs());
    let is_old = |record: &&Record| {
        let (end, created) = record.last_end();
        end.or(created).is_some_and(|end| end <= before)
    };
    let may_go = |record: &&Record| {
        record.state == State::Exited
            && !record.archived
            && record.lost_server().is_none()
            && !offered.contains(&record.uuid)
    };
    let mut old: Vec<Record> = snapshot
        .records()
        .filter(may_go)
        .filter(is_old)
        .filter(|record| record.has_tags(tags))
        .cloned()
        .collect();
    old.sort_by_key(Record::last_end);
    Ok(old)
}

/// Removes everything that is stored of exited seshes without a pane, and their lines from the journal.
///
/// # Errors
/// As [`commit::forget_all`].
pub fn forget(server: &Server, records: &[Record]) -> Result<()> {
    commit::forget_all(server, records)
}
