//! The agents in panes: which one, in which conversation, and what it is doing.

use std::collections::{HashMap, HashSet};

use super::pane::SeshPane;
use super::returned::Returning;
use super::seen::Other;
use super::{Change, Kind, Mend};
use crate::agent::state::Verdict;
use crate::env;
use crate::id::{Name, PaneId, SeshId};
use crate::pane::resident::Resident;
use crate::proc;
use crate::sesh::{find, made_up};
use crate::state::Why;
use crate::store::condition::{both, equal, name_is_free};
use crate::store::record;
use crate::store::{Key, value, write};
use crate::tmux::command;

/// What is to be written of the agent in a sesh's pane. `None` when none lives there and none is remembered to.
pub(super) fn difference(pane: &SeshPane, resident: Option<&Resident<'_>>) -> Option<Option<Mend>> {
    let values = &pane.record.values;
    let known = values.get(Key::Pid);
    let Some(resident) = resident else {
        return match () {
            () if known.is_empty() && pane.record.agent.is_none() => None,
            // Given one at its birth, and none was seen yet.
            () if known.is_empty() => Some(None),
            () => Some(gone(pane)),
        };
    };
    let process = resident.process();
    if pane.record.was_found() && !resident.was(known) {
        return Some(gone(pane));
    }
    Some(lives(pane, resident, &process))
}

/// An agent lives in the pane.
fn lives(pane: &SeshPane, resident: &Resident<'_>, process: &str) -> Option<Mend> {
    let values = &pane.record.values;
    let target = pane.pane.to_string();
    let known = values.get(Key::Pid);
    let kind = resident.living.agent.name.as_str();
    // What was registered with it holds until another process is seen.
    let same = known.is_empty() || resident.was(known);
    let conversation = match &resident.conversation {
        Some(id) => value::encode(id),
        None if same => values.get(Key::Conv).into(),
        None => String::new(),
    };
    let identity = [
        (Key::Agent, value::encode(kind)),
        (Key::Conv, conversation),
        (Key::Pid, process.to_string()),
    ];
    let mut commands = Vec::new();
    for (key, new) in &identity {
        if values.get(*key) != new {
            commands.push(if new.is_empty() {
                command::unset_pane(&target, key.option())
            } else {
                command::set_pane(&target, key.option(), new)
            });
        }
    }
    let another = !same;
    let verdict = match resident.state() {
        None if another => Some(resident.verdict()),
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
        return Some(pane.changes(Kind::State, &what, commands));
    }
    (!commands.is_empty()).then(|| {
        commands.push(command::set_pane_expanded(
            &target,
            Key::Updated.option(),
            write::NOW,
        ));
        let what = match &resident.conversation {
            Some(id) => format!("is {kind} in conversation {id}"),
            None => format!("is {kind}"),
        };
        pane.changes(Kind::Agent, &what, commands)
    })
}

/// The agent that lived in the pane is gone, and the pane is not.
fn gone(pane: &SeshPane) -> Option<Mend> {
    let target = pane.pane.to_string();
    if pane.record.was_found() {
        let mut commands = write::end(&target, &record::Exit::value(None, None));
        commands.push(pane.book());
        commands.extend(write::unmark(&target));
        let condition = pane.unchanged(&equal(Key::Exit, ""));
        let what = "has ended: its agent is gone, and the pane is no sesh any more";
        return Some(pane.mend(Kind::Ended, what, condition, commands));
    }
    // It was the command itself, whose end sesh-run is about to write.
    if pane.record.is_made() && proc::children(pane.pid).is_empty() {
        return None;
    }
    let mut commands: Vec<_> = [Key::Agent, Key::Conv, Key::Pid]
        .into_iter()
        .filter(|key| !pane.record.values.get(*key).is_empty())
        .map(|key| command::unset_pane(&target, key.option()))
        .collect();
    let state = find::level_without_agent(&pane.record);
    commands.extend(write::state(&target, state, None, "process"));
    let what = format!("has no agent any more, and is {}", state.as_str());
    Some(pane.changes(Kind::Agent, &what, commands))
}

/// The agents in panes that are no seshes, made seshes: those that they were, if one is known.
pub(super) fn adopted(
    found: Vec<(&Other, &Resident<'_>)>,
    panes: &[SeshPane],
    pasts: &HashMap<PaneId, Returning>,
) -> Vec<Mend> {
    let mut taken: HashSet<String> = panes.iter().map(|pane| pane.record.name.clone()).collect();
    found
        .into_iter()
        .map(|(other, resident)| {
            let returning = pasts.get(&other.place.pane);
            let id = returning.map_or_else(SeshId::random, |returning| returning.past.id());
            let folder = resident.folder();
            let folder = folder.as_deref().unwrap_or(&other.folder);
            let kind = resident.living.agent.name.as_str();
            let own = returning.map(|returning| returning.name.clone());
            let made_up =
                (0..=taken.len()).map(|again| made_up::name_of_agent(id, kind, folder, again));
            let name = own
                .into_iter()
                .chain(made_up)
                .find(|name| !taken.contains(name.as_str()))
                .expect("one more name than there are taken");
            taken.insert(name.to_string());
            adoption(other, resident, id, &name, folder, returning)
        })
        .collect()
}

fn adoption(
    other: &Other,
    resident: &Resident<'_>,
    id: SeshId,
    name: &Name,
    folder: &str,
    returning: Option<&Returning>,
) -> Mend {
    let place = &other.place;
    let started = proc::read(place.pid).map_or(0, |process| process.start);
    let Verdict { state, why, by, .. } = resident.verdict();
    let kind = resident.living.agent.name.as_str();
    let was_found = returning.is_none_or(|returning| returning.was_found);
    let mut values = vec![
        (Key::Name, name.to_string()),
        (Key::Agent, value::encode(kind)),
        (
            Key::Conv,
            value::encode(resident.conversation.as_deref().unwrap_or("")),
        ),
        (Key::Pid, resident.process()),
        (Key::Auto, if was_found { "1" } else { "" }.into()),
        (Key::Proc, format!("{}:{started}", place.pid)),
        (Key::State, state.as_str().into()),
        (Key::Why, why.map_or("", Why::as_str).into()),
        (Key::By, by.as_str().into()),
        (Key::Cwd, value::encode(folder)),
        (Key::Host, value::encode(&env::machine())),
    ];
    let mut condition = both(
        &equal(Key::Id, ""),
        &format!("#{{==:#{{pane_pid}},{}}}", place.pid),
    );
    let (change, what) = match returning {
        Some(Returning { past, .. }) => {
            past.goes_on(&mut values);
            condition = both(&condition, &past.is_as_it_was());
            let what = format!("is back: {kind} in its conversation");
            (Kind::Returned, what)
        }
        None => {
            let what = format!("was found: {kind} in a pane that was no sesh");
            (Kind::Adopted, what)
        }
    };
    Mend {
        change: Change {
            change,
            uuid: id,
            name: Some(name.to_string()),
            pane: Some(place.pane),
            what,
        },
        condition: both(&condition, &name_is_free(name, None)),
        commands: write::birth(&place.pane.to_string(), id, &values),
    }
}
