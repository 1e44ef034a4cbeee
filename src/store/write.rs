//! Writes to the store. Each is one command list, so nobody sees half of it, and each is bound to a
//! condition that the server tests in the same list, so nobody's change is lost.

use super::condition::{both, equal};
use super::query::{first_pane, row_format};
use super::record::{Record, book_format};
use super::schema::{self, Key};
use super::target::changed;
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::state::{State, Why};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The server's clock, epoch seconds, as a format.
pub const NOW: &str = "#{T:#{l:%s}}";

/// The commands that wake what waits for a change, to read the store again.
#[must_use]
pub fn hint() -> [Command; 2] {
    schema::CHANGED.change()
}

/// The commands that make a pane a sesh: its options and its book record. Without a [`Key::Proc`] among the
/// values it is bound to the pane's process by the pid alone, which is all that a list can know. Of what is counted and
/// timed from a birth on, the values hold what a sesh that goes on has already.
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
    // There is nothing to look at yet.
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
    commands.extend(hint());
    commands
}

/// Returns the command that sets a value of a pane, or removes it when it is empty. What it changes is in no record yet:
/// [`bound`] or [`book`] follows.
#[must_use]
pub fn put(pane: &str, key: Key, value: &str) -> Command {
    if value.is_empty() {
        command::unset_pane(pane, key.option())
    } else {
        command::set_pane(pane, key.option(), value)
    }
}

/// Returns the command that sets a value of a pane to what a format gives there.
#[must_use]
pub fn put_expanded(pane: &str, key: Key, format: &str) -> Command {
    command::set_pane_expanded(pane, key.option(), format)
}

/// Returns the command that stamps a pane's sesh as changed now.
#[must_use]
pub fn stamp(pane: &str) -> Command {
    put_expanded(pane, Key::Updated, NOW)
}

/// Returns the command that drops the record of a sesh.
#[must_use]
pub fn drop_record(id: SeshId) -> Command {
    command::unset_server(&schema::book(id))
}

/// Returns the commands that take a sesh as seen up to now, if its pane shows something new.
#[must_use]
pub fn seen(pane: PaneId, id: SeshId) -> Command {
    let pane = pane.to_string();
    let unseen = format!("#{{e|<:{},{}}}", Key::Seen.format(), Key::Gen.format());
    let see = put_expanded(&pane, Key::Seen, &Key::Gen.format());
    command::if_format(
        Some(&pane),
        &both(&equal(Key::Id, &id.to_string()), &unseen),
        &Batch::from(see).then(count(&pane)),
        &Batch::new(),
    )
}

/// Returns the command that says when the hidden variables were looked through.
#[must_use]
pub fn swept() -> Command {
    command::set_hidden_expanded(schema::SWEPT, NOW)
}

/// Returns the command that says that no `sesh-reap` runs.
#[must_use]
pub fn reap_is_over() -> Command {
    command::unset_hidden(schema::REAP)
}

/// Returns the command that says that the reconciliation which was wanted while one ran is under way.
#[must_use]
pub fn reap_again_is_read() -> Command {
    command::unset_hidden(schema::REAP_AGAIN)
}

/// Returns the command that drops a hidden variable of a pane that is gone.
#[must_use]
pub fn drop_variable(name: &str) -> Command {
    command::unset_hidden(name)
}

/// Returns the command that keeps what an agent's hook reported last in a pane.
#[must_use]
pub fn hook(pane: PaneId, text: &str) -> Command {
    command::set_hidden(&schema::hook(pane), text)
}

/// Returns the command that keeps which prompt an agent took last in a pane.
#[must_use]
pub fn prompt(pane: PaneId, text: &str) -> Command {
    command::set_hidden(&schema::prompt(pane), text)
}

/// Returns the command that keeps what an agent answered last in a pane.
#[must_use]
pub fn answer(pane: PaneId, text: &str) -> Command {
    command::set_hidden(&schema::answer(pane), text)
}

