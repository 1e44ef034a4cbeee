//! The registry of a repository: which items of work there are, as files of the repository or a command describe them.
//!
//! It is read from the main checkout, so that all worktrees see the same items. The ledger is newer than the file: what
//! has landed or was abandoned has that status, whatever the file says ([`Registry::status`]).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::item::ItemId;
use super::ledger_state::{ItemResult, LedgerState};
use super::risk::Risk;
use crate::error::{self, Error, Result};
use crate::id::shown;

/// The registry of the tools that have `docs/prds`.
pub const PRD_FILE: &str = "docs/prd-registry.json";
/// Our own registry.
pub const OWN_FILE: &str = ".sesh/work.json";
/// How long the command of a registry may run.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// Where an item is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    Draft,
    #[default]
    Ready,
    InProgress,
    Completed,
    Abandoned,
}

impl ItemStatus {
    fn read(text: &str) -> Self {
        match text {
            "draft" => Self::Draft,
            "" | "ready" | "open" => Self::Ready,
            "completed" | "merged" | "done" | "closed" => Self::Completed,
            "abandoned" => Self::Abandoned,
            _ => Self::InProgress,
        }
    }
}

/// How urgent an item is. The most urgent one is the smallest.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Critical,
    High,
    #[default]
    Normal,
    Low,
}

impl Priority {
    pub const ALL: [&'static str; 4] = ["critical", "high", "normal", "low"];

    /// Parses a word, or the number that some tools write: 0 is the most urgent one.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text {
            "critical" | "0" => Self::Critical,
            "high" | "1" => Self::High,
            "low" | "3" | "4" => Self::Low,
            _ => Self::Normal,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize]
    }
}

/// An item of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkItem {
    pub id: ItemId,
    pub title: String,
    pub status: ItemStatus,
    pub priority: Priority,
    pub depends_on: Vec<ItemId>,
    /// Globs of the paths that its work changes.
    pub paths: Vec<String>,
    pub prompt: Option<String>,
    /// The file that describes it, from the top folder of the repository on.
    pub file: Option<String>,
    pub branch: Option<String>,
    pub done: Option<u32>,
    pub total: Option<u32>,
    /// The items with which it conflicts, as the registry says.
    pub conflicts: Vec<(ItemId, Risk)>,
}

/// Where the items come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RegistrySource {
    /// There is no registry, so every id is an item.
    #[default]
    None,
    Prd,
    Own,
    Command,
}

/// The items of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    pub source: RegistrySource,
    pub items: Vec<WorkItem>,
}

