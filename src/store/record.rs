//! The record of a sesh, read from the options of its pane or from its server option.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bound::Binding;
use super::kept::JournalData;
use super::schema::{self, Key, PANE};
use super::value;
use crate::id::{PaneId, SeshId, Tag};
use crate::proc::signal;
use crate::state::{State, Why};
use crate::tmux::Server;

/// The raw values of a sesh, by [`Key`].
///
/// They are stored as one text with the end of each value. A list of a thousand seshes needs a thousand allocations and
/// not twenty thousand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    text: String,
    ends: [usize; PANE.len()],
}

impl Values {
    /// Returns the values of a row, which are in the order of [`Key`]. Returns `None` if the row has too few.
    #[must_use]
    pub fn from_row(fields: &[&str]) -> Option<Self> {
        Some(Self::of(fields.get(..PANE.len())?))
    }

    fn of(fields: &[&str]) -> Self {
        let mut values = Self {
            text: String::with_capacity(fields.iter().map(|field| field.len()).sum()),
            ends: [0; PANE.len()],
        };
        for (end, field) in values.ends.iter_mut().zip(fields) {
            values.text.push_str(field);
            *end = values.text.len();
        }
        values
    }

    /// Parses a stored record: `1,id=…,name=…`. Unknown fields are ignored, since a newer program may have written
    /// them. Returns `None` if it is malformed or has no identity.
    #[must_use]
    pub fn from_book(text: &str) -> Option<Self> {
        Self::from_book_with(text, [])
    }

    /// Parses a stored record, as [`from_book`](Self::from_book), with newer values of some keys.
    #[must_use]
    pub fn from_book_with<'a>(
        text: &'a str,
        newer: impl IntoIterator<Item = (Key, &'a str)>,
    ) -> Option<Self> {
        book_version(text)?;
        let mut fields = [""; PANE.len()];
        // Fields are written in the order of the keys, so that the next one is usually the next key.
        let mut next = 0;
        for (field, value) in text.split(',').filter_map(|part| part.split_once('=')) {
            let mut keys = (next..PANE.len()).chain(0..next);
            if let Some(at) = keys.find(|at| PANE[*at].key.field() == field) {
                fields[at] = value;
                next = at + 1;
            }
        }
        for (key, value) in newer {
            fields[key as usize] = value;
        }
        let values = Self::of(&fields);
        values.get(Key::Id).parse::<SeshId>().ok()?;
        Some(values)
    }

    /// Returns the stored record of these values.
    #[must_use]
    pub fn to_book(&self) -> String {
        let mut text = schema::VERSION.to_string();
        for entry in &PANE {
            let value = self.get(entry.key);
            if !value.is_empty() {
                text.push_str(&format!(",{}={value}", entry.key.field()));
            }
        }
        text
    }

    /// Returns a value, which is empty if it is not set.
    #[must_use]
    pub fn get(&self, key: Key) -> &str {
        let index = key as usize;
        let start = index
            .checked_sub(1)
            .map_or(0, |previous| self.ends[previous]);
        &self.text[start..self.ends[index]]
    }

    /// Sets a value. An empty text removes it.
    pub fn set(&mut self, key: Key, value: impl AsRef<str>) {
        let old = self.clone();
        let fields: Vec<&str> = PANE
            .iter()
            .map(|entry| {
                if entry.key == key {
                    value.as_ref()
                } else {
                    old.get(entry.key)
                }
            })
            .collect();
        *self = Self::of(&fields);
    }
}

/// Returns the format of a stored record. It is expanded for the sesh's pane: the server writes the record from the
/// pane's options, so that the two cannot differ.
#[must_use]
pub fn book_format() -> String {
    let mut format = schema::VERSION.to_string();
    for entry in &PANE {
        format.push_str(&format!(",{}={}", entry.key.field(), entry.key.format()));
    }
    format
}

/// The location of a sesh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub socket: String,
    /// The session's name. If the window is in several sessions, this is one of them.
    pub session: String,
    /// The window's index in that session.
    pub window: u32,
    pub pane: PaneId,
    #[serde(skip)]
    pub session_id: String,
    #[serde(skip)]
    pub window_id: String,
    #[serde(skip)]
    pub window_name: String,
    /// The pane's first process.
    #[serde(skip)]
    pub pid: i32,
}

/// The exit status of a sesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Epoch seconds.
    pub at: Option<u64>,
}

impl ExitStatus {
    /// Returns the value of `@sesh_exit` without its time, which the server adds.
    #[must_use]
    pub fn value(code: Option<i32>, signal: Option<i32>) -> String {
        let word = |number: Option<i32>| number.map_or_else(|| "-".into(), |n| n.to_string());
        format!("{} {}", word(code), word(signal))
    }

