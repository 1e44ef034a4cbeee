//! The cursor of `pane-capture --since`: how far a caller has read a pane, and where the new lines begin.
//!
//! tmux does not count lines, it only has their text. Lines that have scrolled off the screen never change, and they
//! stay in place until the history is full or cleared. So a cursor holds a fingerprint of each line of the screen and
//! of some lines of the history above it. The new lines are those after the longest run of these fingerprints that is
//! found again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Exit};
use crate::id::{PaneId, ServerId, SeshId};

/// How many rows of history a cursor holds. Lines of the history do not change any more.
pub(super) const HISTORY_ROWS: u32 = 32;
/// The version prefix of the written form.
const VERSION: &str = "p1.";

/// The position up to which a pane was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureCursor {
    pub(super) server: ServerId,
    /// `None` for a sesh that had no pane any more.
    pub(super) pane: Option<PaneId>,
    pub(super) sesh: Option<SeshId>,
    /// The width that the lines were wrapped at.
    pub(super) width: u32,
    /// The row of the first fingerprint, counted from the oldest row of the history.
    pub(super) row: u32,
    /// How many of the lines were in the history, where they do not change.
    pub(super) fixed: u32,
    pub(super) lines: Vec<Fingerprint>,
    /// The fingerprint of the alternate screen, if that was read.
    pub(super) alternate: Option<Fingerprint>,
}

/// The fingerprint of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u32);

impl Fingerprint {
    /// Returns the fingerprint of a line without its trailing blanks, which tmux keeps or drops by version and width.
    pub(super) fn of(line: &str) -> Self {
        match line.trim_end() {
            "" => Self(0),
            text => Self(fnv1a(text.as_bytes()).max(1)),
        }
    }

    fn is_blank(self) -> bool {
        self.0 == 0
    }
}

/// Returns the FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// Where the new lines begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NewLines {
    pub(super) from: usize,
    /// No line between the cursor and them is missing.
    pub(super) complete: bool,
}

/// Finds the new lines of a text that begins at the cursor's own row. Returns `None` when the history there has
/// changed: when fewer than the first `fixed` lines are the same, or, where `fixed` is 0, when the first line differs.
pub(super) fn in_place(
    seen: &[Fingerprint],
    fixed: usize,
    lines: &[Fingerprint],
) -> Option<NewLines> {
    let from = common(seen, lines);
    let enough = fixed.clamp(1, seen.len().max(1));
    (from >= enough || seen.is_empty()).then_some(NewLines {
        from,
        complete: true,
    })
}

/// Finds the new lines of a text in which the cursor's lines may begin at any line, may lack their first lines, or may
/// be absent.
///
/// Of several places that match equally well the first counts, and a match that is too short to prove a place does not
/// count: lines are rather returned twice than lost.
pub(super) fn anywhere(seen: &[Fingerprint], lines: &[Fingerprint]) -> NewLines {
    // Fewer matching lines prove nothing where the cursor has more.
    const ENOUGH: usize = 3;
    // The last line may have been unfinished, and half of a frequent line does not identify a place.
    let finished = match seen {
        [first @ .., _] if !first.is_empty() => first.len(),
        all => all.len(),
    };
    let solid = |lines: &[Fingerprint]| lines.iter().filter(|line| !line.is_blank()).count();
    let mut best = NewLines {
        from: 0,
        complete: false,
    };
    let mut best_weight = 0;
    // The same place is found twice: from its first line and from its second.
    let mut best_place = None;
    let cut = (1..seen.len()).map(|head| (head, 0));
    // The first line of the cursor may be the end of a longer line, which is whole now.
    let places = (0..lines.len()).flat_map(|at| [(0, at), (1, at)]);
    for (head, at) in cut.chain(places) {
        let Some(rest) = seen.get(head..) else {
            continue;
        };
        let length = common(rest, &lines[at..]);
        let weight = solid(&rest[..length.min(finished.saturating_sub(head))]);
        let place = Some((at + seen.len()) - head);
        if weight > best_weight {
            let proven = weight >= solid(&seen[..finished]).min(ENOUGH);
            best = NewLines {
                from: if proven { at + length } else { 0 },
                complete: proven,
            };
            (best_weight, best_place) = (weight, place);
        } else if weight > 0 && weight == best_weight && place != best_place {
            best.complete = false;
            best.from = best.from.min(at + length);
        }
    }
    best
}

