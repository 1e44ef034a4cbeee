//! The position of the composer on a screen, from what a manifest describes of its prompt and frame.

use unicode_width::UnicodeWidthStr;

use super::manifest::ComposerForm;
use super::screen::{Colour, ComposerArea, Screen, ScreenCursor, ScreenRow};

/// Finds the composer: the area that contains the cursor, else the lowest one, of those that look like a composer.
#[must_use]
pub fn locate(input: &ComposerForm, screen: &Screen) -> Option<ComposerArea> {
    let rows = screen.rows();
    let last = rows.iter().rposition(|row| !row.is_blank())?;
    let cursor = screen.cursor();
    let found = match (&input.below, &input.edge, &input.above) {
        (Some(below), Some(edge), _) => edged(input, rows, last, below, edge),
        (Some(below), None, _) => framed(input, rows, last, below, cursor),
        (None, _, above) => unframed(input, &rows[..=last], above.as_deref()),
    };
    let found = found.or_else(|| plain(input, &rows[..=last], cursor?))?;
    let footer = rows[found.rows.end..=last.max(found.rows.end - 1)].iter();
    let footer = footer.filter(|row| !row.is_blank()).count();
    let fits = input.footer.is_none_or(|most| footer <= most);
    let below = if input.below.is_some() {
        found.rows.end
    } else {
        found.rows.start + 1
    };
    let indented_below = input.indented != Some(true) || rows[below..].iter().all(is_indented);
    (fits && indented_below).then_some(found)
}

fn is_indented(row: &ScreenRow) -> bool {
    row.is_blank() || row.whole().starts_with(' ')
}

/// Returns how far a row is indented, in bytes. A box in the middle of the screen has its prompt in it.
fn indent(row: &ScreenRow) -> usize {
    row.whole().len() - row.whole().trim_start().len()
}

/// Finds a composer whose rows begin with `edge` and that ends with a row of `below`.
fn edged(
    input: &ComposerForm,
    rows: &[ScreenRow],
    last: usize,
    below: &str,
    edge: &str,
) -> Option<ComposerArea> {
    let is_below = |row: &ScreenRow| DrawnLine::of(row, below).is_some();
    let end = rows[..=last].iter().rposition(is_below)?;
    let inside = |row: &ScreenRow| {
        let text = row.text().trim_start();
        // The rows of a menu over the composer also have an edge on the right.
        text.starts_with(edge) && !(text.len() > edge.len() && text.ends_with(edge))
    };
    let first = rows[..end].iter().rposition(|row| !inside(row));
    let first = first.map_or(0, |at| at + 1);
    let text = first..end.saturating_sub(input.trailer.unwrap_or(0));
    if text.is_empty() || !begins_with_prompt_at(input, &rows[text.start], indent(&rows[end])) {
        return None;
    }
    let width = rows[end].text().width();
    Some(ComposerArea {
        rows: first..end + 1,
        text,
        width: width.saturating_sub(width_of_side(input)),
    })
}

/// Returns how many columns the frame takes at the right end of each row.
fn width_of_side(input: &ComposerForm) -> usize {
    input.sides.as_deref().map_or(0, UnicodeWidthStr::width)
}

/// Finds a composer between two lines that belong together. A line without such a counterpart belongs to something else:
/// to a text, or to a status line of the person's own.
fn framed(
    input: &ComposerForm,
    rows: &[ScreenRow],
    last: usize,
    below: &str,
    cursor: Option<ScreenCursor>,
) -> Option<ComposerArea> {
    let above = input.above.as_deref().unwrap_or(below);
    let widest = rows.iter().map(|row| row.text().width()).max().unwrap_or(0);
    let lines = (0..=last)
        .rev()
        .filter_map(|at| Some((at, DrawnLine::of(&rows[at], below)?)));
    // Above another line only one that is as wide as the screen counts: a composer that is quoted in a text is narrower.
    let lines = lines
        .enumerate()
        .filter(|(nth, (_, line))| *nth == 0 || (line.begin <= 1 && line.end + 1 >= widest))
        .map(|(_, line)| line);
    let frames = lines.filter_map(|(end, line)| {
        let belongs = |row| DrawnLine::of(row, above).is_some_and(|it| it.belongs_to(&line));
        let top = rows[..end].iter().rposition(belongs)?;
        Some(area(input, rows, top, end))
    });
    let mut lowest = None;
    for found in frames {
        let has_cursor =
            |found: &ComposerArea| cursor.is_some_and(|cursor| found.rows.contains(&cursor.row));
        if found.as_ref().is_some_and(has_cursor) {
            return found;
        }
        lowest.get_or_insert(found);
    }
    lowest
        .flatten()
        .or_else(|| cut(input, rows, below, cursor?))
}

