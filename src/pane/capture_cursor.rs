//! How far somebody has read a pane: the cursor of `pane-capture --since`, and where the new lines begin.
//!
//! tmux counts no lines. What it has is the text: lines that scrolled off the screen never change, and stay where they
//! are until the history is full or cleared. So a mark holds a fingerprint of each line of the screen and of some of
//! the history above it, and new is what comes after the longest piece of them that is found again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Exit};
use crate::id::{PaneId, ServerId, SeshId};

/// Rows of history that a mark remembers: lines that are proven to stay.
pub(super) const ABOVE: u32 = 32;
/// The version of the written form.
const VERSION: &str = "p1.";

/// How far a pane was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureCursor {
    pub(super) server: ServerId,
    /// `None` of a sesh that had no pane any more.
    pub(super) pane: Option<PaneId>,
    pub(super) sesh: Option<SeshId>,
    /// The width that the lines were wrapped at.
    pub(super) width: u32,
    /// The row that the fingerprints begin at, counted from the oldest row of the history.
    pub(super) row: u32,
    /// How many of the lines were in the history, where nothing changes them.
    pub(super) fixed: u32,
    pub(super) lines: Vec<Print>,
    /// The alternate screen, if that was read.
    pub(super) alternate: Option<Print>,
}

/// The fingerprint of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print(u32);

impl Print {
    /// Blanks at the end do not count: tmux keeps them or not, by version and width.
    pub(super) fn of(line: &str) -> Self {
        match line.trim_end() {
            "" => Self(0),
            text => Self(fingerprint(text.as_bytes()).max(1)),
        }
    }

    fn is_blank(self) -> bool {
        self.0 == 0
    }
}

/// FNV-1a.
fn fingerprint(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// Where the new lines begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct New {
    pub(super) from: usize,
    /// Nothing between the mark and them is missing.
    pub(super) whole: bool,
}

/// The new lines of a text that begins at the mark's own row. `None` when the history there is another now: those of
/// its lines that were seen, `fixed` of them, and where there were none, the first.
pub(super) fn in_place(seen: &[Print], fixed: usize, lines: &[Print]) -> Option<New> {
    let from = common(seen, lines);
    let enough = fixed.clamp(1, seen.len().max(1));
    (from >= enough || seen.is_empty()).then_some(New { from, whole: true })
}

/// The new lines of a text in which the mark may be anywhere, with its first lines cut off, or nowhere.
///
/// Of several places that fit alike the first is taken, and what proves nothing is none: lines are given twice rather than
/// lost.
pub(super) fn anywhere(seen: &[Print], lines: &[Print]) -> New {
    // Fewer prove nothing, where there were more.
    const ENOUGH: usize = 3;
    // The last line was perhaps not finished, and half of a line that comes often is no sign of its place.
    let finished = match seen {
        [first @ .., _] if !first.is_empty() => first.len(),
        all => all.len(),
    };
    let solid = |lines: &[Print]| lines.iter().filter(|line| !line.is_blank()).count();
    let mut best = New {
        from: 0,
        whole: false,
    };
    let mut best_weight = 0;
    // One place is found from its first line and from its second.
    let mut best_place = None;
    let cut = (1..seen.len()).map(|head| (head, 0));
    // The first line that is remembered may be the end of a longer one, which is whole now.
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
            best = New {
                from: if proven { at + length } else { 0 },
                whole: proven,
            };
            (best_weight, best_place) = (weight, place);
        } else if weight > 0 && weight == best_weight && place != best_place {
            best.whole = false;
            best.from = best.from.min(at + length);
        }
    }
    best
}

