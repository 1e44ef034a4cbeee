//! `sesh-restore`: brings exited seshes back.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use super::sesh_new::place_of;
use super::{ServerArgs, sesh_enter, target};
use crate::clock;
use crate::error::{self, Error, Exit};
use crate::id::Tag;
use crate::inventory::find;
use crate::out;
use crate::sesh::import::import;
use crate::sesh::restore::resurrect;
use crate::sesh::restore::{self, RestoreOptions, restore_all};
use crate::state::State;
use crate::store::Record;
use crate::store::pending_restore::{self, RestoreSetting};
use crate::store::registration::RegisterOutcome;
use crate::tmux::Server;

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Restore an exited sesh, and go there",
        "sesh-restore old --enter",
    ),
    (
        "Show what would be restored after the tmux server died",
        "sesh-restore --last-alive --dry-run",
    ),
    (
        "Restore all seshes that were alive then",
        "sesh-restore --last-alive",
    ),
    ("Decline to restore them", "sesh-restore --dismiss"),
    (
        "Write all seshes into a file, and show what of it would be new here",
        "sesh-save --export all.jsonl && sesh-restore --from all.jsonl --dry-run",
    ),
];

/// Restore an exited sesh: the same identity in a new pane, its agent in the same conversation
///
/// It gets a window of its session, or a new session, in its folder. Waits until its agent has started; if that fails,
/// everything is left as it was, and the last lines of the agent are printed. A command is typed and waits for Enter.
/// Prints the uuid.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The sesh to restore
    #[arg(required_unless_present_any = ["tag", "last_alive", "dismiss", "offer", "resurrect", "resurrect_begins", "from"])]
    target: Option<String>,

    /// Restore the newest exited sesh of each name that has this tag; repeat it to require several tags. With --last-alive,
    /// restore only those of its seshes that have the tag
    #[arg(long, visible_alias = "tagged", value_name = "TAG", conflicts_with_all = ["target", "enter", "words"])]
    tag: Vec<Tag>,

    /// Register the seshes of this file as exited ones: a file of sesh-save --export, or a sessions.json of sesh v1. What
    /// is known here stays as it is. With --last-alive, restore those that were alive when it was written
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "tag", "dismiss", "offer", "resurrect", "resurrect_begins", "enter", "words"])]
    from: Option<PathBuf>,

    /// Put it into this session, and this window of it; made when absent [default: its former session]
    #[arg(long = "target", value_name = "SESSION[:WINDOW]", conflicts_with_all = ["dismiss", "offer", "resurrect", "resurrect_begins"])]
    place: Option<String>,

    /// Restore all seshes that were alive when the last tmux server died
    #[arg(long, conflicts_with_all = ["target", "enter", "words"])]
    last_alive: bool,

    /// Print what would be restored, and what would not and why; do nothing
    #[arg(long, conflicts_with_all = ["dismiss", "offer", "resurrect", "resurrect_begins", "enter", "run"])]
    dry_run: bool,

    /// Do not restore the seshes that were alive when the last tmux server died, and do not offer them again
    #[arg(long, conflicts_with_all = ["target", "last_alive", "enter", "words", "run"])]
    dismiss: bool,

    /// What the plugin calls at load: do with those what @sesh-restore says
    #[arg(long, hide = true, conflicts_with_all = ["target", "last_alive", "dismiss"])]
    offer: bool,

    /// Restore the seshes whose panes tmux-resurrect has restored, from the lines that sesh-save wrote into this file;
    /// for its hook post-restore-all
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "last_alive", "dismiss", "offer", "enter", "words", "run"])]
    resurrect: Option<PathBuf>,

    /// Record which panes exist; the hook pre-restore-all of tmux-resurrect calls it
    #[arg(long, conflicts_with_all = ["target", "last_alive", "dismiss", "offer", "resurrect", "enter", "words", "run", "json"])]
    resurrect_begins: bool,

    /// Run the command at once, instead of typing it without Enter
    #[arg(long)]
    run: bool,

    /// Give up if an agent has not started after this long [default: 2m]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Go to the new pane
    #[arg(long)]
    enter: bool,

    /// Print the record as JSON; of several an array of records, with --dismiss that of those that are not offered any more
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,

    /// More arguments for the agent's command line
    #[arg(last = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    // Of several, each agent has that time.
    let limit = args.timeout.filter(|_| args.target.is_some());
    let server = args.on.server_within(limit)?;
    let options = RestoreOptions {
        run: args.run,
        words: args.words,
        place: args.place.as_deref().map(place_of).transpose()?,
        within: args.timeout.unwrap_or(RestoreOptions::DEFAULT.within),
        late: &out::hint,
    };
    if args.dismiss {
        let pending = pending_restore::pending(&server)?;
        if pending.is_empty() {
            out::hint(NONE_PENDING);
        }
        pending_restore::answer(&server)?;
        if args.json {
            out::unless_hung_up(out::json(&pending))?;
        }
        return Ok(Exit::Done);
    }
    if args.offer {
        return offer(&server, &options);
    }
    if args.resurrect_begins {
        resurrect::begin(&server)?;
        return Ok(Exit::Done);
    }
    if let Some(file) = &args.resurrect {
        return restore_resurrected(&server, file, &options, args.json);
    }
    if let Some(file) = &args.from {
        let restored = args.last_alive.then_some(&options);
        return from_file(&server, file, restored, args.dry_run, args.json);
    }
    let Some(text) = &args.target else {
        if !args.tag.is_empty() && !args.last_alive {
            return restore_tagged(&server, &args.tag, &options, args.dry_run, args.json);
        }
        pending_restore::lost_servers(&server)?
            .iter()
            .for_each(|lost| error::warn(lost.to_string()));
        let mut pending = pending_restore::pending(&server)?;
        pending.retain(|record| record.has_tags(&args.tag));
        if pending.is_empty() {
            out::hint(NONE_PENDING);
        }
        return if args.dry_run {
            plan(&server, &pending, args.json)
        } else {
            all(&server, &options, &args.tag, args.json)
        };
    };
    let record = find::one(&server, &target(&server, text)?)?;
    if args.dry_run {
        restore::check_restorable(&server, &record)?;
        return plan(&server, &[record], args.json);
    }
    if args.enter {
        sesh_enter::require_client_or_terminal(&server, None)?;
    }
    let record = restore::one(&server, &record, &options)?;
    if args.json {
        out::unless_hung_up(out::json(&record))?;
    } else {
        out::unless_hung_up(out::text(&record.uuid.to_string()))?;
    }
    if record.state == State::Waiting && !args.enter {
        let why = record.why.as_deref().unwrap_or("a person");
        out::hint(&format!("{} is restored, and waits for {why}", record.name));
    }
    if args.enter {
        sesh_enter::go(&server, &record, None, false)?;
    }
    Ok(Exit::Done)
}

