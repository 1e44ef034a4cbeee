//! Ends a sesh and proves its end. An idle agent is asked to leave with the text that a person would type for that.
//! What does not end gets signals.

use std::time::{Duration, Instant};

use crate::agent::kinds::Agents;
use crate::error::{Error, Exit, Result};
use crate::inventory::reconcile;
use crate::pane::deliver::{Busy, DeliveryOutcome, Draft, Message, deliver};
use crate::pane::viewers;
use crate::proc::signal::{self, Signal};
use crate::proc::{self, Process};
use crate::state::State;
use crate::store::commit::{self, commit};
use crate::store::condition::equal;
use crate::store::note::Note;
use crate::store::query;
use crate::store::{Binding, Key, Place, Record, Values, record, write};
use crate::tmux::{Batch, Command, Server, command};

/// How to end a sesh.
#[derive(Clone, Copy, Debug)]
pub struct EndOptions {
    /// Send KILL to what does not end otherwise.
    pub kill: bool,
    /// Also remove the record.
    pub forget: bool,
    /// How long HUP and TERM may take together.
    pub timeout: Duration,
}

/// How often the process table is read while a process ends. Only the exit of a child is an event; the end of another
/// process group is not.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long KILL may take. No process can refuse it, but a busy machine needs time.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The time after which a person is notified of what is being waited for.
const NOTIFY_AFTER: Duration = Duration::from_secs(1);

/// A sesh that was ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The session of its processes: the pid of its `sesh-run`.
    session: Option<i32>,
}

/// Returns for each sesh that was ended the processes of its terminal that are still alive: background jobs of a shell,
/// which are not what was started. Reads the process table once for all.
#[must_use]
pub fn still_alive_after(ended: &[Ended]) -> Vec<Vec<Process>> {
    let any = ended.iter().any(|ended| ended.session.is_some());
    let all = if any { proc::all() } else { Vec::new() };
    let of = |ended: &Ended| {
        let living = all.iter().filter(|process| !process.zombie);
        living
            .filter(|process| Some(process.session) == ended.session)
            .cloned()
            .collect()
    };
    ended.iter().map(of).collect()
}

/// Ends a sesh. Calls `late` once, with a sentence, when this takes longer than a second.
///
/// # Errors
/// [`Exit::TimedOut`], with the names of the processes, when something of what was started is still alive.
pub fn end(
    server: &Server,
    record: &Record,
    how: EndOptions,
    late: &dyn Fn(&str),
) -> Result<Ended> {
    if record.agent.is_some() && record.values.get(Key::Conv).is_empty() {
        // The agent's files may show its conversation as long as it is alive. An unknown conversation does not prevent
        // the end.
        let _ = reconcile::reconcile_known(server);
    }
    let processes = SeshProcesses::of(record);
    let mut session = None;
    match (&record.tmux, &processes) {
        (None, None) if record.lost_server().is_some() => {
            return Err(record.no_pane(""));
        }
        (None, None) if !how.forget => {
            return Err(Error::unusable(format!(
                "{} has already exited: --forget removes its record",
                record.name
            )));
        }
        (_, Some(processes)) => {
            if !asked_to_leave(server, record, processes, how, late) {
                processes.end(server, record, how, late)?;
            }
            session = processes.run;
        }
        _ => {}
    }
    match &record.tmux {
        Some(place) if record.is_made() => close(server, record, place)?,
        Some(place) => release(server, record, place)?,
        None => {}
    }
    if how.forget {
        commit::forget(server, record)?;
    }
    Ok(Ended { session })
}

