//! Errors: a sentence for the person, an exit code for scripts, and a kind for code that branches on it.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The exit code of a helper. The numbers are public: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The action was tried and did not work.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// There is no such sesh or pane, or there is nothing to select.
    Nothing = 3,
    /// The target exists, but cannot be used as asked: name taken, ambiguous, copy mode.
    Unusable = 4,
    /// Another process or person changed the target between the read and the write.
    Changed = 5,
    /// The time is over. Also: the server did not answer in time, and nothing was changed.
    TimedOut = 6,
    /// The message was delivered, but there is no delivery proof. Also: a change was sent to the server, which did not
    /// answer in time or hung up.
    Unconfirmed = 7,
    /// No tmux server answers at that socket.
    NoServer = 69,
    /// There is no tmux program, or it is older than the oldest supported version.
    NoTmux = 127,
    Cancelled = 130,
}

impl Exit {
    /// Returns the exit code of a call with several targets, given the codes of two of them. 7 has priority over 4,
    /// since a delivered message must not be sent again.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        const WORST_FIRST: [Exit; 11] = [
            Exit::Cancelled,
            Exit::NoTmux,
            Exit::NoServer,
            Exit::Usage,
            Exit::Failed,
            Exit::Changed,
            Exit::Nothing,
            Exit::Unconfirmed,
            Exit::Unusable,
            Exit::TimedOut,
            Exit::Done,
        ];
        let is_one = |exit: &Exit| *exit == self || *exit == other;
        WORST_FIRST.into_iter().find(is_one).unwrap_or(self)
    }

    /// Every code with its meaning. The table in plugin/doc/helpers.md and `--help` are generated from it.
    pub const MEANINGS: [(Exit, &'static str); 11] = [
        (Exit::Done, "done"),
        (Exit::Failed, "failed"),
        (Exit::Usage, "invalid arguments"),
        (
            Exit::Nothing,
            "nothing there: no such sesh or pane, or no match",
        ),
        (
            Exit::Unusable,
            "not usable as asked: ambiguous, name taken, copy mode, exited",
        ),
        (
            Exit::Changed,
            "changed by another process or person in the meantime",
        ),
        (
            Exit::TimedOut,
            "timed out, or the tmux server does not answer",
        ),
        (
            Exit::Unconfirmed,
            "delivered, but not confirmed; or unknown whether it was done",
        ),
        (Exit::NoServer, "no tmux server"),
        (Exit::NoTmux, "no tmux, or a version older than 3.2a"),
        (Exit::Cancelled, "cancelled"),
    ];

    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The kind of a failure that code branches on. All other information is for people: [`Error::what`] and
/// [`Error::way_out`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorKind {
    #[default]
    Other,
    /// The server has no session (`exit-empty off`), so it has no pane and no client either.
    EmptyServer,
    /// The pane of a request was gone when the server handled the request.
    NoSuchPane,
    /// A session of that name exists.
    DuplicateSession,
    /// A pane or window is too small to be split.
    NoRoom,
    /// The client on which a command acts is read-only.
    ReadOnly,
    /// The server accepted the connection and closed it: it was ending, or it is of another version.
    HungUp,
    /// The server did not answer in time.
    NoAnswer,
    /// A lock file of git is in the way.
    GitLocked,
    /// The disk is full, or the quota of the user is used up.
    DiskFull,
}

/// A failure: its exit code, what failed and why, and the way out. It is printed as one sentence.
#[derive(Clone, Debug)]
pub struct Error {
    pub exit: Exit,
    pub kind: ErrorKind,
    /// What failed and why.
    pub what: String,
    way_out: Option<WayOut>,
}

#[derive(Clone, Debug)]
struct WayOut {
    /// The text between [`Error::what`] and the way out.
    separator: &'static str,
    text: String,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            kind: ErrorKind::Other,
            what: what.into(),
            way_out: None,
        }
    }

    /// Returns whether there is no server any more: none was there, or it hung up.
    #[must_use]
    pub fn server_is_gone(&self) -> bool {
        self.exit == Exit::NoServer || self.kind == ErrorKind::HungUp
    }

    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what)
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    pub fn nothing(what: impl Into<String>) -> Self {
        Self::new(Exit::Nothing, what)
    }

    /// Returns the error for a pane that is not a sesh.
    pub fn not_a_sesh(pane: impl fmt::Display) -> Self {
        Self::nothing(format!("pane {pane} is not a sesh"))
            .with_way_out(format!("sesh-adopt {pane} registers it"))
    }

    /// Returns the error for a pane that does not exist.
    pub fn no_pane(pane: impl fmt::Display) -> Self {
        Self::nothing(format!("no pane {pane}")).with_way_out("tmux list-panes -a shows all panes")
    }

    pub fn unusable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unusable, what)
    }

    /// Returns the error with a kind that code branches on.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns the error with advice on what to do, printed after a colon.
    #[must_use]
    pub fn with_way_out(self, text: impl Into<String>) -> Self {
        self.join(": ", text.into())
    }

    /// Returns the error with advice on what to do, printed after a semicolon. Use it where a colon already precedes
    /// the reason.
    #[must_use]
    pub fn with_way_out_after_why(self, text: impl Into<String>) -> Self {
        self.join("; ", text.into())
    }

    /// Returns the advice on what to do, if there is any.
    #[must_use]
    pub fn way_out(&self) -> Option<&str> {
        self.way_out.as_ref().map(|way_out| way_out.text.as_str())
    }

    fn join(mut self, separator: &'static str, text: String) -> Self {
        self.way_out = Some(WayOut { separator, text });
        self
    }
}

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Adds a sentence that the user should see, once, although nothing failed. The code that prints the result prints it at
/// the end.
pub fn warn(sentence: impl Into<String>) {
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    let sentence = sentence.into();
    if !warnings.contains(&sentence) {
        warnings.push(sentence);
    }
}

/// Removes all warnings and returns them.
#[must_use]
pub fn warnings() -> Vec<String> {
    std::mem::take(&mut WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.way_out {
            Some(WayOut { separator, text }) => write!(f, "{separator}{text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn an_error_is_printed_as_one_sentence() {
        let error = Error::failed("no tmux on PATH");
        assert_eq!(
            (error.to_string().as_str(), error.way_out()),
            ("no tmux on PATH", None)
        );
        let error = error.with_way_out("install it");
        assert_eq!(error.to_string(), "no tmux on PATH: install it");
        assert_eq!(
            (error.what.as_str(), error.way_out()),
            ("no tmux on PATH", Some("install it"))
        );
        let error = Error::failed("no server: refused").with_way_out_after_why("start it");
        assert_eq!(error.to_string(), "no server: refused; start it");
    }

    #[test]
    fn worst_of_several_exit_codes() {
        assert_eq!(Exit::Done.worst(Exit::Done), Exit::Done);
        assert_eq!(Exit::Unusable.worst(Exit::Unconfirmed), Exit::Unconfirmed);
        assert_eq!(Exit::Unconfirmed.worst(Exit::Nothing), Exit::Nothing);
        for (exit, _) in Exit::MEANINGS {
            assert_eq!(exit.worst(Exit::Done), exit);
            assert_eq!(Exit::Cancelled.worst(exit), Exit::Cancelled);
        }
    }
}
