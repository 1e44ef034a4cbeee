//! `sesh-gather`: what came of a set.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{MAIN, NONE, Record, Server, until};

/// A sesh of the set that runs a script.
fn run(server: &Server, name: &str, script: &str) -> Record {
    server.new_sesh([name, "--tag", "set", "--", "sh", "-c", script])
}

#[track_caller]
fn gathered(server: &Server, args: &[&str]) -> Vec<Value> {
    let said = server.sesh("sesh-gather", ["--json"]).args(args).ok();
    said.json().as_array().expect("a list").clone()
}

fn names(gathered: &[Value]) -> Vec<&str> {
    gathered
        .iter()
        .map(|one| one["name"].as_str().expect("a name"))
        .collect()
}

fn lines(from: u32, to: u32) -> Value {
    json!(
        (from..=to)
            .map(|at| at.to_string())
            .collect::<Vec<String>>()
    )
}

#[test]
fn a_reader_that_goes_leaves_nothing_unended() {
    let server = Server::start();
    for name in ["one", "two", "three"] {
        let sesh = server.new_sesh([name, "--tag", "all", "--", "sleep", "1000"]);
        server.runs(sesh.pane(), "sleep");
    }
    let gather = server.sesh("sesh-gather", ["--tag", "all", "--end"]);
    assert_eq!(gather.unread(), Some(0));
    let all = server.sesh("sesh-list", ["--all", "--json"]).ok();
    let states: Vec<String> = all.records().iter().map(|it| it.state().into()).collect();
    assert_eq!(states, ["exited"; 3]);
}

#[test]
fn how_each_stands_and_all_that_it_printed() {
    let server = Server::start();
    let fine = run(&server, "fine", "seq 1 500");
    let failed = run(
        &server,
        "failed",
        "printf 'größe; $x #(y) \\044(touch z)\\n\\n'; exit 3",
    );
    let killed = run(&server, "killed", "echo dying; kill -9 $$");
    let busy = run(&server, "busy", "echo hello; exec sleep 1000");
    server.new_sesh(["other", "--tag", "settled", "--", "echo", "no"]);
    server.shows(busy.pane(), "hello");
    for ended in [&fine, &failed, &killed] {
        server.ended(ended.uuid());
    }
    let all = gathered(&server, &["--tag", "set"]);
    assert_eq!(names(&all), ["fine", "failed", "killed", "busy"]);
    let [one, two, three, four] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(one["lines"], lines(1, 500));
    assert_eq!(
        (&one["state"], &one["exit"]["code"]),
        (&json!("exited"), &json!(0))
    );
    assert_eq!(
        (&one["truncated"], &one["pane"]),
        (&json!(false), &json!(fine.pane()))
    );
    assert_eq!(one["tags"], json!(["set"]));
    assert_eq!(two["lines"], json!(["größe; $x #(y) $(touch z)"]));
    assert_eq!(two["exit"]["code"], 3);
    assert_eq!(
        (&three["exit"]["code"], &three["exit"]["signal"]),
        (&Value::Null, &json!(9))
    );
    assert_eq!(three["lines"], json!(["dying"]));
    assert_eq!(
        (&four["state"], &four["exit"]),
        (&json!("busy"), &Value::Null)
    );
    assert_eq!(four["lines"], json!(["hello"]));
    for one in &all {
        assert!(
            one["duration"].as_u64().is_some_and(|took| took < 1000),
            "{one}"
        );
    }
    // For people: a header and the text.
    let said = server.sesh("sesh-gather", ["failed", "busy"]).ok();
    let text = said.lines();
    assert!(text[0].starts_with("==> failed, exited 3, "), "{said}");
    assert_eq!(text[1..3], ["größe; $x #(y) $(touch z)", ""]);
    assert!(text[3].starts_with("==> busy, busy, "), "{said}");
    assert_eq!(text[4..], ["hello"]);
    assert!(!server.path("z").exists());
}

