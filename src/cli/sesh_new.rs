//! `sesh-new`: creates a sesh.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::NonEmptyStringValueParser;

use super::kind_parser::KindParser;
use super::sesh_send::{self, Limit, SentJson, limit};
use super::{ServerArgs, absolute, end_clients_on_signal, sesh_enter, target};
use crate::agent::kinds::Agents;
use crate::agent::message::typeable;
use crate::clock;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, SeshId, Tag, shown};
use crate::inventory::find;
use crate::out;
use crate::pane::deliver::{Busy, Draft, Message};
use crate::proc;
use crate::sesh::argv;
use crate::sesh::create::{CreateRequest, RequestedSize, plan};
use crate::sesh::model;
use crate::sesh::place::Where;
use crate::sesh::send::{Headless, Patience, Sent, limit_of, send};
use crate::sesh::turn::{self, TurnRequest};
use crate::store::{Record, Target, value};
use crate::tmux::Server;
use crate::watch::{self, Set, WaitEvent, WaitSince, Watch};
use crate::work::new_sesh::{self, NewSeshWork};

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Run a command in a new window",
        "sesh-new deps --tag ci -- cargo build --release",
    ),
    (
        "Run a line of shell",
        "sesh-new check -- sh -c 'make && make test'",
    ),
    (
        "Start an agent, give it a task, and wait for the end of its turn",
        "sesh-new fix --agent claude --send 'fix the failing test' --wait=10m",
    ),
    (
        "Start an agent with a model of your choice",
        "sesh-new review --agent claude --model opus",
    ),
    (
        "Open a shell beside this pane, and go there",
        "sesh-new --split h --enter",
    ),
    (
        "End a server after two hours",
        "sesh-new web --ttl 2h -- npm run dev",
    ),
];

/// Create a sesh: a new pane with a name that runs a command, an agent or a shell
///
/// Inside tmux it is a window of this session that is not shown yet (option @sesh-new-in), outside tmux a new detached
/// session. Prints the uuid.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The name, unique among live seshes [default: generated]
    name: Option<Name>,

    /// The name, as an option instead of the first argument
    #[arg(long = "name", value_name = "NAME", conflicts_with = "name")]
    named: Option<Name>,

    /// Launch this kind of agent
    #[arg(long, value_name = "KIND", value_parser = KindParser::any())]
    agent: Option<String>,

    /// With --agent: let it use this model [default: option @sesh-model-KIND, else @sesh-model, else the agent's own]
    #[arg(long, value_name = "MODEL", requires = "agent", value_parser = model_name)]
    model: Option<String>,

    /// With --agent: print the models that it offers, and create nothing
    #[arg(long, requires = "agent", conflicts_with_all = [
        "name", "named", "model", "send", "wait", "no_launch", "enter", "dry_run", "json", "command",
    ])]
    list_models: bool,

    /// Give it this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,

    /// Start in this folder [default: the current one]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,

    /// Claim this item of the repository, or the next one that is ready, and start in a new worktree on a branch of its
    /// own. With --agent the item is the first message
    #[arg(long, value_name = "ID|next", num_args = 0..=1, default_missing_value = "next", conflicts_with_all = [
        "worktree", "headless", "dry_run", "list_models",
    ])]
    work: Option<String>,

    /// Start in a new worktree on this branch, which starts at the fetched target if it does not exist [default: the name]
    #[arg(long, value_name = "BRANCH", num_args = 0..=1, default_missing_value = "", conflicts_with_all = [
        "headless", "dry_run", "list_models",
    ])]
    worktree: Option<String>,

    /// Set this environment variable for its command; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = clap::value_parser!(OsString))]
    env: Vec<OsString>,

    /// The height of the pane [default: that of this client, else 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rows: Option<u16>,

    /// The width of the pane [default: that of this client, else 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    cols: Option<u16>,

    /// Keep this size, whichever client shows the pane
    #[arg(long, requires = "rows", requires = "cols", conflicts_with = "split")]
    fixed_size: bool,

    /// Create it in a session of its own
    #[arg(long, group = "where", help_heading = "Where")]
    session: bool,

    /// Create it in a window of this session
    #[arg(long, group = "where", help_heading = "Where")]
    window: bool,

    /// Create it in a split of this pane: h (beside it) or v (below it)
    #[arg(long, value_name = "h|v", value_parser = ["h", "v"], group = "where", help_heading = "Where")]
    split: Option<String>,

    /// Create it in this session and window; what does not exist is created
    #[arg(
        long,
        value_name = "SESSION[:WINDOW]",
        group = "where",
        help_heading = "Where"
    )]
    target: Option<String>,

    /// The parent of the new sesh [default: the sesh of this pane]
    #[arg(long, value_name = "TARGET")]
    parent: Option<String>,

    /// Whose limit (@sesh-max) it counts towards [default: the sesh of this pane]
    #[arg(long, value_name = "WHO", value_parser = owner, allow_hyphen_values = true)]
    owner: Option<String>,

    /// End it after this time, as in 90s, 2h or 1day: sesh-reap sends HUP, TERM, then KILL [default: never]
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<Duration>,

    /// Give it this note
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    note: String,

    /// Use this UUID, which must never have been used here [default: generated]
    #[arg(long, value_name = "UUID")]
    id: Option<SeshId>,

    /// Send this message as soon as it accepts one, as sesh-send does
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with_all = ["no_launch", "dry_run"])]
    send: Option<String>,

    /// With --send, wait until the agent has finished with the message; without it, until the sesh is idle, waits for a
    /// person or has exited. Give up after DURATION
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = limit, conflicts_with_all = ["no_launch", "dry_run"])]
    wait: Option<Limit>,

    /// Wait, and print the agent's answer to the first message, as sesh-send does; with --json on a second line
    #[arg(long, requires = "send")]
    reply: bool,

    /// Have the agent answer the message without a pane to attend to, and exit; sesh-send gives it the next one. With
    /// --wait=DURATION the turn is ended after that time, else after 1h
    #[arg(
        long,
        requires = "agent",
        requires = "send",
        conflicts_with_all = ["no_launch", "dry_run", "enter", "session", "window", "split", "target", "fixed_size", "rows", "cols"]
    )]
    headless: bool,

    /// With --headless: let the agent use this tool without asking, in its own words; may be repeated
    #[arg(long, requires = "headless", value_name = "TOOL", value_parser = NonEmptyStringValueParser::new())]
    allow: Vec<String>,

    /// Create the pane, but start the command only when a person presses Enter in it
    #[arg(long)]
    no_launch: bool,

    /// Go to the new pane
    #[arg(long, conflicts_with = "dry_run")]
    enter: bool,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the record as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,

    /// The command, as separate words: no shell parses it again [default: a login shell]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(mut args: Args) -> anyhow::Result<Exit> {
    let is_empty = |text: &String| typeable(text).trim().is_empty();
    if args.send.as_ref().is_some_and(is_empty) {
        return Err(Error::usage("the message is empty: give a text").into());
    }
    let Some(work) = work_for(&mut args)? else {
        return create(args, None);
    };
    let outcome = create(args, Some(&work));
    if !work.is_settled() {
        work.give_up();
    }
    outcome
}

