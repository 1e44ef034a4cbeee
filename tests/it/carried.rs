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
    let json = export(&["--json"]).json();
    assert_eq!(
        (&json["seshes"], &json["transcripts"]),
        (&json!(2), &json!(1))
    );
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
    let args = ["--no-transcripts", "--export", path];
    server.sesh("sesh-save", args).ok();
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
    let newer = changed("\"tmux-sesh-export\":1", "\"tmux-sesh-export\":3");
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
    let sentence = two.sesh("sesh-restore", ["--from", "/dev/zero"]).fails(4);
    assert!(sentence.contains("larger than any"), "{sentence}");
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

/// Where the transcript of a conversation is, below the home.
fn transcript(server: &Server, id: &str) -> std::path::PathBuf {
    server
        .path("home/.claude/projects/project")
        .join(format!("{id}.jsonl"))
}

/// Registers a Claude that has exited, with this transcript, and exports it. Returns the file and the conversation.
fn exported(server: &Server, content: &[u8]) -> (std::path::PathBuf, String) {
    let id = conversation();
    keeps(server, &id);
    std::fs::write(transcript(server, &id), content).expect("a transcript");
    server
        .sesh("sesh-adopt", adopts(&id, &["--name", "one"]))
        .ok();
    let file = server.path("export.jsonl");
    server
        .sesh("sesh-save", ["--export", file.to_str().expect("UTF-8")])
        .ok();
    (file, id)
}

const TURN: &str = "{\"type\":\"user\",\"uuid\":\"1\",\"message\":{\"role\":\"user\",\"content\":\"h\u{e9} #(x)\"}}\n";

