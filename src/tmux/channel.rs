//! Waits for changes that are signalled on channels of `wait-for` of tmux.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::direct::WaitingClient;
use super::{Batch, Server, command};
use crate::env;
use crate::error::Result;
use crate::id::ServerId;

impl Server {
    /// Returns how many changes were signalled, by the hidden variable that counts them.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn changes(&self, counter: &str) -> Result<Changes> {
        let answer = self.run(&Batch::from(command::print(
            None,
            &Changes::format(counter),
        )))?;
        Ok(Changes::read(answer.trim_end()))
    }

    /// Returns a wait for changes that the hidden variable `counter` counts.
    #[must_use]
    pub fn subscribe(&self, counter: &'static str) -> Subscription {
        Subscription {
            server: self.clone(),
            counter,
            clients: Vec::new(),
        }
    }

    /// Wakes the clients of this process that wait, so that they end before the process does: see [`Subscription`]. From
    /// then on none waits any more.
    pub fn wake_waiting_clients(&self) {
        /// How long a client may take to wait. It takes longer only where the server does not answer.
        const LIMIT: Duration = Duration::from_millis(500);
        let begun = Instant::now();
        while begun.elapsed() < LIMIT {
            if let Some(mut channels) = self.waiting.try_lock() {
                let names = channels.take().unwrap_or_default();
                self.wake(names.iter().map(String::as_str));
                return;
            }
            std::thread::sleep(Duration::from_millis(1)); // why: a lock has no event with a limit.
        }
    }

    fn wake<'a>(&self, channels: impl Iterator<Item = &'a str>) {
        let mut wake = Batch::new();
        wake.extend(channels.map(command::signal));
        // If the server has ended, its clients have ended too.
        let _ = self.run(&wake.repeatable());
    }
}

/// The channels on which clients of this process wait. `None` where none may wait any more.
#[derive(Debug)]
pub(super) struct Waiting(Mutex<Option<Vec<String>>>);

impl Default for Waiting {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Vec<String>>>> {
        match self.0.try_lock() {
            Ok(channels) => Some(channels),
            Err(TryLockError::Poisoned(channels)) => Some(channels.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Starts a client that waits on a channel. A process that is about to end wakes it, or does not let it start.
    fn start(
        self: &Arc<Self>,
        channel: &str,
        start: impl FnOnce() -> Option<WaitingClient>,
    ) -> Option<(WaitingChannel, WaitingClient)> {
        let mut channels = self.lock();
        let channels = channels.as_mut()?;
        let client = start()?;
        channels.push(channel.into());
        let channel = WaitingChannel {
            waiting: Arc::clone(self),
            name: channel.into(),
        };
        Some((channel, client))
    }
}

/// A channel in [`Waiting`], which leaves it when it is dropped.
#[derive(Debug)]
struct WaitingChannel {
    waiting: Arc<Waiting>,
    name: String,
}

impl Drop for WaitingChannel {
    fn drop(&mut self) {
        let mut channels = self.waiting.lock();
        let Some(channels) = channels.as_mut() else {
            return;
        };
        if let Some(at) = channels.iter().position(|name| *name == self.name) {
            channels.swap_remove(at);
        }
    }
}

/// How many changes a server had counted at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    server: ServerId,
    count: u64,
}

impl Changes {
    /// Returns the format whose value [`Changes::read`] parses.
    #[must_use]
    pub fn format(counter: &str) -> String {
        format!("#{{pid}} #{{start_time}} #{{{counter}}}")
    }

    /// Parses the value of [`Changes::format`]. A counter that was never set is 0.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut fields = text.split(' ');
        let [pid, start, count] = [(); 3].map(|()| fields.next().unwrap_or_default());
        Self {
            server: ServerId::read(pid, start).unwrap_or(ServerId::NONE),
            count: count.parse().unwrap_or(0),
        }
    }

    /// Returns the server.
    #[must_use]
    pub fn server(self) -> ServerId {
        self.server
    }

    /// Returns whether there may have been changes after `seen`. Another server counts anew.
    fn are_after(self, seen: Self) -> bool {
        self.server != seen.server || self.count > seen.count
    }
}

/// A channel to wait on.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: String,
    /// What is asked right after a signal. It may be empty, and then the answer is.
    pub question: Batch,
}

/// Why [`Subscription::wait`] returned.
#[derive(Debug)]
pub enum ChannelOutcome {
    /// There was a signal. This is the answer to the question of its channel.
    Answer(String),
    /// There is a reason to ask again.
    Ask,
    TimedOut,
}

/// A wait for changes that are signalled.
///
/// For each channel it has a client of the server, without a process, whose list prints the count of changes, waits for
/// the channel, and asks a question. So the answer comes with the signal. A change between a reading and the wait is
/// seen by the count. (tmux remembers a signal without a waiter, but two of them are none.)
///
/// tmux never frees a client that disconnects while it waits (5 kB; 3.3a and 3.7c). So a client that is given up is woken
/// first. This wakes all other clients on its channel too, which get an answer in which nothing is new. Only a process
/// that is killed leaves its clients behind.
#[derive(Debug)]
pub struct Subscription {
    server: Server,
    counter: &'static str,
    clients: Vec<ChannelClient>,
}

