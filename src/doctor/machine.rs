//! tmux itself, the installed helpers, and the permissions of the socket and of the private files.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Area, Findings, ProblemKind, ServerInfo, mend};
use crate::env;
use crate::error::{Error, ErrorKind};
use crate::journal::launch;
use crate::proc;
use crate::store::pending_restore::lost_servers;
use crate::tmux::Server;
use crate::tmux::version::{FLOOR, Version};

/// How long a helper may take to print its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(2);

const fn version(major: u16, minor: u16) -> Version {
    Version {
        major,
        minor,
        patch: 0,
    }
}

/// From this version on, tmux refuses a paste into a dead pane.
const PASTE_FIXED: Version = version(3, 4);
/// From this version on, no exit status is lost, and client and server use another protocol than before.
const EXIT_STATUS_FIXED: Version = version(3, 6);
const NEW_PROTOCOL: Version = version(3, 6);

/// Returns whether a server accepted the connection and then closed it.
pub(super) fn hung_up(error: &Error) -> bool {
    error.kind == ErrorKind::HungUp
}

/// Checks the client, the server, and their known faults.
pub(super) fn tmux(
    server: &Server,
    info: Option<&ServerInfo>,
    missing: Option<&Error>,
    findings: &mut Findings,
) {
    let client = server.version();
    let running = info.and_then(|info| Version::parse(&info.version));
    if let Some(client) = client
        && client < FLOOR
    {
        findings.problem(
            ProblemKind::ClientTooOld,
            format!("tmux {client} is too old"),
            format!("install tmux {FLOOR} or newer"),
        );
        return;
    }
    let end = findings.mends.tmux(&["kill-server"]);
    match (client, running, missing) {
        (Some(client), Some(running), _) if running < FLOOR => findings.problem(
            ProblemKind::ServerTooOld,
            format!("the server runs tmux {running}, which is too old; PATH has {client}"),
            format!("when you no longer need what runs in the server, end it: {end}"),
        ),
        (Some(client), Some(running), _) if (client < NEW_PROTOCOL) != (running < NEW_PROTOCOL) => {
            findings.problem(
                ProblemKind::OtherProtocol,
                format!(
                    "the server runs tmux {running}, PATH has {client}, and they cannot talk to each other (3.5 and \
                     older cannot talk to 3.6 and newer)"
                ),
                format!(
                    "put tmux {running} first on PATH, or end the server: {end}"
                ),
            );
        }
        (Some(client), Some(running), _) if client != running => findings.problem(
            ProblemKind::OtherVersion,
            format!("the server runs tmux {running}, and PATH has {client}"),
            format!(
                "nothing needs to be done: the server keeps its version until it ends. To end it: {end}"
            ),
        ),
        (Some(client), Some(_), _) => {
            findings.ok(Area::Tmux, format!("tmux {client}, client and server"));
        }
        (Some(client), None, Some(error)) if hung_up(error) => {
            findings.problem(
                ProblemKind::ServerHungUp,
                format!(
                    "PATH has tmux {client}, and the server hung up on it: 3.5 and older cannot talk to 3.6 and newer"
                ),
                "put the tmux that started the server first on PATH",
            );
            return;
        }
        (Some(client), None, _) => findings.ok(Area::Tmux, format!("tmux {client}")),
        (None, _, _) => findings.problem(
            ProblemKind::NoVersion,
            format!(
                "{} -V does not print its version",
                server.program().display()
            ),
            format!("put tmux {FLOOR} or newer first on PATH"),
        ),
    }
    let Some(version) = running.or(client) else {
        return;
    };
    let keeps_dead = info.is_some_and(|info| {
        let mut lines = info.window_options.iter();
        lines.any(|line| line.starts_with("remain-on-exit ") && line != "remain-on-exit off")
    });
    if version < PASTE_FIXED && keeps_dead {
        let off = findings
            .mends
            .tmux(&["set-option", "-gw", "remain-on-exit", "off"]);
        findings.problem(
            ProblemKind::PasteIntoDead,
            format!(
                "remain-on-exit is on: a paste into a dead pane crashes tmux {version} (tmux/tmux#3830); panes of \
                 sesh-new are not affected"
            ),
            format!("update tmux to 3.4 or newer; or remove remain-on-exit from tmux.conf: {off}"),
        );
    }
    if version < EXIT_STATUS_FIXED && has_utempter(server, info) {
        findings.problem(
            ProblemKind::LosesExits,
            format!(
                "tmux {version} built with libutempter loses the exit status of some panes (tmux/tmux#311); panes of \
                 sesh-new record their own"
            ),
            "update tmux to 3.6 or newer if you need the exit status of adopted panes",
        );
    }
}

