//! `sesh-restore` and `sesh-enter` on what has ended: the same sesh goes on, once, or everything stays as it was.

use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Barrier;

use pretty_assertions::{assert_eq, assert_ne};
use tmux_sesh::id::SeshId;

use crate::support::{Dice, MAIN, Record, Said, Screen, Server, count, helpers, is, until};

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
fn one_that_is_ended_before_anybody_wrote_its_conversation_down_goes_on() {
    let server = Server::start();
    resumes(&server, "claude", &[says(&server, "{id}", "idle")]);
    let made = server.new_sesh(["one", "--agent", "claude"]);
    server.runs(made.pane(), "claude");
    let id = conversation();
    server.say(made.pane(), &says(&server, &id, "idle"));
    server.when("its files tell it", made.uuid(), |record| {
        *record.get("conversation") == *id
    });
    assert_eq!(server.format(made.pane(), "#{@sesh_conv}"), "");
    server.sesh("sesh-end", ["one", "--kill"]).ok();
    let ended = server.record(made.uuid());
    assert_eq!(ended.text("conversation"), id);
    restored(&server, &ended);
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
    let sentence = server.sesh("sesh-enter", ["one"]).fails(4);
    assert!(sentence.contains("not a terminal"), "{sentence}");
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

/// It is brought back by many at once, again and again: one of them does it, and the others say that somebody was first.
#[track_caller]
fn race(server: &Server, made: &Record, rounds: usize) {
    const RACERS: usize = 10;
    let mut sesh = ends(server, made);
    for _ in 0..rounds {
        let start = Barrier::new(RACERS);
        let said: Vec<Said> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..RACERS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let call = server.sesh("sesh-restore", [sesh.uuid(), "--run", "--json"]);
                        call.said()
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
        assert_eq!(panes_of(server, made.uuid()), 1);
        until("no launch file is left", || {
            server.launch_files().is_empty()
        });
        sesh = ends(server, &won[0].record());
        assert_eq!(sesh.get("conversation"), made.get("conversation"));
    }
}

#[test]
fn of_many_at_once_one_has_an_agent_go_on() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    race(&server, &made, count(80));
}

#[test]
fn of_many_at_once_one_has_a_command_go_on() {
    let server = Server::start();
    let script = "while read word code; do [ $word = exit ] && exit $code; done";
    let made = server.new_sesh(["one", "--", "sh", "-c", script]);
    race(&server, &made, count(80));
}

#[test]
fn a_command_is_typed_and_not_run() {
    let server = Server::start();
    server.install_probe();
    let folder = server.path("project");
    std::fs::create_dir(&folder).expect("a folder");
    let made = server
        .sesh("sesh-new", ["one", "--json", "--tag", "a", "--cwd"])
        .args([&folder])
        .args(["--", "probe", "a b"])
        .ok()
        .record();
    let first = server.probed("a b");
    let ended = server.ended(made.uuid());
    std::fs::remove_file(server.path("probed-a b")).expect("what it wrote");
    let now = restored(&server, &ended);
    assert_eq!((now.state(), now.text("why")), ("waiting", "start"));
    assert_eq!(now.get("tags"), ended.get("tags"));
    server.shows(now.pane(), "$ probe 'a b'");
    server.shows(now.pane(), "Enter starts");
    // It is told by what runs in the pane, once that has started.
    let told = server.record(made.uuid());
    assert_eq!(told.get("command"), ended.get("command"));
    assert!(!server.has_probed("a b"));
    let refused = server.sesh("sesh-send", ["one", "text"]).fails(4);
    assert!(refused.contains("pane-keys one Enter"), "{refused}");
    server.sesh("pane-keys", ["one", "Enter"]).ok();
    assert_eq!(server.ended(made.uuid()).code(), Some(0));
    let again = server.probed("a b");
    assert_eq!(again.folder, first.folder);
    // Closed, it has ended again.
    let now = restored(&server, &server.record(made.uuid()));
    server.shows(now.pane(), "Enter starts");
    server.sesh("pane-keys", ["one", "q"]).ok();
    until("the pane closes", || !server.has_pane(now.pane()));
    let closed = server.record(made.uuid());
    assert_eq!((closed.state(), closed.signal()), ("exited", Some(1)));
    // So has one that is ended before it began.
    restored(&server, &closed);
    server.sesh("sesh-end", ["one"]).ok();
    let ended = server.record(made.uuid());
    assert_eq!((ended.state(), ended.signal()), ("exited", Some(1)));
}

