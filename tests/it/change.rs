//! `sesh-set`: what is known of a sesh changes, all of it or nothing, and only if it changes.

use pretty_assertions::assert_eq;

use crate::support::{MAIN, NONE, Record, Screen, Server, until};

fn sesh(server: &Server, name: &str) -> Record {
    server.new_sesh([name, "--", "sleep", "1000"])
}

/// A sesh that has ended and whose pane is gone.
fn gone(server: &Server, name: &str) -> Record {
    let made = server.new_sesh([name, "--", "true"]);
    server.ended(made.uuid());
    server.sesh("sesh-end", [name]).ok();
    made
}

#[track_caller]
fn set(server: &Server, args: &[&str]) -> Record {
    let said = server.sesh("sesh-set", args).args(["--json"]).ok();
    let mut records = said.records();
    assert_eq!(records.len(), 1);
    let record = records.remove(0);
    assert_eq!(
        server.record(record.uuid()),
        record,
        "what it says is what is stored"
    );
    record
}

#[test]
fn every_field_of_a_living_and_of_an_ended_one() {
    let server = Server::start();
    let parent = sesh(&server, "parent");
    for made in [sesh(&server, "living"), gone(&server, "ended")] {
        let id = made.uuid();
        let now = |args: &[&str]| set(&server, &[&[id], args].concat());

        assert_eq!(now(&["--note", "x; #(y)"]).text("note"), "x; #(y)");
        assert!(now(&["--note", ""]).get("note").is_null());

        assert_eq!(
            now(&["--tag", "a", "--tag", "b/c"]).strings("tags"),
            ["a", "b/c"]
        );
        assert_eq!(now(&["--tag", "a"]).strings("tags"), ["a", "b/c"]);
        assert_eq!(now(&["--retag", "a=z"]).strings("tags"), ["z", "b/c"]);
        assert_eq!(now(&["--untag", "nothing"]).strings("tags"), ["z", "b/c"]);
        assert_eq!(
            now(&["--untag", "z", "--tag", "d"]).strings("tags"),
            ["b/c", "d"]
        );
        assert_eq!(now(&["--retag", "d=b/c"]).strings("tags"), ["b/c"]);
        assert_eq!(now(&["--untag", "b/c"]).strings("tags"), Vec::<&str>::new());
        server.sesh("sesh-set", [id, "--retag", "no=yes"]).fails(4);

        let fields = now(&["--meta", "k=v=w", "--meta", "a.b-c_1=two words"]);
        assert_eq!(fields.text("meta/k"), "v=w");
        assert_eq!(fields.text("meta/a.b-c_1"), "two words");
        let fields = now(&["--meta", "k=", "--meta", "n=1"]);
        assert_eq!(
            fields.get("meta"),
            &serde_json::json!({"a.b-c_1": "two words", "n": "1"})
        );

        assert_eq!(now(&["--archive"]).get("archived"), true);
        assert_eq!(now(&["--archive"]).get("archived"), true);
        assert_eq!(now(&["--unarchive"]).get("archived"), false);

        assert_eq!(now(&["--parent", "parent"]).text("parent"), parent.uuid());
        assert!(now(&["--parent", ""]).get("parent").is_null());

        assert_eq!(now(&["--name", "renamed"]).name(), "renamed");
        assert_eq!(now(&["--name", "renamed"]).name(), "renamed");
        now(&["--name", made.name()]);
    }
}

#[test]
fn a_tag_that_is_part_of_another_is_another() {
    let server = Server::start();
    sesh(&server, "one");
    let tags = |args: &[&str]| {
        let record = set(&server, &[&["one"], args].concat());
        record.strings("tags").join(" ")
    };
    assert_eq!(
        tags(&["--tag", "a", "--tag", "a/b", "--tag", "b"]),
        "a a/b b"
    );
    assert_eq!(tags(&["--untag", "a"]), "a/b b");
    assert_eq!(tags(&["--untag", "b"]), "a/b");
    assert_eq!(tags(&["--tag", "b"]), "a/b b");
    assert_eq!(tags(&["--retag", "b=a"]), "a/b a");
}

