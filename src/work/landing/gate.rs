//! The gate: the program that says whether a commit may land. It is always that of the base, so that a branch cannot loosen
//! the gate that judges it.
//!
//! It runs in a worktree of its own outside the repository, on exactly the commit that lands. Ignored files stay there
//! between runs, so that caches and installed dependencies are kept.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::blocked::{BlockedLanding, BlockedReason, Stop};
use crate::clock;
use crate::env;
use crate::error::{Error, Result};
use crate::git::{Oid, objects, worktree};
use crate::journal::landing_files::{self, GateLog};
use crate::proc::signal::{self, Signal};
use crate::work::workplace::Workplace;
use crate::work::worktree::{self as claim_worktree, ClaimWorktree};

/// The folder of a repository with its gate.
const FOLDER: &str = ".sesh";
/// The program that is the gate.
const FILE: &str = ".sesh/check";
/// How long a gate may run, where no other limit is set.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long a gate that was asked to end may take until it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// How long output is awaited after the end of a gate. A process that it left behind may keep the pipe open.
const DRAIN: Duration = Duration::from_millis(200);

/// The gate of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// The program [`FILE`], with the tree of its folder.
    Program { folder: Oid, commit: Oid },
    /// A line for the shell, from the settings of this clone.
    Line(String),
}

/// How a run of a gate ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GateEnd {
    Passed,
    Red(String),
    TimedOut(Duration),
    Unrunnable(String),
}

/// The process group of the gate that runs now, for the handler of signals.
pub(super) type RunningGate = Arc<Mutex<Option<i32>>>;

impl Gate {
    /// Returns the gate of a commit.
    pub(super) fn of(place: &Workplace, commit: &Oid) -> Result<Self, Stop> {
        let folder = place.repository.common.as_path();
        let unrunnable = |what: String, next: &str| {
            Stop::from(BlockedLanding::new(
                BlockedReason::GateUnrunnable,
                what,
                next,
            ))
        };
        let files = objects::files(folder, commit, FILE)?;
        if let Some(file) = files.iter().find(|file| file.path == FILE) {
            if !file.executable {
                let what = format!("{FILE} of the target is not executable");
                return Err(unrunnable(what, "git update-index --chmod=+x .sesh/check"));
            }
            let tree = objects::at_path(folder, commit, FOLDER)?
                .ok_or_else(|| Error::failed(format!("{commit} has lost {FOLDER}")))?;
            return Ok(Self::Program {
                folder: tree,
                commit: commit.clone(),
            });
        }
        match place.setting("check")? {
            Some(line) => Ok(Self::Line(line.into())),
            None => Err(unrunnable(
                format!("the target has no {FILE}, so nothing can be tested"),
                "add an executable .sesh/check to the target, or git config sesh.check COMMAND",
            )),
        }
    }

    /// Returns what tells this gate from others.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Program { folder, .. } => folder.to_string(),
            Self::Line(line) => format!("line {line}"),
        }
    }

    /// Returns the command that runs the gate in a worktree that has a commit checked out.
    fn command(&self, place: &Workplace, worktree: &Path, commit: &Oid) -> Result<Command> {
        let (folder, base) = match self {
            Self::Line(line) => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", line]);
                return Ok(command);
            }
            Self::Program { folder, commit } => (folder, commit),
        };
        let common = place.repository.common.as_path();
        if objects::at_path(common, commit, FOLDER)?.as_ref() == Some(folder) {
            return Ok(Command::new(worktree.join(FILE)));
        }
        // The commit has another gate. That of the base is written beside the worktree, with the files that it may use.
        let copy = worktree::git_dir(worktree)?.join("sesh-gate");
        landing_files::remove_folder(&copy)?;
        for file in objects::files(common, base, FOLDER)? {
            let text = objects::blob(common, &file.oid)?;
            landing_files::write(&copy.join(&file.path), &text, file.executable)?;
        }
        Ok(Command::new(copy.join(FILE)))
    }
}

/// The worktree in which gates run.
#[derive(Debug)]
pub(super) struct GateWorktree {
    path: PathBuf,
}

impl GateWorktree {
    /// Returns the worktree at a folder. Makes it, and prepares it, where that is necessary.
    pub(super) fn open(place: &Workplace, folder: &Path, base: &Oid) -> Result<Self, Stop> {
        let common = place.repository.common.as_path();
        let real = folder.canonicalize().unwrap_or_else(|_| folder.into());
        let is_registered = worktree::list(common)?
            .iter()
            .any(|checkout| checkout.path == real && !checkout.prunable);
        if is_registered {
            remove_locks(&worktree::git_dir(&real)?)?;
        }
        if !is_registered || worktree::head(&real).ok().flatten().is_none() {
            // What a killed one has left behind is no worktree.
            landing_files::remove_folder(folder)?;
            worktree::prune(common)?;
            worktree::add_detached(common, folder, base)?;
        }
        let path = folder.canonicalize().map_err(|error| {
            Error::failed(format!("cannot resolve {}: {error}", folder.display()))
        })?;
        let this = Self { path };
        this.prepare(place, base)?;
        Ok(this)
    }

