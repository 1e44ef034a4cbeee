//! What outlives the server: the journal, and what is read of it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Dice, MAIN, NONE, Record, Server, count, say, until};

/// The journal's file of a server.
#[track_caller]
pub(crate) fn file(server: &Server) -> PathBuf {
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

/// The identity of an old sesh that [`add_old`] writes.
pub(crate) fn old(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// Adds seshes of earlier servers to the journal, as they are after a compaction. `more` gives more of their values.
pub(crate) fn add_old(
    server: &Server,
    numbers: std::ops::Range<usize>,
    more: impl Fn(usize) -> String,
) {
    let tail = "a line of its last words%0A".repeat(8);
    let lines = numbers.map(|number| {
        format!(
            "{{\"schema\":1,\"uuid\":\"{}\",\"event\":\"ended\",\"at\":17,\"server\":{{\"pid\":1,\"start\":1}},\
             \"spot\":{{\"session\":\"work\",\"window\":1,\"name\":\"old-{number}\"}},\"values\":{{\"name\":\"old-{number}\",\
             \"tags\":\" ci \",\"made\":\"1\",\"state\":\"exited\",\"cwd\":\"/\",\"cmd\":\"true\",\"created\":\"1700000000\"\
             {},\"exit\":\"0 - 1700000000\"}},\"tail\":\"{tail}\"}}\n",
            old(number),
            more(number)
        )
    });
    let journal = std::fs::File::options().append(true).open(file(server));
    journal
        .and_then(|mut journal| journal.write_all(lines.collect::<String>().as_bytes()))
        .expect("the journal");
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
    server.dies();

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
    server.starts_again();
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
    assert!(sentence.contains("has exited"), "{sentence}");
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
    server.dies();
    server.starts_again();
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
    server.dies();
    assert_eq!(all(&server).len(), 1, "{}", three.uuid());
}

#[test]
fn what_only_the_journal_has_has_ended_for_every_helper() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "cat"]);
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "cat"]);
    let wait = ["one", "--for", "exit", "--json"];
    let event = server.sesh("sesh-wait", wait).ok().json();
    assert_eq!(event["uuid"], one.uuid());
    assert_eq!(event["event"], "exit");
    // Told once.
    let since = [
        "one",
        "--for",
        "exit",
        "--since",
        event["cursor"].as_str().expect("a cursor"),
    ];
    server.sesh("sesh-wait", since).fails(3);
    for (helper, args) in [("sesh-send", ["one", "x"]), ("pane-keys", ["one", "x"])] {
        let sentence = server.sesh(helper, args).fails(4);
        assert!(sentence.contains("sesh-restore restores it"), "{sentence}");
    }
    let explained = server.sesh("sesh-explain", ["one"]).ok();
    let explained = explained.text();
    assert!(explained.contains("it was busy then"), "{explained}");
    assert!(
        explained.contains("sesh-restore restores it"),
        "{explained}"
    );
    let sentence = server.sesh("pane-capture", ["one"]).fails(4);
    assert!(sentence.contains("last lines were not saved"), "{sentence}");
}

