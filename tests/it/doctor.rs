//! `sesh-doctor`: what is wrong is named, with the way to mend it; what is well is not, and nothing is changed.

mod mends;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;
use tmux_sesh::doctor::Area;
use tmux_sesh::tmux::version::Version;

use crate::support::{Call, MAIN, NONE, Said, Screen, Server, helpers, until};

/// What the plugin sets, by hand.
fn load_plugin(server: &Server) {
    let folder = server.path("plugin");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("sesh.tmux"), "").expect("a file");
    let version = env!("CARGO_PKG_VERSION");
    for (name, value) in [
        ("@seshplugin_version", version),
        ("@seshplugin_dir", folder.to_str().expect("UTF-8")),
        ("@seshplugin_bin", helpers().to_str().expect("UTF-8")),
        ("@seshplugin_keys", "prefix e prefix M-e root \\"),
        ("@seshplugin_hooks", "pane-exited client-attached"),
    ] {
        server.tmux(["set-option", "-s", name, value]);
    }
    bind(server);
    hook(server);
    server.tmux(["set-option", "-g", "@sesh-status", "the segment"]);
    server.tmux(["set-option", "-g", "status-right", "#{E:@sesh-status}"]);
}

fn bind(server: &Server) {
    for (table, key) in [("prefix", "e"), ("prefix", "M-e"), ("root", "\\")] {
        server.tmux([
            "bind-key",
            "-T",
            table,
            key,
            "run-shell",
            "-b",
            "sesh-enter",
        ]);
    }
}

fn hook(server: &Server) {
    for name in ["pane-exited[8801]", "client-attached[8801]"] {
        server.tmux(["set-hook", "-g", name, "run-shell -b true"]);
    }
    for name in [
        "after-set-hook[8801]",
        "after-display-panes[8801]",
        "after-lock-server[8801]",
        "after-list-keys[8801]",
        "after-unbind-key[8802]",
    ] {
        server.tmux(["set-hook", "-g", name, "display-message x"]);
    }
}

/// The findings of a call, each as `level area what → mend`.
#[track_caller]
fn findings(said: &Said) -> Vec<String> {
    let json = said.json();
    let all = json.as_array().expect("a list");
    all.iter()
        .map(|finding| {
            let text = |field: &str| finding[field].as_str().unwrap_or("").to_string();
            let fields: Vec<&String> = finding.as_object().expect("an object").keys().collect();
            assert_eq!(fields, ["area", "id", "level", "mend", "what"]);
            assert!(
                Area::MEANINGS
                    .iter()
                    .any(|(area, _)| finding["area"] == area.as_str())
            );
            // What is not well has a word of its own and a way out.
            for field in ["id", "mend"] {
                let is_well = finding["level"] == "ok";
                assert_eq!(is_well, finding[field] == Value::Null, "{finding}");
            }
            format!(
                "{} {} {} → {}",
                text("level"),
                text("area"),
                text("what"),
                text("mend")
            )
        })
        .collect()
}

/// What is wrong, and only that.
#[track_caller]
fn faults(server: &Server) -> Vec<String> {
    let said = server.sesh("sesh-doctor", ["--json"]).said();
    assert_eq!(said.stderr, "", "{said}");
    let mut all = findings(&said);
    all.retain(|finding| finding.starts_with("fault "));
    let code = i32::from(!all.is_empty());
    assert_eq!(said.code(), Some(code), "{said}");
    all
}

/// The only note, where nothing is wrong. It says all of this.
#[track_caller]
fn the_note(server: &Server, words: &[&str]) {
    let said = server.sesh("sesh-doctor", ["--json"]).ok();
    let all = findings(&said);
    let notes: Vec<&String> = all.iter().filter(|it| it.starts_with("note ")).collect();
    let has_all = |note: &&&String| words.iter().all(|word| note.contains(word));
    assert_eq!(notes.iter().filter(has_all).count(), 1, "{notes:?}");
}

