//! Claims that count in all clones of a repository: a ref at a remote, created by a push that expects it absent. It is
//! used where `git config sesh.claims` names the remote.

use super::ledger_state::Claim;
use super::workplace::Workplace;
use crate::error::{Error, Result};
use crate::git::refs::{self, Push};
use crate::git::{Oid, objects};

/// Returns the ref of a claim at the remote.
fn name(claim: &Claim) -> String {
    format!("refs/sesh/claims/{}", claim.id.plain())
}

/// Writes the object that stands for a grant. It is the same one each time.
fn object(place: &Workplace, claim: &Claim) -> Result<Oid> {
    let holder = &claim.holder;
    let text = format!(
        "id {}\ngrant {}\nsesh {}\nname {}\nmachine {}\n",
        claim.id, claim.grant, holder.sesh, holder.name, holder.server.machine
    );
    objects::write_blob(&place.repository.common, text.as_bytes())
}

/// Creates the ref of a claim at the remote, if there is one. A ref that this grant has already is enough.
///
/// # Errors
/// [`Exit::Unusable`](crate::error::Exit::Unusable) if another clone has it, and [`Exit::Failed`](crate::error::Exit::Failed)
/// if the remote cannot be reached or refuses it.
pub fn publish(place: &Workplace, claim: &Claim) -> Result<()> {
    let Some(remote) = place.setting("claims")? else {
        return Ok(());
    };
    let folder = place.repository.folder();
    let (name, own) = (name(claim), object(place, claim)?);
    match refs::create_at(folder, remote, &name, &own)? {
        Push::Done => Ok(()),
        Push::Moved if refs::read_at(folder, remote, &name)?.as_ref() == Some(&own) => Ok(()),
        Push::Moved => Err(Error::unusable(format!(
            "{} is held by another clone: {remote} has {name}",
            claim.id
        ))
        .with_way_out("sesh-work claim takes the next one")),
        Push::Refused(why) => Err(Error::failed(format!(
            "{remote} does not take the claim on {}: {why}",
            claim.id
        ))),
    }
}

/// Replaces the ref of a claim that was taken over by the one of its new grant. It must be that of the former grant, or
/// absent.
///
/// # Errors
/// As [`publish`].
pub fn replace(place: &Workplace, former: &Claim, claim: &Claim) -> Result<()> {
    withdraw(place, former)?;
    publish(place, claim)
}

/// Deletes the ref of a claim that has ended, if it is still that of its grant.
///
/// # Errors
/// The remote cannot be reached.
pub fn withdraw(place: &Workplace, claim: &Claim) -> Result<()> {
    let Some(remote) = place.setting("claims")? else {
        return Ok(());
    };
    let folder = place.repository.folder();
    let own = object(place, claim)?;
    refs::delete_at(folder, remote, &name(claim), &own).map(drop)
}
