//! Reads the process table. No other module does. The submodules send signals, run a foreground job and read standard
//! input and the modes of terminals.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::id::ProcessId;
pub use shell_input::{ShellInput, shell_input};

pub mod child;
pub mod file_watch;
pub mod input;
pub mod job;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod shell_input;
pub mod signal;
pub mod terminal;

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
    /// Its session: the pid of the session leader, which in a pane is the first process of the pane.
    pub session: i32,
    /// The number of its terminal, in the form that the system uses; 0 without one.
    pub terminal: u64,
    /// The foreground process group of its terminal, -1 without one.
    pub foreground: i32,
    /// When it started, as in [`ProcessId`].
    pub start: u64,
    /// Whether it has ended and waits for its parent.
    pub zombie: bool,
    /// Whether job control or a debugger has stopped it.
    pub stopped: bool,
    /// Its short name.
    pub name: String,
}

/// The program of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The arguments that it was started with, unless it has overwritten them.
    pub argv: Vec<String>,
    /// The file of the program, if this process may read the link.
    pub file: Option<PathBuf>,
    /// The script that the program runs, where that was resolved and its path is that of a link.
    pub script: Option<String>,
}

/// The environment that a process was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    entries: Vec<u8>,
    /// The byte between two entries.
    separator: u8,
}

impl Environment {
    /// Returns the value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<OsString> {
        let entries = self.entries.split(|byte| *byte == self.separator);
        let value = entries.into_iter().find_map(|entry| {
            let rest = entry.strip_prefix(name.as_bytes())?;
            rest.strip_prefix(b"=")
        })?;
        Some(OsStr::from_bytes(value).into())
    }

    /// Returns all variables with their values. There are none if the environment cannot be read.
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

    /// Returns whether it is the calling process.
    #[must_use]
    pub fn is_self(&self) -> bool {
        i32::try_from(std::process::id()) == Ok(self.pid)
    }

    /// Returns whether it is an interactive shell, by its name.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        is_shell(&self.name)
    }
}

/// The name of the process of every created pane.
pub const RUNNER: &str = "sesh-run";

/// Returns whether a program name is that of a shell that people use.
#[must_use]
pub fn is_shell(name: &str) -> bool {
    const SHELLS: [&str; 14] = [
        "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "pwsh", "sh", "tcsh",
        "xonsh", "zsh",
    ];
    SHELLS.contains(&name.trim_start_matches('-'))
}

/// Returns the process group of this process.
#[must_use]
pub fn own_group() -> i32 {
    nix::unistd::getpgrp().as_raw()
}

