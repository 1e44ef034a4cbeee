//! The composer: the rows that a person types into, and what stands there.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::kinds::Agent;
use super::locate::{after, locate};
use super::manifest::ComposerForm;
use super::screen::{Screen, ScreenRow};
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

impl Composer {
    /// Looks what stands in an agent's composer.
    #[must_use]
    pub fn read(agent: &Agent, screen: &Screen) -> Self {
        let input = &agent.manifest.composer;
        let Some(found) = locate(input, screen) else {
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

/// What was typed in a row: without prompt, edge and everything faint.
fn typed(input: &ComposerForm, row: &ScreenRow, prompted: bool, width: usize) -> String {
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
