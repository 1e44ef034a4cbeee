//! What follows from the events of landings: the tickets, their order, and what has landed.

use std::collections::{BTreeMap, BTreeSet};

use super::grant::GrantId;
use super::item::ItemId;
use super::landing_event::{LandingEvent, LandingRunner, RunnerState};
use crate::git::Oid;

/// A landing that was journaled: from then on the target may have the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournaledLanding {
    pub old: Option<Oid>,
    pub candidate: Oid,
    pub place: Option<String>,
    pub remote: Option<String>,
}

/// How a ticket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEnd {
    Landed(Oid),
    Withdrawn(Option<String>),
}

/// A place in the order of landings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub number: u64,
    pub branch: String,
    pub tip: Oid,
    pub target: String,
    pub id: Option<ItemId>,
    pub grant: Option<GrantId>,
    /// 0 is the most urgent one.
    pub priority: u8,
    pub files: Vec<String>,
    pub runner: LandingRunner,
    /// Milliseconds since the epoch.
    pub at: u64,
    /// The commits that may have landed, the first one first.
    pub candidates: Vec<Oid>,
    pub journaled: Option<JournaledLanding>,
    pub end: Option<TicketEnd>,
    /// When it ended, in milliseconds since the epoch.
    pub ended_at: u64,
}

/// A run of the gate that blames a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedGate {
    pub ticket: u64,
    pub tip: Oid,
    pub log: String,
    /// Milliseconds since the epoch.
    pub at: u64,
}

/// The state of all landings of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LandingState {
    tickets: Vec<Ticket>,
    /// The trees that a gate has passed on, with that gate.
    passed: BTreeSet<(Oid, String)>,
    /// The red gates of a branch since it has landed last, or was unblocked.
    red: BTreeMap<String, Vec<RedGate>>,
}

