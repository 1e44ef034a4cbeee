//! Reads the process table on systems without `/proc`, through `ps`, which macOS and the BSDs have. Written for macOS
//! and not tested there.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::{Environment, Process, Program, ancestors_of, descendants};

pub(super) fn read(pid: i32) -> Option<Process> {
    rows(&["-p", &pid.to_string()]).into_iter().next()
}

/// Returns nothing: the start of a process is the time of day here, so a pid and its start are enough.
pub(super) fn boot() -> String {
    String::new()
}

pub(super) fn pid_namespace() -> String {
    String::new()
}

/// Returns false: this cannot be read here.
pub(super) fn ignores(_pid: i32, _signal: i32) -> bool {
    false
}

pub(super) fn program_file(_pid: i32) -> Option<std::path::PathBuf> {
    None
}

pub(super) fn bytes_read(_pid: i32) -> Option<u64> {
    None
}

/// Returns `None`: the stored start is not a time.
pub(super) fn started(_process: &Process) -> Option<SystemTime> {
    None
}

pub(super) fn ancestors(pid: i32) -> impl Iterator<Item = Process> {
    let all = all();
    ancestors_of(pid, move |pid| {
        all.iter().find(|process| process.pid == pid).cloned()
    })
}

pub(super) fn children(pid: i32) -> Vec<i32> {
    all()
        .into_iter()
        .filter(|process| process.parent == pid)
        .map(|process| process.pid)
        .collect()
}

pub(super) fn tree(pid: i32) -> Vec<Process> {
    descendants(all(), pid)
}

/// Returns the program of a process. `ps` joins the arguments with blanks, so an argument that contains a blank is
/// split here.
pub(super) fn program(pid: i32) -> Program {
    let pid = pid.to_string();
    let column = |name: &str| ps(&["-ww", "-p", &pid, "-o", name]).trim().to_string();
    let file = column("comm=");
    Program {
        argv: column("args=").split(' ').map(Into::into).collect(),
        file: (!file.is_empty()).then(|| file.into()),
        script: None,
    }
}

/// Returns `None`: this would need a system call that is specific to the system.
pub(super) fn input_terminal(_pid: i32) -> Option<u64> {
    None
}

/// Returns true: this cannot be read here.
pub(super) fn has_master_of(_pid: i32, _terminal: u64) -> bool {
    true
}

/// Returns nothing: this would need a system call that is specific to the system.
pub(super) fn holders(_file: &std::path::Path) -> Vec<Process> {
    Vec::new()
}

/// Returns `None`: `ps` prints a name that is shortened in different ways.
pub(super) fn terminal_file(_process: &Process) -> Option<PathBuf> {
    None
}

/// Returns false: this would need a system call that is specific to the system.
pub(super) fn draws_on(_pid: i32, _terminal: &std::path::Path) -> bool {
    false
}

pub(super) fn folder(_pid: i32) -> Option<PathBuf> {
    None
}

/// Returns the environment of a process. `ps` prints it after the arguments of the command, so a value that contains a
/// blank ends at the blank.
pub(super) fn environment(pid: i32) -> Environment {
    Environment {
        entries: ps(&["-E", "-ww", "-p", &pid.to_string(), "-o", "command="]).into_bytes(),
        separator: b' ',
    }
}

pub(super) fn all() -> Vec<Process> {
    rows(&["-A"])
}

fn rows(which: &[&str]) -> Vec<Process> {
    const COLUMNS: &str = "pid=,ppid=,pgid=,sess=,tpgid=,state=,tty=,lstart=,comm=";
    ps(&[which, &["-o", COLUMNS]].concat())
        .lines()
        .filter_map(parse)
        .collect()
}

fn ps(arguments: &[&str]) -> String {
    Command::new("ps")
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

/// Returns a number computed from texts.
fn number_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    texts
        .into_iter()
        .flat_map(str::bytes)
        .fold(0, |sum: u64, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        })
}

fn parse(line: &str) -> Option<Process> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |at: usize| words.get(at)?.parse::<i32>().ok();
    let pid = number(0)?;
    let terminal = *words.get(6)?;
    Some(Process {
        pid,
        parent: number(1)?,
        group: number(2)?,
        // macOS prints the address of the session here, and 0 to unprivileged users. The fallback is the pid of the
        // process, which is right for the session leader of a pane.
        session: number(3).filter(|session| *session > 0).unwrap_or(pid),
        // `??` or `-` means that there is none.
        terminal: if terminal.chars().any(char::is_alphanumeric) {
            number_of([terminal])
        } else {
            0
        },
        foreground: number(4).unwrap_or(-1),
        // `lstart` prints a date of five words.
        start: number_of(words.get(7..12)?.iter().copied()),
        zombie: words.get(5)?.starts_with('Z'),
        stopped: words.get(5)?.starts_with('T'),
        name: words.get(12..)?.join(" ").rsplit('/').next()?.into(),
    })
}
