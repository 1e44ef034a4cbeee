//! Registers a pane that was created elsewhere as a sesh.

use super::change::change;
use crate::agent::kinds::Agents;
use crate::env;
use crate::error::{Error, Result};
use crate::id::{Name, PaneId, ServerId, SeshId, Tag, shown};
use crate::inventory::find::state_by_shell;
use crate::pane::agent::{self, PaneAgent};
use crate::pane::given;
use crate::proc;
use crate::state::{State, Why};
use crate::store::commit::commit;
use crate::store::condition::{both, equal, name_is_free, no_pane_has};
use crate::store::edit::Edit;
use crate::store::generated_name;
use crate::store::note::{JournalEvent, Note};
use crate::store::prior::{Prior, name_is_taken};
use crate::store::query::{self, first_pane, read_server_id, row_format};
use crate::store::target;
use crate::store::{Key, Record, value, write};
use crate::tmux::{Batch, Frame, Server, command};

/// What to register.
#[derive(Clone, Debug, Default)]
pub struct AdoptRequest {
    pub name: Option<Name>,
    pub agent: Option<String>,
    pub conversation: Option<String>,
    pub tags: Vec<Tag>,
    /// Also register a conversation that another pane has.
    pub force: bool,
    /// The exited sesh that the pane continues, instead of a new one.
    pub prior: Option<Prior>,
}

/// Registers what runs in a pane. A sesh that was adopted automatically then counts as registered by a person.
///
/// # Errors
/// [`Exit::Unusable`](crate::error::Exit::Unusable) when the pane is a sesh already, the name is taken, or another pane
/// has the conversation; [`Exit::Changed`](crate::error::Exit::Changed) when the exited sesh already continues
/// elsewhere.
pub fn adopt(server: &Server, pane: PaneId, request: &AdoptRequest) -> Result<Record> {
    let frame = Frame::new();
    let agents = &Agents::loaded().all;
    let look = agent::look(server, pane, agents, &[])?;
    let found = &look.pane;
    if let Some(record) = &found.record {
        return if record.was_auto_adopted() {
            keep(server, record, request)
        } else {
            Err(already_registered(pane, &record.name))
        };
    }
    let first_process = proc::identity(found.place.pid);
    let past = request.prior.as_ref();
    let id = past.map_or_else(SeshId::random, Prior::id);
    // The agent that runs there is recorded at once, and not only at the next look.
    let pane_agent = look.pane_agent.as_ref();
    if past.is_some() && pane_agent.is_some() {
        return Err(Error::unusable(format!(
            "an agent runs in pane {pane}: its conversation tells which sesh it is"
        )));
    }
    let verdict = pane_agent.map(PaneAgent::verdict);
    let kind = pane_agent.map(|pane_agent| pane_agent.process_of_agent.agent.name.clone());
    let agent = request.agent.clone().or(kind);
    let conversation = pane_agent.and_then(|pane_agent| pane_agent.conversation.clone());
    let conversation = request.conversation.clone().or(conversation);
    let by_process = || {
        let first = proc::read(found.place.pid)?;
        Some((state_by_shell(&first), None, "process"))
    };
    let (state, why, by) = match verdict {
        Some(verdict) => (verdict.state, verdict.why, verdict.by.as_str()),
        None if agent.is_none() => by_process().unwrap_or((State::Unknown, None, "")),
        None => (State::Unknown, None, ""),
    };
    let given = given_process(request, found.place.pid);
    let event = if past.is_some() {
        JournalEvent::Changed
    } else {
        JournalEvent::Adopted
    };
    for attempt in 0..100 {
        let name = request
            .name
            .clone()
            .unwrap_or_else(|| generated_name::name(id, attempt));
        let tags: Vec<&str> = request.tags.iter().map(Tag::as_str).collect();
        let text = |value: &Option<String>| value::encode(value.as_deref().unwrap_or(""));
        let mut values = vec![
            (Key::Name, name.to_string()),
            (Key::Tags, value::encode_tags(&tags)),
            (Key::Agent, text(&agent)),
            (Key::Conv, text(&conversation)),
            (
                Key::Pid,
                pane_agent.map_or_else(|| given.clone(), PaneAgent::stored_value),
            ),
            (Key::Proc, first_process.to_string()),
            (Key::State, state.as_str().into()),
            (Key::Why, why.map_or("", Why::as_str).into()),
            (Key::By, by.into()),
            (Key::Cwd, value::encode(&look.folder)),
            (Key::Host, value::encode(&env::machine())),
        ];
        if let Some(past) = past {
            past.carry_over(&mut values);
        }
        let batch = registration(pane, id, &name, request, &values, &frame);
        let made = commit(server, &batch, |answer| {
            let made = read(&frame, &answer?, pane)?;
            let note = match &made {
                Registration::Registered(record, life) => {
                    let only_in_journal = past.is_some_and(Prior::is_only_in_journal);
                    let note = Note::all(event, record, *life).with_pending(only_in_journal);
                    vec![note]
                }
                _ => Vec::new(),
            };
            Ok((made, note))
        })?;
        return match made {
            Registration::Registered(record, _) => Ok(*record),
            Registration::NameTaken if request.name.is_none() => continue,
            Registration::NameTaken if past.is_some() => Err(name_is_taken(name.as_str())),
            Registration::NameTaken => Err(Error::unusable(format!(
                "the name {name} is taken by a live sesh: choose another"
            ))),
            Registration::PriorChanged => Err(target::changed(id)),
            Registration::ConversationTaken => Err(Error::unusable(format!(
                "another pane already has the conversation {}: --force registers it twice",
                shown(request.conversation.as_deref().unwrap_or(""))
            ))),
            Registration::IsSesh(name) => Err(already_registered(pane, &name)),
        };
    }
    Err(Error::unusable("no free name found: give one with --name"))
}

