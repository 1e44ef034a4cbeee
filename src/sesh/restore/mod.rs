//! Restores an exited sesh: the same identity in a new pane, its agent in the same conversation, its command typed.

mod await_start;
mod refuse;
pub mod restore_all;
pub mod resurrect;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::create::{CreateRequest, plan};
use super::model;
use super::place::Where;
use crate::agent::kinds::{Agent, Agents};
use crate::agent::turn_setting;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, ServerId, shown};
use crate::inventory::{find, reconcile};
use crate::store::commit;
use crate::store::durable;
use crate::store::note::{JournalEvent, Note};
use crate::store::prior::Prior;
use crate::store::{Key, Record, Select, Target, value};
use crate::tmux::{Batch, Frame, Server, command};

/// How to restore a sesh.
pub struct RestoreOptions<'a> {
    /// Run the command. Otherwise it is typed and waits for Enter.
    pub run: bool,
    /// Additional words for the agent's command line.
    pub words: Vec<OsString>,
    /// Where it goes. `None` is a window of its former session.
    pub place: Option<Where>,
    /// How long an agent may take until it is ready. Reading a long conversation takes minutes.
    pub within: Duration,
    /// Called once, with a sentence, when it takes longer than a second.
    pub late: &'a dyn Fn(&str),
}

impl RestoreOptions<'_> {
    /// The options of a person who specifies nothing else.
    pub const DEFAULT: RestoreOptions<'static> = RestoreOptions {
        run: false,
        words: Vec::new(),
        place: None,
        within: Duration::from_secs(120),
        late: &|_| {},
    };
}

/// Restores an exited sesh and returns its new record. By then its agent is ready, in its conversation.
///
/// # Errors
/// [`Exit::Unusable`] when the restore would do harm or is impossible; [`Exit::Changed`] when another process was
/// first; [`Exit::Failed`], with its last lines, for an agent that did not start: then everything is as before.
/// [`Exit::TimedOut`] and [`Exit::Unconfirmed`] for an agent that is alive and is not ready yet, or is in another
/// conversation.
pub fn one(server: &Server, record: &Record, options: &RestoreOptions<'_>) -> Result<Record> {
    match try_one(server, record, options) {
        Err(error) if error.exit == Exit::Changed && record.kept.is_none() => {
            match find::one(server, &Target::Id(record.uuid)) {
                // It has left the server since it was read, and now the journal has it.
                Ok(now) if now.kept.is_some() => try_one(server, &now, options),
                _ => Err(error),
            }
        }
        outcome => outcome,
    }
}

fn try_one(server: &Server, record: &Record, options: &RestoreOptions<'_>) -> Result<Record> {
    let agents = &Agents::loaded().all;
    refuse::living(record)?;
    let path = search_path(server, record);
    let resumed = resumed(record, agents, options, &path)?;
    refuse::folder(record)?;
    if let Some(resumed) = &resumed {
        refuse::conversation(server, record, resumed)?;
    }
    let past = Prior::read(server, record)?;
    let made = plan(
        server,
        request(server, record, &past, resumed.as_ref(), options, path)?,
    )?;
    let made = made.carry_out(server).map_err(|error| match error.exit {
        // Another process was first. A more specific error may apply.
        Exit::Changed => find::one(server, &Target::Id(record.uuid))
            .and_then(|now| refuse::living(&now))
            .and_then(|()| match &resumed {
                Some(resumed) => refuse::conversation(server, record, resumed),
                None => Ok(()),
            })
            .err()
            .unwrap_or(error),
        _ => error,
    })?;
    if let Some(resumed) = &resumed
        && let Err(error) = await_start::wait(server, &made, resumed, agents, options)
    {
        if error.undo {
            let panes = made.tmux.iter().map(|place| place.pane);
            past.restore_end(server, &panes.collect::<Vec<_>>())?;
        }
        return Err(error.error);
    }
    reconcile::reconcile_known(server)?;
    let own = Target::Id(record.uuid);
    let snapshot = find::read(server, &Select::targets(std::slice::from_ref(&own)))?;
    let mut now = snapshot.find(&own)?.clone();
    // The process in the pane records its command a moment later.
    now.values.set(Key::Cmd, made.values.get(Key::Cmd));
    now.command.clone_from(&made.command);
    let note = Note::all(JournalEvent::Changed, &now, snapshot.server_id)
        .with_pending(record.kept.is_some());
    commit::note(server, &[note])?;
    Ok(now)
}

