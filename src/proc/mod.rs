//! The only reader of the process table, and the only user of system calls.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::id::ProcessId;

pub mod input;
pub mod job;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
pub mod signal;

#[cfg(target_os = "linux")]
use linux as table;
#[cfg(not(target_os = "linux"))]
use other as table;

/// One process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session: the pid of the session's leader, which in a pane is the pane's first process.
    pub session: i32,
    /// Its terminal, in a unit of the system's own; 0 without one.
    pub terminal: u64,
    /// The foreground process group of its terminal, -1 without one.
    pub foreground: i32,
    /// When it started, as in [`ProcessId`].
    pub start: u64,
    /// It has ended and waits for its parent.
    pub zombie: bool,
    /// Job control or a debugger has stopped it.
    pub stopped: bool,
    /// Its short name.
    pub name: String,
}

/// What a process runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The words it was started with, unless it has written over them.
    pub argv: Vec<String>,
    /// The file it runs, if that may be read.
    pub file: Option<PathBuf>,
}

/// The environment that a process was started with.
#[derive(Clone, Debug)]
pub struct Environment {
    entries: Vec<u8>,
    /// What stands between them.
    separator: u8,
}

impl Environment {
    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<OsString> {
        let entries = self.entries.split(|byte| *byte == self.separator);
        let value = entries.into_iter().find_map(|entry| {
            let rest = entry.strip_prefix(name.as_bytes())?;
            rest.strip_prefix(b"=")
        })?;
        Some(OsStr::from_bytes(value).into())
    }

    /// All of it, by name. Empty where it cannot be read.
    pub fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let entries = self.entries.split(|byte| *byte == self.separator);
        entries.filter_map(|entry| {
            let at = entry.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (&entry[..at], &entry[at + 1..]);
            (!name.is_empty()).then(|| (OsStr::from_bytes(name), OsStr::from_bytes(value)))
        })
    }
}

impl Process {
    /// Returns its identity.
    #[must_use]
    pub fn id(&self) -> ProcessId {
        ProcessId {
            pid: self.pid,
            start: self.start,
        }
    }

    /// Whether it is the one that asks.
    #[must_use]
    pub fn is_self(&self) -> bool {
        i32::try_from(std::process::id()) == Ok(self.pid)
    }

    /// Whether it is a shell that people sit at.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        is_shell(&self.name)
    }
}

/// Whether a program's name is that of a shell that people sit at.
#[must_use]
pub fn is_shell(name: &str) -> bool {
    const SHELLS: [&str; 14] = [
        "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "pwsh", "sh", "tcsh",
        "xonsh", "zsh",
    ];
    SHELLS.contains(&name.trim_start_matches('-'))
}

/// The process group of this process.
#[must_use]
pub fn own_group() -> i32 {
    nix::unistd::getpgrp().as_raw()
}

/// The parent of this process.
#[must_use]
pub fn own_parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// Whether this process may work in a folder.
#[must_use]
pub fn may_enter(folder: &std::path::Path) -> bool {
    nix::unistd::access(folder, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// A process by its pid.
#[must_use]
pub fn read(pid: i32) -> Option<Process> {
    table::read(pid)
}

/// Returns the identity of the process that has a pid now. Its start is 0 where the process table does not say.
#[must_use]
pub fn identity(pid: i32) -> ProcessId {
    read(pid).map_or(ProcessId { pid, start: 0 }, |process| process.id())
}

/// Returns the identity of this process.
#[must_use]
pub fn own() -> ProcessId {
    identity(std::process::id().cast_signed())
}

/// Whether a process lives: it is there, is the same one, and has not ended.
#[must_use]
pub fn is_alive(process: ProcessId) -> bool {
    read(process.pid).is_some_and(|now| now.id() == process && !now.zombie)
}

/// The file of the program that a process runs, to be read: also when another has taken its name. `None` where the system
/// does not say.
#[must_use]
pub fn program_file(pid: i32) -> Option<PathBuf> {
    table::program_file(pid)
}

/// How many bytes a process has read from files, terminals and pipes; what came in messages of sockets is not among them
/// (`rchar` of Linux). `None` where the system does not say.
#[must_use]
pub fn bytes_read(pid: i32) -> Option<u64> {
    table::bytes_read(pid)
}

/// When a process started. `None` where the system does not say.
#[must_use]
pub fn started(process: &Process) -> Option<SystemTime> {
    table::started(process)
}

/// The processes above this one, its parent first.
#[must_use]
pub fn ancestors() -> Vec<Process> {
    table::ancestors(own_parent())
}

/// The children of a process.
#[must_use]
pub fn children(pid: i32) -> Vec<i32> {
    table::children(pid)
}

/// A process and all that descend from it.
#[must_use]
pub fn tree(pid: i32) -> Vec<Process> {
    table::tree(pid)
}

/// What a process runs: empty for one that is gone or another user's.
#[must_use]
pub fn program(pid: i32) -> Program {
    table::program(pid)
}

/// The processes that have a file open. Of none is it known where the system does not say.
#[must_use]
pub fn holders(file: &std::path::Path) -> Vec<Process> {
    table::holders(file)
}

/// The folder that a process works in.
#[must_use]
pub fn folder(pid: i32) -> Option<PathBuf> {
    table::folder(pid)
}

/// The environment that a process was started with.
#[must_use]
pub fn environment(pid: i32) -> Environment {
    table::environment(pid)
}

/// Every process that can be read.
#[must_use]
pub fn all() -> Vec<Process> {
    table::all()
}

/// A process and those above it, by what tells of one; not for ever, since a pid may be another's by the next look.
fn above(pid: i32, read: impl Fn(i32) -> Option<Process>) -> Vec<Process> {
    const MOST: usize = 100;
    std::iter::successors(read(pid), |process| read(process.parent))
        .take(MOST)
        .collect()
}

/// Those of a list that descend from a process, and itself.
fn descendants(all: Vec<Process>, pid: i32) -> Vec<Process> {
    let mut tree: Vec<i32> = vec![pid];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        tree.extend(
            all.iter()
                .filter(|process| process.parent == parent && process.pid != parent)
                .map(|process| process.pid),
        );
        next += 1;
    }
    all.into_iter()
        .filter(|process| tree.contains(&process.pid))
        .collect()
}

/// The living processes of a process group.
#[must_use]
pub fn group(group: i32) -> Vec<Process> {
    // Mostly it is asked whether one is gone, and that is one system call.
    if !signal::group_exists(group) {
        return Vec::new();
    }
    all()
        .into_iter()
        .filter(|process| process.group == group && !process.zombie)
        .collect()
}

/// The living processes of a session.
#[must_use]
pub fn session(session: i32) -> Vec<Process> {
    all()
        .into_iter()
        .filter(|process| process.session == session && !process.zombie)
        .collect()
}