/// Returns the value of `@sesh_pid` where a person names an agent that is not found: the program in front counts as it.
fn given_process(request: &AdoptRequest, first: i32) -> String {
    let processes = request.agent.as_ref().map(|_| proc::tree(first));
    let front = processes
        .as_ref()
        .and_then(|processes| given::front(first, false, processes));
    front.map_or_else(String::new, |front| given::stored_value(front.id()))
}

/// The outcome of a registration.
enum Registration {
    Registered(Box<Record>, Option<ServerId>),
    NameTaken,
    /// The exited sesh that the pane is to continue has changed.
    PriorChanged,
    ConversationTaken,
    /// The pane is the sesh of this name by now.
    IsSesh(String),
}

/// Reads the answer to a [`registration`].
fn read(frame: &Frame, answer: &str, pane: PaneId) -> Result<Registration> {
    match answer.trim() {
        "name" => return Ok(Registration::NameTaken),
        "past" => return Ok(Registration::PriorChanged),
        "conversation" => return Ok(Registration::ConversationTaken),
        other => {
            if let Some(name) = other.strip_prefix("sesh ") {
                return Ok(Registration::IsSesh(name.into()));
            }
        }
    }
    let (rows, _) = frame.read(answer);
    let record = first_pane(&rows)?
        .and_then(|pane| pane.record)
        .ok_or_else(|| Error::nothing(format!("pane {pane} has closed in the meantime")))?;
    let life = rows.iter().find_map(|row| read_server_id(row));
    Ok(Registration::Registered(Box::new(record), life))
}

/// Makes a sesh that was adopted automatically one that a person registered. Its agent is already known and proven.
fn keep(server: &Server, record: &Record, request: &AdoptRequest) -> Result<Record> {
    let mut changes = vec![Edit::Keep];
    changes.extend(request.name.clone().map(Edit::Name));
    changes.extend(request.tags.iter().cloned().map(Edit::Tag));
    change(server, record, &changes)
}

/// Returns the one list that registers the pane if it is no sesh, the name is free, and no other pane has the
/// conversation.
fn registration(
    pane: PaneId,
    id: SeshId,
    name: &Name,
    request: &AdoptRequest,
    values: &[(Key, String)],
    frame: &Frame,
) -> Batch {
    let target = pane.to_string();
    let mut register = Batch::new();
    register.extend(write::birth(&target, id, values));
    register.extend([
        command::print(Some(&target), &row_format(frame)),
        query::life(frame),
    ]);
    if let Some(conversation) = &request.conversation
        && !request.force
    {
        let elsewhere = both(
            &equal(Key::Conv, &value::encode(conversation)),
            &equal(Key::Exit, ""),
        );
        register = Batch::from(command::if_format(
            None,
            &no_pane_has(&elsewhere),
            &register,
            &Batch::from(command::print(None, "conversation")),
        ));
    }
    if let Some(past) = &request.prior {
        register = Batch::from(command::if_format(
            None,
            &past.is_unchanged(),
            &register,
            &Batch::from(command::print(None, "past")),
        ));
    }
    let named = Batch::from(command::if_format(
        None,
        &name_is_free(name, None),
        &register,
        &Batch::from(command::print(None, "name")),
    ));
    let unregistered = both(&equal(Key::Id, ""), &format!("#{{==:#{{pane_id}},{pane}}}"));
    Batch::from(command::if_format(
        Some(&target),
        &unregistered,
        &named,
        &Batch::from(command::print(
            Some(&target),
            &format!("sesh {}", Key::Name.format()),
        )),
    ))
}

fn already_registered(pane: PaneId, name: &str) -> Error {
    Error::unusable(format!(
        "pane {pane} is already the sesh {name}: sesh-set changes it"
    ))
}
