//! A client that speaks the server's socket protocol itself, for batches that only ask.
//!
//! Starting the tmux program is three quarters of what a question costs (1.5 ms of 2.0; its libraries are
//! loaded anew each time), and a helper that starts it can never be as fast as it. The exchange is the one that
//! tmux 3.2a to 3.8 share, as long as no file descriptor is passed: messages of 16 bytes of header (type,
//! length, protocol version 8, pid; host order, little-endian the same in all of them) and a body.
//!
//! In doubt there is no answer here, and the tmux program is asked: no server, another protocol, a message
//! that is not expected, a server that hangs up. That is safe since a question changes nothing, asked twice.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::env;

/// What a client of tmux got to print, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientOutput {
    pub(super) code: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Asks the server at a socket. `None` in doubt.
pub(super) fn ask(socket: &Path, argv: &[String]) -> Option<ClientOutput> {
    listen(say_to(socket, argv)?)
}

/// Says the words to the server at a socket. `None` in doubt.
fn say_to(socket: &Path, argv: &[String]) -> Option<UnixStream> {
    // The header of 3.6 and later reads like the older one on little-endian machines alone.
    if cfg!(target_endian = "big") {
        return None;
    }
    let question = question(argv)?;
    let mut server = UnixStream::connect(socket).ok()?;
    server.write_all(&question).ok()?;
    Some(server)
}

/// A client whose list of commands waits at its end.
#[derive(Debug)]
pub(super) struct WaitingClient {
    ear: Ear<UnixStream>,
    over: bool,
}

impl WaitingClient {
    /// Has a list run that prints before it waits: what is printed arrives when it waits. `None` in doubt.
    pub(super) fn start(socket: &Path, argv: &[String]) -> Option<Self> {
        let mut ear = Ear::new(say_to(socket, argv)?);
        let mut heard = Received::More;
        while heard == Received::More && ear.answer.stdout.is_empty() {
            heard = ear.hear();
        }
        (!ear.answer.stdout.is_empty()).then_some(Self {
            ear,
            over: heard != Received::More,
        })
    }

    /// What the list printed before it waits.
    pub(super) fn printed(&self) -> &[u8] {
        &self.ear.answer.stdout
    }

    /// Waits until the list has ended or the server has hung up, `true`, or the limit has passed.
    pub(super) fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.over {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            // A limit is refused where the socket is closed.
            self.over = self.ear.server.set_read_timeout(Some(left)).is_err()
                || !matches!(self.ear.hear(), Received::More | Received::Nothing);
        }
        true
    }
}

/// The messages used here, of tmux-protocol.h.
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
/// The longest message, header included: `MAX_IMSGSIZE`.
const LONGEST: usize = 16_384;
/// 3.6 and later mark a message that brings a file descriptor in the top bit of its length.
const WITH_DESCRIPTOR: u32 = 1 << 31;
/// `CLIENT_UTF8` and `CLIENT_NOSTARTSERVER`: what `tmux -u -N` sets.
const FLAGS: u64 = 0x1_0000 | 0x1000;

/// All that a client says before it listens. `None` when the words do not fit a message.
fn question(argv: &[String]) -> Option<Vec<u8>> {
    let mut said = Vec::with_capacity(1024);
    say(
        &mut said,
        message::IDENTIFY_LONGFLAGS,
        &[&FLAGS.to_ne_bytes()],
    )?;
    say(&mut said, message::IDENTIFY_TERM, &[b"\0"])?;
    say(
        &mut said,
        message::IDENTIFY_FEATURES,
        &[&0_i32.to_ne_bytes()],
    )?;
    // A server up to 3.6 dies of a client that has not said a terminal, be it an empty one.
    say(&mut said, message::IDENTIFY_TTYNAME, &[b"\0"])?;
    let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
    say(
        &mut said,
        message::IDENTIFY_CWD,
        &[folder.as_os_str().as_bytes(), b"\0"],
    )?;
    say(
        &mut said,
        message::IDENTIFY_CLIENTPID,
        &[&std::process::id().to_ne_bytes()],
    )?;
    // Of the environment a question needs what says where it is asked: a batch without a target means that pane.
    for (name, value) in env::place() {
        say(
            &mut said,
            message::IDENTIFY_ENVIRON,
            &[name.as_bytes(), b"=", value.as_bytes(), b"\0"],
        )?;
    }
    say(&mut said, message::IDENTIFY_DONE, &[])?;
    let count = i32::try_from(argv.len()).ok()?.to_ne_bytes();
    let mut command: Vec<&[u8]> = vec![&count];
    for word in argv {
        command.extend([word.as_bytes(), b"\0"]);
    }
    say(&mut said, message::COMMAND, &command)?;
    Some(said)
}

/// Appends a message. `None` when it is too long.
fn say(said: &mut Vec<u8>, kind: u32, body: &[&[u8]]) -> Option<()> {
    let length = HEADER + body.iter().map(|part| part.len()).sum::<usize>();
    if length > LONGEST {
        return None;
    }
    let length = u32::try_from(length).ok()?;
    for number in [kind, length, PROTOCOL, std::process::id()] {
        said.extend(number.to_ne_bytes());
    }
    for part in body {
        said.extend_from_slice(part);
    }
    Some(())
}

/// Takes what the server says up to its last word.
fn listen<S: Read + Write>(server: S) -> Option<ClientOutput> {
    let mut ear = Ear::new(server);
    loop {
        match ear.hear() {
            Received::More => {}
            Received::Last => return Some(ear.answer),
            Received::Nothing | Received::Doubt => return None,
        }
    }
}

