//! What a person is told once, after the first load: three keys, and what to run.

use pretty_assertions::assert_eq;

use super::plugin_install::path;
use crate::support::{MAIN, Screen, Server, WELCOMED, helpers, until};

/// The end of the message. The key before it is `g`, or `N` where tmux itself binds `g`, as 3.8 does.
const WORDS: &str = " next, a new. New pane: sesh-hooks install, sesh-doctor";

/// A server whose user has never loaded the plugin.
fn new_user() -> Server {
    let server = Server::start();
    server.option("status-right", "");
    server.option("@sesh-bin", &helpers().display().to_string());
    forgets(&server);
    server
}

/// The user has never loaded the plugin.
fn forgets(server: &Server) {
    server.plugin();
    std::fs::remove_file(server.path(WELCOMED)).expect("the file");
}

fn is_told(server: &Server) -> bool {
    server.path(WELCOMED).exists()
}

/// Waits until what the last load has left in the background is done.
fn is_quiet(server: &Server, before: &[i32]) {
    until("no job runs any more", || {
        let now = server.processes();
        now.iter().all(|pid| before.contains(pid))
    });
}

#[test]
fn the_first_client_is_told_once() {
    assert!("sesh: prefix e picker, g".len() + WORDS.len() <= 80);
    let server = new_user();
    server.load();
    server.plugin_has_settled();
    assert!(!is_told(&server), "nobody is there");
    let person = Screen::attach(&server, MAIN, (80, 24));
    person.shows(WORDS);
    until("this is remembered", || is_told(&server));
    until("its hook has gone", || {
        let hooks = server.plugin_hooks();
        !hooks.contains(&"client-attached[8802]".to_string())
    });
    // Any key takes it away, and does what it always does.
    person.types(&["x"]);
    until("it has gone", || !person.text().contains("sesh: prefix"));
    let pane = server.user_pane();
    server.shows(&pane, "x");
    // Never again: not for the next client, load or server.
    let before = server.processes();
    let other = Screen::attach(&server, MAIN, (80, 24));
    server.load();
    let now: Vec<i32> = before.iter().copied().chain(clients(&server)).collect();
    is_quiet(&server, &now);
    assert!(!other.text().contains("sesh: prefix"), "{}", other.text());
}

fn clients(server: &Server) -> Vec<i32> {
    let pids = server.tmux(["list-clients", "-F", "#{client_pid}"]);
    pids.lines().filter_map(|pid| pid.parse().ok()).collect()
}

#[test]
fn a_client_that_is_there_is_told_at_once() {
    let server = new_user();
    server.option("@sesh-key-next", "root M-n");
    server.option("@sesh-key-new", "none");
    let person = Screen::attach(&server, MAIN, (100, 24));
    server.load();
    person.shows("sesh: prefix e picker, M-n next. New pane: sesh-hooks install, sesh-doctor");
    until("this is remembered", || is_told(&server));
}

#[test]
fn without_helpers_it_waits_for_them() {
    let server = new_user();
    server.option("@sesh-bin", "");
    server.option("@sesh-install", "off");
    path(&server, &[]);
    let person = Screen::attach(&server, MAIN, (100, 24));
    server.load();
    server.plugin_has_settled();
    assert!(!person.text().contains("sesh: prefix"));
    assert!(!is_told(&server));
    server.option("@sesh-bin", &helpers().display().to_string());
    server.load();
    person.shows(WORDS);
}

#[test]
fn what_is_shown_over_the_pane_is_read_first() {
    let server = new_user();
    let person = Screen::attach(&server, MAIN, (100, 24));
    // As TPM does.
    server.tmux([
        "run-shell",
        "-t",
        &server.user_pane(),
        "echo installed, press ENTER",
    ]);
    person.shows("installed, press ENTER");
    server.load();
    until("it waits for that", || {
        let programs = server.processes();
        let mut programs = programs.into_iter().map(tmux_sesh::proc::program);
        programs.any(|program| program.argv == ["sleep", "1"])
    });
    assert!(!is_told(&server));
    person.types(&["q"]);
    person.shows(WORDS);
}

#[test]
fn a_home_that_cannot_be_written_hears_nothing() {
    let server = new_user();
    let state = server.path("home/.local/state");
    std::fs::remove_dir_all(&state).expect("a folder");
    std::fs::write(&state, "").expect("a file");
    let person = Screen::attach(&server, MAIN, (100, 24));
    let before = server.processes();
    server.load();
    is_quiet(&server, &before);
    assert!(!person.text().contains("sesh: prefix"), "{}", person.text());
}

#[test]
fn a_client_in_control_mode_is_not_told() {
    let server = new_user();
    let before = server.processes();
    let control = crate::support::Control::attach(&server, MAIN);
    server.load();
    let mut known = before;
    known.extend(clients(&server));
    is_quiet(&server, &known);
    assert!(!is_told(&server));
    drop(control);
    let person = Screen::attach(&server, MAIN, (100, 24));
    person.shows(WORDS);
    assert_eq!(server.tmux(["list-clients", "-F", "x"]), "x\n");
}
