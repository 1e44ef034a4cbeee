//! Panes that are held after the end of their seshes: how long they are held, how many, and which of them close first.

use std::time::Duration;

use super::condition::{IS_READ, both};
use super::{Key, setting};
use crate::clock;
use crate::id::{PaneId, SeshId};
use crate::tmux::{Batch, Command, command};

/// Parses `@sesh-hold`: how long a pane is held. `None` means without a limit. A malformed value counts as not set.
pub(crate) fn limit(setting: &str) -> Option<Duration> {
    duration(setting)
        .or_else(|| duration(setting::HOLD.default))
        .flatten()
}

/// Parses a duration, or `off`, which gives `Some(None)`. Returns `None` if the text is neither.
pub(crate) fn duration(text: &str) -> Option<Option<Duration>> {
    match text.trim() {
        "off" | "none" | "never" => Some(None),
        text => clock::duration(text).ok().map(Some),
    }
}

/// Parses `@sesh-keep`: how many panes are held at most. A malformed value counts as not set.
pub(crate) fn keep(setting: &str) -> usize {
    setting
        .parse()
        .or_else(|_| setting::KEEP.default.parse())
        .unwrap_or(usize::MAX)
}

/// Parses `@sesh-keep-records`: how long the record of an exited sesh stays in the server. `None` means as long as the
/// server lives. A malformed value counts as not set.
pub(crate) fn keep_records(setting: &str) -> Option<Duration> {
    // A wait counts an exit as recent for as long.
    const LEAST: Duration = Duration::from_secs(600);
    duration(setting)
        .or_else(|| duration(setting::KEEP_RECORDS.default))
        .flatten()
        .map(|keep| keep.max(LEAST))
}

/// Parses `@sesh-forget`: how long after its end an exited sesh is forgotten. `None` means never, also for a malformed value:
/// what is forgotten does not come back. A day is the least, because a number alone is seconds.
pub(crate) fn forget(setting: &str) -> Option<Duration> {
    const LEAST: Duration = Duration::from_secs(86_400);
    duration(setting).flatten().map(|age| age.max(LEAST))
}

/// A pane that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldPane {
    /// The time since which it is held, in epoch seconds.
    pub(crate) since: u64,
    pub(crate) pane: PaneId,
    pub(crate) id: SeshId,
}

impl HeldPane {
    /// Returns the command that prints all held panes, for [`HeldPane::read`].
    pub(crate) fn list() -> Command {
        command::list_panes(
            &format!("{} #{{pane_id}} {}", Key::Held.format(), Key::Id.format()),
            Some(&format!("#{{!=:{},}}", Key::Held.format())),
        )
    }

    /// Parses one row of [`HeldPane::list`].
    pub(crate) fn read(row: &str) -> Option<Self> {
        let mut words = row.split(' ');
        Some(Self {
            since: words.next()?.parse().ok()?,
            pane: words.next()?.parse().ok()?,
            id: words.next()?.parse().ok()?,
        })
    }

    /// Returns the condition that the pane may close: it is still held for the same sesh and since the same time, and no
    /// person reads it.
    pub(crate) fn may_close(&self) -> String {
        let is_held = format!(
            "#{{==:{} {},{} {}}}",
            Key::Held.format(),
            Key::Id.format(),
            self.since,
            self.id
        );
        both(&is_held, &format!("#{{?{IS_READ},0,1}}"))
    }

    /// Returns the command that closes the pane if it may close.
    pub(crate) fn close(&self) -> Command {
        command::if_format(
            Some(&self.pane.to_string()),
            &self.may_close(),
            &Batch::from(command::kill_pane(self.pane)),
            &Batch::new(),
        )
    }
}

/// Returns the panes that exceed the number `keep`: those that have been held longest.
pub(crate) fn surplus(mut held: Vec<HeldPane>, keep: usize) -> Vec<HeldPane> {
    held.sort_unstable_by_key(|held| (held.since, held.pane.0));
    held.dedup_by_key(|held| held.pane);
    let surplus = held.len().saturating_sub(keep);
    held.truncate(surplus);
    held
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn settings_are_parsed_or_take_their_default() {
        let default = Some(Duration::from_secs(600));
        assert_eq!(limit(""), default);
        assert_eq!(limit("off"), None);
        assert_eq!(limit("0"), Some(Duration::ZERO));
        assert_eq!(limit("90s"), Some(Duration::from_secs(90)));
        assert_eq!(limit("90"), Some(Duration::from_secs(90)));
        assert_eq!(limit("rubbish"), default);
        assert_eq!((keep(""), keep("3"), keep("rubbish")), (50, 3, 50));
        let minutes = |count: u64| Some(Duration::from_secs(60 * count));
        for (setting, expected) in [
            ("", minutes(60)),
            ("rubbish", minutes(60)),
            ("0", minutes(10)),
            ("1s", minutes(10)),
            ("2h", minutes(120)),
            ("off", None),
        ] {
            assert_eq!(keep_records(setting), expected, "{setting}");
        }
    }

    #[test]
    fn the_panes_that_are_held_longest_are_surplus() {
        let id = SeshId::random();
        let held = |since, pane| HeldPane {
            since,
            pane: PaneId(pane),
            id,
        };
        let all = vec![held(9, 1), held(7, 2), held(8, 3), held(7, 2)];
        assert_eq!(surplus(all.clone(), 1), [held(7, 2), held(8, 3)]);
        assert_eq!(surplus(all, 3), []);
    }
}
