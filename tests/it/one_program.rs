//! One program and a link to it for each helper: what an installation leaves, what the helpers are through it, and what it
//! replaces.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use pretty_assertions::assert_eq;
use tmux_sesh::cli::TOOLS;

use crate::support::{Call, NONE, Screen, Server, count, helpers, until};

const PROGRAM: &str = "tmux-sesh";

/// Every name that a helper is called by.
fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name).chain([PROGRAM])
}

/// A cargo that builds this program, and the installation of what it builds in a folder.
fn installation(server: &Server, program: &Path, to: &Path) -> Call {
    server.script(
        "rustc",
        "case $1 in -vV) echo 'host: x-y-z' ;; *) echo /nowhere ;; esac",
    );
    server.script(
        "cargo",
        &format!(
            "while [ $# -gt 0 ]; do case $1 in --target-dir) t=$2 ;; esac; shift; done\n\
             mkdir -p \"$t/release\"; /bin/cp '{}' \"$t/release/tmux-sesh\"",
            program.display()
        ),
    );
    server
        .call(&server.plugin().join("bin/install"))
        .args(["--to".as_ref(), to.as_os_str()])
        .args(["--target-dir".as_ref(), server.path("target").as_os_str()])
}

/// The real helpers, as they are installed.
fn installed(server: &Server) -> PathBuf {
    let to = server.path("installed");
    installation(server, &helpers().join(PROGRAM), &to).ok();
    to
}

/// A stand-in for the program, which says its name and a version.
fn stand_in(server: &Server, version: &str) -> PathBuf {
    server.script(
        &format!("program-{version}"),
        &format!("echo \"${{0##*/}} {version}\""),
    )
}

/// A folder with helpers that are programs of their own, as they were installed before.
fn programs(server: &Server, folder: &Path) {
    let old = stand_in(server, "0.0.1");
    std::fs::create_dir_all(folder).expect("a folder");
    for name in names() {
        // Another process copies it: see `Server::program_file`.
        let beside = folder.join(format!("new-{name}"));
        server.call("/bin/cp".as_ref()).args([&old, &beside]).ok();
        std::fs::rename(beside, folder.join(name)).expect("a helper");
    }
}

/// What a helper in a folder says of its version.
#[track_caller]
fn version_of(server: &Server, folder: &Path, name: &str) -> String {
    let said = server.call(&folder.join(name)).args(["--version"]).ok();
    let version = said.line().strip_prefix(name).map(str::trim);
    version
        .unwrap_or_else(|| panic!("{name}: {said}"))
        .to_string()
}

#[track_caller]
fn are_links(server: &Server, folder: &Path, version: &str) {
    for name in names() {
        assert_eq!(version_of(server, folder, name), version, "{name}");
        let link = std::fs::read_link(folder.join(name)).ok();
        let expected = (name != PROGRAM).then(|| PathBuf::from(PROGRAM));
        assert_eq!(link, expected, "{name}");
    }
}

#[test]
fn a_link_is_the_helper_of_its_name() {
    let server = Server::start();
    let links = installed(&server);
    are_links(&server, &links, env!("CARGO_PKG_VERSION"));
    let calls: [&[&str]; 4] = [&["--help"], &["-h"], &["--version"], &["--no-such-flag"]];
    for name in names() {
        for call in calls {
            let [alone, linked] =
                [helpers(), &links].map(|folder| server.call(&folder.join(name)).args(call).said());
            assert_eq!(
                (linked.code(), &linked.stdout, &linked.stderr),
                (alone.code(), &alone.stdout, &alone.stderr),
                "{name} {call:?}"
            );
        }
    }
    // However it is called: from its folder, over another link, through PATH.
    let over = server.path("over");
    symlink(links.join("sesh-list"), &over).expect("a link");
    refused(server.call(&over), "over");
    std::fs::create_dir(server.path("other")).expect("a folder");
    let other = server.path("other/sesh-list");
    symlink(links.join("sesh-list"), &other).expect("a link");
    for program in ["./sesh-list", "../other/sesh-list", "sesh-list"] {
        let said = server
            .call("/usr/bin/env".as_ref())
            .folder(&links)
            .env("PATH", &links)
            .args([program, "--version"])
            .ok();
        assert!(said.line().starts_with("sesh-list "), "{program}: {said}");
    }
}

