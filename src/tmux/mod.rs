//! Access to tmux. No other module runs tmux or uses `tmux_interface`.
//!
//! A [`Server`] runs a [`Batch`] of [`command`]s as one client. The server is single-threaded, so other clients see all
//! effects of a batch that does not wait, or none. This process is the client ([`direct`]). The tmux program runs what
//! needs a terminal or an input, and what cannot be sent directly. The two functions of [`word`] quote the text of
//! commands, and rows are read through the frame of [`row`].

mod branch;
pub mod channel;
mod client;
pub mod command;
mod direct;
mod failure;
mod limit;
mod program;
pub mod row;
pub mod show;
mod step;
pub mod version;
pub mod word;

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tmux_interface::Tmux;

use crate::env;
use crate::error::{Error, ErrorKind, Exit, Result};
use channel::Waiting;
pub use channel::{Changes, Channel, ChannelOutcome, Subscription};
pub use command::Command;
use limit::AnswerLimit;
pub use row::Frame;
use version::{FLOOR, Version};

/// Commands that run in order as one client of the server. The first one that fails ends the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch(Vec<Command>);

impl Batch {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn then(mut self, command: Command) -> Self {
        self.0.push(command);
        self
    }

    /// Returns the batch with more commands at its end.
    #[must_use]
    pub fn and(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.0.extend(commands);
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the command string of this batch, for `source-file`.
    #[must_use]
    pub fn text(&self) -> String {
        let quoted = |words: Vec<String>| {
            let words: Vec<String> = words.iter().map(|word| word::quote(word)).collect();
            words.join(" ")
        };
        let commands: Vec<String> = branch::flatten(self).into_iter().map(quoted).collect();
        commands.join(" ; ")
    }

    /// Returns the names of its commands, including those in branches. An error names all of them, because tmux does
    /// not print which one failed.
    fn names(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for name in self.0.iter().flat_map(Command::names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }

    /// Returns the batch with all its commands repeatable, so that no program is started for it. The caller must know
    /// that a second run changes nothing.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        for command in &mut self.0 {
            command.repeatable = true;
        }
        self
    }

    /// Returns whether it starts the server if that does not run.
    fn starts_server(&self) -> bool {
        self.0.first() == Some(&command::start_server())
    }

    /// Returns whether it starts a process that inherits something from the client.
    fn starts_process(&self) -> bool {
        self.0
            .iter()
            .flat_map(Command::names)
            .any(|name| matches!(name, "new-session" | "new-window"))
    }

    /// Returns whether it may run twice, mostly because it changes nothing.
    fn is_repeatable(&self) -> bool {
        self.0.iter().all(|command| command.repeatable)
    }

    /// Returns the batch without the commands that list panes or clients, including those in branches.
    fn without_lists(&self) -> Self {
        let others = self.0.iter().filter(|command| !command.step.is_list());
        let others = others.map(|command| Command {
            step: command.step.without_lists(),
            repeatable: command.repeatable,
        });
        Self(others.collect())
    }

    fn argv(&self) -> Vec<String> {
        let mut argv: Vec<String> = Vec::new();
        for words in branch::flatten(self) {
            if let Some(last) = argv.last_mut() {
                if word::takes_separator(last) {
                    last.push(';');
                } else {
                    argv.push(";".into());
                }
            }
            argv.extend(words.iter().map(|word| word::word(word).into_owned()));
        }
        argv
    }
}

impl From<Command> for Batch {
    fn from(command: Command) -> Self {
        Self(vec![command])
    }
}

impl Extend<Command> for Batch {
    fn extend<T: IntoIterator<Item = Command>>(&mut self, commands: T) {
        self.0.extend(commands);
    }
}

/// Selects a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// The server that `tmux` without options would use.
    Default,
    /// `-L`: a name in the socket folder of tmux.
    Name(String),
    /// `-S`: a path.
    Path(PathBuf),
}

/// A tmux server, whether it runs or not.
///
/// Every answer of it has a time limit: 5 s each, or what [`Server::within`] says. An answer that does not come in time
/// is an error of [`ErrorKind::NoAnswer`]: [`Exit::TimedOut`], or [`Exit::Unconfirmed`] where a change was sent.
#[derive(Clone, Debug)]
pub struct Server {
    program: PathBuf,
    socket: Socket,
    limit: Arc<AnswerLimit>,
    waiting: Arc<Waiting>,
    /// Its changes are none that the user asked for.
    upkeep: bool,
}

impl Server {
    /// Returns the server at `socket`; the default is the one that this process runs in (`$TMUX`).
    ///
    /// # Errors
    /// [`Exit::NoTmux`] when there is no `tmux` on PATH.
    pub fn at(socket: Socket) -> Result<Self> {
        let program = which::which("tmux").map_err(|_| {
            Error::new(Exit::NoTmux, "no tmux on PATH")
                .with_way_out("install it with the system's package manager")
        })?;
        Self::with_program(program, socket)
    }