#[test]
fn a_session_of_its_name_is_somebody_elses() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let end = ended.get("exit")["at"].as_u64().expect("its end");
    until("a second has passed", || {
        let now = server.tmux(["display-message", "-p", "#{T:#{l:%s}}"]);
        now.trim_end().parse::<u64>().expect("a time") > end
    });
    server.tmux(["new-session", "-d", "-s", "one", "cat"]);
    let now = restored(&server, &ended);
    assert_eq!(now.text("tmux/session"), "one-2");
}

#[test]
fn a_shell_is_back_in_its_folder() {
    let server = Server::start();
    let folder = server.path("project");
    std::fs::create_dir(&folder).expect("a folder");
    let folder = folder.display().to_string();
    let made = server.new_sesh(["one", "--cwd", &folder]);
    let ended = ends(&server, &made);
    let now = restored(&server, &ended);
    server.say(now.pane(), "pwd");
    server.shows(now.pane(), &folder);
    server.when("it is idle", made.uuid(), |record| record.state() == "idle");
    let words = server.sesh("sesh-restore", ["one", "--", "more"]).fails(4);
    assert!(words.contains("is alive"), "{words}");
    let ended = ends(&server, &now);
    let more = [ended.uuid(), "--", "more"];
    server.sesh("sesh-restore", more).fails(2);
}

/// It is refused with a way out, and nothing has changed.
#[track_caller]
fn refused(server: &Server, sesh: &Record, way_out: &str) {
    let before = server.everything();
    let sentence = server.sesh("sesh-restore", [sesh.uuid()]).fails(4);
    assert!(sentence.contains(way_out), "{sentence}");
    assert_eq!(server.everything(), before);
    assert!(server.launch_files().is_empty());
}

#[test]
fn an_agent_of_which_nobody_knows_the_conversation() {
    let server = Server::start();
    server.agent("claude");
    let made = server.new_sesh(["--agent", "claude", "one"]);
    server.runs(made.pane(), "claude");
    let ended = ends(&server, &made);
    refused(&server, &ended, "sesh-hooks install claude");
}

#[test]
fn an_agent_that_cannot_go_on() {
    let server = Server::start();
    server.agent("aider");
    let made = server.new_sesh(["--agent", "aider", "one"]);
    server.runs(made.pane(), "aider");
    let ended = ends(&server, &made);
    refused(&server, &ended, "sesh-new --agent aider");
}

#[test]
fn a_conversation_that_would_be_an_option() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let book = format!("@seshbook_{}", ended.uuid());
    server.tmux(["set-option", "-sa", &book, ",conv=--help"]);
    refused(&server, &ended, "is not a conversation id");
}

#[test]
fn a_conversation_in_another_pane() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let pane = server.hosts("claude");
    let id = ended.text("conversation");
    server.say(&pane, &says(&server, id, "idle"));
    let other = server.becomes(&pane, "idle");
    refused(&server, &ended, &format!("sesh-enter {}", other.name()));
    // Also where only its own files tell.
    server.tmux(["set-option", "-g", "@sesh-adopt", "off"]);
    server.tmux(["set-option", "-p", "-u", "-t", &pane, "@sesh_id"]);
    server.tmux(["set-option", "-p", "-u", "-t", &pane, "@sesh_conv"]);
    refused(&server, &ended, "in the process");
}

#[test]
fn a_conversation_in_a_process_of_nobodys() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let id = ended.text("conversation");
    // Words on a command line tell it, wherever that is.
    resumes(&server, "claude", &[]);
    let pane = server.types(&format!("claude --resume {id}"));
    server.runs(&pane, "claude");
    refused(&server, &ended, "in the process");
    server.tmux(["kill-pane", "-t", &pane]);
    // And a file of one that runs behind a daemon.
    let daemon = server.types("sleep 1000");
    server.runs(&daemon, "sleep");
    let shell = server
        .format(&daemon, "#{pane_pid}")
        .parse()
        .expect("a pid");
    let pid = tmux_sesh::proc::children(shell)[0];
    let start = tmux_sesh::proc::read(pid).expect("a process").start;
    let file = server.path(&format!("home/.claude/sessions/{pid}.json"));
    let text = |start: u64| format!("{{\"sessionId\":\"{id}\",\"procStart\":\"{start}\"}}");
    std::fs::write(&file, text(start)).expect("a file");
    refused(&server, &ended, &format!("process {pid}"));
    // Another process has its pid by now.
    std::fs::write(&file, text(start + 1)).expect("a file");
    resumes(&server, "claude", &[says(&server, "{id}", "idle")]);
    restored(&server, &ended);
}

