//! A sesh is its pane, wherever that goes.

use pretty_assertions::{assert_eq, assert_ne};

use crate::support::{MAIN, Record, Server};

/// Two seshes in windows of the user's session, and one in a session of its own.
fn three(server: &Server) -> [Record; 3] {
    [
        server.new_sesh(["--target", MAIN, "one", "--", "sleep", "1000"]),
        server.new_sesh(["--target", MAIN, "two", "--", "sleep", "1000"]),
        server.new_sesh(["three", "--", "sleep", "1000"]),
    ]
}

/// The sesh is the same and is where tmux says that its pane is.
#[track_caller]
fn still(server: &Server, sesh: &Record) -> Record {
    let found = server.record(sesh.uuid());
    assert_eq!(found.name(), sesh.name());
    assert_eq!(found.pane(), sesh.pane());
    assert!(found.live());
    assert_eq!(found.state(), "busy");
    let place = server.format(sesh.pane(), "#{session_name} #{window_index}");
    assert_eq!(
        format!(
            "{} {}",
            found.text("tmux/session"),
            found.get("tmux/window")
        ),
        place
    );
    let said = server
        .sesh("sesh-pane", ["--pane", sesh.pane(), "--json"])
        .ok();
    assert_eq!(said.record().uuid(), sesh.uuid());
    found
}

#[track_caller]
fn user_is_nobody(server: &Server, pane: &str) {
    assert_eq!(server.format(pane, "#{@sesh_id}"), "");
    server.sesh("sesh-pane", ["--pane", pane]).fails(3);
}

#[test]
fn broken_out_and_joined() {
    let server = Server::start();
    let user = server.user_pane();
    let made = server
        .inside(
            &user,
            "sesh-new",
            ["--json", "--split", "h", "one", "--", "sleep", "1000"],
        )
        .ok()
        .record();
    server.tmux(["break-pane", "-d", "-s", made.pane()]);
    let alone = still(&server, &made);
    assert_ne!(alone.get("tmux/window"), made.get("tmux/window"));
    user_is_nobody(&server, &user);
    server.tmux(["new-session", "-d", "-s", "elsewhere", "cat"]);
    server.tmux(["join-pane", "-d", "-s", made.pane(), "-t", "=elsewhere:"]);
    assert_eq!(still(&server, &made).text("tmux/session"), "elsewhere");
    user_is_nobody(&server, &server.format("=elsewhere:.0", "#{pane_id}"));
}

#[test]
fn swapped_moved_and_renamed() {
    let server = Server::start();
    let user = server.user_pane();
    let [one, two, three] = three(&server);
    let all_still = || {
        for sesh in [&one, &two, &three] {
            still(&server, sesh);
        }
        user_is_nobody(&server, &user);
    };
    server.tmux(["swap-window", "-d", "-s", one.pane(), "-t", two.pane()]);
    all_still();
    server.tmux(["swap-pane", "-d", "-s", one.pane(), "-t", three.pane()]);
    all_still();
    assert_eq!(server.record(one.uuid()).text("tmux/session"), "three");
    server.tmux(["move-window", "-d", "-s", two.pane(), "-t", "=three:7"]);
    all_still();
    assert_eq!(server.record(two.uuid()).get("tmux/window"), 7);
    server.tmux(["rename-session", "-t", "=three", "renamed"]);
    server.tmux(["rename-window", "-t", one.pane(), "also"]);
    all_still();
    assert_eq!(server.record(two.uuid()).text("tmux/session"), "renamed");
    server.tmux(["swap-pane", "-d", "-s", one.pane(), "-t", &user]);
    all_still();
}

#[test]
fn a_window_in_several_sessions_is_listed_once() {
    let server = Server::start();
    let [one, ..] = three(&server);
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "twin"]);
    server.tmux(["link-window", "-d", "-s", one.pane(), "-t", "=three:9"]);
    let listed = server
        .sesh("sesh-list", ["--columns", "name", "--no-header"])
        .ok();
    assert_eq!(listed.lines(), ["one", "two", "three"]);
    let shown = server.sesh("sesh-list", ["--format", "#{@sesh_name}"]).ok();
    assert_eq!(shown.lines(), ["one", "two", "three"]);
    assert_eq!(server.sesh("sesh-list", ["--json"]).ok().records().len(), 3);
    let tags = server
        .sesh("sesh-set", ["one", "--tag", "x", "--json"])
        .ok();
    assert_eq!(tags.records().len(), 1);
    assert_eq!(
        server
            .sesh("sesh-list", ["--tags", "--no-header"])
            .ok()
            .line(),
        "x  1"
    );
    server.sesh("pane-capture", ["one", "--json"]).ok();
    server.sesh("sesh-end", ["one"]).ok();
    assert!(!server.record(one.uuid()).has_pane());
    assert!(server.sesh("sesh-new", ["one", "--", "true"]).said().code() == Some(0));
}

#[test]
fn a_renamed_sesh_is_found_by_its_new_name_alone() {
    let server = Server::start();
    let made = server.new_sesh(["old", "--", "sleep", "1000"]);
    server.sesh("sesh-set", ["old", "--name", "new"]).ok();
    assert_eq!(
        server
            .sesh("sesh-list", ["--json", "new"])
            .ok()
            .only()
            .uuid(),
        made.uuid()
    );
    server.sesh("sesh-list", ["old"]).fails(3);
    // The book follows: it is what is left when the pane goes.
    server.tmux(["kill-pane", "-t", made.pane()]);
    assert_eq!(server.record(made.uuid()).name(), "new");
}
