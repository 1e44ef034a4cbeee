//! The data that the journal contains of a sesh besides its values.

use std::fmt;
use std::path::PathBuf;

use crate::id::{ServerId, shell_word};

/// The data of a sesh that only the journal contains, besides its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalData {
    /// The server on which it was alive last.
    pub server: Option<ServerId>,
    /// Its last lines, as they are stored.
    pub tail: Option<String>,
    /// The server on which it still runs, if that cannot be reached.
    pub lost_server: Option<LostServer>,
}

/// A server that lives and cannot be reached. It is displayed as a sentence with the way out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LostServer {
    pub pid: i32,
    /// The path at which it was reached.
    pub socket: PathBuf,
}

impl LostServer {
    /// Returns what is wrong, as a sentence without the way out.
    #[must_use]
    pub fn what(&self) -> String {
        format!("the socket of tmux server {} is gone", self.pid)
    }

    /// Returns how to reach it again, as a shell command. On this signal tmux makes its socket anew, but not the folder.
    #[must_use]
    pub fn way_back(&self) -> String {
        let signal = format!("kill -USR1 {}", self.pid);
        match self.socket.parent().filter(|folder| !folder.is_dir()) {
            Some(folder) => format!(
                "mkdir -m 700 -p {} && {signal}",
                shell_word(&folder.to_string_lossy())
            ),
            None => signal,
        }
    }
}

impl fmt::Display for LostServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} creates it again", self.what(), self.way_back())
    }
}
