//! `sesh-wait`: no change is missed, and none is told twice.

mod hints;
mod interleaved;

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Dice, Gate, Play, Record, Relay, Said, Server, count, until};

/// A wait that must end by itself.
#[track_caller]
fn wait(server: &Server, args: &[&str]) -> Said {
    server.sesh("sesh-wait", args).said()
}

/// One event, as JSON.
#[derive(Debug)]
struct Event(Value);

impl Event {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or("")
    }

    fn name(&self) -> &str {
        self.text("name")
    }

    /// `name event reason`.
    fn words(&self) -> String {
        let words = [self.name(), self.text("event"), self.text("reason")];
        words.join(" ").trim_end().into()
    }

    fn cursor(&self) -> String {
        self.text("cursor").into()
    }
}

#[track_caller]
fn events(said: &Said) -> Vec<Event> {
    let line = |line: &str| {
        Event(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {said}")))
    };
    said.lines().into_iter().map(line).collect()
}

/// The one event that ends a wait.
#[track_caller]
fn event(server: &Server, args: &[&str]) -> Event {
    let said = server.sesh("sesh-wait", ["--json"]).args(args).ok();
    let mut events = events(&said);
    assert_eq!(events.len(), 1, "{said}");
    events.remove(0)
}

/// A wait that ends with this code, and the cursor that it gives all the same.
#[track_caller]
fn ends(server: &Server, code: i32, word: &str, args: &[&str]) -> String {
    let said = server.sesh("sesh-wait", ["--json"]).args(args).said();
    assert_eq!(said.code(), Some(code), "{said}");
    let events = events(&said);
    let last = events.last().expect("a line");
    assert_eq!(last.text("event"), word, "{said}");
    last.cursor()
}

/// Nothing has happened.
#[track_caller]
fn nothing(server: &Server, args: &[&str]) {
    let args = [args, &["--timeout", "300ms"]].concat();
    ends(server, 6, "timeout", &args);
}

/// A wait that goes on beside the test, from when it has its place among those that are woken.
struct Standing {
    child: Child,
    relay: Relay,
    gate: Arc<Gate>,
}

impl Standing {
    fn start(server: &Server, args: &[&str]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        // What it asks tells how far it is: what counts as known is known before it asks for its place.
        let gate = Arc::new(Gate::default());
        gate.open.store(true, Ordering::SeqCst);
        let name = format!("relay{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let relay = Relay::before(server, &name, Play::Holds("wait-for", Arc::clone(&gate)));
        let child = server
            .helper("sesh-wait")
            .args(["-S".as_ref(), relay.socket().as_os_str()])
            .args(["--json"])
            .args(args)
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a wait");
        let standing = Self { child, relay, gate };
        until("it waits", || standing.places() > 0);
        standing
    }

    /// How many places it has had among those that are woken. It has one for each channel.
    fn places(&self) -> usize {
        self.gate.answered.load(Ordering::SeqCst)
    }

    /// How many clients it has been since the last look.
    fn clients(&self) -> usize {
        self.relay.clients()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    /// Whether it has not ended.
    fn goes_on(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The next event that it tells.
    #[track_caller]
    fn hears(&mut self) -> Event {
        let told = self.child.stdout.as_mut().expect("its words");
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            told.read_exact(&mut byte).expect("another event");
            line.extend(byte);
        }
        Event(serde_json::from_slice(&line).expect("JSON"))
    }

    /// Its end: the code and what it said.
    #[track_caller]
    fn end(mut self) -> (Option<i32>, Vec<Event>) {
        until("the wait ends", || !self.goes_on());
        let output = self.child.wait_with_output().expect("an output");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let events = text
            .lines()
            .map(|line| Event(serde_json::from_str(line).expect("JSON")))
            .collect();
        (output.status.code(), events)
    }

    #[track_caller]
    fn words(self) -> Vec<String> {
        let (code, events) = self.end();
        assert_eq!(code, Some(0), "{events:?}");
        events.iter().map(Event::words).collect()
    }

    fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("its end");
    }
}

/// A sesh whose command does what it is told: `exit 3`, or any line of the shell.
fn told(server: &Server, args: &[&str]) -> Record {
    let script = "stty -echo; echo listens; while read -r line; do eval \"$line\"; done";
    let made = server.new_sesh(args.iter().chain(&["--", "sh", "-c", script]));
    // What is typed before is echoed.
    server.shows(made.pane(), "listens");
    made
}

#[test]
fn three_idle_seshes_are_each_told_once() {
    let server = Server::start();
    for name in ["a", "b", "c"] {
        let made = server.new_sesh([name, "--tag", "x"]);
        server.when("it is idle", made.uuid(), |it| it.state() == "idle");
    }
    let question = ["--tag", "x", "--for", "idle"];
    let mut told = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..3 {
        let mut args = question.to_vec();
        args.extend(
            cursor
                .iter()
                .flat_map(|cursor| ["--since", cursor.as_str()]),
        );
        let event = event(&server, &args);
        told.push(event.words());
        cursor = Some(event.cursor());
    }
    told.sort();
    assert_eq!(told, ["a idle process", "b idle process", "c idle process"]);
    let cursor = cursor.expect("a cursor");
    let since = [&question[..], &["--since", &cursor]].concat();
    nothing(&server, &since);
    // One of them worked since.
    let busy = server.sesh("sesh-list", ["--json", "b"]).ok().only();
    server.say(busy.pane(), "true");
    server.say(busy.pane(), "sleep 2.5");
    assert_eq!(event(&server, &since).words(), "b idle process");
}

#[test]
fn an_end_that_was_faster_than_the_caller() {
    let server = Server::start();
    for (hold, how) in [("10m", "held"), ("0", "closed")] {
        server.tmux(["set-option", "-g", "@sesh-hold", hold]);
        let made = server.new_sesh([how, "--tag", how, "--", "sh", "-c", "exit 0"]);
        server.ended(made.uuid());
        until("its pane is as it will be", || {
            server.has_pane(made.pane()) == (how == "held")
        });
        let end = event(&server, &[how, "--for", "exit"]);
        assert_eq!(end.words(), format!("{how} exit 0"));
        assert_eq!(end.0["sesh"]["exit"]["code"], 0);
        ends(
            &server,
            3,
            "empty",
            &[how, "--for", "exit", "--since", &end.cursor()],
        );
    }
    let all = event(&server, &["--tag", "held", "--for", "exit", "--all"]);
    assert_eq!(all.words(), "held exit 0");
    let all = event(&server, &["--tag", "closed", "--for", "exit", "--all"]);
    assert_eq!(all.words(), "closed exit 0");
    // Of a tag's, what is long gone is no news.
    let book = format!("@seshbook_{}", all.0["uuid"].as_str().expect("a uuid"));
    let long_ago = all.0["sesh"]["exit"]["at"].as_u64().expect("a time") - 601;
    // The last of two fields counts.
    let end = format!(",exit=0 - {long_ago}");
    server.tmux(["set-option", "-sa", &book, &end]);
    ends(&server, 3, "empty", &["--tag", "closed", "--for", "exit"]);
    let failed = server.new_sesh(["failed", "--", "sh", "-c", "exit 7"]);
    server.ended(failed.uuid());
    assert_eq!(event(&server, &["failed"]).words(), "failed exit 7");
    let said = wait(&server, &["failed", "--propagate"]);
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(said.line().starts_with("failed\texit\t7\tc1."), "{said}");
    let killed = server.new_sesh(["killed", "--", "sh", "-c", "kill -TERM $$"]);
    server.ended(killed.uuid());
    assert_eq!(event(&server, &["killed"]).words(), "killed exit TERM");
    assert_eq!(wait(&server, &["killed", "--propagate"]).code(), Some(1));
    assert_eq!(wait(&server, &["held", "--propagate"]).code(), Some(0));
}

#[test]
fn what_happens_while_it_waits() {
    let server = Server::start();
    let one = told(&server, &["one", "--tag", "x"]);
    let exit = Standing::start(&server, &["one", "--for", "exit"]);
    let again = Standing::start(&server, &["--tag", "x", "--for", "exit"]);
    let other = Standing::start(&server, &["one", "--for", "waiting"]);
    let started = Instant::now();
    server.say(one.pane(), "sesh-report --state waiting --why question");
    assert_eq!(other.words(), ["one waiting question"]);
    // It is woken, and does not find it by looking.
    assert!(
        started.elapsed() < Duration::from_millis(450),
        "{:?}",
        started.elapsed()
    );
    server.say(one.pane(), "exit 3");
    assert_eq!(exit.words(), ["one exit 3"]);
    assert_eq!(again.words(), ["one exit 3"]);
}

#[test]
fn a_set_that_becomes_empty_ends_the_wait() {
    let server = Server::start();
    ends(&server, 3, "empty", &["--tag", "nobody"]);
    let sentence = server.sesh("sesh-wait", ["--tag", "nobody"]).fails(3);
    assert!(sentence.contains("nothing left to wait for"), "{sentence}");
    server.sesh("sesh-wait", ["nobody"]).fails(3);
    let one = told(&server, &["one", "--tag", "x"]);
    let idle = Standing::start(&server, &["--tag", "x", "--for", "idle"]);
    server.say(one.pane(), "exit 0");
    let (code, events) = idle.end();
    assert_eq!((code, events[0].text("event")), (Some(3), "empty"));
    let two = told(&server, &["two", "--tag", "y"]);
    let untagged = Standing::start(&server, &["--tag", "y", "--for", "exit"]);
    server.sesh("sesh-set", ["two", "--untag", "y"]).ok();
    assert_eq!(untagged.end().0, Some(3));
    let killed = Standing::start(&server, &["two", "--for", "idle"]);
    server.tmux(["kill-pane", "-t", two.pane()]);
    assert_eq!(killed.end().0, Some(3));
}

#[test]
fn processes_that_nobody_tells_of() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "sleep", "1000"]);
    let exit = Standing::start(&server, &["one", "--for", "exit"]);
    let pid: i32 = server
        .format(one.pane(), "#{pane_pid}")
        .parse()
        .expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it can be killed");
    assert_eq!(exit.words(), ["one exit ?"]);
    let shell = server.new_sesh(["two"]);
    server.when("it is idle", shell.uuid(), |it| it.state() == "idle");
    let busy = Standing::start(&server, &["two", "--for", "busy"]);
    let turn = Standing::start(&server, &["two", "--for", "turn"]);
    server.say(shell.pane(), "cat");
    assert_eq!(busy.words(), ["two busy process"]);
    // At once: the other may not have seen it busy.
    server.tmux(["send-keys", "-t", shell.pane(), "C-c"]);
    assert_eq!(turn.words(), ["two idle process"]);
    // An adopted pane that is closed.
    let pane = server.session((80, 24), &["cat", "-"]);
    server.runs(&pane, "cat");
    server.sesh("sesh-adopt", [&pane, "--name", "three"]).ok();
    let exit = Standing::start(&server, &["three", "--for", "exit"]);
    server.tmux(["kill-pane", "-t", &pane]);
    assert_eq!(exit.words(), ["three exit ?"]);
}

