//! What outlives the server: the journal, and what is read of it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{MAIN, NONE, Record, Server, until};

/// The journal's file of a server.
#[track_caller]
fn file(server: &Server) -> PathBuf {
    let folder = server.path("home/.local/state/tmux-sesh/journal");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the journal's folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// The lines of the journal but for the first, which says whose it is.
#[track_caller]
fn lines(server: &Server) -> Vec<Value> {
    let text = std::fs::read_to_string(file(server)).expect("the journal");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    lines.skip(1).collect()
}

/// The events of a sesh, as they were written.
#[track_caller]
fn events(server: &Server, uuid: &str) -> Vec<String> {
    lines(server)
        .iter()
        .filter(|line| line["uuid"] == uuid)
        .map(|line| line["event"].as_str().expect("a word").to_string())
        .collect()
}

/// Ends the server as a power cut would.
#[track_caller]
fn kill_server(server: &Server) {
    // Not the harness's child: it may be the next one.
    let pid = server.tmux(["display-message", "-p", "#{pid}"]);
    let pid = Pid::from_raw(pid.trim_end().parse().expect("a pid"));
    kill(pid, Signal::SIGKILL).expect("it is there");
    until("the server is gone", || !server.alive());
}

/// Another server on the same socket. Ends when the first one's value does: by the same socket.
#[track_caller]
fn start_again(server: &Server) {
    let child = server
        .tmux_call(["-D", "-f", "/dev/null"])
        .command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.expect("a tmux server");
    until("the next server answers", || server.alive());
    drop(child);
}

#[track_caller]
fn all(server: &Server) -> Vec<Record> {
    server.sesh("sesh-list", ["--all", "--json"]).ok().records()
}

#[track_caller]
fn of<'a>(records: &'a [Record], uuid: &str) -> &'a Record {
    let found: Vec<&Record> = records.iter().filter(|it| it.uuid() == uuid).collect();
    assert_eq!(found.len(), 1, "{uuid} in {records:?}");
    found[0]
}

#[test]
fn a_server_that_is_killed_loses_nobody() {
    let server = Server::start();
    let build = server.new_sesh(["build", "--tag", "ci", "--note", "50 % (a, b)", "--", "cat"]);
    let done = server.new_sesh(["done", "--", "sh", "-c", "echo all is well; exit 3"]);
    let shell = server.new_sesh(["--session", "shell"]);
    server.ended(done.uuid());
    server
        .sesh("sesh-set", ["shell", "--name", "hull", "--meta", "k=v"])
        .ok();
    let adopted = server
        .sesh("sesh-adopt", ["--name", "mine", "--json"])
        .args([server.user_pane()])
        .ok()
        .record();
    kill_server(&server);

    let check = |records: &[Record]| {
        assert_eq!(records.len(), 4, "{records:#?}");
        let build = of(records, build.uuid());
        assert_eq!((build.state(), build.text("was")), ("exited", "busy"));
        assert!(!build.live() && !build.has_pane());
        assert_eq!(build.text("note"), "50 % (a, b)");
        assert_eq!(build.strings("tags"), ["ci"]);
        assert_eq!(build.strings("command"), ["cat"]);
        assert_eq!((build.code(), build.signal()), (None, None));
        assert!(!build.get("exit").is_null());
        assert_eq!(
            std::path::Path::new(build.text("socket")),
            server.socket().canonicalize().unwrap_or(server.socket())
        );
        let done = of(records, done.uuid());
        assert_eq!((done.code(), done.get("was")), (Some(3), &Value::Null));
        let shell = of(records, shell.uuid());
        assert_eq!((shell.name(), shell.text("was")), ("hull", "idle"));
        assert_eq!(shell.text("meta/k"), "v");
        assert_eq!(of(records, adopted.uuid()).name(), "mine");
    };
    // Without a server at all, and with the next one.
    check(&all(&server));
    start_again(&server);
    check(&all(&server));
    assert!(
        server
            .sesh("sesh-list", ["--json"])
            .ok()
            .records()
            .is_empty()
    );
    // By name, by uuid, by its start, as a word.
    for word in ["build", build.uuid(), &build.uuid()[..8]] {
        let found = server.sesh("sesh-list", ["--json", word]).ok().only();
        assert_eq!(found.uuid(), build.uuid());
    }
    let sentence = server.sesh("sesh-enter", ["--print", "build"]).fails(4);
    assert!(sentence.contains("has ended"), "{sentence}");
    assert!(
        server
            .sesh("sesh-list", ["nobody"])
            .fails(3)
            .contains("nobody")
    );
}

