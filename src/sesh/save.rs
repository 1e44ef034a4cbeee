//! Writing down for the journal what it lacks: what was missed while it could not be written. It is written anew then,
//! and small at the start of every server.

use crate::error::Result;
use crate::id::SeshId;
use crate::store::{Record, Select, Snapshot, lasting, schema, value};
use crate::tmux::{Batch, Server, command};

/// How often it is looked again: others change things meanwhile, and theirs must not be written over with what was.
const TIMES: usize = 8;

/// Writes what the journal lacks of all that tmux knows, and gives how many lines that took.
///
/// # Errors
/// As [`Server::run`], and when the journal cannot be written.
pub fn save(server: &Server) -> Result<usize> {
    let select = Select {
        ended: true,
        ..Select::default()
    };
    let mut written = 0;
    for _ in 0..TIMES {
        let snapshot = Snapshot::read(server, &select)?;
        let records: Vec<&Record> = snapshot.records().collect();
        let more = lasting::save(server, &records, snapshot.life, &|id| tail(server, id))?;
        written += more;
        if more == 0 {
            break;
        }
    }
    lasting::tidy(server)?;
    lasting::all_is_written(server)?;
    Ok(written)
}

/// The last lines of an ended sesh, as they are stored.
fn tail(server: &Server, id: SeshId) -> Option<String> {
    let variable = format!("#{{{}}}", schema::tail(id));
    let answer = server.run(&Batch::from(command::print(None, &variable)));
    let text = answer.ok()?.trim_end_matches('\n').to_string();
    (!value::decode(&text).is_empty()).then_some(text)
}