#[test]
fn fresh_wants_a_change() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    let report = |words: &str| server.say(one.pane(), &format!("sesh-report --state {words}"));
    assert_eq!(
        event(&server, &["one", "--for", "busy"]).words(),
        "one busy process"
    );
    nothing(&server, &["one", "--for", "busy", "--fresh"]);
    let fresh = Standing::start(&server, &["one", "--for", "busy", "--fresh"]);
    report("idle; sesh-report --state busy");
    assert_eq!(fresh.words(), ["one busy hook"]);
    report("idle");
    server.shows_state(one.pane(), "idle");
    nothing(&server, &["one", "--fresh"]);
    nothing(&server, &["one", "--for", "change"]);
}

#[test]
fn a_turn_is_from_busy_to_what_is_not() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    let report = |words: &str| {
        let script: Vec<String> = words
            .split(", ")
            .map(|words| format!("sesh-report --state {}", words.replace(' ', " --why ")))
            .collect();
        server.say(one.pane(), &script.join("; "));
        let last = words.split(", ").last().expect("a word");
        server.shows_state(one.pane(), last);
    };
    report("idle");
    let cursor = ends(
        &server,
        6,
        "timeout",
        &["one", "--for", "turn", "--timeout", "0s"],
    );
    let since = ["one", "--for", "turn", "--since", &cursor];
    nothing(&server, &since);
    // Not worked.
    report("waiting dialog, idle");
    nothing(&server, &since);
    report("unknown, idle");
    nothing(&server, &since);
    report("busy");
    nothing(&server, &since);
    report("waiting permission");
    let turn = event(&server, &since);
    assert_eq!(turn.words(), "one waiting permission");
    let cursor = turn.cursor();
    let since = ["one", "--for", "turn", "--since", &cursor];
    report("idle");
    nothing(&server, &since);
    // It came and went between two looks.
    report("busy, idle");
    let turn = event(&server, &since);
    assert_eq!(turn.words(), "one idle hook");
    report("busy");
    let cursor = ends(
        &server,
        6,
        "timeout",
        &["one", "--for", "turn", "--timeout", "0s"],
    );
    report("unknown, idle");
    let since = ["one", "--for", "turn", "--since", &cursor];
    assert_eq!(event(&server, &since).words(), "one idle hook");
    let last = Standing::start(&server, &["one", "--for", "turn"]);
    server.say(one.pane(), "exit 4");
    assert_eq!(last.words(), ["one exit 4"]);
}

