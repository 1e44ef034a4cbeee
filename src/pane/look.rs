//! One question for what a pane shows, or for the lines that are left of an ended sesh.

use crate::error::{Error, Exit, Result};
use crate::id::PaneId;
use crate::pane::mark::Life;
use crate::store::condition::no_pane_has;
use crate::store::query::{self, extra, read_row, row_format_with};
use crate::store::schema;
use crate::store::{Record, Select, Snapshot, Target, value};
use crate::tmux::{Batch, Command, Frame, Server, command, is_empty_server, is_no_pane};

/// The formats behind a pane's row here.
const FACTS: [&str; 11] = [
    "#{pane_width}",
    "#{pane_height}",
    "#{cursor_x}",
    "#{cursor_y}",
    "#{cursor_flag}",
    "#{alternate_on}",
    "#{pane_mode}",
    "#{history_size}",
    "#{history_limit}",
    PID,
    START,
];
const PID: &str = "#{pid}";
const START: &str = "#{start_time}";

/// A fact of a pane, by its place in [`FACTS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    Width,
    Height,
    CursorX,
    CursorY,
    CursorFlag,
    Alternate,
    Mode,
    History,
    Limit,
    Pid,
    Start,
}

/// A pane as it was read.
pub(super) struct Seen<'a> {
    pub(super) pane: PaneId,
    facts: Vec<&'a str>,
    /// What was printed, each with the fields of the mark before it but for the first, the pane's number.
    pub(super) texts: Vec<(Vec<&'a str>, &'a str)>,
}

impl Seen<'_> {
    pub(super) fn fact(&self, fact: Fact) -> &str {
        self.facts.get(fact as usize).copied().unwrap_or("")
    }

    pub(super) fn number(&self, fact: Fact) -> u32 {
        self.fact(fact).parse().unwrap_or(0)
    }

    pub(super) fn life(&self) -> Life {
        life(self.fact(Fact::Pid), self.fact(Fact::Start))
    }
}

fn life(pid: &str, start: &str) -> Life {
    Life {
        pid: pid.parse().unwrap_or(0),
        start: start.parse().unwrap_or(0),
    }
}

/// What the journal has of a target that tmux does not know: whose last lines, and them.
fn past(server: &Server, target: &Target, error: Error) -> Result<(Record, String)> {
    if matches!(target, Target::Pane(_)) || !matches!(error.exit, Exit::Nothing | Exit::NoServer) {
        return Err(error);
    }
    let snapshot = Snapshot::read(server, &Select::targets(std::slice::from_ref(target)));
    let record = snapshot.and_then(|snapshot| snapshot.find(target).cloned());
    let Some(record) = record.ok().filter(|record| record.kept.is_some()) else {
        return Err(error);
    };
    let tail = record.kept.as_ref().and_then(|kept| kept.tail.as_deref());
    match tail.map(value::decode) {
        Some(text) => Ok((record, text)),
        None => Err(no_lines(&record)),
    }
}

fn no_lines(record: &Record) -> Error {
    Error::unusable(format!(
        "{} ended without a pane to read: its last lines were not saved",
        record.name
    ))
}

/// What a target is.
pub(super) enum Found<'a> {
    Pane(Seen<'a>, Option<Record>),
    /// A sesh without a pane, and its saved last lines.
    Saved(Life, Record, String),
}

/// A variable in `commands` of [`ask`] as it is when they run: they are written some turns of the server before.
pub(super) fn then(variable: &str) -> String {
    format!("##{{{variable}#}}")
}

