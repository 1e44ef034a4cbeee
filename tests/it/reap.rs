//! What is stored follows what is: `sesh-reap`, and the count of a pane after every change.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{
    Gate, MAIN, NONE, Play, Record, Relay, Said, Screen, Server, Victim, count, until,
};

/// Sets the hook that counts a pane to one that counts how often it was run.
fn count_the_counts(server: &Server) {
    let counting = "set-environment -ghF SESH_ran '#{e|+:#{SESH_ran},1}'";
    server.tmux(["set-hook", "-g", "after-set-hook[8801]", counting]);
    // It counted that it was set.
    server.tmux(["set-environment", "-ghu", "SESH_ran"]);
}

/// How often they were run.
fn ran(server: &Server) -> u32 {
    let ran = server.tmux(["display-message", "-p", "#{SESH_ran}"]);
    ran.trim_end().parse().unwrap_or(0)
}

#[test]
fn a_pane_is_counted_after_every_change() {
    let server = Server::start();
    let user = server.user_pane();
    count_the_counts(&server);
    let counted = |what: &str, act: &dyn Fn()| {
        let before = ran(&server);
        act();
        until(&format!("the pane is counted after {what}"), || {
            ran(&server) > before
        });
    };
    let helper = |helper: &str, args: &[&str]| {
        server.sesh(helper, args).ok();
    };
    for place in ["--session", "--window", "--split=v"] {
        counted(&format!("a birth with {place}"), &|| {
            server
                .inside(&user, "sesh-new", [place, "--no-launch", "--", "true"])
                .ok();
        });
    }
    let made = server.new_sesh(["one", "--no-launch", "--", "sleep", "1000"]);
    counted("its start", &|| {
        server.shows(made.pane(), "Enter starts");
        helper("pane-keys", &["one", "Enter"]);
    });
    server.runs(made.pane(), "sleep");
    counted("a rename", &|| {
        helper("sesh-set", &["one", "--name", "two"]);
    });
    counted("putting away", &|| {
        helper("sesh-set", &["two", "--archive"]);
    });
    counted("taking out", &|| {
        helper("sesh-set", &["two", "--unarchive"]);
    });
    counted("its end", &|| helper("pane-keys", &["two", "C-c"]));
    server.ended(made.uuid());
    let shell = server.session((80, 20), &["-s", "shell", "sh", "-i"]);
    server.runs(&shell, "sh");
    counted("an adoption", &|| {
        helper("sesh-adopt", &[&shell, "--name", "three"]);
    });
    counted("letting it go", &|| helper("sesh-end", &["three"]));
}

#[test]
fn what_changes_nothing_is_not_counted() {
    let server = Server::start();
    server.new_sesh(["one", "--tag", "x", "--", "sleep", "1000"]);
    count_the_counts(&server);
    server.sesh("sesh-set", ["one", "--tag", "x"]).ok();
    server.sesh("sesh-list", ["--all"]).ok();
    // What comes later in the same queue has run: so would they have.
    server.sesh("sesh-set", ["one", "--tag", "y"]).ok();
    until("the pane is counted", || ran(&server) > 0);
    assert_eq!(ran(&server), 1);
}

/// What a reconciliation changed: a word a change, and whom it was about.
#[track_caller]
fn reap(server: &Server) -> Vec<(String, String)> {
    changes(&server.sesh("sesh-reap", ["--json"]).ok())
}

/// What one printed.
fn changes(said: &Said) -> Vec<(String, String)> {
    let changes = said.json();
    let text = |change: &Value, field: &str| change[field].as_str().unwrap_or("").to_string();
    let mut words: Vec<(String, String)> = changes
        .as_array()
        .expect("a list")
        .iter()
        .map(|change| (text(change, "change"), text(change, "name")))
        .collect();
    words.sort();
    words
}

/// What one finds that changes one thing.
fn one(change: &str, name: &str) -> Vec<(String, String)> {
    vec![(change.into(), name.into())]
}

/// A pane's option as it is stored.
fn stored(server: &Server, pane: &str, option: &str) -> String {
    server.format(pane, &format!("#{{{option}}}"))
}

/// The book of a sesh.
fn book(server: &Server, uuid: &str) -> String {
    let name = format!("@seshbook_{uuid}");
    server
        .tmux(["show-options", "-sqv", &name])
        .trim_end()
        .into()
}

