//! `sesh-set --autoname`: a sesh gets its name from its conversation.

use pretty_assertions::assert_eq;
use serde_json::json;
use tmux_sesh::id::SeshId;

use crate::log::{Talk, lines, node};
use crate::support::Server;

/// An exited Claude with this transcript.
fn exited(server: &Server, name: &str, transcript: &str, tag: &str) -> String {
    let id = SeshId::random().to_string();
    let folder = server.path("home/.claude/projects/project");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{id}.jsonl")), transcript).expect("a transcript");
    let args = [
        "--agent", "claude", "--conv", &id, "--cwd", ".", "--name", name, "--tag", tag,
    ];
    server.sesh("sesh-adopt", args).ok();
    id
}

fn prompts(texts: &[&str]) -> String {
    let nodes = texts.iter().enumerate().map(|(at, text)| {
        let parent = at.checked_sub(1).map(|parent| parent.to_string());
        node(&at.to_string(), parent.as_deref(), "user", *text)
    });
    lines(&nodes.collect::<Vec<_>>())
}

fn names(server: &Server) -> Vec<String> {
    let all = server.sesh("sesh-list", ["--all", "--json"]).ok();
    let records = all.records();
    records.iter().map(|it| it.name().to_string()).collect()
}

#[test]
fn a_living_agent_is_named_after_its_conversation() {
    let mut talk = Talk::new();
    let name = |args: &[&str]| talk.server.sesh("sesh-set", args);
    let sentence = name(&["worker", "--autoname"]).fails(3);
    assert!(sentence.contains("no transcript yet"), "{sentence}");
    let windows = talk.server.panes("#{window_name}");
    talk.turn("/model opus", "");
    let sentence = talk
        .server
        .sesh("sesh-set", ["worker", "--autoname", "--tag", "t"])
        .said();
    assert_eq!(
        sentence.code(),
        Some(0),
        "a command is better than nothing: {sentence}"
    );
    assert_eq!(sentence.line(), "model-opus");
    talk.turn(
        "Please fix the login race in src/auth.rs; quote it: \"#{x}\"",
        "Done.",
    );
    talk.turn("yes, go on", "Done.");
    let set = |args: &[&str]| talk.server.sesh("sesh-set", args).ok();
    assert_eq!(
        set(&["model-opus", "--autoname"]).line(),
        "fix-login-race-src"
    );
    assert_ne!(
        talk.server.panes("#{window_name}"),
        windows,
        "the window, too"
    );
    // A person's own name does not count against the wish.
    set(&["fix-login-race-src", "--name", "mine"]);
    talk.append(lines(&[json!({ "type": "ai-title", "aiTitle": "Fix login race" })]).as_bytes());
    let record = set(&["mine", "--autoname", "--note", "n", "--json"]).only();
    assert_eq!(
        (record.name(), record.text("note")),
        ("fix-login-race", "n")
    );
    // It has that name already.
    assert_eq!(
        set(&["fix-login-race", "--autoname"]).line(),
        "fix-login-race"
    );
    assert_eq!(talk.server.record(record.uuid()).name(), "fix-login-race");
}

#[test]
fn names_are_unique_and_nothing_is_half_done() {
    let server = Server::start();
    server.new_sesh(["build", "--", "sleep", "1000"]);
    server.new_sesh(["fix-login", "--", "sleep", "1000"]);
    exited(&server, "one", &prompts(&["fix login"]), "t");
    exited(&server, "two", &prompts(&["Fix login!"]), "t");
    exited(&server, "hidden", &prompts(&["\u{1f980}"]), "u");
    exited(&server, "empty", "{}\n", "u");
    exited(
        &server,
        "half",
        "{\"type\":\"user\",\"uuid\":\"1\",\"message\":{\"role\":\"user\",\"content\":\"cut",
        "u",
    );
    let before = names(&server);
    for (target, exit, why) in [
        ("build", 4, "is no agent"),
        ("hidden", 3, "no title and no prompt"),
        ("empty", 3, "no title and no prompt"),
        ("half", 3, "no title and no prompt"),
        ("nobody", 3, "nobody"),
    ] {
        let sentence = server
            .sesh("sesh-set", ["one", target, "--autoname"])
            .fails(exit);
        assert!(sentence.contains(why), "{target}: {sentence}");
        assert_eq!(names(&server), before, "{target}");
    }
    server
        .sesh("sesh-set", ["one", "--autoname", "--name", "x"])
        .fails(2);
    let said = server.sesh("sesh-set", ["one", "--autoname"]).ok();
    assert_eq!(said.line(), "fix-login-2");
    // Exited ones may have the same name, and the newest one is meant.
    let said = server
        .sesh("sesh-set", ["two", "--autoname", "--json"])
        .ok();
    assert_eq!(said.only().name(), "fix-login-2");
}

#[test]
fn a_whole_set_is_named() {
    let mut talk = Talk::new();
    talk.turn("fix login", "Done.");
    let server = &talk.server;
    server.sesh("sesh-set", ["worker", "--tag", "t"]).ok();
    server.new_sesh(["build", "--tag", "t", "--", "sleep", "1000"]);
    let said = server
        .sesh("sesh-set", ["--tagged", "t", "--autoname", "--note", "n"])
        .said();
    assert_eq!(said.code(), Some(4), "{said}");
    assert!(said.stderr.contains("build is no agent"), "{said}");
    assert_eq!(said.lines().len(), 1);
    assert!(said.line().ends_with("\tfix-login"), "{said}");
    assert_eq!(server.record("fix-login").text("note"), "n");
    assert!(server.record("build").get("note").is_null());
    server
        .sesh("sesh-set", ["--tagged", "none", "--autoname"])
        .fails(3);
}
