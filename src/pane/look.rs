//! What a pane shows, or the lines that are left of an ended sesh: one question for which pane is meant and how it is,
//! and one for its text. Only a string that the server parses could make one of both, which tmux never frees.

use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ServerId};
use crate::store::condition::{both, no_pane_has};
use crate::store::query::{self, extra, read_row, row_format_with};
use crate::store::{Record, Select, Snapshot, Target, tail, value};
use crate::tmux::row::formats;
use crate::tmux::{Batch, Command, Frame, Server, command};

const PID: &str = "#{pid}";
const START: &str = "#{start_time}";

formats! {
    /// The facts of a pane, behind its row.
    pub(super) struct PaneGeometry {
        width = "#{pane_width}",
        height = "#{pane_height}",
        /// The cursor's column, from 0.
        cursor_column = "#{cursor_x}",
        /// The cursor's row, from 0.
        cursor_row = "#{cursor_y}",
        /// `1` where the cursor is visible.
        cursor_visible = "#{cursor_flag}",
        /// `1` where a full-screen program shows its alternate screen.
        alternate = "#{alternate_on}",
        /// The mode that the pane is in, or the empty string.
        mode = "#{pane_mode}",
        /// Lines of history that the pane has.
        history = "#{history_size}",
        /// Lines of history that the pane can have.
        history_limit = "#{history_limit}",
        /// The server's process.
        server_pid = PID,
        /// When the server started, in epoch seconds.
        server_start = START,
    }
}

/// A number that tmux printed, 0 where it is none.
pub(super) fn number(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

/// A pane as it was read.
pub(super) struct PaneReading<'a> {
    pub(super) pane: PaneId,
    pub(super) facts: PaneGeometry<'a>,
    /// What was printed, each with the fields of the mark before it but for the first, the pane's number.
    pub(super) texts: Vec<(Vec<&'a str>, &'a str)>,
}

impl PaneReading<'_> {
    pub(super) fn is_alternate(&self) -> bool {
        self.facts.alternate == "1"
    }

    pub(super) fn server(&self) -> ServerId {
        ServerId::read(self.facts.server_pid, self.facts.server_start).unwrap_or(ServerId::NONE)
    }
}

