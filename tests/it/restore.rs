//! `sesh-restore` and `sesh-enter` on what has ended: the same sesh goes on, once, or everything stays as it was.

use std::sync::Barrier;

use tmux_sesh::id::SeshId;

use crate::support::{MAIN, Record, Said, Screen, Server, count, is, until};

/// A conversation of its own for each test: where one goes on is looked for on the whole machine.
fn conversation() -> String {
    SeshId::random().to_string()
}

/// What a fake Claude does to say its conversation and its state as the real one does.
fn says(server: &Server, id: &str, status: &str) -> String {
    let file = server.path("home/.claude/sessions/{pid}.json");
    format!(
        "file {} {{\"pid\":{{pid}},\"procStart\":\"{{start}}\",\"sessionId\":\"{id}\",\"status\":\"{status}\"}}",
        file.display()
    )
}

/// Has agents of a kind do this when they are to go on.
fn resumes(server: &Server, agent: &str, lines: &[String]) {
    server.agent(agent);
    let script = server.path("home").join(format!("{agent}.resume"));
    std::fs::write(script, lines.join("\n")).expect("a script");
}

/// A Claude in a conversation, in a sesh that `args` say more of.
#[track_caller]
fn claude(server: &Server, args: &[&str]) -> Record {
    resumes(server, "claude", &[says(server, "{id}", "idle")]);
    let made = server.new_sesh(["--agent", "claude"].iter().chain(args));
    server.runs(made.pane(), "claude");
    let id = conversation();
    server.say(made.pane(), &says(server, &id, "idle"));
    server.becomes(made.pane(), "idle");
    server.record(made.uuid())
}

/// It has ended, and its pane is gone.
#[track_caller]
fn ends(server: &Server, sesh: &Record) -> Record {
    server.say(sesh.pane(), "exit 0");
    server.ended(sesh.uuid());
    server.sesh("sesh-end", [sesh.uuid()]).ok();
    let ended = server.record(sesh.uuid());
    assert!(!ended.has_pane());
    ended
}

#[track_caller]
fn restored(server: &Server, sesh: &Record) -> Record {
    let call = server.sesh("sesh-restore", [sesh.uuid(), "--json"]);
    let now = call.ok().record();
    assert!(now.live() && now.has_pane());
    now
}

fn panes_of(server: &Server, uuid: &str) -> usize {
    let panes = server.panes("#{@sesh_id}");
    panes.iter().filter(|id| *id == uuid).count()
}

#[test]
fn an_agent_goes_on_as_what_it_was() {
    let server = Server::start();
    let parent = server.new_sesh(["parent", "--", "sleep", "1000"]);
    let made = claude(
        &server,
        &[
            "one",
            "--tag",
            "a",
            "--tag",
            "b",
            "--parent",
            "parent",
            "--owner",
            "me",
            "--note",
            "a note, of 50%",
            "--ttl",
            "1h",
        ],
    );
    server.sesh("sesh-set", ["one", "--meta", "k=v"]).ok();
    let before = ends(&server, &made);
    assert_eq!(before.text("parent"), parent.uuid());
    let now = restored(&server, &before);
    for field in [
        "uuid",
        "name",
        "agent",
        "cwd",
        "tags",
        "note",
        "meta",
        "parent",
        "owner",
        "conversation",
        "createdAt",
        "expiresAt",
    ] {
        assert_eq!(now.get(field), before.get(field), "{field}");
    }
    assert!(is(&now, "idle"), "it is there: {now:?}");
    assert!(now.get("exit").is_null());
    assert!(now.get("gen").as_u64() > before.get("gen").as_u64());
    let command = now.strings("command");
    assert_eq!(command[1..], ["--resume", now.text("conversation")]);
    assert_eq!(panes_of(&server, made.uuid()), 1);
    // What went on can go on again.
    let again = ends(&server, &now);
    restored(&server, &again);
    let sentence = server.sesh("sesh-restore", ["one"]).fails(4);
    assert!(
        sentence.contains("sesh-enter one"),
        "no way out: {sentence}"
    );
}

#[test]
fn one_that_is_held_goes_on_beside_its_old_place() {
    let server = Server::start();
    let made = claude(&server, &["one", "--target", "work"]);
    server.tmux(["new-window", "-d", "-t", "work:", "cat"]);
    server.say(made.pane(), "exit 3");
    let held = server.ended(made.uuid());
    assert!(held.has_pane());
    let now = restored(&server, &held);
    assert_eq!(now.text("tmux/session"), "work");
    assert_ne!(now.pane(), made.pane());
    assert!(!server.has_pane(made.pane()), "the old one is gone");
}