/// Asks an idle agent to leave with the text that a person types for that, if a message can be sent. This lets the
/// agent shut down in order. Returns whether it is gone.
fn asked_to_leave(
    server: &Server,
    record: &Record,
    processes: &SeshProcesses,
    how: EndOptions,
    late: &dyn Fn(&str),
) -> bool {
    let (Some(place), Some(kind), State::Idle) = (&record.tmux, &record.agent, record.state) else {
        return false;
    };
    let agents = &Agents::loaded().all;
    let known = agents.iter().find(|agent| agent.name == *kind);
    let Some(leave) = known.and_then(|agent| agent.manifest.keys.leave.as_ref()) else {
        return false;
    };
    let message = Message {
        text: leave,
        busy: Busy::Refuse,
        draft: Draft::Refuse,
        enter: true,
        allow_agent_commands: true,
        starting: false,
        within: how.timeout / 2,
    };
    let typed = deliver(server, place.pane, Some(record.uuid), agents, message);
    let refused = matches!(typed, Err(_) | Ok(DeliveryOutcome::Refused { .. }));
    !refused
        && wait(
            how.timeout / 2,
            || processes.gone(),
            || {
                late(&format!("waiting for {} to quit …", record.name));
            },
        )
}

/// The processes of a sesh.
#[derive(Clone, Copy, Debug)]
struct SeshProcesses {
    /// The `sesh-run` that passes HUP and TERM on to its command's group, records the end, and then ends too. An
    /// adopted pane has none.
    run: Option<i32>,
    /// The process group of what was started.
    group: Option<i32>,
}

impl SeshProcesses {
    /// Returns the living processes of a sesh, also of one without a pane: a process that ignores HUP outlives its
    /// pane.
    fn of(record: &Record) -> Option<Self> {
        let Binding { pid, start, .. } = record.bound()?;
        let first = proc::read(pid).filter(|process| !process.zombie)?;
        let is_it = start.map_or(record.is_made(), |start| start == first.start);
        if !is_it {
            return None;
        }
        if record.was_made() {
            return Some(Self {
                run: Some(pid),
                group: proc::children(pid).first().copied(),
            });
        }
        // In an adopted pane the foreground job ends: not the shell that started it, and not the job that runs this
        // command.
        let foreground_job = if first.is_shell() {
            first.foreground
        } else {
            first.group
        };
        let own_shell = first.is_shell() && foreground_job == first.group;
        (foreground_job > 1 && !own_shell && foreground_job != proc::own_group()).then_some(Self {
            run: None,
            group: Some(foreground_job),
        })
    }

    /// Returns the living members of the group. This process is left out, because it may have been asked to end its own
    /// pane.
    fn members(&self) -> Vec<Process> {
        let mut members = self.group.map_or_else(Vec::new, proc::group);
        members.retain(|process| !process.is_self());
        members
    }

    fn gone(&self) -> bool {
        !self.run.is_some_and(alive) && self.members().is_empty()
    }

    fn end(
        &self,
        server: &Server,
        record: &Record,
        how: EndOptions,
        late: &dyn Fn(&str),
    ) -> Result<()> {
        let mut signals = vec![
            (Signal::SIGHUP, how.timeout / 2),
            (Signal::SIGTERM, how.timeout / 2),
        ];
        if how.kill {
            signals.push((Signal::SIGKILL, KILL_TIMEOUT));
        }
        for (signal, limit) in signals {
            self.send(signal);
            if wait(limit, || self.gone(), || late(&waiting_for(record, signal))) {
                return Ok(());
            }
        }
        if let (true, Some(run)) = (how.kill, self.run) {
            // With this process the pane closes.
            viewers::lead_back(server, record.tmux.as_ref().map(|place| place.pane));
            let _ = signal::to_process(run, Signal::SIGKILL);
            if wait(KILL_TIMEOUT, || self.gone(), || {}) {
                return Ok(());
            }
        }
        let mut left = self.members();
        if let (true, Some(run)) = (left.is_empty(), self.run) {
            left = proc::session(run);
        }
        Err(still_alive(record, &left, how))
    }

    fn send(&self, signal: Signal) {
        // KILL cannot be passed on. Also, others of the group may be alive when sesh-run has ended.
        let passed_on = signal != Signal::SIGKILL
            && self.run.is_some_and(|run| signal::to_process(run, signal));
        if let Some(group) = self.group
            && !passed_on
        {
            let _ = signal::to_group(group, signal);
            let _ = signal::to_group(group, Signal::SIGCONT);
        }
    }
}

/// What the server prints when the pane of an ended sesh has not closed yet.
const STILL_THERE: &str = "still there";

