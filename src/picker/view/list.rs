//! The list: its columns and its rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::pen::Pen;
use crate::out::{cut, escaped};
use crate::picker::model::{Hit, Model, Purpose, RowSet};
use crate::picker::rows::{Item, Row};
use crate::picker::theme::Theme;
use crate::state::State;

/// The widths of the columns, in cells.
struct Columns {
    name: usize,
    agent: usize,
    words: usize,
    cwd: usize,
    branch: usize,
}

impl Columns {
    /// Computes the widths from all rows, not from the visible ones: columns must not move when the list is scrolled.
    fn of(model: &Model, width: usize) -> Self {
        let rows = || model.items.iter().filter_map(|item| model.row(item));
        let widest =
            |of: &dyn Fn(&Row) -> usize, most: usize| rows().map(of).max().unwrap_or(0).min(most);
        let depth = |item: &Item| match item {
            Item::Row { depth, .. } => depth * 2,
            Item::Head { .. } => 0,
        };
        let deepest = model.items.iter().map(depth).max().unwrap_or(0).min(8);
        // The bar, the icon and the mark take 3 cells, the age behind the name takes 6.
        let mut left = width.saturating_sub(3 + 6);
        let mut take = |wanted: usize, least: usize| {
            let got = if wanted > 0 && left >= least.min(wanted) + 2 {
                wanted.min(left - 2)
            } else {
                0
            };
            left -= if got > 0 { got + 2 } else { 0 };
            got
        };
        let most = (width * 2 / 5).max(16);
        let name = take(widest(&|row| row.name.width(), most) + deepest, 4);
        let agent = take(
            widest(&|row| row.agent.as_deref().unwrap_or("").width(), 9),
            5,
        );
        let words = take(widest(&words_width, width / 4), 10);
        let cwd = take(widest(&|row| place_of(row).width(), width / 4), 8);
        let branch = take(
            widest(
                &|row| row.branch.as_deref().unwrap_or("").width(),
                width / 6,
            ),
            8,
        );
        Self {
            name,
            agent,
            words,
            cwd,
            branch,
        }
    }
}

/// Returns why it waits or how it ended, without the word of its state.
fn why(row: &Row) -> String {
    match (row.state, row.state_in_words.split_once(' ')) {
        (_, None) => String::new(),
        _ if row.uuid().is_none() => String::new(),
        (State::Exited, Some((_, how))) if how.parse::<i32>().is_ok() => format!("exit {how}"),
        (_, Some((_, why))) => why.into(),
    }
}

fn words_width(row: &Row) -> usize {
    let why = why(row).width();
    let tags: usize = row.tags.iter().map(|tag| tag.width() + 2).sum();
    (why + usize::from(why > 0) + tags).saturating_sub(1)
}

/// Returns the folder in a short form. Its last two names are kept, because they identify it best.
fn place_of(row: &Row) -> String {
    let home = crate::env::home().map(|home| home.display().to_string());
    let path = match home
        .as_ref()
        .and_then(|home| row.cwd.strip_prefix(home.as_str()))
    {
        Some("") => return "~".into(),
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => row.cwd.clone(),
    };
    let names: Vec<&str> = path.split('/').collect();
    match names[..] {
        [.., above, last] if names.len() > 3 => format!("…/{above}/{last}"),
        _ => path,
    }
}

pub(super) fn list(buffer: &mut Buffer, area: Rect, model: &mut Model, theme: &Theme) {
    if model.items.is_empty() {
        let line = Rect {
            height: area.height.min(1),
            ..area
        };
        let mut pen = Pen::new(buffer, line);
        pen.skip(3);
        let text = match (model.input.is_empty(), model.purpose) {
            (false, _) => "no match; ^U clears the filter",
            (true, Purpose::Pick) => "nothing to choose",
            (true, _) if model.shown == RowSet::Active => {
                "no live sesh: ^N creates one, ^O adopts a pane; ^E shows exited ones"
            }
            (true, _) => "no sesh yet: ^N creates one, ^O adopts a pane",
        };
        pen.write(text, theme.dim);
        return;
    }
    let columns = Columns::of(model, usize::from(area.width));
    let window = model.window(usize::from(area.height));
    let mut hits = Vec::new();
    let is_head = |item: &&Item| matches!(item, Item::Head { .. });
    let heads = model.items.iter().filter(is_head).count();
    // Empty lines separate the groups, where the whole list is visible with them.
    let spaced = model.items.len() + heads <= usize::from(area.height);
    let mut y = area.y;
    for item in &model.items[window] {
        if spaced && is_head(&item) && y > area.y {
            y += 1;
        }
        let line = Rect::new(area.x, y, area.width, 1);
        y += 1;
        match item {
            Item::Head { title, count } => {
                let mut pen = Pen::new(buffer, line);
                pen.skip(1);
                pen.write(title, theme.head);
                pen.skip(1);
                pen.write(&count.to_string(), theme.dim);
            }
            Item::Row { index, depth } => {
                let Some(row) = model.rows.get(*index) else {
                    continue;
                };
                hits.push((line, Hit::Row(row.id)));
                draw_row(buffer, line, model, row, *depth, &columns, theme);
            }
        }
    }
    model.hits.extend(hits);
}

