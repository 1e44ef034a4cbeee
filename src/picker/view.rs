//! Draws the picker. Everything is a line of text and a style; where a click meets what is written down on the way.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::actions::{ACTIONS, Action, MOVES, Verb};
use super::input::Input;
use super::model::{Hit, Model, Purpose};
use super::rows::{Item, Row};
use super::theme::Theme;
use crate::out::{cut, harmless};
use crate::state::State;

/// From so many columns on the preview stands beside the list.
const BESIDE: u16 = 100;
/// From so many rows on it stands below where there is no room beside.
const BELOW: u16 = 20;

/// Where everything goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub top: Rect,
    pub list: Rect,
    /// The preview with its title; empty where there is no room.
    pub preview: Rect,
    pub foot: Rect,
}

impl Places {
    #[must_use]
    pub(super) fn of(area: Rect, previews: bool) -> Self {
        let line = |y: u16| Rect::new(area.x, y, area.width, 1).intersection(area);
        // Air above and below, where there is room for it.
        let air = u16::from(area.height >= BELOW);
        let body = Rect::new(
            area.x,
            area.y + 1 + air,
            area.width,
            area.height.saturating_sub(2 + 2 * air),
        );
        let (mut list, mut preview) = (body, Rect::default());
        if previews && area.width >= BESIDE {
            list.width = (area.width * 9 / 20).clamp(54, 96);
            preview = Rect::new(
                list.right() + 3,
                body.y,
                body.width - list.width - 4,
                body.height,
            );
        } else if previews && area.height >= BELOW {
            list.height = body.height / 2;
            preview = Rect::new(
                area.x + 1,
                list.bottom() + 1,
                body.width.saturating_sub(2),
                body.height - list.height - 1,
            );
        }
        Self {
            top: line(area.y),
            list: list.intersection(area),
            preview: preview.intersection(area),
            foot: line(area.bottom().saturating_sub(1)),
        }
    }
}

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, model: &mut Model, theme: &Theme) {
    let area = frame.area();
    model.hits.clear();
    if model.help {
        help(frame.buffer_mut(), area, theme);
        return;
    }
    let places = Places::of(area, model.previews);
    let cursor = top(frame.buffer_mut(), places.top, model, theme);
    list(frame.buffer_mut(), places.list, model, theme);
    preview(frame.buffer_mut(), places.preview, model, theme);
    let asked = foot(frame.buffer_mut(), places.foot, model, theme);
    if let Some(at) = asked.or(cursor) {
        frame.set_cursor_position(at);
    }
}

