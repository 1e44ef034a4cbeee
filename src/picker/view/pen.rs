//! Writing in one line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::out::{cut, harmless};

/// A pen that writes from left to right in one line, and not over its end.
pub(super) struct Pen<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) end: u16,
}

impl<'a> Pen<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, line: Rect) -> Self {
        // What is outside of the screen cannot be written to.
        let line = line.intersection(buffer.area);
        Self {
            buffer,
            x: line.x,
            y: line.y,
            end: if line.height == 0 {
                line.x
            } else {
                line.right()
            },
        }
    }

    pub(super) fn left(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    pub(super) fn write(&mut self, text: &str, style: Style) {
        let text = harmless(text);
        let text = cut(&text, self.left());
        if self.x < self.end {
            let (x, _) = self
                .buffer
                .set_stringn(self.x, self.y, text, self.left(), style);
            self.x = x;
        }
    }

    pub(super) fn skip(&mut self, cells: usize) {
        let cells = u16::try_from(cells).unwrap_or(u16::MAX);
        self.x = self.x.saturating_add(cells).min(self.end);
    }

    /// A column: as wide as it is, whatever the text is, and two cells of air.
    pub(super) fn column(&mut self, text: &str, width: usize, style: Style) {
        let start = self.x;
        if width > 0 {
            let cells = width.min(self.left());
            let text = cut(&harmless(text), cells);
            self.write(&text, style);
            self.x = start;
            self.skip(width + 2);
        }
    }
}
