//! Runs a batch as one client of the server: directly, or through the tmux program.

use std::path::Path;

use super::command;
use super::direct::{self, Identity, NoAnswer};
use super::version::FLOOR;
use super::{Batch, Server, branch, failure, program};
use crate::env;
use crate::error::{Error, Exit, Result};

/// A message of a client can contain 16,364 bytes of packed arguments (all versions). A larger batch is passed on
/// stdin. The margin is for the flags of the client.
const ARGV_BYTES: usize = 15_000;
/// tmux 3.7 and later refuse more than 1,000 arguments.
const ARGV_WORDS: usize = 900;

impl Server {
    /// Runs a batch, with the client in a folder if one is given.
    pub(super) fn run_client(&self, batch: &Batch, folder: Option<&Path>) -> Result<String> {
        let argv = batch.argv();
        if fits(&argv)
            && let Some(answer) = self.run_direct(batch, &argv, folder)?
        {
            return self.read(batch, answer.code == 0, answer.stdout, &answer.stderr);
        }
        self.run_with_program(batch, folder)
    }

    /// Runs a batch through the tmux program, even if the server can be reached directly.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn run_with_program(&self, batch: &Batch, folder: Option<&Path>) -> Result<String> {
        let argv = batch.argv();
        // The process of a server that the program starts shows the words of that program as long as it lives.
        let starts_server = batch.starts_server() && self.listener().is_none();
        if fits(&argv) && !starts_server {
            return self.run_program(batch, &argv, folder, None);
        }
        let text = batch.text();
        self.run_program(batch, &stdin_argv(batch), folder, Some(text.as_bytes()))
    }

    /// Runs a batch through the tmux program with an input on stdin, which a command of the batch reads.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn run_with_input(&self, batch: &Batch, input: &[u8]) -> Result<String> {
        self.run_program(batch, &batch.argv(), None, Some(input))
    }

    fn run_program(
        &self,
        batch: &Batch,
        argv: &[String],
        folder: Option<&Path>,
        input: Option<&[u8]>,
    ) -> Result<String> {
        let mut client = self.client(argv, batch.is_repeatable());
        if let Some(folder) = folder {
            client.current_dir(folder);
        }
        self.note_sent(batch);
        let left = self.time_for_client();
        let output = program::run(&mut client, input, left).map_err(|error| {
            Error::new(
                Exit::NoTmux,
                format!("cannot run {}: {error}", self.program.display()),
            )
        })?;
        let Some(output) = output else {
            return Err(self.no_answer());
        };
        self.limit.note_answer();
        self.read(
            batch,
            output.status.success(),
            output.stdout,
            &output.stderr,
        )
    }

    /// Returns the answer of the server without running the tmux program. Returns `None` if the program has to run:
    /// nothing of the batch has run, or the batch may run twice.
    fn run_direct(
        &self,
        batch: &Batch,
        argv: &[String],
        folder: Option<&Path>,
    ) -> Result<Option<direct::ClientOutput>> {
        let identity = if batch.starts_process() {
            Identity::of_program(folder)
        } else {
            Identity::of_caller()
        };
        let path = self.socket_path().filter(|_| !env::by_program());
        let (Some(path), Some(identity)) = (path, identity) else {
            return Ok(None);
        };
        let left = self.time_for_client();
        let sent = || self.note_sent(batch);
        match direct::run(&path, argv, &identity, left, sent) {
            Ok(answer) if answer.server_ends && batch.is_repeatable() => Ok(None),
            Ok(answer) => {
                self.limit.note_answer();
                Ok(Some(answer))
            }
            Err(NoAnswer::NotRun) => Ok(None),
            Err(NoAnswer::HungUp) if batch.is_repeatable() => Ok(None),
            Err(NoAnswer::HungUp) => Err(self.hung_up(batch)),
            Err(NoAnswer::TimedOut) => Err(self.no_answer()),
        }
    }

    /// Notes that the server has a batch, so that it may be done even if no answer comes.
    fn note_sent(&self, batch: &Batch) {
        if !batch.is_repeatable() && !self.upkeep {
            self.limit.note_change();
        }
    }

    /// Returns the output of a client, or its error.
    fn read(&self, batch: &Batch, success: bool, stdout: Vec<u8>, stderr: &[u8]) -> Result<String> {
        let stderr = String::from_utf8_lossy(stderr);
        if !success && !branch::is_guard(&stderr) {
            return Err(self.client_error(batch, stderr.trim()));
        }
        Ok(lossy_text(stdout))
    }

    fn client_error(&self, batch: &Batch, stderr: &str) -> Error {
        match self.version() {
            Some(version) if version < FLOOR => failure::too_old(version),
            _ if failure::is_hang_up(stderr) => self.hung_up(batch),
            _ => failure::read(stderr, &batch.names(), &self.socket_shown()),
        }
    }

    /// Returns the error that the server has hung up after it got a batch.
    fn hung_up(&self, batch: &Batch) -> Error {
        let in_doubt = !batch.is_repeatable() && !self.upkeep;
        failure::hung_up(&self.socket_shown(), in_doubt)
    }
}

fn lossy_text(printed: Vec<u8>) -> String {
    String::from_utf8(printed)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Returns whether a server accepts so many words.
fn fits(argv: &[String]) -> bool {
    let bytes: usize = argv.iter().map(|word| word.len() + 1).sum();
    bytes <= ARGV_BYTES && argv.len() <= ARGV_WORDS
}

/// Returns the arguments of a client that reads a batch from stdin.
/// tmux runs the batch as one list. It remains atomic, since tmux waits for the whole text before it runs the first
/// command.
fn stdin_argv(batch: &Batch) -> Vec<String> {
    let mut argv = Vec::new();
    if batch.starts_server() {
        argv.extend(command::start_server().into_words());
        argv.push(";".into());
    }
    argv.extend(["source-file".into(), "-".into()]);
    argv
}
