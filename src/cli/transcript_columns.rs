//! The columns and fields of `sesh-list` that are read from transcripts, and only when they are asked for.

use std::path::PathBuf;

use serde::Serialize;

use crate::agent::kinds::Agents;
use crate::sesh::log::SeshSummary;
use crate::store::Record;

/// The names of the columns.
pub(super) const NAMES: [&str; 3] = ["model", "context", "title"];

pub(super) fn model(record: &Record) -> String {
    read(record).summary.model.unwrap_or_default()
}

/// Returns how full the context is, in percent. It is empty where that is not known.
pub(super) fn context(record: &Record) -> String {
    let percent = read(record).summary.context;
    percent.map_or_else(String::new, |percent| percent.to_string())
}

pub(super) fn title(record: &Record) -> String {
    read(record).summary.title.unwrap_or_default()
}

fn read(record: &Record) -> SeshSummary {
    SeshSummary::read(record, Agents::loaded())
}

/// A record with what its transcript says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailedRecord<'a> {
    #[serde(flatten)]
    record: &'a Record,
    model: Option<String>,
    context_pct: Option<u64>,
    title: Option<String>,
    transcript: Option<PathBuf>,
}

impl<'a> DetailedRecord<'a> {
    pub(super) fn read(record: &'a Record) -> Self {
        let SeshSummary { path, summary } = read(record);
        Self {
            record,
            model: summary.model,
            context_pct: summary.context,
            title: summary.title,
            transcript: path,
        }
    }
}
