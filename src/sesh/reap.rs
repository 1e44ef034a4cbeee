//! Reconciling what is stored with what is: the panes, and the process table.
//!
//! One tmux process reads and one writes, and only what differs: an equal write would redraw every client. Each
//! write is bound to what was read, so several reconciliations at once are one, and nobody else's change is lost.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::find;
use super::hold::{self, Held};
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::proc;
use crate::store::query::{
    Pane, book_line, both, equal, extra, read_row, registered, row_format_with,
};
use crate::store::record::{self, Record, Values};
use crate::store::{Key, schema, write};
use crate::tmux::command::{Of, show_global_options};
use crate::tmux::{Batch, Command, Frame, Server, command, is_empty_server};

/// What kind of change. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A shell's state, from the process table.
    State,
    /// An end that nobody had recorded.
    Ended,
    /// A pane in which another process runs is that sesh's no more.
    Released,
    /// A book that did not say what its pane says.
    Book,
    /// A held pane whose time was over.
    Closed,
    /// The last lines of a sesh that is forgotten.
    Tail,
}

/// One change, made or to be made.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub change: Kind,
    pub uuid: SeshId,
    /// `None` of one that is forgotten.
    pub name: Option<String>,
    pub pane: Option<PaneId>,
    /// What changes and why, as the end of a sentence.
    pub what: String,
}

/// A change with what makes it.
#[derive(Clone, Debug)]
struct Mend {
    change: Change,
    /// What must still hold in the server.
    condition: String,
    commands: Vec<Command>,
}

/// Whether a pane's process is `sesh-run` as `sesh-new` starts it, by what tmux was told to start: after a
/// `respawn-pane` it needs a moment to say that the pane is its own.
const IS_RUNNER: &str = "#{m:*sesh-run*--launch*,#{pane_start_command}}";

/// What would be changed.
///
/// # Errors
/// As [`Server::run`], and [`Exit::Unusable`] when a name of the panes' is set elsewhere.
pub fn look(server: &Server) -> Result<Vec<Change>> {
    let mends = read(server, &Batch::new(), &command::show_hidden())?;
    Ok(mends.into_iter().map(|mend| mend.change).collect())
}

/// Mends all that differs, and gives what it changed: not what others changed meanwhile.
///
/// Whoever wants a reconciliation while this one is under way leaves word in [`schema::REAP_AGAIN`], and it goes
/// round once more.
///
/// # Errors
/// As [`look`].
pub fn reap(server: &Server) -> Result<Vec<Change>> {
    let begin = Batch::from(command::set_hidden_expanded(schema::REAP, write::NOW))
        .then(command::unset_hidden(schema::REAP_AGAIN));
    let mut changes = Vec::new();
    loop {
        let mends = read(server, &begin, &sweep()).inspect_err(|error| {
            if error.exit == Exit::Unusable {
                let _ = server.run(&Batch::from(command::unset_hidden(schema::REAP)));
            }
        })?;
        let (made, again) = mend(server, mends)?;
        changes.extend(made);
        if !again {
            return Ok(changes);
        }
    }
}

/// The last list: the changes, the sums, and the word that this is over, or begins again.
fn mend(server: &Server, mends: Vec<Mend>) -> Result<(Vec<Change>, bool)> {
    let mut batch = Batch::new();
    for (at, mend) in mends.iter().enumerate() {
        let pane = mend.change.pane.map(|pane| pane.to_string());
        let mut commands = Batch::new();
        commands.extend(mend.commands.iter().cloned());
        batch.extend([command::if_format(
            pane.as_deref(),
            &mend.condition,
            &commands.then(command::print(None, &at.to_string())),
            &Batch::new(),
        )]);
    }
    let wanted = format!("#{{==:#{{{}}},1}}", schema::REAP_AGAIN);
    batch.extend([
        write::sums(),
        command::if_format(
            None,
            &wanted,
            &Batch::from(command::print(None, "again")),
            &Batch::from(command::unset_hidden(schema::REAP)),
        ),
    ]);
    let closes = mends.iter().any(|mend| mend.change.change == Kind::Closed);
    let answer = match server.run(&batch) {
        // With its last pane the server went.
        Err(error) if error.exit == Exit::NoServer && closes => {
            return Ok((mends.into_iter().map(|mend| mend.change).collect(), false));
        }
        outcome => outcome?,
    };
    let made: Vec<usize> = answer.lines().filter_map(|at| at.parse().ok()).collect();
    let changes = mends
        .into_iter()
        .enumerate()
        .filter(|(at, _)| made.contains(at))
        .map(|(_, mend)| mend.change)
        .collect();
    Ok((changes, answer.lines().any(|line| line == "again")))
}

/// What is stored, at one moment.
struct Seen {
    /// The server's clock.
    now: u64,
    hold: Option<std::time::Duration>,
    keep: usize,
    panes: Vec<SeshPane>,
    books: HashMap<SeshId, Book>,
    /// Of which seshes there are last lines.
    tails: Vec<SeshId>,
}

