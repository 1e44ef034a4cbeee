//! The stored data of an exited sesh that is restored. The list of commands that creates its pane uses this data, and
//! it is written back if the creation fails.

use super::commit::commit;
use super::condition::{both, equal, no_pane_has};
use super::durable::Journal;
use super::hint;
use super::note::{JournalEvent, Note};
use super::record::Values;
use super::target::changed;
use super::{Key, Record, schema, write};
use crate::clock;
use crate::error::{Error, Result};
use crate::id::{PaneId, SeshId};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The stored data of an exited sesh, before its restore.
#[derive(Clone, Debug)]
pub struct Prior {
    id: SeshId,
    values: Values,
    /// Its record as it is stored in this server. `None` if only the journal has the sesh.
    book: Option<String>,
    /// Its last lines, as they are stored.
    tail: String,
    /// The pane in which it has exited.
    pane: Option<PaneId>,
    /// Whether that pane is held readable, so that no other program runs in it.
    held: bool,
}

/// Returns the error that another live sesh now has the name of a sesh that is to be restored.
pub(crate) fn name_is_taken(name: &str) -> Error {
    Error::unusable(format!(
        "the name {name} is now used by another live sesh: rename one with sesh-set"
    ))
}

/// The values that a restored sesh keeps.
const CARRIED_OVER: [Key; 12] = [
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

/// The values that an end of a sesh changes.
const CHANGED_BY_END: [Key; 6] = [
    Key::Exit,
    Key::State,
    Key::Why,
    Key::Since,
    Key::By,
    Key::Cmd,
];

impl Prior {
    /// Reads what this server stores of an exited sesh.
    ///
    /// # Errors
    /// [`Exit::Changed`] if the sesh was forgotten since the record was read, or its stored record is gone or
    /// malformed.
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
        let forgotten = || {
            Journal::of(server, record.uuid)
                .forgotten()
                .contains(&record.uuid)
        };
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

    /// Returns whether only the journal has the sesh, so that it may be among the pending restores.
    pub(crate) fn is_only_in_journal(&self) -> bool {
        self.book.is_none()
    }

    /// Returns the condition that the sesh was not changed since it was read, that no other process has restored it,
    /// and that no other pane has its conversation.
    pub(crate) fn is_unchanged(&self) -> String {
        let book = self.book.as_deref().unwrap_or_default();
        let same = format!("#{{==:#{{{}}},{book}}}", schema::book(self.id));
        let alive = equal(Key::Exit, "");
        let same_id = equal(Key::Id, &self.id.to_string());
        let restored = match self.pane {
            Some(_) => both(&same_id, &alive),
            None => same_id,
        };
        let condition = both(&same, &no_pane_has(&restored));
        match self.values.get(Key::Conv) {
            "" => condition,
            conversation => {
                let taken = both(&equal(Key::Conv, conversation), &alive);
                both(&condition, &no_pane_has(&taken))
            }
        }
    }

    /// Adds the values that the sesh keeps to the values of a birth.
    pub(crate) fn carry_over(&self, values: &mut Vec<(Key, String)>) {
        let now = clock::seconds();
        values.retain(|(key, _)| !CARRIED_OVER.contains(key));
        for key in CARRIED_OVER {
            let value = self.values.get(key);
            // An expiry time in the past would end the sesh at once.
            let expired = key == Key::Expires && value.parse::<u64>().is_ok_and(|end| end <= now);
            if !value.is_empty() && !expired {
                values.push((key, value.into()));
            }
        }
        // The generation never decreases, since waiting processes compare it.
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

    /// Returns the commands that close the pane in which the sesh has exited if it is held. If another program runs in
    /// the pane, they only remove the options of the sesh.
    pub(crate) fn release_pane(&self) -> Vec<Command> {
        match self.pane {
            Some(pane) if self.held => vec![command::kill_pane(pane)],
            Some(pane) => write::unregister(&pane.to_string()).collect(),
            None => Vec::new(),
        }
    }

    /// Sets the sesh back to exited as it was before, and closes the panes that were created for it. Its stored data is
    /// not set back if another pane has the sesh.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub(crate) fn restore_end(&self, server: &Server, panes: &[PaneId]) -> Result<()> {
        let same_id = equal(Key::Id, &self.id.to_string());
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
        as_before.extend(hint::of_sesh(self.id));
        let mut batch = Batch::new();
        batch.extend(panes.iter().copied().map(command::kill_pane));
        let batch = batch.then(command::if_format(
            None,
            &no_pane_has(&same_id),
            &as_before,
            &Batch::new(),
        ));
        // The journal contains the end of the failed restore, so the earlier end is written again.
        let earlier: Vec<(Key, &str)> = CHANGED_BY_END
            .into_iter()
            .map(|key| (key, self.values.get(key)))
            .collect();
        let note = Note::values(JournalEvent::Changed, self.id, &earlier).with_tail(&self.tail);
        commit(server, &batch, |answer| {
            let outcome = match answer {
                // The server has exited with its last pane.
                Err(error) if error.server_is_gone() => Ok(()),
                outcome => outcome.map(drop),
            };
            Ok((outcome, vec![note]))
        })?
    }
}
