//! Changes what is stored of a sesh: its name, tags, note, fields, parent, and whether it is archived.

use crate::error::{Error, Exit, Result};
use crate::id::{Name, PaneId, Tag};
use crate::inventory::find;
use crate::store::commit::{self, commit};
use crate::store::condition::{both, name_is_free};
use crate::store::edit::{Edit, require_tag};
use crate::store::target;
use crate::store::write::{self, BoundOutcome};
use crate::store::{Place, Record, Select};
use crate::tmux::{Batch, Server, command};

/// Makes all the edits to one sesh, or none.
///
/// # Errors
/// A living sesh has the name, or the tag to replace is not there; [`Exit::Changed`] when the sesh went away.
pub fn change(server: &Server, record: &Record, edits: &[Edit]) -> Result<Record> {
    refuse_own_parent(record, edits)?;
    let Some(place) = &record.tmux else {
        return commit::edit_record(server, record, edits);
    };
    let relabel = relabel(place, record, edits);
    match commit::edit_on_pane(server, place.pane, record, edits, relabel.as_ref()) {
        // The pane closed meanwhile, so the record takes the change.
        Err(error) if error.exit == Exit::Changed => commit::edit_record(server, record, edits),
        Ok(None) => {
            let now = write::reread(server, place.pane, record.uuid)?;
            Err(explain(server, edits, &now)?)
        }
        outcome => outcome?.ok_or_else(|| target::changed(record.uuid)),
    }
}

fn refuse_own_parent(record: &Record, edits: &[Edit]) -> Result<()> {
    if edits.contains(&Edit::Parent(Some(record.uuid))) {
        return Err(Error::usage(format!(
            "{} cannot be its own parent",
            record.name
        )));
    }
    Ok(())
}

/// Makes the edits to every sesh that has a pane and all of these tags, in one command list. Each sesh gets all of the
/// edits or none. Returns the outcome for each, the oldest sesh first.
///
/// # Errors
/// [`Exit::Nothing`] when no sesh has the tags.
pub fn change_tagged(server: &Server, tags: &[Tag], edits: &[Edit]) -> Result<Vec<Result<Record>>> {
    let all_tags = find::all_tags(tags);
    let found = find::tagged(server, tags)?;
    let members: Vec<(PaneId, &Record)> = found
        .iter()
        .filter_map(|record| Some((record.tmux.as_ref()?.pane, record)))
        .collect();
    let mut batch = Batch::new();
    for (pane, record) in &members {
        refuse_own_parent(record, edits)?;
        // A sesh that has lost the tag since then is not meant any more.
        batch.extend([Edit::bound(edits, *pane, record, &all_tags)]);
    }
    let outcomes = commit(server, &batch, |answer| {
        let bounds: Vec<BoundOutcome> = BoundOutcome::read_each(&answer?).collect();
        let now = find::read(server, &Select::default())?;
        let outcomes: Vec<(BoundOutcome, Option<Record>)> = members
            .iter()
            .enumerate()
            .map(|(at, (_, old))| {
                let new = now.with_pane().find(|record| record.uuid == old.uuid);
                (
                    bounds.get(at).copied().unwrap_or(BoundOutcome::Gone),
                    new.cloned(),
                )
            })
            .collect();
        let notes = outcomes.iter().filter_map(|outcome| match outcome {
            (BoundOutcome::Done, Some(record)) => Some(Edit::note(edits, record)),
            _ => None,
        });
        let notes = notes.collect();
        Ok((outcomes, notes))
    })?;
    members
        .into_iter()
        .zip(outcomes)
        .map(|((_, old), outcome)| {
            Ok(match outcome {
                (BoundOutcome::Done, new) => Ok(new.unwrap_or_else(|| old.clone())),
                (BoundOutcome::Condition, Some(new)) => Err(explain(server, edits, &new)?),
                _ => Err(target::changed(old.uuid)),
            })
        })
        .collect()
}

/// Returns the error for the condition that failed.
fn explain(server: &Server, edits: &[Edit], record: &Record) -> Result<Error> {
    for edit in edits {
        match edit {
            Edit::Name(name) => {
                let free = server.run(&Batch::from(command::if_format(
                    None,
                    &name_is_free(name, Some(record.uuid)),
                    &Batch::from(command::print(None, "free")),
                    &Batch::new(),
                )))?;
                if free.trim() != "free" {
                    return Ok(Error::unusable(format!(
                        "the name {name} is taken by a live sesh: choose another"
                    )));
                }
            }
            Edit::Retag(old, new) => {
                if let Err(error) = require_tag(&record.tags, old, new, &record.name) {
                    return Ok(error);
                }
            }
            _ => {}
        }
    }
    Ok(Error::new(
        Exit::Changed,
        format!("{} has changed in the meantime: try again", record.name),
    ))
}

/// Returns the list that renames a window with its only sesh, if the window has the label that the old name gave it.
/// Returns `None` if no name changes.
fn relabel(place: &Place, record: &Record, edits: &[Edit]) -> Option<Batch> {
    let old = Name::stored(&record.name).ok()?;
    let pane = place.pane.to_string();
    let labelled = format!("#{{==:#{{window_name}},{}}}", old.label());
    let condition = both(&labelled, "#{==:#{window_panes},1}");
    let new = edits.iter().find_map(|edit| match edit {
        Edit::Name(name) => Some(name),
        _ => None,
    })?;
    Some(Batch::from(command::if_format(
        Some(&pane),
        &condition,
        &Batch::from(command::rename_window(&pane, &new.label())),
        &Batch::new(),
    )))
}