fn first_process(server: &Server, pane: &str) -> Pid {
    Pid::from_raw(server.format(pane, "#{pane_pid}").parse().expect("a pid"))
}

/// Ends the process of a pane before it can say anything.
#[track_caller]
fn kill_first_process(server: &Server, pane: &str) {
    kill(first_process(server, pane), Signal::SIGKILL).expect("it can be killed");
}

/// A sesh whose command holds out until it gets a signal.
fn sleeper(server: &Server, name: &str) -> Record {
    let made = server.new_sesh([name, "--", "sleep", "1000"]);
    server.runs(made.pane(), "sleep");
    made
}

/// A sesh whose command holds out when its terminal goes.
fn stubborn(server: &Server) -> (Record, Victim) {
    let script = "trap '' HUP; echo $$ >pid.new; mv pid.new pid; until test -e go; do sleep 0.01; done; exit 9";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    (made, Victim::written(server, "pid"))
}

/// Lets it end, and waits until its runner has written that down.
#[track_caller]
fn let_go(server: &Server, made: &Record, command: &Victim) {
    std::fs::write(server.path("go"), "").expect("a file");
    let ended = server.when("its end is written down", made.uuid(), |it| {
        it.code().is_some()
    });
    assert_eq!(ended.code(), Some(9));
    assert!(!command.alive());
}

/// A pane of the user's that is a sesh, with what runs in it.
fn adopted(server: &Server, name: &str, argv: &[&str]) -> Record {
    let pane = server.session((80, 24), argv);
    server.runs(&pane, argv[0]);
    server
        .sesh("sesh-adopt", [&pane, "--name", name, "--json"])
        .ok()
        .record()
}

#[test]
fn a_shells_state_is_written_both_ways() {
    let server = Server::start();
    let made = server.new_sesh(["made"]);
    let shell = adopted(&server, "adopted", &["sh", "-i"]);
    until("both shells are at their prompts", || {
        server.record(made.uuid()).state() == "idle"
            && server.record(shell.uuid()).state() == "idle"
    });
    // What the adopted one does was recorded with it.
    assert_eq!(reap(&server), []);
    for sesh in [&made, &shell] {
        let pane = sesh.pane();
        let born: u64 = stored(&server, pane, "@sesh_gen")
            .parse()
            .expect("a number");
        for (round, (keys, state)) in [("sleep 1000", "busy"), ("C-c", "idle")]
            .into_iter()
            .enumerate()
        {
            server.tmux(["send-keys", "-t", pane, keys, "Enter"]);
            server.when("its state changes", sesh.uuid(), |it| it.state() == state);
            assert_eq!(reap(&server), one("state", sesh.name()));
            assert_eq!(
                server.format(pane, "#{@sesh_state} #{@sesh_by} #{@sesh_gen}"),
                format!("{state} process {}", born + 1 + round as u64)
            );
            assert!(book(&server, sesh.uuid()).contains(&format!(",state={state},")));
            // What is written down does not hide what is so.
            assert_eq!(server.record(sesh.uuid()).state(), state);
            assert_eq!(reap(&server), []);
        }
    }
}

#[test]
fn a_runner_that_was_killed_gets_its_end_written_down() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    kill_first_process(&server, made.pane());
    until("its pane goes", || !server.has_pane(made.pane()));
    assert!(server.record(made.uuid()).get("exit").is_null());
    assert_eq!(reap(&server), one("ended", "one"));
    let ended = server.record(made.uuid());
    assert_eq!((ended.code(), ended.signal()), (None, None));
    assert!(ended.get("exit/at").as_u64() >= made.get("createdAt").as_u64());
    assert_eq!(reap(&server), []);
    let table = server.sesh("sesh-list", ["one"]).ok();
    assert!(table.text().contains("exited ?"), "{table}");
}

