//! What the helpers print, whole: help, tables, errors and findings. `INSTA_UPDATE=always` writes the files anew.

use insta::{Settings, assert_snapshot};
use tmux_sesh::cli::TOOLS;

use crate::support::{MAIN, NONE, Server};

/// The settings of all snapshots: what differs from run to run is replaced.
fn settings(server: &Server) -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let folder = server.folder().display().to_string();
    settings.add_filter(&folder, "[folder]");
    let helpers = crate::support::helpers().display().to_string();
    settings.add_filter(&helpers, "[helpers]");
    settings.add_filter(
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[uuid]",
    );
    settings.add_filter(r"\b1[0-9]{9}\b", "[time]");
    // In a table it fills its column with blanks.
    settings.add_filter(r"\b[0-9]+s\b {2,}", "[age]  ");
    settings.add_filter(r"\b[0-9]+s\b", "[age]");
    settings.add_filter(r"(pid|server|process|KILL|CONT|USR1) [0-9]+", "$1 [pid]");
    settings.add_filter(r"tmux (next-)?[0-9]+\.[0-9]+[a-z]?", "tmux [version]");
    settings.add_filter(env!("CARGO_PKG_VERSION"), "[our version]");
    settings
}

#[test]
fn helps() {
    let server = Server::empty();
    settings(&server).bind(|| {
        for tool in TOOLS {
            let help = server.helper(tool.name).args(["--help"]).ok();
            assert_snapshot!(format!("help-{}", tool.name), help.text());
        }
        assert_snapshot!("help-tmux-sesh", server.helper("tmux-sesh").ok().text());
    });
}

/// A terminal of 80 columns, and a narrow one, break no word.
#[test]
fn helps_fit_a_terminal() {
    let server = Server::empty();
    for width in [80, 50] {
        for tool in TOOLS {
            let help = server.helper(tool.name).args(["--help"]);
            let help = help.env("COLUMNS", width.to_string()).ok();
            let (text, examples) = help.text().split_once("Examples:").expect("examples");
            let is_long = |line: &&str| line.chars().count() > width && line.trim().contains(' ');
            // clap does not wrap the line of the usage.
            let lines = text.lines().filter(|line| !line.starts_with("Usage:"));
            let long: Vec<&str> = lines.filter(is_long).collect();
            assert!(long.is_empty(), "{}: {long:#?}", tool.name);
            assert!(examples.lines().all(|line| line.chars().count() <= 80));
        }
    }
}

/// Two commands that have exited, one that runs and a shell, all in windows of one session.
fn scene() -> Server {
    let server = Server::start();
    let sesh = |words: &[&str]| server.new_sesh([&["--target", MAIN], words].concat());
    for (name, line) in [
        ("tests", "echo 3 passed"),
        ("lint", "echo 1 warning; exit 2"),
    ] {
        let made = sesh(&[name, "--tag", "ci", "--", "sh", "-c", line]);
        server.ended(made.uuid());
    }
    sesh(&["build", "--note", "takes an hour", "--", "sleep", "1000"]);
    let old = sesh(&["old", "--", "echo", "hello"]);
    server.ended(old.uuid());
    server.sesh("sesh-end", ["old"]).ok();
    server
}

