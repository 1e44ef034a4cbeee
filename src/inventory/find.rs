//! Finds seshes: reads the store, and updates it in memory from the process table and the agents where these are newer.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::agent::kinds::Agents;
use crate::error::{self, Error, ErrorKind, Exit, Result};
use crate::id::{PaneId, Tag};
use crate::pane::agent::{self, FACT_FORMATS, PaneAgent, PaneFacts, agent_in};
use crate::pane::shell::is_at_prompt;
use crate::proc;
use crate::state::State;
use crate::store::condition::{self, both, either, registered};
use crate::store::query::{Pane, Past, read_row, row_format};
use crate::store::target::search_tag;
use crate::store::{Key, Record, Select, Snapshot, Target, write};
use crate::tmux::{Batch, Frame, Server, command};

/// The number of panes from which several threads read the process table. Reading it is system calls alone, 10 us for
/// each shell.
const PARALLEL_FROM: usize = 200;

/// Reads the store and the process table.
///
/// # Errors
/// As [`Server::run`].
pub fn read(server: &Server, select: &Select) -> Result<Snapshot> {
    let mut snapshot = Snapshot::read(server, select)?;
    look_at(server, &mut snapshot.panes)?;
    Ok(snapshot)
}

/// Reads every server of this user. A server that does not answer causes a warning, and the others are still read. A
/// server that has ended causes a warning only if the caller named it.
///
/// # Errors
/// As [`Server::all`], and [`Exit::NoServer`] when there is none.
pub fn read_all(select: &Select) -> Result<Vec<Snapshot>> {
    const TIMEOUT: Duration = Duration::from_secs(3);
    // What a thread does beside waiting for its server.
    const MARGIN: Duration = Duration::from_millis(500);
    let (servers, named) = Server::all()?;
    let asked: Vec<_> = servers
        .into_iter()
        .map(|server| {
            let (sender, receiver) = mpsc::channel();
            let (select, asked) = (select.clone(), server.clone().within(TIMEOUT));
            // A server that is stopped blocks only its own thread.
            std::thread::spawn(move || {
                // The receiver is gone when the answer comes too late.
                let _ = sender.send(read(&asked, &select));
            });
            (server, receiver)
        })
        .collect();
    let deadline = Instant::now() + TIMEOUT + MARGIN;
    let mut snapshots = Vec::new();
    for (server, answer) in asked {
        let left = deadline.saturating_duration_since(Instant::now());
        match answer.recv_timeout(left) {
            Ok(Ok(snapshot)) => snapshots.push(snapshot),
            Ok(Err(error)) if error.exit == Exit::NoServer && !named => {}
            Ok(Err(error)) if error.kind != ErrorKind::NoAnswer => error::warn(error.to_string()),
            _ => {
                let socket = server.address().unwrap_or_default();
                error::warn(format!(
                    "the tmux server at {} does not answer and is skipped",
                    socket.display()
                ));
            }
        }
    }
    if snapshots.is_empty() {
        return Err(Error::new(
            Exit::NoServer,
            "no tmux server of this user answers: start one with tmux",
        ));
    }
    Ok(snapshots)
}

/// Updates the records of panes with what is newer than the store.
pub(crate) fn look_at(server: &Server, panes: &mut [Pane]) -> Result<()> {
    let threads = match panes.len() {
        0..PARALLEL_FROM => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let share = panes.len().div_ceil(threads).max(1);
    let mut shares = panes.chunks_mut(share);
    let own = shares.next();
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(|| update_from_processes(share));
        }
        update_from_processes(own.unwrap_or_default());
    });
    read_agents(server, panes)
}

fn update_from_processes(panes: &mut [Pane]) {
    for record in panes.iter_mut().filter_map(|pane| pane.record.as_mut()) {
        update_from_process(record);
    }
}

/// Returns the sesh that a target means.
///
/// # Errors
/// As [`Snapshot::find`].
pub fn one(server: &Server, target: &Target) -> Result<Record> {
    let snapshot = read(server, &Select::targets(std::slice::from_ref(target)))?;
    snapshot.find(target).cloned()
}

/// Returns the seshes that have a pane and all of these tags, the oldest first.
///
/// # Errors
/// As [`Server::run`], and [`Exit::Nothing`] when there is none.
pub fn tagged(server: &Server, tags: &[Tag]) -> Result<Vec<Record>> {
    let select = Select {
        filter: Some(all_tags(tags)),
        ..Select::default()
    };
    let snapshot = read(server, &select)?;
    sorted(
        snapshot.with_pane(),
        tags,
        "no sesh with a pane has the tag",
    )
}