/// As the library is used: from a generation that was read before something was done.
#[test]
fn from_a_generation() {
    use tmux_sesh::tmux::Socket;
    use tmux_sesh::watch::{EventKind, Set, WaitEvent, WaitOutcome, WaitRequest, WaitSince, wait};

    let server = Server::start();
    let one = told(&server, &["one"]);
    let report = |words: &str| {
        server.say(one.pane(), &format!("sesh-report --state {words}"));
        server.shows_state(one.pane(), words);
    };
    report("idle");
    let id = one.uuid().parse().expect("an id");
    let generation = server.record(one.uuid()).get("gen").as_u64();
    let program = server.program().into();
    let tmux = tmux_sesh::tmux::Server::with_program(program, Socket::Path(server.socket()));
    let tmux = tmux.expect("a server");
    let turn = |generation: u64| {
        let request = WaitRequest {
            set: Set {
                ids: vec![id],
                tags: Vec::new(),
            },
            until: vec![WaitEvent::Turn],
            since: WaitSince::Generations(BTreeMap::from([(id, generation)])),
            ..WaitRequest::default()
        };
        let limit = Some(Duration::from_millis(300));
        wait(&tmux, request, limit).expect("an outcome").0
    };
    let before = generation.expect("a number");
    assert!(matches!(turn(before), WaitOutcome::TimedOut));
    report("busy");
    report("idle");
    let WaitOutcome::Events(events) = turn(before) else {
        panic!("no turn");
    };
    assert_eq!(
        events[0].what,
        EventKind::State(tmux_sesh::state::State::Idle)
    );
    let after = events[0].record.as_ref().expect("a record").generation;
    assert!(matches!(turn(after), WaitOutcome::TimedOut));
}

