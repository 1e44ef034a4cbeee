//! `sesh-new`: where a sesh goes, what it is given, and what nobody else may see or lose by it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::{assert_eq, assert_ne};

use crate::support::{Control, MAIN, Screen, Server, until};

/// A command that stays.
const STAY: [&str; 2] = ["sleep", "1000"];

/// What must be the same before and after for a person who works in the session [`MAIN`].
fn the_users_own(server: &Server, pane: &str) -> String {
    let facts = server.format(
        pane,
        "#{session_name} #{window_id} #{window_name} #{window_active} #{pane_active} #{pane_pid} #{@sesh_id}#{@sesh_name}",
    );
    let options = server.tmux(["show-options", "-p", "-t", pane]);
    let window = server.tmux(["show-options", "-w", "-t", pane]);
    format!("{facts}\n{options}{window}")
}

#[test]
fn outside_tmux_it_is_a_detached_session() {
    let server = Server::start();
    let made = server.new_sesh(["build", "--", STAY[0], STAY[1]]);
    let facts = server.format(
        made.pane(),
        "#{session_name} #{session_attached} #{session_windows} #{window_name} #{window_panes} #{window_width}x#{window_height}",
    );
    assert_eq!(facts, "build 0 1 build 1 200x50");
    assert_eq!(made.name(), "build");
    assert_eq!(made.state(), "busy");
    assert!(made.live());
    assert_eq!(made.strings("command"), STAY);
}

#[test]
fn inside_tmux_it_is_a_detached_window_of_the_callers_session() {
    let server = Server::start();
    let user = server.user_pane();
    let before = the_users_own(&server, &user);
    let made = server
        .inside(
            &user,
            "sesh-new",
            ["--json", "build", "--", "sleep", "1000"],
        )
        .ok()
        .record();
    assert_eq!(the_users_own(&server, &user), before);
    let facts = server.format(
        made.pane(),
        "#{session_name} #{window_name} #{window_active} #{window_panes} #{window_width}x#{window_height}",
    );
    assert_eq!(facts, "main build 0 1 120x40");
    assert_eq!(made.text("tmux/session"), MAIN);
    assert_eq!(
        made.get("tmux/window").to_string(),
        server.format(made.pane(), "#{window_index}")
    );
}

#[test]
fn an_option_sends_it_to_a_session_of_its_own() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["set-option", "-g", "@sesh-new-in", "session"]);
    let made = server
        .inside(
            &user,
            "sesh-new",
            ["--json", "build", "--", "sleep", "1000"],
        )
        .ok()
        .record();
    assert_eq!(made.text("tmux/session"), "build");
    let made = server
        .inside(
            &user,
            "sesh-new",
            ["--json", "--window", "here", "--", "sleep", "1000"],
        )
        .ok()
        .record();
    assert_eq!(made.text("tmux/session"), MAIN);
}

#[test]
fn a_split_is_beside_or_below_and_leaves_the_user_alone() {
    let server = Server::start();
    let user = server.user_pane();
    let before = the_users_own(&server, &user);
    let split = |way: &str, name: &str| {
        server
            .inside(
                &user,
                "sesh-new",
                ["--json", "--split", way, name, "--", "sleep", "1000"],
            )
            .ok()
            .record()
    };
    let beside = split("h", "beside");
    let below = split("v", "below");
    assert_eq!(the_users_own(&server, &user), before);
    let edges = |pane: &str| {
        server.format(
            pane,
            "#{window_name} #{pane_at_left} #{pane_at_top} #{pane_active}",
        )
    };
    assert_eq!(edges(beside.pane()), "user 0 1 0");
    assert_eq!(edges(below.pane()), "user 1 0 0");
    assert_eq!(
        server.tmux(["list-windows", "-a", "-F", "#{window_name}"]),
        "user\n"
    );
    assert_eq!(beside.text("tmux/session"), MAIN);
    assert_eq!(server.record(beside.uuid()).get("tmux"), beside.get("tmux"));
}

#[test]
fn a_split_takes_the_size_that_is_asked_for() {
    let server = Server::start();
    let user = server.user_pane();
    let made = server
        .inside(
            &user,
            "sesh-new",
            [
                "--json", "--split", "h", "--cols", "30", "side", "--", "sleep", "1000",
            ],
        )
        .ok()
        .record();
    assert_eq!(server.format(made.pane(), "#{pane_width}"), "30");
}

#[test]
fn a_pane_too_small_to_split_is_said_and_nothing_is_left() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["resize-window", "-t", &user, "-x", "3", "-y", "2"]);
    let before = server.everything();
    let sentence = server
        .inside(
            &user,
            "sesh-new",
            ["--split", "v", "tight", "--", "sleep", "1000"],
        )
        .fails(4);
    assert!(sentence.contains("too small"), "{sentence}");
    assert_eq!(server.everything(), before);
    assert!(server.launch_files().is_empty());
}

#[test]
fn a_target_that_is_absent_is_made() {
    let server = Server::start();
    let at = |target: &str, name: &str| {
        let made = server.new_sesh(["--target", target, name, "--", "sleep", "1000"]);
        server.format(
            made.pane(),
            "#{session_name} #{window_name} #{pane_index}/#{window_panes}",
        )
    };
    assert_eq!(at("work", "one"), "work one 0/1");
    assert_eq!(at("other:logs", "two"), "other logs 0/1");
    // There now: a window of it.
    assert_eq!(at("work", "three"), "work three 0/1");
    assert_eq!(at("work:tests", "four"), "work tests 0/1");
    // That window is there: beside what is in it.
    assert_eq!(at("work:tests", "five"), "work tests 1/2");
    assert_eq!(
        server.tmux(["list-sessions", "-F", "#{session_name} #{session_windows}"]),
        "main 1\nother 1\nwork 3\n"
    );
}

