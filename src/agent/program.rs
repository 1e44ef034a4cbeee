//! The role of a process from the program that it runs: an agent, another program of the agent, or a tool.
//!
//! No single field is enough: a link may rename the program, the process table shows a Node script as `node`, and a
//! native child has the name of its thread.

use std::path::Path;

use super::manifest::Manifest;
use crate::proc::{self, Process, Program};

/// Programs that run a script, without the digits of their version.
const INTERPRETERS: [&str; 4] = ["node", "bun", "deno", "python"];
/// Options of these programs that take the next word.
const WITH_VALUE: [&str; 9] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "-C",
    "--conditions",
    "-W",
    "-X",
    "--env-file",
];

pub(super) fn is_agent(manifest: &Manifest, process: &Process, program: &Program) -> bool {
    role(manifest, process, program) == Some(Role::Agent)
}

/// The role of a process that runs an agent's program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Agent,
    /// A daemon, a viewer or a tool.
    NotAgent,
}

/// Returns the role of a process, or `None` if it runs another program.
pub(super) fn role(manifest: &Manifest, process: &Process, program: &Program) -> Option<Role> {
    let listed =
        |list: &Option<Vec<String>>, word: &str| list.iter().flatten().any(|listed| listed == word);
    let known = &manifest.process;
    let file = program.file.as_deref().map(file_name).unwrap_or_default();
    // A shell script that starts an agent may have the agent's name.
    if proc::is_shell(file) {
        return None;
    }
    let first_word = program.argv.first().map(Path::new).map(file_name);
    let first_word = first_word.unwrap_or_default();
    let mut arguments = program.argv.get(1..).unwrap_or_default();
    let interpreter = if file.is_empty() { first_word } else { file };
    let mut by_script = false;
    if is_interpreter(interpreter)
        && let Some((script, rest)) = script(arguments)
    {
        arguments = rest;
        by_script = listed(
            &known.names,
            without_extension(file_name(Path::new(script))),
        ) || known
            .packages
            .iter()
            .flatten()
            .any(|package| format!("/{script}/").contains(&format!("/{package}/")));
    }
    let by_name = [&process.name, first_word, file]
        .into_iter()
        .any(|name| listed(&known.names, name.strip_suffix(".exe").unwrap_or(name)));
    let is_excluded = arguments
        .iter()
        .find(|word| !word.starts_with('-') && !word.contains('='))
        .is_some_and(|word| listed(&known.not_agent, word));
    let role = if is_excluded {
        Role::NotAgent
    } else {
        Role::Agent
    };
    (by_name || by_script).then_some(role)
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn without_extension(name: &str) -> &str {
    ["js", "mjs", "cjs", "ts", "py"]
        .into_iter()
        .find_map(|extension| name.strip_suffix(extension)?.strip_suffix('.'))
        .unwrap_or(name)
}

fn is_interpreter(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.contains(&name)
}

/// Returns the script or the module that an interpreter runs, and the words after it.
fn script(arguments: &[String]) -> Option<(&str, &[String])> {
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        if word == "-m" {
            at += 1;
            break;
        }
        if matches!(word.as_str(), "-e" | "--eval" | "-c" | "-p" | "--print") {
            return None;
        }
        if !word.starts_with('-') && word != "run" {
            break;
        }
        at += if WITH_VALUE.contains(&word.as_str()) {
            2
        } else {
            1
        };
    }
    Some((arguments.get(at)?, &arguments[at + 1..]))
}

/// Returns whether a child that runs an agent's program is a tool of it: a fork that has not run its own program yet,
/// or the program under another name (Claude contains `rg`). For an interpreter, the arguments decide.
pub(super) fn is_tool_of(child: &Program, parent: &Program) -> bool {
    let same = child.file == parent.file;
    let native = child
        .file
        .as_deref()
        .map(file_name)
        .is_some_and(|file| !is_interpreter(file));
    child.argv.is_empty() || same && (native || child.argv == parent.argv)
}