#[test]
fn a_rename_moves_what_tmux_shows() {
    let server = Server::start();
    let user = server.user_pane();
    let made = sesh(&server, "old");
    set(&server, &["old", "--name", "new"]);
    assert_eq!(
        server.format(made.pane(), "#{@sesh_name} #{window_name}"),
        "new new"
    );
    assert_eq!(
        server.format(&user, "#{session_name} #{window_name}"),
        "main user"
    );
}

#[test]
fn a_name_of_the_living_is_refused_and_nothing_else_happens() {
    let server = Server::start();
    let one = sesh(&server, "one");
    sesh(&server, "two");
    let before = server.everything();
    let sentence = server
        .sesh(
            "sesh-set",
            [
                "one", "--name", "two", "--note", "x", "--tag", "y", "--meta", "k=v",
            ],
        )
        .fails(4);
    assert!(sentence.contains("two"), "{sentence}");
    server
        .sesh("sesh-set", ["one", "--retag", "no=yes", "--note", "x"])
        .fails(4);
    assert_eq!(server.everything(), before);
    // Of an ended one the name is free.
    server.sesh("sesh-end", ["two"]).ok();
    assert_eq!(set(&server, &[one.uuid(), "--name", "two"]).name(), "two");
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let server = Server::start();
    sesh(&server, "one");
    sesh(&server, "two");
    let before = server.everything();
    let bad: [&[&str]; 10] = [
        &["one"],
        &[],
        &["--note", "x"],
        &["one", "two", "--name", "three"],
        &["one", "--archive", "--unarchive"],
        &["one", "--tag", "a b"],
        &["one", "--retag", "a"],
        &["one", "--meta", "novalue"],
        &["one", "--meta", "bad key=x"],
        &["one", "--name", "#bad"],
    ];
    for args in bad {
        server.sesh("sesh-set", args).fails(2);
    }
    assert_eq!(server.everything(), before);
}

#[test]
fn a_new_name_holds_no_colon() {
    let server = Server::start();
    let user = server.user_pane();
    sesh(&server, "one");
    let before = server.everything();
    let ways: [(&str, &[&str]); 4] = [
        ("sesh-new", &["a:b", "--", "true"]),
        ("sesh-new", &["--dry-run", "a:b"]),
        ("sesh-adopt", &[&user, "--name", "a:b"]),
        ("sesh-set", &["one", "--name", "a:b"]),
    ];
    for (helper, args) in ways {
        let why = server.sesh(helper, args).fails(2);
        let reason = "\"a:b\" is not a valid name: it contains ':', which is reserved for hosts";
        assert!(why.contains(reason), "{helper}: {why}");
    }
    assert_eq!(server.everything(), before);
}

#[test]
fn a_stored_name_keeps_its_colon() {
    let server = Server::start();
    let made = sesh(&server, "one");
    // As an earlier version has stored it.
    server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_name", "a:b"]);
    server.sesh("sesh-reap", NONE).ok();
    let same = |record: &Record| {
        assert_eq!((record.name(), record.uuid()), ("a:b", made.uuid()));
    };
    same(&server.record("a:b"));
    same(&set(&server, &["a:b", "--note", "x", "--tag", "y"]));
    same(&set(&server, &["a:b", "--archive"]));
    same(&set(&server, &["a:b", "--unarchive"]));
    server.sesh("pane-capture", ["a:b"]).ok();
    let taken = set(&server, &["a:b", "--name", "other"]);
    assert_eq!(taken.name(), "other");
    server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_name", "a:b"]);
    set(&server, &["a:b", "--meta", "k=v"]);
    server.sesh("sesh-end", ["a:b"]).ok();
    same(&server.record("a:b"));
    let back = server.sesh("sesh-restore", ["a:b", "--run", "--json"]);
    same(&back.ok().record());
    server.runs(server.record("a:b").pane(), "sleep");
    server.sesh("sesh-end", ["a:b"]).ok();
    // What the journal alone has.
    let variable = format!("@seshbook_{}", made.uuid());
    server.tmux(["set-option", "-su", &variable]);
    same(&server.record("a:b"));
    let back = server.sesh("sesh-restore", ["a:b", "--json"]);
    same(&back.ok().record());
}

