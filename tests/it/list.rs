//! `sesh-list`: which seshes, and how they are shown.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use unicode_width::UnicodeWidthStr;

use crate::support::{NONE, Record, Screen, Server, helpers};

/// A house with one of each kind.
struct House {
    server: Server,
    build: Record,
    held: Record,
    gone: Record,
    archived: Record,
}

fn house() -> House {
    let server = Server::start();
    // First, since without a pane nothing tells its place among those of one second.
    let gone = server.new_sesh(["--tag", "y", "gone", "--", "true"]);
    let build = server.new_sesh([
        "--tag",
        "x",
        "--tag",
        "team/api",
        "--note",
        "a\tb\nc\\d",
        "build",
        "--",
        "sleep",
        "1000",
    ]);
    let held = server.new_sesh(["--tag", "x", "held", "--", "sh", "-c", "exit 3"]);
    let archived = server.new_sesh(["--tag", "x", "archived", "--", "sleep", "1000"]);
    server.sesh("sesh-set", ["archived", "--archive"]).ok();
    server.ended(held.uuid());
    server.ended(gone.uuid());
    server.sesh("sesh-end", ["gone"]).ok();
    House {
        server,
        build,
        held,
        gone,
        archived,
    }
}

/// The names that a question finds, in order.
#[track_caller]
fn names(server: &Server, args: &[&str]) -> Vec<String> {
    let said = server.sesh("sesh-list", ["--json"]).args(args).ok();
    said.records()
        .iter()
        .map(|record| record.name().to_string())
        .collect()
}

#[test]
fn questions() {
    let house = house();
    let server = &house.server;
    let ask = |args: &[&str]| names(server, args).join(" ");
    assert_eq!(ask(&[]), "build held");
    assert_eq!(ask(&["--archived"]), "build held archived");
    assert_eq!(ask(&["--all"]), "gone build held archived");
    assert_eq!(ask(&["--tag", "x"]), "build held");
    assert_eq!(ask(&["--tag", "x", "--tag", "team/api"]), "build");
    assert_eq!(ask(&["--tag", "y"]), "");
    assert_eq!(ask(&["--tag", "y", "--all"]), "gone");
    assert_eq!(ask(&["--tag", "team"]), "");
    assert_eq!(ask(&["--state", "exited"]), "held");
    assert_eq!(ask(&["--state", "busy"]), "build");
    assert_eq!(ask(&["--agent", "claude"]), "");
    // A word finds archived and ended ones too.
    assert_eq!(ask(&["b"]), "build");
    assert_eq!(ask(&["g"]), "gone");
    assert_eq!(ask(&["arch"]), "archived");
    assert_eq!(ask(&["gone", "b"]), "gone build");
    assert_eq!(ask(&[&house.gone.uuid()[..8]]), "gone");
    assert_eq!(ask(&[house.archived.uuid()]), "archived");
    assert_eq!(ask(&[house.build.pane()]), "build");
    assert_eq!(ask(&["held", "--state", "exited"]), "held");
    server.sesh("sesh-list", ["nobody"]).fails(3);
    server.sesh("sesh-list", ["--state", "sleepy"]).fails(2);
    server.sesh("sesh-list", ["--tag", "a b"]).fails(2);
    let own = server
        .inside(house.build.pane(), "sesh-list", [".", "--json"])
        .ok();
    assert_eq!(own.only().uuid(), house.build.uuid());
}

#[test]
fn agents_are_found_by_their_kind() {
    let server = Server::start();
    server.script("claude", "exec sleep 1000");
    server.new_sesh(["--agent", "claude", "one"]);
    server.new_sesh(["two", "--", "sleep", "1000"]);
    assert_eq!(names(&server, &["--agent", "claude"]), ["one"]);
    let table = server.sesh("sesh-list", ["one"]).ok();
    assert!(table.text().contains("claude"), "{table}");
}

#[test]
fn nothing_to_show_is_no_error() {
    let server = Server::start();
    assert_eq!(server.sesh("sesh-list", NONE).ok().text(), "");
    assert_eq!(server.sesh("sesh-list", ["--json"]).ok().text(), "[]\n");
    assert_eq!(server.sesh("sesh-list", ["--tags"]).ok().text(), "");
    let columns = server.sesh("sesh-list", ["--columns", "name"]).ok();
    assert_eq!(columns.text(), "name\n");
}

