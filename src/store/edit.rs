//! Edits of a sesh: its name, tags, note, fields and parent, and whether it is archived. An edit of a sesh with a pane
//! consists of tmux commands that any number of processes may run at once. An edit of an exited sesh changes its
//! record.

use std::collections::BTreeMap;

use super::condition::{both, either, equal, name_is_free, tagged};
use super::note::{JournalEvent, Note};
use super::record::{Record, Values};
use super::schema::Key;
use super::{value, write};
use crate::error::{Error, Result};
use crate::id::{Name, PaneId, SeshId, Tag};
use crate::tmux::{Batch, Command, command};

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Name(Name),
    Tag(Tag),
    Untag(Tag),
    /// Replaces the first tag by the second.
    Retag(Tag, Tag),
    Archived(bool),
    /// Sets the note; an empty text removes it.
    Note(String),
    /// Sets a field; an empty value removes it.
    Meta(String, String),
    Parent(Option<SeshId>),
    /// Makes the sesh of an automatically adopted agent permanent: it stays when its agent exits.
    Keep,
}

impl Edit {
    /// Returns the condition under which all of the edits are made.
    pub(super) fn condition(edits: &[Self], record: &Record) -> String {
        let conditions = edits.iter().filter_map(|edit| edit.precondition(record));
        conditions.fold("1".to_string(), |all, one| both(&all, &one))
    }

    /// Returns the condition of one edit, if it has one.
    fn precondition(&self, record: &Record) -> Option<String> {
        match self {
            Self::Name(name) => Some(name_is_free(name, Some(record.uuid))),
            Self::Retag(old, new) => Some(either(&tagged(old), &tagged(new))),
            _ => None,
        }
    }

    /// Returns the commands of the edits on a pane.
    pub(super) fn commands(edits: &[Self], pane: PaneId) -> Vec<Command> {
        edits
            .iter()
            .flat_map(|edit| commands_for(edit, pane))
            .collect()
    }

    /// Returns the command that makes edits to the sesh of a pane: a [`write::bound`] with the condition `more` and the
    /// edits' own condition.
    #[must_use]
    pub fn bound(edits: &[Self], pane: PaneId, record: &Record, more: &str) -> Command {
        let condition = both(more, &Self::condition(edits, record));
        write::bound(pane, record.uuid, &condition, Self::commands(edits, pane))
    }

    /// Makes the edits to the values of an exited sesh that is called `name`.
    ///
    /// # Errors
    /// The sesh lacks a tag that is to be replaced.
    pub(super) fn apply(edits: &[Self], values: &mut Values, name: &str) -> Result<()> {
        edits.iter().try_for_each(|edit| apply(edit, values, name))
    }

    /// Returns the note of the edits for the journal, with the values as they are in `record`.
    #[must_use]
    pub fn note(edits: &[Self], record: &Record) -> Note {
        let keys = edits.iter().flat_map(|edit| match edit {
            Self::Name(_) => [Key::Name, Key::Auto],
            Self::Tag(_) | Self::Untag(_) | Self::Retag(..) => [Key::Tags, Key::Updated],
            Self::Archived(_) => [Key::Archived, Key::Updated],
            Self::Note(_) => [Key::Note, Key::Updated],
            Self::Meta(..) => [Key::Meta, Key::Updated],
            Self::Parent(_) => [Key::Parent, Key::Updated],
            Self::Keep => [Key::Auto, Key::Updated],
        });
        Note::of(JournalEvent::Changed, record, keys)
    }
}

/// Returns an error unless a sesh has the tag `old`, which is to be replaced, or already has the tag `new`.
///
/// # Errors
/// It has neither of the tags.
pub fn require_tag(tags: &[String], old: &Tag, new: &Tag, name: &str) -> Result<()> {
    if tags
        .iter()
        .any(|tag| tag == old.as_str() || tag == new.as_str())
    {
        Ok(())
    } else {
        Err(Error::unusable(format!("{name} has no tag {old}")))
    }
}