/// Returns the pid of the parent of this process.
#[must_use]
pub fn own_parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// Returns whether this process may use a folder as its working folder.
#[must_use]
pub fn may_enter(folder: &std::path::Path) -> bool {
    nix::unistd::access(folder, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Returns the process with a pid.
#[must_use]
pub fn read(pid: i32) -> Option<Process> {
    table::read(pid)
}

/// Returns the identity of the process that has a pid now. Its start is 0 if the process table does not contain it.
#[must_use]
pub fn identity(pid: i32) -> ProcessId {
    read(pid).map_or(ProcessId { pid, start: 0 }, |process| process.id())
}

/// Returns the id of this boot of the machine. Empty if the system does not provide it.
#[must_use]
pub fn boot() -> String {
    table::boot()
}

/// Returns the pid namespace in which this process sees pids. Empty if the system has none.
#[must_use]
pub fn pid_namespace() -> String {
    table::pid_namespace()
}

/// Returns the identity of this process.
#[must_use]
pub fn own() -> ProcessId {
    identity(std::process::id().cast_signed())
}

/// Returns whether a process is alive: the pid exists, belongs to the same process, and is not a zombie.
#[must_use]
pub fn is_alive(process: ProcessId) -> bool {
    read(process.pid).is_some_and(|now| now.id() == process && !now.zombie)
}

/// Returns whether a process ignores a signal. `false` if the system does not provide it.
fn ignores(pid: i32, signal: signal::Signal) -> bool {
    table::ignores(pid, signal as i32)
}

/// Returns a path from which the program of a process can be read, even if another file has taken its name. `None` if
/// the system does not provide it.
#[must_use]
pub fn program_file(pid: i32) -> Option<PathBuf> {
    table::program_file(pid)
}

/// Returns how many bytes a process has read from files, terminals and pipes (`rchar` of Linux). Bytes that arrived as
/// messages of sockets are not counted. `None` if the system does not provide it.
#[must_use]
pub fn bytes_read(pid: i32) -> Option<u64> {
    table::bytes_read(pid)
}

/// Returns when a process started. `None` if the system does not provide it.
#[must_use]
pub fn started(process: &Process) -> Option<SystemTime> {
    table::started(process)
}

/// Returns the ancestors of this process, its parent first. Each is read when it is asked for.
pub fn ancestors() -> impl Iterator<Item = Process> {
    table::ancestors(own_parent())
}

/// Returns the pids of the children of a process.
#[must_use]
pub fn children(pid: i32) -> Vec<i32> {
    table::children(pid)
}

/// Returns a process and all its descendants.
#[must_use]
pub fn tree(pid: i32) -> Vec<Process> {
    table::tree(pid)
}

/// Returns the program of a process: empty if the process is gone or belongs to another user.
#[must_use]
pub fn program(pid: i32) -> Program {
    table::program(pid)
}

/// Returns the terminal that is the standard input of a process, in the form of [`Process::terminal`]. `None` if it is no
/// terminal, or the system does not provide it.
#[must_use]
pub fn input_terminal(pid: i32) -> Option<u64> {
    table::input_terminal(pid)
}

/// Returns whether a process holds the master of a terminal: what it writes there is typed on the terminal. Where the
/// system does not provide it, every process counts as one that does.
#[must_use]
pub fn has_master_of(pid: i32, terminal: u64) -> bool {
    table::has_master_of(pid, terminal)
}

/// Returns the processes that have a file open; none if the system does not provide this.
#[must_use]
pub fn processes_with_open_file(file: &std::path::Path) -> Vec<Process> {
    table::holders(file)
}

/// Returns the file of the terminal of a process. `None` without a terminal, or if the system does not provide it.
#[must_use]
pub fn terminal_file(process: &Process) -> Option<PathBuf> {
    table::terminal_file(process)
}

/// Returns whether a process can draw on a terminal: it has it open, and not only as its standard input. `false` if the
/// system does not provide it.
#[must_use]
pub fn draws_on(pid: i32, terminal: &std::path::Path) -> bool {
    table::draws_on(pid, terminal)
}

/// Returns the working folder of a process.
#[must_use]
pub fn folder(pid: i32) -> Option<PathBuf> {
    table::folder(pid)
}

/// Returns the environment that a process was started with.
#[must_use]
pub fn environment(pid: i32) -> Environment {
    table::environment(pid)
}

/// Returns every process that can be read.
#[must_use]
pub fn all() -> Vec<Process> {
    table::all()
}

/// Returns a process and its ancestors, as `read` finds them. The number is limited, since a pid may belong to another
/// process at the next read.
fn ancestors_of(pid: i32, read: impl Fn(i32) -> Option<Process>) -> impl Iterator<Item = Process> {
    const LIMIT: usize = 100;
    let mut next = pid;
    let process = move || {
        let process = read(next)?;
        next = process.parent;
        Some(process)
    };
    std::iter::from_fn(process).take(LIMIT)
}

/// Returns the process with a pid and its descendants from a list of processes.
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

/// Returns the living processes of a process group.
#[must_use]
pub fn group(group: i32) -> Vec<Process> {
    // Most callers check whether a group is gone, and this check is one system call.
    if !signal::group_exists(group) {
        return Vec::new();
    }
    all()
        .into_iter()
        .filter(|process| process.group == group && !process.zombie)
        .collect()
}

/// Returns the living processes of a session.
#[must_use]
pub fn session(session: i32) -> Vec<Process> {
    all()
        .into_iter()
        .filter(|process| process.session == session && !process.zombie)
        .collect()
}
