//! A program run as anybody runs it, to its end, and what it said.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;

use super::{Record, limit};

/// A program that is about to be run.
#[must_use]
pub(crate) struct Call {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl Call {
    /// `command` has its environment already.
    pub(crate) fn new(command: Command) -> Self {
        Self {
            command,
            stdin: None,
        }
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// The command itself, for what is not run to its end here.
    pub(crate) fn command(self) -> Command {
        self.command
    }

    /// Runs it with a reader of its output that has gone, and returns its exit code.
    pub(crate) fn unread(self) -> Option<i32> {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = self.command();
        let status = command.stdout(writer).status().expect("it starts");
        status.code()
    }

    /// Runs it to its end, whatever that is.
    #[track_caller]
    pub(crate) fn said(mut self) -> Said {
        self.command
            .stdin(if self.stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let argv: Vec<OsString> = std::iter::once(self.command.get_program())
            .chain(self.command.get_args())
            .map(OsStr::to_os_string)
            .collect();
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {argv:?}: {error}"));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
        let (sender, receiver) = mpsc::channel();
        let stdin = self.stdin;
        let waiter = std::thread::spawn(move || {
            if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
                // A program that does not read its input says why by its exit.
                let _ = pipe.write_all(&text);
            }
            let _ = sender.send(child.wait_with_output());
        });
        let Ok(output) = receiver.recv_timeout(limit()) else {
            let _ = kill(pid, Signal::SIGKILL);
            panic!("{argv:?} did not end within {:?}", limit());
        };
        waiter.join().expect("the thread that waits");
        let output = output.expect("an output");
        Said {
            argv,
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs it; it must succeed in silence.
    #[track_caller]
    pub(crate) fn ok(self) -> Said {
        let said = self.said();
        assert!(said.code() == Some(0), "it failed: {said}");
        assert!(said.stderr.is_empty(), "it complained: {said}");
        said
    }

    /// Runs it; it must fail with this code, print nothing and complain in exactly one line. Gives the sentence.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        let said = self.said();
        assert!(said.code() == Some(code), "not exit {code}: {said}");
        assert!(
            said.stdout.is_empty(),
            "it failed and printed all the same: {said}"
        );
        said.sentence()
    }
}

/// What a program said.
pub(crate) struct Said {
    argv: Vec<OsString>,
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Said {
    /// Whether it is what this helper said.
    pub(crate) fn is_of(&self, helper: &str) -> bool {
        Path::new(&self.argv[0]).ends_with(helper)
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The one line of stderr, without the helper's name.
    #[track_caller]
    pub(crate) fn sentence(&self) -> String {
        let helper = Path::new(&self.argv[0])
            .file_name()
            .expect("a program has a name")
            .to_string_lossy();
        let line = self.stderr.strip_suffix('\n').unwrap_or("");
        let sentence = line.strip_prefix(&format!("{helper}: ")).unwrap_or("");
        assert!(
            !sentence.is_empty() && !sentence.contains('\n'),
            "stderr is not one line `{helper}: sentence`: {self}"
        );
        sentence.into()
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| panic!("not UTF-8: {self}"))
    }

    /// The only line.
    #[track_caller]
    pub(crate) fn line(&self) -> &str {
        let text = self.text();
        let line = text.strip_suffix('\n').unwrap_or("");
        assert!(
            !line.is_empty() && !line.contains('\n'),
            "not one line: {self}"
        );
        line
    }

    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.text().lines().collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }

    #[track_caller]
    pub(crate) fn record(&self) -> Record {
        Record(self.json())
    }

    /// The only record of a list.
    #[track_caller]
    pub(crate) fn only(&self) -> Record {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "not one record: {self}");
        records.remove(0)
    }

    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Record> {
        let json = self.json();
        let list = json.as_array().unwrap_or_else(|| panic!("no list: {self}"));
        list.iter().cloned().map(Record).collect()
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit {code}"),
            (_, signal) => format!("signal {signal:?}"),
        };
        write!(
            f,
            "{:?}\n{end}\n--- stdout\n{}\n--- stderr\n{}",
            self.argv,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        )
    }
}
