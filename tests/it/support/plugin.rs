//! The plugin, as a person has it: a folder of its own, loaded by the server that is tested.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use super::{Server, helpers, until};

/// What of the project a plugin manager's copy is made of, as far as the plugin reads it.
const PARTS: [&str; 9] = [
    ".gitignore",
    "sesh.tmux",
    "plugin",
    "tmux.conf.d",
    "bin/install",
    "bin/dist",
    "src/bin",
    "Cargo.toml",
    "Cargo.lock",
];

/// What says when something was, or what was computed last, not what it is.
const MOMENTS: [&str; 15] = [
    "SESH_if",
    "SESH_scan=",
    "SESH_found=",
    "SESH_letter=",
    "SESH_next=",
    "SESH_swept=",
    "SESH_now=",
    "SESH_load=",
    "SESH_tick=",
    "SESH_reap",
    "SESH_before=",
    "SESH_armed=",
    "SESH_checked=",
    "SESH_client=",
    // The tick's own generation stands in it.
    "after-unbind-key[8803] ",
];

/// The file that says that the message after the first load was seen.
pub(crate) const WELCOMED: &str = "home/.local/state/tmux-sesh/welcomed";

impl Server {
    /// A copy of the plugin in the server's folder.
    #[track_caller]
    pub(crate) fn plugin(&self) -> PathBuf {
        let copy = self.path("tmux-sesh");
        if !copy.exists() {
            copy_plugin(self, &copy);
        }
        copy
    }

    /// A server option or a person's option, set before the plugin is loaded.
    #[track_caller]
    pub(crate) fn option(&self, name: &str, value: &str) {
        self.tmux(["set-option", "-g", name, value]);
    }

    /// Loads the plugin as `run-shell` in tmux.conf does, and waits until all of it is there. It says nothing.
    #[track_caller]
    pub(crate) fn load(&self) {
        let entry = self.plugin().join("sesh.tmux");
        let said = self.try_tmux(["run-shell".as_ref(), entry.as_os_str()]);
        assert_eq!(said.code(), Some(0), "{said}");
        assert!(
            said.stdout.is_empty() && said.stderr.is_empty(),
            "it talks: {said}"
        );
        self.plugin_has_settled();
    }

    /// Waits for what the plugin leaves to the server's next turn: its own commands are behind ours now.
    #[track_caller]
    pub(crate) fn plugin_has_settled(&self) {
        self.tmux(["set-environment", "-ghu", "SESH_test"]);
        self.tmux([
            "run-shell",
            "-b",
            "-C",
            "run-shell -b -C 'run-shell -b -C \"set-environment -gh SESH_test 1\"'",
        ]);
        until("the server has done what was left to it", || {
            self.try_tmux(["show-environment", "-gh", "SESH_test"])
                .code()
                == Some(0)
        });
        self.tmux(["set-environment", "-ghu", "SESH_test"]);
    }

    /// Takes the plugin away again.
    #[track_caller]
    pub(crate) fn uninstall(&self, args: &[&str]) {
        self.uninstall_from(&self.plugin(), args);
    }

    /// The same for a plugin in another folder.
    #[track_caller]
    pub(crate) fn uninstall_from(&self, folder: &Path, args: &[&str]) {
        self.outside(&folder.join("plugin/uninstall"))
            .args(args)
            .ok();
        self.plugin_has_settled();
    }

    /// A program of the plugin's, run in a terminal of this server.
    pub(crate) fn outside(&self, program: &Path) -> super::Call {
        let tmux = format!("{},{},0", self.socket().display(), self.pid());
        self.call(program).env("TMUX", tmux)
    }

    /// Counts every pane by itself, as a helper that changes a sesh does. It writes no sum anew: a wrong one stays wrong.
    #[track_caller]
    pub(crate) fn recount(&self) {
        let panes = self.tmux(["list-panes", "-a", "-F", "#{pane_id}"]);
        let panes: std::collections::BTreeSet<&str> = panes.lines().collect();
        let counts: Vec<&str> = panes
            .into_iter()
            .flat_map(|pane| ["set-hook", "-gu", "-t", pane, "@sesh_none", ";"])
            .collect();
        self.tmux(counts);
        self.plugin_has_settled();
    }

    /// The plugin's hooks that are set, by name and index.
    #[track_caller]
    pub(crate) fn plugin_hooks(&self) -> Vec<String> {
        let hooks = self.tmux(["show-hooks", "-g"]) + &self.tmux(["show-hooks", "-gw"]);
        let names = hooks.lines().filter_map(|line| line.split(' ').next());
        let ours = names.filter(|name| name.contains("[88"));
        ours.map(Into::into).collect()
    }

    /// The counts: waiting, busy, idle, unknown, ended, unseen.
    #[track_caller]
    pub(crate) fn sums(&self) -> String {
        self.tmux([
            "display-message",
            "-p",
            "#{e|+:#{@seshsum_waiting},0} #{e|+:#{@seshsum_busy},0} #{e|+:#{@seshsum_idle},0} \
             #{e|+:#{@seshsum_unknown},0} #{e|+:#{@seshsum_ended},0} #{e|+:#{@seshsum_unseen},0}",
        ])
        .trim_end()
        .into()
    }

