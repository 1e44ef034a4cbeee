//! The `sessions.json` of sesh v1 (lukastk/sesh): its records by their names, or a list of them, as its `list --json`
//! printed. In a record the `uuid` is the conversation of the agent too.
//!
//! What has no counterpart is left out: `autoRename`, `lastAutoNameTurnCount`, `turnStatus`, `contextPct`, `filePath`,
//! `tmux` and `originSeq`. Records that are `deleted` are skipped.

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;

use crate::agent::kinds::Agents;
use crate::clock;
use crate::id::{Name, SeshId, Tag, prints, shown};
use crate::store::registration::Unregistered;
use crate::store::{Key, generated_name, value};

/// A record of sesh v1.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct V1Record {
    uuid: SeshId,
    name: Option<String>,
    agent: String,
    machine: Option<String>,
    cwd: String,
    archived: Option<bool>,
    deleted: Option<bool>,
    summary: Option<String>,
    tags: Option<Vec<String>>,
    created_at: Option<Value>,
    updated_at: Option<Value>,
}

/// Parses the text of a `sessions.json`.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Unregistered>, String> {
    let unknown = "it is neither a file of sesh-save --export nor a sessions.json of sesh v1";
    let all: Value = serde_json::from_str(text).map_err(|error| format!("{unknown}: {error}"))?;
    let records: Vec<(String, Value)> = match all {
        Value::Array(records) => records
            .into_iter()
            .enumerate()
            .map(|(at, record)| (format!("record {}", at + 1), record))
            .collect(),
        Value::Object(records) => records.into_iter().collect(),
        _ => return Err(unknown.into()),
    };
    let mut seshes = Vec::new();
    for (key, record) in records {
        let named = record.is_object();
        let session: V1Record = serde_json::from_value(record)
            .map_err(|error| format!("{unknown}: {}: {error}", shown(&key)))?;
        if !named {
            return Err(unknown.into());
        }
        if session.deleted != Some(true) {
            let sesh = session
                .into_sesh(&key)
                .map_err(|why| format!("{}: {why}", shown(&key)))?;
            seshes.push(sesh);
        }
    }
    Ok(seshes)
}

impl V1Record {
    /// Returns the sesh. `key` is its name if the record has none.
    fn into_sesh(self, key: &str) -> Result<Unregistered, String> {
        let id = self.uuid;
        let known = Agents::loaded().named(&self.agent).ok_or_else(|| {
            format!(
                "{} is not a known agent: describe it in a file (plugin/doc/agents.md)",
                shown(&self.agent)
            )
        })?;
        let conversation = id.to_string();
        if !known.manifest.conversation.may_be(&conversation) {
            return Err(format!(
                "its uuid is not a conversation id of {}",
                known.name
            ));
        }
        if !self.cwd.starts_with('/') || self.cwd.contains(char::is_control) {
            return Err(format!(
                "its folder {} is no absolute path",
                shown(&self.cwd)
            ));
        }
        let tags: Vec<String> = self
            .tags
            .iter()
            .flatten()
            .filter_map(|tag| usable_tag(tag))
            .collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let created = self.created_at.as_ref().and_then(seconds);
        let updated = self.updated_at.as_ref().and_then(seconds);
        let number = |time: Option<u64>| time.map(|time| time.to_string()).unwrap_or_default();
        let end = updated.unwrap_or_else(clock::seconds);
        let name = usable_name(self.name.as_deref().unwrap_or(key), id);
        let values = [
            (Key::Id, id.to_string()),
            (Key::Name, name.to_string()),
            (Key::Tags, value::encode_tags(&tags)),
            (Key::Agent, value::encode(&self.agent)),
            (Key::Conv, value::encode(&conversation)),
            (Key::Cwd, value::encode(&self.cwd)),
            (Key::Created, number(created.or(updated))),
            (Key::Updated, number(updated.or(created))),
            (
                Key::Host,
                value::encode(self.machine.as_deref().unwrap_or_default()),
            ),
            (
                Key::Archived,
                if self.archived == Some(true) {
                    "1".into()
                } else {
                    String::new()
                },
            ),
            (
                Key::Note,
                value::encode(self.summary.as_deref().unwrap_or_default()),
            ),
        ];
        Ok(Unregistered::exited(id, &values, end))
    }
}

/// Returns a name of sesh v1 as the name of a sesh: characters that it may not contain become `-`. Where nothing of it can
/// be kept, the name is generated.
fn usable_name(name: &str, id: SeshId) -> Name {
    const MAX_CHARACTERS: usize = 64;
    let replaced = |c: char| {
        if prints(c) && !"#$\\'\";{},~`:".contains(c) {
            c
        } else {
            '-'
        }
    };
    let cut: String = name
        .trim()
        .chars()
        .take(MAX_CHARACTERS)
        .map(replaced)
        .collect();
    let kept = cut
        .trim_start_matches(['%', '@', '$', '=', '-', '.', ' '])
        .trim_end();
    kept.parse().unwrap_or_else(|_| generated_name::name(id, 0))
}