/// Like [`tagged`], with the exited seshes that have no pane any more.
///
/// # Errors
/// As [`tagged`].
pub fn tagged_or_exited(server: &Server, tags: &[Tag]) -> Result<Vec<Record>> {
    let select = Select {
        filter: Some(all_tags(tags)),
        ended: true,
        past: tags
            .first()
            .map_or(Past::No, |tag| Past::Of(search_tag(tag))),
        ..Select::default()
    };
    let snapshot = read(server, &select)?;
    sorted(snapshot.records(), tags, "no sesh has the tag")
}

/// Returns the condition that a pane is a sesh with all of these tags.
#[must_use]
pub fn all_tags(tags: &[Tag]) -> String {
    tags.iter()
        .map(condition::tagged)
        .fold(registered(), |all, one| both(&all, &one))
}

fn sorted<'a>(
    records: impl Iterator<Item = &'a Record>,
    tags: &[Tag],
    none: &str,
) -> Result<Vec<Record>> {
    let pane = |record: &Record| record.tmux.as_ref().map(|place| place.pane);
    let mut records: Vec<Record> = records.filter(|it| it.has_tags(tags)).cloned().collect();
    records.sort_by_key(|record| (record.created_at, pane(record)));
    if records.is_empty() {
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        return Err(Error::nothing(format!("{none} {}", tags.join(" and ")))
            .with_way_out("sesh-list --all --tags shows those in use"));
    }
    Ok(records)
}

/// Returns the sesh of a pane and, if `format` is given, that format expanded there. Returns `None` when the pane is no
/// sesh or is gone.
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
    // The screen comes first, and for every pane. For a pane that does not exist it ends the list before the formats,
    // on which tmux 3.2a would crash. A condition on the pane's agent would cost more than a screen.
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
    found.find_where_seen(server)?;
    update_from_processes(std::slice::from_mut(&mut found));
    if let Some(record) = found
        .record
        .as_mut()
        .filter(|record| has_live_agent(record))
    {
        let facts = read_evidence(sections.into_iter())?;
        update_from_agents(&mut [record], &facts);
    }
    Ok(found.record.map(|record| (record, formatted.into())))
}

/// Whether the current activity of an agent decides the state of a sesh.
fn has_live_agent(record: &Record) -> bool {
    record.live && record.agent.is_some() && !record.is_headless()
}

/// Returns the format of a row with the facts of an agent's pane. [`read_evidence`] reads it, together with the screens
/// of the same question.
fn evidence_format(frame: &Frame) -> String {
    let row = ["#{pane_id}", write::NOW].into_iter().chain(FACT_FORMATS);
    frame.format(row)
}

/// What tmux reports of each agent's pane, with the server's clock at that time.
type FactsOfPanes<'a> = HashMap<PaneId, (u64, PaneFacts<'a>)>;

fn read_evidence<'a>(
    sections: impl Iterator<Item = (Vec<&'a str>, &'a str)>,
) -> Result<FactsOfPanes<'a>> {
    let mut facts = FactsOfPanes::new();
    let mut screens: HashMap<PaneId, &str> = HashMap::new();
    for (row, text) in sections {
        if let Some(pane) = agent::screen_of(&row) {
            screens.insert(pane, text);
        } else if let [pane, now, fields @ ..] = &row[..] {
            let now = now.parse().unwrap_or(0);
            facts.insert(pane.parse()?, (now, PaneFacts::of(fields)));
        }
    }
    for (pane, (_, facts)) in &mut facts {
        facts.screen = screens.get(pane).copied();
    }
    Ok(facts)
}

