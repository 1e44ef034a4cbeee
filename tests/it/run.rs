//! What a created pane runs: its command's end is recorded, its output kept, its pane held, whatever comes.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::support::{Record, Screen, Server, Victim, count, until};

/// What the pane of an ended sesh says last.
const HELD: &str = "[sesh: ";

/// A sesh that runs a shell script.
fn scripted(server: &Server, name: &str, script: &str) -> Record {
    server.new_sesh([name, "--", "sh", "-c", script])
}

/// A sesh whose command writes a line into the file `runs` and ends with a code.
fn counted(server: &Server, name: &str, code: u8) -> Record {
    let script = format!("echo {name} >>runs; echo {name} has run; exit {code}");
    let made = scripted(server, name, &script);
    let ended = server.ended(made.uuid());
    server.shows(made.pane(), HELD);
    ended
}

/// How often commands of [`counted`] have run.
fn runs(server: &Server) -> usize {
    std::fs::read_to_string(server.path("runs")).map_or(0, |text| text.lines().count())
}

fn pane_pid(server: &Server, sesh: &Record) -> Pid {
    let pid = server.format(sesh.pane(), "#{pane_pid}");
    Pid::from_raw(pid.parse().expect("a pid"))
}

/// Types a key at the prompt of a held pane.
#[track_caller]
fn press(server: &Server, target: &str, key: &str) {
    server.sesh("pane-keys", [target, "--to-held", key]).ok();
}

/// How many bytes a process has read in its life.
fn bytes_read(pid: Pid) -> u64 {
    let counters = std::fs::read_to_string(format!("/proc/{pid}/io")).expect("a living process");
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    line.expect("a counter").parse().expect("a number")
}

/// Types a key by itself, now and again, until something has come of it: keys that arrive within a moment of
/// others count as a paste.
#[track_caller]
fn types_alone(server: &Server, pane: &str, key: &str, what: &str, done: impl Fn() -> bool) {
    let mut last: Option<Instant> = None;
    until(what, || {
        if done() {
            return true;
        }
        if last.is_none_or(|last| last.elapsed() > Duration::from_millis(300)) {
            server.tmux(["send-keys", "-t", pane, "--", key]);
            last = Some(Instant::now());
        }
        false
    });
}

/// The lines of the file `burst`: 24 kB.
fn burst(server: &Server) -> Vec<String> {
    let lines: Vec<String> = (0..400)
        .map(|at| format!("{at:04} {:054}", at * 7))
        .collect();
    let text = lines.join("\n") + "\n";
    assert_eq!(text.len(), 24_000);
    std::fs::write(server.path("burst"), text).expect("a file");
    lines
}

#[test]
fn fast_exits_lose_no_line_and_no_code() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-keep", "1000"]);
    let lines = burst(&server);
    let many = count(200);
    let made: Vec<Record> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|maker| {
                let server = &server;
                scope.spawn(move || -> Vec<Record> {
                    (maker..many)
                        .step_by(4)
                        .map(|at| {
                            scripted(
                                server,
                                &format!("n{at}"),
                                &format!("cat burst; exit {}", at % 256),
                            )
                        })
                        .collect()
                })
            })
            .collect();
        makers
            .into_iter()
            .flat_map(|maker| maker.join().expect("a maker"))
            .collect()
    });
    for sesh in &made {
        let number: i64 = sesh.name()[1..].parse().expect("a number");
        assert_eq!(
            server.ended(sesh.uuid()).code(),
            Some(number % 256),
            "{}",
            sesh.name()
        );
        let said = server
            .sesh("pane-capture", [sesh.uuid(), "--scrollback"])
            .ok();
        let seen = said.lines();
        assert_eq!(seen[..400.min(seen.len())], lines, "{}", sesh.name());
        let said = server.sesh("pane-capture", [sesh.uuid(), "-n", "400"]).ok();
        assert_eq!(said.lines(), lines, "{}", sesh.name());
    }
}

#[test]
fn the_last_lines_of_a_pane_that_closes_at_once_are_the_last() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-hold", "0"]);
    let lines = burst(&server);
    for at in 0..count(200) {
        let made = server
            .sesh(
                "sesh-new",
                ["--json", &format!("n{at}"), "--", "cat", "burst"],
            )
            .ok()
            .record();
        until("its pane closes", || !server.has_pane(made.pane()));
        let said = server.sesh("pane-capture", [made.uuid()]).ok();
        assert_eq!(said.lines(), lines[350..], "{}", made.name());
        assert_eq!(server.record(made.uuid()).code(), Some(0));
    }
}

