//! The terminal that the picker draws on: `/dev/tty`, whatever stdin and stdout are. It is restored at the end, also
//! after a panic.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::sync::Once;

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::error::{Error, Result};

/// A screen to draw on. Dropping it restores the terminal.
pub(super) struct Canvas(Terminal<CrosstermBackend<BufWriter<File>>>);

impl Canvas {
    /// Opens the terminal, in raw mode and on its alternate screen.
    ///
    /// # Errors
    /// [`Exit::Unusable`](crate::error::Exit::Unusable) where there is none.
    pub(super) fn open() -> Result<Self> {
        static HOOK: Once = Once::new();
        let mut terminal = tty().map_err(unusable)?;
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                before(panic);
            }));
        });
        enable_raw_mode().map_err(unusable)?;
        let taken = execute!(
            terminal,
            EnterAlternateScreen,
            EnableMouseCapture,
            EnableBracketedPaste
        );
        let drawn = Terminal::new(CrosstermBackend::new(BufWriter::new(terminal)));
        taken.and(drawn).map(Self).map_err(|error| {
            restore();
            unusable(error)
        })
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// [`Exit::Unusable`](crate::error::Exit::Unusable) when the terminal is gone.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> Result<()> {
        self.0
            .draw(draw)
            .map(drop)
            .map_err(|error| Error::unusable(format!("the terminal is gone: {error}")))
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        restore();
    }
}

fn unusable(error: std::io::Error) -> Error {
    Error::unusable(format!("no terminal for the picker ({error})"))
        .with_way_out("give a TARGET, or use --pick --select UUID")
}

/// Opens the terminal for another program to draw on, also where stdout is something else.
///
/// # Errors
/// As [`Canvas::open`].
pub(super) fn open_for_child() -> Result<File> {
    tty().map_err(unusable)
}

fn tty() -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Restores the terminal. Errors are ignored: a terminal that is gone needs nothing.
fn restore() {
    if let Ok(mut terminal) = tty() {
        let _ = execute!(
            terminal,
            DisableBracketedPaste,
            DisableMouseCapture,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = terminal.flush();
    }
    let _ = disable_raw_mode();
}