/// Returns the area between two lines, if it is a composer.
fn area(input: &ComposerForm, rows: &[ScreenRow], top: usize, end: usize) -> Option<ComposerArea> {
    let text = top + 1..end.saturating_sub(input.trailer.unwrap_or(0));
    let first = rows[..text.end].get(text.start)?;
    // A composer that has scrolled names the number of rows that it does not show.
    let label = rows[top].text();
    let scrolled = label.contains('↑') && label.contains(|c: char| c.is_ascii_digit());
    let continues = scrolled && rows[text.clone()].iter().all(is_indented);
    let width = rows[end].text().width().max(label.width());
    (continues || begins_with_prompt_at(input, first, indent(&rows[end]))).then(|| ComposerArea {
        rows: top..end + 1,
        width: width.saturating_sub(width_of_side(input)),
        text,
    })
}

/// Finds a composer that is taller than the screen, so that its first line is above it: the cursor is at the end of its
/// text, right above its last line, and every row above is one of its own.
fn cut(
    input: &ComposerForm,
    rows: &[ScreenRow],
    below: &str,
    cursor: ScreenCursor,
) -> Option<ComposerArea> {
    let end = cursor.row + 1;
    let own = rows.get(..end).filter(|_| input.prompts.is_some())?;
    let is_line = |row: &ScreenRow| DrawnLine::of(row, below).is_some_and(|line| line.begin == 0);
    let has_text = own.iter().filter(|row| !row.is_blank()).count() > 1;
    let is_cut = rows.get(end).is_some_and(is_line) && own.iter().all(is_indented);
    (is_cut && has_text).then(|| ComposerArea {
        rows: 0..end + 1,
        text: 0..end,
        width: rows[end].text().width(),
    })
}

/// Finds a composer without a frame at the end of the screen, as it is drawn for a screen reader. The rows of a draft
/// begin in the first column, so one of them can look like an empty composer. Behind the prompt of a draft there is a
/// blank that does not break.
fn plain(input: &ComposerForm, rows: &[ScreenRow], cursor: ScreenCursor) -> Option<ComposerArea> {
    let prompts = input.plain.as_ref()?;
    let is = |row: &ScreenRow, end: &str| {
        let begin = prompts
            .iter()
            .find_map(|prompt| row.whole().strip_prefix(prompt.as_str()));
        begin.is_some_and(|rest| {
            rest.trim_end_matches(' ') == end || (!end.is_empty() && rest.starts_with(end))
        })
    };
    let draft = rows.iter().rposition(|row| is(row, "\u{a0}"));
    let empty = rows.len() - 1;
    let first = draft.or_else(|| is(&rows[empty], "").then_some(empty))?;
    (first..rows.len())
        .contains(&cursor.row)
        .then_some(ComposerArea {
            rows: first..rows.len(),
            text: first..rows.len(),
            width: usize::MAX,
        })
}

/// Finds a composer that ends with its footer or with the screen.
fn unframed(input: &ComposerForm, rows: &[ScreenRow], above: Option<&str>) -> Option<ComposerArea> {
    let first = match above {
        Some(above) => {
            let is_above = |row: &ScreenRow| DrawnLine::of(row, above).is_some();
            rows.iter().rposition(is_above)? + 1
        }
        None => rows
            .iter()
            .rposition(|row| begins_with_prompt(input, row))?,
    };
    let rest = &rows[first..];
    let end = if input.repeated == Some(true) {
        // Every typed row has a prompt. A menu below them is drawn on a background.
        let typed = rest
            .iter()
            .take_while(|row| begins_with_prompt(input, row))
            .count();
        let shaded = |row: &ScreenRow| row.characters(0).next().is_some_and(|(_, it)| it.shaded);
        rest[typed..].iter().all(shaded).then_some(first + typed)?
    } else {
        // The rows after the last blank row are the footer.
        match rest.iter().rposition(ScreenRow::is_blank) {
            Some(blank) => first + blank,
            None if is_choice(input, &rest[0]) => return None,
            None => rows.len(),
        }
    };
    let is_composer = end > first && begins_with_prompt(input, &rows[first]);
    is_composer.then_some(ComposerArea {
        rows: first..end,
        text: first..end,
        width: usize::MAX,
    })
}

