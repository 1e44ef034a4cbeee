//! All that were alive when the last tmux server died, brought back one after another, once.

use super::{Options, one};
use crate::error::{Error, Exit, Result};
use crate::proc;
use crate::store::pending_restore::{DONE, answer, offer, pending as still_lost, standing};
use crate::store::{Record, schema};
use crate::tmux::{Batch, Server, command};

/// Tries of a claim that others keep taking.
const TRIES: usize = 10;

/// Who has brought them back.
enum Claim {
    Ours,
    Theirs,
    Done,
}

/// Brings them back. `each` is told of every one, before and with what came of it. Those that do not come stay offered.
///
/// # Errors
/// [`Exit::Unusable`] while somebody else does. What becomes of each is for `each`.
pub fn all(
    server: &Server,
    options: &Options<'_>,
    each: &mut dyn FnMut(&Record, Option<&Result<Record>>),
) -> Result<()> {
    let lost = still_lost(server)?;
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
    if still_lost(server)?.is_empty() {
        return answer(server);
    }
    // The claim goes: the next one may try.
    let free = Batch::from(command::unset_hidden(schema::RESTORED));
    match server.run(&free).and_then(|_| offer(server)) {
        // Not one has come, so there is none who would be asked.
        Err(error) if error.exit == Exit::NoServer => Ok(()),
        outcome => outcome,
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
            Ok(answer) if answer.trim() == "ours" => return Ok(Claim::Ours),
            outcome => outcome.map(drop)?,
        }
    }
    Ok(Claim::Theirs)
}