/// Claims the item and makes the worktree that were asked for, and changes the arguments so that the sesh starts there.
fn work_for(args: &mut Args) -> Result<Option<NewSeshWork>> {
    let name = args.name.as_ref().or(args.named.as_ref());
    let id = args.id.unwrap_or_else(SeshId::random);
    let made = match (&args.work, &args.worktree) {
        (None, None) => return Ok(None),
        (Some(item), _) => {
            let item = match item.as_str() {
                "next" => None,
                item => Some(item.parse()?),
            };
            let server = args.on.server()?;
            new_sesh::claim_for(&server, &folder(args.cwd.as_deref())?, id, item)?
        }
        (None, Some(branch)) => {
            let branch = match (branch.as_str(), name) {
                ("", Some(name)) => name.as_str().replace(' ', "-"),
                ("", None) => format!("sesh/{}", &id.simple()[..8]),
                (branch, _) => branch.to_string(),
            };
            let server = args.on.server()?;
            new_sesh::worktree_for(&server, &folder(args.cwd.as_deref())?, &branch)?
        }
    };
    if name.is_none() {
        args.name.clone_from(&made.name);
    }
    args.id = Some(id);
    args.cwd = Some(made.folder.clone());
    if args.agent.is_some() && !args.no_launch && args.send.is_none() {
        args.send.clone_from(&made.prompt);
    }
    Ok(Some(made))
}

