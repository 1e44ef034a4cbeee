//! Which sesh a target means.

use super::{Pane, Snapshot};
use crate::error::{self, Error, Result};
use crate::id::shown;
use crate::store::record::Record;
use crate::store::target::{Target, is_id_prefix, no_such};

impl Snapshot {
    fn live_by_name(&self, name: &str) -> impl Iterator<Item = &Record> {
        self.with_pane()
            .filter(move |record| record.live && record.name == name)
    }

    /// Returns whether a target is one of the panes, whatever the stored records are.
    pub(super) fn has_alive(&self, target: &Target) -> bool {
        match target {
            Target::Pane(_) => true,
            Target::Id(id) => self.with_pane().any(|record| record.uuid == *id),
            Target::Word(word) => self.live_by_name(word).next().is_some(),
        }
    }

    /// Returns the one sesh that a target means. A word is tried as the name of a live sesh, then as the start of a
    /// UUID, then as the name of a sesh that is not live. The first of these that matches is used. Of several exited seshes
    /// of one name it is the newest. If the word also is the start of the UUID of another sesh, a warning names that.
    ///
    /// # Errors
    /// [`Exit::Nothing`] if there is none, and [`Exit::Unusable`] with the candidates if there are several.
    pub fn find(&self, target: &Target) -> Result<&Record> {
        match target {
            Target::Pane(pane) => match self.panes.iter().find(|it| it.place.pane == *pane) {
                Some(Pane {
                    record: Some(record),
                    ..
                }) => Ok(record),
                Some(_) => Err(Error::not_a_sesh(pane)),
                None => Err(Error::no_pane(pane)),
            },
            Target::Id(id) => self
                .records()
                .find(|record| record.uuid == *id)
                .ok_or_else(|| no_such(&id.to_string())),
            Target::Word(word) => self.find_word(word),
        }
    }

    fn find_word(&self, word: &str) -> Result<&Record> {
        let live: Vec<&Record> = self.live_by_name(word).collect();
        let prefix = word.to_lowercase();
        let by_prefix: Vec<&Record> = self
            .records()
            .filter(|record| is_id_prefix(word) && record.uuid.to_string().starts_with(&prefix))
            .collect();
        let ended = self
            .records()
            .filter(|record| !record.live && record.name == word)
            .max_by_key(|record| (record.last_end(), record.tmux.is_some()));
        if let Some(other) = by_prefix.first().filter(|other| other.name != word) {
            let by_name = if live.is_empty() {
                ended
            } else {
                live.first().copied()
            };
            if let Some(named) = by_name {
                warn_of_two_meanings(word, named, other);
            }
        }
        [live, by_prefix, ended.into_iter().collect()]
            .into_iter()
            .find(|matches| !matches.is_empty())
            .map_or_else(|| Err(no_such(word)), |matches| best(word, matches))
    }
}

/// Warns that a word is the name of one sesh and the start of the UUID of another, with the way to name each.
fn warn_of_two_meanings(word: &str, named: &Record, other: &Record) {
    let id = other.uuid.to_string();
    let longer = &id[..id.len().min(word.len() + 4)];
    let (taken, way_out) = if named.live {
        (
            "the sesh of that name is meant",
            format!("{longer} means the other"),
        )
    } else {
        (
            "that one is meant",
            format!("{} means the exited sesh of that name", named.uuid),
        )
    };
    error::warn(format!(
        "{} is also the start of the uuid of {}: {taken}; {way_out}",
        shown(word),
        shown(&other.name)
    ));
}

/// Returns the best of several matches. A live sesh ranks before an archived one, then comes an exited one that is
/// still held in its pane, then an exited one without a pane.
///
/// # Errors
/// [`Exit::Unusable`] if several have the best rank.
fn best<'a>(word: &str, mut matches: Vec<&'a Record>) -> Result<&'a Record> {
    let rank = |record: &Record| match record {
        Record {
            live: true,
            archived: false,
            ..
        } => 0,
        Record { archived: true, .. } => 1,
        Record { tmux: Some(_), .. } => 2,
        _ => 3,
    };
    let first = matches.iter().map(|record| rank(record)).min();
    matches.retain(|record| Some(rank(record)) == first);
    if let [only] = matches[..] {
        return Ok(only);
    }
    matches.sort_by_key(|record| std::cmp::Reverse(record.created_at));
    let candidates: Vec<String> = matches
        .iter()
        .take(10)
        .map(|record| {
            format!(
                "{} ({}, {})",
                record.uuid,
                record.name,
                record.state.as_str()
            )
        })
        .collect();
    let more = match matches.len().saturating_sub(10) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(Error::unusable(format!(
        "{} matches {} seshes: {}{more}",
        shown(word),
        matches.len(),
        candidates.join(", ")
    ))
    .with_way_out("give one by its uuid"))
}