#[test]
fn a_conversation_on_another_server() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let other = Server::start();
    // In tmux's own folder, as if it had been started with -L.
    let folder = tmux_folder(&server);
    std::fs::hard_link(other.socket(), folder.join("other")).expect("a link");
    let pane = other.user_pane();
    let set = |name: &str, value: &str| other.tmux(["set-option", "-p", "-t", &pane, name, value]);
    set("@sesh_name", "far");
    set("@sesh_conv", ended.text("conversation"));
    refused(&server, &ended, "sesh-enter -S /");
    set("@sesh_exit", "0 - 1");
    restored(&server, &ended);
}

/// The folder in which tmux keeps the sockets that have names.
fn tmux_folder(server: &Server) -> PathBuf {
    let folder = server.path(&format!("tmux-{}", nix::unistd::getuid()));
    let mut private = std::fs::DirBuilder::new();
    private.mode(0o700);
    private.create(&folder).expect("tmux's folder");
    folder
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let deaf = UnixListener::bind(tmux_folder(&server).join("deaf"));
    let _deaf = deaf.expect("a socket");
    restored(&server, &ended);
}

#[test]
fn a_turn_that_runs_without_a_terminal() {
    let server = Server::start();
    let id = conversation();
    resumes(&server, "codex", &["title ready".into()]);
    let made = server.new_sesh(["--agent", "codex", "one", "--", "resume", &id]);
    server.runs(made.pane(), "codex");
    until("its conversation is known", || {
        server.sesh("sesh-reap", crate::support::NONE).ok();
        server.record(made.uuid()).get("conversation").is_string()
    });
    let ended = ends(&server, &made);
    let folder = server.path("home/.codex/sessions/2026/11/25");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("rollout-2026-11-25T10-00-00-{id}.jsonl"));
    let turn =
        |word: &str| format!("{{\"type\":\"event_msg\",\"payload\":{{\"type\":\"{word}\"}}}}\n");
    let begun = turn("task_started");
    std::fs::write(&file, &begun).expect("a transcript");
    let daemon = format!("codex app-server 3<{}", file.display());
    let daemon = server.types(&daemon);
    server.runs(&daemon, "codex");
    refused(&server, &ended, "when it has ended");
    std::fs::write(&file, begun + &turn("task_complete")).expect("a transcript");
    let sentence = server
        .sesh("sesh-restore", ["one", "--timeout", "300ms"])
        .fails(6);
    assert!(sentence.contains("sesh-enter one"), "{sentence}");
}

#[test]
fn a_folder_that_is_gone() {
    let server = Server::start();
    let folder = server.path("project");
    std::fs::create_dir(&folder).expect("a folder");
    let folder = folder.display().to_string();
    let made = claude(&server, &["one", "--cwd", &folder]);
    let ended = ends(&server, &made);
    std::fs::remove_dir(&folder).expect("a folder");
    refused(&server, &ended, "create it first");
    std::fs::create_dir(&folder).expect("a folder");
    restored(&server, &ended);
}

#[test]
fn an_agent_that_is_not_installed() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    let agent = server.agent("claude");
    std::fs::remove_file(&agent).expect("the fake");
    if which::which("claude").is_err() {
        refused(&server, &ended, "is not installed");
    }
}

#[test]
fn a_name_that_another_has_by_now() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let ended = ends(&server, &made);
    server.new_sesh(["one", "--", "sleep", "1000"]);
    refused(&server, &ended, "sesh-set");
}

#[test]
fn one_conversation_of_two_seshes() {
    let server = Server::start();
    let made = claude(&server, &["one"]);
    let first = ends(&server, &made);
    let made = claude(&server, &["two"]);
    server.say(
        made.pane(),
        &says(&server, first.text("conversation"), "idle"),
    );
    server.when("it is in the same", made.uuid(), |record| {
        record.get("conversation") == first.get("conversation")
    });
    server.sesh("sesh-reap", crate::support::NONE).ok();
    let second = ends(&server, &made);
    assert_eq!(second.get("conversation"), first.get("conversation"));
    restored(&server, &first);
    refused(&server, &second, "sesh-enter one");
}

