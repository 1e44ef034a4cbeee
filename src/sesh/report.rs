//! What an agent says of itself reaches the pane that it lives in: by one list of commands, and no pane is read.

use crate::agent::kinds::Agent;
use crate::agent::message;
use crate::agent::recognise::{self, living, nearest};
use crate::agent::report::HookEvent;
use crate::clock;
use crate::env;
use crate::error::{Exit, Result};
use crate::id::SeshId;
use crate::id::{PaneId, ProcessId};
use crate::proc::{self, Process};
use crate::state::{State, Why};
use crate::store::commit::commit_quietly;
use crate::store::condition::{both, either, equal};
use crate::store::hook_report::{AgentAnswer, HookReport, TakenPrompt};
use crate::store::note::{JournalEvent, Note};
use crate::store::{Key, schema, value, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// Who says it.
struct ReportingAgent {
    /// The agent's process, else the pane's.
    process: ProcessId,
    /// Empty for what is no agent.
    kind: String,
    /// The first process of its pane.
    first: i32,
}

/// Tells the server what an agent said. `kind` is the agent whose payload it was; without one, whatever lives in the
/// caller's pane speaks. `false` when that is in no pane of the server.
///
/// # Errors
/// As [`Server::run`]; a server that is not there is no error.
pub fn report(
    server: &Server,
    kind: Option<&str>,
    told: &HookEvent,
    agents: &[Agent],
) -> Result<bool> {
    match tell(server, kind, told, agents) {
        Err(error) if error.exit == Exit::NoServer => Ok(false),
        outcome => outcome,
    }
}

fn tell(server: &Server, kind: Option<&str>, told: &HookEvent, agents: &[Agent]) -> Result<bool> {
    let above = proc::ancestors();
    // The first process of a pane is the server's own child, so $TMUX tells which it is, and nothing has to be asked.
    let first = env::tmux_server()
        .filter(|_| server.is_callers())
        .and_then(|server| above.iter().position(|process| process.parent == server));
    let pane = env::tmux_pane().filter(|_| server.is_callers());
    if let (Some(pane), Some(first)) = (pane, first)
        && let Some(reporter) = reporter(&above[..=first], kind, agents)
        && write(server, pane, &reporter, told)?
    {
        return Ok(true);
    }
    // $TMUX_PANE is not there, or is what somebody else left: a daemon has that of the pane which started it.
    let panes = panes(server)?;
    let by_descent = panes.iter().find_map(|pane| {
        let at = above.iter().position(|process| process.pid == pane.first)?;
        Some((pane.id, reporter(&above[..=at], kind, agents)?))
    });
    match by_descent.or_else(|| by_conversation(&panes, kind?, told, agents)) {
        Some((pane, reporter)) => write(server, pane, &reporter, told),
        None => Ok(false),
    }
}

/// Who speaks, of the processes up to a pane's first one. With a kind it must be an agent of it, in the pane's
/// foreground or behind it; without one it may be a program that no agent has started.
fn reporter(above: &[Process], kind: Option<&str>, agents: &[Agent]) -> Option<ReportingAgent> {
    let first = above.last()?;
    let found = recognise::reporter(above, agents, proc::program);
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
        (None, None) => nearest(above, agents, proc::program)
            .is_none()
            .then(|| ReportingAgent {
                process: first.id(),
                kind: String::new(),
                first: first.pid,
            }),
    }
}

/// A pane, as far as it tells whose it is.
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

/// The pane whose agent is in a conversation that a daemon keeps: by the id that was proven, or by a title that shows it.
fn by_conversation(
    panes: &[Candidate],
    kind: &str,
    told: &HookEvent,
    agents: &[Agent],
) -> Option<(PaneId, ReportingAgent)> {
    // What Codex shows of a thread's id in a title.
    const SHOWN: usize = 29;
    let id = told.conversation.as_deref()?;
    let shown = id.get(..SHOWN);
    let mut mean = panes.iter().filter(|pane| {
        pane.conversation == id || shown.is_some_and(|shown| pane.title.contains(shown))
    });
    let (Some(pane), None) = (mean.next(), mean.next()) else {
        return None;
    };
    let processes = proc::tree(pane.first);
    let found = living(&processes, pane.first, agents, proc::program);
    let found = found.first().filter(|found| found.agent.name == kind)?;
    let reporter = ReportingAgent {
        process: found.process.id(),
        kind: kind.into(),
        first: pane.first,
    };
    Some((pane.id, reporter))
}

