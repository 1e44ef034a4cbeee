//! What is remembered of seshes that have no pane.

use std::collections::HashMap;

use super::change::{Change, ChangeKind, Repair};
use super::pane::runner_lives;
use crate::error::{Error, Result};
use crate::id::SeshId;
use crate::store::condition::{both, has_tail, record_is};
use crate::store::query::book_line;
use crate::store::record::{self, Record, Values};
use crate::store::{schema, tail, write};

/// A book record as it is stored.
pub(super) struct Book {
    pub(super) text: String,
    /// `None` for one that cannot be read, or that a newer program wrote.
    pub(super) values: Option<Values>,
}

/// The books among the options that tmux shows.
///
/// # Errors
/// A name of the panes' is set elsewhere.
pub(super) fn read_books(lines: &str) -> Result<HashMap<SeshId, Book>> {
    let mut books = HashMap::new();
    for line in lines.lines() {
        let name = line.split(' ').next().unwrap_or("");
        if schema::is_state(name) {
            return Err(Error::unusable(format!(
                "{name} is set for more than one pane, so it is unknown which are seshes: sesh-doctor says how to \
                 take that back"
            )));
        }
        if let Some((id, text)) = book_line(line) {
            // A text of ours holds nothing that acts in a format: this one is put into a condition.
            let readable = record::book_version(text) <= Some(schema::VERSION)
                && !text.contains(['#', '{', '}', '\\']);
            let values = readable.then(|| Values::from_book(text)).flatten();
            let text = text.to_string();
            books.insert(id, Book { text, values });
        }
    }
    Ok(books)
}

/// The end of a sesh whose pane went without one. What ignored the end of its terminal lives on, and its
/// `sesh-run` will say how it ended.
pub(super) fn vanished(id: SeshId, book: &Book) -> Option<Repair> {
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
            what: "has ended, for a cause that nobody knows: its pane is gone".into(),
        },
        condition: record_is(id, &book.text),
        commands: write::end_in_book(id, &record::ExitStatus::value(None, None)),
        replaces: None,
    })
}

/// The last lines of a sesh that nothing else is known of.
pub(super) fn forgotten(id: SeshId) -> Repair {
    Repair {
        change: Change {
            change: ChangeKind::Tail,
            uuid: id,
            name: None,
            pane: None,
            what: "is forgotten, and its last lines were left".into(),
        },
        condition: both(&has_tail(id), &record_is(id, "")),
        commands: vec![tail::unset(id)],
        replaces: None,
    }
}
