//! What goes wrong is one sentence with a way out, and an exit code that a script can trust.

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use pretty_assertions::assert_eq;

use crate::support::{Call, NONE, Server};

/// A call of every helper that asks a server, and would do something on one that has what it asks for.
pub(crate) const CALLS: [(&str, &[&str]); 17] = [
    ("sesh-list", &[]),
    ("sesh-set", &["one", "--note", "x"]),
    ("sesh-end", &["one"]),
    ("sesh-pane", &["--pane", "%0"]),
    ("sesh-adopt", &["%0"]),
    ("sesh-enter", &["one", "--print"]),
    ("sesh-enter", &["--next", "--print"]),
    ("sesh-reap", &[]),
    ("sesh-log", &["one"]),
    ("pane-capture", &["one"]),
    ("pane-keys", &["%0", "Enter"]),
    ("pane-resolve", &["--pane", "%0"]),
    ("sesh-send", &["%0", "x"]),
    ("sesh-explain", &["%0"]),
    ("sesh-wait", &["%0"]),
    ("sesh-gather", &["--tag", "x"]),
    ("sesh-save", &[]),
];

/// The helpers of which no call is among [`CALLS`], each with the reason.
const NO_CALL: [(&str, &str); 10] = [
    ("sesh-new", "it starts a server"),
    ("sesh-delegate", "it starts a server"),
    ("sesh-restore", "it starts a server"),
    ("sesh-run", "tmux alone starts it"),
    ("sesh-report", "the hook of an agent never fails"),
    ("sesh-hooks", "it asks no server"),
    ("sesh-lock", "it needs no server"),
    ("sesh-doctor", "a missing server is one of its findings"),
    ("sesh-land", "it needs a repository first"),
    ("sesh-work", "it needs a repository first"),
];

#[test]
fn every_helper_has_a_call_or_a_reason() {
    for tool in &tmux_sesh::cli::TOOLS {
        let called = CALLS.iter().any(|(helper, _)| *helper == tool.name);
        let excepted = NO_CALL.iter().any(|(helper, _)| *helper == tool.name);
        assert!(
            called != excepted,
            "{}: add a call to CALLS, or the reason for none to NO_CALL",
            tool.name
        );
    }
}

/// The helper on the server at a socket.
fn at(server: &Server, socket: &Path, helper: &str, args: &[&str]) -> Call {
    server
        .helper(helper)
        .args(["-S".as_ref(), socket.as_os_str()])
        .args(args)
}

/// With the `tmux` that a test has put on PATH: a question alone would not need it.
fn by_program(call: Call) -> Call {
    call.env("SESH_CLIENT", "tmux")
}

#[test]
fn no_server() {
    let server = Server::empty();
    let dead = server.path("dead");
    drop(UnixListener::bind(&dead).expect("a socket that nobody listens at"));
    std::fs::write(server.path("file"), "").expect("a file");
    for socket in [
        dead,
        server.path("absent"),
        server.path("file"),
        server.path("no/folder"),
    ] {
        for (helper, args) in CALLS {
            let sentence = at(&server, &socket, helper, args).fails(69);
            assert!(
                sentence.contains(socket.to_str().expect("UTF-8")),
                "which: {sentence}"
            );
        }
    }
}

#[test]
fn no_server_by_default() {
    let server = Server::empty();
    for (helper, args) in CALLS {
        server.helper(helper).args(args).fails(69);
        server
            .helper(helper)
            .env("TMUX", format!("{}/gone,1,0", server.folder().display()))
            .env("TMUX_PANE", "%0")
            .args(args)
            .fails(69);
    }
}

