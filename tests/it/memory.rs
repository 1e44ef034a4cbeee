//! What a tmux server keeps for ever: with the plugin loaded, its memory must not grow with what happens there.
//!
//! tmux 3.3 and later never free the command list of a string that they parse while they run it (`if-shell` with a
//! string, a command alias, `run-shell -C` with a string, a hook of a user name). A server runs for months, so no
//! helper and no part of the plugin may make it parse such a string each time.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::support::{
    Control, Gate, Gauge, MAIN, NONE, Play, Record, Relay, Screen, Server, by_rss, count, helpers,
    say, soak, until,
};

/// How often each act is done before it is measured. glibc counts the free chunks that it keeps for the next request
/// as allocated, up to seven of each size; with more acts than that they are there before the measurement begins.
const WARM: usize = 10;

/// The acts whose growth is measured, a row each.
struct Table<'a> {
    server: &'a Server,
    gauge: Gauge<'a>,
    rows: Vec<String>,
    over: usize,
}

impl<'a> Table<'a> {
    fn new(server: &'a Server) -> Option<Self> {
        Some(Self {
            server,
            gauge: Gauge::new(server)?,
            rows: Vec::new(),
            over: 0,
        })
    }

    /// Measures by how many bytes each of so many acts makes the heap grow. What is over the limit is measured once more:
    /// a leak is there again, and noise of some kB is not.
    #[track_caller]
    fn row(&mut self, what: &str, times: usize, limit: i64, mut act: impl FnMut(usize)) {
        let started = Instant::now();
        act(WARM);
        self.server.is_at_rest();
        let mut measured = || {
            let before = self.gauge.bytes();
            act(times);
            self.server.is_at_rest();
            self.gauge.bytes() - before
        };
        let mut grown = measured();
        if self.gauge.source.is_over(grown, times, limit) {
            grown = grown.min(measured());
        }
        self.judge(what, times, limit, grown, started.elapsed());
    }

    fn judge(&mut self, what: &str, times: usize, limit: i64, grown: i64, took: Duration) {
        let number = i64::try_from(times).expect("a number");
        let verdict = if self.gauge.source.is_over(grown, times, limit) {
            self.over += 1;
            "OVER"
        } else {
            "ok"
        };
        let row = format!(
            "{what:<36} {times:>5} times {:>8} bytes each (limit {limit}) {verdict}, {:.1} s",
            grown / number,
            took.as_secs_f64()
        );
        say(&row);
        self.rows.push(row);
    }

    #[track_caller]
    fn end(self) {
        assert_eq!(
            self.over,
            0,
            "the server keeps too much ({:?}):\n{}",
            self.gauge.source,
            self.rows.join("\n")
        );
    }
}

/// Returns a count that is divided by 20 without `SESH_SOAK`, but is never so small that a few kB of noise decide: at
/// the limit of 1 kB an act, 25 acts are 25 kB.
fn times(full: usize) -> usize {
    count(full).max(25)
}

/// A server with the plugin, whose panes and message log keep nothing: what a pane prints is no growth of ours.
fn with_plugin(tick: &str) -> Server {
    let server = Server::start();
    server.option("history-limit", "0");
    server.option("message-limit", "5");
    server.option("@sesh-tick", tick);
    server.load();
    server
}

/// A pane keeps the lines of its screen in memory: it is filled before anything is measured.
#[track_caller]
fn fill(server: &Server, pane: &str) {
    server.tmux(["send-keys", "-t", pane, "-N", "100", "Enter"]);
}

/// A sesh whose agent is a fake one.
#[track_caller]
fn agent(server: &Server, name: &str) -> Record {
    server.agent("claude");
    let sesh = server.new_sesh(["--agent", "claude", name]);
    server.runs(sesh.pane(), "claude");
    sesh
}

/// Has an agent run a script of the shell as its hook. Returns the file that is there when the script has ended.
#[track_caller]
fn starts_hook(server: &Server, pane: &str, script: &str) -> PathBuf {
    let file = tempfile::Builder::new()
        .prefix("hook")
        .tempfile_in(server.folder())
        .and_then(|file| Ok(file.keep()?.1))
        .expect("a script");
    let ended = file.with_extension("ended");
    let text = format!("{script}\n: >'{}'\n", ended.display());
    std::fs::write(&file, text).expect("a script");
    server.say(pane, &format!("hook . {}", file.display()));
    ended
}

/// The same, until the script has ended.
#[track_caller]
fn hook(server: &Server, pane: &str, script: &str) {
    let ended = starts_hook(server, pane, script);
    until("the hook has ended", || ended.exists());
}

