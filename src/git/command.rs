//! One call of git, the same for every caller.
//!
//! Variables that a git hook sets for its children do not travel. The user's hooks and editor do not run, texts are those
//! of the C locale, and no background process is started, because it would inherit the lock of a landing and hold it.
//!
//! A lock descriptor that is not closed on `exec` is inherited by git and by all that git starts. Its owner sees to that;
//! nothing here closes descriptors.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::env;
use crate::error::{Error, ErrorKind, Result};

/// How long a call may take that only touches this repository. A repository on a slow disk may need some of it.
const LIMIT: Duration = Duration::from_secs(120);
/// How long a call may take that talks to a remote, or that moves a checkout.
const LONG_LIMIT: Duration = Duration::from_secs(600);
/// How long a call that was asked to end may take until it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// A call of git that is about to be made.
#[must_use]
pub struct GitCommand {
    command: Command,
    /// The command of git, for the texts of errors.
    verb: String,
    input: Vec<u8>,
    limit: Duration,
}

/// What a call of git printed, and how it ended.
#[derive(Clone, Debug)]
pub struct GitOutput {
    verb: String,
    /// The exit code, or 128 and the number of the signal that ended it.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl GitCommand {
    /// Returns a call that reads. It takes no lock that another call of git could meet.
    pub fn read(folder: &Path, verb: &str) -> Self {
        Self::new(folder, &["--no-optional-locks"], verb, LIMIT)
    }

    /// Returns a call that changes something.
    pub fn change(folder: &Path, verb: &str) -> Self {
        Self::new(folder, &[], verb, LIMIT)
    }

    /// Returns a call that talks to a remote. It never asks for a password on the terminal.
    pub fn remote(folder: &Path, verb: &str) -> Self {
        let mut this = Self::new(folder, &[], verb, LONG_LIMIT);
        this.command.env("GIT_TERMINAL_PROMPT", "0");
        this
    }

    /// Returns a call that moves a checkout. It runs in a process session of its own: neither the end of a pane nor a
    /// signal to the process group of its caller interrupts it halfway.
    pub fn checkout(folder: &Path, verb: &str) -> Self {
        let mut this = Self::new(folder, &[], verb, LONG_LIMIT);
        in_own_session(&mut this.command);
        this
    }

    fn new(folder: &Path, options: &[&str], verb: &str, limit: Duration) -> Self {
        /// What is set for every call. A file monitor or a collection of garbage would stay in the background.
        const SETTINGS: [&str; 5] = [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "advice.detachedHead=false",
        ];
        let mut command = Command::new("git");
        for name in env::git_variables_to_remove() {
            command.env_remove(name);
        }
        command
            .envs([
                ("LC_ALL", "C"),
                ("GIT_EDITOR", "true"),
                ("GIT_SEQUENCE_EDITOR", "true"),
            ])
            .arg("-C")
            .arg(folder)
            .args(options);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.arg(verb);
        Self {
            command,
            verb: verb.into(),
            input: Vec::new(),
            limit,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of git.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the text that git reads from its standard input.
    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = text.into();
        self
    }

    /// Runs git to its end, whatever that is.
    ///
    /// # Errors
    /// git cannot be started, or does not end in time.
    pub fn output(mut self) -> Result<GitOutput> {
        let stdin = if self.input.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        };
        let child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::failed("cannot run git: it is not on PATH, or its folder does not exist")
            }
            _ => Error::failed(format!("cannot run git: {error}")),
        })?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let (sender, receiver) = mpsc::channel();
        let input = std::mem::take(&mut self.input);
        std::thread::spawn(move || {
            let _ = sender.send(read_to_end(&mut child, &input));
        });
        // A child that was ended closes its pipes. What it has started may keep them open, so that no wait is unlimited.
        for (limit, signal) in [
            (self.limit, Signal::SIGTERM),
            (GRACE, Signal::SIGKILL),
            (GRACE, Signal::SIGKILL),
        ] {
            match receiver.recv_timeout(limit) {
                Ok(ended) => return self.ended(ended),
                Err(_) => {
                    let _ = kill(pid, signal);
                }
            }
        }
        Err(Error::failed(format!(
            "git {} did not end within {}",
            self.verb,
            humantime::format_duration(self.limit)
        )))
    }

    fn ended(&self, ended: std::io::Result<(i32, Vec<u8>, Vec<u8>)>) -> Result<GitOutput> {
        let (code, stdout, stderr) =
            ended.map_err(|error| Error::failed(format!("git {}: {error}", self.verb)))?;
        Ok(GitOutput {
            verb: self.verb.clone(),
            code,
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        })
    }

    /// Runs git, which must succeed.
    ///
    /// # Errors
    /// As [`GitCommand::output`], and [`GitOutput::error`] if git fails.
    pub fn ok(self) -> Result<GitOutput> {
        let output = self.output()?;
        match output.code {
            0 => Ok(output),
            _ => Err(output.error()),
        }
    }

    /// Runs git, which must succeed, and returns what it printed without the newline at the end.
    ///
    /// # Errors
    /// As [`GitCommand::ok`].
    pub fn text(self) -> Result<String> {
        Ok(self.ok()?.text())
    }
}