#[test]
fn a_sesh_is_not_its_own_parent() {
    let server = Server::start();
    sesh(&server, "one");
    let said = server
        .sesh("sesh-set", ["one", "--parent", "one", "--json"])
        .said();
    let parent = server
        .sesh("sesh-list", ["--json", "one"])
        .ok()
        .only()
        .get("parent")
        .clone();
    assert!(parent.is_null(), "{said}");
}

#[test]
fn a_change_is_stamped_and_no_change_is_not() {
    let server = Server::start();
    let made = sesh(&server, "one");
    let updated = |record: &Record| record.get("updatedAt").as_u64().expect("a time");
    let born = updated(&made);
    until("the clock goes on", || {
        server
            .format(made.pane(), "#{T:#{l:%s}}")
            .parse::<u64>()
            .expect("seconds")
            > born
    });
    assert_eq!(
        updated(&set(&server, &["one", "--unarchive", "--untag", "x"])),
        born
    );
    assert!(updated(&set(&server, &["one", "--note", "x"])) > born);
}

#[test]
fn what_does_not_change_redraws_nothing() {
    let server = Server::start();
    let made = sesh(&server, "one");
    let ended = gone(&server, "ended");
    let same = [
        "--name",
        "one",
        "--note",
        "a note",
        "--tag",
        "x",
        "--untag",
        "y",
        "--retag",
        "z=x",
        "--unarchive",
        "--meta",
        "k=v",
        "--parent",
        "",
    ];
    server
        .sesh(
            "sesh-set",
            ["one", "--note", "a note", "--tag", "x", "--meta", "k=v"],
        )
        .ok();
    server
        .sesh("sesh-set", [ended.uuid(), "--note", "a note"])
        .ok();
    let look = Screen::attach(&server, MAIN, (80, 20));
    let cost = |write: &dyn Fn()| look.cost(&server, write);
    let of_living = cost(&|| {
        server.sesh("sesh-set", ["one"]).args(same).ok();
    });
    let of_ended = cost(&|| {
        let same = ["--note", "a note", "--unarchive", "--name", "ended"];
        server.sesh("sesh-set", [ended.uuid()]).args(same).ok();
    });
    assert_eq!((of_living, of_ended), (0, 0), "bytes for equal writes");
    // The measure is one: a change is seen.
    let other = std::cell::Cell::new(0);
    let of_change = cost(&|| {
        other.set(other.get() + 1);
        let note = format!("another {}", other.get());
        server.sesh("sesh-set", ["one", "--note", &note]).ok();
    });
    assert!(of_change > 0);
    assert_eq!(server.record(made.uuid()).text("note"), "another 5");
}

/// Seshes with the tag `set`, and one without.
fn a_set(server: &Server, count: usize) -> Vec<Record> {
    server.new_sesh(["other", "--tag", "settled", "--", "sleep", "1000"]);
    (0..count)
        .map(|at| {
            let name = format!("n-{at}");
            server.new_sesh([
                &name, "--tag", "set", "--target", "many", "--", "sleep", "1000",
            ])
        })
        .collect()
}

fn lines_of(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .enumerate()
        .map(|(at, record)| format!("{}\tn-{at}", record.uuid()))
        .collect()
}

