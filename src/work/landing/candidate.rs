//! The candidate: the commit that lands. It is made of objects alone, on top of the newest target.

use super::blocked::{BlockedLanding, BlockedReason, Stop};
use super::subject::Subject;
use crate::error::Result;
use crate::git::objects::{self, MergedTree};
use crate::git::{Oid, diff, refs};
use crate::work::landing_state::{LandingState, Ticket};
use crate::work::workplace::{WorkTarget, Workplace};

/// The target at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// What the candidate is on top of: the remote's commit, where there is a remote.
    pub(super) commit: Oid,
    /// The commit of the branch here, if it exists.
    pub(super) local: Option<Oid>,
}

/// A commit that may land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CandidateCommit {
    pub(super) commit: Oid,
    pub(super) tree: Oid,
}

/// What the branch is on the target.
pub(super) enum Combined {
    Candidate(CandidateCommit),
    /// The target has all of it already.
    Nothing,
}

/// Reads the target, and fetches it where it follows a remote.
pub(super) fn base(place: &Workplace, target: &WorkTarget) -> Result<Base, Stop> {
    let folder = place.repository.common.as_path();
    let commit = place.fetched_base(target)?;
    let local = refs::read(folder, &format!("refs/heads/{}", target.branch))?;
    if let Some(local) = &local
        && *local != commit
        && !objects::is_ancestor(folder, local, &commit)?
    {
        let (remote, branch) = target.upstream.clone().unwrap_or_default();
        let count = objects::count(folder, &commit, local)?;
        return Err(BlockedLanding::new(
            BlockedReason::TargetDiverged,
            format!(
                "{} has {count} commits here that {remote}/{branch} does not have",
                target.branch
            ),
            "push or remove them, then sesh-land again",
        )
        .into());
    }
    Ok(Base { commit, local })
}

/// Combines a branch with the target.
pub(super) fn combine(
    place: &Workplace,
    subject: &Subject,
    target: &WorkTarget,
    base: &Base,
    landings: &LandingState,
) -> Result<Combined, Stop> {
    let folder = place.repository.common.as_path();
    let start = landed_start(place, subject, base, landings)?;
    let merged = objects::merge_tree_from(folder, start.as_ref(), &base.commit, &subject.tip)?;
    let tree = match merged {
        MergedTree::Clean(tree) => tree,
        MergedTree::Conflict(files) => {
            let next = format!(
                "git rebase {} in the worktree of {}, then sesh-land again",
                if target.upstream.is_some() {
                    target.fetched_ref()
                } else {
                    target.branch.clone()
                },
                subject.branch
            );
            let what = format!(
                "{} and {} change the same lines of {}",
                subject.branch,
                target.branch,
                files.join(", ")
            );
            return Err(BlockedLanding::new(BlockedReason::Conflict, what, &next)
                .with_files(files)
                .into());
        }
    };
    if tree == objects::tree(folder, &base.commit)? {
        return Ok(Combined::Nothing);
    }
    let merge = place.setting("strategy")? == Some("merge");
    let parents = [&base.commit, &subject.tip];
    let parents = if merge { &parents[..] } else { &parents[..1] };
    let author = objects::author(folder, &subject.tip)?;
    let from = start.as_ref().unwrap_or(&base.commit);
    let message = message(place, subject, target, from, merge)?;
    let commit = objects::commit_tree(folder, &tree, parents, &message, Some(&author))?;
    Ok(Combined::Candidate(CandidateCommit { commit, tree }))
}

/// Returns the tip that has landed last of this branch, if the branch continues from there and the target has it. A squash
/// leaves no trace in the history, so git would merge that work a second time.
fn landed_start(
    place: &Workplace,
    subject: &Subject,
    base: &Base,
    landings: &LandingState,
) -> Result<Option<Oid>> {
    let earlier = landings
        .of(subject.id.as_ref(), &subject.branch)
        .filter(|ticket| ticket.tip != subject.tip);
    last_landed(place, earlier, &subject.tip, &base.commit)
}

/// Returns the tip of the last of some tickets from which a branch continues, and whose candidate the target has.
pub(super) fn last_landed<'a>(
    place: &Workplace,
    tickets: impl Iterator<Item = &'a Ticket>,
    tip: &Oid,
    target: &Oid,
) -> Result<Option<Oid>> {
    let folder = place.repository.common.as_path();
    let mut tickets: Vec<&Ticket> = tickets.collect();
    tickets.reverse();
    for ticket in tickets {
        let known = objects::exists(folder, &ticket.tip)?;
        if known
            && objects::is_ancestor(folder, &ticket.tip, tip)?
            && landed_candidate(place, &ticket.candidates, target)?.is_some()
        {
            return Ok(Some(ticket.tip.clone()));
        }
    }
    Ok(None)
}

/// Returns the first of some commits that the target has.
pub(super) fn landed_candidate(
    place: &Workplace,
    candidates: &[Oid],
    target: &Oid,
) -> Result<Option<Oid>> {
    let folder = place.repository.common.as_path();
    for candidate in candidates {
        if objects::exists(folder, candidate)? && objects::is_ancestor(folder, candidate, target)? {
            return Ok(Some(candidate.clone()));
        }
    }
    Ok(None)
}

/// Returns the message of the candidate: that of the only commit, else the title of the item or the name of the branch, and
/// the subjects of the commits.
fn message(
    place: &Workplace,
    subject: &Subject,
    target: &WorkTarget,
    from: &Oid,
    merge: bool,
) -> Result<String> {
    let folder = place.repository.common.as_path();
    if merge {
        let what = subject.title.as_deref().unwrap_or("");
        let head = format!("Merge branch '{}' into {}", subject.branch, target.branch);
        return Ok(if what.is_empty() {
            head
        } else {
            format!("{head}\n\n{what}")
        });
    }
    let subjects = objects::subjects(folder, from, &subject.tip)?;
    if subjects.len() == 1 {
        return objects::message(folder, &subject.tip);
    }
    let title = match &subject.title {
        Some(title) if !title.is_empty() => title,
        _ => &subject.branch,
    };
    let list: Vec<String> = subjects.iter().map(|line| format!("* {line}\n")).collect();
    Ok(format!("{title}\n\n{}", list.concat()))
}

/// Returns the files that the branch changes.
pub(super) fn files(place: &Workplace, subject: &Subject, base: &Base) -> Result<Vec<String>> {
    /// More are not worth the space in the ledger.
    const MOST: usize = 200;
    let folder = place.repository.common.as_path();
    let mut files = diff::changed_on_branch(folder, &base.commit, &subject.tip)?;
    files.truncate(MOST);
    Ok(files)
}
