//! Waits for a change: a channel of `wait-for` of tmux, and counters of the reasons for its signals.

use std::time::{Duration, Instant};

use super::command::{self, Command};
use super::{Batch, Server, direct};
use crate::env;
use crate::error::Result;

impl Server {
    /// Returns the present counters of a channel.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn counters(&self, channel: &Channel) -> Result<Counters> {
        let answer = self.run(&Batch::from(command::print(None, &channel.format())))?;
        Ok(Counters::read(&answer))
    }

    /// Returns a wait for changes that are signalled on a channel.
    #[must_use]
    pub fn subscribe(&self, channel: &'static Channel) -> Subscription {
        Subscription {
            server: self.clone(),
            channel,
            client: None,
        }
    }

    /// Wakes every client that waits on a channel, so that the clients of this process end before the process does: see
    /// [`Subscription`].
    pub fn wake_waiting_clients(&self, channel: &Channel) {
        let mut wake = Batch::new();
        wake.extend(channel.signal(channel.given_up));
        // If the server has ended, its clients have ended too.
        let _ = self.run(&wake.repeatable());
    }
}

/// A channel of `wait-for`, with the hidden variables that count the reasons for its signals.
#[derive(Debug)]
pub struct Channel {
    pub name: &'static str,
    /// The variable that counts changes.
    pub changes: &'static str,
    /// The variable that counts waits that were given up.
    pub given_up: &'static str,
}

impl Channel {
    /// Returns the format whose value [`Counters::read`] parses.
    #[must_use]
    pub fn format(&self) -> String {
        format!("#{{{}}} #{{{}}}", self.changes, self.given_up)
    }

    /// Returns the commands that signal a change.
    #[must_use]
    pub fn change(&self) -> [Command; 2] {
        self.signal(self.changes)
    }

    fn signal(&self, counter: &str) -> [Command; 2] {
        let next = format!("#{{e|+:#{{{counter}}},1}}");
        [
            command::set_hidden_expanded(counter, &next),
            command::signal(self.name),
        ]
    }
}

/// How often a channel was signalled up to one moment, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    changes: u64,
    given_up: u64,
}

impl Counters {
    /// Parses the value of [`Channel::format`]. A counter that was never set is 0.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let (changes, given_up) = text
            .trim_end_matches('\n')
            .split_once(' ')
            .unwrap_or_default();
        Self {
            changes: changes.parse().unwrap_or(0),
            given_up: given_up.parse().unwrap_or(0),
        }
    }
}

/// A wait for changes that are signalled on a channel.
///
/// It is a client of the server that has no process. tmux never frees a client that disconnects while it waits (5 kB;
/// 3.3a and 3.7c). So a client that is given up is woken first. This wakes all other clients on its channel too: they
/// read the reason from the counters and continue to wait. Only a process that is killed leaves its client behind.
#[derive(Debug)]
pub struct Subscription {
    server: Server,
    channel: &'static Channel,
    /// The client, which starts with the first wait. Also `None` if the server can be reached only through the tmux
    /// program.
    client: Option<direct::WaitingClient>,
}

impl Subscription {
    /// Waits until there is a reason to check again, and returns `true`. Returns `false` if the limit passes first. A
    /// reason is a change after `since`, a signal without a counter, or the end of the server. If the server cannot be
    /// reached directly, there is a reason after 250 ms.
    pub fn wait(&mut self, since: Counters, limit: Duration) -> bool {
        const POLL_INTERVAL: Duration = Duration::from_millis(250);
        let deadline = Instant::now() + limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        loop {
            if self.client.is_none() {
                self.client = self.start_client();
            }
            let Some(client) = &mut self.client else {
                std::thread::sleep(left().min(POLL_INTERVAL)); // why: a server that cannot be reached directly sends no signal.
                return !left().is_zero();
            };
            let before = Counters::read(&String::from_utf8_lossy(client.printed()));
            // Another server may have counted fewer changes.
            if before.changes != since.changes {
                return true;
            }
            if !client.ends_within(left()) {
                return false;
            }
            self.client = None;
            let Ok(after) = self.server.counters(self.channel) else {
                return true;
            };
            if after.changes != since.changes || after.given_up == before.given_up {
                return true;
            }
        }
    }

    fn start_client(&self) -> Option<direct::WaitingClient> {
        let path = self.server.socket_path().filter(|_| !env::by_program())?;
        let list = Batch::from(command::print(None, &self.channel.format()))
            .then(command::wait_for(self.channel.name));
        direct::WaitingClient::start(&path, &list.argv(), self.server.limit.of_next_answer())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let waits = |client: &mut direct::WaitingClient| !client.ends_within(Duration::ZERO);
        if self.client.as_mut().is_some_and(waits) {
            self.server.wake_waiting_clients(self.channel);
        }
    }
}
