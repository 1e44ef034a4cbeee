//! Conditions that the server tests: formats that hold or do not.

use super::schema::{self, Key};
use crate::id::{Name, SeshId, Tag};

/// The condition that a pane is a sesh at all. Never the option alone: a condition whose text starts
/// with 0 counts as false in `if-shell -F`, and a UUID may.
#[must_use]
pub fn registered() -> String {
    format!("#{{!=:{},}}", Key::Id.format())
}

/// The condition that a stored value is `text`. `text` must hold no character that formats act on.
#[must_use]
pub fn equal(key: Key, text: &str) -> String {
    format!("#{{==:{},{text}}}", key.format())
}

/// The condition that a sesh has a tag.
#[must_use]
pub fn tagged(tag: &Tag) -> String {
    format!("#{{m:* {tag} *,{}}}", Key::Tags.format())
}

/// Both conditions. Two at a time: tmux before 3.6 takes `#{&&:1,1,0}` for true.
#[must_use]
pub fn both(one: &str, other: &str) -> String {
    format!("#{{&&:{one},{other}}}")
}

/// One of two conditions.
#[must_use]
pub fn either(one: &str, other: &str) -> String {
    format!("#{{||:{one},{other}}}")
}

/// Any of several conditions, and none of none. In pairs of pairs: formats are not expanded a hundred levels deep.
#[must_use]
pub fn any(conditions: &[String]) -> String {
    match conditions {
        [] => "0".into(),
        [one] => one.clone(),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            either(&any(left), &any(right))
        }
    }
}

/// The condition that no living sesh but `except` has a name.
#[must_use]
pub fn name_is_free(name: &Name, except: Option<SeshId>) -> String {
    let mut taken = both(&equal(Key::Name, name.as_str()), &equal(Key::Exit, ""));
    if let Some(id) = except {
        taken = both(&taken, &format!("#{{!=:{},{id}}}", Key::Id.format()));
    }
    no_pane_has(&taken)
}

/// The condition that no pane of the server meets another condition.
#[must_use]
pub fn no_pane_has(condition: &str) -> String {
    format!("#{{==:#{{S:#{{W:#{{P:#{{?{condition},x,}}}}}}}},}}")
}

/// The condition that the record of a sesh is `text`, as it is stored; empty for none. `text` must hold no character that
/// formats act on.
#[must_use]
pub fn record_is(id: SeshId, text: &str) -> String {
    format!("#{{==:#{{{}}},{text}}}", schema::book(id))
}

/// The condition that a sesh has a record.
#[must_use]
pub fn has_record(id: SeshId) -> String {
    format!("#{{!=:#{{{}}},}}", schema::book(id))
}

/// The condition that last lines of a sesh are kept.
#[must_use]
pub fn has_tail(id: SeshId) -> String {
    format!("#{{!=:#{{{}}},}}", schema::tail(id))
}
