//! What a change costs those that wait: a client for each wait that it concerns, and nothing for the others.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use tmux_sesh::store::hint;
use tmux_sesh::store::second::{Reconciler, reconciler};
use tmux_sesh::tmux::Socket;

use super::{Standing, nothing, told};
use crate::support::{Dice, Record, Server, count, until};

/// A wait that has all its places.
fn standing(server: &Server, args: &[&str], places: usize) -> Standing {
    let standing = Standing::start(server, args);
    until("it has all its places", || standing.places() >= places);
    standing.clients();
    standing
}

/// Takes the signals that tmux has remembered of the channels of a set. After that a wait is woken by changes alone.
fn takes_signals(server: &Server, set: &[&str]) {
    nothing(server, &[set, &["--for", "exit"]].concat());
}

/// Changes the state of a sesh, and waits until it is stored.
fn reports(server: &Server, sesh: &Record, state: &str) {
    server.say(sesh.pane(), &format!("sesh-report --state {state}"));
    server.shows_state(sesh.pane(), state);
}

#[test]
fn a_change_wakes_those_that_it_concerns() {
    let server = Server::start();
    let one = told(&server, &["one", "--tag", "x"]);
    let names = ["two", "three", "four", "five"];
    let others: Vec<Record> = names.iter().map(|name| told(&server, &[name])).collect();
    let of_five = [&["one"][..], &names].concat();
    takes_signals(&server, &of_five[..4]);
    takes_signals(&server, &of_five);
    let of_one = standing(&server, &["one", "--for", "exit"], 1);
    let of_two = standing(&server, &["two", "--for", "exit"], 1);
    let of_four = ["one", "two", "three", "four", "--for", "exit"];
    let of_four = standing(&server, &of_four, 4);
    let of_tag = standing(&server, &["--tag", "x", "--for", "exit"], 1);
    let of_five = [&of_five[..], &["--for", "exit"]].concat();
    let of_five = standing(&server, &of_five, 1);
    let all = [&of_one, &of_four, &of_tag, &of_five, &of_two];
    let states = ["idle", "busy", "idle", "busy", "idle"];
    let clients = |sesh: &Record, concerned: &[&Standing]| {
        for state in states {
            let places: Vec<usize> = concerned.iter().map(|wait| wait.places()).collect();
            reports(&server, sesh, state);
            until("all that it concerns wait again", || {
                let waits = concerned.iter().zip(&places);
                waits
                    .into_iter()
                    .all(|(wait, places)| wait.places() > *places)
            });
        }
        all.map(Standing::clients)
    };
    // A channel may have had a signal that no wait had taken.
    let each = states.len();
    let is_each = |clients: usize| (each..=each + 1).contains(&clients);
    let is_none = |clients: usize| clients <= 1;
    let of = clients(&one, &[&of_one, &of_four, &of_tag, &of_five]);
    assert!(
        of[..4].iter().copied().all(is_each) && is_none(of[4]),
        "{of:?}"
    );
    let of = clients(&others[3], &[&of_tag, &of_five]);
    let [of_one_sesh, of_four_seshes, _, _, of_another] = of;
    assert!(
        [of_one_sesh, of_four_seshes, of_another]
            .into_iter()
            .all(is_none)
            && is_each(of[2])
            && is_each(of[3]),
        "{of:?}"
    );
    for wait in [of_one, of_two, of_four, of_tag, of_five] {
        wait.kill();
    }
}

#[test]
fn a_herd_on_one_sesh_is_a_client_each() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    takes_signals(&server, &["one"]);
    let herd: Vec<Standing> = (0..count(100).min(50))
        .map(|_| standing(&server, &["one", "--for", "exit"], 1))
        .collect();
    let states = ["idle", "busy", "idle"];
    for state in states {
        let places: Vec<usize> = herd.iter().map(Standing::places).collect();
        reports(&server, &one, state);
        until("all wait again", || {
            let mut waits = herd.iter().zip(&places);
            waits.all(|(wait, places)| wait.places() > *places)
        });
    }
    let clients: Vec<usize> = herd.iter().map(Standing::clients).collect();
    let each = states.len();
    let is_each = |clients: &usize| (each..=each + 1).contains(clients);
    assert!(clients.iter().all(is_each), "{clients:?}");
    server.say(one.pane(), "exit 3");
    for wait in herd {
        assert_eq!(wait.words(), ["one exit 3"]);
    }
}

