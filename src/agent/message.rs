//! A message to an agent as text: which part of it can be typed, what the agent would interpret as something else, and
//! how to recognize the same text in a composer, in a hook's payload and in a transcript.

use std::hash::Hasher;
use std::ops::RangeInclusive;

use imara_diff::{Algorithm, Diff, InternedInput};
use siphasher::sip::SipHasher13;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::manifest::Messages;

/// How many characters at the end of a text must match for it to count as the text.
const TAIL: usize = 60;

/// Returns a text without what agents add, remove or draw differently: blanks and line ends, invisible characters, and
/// the frame in which Claude passes a long paste to its model. Accents and Hangul are composed: some agents compose
/// them.
#[must_use]
pub fn normalized(text: &str) -> String {
    visible(text).nfc().collect()
}

fn visible(text: &str) -> String {
    const FRAME: &str = "pasted_content id=";
    let mut visible = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        visible.extend(before.chars().filter(|c| is_visible(*c)));
        let inner = tag[1..].strip_prefix('/').unwrap_or(&tag[1..]);
        rest = match inner.strip_prefix(FRAME).and_then(|_| tag.find('>')) {
            Some(end) => &tag[end + 1..],
            None => {
                visible.push('<');
                &tag[1..]
            }
        };
    }
    visible.extend(rest.chars().filter(|c| is_visible(*c)));
    visible
}

/// Returns what of a text is on the screen whatever the terminal makes of it. tmux drops emoji that are newer than its
/// tables, the modifiers of others, and marks for which a cell has no room.
#[must_use]
pub fn drawn(text: &str) -> String {
    let every = normalized(text);
    every
        .nfd()
        .filter(|c| !(is_combining_mark(*c) || is_emoji(*c)))
        .collect()
}

/// Returns whether a text has characters that programs and terminals draw in different ways: emoji, and those without a
/// width.
#[must_use]
pub fn has_odd_characters(text: &str) -> bool {
    text.chars().any(|c| is_emoji(c) || c.width() == Some(0))
}

fn is_emoji(c: char) -> bool {
    // With the flags, the modifiers of the skin, and the tags of regional flags. U+FFFD is what a terminal shows instead.
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{e0000}'..='\u{e007f}' | '\u{fffd}')
}

fn is_visible(c: char) -> bool {
    // Unicode's format characters that occur in pasted text.
    const INVISIBLE: [RangeInclusive<char>; 6] = [
        '\u{ad}'..='\u{ad}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{2069}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
    ];
    !(c.is_whitespace() || c.is_control() || INVISIBLE.iter().any(|range| range.contains(&c)))
}

/// Returns a fingerprint of a text. It shows whether two texts are the same and reveals nothing of their content.
#[must_use]
pub fn mark(text: &str) -> String {
    let normalized = normalized(text);
    // The hash function of std may change with the compiler, and the fingerprints are stored.
    let mut hasher = SipHasher13::new();
    hasher.write(normalized.as_bytes());
    format!("{:016x}{}", hasher.finish(), normalized.len())
}

/// Returns what can be typed of a text. Lines end with a line feed; the only control characters left are that and the
/// tab. A paste that contains an escape sequence ends there (tmux up to 3.6), and the rest would be keys. Characters
/// that change the direction of a text are removed too: a person could not see what the text contains, and Claude Code
/// 2.1.329 asks a person to look at it.
#[must_use]
pub fn typeable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || changes_direction(*c)))
        .collect();
    text.trim_end_matches('\n').into()
}

fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Why a text would not be a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap<'a> {
    /// The characters at the start or the end of the text that cause it.
    pub mark: &'a str,
    pub at: TextEnd,
}

/// An end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEnd {
    Begin,
    End,
}

/// Returns the text as a message to the agent. A blank precedes a text that would begin a command, and follows one that
/// would continue on a new line or be completed, where the agent accepts that.
///
/// # Errors
/// The characters that the agent would interpret as something else, if no blank helps.
pub fn guarded<'a>(known: &'a Messages, text: &str) -> Result<String, Trap<'a>> {
    let first = text.split(char::is_whitespace).next().unwrap_or_default();
    // A path is not a command where that was tested. Where a blank helps, it does no harm to a path.
    let is_path = first.matches('/').count() > 1;
    let begins = |marks: &'a Option<Vec<String>>| {
        let mut marks = marks.iter().flatten();
        marks.find(|mark| text.starts_with(mark.as_str()))
    };
    if let Some(mark) = begins(&known.commands).filter(|mark| !(is_path && *mark == "/")) {
        return Err(Trap {
            mark,
            at: TextEnd::Begin,
        });
    }
    let mut guarded = String::with_capacity(text.len() + 2);
    if begins(&known.spaced).is_some() {
        guarded.push(' ');
    }
    guarded.push_str(text);
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let mut continued = known.continues.iter().flatten();
    let mut completed = known.completes.iter().flatten();
    if continued.any(|mark| text.ends_with(mark.as_str()))
        || completed.any(|mark| last.starts_with(mark.as_str()))
    {
        guarded.push(' ');
    }
    Ok(guarded)
}

