//! Waiting for a change: a channel of tmux's `wait-for`, and the counters that say why it was signalled.

use std::time::{Duration, Instant};

use super::command::{self, Command};
use super::{Batch, Server, direct};
use crate::env;
use crate::error::Result;

impl Server {
    /// The counters of a channel as they are now.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn counters(&self, channel: &Channel) -> Result<Counters> {
        let answer = self.run(&Batch::from(command::print(None, &channel.format())))?;
        Ok(Counters::read(&answer))
    }

    /// A wait for changes that are signalled on a channel.
    #[must_use]
    pub fn subscribe(&self, channel: &'static Channel) -> Subscription {
        Subscription {
            server: self.clone(),
            channel,
            standing: None,
        }
    }

    /// Wakes every client that waits on a channel, so that those of this process end before it does: see [`Subscription`].
    pub fn give_up(&self, channel: &Channel) {
        let mut wake = Batch::new();
        wake.extend(channel.signal(channel.given_up));
        // With the server its clients are gone too.
        let _ = self.run(&wake.may_run_twice());
    }
}

/// A channel of `wait-for`, with the hidden variables that count why it is signalled.
#[derive(Debug)]
pub struct Channel {
    pub name: &'static str,
    /// The changes.
    pub changes: &'static str,
    /// The waits that were given up.
    pub given_up: &'static str,
}

impl Channel {
    /// The format that [`Counters::read`] reads.
    #[must_use]
    pub fn format(&self) -> String {
        format!("#{{{}}} #{{{}}}", self.changes, self.given_up)
    }

    /// The commands that signal a change.
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

/// How often a channel was signalled at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    changes: u64,
    given_up: u64,
}

impl Counters {
    /// Reads what [`Channel::format`] came to. What was never counted is 0.
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
/// It is a client of the server without a process of its own. tmux never frees a client that goes while it waits
/// (5 kB; 3.3a and 3.7c), so one that is given up is woken first, and with it all others on its channel: those see why
/// and wait on. Only a process that is killed leaves its client behind.
#[derive(Debug)]
pub struct Subscription {
    server: Server,
    channel: &'static Channel,
    /// The client, from the first wait on. `None` also where the server cannot be spoken to without the program.
    standing: Option<direct::WaitingClient>,
}

impl Subscription {
    /// Waits until there is a reason to look again, `true`, or the limit has passed. A reason is a change after `since`,
    /// a signal that is not counted, or the end of the server. Where the server cannot be spoken to, time alone is one.
    pub fn wait(&mut self, since: Counters, limit: Duration) -> bool {
        const OFTEN: Duration = Duration::from_millis(250);
        let deadline = Instant::now() + limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        loop {
            if self.standing.is_none() {
                self.standing = self.stand();
            }
            let Some(standing) = &mut self.standing else {
                std::thread::sleep(left().min(OFTEN)); // why: there is nothing to wait for where the server cannot be spoken to.
                return !left().is_zero();
            };
            let then = Counters::read(&String::from_utf8_lossy(standing.printed()));
            // Fewer of another server.
            if then.changes != since.changes {
                return true;
            }
            if !standing.ends_within(left()) {
                return false;
            }
            self.standing = None;
            let Ok(now) = self.server.counters(self.channel) else {
                return true;
            };
            if now.changes != since.changes || now.given_up == then.given_up {
                return true;
            }
        }
    }

    fn stand(&self) -> Option<direct::WaitingClient> {
        let path = self.server.socket_path().filter(|_| !env::by_program())?;
        let list = Batch::from(command::print(None, &self.channel.format()))
            .then(command::wait_for(self.channel.name));
        direct::WaitingClient::start(&path, &list.argv())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let waits = |standing: &mut direct::WaitingClient| !standing.ends_within(Duration::ZERO);
        if self.standing.as_mut().is_some_and(waits) {
            self.server.give_up(self.channel);
        }
    }
}
