//! The chosen row, for scripts. The fields and their order are public.

use serde::Serialize;

use super::rows::Row;
use crate::store::Place;

/// The format in which a choice is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChoiceFormat {
    /// One object.
    #[default]
    Json,
    /// The values in the order of [`Choice::fields`], each ended by a NUL.
    Nul,
    /// `key=value` lines.
    Kv,
}

/// The row that was chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// `goto` where it has a pane, else `resume`.
    pub action: &'static str,
    pub uuid: Option<String>,
    pub machine: String,
    pub agent: Option<String>,
    pub cwd: String,
    pub name: String,
    pub tmux: Option<Place>,
}

impl Choice {
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self {
            action: if row.place.is_some() {
                "goto"
            } else {
                "resume"
            },
            uuid: row.uuid().map(|uuid| uuid.to_string()),
            machine: row.machine.clone(),
            agent: row.agent.clone(),
            cwd: row.cwd.clone(),
            name: row.name.clone(),
            tmux: row.place.clone(),
        }
    }

    /// Returns every field and its value, which is empty where there is none.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, String); 10] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let place = |of: fn(&Place) -> String| self.tmux.as_ref().map_or_else(String::new, of);
        [
            ("action", self.action.into()),
            ("uuid", text(&self.uuid)),
            ("machine", self.machine.clone()),
            ("agent", text(&self.agent)),
            ("cwd", self.cwd.clone()),
            ("name", self.name.clone()),
            ("socket", place(|it| it.socket.clone())),
            ("session", place(|it| it.session.clone())),
            ("window", place(|it| it.window.to_string())),
            ("pane", place(|it| it.pane.to_string())),
        ]
    }
}