/// Whatever a journal has, one of it is the same by its name and in the list of all.
#[test]
fn one_of_many_is_the_same_as_in_the_list_of_all() {
    let server = Server::start();
    let pending = server.new_sesh(["pending", "--", "cat"]);
    server.dies();
    server.starts_again();
    let live = server.new_sesh(["live", "--note", "old-7", "--", "cat"]);
    let many = count(50_000);
    let notes = [
        "",
        ",\"note\":\"old-1\"",
        ",\"note\":\"été\",\"archived\":\"1\"",
    ];
    add_old(&server, 0..many, |number| notes[number % 3].into());
    let written = |number: usize, event: &str, rest: &str| {
        let uuid = old(number);
        format!("{{\"schema\":1,\"uuid\":\"{uuid}\",\"event\":\"{event}\",\"at\":18{rest}}}\n")
    };
    let named = |name: &str| format!(",\"values\":{{\"name\":\"{name}\"}}");
    let more = [
        // Renamed, to a name that others have elsewhere, and written in the longer way of JSON.
        written(1, "changed", &named("été")),
        written(2, "changed", &named("\\u00e9t\\u00e92")),
        written(3, "changed", &named("work")),
        written(4, "changed", &named("old-5")),
        written(5, "changed", &named("cinq")),
        written(6, "forgotten", ""),
        // Broken lines.
        written(8, "forgotten", "").replace('}', ""),
        written(9, "ended", &named("torn")).replace("}}", ""),
    ];
    let mut journal = std::fs::File::options().append(true).open(file(&server));
    let journal = journal.as_mut().expect("the journal");
    journal.write_all(more.concat().as_bytes()).expect("lines");
    let words = [
        "old-0",
        "old-1",
        "été",
        "été2",
        "work",
        "old-5",
        "cinq",
        "old-6",
        "old-8",
        "old-9",
        "torn",
        "forgotten",
        "pending",
        "live",
        "ci",
    ];
    for compacted in [false, true] {
        let records = all(&server);
        assert_eq!(records.len(), many + 1, "compacted: {compacted}");
        for name in words {
            let expected: Vec<&Record> = records
                .iter()
                .filter(|record| record.name() == name)
                .collect();
            let listed = server.sesh("sesh-list", ["--all", "--json", name]).said();
            match expected[..] {
                [] => {
                    server.sesh("sesh-set", [name, "--note", "x"]).fails(3);
                }
                [only] => {
                    let by_id = server.record(only.uuid());
                    let found = listed.records();
                    let found = of(&found, only.uuid());
                    assert_eq!((&found.0, &by_id.0), (&only.0, &only.0), "{name}");
                }
                _ => panic!("{name} is of {expected:?}"),
            }
            let starts = records
                .iter()
                .filter(|record| record.name().starts_with(name));
            let all: Vec<Record> = match listed.code() {
                Some(0) => listed.records(),
                _ => Vec::new(),
            };
            assert_eq!(all.len(), starts.count(), "{name}");
        }
        let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
        assert!(plan.ok().line().starts_with("pending "));
        server.sesh("sesh-gather", ["old-0", "--json"]).ok();
        server.sesh("sesh-wait", ["old-0", "--for", "exit"]).ok();
        let captured = server.sesh("pane-capture", ["old-0"]).ok();
        assert_eq!(captured.lines().len(), 8);
        server
            .sesh("sesh-set", ["cinq", "--note", &compacted.to_string()])
            .ok();
        let set = server.record(&old(5));
        assert_eq!(set.text("note"), compacted.to_string());
        server.sesh("sesh-save", NONE).ok();
    }
    assert_eq!(server.record(live.uuid()).text("note"), "old-7");
    assert_eq!(server.record(pending.uuid()).text("was"), "busy");
    // It was compacted once. The second time there was nothing to gain.
    assert_eq!(events(&server, &old(5)), ["changed", "changed"]);
    let doctor = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(!doctor.text().contains("incomplete"), "{doctor}");
}

