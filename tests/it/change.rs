//! `sesh-set`: what is known of a sesh changes, all of it or nothing, and only if it changes.

use crate::support::{MAIN, Record, Screen, Server, until};

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
        server.record(record.uuid()).0,
        record.0,
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
    let bad: [&[&str]; 11] = [
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
        &["one", "--name", "beef"],
    ];
    for args in bad {
        server.sesh("sesh-set", args).fails(2);
    }
    assert_eq!(server.everything(), before);
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