/// Closes the pane of an ended process now (tmux would close it too, but later), and records the end where `sesh-run` did
/// not: a signal may have ended it before it was ready, and KILL always does.
fn close(server: &Server, record: &Record, place: &Place) -> Result<()> {
    let on_pane = |then: Command| {
        command::if_format(
            Some(&place.pane.to_string()),
            &equal(Key::Id, &record.uuid.to_string()),
            &Batch::from(then),
            &Batch::new(),
        )
    };
    let still_there = on_pane(command::print(None, STILL_THERE));
    let batch = Batch::from(query::print_record(record.uuid)).then(still_there);
    let is_recorded = match server.run(&batch) {
        // With its last pane the server went.
        Err(error) if error.server_is_gone() => true,
        outcome => {
            let answer = outcome?;
            let mut lines = answer.lines();
            let book = lines.next().unwrap_or_default();
            if lines.any(|line| line == STILL_THERE) {
                viewers::lead_back(server, Some(place.pane));
                let close = on_pane(command::kill_pane(place.pane));
                match server.run(&Batch::from(close)) {
                    Err(error) if error.server_is_gone() => {}
                    outcome => drop(outcome?),
                }
            }
            Values::from_book(book).is_none_or(|values| !values.get(Key::Exit).is_empty())
        }
    };
    if is_recorded {
        return Ok(());
    }
    reconcile::reconcile_known(server)
}

fn waiting_for(record: &Record, signal: Signal) -> String {
    format!(
        "waiting for {} to end ({} sent) …",
        record.name,
        signal.as_str()
    )
}

/// Unregisters an adopted pane. The pane and its shell stay.
fn release(server: &Server, record: &Record, place: &Place) -> Result<()> {
    let pane = place.pane.to_string();
    let mut release = Batch::new();
    let exit = record::ExitStatus::value(None, None);
    release.extend(write::end(&pane, &exit));
    release.extend([write::book(&pane, record.uuid)]);
    release.extend(write::unregister(&pane));
    let end = Note::end(record.uuid, &exit, None);
    run_on_pane(server, record, place, &release, vec![end])
}

/// Runs a batch if the pane still is the sesh's, and writes the notes. It is no error if the server ended with its last
/// pane.
fn run_on_pane(
    server: &Server,
    record: &Record,
    place: &Place,
    batch: &Batch,
    notes: Vec<Note>,
) -> Result<()> {
    let on_pane = command::if_format(
        Some(&place.pane.to_string()),
        &equal(Key::Id, &record.uuid.to_string()),
        batch,
        &Batch::new(),
    );
    commit(server, &Batch::from(on_pane), |answer| match answer {
        Err(error) if error.server_is_gone() => Ok(((), notes)),
        outcome => outcome.map(|_| ((), notes)),
    })
}

fn alive(pid: i32) -> bool {
    proc::read(pid).is_some_and(|process| !process.zombie)
}

/// Waits until a condition holds, and returns whether it does. Calls `late` once if that takes long.
fn wait(limit: Duration, holds: impl Fn() -> bool, late: impl Fn()) -> bool {
    let started = Instant::now();
    let mut notified = false;
    loop {
        if holds() {
            return true;
        }
        let passed = started.elapsed();
        if passed >= limit {
            return false;
        }
        if passed >= NOTIFY_AFTER && !notified {
            notified = true;
            late();
        }
        std::thread::sleep(POLL_INTERVAL); // why: the process table has no event for the end of a process that is no child.
    }
}

/// Returns the processes as a sentence lists them.
#[must_use]
pub fn names(processes: &[Process]) -> String {
    let names: Vec<String> = processes
        .iter()
        .map(|process| format!("{} ({})", process.pid, process.name))
        .collect();
    names.join(", ")
}

fn still_alive(record: &Record, left: &[Process], how: EndOptions) -> Error {
    let way_out = if how.kill {
        "it does not answer KILL"
    } else {
        "--kill sends KILL"
    };
    Error::new(
        Exit::TimedOut,
        format!(
            "{} is still alive after HUP and TERM: {}; {way_out}",
            record.name,
            names(left)
        ),
    )
}
