//! Conditions that the server tests: tmux formats that expand to true or false.

use super::schema::{self, Key};
use crate::id::{Name, SeshId, Tag};

/// The condition that a client shows a pane.
pub const IS_SHOWN: &str =
    "#{&&:#{window_active_clients},#{||:#{pane_active},#{==:#{window_zoomed_flag},0}}}";

/// The condition that a person reads a pane: a client shows it, or it is in copy mode or another mode.
pub const IS_READ: &str = "#{||:#{pane_in_mode},#{&&:#{window_active_clients},#{||:#{pane_active},#{==:#{window_zoomed_flag},0}}}}";

/// Returns the condition that a pane is a sesh. It is a comparison and not the option alone, since `if-shell -F` takes
/// a text that starts with 0 as false, and a UUID may start with 0.
#[must_use]
pub fn registered() -> String {
    format!("#{{!=:{},}}", Key::Id.format())
}

/// Returns the condition that a stored value is `text`. `text` must contain no character that is special in formats.
#[must_use]
pub fn equal(key: Key, text: &str) -> String {
    format!("#{{==:{},{text}}}", key.format())
}

/// Returns the condition that a sesh has a tag.
#[must_use]
pub fn tagged(tag: &Tag) -> String {
    format!("#{{m:* {tag} *,{}}}", Key::Tags.format())
}

/// Returns the condition that both conditions hold. It takes only two, since tmux before 3.6 takes `#{&&:1,1,0}` as
/// true.
#[must_use]
pub fn both(one: &str, other: &str) -> String {
    format!("#{{&&:{one},{other}}}")
}

/// Returns the condition that at least one of two conditions holds.
#[must_use]
pub fn either(one: &str, other: &str) -> String {
    format!("#{{||:{one},{other}}}")
}

/// Returns the condition that at least one of several conditions holds; it is false for an empty list. The conditions
/// are nested as a balanced tree, since tmux does not expand formats a hundred levels deep.
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

/// Returns the condition that no live sesh except `except` has a name.
#[must_use]
pub fn name_is_free(name: &Name, except: Option<SeshId>) -> String {
    let named = equal(Key::Name, name.as_str());
    let mut taken = both(&named, &equal(Key::Exit, ""));
    if let Some(id) = except {
        taken = both(&taken, &format!("#{{!=:{},{id}}}", Key::Id.format()));
    }
    // tmux expands a comparison on each pane three times as fast as a condition on it (3.3a: 15,000
    // instructions, not 44,000). So it expands the condition only if a pane has the name.
    let any_has_name = format!("#{{m:*1*,#{{S:#{{W:#{{P:{named}}}}}}}}}");
    format!("#{{?{any_has_name},{},1}}", no_pane_has(&taken))
}

/// Returns the condition that another condition holds on no pane of the server.
#[must_use]
pub fn no_pane_has(condition: &str) -> String {
    format!("#{{==:#{{S:#{{W:#{{P:#{{?{condition},x,}}}}}}}},}}")
}

/// Returns the condition that the stored record of a sesh is `text`, which is empty for no record. `text` must contain
/// no character that is special in formats.
#[must_use]
pub fn record_is(id: SeshId, text: &str) -> String {
    format!("#{{==:#{{{}}},{text}}}", schema::book(id))
}

/// Returns the condition that a sesh has a record.
#[must_use]
pub fn has_record(id: SeshId) -> String {
    format!("#{{!=:#{{{}}},}}", schema::book(id))
}

/// Returns the condition that the last lines of a sesh are stored.
#[must_use]
pub fn has_tail(id: SeshId) -> String {
    format!("#{{!=:#{{{}}},}}", schema::tail(id))
}