    /// Returns whether a command failed: it has exited with a code other than 0 or by a signal, or the cause is unknown. HUP,
    /// INT and TERM are how a command is asked to end, so what they ended has not failed, and neither has a shell or a
    /// script that exits with their codes.
    #[must_use]
    pub fn is_failure(self) -> bool {
        match (self.code, self.signal) {
            (Some(code), _) => ![0, 129, 130, 143].contains(&code),
            (None, Some(signal)) => ![1, 2, 15].contains(&signal),
            (None, None) => true,
        }
    }

    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        let exit = Self {
            code: words.next()?.parse().ok(),
            signal: words.next()?.parse().ok(),
            at: words.next().and_then(|at| at.parse().ok()),
        };
        Some(exit)
    }
}

/// The value of `@sesh_made` of a sesh whose pane was created for one headless turn.
pub const HEADLESS: &str = "headless";

/// Why a sesh needs a person, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It waits and is unread: no person has looked at it since it began to wait.
    Unseen,
    /// It has exited or finished its work and is unread.
    Finished,
    /// It waits, and a person has looked at it.
    Waits,
}

impl Need {
    /// Returns why a sesh in this state needs a person, if it does. `held` means that it has exited and that its pane
    /// is still there; `agent` means that it is an agent, so that the end of a turn is unread.
    #[must_use]
    pub fn of(
        state: State,
        why: Option<&str>,
        unread: bool,
        held: bool,
        agent: bool,
    ) -> Option<Self> {
        match state {
            State::Waiting if why == Some(Why::Dialog.as_str()) => None,
            State::Waiting if unread => Some(Need::Unseen),
            State::Waiting => Some(Need::Waits),
            State::Exited if unread && held => Some(Need::Finished),
            State::Idle if unread && agent => Some(Need::Finished),
            _ => None,
        }
    }
}

/// The record of a sesh, as every `--json` prints it. New versions may add fields, but do not change or remove any.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub uuid: SeshId,
    pub name: String,
    pub agent: Option<String>,
    pub machine: String,
    pub cwd: String,
    pub state: State,
    /// The same as `state`, with its older name.
    pub turn_status: State,
    pub why: Option<String>,
    pub since: Option<u64>,
    pub by: Option<String>,
    #[serde(rename = "gen")]
    pub generation: u64,
    pub seen: u64,
    /// Whether its process runs in a pane.
    pub live: bool,
    pub archived: bool,
    pub tags: Vec<String>,
    pub note: Option<String>,
    pub meta: BTreeMap<String, String>,
    pub parent: Option<SeshId>,
    /// The owner, which is responsible for it: the uuid of the sesh that created it, or the value of `--owner`.
    pub owner: Option<String>,
    pub conversation: Option<String>,
    /// The agent's process.
    pub agent_pid: Option<i32>,
    pub command: Vec<String>,
    pub exit: Option<ExitStatus>,
    /// Its last state, if its end was not recorded since its server ended or cannot be reached.
    pub was: Option<State>,
    /// The socket of its server.
    pub socket: Option<String>,
    pub tmux: Option<Place>,
    pub created_at: Option<u64>,
    pub updated_at: Option<u64>,
    /// The time when it expires.
    pub expires_at: Option<u64>,
    /// The version of the schema.
    pub schema: u32,
    /// The values, as they are stored.
    #[serde(skip)]
    pub values: Values,
    /// The other data of the journal, if only the journal has the sesh.
    #[serde(skip)]
    pub kept: Option<JournalData>,
}

impl Record {
    /// Returns the process that the sesh is bound to.
    #[must_use]
    pub fn bound(&self) -> Option<Binding> {
        Binding::parse(self.values.get(Key::Proc))
    }

    /// Returns the generation at which it last became busy, or 0 if it never was.
    #[must_use]
    pub fn worked(&self) -> u64 {
        self.values.get(Key::Worked).parse().unwrap_or(0)
    }

    /// Returns whether it has all of these tags.
    #[must_use]
    pub fn has_tags(&self, tags: &[Tag]) -> bool {
        let has = |tag: &Tag| self.tags.iter().any(|it| it == tag.as_str());
        tags.iter().all(has)
    }

    /// Returns when it exited, as far as that is known, and then when it was created: of exited seshes of one name the newest
    /// has the largest value.
    #[must_use]
    pub fn last_end(&self) -> (Option<u64>, Option<u64>) {
        let end = self.exit.and_then(|exit| exit.at);
        (end.or(self.updated_at), self.created_at)
    }

    /// Returns whether its command has failed. The exit code of a login shell is that of the last command in it, and what
    /// was alive when its server died has no end of its own.
    #[must_use]
    pub fn failed(&self) -> bool {
        let has_command = !self.command.is_empty() && self.was.is_none();
        has_command && self.exit.is_some_and(ExitStatus::is_failure)
    }

