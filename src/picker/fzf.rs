//! Chooses a row with fzf instead of the picker.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

use super::rows::{Row, RowId};
use super::terminal;
use crate::env;
use crate::error::{Error, Result};
use crate::out::{escaped, tsv};
use crate::tmux::Server;

/// Lets the person choose one of the rows. Returns `None` where none was chosen.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) where there is no fzf, [`Exit::Unusable`](crate::error::Exit::Unusable)
/// where there is no terminal.
pub(super) fn choose<'a>(server: &Server, rows: &'a [Row]) -> Result<Option<&'a Row>> {
    let cannot = |error: &dyn std::fmt::Display| {
        Error::nothing(format!("cannot run fzf ({error})"))
            .with_way_out("install it, or: set -g @sesh-picker builtin")
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
        // The command works in any shell: fzf quotes what stands in braces, a uuid or a pane, and the environment holds
        // the rest.
        .args(["--preview", "pane-capture --ansi {1}"])
        .envs(environment(server))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(terminal::open_for_child()?)
        .spawn()
        .map_err(|error| cannot(&error))?;
    if let Some(mut stdin) = fzf.stdin.take() {
        for row in rows {
            // fzf stops reading where a row is chosen early.
            let _ = writeln!(stdin, "{}", line(row));
        }
    }
    let output = fzf.wait_with_output().map_err(|error| cannot(&error))?;
    let chosen = String::from_utf8_lossy(&output.stdout);
    let chosen = chosen.split('\t').next().unwrap_or("");
    Ok(rows.iter().find(|row| id(row) == chosen))
}

/// Returns the environment in which fzf finds the helper of the preview, and the helper finds the server.
fn environment(server: &Server) -> Vec<(&'static str, OsString)> {
    let mut environment = Vec::new();
    let folder =
        env::helper("pane-capture").and_then(|helper| Some(helper.parent()?.to_path_buf()));
    if let Some(folder) = folder {
        let path = env::path();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            environment.push(("PATH", path));
        }
    }
    if let Some(socket) = server.address() {
        let mut tmux = socket.into_os_string();
        tmux.push(",0,0");
        environment.push(("TMUX", tmux));
    }
    environment
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
    fields.map(|field| tsv(&escaped(&field))).join("\t")
}