/// Returns the command that remembers where a client was before it is taken elsewhere.
#[must_use]
pub fn left_pane(client: &str, pane: &str) -> Command {
    command::set_hidden(&schema::was(client), pane)
}

/// Returns the command that drops what [`panes_before_resurrect`] has remembered.
#[must_use]
pub fn drop_panes_before_resurrect() -> Command {
    command::unset_hidden(schema::THERE)
}

/// Returns the command that remembers which panes are there: those are not what a restore by tmux-resurrect brings back.
#[must_use]
pub fn panes_before_resurrect() -> Command {
    command::set_hidden_expanded(schema::THERE, "#{S:#{W:#{P:#{pane_id} }}}")
}

/// Writes the book record from the pane's options.
#[must_use]
pub fn book(pane: &str, id: SeshId) -> Command {
    command::set_server_expanded(pane, &schema::book(id), &book_format())
}

/// The commands that set a key on a pane, or unset it, only if that changes something: an equal write
/// would still redraw every client.
#[must_use]
pub fn change(pane: PaneId, key: Key, value: &str) -> Vec<Command> {
    let pane = pane.to_string();
    let set = put(&pane, key, value);
    unless(&pane, &equal(key, value), vec![set])
}

/// The commands, run and stamped with the time unless a condition holds.
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

/// The commands that say another state: with its reason, its generation and its time.
#[must_use]
pub fn state(pane: &str, state: State, why: Option<Why>, by: &str) -> Vec<Command> {
    let next = format!("#{{e|+:{},1}}", Key::Gen.format());
    let mut commands = Vec::new();
    if matches!(state, State::Starting | State::Unknown | State::Idle) {
        // Only what was worked on, or asked, is there for a person to look at.
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
    commands.extend(hint());
    // A person is notified where no client shows the pane. A menu that a person opened is no news to them, and only what
    // worked has finished.
    let news = match (state, why) {
        (State::Waiting, Some(Why::Dialog)) => None,
        (State::Waiting, _) => Some("1".into()),
        (State::Idle, _) => Some(format!(
            "#{{e|<:{},{}}}",
            Key::Seen.format(),
            Key::Gen.format()
        )),
        _ => None,
    };
    // The count that follows starts it: only the plugin's own hook can choose without a string that tmux keeps.
    let pane_to_tell = news.map_or_else(String::new, |news| {
        let unarchived = both(&news, &equal(Key::Archived, ""));
        let unseen = both(&unarchived, &format!("#{{?{IN_SIGHT},0,1}}"));
        format!("#{{?{unseen},#{{pane_id}},}}")
    });
    commands.push(command::set_hidden_for(pane, schema::TELL, &pane_to_tell));
    commands
}

/// The condition that somebody's client shows a pane.
const IN_SIGHT: &str =
    "#{&&:#{window_active_clients},#{||:#{pane_active},#{==:#{window_zoomed_flag},0}}}";

/// The commands that say that it has ended. `exit` is the value of [`Key::Exit`] but for its time
/// ([`Exit::value`](super::record::Exit::value)), and may hold formats.
#[must_use]
pub fn end(pane: &str, exit: &str) -> Vec<Command> {
    let exit = format!("{exit} {NOW}");
    let mut commands = vec![command::set_pane_expanded(pane, Key::Exit.option(), &exit)];
    commands.extend(state(pane, State::Exited, None, "process"));
    commands
}

/// The commands that say in the book of a sesh without a pane that it has ended.
#[must_use]
pub fn end_in_book(id: SeshId, exit: &str) -> Vec<Command> {
    let end = command::append_server(&schema::book(id), &format!(",exit={exit} {NOW}"));
    std::iter::once(end).chain(hint()).collect()
}

/// The commands that take the marks off a pane, so that only the book remembers the sesh. A pane that was made for it
/// was never to be kept dead: for what is there now that is as elsewhere.
pub fn unmark(pane: &str) -> impl Iterator<Item = Command> {
    let kept = command::if_format(
        Some(pane),
        &Key::Made.format(),
        &Batch::from(command::unset_pane(pane, "remain-on-exit")),
        &Batch::new(),
    );
    let marks = schema::PANE
        .iter()
        .map(move |entry| command::unset_pane(pane, entry.option));
    std::iter::once(kept).chain(marks).chain([count(pane)])
}

/// The same for whatever sesh the pane is.
#[must_use]
pub fn book_of_pane(pane: &str) -> Command {
    command::set_server_expanded(pane, schema::BOOK_OF_PANE, &book_format())
}

/// The condition that the book says what the pane's options say.
#[must_use]
pub fn book_is_in_step(id: SeshId) -> String {
    // The book stands first: the other side holds commas, and a comparison ends its first side at one.
    format!("#{{==:#{{{}}},{}}}", schema::book(id), book_format())
}

/// Counts a pane in the sums as what its options now say, after every change of them. Without the plugin it does
/// nothing. Where a client shows the pane, its state counts as seen.
#[must_use]
pub fn count(pane: &str) -> Command {
    command::fire_after_set_hook(pane)
}

/// How a bound write went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundOutcome {
    Done,
    /// The condition did not hold.
    Condition,
    /// The pane went, or is another's now.
    Gone,
}