#[test]
fn a_target_in_the_users_session_leaves_the_user_alone() {
    let server = Server::start();
    let user = server.user_pane();
    let before = the_users_own(&server, &user);
    server.new_sesh(["--target", "main", "one", "--", "sleep", "1000"]);
    server.new_sesh(["--target", "main:user", "two", "--", "sleep", "1000"]);
    assert_eq!(the_users_own(&server, &user), before);
    assert_eq!(server.format(&user, "#{window_panes}"), "2");
}

#[test]
fn a_target_that_cannot_be_meant_is_a_usage_error() {
    let server = Server::start();
    let before = server.everything();
    for target in ["", ":logs", "a.b", "#(touch x)", "work:a:b", "-x"] {
        server
            .sesh(
                "sesh-new",
                [&format!("--target={target}"), "one", "--", "true"],
            )
            .fails(2);
    }
    server
        .sesh(
            "sesh-new",
            ["--target", "work", "--window", "one", "--", "true"],
        )
        .fails(2);
    assert_eq!(server.everything(), before);
}

#[test]
fn a_popup_has_a_session_but_no_pane() {
    let server = Server::start();
    let user = server.user_pane();
    let made = server
        .inside(&user, "sesh-new", ["--json", "one", "--", "sleep", "1000"])
        .env("TMUX_PANE", "")
        .ok()
        .record();
    assert_eq!(made.text("tmux/session"), MAIN);
    assert!(made.get("parent").is_null());
    let sentence = server
        .inside(
            &user,
            "sesh-new",
            ["--split", "h", "two", "--", "sleep", "1000"],
        )
        .env("TMUX_PANE", "")
        .fails(4);
    assert!(sentence.contains("--target"), "no way out: {sentence}");
}

#[test]
fn windows_and_splits_need_tmux_around() {
    let server = Server::start();
    for place in [&["--window"][..], &["--split", "h"]] {
        let sentence = server
            .sesh("sesh-new", place)
            .args(["one", "--", "true"])
            .fails(4);
        assert!(sentence.contains("--session"), "no way out: {sentence}");
    }
}

#[test]
fn rows_and_columns() {
    let server = Server::start();
    let user = server.user_pane();
    let size = |pane: &str| server.format(pane, "#{window_width}x#{window_height}");
    let made = server.new_sesh(["--rows", "30", "--cols", "90", "own", "--", "sleep", "1000"]);
    assert_eq!(size(made.pane()), "90x30");
    let made = server.new_sesh(["--cols", "90", "half", "--", "sleep", "1000"]);
    assert_eq!(size(made.pane()), "90x50");
    let made = server
        .inside(
            &user,
            "sesh-new",
            [
                "--json", "--rows", "30", "--cols", "90", "window", "--", "sleep", "1000",
            ],
        )
        .ok()
        .record();
    assert_eq!(size(made.pane()), "90x30");
    assert_eq!(size(&user), "120x40");
    for bad in [
        &["--rows", "0"][..],
        &["--cols", "x"],
        &["--cols", "10001"],
        &["--fixed-size"],
        &["--fixed-size", "--rows", "5"],
    ] {
        server
            .sesh("sesh-new", bad)
            .args(["bad", "--", "true"])
            .fails(2);
    }
}

#[test]
fn a_fixed_size_stays_whoever_looks() {
    let server = Server::start();
    let fixed = server.new_sesh([
        "--fixed-size",
        "--rows",
        "30",
        "--cols",
        "90",
        "fixed",
        "--",
        "sleep",
        "1000",
    ]);
    let loose = server.new_sesh([
        "--rows", "30", "--cols", "90", "loose", "--", "sleep", "1000",
    ]);
    let _first = Screen::attach(&server, "loose", (70, 20));
    until("the loose one follows its client", || {
        server.format(loose.pane(), "#{window_width}") == "70"
    });
    let second = Screen::attach(&server, "loose", (70, 20));
    server.tmux(["switch-client", "-c", second.client(), "-t", "=fixed"]);
    until("a client looks at the fixed one", || {
        server.format(fixed.pane(), "#{session_attached}") == "1"
    });
    assert_eq!(
        server.format(fixed.pane(), "#{window_width}x#{window_height}"),
        "90x30"
    );
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let server = Server::start();
    let before = server.everything();
    let sentence = server
        .sesh(
            "sesh-new",
            ["--cwd", "/nowhere/at all", "one", "--", "true"],
        )
        .fails(3);
    assert!(sentence.contains("/nowhere/at all"), "{sentence}");
    std::fs::write(server.path("file"), "").expect("a file");
    server
        .sesh("sesh-new", ["--cwd", "file", "one", "--", "true"])
        .fails(3);
    assert_eq!(server.everything(), before);
}

#[test]
fn it_starts_in_its_folder_whatever_that_is_called() {
    let server = Server::start();
    let user = server.user_pane();
    server.install_probe();
    let names = [
        "plain",
        "with blank",
        "it's \"quoted\"",
        "new\nline",
        "ends in newline\n",
        "tab\tbed",
        "#(touch x)",
        "#{pane_id}",
        "$HOME",
        "~",
        "semi;",
        ";",
        "größe 🦀",
        "%d",
        "-dash",
        "back\\slash",
    ];
    for (at, name) in names.iter().enumerate() {
        let folder = server.path("home").join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let probe = format!("cwd{at}");
        let call = if at % 2 == 0 {
            server.sesh("sesh-new", ["--json", "--cwd"])
        } else {
            server.inside(&user, "sesh-new", ["--json", "--cwd"])
        };
        let made = call
            .args([&folder])
            .args(["--", "probe", &probe])
            .ok()
            .record();
        let probed = server.probed(&probe);
        assert_eq!(probed.folder, folder);
        assert_eq!(probed.var("PWD"), Some(folder.as_os_str()));
        assert_eq!(made.text("cwd"), folder.to_str().expect("UTF-8"));
        server
            .sesh("sesh-new", ["--cwd", ".", "--", "probe"])
            .args([format!("{probe}b")])
            .folder(&folder)
            .ok();
        assert_eq!(server.probed(&format!("{probe}b")).folder, folder);
    }
    assert!(!server.path("x").exists() && !server.path("home/x").exists());
}

