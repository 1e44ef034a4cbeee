//! The lease by which only one message at a time is typed into a pane.

use super::typing::buffer;
use super::{Delivery, pause};
use crate::error::Result;
use crate::store::lease::{Lease, LeaseOutcome};
use crate::store::schema;

impl<'a> Delivery<'a> {
    /// Waits until no other process types a message into the pane, since two at once would become one text. Returns the
    /// lease, which is released when it is dropped, or `None` when the wait takes too long.
    pub(super) fn lease(&self) -> Result<Option<Lease<'a>>> {
        let mut lease = Lease::of(self.server, &schema::send(self.pane)).marked(&buffer());
        loop {
            if lease.take()? == LeaseOutcome::Held {
                return Ok(Some(lease));
            }
            if self.timed_out() {
                return Ok(None);
            }
            pause();
        }
    }
}