/// Writes what was said, if the pane is still that process's: one list, and flat, since each condition inside another
/// quotes all that it holds once more. `false` when the pane is another's.
fn write(
    server: &Server,
    pane: PaneId,
    reporter: &ReportingAgent,
    told: &HookEvent,
) -> Result<bool> {
    let target = pane.to_string();
    let here = format!("#{{==:#{{pane_pid}},{}}}", reporter.first);
    let heeded = heeded(pane, told);
    let heard = heard(reporter, told);
    let mut hear = Batch::new();
    if let Some(prompt) = &told.prompt {
        let taken = TakenPrompt {
            process: heard.process,
            at: heard.at,
            mark: message::mark(prompt),
        };
        hear.extend([write::prompt(pane, &taken.text())]);
    }
    if let Some(answer) = &told.answer {
        let answered = AgentAnswer {
            process: heard.process,
            at: heard.at,
            text: answer.clone(),
            cut: false,
        };
        hear.extend([write::answer(pane, &answered.line())]);
    }
    // A prompt alone says nothing of what the agent does.
    if told.state.is_some() || told.prompt.is_none() {
        hear.extend([write::hook(pane, &heard.text())]);
    }
    let hear = match &heeded {
        Some(condition) => Batch::from(command::if_format(
            Some(&target),
            condition,
            &hear,
            &Batch::new(),
        )),
        None => hear,
    };
    let elsewhere = Batch::from(command::print(None, ELSEWHERE));
    // What changes first: what is heeded depends on what was heard before.
    let mut list = Batch::new();
    if let Some((same, change)) = change(&target, reporter, told) {
        let mut condition = both(&here, &is_of(reporter));
        if let Some(heeded) = &heeded {
            condition = both(&condition, heeded);
        }
        list.extend([command::if_format(
            Some(&target),
            &both(&condition, &format!("#{{?{same},0,1}}")),
            &change,
            &Batch::new(),
        )]);
    }
    list.extend([command::if_format(Some(&target), &here, &hear, &elsewhere)]);
    commit_quietly(server, &list, |answer| match answer {
        Ok(answer) => {
            let notes = answer.lines().filter_map(|line| note(line, reporter, told));
            let here = !answer.lines().any(|line| line == ELSEWHERE);
            Ok((here, notes.collect()))
        }
        Err(error) if error.exit == Exit::Nothing => Ok((false, Vec::new())),
        Err(error) => Err(error),
    })
}

/// What the server prints when the pane is another's.
const ELSEWHERE: &str = "elsewhere";

/// The command that says what has changed, and of which sesh: nobody asked before, and the journal knows no panes.
fn say(target: &str, event: JournalEvent) -> Command {
    let format = format!(
        "{} {} {}",
        event.as_str(),
        Key::Id.format(),
        Key::Since.format()
    );
    command::print(Some(target), &format)
}

/// Returns the note for the journal of what the server says has changed.
fn note(line: &str, reporter: &ReportingAgent, told: &HookEvent) -> Option<Note> {
    let mut words = line.split(' ');
    let event = words.next().unwrap_or("");
    let id = words.next()?.parse::<SeshId>().ok()?;
    let since = words.next().unwrap_or("");
    let conversation = told.conversation.as_deref().map(value::encode);
    match (told.state, &conversation) {
        (Some((state, why)), _) if event == JournalEvent::State.as_str() => {
            let values = [
                (Key::State, state.as_str()),
                (Key::Why, why.map_or("", Why::as_str)),
                (Key::Since, since),
                (Key::By, "hook"),
            ];
            Some(Note::values(JournalEvent::State, id, &values))
        }
        (_, Some(conversation)) if event == JournalEvent::Conversation.as_str() => {
            let values = [
                (Key::Conv, conversation.as_str()),
                (Key::Agent, reporter.kind.as_str()),
            ];
            Some(Note::values(JournalEvent::Conversation, id, &values))
        }
        _ => None,
    }
}

fn heard(reporter: &ReportingAgent, told: &HookEvent) -> HookReport {
    HookReport {
        process: reporter.process,
        at: clock::milliseconds(),
        state: told.state.map(|(state, _)| state),
        why: told.state.and_then(|(_, why)| why),
        event: told.event.clone(),
        conversation: told.conversation.clone().filter(|_| !told.over),
    }
}

/// The condition that what was said counts.
fn heeded(pane: PaneId, told: &HookEvent) -> Option<String> {
    match (told.state, &told.conversation) {
        (Some((state, _)), _) if told.vague => {
            let variable = schema::hook(pane);
            Some(format!(
                "#{{?#{{m:*?{}?*,#{{{variable}}}}},0,1}}",
                state.as_str()
            ))
        }
        // What another thread of the same agent says is not for this pane.
        (_, Some(id)) if !told.proves => Some(either(
            &equal(Key::Conv, ""),
            &equal(Key::Conv, &value::encode(id)),
        )),
        _ => None,
    }
}

/// The condition that the pane's sesh is that of the speaker: it lives, in the process that it is bound to, and is of
/// the same kind.
fn is_of(reporter: &ReportingAgent) -> String {
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

/// The commands that change the sesh, with the condition that nothing would change: an equal write redraws every
/// client.
fn change(target: &str, reporter: &ReportingAgent, told: &HookEvent) -> Option<(String, Batch)> {
    let mut parts: Vec<(String, Vec<Command>)> = Vec::new();
    if let Some((state, why)) = told.state {
        let mut commands = write::state(target, state, why, "hook");
        commands.push(say(target, JournalEvent::State));
        parts.push((is_in(state, why), commands));
    }
    if let (true, Some(id)) = (told.proves && !reporter.kind.is_empty(), &told.conversation) {
        let id = value::encode(id);
        let commands = vec![
            write::put(target, Key::Conv, &id),
            write::stamp(target),
            say(target, JournalEvent::Conversation),
        ];
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

fn is_in(state: State, why: Option<Why>) -> String {
    both(
        &equal(Key::State, state.as_str()),
        &equal(Key::Why, why.map_or("", Why::as_str)),
    )
}
