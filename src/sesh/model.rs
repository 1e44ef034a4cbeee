//! The model of an agent: given by the caller, else by an option of tmux; and the models that an agent offers.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::argv;
use crate::agent::kinds::Agent;
use crate::agent::manifest::Ability;
use crate::error::{Error, Exit, Result};
use crate::id::shown;
use crate::proc::signal::{self, Signal};
use crate::store::{Record, setting};
use crate::tmux::{Batch, Frame, Server, command};

/// How long an agent may take to print its models. Some ask a server for them.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);
/// From how many bytes on that is no list.
const LIST_SIZE: u64 = 16 << 20;

/// Returns why a text cannot be the name of a model, which becomes a word of a command line.
#[must_use]
pub fn problem(model: &str) -> Option<&'static str> {
    if model.trim().is_empty() {
        return Some("a model must have a name");
    }
    if model.starts_with('-') {
        return Some("the name of a model does not start with -");
    }
    if model.chars().any(char::is_control) {
        return Some("the name of a model has no control characters");
    }
    None
}

/// Returns the words that choose the model of a new agent. Without a `given` model it is the one that an option of tmux
/// names for this kind, or for all kinds. The options do not apply where `arguments`, the caller's own words for the
/// agent, choose a model.
///
/// # Errors
/// [`Exit::Unusable`] if a model is given and the agent's command line takes none, or if an option is not the name of a
/// model.
pub fn words(
    server: &Server,
    agent: &Agent,
    given: Option<&str>,
    arguments: &[OsString],
) -> Result<Vec<OsString>> {
    let Some(form) = &agent.manifest.commands.model else {
        return match given {
            None => Ok(Vec::new()),
            Some(_) => Err(Error::unusable(format!(
                "{} takes no model on its command line: choose it in the agent, or describe the flag in a file \
                 (plugin/doc/agents.md)",
                agent.name
            ))),
        };
    };
    let model = match given {
        Some(given) => given.to_string(),
        None if is_chosen(agent, arguments) => return Ok(Vec::new()),
        None => match from_options(server, &agent.name)? {
            Some(model) => model,
            None => return Ok(Vec::new()),
        },
    };
    let word = |word: &String| OsString::from(word.replace("{model}", &model));
    Ok(form.iter().map(word).collect())
}

/// Returns the words of the last command line of a sesh that choose a model, to be repeated when the agent is started
/// again in its conversation. There are none where the conversation keeps its model, and where `arguments` choose one.
#[must_use]
pub fn repeated(agent: &Agent, record: &Record, arguments: &[OsString]) -> Vec<OsString> {
    let is_kept = agent.manifest.commands.model_kept == Some(true);
    if is_kept || is_chosen(agent, arguments) {
        return Vec::new();
    }
    let command: Vec<OsString> = record.command.iter().map(OsString::from).collect();
    let words = choice(agent, command.get(1..).unwrap_or_default());
    words.unwrap_or_default().to_vec()
}

/// Returns whether the words of a command line choose a model.
fn is_chosen(agent: &Agent, arguments: &[OsString]) -> bool {
    choice(agent, arguments).is_some()
}

/// Returns the words of a command line that choose a model: the last ones, because they count.
fn choice<'a>(agent: &Agent, words: &'a [OsString]) -> Option<&'a [OsString]> {
    let options = agent.manifest.commands.model_options.as_deref()?;
    let end = words.iter().position(|word| word == "--");
    let words = &words[..end.unwrap_or(words.len())];
    let size = |word: &OsString| {
        let word = word.to_string_lossy();
        let (name, size) = match word.split_once('=') {
            Some((name, _)) => (name, 1),
            None => (&*word, 2),
        };
        options.iter().any(|it| it == name).then_some(size)
    };
    let mut at = 0;
    let mut last = None;
    while let Some(word) = words.get(at) {
        let found = size(word);
        if let Some(size) = found {
            last = Some(&words[at..words.len().min(at + size)]);
        }
        at += found.unwrap_or(1);
    }
    last
}

/// Returns the model that an option of tmux names: that of the kind, else that of all kinds.
fn from_options(server: &Server, kind: &str) -> Result<Option<String>> {
    let all = setting::MODEL.name;
    let of_kind = format!("{all}-{kind}");
    let frame = Frame::new();
    let format = frame.format([format!("#{{{of_kind}}}"), setting::MODEL.format()]);
    let answer = match server.run(&Batch::from(command::print(None, &format))) {
        // Without a server no option is set. A server that starts now reads its configuration only then.
        Err(error) if error.exit == Exit::NoServer => return Ok(None),
        outcome => outcome?,
    };
    let (rows, _) = frame.read(&answer);
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let set = [of_kind.as_str(), all]
        .into_iter()
        .zip(row)
        .find(|(_, value)| !value.is_empty());
    let Some((option, model)) = set else {
        return Ok(None);
    };
    match problem(model) {
        None => Ok(Some((*model).into())),
        Some(why) => Err(Error::unusable(format!(
            "the option {option} is {}: {why}",
            shown(model)
        ))
        .with_way_out_after_why("set it to a model, or unset it")),
    }
}