/// Reports servers that live without their socket, which the journal knows.
pub(super) fn lost(server: &Server, findings: &mut Findings) {
    for lost in lost_servers(server).unwrap_or_default() {
        findings.problem(ProblemKind::LostServer, lost.what(), lost.way_back());
    }
}

/// Reports a server that does not answer. Returns whether that is why it could not be asked.
pub(super) fn silence(server: &Server, error: &Error, findings: &mut Findings) -> bool {
    if error.kind != ErrorKind::NoAnswer {
        return false;
    }
    let socket = server.address().unwrap_or_default();
    let socket = socket.display();
    match server.listener().and_then(proc::read) {
        Some(process) if process.stopped => findings.problem(
            ProblemKind::ServerStopped,
            format!(
                "the tmux server {} at {socket} is stopped and does not answer",
                process.pid
            ),
            format!("kill -CONT {}", process.pid),
        ),
        Some(process) => findings.problem(
            ProblemKind::ServerHangs,
            format!(
                "the tmux server {} at {socket} hangs: it runs and does not answer",
                process.pid
            ),
            format!(
                "wait and check again; to end it with everything in it: kill -KILL {}",
                process.pid
            ),
        ),
        None => findings.problem(
            ProblemKind::ServerHangs,
            format!("the tmux server at {socket} does not answer: it hangs or is stopped"),
            "continue its process with kill -CONT, or end it with kill -KILL",
        ),
    }
    true
}

/// Returns whether the server's program, or else the client's, is built with libutempter: its name is in the file.
fn has_utempter(server: &Server, info: Option<&ServerInfo>) -> bool {
    const NAME: &[u8] = b"libutempter.so";
    let running = info.and_then(|info| proc::program_file(info.pid));
    let program = running.unwrap_or_else(|| server.program().into());
    std::fs::read(program).is_ok_and(|bytes| bytes.windows(NAME.len()).any(|window| window == NAME))
}

const REINSTALL: &str = "install all helpers of one version together (bin/install)";

/// Checks the helpers beside this one and on PATH.
pub(super) fn helpers(names: &[&str], version: &str, findings: &mut Findings) {
    let before = findings.count();
    let mut on_path = false;
    for name in names {
        let beside = env::helper_beside(name);
        let first = env::helper_on_path(name);
        on_path |= first.is_some();
        if beside.is_none() && first.is_none() {
            findings.problem(
                ProblemKind::HelperMissing,
                format!("{name} is missing: it is neither next to this program nor on PATH"),
                REINSTALL,
            );
        }
        let same = |one: &Path, other: &Path| one.canonicalize().ok() == other.canonicalize().ok();
        let other = first.filter(|first| !beside.as_ref().is_some_and(|file| same(file, first)));
        for file in beside.iter().chain(&other) {
            other_version(file, version, findings);
        }
    }
    if !on_path {
        let own = env::helper_beside("sesh-doctor");
        let folder = own.as_deref().and_then(Path::parent);
        let folder = folder.map_or("\"folder of the helpers\"".into(), mend::path);
        findings.problem(
            ProblemKind::NoHelperOnPath,
            "no helper is on PATH: only the plugin and programs that know their folder can run them",
            format!("add their folder to PATH, also in the start file of your shell: export PATH=$PATH:{folder}"),
        );
    }
    let faultless = findings.all[before..]
        .iter()
        .all(|finding| finding.level != super::Severity::Fault);
    if faultless {
        findings.ok(
            Area::Helpers,
            format!("{} helpers, all of version {version}", names.len()),
        );
    }
}

