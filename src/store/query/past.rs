//! Adds to a snapshot the seshes that only the journal has.

use super::{Past, Select, Snapshot};
use crate::id::Tag;
use crate::store::durable::{self, Journal};
use crate::store::lost_socket;
use crate::store::record::Record;
use crate::store::target::{self, Target};
use crate::tmux::Server;

impl Snapshot {
    /// Adds the seshes of these targets that only the journal has. It is for a snapshot that is part of a larger query.
    pub fn add_past_of(&mut self, server: &Server, targets: &[Target]) {
        let missing = targets.iter().filter(|target| !self.resolves(target));
        let missing: Vec<Target> = missing.cloned().collect();
        if missing.is_empty() {
            return;
        }
        let select = Select {
            past: Past::Of(target::search(&missing)),
            ..Select::targets(&missing)
        };
        if let Ok(past) = Self::read(server, &select) {
            let past = past.ended.into_iter();
            self.ended
                .extend(past.filter(|record| record.kept.is_some()));
        }
    }

    /// Adds the exited seshes with all of these tags that have left the server, so that only the journal has them. It is
    /// for a snapshot with the stored records and [`life`].
    pub fn add_left(&mut self, server: &Server, tags: &[Tag]) {
        let (Some(life), Some(first), true) = (self.server_id, tags.first(), self.has_left) else {
            return;
        };
        let mut left = Journal::search(server, &target::search_tag(first)).others(&self.known);
        // A sesh that was created since the server was asked has no end in the journal, or is not known to it.
        left.retain(|record| {
            let lived_in = record.kept.as_ref().and_then(|kept| kept.server);
            let is_known = self.ended.iter().any(|known| known.uuid == record.uuid);
            record.was.is_none() && lived_in == Some(life) && record.has_tags(tags) && !is_known
        });
        self.add_past(server, left);
    }

    /// Adds seshes that only the journal has.
    pub(super) fn add_past(&mut self, server: &Server, mut past: Vec<Record>) {
        let life = |record: &Record| record.kept.as_ref().and_then(|kept| kept.server);
        let of_this = |record: &Record| self.server_id.is_some() && life(record) == self.server_id;
        if past.iter().any(of_this) {
            // A sesh of this server was forgotten between the two reads, or its record was removed by hand.
            let forgotten = Journal::search(server, &durable::forgotten()).forgotten();
            past.retain(|record| !forgotten.contains(&record.uuid));
        }
        past.retain(|record| !self.forgotten.contains(&record.uuid));
        let path = server.address();
        let socket = path
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned());
        for record in &mut past {
            record.socket.clone_from(&socket);
        }
        lost_socket::correct(&mut past, &path.unwrap_or_default(), self.server_id);
        if self.ended.is_empty() {
            self.ended = past;
        } else {
            self.ended.extend(past);
        }
    }
}