#[test]
fn a_folder_whose_name_is_no_text_is_refused() {
    let server = Server::start();
    let folder = server.folder().join(OsStr::from_bytes(b"odd\xff"));
    std::fs::create_dir(&folder).expect("a folder");
    server
        .sesh("sesh-new", ["--cwd"])
        .args([&folder])
        .args(["one", "--", "true"])
        .fails(4);
}

#[test]
fn it_gets_the_callers_environment_without_what_belongs_to_the_place() {
    let server = Server::start();
    let user = server.user_pane();
    server.install_probe();
    server.tmux(["set-environment", "-g", "ONLY_IN_THE_SERVER", "1"]);
    let made = server
        .inside(
            &user,
            "sesh-new",
            [
                "--json", "--env", "OWN=1", "--env", "OVER=new", "--env", "EMPTY=",
            ],
        )
        .args(["env", "--", "probe", "env"])
        .env("CARRIED", OsStr::from_bytes(b"odd\xff\n'$x'"))
        .env("odd.name", "1")
        .env("OVER", "old")
        .env("SESH_MACHINE", "elsewhere")
        .env("SESH_ID", "00000000-0000-0000-0000-000000000000")
        .env("SESH_NAME", "other")
        .env("CLAUDECODE", "1")
        .env("CLAUDE_CODE_ENTRYPOINT", "cli")
        .env("CLAUDE_CODE_SSE_PORT", "1")
        .env("CODEX_SANDBOX", "1")
        .env("GEMINI_CLI", "1")
        .env("TMUX_TMPDIR", "/elsewhere")
        .ok()
        .record();
    let probed = server.probed("env");
    let has = |name: &str, value: &[u8]| {
        assert_eq!(probed.var(name).map(OsStr::as_bytes), Some(value), "{name}");
    };
    has("CARRIED", b"odd\xff\n'$x'");
    has("odd.name", b"1");
    has("OWN", b"1");
    has("OVER", b"new");
    has("EMPTY", b"");
    has("SESH_MACHINE", b"elsewhere");
    has("SESH_ID", made.uuid().as_bytes());
    has("SESH_NAME", b"env");
    has("TMUX_PANE", made.pane().as_bytes());
    assert!(
        probed
            .var("TMUX")
            .expect("TMUX is the new pane's")
            .as_bytes()
            .starts_with(server.socket().as_os_str().as_bytes())
    );
    for name in [
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SSE_PORT",
        "CODEX_SANDBOX",
        "GEMINI_CLI",
        "ONLY_IN_THE_SERVER",
    ] {
        assert_eq!(probed.var(name), None, "{name}");
    }
    assert_ne!(probed.var("TMUX_TMPDIR"), Some(OsStr::new("/elsewhere")));
    assert_eq!(made.text("machine"), "elsewhere");
}

#[test]
fn a_variable_is_a_name_and_a_value() {
    let server = Server::start();
    for bad in ["NAME", "=value", ""] {
        server
            .sesh("sesh-new", ["--env", bad, "one", "--", "true"])
            .fails(2);
    }
}

#[test]
fn a_command_is_words_and_no_shell_splits_them() {
    let server = Server::start();
    server.install_probe();
    let words = [
        "two words",
        "",
        "it's",
        "\"",
        "$HOME",
        "*",
        "a;",
        ";",
        "#(touch x)",
        "#{pane_id}",
        "new\nline",
        "tab\t",
        "~",
        "{",
        "}",
        "\\",
        "größe",
        "--",
        "-x",
        "%1",
        "end;",
    ];
    let made = server.new_sesh(["words", "--", "probe", "words"].iter().chain(&words));
    assert_eq!(server.probed("words").argv, words);
    assert_eq!(made.strings("command")[2..], words);
    assert!(!server.path("x").exists());
}

#[test]
fn without_a_command_it_is_a_login_shell() {
    let server = Server::start();
    let made = server.new_sesh(["shell"]);
    assert_eq!(made.strings("command"), Vec::<&str>::new());
    let made = server.when("the shell is idle", made.uuid(), |it| it.state() == "idle");
    server.tmux(["send-keys", "-t", made.pane(), "echo \"it is $0\"", "Enter"]);
    server.shows(made.pane(), "it is -sh");
    server.tmux(["send-keys", "-t", made.pane(), "sleep 1000", "Enter"]);
    server.when("the shell is busy", made.uuid(), |it| it.state() == "busy");
    // Until it runs, it ignores C-c as its shell does.
    server.runs(made.pane(), "sleep");
    server.tmux(["send-keys", "-t", made.pane(), "C-c"]);
    server.when("the shell is idle again", made.uuid(), |it| {
        it.state() == "idle"
    });
    server.tmux(["send-keys", "-t", made.pane(), "exit 3", "Enter"]);
    assert_eq!(server.ended(made.uuid()).code(), Some(3));
}

#[test]
fn a_shell_is_what_tmux_would_start_in_a_new_window() {
    let server = Server::start();
    server.tmux([
        "set-option",
        "-g",
        "default-command",
        "echo from default; exec cat",
    ]);
    let made = server.new_sesh(["shell"]);
    server.shows(made.pane(), "from default");
    server.runs(made.pane(), "cat");
    // A command is run as it is.
    let command = server.new_sesh(["command", "--", "sleep", "1000"]);
    server.runs(command.pane(), "sleep");
    assert!(!server.screen(command.pane()).contains("from default"));
}

