//! Landing: a branch is tested on top of the target, and the target gets exactly the commit that was tested.
//!
//! Each process lands its own branch when it is its turn. A [`Ticket`] in the ledger gives the turn, and the lock of
//! landings, which all children inherit, keeps a second one from starting before the last child of a killed one has ended.
//! The candidate is made of objects alone, so no checkout of the user is used for it.

mod apply;
mod blocked;
mod candidate;
mod finish;
mod gate;
mod recovery;
mod subject;
mod testing;
mod turn;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use self::apply::Applied;
use self::blocked::Stop;
use self::candidate::{Base, Combined};
use self::gate::{Gate, RunningGate};
use super::event::LedgerEvent;
use super::item::ItemId;
use super::landing_event::{LandingEvent, LandingRunner};
use super::landing_state::{LandingState, RedGate, Ticket, TicketEnd};
use super::ledger;
use super::ledger_state::Claim;
use super::registry::Priority;
use super::workplace::{WorkTarget, Workplace};
use crate::error::{Error, Result};
use crate::git::repository::GitVersion;
use crate::git::{Oid, objects};
use crate::id::SeshId;
use crate::journal::landing_files::GateLog;
use crate::journal::lock_file::LockFile;
use crate::proc::signal::{self, Signal};

pub use blocked::{BlockedLanding, BlockedReason};
pub use finish::Removed;
pub use subject::Subject;

/// How often a push that lost its race is tried on the new target.
const PUSHES: usize = 3;
/// How many red gates block an item.
const MOST_RED: usize = 3;

/// What to land, and for whom.
#[derive(Clone, Debug)]
pub struct LandRequest {
    /// An item or a branch; without it the branch that is checked out.
    pub name: Option<String>,
    /// 0 is the most urgent one. Without it, it is that of the item.
    pub priority: Option<u8>,
    /// The sesh that asks.
    pub sesh: Option<SeshId>,
    /// The pane that this process runs in, or empty.
    pub pane: String,
    /// The folder of the worktree of the gate.
    pub gate_folder: PathBuf,
}

