//! Clients that look at a server: one that speaks control mode, and one with a screen that a test can see.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};

use super::{Server, until, until_some};

/// A control-mode client: a client that counts, with no screen.
pub(crate) struct Control {
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Control {
    #[track_caller]
    pub(crate) fn attach(server: &Server, session: &str) -> Self {
        let mut child = server
            .tmux_call([
                "-C",
                "attach-session",
                "-t",
                session,
                "-f",
                "no-output,ignore-size",
            ])
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a control client");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("a pipe");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                ear.lock().expect("the lines").push(line);
            }
        });
        let client = Self {
            child,
            stdin,
            heard,
        };
        client.hears("%session-changed");
        client
    }

    /// Its name in `list-clients`.
    pub(crate) fn name(&self) -> String {
        format!("client-{}", self.child.id())
    }

    /// Waits for a line that starts so.
    #[track_caller]
    pub(crate) fn hears(&self, start: &str) {
        until(&format!("the control client hears {start}"), || {
            self.heard
                .lock()
                .expect("the lines")
                .iter()
                .any(|line| line.starts_with(start))
        });
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            // An empty line detaches.
            let _ = stdin.write_all(b"\n");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a person sees: a tmux client that is attached in a pane of another private server.
pub(crate) struct Screen {
    outer: Server,
    pane: String,
    client: String,
}

impl Screen {
    /// A person who looks at a session, in a terminal of this many columns and rows.
    #[track_caller]
    pub(crate) fn attach(server: &Server, session: &str, size: (u16, u16)) -> Self {
        let program = server.program().display().to_string();
        let socket = server.socket().display().to_string();
        let session = format!("={session}");
        let mut screen = Self::open(
            size,
            &[
                &program,
                "-u",
                "-S",
                &socket,
                "attach-session",
                "-t",
                &session,
            ],
        );
        let pid = screen.outer.format(&screen.pane, "#{pane_pid} ");
        screen.client = until_some("a client is attached", || {
            server
                .tmux(["list-clients", "-F", "#{client_pid} #{client_name}"])
                .lines()
                .find_map(|line| line.strip_prefix(&pid).map(Into::into))
        });
        screen
    }

    /// A person's terminal that runs a program, outside of the server that is tested.
    #[track_caller]
    pub(crate) fn open(size: (u16, u16), argv: &[&str]) -> Self {
        let outer = Server::empty();
        outer.tmux(["set-option", "-g", "status", "off"]);
        let pane = outer.session(size, &["cat"]);
        let respawn = [
            "respawn-pane",
            "-k",
            "-t",
            &pane,
            "--",
            "env",
            "-u",
            "TMUX",
            "-u",
            "TMUX_PANE",
        ];
        outer.tmux(respawn.iter().chain(argv));
        Self {
            outer,
            pane,
            client: String::new(),
        }
    }

    /// The client's name on the server that it looks at.
    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.outer.screen(&self.pane)
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.outer.shows(&self.pane, text);
    }

    /// Types a text, letter by letter.
    #[track_caller]
    pub(crate) fn types_text(&self, text: &str) {
        let text = text
            .strip_suffix(';')
            .map_or_else(|| text.into(), |text| format!("{text}\\;"));
        self.outer
            .tmux(["send-keys", "-l", "-t", &self.pane, "--", &text]);
    }

    /// How many bytes the person's client is sent because of something: the least of several times.
    ///
    /// A client asks its terminal this and that when it comes, and draws again on the answers: what others cause comes
    /// on top.
    #[track_caller]
    pub(crate) fn cost(&self, server: &Server, act: &dyn Fn()) -> u64 {
        // A status line without a clock draws nothing by itself.
        for (name, value) in [("status-right", ""), ("status-interval", "0")] {
            if server.tmux(["show-options", "-gqv", name]).trim_end() != value {
                server.tmux(["set-option", "-g", name, value]);
            }
        }
        let sent = || -> u64 {
            let sent = server.tmux(["list-clients", "-F", "#{client_name} #{client_written}"]);
            let name = format!("{} ", self.client);
            let bytes = sent.lines().find_map(|line| line.strip_prefix(&name));
            bytes
                .expect("the client is there")
                .parse()
                .expect("a number of bytes")
        };
        let costs = (0..5).map(|_| {
            let before = sent();
            act();
            sent() - before
        });
        costs.min().expect("several times")
    }

    /// Types keys, by tmux's names.
    #[track_caller]
    pub(crate) fn types(&self, keys: &[&str]) {
        let mut words = vec!["send-keys", "-t", &self.pane, "--"];
        words.extend(keys);
        self.outer.tmux(words);
    }
}
