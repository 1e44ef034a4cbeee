//! Versions of tmux.

use std::fmt;

/// A tmux version that can be compared: 3.2a is `{ major: 3, minor: 2, patch: 1 }`.
///
/// A build from the development branch (`next-3.8`, `master`) has every feature of the version that it leads to.
/// `master` names no version, so it counts as newer than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    /// 0 for no letter, 1 for `a`, 2 for `b` …
    pub patch: u16,
}

/// The oldest supported tmux: it has what the store needs (`list-panes -f`, `run-shell -C`, pane options).
pub const FLOOR: Version = Version {
    major: 3,
    minor: 2,
    patch: 1,
};

impl Version {
    /// Parses `3.2a`, `tmux 3.5a`, `next-3.8`, `3.6-rc`, `master` and `openbsd-7.4`. The last contains no version of
    /// tmux and counts as new. Returns `None` if the text is not a version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("tmux ").unwrap_or(text);
        if text.is_empty() {
            return None;
        }
        if text == "master" || text.starts_with("openbsd-") {
            return Some(Self {
                major: u16::MAX,
                minor: 0,
                patch: 0,
            });
        }
        let number = text.strip_prefix("next-").unwrap_or(text);
        let (major, rest) = number.split_once('.')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letter = rest[digits..].bytes().next();
        Some(Self {
            major: major.parse().ok()?,
            minor: rest[..digits].parse().ok()?,
            patch: letter
                .filter(u8::is_ascii_lowercase)
                .map_or(0, |letter| u16::from(letter - b'a') + 1),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match u8::try_from(self.patch) {
            Ok(patch @ 1..=26) => write!(f, "{}", char::from(b'a' + patch - 1)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn versions_in_order() {
        let order = [
            "2.9a",
            "3.0",
            "3.2",
            "3.2a",
            "tmux 3.3a",
            "3.4",
            "3.5a",
            "3.6b",
            "3.7",
            "next-3.8",
            "3.10",
            "master",
        ];
        let parsed: Vec<Version> = order
            .iter()
            .map(|text| Version::parse(text).expect("a version"))
            .collect();
        assert!(parsed.is_sorted(), "{parsed:?}");
        assert!(parsed[2] < FLOOR && parsed[3] == FLOOR);
    }

    #[test]
    fn forms_of_a_version() {
        assert_eq!(Version::parse("3.6-rc2"), Version::parse("3.6"));
        assert_eq!(
            Version::parse("3.3a\n").expect("a version").to_string(),
            "3.3a"
        );
        assert_eq!(Version::parse(""), None);
        assert_eq!(Version::parse("x.y"), None);
        assert!(Version::parse("openbsd-7.4").expect("a version") > FLOOR);
    }
}
