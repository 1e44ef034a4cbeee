//! Seshes that still run on a server that cannot be reached, because its socket was removed or another server has taken
//! the place: only the journal has them, and they have not exited.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::durable::{self, Journal};
use super::kept::LostServer;
use super::record::Record;
use crate::error::{Error, Exit};
use crate::id::ServerId;
use crate::proc::{self, Process};
use crate::state::State;
use crate::tmux::Server;

impl Record {
    /// Returns the server on which the sesh still runs, if that cannot be reached.
    #[must_use]
    pub fn lost_server(&self) -> Option<&LostServer> {
        self.kept.as_ref()?.lost_server.as_ref()
    }

    /// Returns the error that the sesh has no pane that can be reached. `way_out` is that of an exited sesh.
    #[must_use]
    pub fn no_pane(&self, way_out: &str) -> Error {
        let name = &self.name;
        Error::unusable(match self.lost_server() {
            Some(lost) => format!("{name} still runs: {lost}"),
            None => format!("{name} has exited and has no pane: {way_out}"),
        })
    }
}

/// Returns the lost servers of these seshes.
pub(super) fn servers<'a>(records: impl Iterator<Item = &'a Record>) -> BTreeSet<LostServer> {
    records.filter_map(Record::lost_server).cloned().collect()
}

/// Corrects records of the journal whose seshes have not exited. `socket` is where they were reached, and `present` the
/// server that answers there.
pub(super) fn correct(records: &mut [Record], socket: &Path, present: Option<ServerId>) {
    let mut servers: HashMap<ServerId, Option<RunningServer>> = HashMap::new();
    for record in records.iter_mut().filter(|record| record.was.is_some()) {
        let Some(kept) = &record.kept else { continue };
        let Some(life) = kept.server.filter(|life| Some(*life) != present) else {
            continue;
        };
        let server = servers
            .entry(life)
            .or_insert_with(|| RunningServer::of(life));
        if let Some(server) = server
            && server.runs(record)
        {
            record.exit = None;
            record.set_state(State::Unknown, None, "process", None);
            if let Some(kept) = &mut record.kept {
                kept.lost_server = Some(LostServer {
                    pid: life.pid,
                    socket: socket.into(),
                });
            }
        }
    }
}

/// Adds to the error that there is no server how to reach the server that has lost its socket,
/// or how to list and restore the seshes that ran on it.
pub(super) fn with_way_out(server: &Server, error: Error) -> Error {
    if error.exit != Exit::NoServer {
        return error;
    }
    let alive = Journal::search(server, &durable::without_end());
    let mut alive = alive.others(&HashSet::new());
    correct(&mut alive, &server.address().unwrap_or_default(), None);
    match alive.iter().find_map(Record::lost_server) {
        Some(lost) => error.with_way_out_after_why(lost.to_string()),
        None if alive.is_empty() && !Journal::read(server).has_records() => error,
        None => error.with_way_out_after_why(
            "sesh-list --all shows its seshes, sesh-restore --last-alive restores them",
        ),
    }
}

/// A process that may be the server that the journal means.
struct RunningServer {
    /// It started when that server did, by the clocks.
    same_start: bool,
    /// The seshes of its processes.
    seshes: Vec<String>,
}

impl RunningServer {
    fn of(life: ServerId) -> Option<Self> {
        // The clock may have been set since, which the seshes of its processes then make up for.
        const TOLERANCE: Duration = Duration::from_secs(2);
        let process = proc::read(life.pid).filter(is_tmux)?;
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(life.start);
        let difference = |at: SystemTime| {
            at.duration_since(start)
                .unwrap_or_else(|before| before.duration())
        };
        let seshes = proc::tree(life.pid)
            .iter()
            .filter_map(|process| proc::environment(process.pid).get("SESH_ID"))
            .map(|id| id.to_string_lossy().into_owned())
            .collect();
        Some(Self {
            same_start: proc::started(&process).is_some_and(|at| difference(at) <= TOLERANCE),
            seshes,
        })
    }

    /// Returns whether a sesh still runs there. What runs in a pane that `sesh-new` made has the identity in its
    /// environment. Of an adopted pane nothing tells whether it has closed since.
    fn runs(&self, record: &Record) -> bool {
        let id = record.uuid.to_string();
        self.seshes.contains(&id) || (self.same_start && !record.was_made())
    }
}

fn is_tmux(process: &Process) -> bool {
    !process.zombie && process.name.starts_with("tmux")
}
