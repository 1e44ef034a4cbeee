//! What stands on a pane's screen, with its styles: they tell a draft from a placeholder, and a person what is what.

use std::ops::Range;

use vte::{Params, Parser, Perform};

/// A screen as `capture-pane -p -e` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    rows: Vec<ScreenRow>,
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
    /// On a background of its own.
    pub shaded: bool,
    pub colour: Colour,
    pub background: Colour,
}

/// The colour of a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    #[default]
    Default,
    /// One of the terminal's 256.
    Index(u8),
    Rgb(u8, u8, u8),
}

impl Screen {
    /// Reads text with escape sequences. Nothing is refused: what is no style is left out.
    #[must_use]
    pub fn parse(ansi: &str) -> Self {
        let mut reader = Reader::default();
        let mut parser = Parser::new();
        for line in ansi.strip_suffix('\n').unwrap_or(ansi).split('\n') {
            parser.advance(&mut reader, line.as_bytes());
            // A sequence that is left open ends with its row.
            parser.advance(&mut reader, CANCEL);
            reader.rows.push(std::mem::take(&mut reader.row));
        }
        Self { rows: reader.rows }
    }

    #[must_use]
    pub fn rows(&self) -> &[ScreenRow] {
        &self.rows
    }

    /// The rows as lines, without style.
    #[must_use]
    pub fn text(&self) -> String {
        let rows: Vec<&str> = self.rows.iter().map(ScreenRow::text).collect();
        rows.join("\n")
    }
}

impl ScreenRow {
    /// The text without blanks at its end.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim_end()
    }

    /// Everything, blanks at the end too.
    #[must_use]
    pub fn whole(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text().is_empty()
    }

    /// Its characters from a byte on, each with its style.
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

impl Style {
    /// Drawn as what is not to be noticed: dimmed, or in a grey between black and white.
    #[must_use]
    pub fn is_faint(self) -> bool {
        let grey = match self.colour {
            Colour::Default => false,
            // The bright black of every palette.
            Colour::Index(8) => true,
            // The 24 greys, without those near black and near white.
            Colour::Index(index) => (235..=251).contains(&index),
            Colour::Rgb(red, green, blue) => {
                let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
                high - low <= 24 && (48..=200).contains(&high)
            }
        };
        self.dim || grey
    }
}

/// Ends whatever sequence is being read.
const CANCEL: &[u8] = b"\x18";

/// Collects rows from the parser's events.
#[derive(Default)]
struct Reader {
    rows: Vec<ScreenRow>,
    row: ScreenRow,
    style: Style,
    /// Letters stand for lines.
    draws: bool,
}

/// The lines that letters from `j` on stand for, where they do: those that people draw boxes with.
const LINES: [char; 15] = [
    '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│',
];

/// What a letter stands for among lines.
fn line(letter: char) -> char {
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
        self.row.text.push(if self.draws { line(c) } else { c });
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            // "Shift out" and "shift in".
            0x0e => self.draws = true,
            0x0f => self.draws = false,
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
    fn lies_on(&mut self, background: Colour) {
        self.shaded = true;
        self.background = background;
    }

    /// The style after a "select graphic rendition".
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
                [n @ 30..=37] => self.colour = Colour::Index(low(*n - 30)),
                [n @ 90..=97] => self.colour = Colour::Index(low(*n - 82)),
                [38, rest @ ..] if !rest.is_empty() => {
                    self.colour = colour(rest.iter().copied()).unwrap_or(self.colour);
                }
                // The older form, whose parts are parameters of their own.
                [38] => {
                    let parts = numbers.by_ref().map(|group| group.first().copied());
                    self.colour =
                        colour(parts.map(Option::unwrap_or_default)).unwrap_or(self.colour);
                }
                [n @ 40..=47] => self.lies_on(Colour::Index(low(*n - 40))),
                [n @ 100..=107] => self.lies_on(Colour::Index(low(*n - 92))),
                [49] => (self.shaded, self.background) = (false, Colour::Default),
                [48, rest @ ..] if !rest.is_empty() => {
                    self.lies_on(colour(rest.iter().copied()).unwrap_or(self.background));
                }
                [48] => {
                    let parts = numbers.by_ref().map(|group| group.first().copied());
                    let parts = parts.map(Option::unwrap_or_default);
                    self.lies_on(colour(parts).unwrap_or(self.background));
                }
                _ => {}
            }
        }
        self
    }
}

/// The colour that `5;N` or `2;R;G;B` names; the colon form has an empty place for a colour space.
fn colour(mut parts: impl Iterator<Item = u16>) -> Option<Colour> {
    match parts.next()? {
        5 => parts.next().map(|index| Colour::Index(low(index))),
        2 => {
            let mut next = || parts.next().map(low);
            Some(Colour::Rgb(next()?, next()?, next()?))
        }
        _ => None,
    }
}

fn low(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// Where a composer is on a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposerArea {
    /// Its rows, with its frame.
    pub rows: Range<usize>,
    /// Those of them that hold what is typed.
    pub text: Range<usize>,
    /// Where they end on the right: what is beside a frame is not typed.
    pub width: usize,
}
