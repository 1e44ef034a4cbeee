//! Seshes without a pane that come from elsewhere: a conversation that is registered, a file of another machine, and the
//! sessions of sesh v1.

use std::fmt::Write as _;

use pretty_assertions::assert_eq;
use serde_json::json;
use tmux_sesh::id::SeshId;

use crate::support::{Record, Server};

/// A conversation of its own for each test: where one goes on is looked for on the whole machine.
fn conversation() -> String {
    SeshId::random().to_string()
}

/// What Claude keeps of a conversation, and how it goes on with it.
fn keeps(server: &Server, id: &str) {
    let folder = server.path("home/.claude/projects/project");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{id}.jsonl")), "{}\n").expect("a transcript");
    server.agent("claude");
    let file = server.path("home/.claude/sessions/{pid}.json");
    let says = format!(
        "file {} {{\"pid\":{{pid}},\"procStart\":\"{{start}}\",\"sessionId\":\"{{id}}\",\"status\":\"idle\"}}",
        file.display()
    );
    std::fs::write(server.path("home/claude.resume"), says).expect("a script");
}

fn adopts<'a>(id: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--agent", "claude", "--conv", id, "--cwd", "."], more].concat()
}

#[track_caller]
fn all(server: &Server) -> Vec<Record> {
    server.sesh("sesh-list", ["--all", "--json"]).ok().records()
}

#[test]
fn a_conversation_becomes_an_exited_sesh_that_goes_on() {
    let server = Server::start();
    let id = conversation();
    keeps(&server, &id);
    let panes = server.panes("#{pane_id}");
    let args = adopts(&id, &["--name", "one", "--tag", "a", "--json"]);
    let made = server.sesh("sesh-adopt", args).ok().record();
    assert_eq!(
        (made.state(), made.live(), made.has_pane()),
        ("exited", false, false)
    );
    assert_eq!(
        (made.name(), made.text("agent"), made.text("conversation")),
        ("one", "claude", id.as_str())
    );
    assert_eq!(made.text("cwd"), server.folder().to_str().expect("UTF-8"));
    assert_eq!(made.strings("tags"), ["a"]);
    assert_eq!(server.panes("#{pane_id}"), panes);
    let read = server.record(made.uuid());
    assert_eq!(read, made, "what it prints is what is stored");
    assert_eq!(server.sesh("sesh-list", ["--json"]).ok().records().len(), 0);
    // It is none of those that died with a server.
    let last = server.sesh("sesh-restore", ["--last-alive", "--json"]);
    assert_eq!(last.ok().records().len(), 0);
    let now = server.sesh("sesh-restore", ["one", "--json"]).ok().record();
    assert_eq!(now.uuid(), made.uuid());
    assert!(now.live());
    assert_eq!(now.strings("command")[1..], ["--resume", &id]);
    assert_eq!(now.text("conversation"), id);
}

#[test]
fn a_conversation_is_registered_without_a_server() {
    let server = Server::start();
    let id = conversation();
    keeps(&server, &id);
    server.tmux(["kill-server"]);
    let made = server.sesh("sesh-adopt", adopts(&id, &[])).ok();
    let records = all(&server);
    let [record] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(record.uuid(), made.line());
    assert!(record.name().starts_with("claude-"), "{}", record.name());
    server.sesh("sesh-adopt", adopts(&id, &[])).fails(4);
}

