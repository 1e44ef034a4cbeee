//! `sesh-adopt`: registers an existing pane as a sesh.

use clap::Parser;

use super::kind_parser::KindParser;
use super::{ServerArgs, target};
use crate::error::{Error, Exit};
use crate::id::{Name, Tag};
use crate::out;
use crate::sesh::adopt::{AdoptRequest, adopt};
use crate::store::Target;

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
];

/// Register an existing pane as a sesh
///
/// Nothing in the pane changes. Prints the uuid of the sesh.
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

    /// Give it this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,

    /// Register it even if another pane has the same conversation
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
    if args.json {
        out::json(&record)?;
    } else {
        out::text(&record.uuid.to_string())?;
    }
    Ok(Exit::Done)
}