/// A sesh of which the server has nothing any more is read from the journal, as it was.
#[test]
fn what_left_the_server_is_the_same_from_the_journal() {
    let server = Server::start();
    let failed = ["--", "sh", "-c", "seq 1 3000; exit 3"];
    let failed = server.new_sesh(
        ["failed", "--tag", "ci", "--note", "50 % (a, b)"]
            .iter()
            .chain(&failed),
    );
    server.new_sesh(["ended", "--", "cat"]);
    server.sesh("sesh-set", ["ended", "--meta", "k=v"]).ok();
    server.new_sesh(["shell"]);
    let vanished = server.new_sesh(["vanished", "--", "cat"]);
    server.ended(failed.uuid());
    for name in ["failed", "ended", "shell"] {
        server.sesh("sesh-end", [name]).ok();
    }
    let runner = server.format(vanished.pane(), "#{pane_pid}");
    let runner = Pid::from_raw(runner.parse().expect("a pid"));
    kill(runner, Signal::SIGKILL).expect("it is there");
    until("its pane is gone", || !server.has_pane(vanished.pane()));
    server.sesh("sesh-reap", NONE).ok();
    // A second may begin between the two writes of an end. That is corrected.
    server.sesh("sesh-save", NONE).ok();
    let seen = || {
        let mut records = all(&server);
        for record in &mut records {
            // Only a server counts them.
            for counter in ["gen", "seen"] {
                record.0[counter] = Value::Null;
            }
        }
        let gathered = ["failed", "ended", "shell", "vanished"].map(|name| {
            let gather = server.sesh("sesh-gather", ["--json", name]).said();
            let capture = server.sesh("pane-capture", [name]).said();
            let wait = server.sesh("sesh-wait", [name, "--for", "exit"]).ok();
            // Without the cursor, which has the counters too.
            let event: Vec<String> = wait.line().split('\t').take(3).map(Into::into).collect();
            let read = [gather, capture].map(|said| (said.code(), said.stdout, said.stderr));
            (read, event)
        });
        let records: Vec<Value> = records.into_iter().map(|record| record.0).collect();
        (records, gathered)
    };
    let before = seen();
    for line in server.tmux(["show-options", "-s"]).lines() {
        if let Some(book) = line
            .split(' ')
            .next()
            .filter(|name| name.starts_with("@seshbook_"))
        {
            server.tmux(["set-option", "-su", book]);
        }
    }
    for line in server.tmux(["show-environment", "-gh"]).lines() {
        if let Some((name, _)) = line
            .split_once('=')
            .filter(|(name, _)| name.contains("tail"))
        {
            server.tmux(["set-environment", "-ghu", name]);
        }
    }
    let books = server.tmux(["show-options", "-s"]);
    assert!(!books.contains("@seshbook_"), "{books}");
    assert_eq!(seen(), before);
}

#[test]
fn a_name_that_lives_again_hides_none_of_the_others() {
    let server = Server::start();
    let old = server.new_sesh(["x", "--", "cat"]);
    server.dies();
    server.starts_again();
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
    assert_eq!(lines[0]["spot"]["name"], "x");

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
    server.dies();
    assert_eq!(of(&all(&server), shell.uuid()).text("was"), "busy");
}

