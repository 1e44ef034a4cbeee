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

/// Ends a sesh.
///
/// # Errors
/// [`Exit::TimedOut`] when something is still alive, with its name.
pub fn end(server: &Server, record: &Record, how: How) -> Result<()> {
    if let Some(place) = &record.tmux {
        if is_run(place) {
            end_created(record, place, how)?;
        } else {
            end_adopted(server, record, place, how)?;
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
    Ok(())
}

fn is_run(place: &Place) -> bool {
    proc::read(place.pid).is_some_and(|process| process.name == super::run::PROGRAM)
}

/// `sesh-run` passes HUP and TERM on to its command's group, writes the end down, and then ends too, which
/// closes the pane.
fn end_created(record: &Record, place: &Place, how: How) -> Result<()> {
    let run = place.pid;
    let gone = || !alive(run);
    let group = proc::children(run).first().copied();
    for signal in [Signal::SIGHUP, Signal::SIGTERM] {
        if !signal::to_process(run, signal) || wait(how.timeout / 2, gone) {
            return Ok(());
        }
    }
    if how.kill {
        for child in proc::children(run) {
            let _ = signal::to_group(child, Signal::SIGKILL);
        }
        if wait(KILLED, gone) {
            return Ok(());
        }
        let _ = signal::to_process(run, Signal::SIGKILL);
        if wait(KILLED, gone) {
            return Ok(());
        }
    }
    let left = group.map_or_else(Vec::new, proc::group);
    Err(still_alive(
        record,
        if left.is_empty() {
            proc::session(run)
        } else {
            left
        },
        how,
    ))
}

/// Ends the foreground job of an adopted pane, if it is not the pane's own shell, and takes the marks off:
/// pane and shell stay.
fn end_adopted(server: &Server, record: &Record, place: &Place, how: How) -> Result<()> {
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
            if !sent || wait(limit, gone) {
                ended = true;
                break;
            }
        }
        if !ended {
            return Err(still_alive(record, proc::group(group), how));
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

fn wait(limit: Duration, fact: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if fact() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        // why: the process table has no event for the end of a stranger's process.
        std::thread::sleep(LOOK);
    }
}

fn still_alive(record: &Record, left: Vec<Process>, how: How) -> Error {
    let left: Vec<String> = left
        .iter()
        .map(|process| format!("{} ({})", process.pid, process.name))
        .collect();
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
            left.join(", ")
        ),
    )
}
