//! Removes what killed processes have left of headless turns.

use super::end_turn;
use crate::env;
use crate::error::Result;
use crate::id::SeshId;
use crate::inventory::change::{Change, ChangeKind};
use crate::inventory::find;
use crate::journal::turn_files::{TurnFiles, TurnStarter, remove_free_locks};
use crate::proc;
use crate::proc::signal::{self, Signal};
use crate::store::{Record, Target};
use crate::tmux::Server;

/// Ends turns for which no process waits any more and whose sesh was to be forgotten, ends what a killed `sesh-run` has
/// left running, and removes the files of turns that are over. Returns what was changed.
///
/// # Errors
/// As [`find::one`].
pub fn sweep(server: &Server) -> Result<Vec<Change>> {
    let turns = TurnFiles::all();
    let mut changes = Vec::new();
    for (files, starter) in turns
        .iter()
        .filter_map(|files| Some((files, files.starter()?)))
    {
        if Some(&starter.socket) == server.address().as_ref() && is_over(files, &starter) {
            changes.extend(sweep_one(server, files, &starter)?);
        }
    }
    remove_free_locks();
    Ok(changes)
}

/// Returns whether no process takes care of a turn any more.
fn is_over(files: &TurnFiles, starter: &TurnStarter) -> bool {
    let runner = files.runner();
    let is_starter_here = proc::is_alive(starter.process) && (starter.waits || runner.is_none());
    let is_run = runner.is_some_and(proc::is_alive) && !starter.forget;
    !is_starter_here && !is_run
}

fn sweep_one(server: &Server, files: &TurnFiles, starter: &TurnStarter) -> Result<Option<Change>> {
    let record = find::one(server, &Target::Id(starter.sesh)).ok();
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

/// Ends what a killed `sesh-run` has left running in its terminal. Returns whether there was something.
pub(super) fn end_orphans(files: &TurnFiles) -> bool {
    let Some(runner) = files.runner().filter(|runner| !proc::is_alive(*runner)) else {
        return false;
    };
    let name = files.name();
    let orphans: Vec<_> = proc::session(runner.pid)
        .into_iter()
        .filter(|process| {
            let turn = proc::environment(process.pid).get(env::TURN);
            turn.is_some_and(|turn| turn == name.as_str())
        })
        .collect();
    for process in &orphans {
        let _ = signal::to_process(process.pid, Signal::SIGKILL);
    }
    !orphans.is_empty()
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