#[test]
fn columns_are_tab_separated_and_a_row_is_a_line() {
    let house = house();
    let server = &house.server;
    let said = server
        .sesh(
            "sesh-list",
            [
                "--all",
                "--columns",
                "name,status,tags,archived,live,exit,note,tmux-pane",
            ],
        )
        .ok();
    let pane = |sesh: &Record| sesh.pane().to_string();
    assert_eq!(
        said.lines(),
        [
            "name\tstatus\ttags\tarchived\tlive\texit\tnote\ttmux-pane".to_string(),
            "gone\texited\ty\tfalse\tfalse\t0\t\t".to_string(),
            format!(
                "build\tbusy\tx,team/api\tfalse\ttrue\t\ta\\tb\\nc\\\\d\t{}",
                pane(&house.build)
            ),
            format!("held\texited\tx\tfalse\tfalse\t3\t\t{}", pane(&house.held)),
            format!(
                "archived\tbusy\tx\ttrue\ttrue\t\t\t{}",
                pane(&house.archived)
            ),
        ]
    );
    let bare = server
        .sesh("sesh-list", ["--columns", "uuid", "--no-header", "build"])
        .ok();
    assert_eq!(bare.line(), house.build.uuid());
    let sentence = server
        .sesh("sesh-list", ["--columns", "name,colour"])
        .fails(2);
    assert!(
        sentence.contains("colour") && sentence.contains("tmux-pane"),
        "{sentence}"
    );
}

#[test]
fn every_column_has_a_value_in_the_record() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let columns = [
        "uuid",
        "name",
        "agent",
        "machine",
        "status",
        "state",
        "cwd",
        "tags",
        "archived",
        "live",
        "tmux-socket",
        "tmux-session",
        "tmux-window",
        "tmux-pane",
        "why",
        "since",
        "by",
        "gen",
        "note",
        "parent",
        "conversation",
        "command",
        "exit",
        "created",
        "updated",
    ];
    let made = server.when("the command is known", made.uuid(), |it| {
        !it.strings("command").is_empty()
    });
    let said = server
        .sesh(
            "sesh-list",
            ["--no-header", "--columns", &columns.join(","), "one"],
        )
        .ok();
    let cells: Vec<&str> = said.line().split('\t').collect();
    assert_eq!(cells.len(), columns.len());
    let cell = |name: &str| cells[columns.iter().position(|it| *it == name).expect("a column")];
    let text = |path: &str| made.get(path).to_string().trim_matches('"').to_string();
    for (column, path) in [
        ("uuid", "uuid"),
        ("name", "name"),
        ("machine", "machine"),
        ("status", "turnStatus"),
        ("state", "state"),
        ("cwd", "cwd"),
        ("tmux-socket", "tmux/socket"),
        ("tmux-session", "tmux/session"),
        ("tmux-window", "tmux/window"),
        ("tmux-pane", "tmux/pane"),
        ("since", "since"),
        ("by", "by"),
        ("gen", "gen"),
        ("created", "createdAt"),
        ("updated", "updatedAt"),
    ] {
        assert_eq!(cell(column), text(path), "{column}");
    }
    assert_eq!(cell("command"), "sleep 1000");
    for empty in [
        "agent",
        "tags",
        "why",
        "note",
        "parent",
        "conversation",
        "exit",
    ] {
        assert_eq!(cell(empty), "", "{empty}");
    }
}