/// How many lines both begin with.
fn common(one: &[Print], other: &[Print]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

impl CaptureCursor {
    /// Refuses a mark of another server, and one of another pane or sesh.
    ///
    /// # Errors
    /// [`Exit::Changed`].
    pub(super) fn must_be_of(
        &self,
        server: ServerId,
        pane: Option<PaneId>,
        sesh: Option<SeshId>,
    ) -> Result<(), Error> {
        let other = if self.server != server {
            "server, or of one that has ended since"
        } else if pane.is_some() && self.pane != pane {
            "pane"
        } else if pane.is_none() && (sesh.is_none() || self.sesh != sesh) {
            "sesh"
        } else {
            return Ok(());
        };
        Err(
            Error::new(Exit::Changed, format!("the cursor is of another {other}"))
                .with_way_out("begin anew with --since start or --since now"),
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
                .flat_map(|print| print.0.to_le_bytes()),
        );
        bytes.extend(self.width.to_le_bytes());
        bytes.extend(self.row.to_le_bytes());
        bytes.extend(self.fixed.to_le_bytes());
        bytes.extend(self.lines.iter().flat_map(|print| print.0.to_le_bytes()));
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
            _ => Some(Print(number(rest)?)),
        };
        let (width, row, fixed) = (number(rest)?, number(rest)?, number(rest)?);
        let mut lines = Vec::new();
        while !rest.is_empty() {
            lines.push(Print(number(rest)?));
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
        bytes.extend(fingerprint(&bytes).to_le_bytes());
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
                (fingerprint(bytes).to_le_bytes() == *sum).then(|| Self::from_bytes(bytes))?
            })
            .ok_or_else(|| {
                Error::usage(format!(
                    "{} is no cursor: it is start, now, or what pane-capture gave as the next one",
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

    fn prints(text: &str) -> Vec<Print> {
        text.split(' ')
            .map(|word| Print::of(word.trim_matches('-')))
            .collect()
    }

    fn marks() -> impl Strategy<Value = CaptureCursor> {
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
                    lines: lines.into_iter().map(Print).collect(),
                    alternate: alternate.map(Print),
                },
            )
    }

    proptest! {
        #[test]
        fn a_mark_comes_back(mark in marks()) {
            let text = mark.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
            prop_assert_eq!(text.parse::<CaptureCursor>().expect("a mark"), mark);
        }

        #[test]
        fn a_damaged_mark_is_none(mark in marks(), at in any::<prop::sample::Index>(), digit in "[A-Za-z0-9_.#-]") {
            let text = mark.to_string();
            let mut damaged = text.clone();
            let at = at.index(text.len());
            damaged.replace_range(at..=at, &digit);
            prop_assert_eq!(damaged.parse::<CaptureCursor>().is_ok(), damaged == text);
            prop_assert!(text[..at].parse::<CaptureCursor>().is_err());
        }

        #[test]
        fn any_text_is_read_without_harm(text in any::<String>()) {
            for text in [text.clone(), VERSION.to_string() + &text] {
                prop_assert!(text.parse::<CaptureCursor>().is_err());
            }
        }

        /// Whatever was trimmed, cleared or redrawn: no line after the last that both have is left out.
        #[test]
        fn nothing_new_is_lost(
            before in prop::collection::vec(1_u32..9, 0..12),
            after in prop::collection::vec(10_u32..99, 0..12),
            trimmed in 0_usize..30,
        ) {
            let seen: Vec<Print> = before.iter().copied().map(Print).collect();
            let all: Vec<Print> = before.iter().chain(&after).copied().map(Print).collect();
            let now = &all[trimmed.min(all.len())..];
            let new = anywhere(&seen, now);
            let first_new = before.len().saturating_sub(trimmed);
            prop_assert!(new.from <= first_new.min(now.len()), "{:?} of {:?}", new, now);
            if trimmed > before.len() {
                prop_assert!(!new.whole);
            }
        }
    }

    #[test]
    fn the_written_form() {
        let mark = CaptureCursor {
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
            mark.to_string(),
            "p1.ZxIAAADxU2UAAAAAAQMAAABQAAAABQAAAAIAAAAyFuqq"
        );
    }

    #[test]
    fn what_comes_after_the_place() {
        let seen = prints("a b c");
        let at = |from| Some(New { from, whole: true });
        assert_eq!(in_place(&seen, 1, &prints("a b c")), at(3));
        assert_eq!(in_place(&seen, 3, &prints("a b c d e")), at(3));
        assert_eq!(in_place(&seen, 2, &prints("a b x")), at(2));
        assert_eq!(in_place(&seen, 0, &prints("a x")), at(1));
        assert_eq!(in_place(&seen, 0, &prints("x b c")), None);
        assert_eq!(in_place(&seen, 2, &prints("a x c")), None);
        assert_eq!(in_place(&[], 0, &prints("a b")), at(0));
    }

    #[test]
    fn the_mark_found_again() {
        let seen = prints("a b c d e");
        let whole = |from| New { from, whole: true };
        let doubtful = |from| New { from, whole: false };
        assert_eq!(anywhere(&seen, &prints("x y a b c d e f")), whole(7));
        // Its head was trimmed, or was the end of a longer line; what was below it was redrawn.
        assert_eq!(anywhere(&seen, &prints("b c d e f")), whole(4));
        assert_eq!(anywhere(&seen, &prints("xxa b c d e f")), whole(5));
        assert_eq!(anywhere(&seen, &prints("x a b c f g")), whole(4));
        assert_eq!(anywhere(&seen, &prints("d e f")), doubtful(0));
        assert_eq!(anywhere(&seen, &prints("x y z")), doubtful(0));
        assert_eq!(anywhere(&seen, &[]), doubtful(0));
        // Twice: from the first on, and nobody knows whether that is all.
        let twice = prints("a b c d e a b c d e f");
        assert_eq!(anywhere(&seen, &twice), doubtful(5));
        assert_eq!(anywhere(&prints("a"), &prints("a b")), whole(1));
        assert_eq!(anywhere(&prints("a a a a"), &prints("a a")), doubtful(0));
        assert_eq!(
            anywhere(&prints("a a a x"), &prints("a a a a a x")),
            doubtful(3)
        );
        // Blanks alone prove nothing.
        assert_eq!(anywhere(&prints("- - a"), &prints("- - x")), doubtful(0));
    }
}
