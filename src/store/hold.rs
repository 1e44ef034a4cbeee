//! Panes that are held after their end: how long, how many, and which close first.

use std::time::Duration;

use super::{Key, setting};
use crate::id::{PaneId, SeshId};
use crate::tmux::{Batch, Command, command};

/// How long a pane is held: `@sesh-hold`. `None` is for ever. What cannot be read counts as not set.
pub(crate) fn limit(setting: &str) -> Option<Duration> {
    duration(setting)
        .or_else(|| duration(setting::HOLD.default))
        .flatten()
}

/// Reads a duration that may be `off`; `None` when it is neither.
pub(crate) fn duration(text: &str) -> Option<Option<Duration>> {
    match text.trim() {
        "off" | "none" | "never" => Some(None),
        "0" => Some(Some(Duration::ZERO)),
        text => humantime::parse_duration(text).ok().map(Some),
    }
}

/// How many are held at most: `@sesh-keep`. What cannot be read counts as not set.
pub(crate) fn keep(setting: &str) -> usize {
    setting
        .parse()
        .or_else(|_| setting::KEEP.default.parse())
        .unwrap_or(usize::MAX)
}

/// A pane that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldPane {
    /// Since when, in epoch seconds.
    pub(crate) since: u64,
    pub(crate) pane: PaneId,
    pub(crate) id: SeshId,
}

impl HeldPane {
    /// The command that prints all of them, for [`Held::read`].
    pub(crate) fn list() -> Command {
        command::list_panes(
            &format!("{} #{{pane_id}} {}", Key::Held.format(), Key::Id.format()),
            Some(&format!("#{{!=:{},}}", Key::Held.format())),
        )
    }

    pub(crate) fn read(row: &str) -> Option<Self> {
        let mut words = row.split(' ');
        Some(Self {
            since: words.next()?.parse().ok()?,
            pane: words.next()?.parse().ok()?,
            id: words.next()?.parse().ok()?,
        })
    }

    /// The condition that it still is held since then.
    pub(crate) fn still(&self) -> String {
        format!(
            "#{{==:{} {},{} {}}}",
            Key::Held.format(),
            Key::Id.format(),
            self.since,
            self.id
        )
    }

    /// The command that closes it, if it still is held.
    pub(crate) fn close(&self) -> Command {
        command::if_format(
            Some(&self.pane.to_string()),
            &self.still(),
            &Batch::from(command::kill_pane(self.pane)),
            &Batch::new(),
        )
    }
}

/// Those that have been held longest, above the number that is kept.
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
    fn settings() {
        let default = Some(Duration::from_secs(600));
        assert_eq!(limit(""), default);
        assert_eq!(limit("off"), None);
        assert_eq!(limit("0"), Some(Duration::ZERO));
        assert_eq!(limit("90s"), Some(Duration::from_secs(90)));
        assert_eq!(limit("rubbish"), default);
        assert_eq!((keep(""), keep("3"), keep("rubbish")), (50, 3, 50));
    }

    #[test]
    fn the_oldest_are_surplus() {
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
