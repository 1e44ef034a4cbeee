//! Grouping: it makes the lines of the list from rows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::Row;
use crate::id::SeshId;
use crate::state::State;
use crate::store::record::Need;

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    State,
    Tag,
    Session,
    Agent,
    /// As a tree, each sesh under its parent.
    Tree,
}

impl Grouping {
    pub const ALL: [Grouping; 5] = [
        Grouping::State,
        Grouping::Tag,
        Grouping::Session,
        Grouping::Agent,
        Grouping::Tree,
    ];

    /// Returns its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grouping::State => "state",
            Grouping::Tag => "tag",
            Grouping::Session => "session",
            Grouping::Agent => "agent",
            Grouping::Tree => "tree",
        }
    }

    /// Returns the grouping after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|it| *it == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The head of a group, with the number of its rows.
    Head { title: String, count: usize },
    /// A row by its index, with its depth in a tree.
    Row { index: usize, depth: usize },
}

/// The sort key and the title of a group. Rows that need a person come first; exited and archived ones and other panes
/// come last.
type Group = (u8, String);

const OTHER_PANES: u8 = 9;

/// Returns the lines of a list of these rows, grouped.
#[must_use]
pub fn grouped(rows: &[Row], kept: &[usize], by: Grouping) -> Vec<Item> {
    let mut kept = kept.to_vec();
    kept.sort_by_key(|&index| sort_key(&rows[index]));
    if by == Grouping::Tree {
        let (panes, seshes): (Vec<usize>, Vec<usize>) = kept
            .into_iter()
            .partition(|&index| rows[index].uuid().is_none());
        let mut items = tree(rows, &seshes);
        items.extend(in_groups(rows, &panes, by));
        return items;
    }
    in_groups(rows, &kept, by)
}

/// Returns the lines of a list in the given order, without groups.
#[must_use]
pub fn flat(ranked: &[usize]) -> Vec<Item> {
    let row = |&index: &usize| Item::Row { index, depth: 0 };
    ranked.iter().map(row).collect()
}

/// Returns the sort key of a row. Rows that need a person come first, by need and then the longest wait first; the
/// others keep the order in which they were created.
fn sort_key(row: &Row) -> impl Ord + use<'_> {
    let pane = row.place.as_ref().map(|place| place.pane);
    let need = match row.need {
        Some(Need::Unseen) => 0,
        Some(Need::Waits) => 1,
        Some(Need::Finished) => 2,
        None => 3,
    };
    let since = row.need.and(row.since);
    (need, since, pane.is_none(), row.created, pane, &row.name)
}

fn in_groups(rows: &[Row], kept: &[usize], by: Grouping) -> Vec<Item> {
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    for &index in kept {
        groups
            .entry(group(&rows[index], by))
            .or_default()
            .push(index);
    }
    let mut items = Vec::with_capacity(kept.len() + groups.len());
    for ((_, title), members) in groups {
        items.push(Item::Head {
            title,
            count: members.len(),
        });
        items.extend(flat(&members));
    }
    items
}

fn group(row: &Row, by: Grouping) -> Group {
    if row.uuid().is_none() {
        return (OTHER_PANES, "other panes".into());
    }
    if row.waits() {
        return (0, "needs you".into());
    }
    let named = |name: Option<&str>, none: &str| match name {
        Some(name) if !name.is_empty() => (1, name.to_string()),
        _ => (2, none.to_string()),
    };
    match by {
        Grouping::State | Grouping::Tree => {
            let (place, title) = match (row.archived, row.need, row.state) {
                (true, ..) => (8, "archived"),
                (_, Some(_), _) => (1, "finished"),
                (_, _, State::Busy | State::Waiting) => (2, "working"),
                (_, _, State::Idle) => (3, "idle"),
                (_, _, State::Starting) => (4, "starting"),
                (_, _, State::Unknown) => (5, "unknown"),
                (_, _, State::Exited) => (6, "exited"),
            };
            (place, title.into())
        }
        Grouping::Tag => named(row.tags.first().map(String::as_str), "no tag"),
        Grouping::Session => {
            let session = row.place.as_ref().map(|place| place.session.as_str());
            named(session, "no session")
        }
        Grouping::Agent => named(row.agent.as_deref(), "no agent"),
    }
}

/// Returns the lines as trees, children under their parents. Trees with a waiting sesh come first.
fn tree(rows: &[Row], kept: &[usize]) -> Vec<Item> {
    let known: HashMap<SeshId, usize> = kept
        .iter()
        .filter_map(|&index| Some((rows[index].uuid()?, index)))
        .collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for &index in kept {
        match rows[index].parent.and_then(|parent| known.get(&parent)) {
            Some(&parent) if parent != index => children.entry(parent).or_default().push(index),
            _ => roots.push(index),
        }
    }
    let mut placed = HashSet::new();
    let mut trees: Vec<Vec<Item>> = Vec::new();
    for root in roots {
        let mut items = Vec::new();
        place(root, 0, &children, &mut placed, &mut items);
        trees.push(items);
    }
    // Seshes that are their own ancestors have no root.
    for &index in kept {
        if !placed.contains(&index) {
            let mut items = Vec::new();
            place(index, 0, &children, &mut placed, &mut items);
            trees.push(items);
        }
    }
    let waits = |items: &Vec<Item>| {
        items
            .iter()
            .any(|item| matches!(item, Item::Row { index, .. } if rows[*index].waits()))
    };
    trees.sort_by_key(|items| Reverse(waits(items)));
    trees.concat()
}

