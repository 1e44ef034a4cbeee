//! Writes to the store. Each is one command list, so nobody sees half of it, and each is bound to a
//! condition that the server tests in the same list, so nobody's change is lost.

use super::append;
use super::condition::{both, equal};
use super::query::{first_pane, row_format};
use super::record::{Record, Values, book_format};
use super::schema::{self, Key};
use super::target::changed;
use crate::clock;
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::state::{State, Why};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The server's clock, epoch seconds, as a format.
pub const NOW: &str = "#{T:#{l:%s}}";

/// Tries of a write that others keep changing under us; each try is one tmux process.
const TRIES: u32 = 100;

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
    let set = if value.is_empty() {
        command::unset_pane(&pane, key.option())
    } else {
        command::set_pane(&pane, key.option(), value)
    };
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
pub enum Bound {
    Done,
    /// The condition did not hold.
    Condition,
    /// The pane went, or is another's now.
    Gone,
}

impl Bound {
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
        command::print(None, Bound::Done.word()),
        command::if_format(
            Some(&target),
            &book_is_in_step(id),
            &Batch::new(),
            &Batch::from(book(&target, id))
                .and(hint())
                .then(count(&target)),
        ),
    ]);
    let checked = command::if_format(Some(&target), condition, &act, &Bound::Condition.print());
    command::if_format(
        Some(&target),
        &equal(Key::Id, &id.to_string()),
        &Batch::from(checked),
        &Bound::Gone.print(),
    )
}

/// Runs commands as [`bound`] says. `Ok(false)` when only the condition failed.
///
/// # Errors
/// [`Exit::Changed`] when the pane went or is another's now.
pub fn on_pane(
    server: &Server,
    pane: PaneId,
    id: SeshId,
    condition: &str,
    commands: Vec<Command>,
) -> Result<bool> {
    let output = server.run(&Batch::from(bound(pane, id, condition, commands)))?;
    match Bound::read(&output) {
        Bound::Done => Ok(true),
        Bound::Condition => Ok(false),
        Bound::Gone => Err(changed(id)),
    }
}

/// Changes the book record of an ended sesh: read, change, write if nobody else did meanwhile.
///
/// # Errors
/// [`Exit::Changed`] when it has a pane again or is forgotten.
pub fn on_book(
    server: &Server,
    id: SeshId,
    mut edit: impl FnMut(&mut Values) -> Result<()>,
) -> Result<Record> {
    let name = schema::book(id);
    let held = format!("#{{{name}}}");
    for _ in 0..TRIES {
        let output = server.run(&Batch::from(command::print(None, &held)))?;
        let old = output.trim_end_matches('\n');
        let mut values = Values::from_book(old).ok_or_else(|| changed(id))?;
        let before = values.clone();
        edit(&mut values)?;
        if values != before {
            values.set(Key::Updated, clock::seconds().to_string());
            let answer = server.run(&Batch::from(command::if_format(
                None,
                &format!("#{{==:{held},{old}}}"),
                &Batch::from(command::set_server(&name, &values.to_book()))
                    .and(hint())
                    .then(command::print(None, "done")),
                &Batch::from(command::print(None, "lost")),
            )))?;
            if answer.trim() != "done" {
                continue;
            }
        }
        let record = Record::ended(values).ok_or_else(|| changed(id))?;
        return Ok(record.of(server));
    }
    Err(changed(id))
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

/// Removes every trace of an ended sesh: of the journal first, so that nothing is left that could come back.
///
/// # Errors
/// As [`Server::run`] and [`append::forget`].
pub fn forget(server: &Server, id: SeshId) -> Result<()> {
    append::forget(server, id)?;
    unwrite(server, id)
}

/// Removes what tmux remembers of a sesh that never came to be.
///
/// # Errors
/// As [`Server::run`].
pub fn unwrite(server: &Server, id: SeshId) -> Result<()> {
    server
        .run(
            &Batch::from(command::unset_server(&schema::book(id)))
                .then(command::unset_hidden(&schema::tail(id)))
                .and(hint()),
        )
        .map(drop)
}