#[test]
fn a_tail_without_a_newline_is_kept() {
    let server = Server::start();
    let made = scripted(&server, "one", "printf 'no newline'");
    server.ended(made.uuid());
    server.shows(made.pane(), HELD);
    let said = server.sesh("pane-capture", ["one"]).ok();
    assert_eq!(said.text(), "no newline\n");
}

#[test]
fn a_death_by_signal_is_said() {
    let server = Server::start();
    for (name, number) in [("TERM", 15), ("KILL", 9), ("PIPE", 13), ("USR1", 10)] {
        let made = scripted(&server, name, &format!("kill -{name} $$"));
        let ended = server.ended(made.uuid());
        assert_eq!((ended.code(), ended.signal()), (None, Some(number)));
        server.shows(made.pane(), &format!("{HELD}ended by {name}"));
        let table = server.sesh("sesh-list", [name]).ok();
        assert!(table.text().contains(&format!("exited {name}")), "{table}");
    }
}

#[test]
fn an_end_says_when_and_by_what() {
    let server = Server::start();
    let made = scripted(&server, "one", "exit 7");
    let ended = server.ended(made.uuid());
    let at = ended.get("exit/at").as_u64().expect("a time");
    assert!(at >= ended.get("createdAt").as_u64().expect("a time"));
    assert_eq!(ended.get("since").as_u64(), Some(at));
    assert_eq!(ended.text("by"), "process");
    assert!(ended.get("gen").as_u64() > made.get("gen").as_u64());
    assert!(!ended.live() && ended.has_pane());
    server.shows(
        made.pane(),
        &format!("{HELD}exit 7 after 0s; Enter closes, r reruns, s opens a shell]"),
    );
}

#[test]
fn a_runner_that_is_killed_leaves_an_end_of_unknown_cause() {
    let server = Server::start();
    let made = scripted(
        &server,
        "one",
        "echo $$ >pid.new; mv pid.new pid; exec sleep 1000",
    );
    let command = Victim::written(&server, "pid");
    kill(pane_pid(&server, &made), Signal::SIGKILL).expect("the runner can be killed");
    let ended = server.ended(made.uuid());
    assert!(ended.get("exit").is_null());
    assert!(!ended.live() && !ended.has_pane());
    until("the command ends too", || !command.alive());
    let table = server.sesh("sesh-list", ["one"]).ok();
    assert!(table.text().contains("exited ?"), "{table}");
}

#[test]
fn the_command_is_the_panes_foreground_and_owns_its_signals() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    server.runs(made.pane(), "sleep");
    server.sesh("pane-keys", ["one", "C-c"]).ok();
    assert_eq!(server.ended(made.uuid()).signal(), Some(2));
    // It starts with the signals that tmux would have started it with.
    let look = |file: &str| {
        format!("grep -E '^Sig(Blk|Ign)' /proc/self/status >{file}.new; mv {file}.new {file}")
    };
    let masks = |file: &str| -> Vec<u64> {
        until("the masks are written", || server.path(file).exists());
        let text = std::fs::read_to_string(server.path(file)).expect("the masks");
        text.lines()
            .map(|line| {
                let mask = line.split('\t').nth(1).expect("a mask");
                // The signals from 32 on are the C library's own.
                u64::from_str_radix(mask, 16).expect("a hexadecimal number") & 0x7fff_ffff
            })
            .collect()
    };
    scripted(&server, "two", &look("ours"));
    server.tmux(["new-window", "-d", &look("plain")]);
    assert_eq!(masks("ours"), masks("plain"));
}

#[test]
fn a_new_size_reaches_the_command() {
    let server = Server::start();
    let made = scripted(
        &server,
        "one",
        "trap 'stty size >size.new; mv size.new size' WINCH; echo ready; while :; do read line; done",
    );
    server.shows(made.pane(), "ready");
    server.tmux(["resize-window", "-t", made.pane(), "-x", "90", "-y", "20"]);
    until("the command knows its size", || {
        std::fs::read_to_string(server.path("size")).is_ok_and(|size| size == "20 90\n")
    });
}

