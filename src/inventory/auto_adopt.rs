//! Adopts agents that are not registered. An agent in the conversation of an exited sesh becomes that sesh again.

use std::collections::{HashMap, HashSet};

use super::change::{Change, ChangeKind, Repair};
use super::pane::SeshPane;
use crate::agent::state::Verdict;
use crate::env;
use crate::id::{Name, PaneId, SeshId};
use crate::pane::agent::PaneAgent;
use crate::proc;
use crate::state::Why;
use crate::store::condition::{both, equal, name_is_free};
use crate::store::generated_name;
use crate::store::prior::Prior;
use crate::store::{Key, Place, value, write};

/// An exited sesh whose agent runs again.
#[derive(Debug)]
pub(super) struct Returning {
    pub(super) prior: Prior,
    pub(super) name: Name,
    /// The sesh was adopted automatically: it ends with its agent, not with its pane.
    pub(super) was_found: bool,
}

/// An agent that is not registered.
pub(super) struct FoundAgent<'a> {
    pub(super) place: &'a Place,
    pub(super) folder: &'a str,
    pub(super) pane_agent: &'a PaneAgent<'a>,
    /// The sesh that the agent already is: its conversation was not known yet when it was adopted.
    pub(super) provisional: Option<&'a SeshPane>,
}

impl<'a> FoundAgent<'a> {
    /// Returns an agent that was adopted just before its conversation became known, and whose sesh has not been edited
    /// since.
    pub(super) fn recently_adopted(
        pane: &'a SeshPane,
        pane_agent: &'a PaneAgent<'a>,
    ) -> Option<Self> {
        let record = &pane.record;
        let untouched = [Key::Tags, Key::Note, Key::Meta, Key::Parent, Key::Archived]
            .iter()
            .all(|key| record.values.get(*key).is_empty());
        let kind = pane_agent.process_of_agent.agent.name.as_str();
        let generated = generated_name::name_of_agent(record.uuid, kind, &record.cwd, 0);
        let is_recent = record.was_auto_adopted()
            && record.exit.is_none()
            && record.conversation.is_none()
            && pane_agent.conversation.is_some()
            && pane_agent.matches_stored(record.values.get(Key::Pid))
            && untouched
            && record.name.starts_with(generated.as_str());
        is_recent.then_some(Self {
            place: record.tmux.as_ref()?,
            folder: &record.cwd,
            pane_agent,
            provisional: Some(pane),
        })
    }
}

/// Returns the repairs that make these agents seshes.
pub(super) fn adoptions(
    found: &[FoundAgent<'_>],
    panes: &[SeshPane],
    mut returning_by_pane: HashMap<PaneId, Returning>,
) -> Vec<Repair> {
    let mut taken: HashSet<String> = panes.iter().map(|pane| pane.record.name.clone()).collect();
    found
        .iter()
        .filter_map(|found| {
            let returning = returning_by_pane.remove(&found.place.pane);
            if found.provisional.is_some() && returning.is_none() {
                return None;
            }
            let returned = returning.as_ref();
            let id = returned.map_or_else(SeshId::random, |returning| returning.prior.id());
            let folder = found.pane_agent.folder();
            let folder = folder.as_deref().unwrap_or(found.folder);
            let kind = found.pane_agent.process_of_agent.agent.name.as_str();
            let stored_name = returned.map(|returning| returning.name.clone());
            let generated = (0..=taken.len())
                .map(|attempt| generated_name::name_of_agent(id, kind, folder, attempt));
            let name = stored_name
                .into_iter()
                .chain(generated)
                .find(|name| !taken.contains(name.as_str()))
                .expect("one more name than are in use");
            taken.insert(name.to_string());
            Some(adoption(found, id, &name, folder, returning))
        })
        .collect()
}

fn adoption(
    found: &FoundAgent<'_>,
    id: SeshId,
    name: &Name,
    folder: &str,
    returning: Option<Returning>,
) -> Repair {
    let FoundAgent {
        place,
        pane_agent,
        provisional,
        ..
    } = found;
    let pane = place.pane.to_string();
    let Verdict { state, why, by, .. } = pane_agent.verdict();
    let kind = pane_agent.process_of_agent.agent.name.as_str();
    let was_found = returning.as_ref().is_none_or(|it| it.was_found);
    let mut values = vec![
        (Key::Name, name.to_string()),
        (Key::Agent, value::encode(kind)),
        (
            Key::Conv,
            value::encode(pane_agent.conversation.as_deref().unwrap_or("")),
        ),
        (Key::Pid, pane_agent.process().to_string()),
        (Key::Auto, if was_found { "1" } else { "" }.into()),
        (Key::Proc, proc::identity(place.pid).to_string()),
        (Key::State, state.as_str().into()),
        (Key::Why, why.map_or("", Why::as_str).into()),
        (Key::By, by.as_str().into()),
        (Key::Cwd, value::encode(folder)),
        (Key::Host, value::encode(&env::machine())),
    ];
    let mut condition = format!("#{{==:#{{pane_pid}},{}}}", place.pid);
    let mut commands = Vec::new();
    match provisional {
        None => condition = both(&condition, &equal(Key::Id, "")),
        Some(provisional) => {
            condition = both(&condition, &provisional.unchanged(&equal(Key::Conv, "")));
            commands.push(write::drop_record(provisional.record.uuid));
            commands.extend(write::unregister(&pane));
        }
    }
    let (change, what) = match returning {
        Some(Returning { prior, .. }) => {
            prior.carry_over(&mut values);
            condition = both(&condition, &prior.is_unchanged());
            let what = format!("is back: {kind} continues its conversation");
            (ChangeKind::Returned, what)
        }
        None => {
            let what = format!("was adopted: {kind} runs in its pane");
            (ChangeKind::Adopted, what)
        }
    };
    let replaced = provisional.map(|provisional| provisional.record.uuid);
    commands.extend(write::birth(&pane, id, &values));
    Repair {
        change: Change {
            change,
            uuid: id,
            name: Some(name.to_string()),
            pane: Some(place.pane),
            what,
        },
        condition: both(&condition, &name_is_free(name, replaced)),
        commands,
        replaces: replaced,
    }
}