/// What the program says where it is called by a name of no helper.
#[track_caller]
fn refused(call: Call, name: &str) {
    let said = call.said();
    let sentence = format!(
        "tmux-sesh: no helper \"{name}\", the name of this link: tmux-sesh lists the helpers\n"
    );
    assert_eq!((said.code(), said.stderr), (Some(2), sentence));
    assert!(said.stdout.is_empty());
}

#[test]
fn a_link_that_names_no_helper_is_refused() {
    let server = Server::start();
    let links = installed(&server);
    for name in ["dance", "list", "sesh-", "sesh-list.old", "se sh\u{1b}"] {
        let link = links.join(name);
        symlink(PROGRAM, &link).expect("a link");
        let shown = name.replace('\u{1b}', "\\u{1b}");
        refused(server.call(&link).args(["--version"]), &shown);
    }
    let said = server.call(&links.join(PROGRAM)).args(["list", "--help"]);
    assert!(said.ok().text().contains("Usage: sesh-list"));
}

#[test]
fn helpers_start_each_other_by_their_links() {
    let server = Server::start();
    let links = installed(&server);
    let helper = |name: &str| {
        let socket = server.socket();
        server
            .call(&links.join(name))
            .args(["-S".as_ref(), socket.as_os_str()])
    };
    let made = helper("sesh-new").args(["--json", "one", "--", "sh", "-c", "read x; exit 3"]);
    let made = made.ok().record();
    let runner = links.join("sesh-run").display().to_string();
    let start = server.format(made.pane(), "#{pane_start_command}");
    assert!(start.contains(&runner), "{start}");
    // Its name in the process table is that of the link, and tmux shows it.
    let pid = server.format(made.pane(), "#{pane_pid}");
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("a process");
    assert_eq!(comm.trim_end(), "sesh-run");
    // What agents start is named by its link.
    std::fs::create_dir_all(server.path("home/.claude")).expect("a folder");
    server
        .call(&links.join("sesh-hooks"))
        .args(["install", "claude"])
        .ok();
    let settings = std::fs::read_to_string(server.path("home/.claude/settings.json"));
    let report = links.join("sesh-report").display().to_string();
    assert!(settings.expect("settings").contains(&report));
    // The picker in place of a list, in a terminal.
    let socket = server.socket().display().to_string();
    let list = links.join("sesh-list").display().to_string();
    let terminal = Screen::open((100, 20), &[&list, "-S", &socket, "--watch"]);
    terminal.shows("one");
    let picker = links.join("sesh-enter");
    let runs_picker = |pid: i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(picker.as_os_str().as_encoded_bytes())
    };
    until("the list became the picker", || {
        all_processes().into_iter().any(runs_picker)
    });
    drop(terminal);
    // Each helper is found beside the program, and is of its version.
    let doctor = helper("sesh-doctor").args(["--json"]).env("PATH", &links);
    let findings = doctor.said().json();
    let of_helpers = findings.as_array().expect("a list").iter();
    let of_helpers: Vec<String> = of_helpers
        .filter(|finding| finding["area"] == "helpers")
        .map(|finding| finding["level"].to_string())
        .collect();
    assert_eq!(of_helpers, ["\"ok\""], "{findings}");
    // The end is recorded by sesh-run.
    server.tmux(["send-keys", "-t", made.pane(), "Enter"]);
    let ended = server.ended(made.uuid());
    assert_eq!(ended.code(), Some(3));
}