#[test]
fn whoever_comes_and_goes() {
    let server = Server::start();
    let one = told(&server, &["one", "--tag", "x", "--tag", "y"]);
    told(&server, &["two", "--tag", "x"]);
    let change = ["--tag", "x", "--tag", "y", "--for", "change"];
    let next = |cursor: &str| event(&server, &[&change[..], &["--since", cursor]].concat());
    let cursor = ends(
        &server,
        6,
        "timeout",
        &[&change[..], &["--timeout", "0s"]].concat(),
    );
    server.sesh("sesh-set", ["two", "--note", "no news"]).ok();
    nothing(&server, &[&change[..], &["--since", &cursor]].concat());
    server.sesh("sesh-set", ["two", "--tag", "y"]).ok();
    let joined = next(&cursor);
    assert_eq!(joined.words(), "two joined busy");
    server.sesh("sesh-set", ["two", "--untag", "x"]).ok();
    let left = next(&joined.cursor());
    assert_eq!(left.words(), "two left untagged");
    let three = told(&server, &["three", "--tag", "x", "--tag", "y"]);
    let joined = next(&left.cursor());
    assert_eq!(joined.words(), "three joined busy");
    server.sesh("sesh-end", ["three", "--forget"]).ok();
    let end = next(&joined.cursor());
    assert_eq!(
        (end.text("event"), end.text("uuid")),
        ("exit", three.uuid())
    );
    assert_eq!(end.text("reason"), "forgotten");
    // Born and ended between two calls.
    let four = server.new_sesh([
        "four", "--tag", "x", "--tag", "y", "--", "sh", "-c", "exit 4",
    ]);
    server.ended(four.uuid());
    server.tmux(["kill-pane", "-t", four.pane()]);
    let end = next(&end.cursor());
    assert_eq!(end.words(), "four exit 4");
    nothing(
        &server,
        &[&change[..], &["--since", &end.cursor()]].concat(),
    );
    // Known, and killed between two calls: its end is in its book alone.
    let five = server.new_sesh(["five", "--tag", "x", "--tag", "y", "--", "sleep", "1000"]);
    server.runs(five.pane(), "sleep");
    let joined = next(&end.cursor());
    assert_eq!(joined.words(), "five joined busy");
    server.tmux(["kill-pane", "-t", five.pane()]);
    server.when("its end is written", five.uuid(), |it| {
        !it.get("exit").is_null()
    });
    let end = next(&joined.cursor());
    assert_eq!(end.words(), "five exit HUP");
    server.say(one.pane(), "exit 1");
    let end = next(&end.cursor());
    assert_eq!(end.words(), "one exit 1");
    ends(
        &server,
        3,
        "empty",
        &[&change[..], &["--since", &end.cursor()]].concat(),
    );
}

#[test]
fn all_of_a_set() {
    let server = Server::start();
    let made: Vec<Record> = ["one", "two", "three"]
        .iter()
        .map(|name| told(&server, &[name, "--tag", "x"]))
        .collect();
    let mut all = Standing::start(&server, &["--tag", "x", "--all", "--for", "exit"]);
    let mut idle = Standing::start(&server, &["--tag", "x", "--all", "--for", "idle"]);
    let failed = Standing::start(
        &server,
        &["--tag", "x", "--all", "--for", "exit", "--propagate"],
    );
    server.say(made[0].pane(), "sesh-report --state idle");
    server.say(made[1].pane(), "exit 0");
    server.ended(made[1].uuid());
    assert!(idle.goes_on(), "one is left");
    server.say(made[2].pane(), "sesh-report --state idle");
    let sorted = |mut words: Vec<String>| {
        words.sort();
        words
    };
    assert_eq!(
        sorted(idle.words()),
        ["one idle hook", "three idle hook", "two exit 0"]
    );
    server.say(made[0].pane(), "exit 2");
    server.ended(made[0].uuid());
    assert!(all.goes_on(), "one is left");
    server.say(made[2].pane(), "exit 0");
    assert_eq!(
        sorted(all.words()),
        ["one exit 2", "three exit 0", "two exit 0"]
    );
    assert_eq!(failed.end().0, Some(1));
}