    /// Waits for counts.
    #[track_caller]
    pub(crate) fn counts(&self, sums: &str) {
        let mut last = String::new();
        let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("the counts are right", || {
                last = self.sums();
                last == sums
            });
        }));
        assert!(settled.is_ok(), "counted {last}, not {sums}");
    }

    /// A pane that has become a sesh without a helper, in a state.
    #[track_caller]
    pub(crate) fn make_sesh(&self, pane: &str, name: &str, state: &str) {
        for (option, value) in [
            ("@sesh_id", name),
            ("@sesh_name", name),
            ("@sesh_state", state),
            ("@sesh_gen", "1"),
            ("@sesh_seen", "1"),
        ] {
            self.tmux(["set-option", "-p", "-t", pane, option, value]);
        }
        self.tmux([
            "set-option",
            "-pF",
            "-t",
            pane,
            "@sesh_since",
            "#{T:#{l:%s}}",
        ]);
    }

    /// A new window of a session with a quiet program in it; its pane.
    #[track_caller]
    pub(crate) fn window(&self, session: &str) -> String {
        let target = format!("={session}:");
        self.tmux([
            "new-window",
            "-d",
            "-t",
            &target,
            "-P",
            "-F",
            "#{pane_id}",
            "cat",
            "-",
        ])
        .trim_end()
        .into()
    }

    /// Everything that a plugin could have changed in tmux, less moments.
    #[track_caller]
    pub(crate) fn settings(&self) -> String {
        let mut all = String::new();
        let commands: [&[&str]; 8] = [
            &["list-keys"],
            &["list-keys", "-N"],
            &["show-hooks", "-g"],
            &["show-hooks", "-gw"],
            &["show-options", "-g"],
            &["show-options", "-gw"],
            &["show-options", "-s"],
            &["show-environment", "-gh"],
        ];
        for command in commands {
            let said = self.tmux(command);
            // The order of the keys in a table is the order in which they were bound, on some versions.
            let mut lines: Vec<&str> = said
                .lines()
                .filter(|line| !MOMENTS.iter().any(|moment| line.starts_with(moment)))
                .collect();
            lines.sort_unstable();
            for line in lines {
                all.push_str(&format!("{}: {line}\n", command.join(" ")));
            }
        }
        all
    }

    /// A folder of helpers: the real ones, and a `sesh-reap` that writes down each call and waits until it may end.
    #[track_caller]
    pub(crate) fn helpers_with_stand_in(&self) -> PathBuf {
        let folder = self.path("helpers");
        std::fs::create_dir(&folder).expect("a folder for helpers");
        for name in [
            "sesh-list",
            "sesh-set",
            "sesh-end",
            "sesh-enter",
            "sesh-adopt",
        ] {
            std::os::unix::fs::symlink(helpers().join(name), folder.join(name)).expect("a link");
        }
        let held = self.path("hold-reap");
        let calls = self.path("reaped");
        self.program_file(
            &folder.join("sesh-reap"),
            format!(
                "#!/bin/sh\necho call >>'{}'\nwhile [ -e '{}' ]; do sleep 0.02; done\n\
                 tmux -u if-shell -F '#{{SESH_reap_again}}' 'set-environment -ghu SESH_reap_again' \\; \
                 set-environment -ghu SESH_reap\n",
                calls.display(),
                held.display()
            )
            .as_bytes(),
        );
        folder
    }

    /// How often the stand-in was started.
    pub(crate) fn reaps(&self) -> usize {
        std::fs::read_to_string(self.path("reaped"))
            .unwrap_or_default()
            .lines()
            .count()
    }
}

/// Copies the plugin to a folder. The server's user has seen the message after the first load, which would stand in the
/// status line for a while.
#[track_caller]
pub(crate) fn copy_plugin(server: &Server, to: &Path) {
    let seen = server.path(WELCOMED);
    std::fs::create_dir_all(seen.parent().expect("a folder")).expect("a folder");
    std::fs::write(seen, "").expect("a file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in PARTS {
        let at = to.join(part);
        std::fs::create_dir_all(at.parent().expect("a folder")).expect("a folder");
        server
            .call("/bin/cp".as_ref())
            .args(["-R".as_ref(), root.join(part).as_os_str(), at.as_os_str()])
            .ok();
    }
}

/// Settings are what they were; if not, only what differs is shown.
#[track_caller]
pub(crate) fn same_settings(now: &str, before: &str) {
    let count = |all: &str, line: &str| all.lines().filter(|it| *it == line).count();
    let only = |one: &str, other: &str| -> Vec<String> {
        one.lines()
            .filter(|line| count(one, line) != count(other, line))
            .map(Into::into)
            .collect()
    };
    assert!(
        now == before,
        "now: {:#?}\nbefore: {:#?}",
        only(now, before),
        only(before, now)
    );
}
