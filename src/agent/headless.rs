//! A headless turn: one prompt that an agent answers without a terminal. [`HeadlessForm`] is what a manifest says of it,
//! and [`HeadlessOutput`] reads what the agent prints.
//!
//! The outcome comes from the output. The exit code is no sign: agents exit with 0 after a refused tool, and some after an
//! error of the model (claude 2.1.332, codex 0.171.0, pi 1.6.0).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How an agent answers one prompt without a terminal. The prompt goes to its standard input.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadlessForm {
    /// The words of the first turn, without the prompt. `{id}` is the id of the conversation, where it is chosen.
    pub first: Option<Vec<String>>,
    /// The words of a turn in an existing conversation.
    pub next: Option<Vec<String>>,
    /// Where the id of a new conversation comes from.
    pub id: Option<IdOrigin>,
    /// The form of the output.
    pub form: Option<OutputForm>,
    /// Where the output has the id of the conversation.
    pub conversation: Option<Vec<OutputPlace>>,
    /// Texts that are shown while the turn runs.
    pub progress: Option<Vec<OutputPlace>>,
    /// The answer. The last one counts.
    pub answer: Option<Vec<OutputPlace>>,
    /// Pieces of the answer, for an agent that streams it. Those that follow each other are one answer.
    pub pieces: Option<Vec<OutputPlace>>,
    /// Why the turn failed. A later answer cancels it.
    pub error: Option<Vec<OutputPlace>>,
    /// The tools that were refused.
    pub refused: Option<Vec<OutputPlace>>,
    /// The calls of tools. A refused tool that is the id of a call has the name of its tool.
    pub calls: Option<Vec<ToolCall>>,
    /// Texts of the error output that say that a tool was refused, with the name of the tool.
    pub refusals: Option<BTreeMap<String, String>>,
    /// What the turn used. The value is passed on as it is.
    pub usage: Option<Vec<OutputPlace>>,
    /// The prompt of a turn that compacts the conversation.
    pub compact: Option<String>,
    /// What only a complete output has.
    pub end: Option<Vec<OutputPlace>>,
    /// What a turn changes for good in its conversation, and a terminal program that resumes it gets back.
    pub settings: Option<Vec<TurnSetting>>,
}

/// Where the id of a new conversation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdOrigin {
    /// It is chosen, and given on the command line.
    Chosen,
    /// The output tells it.
    Told,
    /// The agent has none, so that a further turn is not possible.
    None,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputForm {
    /// A JSON object in each line.
    Lines,
    /// Text, which is the answer.
    Text,
}

/// A place in a JSON object of the output.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputPlace {
    /// The fields that the object must have, by path, with their values as text.
    pub when: BTreeMap<String, String>,
    /// The path of the value: names with a dot between them. `[]` behind a name stands for every element of a list.
    pub at: Option<String>,
}

/// The calls of tools in a JSON object of the output.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolCall {
    /// The fields that the object must have, by path, with their values as text.
    pub when: BTreeMap<String, String>,
    /// The path of the id of the call.
    pub id: String,
    /// The path of the name of the tool.
    pub name: String,
}

/// A setting that a terminal program gets by words on its command line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TurnSetting {
    /// The words; `{}` is the value.
    pub words: Vec<String>,
    /// The fields that a line of the transcript must have, by path, with their values as text.
    pub when: BTreeMap<String, String>,
    /// The fields with which a line is one of a headless turn.
    pub unless: BTreeMap<String, String>,
    /// The path of the value in such a line. The last line counts.
    pub at: String,
    /// A TOML file of the agent, and its key, with the value for a conversation that has only headless turns.
    pub file: Option<String>,
    pub key: Option<String>,
    /// The value without those. Without it no words are given.
    pub default: Option<String>,
}

/// How a turn ended. The words are public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadlessOutcome {
    Answered,
    /// The agent reported an error, or ended without an answer.
    #[default]
    Error,
    /// It was ended from outside.
    Aborted,
    /// Its time was over.
    TimedOut,
}

/// What came of a turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadlessResult {
    pub outcome: HeadlessOutcome,
    pub answer: Option<String>,
    /// Why it failed, as a sentence.
    pub error: Option<String>,
    /// The tools that were refused.
    pub refused: Vec<String>,
    /// What it used, in the agent's own form.
    pub usage: Option<Value>,
    pub conversation: Option<String>,
}

/// How the process of a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadlessEnd {
    Code(i32),
    /// By a signal that another process sent, or because this turn was asked to end.
    Signalled,
    TimedOut,
}

