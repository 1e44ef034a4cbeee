//! `sesh-end`: what was started ends, with proof, and nothing else does.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::{assert_eq, assert_ne};

use crate::support::{Record, Server, Victim, count, until};

/// A command that ignores these signals and has written its pid.
fn deaf(server: &Server, name: &str, signals: &str) -> (Record, Victim) {
    let script = format!(
        "trap '' {signals}; echo $$ >{name}.new; mv {name}.new {name}; while :; do sleep 0.05; done"
    );
    let made = server.new_sesh([name, "--", "sh", "-c", &script]);
    let victim = Victim::written(server, name);
    (made, victim)
}

#[test]
fn a_hangup_ends_it_and_the_record_stays() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sh", "-c", "echo last words; exec sleep 1000"]);
    server.shows(made.pane(), "last words");
    server.sesh("sesh-end", ["one"]).ok();
    let ended = server.record(made.uuid());
    assert_eq!((ended.state(), ended.signal()), ("exited", Some(1)));
    assert!(!ended.has_pane() && !ended.live());
    let said = server.sesh("pane-capture", ["one"]).ok();
    assert_eq!(said.text(), "last words\n");
    let sentence = server.sesh("sesh-end", ["one"]).fails(4);
    assert!(sentence.contains("--forget"), "no way out: {sentence}");
}

#[test]
fn it_may_end_in_its_own_way() {
    let server = Server::start();
    let script = "trap 'echo bye; exit 5' HUP; echo ready; while :; do read line; done";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    server.shows(made.pane(), "ready");
    server.sesh("sesh-end", ["one"]).ok();
    assert_eq!(server.record(made.uuid()).code(), Some(5));
    let said = server.sesh("pane-capture", ["one"]).ok();
    assert_eq!(said.lines(), ["ready", "bye"]);
}

#[test]
fn terminate_comes_after_hangup() {
    let server = Server::start();
    let (made, victim) = deaf(&server, "one", "HUP");
    server.sesh("sesh-end", ["one", "--timeout", "4s"]).ok();
    assert!(!victim.alive());
    assert_eq!(server.record(made.uuid()).signal(), Some(15));
}

#[test]
fn what_does_not_end_is_named() {
    let server = Server::start();
    let (made, victim) = deaf(&server, "one", "HUP TERM");
    let sentence = server
        .sesh("sesh-end", ["one", "--timeout", "200ms"])
        .fails(6);
    for part in ["one", &victim.pid().to_string(), "(sh)", "--kill"] {
        assert!(sentence.contains(part), "{part} in: {sentence}");
    }
    assert!(victim.alive());
    assert!(server.record(made.uuid()).live());
    server
        .sesh("sesh-end", ["one", "--timeout", "200ms", "--kill"])
        .ok();
    assert!(!victim.alive());
    assert_eq!(server.record(made.uuid()).signal(), Some(9));
}

#[test]
fn the_whole_group_ends() {
    let server = Server::start();
    let script = "(trap '' HUP; echo $PPID >leader; exec sh -c 'echo $$ >child.new; mv child.new child; while :; do sleep 0.05; done') & wait";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    let child = Victim::written(&server, "child");
    server.sesh("sesh-end", ["one", "--timeout", "4s"]).ok();
    assert!(!child.alive(), "a process of the command's group lives on");
    assert!(!server.record(made.uuid()).has_pane());
}

#[test]
fn several_end_at_once_and_each_failure_is_said() {
    let server = Server::start();
    let good = server.new_sesh(["good", "--", "sleep", "1000"]);
    let (_, _one) = deaf(&server, "one", "HUP TERM");
    let (_, _two) = deaf(&server, "two", "HUP TERM");
    let said = server
        .sesh(
            "sesh-end",
            ["good", "one", "two", "good", "--timeout", "200ms"],
        )
        .said();
    assert_eq!(said.code(), Some(6), "{said}");
    assert_eq!(said.stderr.lines().count(), 2, "{said}");
    assert!(
        said.stderr
            .lines()
            .all(|line| line.starts_with("sesh-end: ")),
        "{said}"
    );
    assert!(!server.record(good.uuid()).live());
}

