//! A disk that is full and a folder that cannot be written: one sentence, the right exit code, and nothing half done.

use std::path::Path;

use pretty_assertions::assert_eq;

use crate::support::{Call, NONE, Server, say};

const SETTINGS: &str = "{\"a\": 1}\n";

/// A call whose process may write no byte to a file.
fn full(server: &Server, helper: &str, args: &[&str]) -> Call {
    server
        .call("/bin/sh".as_ref())
        .args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""])
        .args([helper])
        .args(args)
}

/// The same for a helper that asks this server.
fn full_on(server: &Server, helper: &str, args: &[&str]) -> Call {
    let socket = server.socket().display().to_string();
    let words: Vec<&str> = ["-S", &socket]
        .into_iter()
        .chain(args.iter().copied())
        .collect();
    full(server, helper, &words)
}

/// The names of all files and folders below one.
fn files(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        all.push(entry.path().display().to_string());
        all.extend(files(&entry.path()));
    }
    all.sort();
    all
}

fn settings(server: &Server) -> std::path::PathBuf {
    let folder = server.path("home/.claude");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("settings.json");
    std::fs::write(&file, SETTINGS).expect("a file");
    file
}

/// The one sentence of a helper that failed so.
#[track_caller]
fn fails(call: Call, why: &str) {
    let said = call.said();
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(said.stdout.is_empty(), "{said}");
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    assert!(said.stderr.contains(why), "{said}");
}

#[test]
fn nothing_can_be_written() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "sleep", "1000"]);
    let panes = server.panes("#{pane_id}");
    let launch_files = server.launch_files();
    fails(
        full_on(&server, "sesh-new", &["two", "--", "cat"]),
        "File too large",
    );
    assert_eq!(
        (server.panes("#{pane_id}"), server.launch_files()),
        (panes, launch_files)
    );
    let journal = server.path("home/.local/state/tmux-sesh/journal");
    let texts = || -> Vec<Vec<u8>> {
        let files = files(&journal).into_iter();
        files
            .map(|file| std::fs::read(file).expect("a file"))
            .collect()
    };
    let before = texts();
    // What tmux has is changed, and what the journal lacks is said once.
    let said = full_on(&server, "sesh-set", &["one", "--note", "x"]).said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    assert!(
        said.stderr.contains("File too large") && said.stderr.contains("sesh-save"),
        "{said}"
    );
    full_on(&server, "sesh-set", &["one", "--tag", "t"]).ok();
    fails(full_on(&server, "sesh-save", &[]), "File too large");
    assert_eq!(texts(), before);
    let record = server.record(one.uuid());
    assert_eq!((record.text("note"), record.name()), ("x", "one"));
    // An agent is not disturbed.
    let report = full(&server, "sesh-report", &["--from", "claude"]);
    report.stdin("no payload").ok();
    full_on(&server, "sesh-list", &[]).ok();
    let doctor = full_on(&server, "sesh-doctor", &["--json"]).said();
    assert_eq!(doctor.code(), Some(1), "{doctor}");
    for id in ["journal-unwritable", "launch-unwritable"] {
        assert!(doctor.text().contains(id), "{doctor}");
    }
    // With room again nothing is lost.
    server.sesh("sesh-save", NONE).ok();
    server.dies();
    let all = server.sesh("sesh-list", ["--all", "--json"]).ok().records();
    let kept: Vec<_> = all.iter().map(|it| (it.name(), it.text("note"))).collect();
    assert_eq!(kept, [("one", "x")]);
}

#[test]
fn the_files_of_agents_stay_whole() {
    let server = Server::start();
    let file = settings(&server);
    let before = files(&server.path("home/.claude"));
    let unchanged = || {
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), SETTINGS);
        assert_eq!(files(&server.path("home/.claude")), before);
    };
    for args in [
        &["install", "claude"][..],
        &["install", "--skill", "claude"],
    ] {
        fails(full(&server, "sesh-hooks", args), "File too large");
        unchanged();
    }
    // No copy can be kept.
    let install = server.helper("sesh-hooks").args(["install", "claude"]);
    fails(install.env("XDG_STATE_HOME", &file), "Not a directory");
    unchanged();
    server.helper("sesh-hooks").args(["install", "claude"]).ok();
    let installed = std::fs::read(&file).expect("a file");
    fails(
        full(&server, "sesh-hooks", &["remove", "claude"]),
        "File too large",
    );
    assert_eq!(std::fs::read(&file).expect("a file"), installed);
}

