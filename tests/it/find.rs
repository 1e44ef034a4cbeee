//! TARGET: what a person or a script may call a sesh, and what that means.

use pretty_assertions::assert_eq;

use crate::support::{Record, Server};

const ONE: &str = "aaaa8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";
const TWO: &str = "aaaa9b20-5b7e-4c1d-9f00-1a2b3c4d5e6f";
const THREE: &str = "bbbb8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";

/// The uuid of the one sesh that a target means. The helper changes nothing: there is no note to remove.
#[track_caller]
fn meant(server: &Server, target: &str) -> String {
    let said = server
        .sesh("sesh-set", [target, "--note", "", "--json"])
        .ok();
    said.only().uuid().to_string()
}

#[track_caller]
fn not_meant(server: &Server, target: &str, code: i32) -> String {
    server.sesh("sesh-set", [target, "--note", ""]).fails(code)
}

fn living(server: &Server, id: &str, name: &str) -> Record {
    server.new_sesh(["--id", id, name, "--", "sleep", "1000"])
}

/// A sesh that has ended and has no pane any more.
fn ended(server: &Server, id: &str, name: &str) -> Record {
    let made = server.new_sesh(["--id", id, name, "--", "true"]);
    server.ended(id);
    server.sesh("sesh-end", [id]).ok();
    made
}

#[test]
fn a_dot_is_the_callers_own_pane() {
    let server = Server::start();
    let user = server.user_pane();
    let made = living(&server, ONE, "one");
    let own = |pane: &str| server.inside(pane, "sesh-set", [".", "--note", "", "--json"]);
    assert_eq!(own(made.pane()).ok().only().uuid(), ONE);
    own(&user).fails(3);
    // Outside of tmux there is none.
    let sentence = not_meant(&server, ".", 3);
    assert!(sentence.contains("TMUX_PANE"), "{sentence}");
    // Nor on another server than the caller's.
    let other = Server::start();
    assert_eq!(living(&other, ONE, "one").pane(), made.pane());
    own(made.pane())
        .args(["-S".as_ref(), other.socket().as_os_str()])
        .fails(3);
    own(made.pane())
        .args(["-S".as_ref(), server.socket().as_os_str()])
        .ok();
}

#[test]
fn a_pane_is_whoever_lives_there() {
    let server = Server::start();
    let user = server.user_pane();
    let made = living(&server, ONE, "one");
    assert_eq!(meant(&server, made.pane()), ONE);
    let sentence = not_meant(&server, &user, 3);
    assert!(sentence.contains("sesh-adopt"), "no way out: {sentence}");
    not_meant(&server, "%999", 3);
    for bad in ["%", "%x", "%1x", "%-1"] {
        not_meant(&server, bad, 2);
    }
}

#[test]
fn an_empty_target_is_an_error_everywhere() {
    let server = Server::start();
    living(&server, ONE, "one");
    let calls: [(&str, &[&str]); 8] = [
        ("sesh-set", &["", "--note", "x"]),
        ("sesh-end", &[""]),
        ("sesh-list", &[""]),
        ("sesh-enter", &["", "--print"]),
        ("sesh-adopt", &[""]),
        ("pane-capture", &[""]),
        ("pane-keys", &["", "Enter"]),
        ("sesh-new", &["--parent", "", "two", "--", "true"]),
    ];
    for (helper, args) in calls {
        let sentence = server.sesh(helper, args).fails(2);
        assert!(sentence.contains("empty"), "{helper}: {sentence}");
    }
}

#[test]
fn a_uuid_and_the_start_of_one() {
    let server = Server::start();
    living(&server, ONE, "one");
    living(&server, TWO, "two");
    assert_eq!(meant(&server, ONE), ONE);
    assert_eq!(meant(&server, &ONE.to_uppercase()), ONE);
    assert_eq!(meant(&server, "aaaa8"), ONE);
    assert_eq!(meant(&server, "AAAA9"), TWO);
    assert_eq!(meant(&server, "aaaa9b20-5b7e-4"), TWO);
    // Fewer than four characters are a name.
    not_meant(&server, "aaa", 3);
    not_meant(&server, THREE, 3);
    not_meant(&server, "cccc", 3);
    let sentence = not_meant(&server, "aaaa", 4);
    assert!(
        sentence.contains(ONE) && sentence.contains(TWO),
        "no candidates: {sentence}"
    );
}

#[test]
fn a_living_name_comes_before_the_start_of_a_uuid() {
    let server = Server::start();
    living(&server, ONE, "one");
    assert_eq!(meant(&server, "aaaa8a10-5"), ONE);
    living(&server, THREE, "aaaa8a10-5");
    // Which one is meant is said, because the other may have been.
    let meant_of_two = || {
        let said = server
            .sesh("sesh-set", ["aaaa8a10-5", "--note", "", "--json"])
            .said();
        assert!(said.sentence().contains("the uuid of \"one\""), "{said}");
        said.only().uuid().to_string()
    };
    assert_eq!(meant_of_two(), THREE);
    // And the start of a uuid before the name of an ended one.
    server.sesh("sesh-end", [THREE]).ok();
    assert_eq!(meant_of_two(), ONE);
}

#[test]
fn a_name_is_exact() {
    let server = Server::start();
    living(&server, ONE, "build");
    living(&server, TWO, "api.v2+ größe");
    assert_eq!(meant(&server, "build"), ONE);
    assert_eq!(meant(&server, "api.v2+ größe"), TWO);
    for other in [
        "buil",
        "Build",
        "build ",
        "*",
        "b*",
        "api_v2",
        "#{@sesh_name}",
    ] {
        not_meant(&server, other, 3);
    }
}

