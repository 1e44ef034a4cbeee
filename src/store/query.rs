//! Questions to the store: each is one client of the server.

use std::collections::{HashMap, HashSet};

use super::condition::{either, registered};
use super::durable::Journal;
use super::record::{Place, Record, Values};
use super::schema::{self, Key, PANE};
use super::target::{Target, is_id_prefix, no_such};
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ServerId, SeshId, shown};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The commands that print the books, and before them the identities that live: only a book of none of
/// them is of an ended sesh.
#[must_use]
pub fn books(frame: &Frame) -> [Command; 2] {
    [
        command::list_panes(
            &frame.format([Key::Id.format()]),
            Some(registered().as_str()),
        ),
        command::show_server_options(),
    ]
}

/// The command that prints which life of the server it is, for [`read_life`], and what was forgotten in it and is not
/// written down.
#[must_use]
pub fn life(frame: &Frame) -> Command {
    command::print(
        None,
        &frame.format([
            "server",
            "is",
            "#{pid}",
            "#{start_time}",
            &format!("#{{{}}}", schema::FORGOTTEN),
        ]),
    )
}

/// Reads what [`life`] printed.
#[must_use]
pub fn read_life(row: &[&str]) -> Option<ServerId> {
    match row {
        ["server", "is", pid, start, _] => ServerId::read(pid, start),
        _ => None,
    }
}

/// The pane of the first row, if there is one.
///
/// # Errors
/// As [`read_row`].
pub fn first_pane(rows: &[Vec<&str>]) -> Result<Option<Pane>> {
    rows.first().map_or(Ok(None), |row| read_row(row))
}

/// Whether the journal is read, which costs more than a question.
#[derive(Clone, Debug, Default)]
pub enum Past {
    #[default]
    No,
    /// Where tmux does not know one of these.
    For(Vec<Target>),
    All,
}

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// The panes, by a condition of the server's; without one, every registered pane.
    pub filter: Option<String>,
    /// Read the books too: the seshes that ended.
    pub ended: bool,
    /// Read the journal too: the seshes of servers that ended.
    pub past: Past,
    /// A format of the caller's, expanded for each of the panes.
    pub format: Option<String>,
}

impl Select {
    /// All that has ended, of earlier servers too, and no pane.
    #[must_use]
    pub fn ended() -> Self {
        Self {
            filter: Some("0".into()),
            ended: true,
            past: Past::All,
            format: None,
        }
    }

    /// Everything that these targets can mean.
    #[must_use]
    pub fn targets(targets: &[Target]) -> Self {
        // A long chain of conditions costs more on each pane than the rows it saves.
        let filter = (1..=4)
            .contains(&targets.len())
            .then(|| {
                targets
                    .iter()
                    .map(Target::filter)
                    .reduce(|one, other| either(&one, &other))
            })
            .flatten();
        Self {
            filter,
            ended: true,
            past: Past::For(targets.to_vec()),
            format: None,
        }
    }
}

/// tmux's own fields of a pane's row: numbers and ids.
const PLACE: [&str; 7] = [
    "#{pane_id}",
    "#{pane_pid}",
    "#{pane_dead}",
    "#{session_id}",
    "#{window_id}",
    "#{window_index}",
    "#{version}",
];
/// Those that may be any text.
const NAMES: [&str; 3] = ["#{socket_path}", "#{session_name}", "#{window_name}"];

/// The formats of one pane's row.
#[must_use]
pub fn row_format(frame: &Frame) -> String {
    row_format_with(frame, &[])
}

/// A pane's row with more formats behind: [`extra`] gives them back.
#[must_use]
pub fn row_format_with(frame: &Frame, more: &[&str]) -> String {
    let options = PANE.iter().map(|entry| entry.key.format());
    let own = options.chain(PLACE.into_iter().map(Into::into));
    frame.format_with(own, NAMES.iter().chain(more))
}

/// What a row of [`row_format_with`] holds behind the pane's own fields.
#[must_use]
pub fn extra<'a, 'b>(row: &'b [&'a str]) -> &'b [&'a str] {
    row.get(PANE.len() + PLACE.len() + NAMES.len()..)
        .unwrap_or(&[])
}

