//! The look of the picker: the icons and styles of the plugin's status segment, which a person sets once for both.

use ratatui::style::{Color, Modifier, Style};

use super::rows::Row;
use crate::env;
use crate::state::State;
use crate::store::record::Need;
use crate::tmux::{Command, Frame, command};

/// The states that have an icon and a style, by the plugin's names for them.
const LOOKS: [&str; 6] = ["waiting", "busy", "idle", "unknown", "ended", "unseen"];
const GLYPHS: [&str; 6] = ["◆", "●", "○", "◌", "□", "■"];
const ASCII_GLYPHS: [&str; 6] = ["!", "*", "-", "?", "x", "+"];

/// What a person has set for one state: the icon, the icon for a client without UTF-8, and the style.
type OwnLook<'a> = (&'a str, &'a str, &'a str);

/// An icon and its style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StyledIcon {
    pub glyph: String,
    pub style: Style,
}

/// The icons and the styles.
#[derive(Clone, Debug)]
pub(super) struct Theme {
    looks: [StyledIcon; 6],
    /// Less important text.
    pub dim: Style,
    pub name: Style,
    pub head: Style,
    pub tag: Style,
    pub branch: Style,
    /// Characters that match the filter.
    pub hit: Style,
    /// The chosen row.
    pub chosen: Style,
    /// The bar in front of the chosen row.
    pub bar: Style,
    pub mark: Style,
    pub key: Style,
    pub trouble: Style,
    /// The icon of a sesh whose command has failed.
    pub failed: Style,
    /// Whether the colours of other programs are shown.
    pub colours: bool,
    /// Whether the client shows ASCII characters only.
    pub ascii: bool,
}

impl Theme {
    /// Returns the commands that read what a person has set.
    #[must_use]
    pub(super) fn ask(frame: &Frame, client: Option<&str>) -> Vec<Command> {
        // Without a preset, the plugin's colours are made for the background of the status bar, which is not this one.
        let style = |look: &str| {
            format!(
                "#{{?#{{m:*seshlook_bar*,#{{@seshlook_style_{look}}}}},,#{{E:@seshlook_style_{look}}}}}"
            )
        };
        let glyphs = LOOKS.map(|look| format!("#{{@seshlook_glyph_{look}}}"));
        let ascii = LOOKS.map(|look| format!("#{{@seshlook_ascii_{look}}}"));
        let styles = LOOKS.map(style);
        let failed = style("failed");
        let mut fields = vec!["look".to_string(), "#{@sesh-preset}".into(), failed];
        fields.extend(glyphs.into_iter().chain(ascii).chain(styles));
        vec![
            command::print(None, &frame.format(&fields)),
            command::list_clients(
                &frame.format([
                    "theme",
                    "#{client_name}",
                    "#{client_theme}",
                    "#{client_utf8}",
                ]),
                None,
            ),
        ]
        .into_iter()
        .take(if client.is_some() { 2 } else { 1 })
        .collect()
    }