#[test]
fn followed_to_the_end() {
    let server = Server::start();
    let one = told(&server, &["one", "--tag", "x"]);
    let args = "--tag x --follow --for change --for output=^found --timeout 20s";
    let args: Vec<&str> = args.split(' ').collect();
    let mut follow = Standing::start(&server, &args);
    let report = |words: &str| server.say(one.pane(), &format!("sesh-report --state {words}"));
    report("waiting --why question");
    assert_eq!(follow.hears().words(), "one waiting question");
    report("busy");
    assert_eq!(follow.hears().words(), "one busy hook");
    let two = told(&server, &["two", "--tag", "x"]);
    assert_eq!(follow.hears().words(), "two joined busy");
    server.say(two.pane(), "echo found it");
    assert_eq!(follow.hears().words(), "two output found it");
    server.say(two.pane(), "exit 0");
    assert_eq!(follow.hears().words(), "two exit 0");
    server.say(one.pane(), "exit 5");
    let (code, events) = follow.end();
    assert_eq!(code, Some(0));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].words(), "one exit 5");
    let last = events.last().expect("an event").cursor();
    ends(&server, 3, "empty", &["--tag", "x", "--since", &last]);
}

#[test]
fn the_time_is_over() {
    let server = Server::start();
    told(&server, &["one"]);
    for (args, least) in [(["--timeout", "0s"], 0), (["--timeout", "400ms"], 400)] {
        let started = Instant::now();
        let sentence = server.sesh("sesh-wait", ["one"]).args(args).fails(6);
        assert!(sentence.contains("timed out"), "{sentence}");
        let took = started.elapsed();
        let least = Duration::from_millis(least);
        assert!(
            took >= least && took < least + Duration::from_secs(2),
            "{took:?}"
        );
    }
    ends(
        &server,
        6,
        "timeout",
        &["one", "--follow", "--timeout", "100ms"],
    );
}

#[test]
fn the_server_ends() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let server = Server::start();
        told(&server, &["one"]);
        let waits: Vec<Standing> = [
            &["one", "--for", "idle", "--timeout", "1h"][..],
            &["one", "--for", "quiet=1h"],
            &["one", "--follow", "--for", "idle"],
        ]
        .iter()
        .map(|args| Standing::start(&server, args))
        .collect();
        let pid = Pid::from_raw(i32::try_from(server.pid()).expect("a pid"));
        kill(pid, signal).expect("the server lives");
        let started = Instant::now();
        for wait in waits {
            assert_eq!(wait.end().0, Some(69));
        }
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{:?}",
            started.elapsed()
        );
        server.sesh("sesh-wait", ["one"]).fails(69);
    }
}

#[test]
fn one_that_was_killed_harms_nobody() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    let report = |words: &str| server.say(one.pane(), &format!("sesh-report --state {words}"));
    for round in 0..4 {
        let killed: Vec<Standing> = (0..=round)
            .map(|_| Standing::start(&server, &["one", "--for", "idle"]))
            .collect();
        let lives = Standing::start(&server, &["one", "--for", "idle"]);
        for wait in killed {
            wait.kill();
        }
        let later = Standing::start(&server, &["one", "--for", "idle"]);
        let started = Instant::now();
        report("idle");
        assert_eq!(lives.words(), ["one idle hook"]);
        assert_eq!(later.words(), ["one idle hook"]);
        assert!(
            started.elapsed() < Duration::from_millis(450),
            "{:?}",
            started.elapsed()
        );
        report("busy");
        server.shows_state(one.pane(), "busy");
    }
    let clients = server.tmux(["list-clients"]);
    assert_eq!(clients, "", "nobody is attached");
    let left = server.tmux(["show-environment", "-gh"]);
    let left: Vec<&str> = left.lines().filter(|line| line.contains("SESH")).collect();
    let known = [
        "SESH_settled=",
        "SESH_hook_",
        "SESH_changes=",
        "SESH_if",
        "SESH_tell=",
    ];
    assert!(
        left.iter()
            .all(|line| known.iter().any(|name| line.starts_with(name))),
        "{left:?}"
    );
}

