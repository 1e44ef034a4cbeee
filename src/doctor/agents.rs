//! Agents: the files that describe them, and the failures of their hooks, which no screen shows.

use super::mend;
use super::{Area, Findings, ProblemKind};
use crate::agent::kinds::Agents;
use crate::clock;
use crate::journal::failures;
use crate::sesh::hooks::{self, HookState, Installable};

/// How long a failure counts as a fault, in seconds.
const FRESH: u64 = 24 * 3600;

/// Checks the person's own manifests.
pub(super) fn manifests(findings: &mut Findings) {
    let agents = Agents::loaded();
    for problem in &agents.problems {
        findings.problem(
            ProblemKind::AgentFile,
            &problem.sentence,
            "correct this file (plugin/doc/agents.md lists every key) or remove it; until then it is ignored",
        );
    }
}

/// Checks whether agents run the hooks that are installed.
pub(super) fn hooks(findings: &mut Findings) {
    // Without a home there are none.
    for status in hooks::status(Installable::Hooks, &[]).unwrap_or_default() {
        if status.state == HookState::Disabled {
            let what = status.what.unwrap_or_default();
            findings.problem(
                ProblemKind::HooksDisabled,
                format!("{} runs no hooks: {what}", status.agent),
                format!("remove this from {}", status.file.display()),
            );
        }
    }
}

/// Checks the recorded failures.
pub(super) fn failures(findings: &mut Findings) {
    let Some(last) = failures::last() else {
        return findings.ok(Area::Agents, "no hook of any agent has failed");
    };
    let now = clock::seconds();
    let age = now.saturating_sub(last.at);
    let what = format!(
        "hooks of agents have failed {} times, the last time {} ago: {}",
        last.count,
        humantime::format_duration(std::time::Duration::from_secs(age)),
        last.sentence
    );
    let mend = format!(
        "this disappears when the same hook succeeds; to clear it now: rm {}",
        mend::path(&last.file)
    );
    let kind = if age < FRESH {
        ProblemKind::HookFailed
    } else {
        ProblemKind::HookFailedBefore
    };
    findings.problem(kind, what, mend);
}
