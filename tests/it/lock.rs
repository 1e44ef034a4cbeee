//! `sesh-lock`: a lock of this machine that a command and its children hold.

use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::support::{Call, Server, Victim, count, until};

fn lock<'a>(server: &Server, args: impl IntoIterator<Item = &'a str>) -> Call {
    server.helper("sesh-lock").args(args)
}

/// Starts a call that does not end by itself.
fn started(call: Call) -> Child {
    let mut command = call.command();
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

fn kill_9(child: &mut Child) {
    child.kill().expect("it is there");
    child.wait().expect("a status");
}

/// A script that writes the pid of its shell, and then runs on.
fn writes_pid(file: &Path, then: &str) -> String {
    let file = file.display();
    format!("echo $$ >'{file}.new' && mv '{file}.new' '{file}'; {then}")
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let server = Server::start();
    lock(&server, ["a", "--", "true"]).ok();
    for (script, code) in [("exit 3", 3), ("exit 4", 4), ("kill -9 $$", 137)] {
        let said = lock(&server, ["a", "--", "sh", "-c", script]).said();
        assert_eq!((said.code(), said.stderr.as_str()), (Some(code), ""));
    }
    let sentence = lock(&server, ["a", "--", "no-such-command"]).fails(127);
    assert_eq!(sentence, "cannot run \"no-such-command\": no such command");
    lock(&server, ["a", "--", "/etc/passwd"]).fails(126);
    let text = "größe \"'; $(touch z) #()\n";
    let said = lock(&server, ["a", "--", "printf", "%s", text]).ok();
    assert_eq!(said.text(), text);
    for wrong in [
        vec!["a"],
        vec!["a", "--"],
        vec!["--", "true"],
        vec!["../a", "--", "true"],
        vec!["#(touch z)", "--", "true"],
        vec!["", "--", "true"],
        vec!["a\nb", "--", "true"],
        vec!["a", "--wait", "soon", "--", "true"],
    ] {
        lock(&server, wrong).fails(2);
    }
    lock(&server, [&"x".repeat(10_000), "--", "true"]).fails(2);
    assert!(!server.path("z").exists());
}

#[test]
fn input_and_output_are_those_of_the_command() {
    let server = Server::start();
    let said = lock(&server, ["a", "--", "cat"]).stdin("text\n").ok();
    assert_eq!(said.text(), "text\n");
}

#[test]
fn a_lock_that_is_held_is_refused_or_awaited() {
    let server = Server::start();
    let held = writes_pid(&server.path("pid"), "exec sleep 1000");
    let mut first = started(lock(&server, ["deploy", "--", "sh", "-c", &held]));
    let command = Victim::written(&server, "pid");
    let sentence = lock(&server, ["deploy", "--", "true"]).fails(4);
    let pid = first.id();
    assert!(
        sentence.starts_with(&format!("the lock deploy is held by process {pid} for ")),
        "{sentence}"
    );
    assert!(sentence.contains("sh -c 'echo $$ >"), "{sentence}");
    lock(&server, ["deploy", "--wait", "0", "--", "true"]).fails(6);
    lock(&server, ["deploy", "--wait", "100ms", "--", "true"]).fails(6);
    // Another name is another lock.
    lock(&server, ["deploy2", "--", "true"]).ok();
    let waits = started(lock(
        &server,
        ["deploy", "--wait", "10m", "--", "touch", "ran"],
    ));
    assert!(!server.path("ran").exists());
    kill(command.pid(), Signal::SIGTERM).expect("it is there");
    assert_eq!(first.wait().expect("a status").code(), Some(143));
    let mut waits = waits;
    assert_eq!(waits.wait().expect("a status").code(), Some(0));
    assert!(server.path("ran").exists());
}

#[test]
fn scenario_22_a_lock_stays_held_while_a_child_lives() {
    let server = Server::start();
    let orphan = writes_pid(
        &server.path("pid"),
        "trap '' HUP TERM; exec sleep 1000 >/dev/null 2>&1",
    );
    server.script("orphan", &orphan);
    let script = "setsid orphan & wait";
    let mut runner = started(lock(&server, ["a", "--", "sh", "-c", script]));
    let child = Victim::written(&server, "pid");
    kill_9(&mut runner);
    let sentence = lock(&server, ["a", "--", "true"]).fails(4);
    let left = format!("is held by what process {} has left behind", runner.id());
    assert!(sentence.contains(&left), "{sentence}");
    assert!(child.alive());
    kill(child.pid(), Signal::SIGKILL).expect("it is there");
    // The shell between them may live a moment longer.
    lock(&server, ["a", "--wait", "20s", "--", "true"]).ok();
}

#[test]
fn a_signal_to_it_is_one_to_the_command() {
    let server = Server::start();
    let script = writes_pid(
        &server.path("pid"),
        "trap 'exit 9' TERM; while :; do sleep 0.05; done",
    );
    let mut runner = started(lock(&server, ["a", "--", "sh", "-c", &script]));
    let _command = Victim::written(&server, "pid");
    let pid = Pid::from_raw(i32::try_from(runner.id()).expect("a pid"));
    // A terminal sends INT to both; a program that handles it goes on.
    kill(pid, Signal::SIGINT).expect("it is there");
    lock(&server, ["a", "--", "true"]).fails(4);
    kill(pid, Signal::SIGTERM).expect("it is there");
    assert_eq!(runner.wait().expect("a status").code(), Some(9));
    lock(&server, ["a", "--", "true"]).ok();
}

#[test]
fn the_pane_shows_its_locks() {
    let server = Server::start();
    let pane = server.session((80, 24), &["-s", "locks", "sh"]);
    let locks = || server.format(&pane, "#{@sesh_locks}");
    let holds = |name: &str| {
        let script = writes_pid(&server.path(name), "exec sleep 1000");
        let call = server.inside(&pane, "sesh-lock", [name, "--", "sh", "-c", &script]);
        let runner = started(call);
        (runner, Victim::written(&server, name))
    };
    let (mut one, first) = holds("a.b");
    assert_eq!(locks(), " a.b ");
    let (mut two, second) = holds("c");
    assert_eq!(locks(), " a.b  c ");
    kill(first.pid(), Signal::SIGTERM).expect("it is there");
    one.wait().expect("a status");
    assert_eq!(locks(), " c ");
    // A killed one leaves its mark, and the next holder removes it.
    kill_9(&mut two);
    assert_eq!(locks(), " c ");
    server
        .helper("sesh-lock")
        .args(["c", "--", "true"])
        .fails(4);
    kill(second.pid(), Signal::SIGKILL).expect("it is there");
    until("the lock is free", || {
        lock(&server, ["c", "--", "true"]).said().code() == Some(0)
    });
    assert_eq!(locks(), "");
    assert!(
        !server
            .tmux(["show-options", "-p", "-t", &pane])
            .contains("@sesh_locks")
    );
    // Without a server, without tmux and with one that is stopped the lock is the same.
    server
        .helper("sesh-lock")
        .env("TMUX", "/nowhere,1,0")
        .env("TMUX_PANE", "%0")
        .args(["c", "--", "true"])
        .ok();
    let bare = std::env::join_paths(["/bin"]).expect("a path");
    lock(&server, ["c", "--", "true"]).env("PATH", bare).ok();
    kill(Pid::from_raw(server.pid().cast_signed()), Signal::SIGSTOP).expect("it is there");
    let said = server
        .helper("sesh-lock")
        .env(
            "TMUX",
            format!("{},{},0", server.socket().display(), server.pid()),
        )
        .env("TMUX_PANE", &pane)
        .args(["c", "--", "sh", "-c", "exit 5"])
        .said();
    kill(Pid::from_raw(server.pid().cast_signed()), Signal::SIGCONT).expect("it is there");
    assert_eq!(said.code(), Some(5), "{said}");
}

#[test]
fn of_many_one_holds_at_every_moment() {
    const RIVALS: usize = 6;
    let server = Server::start();
    // A folder can be made once; who finds it there is not alone.
    let script = "mkdir inside || { touch broken; exit 1; }; rmdir inside";
    let rounds = count(100);
    std::thread::scope(|scope| {
        for _ in 0..RIVALS {
            scope.spawn(|| {
                for _ in 0..rounds {
                    lock(&server, ["race", "--wait", "60s", "--", "sh", "-c", script]).ok();
                }
            });
        }
    });
    assert!(!server.path("broken").exists());
}

#[test]
fn where_no_lock_can_be_made() {
    let server = Server::start();
    std::fs::write(server.path("file"), "").expect("a file");
    let call = lock(&server, ["a", "--", "touch", "ran"]);
    let sentence = call.env("XDG_STATE_HOME", server.path("file")).fails(1);
    assert!(sentence.starts_with("cannot open "), "{sentence}");
    assert!(!server.path("ran").exists());
    // A file of another version, or one half written, says nothing and locks all the same.
    let folder = server.path("state/tmux-sesh/locks");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("a"), "{\"process\":").expect("a file");
    let call = lock(&server, ["a", "--", "touch", "ran"]);
    call.env("XDG_STATE_HOME", server.path("state")).ok();
    assert!(server.path("ran").exists());
}
