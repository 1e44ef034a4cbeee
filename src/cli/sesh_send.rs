//! `sesh-send`: sends a message to an agent or a shell, with proof that it arrived.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum};
use serde::Serialize;

use super::{ServerArgs, end_clients_on_signal, pane_of, target};
use crate::agent::kinds::Agents;
use crate::agent::manifest::Ability;
use crate::agent::message::typeable;
use crate::clock;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId, Tag};
use crate::inventory::find;
use crate::out;
use crate::pane::agent::look;
use crate::pane::deliver::reply::ReplyFrom;
use crate::pane::deliver::{Busy, DeliveryOutcome, Draft, Message, Proof, Reason};
use crate::proc::input;
use crate::sesh::send::{Headless, Patience, Sent, send};
use crate::state::{State, Why};
use crate::store::{Record, Target};
use crate::tmux::Server;

pub(super) const EXAMPLES: super::Examples = &[
    (
        "Send a message and print the answer",
        "sesh-send api 'say the tests pass' --reply",
    ),
    (
        "Type a line into a shell, and wait for its end",
        "sesh-send notes 'git status' --wait=1m",
    ),
    ("Send what a command prints", "git diff | sesh-send api -"),
    (
        "Have the agent compact its conversation, and wait until it has",
        "sesh-send api --compact --wait=5m",
    ),
    (
        "Leave a message in the agent's queue if it is busy",
        "sesh-send --queue api 'then update the changelog'",
    ),
];

/// Send a message to agents and shells, and prove that it was delivered
///
/// The message is pasted, and Enter is pressed after it, unless that could do harm: at a question of the agent, where
/// Enter would mean yes; behind a draft that a person has typed; or in the shell that an exited agent has left. Exit 0
/// only with proof: the agent's hook or transcript has the message, or the screen shows that the agent accepted it.
/// Exit 4 if nothing was sent, with the reason; 7 if the message was typed and its delivery is not confirmed. With
/// several targets nothing is sent if one of them is unknown; else each has a line, and the worst exit code counts.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// One or more targets, then the message as one word; - reads it from stdin. With --file, only targets
    #[arg(required_unless_present_all = ["tag", "file"], value_name = "TARGET... MESSAGE")]
    words: Vec<String>,

    /// Also send to every live sesh with this tag, except the one of this pane; repeat it to require several tags. Other
    /// targets are optional then, and the message stays the last argument
    #[arg(long, visible_alias = "tagged", value_name = "TAG")]
    tag: Vec<Tag>,

    /// Read the message from this file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Wait until the agent has finished with the message. Give up after DURATION
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = limit)]
    wait: Option<Limit>,

    /// Wait, and print the agent's answer: from its transcript, its hook, or (with a note on stderr) the screen
    #[arg(long)]
    reply: bool,

    /// If the agent is busy: put the message into the agent's own queue
    #[arg(long)]
    queue: bool,

    /// If the agent is busy: give it the message at once; an agent that cannot take one is interrupted first
    #[arg(long, conflicts_with = "queue")]
    now: bool,

    /// Send no message, but the agent's own command that compacts its conversation; takes one target
    #[arg(long, conflicts_with_all = ["file", "tag", "no_enter", "as_it_is", "reply"])]
    compact: bool,

    /// What to do if a person has typed a draft and not sent it
    #[arg(long, value_enum, default_value_t = OnDraft::Refuse)]
    draft: OnDraft,

    /// Type the message, but do not press Enter
    #[arg(long, conflicts_with_all = ["wait", "reply"])]
    no_enter: bool,

    /// Send the message even if the agent interprets it as a command
    #[arg(long)]
    as_it_is: bool,

    /// Have an exited agent answer without a pane, in its conversation; one that was created so needs no flag. With
    /// --wait=DURATION the turn is ended after that time, else after 1h
    #[arg(long, conflicts_with = "no_enter")]
    headless: bool,

    /// In a headless turn: let the agent use this tool without asking, in its own words; may be repeated
    #[arg(long, value_name = "TOOL", value_parser = NonEmptyStringValueParser::new())]
    allow: Vec<String>,

    /// Give up the delivery after this long [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = clock::duration)]
    timeout: Option<Duration>,

    /// Print a line of JSON for each target
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// What to do with a draft.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnDraft {
    /// Send nothing
    Refuse,
    /// Wait until it is sent or removed
    Wait,
    /// Have the agent stash it, where it can
    Stash,
}

