//! Typed identifiers. Each is checked once, where it is parsed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use unicode_width::UnicodeWidthChar;

use crate::error::Error;

/// The id of a pane of one server: `%` and a number. tmux never reuses it while the server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneId(pub u32);

impl fmt::Display for PaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl FromStr for PaneId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.strip_prefix('%')
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(PaneId)
            .ok_or_else(|| {
                Error::usage(format!(
                    "{text:?} is not a pane: write % and a number, as in %3"
                ))
            })
    }
}

impl Serialize for PaneId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The identity of a process: its pid and its start, which differs from that of a later process with the same pid. It
/// is stored and printed as `pid:start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId {
    pub pid: i32,
    /// When the process started: in clock ticks since boot on Linux, elsewhere in a unit of the system. 0 if the
    /// process table does not contain it.
    pub start: u64,
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pid, self.start)
    }
}

impl FromStr for ProcessId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.split_once(':')
            .and_then(|(pid, start)| {
                Some(Self {
                    pid: pid.parse().ok()?,
                    start: start.parse().ok()?,
                })
            })
            .ok_or_else(|| {
                Error::usage(format!(
                    "{} is not a process: write its pid and its start, as in 4711:90210",
                    shown(text)
                ))
            })
    }
}

/// The identity of a tmux server: its pid and its start, which distinguish it from earlier and later servers at the
/// same socket.
///
/// The journal stores it as `{"pid":…,"start":…}`, the cursors store it as bytes. It does not contain the socket and
/// the machine, because they are known wherever it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServerId {
    pub pid: i32,
    /// When the server started, by its own clock (`#{start_time}`), in seconds since the epoch.
    pub start: u64,
}

impl ServerId {
    /// No server, or an unknown one. In the journal it means that the pending restore of a sesh that was alive has been
    /// answered, so that it is not offered again.
    pub const NONE: Self = Self { pid: 0, start: 0 };

    /// Parses what tmux printed for `#{pid}` and `#{start_time}`.
    #[must_use]
    pub fn read(pid: &str, start: &str) -> Option<Self> {
        Some(Self {
            pid: pid.parse().ok()?,
            start: start.parse().ok()?,
        })
    }
}

/// The identity of a sesh: a UUID in lower case, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeshId(uuid::Uuid);

impl SeshId {
    /// Returns a new random identity (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }

    /// Returns the 32 digits without dashes, for names that tmux or a shell reads.
    #[must_use]
    pub fn simple(self) -> String {
        self.0.simple().to_string()
    }

    /// Parses the form that [`SeshId::simple`] returns.
    #[must_use]
    pub fn from_simple(digits: &str) -> Option<Self> {
        let id = uuid::Uuid::try_parse(digits).ok().map(Self)?;
        (id.simple() == digits).then_some(id)
    }

    /// Returns the identity that has these bytes: the inverse of [`SeshId::bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }

    /// Returns the bytes of the UUID. Generated names are derived from them.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }
}

impl fmt::Display for SeshId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for SeshId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // Only the hyphenated form is accepted: 32 digits without hyphens would not even be the prefix of an identity.
        if text.len() == 36
            && let Ok(uuid) = uuid::Uuid::try_parse(text)
        {
            return Ok(Self(uuid));
        }
        Err(Error::usage(format!(
            "{text:?} is not a UUID: a UUID has 36 characters, as in 3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f"
        )))
    }
}

/// The characters that no name may contain, because they have a meaning to tmux, to a shell or to the store.
const FORBIDDEN_IN_NAMES: &str = "#$\\'\";{},~`";

