//! A tmux client that implements the socket protocol of the server, so that a batch needs no process.
//!
//! Starting the tmux program takes three quarters of the time of a request (1.5 ms of 2.0 ms; its libraries are loaded
//! anew each time), so a helper that starts it can never be as fast as it. The exchange is the one that tmux 3.2a to
//! 3.8 share, as long as no file descriptor is passed.
//!
//! A list runs at most once. Before the last byte of the list is written, nothing of it has run, so the tmux program can
//! take over: if there is no server, or it cannot be reached ([`NoAnswer::NotRun`]). The same is true if the server
//! answers with the version of another protocol, or closes the connection before it has read all of the list, as one does
//! that was ending. Afterwards nothing is repeated that changes anything: the result is
//! the one of the tmux program, which reports that the server has hung up. Only the caller knows which lists may run
//! twice.

mod files;
mod imsg;
mod message;
mod receiver;

use std::ffi::OsString;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{AccessFlags, access};

use crate::env;
use receiver::{Received, Receiver};

/// The output of a tmux client, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientOutput {
    pub(super) code: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// The server ends. Its clients exit as if their lists had succeeded, even if those have not run.
    pub(super) server_ends: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// No command of the list has run or will run.
    NotRun,
    /// The server has closed the connection, or has sent what is no message.
    HungUp,
    /// The server did not answer in time. The program would wait for it too.
    TimedOut,
}

impl From<std::io::Error> for NoAnswer {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::NotRun,
        }
    }
}

/// What the server learns of its client.
#[derive(Debug)]
pub(super) struct Identity {
    folder: PathBuf,
    /// The kind of its terminal.
    term: OsString,
    variables: Vec<(OsString, OsString)>,
}

impl Identity {
    /// Returns what a list needs that starts no process: the variables that identify the pane of the caller, because a
    /// batch without a target uses that pane, and the PATH, which a process gets that a hook of the user starts.
    pub(super) fn of_caller() -> Option<Self> {
        let path = env::value("PATH").map(|path| ("PATH".into(), path));
        Some(Self {
            folder: folder_of_client(None)?,
            term: env::value("TERM").unwrap_or_default(),
            variables: env::place().chain(path).collect(),
        })
    }

    /// Returns what the tmux program would send from a folder, for a list that starts a process. A new session takes
    /// the variables of `update-environment` from it. Returns `None` if the program could not start there.
    pub(super) fn of_program(folder: Option<&Path>) -> Option<Self> {
        Some(Self {
            folder: folder_of_client(folder)?,
            term: env::value("TERM").unwrap_or_default(),
            variables: env::of_tmux_client().collect(),
        })
    }
}

/// Returns the folder that the tmux program would send if it was started in one: `$PWD` if that is the same folder, so
/// that links in its path are kept.
fn folder_of_client(folder: Option<&Path>) -> Option<PathBuf> {
    let real = match folder {
        Some(folder) => {
            access(folder, AccessFlags::X_OK).ok()?;
            folder.canonicalize().ok()?
        }
        None => std::env::current_dir().ok()?,
    };
    let named = env::value("PWD").map(PathBuf::from);
    let is_same =
        |named: &PathBuf| *named == real || named.canonicalize().ok() == Some(real.clone());
    Some(named.filter(is_same).unwrap_or(real))
}

/// Runs a list on the server at a socket. `left` returns how much time is left. `sent` is called when the whole list was
/// written, from where on it may run.
pub(super) fn run(
    socket: &Path,
    argv: &[String],
    identity: &Identity,
    left: impl Fn() -> Duration,
    sent: impl FnOnce(),
) -> Result<ClientOutput, NoAnswer> {
    let server = send(socket, argv, identity, Box::new(left))?;
    sent();
    receiver::receive_all(server)
}

/// Sends a list to the server at a socket. If this fails, no command of it runs.
fn send<'a>(
    socket: &Path,
    argv: &[String],
    identity: &Identity,
    left: Left<'a>,
) -> Result<Connection<'a>, NoAnswer> {
    // The header of 3.6 and later is equal to the older one on little-endian machines only.
    if cfg!(target_endian = "big") {
        return Err(NoAnswer::NotRun);
    }
    let request = request(argv, identity).ok_or(NoAnswer::NotRun)?;
    let deadline = Instant::now() + left();
    let mut server = Connection {
        stream: connect(socket, deadline)?,
        left,
    };
    server.write_all(&request)?;
    Ok(server)
}

/// Connects to a socket. A server that is stopped accepts a hundred connections, and then makes others wait.
#[cfg(target_os = "linux")]
pub(super) fn connect(socket: &Path, deadline: Instant) -> std::io::Result<UnixStream> {
    use rustix::net::sockopt::{Timeout, set_socket_timeout};
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let family = AddressFamily::UNIX;
    let stream = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&stream, Timeout::Send, Some(left(deadline)?))?;
    rustix::net::connect(&stream, &SocketAddrUnix::new(socket)?)?;
    Ok(stream.into())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn connect(socket: &Path, _deadline: Instant) -> std::io::Result<UnixStream> {
    UnixStream::connect(socket)
}

