//! A message to an agent as text: what of it can be typed, what the agent would take for something else, and how the same
//! text is known again in a composer, in a hook's payload and in a transcript.

use std::hash::Hasher;
use std::ops::RangeInclusive;

use siphasher::sip::SipHasher13;

use super::manifest::Messages;

/// How much of a text's end has to stand somewhere for it to count as the text.
const TAIL: usize = 60;

/// What a text is without what agents add, take away or draw otherwise: blanks and line ends, characters that nobody
/// sees, and the frame in which Claude hands a long paste to its model.
#[must_use]
pub fn essence(text: &str) -> String {
    const FRAME: &str = "pasted_content id=";
    let mut essence = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        essence.extend(before.chars().filter(|c| is_seen(*c)));
        let inner = tag[1..].strip_prefix('/').unwrap_or(&tag[1..]);
        rest = match inner.strip_prefix(FRAME).and_then(|_| tag.find('>')) {
            Some(end) => &tag[end + 1..],
            None => {
                essence.push('<');
                &tag[1..]
            }
        };
    }
    essence.extend(rest.chars().filter(|c| is_seen(*c)));
    essence
}

fn is_seen(c: char) -> bool {
    // Unicode's format characters, as far as people paste them.
    const UNSEEN: [RangeInclusive<char>; 6] = [
        '\u{ad}'..='\u{ad}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{2069}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
    ];
    !(c.is_whitespace() || c.is_control() || UNSEEN.iter().any(|range| range.contains(&c)))
}

/// A text's mark: it tells whether two texts are the same, and nothing of what stands in them.
#[must_use]
pub fn mark(text: &str) -> String {
    let essence = essence(text);
    // What std hashes with may change with the compiler, and marks are stored.
    let mut hasher = SipHasher13::new();
    hasher.write(essence.as_bytes());
    format!("{:016x}{}", hasher.finish(), essence.len())
}

/// What can be typed: lines end with a line feed, and there is no control character but that and the tab. A paste that
/// holds an escape sequence ends where it stands (tmux up to 3.6), and the rest would be keys. Nor is there what turns
/// the direction of a text: nobody would see what it says, and Claude Code 2.1.329 asks a person to look at it.
#[must_use]
pub fn typeable(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || turns(*c)))
        .collect();
    text.trim_end_matches('\n').into()
}

fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Why a text would not be a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trap<'a> {
    /// What stands at its begin or its end.
    pub mark: &'a str,
    pub at: TextEnd,
}

/// An end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEnd {
    Begin,
    End,
}

/// The text as it is a message to the agent: with a blank before what would begin a command and behind what would
/// go on or be completed, where the agent takes that so. What no blank helps against is told.
///
/// # Errors
/// What the agent would take for something else.
pub fn guarded<'a>(known: &'a Messages, text: &str) -> Result<String, Trap<'a>> {
    let first = text.split(char::is_whitespace).next().unwrap_or_default();
    // A path is no command where that was tried; where a blank helps, it does a path no harm.
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
    let mut goes_on = known.continues.iter().flatten();
    let mut completed = known.completes.iter().flatten();
    if goes_on.any(|mark| text.ends_with(mark.as_str()))
        || completed.any(|mark| last.starts_with(mark.as_str()))
    {
        guarded.push(' ');
    }
    Ok(guarded)
}

/// Whether a draft is a text that was pasted, and nothing else: all of it, its end where the composer shows no more, or
/// what the agent shows in place of a long one.
#[must_use]
pub fn is_text(known: &Messages, draft: &str, text: &str) -> bool {
    // So many rows or characters are no text of a person's that ends in the same way.
    const ROWS: usize = 3;
    let rows = draft.lines().count();
    let draft = essence(draft);
    let is = |text: &str| {
        let text = essence(text);
        let long = rows >= ROWS || draft.chars().count() >= TAIL;
        draft == text || (long && !draft.is_empty() && text.ends_with(&draft))
    };
    let pasted = known.pasted.as_ref();
    is(text)
        // As aider draws a tab.
        || (text.contains('\t') && is(&text.replace('\t', "^I")))
        || pasted.is_some_and(|pattern| pattern.matches(&draft))
}

/// Whether the end of a text stands in another.
#[must_use]
pub fn ends_in(text: &str, other: &str) -> bool {
    let essence = essence(text);
    let skip = essence.chars().count().saturating_sub(TAIL);
    let tail: String = essence.chars().skip(skip).collect();
    !tail.is_empty() && self::essence(other).contains(&tail)
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
        fn what_agents_do_to_a_text_does_not_change_it(text in "[a-z<>/ é日\n\t]{0,200}", id in "[0-9a-f]{4}") {
            let framed = format!("<pasted_content id=\"{id}\">\n{text}\n</pasted_content id=\"{id}\">");
            let spaced: String = text.chars().flat_map(|c| [c, '\u{200b}', ' ']).collect();
            for other in [framed, spaced, format!("  {text}\n\n"), text.replace('\t', "    ")] {
                prop_assert_eq!(mark(&other), mark(&text));
            }
            prop_assert_ne!(mark(&format!("{text}x")), mark(&text));
        }

        #[test]
        fn what_is_typed_has_no_control_in_it(text: String) {
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
    fn a_draft_that_is_the_text_and_one_that_is_not() {
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
    fn the_end_of_a_text() {
        let text = format!("{} and the end", "x ".repeat(500));
        assert!(ends_in(&text, &format!("> {text}\nanswer")));
        assert!(!ends_in(&text, "> and the end"));
        assert!(ends_in("short", "> short"));
        assert!(!ends_in("", "anything"));
    }
}
