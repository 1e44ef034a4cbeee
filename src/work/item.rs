//! The id of an item of work.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::shown;

/// The largest number of characters of an id.
const MAX_LENGTH: usize = 64;
/// The start of an id that some registries write and people omit.
const PREFIX: &str = "prd-";

/// The id of an item of work: segments joined by `/`, as in `auth/login`. It is a part of names of branches, of refs and
/// of folders. `prd-x` and `x` are one item, and the spelling is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId(String);

impl ItemId {
    /// Returns the id as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id without the prefix `prd-`: two ids with the same text are one item.
    #[must_use]
    pub fn plain(&self) -> &str {
        match self.0.strip_prefix(PREFIX) {
            Some(rest) if is_valid(rest) => rest,
            _ => &self.0,
        }
    }

    /// Returns the branch on which the item is worked, where the registry names none.
    #[must_use]
    pub fn branch(&self) -> String {
        format!("feature/{}", self.plain())
    }

    /// Returns a name of one segment that no other item has, for a file or a folder.
    #[must_use]
    pub fn file_name(&self) -> String {
        // No id contains a comma.
        self.plain().replace('/', ",")
    }
}

/// Returns whether a text consists of segments that git takes as parts of a ref.
fn is_valid(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let first = segment.bytes().next();
        first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && !segment.contains("..")
            && segment.strip_suffix(".lock").is_none()
            && !segment.ends_with('.')
    };
    text.len() <= MAX_LENGTH && text.split('/').all(is_segment)
}

impl FromStr for ItemId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if is_valid(text) {
            return Ok(Self(text.into()));
        }
        Err(Error::usage(format!(
            "{} is no id of an item: write up to 64 letters, digits, . _ - and /, as in auth/login",
            shown(text)
        )))
    }
}

impl TryFrom<String> for ItemId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> Self {
        id.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for ItemId {
    fn eq(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }
}

impl Eq for ItemId {}

impl Hash for ItemId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.plain().hash(state);
    }
}

impl Ord for ItemId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.plain().cmp(other.plain())
    }
}

impl PartialOrd for ItemId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn what_git_takes_as_a_ref_is_an_id() {
        let longest = "x".repeat(64);
        for text in [
            "x",
            "prd-x",
            "auth/login",
            "_a",
            "1.2-b_c",
            "a.lock.b",
            &longest,
        ] {
            assert!(text.parse::<ItemId>().is_ok(), "{text}");
        }
        let too_long = "x".repeat(65);
        for text in [
            "", "/", "a/", "/a", "a//b", ".a", "-a", "a..b", "a.lock", "a.lock/b", "a.", "a b",
            "a;b", "#(x)", "ä", "a\n", "@", "a{", "../a", "a/../b", &too_long,
        ] {
            assert!(text.parse::<ItemId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_prefix_makes_no_other_item() {
        let id = |text: &str| text.parse::<ItemId>().expect("an id");
        assert_eq!(id("prd-x"), id("x"));
        assert_eq!(id("prd-x").as_str(), "prd-x");
        assert_eq!(id("prd-x").branch(), "feature/x");
        assert!(id("prd-x") != id("y"));
        assert_eq!(id("prd-").plain(), "prd-");
        assert_eq!(id("a/b").file_name(), "a,b");
    }
}