impl Registry {
    /// Reads the registry of a checkout. `command` is the one that prints the items, in place of a file.
    ///
    /// # Errors
    /// A registry cannot be read or parsed.
    pub fn read(top: &Path, command: Option<&str>) -> Result<Self> {
        if let Some(command) = command.filter(|command| !command.trim().is_empty()) {
            return Ok(Self {
                source: RegistrySource::Command,
                items: read_own(
                    &printed(top, command)?,
                    &format!("the output of {}", shown(command)),
                    top,
                )?,
            });
        }
        for (file, source) in [
            (PRD_FILE, RegistrySource::Prd),
            (OWN_FILE, RegistrySource::Own),
        ] {
            let text = match std::fs::read(top.join(file)) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => continue,
                Err(error) => return Err(Error::failed(format!("cannot read {file}: {error}"))),
            };
            let items = match source {
                RegistrySource::Prd => read_prd(&text, top)?,
                _ => read_own(&text, OWN_FILE, top)?,
            };
            return Ok(Self { source, items });
        }
        Ok(Self::default())
    }

    /// Returns the items of a text of any of the forms: a list, our own registry, or `prd-registry.json`.
    ///
    /// # Errors
    /// It is none of them.
    pub fn parse(text: &[u8], source: &str, top: &Path) -> Result<Vec<WorkItem>> {
        if parsed(text, source)?.get("prds").is_some() {
            read_prd(text, top)
        } else {
            read_own(text, source, top)
        }
    }

    /// Returns whether there is a registry. Without one every id is an item.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.source != RegistrySource::None
    }

    /// Returns an item.
    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&WorkItem> {
        self.items.iter().find(|item| item.id == *id)
    }

    /// Returns the status of an item, with what the ledger has of it.
    #[must_use]
    pub fn status(&self, item: &WorkItem, state: &LedgerState) -> ItemStatus {
        match state.result(&item.id) {
            Some(ItemResult::Landed { .. }) => ItemStatus::Completed,
            Some(ItemResult::Abandoned { .. }) => ItemStatus::Abandoned,
            None => item.status,
        }
    }

    /// Returns the items on which an item depends and which are not completed.
    pub fn open_dependencies<'a>(
        &'a self,
        item: &'a WorkItem,
        state: &'a LedgerState,
    ) -> impl Iterator<Item = &'a ItemId> {
        item.depends_on
            .iter()
            .filter(move |id| match self.item(id) {
                Some(needed) => self.status(needed, state) != ItemStatus::Completed,
                None => !matches!(state.result(id), Some(ItemResult::Landed { .. })),
            })
    }

    /// Returns the items that can be claimed now, the most urgent one first.
    #[must_use]
    pub fn ready(&self, state: &LedgerState) -> Vec<&WorkItem> {
        let is_ready = |item: &&WorkItem| {
            self.status(item, state) == ItemStatus::Ready
                && state.claim(&item.id).is_none()
                && self.open_dependencies(item, state).next().is_none()
        };
        let mut ready: Vec<&WorkItem> = self.items.iter().filter(is_ready).collect();
        ready.sort_by_key(|item| item.priority);
        ready
    }

    /// Returns the risk that the registry names for two items.
    #[must_use]
    pub fn declared_risk(&self, one: &ItemId, other: &ItemId) -> Risk {
        let named = |from: &ItemId, to: &ItemId| {
            let conflicts = self.item(from).map(|item| &item.conflicts);
            let found = conflicts.into_iter().flatten().filter(|(id, _)| id == to);
            found.map(|(_, risk)| *risk).max()
        };
        named(one, other).max(named(other, one)).unwrap_or_default()
    }
}

/// Runs the command of a registry and returns what it prints.
fn printed(top: &Path, command: &str) -> Result<Vec<u8>> {
    let failed =
        |why: &str| Error::failed(format!("the registry command {} {why}", shown(command)));
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(top)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format!("cannot be started: {error}")))?;
    let (sender, receiver) = std::sync::mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map(|mut pipe| std::io::Read::read_to_end(&mut pipe, &mut text));
        // The receiver is gone when the command took too long.
        let _ = sender.send(read.and_then(Result::ok).map(|_| text));
    });
    let text = receiver.recv_timeout(COMMAND_LIMIT);
    if text.is_err() {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed("took too long"));
    }
    let status = child.wait().map_err(|error| failed(&error.to_string()))?;
    if !status.success() {
        return Err(failed(&format!("failed ({status})")));
    }
    text.ok()
        .flatten()
        .ok_or_else(|| failed("printed nothing that can be read"))
}

/// Returns a text field.
fn text<'a>(object: &'a Value, names: &[&str]) -> Option<&'a str> {
    let values = names.iter().filter_map(|name| object.get(name)?.as_str());
    values.into_iter().find(|text| !text.is_empty())
}

fn number(object: &Value, names: &[&str]) -> Option<u32> {
    names.iter().find_map(|name| {
        let value = object.get(name)?;
        // A list of what is done says how much it is.
        let count = value.as_array().map(|list| list.len() as u64);
        u32::try_from(value.as_u64().or(count)?).ok()
    })
}

fn list(object: &Value, names: &[&str]) -> Vec<String> {
    let list = names.iter().find_map(|name| object.get(name)?.as_array());
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(Into::into).collect()
}

