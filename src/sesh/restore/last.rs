//! All that were alive when the last tmux server died: offered, and brought back one after another, once.

use super::{Options, one};
use crate::error::{Error, Exit, Result};
use crate::proc;
use crate::sesh::find;
use crate::store::query::Past;
use crate::store::{Record, Select, schema};
use crate::tmux::{Batch, Server, command};

/// What [`schema::RESTORED`] says in the end.
const DONE: &str = "done";
/// Tries of a claim that others keep taking.
const TRIES: usize = 10;

/// Who has brought them back.
enum Claim {
    Ours,
    Theirs,
    Done,
}

/// Those that were alive when the last server died: the eldest first, so that a parent is there before its children.
/// Those of a server before that are history. None where that was answered in this life of the server.
///
/// # Errors
/// As [`Server::run`].
pub fn lost(server: &Server) -> Result<Vec<Record>> {
    if standing(server)? == DONE {
        return Ok(Vec::new());
    }
    let select = Select {
        ended: true,
        past: Past::All,
        ..Select::default()
    };
    let snapshot = match find::read(server, &select) {
        Err(error) if error.exit == Exit::NoServer => return Ok(Vec::new()),
        outcome => outcome?,
    };
    let life = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
    let mut lost: Vec<&Record> = snapshot
        .ended
        .iter()
        .filter(|record| record.was.is_some() && life(record) != snapshot.life)
        .collect();
    let newest = lost
        .iter()
        .filter_map(|record| life(record))
        .max_by_key(|life| life.start);
    lost.retain(|record| life(record) == newest);
    lost.sort_by_key(|record| record.created_at);
    Ok(lost.into_iter().cloned().collect())
}

/// Brings them back. `each` is told of every one, before and with what came of it.
///
/// # Errors
/// [`Exit::Unusable`] while somebody else does. What becomes of each is for `each`.
pub fn all(
    server: &Server,
    options: &Options<'_>,
    each: &mut dyn FnMut(&Record, Option<&Result<Record>>),
) -> Result<()> {
    let lost = lost(server)?;
    match claim(server)? {
        Claim::Ours => {}
        Claim::Done => return Ok(()),
        Claim::Theirs => {
            return Err(Error::unusable(
                "another sesh-restore brings them back at this moment: sesh-list shows how far it is",
            ));
        }
    }
    for record in &lost {
        each(record, None);
        let outcome = one(server, record, options);
        each(record, Some(&outcome));
    }
    answer(server)
}

/// Says how many there are, as long as nobody has answered.
///
/// # Errors
/// As [`Server::run`].
pub fn offer(server: &Server, lost: usize) -> Result<()> {
    let said = match lost {
        0 => command::unset_server(schema::LOST),
        some => command::set_server(schema::LOST, &some.to_string()),
    };
    let unanswered = format!("#{{==:#{{{}}},}}", schema::RESTORED);
    let offer = command::if_format(None, &unanswered, &Batch::from(said), &Batch::new());
    server.run(&Batch::from(offer)).map(drop)
}

/// Says that it was answered: in this life of the server nobody is asked again, and nothing is brought back by itself.
///
/// # Errors
/// As [`Server::run`].
pub fn answer(server: &Server) -> Result<()> {
    let answered = Batch::from(command::set_hidden(schema::RESTORED, DONE))
        .then(command::unset_server(schema::LOST));
    match server.run(&answered) {
        // Nobody is left to be asked.
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// What is to be done with them: `@sesh-restore`.
///
/// # Errors
/// As [`Server::run`].
pub fn setting(server: &Server) -> Result<String> {
    let format = schema::RESTORE.format();
    let set = server.run(&Batch::from(command::print(None, &format)))?;
    Ok(match set.trim_end() {
        "" => schema::RESTORE.default.into(),
        set => set.into(),
    })
}

fn standing(server: &Server) -> Result<String> {
    let format = format!("#{{{}}}", schema::RESTORED);
    match server.run(&Batch::from(command::print(None, &format))) {
        Err(error) if error.exit == Exit::NoServer => Ok(String::new()),
        outcome => Ok(outcome?.trim_end().into()),
    }
}

/// Takes it on, unless somebody who lives has.
fn claim(server: &Server) -> Result<Claim> {
    let own = i32::try_from(std::process::id()).ok().and_then(proc::read);
    let own = own.map_or_else(String::new, |own| format!("{}:{}", own.pid, own.start));
    for _ in 0..TRIES {
        let held = standing(server)?;
        if held == DONE {
            return Ok(Claim::Done);
        }
        let mut parts = held.split(':').map(str::parse::<u64>);
        if let (Some(Ok(pid)), Some(Ok(start))) = (parts.next(), parts.next())
            && let Some(process) = i32::try_from(pid).ok().and_then(proc::read)
            && process.start == start
        {
            return Ok(Claim::Theirs);
        }
        let take = Batch::from(command::set_hidden(schema::RESTORED, &own))
            .then(command::print(None, "ours"));
        let answer = server.run(&Batch::from(command::if_format(
            None,
            &format!("#{{==:#{{{}}},{held}}}", schema::RESTORED),
            &take,
            &Batch::from(command::print(None, "lost")),
        )));
        match answer {
            // Each is brought back once in any case: there is no server yet to say so.
            Err(error) if error.exit == Exit::NoServer => return Ok(Claim::Ours),
            Ok(answer) if answer.trim_end() == "ours" => return Ok(Claim::Ours),
            outcome => outcome.map(drop)?,
        }
    }
    Ok(Claim::Theirs)
}
