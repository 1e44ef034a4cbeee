//! A tmux client that implements the socket protocol of the server, for batches that only read.
//!
//! Starting the tmux program takes three quarters of the time of a request (1.5 ms of 2.0 ms; its libraries are loaded
//! anew each time), so a helper that starts it can never be as fast as it. The exchange is the one that tmux 3.2a to
//! 3.8 share, as long as no file descriptor is passed. A message has a header of 16 bytes (type, length, protocol
//! version 8, pid) and a body. The header is in host order. On little-endian machines it is the same in all versions.
//!
//! In doubt this module returns no answer, and the caller runs the tmux program: if there is no server, the protocol is
//! another one, a message is not expected, or the server closes the connection. This is safe, since a request that only
//! reads may run twice. Only a server that does not answer in time is no reason to run the program.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::env;

/// The output of a tmux client, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientOutput {
    pub(super) code: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The tmux program has to ask.
    InDoubt,
    /// The server did not answer in time. The program would wait for it too.
    TimedOut,
}

impl From<std::io::Error> for NoAnswer {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::InDoubt,
        }
    }
}

/// Runs a command on the server at a socket.
pub(super) fn ask(
    socket: &Path,
    argv: &[String],
    deadline: Instant,
) -> Result<ClientOutput, NoAnswer> {
    receive_all(send(socket, argv, deadline)?)
}

