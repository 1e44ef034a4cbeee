//! `sesh-adopt`: registers an existing pane as a sesh.

use clap::Parser;

use super::kind_parser::KindParser;
use super::{ServerArgs, target};
use crate::error::{Error, Exit};
use crate::id::{Name, Tag};
use crate::out;
use crate::sesh::adopt::{AdoptRequest, adopt};
use crate::store::Target;

/// Make a sesh of an existing pane
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The pane, as in %3
    #[arg(default_value = ".")]
    pane: String,

    /// Its name, unique among the living; generated if left out
    #[arg(long)]
    name: Option<Name>,

    /// The agent that lives there. Where none is found (ssh, docker exec), the program in front counts as it until that
    /// ends
    #[arg(long, value_name = "KIND", value_parser = KindParser::any())]
    agent: Option<String>,

    /// The agent's conversation id
    #[arg(long, value_name = "ID")]
    conv: Option<String>,

    /// A tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,

    /// Also when another pane has that conversation
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
            "{} is no pane: sesh-adopt takes . or a pane, as in %3",
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
