//! Draws the picker. Everything is a line of text and a style. The areas that can be clicked are recorded while
//! drawing.

mod ascii;
mod list;
mod pen;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::actions::{ACTIONS, Action, MOVES, Verb};
use super::input::TextInput;
use super::model::{Hit, Model, Purpose};
use super::theme::Theme;
use crate::id::counted;
use crate::out::{cut, escaped};
use list::list;
use pen::Pen;

/// The number of columns from which the preview is beside the list.
const MIN_COLUMNS_BESIDE: u16 = 100;
/// The number of rows from which the preview is below the list, where there is no room beside it.
const MIN_ROWS_BELOW: u16 = 20;

/// The areas of the screen.
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
    pub(super) fn of(area: Rect, previews: bool, foot: u16) -> Self {
        let foot = foot.clamp(1, (area.height / 2).max(1));
        let at_foot = area.bottom().saturating_sub(foot);
        // An empty line above and below, where there is room for it.
        let margin = u16::from(area.height >= MIN_ROWS_BELOW);
        let body = Rect::new(
            area.x,
            area.y + 1 + margin,
            area.width,
            area.height.saturating_sub(1 + foot + 2 * margin),
        );
        let (mut list, mut preview) = (body, Rect::default());
        if previews && area.width >= MIN_COLUMNS_BESIDE {
            list.width = (area.width * 9 / 20).clamp(54, 96);
            preview = Rect::new(
                list.right() + 3,
                body.y,
                body.width - list.width - 4,
                body.height,
            );
        } else if previews && area.height >= MIN_ROWS_BELOW {
            list.height = body.height / 2;
            preview = Rect::new(
                area.x + 1,
                list.bottom() + 1,
                body.width.saturating_sub(2),
                body.height - list.height - 1,
            );
        }
        Self {
            top: Rect::new(area.x, area.y, area.width, 1).intersection(area),
            list: list.intersection(area),
            preview: preview.intersection(area),
            foot: Rect::new(area.x, at_foot, area.width, foot).intersection(area),
        }
    }
}

/// Draws the picker.
pub(super) fn draw(frame: &mut Frame<'_>, model: &mut Model, theme: &Theme) {
    let area = frame.area();
    model.hits.clear();
    if model.help {
        help(frame.buffer_mut(), area, model.purpose, theme);
    } else {
        draw_model(frame, area, model, theme);
    }
    if theme.ascii {
        ascii::replace(frame.buffer_mut());
    }
}

fn draw_model(frame: &mut Frame<'_>, area: Rect, model: &mut Model, theme: &Theme) {
    let notice = notice_lines(model, area.width);
    let offers = offers_restore(model);
    let foot_lines = notice.len() + usize::from(model.prompt.is_some()) + 2 * usize::from(offers);
    let foot_lines = u16::try_from(foot_lines).unwrap_or(u16::MAX);
    model.preview_fits = !Places::of(area, true, foot_lines).preview.is_empty();
    // The sentence of an empty list takes the place of the preview.
    let is_previewed = model.previews && !model.items.is_empty();
    let places = Places::of(area, is_previewed, foot_lines);
    let cursor = top(frame.buffer_mut(), places.top, model, theme);
    list(frame.buffer_mut(), places.list, model, theme);
    preview(frame.buffer_mut(), places.preview, model, theme);
    let asked = foot(frame.buffer_mut(), places.foot, model, &notice, theme);
    if let Some(at) = asked.or(cursor) {
        frame.set_cursor_position(at);
    }
}

/// Draws the line with the typed text. Returns the position of the cursor.
fn top(buffer: &mut Buffer, line: Rect, model: &Model, theme: &Theme) -> Option<Position> {
    let waiting = model.rows.iter().filter(|row| row.waits()).count();
    let (seshes, panes) = model.count();
    let mut counts = counted(seshes, "sesh", "seshes");
    if panes > 0 {
        counts.push_str(&format!(" · {}", counted(panes, "pane", "panes")));
    }
    if waiting > 0 {
        counts.push_str(&format!(" · {waiting} need you").replace("1 need ", "1 needs "));
    }
    if !model.marked.is_empty() {
        counts = format!("{} marked · {counts}", model.marked.len());
    }
    let width = u16::try_from(counts.width()).unwrap_or(0);
    let mut pen = Pen::new(buffer, line);
    pen.write(" › ", theme.bar);
    if line.width > width + 24 {
        pen.end -= width + 2;
    }
    let cursor = if model.input.is_empty() {
        let at = Position::new(pen.x, pen.y);
        pen.write("type to filter", theme.dim);
        at
    } else {
        typed(&mut pen, &model.input, theme.name)
    };
    if line.width > width + 24 {
        pen.end = line.right();
        pen.x = line.right() - width - 1;
        pen.write(&counts, theme.dim);
    }
    (line.height > 0).then_some(cursor)
}

