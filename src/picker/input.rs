//! A line of text that is edited.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthStr;

/// A text with a cursor.
#[derive(Clone, Debug, Default)]
pub(super) struct TextInput {
    text: String,
    /// The position of the cursor, in bytes.
    at: usize,
}

impl TextInput {
    /// Makes an input from a text, with the cursor behind it.
    #[must_use]
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.into(),
            at: text.len(),
        }
    }

    #[must_use]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the text that is shown and the cell of the cursor in it. Characters before the cursor are left out until
    /// the cursor is within `width` cells. A newline is shown as `⏎`.
    #[must_use]
    pub(super) fn seen(&self, width: usize) -> (String, usize) {
        let (before, behind) = self.text.split_at(self.at);
        let [mut before, behind] = [before, behind].map(|part| part.replace('\n', "⏎"));
        while before.width() >= width.max(1) {
            before.remove(0);
        }
        let at = before.width();
        (before + &behind, at)
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.at, text);
        self.at += text.len();
    }

    fn before(&self) -> usize {
        let last = self.text[..self.at].chars().next_back();
        self.at - last.map_or(0, char::len_utf8)
    }

    fn behind(&self) -> usize {
        let next = self.text[self.at..].chars().next();
        self.at + next.map_or(0, char::len_utf8)
    }

    fn take(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.at = from;
    }

    /// Applies a key. Returns whether it changed the text.
    pub(super) fn key(&mut self, key: &KeyEvent) -> bool {
        let length = self.text.len();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match (key.code, control) {
            (KeyCode::Char('u'), true) => self.take(0, self.at),
            (KeyCode::Char('w'), true) => {
                let kept = self.text[..self.at].trim_end();
                let from = kept.rfind(' ').map_or(0, |at| at + 1);
                self.take(from, self.at);
            }
            (KeyCode::Char('h'), true) | (KeyCode::Backspace, _) => {
                self.take(self.before(), self.at);
            }
            (KeyCode::Char(c), false) if !alt => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Delete, _) => self.take(self.at, self.behind()),
            (KeyCode::Left, _) => self.at = self.before(),
            (KeyCode::Right, _) => self.at = self.behind(),
            (KeyCode::Home, _) => self.at = 0,
            (KeyCode::End, _) => self.at = length,
            _ => {}
        }
        self.text.len() != length
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn control(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    /// tui-input, for one, removes the whole line with ^U and less than a word of a filter with ^W, and needs seconds for a
    /// paste of 10 kB.
    #[test]
    fn keys_edit_as_in_a_shell() {
        let mut input = TextInput::of("one two");
        for _ in 0..3 {
            input.key(&KeyEvent::from(KeyCode::Left));
        }
        input.key(&control('u'));
        assert_eq!(input.text(), "two");
        let mut input = TextInput::of("x tag:a-b");
        input.key(&control('w'));
        assert_eq!(input.text(), "x ");
        input.insert(&"🦀".repeat(2_500));
        assert_eq!(input.text().len(), 10_002);
    }

    #[test]
    fn a_line_is_edited() {
        let mut input = TextInput::of("grün 日本");
        assert_eq!(input.seen(80), ("grün 日本".into(), 9));
        assert_eq!(input.seen(4), ("本".into(), 2));
        assert_eq!(TextInput::of("a\nb").seen(80), ("a⏎b".into(), 3));
        assert!(input.key(&KeyEvent::from(KeyCode::Backspace)));
        input.key(&KeyEvent::from(KeyCode::Left));
        assert!(input.key(&KeyEvent::from(KeyCode::Char('x'))));
        assert_eq!(input.text(), "grün x日");
        input.key(&KeyEvent::from(KeyCode::End));
        assert!(input.key(&control('w')));
        assert_eq!(input.text(), "grün ");
        assert!(input.key(&control('u')));
        assert!(input.is_empty() && !input.key(&KeyEvent::from(KeyCode::Backspace)));
        assert!(!input.key(&control('g')));
    }
}
