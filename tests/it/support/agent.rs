//! Agents that are not: real programs with the names of the real ones, which do what they are told.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use nix::fcntl::OFlag;
use nix::sys::termios::{LocalFlags, tcgetattr};

use super::{Record, Server, helpers, until, until_some};

impl Server {
    /// Puts the fake agent on PATH under a name, and the helpers beside it.
    #[track_caller]
    pub(crate) fn agent(&self, name: &str) -> PathBuf {
        let path = self.path("bin").join(name);
        if path.exists() {
            return path;
        }
        // Another process copies it: a file that this one has open for writing cannot be run by anybody.
        self.call("/bin/cp".as_ref())
            .args([&helpers().join("fake-agent"), &path])
            .ok();
        path
    }

    /// A pane of its own with a shell in it, where a line was typed.
    #[track_caller]
    pub(crate) fn types(&self, line: &str) -> String {
        // Not a login shell: that would set a PATH of its own.
        let new = ["new-window", "-d", "-P", "-F", "#{pane_id}", "sh", "-i"];
        let pane = self.tmux(new);
        let pane = pane.trim_end().to_string();
        // What is typed before that stands in the row of its prompt for good.
        until("its shell shows a prompt", || {
            !self.screen(&pane).trim().is_empty()
        });
        self.say(&pane, line);
        pane
    }

    /// Types a line into a pane.
    #[track_caller]
    pub(crate) fn say(&self, pane: &str, line: &str) {
        self.tmux(["send-keys", "-t", pane, "-l", line]);
        self.tmux(["send-keys", "-t", pane, "Enter"]);
    }

    /// A pane with a shell in which an agent was started by hand, once it reads what it is told.
    #[track_caller]
    pub(crate) fn hosts(&self, agent: &str) -> String {
        self.agent(agent);
        let pane = self.types(agent);
        self.listens(&pane, agent);
        pane
    }

    /// Starts an agent by hand in a pane with a shell, whatever the shell's PATH is.
    #[track_caller]
    pub(crate) fn starts(&self, pane: &str, agent: &str) {
        let path = self.agent(agent);
        self.say(pane, &path.display().to_string());
        self.listens(pane, agent);
    }

    /// Waits until an agent runs in a pane and has turned the terminal's echo off: what is typed before that stands on its
    /// screen for good.
    #[track_caller]
    fn listens(&self, pane: &str, agent: &str) {
        self.runs(pane, agent);
        let terminal = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(self.format(pane, "#{pane_tty}"))
            .expect("its terminal");
        until(&format!("{agent} has turned the echo off"), || {
            let flags = tcgetattr(&terminal).expect("its modes").local_flags;
            flags.contains(LocalFlags::ICANON) && !flags.contains(LocalFlags::ECHO)
        });
    }

    /// What `sesh-pane` says of a pane, if that is a sesh.
    pub(crate) fn sesh_of(&self, pane: &str) -> Option<Record> {
        let said = self.sesh("sesh-pane", ["--pane", pane, "--json"]).said();
        (said.code() == Some(0)).then(|| said.record())
    }

    /// Reaps until a pane is a sesh in a state: `busy`, or `waiting permission`.
    #[track_caller]
    pub(crate) fn becomes(&self, pane: &str, state: &str) -> Record {
        until_some(&format!("{pane} is {state}"), || {
            self.sesh("sesh-reap", super::NONE).ok();
            // What was read just now may be newer than what was written.
            let found = self.sesh_of(pane).filter(|record| is(record, state));
            found.filter(|_| self.is_stored_as(pane, state))
        })
    }

    /// Waits until a pane is a sesh in a state, by what others write.
    #[track_caller]
    pub(crate) fn shows_state(&self, pane: &str, state: &str) {
        until(&format!("{pane} is stored as {state}"), || {
            self.is_stored_as(pane, state)
        });
    }

    fn is_stored_as(&self, pane: &str, state: &str) -> bool {
        let stored = self.format(pane, "#{@sesh_state} #{@sesh_why}");
        stored.trim_end() == state
    }
}

/// Whether a record says `busy`, or `waiting permission`.
pub(crate) fn is(record: &Record, state: &str) -> bool {
    let why = record.get("why").as_str().unwrap_or("");
    format!("{} {why}", record.state()).trim_end() == state
}