#[test]
fn tables() {
    let server = scene();
    let calls: [(&str, &str, &[&str]); 10] = [
        ("list", "sesh-list", &[]),
        ("list-exited", "sesh-list", &["old"]),
        ("list-tags", "sesh-list", &["--tags"]),
        (
            "list-columns",
            "sesh-list",
            &["--columns", "name,state,exit"],
        ),
        ("list-json", "sesh-list", &["--json", "tests"]),
        ("gather", "sesh-gather", &["--tag", "ci"]),
        ("gather-json", "sesh-gather", &["--tag", "ci", "--json"]),
        ("explain", "sesh-explain", &["build"]),
        ("explain-exited", "sesh-explain", &["lint"]),
        ("wait", "sesh-wait", &["lint", "--for", "exit"]),
    ];
    let mut settings = settings(&server);
    settings.add_filter(r#""machine":"[^"]*""#, r#""machine":"[machine]""#);
    settings.add_filter(r#""duration":[0-9]+"#, r#""duration":[seconds]"#);
    settings.add_filter("c1[.][A-Za-z0-9_-]+", "[cursor]");
    settings.bind(|| {
        for (name, helper, args) in calls {
            assert_snapshot!(name, server.sesh(helper, args).ok().text());
        }
        let status = server.helper("sesh-hooks").args(["status"]).ok();
        assert_snapshot!("hooks-status", status.text());
    });
}

/// What goes wrong every day: the words of a command line, each with how it is called.
const ERRORS: [&[&str]; 43] = [
    &["sesh-new", "build"],
    &["sesh-new", "a:b"],
    &["sesh-new", "x", "--cwd", "/no/such/folder"],
    &["sesh-new", "x", "--", "no-such-program"],
    &["sesh-new", "x", "--split", "h"],
    &["sesh-new", "x", "--agent", "nobody"],
    &["sesh-new", "x", "--ttl", "0s"],
    &["sesh-new", "x", "--tags", "ci"],
    &["sesh-new", "x", "--send", ""],
    &["sesh-new", "x", "--target", ":1"],
    &["sesh-adopt", "build"],
    &["sesh-adopt", "%1"],
    &["sesh-adopt", "%99"],
    &["sesh-list", "nothing"],
    &["sesh-list", "--state", "idel"],
    &["sesh-list", "--columns", "nmae"],
    &["sesh-list", "--mine"],
    &["sesh-set", "build", "tests", "--name", "x"],
    &["sesh-set", "build", "--name", "%x"],
    &["sesh-set", "build", "--tag", "a b"],
    &["sesh-set", "build", "--meta", "x"],
    &["sesh-set", "build"],
    &["sesh-set", "--tagged", "nothing", "--note", "x"],
    &["sesh-end", "nothing"],
    &["sesh-end", ""],
    &["sesh-end", "old"],
    &["sesh-restore", "build"],
    &["sesh-gather", "--tag", "nothing"],
    &["sesh-send", "build", "hello"],
    &["sesh-send", "build"],
    &["sesh-send", "please", "fix", "the", "build"],
    &["sesh-pane", "--pane", "%0"],
    &["sesh-pane", "--pane", "3"],
    &["sesh-pane"],
    &["sesh-enter", "build"],
    &["sesh-enter", "--next"],
    &["sesh-wait", "build", "--for", "exit", "--timeout", "0s"],
    &["sesh-wait", "old", "--for", "idle"],
    &["sesh-wait", "build", "--since", "yesterday"],
    &["pane-capture", "%99"],
    &["pane-keys", "build", "Entr"],
    &["pane-keys", "old", "Enter"],
    &["pane-resolve", "--pane", "%0"],
];

#[test]
fn errors() {
    let server = scene();
    let mut text = String::new();
    for words in ERRORS {
        let said = server.sesh(words[0], &words[1..]).said();
        let code = said.code().unwrap_or(-1);
        let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        text += &format!("$ {}\n{}[exit {code}]\n", words.join(" "), said.stderr);
        assert!(code != 0 && said.stdout.is_empty(), "{said}");
    }
    let mut settings = settings(&server);
    settings.add_filter("(no program [^ ]+ in) .*", "$1 [PATH]");
    settings.bind(|| assert_snapshot!("errors", text));
}

#[test]
fn findings() {
    let server = scene();
    let said = server.sesh("sesh-doctor", NONE).said();
    let mut settings = settings(&server);
    // What this tmux and the rights of the folder of this run bring along.
    settings.add_filter(r"(?m)^note  (tmux|permissions) .*\n +→ .*\n", "");
    settings.add_filter(r"/tmp%.*jsonl", "/[journal]");
    settings.add_filter(r"\b[0-9]+ bytes", "[size]");
    settings.bind(|| assert_snapshot!("doctor", said.text()));
}