/// tmux never frees a client that goes while it waits, so one that gives up is woken, and with it the others.
#[test]
fn one_that_gives_up_wakes_the_others_only_to_wait_on() {
    const TIMES: usize = 5;
    let server = Server::start();
    let one = told(&server, &["one"]);
    nothing(&server, &["one", "--for", "exit"]);
    let mut lives = Standing::start(&server, &["one", "--for", "idle"]);
    until("it has its place", || lives.places() == 1);
    lives.clients();
    for time in 1..=TIMES {
        nothing(&server, &["one", "--for", "exit"]);
        // The answer comes with the signal: all that it does is to wait again.
        until("it waits again", || lives.places() > time);
    }
    let clients = lives.clients();
    assert!((TIMES - 1..=TIMES + 1).contains(&clients), "{clients}");
    assert!(lives.goes_on());
    server.say(one.pane(), "sesh-report --state idle");
    assert_eq!(lives.words(), ["one idle hook"]);
}

/// A change between its reading and its waiting, which is signalled to no one any more, is counted, and so it is seen.
#[test]
fn what_comes_before_it_waits() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    // With this no signal is remembered: each that comes is one for nobody.
    nothing(&server, &["one", "--for", "idle"]);
    let gate = Arc::new(Gate::default());
    let relay = Relay::before(&server, "relay", Play::Holds("wait-for", Arc::clone(&gate)));
    let said = std::thread::scope(|scope| {
        let wait = scope.spawn(|| {
            let socket = ["-S".as_ref(), relay.socket().as_os_str()];
            let args = ["one", "--for", "idle", "--timeout", "5s"];
            server.helper("sesh-wait").args(socket).args(args).said()
        });
        until("it asks for its place", || gate.held.load(Ordering::SeqCst));
        let idle = ["set-option", "-p", "-t", one.pane(), "@sesh_state", "idle"];
        server.tmux(idle);
        server.tmux(["set-option", "-p", "-t", one.pane(), "@sesh_gen", "9"]);
        let next = "#{e|+:#{SESH_changes},1}";
        server.tmux(["set-environment", "-ghF", "SESH_changes", next]);
        gate.open.store(true, Ordering::SeqCst);
        wait.join().expect("a wait")
    });
    assert_eq!(said.code(), Some(0), "{said}");
}

/// A server of 3.2a dies of some questions about a pane that is gone.
#[test]
fn a_pane_that_goes_just_before_it_is_looked_at() {
    let server = Server::start();
    told(&server, &["one", "--tag", "x"]);
    let two = told(&server, &["two", "--tag", "x"]);
    let gate = Arc::new(Gate::default());
    let relay = Relay::before(
        &server,
        "relay",
        Play::Holds("window_panes", Arc::clone(&gate)),
    );
    let said = std::thread::scope(|scope| {
        let wait = scope.spawn(|| {
            let socket = ["-S".as_ref(), relay.socket().as_os_str()];
            let args = [
                "--tag",
                "x",
                "--for",
                "quiet=500ms",
                "--fresh",
                "--timeout",
                "1s",
            ];
            server.helper("sesh-wait").args(socket).args(args).said()
        });
        until("it looks", || gate.held.load(Ordering::SeqCst));
        server.tmux(["kill-pane", "-t", two.pane()]);
        gate.open.store(true, Ordering::SeqCst);
        wait.join().expect("a wait")
    });
    assert_eq!(said.code(), Some(6), "{said}");
    assert!(server.alive());
}

#[test]
fn without_speaking_to_the_server_itself() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    server.say(one.pane(), "sleep 0.3; exit 6");
    let said = server
        .sesh("sesh-wait", ["--json", "one", "--for", "exit"])
        .env("SESH_CLIENT", "tmux")
        .ok();
    assert_eq!(events(&said)[0].words(), "one exit 6");
}

#[test]
fn what_is_printed() {
    let server = Server::start();
    let one = told(&server, &["one", "--tag", "x"]);
    server.say(one.pane(), "echo ready to go");
    server.shows(one.pane(), "ready to go");
    let seen = event(&server, &["one", "--for", "output=^ready"]);
    assert_eq!(seen.words(), "one output ready to go");
    let since = |cursor: &str, pattern: &str| {
        let pattern = format!("output={pattern}");
        event(&server, &["one", "--for", &pattern, "--since", cursor])
    };
    nothing(
        &server,
        &["one", "--for", "output=ready", "--since", &seen.cursor()],
    );
    nothing(&server, &["one", "--for", "output=ready", "--fresh"]);
    // Printed between two calls, and scrolled far away.
    server.say(one.pane(), "echo needle; seq 1 300; echo end of it");
    server.shows(one.pane(), "end of it");
    let seen = since(&seen.cursor(), "^needle$");
    assert_eq!(seen.words(), "one output needle");
    let mut standing = Standing::start(
        &server,
        &["--tag", "x", "--fresh", "--for", "output=(?i)ERROR"],
    );
    server.say(one.pane(), "echo fine");
    server.shows(one.pane(), "fine");
    assert!(standing.goes_on());
    server.say(one.pane(), "echo an error: $((6*7)); exit 1");
    assert_eq!(standing.words(), ["one output an error: 42"]);
    server.ended(one.uuid());
    // Its pane is held, and what sesh-run wrote there is no output.
    assert_eq!(
        since(&seen.cursor(), "error").words(),
        "one output an error: 42"
    );
    ends(&server, 3, "empty", &["one", "--for", "output=sesh"]);
}