/// What is asked of a pane that was found: commands that only ask and begin with a mark, a framed record whose first
/// field is the pane's number. They are chosen by the pane's facts, which may be others by then: the mark tells.
pub(super) type Question<'q> = &'q dyn Fn(&PaneReading<'_>) -> Batch;

/// What is asked of a pane by its id together with its facts, where they are as `condition` foresees.
pub(super) struct Foreseen {
    pub(super) condition: &'static str,
    pub(super) question: Batch,
}

/// What tmux answered: the rows of the panes that are meant, and what was asked of them then.
pub(super) struct PaneAnswer {
    rows: String,
    texts: String,
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
pub(super) enum Located<'a> {
    Pane(PaneReading<'a>, Option<Record>),
    /// A sesh without a pane, and its saved last lines.
    Saved(ServerId, Record, String),
}

/// The same as [`ask`] and [`read`], and what the journal has where tmux knows nothing of the target.
pub(super) fn found<T>(
    server: &Server,
    frame: &Frame,
    target: &Target,
    foreseen: Option<Foreseen>,
    question: Question<'_>,
    act: impl FnOnce(Located<'_>) -> Result<T>,
) -> Result<T> {
    let error = match ask(server, frame, target, foreseen, question) {
        Ok(answer) => match read(frame, &answer, target) {
            Ok(found) => return act(found),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let (record, text) = past(server, target, error)?;
    act(Located::Saved(ServerId::NONE, record, text))
}

/// Asks for the rows of the panes that are meant, and then a question of each of them. A pane whose answer was foreseen
/// is one question.
pub(super) fn ask(
    server: &Server,
    frame: &Frame,
    target: &Target,
    foreseen: Option<Foreseen>,
    question: Question<'_>,
) -> Result<PaneAnswer> {
    let batch = batch(frame, target, foreseen);
    let mut answer = ask_once(server, frame, &batch, question)?;
    if matches!(target, Target::Id(_) | Target::Word(_)) && answer.lacks_one(frame)? {
        // Its pane went between the two questions: what is left of it is to be read.
        answer = ask_once(server, frame, &batch, question)?;
    }
    Ok(answer)
}

fn ask_once(
    server: &Server,
    frame: &Frame,
    batch: &Batch,
    question: Question<'_>,
) -> Result<PaneAnswer> {
    let rows = server.run(batch)?;
    let (seen, _) = panes(frame, [&rows, ""])?;
    let open = seen.iter().filter(|seen| seen.texts.is_empty());
    let texts = server.ask_each(&open.map(question).collect::<Vec<Batch>>())?;
    Ok(PaneAnswer { rows, texts })
}

impl PaneAnswer {
    /// Whether a pane has a row and answered nothing.
    fn lacks_one(&self, frame: &Frame) -> Result<bool> {
        let (seen, _) = panes(frame, [&self.rows, &self.texts])?;
        Ok(seen.iter().any(|seen| seen.texts.is_empty()))
    }
}

fn own_id(frame: &Frame) -> Command {
    command::print(None, &frame.format(["server", PID, START]))
}

fn batch(frame: &Frame, target: &Target, foreseen: Option<Foreseen>) -> Batch {
    let row = row_format_with(frame, PaneGeometry::FORMATS);
    if let Target::Pane(pane) = target {
        let pane = pane.to_string();
        let mut batch = Batch::from(command::print(Some(&pane), &row));
        batch.extend(foreseen.map(
            |Foreseen {
                 condition,
                 question,
             }| {
                let there = format!("#{{==:#{{pane_id}},{pane}}}");
                let condition = both(&there, condition);
                command::if_format(Some(&pane), &condition, &question, &Batch::new())
            },
        ));
        return batch;
    }
    let tails = match target {
        Target::Id(id) => tail::print(*id),
        _ => command::show_hidden(),
    };
    let mut ended = Batch::from(own_id(frame));
    ended.extend(query::books(frame));
    ended.extend([tails]);
    Batch::from(command::list_panes(&row, Some(&target.filter()))).then(command::if_format(
        None,
        &no_pane_has(&target.filter()),
        &ended,
        &Batch::new(),
    ))
}

/// The panes in what was answered, each once, and their seshes.
fn panes<'a>(frame: &Frame, answers: [&'a str; 2]) -> Result<(Vec<PaneReading<'a>>, Snapshot)> {
    let mut snapshot = Snapshot::default();
    let mut seen: Vec<PaneReading<'a>> = Vec::new();
    for (row, text) in answers.iter().flat_map(|answer| frame.sections(answer)) {
        if let Some(pane) = read_row(&row)? {
            if seen.iter().all(|seen| seen.pane != pane.place.pane) {
                seen.push(PaneReading {
                    pane: pane.place.pane,
                    facts: PaneGeometry::read(extra(&row).iter().copied()),
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
    Ok((seen, snapshot))
}

/// Reads the answer.
pub(super) fn read<'a>(
    frame: &Frame,
    answer: &'a PaneAnswer,
    target: &Target,
) -> Result<Located<'a>> {
    let (seen, snapshot) = panes(frame, [&answer.rows, &answer.texts])?;
    let (pane, record) = match (target, snapshot.panes.first()) {
        (Target::Pane(pane), None) => {
            return Err(Error::nothing(format!("there is no pane {pane}")));
        }
        (Target::Pane(pane), Some(found)) => (*pane, found.record.clone()),
        (_, None) => return saved(frame, &answer.rows, target),
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
        .find(|seen| seen.pane == pane && !seen.texts.is_empty())
        .map(|seen| Located::Pane(seen, record))
        .ok_or_else(|| Error::nothing(format!("there is no pane {pane}")))
}

/// The saved last lines of a sesh that has no pane any more.
fn saved<'a>(frame: &Frame, output: &'a str, target: &Target) -> Result<Located<'a>> {
    let snapshot = Snapshot::parse(frame, output)?;
    let record = snapshot.find(target)?;
    let text = tail::read(output)
        .get(&record.uuid)
        .map(|tail| value::decode(tail))
        .filter(|text| !text.is_empty())
        .ok_or_else(|| no_lines(record))?;
    let own = frame
        .sections(output)
        .find_map(|(row, _)| match row[..] {
            ["server", pid, start] => ServerId::read(pid, start),
            _ => None,
        })
        .unwrap_or(ServerId::NONE);
    Ok(Located::Saved(own, record.clone(), text))
}
