//! What is stored and what is, read at one moment, and what differs.

use std::collections::{HashMap, HashSet};

use super::agent;
use super::auto_adopt::{Found, Returning, adopted};
use super::book::{Book, forgotten, read_books, vanished};
use super::change::{Differences, Kind, Mend};
use super::find;
use super::pane::{IS_RUNNER, SeshPane};
use super::returned::pasts;
use crate::agent::kinds::Agents;
use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::pane::resident::{self, Resident, TOLD, Told, resident};
use crate::proc;
use crate::store::hold::{self, Held};
use crate::store::query::{self, extra, read_row, row_format_with};
use crate::store::record::Record;
use crate::store::{Key, Place, schema, setting, write};
use crate::tmux::command::{Of, show_global_options};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// What is stored, at one moment.
struct Seen {
    /// The server's clock.
    now: u64,
    hold: Option<std::time::Duration>,
    keep: usize,
    /// Whether agents in panes that are no seshes become seshes.
    adopts: bool,
    panes: Vec<SeshPane>,
    /// The living panes that are no seshes.
    others: Vec<Other>,
    books: HashMap<SeshId, Book>,
    /// Of which seshes there are last lines.
    tails: Vec<SeshId>,
    /// See [`Differences::unsaid`].
    unsaid: Vec<Command>,
}

/// A living pane that is no sesh.
struct Other {
    place: Place,
    folder: String,
}

/// Whether what is left of forgotten seshes and of panes that are gone is looked for: something that was killed left it.
/// The last lines of a thousand ended seshes are megabytes, and most of them take theirs along when they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweep {
    Now,
    /// When that was not done within the hour.
    WhenDue,
    Never,
}

impl Sweep {
    /// `swept` and `now` are in the server's seconds.
    fn is_due(self, swept: &str, now: u64) -> bool {
        const OFTEN: u64 = 3600;
        match self {
            Self::Now => true,
            Self::WhenDue => swept.parse::<u64>().unwrap_or(0) + OFTEN < now,
            Self::Never => false,
        }
    }
}

/// What stands behind a pane's row.
const MORE: [&str; 6] = [
    "#{pane_dead}",
    IS_RUNNER,
    "#{pane_current_path}",
    TOLD[0],
    TOLD[1],
    TOLD[2],
];

/// What is asked of the server itself.
fn settings() -> [String; 6] {
    [
        write::NOW.into(),
        setting::HOLD.format(),
        setting::KEEP.format(),
        setting::ADOPT.format(),
        format!("#{{{}}}", schema::SWEPT),
        format!("#{{{}}}", schema::UNWRITTEN),
    ]
}