#[test]
fn a_session_without_a_client_lives_where_others_are_destroyed() {
    let server = Server::start();
    let client = Control::attach(&server, MAIN);
    server.tmux(["set-option", "-g", "destroy-unattached", "on"]);
    let made = server.new_sesh(["job", "--session", "--", "sleep", "1000"]);
    server.runs(made.pane(), "sleep");
    assert!(server.record(made.uuid()).live());
    // The sessions of the user stay as they are.
    let global = server.tmux(["show-options", "-gv", "destroy-unattached"]);
    assert_eq!(global.trim_end(), "on");
    drop(client);
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let server = Server::start();
    let before = server.everything();
    for program in ["no-such-program", "/no/such/program", "./nothing", ""] {
        server.sesh("sesh-new", ["one", "--", program]).fails(3);
    }
    // PATH is the sesh's own.
    server
        .sesh(
            "sesh-new",
            ["--env", "PATH=/nowhere", "one", "--", "sleep", "1"],
        )
        .fails(3);
    assert_eq!(server.everything(), before);
}

#[test]
fn its_parent_is_the_sesh_that_made_it() {
    let server = Server::start();
    let parent = server.new_sesh(["parent", "--", "sleep", "1000"]);
    let child = server
        .inside(
            parent.pane(),
            "sesh-new",
            ["--json", "child", "--", "sleep", "1000"],
        )
        .ok()
        .record();
    assert_eq!(child.text("parent"), parent.uuid());
    let other = server.new_sesh(["--parent", "child", "other", "--", "sleep", "1000"]);
    assert_eq!(other.text("parent"), child.uuid());
    // A stale SESH_ID is no parent: the pane itself is asked.
    let user = server.user_pane();
    let orphan = server
        .inside(
            &user,
            "sesh-new",
            ["--json", "orphan", "--", "sleep", "1000"],
        )
        .env("SESH_ID", parent.uuid())
        .ok()
        .record();
    assert!(orphan.get("parent").is_null());
    server
        .sesh("sesh-new", ["--parent", "", "bad", "--", "true"])
        .fails(2);
    server
        .sesh("sesh-new", ["--parent", "nobody", "bad", "--", "true"])
        .fails(3);
}

#[test]
fn an_identity_is_used_once() {
    let server = Server::start();
    let id = "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";
    let first = server.new_sesh(["--id", id, "one", "--", "true"]);
    assert_eq!(first.uuid(), id);
    let again = || {
        let before = server.panes("#{pane_id}");
        server
            .sesh("sesh-new", ["--id", id, "two", "--", "true"])
            .fails(4);
        assert_eq!(server.panes("#{pane_id}"), before);
        assert!(server.launch_files().is_empty());
    };
    again();
    server.ended(id);
    again();
    server.tmux(["kill-pane", "-t", first.pane()]);
    again();
    // Also when its server is gone, and when it is forgotten: the journal knows.
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "cat"]);
    again();
    server.sesh("sesh-end", ["--forget", id]).ok();
    again();
    server
        .sesh("sesh-new", ["--id", "x", "three", "--", "true"])
        .fails(2);
}

#[test]
fn a_name_is_unique_among_the_living() {
    let server = Server::start();
    let first = server.new_sesh(["build", "--", "sleep", "1000"]);
    let before = server.everything();
    let sentence = server.sesh("sesh-new", ["build", "--", "true"]).fails(4);
    assert!(sentence.contains("build"), "{sentence}");
    assert_eq!(server.everything(), before);
    assert!(server.launch_files().is_empty());
    server.sesh("sesh-end", ["build"]).ok();
    let second = server.new_sesh(["build", "--", "sleep", "1000"]);
    assert_ne!(second.uuid(), first.uuid());
}

#[test]
fn a_bad_name_is_refused_with_the_reason() {
    let server = Server::start();
    let long = "x".repeat(65);
    for name in [
        "",
        "a#b",
        "a;b",
        "%3",
        "a\nb",
        "\u{200b}x",
        ".x",
        long.as_str(),
    ] {
        let sentence = server.sesh("sesh-new", [name, "--", "true"]).fails(2);
        assert!(sentence.contains("not a valid name"), "{sentence}");
    }
    server
        .sesh("sesh-new", ["--tag", "a b", "one", "--", "true"])
        .fails(2);
}

#[test]
fn without_a_name_it_gets_a_short_readable_one() {
    let server = Server::start();
    let one = server.new_sesh(["--", "sleep", "1000"]);
    let two = server.new_sesh(["--", "sleep", "1000"]);
    assert_ne!(one.name(), two.name());
    for made in [one, two] {
        let name = made.name();
        assert!(
            name.len() <= 16
                && name
                    .bytes()
                    .all(|it| it.is_ascii_lowercase() || it == b'-' || it.is_ascii_digit()),
            "{name}"
        );
        assert_eq!(made.text("tmux/session"), name);
    }
}

#[test]
fn a_made_up_name_that_is_taken_is_made_up_again() {
    let server = Server::start();
    let ids = [
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
    ];
    let [one, two] = ids.map(|id| server.new_sesh(["--id", id, "--", "sleep", "1000"]));
    assert_eq!(two.name(), format!("{}-2", one.name()));
}

#[test]
fn a_users_session_of_the_same_name_is_left_alone() {
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "build", "cat"]);
    let user = server.format("=build:", "#{pane_id}");
    let before = the_users_own(&server, &user);
    let made = server.new_sesh(["build", "--", "sleep", "1000"]);
    assert_eq!(made.name(), "build");
    assert_eq!(made.text("tmux/session"), "build-2");
    assert_eq!(the_users_own(&server, &user), before);
    // And windows of one name are nobody's trouble.
    let user = server.user_pane();
    let window = server
        .inside(&user, "sesh-new", ["--json", "user", "--", "sleep", "1000"])
        .ok()
        .record();
    assert_ne!(window.pane(), user);
    assert_eq!(server.format(&user, "#{@sesh_id}"), "");
}

