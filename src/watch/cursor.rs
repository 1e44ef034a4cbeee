//! Where a wait begins: what was known of each sesh, written as a word that a caller keeps from one wait to the next.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;
use crate::id::{ServerId, SeshId};

/// The version prefix of the word. A newer form has another prefix.
const VERSION: &str = "c1.";

/// What was known of the seshes of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub server: ServerId,
    pub seshes: BTreeMap<SeshId, SeshCursor>,
}

/// What was known of a sesh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeshCursor {
    pub generation: u64,
    pub ended: bool,
    /// Its state at that moment was reported to the caller.
    pub reported: bool,
    /// What its pane showed, if that was looked at.
    pub shown: Option<ShownOutput>,
}

/// What a pane showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownOutput {
    pub hash: u64,
    /// The line of the terminal cursor, counted from the oldest line in the history.
    pub line: u64,
    /// It was reported to the caller.
    pub reported: bool,
}

const ENDED: u8 = 1;
const REPORTED: u8 = 2;
const SHOWN: u8 = 4;
const SHOWN_REPORTED: u8 = 8;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(12 + 25 * self.seshes.len());
        bytes.extend(self.server.pid.to_be_bytes());
        bytes.extend(self.server.start.to_be_bytes());
        for (id, cursor) in &self.seshes {
            let flag = |is: bool, flag: u8| if is { flag } else { 0 };
            let shown = cursor.shown.unwrap_or_default();
            bytes.push(
                flag(cursor.ended, ENDED)
                    | flag(cursor.reported, REPORTED)
                    | flag(cursor.shown.is_some(), SHOWN)
                    | flag(shown.reported, SHOWN_REPORTED),
            );
            bytes.extend(id.bytes());
            bytes.extend(cursor.generation.to_be_bytes());
            if cursor.shown.is_some() {
                bytes.extend(shown.hash.to_be_bytes());
                bytes.extend(shown.line.to_be_bytes());
            }
        }
        write!(f, "{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.strip_prefix(VERSION)
            .and_then(|word| URL_SAFE_NO_PAD.decode(word).ok())
            .and_then(|bytes| read(&bytes))
            // Any other spelling of the same bytes was not written by sesh-wait.
            .filter(|cursor| cursor.to_string() == text)
            .ok_or_else(|| {
                Error::usage(
                    "not a cursor: give --since the last field of an output line of sesh-wait, as in c1.AAAB…",
                )
            })
    }
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let mut rest = bytes;
    let server = ServerId {
        pid: i32::from_be_bytes(take(&mut rest)?),
        start: number(&mut rest)?,
    };
    let mut seshes = BTreeMap::new();
    while !rest.is_empty() {
        let [flags] = take(&mut rest)?;
        let id = SeshId::from_bytes(take(&mut rest)?);
        let generation = number(&mut rest)?;
        let shown = if flags & SHOWN == 0 {
            None
        } else {
            Some(ShownOutput {
                hash: number(&mut rest)?,
                line: number(&mut rest)?,
                reported: flags & SHOWN_REPORTED != 0,
            })
        };
        let cursor = SeshCursor {
            generation,
            ended: flags & ENDED != 0,
            reported: flags & REPORTED != 0,
            shown,
        };
        seshes.insert(id, cursor);
    }
    Some(Cursor { server, seshes })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn seshes() -> impl Strategy<Value = BTreeMap<SeshId, SeshCursor>> {
        let shown =
            (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(hash, line, reported)| {
                ShownOutput {
                    hash,
                    line,
                    reported,
                }
            });
        let cursor = (
            any::<u64>(),
            any::<bool>(),
            any::<bool>(),
            prop::option::of(shown),
        )
            .prop_map(|(generation, ended, reported, shown)| SeshCursor {
                generation,
                ended,
                reported,
                shown,
            });
        let id = any::<[u8; 16]>().prop_map(SeshId::from_bytes);
        prop::collection::btree_map(id, cursor, 0..5)
    }

    proptest! {
        #[test]
        fn a_cursor_parses_back(pid: i32, start: u64, seshes in seshes()) {
            let cursor = Cursor { server: ServerId { pid, start }, seshes };
            let word = cursor.to_string();
            prop_assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{}", word);
            prop_assert_eq!(word.parse::<Cursor>().expect("a cursor"), cursor);
        }

        #[test]
        fn a_cut_cursor_is_refused_or_shorter(seshes in seshes(), cut in 1_usize..40) {
            let word = Cursor { server: ServerId::NONE, seshes }.to_string();
            let short = &word[..word.len().saturating_sub(cut)];
            if let Ok(cursor) = short.parse::<Cursor>() {
                // A word that is cut between two seshes is a valid word.
                prop_assert_eq!(cursor.to_string(), short);
            }
        }

        #[test]
        fn any_other_text_is_refused(text: String) {
            prop_assert!(text.parse::<Cursor>().is_err());
        }
    }

    #[test]
    fn the_written_form() {
        let server = ServerId {
            pid: 4711,
            start: 1_700_000_000,
        };
        let seshes = BTreeMap::new();
        assert_eq!(Cursor { server, seshes }.to_string(), "c1.AAASZwAAAABlU_EA");
    }

    #[test]
    fn words_that_are_no_cursors() {
        for text in [
            "",
            "c1.",
            "c2.AAAAAAAAAAAAAAAA",
            "c1.AAAAAAAAAAAAAAA=",
            "c1.AAAAAAAAAAAAAAAAAA",
        ] {
            let error = text.parse::<Cursor>().expect_err("no cursor");
            assert_eq!(error.exit.code(), 2, "{text}");
        }
        assert!("c1.AAAAAAAAAAAAAAAA".parse::<Cursor>().is_ok());
    }
}
