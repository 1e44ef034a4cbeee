//! What people type: each of these works, or its error says what to type instead.

use crate::support::{MAIN, Said, Screen, Server};

/// What becomes of a line.
enum Outcome {
    /// It works, and this is in what it prints.
    Works(&'static str),
    /// It fails with this exit code, and the sentence on stderr has this.
    Says(i32, &'static str),
}

use Outcome::{Says, Works};

/// From the list of reports (faults.md, I).
const REPORTED: [(&str, Outcome); 46] = [
    ("sesh-new --name n1 -- sleep 1000", Works("-")),
    (
        "sesh-new n2 sleep 5",
        Says(2, "a command goes after --: -- sleep 5"),
    ),
    (
        "sesh-new n3 -- 'echo hi; sleep 1'",
        Says(3, "-- sh -c 'echo hi; sleep 1'"),
    ),
    (
        "sesh-new n4 --agent claude 'fix the tests'",
        Says(2, "a first message goes behind --send"),
    ),
    (
        "sesh-new n5 --prompt 'fix it'",
        Says(2, "write --send TEXT"),
    ),
    (
        "sesh-new n6 --message 'fix it'",
        Says(2, "write --send TEXT"),
    ),
    (
        "sesh-new n7 --send 'echo an''swer' --reply",
        Works("answer"),
    ),
    ("sesh-new n8 --tags a,b", Says(2, "write --tag TAG")),
    ("sesh-new n9 --dir /tmp", Says(2, "write --cwd DIR")),
    ("sesh-new n10 -c /tmp", Says(2, "write --cwd DIR")),
    ("sesh-new -n n11", Says(2, "the name is the first argument")),
    ("sesh-restore", Says(2, "--last-alive")),
    ("sesh-list --state idle,waiting", Works("shell")),
    ("sesh-list --state waiting --state idle", Works("shell")),
    ("sesh-list --state failed --all", Works("broken")),
    ("sesh-list --columns name,age", Works("shell\t")),
    ("sesh-wait shell --timeout 10", Works("shell\tidle")),
    ("sesh-new n12 --ttl 500 -- sleep 1000", Works("-")),
    (
        "sesh-wait shell --for quiet=1 --timeout 15",
        Works("shell\tquiet"),
    ),
    ("sesh-wait over --for exited", Works("over\texit\t0")),
    (
        "sesh-wait over --for done",
        Says(2, "write exit (the process has ended) or turn"),
    ),
    (
        "sesh-wait over --for finished",
        Says(2, "write exit (the process has ended) or turn"),
    ),
    (
        "sesh-wait shell --for output 'ready'",
        Says(2, "write output=REGEX"),
    ),
    ("sesh-wait shell --for idle,waiting", Works("shell\tidle")),
    ("sesh-send --tag shells 'true'", Works("")),
    ("sesh-end --tag going", Works("")),
    ("pane-capture over --tail 20", Works("all done")),
    (
        "pane-capture over -f",
        Says(2, "sesh-wait --for output=REGEX"),
    ),
    ("pane-capture over -S -100", Says(2, "write --scrollback=N")),
    ("pane-capture over --scrollback 3", Works("all done")),
    ("sesh-pane $P", Works("shell")),
    ("sesh-pane shell", Works("shell")),
    ("pane-resolve $P", Says(3, "no agent runs in pane")),
    ("pane-resolve shell", Says(3, "no agent runs in pane")),
    ("sesh-end go1 --json", Works("\"ended\":true")),
    ("pane-keys shell --json Enter", Works("\"name\":\"shell\"")),
    ("sesh-gather -n 20 over", Works("all done")),
    ("sesh-wait shell --since start", Works("shell\tidle")),
    ("sesh-wait shell --since ''", Works("shell\tidle")),
    ("tmux-sesh ls", Works("shell")),
    ("tmux-sesh kill go2", Works("")),
    ("tmux-sesh attach shell --print", Works("tmux")),
    ("tmux-sesh capture over", Works("all done")),
    ("tmux-sesh help new", Works("Usage: sesh-new")),
    ("sesh-new face -- sleep 1000", Works("-")),
    (
        "sesh-new deadbeef -- sleep 1000 && sesh-end deadbeef",
        Works("-"),
    ),
];

/// What others type who know tmux, docker or an agent's command line.
const THOUGHT_UP: [(&str, Outcome); 45] = [
    (
        "sesh-new m1 --timeout 10 -- true",
        Says(2, "write --wait=DURATION"),
    ),
    (
        "sesh-new m2 --detach -- true",
        Says(2, "a new sesh is detached"),
    ),
    ("sesh-new m3 --attach", Says(2, "write --enter")),
    (
        "sesh-new m4 --agent claude --continue",
        Says(2, "arguments of the agent go after --"),
    ),
    ("sesh-new m5 -e A=1", Says(2, "write --env KEY=VALUE")),
    (
        "sesh-new m6 --split right",
        Says(2, "possible values: h, v"),
    ),
    ("sesh-new m7 --ttl soon", Says(2, "write 10 (seconds)")),
    ("sesh-new m8 --tag a,b", Says(2, "give several one by one")),
    (
        "sesh-new m9 -- sleep 1000 && sesh-set m9 --name cafe && sesh-end cafe",
        Works("-"),
    ),
    ("sesh-list -a", Says(2, "write --all")),
    ("sesh-list --busy", Says(2, "write --state STATE")),
    ("sesh-list waiting", Says(3, "--state waiting")),
    ("sesh-list --stat busy", Says(2, "write --state")),
    ("sesh-list --sort age", Says(2, "pipe it through sort")),
    (
        "sesh-list --columns NAME,STATE,WHERE",
        Works("shell\tidle\t"),
    ),
    ("sesh-list --tagged shells", Works("shell")),
    (
        "sesh-send -m hi shell",
        Says(2, "the message is the last argument"),
    ),
    ("sesh-send shell --interrupt hi", Says(2, "write --now")),
    ("sesh-send shell", Says(2, "give targets, then the message")),
    ("sesh-send --tagged shells true", Works("")),
    ("sesh-wait --until idle shell", Says(2, "write --for EVENT")),
    ("sesh-wait --idle shell", Says(2, "write --for EVENT")),
    ("sesh-wait --all", Says(2, "or --tag TAG for a set")),
    ("sesh-wait shell --for exit --timeout 0.2", Says(6, "")),
    (
        "sesh-wait shell --timeout soon",
        Says(2, "write 10 (seconds)"),
    ),
    ("sesh-wait shell --for ready", Says(2, "write idle")),
    ("sesh-wait over --for failed", Says(2, "--propagate")),
    ("sesh-wait shell --since now --timeout 0", Says(6, "")),
    (
        "pane-capture -t over",
        Says(2, "name the TARGET without it"),
    ),
    ("pane-capture over -p", Says(2, "the text is printed")),
    ("pane-capture over 20", Says(2, "-n 20")),
    ("pane-capture over -20", Says(2, "-n 20")),
    ("pane-keys shell -l text", Says(2, "write --literal TEXT")),
    ("sesh-end --all", Says(2, "--tag TAG")),
    ("sesh-end shell --force", Says(2, "write --kill")),
    (
        "sesh-set shell --rename other",
        Says(2, "write --name NAME"),
    ),
    (
        "sesh-adopt $P other",
        Says(2, "the name goes behind --name"),
    ),
    ("sesh-restore --all", Says(2, "write --last-alive")),
    ("sesh-hooks uninstall claude", Works("not installed")),
    ("tmux-sesh stop shell", Says(2, "write tmux-sesh end")),
    ("tmux-sesh attch shell", Says(2, "write tmux-sesh attach")),
    ("tmux-sesh lst", Says(2, "write tmux-sesh list")),
    ("tmux-sesh version", Says(2, "write tmux-sesh --version")),
    ("tmux-sesh xyzzy", Says(2, "tmux-sesh alone lists them")),
    ("tmux-sesh help kill", Works("Usage: sesh-end")),
];

/// Types a line at a shell in the user's pane.
fn typed(server: &Server, line: &str, pane: &str) -> Said {
    let session = server.format(&server.user_pane(), "#{session_id}");
    let tmux = format!(
        "{},{},{}",
        server.socket().display(),
        server.pid(),
        session.trim_start_matches('$')
    );
    server
        .call("/bin/sh".as_ref())
        .args(["-c", line])
        .env("TMUX", tmux)
        .env("TMUX_PANE", server.user_pane())
        .env("P", pane)
        .said()
}

#[test]
fn what_is_typed_works_or_says_what_to_type() {
    let server = Server::start();
    let shell = server.new_sesh(["shell", "--tag", "shells"]);
    for name in ["go1", "go2"] {
        server.new_sesh([name, "--tag", "going", "--", "sleep", "1000"]);
    }
    let tagged = server.new_sesh(["go3", "--tag", "going", "--", "sleep", "1000"]);
    server
        .sesh("sesh-set", ["go1", "go2", "--untag", "going"])
        .ok();
    let over = server.new_sesh(["over", "--", "echo", "all done"]);
    let broken = server.new_sesh(["broken", "--", "false"]);
    for sesh in [&over, &broken] {
        server.ended(sesh.uuid());
    }
    server.when("the shell is at its prompt", shell.uuid(), |it| {
        it.state() == "idle"
    });
    let _person = Screen::attach(&server, MAIN, (80, 20));
    let mut wrong = Vec::new();
    for (line, outcome) in REPORTED.iter().chain(&THOUGHT_UP) {
        let said = typed(&server, line, shell.pane());
        let right = match outcome {
            Works(prints) => said.code() == Some(0) && said.text().contains(prints),
            Says(code, sentence) => {
                let is_one_line = said.stderr.lines().count() == 1;
                said.code() == Some(*code) && is_one_line && said.stderr.contains(sentence)
            }
        };
        if !right {
            wrong.push(format!("{line}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(!server.has_pane(tagged.pane()), "sesh-end --tag ended it");
}

#[test]
fn a_guess_with_anything_in_it_stays_one_sentence() {
    let server = Server::start();
    for word in [
        "a\nb",
        "#(touch ran)",
        "$(touch ran)",
        "größe 🦀",
        "';x",
        &"y".repeat(10_000),
    ] {
        for (helper, args) in [
            ("sesh-new", vec!["n", word, "--flag"]),
            ("sesh-new", vec!["n", "sleep", word]),
            ("sesh-list", vec!["--busy", word]),
            ("pane-capture", vec!["n", word]),
            ("sesh-wait", vec!["n", "--for", word]),
            ("sesh-wait", vec!["n", "--timeout", word]),
        ] {
            let sentence = server.sesh(helper, &args).fails(2);
            assert!(sentence.len() < 1_000, "{} bytes: {helper}", sentence.len());
        }
        let program = server.sesh("sesh-new", ["n", "--", word]).said();
        assert_eq!(program.code(), Some(3), "{program}");
        assert!(program.sentence().len() < 1_000);
    }
    assert!(!server.path("ran").exists());
}

#[test]
fn a_number_is_a_value_unless_it_is_needed_as_a_target() {
    let server = Server::start();
    let three = server.new_sesh(["3", "--", "echo", "third"]);
    server.ended(three.uuid());
    let said = server.sesh("pane-capture", ["--scrollback", "3"]).ok();
    assert!(said.text().contains("third"), "{said}");
    let said = server.sesh("pane-capture", ["3", "--scrollback", "2"]).ok();
    assert!(said.text().contains("third"), "{said}");
    // It would be sent as the message otherwise.
    let sentence = server.sesh("sesh-send", ["3", "--wait", "10"]).fails(2);
    assert!(sentence.contains("no message"), "{sentence}");
}

#[test]
fn a_name_of_hex_digits_is_a_name() {
    let server = Server::start();
    let other = server.new_sesh(["other", "--", "sleep", "1000"]);
    let start = &other.uuid()[..4];
    assert_eq!(
        server
            .sesh("sesh-pane", [start])
            .ok()
            .text()
            .split('\t')
            .nth(1),
        Some("other")
    );
    let named = server.new_sesh([start, "--", "sleep", "1000"]);
    // The name comes first, and both ways to name the two are told.
    let said = server.sesh("sesh-pane", [start]).said();
    assert_eq!(
        (said.code(), said.text().starts_with(named.uuid())),
        (Some(0), true),
        "{said}"
    );
    let hint = format!("{} means the other", &other.uuid()[..8]);
    assert!(said.sentence().contains(&hint), "{said}");
    server.sesh("sesh-end", [named.uuid()]).ok();
    // An exited one of that name comes behind the start of a uuid.
    let said = server.sesh("sesh-pane", [start]).said();
    assert!(said.text().starts_with(other.uuid()), "{said}");
}

#[test]
fn what_was_changed_is_json_where_that_is_asked_for() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "sleep", "1000"]);
    let typed = server.sesh("pane-keys", ["one", "a", "--json"]).ok().json();
    let expected = serde_json::json!({"uuid": one.uuid(), "name": "one", "pane": one.pane()});
    assert_eq!(typed, expected);
    let user = server.user_pane();
    let typed = server.sesh("pane-keys", [&user, "a", "--json"]).ok().json();
    let expected = serde_json::json!({"uuid": null, "name": null, "pane": user});
    assert_eq!(typed, expected);
    server.runs(one.pane(), "sleep");
    let ended = server.sesh("sesh-end", ["one", "--json"]).ok().json();
    let expected = serde_json::json!([{
        "uuid": one.uuid(), "name": "one", "pane": one.pane(), "ended": true, "forgotten": false, "exit": 0,
        "message": null, "alive": [],
    }]);
    assert_eq!(ended, expected);
    let said = server.sesh("sesh-end", ["one", "--json"]).said();
    assert_eq!(
        (said.code(), &said.json()[0]["exit"]),
        (Some(4), &4.into()),
        "{said}"
    );
    assert!(
        said.json()[0]["message"]
            .as_str()
            .is_some_and(|it| it.contains("--forget"))
    );
    server.new_sesh(["lost", "--", "sleep", "1000"]);
    server.dies();
    server.starts_again();
    let dismissed = server
        .sesh("sesh-restore", ["--dismiss", "--json"])
        .ok()
        .only();
    assert_eq!(dismissed.name(), "lost");
    for (action, change) in [
        ("install", "installed"),
        ("install", "none"),
        ("remove", "removed"),
    ] {
        let made = server
            .helper("sesh-hooks")
            .args([action, "claude", "--json"])
            .ok()
            .json();
        assert_eq!(
            (&made[0]["agent"], &made[0]["change"]),
            (&"claude".into(), &change.into())
        );
    }
}

#[test]
fn a_set_is_selected_by_its_tag_and_the_sender_is_left_out() {
    let server = Server::start();
    let [one, two] = ["one", "two"].map(|name| server.new_sesh([name, "--tag", "set"]));
    for sesh in [&one, &two] {
        server.when("it is at its prompt", sesh.uuid(), |it| {
            it.state() == "idle"
        });
    }
    let said = server
        .inside(
            one.pane(),
            "sesh-send",
            ["--tag", "set", "echo told", "--json"],
        )
        .ok();
    let told: serde_json::Value = serde_json::from_str(said.line()).expect("one line");
    assert_eq!(told["uuid"], two.uuid());
    server.shows(two.pane(), "told");
    assert!(!server.screen(one.pane()).contains("told"));
    let sentence = server
        .inside(one.pane(), "sesh-send", ["two", "--tag", "none", "x"])
        .fails(3);
    assert!(sentence.contains("sesh-list --all --tags"), "{sentence}");
    let sentence = server.sesh("sesh-send", ["--tag", "set"]).fails(2);
    assert!(sentence.contains("no message"), "{sentence}");
    server.sesh("sesh-end", ["--tag", "none"]).fails(3);
    server.sesh("sesh-end", ["--tag", "set"]).ok();
    assert!(!server.has_pane(one.pane()) && !server.has_pane(two.pane()));
    // Those that have exited are a set too, for what can be done with them.
    server.sesh("sesh-end", ["--forget", "--tag", "set"]).ok();
    assert_eq!(server.sesh("sesh-list", ["--all"]).ok().text(), "");
}