    /// Parses the answer to [`Theme::ask`]. Other rows are ignored.
    #[must_use]
    pub(super) fn read(rows: &[Vec<&str>], client: Option<&str>) -> Self {
        let mut preset = "";
        let mut own: [OwnLook<'_>; 6] = Default::default();
        let mut own_failed = "";
        let mut ascii = false;
        let mut background = "";
        for row in rows {
            match row[..] {
                ["look", named, failed, ref rest @ ..] if rest.len() == 3 * LOOKS.len() => {
                    (preset, own_failed) = (named, failed);
                    for (at, own) in own.iter_mut().enumerate() {
                        *own = (rest[at], rest[LOOKS.len() + at], rest[2 * LOOKS.len() + at]);
                    }
                }
                ["theme", name, theme, utf8] if Some(name) == client => {
                    background = theme;
                    ascii = utf8 == "0";
                }
                _ => {}
            }
        }
        if env::no_colour() {
            return Self::plain().with(&own, false, ascii);
        }
        let theme = match (preset, background) {
            ("plain", _) => Self::plain(),
            ("light", _) | ("", "light") => Self::light(),
            ("", "dark") | ("dark" | "catppuccin", _) => Self::dark(),
            _ => Self::either(),
        };
        let mut theme = theme.with(&own, true, ascii);
        if !own_failed.is_empty() {
            theme.failed = parse(own_failed);
        }
        theme
    }

    fn with(mut self, own: &[OwnLook<'_>; 6], colours: bool, ascii: bool) -> Self {
        self.ascii = ascii;
        let looks = self.looks.iter_mut().zip(ASCII_GLYPHS);
        for ((look, default), (glyph, own_ascii, style)) in looks.zip(own) {
            let glyph = if ascii { own_ascii } else { glyph };
            if ascii {
                look.glyph = default.into();
            }
            if !glyph.is_empty() {
                look.glyph = (*glyph).into();
            }
            if colours && !style.is_empty() {
                look.style = parse(style);
            }
        }
        self
    }

    fn of(colours: [Option<Color>; 6], dim: Style, accent: Option<Color>) -> Self {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let with = |colour: Option<Color>| Style {
            fg: colour,
            ..Style::new()
        };
        let mut at = 0;
        let looks = GLYPHS.map(|glyph| {
            let mut style = with(colours[at]);
            // These states have to be noticed.
            if matches!(LOOKS[at], "waiting" | "unseen") {
                style = style.add_modifier(Modifier::BOLD);
            }
            at += 1;
            StyledIcon {
                glyph: glyph.into(),
                style,
            }
        });
        Self {
            looks,
            dim,
            name: Style::new(),
            head: dim.add_modifier(Modifier::BOLD),
            tag: with(accent),
            branch: dim,
            hit: Style::new().add_modifier(Modifier::UNDERLINED),
            chosen: bold,
            bar: with(accent).add_modifier(Modifier::BOLD),
            mark: bold,
            key: with(accent),
            trouble: with(colours[0]),
            failed: bold,
            colours: true,
            ascii: false,
        }
    }

    /// Returns the theme for a dark background.
    #[must_use]
    pub(super) fn dark() -> Self {
        let grey = Some(Color::Indexed(246));
        let (waiting, busy, unseen) = (Some(221), Some(114), Some(183));
        let [waiting, busy, unseen] = [waiting, busy, unseen].map(|it| it.map(Color::Indexed));
        let dim = Style::new().fg(Color::Indexed(245));
        let mut theme = Self::of(
            [waiting, busy, grey, grey, grey, unseen],
            dim,
            Some(Color::Indexed(110)),
        );
        theme.chosen = Style::new()
            .bg(Color::Indexed(236))
            .add_modifier(Modifier::BOLD);
        theme.trouble = Style::new().fg(Color::Indexed(210));
        theme.failed = theme.trouble.add_modifier(Modifier::BOLD);
        theme
    }

    /// Returns the theme for a light background.
    #[must_use]
    pub(super) fn light() -> Self {
        let grey = Some(Color::Indexed(240));
        let colour = |number| Some(Color::Indexed(number));
        let dim = Style::new().fg(Color::Indexed(242));
        let looks = [colour(130), colour(28), grey, grey, grey, colour(90)];
        let mut theme = Self::of(looks, dim, colour(25));
        theme.chosen = Style::new()
            .bg(Color::Indexed(254))
            .add_modifier(Modifier::BOLD);
        theme.trouble = Style::new().fg(Color::Indexed(124));
        theme.failed = theme.trouble.add_modifier(Modifier::BOLD);
        theme
    }

    /// Returns the theme for an unknown background: it uses the terminal's own palette, which a person has chosen to be
    /// readable on it.
    #[must_use]
    pub(super) fn either() -> Self {
        let dim = Style::new().add_modifier(Modifier::DIM);
        let looks = [
            Color::Yellow,
            Color::Green,
            Color::Reset,
            Color::Reset,
            Color::Reset,
            Color::Magenta,
        ];
        let mut theme = Self::of(looks.map(Some), dim, Some(Color::Cyan));
        theme.trouble = Style::new().fg(Color::Red);
        theme.failed = theme.trouble.add_modifier(Modifier::BOLD);
        theme
    }

    /// Returns the theme without colours.
    #[must_use]
    pub(super) fn plain() -> Self {
        let mut theme = Self::of([None; 6], Style::new().add_modifier(Modifier::DIM), None);
        theme.looks[0].style = Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED);
        theme.trouble = Style::new().add_modifier(Modifier::BOLD);
        theme.failed = theme.trouble.add_modifier(Modifier::UNDERLINED);
        theme.colours = false;
        theme
    }

    /// Returns the icon and the style of a row's state.
    #[must_use]
    pub(super) fn look(&self, row: &Row) -> StyledIcon {
        if row.uuid().is_none() {
            return StyledIcon {
                glyph: "·".into(),
                style: self.dim,
            };
        }
        let at = match (row.need, row.state) {
            (Some(Need::Finished), _) => 5,
            (_, State::Waiting) => 0,
            (_, State::Busy) => 1,
            (_, State::Idle) => 2,
            (_, State::Unknown | State::Starting) => 3,
            (_, State::Exited) => 4,
        };
        let mut look = self.looks[at].clone();
        if row.failed {
            look.style = self.failed;
        }
        look
    }
}

/// Parses a style of tmux: `fg=colour221,bold`.
fn parse(text: &str) -> Style {
    let mut style = Style::new();
    for word in text.split([',', ' ']) {
        match word {
            "bold" | "bright" => style = style.add_modifier(Modifier::BOLD),
            "dim" => style = style.add_modifier(Modifier::DIM),
            "italics" => style = style.add_modifier(Modifier::ITALIC),
            "underscore" => style = style.add_modifier(Modifier::UNDERLINED),
            "reverse" => style = style.add_modifier(Modifier::REVERSED),
            "default" | "none" => style = Style::new(),
            _ => match word.split_once('=') {
                Some(("fg", name)) => style.fg = colour(name),
                Some(("bg", name)) => style.bg = colour(name),
                _ => {}
            },
        }
    }
    style
}

/// Parses a colour of tmux: a name, a number or `#rrggbb`.
fn colour(name: &str) -> Option<Color> {
    const NAMES: [&str; 8] = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    ];
    if let Some(digits) = name.strip_prefix('#').filter(|digits| digits.len() == 6) {
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        return Some(Color::Rgb(part(0)?, part(2)?, part(4)?));
    }
    let number = name
        .strip_prefix("colour")
        .or_else(|| name.strip_prefix("color"));
    if let Some(number) = number {
        return number.parse().ok().map(Color::Indexed);
    }
    let (name, bright) = match name.strip_prefix("bright") {
        Some(name) => (name, 8),
        None => (name, 0),
    };
    let at = NAMES.iter().position(|it| *it == name)?;
    u8::try_from(at).ok().map(|at| Color::Indexed(at + bright))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::rows::tests::row;
    use super::*;

