//! What follows from the events of a ledger: which sesh has which item, and how former claims ended.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{ClaimEvent, ClaimedWork, GrantId, LedgerEvent, LedgerLine};
use super::holder::Holder;
use super::item::ItemId;
use super::landing_state::LandingState;
use crate::id::SeshId;

/// A claim that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: ItemId,
    pub grant: GrantId,
    pub holder: Holder,
    pub work: ClaimedWork,
    /// Empty without a worktree.
    pub worktree: String,
    /// The worktree is not one that was made for the claim.
    pub worktree_was_found: bool,
    /// The commit at which its branch started, or empty.
    pub base: String,
    /// Milliseconds since the epoch.
    pub claimed_at: u64,
    pub step: String,
    pub done: Option<u32>,
    pub total: Option<u32>,
    /// Why its work cannot continue.
    pub blocked: Option<String>,
}

/// How a claim ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimEnd {
    /// Another sesh has taken it over.
    Taken {
        by: Box<Holder>,
        force: Option<String>,
    },
    Dropped,
    Abandoned,
    Landed,
}

/// A claim that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerClaim {
    pub claim: Claim,
    pub end: ClaimEnd,
    /// Milliseconds since the epoch.
    pub at: u64,
    /// Whether its holder was told.
    pub told: bool,
}

/// What became of an item, where the registry may not have it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemResult {
    /// It has landed in this commit.
    Landed {
        commit: String,
        at: u64,
    },
    Abandoned {
        why: String,
        at: u64,
    },
}

/// The state of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerState {
    claims: BTreeMap<ItemId, Claim>,
    former: Vec<FormerClaim>,
    results: BTreeMap<ItemId, ItemResult>,
    overlaps: BTreeSet<(GrantId, GrantId)>,
    landing: LandingState,
    /// The number of its events. A state with a larger number is a later one.
    length: u64,
}

