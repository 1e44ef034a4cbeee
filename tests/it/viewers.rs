//! Panes that a person reads: they do not close, and where one closes the person is taken back.

use std::time::{Duration, Instant};

use crate::support::{MAIN, NONE, Record, Screen, Server, until};

/// The session and the pane that a client shows. Empty if it has left.
fn place(server: &Server, client: &str) -> String {
    let all = server.tmux([
        "list-clients",
        "-F",
        "#{client_name} #{session_name} #{pane_id}",
    ]);
    let start = format!("{client} ");
    let own = all.lines().find_map(|line| line.strip_prefix(&start));
    own.unwrap_or_default().into()
}

#[track_caller]
fn comes_to(server: &Server, client: &str, session: &str, pane: &str) {
    let expected = format!("{session} {pane}");
    let mut last = String::new();
    let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until("the client is there", || {
            last = place(server, client);
            last == expected
        });
    }));
    assert!(settled.is_ok(), "it is at {last:?}, not at {expected:?}");
}

fn enters(server: &Server, client: &str, sesh: &Record) {
    let args = [sesh.uuid(), "--client", client];
    server.sesh("sesh-enter", args).ok();
    assert!(place(server, client).ends_with(sesh.pane()));
}

fn sleeper(server: &Server, args: &[&str]) -> Record {
    server.new_sesh(args.iter().chain(&["--", "sleep", "1000"]))
}

/// A pane that is held after a command that has succeeded.
fn held(server: &Server, args: &[&str]) -> Record {
    let made = server.new_sesh(args.iter().chain(&["--", "true"]));
    server.ended(made.uuid());
    server.shows(made.pane(), "[sesh: ");
    made
}

#[test]
fn a_held_pane_that_a_person_reads_stays() {
    const HOLD: Duration = Duration::from_secs(2);
    let server = Server::start();
    server.option("@sesh-hold", "2s");
    let person = Screen::attach(&server, MAIN, (80, 20));
    let split = server.format(&server.user_pane(), "#{session_name}:");
    // In a session of its own, beside another pane that is the active one, and in a mode without anybody there.
    let own = held(&server, &["own", "--session"]);
    enters(&server, person.client(), &own);
    let second = Screen::attach(&server, MAIN, (80, 20));
    let beside = held(&server, &["beside", "--target", &split]);
    server.tmux([
        "join-pane",
        "-d",
        "-s",
        beside.pane(),
        "-t",
        &server.user_pane(),
    ]);
    let in_mode = held(&server, &["mode", "--session"]);
    server.tmux(["copy-mode", "-t", in_mode.pane()]);
    let alone = held(&server, &["alone", "--session"]);
    until("the one that is not read closes", || {
        !server.has_pane(alone.pane())
    });
    server.sesh("sesh-reap", NONE).ok();
    for sesh in [&own, &beside, &in_mode] {
        assert!(server.has_pane(sesh.pane()), "{} is read", sesh.name());
    }
    // The time begins when the last one looks away.
    let looked_away = Instant::now();
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    server.tmux(["new-window", "-t", MAIN, "cat"]);
    server.tmux(["send-keys", "-t", in_mode.pane(), "-X", "cancel"]);
    for sesh in [&own, &beside, &in_mode] {
        until("it closes", || !server.has_pane(sesh.pane()));
    }
    assert!(looked_away.elapsed() >= HOLD, "{:?}", looked_away.elapsed());
    assert!(place(&server, second.client()).starts_with(MAIN));
}

#[test]
fn a_look_that_ends_before_the_time_is_over_lengthens_it() {
    let server = Server::start();
    server.option("@sesh-hold", "3s");
    let person = Screen::attach(&server, MAIN, (80, 20));
    let looked_at = held(&server, &["looked-at", "--session"]);
    enters(&server, person.client(), &looked_at);
    // Another that ends a second later is a clock.
    server.option("@sesh-hold", "1s");
    let clock = held(&server, &["clock", "--session"]);
    until("a second has passed", || !server.has_pane(clock.pane()));
    let looked_away = Instant::now();
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    until("it closes", || !server.has_pane(looked_at.pane()));
    assert!(looked_away.elapsed() >= Duration::from_secs(3));
}

#[test]
fn a_surplus_pane_that_a_person_reads_stays() {
    let server = Server::start();
    server.option("@sesh-keep", "1");
    let person = Screen::attach(&server, MAIN, (80, 20));
    let read = held(&server, &["read", "--session"]);
    enters(&server, person.client(), &read);
    let first = held(&server, &["first", "--session"]);
    let second = held(&server, &["second", "--session"]);
    until("the surplus is closed", || !server.has_pane(first.pane()));
    server.sesh("sesh-reap", NONE).ok();
    assert!(server.has_pane(read.pane()) && server.has_pane(second.pane()));
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    server.sesh("sesh-reap", NONE).ok();
    assert!(!server.has_pane(read.pane()) && server.has_pane(second.pane()));
}

/// The ways in which a sesh ends whose pane a client shows.
fn ends(server: &Server, how: &str, person: &Screen, sesh: &Record) {
    match how {
        "sesh-end" => drop(server.sesh("sesh-end", [sesh.uuid()]).ok()),
        "--kill" => drop(server.sesh("sesh-end", ["--kill", sesh.uuid()]).ok()),
        "its program" => {
            server.option("@sesh-hold", "0");
            server.tmux(["send-keys", "-t", sesh.pane(), "C-d"]);
        }
        "Enter where it is held" => {
            server.tmux(["send-keys", "-t", sesh.pane(), "C-c"]);
            person.shows("[sesh: ");
            person.types(&["Enter"]);
        }
        "its time" => {
            let past = ["set-option", "-p", "-t", sesh.pane(), "@sesh_expires", "5"];
            server.tmux(past);
            server.sesh("sesh-reap", NONE).ok();
        }
        _ => unreachable!("{how}"),
    }
}

