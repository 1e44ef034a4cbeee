//! Claims an item: the ledger grants it to one sesh.

use std::time::{Duration, Instant};

use super::event::{ClaimEvent, ClaimedWork, GrantId, LedgerEvent};
use super::foreign_lock;
use super::holder::{Holder, HolderState, HolderView};
use super::item::ItemId;
use super::ledger_state::{Claim, ItemResult, LedgerState};
use super::registry::{ItemStatus, Registry, WorkItem};
use super::risk::{self, Risk};
use super::workplace::Workplace;
use crate::clock;
use crate::error::{self, Error, Exit, Result};
use crate::id::{SeshId, shown};
use crate::tmux::Server;

/// How often a claim that waits tries again.
const RETRY_INTERVAL: Duration = Duration::from_millis(300);

/// What to claim.
#[derive(Clone, Debug, Default)]
pub struct ClaimRequest {
    /// `None` means the next item that is ready.
    pub id: Option<ItemId>,
    pub branch: Option<String>,
    /// Globs of the paths that the work changes.
    pub paths: Vec<String>,
    pub step: Option<String>,
    /// Why to claim in spite of a high risk.
    pub over: Option<String>,
}

/// A claim that was granted.
#[derive(Clone, Debug)]
pub struct GrantedClaim {
    pub claim: Claim,
    /// The sesh had it already.
    pub had_it: bool,
    /// The ledger after the grant.
    pub state: LedgerState,
}

/// What the ledger answers.
enum ClaimDecision {
    Granted { id: ItemId, risks: Vec<String> },
    HadIt(ItemId),
    Held(Box<Claim>),
    NothingReady,
}

/// Claims an item for a sesh. With a limit it waits until the item is free, or until one is ready.
///
/// # Errors
/// [`Exit::Nothing`] without such an item, [`Exit::Unusable`] where it is held, a dependency is open or the risk is high,
/// [`Exit::TimedOut`] after the limit, and [`Exit::Failed`] if the ledger cannot be written.
pub fn claim(
    server: &Server,
    place: &Workplace,
    holder: &Holder,
    request: &ClaimRequest,
    limit: Option<Duration>,
) -> Result<GrantedClaim> {
    place.repository.check_finished()?;
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let refused = match try_claim(place, holder, request)? {
            (Some(granted), _) => return Ok(granted),
            (None, refused) => refused,
        };
        match deadline {
            None => return Err(refusal(server, refused)),
            Some(deadline) if Instant::now() >= deadline => {
                let error = refusal(server, refused);
                return Err(Error::new(Exit::TimedOut, format!("timed out: {error}")));
            }
            Some(_) => {}
        }
        std::thread::sleep(RETRY_INTERVAL); // why: a ledger is a file that any process may change, also one of another server.
    }
}

/// Checks that a sesh without any claim would get the item, without granting it.
///
/// # Errors
/// As [`claim`].
pub fn check(server: &Server, place: &Workplace, request: &ClaimRequest) -> Result<()> {
    let (state, registry) = (place.ledger.read()?, place.registry()?);
    match decide(&state, &registry, None, request)? {
        ClaimDecision::Granted { .. } => Ok(()),
        refused => Err(refusal(server, refused)),
    }
}

fn refusal(server: &Server, decision: ClaimDecision) -> Error {
    match decision {
        ClaimDecision::Held(claim) => held(server, &claim),
        _ => Error::nothing("no item is ready").with_way_out("sesh-work shows what there is"),
    }
}

/// Returns the error for an item that another sesh has.
#[must_use]
pub fn held(server: &Server, claim: &Claim) -> Error {
    let sighting = HolderView::new(Some(server)).look(&claim.holder);
    let mut what = format!("{} is held by {}", claim.id, claim.holder.name);
    if !claim.holder.pane.is_empty() {
        what += &format!(" ({})", claim.holder.pane);
    }
    let since = Duration::from_millis(clock::milliseconds().saturating_sub(claim.claimed_at));
    what += &format!(" for {}", clock::short(since));
    if !claim.step.is_empty() {
        what += &format!(", at {}", shown(&claim.step));
    }
    if let Some(why) = &claim.blocked {
        what += &format!(", blocked: {}", shown(why));
    }
    let way_out = match sighting.state {
        HolderState::Gone => format!("the holder is gone: sesh-work take {}", claim.id),
        HolderState::Live => "sesh-work claim takes the next one".into(),
        HolderState::Silent => {
            let age = sighting.age.map(clock::short).unwrap_or_default();
            format!("silent for {age}; sesh-work take {} --force WHY", claim.id)
        }
        HolderState::Unknown => {
            let server = &claim.holder.server;
            format!(
                "unknown whether it lives on {} at {}; sesh-work take {} --force WHY",
                server.machine, server.socket, claim.id
            )
        }
    };
    Error::unusable(what).with_way_out_after_why(way_out)
}

fn try_claim(
    place: &Workplace,
    holder: &Holder,
    request: &ClaimRequest,
) -> Result<(Option<GrantedClaim>, ClaimDecision)> {
    let registry = place.registry()?;
    let grant = GrantId::random();
    let (decision, state) = place.ledger.change_and_read(|state| {
        let decision = decide(state, &registry, Some(holder.sesh), request)?;
        let mut events: Vec<LedgerEvent> = Vec::new();
        if let ClaimDecision::Granted { id, .. } = &decision {
            if let Some(top) = place.main_checkout() {
                foreign_lock::check(&top, id)?;
            }
            let item = registry.item(id);
            let work = claimed_work(id, item, request);
            for other in others(state, Some(holder.sesh)) {
                if risk_with(&registry, id, &work.paths, other).0 > Risk::None {
                    events.push(overlap(grant, other.grant));
                }
            }
            let claim = ClaimEvent::Claim {
                id: id.clone(),
                grant,
                holder: holder.clone(),
                work,
                over: request.over.clone(),
            };
            events.insert(0, claim.into());
        }
        Ok((events, decision))
    })?;
    let (id, had_it) = match &decision {
        ClaimDecision::Granted { id, risks } => {
            risks.iter().for_each(error::warn);
            (id, false)
        }
        ClaimDecision::HadIt(id) => (id, true),
        _ => return Ok((None, decision)),
    };
    let claim = state.claim(id).cloned();
    let claim = claim.ok_or_else(|| Error::failed(format!("the ledger has lost {id}")))?;
    let granted = GrantedClaim {
        claim,
        had_it,
        state,
    };
    Ok((Some(granted), decision))
}

