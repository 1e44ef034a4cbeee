//! Changing what is known of a sesh: name, tags, note, fields, parent, put away or not.

use std::collections::BTreeMap;

use super::create::joined;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, PaneId, SeshId, Tag};
use crate::store::query::{both, equal, name_is_free, tagged};
use crate::store::{Key, Record, Values, value, write};
use crate::tmux::{Batch, Command, Server, command};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Name(Name),
    Tag(Tag),
    Untag(Tag),
    Retag(Tag, Tag),
    Archived(bool),
    /// Empty removes it.
    Note(String),
    /// A field; an empty value removes it.
    Meta(String, String),
    Parent(Option<SeshId>),
}

/// Tries of a change that others keep getting in front of.
const TRIES: usize = 200;

/// Makes all the changes to one sesh, or none.
///
/// # Errors
/// A name that a living sesh has, a tag to replace that is not there, [`Exit::Changed`] when the sesh went away.
pub fn change(server: &Server, record: &Record, changes: &[Change]) -> Result<Record> {
    match &record.tmux {
        Some(place) => match on_pane(server, place.pane, record, changes) {
            // Its pane closed meanwhile: the book takes the change.
            Err(error) if error.exit == Exit::Changed => on_book(server, record, changes),
            outcome => outcome,
        },
        None => on_book(server, record, changes),
    }
}

fn on_pane(server: &Server, pane: PaneId, record: &Record, changes: &[Change]) -> Result<Record> {
    let mut current = record.clone();
    for _ in 0..TRIES {
        let mut condition = "1".to_string();
        let mut commands = Vec::new();
        for change in changes {
            if let Some(test) = test(change, &current) {
                condition = both(&condition, &test);
            }
            commands.extend(commands_for(change, pane, &current));
        }
        if let Some(meta) = merged(changes, current.values.get(Key::Meta)) {
            // Written whole, so only over the value that it was made from.
            condition = both(&condition, &equal(Key::Meta, current.values.get(Key::Meta)));
            commands.extend(write::change(pane, Key::Meta, &meta));
        }
        if write::on_pane(server, pane, record.uuid, &condition, commands)? {
            return write::reread(server, pane, record.uuid);
        }
        current = write::reread(server, pane, record.uuid)?;
        explain(server, changes, &current)?;
    }
    Err(Error::new(
        Exit::Changed,
        format!("others keep changing {}: try again", record.name),
    ))
}

/// What must hold in the server for a change to be made.
fn test(change: &Change, record: &Record) -> Option<String> {
    match change {
        Change::Name(name) => Some(name_is_free(name, Some(record.uuid))),
        Change::Retag(old, new) => Some(crate::store::query::either(&tagged(old), &tagged(new))),
        _ => None,
    }
}

/// Says which condition failed, if it is one that a try again would not mend.
fn explain(server: &Server, changes: &[Change], record: &Record) -> Result<()> {
    for change in changes {
        match change {
            Change::Name(name) => {
                let free = server.run(&Batch::from(command::if_format(
                    None,
                    &name_is_free(name, Some(record.uuid)),
                    &Batch::from(command::print(None, "free")),
                    &Batch::new(),
                )))?;
                if free.trim_end() != "free" {
                    return Err(Error::unusable(format!(
                        "the name {name} is taken by a living sesh: choose another"
                    )));
                }
            }
            Change::Retag(old, new) => require_tag(&record.tags, old, new, &record.name)?,
            _ => {}
        }
    }
    Ok(())
}

fn require_tag(tags: &[String], old: &Tag, new: &Tag, name: &str) -> Result<()> {
    if tags
        .iter()
        .any(|tag| tag == old.as_str() || tag == new.as_str())
    {
        Ok(())
    } else {
        Err(Error::unusable(format!("{name} has no tag {old}")))
    }
}

