//! The ledger of a repository: the file of events that decides which sesh has which item.
//!
//! A change reads the file, decides and appends under one lock, so that of any number of contenders one wins, whichever
//! tmux server they are in. A reader takes no lock. The file is in the common git directory, so all worktrees of a clone
//! have the same ledger. There is no file until the first claim.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::event::{LedgerEvent, LedgerLine};
use super::ledger_state::LedgerState;
use crate::clock;
use crate::error::{Error, Result};
use crate::journal::lines_file::LinesFile;

/// How long a change waits for others. Each takes some milliseconds, and there may be many.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15);

/// The ledger of one clone.
#[derive(Clone, Debug)]
pub struct Ledger {
    file: LinesFile,
}

impl Ledger {
    /// Returns the ledger of the repository with this common git directory.
    #[must_use]
    pub fn of(common_dir: &Path) -> Self {
        Self {
            file: LinesFile::at(folder(common_dir).join("work.jsonl"), LOCK_TIMEOUT),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns whether there is a ledger.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path().exists()
    }

    /// Returns what is in the ledger now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<LedgerState> {
        Ok(LedgerState::of(&self.file.read()?))
    }

    /// Checks that an event can be written, without writing one.
    ///
    /// # Errors
    /// When an event cannot be written.
    pub fn probe(&self) -> Result<()> {
        self.file.probe()
    }

    /// Appends the events that `decide` returns for the state of the ledger, and returns what it found. No other process
    /// changes the ledger in between. The events are on the disk when this returns, or nothing has changed. `decide` may
    /// be called twice.
    ///
    /// # Errors
    /// Those of `decide`, and when the ledger cannot be read or written.
    pub fn change<T>(
        &self,
        decide: impl FnMut(&LedgerState) -> Result<(Vec<LedgerEvent>, T)>,
    ) -> Result<T> {
        self.change_and_read(decide).map(|(found, _)| found)
    }

    /// Like [`Ledger::change`], and also returns the state after the change.
    ///
    /// # Errors
    /// As [`Ledger::change`].
    pub fn change_and_read<T>(
        &self,
        mut decide: impl FnMut(&LedgerState) -> Result<(Vec<LedgerEvent>, T)>,
    ) -> Result<(T, LedgerState)> {
        if !self.exists() {
            // What changes nothing makes no file.
            let empty = LedgerState::default();
            let (events, found) = decide(&empty)?;
            if events.is_empty() {
                return Ok((found, empty));
            }
        }
        let lock = self.file.lock()?;
        let mut state = self.read()?;
        let (events, found) = decide(&state)?;
        if events.is_empty() {
            return Ok((found, state));
        }
        let at = clock::milliseconds();
        let mut text = Vec::new();
        for event in events {
            let line = LedgerLine { at, event };
            serde_json::to_writer(&mut text, &line)
                .map_err(|error| Error::failed(format!("cannot write an event: {error}")))?;
            text.push(b'\n');
            state.apply(line);
        }
        self.file.append(&lock, text, true)?;
        Ok((found, state))
    }
}

/// Returns the folder of what tmux-sesh keeps in a common git directory.
#[must_use]
pub fn folder(common_dir: &Path) -> PathBuf {
    common_dir.join("sesh")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::work::event::{ClaimEvent, ClaimedWork, GrantId};
    use crate::work::holder::tests::holder;

    fn claim(id: &str) -> ClaimEvent {
        ClaimEvent::Claim {
            id: id.parse().expect("an id"),
            grant: GrantId::random(),
            holder: holder("one"),
            work: ClaimedWork::default(),
            over: None,
        }
    }

    #[test]
    fn one_of_many_contenders_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::of(folder.path());
        let wins: usize = std::thread::scope(|scope| {
            let contend = || {
                let won = ledger.change(|state| {
                    if state.claims().next().is_some() {
                        return Ok((Vec::new(), false));
                    }
                    Ok((vec![claim("x").into()], true))
                });
                usize::from(won.expect("a ledger"))
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(contend)).collect();
            threads
                .into_iter()
                .map(|it| it.join().expect("a count"))
                .sum()
        });
        assert_eq!(wins, 1);
        assert_eq!(ledger.read().expect("a state").claims().count(), 1);
    }

    #[test]
    fn what_changes_nothing_makes_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::of(folder.path());
        ledger.change(|_| Ok((Vec::new(), ()))).expect("no change");
        let refused = ledger.change::<()>(|_| Err(Error::nothing("no such item")));
        assert!(refused.is_err() && !folder.path().join("sesh").exists());
    }

    #[test]
    fn a_torn_line_is_ended_and_a_newer_event_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::of(folder.path());
        ledger
            .change(|_| Ok((vec![claim("x").into()], ())))
            .expect("a claim");
        let newer = "{\"at\":1,\"event\":\"praise\",\"grant\":7}\n";
        let mut text = std::fs::read_to_string(ledger.path()).expect("UTF-8");
        text += newer;
        text += "{\"at\":2,\"event\":\"cla";
        std::fs::write(ledger.path(), &text).expect("a file");
        ledger
            .change(|_| Ok((vec![claim("y").into()], ())))
            .expect("a claim");
        let after = std::fs::read_to_string(ledger.path()).expect("UTF-8");
        assert!(
            after.starts_with(&text) && after.lines().count() == 4,
            "{after}"
        );
        let state = ledger.read().expect("a state");
        let ids: Vec<&str> = state.claims().map(|claim| claim.id.as_str()).collect();
        assert_eq!(ids, ["x", "y"]);
    }
}