/// The limit of a wait; `None` is no limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(pub(super) Option<Duration>);

pub(super) fn limit(text: &str) -> Result<Limit, String> {
    if text.is_empty() {
        return Ok(Limit(None));
    }
    clock::duration(text).map(|limit| Limit(Some(limit)))
}

/// How long a delivery may take where nothing else is said.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn run(mut args: Args) -> anyhow::Result<Exit> {
    let mut text = match args.compact {
        true if args.words.len() > 1 => {
            return Err(Error::usage("--compact takes one target, and no message").into());
        }
        true => String::new(),
        false => typeable(&text(&mut args)?),
    };
    if text.trim().is_empty() && !args.compact {
        return Err(Error::usage("the message is empty: give a text").into());
    }
    let server = args.on.server_within(args.timeout)?;
    if args.compact {
        let target = args.words.first().map_or("", String::as_str);
        text = match headless_kind(&server, target, args.headless)? {
            Some(kind) => prompt_that_compacts(&kind)?,
            None => command_that_compacts(&server, pane_of(&server, target)?)?,
        };
    }
    let mut targets = args
        .words
        .iter()
        .map(|word| Ok((word.clone(), target(&server, word)?)))
        .collect::<Result<Vec<_>>>()?;
    if !args.tag.is_empty() {
        let own = env::tmux_pane().filter(|_| server.is_own_server());
        let is_own = |it: &Record| own.is_some() && it.tmux.as_ref().map(|at| at.pane) == own;
        let tagged = find::tagged(&server, &args.tag)?.into_iter();
        let others = tagged.filter(|record| record.live && !is_own(record));
        targets.extend(others.map(|record| (record.name, Target::Id(record.uuid))));
    }
    if targets.is_empty() {
        return Err(Error::nothing(
            "no other live sesh has the tag: sesh-list --tags shows those in use",
        )
        .into());
    }
    let message = Message {
        text: &text,
        busy: match (args.queue, args.now) {
            (true, _) => Busy::Queue,
            (_, true) => Busy::Now,
            _ => Busy::Refuse,
        },
        draft: match args.draft {
            OnDraft::Refuse => Draft::Refuse,
            OnDraft::Wait => Draft::Wait,
            OnDraft::Stash => Draft::Stash,
        },
        enter: !args.no_enter,
        allow_agent_commands: args.as_it_is || args.compact,
        starting: false,
        within: args.timeout.unwrap_or(DELIVERY_TIMEOUT),
    };
    let patience = (args.reply || args.wait.is_some()).then(|| Patience {
        limit: args.wait.and_then(|Limit(limit)| limit),
        reply: args.reply,
    });
    if patience.is_some() {
        end_clients_on_signal(&server);
    }
    let headless = Headless {
        to_exited: args.headless,
        allow: &args.allow,
    };
    let all = send(&server, &targets, message, patience, headless)?;
    let several = all.len() > 1;
    if args.file.is_none() && several && all.iter().any(Sent::is_unknown) {
        out::complain(
            "sesh-send",
            "nothing was sent: put the message in quotes; every word before the last is a target",
        );
    }
    let mut worst = Exit::Done;
    for sent in &all {
        let exit = exit(sent);
        worst = worst.worst(exit);
        if args.json {
            out::unless_hung_up(out::json(&SentJson::of(sent, exit)))?;
        } else {
            out::unless_hung_up(print_outcome("sesh-send", sent, several))?;
        }
    }
    Ok(worst)
}

/// Returns the kind of the agent of a sesh that gets its messages as headless turns.
fn headless_kind(server: &Server, word: &str, to_exited: bool) -> Result<Option<String>> {
    let record = match target(server, word)? {
        Target::Pane(_) => return Ok(None),
        target => find::one(server, &target)?,
    };
    Ok(record
        .agent
        .clone()
        .filter(|_| record.is_headless() || (to_exited && !record.live)))
}

/// Returns the prompt of a headless turn in which an agent compacts its conversation.
fn prompt_that_compacts(kind: &str) -> Result<String> {
    let agent = Agents::loaded().named(kind);
    let prompt = agent.and_then(|agent| agent.manifest.headless.compact.clone());
    prompt.ok_or_else(|| {
        Error::unusable(format!(
            "{kind} compacts a conversation only in a pane: sesh-enter opens it there"
        ))
    })
}