/// The one thing that is wrong, which says all of this.
#[track_caller]
fn the_fault(server: &Server, words: &[&str]) -> String {
    let all = faults(server);
    assert_eq!(all.len(), 1, "{all:#?}");
    for word in words {
        assert!(all[0].contains(word), "no {word:?}: {all:?}");
    }
    all[0].clone()
}

#[track_caller]
fn all_is_well(server: &Server) {
    assert_eq!(faults(server), NONE);
}

/// The notes of an area.
#[track_caller]
fn notes(server: &Server, area: &str) -> Vec<String> {
    let said = server.sesh("sesh-doctor", ["--json"]).said();
    let mut all = findings(&said);
    all.retain(|finding| finding.starts_with(&format!("note {area} ")));
    all
}

fn version(server: &Server) -> Version {
    let version = server.tmux(["display-message", "-p", "#{version}"]);
    Version::parse(&version).expect("a version")
}

#[test]
fn all_is_well_and_stays_as_it_is() {
    let server = Server::start();
    all_is_well(&server);
    assert_eq!(notes(&server, "plugin").len(), 1, "it is not loaded");
    load_plugin(&server);
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let ended = server.new_sesh(["two", "--", "true"]);
    server.ended(ended.uuid());
    server.shows(ended.pane(), "[sesh: ");
    server.sesh("sesh-end", ["two"]).ok();
    let before = server.everything();
    all_is_well(&server);
    assert_eq!(server.everything(), before);
    for area in ["plugin", "keys", "hooks", "segment", "stale", "helpers"] {
        assert_eq!(notes(&server, area), NONE);
    }
    let said = server.sesh("sesh-doctor", ["--json"]).ok();
    for (area, _) in Area::MEANINGS {
        let well = format!("ok {} ", area.as_str());
        assert!(
            findings(&said).iter().any(|it| it.starts_with(&well)),
            "{well}: {said}"
        );
    }
}

#[test]
fn people_read_a_table() {
    let server = Server::start();
    load_plugin(&server);
    server.tmux(["set-hook", "-g", "pane-exited", "run-shell -b true"]);
    let said = server.sesh("sesh-doctor", NONE).said();
    assert_eq!((said.code(), said.stderr.as_str()), (Some(1), ""));
    let lines = said.lines();
    let at = lines
        .iter()
        .position(|line| line.starts_with("FAULT  hooks "))
        .expect("a fault");
    assert!(lines[at].contains("pane-exited"), "{said}");
    assert!(lines[at + 1].trim_start().starts_with("→ "), "{said}");
    assert!(lines[at + 1].contains("reload the plugin"), "{said}");
    assert_eq!(
        lines.iter().filter(|line| line.contains("FAULT")).count(),
        1
    );
}

#[test]
fn keys_that_went_or_were_taken() {
    let server = Server::start();
    load_plugin(&server);
    server.tmux(["unbind-key", "-T", "root", "\\"]);
    the_note(
        &server,
        &["keys", "root \\", "no longer bound", "sesh.tmux"],
    );
    bind(&server);
    all_is_well(&server);
    server.tmux(["bind-key", "M-e", "display-message", "#(touch ran) mine"]);
    the_note(
        &server,
        &[
            "keys",
            "another command",
            "prefix M-e",
            "mine",
            "@sesh-key-",
        ],
    );
    assert!(!server.path("ran").exists());
    bind(&server);
    all_is_well(&server);
    server.tmux(["set-option", "-s", "@seshplugin_keys", ""]);
    all_is_well(&server);
}

#[test]
fn hooks_that_a_reload_wiped() {
    let server = Server::start();
    load_plugin(&server);
    for name in ["pane-exited", "client-attached"] {
        // Without an index it is the only one that stays.
        server.tmux(["set-hook", "-g", name, "run-shell -b true"]);
        the_fault(&server, &["hooks", name, "sesh.tmux", "index"]);
        hook(&server);
        all_is_well(&server);
    }
}