#[test]
fn what_would_be_brought_back_is_only_said() {
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "work", "cat"]);
    let one = server.new_sesh(["one", "--target", "work", "--", "sleep", "1000"]);
    server.sesh("sesh-end", ["one"]).ok();
    let before = server.everything();
    let said = server.sesh("sesh-restore", ["one", "--dry-run"]).ok();
    assert!(
        said.text().starts_with("one  ")
            && said
                .text()
                .trim_end()
                .ends_with("  a command, waiting for Enter")
    );
    assert_eq!(server.everything(), before);
    // It goes on where it was, though its server has not ended.
    let now = restored(&server, &one);
    assert_eq!(now.text("tmux/session"), "work");
    server.sesh("sesh-end", ["one"]).ok();
    server.new_sesh(["one", "--", "cat"]);
    let sentence = server
        .sesh("sesh-restore", [one.uuid(), "--dry-run"])
        .fails(4);
    assert!(sentence.contains("the name one is now used"), "{sentence}");
    server.sesh("sesh-restore", ["--dry-run"]).fails(2);
}

fn lost(server: &Server) -> Vec<String> {
    let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
    plan.ok().lines().iter().map(ToString::to_string).collect()
}

#[test]
fn all_that_were_alive_when_the_server_died() {
    let server = Server::start();
    let agent = claude(&server, &["agent", "--target", "work", "--tag", "a"]);
    server.install_probe();
    let command = [
        "command",
        "--target",
        "work",
        "--",
        "sh",
        "-c",
        "exec sleep 1000",
    ];
    let command = server.new_sesh(command);
    let shell = server.new_sesh(["shell", "--session"]);
    let over = server.new_sesh(["over", "--", "false"]);
    server.ended(over.uuid());
    server.dies();
    server.starts_again();
    let list = helpers().join("sesh-list").display().to_string();
    let socket = server.socket().display().to_string();
    let shown = format!("'{list}' -S '{socket}'; cat");
    let home = format!("HOME={}", server.path("home").display());
    let person = Screen::open((100, 5), &["env", &home, "sh", "-c", &shown]);
    person.shows("sesh-restore --last-alive restores the 3 seshes of the last tmux server");
    let plan = lost(&server);
    assert_eq!(plan.len(), 3, "{plan:?}");
    assert!(plan[0].starts_with("agent  ") && plan[0].ends_with("  claude"));
    assert!(
        plan[1].starts_with("command  ") && plan[1].ends_with("  a command, waiting for Enter")
    );

    let call = server.sesh("sesh-restore", ["--last-alive", "--json"]);
    let back = call.ok().records();
    let names: Vec<&str> = back.iter().map(Record::name).collect();
    assert_eq!(names, ["agent", "command", "shell"]);
    assert!(is(&back[0], "idle"));
    assert_eq!(back[0].get("conversation"), agent.get("conversation"));
    assert_eq!(back[0].get("tags"), agent.get("tags"));
    assert_eq!(back[0].text("tmux/session"), "work");
    assert_eq!(back[1].text("tmux/session"), "work");
    assert_eq!(back[1].uuid(), command.uuid());
    assert_eq!((back[1].state(), back[1].text("why")), ("waiting", "start"));
    assert_eq!(back[2].uuid(), shell.uuid());

    // Once is enough, whatever has become of them since.
    server.sesh("sesh-end", ["--kill", "shell"]).ok();
    let before = server.everything();
    assert!(lost(&server).is_empty());
    let again = server.sesh("sesh-restore", ["--last-alive"]).ok();
    assert_eq!(again.text(), "");
    assert_eq!(server.everything(), before);

    // Another server's death is another story: the one that was ended is not among those.
    server.dies();
    server.starts_again();
    let plan = lost(&server);
    assert_eq!(plan.len(), 2, "{plan:?}");
}