#[test]
fn conversations_that_are_not_registered() {
    let server = Server::start();
    let id = conversation();
    keeps(&server, &id);
    let fails = |args: Vec<&str>, code: i32, expected: &str| {
        let sentence = server.sesh("sesh-adopt", &args).fails(code);
        assert!(sentence.contains(expected), "{args:?}: {sentence}");
    };
    let long = "x".repeat(10_000);
    for bad in [
        "x",
        "",
        "#(touch hacked)",
        "--help",
        "a\nb",
        "../../x",
        &long,
    ] {
        fails(adopts(bad, &[]), 2, "");
    }
    let other = conversation();
    fails(adopts(&other, &[]), 3, "--force");
    fails(
        vec!["--agent", "hal", "--conv", &id, "--cwd", "."],
        2,
        "hal",
    );
    fails(
        vec!["--agent", "aider", "--conv", &id, "--cwd", "."],
        4,
        "cannot resume",
    );
    fails(
        vec!["--agent", "claude", "--conv", &id, "--cwd", "no-such"],
        3,
        "no folder",
    );
    fails(vec!["--agent", "claude", "--cwd", "."], 2, "");
    fails(vec!["--conv", &id, "--cwd", "."], 2, "");
    fails(
        vec!["%1", "--agent", "claude", "--conv", &id, "--cwd", "."],
        2,
        "",
    );
    server.new_sesh(["taken", "--", "sleep", "1000"]);
    fails(adopts(&id, &["--name", "taken"]), 4, "taken");
    fails(adopts(&id, &["--name", "a;b"]), 2, "");
    assert_eq!(all(&server).len(), 1);
    assert!(!server.path("hacked").exists());
    // One that is a sesh already: exited, and alive.
    let first = server
        .sesh("sesh-adopt", adopts(&id, &["--name", "one"]))
        .ok();
    fails(
        adopts(&id, &["--force"]),
        4,
        &format!("sesh-restore {}", first.line()),
    );
    server.sesh("sesh-restore", ["one"]).ok();
    fails(adopts(&id, &["--force"]), 4, "sesh-enter one");
    server.sesh("sesh-adopt", adopts(&other, &["--force"])).ok();
    // A word of an agent whose ids are words.
    let word = ["--agent", "opencode", "--conv", "ses_#{x};", "--cwd", "."];
    server.sesh("sesh-adopt", word).ok();
    assert_eq!(all(&server).len(), 4);
}

#[test]
fn two_that_register_one_conversation_at_once_make_one_sesh() {
    let server = Server::start();
    let id = conversation();
    keeps(&server, &id);
    let done: usize = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let said = server.sesh("sesh-adopt", adopts(&id, &[])).said();
                    usize::from(said.code() == Some(0))
                })
            })
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("an end"))
            .sum()
    });
    assert_eq!((done, all(&server).len()), (1, 1));
}

/// Three seshes: an agent that lives, a command that has ended, and one that is forgotten.
fn furnish(server: &Server) -> String {
    let id = conversation();
    keeps(server, &id);
    server
        .sesh("sesh-adopt", adopts(&id, &["--name", "agent"]))
        .ok();
    server.sesh("sesh-restore", ["agent"]).ok();
    let note = "50% of #{x}; 'q' \u{1f980}\n$(y)";
    let words = [
        "--tag",
        "t",
        "--note",
        note,
        "--",
        "sh",
        "-c",
        "echo said; exit 3",
    ];
    let done = server.new_sesh(["done"].iter().chain(&words));
    server.ended(done.uuid());
    server.sesh("sesh-set", ["done", "--meta", "k=a b"]).ok();
    let gone = server.new_sesh(["gone", "--", "true"]);
    server.ended(gone.uuid());
    server.sesh("sesh-end", ["gone", "--forget"]).ok();
    id
}

