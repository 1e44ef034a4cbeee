//! Finding seshes: the store's answer, with the levels of the process table where those are newer.

use crate::error::Result;
use crate::id::PaneId;
use crate::proc;
use crate::state::State;
use crate::store::query::{Pane, first_pane, row_format};
use crate::store::{Record, Select, Snapshot, Target};
use crate::tmux::{Batch, Frame, Server, command, is_empty_server};

/// From so many panes on the process table is read by several threads: it is system calls alone, 10 us a shell.
const MANY: usize = 200;

/// Reads the store and the process table.
///
/// # Errors
/// As [`Server::run`].
pub fn read(server: &Server, select: &Select) -> Result<Snapshot> {
    let mut snapshot = Snapshot::read(server, select)?;
    let hands = match snapshot.panes.len() {
        0..MANY => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let share = snapshot.panes.len().div_ceil(hands).max(1);
    let mut shares = snapshot.panes.chunks_mut(share);
    let own = shares.next();
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(|| look_at_processes(share));
        }
        look_at_processes(own.unwrap_or_default());
    });
    Ok(snapshot)
}

fn look_at_processes(panes: &mut [Pane]) {
    for record in panes.iter_mut().filter_map(|pane| pane.record.as_mut()) {
        look_at_process(record);
    }
}

/// The sesh that a target means.
///
/// # Errors
/// As [`Snapshot::find`].
pub fn one(server: &Server, target: &Target) -> Result<Record> {
    let snapshot = read(server, &Select::targets(std::slice::from_ref(target)))?;
    snapshot.find(target).cloned()
}

/// The sesh of a pane, and, if asked for, a format of the caller's expanded there. `None` when the pane
/// is no sesh or is gone.
///
/// # Errors
/// As [`Server::run`].
pub fn of_pane(
    server: &Server,
    pane: PaneId,
    format: Option<&str>,
) -> Result<Option<(Record, String)>> {
    let frame = Frame::new();
    let target = pane.to_string();
    let mut batch = Batch::from(command::print(Some(&target), &row_format(&frame)));
    if let Some(format) = format {
        batch = batch.then(command::print(Some(&target), format));
    }
    let output = match server.run(&batch) {
        Err(error) if is_empty_server(&error) => return Ok(None),
        outcome => outcome?,
    };
    let (rows, rest) = frame.read(&output);
    let found = first_pane(&rows)?;
    Ok(found.and_then(|pane| pane.record).map(|mut record| {
        look_at_process(&mut record);
        (record, rest.strip_suffix('\n').unwrap_or(rest).to_string())
    }))
}

fn look_at_process(record: &mut Record) {
    if record.is_shell() && record.tmux.is_some() {
        record.set_state(level(record).unwrap_or(State::Unknown), "process");
    }
}

/// A shell is idle while it owns the foreground of its terminal, else busy. `None` of others, of which only the
/// store tells, and where its process cannot be read.
pub(super) fn level(record: &Record) -> Option<State> {
    if !record.is_shell() {
        return None;
    }
    let first = proc::read(record.tmux.as_ref()?.pid)?;
    let in_front = match (record.is_made(), record.shell()) {
        // The shell leads a group of its own.
        (true, Some(shell)) => first.foreground == shell,
        // Not written down yet: it is the child of the sesh-run that this is.
        (true, None) => proc::read(first.foreground).is_some_and(|front| front.parent == first.pid),
        (false, _) => first.is_shell() && first.foreground == first.group,
    };
    Some(if in_front { State::Idle } else { State::Busy })
}
