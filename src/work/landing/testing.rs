//! Runs the gate for a landing, and records what it said.

use super::blocked::{BlockedLanding, BlockedReason, Stop};
use super::candidate::{Base, CandidateCommit};
use super::gate::{Gate, GateEnd, GateWorktree};
use super::{LandProgress, Landing, MOST_RED, append, red_too_often};
use crate::git::{Oid, objects};
use crate::journal::landing_files::GateLog;
use crate::work::event::{ClaimEvent, LedgerEvent};
use crate::work::landing_event::LandingEvent;

/// How many lines of a log are shown.
const TAIL: usize = 40;

impl Landing<'_, '_> {
    /// Runs the gate on the candidate, and on the base if it has not passed there yet.
    pub(super) fn test(
        &mut self,
        ticket: u64,
        gate: &Gate,
        base: &Base,
        candidate: &CandidateCommit,
        log: &mut GateLog,
    ) -> Result<(), Stop> {
        let place = self.place;
        let worktree = GateWorktree::open(place, &self.request.gate_folder, &base.commit)?;
        let base_tree = objects::tree(&place.repository.common, &base.commit)?;
        let has_passed = place
            .ledger
            .read()?
            .landing()
            .has_passed(&base_tree, &gate.key());
        if !has_passed {
            self.test_base(ticket, gate, &worktree, base, &base_tree, log)?;
        }
        self.attempts += 1;
        match self.gate(gate, &worktree, &candidate.commit, false, log)? {
            GateEnd::Passed => self.record(ticket, gate, &candidate.tree, true, false, log),
            GateEnd::TimedOut(limit) => {
                let what = format!(
                    "the gate did not end within {}",
                    humantime::format_duration(limit)
                );
                let next = "make it faster, or git config sesh.checkTimeout; then sesh-land again";
                Err(with_log(
                    BlockedLanding::new(BlockedReason::Timeout, what, next),
                    log,
                ))
            }
            GateEnd::Red(why) => self.red(ticket, gate, candidate, &why, log),
            // A program that only this branch lacks is the fault of the branch.
            GateEnd::Unrunnable(why) => {
                self.test_base(ticket, gate, &worktree, base, &base_tree, log)?;
                self.red(ticket, gate, candidate, &why, log)
            }
        }
    }

    fn test_base(
        &mut self,
        ticket: u64,
        gate: &Gate,
        worktree: &GateWorktree,
        base: &Base,
        tree: &Oid,
        log: &mut GateLog,
    ) -> Result<(), Stop> {
        let target = self.target.branch.clone();
        let (reason, why) = match self.gate(gate, worktree, &base.commit, true, log)? {
            GateEnd::Passed => return self.record(ticket, gate, tree, true, false, log),
            GateEnd::Unrunnable(why) => (BlockedReason::GateUnrunnable, why),
            GateEnd::Red(why) => (BlockedReason::GateBroken, why),
            GateEnd::TimedOut(limit) => (
                BlockedReason::GateBroken,
                format!("not within {}", humantime::format_duration(limit)),
            ),
        };
        let what = match reason {
            BlockedReason::GateUnrunnable => format!("the gate cannot be run on {target}: {why}"),
            _ => format!("the gate is red on {target} itself: {why}"),
        };
        let next = format!("repair {target} or its gate, then sesh-land again");
        Err(with_log(BlockedLanding::new(reason, what, &next), log))
    }

    /// Records a red gate. The third one of a claim blocks it.
    fn red(
        &mut self,
        ticket: u64,
        gate: &Gate,
        candidate: &CandidateCommit,
        why: &str,
        log: &GateLog,
    ) -> Result<(), Stop> {
        self.record(ticket, gate, &candidate.tree, false, true, log)?;
        let state = self.place.ledger.read()?;
        let count = state.landing().red(&self.subject.branch).len();
        if count >= MOST_RED {
            if let Some(grant) = self.subject.grant {
                let why = Some(format!("{count} red gates"));
                let event: LedgerEvent = ClaimEvent::Block { grant, why }.into();
                self.place
                    .ledger
                    .change(|_| Ok((vec![event.clone()], ())))?;
            }
            return Err(with_log(red_too_often(count), log));
        }
        let what = format!("the gate is red on the candidate: {why}");
        let next = "repair the branch, commit, then sesh-land again";
        Err(with_log(
            BlockedLanding::new(BlockedReason::Checks, what, next),
            log,
        ))
    }

    fn gate(
        &mut self,
        gate: &Gate,
        worktree: &GateWorktree,
        commit: &Oid,
        is_target: bool,
        log: &mut GateLog,
    ) -> Result<GateEnd, Stop> {
        (self.progress)(LandProgress::Testing { commit, is_target });
        log.append(format!("# {commit}\n").as_bytes());
        let progress = &mut *self.progress;
        let mut output = |text: &[u8]| progress(LandProgress::Printed(text));
        worktree.run(self.place, gate, commit, log, &self.running, &mut output)
    }

    fn record(
        &self,
        ticket: u64,
        gate: &Gate,
        tree: &Oid,
        passed: bool,
        red: bool,
        log: &GateLog,
    ) -> Result<(), Stop> {
        append(
            self.place,
            LandingEvent::Gate {
                ticket,
                tree: tree.clone(),
                gate: gate.key(),
                passed,
                red,
                log: log.path().to_string_lossy().into_owned(),
            },
        )?;
        Ok(())
    }
}

fn with_log(mut blocked: BlockedLanding, log: &GateLog) -> Stop {
    blocked.log = Some(log.path().into());
    blocked.tail = log.tail(TAIL);
    blocked.into()
}