/// The same as [`ask`] and [`read`], and what the journal has where tmux knows nothing of the target.
pub(super) fn found<T>(
    server: &Server,
    frame: &Frame,
    target: &Target,
    commands: &dyn Fn(&str, &str) -> String,
    act: impl FnOnce(Found<'_>) -> Result<T>,
) -> Result<T> {
    let error = match ask(server, frame, target, commands) {
        Ok(output) => match read(frame, &output, target) {
            Ok(found) => return act(found),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let (record, text) = past(server, target, error)?;
    act(Found::Saved(life("", ""), record, text))
}

/// Asks: the rows of the panes that are meant, and what `commands`, a command string, print for each. They are given
/// the pane and its number, as formats or to the letter, and begin with a mark: a framed record whose first field is
/// that number. In their words only ids and our own words may be, no text from a pane.
pub(super) fn ask(
    server: &Server,
    frame: &Frame,
    target: &Target,
    commands: &dyn Fn(&str, &str) -> String,
) -> Result<String> {
    let batch = batch(frame, target, commands);
    let again = |outcome: Result<String>| match (target, outcome) {
        // Its pane went between the question and the answer: what is left of it is to be read.
        (Target::Id(_) | Target::Word(_), Err(error)) if is_no_pane(&error) => server.run(&batch),
        (_, outcome) => outcome,
    };
    match again(server.run(&batch)) {
        // Without a session there is no pane, and only the ended ones are left to read.
        Err(error) if is_empty_server(&error) => server.run(
            &Batch::from(own_life(frame))
                .then(command::show_server_options())
                .then(command::show_hidden()),
        ),
        outcome => outcome,
    }
}

fn own_life(frame: &Frame) -> Command {
    command::print(None, &frame.format(["server", PID, START]))
}

fn batch(frame: &Frame, target: &Target, commands: &dyn Fn(&str, &str) -> String) -> Batch {
    let row = row_format_with(frame, &FACTS);
    // Only the server can tell which pane a name means and how it stands, and one question is all there is: it
    // writes the commands itself.
    if let Target::Pane(pane) = target {
        let pane = pane.to_string();
        let here = format!(
            "#{{?#{{==:#{{pane_id}},{pane}}},{},}}",
            commands(&pane, pane.trim_start_matches('%'))
        );
        return Batch::from(command::print(Some(&pane), &row))
            .then(command::ask_expanded(Some(&pane), &here));
    }
    let tails = match target {
        Target::Id(id) => command::print(
            None,
            &format!("{tail}=#{{{tail}}}", tail = schema::tail(*id)),
        ),
        _ => command::show_hidden(),
    };
    let mut ended = Batch::from(own_life(frame));
    ended.extend(query::books(frame));
    ended.extend([tails]);
    Batch::from(command::list_panes(&row, Some(&target.filter())))
        .then(command::ask_expanded(
            None,
            &format!(
                "#{{S:#{{W:#{{P:#{{?{},{} ; ,}}}}}}}}",
                target.filter(),
                commands("#{pane_id}", "#{s/%//:pane_id}")
            ),
        ))
        .then(command::if_format(
            None,
            &no_pane_has(&target.filter()),
            &ended,
            &Batch::new(),
        ))
}

/// Reads the answer.
pub(super) fn read<'a>(frame: &Frame, output: &'a str, target: &Target) -> Result<Found<'a>> {
    let mut snapshot = Snapshot::default();
    let mut seen: Vec<Seen<'a>> = Vec::new();
    for (row, text) in frame.sections(output) {
        if let Some(pane) = read_row(&row)? {
            if seen.iter().all(|seen| seen.pane != pane.place.pane) {
                seen.push(Seen {
                    pane: pane.place.pane,
                    facts: extra(&row).to_vec(),
                    texts: Vec::new(),
                });
                snapshot.panes.push(pane);
            }
        } else if let Some((number, mark)) = row.split_first()
            && let Some(seen) = seen
                .iter_mut()
                .find(|seen| seen.pane.0.to_string() == *number)
        {
            seen.texts.push((mark.to_vec(), text));
        }
    }
    let (pane, record) = match (target, snapshot.panes.first()) {
        (Target::Pane(pane), None) => {
            return Err(Error::nothing(format!("there is no pane {pane}")));
        }
        (Target::Pane(pane), Some(found)) => (*pane, found.record.clone()),
        (_, None) => return saved(frame, output, target),
        _ => {
            let record = snapshot.find(target)?;
            let pane = record.tmux.as_ref().map(|place| place.pane);
            let Some(pane) = pane else {
                return Err(Error::nothing(format!("{target} has no pane")));
            };
            (pane, Some(record.clone()))
        }
    };
    seen.into_iter()
        .find(|seen| seen.pane == pane)
        .map(|seen| Found::Pane(seen, record))
        .ok_or_else(|| Error::nothing(format!("there is no pane {pane}")))
}

/// The saved last lines of a sesh that has no pane any more.
fn saved<'a>(frame: &Frame, output: &'a str, target: &Target) -> Result<Found<'a>> {
    let snapshot = Snapshot::parse(frame, output)?;
    let record = snapshot.find(target)?;
    let name = schema::tail(record.uuid);
    let text = output
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(variable, _)| *variable == name)
        .map(|(_, tail)| value::decode(tail))
        .filter(|text| !text.is_empty())
        .ok_or_else(|| no_lines(record))?;
    let life = frame
        .sections(output)
        .find_map(|(row, _)| match row[..] {
            ["server", pid, start] => Some(life(pid, start)),
            _ => None,
        })
        .unwrap_or_else(|| life("", ""));
    Ok(Found::Saved(life, record.clone(), text))
}
