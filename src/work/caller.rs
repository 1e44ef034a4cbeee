//! The sesh that calls: the one of the pane in which this process runs.

use super::holder::{Holder, HolderServer};
use crate::env;
use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::sesh::adopt::{AdoptRequest, adopt};
use crate::store::query::{first_pane, row_format};
use crate::store::work_mirror::{self, WorkMirror};
use crate::tmux::{Batch, Frame, Server, command};

/// The pane that this process runs in, and the sesh of it.
#[derive(Clone, Debug)]
pub struct Caller {
    pub holder: Holder,
    /// What the server shows of the repository.
    pub mirror: WorkMirror,
}

/// What a server answered of the pane that this process runs in.
struct CallingPane {
    pane: PaneId,
    sesh: Option<(SeshId, String)>,
    socket: String,
    server_pid: i32,
    mirror: WorkMirror,
}

impl Caller {
    /// Returns the sesh of the pane that this process runs in. A pane that is none becomes one. This is one question of
    /// the server, if the pane is a sesh.
    ///
    /// # Errors
    /// This process runs in no pane of the server, and as [`Server::run`] and [`adopt`].
    pub fn registered(server: &Server, repository: &str) -> Result<Self> {
        let mut found = CallingPane::read(server, repository)?;
        let (sesh, name) = match found.sesh.take() {
            Some(sesh) => sesh,
            None => {
                let record = adopt(server, found.pane, &AdoptRequest::default())?;
                (record.uuid, record.name)
            }
        };
        Ok(Self::of(found, sesh, name))
    }

    /// Returns the sesh of the pane that this process runs in. `None` if the pane is no sesh, or there is no pane.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn known(server: &Server, repository: &str) -> Result<Option<Self>> {
        if own_pane(server).is_none() {
            return Ok(None);
        }
        let mut found = CallingPane::read(server, repository)?;
        let sesh = found.sesh.take();
        Ok(sesh.map(|(sesh, name)| Self::of(found, sesh, name)))
    }

    fn of(pane: CallingPane, sesh: SeshId, name: String) -> Self {
        Self {
            holder: Holder {
                sesh,
                name,
                pane: pane.pane.to_string(),
                server: HolderServer::here(pane.socket, pane.server_pid),
                creator: None,
            },
            mirror: pane.mirror,
        }
    }
}

fn own_pane(server: &Server) -> Option<PaneId> {
    env::tmux_pane().filter(|_| server.is_own_server())
}

impl CallingPane {
    fn read(server: &Server, repository: &str) -> Result<Self> {
        let pane = own_pane(server).ok_or_else(|| {
            Error::nothing("a claim belongs to a pane of tmux, and this is none")
                .with_way_out("run it in a pane, or start an agent with sesh-new --work")
        })?;
        let frame = Frame::new();
        let place = frame.format(["place", "is", "#{pid}", "#{socket_path}", "#{pane_id}"]);
        let target = pane.to_string();
        let mut batch = Batch::new();
        batch.extend([
            command::print(Some(&target), &row_format(&frame)),
            command::print(Some(&target), &place),
        ]);
        batch.extend(work_mirror::question(&frame, repository));
        let answer = server.run(&batch)?;
        let (rows, _) = frame.read(&answer);
        let record = first_pane(&rows)?.and_then(|pane| pane.record);
        let mut found = Self {
            pane,
            sesh: record
                .filter(|record| record.live)
                .map(|record| (record.uuid, record.name.clone())),
            socket: String::new(),
            server_pid: 0,
            mirror: WorkMirror::default(),
        };
        for row in rows.iter().skip(1) {
            match row[..] {
                ["place", "is", pid, socket, _] => {
                    found.socket = socket.into();
                    found.server_pid = pid.parse().unwrap_or(0);
                }
                _ => {
                    found.mirror.read_row(row);
                }
            }
        }
        if found.server_pid == 0 {
            return Err(Error::no_pane(pane));
        }
        Ok(found)
    }
}