/// Returns whether a row is the selected one of numbered choices. In a low pane nothing separates them from what is
/// below.
fn is_choice(input: &ComposerForm, row: &ScreenRow) -> bool {
    let mut prompts = input.prompts.iter().flatten();
    let text = prompts.find_map(|prompt| end_of_prefix(row, prompt));
    let text = text.map_or("", |at| row.whole()[at..].trim_start());
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    number.len() < text.len() && number.starts_with(". ")
}

/// Returns whether a row begins with a prompt.
fn begins_with_prompt(input: &ComposerForm, row: &ScreenRow) -> bool {
    begins_with_prompt_at(input, row, 0)
}

/// Returns whether a row begins with a prompt behind an indent of this many bytes.
fn begins_with_prompt_at(input: &ComposerForm, row: &ScreenRow, indent: usize) -> bool {
    let Some(prompts) = &input.prompts else {
        return true;
    };
    // Without a frame a row of a draft can begin with a prompt too, and only its indentation tells the two apart.
    let is_margin_text = input.below.is_none() && input.indented == Some(true);
    let margin = if is_margin_text { 0 } else { MARGIN };
    let is_near = |prompt: &String, at| at <= indent + prompt.len() + margin;
    prompts
        .iter()
        .any(|prompt| end_of_prefix(row, prompt).is_some_and(|at| is_near(prompt, at)))
}

/// How far from the left, or from the frame's begin, a prompt can be, in bytes.
const MARGIN: usize = 2;

/// Returns the byte offset after a prefix at the start of a row, if a blank or nothing follows it.
pub(super) fn end_of_prefix(row: &ScreenRow, prefix: &str) -> Option<usize> {
    let blanks = row.whole().len() - row.whole().trim_start().len();
    let rest = row.whole()[blanks..].strip_prefix(prefix)?;
    let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
    apart.then_some(blanks + prefix.len())
}

/// A row that is a line. It may have corners, and it may contain a word: a long one if the line begins before it and ends
/// behind it.
struct DrawnLine {
    /// Its first column.
    begin: usize,
    /// The column after its last one.
    end: usize,
    colour: Colour,
}

impl DrawnLine {
    /// Returns the line that a row is, if it is drawn with these characters.
    fn of(row: &ScreenRow, drawn: &str) -> Option<Self> {
        const CORNERS: &str = "╭╮╰╯┌┐└┘";
        let text = row.text().trim_start();
        let is_drawn = |c: &char| drawn.contains(*c);
        // The other corners are those of the other end of a frame, or of another one.
        let is_other_corner = |c: char| CORNERS.contains(c) && !drawn.contains(c);
        if drawn.contains(|c| CORNERS.contains(c)) && text.starts_with(is_other_corner) {
            return None;
        }
        let begins = text.chars().take(2).any(|c| is_drawn(&c));
        let mut around = text.chars().take(2).chain(text.chars().rev().take(2));
        let (count, all) = (text.chars().filter(is_drawn).count(), text.chars().count());
        (begins && count >= 10 && (count * 2 > all || around.all(|c| is_drawn(&c)))).then(|| {
            let end = row.text().width();
            Self {
                begin: end - text.width(),
                end,
                colour: row.first_style().colour,
            }
        })
    }

    /// Returns whether two lines frame one composer: they have one colour and the same ends. Where tmux and an agent
    /// disagree on the width of characters, a part of a line is missing; then its colour is a better sign than its ends.
    fn belongs_to(&self, other: &Self) -> bool {
        const DISPLACED: usize = 2;
        let begins = self.begin.abs_diff(other.begin) <= DISPLACED;
        let ends = self.end.abs_diff(other.end) <= DISPLACED;
        let (one, two) = (self.end - self.begin, other.end - other.begin);
        let is_cut = self.colour != Colour::Default && one.min(two) * 4 >= one.max(two) * 3;
        self.colour == other.colour && (begins && ends || is_cut && (begins || ends))
    }
}
