//! The composer: the rows that a person types into, and what stands there.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::manifest::{Agent, Input};
use super::screen::{Row, Screen};
use super::state;
use crate::state::State;

/// What stands in the composer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Composer {
    /// There is none: the agent asks something, or shows something else.
    Absent,
    /// Nothing that a person typed. A placeholder or a suggestion may be there.
    Empty,
    /// What a person typed and has not sent.
    Draft(String),
}

/// Where the composer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its rows, with its frame.
    pub rows: Range<usize>,
    /// Those of them that hold what is typed.
    pub text: Range<usize>,
    /// Where they end on the right: what is beside a frame is not typed.
    pub width: usize,
}

impl Composer {
    /// Looks what stands in an agent's composer.
    #[must_use]
    pub fn read(agent: &Agent, screen: &Screen) -> Self {
        let input = &agent.manifest.composer;
        let Some(found) = find(input, screen) else {
            return Self::Absent;
        };
        // A question of the agent's may look like one: its choice is marked as the prompt is.
        let asks = state::on_screen(agent, screen);
        if asks.is_some_and(|claim| claim.state == State::Waiting) {
            return Self::Absent;
        }
        let rows = screen.rows()[found.text].iter().enumerate();
        let typed: Vec<String> = rows
            .map(|(at, row)| {
                let prompted = at == 0 || input.repeated == Some(true);
                typed(input, row, prompted, found.width)
            })
            .collect();
        let text = typed.join("\n").trim().to_string();
        let hint = input.hints.iter().flatten().any(|hint| text == *hint);
        if text.is_empty() || hint {
            Self::Empty
        } else {
            Self::Draft(text)
        }
    }
}

/// Finds the composer, which is the lowest thing on the screen that looks like one.
#[must_use]
pub fn find(input: &Input, screen: &Screen) -> Option<Found> {
    let rows = screen.rows();
    let last = rows.iter().rposition(|row| !row.is_blank())?;
    let found = match (&input.below, &input.above) {
        (Some(below), _) => framed(input, rows, last, below),
        (None, above) => open(input, &rows[..=last], above.as_deref()),
    }?;
    let footer = rows[found.rows.end..=last.max(found.rows.end - 1)].iter();
    let footer = footer.filter(|row| !row.is_blank()).count();
    let fits = input.footer.is_none_or(|most| footer <= most);
    let indented = |row: &Row| row.is_blank() || row.whole().starts_with(' ');
    let below = if input.below.is_some() {
        found.rows.end
    } else {
        found.rows.start + 1
    };
    let apart = input.indented != Some(true) || rows[below..].iter().all(indented);
    (fits && apart).then_some(found)
}

/// One that ends with a row of `below`.
fn framed(input: &Input, rows: &[Row], last: usize, below: &str) -> Option<Found> {
    let end = rows[..=last].iter().rposition(|row| is_rule(row, below))?;
    let (top, first) = if let Some(edge) = &input.edge {
        let inside = |row: &Row| {
            let text = row.text().trim_start();
            // A menu over it has an edge on the right too.
            text.starts_with(edge) && !(text.len() > edge.len() && text.ends_with(edge))
        };
        let first = rows[..end].iter().rposition(|row| !inside(row));
        let first = first.map_or(0, |at| at + 1);
        (first, first)
    } else {
        let above = input.above.as_deref().unwrap_or(below);
        let top = rows[..end].iter().rposition(|row| is_rule(row, above))?;
        (top, top + 1)
    };
    let text = first..end.saturating_sub(input.trailer.unwrap_or(0));
    if text.is_empty() || !begins(input, &rows[text.start]) {
        return None;
    }
    Some(Found {
        rows: top..end + 1,
        text,
        width: rows[end].text().width(),
    })
}

/// One that ends with its footer or the screen.
fn open(input: &Input, rows: &[Row], above: Option<&str>) -> Option<Found> {
    let first = match above {
        Some(above) => rows.iter().rposition(|row| is_rule(row, above))? + 1,
        None => rows.iter().rposition(|row| begins(input, row))?,
    };
    let rest = &rows[first..];
    let end = if input.repeated == Some(true) {
        // Every row that is typed has a prompt; a menu below it is drawn on a background.
        let typed = rest.iter().take_while(|row| begins(input, row)).count();
        let shaded = |row: &Row| row.characters(0).next().is_some_and(|(_, it)| it.shaded);
        rest[typed..].iter().all(shaded).then_some(first + typed)?
    } else {
        // What is behind the last blank row is the footer.
        match rest.iter().rposition(Row::is_blank) {
            Some(blank) => first + blank,
            None if is_choice(input, &rest[0]) => return None,
            None => rows.len(),
        }
    };
    let is_one = end > first && begins(input, &rows[first]);
    is_one.then_some(Found {
        rows: first..end,
        text: first..end,
        width: usize::MAX,
    })
}

/// Whether a row is the marked one of numbered choices: in a low pane nothing sets them apart from what is below.
fn is_choice(input: &Input, row: &Row) -> bool {
    let mut prompts = input.prompts.iter().flatten();
    let text = prompts.find_map(|prompt| after(row, prompt));
    let text = text.map_or("", |at| row.whole()[at..].trim_start());
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    number.len() < text.len() && number.starts_with(". ")
}

/// Whether a row begins with a prompt.
fn begins(input: &Input, row: &Row) -> bool {
    let Some(prompts) = &input.prompts else {
        return true;
    };
    prompts
        .iter()
        .any(|prompt| after(row, prompt).is_some_and(|at| at <= prompt.len() + MARGIN))
}

/// How far from the left a prompt can be.
const MARGIN: usize = 2;

/// Where the text behind a mark at the beginning of a row begins, in bytes.
fn after(row: &Row, mark: &str) -> Option<usize> {
    let blanks = row.whole().len() - row.whole().trim_start().len();
    let rest = row.whole()[blanks..].strip_prefix(mark)?;
    let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
    apart.then_some(blanks + mark.len())
}

/// Whether a row is a line of these characters; it may have a corner, and a word may stand in it.
fn is_rule(row: &Row, drawn: &str) -> bool {
    let text = row.text().trim_start();
    let begins = text.chars().take(2).any(|c| drawn.contains(c));
    let count = text.chars().filter(|c| drawn.contains(*c)).count();
    begins && count >= 10 && count * 2 > text.chars().count()
}

/// What was typed in a row: without prompt, edge and everything faint.
fn typed(input: &Input, row: &Row, prompted: bool, width: usize) -> String {
    let prompts = input.prompts.iter().flatten().filter(|_| prompted);
    let edges = input.edge.iter();
    let from = prompts.chain(edges).find_map(|mark| after(row, mark));
    let from = from.unwrap_or(0);
    let mut column = row.whole()[..from].width();
    let characters: Vec<_> = row
        .characters(from)
        .take_while(|(c, _)| {
            column += c.width().unwrap_or(0);
            column <= width
        })
        .collect();
    let placeholders = input.faint != Some(true);
    let faint = placeholders && characters.iter().any(|(_, style)| style.is_faint());
    characters
        .into_iter()
        // The cursor is drawn over the first character of a placeholder.
        .filter(|(_, style)| !(faint && (style.is_faint() || style.reverse)))
        .map(|(c, _)| c)
        .collect()
}
