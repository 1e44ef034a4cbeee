//! `sesh-enter`: a person is where the sesh is.

use crate::support::{Control, MAIN, NONE, Record, Screen, Server, helpers, until};

/// A sesh that shows its name.
fn named(server: &Server, place: &[&str], name: &str) -> Record {
    let script = format!("echo this is {name}; exec cat");
    let made = server
        .sesh("sesh-new", place)
        .args(["--json", name, "--", "sh", "-c", &script])
        .ok()
        .record();
    server.shows(made.pane(), &format!("this is {name}"));
    made
}

/// Where a client is.
fn place(server: &Server, client: &str) -> String {
    server
        .tmux([
            "list-clients",
            "-F",
            "#{client_name} #{session_name} #{pane_id}",
        ])
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{client} ")))
        .unwrap_or("")
        .to_string()
}

#[test]
fn the_client_that_looks_at_the_callers_session_is_switched() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let made = named(&server, &[], "one");
    // Another person, who came last and types.
    let bystander = Screen::attach(&server, "other", (80, 20));
    bystander.types(&["x"]);
    bystander.shows("x");
    server.inside(&user, "sesh-enter", ["one"]).ok();
    asks.shows("this is one");
    assert_eq!(
        place(&server, asks.client()),
        format!("one {}", made.pane())
    );
    assert!(place(&server, bystander.client()).starts_with("other "));
}

#[test]
fn its_window_and_pane_are_selected() {
    let server = Server::start();
    let user = server.user_pane();
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let made = named(&server, &["--target", "work:logs"], "one");
    let other = named(&server, &["--target", "work:logs"], "two");
    named(&server, &["--target", "work"], "three");
    server.tmux(["select-window", "-t", "=work:=three"]);
    for sesh in [&made, &other] {
        server.inside(&user, "sesh-enter", [sesh.name()]).ok();
        assert_eq!(
            place(&server, asks.client()),
            format!("work {}", sesh.pane())
        );
        server.tmux(["switch-client", "-c", asks.client(), "-t", MAIN]);
    }
}

#[test]
fn in_the_same_session_the_session_stays() {
    let server = Server::start();
    let user = server.user_pane();
    let made = named(&server, &["--target", MAIN], "one");
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "aaa"]);
    let asks = Screen::attach(&server, MAIN, (80, 20));
    // The window is in two sessions; a client stays in its own.
    server.inside(&user, "sesh-enter", ["one"]).ok();
    assert_eq!(
        place(&server, asks.client()),
        format!("{MAIN} {}", made.pane())
    );
}

#[test]
fn a_named_client_is_switched() {
    let server = Server::start();
    let user = server.user_pane();
    let made = named(&server, &[], "one");
    let client = Control::attach(&server, MAIN);
    server
        .sesh("sesh-enter", ["one", "--client", &client.name()])
        .ok();
    assert_eq!(
        place(&server, &client.name()),
        format!("one {}", made.pane())
    );
    let sentence = server
        .sesh("sesh-enter", ["one", "--client", "nobody"])
        .fails(3);
    assert!(sentence.contains("list-clients"), "no way out: {sentence}");
    server
        .inside(&user, "sesh-enter", ["one", "--client", "nobody"])
        .fails(3);
}

#[test]
fn without_a_client_there_is_nobody_to_switch() {
    let server = Server::start();
    let user = server.user_pane();
    named(&server, &[], "one");
    // A control client is a program's, not a person's.
    let _program = Control::attach(&server, MAIN);
    let sentence = server.inside(&user, "sesh-enter", ["one"]).fails(4);
    assert!(sentence.contains("--client"), "no way out: {sentence}");
}

#[test]
fn a_popup_switches_the_client_under_it() {
    let server = Server::start();
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let made = named(&server, &[], "one");
    let enter = helpers().join("sesh-enter").display().to_string();
    let command = format!("{enter} one || exec cat");
    server.tmux(["bind-key", "P", "display-popup", "-E", &command]);
    asks.types(&["C-b", "P"]);
    until("the client is there", || {
        place(&server, asks.client()) == format!("one {}", made.pane())
    });
}

