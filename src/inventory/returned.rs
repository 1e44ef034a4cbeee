//! Agents that were started again without sesh-restore in the conversation of an exited sesh, by a person in a shell or
//! by tmux-resurrect after a reboot. Such an agent becomes that sesh, and no other one.

use std::collections::HashMap;

use super::auto_adopt::{FoundAgent, Returning};
use super::pane::SeshPane;
use crate::error::{Exit, Result};
use crate::id::{Name, PaneId};
use crate::journal::search::Search;
use crate::store::prior::Prior;
use crate::store::{Record, Select, Snapshot, value};
use crate::tmux::Server;

/// Returns the exited seshes that the given agents continue. Reads the exited seshes only when an agent has a known
/// conversation that no other sesh has.
pub(super) fn priors(
    server: &Server,
    found: &[FoundAgent<'_>],
    panes: &[SeshPane],
) -> Result<HashMap<PaneId, Returning>> {
    let mut returning_by_pane = HashMap::new();
    let mut conversations: HashMap<(&str, &str), PaneId> = HashMap::new();
    for FoundAgent {
        place, pane_agent, ..
    } in found
    {
        if let Some(conversation) = &pane_agent.conversation {
            let agent = pane_agent.process_of_agent.agent.name.as_str();
            conversations.insert((agent, conversation), place.pane);
        }
    }
    for pane in panes.iter().filter(|pane| pane.record.exit.is_none()) {
        if let Some(conversation) = conversation(&pane.record) {
            conversations.remove(&conversation);
        }
    }
    if conversations.is_empty() {
        return Ok(returning_by_pane);
    }
    let search = conversations
        .keys()
        .fold(Search::default(), |search, (_, conversation)| {
            search.value(&value::encode(conversation))
        });
    let ended = Snapshot::read(server, &Select::ended(search))?.ended;
    let mut ended: Vec<&Record> = ended.iter().collect();
    // Of several seshes in one conversation, the one that was updated last comes first.
    ended.sort_by_key(|record| std::cmp::Reverse(record.updated_at));
    for record in ended {
        let pane = conversation(record).and_then(|known| conversations.remove(&known));
        if let (Some(pane), Ok(name)) = (pane, Name::stored(&record.name)) {
            let prior = match Prior::read(server, record) {
                Err(error) if error.exit == Exit::Changed => continue,
                outcome => outcome?,
            };
            let was_found = record.was_auto_adopted();
            let returning = Returning {
                prior,
                name,
                was_found,
            };
            returning_by_pane.insert(pane, returning);
        }
    }
    Ok(returning_by_pane)
}

fn conversation(record: &Record) -> Option<(&str, &str)> {
    Some((record.agent.as_deref()?, record.conversation.as_deref()?))
}