fn typed(pen: &mut Pen<'_>, input: &TextInput, style: Style) -> Position {
    let start = pen.x;
    let (text, at) = input.seen(pen.left());
    pen.write(&text, style);
    let at = u16::try_from(at).unwrap_or(0);
    Position::new((start + at).min(pen.end.saturating_sub(1)), pen.y)
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

/// Returns the actions that are offered.
fn offered(purpose: Purpose) -> impl Iterator<Item = &'static Action> {
    let picks = purpose == Purpose::Pick;
    ACTIONS.iter().filter(move |action| !(picks && action.acts))
}

/// Returns the key of an action as it is shown. A dashboard is left by ^C, because there Escape only clears the typed
/// text.
fn key_of(action: &Action, purpose: Purpose) -> String {
    match (action.verb, purpose) {
        (Verb::Leave, Purpose::Watch) => "^C".into(),
        _ => action.key.name(),
    }
}

/// Returns the lines of the notice in the footer. They are not cut, because the reason of a refusal and the way out
/// must be readable.
fn notice_lines(model: &Model, width: u16) -> Vec<String> {
    let notice = model.notice.as_ref();
    let notice = notice.filter(|notice| notice.trouble || model.prompt.is_none());
    let width = usize::from(width.saturating_sub(2)).max(1);
    notice.map_or_else(Vec::new, |notice| {
        textwrap::wrap(&escaped(&notice.text), width)
            .into_iter()
            .map(Into::into)
            .collect()
    })
}

/// Returns whether a line of the footer offers the pending restores. A notice and a question come first.
fn offers_restore(model: &Model) -> bool {
    model.pending > 0
        && model.purpose != Purpose::Pick
        && model.notice.is_none()
        && model.prompt.is_none()
}

/// Draws the line that offers the pending restores.
fn restore_line(buffer: &mut Buffer, line: Rect, model: &mut Model, theme: &Theme) {
    let action = Action::of(Verb::Restore);
    let mut pen = Pen::new(buffer, line);
    pen.skip(1);
    let start = pen.x;
    pen.write(&action.key.name(), theme.key);
    pen.skip(1);
    let were = counted(model.pending, "sesh that was", "seshes that were");
    pen.write(&format!("restores {were} alive when tmux died"), theme.name);
    let area = Rect::new(start, line.y, pen.x - start, line.height);
    model.hits.push((area, Hit::Verb(Verb::Restore)));
}

