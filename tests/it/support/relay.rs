//! A socket before the server's own: it counts who comes, and can play a server that does not behave.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Server, until};

/// What becomes of a client's question.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// The server answers.
    Honest,
    /// The server answers, and its answer ends after so many bytes.
    Cut(usize),
    /// These bytes are the answer.
    Says(Vec<u8>),
    /// The server answers, but hears of a question with this word in it only when the gate is open.
    Holds(&'static str, Arc<Gate>),
}

/// Where a question is held.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) held: AtomicBool,
    pub(crate) open: AtomicBool,
    /// How many questions with that word the server has begun to answer.
    pub(crate) answered: AtomicUsize,
}

pub(crate) struct Relay {
    socket: PathBuf,
    clients: Arc<AtomicUsize>,
}

impl Relay {
    /// A socket before `server`. Whoever comes to it is treated alike. Lives as long as the test.
    pub(crate) fn before(server: &Server, name: &str, play: Play) -> Self {
        let socket = server.path(name);
        let real = server.socket();
        let listener = UnixListener::bind(&socket).expect("a socket");
        let clients = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&clients);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let play = play.clone();
                let real = real.clone();
                std::thread::spawn(move || serve(client, &real, &play));
            }
        });
        Self { socket, clients }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// How many clients came since the last look.
    pub(crate) fn clients(&self) -> usize {
        self.clients.swap(0, Ordering::SeqCst)
    }
}

fn serve(mut client: UnixStream, real: &Path, play: &Play) {
    if let Play::Says(words) = play {
        let mut question = vec![0; 65_536];
        let _ = client.read(&mut question);
        let _ = client.write_all(words);
        return;
    }
    let Ok(mut server) = UnixStream::connect(real) else {
        return;
    };
    let mut asked = client.try_clone().expect("a second handle");
    let mut told = server.try_clone().expect("a second handle");
    if let Play::Holds(word, gate) = play {
        let mut question = vec![0; 65_536];
        let length = asked.read(&mut question).unwrap_or(0);
        let question = &question[..length];
        if question.windows(word.len()).any(|it| it == word.as_bytes()) {
            gate.held.store(true, Ordering::SeqCst);
            until("the gate is open", || gate.open.load(Ordering::SeqCst));
        }
        let _ = told.write_all(question);
        if question.windows(word.len()).any(|it| it == word.as_bytes()) {
            let mut answer = vec![0; 65_536];
            let length = server.read(&mut answer).unwrap_or(0);
            let _ = client.write_all(&answer[..length]);
            gate.answered.fetch_add(1, Ordering::SeqCst);
        }
    }
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut asked, &mut told);
        let _ = told.shutdown(std::net::Shutdown::Both);
    });
    match play {
        Play::Cut(length) => {
            let length = u64::try_from(*length).expect("a length");
            let _ = std::io::copy(&mut Read::by_ref(&mut server).take(length), &mut client);
        }
        _ => {
            let _ = std::io::copy(&mut server, &mut client);
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = server.shutdown(std::net::Shutdown::Both);
}

/// A message of tmux's protocol, version 8.
pub(crate) fn message(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).expect("a short message");
    let mut message: Vec<u8> = [kind, length, 8, 1]
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    message.extend(body);
    message
}