/// What came of listening once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    /// There may be more.
    More,
    /// The server's last word.
    Last,
    /// Not a word in the time that the socket was given.
    Nothing,
    /// What cannot be understood, or the end without a last word.
    Doubt,
}

/// Listens to a server.
#[derive(Debug)]
struct Ear<S> {
    server: S,
    answer: ClientOutput,
    /// The server's number of its stream to standard error, once it has one.
    errors: Option<i32>,
    /// What was heard and is no whole message yet.
    heard: Vec<u8>,
    chunk: Vec<u8>,
}

impl<S: Read + Write> Ear<S> {
    fn new(server: S) -> Self {
        Self {
            server,
            answer: ClientOutput {
                code: 0,
                stdout: Vec::new(),
                stderr: Vec::new(),
            },
            errors: None,
            heard: Vec::new(),
            chunk: vec![0; 65_536],
        }
    }

    /// Takes what there is to hear next.
    fn hear(&mut self) -> Received {
        let length = match self.server.read(&mut self.chunk) {
            Ok(0) => return Received::Doubt,
            Ok(length) => length,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::Interrupted => Received::More,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => Received::Nothing,
                    _ => Received::Doubt,
                };
            }
        };
        self.heard.extend_from_slice(&self.chunk[..length]);
        self.take().unwrap_or(Received::Doubt)
    }

    /// Takes the messages that are whole. `None` in doubt.
    fn take(&mut self) -> Option<Received> {
        let mut rest = &self.heard[..];
        while let Some((kind, body, after)) = first(rest)? {
            rest = after;
            match kind {
                message::WRITE_OPEN => {
                    let (stream, body) = number(body)?;
                    let (descriptor, _) = number(body)?;
                    if descriptor == 2 {
                        self.errors = Some(stream);
                    }
                    let mut ready = Vec::new();
                    say(
                        &mut ready,
                        message::WRITE_READY,
                        &[&stream.to_ne_bytes(), &0_i32.to_ne_bytes()],
                    )?;
                    self.server.write_all(&ready).ok()?;
                }
                message::WRITE => {
                    let (stream, text) = number(body)?;
                    if self.errors == Some(stream) {
                        self.answer.stderr.extend_from_slice(text);
                    } else {
                        self.answer.stdout.extend_from_slice(text);
                    }
                }
                message::WRITE_CLOSE => {}
                message::EXIT => {
                    if !body.is_empty() {
                        self.answer.code = number(body)?.0;
                    }
                    return Some(Received::Last);
                }
                _ => return None,
            }
        }
        let parsed = self.heard.len() - rest.len();
        self.heard.drain(..parsed);
        Some(Received::More)
    }
}

/// A message's type, its body, and what comes after it.
type Imsg<'a> = (u32, &'a [u8], &'a [u8]);

/// The first message, `Some(None)` while it is not whole. `None` for what can be no message of this protocol.
fn first(heard: &[u8]) -> Option<Option<Imsg<'_>>> {
    let Some((header, _)) = heard.split_at_checked(HEADER) else {
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
        heard
            .split_at_checked(length)
            .map(|(message, after)| (field(0), &message[HEADER..], after)),
    )
}

/// The number that a body starts with, and the rest.
fn number(body: &[u8]) -> Option<(i32, &[u8])> {
    let (number, rest) = body.split_first_chunk()?;
    Some((i32::from_ne_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    /// A server whose words arrive in pieces; it remembers what it was told.
    struct Played {
        pieces: Vec<Vec<u8>>,
        told: Vec<u8>,
    }

    impl Read for Played {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.pieces.is_empty() {
                return Ok(0);
            }
            let piece = self.pieces.remove(0);
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    impl Write for Played {
        fn write(&mut self, words: &[u8]) -> std::io::Result<usize> {
            self.told.extend_from_slice(words);
            Ok(words.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn played(words: &[u8], size: usize) -> Played {
        Played {
            pieces: words.chunks(size).map(<[u8]>::to_vec).collect(),
            told: Vec::new(),
        }
    }

    fn words(messages: &[(u32, &[u8])]) -> Vec<u8> {
        let mut said = Vec::new();
        for (kind, body) in messages {
            say(&mut said, *kind, &[body]).expect("a message that fits");
        }
        said
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
        fn an_answer_comes_back_however_it_is_cut(
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
            let mut server = played(&words(&messages), size);
            let answer = listen(&mut server).expect("an answer");
            let all = |wanted: bool| -> Vec<u8> {
                texts.iter().filter(|(good, _)| *good == wanted).flat_map(|(_, text)| text.clone()).collect()
            };
            prop_assert_eq!(answer, ClientOutput { code, stdout: all(true), stderr: all(false) });
            prop_assert_eq!(server.told.len(), 2 * (HEADER + 8));
        }

        #[test]
        fn what_no_server_says_is_no_answer(said in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..80) {
            prop_assert_eq!(listen(&mut played(&said, size)), None);
        }
    }

    #[test]
    fn in_doubt_there_is_no_answer() {
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
            assert_eq!(listen(&mut played(&words(messages), 7)), None);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_said() {
        assert!(question(&["display-message".into(), "x".repeat(16_300)]).is_some());
        assert!(question(&["display-message".into(), "x".repeat(16_384)]).is_none());
    }

    /// Servers up to 3.5 die of a message that is too short: these bytes are what they were seen to take.
    #[test]
    fn the_question_to_the_letter() {
        let said = question(&["display-message".into(), "-p".into()]).expect("a question");
        let mut kinds = Vec::new();
        let mut rest = &said[..];
        while let Some((kind, body, after)) = first(rest).expect("a message") {
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