impl GitOutput {
    /// Returns what git printed, without the newline at the end.
    #[must_use]
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.stdout);
        text.strip_suffix('\n').unwrap_or(&text).into()
    }

    /// Returns the parts of what git printed with `-z`.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let parts = self.stdout.split(|byte| *byte == 0);
        parts.filter(|part| !part.is_empty())
    }

    /// Returns what git complained of, as an error. [`ErrorKind::GitLocked`] and [`ErrorKind::DiskFull`] are told from the
    /// rest.
    #[must_use]
    pub fn error(&self) -> Error {
        let line = self.complaint();
        let reason = if line.is_empty() {
            format!("exit {}", self.code)
        } else {
            line.into()
        };
        Error::failed(format!("git {}: {reason}", self.verb)).of_kind(self.kind())
    }

    /// Returns the line of stderr that says what failed: the first one that begins with `fatal:` or `error:`, else the last.
    fn complaint(&self) -> &str {
        let lines = || self.stderr.lines().filter(|line| !line.trim().is_empty());
        let stripped = |line: &'_ str| -> Option<usize> {
            ["fatal: ", "error: "]
                .into_iter()
                .find(|start| line.starts_with(start))
                .map(str::len)
        };
        lines()
            .find_map(|line| Some(&line[stripped(line)?..]))
            .or_else(|| lines().next_back())
            .unwrap_or_default()
            .trim()
    }

    fn kind(&self) -> ErrorKind {
        let says = |text: &str| self.stderr.contains(text);
        if says("No space left on device") || says("Disk quota exceeded") {
            ErrorKind::DiskFull
        } else if says(".lock': File exists") {
            ErrorKind::GitLocked
        } else {
            ErrorKind::Other
        }
    }
}

/// Writes the input of a child, reads its output to the end and waits for it.
fn read_to_end(child: &mut Child, input: &[u8]) -> std::io::Result<(i32, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let all_of = |pipe: Option<&mut dyn Read>| -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            pipe.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    let (stdout, stderr) = std::thread::scope(|scope| {
        if let Some(mut stdin) = stdin {
            scope.spawn(move || {
                // A git that does not read its input says why by its exit code.
                let _ = stdin.write_all(input);
            });
        }
        let errors = scope.spawn(move || {
            let mut stderr = stderr;
            all_of(stderr.as_mut().map(|pipe| pipe as &mut dyn Read))
        });
        let mut stdout = stdout;
        let stdout = all_of(stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
        let stderr = errors.join().unwrap_or_else(|_| Ok(Vec::new()));
        (stdout, stderr)
    });
    let status = child.wait()?;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    Ok((code, stdout?, stderr?))
}

/// Makes a command the leader of a process session.
#[allow(unsafe_code)]
fn in_own_session(command: &mut Command) {
    let lead = || {
        nix::unistd::setsid()?;
        Ok(())
    };
    // SAFETY: the closure runs in the forked child before exec, and setsid is a system call that is safe there.
    unsafe {
        command.pre_exec(lead);
    }
}

/// Returns a path that git printed.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
