//! The columns of `sesh-list`, and the fields of a record as JSON, that are read from transcripts.

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
    let percent = read(record).context;
    percent.map_or_else(String::new, |percent| percent.to_string())
}

pub(super) fn title(record: &Record) -> String {
    let read = read(record);
    read.summary.title_or_prompt().unwrap_or_default().into()
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
        // For a shell not even the kinds of agents are read.
        let known = record.agent.is_some() && record.conversation.is_some();
        let SeshSummary {
            path,
            context,
            summary,
        } = if known {
            read(record)
        } else {
            SeshSummary::default()
        };
        Self {
            record,
            context_pct: context,
            title: summary.title_or_prompt().map(Into::into),
            model: summary.model,
            transcript: path,
        }
    }
}
