//! A server that answers nothing: what the plugin runs ends all the same, in silence, and nothing piles up.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::support::{MAIN, Said, Screen, Server, helpers, until};

/// How long a script waits for one answer, as `plugin/tmux.sh` has it.
const ANSWER: Duration = Duration::from_secs(10);
/// What a busy machine adds.
const SLACK: Duration = Duration::from_secs(6);

fn send(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid().cast_signed());
    kill(pid, signal).expect("it is there");
    until("it has the signal", || {
        tmux_sesh::proc::read(pid.as_raw())
            .is_some_and(|process| process.stopped == (signal == Signal::SIGSTOP))
    });
}

fn loaded() -> Server {
    let server = Server::start();
    server.option("@sesh-install", "off");
    server.option("@sesh-notify", "message");
    server.load();
    until("what the load has left in the background is done", || {
        let programs = more(&server, &[]);
        !programs.iter().any(|program| program.contains("path.sh"))
    });
    server
}

/// The processes that were not here before.
fn more(server: &Server, before: &[i32]) -> Vec<String> {
    let mut now = server.processes();
    now.retain(|pid| !before.contains(pid));
    now.into_iter()
        .map(|pid| tmux_sesh::proc::program(pid).argv.join(" "))
        .filter(|program| !program.is_empty())
        .collect()
}

#[test]
fn what_is_started_by_hand_gives_up() {
    let server = loaded();
    let before = server.processes();
    send(&server, Signal::SIGSTOP);
    let bin = helpers().display().to_string();
    let gone = "/no/such/folder";
    let scripts: [(&str, &[&str], i32); 14] = [
        ("sesh.tmux", &[], 0),
        ("plugin/count.sh", &[], 0),
        ("plugin/mend.sh", &[], 0),
        ("plugin/welcome.sh", &[], 0),
        ("plugin/seen.sh", &["0", "1"], 0),
        ("plugin/notify.sh", &["0", "waiting"], 0),
        ("plugin/path.sh", &[""], 0),
        ("plugin/reap.sh", &["troubled", "all", &bin], 0),
        ("plugin/reap.sh", &["well", "all", gone], 0),
        ("plugin/key.sh", &["next", "client", "0", &bin], 0),
        ("plugin/key.sh", &["enter", "client", "0", gone], 0),
        ("plugin/key.sh", &["menu", "client", "0", &bin], 0),
        ("plugin/key.sh", &["ask-rename", "client", "0", &bin], 0),
        ("plugin/uninstall", &["--keep"], 6),
    ];
    let run = |(script, args, code): (&str, &[&str], i32)| {
        let begun = Instant::now();
        let said: Said = server
            .outside(&server.plugin().join(script))
            .args(args)
            .said();
        assert!(begun.elapsed() < ANSWER + SLACK, "{said}");
        assert_eq!(said.code(), Some(code), "{said}");
        if code == 0 {
            assert!(said.stdout.is_empty() && said.stderr.is_empty(), "{said}");
        }
    };
    std::thread::scope(|scope| {
        for script in scripts {
            scope.spawn(move || run(script));
        }
    });
    assert_eq!(more(&server, &before), Vec::<String>::new(), "left behind");
    send(&server, Signal::SIGCONT);
    assert!(server.alive());
}

#[test]
fn what_tmux_has_started_gives_up_too() {
    let server = loaded();
    let screen = Screen::attach(&server, MAIN, (80, 24));
    let client = server.tmux(["list-clients", "-F", "#{client_name}"]);
    let before = server.processes();
    let jobs = [
        "#{E:@seshplugin_job}count.sh".to_string(),
        "#{E:@seshplugin_job}mend.sh".into(),
        "#{E:@seshplugin_job}notify.sh 0 waiting".into(),
        format!(
            "#{{E:@seshplugin_key_job}}key.sh menu {} 0 ''",
            client.trim()
        ),
        // Its file is gone, and what the job does then has a limit too.
        "#{E:@seshplugin_job}gone.sh".into(),
    ];
    // The server starts them and is stopped at once: what it has started finds it silent.
    let stop = format!("exec kill -STOP {}", server.pid());
    let mut list: Vec<&str> = Vec::new();
    for job in jobs.iter().chain([&stop]).chain(&jobs) {
        list.extend(["run-shell", "-b", job, ";"]);
    }
    let mut started = server.tmux_call(list).command();
    let mut started = started.spawn().expect("tmux");
    let pid = server.pid().cast_signed();
    until("it is stopped", || {
        tmux_sesh::proc::read(pid).is_some_and(|process| process.stopped)
    });
    let begun = Instant::now();
    // But for the client that waits for the answer to the list.
    until("all of them have ended", || {
        more(&server, &before).len() <= 1
    });
    assert!(begun.elapsed() < ANSWER + SLACK);
    send(&server, Signal::SIGCONT);
    started.wait().expect("an end");
    server.plugin_has_settled();
    // A job that fails is shown over a pane.
    assert_eq!(server.format(&server.user_pane(), "#{pane_in_mode}"), "0");
    drop(screen);
}
