//! The words of a command that is about to run in a pane.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::agent::kinds::{Agent, Agents, Kind};
use crate::error::{Error, Result};
use crate::id::{shell_word, shown};

/// Returns the agent that a command starts. A built-in agent is recognised by its name, without reading a file.
#[must_use]
pub fn agent(command: &[OsString]) -> Option<String> {
    let program = Path::new(command.first()?).file_name()?;
    if let Some(kind) = program.to_str().and_then(Kind::named) {
        return Some(kind.name.into());
    }
    let agent = Agents::loaded().started_by(command)?;
    Some(agent.name.clone())
}

/// Returns the file of an agent's program.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) when it does not exist.
pub fn program(kind: &str, name: &OsStr, path: &OsStr, cwd: &Path) -> Result<PathBuf> {
    which::which_in(name, Some(path), cwd).map_err(|_| {
        Error::nothing(format!(
            "{kind} is not installed: no {} in {}",
            shown(&name.to_string_lossy()),
            path.display()
        ))
    })
}

/// Returns the words of the command, or those of an agent with the command as its arguments. A program that does not
/// exist is an error here, because an error in a new pane may remain unseen.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) when the program does not exist.
pub fn words(
    agent: Option<&Agent>,
    command: &[OsString],
    path: &OsStr,
    cwd: &Path,
) -> Result<Vec<OsString>> {
    if let Some(agent) = agent {
        let mut words: Vec<OsString> = agent.launch().into_iter().map(Into::into).collect();
        words[0] = program(&agent.name, &words[0], path, cwd)?.into_os_string();
        words.extend(command.iter().cloned());
        return Ok(words);
    }
    if let Some(program) = command.first()
        && which::which_in(program, Some(path), cwd).is_err()
    {
        let text = program.to_string_lossy();
        let is_script = text.contains(|c: char| c.is_whitespace() || "|&;<>()$`".contains(c));
        if is_script && command.len() == 1 && text.len() <= 200 {
            let way_out = format!(
                "give a line for a shell to it: -- sh -c {}",
                shell_word(&text)
            );
            return Err(
                Error::nothing(format!("no program {}", shown(&text))).with_way_out(way_out)
            );
        }
        return Err(Error::nothing(format!(
            "no program {} in {}",
            shown(&text),
            path.display()
        )));
    }
    Ok(command.to_vec())
}
