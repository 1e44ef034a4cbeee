//! All that panes have printed and that tmux still has.

use super::capture::{lines_from, printed};
use crate::id::PaneId;
use crate::tmux::{Batch, Frame, command};

/// What one pane has printed.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    text: &'a str,
    /// The text is only the screen of a full-screen program.
    pub alternate: bool,
    /// The beginning may be missing: the history is or was full, or the screen is another one than was asked for.
    pub truncated: bool,
}

/// Returns the question whose answer [`Output::read`] parses. `alternate`: a full-screen program is known to show its
/// alternate screen.
#[must_use]
pub fn question(frame: &Frame, pane: PaneId, alternate: bool) -> Batch {
    let (target, number) = (pane.to_string(), pane.0.to_string());
    let header = [
        number.as_str(),
        if alternate { "1" } else { "0" },
        "#{alternate_on}",
        "#{history_size}",
        "#{pane_height}",
        "#{history_limit}",
    ];
    let from = if alternate { "0" } else { "-" };
    Batch::from(command::print(Some(&target), &frame.format(header)))
        .then(command::capture_pane(&target, from, false, true))
}

impl<'a> Output<'a> {
    /// Parses a section of the answer: a header and the text after it. Returns `None` for any other section.
    #[must_use]
    pub fn read(header: &[&str], text: &'a str) -> Option<(PaneId, Self)> {
        let [pane, expected, alternate, history, height, limit] = header else {
            return None;
        };
        let number = |text: &str| text.parse().unwrap_or(0);
        let output = Self {
            text,
            alternate: *alternate == "1",
            truncated: expected != alternate
                || may_be_trimmed(number(history), number(height), number(limit)),
        };
        Some((PaneId(pane.parse().ok()?), output))
    }

    /// Returns its lines, joined where tmux wrapped them, up to the last that holds text. `ended`: the line that
    /// sesh-run prints in the pane of an exited sesh is left out.
    #[must_use]
    pub fn lines(&self, ended: bool) -> Vec<String> {
        lines(self.text, ended && !self.alternate)
    }
}

/// Returns the same lines of a text that was saved.
#[must_use]
pub fn lines(text: &str, ended: bool) -> Vec<String> {
    lines_from(&printed(text, ended), 0, false, true)
}

/// Returns whether a history may have lost its oldest lines. tmux drops a tenth of a full history at a time.
pub(super) fn may_be_trimmed(history: u32, height: u32, limit: u32) -> bool {
    (history > 0 || limit == 0) && history.saturating_add(height) >= limit - limit / 10
}
