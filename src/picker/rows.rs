//! Rows: what can be chosen, and how they are grouped. Nothing here knows of a terminal or of tmux.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::state::State;
use crate::store::record::Need;
use crate::store::{Place, Record};

/// What a row is: it stays the same while rows come, go and move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    Sesh(SeshId),
    /// A pane that is no sesh.
    Pane(PaneId),
}

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: RowId,
    pub name: String,
    pub agent: Option<String>,
    pub machine: String,
    pub cwd: String,
    /// The branch that is checked out there.
    pub branch: Option<String>,
    pub state: State,
    /// The state as people read it.
    pub state_in_words: String,
    pub since: Option<u64>,
    pub created: Option<u64>,
    pub tags: Vec<String>,
    pub note: String,
    pub parent: Option<SeshId>,
    pub archived: bool,
    pub live: bool,
    pub need: Option<Need>,
    pub place: Option<Place>,
    /// What is known here; a row of somebody else's has none.
    pub record: Option<Record>,
}

impl Row {
    /// A sesh.
    #[must_use]
    pub fn of(record: Record) -> Self {
        Self {
            id: RowId::Sesh(record.uuid),
            name: record.name.clone(),
            agent: record.agent.clone(),
            machine: record.machine.clone(),
            cwd: record.cwd.clone(),
            branch: None,
            state: record.state,
            state_in_words: record.state_in_words(),
            since: record.since,
            created: record.created_at,
            tags: record.tags.clone(),
            note: record.note.clone().unwrap_or_default(),
            parent: record.parent,
            archived: record.archived,
            live: record.live,
            need: record.needs().filter(|_| !record.archived),
            place: record.tmux.clone(),
            record: Some(record),
        }
    }

    /// A pane that is no sesh, called by what runs there.
    #[must_use]
    pub fn of_pane(place: Place, program: &str, folder: &str) -> Self {
        Self {
            id: RowId::Pane(place.pane),
            name: program.into(),
            agent: None,
            machine: String::new(),
            cwd: folder.into(),
            branch: None,
            state: State::Unknown,
            state_in_words: "no sesh".into(),
            since: None,
            created: None,
            tags: Vec::new(),
            note: String::new(),
            parent: None,
            archived: false,
            live: true,
            need: None,
            place: Some(place),
            record: None,
        }
    }

    /// The sesh's identity.
    #[must_use]
    pub fn uuid(&self) -> Option<SeshId> {
        match self.id {
            RowId::Sesh(uuid) => Some(uuid),
            RowId::Pane(_) => None,
        }
    }

    /// Whether it waits for a person.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.need, Some(Need::Unseen | Need::Waits))
    }

    /// Rows that somebody else found: the records that `sesh-list --json` prints, as an array or one after another.
    ///
    /// # Errors
    /// What is no such record.
    pub fn from_json(text: &str) -> Result<Vec<Self>> {
        let given: Vec<Given> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text)
        } else {
            serde_json::Deserializer::from_str(text)
                .into_iter()
                .collect()
        }
        .map_err(|error| {
            Error::usage(format!(
                "the rows on stdin are no records as sesh-list --json prints them: {error}"
            ))
        })?;
        given.into_iter().map(Given::row).collect()
    }
}

/// A record on stdin. A uuid and a name make one, the rest may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    uuid: String,
    name: String,
    agent: Option<String>,
    #[serde(default)]
    machine: String,
    #[serde(default)]
    cwd: String,
    state: Option<State>,
    why: Option<String>,
    since: Option<u64>,
    created_at: Option<u64>,
    #[serde(default)]
    tags: Vec<String>,
    note: Option<String>,
    parent: Option<String>,
    #[serde(default)]
    archived: bool,
    live: Option<bool>,
    tmux: Option<GivenPlace>,
}

#[derive(Deserialize)]
struct GivenPlace {
    socket: String,
    session: String,
    window: u32,
    pane: String,
}

