//! An ended sesh that is to go on: what was known of it, for the list that makes its pane, and for when nothing came of
//! that.

use super::commit::commit;
use super::condition::{both, equal, no_pane_has};
use super::durable::Journal;
use super::note::{JournalEvent, Note};
use super::record::Values;
use super::target::changed;
use super::{Key, Record, schema, write};
use crate::clock;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// What was known of an ended sesh.
#[derive(Clone, Debug)]
pub struct Prior {
    id: SeshId,
    values: Values,
    /// Its book as it stands in this server. `None` where only the journal has it.
    book: Option<String>,
    /// Its last lines as they are stored.
    tail: String,
    /// The pane where it has ended.
    pane: Option<PaneId>,
    /// That is held readable, and nothing else runs there.
    held: bool,
}

/// Another living sesh has by now the name of one that is to go on.
pub(crate) fn name_is_taken(name: &str) -> Error {
    Error::unusable(format!(
        "another living sesh is called {name} now: rename one with sesh-set"
    ))
}

/// What a sesh that goes on has of its past.
const KEPT: [Key; 12] = [
    Key::Tags,
    Key::Agent,
    Key::Conv,
    Key::Worked,
    Key::Created,
    Key::Parent,
    Key::Owner,
    Key::Expires,
    Key::Archived,
    Key::Note,
    Key::Meta,
    Key::Cwd,
];

/// What an end changes.
const ENDS: [Key; 6] = [
    Key::Exit,
    Key::State,
    Key::Why,
    Key::Since,
    Key::By,
    Key::Cmd,
];

impl Prior {
    /// Reads what this server has of an ended sesh.
    ///
    /// # Errors
    /// It lives, was forgotten, or was changed since the record was read.
    pub(crate) fn read(server: &Server, record: &Record) -> Result<Self> {
        let frame = Frame::new();
        let format = frame.format([
            format!("#{{{}}}", schema::book(record.uuid)),
            format!("#{{{}}}", schema::tail(record.uuid)),
        ]);
        let batch = Batch::from(command::start_server()).then(command::print(None, &format));
        let output = server.run(&batch)?;
        let (rows, _) = frame.read(&output);
        let &[book, tail] = rows.first().map_or(&[][..], |row| &row[..]) else {
            return Err(changed(record.uuid));
        };
        let forgotten = || Journal::read(server).forgotten().contains(&record.uuid);
        let values = match book {
            "" if record.kept.is_none() || forgotten() => return Err(changed(record.uuid)),
            "" => record.values.clone(),
            book => Values::from_book(book).ok_or_else(|| changed(record.uuid))?,
        };
        Ok(Self {
            id: record.uuid,
            values,
            book: (!book.is_empty()).then(|| book.into()),
            tail: match &record.kept {
                Some(kept) => kept.tail.clone().unwrap_or_default(),
                None => tail.into(),
            },
            pane: record.tmux.as_ref().map(|place| place.pane),
            held: !record.values.get(Key::Held).is_empty(),
        })
    }

    pub(crate) fn id(&self) -> SeshId {
        self.id
    }

    /// Returns whether only the journal has it, so that it may be among the pending restores.
    pub(crate) fn is_only_in_journal(&self) -> bool {
        self.book.is_none()
    }

    /// The condition that nobody has changed it since it was read, that nobody else has it go on, and that no other pane
    /// has its conversation.
    pub(crate) fn is_unchanged(&self) -> String {
        let book = self.book.as_deref().unwrap_or_default();
        let same = format!("#{{==:#{{{}}},{book}}}", schema::book(self.id));
        let alive = equal(Key::Exit, "");
        let own = equal(Key::Id, &self.id.to_string());
        let own = match self.pane {
            Some(_) => both(&own, &alive),
            None => own,
        };
        let condition = both(&same, &no_pane_has(&own));
        match self.values.get(Key::Conv) {
            "" => condition,
            conversation => {
                let taken = both(&equal(Key::Conv, conversation), &alive);
                both(&condition, &no_pane_has(&taken))
            }
        }
    }

    /// Puts what is kept of it among the values of a birth.
    pub(crate) fn carry_over(&self, values: &mut Vec<(Key, String)>) {
        let now = clock::seconds();
        values.retain(|(key, _)| !KEPT.contains(key));
        for key in KEPT {
            let value = self.values.get(key);
            // A time that is over would end it at once.
            let over = key == Key::Expires && value.parse::<u64>().is_ok_and(|end| end <= now);
            if !value.is_empty() && !over {
                values.push((key, value.into()));
            }
        }
        // Whoever waits goes by it: it never falls.
        let generation = self.values.get(Key::Gen).parse::<u64>().unwrap_or(0) + 1;
        let busy = values.contains(&(Key::State, "busy".into()));
        for key in [Key::Gen, Key::Seen] {
            values.push((key, generation.to_string()));
        }
        if busy {
            values.retain(|(key, _)| *key != Key::Worked);
            values.push((Key::Worked, generation.to_string()));
        }
    }

    /// The commands that close the pane where it has ended, or take its marks off what somebody else does there.
    pub(crate) fn release_pane(&self) -> Vec<Command> {
        match self.pane {
            Some(pane) if self.held => vec![command::kill_pane(pane)],
            Some(pane) => write::unmark(&pane.to_string()).collect(),
            None => Vec::new(),
        }
    }

    /// Has it be ended again as it was before, and closes the panes that were made for it: not when it lives in another.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub(crate) fn restore_end(&self, server: &Server, panes: &[PaneId]) -> Result<()> {
        let own = equal(Key::Id, &self.id.to_string());
        let mut as_before = Batch::new();
        as_before.extend([
            match &self.book {
                Some(book) => command::set_server(&schema::book(self.id), book),
                None => command::unset_server(&schema::book(self.id)),
            },
            match self.tail.as_str() {
                tail if self.book.is_some() && !tail.is_empty() => {
                    command::set_hidden(&schema::tail(self.id), tail)
                }
                _ => command::unset_hidden(&schema::tail(self.id)),
            },
        ]);
        as_before.extend(write::hint());
        let mut batch = Batch::new();
        batch.extend(panes.iter().copied().map(command::kill_pane));
        let batch = batch.then(command::if_format(
            None,
            &no_pane_has(&own),
            &as_before,
            &Batch::new(),
        ));
        // Its new end was written down.
        let was: Vec<(Key, &str)> = ENDS
            .into_iter()
            .map(|key| (key, self.values.get(key)))
            .collect();
        let note = Note::values(JournalEvent::Changed, self.id, &was).with_tail(&self.tail);
        commit(server, &batch, |answer| {
            let outcome = match answer {
                // With its last pane the server went.
                Err(error) if error.exit == Exit::NoServer => Ok(()),
                outcome => outcome.map(drop),
            };
            Ok((outcome, vec![note]))
        })?
    }
}