/// The plugin offers them at the start of the server, and a person has made a session of the old name by then.
#[test]
fn after_an_offer_they_are_back_in_their_sessions() {
    let server = Server::start();
    server.new_sesh(["one", "--target", "work"]);
    server.new_sesh(["two", "--target", MAIN]);
    server.dies();
    server.starts_again();
    server.sesh("sesh-restore", ["--offer"]).ok();
    let back = server.sesh("sesh-restore", ["--last-alive", "--json"]);
    let sessions: Vec<String> = back
        .ok()
        .records()
        .iter()
        .map(|record| record.text("tmux/session").to_string())
        .collect();
    assert_eq!(sessions, ["work", MAIN]);
    // One whose session is gone gets it back.
    server.sesh("sesh-end", ["one"]).ok();
    let _ = server.try_tmux(["kill-session", "-t", "work"]);
    let now = server.sesh("sesh-restore", ["one", "--json"]).ok();
    assert_eq!(now.record().text("tmux/session"), "work");
}

#[test]
fn what_an_earlier_server_left_is_history() {
    let server = Server::start();
    claude(&server, &["earlier"]);
    server.dies();
    server.starts_again();
    claude(&server, &["later"]);
    server.dies();
    server.starts_again();
    let plan = lost(&server);
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert!(plan[0].starts_with("later  "));
    // Asked for by its name it comes.
    server.sesh("sesh-restore", ["earlier"]).ok();
}

#[test]
fn without_a_server_one_is_started() {
    let server = Server::start();
    let agent = claude(&server, &["one"]);
    server.dies();
    for way in [&["sesh-list"][..], &["sesh-enter", "--pick"]] {
        let said = server.sesh(way[0], &way[1..]).fails(69);
        assert!(said.contains("sesh-restore --last-alive"), "{said}");
    }
    let enter = ["one", "--enter"];
    let said = server.sesh("sesh-restore", enter).fails(4);
    assert!(said.contains("sesh-enter --print"), "{said}");
    assert!(!server.record(agent.uuid()).has_pane());
    let now = restored(&server, &agent);
    assert_eq!(now.get("conversation"), agent.get("conversation"));
    assert!(is(&now, "idle"));
}

#[test]
fn one_of_a_dead_server_that_does_not_come_is_as_it_was() {
    let server = Server::start();
    let agent = claude(&server, &["one"]);
    server.dies();
    server.starts_again();
    let before = server.record(agent.uuid());
    assert_eq!(before.text("was"), "idle");
    resumes(&server, "claude", &["print no".into(), "exit 1".into()]);
    server.tmux(["new-session", "-d", "cat"]);
    server.sesh("sesh-restore", ["one"]).fails(1);
    assert_eq!(server.record(agent.uuid()), before);
    resumes(&server, "claude", &[says(&server, "{id}", "idle")]);
    restored(&server, &agent);
    // What is forgotten stays forgotten.
    server.sesh("sesh-end", ["--kill", "--forget", "one"]).ok();
    server.dies();
    server.starts_again();
    assert!(lost(&server).is_empty());
    server.sesh("sesh-restore", ["one"]).fails(3);
}

#[test]
fn whoever_brings_them_back_is_killed_at_any_moment() {
    const ALIVE: usize = 4;
    let mut dice = Dice::new();
    for _ in 0..count(200) {
        let server = Server::start();
        let alive: Vec<Record> = (0..ALIVE)
            .map(|_| server.new_sesh(["--tag", "a"]))
            .collect();
        server.dies();
        server.starts_again();
        server.tmux(["new-session", "-d", "-s", "other", "cat"]);
        let mut first = server
            .sesh("sesh-restore", ["--last-alive"])
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a restore");
        std::thread::sleep(dice.moment(150)); // why: the moment is to be any.
        first.kill().expect("it is a child");
        first.wait().expect("it is a child");
        server.sesh("sesh-restore", ["--last-alive"]).ok();
        for sesh in &alive {
            let now = server.record(sesh.uuid());
            assert!(now.live() && now.has_pane(), "{now:?}");
            assert_eq!(panes_of(&server, sesh.uuid()), 1);
            assert_eq!(now.strings("tags"), ["a"]);
        }
        let panes = server.panes("#{session_name}");
        assert_eq!(panes.len(), ALIVE + 1, "one pane each: {panes:?}");
    }
}

