//! Writes what an agent's hook reports to the pane that the agent runs in, by one command list and without reading the
//! pane.

use crate::agent::kinds::Agent;
use crate::agent::message;
use crate::agent::recognise::{self, OwnProcesses, living, nearest};
use crate::agent::report::HookEvent;
use crate::clock;
use crate::env;
use crate::error::{Exit, Result};
use crate::id::SeshId;
use crate::id::{PaneId, ProcessId};
use crate::pane::deliver::Unreported;
use crate::proc::{self, Process};
use crate::state::{State, Why};
use crate::store::commit::commit_quietly;
use crate::store::condition::{both, either, equal};
use crate::store::hook_report::{AcceptedPrompt, AgentAnswer, HookReport};
use crate::store::note::{JournalEvent, Note};
use crate::store::{Key, schema, value, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The sender of a hook event.
struct ReportingAgent {
    /// The agent's process, else the pane's.
    process: ProcessId,
    /// Empty for a program that is no agent.
    kind: String,
    /// The first process of its pane.
    first: i32,
}

/// Writes a hook event to the server. `kind` is the agent whose payload it was. Without one, the event is from whatever
/// runs in the caller's pane. Returns `false` when the sender is in no pane of the server.
///
/// # Errors
/// As [`Server::run`]; a server that is not there is no error.
pub fn report(
    server: &Server,
    kind: Option<&str>,
    event: &HookEvent,
    agents: &[Agent],
) -> Result<bool> {
    match find_and_write(server, kind, event, agents) {
        Err(error) if error.server_is_gone() => Ok(false),
        outcome => outcome,
    }
}

/// Reports in place of a hook that an agent has taken a message: the sesh is busy. Does nothing if a hook has reported
/// something since. A wait that begins after the delivery does not end with the state before it then.
///
/// # Errors
/// As [`Server::run`].
pub(super) fn delivered(server: &Server, pane: PaneId, message: &Unreported) -> Result<()> {
    let reporter = ReportingAgent {
        process: message.process,
        kind: message.kind.clone(),
        first: message.first,
    };
    let event = HookEvent {
        event: HookReport::DELIVERY.into(),
        conversation: message.conversation.clone(),
        state: Some((State::Busy, None)),
        ..HookEvent::default()
    };
    let variable = schema::hook(pane);
    let unchanged = match &message.last {
        Some(last) => format!("#{{m:{}?{}?*,#{{{variable}}}}}", last.process, last.at),
        None => format!("#{{==:#{{{variable}}},}}"),
    };
    write(server, pane, &reporter, &event, Some(unchanged)).map(|_| ())
}

fn find_and_write(
    server: &Server,
    kind: Option<&str>,
    event: &HookEvent,
    agents: &[Agent],
) -> Result<bool> {
    let is_own = server.is_own_server();
    // The first process of a pane is a child of the server, so $TMUX identifies it and tmux does not have to be asked.
    let own_server = env::tmux_server().filter(|_| is_own);
    let is_first = |process: &Process| Some(process.parent) == own_server;
    let mut rest = proc::ancestors();
    let mut ancestors = Vec::new();
    for process in rest.by_ref() {
        ancestors.push(process);
        if ancestors.last().is_some_and(is_first) {
            break;
        }
    }
    if let Some(pane) = env::tmux_pane().filter(|_| is_own)
        && ancestors.last().is_some_and(is_first)
        && let Some(reporter) = reporter(&ancestors, kind, agents)
        && write(server, pane, &reporter, event, counts(pane, event))?
    {
        return Ok(true);
    }
    ancestors.extend(rest);
    // $TMUX_PANE is unset or inherited: a daemon has that of the pane which started it.
    let panes = panes(server)?;
    let by_descent = panes.iter().find_map(|pane| {
        let at = ancestors
            .iter()
            .position(|process| process.pid == pane.first)?;
        Some((pane.id, reporter(&ancestors[..=at], kind, agents)?))
    });
    match by_descent.or_else(|| by_conversation(&panes, kind?, event, agents)) {
        Some((pane, reporter)) => write(server, pane, &reporter, event, counts(pane, event)),
        None => Ok(false),
    }
}

/// Returns the sender, of the processes up to a pane's first one. With a kind it must be an agent of that kind, in the
/// pane's foreground or behind it. Without a kind it may be a program that no agent has started.
fn reporter(ancestors: &[Process], kind: Option<&str>, agents: &[Agent]) -> Option<ReportingAgent> {
    let first = ancestors.last()?;
    let found = recognise::reporter(ancestors, agents, &OwnProcesses);
    match (found, kind) {
        (Some(found), kind) => {
            kind.is_none_or(|kind| found.agent.name == kind)
                .then(|| ReportingAgent {
                    process: found.process.id(),
                    kind: found.agent.name.clone(),
                    first: first.pid,
                })
        }
        (None, Some(_)) => None,
        (None, None) => nearest(ancestors, agents, &OwnProcesses)
            .is_none()
            .then(|| ReportingAgent {
                process: first.id(),
                kind: String::new(),
                first: first.pid,
            }),
    }
}

/// A pane, with what shows which agent it belongs to.
struct Candidate {
    id: PaneId,
    first: i32,
    conversation: String,
    title: String,
}

fn panes(server: &Server) -> Result<Vec<Candidate>> {
    let frame = Frame::new();
    let format = frame.format([
        "#{pane_id}",
        "#{?pane_dead,0,#{pane_pid}}",
        &Key::Conv.format(),
        "#{pane_title}",
    ]);
    let output = server.run(&Batch::from(command::list_panes(&format, None)))?;
    let (rows, _) = frame.read(&output);
    let candidate = |row: &Vec<&str>| {
        let [id, first, conversation, title] = row[..] else {
            return None;
        };
        Some(Candidate {
            id: id.parse().ok()?,
            first: first.parse().ok()?,
            conversation: value::decode(conversation),
            title: title.into(),
        })
    };
    let mut panes: Vec<Candidate> = rows.iter().filter_map(candidate).collect();
    // A window may be in several sessions.
    panes.sort_by_key(|pane| pane.id.0);
    panes.dedup_by_key(|pane| pane.id.0);
    Ok(panes)
}

/// Returns the pane whose agent is in a conversation that a daemon keeps: by the id that was proven, or by a title that
/// shows it.
fn by_conversation(
    panes: &[Candidate],
    kind: &str,
    event: &HookEvent,
    agents: &[Agent],
) -> Option<(PaneId, ReportingAgent)> {
    // How many characters of a thread's id Codex shows in a title.
    const SHOWN: usize = 29;
    let id = event.conversation.as_deref()?;
    let shown = id.get(..SHOWN);
    let mut matching = panes.iter().filter(|pane| {
        pane.conversation == id || shown.is_some_and(|shown| pane.title.contains(shown))
    });
    let (Some(pane), None) = (matching.next(), matching.next()) else {
        return None;
    };
    let processes = proc::tree(pane.first);
    let found = living(&processes, pane.first, agents, &OwnProcesses);
    let found = found.first().filter(|found| found.agent.name == kind)?;
    let reporter = ReportingAgent {
        process: found.process.id(),
        kind: kind.into(),
        first: pane.first,
    };
    Some((pane.id, reporter))
}

/// Writes the event if the pane still runs that process and a condition holds. This is one flat list, because a condition inside another one
/// quotes all that it contains once more. Returns `false` when the pane runs another process.
fn write(
    server: &Server,
    pane: PaneId,
    reporter: &ReportingAgent,
    event: &HookEvent,
    counts: Option<String>,
) -> Result<bool> {
    let target = pane.to_string();
    let here = format!("#{{==:#{{pane_pid}},{}}}", reporter.first);
    let stored = hook_report(reporter, event);
    let mut store = Batch::new();
    if let Some(prompt) = &event.prompt {
        let taken_prompt = AcceptedPrompt {
            process: stored.process,
            at: stored.at,
            mark: message::mark(prompt),
        };
        store.extend([write::prompt(pane, &taken_prompt.text())]);
    }
    if let Some(answer) = &event.answer {
        let answered = AgentAnswer {
            process: stored.process,
            at: stored.at,
            text: answer.clone(),
            cut: false,
        };
        store.extend([write::answer(pane, &answered.line())]);
    }
    // A prompt alone does not show what the agent does.
    if event.state.is_some() || event.prompt.is_none() {
        store.extend([write::hook(pane, &stored.text())]);
    }
    let store = match &counts {
        Some(condition) => Batch::from(command::if_format(
            Some(&target),
            condition,
            &store,
            &Batch::new(),
        )),
        None => store,
    };
    let elsewhere = Batch::from(command::print(None, ELSEWHERE));
    // The change of the sesh comes first, because its condition depends on the report that was stored before.
    let mut list = Batch::new();
    if let Some((same, change)) = change(&target, reporter, event) {
        let mut condition = both(&here, &sesh_is_senders(reporter));
        if let Some(counts) = &counts {
            condition = both(&condition, counts);
        }
        list.extend([command::if_format(
            Some(&target),
            &both(&condition, &format!("#{{?{same},0,1}}")),
            &change,
            &Batch::new(),
        )]);
    }
    list.extend([command::if_format(Some(&target), &here, &store, &elsewhere)]);
    commit_quietly(server, &list, |answer| match answer {
        Ok(answer) => {
            let notes = answer
                .lines()
                .filter_map(|line| note(line, reporter, event));
            let here = !answer.lines().any(|line| line == ELSEWHERE);
            Ok((here, notes.collect()))
        }
        Err(error) if error.exit == Exit::Nothing => Ok((false, Vec::new())),
        Err(error) => Err(error),
    })
}

/// What the server prints when the pane runs another process.
const ELSEWHERE: &str = "elsewhere";

/// Returns the command that prints what has changed and for which sesh. The sesh was not read before, and the journal
/// does not know panes.
fn print_change(target: &str, event: JournalEvent) -> Command {
    let format = format!(
        "{} {} {}",
        event.as_str(),
        Key::Id.format(),
        Key::Since.format()
    );
    command::print(Some(target), &format)
}

/// Returns the journal note of a change that the server has printed.
fn note(line: &str, reporter: &ReportingAgent, event: &HookEvent) -> Option<Note> {
    let mut words = line.split(' ');
    let word = words.next().unwrap_or("");
    let id = words.next()?.parse::<SeshId>().ok()?;
    let since = words.next().unwrap_or("");
    let conversation = event.conversation.as_deref().map(value::encode);
    match (event.state, &conversation) {
        (Some((state, why)), _) if word == JournalEvent::State.as_str() => {
            let values = [
                (Key::State, state.as_str()),
                (Key::Why, why.map_or("", Why::as_str)),
                (Key::Since, since),
                (Key::By, "hook"),
            ];
            Some(Note::values(JournalEvent::State, id, &values))
        }
        (_, Some(conversation)) if word == JournalEvent::Conversation.as_str() => {
            let values = [
                (Key::Conv, conversation.as_str()),
                (Key::Agent, reporter.kind.as_str()),
            ];
            Some(Note::values(JournalEvent::Conversation, id, &values))
        }
        _ => None,
    }
}

fn hook_report(reporter: &ReportingAgent, event: &HookEvent) -> HookReport {
    HookReport {
        process: reporter.process,
        at: clock::milliseconds(),
        state: event.state.map(|(state, _)| state),
        why: event.state.and_then(|(_, why)| why),
        event: event.event.clone(),
        conversation: event
            .conversation
            .clone()
            .filter(|_| !event.conversation_ended),
    }
}

/// Returns the condition under which the event counts.
fn counts(pane: PaneId, event: &HookEvent) -> Option<String> {
    match (event.state, &event.conversation) {
        (Some((state, _)), _) if event.is_repeat => {
            let variable = schema::hook(pane);
            Some(format!(
                "#{{?#{{m:*?{}?*,#{{{variable}}}}},0,1}}",
                state.as_str()
            ))
        }
        // An event of another thread of the same agent is not for this pane.
        (_, Some(id)) if !event.proves_conversation => Some(either(
            &equal(Key::Conv, ""),
            &equal(Key::Conv, &value::encode(id)),
        )),
        _ => None,
    }
}

/// Returns the condition that the pane's sesh is the sender's: it is alive, in the process that it is bound to, and of
/// the same kind.
fn sesh_is_senders(reporter: &ReportingAgent) -> String {
    let first = reporter.first.to_string();
    let bound = either(
        &equal(Key::Proc, &first),
        &format!("#{{m:{first}:*,{}}}", Key::Proc.format()),
    );
    let lives = both(
        &format!("#{{!=:{},}}", Key::Id.format()),
        &equal(Key::Exit, ""),
    );
    let kind = equal(Key::Agent, &value::encode(&reporter.kind));
    both(&lives, &both(&bound, &kind))
}

/// Returns the commands that change the sesh, with the condition that nothing would change. An equal write would redraw
/// every client.
fn change(target: &str, reporter: &ReportingAgent, event: &HookEvent) -> Option<(String, Batch)> {
    let mut parts: Vec<(String, Vec<Command>)> = Vec::new();
    if let Some((state, why)) = event.state {
        let mut commands = write::state(target, state, why, "hook");
        commands.push(print_change(target, JournalEvent::State));
        parts.push((has_state(state, why), commands));
    }
    if let (true, Some(id)) = (
        event.proves_conversation && !reporter.kind.is_empty(),
        &event.conversation,
    ) {
        let id = value::encode(id);
        let mut commands = vec![write::put(target, Key::Conv, &id)];
        commands.extend(write::identity_news(target));
        commands.push(print_change(target, JournalEvent::Conversation));
        parts.push((equal(Key::Conv, &id), commands));
    }
    let conditions = parts.iter().map(|(same, _)| same.clone());
    let same = conditions.reduce(|one, other| both(&one, &other))?;
    let mut change = Batch::new();
    for (same, commands) in parts {
        let mut batch = Batch::new();
        batch.extend(commands);
        change.extend([command::if_format(
            Some(target),
            &same,
            &Batch::new(),
            &batch,
        )]);
    }
    change.extend([write::book_of_pane(target), write::count(target)]);
    Some((same, change))
}

fn has_state(state: State, why: Option<Why>) -> String {
    both(
        &equal(Key::State, state.as_str()),
        &equal(Key::Why, why.map_or("", Why::as_str)),
    )
}