#[test]
fn the_record_has_every_field_of_the_design() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sh", "-c", "exit 3"]);
    let held = server.ended(made.uuid());
    let keys = |value: &serde_json::Value| -> BTreeSet<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let design = [
        "uuid",
        "name",
        "agent",
        "machine",
        "cwd",
        "state",
        "turnStatus",
        "why",
        "since",
        "by",
        "gen",
        "seen",
        "live",
        "archived",
        "tags",
        "note",
        "meta",
        "parent",
        "conversation",
        "command",
        "exit",
        "tmux",
        "createdAt",
        "updatedAt",
    ];
    let found = keys(&held.0);
    for key in design {
        assert!(found.contains(key), "no {key} in {found:?}");
    }
    let set = |words: &[&str]| {
        words
            .iter()
            .map(ToString::to_string)
            .collect::<BTreeSet<String>>()
    };
    assert_eq!(keys(held.get("exit")), set(&["code", "signal", "at"]));
    assert_eq!(
        keys(held.get("tmux")),
        set(&["socket", "session", "window", "pane"])
    );
    for absent in [
        "agent",
        "why",
        "note",
        "parent",
        "conversation",
        "exit/signal",
    ] {
        assert!(held.get(absent).is_null(), "{absent}");
    }
    assert_eq!(held.get("turnStatus"), held.get("state"));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock")
        .as_secs();
    for time in ["createdAt", "updatedAt", "since", "exit/at"] {
        let at = held.get(time).as_u64().expect("epoch seconds");
        assert!(at <= now && now - at < 100, "{time}: {at}, now {now}");
    }
    // The same fields, whichever helper prints it, and whether it lives or not. Those that find a sesh add what its
    // transcript says.
    let added = set(&["model", "contextPct", "title", "transcript"]);
    let stored = &found - &added;
    let pane = server
        .sesh("sesh-pane", ["--pane", made.pane(), "--json"])
        .ok()
        .record();
    let changed = server
        .sesh("sesh-set", ["one", "--note", "x", "--json"])
        .ok();
    assert_eq!(keys(&pane.0), found);
    assert_eq!(keys(&changed.only().0), stored);
    assert_eq!(keys(&made.0), stored);
    server.sesh("sesh-end", ["one"]).ok();
    let gone = server.record(made.uuid());
    assert_eq!(keys(&gone.0), found);
    assert!(gone.get("tmux").is_null());
}

#[test]
fn a_format_is_tmuxs_own() {
    let house = house();
    let said = house
        .server
        .sesh(
            "sesh-list",
            [
                "--all",
                "--format",
                "#{@sesh_name}:#{pane_id},#{?pane_dead,dead,there}",
            ],
        )
        .ok();
    // Those that have a pane.
    assert_eq!(
        said.lines(),
        [
            format!("build:{},there", house.build.pane()),
            format!("held:{},there", house.held.pane()),
            format!("archived:{},there", house.archived.pane()),
        ]
    );
    house
        .server
        .sesh("sesh-list", ["--format", "x", "--json"])
        .fails(2);
}

#[test]
fn tags_in_use_are_counted() {
    let house = house();
    let said = house.server.sesh("sesh-list", ["--tags"]).ok();
    assert_eq!(
        said.lines(),
        ["TAG       SESHES", "team/api  1", "x         2"]
    );
    let all = house
        .server
        .sesh("sesh-list", ["--tags", "--all", "--json"])
        .ok();
    assert_eq!(
        all.json(),
        serde_json::json!([
            {"tag": "team/api", "count": 1},
            {"tag": "x", "count": 3},
            {"tag": "y", "count": 1},
        ])
    );
}

#[test]
fn a_table_is_straight_with_wide_characters() {
    let server = Server::start();
    for name in ["a", "日本語", "größe", "🦀 crab", "long-name-of-a-sesh"] {
        server.new_sesh(["--note", "NOTE", name, "--", "sleep", "1000"]);
    }
    let said = server.sesh("sesh-list", NONE).ok();
    let lines = said.lines();
    assert_eq!(lines.len(), 6, "{said}");
    let column = |line: &str, word: &str| {
        let at = line
            .find(word)
            .unwrap_or_else(|| panic!("no {word} in {line:?}"));
        line[..at].width()
    };
    let state = column(lines[0], "STATE");
    let note = column(lines[0], "NOTE");
    for line in &lines[1..] {
        assert_eq!(column(line, "busy"), state, "{said}");
        assert_eq!(column(line, "NOTE"), note, "{said}");
    }
    let bare = server.sesh("sesh-list", ["--no-header"]).ok();
    assert_eq!(bare.lines().len(), 5);
}

