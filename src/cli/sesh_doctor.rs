//! `sesh-doctor`: prints the diagnosis of this machine and of the server.

use clap::Parser;

use super::{ServerArgs, TOOLS};
use crate::doctor::{Report, Severity, examine};
use crate::error::Exit;
use crate::out::{self, Table};

pub(super) const EXAMPLES: super::Examples = &[
    ("Check everything", "sesh-doctor"),
    (
        "Show only the faults and how to fix them",
        "sesh-doctor | grep -A 1 FAULT",
    ),
    ("Print the findings as JSON", "sesh-doctor --json"),
];

/// Diagnose tmux, the helpers and the plugin, and say how to fix each problem
///
/// Checks tmux and its known faults, the helpers, the permissions of files and sockets, the plugin with its keys, hooks
/// and status segment, the records, and whether they match the panes and processes that exist. Changes nothing. Exit 0
/// without a fault, 1 with one. Without tmux or a server, or where the server does not answer, it checks what it can
/// and exits with the code for that.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Print the findings as JSON: level, area, id (the word for the problem, null for none), what and mend (how to fix
    /// it)
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let mut names = vec![super::tmux_sesh::NAME];
    names.extend(TOOLS.iter().map(|tool| tool.name));
    let chosen: Vec<String> = args
        .on
        .words()
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let Report { findings, missing } =
        examine(args.on.server(), &chosen, &names, env!("CARGO_PKG_VERSION"))?;
    if args.json {
        out::json(&findings)?;
    } else {
        let mut rows = Vec::new();
        for finding in &findings {
            let level = match finding.level {
                Severity::Ok => "ok",
                Severity::Note => "note",
                Severity::Fault => "FAULT",
            };
            rows.push(vec![
                level.into(),
                finding.area.as_str().into(),
                finding.what.clone(),
            ]);
            if let Some(mend) = &finding.mend {
                rows.push(vec![String::new(), String::new(), format!("→ {mend}")]);
            }
        }
        let table = Table {
            header: vec!["LEVEL", "AREA", "FINDING"],
            rows,
            ..Table::default()
        };
        out::text(&table.render(false, None))?;
    }
    if let Some(error) = missing {
        return Err(error.into());
    }
    let faults = findings
        .iter()
        .any(|finding| finding.level == Severity::Fault);
    Ok(if faults { Exit::Failed } else { Exit::Done })
}
