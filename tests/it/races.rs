//! Many at once: one name has one winner, nobody's change is lost, and nobody sees half of anything.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use pretty_assertions::assert_eq;

use crate::support::{MAIN, Said, Server, count, until};

/// Runs something so many times at the same moment.
fn at_once<T: Send>(many: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(many);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..many)
            .map(|at| {
                let (start, act) = (&start, &act);
                scope.spawn(move || {
                    start.wait();
                    act(at)
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().expect("a racer comes in"))
            .collect()
    })
}

/// Of all of them one succeeded and the others were told that it is taken. Gives the winner.
#[track_caller]
fn one_wins(said: Vec<Said>) -> Said {
    let (mut won, lost): (Vec<Said>, Vec<Said>) =
        said.into_iter().partition(|said| said.code() == Some(0));
    for said in &lost {
        assert_eq!(said.code(), Some(4), "{said}");
        said.sentence();
    }
    assert_eq!(won.len(), 1, "winners");
    won.remove(0)
}

fn books(server: &Server) -> Vec<String> {
    server
        .tmux(["show-options", "-s"])
        .lines()
        .filter(|line| line.starts_with("@seshbook_"))
        .map(Into::into)
        .collect()
}

/// 40 processes race for one name, in one place; one sesh is there afterwards and no trace of the others.
fn race_for_a_name(place: &[&str]) {
    const RACERS: usize = 40;
    let server = Server::start();
    let user = server.user_pane();
    for round in 0..count(20) {
        let name = format!("one{round}");
        let said = at_once(RACERS, |_| {
            server
                .inside(&user, "sesh-new", place)
                .args(["--json", &name, "--", "sleep", "1000"])
                .said()
        });
        let record = one_wins(said).record();
        assert_eq!(record.name(), name);
        let named = server.panes("#{pane_id} #{@sesh_name}");
        assert_eq!(
            named,
            [format!("{user} "), format!("{} {name}", record.pane())]
        );
        assert_eq!(books(&server).len(), 1);
        until("no launch file is left", || {
            server.launch_files().is_empty()
        });
        server.sesh("sesh-end", ["--forget", &name]).ok();
        assert_eq!(
            server.tmux(["list-windows", "-a", "-F", "#{session_name} #{window_name}"]),
            format!("{MAIN} user\n")
        );
    }
}

#[test]
fn of_40_racers_for_a_name_one_wins_a_session() {
    race_for_a_name(&["--session"]);
}

#[test]
fn of_40_racers_for_a_name_one_wins_a_window() {
    race_for_a_name(&["--window"]);
}

#[test]
fn of_40_racers_for_a_name_one_wins_a_split() {
    race_for_a_name(&["--split", "v"]);
}

#[test]
fn of_racers_for_an_identity_one_wins() {
    let server = Server::start();
    let id = "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";
    let said = at_once(count(200), |at| {
        server
            .sesh(
                "sesh-new",
                [
                    "--json",
                    "--id",
                    id,
                    &format!("n{at}"),
                    "--",
                    "sleep",
                    "1000",
                ],
            )
            .said()
    });
    assert_eq!(one_wins(said).record().uuid(), id);
    assert_eq!(server.panes("#{pane_id}").len(), 2);
    assert_eq!(books(&server).len(), 1);
}

#[test]
fn of_racers_for_a_session_all_get_in() {
    let server = Server::start();
    let many = count(200);
    let said = at_once(many, |at| {
        server
            .sesh(
                "sesh-new",
                [
                    "--json",
                    "--target",
                    "work",
                    &format!("n{at}"),
                    "--",
                    "sleep",
                    "1000",
                ],
            )
            .said()
    });
    for said in &said {
        assert_eq!(said.code(), Some(0), "{said}");
        assert_eq!(said.record().text("tmux/session"), "work");
    }
    assert_eq!(
        server.format("=work:", "#{session_windows}"),
        many.to_string()
    );
}

#[test]
fn made_up_names_never_meet() {
    let server = Server::start();
    let many = count(200);
    let said = at_once(many, |_| {
        server
            .sesh("sesh-new", ["--json", "--", "sleep", "1000"])
            .said()
    });
    let mut names: Vec<String> = said
        .iter()
        .map(|said| said.record().name().to_string())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), many);
}