#[test]
fn only_the_ends_of_closed_panes_are_written_where_that_is_asked_for() {
    let server = Server::start();
    let closed = |server: &Server| {
        let said = server.sesh("sesh-reap", ["--closed", "--json"]).ok();
        said.json().as_array().map(Vec::len)
    };
    let made = sleeper(&server, "one");
    let shell = adopted(&server, "two", &["cat", "-"]);
    kill_first_process(&server, made.pane());
    until("its pane goes", || !server.has_pane(made.pane()));
    assert_eq!(closed(&server), Some(1));
    assert_eq!(server.record(made.uuid()).state(), "exited");
    assert_eq!(closed(&server), Some(0));
    // Another state is for the next full one.
    let unknown = ["-p", "-t", shell.pane(), "@sesh_state", "unknown"];
    server.tmux(std::iter::once("set-option").chain(unknown));
    assert_eq!(closed(&server), Some(0));
    assert_eq!(stored(&server, shell.pane(), "@sesh_state"), "unknown");
    assert_eq!(reap(&server), one("state", "two"));
    // One that wants more meanwhile gets it.
    server.tmux([
        "set-option",
        "-p",
        "-t",
        shell.pane(),
        "@sesh_state",
        "idle",
    ]);
    server.tmux(["set-environment", "-gh", "SESH_reap_again", "1"]);
    assert_eq!(closed(&server), Some(1));
    assert_eq!(stored(&server, shell.pane(), "@sesh_state"), "busy");
}

#[test]
fn an_adopted_pane_that_was_closed_has_ended() {
    let server = Server::start();
    let shell = adopted(&server, "one", &["cat", "-"]);
    assert_eq!(reap(&server), []);
    server.tmux(["kill-pane", "-t", shell.pane()]);
    assert_eq!(reap(&server), one("ended", "one"));
    assert_eq!(reap(&server), []);
}

#[test]
fn what_outlives_its_pane_has_not_ended() {
    let server = Server::start();
    let (made, command) = stubborn(&server);
    server.tmux(["kill-pane", "-t", made.pane()]);
    assert_eq!(reap(&server), []);
    let_go(&server, &made, &command);
    assert_eq!(reap(&server), []);
}

#[test]
fn panes_that_are_kept_dead_have_ended() {
    let server = Server::start();
    let made = sleeper(&server, "made");
    let cat = adopted(&server, "cat", &["cat", "-"]);
    let shell = adopted(&server, "shell", &["sh", "-i"]);
    until("the shell is at its prompt", || {
        server.record(shell.uuid()).state() == "idle"
    });
    reap(&server);
    for sesh in [&made, &cat, &shell] {
        server.tmux([
            "set-option",
            "-p",
            "-t",
            sesh.pane(),
            "remain-on-exit",
            "on",
        ]);
    }
    kill_first_process(&server, made.pane());
    kill_first_process(&server, cat.pane());
    server.tmux(["send-keys", "-t", shell.pane(), "exit 3", "Enter"]);
    until("all are dead", || {
        // Debian's tmux may need another child's end to notice one.
        server.tmux(["run-shell", "true"]);
        server
            .panes("#{@sesh_id}#{pane_dead}")
            .iter()
            .filter(|line| line.len() > 1 && line.ends_with('1'))
            .count()
            == 3
    });
    let mut expected = [
        one("ended", "made"),
        one("ended", "cat"),
        one("ended", "shell"),
    ]
    .concat();
    expected.sort();
    assert_eq!(reap(&server), expected);
    let ended = |sesh: &Record| {
        let record = server.record(sesh.uuid());
        assert!(record.has_pane() && !record.live());
        assert_eq!(stored(&server, sesh.pane(), "@sesh_state"), "exited");
        (record.code(), record.signal())
    };
    // Of ours the process was sesh-run, which says nothing of the command.
    assert_eq!(ended(&made), (None, None));
    assert_eq!(ended(&shell), (Some(3), None));
    let (code, signal) = ended(&cat);
    // 3.2a does not know the signal.
    assert!(
        code.is_none() && [None, Some(9)].contains(&signal),
        "{signal:?}"
    );
    assert_eq!(reap(&server), []);
}