#[test]
fn many_who_tag_one_at_once_lose_no_tag() {
    let server = Server::start();
    let made = server.new_sesh(["x", "--", "cat"]);
    let tags: Vec<String> = (0..8).map(|at| format!("t{at}")).collect();
    // Nobody can write until all have changed it, and who is first then is anybody's guess.
    let lock = std::fs::File::options()
        .write(true)
        .open(file(&server).with_extension("lock"))
        .expect("the lock");
    lock.lock().expect("a lock");
    std::thread::scope(|scope| {
        for tag in &tags {
            let server = &server;
            scope.spawn(move || server.sesh("sesh-set", ["x", "--tag", tag]).ok());
        }
        until("all have changed it", || {
            server.record(made.uuid()).strings("tags").len() == tags.len()
        });
        lock.unlock().expect("a lock");
    });
    server.dies();
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

#[test]
fn what_was_missed_is_saved_and_the_forgotten_is_not() {
    let server = Server::start();
    let kept = server.new_sesh(["kept", "--tag", "a", "--", "cat"]);
    let done = server.new_sesh(["done", "--", "sh", "-c", "echo last words"]);
    server.ended(done.uuid());
    server.sesh("sesh-set", ["kept", "--note", "n"]).ok();
    std::fs::remove_file(file(&server)).expect("it was there");
    let saved = server.sesh("sesh-save", ["--json"]).ok().json();
    assert_eq!(saved["written"], 2);
    assert_eq!(
        saved["file"].as_str().map(PathBuf::from),
        Some(file(&server))
    );
    assert_eq!(
        server.sesh("sesh-save", ["--json"]).ok().json()["written"],
        0
    );
    // Tombstones win over what tmux still remembers.
    let line = format!(
        "{{\"schema\":1,\"uuid\":\"{}\",\"event\":\"forgotten\",\"at\":1}}\n",
        kept.uuid()
    );
    let mut text = std::fs::read(file(&server)).expect("the journal");
    text.extend(line.as_bytes());
    std::fs::write(file(&server), text).expect("the journal");
    assert_eq!(
        server.sesh("sesh-save", ["--json"]).ok().json()["written"],
        0
    );
    server.dies();
    let only = server.sesh("sesh-list", ["--all", "--json"]).ok().only();
    assert_eq!((only.uuid(), only.code()), (done.uuid(), Some(0)));
    let lines = server.sesh("pane-capture", ["done"]).ok();
    assert_eq!(lines.text(), "last words\n");
    let gathered = server.sesh("sesh-gather", ["done", "--json"]).said();
    assert_eq!(
        gathered.code(),
        Some(69),
        "gathering asks a server: {gathered}"
    );
    server.starts_again();
    let gathered = server.sesh("sesh-gather", ["done", "--json"]).ok().json();
    assert_eq!(gathered[0]["lines"][0], "last words");
}

#[test]
fn servers_together_also_when_one_does_not_answer() {
    let one = Server::start();
    let other = Server::start();
    let a = one.new_sesh(["a", "--", "cat"]);
    let b = other.new_sesh(["b", "--", "cat"]);
    let gone = one.path("gone");
    let sockets = |paths: &[&std::path::Path]| {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        paths.join(":")
    };
    let both = sockets(&[&one.socket(), &other.socket()]);
    let list = |sockets: &str| {
        one.helper("sesh-list")
            .env("SESH_TMUX_SOCKETS", sockets)
            .args(["--all-servers", "--json"])
    };
    let records = list(&both).ok().records();
    for (made, server) in [(&a, &one), (&b, &other)] {
        let record = of(&records, made.uuid());
        assert_eq!(record.text("socket"), record.text("tmux/socket"));
        assert!(server.socket().ends_with("s") && record.live());
    }
    assert_eq!(records.len(), 2);
    let said = list(&sockets(&[&one.socket(), &gone])).said();
    assert_eq!((said.code(), said.only().uuid()), (Some(0), a.uuid()));
    assert!(said.sentence().contains("no tmux server at"), "{said}");
    // One that is stopped.
    let pid = Pid::from_raw(i32::try_from(other.pid()).expect("a pid"));
    kill(pid, Signal::SIGSTOP).expect("it is there");
    let said = list(&both).said();
    kill(pid, Signal::SIGCONT).expect("it is there");
    assert_eq!((said.code(), said.only().uuid()), (Some(0), a.uuid()));
    assert!(said.sentence().contains("does not answer"), "{said}");
    list(gone.to_str().expect("UTF-8")).said();
    // tmux's own folder, where nobody names any.
    let named = one
        .helper("sesh-new")
        .args(["-L", "third", "c", "--json", "--", "cat"])
        .ok()
        .record();
    let found = one
        .helper("sesh-list")
        .args(["--all-servers", "--json"])
        .ok()
        .only();
    assert_eq!(found.uuid(), named.uuid());
    one.call(one.program())
        .args(["-L", "third", "kill-server"])
        .ok();
    one.helper("sesh-list").args(["--all-servers"]).fails(69);
    let table = one
        .helper("sesh-list")
        .args(["--all-servers", "--all"])
        .ok();
    assert!(
        table.text().contains("exited (was busy)") && table.text().contains("/third"),
        "{table}"
    );
}

/// Makes seshes until it is stopped or the server is gone, and gives those that were reported.
fn make(server: &Server, stop: &AtomicBool) -> Vec<String> {
    let mut made = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let said = server
            .sesh("sesh-new", ["--session", "--json", "--", "cat"])
            .said();
        if said.code() != Some(0) {
            break;
        }
        let uuid = said.record().uuid().to_string();
        server.sesh("sesh-set", [&uuid, "--tag", "made"]).said();
        made.push(uuid);
    }
    made
}

#[test]
fn a_server_that_is_killed_at_any_moment_loses_and_doubles_nobody() {
    let mut dice = Dice::new();
    for _ in 0..count(200) {
        let server = Server::start();
        let stop = AtomicBool::new(false);
        let made: Vec<String> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| make(&server, &stop)))
                .collect();
            let wait = dice.moment(400);
            std::thread::sleep(wait); // why: the moment is to be any.
            server.dies();
            stop.store(true, Ordering::Relaxed);
            let made = makers
                .into_iter()
                .map(|maker| maker.join().expect("a maker"));
            made.collect::<Vec<_>>().concat()
        });
        if made.is_empty() {
            continue;
        }
        // One that was being made when the server went may start another: that is no loss.
        let records = all(&server);
        for uuid in &made {
            of(&records, uuid);
        }
        let text = std::fs::read(file(&server)).expect("the journal");
        assert_eq!(text.last(), Some(&b'\n'));
        lines(&server);
        server.try_tmux(["kill-server"]);
    }
}