/// A pen that writes from left to right in one line, and not over its end.
struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    fn new(buffer: &'a mut Buffer, line: Rect) -> Self {
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

    fn left(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    fn write(&mut self, text: &str, style: Style) {
        let text = harmless(text);
        let text = cut(&text, self.left());
        if self.x < self.end {
            let (x, _) = self
                .buffer
                .set_stringn(self.x, self.y, text, self.left(), style);
            self.x = x;
        }
    }

    fn skip(&mut self, cells: usize) {
        let cells = u16::try_from(cells).unwrap_or(u16::MAX);
        self.x = self.x.saturating_add(cells).min(self.end);
    }

    /// A column: as wide as it is, whatever the text is, and two cells of air.
    fn column(&mut self, text: &str, width: usize, style: Style) {
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

/// The line with what is typed. Gives the cursor's place.
fn top(buffer: &mut Buffer, line: Rect, model: &Model, theme: &Theme) -> Option<Position> {
    let needy = model.rows.iter().filter(|row| row.waits()).count();
    let many = model.count();
    let mut said = format!("{many} {}", if many == 1 { "sesh" } else { "seshes" });
    if needy > 0 {
        said.push_str(&format!(" · {needy} need you").replace("1 need ", "1 needs "));
    }
    if !model.marked.is_empty() {
        said = format!("{} marked · {said}", model.marked.len());
    }
    let width = u16::try_from(said.width()).unwrap_or(0);
    let mut pen = Pen::new(buffer, line);
    pen.write(" › ", theme.bar);
    if line.width > width + 24 {
        pen.end -= width + 2;
    }
    let cursor = if model.input.is_empty() {
        let at = Position::new(pen.x, pen.y);
        pen.write("type to find", theme.dim);
        at
    } else {
        typed(&mut pen, &model.input, theme.name)
    };
    if line.width > width + 24 {
        pen.end = line.right();
        pen.x = line.right() - width - 1;
        pen.write(&said, theme.dim);
    }
    (line.height > 0).then_some(cursor)
}

fn typed(pen: &mut Pen<'_>, input: &Input, style: Style) -> Position {
    let start = pen.x;
    let (text, at) = input.seen(pen.left());
    pen.write(text, style);
    let at = u16::try_from(at).unwrap_or(0);
    Position::new((start + at).min(pen.end.saturating_sub(1)), pen.y)
}

/// How wide the columns are.
struct Columns {
    name: usize,
    agent: usize,
    words: usize,
    cwd: usize,
    branch: usize,
}

impl Columns {
    /// By all rows, not by those that are seen: they must not jump when the list is scrolled.
    fn of(model: &Model, width: usize) -> Self {
        let rows = || model.items.iter().filter_map(|item| model.row(item));
        let widest =
            |of: &dyn Fn(&Row) -> usize, most: usize| rows().map(of).max().unwrap_or(0).min(most);
        let depth = |item: &Item| match item {
            Item::Row { depth, .. } => depth * 2,
            Item::Head { .. } => 0,
        };
        let deepest = model.items.iter().map(depth).max().unwrap_or(0).min(8);
        // Bar, glyph and mark, and behind the name the age.
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

/// Why it waits or how it ended: what its state does not say already.
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

/// The folder, short: its last two names say more than its first.
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

fn list(buffer: &mut Buffer, area: Rect, model: &mut Model, theme: &Theme) {
    if model.items.is_empty() {
        let line = Rect {
            height: area.height.min(1),
            ..area
        };
        let mut pen = Pen::new(buffer, line);
        pen.skip(3);
        let text = match (model.input.is_empty(), model.purpose) {
            (false, _) => "nothing is like that; ^U takes it away",
            (true, Purpose::Pick) => "there is nothing to choose",
            (true, _) => "no sesh yet: ^N makes one, ^O makes one of a pane",
        };
        pen.write(text, theme.dim);
        return;
    }
    let columns = Columns::of(model, usize::from(area.width));
    let window = model.window(usize::from(area.height));
    let mut hits = Vec::new();
    let is_head = |item: &&Item| matches!(item, Item::Head { .. });
    let heads = model.items.iter().filter(is_head).count();
    // Air between the groups, where all of them are seen with it.
    let airy = model.items.len() + heads <= usize::from(area.height);
    let mut y = area.y;
    for item in &model.items[window] {
        if airy && is_head(&item) && y > area.y {
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
        let style = if row.waits() {
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

/// Underlines in a name what was looked for.
fn underline(pen: &mut Pen<'_>, at: u16, width: usize, model: &Model, row: &Row, theme: &Theme) {
    let shown = cut(&harmless(&row.name), width);
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

/// An age that moves only once a minute: what changes each second draws the eye.
fn age(since: u64, now: u64) -> String {
    match now.saturating_sub(since) {
        0..=59 => "now".into(),
        seconds @ 60..=3599 => format!("{}m", seconds / 60),
        seconds @ 3600..=86_399 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn preview(buffer: &mut Buffer, area: Rect, model: &Model, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    if area.x >= 3 {
        for y in area.y..area.bottom() {
            buffer.set_string(area.x - 2, y, "│", theme.dim);
        }
    }
    let Some(row) = model.chosen() else { return };
    let look = theme.look(row);
    let mut pen = Pen::new(buffer, Rect { height: 1, ..area });
    pen.write(&look.glyph, look.style);
    pen.skip(1);
    pen.write(&row.name, theme.name.add_modifier(Modifier::BOLD));
    pen.skip(2);
    pen.write(
        &row.state_in_words,
        look.style.remove_modifier(Modifier::REVERSED),
    );
    if let Some(place) = &row.place {
        pen.skip(2);
        pen.write(
            &format!("{}:{} {}", place.session, place.window, place.pane),
            theme.dim,
        );
    }
    if !row.note.is_empty() {
        pen.skip(2);
        pen.write(&row.note.replace(['\n', '\t'], " "), theme.dim);
    }
    let Some(seen) = &model.preview else { return };
    let text = Rect::new(
        area.x,
        area.y + 2,
        area.width,
        area.height.saturating_sub(2),
    )
    .intersection(area);
    for (y, line) in (text.y..text.bottom()).zip(&seen.lines) {
        buffer.set_line(text.x, y, line, text.width);
    }
    if seen.trouble || !theme.colours {
        for at in text.positions() {
            let cell = &mut buffer[at];
            (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
            if seen.trouble {
                cell.set_style(theme.dim);
            }
        }
    }
}

/// The line at the foot: a question, a sentence, or the keys. Gives the cursor's place in a question.
fn foot(buffer: &mut Buffer, line: Rect, model: &mut Model, theme: &Theme) -> Option<Position> {
    let mut pen = Pen::new(buffer, line);
    pen.skip(1);
    if let Some(prompt) = &model.prompt {
        let asks = prompt.verb == Verb::End;
        let title = cut(
            &prompt.title,
            pen.left().saturating_sub(if asks { 0 } else { 16 }),
        );
        pen.write(&title, theme.key.add_modifier(Modifier::BOLD));
        if asks {
            return Some(Position::new(pen.x.min(pen.end.saturating_sub(1)), pen.y));
        }
        pen.write(": ", theme.key);
        return Some(typed(&mut pen, &prompt.input, theme.name));
    }
    if let Some(saying) = &model.saying {
        pen.write(
            &saying.text,
            if saying.trouble {
                theme.trouble
            } else {
                theme.name
            },
        );
        return None;
    }
    let offered = ACTIONS
        .iter()
        .filter(|action| !action.acts || model.purpose != Purpose::Pick)
        .filter(|action| action.verb != Verb::Leave || model.purpose != Purpose::Watch);
    for Action {
        verb, key, word, ..
    } in offered
    {
        let key = key.name();
        let wide = key.width() + 1 + word.width();
        if wide > pen.left() {
            break;
        }
        let start = pen.x;
        pen.write(&key, theme.key);
        pen.skip(1);
        pen.write(word, theme.dim);
        let area = Rect::new(start, pen.y, pen.x - start, 1);
        model.hits.push((area, Hit::Verb(*verb)));
        pen.skip(2);
    }
    None
}

/// All keys. Where there is no room for what they do, a word says it.
fn help(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    let line = |y: u16| Rect::new(area.x, y, area.width, 1).intersection(area);
    let mut title = Pen::new(buffer, line(area.y));
    title.write(" keys", theme.head);
    title.skip(2);
    title.write("any key closes this", theme.dim);
    let all = u16::try_from(ACTIONS.len() + MOVES.len()).unwrap_or(u16::MAX);
    let tall = area.height >= all + 4;
    let columns = if tall { 1 } else { 2 };
    let rows = ACTIONS.len().div_ceil(columns);
    let width = area.width / u16::try_from(columns).unwrap_or(1);
    let wide = if tall { 22 } else { 5 };
    let mut y = area.y + 1 + u16::from(tall);
    for (column, some) in (0u16..).zip(ACTIONS.chunks(rows)) {
        for (at, action) in (y..).zip(some) {
            let mut pen = Pen::new(
                buffer,
                Rect {
                    x: area.x + width * column,
                    width,
                    ..line(at)
                },
            );
            pen.skip(1);
            pen.column(&action.key.name(), wide, theme.key);
            let long = tall || width >= 60;
            pen.write(if long { action.about } else { action.word }, theme.name);
        }
    }
    y += u16::try_from(rows).unwrap_or(0) + u16::from(tall);
    for (at, (key, about)) in (y..).zip(MOVES) {
        let mut pen = Pen::new(buffer, line(at));
        pen.skip(1);
        pen.column(key, 22, theme.key);
        pen.write(about, theme.name);
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::text::Line;

    use super::super::model::tests::picker;
    use super::super::preview::Preview;
    use super::*;

    const SIZES: [(u16, u16); 6] = [(80, 24), (60, 15), (200, 50), (58, 13), (20, 5), (1, 1)];

    fn some() -> Model {
        let mut model = picker(&[
            ("build-the-whole-thing-at-once-and-then-some", State::Busy),
            ("日本語の名前がここにある", State::Waiting),
            ("docs", State::Idle),
            ("evil\u{202e}\x1b[31m", State::Exited),
        ]);
        model.now = 400;
        model.rows[1].state_in_words = "waiting permission".into();
        model.rows[1].tags = vec!["review".into()];
        model.rows[1].agent = Some("claude".into());
        model.rows[1].note = "a note\nof two lines".into();
        model.rows[2].branch = Some("main".into());
        model.rows[2].cwd = "/home/me/a/long/way/to/docs".into();
        model
    }

    fn screen(model: &mut Model, theme: &Theme, (width, height): (u16, u16)) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal
            .draw(|frame| draw(frame, model, theme))
            .expect("it is drawn");
        terminal.backend().buffer().clone()
    }

    fn lines(buffer: &Buffer) -> Vec<String> {
        let width = usize::from(buffer.area.width);
        buffer
            .content
            .chunks(width)
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect()
    }

    #[test]
    fn it_fits_every_terminal_in_every_theme() {
        for size in SIZES {
            for theme in [
                Theme::dark(),
                Theme::light(),
                Theme::either(),
                Theme::plain(),
            ] {
                for (help, typed) in [(false, ""), (true, ""), (false, "do")] {
                    let mut model = some();
                    model.help = help;
                    for c in typed.chars() {
                        let key = crossterm::event::KeyCode::Char(c);
                        model.event(&crossterm::event::Event::Key(key.into()));
                    }
                    model.preview = Some(Preview {
                        of: model.selected,
                        lines: vec![Line::raw("日本語".repeat(100)); 100],
                        trouble: false,
                    });
                    let text = lines(&screen(&mut model, &theme, size)).join("\n");
                    assert!(!text.contains('\x1b') && !text.contains('\u{202e}'));
                }
            }
        }
    }

    #[test]
    fn it_shows_what_there_is() {
        for size in [(80, 24), (60, 15), (200, 50)] {
            let text = lines(&screen(&mut some(), &Theme::either(), size)).join("\n");
            for part in [
                "4 seshes · 1 needs you",
                "needs you 1",
                "working 1",
                "docs",
                "Enter go",
                "5m",
                "claude",
            ] {
                assert!(text.contains(part), "no {part} at {size:?}:\n{text}");
            }
        }
        for size in [(60, 15), (58, 13), (80, 24), (200, 50)] {
            let mut model = some();
            model.help = true;
            let text = lines(&screen(&mut model, &Theme::either(), size)).join("\n");
            let moves = MOVES.map(|(key, _)| key.to_string());
            for key in ACTIONS.iter().map(|action| action.key.name()).chain(moves) {
                assert!(text.contains(&key), "no {key} at {size:?}:\n{text}");
            }
        }
        let text = lines(&screen(&mut some(), &Theme::either(), (200, 50))).join("\n");
        for part in [
            "permission",
            "#review",
            "…/to/docs",
            "main",
            "main:1 %1",
            "leave",
        ] {
            assert!(text.contains(part), "no {part}:\n{text}");
        }
    }

    #[test]
    fn columns_stand_under_each_other() {
        let mut model = some();
        let buffer = screen(&mut model, &Theme::either(), (60, 15));
        let at = |text: &str| {
            let row = lines(&buffer)
                .iter()
                .position(|line| line.contains(text))
                .expect(text);
            (0..60)
                .find(|x| buffer[(*x, u16::try_from(row).expect("a row"))].symbol() == "m")
                .expect("an age")
        };
        // The minutes of one with a wide name, and of one with a plain one that has no other m.
        assert_eq!(at("日"), at("docs"));
    }

    #[test]
    fn without_colours_there_are_none() {
        let mut model = some();
        model.preview = Some(Preview {
            of: model.selected,
            lines: vec![Line::styled(
                "red",
                Style::new().fg(Color::Red).bg(Color::Blue),
            )],
            trouble: false,
        });
        for (theme, colours) in [(Theme::plain(), false), (Theme::dark(), true)] {
            let buffer = screen(&mut model, &theme, (120, 30));
            let coloured = buffer
                .content
                .iter()
                .any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
            assert_eq!(coloured, colours);
        }
    }

    #[test]
    fn a_question_takes_the_foot() {
        let mut model = some();
        model.prompt = Some(super::super::model::Prompt {
            verb: Verb::Rename,
            title: "rename docs".into(),
            input: Input::of("neu"),
            on: Vec::new(),
        });
        let text = lines(&screen(&mut model, &Theme::either(), (60, 15)));
        assert!(text[14].starts_with(" rename docs: neu"), "{text:?}");
    }
}