    /// Returns the pid of the shell that `sesh-run` started, if it is known.
    #[must_use]
    pub fn shell(&self) -> Option<i32> {
        self.bound()?.shell
    }

    /// Returns whether `sesh-new` created its pane.
    #[must_use]
    pub fn was_made(&self) -> bool {
        !self.values.get(Key::Made).is_empty()
    }

    /// Returns whether its pane was created for one headless turn. Such a sesh is busy as long as it is alive.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.values.get(Key::Made) == HEADLESS
    }

    /// Returns whether it was adopted automatically, since an agent was found in the pane.
    #[must_use]
    pub fn was_auto_adopted(&self) -> bool {
        !self.values.get(Key::Auto).is_empty()
    }

    /// Returns whether `sesh-run` is the first process of its pane: `sesh-new` created the pane, and no other process
    /// was started in it since.
    #[must_use]
    pub fn is_made(&self) -> bool {
        let pid = self.tmux.as_ref().map(|place| place.pid);
        self.was_made() && self.bound().map(|bound| bound.pid) == pid
    }

    /// Returns the record of a sesh that has a pane. `dead` is tmux's `#{pane_dead}`: the pane's process has exited. If
    /// the pane runs another process than the one that the sesh is bound to, the state is unknown.
    #[must_use]
    pub fn live(values: Values, place: Place, dead: bool) -> Option<Self> {
        let same_process =
            Binding::parse(values.get(Key::Proc)).is_none_or(|bound| bound.pid == place.pid);
        let exited = dead || !values.get(Key::Exit).is_empty();
        let state = if exited {
            State::Exited
        } else if same_process {
            values.get(Key::State).parse().unwrap_or(State::Unknown)
        } else {
            State::Unknown
        };
        let mut record = Self::from_values(values, state)?;
        if !exited && !same_process {
            record.why = None;
            record.by = Some("process".into());
        }
        record.live = !exited && same_process;
        record.socket = Some(place.socket.clone());
        record.tmux = Some(place);
        Some(record)
    }

    /// Returns the record of an exited sesh, which has no pane.
    #[must_use]
    pub fn ended(values: Values) -> Option<Self> {
        Self::from_values(values, State::Exited)
    }

    /// Returns the record with the socket of its server. The values of a sesh without a pane do not contain the socket.
    #[must_use]
    pub fn of(mut self, server: &Server) -> Self {
        let socket = server.address();
        self.socket = socket.map(|path| path.to_string_lossy().into_owned());
        self
    }

    fn from_values(values: Values, state: State) -> Option<Self> {
        let text = |key: Key| {
            let value = values.get(key);
            (!value.is_empty()).then(|| value::decode(value))
        };
        let number = |key: Key| values.get(key).parse::<u64>().ok();
        let exit = ExitStatus::parse(values.get(Key::Exit));
        Some(Self {
            uuid: values.get(Key::Id).parse().ok()?,
            name: values.get(Key::Name).into(),
            agent: text(Key::Agent),
            machine: text(Key::Host).unwrap_or_default(),
            cwd: text(Key::Cwd).unwrap_or_default(),
            state,
            turn_status: state,
            why: text(Key::Why),
            since: exit.and_then(|exit| exit.at).or_else(|| number(Key::Since)),
            by: text(Key::By),
            generation: number(Key::Gen).unwrap_or(0),
            seen: number(Key::Seen).unwrap_or(0),
            live: false,
            archived: !values.get(Key::Archived).is_empty(),
            tags: values
                .get(Key::Tags)
                .split(' ')
                .filter(|tag| !tag.is_empty())
                .map(Into::into)
                .collect(),
            note: text(Key::Note),
            meta: value::decode_pairs(values.get(Key::Meta))
                .into_iter()
                .collect(),
            parent: values.get(Key::Parent).parse().ok(),
            owner: text(Key::Owner),
            conversation: text(Key::Conv),
            agent_pid: Binding::parse(values.get(Key::Pid)).map(|bound| bound.pid),
            command: value::decode_words(values.get(Key::Cmd))
                .into_iter()
                .map(|word| String::from_utf8_lossy(&word).into_owned())
                .collect(),
            exit,
            was: None,
            socket: None,
            tmux: None,
            created_at: number(Key::Created),
            updated_at: number(Key::Updated).max(exit.and_then(|exit| exit.at)),
            expires_at: number(Key::Expires),
            schema: schema::VERSION,
            values,
            kept: None,
        })
    }

    /// Sets the current state, which may be newer than the stored one. `now` is the time of the server's clock, if it
    /// is known.
    pub fn set_state(&mut self, state: State, why: Option<Why>, by: &str, now: Option<u64>) {
        let why = why.map(|why| why.as_str().to_string());
        if (self.state, &self.why) != (state, &why) && now.is_some() {
            self.since = now;
        }
        self.state = state;
        self.turn_status = state;
        self.why = why;
        self.by = Some(by.into());
    }

    /// Returns whether it is unread: no person has looked at it since its state changed.
    fn is_unread(&self) -> bool {
        let stored = (self.values.get(Key::State), self.values.get(Key::Why));
        let now = (self.state.as_str(), self.why.as_deref().unwrap_or(""));
        self.seen < self.generation || (self.exit.is_none() && stored != now)
    }

    /// Returns why it needs a person, if it does. A finished command of a shell needs no other person than the one who
    /// typed it. A sesh without a pane needs none, since there is nothing to look at.
    #[must_use]
    pub fn needs(&self) -> Option<Need> {
        let held = self.exit.is_some() && self.tmux.is_some();
        let agent = self.agent.is_some();
        Need::of(
            self.state,
            self.why.as_deref(),
            self.is_unread(),
            held,
            agent,
        )
    }

    /// Returns the state for people, with the reason why it waits or its exit status.
    #[must_use]
    pub fn state_in_words(&self) -> String {
        in_words(self.state, self.why.as_deref(), self.exit, self.was)
    }

    /// Returns whether it runs an interactive shell, and not a command or an agent. The state counts too, since the
    /// command is stored a moment after the creation: only a command is busy from the start, and the pid of a shell is
    /// stored when the shell becomes busy.
    #[must_use]
    pub fn is_shell(&self) -> bool {
        let may_be = match self.state {
            State::Idle | State::Unknown => true,
            State::Busy => !self.was_made() || self.shell().is_some(),
            _ => false,
        };
        self.live && self.agent.is_none() && self.command.is_empty() && may_be
    }
}

