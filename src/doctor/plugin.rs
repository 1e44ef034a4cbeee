//! The plugin: whether it is loaded, and whether the options, keys and hooks that it set are still there.

use std::path::Path;

use super::machine::{older, version_of};
use super::{Area, Findings, ServerInfo};
use crate::id::shown;

/// The options that the plugin sets about itself.
#[derive(Debug, Default)]
pub(super) struct PluginOptions {
    version: String,
    folder: String,
    helpers: String,
    trouble: String,
    keys: String,
    hooks: String,
    count: String,
    status: String,
    window: String,
}

impl PluginOptions {
    /// Returns the formats of the values that [`Self::read`] parses.
    pub(super) fn formats() -> Vec<String> {
        [
            "@seshplugin_version",
            "@seshplugin_dir",
            "@seshplugin_bin",
            "@seshplugin_trouble",
            "@seshplugin_keys",
            "@seshplugin_hooks",
            COUNT,
            STATUS,
            WINDOW,
        ]
        .iter()
        .map(|name| format!("#{{{name}}}"))
        .collect()
    }

    pub(super) fn read(fields: &[&str]) -> Self {
        let field = |at: usize| fields.get(at).map_or_else(String::new, ToString::to_string);
        Self {
            version: field(0),
            folder: field(1),
            helpers: field(2),
            trouble: field(3),
            keys: field(4),
            hooks: field(5),
            count: field(6),
            status: field(7),
            window: field(8),
        }
    }

    fn is_loaded(&self) -> bool {
        !self.version.is_empty() || !self.folder.is_empty()
    }

    /// Returns the sentence on how to load the plugin again.
    fn load(&self) -> String {
        format!(
            "load the plugin again: tmux run-shell {}/sesh.tmux",
            self.folder
        )
    }
}

/// The options of the segment, and the literals that a person writes for them.
const STATUS: &str = "@sesh-status";
const WINDOW: &str = "@sesh-window";
const LITERALS: [&str; 2] = ["#{sesh_status}", "#{sesh_window}"];
/// A format that is not empty if the hooks are there that hold the plugin's procedures: the one that counts a pane, the
/// scan, the start of sesh-reap and the tick.
const COUNT: &str = "?#{&&:#{&&:#{after-set-hook[8801]},#{after-display-panes[8801]}},\
                     #{&&:#{after-lock-server[8801]},#{&&:#{after-list-keys[8801]},#{after-unbind-key[8802]}}}},1,";
/// The index of the plugin's hooks.
const INDEX: &str = "[8801]";

/// Checks the plugin itself.
pub(super) fn plugin(info: &ServerInfo, version: &str, findings: &mut Findings) {
    let plugin = &info.plugin;
    if !plugin.is_loaded() {
        return findings.note(
            Area::Plugin,
            "the plugin is not loaded: no keys, no segment, and nothing starts sesh-reap",
            "load it from tmux.conf: run-shell FOLDER/sesh.tmux",
        );
    }
    let before = findings.0.len();
    if !plugin.trouble.is_empty() {
        findings.fault(
            Area::Plugin,
            format!("the plugin says: {}", shown(&plugin.trouble)),
            plugin.load(),
        );
    }
    if !Path::new(&plugin.folder).join("sesh.tmux").is_file() {
        findings.fault(
            Area::Plugin,
            format!("the plugin's folder {} is gone", plugin.folder),
            "install it again, or take what it set away with its plugin/uninstall",
        );
    }
    helpers_of(plugin, findings);
    if plugin.version != version {
        findings.note(
            Area::Plugin,
            format!(
                "the plugin is {}, and this program {version}",
                plugin.version
            ),
            "nothing has to be done while the helpers are not older than the plugin",
        );
    }
    findings.ok_unless_more(
        before,
        Area::Plugin,
        format!("plugin {version} in {}", plugin.folder),
    );
}

/// Checks the helpers that the plugin's hooks and keys run.
fn helpers_of(plugin: &PluginOptions, findings: &mut Findings) {
    // While the helpers are built, or if none was found, the plugin reports that itself.
    if plugin.helpers.is_empty() {
        if plugin.trouble.is_empty() {
            findings.fault(
                Area::Plugin,
                "the plugin has found no helpers",
                plugin.load(),
            );
        }
        return;
    }
    let file = Path::new(&plugin.helpers).join("sesh-reap");
    match version_of(&file) {
        None => findings.fault(
            Area::Plugin,
            format!(
                "the helpers that the plugin uses are gone from {}",
                plugin.helpers
            ),
            plugin.load(),
        ),
        Some(other) if older(&other, &plugin.version) => findings.fault(
            Area::Plugin,
            format!(
                "the helpers that the plugin uses, in {}, are {}, older than its own {}",
                plugin.helpers, other, plugin.version
            ),
            "install newer helpers, and load the plugin again",
        ),
        Some(_) => {}
    }
}

/// Checks the keys that the plugin bound.
pub(super) fn keys(info: &ServerInfo, findings: &mut Findings) {
    if !info.plugin.is_loaded() {
        return;
    }
    let before = findings.0.len();
    let words: Vec<&str> = info.plugin.keys.split_whitespace().collect();
    for pair in words.chunks_exact(2) {
        let [table, key] = pair else { continue };
        match bound(&info.keys, table, key) {
            None => findings.fault(
                Area::Keys,
                format!("{table} {key} is bound to nothing any more"),
                info.plugin.load(),
            ),
            Some(command) if !command.contains("sesh") => findings.fault(
                Area::Keys,
                format!(
                    "{table} {key} is bound to another command: {}",
                    shown(&command)
                ),
                "give it another key with @sesh-key-enter, -next, -last, -new, -adopt or -menu, and load the plugin \
                 again",
            ),
            Some(_) => {}
        }
    }
    let keys: Vec<String> = words.chunks_exact(2).map(|pair| pair.join(" ")).collect();
    let what = if keys.is_empty() {
        "no keys are bound".into()
    } else {
        format!("bound: {}", keys.join(", "))
    };
    findings.ok_unless_more(before, Area::Keys, what);
}

