//! Ending a sesh: an agent that is idle is told to leave as a person would tell it, and what does not end gets signals;
//! with proof of its end.

use std::time::{Duration, Instant};

use crate::agent::kinds::Agents;
use crate::error::{Error, Exit, Result};
use crate::inventory::reconcile;
use crate::pane::deliver::{Busy, DeliveryOutcome, Draft, Message, deliver};
use crate::proc::signal::{self, Signal};
use crate::proc::{self, Process};
use crate::state::State;
use crate::store::commit::{self, commit};
use crate::store::condition::equal;
use crate::store::note::Note;
use crate::store::{Binding, Key, Place, Record, record, write};
use crate::tmux::{Batch, Server, command};

/// How hard.
#[derive(Clone, Copy, Debug)]
pub struct EndOptions {
    /// KILL what does not end otherwise.
    pub kill: bool,
    /// Forget the record too.
    pub forget: bool,
    /// How long HUP and TERM may take together.
    pub timeout: Duration,
}

/// How often the process table is read while a process ends. Unlike an exit of our own child, the end of
/// a stranger's process group is nobody's event.
const LOOK: Duration = Duration::from_millis(10);
/// How long KILL may take: the kernel needs no consent, but a busy machine needs time.
const KILLED: Duration = Duration::from_secs(5);

/// After which time a person is told what is being waited for.
const LATE: Duration = Duration::from_secs(1);