/// A pane, with its sesh if it is one.
#[derive(Clone, Debug)]
pub struct Pane {
    pub place: Place,
    pub record: Option<Record>,
}

/// Reads one row of [`row_format`]. `None` for a pane that is gone: its fields are empty.
///
/// # Errors
/// A server below the floor.
pub fn read_row(fields: &[&str]) -> Result<Option<Pane>> {
    let Some(
        &[
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
    Ok(Some(Pane { place, record }))
}

/// An error, with the way to what a server has left that is not there any more.
fn with_way(server: &Server, error: Error) -> Error {
    if error.exit == Exit::NoServer && !Journal::read(server).others(&HashSet::new()).is_empty() {
        return error.with_way_out_after_why(
            "sesh-list --all shows what ran on it, sesh-restore --last-alive brings it back",
        );
    }
    error
}

/// The store at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The panes asked for, each once, also of session groups.
    pub panes: Vec<Pane>,
    /// Seshes that no pane has any more.
    pub ended: Vec<Record>,
    /// What [`Select::format`] came to.
    pub formatted: HashMap<PaneId, String>,
    /// Which life of the server it is, where the books were read.
    pub life: Option<ServerId>,
    /// All that tmux knows, also where other panes were asked for; where the books were read.
    known: HashSet<SeshId>,
    /// What was forgotten and is not written down yet.
    forgotten: HashSet<SeshId>,
}

impl Snapshot {
    /// Reads the store in one question, and the journal where that is wanted. Without a server the journal is all there
    /// is.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn read(server: &Server, select: &Select) -> Result<Self> {
        let first = match &select.past {
            Past::No => return Self::ask(server, select).map_err(|error| with_way(server, error)),
            Past::For(targets) => match Self::ask(server, select) {
                Ok(snapshot) if targets.iter().all(|target| snapshot.may_know(target)) => {
                    return Ok(snapshot);
                }
                Err(error) if error.exit != Exit::NoServer => return Err(error),
                outcome => Some(outcome),
            },
            Past::All => None,
        };
        // The journal first: what is born between the two is in tmux.
        let journal = Journal::read(server);
        let outcome = match first {
            Some(first) if journal.is_empty() => return first,
            _ => Self::ask(server, select),
        };
        let (mut snapshot, alone) = match outcome {
            Err(error) if error.exit == Exit::NoServer => (Self::default(), Some(error)),
            outcome => (outcome?, None),
        };
        let left = journal.others(&snapshot.known);
        if let (Some(error), true) = (alone, left.is_empty()) {
            return Err(error);
        }
        snapshot.take_in(server, left);
        Ok(snapshot)
    }

    /// Takes in what only the journal has of these targets: for a snapshot that was made from a larger question.
    pub fn take_in_past_of(&mut self, server: &Server, targets: &[Target]) {
        if targets.iter().all(|target| self.may_know(target)) {
            return;
        }
        if let Ok(past) = Self::read(server, &Select::targets(targets)) {
            let past = past.ended.into_iter();
            self.ended
                .extend(past.filter(|record| record.kept.is_some()));
        }
    }

    /// Takes in those that tmux does not know.
    fn take_in(&mut self, server: &Server, mut left: Vec<Record>) {
        let life = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
        let of_this = |record: &Record| self.life.is_some() && life(record) == self.life;
        if left.iter().any(of_this) {
            // It was forgotten between the two questions, or its book was removed by hand.
            let forgotten = Journal::read(server).forgotten();
            left.retain(|record| !forgotten.contains(&record.uuid));
        }
        left.retain(|record| !self.forgotten.contains(&record.uuid));
        let socket = server.address();
        let socket = socket.map(|path| path.to_string_lossy().into_owned());
        for record in &mut left {
            record.socket.clone_from(&socket);
        }
        self.ended.extend(left);
    }

    /// Whether nobody else has to be asked for a target.
    fn may_know(&self, target: &Target) -> bool {
        let missing = |error: Error| error.exit == Exit::Nothing;
        matches!(target, Target::Pane(_)) || !self.find(target).is_err_and(missing)
    }

    fn ask(server: &Server, select: &Select) -> Result<Self> {
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
            batch.extend(books(&frame));
        }
        let output = server.run(&batch)?;
        let mut snapshot = Self::parse(&frame, &output)?;
        if !snapshot.ended.is_empty() {
            let socket = server.address();
            let socket = socket.map(|path| path.to_string_lossy().into_owned());
            for record in &mut snapshot.ended {
                record.socket.clone_from(&socket);
            }
        }
        Ok(snapshot)
    }

    /// Reads what a batch of these commands printed.
    ///
    /// # Errors
    /// A server below the floor.
    pub fn parse(frame: &Frame, output: &str) -> Result<Self> {
        let mut books = output;
        let mut snapshot = Self::default();
        let mut panes = HashSet::new();
        let mut living: HashSet<String> = HashSet::new();
        for (row, after) in frame.sections(output) {
            books = after;
            if let [id] = row[..] {
                living.insert(id.to_string());
            } else if let Some(life) = read_life(&row) {
                snapshot.life = Some(life);
                let ids = row.last().copied().unwrap_or_default();
                let ids = ids.split_whitespace();
                snapshot.forgotten = ids.filter_map(|id| id.parse().ok()).collect();
            } else if let [pane, formatted] = row[..] {
                snapshot.formatted.insert(pane.parse()?, formatted.into());
            } else if let Some(pane) = read_row(&row)?
                && panes.insert(pane.place.pane)
            {
                snapshot.panes.push(pane);
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

    /// The seshes that have a pane.
    pub fn with_pane(&self) -> impl Iterator<Item = &Record> {
        self.panes.iter().filter_map(|pane| pane.record.as_ref())
    }

    /// All seshes.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.with_pane().chain(&self.ended)
    }

    /// The one sesh that a target means: the first kind of the grammar that hits.
    ///
    /// # Errors
    /// [`Exit::Nothing`](crate::error::Exit::Nothing), and [`Exit::Unusable`](crate::error::Exit::Unusable) with
    /// the candidates when there are several.
    pub fn find(&self, target: &Target) -> Result<&Record> {
        match target {
            Target::Pane(pane) => match self.panes.iter().find(|it| it.place.pane == *pane) {
                Some(Pane {
                    record: Some(record),
                    ..
                }) => Ok(record),
                Some(_) => Err(Error::nothing(format!("pane {pane} is no sesh"))
                    .with_way_out(format!("sesh-adopt {pane} makes it one"))),
                None => Err(Error::nothing(format!("there is no pane {pane}"))),
            },
            Target::Id(id) => self
                .records()
                .find(|record| record.uuid == *id)
                .ok_or_else(|| no_such(&id.to_string())),
            Target::Word(word) => self.find_word(word),
        }
    }

    fn find_word(&self, word: &str) -> Result<&Record> {
        let live: Vec<&Record> = self
            .with_pane()
            .filter(|record| record.live && record.name == word)
            .collect();
        let prefix = word.to_lowercase();
        let by_prefix: Vec<&Record> = self
            .records()
            .filter(|record| is_id_prefix(word) && record.uuid.to_string().starts_with(&prefix))
            .collect();
        let ended: Vec<&Record> = self
            .records()
            .filter(|record| !record.live && record.name == word)
            .collect();
        [live, by_prefix, ended]
            .into_iter()
            .find(|kind| !kind.is_empty())
            .map_or_else(|| Err(no_such(word)), |kind| best(word, kind))
    }
}

/// Of several of one kind: live beats archived beats ended, and an ended one that is still held in its
/// pane beats those that are gone.
fn best<'a>(word: &str, mut kind: Vec<&'a Record>) -> Result<&'a Record> {
    let rank = |record: &Record| match record {
        Record {
            live: true,
            archived: false,
            ..
        } => 0,
        Record { archived: true, .. } => 1,
        Record { tmux: Some(_), .. } => 2,
        _ => 3,
    };
    let first = kind.iter().map(|record| rank(record)).min();
    kind.retain(|record| Some(rank(record)) == first);
    if let [only] = kind[..] {
        return Ok(only);
    }
    kind.sort_by_key(|record| std::cmp::Reverse(record.created_at));
    let candidates: Vec<String> = kind
        .iter()
        .take(10)
        .map(|record| {
            format!(
                "{} ({}, {})",
                record.uuid,
                record.name,
                record.state.as_str()
            )
        })
        .collect();
    let more = match kind.len().saturating_sub(10) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Error::unusable(format!(
        "{} means {} seshes: {}{more}",
        shown(word),
        kind.len(),
        candidates.join(", ")
    ))
    .with_way_out("name one by its uuid"))
}

