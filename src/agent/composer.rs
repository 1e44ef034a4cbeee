//! The composer: the rows that a person types into, and their content.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::kinds::Agent;
use super::locate::{end_of_prefix, locate};
use super::manifest::ComposerForm;
use super::screen::{Screen, ScreenRow};
use super::state;
use crate::state::State;

/// What Qwen Code draws behind a draft: a character without a width.
const CURSOR_PLACE: char = '\u{200b}';

/// The content of the composer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Composer {
    /// There is no composer: the agent asks a question, or shows something else.
    Absent,
    /// A person has typed nothing. A placeholder or a suggestion may be shown.
    Empty,
    /// The text that a person has typed and not sent.
    Draft(String),
    /// A mode in which Enter does not send, by the text that shows it.
    Locked(String),
}

impl Composer {
    /// Reads the content of an agent's composer from its screen.
    #[must_use]
    pub fn read(agent: &Agent, screen: &Screen) -> Self {
        let input = &agent.manifest.composer;
        let Some(found) = locate(input, screen) else {
            return Self::Absent;
        };
        // A question of the agent can look like a composer, because its choice has the same mark as the prompt.
        let claim = state::on_screen(agent, screen);
        if claim.is_some_and(|claim| claim.state == State::Waiting) {
            return Self::Absent;
        }
        let below = &screen.rows()[found.rows.end..];
        let shown = |text: &&String| below.iter().any(|row| row.text().contains(text.as_str()));
        if let Some(mode) = input.locked.iter().flatten().find(shown) {
            return Self::Locked(mode.clone());
        }
        let rows = screen.rows()[found.text].iter().enumerate();
        let typed: Vec<String> = rows
            .map(|(at, row)| {
                let prompted = at == 0 || input.repeated == Some(true);
                typed_text(input, row, prompted, found.width)
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

/// Returns the text that is typed in a row: without the prompt, the edge and, if it is a placeholder, the faint text.
fn typed_text(input: &ComposerForm, row: &ScreenRow, prompted: bool, width: usize) -> String {
    let shows_mode = |prompt: &&String| input.modes.iter().flatten().any(|mode| mode == *prompt);
    let prompts = input.prompts.iter().chain(&input.plain).flatten();
    let prompts = prompts.filter(|prompt| prompted && !shows_mode(prompt));
    let edges = input.edge.iter().chain(&input.sides);
    let from = prompts
        .chain(edges)
        .find_map(|prefix| end_of_prefix(row, prefix));
    let from = from.unwrap_or(0);
    let mut column = row.whole()[..from].width();
    let characters: Vec<_> = row
        .characters(from)
        .take_while(|(c, _)| {
            column += c.width().unwrap_or(0);
            column <= width
        })
        .collect();
    let has_placeholder = input.faint != Some(true);
    let faint = has_placeholder && characters.iter().any(|(_, style)| style.is_faint());
    characters
        .into_iter()
        // The cursor is drawn over the first character of a placeholder, or under it.
        .filter(|(_, style)| !(faint && (style.is_faint() || style.reverse || style.underlined)))
        .map(|(c, _)| c)
        .filter(|c| *c != CURSOR_PLACE)
        .collect()
}
