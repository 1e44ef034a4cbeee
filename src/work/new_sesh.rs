//! A worktree for a sesh that is about to be created, and the item that it will have.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use super::claim::ClaimRequest;
use super::claimed::{self, WorktreeWish};
use super::event::ClaimEvent;
use super::holder::{Holder, HolderServer};
use super::item::ItemId;
use super::ledger_state::Claim;
use super::workplace::Workplace;
use super::{mirror, remote_claim, shown_item, worktree};
use crate::error::{Error, Result};
use crate::git::refs;
use crate::id::{Name, SeshId};
use crate::proc;
use crate::store::Record;
use crate::store::registration::is_name_free;
use crate::store::work_mirror::WorkMirror;
use crate::tmux::{Batch, Frame, Server, command};

/// What was made for a sesh that is about to be created.
#[derive(Debug)]
pub struct NewSeshWork {
    place: Workplace,
    claim: Option<Claim>,
    made: Option<worktree::ClaimWorktree>,
    /// Where the sesh starts.
    pub folder: PathBuf,
    /// The first message to an agent.
    pub prompt: Option<String>,
    /// The name of the item, if no live sesh has it.
    pub name: Option<Name>,
    settled: Cell<bool>,
}

/// Claims an item for a sesh that is about to be created, and prepares its worktree. `None` means the next item that is
/// ready.
///
/// # Errors
/// As [`claimed::make`], and if the worktree cannot be prepared. Then the item is given back.
pub fn claim_for(
    server: &Server,
    folder: &Path,
    sesh: SeshId,
    id: Option<ItemId>,
) -> Result<NewSeshWork> {
    let place = Workplace::find(folder)?;
    let holder = Holder {
        sesh,
        name: "a new sesh".into(),
        pane: String::new(),
        server: HolderServer::here(String::new(), 0),
        creator: Some(proc::own().to_string()),
    };
    let request = ClaimRequest {
        id,
        ..ClaimRequest::default()
    };
    let made = claimed::make(
        server,
        &place,
        &holder,
        &request,
        None,
        &WorktreeWish::Usual,
    )?;
    let mut work = NewSeshWork {
        folder: PathBuf::from(&made.claim.worktree),
        prompt: None,
        name: None,
        made: None,
        settled: Cell::new(false),
        claim: Some(made.claim),
        place,
    };
    let finish = || -> Result<()> {
        made.setup?;
        let Some(claim) = &work.claim else {
            return Ok(());
        };
        work.prompt = Some(shown_item::prompt(&work.place, &claim.id)?);
        let name = claim.id.plain().parse::<Name>().ok();
        work.name = match name {
            Some(name) if is_name_free(server, &name)? => Some(name),
            _ => None,
        };
        Ok(())
    };
    match finish() {
        Ok(()) => Ok(work),
        Err(error) => {
            work.give_up();
            Err(error)
        }
    }
}

/// Makes and prepares a worktree of a branch for a sesh that is about to be created, without a claim.
///
/// # Errors
/// As [`worktree::make`], and if it cannot be prepared. Then it is removed.
pub fn worktree_for(server: &Server, folder: &Path, branch: &str) -> Result<NewSeshWork> {
    let place = Workplace::find(folder)?;
    place.repository.check_finished()?;
    let folder = worktree::default_place(server, &place, &branch.replace('/', ","))?;
    let made = worktree::make(&place, branch, &folder)?;
    let prepared = if made.reused {
        Ok(())
    } else {
        worktree::prepare(&place, &made)
    };
    let work = NewSeshWork {
        folder: made.path.clone(),
        place,
        claim: None,
        made: Some(made),
        prompt: None,
        name: None,
        settled: Cell::new(false),
    };
    match prepared {
        Ok(()) => Ok(work),
        Err(error) => {
            work.give_up();
            Err(error)
        }
    }
}

impl NewSeshWork {
    /// Records that the sesh has its pane, and shows its claim there.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn settle(&self, server: &Server, record: &Record) -> Result<()> {
        self.settled.set(true);
        let (Some(claim), Some(place)) = (&self.claim, &record.tmux) else {
            return Ok(());
        };
        let frame = Frame::new();
        let question = command::print(None, &frame.format(["#{pid}", "#{socket_path}"]));
        let answer = server.run(&Batch::from(question))?;
        let rows = frame.read(&answer).0;
        let Some([pid, socket]) = rows.first().map(Vec::as_slice) else {
            return Err(Error::failed("the server does not say which one it is"));
        };
        let holder = Holder {
            sesh: record.uuid,
            name: record.name.clone(),
            pane: place.pane.to_string(),
            server: HolderServer::here((*socket).into(), pid.parse().unwrap_or(0)),
            creator: None,
        };
        let (grant, own) = (claim.grant, holder.server.clone());
        let moved = ClaimEvent::Moved { grant, holder };
        let ((), state) = self
            .place
            .ledger
            .change_and_read(|_| Ok((vec![moved.clone().into()], ())))?;
        let mirror = WorkMirror::read(server, &self.place.short_hash)?;
        mirror::write(server, &self.place, &own, &mirror, &state, mirror.lost)
    }

    /// Returns whether the sesh was created, so that nothing is undone any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled.get()
    }

    /// Undoes all of it, because the sesh could not be created. What cannot be undone stays.
    pub fn give_up(&self) {
        if let Some(claim) = &self.claim {
            let _ = claimed::give_back(&self.place, claim);
            let _ = remote_claim::withdraw(&self.place, claim);
            if let Ok(worktree::WorktreeEnd::Removed) = worktree::remove_clean(&self.place, claim) {
                self.delete_branch(&claim.work.branch);
            }
        }
        if let Some(made) = self.made.as_ref().filter(|made| !made.reused) {
            let common = &self.place.repository.common;
            if crate::git::worktree::remove(common, &made.path).is_ok() {
                self.delete_branch(&made.branch);
            }
        }
    }

    /// Deletes a branch that has nothing of its own.
    fn delete_branch(&self, branch: &str) {
        let folder = self.place.repository.common.as_path();
        let base = match (&self.claim, &self.made) {
            (Some(claim), _) => claim.base.parse().ok(),
            (_, Some(made)) => Some(made.base.clone()),
            _ => None,
        };
        if let Some(base) = base {
            let _ = refs::delete(folder, &format!("refs/heads/{branch}"), &base);
        }
    }
}