/// A pane that is a sesh.
struct SeshPane {
    record: Record,
    pane: PaneId,
    /// Its first process.
    pid: i32,
    /// tmux keeps it, and its process has ended.
    dead: bool,
    /// See [`IS_RUNNER`].
    is_runner: bool,
}

struct Book {
    text: String,
    /// `None` for one that cannot be read, or that a newer program wrote.
    values: Option<Values>,
}

/// Prints the hidden variables, if that was not done within the hour: those of a thousand ended seshes are megabytes,
/// and what is forgotten takes its own along. What is left was left by something that was killed.
fn sweep() -> Command {
    const OFTEN: u64 = 3600;
    let due = format!(
        "#{{e|<:#{{{}}},#{{e|-:{},{OFTEN}}}}}",
        schema::SWEPT,
        write::NOW
    );
    command::if_format(
        None,
        &due,
        &Batch::from(command::set_hidden_expanded(schema::SWEPT, write::NOW))
            .then(command::show_hidden()),
        &Batch::new(),
    )
}

/// Reads everything, after `begin`, and finds what differs. `hidden` prints the hidden variables.
fn read(server: &Server, begin: &Batch, hidden: &Command) -> Result<Vec<Mend>> {
    let frame = Frame::new();
    let with = |panes: Option<Command>| {
        let mut batch = begin.clone().then(command::print(
            None,
            &frame.format([write::NOW, &schema::HOLD.format(), &schema::KEEP.format()]),
        ));
        batch.extend(panes);
        batch
            .then(command::show_server_options())
            .then(show_global_options(Of::Sessions))
            .then(show_global_options(Of::Windows))
            .then(hidden.clone())
    };
    let panes = command::list_panes(
        &row_format_with(&frame, &["#{pane_dead}", IS_RUNNER]),
        Some(&registered()),
    );
    let output = match server.run(&with(Some(panes))) {
        Err(error) if is_empty_server(&error) => server.run(&with(None))?,
        outcome => outcome?,
    };
    let (rows, rest) = frame.read(&output);
    let mut rows = rows.into_iter();
    let settings = rows.next();
    let Some(&[now, hold, keep]) = settings.as_deref() else {
        return Err(Error::failed("tmux did not say what time it is"));
    };
    let mut seen = Seen {
        now: now.parse().unwrap_or(0),
        hold: hold::limit(hold),
        keep: hold::keep(keep),
        panes: Vec::new(),
        books: HashMap::new(),
        tails: Vec::new(),
    };
    let mut once = HashSet::new();
    for row in rows {
        let more = extra(&row);
        if let Some(Pane {
            place,
            record: Some(record),
        }) = read_row(&row)?
            && once.insert(place.pane)
        {
            seen.panes.push(SeshPane {
                record,
                pane: place.pane,
                pid: place.pid,
                dead: more.first() == Some(&"1"),
                is_runner: more.get(1) == Some(&"1"),
            });
        }
    }
    for line in rest.lines() {
        let name = line.split(' ').next().unwrap_or("");
        if schema::is_state(name) {
            return Err(Error::unusable(format!(
                "{name} is set for more than one pane, so nobody knows which are seshes: sesh-doctor says how to \
                 take that back"
            )));
        }
        if let Some((id, text)) = book_line(line) {
            // A text of ours holds nothing that acts in a format: this one is put into a condition.
            let readable = record::book_version(text) <= Some(schema::VERSION)
                && !text.contains(['#', '{', '}', '\\']);
            let values = readable.then(|| Values::from_book(text)).flatten();
            let text = text.to_string();
            seen.books.insert(id, Book { text, values });
        } else if let Some(id) = line.split('=').next().and_then(schema::tail_of) {
            seen.tails.push(id);
        }
    }
    Ok(seen.differences())
}

