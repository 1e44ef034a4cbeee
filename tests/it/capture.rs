//! `pane-capture`: what is on a pane, and what the pane is.

use crate::support::{MAIN, Record, Screen, Server};

/// A sesh that shows a text and stays.
fn showing(server: &Server, name: &str, script: &str, last: &str) -> Record {
    let made = server.new_sesh([
        name,
        "--",
        "sh",
        "-c",
        &format!("{script}; exec sleep 1000"),
    ]);
    server.shows(made.pane(), last);
    made
}

#[track_caller]
fn captured(server: &Server, args: &[&str]) -> Vec<String> {
    let said = server.sesh("pane-capture", args).ok();
    said.lines().into_iter().map(Into::into).collect()
}

fn numbers(from: u32, to: u32) -> Vec<String> {
    (from..=to).map(|number| number.to_string()).collect()
}

#[test]
fn the_last_lines_that_hold_text() {
    let server = Server::start();
    let made = showing(&server, "one", "seq 1 60; echo; echo end; echo", "end");
    let all = captured(&server, &["one"]);
    assert_eq!(all.len(), 50);
    assert_eq!(all[47..], ["60", "", "end"]);
    assert_eq!(captured(&server, &["one", "-n", "3"]), ["60", "", "end"]);
    let more = captured(&server, &["one", "-n", "1000"]);
    assert_eq!(more[..60], numbers(1, 60));
    // By name, by pane, by uuid: the same.
    assert_eq!(captured(&server, &[made.pane()]), all);
    assert_eq!(captured(&server, &[made.uuid()]), all);
    for bad in [
        &["-n", "0"][..],
        &["-n", "x"],
        &["-n", "5", "--screen"],
        &["--screen", "--scrollback"],
    ] {
        server.sesh("pane-capture", ["one"]).args(bad).fails(2);
    }
}

#[test]
fn an_empty_pane_has_no_lines() {
    let server = Server::start();
    let user = server.user_pane();
    assert_eq!(server.sesh("pane-capture", [&user]).ok().text(), "");
}

#[test]
fn the_screen_and_its_history() {
    let server = Server::start();
    showing(&server, "one", "seq 1 100; printf last", "last");
    let screen = captured(&server, &["one", "--screen"]);
    assert_eq!(screen.len(), 50);
    assert_eq!(screen[..2], ["52", "53"]);
    assert_eq!(screen[49], "last");
    let history = captured(&server, &["one", "--scrollback"]);
    assert_eq!(history.len(), 101);
    assert_eq!(history[..100], numbers(1, 100));
    let some = captured(&server, &["one", "--scrollback=10"]);
    assert_eq!(some.len(), 60);
    assert_eq!(some[0], "42");
}

#[test]
fn a_short_screen_is_whole_with_its_empty_lines() {
    let server = Server::start();
    showing(&server, "one", "echo only", "only");
    let screen = captured(&server, &["one", "--screen"]);
    assert_eq!(screen.len(), 50);
    assert_eq!(screen[0], "only");
    assert!(screen[1..].iter().all(String::is_empty));
}

#[test]
fn colours_when_asked_for() {
    let server = Server::start();
    showing(
        &server,
        "one",
        "printf '\\033[31mred\\033[0m plain\\n'",
        "plain",
    );
    assert_eq!(captured(&server, &["one"]), ["red plain"]);
    let styled = server.sesh("pane-capture", ["one", "--ansi"]).ok();
    assert!(styled.text().contains("\u{1b}[31mred"), "{styled}");
}

#[test]
fn colours_survive_a_cut_and_end_with_the_text() {
    let server = Server::start();
    let script = "printf '\\033[31mone\\ntwo\\nthree\\n'";
    showing(&server, "one", script, "three");
    let styled = server
        .sesh("pane-capture", ["one", "--ansi", "-n", "2"])
        .ok();
    let lines = styled.lines();
    assert_eq!(lines.len(), 2, "{styled}");
    assert!(lines[0].contains("\u{1b}[31mtwo"), "{styled}");
    assert!(lines[1].contains("three"), "{styled}");
    // Whatever switches it off.
    let off = ["\u{1b}[0m", "\u{1b}[39m"];
    assert!(off.iter().any(|off| lines[1].ends_with(off)), "{styled}");
}