/// Sends a command to the server at a socket.
fn send(socket: &Path, argv: &[String], deadline: Instant) -> Result<Connection, NoAnswer> {
    // The header of 3.6 and later is equal to the older one on little-endian machines only.
    if cfg!(target_endian = "big") {
        return Err(NoAnswer::InDoubt);
    }
    let request = request(argv).ok_or(NoAnswer::InDoubt)?;
    let mut server = Connection {
        stream: connect(socket, deadline)?,
        deadline,
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

/// A connection to a server whose reads and writes end at a deadline.
#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    deadline: Instant,
}

impl Read for Connection {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(bytes)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A client whose list of commands ends with one that waits.
#[derive(Debug)]
pub(super) struct WaitingClient {
    receiver: Receiver<Connection>,
    ended: bool,
}

impl WaitingClient {
    /// Runs a list that prints before it waits. Returns when the printed text has arrived; then the list waits. Returns
    /// `None` in doubt, or at the deadline.
    pub(super) fn start(socket: &Path, argv: &[String], deadline: Instant) -> Option<Self> {
        let mut receiver = Receiver::new(send(socket, argv, deadline).ok()?);
        let mut outcome = Received::More;
        while outcome == Received::More && receiver.answer.stdout.is_empty() {
            outcome = receiver.receive();
        }
        (!receiver.answer.stdout.is_empty()).then_some(Self {
            receiver,
            ended: outcome != Received::More,
        })
    }

    /// Returns what the list printed before it waits.
    pub(super) fn printed(&self) -> &[u8] {
        &self.receiver.answer.stdout
    }

    /// Waits until the list has ended or the server has closed the connection. Returns `false` if the limit passes
    /// first.
    pub(super) fn ends_within(&mut self, limit: Duration) -> bool {
        self.receiver.server.deadline = Instant::now() + limit;
        while !self.ended {
            match self.receiver.receive() {
                Received::More => {}
                Received::Timeout => return false,
                Received::Exit | Received::Invalid => self.ended = true,
            }
        }
        true
    }
}

/// The message types used here, from tmux-protocol.h.
mod message {
    pub(super) const IDENTIFY_TERM: u32 = 101;
    pub(super) const IDENTIFY_TTYNAME: u32 = 102;
    pub(super) const IDENTIFY_ENVIRON: u32 = 105;
    pub(super) const IDENTIFY_DONE: u32 = 106;
    pub(super) const IDENTIFY_CLIENTPID: u32 = 107;
    pub(super) const IDENTIFY_CWD: u32 = 108;
    pub(super) const IDENTIFY_FEATURES: u32 = 109;
    pub(super) const IDENTIFY_LONGFLAGS: u32 = 111;
    pub(super) const COMMAND: u32 = 200;
    pub(super) const EXIT: u32 = 203;
    pub(super) const WRITE_OPEN: u32 = 303;
    pub(super) const WRITE: u32 = 304;
    pub(super) const WRITE_READY: u32 = 305;
    pub(super) const WRITE_CLOSE: u32 = 306;
}

const PROTOCOL: u32 = 8;
const HEADER: usize = 16;
/// The length of the longest message, header included: `MAX_IMSGSIZE`.
const LONGEST: usize = 16_384;
/// tmux 3.6 and later set the top bit of the length if the message passes a file descriptor.
const WITH_DESCRIPTOR: u32 = 1 << 31;
/// `CLIENT_UTF8` and `CLIENT_NOSTARTSERVER`, which `tmux -u -N` sets.
const FLAGS: u64 = 0x1_0000 | 0x1000;

/// Returns all messages that the client sends before it reads. Returns `None` if the arguments do not fit a message.
fn request(argv: &[String]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    append_message(
        &mut bytes,
        message::IDENTIFY_LONGFLAGS,
        &[&FLAGS.to_ne_bytes()],
    )?;
    append_message(&mut bytes, message::IDENTIFY_TERM, &[b"\0"])?;
    append_message(
        &mut bytes,
        message::IDENTIFY_FEATURES,
        &[&0_i32.to_ne_bytes()],
    )?;
    // A server up to 3.6 dies of a client that has not sent the name of its terminal. An empty name is enough.
    append_message(&mut bytes, message::IDENTIFY_TTYNAME, &[b"\0"])?;
    let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
    append_message(
        &mut bytes,
        message::IDENTIFY_CWD,
        &[folder.as_os_str().as_bytes(), b"\0"],
    )?;
    append_message(
        &mut bytes,
        message::IDENTIFY_CLIENTPID,
        &[&std::process::id().to_ne_bytes()],
    )?;
    // A request needs only the variables that identify the pane of the caller, because a batch without a target uses
    // that pane.
    for (name, value) in env::place() {
        append_message(
            &mut bytes,
            message::IDENTIFY_ENVIRON,
            &[name.as_bytes(), b"=", value.as_bytes(), b"\0"],
        )?;
    }
    append_message(&mut bytes, message::IDENTIFY_DONE, &[])?;
    let count = i32::try_from(argv.len()).ok()?.to_ne_bytes();
    let mut command: Vec<&[u8]> = vec![&count];
    for word in argv {
        command.extend([word.as_bytes(), b"\0"]);
    }
    append_message(&mut bytes, message::COMMAND, &command)?;
    Some(bytes)
}

/// Appends a message. Returns `None` if it is too long.
fn append_message(bytes: &mut Vec<u8>, kind: u32, body: &[&[u8]]) -> Option<()> {
    let length = HEADER + body.iter().map(|part| part.len()).sum::<usize>();
    if length > LONGEST {
        return None;
    }
    let length = u32::try_from(length).ok()?;
    for number in [kind, length, PROTOCOL, std::process::id()] {
        bytes.extend(number.to_ne_bytes());
    }
    for part in body {
        bytes.extend_from_slice(part);
    }
    Some(())
}

/// Reads the messages of the server up to the exit message.
fn receive_all<S: Read + Write>(server: S) -> Result<ClientOutput, NoAnswer> {
    let mut receiver = Receiver::new(server);
    loop {
        match receiver.receive() {
            Received::More => {}
            Received::Exit => return Ok(receiver.answer),
            Received::Timeout => return Err(NoAnswer::TimedOut),
            Received::Invalid => return Err(NoAnswer::InDoubt),
        }
    }
}

/// The result of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    /// More messages may follow.
    More,
    /// The exit message has arrived.
    Exit,
    /// No data arrived within the timeout of the socket.
    Timeout,
    /// A message is not valid, or the connection ended without an exit message.
    Invalid,
}

/// Reads the messages of a server.
#[derive(Debug)]
struct Receiver<S> {
    server: S,
    answer: ClientOutput,
    /// The number that the server uses for the stream to standard error, after it has opened the stream.
    errors: Option<i32>,
    /// The bytes that were read and do not form a whole message yet.
    unparsed: Vec<u8>,
    chunk: Vec<u8>,
}

impl<S: Read + Write> Receiver<S> {
    fn new(server: S) -> Self {
        Self {
            server,
            answer: ClientOutput {
                code: 0,
                stdout: Vec::new(),
                stderr: Vec::new(),
            },
            errors: None,
            unparsed: Vec::new(),
            chunk: vec![0; 65_536],
        }
    }

    /// Reads once and processes the whole messages.
    fn receive(&mut self) -> Received {
        let length = match self.server.read(&mut self.chunk) {
            Ok(0) => return Received::Invalid,
            Ok(length) => length,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::Interrupted => Received::More,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => Received::Timeout,
                    _ => Received::Invalid,
                };
            }
        };
        self.unparsed.extend_from_slice(&self.chunk[..length]);
        self.process_messages().unwrap_or(Received::Invalid)
    }

    /// Processes the messages that are whole. Returns `None` in doubt.
    fn process_messages(&mut self) -> Option<Received> {
        let mut rest = &self.unparsed[..];
        while let Some((kind, body, after)) = first_message(rest)? {
            rest = after;
            match kind {
                message::WRITE_OPEN => {
                    let (stream, body) = split_number(body)?;
                    let (descriptor, _) = split_number(body)?;
                    if descriptor == 2 {
                        self.errors = Some(stream);
                    }
                    let mut ready = Vec::new();
                    append_message(
                        &mut ready,
                        message::WRITE_READY,
                        &[&stream.to_ne_bytes(), &0_i32.to_ne_bytes()],
                    )?;
                    self.server.write_all(&ready).ok()?;
                }
                message::WRITE => {
                    let (stream, text) = split_number(body)?;
                    if self.errors == Some(stream) {
                        self.answer.stderr.extend_from_slice(text);
                    } else {
                        self.answer.stdout.extend_from_slice(text);
                    }
                }
                message::WRITE_CLOSE => {}
                message::EXIT => {
                    if !body.is_empty() {
                        self.answer.code = split_number(body)?.0;
                    }
                    return Some(Received::Exit);
                }
                _ => return None,
            }
        }
        let parsed = self.unparsed.len() - rest.len();
        self.unparsed.drain(..parsed);
        Some(Received::More)
    }
}

