//! Every question to a server has a time limit, and what was sent without an answer is not called done or not done.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::errors::CALLS;
use crate::support::{Call, Gate, NONE, Play, Relay, Said, Server, until, until_some};

/// How long a helper waits for an answer where nothing is said.
const ANSWER: Duration = Duration::from_secs(5);
/// What a busy machine adds.
const SLACK: Duration = Duration::from_secs(3);

/// A process that is stopped until the value goes.
struct Stopped(Pid);

impl Stopped {
    fn server(server: &Server) -> Self {
        let pid = Pid::from_raw(i32::try_from(server.pid()).expect("a pid"));
        kill(pid, Signal::SIGSTOP).expect("it is there");
        until("it is stopped", || {
            tmux_sesh::proc::read(pid.as_raw()).is_some_and(|process| process.stopped)
        });
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

fn timed(call: Call) -> (Said, Duration) {
    let begun = Instant::now();
    let said = call.said();
    (said, begun.elapsed())
}

/// It took as long as the limit, and not much longer.
#[track_caller]
fn took(said: &Said, time: Duration, limit: Duration) {
    let fits = time + Duration::from_millis(100) >= limit && time < limit + SLACK;
    assert!(fits, "{time:?} and not {limit:?}: {said}");
}

/// Runs calls at once, and gives what they said and how long they took.
fn all_at_once(calls: Vec<Call>) -> Vec<(Said, Duration)> {
    std::thread::scope(|scope| {
        let calls: Vec<_> = calls
            .into_iter()
            .map(|call| scope.spawn(|| timed(call)))
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("a call"))
            .collect()
    })
}

/// The processes here but for those that were here before.
fn new_processes(server: &Server, before: &[i32]) -> Vec<String> {
    let mut now = server.processes();
    now.retain(|pid| !before.contains(pid));
    now.into_iter()
        .map(|pid| tmux_sesh::proc::program(pid).argv.join(" "))
        .collect()
}

#[test]
fn a_stopped_server_is_given_up_after_five_seconds() {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let ended = server.new_sesh(["ended", "--", "true"]);
    server.ended(ended.uuid());
    let before = server.processes();
    let stopped = Stopped::server(&server);
    let mut calls: Vec<Call> = Vec::new();
    let more: [(&str, &[&str]); 4] = [
        ("sesh-new", &["--", "true"]),
        ("sesh-restore", &["ended"]),
        ("sesh-restore", &["--last-alive"]),
        ("sesh-list", &["--all"]),
    ];
    for (helper, args) in CALLS.into_iter().chain(more) {
        calls.push(server.sesh(helper, args));
        calls.push(server.sesh(helper, args).env("SESH_CLIENT", "tmux"));
    }
    for (said, time) in all_at_once(calls) {
        let sentence = said.sentence();
        // The first thing that these do is a change, which the server still does when it continues.
        let changes = ["pane-keys", "sesh-new"].iter().any(|it| said.is_of(it));
        let (code, begin) = if changes {
            (7, "unknown whether it was done: no answer from tmux")
        } else {
            (6, "no answer from tmux")
        };
        assert_eq!(said.code(), Some(code), "{said}");
        assert!(sentence.starts_with(begin), "{said}");
        took(&said, time, ANSWER);
        #[cfg(target_os = "linux")]
        assert!(
            sentence.contains(&format!("kill -CONT {}", server.pid())),
            "{said}"
        );
    }
    assert_eq!(
        new_processes(&server, &before),
        NONE.map(String::from),
        "left behind"
    );
    drop(stopped);
    server.sesh("sesh-list", NONE).ok();
}

#[test]
fn a_timeout_counts_from_the_start() {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let stopped = Stopped::server(&server);
    let limit = Duration::from_millis(1500);
    let ways: [(&str, &[&str]); 7] = [
        ("sesh-send", &["one", "x"]),
        ("sesh-send", &["%0", "x", "--wait=10m"]),
        ("sesh-wait", &["one"]),
        ("sesh-wait", &["--tag", "x", "--for", "exit", "--follow"]),
        ("sesh-end", &["one"]),
        ("sesh-gather", &["one", "--end"]),
        ("sesh-restore", &["one"]),
    ];
    let timeout =
        |(helper, args): (&str, &[&str])| server.sesh(helper, args).args(["--timeout", "1500ms"]);
    for (said, time) in all_at_once(ways.into_iter().map(timeout).collect()) {
        assert_eq!(said.code(), Some(6), "{said}");
        took(&said, time, limit);
    }
    drop(stopped);
    assert!(
        server
            .sesh("sesh-list", ["one", "--json"])
            .ok()
            .only()
            .live()
    );
}

#[test]
fn a_longer_timeout_waits_for_a_slow_server() {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    server.new_sesh(["two", "--", "sleep", "1000"]);
    let stopped = Stopped::server(&server);
    let late = std::thread::spawn(move || {
        std::thread::sleep(ANSWER + Duration::from_secs(2)); // why: the time is the fact.
        drop(stopped);
    });
    let wait = ["one", "--for", "busy", "--timeout", "15s"];
    let calls = vec![
        server.sesh("sesh-wait", wait),
        server.sesh("sesh-end", ["two", "--timeout", "15s"]),
        server.sesh("sesh-list", NONE),
    ];
    let said: Vec<Option<i32>> = all_at_once(calls)
        .iter()
        .map(|(said, _)| said.code())
        .collect();
    late.join().expect("the thread that continues it");
    assert_eq!(said, [Some(0), Some(0), Some(6)]);
}

#[test]
fn a_hook_gives_up_within_two_seconds() {
    let server = Server::start();
    let pane = server.user_pane();
    let stop = r#"{"hook_event_name":"Stop","session_id":"11111111-1111-4111-8111-111111111111"}"#;
    let tmux = format!("{},{},0", server.socket().display(), server.pid());
    let _stopped = Stopped::server(&server);
    let hook = |from: &str, payload: &str| {
        server
            .helper("sesh-report")
            .args(["--from", from])
            .env("TMUX", &tmux)
            .env("TMUX_PANE", &pane)
            .stdin(payload)
    };
    let calls = vec![
        hook("claude", stop),
        hook("codex", stop),
        hook("gemini", stop),
    ];
    for (said, time) in all_at_once(calls) {
        assert_eq!(said.code(), Some(0), "{said}");
        assert!(said.stdout.is_empty() && said.stderr.is_empty(), "{said}");
        assert!(
            time < Duration::from_secs(2) + SLACK / 2,
            "{time:?}: {said}"
        );
    }
}

/// A `tmux` on PATH that hangs where a call has one of these words in it.
fn hangs_at(server: &Server, words: &str) {
    let real = server.program().display().to_string();
    server.script(
        "tmux",
        &format!("case \"$*\" in {words}) exec sleep 1000 ;; esac\nexec '{real}' \"$@\""),
    );
}

#[test]
fn of_a_change_without_an_answer_it_is_not_known_whether_it_was_done() {
    let server = Server::start();
    server.new_sesh(["--tag", "t", "one", "--", "cat"]);
    let ended = server.new_sesh(["ended", "--", "true"]);
    server.ended(ended.uuid());
    let other = server.session((80, 24), &["cat", "-"]);
    server.runs(&other, "cat");
    let before = server.processes();
    hangs_at(&server, "*");
    // The list of a change has this word, and nothing that these helpers send before it.
    let gate = Arc::new(Gate::default());
    let holds = Play::Holds("set-option", Arc::clone(&gate));
    let relay = Relay::before(&server, "relay", holds);
    let changes: [(&str, &[&str]); 7] = [
        ("sesh-set", &["one", "--note", "x"]),
        ("sesh-set", &["--tagged", "t", "--note", "x"]),
        ("sesh-adopt", &[&other]),
        ("pane-keys", &["%0", "Enter"]),
        ("sesh-new", &["two", "--", "true"]),
        ("sesh-restore", &["ended"]),
        ("sesh-end", &["ended", "--forget"]),
    ];
    server.sesh("sesh-list", NONE).ok();
    let by_program = changes.map(|(helper, args)| {
        let call = server.sesh(helper, args);
        call.env("SESH_CLIENT", "tmux")
    });
    // Without the program, a question is answered before the change is held.
    let held = ["sesh-set", "pane-keys", "sesh-new"];
    let held = changes.iter().filter(|(helper, _)| held.contains(helper));
    let directly = held.map(|(helper, args)| {
        let socket = ["-S".as_ref(), relay.socket().as_os_str()];
        server.helper(helper).args(socket).args(*args)
    });
    for (said, time) in all_at_once(by_program.into()) {
        assert!(matches!(said.code(), Some(6 | 7)), "{said}");
        took(&said, time, ANSWER);
    }
    for (said, time) in all_at_once(directly.collect()) {
        if said.code() != Some(0) {
            assert_eq!(said.code(), Some(7), "{said}");
            took(&said, time, ANSWER);
            let sentence = said.sentence();
            assert!(sentence.contains("unknown whether it was done"), "{said}");
        }
    }
    assert_eq!(
        new_processes(&server, &before),
        NONE.map(String::from),
        "left behind"
    );
    gate.open.store(true, Ordering::SeqCst);
}

#[test]
fn a_message_whose_paste_has_no_answer_is_not_known_to_be_sent() {
    let server = Server::start();
    // A socket that is younger than the call would be that of a server that is starting.
    let gate = Arc::new(Gate::default());
    let holds = Play::Holds("SESH_send", Arc::clone(&gate));
    let relay = Relay::before(&server, "relay", holds);
    let shell = server.session((80, 24), &["sh"]);
    server.runs(&shell, "sh");
    until("the socket is older than the clock's tick", || {
        let made = relay.socket().metadata().and_then(|it| it.modified());
        let age = made.expect("a socket").elapsed();
        age.is_ok_and(|age| age > Duration::from_millis(100))
    });
    // The lease is no change that was asked for.
    let socket = ["-S".as_ref(), relay.socket().as_os_str()];
    let send = server.helper("sesh-send").args(socket);
    let said = send.args([&shell, "echo x"]).said();
    assert_eq!(said.code(), Some(6), "{said}");
    gate.open.store(true, Ordering::SeqCst);
    hangs_at(&server, "*load-buffer*");
    let said = server.sesh("sesh-send", [&shell, "echo x"]).said();
    assert_eq!(said.code(), Some(7), "{said}");
    let json = server
        .sesh("sesh-send", [&shell, "echo x", "--json"])
        .said();
    assert_eq!(json.code(), Some(7), "{json}");
    server.script(
        "tmux",
        &format!("exec '{}' \"$@\"", server.program().display()),
    );
    assert_eq!(server.tmux(["list-buffers"]), "");
}

#[test]
fn a_wait_survives_a_server_that_is_stopped_for_a_moment() {
    let server = Server::start();
    // With job control each program has the foreground. A wait sees another one there, and asks the server about it.
    let script = "sleep 54331; sleep 54332; read line; exit 3";
    let one = server.new_sesh(["one", "--", "bash", "-m", "-c", script]);
    let in_front = |time: &str| {
        let mut all = server.processes().into_iter();
        all.find(|pid| tmux_sesh::proc::program(*pid).argv == ["sleep", time])
    };
    let ways: [&[&str]; 4] = [
        &["one", "--for", "exit"],
        &["one", "--for", "exit", "--timeout", "1m"],
        &[
            "one",
            "--for",
            "exit",
            "--for",
            "output=no such",
            "--for",
            "quiet=1h",
        ],
        &["one", "--for", "exit", "--all"],
    ];
    let waiting = Instant::now();
    let calls = ways.map(|args| server.sesh("sesh-wait", args)).into();
    std::thread::scope(|scope| {
        let all = scope.spawn(|| all_at_once(calls));
        for time in ["54331", "54332"] {
            let program = until_some("its program runs", || in_front(time));
            let begun = waiting.elapsed();
            until("the waits have had time to look", || {
                waiting.elapsed() >= begun + Duration::from_millis(700)
            });
            let stopped = Stopped::server(&server);
            kill(Pid::from_raw(program), Signal::SIGKILL).expect("it is there");
            std::thread::sleep(Duration::from_millis(2500)); // why: the time is the fact.
            drop(stopped);
        }
        server.tmux(["send-keys", "-t", one.pane(), "Enter"]);
        for (said, _) in all.join().expect("the calls") {
            assert_eq!(said.code(), Some(0), "{said}");
            assert!(said.line().starts_with("one\texit\t"), "{said}");
        }
    });
}

/// A stopped server accepts as many connections as its queue holds. Then others wait before they can ask.
#[cfg(target_os = "linux")]
#[test]
fn a_queue_of_connections_that_is_full_has_a_limit_too() {
    use std::os::unix::net::UnixStream;
    let server = Server::start();
    let _stopped = Stopped::server(&server);
    let (sender, receiver) = std::sync::mpsc::channel();
    let socket = server.socket();
    std::thread::spawn(move || {
        while let Ok(stream) = UnixStream::connect(&socket) {
            if sender.send(stream).is_err() {
                break;
            }
        }
    });
    let mut connections = Vec::new();
    while let Ok(connection) = receiver.recv_timeout(Duration::from_secs(1)) {
        connections.push(connection);
    }
    assert!(connections.len() >= 100, "{}", connections.len());
    let (said, time) = timed(server.sesh("sesh-list", NONE));
    assert_eq!(said.code(), Some(6), "{said}");
    took(&said, time, ANSWER);
}

#[test]
fn a_server_that_reads_a_slow_configuration_is_waited_for() {
    let server = Server::empty();
    let configuration = server.path("home/.tmux.conf");
    std::fs::write(&configuration, "run-shell 'sleep 6'\n").expect("a file");
    let socket = server.path("slow");
    let made = server
        .helper("sesh-new")
        .args(["-S".as_ref(), socket.as_os_str()])
        .args(["one", "--", "sleep", "1000"]);
    let (said, time) = timed(made);
    let tmux = server.call(server.program());
    tmux.args(["-S".as_ref(), socket.as_os_str()])
        .args(["kill-server"])
        .ok();
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(time > ANSWER, "{time:?}");
}

#[test]
fn a_lock_that_is_held_has_a_limit() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "sleep", "1000"]);
    let folder = server.path("home/.local/state/tmux-sesh/journal");
    let files = std::fs::read_dir(folder).expect("a folder");
    let lock = files
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|it| it == "lock"));
    let lock = std::fs::File::open(lock.expect("a lock")).expect("a file");
    lock.lock().expect("the lock");
    let (said, time) = timed(server.sesh("sesh-set", ["one", "--note", "x"]));
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(said.stderr.contains("another process keeps"), "{said}");
    took(&said, time, ANSWER);
    assert_eq!(server.record(one.uuid()).text("note"), "x");
}
