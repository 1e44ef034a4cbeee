//! Queries of the store. Each query is one client of the server.

use std::collections::{HashMap, HashSet};

use super::condition::{any, either, registered};
use super::durable::Journal;
use super::lost_socket;
use super::record::{Place, Record, Values};
use super::schema::{self, Key, PANE};
use super::target::{self, Target};
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ServerId, SeshId};
use crate::journal::search::Search;
use crate::tmux::{Batch, Command, Frame, Server, command, show};

/// Returns the command that prints the record of a sesh, as [`Values::from_book`] reads it.
#[must_use]
pub fn print_record(id: SeshId) -> Command {
    command::print(None, &format!("#{{{}}}", schema::book(id)))
}

/// Returns the commands that print the identities of the seshes with panes, and after them all stored records. Only a
/// record of another identity belongs to a sesh without a pane.
#[must_use]
pub fn books(frame: &Frame) -> [Command; 2] {
    [
        command::list_panes(
            &frame.format([Key::Id.format()]),
            Some(registered().as_str()),
        ),
        show::server_options(),
    ]
}

/// The word that stands before the forgotten seshes if exited seshes have left the server.
const HAS_LEFT: &str = "left";

/// Returns the format of the seshes that the stored records lack, for [`Snapshot::read_life`].
fn gone() -> String {
    format!(
        "#{{?{},{HAS_LEFT} ,}}#{{{}}}",
        schema::LEFT,
        schema::FORGOTTEN
    )
}

/// Returns the command that prints [`life_format`].
#[must_use]
pub fn life(frame: &Frame) -> Command {
    command::print(None, &life_format(frame))
}

/// Returns a format that expands to the [`ServerId`] of the server, for [`read_server_id`], the seshes that were
/// forgotten on it but not yet in the journal, and [`HAS_LEFT`].
#[must_use]
pub fn life_format(frame: &Frame) -> String {
    frame.format(["server", "is", "#{pid}", "#{start_time}", &gone()])
}

/// Parses the output of [`life`].
#[must_use]
pub fn read_server_id(row: &[&str]) -> Option<ServerId> {
    match row {
        ["server", "is", pid, start, _] => ServerId::read(pid, start),
        _ => None,
    }
}

/// Returns the pane of the first row, if there is one.
///
/// # Errors
/// As [`read_row`].
pub fn first_pane(rows: &[Vec<&str>]) -> Result<Option<Pane>> {
    rows.first().map_or(Ok(None), |row| read_row(row))
}

/// Whether the journal is read, which costs more than a query of the server.
#[derive(Clone, Debug, Default)]
pub enum Past {
    #[default]
    No,
    /// If tmux does not have a sesh for one of these targets. Only what they can mean is read.
    For(Vec<Target>),
    /// What is searched for, and perhaps some more.
    Of(Search),
    All,
}

/// Where the values of a sesh with a pane are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueSource {
    /// From the options of its pane.
    #[default]
    Panes,
    /// From its stored record, of all seshes: a list of many costs the server half as much. A value that a person wrote
    /// into an option of the pane is there after the next write of a helper or of the tick. A [`Place`] has no ids of its
    /// session and window, and no name of the window.
    Records,
}

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Where to read the values. [`ValueSource::Records`] selects all seshes, and is not for a `format`.
    pub values: ValueSource,
    /// The condition that selects the panes, tested by the server. `None` selects all panes with a sesh.
    pub filter: Option<String>,
    /// Whether to read the stored records too: the exited seshes without a pane.
    pub ended: bool,
    /// Whether to read the journal too: the seshes of servers that ended.
    pub past: Past,
    /// A format of the caller. It is expanded for each of the panes.
    pub format: Option<String>,
}

impl Select {
    /// Selects the exited seshes without a pane, and no pane: those that tmux has, and those of earlier servers that are
    /// searched for.
    #[must_use]
    pub fn ended(search: Search) -> Self {
        Self {
            filter: Some("0".into()),
            ended: true,
            past: Past::Of(search),
            ..Self::default()
        }
    }

