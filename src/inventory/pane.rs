//! The stored state of a sesh that has a pane.

use super::change::{Change, ChangeKind, Repair};
use crate::id::PaneId;
use crate::proc;
use crate::store::condition::{both, equal};
use crate::store::record::{self, Record, Values};
use crate::store::schema::Lifetime;
use crate::store::{Binding, Key, schema, write};
use crate::tmux::Command;

/// The format that is true when a pane's process is `sesh-run` as `sesh-new` starts it, by the command that tmux
/// started. After a `respawn-pane`, `sesh-run` needs a moment to record the pane as its own.
pub(super) const IS_RUNNER: &str = "#{m:*sesh-run*--launch*,#{pane_start_command}}";

/// A pane that is a sesh.
pub(super) struct SeshPane {
    pub(super) record: Record,
    pub(super) pane: PaneId,
    /// The first process of the pane.
    pub(super) pid: i32,
    /// Whether tmux keeps the pane although its process has ended.
    pub(super) dead: bool,
    /// Whether a person reads the pane ([`IS_READ`](crate::store::condition::IS_READ)).
    pub(super) is_read: bool,
    /// See [`IS_RUNNER`].
    pub(super) is_runner: bool,
}

impl SeshPane {
    /// Returns a change of a sesh that has not ended. It also writes the book record.
    pub(super) fn changes(
        &self,
        kind: ChangeKind,
        what: &str,
        mut commands: Vec<Command>,
    ) -> Repair {
        commands.push(self.book());
        let condition = self.unchanged(&equal(Key::Exit, ""));
        self.repair(kind, what, condition, commands)
    }

    /// Whether the time that the sesh was given is over.
    pub(super) fn is_expired(&self, now: u64) -> bool {
        self.record.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether the pane runs another process than the one that the sesh is bound to. Only what tmux reports counts,
    /// because this program may see other processes than the server does.
    pub(super) fn runs_other_process(&self) -> bool {
        let bound = self.record.bound();
        !self.dead && !self.is_runner && bound.is_some_and(|bound| bound.pid != self.pid)
    }

    /// Returns the end of a sesh whose pane tmux keeps dead. For an adopted pane, tmux knows how its process ended. For
    /// other panes that process was `sesh-run`.
    pub(super) fn end_of_dead_pane(&self) -> Repair {
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
        self.repair(
            ChangeKind::Ended,
            "has exited, and its end was not recorded",
            self.unchanged(&condition),
            commands,
        )
    }

    /// Returns the release of a pane in which another process was started: the book record keeps the sesh, and the pane
    /// is no sesh any more.
    pub(super) fn release(&self) -> Repair {
        let pane = self.pane.to_string();
        let mut commands = Vec::new();
        let unended = self.record.exit.is_none() && !runner_lives(&self.record);
        if unended {
            commands.extend(write::end(&pane, &record::ExitStatus::value(None, None)));
        }
        commands.push(self.book());
        commands.extend(write::unregister(&pane));
        let still_runs = both(
            &format!("#{{==:#{{pane_pid}},{}}}", self.pid),
            "#{==:#{pane_dead},0}",
        );
        let (kind, what) = if unended {
            (
                ChangeKind::Ended,
                "has exited for an unknown cause: another process runs in its pane",
            )
        } else {
            (
                ChangeKind::Released,
                "no longer has a pane: another process runs there",
            )
        };
        self.repair(kind, what, self.unchanged(&still_runs), commands)
    }

    /// Returns the repair for a book record that differs from the pane. What a person has seen is stored on the pane
    /// alone ([`Lifetime::Pane`]), so it is not compared.
    pub(super) fn book_difference(&self, book: Option<&Values>) -> Option<Repair> {
        let own = &self.record.values;
        let same = book.is_some_and(|book| {
            schema::PANE
                .iter()
                .filter(|entry| entry.lifetime != Lifetime::Pane)
                .all(|entry| book.get(entry.key) == own.get(entry.key))
        });
        (!same).then(|| {
            let differs = format!("#{{==:{},0}}", write::book_is_in_step(self.record.uuid));
            self.repair(
                ChangeKind::Book,
                "had a record that did not match its pane",
                self.unchanged(&differs),
                vec![self.book()],
            )
        })
    }

    pub(super) fn book(&self) -> Command {
        write::book(&self.pane.to_string(), self.record.uuid)
    }

    /// Returns the condition that the pane still is this sesh's, that no other state has been written since, and that
    /// `more` holds.
    pub(super) fn unchanged(&self, more: &str) -> String {
        let id = equal(Key::Id, &self.record.uuid.to_string());
        // The stored value if it is a number. Anything else must not be put into a condition.
        let stored = self.record.values.get(Key::Gen);
        let generation = if stored.bytes().all(|byte| byte.is_ascii_digit()) {
            equal(Key::Gen, stored)
        } else {
            "1".into()
        };
        both(&both(&id, &generation), more)
    }

    pub(super) fn repair(
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

/// Whether the `sesh-run` of a sesh is alive, with or without its pane.
pub(super) fn runner_lives(record: &Record) -> bool {
    let lives = |bound: Binding| {
        proc::read(bound.pid).is_some_and(|process| {
            !process.zombie && bound.start.is_none_or(|start| start == process.start)
        })
    };
    record.was_made() && record.bound().is_some_and(lives)
}
