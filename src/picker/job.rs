//! The jobs of actions. A job is built from the chosen rows alone, and is carried out in a thread beside the loop.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::rows::{Row, RowId};
use crate::agent::kinds::Agents;
use crate::agent::message;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{Name, PaneId, Tag, counted};
use crate::inventory::find;
use crate::pane::deliver::{Busy, DeliveryOutcome, Draft, Message};
use crate::proc;
use crate::sesh::adopt::{self, adopt};
use crate::sesh::argv;
use crate::sesh::change::change;
use crate::sesh::create::{self, plan};
use crate::sesh::end::{self, end};
use crate::sesh::restore::{RestoreOptions, restore_all};
use crate::sesh::send::{Headless, Sent, send};
use crate::store::edit::Edit;
use crate::store::{Record, Target};
use crate::tmux::Server;

/// Changes to one sesh, and the changes that undo them.
#[derive(Clone, Debug)]
pub(super) struct EditStep {
    record: Record,
    changes: Vec<Edit>,
    inverse: Vec<Edit>,
    /// Whether it undoes another one.
    undoes: bool,
}

/// A job.
#[derive(Debug)]
pub(super) enum Job {
    Change {
        steps: Vec<EditStep>,
        message: String,
    },
    Send {
        to: Vec<Record>,
        text: String,
    },
    End(Vec<Record>),
    New {
        name: Option<Name>,
        command: Vec<OsString>,
        folder: Option<PathBuf>,
    },
    Adopt {
        pane: PaneId,
        name: Option<Name>,
    },
    /// Restores what was alive when the last tmux server died.
    Restore,
}

/// The changes that undo a job.
#[derive(Clone, Debug)]
pub(super) struct Undo {
    changes: Vec<(Record, Vec<Edit>)>,
    message: String,
}

/// The outcome of a job.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub message: String,
    pub trouble: bool,
    pub undo: Option<Undo>,
    /// Whether it cannot be undone.
    pub is_final: bool,
    /// Whether it had no effect, so that the question may be answered again.
    pub again: bool,
    /// The row to choose afterwards.
    pub select: Option<RowId>,
}

/// Names the seshes in a sentence: one by its name, others by their number.
fn name_or_number<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names[..] {
        [one] => one.into(),
        _ => counted(names.len(), "sesh", "seshes"),
    }
}

fn records(rows: &[Row]) -> Vec<Record> {
    rows.iter().filter_map(|row| row.record.clone()).collect()
}

fn parsed<T>(text: &str) -> Result<T, String>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

impl Job {
    /// Archives the seshes; unarchives them where all are archived.
    #[must_use]
    pub(super) fn archive(on: &[Row]) -> Self {
        let archive = !on.iter().all(|row| row.archived);
        let meant: Vec<&Record> = on
            .iter()
            .filter(|row| row.archived != archive)
            .filter_map(|row| row.record.as_ref())
            .collect();
        let names = name_or_number(meant.iter().map(|record| record.name.as_str()));
        let steps = meant
            .into_iter()
            .map(|record| EditStep {
                record: record.clone(),
                changes: vec![Edit::Archived(archive)],
                inverse: vec![Edit::Archived(!archive)],
                undoes: false,
            })
            .collect();
        Job::Change {
            steps,
            message: if archive {
                format!("{names} archived; ^Z undoes it")
            } else {
                format!("{names} unarchived")
            },
        }
    }

    /// Renames a sesh.
    ///
    /// # Errors
    /// A text that is no name; the error is a sentence.
    pub(super) fn rename(on: &[Row], text: &str) -> Result<Self, String> {
        // Its present name may be one that a sesh cannot be given any more.
        let name = if on.iter().all(|row| row.name == text) {
            Name::stored(text).map_err(|error| error.to_string())?
        } else {
            parsed(text)?
        };
        let steps = on
            .iter()
            .filter_map(|row| row.record.clone())
            .map(|record| EditStep {
                inverse: Name::stored(&record.name)
                    .map(Edit::Name)
                    .into_iter()
                    .collect(),
                changes: vec![Edit::Name(name.clone())],
                record,
                undoes: false,
            })
            .collect();
        let before = name_or_number(on.iter().map(|row| row.name.as_str()));
        Ok(Job::Change {
            steps,
            message: format!("{before} renamed to {name}"),
        })
    }

