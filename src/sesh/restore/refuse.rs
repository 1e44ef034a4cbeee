//! What a sesh is not restored for, each with the way out.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Resumed;
use crate::agent::conversation;
use crate::agent::recognise::{OwnProcesses, ProcessReader, everywhere, is_of};
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::Name;
use crate::proc::{self, Process};
use crate::store::condition::{both, equal, name_is_free};
use crate::store::prior::name_is_taken;
use crate::store::{Key, Record, value};
use crate::tmux::{Batch, Frame, Server, command};

/// How long to wait for answers from the user's other servers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Refuses a sesh that is alive, or in whose pane another process runs.
pub(super) fn living(record: &Record) -> Result<()> {
    let name = &record.name;
    match &record.tmux {
        Some(place) if record.live => Err(Error::unusable(format!(
            "{name} is alive in pane {}: sesh-enter {name} goes there",
            place.pane
        ))),
        Some(place) if record.exit.is_none() => Err(Error::unusable(format!(
            "another process runs in the pane of {name}, {}: sesh-reap releases the pane",
            place.pane
        ))),
        None if record.lost_server().is_some() => Err(record.no_pane("")),
        _ => Ok(()),
    }
}

/// Refuses a folder that is gone or cannot be entered. tmux would silently start somewhere else.
pub(super) fn folder(record: &Record) -> Result<()> {
    let folder = Path::new(&record.cwd);
    if folder.is_dir() && proc::may_enter(folder) {
        return Ok(());
    }
    let what = if folder.is_dir() {
        "cannot be entered"
    } else {
        "is gone"
    };
    Err(Error::unusable(format!(
        "the folder of {}, {}, {what}: create it first",
        record.name, record.cwd
    )))
}

/// Refuses an agent that is not installed. Replaces its program by the path that was found.
pub(super) fn program(
    argv: &mut [OsString],
    kind: &str,
    record: &Record,
    path: &OsStr,
) -> Result<()> {
    let Some(program) = argv.first_mut() else {
        return Err(Error::unusable(format!(
            "{kind} has no command to resume a conversation"
        )));
    };
    let found = which::which_in(&*program, Some(path), &record.cwd).map_err(|_| {
        Error::unusable(format!(
            "{kind} is not installed: no {} in {}",
            program.display(),
            path.display()
        ))
    })?;
    *program = found.into_os_string();
    Ok(())
}

/// Refuses a name that a living sesh has by now.
pub(super) fn name(server: &Server, record: &Record) -> Result<()> {
    let free = name_is_free(&Name::stored(&record.name)?, Some(record.uuid));
    let question = command::print(None, &format!("#{{?{free},free,taken}}"));
    let answer = match server.run(&Batch::from(question)) {
        Err(error) if error.exit == Exit::NoServer => return Ok(()),
        outcome => outcome?,
    };
    if answer.trim() == "free" {
        return Ok(());
    }
    Err(name_is_taken(&record.name))
}

/// Refuses a conversation that is in use elsewhere. With two writers it would become two conversations.
pub(super) fn conversation(server: &Server, record: &Record, resumed: &Resumed<'_>) -> Result<()> {
    let name = &record.name;
    let id = &resumed.conversation;
    let refused = |place: &str, way_out: &str| {
        Err(Error::unusable(format!(
            "the conversation of {name} is in use in {place}: {way_out}"
        )))
    };
    if let Some(Elsewhere { name, pane, .. }) = in_pane(server, id)? {
        return refused(
            &format!("{name}, pane {pane}"),
            &format!("sesh-enter {name} goes there"),
        );
    }
    if let Some(Elsewhere { name, pane, socket }) = elsewhere(server, id) {
        return refused(
            &format!("{name}, pane {pane} of another server"),
            &format!("sesh-enter -S {socket} {name} goes there"),
        );
    }
    let file = conversation::transcript(resumed.agent, id, variable);
    let open = file
        .as_ref()
        .map(|file| proc::processes_with_open_file(file.path()));
    let mut open = open.unwrap_or_default();
    // Other programs only read the file.
    open.retain(|process| is_of(resumed.agent, process, &OwnProcesses.program(process.pid)));
    if let Some(process) = in_process(resumed, &open) {
        return refused(
            &format!("the process {} ({})", process.pid, process.name),
            "end it first",
        );
    }
    // Codex's daemon finishes a turn whose terminal is gone.
    if let (Some(process), Some(file)) = (open.first(), file)
        && file.is_in_turn()
    {
        return Err(Error::unusable(format!(
            "the last turn of {name} still runs without a terminal, in process {} ({}): try again when it has ended",
            process.pid, process.name
        )));
    }
    Ok(())
}

