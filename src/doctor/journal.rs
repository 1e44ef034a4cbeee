//! The journal: whether it can be written and read.

use super::{Area, Findings};
use crate::store::backfill::{lacks, was_missed};
use crate::store::durable::{examine, inspect};
use crate::store::pending_restore::lost_servers;
use crate::tmux::Server;

/// Checks the journal of a server and who may open it.
pub(super) fn journal(server: &Server, findings: &mut Findings) {
    match inspect() {
        Ok(Some(folder)) if folder.exists() => findings.ok(
            Area::Permissions,
            format!("{} is yours alone", folder.display()),
        ),
        Ok(_) => {}
        Err(error) => findings.error(Area::Permissions, &error),
    }
    // A server that does not answer is a finding of its own.
    for lost in lost_servers(server).unwrap_or_default() {
        findings.fault(Area::Tmux, lost.what(), lost.way_back());
    }
    let standing = match examine(server) {
        Ok(standing) => standing,
        Err(error) => {
            return findings.fault(
                Area::Journal,
                error.to_string(),
                "make room for it or let it be written, then sesh-save: until then what happens is lost when the server ends",
            );
        }
    };
    let path = standing.path.display();
    if was_missed(server) {
        findings.note(
            Area::Journal,
            format!("{path} could not be written for a time, and lacks what happened then"),
            "sesh-save",
        );
    }
    let lacking = lacks(server).unwrap_or(0);
    if lacking > 0 {
        findings.fault(
            Area::Journal,
            format!("{path} lacks {lacking} of the seshes that tmux knows: was it taken away?"),
            "sesh-save",
        );
    }
    if standing.newer > 0 {
        findings.note(
            Area::Journal,
            format!(
                "{path} has {} lines of a newer tmux-sesh, which this one keeps and does not understand",
                standing.newer
            ),
            "install that version of the helpers",
        );
    }
    if standing.torn > 0 {
        findings.note(
            Area::Journal,
            format!(
                "{path} has {} lines that were never finished: the process that wrote them was killed",
                standing.torn
            ),
            "nothing has to be done: they go when the file is next written anew; sesh-save writes what they said",
        );
    }
    findings.ok(
        Area::Journal,
        format!(
            "{path}: {} seshes, {} bytes",
            standing.seshes, standing.bytes
        ),
    );
}