#[test]
fn nothing_ends_when_one_target_is_not_found() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    server.sesh("sesh-end", ["one", "nobody"]).fails(3);
    assert!(server.record(made.uuid()).live());
}

#[test]
fn its_target_is_never_guessed() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    server.inside(made.pane(), "sesh-end", ["--kill"]).fails(2);
    server.inside(made.pane(), "sesh-end", [""]).fails(2);
    assert!(server.record(made.uuid()).live());
    // Said with a dot, it is meant.
    server.inside(made.pane(), "sesh-end", ["."]).ok();
    assert!(!server.record(made.uuid()).live());
}

#[test]
fn nothing_is_typed() {
    let server = Server::start();
    let script = "trap '' HUP; stty raw -echo; echo ready; cat >typed";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    server.shows(made.pane(), "ready");
    server.sesh("sesh-end", ["one", "--timeout", "4s"]).ok();
    let typed = std::fs::read(server.path("typed")).expect("what was typed");
    assert_eq!(String::from_utf8_lossy(&typed), "");
}

#[test]
fn forgotten_is_forgotten() {
    let server = Server::start();
    let before = server.everything();
    let running = server.new_sesh(["running", "--", "sleep", "1000"]);
    let held = server.new_sesh(["held", "--", "true"]);
    let gone = server.new_sesh(["gone", "--", "sh", "-c", "echo words"]);
    let archived = server.new_sesh(["archived", "--", "sleep", "1000"]);
    server.sesh("sesh-set", ["archived", "--archive"]).ok();
    server.ended(held.uuid());
    server.ended(gone.uuid());
    server.shows(gone.pane(), "Enter closes");
    server.tmux(["kill-pane", "-t", gone.pane()]);
    server
        .sesh(
            "sesh-end",
            ["--forget", "running", "held", "gone", "archived"],
        )
        .ok();
    for sesh in [&running, &held, &gone, &archived] {
        server.sesh("sesh-list", ["--all", sesh.uuid()]).fails(3);
        server.sesh("pane-capture", [sesh.uuid()]).fails(3);
    }
    until("nothing is left of them", || server.everything() == before);
}

#[test]
fn a_held_pane_closes() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sh", "-c", "exit 3"]);
    server.ended(made.uuid());
    server.sesh("sesh-end", ["one"]).ok();
    let ended = server.record(made.uuid());
    assert!(!ended.has_pane());
    assert_eq!(ended.code(), Some(3));
}

/// A pane of the user's with a shell, adopted.
fn adopted(server: &Server) -> Record {
    server.tmux(["new-window", "-d", "-t", "=main:", "-n", "theirs"]);
    let pane = server.format("=main:=theirs", "#{pane_id}");
    server
        .sesh("sesh-adopt", [&pane, "--name", "theirs", "--json"])
        .ok()
        .record()
}

#[test]
fn an_adopted_pane_keeps_its_shell() {
    let server = Server::start();
    let sesh = adopted(&server);
    let pid = server.format(sesh.pane(), "#{pane_pid}");
    server.tmux(["send-keys", "-t", sesh.pane(), "sleep 1000", "Enter"]);
    server.runs(sesh.pane(), "sleep");
    server.sesh("sesh-end", ["theirs"]).ok();
    server.runs(sesh.pane(), "sh");
    assert_eq!(server.format(sesh.pane(), "#{pane_pid}"), pid);
    assert_eq!(server.tmux(["show-options", "-p", "-t", sesh.pane()]), "");
    server.sesh("sesh-pane", ["--pane", sesh.pane()]).fails(3);
    let ended = server.record(sesh.uuid());
    assert_eq!((ended.state(), ended.has_pane()), ("exited", false));
    // It can be a sesh again, another one.
    let again = server
        .sesh("sesh-adopt", [sesh.pane(), "--name", "theirs", "--json"])
        .ok()
        .record();
    assert_ne!(again.uuid(), sesh.uuid());
}

