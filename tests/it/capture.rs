//! `pane-capture`: what is on a pane, and what the pane is.

use pretty_assertions::assert_eq;

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

/// What `pane-capture --since` says.
#[track_caller]
fn since(server: &Server, target: &str, cursor: &str) -> serde_json::Value {
    let args = [target, "--since", cursor, "--json"];
    server.sesh("pane-capture", args).ok().json()
}

#[track_caller]
fn next(said: &serde_json::Value) -> String {
    said["next"].as_str().expect("a cursor").into()
}

/// A sesh that shows what is written into the file that this gives.
fn fed(server: &Server, name: &str) -> (Record, std::path::PathBuf) {
    let fifo = server.path(name);
    server.call("mkfifo".as_ref()).args([&fifo]).ok();
    let script = format!("exec cat 0<>'{}'", fifo.display());
    let made = server.new_sesh([
        "--session",
        "--cols",
        "80",
        "--rows",
        "10",
        name,
        "--",
        "sh",
        "-c",
        &script,
    ]);
    (made, fifo)
}

/// Writes, and waits for what is written last to be seen.
#[track_caller]
fn feed(server: &Server, (made, fifo): &(Record, std::path::PathBuf), text: &str, last: &str) {
    std::fs::OpenOptions::new()
        .write(true)
        .open(fifo)
        .and_then(|mut fifo| std::io::Write::write_all(&mut fifo, text.as_bytes()))
        .expect("the sesh reads");
    server.shows(made.pane(), last);
}

#[test]
fn since_a_cursor_only_what_is_new() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "a\nb\n", "b");
    let first = since(&server, "one", "start");
    assert_eq!(first["lines"], serde_json::json!(["a", "b"]));
    assert_eq!(
        (&first["truncated"], &first["historyLimit"]),
        (&false.into(), &2000.into())
    );
    let again = since(&server, "one", &next(&first));
    assert_eq!(again["lines"], serde_json::json!([]));
    // An unfinished line, then its rest: it comes again, whole.
    feed(&server, &sesh, "c\nd", "d");
    let more = since(&server, "one", &next(&again));
    assert_eq!(more["lines"], serde_json::json!(["c", "d"]));
    feed(&server, &sesh, "D\ne\n", "e");
    let rest = since(&server, sesh.0.pane(), &next(&more));
    assert_eq!(rest["lines"], serde_json::json!(["dD", "e"]));
    // Over the screen and far into the history, twice from one cursor.
    let text: String = numbers(1, 500)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    feed(&server, &sesh, &text, "500");
    for _ in 0..2 {
        let many = since(&server, sesh.0.uuid(), &next(&rest));
        assert_eq!(many["lines"], serde_json::json!(numbers(1, 500)));
        assert_eq!(many["truncated"], false);
    }
    let now = since(&server, "one", "now");
    assert_eq!(now["lines"], serde_json::json!([]));
    feed(&server, &sesh, "last\n", "last");
    let last = since(&server, "one", &next(&now));
    assert_eq!(last["lines"], serde_json::json!(["last"]));
}

#[test]
fn without_json_the_cursor_is_the_first_line() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "a\n", "a");
    let said = server
        .sesh("pane-capture", ["one", "--since", "start"])
        .ok();
    assert_eq!(said.lines(), ["a"]);
    let said = server
        .sesh("pane-capture", ["one", "--since", "start", "--cursor"])
        .ok();
    let lines = said.lines();
    assert_eq!(lines[1..], ["a"]);
    let said = server
        .sesh("pane-capture", ["one", "--cursor", "--since", lines[0]])
        .ok();
    assert_eq!(said.lines(), [lines[0]]);
    for bad in [
        &["--cursor"][..],
        &["--since", "start", "--cursor", "--json"],
        &["--since", "start", "--screen"],
        &["--since", "p1."],
        &["--since", "p1.AAAA"],
        &["--since", &lines[0][..lines[0].len() - 1]],
        &["--since", "c1.#(touch x)"],
    ] {
        server.sesh("pane-capture", ["one"]).args(bad).fails(2);
    }
}

