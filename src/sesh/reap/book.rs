//! What is remembered of seshes that have no pane.

use super::pane::runner_lives;
use super::seen::Book;
use super::{Change, Kind, Mend};
use crate::id::SeshId;
use crate::store::condition::both;
use crate::store::record::{self, Record};
use crate::store::{schema, write};
use crate::tmux::command;

/// The end of a sesh whose pane went without one. What ignored the end of its terminal lives on, and its
/// `sesh-run` will say how it ended.
pub(super) fn vanished(id: SeshId, book: &Book) -> Option<Mend> {
    let record = Record::ended(book.values.clone()?)?;
    if record.exit.is_some() || runner_lives(&record) {
        return None;
    }
    Some(Mend {
        change: Change {
            change: Kind::Ended,
            uuid: id,
            name: Some(record.name),
            pane: None,
            what: "has ended, for a cause that nobody knows: its pane is gone".into(),
        },
        condition: format!("#{{==:#{{{}}},{}}}", schema::book(id), book.text),
        commands: write::end_in_book(id, &record::Exit::value(None, None)),
        replaces: None,
    })
}

/// The last lines of a sesh that nothing else is known of.
pub(super) fn forgotten(id: SeshId) -> Mend {
    let tail = schema::tail(id);
    Mend {
        change: Change {
            change: Kind::Tail,
            uuid: id,
            name: None,
            pane: None,
            what: "is forgotten, and its last lines were left".into(),
        },
        condition: both(
            &format!("#{{!=:#{{{tail}}},}}"),
            &format!("#{{==:#{{{}}},}}", schema::book(id)),
        ),
        commands: vec![command::unset_hidden(&tail)],
        replaces: None,
    }
}
