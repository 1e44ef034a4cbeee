//! The file that an agent keeps about the session of its process. It is read once, for the conversation's id and for
//! the state.

use std::path::Path;

use serde_json::Value;

use super::manifest::{Conversation, Manifest};
use super::state::Session;

/// The content of the file.
#[derive(Clone, Debug)]
pub struct SessionRecord(Value);

impl SessionRecord {
    /// Reads the file, if it belongs to this process and not to an earlier one with the same pid.
    #[must_use]
    pub fn read(known: &Conversation, folder: &Path, pid: i32, start: u64) -> Option<Self> {
        let record = Self::of(known, folder, pid)?;
        let of_this = known.start.is_none() || record.start(known) == Some(start);
        of_this.then_some(record)
    }

    fn of(known: &Conversation, folder: &Path, pid: i32) -> Option<Self> {
        let path = known.file.as_ref()?.replace("{pid}", &pid.to_string());
        let text = std::fs::read(folder.join(path)).ok()?;
        Some(Self(serde_json::from_slice(&text).ok()?))
    }

    /// Returns the records of all processes, also of those that have ended.
    #[must_use]
    pub fn all(known: &Conversation, folder: &Path) -> Vec<(i32, Self)> {
        let parts = known.file.as_ref().and_then(|file| {
            let (above, file) = file.rsplit_once('/')?;
            Some((above, file.split_once("{pid}")?))
        });
        let Some((above, (begin, end))) = parts else {
            return Vec::new();
        };
        let entries = std::fs::read_dir(folder.join(above));
        pids(entries.into_iter().flatten().flatten(), begin, end)
            .into_iter()
            .filter_map(|pid| Some((pid, Self::of(known, folder, pid)?)))
            .collect()
    }

    /// Returns when its process started, if the file contains that.
    #[must_use]
    pub fn start(&self, known: &Conversation) -> Option<u64> {
        self.number(known.start.as_ref()?)
    }

    /// Returns the conversation's id.
    #[must_use]
    pub fn id(&self, known: &Conversation) -> Option<&str> {
        self.word(known.id.as_ref()?)
    }

    /// Returns the state.
    #[must_use]
    pub fn session(&self, manifest: &Manifest) -> Option<Session> {
        let known = &manifest.session;
        let at = known.at.as_ref().and_then(|field| self.number(field));
        Some(Session {
            status: self.word(known.status.as_ref()?)?.into(),
            waiting_for: known
                .waiting
                .as_ref()
                .and_then(|field| self.word(field))
                .map(Into::into),
            #[allow(clippy::cast_precision_loss)]
            at: at.map(|milliseconds| milliseconds as f64 / 1000.0),
        })
    }

    fn word(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// Returns a number, or the digits of a string as one.
    fn number(&self, field: &str) -> Option<u64> {
        let value = self.0.get(field)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }
}

/// Returns the numbers in the names of files, between the given start and end of the names.
pub(super) fn pids(
    entries: impl Iterator<Item = std::fs::DirEntry>,
    begin: &str,
    end: &str,
) -> Vec<i32> {
    let pid = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let digits = name.strip_prefix(begin)?.strip_suffix(end)?;
        digits.parse().ok()
    };
    entries.filter_map(pid).collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::Agents;

    #[test]
    fn a_record_counts_only_for_its_process() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let folder = fixtures.join("agents-home/claude");
        let claude = &Agents::read(None).all[0].manifest;
        let read = |pid, start| SessionRecord::read(&claude.conversation, &folder, pid, start);
        let record = read(26141, 127_344).expect("the file of the process");
        let id = record.id(&claude.conversation);
        assert_eq!(id, Some("e9829775-49f2-435f-a78d-2436d87bf509"));
        let session = Session {
            status: "busy".into(),
            waiting_for: None,
            at: Some(1_795_191_533.214),
        };
        assert_eq!(record.session(claude), Some(session));
        assert!(read(26141, 1).is_none(), "another process had the pid");
        assert!(read(7, 127_344).is_none());
    }

    #[test]
    fn the_reason_to_wait() {
        let claude = &Agents::read(None).all[0].manifest;
        let record = SessionRecord(serde_json::json!({
            "status": "waiting", "waitingFor": "input needed", "statusUpdatedAt": 1000,
        }));
        let session = record.session(claude).expect("a session");
        assert_eq!(session.waiting_for.as_deref(), Some("input needed"));
        assert_eq!(SessionRecord(serde_json::json!([])).session(claude), None);
    }
}
