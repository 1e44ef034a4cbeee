//! The general mark of work: what an agent shows near its composer while it works, in whatever words.
//!
//! A manifest describes where its agent shows that it works. A new version may show it in another place. A screen that
//! only shows the composer is then taken for idle. This mark is looked for before that.

use std::sync::LazyLock;

use regex::Regex;

use super::screen::{ComposerArea, Screen, ScreenRow};

/// How many rows above the composer are looked at.
const NEAR: usize = 3;

/// A spinner of one braille character before a word, behind nothing or a frame. A picture of braille characters is none.
static SPINNER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\s─━│┃╭╰├]*[\u{2801}-\u{28ff}]\s+\S").expect("a pattern"));

/// A sign, words and how to stop it in parentheses, as in `◉ Thinking (Esc to cancel)`. The signs are no letters and none
/// that begin a line of Markdown.
static STOPPABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^[\s─━│┃╭╰├]*[^\sa-z0-9\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]\s.*\(([^()]*\s)?esc(ape)? to (interrupt|cancel|stop)\b[^()]*\)[\s─━│┃╮╯┤]*$",
    )
    .expect("a pattern")
});

/// Returns whether a row near the composer, or of its frame, has the mark of work.
pub(super) fn shows_work(screen: &Screen, composer: &ComposerArea) -> bool {
    let rows = screen.rows();
    let above = rows.get(..composer.rows.start).unwrap_or_default();
    let above = above.iter().rev().filter(|row| !row.is_blank()).take(NEAR);
    let own = composer
        .rows
        .clone()
        .filter(|at| !composer.text.contains(at));
    let frame = own.filter_map(|at| rows.get(at));
    let below = rows.get(composer.rows.end..).unwrap_or_default();
    above.chain(frame).chain(below).any(is_mark)
}

fn is_mark(row: &ScreenRow) -> bool {
    SPINNER.is_match(row.text()) || STOPPABLE.is_match(row.text())
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
                assert_eq!(shows_work(&screen, &composer(2..5)), !inside, "{text}");
            }
        }
    }

    #[test]
    fn prose_and_pictures_are_no_mark() {
        for row in [
            "The footer says (esc to interrupt) while it works.",
            "- a list (esc to cancel)",
            "> quoted (esc to cancel)",
            "● The words are (esc to interrupt), it says.",
            "⠀⠀⣠⣾⣿⣶⣤⡀",
            "⠋",
        ] {
            assert!(!is_mark(&Screen::parse(row).rows()[0]), "{row}");
        }
    }
}
