//! The holder of a claim: a sesh of some tmux server, and whether it is alive.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::env;
use crate::error::{ErrorKind, Exit};
use crate::id::{PaneId, ProcessId, SeshId};
use crate::inventory::find;
use crate::proc;
use crate::state::State;
use crate::store::schema::HOOK_OF_PANE;
use crate::store::setting::SILENT;
use crate::store::{Key, Record, Select};
use crate::tmux::{Server, Socket};

/// How long a server may take to say whether a holder is alive.
const ANSWER: Duration = Duration::from_secs(1);
/// By how much a stored time may be in the future. The clocks of a server and of its agents are the same one.
const CLOCK_TOLERANCE: u64 = 2_000;

/// The tmux server of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderServer {
    pub socket: String,
    pub pid: i32,
    /// When its process started, as in [`ProcessId`]. 0 if that is unknown.
    pub start: u64,
    /// The boot of the machine, and the pid namespace, in which the pid means that process.
    pub boot: String,
    pub namespace: String,
    pub machine: String,
}

impl HolderServer {
    /// Returns the server at a socket with this pid, as this process sees it.
    #[must_use]
    pub fn here(socket: String, pid: i32) -> Self {
        let process = proc::read(pid).filter(|process| process.name.starts_with("tmux"));
        Self {
            socket,
            pid,
            start: process.map_or(0, |process| process.start),
            boot: proc::boot(),
            namespace: proc::pid_namespace(),
            machine: env::machine(),
        }
    }

    /// Returns whether a pid that this process sees is one of the server's machine.
    fn is_visible(&self) -> bool {
        self.machine == env::machine()
            && self.boot == proc::boot()
            && self.namespace == proc::pid_namespace()
    }

    fn process(&self) -> ProcessId {
        ProcessId {
            pid: self.pid,
            start: self.start,
        }
    }
}

/// A sesh that holds a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub sesh: SeshId,
    pub name: String,
    /// Its pane, as in `%3`. Empty while the sesh is being created.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pane: String,
    pub server: HolderServer,
    /// The process that creates the sesh, as `pid:start`. Until the sesh has a pane, the holder lives as long as it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
}

/// Whether a holder is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HolderState {
    Live,
    /// Alive, and without any sign of life for the time of [`SILENT`].
    Silent,
    /// Its sesh has exited, or its server has.
    Gone,
    /// It cannot be known here and now.
    Unknown,
}

impl HolderState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HolderState::Live => "live",
            HolderState::Silent => "silent",
            HolderState::Gone => "gone",
            HolderState::Unknown => "unknown",
        }
    }
}

/// What is known of a holder at one moment.
#[derive(Clone, Debug)]
pub struct HolderSighting {
    pub state: HolderState,
    /// The time since its last sign of life: a hook event, output in its window or a change of its state. `None` if no
    /// time is known, or the last one is in the future.
    pub age: Option<Duration>,
    /// Its sesh, if a server that answers has it.
    pub record: Option<Record>,
}

impl HolderSighting {
    fn without_record(state: HolderState) -> Self {
        Self {
            state,
            age: None,
            record: None,
        }
    }
}

/// A pane with a sesh, as its server described it.
struct SeenPane {
    record: Record,
    /// Milliseconds since the epoch.
    last_sign: u64,
}

/// What a server answered.
enum SeenServer {
    Answered {
        panes: HashMap<SeshId, SeenPane>,
        silent_after: Option<Duration>,
    },
    /// It did not answer in time.
    Stopped,
    /// No server is there.
    Absent,
}

/// Looks at holders, and asks each server once.
#[derive(Default)]
pub struct HolderView {
    own: Option<(PathBuf, Server)>,
    servers: HashMap<PathBuf, SeenServer>,
}

impl HolderView {
    /// Returns a view that also looks for holders on `own`, where a sesh may have been restored.
    #[must_use]
    pub fn new(own: Option<&Server>) -> Self {
        Self {
            own: own.and_then(|server| Some((server.address()?, server.clone()))),
            servers: HashMap::new(),
        }
    }

    /// Returns what is known of a holder now.
    ///
    /// Its server decides. A server that is known to have ended decides too. A socket that is gone does not, because its
    /// server may live.
    pub fn look(&mut self, holder: &Holder) -> HolderSighting {
        let server = &holder.server;
        let own = self.own.as_ref().map(|(socket, _)| socket.clone());
        let visible = server.is_visible();
        let theirs = PathBuf::from(&server.socket);
        // A restored sesh is on the server that is at the same socket now, or on this one.
        let mut sockets: Vec<PathBuf> = own.into_iter().collect();
        if visible && !sockets.contains(&theirs) {
            sockets.push(theirs.clone());
        }
        for socket in &sockets {
            if let Some(sighting) = self.sighting(socket, holder.sesh) {
                return sighting;
            }
        }
        if visible && holder.pane.is_empty() {
            // It is about to be created, or the process that was to create it was killed.
            let state = if holder.is_being_created() {
                HolderState::Live
            } else {
                HolderState::Gone
            };
            return HolderSighting::without_record(state);
        }
        if !visible || server.start == 0 {
            return HolderSighting::without_record(HolderState::Unknown);
        }
        let is_alive = proc::is_alive(server.process());
        let state = match self.servers.get(&theirs) {
            Some(SeenServer::Stopped) => HolderState::Unknown,
            Some(SeenServer::Absent) if is_alive => HolderState::Unknown,
            _ => HolderState::Gone,
        };
        HolderSighting::without_record(state)
    }