#[test]
fn a_writer_that_is_killed_at_any_moment_tears_nothing_of_others() {
    let mut dice = Dice::new();
    let server = Server::start();
    let made = server.new_sesh(["x", "--", "cat"]);
    for at in 0..count(200) {
        let note = at.to_string();
        let mut child = server
            .sesh("sesh-set", ["x", "--note", &note])
            .command()
            .stderr(Stdio::null())
            .spawn()
            .expect("a writer");
        std::thread::sleep(dice.moment(12)); // why: the moment is to be any.
        child.kill().expect("it is a child");
        child.wait().expect("it is a child");
        server
            .sesh("sesh-set", ["x", "--meta", &format!("k{at}=v")])
            .ok();
    }
    server.sesh("sesh-save", NONE).ok();
    let live = server.record(made.uuid());
    server.dies();
    let records = all(&server);
    let left = of(&records, made.uuid());
    for field in ["note", "meta", "name", "tags"] {
        assert_eq!(left.get(field), live.get(field), "{field}");
    }
    lines(&server);
}

#[test]
fn a_file_that_may_not_grow_is_said_once_and_the_store_goes_on() {
    let server = Server::start();
    server.new_sesh(["zero", "--note", &"x".repeat(20_000), "--", "cat"]);
    // 16 kB: more than the private file of a new pane, less than the journal.
    let script = "ulimit -f 32; exec \"$@\"";
    let limited = |name: &[&str]| {
        server
            .call("/bin/sh".as_ref())
            .args(["-c", script, "sesh-new", "sesh-new", "-S"])
            .args([server.socket()])
            .args(name)
            .args(["--json", "--", "cat"])
    };
    let before = std::fs::read(file(&server)).expect("the journal");
    let first = limited(&["one"]).said();
    assert_eq!(first.code(), Some(0), "{first}");
    assert!(
        first.stderr.contains("File too large") && first.stderr.contains("sesh-save"),
        "{first}"
    );
    limited(&["two"]).ok();
    assert_eq!(server.sesh("sesh-list", ["--json"]).ok().records().len(), 3);
    assert_eq!(
        std::fs::read(file(&server)).expect("the journal"),
        before,
        "nothing torn"
    );
    let doctor = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(
        doctor.text().contains("could not be written for some time"),
        "{doctor}"
    );
    assert_eq!(
        server.sesh("sesh-save", ["--json"]).ok().json()["written"],
        2
    );
    let doctor = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(
        !doctor.text().contains("could not be written for some time"),
        "{doctor}"
    );
    server.dies();
    assert_eq!(all(&server).len(), 3);
}

#[test]
fn what_is_forgotten_while_nothing_can_be_written_is_written_later() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "cat"]);
    let keep = server.new_sesh(["keep", "--", "cat"]);
    // More than it holds already is too much.
    let script = "ulimit -f 1; exec \"$@\"";
    server
        .sesh("sesh-set", ["keep", "--note", &"x".repeat(2000)])
        .ok();
    let said = server
        .call("/bin/sh".as_ref())
        .args(["-c", script, "sesh-end", "sesh-end", "-S"])
        .args([server.socket()])
        .args(["one", "--forget"])
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(said.stderr.contains("sesh-save"), "it is said: {said}");
    let shown = all(&server);
    assert_eq!(shown.len(), 1, "{}", one.uuid());
    server.sesh("sesh-save", NONE).ok();
    assert_eq!(
        events(&server, one.uuid()).last().map(String::as_str),
        Some("forgotten")
    );
    server.dies();
    let left = all(&server);
    assert_eq!((left.len(), left[0].uuid()), (1, keep.uuid()));
}