    /// Selects all seshes and panes that these targets can mean.
    #[must_use]
    pub fn targets(targets: &[Target]) -> Self {
        let is_pane = |target: &&Target| matches!(target, Target::Pane(_));
        let filter = if targets.len() <= 4 {
            any(&targets.iter().map(Target::filter).collect::<Vec<_>>())
        } else {
            // A long chain of conditions costs more for each pane than the saved rows. Only panes that are no seshes have to
            // be named.
            let panes = targets.iter().filter(is_pane).map(Target::filter);
            either(&registered(), &any(&panes.collect::<Vec<_>>()))
        };
        let filter = (!targets.is_empty()).then_some(filter);
        Self {
            filter,
            ended: true,
            past: Past::For(targets.to_vec()),
            ..Self::default()
        }
    }
}

/// What a person sees of a pane in the session of its row, as [`Pane::attached`] holds it: 1 or, where its window is the
/// current one, 2, before the time when the session was used last. Since tmux 3.6 the number of a window's sessions is 1
/// in a session group.
const ATTACHED: &str = "#{?session_attached,#{?window_active,2,1}#{session_activity},#{?session_grouped,0,\
                        #{?#{==:#{window_linked_sessions},1},,0}}}";

/// The fields of a pane's row that come from tmux and are numbers or ids.
const PLACE: [&str; 8] = [
    ATTACHED,
    "#{pane_id}",
    "#{pane_pid}",
    "#{pane_dead}",
    "#{session_id}",
    "#{window_id}",
    "#{window_index}",
    "#{version}",
];
/// The fields of a pane's row that come from tmux and may be any text.
const NAMES: [&str; 3] = ["#{socket_path}", "#{session_name}", "#{window_name}"];

/// Returns the format of one pane's row.
#[must_use]
pub fn row_format(frame: &Frame) -> String {
    row_format_with(frame, &[])
}

/// Returns the format of one pane's row with more formats after it. [`extra`] returns their values.
#[must_use]
pub fn row_format_with(frame: &Frame, more: &[&str]) -> String {
    let options = PANE.iter().map(|entry| entry.key.format());
    let own = options.chain(PLACE.into_iter().map(Into::into));
    frame.format_with(own, NAMES.iter().chain(more))
}

/// Returns the values that a row of [`row_format_with`] contains after the pane's own fields.
#[must_use]
pub fn extra<'a, 'b>(row: &'b [&'a str]) -> &'b [&'a str] {
    row.get(PANE.len() + PLACE.len() + NAMES.len()..)
        .unwrap_or(&[])
}

/// A pane, with its sesh if it is one.
#[derive(Clone, Debug)]
pub struct Pane {
    pub place: Place,
    /// How well a person sees the pane in the session of [`place`](Self::place), where its window is in several: 0 where
    /// that session has no client.
    pub attached: Option<u64>,
    pub record: Option<Record>,
}

/// Parses one row of [`row_format`]. Returns `None` for a pane that is gone, whose fields are empty.
///
/// # Errors
/// The tmux version of the server is too old.
pub fn read_row(fields: &[&str]) -> Result<Option<Pane>> {
    let Some(
        &[
            attached,
            pane,
            pid,
            dead,
            session_id,
            window_id,
            window,
            version,
            socket,
            session,
            window_name,
        ],
    ) = fields.get(PANE.len()..PANE.len() + PLACE.len() + NAMES.len())
    else {
        return Ok(None);
    };
    let Ok(pane) = pane.parse::<PaneId>() else {
        return Ok(None);
    };
    crate::tmux::check_floor(version)?;
    let place = Place {
        socket: socket.into(),
        session: session.into(),
        window: window.parse().unwrap_or(0),
        pane,
        session_id: session_id.into(),
        window_id: window_id.into(),
        window_name: window_name.into(),
        pid: pid.parse().unwrap_or(0),
    };
    let record = Values::from_row(fields)
        .and_then(|values| Record::live(values, place.clone(), dead == "1"));
    Ok(Some(Pane {
        place,
        attached: attached.parse().ok(),
        record,
    }))
}

/// Returns the place of a pane whose window is in several sessions, in the one where a person sees it best.
fn place_where_seen(server: &Server, pane: PaneId) -> Result<Option<Place>> {
    let frame = Frame::new();
    let is_it = format!("#{{==:#{{pane_id}},{pane}}}");
    let rows = command::list_panes(&row_format(&frame), Some(&is_it));
    let snapshot = Snapshot::parse(&frame, &server.run(&Batch::from(rows))?)?;
    Ok(snapshot.panes.into_iter().next().map(|pane| pane.place))
}