#[test]
fn the_plugin_is_of_one_piece() {
    let server = Server::start();
    load_plugin(&server);
    let set = |name: &str, value: &str| server.tmux(["set-option", "-s", name, value]);
    set("@seshplugin_trouble", "no cargo: run bin/install");
    the_fault(&server, &["plugin", "run bin/install"]);
    set("@seshplugin_trouble", "");
    set("@seshplugin_version", "999.0.0");
    let older = the_fault(&server, &["plugin", "older", "999.0.0"]);
    assert!(older.contains(env!("CARGO_PKG_VERSION")), "{older}");
    set("@seshplugin_version", "0.0.1");
    all_is_well(&server);
    assert_eq!(notes(&server, "plugin").len(), 1);
    set("@seshplugin_version", env!("CARGO_PKG_VERSION"));
    set("@seshplugin_bin", "/no/such/folder");
    the_fault(&server, &["plugin", "gone from /no/such/folder"]);
    set("@seshplugin_bin", "");
    the_fault(&server, &["plugin", "no helpers"]);
    set("@seshplugin_bin", helpers().to_str().expect("UTF-8"));
    all_is_well(&server);
    std::fs::remove_file(server.path("plugin/sesh.tmux")).expect("a file");
    the_fault(&server, &["plugin", "gone", "plugin/uninstall"]);
}

#[test]
fn the_segment_is_somewhere() {
    let server = Server::start();
    let status = |value: &str| server.tmux(["set-option", "-g", "status-right", value]);
    status("#{sesh_status} $x \"quoted\"");
    the_fault(
        &server,
        &[
            "segment",
            "status-right",
            "#{sesh_status}",
            "load the plugin",
        ],
    );
    status("#{E:@sesh-status}");
    the_fault(&server, &["segment", "@sesh-status", "not set"]);
    load_plugin(&server);
    all_is_well(&server);
    status("a theme");
    all_is_well(&server);
    assert_eq!(notes(&server, "segment").len(), 1);
    // A theme's module, which its status line shows by another name.
    server.tmux(["set-option", "-g", "@theme_module", "#{E:@sesh-status}"]);
    assert_eq!(notes(&server, "segment"), NONE);
    server.tmux(["set-option", "-gu", "@theme_module"]);
    let format = ["set-option", "-gw", "window-status-format"];
    server.tmux(format.iter().chain(&["#I #{sesh_window}"]));
    the_fault(
        &server,
        &["segment", "window-status-format", "#{sesh_window}"],
    );
    server.tmux(["set-option", "-g", "@sesh-window", "x"]);
    server.tmux(format.iter().chain(&["#I #{E:@sesh-window}"]));
    all_is_well(&server);
    assert_eq!(notes(&server, "segment"), NONE);
    server.tmux(["set-option", "-g", "status-format[1]", "#{sesh_status}"]);
    the_fault(&server, &["segment", "status-format[1]"]);
}

#[test]
fn a_word_that_an_option_does_not_know() {
    let server = Server::start();
    let set = |name: &str, value: &str| server.tmux(["set-option", "-g", name, value]);
    for (name, bad, good) in [
        ("@sesh-restore", "never", "off"),
        ("@sesh-picker", "fzf -m", "fzf"),
        ("@sesh-preset", "#(touch x)", "light"),
        ("@sesh-hold", "soon", "1h"),
        ("@sesh-keep", "-1", "0"),
        ("@sesh-keep-records", "soon", "2h"),
    ] {
        set(name, bad);
        the_fault(&server, &["settings", name, bad, "set-option -gu"]);
        set(name, good);
        all_is_well(&server);
    }
}

#[test]
fn names_where_they_do_not_belong() {
    let server = Server::start();
    for flags in ["-s", "-g", "-gw"] {
        server.tmux(["set-option", flags, "@sesh_name", "x"]);
        let way = match flags {
            "-s" => "set-option -su @sesh_name",
            "-g" => "set-option -gu @sesh_name",
            _ => "set-option -gwu @sesh_name",
        };
        let fault = the_fault(&server, &["store", "@sesh_name", way]);
        let mend = fault.split("→ tmux ").nth(1).expect("a way out");
        server.tmux(mend.split(' '));
        all_is_well(&server);
    }
}