    /// Returns every server of this user, and whether the user named them. These are the servers in
    /// `$SESH_TMUX_SOCKETS`, if it is set. Otherwise they are those of the sockets in the folder of tmux, including
    /// servers that have ended.
    ///
    /// # Errors
    /// As [`Server::at`].
    pub fn all() -> Result<(Vec<Self>, bool)> {
        let named = env::tmux_sockets();
        let by_name = named.is_some();
        let mut sockets = named.unwrap_or_else(|| {
            let folder = env::tmux_folder().map(|path| path.join(format!("tmux-{}", env::user())));
            let entries = folder.and_then(|folder| folder.read_dir().ok());
            entries
                .into_iter()
                .flatten()
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()))
                .map(|entry| entry.path())
                .collect()
        });
        // The server that this process runs in belongs to the user, wherever its socket is.
        sockets.extend(env::tmux_socket().filter(|_| !by_name));
        let mut sockets: Vec<PathBuf> = sockets.iter().map(|path| without_links(path)).collect();
        sockets.sort();
        sockets.dedup();
        let servers = sockets
            .into_iter()
            .map(|path| Self::at(Socket::Path(path)))
            .collect::<Result<Vec<Self>>>()?;
        Ok((servers, by_name))
    }

    /// Like [`Server::at`], with a known tmux program.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a socket path that is not UTF-8.
    pub fn with_program(program: PathBuf, socket: Socket) -> Result<Self> {
        let socket = match (socket, env::tmux_socket()) {
            (Socket::Default, Some(path)) => Socket::Path(path),
            (socket, _) => socket,
        };
        if let Socket::Path(path) = &socket
            && path.to_str().is_none()
        {
            return Err(Error::usage(format!(
                "the socket path {} is not UTF-8",
                path.display()
            )));
        }
        Ok(Self {
            program,
            socket,
            limit: Arc::default(),
            waiting: Arc::default(),
            upkeep: false,
        })
    }

    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns whether this process runs in a pane, popup or hook of this server, so that `$TMUX_PANE` is one of its
    /// panes.
    #[must_use]
    pub fn is_own_server(&self) -> bool {
        let Some(own) = env::tmux_socket() else {
            return false;
        };
        match &self.socket {
            Socket::Default => true,
            Socket::Path(path) => *path == own,
            Socket::Name(name) => own.file_name().is_some_and(|file| file == name.as_str()),
        }
    }

    /// Runs a batch as one client of the server and returns what it printed.
    ///
    /// A server without a session (`exit-empty off`) has no pane and no client, and tmux refuses to list them there.
    /// Then the lists of a repeatable batch are empty, and its other commands run.
    ///
    /// # Errors
    /// [`Exit::NoServer`], [`Exit::NoTmux`] (also for a tmux below the floor), [`Exit::Nothing`] for a target that does
    /// not exist, else [`Exit::Failed`] with the message of tmux and the names of the commands.
    pub fn run(&self, batch: &Batch) -> Result<String> {
        match self.run_once(batch) {
            Err(error) if error.kind == ErrorKind::EmptyServer && batch.is_repeatable() => {
                self.run_once(&batch.without_lists())
            }
            outcome => outcome,
        }
    }

    fn run_once(&self, batch: &Batch) -> Result<String> {
        // Without a command the tmux program would create a session.
        if batch.is_empty() {
            return Ok(String::new());
        }
        self.run_client(batch, None)
    }

    /// Runs batches that only read, and returns their output in order. A batch for a pane that is gone prints nothing,
    /// or only its beginning, and does not affect the others.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn ask_each(&self, batches: &[Batch]) -> Result<String> {
        /// The number of batches that fit into one list.
        const TOGETHER: usize = 64;
        let mut answer = String::new();
        for batches in batches.chunks(TOGETHER) {
            let all = Batch(batches.iter().flat_map(|batch| batch.0.clone()).collect());
            match self.run(&all) {
                Err(error) if error.kind == ErrorKind::NoSuchPane => {}
                outcome => {
                    answer.push_str(&outcome?);
                    continue;
                }
            }
            for batch in batches {
                match self.run(batch) {
                    Err(error) if error.kind == ErrorKind::NoSuchPane => {}
                    outcome => answer.push_str(&outcome?),
                }
            }
        }
        Ok(answer)
    }

    /// Runs a batch with the client in a folder. tmux starts new panes in that folder, byte for byte, whereas its option
    /// `-c` would expand formats in the path.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn run_in(&self, batch: &Batch, folder: &Path) -> Result<String> {
        self.run_client(batch, Some(folder))
    }

    /// Returns the path where the tmux program would find the socket. `None` if the program would refuse it.
    fn socket_path(&self) -> Option<PathBuf> {
        const OTHERS: u32 = 0o007;
        let name = match &self.socket {
            Socket::Path(path) => return Some(path.clone()),
            Socket::Name(name) => name,
            Socket::Default => "default",
        };
        let user = env::user();
        let folder = env::tmux_folder()?.join(format!("tmux-{user}"));
        let metadata = folder.symlink_metadata().ok()?;
        // tmux makes the same check, because another user may have created the folder and run a server in it.
        (metadata.is_dir() && metadata.uid() == user && metadata.mode() & OTHERS == 0)
            .then(|| folder.join(name))
    }

    /// Returns the path of its socket, whether the server runs or not. A server has one path, however it was named.
    #[must_use]
    pub fn address(&self) -> Option<PathBuf> {
        let name = match &self.socket {
            Socket::Path(path) => return Some(without_links(path)),
            Socket::Name(name) => name.as_str(),
            Socket::Default => "default",
        };
        let folder = env::tmux_folder()?.join(format!("tmux-{}", env::user()));
        Some(without_links(&folder.join(name)))
    }

    /// Returns the client that replaces this process, for commands that own the terminal.
    #[must_use]
    pub fn client_for(&self, batch: &Batch) -> std::process::Command {
        let mut client = self.client(&batch.argv(), false);
        // tmux refuses to attach inside itself, but here the user asked for it.
        client.env_remove("TMUX");
        client
    }

    /// Returns the words of [`Server::client_for`], for display.
    #[must_use]
    pub fn client_words(&self, batch: &Batch) -> Vec<String> {
        let mut words = vec!["tmux".to_string()];
        words.extend(self.flags());
        words.extend(batch.argv());
        words
    }

    fn flags(&self) -> Vec<String> {
        let tmux = Tmux::new().force_utf8();
        let tmux = match &self.socket {
            Socket::Default => tmux,
            Socket::Name(name) => tmux.socket_name(name.as_str()),
            Socket::Path(path) => tmux.socket_path(path.to_string_lossy()),
        };
        let built = tmux.build();
        // The first word is the name of the program, which only PATH could resolve.
        built
            .to_vec()
            .into_iter()
            .skip(1)
            .map(std::borrow::Cow::into_owned)
            .collect()
    }

    /// Returns a client. With `repeatable` it does not start a server, as otherwise even `list-keys` does.
    fn client(&self, argv: &[String], repeatable: bool) -> std::process::Command {
        let mut client = std::process::Command::new(&self.program);
        client
            .args(self.flags())
            .args(repeatable.then_some("-N"))
            .args(argv);
        // A server that this client starts passes its environment to every pane for its whole life.
        for name in env::variables_to_remove() {
            client.env_remove(name);
        }
        client
    }

    /// Returns the version of the tmux program, which it prints itself. `None` also for one that does not end.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let mut program = std::process::Command::new(&self.program);
        let output = program::run(program.arg("-V"), None, limit::time_for_version()).ok()??;
        Version::parse(&String::from_utf8_lossy(&output.stdout))
    }

    fn socket_shown(&self) -> String {
        match &self.socket {
            Socket::Default => "the default socket".into(),
            Socket::Name(name) => format!("socket {name:?}"),
            Socket::Path(path) => path.display().to_string(),
        }
    }
}