    /// Adds tags, and removes those with a `-` before them.
    ///
    /// # Errors
    /// A word that is no tag, or no word; the error is a sentence.
    pub(super) fn tag(on: &[Row], text: &str) -> Result<Self, String> {
        let mut wanted: Vec<(bool, Tag)> = Vec::new();
        for word in text.split_whitespace() {
            match word.strip_prefix('-') {
                Some(tag) => wanted.push((false, parsed(tag)?)),
                None => wanted.push((true, parsed(word)?)),
            }
        }
        if wanted.is_empty() {
            return Err("no tag given: nothing was changed".into());
        }
        let steps = on
            .iter()
            .filter_map(|row| row.record.clone())
            .map(|record| {
                let differs = |(on, tag): &&(bool, Tag)| {
                    record.tags.iter().any(|it| it == tag.as_str()) != *on
                };
                let make = |on: bool, tag: &Tag| {
                    if on {
                        Edit::Tag(tag.clone())
                    } else {
                        Edit::Untag(tag.clone())
                    }
                };
                let differing = wanted.iter().filter(differs);
                let changes = differing.clone().map(|(on, tag)| make(*on, tag)).collect();
                let inverse = differing.map(|(on, tag)| make(!on, tag)).collect();
                EditStep {
                    record,
                    changes,
                    inverse,
                    undoes: false,
                }
            })
            .collect();
        let names = name_or_number(on.iter().map(|row| row.name.as_str()));
        Ok(Job::Change {
            steps,
            message: format!(
                "tagged {names}: {}",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            ),
        })
    }

    /// Undoes a change, also of seshes that are not shown any more.
    #[must_use]
    pub(super) fn undo(undo: Undo) -> Self {
        let steps = undo
            .changes
            .into_iter()
            .map(|(record, changes)| EditStep {
                record,
                changes,
                inverse: Vec::new(),
                undoes: true,
            })
            .collect();
        Job::Change {
            steps,
            message: format!("undone: {}", undo.message),
        }
    }

    #[must_use]
    pub(super) fn send(on: &[Row], text: String) -> Self {
        Job::Send {
            to: records(on),
            text,
        }
    }

    #[must_use]
    pub(super) fn end(on: &[Row]) -> Self {
        Job::End(records(on))
    }

    /// Creates a sesh. The text is a name and then an agent or a command; both may be missing.
    ///
    /// # Errors
    /// A word that is no name, or an open quote; the error is a sentence.
    pub(super) fn new(text: &str, folder: Option<String>) -> Result<Self, String> {
        let words = shlex::split(text).ok_or("an open quote: close it")?;
        let mut words = words.into_iter();
        let name = words.next();
        Ok(Job::New {
            name: name.as_deref().map(parsed).transpose()?,
            command: words.map(OsString::from).collect(),
            folder: folder.map(PathBuf::from),
        })
    }

    /// Adopts a pane.
    ///
    /// # Errors
    /// A text that is no name, or no pane; the error is a sentence.
    pub(super) fn adopt(on: &[Row], text: &str) -> Result<Self, String> {
        let pane = on.iter().find_map(|row| row.place.as_ref());
        let name = Some(text).filter(|text| !text.is_empty());
        Ok(Job::Adopt {
            pane: pane.ok_or("its pane is gone")?.pane,
            name: name.map(parsed).transpose()?,
        })
    }