/// A wait on an exited sesh that keeps its pane is woken by what is written to the pane, and by what is written to the
/// sesh: it may be restored into another pane.
#[test]
fn an_exited_sesh_with_a_pane_has_two_channels() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    server.say(one.pane(), "exit 3");
    until("it has exited", || {
        server.record(one.uuid()).state() == "exited"
    });
    let id = one.uuid().parse().expect("an id");
    let pane = one.pane().parse().expect("a pane");
    let channels = hint::channels(id, Some(pane), true);
    assert_eq!(channels.len(), 2);
    // Another one is waited for too, since there is nothing to wait for from an exited sesh alone.
    told(&server, &["two"]);
    let both = ["one", "two", "--for", "idle"];
    nothing(&server, &both);
    let mut wait = standing(&server, &both, 3);
    for (at, channel) in channels.iter().enumerate() {
        server.tmux(["wait-for", "-S", channel]);
        until("it waits again", || wait.places() >= 4 + at);
    }
    assert!(wait.goes_on());
    wait.kill();
}

/// The end is written by one that knows no pane any more, and it signals the sesh. A wait on the sesh of the pane does not
/// listen to that. Of many such waits one reconciles, and the others have to see what it wrote.
#[test]
fn an_end_that_is_written_behind_the_pane() {
    let server = Server::start();
    let names = ["one", "two", "three", "four"];
    let seshes: Vec<Record> = names.iter().map(|name| told(&server, &[name])).collect();
    takes_signals(&server, &names);
    let waits: Vec<Standing> = names
        .iter()
        .map(|name| standing(&server, &[name, "--for", "exit"], 1))
        .collect();
    for sesh in &seshes {
        let pid = server.format(sesh.pane(), "#{pane_pid}");
        let pid = Pid::from_raw(pid.parse().expect("a pid"));
        kill(pid, Signal::SIGKILL).expect("it can be killed");
    }
    for (name, wait) in names.iter().zip(waits) {
        assert_eq!(wait.words(), [format!("{name} exit ?")]);
    }
}

/// What another process wrote before it waits, and what it writes while the wait begins, ends the wait.
#[test]
fn a_change_while_a_wait_begins() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    let mut dice = Dice::new();
    for round in 0..count(200) {
        reports(&server, &one, "busy");
        let started = Instant::now();
        std::thread::scope(|scope| {
            let wait = scope.spawn(|| {
                let args = ["one", "--for", "idle", "--timeout", "20s"];
                server.sesh("sesh-wait", args).ok();
            });
            // A wait takes some tens of milliseconds to begin.
            std::thread::sleep(dice.moment(60)); // why: the moment of the change is the chance that is tried.
            reports(&server, &one, "idle");
            wait.join().expect("a wait");
        });
        // It was not found by looking, which comes first after a second.
        assert!(
            started.elapsed() < Duration::from_secs(15),
            "round {round}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn one_of_all_that_noticed_reconciles() {
    let server = Server::start();
    let program = server.program().into();
    let tmux = tmux_sesh::tmux::Server::with_program(program, Socket::Path(server.socket()));
    let tmux = tmux.expect("a server");
    let ask = |noticed| reconciler(&tmux, noticed).expect("an answer");
    let mut outcome = ask(None);
    assert_eq!(outcome, Reconciler::Own);
    // Two questions in one second.
    until("it is too early", || {
        outcome = ask(None);
        matches!(outcome, Reconciler::Later(Some(_)))
    });
    let Reconciler::Later(noticed) = outcome else {
        unreachable!("checked above");
    };
    until("another one has begun", || ask(None) == Reconciler::Own);
    assert_eq!(ask(noticed), Reconciler::Other);
    // The clock was set back: what was written is in the future.
    server.tmux(["set-environment", "-gh", "SESH_settled", "99999999999"]);
    assert_eq!(ask(noticed), Reconciler::Own);
}

/// A wait that is killed at any moment costs the others nothing.
#[test]
fn waits_that_are_killed_while_two_write() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    let two = told(&server, &["two"]);
    let mut dice = Dice::new();
    for _ in 0..count(60) {
        reports(&server, &one, "busy");
        let lives = Standing::start(&server, &["one", "--for", "idle"]);
        let victims: Vec<_> = (0..3)
            .map(|_| {
                server
                    .sesh("sesh-wait", ["one", "two", "--for", "exit"])
                    .command()
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("a wait")
            })
            .collect();
        std::thread::scope(|scope| {
            scope.spawn(|| reports(&server, &two, "idle"));
            scope.spawn(|| reports(&server, &one, "idle"));
            for mut victim in victims {
                std::thread::sleep(dice.moment(20)); // why: the moment of the kill is the chance that is tried.
                victim.kill().expect("it lives");
                victim.wait().expect("its end");
            }
        });
        assert_eq!(lives.words(), ["one idle hook"]);
        reports(&server, &two, "busy");
    }
    assert!(server.alive());
}
