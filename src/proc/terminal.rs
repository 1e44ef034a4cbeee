//! The modes of a terminal. They show how the program in front of it reads what is typed.

use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::termios::{InputFlags, LocalFlags, tcgetattr};

/// The modes of a terminal at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// The terminal edits a line and passes it on at its end (canonical mode).
    pub canonical: bool,
    /// The terminal shows what is typed.
    pub echo: bool,
    /// The terminal turns a carriage return into a line feed.
    pub maps_return: bool,
}

/// Reads the modes of a terminal, which is given by its file. Returns `None` if this process may not open it.
#[must_use]
pub fn modes(file: &Path) -> Option<Modes> {
    // The terminal must not become that of this process, and opening it must not wait.
    let flags = OFlag::O_RDONLY | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let terminal = open(file, flags, Mode::empty()).ok()?;
    let modes = tcgetattr(&terminal).ok()?;
    Some(Modes {
        canonical: modes.local_flags.contains(LocalFlags::ICANON),
        echo: modes.local_flags.contains(LocalFlags::ECHO),
        maps_return: modes.input_flags.contains(InputFlags::ICRNL),
    })
}
