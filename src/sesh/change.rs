//! Changing what is known of a sesh: name, tags, note, fields, parent, put away or not.

use std::collections::BTreeMap;

use super::create::joined;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, PaneId, SeshId, Tag};
use crate::inventory::find;
use crate::store::append;
use crate::store::condition::{both, equal, name_is_free, registered, tagged};
use crate::store::note::{Event, Note};
use crate::store::pending_restore;
use crate::store::target;
use crate::store::write::Bound;
use crate::store::{Key, Place, Record, Select, Values, value, write};
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
    /// A person wants one that was found: it stays when its agent goes.
    Keep,
}

/// Makes all the changes to one sesh, or none.
///
/// # Errors
/// A name that a living sesh has, a tag to replace that is not there, [`Exit::Changed`] when the sesh went away.
pub fn change(server: &Server, record: &Record, changes: &[Change]) -> Result<Record> {
    not_its_own_parent(record, changes)?;
    let apply_all = |values: &mut Values| {
        changes
            .iter()
            .try_for_each(|change| apply(change, values, &record.name))
    };
    if record.kept.is_some() {
        let now = append::change(server, record, apply_all)?;
        if now.archived != record.archived {
            // What is put away is not offered.
            pending_restore::recount(server)?;
        }
        return Ok(now);
    }
    let on_book = || {
        let now = write::on_book(server, record.uuid, apply_all)?;
        append::note(server, &[note(&now, changes)]);
        Ok(now)
    };
    match &record.tmux {
        Some(place) => match on_pane(server, place.pane, record, changes) {
            // Its pane closed meanwhile: the book takes the change.
            Err(error) if error.exit == Exit::Changed => on_book(),
            outcome => last_word(server, outcome?, changes),
        },
        None => on_book(),
    }
}

/// What outlives the server of changes.
fn note<'a>(record: &'a Record, changes: &[Change]) -> Note<'a> {
    let keys = changes.iter().flat_map(|change| match change {
        Change::Name(_) => [Key::Name, Key::Auto],
        Change::Tag(_) | Change::Untag(_) | Change::Retag(..) => [Key::Tags, Key::Updated],
        Change::Archived(_) => [Key::Archived, Key::Updated],
        Change::Note(_) => [Key::Note, Key::Updated],
        Change::Meta(..) => [Key::Meta, Key::Updated],
        Change::Parent(_) => [Key::Parent, Key::Updated],
        Change::Keep => [Key::Auto, Key::Updated],
    });
    Note::of(Event::Changed, record, keys)
}

/// Writes the changes down as they are when nobody else's came between the look and the writing: of two who tag one
/// sesh at once the later look might be written first.
fn last_word(server: &Server, mut record: Record, changes: &[Change]) -> Result<Record> {
    loop {
        append::note(server, &[note(&record, changes)]);
        let Some(place) = &record.tmux else {
            return Ok(record);
        };
        let now = match write::reread(server, place.pane, record.uuid) {
            Ok(now) => now,
            // It went away after it was changed.
            Err(error) if error.exit == Exit::Changed => return Ok(record),
            Err(error) => return Err(error),
        };
        if note(&now, changes).says_as(&note(&record, changes)) {
            return Ok(record);
        }
        record = now;
    }
}

fn not_its_own_parent(record: &Record, changes: &[Change]) -> Result<()> {
    if changes.contains(&Change::Parent(Some(record.uuid))) {
        return Err(Error::usage(format!(
            "{} cannot be its own parent",
            record.name
        )));
    }
    Ok(())
}

/// Makes the changes to every sesh that has a pane and all of these tags, in one command list: to each of them all, or
/// none. Gives how it went for each, the oldest first.
///
/// # Errors
/// [`Exit::Nothing`] when no sesh has the tags.
pub fn change_tagged(
    server: &Server,
    tags: &[Tag],
    changes: &[Change],
) -> Result<Vec<Result<Record>>> {
    let all_tags = tags
        .iter()
        .map(tagged)
        .fold(registered(), |all, one| both(&all, &one));
    let select = |filter| Select {
        filter,
        ..Select::default()
    };
    let found = find::read(server, &select(Some(all_tags.clone())))?;
    let mut members: Vec<(PaneId, &Record)> = found
        .with_pane()
        .filter_map(|record| Some((record.tmux.as_ref()?.pane, record)))
        .collect();
    members.sort_by_key(|(pane, record)| (record.created_at, *pane));
    if members.is_empty() {
        let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        return Err(Error::nothing(format!(
            "no sesh with a pane has the tag {}: sesh-list --tags shows those in use",
            tags.join(" and ")
        )));
    }
    let mut batch = Batch::new();
    for (pane, record) in &members {
        not_its_own_parent(record, changes)?;
        let (condition, commands) = parts(*pane, record, changes);
        // One that has lost the tag since is not meant any more.
        let condition = both(&all_tags, &condition);
        batch.extend([write::bound(*pane, record.uuid, &condition, commands)]);
    }
    let answer = server.run(&batch)?;
    let now = find::read(server, &select(None))?;
    let notes: Vec<Note<'_>> = members
        .iter()
        .zip(Bound::read_each(&answer))
        .filter(|(_, bound)| *bound == Bound::Done)
        .filter_map(|((_, old), _)| now.with_pane().find(|record| record.uuid == old.uuid))
        .map(|record| note(record, changes))
        .collect();
    append::note(server, &notes);
    let mut outcomes = Bound::read_each(&answer);
    members
        .into_iter()
        .map(|(_, old)| {
            let bound = outcomes.next().unwrap_or(Bound::Gone);
            let new = now.with_pane().find(|record| record.uuid == old.uuid);
            Ok(match (bound, new) {
                (Bound::Done, new) => Ok(new.unwrap_or(old).clone()),
                (Bound::Condition, Some(new)) => Err(explain(server, changes, new)?),
                _ => Err(target::changed(old.uuid)),
            })
        })
        .collect()
}