#[test]
fn a_conversation_goes_on_elsewhere() {
    let one = Server::start();
    let (file, id) = exported(&one, format!("{TURN}{{\"half").as_bytes());
    let file = file.to_str().expect("UTF-8");
    let two = Server::start();
    let from = |more: &[&str]| {
        two.sesh("sesh-restore", ["--from", file].iter().chain(more))
            .said()
    };
    from(&["--dry-run"]);
    assert!(!transcript(&two, &id).exists());
    let said = from(&[]);
    assert!(!said.stderr.contains("transcript"), "{said}");
    let there = transcript(&two, &id);
    assert_eq!(
        std::fs::read_to_string(&there).expect("a transcript"),
        TURN,
        "whole lines"
    );
    let about = std::fs::metadata(&there).expect("a file");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&about) & 0o777, 0o600);
    assert_eq!(two.sesh("sesh-log", ["one"]).ok().line(), "> h\u{e9} #(x)");
    // The agent resumes it there.
    let script = std::fs::read(one.path("home/claude.resume")).expect("a script");
    two.agent("claude");
    let script = String::from_utf8(script).expect("UTF-8");
    let (one_home, two_home) = (one.path("home"), two.path("home"));
    let homes = [one_home, two_home].map(|home| home.to_str().expect("UTF-8").to_string());
    std::fs::write(
        two.path("home/claude.resume"),
        script.replace(&homes[0], &homes[1]),
    )
    .expect("a script");
    let now = two.sesh("sesh-restore", ["one", "--json"]).ok().record();
    assert_eq!((now.live(), now.text("conversation")), (true, id.as_str()));
    // The same one is there now, and then another one.
    assert!(!from(&[]).stderr.contains("transcript"));
    let longer = format!("{TURN}{TURN}");
    for other in [longer.as_str(), "{}\n", ""] {
        std::fs::write(&there, other).expect("a transcript");
        let said = from(&[]);
        assert_eq!(said.code(), Some(0));
        assert!(said.stderr.contains("there is another one here"), "{said}");
        assert_eq!(
            std::fs::read_to_string(&there).expect("a transcript"),
            other
        );
    }
    // Nothing waits for what writes to a pipe, and nothing follows a link.
    std::fs::remove_file(&there).expect("removed");
    nix::unistd::mkfifo(&there, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert!(from(&[]).stderr.contains("there is another one here"));
    std::fs::remove_file(&there).expect("removed");
    std::os::unix::fs::symlink(two.path("nowhere"), &there).expect("a link");
    assert!(from(&[]).stderr.contains("not written"));
    assert!(!two.path("nowhere").exists());
    // One that is gone is left out.
    std::fs::remove_file(transcript(&one, &id)).expect("removed");
    let json = one
        .sesh("sesh-save", ["--json", "--export", file])
        .ok()
        .json();
    assert_eq!(
        (&json["seshes"], &json["transcripts"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn transcripts_are_written_only_where_the_agent_keeps_them() {
    let one = Server::start();
    let (file, id) = exported(&one, TURN.as_bytes());
    let good = std::fs::read_to_string(&file).expect("a text");
    let two = Server::start();
    let path = file.to_str().expect("UTF-8");
    let own = format!("projects/project/{id}.jsonl");
    for hostile in [
        "../x.jsonl".to_string(),
        "/tmp/x.jsonl".into(),
        format!("projects/../{id}.jsonl"),
        format!("projects/../../{id}.jsonl"),
        format!("projects//{id}.jsonl"),
        format!("projects/p/../{id}.jsonl"),
        format!("projects/project/{id}.jsonl/x"),
        "projects/project/other.jsonl".into(),
        "settings.json".into(),
        String::new(),
    ] {
        assert!(good.contains(&own));
        std::fs::write(&file, good.replace(&own, &hostile)).expect("a file");
        let said = two.sesh("sesh-restore", ["--from", path]).said();
        assert_eq!(said.code(), Some(0), "{said}");
        assert!(said.stderr.contains("not written"), "{hostile}: {said}");
        assert!(!two.path("home/.claude").exists(), "{hostile}");
    }
    let unknown = good.replace(
        "{\"agent\":\"claude\",\"conversation\"",
        "{\"agent\":\"#(x)\",\"conversation\"",
    );
    std::fs::write(&file, unknown).expect("a file");
    let said = two.sesh("sesh-restore", ["--from", path]).said();
    assert!(said.stderr.contains("not written"), "{said}");
    // What is cut off is refused as a whole.
    let two = Server::start();
    let start = good
        .find("{\"agent\":\"claude\",\"conversation\"")
        .expect("a transcript");
    for end in [
        start - 1,
        start,
        start + 1,
        start + 40,
        good.len() - TURN.len(),
        good.len() - 1,
    ] {
        std::fs::write(&file, &good.as_bytes()[..end]).expect("a file");
        two.sesh("sesh-restore", ["--from", path]).fails(4);
    }
    for changed in [
        good.replace("\"files\":1", "\"files\":2"),
        good.replace("\"lines\":1", "\"lines\":18446744073709551615"),
        good.replace(
            &format!("\"size\":{}", TURN.len()),
            "\"size\":18446744073709551615",
        ),
        format!("{good}{{}}\n"),
    ] {
        assert_ne!(changed, good);
        std::fs::write(&file, changed).expect("a file");
        two.sesh("sesh-restore", ["--from", path]).fails(4);
    }
    assert_eq!(all(&two).len(), 0);
    assert!(!two.path("home/.claude").exists());
}

/// A transcript may have any size: it is copied in blocks.
#[test]
fn a_transcript_that_is_larger_than_the_memory() {
    const SIZE: usize = 256 << 20;
    let one = Server::start();
    let id = conversation();
    keeps(&one, &id);
    let large = std::fs::File::create(transcript(&one, &id)).expect("a file");
    large.set_len(SIZE as u64 - 1).expect("a size");
    std::os::unix::fs::FileExt::write_at(&large, b"\n", SIZE as u64 - 1).expect("its end");
    one.sesh("sesh-adopt", adopts(&id, &["--name", "one"])).ok();
    let two = Server::start();
    let file = one.path("export.jsonl");
    let file = file.to_str().expect("UTF-8");
    let bounded = |server: &Server, helper: &str, args: &[&str]| {
        let call = server.sesh(helper, args).command();
        let limited = "ulimit -v 200000; exec \"$0\" \"$@\"";
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", limited])
            .arg(call.get_program())
            .args(call.get_args());
        for (name, value) in call.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().expect("an output");
        assert!(output.status.success(), "{output:?}");
    };
    bounded(&one, "sesh-save", &["--export", file]);
    bounded(&two, "sesh-restore", &["--from", file]);
    let there = std::fs::metadata(transcript(&two, &id)).expect("a file");
    assert_eq!(there.len(), SIZE as u64);
}