/// The type of a message, its body, and the bytes after it.
type Imsg<'a> = (u32, &'a [u8], &'a [u8]);

/// Returns the first message, or `Some(None)` while it is not whole. Returns `None` for bytes that are not a message of
/// this protocol.
fn first_message(bytes: &[u8]) -> Option<Option<Imsg<'_>>> {
    let Some((header, _)) = bytes.split_at_checked(HEADER) else {
        return Some(None);
    };
    let field = |at: usize| {
        header[at..at + 4]
            .try_into()
            .map(u32::from_ne_bytes)
            .unwrap_or_default()
    };
    let length = usize::try_from(field(4) & !WITH_DESCRIPTOR).ok()?;
    if field(8) & 0xff != PROTOCOL || !(HEADER..=LONGEST).contains(&length) {
        return None;
    }
    Some(
        bytes
            .split_at_checked(length)
            .map(|(message, after)| (field(0), &message[HEADER..], after)),
    )
}

/// Returns the number at the start of a body, and the rest.
fn split_number(body: &[u8]) -> Option<(i32, &[u8])> {
    let (number, rest) = body.split_first_chunk()?;
    Some((i32::from_ne_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    /// A server whose messages arrive in pieces. It stores what the client sends.
    struct FakeServer {
        pieces: Vec<Vec<u8>>,
        sent: Vec<u8>,
    }

    impl Read for FakeServer {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.pieces.is_empty() {
                return Ok(0);
            }
            let piece = self.pieces.remove(0);
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    impl Write for FakeServer {
        fn write(&mut self, words: &[u8]) -> std::io::Result<usize> {
            self.sent.extend_from_slice(words);
            Ok(words.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn fake_server(words: &[u8], size: usize) -> FakeServer {
        FakeServer {
            pieces: words.chunks(size).map(<[u8]>::to_vec).collect(),
            sent: Vec::new(),
        }
    }

    fn words(messages: &[(u32, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, body) in messages {
            append_message(&mut bytes, *kind, &[body]).expect("a message that fits");
        }
        bytes
    }

    fn open(stream: i32, descriptor: i32) -> Vec<u8> {
        let mut body = Vec::new();
        for number in [stream, descriptor, 0] {
            body.extend(number.to_ne_bytes());
        }
        body.extend(b"-\0");
        body
    }

    fn write(stream: i32, text: &[u8]) -> Vec<u8> {
        let mut body = stream.to_ne_bytes().to_vec();
        body.extend(text);
        body
    }

    proptest! {
        #[test]
        fn an_answer_is_read_in_pieces_of_any_size(
            texts in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 0..6),
            code in any::<i32>(),
            size in 1_usize..300,
        ) {
            let (out, errors) = (open(3, 1), open(4, 2));
            let exit = code.to_ne_bytes();
            let bodies: Vec<Vec<u8>> = texts.iter().map(|(good, text)| write(if *good { 3 } else { 4 }, text)).collect();
            let mut messages: Vec<(u32, &[u8])> = vec![(message::WRITE_OPEN, &out), (message::WRITE_OPEN, &errors)];
            messages.extend(bodies.iter().map(|body| (message::WRITE, &body[..])));
            messages.push((message::EXIT, &exit));
            let mut server = fake_server(&words(&messages), size);
            let answer = receive_all(&mut server).expect("an answer");
            let all = |wanted: bool| -> Vec<u8> {
                texts.iter().filter(|(good, _)| *good == wanted).flat_map(|(_, text)| text.clone()).collect()
            };
            prop_assert_eq!(answer, ClientOutput { code, stdout: all(true), stderr: all(false) });
            prop_assert_eq!(server.sent.len(), 2 * (HEADER + 8));
        }

        #[test]
        fn invalid_bytes_are_no_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..80) {
            prop_assert_eq!(receive_all(&mut fake_server(&bytes, size)), Err(NoAnswer::InDoubt));
        }
    }

    #[test]
    fn unexpected_messages_are_no_answer() {
        const VERSION: u32 = 12;
        const SHUTDOWN: u32 = 210;
        let out = open(1, 1);
        for messages in [
            &[(VERSION, &b""[..])][..],
            &[(SHUTDOWN, b"")],
            &[(message::WRITE_OPEN, &out)],
            &[(message::WRITE_OPEN, b"\x01\0\0")],
            &[(message::EXIT, b"\x01")],
        ] {
            assert_eq!(
                receive_all(&mut fake_server(&words(messages), 7)),
                Err(NoAnswer::InDoubt)
            );
        }
    }

    #[test]
    fn a_command_that_does_not_fit_a_message_is_refused() {
        assert!(request(&["display-message".into(), "x".repeat(16_300)]).is_some());
        assert!(request(&["display-message".into(), "x".repeat(16_384)]).is_none());
    }

    /// Servers up to 3.5 die of a message that is too short. They were seen to accept these bytes.
    #[test]
    fn bytes_of_a_request() {
        let bytes = request(&["display-message".into(), "-p".into()]).expect("a request");
        let mut kinds = Vec::new();
        let mut rest = &bytes[..];
        while let Some((kind, body, after)) = first_message(rest).expect("a message") {
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
