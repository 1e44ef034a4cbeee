//! The general mark of work: what an agent shows near its composer while it works, in whatever words.
//!
//! A manifest describes where its agent shows that it works. A new version may show it in another place. A screen that
//! only shows the composer is then taken for idle. This mark is looked for before that.

use super::locate::end_of_prefix;
use super::manifest::ComposerForm;
use super::screen::{ComposerArea, Screen, ScreenRow};

/// How many rows above the composer are looked at.
const NEAR: usize = 3;

/// Returns whether a row near the composer, or of its frame, has the mark of work. A row that begins with a prompt is a
/// message that a person has sent, which can contain the mark.
pub(super) fn shows_work(input: &ComposerForm, screen: &Screen, composer: &ComposerArea) -> bool {
    let rows = screen.rows();
    let above = rows.get(..composer.rows.start).unwrap_or_default();
    let mut lowest = usize::MAX;
    let above = above.iter().rev().filter(|row| !row.is_blank()).take(NEAR);
    // What is said below a sign, and is no part of it, comes later: the sign is in a message that has been answered.
    let above = above.filter(|row| {
        let indent = row.whole().len() - row.whole().trim_start().len();
        let is_answered = lowest <= indent;
        lowest = lowest.min(indent);
        !is_answered || has_spinner(row)
    });
    let own = composer
        .rows
        .clone()
        .filter(|at| !composer.text.contains(at));
    let frame = own.filter_map(|at| rows.get(at));
    let below = rows.get(composer.rows.end..).unwrap_or_default();
    let is_message = |row: &ScreenRow| {
        let mut prompts = input.prompts.iter().flatten();
        prompts.any(|prompt| end_of_prefix(row, prompt).is_some())
    };
    let mut near = above.chain(frame).chain(below);
    near.any(|row| !is_message(row) && is_mark(row))
}

fn is_mark(row: &ScreenRow) -> bool {
    let is_stoppable = |(sign, words): (char, &str)| is_sign(sign) && can_be_stopped(words);
    has_spinner(row) || sign_and_words(row).is_some_and(is_stoppable)
}

fn has_spinner(row: &ScreenRow) -> bool {
    sign_and_words(row).is_some_and(|(sign, _)| is_spinner(sign))
}

/// Returns the first character of a row, if a blank follows it, and the rest. Frames do not count.
fn sign_and_words(row: &ScreenRow) -> Option<(char, &str)> {
    let edge = |c: char| c.is_whitespace() || "─━│┃╭╮╰╯├┤".contains(c);
    let mut rest = row.text().trim_matches(edge).chars();
    let sign = rest.next()?;
    let words = rest.as_str();
    words
        .starts_with(char::is_whitespace)
        .then_some((sign, words))
}

/// Returns whether a character is one of a braille spinner. A picture has more of them in a row.
fn is_spinner(c: char) -> bool {
    ('\u{2801}'..='\u{28ff}').contains(&c)
}

/// Returns whether a character can be a sign before words: no letter, and none that begins a line of Markdown.
fn is_sign(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric()
}

/// Returns whether a few words end with how to stop what they say, as in `Thinking (Esc to cancel)`. A sentence has more
/// words.
fn can_be_stopped(words: &str) -> bool {
    const FEW: usize = 3;
    let parts = words
        .strip_suffix(')')
        .and_then(|words| words.rsplit_once('('));
    let how = parts.filter(|(what, _)| what.split_whitespace().count() <= FEW);
    let how = how.map(|(_, how)| how.to_lowercase()).unwrap_or_default();
    ["interrupt", "cancel", "stop"].iter().any(|act| {
        [format!("esc to {act}"), format!("escape to {act}")]
            .iter()
            .any(|text| how.contains(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composer(rows: std::ops::Range<usize>) -> ComposerArea {
        ComposerArea {
            text: rows.start + 1..rows.end - 1,
            rows,
            width: 80,
        }
    }

    #[test]
    fn a_mark_is_found_around_the_composer_and_not_in_it() {
        for mark in [
            "⠋ Working",
            "── ⠼ Compacting ──────────",
            "  ⠙ Thinking... (esc to cancel, 2s)",
            "◉ Thinking (Esc to cancel · 193 B)",
            "✻ Pondering (3s · escape to interrupt)",
        ] {
            for (text, inside) in [
                (format!("{mark}\n\n────\n> \n────\n"), false),
                (format!("a\n{mark}\n────\n> \n────\n"), false),
                (format!("a\nb\n{mark}\n> \n────\n"), false),
                (format!("a\nb\n────\n> \n────\n  {mark}\n"), false),
                (format!("a\nb\n────\n{mark}\n────\n"), true),
            ] {
                let screen = Screen::parse(&text);
                let works = shows_work(&ComposerForm::default(), &screen, &composer(2..5));
                assert_eq!(works, !inside, "{text}");
            }
        }
    }

    #[test]
    fn a_message_about_the_mark_is_no_mark() {
        let input = ComposerForm {
            prompts: Some(vec!["❯".into()]),
            ..ComposerForm::default()
        };
        for (row, works) in [
            ("❯ ✻ Pondering (esc to interrupt)", false),
            (" ❯ Pondering (esc to interrupt)", false),
            ("✻ Pondering (esc to interrupt)", true),
        ] {
            let screen = Screen::parse(&format!("{row}\n\n────\n❯ \n────\n"));
            assert_eq!(shows_work(&input, &screen, &composer(2..5)), works, "{row}");
        }
    }

    #[test]
    fn a_message_about_the_mark_that_has_been_answered_is_no_mark() {
        for (above, works) in [
            (" • Working (3s • esc to interrupt)\n got 33", false),
            (
                " • Working (3s • esc to interrupt)\n   Tip: press Tab",
                true,
            ),
            (" ⠋ Working\n and a note", true),
            ("got 33\n• Working (3s • esc to interrupt)", true),
        ] {
            let screen = Screen::parse(&format!("{above}\n────\n> \n────\n"));
            assert_eq!(
                shows_work(&ComposerForm::default(), &screen, &composer(2..5)),
                works,
                "{above}"
            );
        }
    }

    #[test]
    fn prose_and_pictures_are_no_mark() {
        for row in [
            "The footer says (esc to interrupt) while it works.",
            "- a list (esc to cancel)",
            "> quoted (esc to cancel)",
            "● The words are (esc to interrupt), it says.",
            "● Below it says that it works (esc to interrupt)",
            "⠀⠀⣠⣾⣿⣶⣤⡀",
            "⠋",
        ] {
            assert!(!is_mark(&Screen::parse(row).rows()[0]), "{row}");
        }
    }
}
