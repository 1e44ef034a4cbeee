//! Whether a holder is alive, and what becomes of its claims when it is not.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use super::Repo;
use crate::support::{MAIN, Record, Server, until, until_some};

/// Ends a sesh.
type End = fn(&Repo, &Record);

fn pid(text: &str) -> Pid {
    Pid::from_raw(text.trim().parse().expect("a pid"))
}

/// A sesh that is silent after a moment.
fn silent(repo: &Repo, limit: &str) -> Record {
    repo.server
        .tmux(["set-option", "-g", "@sesh-silent", limit]);
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    one
}

#[test]
fn s06_a_silent_holder_is_shown_and_not_taken() {
    let repo = Repo::new();
    silent(&repo, "2s");
    let two = repo.sesh("two");
    assert_eq!(repo.state("x"), "live");
    until("the holder is silent", || repo.state("x") == "silent");
    let refused = repo.work(two.pane(), &["take", "x"]).fails(4);
    assert!(refused.contains("silent for "), "{refused}");
    repo.work(two.pane(), &["take", "x", "--force", "gone home"])
        .ok();
    assert_eq!(repo.claimed("x")["name"], "two");
    assert!(
        repo.ledger().contains("\"force\":\"gone home\""),
        "{}",
        repo.ledger()
    );
}

#[test]
fn s07_output_is_a_sign_of_life() {
    let repo = Repo::new();
    silent(&repo, "2s");
    let print = "while echo compiled; do sleep 0.3; done";
    let top = repo.top.to_str().expect("UTF-8");
    let loud = repo.server.new_sesh([
        "loud", "--target", MAIN, "--cwd", top, "--", "sh", "-c", print,
    ]);
    repo.claim(loud.pane(), &["y"]);
    until("the quiet one is silent", || repo.state("x") == "silent");
    assert_eq!(repo.state("y"), "live");
}

#[test]
fn s08_s09_a_holder_that_has_ended_is_gone_at_once() {
    let repo = Repo::new();
    let taker = repo.sesh("taker");
    let ends: [(&str, End); 3] = [
        ("kill", |repo, one| {
            let first = repo.server.format(one.pane(), "#{pane_pid}");
            kill(pid(&first), Signal::SIGKILL).expect("it lives");
        }),
        ("pane", |repo, one| {
            repo.server.tmux(["kill-pane", "-t", one.pane()]);
        }),
        ("session", |repo, one| {
            let session = repo.server.format(one.pane(), "#{session_name}");
            repo.server.tmux(["kill-session", "-t", &session]);
        }),
    ];
    for (how, end) in ends {
        let top = repo.top.to_str().expect("UTF-8");
        let one = repo
            .server
            .new_sesh([how, "--session", "--cwd", top, "--", "cat"]);
        repo.claim(one.pane(), &[how]);
        end(&repo, &one);
        let started = std::time::Instant::now();
        until("the holder is gone", || repo.state(how) == "gone");
        assert!(started.elapsed().as_secs() < 10, "{how}");
        repo.work(taker.pane(), &["take", how]).ok();
        assert_eq!(repo.claimed(how)["name"], "taker");
    }
}

#[test]
fn s11_s12_claims_of_a_server_that_died_are_gone_and_not_lost() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["a", "--step", "half of it"]);
    repo.claim(one.pane(), &["b"]);
    repo.server.dies();
    // No server is needed to see them.
    assert_eq!(
        (repo.state("a"), repo.state("b")),
        ("gone".into(), "gone".into())
    );
    repo.server.starts_again();
    let pane = repo.server.session((80, 24), &["-s", "again", "cat", "-"]);
    repo.server.runs(&pane, "cat");
    assert_eq!(repo.state("a"), "gone");
    let held = repo
        .server
        .inside(&pane, "sesh-work", ["claim", "a"])
        .folder(&repo.top)
        .fails(4);
    assert!(
        held.contains("the holder is gone: sesh-work take a"),
        "{held}"
    );
    // The restored sesh holds again, without a take, in its new pane.
    let restored = repo.server.sesh("sesh-restore", [one.uuid()]).said();
    assert_eq!(restored.code(), Some(0), "{restored}");
    until("the restored sesh is live", || repo.state("b") == "live");
    let new = repo.server.record(one.uuid());
    let step = repo
        .server
        .inside(new.pane(), "sesh-work", ["step", "on", "--id", "b"]);
    step.folder(&repo.top).ok();
    assert_eq!(repo.claimed("b")["pane"], new.pane());
    assert_eq!(repo.claimed("a")["step"], "half of it");
    // It is the holder on the new server now, and its new pane shows that.
    assert_eq!(repo.shown(new.pane()), "a b");
}

