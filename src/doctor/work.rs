//! The repository of the current folder: whether work can be claimed there, and which worktrees have no holder.

use std::path::Path;

use super::mend::path;
use super::{Area, Findings, ProblemKind};
use crate::error::Error;
use crate::git::repository::{GitVersion, OLDEST};
use crate::git::worktree;
use crate::tmux::Server;
use crate::work::holder::{HolderState, HolderView};
use crate::work::workplace::Workplace;
use crate::work::worktree::default_place;

/// Checks the repository of a folder.
pub(super) fn work(server: &Server, folder: &Path, findings: &mut Findings) {
    let Ok(place) = Workplace::find(folder) else {
        return findings.ok(Area::Work, "not in a git repository, so none is checked");
    };
    if let Err(error) = GitVersion::installed().and_then(GitVersion::check) {
        let mend = format!("install git {OLDEST} or newer");
        findings.error(ProblemKind::GitTooOld, &error, &mend);
    }
    match place.ledger.probe() {
        Ok(()) => findings.ok(
            Area::Work,
            format!("{} can be written", place.ledger.path().display()),
        ),
        Err(error) => findings.error(
            ProblemKind::LedgerUnwritable,
            &error,
            "free disk space, make it writable, or leave the sandbox",
        ),
    }
    if let Err(error) = without_holder(server, &place, findings) {
        findings.error(
            ProblemKind::LedgerUnread,
            &error,
            "what the error names has to be readable",
        );
    }
}

/// Finds the worktrees that were made for claims and that no sesh works in.
fn without_holder(
    server: &Server,
    place: &Workplace,
    findings: &mut Findings,
) -> Result<(), Error> {
    if !place.ledger.exists() {
        return Ok(());
    }
    let state = place.ledger.read()?;
    let mut view = HolderView::new(Some(server));
    for claim in state.claims() {
        if !claim.worktree.is_empty() && view.look(&claim.holder).state == HolderState::Gone {
            findings.problem(
                ProblemKind::WorktreeWithoutHolder,
                format!(
                    "the worktree {} of {} has no holder: {} is gone",
                    claim.worktree, claim.id, claim.holder.name
                ),
                format!("in a pane: sesh-work take {}", claim.id),
            );
        }
    }
    let folder = place.repository.common.as_path();
    let root = default_place(server, place, "x")?;
    let root = root.parent().unwrap_or(Path::new("/"));
    for checkout in worktree::list(folder)? {
        let is_claimed = state
            .claims()
            .any(|claim| Path::new(&claim.worktree) == checkout.path);
        if checkout.path.starts_with(root) && !is_claimed && !checkout.prunable {
            findings.problem(
                ProblemKind::WorktreeWithoutHolder,
                format!("the worktree {} has no claim", checkout.path.display()),
                format!(
                    "commit or discard what is there; then: git -C {} worktree remove {}",
                    path(folder),
                    path(&checkout.path)
                ),
            );
        }
    }
    Ok(())
}
