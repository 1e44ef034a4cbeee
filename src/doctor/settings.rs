//! The options that a person has set: whether their values are valid.

use super::{Area, Findings, ProblemKind, ServerInfo};
use crate::id::shown;
use crate::store::hold;
use crate::store::setting::{PICKERS, SETTINGS, Takes};

/// Options of the plugin with fixed words.
const OF_PLUGIN: [(&str, Takes); 3] = [
    ("@sesh-picker", Takes::Word(&PICKERS)),
    (
        "@sesh-preset",
        Takes::Word(&["dark", "light", "plain", "catppuccin"]),
    ),
    ("@sesh-glyphs", Takes::Word(&["unicode", "ascii"])),
];

pub(super) fn settings(info: &ServerInfo, findings: &mut Findings) {
    let before = findings.count();
    let own = SETTINGS.iter().map(|setting| (setting.name, setting.takes));
    for (name, takes) in own.chain(OF_PLUGIN) {
        let (value, flags) = set(info, name);
        if value.is_empty() || takes.knows(value) {
            continue;
        }
        let unset = findings.mends.tmux(&["set-option", flags, name]);
        findings.problem(
            ProblemKind::SettingUnknown,
            format!(
                "{name} has the unknown value {}, so its default is used",
                shown(value)
            ),
            format!(
                "set it to {}, also in tmux.conf; or use the default: {unset}",
                takes.in_words()
            ),
        );
    }
    findings.ok_unless_more(before, Area::Settings, "all options have known values");
}

/// Returns the value of an option, or an empty text if it is not set, and the flags that unset it.
fn set<'a>(info: &'a ServerInfo, name: &str) -> (&'a str, &'static str) {
    let of = |lines: &'a [String], flags| {
        let mut lines = lines.iter().filter_map(|line| line.split_once(' '));
        let (_, value) = lines.find(|(own, _)| *own == name)?;
        Some((value.trim_matches('"'), flags))
    };
    of(&info.session_options, "-gu")
        .or_else(|| of(&info.server_options, "-su"))
        .unwrap_or(("", "-gu"))
}

impl Takes {
    fn knows(self, value: &str) -> bool {
        let number = || value.parse::<usize>().is_ok();
        match self {
            Takes::Word(words) => words.contains(&value),
            Takes::Duration => hold::duration(value).is_some(),
            Takes::Number => number(),
            Takes::Limit => value == "off" || number(),
            Takes::Text => true,
        }
    }

    fn in_words(self) -> String {
        match self {
            Takes::Word(words) => format!("one of {}", words.join(", ")),
            Takes::Duration => "a duration such as 10m, or off".into(),
            Takes::Number => "a number".into(),
            Takes::Limit => "a number, or off".into(),
            Takes::Text => "a text".into(),
        }
    }
}
