//! The limit for live seshes of one owner: `@sesh-max`.

use std::collections::BTreeSet;

use super::condition::{both, equal};
use super::{Key, setting, value};
use crate::error::{Error, Exit, Result};
use crate::id::shown;
use crate::tmux::{Batch, Frame, Server, command};

/// Returns the condition under which an owner may have one more sesh: its live seshes are still the current ones. The
/// server tests the condition in the list of commands that creates the sesh. Therefore only one of two processes can
/// reach the limit. Returns `None` without a limit.
///
/// # Errors
/// [`Exit::Unusable`] if the owner has reached the limit.
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
    // tmux lists a window that is in several sessions once for each.
    let count = panes.split_terminator(' ').collect::<BTreeSet<_>>().len();
    if count >= max {
        return Err(Error::unusable(format!(
            "the owner {} has {count} live seshes, and @sesh-max allows {max}",
            shown(owner)
        ))
        .with_way_out("end one, or raise @sesh-max"));
    }
    Ok(Some(format!("#{{==:{now},{panes}}}")))
}

/// Returns a format that expands to the panes of an owner's live seshes.
fn owned_panes(owner: &str) -> String {
    let living = both(
        &equal(Key::Owner, &value::encode(owner)),
        &equal(Key::Exit, ""),
    );
    format!("#{{S:#{{W:#{{P:#{{?{living},#{{pane_id}} ,}}}}}}}}")
}