#[test]
fn another_process_in_the_pane_makes_it_no_sesh() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    let other = adopted(&server, "two", &["cat", "-"]);
    let held = server.new_sesh(["three", "--", "true"]);
    server.ended(held.uuid());
    // A pane that is somebody else's now is no longer held, so it is not one too many.
    let kept = server.new_sesh(["four", "--", "true"]);
    server.ended(kept.uuid());
    server.shows(kept.pane(), "[sesh: ");
    server.tmux(["set-option", "-p", "-t", kept.pane(), "@sesh_held", "5"]);
    reap(&server);
    server.tmux(["set-option", "-g", "@sesh-keep", "1"]);
    let all = [&made, &other, &held];
    for sesh in all {
        let runner = first_process(&server, sesh.pane());
        server.tmux(["respawn-pane", "-k", "-t", sesh.pane(), "sleep", "999"]);
        server.runs(sesh.pane(), "sleep");
        until("what ran before is gone", || kill(runner, None).is_err());
    }
    let mut expected = [
        one("ended", "one"),
        one("ended", "two"),
        one("released", "three"),
    ]
    .concat();
    expected.sort();
    assert_eq!(reap(&server), expected);
    assert!(server.has_pane(kept.pane()));
    for sesh in all {
        assert!(server.has_pane(sesh.pane()));
        let marks = server.tmux(["show-options", "-p", "-t", sesh.pane()]);
        assert!(!marks.contains("@sesh_"), "{marks}");
        assert!(!marks.contains("remain-on-exit"), "{marks}");
        let ended = server.record(sesh.uuid());
        assert!(ended.state() == "exited" && !ended.has_pane());
        assert!(!ended.get("exit/at").is_null());
    }
    assert_eq!(server.record(held.uuid()).code(), Some(0));
    assert_eq!(reap(&server), []);
    server.sesh("sesh-adopt", [made.pane()]).ok();
}

#[test]
fn a_runner_that_lives_on_without_its_pane_says_how_it_ended() {
    let server = Server::start();
    let (made, command) = stubborn(&server);
    server.tmux(["respawn-pane", "-k", "-t", made.pane(), "sleep", "999"]);
    assert_eq!(reap(&server), one("released", "one"));
    let_go(&server, &made, &command);
    assert_eq!(reap(&server), []);
}

#[test]
fn a_runner_that_was_started_again_is_given_time() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    // As after respawn-pane: tmux knows the new process, and the store the old one.
    server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_proc", "1:1"]);
    assert_eq!(reap(&server), one("book", "one"));
    assert_eq!(stored(&server, made.pane(), "@sesh_name"), "one");
    server.tmux(["respawn-pane", "-k", "-t", made.pane()]);
    server.when("it runs again", made.uuid(), Record::live);
    assert_eq!(reap(&server), []);
}

#[test]
fn a_book_follows_its_pane() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    let name = format!("@seshbook_{}", made.uuid());
    let right = book(&server, made.uuid());
    server.tmux(["set-option", "-su", &name]);
    assert_eq!(reap(&server), one("book", "one"));
    assert_eq!(book(&server, made.uuid()), right);
    server.tmux([
        "set-option",
        "-p",
        "-t",
        made.pane(),
        "@sesh_note",
        "by%20hand",
    ]);
    assert_eq!(reap(&server), one("book", "one"));
    assert!(book(&server, made.uuid()).contains(",note=by%20hand,"));
    // What a hook writes whenever a person looks is no reason.
    server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_seen", "1"]);
    assert_eq!(reap(&server), []);
}

#[test]
fn what_a_newer_program_wrote_is_left_alone() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    let gone = sleeper(&server, "two");
    assert_eq!(reap(&server), []);
    for sesh in [&made, &gone] {
        let newer = book(&server, sesh.uuid()).replacen('1', "999", 1);
        let name = format!("@seshbook_{}", sesh.uuid());
        server.tmux(["set-option", "-s", &name, &newer]);
    }
    kill_first_process(&server, gone.pane());
    until("its pane goes", || !server.has_pane(gone.pane()));
    server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_note", "x"]);
    let before = server.everything();
    assert_eq!(reap(&server), []);
    assert_eq!(server.everything(), before);
}

#[test]
fn last_lines_go_with_the_book() {
    let server = Server::start();
    let kept = server.new_sesh(["one", "--", "echo", "last words"]);
    server.ended(kept.uuid());
    server.sesh("sesh-end", ["one"]).ok();
    let left = "SESH_tail_3f2c8a105b7e4c1d9f001a2b3c4d5e6f";
    for name in [left, "SESH_tail_x", "SESH_other"] {
        server.tmux(["set-environment", "-gh", name, "text"]);
    }
    assert_eq!(reap(&server), one("tail", ""));
    let hidden = server.tmux(["show-environment", "-gh"]);
    assert!(!hidden.contains(left), "{hidden}");
    assert!(hidden.contains("SESH_tail_x=") && hidden.contains("SESH_other="));
    let said = server.sesh("pane-capture", ["one"]).ok();
    assert_eq!(said.line(), "last words");
    // Once an hour is enough.
    server.tmux(["set-environment", "-gh", left, "text"]);
    assert_eq!(reap(&server), []);
    server.tmux(["set-environment", "-gh", "SESH_swept", "5"]);
    assert_eq!(reap(&server), one("tail", ""));
}