/// The non-ASCII characters that have a width of their own in every C library of the last ten years.
///
/// tmux asks its C library. If a character is too new for it, tmux prints the character in octal or drops it from a
/// path (seen: U+11375 and U+3134B on 3.3a with glibc 2.36). No character in these ranges joins, reverses or hides
/// text.
const PRINTABLE: [std::ops::RangeInclusive<char>; 28] = [
    '\u{a1}'..='\u{ac}',
    '\u{ae}'..='\u{24f}',
    '\u{391}'..='\u{3a1}',
    '\u{3a3}'..='\u{3ce}',
    '\u{400}'..='\u{45f}',
    '\u{5d0}'..='\u{5ea}',
    '\u{621}'..='\u{63a}',
    '\u{641}'..='\u{64a}',
    '\u{905}'..='\u{939}',
    '\u{e01}'..='\u{e30}',
    '\u{1e00}'..='\u{1eff}',
    '\u{2010}'..='\u{2015}',
    '\u{2018}'..='\u{2022}',
    '\u{2026}'..='\u{2026}',
    '\u{20ac}'..='\u{20ac}',
    '\u{2190}'..='\u{2199}',
    '\u{2500}'..='\u{259f}',
    '\u{25a0}'..='\u{25cf}',
    '\u{2600}'..='\u{2612}',
    '\u{2713}'..='\u{2718}',
    '\u{3041}'..='\u{3096}',
    '\u{30a1}'..='\u{30fc}',
    '\u{4e00}'..='\u{9fa5}',
    '\u{ac00}'..='\u{d7a3}',
    '\u{1f300}'..='\u{1f5ff}',
    '\u{1f600}'..='\u{1f64f}',
    '\u{1f680}'..='\u{1f6c5}',
    '\u{1f910}'..='\u{1f9ff}',
];

/// Returns whether every tmux prints a character unchanged and with a width of its own.
#[must_use]
pub fn prints(c: char) -> bool {
    if c.is_ascii() {
        c == ' ' || c.is_ascii_graphic()
    } else {
        c.width().unwrap_or(0) > 0 && PRINTABLE.iter().any(|range| range.contains(&c))
    }
}

/// The name of a sesh, which is unique among the live seshes of a server.
///
/// [`str::parse`] checks a new name. [`Name::stored`] parses a name that was stored earlier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Parses a stored name. Also accepts names that a new sesh may not have, since earlier versions allowed `:`.
    ///
    /// # Errors
    /// [`Exit::Usage`](crate::error::Exit::Usage) for a text that no version has accepted as a name.
    pub fn stored(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(invalid_name(text, "it is empty"));
        }
        if text.chars().count() > 64 {
            return Err(invalid_name(text, "it is longer than 64 characters"));
        }
        for c in text.chars() {
            // A character of zero width is invisible in a list. At the start of a line it kills a tmux server that
            // prints it to a client without UTF-8 (all versions).
            if !prints(c) {
                let why = format!("it contains {c:?}, which not every terminal prints");
                return Err(invalid_name(text, &why));
            }
            if FORBIDDEN_IN_NAMES.contains(c) {
                return Err(invalid_name(text, &format!("it contains {c:?}")));
            }
        }
        if text.starts_with(['%', '@', '$', '=', '-', '.']) {
            return Err(invalid_name(text, "it starts with one of % @ $ = - ."));
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return Err(invalid_name(text, "it starts or ends with a space"));
        }
        if text.parse::<SeshId>().is_ok() {
            return Err(invalid_name(text, "it is a UUID"));
        }
        Ok(Self(text.into()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the session or window name for a sesh of this name.
    ///
    /// tmux 3.2a to 3.6b silently replace `:` and `.` by `_`, 3.7 and later keep them, and both are target syntax. So
    /// neither remains in the label.
    #[must_use]
    pub fn label(&self) -> String {
        self.0
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '-' || c == '_' {
                    c
                } else {
                    '_'
                }
            })
            .collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Error;

    /// Checks a new name. It may not contain `:`, which is reserved to separate a host from a name.
    fn from_str(text: &str) -> Result<Self, Error> {
        let name = Self::stored(text)?;
        if text.contains(':') {
            return Err(invalid_name(
                text,
                "it contains ':', which is reserved for hosts",
            ));
        }
        Ok(name)
    }
}

fn invalid_name(text: &str, why: &str) -> Error {
    Error::usage(format!("{} is not a valid name: {why}", shown(text)))
}

/// A tag: 1 to 64 characters of `[A-Za-z0-9_/-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_/-".contains(&byte));
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(Error::usage(format!(
                "{} is not a tag: a tag is 1 to 64 of A-Z a-z 0-9 _ / -{}",
                shown(text),
                if text.contains(',') {
                    "; give several one by one"
                } else {
                    ""
                }
            )))
        }
    }
}

/// Returns a number with the word for what it counts.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Returns a rejected text quoted, escaped and cut to fit one line of stderr.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("{cut:?}")
}

