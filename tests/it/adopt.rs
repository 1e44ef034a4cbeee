//! `sesh-adopt`: a pane that somebody else made becomes a sesh, and stays theirs.

use pretty_assertions::assert_eq;

use crate::support::{NONE, Server, until};

#[test]
fn a_users_pane_becomes_a_sesh_as_it_is() {
    let server = Server::start();
    let user = server.user_pane();
    let look = "#{session_name} #{window_name} #{window_layout} #{pane_pid} #{pane_current_path}";
    let before = server.format(&user, look);
    let made = server
        .sesh(
            "sesh-adopt",
            [
                &user, "--name", "theirs", "--tag", "x", "--agent", "claude", "--conv", "c #1",
                "--json",
            ],
        )
        .ok()
        .record();
    assert_eq!(server.format(&user, look), before);
    assert_eq!(made.pane(), user);
    assert_eq!(
        (made.name(), made.state(), made.live()),
        ("theirs", "unknown", true)
    );
    assert_eq!(made.strings("tags"), ["x"]);
    assert_eq!(made.text("agent"), "claude");
    assert_eq!(made.text("conversation"), "c #1");
    assert_eq!(made.text("cwd"), server.folder().to_str().expect("UTF-8"));
    assert_eq!(server.record(made.uuid()), made);
    // It has a book from the start.
    server.tmux(["new-session", "-d", "-s", "another", "cat"]);
    server.tmux(["kill-pane", "-t", &user]);
    let ended = server.record(made.uuid());
    assert_eq!((ended.state(), ended.live()), ("exited", false));
    assert!(ended.get("exit").is_null(), "nobody knows how it ended");
}

#[test]
fn the_state_of_a_shell_is_recorded_at_once() {
    let server = Server::start();
    let idle = server.types("true");
    server.runs(&idle, "sh");
    let busy = server.types("cat");
    server.runs(&busy, "cat");
    for (pane, state) in [(&idle, "idle"), (&busy, "busy")] {
        server.sesh("sesh-adopt", [pane, "--name", state]).ok();
        // This is what tmux has, not what a helper finds out when it reads.
        assert_eq!(server.format(pane, "#{@sesh_state}"), state);
    }
}

#[test]
fn this_pane_is_the_default() {
    let server = Server::start();
    let user = server.user_pane();
    let said = server.inside(&user, "sesh-adopt", NONE).ok();
    let record = server.record(said.line());
    assert_eq!(record.pane(), user);
    assert!(!record.name().is_empty());
    server.sesh("sesh-adopt", NONE).fails(3);
}

#[test]
fn an_adopted_shell_is_idle_or_busy() {
    let server = Server::start();
    server.tmux(["new-window", "-d", "-n", "shell"]);
    let pane = server.format("=main:=shell", "#{pane_id}");
    let made = server.sesh("sesh-adopt", [&pane, "--json"]).ok().record();
    server.when("the shell is idle", made.uuid(), |it| it.state() == "idle");
    server.tmux(["send-keys", "-t", &pane, "sleep 1000", "Enter"]);
    server.when("the shell is busy", made.uuid(), |it| it.state() == "busy");
}

#[test]
fn twice_is_refused_by_name() {
    let server = Server::start();
    let user = server.user_pane();
    server.sesh("sesh-adopt", [&user, "--name", "theirs"]).ok();
    let before = server.everything();
    let sentence = server
        .sesh("sesh-adopt", [&user, "--name", "mine"])
        .fails(4);
    assert!(sentence.contains("theirs"), "{sentence}");
    let sentence = server.sesh("sesh-adopt", [&user, "--force"]).fails(4);
    assert!(sentence.contains("theirs"), "{sentence}");
    assert_eq!(server.everything(), before);
}

#[test]
fn one_conversation_is_in_one_pane() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["new-window", "-d", "-n", "other", "cat"]);
    let other = server.format("=main:=other", "#{pane_id}");
    let conv = "it's; #{1}";
    server.sesh("sesh-adopt", [&user, "--conv", conv]).ok();
    let sentence = server.sesh("sesh-adopt", [&other, "--conv", conv]).fails(4);
    assert!(sentence.contains("--force"), "no way out: {sentence}");
    assert_eq!(server.format(&other, "#{@sesh_id}"), "");
    server
        .sesh("sesh-adopt", [&other, "--conv", conv, "--force"])
        .ok();
    assert_eq!(server.sesh("sesh-list", ["--json"]).ok().records().len(), 2);
}

