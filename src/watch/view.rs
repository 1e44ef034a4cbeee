//! The store at one moment: the questions that read it, of all seshes or of a few.

use super::Set;
use super::events::Seshes;
use crate::error::{Error, Result};
use crate::id::{PaneId, ServerId, SeshId};
use crate::store::condition::{equal, registered};
use crate::store::query::{Snapshot, books, life, print_record, read_row, row_format};
use crate::store::{Key, Record, Target, Values, hint, schema, write};
use crate::tmux::{Batch, Changes, Channel, Command, Frame, Server, command};

/// The store at one moment.
pub(super) struct StoreView {
    /// The plugin's tick looks at agents.
    pub(super) ticks: bool,
    /// The server's clock, in epoch seconds.
    pub(super) now: u64,
    /// The changes up to that moment.
    pub(super) changes: Changes,
    pub(super) seshes: Seshes,
}

impl StoreView {
    /// Reads the store.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub(super) fn read(server: &Server, set: &Set) -> Result<Self> {
        let question = StoreQuestion::of_all(set);
        let answer = server.run(&question.batch)?;
        let view = question.view(server, set, &answer)?;
        view.ok_or_else(|| Error::failed("tmux did not identify its server"))
    }

    pub(super) fn server(&self) -> ServerId {
        self.changes.server()
    }
}

/// What a wait listens to, and what is asked after a signal.
pub(super) struct Hints {
    pub(super) channels: Vec<Channel>,
    pub(super) question: StoreQuestion,
}

/// The seshes of a set, and where they were seen.
type Few = Vec<Seat>;

/// Where a sesh was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seat {
    id: SeshId,
    pane: Option<PaneId>,
    has_exited: bool,
}

impl Hints {
    /// Returns what a wait listens to. A wait on a few seshes does not concern itself with others.
    pub(super) fn of(set: &Set, seshes: &Seshes) -> Self {
        let Some(few) = few(set, seshes) else {
            let question = StoreQuestion::of_all(set);
            let channels = vec![question.after(hint::ALL.into())];
            return Self { channels, question };
        };
        let question = StoreQuestion::of_few(few.clone());
        let names = few
            .iter()
            .flat_map(|one| hint::channels(one.id, one.pane, one.has_exited));
        let channels = names.map(|name| question.after(name)).collect();
        Self { channels, question }
    }

    /// Returns whether they are still those of a set.
    pub(super) fn are_of(&self, set: &Set, seshes: &Seshes) -> bool {
        self.question.few == few(set, seshes)
    }
}

/// Returns the seshes of a set that names only a few.
fn few(set: &Set, seshes: &Seshes) -> Option<Few> {
    /// A client waits on one channel, and a sesh has up to two.
    const MOST: usize = 4;
    let of = |id: &SeshId| {
        let record = seshes.members.iter().find(|record| record.uuid == *id);
        Seat {
            id: *id,
            pane: record.and_then(pane),
            has_exited: record.is_some_and(|record| record.exit.is_some()),
        }
    };
    let mut ids = set.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    let are_few = set.tags.is_empty() && ids.len() <= MOST;
    are_few.then(|| ids.iter().map(of).collect())
}

fn pane(record: &Record) -> Option<PaneId> {
    record.tmux.as_ref().map(|place| place.pane)
}

/// A question for the store.
#[derive(Debug)]
pub(super) struct StoreQuestion {
    frame: Frame,
    batch: Batch,
    /// The seshes that are asked for, and where they were. `None` is all.
    few: Option<Few>,
}

impl StoreQuestion {
    fn of_all(set: &Set) -> Self {
        let frame = Frame::new();
        let mut filter = registered();
        if let ([id], []) = (&set.ids[..], &set.tags[..]) {
            filter = equal(Key::Id, &id.to_string());
        }
        let batch = Batch::from(head(&frame))
            .then(command::list_panes(&row_format(&frame), Some(&filter)))
            .then(life(&frame))
            .and(books(&frame));
        Self {
            frame,
            batch,
            few: None,
        }
    }

    /// Returns the question for a few seshes. It costs the server the less the more panes there are: a pane that is
    /// named is not looked for. Its answer is enough as long as they are where they were.
    fn of_few(few: Few) -> Self {
        let frame = Frame::new();
        let mut batch = Batch::from(head(&frame));
        for Seat { id, pane, .. } in &few {
            batch.extend(match pane {
                Some(pane) => vec![command::print(Some(&pane.to_string()), &row_format(&frame))],
                None => vec![
                    command::print(None, &frame.format(["record"])),
                    print_record(*id),
                ],
            });
        }
        Self {
            frame,
            batch,
            few: Some(few),
        }
    }

    /// Returns a channel after whose signal it is asked.
    fn after(&self, channel: String) -> Channel {
        Channel {
            name: channel,
            question: self.batch.clone(),
        }
    }

    /// Returns what the answer tells. `None` where all have to be asked for.
    ///
    /// # Errors
    /// As [`Snapshot::parse`].
    pub(super) fn view(
        &self,
        server: &Server,
        set: &Set,
        answer: &str,
    ) -> Result<Option<StoreView>> {
        // If the plugin's tick is slower, in seconds, the wait looks at agents itself.
        const SLOWEST_TICK: f64 = 5.0;
        let head = self.frame.sections(answer).next().map(|(row, _)| row);
        let Some(&[changes, every, now]) = head.as_deref() else {
            return Ok(None);
        };
        let records = match &self.few {
            Some(few) => match self.records_of_few(server, few, answer)? {
                Some(records) => records,
                None => return Ok(None),
            },
            None => {
                let mut snapshot = Snapshot::parse(&self.frame, answer)?;
                // Seshes of a server that has died have exited. Only those that the set names are read from the journal.
                let named: Vec<Target> = set.ids.iter().copied().map(Target::Id).collect();
                snapshot.add_past_of(server, &named);
                snapshot.add_left(server, &set.tags);
                snapshot.records().cloned().collect()
            }
        };
        Ok(Some(StoreView {
            ticks: every
                .parse::<f64>()
                .is_ok_and(|every| every <= SLOWEST_TICK),
            now: now.parse().unwrap_or(0),
            changes: Changes::read(changes),
            seshes: Seshes::new(records, set),
        }))
    }

    /// Returns the records of a few seshes. `None` if one of them is in another pane, or has none any more, or has one
    /// again, or is not in tmux.
    fn records_of_few(
        &self,
        server: &Server,
        few: &[Seat],
        answer: &str,
    ) -> Result<Option<Vec<Record>>> {
        let mut sections = self.frame.sections(answer).skip(1);
        let mut records = Vec::with_capacity(few.len());
        for Seat { id, pane, .. } in few {
            let (row, text) = sections.next().unwrap_or_default();
            let record = if pane.is_some() {
                let mut pane = read_row(&row)?;
                if let Some(pane) = &mut pane {
                    pane.find_where_seen(server)?;
                }
                pane.and_then(|pane| pane.record)
            } else {
                Values::from_book(text.trim_end_matches('\n'))
                    .and_then(Record::ended)
                    .filter(|record| record.exit.is_some())
            };
            match record.filter(|record| record.uuid == *id) {
                Some(record) => records.push(record),
                None => return Ok(None),
            }
        }
        Ok(Some(records))
    }
}

fn head(frame: &Frame) -> Command {
    // SESH_tick is unset where the plugin was removed.
    let every = "#{?SESH_tick,#{SESH_every},}";
    let changes = Changes::format(schema::CHANGES);
    command::print(None, &frame.format([&changes, every, write::NOW]))
}
