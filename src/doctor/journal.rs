//! The journal: whether it can be written and read.

use super::{Area, Findings, ProblemKind};
use crate::id::counted;
use crate::store::backfill::{lacks, was_missed};
use crate::store::durable::{examine, inspect};
use crate::tmux::Server;

/// Checks the journal of a server and who may open it. `answers` says whether the server answers: what only it knows is
/// not asked otherwise.
pub(super) fn journal(server: &Server, answers: bool, findings: &mut Findings) {
    match inspect() {
        Ok(Some(folder)) if folder.exists() => findings.ok(
            Area::Permissions,
            format!("{} is private", folder.display()),
        ),
        Ok(_) => {}
        Err(error) => findings.error(
            ProblemKind::JournalOpen,
            &error,
            "remove the access of others",
        ),
    }
    let save = findings.mends.helper("sesh-save", &[]);
    let standing = match examine(server) {
        Ok(standing) => standing,
        Err(error) => {
            let mend = error.way_out().map_or_else(
                || "free disk space, or make it writable".into(),
                ToString::to_string,
            );
            return findings.problem(
                ProblemKind::JournalUnwritable,
                format!(
                    "{}; until this is fixed, changes are lost when the server ends",
                    error.what
                ),
                format!("{mend}; then: {save}"),
            );
        }
    };
    let path = standing.path.display();
    if answers && was_missed(server) {
        findings.problem(
            ProblemKind::JournalMissed,
            format!(
                "{path} could not be written for some time, and lacks the changes of that time"
            ),
            &save,
        );
    }
    let lacking = if answers {
        lacks(server).unwrap_or(0)
    } else {
        0
    };
    if lacking > 0 {
        findings.problem(
            ProblemKind::JournalLacks,
            format!(
                "{path} lacks {} that tmux has: was it removed?",
                counted(lacking, "sesh", "seshes")
            ),
            &save,
        );
    }
    if standing.newer > 0 {
        findings.problem(
            ProblemKind::JournalNewer,
            format!(
                "{path} has {} lines of a newer tmux-sesh, which this version keeps but cannot read",
                standing.newer
            ),
            "install that version of the helpers to read them; they do no harm",
        );
    }
    // Without a server nothing writes the file anew, and what the lines said is lost anyway.
    if answers && standing.torn > 0 {
        findings.problem(
            ProblemKind::JournalTorn,
            format!(
                "{path} has {}: the process that wrote there was killed",
                counted(standing.torn, "incomplete line", "incomplete lines")
            ),
            &save,
        );
    }
    findings.ok(
        Area::Journal,
        format!(
            "{path}: {}, {} bytes",
            counted(standing.seshes, "sesh", "seshes"),
            standing.bytes
        ),
    );
}