fn overlap(one: GrantId, other: GrantId) -> LedgerEvent {
    ClaimEvent::Overlap { one, other }.into()
}

/// Returns what the claim says of its item.
fn claimed_work(id: &ItemId, item: Option<&WorkItem>, request: &ClaimRequest) -> ClaimedWork {
    let mut paths = request.paths.clone();
    paths.extend(item.into_iter().flat_map(|item| item.paths.clone()));
    let branch = request.branch.clone();
    let branch = branch.or_else(|| item?.branch.clone());
    ClaimedWork {
        title: item.map(|item| item.title.clone()).unwrap_or_default(),
        file: item.and_then(|item| item.file.clone()),
        branch: branch.unwrap_or_else(|| id.branch()),
        paths,
        step: request.step.clone().unwrap_or_default(),
    }
}

/// Returns the claims of other seshes.
fn others(state: &LedgerState, sesh: Option<SeshId>) -> impl Iterator<Item = &Claim> {
    let is_other = move |claim: &&Claim| Some(claim.holder.sesh) != sesh;
    state.claims().filter(is_other)
}

/// Returns the risk of an item with a claim, from what both declare, and the paths that they have in common.
#[must_use]
pub fn risk_with(
    registry: &Registry,
    id: &ItemId,
    paths: &[String],
    other: &Claim,
) -> (Risk, Vec<String>) {
    let (of_paths, common) = risk::of_paths(paths, &other.work.paths);
    (of_paths.max(registry.declared_risk(id, &other.id)), common)
}

/// Decides about a claim. It reads nothing but its arguments, because the ledger is locked.
fn decide(
    state: &LedgerState,
    registry: &Registry,
    sesh: Option<SeshId>,
    request: &ClaimRequest,
) -> Result<ClaimDecision> {
    let Some(id) = &request.id else {
        // A person who wants an item of high risk asks for it.
        let found = registry.ready(state).into_iter().find(|item| {
            let risk = |other| risk_with(registry, &item.id, &item.paths, other).0;
            others(state, sesh).all(|other| risk(other) < Risk::High)
        });
        if !registry.exists() {
            return Err(Error::nothing("this repository has no registry of work")
                .with_way_out("name the item: sesh-work claim ID"));
        }
        let Some(item) = found else {
            return Ok(ClaimDecision::NothingReady);
        };
        let request = ClaimRequest {
            id: Some(item.id.clone()),
            ..request.clone()
        };
        return decide(state, registry, sesh, &request);
    };
    let item = registry.item(id);
    let id = item.map_or(id, |item| &item.id);
    match state.claim(id) {
        Some(claim) if Some(claim.holder.sesh) == sesh => {
            return Ok(ClaimDecision::HadIt(claim.id.clone()));
        }
        Some(claim) => return Ok(ClaimDecision::Held(Box::new(claim.clone()))),
        None => {}
    }
    if registry.exists() {
        let item = item.ok_or_else(|| {
            Error::nothing(format!("no item {id} in the registry"))
                .with_way_out("sesh-work shows the items")
        })?;
        check_status(item, registry, state)?;
        let open: Vec<&str> = registry
            .open_dependencies(item, state)
            .map(ItemId::as_str)
            .collect();
        if !open.is_empty() {
            return Err(Error::unusable(format!(
                "{id} requires {}, which is not completed",
                open.join(", ")
            ))
            .with_way_out("sesh-work claim takes the next one"));
        }
    }
    let work = claimed_work(id, item, request);
    let mut risks = Vec::new();
    for other in others(state, sesh) {
        let (risk, common) = risk_with(registry, id, &work.paths, other);
        let why = match &common[..] {
            [] => "the registry says so".into(),
            common => common.join(", "),
        };
        let with = format!("{id} conflicts with {} of {}", other.id, other.holder.name);
        match risk {
            Risk::None => {}
            Risk::High if request.over.is_none() => {
                return Err(Error::unusable(format!("{with}: the risk is high: {why}"))
                    .with_way_out_after_why("wait for it, or --override WHY"));
            }
            Risk::Low => risks.push(format!("{with}: the risk is low: {why}")),
            risk => risks.push(format!(
                "{with}: the risk is {risk}: {why}; consider to wait until it has landed"
            )),
        }
    }
    Ok(ClaimDecision::Granted {
        id: id.clone(),
        risks,
    })
}

fn check_status(item: &WorkItem, registry: &Registry, state: &LedgerState) -> Result<()> {
    let id = &item.id;
    let what = match registry.status(item, state) {
        ItemStatus::Ready | ItemStatus::InProgress => return Ok(()),
        ItemStatus::Draft => format!("{id} is a draft"),
        ItemStatus::Abandoned => format!("{id} is abandoned"),
        ItemStatus::Completed => match state.result(id) {
            Some(ItemResult::Landed { commit, .. }) => format!("{id} has landed in {commit}"),
            _ => format!("{id} is completed"),
        },
    };
    Err(Error::unusable(what).with_way_out("sesh-work claim takes the next one"))
}
