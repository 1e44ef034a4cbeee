//! A real agent in a pane of a private server, with a model on loopback and a home of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::agents::Real;
use crate::support::{REAL_AGENTS, Server, helpers, until};

/// How long a real agent may take for anything.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// How long a screen has to be the same to count as drawn: an Enter right behind a paste becomes a line of it.
const STILL: Duration = Duration::from_millis(150);

/// The agent's pane and what is around it. Ends with the value.
pub(super) struct Lab {
    pub(super) server: Server,
    pub(super) agent: &'static Real,
    pub(super) pane: String,
    model: Model,
}

/// The mock model. It ends when its standard input does: also when the tests are killed.
struct Model {
    child: Child,
    port: String,
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Lab {
    /// A pane of this size with a shell, and everything ready for the agent. `None` where it is not installed.
    #[track_caller]
    pub(super) fn new(agent: &'static Real, size: (u16, u16)) -> Option<Self> {
        if !agent.is_installed() {
            return None;
        }
        REAL_AGENTS.store(true, Ordering::Relaxed);
        let server = Server::start();
        for folder in ["project", "agent"] {
            std::fs::create_dir(server.path(folder)).expect("a folder");
        }
        let model = Model::start(&server.path("prompts"));
        let shell = ["-c", "project", "bash", "--noprofile", "--norc", "-i"];
        let folder = server.path("project").display().to_string();
        let shell = shell.map(|word| if word == "project" { &folder } else { word });
        let pane = server.session(size, &shell);
        server.runs(&pane, "bash");
        let lab = Self {
            server,
            agent,
            pane,
            model,
        };
        // Its home is made first, so that it can be given hooks before it starts.
        lab.prepare(agent);
        lab.command(&lab.typed(), &format!("{} {}", agent.name, agent.args));
        Some(lab)
    }

    #[track_caller]
    fn prepare(&self, agent: &Real) {
        self.command("prepare", &format!("--prepare {}", agent.name));
        let prepare = self.server.call(&self.server.path("bin/prepare"));
        prepare.folder(&self.server.path("project")).ok();
    }

    /// The command that starts the agent: a word that tells on the screen where that was.
    pub(super) fn typed(&self) -> String {
        format!("lab-{}", self.agent.name)
    }

    /// Puts a command on PATH that is `run-agent` with these words. What a killed agent has left on the screen stays
    /// above where it is typed, and not below: what is there then is of the new one.
    fn command(&self, name: &str, words: &str) {
        let (home, run) = (home(), files().join("run-agent"));
        let text = format!(
            "[ -t 1 ] && printf '\\033[J'\nexport SESH_LAB_HOME='{}' LAB_PORT={} LAB_AGENT_HOME='{}' XDG_STATE_HOME='{}' LAB_PATH='{}:{}'\nexec '{}' {words}",
            home.display(),
            self.model.port,
            self.server.path("agent").display(),
            // What its hooks write down is where the others do.
            self.server.path("home/.local/state").display(),
            self.server.path("bin").display(),
            helpers().display(),
            run.display()
        );
        self.server.script(name, &text);
    }

    /// Our hooks in the agent's own configuration.
    #[track_caller]
    pub(super) fn hooks(&self) {
        self.server
            .helper("sesh-hooks")
            .args(["install", self.agent.name])
            .env("HOME", self.server.path("agent"))
            .ok();
        let agent = self.agent;
        let words = format!("{} {} {}", agent.name, agent.args, agent.with_hooks);
        self.command(&self.typed(), &words);
    }

    /// Puts the agent on PATH under its own name, with its hooks, so that the helpers can start it.
    pub(super) fn on_path(&self) {
        let agent = self.agent;
        let words = [agent.name, agent.args, agent.with_hooks, "\"$@\""];
        self.command(agent.name, &words.join(" "));
    }

    /// Puts the agent on PATH under its own name, with the words of its caller alone.
    pub(super) fn on_path_alone(&self) {
        self.command(self.agent.name, &format!("{} \"$@\"", self.agent.name));
    }

    /// Puts another agent on PATH, with the same home and model.
    #[track_caller]
    pub(super) fn beside(&self, other: &Real) {
        self.prepare(other);
        self.command(other.name, &format!("{} \"$@\"", other.name));
    }

    /// Returns the prompts that the model has got, in their order.
    pub(super) fn prompts(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.server.path("prompts")).unwrap_or_default();
        // The last line may be half written at this moment.
        let whole = text.rfind('\n').unwrap_or(0);
        let lines = text[..whole].lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a JSON string"))
            .collect()
    }

