//! One private tmux server.

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use tempfile::TempDir;

use super::{Call, Record, say, until, until_some};

/// The session that a [`Server`] starts with: the user's own, 120 columns and 40 rows, one pane with `cat`.
pub(crate) const MAIN: &str = "main";

/// A tmux server that nobody else uses, with a home of its own. Ends with the value.
pub(crate) struct Server {
    folder: TempDir,
    program: PathBuf,
    child: Child,
}

impl Server {
    /// A server with the session [`MAIN`].
    #[track_caller]
    pub(crate) fn start() -> Self {
        let server = Self::empty();
        let pane = server.session((120, 40), &["-s", MAIN, "-n", "user", "cat", "-"]);
        // Two words, so that no shell is between. Until it runs, tmux knows neither what runs there nor where.
        server.runs(&pane, "cat");
        server
    }

    /// A server without a session.
    #[track_caller]
    pub(crate) fn empty() -> Self {
        // A socket's path must be short, whatever $TMPDIR is.
        let folder = tempfile::Builder::new()
            .prefix("sesh")
            .tempdir_in("/tmp")
            .expect("a folder for the server");
        for name in ["bin", "home", "run"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder in the server's folder");
        }
        let program = which::which("tmux").expect("tmux on PATH");
        let child = furnished(Command::new(&program), folder.path())
            .args(["-D", "-f", "/dev/null", "-S"])
            .arg(folder.path().join("s"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a tmux server");
        let server = Self {
            folder,
            program,
            child,
        };
        // Not start-server: that would start a second one now and then.
        until("the server answers", || {
            server.try_tmux(["show-options", "-s"]).code() == Some(0)
        });
        server
    }

    /// Makes a detached session of this size, and gives its pane. 3.2a makes the first one 80x23 whatever it is told.
    #[track_caller]
    pub(crate) fn session(&self, (columns, rows): (u16, u16), args: &[&str]) -> String {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let size = ["-x", &columns, "-y", &rows];
        let new = ["new-session", "-d", "-P", "-F", "#{pane_id}"];
        let pane = self.tmux(new.iter().chain(&size).chain(args));
        let pane = pane.trim_end();
        self.tmux(["resize-window", "-t", pane].iter().chain(&size));
        // Resized, it would no longer follow its clients.
        self.tmux(["set-option", "-w", "-u", "-t", pane, "window-size"]);
        pane.into()
    }

    /// The server's folder: the tests' files are here.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("s")
    }

    /// The tmux program of this run.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn alive(&self) -> bool {
        self.try_tmux(["show-options", "-s"]).code() == Some(0)
    }

    /// Dies as in a power cut, and with it all that runs there.
    #[track_caller]
    pub(crate) fn dies(&self) {
        let pid = self.tmux(["display-message", "-p", "#{pid}"]);
        let pid = pid.trim_end().parse().expect("a pid");
        let processes = tmux_sesh::proc::tree(pid);
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is there");
        let is_gone = |process: &tmux_sesh::proc::Process| {
            let now = tmux_sesh::proc::read(process.pid);
            now.is_none_or(|now| now.zombie || now.start != process.start)
        };
        until("all of it is gone", || processes.iter().all(is_gone));
    }

    /// Another server on the same socket, without a session. It ends with the value, by that socket.
    #[track_caller]
    pub(crate) fn starts_again(&self) {
        let child = self
            .tmux_call(["-D", "-f", "/dev/null"])
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        drop(child.expect("a tmux server"));
        until("the next server answers", || self.alive());
    }

