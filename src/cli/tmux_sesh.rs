//! `tmux-sesh`: lists the helpers and runs any of them. Called by a link with the name of a helper it is that helper.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{TOOLS, call};
use crate::error::Exit;
use crate::out::{self, Table};

pub(super) const NAME: &str = "tmux-sesh";

/// Runs the program under the path by which it was called.
pub(super) fn main(called_as: &OsStr, arguments: Vec<OsString>) -> u8 {
    let name = Path::new(called_as).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    if name == NAME {
        return as_itself(arguments);
    }
    match TOOLS.iter().find(|tool| tool.name == name) {
        Some(tool) => call(tool, arguments),
        None => {
            out::complain(
                NAME,
                &format!("no helper {name:?}, the name of this link: tmux-sesh lists the helpers"),
            );
            Exit::Usage.code()
        }
    }
}

fn as_itself(mut arguments: Vec<OsString>) -> u8 {
    let first = arguments
        .first()
        .map(|word| word.to_string_lossy().into_owned());
    match first.as_deref() {
        None | Some("-h" | "--help" | "help") => printed(out::text(&overview())),
        Some("-V" | "--version") => {
            printed(out::text(&format!("{NAME} {}", env!("CARGO_PKG_VERSION"))))
        }
        Some(word) => {
            let tool = TOOLS
                .iter()
                .find(|tool| tool.name == word || tool.short_name() == word);
            if let Some(tool) = tool {
                arguments.remove(0);
                return call(tool, arguments);
            }
            out::complain(
                NAME,
                &format!("no helper {word:?}: tmux-sesh lists the helpers"),
            );
            Exit::Usage.code()
        }
    }
}

fn printed(outcome: anyhow::Result<()>) -> u8 {
    match outcome {
        Ok(()) => Exit::Done.code(),
        Err(error) => super::failed(NAME, &error),
    }
}

fn overview() -> String {
    let table = Table {
        header: vec!["HELPER", "AS", "JOB"],
        rows: TOOLS
            .iter()
            .map(|tool| {
                vec![
                    tool.name.into(),
                    format!("tmux-sesh {}", tool.short_name()),
                    tool.about(),
                ]
            })
            .collect(),
        shrink: vec![2],
    };
    let codes: String = Exit::MEANINGS
        .iter()
        .map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit.code()))
        .collect();
    format!(
        "Every tmux pane can be a sesh. Each helper has --help.\n\n{}\nExit codes:\n{codes}",
        table.render(true, out::width())
    )
}