fn place(
    index: usize,
    depth: usize,
    children: &HashMap<usize, Vec<usize>>,
    placed: &mut HashSet<usize>,
    items: &mut Vec<Item>,
) {
    if !placed.insert(index) {
        return;
    }
    items.push(Item::Row { index, depth });
    for &child in children.get(&index).into_iter().flatten() {
        place(child, depth + 1, children, placed, items);
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::picker::rows::tests::row;

    /// Returns the lines as text: `# title`, or a name behind as many blanks as it is deep.
    fn shown(rows: &[Row], by: Grouping) -> Vec<String> {
        let all: Vec<usize> = (0..rows.len()).collect();
        grouped(rows, &all, by)
            .into_iter()
            .map(|item| match item {
                Item::Head { title, count } => format!("# {title} {count}"),
                Item::Row { index, depth } => format!("{}{}", " ".repeat(depth), rows[index].name),
            })
            .collect()
    }

    fn sample() -> Vec<Row> {
        let mut rows = vec![
            row("a", State::Busy),
            row("b", State::Waiting),
            row("c", State::Idle),
            row("d", State::Exited),
            row("e", State::Idle),
        ];
        rows[0].tags = vec!["api".into(), "x".into()];
        rows[1].tags = vec!["api".into()];
        rows[2].agent = Some("claude".into());
        rows[3].place = None;
        rows[4].archived = true;
        rows
    }

    #[test]
    fn waiting_rows_come_first() {
        let rows = sample();
        assert_eq!(
            shown(&rows, Grouping::State),
            [
                "# needs you 1",
                "b",
                "# working 1",
                "a",
                "# idle 1",
                "c",
                "# exited 1",
                "d",
                "# archived 1",
                "e"
            ]
        );
        assert_eq!(
            shown(&rows, Grouping::Tag),
            [
                "# needs you 1",
                "b",
                "# api 1",
                "a",
                "# no tag 3",
                "c",
                "e",
                "d"
            ]
        );
        assert_eq!(
            shown(&rows, Grouping::Agent),
            [
                "# needs you 1",
                "b",
                "# claude 1",
                "c",
                "# no agent 3",
                "a",
                "e",
                "d"
            ]
        );
        assert_eq!(
            shown(&rows, Grouping::Session),
            [
                "# needs you 1",
                "b",
                "# main 3",
                "a",
                "c",
                "e",
                "# no session 1",
                "d"
            ]
        );
    }

    #[test]
    fn the_longest_wait_is_the_first() {
        let mut rows = vec![row("new", State::Waiting), row("old", State::Waiting)];
        rows[1].since = Some(5);
        assert_eq!(
            shown(&rows, Grouping::State),
            ["# needs you 2", "old", "new"]
        );
    }

    #[test]
    fn children_stand_under_their_parents() {
        let mut rows = vec![
            row("root", State::Idle),
            row("child", State::Idle),
            row("other", State::Idle),
            row("grandchild", State::Waiting),
            row("one", State::Idle),
            row("two", State::Idle),
        ];
        rows[1].parent = rows[0].uuid();
        rows[3].parent = rows[1].uuid();
        rows[4].parent = rows[5].uuid();
        rows[5].parent = rows[4].uuid();
        rows[2].name = "aaa".into();
        assert_eq!(
            shown(&rows, Grouping::Tree),
            ["root", " child", "  grandchild", "aaa", "one", " two"]
        );
    }

    proptest! {
        #[test]
        fn every_row_stands_in_the_list_once(
            given in prop::collection::vec((0usize..6, 0usize..4, 0usize..8, any::<bool>()), 0..12),
        ) {
            let mut rows: Vec<Row> = given
                .iter()
                .map(|(state, ..)| row("r", State::ALL[*state]))
                .collect();
            for (at, (_, tag, parent, archived)) in given.iter().enumerate() {
                rows[at].archived = *archived;
                if *tag > 0 {
                    rows[at].tags = vec![format!("t{tag}")];
                }
                rows[at].parent = rows.get(*parent).and_then(Row::uuid);
            }
            let all: Vec<usize> = (0..rows.len()).collect();
            for by in Grouping::ALL {
                let items = grouped(&rows, &all, by);
                let mut seen: Vec<usize> = items
                    .iter()
                    .filter_map(|item| match item {
                        Item::Row { index, .. } => Some(*index),
                        Item::Head { .. } => None,
                    })
                    .collect();
                seen.sort_unstable();
                prop_assert_eq!(&seen, &all);
                let counted: usize = items
                    .iter()
                    .map(|item| match item {
                        Item::Head { count, .. } => *count,
                        Item::Row { .. } => 0,
                    })
                    .sum();
                prop_assert!(by == Grouping::Tree || counted == rows.len());
            }
        }
    }
}