fn generation(server: &Server, pane: &str) -> u64 {
    let generation = server.format(pane, "#{@sesh_gen}");
    generation.parse().unwrap_or_default()
}

#[test]
fn a_change_and_a_sesh_leave_nothing_in_the_server() {
    let (server, claude) = with_five();
    let Some(mut table) = Table::new(&server) else {
        return;
    };
    let change = |times: usize| {
        let before = generation(&server, claude.pane());
        // The first one differs from what is stored, and each other one from the one before it.
        let busy = server.format(claude.pane(), "#{@sesh_state}") == "busy";
        let states = if busy {
            ["idle", "busy"]
        } else {
            ["busy", "idle"]
        };
        let script: String = (0..times)
            .map(|at| format!("sesh-report --state {}\n", states[at % 2]))
            .collect();
        hook(&server, claude.pane(), &script);
        let changes = generation(&server, claude.pane()) - before;
        let expected = u64::try_from(times).expect("a number");
        assert_eq!(changes, expected, "each report is a change");
    };
    table.row("a change of an agent's state", times(500), 1000, change);
    let gate = Arc::new(Gate::default());
    gate.open.store(true, Ordering::SeqCst);
    let relay = Relay::before(&server, "relay", Play::Holds("wait-for", Arc::clone(&gate)));
    let wait = |name: &str| {
        let places = gate.answered.load(Ordering::SeqCst);
        let wait = server
            .helper("sesh-wait")
            .args(["-S".as_ref(), relay.socket().as_os_str()])
            .args([name, "--follow", "--for", "change"])
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a wait");
        // On the channel of its pane.
        until("it waits", || gate.answered.load(Ordering::SeqCst) > places);
        wait
    };
    let waits = [wait("claude"), wait("claude"), wait("cat")];
    let places = gate.answered.load(Ordering::SeqCst);
    let what = "a change on which two wait";
    table.row(what, times(3000), 1000, change);
    assert!(gate.answered.load(Ordering::SeqCst) > places + 2 * WARM);
    for mut wait in waits {
        let pid = Pid::from_raw(i32::try_from(wait.id()).expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("it lives");
        wait.wait().expect("its end");
    }

    let mut made = 0;
    // Ten of these take longer than all the others, and their limit of 60 kB is far above the noise.
    for (what, ends) in [
        (
            "a sesh: made, ended, forgotten",
            &["sesh-end", "sesh-end"][..],
        ),
        ("a sesh: made, gathered, forgotten", &["sesh-gather"]),
    ] {
        table.row(what, count(200), 6000, |times| {
            for _ in 0..times {
                made += 1;
                let name = format!("made-{made}");
                server.new_sesh([&name, "--", "cat"]);
                for (at, helper) in ends.iter().enumerate() {
                    let forget = (at + 1 == ends.len()).then_some("--forget");
                    server.sesh(helper, [name.as_str()]).args(forget).ok();
                }
            }
        });
    }
    table.end();
}

#[test]
fn a_call_of_a_helper_leaves_nothing_in_the_server() {
    let (server, _) = with_five();
    let Some(mut table) = Table::new(&server) else {
        return;
    };
    // This row shows the noise: tmux's own list leaves nothing.
    table.row("tmux list-panes", times(300), 1000, |times| {
        for _ in 0..times {
            server.panes("x");
        }
    });
    let mut note = 0;
    table.row("sesh-set of another note", times(300), 1000, |times| {
        for _ in 0..times {
            note += 1;
            let note = format!("{note:06}");
            server.sesh("sesh-set", ["cat", "--note", &note]).ok();
        }
    });
    for (what, helper, args, codes) in CALLS {
        table.row(what, times(300), 1000, |times| {
            for _ in 0..times {
                let said = server.sesh(helper, args).said();
                let code = said.code().unwrap_or(-1);
                assert!(codes.contains(&code), "{what}: {said}");
            }
        });
    }
    table.end();
}

/// A server with the plugin and five seshes: `claude` is an agent, `shell` a shell, and `cat`, `one` and `two` are
/// quiet commands.
fn with_five() -> (Server, Record) {
    let server = with_plugin("off");
    let claude = agent(&server, "claude");
    let cat = server.new_sesh(["cat", "--", "cat"]);
    let shell = server.new_sesh(["shell"]);
    for name in ["one", "two"] {
        server.new_sesh([name, "--", "cat"]);
    }
    fill(&server, cat.pane());
    fill(&server, claude.pane());
    fill(&server, shell.pane());
    (server, claude)
}

/// A wait that is ended by a signal, and the picker, leave no client that waits in the server.
#[test]
fn what_is_ended_leaves_no_client_in_the_server() {
    let (server, _) = with_five();
    let Some(mut table) = Table::new(&server) else {
        return;
    };
    let gate = Arc::new(Gate::default());
    gate.open.store(true, Ordering::SeqCst);
    let relay = Relay::before(&server, "relay", Play::Holds("wait-for", Arc::clone(&gate)));
    // A test may ignore INT, as what a shell starts in the background does, and HUP.
    table.row("a wait ended by TERM", times(300), 1000, |times| {
        for _ in 0..times {
            gate.held.store(false, Ordering::SeqCst);
            let mut wait = server
                .helper("sesh-wait")
                .args(["-S".as_ref(), relay.socket().as_os_str()])
                .args(["cat", "--for", "idle"])
                .command()
                .stdin(Stdio::null())
                .spawn()
                .expect("a wait");
            until("it waits", || gate.held.load(Ordering::SeqCst));
            let pid = Pid::from_raw(i32::try_from(wait.id()).expect("a pid"));
            kill(pid, Signal::SIGTERM).expect("it lives");
            let ended = wait.wait().expect("its end");
            assert_eq!(ended.signal(), Some(Signal::SIGTERM as i32));
        }
    });
    let enter = helpers().join("sesh-enter").display().to_string();
    let socket = server.socket().display().to_string();
    let command = format!("{enter} -S {socket} --pick; echo left; exec cat");
    table.row("the picker, opened and left", 25, 1000, |times| {
        for _ in 0..times {
            let screen = Screen::open((80, 20), &["sh", "-c", &command]);
            screen.shows("claude");
            screen.types(&["Escape"]);
            screen.shows("left");
        }
    });
    table.end();
}

/// Calls of helpers that leave nothing: what they are, the helper, its arguments, and its exit codes.
type Call = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [i32],
);
const CALLS: [Call; 9] = [
    (
        "sesh-set of an equal note",
        "sesh-set",
        &["cat", "--note", "the same"],
        &[0],
    ),
    (
        "sesh-wait that is over at once",
        "sesh-wait",
        &["cat", "--for", "exit", "--timeout", "0s"],
        &[6],
    ),
    (
        "sesh-wait for 10 ms",
        "sesh-wait",
        &["cat", "--for", "exit", "--timeout", "10ms"],
        &[6],
    ),
    ("sesh-reap", "sesh-reap", &[], &[0]),
    (
        "sesh-send to a command: refused",
        "sesh-send",
        &["cat", "hello"],
        &[4],
    ),
    (
        "sesh-send to a shell",
        "sesh-send",
        &["shell", "true"],
        &[0],
    ),
    ("pane-keys", "pane-keys", &["cat", "x", "Enter"], &[0]),
    ("sesh-explain of a command", "sesh-explain", &["cat"], &[0]),
    (
        "sesh-explain of an agent",
        "sesh-explain",
        &["claude"],
        &[0],
    ),
];

