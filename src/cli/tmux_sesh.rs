//! `tmux-sesh`: lists the helpers and runs any of them. Called by a link with the name of a helper it is that helper.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{TOOLS, Tool, call};
use crate::error::Exit;
use crate::id::shown;
use crate::out::{self, Table};

pub(super) const NAME: &str = "tmux-sesh";

/// Other names of helpers: what people type, from tmux and the shell.
pub static ALIASES: [(&str, &str); 6] = [
    ("ls", "sesh-list"),
    ("kill", "sesh-end"),
    ("attach", "sesh-enter"),
    ("capture", "pane-capture"),
    ("keys", "pane-keys"),
    ("resolve", "pane-resolve"),
];

/// Words that are no names of helpers, with the helper that is meant.
const GUESSES: [(&[&str], &str); 12] = [
    (&["start", "create", "spawn", "open", "launch"], "new"),
    (
        &[
            "ps",
            "status",
            "top",
            "sessions",
            "list-sessions",
            "list-panes",
        ],
        "list",
    ),
    (
        &[
            "stop",
            "rm",
            "remove",
            "delete",
            "close",
            "quit",
            "kill-session",
            "kill-pane",
        ],
        "end",
    ),
    (
        &[
            "switch",
            "go",
            "goto",
            "pick",
            "select",
            "a",
            "attach-session",
            "switch-client",
        ],
        "enter",
    ),
    (
        &[
            "cat",
            "read",
            "logs",
            "tail",
            "capture-pane",
            "output",
            "show",
        ],
        "capture",
    ),
    (&["transcript", "conversation", "history"], "log"),
    (&["type", "send-keys", "press"], "keys"),
    (&["message", "msg", "tell", "ask", "prompt"], "send"),
    (&["rename", "tag", "note", "archive", "edit"], "set"),
    (&["resume", "recover", "reopen"], "restore"),
    (&["why", "explain-state", "debug"], "explain"),
    (&["collect", "results", "join"], "gather"),
];

/// Returns the helper that a word names below `tmux-sesh`.
fn tool(word: &str) -> Option<&'static Tool> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == word);
    let name = alias.map_or(word, |(_, name)| name);
    let is_it = |tool: &&&Tool| tool.name == name || tool.short_name() == name;
    TOOLS.iter().find(is_it).copied()
}

/// Returns the sentence for a word that names no helper.
fn unknown(word: &str) -> String {
    let meant = GUESSES.iter().find(|(words, _)| words.contains(&word));
    let way_out = match meant.map(|(_, meant)| *meant).or_else(|| similar(word)) {
        Some(meant) => format!("write {NAME} {meant}"),
        None => format!("{NAME} alone lists them"),
    };
    format!("there is no helper {}: {way_out}", shown(word))
}

/// Returns the name of a helper, or a word for one, that a word with a typing error may mean.
fn similar(word: &str) -> Option<&'static str> {
    /// The least similarity, which clap takes too (clap_builder 4.5, `did_you_mean`).
    const LEAST: f64 = 0.7;
    let names = TOOLS.iter().flat_map(|tool| [tool.name, tool.short_name()]);
    let words =
        names
            .chain(ALIASES.iter().map(|(alias, _)| *alias))
            .chain(["help", "--version", "--help"]);
    let rated = words.map(|name| (strsim::jaro(word, name), name));
    let near = rated.filter(|(rating, _)| *rating > LEAST);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

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
        Some("help") if arguments.len() > 1 => {
            let word = arguments[1].to_string_lossy().into_owned();
            match tool(&word) {
                Some(tool) => call(tool, vec!["--help".into()]),
                None => refused(&word),
            }
        }
        None | Some("-h" | "--help" | "help") => printed(out::text(&overview())),
        Some("-V" | "--version") => {
            printed(out::text(&format!("{NAME} {}", env!("CARGO_PKG_VERSION"))))
        }
        Some(word) => {
            if let Some(tool) = tool(word) {
                arguments.remove(0);
                return call(tool, arguments);
            }
            refused(word)
        }
    }
}

fn refused(word: &str) -> u8 {
    out::complain(NAME, &unknown(word));
    Exit::Usage.code()
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
                let alias = ALIASES.iter().find(|(_, name)| *name == tool.name);
                let alias = alias.map_or_else(String::new, |(alias, _)| format!(", {alias}"));
                vec![
                    tool.name.into(),
                    format!("tmux-sesh {}{alias}", tool.short_name()),
                    tool.about(),
                ]
            })
            .collect(),
        shrink: vec![2],
        ..Table::default()
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
