//! The same choice by fzf, for those who would rather have that.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

use super::rows::{Row, RowId};
use super::terminal;
use crate::env;
use crate::error::{Error, Result};
use crate::out::{harmless, tsv};
use crate::tmux::Server;

/// Has one of the rows chosen. `None` when none was.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) where there is no fzf, [`Exit::Unusable`](crate::error::Exit::Unusable)
/// where there is no terminal.
pub(super) fn choose<'a>(server: &Server, rows: &'a [Row]) -> Result<Option<&'a Row>> {
    let cannot = |error: &dyn std::fmt::Display| {
        Error::nothing(format!("cannot run fzf ({error})"))
            .with_way_out("install it, or set -g @sesh-picker builtin")
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
        // For whichever shell the person has: fzf quotes what stands in braces, a uuid or a pane, and the rest is told by
        // the environment.
        .args(["--preview", "pane-capture --ansi {1}"])
        .envs(surroundings(server))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(terminal::lend()?)
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

/// The environment in which our helper is found, and finds the server.
fn surroundings(server: &Server) -> Vec<(&'static str, OsString)> {
    let mut surroundings = Vec::new();
    let folder =
        env::helper("pane-capture").and_then(|helper| Some(helper.parent()?.to_path_buf()));
    if let Some(folder) = folder {
        let path = env::path();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            surroundings.push(("PATH", path));
        }
    }
    if let Some(socket) = server.address() {
        let mut tmux = socket.into_os_string();
        tmux.push(",0,0");
        surroundings.push(("TMUX", tmux));
    }
    surroundings
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