/// Reports a helper of another version than this program.
fn other_version(file: &Path, version: &str, findings: &mut Findings) {
    match version_of(file) {
        None => findings.problem(
            ProblemKind::HelperWithoutVersion,
            format!("{} does not print its version", file.display()),
            another(file),
        ),
        Some(other) if other != version => {
            let age = if older(&other, version) {
                "older"
            } else {
                "newer"
            };
            findings.problem(
                ProblemKind::HelperOfOtherVersion,
                format!(
                    "{} is {other}, {age} than this program, which is {version}",
                    file.display(),
                ),
                another(file),
            );
        }
        Some(_) => {}
    }
}

/// Returns the way out for a helper that does not belong to this program.
fn another(file: &Path) -> String {
    format!("{REINSTALL}; if it is a leftover: rm {}", mend::path(file))
}

/// Returns the version that a helper prints, or `None` if it prints none, or not in time.
pub(super) fn version_of(file: &Path) -> Option<String> {
    let mut child = Command::new(file)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        // A version is short: a program that prints more is something else.
        let read =
            std::io::Read::read_to_string(&mut std::io::Read::take(&mut stdout, 1_000), &mut text);
        let _ = sender.send(read.map(|_| text));
    });
    let text = receiver.recv_timeout(VERSION_TIMEOUT);
    let _ = child.kill();
    let _ = child.wait();
    let text = text.ok()?.ok()?;
    let name = file.file_name()?.to_str()?;
    let version = text.trim_end().strip_prefix(name)?.strip_prefix(' ')?;
    let numbers = !version.is_empty() && version.starts_with(|c: char| c.is_ascii_digit());
    (numbers && !version.contains(char::is_whitespace)).then(|| version.into())
}

/// Returns whether one version is before another, by their numbers.
pub(super) fn older(one: &str, other: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split(|c: char| !c.is_ascii_digit())
            .map_while(|number| number.parse().ok())
            .collect()
    };
    numbers(one) < numbers(other)
}

/// Checks the private files of new panes.
pub(super) fn files(findings: &mut Findings) {
    match launch::inspect() {
        Ok(folder) => findings.ok(
            Area::Permissions,
            format!("{} is private", folder.display()),
        ),
        Err(error) => {
            return findings.error(ProblemKind::LaunchFolder, &error, "move it elsewhere");
        }
    }
    if let Err(error) = launch::probe() {
        findings.error(ProblemKind::LaunchUnwritable, &error, "make it writable");
    }
}

/// Checks who can reach the server's socket. A user who can has all rights of its owner.
pub(super) fn socket(info: &ServerInfo, findings: &mut Findings) {
    let socket = Path::new(&info.socket);
    let Some(folder) = socket.parent() else {
        return;
    };
    let (Ok(of_folder), Ok(of_socket)) = (folder.metadata(), socket.metadata()) else {
        return findings.problem(
            ProblemKind::SocketGone,
            format!("the server's socket {} is gone", socket.display()),
            format!("have tmux create it again: kill -USR1 {}", info.pid),
        );
    };
    let (folder, word) = (folder.display(), mend::path(folder));
    // A connection needs the right to search the folder and the right to write to the socket.
    let open =
        |who: u32| of_folder.mode() & (0o1 << who) != 0 && of_socket.mode() & (0o2 << who) != 0;
    let others = of_folder.mode() & 0o077;
    if others == 0 {
        findings.ok(Area::Permissions, format!("{folder} is yours alone"));
    } else if open(0) || open(3) {
        findings.problem(
            ProblemKind::SocketOpen,
            format!(
                "other users can connect to the server through {} and control it",
                socket.display()
            ),
            format!("chmod 600 {}", mend::path(socket)),
        );
    } else {
        findings.problem(
            ProblemKind::SocketFolderOpen,
            format!("other users can list {folder}; the socket there is private"),
            format!("if only you use that folder: chmod 700 {word}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_by_their_numbers() {
        assert!(older("0.9.0", "0.10.0") && older("0.1", "0.1.1"));
        assert!(!older("1.0.0", "0.9.9") && !older("0.1.0", "0.1.0"));
        assert!(!older("0.1.0-rc1", "0.1.0"));
    }
}
