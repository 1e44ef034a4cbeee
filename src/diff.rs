//! What differs between two sequences, by the greedy search of E. Myers, "An O(ND) Difference Algorithm" (1986): time
//! grows with the length times the number of differences, memory with the square of these. The library `similar` for it was
//! the dearest dependency (22 s of a release build), for the diff of `sesh-hooks` and one comparison of two texts.

use std::ops::Range;

/// A step on the way from one sequence to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DiffStep {
    Remove,
    Add,
    Keep,
}

/// Returns whether one sequence becomes another by so many removals and additions at most.
pub fn within<T: PartialEq>(before: &[T], after: &[T], edits: usize) -> bool {
    search(before, after, edits, |_| {})
}

/// Returns the lines of a unified diff of two texts, without its header. Equal texts have none.
#[must_use]
pub fn unified(before: &str, after: &str) -> Vec<String> {
    let (old, new) = (lines(before), lines(after));
    let steps = steps(&old, &new);
    let mut text = Vec::new();
    // How many lines of each text are before the hunk.
    let (mut line_of_old, mut line_of_new, mut at) = (0, 0, 0);
    for hunk in hunks(&steps) {
        // Between hunks every line is in both texts.
        line_of_old += hunk.start - at;
        line_of_new += hunk.start - at;
        at = hunk.end;
        let hunk = &steps[hunk];
        let count = |other: DiffStep| hunk.iter().filter(|step| **step != other).count();
        let header = [
            range(line_of_old, count(DiffStep::Add)),
            range(line_of_new, count(DiffStep::Remove)),
        ];
        text.push(format!("@@ -{} +{} @@", header[0], header[1]));
        for step in hunk {
            let (sign, line) = match step {
                DiffStep::Remove => ('-', old[line_of_old]),
                DiffStep::Add => ('+', new[line_of_new]),
                DiffStep::Keep => (' ', old[line_of_old]),
            };
            line_of_old += usize::from(*step != DiffStep::Add);
            line_of_new += usize::from(*step != DiffStep::Remove);
            let bare = line.strip_suffix('\n');
            text.push(format!(
                "{sign}{}",
                bare.unwrap_or(line).trim_end_matches('\r')
            ));
            if bare.is_none() {
                text.push("\\ No newline at end of file".into());
            }
        }
    }
    text
}

/// Splits a text into its lines, with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Returns the changes with what stands around them, and those together that share it.
fn hunks(steps: &[DiffStep]) -> Vec<Range<usize>> {
    const CONTEXT: usize = 3;
    let mut hunks: Vec<Range<usize>> = Vec::new();
    let changes = steps.iter().enumerate();
    for (at, _) in changes.filter(|(_, step)| **step != DiffStep::Keep) {
        let around = at.saturating_sub(CONTEXT)..steps.len().min(at + CONTEXT + 1);
        match hunks.last_mut() {
            Some(last) if last.end >= around.start => last.end = around.end,
            _ => hunks.push(around),
        }
    }
    hunks
}

/// Returns a range of lines as the header of a hunk has it: the first line counts from 1, and an empty range is that of
/// the line before it.
fn range(before: usize, count: usize) -> String {
    match count {
        0 => format!("{before},0"),
        1 => (before + 1).to_string(),
        _ => format!("{},{count}", before + 1),
    }
}

/// Returns the shortest way from one sequence to another. What is removed in one place comes before what is added there.
fn steps<T: PartialEq>(before: &[T], after: &[T]) -> Vec<DiffStep> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    search(before, after, before.len() + after.len(), |round| {
        rounds.push(round.to_vec());
    });
    // The last point is known, and each round tells from where it was reached.
    let mut steps = Vec::with_capacity(before.len() + after.len());
    let (mut old, mut new) = (before.len(), after.len());
    for edits in (1..rounds.len()).rev() {
        // The place of this diagonal in the round.
        let at = (edits + old - new) / 2;
        let previous = &rounds[edits - 1];
        let (step, from) = came_from(previous, at);
        let start = from + usize::from(step == DiffStep::Remove);
        steps.extend(std::iter::repeat_n(DiffStep::Keep, old - start));
        steps.push(step);
        new -= old - start + usize::from(step == DiffStep::Add);
        old = from;
    }
    steps.extend(std::iter::repeat_n(DiffStep::Keep, old));
    steps.reverse();
    for run in steps.split_mut(|step| *step == DiffStep::Keep) {
        run.sort_unstable();
    }
    steps
}