    pub(super) fn screen(&self) -> String {
        self.server.screen(&self.pane)
    }

    /// The screen as it is drawn, and why the pane counts as what it counts as.
    pub(super) fn evidence(&self) -> String {
        let drawn = ["capture-pane", "-p", "-e", "-t", &self.pane];
        let drawn = self.server.tmux(drawn);
        let explained = self.server.sesh("sesh-explain", [&self.pane]).said();
        let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
        format!("{}\n{explained}", drawn.trim_end())
    }

    /// Pastes a text into the composer, and waits until all of it is drawn.
    #[track_caller]
    pub(super) fn put(&self, text: &str) {
        let buffer = self.server.tmux_call(["load-buffer", "-"]);
        buffer.stdin(text).ok();
        let paste = ["paste-buffer", "-p", "-r", "-d", "-t", &self.pane];
        self.server.tmux(paste);
        until(&format!("{text:?} is in the composer"), || {
            self.screen().contains(text)
        });
        self.still();
    }

    pub(super) fn keys(&self, keys: &[&str]) {
        let send = ["send-keys", "-t", &self.pane];
        self.server.tmux(send.iter().chain(keys));
    }

    /// Takes a draft away again.
    #[track_caller]
    pub(super) fn rubs_out(&self, text: &str) {
        let times = text.chars().count().to_string();
        self.keys(&["-N", &times, "BSpace"]);
        until(&format!("{text:?} is gone"), || {
            !self.screen().contains(text)
        });
        // Some draw one key at a time: the first letter alone is a draft too.
        self.still();
    }

    /// Waits until the screen has been the same for a while.
    #[track_caller]
    fn still(&self) {
        let mut last = (self.screen(), Instant::now());
        until("the screen is still", || {
            let screen = self.screen();
            if screen != last.0 {
                last = (screen, Instant::now());
            }
            last.1.elapsed() >= STILL
        });
    }

    /// Whether the agent that was started last is at its empty composer, as a person sees it. While the command that
    /// starts it is in front, a killed one's screen may still be below.
    pub(super) fn is_ready(&self) -> bool {
        let in_front = self.server.format(&self.pane, "#{pane_current_command}");
        let screen = self.screen();
        let own = screen.rsplit(&self.typed()).next().unwrap_or_default();
        own.contains(self.agent.ready) && !["bash", "sh"].contains(&in_front.as_str())
    }

    pub(super) fn in_shell(&self) -> bool {
        self.server.format(&self.pane, "#{pane_current_command}") == "bash"
    }
}

impl Model {
    /// Starts it. It appends the prompts that it gets to a file.
    fn start(prompts: &Path) -> Self {
        let mut child = Command::new(files().join("mock_llm.py"))
            .arg(prompts)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/lab/mock_llm.py needs python3");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        let read = BufReader::new(stdout).read_line(&mut port);
        read.expect("the model's port");
        let port = port.trim_end().into();
        Self { child, port }
    }
}

/// The files of the lab.
fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab")
}

/// Where `tests/lab/install` puts the agents.
pub(super) fn home() -> PathBuf {
    let named = std::env::var_os("SESH_LAB_HOME").filter(|home| !home.is_empty());
    named.map_or_else(
        || Path::new(&std::env::var_os("HOME").expect("HOME")).join(".cache/sesh-lab"),
        PathBuf::from,
    )
}