impl BoundOutcome {
    const ALL: [Self; 3] = [Self::Done, Self::Condition, Self::Gone];

    /// What [`bound`] prints.
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Condition => "condition",
            Self::Gone => "gone",
        }
    }

    /// Reads what [`bound`] printed. A branch that was not taken has printed an empty line.
    #[must_use]
    pub fn read(answer: &str) -> Self {
        Self::read_each(answer).next().unwrap_or(Self::Gone)
    }

    /// The same of several, one after another.
    pub fn read_each(answer: &str) -> impl Iterator<Item = Self> {
        answer
            .lines()
            .filter_map(|line| Self::ALL.into_iter().find(|bound| bound.word() == line))
    }

    fn print(self) -> Batch {
        Batch::from(command::print(None, self.word()))
    }
}

/// The command that runs others on the pane of a sesh, if it still is that sesh's and a condition holds, and prints one
/// line for [`Bound::read`]; the book follows when an option changed.
#[must_use]
pub fn bound(pane: PaneId, id: SeshId, condition: &str, commands: Vec<Command>) -> Command {
    let target = pane.to_string();
    let mut act = Batch::new();
    act.extend(commands);
    // The book is a server option: a write of an equal one would redraw too. Last, so that where nothing changed the list
    // ends there.
    act.extend([
        command::print(None, BoundOutcome::Done.word()),
        command::if_format(
            Some(&target),
            &book_is_in_step(id),
            &Batch::new(),
            &Batch::from(book(&target, id))
                .and(hint())
                .then(count(&target)),
        ),
    ]);
    let checked = command::if_format(
        Some(&target),
        condition,
        &act,
        &BoundOutcome::Condition.print(),
    );
    command::if_format(
        Some(&target),
        &equal(Key::Id, &id.to_string()),
        &Batch::from(checked),
        &BoundOutcome::Gone.print(),
    )
}

/// Reads a pane again after a write.
///
/// # Errors
/// [`Exit::Changed`] when it went or is another's now.
pub fn reread(server: &Server, pane: PaneId, id: SeshId) -> Result<Record> {
    let frame = Frame::new();
    let target = pane.to_string();
    let output = server.run(&Batch::from(command::print(
        Some(&target),
        &row_format(&frame),
    )))?;
    let (rows, _) = frame.read(&output);
    first_pane(&rows)?
        .and_then(|pane| pane.record)
        .filter(|record| record.uuid == id)
        .ok_or_else(|| changed(id))
}
