//! Globs of paths, and whether two of them can mean the same file.

use std::collections::HashMap;

/// How many `**/` of a glob may stand for no folder. The later ones stand for at least one.
const MAX_EMPTY_FOLDERS: usize = 4;

/// A part of a glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GlobPart {
    Char(char),
    /// `?`: one character of a name.
    One,
    /// `*`: any characters of a name.
    Name,
    /// `**`: any text.
    Any,
}

impl GlobPart {
    fn is_star(self) -> bool {
        matches!(self, Self::Name | Self::Any)
    }

    /// Returns whether this star can stand for what another part matches.
    fn takes(self, other: Self) -> bool {
        self == Self::Any || other != Self::Char('/')
    }

    /// Returns whether two parts that are no stars can match the same character.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Char(one), Self::Char(other)) => one == other,
            (one, other) => one != Self::Char('/') && other != Self::Char('/'),
        }
    }
}

/// Returns whether a path can be one that both globs match. `*` and `?` stay in a folder, `**` does not, and a folder
/// means all that is below it.
#[must_use]
pub(super) fn meet(one: &str, other: &str) -> bool {
    let (one, other) = (variants(one), variants(other));
    one.iter()
        .any(|one| other.iter().any(|other| texts_meet(one, other)))
}

/// Returns whether a glob matches a path, or a folder above it.
pub(super) fn matches(glob: &str, path: &str) -> bool {
    let path: Vec<GlobPart> = path.chars().map(GlobPart::Char).collect();
    variants(glob).iter().any(|glob| texts_meet(glob, &path))
}

/// Returns the globs that a glob stands for, with stars as the only special parts.
fn variants(glob: &str) -> Vec<Vec<GlobPart>> {
    let glob = glob.trim_start_matches("./");
    let name = glob.rsplit('/').next().unwrap_or_default();
    // A name with an extension is that of a file.
    let may_be_folder = !name.trim_start_matches('.').contains('.');
    let glob = glob.trim_end_matches('/');
    let mut all: Vec<Vec<GlobPart>> = vec![Vec::new()];
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            rest = after;
            let without = match rest.strip_prefix('/') {
                Some(after) if all.len() < 1 << MAX_EMPTY_FOLDERS => {
                    rest = after;
                    all.clone()
                }
                _ => Vec::new(),
            };
            let with_slash = !without.is_empty();
            for parts in &mut all {
                parts.push(GlobPart::Any);
                parts.extend(with_slash.then_some(GlobPart::Char('/')));
            }
            all.extend(without);
            continue;
        }
        let part = match c {
            '*' => GlobPart::Name,
            '?' => GlobPart::One,
            c => GlobPart::Char(c),
        };
        for parts in &mut all {
            parts.push(part);
        }
        rest = &rest[c.len_utf8()..];
    }
    let folders = all.iter().filter(|_| may_be_folder);
    let below: Vec<Vec<GlobPart>> = folders
        .map(|parts| [&parts[..], &[GlobPart::Char('/'), GlobPart::Any]].concat())
        .collect();
    all.extend(below);
    all
}

/// Returns whether a text can be one that both patterns match.
fn texts_meet(one: &[GlobPart], other: &[GlobPart]) -> bool {
    let mut known = HashMap::new();
    rests_meet(one, other, &mut known)
}

fn rests_meet(
    one: &[GlobPart],
    other: &[GlobPart],
    known: &mut HashMap<(usize, usize), bool>,
) -> bool {
    let key = (one.len(), other.len());
    if let Some(known) = known.get(&key) {
        return *known;
    }
    let meet = match (one, other) {
        ([], []) => true,
        ([star, rest @ ..], _) if star.is_star() => {
            rests_meet(rest, other, known)
                || matches!(other, [next, behind @ ..]
                    if star.takes(*next) && rests_meet(one, behind, known))
                || matches!(other, [next, behind @ ..]
                    if next.is_star() && (rests_meet(one, behind, known)
                        || next.takes(*star) && rests_meet(rest, other, known)))
        }
        (_, [star, ..]) if star.is_star() => rests_meet(other, one, &mut HashMap::new()),
        ([first, rest @ ..], [second, behind @ ..]) => {
            first.meets(*second) && rests_meet(rest, behind, known)
        }
        _ => false,
    };
    known.insert(key, meet);
    meet
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn globs_that_mean_a_common_file_meet() {
        for (one, other) in [
            ("src/a.rs", "src/a.rs"),
            ("src", "src/deep/er/a.rs"),
            ("src/", "./src/a.rs"),
            ("src/*.rs", "src/a.rs"),
            ("src/*.rs", "*/main.*"),
            ("**/Cargo.lock", "Cargo.lock"),
            ("**/Cargo.lock", "a/b/Cargo.lock"),
            ("**", "x"),
            ("a/**/z", "a/z"),
            ("a/**/z", "a/b/c/*"),
            ("s?c/x", "src/x"),
            ("*", "src/deep/a.rs"),
        ] {
            assert!(meet(one, other) && meet(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("src/a.rs", "src/b.rs"),
            ("src/*.rs", "src/a.c"),
            ("src", "srcs/a.rs"),
            ("**/Cargo.lock", "Cargo.toml"),
            ("docs/**", "src/**"),
            ("s?c/x", "s/c/x"),
            ("src/?.rs", "src/ab.rs"),
        ] {
            assert!(!meet(one, other) && !meet(other, one), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_glob_meets_the_paths_that_it_was_made_of(path in "[ab]{1,2}(/[ab]{1,2}){0,2}", from in 0_usize..6, to in 0_usize..6) {
            let (from, to) = (from.min(to).min(path.len()), from.max(to).min(path.len()));
            let cut = &path[from..to];
            let star = if cut.contains('/') { "**" } else { "*" };
            let glob = format!("{}{star}{}", &path[..from], &path[to..]);
            prop_assert!(meet(&glob, &path) && meet(&path, &glob), "{} {}", glob, path);
        }

        #[test]
        fn any_texts_are_compared(one in "[ab/*?]{0,12}", other in "[ab/*?]{0,12}") {
            prop_assert_eq!(meet(&one, &other), meet(&other, &one));
        }
    }
}
