//! The line that a shell is reading, as its screen shows it: what stands left of the cursor is a prompt, or a prompt and
//! a text that was typed.
//!
//! A prompt is known by its last character, or by a symbol that it begins with. Where a text could have been typed after
//! it that ends in the same way, the screen alone does not decide.

use unicode_width::UnicodeWidthChar;

use crate::agent::screen::{Screen, ScreenRow, Style};

/// What a shell's line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineContent {
    Empty,
    /// Something was typed and not sent.
    Typed,
    /// The screen does not decide between the two.
    Unsure,
    /// What stands before the cursor is no prompt: a question, or nothing.
    NoPrompt,
}

/// The last characters of the usual prompts.
const MARKS: [char; 7] = ['$', '%', '#', '>', '❯', '›', '»'];

/// How zsh 5.9 names what a continued line continues (`%_` in its manual).
const CONTINUED: [&str; 22] = [
    "always",
    "array",
    "bquote",
    "braceparam",
    "case",
    "cmdor",
    "cmdand",
    "cmdsubst",
    "cond",
    "cursh",
    "dquote",
    "else",
    "elif",
    "errbrace",
    "for",
    "foreach",
    "function",
    "heredoc",
    "heredocd",
    "if",
    "pipe",
    "quote",
];

/// More of [`CONTINUED`].
const CONTINUED_TOO: [&str; 8] = [
    "math",
    "mathsubst",
    "repeat",
    "select",
    "subsh",
    "then",
    "until",
    "while",
];

/// Returns what the line at the cursor holds. `width` is the number of columns of the pane.
#[must_use]
pub fn line(screen: &Screen, (column, row): (usize, usize), width: usize) -> LineContent {
    let rows = screen.rows();
    let Some(at_cursor) = rows.get(row) else {
        return LineContent::NoPrompt;
    };
    let (left, right) = split(at_cursor, column);
    let below = rows.iter().skip(row + 1).any(|row| !row.is_blank());
    if below || !(is_suggestion(&right) || is_right_prompt(&right, column, width)) {
        return LineContent::Typed;
    }
    let prompt = left.trim_end();
    let blanks = left.chars().count() - prompt.chars().count();
    let Some(last) = prompt.chars().next_back() else {
        return LineContent::NoPrompt;
    };
    let above = &rows[..row];
    if is_search(prompt) || is_continued(prompt, above) {
        return LineContent::Typed;
    }
    // The prompts of `select`, and of `read` in fish.
    if ["#?", "?#", "read>"].contains(&prompt.trim_start()) {
        return LineContent::NoPrompt;
    }
    let is_prompt = MARKS.contains(&last) || is_symbol(last);
    let has_text = has_text_after_mark(prompt);
    let wraps = above
        .last()
        .is_some_and(|above| columns(above.whole()) >= width && has_text_after_mark(above.text()));
    match (is_prompt, has_text || wraps) {
        (true, false) if blanks <= 1 => LineContent::Empty,
        (true, _) => LineContent::Unsure,
        (false, true) => LineContent::Typed,
        (false, false) if prompt.trim_start().starts_with(is_symbol) => LineContent::Unsure,
        (false, false) => LineContent::NoPrompt,
    }
}

