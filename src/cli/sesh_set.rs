//! `sesh-set`: changes the stored fields of seshes.

use clap::Parser;

use super::{ServerArgs, pair, target, targets};
use crate::agent::kinds::Agents;
use crate::error::{Error, Exit};
use crate::id::{Name, Tag};
use crate::inventory::find;
use crate::out;
use crate::sesh::autoname::Autoname;
use crate::sesh::change::{change, change_tagged};
use crate::store::edit::Edit;
use crate::store::{Record, Select};

pub(super) const EXAMPLES: super::Examples = &[
    ("Rename a sesh", "sesh-set build --name compile"),
    (
        "Add a tag and a note",
        "sesh-set api --tag team --note 'waits for the review'",
    ),
    (
        "Replace a tag in a whole set",
        "sesh-set --tagged ci --retag ci=ci-old",
    ),
    ("Hide a sesh from lists", "sesh-set notes --archive"),
    (
        "Name agents after what they work on, and print the names",
        "sesh-set --tagged team --autoname",
    ),
];

/// Rename, tag, annotate or archive seshes
///
/// All changes to one sesh are made, or none. With --tagged a whole set is changed at once, and the uuid and name of
/// each changed sesh are printed, separated by a tab. With --autoname the new name is printed.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The seshes to change
    #[arg(required_unless_present = "tagged", value_name = "TARGET")]
    targets: Vec<String>,

    /// Change every sesh that has a pane and this tag; repeat it to require several tags
    #[arg(long, value_name = "TAG", conflicts_with_all = ["targets", "name"])]
    tagged: Vec<Tag>,

    /// Rename it; the name must be unique among live seshes
    #[arg(long)]
    name: Option<Name>,

    /// Name it after its conversation: the agent's title, else the first prompt, as in fix-login-race
    #[arg(long, conflicts_with = "name")]
    autoname: bool,

    /// Add this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,

    /// Remove this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    untag: Vec<Tag>,

    /// Replace a tag by another; may be repeated
    #[arg(long, value_name = "OLD=NEW", value_parser = retag)]
    retag: Vec<(Tag, Tag)>,

    /// Archive it: hide it from lists without ending it
    #[arg(long)]
    archive: bool,

    /// Show it in lists again
    #[arg(long, conflicts_with = "archive")]
    unarchive: bool,

    /// Set its note; an empty text removes it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,

    /// Set a field of your own; an empty value removes it; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    meta: Vec<(String, String)>,

    /// Set the sesh that it belongs to; an empty text removes it
    #[arg(long, value_name = "TARGET")]
    parent: Option<String>,

    /// Print the changed records as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

fn retag(text: &str) -> Result<(Tag, Tag), String> {
    let (old, new) = text.split_once('=').ok_or("it needs a =, as in OLD=NEW")?;
    let tag = |text: &str| text.parse::<Tag>().map_err(|error| error.to_string());
    Ok((tag(old)?, tag(new)?))
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let targets = targets(&server, &args.targets)?;
    if targets.len() > 1 && args.name.is_some() {
        return Err(Error::usage("several seshes cannot share a name: give one target").into());
    }
    let mut changes = Vec::new();
    changes.extend(args.name.map(Edit::Name));
    changes.extend(args.tag.into_iter().map(Edit::Tag));
    changes.extend(args.untag.into_iter().map(Edit::Untag));
    changes.extend(
        args.retag
            .into_iter()
            .map(|(old, new)| Edit::Retag(old, new)),
    );
    changes.extend(args.archive.then_some(Edit::Archived(true)));
    changes.extend(args.unarchive.then_some(Edit::Archived(false)));
    changes.extend(args.note.map(Edit::Note));
    changes.extend(
        args.meta
            .into_iter()
            .map(|(key, value)| Edit::Meta(key, value)),
    );
    if let Some(parent) = &args.parent {
        changes.push(Edit::Parent(match parent.as_str() {
            "" => None,
            parent => Some(find::one(&server, &target(&server, parent)?)?.uuid),
        }));
    }
    if changes.is_empty() && !args.autoname {
        return Err(
            Error::usage("nothing to change: give --name, --tag, --note, --archive …").into(),
        );
    }
    if !args.tagged.is_empty() && args.autoname {
        let members = find::tagged(&server, &args.tagged)?;
        let agents = Agents::loaded();
        let outcomes = members.iter().map(|record| {
            let autoname = Autoname::read(record, agents)?;
            autoname.carry_out(&server, &changes)
        });
        return print_changed(outcomes.collect(), args.json);
    }
    if !args.tagged.is_empty() {
        let outcomes = change_tagged(&server, &args.tagged, &changes)?;
        return print_changed(outcomes, args.json);
    }
    let snapshot = find::read(&server, &Select::targets(&targets))?;
    // Every target is found before the first is changed.
    let found = targets
        .iter()
        .map(|target| snapshot.find(target))
        .collect::<Result<Vec<&Record>, Error>>()?;
    let records = if args.autoname {
        let agents = Agents::loaded();
        // What cannot be named is found before the first is changed, too.
        let named = found
            .into_iter()
            .map(|record| Autoname::read(record, agents))
            .collect::<Result<Vec<Autoname<'_>>, Error>>()?;
        let outcomes = named.iter().map(|it| it.carry_out(&server, &changes));
        outcomes.collect::<Result<Vec<Record>, Error>>()?
    } else {
        let outcomes = found.into_iter().map(|it| change(&server, it, &changes));
        outcomes.collect::<Result<Vec<Record>, Error>>()?
    };
    if args.autoname && !args.json {
        for record in &records {
            out::unless_hung_up(out::line(&record.name))?;
        }
    }
    if args.json {
        out::unless_hung_up(out::json(&records))?;
    }
    Ok(Exit::Done)
}

/// Prints the records that were changed, and why the others were not. Returns the worst exit code.
fn print_changed(outcomes: Vec<Result<Record, Error>>, json: bool) -> anyhow::Result<Exit> {
    let mut worst = Exit::Done;
    let mut records = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(record) => records.push(record),
            Err(error) => {
                out::complain("sesh-set", &error.to_string());
                worst = worst.worst(error.exit);
            }
        }
    }
    if json {
        out::unless_hung_up(out::json(&records))?;
    } else {
        for record in &records {
            let line = format!("{}\t{}", record.uuid, record.name);
            out::unless_hung_up(out::line(&line))?;
        }
    }
    Ok(worst)
}