#[test]
fn a_label_is_made_of_a_name_that_tmux_would_change() {
    let server = Server::start();
    let made = server.new_sesh(["api.v2+ größe", "--", "sleep", "1000"]);
    assert_eq!(made.name(), "api.v2+ größe");
    assert_eq!(
        server.format(made.pane(), "#{session_name}"),
        "api_v2__größe"
    );
}

#[test]
fn note_and_tags_are_there_from_birth() {
    let server = Server::start();
    let made = server.new_sesh([
        "--tag",
        "team/api",
        "--tag",
        "x",
        "--tag",
        "x",
        "--note",
        "fix #1; don't",
        "one",
        "--",
        "true",
    ]);
    assert_eq!(made.strings("tags"), ["team/api", "x"]);
    assert_eq!(made.text("note"), "fix #1; don't");
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_it_would_do() {
    let server = Server::start();
    let user = server.user_pane();
    let before = server.everything();
    let said = server
        .inside(
            &user,
            "sesh-new",
            [
                "--dry-run",
                "--json",
                "--split",
                "h",
                "build",
                "--",
                "sleep",
                "7",
            ],
        )
        .ok()
        .json();
    assert_eq!(said["name"], "build");
    assert_eq!(said["command"], "sleep 7");
    assert_eq!(said["size"], "120x40");
    assert_eq!(said["cwd"], server.folder().to_str().expect("UTF-8"));
    assert!(
        said["where"].as_str().expect("a text").contains(&user),
        "{said}"
    );
    let text = server
        .sesh("sesh-new", ["--dry-run", "build", "--", "sleep", "7"])
        .ok();
    assert!(text.text().contains("a new session build"), "{text}");
    assert_eq!(server.everything(), before);
    assert!(server.launch_files().is_empty());
}

#[test]
fn a_dry_run_starts_no_server() {
    let server = Server::empty();
    let socket = server.path("other");
    server
        .helper("sesh-new")
        .args(["-S".as_ref(), socket.as_os_str()])
        .args(["--dry-run", "build", "--", "true"])
        .ok();
    assert!(!socket.exists());
}

#[test]
fn without_launch_it_waits_for_enter() {
    let server = Server::start();
    server.install_probe();
    let made = server.new_sesh(["--no-launch", "later", "--", "probe", "later"]);
    assert_eq!((made.state(), made.text("why")), ("waiting", "start"));
    server.shows(made.pane(), "Enter starts");
    assert!(!server.has_probed("later"));
    // Who waits there is read already.
    assert!(server.launch_files().is_empty());
    server.sesh("pane-keys", ["later", "Enter"]).ok();
    server.probed("later");
    assert_eq!(server.ended(made.uuid()).code(), Some(0));
}

#[test]
fn a_waiting_one_can_be_closed() {
    let server = Server::start();
    server.install_probe();
    let made = server.new_sesh(["--no-launch", "one", "--", "probe", "one"]);
    server.shows(made.pane(), "Enter starts");
    server.sesh("pane-keys", ["one", "q"]).ok();
    until("the pane closes", || !server.has_pane(made.pane()));
    assert!(!server.has_probed("one"));
    assert_eq!(server.record(made.uuid()).state(), "exited");
}

#[test]
fn a_terminal_type_of_its_own_is_honoured() {
    let server = Server::start();
    server.install_probe();
    server
        .sesh(
            "sesh-new",
            ["--env", "TERM=dumb", "one", "--", "probe", "own"],
        )
        .ok();
    assert_eq!(server.probed("own").var("TERM"), Some(OsStr::new("dumb")));
    server
        .sesh("sesh-new", ["two", "--", "probe", "tmuxs"])
        .env("TERM", "vt100")
        .ok();
    let terminal = server.tmux(["show-options", "-gv", "default-terminal"]);
    assert_eq!(
        server.probed("tmuxs").var("TERM"),
        Some(OsStr::new(terminal.trim_end()))
    );
}

#[test]
fn what_it_is_told_shows_nowhere() {
    let server = Server::start();
    server.install_probe();
    // tmux logs the commands of whoever has a client or not; the log is there to be read by a client.
    let look = Screen::attach(&server, MAIN, (80, 20));
    let made = server
        .sesh(
            "sesh-new",
            [
                "--env",
                "TOKEN=sesame-of-env",
                "secret",
                "--",
                "probe",
                "secret",
                "sesame-of-argv",
            ],
        )
        .env("CARRIED", "sesame-of-caller")
        .ok()
        .line()
        .to_string();
    server.probed("secret");
    server.ended(&made);
    let messages = server.tmux(["show-messages", "-t", look.client()]);
    assert!(
        messages.contains(&made),
        "this log is not the one: {messages}"
    );
    let told: Vec<&str> = messages
        .lines()
        .filter(|line| line.contains("sesame"))
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    let start = server.panes("#{pane_start_command}").join("\n");
    assert!(
        start.contains("--launch") && !start.contains("sesame"),
        "{start}"
    );
    let environment = server.tmux(["show-environment", "-g"]);
    assert!(!environment.contains("sesame"), "{environment}");
}

#[test]
fn the_launch_file_is_private_and_gone_at_once() {
    let server = Server::start();
    server.install_probe();
    // sesh-run as a stand-in that leaves the file, beside a copy of sesh-new: helpers look beside themselves.
    let own = server.path("own");
    std::fs::create_dir(&own).expect("a folder");
    let program = std::fs::read(env!("CARGO_BIN_EXE_sesh-new")).expect("the program");
    server.program_file(&own.join("sesh-new"), &program);
    server.program_file(&own.join("sesh-run"), b"#!/bin/sh\nsleep 1000\n");
    let mut maker = server
        .call(&own.join("sesh-new"))
        .args(["-S".as_ref(), server.socket().as_os_str()])
        .args(["left", "--", "true"])
        .command()
        .stdout(Stdio::null())
        .spawn()
        .expect("sesh-new");
    until("the pane is there", || {
        server.panes("#{pane_id}").len() == 2
    });
    // The launch file, and the pipe by which the pane tells that the command runs.
    let left = server.launch_files();
    assert_eq!(left.len(), 2, "{left:?}");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path)
            .expect("a launch file")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!([mode(&left[0]), mode(&left[1])], [0o600; 2]);
    assert_eq!(mode(&server.path("run/tmux-sesh")), 0o700);
    for file in left {
        std::fs::remove_file(file).expect("the file goes");
    }
    maker.kill().expect("it waits");
    maker.wait().expect("its end");
    // The real one takes it away before the command starts.
    server.script(
        "look",
        &format!(
            "ls '{0}/run/tmux-sesh' >'{0}/seen.new'; mv '{0}/seen.new' '{0}/seen'",
            server.folder().display()
        ),
    );
    server.new_sesh(["look", "--", "look"]);
    until("the command has looked", || server.path("seen").exists());
    assert_eq!(
        std::fs::read_to_string(server.path("seen")).expect("a list"),
        ""
    );
}

