//! What can go wrong, as a sentence for the person and an exit code for the script.

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

/// One sentence, the way out included, and the exit code that goes with it.
#[derive(Clone, Debug)]
pub struct Error {
    pub exit: Exit,
    pub sentence: String,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self {
            exit,
            sentence: sentence.into(),
        }
    }

    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Failed, sentence)
    }

    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    pub fn nothing(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Nothing, sentence)
    }

    pub fn unusable(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Unusable, sentence)
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
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

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