/// What a helper shows in a terminal so wide.
fn in_terminal(server: &Server, columns: u16, helper: &str, args: &[&str]) -> String {
    let program = helpers().join(helper).display().to_string();
    let socket = server.socket().display().to_string();
    // tmux may lose the last words of what ends at once.
    let script = "\"$@\"; echo; echo \"it said $?\"; exec sleep 1000";
    let mut words = vec!["sh", "-c", script, "sh", &program, "-S", &socket];
    words.extend(args);
    let screen = Screen::open((columns, 30), &words);
    screen.shows("it said 0");
    screen.text()
}

#[test]
fn a_table_fits_its_terminal() {
    let server = Server::start();
    let note = "a very long note that does not fit into any narrow terminal at all";
    for name in ["one", "two", "日本語"] {
        server.new_sesh([
            "--note", note, "--tag", "some/tag", name, "--", "sleep", "1000",
        ]);
    }
    let wide = server.sesh("sesh-list", NONE).ok();
    assert!(wide.text().contains("a very long note"), "{wide}");
    let narrow = in_terminal(&server, 70, "sesh-list", &[]);
    let lines: Vec<&str> = narrow
        .lines()
        .filter(|line| line.contains("busy"))
        .collect();
    assert_eq!(lines.len(), 3, "a line a sesh: {narrow}");
    assert!(narrow.contains('…'), "{narrow}");
    for line in narrow.lines() {
        assert!(line.width() <= 70, "{line:?}");
    }
}

#[test]
fn text_is_harmless_on_a_terminal_and_exact_on_a_pipe() {
    let server = Server::start();
    let note = "red \u{1b}[31m and \u{202e}turned";
    server.new_sesh(["--note", note, "one", "--", "sleep", "1000"]);
    let args = ["--no-header", "--columns", "note"];
    assert_eq!(server.sesh("sesh-list", args).ok().line(), note);
    let seen = in_terminal(&server, 100, "sesh-list", &args);
    assert!(seen.contains("red \\x1b[31m and \\u{202e}turned"), "{seen}");
}

#[test]
fn a_format_that_tmux_cannot_read_is_a_usage_error() {
    let house = house();
    for bad in ["#{", "#{?x", "#{@sesh_name"] {
        let sentence = house.server.sesh("sesh-list", ["--format", bad]).fails(2);
        assert!(sentence.contains("braces"), "no way out: {sentence}");
    }
}

#[test]
fn what_the_caller_made() {
    let server = Server::start();
    let user = server.user_pane();
    let mine = |args: &[&str]| {
        let said = server
            .inside(
                &user,
                "sesh-list",
                ["--mine", "--columns", "name", "--no-header"],
            )
            .args(args)
            .ok();
        said.lines().join(" ")
    };
    let sentence = server.inside(&user, "sesh-list", ["--mine"]).fails(3);
    assert!(sentence.contains("sesh-adopt"), "{sentence}");
    server.sesh("sesh-list", ["--mine"]).fails(3);
    server.sesh("sesh-adopt", [&user, "--name", "boss"]).ok();
    assert_eq!(mine(&[]), "");
    let make = |args: &[&str]| {
        let args = args.iter().chain(&["--", "sleep", "1000"]);
        server.inside(&user, "sesh-new", args).ok();
    };
    make(&["own", "--tag", "x"]);
    // Handed to another to answer for, but still of this one; and the other way round.
    make(&["lent", "--owner", "ci"]);
    server.new_sesh(["given", "--parent", "boss", "--", "sleep", "1000"]);
    server.new_sesh(["strange", "--tag", "x", "--", "sleep", "1000"]);
    server.new_sesh(["theirs", "--owner", "ci", "--", "sleep", "1000"]);
    assert_eq!(mine(&[]), "own lent given");
    assert_eq!(mine(&["--tag", "x"]), "own");
    assert_eq!(mine(&["--owner", "ci"]), "lent");
    server.sesh("sesh-end", ["own"]).ok();
    assert_eq!(mine(&[]), "lent given");
    assert!(mine(&["--all"]).contains("own"));
    let owned = server
        .sesh(
            "sesh-list",
            ["--owner", "ci", "--columns", "name,owner", "--no-header"],
        )
        .ok();
    assert_eq!(owned.lines(), ["lent\tci", "theirs\tci"]);
    server.sesh("sesh-list", ["--owner", "#(x)"]).fails(2);
    server.sesh("sesh-list", ["--owner", ""]).fails(2);
}