/// Quotes a word so that a POSIX shell reads it unchanged.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_@%/.:=+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_process_id_round_trips(pid: i32, start: u64) {
            let process = ProcessId { pid, start };
            prop_assert_eq!(process.to_string(), format!("{pid}:{start}"));
            prop_assert_eq!(process.to_string().parse::<ProcessId>().expect("a process"), process);
        }

        #[test]
        fn parsing_a_process_id_never_panics(text: String) {
            let _ = text.parse::<ProcessId>();
        }
    }

    #[test]
    fn invalid_process_ids() {
        for text in [
            "",
            "1",
            "1:",
            ":1",
            "1:2:3",
            "1:-2",
            "a:b",
            "1: 2",
            "4294967296:1",
        ] {
            assert!(text.parse::<ProcessId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn valid_names() {
        for name in [
            "build",
            "api server",
            "größe",
            "日本",
            "🦀",
            "a.b",
            "x=1",
            "100%",
            "abc",
            "f00",
            "feature/x",
            "(a|b)&c",
            "face it",
            // They may also be the start of a UUID.
            "face",
            "12345",
            "deadbeef",
        ] {
            assert!(name.parse::<Name>().is_ok(), "{name}");
        }
    }

    #[test]
    fn only_stored_names_may_contain_a_colon() {
        for name in ["a:b", ":", "a.b:c d|e%"] {
            assert_eq!(Name::stored(name).expect("a stored name").as_str(), name);
            let error = name.parse::<Name>().expect_err("no new name");
            assert_eq!(error.exit, crate::error::Exit::Usage);
            let why = "is not a valid name: it contains ':', which is reserved for hosts";
            assert!(error.to_string().ends_with(why), "{error}");
        }
        for name in ["", "a#b", "a:b;", "-a:b"] {
            assert!(Name::stored(name).is_err(), "{name}");
        }
    }

    #[test]
    fn invalid_names() {
        for name in [
            "",
            " a",
            "a ",
            "%1",
            "@x",
            "$s",
            "=x",
            "-x",
            ".",
            ".x",
            "a#b",
            "a;b",
            "a'b",
            "a\"b",
            "a$b",
            "a\\b",
            "a{b",
            "a}b",
            "a,b",
            "a~b",
            "a`b",
            "a\nb",
            "a\tb",
            "\u{200b}x",
            "a\u{301}",
            "\u{202e}x",
            "a\u{241f}",
            "a\u{a0}b",
            "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f",
        ] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
        }
        assert!("x".repeat(64).parse::<Name>().is_ok());
        assert!("x".repeat(65).parse::<Name>().is_err());
    }

    #[test]
    fn printable_characters() {
        for c in ['a', ' ', 'ß', 'ж', '日', '한', '—', '🦀', '…'] {
            assert!(prints(c), "{c:?}");
        }
        for c in [
            '\n',
            '\u{200b}',
            '\u{301}',
            '\u{ad}',
            '\u{11375}',
            '\u{3134b}',
            '\u{241e}',
            '\u{202e}',
            '\u{fe0f}',
        ] {
            assert!(!prints(c), "{c:?}");
        }
    }

    #[test]
    fn labels_contain_no_target_syntax() {
        let name = Name::stored("a.b:c d|e%").expect("a name");
        assert_eq!(name.label(), "a_b_c_d_e_");
    }

    #[test]
    fn tags() {
        for tag in ["a", "team/api", "x_1-2", &"t".repeat(64)] {
            assert!(tag.parse::<Tag>().is_ok(), "{tag}");
        }
        for tag in ["", " ", "a b", "ä", "a,b", "a*", &"t".repeat(65)] {
            assert!(tag.parse::<Tag>().is_err(), "{tag:?}");
        }
    }

    #[test]
    fn panes_and_ids() {
        assert_eq!("%12".parse::<PaneId>().expect("a pane").0, 12);
        for pane in ["", "%", "12", "%-1", "%+1", "%1x", "%99999999999"] {
            assert!(pane.parse::<PaneId>().is_err(), "{pane}");
        }
        let id = SeshId::random();
        assert_eq!(id.to_string().parse::<SeshId>().expect("an id"), id);
        assert!(id.simple().parse::<SeshId>().is_err());
        assert_eq!(SeshId::from_simple(&id.simple()), Some(id));
        for text in ["", "x", &id.to_string(), &id.simple().to_uppercase()] {
            assert_eq!(SeshId::from_simple(text), None, "{text}");
        }
    }
}