/// Nothing can be added to the journal while this runs, by root neither: where its lock belongs stands a folder.
pub(crate) fn unwritable(server: &Server, during: impl FnOnce()) {
    let lock = file(server).with_extension("lock");
    std::fs::remove_file(&lock).expect("a lock");
    std::fs::create_dir(&lock).expect("a folder");
    during();
    std::fs::remove_dir(&lock).expect("a folder");
}

#[test]
fn what_was_missed_is_written_whole() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "cat"]);
    let mut two = None;
    unwritable(&server, || {
        let made = server.sesh("sesh-new", ["two", "--json", "--", "cat"]);
        let made = made.said();
        assert!(made.sentence().contains("sesh-save"), "{made}");
        two = Some(made.record());
        server.sesh("sesh-set", ["one", "--name", "eins"]).ok();
    });
    let two = two.expect("it was made");
    // Of the birth of this one there is no line, and of the other's name neither.
    server.sesh("sesh-set", ["two", "--tag", "a"]).ok();
    // Of one whose birth is known the next look at everything finds what is missed.
    unwritable(&server, || {
        let said = server.sesh("sesh-set", ["eins", "--note", "x"]).said();
        assert_eq!(said.code(), Some(0), "{said}");
    });
    server.sesh("sesh-reap", NONE).ok();
    server.dies();
    let left = all(&server);
    assert_eq!(left.len(), 2);
    let [eins, two] = [&one, &two].map(|made| of(&left, made.uuid()));
    assert_eq!((eins.name(), eins.text("note")), ("eins", "x"));
    assert_eq!((two.name(), two.strings("tags")), ("two", vec!["a"]));
    assert_eq!(two.text("cwd"), eins.text("cwd"));
}

#[test]
fn a_file_that_was_taken_away_is_written_anew() {
    let server = Server::start();
    let made = ["one", "two"].map(|name| server.new_sesh([name, "--", "cat"]));
    std::fs::remove_file(file(&server)).expect("the journal");
    let doctor = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(
        doctor.text().contains("lacks 2 seshes that tmux has"),
        "{doctor}"
    );
    server.sesh("sesh-set", ["one", "--note", "x"]).ok();
    let doctor = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(!doctor.text().contains("lacks"), "{doctor}");
    server.dies();
    let left = all(&server);
    let names = made.map(|made| of(&left, made.uuid()).name().to_string());
    assert_eq!(names, ["one", "two"]);
    // What has no birth is no sesh.
    let text = std::fs::read_to_string(file(&server)).expect("the journal");
    let part = "{\"schema\":1,\"uuid\":\"3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f\",\"event\":\"changed\",\"at\":1,\
                \"values\":{\"note\":\"y\"}}\n";
    std::fs::write(file(&server), text + part).expect("the journal");
    assert_eq!(all(&server).len(), 2);
}

#[test]
fn without_a_server_nothing_is_forgotten_that_cannot_be_written() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--", "cat"]);
    server.dies();
    unwritable(&server, || {
        server.sesh("sesh-end", ["one", "--forget"]).fails(1);
        server.sesh("sesh-restore", ["--dismiss"]).fails(1);
    });
    server.starts_again();
    of(&all(&server), one.uuid());
    let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
    assert_eq!(plan.ok().lines().len(), 1);
}

#[test]
fn with_a_server_what_is_answered_holds_before_it_is_written() {
    let server = Server::start();
    let [one, two] = ["one", "two"].map(|name| server.new_sesh([name, "--", "cat"]));
    server.dies();
    server.starts_again();
    let is_lost = || {
        let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
        plan.ok().lines().len()
    };
    assert_eq!(is_lost(), 2);
    unwritable(&server, || {
        let said = server.sesh("sesh-end", ["one", "--forget"]).said();
        assert_eq!(said.code(), Some(0), "{said}");
        server.sesh("sesh-restore", ["one"]).fails(3);
        assert_eq!((all(&server).len(), is_lost()), (1, 1));
        server.sesh("sesh-restore", ["--dismiss"]).ok();
        assert_eq!(is_lost(), 0);
    });
    server.sesh("sesh-save", NONE).ok();
    server.dies();
    server.starts_again();
    assert_eq!(is_lost(), 0);
    let left = all(&server);
    assert_eq!((left.len(), left[0].uuid()), (1, two.uuid()));
    assert_eq!(
        events(&server, one.uuid()).last().map(String::as_str),
        Some("forgotten")
    );
}

