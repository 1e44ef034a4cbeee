//! The process table where there is no `/proc`: `ps`, which macOS and the BSDs have. Written for macOS and
//! not tested there.

use std::process::{Command, Stdio};

use super::Process;

pub(super) fn read(pid: i32) -> Option<Process> {
    rows(&["-p", &pid.to_string()]).into_iter().next()
}

pub(super) fn program(_pid: i32) -> Option<std::path::PathBuf> {
    None
}

pub(super) fn children(pid: i32) -> Vec<i32> {
    all()
        .into_iter()
        .filter(|process| process.parent == pid)
        .map(|process| process.pid)
        .collect()
}

pub(super) fn all() -> Vec<Process> {
    rows(&["-A"])
}

fn rows(which: &[&str]) -> Vec<Process> {
    Command::new("ps")
        .args(which)
        .args(["-o", "pid=,ppid=,pgid=,sess=,tpgid=,state=,lstart=,comm="])
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map(|output| {
            String::from_utf8_lossy(&output.stdout)
                .lines()
                .filter_map(parse)
                .collect()
        })
        .unwrap_or_default()
}

fn parse(line: &str) -> Option<Process> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |at: usize| words.get(at)?.parse::<i32>().ok();
    let pid = number(0)?;
    // `lstart` is five words of a date; their digits in order serve as an identity.
    let start = words.get(6..11)?.concat().bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    Some(Process {
        pid,
        parent: number(1)?,
        group: number(2)?,
        // macOS prints a session's address here, 0 to the unprivileged: a pane's session is its leader's.
        session: number(3).filter(|session| *session > 0).unwrap_or(pid),
        foreground: number(4).unwrap_or(-1),
        start,
        zombie: words.get(5)?.starts_with('Z'),
        name: words.get(11..)?.join(" ").rsplit('/').next()?.into(),
    })
}