#[test]
fn books_that_cannot_be_read() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let name = format!("@seshbook_{}", made.uuid());
    let right = server.tmux(["show-options", "-sv", &name]);
    let newer = right.trim_end().replacen('1', "2", 1);
    server.tmux(["set-option", "-s", &name, &newer]);
    the_fault(&server, &["store", &name, "newer"]);
    server.tmux(["set-option", "-s", &name, right.trim_end()]);
    all_is_well(&server);
    server.tmux(["set-option", "-s", "@seshbook_x", "rubbish"]);
    the_fault(
        &server,
        &["store", "@seshbook_x", "set-option -su @seshbook_x"],
    );
}

#[test]
fn stale_records() {
    let server = Server::start();
    let shell = server.new_sesh(["shell"]);
    server.when("it is idle", shell.uuid(), |it| it.state() == "idle");
    server.tmux(["send-keys", "-t", shell.pane(), "sleep 1000", "Enter"]);
    server.when("it is busy", shell.uuid(), |it| it.state() == "busy");
    all_is_well(&server);
    let noted = notes(&server, "stale");
    assert!(
        noted.len() == 1 && noted[0].contains("shell is busy"),
        "{noted:?}"
    );
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let pid = server.format(made.pane(), "#{pane_pid}");
    kill(Pid::from_raw(pid.parse().expect("a pid")), Signal::SIGKILL).expect("it can be killed");
    until("its pane goes", || !server.has_pane(made.pane()));
    the_fault(&server, &["stale", "one has exited", "→ sesh-reap"]);
    server.sesh("sesh-reap", NONE).ok();
    all_is_well(&server);
    assert_eq!(notes(&server, "stale"), NONE);
    server.tmux(["set-environment", "-gh", "SESH_reap", "5"]);
    assert_eq!(notes(&server, "stale").len(), 1);
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(notes(&server, "stale"), NONE);
}

#[test]
fn who_may_open_what() {
    let server = Server::start();
    let mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
    };
    mode(server.folder(), 0o755);
    mode(&server.socket(), 0o700);
    all_is_well(&server);
    assert_eq!(notes(&server, "permissions").len(), 1);
    for (folder, socket) in [(0o750, 0o660), (0o711, 0o602)] {
        mode(server.folder(), folder);
        mode(&server.socket(), socket);
        the_fault(
            &server,
            &["permissions", "other users can connect", "chmod 600"],
        );
    }
    mode(server.folder(), 0o700);
    all_is_well(&server);
    assert_eq!(notes(&server, "permissions"), NONE);
    // The private files of new panes.
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let private = server.path("run/tmux-sesh");
    mode(&private, 0o755);
    the_fault(&server, &["permissions", "run/tmux-sesh", "chmod 700"]);
    mode(&private, 0o700);
    let file = private.join("launch-x");
    std::fs::write(&file, "").expect("a file");
    mode(&file, 0o644);
    the_fault(&server, &["permissions", "launch-x"]);
    mode(&file, 0o600);
    all_is_well(&server);
}

#[test]
fn helpers_of_other_versions() {
    let server = Server::start();
    let path = server.script("sesh-new", "echo sesh-new 0.0.1");
    let path = path.to_str().expect("UTF-8");
    the_fault(&server, &["helpers", path, "0.0.1", "older"]);
    server.script("sesh-new", "echo sesh-new 999.1");
    the_fault(&server, &["helpers", path, "999.1", "newer"]);
    for text in [
        "exit 1",
        "echo something else",
        "echo sesh-new",
        "echo 'sesh-new 0.1.0 and more'",
        "exec cat /dev/zero",
        "exec sleep 100",
    ] {
        server.script("sesh-new", text);
        the_fault(&server, &["helpers", path, "does not print its version"]);
    }
    server.script(
        "sesh-new",
        &format!("echo sesh-new {}", env!("CARGO_PKG_VERSION")),
    );
    all_is_well(&server);
}