/// Returns the commands of an edit. Each command does nothing if it would change nothing.
fn commands_for(edit: &Edit, pane: PaneId) -> Vec<Command> {
    let target = pane.to_string();
    let tags = Key::Tags.option();
    let set_tags = |format: String| command::set_pane_expanded(&target, tags, &format);
    match edit {
        Edit::Name(name) => write::unless(
            &target,
            &equal(Key::Name, name.as_str()),
            vec![
                command::set_pane(&target, Key::Name.option(), name.as_str()),
                // A sesh that was named does not end with its agent.
                command::unset_pane(&target, Key::Auto.option()),
            ],
        ),
        Edit::Tag(tag) => write::unless(
            &target,
            &tagged(tag),
            vec![set_tags(format!(
                "#{{?{tags},{tags}, }}{tag} ",
                tags = Key::Tags.format()
            ))],
        ),
        Edit::Untag(tag) => write::unless(
            &target,
            &format!("#{{==:{},0}}", tagged(tag)),
            vec![
                set_tags(format!("#{{s| {tag} | |:{tags}}}")),
                drop_empty_tags(&target),
            ],
        ),
        Edit::Retag(old, new) => write::unless(
            &target,
            &format!("#{{==:{},0}}", tagged(old)),
            vec![command::if_format(
                Some(&target),
                &tagged(new),
                &Batch::from(set_tags(format!("#{{s| {old} | |:{tags}}}"))),
                &Batch::from(set_tags(format!("#{{s| {old} | {new} |:{tags}}}"))),
            )],
        ),
        Edit::Archived(archived) => {
            write::change(pane, Key::Archived, if *archived { "1" } else { "" })
        }
        Edit::Note(note) => write::change(pane, Key::Note, &value::encode(note)),
        Edit::Parent(parent) => write::change(
            pane,
            Key::Parent,
            &parent.map(|parent| parent.to_string()).unwrap_or_default(),
        ),
        Edit::Meta(key, text) => set_field(pane, key, text),
        Edit::Keep => write::change(pane, Key::Auto, ""),
    }
}

/// Returns the command that removes the blank that remains after the last tag was removed.
fn drop_empty_tags(target: &str) -> Command {
    command::if_format(
        Some(target),
        &equal(Key::Tags, " "),
        &Batch::from(command::unset_pane(target, Key::Tags.option())),
        &Batch::new(),
    )
}

/// Returns the commands that set or remove one field and keep the others.
fn set_field(pane: PaneId, key: &str, text: &str) -> Vec<Command> {
    let target = pane.to_string();
    let meta = Key::Meta.option();
    // The dot is the only character of a key that has a special meaning in a pattern.
    let pattern = key.replace('.', "[.]");
    let without =
        command::set_pane_expanded(&target, meta, &format!("#{{s| {pattern}=[^ ]*||:{meta}}}"));
    let pair = value::encode_pairs([(key, text)]);
    if text.is_empty() {
        let absent = format!("#{{==:#{{m:* {key}=*,{}}},0}}", Key::Meta.format());
        return write::unless(&target, &absent, vec![without]);
    }
    let present = format!("#{{m:*{pair} *,{} }}", Key::Meta.format());
    let with = command::append_pane(&target, meta, &pair);
    write::unless(&target, &present, vec![without, with])
}

fn apply(edit: &Edit, values: &mut Values, name: &str) -> Result<()> {
    let tags: Vec<String> = values
        .get(Key::Tags)
        .split(' ')
        .filter(|tag| !tag.is_empty())
        .map(Into::into)
        .collect();
    let set_tags = |values: &mut Values, tags: &[String]| {
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        values.set(Key::Tags, value::encode_tags(&tags));
    };
    match edit {
        // An exited sesh is kept in any case.
        Edit::Keep => {}
        // An exited sesh may have any name: only the names of live seshes are unique.
        Edit::Name(name) => values.set(Key::Name, name.as_str()),
        Edit::Tag(tag) => {
            let mut tags = tags;
            tags.push(tag.as_str().into());
            set_tags(values, &tags);
        }
        Edit::Untag(tag) => {
            let mut tags = tags;
            tags.retain(|it| it != tag.as_str());
            set_tags(values, &tags);
        }
        Edit::Retag(old, new) => {
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
        Edit::Archived(archived) => values.set(Key::Archived, if *archived { "1" } else { "" }),
        Edit::Note(note) => values.set(Key::Note, value::encode(note)),
        Edit::Parent(parent) => values.set(
            Key::Parent,
            parent.map(|parent| parent.to_string()).unwrap_or_default(),
        ),
        Edit::Meta(key, text) => {
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
