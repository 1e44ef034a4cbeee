//! The hooks of tmux-resurrect, which restores panes where they were, but none of their options.
//!
//! When it saves, the seshes in its panes are written after its own lines. It skips such lines (read in its sources at
//! cff343c). After it has restored, each of these seshes continues in the pane that was restored for it. The sesh is
//! found by its uuid, and the pane by the words that resurrect itself uses for it. A sesh with an agent does not
//! continue this way: it is recognised when its agent is seen again, in its conversation.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::env;
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

/// How long after the load of this plugin tmux-resurrect may be loaded: a plugin manager loads one after the other.
const LOAD_TIMEOUT: Duration = Duration::from_secs(3);
/// How often it is looked whether it is loaded, which has no event.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Returns whether tmux-resurrect restores the panes of the last server, or can do so: it is loaded, it has saved them, and
/// its hooks call this program. A restore before its own would create windows that it creates too.
///
/// # Errors
/// As [`Server::run`].
pub fn comes_first(server: &Server) -> Result<bool> {
    let deadline = Instant::now() + LOAD_TIMEOUT;
    loop {
        let frame = Frame::new();
        let format = frame.format([
            "#{@resurrect-dir}",
            "#{@resurrect-restore-script-path}",
            "#{m:*sesh-restore*,#{@resurrect-hook-post-restore-all}}",
            &format!("#{{{}}}", schema::PANES_BEFORE_RESURRECT),
        ]);
        let output = server.run(&Batch::from(command::print(None, &format)))?;
        let (rows, _) = frame.read(&output);
        let Some([folder, script, has_hook, running]) = rows.first().map(|row| &row[..]) else {
            return Ok(false);
        };
        if !running.is_empty() {
            return Ok(true);
        }
        let has_saved = save_folder(folder).is_some_and(|folder| folder.join("last").exists());
        if !has_saved || *has_hook != "1" {
            return Ok(false);
        }
        if !script.is_empty() {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(POLL_INTERVAL); // why: see POLL_INTERVAL.
    }
}

/// Returns the folder where tmux-resurrect saves, as its `helpers.sh` finds it.
fn save_folder(set: &str) -> Option<PathBuf> {
    let home = env::home()?;
    if !set.is_empty() {
        let home = home.display().to_string();
        let set = set.replace("$HOME", &home).replace('~', &home);
        return Some(set.replace("$HOSTNAME", &env::machine()).into());
    }
    let old = home.join(".tmux/resurrect");
    if old.is_dir() {
        return Some(old);
    }
    let data = env::folder("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
    Some(data.join("tmux/resurrect"))
}

/// Returns the seshes that are in a file of tmux-resurrect.
///
/// # Errors
/// If the file cannot be read.
pub fn saved(file: &Path) -> Result<HashSet<SeshId>> {
    let text = read(file)?;
    Ok(text
        .lines()
        .filter_map(parse_line)
        .map(|(id, _)| id)
        .collect())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file)
        .map_err(|error| Error::failed(format!("{} cannot be read: {error}", file.display())))
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
    let text = read(file)?;
    let restored = restored_panes(server)?;
    let saved: Vec<_> = text.lines().filter_map(parse_line).collect();
    let ids = saved.iter().map(|(id, _)| *id).collect();
    let snapshot = Snapshot::read(server, &Select::ended(ids))?;
    let alone =
        |record: &&Record| record.was.is_some() && record.exit.is_some() && record.agent.is_none();
    let ended: Vec<&Record> = snapshot.ended.iter().filter(alone).collect();
    let mut outcomes = Vec::new();
    for (id, position) in saved {
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
                "unknown which panes existed before: `sesh-restore --resurrect-begins` belongs into {}",
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
