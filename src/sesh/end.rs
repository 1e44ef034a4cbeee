//! Ending a sesh: signals to what was started, with proof of its end. Nothing is typed.

use std::time::{Duration, Instant};

use crate::error::{Error, Exit, Result};
use crate::proc::signal::{self, Signal};
use crate::proc::{self, Process};
use crate::store::query::equal;
use crate::store::{Key, Place, Record, write};
use crate::tmux::{Batch, Server, command};

/// How hard.
#[derive(Clone, Copy, Debug)]
pub struct How {
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
    how: How,
    late: &dyn Fn(&str),
) -> Result<Vec<Process>> {
    let mut left = Vec::new();
    if let Some(place) = &record.tmux {
        if record.is_made() {
            left = end_created(record, place, how, late)?;
        } else {
            end_adopted(server, record, place, how, late)?;
        }
    } else if !how.forget {
        return Err(Error::unusable(format!(
            "{} has ended already: --forget removes its record",
            record.name
        )));
    }
    if how.forget {
        write::forget(server, record.uuid)?;
    }
    Ok(left)
}

/// `sesh-run` passes HUP and TERM on to its command's group, writes the end down, and then ends too, which
/// closes the pane.
fn end_created(
    record: &Record,
    place: &Place,
    how: How,
    late: &dyn Fn(&str),
) -> Result<Vec<Process>> {
    let run = place.pid;
    let group = proc::children(run).first().copied();
    let members = || group.map_or_else(Vec::new, proc::group);
    let gone = || !alive(run) && members().is_empty();
    let mut signals = vec![
        (Signal::SIGHUP, how.timeout / 2),
        (Signal::SIGTERM, how.timeout / 2),
    ];
    if how.kill {
        signals.push((Signal::SIGKILL, KILLED));
    }
    for (signal, limit) in signals {
        let passes_on = signal != Signal::SIGKILL && signal::to_process(run, signal);
        if let Some(group) = group
            && !passes_on
        {
            // Its leader ended, and so did sesh-run: the others of the group have not. Or it is KILL, which
            // nobody can pass on.
            let _ = signal::to_group(group, signal);
        }
        if wait(limit, gone, || late(&waiting_for(record, signal))) {
            return Ok(proc::session(run));
        }
    }
    if how.kill {
        let _ = signal::to_process(run, Signal::SIGKILL);
        if wait(KILLED, gone, || {}) {
            return Ok(proc::session(run));
        }
    }
    let mut left = members();
    if left.is_empty() {
        left = proc::session(run);
    }
    Err(still_alive(record, &left, how))
}

fn waiting_for(record: &Record, signal: Signal) -> String {
    format!(
        "waiting for {} to end ({} sent) …",
        record.name,
        signal.as_str()
    )
}

/// Ends the foreground job of an adopted pane, if it is not the pane's own shell, and takes the marks off:
/// pane and shell stay.
fn end_adopted(
    server: &Server,
    record: &Record,
    place: &Place,
    how: How,
    late: &dyn Fn(&str),
) -> Result<()> {
    if record.live
        && let Some(first) = proc::read(place.pid)
        && first.foreground > 1
        && first.foreground != first.group
    {
        let group = first.foreground;
        let gone = || proc::group(group).is_empty();
        let mut ended = false;
        let mut signals = vec![
            (Signal::SIGHUP, how.timeout / 2),
            (Signal::SIGTERM, how.timeout / 2),
        ];
        if how.kill {
            signals.push((Signal::SIGKILL, KILLED));
        }
        for (signal, limit) in signals {
            let sent = signal::to_group(group, signal);
            let _ = signal::to_group(group, Signal::SIGCONT);
            if !sent || wait(limit, gone, || late(&waiting_for(record, signal))) {
                ended = true;
                break;
            }
        }
        if !ended {
            return Err(still_alive(record, &proc::group(group), how));
        }
    }
    let pane = place.pane.to_string();
    let mut release = Batch::from(command::set_pane_expanded(
        &pane,
        Key::Exit.option(),
        &format!("- - {}", write::NOW),
    ));
    release.extend(write::state(&pane, "exited", "process"));
    release.extend([write::book(&pane, record.uuid)]);
    release.extend(
        crate::store::schema::PANE
            .iter()
            .map(|entry| command::unset_pane(&pane, entry.option)),
    );
    server
        .run(&Batch::from(command::if_format(
            Some(&pane),
            &equal(Key::Id, &record.uuid.to_string()),
            &release,
            &Batch::new(),
        )))
        .map(drop)
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
        // why: the process table has no event for the end of a stranger's process.
        std::thread::sleep(LOOK);
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

fn still_alive(record: &Record, left: &[Process], how: How) -> Error {
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
