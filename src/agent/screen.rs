//! The content of a pane's screen, with its styles: they distinguish a draft from a placeholder, and the preview shows
//! them.

use std::ops::Range;

use vte::{Params, Parser, Perform};

/// A screen as `capture-pane -p -e` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    rows: Vec<ScreenRow>,
    cursor: Option<ScreenCursor>,
}

/// The position of the terminal's cursor, from 0. Agents that hide it leave it where they draw their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenCursor {
    pub column: usize,
    pub row: usize,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScreenRow {
    text: String,
    /// Where each style begins, in bytes of the text.
    styles: Vec<(usize, Style)>,
}

/// How a character is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underlined: bool,
    pub reverse: bool,
    pub hidden: bool,
    pub struck: bool,
    /// Whether the character has a background colour.
    pub shaded: bool,
    pub colour: Colour,
    pub background: Colour,
}

/// The colour of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    #[default]
    Default,
    /// One of the terminal's 256 colours.
    Index(u8),
    Rgb(u8, u8, u8),
}

impl Screen {
    /// Parses text with escape sequences. Every text is accepted; sequences that set no style are ignored.
    #[must_use]
    pub fn parse(ansi: &str) -> Self {
        let mut reader = Reader::default();
        let mut parser = Parser::new();
        for line in ansi.strip_suffix('\n').unwrap_or(ansi).split('\n') {
            parser.advance(&mut reader, line.as_bytes());
            // A sequence that is not complete ends with its row.
            parser.advance(&mut reader, CANCEL);
            reader.rows.push(std::mem::take(&mut reader.row));
        }
        Self {
            rows: reader.rows,
            cursor: None,
        }
    }

    /// Returns the screen with the position of the cursor on it.
    #[must_use]
    pub fn with_cursor(mut self, cursor: Option<ScreenCursor>) -> Self {
        self.cursor = cursor;
        self
    }

    #[must_use]
    pub fn cursor(&self) -> Option<ScreenCursor> {
        self.cursor
    }

    #[must_use]
    pub fn rows(&self) -> &[ScreenRow] {
        &self.rows
    }

    /// Returns the rows as lines, without styles.
    #[must_use]
    pub fn text(&self) -> String {
        let rows: Vec<&str> = self.rows.iter().map(ScreenRow::text).collect();
        rows.join("\n")
    }
}

impl ScreenRow {
    /// Returns the text without blanks at its end.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim_end()
    }

    /// Returns the whole text, with the blanks at its end.
    #[must_use]
    pub fn whole(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text().is_empty()
    }

    /// Returns the style of the first character that is not blank.
    #[must_use]
    pub fn first_style(&self) -> Style {
        let mut characters = self.characters(0);
        let first = characters.find(|(c, _)| !c.is_whitespace());
        first.map_or_else(Style::default, |(_, style)| style)
    }

    /// Returns the characters from a byte offset on, each with its style.
    pub fn characters(&self, from: usize) -> impl Iterator<Item = (char, Style)> {
        let mut styles = self.styles.iter().peekable();
        let mut style = Style::default();
        self.text.char_indices().filter_map(move |(at, c)| {
            while let Some((_, next)) = styles.next_if(|(begins, _)| *begins <= at) {
                style = *next;
            }
            (at >= from).then_some((c, style))
        })
    }
}

impl ScreenCursor {
    /// Parses `column,row`, as tmux prints them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (column, row) = text.split_once(',')?;
        Some(Self {
            column: column.parse().ok()?,
            row: row.parse().ok()?,
        })
    }
}

impl Style {
    /// Returns whether the style is faint: dimmed, or in a grey between black and white.
    #[must_use]
    pub fn is_faint(self) -> bool {
        let grey = match self.colour {
            // The bright black of every palette.
            Colour::Index(8) => true,
            // The 24 greys, without those near black and near white.
            Colour::Index(index) if index >= 232 => (235..=251).contains(&index),
            // The cube of colours has six steps of each, which are 40 apart.
            Colour::Index(index) if index >= 16 => {
                let of = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
                let cube = index - 16;
                let colour = [of(cube / 36), of(cube / 6 % 6), of(cube % 6)];
                let (low, high) = (colour.iter().min(), colour.iter().max());
                let apart = high.zip(low).map_or(0, |(high, low)| high - low);
                apart <= 40 && high.is_some_and(|high| (48..=200).contains(high))
            }
            Colour::Default | Colour::Index(_) => false,
            Colour::Rgb(red, green, blue) => {
                let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
                high - low <= 24 && (48..=200).contains(&high)
            }
        };
        self.dim || grey
    }
}

