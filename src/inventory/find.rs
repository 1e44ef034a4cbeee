//! Finding seshes: the store's answer, with the levels of the process table and of the agents where those are newer.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::agent::kinds::Agents;
use crate::error::{self, Error, ErrorKind, Exit, Result};
use crate::id::PaneId;
use crate::pane::agent::{self, PaneAgent, PaneFacts, TOLD, agent_in};
use crate::proc;
use crate::state::State;
use crate::store::condition::either;
use crate::store::query::{Pane, read_row, row_format};
use crate::store::{Key, Record, Select, Snapshot, Target, write};
use crate::tmux::{Batch, Frame, Server, command};

/// From so many panes on the process table is read by several threads: it is system calls alone, 10 us a shell.
const MANY: usize = 200;

/// Reads the store and the process table.
///
/// # Errors
/// As [`Server::run`].
pub fn read(server: &Server, select: &Select) -> Result<Snapshot> {
    let mut snapshot = Snapshot::read(server, select)?;
    look_at(server, &mut snapshot.panes)?;
    Ok(snapshot)
}

/// Reads every server of this user's. One that does not answer is said, and the others are read; of those that nobody
/// named one that has ended is nothing new.
///
/// # Errors
/// As [`Server::all`], and [`Exit::NoServer`] when there is none.
pub fn read_all(select: &Select) -> Result<Vec<Snapshot>> {
    const PATIENCE: Duration = Duration::from_secs(3);
    let (servers, named) = Server::all()?;
    let asked: Vec<_> = servers
        .into_iter()
        .map(|server| {
            let (sender, receiver) = mpsc::channel();
            let (select, asked) = (select.clone(), server.clone());
            // One that is stopped is waited for by nobody but its own thread.
            std::thread::spawn(move || {
                // Too late an answer has nobody who reads it.
                let _ = sender.send(read(&asked, &select));
            });
            (server, receiver)
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    let mut snapshots = Vec::new();
    for (server, answer) in asked {
        let left = deadline.saturating_duration_since(Instant::now());
        match answer.recv_timeout(left) {
            Ok(Ok(snapshot)) => snapshots.push(snapshot),
            Ok(Err(error)) if error.exit == Exit::NoServer && !named => {}
            Ok(Err(error)) => error::warn(error.to_string()),
            Err(_) => {
                let socket = server.address().unwrap_or_default();
                error::warn(format!(
                    "the tmux server at {} does not answer: it is left out",
                    socket.display()
                ));
            }
        }
    }
    if snapshots.is_empty() {
        return Err(Error::new(
            Exit::NoServer,
            "no tmux server of this user's answers: tmux starts one",
        ));
    }
    Ok(snapshots)
}

/// Puts into the records of panes what is newer than the store.
pub(crate) fn look_at(server: &Server, panes: &mut [Pane]) -> Result<()> {
    let hands = match panes.len() {
        0..MANY => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let share = panes.len().div_ceil(hands).max(1);
    let mut shares = panes.chunks_mut(share);
    let own = shares.next();
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(|| look_at_processes(share));
        }
        look_at_processes(own.unwrap_or_default());
    });
    look_at_agents(server, panes)
}

fn look_at_processes(panes: &mut [Pane]) {
    for record in panes.iter_mut().filter_map(|pane| pane.record.as_mut()) {
        look_at_process(record);
    }
}

/// The sesh that a target means.
///
/// # Errors
/// As [`Snapshot::find`].
pub fn one(server: &Server, target: &Target) -> Result<Record> {
    let snapshot = read(server, &Select::targets(std::slice::from_ref(target)))?;
    snapshot.find(target).cloned()
}

/// The sesh of a pane, and, if asked for, a format of the caller's expanded there. `None` when the pane
/// is no sesh or is gone.
///
/// # Errors
/// As [`Server::run`].
pub fn of_pane(
    server: &Server,
    pane: PaneId,
    format: Option<&str>,
) -> Result<Option<(Record, String)>> {
    let frame = Frame::new();
    let target = pane.to_string();
    // The screen comes first and of every pane: where there is no pane it ends the list, before formats of which 3.2a
    // dies there, and a condition on the pane's agent would cost more than a screen.
    let mut batch = Batch::new()
        .and(agent::screen(&frame, pane))
        .then(command::print(Some(&target), &evidence_format(&frame)))
        .then(command::print(Some(&target), &row_format(&frame)));
    if let Some(format) = format {
        batch = batch.then(command::print(Some(&target), format));
    }
    let output = match server.run(&batch) {
        Err(error) if matches!(error.kind, ErrorKind::NoSuchPane | ErrorKind::EmptyServer) => {
            return Ok(None);
        }
        outcome => outcome?,
    };
    let mut sections: Vec<_> = frame.sections(&output).collect();
    let Some((row, formatted)) = sections.pop() else {
        return Ok(None);
    };
    let Some(mut found) = read_row(&row)? else {
        return Ok(None);
    };
    let formatted = formatted.strip_suffix('\n').unwrap_or(formatted);
    look_at_processes(std::slice::from_mut(&mut found));
    if let Some(record) = found
        .record
        .as_mut()
        .filter(|record| has_live_agent(record))
    {
        let told = read_evidence(sections.into_iter())?;
        judge(&mut [record], &told);
    }
    Ok(found.record.map(|record| (record, formatted.into())))
}

/// Whether what an agent does at this moment decides the state of a sesh.
fn has_live_agent(record: &Record) -> bool {
    record.live && record.agent.is_some()
}