#[test]
fn a_command_that_stops_itself_goes_on() {
    let server = Server::start();
    let made = scripted(
        &server,
        "one",
        "kill -STOP $$; kill -TSTP $$; echo went on; exit 4",
    );
    assert_eq!(server.ended(made.uuid()).code(), Some(4));
    let made = server.new_sesh(["two", "--", "cat"]);
    server.runs(made.pane(), "cat");
    server.sesh("pane-keys", ["two", "C-z"]).ok();
    server
        .sesh("pane-keys", ["two", "--literal", "hello", "Enter"])
        .ok();
    until("cat goes on", || {
        server.screen(made.pane()).matches("hello").count() == 2
    });
}

#[test]
fn a_job_that_takes_the_terminal_along_does_not_stop_the_command() {
    let server = Server::start();
    // An interactive shell makes itself the terminal's foreground, and this one dies without giving it back.
    let script = "sh -ic 'kill -9 $$'; echo ready; read line; echo got $line";
    // tmux ignores TTIN and hands that on: such a read would fail instead of stopping the reader.
    let env = ["env", "--default-signal=TTIN", "sh", "-c", script];
    let made = server.new_sesh(["one", "--"].iter().chain(&env));
    server.shows(made.pane(), "ready");
    server.tmux(["send-keys", "-t", made.pane(), "hello", "Enter"]);
    server.shows(made.pane(), "got hello");
    assert_eq!(server.ended(made.uuid()).code(), Some(0));
}

#[test]
fn what_a_command_leaves_reading_does_not_keep_its_end() {
    let server = Server::start();
    let made: Vec<Record> = (0..count(200))
        .map(|at| {
            scripted(
                &server,
                &format!("left{at}"),
                "cat </dev/tty >/dev/null 2>&1 & echo last words; exit 3",
            )
        })
        .collect();
    for sesh in made {
        let ended = server.ended(sesh.uuid());
        assert_eq!(ended.code(), Some(3));
        let kept = server.sesh("pane-capture", [sesh.uuid()]).ok();
        assert_eq!(kept.line(), "last words");
    }
}

#[test]
fn enter_closes_a_held_pane_and_the_record_stays() {
    let server = Server::start();
    for (name, key) in [
        ("enter", "Enter"),
        ("q", "q"),
        ("interrupt", "C-c"),
        ("eof", "C-d"),
    ] {
        let held = counted(&server, name, 3);
        press(&server, name, key);
        until("the pane closes", || !server.has_pane(held.pane()));
        let ended = server.record(held.uuid());
        assert_eq!((ended.state(), ended.code()), ("exited", Some(3)));
        assert!(!ended.has_pane());
        let said = server.sesh("pane-capture", [name]).ok();
        assert_eq!(said.text(), format!("{name} has run\n"));
    }
}

#[test]
fn other_keys_do_nothing_to_a_held_pane() {
    let server = Server::start();
    let held = counted(&server, "one", 0);
    let user = server.format(held.pane(), "#{pane_pid}");
    for key in ["x", "Up", "Space", "Escape", "F5", "C-z", "M-r"] {
        press(&server, "one", key);
    }
    types_alone(&server, held.pane(), "s", "s opens a shell", || {
        server.format(held.pane(), "#{pane_current_command}") == "sh"
    });
    assert_eq!(server.format(held.pane(), "#{pane_pid}"), user);
    assert_eq!(runs(&server), 1);
}

#[test]
fn r_reruns_with_the_same_words_and_surroundings() {
    let server = Server::start();
    server.install_probe();
    let script = "probe $((1 + $(wc -l <runs))); echo x >>runs; exit 5";
    std::fs::write(server.path("runs"), "").expect("a file");
    let made = server.new_sesh(["--env", "OWN=1", "one", "--", "sh", "-c", script]);
    let first = server.ended(made.uuid());
    server.shows(made.pane(), HELD);
    press(&server, "one", "r");
    until("the command has run again", || runs(&server) == 2);
    let again = server.when("it ends again", made.uuid(), |it| {
        it.state() == "exited" && it.get("gen").as_u64() > first.get("gen").as_u64()
    });
    assert_eq!(again.code(), Some(5));
    assert_eq!(again.pane(), made.pane());
    let (one, two) = (server.probed("1"), server.probed("2"));
    assert_eq!(one.env, two.env);
    assert_eq!(one.folder, two.folder);
}

#[test]
fn a_rerun_is_live_again() {
    let server = Server::start();
    let made = scripted(
        &server,
        "one",
        "test -e again && exec sleep 1000; touch again; exit 1",
    );
    server.ended(made.uuid());
    server.shows(made.pane(), HELD);
    press(&server, "one", "r");
    let again = server.when("it runs again", made.uuid(), |it| it.live());
    assert_eq!(again.state(), "busy");
    assert!(again.get("exit").is_null());
    server.sesh("sesh-new", ["one", "--", "true"]).fails(4);
}

