//! Compares the agent in a sesh's pane with what is stored: which agent, which conversation, and what it is doing.

use super::change::{ChangeKind, Repair};
use super::find;
use super::pane::SeshPane;
use crate::agent::state::Verdict;
use crate::pane::agent::PaneAgent;
use crate::proc;
use crate::state::Why;
use crate::store::condition::equal;
use crate::store::record;
use crate::store::{Key, value, write};

/// Returns the repair for the agent in a sesh's pane: `Some(None)` when nothing differs, and `None` when no agent runs
/// there and none is stored.
pub(super) fn difference(
    pane: &SeshPane,
    pane_agent: Option<&PaneAgent<'_>>,
) -> Option<Option<Repair>> {
    let values = &pane.record.values;
    let known = values.get(Key::Pid);
    let Some(pane_agent) = pane_agent else {
        return match () {
            () if known.is_empty() && pane.record.agent.is_none() => None,
            // The sesh was created with an agent, and none has been seen yet.
            () if known.is_empty() => Some(None),
            () => Some(agent_gone(pane)),
        };
    };
    if pane.record.was_auto_adopted() && !pane_agent.matches_stored(known) {
        return Some(agent_gone(pane));
    }
    Some(agent_present(pane, pane_agent))
}

/// Returns the repair for a pane in which an agent runs.
fn agent_present(pane: &SeshPane, pane_agent: &PaneAgent<'_>) -> Option<Repair> {
    let values = &pane.record.values;
    let target = pane.pane.to_string();
    let known = values.get(Key::Pid);
    let kind = pane_agent.process_of_agent.agent.name.as_str();
    // The conversation that was registered with the agent holds until another process is seen.
    let same = known.is_empty() || pane_agent.matches_stored(known);
    let conversation = match &pane_agent.conversation {
        Some(id) => value::encode(id),
        None if same => values.get(Key::Conv).into(),
        None => String::new(),
    };
    let identity = [
        (Key::Agent, value::encode(kind)),
        (Key::Conv, conversation),
        (Key::Pid, pane_agent.stored_value()),
    ];
    let mut commands = Vec::new();
    for (key, new) in &identity {
        if values.get(*key) != new {
            commands.push(write::put(&target, *key, new));
        }
    }
    let another = !same;
    let verdict = match pane_agent.state() {
        None if another => Some(pane_agent.verdict()),
        verdict => verdict,
    };
    let stored = (values.get(Key::State), values.get(Key::Why));
    if let Some(Verdict { state, why, by, .. }) = verdict
        && (another || stored != (state.as_str(), why.map_or("", Why::as_str)))
    {
        let what = match why {
            Some(why) => format!("is {} for {}", state.as_str(), why.as_str()),
            None => format!("is {}", state.as_str()),
        };
        commands.extend(write::state(&target, state, why, by.as_str()));
        return Some(pane.changes(ChangeKind::State, &what, commands));
    }
    (!commands.is_empty()).then(|| {
        commands.extend(write::identity_news(&target));
        let what = match &pane_agent.conversation {
            Some(id) => format!("is {kind} in conversation {id}"),
            None => format!("is {kind}"),
        };
        pane.changes(ChangeKind::Agent, &what, commands)
    })
}

/// Returns the repair for a pane that still exists and whose agent is gone.
fn agent_gone(pane: &SeshPane) -> Option<Repair> {
    let target = pane.pane.to_string();
    if pane.record.was_auto_adopted() {
        let mut commands = write::end(&target, &record::ExitStatus::value(None, None));
        commands.push(pane.book());
        commands.extend(write::unregister(&target));
        let process = pane.record.values.get(Key::Pid).parse();
        commands.extend(
            process
                .ok()
                .map(|process| write::last_agent(pane.pane, process)),
        );
        let condition = pane.unchanged(&equal(Key::Exit, ""));
        let what = "has exited: its agent is gone, and the pane is no longer a sesh";
        return Some(pane.repair(ChangeKind::Ended, what, condition, commands));
    }
    // The agent was the command itself, and sesh-run is about to write its end.
    if pane.record.is_made() && proc::children(pane.pid).is_empty() {
        return None;
    }
    let mut commands: Vec<_> = [Key::Agent, Key::Conv, Key::Pid]
        .into_iter()
        .filter(|key| !pane.record.values.get(*key).is_empty())
        .map(|key| write::put(&target, key, ""))
        .collect();
    let state = find::state_without_agent(&pane.record);
    commands.extend(write::state(&target, state, None, "process"));
    let what = format!("no longer has an agent, and is {}", state.as_str());
    Some(pane.changes(ChangeKind::Agent, &what, commands))
}
