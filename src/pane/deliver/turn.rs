//! One message at a time is typed into a pane.

use super::typing::buffer;
use super::{Delivery, pause};
use crate::error::Result;
use crate::store::lease::{Lease, Taken};
use crate::store::schema;

impl<'a> Delivery<'a> {
    /// Waits until no other process types a message into the pane: two at once would be one text. Returns the right to type,
    /// which is given back when it is dropped. `None` when the wait takes too long.
    pub(super) fn turn(&self) -> Result<Option<Lease<'a>>> {
        let mut lease = Lease::of(self.server, &schema::send(self.pane)).marked(&buffer());
        loop {
            if lease.take()? == Taken::Ours {
                return Ok(Some(lease));
            }
            if self.late() {
                return Ok(None);
            }
            pause();
        }
    }
}
