//! A list of all seshes with panes, from their stored records.
//!
//! For each field of each pane tmux looks through its trees of options. Of 160 seshes it prints the records and the few
//! fields that only a pane has in less than half the time that it takes for all options of the panes.

use std::collections::{HashMap, HashSet};

use super::{Pane, Snapshot, book_line, gone};
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::store::record::{Place, Record, Values};
use crate::store::schema::Key;
use crate::tmux::{Batch, Frame, Server, check_floor, command, row, show};

/// The options of a pane that may be newer than its record: what a person has seen is written by the plugin, and a note
/// may be written by hand.
const BESIDE: [Key; 2] = [Key::Seen, Key::Note];

row::formats! {
    /// What the record of a sesh does not have. The values of the first ones contain no separator.
    struct LiveRow {
        id = "#{@sesh_id}",
        seen = "#{@sesh_seen}",
        pane = "#{pane_id}",
        pid = "#{pane_pid}",
        dead = "#{pane_dead}",
        window = "#{window_index}",
        note = "#{@sesh_note}",
        session = "#{session_name}",
    }
}

/// How many fields of a [`LiveRow`] may be any text.
const FOREIGN: usize = 2;

row::formats! {
    /// What is the same for all panes.
    struct ServerRow {
        pid = "#{pid}",
        start = "#{start_time}",
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
    let (own, foreign) = LiveRow::FORMATS.split_at(LiveRow::FORMATS.len() - FOREIGN);
    let format = frame.format_with(own, foreign);
    // Panes that are no seshes are listed too: a condition would cost as much for each pane as three more fields.
    let mut batch = Batch::from(command::list_panes(&format, None));
    let gone = gone();
    let common = ServerRow::FORMATS.iter().copied().chain([&*gone]);
    batch.extend([
        command::print(None, &frame.format(common)),
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
        } else if let Some((gone, fields)) = row.split_last() {
            common = ServerRow::read(fields.iter().copied());
            check_floor(common.version)?;
            snapshot.read_life(common.pid, common.start, gone);
        }
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