#[test]
fn what_is_cut_off_leaves_no_heap_of_colours() {
    let server = Server::start();
    let script =
        "for at in $(seq 1 300); do printf '\\033[3%dmline %d\\033[0m\\n' $((at % 8)) $at; done";
    showing(&server, "one", script, "line 300");
    for args in [&["--ansi", "-n", "1"][..], &["--ansi", "--join", "-n", "1"]] {
        let styled = server.sesh("pane-capture", ["one"]).args(args).ok();
        let bytes = styled.line().len();
        assert!(styled.line().contains("line 300"), "{styled}");
        assert!(bytes < 100, "{bytes} bytes with {args:?}");
    }
}

#[test]
fn wrapped_lines_are_joined_when_asked_for() {
    let server = Server::start();
    let long = "x".repeat(150);
    let made = server.new_sesh([
        "--cols",
        "100",
        "one",
        "--",
        "sh",
        "-c",
        &format!("echo {long}; echo end; exec sleep 1000"),
    ]);
    server.shows(made.pane(), "end");
    assert_eq!(captured(&server, &["one"]).len(), 3);
    assert_eq!(
        captured(&server, &["one", "--join"]),
        [long.as_str(), "end"]
    );
}

#[test]
fn text_comes_back_as_it_is() {
    let server = Server::start();
    std::fs::write(
        server.path("text"),
        "größe 🦀 日本\n#{pane_id} #(touch x) $HOME; 'q' \"d\" \\\n%begin 1 2 3\n\u{241f}\u{241e}marks\n",
    )
    .expect("a file");
    let made = showing(&server, "one", "cat text; echo end", "end");
    let lines = [
        "größe 🦀 日本",
        "#{pane_id} #(touch x) $HOME; 'q' \"d\" \\",
        "%begin 1 2 3",
        "\u{241f}\u{241e}marks",
        "end",
    ];
    assert_eq!(captured(&server, &["one"]), lines);
    assert_eq!(captured(&server, &[made.pane()]), lines);
    assert!(!server.path("x").exists());
}

#[test]
fn what_it_is() {
    let server = Server::start();
    let made = server.new_sesh([
        "--rows",
        "10",
        "--cols",
        "40",
        "one",
        "--",
        "sh",
        "-c",
        "seq 1 12; printf 'two\\033[?25l'; exec sleep 1000",
    ]);
    server.shows(made.pane(), "two");
    let said = server.sesh("pane-capture", ["one", "--json"]).ok().json();
    assert_eq!(said["uuid"], made.uuid());
    assert_eq!(said["name"], "one");
    assert_eq!(said["pane"], made.pane());
    assert_eq!(said["ended"], false);
    assert_eq!(said["size"], serde_json::json!({"columns": 40, "rows": 10}));
    assert_eq!(
        said["cursor"],
        serde_json::json!({"column": 3, "row": 9, "visible": false})
    );
    assert_eq!(said["alternate"], false);
    assert!(said["mode"].is_null());
    assert_eq!(said["history"], 3);
    assert_eq!(said["lines"][12], "two");
}

#[test]
fn a_pane_that_is_no_sesh() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["send-keys", "-t", &user, "hello", "Enter"]);
    server.shows(&user, "hello\nhello");
    let said = server.sesh("pane-capture", [&user, "--json"]).ok().json();
    assert_eq!(said["lines"], serde_json::json!(["hello", "hello"]));
    assert!(said["uuid"].is_null() && said["name"].is_null());
    assert_eq!(said["pane"], user);
    server.sesh("pane-capture", ["%999"]).fails(3);
    server.sesh("pane-capture", ["nobody"]).fails(3);
}

#[test]
fn a_full_screen_program_is_shown_alone() {
    let server = Server::start();
    let made = showing(
        &server,
        "one",
        "seq 1 100; printf '\\033[?1049h\\033[HFULL\\n'",
        "FULL",
    );
    for target in ["one", made.pane()] {
        assert_eq!(captured(&server, &[target]), ["FULL"]);
        let said = server.sesh("pane-capture", [target, "--json"]).ok().json();
        assert_eq!(said["alternate"], true);
    }
}