/// Returns how many lines both begin with.
fn common(one: &[Fingerprint], other: &[Fingerprint]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

impl CaptureCursor {
    /// Checks that the cursor belongs to this server, and to this pane or sesh.
    ///
    /// # Errors
    /// [`Exit::Changed`] if it does not.
    pub(super) fn check_target(
        &self,
        server: ServerId,
        pane: Option<PaneId>,
        sesh: Option<SeshId>,
    ) -> Result<(), Error> {
        let other = if self.server != server {
            "server, or from one that has ended since"
        } else if pane.is_some() && self.pane != pane {
            "pane"
        } else if pane.is_none() && (sesh.is_none() || self.sesh != sesh) {
            "sesh"
        } else {
            return Ok(());
        };
        Err(
            Error::new(Exit::Changed, format!("the cursor is from another {other}"))
                .with_way_out("start again with --since start or --since now"),
        )
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.server.pid.to_le_bytes());
        bytes.extend(self.server.start.to_le_bytes());
        bytes.push(
            u8::from(self.pane.is_some())
                | u8::from(self.sesh.is_some()) << 1
                | u8::from(self.alternate.is_some()) << 2,
        );
        bytes.extend(self.pane.iter().flat_map(|pane| pane.0.to_le_bytes()));
        bytes.extend(self.sesh.iter().flat_map(|sesh| sesh.bytes()));
        bytes.extend(
            self.alternate
                .iter()
                .flat_map(|fingerprint| fingerprint.0.to_le_bytes()),
        );
        bytes.extend(self.width.to_le_bytes());
        bytes.extend(self.row.to_le_bytes());
        bytes.extend(self.fixed.to_le_bytes());
        bytes.extend(
            self.lines
                .iter()
                .flat_map(|fingerprint| fingerprint.0.to_le_bytes()),
        );
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let server = ServerId {
            pid: i32::from_le_bytes(take(rest)?),
            start: u64::from_le_bytes(take(rest)?),
        };
        let [has] = take::<1>(rest)?;
        if has > 7 {
            return None;
        }
        let mut optional = |bit: u8| {
            Some(match has & bit {
                0 => None,
                _ => Some(number(rest)?),
            })
        };
        let pane = optional(1)?.map(PaneId);
        let sesh = match has & 2 {
            0 => None,
            _ => Some(SeshId::from_bytes(take(rest)?)),
        };
        let alternate = match has & 4 {
            0 => None,
            _ => Some(Fingerprint(number(rest)?)),
        };
        let (width, row, fixed) = (number(rest)?, number(rest)?, number(rest)?);
        let mut lines = Vec::new();
        while !rest.is_empty() {
            lines.push(Fingerprint(number(rest)?));
        }
        Some(Self {
            server,
            pane,
            sesh,
            width,
            row,
            fixed,
            lines,
            alternate,
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes).map(u32::from_le_bytes)
}

impl fmt::Display for CaptureCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.bytes();
        bytes.extend(fnv1a(&bytes).to_le_bytes());
        write!(f, "{VERSION}{}", URL_SAFE_NO_PAD.encode(&bytes))
    }
}