#[test]
fn held_panes_close_when_their_time_is_over() {
    let server = Server::start();
    let held = |name: &str, command: &str| {
        let made = server.new_sesh([name, "--", command]);
        server.ended(made.uuid());
        server.shows(made.pane(), "[sesh: ");
        server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_held", "5"]);
        made
    };
    let orphan = held("orphan", "true");
    let failed = held("failed", "false");
    let guarded = held("guarded", "true");
    reap(&server);
    for sesh in [&orphan, &failed] {
        server.tmux([
            "set-option",
            "-p",
            "-t",
            sesh.pane(),
            "remain-on-exit",
            "on",
        ]);
        kill_first_process(&server, sesh.pane());
        until("it is dead", || {
            server.tmux(["run-shell", "true"]);
            server.format(sesh.pane(), "#{pane_dead}") == "1"
        });
    }
    server.tmux(["set-option", "-g", "@sesh-hold", "off"]);
    assert_eq!(reap(&server), []);
    server.tmux(["set-option", "-g", "@sesh-hold", "1s"]);
    assert_eq!(reap(&server), one("closed", "orphan"));
    assert!(!server.has_pane(orphan.pane()) && server.has_pane(guarded.pane()));
    // Above the number that is kept all are the same.
    server.tmux(["set-option", "-g", "@sesh-keep", "1"]);
    assert_eq!(reap(&server), one("closed", "failed"));
    assert!(!server.has_pane(failed.pane()) && server.has_pane(guarded.pane()));
    for sesh in [&orphan, &failed] {
        assert_eq!(server.record(sesh.uuid()).state(), "exited");
    }
}

#[test]
fn with_nothing_to_mend_nothing_is_written() {
    let server = Server::start();
    let shell = server.new_sesh(["shell"]);
    server.when("it is idle", shell.uuid(), |it| it.state() == "idle");
    sleeper(&server, "one");
    let ended = server.new_sesh(["two", "--", "true"]);
    server.ended(ended.uuid());
    server.shows(ended.pane(), "[sesh: ");
    assert_eq!(reap(&server), []);
    let look = Screen::attach(&server, MAIN, (80, 20));
    let of_nothing = look.cost(&server, &|| {
        server.sesh("sesh-reap", NONE).ok();
    });
    assert_eq!(of_nothing, 0, "bytes for nothing");
    let name = format!("@seshbook_{}", ended.uuid());
    let of_a_change = look.cost(&server, &|| {
        server.tmux(["set-option", "-su", &name]);
        server.sesh("sesh-reap", NONE).ok();
    });
    assert!(of_a_change > 0, "the measure is one");
    let before = server.everything();
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(server.everything(), before);
    // What reads needs no process, nor what only says that it is over.
    server.count_tmux();
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(server.tmux_calls(), 0);
}

#[test]
fn another_that_is_wanted_meanwhile_is_one_more_round() {
    let server = Server::start();
    let said = server.sesh("sesh-reap", NONE).ok();
    assert_eq!(said.text(), "", "nothing is printed for a hook");
    let marks = || server.tmux(["display-message", "-p", "#{SESH_reap}|#{SESH_reap_again}"]);
    assert_eq!(marks(), "|\n");
    // It has read and is about to write, when somebody wants another, and another sesh loses its book.
    let first = sleeper(&server, "first");
    let made = sleeper(&server, "one");
    let its = format!("@seshbook_{}", first.uuid());
    server.tmux(["set-option", "-su", &its]);
    let name = format!("@seshbook_{}", made.uuid());
    server.tmux(["set-environment", "-gh", "SESH_reap", "5"]);
    let gate = Arc::new(Gate::default());
    let relay = Relay::before(&server, "relay", Play::Holds(its.leak(), Arc::clone(&gate)));
    let said = std::thread::scope(|scope| {
        let reap = scope.spawn(|| {
            let socket = ["-S".as_ref(), relay.socket().as_os_str()];
            server
                .helper("sesh-reap")
                .args(socket)
                .args(["--json"])
                .ok()
        });
        until("it is about to write", || gate.held.load(Ordering::SeqCst));
        server.tmux(["set-environment", "-gh", "SESH_reap_again", "1"]);
        server.tmux(["set-option", "-su", &name]);
        gate.open.store(true, Ordering::SeqCst);
        reap.join().expect("a reap")
    });
    let both = [one("book", "first"), one("book", "one")].concat();
    assert_eq!(changes(&said), both);
    assert_eq!(marks(), "|\n");
    // A mark that one left that was killed is in nobody's way.
    server.tmux(["set-environment", "-gh", "SESH_reap", "5"]);
    assert_eq!(reap(&server), []);
    assert_eq!(marks(), "|\n");
}