/// Returns the models that an agent offers, one a line, or what it prints of them for a person.
///
/// # Errors
/// [`Exit::Unusable`] if the agent has no way to list them; [`Exit::Nothing`] if it is not installed; [`Exit::Failed`] if
/// it fails, and [`Exit::TimedOut`] if it takes too long.
pub fn list(agent: &Agent, path: &OsStr, cwd: &Path) -> Result<String> {
    let kind = &agent.name;
    let commands = &agent.manifest.commands;
    let Some((program, words)) = commands.models.as_deref().and_then(<[_]>::split_first) else {
        let way_out = if agent.manifest.lacks(Ability::Models) {
            "see its documentation"
        } else {
            "describe it in a file (plugin/doc/agents.md)"
        };
        return Err(Error::unusable(format!(
            "{kind} has no command that lists its models: {way_out}"
        )));
    };
    let program = argv::program(kind, OsStr::new(program), path, cwd)?;
    let mut command = Command::new(program);
    command
        .args(words)
        .env("PATH", path)
        .current_dir(cwd)
        .stdin(Stdio::null());
    let failed = |why: &str| Error::failed(format!("{kind} did not list its models: {why}"));
    let output = output_within(command, LIST_TIMEOUT)
        .map_err(|error| failed(&error.to_string()))?
        .ok_or_else(|| {
            let limit = LIST_TIMEOUT.as_secs();
            Error::new(
                Exit::TimedOut,
                format!("{kind} has not listed its models within {limit}s"),
            )
        })?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let mut lines = stdout.lines().chain(stderr.lines());
        let last = lines.rfind(|line| !line.trim().is_empty());
        return Err(failed(last.unwrap_or("it printed nothing").trim()));
    }
    let models = match &commands.models_field {
        Some(field) => names(&stdout, field).ok_or_else(|| failed("it printed no JSON"))?,
        // pi 0.73.1 prints its list on stderr.
        None if stdout.trim().is_empty() => stderr.into_owned(),
        None => stdout.into_owned(),
    };
    if models.trim().is_empty() {
        return Err(failed("it printed none"));
    }
    Ok(models)
}

/// Returns what a command prints. Ends it, and returns `None`, if it takes longer than the limit.
///
/// # Errors
/// It cannot be started, or prints more than a list of models can be.
fn output_within(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    let (sender, receiver) = mpsc::channel();
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let pid = i32::try_from(child.id()).unwrap_or(0);
    std::thread::spawn(move || {
        // The receiver is gone when the output comes too late.
        let _ = sender.send(output(child));
    });
    match receiver.recv_timeout(limit) {
        Ok(output) => output.map(Some),
        Err(_) => {
            let _ = signal::to_process(pid, Signal::SIGKILL);
            Ok(None)
        }
    }
}

/// Returns what a child prints until its end.
fn output(mut child: Child) -> io::Result<Output> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Both are read at the same time: the child waits where one of the pipes is full.
    let complaint = std::thread::spawn(move || stderr.map_or(Ok(Vec::new()), read_list));
    let printed = stdout.map_or(Ok(Vec::new()), read_list);
    if printed.is_err() {
        let _ = child.kill();
    }
    let status = child.wait()?;
    let complaint = complaint.join().unwrap_or_else(|_| Ok(Vec::new()));
    Ok(Output {
        status,
        stdout: printed?,
        stderr: complaint?,
    })
}

/// Reads a pipe to its end.
fn read_list(pipe: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(LIST_SIZE).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == LIST_SIZE {
        return Err(io::Error::other("it prints more than any list has"));
    }
    Ok(bytes)
}

/// Returns the texts of a field of a JSON text, at any depth, each once and one a line. Returns `None` for a text that is
/// no JSON.
fn names(json: &str, field: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    let mut names = Vec::new();
    collect(&value, field, &mut names);
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(*name));
    Some(names.join("\n"))
}

fn collect<'a>(value: &'a Value, field: &str, names: &mut Vec<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|it| collect(it, field, names)),
        Value::Object(fields) => {
            names.extend(fields.get(field).and_then(Value::as_str));
            fields.values().for_each(|it| collect(it, field, names));
        }
        _ => {}
    }
}