/// The format of a row that tells of an agent's pane: [`read_evidence`] reads it, with the screens that were asked with
/// it.
fn evidence_format(frame: &Frame) -> String {
    let row = ["#{pane_id}", write::NOW].into_iter().chain(TOLD);
    frame.format(row)
}

/// What tmux tells of each pane of an agent, and when, by the server's clock.
type ToldOfPanes<'a> = HashMap<PaneId, (u64, PaneFacts<'a>)>;

fn read_evidence<'a>(
    sections: impl Iterator<Item = (Vec<&'a str>, &'a str)>,
) -> Result<ToldOfPanes<'a>> {
    let mut told = ToldOfPanes::new();
    let mut screens: HashMap<PaneId, &str> = HashMap::new();
    for (row, text) in sections {
        if let Some(pane) = agent::screen_of(&row) {
            screens.insert(pane, text);
        } else if let [pane, now, fields @ ..] = &row[..] {
            let now = now.parse().unwrap_or(0);
            told.insert(pane.parse()?, (now, PaneFacts::of(fields)));
        }
    }
    for (pane, (_, told)) in &mut told {
        told.screen = screens.get(pane).copied();
    }
    Ok(told)
}

/// What the agents of these panes do at this moment: asked only where there are any.
fn look_at_agents(server: &Server, panes: &mut [Pane]) -> Result<()> {
    // A longer chain of conditions costs more on each pane than the screens it saves.
    const FEW: usize = 4;
    let mut with_agent: Vec<&mut Record> = panes
        .iter_mut()
        .filter_map(|pane| pane.record.as_mut())
        .filter(|record| has_live_agent(record))
        .collect();
    let places = || with_agent.iter().filter_map(|record| record.tmux.as_ref());
    let condition = match with_agent.len() {
        0 => return Ok(()),
        1..=FEW => places()
            .map(|place| format!("#{{==:#{{pane_id}},{}}}", place.pane))
            .reduce(|one, other| either(&one, &other))
            .unwrap_or_default(),
        _ => format!("#{{!=:{},}}", Key::Agent.format()),
    };
    let frame = Frame::new();
    let rows = command::list_panes(&evidence_format(&frame), Some(&condition));
    let mut questions = vec![Batch::from(rows)];
    let screen = |pane| Batch::new().and(agent::screen(&frame, pane));
    questions.extend(places().map(|place| screen(place.pane)));
    let output = server.ask_each(&questions)?;
    judge(&mut with_agent, &read_evidence(frame.sections(&output))?);
    Ok(())
}

/// Puts into records what their agents do, by what tmux tells and by their processes.
fn judge(with_agent: &mut [&mut Record], told: &ToldOfPanes<'_>) {
    let places = with_agent.iter().filter_map(|record| record.tmux.as_ref());
    let firsts: Vec<i32> = places.map(|place| place.pid).collect();
    let processes = agent::processes(&firsts);
    let agents = Agents::loaded();
    for record in with_agent {
        let Some(place) = record.tmux.as_ref() else {
            continue;
        };
        if let Some((now, told)) = told.get(&place.pane) {
            let pane_agent = agent_in(place.pid, &processes, &agents.all, *told, *now);
            say(record, pane_agent.as_ref(), *now);
        }
    }
}

/// Puts into a record what its agent does at this moment.
fn say(record: &mut Record, pane_agent: Option<&PaneAgent<'_>>, now: u64) {
    let Some(pane_agent) = pane_agent else {
        // None was seen yet, or it is gone.
        if !record.values.get(Key::Pid).is_empty() {
            let state = level_without_agent(record);
            record.agent = None;
            record.agent_pid = None;
            record.conversation = None;
            record.set_state(state, None, "process", Some(now));
        }
        return;
    };
    record.agent = Some(pane_agent.living.agent.name.clone());
    record.agent_pid = Some(pane_agent.living.process.pid);
    let known = record.values.get(Key::Pid);
    if pane_agent.conversation.is_some() || !(known.is_empty() || pane_agent.was(known)) {
        record.conversation.clone_from(&pane_agent.conversation);
    }
    if let Some(verdict) = pane_agent.state() {
        record.set_state(verdict.state, verdict.why, verdict.by.as_str(), Some(now));
    }
}

fn look_at_process(record: &mut Record) {
    if record.is_shell() && record.tmux.is_some() {
        let state = level(record).unwrap_or(State::Unknown);
        record.set_state(state, None, "process", None);
    }
}

/// A shell is idle while it owns the foreground of its terminal, else busy. `None` of others, of which only the
/// store tells, and where its process cannot be read.
pub(crate) fn level(record: &Record) -> Option<State> {
    if !record.is_shell() {
        return None;
    }
    let first = proc::read(record.tmux.as_ref()?.pid)?;
    let in_front = match (record.is_made(), record.shell()) {
        // The shell leads a group of its own.
        (true, Some(shell)) => first.foreground == shell,
        // Not written down yet: it is the child of the sesh-run that this is.
        (true, None) => proc::read(first.foreground).is_some_and(|front| front.parent == first.pid),
        (false, _) => first.is_shell() && first.foreground == first.group,
    };
    Some(if in_front { State::Idle } else { State::Busy })
}

/// What a sesh does whose agent is gone: its shell's level, and a command that runs is busy.
pub(crate) fn level_without_agent(record: &Record) -> State {
    let mut record = record.clone();
    record.agent = None;
    record.state = State::Unknown;
    if record.command.is_empty() {
        level(&record).unwrap_or(State::Unknown)
    } else {
        State::Busy
    }
}