/// The hint for a person where no restore is pending.
const NONE_PENDING: &str = "no pending restores: sesh-list --all shows exited seshes";

/// Prints for each sesh what a restore would do.
fn plan(server: &Server, records: &[Record], json: bool) -> anyhow::Result<Exit> {
    if json {
        out::json(&records)?;
        return Ok(Exit::Done);
    }
    for record in records {
        let what = match restore::check_restorable(server, record) {
            Ok(()) => match &record.agent {
                Some(agent) => agent.clone(),
                None if record.command.is_empty() => "a shell".into(),
                None => "a command, waiting for Enter".into(),
            },
            Err(error) => format!("not: {error}"),
        };
        let row = format!("{}  {}  {what}", record.name, record.cwd);
        out::line(&out::tsv(&row))?;
    }
    Ok(Exit::Done)
}

/// Restores the pending restores with these tags.
fn all(
    server: &Server,
    options: &RestoreOptions<'_>,
    tags: &[Tag],
    json: bool,
) -> anyhow::Result<Exit> {
    let mut back = Vec::new();
    let worst = restore_pending(server, options, &|record| record.has_tags(tags), &mut back)?;
    print_restored(&back, json, worst)
}

/// Restores the exited seshes with these tags, or prints what that would do.
fn restore_tagged(
    server: &Server,
    tags: &[Tag],
    options: &RestoreOptions<'_>,
    dry_run: bool,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut exited = find::tagged_or_exited(server, tags)?;
    exited.retain(|record| !record.live && !record.archived);
    // Only one sesh of a name can live, and the newest is the one that the name means.
    exited.sort_by_key(|record| std::cmp::Reverse(record.last_end()));
    let mut names = HashSet::new();
    exited.retain(|record| names.insert(record.name.clone()));
    exited.sort_by(|one, other| (one.created_at, &one.name).cmp(&(other.created_at, &other.name)));
    if exited.is_empty() {
        return Err(
            Error::nothing("every sesh with the tag is alive or archived")
                .with_way_out("sesh-list --all shows them")
                .into(),
        );
    }
    if dry_run {
        return plan(server, &exited, json);
    }
    let mut back = Vec::new();
    let mut worst = Exit::Done;
    for record in &exited {
        match restore::one(server, record, options) {
            Ok(record) => back.push(record),
            Err(error) => worst = worse(worst, &error),
        }
    }
    print_restored(&back, json, worst)
}