#[test]
fn a_server_that_died() {
    let server = Server::start();
    let socket = server.path("other");
    at(
        &server,
        &socket,
        "sesh-new",
        &["one", "--", "sleep", "1000"],
    )
    .ok();
    at(&server, &socket, "sesh-list", &["one"]).ok();
    let tmux = |args: &[&str]| {
        server
            .call(server.program())
            .args(["-S".as_ref(), socket.as_os_str()])
            .args(args)
    };
    tmux(&["kill-server"]).ok();
    for (helper, args) in CALLS {
        let said = at(&server, &socket, helper, args).said();
        // The journal remembers one of that name, which can be changed, and has no pane to go to or to read.
        let expected = match (helper, args.first()) {
            ("sesh-set", _) => 0,
            // What the journal remembers has no pane.
            ("sesh-wait", _) => 3,
            (_, Some(&"one")) => 4,
            _ => 69,
        };
        assert_eq!(said.code(), Some(expected), "{said}");
    }
    let journal = server.path("home/.local/state/tmux-sesh/journal");
    std::fs::remove_dir_all(journal).expect("it was there");
    for (helper, args) in CALLS {
        at(&server, &socket, helper, args).fails(69);
    }
}

#[test]
fn no_tmux() {
    let server = Server::start();
    for (helper, args) in CALLS {
        let sentence = server
            .sesh(helper, args)
            .env("PATH", server.path("home"))
            .fails(127);
        assert!(sentence.contains("install"), "no way out: {sentence}");
    }
    let sentence = server
        .sesh("sesh-new", ["one", "--", "/bin/true"])
        .env("PATH", "")
        .fails(127);
    assert!(sentence.contains("tmux"), "{sentence}");
}

#[test]
fn a_tmux_that_is_too_old() {
    let server = Server::start();
    server.script(
        "tmux",
        "case $1 in -V) echo 'tmux 3.1c' ;; *) echo 'unknown command: if-shell' >&2; exit 1 ;; esac",
    );
    for (helper, args) in CALLS {
        let sentence = by_program(server.sesh(helper, args)).fails(127);
        assert!(
            sentence.contains("3.1c") && sentence.contains("3.2a"),
            "which, and which is needed: {sentence}"
        );
    }
    by_program(server.sesh("sesh-new", ["one", "--", "true"])).fails(127);
    assert!(server.launch_files().is_empty());
}

#[test]
fn a_server_that_is_too_old() {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    // A client of today, a server of long ago: it is the server's own word that counts.
    server.script(
        "tmux",
        &format!(
            "case $1 in -V) exec '{0}' -V ;; esac\nfor word; do shift; set -- \"$@\" \"$(printf %s \"$word\" | sed 's/#{{version}}/3.1c/g')\"; done\nexec '{0}' \"$@\"",
            server.program().display()
        ),
    );
    for (helper, args) in [
        ("sesh-list", NONE.as_slice()),
        ("pane-capture", &["one"]),
        ("sesh-pane", &["--pane", "%0"]),
    ] {
        let sentence = by_program(server.sesh(helper, args)).fails(127);
        assert!(sentence.contains("3.1c"), "{sentence}");
    }
}

#[test]
fn a_refusal_of_tmux_names_the_command() {
    let server = Server::start();
    server.script(
        "tmux",
        "case $* in *-V*) echo 'tmux 3.4' ;; *) echo 'out of luck' >&2; exit 1 ;; esac",
    );
    let sentence = by_program(server.sesh("sesh-list", NONE)).fails(1);
    assert!(
        sentence.contains("list-panes") && sentence.contains("out of luck"),
        "{sentence}"
    );
}

#[test]
fn a_sentence_is_one_line_whatever_is_in_it() {
    let server = Server::start();
    for word in [
        "two\nlines",
        "\u{1b}[31mred",
        "tab\t",
        "\u{202e}turned",
        "größe 🦀",
        &"x".repeat(10_000),
    ] {
        let sentence = server.sesh("sesh-list", [word]).said().sentence();
        assert!(
            !sentence.contains(['\u{1b}', '\t', '\u{202e}']),
            "{sentence:?}"
        );
        assert!(sentence.len() < 1_000, "{} bytes", sentence.len());
        let sentence = server
            .sesh("sesh-new", ["one", "--cwd", word, "--", "true"])
            .fails(3);
        assert!(!sentence.contains(['\u{1b}', '\u{202e}']), "{sentence:?}");
        server.sesh("pane-keys", ["%0", word, "no-key"]).fails(2);
        server.sesh("sesh-set", ["one", "--meta", word]).fails(2);
    }
}