/// Returns the text left of a column and the characters right of it.
pub(crate) fn split(row: &ScreenRow, column: usize) -> (String, Vec<(char, Style)>) {
    let mut left = String::new();
    let mut right = Vec::new();
    let mut at = 0;
    for (c, style) in row.characters(0) {
        if at < column {
            left.push(c);
        } else {
            right.push((c, style));
        }
        at += c.width().unwrap_or(0);
    }
    // tmux prints no blanks at the end of a row.
    left.extend(std::iter::repeat_n(' ', column.saturating_sub(at)));
    (left, right)
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Returns whether nothing stands right of the cursor but a suggestion, which is faint.
fn is_suggestion(right: &[(char, Style)]) -> bool {
    right
        .iter()
        .all(|(c, style)| c.is_whitespace() || style.is_faint())
}

/// Returns whether what stands right of the cursor is a prompt at the right edge: a blank separates it from the line.
fn is_right_prompt(right: &[(char, Style)], column: usize, width: usize) -> bool {
    let text: String = right.iter().map(|(c, _)| *c).collect();
    // zsh leaves the last column free.
    text.starts_with(' ') && column + columns(text.trim_end()) + 2 >= width
}

/// Returns whether the row is the one in which bash and ksh search the history.
fn is_search(prompt: &str) -> bool {
    prompt.starts_with('(') && prompt.contains("i-search)")
}

/// Returns whether a prompt is that of a line that continues the one above it.
fn is_continued(prompt: &str, above: &[ScreenRow]) -> bool {
    if let Some(words) = prompt.strip_suffix('>')
        && !words.is_empty()
    {
        let mut words = words.split(' ');
        return words.all(|word| CONTINUED.contains(&word) || CONTINUED_TOO.contains(&word));
    }
    if prompt != ">" {
        return false;
    }
    // As a first prompt it stands below its own lines and what they have printed, as a second one below a first one
    // with a text.
    let first = above.iter().rfind(|row| !row.text().starts_with('>'));
    first.is_some_and(|row| has_text_after_mark(row.text()))
}

/// Returns whether a text follows one of the [`MARKS`] and a blank.
fn has_text_after_mark(text: &str) -> bool {
    // A shell that has read empty lines ahead shows its prompt once for each of them, in one row.
    let mut words = text.split_whitespace();
    let first = words.next();
    if words.all(|word| Some(word) == first) {
        return false;
    }
    let characters: Vec<char> = text.trim().chars().collect();
    characters
        .windows(2)
        .enumerate()
        // A symbol at the very beginning does not end a prompt.
        .any(|(at, pair)| {
            let ends = MARKS.contains(&pair[0]) && (pair[0].is_ascii() || at > 0);
            ends && pair[1] == ' '
        })
}

/// Returns whether a character is a symbol, as prompts are decorated with: neither of a word nor of a sentence.
fn is_symbol(c: char) -> bool {
    const OF_SENTENCES: &str = "：？！。，、；…–—“”‘’«¿¡";
    c == 'λ' || !(c.is_ascii() || c.is_alphanumeric() || OF_SENTENCES.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the line of a screen whose cursor stands at `|`.
    #[track_caller]
    fn at(shown: &str) -> LineContent {
        let row = shown
            .lines()
            .position(|row| row.contains('|'))
            .expect("a cursor");
        let before = shown.lines().nth(row).and_then(|row| row.split('|').next());
        let plain = before.expect("a row").replace("\x1b[90m", "");
        line(
            &Screen::parse(&shown.replace('|', "")),
            (columns(&plain), row),
            60,
        )
    }

    #[test]
    fn empty_lines() {
        for shown in [
            "user@host:~/w$ |",
            "$ ls\nfile\n$ |",
            "bash-5.2# |",
            "host% |",
            "root@vm /t/sh# |",
            "╭─user@host ~/w\n╰─$ |",
            "┌──(kali㉿kali)-[~]\n└─# |",
            "~/w on main\n❯ |",
            "λ |",
            "~ % |                                              12:30:01",
            "> |",
            "> ls\nfile\n> |",
            "$ |\x1b[90mls -la",
            "(venv) user@host:~$|",
            "# # # # |",
            " ~/w \u{e0b0} |",
        ] {
            assert_eq!(at(shown), LineContent::Empty, "{shown}");
        }
    }

    #[test]
    fn typed_lines() {
        for shown in [
            "$ touch half-|",
            "$ |touch half-",
            "$ touch| half-",
            "vm# echo ab |",
            "~ % ls|                                            12:30:01",
            "$ echo \"a\n> |",
            "$ for x in 1 2\n> do\n> |",
            "vm# echo 'a\nquote> |",
            "vm# for x in a\nfor> |",
            "vm# if true\nif cmdsubst> |",
            "(reverse-i-search)`make': make| test",
            "(failed reverse-i-search)`x': |",
            "vm# make|\nbck-i-search: ma_",
            "$ |\nfile1  file2",
        ] {
            assert_eq!(at(shown), LineContent::Typed, "{shown}");
        }
    }

    #[test]
    fn lines_that_the_screen_does_not_decide() {
        for shown in [
            "➜  w |",
            "➜  w ls|",
            "$ echo a > |",
            "$   |",
            "~/src > main > |",
            "$ echo 50% |",
        ] {
            assert_eq!(at(shown), LineContent::Unsure, "{shown}");
        }
    }

    #[test]
    fn no_prompts() {
        for shown in [
            "|",
            "$ read x\n|",
            "Delete it all? [y/N] |",
            "Password: |",
            "1) a\n2) b\n#? |",
            "1) a  2) b\n?# |",
            "read> |",
            "Soll das weg？|",
        ] {
            assert_eq!(at(shown), LineContent::NoPrompt, "{shown}");
        }
    }
}