fn draw_row(
    buffer: &mut Buffer,
    line: Rect,
    model: &Model,
    row: &Row,
    depth: usize,
    columns: &Columns,
    theme: &Theme,
) {
    let chosen = model.selected == Some(row.id);
    let look = theme.look(row);
    let over = row.archived || row.state == State::Exited && row.need.is_none();
    if chosen {
        buffer.set_style(line.intersection(buffer.area), theme.chosen);
    }
    let mut pen = Pen::new(buffer, line);
    pen.write(if chosen { "▌" } else { " " }, theme.bar);
    let start = pen.x;
    pen.write(&look.glyph, look.style);
    pen.x = (start + 1).min(pen.end);
    pen.write(
        if model.marked.contains(&row.id) {
            "✓"
        } else {
            " "
        },
        theme.mark,
    );
    let branch = match depth {
        0 => String::new(),
        _ => format!("{}└ ", "  ".repeat((depth - 1).min(3))),
    };
    let name_at = pen.x;
    pen.write(&branch, theme.dim);
    let wide = usize::from(pen.x - name_at);
    let own = columns.name.saturating_sub(wide);
    let name_at = pen.x;
    pen.column(&row.name, own, if over { theme.dim } else { theme.name });
    let after = pen.x;
    underline(&mut pen, name_at, own, model, row, theme);
    pen.x = after;
    let age = row
        .since
        .map_or_else(String::new, |since| age(since, model.now));
    pen.column(&format!("{age:>4}"), 4, theme.dim);
    pen.column(row.agent.as_deref().unwrap_or(""), columns.agent, theme.dim);
    let words_at = pen.x;
    let end = pen.end;
    let room = u16::try_from(columns.words).unwrap_or(0);
    pen.end = (words_at + room).min(end);
    let why = why(row);
    if !why.is_empty() {
        let style = if row.waits() || row.failed {
            look.style.remove_modifier(Modifier::REVERSED)
        } else {
            theme.dim
        };
        pen.write(&why, style);
        pen.skip(1);
    }
    for tag in &row.tags {
        pen.write(&format!("#{tag}"), theme.tag);
        pen.skip(1);
    }
    (pen.x, pen.end) = (words_at, end);
    if columns.words > 0 {
        pen.skip(columns.words + 2);
    }
    pen.column(&place_of(row), columns.cwd, theme.dim);
    pen.column(
        row.branch.as_deref().unwrap_or(""),
        columns.branch,
        theme.branch,
    );
    pen.write(&row.note.replace(['\n', '\t'], " "), theme.dim);
}

/// Underlines the characters of a name that match the filter.
fn underline(pen: &mut Pen<'_>, at: u16, width: usize, model: &Model, row: &Row, theme: &Theme) {
    let shown = cut(&escaped(&row.name), width);
    let hits = model.filter.hits(&shown);
    let mut x = at;
    for (number, c) in (0u32..).zip(shown.chars()) {
        let cells = u16::try_from(c.width().unwrap_or(0)).unwrap_or(0);
        if hits.contains(&number) && x + cells <= pen.end {
            pen.buffer
                .set_style(Rect::new(x, pen.y, cells, 1), theme.hit);
        }
        x += cells;
    }
}

/// Formats an age. It changes only once a minute, because a change each second would distract.
pub(super) fn age(since: u64, now: u64) -> String {
    match now.saturating_sub(since) {
        0..=59 => "now".into(),
        seconds @ 60..=3599 => format!("{}m", seconds / 60),
        seconds @ 3600..=86_399 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}