#[test]
fn a_cursor_of_another_pane_or_server_is_refused() {
    let server = Server::start();
    let one = fed(&server, "one");
    let two = fed(&server, "two");
    feed(&server, &one, "a\n", "a");
    feed(&server, &two, "a\n", "a");
    let cursor = next(&since(&server, "one", "now"));
    let sentence = server
        .sesh("pane-capture", ["two", "--since", &cursor])
        .fails(5);
    assert!(sentence.contains("another pane"), "{sentence}");
    let elsewhere = Server::start();
    let pane = elsewhere.user_pane();
    let sentence = elsewhere
        .sesh("pane-capture", [&pane, "--since", &cursor])
        .fails(5);
    assert!(sentence.contains("another server"), "{sentence}");
    // A name that another has now.
    server.sesh("sesh-end", ["one", "--forget"]).ok();
    std::fs::remove_file(&one.1).expect("the fifo");
    let again = fed(&server, "one");
    feed(&server, &again, "a\n", "a");
    server
        .sesh("pane-capture", ["one", "--since", &cursor])
        .fails(5);
    let user = server.user_pane();
    let of_no_sesh = next(&since(&server, &user, "now"));
    assert_eq!(
        since(&server, &user, &of_no_sesh)["lines"],
        serde_json::json!([])
    );
}

#[test]
fn a_history_that_was_trimmed_says_so() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "history-limit", "100"]);
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "a\nb\nc\n", "c");
    let first = since(&server, "one", "start");
    assert_eq!(first["truncated"], false);
    // Within its reach nothing is missing, also where the rows have moved.
    let text = |from, to| -> String {
        numbers(from, to)
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    };
    feed(&server, &sesh, &text(1, 95), "95");
    let some = since(&server, "one", &next(&first));
    assert_eq!(some["lines"], serde_json::json!(numbers(1, 95)));
    assert_eq!(some["truncated"], false);
    feed(&server, &sesh, &text(96, 150), "150");
    let more = since(&server, "one", &next(&some));
    assert_eq!(more["lines"], serde_json::json!(numbers(96, 150)));
    assert_eq!(
        (&more["truncated"], &more["historyLimit"]),
        (&false.into(), &100.into())
    );
    feed(&server, &sesh, &text(151, 999), "999");
    let lost = since(&server, "one", &next(&more));
    assert_eq!(lost["truncated"], true);
    let lines = lost["lines"].as_array().expect("lines");
    assert!((90..=110).contains(&lines.len()), "{lost}");
    assert_eq!(lines.last().expect("a line"), "999");
    // And a person or a script without JSON is told too.
    let said = server
        .sesh("pane-capture", ["one", "--since", &next(&more)])
        .said();
    assert_eq!(said.code(), Some(0));
    assert!(said.sentence().contains("missing"), "{said}");
    // The same line over and over tells nobody how often it was there.
    let equal = "same\n".repeat(300);
    feed(&server, &sesh, &equal, "same\nsame");
    let before = since(&server, "one", "now");
    feed(&server, &sesh, &equal, "same");
    assert_eq!(since(&server, "one", &next(&before))["truncated"], true);
}

#[test]
fn without_a_history_what_scrolled_off_is_gone() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "history-limit", "0"]);
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "1\n2\n3\n4\n", "4");
    let first = since(&server, "one", "now");
    feed(&server, &sesh, "5\n6\n", "6");
    let some = since(&server, "one", &next(&first));
    assert_eq!(
        (&some["lines"], &some["truncated"]),
        (&serde_json::json!(["5", "6"]), &false.into())
    );
    let many: String = numbers(7, 99)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    feed(&server, &sesh, &many, "99");
    let lost = since(&server, "one", &next(&some));
    assert_eq!(lost["truncated"], true);
    assert_eq!(lost["lines"].as_array().map(Vec::len), Some(9));
}

#[test]
fn a_cleared_history_loses_no_line_that_is_there() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    let many: String = numbers(1, 100)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    feed(&server, &sesh, &many, "100");
    let first = since(&server, "one", "now");
    server.tmux(["clear-history", "-t", sesh.0.pane()]);
    feed(&server, &sesh, "new\n", "new");
    let new = since(&server, "one", &next(&first));
    assert_eq!(
        (&new["lines"], &new["truncated"]),
        (&serde_json::json!(["new"]), &false.into())
    );
    // Screen and history at once, and more in their place than there was.
    let old = since(&server, "one", "now");
    let text: String = numbers(2001, 2400)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    feed(
        &server,
        &sesh,
        &format!("\x1b[H\x1b[2J\x1b[3J{text}"),
        "2400",
    );
    let all = since(&server, "one", &next(&old));
    assert_eq!(all["truncated"], true);
    assert_eq!(all["lines"], serde_json::json!(numbers(2001, 2400)));
    // The same again, with a line that is where one like it was.
    let old = since(&server, "one", "now");
    let text: String = (1..=600)
        .map(|at| match at {
            360 => "2360\n".into(),
            at => format!("n{at}\n"),
        })
        .collect();
    feed(
        &server,
        &sesh,
        &format!("\x1b[H\x1b[2J\x1b[3J{text}"),
        "n600",
    );
    let all = since(&server, "one", &next(&old));
    assert_eq!(
        (&all["truncated"], all["lines"].as_array().map(Vec::len)),
        (&true.into(), Some(600))
    );
    // The screen alone: what was on it is in the history.
    let old = since(&server, "one", "now");
    feed(&server, &sesh, "\x1b[H\x1b[2Jfresh\n", "fresh");
    let fresh = since(&server, "one", &next(&old));
    assert_eq!(
        (&fresh["lines"], &fresh["truncated"]),
        (&serde_json::json!(["fresh"]), &false.into())
    );
}

