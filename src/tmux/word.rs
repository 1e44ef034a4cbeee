//! The two ways a text becomes part of a tmux command, and there is no third.
//!
//! [`word`] is for an argument of the `tmux` program, [`quote`] for a word of a command string:
//! inside `if-shell`, `run-shell -C` and `source-file`, where quotes, `$`, `~` and `#` act.

use std::borrow::Cow;

/// One argument of the `tmux` program that stays one argument.
///
/// tmux (all versions) reads a `;` that ends an argument as a command separator, also from argv:
/// `set -s @v 'foo;' set …` runs two commands. It takes back exactly one backslash before it.
#[must_use]
pub fn word(text: &str) -> Cow<'_, str> {
    match text.strip_suffix(';') {
        Some(head) => Cow::Owned(format!("{head}\\;")),
        None => Cow::Borrowed(text),
    }
}

/// Whether a `;` behind an argument ([`word`]) ends its command: then it need not be an argument of its own, of which
/// tmux 3.3 to 3.5 keep 32 bytes for ever.
#[must_use]
pub fn takes_separator(argument: &str) -> bool {
    !argument.is_empty() && !argument.ends_with([';', '\\'])
}

/// One word of a tmux command string.
///
/// Single quotes take everything to the letter except themselves and, in tmux's lexer, the blanks
/// that follow a newline: so a newline is written as an escape in double quotes.
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
    fn command_strings() {
        assert_eq!(quote("set-option"), "set-option");
        assert_eq!(quote("%3"), "'%3'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote("$HOME ~ #{x} ; {"), "'$HOME ~ #{x} ; {'");
        assert_eq!(quote("a\n b"), "'a'\"\\n\"' b'");
        assert_eq!(quote("A=b"), "'A=b'");
    }
}