impl LedgerState {
    /// Returns the state of a ledger with this text. A line that is no event has no effect.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let mut state = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            match serde_json::from_slice::<LedgerLine>(line) {
                Ok(line) => state.apply(line),
                Err(_) if line.is_empty() => {}
                Err(_) => state.length += 1,
            }
        }
        state
    }

    /// Returns the number of its events.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns what is landing and has landed.
    #[must_use]
    pub fn landing(&self) -> &LandingState {
        &self.landing
    }

    /// Returns the claims that hold, by item.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values()
    }

    /// Returns the claim on an item.
    #[must_use]
    pub fn claim(&self, id: &ItemId) -> Option<&Claim> {
        self.claims.get(id)
    }

    /// Returns the claim that a grant is of, if it holds.
    #[must_use]
    pub fn granted(&self, grant: GrantId) -> Option<&Claim> {
        self.claims().find(|claim| claim.grant == grant)
    }

    /// Returns the claims of a sesh.
    pub fn held_by(&self, sesh: SeshId) -> impl Iterator<Item = &Claim> {
        self.claims().filter(move |claim| claim.holder.sesh == sesh)
    }

    /// Returns the claims that have ended, the first one first.
    #[must_use]
    pub fn former(&self) -> &[FormerClaim] {
        &self.former
    }

    /// Returns the claims that other seshes have taken over from a sesh, and that it has not claimed again since.
    pub fn taken_from(&self, sesh: SeshId) -> impl Iterator<Item = &FormerClaim> {
        self.former.iter().enumerate().filter_map(move |(at, it)| {
            let is_own = |claim: &Claim| claim.holder.sesh == sesh && claim.id == it.claim.id;
            let again = self.former[at + 1..].iter().any(|it| is_own(&it.claim))
                || self.claims().any(is_own);
            let taken = matches!(it.end, ClaimEnd::Taken { .. });
            (taken && is_own(&it.claim) && !again).then_some(it)
        })
    }

    /// Returns what became of an item.
    #[must_use]
    pub fn result(&self, id: &ItemId) -> Option<&ItemResult> {
        self.results.get(id)
    }

    /// Returns what became of all items.
    pub fn results(&self) -> impl Iterator<Item = (&ItemId, &ItemResult)> {
        self.results.iter()
    }

    /// Returns whether the holder of a grant was told that its work overlaps with that of the other grant.
    #[must_use]
    pub fn overlap_is_told(&self, one: GrantId, other: GrantId) -> bool {
        self.overlaps.contains(&(one, other))
    }

    /// Adds a line.
    pub fn apply(&mut self, line: LedgerLine) {
        self.length += 1;
        match line.event {
            LedgerEvent::Claim(event) => self.apply_claim(*event, line.at),
            LedgerEvent::Landing(event) => self.landing.apply(*event, line.at),
            LedgerEvent::Newer(_) => {}
        }
    }

    fn apply_claim(&mut self, event: ClaimEvent, at: u64) {
        match event {
            ClaimEvent::Claim {
                id,
                grant,
                holder,
                work,
                over: _,
            } => {
                // The ledger grants an item only once; the first one counts.
                self.results.remove(&id);
                self.claims.entry(id.clone()).or_insert_with(|| Claim {
                    id,
                    grant,
                    holder,
                    step: work.step.clone(),
                    work,
                    worktree: String::new(),
                    worktree_was_found: false,
                    base: String::new(),
                    claimed_at: at,
                    done: None,
                    total: None,
                    blocked: None,
                });
            }
            ClaimEvent::Take {
                id,
                from,
                grant,
                holder,
                force,
            } => {
                let Some(claim) = self.claims.get_mut(&id).filter(|it| it.grant == from) else {
                    return;
                };
                let former = claim.clone();
                claim.grant = grant;
                claim.holder = holder.clone();
                claim.claimed_at = at;
                let by = Box::new(holder);
                self.former.push(FormerClaim {
                    claim: former,
                    end: ClaimEnd::Taken { by, force },
                    at,
                    told: false,
                });
            }
            ClaimEvent::Moved { grant, holder } => {
                self.edit(grant, |claim| claim.holder = holder);
            }
            ClaimEvent::Worktree {
                grant,
                branch,
                worktree,
                base,
                found,
            } => self.edit(grant, |claim| {
                claim.work.branch = branch;
                claim.worktree = worktree;
                claim.worktree_was_found = found;
                claim.base = base;
            }),
            ClaimEvent::Step {
                grant,
                step,
                done,
                total,
            } => self.edit(grant, |claim| {
                claim.step = step;
                claim.done = done.or(claim.done);
                claim.total = total.or(claim.total);
            }),
            ClaimEvent::Block { grant, why } => self.block(grant, why),
            ClaimEvent::Drop { grant } => self.end(grant, ClaimEnd::Dropped, at),
            ClaimEvent::Abandon { grant, why } => {
                if let Some(claim) = self.granted(grant) {
                    let id = claim.id.clone();
                    self.results.insert(id, ItemResult::Abandoned { why, at });
                }
                self.end(grant, ClaimEnd::Abandoned, at);
            }
            ClaimEvent::Landed { id, grant, commit } => {
                if let Some(grant) = grant {
                    self.end(grant, ClaimEnd::Landed, at);
                }
                self.results.insert(id, ItemResult::Landed { commit, at });
            }
            ClaimEvent::Told { grant } => {
                let former = self.former.iter_mut();
                for it in former.filter(|it| it.claim.grant == grant) {
                    it.told = true;
                }
            }
            ClaimEvent::Overlap { one, other } => {
                self.overlaps.insert((one, other));
            }
        }
    }

    fn block(&mut self, grant: GrantId, why: Option<String>) {
        if why.is_none()
            && let Some(claim) = self.granted(grant)
        {
            let branch = match claim.work.branch.as_str() {
                "" => claim.id.branch(),
                branch => branch.into(),
            };
            self.landing.forget_red(&branch);
        }
        self.edit(grant, |claim| claim.blocked = why);
    }

    fn edit(&mut self, grant: GrantId, edit: impl FnOnce(&mut Claim)) {
        if let Some(claim) = self.claims.values_mut().find(|claim| claim.grant == grant) {
            edit(claim);
        }
    }

    /// Ends the claim of a grant, if it holds.
    pub(super) fn end(&mut self, grant: GrantId, end: ClaimEnd, at: u64) {
        let Some(id) = self.granted(grant).map(|claim| claim.id.clone()) else {
            return;
        };
        if let Some(claim) = self.claims.remove(&id) {
            self.former.push(FormerClaim {
                claim,
                end,
                at,
                told: false,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::work::holder::tests::holder;

    /// One attempt of one of three seshes on one of three items.
    #[derive(Clone, Debug)]
    enum Deed {
        Claim,
        Take,
        Drop,
        Step,
        Land,
    }

    fn attempts() -> impl Strategy<Value = Vec<(Deed, usize, usize)>> {
        let attempt = prop_oneof![
            Just(Deed::Claim),
            Just(Deed::Take),
            Just(Deed::Drop),
            Just(Deed::Step),
            Just(Deed::Land),
        ];
        prop::collection::vec((attempt, 0..3_usize, 0..3_usize), 0..40)
    }

    fn line(at: u64, event: ClaimEvent) -> LedgerLine {
        let event = event.into();
        LedgerLine { at, event }
    }

    proptest! {
        #[test]
        fn an_item_has_one_holder_and_an_old_grant_changes_nothing(attempts in attempts()) {
            let seshes = [holder("one"), holder("two"), holder("three")];
            let items: Vec<ItemId> = ["a", "prd-b", "c/d"].map(|id| id.parse().expect("an id")).into();
            let mut state = LedgerState::default();
            let mut grants: Vec<GrantId> = Vec::new();
            let mut text = Vec::new();
            for (at, (attempt, sesh, item)) in attempts.into_iter().enumerate() {
                let (id, holder) = (items[item].clone(), seshes[sesh].clone());
                let grant = GrantId::random();
                let current = state.claim(&id).map(|claim| claim.grant);
                // Every second one comes with a grant that has ended.
                let old = grants.get(at / 2).copied().filter(|it| Some(*it) != current);
                let from = if at % 2 == 0 { current.or(old) } else { old.or(current) };
                let from = from.unwrap_or_else(GrantId::random);
                let event = match attempt {
                    Deed::Claim => ClaimEvent::Claim { id: id.clone(), grant, holder, work: ClaimedWork::default(), over: None },
                    Deed::Take => ClaimEvent::Take { id: id.clone(), from, grant, holder, force: None },
                    Deed::Drop => ClaimEvent::Drop { grant: from },
                    Deed::Step => ClaimEvent::Step { grant: from, step: "s".into(), done: None, total: None },
                    Deed::Land => ClaimEvent::Landed { id: id.clone(), grant: Some(from), commit: "c".into() },
                };
                let before = state.claim(&id).cloned();
                let is_claim = matches!(event, ClaimEvent::Claim { .. });
                let line = line(at as u64, event);
                serde_json::to_writer(&mut text, &line).expect("JSON");
                text.push(b'\n');
                state.apply(line);
                match &before {
                    Some(before) if is_claim || before.grant != from => {
                        prop_assert_eq!(state.claim(&id), Some(before));
                    }
                    _ => {}
                }
                grants.extend(current);
                let held: BTreeSet<&str> = state.claims().map(|claim| claim.id.plain()).collect();
                prop_assert_eq!(held.len(), state.claims().count());
            }
            prop_assert_eq!(LedgerState::of(&text), state);
        }

        #[test]
        fn any_text_is_a_state(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            prop_assert_eq!(LedgerState::of(&text).length(), lines as u64);
        }
    }

    #[test]
    fn a_sesh_that_lost_an_item_has_lost_it_until_it_claims_it_again() {
        let (one, two) = (holder("one"), holder("two"));
        let id: ItemId = "x".parse().expect("an id");
        let (first, second, third) = (GrantId::random(), GrantId::random(), GrantId::random());
        let claim = |grant, holder: &Holder| ClaimEvent::Claim {
            id: id.clone(),
            grant,
            holder: holder.clone(),
            work: ClaimedWork::default(),
            over: None,
        };
        let mut state = LedgerState::default();
        state.apply(line(1, claim(first, &one)));
        let force = Some("gone home".to_string());
        state.apply(line(
            2,
            ClaimEvent::Take {
                id: id.clone(),
                from: first,
                grant: second,
                holder: two.clone(),
                force,
            },
        ));
        assert_eq!(state.taken_from(one.sesh).count(), 1);
        assert_eq!(state.held_by(two.sesh).count(), 1);
        state.apply(line(3, ClaimEvent::Drop { grant: second }));
        assert_eq!(
            (
                state.taken_from(one.sesh).count(),
                state.taken_from(two.sesh).count()
            ),
            (1, 0)
        );
        state.apply(line(4, claim(third, &one)));
        assert_eq!(state.taken_from(one.sesh).count(), 0);
    }
}
