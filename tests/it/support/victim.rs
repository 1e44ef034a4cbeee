//! A process that is expected to live on, and must not outlive its test.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Server, until};

/// A process of a command's, known by the pid that it wrote down.
pub(crate) struct Victim(Pid);

impl Victim {
    /// The process that writes its pid into a file of the server's folder, and moves it there when it is whole.
    #[track_caller]
    pub(crate) fn written(server: &Server, file: &str) -> Self {
        let path = server.path(file);
        until("the pid is written", || path.exists());
        let text = std::fs::read_to_string(path).expect("a pid file");
        Self(Pid::from_raw(text.trim().parse().expect("a pid")))
    }

    pub(crate) fn pid(&self) -> Pid {
        self.0
    }

    pub(crate) fn alive(&self) -> bool {
        tmux_sesh::proc::read(self.0.as_raw()).is_some_and(|process| !process.zombie)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if self.alive() {
            let _ = kill(self.0, Signal::SIGKILL);
        }
    }
}