#[test]
fn a_launch_folder_that_others_can_open_is_refused() {
    let server = Server::start();
    let folder = server.path("run/tmux-sesh");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let before = server.everything();
    let sentence = server.sesh("sesh-new", ["one", "--", "true"]).fails(1);
    assert!(sentence.contains("0700"), "{sentence}");
    assert_eq!(server.everything(), before);
}

#[test]
fn an_agent_is_launched_from_path() {
    let server = Server::start();
    server.script("claude", "exec probe claude \"$0\" \"$@\"");
    server.install_probe();
    let made = server.new_sesh(["--agent", "claude", "helper", "--", "--model", "two words"]);
    assert_eq!(made.text("agent"), "claude");
    assert_eq!(
        made.state(),
        "unknown",
        "what an agent does is for its own sources to say"
    );
    let claude = server.path("bin/claude").display().to_string();
    assert_eq!(
        server.probed("claude").argv,
        [claude.as_str(), "--model", "two words"]
    );
    assert_eq!(
        made.strings("command"),
        [claude.as_str(), "--model", "two words"]
    );
    assert_eq!(server.ended(made.uuid()).code(), Some(0));
}

#[test]
fn an_agent_that_is_not_installed_is_looked_for_in_vain() {
    let server = Server::start();
    let before = server.everything();
    let sentence = server
        .sesh(
            "sesh-new",
            ["--agent", "codex", "--env", "PATH=/nowhere:/here", "one"],
        )
        .fails(3);
    assert!(
        sentence.contains("/nowhere:/here"),
        "where it looked: {sentence}"
    );
    let sentence = server.sesh("sesh-new", ["--agent", "hal", "one"]).fails(2);
    assert!(sentence.contains("claude"), "which are known: {sentence}");
    assert_eq!(server.everything(), before);
}

#[test]
fn without_a_server_one_is_started() {
    let server = Server::empty();
    let socket = server.path("other");
    let said = server
        .helper("sesh-new")
        .args(["-S".as_ref(), socket.as_os_str()])
        .args(["--json", "first", "--", "sleep", "1000"])
        .env("CLAUDECODE", "1")
        .ok();
    let other = |args: &[&str]| {
        let said = server
            .call(server.program())
            .args(["-S".as_ref(), socket.as_os_str()])
            .args(args)
            .ok();
        said.text().trim_end().to_string()
    };
    let pid = other(&["display-message", "-p", "#{pid}"]);
    let sessions = other(&["list-sessions", "-F", "#{session_name}"]);
    let environment = other(&["show-environment", "-g"]);
    let pid = Pid::from_raw(pid.parse().expect("a pid"));
    let _ = kill(pid, Signal::SIGTERM);
    until("the second server ends", || kill(pid, None).is_err());
    assert_eq!(said.record().name(), "first");
    assert_eq!(sessions, "first");
    assert!(
        environment.contains("HOME=") && !environment.contains("CLAUDECODE"),
        "a server keeps its first environment for every pane: {environment}"
    );
}

#[test]
fn enter_goes_there() {
    let server = Server::start();
    let look = Screen::attach(&server, MAIN, (80, 20));
    let user = server.user_pane();
    let made = server
        .inside(
            &user,
            "sesh-new",
            [
                "--json",
                "--session",
                "--enter",
                "there",
                "--",
                "sh",
                "-c",
                "echo I am here; cat",
            ],
        )
        .ok()
        .record();
    look.shows("I am here");
    assert_eq!(
        server.tmux(["list-clients", "-F", "#{session_name}"]),
        "there\n"
    );
    assert!(made.live());
    server
        .sesh("sesh-new", ["--enter", "--dry-run", "x", "--", "true"])
        .fails(2);
}

#[test]
fn it_says_its_identity() {
    let server = Server::start();
    let said = server.sesh("sesh-new", ["one", "--", "sleep", "1000"]).ok();
    assert_eq!(server.record(said.line()).name(), "one");
    let version = server.helper("sesh-new").args(["--version"]).ok();
    assert!(version.line().starts_with("sesh-new "), "{version}");
    let help = server.helper("sesh-new").args(["--help"]).ok();
    assert!(help.text().contains("--fixed-size"), "{help}");
    server.sesh("sesh-new", ["one", "two"]).fails(2);
}