    /// Returns what a server knows of a sesh: `None` if it has no pane for it, or does not answer.
    fn sighting(&mut self, socket: &PathBuf, sesh: SeshId) -> Option<HolderSighting> {
        if !self.servers.contains_key(socket) {
            let answer = self.ask(socket);
            self.servers.insert(socket.clone(), answer);
        }
        let now = clock::milliseconds();
        if self.is_quiet(socket, sesh, now) {
            // A server that was stopped answers before it has read what its panes have printed meanwhile.
            let answer = self.ask(socket);
            self.servers.insert(socket.clone(), answer);
        }
        let quiet = self.is_quiet(socket, sesh, now);
        let Some(SeenServer::Answered { panes, .. }) = self.servers.get(socket) else {
            return None;
        };
        let pane = panes.get(&sesh)?;
        let state = match pane.record.state {
            State::Exited => HolderState::Gone,
            _ if quiet => HolderState::Silent,
            _ => HolderState::Live,
        };
        let known = pane.last_sign <= now + CLOCK_TOLERANCE;
        Some(HolderSighting {
            state,
            age: known.then(|| Duration::from_millis(now.saturating_sub(pane.last_sign))),
            record: Some(pane.record.clone()),
        })
    }

    /// Returns whether a sesh shows no sign of life for too long.
    fn is_quiet(&self, socket: &PathBuf, sesh: SeshId, now: u64) -> bool {
        let Some(SeenServer::Answered {
            panes,
            silent_after: Some(limit),
        }) = self.servers.get(socket)
        else {
            return false;
        };
        let age = |pane: &SeenPane| Duration::from_millis(now.saturating_sub(pane.last_sign));
        panes.get(&sesh).is_some_and(|pane| age(pane) > *limit)
    }

    fn ask(&self, socket: &PathBuf) -> SeenServer {
        let server = match &self.own {
            Some((own, server)) if own == socket => Ok(server.clone()),
            _ => Server::at(Socket::Path(socket.clone())),
        };
        let select = Select {
            format: Some(format!(
                "#{{window_activity}},{},{HOOK_OF_PANE}",
                SILENT.format()
            )),
            ..Select::default()
        };
        let answer = server.and_then(|server| find::read(&server.within(ANSWER), &select));
        let snapshot = match answer {
            Ok(snapshot) => snapshot,
            Err(error) if error.kind == ErrorKind::NoAnswer => return SeenServer::Stopped,
            Err(error) if error.exit == Exit::TimedOut => return SeenServer::Stopped,
            Err(_) => return SeenServer::Absent,
        };
        let mut silent_after = clock::duration(SILENT.default).ok();
        let mut panes = HashMap::new();
        for record in snapshot.with_pane() {
            let pane = record.tmux.as_ref().map(|place| place.pane);
            let Some(formatted) = pane.and_then(|pane| snapshot.formatted.get(&pane)) else {
                continue;
            };
            let mut fields = formatted.splitn(3, ',');
            let mut next = || fields.next().unwrap_or_default();
            let (activity, silent, hook) = (next(), next(), next());
            match silent {
                "" => {}
                "off" => silent_after = None,
                text => silent_after = clock::duration(text).ok().or(silent_after),
            }
            let seconds = |text: &str| text.parse::<u64>().unwrap_or(0) * 1_000;
            let hook = hook.split(',').nth(1).and_then(|text| text.parse().ok());
            let last_sign = seconds(activity)
                .max(seconds(record.values.get(Key::Since)))
                .max(hook.unwrap_or(0));
            panes.insert(
                record.uuid,
                SeenPane {
                    record: record.clone(),
                    last_sign,
                },
            );
        }
        SeenServer::Answered {
            panes,
            silent_after,
        }
    }
}

impl Holder {
    /// Returns whether the process that creates the sesh is alive.
    fn is_being_created(&self) -> bool {
        let creator = self.creator.as_ref().and_then(|text| text.parse().ok());
        creator.is_some_and(proc::is_alive)
    }

    /// Returns its pane.
    #[must_use]
    pub fn pane_id(&self) -> Option<PaneId> {
        self.pane.parse().ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Returns a holder on a server that does not exist.
    pub(crate) fn holder(name: &str) -> Holder {
        Holder {
            sesh: SeshId::random(),
            name: name.into(),
            pane: "%1".into(),
            server: HolderServer {
                socket: "/nonexistent/socket".into(),
                pid: i32::MAX,
                start: 1,
                boot: proc::boot(),
                namespace: proc::pid_namespace(),
                machine: env::machine(),
            },
            creator: None,
        }
    }

    #[test]
    fn a_holder_is_gone_only_where_its_pid_means_its_server() {
        let state = |holder: &Holder| HolderView::default().look(holder).state;
        let gone = holder("x");
        assert_eq!(state(&gone), HolderState::Gone);
        let change: [fn(&mut HolderServer); 4] = [
            |it| it.boot = "another".into(),
            |it| it.namespace = "another".into(),
            |it| it.machine = "another".into(),
            |it| it.start = 0,
        ];
        for change in change {
            let mut other = gone.clone();
            change(&mut other.server);
            assert_eq!(state(&other), HolderState::Unknown);
        }
        // The server lives, and its socket is gone.
        let mut alive = gone.clone();
        let own = proc::own();
        (alive.server.pid, alive.server.start) = (own.pid, own.start);
        assert_eq!(state(&alive), HolderState::Unknown);
        // Another process has the pid now.
        alive.server.start += 1;
        assert_eq!(state(&alive), HolderState::Gone);
        let mut created = gone;
        created.pane = String::new();
        created.creator = Some(own.to_string());
        assert_eq!(state(&created), HolderState::Live);
    }
}