#[test]
fn an_adopted_shell_at_its_prompt_is_left_alone() {
    let server = Server::start();
    let sesh = adopted(&server);
    let pid = server.format(sesh.pane(), "#{pane_pid}");
    server.runs(sesh.pane(), "sh");
    server.sesh("sesh-end", ["theirs", "--kill"]).ok();
    assert_eq!(server.format(sesh.pane(), "#{pane_pid}"), pid);
    assert_eq!(server.format(sesh.pane(), "#{@sesh_id}"), "");
}

#[test]
fn what_does_not_end_in_an_adopted_pane_is_named_and_stays_registered() {
    let server = Server::start();
    let sesh = adopted(&server);
    let script =
        "trap '' HUP TERM; echo $$ >deaf.new; mv deaf.new deaf; while :; do sleep 0.05; done";
    let script = server.script("deaf-one", script).display().to_string();
    server.tmux(["send-keys", "-t", sesh.pane(), &script, "Enter"]);
    let victim = Victim::written(&server, "deaf");
    let sentence = server
        .sesh("sesh-end", ["theirs", "--timeout", "200ms"])
        .fails(6);
    assert!(sentence.contains(&victim.pid().to_string()), "{sentence}");
    assert!(server.record(sesh.uuid()).live());
    server
        .sesh("sesh-end", ["theirs", "--timeout", "200ms", "--kill"])
        .ok();
    assert!(!victim.alive());
    server.runs(sesh.pane(), "sh");
}

#[test]
fn the_end_of_a_runner_that_was_killed_is_recorded() {
    let server = Server::start();
    let sesh = server.new_sesh(["one", "--target", "main", "--", "sleep", "1000"]);
    let runner = server.format(sesh.pane(), "#{pane_pid}");
    server.tmux([
        "set-option",
        "-p",
        "-t",
        sesh.pane(),
        "remain-on-exit",
        "on",
    ]);
    let runner = Pid::from_raw(runner.parse().expect("a pid"));
    kill(runner, Signal::SIGKILL).expect("it is there");
    until("its pane is dead", || {
        server.format(sesh.pane(), "#{pane_dead}") == "1"
    });
    server.sesh("sesh-end", ["one"]).ok();
    assert!(!server.has_pane(sesh.pane()));
    // The journal knows of the end too: nothing is offered for a restore.
    server.dies();
    server.starts_again();
    let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
    assert_eq!(plan.ok().text(), "");
}

#[test]
fn an_end_right_after_the_birth_is_an_end() {
    let server = Server::start();
    let user = server.user_pane();
    for at in 0..count(400) {
        let name = format!("n{at}");
        let made = server
            .sesh("sesh-new", ["--json", &name, "--", "sleep", "1000"])
            .ok()
            .record();
        server.sesh("sesh-end", [&name]).ok();
        assert_eq!(
            server.panes("#{pane_id}"),
            [user.as_str()],
            "its pane lives on"
        );
        assert_eq!(server.record(made.uuid()).state(), "exited");
    }
    // Each end is recorded, also where the signal came before sesh-run was ready for it: nothing is offered for a restore.
    server.dies();
    server.starts_again();
    let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
    assert_eq!(plan.ok().text(), "");
}

#[test]
fn who_ends_its_own_pane_ends_the_others_first() {
    let server = Server::start();
    let other = server.new_sesh(["other", "--", "sleep", "1000"]);
    let script = "sesh-end . other; echo not reached >after";
    let own = server.new_sesh(["--no-launch", "own", "--", "sh", "-c", script]);
    server.shows(own.pane(), "Enter starts");
    server.sesh("pane-keys", ["own", "Enter"]).ok();
    until("both panes close", || {
        !server.has_pane(own.pane()) && !server.has_pane(other.pane())
    });
    assert_eq!(server.ended(own.uuid()).signal(), Some(1));
    assert_eq!(server.record(other.uuid()).signal(), Some(1));
}

