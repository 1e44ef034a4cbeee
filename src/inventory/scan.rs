//! Reads what is stored and what exists at one moment, and finds the differences.

use std::collections::{HashMap, HashSet};

use super::agent_difference;
use super::auto_adopt::{FoundAgent, Returning, adoptions};
use super::book::{Book, ended_without_pane, orphaned_tail, read_books};
use super::change::{ChangeKind, Differences, Repair};
use super::find;
use super::pane::{IS_RUNNER, SeshPane};
use super::returned::priors;
use crate::agent::kinds::Agents;
use crate::error::{Error, Result};
use crate::id::{PaneId, ServerId, SeshId};
use crate::pane::agent::{self, FACT_FORMATS, PaneAgent, PaneFacts, agent_in};
use crate::proc;
use crate::store::condition::IS_READ;
use crate::store::hold::{self, HeldPane};
use crate::store::leave::Leaver;
use crate::store::query::{self, extra, read_row, row_format_with};
use crate::store::record::Record;
use crate::store::{Key, Place, schema, setting, write};
use crate::tmux::show::OptionScope;
use crate::tmux::{Batch, Command, Frame, Server, command, show};

/// What is stored at one moment.
struct StoreState {
    /// The server's clock.
    now: u64,
    hold: Option<std::time::Duration>,
    keep: usize,
    /// How long the records of exited seshes stay.
    keep_records: Option<std::time::Duration>,
    /// Whether agents in panes that are no seshes become seshes.
    adopts: bool,
    panes: Vec<SeshPane>,
    /// The living panes that are no seshes.
    unregistered: Vec<UnregisteredPane>,
    books: HashMap<SeshId, Book>,
    /// The seshes that have last lines.
    tails: Vec<SeshId>,
    /// See [`Differences::silent`].
    silent: Vec<Command>,
}

/// A living pane that is no sesh.
struct UnregisteredPane {
    place: Place,
    folder: String,
}

/// When to look for what is left of forgotten seshes and of panes that are gone. Processes that were killed leave it.
/// The last lines of a thousand exited seshes are megabytes, and most seshes remove theirs when they are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sweep {
    Now,
    /// When the last sweep is more than an hour ago.
    WhenDue,
    Never,
}

impl Sweep {
    /// `swept` and `now` are in seconds of the server's clock.
    fn is_due(self, swept: &str, now: u64) -> bool {
        const INTERVAL: u64 = 3600;
        match self {
            Self::Now => true,
            Self::WhenDue => swept.parse::<u64>().unwrap_or(0) + INTERVAL < now,
            Self::Never => false,
        }
    }
}

/// The additional columns of a pane's row.
const EXTRA_COLUMNS: [&str; 8] = [
    "#{pane_dead}",
    IS_READ,
    IS_RUNNER,
    "#{pane_current_path}",
    FACT_FORMATS[0],
    FACT_FORMATS[1],
    FACT_FORMATS[2],
    FACT_FORMATS[3],
];

/// Returns the formats that are asked of the server itself, for [`read_settings`].
fn settings() -> [String; 9] {
    [
        write::NOW.into(),
        setting::HOLD.format(),
        setting::KEEP.format(),
        setting::KEEP_RECORDS.format(),
        setting::FORGET.format(),
        setting::ADOPT.format(),
        format!("#{{{}}}", schema::LAST_SWEEP),
        format!("#{{{}}}", schema::UNWRITTEN),
        "#{pid} #{start_time}".into(),
    ]
}

/// What the server answers of itself, beside the settings.
struct ServerAnswer<'a> {
    /// How long after their end exited seshes are forgotten.
    forget: Option<std::time::Duration>,
    swept: &'a str,
    unwritten: bool,
    /// Its pid and its start.
    life: &'a str,
}