    /// Returns the message that is shown while it is carried out.
    #[must_use]
    pub(super) fn doing(&self) -> &'static str {
        match self {
            Job::Change { .. } => "",
            Job::Send { .. } => "sending …",
            Job::End(_) => "ending …",
            Job::New { .. } => "creating …",
            Job::Adopt { .. } => "adopting …",
            Job::Restore => "restoring …",
        }
    }

    /// Carries it out.
    #[must_use]
    pub(super) fn carry_out(self, server: &Server) -> Done {
        let outcome = match self {
            Job::Restore => restored(server),
            Job::Change { steps, message } => return changed(server, steps, message),
            Job::Send { to, text } => sent(server, &to, &text),
            Job::End(records) => return ended(server, &records),
            Job::New {
                name,
                command,
                folder,
            } => made(server, name, &command, folder),
            Job::Adopt { pane, name } => adopt(
                server,
                pane,
                &adopt::AdoptRequest {
                    name,
                    ..adopt::AdoptRequest::default()
                },
            )
            .map(|record| Done {
                message: format!("pane {pane} is {} now", record.name),
                select: Some(RowId::Sesh(record.uuid)),
                ..Done::default()
            }),
        };
        outcome.unwrap_or_else(|error| Done {
            message: error.to_string(),
            trouble: true,
            again: true,
            ..Done::default()
        })
    }
}

/// Restores the pending restores, one after another.
fn restored(server: &Server) -> Result<Done> {
    let mut back = Vec::new();
    let mut refusals = Vec::new();
    restore_all::all(
        server,
        &RestoreOptions::DEFAULT,
        &|_| true,
        &mut |record, outcome| match outcome {
            Some(Ok(record)) => back.push(RowId::Sesh(record.uuid)),
            Some(Err(error)) => refusals.push(format!("{}: {error}", record.name)),
            None => {}
        },
    )?;
    let mut message = format!("{} restored", counted(back.len(), "sesh", "seshes"));
    for refusal in &refusals {
        message = format!("{message}; {refusal}");
    }
    Ok(Done {
        message,
        trouble: !refusals.is_empty(),
        is_final: true,
        select: back.first().copied(),
        ..Done::default()
    })
}

/// Changes each sesh on its own: where one fails, the error is reported and the others are changed.
fn changed(server: &Server, steps: Vec<EditStep>, message: String) -> Done {
    let mut undo = Vec::new();
    let mut trouble = None;
    // A renamed sesh may not match the filter any more, but it is still the one that is worked on. The same is true of
    // a sesh whose change is undone.
    let stays = |step: &&EditStep| step.undoes || matches!(step.changes[..], [Edit::Name(_)]);
    let select = steps
        .iter()
        .find(stays)
        .map(|step| RowId::Sesh(step.record.uuid));
    for step in steps {
        let changed = check_name_unchanged(server, &step)
            .and_then(|()| change(server, &step.record, &step.changes));
        match changed {
            Ok(_) if step.inverse.is_empty() => {}
            Ok(now) => undo.push((now, step.inverse)),
            Err(error) => trouble = Some(error.to_string()),
        }
    }
    let short = message.split(';').next().unwrap_or(&message).to_string();
    Done {
        undo: (!undo.is_empty()).then_some(Undo {
            changes: undo,
            message: short,
        }),
        trouble: trouble.is_some(),
        again: trouble.is_some(),
        message: trouble.unwrap_or(message),
        select,
        ..Done::default()
    }
}

/// Fails where a name is to be undone that was changed again since. The newer name stays.
fn check_name_unchanged(server: &Server, step: &EditStep) -> Result<()> {
    let name = |edit: &Edit| matches!(edit, Edit::Name(_));
    if !step.undoes || !step.changes.iter().any(name) {
        return Ok(());
    }
    let now = find::one(server, &Target::Id(step.record.uuid))?;
    if now.name == step.record.name {
        return Ok(());
    }
    Err(Error::new(
        Exit::Changed,
        format!(
            "{} has been renamed to {} since: not undone",
            step.record.name, now.name
        ),
    ))
}