/// Ends a sesh, and gives the processes of its terminal that live on: background jobs of a shell, which are
/// not what was started. `late` is called once, with a sentence, when it takes longer than a second.
///
/// # Errors
/// [`Exit::TimedOut`] when something of what was started is still alive, with its name.
pub fn end(
    server: &Server,
    record: &Record,
    how: EndOptions,
    late: &dyn Fn(&str),
) -> Result<Vec<Process>> {
    if record.agent.is_some() && record.values.get(Key::Conv).is_empty() {
        // Its files may tell in which conversation it is, as long as it lives. What is not known does not keep it here.
        let _ = reconcile::reconcile_known(server);
    }
    let job = SeshProcesses::of(record);
    let mut left = Vec::new();
    match (&record.tmux, &job) {
        (None, None) if !how.forget => {
            return Err(Error::unusable(format!(
                "{} has ended already: --forget removes its record",
                record.name
            )));
        }
        (_, Some(job)) => {
            left = if leaves(server, record, job, how, late) {
                job.run.map_or_else(Vec::new, proc::session)
            } else {
                job.end(record, how, late)?
            };
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
    Ok(left)
}

/// Has an idle agent leave by what its people type for that, where a message could be sent: then it puts its things in
/// order. Whether it is gone.
fn leaves(
    server: &Server,
    record: &Record,
    job: &SeshProcesses,
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
        as_it_is: true,
        starting: false,
        within: how.timeout / 2,
    };
    let typed = deliver(server, place.pane, Some(record.uuid), agents, message);
    let refused = matches!(typed, Err(_) | Ok(DeliveryOutcome::Refused { .. }));
    !refused
        && wait(
            how.timeout / 2,
            || job.gone(),
            || {
                late(&format!("waiting for {} to leave …", record.name));
            },
        )
}

/// The processes of a sesh.
#[derive(Clone, Copy, Debug)]
struct SeshProcesses {
    /// The `sesh-run` that passes HUP and TERM on to its command's group, writes the end down, and then ends
    /// too. An adopted pane has none.
    run: Option<i32>,
    /// The process group of what was started.
    group: Option<i32>,
}

impl SeshProcesses {
    /// What lives of a sesh. Also without a pane: what ignores HUP outlives its pane.
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
        // In a pane that somebody else made, what ends is the job in front: not the shell that started it,
        // and not the job that asks for this.
        let job = if first.is_shell() {
            first.foreground
        } else {
            first.group
        };
        let own_shell = first.is_shell() && job == first.group;
        (job > 1 && !own_shell && job != proc::own_group()).then_some(Self {
            run: None,
            group: Some(job),
        })
    }

    /// The members of the group that live, this process left out: it may be asked to end its own pane.
    fn members(&self) -> Vec<Process> {
        let mut members = self.group.map_or_else(Vec::new, proc::group);
        members.retain(|process| !process.is_self());
        members
    }

    fn gone(&self) -> bool {
        !self.run.is_some_and(alive) && self.members().is_empty()
    }

    fn end(&self, record: &Record, how: EndOptions, late: &dyn Fn(&str)) -> Result<Vec<Process>> {
        let mut signals = vec![
            (Signal::SIGHUP, how.timeout / 2),
            (Signal::SIGTERM, how.timeout / 2),
        ];
        if how.kill {
            signals.push((Signal::SIGKILL, KILLED));
        }
        for (signal, limit) in signals {
            self.send(signal);
            if wait(limit, || self.gone(), || late(&waiting_for(record, signal))) {
                return Ok(self.run.map_or_else(Vec::new, proc::session));
            }
        }
        if let (true, Some(run)) = (how.kill, self.run) {
            let _ = signal::to_process(run, Signal::SIGKILL);
            if wait(KILLED, || self.gone(), || {}) {
                return Ok(proc::session(run));
            }
        }
        let mut left = self.members();
        if let (true, Some(run)) = (left.is_empty(), self.run) {
            left = proc::session(run);
        }
        Err(still_alive(record, &left, how))
    }

    fn send(&self, signal: Signal) {
        // KILL cannot be passed on; and when sesh-run has ended, others of the group may not have.
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

/// Closes the pane of an ended process now: tmux would do so by itself, but after us.
fn close(server: &Server, record: &Record, place: &Place) -> Result<()> {
    let close = Batch::from(command::kill_pane(place.pane));
    run_there(server, record, place, &close, Vec::new())
}

fn waiting_for(record: &Record, signal: Signal) -> String {
    format!(
        "waiting for {} to end ({} sent) …",
        record.name,
        signal.as_str()
    )
}

/// Takes the marks off an adopted pane: pane and shell stay.
fn release(server: &Server, record: &Record, place: &Place) -> Result<()> {
    let pane = place.pane.to_string();
    let mut release = Batch::new();
    let exit = record::ExitStatus::value(None, None);
    release.extend(write::end(&pane, &exit));
    release.extend([write::book(&pane, record.uuid)]);
    release.extend(write::unmark(&pane));
    let end = Note::end(record.uuid, &exit, None);
    run_there(server, record, place, &release, vec![end])
}

/// Runs a batch if the pane still is the sesh's, and writes the notes. That the server went with its last pane is no
/// error.
fn run_there(
    server: &Server,
    record: &Record,
    place: &Place,
    batch: &Batch,
    notes: Vec<Note>,
) -> Result<()> {
    let there = command::if_format(
        Some(&place.pane.to_string()),
        &equal(Key::Id, &record.uuid.to_string()),
        batch,
        &Batch::new(),
    );
    commit(server, &Batch::from(there), |answer| match answer {
        Err(error) if error.exit == Exit::NoServer => Ok(((), notes)),
        outcome => outcome.map(|_| ((), notes)),
    })
}

fn alive(pid: i32) -> bool {
    proc::read(pid).is_some_and(|process| !process.zombie)
}

/// Waits for a fact. `late` is called once if that takes long.
fn wait(limit: Duration, fact: impl Fn() -> bool, late: impl Fn()) -> bool {
    let started = Instant::now();
    let mut told = false;
    loop {
        if fact() {
            return true;
        }
        let passed = started.elapsed();
        if passed >= limit {
            return false;
        }
        if passed >= LATE && !told {
            told = true;
            late();
        }
        std::thread::sleep(LOOK); // why: the process table has no event for the end of a stranger's process.
    }
}

/// Processes as a sentence names them.
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
        "--kill ends it for certain"
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
