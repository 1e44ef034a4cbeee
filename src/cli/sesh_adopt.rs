//! `sesh-adopt`: registers an existing pane as a sesh.

use std::path::PathBuf;

use clap::Parser;

use super::kind_parser::KindParser;
use super::sesh_new::folder;
use super::{ServerArgs, target};
use crate::agent::kinds::Agents;
use crate::error::{Error, Exit};
use crate::id::{Name, Tag};
use crate::out;
use crate::sesh::adopt::{AdoptRequest, adopt};
use crate::sesh::register::{RegisterRequest, register_conversation};
use crate::store::{Record, Target};

pub(super) const EXAMPLES: super::Examples = &[
    ("Register this pane", "sesh-adopt . --name editor"),
    (
        "Register another pane, with a tag",
        "sesh-adopt %3 --name logs --tag ops",
    ),
    (
        "Register an agent that runs behind ssh",
        "sesh-adopt %2 --name remote --agent codex",
    ),
    (
        "Register a conversation that has no pane, to restore it later",
        "sesh-adopt --agent opencode --conv ses_1f2e --cwd . --name before",
    ),
];

/// Register an existing pane, or a conversation of an agent, as a sesh
///
/// Nothing in the pane changes. With --cwd it registers a conversation that has no pane, as an exited sesh, which
/// sesh-restore brings back in a pane. Prints the uuid of the sesh.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The pane to register: . is this pane, %3 is pane 3
    #[arg(default_value = ".")]
    pane: String,

    /// The name, unique among live seshes [default: generated]
    #[arg(long)]
    name: Option<Name>,

    /// The kind of agent that runs there [default: detected]. Where none is detected, as behind ssh or docker exec, the
    /// foreground program counts as this agent until it ends
    #[arg(long, value_name = "KIND", value_parser = KindParser::any())]
    agent: Option<String>,

    /// The id of the agent's conversation [default: detected]
    #[arg(long, value_name = "ID")]
    conv: Option<String>,

    /// With --agent and --conv: register this conversation, which has no pane, as an exited sesh of this folder
    #[arg(
        long,
        value_name = "DIR",
        requires = "agent",
        requires = "conv",
        conflicts_with = "pane"
    )]
    cwd: Option<PathBuf>,

    /// Give it this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,

    /// Register it even if another pane has the same conversation, or with --cwd if the agent has no transcript of it
    #[arg(long)]
    force: bool,

    /// Print the record as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    if args.cwd.is_some() {
        return adopt_conversation(args);
    }
    let Target::Pane(pane) = target(&server, &args.pane)? else {
        return Err(Error::usage(format!(
            "{} is not a pane: give . or a pane, as in %3",
            args.pane
        ))
        .into());
    };
    let record = adopt(
        &server,
        pane,
        &AdoptRequest {
            name: args.name,
            agent: args.agent,
            conversation: args.conv,
            tags: args.tag,
            force: args.force,
            prior: None,
        },
    )?;
    print(&record, args.json)
}

fn adopt_conversation(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let kind = args.agent.unwrap_or_default();
    let agent = Agents::loaded().named(&kind);
    let record = register_conversation(
        &server,
        RegisterRequest {
            agent: agent.ok_or_else(|| Error::usage("unknown agent"))?,
            conversation: args.conv.unwrap_or_default(),
            cwd: folder(args.cwd.as_deref())?,
            name: args.name,
            tags: args.tag,
            force: args.force,
        },
    )?;
    print(&record, args.json)
}

fn print(record: &Record, json: bool) -> anyhow::Result<Exit> {
    if json {
        out::unless_hung_up(out::json(record))?;
    } else {
        out::unless_hung_up(out::text(&record.uuid.to_string()))?;
    }
    Ok(Exit::Done)
}