/// Checks whether an exited sesh can be restored at this moment, by what [`one`] refuses before it does anything.
///
/// # Errors
/// The reason and the way out.
pub fn check_restorable(server: &Server, record: &Record) -> Result<()> {
    let agents = &Agents::loaded().all;
    refuse::living(record)?;
    let path = search_path(server, record);
    let resumed = resumed(record, agents, &RestoreOptions::DEFAULT, &path)?;
    refuse::folder(record)?;
    refuse::name(server, record)?;
    match &resumed {
        Some(resumed) => refuse::conversation(server, record, resumed),
        None => Ok(()),
    }
}

/// What a headless turn in an existing conversation needs to know.
pub(super) struct PreparedTurn {
    /// The value of PATH.
    pub path: OsString,
    /// Another process of the agent has the conversation open, and its queue takes the prompt.
    pub is_queued: bool,
}

/// Checks whether an exited agent can be given a headless turn, and replaces the program of the command line by its path.
///
/// # Errors
/// The reason and the way out. [`Exit::Unusable`] if its conversation is in use elsewhere, or may be.
pub(super) fn prepare_turn(
    server: &Server,
    record: &Record,
    agent: &Agent,
    argv: &mut [OsString],
) -> Result<PreparedTurn> {
    refuse::living(record)?;
    refuse::folder(record)?;
    let path = search_path(server, record);
    refuse::program(argv, &agent.name, record, &path)?;
    let mut is_queued = false;
    if let Some(conversation) = record.conversation.clone() {
        let resumed = Resumed {
            agent,
            conversation,
            argv: Vec::new(),
        };
        refuse::conversation(server, record, &resumed)?;
        is_queued = refuse::second_writer(record, &resumed)?;
    }
    refuse::name(server, record)?;
    Ok(PreparedTurn { path, is_queued })
}

/// Returns where the programs of a sesh are looked for, as the value of PATH: where its command found them, in the folder
/// of its command, and where the caller finds them. A server that a desktop or systemd has started finds less than the
/// shell in which the sesh was created.
fn search_path(server: &Server, record: &Record) -> OsString {
    let recorded = durable::Journal::of(server, record.uuid).path(record.uuid);
    let own = env::path();
    let command = record.command.first().map(Path::new);
    let folder = command.filter(|it| it.is_absolute()).and_then(Path::parent);
    let mut folders: Vec<PathBuf> = Vec::new();
    let recorded = recorded.iter().flat_map(std::env::split_paths);
    let all = recorded
        .chain(std::env::split_paths(&own))
        .chain(folder.map(Into::into));
    for folder in all {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    std::env::join_paths(folders).unwrap_or(own)
}

/// An agent that is started in its former conversation.
struct Resumed<'a> {
    agent: &'a Agent,
    conversation: String,
    argv: Vec<OsString>,
}

