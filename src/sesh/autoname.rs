//! Names a sesh after its conversation.

use unicode_normalization::UnicodeNormalization;

use super::change::change;
use super::log;
use crate::agent::kinds::Agents;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, prints};
use crate::store::Record;
use crate::store::edit::Edit;
use crate::store::registration::is_name_free;
use crate::tmux::Server;

/// The largest number of words of a name.
const MAX_WORDS: usize = 4;
/// The largest length of a name, in characters, without the number that makes it unique.
const MAX_CHARACTERS: usize = 32;
/// How many names are tried.
const MAX_ATTEMPTS: usize = 1000;

/// Words that say nothing of the subject.
#[rustfmt::skip]
const FILLERS: [&str; 53] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "by", "can", "could", "do", "for", "from", "hello", "hey", "hi",
    "i", "if", "in", "into", "is", "it", "its", "let", "lets", "me", "my", "now", "of", "on", "or", "our", "please", "s",
    "should", "so", "some", "that", "the", "their", "then", "there", "this", "to", "us", "want", "we", "will", "with", "would",
    "you",
];

/// Small letters of the Latin script that are no letter of ASCII with an accent, and what is written for them.
#[rustfmt::skip]
const LETTERS: [(char, &str); 12] = [
    ('ß', "ss"), ('æ', "ae"), ('œ', "oe"), ('ø', "o"), ('ł', "l"), ('đ', "d"), ('ð', "d"), ('þ', "th"), ('ħ', "h"), ('ŧ', "t"),
    ('ŋ', "ng"), ('ı', "i"),
];

/// What a sesh is to be named after, and its edits.
#[derive(Clone, Debug)]
pub struct Autoname<'a> {
    record: &'a Record,
    words: String,
}

impl<'a> Autoname<'a> {
    /// Reads what a sesh is to be named after: the title of its conversation, else its first prompt.
    ///
    /// # Errors
    /// [`Exit::Unusable`] if it has no transcript that can be read, and [`Exit::Nothing`] if there is no title and no
    /// prompt yet.
    pub fn read(record: &'a Record, agents: &Agents) -> Result<Self> {
        let subject = log::subject(record, agents)?;
        let words = subject.as_deref().and_then(words);
        let words = words.ok_or_else(|| {
            Error::nothing(format!(
                "{} has no title and no prompt with a word yet",
                record.name
            ))
            .with_way_out("--name names it")
        })?;
        Ok(Self { record, words })
    }

    /// Gives the sesh the first free name, and makes the edits to it.
    ///
    /// # Errors
    /// As [`change`].
    pub fn carry_out(&self, server: &Server, edits: &[Edit]) -> Result<Record> {
        for attempt in 0..MAX_ATTEMPTS {
            let name = self.name(attempt)?;
            let is_own = name.as_str() == self.record.name;
            if !is_own && !is_name_free(server, &name)? {
                continue;
            }
            let rename = (!is_own).then(|| Edit::Name(name.clone()));
            let all: Vec<Edit> = rename.into_iter().chain(edits.iter().cloned()).collect();
            if all.is_empty() {
                return Ok(self.record.clone());
            }
            match change(server, self.record, &all) {
                // Another sesh has taken the name since then.
                Err(error)
                    if error.exit == Exit::Unusable && !is_own && !is_name_free(server, &name)? => {
                }
                outcome => return outcome,
            }
        }
        Err(Error::unusable(format!(
            "no free name like {} found: --name names it",
            self.words
        )))
    }

    fn name(&self, attempt: usize) -> Result<Name> {
        match attempt {
            0 => self.words.parse(),
            again => format!("{}-{}", self.words, again + 1).parse(),
        }
    }
}

/// Returns the first words of a text that say something, in lower case, as in `fix-login-race`. They consist of ASCII
/// letters and digits, unless the text has none.
fn words(text: &str) -> Option<String> {
    let sentences = || {
        text.split(['\n', '.', '!', '?', ';'])
            .map(str::to_lowercase)
    };
    let ascii = |sentence: String| {
        let letters = sentence.nfkd().filter(|c| !is_mark(*c));
        joined(&letters.fold(String::new(), with_ascii))
    };
    let other = |sentence: String| {
        let letters = sentence.nfc();
        let letters = letters.map(|c| {
            if c.is_alphanumeric() && prints(c) {
                c
            } else {
                ' '
            }
        });
        joined(&letters.collect::<String>())
    };
    let found = sentences().find_map(ascii);
    let found = found.or_else(|| sentences().find_map(other));
    found.filter(|name| name.parse::<Name>().is_ok())
}

/// Appends the ASCII letters or the digit of a character. Any other one parts words.
fn with_ascii(mut text: String, c: char) -> String {
    match LETTERS.iter().find(|(letter, _)| *letter == c) {
        Some((_, ascii)) => text.push_str(ascii),
        None => text.push(if c.is_ascii_alphanumeric() { c } else { ' ' }),
    }
    text
}

/// Returns whether a character is an accent or the like, or an apostrophe, which does not part words.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c) || "'\u{2019}".contains(c)
}

/// Joins the words of a sentence, without those that say nothing.
fn joined(sentence: &str) -> Option<String> {
    let words = sentence.split_whitespace();
    let words = words.filter(|word| !FILLERS.contains(word));
    let mut name = String::new();
    for word in words.take(MAX_WORDS) {
        let size = name.chars().count() + 1 + word.chars().count();
        if name.is_empty() {
            name.extend(word.chars().take(MAX_CHARACTERS));
        } else if size <= MAX_CHARACTERS {
            name.push('-');
            name.push_str(word);
        } else {
            break;
        }
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_of_a_name() {
        let cases = [
            ("Fix login race", Some("fix-login-race")),
            (
                "Please fix the login race in src/auth.rs, and test it",
                Some("fix-login-race-src"),
            ),
            (
                "Hi!\nCan you look into the flaky test?",
                Some("look-flaky-test"),
            ),
            ("Größe überprüfen", Some("grosse-uberprufen")),
            ("ẞ STRASSE", Some("ss-strasse")),
            ("Ærø Łódź Đorđe Þór", Some("aero-lodz-dorde-thor")),
            ("Ǿre œuvre ısı İzmir", Some("ore-oeuvre-isi-izmir")),
            ("жизнь naïve", Some("naive")),
            ("don't panic", Some("dont-panic")),
            ("#(touch x); \"'$(rm -rf /)", Some("touch-x")),
            ("\u{1f980}\u{1f980} crab", Some("crab")),
            ("ログインを修正して", Some("ログインを修正して")),
            ("the", None),
            ("\u{1f980}", None),
            ("", None),
            (" \n\t%@$=-.", None),
        ];
        for (text, name) in cases {
            assert_eq!(words(text).as_deref(), name, "{text:?}");
        }
        let long = words(&"abcdefgh ".repeat(2000)).expect("a name");
        assert_eq!(long, "abcdefgh-abcdefgh-abcdefgh");
        let long = words(&"x".repeat(10_000)).expect("a name");
        assert_eq!(long.len(), MAX_CHARACTERS);
    }

    proptest! {
        #[test]
        fn all_words_are_a_name(text: String) {
            if let Some(words) = words(&text) {
                let numbered = format!("{words}-999");
                prop_assert!(words.parse::<Name>().is_ok());
                prop_assert!(numbered.parse::<Name>().is_ok());
            }
        }
    }
}