/// What happens during a landing.
#[derive(Debug)]
pub enum LandProgress<'a> {
    /// Others are before it.
    Waiting { position: usize, ahead: &'a Ticket },
    /// The gate runs, on the candidate or on the target.
    Testing { commit: &'a Oid, is_target: bool },
    /// The gate prints.
    Printed(&'a [u8]),
    /// The target has moved, for the given number of times.
    Moved(usize),
    /// The branch changes the gate, which takes effect after it has landed.
    ChangesGate,
}

/// How a landing ended.
#[derive(Clone, Debug)]
pub struct LandOutcome {
    pub subject: Subject,
    pub target: String,
    pub ticket: Option<u64>,
    pub end: LandEnd,
    /// What others have landed since the ticket was taken.
    pub meanwhile: Vec<Ticket>,
    /// The red gates of the branch, where they are why it is blocked.
    pub red: Vec<RedGate>,
    /// How often the gate has run on a candidate.
    pub attempts: usize,
}

#[derive(Clone, Debug)]
pub enum LandEnd {
    Landed {
        commit: Oid,
        /// It had landed before.
        before: bool,
        removed: Removed,
    },
    Blocked(Box<BlockedLanding>),
}

/// Lands a branch, and waits until that is done.
///
/// # Errors
/// What is to be landed does not exist or belongs to another sesh, git fails, or the ledger cannot be written. What blocks a
/// landing is no error.
pub fn land(
    place: &Workplace,
    request: &LandRequest,
    progress: &mut dyn FnMut(LandProgress<'_>),
) -> Result<LandOutcome> {
    GitVersion::installed()?.check()?;
    let target = place.target()?;
    let state = place.ledger.read()?;
    let subject = subject::find(
        place,
        &target,
        &state,
        request.sesh,
        request.name.as_deref(),
    );
    let subject = match subject {
        Ok(subject) => subject,
        Err(Stop::Failed(error)) => return Err(error),
        // Without a branch there is nothing to name.
        Err(Stop::Blocked(blocked)) => {
            return Err(
                Error::unusable(format!("{}: {}", blocked.reason.as_str(), blocked.what))
                    .with_way_out_after_why(blocked.next),
            );
        }
    };
    let claim = subject
        .grant
        .and_then(|grant| state.granted(grant))
        .cloned();
    let mut landing = Landing {
        place,
        request,
        progress,
        target,
        claim,
        ticket: None,
        attempts: 0,
        running: RunningGate::default(),
        applying: Arc::default(),
        subject,
    };
    let end = landing.run();
    landing.outcome(end)
}

/// Returns the tip of a branch that has landed last, if the branch continues from there and `target` has the commit in which
/// it landed. The history does not tell that of a squash.
///
/// # Errors
/// git fails.
pub fn landed_tip(
    place: &Workplace,
    landings: &LandingState,
    (id, branch): (&ItemId, &str),
    tip: &Oid,
    target: &Oid,
) -> Result<Option<Oid>> {
    candidate::last_landed(place, landings.of(Some(id), branch), tip, target)
}

/// One landing.
struct Landing<'a, 'b> {
    place: &'a Workplace,
    request: &'a LandRequest,
    progress: &'a mut (dyn FnMut(LandProgress<'_>) + 'b),
    target: WorkTarget,
    claim: Option<Claim>,
    subject: Subject,
    ticket: Option<Ticket>,
    attempts: usize,
    running: RunningGate,
    /// It is locked while the target moves: a signal waits for that.
    applying: Arc<Mutex<()>>,
}

impl Landing<'_, '_> {
    /// Lands, or finds what blocks it. A ticket that was taken has ended then.
    fn run(&mut self) -> Result<LandEnd, Stop> {
        if let Some(commit) = self.landed_before()? {
            return Ok(LandEnd::Landed {
                commit,
                before: true,
                removed: Removed::default(),
            });
        }
        self.check_red()?;
        let state = self.place.ledger.read()?;
        subject::check_dependencies(self.place, &self.subject, &state)?;
        subject::check_clean(self.place, &self.subject)?;
        let base = candidate::base(self.place, &self.target)?;
        // Without a gate nothing is tested, so no ticket is taken.
        Gate::of(self.place, &base.commit)?;
        let ticket = self.take_ticket(&base)?;
        self.end_on_signal(ticket);
        self.run_in_turn(ticket)
    }

    fn run_in_turn(&mut self, ticket: u64) -> Result<LandEnd, Stop> {
        let path = ledger::folder(&self.place.repository.common).join("landing.lock");
        let lock = LockFile::open(&path)?;
        if let Err(error) = turn::wait(self.place, ticket, &lock, self.progress) {
            withdraw(self.place, ticket, Some("failed"))?;
            return Err(error.into());
        }
        lock.pass_to_children()?;
        let end = match self.land_under_lock(ticket) {
            Err(stop) => self.stopped(ticket, stop),
            end => end,
        };
        lock.release()?;
        end
    }

    /// Ends the ticket of a landing that was stopped. If the target may have moved already, what git has left is repaired,
    /// and may be a landing after all. If that fails too, the ticket stays for the next landing.
    fn stopped(&mut self, ticket: u64, stop: Stop) -> Result<LandEnd, Stop> {
        let reason = match &stop {
            Stop::Blocked(blocked) => blocked.reason.as_str(),
            Stop::Failed(_) => "failed",
        };
        let state = self.place.ledger.read()?;
        let own = state.landing().ticket(ticket).cloned();
        if let Some(own) = own.filter(|own| own.journaled.is_some()) {
            match recovery::landed(self.place, &own) {
                Ok(Some(commit)) => return self.landed(ticket, commit),
                Ok(None) => {}
                Err(_) => return Err(stop),
            }
        }
        withdraw(self.place, ticket, Some(reason))?;
        Err(stop)
    }

    /// Returns the commit in which this tip has landed before.
    fn landed_before(&self) -> Result<Option<Oid>, Stop> {
        let state = self.place.ledger.read()?;
        let tickets = state
            .landing()
            .of(self.subject.id.as_ref(), &self.subject.branch);
        let mut candidates: Vec<Oid> = Vec::new();
        for ticket in tickets.filter(|ticket| ticket.tip == self.subject.tip) {
            candidates.extend(ticket.candidates.iter().cloned());
        }
        if candidates.is_empty() {
            return Ok(None);
        }
        let newest = self.place.fetched_base(&self.target)?;
        Ok(candidate::landed_candidate(
            self.place,
            &candidates,
            &newest,
        )?)
    }

    /// Refuses a claim that red gates have blocked.
    fn check_red(&self) -> Result<(), Stop> {
        let state = self.place.ledger.read()?;
        let red = state.landing().red(&self.subject.branch).len();
        let blocked = self.claim.as_ref().and_then(|claim| claim.blocked.as_ref());
        if blocked.is_some() && red >= MOST_RED {
            return Err(red_too_often(red).into());
        }
        Ok(())
    }

    /// Takes a place in the order of landings.
    fn take_ticket(&mut self, base: &Base) -> Result<u64, Stop> {
        let files = candidate::files(self.place, &self.subject, base)?;
        let runner = LandingRunner::own(self.request.pane.clone());
        let subject = &self.subject;
        let of_item = || {
            let id = subject.id.as_ref()?;
            let registry = self.place.registry().ok()?;
            Some(registry.item(id)?.priority as u8)
        };
        let normal = Priority::Normal as u8;
        let priority = self.request.priority.or_else(of_item).unwrap_or(normal);
        let (number, state) = self.place.ledger.change_and_read(|state| {
            if subject
                .grant
                .is_some_and(|grant| state.granted(grant).is_none())
            {
                return Ok((Vec::new(), None));
            }
            let number = state.landing().next_number();
            let event = LandingEvent::Ticket {
                ticket: number,
                branch: subject.branch.clone(),
                tip: subject.tip.clone(),
                target: self.target.branch.clone(),
                id: subject.id.clone(),
                grant: subject.grant,
                priority,
                files: files.clone(),
                runner: runner.clone(),
            };
            Ok((vec![event.into()], Some(number)))
        })?;
        let Some(number) = number else {
            return Err(apply::fenced(&self.subject));
        };
        self.ticket = state.landing().ticket(number).cloned();
        Ok(number)
    }

    /// Makes HUP, INT and TERM end the gate and withdraw the ticket before they end this process. While the target moves they
    /// wait.
    fn end_on_signal(&self, ticket: u64) {
        let running = Arc::clone(&self.running);
        let applying = Arc::clone(&self.applying);
        let ledger = self.place.ledger.clone();
        signal::on_end(move |signal| {
            let _moves = applying.lock().unwrap_or_else(PoisonError::into_inner);
            let group = *running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(group) = group {
                let _ = signal::to_group(group, Signal::SIGKILL);
            }
            let _ = ledger.change(|state| {
                let is_open = state
                    .landing()
                    .ticket(ticket)
                    .is_some_and(|ticket| ticket.end.is_none());
                let events = is_open.then(|| withdrawal(ticket, Some("cancelled")));
                Ok((events.into_iter().collect(), ()))
            });
            signal::end_by(signal)
        });
    }

    fn land_under_lock(&mut self, ticket: u64) -> Result<LandEnd, Stop> {
        recovery::run(self.place)?;
        // A killed one may have landed the same branch.
        if let Some(commit) = self.landed_before()? {
            return self.landed(ticket, commit);
        }
        let mut log = self.log(ticket)?;
        let mut moved = 0;
        loop {
            match self.attempt(ticket, &mut log)? {
                Some(commit) => return self.landed(ticket, commit),
                None => {
                    moved += 1;
                    (self.progress)(LandProgress::Moved(moved));
                    if self.target.upstream.is_some() && moved > PUSHES {
                        let what = format!(
                            "{} moved {moved} times while the gate ran",
                            self.target.branch
                        );
                        let next = "sesh-land again when it is quieter";
                        return Err(BlockedLanding::new(BlockedReason::Push, what, next).into());
                    }
                }
            }
        }
    }

    /// Tests the branch on the newest target and lands it. `None` if the target has moved meanwhile.
    fn attempt(&mut self, ticket: u64, log: &mut GateLog) -> Result<Option<Oid>, Stop> {
        let place = self.place;
        if subject::tip(place, &self.subject.branch)?.is_none() {
            let what = format!("there is no branch {} any more", self.subject.branch);
            let next = "make the branch again, then sesh-land";
            return Err(BlockedLanding::new(BlockedReason::BranchMissing, what, next).into());
        }
        let base = candidate::base(place, &self.target)?;
        let state = place.ledger.read()?;
        let granted = self
            .subject
            .grant
            .is_none_or(|grant| state.granted(grant).is_some());
        if !granted {
            return Err(apply::fenced(&self.subject));
        }
        let landings = state.landing();
        let combined = candidate::combine(place, &self.subject, &self.target, &base, landings)?;
        let Combined::Candidate(candidate) = combined else {
            return self.nothing(&base);
        };
        append(
            place,
            LandingEvent::Attempt {
                ticket,
                base: base.commit.clone(),
                candidate: candidate.commit.clone(),
            },
        )?;
        let gate = Gate::of(place, &base.commit)?;
        if let Gate::Program { folder, .. } = &gate {
            let own = objects::at_path(&place.repository.common, &candidate.commit, ".sesh")?;
            if own.as_ref() != Some(folder) {
                (self.progress)(LandProgress::ChangesGate);
            }
        }
        self.test(ticket, &gate, &base, &candidate, log)?;
        let applying = Arc::clone(&self.applying);
        let _applies = applying.lock().unwrap_or_else(PoisonError::into_inner);
        let applied = apply::apply(
            place,
            ticket,
            &self.subject,
            &self.target,
            &base,
            &candidate,
        )?;
        Ok((applied == Applied::Landed).then_some(candidate.commit))
    }

    /// Returns the commit in which the work of this item has landed, since the target has all of it.
    fn nothing(&self, base: &Base) -> Result<Option<Oid>, Stop> {
        let state = self.place.ledger.read()?;
        let earlier: Vec<Oid> = state
            .landing()
            .of(self.subject.id.as_ref(), &self.subject.branch)
            .flat_map(|ticket| ticket.candidates.iter().cloned())
            .collect();
        if let Some(commit) = candidate::landed_candidate(self.place, &earlier, &base.commit)? {
            return Ok(Some(commit));
        }
        let what = format!(
            "{} changes nothing of {}",
            self.subject.branch, self.target.branch
        );
        let next = "commit something, or sesh-work drop the item";
        Err(BlockedLanding::new(BlockedReason::NothingToMerge, what, next).into())
    }

    /// Records the landing and removes what is not needed any more.
    fn landed(&mut self, ticket: u64, commit: Oid) -> Result<LandEnd, Stop> {
        let state = self.place.ledger.read()?;
        let ticket = state
            .landing()
            .ticket(ticket)
            .ok_or_else(|| Error::failed(format!("the ledger has lost ticket {ticket}")))?;
        finish::prove(self.place, ticket, &commit)?;
        let removed = finish::tidy(self.place, &self.subject, &self.target, self.claim.as_ref());
        Ok(LandEnd::Landed {
            commit,
            before: false,
            removed,
        })
    }

    fn log(&self, ticket: u64) -> Result<GateLog> {
        let folder = ledger::folder(&self.place.repository.common).join("logs");
        GateLog::create(&folder, ticket)
    }

    /// Returns what a caller wants to know of the end.
    fn outcome(self, end: Result<LandEnd, Stop>) -> Result<LandOutcome> {
        let end = match end {
            Ok(end) => end,
            Err(Stop::Blocked(blocked)) => LandEnd::Blocked(blocked),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let state = self.place.ledger.read()?;
        let since = self.ticket.as_ref().map_or(u64::MAX, |ticket| ticket.at);
        let number = self.ticket.as_ref().map(|ticket| ticket.number);
        let is_other = |ticket: &&Ticket| {
            Some(ticket.number) != number
                && ticket.ended_at >= since
                && matches!(ticket.end, Some(TicketEnd::Landed(_)))
        };
        let tickets = state.landing().tickets().iter();
        let meanwhile = tickets.filter(is_other).cloned().collect();
        let is_red = matches!(&end, LandEnd::Blocked(it) if it.reason == BlockedReason::Checks);
        let red = if is_red {
            state.landing().red(&self.subject.branch).to_vec()
        } else {
            Vec::new()
        };
        Ok(LandOutcome {
            subject: self.subject,
            target: self.target.branch,
            ticket: number,
            end,
            meanwhile,
            red,
            attempts: self.attempts,
        })
    }
}

fn red_too_often(count: usize) -> BlockedLanding {
    let what = format!("the gate was red {count} times");
    let next = "find out why, then sesh-work block --clear and sesh-land again";
    BlockedLanding::new(BlockedReason::Checks, what, next)
}

fn withdrawal(ticket: u64, reason: Option<&str>) -> LedgerEvent {
    let reason = reason.map(Into::into);
    LandingEvent::Withdraw { ticket, reason }.into()
}

fn withdraw(place: &Workplace, ticket: u64, reason: Option<&str>) -> Result<()> {
    place
        .ledger
        .change(|_| Ok((vec![withdrawal(ticket, reason)], ())))
}

fn append(place: &Workplace, event: LandingEvent) -> Result<()> {
    place
        .ledger
        .change(|_| Ok((vec![event.clone().into()], ())))
}
