//! Reads the process table of Linux: `/proc`.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use super::{Environment, Process, Program, ancestors_of, descendants};

pub(super) fn read(pid: i32) -> Option<Process> {
    // One read is enough: the kernel produces the line at once, and it is never this long (comm has at most 64 bytes).
    let mut line = [0; 1024];
    let length = fs::File::open(format!("/proc/{pid}/stat"))
        .and_then(|mut file| file.read(&mut line))
        .ok()?;
    parse(&line[..length])
}

pub(super) fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().into()
}

pub(super) fn pid_namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().into_owned()
}

/// Returns whether a process ignores a signal, as a process that `nohup` starts does.
pub(super) fn ignores(pid: i32, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is that of signal 1.
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

pub(super) fn program_file(pid: i32) -> Option<PathBuf> {
    let path = PathBuf::from(format!("/proc/{pid}/exe"));
    path.exists().then_some(path)
}

pub(super) fn bytes_read(pid: i32) -> Option<u64> {
    let counts = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    counts
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "))?
        .parse()
        .ok()
}

/// Converts the start, in clock ticks since boot, to a time. User space has 100 ticks per second on every architecture
/// that the Rust standard library supports.
pub(super) fn started(process: &Process) -> Option<SystemTime> {
    static BOOT: OnceLock<Option<SystemTime>> = OnceLock::new();
    let boot = *BOOT.get_or_init(|| {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let uptime = uptime.split_ascii_whitespace().next()?.parse().ok()?;
        SystemTime::now().checked_sub(Duration::try_from_secs_f64(uptime).ok()?)
    });
    boot?.checked_add(Duration::from_millis(process.start.checked_mul(10)?))
}

pub(super) fn ancestors(pid: i32) -> impl Iterator<Item = Process> {
    ancestors_of(pid, read)
}

pub(super) fn children(pid: i32) -> Vec<i32> {
    // Each thread has its own list of the children that it forked.
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

pub(super) fn tree(pid: i32) -> Vec<Process> {
    // A kernel can be built without the lists of children.
    if !Path::new("/proc/thread-self/children").exists() {
        return descendants(all(), pid);
    }
    let mut tree: Vec<Process> = read(pid).into_iter().collect();
    let mut next = 0;
    while let Some(process) = tree.get(next) {
        let children = children(process.pid);
        tree.extend(children.into_iter().filter_map(read));
        next += 1;
    }
    tree
}

pub(super) fn program(pid: i32) -> Program {
    let argv = start_data(pid, "cmdline");
    let argv = argv.strip_suffix(b"\0").unwrap_or(&argv);
    let argv = if argv.is_empty() {
        Vec::new()
    } else {
        argv.split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    };
    let file = fs::read_link(format!("/proc/{pid}/exe")).ok().map(|file| {
        // The suffix means that the file was replaced while the program ran, for example by an update.
        match file.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
            Some(path) => PathBuf::from(OsStr::from_bytes(path)),
            None => file,
        }
    });
    Program {
        argv,
        file,
        script: None,
    }
}

pub(super) fn input_terminal(pid: i32) -> Option<u64> {
    let input = fs::metadata(format!("/proc/{pid}/fd/0")).ok()?;
    (input.file_type().is_char_device() && is_terminal(input.rdev())).then(|| input.rdev())
}

/// Whether a device is the slave of a pseudoterminal: those have the major numbers 136 to 143.
fn is_terminal(device: u64) -> bool {
    (136..=143).contains(&nix::sys::stat::major(device))
}

pub(super) fn has_master_of(pid: i32, terminal: u64) -> bool {
    const MINORS: u64 = 1 << 20;
    if !is_terminal(terminal) {
        return false;
    }
    // One count of terminals runs through all eight major numbers.
    let index = (nix::sys::stat::major(terminal) - 136) * MINORS + nix::sys::stat::minor(terminal);
    let line = format!("tty-index:\t{index}");
    let files = fs::read_dir(format!("/proc/{pid}/fdinfo"));
    files.into_iter().flatten().flatten().any(|file| {
        fs::read_to_string(file.path()).is_ok_and(|text| text.lines().any(|it| it == line))
    })
}

pub(super) fn holders(file: &Path) -> Vec<Process> {
    let Ok(file) = file.canonicalize() else {
        return Vec::new();
    };
    all()
        .into_iter()
        .filter(|process| open_files(process.pid).any(|(_, path)| path == file))
        .collect()
}

/// Returns the open files of a process with their descriptors. Those of another user's process cannot be read.
fn open_files(pid: i32) -> impl Iterator<Item = (std::ffi::OsString, PathBuf)> {
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    let open = open.into_iter().flatten().flatten();
    open.filter_map(|entry| Some((entry.file_name(), fs::read_link(entry.path()).ok()?)))
}

pub(super) fn draws_on(pid: i32, terminal: &Path) -> bool {
    open_files(pid).any(|(descriptor, path)| {
        descriptor != "0" && (path == terminal || path == Path::new("/dev/tty"))
    })
}

/// Returns the file of a pseudoterminal, which all that tmux has are. The kernel prints the device number with the
/// major number in bits 8 to 19 and the minor number in the others, as proc(5) says.
pub(super) fn terminal_file(process: &Process) -> Option<PathBuf> {
    const PSEUDOTERMINALS: u64 = 136;
    let major = (process.terminal >> 8) & 0xfff;
    let minor = (process.terminal & 0xff) | ((process.terminal >> 12) & 0xf_ff00);
    (major == PSEUDOTERMINALS).then(|| PathBuf::from(format!("/dev/pts/{minor}")))
}

pub(super) fn folder(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

pub(super) fn environment(pid: i32) -> Environment {
    Environment {
        entries: start_data(pid, "environ"),
        separator: 0,
    }
}

/// Returns what a process was started with: its `cmdline` or its `environ`.
///
/// Both are empty while a process exchanges its program: measured, 4 % of the reads of one that does nothing else. So an
/// agent whose launcher runs it in its own place would be gone for a moment.
fn start_data(pid: i32, file: &str) -> Vec<u8> {
    /// Under load a process may be interrupted there.
    const ATTEMPTS: u32 = 20;
    for _ in 0..ATTEMPTS {
        let data = bytes(&format!("/proc/{pid}/{file}"));
        // Without arguments it exchanges its program, or is a zombie, which has no program.
        let has_arguments = || !bytes(&format!("/proc/{pid}/cmdline")).is_empty();
        let has_program = || fs::read_link(format!("/proc/{pid}/exe")).is_ok();
        if !data.is_empty() || !has_program() {
            return data;
        }
        if has_arguments() {
            return bytes(&format!("/proc/{pid}/{file}"));
        }
        std::thread::sleep(Duration::from_millis(1)); // why: an exchange of a program has no event.
    }
    Vec::new()
}

/// Returns the content of a file in `/proc`, or nothing if it cannot be read. Such a file has no size, so a function
/// that reads whole files would read it in small steps, and each step costs the kernel a walk.
fn bytes(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16_384);
    // `take` keeps the file from being asked for its size first.
    let read = fs::File::open(path).and_then(|file| file.take(u64::MAX).read_to_end(&mut bytes));
    if read.is_err() {
        bytes.clear();
    }
    bytes
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

/// Parses a line of proc(5): `pid (comm) state ppid pgrp session tty_nr tpgid … starttime`. comm may contain blanks,
/// parentheses and bytes that are not UTF-8.
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
        // The device number is printed as a signed number.
        terminal: number(4)?.cast_unsigned().into(),
        foreground: number(5)?,
        start: fields.get(19)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        stopped: matches!(*fields.first()?, "T" | "t"),
        name: String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn start_time_of_a_process() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("a child");
        let process = read(child.id().cast_signed()).expect("the child");
        let age = started(&process).expect("a moment").elapsed();
        child.kill().and_then(|()| child.wait()).expect("its end");
        // The uptime and the start have a resolution of 10 ms.
        assert!(age.is_ok_and(|age| age < Duration::from_secs(10)));
        let first = started(&read(1).expect("the first process"));
        assert!(first < started(&process));
    }

    #[test]
    fn a_process_name_with_parentheses_and_blanks() {
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
        assert_eq!(process.terminal, 34816);
        assert!(!process.zombie && !process.stopped);
        let stopped = parse(b"42 (a) T 7 42 40 34816 43 0 0 0 0 0 0 0 0 0 20 0 1 0 900 1 1");
        assert!(stopped.expect("a process").stopped);
    }

    #[test]
    fn bytes_that_a_process_reads_are_counted() {
        let pid = std::process::id().cast_signed();
        let before = bytes_read(pid).expect("a count");
        fs::read("/proc/self/stat").expect("a file");
        assert!(bytes_read(pid).expect("a count") > before);
        assert_eq!(bytes_read(i32::MAX), None);
    }

    /// A shell that runs itself in its own place again and again.
    #[test]
    fn a_process_that_exchanges_its_program_has_one() {
        let again = "exec sh -c \"$0\" \"$0\"";
        let mut exchanges = std::process::Command::new("sh")
            .args(["-c", again, again])
            .spawn()
            .expect("a shell");
        let pid = exchanges.id().cast_signed();
        let is_known = (0..5000).all(|_| {
            let environment = environment(pid);
            !program(pid).argv.is_empty() && !environment.entries.is_empty()
        });
        exchanges.kill().expect("it lives");
        exchanges.wait().expect("its end");
        assert!(is_known);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let pid = i32::try_from(std::process::id()).expect("a pid");
        let process = read(pid).expect("this process");
        assert!(children(process.parent).contains(&pid));
        assert!(all().contains(&read(1).expect("the first process")));
        assert!(read(i32::MAX).is_none());
        let file = program_file(pid).expect("its program");
        assert_eq!(fs::canonicalize(file).ok(), std::env::current_exe().ok());
        let ancestors: Vec<Process> = ancestors(pid).collect();
        assert_eq!((ancestors[0].pid, ancestors[1].pid), (pid, process.parent));
        assert!(
            ancestors.len() < 50
                && ancestors
                    .iter()
                    .is_sorted_by(|one, other| one.parent == other.pid)
        );
        let tree = tree(process.parent);
        assert_eq!(tree[0].pid, process.parent);
        assert!(tree.iter().any(|child| child.pid == pid));
        assert_eq!(descendants(all(), pid)[0].pid, pid);
        let program = program(pid);
        let words: Vec<String> = std::env::args().collect();
        assert_eq!(program.argv, words);
        assert_eq!(program.file, std::env::current_exe().ok());
        assert_eq!(folder(pid), std::env::current_dir().ok());
        let environment = environment(pid);
        assert_eq!(environment.get("PATH"), Some(crate::env::path()));
        assert_eq!(environment.get("PAT"), None);
    }
}