#[test]
fn a_disk_that_is_full_is_said_once_and_the_store_goes_on() {
    let server = Server::start();
    let disk = server.path("disk");
    std::fs::create_dir(&disk).expect("a folder");
    let script = "mount -t tmpfs -o size=64k none \"$1\" || exit 77
export XDG_STATE_HOME=$1
sesh-new -S \"$2\" zero -- cat || exit
sesh-set -S \"$2\" zero --note \"$(printf %03000d 0)\" || exit
cat /dev/zero >\"$1/fill\" 2>/dev/null
sesh-new -S \"$2\" one -- cat || exit
sesh-new -S \"$2\" two -- cat || exit
sesh-doctor -S \"$2\" | grep FAULT | grep journal >&2
cat \"$1\"/tmux-sesh/journal/*.jsonl";
    let said = server
        .call("/bin/sh".as_ref())
        .args(["-c", "exec unshare -rm sh -c \"$@\"", "sh", script, "sh"])
        .args([&disk, &server.socket()])
        .said();
    if said.code() != Some(0) && (said.stderr.contains("unshare") || said.code() == Some(77)) {
        say("nothing can be mounted here: the full disk is left out");
        return;
    }
    assert_eq!(said.code(), Some(0), "{said}");
    let complaints: Vec<&str> = said.stderr.lines().collect();
    assert_eq!(complaints.len(), 2, "{said}");
    assert!(
        complaints[0].contains("No space left") && complaints[1].contains("FAULT"),
        "{said}"
    );
    assert_eq!(server.sesh("sesh-list", ["--json"]).ok().records().len(), 3);
    assert!(
        said.text().ends_with('\n') && !said.text().contains("\"two\""),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_said_once_and_the_store_goes_on() {
    let server = Server::start();
    let state = server.path("home/.local/state/tmux-sesh");
    std::fs::create_dir_all(&state).expect("a folder");
    // Who is root may write into a read-only folder.
    std::fs::write(state.join("journal"), "no folder").expect("a file");
    let first = server.sesh("sesh-new", ["one", "--", "cat"]).said();
    assert_eq!(first.code(), Some(0), "{first}");
    assert!(first.sentence().contains("cannot write"), "{first}");
    server.sesh("sesh-set", ["one", "--tag", "a"]).ok();
    server.sesh("sesh-end", ["--forget", "one"]).ok();
    server.sesh("sesh-list", ["--all"]).ok();
    let doctor = server.sesh("sesh-doctor", NONE).said();
    assert!(doctor.text().contains("FAULT  journal"), "{doctor}");
    server.sesh("sesh-save", NONE).fails(1);
    // Nobody says where it belongs.
    let homeless = server
        .sesh("sesh-new", ["two", "--", "cat"])
        .env("HOME", "")
        .said();
    assert_eq!(homeless.code(), Some(0), "{homeless}");
}

#[test]
fn a_journal_of_a_newer_program_is_kept() {
    let server = Server::start();
    server.new_sesh(["one", "--", "cat"]);
    let newer = "{\"schema\":7,\"uuid\":\"3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f\",\"soul\":{}}";
    let mut text = std::fs::read_to_string(file(&server)).expect("the journal");
    text.push_str(newer);
    text.push_str("\n{\"schema\":1,\"uu");
    std::fs::write(file(&server), text).expect("the journal");
    let doctor = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(doctor.text().contains("newer tmux-sesh"), "{doctor}");
    assert!(doctor.text().contains("incomplete"), "{doctor}");
    let two = server.new_sesh(["two", "--", "cat"]);
    server.dies();
    let records = all(&server);
    assert_eq!((records.len(), of(&records, two.uuid()).name()), (2, "two"));
    let text = std::fs::read_to_string(file(&server)).expect("the journal");
    assert!(text.lines().any(|line| line == newer), "{text}");
}