/// Lines that come before, while and after a wait begins, each waited for from where the one before was found.
#[test]
fn no_line_is_missed() {
    race_for_lines("50000");
}

#[test]
fn no_line_is_missed_where_tmux_drops_lines() {
    race_for_lines("150");
}

fn race_for_lines(history: &str) {
    let server = Server::start();
    server.tmux(["set-option", "-g", "history-limit", history]);
    let one = told(&server, &["one", "--tag", "x"]);
    let mut dice = Dice::new();
    let mut cursor = event(&server, &["one", "--for", "output=listens"]).cursor();
    for round in 0..count(300) {
        let (before, after) = (dice.roll(40), dice.roll(3));
        let line = format!("line {round} of them");
        let print = format!("seq {before}; echo {line}; seq {after}");
        let pattern = format!("output=^{line}$");
        let args = ["--tag", "x", "--for", &pattern, "--since", &cursor];
        let found = std::thread::scope(|scope| {
            if round % 3 == 0 {
                server.say(one.pane(), &print);
                server.shows(one.pane(), &line);
            } else {
                scope.spawn(|| server.say(one.pane(), &print));
            }
            event(&server, &[&args[..], &["--timeout", "15s"]].concat())
        });
        assert_eq!(found.text("reason"), line);
        cursor = found.cursor();
        if history == "50000" {
            nothing_of(&server, &line, &cursor);
        }
    }
}

/// A line was told, and is not told again.
#[track_caller]
fn nothing_of(server: &Server, line: &str, cursor: &str) {
    let pattern = format!("output=^{line}$");
    let args = [
        "one",
        "--for",
        &pattern,
        "--since",
        cursor,
        "--timeout",
        "0s",
    ];
    ends(server, 6, "timeout", &args);
}

#[test]
fn how_long_it_is_quiet() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    server.say(
        one.pane(),
        "i=0; while test $i -lt 12; do echo $i; sleep 0.1; i=$((i+1)); done; echo last",
    );
    server.shows(one.pane(), "1");
    let started = Instant::now();
    let quiet = event(&server, &["one", "--for", "quiet=500ms", "--fresh"]);
    assert_eq!(quiet.words(), "one quiet 500ms");
    assert!(server.screen(one.pane()).contains("last"));
    assert!(started.elapsed() > Duration::from_millis(500));
    // Told once.
    let since = ["one", "--for", "quiet=500ms", "--since", &quiet.cursor()];
    nothing(&server, &since);
    nothing(&server, &["one", "--for", "quiet=100ms", "--fresh"]);
    server.say(one.pane(), "echo more");
    server.shows(one.pane(), "more");
    assert_eq!(event(&server, &since).words(), "one quiet 500ms");
    // It has been so for long.
    let started = Instant::now();
    event(&server, &["one", "--for", "quiet=100ms"]);
    assert!(started.elapsed() < Duration::from_secs(2));
}

/// Only Linux counts what a process reads.
#[cfg(target_os = "linux")]
#[test]
fn a_server_that_reads_nothing_is_asked_nothing() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "cat"]);
    server.runs(made.pane(), "cat");
    let relay = Relay::before(&server, "counted", Play::Honest);
    let questions = |limit: &str| {
        for for_what in ["quiet=1h", "output=never"] {
            server
                .helper("sesh-wait")
                .args(["-S".as_ref(), relay.socket().as_os_str()])
                .args(["one", "--for", for_what, "--timeout", limit])
                .fails(6);
        }
        relay.clients()
    };
    let short = questions("300ms");
    let long = questions("3s");
    // Ten looks in each of the five seconds between the two would be fifty.
    assert!(short > 0 && long < short + 5, "{short} and {long}");
    // Typed text is echoed, and that is output.
    let seen = Standing::start(&server, &["one", "--for", "output=now"]);
    server.say(made.pane(), "now");
    assert_eq!(seen.words(), ["one output now"]);
}