/// Returns the time until a deadline.
///
/// # Errors
/// [`ErrorKind::TimedOut`] if none is left.
fn left(deadline: Instant) -> std::io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// Returns how much time is left.
type Left<'a> = Box<dyn Fn() -> Duration + 'a>;

fn until(deadline: Instant) -> Left<'static> {
    Box::new(move || deadline.saturating_duration_since(Instant::now()))
}

/// A connection to a server whose reads and writes end when no time is left.
struct Connection<'a> {
    stream: UnixStream,
    left: Left<'a>,
}

impl fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.stream).finish()
    }
}

impl Connection<'_> {
    /// Does something on the stream until it is done or no time is left.
    fn in_time<T>(
        &mut self,
        set_limit: fn(&UnixStream, Option<Duration>) -> std::io::Result<()>,
        mut act: impl FnMut(&mut UnixStream) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        loop {
            let left = (self.left)();
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            set_limit(&self.stream, Some(left))?;
            match act(&mut self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
    }
}

impl Read for Connection<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.in_time(UnixStream::set_read_timeout, |stream| stream.read(bytes))
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.in_time(UnixStream::set_write_timeout, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A client whose list of commands prints a line, waits, and prints more when it was woken.
#[derive(Debug)]
pub(super) struct WaitingClient {
    receiver: Receiver<Connection<'static>>,
    /// How the list has ended.
    ended: Option<Received>,
}

impl WaitingClient {
    /// Runs a list that prints a line before it waits. Returns when that has arrived; then the list waits. Returns `None`
    /// in doubt, or at the deadline.
    pub(super) fn start(socket: &Path, argv: &[String], deadline: Instant) -> Option<Self> {
        let identity = Identity::of_caller()?;
        let mut receiver = Receiver::new(send(socket, argv, &identity, until(deadline)).ok()?);
        let mut outcome = Received::More;
        while outcome == Received::More && !receiver.printed().contains(&b'\n') {
            outcome = receiver.receive();
        }
        receiver.printed().contains(&b'\n').then_some(Self {
            receiver,
            ended: (outcome != Received::More).then_some(outcome),
        })
    }

    /// Returns what the list has printed so far.
    pub(super) fn printed(&self) -> &[u8] {
        self.receiver.printed()
    }

    /// Returns the descriptor that is readable when something has arrived.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.receiver.server.stream.as_fd()
    }

    /// Returns whether the list has ended or the server has closed the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Returns whether all of the list has run.
    pub(super) fn has_succeeded(&self) -> bool {
        self.ended == Some(Received::Exit) && !self.receiver.has_failed()
    }

    /// Waits until the lists of some of the clients have ended, or until a deadline.
    pub(super) fn wait_for_any<'a>(
        clients: impl IntoIterator<Item = &'a mut Self>,
        deadline: Instant,
    ) {
        /// How long a read may take where there is something to read.
        const READ: Duration = Duration::from_secs(1);
        /// The time is rounded up, so that one below a millisecond does not cause a busy loop.
        const ROUND_UP: Duration = Duration::from_micros(999);
        let mut clients: Vec<&mut Self> = clients.into_iter().collect();
        while !clients.iter().any(|client| client.has_ended()) {
            let left = deadline.saturating_duration_since(Instant::now()) + ROUND_UP;
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let streams = clients.iter().map(|it| it.descriptor());
            let polled = streams.map(|stream| PollFd::new(stream, PollFlags::POLLIN));
            let mut polled: Vec<PollFd<'_>> = polled.collect();
            let _ = poll(&mut polled, timeout);
            let ready = polled.iter().map(|it| it.any().unwrap_or(true));
            let ready: Vec<bool> = ready.collect();
            for (client, _) in clients.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
                client.receiver.server.left = until(Instant::now() + READ);
                client.ended = match client.receiver.receive() {
                    Received::More | Received::Timeout => None,
                    ended => Some(ended),
                };
            }
            if Instant::now() >= deadline {
                return;
            }
        }
    }
}

/// `CLIENT_UTF8` and `CLIENT_NOSTARTSERVER`, which `tmux -u -N` sets. The server ignores the second one.
const FLAGS: u64 = 0x1_0000 | 0x1000;