#[test]
fn a_turn_of_the_tick_leaves_nothing_in_the_server() {
    let server = with_plugin("0.05");
    let claude = agent(&server, "claude");
    server.new_sesh(["cat", "--", "cat"]);
    hook(&server, claude.pane(), "sesh-report --state idle");
    let Some(mut table) = Table::new(&server) else {
        return;
    };
    // As long as something printed within the last seconds each turn is a difference, and starts sesh-reap.
    let quiet = Instant::now();
    until("nothing has printed for a while", || {
        quiet.elapsed() > Duration::from_secs(4)
    });
    server.is_at_rest();
    let before = table.gauge.bytes();
    let started = Instant::now();
    // At the limit of 200 bytes a turn, 100 turns are 20 kB: fewer would be within the noise.
    let planned = Duration::from_millis(50 * u64::try_from(count(200).max(100)).expect("a number"));
    until("the turns are over", || started.elapsed() >= planned);
    server.is_at_rest();
    let grown = table.gauge.bytes() - before;
    let took = started.elapsed();
    // The log of the server's commands has each turn: it begins the next one, whatever else it is made of.
    let look = Control::attach(&server, MAIN);
    server.tmux(["set-option", "-s", "message-limit", "10000"]);
    let turns = || {
        let log = server.tmux(["show-messages", "-t", &look.name()]);
        let begins = |line: &&str| line.contains("run-shell") && line.contains(" -d ");
        log.lines().filter(begins).count()
    };
    let (before, second) = (turns(), Instant::now());
    until("the turns are counted", || {
        second.elapsed() > Duration::from_secs(2)
    });
    let counted = turns() - before;
    assert!(counted > 4, "the tick does not run: {counted} turns");
    // It is this often on a busy machine too: a turn begins 50 ms after the end of the one before it.
    let turns = counted * milliseconds(took) / milliseconds(second.elapsed());
    // tmux 3.2a frees less: a hook without any string that has itself run again kept 312 bytes a turn there.
    let limit = if server.format(MAIN, "#{version}") == "3.2a" {
        400
    } else {
        200
    };
    table.judge("a turn of the tick", turns, limit, grown, took);
    table.end();
}