#[test]
fn what_cannot_be_adopted() {
    let server = Server::start();
    let user = server.user_pane();
    let living = server.new_sesh(["one", "--", "sleep", "1000"]);
    let before = server.everything();
    server.sesh("sesh-adopt", ["%999"]).fails(3);
    server.sesh("sesh-adopt", ["one"]).fails(2);
    server.sesh("sesh-adopt", [living.uuid()]).fails(2);
    server.sesh("sesh-adopt", [&user, "--name", "one"]).fails(4);
    server.sesh("sesh-adopt", [&user, "--name", "a;b"]).fails(2);
    server
        .sesh("sesh-adopt", [&user, "--agent", "hal"])
        .fails(2);
    assert_eq!(server.everything(), before);
}

#[test]
fn who_lives_in_an_adopted_pane_is_known_at_once() {
    let server = Server::start();
    let pane = server.hosts("codex");
    let title = "title \u{2839} project";
    server.say(&pane, title);
    until("it has its title", || {
        server.format(&pane, "#{pane_title}").ends_with("project")
    });
    server.sesh("sesh-adopt", [&pane, "--name", "mine"]).ok();
    let stored = server.format(&pane, "#{@sesh_agent} #{@sesh_by}");
    assert!(stored.starts_with("codex "), "{stored}");
    assert_eq!(server.record("mine").text("agent"), "codex");
}

/// A program that shows a recorded screen of Claude's and then what it is told, as `ssh` shows what runs elsewhere.
fn shows_claude(server: &Server) -> String {
    let program = server.agent("claude");
    let far = server.path("bin/telnet");
    std::fs::rename(program, &far).expect("a program");
    let far = far.display().to_string();
    // What is called claude here goes there.
    server.script("claude", &format!("exec {far}"));
    far
}

#[test]
fn what_a_person_names_counts_until_the_program_in_front_ends() {
    let server = Server::start();
    let far = shows_claude(&server);
    let screen = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/agents/claude-2.1.329/idle.60x15.ansi");
    assert!(screen.is_file());
    // In a shell with job control, in one without, as the pane's own program, and in a sesh that was made so.
    let typed = server.types(&far);
    let inside = server.tmux([
        "new-window",
        "-dPF",
        "#{pane_id}",
        &format!("{far}; sleep 54341; exec sh -i"),
    ]);
    let own = server.tmux(["new-window", "-dPF", "#{pane_id}", &format!("exec {far}")]);
    let made = server.new_sesh(["made", "--agent", "claude"]);
    let panes = [&typed, inside.trim_end(), own.trim_end(), made.pane()];
    for (at, pane) in panes.into_iter().enumerate() {
        server.runs(pane, if at == 1 { "sh" } else { "telnet" });
        until("its program runs", || {
            !server.screen(pane).contains("claude")
        });
        server.say(pane, &format!("screen {}", screen.display()));
        server.shows(pane, "❯");
        if at < 3 {
            let name = format!("far{at}");
            server
                .sesh("sesh-adopt", [pane, "--name", &name, "--agent", "claude"])
                .ok();
        }
        let record = server.becomes(pane, "idle");
        assert_eq!(record.text("agent"), "claude");
        let pid = record.get("agentPid").as_i64().expect("a pid");
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).expect("a process");
        assert_eq!(name.trim_end(), "telnet");
    }
    for (pane, next) in panes[..2].iter().zip(["sh", "sleep"]) {
        server.say(pane, "exit 0");
        server.runs(pane, "sh");
        let runs = |pid: i32| tmux_sesh::proc::program(pid).argv == ["sleep", "54341"];
        until("the next one runs", || {
            next == "sh" || server.processes().into_iter().any(runs)
        });
        // Another program in front is not the one that was named.
        let sentence = server.sesh("sesh-send", [pane, "echo done"]).fails(4);
        let what = match next {
            "sh" => "a shell would run the text",
            _ => "its agent is gone, and sleep is in the foreground",
        };
        assert!(sentence.contains(what), "{sentence}");
        until("the word counts no longer", || {
            server.sesh("sesh-reap", NONE).ok();
            server
                .sesh_of(pane)
                .is_some_and(|record| record.get("agent").is_null())
        });
    }
}

#[test]
fn a_shell_at_its_prompt_is_no_agent_whatever_a_person_names() {
    let server = Server::start();
    // A job in the background is not in front.
    let pane = server.types("sleep 1000 & echo started");
    server.shows(&pane, "\nstarted");
    server
        .sesh("sesh-adopt", [&pane, "--name", "far", "--agent", "claude"])
        .ok();
    let sentence = server.sesh("sesh-send", ["far", "echo done"]).fails(4);
    assert!(
        sentence.contains("a shell would run the text"),
        "{sentence}"
    );
    // What is in front is named as what it is.
    let far = shows_claude(&server);
    server.say(&pane, &far);
    server.becomes(&pane, "unknown");
    let sentence = server.sesh("sesh-send", ["far", "echo done"]).fails(4);
    assert!(!sentence.contains("a shell would"), "{sentence}");
}
