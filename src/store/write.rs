//! Writes to the store. Each write is one list of commands, so that no other process sees a part of it. Each is bound
//! to a condition that the server tests in the same list, so that no change of another process is lost.

use super::condition::{IS_SHOWN, both, equal};
use super::hint;
use super::query::{first_pane, row_format};
use super::record::{Record, book_format};
use super::schema::{self, Key};
use super::target::changed;
use crate::error::Result;
use crate::id::{PaneId, ProcessId, SeshId};
use crate::state::{State, Why};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The time of the server's clock in epoch seconds, as a format.
pub const NOW: &str = "#{T:#{l:%s}}";

/// Returns the commands that make a pane a sesh: they set its options and its record. Without a [`Key::Proc`] among the
/// values, the sesh is bound to the pane's process by the pid alone, since a list of commands knows no more. The times
/// and generations start now, except those among the values, which a restored sesh already has.
#[must_use]
pub fn birth(pane: &str, id: SeshId, values: &[(Key, String)]) -> Vec<Command> {
    let mut commands = vec![
        command::set_pane(pane, Key::Id.option(), &id.to_string()),
        command::set_pane_expanded(pane, Key::Proc.option(), "#{pane_pid}"),
    ];
    for (key, value) in values {
        if !value.is_empty() {
            commands.push(command::set_pane(pane, key.option(), value));
        }
    }
    let given = |key: Key| values.iter().find(|(it, _)| *it == key);
    for key in [Key::Created, Key::Updated, Key::Since] {
        if given(key).is_none() {
            commands.push(command::set_pane_expanded(pane, key.option(), NOW));
        }
    }
    // A new sesh is not unread: there is nothing to look at yet.
    for key in [Key::Gen, Key::Seen] {
        if given(key).is_none() {
            commands.push(command::set_pane(pane, key.option(), "1"));
        }
    }
    let busy = given(Key::State).is_some_and(|(_, state)| state == "busy");
    if busy && given(Key::Worked).is_none() {
        commands.push(command::set_pane(pane, Key::Worked.option(), "1"));
    }
    commands.extend([book(pane, id), count(pane)]);
    commands.extend(hint::of_birth(id, pane));
    commands
}

/// Returns the command that sets a value of a pane, or removes it if it is empty. It does not change the record:
/// [`bound`] or [`book`] has to follow.
#[must_use]
pub fn put(pane: &str, key: Key, value: &str) -> Command {
    if value.is_empty() {
        command::unset_pane(pane, key.option())
    } else {
        command::set_pane(pane, key.option(), value)
    }
}

/// Returns the command that sets a value of a pane to the expansion of a format.
#[must_use]
pub fn put_expanded(pane: &str, key: Key, format: &str) -> Command {
    command::set_pane_expanded(pane, key.option(), format)
}

/// Returns the command that sets the time of the last change of a pane's sesh to now.
fn stamp(pane: &str) -> Command {
    put_expanded(pane, Key::Updated, NOW)
}

/// Returns the commands that tell of another agent or conversation of a pane's sesh, where its state stays the same.
pub fn identity_news(pane: &str) -> impl Iterator<Item = Command> {
    std::iter::once(stamp(pane)).chain(hint::of_pane(pane))
}

/// Returns the command that removes the record of a sesh.
#[must_use]
pub fn drop_record(id: SeshId) -> Command {
    command::unset_server(&schema::book(id))
}

/// Returns the command that marks a sesh as seen by a person, if it is unread.
#[must_use]
pub fn seen(pane: PaneId, id: SeshId) -> Command {
    let pane = pane.to_string();
    let unread = format!("#{{e|<:{},{}}}", Key::Seen.format(), Key::Gen.format());
    let see = put_expanded(&pane, Key::Seen, &Key::Gen.format());
    command::if_format(
        Some(&pane),
        &both(&equal(Key::Id, &id.to_string()), &unread),
        &Batch::from(see).then(count(&pane)),
        &Batch::new(),
    )
}

/// Returns the command that stores now as the time of the last search through the hidden variables.
#[must_use]
pub fn swept() -> Command {
    command::set_hidden_expanded(schema::LAST_SWEEP, NOW)
}