/// Returns a tag of sesh v1 as a tag: characters that it may not contain become `-`.
fn usable_tag(tag: &str) -> Option<String> {
    let replaced = |c: char| {
        if c.is_ascii_alphanumeric() || "_/-".contains(c) {
            c
        } else {
            '-'
        }
    };
    let tag: String = tag.trim().chars().map(replaced).collect();
    tag.parse::<Tag>().ok().map(|tag| tag.to_string())
}

/// Returns a time in seconds since the epoch: from a number of seconds or milliseconds, or from a text such as
/// `2026-06-01T10:00:00Z`, which may have fractions and an offset. Returns `None` for anything else.
fn seconds(time: &Value) -> Option<u64> {
    /// Larger numbers are milliseconds: as seconds they are after the year 5000.
    const MAX_SECONDS: u64 = 100_000_000_000;
    if let Some(number) = time.as_f64().filter(|number| *number >= 0.0) {
        let whole = Duration::try_from_secs_f64(number).ok()?.as_secs();
        return Some(if whole > MAX_SECONDS {
            whole / 1000
        } else {
            whole
        });
    }
    let text = time.as_str()?;
    let local = humantime::parse_rfc3339_weak(text.get(..19)?).ok()?;
    let local = local.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let rest = text[19..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    if rest.is_empty() || rest == "Z" {
        return Some(local);
    }
    let (hours, minutes) = rest.get(1..)?.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let offset = u64::from(hours) * 3600 + u64::from(minutes) * 60;
    match rest.as_bytes()[0] {
        b'+' => local.checked_sub(offset),
        b'-' => local.checked_add(offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    const ID: &str = "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";

    #[test]
    fn a_record_becomes_an_exited_sesh() {
        let record = json!({
            "uuid": ID, "name": "api #1; 'x'", "agent": "claude", "machine": "box", "cwd": "/tmp/a b", "archived": true,
            "autoRename": true, "summary": "it's \"done\"", "tags": ["ok", "a b", ""], "turnStatus": "idle",
            "createdAt": "2026-06-01T12:00:00.123+02:00", "updatedAt": 1_780_308_000_000_u64, "tmux": null,
        });
        for text in [
            json!([record]).to_string(),
            json!({"api": record}).to_string(),
        ] {
            let seshes = parse(&text).expect("a file");
            let [sesh] = &seshes[..] else {
                panic!("{seshes:?}");
            };
            let record = sesh.record().expect("a record");
            assert_eq!(record.name, "api -1- -x-");
            assert_eq!(
                (
                    record.uuid.to_string().as_str(),
                    record.conversation.as_deref()
                ),
                (ID, Some(ID))
            );
            assert_eq!(record.tags, ["ok", "a-b"]);
            assert_eq!(
                (record.cwd.as_str(), record.machine.as_str()),
                ("/tmp/a b", "box")
            );
            assert_eq!(record.note.as_deref(), Some("it's \"done\""));
            assert_eq!(record.created_at, Some(1_780_308_000));
            assert_eq!(record.exit.expect("an end").at, Some(1_780_308_000));
            assert!(record.archived && !sesh.was_alive);
        }
    }

    #[test]
    fn a_wrong_record_refuses_the_whole_file() {
        let good = json!({"uuid": ID, "agent": "claude", "cwd": "/tmp"});
        let with = |key: &str, value: Value| {
            let mut record = good.clone();
            record[key] = value;
            json!({"good": good, "bad": record}).to_string()
        };
        assert_eq!(
            parse(&with("deleted", json!(true))).expect("a file").len(),
            1
        );
        for (key, value, expected) in [
            ("uuid", json!("x"), "UUID"),
            ("uuid", json!(7), "bad"),
            ("agent", json!("hal"), "is not a known agent"),
            ("cwd", json!("src"), "no absolute path"),
            ("tags", json!("x"), "bad"),
        ] {
            let problem = parse(&with(key, value)).expect_err("a refusal");
            assert!(problem.contains(expected), "{key}: {problem}");
        }
        for text in ["", "7", "[7]", "{\"a\":null}", "[", "{\"uuid\":\"x\"}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_of_several_forms() {
        for (time, expected) in [
            (json!(1_780_308_000), Some(1_780_308_000)),
            (json!(1_780_308_000.7), Some(1_780_308_000)),
            (json!("2026-06-01T10:00:00Z"), Some(1_780_308_000)),
            (json!("2026-06-01 10:00:00"), Some(1_780_308_000)),
            (json!("2026-06-01T08:00:00.5-02:00"), Some(1_780_308_000)),
            (json!("yesterday, at about four o'clock"), None),
            (json!("2026-06-01T10:00:00+\u{e9}"), None),
            (json!("2026-06-01T10:00:00+9999999999999999999:00"), None),
            (json!("2026-06-01T10:00:00-00:9999999999999999999"), None),
            (json!(-1), None),
            (json!(null), None),
        ] {
            assert_eq!(seconds(&time), expected, "{time}");
        }
    }
}