impl Seen {
    fn differences(&self) -> Vec<Mend> {
        let known = |pane: &&SeshPane| {
            self.books
                .get(&pane.record.uuid)
                .is_none_or(|book| book.values.is_some())
        };
        let panes: Vec<&SeshPane> = self.panes.iter().filter(known).collect();
        let mut mends: Vec<Mend> = panes
            .iter()
            .filter_map(|pane| {
                let book = self.books.get(&pane.record.uuid);
                pane.difference()
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

impl SeshPane {
    fn difference(&self) -> Option<Mend> {
        let stored = self.record.values.get(Key::State);
        let ended = self.record.exit.is_some();
        if self.dead {
            return (!ended).then(|| self.died());
        }
        if self.is_anothers() {
            return Some(self.release());
        }
        let state = find::level(&self.record)?.as_str();
        (state != stored).then(|| {
            let mut commands = write::state(&self.pane.to_string(), state, "process");
            commands.push(self.book());
            self.mend(
                Kind::State,
                &format!("is {state}"),
                self.unchanged(&equal(Key::Exit, "")),
                commands,
            )
        })
    }

    /// Whether another process than the one it is bound to runs in the pane. Only what tmux says counts: this
    /// program may see other processes than the server does.
    fn is_anothers(&self) -> bool {
        let bound = self.record.bound().map(|(pid, _)| pid);
        !self.dead && !self.is_runner && bound.is_some_and(|pid| pid != self.pid)
    }

    /// tmux keeps the pane. Of an adopted one it knows how its process ended; of the others that was `sesh-run`.
    fn died(&self) -> Mend {
        let or_dash = |name: &str| format!("#{{?#{{!=:#{{{name}}},}},#{{{name}}},-}}");
        let exit = if self.record.was_made() {
            record::Exit::value(None, None)
        } else {
            format!(
                "{} {}",
                or_dash("pane_dead_status"),
                or_dash("pane_dead_signal")
            )
        };
        let pane = self.pane.to_string();
        let mut commands = write::end(&pane, &exit);
        commands.push(self.book());
        let condition = both(&equal(Key::Exit, ""), "#{==:#{pane_dead},1}");
        self.mend(
            Kind::Ended,
            "has ended, and nobody had written it down",
            self.unchanged(&condition),
            commands,
        )
    }

    /// Somebody started something else there: the sesh goes into its book, and the pane is no sesh.
    fn release(&self) -> Mend {
        let pane = self.pane.to_string();
        let mut commands = Vec::new();
        let open = self.record.exit.is_none() && !runner_lives(&self.record);
        if open {
            commands.extend(write::end(&pane, &record::Exit::value(None, None)));
        }
        commands.push(self.book());
        commands.extend(write::unmark(&pane));
        let there = both(
            &format!("#{{==:#{{pane_pid}},{}}}", self.pid),
            "#{==:#{pane_dead},0}",
        );
        let (kind, what) = if open {
            (
                Kind::Ended,
                "has ended, for a cause that nobody knows: another process runs in its pane",
            )
        } else {
            (
                Kind::Released,
                "has no pane any more: another process runs there",
            )
        };
        self.mend(kind, what, self.unchanged(&there), commands)
    }

    /// What a person looked at last is on the pane alone: nobody writes the book for that.
    fn other_book(&self, book: Option<&Values>) -> Option<Mend> {
        let own = &self.record.values;
        let same = book.is_some_and(|book| {
            schema::PANE
                .iter()
                .filter(|entry| entry.key != Key::Seen)
                .all(|entry| book.get(entry.key) == own.get(entry.key))
        });
        (!same).then(|| {
            let differs = format!("#{{==:{},0}}", write::book_is_in_step(self.record.uuid));
            self.mend(
                Kind::Book,
                "had a book that did not say what its pane says",
                self.unchanged(&differs),
                vec![self.book()],
            )
        })
    }

    fn book(&self) -> Command {
        write::book(&self.pane.to_string(), self.record.uuid)
    }

    /// The condition that the pane still is this sesh's and nobody has written another state, and one more.
    fn unchanged(&self, more: &str) -> String {
        let id = equal(Key::Id, &self.record.uuid.to_string());
        // As it is stored, if that is a number: anything else has no place in a condition.
        let stored = self.record.values.get(Key::Gen);
        let generation = if stored.bytes().all(|byte| byte.is_ascii_digit()) {
            equal(Key::Gen, stored)
        } else {
            "1".into()
        };
        both(&both(&id, &generation), more)
    }

    fn mend(&self, kind: Kind, what: &str, condition: String, commands: Vec<Command>) -> Mend {
        Mend {
            change: Change {
                change: kind,
                uuid: self.record.uuid,
                name: Some(self.record.name.clone()),
                pane: Some(self.pane),
                what: what.into(),
            },
            condition,
            commands,
        }
    }
}

/// The end of a sesh whose pane went without one. What ignored the end of its terminal lives on, and its
/// `sesh-run` will say how it ended.
fn vanished(id: SeshId, book: &Book) -> Option<Mend> {
    let record = Record::ended(book.values.clone()?)?;
    if record.exit.is_some() || runner_lives(&record) {
        return None;
    }
    Some(Mend {
        change: Change {
            change: Kind::Ended,
            uuid: id,
            name: Some(record.name),
            pane: None,
            what: "has ended, for a cause that nobody knows: its pane is gone".into(),
        },
        condition: format!("#{{==:#{{{}}},{}}}", schema::book(id), book.text),
        commands: vec![write::end_in_book(id, &record::Exit::value(None, None))],
    })
}

fn forgotten(id: SeshId) -> Mend {
    let tail = schema::tail(id);
    Mend {
        change: Change {
            change: Kind::Tail,
            uuid: id,
            name: None,
            pane: None,
            what: "is forgotten, and its last lines were left".into(),
        },
        condition: both(
            &format!("#{{!=:#{{{tail}}},}}"),
            &format!("#{{==:#{{{}}},}}", schema::book(id)),
        ),
        commands: vec![command::unset_hidden(&tail)],
    }
}

/// Whether the `sesh-run` of a sesh lives, in its pane or without.
fn runner_lives(record: &Record) -> bool {
    let lives = |(pid, start): (i32, Option<u64>)| {
        proc::read(pid).is_some_and(|process| {
            !process.zombie && start.is_none_or(|start| start == process.start)
        })
    };
    record.was_made() && record.bound().is_some_and(lives)
}