fn create(args: Args, work: Option<&NewSeshWork>) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let cwd = folder(args.cwd.as_deref())?;
    let variables = args.env.iter().map(variable).collect::<Result<Vec<_>>>()?;
    let agent = args.agent.as_ref().map(|kind| {
        let agent = Agents::loaded().named(kind);
        agent.ok_or_else(|| Error::usage("unknown agent"))
    });
    let agent = agent.transpose()?;
    if let (Some(agent), true) = (agent, args.list_models) {
        out::text(&model::list(agent, &search_path(&variables), &cwd)?)?;
        return Ok(Exit::Done);
    }
    let mut words = match agent {
        Some(agent) => model::words(&server, agent, args.model.as_deref(), &args.command)?,
        None => Vec::new(),
    };
    words.extend(args.command.iter().cloned());
    let parent = match &args.parent {
        Some(parent) => Some(find::one(&server, &target(&server, parent)?)?.uuid),
        None => None,
    };
    let patience = patience(&args);
    let place = chosen_place(&args)?;
    let request = CreateRequest {
        // The words of a headless turn are in the agent's manifest.
        argv: if args.headless {
            Vec::new()
        } else {
            argv::words(agent, &words, &search_path(&variables), &cwd)?
        },
        name: args.name.or(args.named),
        id: args.id,
        agent: args.agent.or_else(|| argv::agent(&args.command)),
        tags: args.tag,
        cwd,
        variables,
        size: RequestedSize {
            columns: args.cols,
            rows: args.rows,
        },
        fixed: args.fixed_size,
        place,
        parent,
        owner: args.owner,
        ttl: args.ttl,
        note: args.note,
        wait: args.no_launch,
        ..CreateRequest::default()
    };
    if args.headless {
        let turn = TurnRequest {
            prompt: args.send.as_deref().unwrap_or_default(),
            limit: limit_of(patience),
            waits: patience.is_some(),
            forget: false,
            allow: &args.allow,
            words: &words,
        };
        return first_turn(&server, request, &turn, patience, args.json);
    }
    let plan = plan(&server, request)?;
    if args.dry_run {
        let description = plan.describe()?;
        if args.json {
            out::json(&description)?;
        } else {
            for (key, text) in description.lines() {
                out::line(&format!("{key:<8} {text}"))?;
            }
        }
        return Ok(Exit::Done);
    }
    let record = plan.carry_out(&server)?;
    if let Some(work) = work {
        work.settle(&server, &record)?;
    }
    if args.json {
        out::unless_hung_up(out::json(&record))?;
    } else {
        out::unless_hung_up(out::text(&record.uuid.to_string()))?;
    }
    if let Some(hint) = hint_on(&record, args.command.is_empty(), args.send.is_some()) {
        out::hint(&hint);
    }
    if args.enter {
        sesh_enter::go(&server, &record, None, false)?;
    }
    if args.wait.is_some() || args.reply {
        end_clients_on_signal(&server);
    }
    match (&args.send, args.wait) {
        (Some(text), _) => {
            let json = args.json && args.reply;
            send_first_message(&server, &record, text, patience, json)
        }
        (None, Some(Limit(limit))) => wait_until_idle(&server, &record, limit),
        (None, None) => Ok(Exit::Done),
    }
}

/// Returns what the caller may have meant instead.
fn hint_on(record: &Record, is_shell: bool, has_message: bool) -> Option<String> {
    let name = &record.name;
    match record.agent {
        None if is_shell && Agents::loaded().named(name).is_some() => Some(format!(
            "{name} is a shell: --agent {name} starts the agent"
        )),
        Some(_) if !has_message && name.contains(' ') => Some(format!(
            "{} is its name: a first message goes behind --send",
            shown(name)
        )),
        _ => None,
    }
}

/// Returns where the pane is to be created.
fn chosen_place(args: &Args) -> Result<Where> {
    Ok(
        match (args.session, args.window, &args.split, &args.target) {
            (true, ..) => Where::Session,
            (_, true, ..) => Where::Window,
            (_, _, Some(split), _) => Where::Split {
                horizontal: split == "h",
            },
            (_, _, _, Some(place)) => place_of(place)?,
            _ => Where::Default,
        },
    )
}

/// Returns how to wait for the answer to the first message.
fn patience(args: &Args) -> Option<Patience> {
    (args.reply || args.wait.is_some()).then(|| Patience {
        limit: args.wait.and_then(|Limit(limit)| limit),
        reply: args.reply,
    })
}

/// Creates a headless sesh by its first turn.
fn first_turn(
    server: &Server,
    request: CreateRequest,
    turn: &TurnRequest<'_>,
    patience: Option<Patience>,
    json: bool,
) -> anyhow::Result<Exit> {
    if patience.is_some() {
        end_clients_on_signal(server);
    }
    let kind = request.agent.clone().unwrap_or_default();
    let running = turn::first(server, request, &kind, turn)?;
    out::unless_hung_up(if json {
        out::json(&running.record)
    } else {
        out::text(&running.record.uuid.to_string())
    })?;
    if patience.is_none() {
        return Ok(Exit::Done);
    }
    let sent = Sent::of_turn(&running, patience);
    let exit = sesh_send::exit(&sent);
    out::unless_hung_up(if json && patience.is_some_and(|it| it.reply) {
        out::json_line(&SentJson::of(&sent, exit))
    } else {
        sesh_send::print_outcome("sesh-new", &sent, false)
    })?;
    Ok(exit)
}