#[test]
fn from_a_terminal_it_takes_the_terminals_size() {
    let server = Server::start();
    let program = env!("CARGO_BIN_EXE_sesh-new");
    let socket = server.socket().display().to_string();
    let terminal = Screen::open(
        (90, 25),
        &[
            "sh",
            "-c",
            "\"$@\"; exec sleep 1000",
            "sh",
            program,
            "-S",
            &socket,
            "one",
            "--",
            "sleep",
            "1000",
        ],
    );
    terminal.shows("-");
    until("the sesh is made", || {
        server.try_tmux(["has-session", "-t", "=one"]).code() == Some(0)
    });
    assert_eq!(
        server.format("=one:", "#{window_width}x#{window_height}"),
        "90x25"
    );
}

#[test]
fn without_a_folder_for_it_the_launch_file_is_in_a_private_one() {
    let server = Server::start();
    server.install_probe();
    let temporary = server.path("home");
    let launch = |name: &str| {
        server
            .sesh("sesh-new", [name, "--", "probe", name])
            .env("XDG_RUNTIME_DIR", "")
            .env("TMPDIR", &temporary)
    };
    launch("one").ok();
    server.probed("one");
    let pane = server.format("=one:", "#{pane_id}");
    server.shows(&pane, "[sesh: ");
    let folder = temporary.join(format!("tmux-sesh-{}", nix::unistd::getuid()));
    let mode = std::fs::metadata(&folder)
        .expect("a folder")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 0);
    // Where everybody may write, somebody may have been first.
    std::fs::remove_dir(&folder).expect("the folder goes");
    std::os::unix::fs::symlink(server.path("run"), &folder).expect("a link");
    let before = server.everything();
    launch("two").fails(1);
    assert_eq!(server.everything(), before);
}

#[test]
fn whose_it_is() {
    let server = Server::start();
    let user = server.user_pane();
    let outside = server.new_sesh(["outside", "--", "sleep", "1000"]);
    assert!(outside.0["owner"].is_null() && outside.0["expiresAt"].is_null());
    // A pane that is no sesh owns nothing; one that is owns what it makes.
    let made = |args: &[&str]| {
        server
            .inside(&user, "sesh-new", ["--json"])
            .args(args)
            .args(["--", "sleep", "1000"])
            .ok()
            .record()
    };
    assert!(made(&["nobodys"]).0["owner"].is_null());
    server.sesh("sesh-adopt", [&user, "--name", "boss"]).ok();
    let boss = server.sesh("sesh-list", ["boss", "--json"]).ok().only();
    let own = made(&["own"]);
    assert_eq!(own.0["owner"], boss.uuid());
    assert_eq!(own.0["parent"], boss.uuid());
    // Whom it belongs to, and who answers for it, are two things.
    let other = made(&["other", "--owner", "ci/run:7 größe", "--parent", "outside"]);
    assert_eq!(other.0["owner"], "ci/run:7 größe");
    assert_eq!(other.0["parent"], outside.uuid());
    server.sesh("sesh-end", ["other"]).ok();
    assert_eq!(server.record(other.uuid()).0["owner"], "ci/run:7 größe");
    let before = server.everything();
    let long = "x".repeat(65);
    for bad in ["", "#(touch x)", "a,b", "a}b", "50%", "a\nb", "'q'", &long] {
        server
            .sesh("sesh-new", ["--owner", bad, "bad", "--", "true"])
            .fails(2);
    }
    for bad in ["", "0s", "500ms", "-1s", "soon"] {
        server
            .sesh("sesh-new", ["--ttl", bad, "bad", "--", "true"])
            .fails(2);
    }
    assert_eq!(server.everything(), before);
    assert!(!server.path("x").exists());
}

#[test]
fn an_owner_has_no_more_than_it_may() {
    let server = Server::start();
    let make = |owner: &str, name: &str| {
        server.sesh("sesh-new", ["--owner", owner, name, "--", "sleep", "1000"])
    };
    for (at, max) in ["", "many", "-1"].into_iter().enumerate() {
        server.tmux(["set-option", "-g", "@sesh-max", max]);
        make("a", &format!("free{at}")).ok();
    }
    server.tmux(["set-option", "-g", "@sesh-max", "4"]);
    make("a", "one").ok();
    let before = server.everything();
    let sentence = make("a", "two").fails(4);
    assert!(
        sentence.contains("\"a\" has 4 live seshes") && sentence.contains("allows 4"),
        "{sentence}"
    );
    assert_eq!(server.everything(), before);
    assert!(server.launch_files().is_empty());
    // Others have limits of their own, and what has no owner has none.
    make("a ", "padded").ok();
    make("A", "capital").ok();
    for name in ["n1", "n2", "n3", "n4", "n5"] {
        server.sesh("sesh-new", [name, "--", "sleep", "1000"]).ok();
    }
    // One that has ended is none, also while its pane is held.
    server.sesh("pane-keys", ["one", "C-c"]).ok();
    server.when(
        "it ends",
        server
            .sesh("sesh-list", ["one", "--json"])
            .ok()
            .only()
            .uuid(),
        |it| it.state() == "exited",
    );
    make("a", "two").ok();
    make("a", "three").fails(4);
    server.tmux(["set-option", "-g", "@sesh-max", "0"]);
    make("nobody", "four").fails(4);
    server
        .sesh("sesh-new", ["five", "--", "sleep", "1000"])
        .ok();
}

#[test]
fn a_size_stays_while_nobody_looks() {
    let server = Server::start();
    let made = server.new_sesh(["--rows", "24", "--cols", "80", "one", "--", "sleep", "1000"]);
    let _look = Screen::attach(&server, MAIN, (70, 20));
    until("the client looks elsewhere", || {
        server.format(&server.user_pane(), "#{window_width}") == "70"
    });
    // No status line takes a row of it.
    assert_eq!(
        server.format(made.pane(), "#{pane_width}x#{pane_height}"),
        "80x24"
    );
}

