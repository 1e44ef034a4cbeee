//! Headless turns: an agent answers one prompt in a pane of the detached session [`SESSION`], and exits.
//!
//! Between its turns such a sesh is an exited agent with a known conversation. The turns of one sesh follow each other:
//! who starts one holds a lock until it runs, and waits for the end of the one before.

pub mod sweep;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::create::{CreateRequest, plan};
use super::end::{EndOptions, end};
use super::environment;
use super::model;
use super::place::Where;
use super::restore;
use crate::agent::conversation;
use crate::agent::headless::{HeadlessOutcome, HeadlessResult, IdOrigin};
use crate::agent::kinds::{Agent, Agents};
use crate::agent::manifest::Ability;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, SeshId, shown};
use crate::inventory::find;
use crate::journal::launch::LaunchedTurn;
use crate::journal::turn_files::{FileLock, TurnFiles, TurnStarter};
use crate::proc;
use crate::store::commit;
use crate::store::note::{JournalEvent, Note};
use crate::store::prior::Prior;
use crate::store::{Record, Select, Target};
use crate::tmux::Server;

/// The session of the panes of headless turns. It exists while there are some.
pub const SESSION: &str = "sesh-headless";
/// How long a turn may take where nothing else is said.
pub const LIMIT: Duration = Duration::from_secs(60 * 60);
/// How much longer than its limit a turn is awaited. Its end takes some seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a pane may take to close after its process has ended.
const CLOSING: Duration = Duration::from_secs(5);
/// How often it is looked whether it has closed.
const INTERVAL: Duration = Duration::from_millis(20);

/// A turn to start.
#[derive(Clone, Debug)]
pub struct TurnRequest<'a> {
    pub prompt: &'a str,
    /// The time after which it is ended.
    pub limit: Duration,
    /// Whether the caller waits for the result.
    pub waits: bool,
    /// Whether the sesh is forgotten with the turn.
    pub forget: bool,
    /// The tools that the agent may use without asking, as it names them.
    pub allow: &'a [String],
    /// More words for the agent's command line.
    pub words: &'a [OsString],
}

/// A turn that runs.
#[derive(Clone, Debug)]
pub struct RunningTurn {
    pub record: Record,
    files: TurnFiles,
    limit: Duration,
    /// Whether the sesh is forgotten with the turn.
    forget: bool,
}

/// Creates a sesh and starts its first turn.
///
/// # Errors
/// The agent has no headless turns or is not installed, and the errors of [`plan`].
pub fn first(
    server: &Server,
    mut request: CreateRequest,
    kind: &str,
    turn: &TurnRequest<'_>,
) -> Result<RunningTurn> {
    let agent = agent(kind)?;
    let id = *request.id.get_or_insert_with(SeshId::random);
    let chosen = (agent.manifest.headless.id == Some(IdOrigin::Chosen))
        .then(|| SeshId::random().to_string());
    request.argv = words(agent, false, chosen.as_deref().unwrap_or_default(), turn)?;
    let path = environment::path(&request.variables);
    request.argv[0] = program(agent, &request.argv[0], &path, &request.cwd)?;
    request.agent = Some(kind.into());
    request.conversation.clone_from(&chosen);
    start(server, request, id, chosen, false, turn)
}

/// Starts a turn in the conversation of an exited sesh. Waits for the end of a turn that another process has started.
///
/// # Errors
/// [`Exit::Unusable`] if the sesh is alive in a pane, or its conversation is in use elsewhere.
pub fn next(server: &Server, id: SeshId, turn: &TurnRequest<'_>) -> Result<RunningTurn> {
    let _lock = FileLock::to_start(id)?;
    let record = between_turns(server, id)?;
    let kind = record
        .agent
        .as_deref()
        .ok_or_else(|| Error::unusable(format!("{} is no agent: it has no turns", record.name)))?;
    let agent = agent(kind)?;
    let conversation = record.conversation.clone();
    if let Some(conversation) = &conversation
        && !agent.manifest.conversation.may_be(conversation)
    {
        return Err(Error::unusable(format!(
            "{} is not a conversation id of {kind}",
            shown(conversation)
        )));
    }
    if conversation.is_none() && !record.is_headless() {
        return Err(Error::unusable(format!(
            "the conversation of {} is unknown: its hooks report it (sesh-hooks install {kind})",
            record.name
        )));
    }
    let _conversation_lock = conversation
        .as_ref()
        .map(|id| FileLock::to_start_in(kind, id))
        .transpose()?;
    let was_answered = record.exit.is_some_and(|exit| exit.code == Some(0));
    let is_begun = conversation
        .as_deref()
        .is_some_and(|id| was_answered || is_begun(agent, id));
    let chosen = match agent.manifest.headless.id {
        Some(IdOrigin::Chosen) if conversation.is_none() => Some(SeshId::random().to_string()),
        _ => conversation,
    };
    let mut argv = words(agent, is_begun, chosen.as_deref().unwrap_or_default(), turn)?;
    argv.extend(model::repeated(agent, &record, turn.words));
    let prepared = restore::prepare_turn(server, &record, agent, &mut argv)?;
    if prepared.is_queued && !turn.allow.is_empty() {
        return Err(Error::unusable(format!(
            "another process of {kind} has the conversation of {} open, and its own rules count: end it first, or omit \
             --allow",
            record.name
        )));
    }
    let request = CreateRequest {
        name: Some(Name::stored(&record.name)?),
        id: Some(record.uuid),
        agent: record.agent.clone(),
        cwd: PathBuf::from(&record.cwd),
        owner: record.owner.clone(),
        argv,
        prior: Some(Prior::read(server, &record)?),
        variables: vec![("PATH".into(), prepared.path)],
        ..CreateRequest::default()
    };
    // One that is new is written by the turn.
    let known = record.conversation.clone();
    let running = start(
        server,
        request,
        record.uuid,
        known,
        prepared.is_queued,
        turn,
    )?;
    let own = Target::Id(record.uuid);
    let snapshot = find::read(server, &Select::targets(std::slice::from_ref(&own)))?;
    if let Ok(now) = snapshot.find(&own) {
        let note = Note::all(JournalEvent::Changed, now, snapshot.server_id)
            .with_pending(record.kept.is_some());
        commit::note(server, &[note])?;
    }
    Ok(running)
}

