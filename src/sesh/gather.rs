//! Collects the results of a set of seshes: the state or exit of each, its duration, and all of its output.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId, Tag};
use crate::inventory::find;
use crate::pane::output::{self, Output};
use crate::state::State;
use crate::store::condition::{any, both, registered, tagged};
use crate::store::query::{books, extra, life, read_row, row_format_with};
use crate::store::record::ExitStatus;
use crate::store::{Record, Snapshot, Target, tail, value, write};
use crate::tmux::{Batch, Frame, Server, command, show};

/// The result of one sesh.
#[derive(Clone, Debug, Serialize)]
pub struct Gathered {
    pub uuid: SeshId,
    pub name: String,
    pub tags: Vec<String>,
    pub state: State,
    pub exit: Option<ExitStatus>,
    /// Seconds from its birth to its end, or until now.
    pub duration: Option<u64>,
    pub pane: Option<PaneId>,
    /// A full-screen program shows its screen, and the lines are that screen alone.
    pub alternate: bool,
    /// Lines before these may be missing: the history was full, or the pane is gone and these are its kept last lines.
    pub truncated: bool,
    /// What it printed. `None` where nothing was kept.
    pub lines: Option<Vec<String>>,
    #[serde(skip)]
    pub record: Record,
}

impl Gathered {
    /// Removes all but the last lines, which then are [`truncated`](Self::truncated).
    pub fn keep_last(&mut self, count: usize) {
        if let Some(lines) = &mut self.lines {
            let surplus = lines.len().saturating_sub(count);
            self.truncated |= surplus > 0;
            lines.drain(..surplus);
        }
    }

    /// Whether its command failed: with an exit code other than 0, by a signal, or for an unknown cause.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.state == State::Exited && self.exit.and_then(|exit| exit.code) != Some(0)
    }
}

/// Reads the results of a set: the targets, and every sesh that has all the tags, the oldest first. This takes one
/// question for the records, one for the output of the panes, and a third one if there are agents among them.
///
/// # Errors
/// A target does not exist; [`Exit::Nothing`](crate::error::Exit::Nothing) when the set is empty.
pub fn gather(server: &Server, tags: &[Tag], targets: &[Target]) -> Result<Vec<Gathered>> {
    let frame = Frame::new();
    let mut wanted: Vec<String> = targets.iter().map(Target::filter).collect();
    wanted.extend(
        tags.iter()
            .map(tagged)
            .reduce(|one, other| both(&one, &other)),
    );
    let condition = both(&registered(), &any(&wanted));
    let (answer, outputs) = ask(server, &frame, &condition)?;
    let mut snapshot = Snapshot::parse(&frame, &answer)?;
    snapshot.add_past_of(server, targets);
    snapshot.add_left(server, tags);
    find::look_at(server, &mut snapshot.panes)?;
    let readings = Readings::read(&frame, &answer, &outputs);
    let mut found = targets
        .iter()
        .map(|target| snapshot.find(target))
        .collect::<Result<Vec<&Record>>>()?;
    if !tags.is_empty() {
        found.extend(snapshot.records().filter(|record| record.has_tags(tags)));
    }
    let mut known = HashSet::new();
    found.retain(|record| known.insert(record.uuid));
    let age = |record: &Record| (record.created_at, pane_of(record), record.name.clone());
    found.sort_by_cached_key(|record| age(record));
    if found.is_empty() {
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        return Err(Error::nothing(format!(
            "no sesh has the tag {}: sesh-list --all --tags shows the tags in use",
            tags.join(" and ")
        )));
    }
    Ok(found
        .into_iter()
        .map(|record| readings.of(record))
        .collect())
}

/// Returns what tmux knows of the seshes that match a condition, and the output of their panes.
fn ask(server: &Server, frame: &Frame, condition: &str) -> Result<(String, String)> {
    let now = command::print(None, &frame.format(["server", "now", write::NOW]));
    let mut batch = Batch::from(now).then(command::list_panes(
        &row_format_with(frame, &["#{alternate_on}"]),
        Some(condition),
    ));
    batch.extend([life(frame)]);
    batch.extend(books(frame));
    let batch = batch.then(show::hidden_variables());
    loop {
        let answer = server.run(&batch)?;
        let mut panes = HashMap::new();
        for row in frame.read(&answer).0 {
            if let (Some(pane), [alternate]) = (read_row(&row)?, extra(&row)) {
                panes.insert(pane.place.pane, *alternate == "1");
            }
        }
        let question =
            |(pane, alternate): (&PaneId, &bool)| output::question(frame, *pane, *alternate);
        let outputs = server.ask_each(&panes.iter().map(question).collect::<Vec<Batch>>())?;
        // A pane that closed between the two questions has left its last lines, which were not there yet. Each time
        // there is one pane less.
        if frame.sections(&outputs).count() == panes.len() {
            return Ok((answer, outputs));
        }
    }
}

fn pane_of(record: &Record) -> Option<PaneId> {
    record.tmux.as_ref().map(|place| place.pane)
}

/// What was read in addition to the records.
#[derive(Default)]
struct Readings<'a> {
    now: Option<u64>,
    outputs: HashMap<PaneId, Output<'a>>,
    /// The last lines that the server keeps, encoded.
    tails: HashMap<SeshId, &'a str>,
}

impl<'a> Readings<'a> {
    fn read(frame: &Frame, answer: &'a str, outputs: &'a str) -> Self {
        let mut readings = Self::default();
        for (row, _) in frame.sections(answer) {
            if let ["server", "now", now] = row[..] {
                readings.now = now.parse().ok();
            }
        }
        readings.outputs = frame
            .sections(outputs)
            .filter_map(|(row, text)| Output::read(&row, text))
            .collect();
        let (_, rest) = frame.read(answer);
        readings.tails = tail::read(rest);
        readings
    }

    fn of(&self, record: &Record) -> Gathered {
        let output = pane_of(record).and_then(|pane| self.outputs.get(&pane));
        let ended = record.state == State::Exited;
        let (alternate, truncated, lines) = match output {
            Some(output) => (
                output.alternate,
                output.truncated,
                Some(output.lines(ended)),
            ),
            None => {
                let tail = self.tails.get(&record.uuid);
                let kept = record.kept.as_ref().and_then(|kept| kept.tail.as_deref());
                let text = tail.copied().or(kept).map(value::decode);
                (false, true, text.map(|text| output::lines(&text, true)))
            }
        };
        let end = record.exit.and_then(|exit| exit.at);
        let end = if ended { end } else { self.now };
        Gathered {
            uuid: record.uuid,
            name: record.name.clone(),
            tags: record.tags.clone(),
            state: record.state,
            exit: record.exit,
            duration: end
                .zip(record.created_at)
                .map(|(end, start)| end.saturating_sub(start)),
            pane: pane_of(record),
            alternate,
            truncated,
            lines,
            record: record.clone(),
        }
    }
}