/// Returns the command that a key is bound to, from lines of `list-keys`.
fn bound(lines: &[String], table: &str, key: &str) -> Option<String> {
    lines.iter().find_map(|line| {
        let mut words = line.split_whitespace().skip(1).peekable();
        while words.next_if(|word| *word != "-T").is_some() {}
        words.next()?;
        let there = words.next()? == table && unescaped(words.next()?) == unescaped(key);
        there.then(|| words.collect::<Vec<&str>>().join(" "))
    })
}

/// Returns a key without the backslash that tmux prints before characters with a meaning in its configuration.
fn unescaped(key: &str) -> &str {
    match key.strip_prefix('\\') {
        Some(rest) if !rest.is_empty() => rest,
        _ => key,
    }
}

/// Checks the hooks that the plugin set.
pub(super) fn hooks(info: &ServerInfo, findings: &mut Findings) {
    if !info.plugin.is_loaded() {
        return;
    }
    let names: Vec<&str> = info.plugin.hooks.split_whitespace().collect();
    let wiped: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| {
            let name = name.strip_suffix(INDEX).unwrap_or(name);
            let start = format!("{name}{INDEX} ");
            !info.hooks.iter().any(|line| line.starts_with(&start))
        })
        .collect();
    let before = findings.0.len();
    if info.plugin.count.is_empty() {
        findings.fault(
            Area::Hooks,
            "the hooks that hold the plugin's procedures are gone, so nothing is counted",
            format!(
                "{}; a set-hook of your own needs an index, or -a, to leave the others there",
                info.plugin.load()
            ),
        );
    }
    if !wiped.is_empty() {
        findings.fault(
            Area::Hooks,
            format!("hooks are gone: {}", wiped.join(", ")),
            format!(
                "{}; a set-hook of your own needs an index, or -a, to leave the others there",
                info.plugin.load()
            ),
        );
    }
    findings.ok_unless_more(
        before,
        Area::Hooks,
        format!("{} hooks, all at index 8801", names.len()),
    );
}

/// Checks whether a status line shows the segment.
pub(super) fn segment(info: &ServerInfo, findings: &mut Findings) {
    let plugin = &info.plugin;
    let before = findings.0.len();
    let lines = || {
        info.session_options
            .iter()
            .chain(&info.window_options)
            // The plugin's own options are not shown anywhere.
            .filter(|line| !line.starts_with("@sesh"))
    };
    // A theme builds its formats from options of its own, and not all of these are shown.
    let is_shown = |name: &str| {
        let shows = |line: &String| !line.starts_with('@') && line.contains(name);
        !name.starts_with('@') || lines().any(shows)
    };
    for line in lines() {
        let name = line.split(' ').next().unwrap_or("");
        if !is_shown(name) {
            continue;
        }
        for literal in LITERALS.iter().filter(|literal| line.contains(**literal)) {
            let mend = if name.starts_with('@') {
                let option = if *literal == LITERALS[0] {
                    STATUS
                } else {
                    WINDOW
                };
                format!("write #{{E:{option}}} there in its place")
            } else if plugin.is_loaded() {
                plugin.load()
            } else {
                "load the plugin: tmux run-shell FOLDER/sesh.tmux".into()
            };
            findings.fault(
                Area::Segment,
                format!("{name} has a {literal} that the plugin has not replaced by the segment"),
                mend,
            );
        }
    }
    let used = |name: &str| lines().any(|line| line.contains(name));
    for (name, value) in [(STATUS, &plugin.status), (WINDOW, &plugin.window)] {
        if used(name) && value.is_empty() {
            findings.fault(
                Area::Segment,
                format!("{name} is shown, and is not set: the plugin sets it"),
                plugin.load(),
            );
        }
    }
    if findings.0.len() > before || !plugin.is_loaded() {
        return;
    }
    if used(STATUS) || used(WINDOW) {
        findings.ok(Area::Segment, "the segment is shown");
    } else {
        findings.note(
            Area::Segment,
            "no status line shows the segment: it was never put in, or a theme that was loaded later has written over it",
            "put #{E:@sesh-status} into status-right, or #{sesh_status} before the plugin is loaded",
        );
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn keys_as_tmux_prints_them() {
        let lines: Vec<String> = [
            "bind-key    -T prefix       \\\"                   split-window",
            "bind-key -r -T prefix       M-Up                 resize-pane -U 5",
            "bind-key    -T root         \\\\                   run-shell x",
            "bind-key    -T prefix       e                    run-shell -b \"sesh-enter\"",
        ]
        .map(Into::into)
        .into();
        assert_eq!(
            bound(&lines, "prefix", "\"").as_deref(),
            Some("split-window")
        );
        assert_eq!(
            bound(&lines, "prefix", "M-Up").as_deref(),
            Some("resize-pane -U 5")
        );
        assert_eq!(bound(&lines, "root", "\\").as_deref(), Some("run-shell x"));
        assert_eq!(bound(&lines, "root", "e"), None);
        assert_eq!(
            bound(&lines, "prefix", "e").as_deref(),
            Some("run-shell -b \"sesh-enter\"")
        );
    }
}