impl RunningTurn {
    /// Waits for the end of the turn, returns what came of it, and removes its files. Those of a turn whose sesh is
    /// forgotten stay until [`RunningTurn::end`]: by them `sesh-reap` forgets it if that fails.
    ///
    /// # Errors
    /// [`Exit::TimedOut`] if its process does not end after its time.
    pub fn wait(&self) -> Result<HeadlessResult> {
        let (sender, ended) = mpsc::channel();
        let files = self.files.clone();
        // A lock has no time limit of its own.
        std::thread::spawn(move || {
            files.wait_for_end();
            let _ = sender.send(());
        });
        let most = self.limit.saturating_add(PATIENCE);
        if ended.recv_timeout(most).is_err() {
            return Err(Error::new(
                Exit::TimedOut,
                format!("timed out: the turn of {} does not end", self.record.name),
            ));
        }
        let result = self.files.result();
        let result = result.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let result = result.unwrap_or_else(|| {
            sweep::end_orphans(&self.files);
            let (outcome, why) = if self.files.is_unwritten() {
                let why = "its result could not be written: is the disk full?";
                (HeadlessOutcome::Error, why)
            } else {
                (HeadlessOutcome::Aborted, "its sesh-run was killed")
            };
            HeadlessResult {
                outcome,
                error: Some(why.into()),
                ..HeadlessResult::default()
            }
        });
        if !self.forget {
            self.files.remove();
        }
        Ok(result)
    }

    /// Ends the turn if it still runs, and forgets its sesh if that was asked for.
    ///
    /// # Errors
    /// As [`end`].
    pub fn end(&self, server: &Server) -> Result<()> {
        end_turn(server, &self.record, self.forget)?;
        self.files.remove();
        Ok(())
    }
}

/// Ends what runs of a sesh, and forgets it if wanted.
fn end_turn(server: &Server, record: &Record, forget: bool) -> Result<()> {
    const TIMEOUT: Duration = Duration::from_secs(8);
    let how = EndOptions {
        kill: true,
        forget,
        timeout: TIMEOUT,
    };
    let now = match find::one(server, &Target::Id(record.uuid)) {
        Ok(now) => now,
        // With its last pane the server went.
        Err(error) if error.server_is_gone() && forget => return commit::forget(server, record),
        Err(error) if error.server_is_gone() || error.exit == Exit::Nothing => return Ok(()),
        Err(error) => return Err(error),
    };
    if now.tmux.is_none() && now.bound().is_none() && !forget {
        return Ok(());
    }
    end(server, &now, how, &|_| {}).map(drop)
}

/// Returns the error that a result is, with its exit code. A turn that was answered is none.
#[must_use]
pub fn error_of(result: &HeadlessResult, limit: Duration) -> Option<Error> {
    let what = result.error.as_deref().unwrap_or("no reason is known");
    match result.outcome {
        HeadlessOutcome::Answered => None,
        HeadlessOutcome::Error => Some(Error::failed(format!("the turn failed: {what}"))),
        HeadlessOutcome::Aborted => Some(Error::failed(match &result.error {
            Some(error) => format!("the turn was ended from outside: {error}"),
            None => "the turn was ended from outside".into(),
        })),
        HeadlessOutcome::TimedOut => Some(Error::new(
            Exit::TimedOut,
            format!(
                "timed out: the turn was ended after {}",
                humantime::format_duration(limit)
            ),
        )),
    }
}

fn agent(kind: &str) -> Result<&'static Agent> {
    let agent = Agents::loaded().named(kind);
    let agent = agent.ok_or_else(|| Error::unusable(format!("unknown agent {}", shown(kind))))?;
    if agent.manifest.headless.first.is_some() {
        return Ok(agent);
    }
    let why = if agent.manifest.lacks(Ability::Headless) {
        "its command line cannot do it"
    } else {
        "describe them in a file (plugin/doc/agents.md)"
    };
    Err(Error::unusable(format!(
        "{kind} has no headless turns: {why}"
    )))
}