fn milliseconds(time: Duration) -> usize {
    usize::try_from(time.as_millis()).expect("a time")
}

/// The names of the server's hidden variables and options, and the number of its descriptors.
fn kept(server: &Server) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    for command in [
        &["show-environment", "-gh"][..],
        &["show-options", "-s"],
        &["show-options", "-g"],
        &["show-hooks", "-g"],
    ] {
        let all = server.tmux(command);
        // Each further line of a value counts as a name too. That does no harm: it must not grow either.
        let name = |line: &str| Some(line.split([' ', '=']).next()?.to_string());
        names.extend(all.lines().filter_map(name));
    }
    // Whether a sesh-reap runs, and whether another one is wanted, changes from one moment to the next.
    names.retain(|name| !name.starts_with("SESH_reap"));
    names.sort();
    (names, server.descriptors())
}

#[test]
fn what_was_forgotten_leaves_no_variable_and_no_option() {
    let server = with_plugin("off");
    let round = |number: usize| {
        let name = format!("one-{number}");
        let sesh = agent(&server, &name);
        hook(
            &server,
            sesh.pane(),
            "sesh-report --state busy --conversation c --event Start\n\
             sesh-report --state waiting --why permission\nsesh-report --state busy",
        );
        // A busy agent is not asked to leave: its terminal closes.
        server.sesh("sesh-end", [&name]).ok();
        server.sesh("sesh-end", [&name, "--forget"]).ok();
        // A pane that is no sesh, in which an agent lived and its hook reported something.
        let plain = server.hosts("claude");
        hook(&server, &plain, "sesh-report --state idle");
        server.tmux(["kill-pane", "-t", &plain]);
        // Whatever was adopted there in the meantime is forgotten too.
        server.sesh("sesh-reap", NONE).ok();
        let ended = server.sesh("sesh-list", ["--all", "--json"]).ok().records();
        for left in &ended {
            server.sesh("sesh-end", [left.uuid(), "--forget"]).ok();
        }
        // It removes what the hooks of closed panes reported, but looks for that once an hour only.
        server.tmux(["set-environment", "-gh", "SESH_swept", "1"]);
        server.sesh("sesh-reap", NONE).ok();
        server.plugin_has_settled();
        server.is_at_rest();
    };
    // What is made once and stays is there after the first one.
    round(0);
    let (before, descriptors) = kept(&server);
    for number in 1..=count(100) {
        round(number);
    }
    let mut last = String::new();
    // What is put off for a moment may still be there.
    until("everything of them is gone", || {
        let (now, open) = kept(&server);
        let new: Vec<&String> = now.iter().filter(|name| !before.contains(name)).collect();
        let state = format!(
            "{} names after {}, {open} descriptors after {descriptors}, new: {new:?}",
            now.len(),
            before.len()
        );
        if state != last {
            say(&state);
            last = state;
        }
        now.len() <= before.len() && open <= descriptors
    });
}

/// The length of the soak: `SESH_SOAK_SECONDS`, an hour where that is not set.
fn soak_time() -> Duration {
    let given = std::env::var("SESH_SOAK_SECONDS").ok();
    let seconds = given.map_or(Ok(3600), |given| given.parse());
    Duration::from_secs(seconds.expect("SESH_SOAK_SECONDS is a number"))
}

/// What a server holds at one moment.
struct Holds {
    heap: i64,
    descriptors: usize,
    /// The server's own children, those that have ended and were not reaped too.
    children: usize,
    /// All processes that live in the server's environment.
    processes: usize,
}