#[test]
fn another_size_is_no_news() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    let long = "x y ".repeat(60);
    let long = long.trim_end();
    let text: String = (1..=40).map(|at| format!("{at} {long}\n")).collect();
    feed(&server, &sesh, &text, "40 x");
    let first = since(&server, "one", "start");
    assert_eq!(first["lines"].as_array().map(Vec::len), Some(40));
    assert_eq!(first["lines"][39], format!("40 {long}"));
    let mut cursor = next(&first);
    for (at, (columns, rows)) in [
        ("50", "10"),
        ("50", "30"),
        ("120", "5"),
        ("33", "40"),
        ("80", "10"),
    ]
    .into_iter()
    .enumerate()
    {
        server.tmux([
            "resize-window",
            "-t",
            sesh.0.pane(),
            "-x",
            columns,
            "-y",
            rows,
        ]);
        let none = since(&server, "one", &cursor);
        assert_eq!(
            (&none["lines"], &none["truncated"]),
            (&serde_json::json!([]), &false.into())
        );
        let line = format!("new {at}");
        feed(&server, &sesh, &format!("{line} {long}\n"), &line);
        let new = since(&server, "one", &cursor);
        assert_eq!(new["lines"], serde_json::json!([format!("{line} {long}")]));
        assert_eq!(new["truncated"], false);
        cursor = next(&new);
    }
}

#[test]
fn a_full_screen_program_is_whole_and_the_lines_before_it_wait() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "a\nb\n", "b");
    let first = since(&server, "one", "start");
    feed(&server, &sesh, "c\n\x1b[?1049h\x1b[HFULL\n", "FULL");
    let full = since(&server, "one", &next(&first));
    assert_eq!(
        (&full["alternate"], &full["lines"]),
        (&true.into(), &serde_json::json!(["FULL"]))
    );
    let same = since(&server, "one", &next(&full));
    assert_eq!(
        (&same["alternate"], &same["lines"]),
        (&true.into(), &serde_json::json!([]))
    );
    feed(&server, &sesh, "more\n", "more");
    let other = since(&server, "one", &next(&same));
    assert_eq!(other["lines"], serde_json::json!(["FULL", "more"]));
    feed(&server, &sesh, "\x1b[?1049ld\n", "d");
    let back = since(&server, "one", &next(&other));
    assert_eq!(
        (&back["alternate"], &back["lines"]),
        (&false.into(), &serde_json::json!(["c", "d"]))
    );
    assert_eq!(back["truncated"], false);
    // Begun in the middle of it: what the normal screen had is no news.
    feed(&server, &sesh, "\x1b[?1049hFULL\n", "FULL");
    let now = since(&server, "one", "now");
    assert_eq!(now["lines"], serde_json::json!([]));
    feed(&server, &sesh, "\x1b[?1049le\n", "e");
    let back = since(&server, "one", &next(&now));
    assert_eq!(back["lines"], serde_json::json!(["e"]));
}

