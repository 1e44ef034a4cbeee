//! The preview of a row: the text of its pane, live and in colour. For a sesh without a pane it is the end of its
//! conversation, else its last lines.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::rows::{Row, RowId};
use crate::agent::conversation;
use crate::agent::kinds::Agents;
use crate::agent::screen::{self, Colour, Screen};
use crate::agent::transcript::TranscriptLine;
use crate::env;
use crate::pane::capture::{CaptureOptions, CaptureRegion, capture};
use crate::store::Target;
use crate::tmux::Server;

/// A preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preview {
    pub of: Option<RowId>,
    pub lines: Vec<Line<'static>>,
    /// Whether the lines are an error message instead of a preview.
    pub trouble: bool,
}

/// The row to preview, and the number of lines.
#[derive(Clone, Debug)]
pub(super) struct PreviewQuery {
    pub row: Row,
    pub height: u16,
}

/// Captures the requested preview again and again and publishes each that differs from the last, until the channel is
/// closed or `publish` returns `false`.
pub(super) fn watch(
    server: &Server,
    wanted: &Receiver<PreviewQuery>,
    mut publish: impl FnMut(Preview) -> bool,
) {
    // A pane that changes is captured often, another one seldom: no signal reports what a pane prints.
    const OFTEN: Duration = Duration::from_millis(250);
    const SELDOM: Duration = Duration::from_secs(2);
    let mut current: Option<PreviewQuery> = None;
    let mut last = Preview::default();
    let mut pause = OFTEN;
    loop {
        match wanted.recv_timeout(pause) {
            Ok(first) => {
                // Of several that were requested meanwhile, only the last counts.
                current = Some(wanted.try_iter().last().unwrap_or(first));
                pause = OFTEN;
            }
            Err(RecvTimeoutError::Timeout) => pause = (pause * 3 / 2).min(SELDOM),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let Some(wanted) = &current else { continue };
        let now = capture_once(server, wanted);
        if now != last {
            pause = OFTEN;
            last = now.clone();
            if !publish(now) {
                return;
            }
        }
    }
}

/// Captures a preview once.
fn capture_once(server: &Server, wanted: &PreviewQuery) -> Preview {
    let how = CaptureOptions {
        region: CaptureRegion::Text(u32::from(wanted.height.max(1))),
        styled: true,
        joined: false,
    };
    let of = Some(wanted.row.id);
    let shown = |lines| Preview {
        of,
        lines,
        trouble: false,
    };
    if wanted.row.place.is_none()
        && let Some(lines) = conversation_end(&wanted.row, usize::from(wanted.height))
    {
        return shown(lines);
    }
    let target = match (wanted.row.id, &wanted.row.place) {
        (RowId::Pane(pane), _) => Target::Pane(pane),
        (RowId::Sesh(_), Some(place)) => Target::Pane(place.pane),
        (RowId::Sesh(id), None) => Target::Id(id),
    };
    match capture(server, &target, how) {
        Ok(captured) => shown(drawn(&captured.lines.join("\n"))),
        Err(error) => Preview {
            of,
            lines: vec![Line::raw(error.to_string())],
            trouble: true,
        },
    }
}

/// Returns the end of a conversation that has no pane.
fn conversation_end(row: &Row, height: usize) -> Option<Vec<Line<'static>>> {
    let record = row.record.as_ref()?;
    let (kind, id) = (record.agent.as_ref()?, record.conversation.as_ref()?);
    let agents = &Agents::loaded().all;
    let agent = agents.iter().find(|agent| agent.name == *kind)?;
    let variable = |name: &str| env::folder(name).map(Into::into);
    let transcript = conversation::transcript(agent, id, variable)?;
    let entries = transcript.from_begin().more();
    let mut lines = Vec::new();
    for entry in entries {
        let (mark, text) = match entry {
            TranscriptLine::Prompt(text) => ("› ", text),
            TranscriptLine::Answer(text) => ("  ", text),
            TranscriptLine::Note(_) | TranscriptLine::Begin | TranscriptLine::End => continue,
        };
        for (at, line) in text.lines().enumerate() {
            let mark = if at == 0 { mark } else { "  " };
            lines.push(Line::raw(format!("{mark}{line}")));
        }
        lines.push(Line::default());
    }
    let from = lines.len().saturating_sub(height.max(1));
    (!lines.is_empty()).then(|| lines.split_off(from))
}

/// Converts styled text of tmux to lines. Sequences that are no style are left out, so that none takes effect.
fn drawn(ansi: &str) -> Vec<Line<'static>> {
    let rows = Screen::parse(ansi);
    rows.rows().iter().map(line).collect()
}

fn line(row: &screen::ScreenRow) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut text = String::new();
    let mut last = screen::Style::default();
    for (c, style) in row.characters(0) {
        if style != last && !text.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut text), styled(last)));
        }
        last = style;
        text.push(if style.hidden { ' ' } else { c });
    }
    spans.push(Span::styled(text, styled(last)));
    Line::from(spans)
}

fn styled(style: screen::Style) -> Style {
    let mut own = Style::new();
    own.fg = coloured(style.colour);
    own.bg = coloured(style.background);
    for (on, modifier) in [
        (style.bold, Modifier::BOLD),
        (style.dim, Modifier::DIM),
        (style.italic, Modifier::ITALIC),
        (style.underlined, Modifier::UNDERLINED),
        (style.reverse, Modifier::REVERSED),
        (style.struck, Modifier::CROSSED_OUT),
    ] {
        if on {
            own = own.add_modifier(modifier);
        }
    }
    own
}

fn coloured(colour: Colour) -> Option<Color> {
    match colour {
        Colour::Default => None,
        Colour::Index(index) => Some(Color::Indexed(index)),
        Colour::Rgb(red, green, blue) => Some(Color::Rgb(red, green, blue)),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_styles_are_kept() {
        let lines = drawn(
            "\x1b[1;31ma\x1b[0;48;5;4mb\x1b[49;7mc\n\x1b]0;title\x07\x1b[2Jd\x0eq\x0f\x1b[8mx",
        );
        assert_eq!(lines.len(), 2);
        let [a, b, c] = &lines[0].spans[..] else {
            panic!("{:?}", lines[0]);
        };
        assert_eq!(
            (a.content.as_ref(), a.style.fg),
            ("a", Some(Color::Indexed(1)))
        );
        assert!(a.style.add_modifier.contains(Modifier::BOLD));
        assert_eq!((b.style.bg, b.style.fg), (Some(Color::Indexed(4)), None));
        assert!(c.style.add_modifier.contains(Modifier::REVERSED) && c.style.bg.is_none());
        assert_eq!(lines[1].to_string(), "d─ ");
    }

    proptest! {
        #[test]
        fn any_output_becomes_text(ansi in "(\\PC|\x1b|\\[|[0-9;:]|m|\n|\x07){0,60}") {
            for line in drawn(&ansi) {
                prop_assert!(!line.to_string().contains('\x1b'));
            }
        }
    }
}
