//! What can go wrong: a sentence for the person, an exit code for the script, and a kind for code that branches on it.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How a helper ended. The numbers are public: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// It was tried and did not work.
    Failed = 1,
    /// The words on the command line are off.
    Usage = 2,
    /// No such sesh, no such pane, nothing to select.
    Nothing = 3,
    /// It is there, but cannot be used as asked: name taken, ambiguous, copy mode.
    Unusable = 4,
    /// It was changed by somebody else between the look and the write.
    Changed = 5,
    TimedOut = 6,
    /// Delivered, but nothing proves the arrival.
    Unconfirmed = 7,
    /// No tmux server answers at that socket.
    NoServer = 69,
    /// No tmux program, or one below the floor.
    NoTmux = 127,
    Cancelled = 130,
}

impl Exit {
    /// Returns the exit code of a call with several targets, of the codes of two of them. 7 comes before 4, since what was
    /// delivered must not be sent again.
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

    /// Every code with its meaning: the README's table and `--help` are made from it.
    pub const MEANINGS: [(Exit, &'static str); 11] = [
        (Exit::Done, "done"),
        (Exit::Failed, "failed"),
        (Exit::Usage, "usage: the words on the command line are off"),
        (
            Exit::Nothing,
            "nothing there: no such sesh or pane, nothing to select",
        ),
        (
            Exit::Unusable,
            "there, but not usable as asked: ambiguous, name taken, copy mode, ended",
        ),
        (
            Exit::Changed,
            "changed by somebody else between the look and the write",
        ),
        (Exit::TimedOut, "timed out"),
        (Exit::Unconfirmed, "delivered, but not confirmed"),
        (Exit::NoServer, "no tmux server"),
        (Exit::NoTmux, "no tmux, or one older than 3.2a"),
        (Exit::Cancelled, "cancelled"),
    ];

    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// What failed, where code has to tell. Everything else is for people: [`Error::what`] and [`Error::way_out`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorKind {
    #[default]
    Other,
    /// The server has no session (`exit-empty off`), so it has no pane and no client either.
    EmptyServer,
    /// A pane that was there when something was asked was gone when it was answered.
    NoSuchPane,
    /// A session of that name exists.
    DuplicateSession,
    /// A pane or window is too small to be split.
    NoRoom,
    /// The client on which a command acts is read-only.
    ReadOnly,
    /// A server took the call and hung up: it was at its end, or is of another version.
    HungUp,
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
    /// What stands between the failure and it.
    joint: &'static str,
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

    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what)
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    pub fn nothing(what: impl Into<String>) -> Self {
        Self::new(Exit::Nothing, what)
    }

    pub fn unusable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unusable, what)
    }

    /// The same as an error of a kind that code branches on.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same with advice on what to do, printed after a colon.
    #[must_use]
    pub fn with_way_out(self, text: impl Into<String>) -> Self {
        self.join(": ", text.into())
    }

    /// The same with advice on what to do, printed after a semicolon: where a colon stands before the reason already.
    #[must_use]
    pub fn with_way_out_after_why(self, text: impl Into<String>) -> Self {
        self.join("; ", text.into())
    }

    /// Returns the advice on what to do, where there is some.
    #[must_use]
    pub fn way_out(&self) -> Option<&str> {
        self.way_out.as_ref().map(|way_out| way_out.text.as_str())
    }

    fn join(mut self, joint: &'static str, text: String) -> Self {
        self.way_out = Some(WayOut { joint, text });
        self
    }
}

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes what a person is to know though nothing failed. Whoever prints says it in the end.
pub fn warn(sentence: impl Into<String>) {
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.push(sentence.into());
}

/// Takes what was noted.
#[must_use]
pub fn warnings() -> Vec<String> {
    std::mem::take(&mut WARNINGS.lock().unwrap_or_else(PoisonError::into_inner))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.way_out {
            Some(WayOut { joint, text }) => write!(f, "{joint}{text}"),
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
    fn one_sentence() {
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
    fn the_worst_of_several() {
        assert_eq!(Exit::Done.worst(Exit::Done), Exit::Done);
        assert_eq!(Exit::Unusable.worst(Exit::Unconfirmed), Exit::Unconfirmed);
        assert_eq!(Exit::Unconfirmed.worst(Exit::Nothing), Exit::Nothing);
        for (exit, _) in Exit::MEANINGS {
            assert_eq!(exit.worst(Exit::Done), exit);
            assert_eq!(Exit::Cancelled.worst(exit), Exit::Cancelled);
        }
    }
}