/// The commands of a change; each does nothing when nothing would change.
fn commands_for(change: &Change, pane: PaneId, record: &Record) -> Vec<Command> {
    let target = pane.to_string();
    let tags = Key::Tags.option();
    let set_tags = |format: String| command::set_pane_expanded(&target, tags, &format);
    let has = tagged;
    match change {
        Change::Name(name) => {
            let mut commands = write::change(pane, Key::Name, name.as_str());
            commands.push(relabel(&target, &record.name, name));
            commands
        }
        Change::Tag(tag) => write::unless(
            &target,
            &has(tag),
            vec![set_tags(format!(
                "#{{?{tags},{tags}, }}{tag} ",
                tags = Key::Tags.format()
            ))],
        ),
        Change::Untag(tag) => write::unless(
            &target,
            &format!("#{{==:{},0}}", has(tag)),
            vec![
                set_tags(format!("#{{s| {tag} | |:{tags}}}")),
                drop_empty_tags(&target),
            ],
        ),
        Change::Retag(old, new) => write::unless(
            &target,
            &format!("#{{==:{},0}}", has(old)),
            vec![command::if_format(
                Some(&target),
                &has(new),
                &Batch::from(set_tags(format!("#{{s| {old} | |:{tags}}}"))),
                &Batch::from(set_tags(format!("#{{s| {old} | {new} |:{tags}}}"))),
            )],
        ),
        Change::Archived(archived) => {
            write::change(pane, Key::Archived, if *archived { "1" } else { "" })
        }
        Change::Note(note) => write::change(pane, Key::Note, &value::encode(note)),
        Change::Parent(parent) => write::change(
            pane,
            Key::Parent,
            &parent
                .filter(|parent| *parent != record.uuid)
                .map(|parent| parent.to_string())
                .unwrap_or_default(),
        ),
        // All fields are one value: see merged().
        Change::Meta(..) => Vec::new(),
    }
}

/// The window's name follows, where it is the label that the old name gave it.
fn relabel(target: &str, old: &str, new: &Name) -> Command {
    let labelled = old
        .parse::<Name>()
        .map(|old| format!("#{{==:#{{window_name}},{}}}", old.label()));
    let alone = "#{==:#{window_panes},1}";
    command::if_format(
        Some(target),
        &both(labelled.as_deref().unwrap_or("0"), alone),
        &Batch::from(command::rename_window(target, &new.label())),
        &Batch::new(),
    )
}

/// The last tag leaves its blank behind.
fn drop_empty_tags(target: &str) -> Command {
    command::if_format(
        Some(target),
        &equal(Key::Tags, " "),
        &Batch::from(command::unset_pane(target, Key::Tags.option())),
        &Batch::new(),
    )
}

/// The value of `@sesh_meta` after the changes, if there are any to it.
fn merged(changes: &[Change], stored: &str) -> Option<String> {
    let mut fields: BTreeMap<String, String> = value::decode_pairs(stored).into_iter().collect();
    let mut any = false;
    for change in changes {
        if let Change::Meta(key, text) = change {
            any = true;
            if text.is_empty() {
                fields.remove(key);
            } else {
                fields.insert(key.clone(), text.clone());
            }
        }
    }
    any.then(|| {
        value::encode_pairs(
            fields
                .iter()
                .map(|(key, text)| (key.as_str(), text.as_str())),
        )
    })
}

fn on_book(server: &Server, record: &Record, changes: &[Change]) -> Result<Record> {
    write::on_book(server, record.uuid, |values| {
        for change in changes {
            apply(change, values, &record.name)?;
        }
        if let Some(meta) = merged(changes, values.get(Key::Meta)) {
            values.set(Key::Meta, meta);
        }
        Ok(())
    })
}

fn apply(change: &Change, values: &mut Values, name: &str) -> Result<()> {
    let tags: Vec<String> = values
        .get(Key::Tags)
        .split(' ')
        .filter(|tag| !tag.is_empty())
        .map(Into::into)
        .collect();
    let set_tags = |values: &mut Values, tags: &[String]| {
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        values.set(Key::Tags, joined(&tags));
    };
    match change {
        // An ended sesh may have any name: only living ones are unique.
        Change::Name(name) => values.set(Key::Name, name.as_str()),
        Change::Tag(tag) => {
            let mut tags = tags;
            tags.push(tag.as_str().into());
            set_tags(values, &tags);
        }
        Change::Untag(tag) => {
            let mut tags = tags;
            tags.retain(|it| it != tag.as_str());
            set_tags(values, &tags);
        }
        Change::Retag(old, new) => {
            require_tag(&tags, old, new, name)?;
            let tags: Vec<String> = tags
                .into_iter()
                .map(|tag| {
                    if tag == old.as_str() {
                        new.as_str().into()
                    } else {
                        tag
                    }
                })
                .collect();
            set_tags(values, &tags);
        }
        Change::Archived(archived) => values.set(Key::Archived, if *archived { "1" } else { "" }),
        Change::Note(note) => values.set(Key::Note, value::encode(note)),
        Change::Parent(parent) => values.set(
            Key::Parent,
            parent.map(|parent| parent.to_string()).unwrap_or_default(),
        ),
        Change::Meta(..) => {}
    }
    Ok(())
}
