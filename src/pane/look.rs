//! What a pane shows, or the saved last lines of an exited sesh.
//!
//! One question finds the pane that is meant and its facts, and a second one reads its text. To ask both in one
//! question takes a string that the server parses, and tmux never frees such a string.

use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ServerId};
use crate::store::condition::{both, no_pane_has};
use crate::store::query::{self, extra, read_row, row_format_with};
use crate::store::{Record, Select, Snapshot, Target, tail, value};
use crate::tmux::row::formats;
use crate::tmux::{Batch, Command, Frame, Server, command, show};

const PID: &str = "#{pid}";
const START: &str = "#{start_time}";

formats! {
    /// The facts of a pane, which follow its row.
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
        /// The mode that the pane is in. Empty where it is in none.
        mode = "#{pane_mode}",
        /// Lines of history that the pane has.
        history = "#{history_size}",
        /// Lines of history that the pane can have.
        history_limit = "#{history_limit}",
        /// The process id of the server.
        server_pid = PID,
        /// When the server started, in epoch seconds.
        server_start = START,
    }
}

/// Parses a number that tmux printed. Returns 0 where the text is no number.
pub(super) fn number(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

/// What tmux answered for one pane.
pub(super) struct PaneReading<'a> {
    pub(super) pane: PaneId,
    pub(super) facts: PaneGeometry<'a>,
    /// The texts that were printed. Each comes with the fields of its header, without the first, which is the pane's
    /// number.
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

/// Builds the question for a pane that was found: commands that change nothing and begin with a header, a framed record
/// whose first field is the pane's number. The question is chosen by the pane's facts. They may have changed when tmux
/// answers, so the header repeats them.
pub(super) type Question<'q> = &'q dyn Fn(&PaneReading<'_>) -> Batch;

/// A question that is asked together with the facts of a pane, for a target that is a pane id. tmux answers it only
/// where `condition` is true.
pub(super) struct ExpectedQuestion {
    pub(super) condition: &'static str,
    pub(super) question: Batch,
}

/// What tmux answered: the rows of the panes that are meant, and the answers to the questions about them.
pub(super) struct PaneAnswer {
    rows: String,
    texts: String,
}

/// Returns the server, the record and the last lines that the journal has for a target that tmux does not know. Without
/// them it returns `error`.
fn from_journal(
    server: &Server,
    target: &Target,
    error: Error,
) -> Result<(ServerId, Record, String)> {
    if matches!(target, Target::Pane(_)) || !matches!(error.exit, Exit::Nothing | Exit::NoServer) {
        return Err(error);
    }
    let snapshot = Snapshot::read(server, &Select::targets(std::slice::from_ref(target)));
    let snapshot = snapshot.unwrap_or_default();
    let Ok(record) = snapshot.find(target) else {
        return Err(error);
    };
    let Some(kept) = &record.kept else {
        return Err(error);
    };
    let own = kept.server.filter(|own| snapshot.server_id == Some(*own));
    match kept.tail.as_deref().map(value::decode) {
        Some(text) => Ok((own.unwrap_or(ServerId::NONE), record.clone(), text)),
        None => Err(no_lines(record)),
    }
}

fn no_lines(record: &Record) -> Error {
    if record.lost_server().is_some() {
        return record.no_pane("");
    }
    Error::unusable(format!(
        "{} has exited and has no pane: its last lines were not saved",
        record.name
    ))
}

/// What a target was found to be.
pub(super) enum Located<'a> {
    Pane(PaneReading<'a>, Option<Record>),
    /// A sesh without a pane, and its saved last lines.
    Saved(ServerId, Record, String),
}

/// Calls [`ask`] and [`read`], and passes the result to `act`. Uses the journal where tmux does not know the target.
pub(super) fn locate<T>(
    server: &Server,
    frame: &Frame,
    target: &Target,
    expected: Option<ExpectedQuestion>,
    question: Question<'_>,
    act: impl FnOnce(Located<'_>) -> Result<T>,
) -> Result<T> {
    let error = match ask(server, frame, target, expected, question) {
        Ok(answer) => match read(frame, &answer, target) {
            Ok(located) => return act(located),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let (own, record, text) = from_journal(server, target, error)?;
    act(Located::Saved(own, record, text))
}

/// Asks for the rows of the panes that are meant, and then asks `question` about each of them. A pane that has answered
/// the `expected` question is not asked again.
pub(super) fn ask(
    server: &Server,
    frame: &Frame,
    target: &Target,
    expected: Option<ExpectedQuestion>,
    question: Question<'_>,
) -> Result<PaneAnswer> {
    let batch = batch(frame, target, expected);
    let mut answer = ask_once(server, frame, &batch, question)?;
    if matches!(target, Target::Id(_) | Target::Word(_)) && answer.lacks_text(frame)? {
        // Its pane closed between the two questions: its saved lines are read instead.
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
    /// Returns whether a pane has a row and no text.
    fn lacks_text(&self, frame: &Frame) -> Result<bool> {
        let (seen, _) = panes(frame, [&self.rows, &self.texts])?;
        Ok(seen.iter().any(|seen| seen.texts.is_empty()))
    }
}

fn server_id(frame: &Frame) -> Command {
    command::print(None, &frame.format(["server", PID, START]))
}

fn batch(frame: &Frame, target: &Target, expected: Option<ExpectedQuestion>) -> Batch {
    let row = row_format_with(frame, PaneGeometry::FORMATS);
    if let Target::Pane(pane) = target {
        let pane = pane.to_string();
        let mut batch = Batch::from(command::print(Some(&pane), &row));
        batch.extend(expected.map(
            |ExpectedQuestion {
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
        _ => show::hidden_variables(),
    };
    let mut ended = Batch::from(server_id(frame));
    ended.extend(query::books(frame));
    ended.extend([tails]);
    Batch::from(command::list_panes(&row, Some(&target.filter()))).then(command::if_format(
        None,
        &no_pane_has(&target.filter()),
        &ended,
        &Batch::new(),
    ))
}

/// Parses the panes in the answers, each once, and their seshes.
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
        } else if let Some((number, header)) = row.split_first()
            && let Some(seen) = seen
                .iter_mut()
                .find(|seen| seen.pane.0.to_string() == *number)
        {
            seen.texts.push((header.to_vec(), text));
        }
    }
    Ok((seen, snapshot))
}

/// Parses the answer for a target.
pub(super) fn read<'a>(
    frame: &Frame,
    answer: &'a PaneAnswer,
    target: &Target,
) -> Result<Located<'a>> {
    let (seen, snapshot) = panes(frame, [&answer.rows, &answer.texts])?;
    let (pane, record) = match (target, snapshot.panes.first()) {
        (Target::Pane(pane), None) => {
            return Err(Error::no_pane(pane));
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
        .ok_or_else(|| Error::no_pane(pane))
}

/// Returns the saved last lines of a sesh that has no pane any more.
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
