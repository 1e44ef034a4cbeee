//! What is typed, as a question: words that are looked for anywhere, and terms for one field.

use std::cell::RefCell;

use nucleo_matcher::pattern::{Atom, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::rows::Row;

/// The fields that a term can be of.
const FIELDS: [&str; 4] = ["tag", "agent", "state", "session"];

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Filter {
    words: Vec<Atom>,
    terms: Vec<Term>,
}

/// `tag:x`, or `!tag:x` for those without.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    field: &'static str,
    value: String,
    negative: bool,
}

thread_local! {
    /// It has memory of its own, which is made once.
    static MATCHER: RefCell<Matcher> = RefCell::new(Matcher::new(Config::DEFAULT.match_paths()));
}

impl Filter {
    /// Reads what was typed: `tag:x agent:codex state:waiting` and words; `!word` is one that must not be there, `^word`
    /// begins a field, `word$` ends it, `'word` stands in it as it is.
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

    /// Whether rows have ranks: by terms alone they are chosen, and stay in their groups.
    #[must_use]
    pub(super) fn ranks(&self) -> bool {
        !self.words.is_empty()
    }

    /// How well a row answers; `None` when it does not.
    #[must_use]
    pub(super) fn score(&self, row: &Row) -> Option<u32> {
        if !self.terms.iter().all(|term| term.is_met(row)) {
            return None;
        }
        let (tags, nobody) = (row.tags.join(" "), String::new());
        let fields = [
            &row.name,
            &tags,
            &row.cwd,
            row.agent.as_ref().unwrap_or(&nobody),
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
                    // The name is what people remember.
                    let weight = if at == 0 { 2 } else { 1 };
                    best = best.max(score.map(|score| u32::from(score) * weight));
                }
                total += best?;
            }
            Some(total)
        })
    }

    /// The characters of a text that were looked for, by their number.
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

    /// The start of a value is enough: it counts while it is typed.
    fn is_met(&self, row: &Row) -> bool {
        let starts = |text: &str| text.to_lowercase().starts_with(&self.value);
        let met = match self.field {
            "tag" => row.tags.iter().any(|tag| starts(tag)),
            "agent" => row.agent.as_deref().is_some_and(starts),
            "state" => starts(&row.state_in_words),
            _ => row.place.as_ref().is_some_and(|it| starts(&it.session)),
        };
        met != self.negative
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::super::rows::tests::row;
    use super::*;
    use crate::state::State;

    fn some() -> Row {
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
            assert!(Filter::parse(text).score(&some()).is_some(), "{text}");
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
            assert!(Filter::parse(text).score(&some()).is_none(), "{text}");
        }
    }

    #[test]
    fn terms_are_of_one_field() {
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
            assert!(Filter::parse(text).score(&some()).is_some(), "{text}");
        }
        for text in [
            "tag:login",
            "agent:claude",
            "state:busy",
            "!tag:api",
            "tag:api zzz",
            "session:x",
        ] {
            assert!(Filter::parse(text).score(&some()).is_none(), "{text}");
        }
        assert!(!Filter::parse("tag:api").ranks());
        assert!(Filter::parse("tag:api login").ranks());
        // What is no field is a word.
        assert!(Filter::parse("http://x").ranks());
    }

    #[test]
    fn a_name_is_better_than_a_note() {
        let named = row("release", State::Idle);
        let filter = Filter::parse("release");
        assert!(filter.score(&named) > filter.score(&some()));
        assert_eq!(filter.hits("a release"), (2..9).collect::<Vec<u32>>());
        assert!(filter.hits("nothing").is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_question(text in "\\PC{0,30}", name in "\\PC{1,20}") {
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