#[test]
fn without_a_terminal_there_is_nothing_to_attach() {
    let server = Server::start();
    named(&server, &[], "one");
    let sentence = server.sesh("sesh-enter", ["one"]).fails(4);
    assert!(sentence.contains("--print"), "no way out: {sentence}");
    assert_eq!(server.tmux(["list-clients"]), "");
}

#[test]
fn outside_it_attaches() {
    let server = Server::start();
    let made = named(&server, &["--target", "work:logs"], "one");
    named(&server, &["--target", "work"], "two");
    server.tmux(["select-window", "-t", "=work:=two"]);
    let enter = helpers().join("sesh-enter").display().to_string();
    let socket = server.socket().display().to_string();
    let screen = Screen::open((80, 20), &[&enter, "-S", &socket, "one"]);
    screen.shows("this is one");
    screen.types(&["hello", "Enter"]);
    server.shows(made.pane(), "hello\nhello");
}

#[test]
fn what_is_printed_goes_there() {
    let server = Server::start();
    named(&server, &[], "one");
    let printed = server.sesh("sesh-enter", ["one", "--print"]).ok();
    assert!(printed.line().starts_with("tmux "), "{printed}");
    assert_eq!(server.tmux(["list-clients"]), "");
    let screen = Screen::open((80, 20), &["sh", "-c", printed.line()]);
    screen.shows("this is one");
    // Inside, what is printed switches the client.
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let user = server.user_pane();
    let printed = server.inside(&user, "sesh-enter", ["one", "--print"]).ok();
    assert!(place(&server, asks.client()).starts_with(MAIN));
    server
        .call("/bin/sh".as_ref())
        .args(["-c", printed.line()])
        .ok();
    asks.shows("this is one");
}

#[test]
fn read_only_cannot_type() {
    let server = Server::start();
    let made = named(&server, &[], "one");
    let enter = helpers().join("sesh-enter").display().to_string();
    let socket = server.socket().display().to_string();
    let screen = Screen::open((80, 20), &[&enter, "-S", &socket, "one", "--read-only"]);
    screen.shows("this is one");
    let read_only = || server.tmux(["list-clients", "-F", "#{client_readonly}"]);
    assert_eq!(read_only(), "1\n");
    // Inside too, and twice is not off again.
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let user = server.user_pane();
    for _ in 0..2 {
        server
            .inside(
                &user,
                "sesh-enter",
                ["one", "--read-only", "--client", asks.client()],
            )
            .ok();
        assert_eq!(read_only(), "1\n1\n");
    }
    screen.types(&["hello", "Enter"]);
    asks.types(&["hello", "Enter"]);
    server.tmux(["set-buffer", "fence\n"]);
    server.tmux(["paste-buffer", "-t", made.pane()]);
    server.shows(made.pane(), "fence\nfence");
    assert!(!server.screen(made.pane()).contains("hello"));
}

#[test]
fn an_ended_one_has_no_place() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "true"]);
    server.ended(made.uuid());
    // Held, it can still be entered.
    server.sesh("sesh-enter", ["one", "--print"]).ok();
    server.sesh("sesh-end", ["one"]).ok();
    let sentence = server.sesh("sesh-enter", ["one", "--print"]).fails(4);
    assert!(sentence.contains("pane-capture"), "no way out: {sentence}");
    server.sesh("sesh-enter", ["nobody", "--print"]).fails(3);
}

#[test]
fn without_a_target_seshes_can_be_chosen() {
    let server = Server::start();
    let user = server.user_pane();
    let sentence = server.inside(&user, "sesh-enter", NONE).fails(3);
    assert!(sentence.contains("sesh-new"), "no way out: {sentence}");
    let asks = Screen::attach(&server, MAIN, (100, 30));
    named(&server, &[], "one");
    named(&server, &[], "two");
    server.tmux(["new-session", "-d", "-s", "not-a-sesh", "cat"]);
    server.inside(&user, "sesh-enter", NONE).ok();
    asks.shows("two");
    let list = asks.text();
    assert!(
        list.contains("one") && !list.contains("not-a-sesh"),
        "{list}"
    );
    assert_eq!(server.format(&user, "#{pane_mode}"), "tree-mode");
}