#[test]
fn an_export_brings_the_seshes_to_another_server() {
    let one = Server::start();
    let id = furnish(&one);
    let file = one.path("export.jsonl");
    let export = |words: &[&str]| {
        let args = [&["--export", file.to_str().expect("UTF-8")], words].concat();
        one.sesh("sesh-save", args).ok()
    };
    assert_eq!(export(&["--json"]).json()["seshes"], 2);
    let rights = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).expect("a file"));
    assert_eq!(rights & 0o777, 0o600);
    let before: Vec<Record> = ["agent", "done"]
        .map(|name| one.sesh("sesh-list", ["--json", name]).ok().only())
        .into();
    let text = std::fs::read_to_string(&file).expect("a text");
    assert!(!text.contains("gone"), "{text}");
    one.tmux(["kill-server"]);
    // Without a server the journal has them too.
    export(&[]);

    let two = Server::start();
    keeps(&two, &id);
    let file = file.to_str().expect("UTF-8");
    let empty = two.everything();
    let rows = two.sesh("sesh-restore", ["--from", file, "--dry-run"]).ok();
    assert_eq!(rows.lines().len(), 2);
    assert_eq!(two.everything(), empty);
    assert_eq!(all(&two).len(), 0);
    let made = two
        .sesh("sesh-restore", ["--from", file, "--json"])
        .ok()
        .records();
    assert_eq!(made.len(), 2);
    for old in &before {
        let now = two.record(old.uuid());
        for field in [
            "name",
            "agent",
            "conversation",
            "tags",
            "note",
            "meta",
            "command",
            "cwd",
            "createdAt",
            "owner",
        ] {
            assert_eq!(now.get(field), old.get(field), "{field}");
        }
        assert_eq!((now.state(), now.has_pane()), ("exited", false));
    }
    assert_eq!(two.record(before[1].uuid()).code(), Some(3));
    let lines = two.sesh("pane-capture", ["done"]).ok();
    assert!(lines.text().contains("said"), "{lines}");
    let journal = all(&two);
    // Once more changes nothing.
    let again = two.sesh("sesh-restore", ["--from", file, "--last-alive", "--json"]);
    assert_eq!(again.ok().records().len(), 0);
    assert_eq!(all(&two).len(), journal.len());
    let now = two.sesh("sesh-restore", ["agent", "--json"]).ok().record();
    assert_eq!((now.uuid(), now.live()), (before[0].uuid(), true));
    // What is forgotten stays so.
    two.sesh("sesh-end", ["done", "--forget"]).ok();
    two.sesh("sesh-restore", ["--from", file]).ok();
    assert_eq!(all(&two).len(), 1);
}

#[test]
fn those_that_were_alive_come_back_at_once() {
    let one = Server::start();
    let id = furnish(&one);
    let file = one.path("export.jsonl");
    let file = file.to_str().expect("UTF-8");
    one.sesh("sesh-save", ["--export", file]).ok();
    let agent = one.sesh("sesh-list", ["--json", "agent"]).ok().only();
    one.tmux(["kill-server"]);
    let two = Server::start();
    keeps(&two, &id);
    let made = two
        .sesh("sesh-restore", ["--from", file, "--last-alive", "--json"])
        .ok()
        .records();
    let lives: Vec<(&str, bool)> = made.iter().map(|it| (it.name(), it.live())).collect();
    assert_eq!(lives, [("agent", true), ("done", false)]);
    assert_eq!(made[0].uuid(), agent.uuid());
    assert_eq!(two.record(agent.uuid()).text("conversation"), id);
}

#[test]
fn a_conversation_that_is_a_sesh_here_is_not_taken_twice() {
    let one = Server::start();
    let id = furnish(&one);
    let file = one.path("export.jsonl");
    let file = file.to_str().expect("UTF-8");
    one.sesh("sesh-save", ["--export", file]).ok();
    one.tmux(["kill-server"]);
    let two = Server::start();
    keeps(&two, &id);
    two.sesh("sesh-adopt", adopts(&id, &["--name", "here"]))
        .ok();
    let said = two.sesh("sesh-restore", ["--from", file]).said();
    assert_eq!((said.code(), said.lines().len()), (Some(0), 1), "{said}");
    assert!(
        said.stderr.contains("its conversation is the sesh here"),
        "{said}"
    );
    assert_eq!(all(&two).len(), 2);
}