/// Returns a path without links, as far as it exists.
fn without_links(path: &Path) -> PathBuf {
    path.ancestors()
        .skip(1)
        .find_map(|folder| {
            let rest = path.strip_prefix(folder).ok()?;
            Some(folder.canonicalize().ok()?.join(rest))
        })
        .unwrap_or_else(|| path.into())
}

/// Refuses a server below the floor, given its `#{version}`.
///
/// # Errors
/// [`Exit::NoTmux`].
pub fn check_floor(version: &str) -> Result<()> {
    match Version::parse(version) {
        Some(version) if version < FLOOR => Err(failure::too_old(version)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_batch_without_its_lists_of_panes_and_clients() {
        let print = || command::print(None, "x");
        let panes = || command::list_panes("#{pane_id}", None);
        let branch = |batch: &Batch| command::if_format(None, "1", batch, &Batch::new());
        let batch = Batch::from(panes())
            .then(print())
            .then(command::list_clients("x", None))
            .then(branch(&Batch::from(panes()).then(print())));
        let rest = Batch::from(print()).then(branch(&Batch::from(print())));
        assert_eq!(batch.without_lists(), rest);
    }

    #[test]
    fn a_batch_as_arguments_and_as_text() {
        let batch = Batch::new()
            .then(command::set_server("@a", "x;"))
            .then(command::set_server("@b", "it's"))
            .then(show::keys());
        assert_eq!(
            batch.argv(),
            [
                "set-option",
                "-s",
                "@a",
                "x\\;",
                ";",
                "set-option",
                "-s",
                "@b",
                "it's;",
                "list-keys"
            ]
        );
        assert_eq!(
            batch.text(),
            "set-option -s @a 'x;' ; set-option -s @b 'it'\\''s' ; list-keys"
        );
    }
}
