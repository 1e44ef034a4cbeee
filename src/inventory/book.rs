//! The book records of seshes that have no pane.

use std::collections::HashMap;

use super::change::{Change, ChangeKind, Repair};
use super::pane::runner_lives;
use crate::error::{Error, Result};
use crate::id::SeshId;
use crate::store::condition::{both, has_tail, record_is};
use crate::store::query::book_line;
use crate::store::record::{self, Record, Values};
use crate::store::{hint, schema, tail, write};

/// A book record as it is stored.
pub(super) struct Book {
    pub(super) text: String,
    /// `None` for a record that cannot be read, or that a newer program wrote.
    pub(super) values: Option<Values>,
}

/// Reads the book records among the options that tmux shows.
///
/// # Errors
/// An option that belongs to panes is set elsewhere.
pub(super) fn read_books(lines: &str) -> Result<HashMap<SeshId, Book>> {
    let mut books = HashMap::new();
    for line in lines.lines() {
        let name = line.split(' ').next().unwrap_or("");
        if schema::is_state(name) {
            return Err(Error::unusable(format!(
                "{name} is set for more than one pane, so the seshes cannot be told apart: sesh-doctor shows how to \
                 fix it"
            )));
        }
        if let Some((id, text)) = book_line(line) {
            // A text that this program wrote holds no character that has a meaning in a format. This text is put into a
            // condition.
            let readable = record::book_version(text) <= Some(schema::VERSION)
                && !text.contains(['#', '{', '}', '\\']);
            let values = readable.then(|| Values::from_book(text)).flatten();
            let text = text.to_string();
            books.insert(id, Book { text, values });
        }
    }
    Ok(books)
}

/// Returns the end of a sesh whose pane went away without a recorded end. A process that ignored the end of its
/// terminal is still alive, and its `sesh-run` records how it ends.
pub(super) fn ended_without_pane(id: SeshId, book: &Book) -> Option<Repair> {
    let record = Record::ended(book.values.clone()?)?;
    if record.exit.is_some() || runner_lives(&record) {
        return None;
    }
    Some(Repair {
        change: Change {
            change: ChangeKind::Ended,
            uuid: id,
            name: Some(record.name),
            pane: None,
            what: "has exited for an unknown cause: its pane is gone".into(),
        },
        condition: record_is(id, &book.text),
        commands: std::iter::once(write::end_in_book(
            id,
            &record::ExitStatus::value(None, None),
        ))
        .chain(hint::of_sesh(id))
        .collect(),
        replaces: None,
    })
}

/// Returns the removal of last lines whose sesh is not recorded any more.
pub(super) fn orphaned_tail(id: SeshId) -> Repair {
    Repair {
        change: Change {
            change: ChangeKind::Tail,
            uuid: id,
            name: None,
            pane: None,
            what: "was forgotten, and its last lines were left over".into(),
        },
        condition: both(&has_tail(id), &record_is(id, "")),
        commands: vec![tail::unset(id)],
        replaces: None,
    }
}
