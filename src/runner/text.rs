//! The texts that `sesh-run` shows and stores: the command that waits, the line of a held pane, and the last lines.

use std::time::Duration;

use crate::id::shell_word;
use crate::proc;
use crate::proc::job::End;
use crate::store::schema::HELD;
use crate::store::{tail, value};

/// The end of a line as it is stored.
const NEWLINE: &str = "%0A";
/// Resets what a program that died may have left on: colours, a hidden cursor, mouse and paste modes, and keypad modes.
const RESET_MODES: &str =
    "\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>";

/// Returns a command as a person would have typed it, on a line of its own. No part of it acts on the terminal.
pub(super) fn typed(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<String> = words.map(|word| shell_word(word.as_ref())).collect();
    if words.is_empty() {
        return String::new();
    }
    let line: String = words
        .join(" ")
        .chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    format!("$ {line}\r\n")
}

/// Returns the line that a held pane shows: how its process ended, after which time, and which keys it takes.
pub(super) fn hold_line(end: End, took: Duration, indented: bool, width: usize) -> String {
    let how = match end {
        End::Code(code) => format!("exit {code}"),
        End::Signal(signal) => format!("ended by {}", proc::signal::name(signal)),
    };
    let took = humantime::format_duration(Duration::from_secs(took.as_secs()));
    let line = format!("{HELD}{how} after {took}; Enter closes, r reruns, s opens a shell]");
    let line: String = line.chars().take(width.saturating_sub(1)).collect();
    let newline = if indented { "\r\n" } else { "" };
    format!("{RESET_MODES}{newline}\x1b[2m{line}\x1b[0m")
}

/// Returns the last lines of a screen that hold text, as they are stored: the newest whole lines, each with its line
/// end, so that an empty text differs from an unknown one.
pub(super) fn tail(screen: &str) -> String {
    if screen.trim().is_empty() {
        return NEWLINE.into();
    }
    let mut kept: Vec<String> = Vec::new();
    let mut size = 0;
    for line in screen.trim_end().lines().rev() {
        let line = value::encode(line.trim_end()) + NEWLINE;
        size += line.len();
        if size > tail::BYTES {
            break;
        }
        kept.push(line);
    }
    kept.reverse();
    kept.concat()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_tail_is_whole_lines_from_the_end() {
        assert_eq!(value::decode(&tail("a  \n\nb\n\n\n")), "a\n\nb\n");
        assert_eq!(value::decode(&tail("\n\n")), "\n");
        let long = format!("{}\nlast", "x".repeat(tail::BYTES));
        assert_eq!(value::decode(&tail(&long)), "last\n");
    }

    #[test]
    fn a_command_is_shown_and_does_not_act() {
        let words = ["make", "a b", "\u{1b}[31m", "it's"];
        let line = typed(words.into_iter());
        assert_eq!(line, "$ make 'a b' '\\u{1b}[31m' 'it'\\''s'\r\n");
        assert_eq!(typed([""; 0].into_iter()), "");
    }

    #[test]
    fn the_line_fits_its_pane() {
        let line = hold_line(End::Signal(9), Duration::from_secs(61), true, 20);
        assert!(
            line.contains("\r\n") && line.contains("[sesh: ended by KIL"),
            "{line:?}"
        );
        assert!(!line.contains("KILL"), "{line:?}");
        assert!(hold_line(End::Code(3), Duration::ZERO, false, 80).contains("exit 3 after 0s"));
    }
}