fn all_processes() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("a folder").flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[test]
fn programs_of_their_own_become_links() {
    let server = Server::start();
    let to = server.path("my bin");
    programs(&server, &to);
    // A helper that is no more; a person's own link, and programs that are not ours.
    symlink(PROGRAM, to.join("sesh-former")).expect("a link");
    symlink(PROGRAM, to.join("mine")).expect("a link");
    symlink("../elsewhere/tmux-sesh", to.join("sesh-mine")).expect("a link");
    std::fs::write(to.join("sesh-other"), "").expect("a file");
    let new = stand_in(&server, "9.9.9");
    installation(&server, &new, &to).ok();
    are_links(&server, &to, "9.9.9");
    let there = |name: &str| to.join(name).symlink_metadata().is_ok();
    assert!(!there("sesh-former"));
    assert!(there("mine") && there("sesh-mine") && there("sesh-other"));
    // The links that are right stay as they are, and one new program is enough.
    let made = |name: &str| {
        let link = to.join(name).symlink_metadata().expect("a link");
        link.modified().expect("a time")
    };
    let before = made("sesh-set");
    let newer = stand_in(&server, "9.9.10");
    installation(&server, &newer, &to).ok();
    are_links(&server, &to, "9.9.10");
    assert_eq!(made("sesh-set"), before);
    // A folder can be moved, and copied.
    let moved = server.path("moved");
    std::fs::rename(&to, &moved).expect("a folder");
    are_links(&server, &moved, "9.9.10");
    let copied = server.path("copied");
    let copy = server.call("/bin/cp".as_ref()).args(["-R"]);
    copy.args([&moved, &copied]).ok();
    are_links(&server, &copied, "9.9.10");
    // The uninstallation leaves only what is not ours.
    symlink(PROGRAM, moved.join("pane-former")).expect("a link");
    server
        .call(&server.plugin().join("bin/install"))
        .args(["--uninstall".as_ref(), "--to".as_ref(), moved.as_os_str()])
        .ok();
    let mut left: Vec<_> = std::fs::read_dir(&moved)
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["mine", "sesh-mine", "sesh-other"]);
}

#[test]
fn an_installation_that_is_killed_leaves_every_helper() {
    let server = Server::start();
    let to = server.path("my bin");
    let new = stand_in(&server, "9.9.9");
    let calls = server.path("calls");
    for program in ["cp", "ln", "mv"] {
        // It ends the installation before the step that is due.
        server.script(
            program,
            &format!(
                "if [ \"$SESH_DIES\" ]; then echo >>'{0}'; \
                 [ \"$(wc -l <'{0}')\" != \"$SESH_DIES\" ] || {{ kill -KILL $PPID; exit 1; }}; fi\n\
                 exec /bin/{program} \"$@\"",
                calls.display()
            ),
        );
    }
    // Two steps for the program, two for each link; the last one is not killed.
    let steps = 2 * names().count();
    for step in (1..=steps + 1).step_by(if count(20) == 20 { 1 } else { 5 }) {
        programs(&server, &to);
        let _ = std::fs::remove_file(&calls);
        let install = installation(&server, &new, &to);
        let said = install.env("SESH_DIES", step.to_string()).said();
        assert_eq!(said.code() == Some(0), step > steps, "step {step}: {said}");
        let (mut old, mut newer) = (0, 0);
        for name in names() {
            match version_of(&server, &to, name).as_str() {
                "0.0.1" => old += 1,
                "9.9.9" => newer += 1,
                other => panic!("{name} is {other}"),
            }
        }
        assert_eq!(newer, (step - 1) / 2, "step {step}, {old} old ones");
        // sesh-list says the version that the plugin looks at: it is the last one.
        let list = version_of(&server, &to, "sesh-list");
        assert_eq!(list == "9.9.9", step > steps);
        installation(&server, &new, &to).ok();
        are_links(&server, &to, "9.9.9");
    }
}

#[test]
fn there_is_no_moment_without_a_helper() {
    let server = Server::start();
    let to = server.path("my bin");
    programs(&server, &to);
    let [new, newer] = ["9.9.9", "9.9.10"].map(|version| stand_in(&server, version));
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers: Vec<_> = ["sesh-list", "pane-keys", PROGRAM]
            .map(|name| {
                let (server, to, ends) = (&server, &to, &ends);
                scope.spawn(move || {
                    let mut calls = 0;
                    while !ends.load(Ordering::Relaxed) {
                        version_of(server, to, name);
                        calls += 1;
                    }
                    calls
                })
            })
            .into();
        for _ in 0..count(100) {
            installation(&server, &new, &to).ok();
            installation(&server, &newer, &to).ok();
            programs(&server, &to);
        }
        ends.store(true, Ordering::Relaxed);
        for caller in callers {
            assert!(caller.join().expect("each call worked") > 0);
        }
    });
}

