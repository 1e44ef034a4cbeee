//! `tmux-sesh`: lists the helpers and runs any of them.

use std::ffi::OsString;

use super::{TOOLS, call};
use crate::error::Exit;
use crate::out::{self, Table};

pub(super) const NAME: &str = "tmux-sesh";

pub(super) fn main(mut arguments: Vec<OsString>) -> u8 {
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
                &format!("there is no helper {word:?}: tmux-sesh alone lists them"),
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
        "tmux as the store of your sessions: every helper says more with --help.\n\n{}\nExit codes:\n{codes}",
        table.render(true, out::width())
    )
}
