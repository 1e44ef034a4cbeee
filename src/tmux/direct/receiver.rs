//! Reads the messages of a server, and answers them as the tmux program does.

use std::io::{ErrorKind, Read, Write};

use super::files::Files;
use super::imsg::{self, split_number};
use super::{ClientOutput, NoAnswer, message};

/// The size of a first read. Most answers are smaller, and each question clears these bytes anew.
const CHUNK: usize = 16_384;
/// The size of a read after one that has filled its bytes: what a long answer lies ready with.
const LARGE_CHUNK: usize = 65_536;

/// Reads the messages of the server up to the exit message.
pub(super) fn receive_all<S: Read + Write>(server: S) -> Result<ClientOutput, NoAnswer> {
    let mut receiver = Receiver::new(server);
    loop {
        match receiver.receive() {
            Received::More => {}
            Received::Exit => return Ok(receiver.into_output(false)),
            Received::Shutdown => return Ok(receiver.into_output(true)),
            Received::NotRun => return Err(NoAnswer::NotRun),
            Received::Timeout => return Err(NoAnswer::TimedOut),
            Received::HungUp => return Err(NoAnswer::HungUp),
        }
    }
}

/// The result of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// More messages may follow.
    More,
    /// The server has finished with the client.
    Exit,
    /// The server ends. The client exits as if the list had succeeded.
    Shutdown,
    /// No command of the list has run: the server is of another protocol, or has not read the whole list.
    NotRun,
    /// No data arrived in time.
    Timeout,
    /// The connection ended, or a message is not valid.
    HungUp,
}

/// Reads the messages of a server.
#[derive(Debug)]
pub(super) struct Receiver<S> {
    pub(super) server: S,
    code: i32,
    files: Files,
    /// The bytes that were read and do not form a whole message yet.
    unparsed: Vec<u8>,
    /// The replies to the messages of this read.
    replies: Vec<u8>,
    chunk: Vec<u8>,
    /// Whether anything has arrived.
    has_heard: bool,
    /// Whether a message has arrived.
    has_answered: bool,
}

impl<S: Read + Write> Receiver<S> {
    pub(super) fn new(server: S) -> Self {
        Self {
            server,
            code: 0,
            files: Files::default(),
            unparsed: Vec::new(),
            replies: Vec::new(),
            chunk: vec![0; CHUNK],
            has_heard: false,
            has_answered: false,
        }
    }

    /// Returns what the list has printed on its standard output so far.
    pub(super) fn printed(&self) -> &[u8] {
        &self.files.stdout
    }

