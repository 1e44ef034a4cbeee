//! All that panes have printed and still have.

use super::capture::{behind, printed};
use crate::id::PaneId;
use crate::tmux::{Batch, Frame, command};

/// What one pane has printed.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    text: &'a str,
    /// It is the screen of a full-screen program alone.
    pub alternate: bool,
    /// Its beginning may be missing: the history is full, or was.
    pub truncated: bool,
}

/// The question that [`Output::read`] reads the answer of. `alternate`: a full-screen program is known to show its screen.
#[must_use]
pub fn question(frame: &Frame, pane: PaneId, alternate: bool) -> Batch {
    let (target, number) = (pane.to_string(), pane.0.to_string());
    let mark = [
        number.as_str(),
        if alternate { "1" } else { "0" },
        "#{alternate_on}",
        "#{history_size}",
        "#{pane_height}",
        "#{history_limit}",
    ];
    let from = if alternate { "0" } else { "-" };
    Batch::from(command::print(Some(&target), &frame.format(mark)))
        .then(command::capture_pane(&target, from, false, true))
}

impl<'a> Output<'a> {
    /// Reads a section of the answer: a mark, and the text behind it. `None` of any other.
    #[must_use]
    pub fn read(mark: &[&str], text: &'a str) -> Option<(PaneId, Self)> {
        let [pane, foreseen, alternate, history, height, limit] = mark else {
            return None;
        };
        let number = |text: &str| text.parse().unwrap_or(0);
        let output = Self {
            text,
            alternate: *alternate == "1",
            truncated: foreseen != alternate
                || may_be_trimmed(number(history), number(height), number(limit)),
        };
        Some((PaneId(pane.parse().ok()?), output))
    }

    /// Its lines, joined, up to the last that holds text. What the pane of an ended sesh says about itself is none.
    #[must_use]
    pub fn lines(&self, ended: bool) -> Vec<String> {
        lines(self.text, ended && !self.alternate)
    }
}

/// The same of a text that was kept.
#[must_use]
pub fn lines(text: &str, ended: bool) -> Vec<String> {
    behind(&printed(text, ended), 0, false, true)
}

/// Whether a history may have lost its oldest lines: when it is full a tenth of it goes at a time.
pub(super) fn may_be_trimmed(history: u32, height: u32, limit: u32) -> bool {
    (history > 0 || limit == 0) && history.saturating_add(height) >= limit - limit / 10
}
