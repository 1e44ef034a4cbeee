//! Locks of other tools on items: `docs/session-locks.json`, which the skill multi-session writes. We read it and never
//! write it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::item::ItemId;
use crate::error::{Error, Result};
use crate::id::shown;

/// The file of the locks.
const FILE: &str = "docs/session-locks.json";
/// How old the heartbeat of a lock that counts may be.
const FRESH: Duration = Duration::from_secs(600);

/// Refuses an item that a session of another tool has locked.
///
/// # Errors
/// [`Exit::Unusable`](crate::error::Exit::Unusable) for a lock that is fresh.
pub(super) fn check(top: &Path, id: &ItemId) -> Result<()> {
    let path = top.join(FILE);
    // A file that cannot be read locks nothing: it is not ours.
    let Ok(text) = std::fs::read(&path) else {
        return Ok(());
    };
    let modified = std::fs::metadata(&path)
        .and_then(|file| file.modified())
        .ok();
    match lock(&text, id, modified) {
        None => Ok(()),
        Some(session) => Err(Error::unusable(format!(
            "{id} is locked by the session {} in {FILE}",
            shown(&session)
        ))
        .with_way_out("that is another tool: wait for it, or remove its entry")),
    }
}

/// Returns the session that has a fresh lock on an item.
fn lock(text: &[u8], id: &ItemId, modified: Option<SystemTime>) -> Option<String> {
    let all: Value = serde_json::from_slice(text).ok()?;
    let is_fresh = |lock: &&Value| {
        let heartbeat = lock.get("heartbeat").and_then(Value::as_str);
        let at = heartbeat.and_then(|text| humantime::parse_rfc3339_weak(text).ok());
        // A time that is written in another way is as old as the file.
        let age = at.or(modified).map(|at| at.elapsed());
        age.is_none_or(|age| age.map_or(true, |age| age < FRESH))
    };
    let is_of = |lock: &&Value| {
        let of = lock
            .get("prdId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        of.parse::<ItemId>().is_ok_and(|of| of == *id)
    };
    let locks = all.get("sessions")?.as_array()?;
    let lock = locks.iter().find(|lock| is_of(lock) && is_fresh(lock))?;
    let session = lock.get("sessionId").and_then(Value::as_str);
    Some(session.unwrap_or_default().into())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn only_a_fresh_lock_on_the_same_item_counts() {
        let now = SystemTime::now();
        let at = |ago: u64| {
            let at = now - Duration::from_secs(ago);
            humantime::format_rfc3339_seconds(at).to_string()
        };
        let found = |heartbeat: &str, id: &str, modified: Option<SystemTime>| {
            let text = format!(
                r#"{{"sessions": [{{"sessionId": "developer-1a2b3c", "prdId": "prd-x", "heartbeat": "{heartbeat}"}}]}}"#
            );
            lock(text.as_bytes(), &id.parse().expect("an id"), modified).is_some()
        };
        assert!(found(&at(30), "x", None) && found(&at(30), "prd-x", None));
        assert!(!found(&at(30), "y", None) && !found(&at(700), "x", None));
        let old = Some(now - Duration::from_secs(700));
        assert!(found("lately", "x", Some(now)) && !found("lately", "x", old));
        assert_eq!(lock(b"{", &"x".parse().expect("an id"), None), None);
    }
}