#[test]
fn one_that_another_call_restores_meanwhile_is_there_too() {
    let server = Server::start();
    let slow = claude(&server, &["slow"]);
    let other = server.new_sesh(["other", "--", "cat"]);
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "cat"]);
    resumes(&server, "claude", &[]);
    let all = server
        .sesh("sesh-restore", ["--last-alive"])
        .command()
        .stdout(Stdio::piped())
        .spawn()
        .expect("a restore");
    until("the first is being restored", || {
        panes_of(&server, slow.uuid()) == 1
    });
    restored(&server, &other);
    let pane = server.record(slow.uuid());
    let id = slow.text("conversation");
    server.say(pane.pane(), &says(&server, id, "idle"));
    let output = all.wait_with_output().expect("it is a child");
    assert!(output.status.success(), "{:?}", output.status);
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(printed, format!("{}\n{}\n", slow.uuid(), other.uuid()));
    assert_eq!(panes_of(&server, other.uuid()), 1);
    assert!(lost(&server).is_empty());
}

#[test]
fn they_are_offered_until_somebody_answers() {
    let server = Server::start();
    claude(&server, &["one"]);
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "cat"]);
    let offered = || {
        server.sesh("sesh-restore", ["--offer"]).ok();
        server.tmux(["display-message", "-p", "#{@seshsum_lost}"])
    };
    assert_eq!(offered(), "1\n");
    server.tmux(["set-option", "-g", "@sesh-restore", "off"]);
    server.tmux(["set-option", "-su", "@seshsum_lost"]);
    assert_eq!(offered(), "\n");
    server.tmux(["set-option", "-gu", "@sesh-restore"]);
    assert_eq!(offered(), "1\n");
    server.sesh("sesh-restore", ["--dismiss"]).ok();
    assert_eq!(
        server.tmux(["display-message", "-p", "#{@seshsum_lost}"]),
        "\n"
    );
    assert_eq!(offered(), "\n");
    server.tmux(["set-option", "-g", "@sesh-restore", "on"]);
    assert_eq!(offered(), "\n", "it was answered");
    let there = || {
        let names = server.panes("#{@sesh_name}");
        names.iter().filter(|name| *name == "one").count()
    };
    assert_eq!(there(), 0, "nor is it brought back");
    // By itself, where that is wanted.
    server.sesh("sesh-restore", ["one"]).ok();
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "cat"]);
    server.tmux(["set-option", "-g", "@sesh-restore", "on"]);
    assert_eq!(offered(), "\n");
    assert_eq!(there(), 1);
}

#[test]
fn what_does_not_come_stays_offered() {
    let server = Server::start();
    let folder = server.path("project");
    std::fs::create_dir(&folder).expect("a folder");
    let cwd = folder.to_str().expect("UTF-8");
    server.new_sesh(["goes", "--cwd", cwd, "--", "cat"]);
    server.new_sesh(["comes", "--", "cat"]);
    let away = server.new_sesh(["away", "--", "cat"]);
    server.sesh("sesh-set", [away.uuid(), "--archive"]).ok();
    let offered = || server.tmux(["display-message", "-p", "#{@seshsum_lost}"]);
    let reboots = || {
        server.dies();
        server.starts_again();
        server.tmux(["new-session", "-d", "cat"]);
    };
    reboots();
    std::fs::remove_dir(&folder).expect("a folder");
    server.sesh("sesh-restore", ["--offer"]).ok();
    assert_eq!(offered(), "2\n", "what is put away is not offered");
    let said = server.sesh("sesh-restore", ["--last-alive"]).said();
    assert_eq!(said.code(), Some(4), "{said}");
    assert!(said.sentence().contains("is gone"), "{said}");
    assert!(server.record("comes").live());
    assert_eq!((offered().as_str(), lost(&server).len()), ("1\n", 1));
    server.sesh("sesh-set", ["goes", "--archive"]).ok();
    assert_eq!((offered().as_str(), lost(&server).len()), ("\n", 0));
    server.sesh("sesh-set", ["goes", "--unarchive"]).ok();
    // Also where it is brought back by itself, and at the next start.
    reboots();
    server.tmux(["set-option", "-g", "@sesh-restore", "on"]);
    server.sesh("sesh-restore", ["--offer"]).said();
    assert_eq!((offered().as_str(), lost(&server).len()), ("1\n", 1));
    std::fs::create_dir(&folder).expect("a folder");
    server.sesh("sesh-restore", ["--last-alive"]).ok();
    assert!(server.record("goes").live() && server.record("comes").live());
    assert_eq!((offered().as_str(), lost(&server).len()), ("\n", 0));
}