/// Returns the text that has the agent of a pane compact its conversation.
fn command_that_compacts(server: &Server, pane: PaneId) -> Result<String> {
    let agents = &Agents::loaded().all;
    let look = look(server, pane, agents, &[])?;
    let Some(pane_agent) = &look.pane_agent else {
        return Err(Error::unusable(format!("no agent runs in pane {pane}")));
    };
    let agent = pane_agent.process_of_agent.agent;
    agent.manifest.keys.compact.clone().ok_or_else(|| {
        let error = Error::unusable(format!(
            "{} has no known command that compacts its conversation",
            agent.name
        ));
        if agent.manifest.lacks(Ability::Compact) {
            return error;
        }
        error.with_way_out("describe it in a file (plugin/doc/agents.md)")
    })
}

/// Returns the message, and removes it from the words where it is one of them.
fn text(args: &mut Args) -> anyhow::Result<String> {
    if let Some(file) = &args.file {
        return Ok(input::text(Some(file))?);
    }
    let word = args.words.pop().unwrap_or_default();
    if args.words.is_empty() && args.tag.is_empty() {
        return Err(Error::usage(
            "no message: give targets, then the message, - for stdin, or --file FILE",
        )
        .into());
    }
    if word != "-" {
        return Ok(word);
    }
    Ok(input::text(None)?)
}

pub(super) fn exit(sent: &Sent) -> Exit {
    let delivered = match &sent.outcome {
        Ok(DeliveryOutcome::Proven { .. } | DeliveryOutcome::Placed { .. }) => Exit::Done,
        Ok(DeliveryOutcome::Typed { .. }) => Exit::Unconfirmed,
        Ok(DeliveryOutcome::Refused { .. }) => Exit::Unusable,
        Err(error) => error.exit,
    };
    match &sent.turn {
        Some(Err(error)) => error.exit,
        _ => delivered,
    }
}

