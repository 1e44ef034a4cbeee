//! The words of a command that is about to be run in a pane.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::agent::Kind;
use crate::error::{Error, Result};
use crate::id::shown;

/// The agent that a command starts, by its name.
#[must_use]
pub fn agent(command: &[OsString]) -> Option<String> {
    let program = Path::new(command.first()?).file_name()?;
    Kind::named(program.to_str()?).map(|kind| kind.name.into())
}

/// The command's words, or those of an agent with them as its arguments. A program that does not exist is an error here,
/// not in a pane that nobody sees.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) for that.
pub fn words(
    kind: Option<&str>,
    command: &[OsString],
    path: &OsStr,
    cwd: &Path,
) -> Result<Vec<OsString>> {
    if let Some(kind) = kind {
        let kind = Kind::named(kind).ok_or_else(|| Error::usage("no such agent"))?;
        let program = which::which_in(kind.program, Some(path), cwd).map_err(|_| {
            Error::nothing(format!(
                "{} is not installed: no {} in {}",
                kind.name,
                kind.program,
                path.display()
            ))
        })?;
        let mut words = vec![program.into_os_string()];
        words.extend(command.iter().cloned());
        return Ok(words);
    }
    if let Some(program) = command.first()
        && which::which_in(program, Some(path), cwd).is_err()
    {
        return Err(Error::nothing(format!(
            "there is no program {}: looked in {}",
            shown(&program.to_string_lossy()),
            path.display()
        )));
    }
    Ok(command.to_vec())
}