#[test]
fn a_file_with_anything_wrong_is_refused_as_a_whole() {
    let server = Server::start();
    furnish(&server);
    let file = server.path("export.jsonl");
    let path = file.to_str().expect("UTF-8");
    server.sesh("sesh-save", ["--export", path]).ok();
    let good = std::fs::read_to_string(&file).expect("a text");
    let two = Server::start();
    let cut = &good[..good.len() - 7];
    let no_line: String = good.lines().take(2).fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        good.replacen(from, to, 1)
    };
    let newer = changed("\"tmux-sesh-export\":1", "\"tmux-sesh-export\":2");
    let schema = changed("\"schema\":1", "\"schema\":9");
    let name = changed("\"name\":\"done\",\"tags\"", "\"name\":\"a'b\",\"tags\"");
    let format = changed("\"tags\":\" t \"", "\"tags\":\" #(touch hacked) \"");
    let branch = changed("\"tags\":\" t \"", "\"tags\":\" a},b \"");
    let bad: [&[u8]; 11] = [
        cut.as_bytes(),
        no_line.as_bytes(),
        newer.as_bytes(),
        schema.as_bytes(),
        name.as_bytes(),
        format.as_bytes(),
        branch.as_bytes(),
        b"",
        b"\xff\xfe",
        b"not json",
        b"{\"a\":{\"uuid\":1}}",
    ];
    let before = two.everything();
    let other = two.path("bad");
    let other_path = other.to_str().expect("UTF-8");
    for bytes in bad {
        std::fs::write(&other, bytes).expect("a file");
        let sentence = two.sesh("sesh-restore", ["--from", other_path]).fails(4);
        assert!(sentence.contains("nothing of"), "{sentence}");
        assert_eq!(all(&two).len(), 0, "{sentence}");
    }
    two.sesh("sesh-restore", ["--from", "no-such"]).fails(1);
    two.sesh("sesh-restore", ["--from", "."]).fails(1);
    assert_eq!(two.everything(), before);
    assert!(!two.path("hacked").exists());
    let pipe = server.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    // What cannot be written leaves what was there.
    server.sesh("sesh-save", ["--export", "no/such/x"]).fails(1);
    server
        .sesh("sesh-save", ["--export", pipe.to_str().expect("UTF-8")])
        .fails(4);
    assert_eq!(std::fs::read_to_string(&file).expect("a text"), good);
    let sentence = two.sesh("sesh-save", ["--export", "x"]).fails(3);
    assert!(sentence.contains("no sesh to export"), "{sentence}");
}

#[test]
fn the_sessions_of_sesh_v1_become_seshes() {
    let server = Server::start();
    let id = conversation();
    keeps(&server, &id);
    let cwd = server.folder().to_str().expect("UTF-8");
    let record = json!({
        "uuid": id, "name": "api: v1 #{x}", "agent": "claude", "machine": "box", "cwd": cwd, "tags": ["work", "two words"],
        "archived": false, "autoRename": true, "summary": "fixed the tests", "turnStatus": "idle", "contextPct": 12,
        "filePath": "/x", "tmux": {"socket": "/s", "session": "a", "window": "1", "pane": "%1"},
        "createdAt": "2026-06-01T10:00:00Z", "updatedAt": "2026-06-02T10:00:00.5+02:00", "originSeq": 4,
    });
    let deleted = json!({ "uuid": conversation(), "agent": "pi", "cwd": "/", "deleted": true });
    let text = json!({ "api": record, "gone": deleted }).to_string();
    let file = server.path("sessions.json");
    std::fs::write(&file, text).expect("a file");
    let path = file.to_str().expect("UTF-8");
    let made = server
        .sesh("sesh-restore", ["--from", path, "--json"])
        .ok()
        .only();
    assert_eq!(
        (made.uuid(), made.text("conversation")),
        (id.as_str(), id.as_str())
    );
    assert_eq!(made.name(), "api- v1 --x-");
    assert_eq!(made.strings("tags"), ["work", "two-words"]);
    assert_eq!(
        (made.text("note"), made.text("machine")),
        ("fixed the tests", "box")
    );
    assert_eq!(*made.get("createdAt"), 1_780_308_000);
    let now = server.sesh("sesh-restore", [&*id, "--json"]).ok().record();
    assert_eq!((now.live(), now.text("conversation")), (true, id.as_str()));
}
