//! The hooks of tmux-resurrect, which restores panes where they were, but none of their options.
//!
//! When it saves, the seshes in its panes are written after its own lines. It skips such lines (read in its sources at
//! cff343c). After it has restored, each of these seshes continues in the pane that was restored for it. The sesh is
//! found by its uuid, and the pane by the words that resurrect itself uses for it. A sesh with an agent does not
//! continue this way: it is recognised when its agent is seen again, in its conversation.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::id::{Name, PaneId, SeshId, shown};
use crate::inventory::reconcile;
use crate::sesh::adopt::{AdoptRequest, adopt};
use crate::store::condition::{both, equal, registered};
use crate::store::prior::Prior;
use crate::store::{Key, Record, Select, Snapshot, schema, write};
use crate::tmux::{Batch, Frame, Server, command};

/// The first word of the lines that this program writes.
const SESH: &str = "sesh";
/// The position of a pane, as resurrect writes it.
const POSITION: [&str; 3] = ["#{session_name}", "#{window_index}", "#{pane_index}"];

/// Returns the lines for the living seshes of a server, to be written after what resurrect has saved.
///
/// # Errors
/// As [`Server::run`].
pub fn lines(server: &Server) -> Result<String> {
    let frame = Frame::new();
    let alive = both(&registered(), &equal(Key::Exit, ""));
    let [session, window, pane] = POSITION;
    let format = frame.format([&Key::Id.format(), session, window, pane]);
    let rows = list(server, &frame, &format, &alive)?;
    let line = |row: &Vec<String>| format!("{SESH}\t{}\n", row.join("\t"));
    Ok(rows.iter().map(line).collect())
}

/// Records which panes exist before resurrect restores, because those are not the ones that it restores.
///
/// # Errors
/// As [`Server::run`].
pub fn begin(server: &Server) -> Result<()> {
    server
        .run(&Batch::from(write::panes_before_resurrect()))
        .map(drop)
}

/// Restores the saved seshes in the panes that resurrect has restored. Returns the outcome of each.
///
/// # Errors
/// As [`Server::run`]; when the file cannot be read, or when it was not recorded which panes existed before.
pub fn restore(server: &Server, file: &Path) -> Result<Vec<Result<Record>>> {
    let text = fs::read_to_string(file)
        .map_err(|error| Error::failed(format!("{} cannot be read: {error}", file.display())))?;
    let restored = restored_panes(server)?;
    let snapshot = Snapshot::read(server, &Select::ended())?;
    let alone =
        |record: &&Record| record.was.is_some() && record.exit.is_some() && record.agent.is_none();
    let ended: Vec<&Record> = snapshot.ended.iter().filter(alone).collect();
    let mut outcomes = Vec::new();
    for (id, position) in text.lines().filter_map(parse_line) {
        let record = ended.iter().find(|record| record.uuid == id);
        let pane = restored.iter().find(|(_, at)| *at == position);
        if let (Some(record), Some((pane, _))) = (record, pane) {
            outcomes.push(restore_in_pane(server, record, *pane));
        }
    }
    if !outcomes.is_empty() {
        reconcile::reconcile_known(server)?;
    }
    Ok(outcomes)
}

fn restore_in_pane(server: &Server, record: &Record, pane: PaneId) -> Result<Record> {
    let request = AdoptRequest {
        name: Some(Name::stored(&record.name)?),
        prior: Some(Prior::read(server, record)?),
        ..AdoptRequest::default()
    };
    adopt(server, pane, &request)
}

/// Parses a line that this program wrote.
fn parse_line(line: &str) -> Option<(SeshId, [&str; 3])> {
    match line.split('\t').collect::<Vec<_>>()[..] {
        [SESH, id, session, window, pane] => Some((id.parse().ok()?, [session, window, pane])),
        _ => None,
    }
}

/// Returns the panes that are no seshes and were created since [`begin`], each with its position.
fn restored_panes(server: &Server) -> Result<Vec<(PaneId, [String; 3])>> {
    let frame = Frame::new();
    let there = format!("#{{{}}}", schema::PANES_BEFORE_RESURRECT);
    let [session, window, pane] = POSITION;
    let format = frame.format([there.as_str(), "#{pane_id}", session, window, pane]);
    let rows = list(server, &frame, &format, &equal(Key::Id, ""))?;
    let mut restored = Vec::new();
    for row in &rows {
        let [there, id, position @ ..] = &row[..] else {
            continue;
        };
        if there.is_empty() {
            return Err(Error::unusable(format!(
                "it is unknown which panes were there before: `sesh-restore --resurrect-begins` belongs into {}",
                shown("@resurrect-hook-pre-restore-all")
            )));
        }
        if !there.split(' ').any(|there| there == id)
            && let Ok(position) = <[String; 3]>::try_from(position.to_vec())
        {
            restored.push((id.parse()?, position));
        }
    }
    server.run(&Batch::from(write::drop_panes_before_resurrect()))?;
    Ok(restored)
}

fn list(server: &Server, frame: &Frame, format: &str, filter: &str) -> Result<Vec<Vec<String>>> {
    let output = server.run(&Batch::from(command::list_panes(format, Some(filter))))?;
    let (rows, _) = frame.read(&output);
    let owned = |row: &Vec<&str>| row.iter().map(ToString::to_string).collect();
    Ok(rows.iter().map(owned).collect())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn lines_of_resurrect_are_skipped() {
        let id = SeshId::random();
        let line = format!("sesh\t{id}\ta b:c\t0\t1");
        assert_eq!(parse_line(&line), Some((id, ["a b:c", "0", "1"])));
        for line in [
            "pane\tmain\t0\t1\t:*\t0\ttitle\t:/\t1\tbash\t:",
            "window\tmain\t0\t:bash\t1\t:*\tc195,80x24,0,0,0\toff",
            "state\tmain\t",
            "sesh",
            "sesh\tno-id\tmain\t0\t0",
            "",
        ] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }
}