#[test]
fn a_command_runs_though_nothing_can_be_recorded() {
    let server = Server::start();
    std::fs::create_dir_all(server.path("home/.local")).expect("a folder");
    std::fs::write(server.path("home/.local/state"), "").expect("a file");
    let made = server
        .sesh("sesh-new", ["--json", "one", "--", "sh", "-c", "exit 3"])
        .said();
    assert_eq!(made.code(), Some(0), "{made}");
    assert!(made.sentence().contains("Not a directory"), "{made}");
    let ended = server.ended(made.record().uuid());
    assert_eq!(ended.get("exit")["code"], 3);
    std::fs::remove_dir_all(server.path("run")).expect("a folder");
    std::fs::write(server.path("run"), "").expect("a file");
    let temporary = server.path("gone");
    let said = server
        .sesh("sesh-new", ["two", "--", "cat"])
        .env("TMPDIR", &temporary)
        .said();
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(
        said.sentence().contains(&temporary.display().to_string()),
        "{said}"
    );
}

/// What `bin/install` builds: the program that says the name by which it is called.
fn fake_cargo(server: &Server) {
    server.script(
        "rustc",
        "case $1 in -vV) echo 'host: x-y-z' ;; *) echo /nowhere ;; esac",
    );
    server.script(
        "cargo",
        "while [ $# -gt 0 ]; do case $1 in --target-dir) t=$2 ;; esac; shift; done\n\
         mkdir -p \"$t/release\"; [ -e \"$t/release/tmux-sesh\" ] ||\n\
         { echo '#!/bin/sh'; echo 'echo \"${0##*/} 9.9.9\"'; } >\"$t/release/tmux-sesh\"",
    );
}

#[test]
fn an_installation_leaves_the_old_helpers_whole() {
    let server = Server::start();
    fake_cargo(&server);
    let install = server.plugin().join("bin/install");
    let to = server.path("my bin");
    let target = server.path("target");
    let args = [
        "--to".as_ref(),
        to.as_os_str(),
        "--target-dir".as_ref(),
        target.as_os_str(),
    ];
    let installs = |limit: &str| {
        server
            .call("/bin/sh".as_ref())
            .args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")])
            .args([&install])
            .args(args)
    };
    installs(":").ok();
    let whole = files(&to);
    let text = |name: &str| std::fs::read_to_string(to.join(name)).expect("a helper");
    let before = text("sesh-new");
    let built = target.join("release/tmux-sesh");
    std::fs::write(built, "#!/bin/sh\necho new\n").expect("a file");
    let said = installs("ulimit -f 0").said();
    assert_eq!(said.code(), Some(1), "{said}");
    let last = said.stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("install: ") && last.contains(&to.display().to_string()),
        "{said}"
    );
    assert_eq!((text("sesh-new"), files(&to)), (before, whole));
}

/// A small disk, where one can be mounted.
#[test]
fn a_full_disk_changes_no_file() {
    let server = Server::start();
    let file = settings(&server);
    let disk = file.parent().expect("a folder").to_path_buf();
    let script = "mount -t tmpfs -o size=16k none \"$1\" || exit 77
printf '{\"a\": 1}\\n' >\"$1/settings.json\"
cat /dev/zero >\"$1/fill\" 2>/dev/null
sesh-hooks install claude; echo \"$?\"
sesh-hooks install --skill claude; echo \"$?\"
cat \"$1/settings.json\"; ls -A \"$1\"";
    let said = server
        .call("/bin/sh".as_ref())
        .args(["-c", "exec unshare -rm sh -c \"$@\"", "sh", script, "sh"])
        .args([&disk])
        .said();
    if said.code() != Some(0) && (said.stderr.contains("unshare") || said.code() == Some(77)) {
        say("nothing can be mounted here: the full disk is left out");
        return;
    }
    assert_eq!(
        said.lines(),
        ["1", "1", "{\"a\": 1}", "fill", "settings.json"],
        "{said}"
    );
    assert_eq!(said.stderr.lines().count(), 2, "{said}");
    assert!(
        said.stderr
            .lines()
            .all(|line| line.contains("No space left")),
        "{said}"
    );
}
