//! `sesh-doctor`: prints the diagnosis of this machine and of the server.

use clap::Parser;

use super::{ServerArgs, TOOLS};
use crate::doctor::{Report, Severity, examine};
use crate::error::Exit;
use crate::out::{self, Table};

/// Say what is well and what is not, each with the way to mend it
///
/// Looks at tmux and its known faults, the helpers, who may open what, the plugin, its keys, hooks and segment, the
/// store, and what is remembered and not so any more. It changes nothing. Exit 0 when there is no fault, 1 when there
/// is; without a server, without tmux, or where the server does not answer, it says what it can and ends with that code.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// Print the findings as JSON: level, area, id (the word of a problem, null where all is well), what and mend
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