/// Draws the footer: a question, a notice, or the keys. Returns the position of the cursor in a question.
fn foot(
    buffer: &mut Buffer,
    area: Rect,
    model: &mut Model,
    lines_of_notice: &[String],
    theme: &Theme,
) -> Option<Position> {
    let mut lines = area.rows();
    let last = lines.next_back().unwrap_or_default();
    if offers_restore(model)
        && let Some(line) = lines.next()
    {
        restore_line(buffer, line, model, theme);
    }
    if let Some(notice) = &model.notice {
        let style = if notice.trouble {
            theme.trouble
        } else {
            theme.name
        };
        // A question is below the notice that its answer was refused.
        let last = Some(last).filter(|_| model.prompt.is_none());
        for (line, text) in lines.chain(last).zip(lines_of_notice) {
            let mut pen = Pen::new(buffer, line);
            pen.skip(1);
            pen.write(text, style);
        }
    }
    let mut pen = Pen::new(buffer, last);
    pen.skip(1);
    if let Some(prompt) = &model.prompt {
        let asks = prompt.verb == Verb::End;
        let style = theme.key.add_modifier(Modifier::BOLD);
        let room = pen.left().saturating_sub(if asks { 0 } else { 16 });
        pen.write(&cut(&prompt.title, room), style);
        if asks {
            return Some(Position::new(pen.x.min(pen.end.saturating_sub(1)), pen.y));
        }
        pen.write(": ", theme.key);
        return Some(typed(&mut pen, &prompt.input, theme.name));
    }
    if model.notice.is_some() {
        return None;
    }
    for action in offered(model.purpose) {
        let Action { verb, word, .. } = action;
        let key = key_of(action, model.purpose);
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

/// Draws all keys. Where there is no room for their descriptions, their names are shown.
fn help(buffer: &mut Buffer, area: Rect, purpose: Purpose, theme: &Theme) {
    let line = |y: u16| Rect::new(area.x, y, area.width, 1).intersection(area);
    let mut title = Pen::new(buffer, line(area.y));
    title.write(" keys", theme.head);
    title.skip(2);
    title.write("any key closes this", theme.dim);
    let offered: Vec<&Action> = offered(purpose).collect();
    let all = u16::try_from(offered.len() + MOVES.len()).unwrap_or(u16::MAX);
    // With the title and two empty lines.
    let tall = area.height >= all + 3;
    // In a narrow column only the words are shown.
    let columns = match (tall, area.width >= 120) {
        (true, _) => 1,
        (false, true) => 2,
        (false, false) => 3,
    };
    let rows = offered.len().div_ceil(columns);
    let width = area.width / u16::try_from(columns).unwrap_or(1);
    let wide = if tall { 22 } else { 5 };
    let mut y = area.y + 1 + u16::from(tall);
    for (column, actions) in (0u16..).zip(offered.chunks(rows)) {
        for (at, action) in (y..).zip(actions) {
            let mut pen = Pen::new(
                buffer,
                Rect {
                    x: area.x + width * column,
                    width,
                    ..line(at)
                },
            );
            pen.skip(1);
            pen.column(&key_of(action, purpose), wide, theme.key);
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
    use pretty_assertions::assert_eq;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::text::Line;

    use super::super::model::tests::picker;
    use super::super::preview::Preview;
    use super::*;
    use crate::state::State;

    const SIZES: [(u16, u16); 6] = [(80, 24), (60, 15), (200, 50), (58, 13), (20, 5), (1, 1)];

    fn sample() -> Model {
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
                    let mut model = sample();
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
    fn an_empty_list_says_all_of_what_helps() {
        for size in [(80, 24), (200, 50), (120, 30), (100, 24)] {
            let mut model = sample();
            model.set_rows(Vec::new());
            let text = lines(&screen(&mut model, &Theme::either(), size)).join("\n");
            assert!(text.contains("^E shows exited ones"), "{size:?}: {text}");
        }
    }

    #[test]
    fn pending_restores_are_offered_above_the_keys() {
        for size in [(80, 24), (58, 13), (200, 50)] {
            let mut model = sample();
            model.pending = 3;
            let drawn = lines(&screen(&mut model, &Theme::either(), size));
            let at = drawn.len() - 2;
            let offer = "^L restores 3 seshes that were alive when tmux died";
            assert!(drawn[at].contains(offer), "{size:?}: {drawn:#?}");
            assert!(drawn[at + 1].contains("Enter go"), "{size:?}: {drawn:#?}");
            model.say("a notice");
            let drawn = lines(&screen(&mut model, &Theme::either(), size)).join("\n");
            assert!(!drawn.contains("^L"), "{size:?}: {drawn}");
        }
    }

    #[test]
    fn rows_and_keys_are_shown() {
        for size in [(80, 24), (60, 15), (200, 50)] {
            let text = lines(&screen(&mut sample(), &Theme::either(), size)).join("\n");
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
            let mut model = sample();
            model.help = true;
            let text = lines(&screen(&mut model, &Theme::either(), size)).join("\n");
            let moves = MOVES.map(|(key, _)| key.to_string());
            for key in ACTIONS.iter().map(|action| action.key.name()).chain(moves) {
                assert!(text.contains(&key), "no {key} at {size:?}:\n{text}");
            }
        }
        let text = lines(&screen(&mut sample(), &Theme::either(), (200, 50))).join("\n");
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
    fn columns_are_aligned() {
        let mut model = sample();
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
        // Finds the unit of two ages: one behind a wide name, one behind a plain name without an m.
        assert_eq!(at("日"), at("docs"));
    }

    #[test]
    fn a_theme_without_colours_shows_none() {
        let mut model = sample();
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
    fn a_refusal_is_shown_whole() {
        let mut model = sample();
        model.complain(
            "docs: nothing was sent: it has a reason that is long, and in the end the way out",
        );
        let text = lines(&screen(&mut model, &Theme::either(), (60, 15)));
        assert!(text[13].starts_with(" docs: nothing"), "{text:?}");
        assert!(text[14].trim_end().ends_with("the way out"), "{text:?}");
        model.complain("word ".repeat(200));
        let text = lines(&screen(&mut model, &Theme::either(), (60, 15))).join("\n");
        assert!(text.contains("docs"), "{text}");
    }

    #[test]
    fn a_question_replaces_the_footer() {
        let mut model = sample();
        model.prompt = Some(super::super::model::Prompt {
            verb: Verb::Rename,
            title: "rename docs".into(),
            input: TextInput::of("neu"),
            on: Vec::new(),
        });
        let text = lines(&screen(&mut model, &Theme::either(), (60, 15)));
        assert!(text[14].starts_with(" rename docs: neu"), "{text:?}");
    }
}