#[test]
fn a_mode_of_the_person_hides_nothing() {
    let server = Server::start();
    let made = showing(&server, "one", "seq 1 100; printf last", "last");
    server.tmux(["copy-mode", "-t", made.pane()]);
    server.tmux(["send-keys", "-t", made.pane(), "-X", "history-top"]);
    for target in ["one", made.pane()] {
        let said = server
            .sesh("pane-capture", [target, "--json", "-n", "2"])
            .ok()
            .json();
        assert_eq!(said["mode"], "copy-mode");
        assert_eq!(said["lines"], serde_json::json!(["100", "last"]));
    }
}

#[test]
fn a_held_pane_is_read_without_what_it_says_of_itself() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sh", "-c", "echo words; exit 3"]);
    server.ended(made.uuid());
    server.shows(made.pane(), "[sesh: exit 3");
    for target in ["one", made.pane()] {
        assert_eq!(captured(&server, &[target]), ["words"]);
        assert_eq!(captured(&server, &[target, "-n", "1"]), ["words"]);
        let said = server.sesh("pane-capture", [target, "--json"]).ok().json();
        assert_eq!(said["ended"], true);
    }
    assert!(captured(&server, &["one", "--screen"])[1].starts_with("[sesh: exit 3"));
}

#[test]
fn of_an_ended_one_the_last_lines_are_kept() {
    let server = Server::start();
    let made = server.new_sesh([
        "one",
        "--",
        "sh",
        "-c",
        "seq 1 300; printf '\\n größe; $x #(y)\\n\\n'",
    ]);
    server.ended(made.uuid());
    server.sesh("sesh-end", ["one"]).ok();
    let lines = captured(&server, &["one"]);
    assert_eq!(lines.len(), 50);
    assert_eq!(lines[47..], ["300", "", " größe; $x #(y)"]);
    assert_eq!(captured(&server, &["one", "-n", "1"]), [" größe; $x #(y)"]);
    let said = server.sesh("pane-capture", ["one", "--json"]).ok().json();
    assert_eq!(said["ended"], true);
    assert!(said["pane"].is_null() && said["size"].is_null());
    assert_eq!(said["uuid"], made.uuid());
}

#[test]
fn one_that_ended_in_silence_has_no_lines() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "true"]);
    server.ended(made.uuid());
    server.sesh("sesh-end", ["one"]).ok();
    assert_eq!(captured(&server, &["one"]), Vec::<String>::new());
}

#[test]
fn one_whose_lines_nobody_saved_says_so() {
    let server = Server::start();
    let user = server.user_pane();
    server.sesh("sesh-adopt", [&user, "--name", "theirs"]).ok();
    server.tmux(["new-session", "-d", "-s", "another", "cat"]);
    server.tmux(["kill-pane", "-t", &user]);
    let sentence = server.sesh("pane-capture", ["theirs"]).fails(4);
    assert!(sentence.contains("theirs"), "{sentence}");
}

#[test]
fn of_a_name_that_two_have_had_the_living_one_is_read() {
    let server = Server::start();
    let old = server.new_sesh(["one", "--", "echo", "old"]);
    server.ended(old.uuid());
    server.shows(old.pane(), "[sesh: ");
    showing(&server, "one", "echo new", "new");
    assert_eq!(captured(&server, &["one"]), ["new"]);
    assert_eq!(captured(&server, &[old.uuid()]), ["old"]);
}

#[test]
fn in_a_session_group_it_is_read_once() {
    let server = Server::start();
    let made = server.new_sesh([
        "--target",
        MAIN,
        "one",
        "--",
        "sh",
        "-c",
        "echo words; exec sleep 1000",
    ]);
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "twin"]);
    server.shows(made.pane(), "words");
    assert_eq!(captured(&server, &["one"]), ["words"]);
    assert_eq!(
        captured(&server, &["one", "--scrollback"])
            .iter()
            .filter(|line| *line == "words")
            .count(),
        1
    );
}

#[test]
fn looking_changes_nothing() {
    let server = Server::start();
    let made = showing(&server, "one", "seq 1 100", "100");
    let _look = Screen::attach(&server, MAIN, (80, 20));
    let before = server.everything();
    server.sesh("pane-capture", ["one"]).ok();
    server
        .sesh("pane-capture", [made.pane(), "--scrollback"])
        .ok();
    server.sesh("sesh-list", ["--all"]).ok();
    server.sesh("sesh-pane", ["--pane", made.pane()]).ok();
    assert_eq!(server.everything(), before);
    assert_eq!(server.tmux(["list-buffers"]), "");
}