/// A command with children of every sort: in its group, in another group of its terminal, under `nohup`, in a session of
/// their own. The ones that HUP does not end but TERM does are there too.
fn with_children(server: &Server, name: &str) -> (Record, Vec<Victim>, Vec<Victim>) {
    let child = |file: &str| {
        format!("echo $$ >{name}-{file}.new; mv {name}-{file}.new {name}-{file}; sleep 1000; :")
    };
    let deaf = "while :; do sleep 0.05; done";
    let script = format!(
        "sh -c '{}' & set -m; sh -c '{}' & sh -c 'trap : HUP; {}; {deaf}' & \
         nohup sh -c '{}' >/dev/null 2>&1 & set +m; setsid sh -c '{}' & sh -c '{}'; :",
        child("group"),
        child("job"),
        child("handles").replace("sleep 1000; :", ":"),
        child("nohup"),
        child("session"),
        child("front"),
    );
    let made = server.new_sesh([name, "--", "bash", "-c", &script]);
    let of = |files: &[&str]| {
        let files = files.iter().map(|file| format!("{name}-{file}"));
        files.map(|file| Victim::written(server, &file)).collect()
    };
    (
        made,
        of(&["group", "job", "handles", "front"]),
        of(&["nohup", "session"]),
    )
}

/// A way to end a sesh.
type Way<'a> = &'a dyn Fn(&Record);

#[test]
fn the_children_of_a_command_that_is_ended_end_with_it() {
    let server = Server::start();
    let ways: [(&str, Way<'_>); 5] = [
        ("end", &|made| {
            drop(server.sesh("sesh-end", [made.name()]).said());
        }),
        ("kill", &|made| {
            drop(server.sesh("sesh-end", [made.name(), "--kill"]).said());
        }),
        ("pane", &|made| {
            drop(server.tmux(["kill-pane", "-t", made.pane()]));
        }),
        ("session", &|made| {
            drop(server.tmux(["kill-session", "-t", made.name()]));
        }),
        ("hard", &|made| {
            // The command itself, whose pane stays.
            let pid = server.format(made.pane(), "#{pane_pid}");
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            let child = children.expect("a process").trim().parse().expect("a pid");
            kill(Pid::from_raw(child), Signal::SIGKILL).expect("a process");
        }),
    ];
    for (name, end) in ways {
        let (made, ended, living) = with_children(&server, name);
        end(&made);
        for (at, victim) in ended.iter().enumerate() {
            until(&format!("child {at} has ended by {name}"), || {
                !victim.alive()
            });
        }
        server.ended(made.uuid());
        for (at, victim) in living.iter().enumerate() {
            assert!(
                victim.alive(),
                "child {at} was started to live longer than {name}"
            );
        }
    }
}

#[test]
fn a_command_ends_with_a_runner_that_was_killed() {
    let server = Server::start();
    let (made, victim) = deaf(&server, "one", "HUP");
    let runner = server.format(made.pane(), "#{pane_pid}");
    kill(
        Pid::from_raw(runner.parse().expect("a pid")),
        Signal::SIGKILL,
    )
    .expect("a process");
    until("the command has ended", || !victim.alive());
}

#[test]
fn what_a_command_leaves_when_it_ends_by_itself_stays() {
    let server = Server::start();
    let script = "sh -c 'echo $$ >child.new; mv child.new child; sleep 1000; :' & \
                  while ! [ -e child ]; do sleep 0.01; done";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    let child = Victim::written(&server, "child");
    server.ended(made.uuid());
    assert!(child.alive());
}