/// Returns whether a draft is only a text that was pasted: all of it, its end where the composer shows no more, or what
/// the agent shows in place of a long text.
#[must_use]
pub fn is_text(known: &Messages, draft: &str, text: &str) -> bool {
    // A person's own text of so many rows or characters does not end in the same way.
    const ROWS: usize = 3;
    let rows = draft.lines().count();
    let shown = normalized(draft);
    let draft = drawn(draft);
    let is = |text: &str| {
        let long = rows >= ROWS || draft.chars().count() >= TAIL;
        // The number of columns distinguishes a text from the same one with emoji.
        let fits = shown.width() <= normalized(text).width();
        let text = drawn(text);
        (!shown.is_empty() && draft == text && fits)
            || (long && !draft.is_empty() && text.ends_with(&draft))
    };
    is(text)
        // aider draws a tab in this way.
        || (text.contains('\t') && is(&text.replace('\t', "^I")))
        || known.pasted.as_ref().is_some_and(|pattern| pattern.matches(&shown))
}

/// Returns whether a draft is what the agent shows in place of a long text.
#[must_use]
pub fn is_abbreviated(known: &Messages, draft: &str) -> bool {
    let pasted = known.pasted.as_ref();
    pasted.is_some_and(|pattern| pattern.matches(&normalized(draft)))
}

/// Returns whether a draft can be a text that was pasted into an empty composer and whose characters the agent and the
/// terminal place differently: rests of what stood there before, or gaps, are between them. Every other text is drawn
/// as it is.
#[must_use]
pub fn resembles(draft: &str, text: &str) -> bool {
    // Of ten characters of both together, so many may be in one of them alone.
    const DIFFERENT: usize = 3;
    let (shown, whole) = (normalized(draft), normalized(text));
    let is_certain = drawn(text).chars().eq(whole.nfd());
    let fits = !shown.is_empty() && shown.width() <= whole.width();
    if is_certain || !fits {
        return false;
    }
    let mut both: InternedInput<char> = InternedInput::default();
    both.update_before(drawn(draft).chars());
    both.update_after(drawn(text).chars());
    let diff = Diff::compute(Algorithm::MyersMinimal, &both);
    let different = (diff.count_removals() + diff.count_additions()) as usize;
    different * 10 <= (both.before.len() + both.after.len()) * DIFFERENT
}

/// Returns whether the end of a text occurs in another one.
#[must_use]
pub fn ends_in(text: &str, other: &str) -> bool {
    let drawn = drawn(text);
    let skip = drawn.chars().count().saturating_sub(TAIL);
    let tail: String = drawn.chars().skip(skip).collect();
    !tail.is_empty() && self::drawn(other).contains(&tail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::kinds::{Agent, Agents};

    fn agent(name: &str) -> Agent {
        let agents = Agents::read(None).all;
        agents.into_iter().find(|it| it.name == name).expect(name)
    }

    proptest! {
        #[test]
        fn changes_that_agents_make_keep_the_mark(text in "[a-z<>/ é日\n\t]{0,200}", id in "[0-9a-f]{4}") {
            let framed = format!("<pasted_content id=\"{id}\">\n{text}\n</pasted_content id=\"{id}\">");
            let spaced: String = text.chars().flat_map(|c| [c, '\u{200b}', ' ']).collect();
            for other in [framed, spaced, format!("  {text}\n\n"), text.replace('\t', "    ")] {
                prop_assert_eq!(mark(&other), mark(&text));
            }
            prop_assert_ne!(mark(&format!("{text}x")), mark(&text));
        }

        #[test]
        fn a_typeable_text_has_no_control_characters(text: String) {
            let typed = typeable(&text);
            prop_assert!(!typed.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
            prop_assert_eq!(typeable(&typed), typed.clone());
            prop_assert!(!typed.ends_with('\n'));
        }

        #[test]
        fn a_guarded_text_is_the_same_text(text in "[/!?#@\\\\a-z \n]{1,40}") {
            for agent in Agents::read(None).all {
                if let Ok(guarded) = guarded(&agent.manifest.messages, &text) {
                    prop_assert_eq!(guarded.trim(), text.trim());
                }
            }
        }
    }

    #[test]
    fn a_draft_is_compared_with_a_text() {
        let claude = agent("claude");
        let long = "word ".repeat(100);
        let is = |draft: &str, text: &str| is_text(&claude.manifest.messages, draft, text);
        assert!(is("say hello", "say hello\n"));
        assert!(is("say\nhel lo", "say hello"));
        assert!(!is("a draft say hello", "say hello"));
        assert!(!is("say hello and more", "say hello"));
        assert!(!is("hello", "say hello"));
        assert!(is(&"word ".repeat(30), &long));
        assert!(is("[Pasted text #2 +9 lines]", &long));
        assert!(!is("see [Pasted text #2 +9 lines]", &long));
        assert!(!is("", "say hello"));
        assert!(is("a^Ib", "a\tb") && !is("a^Ib", "ab"));
    }

    #[test]
    fn the_end_of_a_text_is_found() {
        let text = format!("{} and the end", "x ".repeat(500));
        assert!(ends_in(&text, &format!("> {text}\nanswer")));
        assert!(!ends_in(&text, "> and the end"));
        assert!(ends_in("short", "> short"));
        assert!(!ends_in("", "anything"));
    }
}