#[test]
fn who_is_in_a_sesh_that_ends_goes_back() {
    for how in [
        "sesh-end",
        "--kill",
        "its program",
        "Enter where it is held",
        "its time",
    ] {
        let server = Server::start();
        server.option("detach-on-destroy", "on");
        let user = server.user_pane();
        // One is used before and one after, and tmux would choose one of the two: 3.3a takes the oldest, others the newest.
        server.tmux(["new-session", "-d", "-s", "unused", "cat"]);
        server.tmux(["new-session", "-d", "-s", "other", "cat"]);
        let person = Screen::attach(&server, MAIN, (80, 20));
        let bystander = Screen::attach(&server, "other", (80, 20));
        bystander.types(&["x"]);
        bystander.shows("x");
        // A shell that ignores HUP and TERM where KILL is to be needed.
        let script = match how {
            "--kill" => "trap '' HUP TERM; while :; do sleep 1; done",
            _ => "exec cat",
        };
        let sesh = server.new_sesh(["one", "--session", "--", "sh", "-c", script]);
        enters(&server, person.client(), &sesh);
        ends(&server, how, &person, &sesh);
        until("its pane is closed", || !server.has_pane(sesh.pane()));
        comes_to(&server, person.client(), MAIN, &user);
        assert!(
            place(&server, bystander.client()).starts_with("other "),
            "{how}"
        );
    }
}

#[test]
fn who_was_led_further_goes_back_step_by_step() {
    let server = Server::start();
    server.option("detach-on-destroy", "on");
    let person = Screen::attach(&server, MAIN, (80, 20));
    let user = server.user_pane();
    let first = sleeper(&server, &["first", "--session"]);
    // A window beside the person's own, and a window of that session which is not the last one.
    let second = sleeper(&server, &["second", "--target", MAIN]);
    let third = sleeper(&server, &["third", "--target", "first"]);
    for sesh in [&first, &second, &third] {
        enters(&server, person.client(), sesh);
    }
    server.sesh("sesh-end", ["third"]).ok();
    comes_to(&server, person.client(), MAIN, second.pane());
    server.sesh("sesh-end", ["second"]).ok();
    comes_to(&server, person.client(), "first", first.pane());
    server.sesh("sesh-end", ["first"]).ok();
    comes_to(&server, person.client(), MAIN, &user);
}

#[test]
fn who_came_by_itself_stays_in_tmux() {
    let server = Server::start();
    server.option("detach-on-destroy", "on");
    let user = server.user_pane();
    server.tmux(["new-session", "-d", "-s", "unused", "cat"]);
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let bystander = Screen::attach(&server, "other", (80, 20));
    let person = Screen::attach(&server, MAIN, (80, 20));
    sleeper(&server, &["one", "--session"]);
    // One that a key has taken elsewhere before.
    let far = sleeper(&server, &["far", "--target", "other"]);
    enters(&server, person.client(), &far);
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    server.tmux(["switch-client", "-c", person.client(), "-t", "one"]);
    bystander.types(&["x"]);
    bystander.shows("x");
    server.sesh("sesh-end", ["one"]).ok();
    // To the session where it was before.
    comes_to(&server, person.client(), MAIN, &user);
    // From a window that is not the last of its session tmux goes to the next.
    let beside = sleeper(&server, &["beside", "--target", MAIN]);
    server.tmux(["switch-client", "-c", person.client(), "-t", "unused"]);
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    server.tmux(["select-window", "-t", beside.pane()]);
    server.sesh("sesh-end", ["beside"]).ok();
    comes_to(&server, person.client(), MAIN, &user);
    // All windows of a session at once, one of which a client shows.
    let all: Vec<Record> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| sleeper(&server, &[name, "--target", "many"]))
        .collect();
    server.tmux(["switch-client", "-c", person.client(), "-t", "many"]);
    let uuids = all.iter().map(Record::uuid);
    server.sesh("sesh-end", uuids).ok();
    until("the session is gone", || {
        server.try_tmux(["has-session", "-t", "=many"]).code() != Some(0)
    });
    assert!(
        !place(&server, person.client()).is_empty(),
        "it has left tmux"
    );
}

#[test]
fn both_terminals_of_a_group_go_back() {
    let server = Server::start();
    server.option("detach-on-destroy", "on");
    let user = server.user_pane();
    // Their pane is in another session too, in which they were not.
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "a-twin"]);
    let first = Screen::attach(&server, MAIN, (80, 20));
    let second = Screen::attach(&server, MAIN, (80, 20));
    let sesh = sleeper(&server, &["one", "--session"]);
    server.tmux(["new-session", "-d", "-t", "one", "-s", "twin"]);
    enters(&server, first.client(), &sesh);
    server.tmux(["switch-client", "-c", second.client(), "-t", "twin"]);
    server.sesh("sesh-end", ["one"]).ok();
    for person in [&first, &second] {
        comes_to(&server, person.client(), MAIN, &user);
    }
}