#[test]
fn helpers_that_are_missing() {
    let server = Server::start();
    let alone = server.path("alone");
    std::fs::create_dir(&alone).expect("a folder");
    let doctor = alone.join("sesh-doctor");
    // Another process copies it: see `Server::program_file`.
    server
        .call("/bin/cp".as_ref())
        .args([&helpers().join("sesh-doctor"), &doctor])
        .ok();
    std::os::unix::fs::symlink(server.program(), server.path("bin/tmux")).expect("a link");
    let call = |path: &Path| -> Call {
        server
            .call(&doctor)
            .args(["--json", "-S"])
            .args([server.socket()])
            .env("PATH", path)
    };
    let said = call(&server.path("bin")).said();
    assert_eq!(said.code(), Some(1));
    let all = findings(&said);
    for name in ["sesh-run", "tmux-sesh", "pane-keys"] {
        let missing = format!("fault helpers {name} is missing");
        assert!(all.iter().any(|it| it.starts_with(&missing)), "{all:#?}");
    }
    assert!(!all.iter().any(|it| it.contains("sesh-doctor is missing")));
    assert!(
        all.iter()
            .any(|it| it.starts_with("note helpers no helper is on PATH"))
    );
}

#[test]
fn a_tmux_of_another_version() {
    let server = Server::start();
    let real = version(&server);
    let says = |text: &str| {
        let program = server.program().display();
        server.script(
            "tmux",
            &format!("case $1 in -V) echo 'tmux {text}' ;; *) exec '{program}' \"$@\" ;; esac"),
        );
    };
    let new = Version::parse("3.6").expect("a version");
    let (near, far) = match real {
        it if it >= new => ("3.6-rc", "3.5a"),
        it if it == Version::parse("3.5").expect("a version") => ("3.4", "3.6b"),
        _ => ("3.5", "3.6b"),
    };
    says(far);
    the_fault(&server, &["tmux", far, "cannot talk", "kill-server"]);
    says(near);
    all_is_well(&server);
    let noted = notes(&server, "tmux");
    assert!(
        noted.iter().any(|note| note.contains("PATH has")),
        "{noted:?}"
    );
    says("3.1c");
    the_fault(&server, &["tmux", "3.1c", "too old", "3.2a"]);
    says(&real.to_string());
    all_is_well(&server);
    let paste = |server: &Server| {
        let mut found = notes(server, "tmux").into_iter();
        found.any(|note| note.contains("3830"))
    };
    assert!(!paste(&server), "no pane is kept dead");
    server.tmux(["set-option", "-gw", "remain-on-exit", "failed"]);
    assert_eq!(
        paste(&server),
        real < Version::parse("3.4").expect("a version")
    );
}

#[test]
fn a_server_that_hangs_up() {
    let server = Server::start();
    server.script(
        "tmux",
        "case $1 in -V) echo 'tmux 3.5a' ;; *) echo 'server exited unexpectedly' >&2; exit 1 ;; esac",
    );
    let said = server.sesh("sesh-doctor", ["--json"]).said();
    assert_eq!(said.code(), Some(69));
    assert!(said.sentence().contains("hung up"));
    let all = findings(&said);
    assert!(
        all.iter()
            .any(|it| it.starts_with("fault tmux PATH has tmux 3.5a")),
        "{all:?}"
    );
}

#[test]
fn without_a_server_or_tmux_it_says_what_it_can() {
    let server = Server::empty();
    let said = server.helper("sesh-doctor").args(["--json"]).said();
    assert_eq!(said.code(), Some(69), "{said}");
    said.sentence();
    let all = findings(&said);
    for start in ["ok tmux ", "ok helpers ", "ok permissions "] {
        assert!(all.iter().any(|it| it.starts_with(start)), "{all:?}");
    }
    let said = server
        .helper("sesh-doctor")
        .args(["--json"])
        .env("PATH", "")
        .said();
    assert_eq!(said.code(), Some(127), "{said}");
    assert!(said.sentence().contains("install"));
    let all = findings(&said);
    assert!(
        all.iter()
            .any(|it| it.starts_with("fault tmux no tmux on PATH")),
        "{all:?}"
    );
    // A server without a session is one.
    all_is_well(&server);
}

