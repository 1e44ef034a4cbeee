//! The plugin: whether it is loaded, and whether the options, keys and hooks that it set are still there.

use std::path::{Path, PathBuf};

use super::machine::{older, version_of};
use super::mend::Mends;
use super::{Area, Findings, ProblemKind, ServerInfo};
use crate::env;
use crate::id::{shell_word, shown};

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

    /// Returns the sentence on how to load the plugin, again where it is loaded.
    fn load(&self, mends: &Mends) -> String {
        if self.is_loaded() {
            let load = mends.load(self.folder.as_ref());
            return format!("reload the plugin: {load}");
        }
        match folder_of_program() {
            Some(folder) => format!(
                "load the plugin, in tmux.conf or now: {}",
                mends.load(&folder)
            ),
            None => format!(
                "load the plugin, in tmux.conf or now: {}, where FOLDER is its folder",
                mends.load("FOLDER".as_ref())
            ),
        }
    }
}

/// Returns the folder of the plugin that this program belongs to, if it is in one.
fn folder_of_program() -> Option<PathBuf> {
    let program = env::helper_beside("sesh-doctor")?;
    let folder = program.parent()?.parent()?;
    folder
        .join("sesh.tmux")
        .is_file()
        .then(|| folder.to_path_buf())
}

/// The options of the segment, and the literals that a person writes for them.
const STATUS: &str = "@sesh-status";
const WINDOW: &str = "@sesh-window";
const LITERALS: [&str; 2] = ["#{sesh_status}", "#{sesh_window}"];
/// The options in which the plugin replaces the literals.
const REPLACED: [&str; 4] = [
    "status-left",
    "status-right",
    "window-status-format",
    "window-status-current-format",
];
/// A format that is not empty if the hooks are there that hold the plugin's procedures: the one that counts a pane, the
/// scan, the start of sesh-reap and the tick.
const COUNT: &str = "?#{&&:#{&&:#{after-set-hook[8801]},#{after-display-panes[8801]}},\
                     #{&&:#{after-lock-server[8801]},#{&&:#{after-list-keys[8801]},#{after-unbind-key[8802]}}}},1,";
/// The index of the plugin's hooks.
const INDEX: &str = "[8801]";

/// Checks the plugin itself.
pub(super) fn plugin(info: &ServerInfo, version: &str, findings: &mut Findings) {
    let plugin = &info.plugin;
    let load = plugin.load(&findings.mends);
    if !plugin.is_loaded() {
        return findings.problem(
            ProblemKind::PluginNotLoaded,
            "the plugin is not loaded: no keys, no status segment, no automatic sesh-reap",
            load,
        );
    }
    let before = findings.count();
    if !plugin.trouble.is_empty() {
        findings.problem(
            ProblemKind::PluginTrouble,
            format!("the plugin reports: {}", shown(&plugin.trouble)),
            format!("follow its advice, and {load}"),
        );
    }
    if !Path::new(&plugin.folder).join("sesh.tmux").is_file() {
        findings.problem(
            ProblemKind::PluginFolderGone,
            format!("the plugin's folder {} is gone", plugin.folder),
            format!(
                "install it there again, and {load}; to remove its settings, run plugin/uninstall of any copy"
            ),
        );
    }
    helpers_of(plugin, findings);
    if plugin.version != version {
        findings.problem(
            ProblemKind::PluginOfOtherVersion,
            format!(
                "the plugin is {}, this program is {version}",
                plugin.version
            ),
            format!("update the older one, and {load}"),
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
            findings.problem(
                ProblemKind::PluginWithoutHelpers,
                "the plugin found no helpers",
                plugin.load(&findings.mends),
            );
        }
        return;
    }
    let file = Path::new(&plugin.helpers).join("sesh-reap");
    match version_of(&file) {
        None => findings.problem(
            ProblemKind::PluginHelpersGone,
            format!(
                "the helpers that the plugin uses are gone from {}",
                plugin.helpers
            ),
            plugin.load(&findings.mends),
        ),
        Some(other) if older(&other, &plugin.version) => findings.problem(
            ProblemKind::PluginHelpersOld,
            format!(
                "the helpers that the plugin uses, in {}, are {}, older than its own {}",
                plugin.helpers, other, plugin.version
            ),
            format!(
                "install newer helpers there ({}), and {}",
                shell_word(&format!("{}/bin/install", plugin.folder)),
                plugin.load(&findings.mends)
            ),
        ),
        Some(_) => {}
    }
}

/// Checks the keys that the plugin bound.
pub(super) fn keys(info: &ServerInfo, findings: &mut Findings) {
    if !info.plugin.is_loaded() {
        return;
    }
    let load = info.plugin.load(&findings.mends);
    let before = findings.count();
    let words: Vec<&str> = info.plugin.keys.split_whitespace().collect();
    for pair in words.chunks_exact(2) {
        let [table, key] = pair else { continue };
        match bound(&info.keys, table, key) {
            None => findings.problem(
                ProblemKind::KeyGone,
                format!("{table} {key} is no longer bound"),
                &load,
            ),
            Some(command) if !command.contains("sesh") => findings.problem(
                ProblemKind::KeyTaken,
                format!(
                    "{table} {key} is bound to another command: {}",
                    shown(&command)
                ),
                format!(
                    "if that is intended, choose another key with @sesh-key-enter, -next, -last, -new, -adopt, -work \
                     or -menu; then {load}"
                ),
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
    let mend = format!(
        "your own set-hook needs an index, or -a, to keep the other hooks; {}",
        info.plugin.load(&findings.mends)
    );
    let before = findings.count();
    if info.plugin.count.is_empty() {
        findings.problem(
            ProblemKind::ProceduresGone,
            "the hooks with the plugin's procedures are gone, so nothing is counted",
            &mend,
        );
    }
    if !wiped.is_empty() {
        findings.problem(
            ProblemKind::HooksGone,
            format!("hooks are gone: {}", wiped.join(", ")),
            mend,
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
    let load = plugin.load(&findings.mends);
    let before = findings.count();
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
            // The tick of a loaded plugin replaces it, unless a session that it looks at has a line of its own.
            let mend = if REPLACED.contains(&name) && !plugin.is_loaded() {
                load.clone()
            } else {
                let option = if *literal == LITERALS[0] {
                    STATUS
                } else {
                    WINDOW
                };
                format!("write #{{E:{option}}} there in its place")
            };
            findings.problem(
                ProblemKind::SegmentNotReplaced,
                format!(
                    "{name} has a {literal} that the plugin has not replaced by the status segment"
                ),
                mend,
            );
        }
    }
    let used = |name: &str| lines().any(|line| line.contains(name));
    for (name, value) in [(STATUS, &plugin.status), (WINDOW, &plugin.window)] {
        if used(name) && value.is_empty() {
            findings.problem(
                ProblemKind::SegmentUnset,
                format!("{name} is shown, but not set: the plugin sets it"),
                &load,
            );
        }
    }
    if findings.count() > before || !plugin.is_loaded() {
        return;
    }
    if used(STATUS) || used(WINDOW) {
        findings.ok(Area::Segment, "the status segment is shown");
    } else {
        let put = ["set-option", "-ag", "status-right", " #{E:@sesh-status}"];
        let put = findings.mends.tmux(&put);
        findings.problem(
            ProblemKind::SegmentNotShown,
            "no status line shows the status segment: it was not added, or a theme that loads later has overwritten it",
            format!("add it to a status line, in tmux.conf after the theme: {put}"),
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
