//! Agents that are not: real programs with the names of the real ones.

use std::path::PathBuf;

use super::{Server, helpers};

impl Server {
    /// Puts the fake agent on PATH under a name.
    #[track_caller]
    pub(crate) fn agent(&self, name: &str) -> PathBuf {
        let path = self.path("bin").join(name);
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
        self.tmux(["send-keys", "-t", &pane, "-l", line]);
        self.tmux(["send-keys", "-t", &pane, "Enter"]);
        pane
    }
}