#[test]
fn nobody_sees_a_sesh_that_is_half_made() {
    let server = Server::start();
    let user = server.user_pane();
    let done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                let seen = server.tmux([
                    "list-panes", "-a", "-F",
                    "pane #{pane_id} #{@sesh_id} #{@sesh_name} #{@sesh_proc} #{@sesh_created} #{@sesh_gen}",
                    ";", "show-options", "-s",
                ]);
                for pane in seen.lines().filter_map(|line| line.strip_prefix("pane ")) {
                    let words: Vec<&str> = pane.split(' ').collect();
                    if words[0] == user {
                        assert!(words[1..].iter().all(|word| word.is_empty()), "the user's own pane: {pane}");
                        continue;
                    }
                    assert!(words.iter().all(|word| !word.is_empty()), "half a sesh: {pane}");
                    assert!(seen.contains(&format!("@seshbook_{} ", words[1])), "no book: {pane}");
                }
                looks += 1;
            }
            looks
        });
        for at in 0..count(200) {
            let place: &[&str] = match at % 3 {
                0 => &["--session"],
                1 => &["--window"],
                _ => &["--split", "h"],
            };
            let name = format!("n{at}");
            server
                .inside(&user, "sesh-new", place)
                .args([&name, "--", "sleep", "1000"])
                .ok();
            if at % 3 == 2 {
                // Splits of one pane run out of room.
                server.sesh("sesh-end", [&name]).ok();
            }
        }
        done.store(true, Ordering::Relaxed);
        watcher.join().expect("the watcher")
    });
    assert!(looks > 10, "too few looks to have seen anything: {looks}");
}

#[test]
fn parallel_tags_are_all_there() {
    let server = Server::start();
    let made = server.new_sesh(["--tag", "first", "one", "--", "sleep", "1000"]);
    let many = count(200);
    at_once(many, |at| {
        server
            .sesh("sesh-set", ["one", "--tag", &format!("t{at}")])
            .ok();
    });
    let record = server.record(made.uuid());
    let mut tags = record.strings("tags");
    assert_eq!(tags.len(), many + 1, "{tags:?}");
    tags.dedup();
    for at in 0..many {
        assert!(
            tags.contains(&format!("t{at}").as_str()),
            "t{at} of {tags:?}"
        );
    }
    // And off again, while others come.
    at_once(many, |at| {
        let tag = format!("t{at}");
        if at % 2 == 0 {
            server.sesh("sesh-set", ["one", "--untag", &tag]).ok();
        } else {
            let retag = format!("{tag}=u{at}");
            server.sesh("sesh-set", ["one", "--retag", &retag]).ok();
        }
    });
    let record = server.record(made.uuid());
    let mut tags = record.strings("tags");
    tags.sort_unstable();
    let mut expected: Vec<String> = (0..many)
        .filter(|at| at % 2 == 1)
        .map(|at| format!("u{at}"))
        .collect();
    expected.push("first".into());
    expected.sort();
    assert_eq!(tags, expected);
}

#[test]
fn parallel_fields_are_all_there() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let many = count(200);
    at_once(many, |at| {
        server
            .sesh("sesh-set", ["one", "--meta", &format!("k{at}=v {at}")])
            .ok();
    });
    let record = server.record(made.uuid());
    let meta = record.get("meta").as_object().expect("fields");
    assert_eq!(meta.len(), many, "{meta:?}");
    for at in 0..many {
        assert_eq!(meta[&format!("k{at}")], format!("v {at}"));
    }
}

#[test]
fn parallel_tags_of_an_ended_one_are_all_there() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "true"]);
    server.ended(made.uuid());
    server.tmux(["kill-pane", "-t", made.pane()]);
    let many = count(200);
    at_once(many, |at| {
        server
            .sesh("sesh-set", [made.uuid(), "--tag", &format!("t{at}")])
            .ok();
    });
    assert_eq!(server.record(made.uuid()).strings("tags").len(), many);
}