/// Returns the command line of a turn.
fn words(
    agent: &Agent,
    is_begun: bool,
    conversation: &str,
    turn: &TurnRequest<'_>,
) -> Result<Vec<OsString>> {
    let form = &agent.manifest.headless;
    let words = if is_begun { &form.next } else { &form.first };
    let Some(words) = words.as_ref().filter(|words| !words.is_empty()) else {
        return Err(Error::unusable(format!(
            "{} has no further turns: its manifest has no [headless] next",
            agent.name
        )));
    };
    let words = words
        .iter()
        .map(|word| word.replace("{id}", conversation).into());
    let allowed = allowing(agent, turn.allow)?;
    Ok(words
        .chain(allowed)
        .chain(turn.words.iter().cloned())
        .collect())
}

/// Returns the words that allow tools.
fn allowing(agent: &Agent, tools: &[String]) -> Result<Vec<OsString>> {
    let Some(form) = &agent.manifest.commands.allow else {
        return match tools {
            [] => Ok(Vec::new()),
            _ if agent.manifest.lacks(Ability::Allow) => Err(Error::unusable(format!(
                "{} cannot be told which tools to allow: its own configuration decides",
                agent.name
            ))),
            _ => Err(Error::unusable(format!(
                "the words that allow {} a tool are unknown: describe them in a file (plugin/doc/agents.md)",
                agent.name
            ))),
        };
    };
    let words = tools.iter().flat_map(|tool| {
        let word = move |word: &String| word.replace("{tool}", tool).into();
        form.iter().map(word)
    });
    Ok(words.collect())
}

fn program(agent: &Agent, word: &OsStr, path: &OsStr, cwd: &Path) -> Result<OsString> {
    let found = which::which_in(word, Some(path), cwd).map_err(|_| {
        Error::nothing(format!(
            "{} is not installed: no {} in {}",
            agent.name,
            shown(&word.to_string_lossy()),
            path.display()
        ))
    })?;
    Ok(found.into_os_string())
}

/// Returns whether a conversation with this id exists. An id is chosen before the first turn, which may have failed.
fn is_begun(agent: &Agent, id: &str) -> bool {
    let can_tell = agent.manifest.transcripts.files.is_some()
        && agent.manifest.headless.id == Some(IdOrigin::Chosen);
    let variable = |name: &str| env::folder(name).map(Into::into);
    !can_tell || conversation::is_kept(agent, id, variable)
}

fn start(
    server: &Server,
    mut request: CreateRequest,
    id: SeshId,
    conversation: Option<String>,
    queued: bool,
    turn: &TurnRequest<'_>,
) -> Result<RunningTurn> {
    let starter = TurnStarter {
        process: proc::own(),
        sesh: id,
        socket: server.address().unwrap_or_default(),
        waits: turn.waits,
        forget: turn.forget,
    };
    let kind = request.agent.clone().unwrap_or_default();
    let files = TurnFiles::make(&starter, turn.prompt)?;
    let in_use =
        || Error::unusable("another headless turn runs in this conversation: wait for its end");
    let is_free = match &conversation {
        Some(conversation) => FileLock::to_run(&files, &kind, conversation).map(|it| it.is_some()),
        None => Ok(true),
    };
    request.turn = Some(LaunchedTurn {
        folder: files.folder().into(),
        kind,
        conversation: conversation.unwrap_or_default(),
        limit: turn.limit.as_secs().max(1),
        queued,
    });
    request.place = Where::At {
        session: SESSION.into(),
        window: None,
    };
    let made = is_free
        .and_then(|is_free| if is_free { Ok(()) } else { Err(in_use()) })
        .and_then(|()| plan(server, request)?.carry_out(server));
    match made {
        Ok(record) => Ok(RunningTurn {
            record,
            files,
            limit: turn.limit,
            forget: turn.forget,
        }),
        Err(error) => {
            // The pane may still be created, and reads them then.
            if error.exit != Exit::Unconfirmed {
                files.remove();
            }
            Err(error)
        }
    }
}

/// Returns the record of a sesh once no turn of it runs.
fn between_turns(server: &Server, id: SeshId) -> Result<Record> {
    let mut deadline = None;
    loop {
        for files in TurnFiles::all() {
            let Some(starter) = files.starter().filter(|starter| starter.sesh == id) else {
                continue;
            };
            if files.runner().is_some_and(proc::is_alive) {
                files.wait_for_end();
                deadline = None;
            }
            sweep::end_orphans(&files);
            if !(starter.waits && proc::is_alive(starter.process)) {
                files.remove();
            }
        }
        let record = find::one(server, &Target::Id(id))?;
        let is_closing = record.is_headless() && record.tmux.is_some();
        if !is_closing {
            return Ok(record);
        }
        let now = Instant::now();
        if now >= *deadline.get_or_insert(now + CLOSING) {
            return Err(Error::new(
                Exit::TimedOut,
                format!(
                    "the pane of the last turn of {} does not close",
                    record.name
                ),
            ));
        }
        std::thread::sleep(INTERVAL); // why: tmux closes the pane of a process that has ended a moment later.
    }
}
