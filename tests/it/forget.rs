//! Exited seshes: which of a name is meant, and how they are forgotten by age.

use std::time::{SystemTime, UNIX_EPOCH};

use pretty_assertions::assert_eq;

use crate::support::{MAIN, NONE, Record, Screen, Server, until};

/// A sesh that has exited and has no pane any more.
fn gone(server: &Server, name: &str, word: &str) -> Record {
    let made = server.new_sesh([name, "--tag", "old", "--", "echo", word]);
    server.ended(made.uuid());
    server.sesh("sesh-end", [made.uuid()]).ok();
    made
}

/// Moves the end of an exited sesh so many days back, in the record that the server has, and the journal takes it over.
fn exited_days_ago(server: &Server, sesh: &Record, days: u64) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    let end = now.as_secs() - days * 86_400;
    let book = format!("@seshbook_{}", sesh.uuid());
    server.tmux(["set-option", "-s", "-a", &book, &format!(",exit=0 - {end}")]);
    server.sesh("sesh-save", NONE).ok();
}

fn names(server: &Server) -> Vec<String> {
    let said = server
        .sesh("sesh-list", ["--all", "--columns", "name", "--no-header"])
        .ok();
    said.lines().into_iter().map(Into::into).collect()
}

#[test]
fn the_newest_of_a_name_is_meant() {
    let server = Server::start();
    let first = gone(&server, "twice", "one");
    let second = gone(&server, "twice", "two");
    exited_days_ago(&server, &first, 2);
    exited_days_ago(&server, &second, 1);
    let capture = || {
        server
            .sesh("pane-capture", ["twice"])
            .ok()
            .line()
            .to_string()
    };
    assert_eq!(capture(), "two");
    server.sesh("sesh-set", ["twice", "--note", "x"]).ok();
    assert_eq!(server.record(second.uuid()).text("note"), "x");
    // What is held in its pane is newer.
    let third = server.new_sesh(["twice", "--", "echo", "three"]);
    server.ended(third.uuid());
    assert_eq!(capture(), "three");
    // Also where the server is another one.
    server.sesh("sesh-end", ["twice"]).ok();
    server.dies();
    server.starts_again();
    assert_eq!(capture(), "three");
    server.sesh("sesh-end", ["--forget", "twice"]).ok();
    assert_eq!(capture(), "two");
}

#[test]
fn what_exited_long_ago_is_forgotten_and_told() {
    let server = Server::start();
    let [old, kept, new, other] =
        ["old", "kept", "new", "other"].map(|name| gone(&server, name, "secret word"));
    for sesh in [&old, &kept, &other] {
        exited_days_ago(&server, sesh, 8);
    }
    server.sesh("sesh-set", ["kept", "--archive"]).ok();
    server.sesh("sesh-set", ["other", "--untag", "old"]).ok();
    server.new_sesh(["alive", "--tag", "old", "--", "sleep", "1000"]);
    let forget = |args: &[&str]| server.sesh("sesh-end", ["--forget", "--older"]).args(args);
    let said = forget(&["7d", "--tag", "old"]).ok();
    assert_eq!(said.lines(), [format!("{}\told", old.uuid())]);
    assert_eq!(names(&server), ["kept", "new", "other", "alive"]);
    let json = forget(&["7d", "--json"]).ok().json();
    assert_eq!(
        (&json[0]["name"], &json[0]["forgotten"]),
        (&"other".into(), &true.into())
    );
    assert_eq!(forget(&["7d"]).ok().text(), "");
    // The journal is written anew without them.
    let folder = server.path("home/.local/state/tmux-sesh/journal");
    let journal: String = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a text"))
        .collect();
    assert!(journal.contains(new.uuid()) && journal.contains("\"name\":\"kept\""));
    assert!(!journal.contains("\"name\":\"old\"") && !journal.contains("\"name\":\"other\""));
    server.sesh("sesh-end", ["--older", "7d"]).fails(2);
    server
        .sesh("sesh-end", ["--forget", "--older", "7d", "new"])
        .fails(2);
}