#[test]
fn what_was_offered_stays_so_until_somebody_answers() {
    let server = Server::start();
    let names = || -> Vec<String> {
        let plan = lost(&server);
        let name = |line: &String| line.split("  ").next().unwrap_or_default().to_string();
        plan.iter().map(name).collect()
    };
    let reboots = || {
        server.dies();
        server.starts_again();
        server.tmux(["new-session", "-d", "cat"]);
        server.sesh("sesh-restore", ["--offer"]).ok();
    };
    server.new_sesh(["first", "--", "cat"]);
    server.new_sesh(["mine", "--", "cat"]);
    reboots();
    server.new_sesh(["second", "--", "cat"]);
    server.sesh("sesh-restore", ["mine"]).ok();
    reboots();
    assert_eq!(names(), ["first", "mine", "second"]);
    let offered = || server.tmux(["display-message", "-p", "#{@seshsum_lost}"]);
    assert_eq!(offered(), "3\n");
    reboots();
    assert_eq!(names(), ["first", "mine", "second"], "nobody has answered");
    server.sesh("sesh-restore", ["--dismiss"]).ok();
    assert_eq!(server.record("first").get("was"), "busy");
    reboots();
    assert!(names().is_empty(), "{:?}", names());
    assert_eq!(offered(), "\n");
    // By its name it comes all the same.
    server.sesh("sesh-restore", ["first"]).ok();
    reboots();
    assert_eq!(names(), ["first"]);
}

#[test]
fn the_segment_offers_them() {
    let server = Server::start();
    claude(&server, &["one"]);
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "-s", MAIN, "cat"]);
    server.load();
    let segment = || server.format(&format!("{MAIN}:"), "#{E:@sesh-status}");
    until("it is offered", || segment().contains("↺1"));
    server.sesh("sesh-restore", ["--last-alive"]).ok();
    assert!(!segment().contains('↺'), "{}", segment());
    assert!(server.panes("#{@sesh_name}").contains(&"one".into()));
    // Loaded again, it asks no more.
    server.load();
    server.sesh("sesh-restore", ["--offer"]).ok();
    assert!(!segment().contains('↺'), "{}", segment());
}

/// What a desktop or systemd starts a server with: the folder of tmux, and those of the system.
fn poor_path(server: &Server) -> String {
    let tmux = server
        .program()
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    format!("{tmux}:/usr/bin:/bin")
}

#[test]
fn programs_are_found_where_the_sesh_found_them() {
    let server = Server::start();
    let own = server.path("own");
    std::fs::create_dir_all(&own).expect("a folder");
    let own = own.display().to_string();
    server.program_file(&server.path("own/tool"), b"#!/bin/sh\nexec sleep 1000\n");
    let path = format!("{own}:{}", poor_path(&server));
    let made = server
        .sesh("sesh-new", ["tool", "--json", "--", "tool"])
        .env("PATH", &path)
        .ok()
        .record();
    server.runs(made.pane(), "sleep");
    server.dies();
    server.starts_again();
    let poor = poor_path(&server);
    let back = server
        .sesh("sesh-restore", ["tool", "--run", "--json"])
        .env("PATH", &poor)
        .ok();
    let back = back.record();
    server.runs(back.pane(), "sleep");
    // Its children look there too.
    let pid = server.format(back.pane(), "#{pane_pid}");
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let child = children.expect("a process");
    let environment = std::fs::read(format!("/proc/{}/environ", child.trim())).expect("a process");
    let wanted = format!("PATH={own}:");
    let mut variables = environment.split(|byte| *byte == 0);
    assert!(variables.any(|it| it.starts_with(wanted.as_bytes())));
}

#[test]
fn a_path_that_was_given_is_recorded() {
    let server = Server::start();
    let own = server.path("given");
    std::fs::create_dir_all(&own).expect("a folder");
    server.program_file(&own.join("tool"), b"#!/bin/sh\nexec sleep 1000\n");
    let given = format!("PATH={}:/usr/bin:/bin", own.display());
    let made = server.new_sesh(["tool", "--env", &given, "--", "tool"]);
    server.runs(made.pane(), "sleep");
    server.sesh("sesh-end", ["tool"]).ok();
    let back = server
        .sesh("sesh-restore", ["tool", "--run", "--json"])
        .ok();
    server.runs(back.record().pane(), "sleep");
}