/// The condition of changes, and their commands.
fn parts(pane: PaneId, record: &Record, changes: &[Change]) -> (String, Vec<Command>) {
    let condition = changes
        .iter()
        .filter_map(|change| test(change, record))
        .fold("1".to_string(), |all, one| both(&all, &one));
    let commands = changes
        .iter()
        .flat_map(|change| commands_for(change, pane))
        .collect();
    (condition, commands)
}

fn on_pane(server: &Server, pane: PaneId, record: &Record, changes: &[Change]) -> Result<Record> {
    let (condition, commands) = parts(pane, record, changes);
    let done = write::on_pane(server, pane, record.uuid, &condition, commands)?;
    for change in changes.iter().filter(|_| done) {
        if let (Change::Name(name), Some(place)) = (change, &record.tmux) {
            relabel(server, place, &record.name, name)?;
        }
    }
    let now = write::reread(server, pane, record.uuid)?;
    if done {
        return Ok(now);
    }
    Err(explain(server, changes, &now)?)
}

/// What must hold in the server for a change to be made.
fn test(change: &Change, record: &Record) -> Option<String> {
    match change {
        Change::Name(name) => Some(name_is_free(name, Some(record.uuid))),
        Change::Retag(old, new) => {
            Some(crate::store::condition::either(&tagged(old), &tagged(new)))
        }
        _ => None,
    }
}

/// Says which condition failed.
fn explain(server: &Server, changes: &[Change], record: &Record) -> Result<Error> {
    for change in changes {
        match change {
            Change::Name(name) => {
                let free = server.run(&Batch::from(command::if_format(
                    None,
                    &name_is_free(name, Some(record.uuid)),
                    &Batch::from(command::print(None, "free")),
                    &Batch::new(),
                )))?;
                if free.trim() != "free" {
                    return Ok(Error::unusable(format!(
                        "the name {name} is taken by a living sesh: choose another"
                    )));
                }
            }
            Change::Retag(old, new) => {
                if let Err(error) = require_tag(&record.tags, old, new, &record.name) {
                    return Ok(error);
                }
            }
            _ => {}
        }
    }
    Ok(Error::new(
        Exit::Changed,
        format!("{} was changed meanwhile: try again", record.name),
    ))
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
fn commands_for(change: &Change, pane: PaneId) -> Vec<Command> {
    let target = pane.to_string();
    let tags = Key::Tags.option();
    let set_tags = |format: String| command::set_pane_expanded(&target, tags, &format);
    let has = tagged;
    match change {
        Change::Name(name) => write::unless(
            &target,
            &equal(Key::Name, name.as_str()),
            vec![
                command::set_pane(&target, Key::Name.option(), name.as_str()),
                // Whoever names it wants it.
                command::unset_pane(&target, Key::Auto.option()),
            ],
        ),
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
            &parent.map(|parent| parent.to_string()).unwrap_or_default(),
        ),
        Change::Meta(key, text) => set_field(pane, key, text),
        Change::Keep => write::change(pane, Key::Auto, ""),
    }
}

/// Has the window's name follow that of its one sesh, where it is the label that the old name gave it.
fn relabel(server: &Server, place: &Place, old: &str, new: &Name) -> Result<()> {
    let Ok(old) = Name::stored(old) else {
        return Ok(());
    };
    let pane = place.pane.to_string();
    let labelled = format!("#{{==:#{{window_name}},{}}}", old.label());
    let rename = command::if_format(
        Some(&pane),
        &both(&labelled, "#{==:#{window_panes},1}"),
        &Batch::from(command::rename_window(&pane, &new.label())),
        &Batch::new(),
    );
    server.run(&Batch::from(rename)).map(drop)
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

/// Sets or removes one field among the others, in the server: many may write at once.
fn set_field(pane: PaneId, key: &str, text: &str) -> Vec<Command> {
    let target = pane.to_string();
    let meta = Key::Meta.option();
    // Of a key's characters only the dot means something in a pattern.
    let pattern = key.replace('.', "[.]");
    let without =
        command::set_pane_expanded(&target, meta, &format!("#{{s| {pattern}=[^ ]*||:{meta}}}"));
    let pair = value::encode_pairs([(key, text)]);
    if text.is_empty() {
        let absent = format!("#{{==:#{{m:* {key}=*,{}}},0}}", Key::Meta.format());
        return write::unless(&target, &absent, vec![without]);
    }
    let there = format!("#{{m:*{pair} *,{} }}", Key::Meta.format());
    let with = command::append_pane(&target, meta, &pair);
    write::unless(&target, &there, vec![without, with])
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
        // It has ended.
        Change::Keep => {}
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
        Change::Meta(key, text) => {
            let mut fields: BTreeMap<String, String> = value::decode_pairs(values.get(Key::Meta))
                .into_iter()
                .collect();
            if text.is_empty() {
                fields.remove(key);
            } else {
                fields.insert(key.clone(), text.clone());
            }
            let pairs = fields
                .iter()
                .map(|(key, text)| (key.as_str(), text.as_str()));
            values.set(Key::Meta, value::encode_pairs(pairs));
        }
    }
    Ok(())
}
