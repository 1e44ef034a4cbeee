//! `sesh-enter`: a person is where the sesh is.

use pretty_assertions::assert_eq;

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
fn of_two_terminals_of_a_group_the_one_that_shows_the_caller_goes() {
    let server = Server::start();
    let there = server.new_sesh(["there", "--target", MAIN, "--", "sleep", "1000"]);
    let caller = server.new_sesh(["caller", "--target", MAIN, "--", "sleep", "1000"]);
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "second"]);
    server.tmux(["select-window", "-t", &format!("{MAIN}:caller")]);
    server.tmux(["select-window", "-t", "second:0"]);
    let shows_caller = Screen::attach(&server, MAIN, (80, 20));
    // This one was used last, and its session has the caller's window too.
    let other = Screen::attach(&server, "second", (80, 20));
    other.types(&["x"]);
    let seen = || server.tmux(["list-clients", "-F", "#{client_name} #{pane_id}"]);
    let before = seen();
    server.inside(caller.pane(), "sesh-enter", ["there"]).ok();
    let after = seen();
    let line = |name: &str| format!("{name} {}", there.pane());
    assert!(
        after.contains(&line(shows_caller.client())),
        "{before}{after}"
    );
    assert!(!after.contains(&line(other.client())), "{before}{after}");
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
fn tmuxs_own_chooser_shows_seshes_alone() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["set-option", "-g", "@sesh-picker", "tree"]);
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

/// A sesh that has ended, at a time of its own.
fn ended(server: &Server, name: &str, at: u64) -> Record {
    let made = server.new_sesh([name, "--", "echo", &format!("this was {name}")]);
    server.ended(made.uuid());
    server.shows(made.pane(), "[sesh: ");
    let (exit, since) = (format!("0 - {at}"), at.to_string());
    for (option, value) in [("@sesh_exit", &exit), ("@sesh_since", &since)] {
        server.tmux(["set-option", "-p", "-t", made.pane(), option, value]);
    }
    made
}

/// The generation that was looked at, and the one that there is.
fn seen(server: &Server, sesh: &Record) -> String {
    server.format(sesh.pane(), "#{@sesh_seen}/#{@sesh_gen}")
}

#[test]
fn the_next_is_the_one_that_ended_first_of_those_nobody_saw() {
    let server = Server::start();
    let user = server.user_pane();
    let asks = Screen::attach(&server, MAIN, (80, 20));
    named(&server, &[], "alive");
    let second = ended(&server, "second", 20);
    let first = ended(&server, "first", 10);
    let archived = ended(&server, "archived", 5);
    server.sesh("sesh-set", ["archived", "--archive"]).ok();
    let next = || {
        server.tmux(["switch-client", "-c", asks.client(), "-t", MAIN]);
        server.inside(&user, "sesh-enter", ["--next"])
    };
    for sesh in [&first, &second] {
        assert_eq!(seen(&server, sesh), "1/2");
        next().ok();
        assert_eq!(
            place(&server, asks.client()),
            format!("{} {}", sesh.name(), sesh.pane())
        );
        assert_eq!(seen(&server, sesh), "2/2");
    }
    let sentence = next().fails(3);
    assert!(sentence.contains("sesh-list"), "no way out: {sentence}");
    assert_eq!(seen(&server, &archived), "1/2");
    assert!(place(&server, asks.client()).starts_with(MAIN));
    // It ends once more, so it needs a person once more.
    server.sesh("pane-keys", ["first", "--to-held", "r"]).ok();
    server.when("it has ended again", first.uuid(), |it| {
        it.state() == "exited" && it.get("gen") == 4
    });
    assert_eq!(seen(&server, &first), "2/4");
    next().ok();
    assert_eq!(seen(&server, &first), "4/4");
}

#[test]
fn a_key_goes_to_the_next() {
    let server = Server::start();
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let made = ended(&server, "one", 10);
    let enter = helpers().join("sesh-enter").display().to_string();
    let command = format!("{enter} --next --client '#{{client_name}}'");
    server.tmux(["bind-key", "g", "run-shell", "-b", &command]);
    let ran = "set-environment -gh SESH_ran 1";
    server.tmux(["set-hook", "-g", "after-set-hook[8801]", ran]);
    asks.types(&["C-b", "g"]);
    asks.shows("this was one");
    until("it is seen", || seen(&server, &made) == "2/2");
    until("the pane is counted", || {
        server.tmux(["display-message", "-p", "#{SESH_ran}"]) == "1\n"
    });
}

#[test]
fn outside_the_next_is_attached() {
    let server = Server::start();
    let made = ended(&server, "one", 10);
    // Without a terminal nobody gets there, so nobody has seen it.
    server.sesh("sesh-enter", ["--next"]).fails(4);
    assert_eq!(seen(&server, &made), "1/2");
    let printed = server.sesh("sesh-enter", ["--next", "--print"]).ok();
    assert_eq!(seen(&server, &made), "1/2");
    assert!(printed.line().contains("attach-session"), "{printed}");
    let enter = helpers().join("sesh-enter").display().to_string();
    let socket = server.socket().display().to_string();
    for argv in [
        &[&enter, "-S", &socket, "--next"][..],
        &["sh", "-c", printed.line()],
    ] {
        let screen = Screen::open((80, 20), argv);
        screen.shows("this was one");
        until("it is seen", || seen(&server, &made) == "2/2");
        server.tmux(["set-option", "-pu", "-t", made.pane(), "@sesh_seen"]);
    }
}

#[test]
fn the_next_without_anybody_to_go_is_not_seen() {
    let server = Server::start();
    let user = server.user_pane();
    let made = ended(&server, "one", 10);
    server.inside(&user, "sesh-enter", ["--next"]).fails(4);
    let nobody = ["--next", "--client", "nobody"];
    server.inside(&user, "sesh-enter", nobody).fails(3);
    assert_eq!(seen(&server, &made), "1/2");
    server.sesh("sesh-enter", ["--next", "one"]).fails(2);
    Server::empty().sesh("sesh-enter", ["--next"]).fails(3);
}

#[test]
fn it_prints_where_it_went_as_json() {
    let server = Server::start();
    let asks = Control::attach(&server, MAIN);
    let name = asks.name();
    let made = named(&server, &[], "one");
    let said = server
        .sesh("sesh-enter", ["one", "--json", "--client", &name])
        .ok()
        .record();
    assert_eq!((said.uuid(), said.pane()), (made.uuid(), made.pane()));
    assert_eq!(place(&server, &name), format!("one {}", made.pane()));
    // Where the reader has gone, the client has gone to the sesh all the same.
    named(&server, &[], "two");
    let command = "sesh-enter -S \"$1\" two --json --client \"$2\" | true";
    let socket = server.socket().display().to_string();
    server
        .call("sh".as_ref())
        .args(["-c", command, "sh", &socket, &name])
        .ok();
    until("it is there", || place(&server, &name).starts_with("two "));
    let said = server.sesh("sesh-enter", ["--json"]).fails(2);
    assert!(said.contains("--pick"), "{said}");
}