/// Returns the command that stores that no `sesh-reap` runs.
#[must_use]
pub fn reap_is_over() -> Command {
    command::unset_hidden(schema::REAP)
}

/// Returns the command that removes the request for another reconciliation, since that reconciliation starts now.
#[must_use]
pub fn reap_again_is_read() -> Command {
    command::unset_hidden(schema::REAP_AGAIN)
}

/// Returns the command that removes a hidden variable of a pane that is gone.
#[must_use]
pub fn drop_variable(name: &str) -> Command {
    command::unset_hidden(name)
}

/// Returns the command that stores the last hook report of the agent in a pane.
#[must_use]
pub fn hook(pane: PaneId, text: &str) -> Command {
    command::set_hidden(&schema::hook(pane), text)
}

/// Returns the command that stores the prompt that the agent in a pane accepted last.
#[must_use]
pub fn prompt(pane: PaneId, text: &str) -> Command {
    command::set_hidden(&schema::prompt(pane), text)
}

/// Returns the command that stores which agent a pane has, for the time when only its shell is left.
#[must_use]
pub fn last_agent(pane: PaneId, process: ProcessId) -> Command {
    command::set_hidden(&schema::last_agent(pane), &process.to_string())
}

/// Returns the command that stores the last answer of the agent in a pane.
#[must_use]
pub fn answer(pane: PaneId, text: &str) -> Command {
    command::set_hidden(&schema::answer(pane), text)
}

/// Returns the command that stores the pane that a client shows before it switches to another one.
#[must_use]
pub fn left_pane(client: &str, pane: &str) -> Command {
    command::set_hidden(&schema::previous_pane(client), pane)
}

/// Returns the command that stores from where clients were taken to a pane ([`Origins::value`]).
///
/// [`Origins::value`]: super::origins::Origins::value
#[must_use]
pub fn origins(pane: PaneId, value: &str) -> Command {
    command::set_hidden(&schema::origins(pane), value)
}

/// Returns the command that removes what [`panes_before_resurrect`] has stored.
#[must_use]
pub fn drop_panes_before_resurrect() -> Command {
    command::unset_hidden(schema::PANES_BEFORE_RESURRECT)
}

/// Returns the command that stores which panes exist before tmux-resurrect restores. These are not restored panes.
#[must_use]
pub fn panes_before_resurrect() -> Command {
    command::set_hidden_expanded(schema::PANES_BEFORE_RESURRECT, "#{S:#{W:#{P:#{pane_id} }}}")
}

/// Returns the command that writes the record of a sesh from its pane's options.
#[must_use]
pub fn book(pane: &str, id: SeshId) -> Command {
    command::set_server_expanded(pane, &schema::book(id), &book_format())
}

/// Returns the commands that set a value of a pane, or remove it if it is empty, only if that changes something. A
/// write of an equal value would redraw every client.
#[must_use]
pub fn change(pane: PaneId, key: Key, value: &str) -> Vec<Command> {
    let pane = pane.to_string();
    let set = put(&pane, key, value);
    unless(&pane, &equal(key, value), vec![set])
}

/// Returns the commands, which run unless a condition holds. The time of the last change is set after them.
#[must_use]
pub fn unless(pane: &str, condition: &str, commands: Vec<Command>) -> Vec<Command> {
    let mut batch = Batch::new();
    batch.extend(commands);
    batch.extend([command::set_pane_expanded(pane, Key::Updated.option(), NOW)]);
    vec![command::if_format(
        Some(pane),
        condition,
        &Batch::new(),
        &batch,
    )]
}