fn sent(server: &Server, to: &[Record], text: &str) -> Result<Done> {
    // A person waits for the outcome. What takes longer than this is reported, and can be tried again.
    const WITHIN: Duration = Duration::from_secs(20);
    let text = message::typeable(text);
    let message = Message {
        text: &text,
        busy: Busy::Queue,
        draft: Draft::Refuse,
        enter: true,
        allow_agent_commands: false,
        starting: false,
        within: WITHIN,
    };
    let targets: Vec<(String, Target)> = to
        .iter()
        .map(|record| (record.name.clone(), Target::Id(record.uuid)))
        .collect();
    let all = send(server, &targets, message, None, Headless::default())?;
    let trouble = all.iter().find_map(|sent| {
        let name = sent.name.as_deref().unwrap_or(&sent.target);
        match &sent.outcome {
            Err(error) => Some(format!("{name}: {error}")),
            Ok(DeliveryOutcome::Refused { why, .. }) => {
                Some(format!("{name}: nothing was sent: {why}"))
            }
            Ok(DeliveryOutcome::Typed { why, .. }) => Some(format!(
                "{name}: typed, but delivery is not confirmed: {why}"
            )),
            Ok(_) => None,
        }
    });
    let refused =
        |sent: &Sent| matches!(sent.outcome, Err(_) | Ok(DeliveryOutcome::Refused { .. }));
    let again = all.iter().all(refused);
    let queued = all.iter().any(|sent| {
        matches!(
            sent.outcome,
            Ok(DeliveryOutcome::Proven { queued: true, .. })
        )
    });
    let names = name_or_number(to.iter().map(|record| record.name.as_str()));
    Ok(Done {
        trouble: trouble.is_some(),
        again,
        message: trouble.unwrap_or_else(|| {
            if queued {
                format!("queued for {names}")
            } else {
                format!("delivered to {names}")
            }
        }),
        ..Done::default()
    })
}

fn ended(server: &Server, records: &[Record]) -> Done {
    const TIMEOUT: Duration = Duration::from_secs(10);
    let outcomes: Vec<Result<()>> = std::thread::scope(|scope| {
        let ends: Vec<_> = records
            .iter()
            .map(|record| {
                let how = end::EndOptions {
                    kill: false,
                    forget: record.tmux.is_none(),
                    timeout: TIMEOUT,
                };
                scope.spawn(move || end(server, record, how, &|_| {}).map(drop))
            })
            .collect();
        ends.into_iter()
            .map(|end| {
                end.join()
                    .unwrap_or_else(|_| Err(Error::failed("a thread failed")))
            })
            .collect()
    });
    let trouble = outcomes.into_iter().find_map(Result::err);
    let names = name_or_number(records.iter().map(|record| record.name.as_str()));
    let forgotten = records.iter().all(|record| record.tmux.is_none());
    let what = if forgotten { "forgotten" } else { "ended" };
    Done {
        trouble: trouble.is_some(),
        is_final: true,
        message: trouble.map_or_else(|| format!("{names} {what}"), |error| error.to_string()),
        ..Done::default()
    }
}

fn made(
    server: &Server,
    name: Option<Name>,
    command: &[OsString],
    folder: Option<PathBuf>,
) -> Result<Done> {
    let own = || std::env::current_dir().ok();
    let cwd = folder
        .filter(|folder| folder.is_dir() && proc::may_enter(folder))
        .or_else(own)
        .or_else(env::home)
        .unwrap_or_else(|| "/".into());
    let first = command.first().and_then(|word| word.to_str());
    let agent = first.and_then(|name| Agents::loaded().named(name));
    let rest = if agent.is_some() {
        &command[1..]
    } else {
        command
    };
    let request = create::CreateRequest {
        argv: argv::words(agent, rest, &env::path(), &cwd)?,
        agent: agent
            .map(|agent| agent.name.clone())
            .or_else(|| argv::agent(command)),
        name,
        cwd,
        ..create::CreateRequest::default()
    };
    let record = plan(server, request)?.carry_out(server)?;
    Ok(Done {
        message: format!("{} created", record.name),
        select: Some(RowId::Sesh(record.uuid)),
        ..Done::default()
    })
}