#[test]
fn a_whole_set_in_one_list() {
    let server = Server::start();
    let set = a_set(&server, 30);
    let held = server.new_sesh([
        "held", "--tag", "set", "--tag", "x", "--", "sh", "-c", "exit 3",
    ]);
    server.ended(held.uuid());
    server.count_tmux();
    let said = server
        .sesh(
            "sesh-set",
            [
                "--tagged",
                "set",
                "--tag",
                "more",
                "--meta",
                "run=7 ;'#(x)",
                "--note",
                "größe",
            ],
        )
        .env("SESH_CLIENT", "tmux")
        .ok();
    assert_eq!(
        server.tmux_calls(),
        3,
        "one list writes between two that read"
    );
    let mut lines = lines_of(&set);
    lines.push(format!("{}\theld", held.uuid()));
    assert_eq!(said.lines(), lines);
    for record in &set {
        let now = server.record(record.uuid());
        assert_eq!(now.0["tags"], serde_json::json!(["set", "more"]));
        assert_eq!(now.0["meta"]["run"], "7 ;'#(x)");
        assert_eq!(now.0["note"], "größe");
    }
    // Its book too.
    assert_eq!(server.sesh("sesh-reap", ["--json"]).ok().text(), "[]\n");
    // Those that have all of the tags; and the tag that chose them may be the one that goes.
    let said = server
        .sesh(
            "sesh-set",
            [
                "--tagged", "set", "--tagged", "x", "--untag", "set", "--json",
            ],
        )
        .ok();
    let changed = said.only();
    assert_eq!(changed.uuid(), held.uuid());
    assert_eq!(changed.0["tags"], serde_json::json!(["x", "more"]));
    let other = server.sesh("sesh-list", ["other", "--json"]).ok().only();
    assert_eq!(other.0["tags"], serde_json::json!(["settled"]));
}

#[test]
fn of_a_set_each_is_changed_whole_or_not_at_all() {
    let server = Server::start();
    let set = a_set(&server, 3);
    server.sesh("sesh-set", ["n-1", "--tag", "old"]).ok();
    let said = server
        .sesh(
            "sesh-set",
            ["--tagged", "set", "--retag", "old=new", "--note", "done"],
        )
        .said();
    assert_eq!(said.code(), Some(4));
    assert_eq!(said.lines(), [format!("{}\tn-1", set[1].uuid())]);
    for name in ["n-0", "n-2"] {
        assert!(
            said.stderr.contains(&format!("{name} has no tag old")),
            "{said}"
        );
    }
    assert_eq!(said.stderr.lines().count(), 2);
    let notes: Vec<_> = set
        .iter()
        .map(|record| server.record(record.uuid()).0["note"].clone())
        .collect();
    assert_eq!(
        serde_json::json!(notes),
        serde_json::json!([null, "done", null])
    );
    for bad in [
        &["--tagged", "set"][..],
        &["--tagged", "set", "--name", "x"],
        &["--tagged", "set", "n-0", "--note", "x"],
        &["--tagged", "a b", "--note", "x"],
        &["--note", "x"],
        &["--tagged", "set", "--parent", "n-0"],
    ] {
        server.sesh("sesh-set", bad).fails(2);
    }
    server
        .sesh("sesh-set", ["--tagged", "none", "--note", "x"])
        .fails(3);
    server
        .helper("sesh-set")
        .args(["-S", "/nowhere/s", "--tagged", "set", "--note", "x"])
        .fails(69);
}

#[test]
fn of_a_set_members_that_go_meanwhile_harm_nothing() {
    let server = Server::start();
    let set = a_set(&server, 12);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for record in &set[..6] {
                server.tmux(["kill-pane", "-t", record.pane()]);
            }
        });
        for round in 0..10 {
            let note = format!("note {round}");
            let said = server
                .sesh("sesh-set", ["--tagged", "set", "--note", &note])
                .said();
            assert!([Some(0), Some(5)].contains(&said.code()), "{said}");
            assert!(said.lines().len() >= 6, "{said}");
        }
    });
    for record in &set[6..] {
        assert_eq!(server.record(record.uuid()).0["note"], "note 9");
    }
}

#[test]
fn two_that_change_a_set_at_once() {
    let server = Server::start();
    let set = a_set(&server, 10);
    std::thread::scope(|scope| {
        for at in 0..4 {
            let server = &server;
            scope.spawn(move || {
                let (tag, meta) = (format!("t{at}"), format!("k{at}=v"));
                server
                    .sesh(
                        "sesh-set",
                        ["--tagged", "set", "--tag", &tag, "--meta", &meta],
                    )
                    .ok();
            });
        }
    });
    for record in &set {
        let now = server.record(record.uuid());
        assert_eq!(now.0["tags"].as_array().map(Vec::len), Some(5), "{now:?}");
        assert_eq!(now.0["meta"].as_object().map(serde_json::Map::len), Some(4));
    }
}