/// Returns the commands that set another state, with its reason, its generation and its time.
#[must_use]
pub fn state(pane: &str, state: State, why: Option<Why>, by: &str) -> Vec<Command> {
    let next = format!("#{{e|+:{},1}}", Key::Gen.format());
    let mut commands = Vec::new();
    if matches!(state, State::Starting | State::Unknown | State::Idle) {
        // With these states a sesh becomes unread only if it was busy or waiting before. Else a seen sesh stays seen.
        let worked = format!("#{{m/r:^(busy|waiting)$,{}}}", Key::State.format());
        let seen = format!("#{{e|>=:{},{}}}", Key::Seen.format(), Key::Gen.format());
        let carry = command::set_pane_expanded(pane, Key::Seen.option(), &next);
        commands.push(command::if_format(
            Some(pane),
            &format!("#{{?{worked},0,{seen}}}"),
            &Batch::from(carry),
            &Batch::new(),
        ));
    }
    commands.extend([
        command::set_pane(pane, Key::State.option(), state.as_str()),
        match why {
            Some(why) => command::set_pane(pane, Key::Why.option(), why.as_str()),
            None => command::unset_pane(pane, Key::Why.option()),
        },
        command::set_pane(pane, Key::By.option(), by),
        command::set_pane_expanded(pane, Key::Since.option(), NOW),
        command::set_pane_expanded(pane, Key::Updated.option(), NOW),
    ]);
    if state == State::Busy {
        commands.push(command::set_pane_expanded(
            pane,
            Key::Worked.option(),
            &next,
        ));
    }
    commands.push(command::set_pane_expanded(pane, Key::Gen.option(), &next));
    commands.extend(hint::of_pane(pane));
    // A person is notified if no client shows the pane. The person knows of a menu that they opened themselves, so it
    // causes no notification. An idle sesh has finished only if it is unread, that is, if it was busy or waiting
    // before.
    let notify = match (state, why) {
        (State::Waiting, Some(Why::Dialog)) => None,
        (State::Waiting, _) => Some("1".into()),
        (State::Idle, _) => Some(format!(
            "#{{e|<:{},{}}}",
            Key::Seen.format(),
            Key::Gen.format()
        )),
        (State::Exited, _) => Some(failed()),
        _ => None,
    };
    // The count that follows starts the notification: only the plugin's own hook can branch without a command string
    // that tmux never frees.
    let pane_to_notify = notify.map_or_else(String::new, |notify| {
        let unarchived = both(&notify, &equal(Key::Archived, ""));
        let not_shown = both(&unarchived, &format!("#{{?{IS_SHOWN},0,1}}"));
        format!("#{{?{not_shown},#{{pane_id}},}}")
    });
    commands.push(command::set_hidden_for(
        pane,
        schema::NOTIFY_PANE,
        &pane_to_notify,
    ));
    commands
}

/// Returns the commands that set the sesh of a pane to exited. `exit` is the value of [`Key::Exit`] without its time
/// ([`ExitStatus::value`](super::record::ExitStatus::value)), and may contain formats.
#[must_use]
pub fn end(pane: &str, exit: &str) -> Vec<Command> {
    let exit = format!("{exit} {NOW}");
    let mut commands = vec![command::set_pane_expanded(pane, Key::Exit.option(), &exit)];
    commands.extend(state(pane, State::Exited, None, "process"));
    commands
}

/// Returns the condition that the command of a pane's sesh has failed, as
/// [`Record::failed`](super::record::Record::failed) does.
fn failed() -> String {
    let (exit, command) = (Key::Exit.format(), Key::Cmd.format());
    format!("#{{?#{{m/r:{NO_FAILURE},{exit}}},0,#{{!=:{command},}}}}")
}

/// The pattern of the exit statuses that are no failure, as [`ExitStatus::is_failure`] has them.
///
/// [`ExitStatus::is_failure`]: super::record::ExitStatus::is_failure
const NO_FAILURE: &str = "^(0|129|130|143|- 1|- 2|- 15) ";

/// Returns the command that sets the exit status in the record of a sesh without a pane. A [`hint`] has to follow.
#[must_use]
pub fn end_in_book(id: SeshId, exit: &str) -> Command {
    command::append_server(&schema::book(id), &format!(",exit={exit} {NOW}"))
}

/// Returns the commands that remove the options of a sesh from a pane, so that only its record is left. In a pane that
/// was created for the sesh they also unset `remain-on-exit`, so that another program in the pane gets the usual
/// setting.
pub fn unregister(pane: &str) -> impl Iterator<Item = Command> {
    let unset_remain_on_exit = command::if_format(
        Some(pane),
        &Key::Made.format(),
        &Batch::from(command::unset_pane(pane, "remain-on-exit")),
        &Batch::new(),
    );
    let options = schema::PANE
        .iter()
        .map(move |entry| command::unset_pane(pane, entry.option));
    std::iter::once(unset_remain_on_exit)
        .chain(options)
        .chain([count(pane)])
}