#[test]
fn a_name_that_was_given_away_is_not_taken_back_by_a_rerun() {
    let server = Server::start();
    let held = counted(&server, "one", 1);
    server.new_sesh(["one", "--", "sleep", "1000"]);
    press(&server, held.uuid(), "r");
    server.shows(held.pane(), "the name one is now used by another live sesh");
    assert_eq!(runs(&server), 1);
    assert!(!server.record(held.uuid()).live());
    server
        .sesh("sesh-set", [held.uuid(), "--name", "other"])
        .ok();
    types_alone(
        &server,
        held.pane(),
        "r",
        "it runs under its new name",
        || runs(&server) > 1,
    );
}

#[test]
fn s_opens_a_shell_and_the_end_stays_recorded() {
    let server = Server::start();
    let held = counted(&server, "one", 3);
    press(&server, "one", "s");
    server.runs(held.pane(), "sh");
    server.tmux([
        "send-keys",
        "-t",
        held.pane(),
        "echo $((40 + 2)) $SESH_NAME",
        "Enter",
    ]);
    server.shows(held.pane(), "42 one");
    let record = server.record(held.uuid());
    assert_eq!(
        (record.state(), record.code(), record.live()),
        ("exited", Some(3), false)
    );
    // A person works there: it is no longer among those that are closed to make room.
    assert_eq!(server.format(held.pane(), "#{@sesh_held}"), "");
    server.tmux(["send-keys", "-t", held.pane(), "exit", "Enter"]);
    until("the pane closes with its shell", || {
        !server.has_pane(held.pane())
    });
    assert_eq!(server.record(held.uuid()).code(), Some(3));
}

#[test]
fn a_paste_into_a_held_pane_harms_nothing() {
    let server = Server::start();
    let held = counted(&server, "one", 0);
    for text in [
        "q\nr\ns\n",
        "\n\n",
        "rr",
        "\nq",
        "\r\n",
        "q\u{3}\u{4}",
        "\u{1b}[200~q\u{1b}[201~",
        "größe\n",
        &"q\nr\n".repeat(20_000),
    ] {
        server
            .tmux_call(["load-buffer", "-b", "text", "-"])
            .stdin(text)
            .ok();
        server.tmux(["paste-buffer", "-b", "text", "-t", held.pane()]);
        server.tmux(["paste-buffer", "-p", "-r", "-b", "text", "-t", held.pane()]);
    }
    types_alone(
        &server,
        held.pane(),
        "s",
        "s opens a shell after all of it",
        || {
            assert!(server.has_pane(held.pane()), "a paste closed the pane");
            server.format(held.pane(), "#{pane_current_command}") == "sh"
        },
    );
    assert_eq!(runs(&server), 1);
    assert!(server.alive());
}

#[test]
fn the_users_own_paste_key_harms_nothing() {
    let server = Server::start();
    let held = counted(&server, "one", 0);
    let look = Screen::attach(&server, "one", (80, 20));
    look.shows(HELD);
    server.tmux(["set-buffer", "q\nr\n"]);
    look.types(&["C-b", "]"]);
    types_alone(
        &server,
        held.pane(),
        "s",
        "s opens a shell after it",
        || {
            assert!(server.has_pane(held.pane()), "a paste closed the pane");
            server.format(held.pane(), "#{pane_current_command}") == "sh"
        },
    );
    assert_eq!(runs(&server), 1);
    assert!(server.alive());
}

#[test]
fn no_pane_of_ours_is_ever_dead() {
    let server = Server::start();
    // What a person may have set for their own.
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let held = counted(&server, "one", 0);
    assert_eq!(server.format(held.pane(), "#{pane_dead}"), "0");
    server.tmux(["set-buffer", "q\nr\n"]);
    server.tmux(["paste-buffer", "-t", held.pane()]);
    types_alone(&server, held.pane(), "q", "the pane closes", || {
        !server.has_pane(held.pane())
    });
    let killed = server.new_sesh(["two", "--", "sleep", "1000"]);
    kill(pane_pid(&server, &killed), Signal::SIGKILL).expect("the runner can be killed");
    until("its pane closes", || !server.has_pane(killed.pane()));
    assert!(server.alive());
}