#[test]
fn where_a_sesh_is_is_where_a_person_sees_it() {
    let server = Server::start();
    // In a group, and in a window that is linked; what was made last is what tmux would answer with.
    let grouped = server.new_sesh(["grouped", "--target", "dev", "--", "sleep", "1000"]);
    let linked = server.new_sesh(["linked", "--target", "own", "--", "sleep", "1000"]);
    let names = |made: &Record| {
        let of = |said: Record| said.get("tmux")["session"].as_str().map(String::from);
        let resolved = server.sesh("sesh-pane", ["--pane", made.pane(), "--json"]);
        [of(server.record(made.uuid())), of(resolved.ok().record())]
    };
    server.tmux(["new-session", "-d", "-s", "0-seen", "-t", "dev"]);
    server.tmux(["new-session", "-d", "-s", "zz", "cat"]);
    server.tmux(["link-window", "-d", "-s", "own:0", "-t", "zz:5"]);
    let shown = Screen::attach(&server, "0-seen", (80, 24));
    let other = Screen::attach(&server, "zz", (80, 24));
    server.tmux(["new-session", "-d", "-s", "0-later", "-t", "dev"]);
    server.tmux(["new-session", "-d", "-s", "z-later", "-t", "dev"]);
    assert_eq!(
        names(&grouped),
        [Some("0-seen".into()), Some("0-seen".into())]
    );
    assert_eq!(names(&linked), [Some("zz".into()), Some("zz".into())]);
    let listed = server
        .sesh(
            "sesh-list",
            ["--columns", "name,tmux-session", "--no-header"],
        )
        .ok();
    assert!(listed.text().contains("grouped\t0-seen\n"), "{listed}");
    // Of two that have a client, the one whose current window it is.
    let third = Screen::attach(&server, "own", (80, 24));
    assert_eq!(names(&linked), [Some("own".into()), Some("own".into())]);
    drop((shown, other, third));
}

#[test]
fn what_a_person_writes_into_options_is_listed() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--owner", "ci", "--note", "old", "--", "cat"]);
    let other = server.new_sesh(["two", "--", "cat"]);
    let set = |option: &str, value: &str| {
        server.tmux(["set-option", "-p", "-t", made.pane(), option, value]);
    };
    let listed = || {
        let all = server.sesh("sesh-list", ["--json"]).ok().records();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].uuid(), other.uuid());
        all.into_iter().next().expect("the first")
    };
    // tmux 3.4 prints a backslash before a dollar that has none.
    let is_3_4 = server.tmux(["-V"]).trim_end().ends_with("3.4");
    let dollar = if is_3_4 { "" } else { "$" };
    let note = format!(r#"it's "{dollar}new", a=b \ c"#);
    let owner = format!(r#"it's "{dollar}HOME" \ c"#);
    // What a person has seen, and a note, at once.
    set("@sesh_note", &note);
    set("@sesh_seen", "7");
    let now = listed();
    assert_eq!(now.text("note"), note);
    assert_eq!(now.get("seen"), 7);
    // Other values after the next look of the plugin, whatever tmux has to quote in them.
    set("@sesh_owner", &owner);
    set("@sesh_tags", " a b ");
    server.sesh("sesh-reap", NONE).ok();
    let now = listed();
    assert_eq!(now.text("owner"), owner);
    assert_eq!(now.strings("tags"), ["a", "b"]);
    assert_eq!(now.text("note"), note);
    // A record that is gone or broken makes no sesh disappear.
    for book in ["", "nonsense", "1,name=other"] {
        let option = format!("@seshbook_{}", made.uuid());
        server.tmux(["set-option", "-s", &option, book]);
        assert_eq!(listed().text("name"), "one", "{book:?}");
        server.tmux(["set-option", "-su", &option]);
        assert_eq!(listed().strings("tags"), ["a", "b"]);
    }
}