#[test]
fn what_is_of_the_callers_place_does_not_travel() {
    let server = Server::start();
    server.install_probe();
    let stays = [
        ("GIT_DIR", "/elsewhere/.git"),
        ("GIT_INDEX_FILE", ".git/index.lock"),
        ("GIT_WORK_TREE", "/elsewhere"),
        ("GIT_PREFIX", "sub/"),
        ("GIT_CONFIG_PARAMETERS", "'user.name'='x'"),
        ("GIT_QUARANTINE_PATH", "/elsewhere/objects"),
        ("GIT_AUTHOR_DATE", "@1 +0000"),
        ("GIT_EDITOR", ":"),
        ("GIT_PUSH_OPTION_0", "x"),
        ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22"),
        ("SSH_CLIENT", "10.0.0.1 1 22"),
        ("SSH_TTY", "/dev/pts/99"),
        ("KITTY_WINDOW_ID", "1"),
        ("NVIM", "/run/nvim.1.0"),
        ("MAKEFLAGS", " -j --jobserver-auth=3,4"),
        ("NOTIFY_SOCKET", "/run/notify"),
    ];
    let travels = [
        ("GIT_AUTHOR_NAME", "A Person"),
        ("GIT_SSH_COMMAND", "ssh -4"),
        ("GIT_SEQUENCE_EDITOR", "vi"),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("VIRTUAL_ENV", "/venv"),
    ];
    let user = server.user_pane();
    for (name, inside) in [("outside", false), ("inside", true)] {
        let words = [name, "--", "probe", name];
        let mut call = if inside {
            server.inside(&user, "sesh-new", words)
        } else {
            server.sesh("sesh-new", words)
        };
        for (name, value) in stays.into_iter().chain(travels) {
            call = call.env(name, value);
        }
        call.ok();
        let probed = server.probed(name);
        for (variable, _) in stays {
            assert_eq!(probed.var(variable), None, "{variable} {name}");
        }
        for (variable, value) in travels {
            assert_eq!(
                probed.var(variable),
                Some(OsStr::new(value)),
                "{variable} {name}"
            );
        }
    }
    // What is restored gets no more of its caller's place.
    let made = server.new_sesh(["again", "--", "probe", "again"]);
    server.probed("again");
    server.ended(made.uuid());
    std::fs::remove_file(server.path("probed-again")).expect("a probe");
    let mut call = server.sesh("sesh-restore", [made.uuid(), "--run"]);
    for (name, value) in stays {
        call = call.env(name, value);
    }
    call.ok();
    let probed = server.probed("again");
    for (variable, _) in stays {
        assert_eq!(probed.var(variable), None, "{variable} restored");
    }
}

#[test]
fn what_a_client_has_passed_on_counts_more_than_an_old_shell() {
    let server = Server::start();
    server.install_probe();
    server.tmux(["set-option", "-ga", "update-environment", "OWN_*"]);
    let set = |name: &str, value: &str| server.tmux(["set-environment", "-t", MAIN, name, value]);
    set("SSH_AUTH_SOCK", "/run/old");
    set("OWN_TOKEN", "old");
    set("DISPLAY", ":1");
    set("XAUTHORITY", "/home/older");
    set("NOT_UPDATED", "of the caller");
    let user = server.tmux([
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "echo ready; cat",
    ]);
    let user = user.trim_end();
    // Until it runs, its environment is that of tmux.
    server.shows(user, "ready");
    // Another client attaches.
    set("SSH_AUTH_SOCK", "/run/new");
    set("OWN_TOKEN", "new");
    set("NOT_UPDATED", "of the session");
    set("XAUTHORITY", "/home/new");
    server.tmux(["set-environment", "-t", MAIN, "-r", "DISPLAY"]);
    let old = |call: crate::support::Call| {
        call.env("SSH_AUTH_SOCK", "/run/old")
            .env("OWN_TOKEN", "old")
            .env("NOT_UPDATED", "of the caller")
            .env("DISPLAY", ":1")
            .env("XAUTHORITY", "/home/old")
    };
    for (name, place) in [("window", "--window"), ("session", "--session")] {
        let words = [name, place, "--", "probe", name];
        old(server.inside(user, "sesh-new", words)).ok();
        let probed = server.probed(name);
        let value = |name: &str| probed.var(name).and_then(OsStr::to_str);
        assert_eq!(value("SSH_AUTH_SOCK"), Some("/run/new"), "{name}");
        assert_eq!(value("OWN_TOKEN"), Some("new"), "{name}");
        assert_eq!(value("NOT_UPDATED"), Some("of the caller"), "{name}");
        assert_eq!(value("DISPLAY"), None, "{name}");
        // The caller has set it itself.
        assert_eq!(value("XAUTHORITY"), Some("/home/old"), "{name}");
    }
    // Outside tmux the caller's own count, and what a person gives counts most.
    old(server.sesh("sesh-new", ["out", "--", "probe", "out"])).ok();
    assert_eq!(
        server.probed("out").var("SSH_AUTH_SOCK"),
        Some(OsStr::new("/run/old"))
    );
    let given = [("DISPLAY", ":2"), ("SSH_AUTH_SOCK", "/run/given")];
    let given = given.map(|(name, value)| (name, OsStr::new(value)));
    let words = [
        "given",
        "--env",
        "DISPLAY=:2",
        "--env",
        "SSH_AUTH_SOCK=/run/given",
    ];
    let words = words.into_iter().chain(["--", "probe", "given"]);
    old(server.inside(user, "sesh-new", words)).ok();
    let probed = server.probed("given");
    for (name, value) in given {
        assert_eq!(probed.var(name), Some(value), "{name}");
    }
}
