//! How many living seshes an owner may have: `@sesh-max`.

use std::collections::BTreeSet;

use super::condition::{both, equal};
use super::{Key, setting, value};
use crate::error::{Error, Exit, Result};
use crate::id::shown;
use crate::tmux::{Batch, Frame, Server, command};

/// Refuses when an owner has as many as it may. Else gives the condition that it has no others than now, under which one
/// more may be made: the server tests that in the list that makes it, so of two at once only one can take the last
/// place. `None` without a limit.
///
/// # Errors
/// [`Exit::Unusable`].
pub(crate) fn check(server: &Server, owner: Option<&str>) -> Result<Option<String>> {
    let Some(owner) = owner else {
        return Ok(None);
    };
    let now = owned_panes(owner);
    let frame = Frame::new();
    let format = frame.format([setting::MAX.format(), now.clone()]);
    let answer = match server.run(&Batch::from(command::print(None, &format))) {
        Ok(answer) => answer,
        Err(error) if error.exit == Exit::NoServer => return Ok(None),
        Err(error) => return Err(error),
    };
    let (rows, _) = frame.read(&answer);
    let Some([max, panes]) = rows.first().map(|row| &row[..]) else {
        return Ok(None);
    };
    let Ok(max) = max.parse::<usize>() else {
        return Ok(None);
    };
    // A window that is in several sessions is listed in each.
    let count = panes.split_terminator(' ').collect::<BTreeSet<_>>().len();
    if count >= max {
        return Err(Error::unusable(format!(
            "the owner {} has {count} living seshes, and @sesh-max allows {max}",
            shown(owner)
        ))
        .with_way_out("end one, or raise it"));
    }
    Ok(Some(format!("#{{==:{now},{panes}}}")))
}

/// The panes of an owner's living seshes, as a format.
fn owned_panes(owner: &str) -> String {
    let living = both(
        &equal(Key::Owner, &value::encode(owner)),
        &equal(Key::Exit, ""),
    );
    format!("#{{S:#{{W:#{{P:#{{?{living},#{{pane_id}} ,}}}}}}}}")
}
