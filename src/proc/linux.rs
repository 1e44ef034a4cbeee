//! The process table of Linux: `/proc`.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use super::Process;

pub(super) fn read(pid: i32) -> Option<Process> {
    // One read: the kernel makes the line at once, and it is never this long (comm has 64 bytes at most).
    let mut line = [0; 1024];
    let length = fs::File::open(format!("/proc/{pid}/stat"))
        .and_then(|mut file| file.read(&mut line))
        .ok()?;
    parse(&line[..length])
}

pub(super) fn program(pid: i32) -> Option<PathBuf> {
    let path = PathBuf::from(format!("/proc/{pid}/exe"));
    path.exists().then_some(path)
}

pub(super) fn children(pid: i32) -> Vec<i32> {
    // Each thread lists the children it forked.
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| {
            list.split_ascii_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<i32>>()
        })
        .collect()
}

pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(read)
        .collect()
}

/// proc(5): `pid (comm) state ppid pgrp session tty_nr tpgid … starttime`; comm may hold blanks,
/// parentheses and bytes that are no UTF-8.
fn parse(stat: &[u8]) -> Option<Process> {
    let open = stat.iter().position(|&byte| byte == b'(')?;
    let close = stat.iter().rposition(|&byte| byte == b')')?;
    let pid = std::str::from_utf8(stat.get(..open)?).ok()?.trim();
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    Some(Process {
        pid: pid.parse().ok()?,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        foreground: number(5)?,
        start: fields.get(19)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        name: String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_the_rest() {
        let stat = b"42 (a) R (b) S 7 42 40 34816 43 4194304 1 0 0 0 0 0 0 0 20 0 1 0 900 1 1";
        let process = parse(stat).expect("a process");
        assert_eq!(process.name, "a) R (b");
        assert_eq!(
            (
                process.pid,
                process.parent,
                process.group,
                process.session,
                process.foreground,
                process.start
            ),
            (42, 7, 42, 40, 43, 900)
        );
        assert!(!process.zombie);
    }

    #[test]
    fn this_process_is_there() {
        let pid = i32::try_from(std::process::id()).expect("a pid");
        let process = read(pid).expect("this process");
        assert!(children(process.parent).contains(&pid));
        assert!(all().contains(&read(1).expect("the first process")));
        assert!(read(i32::MAX).is_none());
        let program = program(pid).expect("its program");
        assert_eq!(fs::canonicalize(program).ok(), std::env::current_exe().ok());
    }
}