/// The identity and the text of a book, in a line of `show-options -s`. tmux puts double quotes round a value with
/// blanks or `%`; nothing inside is ever escaped, since the store's values hold no quote, backslash or `$`.
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const ONE: &str = "aaaa8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";
    const TWO: &str = "aaaa9b20-5b7e-4c1d-9f00-1a2b3c4d5e6f";
    const THREE: &str = "bbbb8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";

    fn ended(id: &str, name: &str) -> Record {
        let mut values = Values::default();
        values.set(Key::Id, id);
        values.set(Key::Name, name);
        Record::ended(values).expect("a record")
    }

    fn live(id: &str, name: &str, pane: u32) -> Pane {
        let mut record = ended(id, name);
        let place = Place {
            socket: String::new(),
            session: String::new(),
            window: 0,
            pane: PaneId(pane),
            session_id: String::new(),
            window_id: String::new(),
            window_name: String::new(),
            pid: 1,
        };
        record.live = true;
        record.tmux = Some(place.clone());
        Pane {
            place,
            record: Some(record),
        }
    }

    fn found(snapshot: &Snapshot, text: &str) -> Result<String> {
        let target = Target::parse(text, None)?;
        snapshot.find(&target).map(|record| record.uuid.to_string())
    }

    #[test]
    fn the_first_kind_that_hits_wins() {
        let snapshot = Snapshot {
            panes: vec![live(ONE, "build", 1), live(TWO, "aa", 2)],
            ended: vec![
                ended(THREE, "build"),
                ended("cccc8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f", "old"),
            ],
            ..Snapshot::default()
        };
        assert_eq!(found(&snapshot, "build").expect("the live one"), ONE);
        assert_eq!(found(&snapshot, "aaaa8").expect("by prefix"), ONE);
        assert_eq!(found(&snapshot, "AAAA9").expect("in any case"), TWO);
        assert_eq!(
            found(&snapshot, "bbbb").expect("an ended one by prefix"),
            THREE
        );
        assert_eq!(found(&snapshot, "%2").expect("by pane"), TWO);
        assert!(found(&snapshot, "old").is_ok());
        assert_eq!(found(&snapshot, THREE).expect("by uuid"), THREE);
        let many = found(&snapshot, "aaaa").expect_err("two");
        assert!(
            many.to_string().contains(ONE) && many.to_string().contains(TWO),
            "{many}"
        );
        assert_eq!(many.exit.code(), 4);
        for text in ["nobody", "%9", "ffff"] {
            assert_eq!(
                found(&snapshot, text).expect_err("nobody").exit.code(),
                3,
                "{text}"
            );
        }
        assert_eq!(found(&snapshot, "").expect_err("empty").exit.code(), 2);
        assert_eq!(found(&snapshot, ".").expect_err("no pane").exit.code(), 3);
    }

    #[test]
    fn archived_beats_ended() {
        let mut archived = ended(ONE, "x");
        archived.archived = true;
        let snapshot = Snapshot {
            panes: vec![],
            ended: vec![archived, ended(TWO, "x")],
            ..Snapshot::default()
        };
        assert_eq!(found(&snapshot, "x").expect("the archived one"), ONE);
    }

    #[test]
    fn a_target_that_acts_is_refused_before_tmux_sees_it() {
        for text in ["a#(touch x)", "a,b", "a}b", "x\ny"] {
            assert_eq!(
                Target::parse(text, None)
                    .expect_err("no target")
                    .exit
                    .code(),
                3,
                "{text}"
            );
        }
    }
}
