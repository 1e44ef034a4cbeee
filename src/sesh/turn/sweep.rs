//! Removes what killed processes have left of headless turns.

use std::time::{Duration, Instant};

use super::end_turn;
use crate::env;
use crate::error::{Exit, Result};
use crate::id::SeshId;
use crate::inventory::change::{Change, ChangeKind};
use crate::inventory::find;
use crate::journal::turn_files::{TurnFiles, TurnStarter, remove_remains};
use crate::proc::signal::{self, Signal};
use crate::proc::{self, Process};
use crate::store::{Record, Target};
use crate::tmux::Server;

/// Ends turns for which no process waits any more and whose sesh was to be forgotten, ends what a killed `sesh-run` has
/// left running, and removes the files of turns that are over. Returns what was changed. A turn that cannot be cleared now
/// is cleared the next time.
#[must_use]
pub fn sweep(server: &Server) -> Vec<Change> {
    let turns = TurnFiles::all();
    let mut changes = Vec::new();
    for (files, starter) in turns
        .iter()
        .filter_map(|files| Some((files, files.starter()?)))
    {
        if Some(&starter.socket) == server.address().as_ref() && is_over(files, &starter) {
            changes.extend(sweep_one(server, files, &starter).unwrap_or_default());
        }
    }
    remove_remains();
    changes
}

/// Returns whether no process takes care of a turn any more.
fn is_over(files: &TurnFiles, starter: &TurnStarter) -> bool {
    let runner = files.runner();
    let is_starter_here = proc::is_alive(starter.process) && (starter.waits || runner.is_none());
    let is_run = runner.is_some_and(proc::is_alive) && !starter.forget;
    !is_starter_here && !is_run
}

fn sweep_one(server: &Server, files: &TurnFiles, starter: &TurnStarter) -> Result<Option<Change>> {
    let record = match find::one(server, &Target::Id(starter.sesh)) {
        Ok(record) => Some(record),
        Err(error) if error.server_is_gone() || error.exit == Exit::Nothing => None,
        Err(error) => return Err(error),
    };
    let mut what = None;
    if let Some(record) = &record {
        if starter.forget {
            end_turn(server, record, true)?;
            what = Some("is forgotten: the process that waited for its turn was killed");
        } else if files.runner().is_none() && record.live {
            // Its pane is being created.
            return Ok(None);
        }
    }
    if end_orphans(files) {
        what = what.or(Some("has left processes of a turn, which were ended"));
    }
    files.remove();
    Ok(what.map(|what| change(starter.sesh, record.as_ref(), what)))
}

/// Ends what a killed `sesh-run` has left running in its terminal, and waits for its end: until then the agent may hold a
/// lock on its conversation. Returns whether there was something.
pub(super) fn end_orphans(files: &TurnFiles) -> bool {
    const LIMIT: Duration = Duration::from_secs(5);
    const INTERVAL: Duration = Duration::from_millis(10);
    let Some(runner) = files.runner() else {
        return false;
    };
    let deadline = Instant::now() + LIMIT;
    // A process that ends releases its locks a moment before it counts as ended.
    while proc::is_alive(runner) {
        if files.is_locked() || Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(INTERVAL); // why: the end of a process that is no child has no event.
    }
    let name = files.name();
    let is_orphan = |process: &Process| {
        let turn = proc::environment(process.pid).get(env::TURN);
        // A child that does not run its program yet still has the name and the environment of its parent.
        turn.is_some_and(|turn| turn == name.as_str()) || process.name == proc::RUNNER
    };
    let mut had_orphans = false;
    loop {
        let mut left = proc::session(runner.pid);
        left.retain(is_orphan);
        if left.is_empty() || Instant::now() >= deadline {
            return had_orphans;
        }
        had_orphans = true;
        for process in left {
            let _ = signal::to_process(process.pid, Signal::SIGKILL);
        }
        std::thread::sleep(INTERVAL); // why: the end of a process that is no child has no event.
    }
}

fn change(sesh: SeshId, record: Option<&Record>, what: &str) -> Change {
    Change {
        change: ChangeKind::Ended,
        uuid: sesh,
        name: record.map(|record| record.name.clone()),
        pane: record.and_then(|record| record.tmux.as_ref().map(|place| place.pane)),
        what: what.into(),
    }
}
