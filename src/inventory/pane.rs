//! What is remembered of a sesh that has a pane.

use super::change::{Change, ChangeKind, Repair};
use crate::id::PaneId;
use crate::proc;
use crate::store::condition::{both, equal};
use crate::store::record::{self, Record, Values};
use crate::store::schema::Lifetime;
use crate::store::{Binding, Key, schema, write};
use crate::tmux::Command;

/// Whether a pane's process is `sesh-run` as `sesh-new` starts it, by what tmux was told to start: after a
/// `respawn-pane` it needs a moment to say that the pane is its own.
pub(super) const IS_RUNNER: &str = "#{m:*sesh-run*--launch*,#{pane_start_command}}";

/// A pane that is a sesh.
pub(super) struct SeshPane {
    pub(super) record: Record,
    pub(super) pane: PaneId,
    /// Its first process.
    pub(super) pid: i32,
    /// tmux keeps it, and its process has ended.
    pub(super) dead: bool,
    /// See [`IS_RUNNER`].
    pub(super) is_runner: bool,
}

impl SeshPane {
    /// A change of a sesh that has not ended, with its book.
    pub(super) fn changes(
        &self,
        kind: ChangeKind,
        what: &str,
        mut commands: Vec<Command>,
    ) -> Repair {
        commands.push(self.book());
        let condition = self.unchanged(&equal(Key::Exit, ""));
        self.mend(kind, what, condition, commands)
    }

    /// Whether the time that it was given is over.
    pub(super) fn is_over_its_time(&self, now: u64) -> bool {
        self.record.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether another process than the one it is bound to runs in the pane. Only what tmux says counts: this
    /// program may see other processes than the server does.
    pub(super) fn is_anothers(&self) -> bool {
        let bound = self.record.bound();
        !self.dead && !self.is_runner && bound.is_some_and(|bound| bound.pid != self.pid)
    }

    /// tmux keeps the pane. Of an adopted one it knows how its process ended; of the others that was `sesh-run`.
    pub(super) fn died(&self) -> Repair {
        let or_dash = |name: &str| format!("#{{?#{{!=:#{{{name}}},}},#{{{name}}},-}}");
        let exit = if self.record.was_made() {
            record::ExitStatus::value(None, None)
        } else {
            format!(
                "{} {}",
                or_dash("pane_dead_status"),
                or_dash("pane_dead_signal")
            )
        };
        let pane = self.pane.to_string();
        let mut commands = write::end(&pane, &exit);
        commands.push(self.book());
        let condition = both(&equal(Key::Exit, ""), "#{==:#{pane_dead},1}");
        self.mend(
            ChangeKind::Ended,
            "has ended, and nobody had written it down",
            self.unchanged(&condition),
            commands,
        )
    }

    /// Somebody started something else there: the sesh goes into its book, and the pane is no sesh.
    pub(super) fn release(&self) -> Repair {
        let pane = self.pane.to_string();
        let mut commands = Vec::new();
        let open = self.record.exit.is_none() && !runner_lives(&self.record);
        if open {
            commands.extend(write::end(&pane, &record::ExitStatus::value(None, None)));
        }
        commands.push(self.book());
        commands.extend(write::unmark(&pane));
        let there = both(
            &format!("#{{==:#{{pane_pid}},{}}}", self.pid),
            "#{==:#{pane_dead},0}",
        );
        let (kind, what) = if open {
            (
                ChangeKind::Ended,
                "has ended, for a cause that nobody knows: another process runs in its pane",
            )
        } else {
            (
                ChangeKind::Released,
                "has no pane any more: another process runs there",
            )
        };
        self.mend(kind, what, self.unchanged(&there), commands)
    }

    /// What a person looked at last is on the pane alone: nobody writes the book for that.
    pub(super) fn other_book(&self, book: Option<&Values>) -> Option<Repair> {
        let own = &self.record.values;
        let same = book.is_some_and(|book| {
            schema::PANE
                .iter()
                .filter(|entry| entry.lifetime != Lifetime::Pane)
                .all(|entry| book.get(entry.key) == own.get(entry.key))
        });
        (!same).then(|| {
            let differs = format!("#{{==:{},0}}", write::book_is_in_step(self.record.uuid));
            self.mend(
                ChangeKind::Book,
                "had a book that did not say what its pane says",
                self.unchanged(&differs),
                vec![self.book()],
            )
        })
    }

    pub(super) fn book(&self) -> Command {
        write::book(&self.pane.to_string(), self.record.uuid)
    }

    /// The condition that the pane still is this sesh's and nobody has written another state, and one more.
    pub(super) fn unchanged(&self, more: &str) -> String {
        let id = equal(Key::Id, &self.record.uuid.to_string());
        // As it is stored, if that is a number: anything else has no place in a condition.
        let stored = self.record.values.get(Key::Gen);
        let generation = if stored.bytes().all(|byte| byte.is_ascii_digit()) {
            equal(Key::Gen, stored)
        } else {
            "1".into()
        };
        both(&both(&id, &generation), more)
    }

    pub(super) fn mend(
        &self,
        kind: ChangeKind,
        what: &str,
        condition: String,
        commands: Vec<Command>,
    ) -> Repair {
        Repair {
            change: Change {
                change: kind,
                uuid: self.record.uuid,
                name: Some(self.record.name.clone()),
                pane: Some(self.pane),
                what: what.into(),
            },
            condition,
            commands,
            replaces: None,
        }
    }
}

/// Whether the `sesh-run` of a sesh lives, in its pane or without.
pub(super) fn runner_lives(record: &Record) -> bool {
    let lives = |bound: Binding| {
        proc::read(bound.pid).is_some_and(|process| {
            !process.zombie && bound.start.is_none_or(|start| start == process.start)
        })
    };
    record.was_made() && record.bound().is_some_and(lives)
}