/// Updates the records of panes with what their agents do now. Asks tmux only if there are agents.
fn read_agents(server: &Server, panes: &mut [Pane]) -> Result<()> {
    // A longer chain of conditions costs more on each pane than the screens it saves.
    const MAX_CONDITIONS: usize = 4;
    let mut with_agent: Vec<&mut Record> = panes
        .iter_mut()
        .filter_map(|pane| pane.record.as_mut())
        .filter(|record| has_live_agent(record))
        .collect();
    let places = || with_agent.iter().filter_map(|record| record.tmux.as_ref());
    let condition = match with_agent.len() {
        0 => return Ok(()),
        1..=MAX_CONDITIONS => places()
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
    update_from_agents(&mut with_agent, &read_evidence(frame.sections(&output))?);
    Ok(())
}

/// Updates records with what their agents do, by the facts that tmux reports and by their processes.
fn update_from_agents(with_agent: &mut [&mut Record], facts: &FactsOfPanes<'_>) {
    let places = with_agent.iter().filter_map(|record| record.tmux.as_ref());
    let firsts: Vec<i32> = places.map(|place| place.pid).collect();
    let processes = agent::processes(&firsts);
    let agents = Agents::loaded();
    for record in with_agent {
        let Some(place) = record.tmux.as_ref() else {
            continue;
        };
        if let Some((now, facts)) = facts.get(&place.pane) {
            let first = place.pid;
            let pane_agent = agent_in(first, &processes, &agents.all, Some(record), *facts, *now);
            update_from_agent(record, pane_agent.as_ref(), *now);
        }
    }
}

/// Updates a record with what its agent does now.
fn update_from_agent(record: &mut Record, pane_agent: Option<&PaneAgent<'_>>, now: u64) {
    let Some(pane_agent) = pane_agent else {
        // No agent has been seen yet, or it is gone.
        if !record.values.get(Key::Pid).is_empty() {
            let state = state_without_agent(record);
            record.agent = None;
            record.agent_pid = None;
            record.conversation = None;
            record.set_state(state, None, "process", Some(now));
        }
        return;
    };
    record.agent = Some(pane_agent.process_of_agent.agent.name.clone());
    record.agent_pid = Some(pane_agent.process_of_agent.process.pid);
    let known = record.values.get(Key::Pid);
    if pane_agent.conversation.is_some() || !(known.is_empty() || pane_agent.matches_stored(known))
    {
        record.conversation.clone_from(&pane_agent.conversation);
    }
    if let Some(verdict) = pane_agent.state() {
        record.set_state(verdict.state, verdict.why, verdict.by.as_str(), Some(now));
    }
}

fn update_from_process(record: &mut Record) {
    if record.is_shell() && record.tmux.is_some() {
        let state = shell_state(record).unwrap_or(State::Unknown);
        record.set_state(state, None, "process", None);
    }
}

/// Returns the state of a shell: idle while it is at its prompt in the foreground of its terminal, else busy. Returns
/// `None` for anything but a shell, whose state only the store has, and when the process cannot be read.
pub(crate) fn shell_state(record: &Record) -> Option<State> {
    if !record.is_shell() {
        return None;
    }
    let first = record.tmux.as_ref()?.pid;
    let known = record.shell().filter(|_| record.is_made());
    // The shell alone shows which process has the foreground of its terminal, so that the first process is not read.
    let known = known.and_then(proc::read);
    if let Some(shell) = known.filter(|shell| shell.parent == first && !shell.zombie) {
        return Some(state_by_shell(&shell));
    }
    let first = proc::read(first)?;
    let shell = match (record.is_made(), record.shell()) {
        // The shell leads a process group of its own.
        (true, Some(shell)) => (first.foreground == shell)
            .then(|| proc::read(shell))
            .flatten(),
        // The shell is not recorded yet. It is the child of the `sesh-run` that is the first process.
        (true, None) => proc::read(first.foreground).filter(|front| front.parent == first.pid),
        (false, _) => return Some(state_by_shell(&first)),
    };
    Some(if shell.is_some_and(|shell| is_at_prompt(&shell)) {
        State::Idle
    } else {
        State::Busy
    })
}

/// Returns the state of a pane by its shell, or by the first process of a pane that existed before its sesh: idle for a
/// shell that is at its prompt in the foreground of its terminal, else busy.
pub(crate) fn state_by_shell(shell: &proc::Process) -> State {
    if shell.foreground == shell.group && is_at_prompt(shell) {
        State::Idle
    } else {
        State::Busy
    }
}

/// Returns the state of a sesh whose agent is gone: the state of its shell. A sesh with a command is busy.
pub(crate) fn state_without_agent(record: &Record) -> State {
    let mut record = record.clone();
    record.agent = None;
    record.state = State::Unknown;
    if record.command.is_empty() {
        shell_state(&record).unwrap_or(State::Unknown)
    } else {
        State::Busy
    }
}