/// Returns a sentence that names the tools that were refused.
pub(super) fn refused(tools: &[String]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for tool in tools {
        if !names.contains(&tool.as_str()) {
            names.push(tool);
        }
    }
    let what = "these tools were refused, since no person could be asked";
    (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
}

/// Returns the name of the target in a sentence.
fn target_name(sent: &Sent) -> &str {
    sent.name.as_deref().unwrap_or(&sent.target)
}

/// Prints the outcome of one message: results on stdout, everything else on stderr.
pub(super) fn print_outcome(helper: &str, sent: &Sent, several: bool) -> anyhow::Result<()> {
    let name = target_name(sent);
    let complain = |what: &str, seen: &str| {
        let mut sentence = format!("{name}: {what}");
        if !seen.is_empty() {
            sentence.push_str("; its screen ends with: ");
            sentence.push_str(&seen.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        out::complain(helper, &sentence);
    };
    match &sent.outcome {
        Err(error) => complain(&error.to_string(), ""),
        Ok(DeliveryOutcome::Refused { why, seen, .. }) => {
            complain(&format!("nothing was sent: {why}"), seen);
        }
        Ok(DeliveryOutcome::Typed { why, seen, .. }) => {
            complain(
                &format!("typed, but delivery is not confirmed: {why}"),
                seen,
            );
        }
        Ok(DeliveryOutcome::Placed { .. }) if several => {
            out::line(&format!("{name}: typed, not sent"))?;
        }
        Ok(DeliveryOutcome::Proven { by, queued, .. }) if several && sent.turn.is_none() => {
            let what = if *queued { "queued" } else { "delivered" };
            out::line(&format!("{name}: {what} ({})", word(*by)))?;
        }
        Ok(_) => {}
    }
    let result = sent.headless.as_ref();
    if let Some(refused) = result.and_then(|result| refused(&result.refused)) {
        complain(&refused, "");
    }
    match &sent.turn {
        Some(Err(error)) => complain(&error.to_string(), ""),
        Some(Ok(turn)) => match &turn.reply {
            Some(reply) => {
                if several {
                    out::line(&format!("{name}:"))?;
                }
                let lines: Vec<String> = reply.text.lines().map(Into::into).collect();
                out::lines(&lines, false)?;
                match (reply.from, reply.cut) {
                    (ReplyFrom::Screen, _) => {
                        complain("the answer was read from its screen, not from a record", "");
                    }
                    (_, true) => complain("only the beginning of the answer is known", ""),
                    _ => {}
                }
            }
            None if several => {
                out::line(&format!("{name}: {}", turn.state.as_str()))?;
            }
            None => {}
        },
        None => {}
    }
    Ok(())
}

fn word(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().into()
}

/// The outcome of one message, as JSON. The fields are public, and their order is that of the JSON.
#[derive(Serialize)]
pub(super) struct SentJson<'a> {
    /// The kind of agent in the pane; `null` where none runs there or nothing was delivered to it.
    agent: Option<&'a str>,
    /// The exit code of this target.
    exit: u8,
    /// Why it was not delivered, or why its end is not known.
    message: Option<Cow<'a, str>>,
    /// The name of the sesh, where the target is one.
    name: Option<&'a str>,
    outcome: OutcomeWord,
    pane: Option<PaneId>,
    /// What proves that the message arrived.
    proof: Option<Proof>,
    /// Why nothing was sent.
    reason: Option<Reason>,
    /// The tools that were refused in a headless turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'a [String]>,
    /// The agent's answer, where that was asked for.
    reply: Option<&'a str>,
    /// Whether only the beginning of the answer is known.
    #[serde(rename = "replyCut")]
    reply_cut: Option<bool>,
    /// Where the answer was read.
    #[serde(rename = "replyFrom")]
    reply_from: Option<ReplyFrom>,
    /// The last lines of the screen, where the message was not delivered.
    seen: Option<&'a str>,
    /// The state at the end of what the message began, where that was waited for.
    state: Option<State>,
    /// The target as it was given.
    target: &'a str,
    uuid: Option<SeshId>,
    /// Why it waits, where `state` is `waiting`.
    why: Option<Why>,
}

/// The outcome of a message, in a word.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum OutcomeWord {
    Delivered,
    Queued,
    Placed,
    Typed,
    Refused,
    Failed,
}

impl<'a> SentJson<'a> {
    pub(super) fn of(sent: &'a Sent, exit: Exit) -> Self {
        let mut line = Self {
            agent: None,
            exit: exit.code(),
            message: None,
            name: sent.name.as_deref(),
            outcome: OutcomeWord::Failed,
            pane: sent.pane,
            proof: None,
            reason: None,
            refused: sent
                .headless
                .as_ref()
                .map(|result| result.refused.as_slice()),
            reply: None,
            reply_cut: None,
            reply_from: None,
            seen: None,
            state: None,
            target: &sent.target,
            uuid: sent.sesh,
            why: None,
        };
        match &sent.outcome {
            Ok(DeliveryOutcome::Proven {
                by, queued, agent, ..
            }) => {
                line.outcome = if *queued {
                    OutcomeWord::Queued
                } else {
                    OutcomeWord::Delivered
                };
                line.proof = Some(*by);
                line.agent = agent.as_deref();
            }
            Ok(DeliveryOutcome::Placed { agent }) => {
                line.outcome = OutcomeWord::Placed;
                line.agent = agent.as_deref();
            }
            Ok(DeliveryOutcome::Typed { why, seen, agent }) => {
                line.outcome = OutcomeWord::Typed;
                line.message = Some(why.as_str().into());
                line.seen = Some(seen);
                line.agent = agent.as_deref();
            }
            Ok(DeliveryOutcome::Refused {
                reason,
                why,
                seen,
                agent,
            }) => {
                line.outcome = OutcomeWord::Refused;
                line.reason = Some(*reason);
                line.message = Some(why.as_str().into());
                line.seen = Some(seen);
                line.agent = agent.as_deref();
            }
            Err(error) => line.message = Some(error.to_string().into()),
        }
        match &sent.turn {
            Some(Ok(turn)) => {
                line.state = Some(turn.state);
                line.why = turn.why;
                if let Some(reply) = &turn.reply {
                    line.reply = Some(&reply.text);
                    line.reply_from = Some(reply.from);
                    line.reply_cut = Some(reply.cut);
                }
            }
            Some(Err(error)) => line.message = Some(error.to_string().into()),
            None => {}
        }
        line
    }
}