    #[test]
    fn tmux_styles_are_parsed() {
        let style = parse("fg=colour221,bold");
        assert_eq!(style.fg, Some(Color::Indexed(221)));
        assert!(style.add_modifier.contains(Modifier::BOLD));
        assert_eq!(
            parse("fg=#f9e2af,bg=red").fg,
            Some(Color::Rgb(0xf9, 0xe2, 0xaf))
        );
        assert_eq!(parse("fg=#f9e2af,bg=red").bg, Some(Color::Indexed(1)));
        assert_eq!(parse("fg=brightblack").fg, Some(Color::Indexed(8)));
        assert_eq!(parse("fg=#ää,x=y,,none"), Style::new());
    }

    #[test]
    fn options_of_the_plugin_win() {
        let mut rows = vec!["look", "dark", "fg=blue", "▲", "", "", "", "", ""];
        rows.extend(["^", "", "", "", "", ""]);
        rows.extend(["fg=red", "", "", "", "", ""]);
        let rows = [
            rows,
            vec!["theme", "c", "light", "1"],
            vec!["theme", "d", "", "0"],
        ];
        let theme = Theme::read(&rows, Some("c"));
        let look = theme.look(&row("x", State::Waiting));
        assert_eq!(
            (look.glyph.as_str(), look.style.fg),
            ("▲", Some(Color::Indexed(1)))
        );
        let ascii = Theme::read(&rows, Some("d"));
        let glyph = |state| ascii.look(&row("x", state)).glyph;
        assert_eq!(
            (glyph(State::Waiting), glyph(State::Busy)),
            ("^".into(), "*".into())
        );
        let look = theme.look(&row("x", State::Busy));
        assert_eq!(
            (look.glyph.as_str(), look.style.fg),
            ("●", Some(Color::Indexed(114)))
        );
        let mut failed = row("x", State::Exited);
        failed.failed = true;
        assert_eq!(theme.look(&failed).style.fg, Some(Color::Indexed(4)));
        let theme = Theme::read(&rows[1..], Some("c"));
        assert_eq!(
            theme.look(&row("x", State::Busy)).style.fg,
            Some(Color::Indexed(28))
        );
    }
}