/// Returns the command line with which an agent resumes its conversation. Returns `None` for a sesh without an agent.
fn resumed<'a>(
    record: &Record,
    agents: &'a [Agent],
    options: &RestoreOptions<'_>,
    path: &OsStr,
) -> Result<Option<Resumed<'a>>> {
    let Some(kind) = &record.agent else {
        if options.words.is_empty() {
            return Ok(None);
        }
        return Err(Error::usage(format!(
            "{} is not an agent: its command takes no more arguments",
            record.name
        )));
    };
    let name = &record.name;
    let agent = agents.iter().find(|agent| agent.name == *kind);
    let agent = agent.ok_or_else(|| {
        Error::unusable(format!(
            "{name} was {}, which is not a known agent: describe it in a file (plugin/doc/agents.md)",
            shown(kind)
        ))
    })?;
    let Some(words) = &agent.manifest.commands.resume else {
        return Err(Error::unusable(format!(
            "{kind} cannot resume a conversation: sesh-new --agent {kind} --cwd {} starts a new one",
            record.cwd
        )));
    };
    let Some(conversation) = record.conversation.clone() else {
        return Err(Error::unusable(format!(
            "the conversation of {name} is unknown: its hooks report it (sesh-hooks install {kind}); sesh-new --agent \
             {kind} --cwd {} starts a new one",
            record.cwd
        )));
    };
    if !agent.manifest.conversation.may_be(&conversation) {
        return Err(Error::unusable(format!(
            "{} is not a conversation id of {kind}: sesh-new --agent {kind} starts a new one",
            shown(&conversation)
        )));
    }
    let mut argv: Vec<OsString> = words
        .iter()
        .map(|word| word.replace("{id}", &conversation).into())
        .collect();
    if record.is_headless() {
        let variable = |name: &str| env::folder(name).map(Into::into);
        argv.extend(turn_setting::words(agent, &conversation, variable));
    }
    argv.extend(model::repeated(agent, record, &options.words));
    argv.extend(options.words.iter().cloned());
    refuse::program(&mut argv, kind, record, path)?;
    Ok(Some(Resumed {
        agent,
        conversation,
        argv,
    }))
}

/// Returns the name of the session in which the sesh was. The journal holds it, and the book record does not. If the sesh
/// has exited on this server, a session of that name that was created only after its end is another one. A sesh without
/// an end was lost with another server, also after this one has offered to restore it.
fn session(server: &Server, record: &Record) -> Option<String> {
    let name = durable::Journal::of(server, record.uuid).session(record.uuid)?;
    let frame = Frame::new();
    let format = [
        "#{pid}",
        "#{start_time}",
        "#{session_created}",
        "#{session_name}",
    ];
    let output = server.run(&Batch::from(command::list_panes(
        &frame.format(format),
        None,
    )));
    let Ok(output) = output else {
        return record.kept.is_some().then_some(name);
    };
    let (rows, _) = frame.read(&output);
    let present = rows.first().and_then(|row| ServerId::read(row[0], row[1]));
    let end = record.exit.and_then(|exit| exit.at);
    if record
        .kept
        .as_ref()
        .is_some_and(|kept| kept.server != present || end.is_none())
    {
        return Some(name);
    }
    let created = rows.iter().find_map(|row| match row[..] {
        [_, _, created, own] if own == name => created.parse::<u64>().ok(),
        _ => None,
    });
    let is_another =
        created.is_some_and(|created| record.created_at < Some(created) && end <= Some(created));
    (!is_another).then_some(name)
}

fn request(
    server: &Server,
    record: &Record,
    past: &Prior,
    resumed: Option<&Resumed<'_>>,
    options: &RestoreOptions<'_>,
    path: OsString,
) -> Result<CreateRequest> {
    let command = || {
        value::decode_words(record.values.get(Key::Cmd))
            .into_iter()
            .map(std::os::unix::ffi::OsStringExt::from_vec)
            .collect()
    };
    let place = record.tmux.as_ref();
    let last_session = || session(server, record);
    let argv: Vec<OsString> = resumed.map_or_else(command, |resumed| resumed.argv.clone());
    Ok(CreateRequest {
        name: Some(Name::stored(&record.name)?),
        id: Some(record.uuid),
        agent: record.agent.clone(),
        cwd: PathBuf::from(&record.cwd),
        place: match &options.place {
            Some(place) => place.clone(),
            // The session of the headless turns is no place to work in.
            None if record.is_headless() => Where::Default,
            None => Where::Back {
                session: place
                    .map(|place| place.session_id.clone())
                    .or_else(last_session),
            },
        },
        owner: record.owner.clone(),
        wait: resumed.is_none() && !argv.is_empty() && !options.run,
        argv,
        prior: Some(past.clone()),
        variables: vec![("PATH".into(), path)],
        ..CreateRequest::default()
    })
}
