//! Writes `.sesh/work.json` from the items of another registry.

use std::path::Path;

use serde::Serialize;

use super::item::ItemId;
use super::registry::{ItemStatus, OWN_FILE, Registry, WorkItem};
use crate::error::{Error, Result};
use crate::journal::worktree_files;

/// The registry as it is written.
#[derive(Serialize)]
struct WrittenRegistry<'a> {
    version: u32,
    items: Vec<WrittenItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenItem<'a> {
    id: &'a ItemId,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    priority: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    depends_on: &'a [ItemId],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    paths: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    status: ItemStatus,
}

impl<'a> WrittenItem<'a> {
    fn of(item: &'a WorkItem) -> Self {
        Self {
            id: &item.id,
            title: &item.title,
            priority: item.priority.as_str(),
            depends_on: &item.depends_on,
            paths: &item.paths,
            prompt: item.prompt.as_deref(),
            file: item.file.as_deref(),
            branch: item.branch.as_deref(),
            status: item.status,
        }
    }
}

/// Adds the items of a text to `.sesh/work.json` of a checkout, and returns how many are new. The text is a list of
/// items, our own registry, or `prd-registry.json`. What the file has stays as it is.
///
/// # Errors
/// The text has no items, or the file cannot be read or written.
pub fn import(top: &Path, text: &[u8], source: &str) -> Result<usize> {
    let new = Registry::parse(text, source, top)?;
    let path = top.join(OWN_FILE);
    let mut items = match std::fs::read(&path) {
        Ok(text) => Registry::parse(&text, OWN_FILE, top)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::failed(format!("cannot read {OWN_FILE}: {error}"))),
    };
    let before = items.len();
    for item in new {
        if !items.iter().any(|known| known.id == item.id) {
            items.push(item);
        }
    }
    let added = items.len() - before;
    if added > 0 {
        let registry = WrittenRegistry {
            version: 1,
            items: items.iter().map(WrittenItem::of).collect(),
        };
        let mut text = serde_json::to_vec_pretty(&registry)
            .map_err(|error| Error::failed(format!("cannot write {OWN_FILE}: {error}")))?;
        text.push(b'\n');
        worktree_files::replace(&path, &text)?;
    }
    Ok(added)
}