    /// Prepares the worktree, unless that was done in the same way before.
    fn prepare(&self, place: &Workplace, base: &Oid) -> Result<(), Stop> {
        let common = place.repository.common.as_path();
        let setup = objects::at_path(common, base, ".sesh/setup")?;
        let way = setup.map_or_else(|| "none".into(), |oid| oid.to_string());
        let mark = worktree::git_dir(&self.path)?.join("sesh-prepared");
        if std::fs::read_to_string(&mark).is_ok_and(|text| text == way) {
            return Ok(());
        }
        worktree::reset_own(&self.path, base)?;
        let made = ClaimWorktree {
            path: self.path.clone(),
            branch: String::new(),
            base: base.clone(),
            reused: false,
        };
        claim_worktree::prepare(place, &made).map_err(|error| {
            let next = "repair .sesh/setup of the target, then sesh-land again";
            BlockedLanding::new(BlockedReason::Setup, error.what, next)
        })?;
        landing_files::write(&mark, way.as_bytes(), false)?;
        Ok(())
    }

    /// Runs a gate on a commit. `output` gets what it prints, as the log does.
    pub(super) fn run(
        &self,
        place: &Workplace,
        gate: &Gate,
        commit: &Oid,
        log: &mut GateLog,
        running: &RunningGate,
        output: &mut dyn FnMut(&[u8]),
    ) -> Result<GateEnd, Stop> {
        worktree::reset_own(&self.path, commit)?;
        worktree::update_submodules(&self.path)?;
        let command = gate.command(place, &self.path, commit)?;
        let limit = limit(place)?;
        let mut printed = |text: &[u8]| {
            log.append(text);
            output(text);
        };
        let end = run_in(command, &self.path, limit, running, &mut printed);
        Ok(end.unwrap_or_else(|error| GateEnd::Unrunnable(error.to_string())))
    }
}

/// Returns how long a gate may run.
fn limit(place: &Workplace) -> Result<Duration> {
    match place.setting("checkTimeout")? {
        None => Ok(LIMIT),
        Some(text) => clock::duration(text)
            .map_err(|why| Error::unusable(format!("git config sesh.checkTimeout: {why}"))),
    }
}

/// Removes the lock files that a killed git has left behind in the worktree of the gate. No other git runs there.
fn remove_locks(git_dir: &Path) -> Result<()> {
    for name in ["index.lock", "HEAD.lock", "ORIG_HEAD.lock"] {
        landing_files::remove(&git_dir.join(name))?;
    }
    Ok(())
}

/// What happens while a gate runs.
enum GateEvent {
    Printed(Vec<u8>),
    Ended(std::io::Result<std::process::ExitStatus>),
}

/// Runs a command in a folder, as a process group of its own.
fn run_in(
    mut command: Command,
    folder: &Path,
    limit: Duration,
    running: &RunningGate,
    printed: &mut dyn FnMut(&[u8]),
) -> std::io::Result<GateEnd> {
    for name in env::git_variables_to_remove() {
        command.env_remove(name);
    }
    let (mut reader, writer) = std::io::pipe()?;
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0);
    let mut child = command.spawn()?;
    // Else this process would keep the pipe open.
    drop(command);
    let group = child.id().cast_signed();
    *running.lock().unwrap_or_else(PoisonError::into_inner) = Some(group);
    let (sender, events) = mpsc::channel();
    let ended = sender.clone();
    std::thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            if sender
                .send(GateEvent::Printed(bytes[..count].to_vec()))
                .is_err()
            {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        let _ = ended.send(GateEvent::Ended(child.wait()));
    });
    let mut deadline = Instant::now().checked_add(limit);
    let mut timed_out = false;
    let status = loop {
        let left = deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        match events.recv_timeout(left) {
            Ok(GateEvent::Printed(text)) => printed(&text),
            Ok(GateEvent::Ended(status)) => break status?,
            Err(RecvTimeoutError::Timeout) => {
                let signal = if timed_out {
                    Signal::SIGKILL
                } else {
                    Signal::SIGTERM
                };
                timed_out = true;
                let _ = signal::to_group(group, signal);
                deadline = Instant::now().checked_add(GRACE);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(std::io::Error::other("the gate was lost"));
            }
        }
    };
    while let Ok(GateEvent::Printed(text)) = events.recv_timeout(DRAIN) {
        printed(&text);
    }
    // What it left in its group would disturb the next run.
    let _ = signal::to_group(group, Signal::SIGKILL);
    *running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    if timed_out {
        return Ok(GateEnd::TimedOut(limit));
    }
    Ok(match (status.code(), status.signal()) {
        (Some(0), _) => GateEnd::Passed,
        (Some(code @ (126 | 127)), _) => GateEnd::Unrunnable(format!("it exits with {code}")),
        (Some(code), _) => GateEnd::Red(format!("it exits with {code}")),
        (None, number) => {
            let name = signal::name(number.unwrap_or_default());
            GateEnd::Red(format!("signal {name} ended it"))
        }
    })
}