#[test]
fn a_file_system_without_links_gets_copies() {
    let server = Server::start();
    let to = server.path("my bin");
    server.script(
        "ln",
        "echo 'ln: failed to create symbolic link: Operation not permitted' >&2; exit 1",
    );
    for version in ["9.9.9", "9.9.10"] {
        let program = stand_in(&server, version);
        let said = installation(&server, &program, &to).said();
        assert_eq!(said.code(), Some(0), "{said}");
        assert!(said.text().contains("takes no links"), "{said}");
        assert!(said.stderr.is_empty(), "{said}");
        for name in names() {
            assert_eq!(version_of(&server, &to, name), version, "{name}");
            assert!(to.join(name).symlink_metadata().expect("a file").is_file());
        }
    }
    // With links again.
    std::fs::remove_file(server.path("bin/ln")).expect("the stand-in");
    installation(&server, &stand_in(&server, "9.9.11"), &to).ok();
    are_links(&server, &to, "9.9.11");
}

#[test]
fn a_sesh_that_runs_outlives_an_installation() {
    let server = Server::start();
    let to = server.path("my bin");
    std::fs::create_dir(&to).expect("a folder");
    for name in ["sesh-new", "sesh-run"] {
        server
            .call("/bin/cp".as_ref())
            .args([helpers().join(name), to.join(name)])
            .ok();
    }
    let makes = |name: &str| {
        let socket = server.socket();
        let new = server
            .call(&to.join("sesh-new"))
            .args(["-S".as_ref(), socket.as_os_str()]);
        let words = ["--json", name, "--", "sh", "-c", "read x; exit 5"];
        new.args(words).ok().record()
    };
    let program = helpers().join(PROGRAM);
    let before = makes("before");
    installation(&server, &program, &to).ok();
    let between = makes("between");
    installation(&server, &program, &to).ok();
    for sesh in [before, between] {
        let listed = server.sesh("sesh-list", ["--json", sesh.name()]).ok();
        assert_eq!(listed.only().state(), "busy");
        server.tmux(["send-keys", "-t", sesh.pane(), "Enter"]);
        assert_eq!(server.ended(sesh.uuid()).code(), Some(5));
    }
    server.sesh("sesh-list", NONE).ok();
}

#[test]
fn an_archive_holds_the_program_and_its_links() {
    let server = Server::start();
    let program = stand_in(&server, "9.9.9");
    // What cargo and rustc are here.
    let _ = installation(&server, &program, &server.path("unused"));
    let dist = server.path("dist");
    let said = server
        .call(&server.plugin().join("bin/dist"))
        .args([&dist])
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
    let archive = PathBuf::from(said.text().lines().last().expect("its path"));
    let unpacked = server.path("un packed");
    std::fs::create_dir(&unpacked).expect("a folder");
    server
        .call("tar".as_ref())
        .args(["-xzf".as_ref(), archive.as_os_str(), "-C".as_ref()])
        .args([&unpacked])
        .ok();
    are_links(&server, &unpacked, "9.9.9");
    let count = std::fs::read_dir(&unpacked).expect("a folder").count();
    assert_eq!(count, names().count());
    // One of an earlier version, whose helpers are programs of their own.
    programs(&server, &server.path("old"));
    let old = dist.join("old.tar.gz");
    server
        .call("/bin/sh".as_ref())
        .folder(&server.path("old"))
        .args([
            "-c",
            "tar -czf \"$1\" -- * && cd \"${1%/*}\" && sha256sum old.tar.gz >SHA256SUMS",
            "sh",
        ])
        .args([&old])
        .ok();
    let sentence = server
        .call(&server.plugin().join("bin/install"))
        .args(["--to".as_ref(), server.path("to").as_os_str()])
        .args(["--from".as_ref(), old.as_os_str()])
        .fails(1);
    assert!(sentence.contains("programs of their own"), "{sentence}");
    assert!(!server.path("to").exists());
}
