//! Registers a conversation of an agent that has no pane, as an exited sesh. A restore brings it back in a pane.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::agent::conversation;
use crate::agent::kinds::Agent;
use crate::clock;
use crate::env;
use crate::error::{Error, Result};
use crate::id::{Name, SeshId, Tag, shown};
use crate::store::registration::{RegisterOutcome, Unregistered, is_name_free, register};
use crate::store::{Key, Record, generated_name, value};
use crate::tmux::Server;

/// How many characters are shown of what is no id of a conversation.
const SHOWN: usize = 256;
/// How many generated names are tried.
const MAX_ATTEMPTS: usize = 100;

/// What to register.
#[derive(Clone, Debug)]
pub struct RegisterRequest<'a> {
    pub agent: &'a Agent,
    pub conversation: String,
    /// The folder in which it is resumed. Absolute.
    pub cwd: PathBuf,
    pub name: Option<Name>,
    pub tags: Vec<Tag>,
    /// Also register it if no transcript of it is found.
    pub force: bool,
}

/// Registers a conversation and returns its record. No server is needed.
///
/// # Errors
/// [`Exit::Usage`](crate::error::Exit::Usage) for a text that is no id of a conversation of this agent;
/// [`Exit::Nothing`](crate::error::Exit::Nothing) if the agent has no transcript of it;
/// [`Exit::Unusable`](crate::error::Exit::Unusable) if the agent cannot resume one, a sesh has the conversation, or a live
/// sesh has the name. [`Exit::Failed`](crate::error::Exit::Failed) if the journal cannot be written.
pub fn register_conversation(server: &Server, request: RegisterRequest<'_>) -> Result<Record> {
    let agent = request.agent;
    let kind = &agent.name;
    let id = &request.conversation;
    if !agent.manifest.conversation.may_be(id) {
        let id: String = id.chars().take(SHOWN).collect();
        return Err(Error::usage(format!(
            "{} is not a conversation id of {kind}",
            shown(&id)
        )));
    }
    if agent.manifest.commands.resume.is_none() {
        return Err(Error::unusable(format!(
            "{kind} cannot resume a conversation: sesh-new --agent {kind} starts a new one"
        )));
    }
    let variable = |name: &str| env::folder(name).map(OsString::from);
    if conversation::has_transcripts(agent)
        && !request.force
        && conversation::transcript(agent, id, variable).is_none()
    {
        return Err(
            Error::nothing(format!("{kind} has no transcript of the conversation {id}"))
                .with_way_out("--force registers it anyway"),
        );
    }
    let sesh = SeshId::random();
    let name = free_name(server, &request, sesh)?;
    let now = clock::seconds();
    let tags: Vec<&str> = request.tags.iter().map(Tag::as_str).collect();
    let values = [
        (Key::Id, sesh.to_string()),
        (Key::Name, name.to_string()),
        (Key::Tags, value::encode_tags(&tags)),
        (Key::Agent, value::encode(kind)),
        (Key::Conv, value::encode(id)),
        (Key::Cwd, value::encode(&request.cwd.to_string_lossy())),
        (Key::Created, now.to_string()),
        (Key::Updated, now.to_string()),
        (Key::Host, value::encode(&env::machine())),
    ];
    let outcomes = register(server, &[Unregistered::exited(sesh, &values, now)], true)?;
    match outcomes.into_iter().next() {
        Some(RegisterOutcome::Registered(record)) => Ok(*record),
        Some(RegisterOutcome::ConversationTaken(holder)) => Err(taken(id, &holder)),
        Some(RegisterOutcome::Known) | None => Err(Error::failed(
            "the new identity is known already: try again",
        )),
    }
}

/// Returns the error that a sesh has the conversation, with the way to it.
fn taken(id: &str, holder: &Record) -> Error {
    let name = &holder.name;
    let way_out = if holder.live {
        format!("sesh-enter {name} goes there")
    } else {
        format!("sesh-restore {} restores it", holder.uuid)
    };
    Error::unusable(format!("the conversation {id} is the sesh {}", shown(name)))
        .with_way_out(way_out)
}

/// Returns the name that was asked for, or a generated one.
fn free_name(server: &Server, request: &RegisterRequest<'_>, id: SeshId) -> Result<Name> {
    if let Some(name) = &request.name {
        if is_name_free(server, name)? {
            return Ok(name.clone());
        }
        return Err(Error::unusable(format!(
            "the name {name} is taken by a live sesh: choose another"
        )));
    }
    let folder = request.cwd.to_string_lossy();
    for attempt in 0..MAX_ATTEMPTS {
        let name = generated_name::name_of_agent(id, &request.agent.name, &folder, attempt);
        if is_name_free(server, &name)? {
            return Ok(name);
        }
    }
    Err(Error::unusable("no free name found: give one with --name"))
}
