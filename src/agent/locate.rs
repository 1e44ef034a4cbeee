//! The position of the composer on a screen, from what a manifest describes of its prompt and frame.

use unicode_width::UnicodeWidthStr;

use super::manifest::ComposerForm;
use super::screen::{ComposerArea, Screen, ScreenRow};

/// Finds the composer: the lowest area of the screen that looks like one.
#[must_use]
pub fn locate(input: &ComposerForm, screen: &Screen) -> Option<ComposerArea> {
    let rows = screen.rows();
    let last = rows.iter().rposition(|row| !row.is_blank())?;
    let found = match (&input.below, &input.above) {
        (Some(below), _) => framed(input, rows, last, below),
        (None, above) => unframed(input, &rows[..=last], above.as_deref()),
    }?;
    let footer = rows[found.rows.end..=last.max(found.rows.end - 1)].iter();
    let footer = footer.filter(|row| !row.is_blank()).count();
    let fits = input.footer.is_none_or(|most| footer <= most);
    let indented = |row: &ScreenRow| row.is_blank() || row.whole().starts_with(' ');
    let below = if input.below.is_some() {
        found.rows.end
    } else {
        found.rows.start + 1
    };
    let indented_below = input.indented != Some(true) || rows[below..].iter().all(indented);
    (fits && indented_below).then_some(found)
}

/// Finds a composer that ends with a row of `below`.
fn framed(
    input: &ComposerForm,
    rows: &[ScreenRow],
    last: usize,
    below: &str,
) -> Option<ComposerArea> {
    let end = rows[..=last]
        .iter()
        .rposition(|row| is_border(row, below))?;
    let (top, first) = if let Some(edge) = &input.edge {
        let inside = |row: &ScreenRow| {
            let text = row.text().trim_start();
            // The rows of a menu over the composer also have an edge on the right.
            text.starts_with(edge) && !(text.len() > edge.len() && text.ends_with(edge))
        };
        let first = rows[..end].iter().rposition(|row| !inside(row));
        let first = first.map_or(0, |at| at + 1);
        (first, first)
    } else {
        let above = input.above.as_deref().unwrap_or(below);
        let top = rows[..end].iter().rposition(|row| is_border(row, above))?;
        (top, top + 1)
    };
    let text = first..end.saturating_sub(input.trailer.unwrap_or(0));
    // A box in the middle of the screen has its prompt in it.
    let indent = rows[end].whole().len() - rows[end].whole().trim_start().len();
    if text.is_empty() || !begins_with_prompt_at(input, &rows[text.start], indent) {
        return None;
    }
    let side = input.sides.as_deref().map_or(0, UnicodeWidthStr::width);
    Some(ComposerArea {
        rows: top..end + 1,
        text,
        width: rows[end].text().width().saturating_sub(side),
    })
}

/// Finds a composer that ends with its footer or with the screen.
fn unframed(input: &ComposerForm, rows: &[ScreenRow], above: Option<&str>) -> Option<ComposerArea> {
    let first = match above {
        Some(above) => rows.iter().rposition(|row| is_border(row, above))? + 1,
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
    let is_near = |prompt: &String, at| at <= indent + prompt.len() + MARGIN;
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

/// Returns whether a row is a line of these characters. It may have a corner, and it may contain a word: a long one if the
/// line begins before it and ends behind it.
fn is_border(row: &ScreenRow, drawn: &str) -> bool {
    let text = row.text().trim_start();
    let is_drawn = |c: &char| drawn.contains(*c);
    let begins = text.chars().take(2).any(|c| is_drawn(&c));
    let around = text.chars().take(2).chain(text.chars().rev().take(2));
    let (count, all) = (text.chars().filter(is_drawn).count(), text.chars().count());
    begins && count >= 10 && (count * 2 > all || around.clone().all(|c| is_drawn(&c)))
}