impl Pane {
    /// Corrects the session of a pane of which only one row was asked: tmux may have answered with a session that no
    /// client shows. Asks a question only for such a pane.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn find_where_seen(&mut self, server: &Server) -> Result<()> {
        if self.attached == Some(0)
            && let Some(place) = place_where_seen(server, self.place.pane)?
        {
            if let Some(record) = &mut self.record {
                record.tmux = record.tmux.as_ref().map(|_| place.clone());
            }
            self.place = place;
        }
        Ok(())
    }
}

/// The content of the store at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The selected panes. Each occurs once, even if its window is in several sessions.
    pub panes: Vec<Pane>,
    /// The seshes that have no pane any more.
    pub ended: Vec<Record>,
    /// The expansion of [`Select::format`] for each pane.
    pub formatted: HashMap<PaneId, String>,
    /// The server, if the stored records were read.
    pub server_id: Option<ServerId>,
    /// All seshes that tmux has, even in panes that were not selected. Empty unless the stored records were read.
    known: HashSet<SeshId>,
    /// The seshes that were forgotten, but not yet in the journal.
    forgotten: HashSet<SeshId>,
    /// Whether exited seshes have left the server, so that only the journal has them.
    has_left: bool,
}

impl Snapshot {
    /// Reads the store with one query, and the journal if it is selected. Without a server it reads the journal alone.
    /// For targets it reads the panes first, and the stored records only if a target is none of them: their number is
    /// that of all seshes that the server has had.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn read(server: &Server, select: &Select) -> Result<Self> {
        let first = match &select.past {
            Past::No => {
                return Self::query(server, select)
                    .map_err(|error| lost_socket::with_way_out(server, error));
            }
            Past::For(targets) => match Self::query_targets(server, select, targets) {
                Ok(snapshot) if targets.iter().all(|target| snapshot.resolves(target)) => {
                    return Ok(snapshot);
                }
                Err(error) if error.exit != Exit::NoServer => return Err(error),
                outcome => Some(outcome),
            },
            Past::Of(_) | Past::All => None,
        };
        // The journal is read before tmux: a sesh that is created between the two is in tmux.
        let journal = match &select.past {
            Past::For(targets) => Journal::search(server, &target::search(targets)),
            Past::Of(search) => Journal::search(server, search),
            Past::No | Past::All => Journal::read(server),
        };
        let outcome = match first {
            Some(Ok(first)) if journal.is_empty() => return Ok(first),
            _ => Self::query(server, select),
        };
        let (mut snapshot, no_server) = match outcome {
            Err(error) if error.exit == Exit::NoServer => (Self::default(), Some(error)),
            outcome => (outcome?, None),
        };
        let past = journal.others(&snapshot.known);
        if let (Some(error), true) = (no_server, past.is_empty()) {
            // What was searched for is not there, but seshes of the server that has ended may be.
            let all = matches!(select.past, Past::All);
            if all || !Journal::read(server).has_records() {
                return Err(error);
            }
        }
        snapshot.add_past(server, past);
        Ok(snapshot)
    }

    /// Returns whether the snapshot is enough for a target, so that the journal need not be read.
    fn resolves(&self, target: &Target) -> bool {
        let missing = |error: Error| error.exit == Exit::Nothing;
        matches!(target, Target::Pane(_)) || !self.find(target).is_err_and(missing)
    }

    /// Reads the panes and stored records that are selected, without the journal.
    fn query(server: &Server, select: &Select) -> Result<Self> {
        let mut snapshot = match select.values {
            ValueSource::Records => from_records::read(server, select.ended)?,
            ValueSource::Panes => None,
        }
        .map_or_else(|| Self::query_panes(server, select, true), Ok)?;
        if !snapshot.ended.is_empty() {
            let socket = server.address();
            let socket = socket.map(|path| path.to_string_lossy().into_owned());
            for record in &mut snapshot.ended {
                record.socket.clone_from(&socket);
            }
        }
        Ok(snapshot)
    }

    fn query_targets(server: &Server, select: &Select, targets: &[Target]) -> Result<Self> {
        let panes = Self::query_panes(server, select, false)?;
        if targets.iter().all(|target| panes.has_alive(target)) {
            return Ok(panes);
        }
        Self::query(server, select)
    }

    /// Reads the panes that are selected, and with `ended` the stored records if they are selected.
    fn query_panes(server: &Server, select: &Select, ended: bool) -> Result<Self> {
        let frame = Frame::new();
        let filter = select.filter.clone().unwrap_or_else(registered);
        let mut batch = Batch::from(command::list_panes(
            &row_format(&frame),
            Some(filter.as_str()),
        ));
        if let Some(format) = &select.format {
            batch = batch.then(command::list_panes(
                &frame.format(["#{pane_id}", format]),
                Some(filter.as_str()),
            ));
        }
        if select.ended {
            batch.extend([life(&frame)]);
            if ended {
                batch.extend(books(&frame));
            }
        }
        Self::parse(&frame, &server.run(&batch)?)
    }

    /// Reads which server it is, and what [`gone`] expanded to.
    fn read_life(&mut self, pid: &str, start: &str, gone: &str) {
        self.server_id = ServerId::read(pid, start);
        let ids = gone.split_whitespace();
        self.has_left = ids.clone().any(|word| word == HAS_LEFT);
        self.forgotten = ids.filter_map(|id| id.parse().ok()).collect();
    }

    /// Parses the output of a batch of these commands.
    ///
    /// # Errors
    /// The tmux version of the server is too old.
    pub fn parse(frame: &Frame, output: &str) -> Result<Self> {
        let mut books = output;
        let mut snapshot = Self::default();
        let mut panes: HashMap<PaneId, usize> = HashMap::new();
        let mut living: HashSet<String> = HashSet::new();
        for (row, after) in frame.sections(output) {
            books = after;
            if let ["server", "is", pid, start, gone] = row[..] {
                snapshot.read_life(pid, start, gone);
            } else if let [id] = row[..] {
                living.insert(id.to_string());
            } else if let [pane, formatted] = row[..] {
                snapshot.formatted.insert(pane.parse()?, formatted.into());
            } else if let Some(pane) = read_row(&row)? {
                // A window that is in several sessions has a row for each of them.
                let next = snapshot.panes.len();
                let at = *panes.entry(pane.place.pane).or_insert(next);
                match snapshot.panes.get_mut(at) {
                    None => snapshot.panes.push(pane),
                    Some(known) if known.attached < pane.attached => *known = pane,
                    Some(_) => {}
                }
            }
        }
        snapshot.ended = books
            .lines()
            .filter_map(read_book)
            .filter(|values| !living.contains(values.get(Key::Id)))
            .filter_map(Record::ended)
            .collect();
        let living = living.iter().filter_map(|id| id.parse().ok());
        let ended = snapshot.ended.iter().map(|record| record.uuid);
        snapshot.known = living.chain(ended).collect();
        Ok(snapshot)
    }

    /// Returns the seshes that have a pane.
    pub fn with_pane(&self) -> impl Iterator<Item = &Record> {
        self.panes.iter().filter_map(|pane| pane.record.as_ref())
    }

    /// Returns all seshes.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.with_pane().chain(&self.ended)
    }
}

/// Returns the identity and the text of a stored record, from a line of `show-options -s`. tmux quotes a value that
/// contains blanks or `%` with `"`. It escapes nothing inside, since the store's values contain no quote, backslash or
/// `$`.
#[must_use]
pub fn book_line(line: &str) -> Option<(SeshId, &str)> {
    let (name, value) = line.split_once(' ')?;
    let id = name.strip_prefix("@seshbook_")?.parse().ok()?;
    let value = value
        .strip_prefix('"')
        .map_or(value, |value| value.strip_suffix('"').unwrap_or(value));
    Some((id, value))
}

fn read_book(line: &str) -> Option<Values> {
    let (id, text) = book_line(line)?;
    Values::from_book(text).filter(|values| values.get(Key::Id) == id.to_string())
}

mod from_records;
mod means;
mod past;
#[cfg(test)]
mod tests;
