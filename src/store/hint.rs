//! Hints: the signals after which those that wait read the store again.
//!
//! Each write of a state, a conversation, an end, a birth, a tag or a removal signals two channels of `wait-for`, in its
//! own list. One is [`ALL`], for a wait on any sesh. The other one is of the sesh, so that a change wakes only the waits
//! that it concerns. It is the channel of the sesh's pane, since `wait-for` expands no formats and a hook of an agent knows only
//! its pane; a write to a sesh without a known pane signals the channel of its identity, and a birth signals both. A wait
//! on a sesh that lives in a pane waits on the channel of the pane alone, since each client that waits costs the server
//! at every change: 30 us of 1.8 ms on 3.3a. Only the loss of that pane is not signalled there, which the wait sees in
//! the process table.
//!
//! tmux keeps an entry for a channel that was signalled and has no waiter. So the channels of seshes are numbered, and
//! several seshes may share one. A hint too many costs a waiter one client, and nothing else.

use super::schema;
use crate::id::{PaneId, SeshId};
use crate::tmux::{Command, command};

/// The channel that every hint signals.
pub const ALL: &str = "tmux-sesh";

/// How many channels of each kind there are. A server that has signalled all of them keeps 250 kB for them.
const CHANNELS: u32 = 1024;

/// Returns the hint of a change of the sesh in a pane, which is a target of tmux.
pub fn of_pane(pane: &str) -> impl Iterator<Item = Command> {
    hint(pane.parse().ok().map(channel_of_pane))
}

/// Returns the hint of a change of a sesh that has no pane, or whose pane is not known.
pub fn of_sesh(id: SeshId) -> impl Iterator<Item = Command> {
    hint(Some(channel_of_sesh(id)))
}

/// Returns the hint that a sesh has got a pane. The pane may have been that of another sesh.
pub fn of_birth(id: SeshId, pane: &str) -> impl Iterator<Item = Command> {
    let of_pane = pane.parse().ok().map(channel_of_pane);
    hint(of_pane.into_iter().chain([channel_of_sesh(id)]))
}

/// Returns the channels on which a wait on a sesh waits. An exited sesh in a pane that is kept may get another pane.
#[must_use]
pub fn channels(id: SeshId, pane: Option<PaneId>, has_exited: bool) -> Vec<String> {
    let of_sesh = (pane.is_none() || has_exited).then(|| channel_of_sesh(id));
    pane.map(channel_of_pane)
        .into_iter()
        .chain(of_sesh)
        .collect()
}

fn hint(own: impl IntoIterator<Item = String>) -> impl Iterator<Item = Command> {
    let next = format!("#{{e|+:#{{{}}},1}}", schema::CHANGES);
    let count = command::set_hidden_expanded(schema::CHANGES, &next);
    let own = own.into_iter().map(|channel| command::signal(&channel));
    std::iter::once(count)
        .chain(own)
        .chain([command::signal(ALL)])
}

fn channel_of_pane(pane: PaneId) -> String {
    format!("{ALL}-p{}", pane.0 % CHANNELS)
}

fn channel_of_sesh(id: SeshId) -> String {
    // The last bytes of an identity are random.
    let [.., high, low] = id.bytes();
    let number = u32::from(high) << 8 | u32::from(low);
    format!("{ALL}-s{}", number % CHANNELS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_channels_of_a_sesh() {
        let id: SeshId = "46ed2323-f13a-4fb3-98e7-659d84030402"
            .parse()
            .expect("an id");
        let pane = Some(PaneId(1027));
        assert_eq!(channels(id, pane, false), ["tmux-sesh-p3"]);
        assert_eq!(channels(id, pane, true), ["tmux-sesh-p3", "tmux-sesh-s2"]);
        assert_eq!(channels(id, None, true), ["tmux-sesh-s2"]);
        let born = of_birth(id, "%1027").map(|command| format!("{command:?}"));
        let born: String = born.collect();
        for channel in channels(id, pane, true) {
            assert!(born.contains(&channel), "{born}");
        }
    }
}