/// Returns all messages that the client sends before it reads. Returns `None` if the arguments do not fit a message.
fn request(argv: &[String], identity: &Identity) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    imsg::append(
        &mut bytes,
        message::IDENTIFY_LONGFLAGS,
        &[&FLAGS.to_ne_bytes()],
    )?;
    imsg::append(
        &mut bytes,
        message::IDENTIFY_TERM,
        &[identity.term.as_bytes(), b"\0"],
    )?;
    imsg::append(
        &mut bytes,
        message::IDENTIFY_FEATURES,
        &[&0_i32.to_ne_bytes()],
    )?;
    // A server up to 3.6 dies of a client that has not sent the name of its terminal. An empty name is enough.
    imsg::append(&mut bytes, message::IDENTIFY_TTYNAME, &[b"\0"])?;
    imsg::append(
        &mut bytes,
        message::IDENTIFY_CWD,
        &[identity.folder.as_os_str().as_bytes(), b"\0"],
    )?;
    imsg::append(
        &mut bytes,
        message::IDENTIFY_CLIENTPID,
        &[&std::process::id().to_ne_bytes()],
    )?;
    for (name, value) in &identity.variables {
        let variable: [&[u8]; 4] = [name.as_bytes(), b"=", value.as_bytes(), b"\0"];
        // tmux's client leaves out one that does not fit.
        let _ = imsg::append(&mut bytes, message::IDENTIFY_ENVIRON, &variable);
    }
    imsg::append(&mut bytes, message::IDENTIFY_DONE, &[])?;
    let count = i32::try_from(argv.len()).ok()?.to_ne_bytes();
    let mut command: Vec<&[u8]> = vec![&count];
    for word in argv {
        command.extend([word.as_bytes(), b"\0"]);
    }
    imsg::append(&mut bytes, message::COMMAND, &command)?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::sync::atomic::{AtomicBool, Ordering};

    use pretty_assertions::assert_eq;

    use super::*;

    fn caller() -> Identity {
        Identity::of_caller().expect("a folder")
    }

    #[test]
    fn a_command_that_does_not_fit_a_message_is_refused() {
        let request = |length| request(&["display-message".into(), "x".repeat(length)], &caller());
        assert!(request(16_300).is_some());
        assert!(request(16_384).is_none());
    }

    /// A list that does not fit into the buffer of the socket, because of its environment, is whole only when the server
    /// has read a part of it.
    #[test]
    fn a_list_has_not_run_before_its_last_byte_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("s");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let variables = (0..40).map(|at| (format!("V{at}").into(), "x".repeat(16_000).into()));
        let identity = Identity {
            variables: variables.collect(),
            ..caller()
        };
        let argv = ["set-option".into(), "-s".into(), "@a".into(), "1".into()];
        let whole = request(&argv, &identity).expect("a request").len();
        let (mut unsent, mut unanswered) = (0, 0);
        for length in (0..=16).map(|part| whole * part / 16) {
            let reads = listener.try_clone().expect("a socket");
            let server = std::thread::spawn(move || {
                let (mut client, _) = reads.accept().expect("a client");
                let mut bytes = vec![0; length];
                client.read_exact(&mut bytes).expect("the bytes");
                bytes
            });
            let sent = AtomicBool::new(false);
            let left = || Duration::from_secs(20);
            let answer = run(&socket, &argv, &identity, left, || {
                sent.store(true, Ordering::SeqCst);
            });
            let got = server.join().expect("the server");
            let sent = sent.load(Ordering::SeqCst);
            // Linux tells whether the server has read all of it.
            let in_doubt = sent && (got.len() == whole || !cfg!(target_os = "linux"));
            let expected = if in_doubt {
                NoAnswer::HungUp
            } else {
                NoAnswer::NotRun
            };
            assert_eq!(answer, Err(expected), "{length} of {whole}");
            if sent {
                unanswered += 1;
            } else {
                assert_ne!(got.len(), whole);
                unsent += 1;
            }
        }
        assert!(unsent > 2 && unanswered > 2, "{unsent} and {unanswered}");
    }

    #[test]
    fn a_server_that_reads_nothing_leaves_the_list_unsent() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("s");
        let _listener = UnixListener::bind(&socket).expect("a socket");
        let variables = (0..40).map(|at| (format!("V{at}").into(), "x".repeat(16_000).into()));
        let identity = Identity {
            variables: variables.collect(),
            ..caller()
        };
        let end = Instant::now() + Duration::from_millis(50);
        let left = || end.saturating_duration_since(Instant::now());
        let answer = run(&socket, &["x".into()], &identity, left, || panic!("unsent"));
        assert_eq!(answer, Err(NoAnswer::TimedOut));
    }

    /// Servers up to 3.5 die of a message that is too short. They were seen to accept these bytes.
    #[test]
    fn bytes_of_a_request() {
        let bytes =
            request(&["display-message".into(), "-p".into()], &caller()).expect("a request");
        let mut kinds = Vec::new();
        let mut rest = &bytes[..];
        while let Some((kind, body, after)) = imsg::first(rest).expect("a message") {
            kinds.push((kind, body.to_vec()));
            rest = after;
        }
        let kinds_alone: Vec<u32> = kinds
            .iter()
            .map(|(kind, _)| *kind)
            .filter(|kind| *kind != message::IDENTIFY_ENVIRON)
            .collect();
        assert_eq!(kinds_alone, [111, 101, 109, 102, 108, 107, 106, 200]);
        assert_eq!(kinds[0].1.len(), 8);
        assert_eq!(kinds[3].1, b"\0");
        assert!(kinds[4].1.ends_with(b"\0"));
        let last = &kinds.last().expect("a command").1;
        assert_eq!(last[..4], 2_i32.to_ne_bytes());
        assert_eq!(last[4..], b"display-message\0-p\0"[..]);
        assert!(rest.is_empty());
    }
}
