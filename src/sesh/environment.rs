//! The environment of a command in a new pane.

use std::ffi::{OsStr, OsString};

use crate::env;

/// Returns what a command inherits from its caller. `updated` are the variables that a client has passed on to the caller's
/// session since the caller has started; those without a value, the client did not have.
pub(super) fn inherited(updated: &[(String, Option<String>)]) -> Vec<(OsString, OsString)> {
    let is_updated = |name: &OsStr| updated.iter().any(|(updated, _)| name == updated.as_str());
    let own = env::inherited_environment().filter(|(name, _)| !is_updated(name));
    let updated = updated
        .iter()
        .filter_map(|(name, value)| Some((name.into(), value.clone()?.into())));
    own.chain(updated).collect()
}

/// Returns the PATH that a command gets to which these variables are given.
pub(super) fn path(variables: &[(OsString, OsString)]) -> OsString {
    let given = variables.iter().rev().find(|(name, _)| name == "PATH");
    given.map_or_else(env::path, |(_, path)| path.clone())
}