impl Holds {
    /// The smallest of several measurements: what a change of this moment opens and starts is gone in another.
    #[track_caller]
    fn now(server: &Server, gauge: &Gauge) -> Self {
        let mut least = Self {
            heap: gauge.bytes(),
            descriptors: usize::MAX,
            children: usize::MAX,
            processes: usize::MAX,
        };
        for _ in 0..20 {
            least.descriptors = least.descriptors.min(server.descriptors());
            least.children = least.children.min(server.children());
            least.processes = least.processes.min(server.processes().len());
            std::thread::sleep(Duration::from_millis(50)); // why: the next measurement is to be of another moment.
        }
        least
    }
}

/// A server with the plugin and its default tick, 20 idle agents and 10 that change, one change a second in all.
///
/// It runs only with `SESH_SOAK=1`, for an hour or `SESH_SOAK_SECONDS`. Ten minutes on each version of tmux:
///
/// ```sh
/// cargo test --no-run --test it
/// for tmux in /opt/tmux-*/bin; do
///   PATH=$tmux:$PATH SESH_SOAK=1 SESH_SOAK_SECONDS=600 cargo test --test it memory::soak -- --nocapture
/// done
/// ```
#[test]
fn soak_of_thirty_agents() {
    if !soak() {
        say("not run: SESH_SOAK=1 is not set");
        return;
    }
    let time = soak_time();
    let server = Server::start();
    server.option("history-limit", "0");
    server.option("message-limit", "5");
    server.load();
    let screens =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agents/claude-2.1.329");
    let becomes = |state: &str| {
        let screen = screens.join(format!("{state}.80x24.ansi"));
        format!(
            "{{ printf '\\033[H\\033[2J'; sed 's/$/\\r/' '{}'; }} >/dev/tty; sesh-report --state {state}",
            screen.display()
        )
    };
    let mut changing = Vec::new();
    for at in 0..30 {
        let sesh = agent(&server, &format!("agent-{at}"));
        if at < 20 {
            hook(&server, sesh.pane(), &becomes("idle"));
            continue;
        }
        // Ten agents that change every ten seconds, a second apart from each other.
        let script = format!(
            "sleep {at}\nwhile :; do\n{}; sleep 10\n{}; sleep 10\ndone",
            becomes("busy"),
            becomes("idle"),
            at = at - 20
        );
        starts_hook(&server, sesh.pane(), &script);
        changing.push(sesh.pane().to_string());
    }
    let changes = || -> u64 { changing.iter().map(|pane| generation(&server, pane)).sum() };
    let Some(gauge) = Gauge::new(&server) else {
        return;
    };
    let version = server.tmux(["-V"]);
    say(&format!("{} for {} s", version.trim_end(), time.as_secs()));
    // Each agent has changed twice by then, and what is made once is made.
    std::thread::sleep(Duration::from_secs(30)); // why: the agents change by themselves, and it is their time that counts.
    let first = Holds::now(&server, &gauge);
    let (started, born) = (Instant::now(), changes());
    let table = |now: &Holds| {
        say(&format!(
            "{:>5} s: heap {:>8} kB (+{:>6}), RSS {:>8} kB, {:>3} descriptors, {:>3} children, {:>3} processes, {:>5} changes",
            started.elapsed().as_secs(),
            now.heap / 1024,
            (now.heap - first.heap) / 1024,
            by_rss(&server).unwrap_or(0) / 1024,
            now.descriptors,
            now.children,
            now.processes,
            changes() - born
        ));
    };
    table(&first);
    let minute = Duration::from_secs(60).min(time / 4);
    let mut last = Holds::now(&server, &gauge);
    while started.elapsed() < time {
        std::thread::sleep(minute.min(time.saturating_sub(started.elapsed()))); // why: a line a minute is what it prints.
        last = Holds::now(&server, &gauge);
        table(&last);
    }
    let seconds = started.elapsed().as_secs();
    let (grown, changes) = (last.heap - first.heap, changes() - born);
    // 5 MB an hour; a short run is given what the buffers of a server vary by.
    let limit = (5 * 1024 * 1024 * i64::try_from(seconds).expect("a time") / 3600).max(256 * 1024);
    assert!(
        changes > seconds / 2,
        "{changes} changes in {seconds} s: the agents do not change"
    );
    assert!(
        grown - gauge.source.noise() <= limit,
        "the heap has grown by {grown} bytes in {seconds} s, the limit is {limit}"
    );
    // One of each may be of a change of the last second.
    assert!(
        last.descriptors <= first.descriptors + 1
            && last.children <= first.children + 1
            && last.processes <= first.processes + 2,
        "descriptors, children or processes have grown"
    );
}
