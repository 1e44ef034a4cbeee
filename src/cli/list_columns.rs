//! The columns of `sesh-list --columns`.

use super::transcript_columns;
use crate::clock;
use crate::error::{Error, Result};
use crate::id::shown;
use crate::out;
use crate::proc::signal;
use crate::store::Record;

/// A column of `--columns`: its name and its value.
pub(super) type Column = (&'static str, fn(&Record) -> String);

/// Returns the column with a name.
pub(super) fn column(name: String) -> Result<Column> {
    COLUMNS
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(&name))
        .ok_or_else(|| Error::usage(format!("no column {}", shown(&name))))
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The column of what a pane shows of the claims of its sesh. It is read only when it is asked for.
pub(super) const CLAIM: &str = "claim";

pub(super) const COLUMNS: [Column; 35] = [
    ("uuid", |it| it.uuid.to_string()),
    ("name", |it| it.name.clone()),
    ("agent", |it| it.agent.clone().unwrap_or_default()),
    ("machine", |it| it.machine.clone()),
    ("status", |it| it.state.as_str().into()),
    ("state", |it| it.state.as_str().into()),
    ("cwd", |it| it.cwd.clone()),
    ("tags", |it| it.tags.join(",")),
    ("archived", |it| it.archived.to_string()),
    ("live", |it| it.live.to_string()),
    ("tmux-socket", |it| {
        it.tmux
            .as_ref()
            .map_or_else(String::new, |place| place.socket.clone())
    }),
    ("tmux-session", |it| {
        it.tmux
            .as_ref()
            .map_or_else(String::new, |place| place.session.clone())
    }),
    ("tmux-window", |it| {
        it.tmux
            .as_ref()
            .map_or_else(String::new, |place| place.window.to_string())
    }),
    ("tmux-pane", |it| {
        it.tmux
            .as_ref()
            .map_or_else(String::new, |place| place.pane.to_string())
    }),
    ("why", |it| it.why.clone().unwrap_or_default()),
    ("since", |it| number(it.since)),
    ("by", |it| it.by.clone().unwrap_or_default()),
    ("gen", |it| it.generation.to_string()),
    ("note", |it| it.note.clone().unwrap_or_default()),
    ("parent", |it| {
        it.parent.map_or_else(String::new, |id| id.to_string())
    }),
    ("owner", |it| it.owner.clone().unwrap_or_default()),
    ("conversation", |it| {
        it.conversation.clone().unwrap_or_default()
    }),
    ("command", |it| it.command.join(" ")),
    ("exit", |it| match it.exit {
        Some(exit) => match (exit.code, exit.signal) {
            (Some(code), _) => code.to_string(),
            (_, Some(number)) => signal::name(number),
            _ => String::new(),
        },
        None => String::new(),
    }),
    ("created", |it| number(it.created_at)),
    ("updated", |it| number(it.updated_at)),
    ("expires", |it| number(it.expires_at)),
    ("was", |it| {
        it.was.map_or_else(String::new, |was| was.as_str().into())
    }),
    ("socket", |it| it.socket.clone().unwrap_or_default()),
    // What the table shows under these names.
    ("age", |it| out::age(it.since, clock::seconds())),
    ("where", place),
    // The caller fills it in: it is no value of a record.
    (CLAIM, |_| String::new()),
    // Read from the transcript.
    ("model", transcript_columns::model),
    ("context", transcript_columns::context),
    ("title", transcript_columns::title),
];

/// Formats where a sesh is: its session, the index of its window, and its pane.
pub(super) fn place(record: &Record) -> String {
    record.tmux.as_ref().map_or_else(String::new, |place| {
        format!("{}:{} {}", place.session, place.window, place.pane)
    })
}

/// Returns the columns of records as lines, with tabs between them. `claim` returns what the column [`CLAIM`] has.
pub(super) fn columns(
    records: &[&Record],
    columns: &[Column],
    header: bool,
    claim: impl Fn(&Record) -> String,
) -> String {
    let mut lines = String::new();
    if header {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        lines.push_str(&out::as_line(&names.join("\t")));
    }
    for record in records {
        let cells: Vec<String> = columns
            .iter()
            .map(|(name, cell)| match *name {
                CLAIM => out::tsv(&claim(record)),
                _ => out::tsv(&cell(record)),
            })
            .collect();
        lines.push_str(&out::as_line(&cells.join("\t")));
    }
    lines
}
