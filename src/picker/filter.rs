//! The filter that is typed: words that are searched in every field, and terms for one field.

use std::cell::RefCell;

use nucleo_matcher::pattern::{Atom, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::rows::Row;

/// The fields that a term can name.
const FIELDS: [&str; 4] = ["tag", "agent", "state", "session"];

/// A parsed filter.
#[derive(Debug, Default)]
pub(super) struct Filter {
    words: Vec<Atom>,
    terms: Vec<Term>,
}

/// A term: `tag:x`, or `!tag:x` for rows without it.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    field: &'static str,
    value: String,
    negative: bool,
}

thread_local! {
    /// The matcher. It allocates memory, so that each thread makes it once.
    static MATCHER: RefCell<Matcher> = RefCell::new(Matcher::new(Config::DEFAULT.match_paths()));
}

impl Filter {
    /// Parses what was typed: `tag:x agent:codex state:waiting` and words. `!word` must not be there, `^word` must
    /// begin a field, `word$` must end it, `'word` must be in it exactly.
    #[must_use]
    pub(super) fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            match Term::parse(word) {
                Some(term) => filter
                    .terms
                    .extend((!term.value.is_empty()).then_some(term)),
                None => {
                    let atom = Atom::parse(word, CaseMatching::Smart, Normalization::Smart);
                    if !atom.needle_text().is_empty() {
                        filter.words.push(atom);
                    }
                }
            }
        }
        filter
    }

    /// Returns whether rows are ranked. Terms alone select rows, which stay in their groups.
    #[must_use]
    pub(super) fn ranks(&self) -> bool {
        !self.words.is_empty()
    }

    /// Returns how well a row matches, `None` where it does not.
    #[must_use]
    pub(super) fn score(&self, row: &Row) -> Option<u32> {
        if !self.terms.iter().all(|term| term.matches(row)) {
            return None;
        }
        let (tags, empty) = (row.tags.join(" "), String::new());
        let fields = [
            &row.name,
            &tags,
            &row.cwd,
            row.agent.as_ref().unwrap_or(&empty),
            &row.note,
        ];
        MATCHER.with_borrow_mut(|matcher| {
            let mut total = 0;
            let mut characters = Vec::new();
            for word in &self.words {
                let mut best = None;
                for (at, field) in fields.iter().enumerate() {
                    let score = word.score(Utf32Str::new(field, &mut characters), matcher);
                    if word.negative && score.is_none() {
                        return None;
                    }
                    // A match in the name counts twice: people remember names.
                    let weight = if at == 0 { 2 } else { 1 };
                    best = best.max(score.map(|score| u32::from(score) * weight));
                }
                total += best?;
            }
            Some(total)
        })
    }

    /// Returns the indexes of the characters of a text that match.
    #[must_use]
    pub(super) fn hits(&self, text: &str) -> Vec<u32> {
        let mut hits = Vec::new();
        MATCHER.with_borrow_mut(|matcher| {
            let mut characters = Vec::new();
            for word in self.words.iter().filter(|word| !word.negative) {
                let mut found = Vec::new();
                let text = Utf32Str::new(text, &mut characters);
                if word.indices(text, matcher, &mut found).is_some() {
                    hits.extend(found);
                }
            }
        });
        hits.sort_unstable();
        hits.dedup();
        hits
    }
}

impl Term {
    fn parse(word: &str) -> Option<Self> {
        let (negative, word) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (name, value) = word.split_once(':')?;
        let field = FIELDS.into_iter().find(|field| *field == name)?;
        Some(Self {
            field,
            value: value.to_lowercase(),
            negative,
        })
    }

    /// Returns whether a row matches. The start of a value is enough, so that a term matches while it is typed.
    fn matches(&self, row: &Row) -> bool {
        let starts = |text: &str| text.to_lowercase().starts_with(&self.value);
        let matches = match self.field {
            "tag" => row.tags.iter().any(|tag| starts(tag)),
            "agent" => row.agent.as_deref().is_some_and(starts),
            "state" => starts(&row.state_in_words) || (row.failed && starts("failed")),
            _ => row.place.as_ref().is_some_and(|it| starts(&it.session)),
        };
        matches != self.negative
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::super::rows::tests::row;
    use super::*;
    use crate::state::State;

    fn sample() -> Row {
        let mut row = row("fix-login", State::Waiting);
        row.state_in_words = "waiting permission".into();
        row.tags = vec!["review".into(), "api".into()];
        row.agent = Some("codex".into());
        row.cwd = "/home/me/src/größe".into();
        row.note = "after the release".into();
        row
    }

    #[test]
    fn words_are_looked_for_in_every_field() {
        for text in [
            "",
            " ",
            "login",
            "flog",
            "review",
            "src",
            "codex",
            "release",
            "login api",
            "größe",
            "gro",
            "^fix",
            "login$",
            "'src",
            "!pause",
            "tag:",
            "state:wait",
        ] {
            assert!(Filter::parse(text).score(&sample()).is_some(), "{text}");
        }
        for text in [
            "logout",
            "login zzz",
            "!login",
            "!review",
            "^login",
            "Login",
            "GRÖSSE",
        ] {
            assert!(Filter::parse(text).score(&sample()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_term_matches_one_field() {
        for text in [
            "tag:review",
            "tag:rev",
            "tag:review tag:api",
            "agent:codex",
            "agent:CODEX",
            "state:waiting",
            "session:main",
            "!tag:x",
            "tag:api login",
        ] {
            assert!(Filter::parse(text).score(&sample()).is_some(), "{text}");
        }
        for text in [
            "tag:login",
            "agent:claude",
            "state:busy",
            "!tag:api",
            "tag:api zzz",
            "session:x",
        ] {
            assert!(Filter::parse(text).score(&sample()).is_none(), "{text}");
        }
        assert!(!Filter::parse("tag:api").ranks());
        assert!(Filter::parse("tag:api login").ranks());
        // A prefix that is no field belongs to a word.
        assert!(Filter::parse("http://x").ranks());
    }

    #[test]
    fn a_match_in_the_name_ranks_above_one_in_the_note() {
        let named = row("release", State::Idle);
        let filter = Filter::parse("release");
        assert!(filter.score(&named) > filter.score(&sample()));
        assert_eq!(filter.hits("a release"), (2..9).collect::<Vec<u32>>());
        assert!(filter.hits("nothing").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter(text in "\\PC{0,30}", name in "\\PC{1,20}") {
            let mut one = row("x", State::Idle);
            one.name = name.clone();
            let filter = Filter::parse(&text);
            let _ = filter.score(&one);
            let length = u32::try_from(name.chars().count()).expect("short");
            prop_assert!(filter.hits(&name).iter().all(|at| *at < length));
        }

        #[test]
        fn a_name_finds_itself(name in "[a-z0-9_-]{1,20}") {
            let one = row(&name, State::Idle);
            let question = format!("'{name}");
            prop_assert!(Filter::parse(&question).score(&one).is_some());
        }
    }
}