#[test]
fn a_pane_that_it_changes_is_counted() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    server.tmux(["set-option", "-su", &format!("@seshbook_{}", made.uuid())]);
    count_the_counts(&server);
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(ran(&server), 1);
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(ran(&server), 1, "nothing changed");
}

#[test]
fn a_person_reads_a_line_a_change() {
    let server = Server::start();
    let made = sleeper(&server, "one");
    server.tmux(["set-option", "-su", &format!("@seshbook_{}", made.uuid())]);
    let program = crate::support::helpers().join("sesh-reap");
    let program = program.display().to_string();
    let socket = server.socket().display().to_string();
    let run = || {
        let command = format!("{program} -S {socket}; exec cat");
        Screen::open((100, 10), &["sh", "-c", &command])
    };
    run().shows(&format!("one ({}) had a record", made.pane()));
    run().shows("records match reality");
}

#[test]
fn panes_that_are_no_sesh_are_not_touched() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let kept = server.session((80, 24), &["true"]);
    until("it is kept dead", || {
        server.tmux(["run-shell", "true"]);
        server.format(&kept, "#{pane_dead}") == "1"
    });
    server.tmux(["set-option", "-p", "-t", &user, "@sesh_held", "5"]);
    server.tmux(["set-option", "-p", "-t", &kept, "@sesh_state", "busy"]);
    server.tmux(["set-option", "-g", "@sesh-keep", "0"]);
    assert_eq!(reap(&server), []);
    let before = server.everything();
    assert_eq!(reap(&server), []);
    assert_eq!(server.everything(), before);
}

#[test]
fn what_a_stranger_wrote_is_no_command() {
    let server = Server::start();
    let made = server.new_sesh(["one"]);
    server.when("it is idle", made.uuid(), |it| it.state() == "idle");
    let ran = server.path("ran");
    let bad = format!("#(touch {})", ran.display());
    let bad_words = format!(
        "1,id={0},name={bad},exit=",
        "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f"
    );
    server.tmux([
        "set-option",
        "-s",
        "@seshbook_3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f",
        &bad_words,
    ]);
    server.tmux(["set-option", "-s", "@seshbook_x", &bad]);
    server.tmux(["set-option", "-g", "@sesh-hold", &bad]);
    server.tmux(["set-option", "-g", "@sesh-keep", &bad]);
    for option in [
        "@sesh_state",
        "@sesh_gen",
        "@sesh_held",
        "@sesh_since",
        "@sesh_note",
    ] {
        for text in [&bad, "a,b}c", "'; kill-server ; '", "10 \u{241e}\n\u{200b}"] {
            server.tmux(["set-option", "-p", "-t", made.pane(), option, text]);
            server.sesh("sesh-reap", ["--json"]).ok();
        }
        server.tmux(["set-option", "-pu", "-t", made.pane(), option]);
    }
    server.tmux([
        "select-pane",
        "-t",
        made.pane(),
        "-T",
        "a title \u{241e}\u{241f}",
    ]);
    server.sesh("sesh-reap", ["--json"]).ok();
    server.tmux(["run-shell", "true"]);
    assert!(!ran.exists(), "a stored value was run");
    assert!(server.has_pane(made.pane()));
}

#[test]
fn a_server_without_a_session_is_mended_too() {
    let server = Server::empty();
    let made = sleeper(&server, "one");
    kill_first_process(&server, made.pane());
    until("the last session ends", || {
        server.tmux(["list-sessions"]).is_empty()
    });
    assert_eq!(reap(&server), one("ended", "one"));
    assert_eq!(reap(&server), []);
}

