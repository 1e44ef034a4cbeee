//! What is landed: a branch, with the claim that it belongs to, if it belongs to one.

use super::blocked::{BlockedLanding, BlockedReason, Stop};
use crate::error::{Error, Result};
use crate::git::{Oid, objects, worktree};
use crate::id::{SeshId, shown};
use crate::work::event::GrantId;
use crate::work::item::ItemId;
use crate::work::ledger_state::{Claim, LedgerState};
use crate::work::own;
use crate::work::workplace::{WorkTarget, Workplace};

/// A branch that is landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub branch: String,
    pub tip: Oid,
    pub id: Option<ItemId>,
    pub title: Option<String>,
    /// The grant of the claim on the item. Without a claim anyone may land the branch.
    pub grant: Option<GrantId>,
}

/// Finds what is landed: an item, a branch, or without a name the branch that is checked out here.
pub(super) fn find(
    place: &Workplace,
    target: &WorkTarget,
    state: &LedgerState,
    sesh: Option<SeshId>,
    name: Option<&str>,
) -> Result<Subject, Stop> {
    let (branch, id) = match name {
        Some(name) => named(place, state, name)?,
        None => (checked_out(place, target, state, sesh)?, None),
    };
    if branch == target.branch {
        return Err(Error::unusable(format!("{branch} is the target itself"))
            .with_way_out("name the branch or the item to land")
            .into());
    }
    let claim = claim_of(state, &branch, id.as_ref());
    if let Some(claim) = claim {
        check_holder(state, sesh, claim)?;
    }
    let id = claim.map(|claim| claim.id.clone()).or(id);
    let tip = tip(place, &branch)?.ok_or_else(|| {
        BlockedLanding::new(
            BlockedReason::BranchMissing,
            format!("there is no branch {branch}"),
            "make the branch again, then sesh-land",
        )
    })?;
    Ok(Subject {
        title: claim
            .map(|claim| claim.work.title.clone())
            .filter(|title| !title.is_empty()),
        grant: claim.map(|claim| claim.grant),
        branch,
        tip,
        id,
    })
}

/// Returns the commit of a branch.
pub(super) fn tip(place: &Workplace, branch: &str) -> Result<Option<Oid>> {
    objects::commit(&place.repository.common, &format!("refs/heads/{branch}"))
}

/// Returns the branch of an item that was claimed at some time, or the branch with that name.
fn named(place: &Workplace, state: &LedgerState, name: &str) -> Result<(String, Option<ItemId>)> {
    if let Ok(id) = name.parse::<ItemId>() {
        let claimed = state.claim(&id).map(branch_of);
        let former = || {
            let mut former = state.former().iter().rev();
            let former = former.find(|former| former.claim.id == id);
            former.map(|former| branch_of(&former.claim))
        };
        let landed = || {
            let mut tickets = state.landing().tickets().iter().rev();
            let ticket = tickets.find(|ticket| ticket.id.as_ref() == Some(&id));
            ticket.map(|ticket| ticket.branch.clone())
        };
        if let Some(branch) = claimed.or_else(former).or_else(landed) {
            return Ok((branch, Some(id)));
        }
    }
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
    if tip(place, branch)?.is_none() {
        return Err(Error::nothing(format!(
            "{} is neither a claimed item nor a branch",
            shown(name)
        ))
        .with_way_out("sesh-work shows the items"));
    }
    Ok((branch.into(), None))
}

/// Returns the branch that is checked out here. In a checkout of the target it is that of the only claim of the caller.
fn checked_out(
    place: &Workplace,
    target: &WorkTarget,
    state: &LedgerState,
    sesh: Option<SeshId>,
) -> Result<String> {
    place.repository.check_finished()?;
    let branch = place.repository.branch()?;
    if let Some(branch) = branch.as_ref().filter(|branch| **branch != target.branch) {
        return Ok(branch.clone());
    }
    if let Some(sesh) = sesh.filter(|sesh| state.held_by(*sesh).next().is_some()) {
        return own::own_claim(state, sesh, None).map(branch_of);
    }
    let what = match branch {
        Some(branch) => format!("{branch} is the target itself"),
        None => "no branch is checked out here".into(),
    };
    Err(Error::unusable(what).with_way_out("name the branch or the item to land"))
}

fn claim_of<'a>(state: &'a LedgerState, branch: &str, id: Option<&ItemId>) -> Option<&'a Claim> {
    let by_id = id.and_then(|id| state.claim(id));
    by_id.or_else(|| state.claims().find(|claim| branch_of(claim) == branch))
}

fn branch_of(claim: &Claim) -> String {
    match claim.work.branch.as_str() {
        "" => claim.id.branch(),
        branch => branch.into(),
    }
}

/// Refuses a caller that does not hold the claim.
fn check_holder(state: &LedgerState, sesh: Option<SeshId>, claim: &Claim) -> Result<()> {
    match sesh {
        Some(sesh) => own::own_claim(state, sesh, Some(&claim.id)).map(drop),
        None => Err(
            Error::unusable(format!("{} is held by {}", claim.id, claim.holder.name))
                .with_way_out("run sesh-land in its pane"),
        ),
    }
}

/// Refuses an item that needs others which are not completed.
pub(super) fn check_dependencies(
    place: &Workplace,
    subject: &Subject,
    state: &LedgerState,
) -> Result<(), Stop> {
    let Some(id) = &subject.id else {
        return Ok(());
    };
    let registry = place.registry()?;
    let Some(item) = registry.item(id) else {
        return Ok(());
    };
    let open: Vec<&str> = registry
        .open_dependencies(item, state)
        .map(ItemId::as_str)
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let what = format!("{id} needs {}, which has not landed", open.join(", "));
    let next = "land that first, then sesh-land again";
    Err(BlockedLanding::new(BlockedReason::Dependency, what, next).into())
}

/// Refuses a branch whose checkout has files that are not committed: they would not land.
pub(super) fn check_clean(place: &Workplace, subject: &Subject) -> Result<(), Stop> {
    let folder = place.repository.common.as_path();
    let Some(checkout) = worktree::of_branch(folder, &subject.branch)? else {
        return Ok(());
    };
    let files = worktree::uncommitted(&checkout.path)?;
    if files.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = files.names().map(Into::into).collect();
    let what = format!(
        "{} has uncommitted files: {}",
        checkout.path.display(),
        listed(&names)
    );
    let blocked = BlockedLanding::new(
        BlockedReason::DirtyWorktree,
        what,
        "commit or remove them, then sesh-land again",
    );
    Err(blocked.with_files(names).into())
}

/// Returns the first names of a list, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let first = &names[..names.len().min(SHOWN)];
    let mut text = first.join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}