/// Reads the values of [`settings`].
fn read_settings<'a>(row: &[&'a str], sweep: Sweep) -> Option<(StoreState, ServerAnswer<'a>)> {
    let &[
        now,
        hold,
        keep,
        records,
        forget,
        adopt,
        swept,
        unwritten,
        life,
    ] = row
    else {
        return None;
    };
    let seen = StoreState {
        now: now.parse().unwrap_or(0),
        hold: hold::limit(hold),
        keep: hold::keep(keep),
        keep_records: hold::keep_records(records).filter(|_| sweep != Sweep::Never),
        // A reconciliation for a wait adopts no agents.
        adopts: adopt != "off" && sweep != Sweep::Never,
        panes: Vec::new(),
        unregistered: Vec::new(),
        books: HashMap::new(),
        tails: Vec::new(),
        silent: Vec::new(),
    };
    let answer = ServerAnswer {
        forget: hold::forget(forget),
        swept,
        unwritten: !unwritten.is_empty(),
        life,
    };
    Some((seen, answer))
}

/// Reads everything and finds the differences. Changes nothing.
pub(crate) fn scan(server: &Server, sweep: Sweep) -> Result<Differences> {
    let frame = Frame::new();
    let may_have_agent = agent::may_have_agent();
    let more: Vec<&str> = EXTRA_COLUMNS
        .into_iter()
        .chain([may_have_agent.as_str()])
        .collect();
    let panes = command::list_panes(&row_format_with(&frame, &more), None);
    let batch = Batch::from(command::print(None, &frame.format(settings())))
        .then(panes)
        .then(show::server_options())
        .then(show::global_options(OptionScope::Sessions))
        .then(show::global_options(OptionScope::Windows));
    let output = server.run(&batch)?;
    let mut sections = frame.sections(&output);
    let no_answer = || Error::failed("tmux did not print its time");
    let (settings, mut rest) = sections.next().ok_or_else(no_answer)?;
    let (mut seen, answer) = read_settings(&settings, sweep).ok_or_else(no_answer)?;
    let mut facts: HashMap<PaneId, (i32, PaneFacts<'_>)> = HashMap::new();
    let mut with_screen: Vec<PaneId> = Vec::new();
    for (row, after) in sections {
        rest = after;
        let Some(found) = read_row(&row)? else {
            continue;
        };
        let [
            dead,
            is_read,
            is_runner,
            folder,
            pane_facts @ ..,
            may_have_agent,
        ] = extra(&row)
        else {
            continue;
        };
        let place = found.place;
        let pane_facts = PaneFacts::of(pane_facts);
        if *may_have_agent == "1" {
            with_screen.push(place.pane);
        }
        if facts.insert(place.pane, (place.pid, pane_facts)).is_some() {
            continue;
        }
        let dead = *dead == "1";
        match found.record {
            Some(record) => seen.panes.push(SeshPane {
                record,
                pane: place.pane,
                pid: place.pid,
                dead,
                is_read: *is_read == "1",
                is_runner: *is_runner == "1",
            }),
            None if !dead => seen.unregistered.push(UnregisteredPane {
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
    // The screens come from a later question, because nothing that is written depends on both being of one moment.
    let screens = agent::screens(server, &with_screen)?;
    for (pane, (_, facts)) in &mut facts {
        facts.screen = screens.get(pane).map(String::as_str);
    }
    let is_sweep_due = sweep.is_due(answer.swept, seen.now);
    if is_sweep_due {
        let hidden = server.run(&Batch::from(show::hidden_variables()))?;
        seen.read_hidden(&hidden, |pane| facts.contains_key(&pane));
    }
    let pane_agents = agents_of(&seen, facts);
    Ok(Differences {
        expired: seen.expired(),
        leavers: answer
            .life
            .split_once(' ')
            .and_then(|(pid, start)| ServerId::read(pid, start))
            .map(|server| (server, seen.leavers())),
        repairs: seen.repairs(server, &pane_agents)?,
        silent: seen.silent,
        unwritten: answer.unwritten,
        // The journal is read for it, so it is as rare as a sweep.
        forget: answer.forget.filter(|_| is_sweep_due),
    })
}

/// Returns the agents of the panes, by what the process table has now.
fn agents_of<'a>(
    seen: &StoreState,
    facts: HashMap<PaneId, (i32, PaneFacts<'a>)>,
) -> HashMap<PaneId, PaneAgent<'a>> {
    let agents = Agents::loaded();
    let processes = proc::all();
    let records: HashMap<PaneId, &Record> = seen
        .panes
        .iter()
        .map(|pane| (pane.pane, &pane.record))
        .collect();
    let of_pane = |(pane, (first, facts))| {
        let record = records.get(&pane).copied();
        let pane_agent = agent_in(first, &processes, &agents.all, record, facts, seen.now)?;
        Some((pane, pane_agent))
    };
    facts.into_iter().filter_map(of_pane).collect()
}

/// Reads which seshes are recorded and which of them have a pane, and finds those that ended with their pane.
pub(crate) fn scan_closed(server: &Server) -> Result<Differences> {
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
        repairs: closed
            .filter_map(|(id, book)| ended_without_pane(*id, book))
            .collect(),
        ..Differences::default()
    })
}

/// Returns the repair for a sesh that has a pane, if anything differs.
fn difference(pane: &SeshPane, pane_agent: Option<&PaneAgent<'_>>) -> Option<Repair> {
    let ended = pane.record.exit.is_some();
    if pane.dead {
        return (!ended).then(|| pane.end_of_dead_pane());
    }
    if pane.runs_other_process() {
        return Some(pane.release());
    }
    // The process of a headless turn records its end itself.
    if ended || pane.record.is_headless() {
        return None;
    }
    let level = || find::shell_state(&pane.record);
    agent_difference::difference(pane, pane_agent).unwrap_or_else(|| {
        let state = level()?;
        (state.as_str() != pane.record.values.get(Key::State)).then(|| {
            pane.changes(
                ChangeKind::State,
                &format!("is {}", state.as_str()),
                write::state(&pane.pane.to_string(), state, None, "process"),
            )
        })
    })
}

impl StoreState {
    /// Reads the hidden variables. The hook reports of a pane that is gone are removed too, because tmux never uses the
    /// number of a pane again.
    fn read_hidden(&mut self, lines: &str, has_pane: impl Fn(PaneId) -> bool) {
        self.silent.push(write::swept());
        for name in lines.lines().filter_map(|line| line.split('=').next()) {
            if let Some(id) = schema::tail_of(name) {
                self.tails.push(id);
            } else if schema::pane_of_variable(name).is_some_and(|pane| !has_pane(pane)) {
                self.silent.push(write::drop_variable(name));
            }
        }
    }

    fn repairs(
        &self,
        server: &Server,
        pane_agents: &HashMap<PaneId, PaneAgent<'_>>,
    ) -> Result<Vec<Repair>> {
        let found = self.found(pane_agents);
        let returning_by_pane = priors(server, &found, &self.panes)?;
        let mut repairs = self.differences(pane_agents, &returning_by_pane);
        repairs.extend(adoptions(&found, &self.panes, returning_by_pane));
        Ok(repairs)
    }

    /// Returns the agents that are to become seshes.
    fn found<'a>(&'a self, pane_agents: &'a HashMap<PaneId, PaneAgent<'a>>) -> Vec<FoundAgent<'a>> {
        if !self.adopts {
            return Vec::new();
        }
        let in_unregistered = self.unregistered.iter().filter_map(|unregistered_pane| {
            Some(FoundAgent {
                place: &unregistered_pane.place,
                folder: &unregistered_pane.folder,
                pane_agent: pane_agents.get(&unregistered_pane.place.pane)?,
                provisional: None,
            })
        });
        let in_own = self
            .panes
            .iter()
            .filter_map(|pane| FoundAgent::recently_adopted(pane, pane_agents.get(&pane.pane)?));
        in_unregistered.chain(in_own).collect()
    }

    /// Returns the repairs of known seshes. Panes whose agent continues an exited sesh are left out, because they
    /// become that sesh.
    fn differences(
        &self,
        pane_agents: &HashMap<PaneId, PaneAgent<'_>>,
        returning_by_pane: &HashMap<PaneId, Returning>,
    ) -> Vec<Repair> {
        let known = |pane: &&SeshPane| {
            self.books
                .get(&pane.record.uuid)
                .is_none_or(|book| book.values.is_some())
        };
        let panes: Vec<&SeshPane> = self.panes.iter().filter(known).collect();
        let mut repairs: Vec<Repair> = panes
            .iter()
            .filter(|pane| !returning_by_pane.contains_key(&pane.pane))
            .filter_map(|pane| {
                let book = self.books.get(&pane.record.uuid);
                difference(pane, pane_agents.get(&pane.pane))
                    .or_else(|| pane.book_difference(book.and_then(|book| book.values.as_ref())))
            })
            .collect();
        let living: HashSet<SeshId> = self.panes.iter().map(|pane| pane.record.uuid).collect();
        repairs.extend(
            self.books
                .iter()
                .filter(|(id, _)| !living.contains(id))
                .filter_map(|(id, book)| ended_without_pane(*id, book)),
        );
        repairs.extend(self.panes_to_close(&panes));
        repairs.extend(
            self.tails
                .iter()
                .filter(|id| !living.contains(id) && !self.books.contains_key(id))
                .map(|id| orphaned_tail(*id)),
        );
        repairs
    }

    /// Returns the exited seshes without a pane whose time in the server is over.
    fn leavers(&self) -> Vec<Leaver> {
        let Some(age) = self.keep_records else {
            return Vec::new();
        };
        let with_pane: HashSet<SeshId> = self.panes.iter().map(|pane| pane.record.uuid).collect();
        let without_pane = self.books.iter().filter(|(id, _)| !with_pane.contains(id));
        without_pane
            .filter_map(|(_, book)| {
                let record = Record::ended(book.values.clone()?)?;
                let exit = record.exit?.at?;
                (exit.saturating_add(age.as_secs()) <= self.now).then(|| Leaver {
                    record,
                    text: book.text.clone(),
                })
            })
            .collect()
    }

    /// Returns the living seshes whose time is over.
    fn expired(&self) -> Vec<Record> {
        self.panes
            .iter()
            .filter(|pane| pane.record.live && pane.is_expired(self.now))
            .map(|pane| pane.record.clone())
            .collect()
    }

    /// Returns the repairs that close held panes, without those that a person reads. A `sesh-run` that is alive measures
    /// its own hold time.
    fn panes_to_close(&self, panes: &[&SeshPane]) -> Vec<Repair> {
        let held: Vec<(HeldPane, &SeshPane)> = panes
            .iter()
            .filter(|pane| !pane.runs_other_process())
            .filter_map(|pane| {
                let since = pane.record.values.get(Key::Held).parse().ok()?;
                let held = HeldPane {
                    since,
                    pane: pane.pane,
                    id: pane.record.uuid,
                };
                pane.record.exit.map(|_| (held, *pane))
            })
            .collect();
        let surplus = hold::surplus(held.iter().map(|(held, _)| *held).collect(), self.keep);
        held.iter()
            .filter(|(_, pane)| !pane.is_read)
            .filter_map(|(held, pane)| {
                let succeeded = pane.record.exit.is_some_and(|exit| exit.code == Some(0));
                let is_overdue = self
                    .hold
                    .is_some_and(|hold| held.since.saturating_add(hold.as_secs()) <= self.now);
                let what = if surplus.contains(held) {
                    "was held the longest, and more panes are held than @sesh-keep allows"
                } else if pane.is_expired(self.now) {
                    "was held until its time was over"
                } else if pane.dead && succeeded && is_overdue {
                    "was held longer than @sesh-hold allows"
                } else {
                    return None;
                };
                Some(pane.repair(
                    ChangeKind::Closed,
                    what,
                    held.may_close(),
                    vec![command::kill_pane(held.pane)],
                ))
            })
            .collect()
    }
}
