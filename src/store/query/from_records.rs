//! A list of all seshes with panes, from their stored records.
//!
//! For each field of each pane tmux looks through its trees of options. Of 160 seshes it prints the records and the few
//! fields that only a pane has in less than half the time that it takes for all options of the panes.

use std::collections::{HashMap, HashSet};

use super::{Pane, Snapshot, book_line, life};
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::store::record::{Place, Record, Values};
use crate::store::schema::Key;
use crate::tmux::{Batch, Frame, Server, check_floor, command, row, show};

/// The options of a pane that may be newer than its record: what a person has seen is written by the plugin, and a note
/// may be written by hand.
const BESIDE: [Key; 2] = [Key::Seen, Key::Note];

row::formats! {
    /// What the record of a sesh does not have. No value contains a separator, except that of the session.
    struct LiveRow {
        id = "#{@sesh_id}",
        seen = "#{@sesh_seen}",
        note = "#{@sesh_note}",
        pane = "#{pane_id}",
        pid = "#{pane_pid}",
        dead = "#{pane_dead}",
        window = "#{window_index}",
        session = "#{session_name}",
    }
}

row::formats! {
    /// What is the same for all panes.
    struct ServerRow {
        version = "#{version}",
        socket = "#{socket_path}",
    }
}

/// Reads all seshes that have a pane and, where `ended` says so, those without one. Returns `None` where the records are
/// not enough: a pane has no record, or is in several sessions, so that the one where a person sees it has to be found.
///
/// # Errors
/// As [`Server::run`].
pub(super) fn read(server: &Server, ended: bool) -> Result<Option<Snapshot>> {
    let frame = Frame::new();
    // A condition would cost as much for each pane as three more fields.
    let mut batch = Batch::from(command::list_panes(&frame.format(LiveRow::FORMATS), None));
    batch.extend([
        life(&frame),
        command::print(None, &frame.format(ServerRow::FORMATS)),
        show::server_options(),
    ]);
    parse(&frame, &server.run(&batch)?, ended)
}

fn parse(frame: &Frame, output: &str, ended: bool) -> Result<Option<Snapshot>> {
    let mut snapshot = Snapshot::default();
    let mut live: Vec<LiveRow<'_>> = Vec::new();
    let mut common = ServerRow::default();
    let mut books = output;
    for (row, after) in frame.sections(output) {
        books = after;
        if row.len() == LiveRow::FORMATS.len() {
            live.push(LiveRow::read(row));
        } else if row.len() == ServerRow::FORMATS.len() {
            common = ServerRow::read(row);
        } else {
            snapshot.read_life(&row);
        }
    }
    if snapshot.server_id.is_some() {
        check_floor(common.version)?;
    }
    // tmux escapes what a person wrote by hand into an option and what no value of the store contains.
    let books = books.lines().filter_map(book_line);
    let mut books: HashMap<SeshId, &str> = books.filter(|(_, text)| !text.contains('\\')).collect();
    let mut panes: HashSet<PaneId> = HashSet::with_capacity(live.len());
    for row in live.into_iter().filter(|row| !row.id.is_empty()) {
        let Some(pane) = row.place(common.socket) else {
            continue;
        };
        let record = row.record(&books, &pane);
        if record.is_none() || !panes.insert(pane.pane) {
            return Ok(None);
        }
        snapshot.panes.push(Pane {
            place: pane,
            attached: None,
            record,
        });
    }
    let living: HashSet<SeshId> = snapshot.with_pane().map(|record| record.uuid).collect();
    if ended {
        books.retain(|id, _| !living.contains(id));
        let ended = books.into_values().filter_map(Values::from_book);
        snapshot.ended = ended.filter_map(Record::ended).collect();
    }
    let ended = snapshot.ended.iter().map(|record| record.uuid);
    snapshot.known = living.into_iter().chain(ended).collect();
    Ok(Some(snapshot))
}

impl LiveRow<'_> {
    /// Returns where the sesh is, without what only a row of [`super::row_format`] has. Returns `None` for a pane that is
    /// gone, whose fields are empty.
    fn place(&self, socket: &str) -> Option<Place> {
        Some(Place {
            socket: socket.into(),
            session: self.session.into(),
            window: self.window.parse().unwrap_or(0),
            pane: self.pane.parse().ok()?,
            session_id: String::new(),
            window_id: String::new(),
            window_name: String::new(),
            pid: self.pid.parse().unwrap_or(0),
        })
    }

    fn record(&self, books: &HashMap<SeshId, &str>, place: &Place) -> Option<Record> {
        let book = books.get(&self.id.parse().ok()?)?;
        let beside = BESIDE.into_iter().zip([self.seen, self.note]);
        let values = Values::from_book_with(book, beside)?;
        Record::live(values, place.clone(), self.dead == "1")
    }
}