/// Reads everything and finds what differs. It asks, and changes nothing.
pub(crate) fn look_at(server: &Server, sweep: Sweep) -> Result<Differences> {
    let frame = Frame::new();
    let may_have_agent = resident::may_have_one();
    let more: Vec<&str> = MORE.into_iter().chain([may_have_agent.as_str()]).collect();
    let panes = command::list_panes(&row_format_with(&frame, &more), None);
    let batch = Batch::from(command::print(None, &frame.format(settings())))
        .then(panes)
        .then(command::show_server_options())
        .then(show_global_options(Of::Sessions))
        .then(show_global_options(Of::Windows));
    let output = server.run(&batch)?;
    let mut sections = frame.sections(&output);
    let Some((settings, mut rest)) = sections.next() else {
        return Err(Error::failed("tmux did not say what time it is"));
    };
    let &[now, hold, keep, adopt, swept, unwritten] = &settings[..] else {
        return Err(Error::failed("tmux did not say what time it is"));
    };
    let unwritten = !unwritten.is_empty();
    let mut seen = Seen {
        now: now.parse().unwrap_or(0),
        hold: hold::limit(hold),
        keep: hold::keep(keep),
        // Whoever waits for one makes none.
        adopts: adopt != "off" && sweep != Sweep::Never,
        panes: Vec::new(),
        others: Vec::new(),
        books: HashMap::new(),
        tails: Vec::new(),
        unsaid: Vec::new(),
    };
    let mut told: HashMap<PaneId, (i32, Told<'_>)> = HashMap::new();
    let mut with_screen: Vec<PaneId> = Vec::new();
    for (row, after) in sections {
        rest = after;
        let Some(found) = read_row(&row)? else {
            continue;
        };
        let [dead, is_runner, folder, tells @ .., may_have_agent] = extra(&row) else {
            continue;
        };
        let place = found.place;
        let tells = Told::of(tells);
        if *may_have_agent == "1" {
            with_screen.push(place.pane);
        }
        if told.insert(place.pane, (place.pid, tells)).is_some() {
            continue;
        }
        let dead = *dead == "1";
        match found.record {
            Some(record) => seen.panes.push(SeshPane {
                record,
                pane: place.pane,
                pid: place.pid,
                dead,
                is_runner: *is_runner == "1",
            }),
            None if !dead => seen.others.push(Other {
                place,
                folder: (*folder).into(),
            }),
            None => {}
        }
    }
    seen.books = read_books(rest)?;
    // A pane in a window of several sessions has several rows.
    with_screen.sort_unstable();
    with_screen.dedup();
    // A later question: nothing that is written depends on both being of one moment.
    let screens = resident::screens(server, &with_screen)?;
    for (pane, (_, told)) in &mut told {
        told.screen = screens.get(pane).map(String::as_str);
    }
    if sweep.is_due(swept, seen.now) {
        let hidden = server.run(&Batch::from(command::show_hidden()))?;
        seen.read_hidden(&hidden, |pane| told.contains_key(&pane));
    }
    let agents = Agents::loaded();
    let processes = proc::all();
    let residents: HashMap<PaneId, Resident<'_>> = told
        .into_iter()
        .filter_map(|(pane, (first, told))| {
            let resident = resident(first, &processes, &agents.all, told, seen.now)?;
            Some((pane, resident))
        })
        .collect();
    Ok(Differences {
        expired: seen.expired(),
        mends: seen.mends(server, &residents)?,
        unsaid: seen.unsaid,
        unwritten,
    })
}

/// Reads which seshes are recorded and which of them have a pane, and finds those that ended with theirs.
pub(crate) fn look_at_closed(server: &Server) -> Result<Differences> {
    let frame = Frame::new();
    let output = server.run(&Batch::new().and(query::books(&frame)))?;
    let (rows, rest) = frame.read(&output);
    let with_pane: HashSet<SeshId> = rows
        .iter()
        .filter_map(|row| row.first()?.parse().ok())
        .collect();
    let books = read_books(rest)?;
    let closed = books.iter().filter(|(id, _)| !with_pane.contains(id));
    Ok(Differences {
        mends: closed
            .filter_map(|(id, book)| vanished(*id, book))
            .collect(),
        ..Differences::default()
    })
}

/// What is to be written of a sesh that has a pane, if anything.
fn difference(pane: &SeshPane, resident: Option<&Resident<'_>>) -> Option<Mend> {
    let ended = pane.record.exit.is_some();
    if pane.dead {
        return (!ended).then(|| pane.died());
    }
    if pane.is_anothers() {
        return Some(pane.release());
    }
    if ended {
        return None;
    }
    let level = || find::level(&pane.record);
    agent::difference(pane, resident).unwrap_or_else(|| {
        let state = level()?;
        (state.as_str() != pane.record.values.get(Key::State)).then(|| {
            pane.changes(
                Kind::State,
                &format!("is {}", state.as_str()),
                write::state(&pane.pane.to_string(), state, None, "process"),
            )
        })
    })
}

impl Seen {
    /// Reads the hidden variables. What the hooks of a pane said that is gone goes too: a pane's number never comes
    /// again.
    fn read_hidden(&mut self, lines: &str, is_there: impl Fn(PaneId) -> bool) {
        self.unsaid.push(write::swept());
        for name in lines.lines().filter_map(|line| line.split('=').next()) {
            if let Some(id) = schema::tail_of(name) {
                self.tails.push(id);
            } else if schema::pane_of_hook(name).is_some_and(|pane| !is_there(pane)) {
                self.unsaid.push(write::drop_variable(name));
            }
        }
    }

    fn mends(
        &self,
        server: &Server,
        residents: &HashMap<PaneId, Resident<'_>>,
    ) -> Result<Vec<Mend>> {
        let found = self.found(residents);
        let pasts = pasts(server, &found, &self.panes)?;
        let mut mends = self.differences(residents, &pasts);
        mends.extend(adopted(&found, &self.panes, pasts));
        Ok(mends)
    }

    /// The agents that are to become seshes.
    fn found<'a>(&'a self, residents: &'a HashMap<PaneId, Resident<'a>>) -> Vec<Found<'a>> {
        if !self.adopts {
            return Vec::new();
        }
        let in_others = self.others.iter().filter_map(|other| {
            Some(Found {
                place: &other.place,
                folder: &other.folder,
                resident: residents.get(&other.place.pane)?,
                as_yet: None,
            })
        });
        let in_own = self
            .panes
            .iter()
            .filter_map(|pane| Found::of_late(pane, residents.get(&pane.pane)?));
        in_others.chain(in_own).collect()
    }

    /// What differs of those that are known. Those whose pasts are known are left out: they become those.
    fn differences(
        &self,
        residents: &HashMap<PaneId, Resident<'_>>,
        pasts: &HashMap<PaneId, Returning>,
    ) -> Vec<Mend> {
        let known = |pane: &&SeshPane| {
            self.books
                .get(&pane.record.uuid)
                .is_none_or(|book| book.values.is_some())
        };
        let panes: Vec<&SeshPane> = self.panes.iter().filter(known).collect();
        let mut mends: Vec<Mend> = panes
            .iter()
            .filter(|pane| !pasts.contains_key(&pane.pane))
            .filter_map(|pane| {
                let book = self.books.get(&pane.record.uuid);
                difference(pane, residents.get(&pane.pane))
                    .or_else(|| pane.other_book(book.and_then(|book| book.values.as_ref())))
            })
            .collect();
        let living: HashSet<SeshId> = self.panes.iter().map(|pane| pane.record.uuid).collect();
        mends.extend(
            self.books
                .iter()
                .filter(|(id, _)| !living.contains(id))
                .filter_map(|(id, book)| vanished(*id, book)),
        );
        mends.extend(self.overdue(&panes));
        mends.extend(
            self.tails
                .iter()
                .filter(|id| !living.contains(id) && !self.books.contains_key(id))
                .map(|id| forgotten(*id)),
        );
        mends
    }

    /// The living ones whose time is over.
    fn expired(&self) -> Vec<Record> {
        self.panes
            .iter()
            .filter(|pane| pane.record.live && pane.is_over_its_time(self.now))
            .map(|pane| pane.record.clone())
            .collect()
    }

    /// Held panes that are to be closed. A `sesh-run` that lives counts its own time.
    fn overdue(&self, panes: &[&SeshPane]) -> Vec<Mend> {
        let held: Vec<(Held, &SeshPane)> = panes
            .iter()
            .filter(|pane| !pane.is_anothers())
            .filter_map(|pane| {
                let since = pane.record.values.get(Key::Held).parse().ok()?;
                let held = Held {
                    since,
                    pane: pane.pane,
                    id: pane.record.uuid,
                };
                pane.record.exit.map(|_| (held, *pane))
            })
            .collect();
        let surplus = hold::surplus(held.iter().map(|(held, _)| *held).collect(), self.keep);
        held.iter()
            .filter_map(|(held, pane)| {
                let succeeded = pane.record.exit.is_some_and(|exit| exit.code == Some(0));
                let late = self
                    .hold
                    .is_some_and(|hold| held.since.saturating_add(hold.as_secs()) <= self.now);
                let what = if surplus.contains(held) {
                    "was held longest, and more are held than @sesh-keep says"
                } else if pane.is_over_its_time(self.now) {
                    "was held until its time was over"
                } else if pane.dead && succeeded && late {
                    "was held longer than @sesh-hold says"
                } else {
                    return None;
                };
                Some(pane.mend(
                    Kind::Closed,
                    what,
                    held.still(),
                    vec![command::kill_pane(held.pane)],
                ))
            })
            .collect()
    }
}