impl FromStr for CaptureCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.strip_prefix(VERSION)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .and_then(|bytes| {
                let (bytes, sum) = bytes.split_last_chunk()?;
                (fnv1a(bytes).to_le_bytes() == *sum).then(|| Self::from_bytes(bytes))?
            })
            .ok_or_else(|| {
                Error::usage(format!(
                    "{} is not a cursor: give start, now, or the next cursor of pane-capture",
                    crate::id::shown(text)
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn fingerprints(text: &str) -> Vec<Fingerprint> {
        text.split(' ')
            .map(|word| Fingerprint::of(word.trim_matches('-')))
            .collect()
    }

    fn cursors() -> impl Strategy<Value = CaptureCursor> {
        (
            any::<(i32, u64, u32, u32, u32)>(),
            any::<Option<u32>>(),
            any::<Option<[u8; 16]>>(),
            any::<Option<u32>>(),
            prop::collection::vec(any::<u32>(), 0..200),
        )
            .prop_map(
                |((pid, start, width, row, fixed), pane, sesh, alternate, lines)| CaptureCursor {
                    server: ServerId { pid, start },
                    pane: pane.map(PaneId),
                    sesh: sesh.map(SeshId::from_bytes),
                    width,
                    row,
                    fixed,
                    lines: lines.into_iter().map(Fingerprint).collect(),
                    alternate: alternate.map(Fingerprint),
                },
            )
    }

    proptest! {
        #[test]
        fn a_cursor_parses_back(cursor in cursors()) {
            let text = cursor.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
            prop_assert_eq!(text.parse::<CaptureCursor>().expect("a cursor"), cursor);
        }

        #[test]
        fn a_damaged_cursor_is_refused(cursor in cursors(), at in any::<prop::sample::Index>(), digit in "[A-Za-z0-9_.#-]") {
            let text = cursor.to_string();
            let mut damaged = text.clone();
            let at = at.index(text.len());
            damaged.replace_range(at..=at, &digit);
            prop_assert_eq!(damaged.parse::<CaptureCursor>().is_ok(), damaged == text);
            prop_assert!(text[..at].parse::<CaptureCursor>().is_err());
        }

        #[test]
        fn any_other_text_is_refused(text in any::<String>()) {
            for text in [text.clone(), VERSION.to_string() + &text] {
                prop_assert!(text.parse::<CaptureCursor>().is_err());
            }
        }

        /// No line after the last common one is left out, however many lines were trimmed.
        #[test]
        fn nothing_new_is_lost(
            before in prop::collection::vec(1_u32..9, 0..12),
            after in prop::collection::vec(10_u32..99, 0..12),
            trimmed in 0_usize..30,
        ) {
            let seen: Vec<Fingerprint> = before.iter().copied().map(Fingerprint).collect();
            let all: Vec<Fingerprint> = before.iter().chain(&after).copied().map(Fingerprint).collect();
            let now = &all[trimmed.min(all.len())..];
            let new = anywhere(&seen, now);
            let first_new = before.len().saturating_sub(trimmed);
            prop_assert!(new.from <= first_new.min(now.len()), "{:?} of {:?}", new, now);
            if trimmed > before.len() {
                prop_assert!(!new.complete);
            }
        }
    }

    #[test]
    fn the_written_form() {
        let cursor = CaptureCursor {
            server: ServerId {
                pid: 4711,
                start: 1_700_000_000,
            },
            pane: Some(PaneId(3)),
            sesh: None,
            width: 80,
            row: 5,
            fixed: 2,
            lines: Vec::new(),
            alternate: None,
        };
        assert_eq!(
            cursor.to_string(),
            "p1.ZxIAAADxU2UAAAAAAQMAAABQAAAABQAAAAIAAAAyFuqq"
        );
    }

    #[test]
    fn new_lines_at_the_place_of_the_cursor() {
        let seen = fingerprints("a b c");
        let at = |from| {
            Some(NewLines {
                from,
                complete: true,
            })
        };
        assert_eq!(in_place(&seen, 1, &fingerprints("a b c")), at(3));
        assert_eq!(in_place(&seen, 3, &fingerprints("a b c d e")), at(3));
        assert_eq!(in_place(&seen, 2, &fingerprints("a b x")), at(2));
        assert_eq!(in_place(&seen, 0, &fingerprints("a x")), at(1));
        assert_eq!(in_place(&seen, 0, &fingerprints("x b c")), None);
        assert_eq!(in_place(&seen, 2, &fingerprints("a x c")), None);
        assert_eq!(in_place(&[], 0, &fingerprints("a b")), at(0));
    }

    #[test]
    fn new_lines_at_another_place() {
        let seen = fingerprints("a b c d e");
        let complete = |from| NewLines {
            from,
            complete: true,
        };
        let doubtful = |from| NewLines {
            from,
            complete: false,
        };
        assert_eq!(
            anywhere(&seen, &fingerprints("x y a b c d e f")),
            complete(7)
        );
        // The first lines were trimmed, the first line was the end of a longer one, or the last lines were redrawn.
        assert_eq!(anywhere(&seen, &fingerprints("b c d e f")), complete(4));
        assert_eq!(anywhere(&seen, &fingerprints("xxa b c d e f")), complete(5));
        assert_eq!(anywhere(&seen, &fingerprints("x a b c f g")), complete(4));
        assert_eq!(anywhere(&seen, &fingerprints("d e f")), doubtful(0));
        assert_eq!(anywhere(&seen, &fingerprints("x y z")), doubtful(0));
        assert_eq!(anywhere(&seen, &[]), doubtful(0));
        // The lines occur twice. The first place counts, and lines may be missing.
        let twice = fingerprints("a b c d e a b c d e f");
        assert_eq!(anywhere(&seen, &twice), doubtful(5));
        assert_eq!(
            anywhere(&fingerprints("a"), &fingerprints("a b")),
            complete(1)
        );
        assert_eq!(
            anywhere(&fingerprints("a a a a"), &fingerprints("a a")),
            doubtful(0)
        );
        assert_eq!(
            anywhere(&fingerprints("a a a x"), &fingerprints("a a a a a x")),
            doubtful(3)
        );
        // Blanks alone prove nothing.
        assert_eq!(
            anywhere(&fingerprints("- - a"), &fingerprints("- - x")),
            doubtful(0)
        );
    }
}