/// Restores the pending restores for which `wanted` is true, and adds them to `back`. Returns the worst exit code.
fn restore_pending(
    server: &Server,
    options: &RestoreOptions<'_>,
    wanted: &dyn Fn(&Record) -> bool,
    back: &mut Vec<Record>,
) -> anyhow::Result<Exit> {
    let pending = pending_restore::pending(server)?;
    let count = pending.iter().filter(|record| wanted(record)).count();
    let mut at = 0;
    let mut worst = Exit::Done;
    restore_all::all(
        server,
        options,
        wanted,
        &mut |record, outcome| match outcome {
            None => {
                at += 1;
                out::hint(&format!("{at}/{count} {} …", record.name));
            }
            Some(Ok(record)) => back.push(record.clone()),
            Some(Err(error)) => worst = worse(worst, error),
        },
    )?;
    if worst != Exit::Done {
        out::hint("the others stay pending: sesh-restore --dismiss declines them");
    }
    Ok(worst)
}

/// Restores what tmux-resurrect has brought the panes of back, and then, where that is automatic, those that it has not
/// saved. An agent that it has saved stays offered: resurrect may start it again.
fn restore_resurrected(
    server: &Server,
    file: &Path,
    options: &RestoreOptions<'_>,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut worst = Exit::Done;
    let mut back = Vec::new();
    for outcome in resurrect::restore(server, file)? {
        match outcome {
            Ok(record) => back.push(record),
            Err(error) => worst = worse(worst, &error),
        }
    }
    if pending_restore::setting(server)? == RestoreSetting::On {
        let saved = resurrect::saved(file)?;
        let not_saved = |record: &Record| !saved.contains(&record.uuid);
        worst = worst.worst(restore_pending(server, options, &not_saved, &mut back)?);
    }
    print_restored(&back, json, worst)
}

/// Registers the seshes of a file, and restores those of them that were alive when `restored` says how.
fn from_file(
    server: &Server,
    file: &Path,
    restored: Option<&RestoreOptions<'_>>,
    dry_run: bool,
    json: bool,
) -> anyhow::Result<Exit> {
    let mut imported = import(server, file, !dry_run)?;
    let all = std::mem::take(&mut imported.seshes);
    // An agent needs its transcript for the restore.
    if !dry_run {
        for sentence in imported.unpack_transcripts() {
            out::complain("sesh-restore", &sentence);
        }
    }
    let mut records = Vec::new();
    let mut worst = Exit::Done;
    for sesh in &all {
        if let RegisterOutcome::ConversationTaken(holder) = &sesh.outcome {
            let why = format!(
                "{} is not registered: its conversation is the sesh {} ({})",
                sesh.name, holder.name, holder.uuid
            );
            out::complain("sesh-restore", &why);
        }
        let Some(record) = sesh.registered() else {
            continue;
        };
        let outcome = match restored.filter(|_| sesh.was_alive && !dry_run) {
            Some(options) => restore::one(server, record, options),
            None => Ok(record.clone()),
        };
        match outcome {
            Ok(record) => records.push(record),
            Err(error) => {
                worst = worse(worst, &error);
                records.push(record.clone());
            }
        }
    }
    out::hint(&format!(
        "{} of {} seshes in {} are new here",
        records.len(),
        all.len(),
        file.display()
    ));
    if dry_run && !json {
        for record in &records {
            let kind = record.agent.as_deref().unwrap_or("-");
            let row = format!("{}  {}  {kind}", record.name, record.cwd);
            out::line(&out::tsv(&row))?;
        }
        return Ok(worst);
    }
    print_restored(&records, json, worst)
}

/// Prints the error of one of several seshes, and returns the worse of the exit codes.
fn worse(worst: Exit, error: &Error) -> Exit {
    out::complain("sesh-restore", &error.to_string());
    worst.worst(error.exit)
}

fn print_restored(back: &[Record], json: bool, worst: Exit) -> anyhow::Result<Exit> {
    if json {
        out::unless_hung_up(out::json(&back))?;
    } else {
        for record in back {
            out::unless_hung_up(out::line(&record.uuid.to_string()))?;
        }
    }
    Ok(worst)
}

/// Does what `@sesh-restore` says when the plugin is loaded.
fn offer(server: &Server, options: &RestoreOptions<'_>) -> anyhow::Result<Exit> {
    match pending_restore::setting(server)? {
        RestoreSetting::On if !resurrect::comes_first(server)? => {
            return all(server, options, &[], false);
        }
        RestoreSetting::Off => {}
        // After its own restore, tmux-resurrect calls for the others.
        RestoreSetting::Ask | RestoreSetting::On => pending_restore::offer(server)?,
    }
    Ok(Exit::Done)
}