fn send_first_message(
    server: &Server,
    record: &Record,
    text: &str,
    patience: Option<Patience>,
    json: bool,
) -> anyhow::Result<Exit> {
    // The time that an agent on a busy machine may need until it accepts its first prompt.
    const START_TIMEOUT: Duration = Duration::from_secs(60);
    let text = typeable(text);
    let message = Message {
        text: &text,
        busy: Busy::Refuse,
        draft: Draft::Refuse,
        enter: true,
        allow_agent_commands: false,
        starting: true,
        within: START_TIMEOUT,
    };
    let target = (record.name.clone(), Target::Id(record.uuid));
    let mut worst = Exit::Done;
    for sent in send(server, &[target], message, patience, Headless::default())? {
        worst = sesh_send::exit(&sent);
        let printed = if json {
            out::json_line(&SentJson::of(&sent, worst))
        } else {
            sesh_send::print_outcome("sesh-new", &sent, false)
        };
        out::unless_hung_up(printed)?;
    }
    Ok(worst)
}

fn wait_until_idle(
    server: &Server,
    record: &Record,
    limit: Option<Duration>,
) -> anyhow::Result<Exit> {
    let request = watch::WaitRequest {
        set: Set {
            ids: vec![record.uuid],
            tags: Vec::new(),
        },
        until: vec![WaitEvent::Idle, WaitEvent::Waiting, WaitEvent::Exit],
        how: watch::WaitMode::Any,
        since: WaitSince::Now,
    };
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    match Watch::new(server, request)?.next(deadline)? {
        watch::WaitOutcome::TimedOut => {
            let what = format!("timed out: {} has not finished", record.name);
            Err(Error::new(Exit::TimedOut, what).into())
        }
        _ => Ok(Exit::Done),
    }
}

/// Parses an owner, a short text that is stored without encoding: it is part of conditions that are printed too, where
/// a `%` means a time.
pub(super) fn owner(text: &str) -> Result<String, String> {
    if (1..=64).contains(&text.chars().count()) && value::encode(text) == text {
        Ok(text.into())
    } else {
        Err("an owner is 1 to 64 letters, digits, blanks and _ - . / : @".into())
    }
}

/// Parses a time to live. It is at least a second, because times are stored in whole seconds.
fn ttl(text: &str) -> Result<Duration, String> {
    match clock::duration(text) {
        Ok(time) if time < Duration::from_secs(1) => Err("it must be at least 1s".into()),
        outcome => outcome,
    }
}

/// Returns the absolute path of the folder. Fails where it cannot be entered: tmux would silently start somewhere else.
pub(super) fn folder(given: Option<&Path>) -> Result<PathBuf> {
    let folder = absolute(given.unwrap_or(Path::new(".")))?;
    if folder.to_str().is_none() {
        return Err(Error::unusable(format!(
            "the folder {} is not UTF-8: tmux cannot print its name",
            folder.display()
        )));
    }
    if folder.is_dir() && !proc::may_enter(&folder) {
        return Err(Error::unusable(format!(
            "the folder {} cannot be entered: permission denied",
            folder.display()
        )));
    }
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(Error::nothing(format!("no folder {}", folder.display()))
            .with_way_out("create it, or give another with --cwd"))
    }
}

/// Parses `KEY=VALUE`, of any bytes.
pub(super) fn variable(pair: &OsString) -> Result<(OsString, OsString)> {
    let bytes = pair.as_bytes();
    match bytes.iter().position(|&byte| byte == b'=') {
        Some(at) if at > 0 => Ok((
            OsString::from_vec(bytes[..at].to_vec()),
            OsString::from_vec(bytes[at + 1..].to_vec()),
        )),
        _ => Err(Error::usage(format!(
            "--env {} is not KEY=VALUE",
            pair.display()
        ))),
    }
}

/// Parses `SESSION[:WINDOW]`.
pub(super) fn place_of(text: &str) -> Result<Where> {
    let (session, window) = match text.split_once(':') {
        Some((session, window)) => (session, Some(window).filter(|window| !window.is_empty())),
        None => (text, None),
    };
    if session.is_empty() {
        return Err(Error::usage(
            "--target needs a session: SESSION or SESSION:WINDOW",
        ));
    }
    Ok(Where::At {
        session: session.into(),
        window: window.map(Into::into),
    })
}

/// Returns where the program of the command is looked for, as the value of PATH.
fn search_path(variables: &[(OsString, OsString)]) -> OsString {
    let path = variables.iter().rfind(|(name, _)| name == "PATH");
    path.map_or_else(env::path, |(_, path)| path.clone())
}

/// Parses the name of a model.
pub(super) fn model_name(text: &str) -> Result<String, String> {
    match model::problem(text) {
        None => Ok(text.into()),
        Some(why) => Err(why.into()),
    }
}