/// Something that a part of the output tells while the turn runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadlessEvent {
    Conversation(String),
    /// A text to show.
    Text(String),
}

/// The longest line that is read, in bytes. A longer one has the output of a tool.
const MAX_LINE: usize = 32 << 20;
/// The longest text of an output without a form.
const MAX_TEXT: usize = 32 << 20;
/// How many bytes of the error output are looked at for a reason.
const MAX_REASON: usize = 400;

/// Reads the output of a turn, in pieces of any size.
pub struct HeadlessOutput<'a> {
    form: &'a HeadlessForm,
    /// The begin of a line, or all of a text.
    partial: Vec<u8>,
    /// The current line is too long and is dropped.
    is_dropping: bool,
    has_ended: bool,
    has_shown: bool,
    /// The line before this one was a piece of the answer.
    in_answer: bool,
    /// The names of the tools that were called, by the id of the call.
    called: BTreeMap<String, String>,
    result: HeadlessResult,
}

impl OutputPlace {
    /// Returns the values at this place of an object, none if the object is another one.
    pub(super) fn values<'v>(&self, object: &'v Value) -> Vec<&'v Value> {
        let fits = |(path, expected): (&String, &String)| {
            at(object, path)
                .iter()
                .any(|value| plain(value) == *expected)
        };
        if !self.when.iter().all(fits) {
            return Vec::new();
        }
        match &self.at {
            Some(path) => at(object, path),
            None => vec![object],
        }
    }
}

/// Returns the values at a path.
fn at<'v>(object: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![object];
    for name in path.split('.') {
        let (name, is_list) = match name.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (name, false),
        };
        found = found
            .into_iter()
            .filter_map(|value| value.get(name))
            .flat_map(|value| match value {
                Value::Array(elements) if is_list => elements.iter().collect(),
                _ if is_list => Vec::new(),
                value => vec![value],
            })
            .collect();
    }
    found
}

/// Returns a value as text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// Returns the values of places in an object.
fn values<'v>(places: Option<&Vec<OutputPlace>>, object: &'v Value) -> Vec<&'v Value> {
    let places = places.into_iter().flatten();
    places.flat_map(|place| place.values(object)).collect()
}

/// Returns the texts of places in an object, without the empty ones.
fn texts(places: Option<&Vec<OutputPlace>>, object: &Value) -> Vec<String> {
    let values = values(places, object).into_iter().map(plain);
    values.filter(|text| !text.is_empty()).collect()
}

/// Returns the text of the first place that has one. The parts of a list become one text.
fn text(places: Option<&Vec<OutputPlace>>, object: &Value) -> Option<String> {
    let texts = |place: &OutputPlace| {
        let values = place.values(object).into_iter().map(plain);
        values
            .filter(|text| !text.is_empty())
            .collect::<Vec<String>>()
    };
    let mut places = places.into_iter().flatten().map(texts);
    let found = places.find(|texts| !texts.is_empty())?;
    Some(found.join("\n"))
}

impl<'a> HeadlessOutput<'a> {
    #[must_use]
    pub fn of(form: &'a HeadlessForm) -> Self {
        Self {
            form,
            partial: Vec::new(),
            is_dropping: false,
            has_ended: false,
            has_shown: false,
            in_answer: false,
            called: BTreeMap::new(),
            result: HeadlessResult::default(),
        }
    }

