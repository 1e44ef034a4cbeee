//! `sesh-delegate`: has an agent answer one task without a pane to attend to.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use clap::builder::NonEmptyStringValueParser;
use serde::Serialize;
use serde_json::Value;

use super::ServerArgs;
use super::kind_parser::KindParser;
use super::sesh_new::{folder, model_name, variable};
use super::sesh_send::refused;
use crate::agent::headless::{HeadlessOutcome, HeadlessResult};
use crate::agent::kinds::Agents;
use crate::clock;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, SeshId, Tag};
use crate::out;
use crate::proc::{input, signal};
use crate::sesh::create::CreateRequest;
use crate::sesh::model;
use crate::sesh::turn::{self, LIMIT, RunningTurn, TurnRequest, error_of};
use crate::store::Record;

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Have an agent answer a question",
        "sesh-delegate --agent codex 'What is 2+2? Reply with the number.'",
    ),
    (
        "Give it what a command prints",
        "git diff | sesh-delegate --agent claude --timeout 10m",
    ),
    (
        "Keep the agent, for sesh-send reviewer 'and the tests?' --reply",
        "sesh-delegate --agent claude --keep --name reviewer 'review HEAD'",
    ),
];

/// Have an agent answer one task, print the answer, and leave nothing behind
///
/// Starts the agent without a terminal of its own, in a pane of the detached session sesh-headless, and waits for the end
/// of its turn. What would need a person's permission is refused: the tools are named on stderr. Exit 0 with an answer, 1
/// if the agent reports an error or the turn was ended from outside, 6 if it took too long, 130 if a person interrupts
/// it. Whatever happens, the agent is ended and its record is removed, unless --keep is given.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The task, as one word; - reads it from stdin [default: stdin, if that is no terminal]
    #[arg(value_name = "TASK", allow_hyphen_values = true)]
    task: Option<String>,

    /// The kind of agent
    #[arg(long, value_name = "KIND", value_parser = KindParser::any())]
    agent: String,

    /// Let it use this model [default: option @sesh-model-KIND, else @sesh-model, else the agent's own]
    #[arg(long, value_name = "MODEL", value_parser = model_name)]
    model: Option<String>,

    /// Keep the sesh: sesh-send gives it the next task, and sesh-enter opens its conversation in a pane
    #[arg(long)]
    keep: bool,

    /// With --keep, the name of the sesh [default: generated]
    #[arg(long, value_name = "NAME", requires = "keep")]
    name: Option<Name>,

    /// Give the sesh this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,

    /// Have it work in this folder [default: the current one]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,

    /// Let it use this tool without asking, in the agent's own words, such as 'Bash(git log:*)'; may be repeated
    #[arg(long, value_name = "TOOL", value_parser = NonEmptyStringValueParser::new())]
    allow: Vec<String>,

    /// Set this environment variable for the agent; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = clap::value_parser!(OsString))]
    env: Vec<OsString>,

    /// End the turn after this time [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Print an object with the answer, the refused tools and the usage as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,

    /// More arguments for the agent
    #[arg(last = true, value_name = "WORDS")]
    words: Vec<OsString>,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let task = task(args.task.as_deref())?;
    let server = args.on.server()?;
    let limit = args.timeout.unwrap_or(LIMIT);
    let request = CreateRequest {
        name: args.name.clone(),
        tags: args.tag,
        cwd: folder(args.cwd.as_deref())?,
        variables: args.env.iter().map(variable).collect::<Result<Vec<_>>>()?,
        ..CreateRequest::default()
    };
    let agent = Agents::loaded().named(&args.agent);
    let agent = agent.ok_or_else(|| Error::usage("unknown agent"))?;
    let mut words = model::words(&server, agent, args.model.as_deref(), &args.words)?;
    words.extend(args.words);
    let turn = TurnRequest {
        prompt: &task,
        limit,
        waits: true,
        forget: !args.keep,
        allow: &args.allow,
        words: &words,
    };
    // It is locked while the turn is being started, so that a signal finds it or comes before it.
    let slot: Arc<Mutex<Option<RunningTurn>>> = Arc::default();
    let mut starting = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let (on_signal, own_server) = (Arc::clone(&slot), server.clone());
    signal::on_end(move |_| {
        let mut running = on_signal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.take() {
            // What is left is cleared by sesh-reap.
            let _ = running.end(&own_server);
        }
        signal::exit(Exit::Cancelled.code());
    });
    let running = turn::first(&server, request, &args.agent, &turn)?;
    *starting = Some(running.clone());
    drop(starting);
    let result = running.wait();
    // From here on a signal has nothing to end.
    slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if !args.keep || result.is_err() {
        // The answer counts. What is left is cleared by sesh-reap.
        let _ = running.end(&server);
    }
    let result = result?;
    let error = error_of(&result, limit);
    let exit = error.as_ref().map_or(Exit::Done, |error| error.exit);
    let printed = if args.json {
        out::json(&DelegateJson::of(
            &args.agent,
            &running.record,
            &result,
            exit,
            error.as_ref(),
        ))
    } else {
        print(&result)
    };
    out::unless_hung_up(printed)?;
    if let Some(refused) = refused(&result.refused) {
        out::complain("sesh-delegate", &refused);
    }
    if let Some(error) = error {
        out::complain("sesh-delegate", &format!("{}: {error}", args.agent));
    }
    Ok(exit)
}

fn print(result: &HeadlessResult) -> anyhow::Result<()> {
    let answer = result.answer.as_deref().unwrap_or_default();
    let lines: Vec<String> = answer.lines().map(Into::into).collect();
    out::lines(&lines, false)
}

/// Returns the task: the argument, or standard input.
fn task(word: Option<&str>) -> Result<String> {
    let task = match word {
        Some(word) if word != "-" => word.to_string(),
        None if input::is_terminal() => {
            return Err(Error::usage("no task: give it as one word, or on stdin"));
        }
        _ => input::text(None)?,
    };
    if task.trim().is_empty() {
        return Err(Error::usage("the task is empty: give a text"));
    }
    Ok(task)
}

/// The outcome of a task, as JSON. The fields are public, and their order is that of the JSON.
#[derive(Serialize)]
struct DelegateJson<'a> {
    agent: &'a str,
    conversation: Option<&'a str>,
    exit: u8,
    /// Why there is no answer.
    message: Option<String>,
    name: &'a str,
    outcome: HeadlessOutcome,
    /// The tools that were refused.
    refused: &'a [String],
    reply: Option<&'a str>,
    /// What the turn used, in the agent's own form.
    usage: Option<&'a Value>,
    uuid: SeshId,
}

impl<'a> DelegateJson<'a> {
    fn of(
        agent: &'a str,
        record: &'a Record,
        result: &'a HeadlessResult,
        exit: Exit,
        error: Option<&Error>,
    ) -> Self {
        Self {
            agent,
            conversation: result.conversation.as_deref(),
            exit: exit.code(),
            message: error.map(ToString::to_string),
            name: &record.name,
            outcome: result.outcome,
            refused: &result.refused,
            reply: result.answer.as_deref(),
            usage: result.usage.as_ref(),
            uuid: record.uuid,
        }
    }
}