impl Given {
    fn row(self) -> Result<Row> {
        let state = self.state.unwrap_or(State::Unknown);
        let place = self.tmux.and_then(|it| {
            Some(Place {
                pane: it.pane.parse().ok()?,
                socket: it.socket,
                session: it.session,
                window: it.window,
                session_id: String::new(),
                window_id: String::new(),
                window_name: String::new(),
                pid: 0,
            })
        });
        Ok(Row {
            id: RowId::Sesh(self.uuid.parse()?),
            name: self.name,
            agent: self.agent,
            machine: self.machine,
            cwd: self.cwd,
            branch: None,
            state,
            state_in_words: match &self.why {
                Some(why) => format!("{} {why}", state.as_str()),
                None => state.as_str().into(),
            },
            since: self.since,
            created: self.created_at,
            tags: self.tags,
            note: self.note.unwrap_or_default(),
            parent: self.parent.and_then(|parent| parent.parse().ok()),
            archived: self.archived,
            live: self.live.unwrap_or(place.is_some()),
            need: (state == State::Waiting && self.why.as_deref() != Some("dialog"))
                .then_some(Need::Waits),
            place,
            record: None,
        })
    }
}

/// What rows are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    State,
    Tag,
    Session,
    Agent,
    /// Who made whom.
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

    /// Its word.
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

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|it| *it == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The head of a group, and how many rows are in it.
    Head { title: String, count: usize },
    /// A row, by its index, and how deep it is in a tree.
    Row { index: usize, depth: usize },
}

/// The place of a group among others: those that need a person stand first, what is over last.
type Group = (u8, String);

const OTHER_PANES: u8 = 9;

/// The lines of a list of these rows, grouped.
#[must_use]
pub fn grouped(rows: &[Row], kept: &[usize], by: Grouping) -> Vec<Item> {
    let mut kept = kept.to_vec();
    kept.sort_by_key(|&index| in_order(&rows[index]));
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

/// The lines of a list in the order that is given, without groups.
#[must_use]
pub fn flat(ranked: &[usize]) -> Vec<Item> {
    let row = |&index: &usize| Item::Row { index, depth: 0 };
    ranked.iter().map(row).collect()
}

/// Of those that need a person, the one that has waited longest is first; the rest stay where they were born.
fn in_order(row: &Row) -> impl Ord + use<'_> {
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
                (true, ..) => (8, "put away"),
                (_, Some(_), _) => (1, "finished"),
                (_, _, State::Busy | State::Starting | State::Waiting) => (2, "working"),
                (_, _, State::Idle) => (3, "idle"),
                (_, _, State::Unknown) => (4, "not known"),
                (_, _, State::Exited) => (5, "ended"),
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

/// Children under their parents; trees in which somebody waits first.
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
    // Those that are their own ancestors have no root.
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
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A row with a name and a state.
    pub(crate) fn row(name: &str, state: State) -> Row {
        let uuid = SeshId::random();
        Row {
            id: RowId::Sesh(uuid),
            name: name.into(),
            agent: None,
            machine: "here".into(),
            cwd: "/src".into(),
            branch: None,
            state,
            state_in_words: state.as_str().into(),
            since: Some(100),
            created: Some(1),
            tags: Vec::new(),
            note: String::new(),
            parent: None,
            archived: false,
            live: true,
            need: (state == State::Waiting).then_some(Need::Unseen),
            place: Some(Place {
                socket: "/s".into(),
                session: "main".into(),
                window: 1,
                pane: PaneId(1),
                session_id: "$0".into(),
                window_id: "@1".into(),
                window_name: String::new(),
                pid: 1,
            }),
            record: None,
        }
    }

    /// The lines as text: `# title` or a name behind its depth in blanks.
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

    fn some() -> Vec<Row> {
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
    fn whoever_waits_stands_first() {
        let rows = some();
        assert_eq!(
            shown(&rows, Grouping::State),
            [
                "# needs you 1",
                "b",
                "# working 1",
                "a",
                "# idle 1",
                "c",
                "# ended 1",
                "d",
                "# put away 1",
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

    #[test]
    fn rows_of_somebody_else() {
        let uuid = SeshId::random();
        let text = format!(
            r#"{{"uuid":"{uuid}","name":"x","state":"waiting","why":"permission","tags":["a"],
            "tmux":{{"socket":"/s","session":"m","window":2,"pane":"%7"}},"new":1}}"#
        );
        for text in [format!("[{text}]"), format!("{text}\n{text}")] {
            let rows = Row::from_json(&text).expect("rows");
            assert_eq!(rows[0].state_in_words, "waiting permission");
            assert!(rows[0].waits() && rows[0].live);
            assert_eq!(rows[0].place.as_ref().map(|it| it.pane), Some(PaneId(7)));
        }
        assert!(Row::from_json("[]").expect("none").is_empty());
        assert!(Row::from_json("x").is_err());
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
