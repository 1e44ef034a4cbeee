//! The same choice by fzf, for those who would rather have that.

use std::io::Write;
use std::process::{Command, Stdio};

use super::rows::{Row, RowId};
use crate::error::{Error, Result};
use crate::out::{harmless, tsv};

/// Has one of the rows chosen. `None` when none was.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) where there is no fzf.
pub(super) fn choose(rows: &[Row]) -> Result<Option<&Row>> {
    let cannot = |error: &dyn std::fmt::Display| {
        Error::nothing(format!(
            "cannot run fzf ({error}): install it, or set -g @sesh-picker builtin"
        ))
    };
    let fzf = which::which("fzf").map_err(|error| cannot(&error))?;
    let mut fzf = Command::new(fzf)
        .args([
            "--delimiter",
            "\t",
            "--with-nth",
            "2..",
            "--layout",
            "reverse",
            "--no-multi",
        ])
        // The word in braces is a uuid or a pane: fzf quotes it for the shell.
        .args(["--preview", "pane-capture --ansi {1}"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot(&error))?;
    if let Some(mut stdin) = fzf.stdin.take() {
        for row in rows {
            // One that was chosen early reads no more.
            let _ = writeln!(stdin, "{}", line(row));
        }
    }
    let output = fzf.wait_with_output().map_err(|error| cannot(&error))?;
    let chosen = String::from_utf8_lossy(&output.stdout);
    let chosen = chosen.split('\t').next().unwrap_or("");
    Ok(rows.iter().find(|row| id(row) == chosen))
}

fn id(row: &Row) -> String {
    match row.id {
        RowId::Sesh(uuid) => uuid.to_string(),
        RowId::Pane(pane) => pane.to_string(),
    }
}

fn line(row: &Row) -> String {
    let fields = [
        id(row),
        row.name.clone(),
        row.state_in_words.clone(),
        row.agent.clone().unwrap_or_default(),
        row.tags.join(" "),
        row.cwd.clone(),
        row.note.clone(),
    ];
    fields.map(|field| tsv(&harmless(&field))).join("\t")
}