    /// Reads the next bytes of the output.
    pub fn read(&mut self, mut bytes: &[u8]) -> Vec<HeadlessEvent> {
        if self.form.form == Some(OutputForm::Text) {
            let room = MAX_TEXT.saturating_sub(self.partial.len());
            let taken = &bytes[..bytes.len().min(room)];
            self.partial.extend_from_slice(taken);
            self.has_shown = true;
            let text = String::from_utf8_lossy(taken).into_owned();
            return vec![HeadlessEvent::Text(text)];
        }
        let mut events = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.partial);
            if !std::mem::take(&mut self.is_dropping) {
                self.line(&line, &mut events);
            }
        }
        self.keep(bytes);
        events
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.is_dropping || self.partial.len() + bytes.len() > MAX_LINE {
            self.is_dropping = true;
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn line(&mut self, line: &[u8], events: &mut Vec<HeadlessEvent>) {
        // What is no object is a warning of a program around the agent.
        let Ok(object @ Value::Object(_)) = serde_json::from_slice::<Value>(line) else {
            return;
        };
        let form = self.form;
        if self.result.conversation.is_none()
            && let Some(id) = texts(form.conversation.as_ref(), &object).pop()
        {
            self.result.conversation = Some(id.clone());
            events.push(HeadlessEvent::Conversation(id));
        }
        for text in texts(form.progress.as_ref(), &object) {
            self.has_shown = true;
            events.push(HeadlessEvent::Text(text + "\n"));
        }
        let piece = texts(form.pieces.as_ref(), &object).concat();
        self.piece(&piece, events);
        let error = text(form.error.as_ref(), &object);
        if error.is_some() {
            self.result.error = error;
        } else if let Some(answer) = text(form.answer.as_ref(), &object) {
            self.result.answer = Some(answer);
            self.result.error = None;
        }
        for call in form.calls.iter().flatten() {
            let values = |at: &String| {
                let place = OutputPlace {
                    when: call.when.clone(),
                    at: Some(at.clone()),
                };
                let values: Vec<String> = place.values(&object).into_iter().map(plain).collect();
                values
            };
            self.called
                .extend(values(&call.id).into_iter().zip(values(&call.name)));
        }
        for refused in texts(form.refused.as_ref(), &object) {
            let tool = self.called.get(&refused).cloned();
            self.result.refused.push(tool.unwrap_or(refused));
        }
        if let Some(usage) = values(form.usage.as_ref(), &object).pop() {
            self.result.usage = Some(usage.clone());
        }
        self.has_ended |= !values(form.end.as_ref(), &object).is_empty();
    }

    /// Adds a piece to the answer. What is not a piece, which is an empty one here, ends it.
    fn piece(&mut self, piece: &str, events: &mut Vec<HeadlessEvent>) {
        let continues = std::mem::replace(&mut self.in_answer, !piece.is_empty());
        if piece.is_empty() {
            if continues {
                events.push(HeadlessEvent::Text("\n".into()));
            }
            return;
        }
        self.has_shown = true;
        events.push(HeadlessEvent::Text(piece.into()));
        let before = self.result.answer.take().filter(|_| continues);
        self.result.answer = Some(before.unwrap_or_default() + piece);
        self.result.error = None;
    }

    /// Returns what came of the turn, and the answer if nothing of it was shown. `complaint` is what the agent printed as
    /// errors; its last lines are the reason where the output has none.
    #[must_use]
    pub fn finish(mut self, end: HeadlessEnd, complaint: &str) -> (HeadlessResult, Option<String>) {
        if self.form.form == Some(OutputForm::Text) {
            let text = String::from_utf8_lossy(&self.partial).trim().to_string();
            self.result.answer = (!text.is_empty()).then_some(text);
            self.has_ended = end == HeadlessEnd::Code(0);
        } else if !self.is_dropping {
            // A last line without its end.
            let line = std::mem::take(&mut self.partial);
            self.line(&line, &mut Vec::new());
            self.has_ended |= self.form.end.is_none() && end == HeadlessEnd::Code(0);
        }
        let result = &mut self.result;
        for line in complaint.lines() {
            let texts = self.form.refusals.iter().flatten();
            let tools = texts.filter(|(text, _)| line.contains(text.as_str()));
            result.refused.extend(tools.map(|(_, tool)| tool.clone()));
        }
        result.outcome = match end {
            HeadlessEnd::TimedOut => HeadlessOutcome::TimedOut,
            HeadlessEnd::Signalled if !self.has_ended => HeadlessOutcome::Aborted,
            _ if self.has_ended && result.error.is_none() => HeadlessOutcome::Answered,
            _ => HeadlessOutcome::Error,
        };
        if result.outcome == HeadlessOutcome::Error && result.error.is_none() {
            result.error = Some(reason(complaint).unwrap_or_else(|| match end {
                HeadlessEnd::Code(code) => format!("it exited {code} without an answer"),
                _ => "it ended without an answer".into(),
            }));
        }
        let unseen = self.result.answer.clone().filter(|_| !self.has_shown);
        (self.result, unseen)
    }
}