#[test]
fn which_are_the_set() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--tag", "a", "--tag", "b", "--", "echo", "1"]);
    let two = server.new_sesh(["two", "--tag", "a", "--", "echo", "2"]);
    let three = server.new_sesh(["three", "--tag", "c", "--", "echo", "3"]);
    for sesh in [&one, &two, &three] {
        server.ended(sesh.uuid());
    }
    let of = |args: &[&str]| -> Vec<String> {
        names(&gathered(&server, args))
            .into_iter()
            .map(Into::into)
            .collect()
    };
    assert_eq!(of(&["--tag", "a"]), ["one", "two"]);
    // Several tags: those that have all of them. Targets come on top, each once.
    assert_eq!(of(&["--tag", "a", "--tag", "b"]), ["one"]);
    assert_eq!(
        of(&["three", "--tag", "a", "--tag", "b", three.uuid(), "one"]),
        ["one", "three"]
    );
    assert_eq!(of(&[three.pane()]), ["three"]);
    server.sesh("sesh-gather", NONE).fails(2);
    server.sesh("sesh-gather", ["--tag", ""]).fails(2);
    server
        .sesh("sesh-gather", ["--tag", "a", "--kill"])
        .fails(2);
    server.sesh("sesh-gather", ["--tag", "a b"]).fails(2);
    server.sesh("sesh-gather", ["--tag", "none"]).fails(3);
    server
        .sesh("sesh-gather", ["--tag", "a", "--tag", "c"])
        .fails(3);
    server
        .sesh("sesh-gather", ["--tag", "a", "nobody"])
        .fails(3);
    server.sesh("sesh-gather", ["#(touch x)"]).fails(3);
    let user = server.user_pane();
    server.sesh("sesh-gather", [&user]).fails(3);
    assert!(!server.path("x").exists());
}

#[test]
fn the_exit_code_of_the_set() {
    let server = Server::start();
    let fine = run(&server, "fine", "true");
    server.ended(fine.uuid());
    let call = |args: &[&str]| server.sesh("sesh-gather", args).said().code();
    assert_eq!(call(&["--tag", "set", "--propagate"]), Some(0));
    let busy = run(&server, "busy", "exec sleep 1000");
    assert_eq!(call(&["--tag", "set", "--propagate"]), Some(0));
    let failed = run(&server, "failed", "exit 3");
    server.ended(failed.uuid());
    assert_eq!(call(&["--tag", "set"]), Some(0));
    assert_eq!(call(&["--tag", "set", "--propagate"]), Some(1));
    assert_eq!(call(&["fine", "--propagate"]), Some(0));
    server.tmux(["kill-pane", "-t", busy.pane()]);
    server.ended(busy.uuid());
    assert_eq!(call(&["busy", "--propagate"]), Some(1));
}

#[test]
fn of_a_pane_that_is_gone_the_last_lines() {
    let server = Server::start();
    let gone = run(&server, "gone", "seq 1 300");
    let held = run(&server, "held", "echo held");
    for sesh in [&gone, &held] {
        server.ended(sesh.uuid());
    }
    server.sesh("sesh-end", ["gone"]).ok();
    let user = server.user_pane();
    server
        .sesh("sesh-adopt", [&user, "--name", "theirs", "--tag", "set"])
        .ok();
    server.tmux(["new-session", "-d", "-s", "another", "cat"]);
    server.tmux(["kill-pane", "-t", &user]);
    server.sesh("sesh-reap", NONE).ok();
    let all = gathered(&server, &["--tag", "set"]);
    let by = |name: &str| all.iter().find(|one| one["name"] == name).expect("it");
    assert_eq!(
        (&by("gone")["truncated"], &by("gone")["pane"]),
        (&json!(true), &Value::Null)
    );
    let kept = by("gone")["lines"].as_array().expect("lines");
    let first = 301 - u32::try_from(kept.len()).expect("a number");
    assert_eq!(by("gone")["lines"], lines(first, 300));
    assert!((2..=201).contains(&first), "{first}");
    assert_eq!(
        (&by("held")["truncated"], &by("held")["lines"]),
        (&json!(false), &json!(["held"]))
    );
    // Nobody kept its lines.
    assert_eq!(by("theirs")["lines"], Value::Null);
    assert_eq!(by("theirs")["state"], "exited");
    // Without any session too.
    server.tmux(["set-option", "-s", "exit-empty", "off"]);
    for session in server.panes("#{session_id}") {
        server.try_tmux(["kill-session", "-t", &session]);
    }
    until("the last pane has ended", || {
        server.sesh("sesh-list", ["held", "--json"]).ok().only().0["tmux"].is_null()
    });
    let all = gathered(&server, &["--tag", "set"]);
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one["pane"].is_null()));
}

