//! The only reader of the process table, and the only user of system calls.

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
    /// The foreground process group of its terminal, -1 without one.
    pub foreground: i32,
    /// When it started, in a unit of the system's own: with the pid, its identity.
    pub start: u64,
    /// It has ended and waits for its parent.
    pub zombie: bool,
    /// Its short name.
    pub name: String,
}

impl Process {
    /// Whether it is the one that asks.
    #[must_use]
    pub fn is_self(&self) -> bool {
        i32::try_from(std::process::id()) == Ok(self.pid)
    }

    /// Whether it is a shell that people sit at.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        const SHELLS: [&str; 14] = [
            "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "pwsh", "sh",
            "tcsh", "xonsh", "zsh",
        ];
        SHELLS.contains(&self.name.trim_start_matches('-'))
    }
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

/// The file of the program that a process runs, readable also when another has taken its name. `None` where the system
/// does not say.
#[must_use]
pub fn program(pid: i32) -> Option<std::path::PathBuf> {
    table::program(pid)
}

/// The children of a process.
#[must_use]
pub fn children(pid: i32) -> Vec<i32> {
    table::children(pid)
}

/// Every process that can be read.
#[must_use]
pub fn all() -> Vec<Process> {
    table::all()
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
