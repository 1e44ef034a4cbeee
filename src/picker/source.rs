//! The source of the rows: it reads the store at once, and again when something has changed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::branch::Branches;
use super::model::RowSet;
use super::rows::{Row, RowId};
use crate::error::{Error, Result};
use crate::inventory::find;
use crate::store::condition::{both, equal, registered};
use crate::store::pending_restore;
use crate::store::query::Past;
use crate::store::{Key, Select, Snapshot, Target, hint, schema, target};
use crate::tmux::{Batch, Channel, Server};

/// A query for rows.
#[derive(Clone, Debug, Default)]
pub(super) struct RowQuery {
    pub shown: RowSet,
    /// Only these rows; `None` is all.
    pub only: Option<HashSet<RowId>>,
}

/// Reads the rows. With `stored` they are as the store has them, which takes one question. Else they include what
/// agents and programs do at this moment and what is not stored yet, which takes more.
///
/// # Errors
/// As [`find::read`].
pub(super) fn read(
    server: &Server,
    wanted: &RowQuery,
    stored: bool,
    branches: &mut Branches,
) -> Result<Vec<Row>> {
    let every = wanted.only.is_some();
    let filter = match wanted.shown {
        RowSet::Active if !every => both(&registered(), &equal(Key::Archived, "")),
        RowSet::Panes => "1".into(),
        _ => registered(),
    };
    let ended = every || wanted.shown != RowSet::Active;
    let select = Select {
        filter: Some(filter),
        ended,
        past: if ended { Past::All } else { Past::No },
        format: (wanted.shown == RowSet::Panes)
            .then(|| "#{pane_current_command}\t#{pane_current_path}".into()),
        ..Select::default()
    };
    let snapshot = if stored {
        Snapshot::read(server, &select)?
    } else {
        find::read(server, &select)?
    };
    let mut rows: Vec<Row> = snapshot.records().cloned().map(Row::of).collect();
    let others = snapshot.panes.iter().filter(|pane| pane.record.is_none());
    rows.extend(others.map(|pane| {
        let formatted = snapshot
            .formatted
            .get(&pane.place.pane)
            .map_or("", String::as_str);
        let (program, folder) = formatted.split_once('\t').unwrap_or((formatted, ""));
        Row::of_pane(pane.place.clone(), program, folder)
    }));
    if let Some(only) = &wanted.only {
        rows.retain(|row| only.contains(&row.id));
    }
    for row in &mut rows {
        row.branch = branches.of(&row.cwd);
    }
    Ok(rows)
}

/// Reads the rows whenever there is a reason to and publishes them with the number of pending restores, until `publish` returns `false` or reading fails.
pub(super) fn watch(
    server: &Server,
    wanted: &dyn Fn() -> RowQuery,
    mut publish: impl FnMut(RowQuery, Result<Vec<Row>>, usize) -> bool,
) {
    // Changes that no signal reports are looked for only this often, and for at most one part in `SHARE` of the time.
    const MAX_PAUSE: Duration = Duration::from_secs(5);
    const SHARE: u32 = 500;
    // Seshes that change all the time are read at most this often, and for at most one part in
    // `BUSY_SHARE` of the time.
    const MIN_PAUSE: Duration = Duration::from_millis(150);
    const BUSY_SHARE: u32 = 5;
    let mut subscription = server.subscribe(schema::CHANGES);
    let all = [Channel {
        name: hint::ALL.into(),
        question: Batch::new(),
    }];
    loop {
        // The changes are counted before the rows are read, so that a later change ends the wait.
        let changes = server.changes(schema::CHANGES);
        let begun = Instant::now();
        let asked = wanted();
        let rows = read(server, &asked, false, &mut Branches::default());
        // A server that is gone is reported with the rows.
        let pending = pending_restore::offered(server).unwrap_or(0);
        let cost = begun.elapsed();
        let failed = rows.is_err();
        if !publish(asked, rows, pending) || failed {
            return;
        }
        std::thread::sleep(MIN_PAUSE.max(cost * BUSY_SHARE)); // why: a burst of changes is read once.
        if let Ok(changes) = changes {
            subscription.wait(&all, changes, MAX_PAUSE.max(cost * SHARE));
        }
    }
}

/// Returns the rows that lines on stdin name, each by its first word or column.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) when none of them is there.
pub fn named(server: &Server, text: &str) -> Result<HashSet<RowId>> {
    let words = text
        .lines()
        .filter_map(|line| line.split(['\t', ' ']).next())
        .filter(|word| !word.is_empty());
    let targets: Vec<Target> = words
        .filter_map(|word| Target::parse(word, None).ok())
        .collect();
    let all = Select {
        ended: true,
        past: Past::Of(target::search(&targets)),
        ..Select::default()
    };
    let snapshot = Snapshot::read(server, &all)?;
    let found: HashSet<RowId> = targets
        .iter()
        .filter_map(|target| Some(RowId::Sesh(snapshot.find(target).ok()?.uuid)))
        .collect();
    if found.is_empty() {
        return Err(Error::nothing("no line of stdin names a sesh"));
    }
    Ok(found)
}
