//! Waits until the command of a new pane runs, before the sesh is called made.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use crate::env;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::id::{PaneId, ServerId};
use crate::journal::launch::LaunchedTurn;
use crate::journal::start_signal::{Start, StartSignal};
use crate::journal::turn_files::TurnFiles;
use crate::proc;
use crate::store::Record;
use crate::store::commit;
use crate::store::prior::Prior;
use crate::store::query::read_server_id;
use crate::tmux::{Batch, Frame, Server, command};

/// How long the process in the pane may take to start the command. It takes some milliseconds, and seconds on a machine
/// with hundreds of processes in its queue.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked whether that process still lives. What it tells arrives at once.
const INTERVAL: Duration = Duration::from_millis(50);

/// What a list has created.
#[derive(Debug)]
pub(super) struct NewPane {
    pub(super) record: Record,
    pub(super) server: Option<ServerId>,
    /// The server ends when no client shows it.
    exits_unattached: bool,
}

impl NewPane {
    /// Returns a format that expands to how long the server lives, for [`NewPane::read`].
    pub(super) fn server_format(frame: &Frame) -> String {
        frame.format(["exits", "#{exit-unattached}"])
    }

    /// Parses the rows of the list that has created the pane.
    pub(super) fn read(record: Record, rows: &[Vec<&str>]) -> Self {
        Self {
            record,
            server: rows.iter().find_map(|row| read_server_id(row)),
            exits_unattached: rows.iter().any(|row| row[..] == ["exits", "1"]),
        }
    }

    /// Returns whether the server is about to end. Until then it is alive for those that ask it.
    fn server_ends(&self, server: &Server) -> bool {
        let clients = Batch::from(command::list_clients("x", None));
        self.exits_unattached
            && match server.run(&clients) {
                Ok(clients) => clients.is_empty(),
                Err(error) => error.exit == Exit::NoServer,
            }
    }
}

/// Waits until the command runs. If it does not, nothing is left of the sesh, or it has exited as before. A turn that
/// has begun counts as a command that runs.
///
/// # Errors
/// [`Exit::Failed`] with the reason; [`Exit::Unusable`] for the server of another user; [`Exit::Unconfirmed`] if it takes
/// too long.
pub(super) fn wait(
    server: &Server,
    made: &NewPane,
    prior: Option<&Prior>,
    turn: Option<&LaunchedTurn>,
    mut signal: StartSignal,
) -> Result<()> {
    let record = &made.record;
    let Some(place) = &record.tmux else {
        return Ok(());
    };
    let deadline = Instant::now() + LIMIT;
    let error = loop {
        let start = signal.wait(INTERVAL);
        let lives = match &start {
            Some(Start::Started) if made.server_ends(server) => break server_ended(record),
            Some(Start::Started) => is_alive(made.server.map(|server| server.pid)),
            _ => is_alive(Some(place.pid)),
        };
        match start {
            // A server that is about to end has started the command too.
            Some(Start::Started) if lives || pane_is_there(server, place.pane).is_ok() => {
                return Ok(());
            }
            Some(Start::Failed(why)) => {
                break match pane_is_there(server, place.pane) {
                    // Its terminal has gone with the server.
                    Err(error) if error.exit == Exit::NoServer => gone(server, record, &error),
                    _ => Error::failed(format!("{} did not start: {why}", record.name)),
                };
            }
            None if lives => {}
            // What it has told last is read before its end counts.
            None if signal.wait(Duration::ZERO) == Some(Start::Started) => return Ok(()),
            _ => match pane_is_there(server, place.pane) {
                Ok(()) => std::thread::sleep(INTERVAL), // why: tmux closes the pane of a process that has ended a moment later.
                Err(error) if error.kind == ErrorKind::NoAnswer => return Err(error),
                // Its process was killed before it could tell. What came of a turn is read from its files.
                Err(_) if turn.is_some_and(|turn| TurnFiles::at(&turn.folder).is_begun()) => {
                    return Ok(());
                }
                Err(error) => break gone(server, record, &error),
            },
        }
        if Instant::now() >= deadline {
            return Err(Error::new(
                Exit::Unconfirmed,
                format!(
                    "unknown whether {} started: its pane {} exists; sesh-list shows it",
                    record.name, place.pane
                ),
            ));
        }
    };
    // The error says what went wrong first. The pane may have closed by now.
    let _ = server.run(&Batch::from(command::kill_pane(place.pane)));
    let _ = match prior {
        Some(prior) => prior.restore_end(server, &[]),
        None => commit::forget(server, record),
    };
    Err(error)
}

/// Returns whether a process is alive. One that this process cannot see is not.
fn is_alive(pid: Option<i32>) -> bool {
    pid.and_then(proc::read)
        .is_some_and(|process| !process.zombie)
}

/// Asks the server whether a pane is there.
///
/// # Errors
/// It is not, or the server is not there.
fn pane_is_there(server: &Server, pane: PaneId) -> Result<()> {
    let target = pane.to_string();
    let screen = Batch::from(command::capture_pane(&target, "0", false, false));
    server.run(&screen).map(drop)
}

fn server_ended(record: &Record) -> Error {
    Error::failed(format!(
        "{} did not start: exit-unattached ends a tmux server without a client; attach one first",
        record.name
    ))
}

/// Returns why the pane is gone.
fn gone(server: &Server, record: &Record, error: &Error) -> Error {
    let name = &record.name;
    if error.exit == Exit::NoServer {
        return server_ended(record);
    }
    let owner = server.address().and_then(|path| path.metadata().ok());
    match owner.map(|metadata| metadata.uid()) {
        Some(owner) if owner != env::user() => Error::unusable(format!(
            "{name} did not start: that tmux server is of another user ({owner}), who runs sesh-new there"
        )),
        _ => Error::failed(format!("{name} did not start: its pane closed at once")),
    }
}