#[test]
fn a_history_that_lost_lines_says_so() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "history-limit", "100"]);
    let long = run(&server, "long", "seq 1 1000");
    let short = run(&server, "short", "seq 1 20");
    for sesh in [&long, &short] {
        server.ended(sesh.uuid());
    }
    let all = gathered(&server, &["--tag", "set"]);
    assert_eq!(
        (&all[0]["truncated"], &all[1]["truncated"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        all[0]["lines"].as_array().and_then(|lines| lines.last()),
        Some(&json!("1000"))
    );
    assert_eq!(all[1]["lines"], lines(1, 20));
}

#[test]
fn a_full_screen_program_is_its_screen() {
    let server = Server::start();
    let full = run(
        &server,
        "full",
        "seq 1 100; printf '\\033[?1049h\\033[HFULL\\n'; exec sleep 1000",
    );
    server.shows(full.pane(), "FULL");
    let all = gathered(&server, &["full"]);
    assert_eq!(
        (&all[0]["alternate"], &all[0]["lines"]),
        (&json!(true), &json!(["FULL"]))
    );
}

#[test]
fn then_they_are_ended() {
    let server = Server::start();
    let fine = run(&server, "fine", "echo fine");
    let busy = run(&server, "busy", "echo hello; exec sleep 1000");
    let other = server.new_sesh(["other", "--", "sleep", "1000"]);
    server.ended(fine.uuid());
    server.shows(busy.pane(), "hello");
    let before = server.tmux(["show-environment", "-gh"]);
    let all = gathered(&server, &["--tag", "set", "--end"]);
    assert_eq!(
        (&all[0]["lines"], &all[1]["lines"]),
        (&json!(["fine"]), &json!(["hello"]))
    );
    for sesh in [&fine, &busy] {
        assert!(!server.has_pane(sesh.pane()));
        assert_eq!(server.record(sesh.uuid()).state(), "exited");
    }
    assert!(server.has_pane(other.pane()));
    // Again: what is left of them, and it stays.
    let again = gathered(&server, &["--tag", "set", "--end"]);
    assert_eq!(again.len(), 2);
    let left = again.iter().find(|one| one["name"] == "busy").expect("it");
    assert_eq!(left["lines"], json!(["hello"]));
    gathered(&server, &["--tag", "set", "--forget"]);
    server.sesh("sesh-gather", ["--tag", "set"]).fails(3);
    let after = server.tmux(["show-environment", "-gh"]);
    assert!(!after.contains("SESH_tail_"), "{before}\n{after}");
    for sesh in [&fine, &busy] {
        assert!(!server.tmux(["show-options", "-s"]).contains(sesh.uuid()));
    }
}

#[test]
fn what_was_not_read_is_not_ended() {
    let server = Server::start();
    let user = server.user_pane();
    let adopted = server
        .sesh("sesh-adopt", [&user, "--name", "theirs", "--json"])
        .ok()
        .record();
    server.tmux(["new-session", "-d", "-s", "another", "cat"]);
    server.tmux(["kill-pane", "-t", &user]);
    server.sesh("sesh-reap", NONE).ok();
    let all = gathered(&server, &["theirs", "--forget"]);
    assert_eq!(all[0]["lines"], Value::Null);
    assert_eq!(server.record(adopted.uuid()).state(), "exited");
}

#[test]
fn one_that_stays_alive_is_said() {
    let server = Server::start();
    let busy = run(
        &server,
        "busy",
        "trap '' HUP TERM; echo ready; while :; do sleep 1; done",
    );
    server.shows(busy.pane(), "ready");
    let said = server
        .sesh(
            "sesh-gather",
            ["busy", "--json", "--end", "--timeout", "200ms"],
        )
        .said();
    assert_eq!(said.code(), Some(6));
    assert_eq!(said.json()[0]["lines"], json!(["ready"]));
    assert!(said.sentence().contains("busy is still alive"), "{said}");
    gathered(&server, &["busy", "--end", "--kill", "--timeout", "200ms"]);
    assert!(!server.has_pane(busy.pane()));
}

#[test]
fn a_large_set_is_two_questions() {
    let server = Server::start();
    let count = 40;
    let script = "for at in $(seq 1 40); do echo line $at; done";
    let all: Vec<Record> = (0..count)
        .map(|at| {
            server
                .sesh("sesh-new", ["--json", "--tag", "set", "--target", "many"])
                .args([format!("n-{at}")])
                .args(["--", "sh", "-c", script])
                .ok()
                .record()
        })
        .collect();
    for sesh in &all {
        server.ended(sesh.uuid());
    }
    server.count_tmux();
    let said = server
        .sesh("sesh-gather", ["--tag", "set", "--json"])
        .env("SESH_CLIENT", "tmux")
        .ok();
    assert_eq!(server.tmux_calls(), 2);
    let read = said.json();
    let read = read.as_array().expect("a list");
    assert_eq!(read.len(), count);
    for one in read {
        assert_eq!(one["lines"].as_array().map(Vec::len), Some(40), "{one}");
    }
    // By their names: a condition for each.
    let names: Vec<String> = (0..count).map(|at| format!("n-{at}")).collect();
    let by_name = server
        .sesh("sesh-gather", ["--json"])
        .args(&names)
        .ok()
        .json();
    assert_eq!(by_name.as_array().map(Vec::len), Some(count));
    // A session group shows each window twice; each sesh is read once.
    server.tmux(["new-session", "-d", "-t", "=many", "-s", "twin"]);
    assert_eq!(gathered(&server, &["--tag", "set"]).len(), count);
}

#[test]
fn panes_that_die_meanwhile_harm_nothing() {
    let server = Server::start();
    for at in 0..8 {
        run(&server, &format!("n-{at}"), "while :; do echo again; done");
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..8 {
                server.sesh("sesh-end", [format!("n-{at}")]).ok();
            }
        });
        for _ in 0..15 {
            let all = gathered(&server, &["--tag", "set"]);
            assert_eq!(all.len(), 8);
            for one in all {
                let lines = one["lines"].as_array().cloned().unwrap_or_default();
                assert!(
                    lines
                        .iter()
                        .all(|line| "again".starts_with(line.as_str().expect("a line")))
                );
            }
        }
    });
}

#[test]
fn two_that_gather_and_end_at_once() {
    let server = Server::start();
    for at in 0..6 {
        run(&server, &format!("n-{at}"), "exec sleep 1000");
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| gathered(&server, &["--tag", "set", "--end"]));
        }
    });
    assert_eq!(server.panes("#{@sesh_name}"), [""]);
}

#[test]
fn without_a_server() {
    let server = Server::start();
    let nowhere = server.path("nowhere");
    server
        .helper("sesh-gather")
        .args([
            "-S".as_ref(),
            nowhere.as_os_str(),
            "--tag".as_ref(),
            "set".as_ref(),
        ])
        .fails(69);
    assert!(server.has_pane(&server.format(MAIN, "#{pane_id}")));
}