/// A client that waits.
#[derive(Debug)]
struct ChannelClient {
    channel: WaitingChannel,
    list: WaitingClient,
    /// The changes before it waits, until they were compared with those that the caller has seen.
    before: Option<Changes>,
}

impl ChannelClient {
    /// Returns the count after the signal, and the answer to its question. `None` if the list failed.
    fn answer(&self) -> Option<(Changes, &str)> {
        let printed = std::str::from_utf8(self.list.printed())
            .ok()
            .filter(|_| self.list.has_succeeded())?;
        let (_, after) = printed.split_once('\n')?;
        let (changes, answer) = after.split_once('\n')?;
        Some((Changes::read(changes), answer))
    }
}

impl Subscription {
    /// Waits until there is a reason to ask again: a signal on one of the channels, a change after `seen` that may have
    /// been signalled before this wait, or the end of the server. If the server cannot be reached directly, there is a
    /// reason after 250 ms.
    ///
    /// A later call continues the wait. Then the questions are those of the channels that are new.
    pub fn wait(&mut self, channels: &[Channel], seen: Changes, limit: Duration) -> ChannelOutcome {
        const POLL_INTERVAL: Duration = Duration::from_millis(250);
        let deadline = Instant::now() + limit;
        self.give_up(|name| !channels.iter().any(|channel| channel.name == name));
        loop {
            if !self.start(channels) {
                let left = deadline.saturating_duration_since(Instant::now());
                std::thread::sleep(left.min(POLL_INTERVAL)); // why: a server that cannot be reached directly sends no signal.
                return if left > POLL_INTERVAL {
                    ChannelOutcome::Ask
                } else {
                    ChannelOutcome::TimedOut
                };
            }
            // A reading after this has all changes before the wait. So each client is compared once.
            let before = self.clients.iter_mut().filter_map(|it| it.before.take());
            if before.filter(|before| before.are_after(seen)).count() > 0 {
                return ChannelOutcome::Ask;
            }
            WaitingClient::wait_for_any(self.clients.iter_mut().map(|it| &mut it.list), deadline);
            let ended = |client: &mut ChannelClient| client.list.has_ended();
            let ended: Vec<ChannelClient> = self.clients.extract_if(.., ended).collect();
            let answers: Option<Vec<_>> = ended.iter().map(ChannelClient::answer).collect();
            let Some(answers) = answers else {
                return ChannelOutcome::Ask;
            };
            match answers.into_iter().max_by_key(|(changes, _)| changes.count) {
                // A list that had ended before the caller asked by another client knows less.
                Some((changes, _)) if seen.are_after(changes) => {}
                Some((_, answer)) => return ChannelOutcome::Answer(answer.into()),
                None if Instant::now() >= deadline => return ChannelOutcome::TimedOut,
                None => {}
            }
        }
    }

    /// Returns the descriptors of which one is readable when [`wait`](Self::wait) has something new, for a caller that also
    /// waits for other things. There are none before the first wait, and where the server cannot be reached directly.
    #[must_use]
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let clients = self.clients.iter();
        clients.map(|client| client.list.descriptor()).collect()
    }

    /// Starts a client for each channel that has none. Returns `false` if that is not possible.
    fn start(&mut self, channels: &[Channel]) -> bool {
        for channel in channels {
            if (self.clients.iter()).all(|it| it.channel.name != channel.name) {
                let Some(client) = self.start_client(channel) else {
                    return false;
                };
                self.clients.push(client);
            }
        }
        true
    }

    fn start_client(&self, channel: &Channel) -> Option<ChannelClient> {
        let path = self.server.socket_path().filter(|_| !env::by_program())?;
        let changes = command::print(None, &Changes::format(self.counter));
        let list = Batch::from(changes.clone())
            .then(command::wait_for(&channel.name))
            .then(changes)
            .and(channel.question.0.iter().cloned());
        let limit = self.server.limit.of_next_answer();
        let start = || WaitingClient::start(&path, &list.argv(), limit);
        let (waiting, list) = self.server.waiting.start(&channel.name, start)?;
        let printed = String::from_utf8_lossy(list.printed());
        let before = printed.lines().next().map(Changes::read);
        Some(ChannelClient {
            channel: waiting,
            before,
            list,
        })
    }

    /// Ends the clients of some channels.
    fn give_up(&mut self, is_needless: impl Fn(&str) -> bool) {
        let is_needless = |client: &mut ChannelClient| is_needless(&client.channel.name);
        let needless: Vec<ChannelClient> = self.clients.extract_if(.., is_needless).collect();
        let waiting = needless.iter().filter(|it| !it.list.has_ended());
        let waiting: Vec<&str> = waiting.map(|it| it.channel.name.as_str()).collect();
        if !waiting.is_empty() {
            self.server.wake(waiting.into_iter());
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.give_up(|_| true);
    }
}