/// Searches the shortest way with at most so many edits, and returns whether there is one. Each round is one edit more, and
/// `seen` gets, for every diagonal from the lowest to the highest in steps of two, how far into `before` it has come.
fn search<T: PartialEq>(
    before: &[T],
    after: &[T],
    at_most: usize,
    mut seen: impl FnMut(&[usize]),
) -> bool {
    let mut round: Vec<usize> = Vec::new();
    for edits in 0..=at_most {
        round = (0..=edits)
            .map(|at| {
                let mut old = match came_from(&round, at) {
                    (DiffStep::Remove, from) => from + 1,
                    (_, from) => from,
                };
                let mut new = old + edits - 2 * at;
                while old < before.len() && new < after.len() && before[old] == after[new] {
                    (old, new) = (old + 1, new + 1);
                }
                old
            })
            .collect();
        seen(&round);
        let mut reached = round.iter().enumerate();
        if reached.any(|(at, old)| *old >= before.len() && old + edits - 2 * at >= after.len()) {
            return true;
        }
    }
    false
}

/// Returns the edit by which a diagonal of a round is reached from the previous round, and how far that had come.
fn came_from(previous: &[usize], at: usize) -> (DiffStep, usize) {
    let removed = at.checked_sub(1).map(|at| previous[at]);
    match (removed, previous.get(at)) {
        (Some(removed), Some(added)) if removed < *added => (DiffStep::Add, *added),
        (Some(removed), _) => (DiffStep::Remove, removed),
        (None, added) => (DiffStep::Add, added.copied().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    /// The fewest removals and additions, by the table that compares everything with everything.
    fn fewest(before: &[u8], after: &[u8]) -> usize {
        let mut row: Vec<usize> = (0..=after.len()).collect();
        for (at, old) in before.iter().enumerate() {
            let mut above_left = std::mem::replace(&mut row[0], at + 1);
            for (column, new) in after.iter().enumerate() {
                let above = row[column + 1];
                row[column + 1] = if old == new {
                    above_left
                } else {
                    1 + above.min(row[column])
                };
                above_left = above;
            }
        }
        row[after.len()]
    }

    /// What a unified diff makes of a text.
    fn patched(before: &str, diff: &[String]) -> String {
        let old = lines(before);
        let (mut text, mut at, mut last) = (String::new(), 0, ' ');
        for line in diff {
            let (sign, rest) = line.split_at(1);
            match sign {
                "@" => {
                    let from = rest.split(['-', ',', ' ']).nth(2).expect("a range");
                    let from: usize = from.parse().expect("a number");
                    let is_empty = rest.split(' ').nth(1).is_some_and(|it| it.ends_with(",0"));
                    let start = from - usize::from(!is_empty);
                    text.extend(old[at..start].iter().copied());
                    at = start;
                }
                "\\" if last != '-' => {
                    text.pop();
                }
                "\\" | "-" => {}
                _ => text.push_str(&format!("{rest}\n")),
            }
            at += usize::from(sign == " " || sign == "-");
            last = if sign == "\\" {
                last
            } else {
                sign.chars().next().unwrap_or(' ')
            };
        }
        text.extend(old[at..].iter().copied());
        text
    }

    proptest! {
        #[test]
        fn the_way_is_the_shortest(before in "[abc]{0,30}", after in "[abc]{0,30}") {
            let (before, after) = (before.as_bytes(), after.as_bytes());
            let fewest = fewest(before, after);
            let steps = steps(before, after);
            prop_assert_eq!(steps.iter().filter(|step| **step != DiffStep::Keep).count(), fewest);
            prop_assert!(within(before, after, fewest));
            prop_assert!(fewest == 0 || !within(before, after, fewest - 1));
        }

        #[test]
        fn a_diff_makes_one_text_of_the_other(before in "([abc]?\n){0,30}[abc]?", after in "([abc]?\n){0,30}[abc]?") {
            let diff = unified(&before, &after);
            prop_assert_eq!(diff.is_empty(), before == after);
            prop_assert_eq!(patched(&before, &diff), after);
        }
    }

    #[test]
    fn a_diff_is_unified() {
        let before: String = (1..=20).map(|at| format!("{at}\n")).collect();
        let after = before
            .replace("2\n3\n", "2\nnew\n")
            .replace("\n20\n", "\n20");
        assert_eq!(
            unified(&before, &after),
            [
                "@@ -1,6 +1,6 @@",
                " 1",
                " 2",
                "-3",
                "+new",
                " 4",
                " 5",
                " 6",
                "@@ -17,4 +17,4 @@",
                " 17",
                " 18",
                " 19",
                "-20",
                "+20",
                "\\ No newline at end of file",
            ]
        );
        assert_eq!(unified("", "a\r\nb\n"), ["@@ -0,0 +1,2 @@", "+a", "+b"]);
        assert_eq!(unified("a\n", ""), ["@@ -1 +0,0 @@", "-a"]);
    }
}
