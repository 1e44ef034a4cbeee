//! The terminal that the picker draws on: `/dev/tty`, whatever stdin and stdout are. It is given back as it was, also when
//! this program breaks.

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

/// A screen to draw on, until it is dropped.
pub(super) struct Canvas(Terminal<CrosstermBackend<BufWriter<File>>>);

impl Canvas {
    /// Takes the terminal.
    ///
    /// # Errors
    /// [`Exit::Unusable`](crate::error::Exit::Unusable) where there is none.
    pub(super) fn open() -> Result<Self> {
        static HOOK: Once = Once::new();
        let mut terminal = tty().map_err(unusable)?;
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
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
            give_back();
            unusable(error)
        })
    }

    /// Draws.
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
        give_back();
    }
}

fn unusable(error: std::io::Error) -> Error {
    Error::unusable(format!("there is no terminal to choose on ({error})"))
        .with_way_out("name a TARGET, or with --pick --select UUID")
}

/// The terminal, for another program to draw on: also where its output goes elsewhere.
///
/// # Errors
/// As [`Screen::open`].
pub(super) fn lend() -> Result<File> {
    tty().map_err(unusable)
}

fn tty() -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// One that is gone needs nothing back.
fn give_back() {
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