#[test]
fn the_living_come_before_the_ended_and_of_those_the_newest() {
    let server = Server::start();
    ended(&server, ONE, "one");
    assert_eq!(meant(&server, "one"), ONE);
    living(&server, TWO, "one");
    assert_eq!(meant(&server, "one"), TWO);
    // Several ended ones of a name.
    server.sesh("sesh-end", [TWO]).ok();
    for (id, end) in [(ONE, 1_000), (TWO, 2_000)] {
        let (book, end) = (format!("@seshbook_{id}"), format!(",exit=0 - {end}"));
        server.tmux(["set-option", "-s", "-a", &book, &end]);
    }
    server.sesh("sesh-set", [ONE, "--archive"]).ok();
    assert_eq!(meant(&server, "one"), TWO);
    living(&server, THREE, "one");
    assert_eq!(meant(&server, "one"), THREE);
    assert_eq!(meant(&server, "aaaa"), ONE);
}

#[test]
fn of_ended_ones_that_which_is_held_is_meant() {
    let server = Server::start();
    ended(&server, ONE, "one");
    let held = server.new_sesh(["--id", TWO, "one", "--", "true"]);
    server.ended(held.uuid());
    assert_eq!(meant(&server, "one"), TWO);
}

#[test]
fn several_targets_are_all_found_or_nothing_is_done() {
    let server = Server::start();
    living(&server, ONE, "one");
    living(&server, TWO, "two");
    server
        .sesh("sesh-set", ["one", "nobody", "--note", "x"])
        .fails(3);
    assert!(server.record(ONE).get("note").is_null());
    let said = server
        .sesh("sesh-set", ["one", "two", "--note", "x", "--json"])
        .ok();
    assert_eq!(said.records().len(), 2);
    assert_eq!(server.record(TWO).text("note"), "x");
}

#[test]
fn which_sesh_a_pane_is() {
    let server = Server::start();
    let user = server.user_pane();
    let made = living(&server, ONE, "one");
    let line = server.sesh("sesh-pane", ["--pane", made.pane()]).ok();
    assert_eq!(line.text(), format!("{ONE}\tone\tbusy\t\n"));
    let own = server.inside(made.pane(), "sesh-pane", ["--json"]).ok();
    assert_eq!(own.record().uuid(), ONE);
    let named = server
        .sesh(
            "sesh-pane",
            [
                "--pane",
                made.pane(),
                "--format",
                "#{@sesh_name} #{pane_id}",
            ],
        )
        .ok();
    assert_eq!(named.line(), format!("one {}", made.pane()));
    // A SESH_ID that was inherited by another pane does not lie.
    server
        .inside(&user, "sesh-pane", ["--json"])
        .env("SESH_ID", ONE)
        .fails(3);
    server.sesh("sesh-pane", ["--pane", "%999"]).fails(3);
    let sentence = server.sesh("sesh-pane", ["--json"]).fails(3);
    assert!(sentence.contains("as in %3"), "no way out: {sentence}");
    server.sesh("sesh-pane", ["--pane", "1"]).fails(2);
}

#[test]
fn the_socket_of_a_pane_can_be_named() {
    let server = Server::start();
    let made = living(&server, ONE, "one");
    let said = server
        .helper("sesh-pane")
        .args(["--pane", made.pane(), "--json", "--socket-path"])
        .args([server.socket()])
        .ok();
    assert_eq!(said.record().uuid(), ONE);
}

#[test]
fn a_server_is_named_by_its_socket() {
    // A name is looked up below $TMUX_TMPDIR, as tmux does.
    let server = Server::start();
    living(&server, ONE, "one");
    let uid = nix::unistd::getuid();
    let folder = server.path(&format!("tmux-{uid}"));
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(server.socket(), folder.join("named")).expect("a link");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&folder, mode).expect("tmux wants it private");
    let said = server
        .helper("sesh-list")
        .args(["-L", "named", "--json"])
        .ok();
    assert_eq!(said.only().uuid(), ONE);
    server
        .helper("sesh-list")
        .args(["-L", "named", "-S", "x"])
        .fails(2);
}

#[test]
fn a_server_without_a_session_has_no_pane() {
    let server = Server::start();
    server.tmux(["set-option", "-s", "exit-empty", "off"]);
    ended(&server, ONE, "one");
    for session in server.panes("#{session_id}") {
        server.try_tmux(["kill-session", "-t", &session]);
    }
    assert_ne!(server.try_tmux(["list-panes", "-a"]).code(), Some(0));
    assert_eq!(meant(&server, "one"), ONE);
    assert!(
        server
            .sesh("sesh-list", ["--json"])
            .ok()
            .records()
            .is_empty()
    );
    let all = server.sesh("sesh-list", ["--all", "--json"]).ok();
    assert_eq!(all.only().uuid(), ONE);
    assert!(
        server
            .sesh("sesh-wait", ["one"])
            .ok()
            .line()
            .starts_with("one\texit")
    );
    assert_eq!(server.sesh("sesh-reap", ["--json"]).ok().text(), "[]\n");
    for (helper, args) in [
        ("pane-capture", &["%0"][..]),
        ("pane-capture", &["none"]),
        ("pane-keys", &["%0", "a"]),
        ("sesh-pane", &["--pane", "%0"]),
        ("sesh-enter", &["--next"]),
        ("sesh-wait", &["--tag", "none"]),
        ("sesh-send", &["%0", "text"]),
    ] {
        let sentence = server.sesh(helper, args).fails(3);
        assert!(!sentence.contains("no current"), "{helper}: {sentence}");
    }
    let report = server.sesh("sesh-report", ["--from", "claude"]);
    report
        .stdin(r#"{"hook_event_name":"Stop","session_id":"x"}"#)
        .ok();
    server.new_sesh(["two", "--", "sleep", "1000"]);
}