/// Returns a state for people, with the reason why a sesh waits or its exit status.
#[must_use]
pub fn in_words(
    state: State,
    why: Option<&str>,
    exit: Option<ExitStatus>,
    was: Option<State>,
) -> String {
    let word = state.as_str();
    let (code, signal) = exit.map_or((None, None), |exit| (exit.code, exit.signal));
    match (state, code, signal, was, why) {
        (State::Exited, Some(code), ..) => format!("{word} {code}"),
        (State::Exited, _, Some(number), ..) => format!("{word} {}", signal::name(number)),
        (State::Exited | State::Unknown, _, _, Some(was), _) => {
            format!("{word} (was {})", was.as_str())
        }
        (State::Exited, ..) => format!("{word} ?"),
        (.., Some(why)) => format!("{word} {why}"),
        _ => word.into(),
    }
}

/// Returns the version of the schema of a stored record, or `None` if the text is no record.
#[must_use]
pub fn book_version(text: &str) -> Option<u32> {
    text.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn values() -> Values {
        let mut values = Values::default();
        values.set(Key::Id, "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f");
        values.set(Key::Name, "a=b");
        values.set(Key::Tags, " x y ");
        values.set(Key::Proc, "41:900");
        values.set(Key::State, "busy");
        values.set(Key::Note, value::encode("a, b=c\n#(x)"));
        values
    }

    fn place(pid: i32) -> Place {
        Place {
            socket: "/s".into(),
            session: "0".into(),
            window: 1,
            pane: PaneId(3),
            session_id: "$0".into(),
            window_id: "@1".into(),
            window_name: "w".into(),
            pid,
        }
    }

    #[test]
    fn a_stored_record_round_trips() {
        let values = values();
        assert_eq!(Values::from_book(&values.to_book()), Some(values));
    }

    #[test]
    fn the_last_of_two_fields_counts_and_unknown_ones_are_ignored() {
        let text = format!("{},future=1,exit=- 9 12,exit=3 - 15", values().to_book());
        let record =
            Record::ended(Values::from_book(&text).expect("a stored record")).expect("a record");
        let exit = record.exit.expect("an exit");
        assert_eq!((exit.code, exit.signal, exit.at), (Some(3), None, Some(15)));
        assert_eq!(record.note.as_deref(), Some("a, b=c\n#(x)"));
        assert_eq!(record.tags, ["x", "y"]);
    }

    #[test]
    fn the_state_is_unknown_if_another_process_runs_in_the_pane() {
        let same = Record::live(values(), place(41), false).expect("a record");
        assert_eq!((same.live, same.state), (true, State::Busy));
        let other = Record::live(values(), place(42), false).expect("a record");
        assert_eq!((other.live, other.state), (false, State::Unknown));
        let dead = Record::live(values(), place(41), true).expect("a record");
        assert_eq!(
            (dead.live, dead.state, dead.exit),
            (false, State::Exited, None)
        );
    }

    #[test]
    fn a_stored_record_without_an_identity_is_malformed() {
        for text in [
            "",
            "1",
            "1,id=x",
            "x,id=3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f",
        ] {
            assert_eq!(Values::from_book(text), None, "{text}");
        }
    }
}