/// Returns the command that writes the record of a pane's sesh from the pane's options, whichever sesh it is.
#[must_use]
pub fn book_of_pane(pane: &str) -> Command {
    command::set_server_expanded(pane, schema::BOOK_OF_PANE, &book_format())
}

/// Returns the condition that the record agrees with the pane's options.
#[must_use]
pub fn book_is_in_step(id: SeshId) -> String {
    // The record comes first: the format of the other side contains commas, and the first comma ends the first side.
    format!("#{{==:#{{{}}},{}}}", schema::book(id), book_format())
}

/// Returns the command that counts a pane in the sums again. It has to follow each change of the pane's options.
/// Without the plugin it does nothing. If a client shows the pane, its state counts as seen.
#[must_use]
pub fn count(pane: &str) -> Command {
    command::fire_after_set_hook(pane)
}

/// The outcome of a bound write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundOutcome {
    Done,
    /// The condition did not hold.
    Condition,
    /// The pane is gone, or belongs to another sesh now.
    Gone,
}

impl BoundOutcome {
    const ALL: [Self; 3] = [Self::Done, Self::Condition, Self::Gone];

    /// Returns the word that [`bound`] prints.
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Condition => "condition",
            Self::Gone => "gone",
        }
    }

    /// Parses the output of [`bound`]. A branch that was not taken has printed an empty line.
    #[must_use]
    pub fn read(answer: &str) -> Self {
        Self::read_each(answer).next().unwrap_or(Self::Gone)
    }

    /// Parses the output of several [`bound`] commands, in their order.
    pub fn read_each(answer: &str) -> impl Iterator<Item = Self> {
        answer
            .lines()
            .filter_map(|line| Self::ALL.into_iter().find(|outcome| outcome.word() == line))
    }
}

/// Returns the command that runs other commands on the pane of a sesh, if the pane still belongs to the sesh and a
/// condition holds. It prints one line for [`BoundOutcome::read`]. If an option changed, the record is written too.
#[must_use]
pub fn bound(pane: PaneId, id: SeshId, condition: &str, commands: Vec<Command>) -> Command {
    let target = pane.to_string();
    let mut act = Batch::new();
    act.extend(commands);
    // The record is a server option: a write of an equal value would redraw every client. It comes last, so that the
    // list ends here if nothing changed.
    act.extend([
        command::print(None, BoundOutcome::Done.word()),
        command::if_format(
            Some(&target),
            &book_is_in_step(id),
            &Batch::new(),
            &Batch::from(book(&target, id))
                .and(hint::of_pane(&target))
                .then(count(&target)),
        ),
    ]);
    let is_own = equal(Key::Id, &id.to_string());
    let [refused, gone] = [BoundOutcome::Condition, BoundOutcome::Gone].map(BoundOutcome::word);
    let refusal = format!("#{{?{is_own},{refused},{gone}}}");
    command::if_format(
        Some(&target),
        &both(&is_own, condition),
        &act,
        &Batch::from(command::print(Some(&target), &refusal)),
    )
}

/// Reads the record of a pane again after a write.
///
/// # Errors
/// [`Exit::Changed`](crate::error::Exit::Changed) if the pane is gone or belongs to another sesh now.
pub fn reread(server: &Server, pane: PaneId, id: SeshId) -> Result<Record> {
    let frame = Frame::new();
    let target = pane.to_string();
    let output = server.run(&Batch::from(command::print(
        Some(&target),
        &row_format(&frame),
    )))?;
    record_in(&frame, &output, id)
}

/// Returns the record of a sesh from the output of a list that printed the row of its pane.
pub(super) fn record_in(frame: &Frame, output: &str, id: SeshId) -> Result<Record> {
    let (rows, _) = frame.read(output);
    first_pane(&rows)?
        .and_then(|pane| pane.record)
        .filter(|record| record.uuid == id)
        .ok_or_else(|| changed(id))
}