#[test]
fn held_for_no_time_at_all() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-hold", "0"]);
    let made = scripted(&server, "one", "echo last words");
    until("the pane closes", || !server.has_pane(made.pane()));
    let ended = server.record(made.uuid());
    assert_eq!((ended.state(), ended.code()), ("exited", Some(0)));
    let said = server.sesh("pane-capture", ["one"]).ok();
    assert_eq!(said.text(), "last words\n");
    // What failed is held all the same.
    let failed = scripted(&server, "two", "exit 1");
    server.ended(failed.uuid());
    server.shows(failed.pane(), HELD);
}

#[test]
fn held_for_a_second() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-hold", "1s"]);
    let made = scripted(&server, "one", "echo last words");
    server.shows(made.pane(), HELD);
    until("the pane closes by itself", || {
        !server.has_pane(made.pane())
    });
    assert_eq!(server.record(made.uuid()).code(), Some(0));
    let said = server.sesh("pane-capture", ["one"]).ok();
    assert_eq!(said.text(), "last words\n");
}

#[test]
fn only_so_many_are_held_and_the_oldest_go_first() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-keep", "2"]);
    let held: Vec<Record> = (0..4)
        .map(|at| counted(&server, &format!("n{at}"), 1))
        .collect();
    until("the oldest two close", || {
        !server.has_pane(held[0].pane()) && !server.has_pane(held[1].pane())
    });
    assert!(server.has_pane(held[2].pane()) && server.has_pane(held[3].pane()));
    for sesh in &held {
        assert_eq!(server.record(sesh.uuid()).code(), Some(1));
        let said = server.sesh("pane-capture", [sesh.uuid()]).ok();
        assert_eq!(said.text(), format!("{} has run\n", sesh.name()));
    }
}

#[test]
fn an_end_by_tmux_leaves_the_record() {
    let server = Server::start();
    let ends: [(&str, &[&str]); 3] = [
        ("pane", &["kill-pane"]),
        ("window", &["kill-window"]),
        ("session", &["kill-session"]),
    ];
    for (name, words) in ends {
        let made = server.new_sesh([name, "--", "sleep", "1000"]);
        server.runs(made.pane(), "sleep");
        server.tmux(words.iter().chain(&["-t", made.pane()]));
        let ended = server.record(made.uuid());
        assert_eq!(ended.state(), "exited", "{name}");
        assert!(!ended.live() && !ended.has_pane());
        let ended = server.when("the cause is known", made.uuid(), |it| {
            !it.get("exit").is_null()
        });
        assert_eq!(ended.signal(), Some(1), "{name}");
    }
}

#[test]
fn a_held_pane_that_is_killed_keeps_its_code() {
    let server = Server::start();
    let held = counted(&server, "one", 3);
    server.tmux(["kill-session", "-t", "=one"]);
    assert_eq!(server.record(held.uuid()).code(), Some(3));
}

#[test]
fn a_respawn_without_a_command_runs_it_again() {
    let server = Server::start();
    let made = scripted(&server, "one", "echo x >>runs; exec sleep 1000");
    until("it runs", || runs(&server) == 1);
    server.tmux(["respawn-pane", "-k", "-t", made.pane()]);
    until("it runs again", || runs(&server) == 2);
    let again = server.when("it is live", made.uuid(), |it| it.live());
    assert_eq!((again.state(), again.pane()), ("busy", made.pane()));
    assert!(again.get("exit").is_null());
    server.runs(made.pane(), "sleep");
    server.sesh("pane-keys", ["one", "C-c"]).ok();
    assert_eq!(server.ended(made.uuid()).signal(), Some(2));
}

/// A sesh whose first run ignores HUP until the file `go` is there; every other run stays.
fn stubborn(server: &Server) -> (Record, Victim) {
    let script = "mkdir first || exec sleep 1000; trap '' HUP; echo $$ >pid.new; mv pid.new pid; until test -e go; do sleep 0.01; done; exit 9";
    let made = scripted(server, "one", script);
    let first = Victim::written(server, "pid");
    (made, first)
}

/// Lets the first run of [`stubborn`] end, and its runner with it.
fn let_go(server: &Server, first: &Victim, runner: Pid) {
    std::fs::write(server.path("go"), "").expect("a file");
    until("the old command and its runner end", || {
        !first.alive() && kill(runner, None).is_err()
    });
}