#[test]
fn what_only_the_journal_has_can_be_changed_and_forgotten() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--tag", "a", "--", "cat"]);
    let two = server.new_sesh(["two", "--", "cat"]);
    kill_server(&server);
    start_again(&server);
    let changed = server
        .sesh(
            "sesh-set",
            [
                "--json",
                "one",
                "--name",
                "uno",
                "--tag",
                "b",
                "--archive",
                "--note",
                "n",
            ],
        )
        .ok()
        .only();
    assert_eq!((changed.name(), changed.text("note")), ("uno", "n"));
    assert_eq!(changed.strings("tags"), ["a", "b"]);
    let archived = server
        .sesh("sesh-list", ["--archived", "--json"])
        .ok()
        .only();
    assert_eq!(archived.uuid(), one.uuid());
    assert_eq!(archived.text("was"), "busy");
    // Nothing of it is in the new server.
    assert!(!server.tmux(["show-options", "-s"]).contains(one.uuid()));

    server.sesh("sesh-end", ["two"]).fails(4);
    server.sesh("sesh-end", ["--forget", "two"]).ok();
    assert_eq!(all(&server).len(), 1);
    assert!(
        server
            .sesh("sesh-list", [two.uuid()])
            .fails(3)
            .contains("no sesh")
    );
    assert_eq!(events(&server, two.uuid()), ["created", "forgotten"]);
    // A living one that is forgotten does not come back either.
    let three = server.new_sesh(["three", "--", "cat"]);
    server.sesh("sesh-end", ["--forget", "three"]).ok();
    kill_server(&server);
    assert_eq!(all(&server).len(), 1, "{}", three.uuid());
}

#[test]
fn a_name_that_lives_again_hides_none_of_the_others() {
    let server = Server::start();
    let old = server.new_sesh(["x", "--", "cat"]);
    kill_server(&server);
    start_again(&server);
    let new = server.new_sesh(["x", "--", "cat"]);
    assert_eq!(
        server.sesh("sesh-list", ["--json", "x"]).ok().only().uuid(),
        new.uuid()
    );
    assert_eq!(all(&server).len(), 2);
    server.sesh("sesh-set", [old.uuid(), "--note", "old"]).ok();
    let records = all(&server);
    assert_eq!(of(&records, old.uuid()).text("note"), "old");
    assert!(of(&records, new.uuid()).get("note").is_null());
}

#[test]
fn what_is_written_when() {
    let server = Server::start();
    let made = server.new_sesh(["x", "--", "cat"]);
    assert_eq!(events(&server, made.uuid()), ["created"]);
    server.sesh("sesh-set", ["x", "--tag", "a"]).ok();
    server.sesh("sesh-set", ["x", "--archive"]).ok();
    assert_eq!(
        events(&server, made.uuid()),
        ["created", "changed", "changed"]
    );
    server.sesh("sesh-end", ["x"]).ok();
    assert_eq!(
        events(&server, made.uuid()).last().expect("an event"),
        "ended"
    );
    let lines = lines(&server);
    let life = &lines[0]["server"];
    assert_eq!(life["pid"], server.pid());
    assert!(life["start"].as_u64().is_some_and(|start| start > 0));
    assert_eq!(lines[0]["spot"]["window"], made.get("tmux/window").clone());
    assert_eq!(lines[0]["spot"]["session"], made.text("tmux/session"));

    // An end that nobody wrote down.
    let vanished = server.new_sesh(["v", "--", "cat"]);
    let runner: i32 = server
        .format(vanished.pane(), "#{pane_pid}")
        .parse()
        .expect("a pid");
    kill(Pid::from_raw(runner), Signal::SIGKILL).expect("it is there");
    until("its pane is gone", || !server.has_pane(vanished.pane()));
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(events(&server, vanished.uuid()), ["created", "ended"]);
    // What a shell does is written when it is seen.
    let shell = server.new_sesh(["s"]);
    server.tmux(["send-keys", "-t", shell.pane(), "cat", "Enter"]);
    server.runs(shell.pane(), "cat");
    until("it is seen", || {
        server.sesh("sesh-reap", NONE).ok();
        events(&server, shell.uuid())
            .last()
            .is_some_and(|event| event == "state")
    });
    kill_server(&server);
    assert_eq!(of(&all(&server), shell.uuid()).text("was"), "busy");
}

#[test]
fn many_who_tag_one_at_once_lose_no_tag() {
    let server = Server::start();
    let made = server.new_sesh(["x", "--", "cat"]);
    let tags: Vec<String> = (0..8).map(|at| format!("t{at}")).collect();
    std::thread::scope(|scope| {
        for tag in &tags {
            let server = &server;
            scope.spawn(move || server.sesh("sesh-set", ["x", "--tag", tag]).ok());
        }
    });
    kill_server(&server);
    let records = all(&server);
    let mut found = of(&records, made.uuid()).strings("tags");
    found.sort_unstable();
    assert_eq!(found, tags);
}

#[test]
fn without_the_switch_nobody_reads_it() {
    let server = Server::start();
    server.new_sesh(["x", "--", "cat"]);
    let journal = file(&server);
    std::fs::remove_file(&journal).expect("it was there");
    std::fs::create_dir(&journal).expect("what nobody can read as a file");
    server.sesh("sesh-list", NONE).ok();
    server.sesh("sesh-list", ["x"]).ok();
    server
        .sesh("sesh-pane", ["--pane", &server.user_pane()])
        .said();
    let said = server.sesh("sesh-list", ["--all"]).said();
    assert_eq!(said.code(), Some(0));
    assert!(said.sentence().contains("cannot read"), "{said}");
    let _ = Command::new("rmdir").arg(&journal).status();
    assert!(server.has_pane(&server.format(MAIN, "#{pane_id}")));
}