impl LandingState {
    /// Returns the number of the next ticket.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.tickets.last().map_or(1, |ticket| ticket.number + 1)
    }

    /// Returns all tickets, the first one first.
    #[must_use]
    pub fn tickets(&self) -> &[Ticket] {
        &self.tickets
    }

    /// Returns the ticket with a number.
    #[must_use]
    pub fn ticket(&self, number: u64) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.number == number)
    }

    /// Returns the tickets that wait or land, in their order: by priority, then by number. Those of processes that have
    /// ended, are stopped or cannot be seen are not among them.
    #[must_use]
    pub fn queue(&self) -> Vec<&Ticket> {
        let is_queued = |ticket: &&Ticket| {
            ticket.end.is_none() && matches!(ticket.runner.state(), RunnerState::Alive(_))
        };
        let mut queue: Vec<&Ticket> = self.tickets.iter().filter(is_queued).collect();
        queue.sort_by_key(|ticket| (ticket.priority, ticket.number));
        queue
    }

    /// Returns the tickets whose process has ended before they did.
    pub fn abandoned(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets
            .iter()
            .filter(|ticket| ticket.end.is_none() && ticket.runner.state() == RunnerState::Gone)
    }

    /// Returns the tickets of an item or of a branch.
    pub fn of<'a>(
        &'a self,
        id: Option<&'a ItemId>,
        branch: &'a str,
    ) -> impl Iterator<Item = &'a Ticket> {
        self.tickets.iter().filter(move |ticket| {
            ticket.branch == branch || (id.is_some() && ticket.id.as_ref() == id)
        })
    }

    /// Returns whether a gate has passed on a tree.
    #[must_use]
    pub fn has_passed(&self, tree: &Oid, gate: &str) -> bool {
        self.passed.contains(&(tree.clone(), gate.to_string()))
    }

    /// Returns the red gates of a branch since it has landed last, or was unblocked.
    #[must_use]
    pub fn red(&self, branch: &str) -> &[RedGate] {
        self.red.get(branch).map_or(&[], Vec::as_slice)
    }

    /// Counts the red gates of a branch from 0 again.
    pub fn forget_red(&mut self, branch: &str) {
        self.red.remove(branch);
    }

    /// Adds an event.
    pub fn apply(&mut self, event: LandingEvent, at: u64) {
        match event {
            LandingEvent::Ticket {
                ticket,
                branch,
                tip,
                target,
                id,
                grant,
                priority,
                files,
                runner,
            } => {
                // Numbers are given under the lock of the ledger, and grow.
                if ticket >= self.next_number() {
                    self.tickets.push(Ticket {
                        number: ticket,
                        branch,
                        tip,
                        target,
                        id,
                        grant,
                        priority,
                        files,
                        runner,
                        at,
                        candidates: Vec::new(),
                        journaled: None,
                        end: None,
                        ended_at: 0,
                    });
                }
            }
            LandingEvent::Attempt {
                ticket, candidate, ..
            } => self.edit(ticket, |ticket| ticket.candidates.push(candidate)),
            LandingEvent::Gate {
                ticket,
                tree,
                gate,
                passed,
                red,
                log,
            } => {
                if passed {
                    self.passed.insert((tree, gate));
                }
                if let Some(of) = self.ticket(ticket).filter(|_| red) {
                    let (branch, tip) = (of.branch.clone(), of.tip.clone());
                    let gate = RedGate {
                        ticket,
                        tip,
                        log,
                        at,
                    };
                    self.red.entry(branch).or_default().push(gate);
                }
            }
            LandingEvent::Landing {
                ticket,
                old,
                candidate,
                place,
                remote,
            } => self.edit(ticket, |ticket| {
                ticket.journaled = Some(JournaledLanding {
                    old,
                    candidate,
                    place,
                    remote,
                });
            }),
            LandingEvent::Proof { ticket, candidate } => {
                if let Some(branch) = self.ticket(ticket).map(|ticket| ticket.branch.clone()) {
                    self.forget_red(&branch);
                }
                self.end(ticket, TicketEnd::Landed(candidate), at);
            }
            LandingEvent::Withdraw { ticket, reason } => {
                self.end(ticket, TicketEnd::Withdrawn(reason), at);
            }
        }
    }

    fn end(&mut self, number: u64, end: TicketEnd, at: u64) {
        self.edit(number, |ticket| {
            // What has landed stays landed.
            if !matches!(ticket.end, Some(TicketEnd::Landed(_))) {
                ticket.end = Some(end);
                ticket.ended_at = at;
            }
        });
    }

    fn edit(&mut self, number: u64, edit: impl FnOnce(&mut Ticket)) {
        let mut tickets = self.tickets.iter_mut().rev();
        if let Some(ticket) = tickets.find(|ticket| ticket.number == number) {
            edit(ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn oid(digit: char) -> Oid {
        digit.to_string().repeat(40).parse().expect("a hash")
    }

    fn ticket(number: u64, priority: u8) -> LandingEvent {
        LandingEvent::Ticket {
            ticket: number,
            branch: format!("b{number}"),
            tip: oid('1'),
            target: "main".into(),
            id: None,
            grant: None,
            priority,
            files: Vec::new(),
            runner: LandingRunner::own(String::new()),
        }
    }

    #[test]
    fn the_order_is_by_priority_and_then_by_number() {
        let mut state = LandingState::default();
        for (number, priority) in [(1, 2), (2, 2), (3, 0), (4, 3), (5, 1), (6, 0)] {
            state.apply(ticket(number, priority), 1);
        }
        let order = |state: &LandingState| -> Vec<u64> {
            state.queue().iter().map(|ticket| ticket.number).collect()
        };
        assert_eq!(order(&state), [3, 6, 5, 1, 2, 4]);
        let withdraw = LandingEvent::Withdraw {
            ticket: 6,
            reason: None,
        };
        state.apply(withdraw, 2);
        let proof = LandingEvent::Proof {
            ticket: 3,
            candidate: oid('2'),
        };
        state.apply(proof, 2);
        assert_eq!(order(&state), [5, 1, 2, 4]);
        // The process of a ticket has ended.
        let mut gone = ticket(7, 0);
        if let LandingEvent::Ticket { runner, .. } = &mut gone {
            runner.process = "1:1".into();
        }
        state.apply(gone, 3);
        assert_eq!(order(&state), [5, 1, 2, 4]);
        let abandoned: Vec<u64> = state.abandoned().map(|ticket| ticket.number).collect();
        assert_eq!(abandoned, [7]);
        assert_eq!(state.next_number(), 8);
    }

    #[test]
    fn what_has_landed_stays_landed() {
        let mut state = LandingState::default();
        state.apply(ticket(1, 2), 1);
        let proof = LandingEvent::Proof {
            ticket: 1,
            candidate: oid('2'),
        };
        state.apply(proof, 2);
        let withdraw = LandingEvent::Withdraw {
            ticket: 1,
            reason: None,
        };
        state.apply(withdraw, 3);
        let end = state.ticket(1).and_then(|ticket| ticket.end.clone());
        assert_eq!(end, Some(TicketEnd::Landed(oid('2'))));
    }

    #[test]
    fn events_are_lines_that_can_be_read_again() {
        use super::super::event::{LedgerEvent, LedgerLine};
        for event in [
            ticket(1, 2),
            LandingEvent::Withdraw {
                ticket: 1,
                reason: Some("conflict".into()),
            },
        ] {
            let line = LedgerLine {
                at: 7,
                event: event.into(),
            };
            let text = serde_json::to_string(&line).expect("JSON");
            let read: LedgerLine = serde_json::from_str(&text).expect("a line");
            assert_eq!(read, line);
            assert!(matches!(read.event, LedgerEvent::Landing(_)), "{text}");
        }
    }
}