#[test]
fn usage_is_one_sentence_too() {
    let server = Server::start();
    for tool in &tmux_sesh::cli::TOOLS {
        let call = server.helper(tool.name).args(["--no-such-option"]);
        if tool.silent {
            assert!(call.ok().stdout.is_empty(), "{}", tool.name);
            continue;
        }
        let sentence = call.fails(2);
        assert!(sentence.contains("--help"), "no way out: {sentence}");
    }
}

#[test]
fn help_and_version_need_no_tmux() {
    let server = Server::empty();
    for tool in &tmux_sesh::cli::TOOLS {
        let help = server
            .helper(tool.name)
            .args(["--help"])
            .env("PATH", "")
            .ok();
        assert!(help.text().contains("Usage: "), "{help}");
        let version = server
            .helper(tool.name)
            .args(["--version"])
            .env("PATH", "")
            .ok();
        assert_eq!(
            version.line(),
            format!("{} {}", tool.name, env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn the_family_is_listed_and_run() {
    let server = Server::start();
    let overview = server.helper("tmux-sesh").ok();
    for tool in &tmux_sesh::cli::TOOLS {
        assert!(overview.text().contains(tool.name), "{overview}");
        let program = crate::support::helpers().join(tool.name);
        assert!(program.is_file(), "{} is in no binary", tool.name);
        let own = server.helper(tool.name).args(["--help"]).ok();
        let long = server.helper("tmux-sesh").args([tool.name, "--help"]).ok();
        assert_eq!(own.text(), long.text());
    }
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let short = server
        .helper("tmux-sesh")
        .args(["list".as_ref(), "-S".as_ref(), server.socket().as_os_str()])
        .args(["--columns", "name", "--no-header"])
        .ok();
    assert_eq!(short.line(), "one");
    let said = server.helper("tmux-sesh").args(["dance"]).said();
    assert_eq!(
        (said.code(), said.sentence().contains("dance")),
        (Some(2), true)
    );
    assert!(
        server
            .helper("tmux-sesh")
            .args(["--version"])
            .ok()
            .line()
            .starts_with("tmux-sesh ")
    );
}

#[test]
fn a_reader_that_hangs_up_is_no_error() {
    let server = Server::start();
    let note = "x".repeat(9_000);
    for at in 0..12 {
        server.new_sesh(["--note", &note, &format!("n{at}"), "--", "sleep", "1000"]);
    }
    // More than a pipe holds, to a reader that takes one byte and goes.
    let calls: [(&str, &[&str]); 3] = [
        ("sesh-list", &["--json"]),
        ("sesh-list", &["--columns", "note"]),
        (
            "sesh-set",
            &[
                "n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "--tag", "x", "--json",
            ],
        ),
    ];
    for (helper, args) in calls {
        let mut child = server
            .sesh(helper, args)
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a helper");
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("a byte");
        drop(stdout);
        let output = child.wait_with_output().expect("its end");
        assert_eq!(output.status.code(), Some(0), "{helper}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{helper}");
    }
}

#[test]
fn a_server_without_a_session_still_knows_its_seshes() {
    let server = Server::empty();
    let made = server.new_sesh(["one", "--", "echo", "last words"]);
    server.ended(made.uuid());
    server.shows(made.pane(), "[sesh: ");
    server.sesh("sesh-end", ["one"]).ok();
    assert_eq!(server.tmux(["list-sessions"]), "");
    let ended = server.record(made.uuid());
    assert_eq!((ended.state(), ended.code()), ("exited", Some(0)));
    assert_eq!(server.sesh("sesh-list", NONE).ok().text(), "");
    assert_eq!(
        server.sesh("pane-capture", ["one"]).ok().text(),
        "last words\n"
    );
    server.sesh("sesh-set", ["one", "--note", "x"]).ok();
    server.sesh("sesh-pane", ["--pane", made.pane()]).fails(3);
    server.sesh("sesh-end", ["--forget", "one"]).ok();
    server.sesh("sesh-list", ["one"]).fails(3);
}

#[test]
fn a_server_without_a_session_can_be_moved_into() {
    let server = Server::empty();
    let made = server.new_sesh(["--target", "work:logs", "one", "--", "sleep", "1000"]);
    assert_eq!(made.text("tmux/session"), "work");
}