#[test]
fn when_a_flood_is_over() {
    let server = Server::start();
    let one = told(&server, &["one"]);
    let over = server.path("over");
    server.say(
        one.pane(),
        &format!(
            "while test ! -e {}; do seq 3000; done; echo la''st",
            over.display()
        ),
    );
    server.shows(one.pane(), "2999");
    let for_quiet = ["one", "--for", "quiet=400ms", "--fresh"];
    let for_none = |how: &[&str]| {
        let args = [how, &["--timeout", "900ms"]].concat();
        ends(&server, 6, "timeout", &args);
    };
    let mut quiet = Standing::start(&server, &for_quiet);
    for_none(&for_quiet);
    assert!(quiet.goes_on());
    std::fs::write(&over, "").expect("a file");
    let (_, events) = quiet.end();
    let words: Vec<String> = events.iter().map(Event::words).collect();
    assert_eq!(words, ["one quiet 400ms"]);
    assert!(server.screen(one.pane()).contains("last"));
    // Told once.
    let since = events[0].cursor();
    for_none(&["one", "--for", "quiet=400ms", "--since", &since]);
}

#[test]
fn agents_that_say_nothing() {
    let server = Server::start();
    server.agent("claude");
    let made = server.new_sesh(["one", "--agent", "claude", "--", "claude"]);
    server.runs(made.pane(), "claude");
    let is = |status: &str| {
        let file = server.path("home/.claude/sessions/{pid}.json");
        let text = format!(
            "{{\"pid\":{{pid}},\"procStart\":\"{{start}}\",\"sessionId\":\"46ed2323-f13a-4fb3-98e7-659d84033d77\",\"status\":\"{status}\"}}"
        );
        server.say(made.pane(), &format!("file {} {text}", file.display()));
        server.say(made.pane(), &format!("print {status}"));
    };
    let busy = Standing::start(&server, &["one", "--for", "busy"]);
    is("busy");
    assert_eq!(busy.words(), ["one busy session-file"]);
    let turn = Standing::start(&server, &["one", "--for", "turn"]);
    is("idle");
    assert_eq!(turn.words(), ["one idle session-file"]);
}

#[test]
fn words_that_are_off() {
    let server = Server::start();
    told(&server, &["one"]);
    for args in [
        &[][..],
        &[""],
        &["one", "--for", "done"],
        &["one", "--for", "output=("],
        &["one", "--for", "quiet=0s"],
        &["one", "--since", "c1.%"],
        &["one", "--any", "--all"],
        &["one", "--all", "--follow"],
        &["--tag", "a b"],
    ] {
        server.sesh("sesh-wait", args).fails(2);
    }
    let cursor = ends(&server, 6, "timeout", &["one", "--timeout", "0s"]);
    let other = Server::start();
    told(&other, &["one"]);
    let sentence = other
        .sesh("sesh-wait", ["one", "--since", &cursor])
        .fails(5);
    assert!(
        sentence.contains("a tmux server that is gone"),
        "{sentence}"
    );
}

#[test]
fn names_that_are_hostile() {
    let server = Server::start();
    let names = ["a b", "größe 🦀", "50% (x)", "it is | & <x> * ? [y]"];
    for name in names {
        let made = server.new_sesh([name, "--tag", "x/y-_", "--", "sh", "-c", "exit 1"]);
        server.ended(made.uuid());
        let said = wait(&server, &[name]);
        assert!(
            said.line().starts_with(&format!("{name}\texit\t1\tc1.")),
            "{said}"
        );
        server.tmux([
            "set-option",
            "-p",
            "-t",
            made.pane(),
            "@sesh_by",
            "#(touch ran)",
        ]);
    }
    let all = server
        .sesh("sesh-wait", ["--json", "--tag", "x/y-_", "--all"])
        .ok();
    let found: Vec<Event> = events(&all);
    assert_eq!(found.len(), names.len());
    let line = server.new_sesh([
        "line",
        "--",
        "printf",
        "tab\\there\\033[31m red\\033[0m \\\\ #(touch ran)\\n",
    ]);
    server.ended(line.uuid());
    let said = wait(&server, &["line", "--for", "output=here"]);
    // 3.7 keeps the tab.
    let line = said.line().replace("\\t", "     ");
    assert!(
        line.starts_with("line\toutput\ttab     here red \\\\ #(touch ran)\tc1."),
        "{said}"
    );
    assert!(!server.path("ran").exists());
}

#[test]
fn a_wait_has_no_process_of_its_own_and_no_client_that_shows() {
    let server = Server::start();
    told(&server, &["one"]);
    let before = server.everything();
    let wait = Standing::start(&server, &["one", "--for", "idle"]);
    let children =
        std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", wait.pid().as_raw()));
    assert_eq!(children.unwrap_or_default().trim(), "");
    assert_eq!(server.tmux(["list-clients"]), "");
    wait.kill();
    let after = server.everything();
    let own = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("SESH_settled="));
        lines.map(Into::into).collect()
    };
    assert_eq!(own(&before), own(&after));
}