/// Returns the last lines of an error output as one sentence.
fn reason(complaint: &str) -> Option<String> {
    let mut words: Vec<&str> = complaint.split_whitespace().collect();
    let mut length = 0;
    let begin = words.iter().rposition(|word| {
        length += word.len() + 1;
        length > MAX_REASON
    });
    words.drain(..begin.map_or(0, |at| at + 1));
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::Agents;

    fn form(kind: &str) -> HeadlessForm {
        let agents = Agents::read(None);
        let agent = agents.named(kind).expect("the kind");
        agent.manifest.headless.clone()
    }

    /// Reads a recorded output in pieces of so many bytes.
    fn read(form: &HeadlessForm, bytes: &[u8], piece: usize, end: HeadlessEnd) -> HeadlessResult {
        let mut output = HeadlessOutput::of(form);
        for piece in bytes.chunks(piece) {
            let _ = output.read(piece);
        }
        output.finish(end, "").0
    }

    /// Returns a result in a few words.
    fn summary(result: &HeadlessResult) -> String {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        format!(
            "{:?} answer={} error={} refused={} id={} usage={}",
            result.outcome,
            word(&result.answer),
            word(&result.error),
            result.refused.join("+"),
            result.conversation.is_some(),
            result.usage.is_some(),
        )
    }

    #[test]
    fn recorded_outputs() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/headless");
        let expected = std::fs::read_to_string(folder.join("expected.txt")).expect("the results");
        let mut read_files = 0;
        for line in expected.lines() {
            let (name, expected) = line.split_once(": ").expect("a name and a result");
            let kind = name.split('-').next().expect("a kind");
            let bytes = std::fs::read(folder.join(name)).expect("a recorded output");
            let form = form(kind);
            let complaint = std::fs::read_to_string(folder.join(format!("{name}.err")));
            let complaint = complaint.unwrap_or_default();
            for piece in [1, 7, 1 << 20] {
                let mut output = HeadlessOutput::of(&form);
                for piece in bytes.chunks(piece) {
                    let _ = output.read(piece);
                }
                let (result, _) = output.finish(HeadlessEnd::Code(0), &complaint);
                assert_eq!(summary(&result), expected, "{name} in pieces of {piece}");
            }
            read_files += 1;
        }
        assert!(read_files >= 9, "{read_files}");
    }

    #[test]
    fn a_cut_output_is_no_answer() {
        let form = form("codex");
        let whole = "{\"type\":\"thread.started\",\"thread_id\":\"x\"}\n\
                     {\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"4\"}}\n\
                     {\"type\":\"turn.completed\",\"usage\":{}}\n";
        let ends = [
            HeadlessEnd::Code(0),
            HeadlessEnd::Code(1),
            HeadlessEnd::Signalled,
            HeadlessEnd::TimedOut,
        ];
        let outcomes = |bytes: &[u8]| ends.map(|end| read(&form, bytes, 5, end).outcome);
        let cut = whole.len() - 20;
        assert_eq!(
            outcomes(&whole.as_bytes()[..cut]),
            [
                HeadlessOutcome::Error,
                HeadlessOutcome::Error,
                HeadlessOutcome::Aborted,
                HeadlessOutcome::TimedOut,
            ]
        );
        // The exit code of a complete output does not count.
        assert_eq!(
            outcomes(whole.as_bytes()),
            [
                HeadlessOutcome::Answered,
                HeadlessOutcome::Answered,
                HeadlessOutcome::Answered,
                HeadlessOutcome::TimedOut,
            ]
        );
        // Nor does a missing newline at its end.
        assert_eq!(
            outcomes(whole.trim_end().as_bytes())[0],
            HeadlessOutcome::Answered
        );
    }

    #[test]
    fn what_is_no_object_is_skipped() {
        let form = form("codex");
        let mut output = HeadlessOutput::of(&form);
        let noise = b"warning: x\n[1]\n\n{\"type\":\n{\"type\":3}\n\xff\xfe\n";
        assert_eq!(output.read(noise), []);
        let long = vec![b'x'; MAX_LINE + 2];
        assert_eq!(output.read(&long), []);
        assert!(
            output.partial.is_empty(),
            "a line that is too long is dropped"
        );
        let (result, _) = output.finish(HeadlessEnd::Code(3), "first\nlast  words\n");
        assert_eq!(result.error.as_deref(), Some("first last words"));
    }

    #[test]
    fn a_text_is_the_answer() {
        let form = HeadlessForm {
            form: Some(OutputForm::Text),
            ..HeadlessForm::default()
        };
        let answered = read(&form, b"two\nlines\n", 3, HeadlessEnd::Code(0));
        assert_eq!(answered.answer.as_deref(), Some("two\nlines"));
        assert_eq!(answered.outcome, HeadlessOutcome::Answered);
        let failed = read(&form, b"", 3, HeadlessEnd::Code(1));
        assert_eq!(
            failed.error.as_deref(),
            Some("it exited 1 without an answer")
        );
    }
}
