//! One message at a time is typed into a pane.

use super::typing::buffer;
use super::{Delivery, pause};
use crate::error::Result;
use crate::proc;
use crate::store::condition::either;
use crate::store::schema;
use crate::tmux::{Batch, Server, command};

/// The right to type a message into a pane, of which two at once would be one text. Given back when it is dropped.
pub(super) struct Turn<'a> {
    server: &'a Server,
    variable: String,
    holder: String,
}

impl Turn<'_> {
    /// Takes it if nobody has it, or somebody who is gone. Gives who has it then.
    fn take(&self, left_over: &str) -> Result<String> {
        let held = |by: &str| format!("#{{==:#{{{}}},{by}}}", self.variable);
        let take = Batch::from(command::set_hidden(&self.variable, &self.holder));
        let take = command::if_format(
            None,
            &either(&held(""), &held(left_over)),
            &take,
            &Batch::new(),
        );
        let tell = command::print(None, &format!("#{{{}}}", self.variable));
        let said = self.server.run(&Batch::from(take).then(tell))?;
        Ok(said.trim_end().into())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let own = format!("#{{==:#{{{}}},{}}}", self.variable, self.holder);
        let give = Batch::from(command::unset_hidden(&self.variable));
        let give = command::if_format(None, &own, &give, &Batch::new());
        // With the server it is gone anyway.
        let _ = self.server.run(&Batch::from(give));
    }
}

impl<'a> Delivery<'a> {
    /// Waits until nobody else is typing a message into the pane. `None` when that lasts too long.
    pub(super) fn turn(&self) -> Result<Option<Turn<'a>>> {
        let own = proc::read(std::process::id().cast_signed()).map_or(0, |own| own.start);
        let turn = Turn {
            server: self.server,
            variable: schema::send(self.pane),
            holder: format!("{}:{own}:{}", std::process::id(), buffer()),
        };
        let mut left_over = String::new();
        loop {
            let holder = turn.take(&left_over)?;
            if holder == turn.holder {
                return Ok(Some(turn));
            }
            // Whoever was killed does not give it back.
            let mut fields = holder.split(':').map(str::parse::<u64>);
            let alive = match (fields.next(), fields.next()) {
                (Some(Ok(pid)), Some(Ok(start))) => i32::try_from(pid)
                    .ok()
                    .and_then(proc::read)
                    .is_some_and(|process| process.start == start && !process.zombie),
                _ => false,
            };
            left_over = if alive { String::new() } else { holder };
            if self.late() {
                return Ok(None);
            }
            if alive {
                pause();
            }
        }
    }
}
