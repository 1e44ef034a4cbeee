//! Which claims have changed common files, by what their branches and worktrees have now.

use std::path::Path;

use super::event::GrantId;
use super::ledger_state::{Claim, LedgerState};
use super::risk::{Risk, is_shared};
use super::workplace::Workplace;
use crate::error::Result;
use crate::git::objects::MergedTree;
use crate::git::{Oid, diff, objects, refs, worktree};

/// The common files of two claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkOverlap {
    grants: [GrantId; 2],
    pub risk: Risk,
    pub paths: Vec<String>,
}

impl WorkOverlap {
    /// Returns whether it is of these two grants, in whatever order.
    #[must_use]
    pub fn is_of(&self, one: GrantId, other: GrantId) -> bool {
        self.grants == [one, other] || self.grants == [other, one]
    }
}

/// What the work on a claim has changed.
struct ChangedWork<'a> {
    claim: &'a Claim,
    tip: Oid,
    /// Committed and uncommitted.
    paths: Vec<String>,
    uncommitted: Vec<String>,
}

/// Returns the overlaps of all claims that have a branch.
///
/// # Errors
/// git fails.
pub fn of_claims(place: &Workplace, state: &LedgerState) -> Result<Vec<WorkOverlap>> {
    if state.claims().count() < 2 {
        return Ok(Vec::new());
    }
    let folder = place.repository.common.as_path();
    let tips = refs::list(folder, "refs/heads/")?;
    let target = place.target()?;
    let mut all: Vec<ChangedWork<'_>> = Vec::new();
    for claim in state.claims() {
        let name = format!("refs/heads/{}", claim.work.branch);
        let Some((_, tip)) = tips.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        all.extend(changed(folder, claim, tip, &target.branch)?);
    }
    let mut found = Vec::new();
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            found.extend(overlap(folder, one, other)?);
        }
    }
    Ok(found)
}

fn changed<'a>(
    folder: &Path,
    claim: &'a Claim,
    tip: &Oid,
    target: &str,
) -> Result<Option<ChangedWork<'a>>> {
    let base = match claim.base.parse::<Oid>() {
        Ok(base) => Some(base),
        Err(_) => objects::commit(folder, &format!("refs/heads/{target}"))?,
    };
    let mut paths = match &base {
        Some(base) if base != tip => diff::changed_on_branch(folder, base, tip)?,
        _ => Vec::new(),
    };
    let place = Path::new(&claim.worktree);
    let uncommitted: Vec<String> = if claim.worktree.is_empty() || !place.is_dir() {
        Vec::new()
    } else {
        let uncommitted = worktree::uncommitted(place)?;
        uncommitted.names().map(Into::into).collect()
    };
    paths.extend(uncommitted.iter().cloned());
    paths.sort();
    paths.dedup();
    Ok((!paths.is_empty()).then(|| ChangedWork {
        claim,
        tip: tip.clone(),
        paths,
        uncommitted,
    }))
}

fn overlap(
    folder: &Path,
    one: &ChangedWork<'_>,
    other: &ChangedWork<'_>,
) -> Result<Option<WorkOverlap>> {
    let is_common = |path: &&String| other.paths.binary_search(path).is_ok();
    let paths: Vec<String> = one.paths.iter().filter(is_common).cloned().collect();
    if paths.is_empty() {
        return Ok(None);
    }
    let committed =
        |path: &&String| !one.uncommitted.contains(path) && !other.uncommitted.contains(path);
    let risk = if paths.iter().all(|path| is_shared(path)) {
        Risk::Low
    } else if paths.iter().any(|path| committed(&path)) {
        match objects::merge_tree(folder, &one.tip, &other.tip)? {
            MergedTree::Clean(_) => Risk::Medium,
            MergedTree::Conflict(_) => Risk::High,
        }
    } else {
        Risk::Medium
    };
    Ok(Some(WorkOverlap {
        grants: [one.claim.grant, other.claim.grant],
        risk,
        paths,
    }))
}