#[test]
fn an_old_runner_does_not_speak_for_the_new_one() {
    let server = Server::start();
    let (made, first) = stubborn(&server);
    let runner = pane_pid(&server, &made);
    server.tmux(["respawn-pane", "-k", "-t", made.pane()]);
    server.runs(made.pane(), "sleep");
    let_go(&server, &first, runner);
    let again = server.record(made.uuid());
    assert_eq!((again.state(), again.live()), ("busy", true));
    assert!(again.get("exit").is_null());
}

#[test]
fn another_process_in_the_pane_is_noticed() {
    let server = Server::start();
    let (made, first) = stubborn(&server);
    let runner = pane_pid(&server, &made);
    server.tmux(["respawn-pane", "-k", "-t", made.pane(), "sleep 999"]);
    let noticed = || {
        let other = server.record(made.uuid());
        assert_eq!((other.state(), other.live()), ("unknown", false));
        let said = server
            .sesh("sesh-pane", ["--pane", made.pane(), "--json"])
            .ok();
        assert!(!said.record().live());
    };
    noticed();
    let_go(&server, &first, runner);
    noticed();
}

#[test]
fn a_folder_that_went_away_is_said_in_the_pane() {
    let server = Server::start();
    let folder = server.path("gone");
    std::fs::create_dir(&folder).expect("a folder");
    let made = server
        .sesh("sesh-new", ["--json", "--no-launch", "--cwd"])
        .args([&folder])
        .args(["one", "--", "true"])
        .ok()
        .record();
    server.shows(made.pane(), "Enter starts");
    std::fs::remove_dir(&folder).expect("the folder goes");
    server.sesh("pane-keys", ["one", "Enter"]).ok();
    server.shows(made.pane(), "is gone");
    assert_eq!(server.ended(made.uuid()).code(), Some(126));
}

#[test]
fn nobody_types_the_runner() {
    let server = Server::start();
    let sentence = server
        .helper("sesh-run")
        .args(["--launch", "/nowhere"])
        .fails(2);
    assert!(sentence.contains("sesh-new"), "no way out: {sentence}");
}

#[test]
fn signals_reach_the_command() {
    let server = Server::start();
    let made = scripted(
        &server,
        "one",
        "trap 'echo got USR1' USR1; trap 'echo got INT' INT; echo ready; while :; do sleep 0.05; done",
    );
    server.shows(made.pane(), "ready");
    let runner = pane_pid(&server, &made);
    for (signal, word) in [(Signal::SIGUSR1, "got USR1"), (Signal::SIGINT, "got INT")] {
        kill(runner, signal).expect("the runner is there");
        server.shows(made.pane(), word);
    }
    assert!(server.record(made.uuid()).live());
}

#[test]
fn a_program_that_dies_badly_leaves_a_calm_terminal() {
    let server = Server::start();
    let script = "test -e again || { touch again; stty raw -echo; printf '\\033[?1000h\\033[?1006h\\033[?25l\\033[?1h\\033=\\033[31m'; kill -9 $$; }; stty -a >modes; exit 3";
    let made = scripted(&server, "one", script);
    server.ended(made.uuid());
    server.shows(made.pane(), HELD);
    assert_eq!(
        server.format(
            made.pane(),
            "#{mouse_any_flag} #{cursor_flag} #{keypad_flag} #{keypad_cursor_flag}"
        ),
        "0 1 0 0"
    );
    press(&server, "one", "r");
    server.shows(made.pane(), "exit 3");
    let modes = std::fs::read_to_string(server.path("modes")).expect("the terminal's modes");
    for mode in ["icanon", "echo", "isig", "opost"] {
        let on = modes.split([' ', '\n', ';']).any(|it| it == mode);
        assert!(on, "{mode} is off: {modes}");
    }
}

#[test]
fn a_paste_does_not_start_what_waits() {
    let server = Server::start();
    let made = server.new_sesh(["--no-launch", "one", "--", "sh", "-c", "echo one >>runs"]);
    server.shows(made.pane(), "Enter starts");
    let runner = pane_pid(&server, &made);
    let before = bytes_read(runner);
    let text = "\n\nq\n";
    server.tmux(["set-buffer", text]);
    server.tmux(["paste-buffer", "-t", made.pane()]);
    until("the runner has read the paste", || {
        bytes_read(runner) >= before + text.len() as u64
    });
    types_alone(
        &server,
        made.pane(),
        "x",
        "a key that does nothing is read",
        || bytes_read(runner) > before + text.len() as u64,
    );
    assert_eq!(runs(&server), 0);
    assert_eq!(server.record(made.uuid()).text("why"), "start");
}