    /// A helper, on this server, from outside tmux.
    pub(crate) fn sesh(
        &self,
        helper: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Call {
        self.helper(helper)
            .args(["-S".as_ref(), self.socket().as_os_str()])
            .args(args)
    }

    /// A helper as if typed in a pane of this server.
    pub(crate) fn inside(
        &self,
        pane: &str,
        helper: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Call {
        let session = self.format(pane, "#{session_id}");
        let tmux = format!(
            "{},{},{}",
            self.socket().display(),
            self.pid(),
            session.trim_start_matches('$')
        );
        self.helper(helper)
            .env("TMUX", tmux)
            .env("TMUX_PANE", pane)
            .args(args)
    }

    /// A helper that is told nothing of this server, but lives in its folder.
    pub(crate) fn helper(&self, helper: &str) -> Call {
        self.call(&helpers().join(helper))
    }

    /// Any program, in the same surroundings.
    pub(crate) fn call(&self, program: &Path) -> Call {
        Call::new(furnished(Command::new(program), self.folder()))
    }

    /// Makes a sesh, from outside tmux, and waits until all of it is stored: what a created pane runs says its
    /// command and its start a moment after its birth.
    #[track_caller]
    pub(crate) fn new_sesh(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Record {
        let made = self.sesh("sesh-new", ["--json"]).args(args).ok().record();
        until("the sesh has introduced itself", || {
            let bound = self.format(made.pane(), "#{pane_id}#{@sesh_proc}");
            bound.is_empty() || bound.contains(':')
        });
        made
    }

    /// The record of a sesh, by its uuid.
    #[track_caller]
    pub(crate) fn record(&self, uuid: &str) -> Record {
        let mut records = self.sesh("sesh-list", ["--json", uuid]).ok().records();
        assert_eq!(records.len(), 1, "one sesh has one identity");
        records.remove(0)
    }

    /// The record of a sesh as soon as a fact holds for it.
    #[track_caller]
    pub(crate) fn when(&self, what: &str, uuid: &str, fact: impl Fn(&Record) -> bool) -> Record {
        until_some(what, || {
            Some(self.record(uuid)).filter(|record| fact(record))
        })
    }

    /// The record of a sesh as soon as it has ended and its end is written down.
    #[track_caller]
    pub(crate) fn ended(&self, uuid: &str) -> Record {
        self.when("the sesh ends", uuid, |record| record.state() == "exited")
    }

    /// tmux itself, on this server; it must succeed.
    #[track_caller]
    pub(crate) fn tmux(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        let said = self.try_tmux(args);
        assert!(said.code() == Some(0), "tmux failed: {said}");
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    #[track_caller]
    pub(crate) fn try_tmux(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> super::Said {
        self.tmux_call(args).said()
    }

    /// The same before it is run.
    pub(crate) fn tmux_call(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Call {
        self.call(&self.program)
            .args(["-u".as_ref(), "-S".as_ref(), self.socket().as_os_str()])
            .args(args)
    }

    /// What a format is for a target; one line.
    #[track_caller]
    pub(crate) fn format(&self, target: &str, format: &str) -> String {
        self.tmux(["display-message", "-p", "-t", target, format])
            .trim_end_matches('\n')
            .into()
    }

    /// A format of every pane, a line each.
    #[track_caller]
    pub(crate) fn panes(&self, format: &str) -> Vec<String> {
        self.tmux(["list-panes", "-a", "-F", format])
            .lines()
            .map(Into::into)
            .collect()
    }

    /// The user's own pane.
    #[track_caller]
    pub(crate) fn user_pane(&self) -> String {
        self.format(&format!("={MAIN}:user"), "#{pane_id}")
    }

    #[track_caller]
    pub(crate) fn has_pane(&self, pane: &str) -> bool {
        self.panes("#{pane_id}").iter().any(|it| it == pane)
    }

    /// The text on a pane's screen.
    #[track_caller]
    pub(crate) fn screen(&self, pane: &str) -> String {
        self.tmux(["capture-pane", "-p", "-t", pane])
    }

    #[track_caller]
    pub(crate) fn shows(&self, pane: &str, text: &str) {
        until(&format!("pane {pane} shows {text:?}"), || {
            self.screen(pane).contains(text)
        });
    }

    /// Waits until a program is in a pane's foreground.
    #[track_caller]
    pub(crate) fn runs(&self, pane: &str, program: &str) {
        until(
            &format!("{program} runs in the foreground of {pane}"),
            || self.format(pane, "#{pane_current_command}") == program,
        );
    }

    /// Everything that a helper could have changed: panes with their options, server options, hidden variables.
    #[track_caller]
    pub(crate) fn everything(&self) -> String {
        let panes = self.tmux([
            "list-panes",
            "-a",
            "-F",
            "#{session_name}:#{window_index}.#{pane_index} #{pane_id} #{window_name} #{window_layout} #{pane_active}",
        ]);
        let mut all = panes.clone();
        for pane in self.panes("#{pane_id}") {
            all.push_str(&self.tmux(["show-options", "-p", "-t", &pane]));
        }
        all.push_str(&self.tmux(["show-options", "-s"]));
        all.push_str(&self.tmux(["show-options", "-g"]));
        let hidden = self.tmux(["show-environment", "-gh"]);
        // What a list of commands leaves behind when it has run says nothing of the state.
        let passing = ["SESH_if", "SESH_tell", "SESH_changes"];
        let is_kept = |line: &&str| !passing.iter().any(|name| line.starts_with(name));
        all.extend(hidden.lines().filter(is_kept).flat_map(|line| [line, "\n"]));
        all
    }

    /// The processes that live in this server's surroundings, whoever started them: all have them from the server or from
    /// the test. Empty where there is no `/proc`.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let folder = self.folder().as_os_str().as_encoded_bytes();
        let lives_here = |pid: &i32| {
            let surroundings = std::fs::read(format!("/proc/{pid}/environ"));
            surroundings.is_ok_and(|all| all.windows(folder.len()).any(|it| it == folder))
        };
        let entries = std::fs::read_dir("/proc").into_iter().flatten();
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut pids: Vec<i32> = pids.filter(lives_here).collect();
        pids.sort_unstable();
        pids
    }

    /// The launch files that nobody has read yet.
    #[track_caller]
    pub(crate) fn launch_files(&self) -> Vec<PathBuf> {
        match std::fs::read_dir(self.path("run/tmux-sesh")) {
            Ok(entries) => entries
                .map(|entry| entry.expect("an entry").path())
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Puts a shell script on PATH before everything else.
    #[track_caller]
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path("bin").join(name);
        self.program_file(&path, format!("#!/bin/sh\n{text}\n").as_bytes());
        path
    }

    /// Writes a program. Another process does it: a file that this one has open for writing cannot be run by anybody,
    /// and what another test starts at this moment would have it open too.
    #[track_caller]
    pub(crate) fn program_file(&self, path: &Path, bytes: &[u8]) {
        self.call("/bin/sh".as_ref())
            .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
            .args([path])
            .stdin(bytes)
            .ok();
    }

    /// Puts a `tmux` on PATH that counts its calls.
    pub(crate) fn count_tmux(&self) {
        self.script(
            "tmux",
            &format!(
                "echo call >>'{}'\nexec '{}' \"$@\"",
                self.path("calls").display(),
                self.program.display()
            ),
        );
    }

    /// How often the `tmux` on PATH was run since the last look.
    pub(crate) fn tmux_calls(&self) -> usize {
        let calls = std::fs::read_to_string(self.path("calls")).unwrap_or_default();
        let _ = std::fs::remove_file(self.path("calls"));
        calls.lines().count()
    }

    fn scene(&self) -> String {
        let mut scene = String::new();
        let panes = self.try_tmux([
            "list-panes",
            "-a",
            "-F",
            "#{pane_id} #{session_name}:#{window_index} #{pane_pid} #{pane_current_command} #{@sesh_name} #{@sesh_state}",
        ]);
        scene.push_str(&panes.to_string());
        for line in String::from_utf8_lossy(&panes.stdout).lines() {
            let pane = line.split(' ').next().unwrap_or("");
            let screen = self.try_tmux(["capture-pane", "-p", "-t", pane]);
            let screen = String::from_utf8_lossy(&screen.stdout);
            scene.push_str(&format!("\n--- screen of {pane}\n{}\n", screen.trim_end()));
        }
        scene
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that does not answer must not turn a failed test into an aborted run.
        let panes = catch_unwind(AssertUnwindSafe(|| {
            if std::thread::panicking() {
                say(&self.scene());
            }
            let panes = self.try_tmux(["list-panes", "-a", "-F", "#{pane_pid}"]);
            self.try_tmux(["kill-server"]);
            String::from_utf8_lossy(&panes.stdout).into_owned()
        }));
        let deadline = Instant::now() + Duration::from_secs(2);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5)); // why: the end of a child has no event here but a wait without a limit.
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(self.socket());
        // What ignores the end of its terminal: a pane's first process leads the session of all that it started.
        for pane in panes.unwrap_or_default().lines() {
            for left in pane
                .parse()
                .map(tmux_sesh::proc::session)
                .unwrap_or_default()
            {
                let _ = kill(Pid::from_raw(left.pid), Signal::SIGKILL);
            }
        }
    }
}

/// Where the helpers were built.
pub(crate) fn helpers() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sesh-new"))
        .parent()
        .expect("a program is in a folder")
}

/// The environment of everything here: nothing of the developer's but PATH, and a locale that is hostile on purpose.
fn furnished(mut command: Command, folder: &Path) -> Command {
    let mut path = vec![folder.join("bin"), helpers().to_path_buf()];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    command
        .env_clear()
        .env("PATH", std::env::join_paths(path).expect("a PATH"))
        .env("HOME", folder.join("home"))
        .env("TMUX_TMPDIR", folder)
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("SHELL", "/bin/sh")
        .env("TERM", "screen")
        .env("LC_ALL", "C")
        .current_dir(folder);
    command
}
