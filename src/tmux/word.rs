//! The only two ways in which a text becomes part of a tmux command.
//!
//! [`word`] is for an argument of the `tmux` program. [`quote`] is for a word of a command string, in `if-shell`,
//! `run-shell -C` and `source-file`, where quotes, `$`, `~` and `#` have a meaning.

use std::borrow::Cow;

/// Escapes a text so that it stays one argument of the `tmux` program.
///
/// tmux (all versions) parses a `;` at the end of an argument as a command separator, even in argv:
/// `set -s @v 'foo;' set …` runs two commands. It removes exactly one backslash before the `;`.
#[must_use]
pub fn word(text: &str) -> Cow<'_, str> {
    match text.strip_suffix(';') {
        Some(head) => Cow::Owned(format!("{head}\\;")),
        None => Cow::Borrowed(text),
    }
}

/// Returns whether a `;` appended to an argument (the result of [`word`]) ends its command. Then the `;` need not be a
/// separate argument, of which tmux 3.3 to 3.5 never free 32 bytes.
#[must_use]
pub fn takes_separator(argument: &str) -> bool {
    !argument.is_empty() && !argument.ends_with([';', '\\'])
}

/// Quotes a text as one word of a tmux command string.
///
/// In single quotes every character stands for itself, except a single quote and, in the lexer of tmux, the blanks that
/// follow a newline. So a newline is written as an escape in double quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_@%/.:=+".contains(c);
    let starts_plain = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || "-@/".contains(c));
    if starts_plain && text.chars().all(plain) && !text.contains('=') {
        return text.into();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("'\\''"),
            '\n' => quoted.push_str("'\"\\n\"'"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn only_a_final_semicolon_is_escaped() {
        assert_eq!(word("a;b"), "a;b");
        assert_eq!(word("a;"), "a\\;");
        assert_eq!(word("a\\;"), "a\\\\;");
        assert_eq!(word(";"), "\\;");
    }

    #[test]
    fn words_of_a_command_string() {
        assert_eq!(quote("set-option"), "set-option");
        assert_eq!(quote("%3"), "'%3'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote("$HOME ~ #{x} ; {"), "'$HOME ~ #{x} ; {'");
        assert_eq!(quote("a\n b"), "'a'\"\\n\"' b'");
        assert_eq!(quote("A=b"), "'A=b'");
    }
}