fn ids(object: &Value, names: &[&str]) -> Vec<ItemId> {
    let ids = list(object, names).into_iter();
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// Reads an item of either form. Returns `None` with a warning for an id that is none.
fn item(object: &Value, place: &str) -> Option<WorkItem> {
    let id = text(object, &["id"]).unwrap_or_default();
    let Ok(id) = id.parse::<ItemId>() else {
        error::warn(format!(
            "{place}: {} is no id of an item, and is skipped",
            shown(id)
        ));
        return None;
    };
    let priority = object.get("priority").map(|value| match value.as_str() {
        Some(word) => Priority::read(word),
        None => Priority::read(&value.to_string()),
    });
    let conflicts = object.get("conflictsWith").and_then(Value::as_array);
    let conflicts = conflicts.into_iter().flatten().filter_map(|conflict| {
        let with = text(conflict, &["prdId", "id"]).or(conflict.as_str())?;
        let risk = match text(conflict, &["risk"]) {
            Some("none") => Risk::None,
            Some("low") => Risk::Low,
            Some("medium") => Risk::Medium,
            _ => Risk::High,
        };
        Some((with.parse().ok()?, risk))
    });
    Some(WorkItem {
        title: text(object, &["title", "name"]).unwrap_or_default().into(),
        status: ItemStatus::read(text(object, &["status"]).unwrap_or_default()),
        priority: priority.unwrap_or_default(),
        depends_on: ids(object, &["dependsOn", "depends_on"]),
        paths: list(object, &["paths", "sharedPaths"]),
        prompt: text(object, &["prompt", "description"]).map(Into::into),
        file: text(object, &["file", "filePath"]).map(Into::into),
        branch: text(object, &["branchName", "branch"]).map(Into::into),
        done: number(object, &["completedStories"])
            .or_else(|| number(object.get("stories")?, &["completed"])),
        total: number(object, &["storyCount"])
            .or_else(|| number(object.get("stories")?, &["total"])),
        conflicts: conflicts.collect(),
        id,
    })
}

fn parsed(text: &[u8], place: &str) -> Result<Value> {
    serde_json::from_slice(text).map_err(|error| {
        Error::failed(format!("cannot read {place}: {error}")).with_way_out("it must be JSON")
    })
}

/// Returns the items of a list, without those whose ids another one has: `prd-x` and `x` are one item.
fn unique(items: impl Iterator<Item = WorkItem>, place: &str) -> Vec<WorkItem> {
    let mut unique: Vec<WorkItem> = Vec::new();
    for item in items {
        match unique.iter().find(|known| known.id == item.id) {
            Some(known) => error::warn(format!(
                "{place}: {} and {} are one item: the first one counts",
                known.id, item.id
            )),
            None => unique.push(item),
        }
    }
    unique
}

fn read_own(text: &[u8], place: &str, top: &Path) -> Result<Vec<WorkItem>> {
    let all = parsed(text, place)?;
    let items = all.as_array().or_else(|| all.get("items")?.as_array());
    let items = items.ok_or_else(|| {
        Error::failed(format!("cannot read {place}: it has no list of items"))
            .with_way_out("write {\"version\": 1, \"items\": [{\"id\": \"x\"}]}")
    })?;
    let items = items.iter().filter_map(|object| item(object, place));
    let mut items = unique(items, place);
    for item in &mut items {
        let exists = |file: &String| inside(top, file).is_some_and(|path| path.is_file());
        item.file = item.file.take().filter(exists);
    }
    Ok(items)
}

fn read_prd(text: &[u8], top: &Path) -> Result<Vec<WorkItem>> {
    let all = parsed(text, PRD_FILE)?;
    let of = |name: &str| all.get(name).and_then(Value::as_array);
    let open = of("prds").into_iter().flatten();
    let open = open.filter_map(|object| item(object, PRD_FILE));
    let completed = of("completed").into_iter().flatten();
    let completed = completed.filter_map(|object| item(object, PRD_FILE));
    let completed = completed.map(|item| WorkItem {
        status: ItemStatus::Completed,
        ..item
    });
    let mut items = unique(open.chain(completed), PRD_FILE);
    for item in &mut items {
        let exists = |file: &String| inside(top, file).is_some_and(|path| path.is_file());
        let folders = ["docs/prds", "docs/drafts"].iter();
        let usual = folders.map(|folder| format!("{folder}/{}.md", item.id));
        let named = item.file.take().into_iter();
        item.file = named.chain(usual).find(exists);
    }
    Ok(items)
}

/// Returns a path of the repository. `None` for one that leads out of it.
fn inside(top: &Path, file: &str) -> Option<PathBuf> {
    let is_plain = |part: std::path::Component<'_>| {
        matches!(
            part,
            std::path::Component::Normal(_) | std::path::Component::CurDir
        )
    };
    Path::new(file)
        .components()
        .all(is_plain)
        .then(|| top.join(file))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn own(text: &str) -> Vec<WorkItem> {
        read_own(text.as_bytes(), OWN_FILE, Path::new("/nonexistent")).expect("items")
    }

    #[test]
    fn both_spellings_of_progress_are_read() {
        let items = own(
            r#"[{"id": "a", "completedStories": 2, "storyCount": 5}, {"id": "b", "stories": {"completed": ["x"], "total": 3}}]"#,
        );
        let progress: Vec<_> = items.iter().map(|item| (item.done, item.total)).collect();
        assert_eq!(progress, [(Some(2), Some(5)), (Some(1), Some(3))]);
    }

    #[test]
    fn the_most_urgent_item_is_the_first_one() {
        let items = own(
            r#"{"version": 1, "items": [{"id": "a"}, {"id": "b", "priority": "low"}, {"id": "c", "priority": "critical"},
               {"id": "d", "priority": 1}, {"id": "e", "priority": "medium"}, {"id": "f", "status": "draft"},
               {"id": "g", "dependsOn": ["a"]}, {"id": "h", "dependsOn": ["i"]}, {"id": "i", "status": "completed"}]}"#,
        );
        let registry = Registry {
            source: RegistrySource::Own,
            items,
        };
        let state = LedgerState::default();
        let ready: Vec<&str> = registry
            .ready(&state)
            .iter()
            .map(|item| item.id.as_str())
            .collect();
        assert_eq!(ready, ["c", "d", "a", "e", "h", "b"]);
    }

    #[test]
    fn what_is_no_registry_is_refused_with_a_sentence() {
        for text in ["", "{", "[1,", "7", "{\"items\": 7}"] {
            let error = read_own(text.as_bytes(), OWN_FILE, Path::new("/")).expect_err(text);
            assert!(
                error
                    .to_string()
                    .starts_with("cannot read .sesh/work.json: "),
                "{error}"
            );
        }
        assert_eq!(
            own(r#"[{"id": "../x"}, {"id": "prd-x"}, {"id": "x"}, {}, 7]"#).len(),
            1
        );
        assert_eq!(inside(Path::new("/r"), "../../etc/passwd"), None);
        assert_eq!(inside(Path::new("/r"), "/etc/passwd"), None);
    }

    #[test]
    fn the_registry_names_conflicts() {
        let items = own(
            r#"[{"id": "prd-a", "conflictsWith": [{"prdId": "b", "risk": "high", "sharedPaths": ["x"]}, "c"]}, {"id": "b"}, {"id": "c"}]"#,
        );
        let registry = Registry {
            source: RegistrySource::Own,
            items,
        };
        let id = |text: &str| text.parse::<ItemId>().expect("an id");
        assert_eq!(registry.declared_risk(&id("b"), &id("a")), Risk::High);
        assert_eq!(registry.declared_risk(&id("a"), &id("c")), Risk::High);
        assert_eq!(registry.declared_risk(&id("b"), &id("c")), Risk::None);
    }
}
