//! A pen that writes in one line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::out::{cut, escaped};

/// Writes from left to right in one line, and never past its end.
pub(super) struct Pen<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) end: u16,
}

impl<'a> Pen<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, line: Rect) -> Self {
        // Cells outside of the screen cannot be written.
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
        let text = escaped(text);
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

    /// Writes a column of `width` cells, whatever the width of the text, and two blank cells behind it.
    pub(super) fn column(&mut self, text: &str, width: usize, style: Style) {
        let start = self.x;
        if width > 0 {
            let cells = width.min(self.left());
            let text = cut(&escaped(text), cells);
            self.write(&text, style);
            self.x = start;
            self.skip(width + 2);
        }
    }
}