#[test]
fn what_is_offered_for_a_restore_is_not_forgotten() {
    let server = Server::start();
    server.new_sesh(["lost", "--", "sleep", "1000"]);
    server.dies();
    server.starts_again();
    assert_eq!(
        server
            .sesh("sesh-end", ["--forget", "--older", "0"])
            .ok()
            .text(),
        ""
    );
    server.sesh("sesh-restore", ["--dismiss"]).ok();
    let said = server.sesh("sesh-end", ["--forget", "--older", "0"]).ok();
    assert!(said.line().ends_with("\tlost"), "{said}");
}

#[test]
fn an_option_forgets_by_itself_and_says_so() {
    let server = Server::start();
    let old = gone(&server, "old", "x");
    gone(&server, "new", "x");
    exited_days_ago(&server, &old, 31);
    let reap = || {
        server.tmux(["set-environment", "-ghu", "SESH_swept"]);
        server.sesh("sesh-reap", ["--json"]).ok().json()
    };
    // It is off where nothing is set, and where the value is none.
    for value in ["", "off", "soon", "-1"] {
        server.tmux(["set-option", "-g", "@sesh-forget", value]);
        assert_eq!(reap(), serde_json::json!([]), "{value}");
    }
    server.tmux(["set-option", "-g", "@sesh-forget", "30d"]);
    let changes = reap();
    assert_eq!(changes[0]["change"], "forgotten");
    assert_eq!(changes[0]["name"], "old");
    assert_eq!(names(&server), ["new"]);
    // Less than a day is a day.
    server.tmux(["set-option", "-g", "@sesh-forget", "1"]);
    assert_eq!(reap(), serde_json::json!([]));
    // Where no terminal shows it, it is a line all the same.
    let newer = gone(&server, "newer", "x");
    exited_days_ago(&server, &newer, 2);
    server.tmux(["set-environment", "-ghu", "SESH_swept"]);
    let said = server.sesh("sesh-reap", NONE).ok();
    assert!(said.line().starts_with("newer is forgotten: "), "{said}");
}

#[test]
fn an_exited_sesh_is_restored_where_it_is_wanted() {
    let server = Server::start();
    let made = gone(&server, "job", "x");
    let place = ["job", "--run", "--target", "elsewhere:w1", "--json"];
    let back = server.sesh("sesh-restore", place).ok().record();
    assert_eq!(
        (back.uuid(), back.text("tmux/session")),
        (made.uuid(), "elsewhere")
    );
    assert_eq!(
        server.format(back.pane(), "#{session_name}:#{window_name}"),
        "elsewhere:w1"
    );
    server.ended(back.uuid());
    let sentence = server
        .sesh("sesh-restore", ["job", "--target", ":w"])
        .fails(2);
    assert!(sentence.contains("SESSION"), "{sentence}");
}

#[test]
fn a_tag_restores_the_newest_of_each_name() {
    let server = Server::start();
    let first = gone(&server, "a", "one");
    exited_days_ago(&server, &first, 1);
    let second = gone(&server, "a", "two");
    let other = gone(&server, "b", "three");
    let plan = server
        .sesh("sesh-restore", ["--tag", "old", "--dry-run", "--json"])
        .ok();
    let ids: Vec<String> = plan.records().iter().map(|it| it.uuid().into()).collect();
    assert_eq!(ids, [second.uuid(), other.uuid()]);
    let back = server.sesh("sesh-restore", ["--tagged", "old"]).ok();
    assert_eq!(back.lines(), [second.uuid(), other.uuid()]);
    until("both have a pane", || {
        server
            .panes("#{@sesh_name}")
            .iter()
            .filter(|name| !name.is_empty())
            .count()
            == 2
    });
    server.sesh("sesh-restore", ["--tag", "none"]).fails(3);
}

#[test]
fn the_plugin_tells_a_person_of_what_is_forgotten() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.load();
    let old = gone(&server, "old (touch ran)", "x");
    exited_days_ago(&server, &old, 31);
    server.plugin_has_settled();
    let person = Screen::attach(&server, MAIN, (100, 20));
    server.option("@sesh-forget", "30d");
    server.tmux(["set-environment", "-ghu", "SESH_swept"]);
    server.tmux(["set-environment", "-gh", "SESH_scope", "all"]);
    server.tmux(["set-hook", "-gR", "after-lock-server"]);
    person.shows("sesh: @sesh-forget has forgotten 1: old (touch ran)");
    assert!(!server.path("ran").exists());
}