#[test]
fn s13_two_servers_share_one_ledger() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["a"]);
    let second = Server::start();
    std::fs::copy(
        repo.server.path("home/.gitconfig"),
        second.path("home/.gitconfig"),
    )
    .expect("a file");
    let pane = second.user_pane();
    let work = |args: &[&str]| second.inside(&pane, "sesh-work", args).folder(&repo.top);
    let held = work(&["claim", "a"]).fails(4);
    assert!(held.starts_with("a is held by one"), "{held}");
    work(&["claim", "b"]).ok();
    assert_eq!(
        (repo.state("a"), repo.state("b")),
        ("live".into(), "live".into())
    );
    // A copy of the repository has the claims, too, and no second holder.
    repo.git_in(repo.server.folder(), &["init", "-q", "unused"]);
    let copied = repo
        .server
        .call("/bin/cp".as_ref())
        .args(["-r", "repo", "copy"]);
    copied.ok();
    let copy = repo.server.path("copy");
    let held = second
        .inside(&pane, "sesh-work", ["claim", "a"])
        .folder(&copy)
        .fails(4);
    assert!(held.starts_with("a is held by one"), "{held}");
    second
        .inside(&pane, "sesh-work", ["take", "a"])
        .folder(&copy)
        .fails(4);
    repo.server.dies();
    let here = work(&["--json"]).ok().json();
    let claims = here["claims"].as_array().expect("claims");
    let state = |id: &str| {
        claims
            .iter()
            .find(|claim| claim["id"] == id)
            .expect("a claim")["state"]
            .clone()
    };
    assert_eq!((state("a"), state("b")), ("gone".into(), "live".into()));
    work(&["take", "a"]).ok();
}

#[test]
fn s13_a_socket_that_was_removed_is_no_dead_server() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["a"]);
    let second = Server::start();
    let pane = second.user_pane();
    let work = |args: &[&str]| second.inside(&pane, "sesh-work", args).folder(&repo.top);
    let state = || {
        let board = work(&["--json"]).ok().json();
        board["claims"][0]["state"]
            .as_str()
            .expect("a word")
            .to_string()
    };
    assert_eq!(state(), "live");
    let (socket, aside) = (repo.server.socket(), repo.server.path("aside"));
    std::fs::rename(&socket, &aside).expect("a socket");
    assert_eq!(state(), "unknown");
    let refused = work(&["take", "a"]).fails(4);
    assert!(refused.contains("unknown whether it lives"), "{refused}");
    std::fs::rename(&aside, &socket).expect("a socket");
    assert_eq!(state(), "live");
}

#[test]
fn s13_s14_a_server_that_is_stopped_is_not_dead_and_nobody_is_silent_afterwards() {
    let repo = Repo::new();
    repo.server.tmux(["set-option", "-g", "@sesh-silent", "2s"]);
    let print = "while echo compiled; do sleep 0.1; done";
    let top = repo.top.to_str().expect("UTF-8");
    let loud = repo.server.new_sesh([
        "loud", "--target", MAIN, "--cwd", top, "--", "sh", "-c", print,
    ]);
    repo.claim(loud.pane(), &["a"]);
    let second = Server::start();
    let pane = second.user_pane();
    let work = |args: &[&str]| second.inside(&pane, "sesh-work", args).folder(&repo.top);
    let state = || {
        let board = work(&["--json"]).ok().json();
        board["claims"][0]["state"]
            .as_str()
            .expect("a word")
            .to_string()
    };
    let server = Pid::from_raw(repo.server.pid().cast_signed());
    kill(server, Signal::SIGSTOP).expect("it lives");
    let stopped = std::time::Instant::now();
    assert_eq!(state(), "unknown");
    work(&["take", "a"]).fails(4);
    // Longer than what counts as silent.
    until("it was stopped for long", || {
        stopped.elapsed().as_secs_f64() > 3.0
    });
    kill(server, Signal::SIGCONT).expect("it lives");
    for _ in 0..10 {
        assert_eq!(state(), "live");
    }
}

#[test]
fn s13_a_server_in_another_pid_namespace_is_unknown() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["a"]);
    let path = repo.top.join(".git/sesh/work.jsonl");
    let namespace = tmux_sesh::proc::pid_namespace();
    let text = repo.ledger();
    assert!(!namespace.is_empty() && text.contains(&namespace), "{text}");
    // What a process in a container has written.
    let other = text
        .replace(&namespace, "pid:[1]")
        .replace(one.uuid(), "cccc8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f");
    std::fs::write(path, other).expect("a file");
    assert_eq!(repo.state("a"), "unknown");
    let two = repo.sesh("two");
    repo.work(two.pane(), &["take", "a"]).fails(4);
    repo.work(
        two.pane(),
        &["take", "a", "--force", "the container has ended"],
    )
    .ok();
}

#[test]
fn s15_a_time_in_the_future_makes_nobody_silent_or_gone() {
    let repo = Repo::new();
    let one = silent(&repo, "1s");
    let future = until_some("a time", || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Some(now.expect("a time").as_secs() + 3_600)
    });
    repo.server.tmux([
        "set-option",
        "-p",
        "-t",
        one.pane(),
        "@sesh_since",
        &future.to_string(),
    ]);
    let started = std::time::Instant::now();
    until("longer than what counts as silent", || {
        started.elapsed().as_secs_f64() > 1.5
    });
    let claim = repo.claimed("x");
    assert_eq!(
        (&claim["state"], &claim["age"]),
        (&"live".into(), &serde_json::Value::Null)
    );
    let board = repo.work(one.pane(), &[]).ok();
    assert!(
        board.text().contains("live, age unknown"),
        "{}",
        board.text()
    );
}