#[test]
fn going_there_brings_it_back() {
    let server = Server::start();
    let user = server.user_pane();
    let made = claude(&server, &["one"]);
    server.say(made.pane(), "print this is one");
    let before = ends(&server, &made);
    let asks = Screen::attach(&server, MAIN, (80, 20));
    let mut lines = vec![says(&server, "{id}", "idle")];
    lines.push("print one again".into());
    resumes(&server, "claude", &lines);
    let nobody = ["one", "--client", "nobody"];
    server.inside(&user, "sesh-enter", nobody).fails(3);
    assert!(!server.record(before.uuid()).live(), "for nobody");
    server.inside(&user, "sesh-enter", ["one"]).ok();
    asks.shows("one again");
    let now = server.record(before.uuid());
    assert!(now.live());
    let client = ["one", "--client", asks.client()];
    server.inside(&user, "sesh-enter", client).ok();
    assert_eq!(server.record(before.uuid()).pane(), now.pane());
}

#[test]
fn one_that_does_not_come_leaves_everything_as_it_was() {
    let server = Server::start();
    let made = claude(&server, &["one", "--note", "mine"]);
    server.say(made.pane(), "print its last words");
    server.shows(made.pane(), "its last words");
    let before = ends(&server, &made);
    let last = || server.sesh("pane-capture", ["one"]).ok().text().to_string();
    let words = last();
    assert!(words.contains("its last words"));
    let lines = ["print No conversation found", "exit 1"].map(Into::into);
    resumes(&server, "claude", &lines);
    let sentence = server.sesh("sesh-restore", ["one"]).fails(1);
    assert!(sentence.contains("No conversation found"), "{sentence}");
    assert_eq!(server.record(before.uuid()), before);
    assert_eq!(last(), words);
    assert_eq!(panes_of(&server, made.uuid()), 0);
    assert!(server.launch_files().is_empty());
}

#[test]
fn one_that_does_not_show_is_left_to_come() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let before = ends(&server, &made);
    resumes(&server, "claude", &["print reading …".into()]);
    let call = server.sesh("sesh-restore", ["one", "--timeout", "300ms"]);
    let sentence = call.fails(6);
    assert!(sentence.contains("reading …"), "{sentence}");
    let now = server.record(before.uuid());
    assert!(now.live());
    server.say(
        now.pane(),
        &says(&server, made.text("conversation"), "idle"),
    );
    server.becomes(now.pane(), "idle");
}

#[test]
fn one_that_is_in_another_conversation_is_not_taken_for_it() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    ends(&server, &made);
    let other = conversation();
    resumes(&server, "claude", &[says(&server, &other, "idle")]);
    let sentence = server.sesh("sesh-restore", ["one"]).fails(7);
    assert!(sentence.contains(&other), "{sentence}");
    server.sesh("sesh-reap", crate::support::NONE).ok();
    assert_eq!(server.record(made.uuid()).text("conversation"), other);
}

#[test]
fn of_many_at_once_one_has_it_go_on() {
    const RACERS: usize = 10;
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let mut sesh = ends(&server, &made);
    for _ in 0..count(80) {
        let start = Barrier::new(RACERS);
        let said: Vec<Said> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        server.sesh("sesh-restore", ["one", "--json"]).said()
                    })
                })
                .collect();
            let come = |racer: std::thread::ScopedJoinHandle<'_, Said>| racer.join();
            racers
                .into_iter()
                .map(|it| come(it).expect("a racer"))
                .collect()
        });
        let (won, lost): (Vec<&Said>, Vec<&Said>) =
            said.iter().partition(|said| said.code() == Some(0));
        assert_eq!(won.len(), 1, "winners");
        for said in lost {
            assert!(matches!(said.code(), Some(4 | 5)), "{said}");
            said.sentence();
        }
        assert_eq!(panes_of(&server, made.uuid()), 1);
        until("no launch file is left", || {
            server.launch_files().is_empty()
        });
        sesh = ends(&server, &won[0].record());
    }
    assert_eq!(sesh.get("conversation"), made.get("conversation"));
}