#[test]
fn a_cursor_outlives_the_end_and_the_pane() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "a\nb\n", "b");
    let first = since(&server, "one", "start");
    let uuid = sesh.0.uuid();
    feed(&server, &sesh, "größe; $x #(y)\n", "größe");
    server.tmux(["send-keys", "-t", sesh.0.pane(), "C-c"]);
    server.ended(uuid);
    server.shows(sesh.0.pane(), "[sesh: ");
    let held = since(&server, "one", &next(&first));
    // The terminal's echo of the key.
    assert_eq!(held["lines"], serde_json::json!(["größe; $x #(y)", "^C"]));
    assert_eq!(held["ended"], true);
    assert_eq!(
        since(&server, "one", &next(&held))["lines"],
        serde_json::json!([])
    );
    server.sesh("sesh-end", ["one"]).ok();
    for (cursor, lines) in [
        (next(&first), serde_json::json!(["größe; $x #(y)", "^C"])),
        (next(&held), serde_json::json!([])),
    ] {
        let gone = since(&server, "one", &cursor);
        assert_eq!(
            (&gone["pane"], &gone["lines"]),
            (&serde_json::Value::Null, &lines)
        );
        assert_eq!(gone["truncated"], false);
        assert_eq!(
            since(&server, "one", &next(&gone))["lines"],
            serde_json::json!([])
        );
    }
    // Nobody knows what came before the lines that were kept.
    let all = since(&server, uuid, "start");
    assert_eq!(all["truncated"], true);
    assert_eq!(
        all["lines"],
        serde_json::json!(["a", "b", "größe; $x #(y)", "^C"])
    );
    let user = server.user_pane();
    let other = next(&since(&server, &user, "now"));
    server
        .sesh("pane-capture", ["one", "--since", &other])
        .fails(5);
    // Without a session too.
    server.tmux(["set-option", "-s", "exit-empty", "off"]);
    server.tmux(["kill-session", "-t", MAIN]);
    assert_eq!(
        since(&server, "one", &next(&held))["lines"],
        serde_json::json!([])
    );
}

#[test]
fn colours_since_a_cursor() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "\x1b[31mred\n", "red");
    let first = since(&server, "one", "now");
    feed(&server, &sesh, "more\n", "more");
    let styled = server
        .sesh("pane-capture", ["one", "--ansi", "--since", &next(&first)])
        .ok();
    assert!(styled.line().contains("\u{1b}[31mmore"), "{styled}");
    assert!(!styled.text().contains("red"), "{styled}");
}

#[test]
fn while_it_is_flooded_no_line_is_lost() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "history-limit", "1000000"]);
    let last = if cfg!(debug_assertions) {
        60_000
    } else {
        200_000
    };
    let script = format!("read x; seq 1 {last}; echo done; exec sleep 1000");
    let made = server.new_sesh(["one", "--", "sh", "-c", &script]);
    let mut cursor = next(&since(&server, "one", "now"));
    server.tmux(["send-keys", "-t", made.pane(), "Enter"]);
    let mut all: Vec<String> = Vec::new();
    let mut reads = 0;
    crate::support::until("all was read", || {
        let said = since(&server, "one", &cursor);
        assert_eq!(said["truncated"], false);
        cursor = next(&said);
        for line in said["lines"].as_array().expect("lines") {
            let line = line.as_str().expect("a line");
            // One that was not finished comes again.
            if all
                .last()
                .is_some_and(|last| line.starts_with(last.as_str()))
            {
                all.pop();
            }
            all.push(line.into());
        }
        reads += 1;
        all.last().is_some_and(|last| last == "done")
    });
    assert_eq!(all.len(), last + 1, "{reads} reads, from {:?}", &all[..5]);
    assert!(
        all[..last]
            .iter()
            .enumerate()
            .all(|(at, line)| *line == (at + 1).to_string())
    );
}

#[test]
fn of_equal_lines_none_is_lost_without_a_word() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "history-limit", "1000000"]);
    let script = "read x; yes same | head -n 60000; echo done; exec sleep 1000";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    let mut cursor = next(&since(&server, "one", "now"));
    server.tmux(["send-keys", "-t", made.pane(), "Enter"]);
    let (mut count, mut told, mut done) = (0, false, false);
    crate::support::until("all was read", || {
        let said = since(&server, "one", &cursor);
        cursor = next(&said);
        told |= said["truncated"] == true;
        for line in said["lines"].as_array().expect("lines") {
            count += usize::from(line == "same");
            done |= line == "done";
        }
        done
    });
    assert!(told || count == 60_000, "{count} of 60000");
}

#[test]
fn two_questions_are_enough() {
    let server = Server::start();
    let sesh = fed(&server, "one");
    feed(&server, &sesh, "a\n", "a");
    let first = since(&server, "one", "now");
    feed(&server, &sesh, "b\n", "b");
    server.count_tmux();
    let read = server
        .sesh("pane-capture", ["one", "--since", &next(&first)])
        .env("SESH_CLIENT", "tmux");
    read.ok();
    assert_eq!(server.tmux_calls(), 2);
}

#[test]
fn a_pane_that_closes_meanwhile_leaves_its_last_lines() {
    let server = Server::start();
    for round in 0..crate::support::count(100) {
        let name = format!("one-{round}");
        let made = server.new_sesh([&name, "--", "echo", "words"]);
        server.ended(made.uuid());
        std::thread::scope(|scope| {
            scope.spawn(|| server.sesh("sesh-end", [&name]).ok());
            for _ in 0..12 {
                assert_eq!(captured(&server, &[&name]), ["words"]);
            }
        });
    }
}