#[test]
fn hostile_texts_are_shown_as_text() {
    let server = Server::start();
    load_plugin(&server);
    let ran = server.path("ran");
    let bad = format!(
        "#(touch {0}) $(touch {0}) \u{1b}[31m\u{202e}'\";",
        ran.display()
    );
    let names = [
        "@seshplugin_version",
        "@seshplugin_dir",
        "@seshplugin_bin",
        "@seshplugin_trouble",
        "@seshplugin_keys",
        "@seshplugin_hooks",
        "@seshbook_x",
    ];
    for name in names {
        server.tmux(["set-option", "-s", "--", name, &bad]);
    }
    server.tmux(["set-option", "-g", "@sesh-status", &bad]);
    server.tmux(["set-environment", "-gh", "SESH_reap", &bad]);
    server.tmux(["rename-window", "-t", MAIN, "a name"]);
    let said = server.sesh("sesh-doctor", ["--json"]).said();
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(
        findings(&said)
            .iter()
            .any(|it| it.contains("the plugin reports")),
        "{said}"
    );
    let program = helpers().join("sesh-doctor").display().to_string();
    let command = format!("{program} -S {}; exec cat", server.socket().display());
    let screen = Screen::open((300, 60), &["sh", "-c", &command]);
    screen.shows("FAULT");
    screen.shows("\\u{202e}");
    server.tmux(["run-shell", "true"]);
    assert!(!ran.exists(), "a stored value was run");
}

#[test]
fn hooks_that_claude_is_told_not_to_run_are_disabled() {
    let server = Server::start();
    let settings = server.path("home/.claude/settings.json");
    std::fs::create_dir_all(settings.parent().expect("a folder")).expect("a folder");
    let state = |server: &Server| {
        let said = server
            .helper("sesh-hooks")
            .args(["status", "claude", "--json"])
            .ok();
        said.json()[0]["state"]
            .as_str()
            .expect("a state")
            .to_string()
    };
    let faults = |server: &Server| {
        let said = server.sesh("sesh-doctor", ["--json"]).said();
        said.text().matches("disableAllHooks").count()
    };
    std::fs::write(&settings, "{\"disableAllHooks\": true}\n").expect("a file");
    assert_eq!((state(&server).as_str(), faults(&server)), ("absent", 0));
    server.helper("sesh-hooks").args(["install", "claude"]).ok();
    assert_eq!((state(&server).as_str(), faults(&server)), ("disabled", 1));
    let text = std::fs::read_to_string(&settings).expect("a file");
    // As the mend says.
    let without = text.replace("\"disableAllHooks\": true", "\"disableAllHooks\": false");
    std::fs::write(&settings, without).expect("a file");
    assert_eq!((state(&server).as_str(), faults(&server)), ("installed", 0));
}

#[test]
fn what_a_theme_keeps_for_itself_is_no_fault() {
    let server = Server::start();
    let segment = |server: &Server| {
        let said = server.sesh("sesh-doctor", ["--json"]).said();
        let findings = said.json();
        let all = findings.as_array().expect("findings").iter();
        all.filter(|it| it["area"] == "segment" && it["level"] == "fault")
            .map(|it| it["mend"].as_str().expect("a mend").to_string())
            .collect::<Vec<String>>()
    };
    let none: Vec<String> = Vec::new();
    server.tmux(["set-option", "-g", "@theme_text", " #T#{sesh_window}"]);
    server.tmux(["set-option", "-g", "@other", "#{sesh_status}"]);
    assert_eq!(segment(&server), none);
    // Shown as it is, it stays empty.
    server.tmux(["set-option", "-g", "status-left", "#{E:@theme_text}"]);
    let mends = segment(&server);
    assert_eq!(mends, ["write #{E:@sesh-window} there in its place"]);
    server.tmux(["set-option", "-g", "@theme_text", " #T#{E:@sesh-window}"]);
    let mends = segment(&server);
    assert!(
        mends.iter().all(|mend| !mend.contains("in its place")),
        "{mends:?}"
    );
}
