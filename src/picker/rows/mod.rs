//! Rows: what can be chosen. This module needs no terminal and no tmux.

mod group;

pub use group::{Grouping, Item, flat, grouped};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::state::State;
use crate::store::record::{ExitStatus, Need, in_words};
use crate::store::{Place, Record};

/// The identity of a row. It stays the same while rows come, go and move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    Sesh(SeshId),
    /// A pane that is no sesh.
    Pane(PaneId),
}

/// A row that can be chosen.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: RowId,
    pub name: String,
    pub agent: Option<String>,
    pub machine: String,
    pub cwd: String,
    /// The branch that is checked out in `cwd`.
    pub branch: Option<String>,
    pub state: State,
    /// The state as it is shown.
    pub state_in_words: String,
    pub since: Option<u64>,
    pub created: Option<u64>,
    pub tags: Vec<String>,
    pub note: String,
    pub parent: Option<SeshId>,
    pub archived: bool,
    pub live: bool,
    pub need: Option<Need>,
    /// Whether it has exited and its command has failed.
    pub failed: bool,
    pub place: Option<Place>,
    /// The record in the store; a row from stdin and a pane that is no sesh have none.
    pub record: Option<Record>,
}

impl Row {
    /// Makes the row of a sesh.
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
            failed: record.failed(),
            place: record.tmux.clone(),
            record: Some(record),
        }
    }

    /// Makes the row of a pane that is no sesh. Its name is the program that runs there.
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
            failed: false,
            place: Some(place),
            record: None,
        }
    }

    /// Returns the identity of the sesh, `None` for another pane.
    #[must_use]
    pub fn uuid(&self) -> Option<SeshId> {
        match self.id {
            RowId::Sesh(uuid) => Some(uuid),
            RowId::Pane(_) => None,
        }
    }

    /// Returns whether it waits for a person.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.need, Some(Need::Unseen | Need::Waits))
    }

    /// Parses the records that `sesh-list --json` prints, as an array or one after another.
    ///
    /// # Errors
    /// A text that holds anything else.
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
                "stdin does not hold records as sesh-list --json prints them: {error}"
            ))
        })?;
        given.into_iter().map(Given::row).collect()
    }
}

/// A record on stdin. Only the uuid and the name are required.
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
    #[serde(default, rename = "gen")]
    generation: u64,
    #[serde(default)]
    seen: u64,
    exit: Option<ExitStatus>,
    #[serde(default)]
    command: Vec<String>,
    was: Option<State>,
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
        let unseen = self.seen < self.generation;
        let held = self.exit.is_some() && place.is_some();
        let agent = self.agent.is_some();
        let need = Need::of(state, self.why.as_deref(), unseen, held, agent);
        Ok(Row {
            id: RowId::Sesh(self.uuid.parse()?),
            name: self.name,
            agent: self.agent,
            machine: self.machine,
            cwd: self.cwd,
            branch: None,
            state,
            state_in_words: in_words(state, self.why.as_deref(), self.exit, self.was),
            since: self.since,
            created: self.created_at,
            tags: self.tags,
            note: self.note.unwrap_or_default(),
            parent: self.parent.and_then(|parent| parent.parse().ok()),
            archived: self.archived,
            live: self.live.unwrap_or(place.is_some()),
            need: need.filter(|_| !self.archived),
            failed: !self.command.is_empty()
                && self.was.is_none()
                && self.exit.is_some_and(ExitStatus::is_failure),
            place,
            record: None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::store::{Key, Values};

    /// Makes a row with a name and a state.
    pub(crate) fn row(name: &str, state: State) -> Row {
        let uuid = SeshId::random();
        let mut values = Values::default();
        values.set(Key::Id, uuid.to_string());
        values.set(Key::Name, name);
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
            failed: false,
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
            record: Record::ended(values),
        }
    }

    #[test]
    fn rows_are_parsed_from_json() {
        let uuid = SeshId::random();
        let text = format!(
            r#"{{"uuid":"{uuid}","name":"x","state":"waiting","why":"permission","tags":["a"],
            "tmux":{{"socket":"/s","session":"m","window":2,"pane":"%7"}},"new":1}}"#
        );
        for text in [format!("[{text}]"), format!("{text}\n{text}")] {
            let rows = Row::from_json(&text).expect("rows");
            assert_eq!(rows[0].state_in_words, "waiting permission");
            assert!(rows[0].waits() && rows[0].live);
            assert_eq!(rows[0].need, Some(Need::Waits));
            assert_eq!(rows[0].place.as_ref().map(|it| it.pane), Some(PaneId(7)));
        }
        let ended = text.replace("waiting", "exited").replace(
            "\"new\":1",
            "\"command\":[\"x\"],\"gen\":2,\"seen\":1,\"exit\":{\"code\":3,\"signal\":null,\"at\":1}",
        );
        let rows = Row::from_json(&ended).expect("rows");
        assert_eq!(rows[0].need, Some(Need::Finished));
        assert_eq!(rows[0].state_in_words, "exited 3");
        assert!(rows[0].failed);
        assert!(Row::from_json("[]").expect("none").is_empty());
        assert!(Row::from_json("x").is_err());
    }
}