    /// Returns whether the server has reported that the list has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.code != 0
    }

    fn into_output(self, server_ends: bool) -> ClientOutput {
        ClientOutput {
            server_ends,
            code: self.code,
            stdout: self.files.stdout,
            stderr: self.files.stderr,
        }
    }

    /// Reads once and processes the whole messages.
    ///
    /// An answer that ends in one read gets no reply: the server needs none to end, and it would read the reply. Before
    /// each read, tmux up to 3.5 counts its open files, which costs 340,000 instructions with 185 of them (3.3a).
    pub(super) fn receive(&mut self) -> Received {
        let length = match self.server.read(&mut self.chunk) {
            Ok(0) => return Received::HungUp,
            Ok(length) => length,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::Interrupted => Received::More,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => Received::Timeout,
                    // Linux reports this, and not the end of the stream, where the server has left something unread:
                    // up to its first answer that is a part of the list.
                    ErrorKind::ConnectionReset if cfg!(target_os = "linux") && !self.has_heard => {
                        Received::NotRun
                    }
                    _ => Received::HungUp,
                };
            }
        };
        self.has_heard = true;
        self.unparsed.extend_from_slice(&self.chunk[..length]);
        if length == self.chunk.len() {
            self.chunk.resize(LARGE_CHUNK, 0);
        }
        let unparsed = std::mem::take(&mut self.unparsed);
        let received = self.process_messages(&unparsed);
        if let Some(Received::More) = received {
            self.reply();
        }
        received.unwrap_or(Received::HungUp)
    }

    /// Processes the messages that are whole, and keeps the rest. Returns `None` for a message that is not valid.
    fn process_messages(&mut self, mut bytes: &[u8]) -> Option<Received> {
        while let Some((kind, body, after)) = imsg::first(bytes)? {
            bytes = after;
            let is_first = !std::mem::replace(&mut self.has_answered, true);
            match kind {
                message::VERSION if is_first => return Some(Received::NotRun),
                message::WRITE_OPEN => {
                    let reply = self.files.open_for_writing(body)?;
                    self.replies.extend(reply);
                }
                message::WRITE => self.files.write(body)?,
                message::WRITE_CLOSE => self.files.close(body)?,
                message::READ_OPEN => {
                    let reply = self.files.read(body)?;
                    self.replies.extend(reply);
                }
                message::DETACH | message::DETACHKILL => {
                    imsg::append(&mut self.replies, message::EXITING, &[])?;
                }
                message::EXIT | message::SHUTDOWN => {
                    if !body.is_empty() {
                        let (code, text) = split_number(body)?;
                        self.code = code;
                        self.add_exit_message(text);
                    }
                    return Some(match kind {
                        message::EXIT => Received::Exit,
                        _ => Received::Shutdown,
                    });
                }
                message::EXITED => return Some(Received::Exit),
                message::VERSION => return None,
                // tmux's client ignores messages that it does not know.
                _ => {}
            }
        }
        self.unparsed = bytes.to_vec();
        Some(Received::More)
    }

    fn reply(&mut self) {
        if !self.replies.is_empty() {
            // Whether the server is gone or stopped is what the next read finds out.
            let _ = self.server.write_all(&std::mem::take(&mut self.replies));
        }
    }

    /// Adds the text of an exit message to the standard error, as a line.
    fn add_exit_message(&mut self, text: &[u8]) {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        if !text.is_empty() {
            self.files.stderr.extend_from_slice(text);
            self.files.stderr.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::super::imsg::HEADER;
    use super::*;

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
            imsg::append(&mut bytes, *kind, &[body]).expect("a message that fits");
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
            let words = words(&messages);
            let length = words.len();
            let mut server = fake_server(&words, size);
            let answer = receive_all(&mut server).expect("an answer");
            let all = |wanted: bool| -> Vec<u8> {
                texts.iter().filter(|(good, _)| *good == wanted).flat_map(|(_, text)| text.clone()).collect()
            };
            prop_assert_eq!(answer, output(code, all(true), all(false)));
            // The read that gets the exit message sends no reply.
            let last_read = (length - 1) / size * size;
            let opened = (1..=2).filter(|opened| opened * (HEADER + out.len()) <= last_read).count();
            prop_assert_eq!(server.sent.len(), opened * (HEADER + 8));
        }

        #[test]
        fn invalid_bytes_are_no_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..80) {
            prop_assert!(receive_all(&mut fake_server(&bytes, size)).is_err());
        }

        /// A server that ends its answer anywhere has hung up, unless the answer was whole.
        #[test]
        fn an_answer_that_ends_early_is_a_hang_up(end in any::<prop::sample::Index>(), size in 1_usize..50) {
            let (out, text) = (open(1, 1), write(1, b"done"));
            let code = 0_i32.to_ne_bytes();
            let all = words(&[(message::WRITE_OPEN, &out), (message::WRITE, &text), (message::EXIT, &code)]);
            let end = end.index(all.len() + 1);
            let answer = receive_all(&mut fake_server(&all[..end], size));
            let expected = if end == all.len() {
                Ok(output(0, b"done".to_vec(), Vec::new()))
            } else {
                Err(NoAnswer::HungUp)
            };
            prop_assert_eq!(answer, expected);
        }
    }

    fn output(code: i32, stdout: Vec<u8>, stderr: Vec<u8>) -> ClientOutput {
        ClientOutput {
            code,
            stdout,
            stderr,
            server_ends: false,
        }
    }

    #[test]
    fn messages_that_end_the_exchange() {
        let out = open(1, 1);
        let failed = 1_i32.to_ne_bytes();
        let refused = [&failed[..], b"access not allowed\0"].concat();
        for (messages, expected) in [
            (&[(message::VERSION, &b""[..])][..], Err(NoAnswer::NotRun)),
            // What has answered before has run something.
            (
                &[(message::WRITE_OPEN, &out), (message::VERSION, b"")],
                Err(NoAnswer::HungUp),
            ),
            (
                &[(message::SHUTDOWN, b"")],
                Ok(ClientOutput {
                    server_ends: true,
                    ..output(0, Vec::new(), Vec::new())
                }),
            ),
            (&[(message::WRITE_OPEN, &out)], Err(NoAnswer::HungUp)),
            (&[(message::WRITE_OPEN, b"\x01\0\0")], Err(NoAnswer::HungUp)),
            (&[(message::WRITE, b"\x01\0\0\0x")], Err(NoAnswer::HungUp)),
            (&[(message::EXIT, b"\x01")], Err(NoAnswer::HungUp)),
            (
                &[(message::EXIT, b"")],
                Ok(output(0, Vec::new(), Vec::new())),
            ),
            (
                &[(9_999, b"what"), (message::EXIT, &failed)],
                Ok(output(1, Vec::new(), Vec::new())),
            ),
            (
                &[(message::EXIT, &refused)],
                Ok(output(1, Vec::new(), b"access not allowed\n".to_vec())),
            ),
        ] {
            let answer = receive_all(&mut fake_server(&words(messages), 7));
            assert_eq!(answer, expected, "{messages:?}");
        }
    }

    #[test]
    fn the_server_can_use_each_stream_once() {
        const ALL: [(i32, i32, i32); 5] = [(1, 1, 0), (2, 2, 0), (7, 1, 9), (1, 2, 9), (8, 0, 9)];
        let bodies: Vec<Vec<u8>> = ALL
            .iter()
            .map(|(stream, fd, _)| open(*stream, *fd))
            .collect();
        let mut messages: Vec<(u32, &[u8])> = bodies
            .iter()
            .map(|body| (message::WRITE_OPEN, &body[..]))
            .collect();
        messages.push((message::EXIT, b""));
        let mut server = fake_server(&words(&messages), 8);
        receive_all(&mut server).expect("an answer");
        let mut rest = &server.sent[..];
        for (stream, _, error) in ALL {
            let (kind, body, after) = imsg::first(rest).expect("a message").expect("a whole one");
            let body_of = [stream.to_ne_bytes(), error.to_ne_bytes()].concat();
            assert_eq!((kind, body), (message::WRITE_READY, &body_of[..]));
            rest = after;
        }
    }
}