/// Refuses a conversation that another process writes, or may write: by the agent's own lock, or because an agent of this
/// kind whose conversation is unknown works in the folder. [`conversation`] does not look for these, because a terminal
/// program that resumes a conversation looks itself, or asks its person. Returns whether the writer has a queue that takes
/// the prompt.
pub(super) fn second_writer(record: &Record, resumed: &Resumed<'_>) -> Result<bool> {
    let name = &record.name;
    let id = &resumed.conversation;
    if conversation::is_locked(resumed.agent, id, variable) {
        let has_queue = resumed.agent.manifest.commands.queue.is_some();
        // The answer is read in the transcript.
        if has_queue && conversation::transcript(resumed.agent, id, variable).is_some() {
            return Ok(true);
        }
        return Err(Error::unusable(format!(
            "another process of {} has the conversation of {name} open: end it first",
            resumed.agent.name
        )));
    }
    if resumed.agent.manifest.conversation.writer.is_some() {
        // The lock has told it.
        return Ok(false);
    }
    let processes = proc::all();
    let unknown = everywhere(&processes, resumed.agent, &OwnProcesses)
        .into_iter()
        .find(|living| {
            let pid = living.process.pid;
            let is_there = proc::folder(pid).is_some_and(|folder| folder == Path::new(&record.cwd));
            let environment = proc::environment(pid);
            // A headless turn locks its conversation.
            let is_turn = environment.get(env::TURN).is_some();
            let id = || conversation::id(living, |name| environment.get(name));
            is_there && !is_turn && id().is_none()
        });
    match unknown {
        None => Ok(false),
        Some(living) => Err(Error::unusable(format!(
            "{} runs in {} and may be in the conversation of {name}: end the process {} first",
            resumed.agent.name, record.cwd, living.process.pid
        ))),
    }
}

/// A living sesh that has the conversation.
struct Elsewhere {
    name: String,
    pane: String,
    socket: String,
}

/// Returns a living sesh of a server that has a conversation.
fn in_pane(server: &Server, conversation: &str) -> Result<Option<Elsewhere>> {
    let has_conversation = both(
        &equal(Key::Conv, &value::encode(conversation)),
        &equal(Key::Exit, ""),
    );
    let frame = Frame::new();
    let format = frame.format([&Key::Name.format(), "#{pane_id}", "#{socket_path}"]);
    let output = match server.run(&Batch::from(command::list_panes(
        &format,
        Some(&has_conversation),
    ))) {
        Err(error) if error.exit == Exit::NoServer => return Ok(None),
        outcome => outcome?,
    };
    let (rows, _) = frame.read(&output);
    let pane = rows.first().and_then(|row| match row[..] {
        [name, pane, socket] => Some(Elsewhere {
            name: name.into(),
            pane: pane.into(),
            socket: socket.into(),
        }),
        _ => None,
    });
    Ok(pane)
}

/// Returns the same for the user's other servers, asked all at once. A server that does not answer must not delay the
/// answer.
fn elsewhere(server: &Server, conversation: &str) -> Option<Elsewhere> {
    let (sender, answers) = mpsc::channel();
    let own = server.address();
    let all = Server::all().map_or_else(|_| Vec::new(), |(all, _)| all);
    for other in all.into_iter().filter(|other| other.address() != own) {
        let (sender, conversation) = (sender.clone(), conversation.to_string());
        let other = other.within(ANSWER_TIMEOUT);
        std::thread::spawn(move || {
            let found = in_pane(&other, &conversation);
            // The receiver is gone when the answer comes too late.
            let _ = sender.send(found.ok().flatten());
        });
    }
    drop(sender);
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match answers.recv_timeout(left) {
            Ok(Some(pane)) => return Some(pane),
            Ok(None) => {}
            Err(_) => return None,
        }
    }
}

fn variable(name: &str) -> Option<OsString> {
    env::folder(name).map(Into::into)
}

/// Returns a process of the agent that is in the conversation: by its files, by its command line, or because it has the
/// conversation's file open.
fn in_process(resumed: &Resumed<'_>, open: &[Process]) -> Option<Process> {
    let id = &resumed.conversation;
    let is_alive = |pid, start: Option<u64>| {
        proc::read(pid).is_some_and(|process| {
            !process.zombie && start.is_none_or(|start| start == process.start)
        })
    };
    let by_files = conversation::holders(&resumed.agent.manifest, id, variable, is_alive);
    if let Some(process) = by_files.first().and_then(|pid| proc::read(*pid)) {
        return Some(process);
    }
    let processes = proc::all();
    everywhere(&processes, resumed.agent, &OwnProcesses)
        .into_iter()
        .find(|living| {
            let environment = proc::environment(living.process.pid);
            let conversation_id = conversation::id(living, |name| environment.get(name));
            let has_file_open = open.iter().any(|holder| holder.pid == living.process.pid);
            conversation_id.as_deref() == Some(id) || has_file_open
        })
        .map(|living| living.process)
}