/// Ends any sequence that the parser is reading.
const CANCEL: &[u8] = b"\x18";

/// Collects rows from the parser's events.
#[derive(Default)]
struct Reader {
    rows: Vec<ScreenRow>,
    row: ScreenRow,
    style: Style,
    /// Whether letters stand for line characters.
    line_drawing: bool,
}

/// The line characters that the letters from `j` on stand for, limited to those that are used to draw boxes.
const LINES: [char; 15] = [
    '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│',
];

/// Returns the line character that a letter stands for.
fn line_character(letter: char) -> char {
    let at = u32::from(letter).checked_sub(u32::from('j'));
    at.and_then(|at| LINES.get(at as usize))
        .copied()
        .unwrap_or(letter)
}

impl Perform for Reader {
    fn print(&mut self, c: char) {
        let last = self.row.styles.last().map(|(_, style)| *style);
        if last.unwrap_or_default() != self.style {
            self.row.styles.push((self.row.text.len(), self.style));
        }
        self.row.text.push(if self.line_drawing {
            line_character(c)
        } else {
            c
        });
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            // "Shift out" and "shift in".
            0x0e => self.line_drawing = true,
            0x0f => self.line_drawing = false,
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        if action == 'm' && intermediates.is_empty() {
            self.style = self.style.after(params);
        }
    }
}

impl Style {
    fn set_background(&mut self, background: Colour) {
        self.shaded = true;
        self.background = background;
    }

    /// Returns the style after a "select graphic rendition" sequence.
    fn after(mut self, params: &Params) -> Self {
        let mut numbers = params.iter();
        while let Some(group) = numbers.next() {
            match group {
                [] | [0] => self = Self::default(),
                [1] => self.bold = true,
                [2] => self.dim = true,
                [3] => self.italic = true,
                [4, 0] | [24] => self.underlined = false,
                [4, ..] => self.underlined = true,
                [7] => self.reverse = true,
                [8] => self.hidden = true,
                [9] => self.struck = true,
                [22] => (self.bold, self.dim) = (false, false),
                [23] => self.italic = false,
                [27] => self.reverse = false,
                [28] => self.hidden = false,
                [29] => self.struck = false,
                [39] => self.colour = Colour::Default,
                [n @ 30..=37] => self.colour = Colour::Index(saturated(*n - 30)),
                [n @ 90..=97] => self.colour = Colour::Index(saturated(*n - 82)),
                [38, rest @ ..] if !rest.is_empty() => {
                    self.colour = colour(rest.iter().copied()).unwrap_or(self.colour);
                }
                // The older form, whose parts are separate parameters.
                [38] => {
                    let parts = numbers.by_ref().map(|group| group.first().copied());
                    self.colour =
                        colour(parts.map(Option::unwrap_or_default)).unwrap_or(self.colour);
                }
                [n @ 40..=47] => self.set_background(Colour::Index(saturated(*n - 40))),
                [n @ 100..=107] => self.set_background(Colour::Index(saturated(*n - 92))),
                [49] => (self.shaded, self.background) = (false, Colour::Default),
                [48, rest @ ..] if !rest.is_empty() => {
                    self.set_background(colour(rest.iter().copied()).unwrap_or(self.background));
                }
                [48] => {
                    let parts = numbers.by_ref().map(|group| group.first().copied());
                    let parts = parts.map(Option::unwrap_or_default);
                    self.set_background(colour(parts).unwrap_or(self.background));
                }
                _ => {}
            }
        }
        self
    }
}

/// Parses the colour `5;N` or `2;R;G;B`. The colon form has an empty part for a colour space.
fn colour(mut parts: impl Iterator<Item = u16>) -> Option<Colour> {
    match parts.next()? {
        5 => parts.next().map(|index| Colour::Index(saturated(index))),
        2 => {
            let mut next = || parts.next().map(saturated);
            Some(Colour::Rgb(next()?, next()?, next()?))
        }
        _ => None,
    }
}

fn saturated(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The position of a composer on a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposerArea {
    /// Its rows, with its frame.
    pub rows: Range<usize>,
    /// The rows that hold typed text.
    pub text: Range<usize>,
    /// The width of the typed text in columns. What is beside a frame is not typed.
    pub width: usize,
}