#[test]
fn of_racers_to_be_called_one_name_one_wins() {
    let server = Server::start();
    let many = count(80);
    for at in 0..many {
        server.new_sesh([&format!("n{at}"), "--", "sleep", "1000"]);
    }
    let said = at_once(many, |at| {
        server
            .sesh("sesh-set", ["--json", &format!("n{at}"), "--name", "best"])
            .said()
    });
    one_wins(said);
    let best = server
        .panes("#{@sesh_name}")
        .into_iter()
        .filter(|name| name == "best");
    assert_eq!(best.count(), 1);
}

#[test]
fn of_racers_to_adopt_a_pane_one_wins() {
    let server = Server::start();
    let user = server.user_pane();
    let said = at_once(count(80), |at| {
        server
            .sesh("sesh-adopt", ["--json", &user, "--name", &format!("n{at}")])
            .said()
    });
    let won = one_wins(said).record();
    assert_eq!(server.format(&user, "#{@sesh_name}"), won.name());
    assert_eq!(books(&server).len(), 1);
}

#[test]
fn of_20_reconciliations_each_change_is_made_once() {
    let server = Server::start();
    for round in 0..count(60) {
        let made: Vec<_> = (0..4)
            .map(|at| server.new_sesh([&format!("n{round}-{at}"), "--", "sleep", "1000"]))
            .collect();
        for sesh in &made[..2] {
            let pid = server.format(sesh.pane(), "#{pane_pid}");
            let pid = nix::unistd::Pid::from_raw(pid.parse().expect("a pid"));
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL)
                .expect("it can be killed");
            until("its pane goes", || !server.has_pane(sesh.pane()));
        }
        for sesh in &made[2..] {
            server.tmux(["set-option", "-su", &format!("@seshbook_{}", sesh.uuid())]);
        }
        let shell = server.new_sesh([&format!("n{round}-shell")]);
        server.when("it is idle", shell.uuid(), |it| it.state() == "idle");
        server.tmux(["send-keys", "-t", shell.pane(), "sleep 1000", "Enter"]);
        server.when("it is busy", shell.uuid(), |it| it.state() == "busy");
        let said = at_once(20, |_| server.sesh("sesh-reap", ["--json"]).ok());
        let mut changed: Vec<String> = said
            .iter()
            .flat_map(|said| said.json().as_array().expect("a list").clone())
            .map(|change| change["name"].as_str().expect("a name").to_string())
            .collect();
        changed.sort();
        let mut expected: Vec<&str> = made.iter().map(|sesh| sesh.name()).collect();
        expected.push(shell.name());
        expected.sort_unstable();
        assert_eq!(changed, expected);
        let marks = server.tmux(["display-message", "-p", "#{SESH_reap}|#{SESH_reap_again}"]);
        assert_eq!(marks, "|\n");
    }
}

#[test]
fn of_racers_for_the_last_places_of_an_owner_as_many_win() {
    const MAX: usize = 3;
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["set-option", "-g", "@sesh-max", &MAX.to_string()]);
    // A session group lists each of its windows twice.
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "twin"]);
    for round in 0..count(20) {
        let owner = format!("owner {round}");
        let said = at_once(20, |at| {
            let place = if at % 2 == 0 { "--window" } else { "--session" };
            server
                .inside(&user, "sesh-new", ["--owner", &owner, place])
                .args(["--json", "--", "sleep", "1000"])
                .said()
        });
        let (won, lost): (Vec<Said>, Vec<Said>) =
            said.into_iter().partition(|said| said.code() == Some(0));
        assert_eq!(won.len(), MAX);
        for said in &lost {
            assert_eq!(said.code(), Some(4), "{said}");
            assert!(said.sentence().contains("@sesh-max allows 3"), "{said}");
        }
        let listed = server.sesh("sesh-list", ["--owner", &owner, "--json"]).ok();
        assert_eq!(listed.records().len(), MAX);
        assert_eq!(books(&server).len(), MAX, "no trace of the others");
        for made in won {
            server
                .sesh("sesh-end", [made.record().uuid(), "--forget"])
                .ok();
        }
        assert!(server.launch_files().is_empty());
    }
}