#[test]
fn names_that_all_panes_have_are_nobodys() {
    let server = Server::start();
    let made = server.new_sesh(["one"]);
    reap(&server);
    server.tmux(["set-option", "-su", &format!("@seshbook_{}", made.uuid())]);
    for flags in ["-s", "-g", "-gw"] {
        for (name, value) in [
            ("@sesh_id", "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f"),
            ("@sesh_held", "5"),
            ("@sesh_exit", "0 - 5"),
        ] {
            server.tmux(["set-option", flags, name, value]);
        }
        let before = server.everything();
        let sentence = server.sesh("sesh-reap", ["--json"]).fails(4);
        assert!(sentence.contains("sesh-doctor"), "no way out: {sentence}");
        assert_eq!(server.everything(), before);
        for name in ["@sesh_id", "@sesh_held", "@sesh_exit"] {
            server.tmux(["set-option", flags, "-u", name]);
        }
    }
    assert_eq!(reap(&server), one("book", "one"));
}

#[test]
fn a_pane_that_several_sessions_show_is_one() {
    let server = Server::start();
    let user = server.user_pane();
    let made = server
        .inside(
            &user,
            "sesh-new",
            ["--json", "--window", "one", "--", "true"],
        )
        .ok()
        .record();
    server.ended(made.uuid());
    server.shows(made.pane(), "[sesh: ");
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "twin"]);
    assert_eq!(server.panes("#{pane_id}").len(), 4);
    server.tmux(["set-option", "-g", "@sesh-keep", "1"]);
    server.tmux(["set-option", "-su", &format!("@seshbook_{}", made.uuid())]);
    assert_eq!(reap(&server), one("book", "one"));
    assert_eq!(reap(&server), []);
    assert!(server.has_pane(made.pane()), "one is not more than one");
}

#[test]
fn whose_time_is_over_is_ended() {
    let server = Server::start();
    let soon = server.new_sesh(["--ttl", "1s", "soon", "--", "sleep", "1000"]);
    let later = server.new_sesh(["--ttl", "1h", "later", "--", "sleep", "1000"]);
    let held = server.new_sesh([
        "--ttl",
        "1s",
        "held",
        "--",
        "sh",
        "-c",
        "echo words; exit 3",
    ]);
    let stuck = server.new_sesh([
        "--ttl",
        "1s",
        "stuck",
        "--",
        "sh",
        "-c",
        "trap '' HUP TERM; echo ready; while :; do sleep 1; done",
    ]);
    server.shows(stuck.pane(), "ready");
    server.ended(held.uuid());
    let expires = later.0["expiresAt"].as_u64().expect("a time");
    let created = later.0["createdAt"].as_u64().expect("a time");
    assert!((3600..3700).contains(&(expires - created)), "{later:?}");
    let mut told: Vec<String> = Vec::new();
    until("all three are gone", || {
        let changes = server.sesh("sesh-reap", ["--json"]).ok().json();
        for change in changes.as_array().expect("changes") {
            told.push(format!(
                "{} {}",
                change["name"].as_str().expect("a name"),
                change["what"]
            ));
        }
        [&soon, &held, &stuck]
            .iter()
            .all(|it| !server.has_pane(it.pane()))
    });
    for name in ["soon", "held", "stuck"] {
        let of: Vec<&String> = told.iter().filter(|it| it.starts_with(name)).collect();
        assert!(of.iter().any(|it| it.contains(" was over")), "{told:?}");
    }
    assert!(server.has_pane(later.pane()));
    let ended = server.record(soon.uuid());
    assert_eq!(ended.0["exit"]["signal"], 1);
    // What it said is kept.
    assert_eq!(server.sesh("pane-capture", ["held"]).ok().text(), "words\n");
    assert_eq!(server.sesh("sesh-reap", ["--json"]).ok().text(), "[]\n");
}

#[test]
fn whose_time_is_over_is_only_told_by_who_looks() {
    let server = Server::start();
    let soon = server.new_sesh(["--ttl", "1s", "soon", "--", "sleep", "1000"]);
    until("the doctor tells it", || {
        let said = server.sesh("sesh-doctor", NONE).said();
        String::from_utf8_lossy(&said.stdout).contains("its --ttl is over")
    });
    assert!(server.has_pane(soon.pane()));
}

#[test]
fn panes_that_come_and_go_meanwhile_are_in_nobodys_way() {
    let server = Server::start();
    server.new_sesh(["one", "--", "cat"]);
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            for at in 0..count(1000) {
                let sleep = format!("sleep 0.0{}", at % 9);
                server.tmux(["new-window", "-d", &sleep]);
            }
        });
        while !busy.is_finished() {
            server.sesh("sesh-reap", NONE).ok();
            server.sesh("sesh-list", NONE).ok();
        }
    });
}
