//! `pane-keys --interrupt`: an agent stops its turn, or it is said why not. And what an agent compacts.

use pretty_assertions::assert_eq;

use crate::send::Agent;
use crate::support::{Call, Server, until};

fn interrupt(server: &Server, target: &str) -> Call {
    server.sesh("pane-keys", [target, "--interrupt"])
}

#[test]
fn each_agent_stops_its_turn() {
    let server = Server::start();
    for name in [
        "claude", "codex", "pi", "gemini", "opencode", "copilot", "aider",
    ] {
        let agent = Agent::called(&server, name);
        server
            .sesh("sesh-adopt", [&*agent.pane, "--name", name])
            .ok();
        assert_eq!(interrupt(&server, name).ok().line(), "not busy", "{name}");
        agent.order("busy");
        server.becomes(&agent.pane, "busy");
        assert_eq!(
            interrupt(&server, name).ok().line(),
            "interrupted",
            "{name}"
        );
        // Nobody else has to look.
        assert_eq!(
            server.format(&agent.pane, "#{@sesh_state}"),
            "idle",
            "{name}"
        );
        assert_eq!(agent.got(), [], "{name}");
    }
}

#[test]
fn an_interrupt_as_json_and_in_a_pane_that_is_no_sesh() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-adopt", "off"]);
    let agent = Agent::new(&server);
    let json = |wanted: bool| {
        let said = interrupt(&server, &agent.pane).args(["--json"]).ok().json();
        assert_eq!(said["interrupted"], wanted);
        assert_eq!(said["pane"], agent.pane.as_str());
    };
    json(false);
    agent.order("busy");
    agent.shows("esc to interrupt");
    json(true);
    let typed = server.sesh("pane-keys", [&*agent.pane, "Up", "--json"]);
    assert_eq!(typed.ok().json().get("interrupted"), None);
}

#[test]
fn what_is_not_interrupted() {
    let server = Server::start();
    let agent = Agent::new(&server);
    server
        .sesh("sesh-adopt", [&*agent.pane, "--name", "one"])
        .ok();
    agent.order("ask");
    server.becomes(&agent.pane, "waiting permission");
    let sentence = interrupt(&server, "one").fails(4);
    assert!(sentence.contains("waits for permission"), "{sentence}");
    agent.order("answered");
    server.becomes(&agent.pane, "idle");
    agent.order("busy");
    server.becomes(&agent.pane, "busy");
    server.tmux(["copy-mode", "-t", &agent.pane]);
    let sentence = interrupt(&server, "one").fails(4);
    assert!(sentence.contains("copy-mode"), "{sentence}");
    assert!(server.screen(&agent.pane).contains("esc to interrupt"));
    let left = interrupt(&server, "one").args(["--leave-mode"]);
    assert_eq!(left.ok().line(), "interrupted");
    let shell = server.types("true");
    let sentence = interrupt(&server, &shell).fails(4);
    assert!(sentence.contains("no agent"), "{sentence}");
    interrupt(&server, "nobody").fails(3);
    for more in [
        &["Enter"][..],
        &["--literal", "x"],
        &["--to-mode"],
        &["--repeat", "2"],
    ] {
        interrupt(&server, "one").args(more).fails(2);
    }
    server
        .sesh("pane-keys", ["one", "Enter", "--timeout", "3s"])
        .fails(2);
}

/// Shows a screen of an agent that works, and takes no key for anything.
fn works_on(server: &Server, pane: &str) {
    let edge = "─".repeat(120);
    let busy =
        format!("✻ Pondering… (3s · esc to interrupt)\n\n{edge}\n❯ \n{edge}\n  esc to interrupt\n");
    let screen = server.path("screen");
    std::fs::write(&screen, busy).expect("a screen");
    server.say(pane, &format!("screen {}", screen.display()));
    server.becomes(pane, "busy");
}

#[test]
fn an_agent_that_does_not_stop_is_said_to_work_on() {
    let server = Server::start();
    let pane = server.hosts("claude");
    works_on(&server, &pane);
    let sentence = interrupt(&server, &pane).args(["--timeout", "1s"]).fails(6);
    assert!(sentence.contains("still busy"), "{sentence}");
}

#[test]
fn an_agent_that_the_keys_end_is_said_to_have_exited() {
    let server = Server::start();
    let folder = server.path("home/.config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mine = "[keys]\ninterrupt = [\"C-c\"]\n";
    std::fs::write(folder.join("claude.toml"), mine).expect("a file");
    let pane = server.hosts("claude");
    works_on(&server, &pane);
    let sentence = interrupt(&server, &pane).fails(1);
    assert!(sentence.contains("exited"), "{sentence}");
}

#[test]
fn of_several_keys_those_behind_the_one_that_stopped_it_are_not_pressed() {
    let server = Server::start();
    let folder = server.path("home/.config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mine = "[keys]\ninterrupt = [\"Escape\", \"x\"]\n";
    std::fs::write(folder.join("claude.toml"), mine).expect("a file");
    let agent = Agent::new(&server);
    agent.order("busy");
    agent.shows("esc to interrupt");
    assert_eq!(interrupt(&server, &agent.pane).ok().line(), "interrupted");
    let screen = server.screen(&agent.pane);
    assert!(!screen.contains("❯\u{a0}x"), "{screen}");
}

#[test]
fn an_agent_compacts_its_conversation() {
    let server = Server::start();
    for (name, command) in [
        ("claude", "/compact"),
        ("codex", "/compact"),
        ("gemini", "/compress"),
    ] {
        let agent = Agent::called(&server, name);
        let said = server.sesh("sesh-send", [&*agent.pane, "--compact"]).said();
        assert_eq!(said.code(), Some(0), "{said}");
        until("it has it", || !agent.got().is_empty());
        assert_eq!(agent.got(), [("command".into(), command.into())], "{name}");
    }
    let aider = Agent::called(&server, "aider");
    let sentence = server
        .sesh("sesh-send", [&*aider.pane, "--compact"])
        .fails(4);
    assert!(
        sentence.contains("aider has no known command"),
        "{sentence}"
    );
    assert_eq!(aider.got(), []);
    let busy = Agent::new(&server);
    busy.order("busy");
    busy.shows("esc to interrupt");
    let said = server.sesh("sesh-send", [&*busy.pane, "--compact"]).said();
    assert_eq!(said.code(), Some(4), "{said}");
    assert_eq!(busy.got(), []);
    let shell = server.types("true");
    server.sesh("sesh-send", [&*shell, "--compact"]).fails(4);
    server.sesh("sesh-send", ["--compact"]).fails(2);
    server
        .sesh("sesh-send", [&*busy.pane, "--compact", "text"])
        .fails(2);
}
