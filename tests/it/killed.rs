//! Helpers that are killed at any moment leave nothing half done, and nothing that is in the way of the next.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::journal;
use crate::leave;
use crate::send::Agent;
use crate::support::{Call, Dice, NONE, Record, Server, count, until};

/// Kills calls, each at another moment of the time that such a call takes.
struct Killer {
    dice: Dice,
    /// How long one took that was left alone.
    takes: Duration,
    /// How many had not ended by themselves.
    killed: usize,
}

impl Killer {
    fn new() -> Self {
        Self {
            dice: Dice::new(),
            takes: Duration::ZERO,
            killed: 0,
        }
    }

    /// Runs one to its end, whatever that is, to see how long it takes.
    fn measures(&mut self, call: Call) {
        let begun = Instant::now();
        call.said();
        self.takes = begun.elapsed();
    }

    /// Runs one and kills it. Half of them speak to the server by the tmux program, which lives on.
    fn kills(&mut self, call: Call) {
        let call = match self.dice.roll(2) {
            0 => call,
            _ => call.env("SESH_CLIENT", "tmux"),
        };
        let share = u32::try_from(self.dice.roll(1000)).expect("a share");
        let mut command = call.command();
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = silent.stderr(Stdio::null()).spawn().expect("a helper");
        std::thread::sleep(self.takes * share / 1000); // why: it is any moment that counts, and none of them is an event.
        // One that has ended is no error.
        let _ = child.kill();
        let status = child.wait().expect("its end");
        self.killed += usize::from(status.signal() == Some(9));
    }
}

impl Drop for Killer {
    /// Too short a time would test nothing.
    fn drop(&mut self) {
        assert!(
            std::thread::panicking() || self.killed > 0,
            "none was killed before its end"
        );
    }
}

/// All that a helper may have left anywhere: panes with their options, server options, hidden variables, buffers, files.
fn traces(server: &Server) -> Vec<String> {
    let moments = ["SESH_settled=", "SESH_swept="];
    let mut all = server.everything();
    all.push_str(&server.tmux(["list-buffers"]));
    all.push_str(&server.tmux(["list-clients"]));
    let lines = all.lines();
    let lines = lines.filter(|line| !moments.iter().any(|moment| line.starts_with(moment)));
    lines.map(Into::into).collect()
}

#[track_caller]
fn is_as_before(server: &Server, before: &[String]) {
    until("all is as it was before", || traces(server) == before);
}

/// What is stored is what is so: there is nothing to put right.
#[track_caller]
fn is_whole(server: &Server) {
    let said = server.sesh("sesh-reap", ["--json"]).ok();
    assert_eq!(said.json(), json!([]), "{said}");
}

#[test]
fn sesh_send() {
    let server = Server::start();
    let agent = Agent::new(&server);
    let mut killer = Killer::new();
    let file = server.path("text");
    let file_name = file.display().to_string();
    killer.measures(agent.send(&["how long it takes"]));
    let mut expected = vec!["how long it takes".to_string()];
    for round in 0..count(200) {
        let long = round % 4 == 3;
        let broken_off = format!("killed {round}");
        if long {
            let text = format!("{broken_off} {}", "long ".repeat(20_000));
            std::fs::write(&file, text.trim_end()).expect("a text");
            killer.kills(agent.send(&["--queue", "--file", &file_name]));
        } else {
            killer.kills(agent.send(&["--queue", &broken_off]));
        }
        let next = format!("next {round}");
        let mut said = agent.send(&["--queue", &next]).said();
        if said.code() != Some(0) {
            // It stands there, and might as well be a person's; or it was still on its way, and both stand there.
            let json = said.json();
            let outcome = (
                said.code(),
                json["outcome"].as_str(),
                json["reason"].as_str(),
            );
            assert!(
                matches!(
                    outcome,
                    (Some(4), Some("refused"), Some("draft")) | (Some(7), Some("typed"), _)
                ),
                "{said}"
            );
            agent.order("clear");
            agent.shows("❯\u{a0}\n");
            said = agent.send(&["--queue", &next]).said();
        }
        assert_eq!(said.code(), Some(0), "{said}");
        let sent: Vec<String> = agent
            .got()
            .into_iter()
            .filter(|(what, _)| what == "sent")
            .map(|(_, text)| text)
            .collect();
        // All of it and once, or nothing.
        if sent.get(expected.len()).is_some_and(|text| *text != next) {
            let whole = if long {
                std::fs::read_to_string(&file).expect("a text")
            } else {
                broken_off
            };
            expected.push(whole);
        }
        expected.push(next);
        assert!(sent == expected, "{sent:.60?}");
        let left = server.tmux(["list-buffers"]) + &server.tmux(["show-environment", "-gh"]);
        assert!(!left.contains("sesh-"), "a buffer: {left}");
        assert!(!left.contains("SESH_send_"), "the right to type: {left}");
    }
}

#[test]
fn sesh_wait() {
    let server = Server::start();
    server.new_sesh(["one", "--tag", "x", "--", "sleep", "1000"]);
    let before = traces(&server);
    let mut killer = Killer::new();
    killer.takes = Duration::from_millis(60);
    let wanted = "--tag x --for change --for output=x --fresh".split(' ');
    for _ in 0..count(200) {
        std::thread::scope(|scope| {
            // Others wait for the same.
            let lives = scope.spawn(|| server.sesh("sesh-wait", wanted.clone()).ok());
            killer.kills(server.sesh("sesh-wait", wanted.clone()));
            until("the other is told", || {
                let two = server.new_sesh(["two", "--tag", "x", "--", "sleep", "1000"]);
                server.sesh("sesh-end", [two.uuid(), "--forget"]).ok();
                lives.is_finished()
            });
        });
        is_whole(&server);
        is_as_before(&server, &before);
    }
}

#[test]
fn sesh_new() {
    let server = Server::start();
    let user = server.user_pane();
    let before = traces(&server);
    let mut killer = Killer::new();
    let places: [&[&str]; 3] = [&["--session"], &["--window"], &["--split", "v"]];
    let new = |place: &[&str]| {
        let args = [
            "one", "--tag", "x", "--note", "a note", "--", "sleep", "1000",
        ];
        server.inside(&user, "sesh-new", place).args(args)
    };
    let end = || server.sesh("sesh-end", ["one", "--forget"]);
    killer.measures(new(places[0]));
    end().ok();
    for round in 0..count(200) {
        killer.kills(new(places[round % 3]));
        // Its tmux may still be at it.
        let again = new(places[0]).said();
        let made = server.sesh("sesh-list", ["--json"]).ok().only();
        match again.code() {
            Some(0) => {}
            // It was made, though nobody was told.
            Some(4) => assert!(again.sentence().contains("one"), "{again}"),
            _ => panic!("{again}"),
        }
        assert_eq!((made.name(), made.strings("tags")), ("one", vec!["x"]));
        assert_eq!(made.text("note"), "a note");
        until("it has introduced itself", || {
            server.format(made.pane(), "#{@sesh_proc}").contains(':')
        });
        server.runs(made.pane(), "sleep");
        assert_eq!(server.panes("#{pane_id}").len(), 2, "the user's and one");
        is_whole(&server);
        end().ok();
        is_as_before(&server, &before);
    }
    // A launch file whose pane never came has the next ones take it along when it is old.
    for file in server.launch_files() {
        let file = std::fs::File::options().read(true).write(true).open(file);
        let old = std::time::SystemTime::now() - Duration::from_secs(3600);
        file.and_then(|file| file.set_modified(old))
            .expect("a file");
    }
    new(places[0]).ok();
    until("no launch file is left", || {
        server.launch_files().is_empty()
    });
}

#[test]
fn sesh_set() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--tag", "a", "--", "sleep", "1000"]);
    let ended = server.new_sesh(["old", "--tag", "a", "--", "true"]);
    server.ended(ended.uuid());
    server.sesh("sesh-end", ["old"]).ok();
    let both = [&made, &ended];
    let (old, new) = (["a", "b", "one"], ["b", "a", "two"]);
    let set = |sesh: &Record, [tag, untag, name]: [&str; 3]| {
        let name = format!("{name}-{}", sesh.name());
        let args = [
            "--tag", tag, "--untag", untag, "--note", tag, "--name", &name,
        ];
        let meta = format!("k={tag}");
        server
            .sesh("sesh-set", args)
            .args(["--meta", &meta, sesh.uuid()])
    };
    // One of the two, and nothing between.
    let is = |sesh: &Record, [tag, _, name]: [&str; 3]| {
        let now = server.record(sesh.uuid());
        let name = format!("{name}-{}", sesh.name());
        now.strings("tags") == [tag]
            && now.get("note") == tag
            && now.get("meta") == &json!({ "k": tag })
            && now.name() == name
    };
    let mut killer = Killer::new();
    killer.measures(set(&made, old));
    set(&ended, old).ok();
    for round in 0..count(400) {
        let sesh = both[round % 2];
        killer.kills(set(sesh, new));
        // Its tmux may still be at it.
        until("it is one or the other", || is(sesh, old) || is(sesh, new));
        is_whole(&server);
        set(sesh, new).ok();
        assert!(is(sesh, new));
        set(sesh, old).ok();
    }
    // The book says the same as the pane: it is what is left of it.
    server.sesh("sesh-end", [made.uuid()]).ok();
    assert!(is(&made, old));
}

/// The journal is compacted by calls that are killed, while others write to it.
#[test]
fn sesh_save() {
    let server = Server::start();
    let pending = ["p0", "p1", "p2"].map(|name| server.new_sesh([name, "--", "cat"]));
    server.dies();
    server.starts_again();
    server.sesh("sesh-restore", ["--offer"]).ok();
    let living = ["l0", "l1", "l2"].map(|name| server.new_sesh([name, "--", "sleep", "1000"]));
    let journal = journal::file(&server);
    // A compaction has to take a while.
    journal::add_old(&server, 0..count(20_000), |_| String::new());
    // There is something to gain for each compaction, and its way to the file's end is the way of a write.
    let tear = || {
        let lock = std::fs::File::options()
            .write(true)
            .open(journal.with_extension("lock"))
            .expect("the lock");
        lock.lock().expect("a lock");
        let file = std::fs::File::options().append(true).open(&journal);
        let torn = b"{\"schema\":1,\"uu\n";
        file.and_then(|mut file| file.write_all(torn))
            .expect("the journal");
    };
    let mut killer = Killer::new();
    tear();
    killer.measures(server.sesh("sesh-save", NONE));
    let over = AtomicBool::new(false);
    let notes = std::thread::scope(|scope| {
        let writers = living.each_ref().map(|made| {
            let (server, over) = (&server, &over);
            scope.spawn(move || {
                let mut written = 0;
                while !over.load(Ordering::Relaxed) {
                    let note = (written + 1).to_string();
                    server.sesh("sesh-set", [made.uuid(), "--note", &note]).ok();
                    written += 1;
                }
                written
            })
        });
        for _ in 0..count(400) {
            tear();
            killer.kills(server.sesh("sesh-save", NONE));
        }
        over.store(true, Ordering::Relaxed);
        writers.map(|writer| writer.join().expect("a writer"))
    });
    let mut names: Vec<&str> = pending.iter().chain(&living).map(Record::name).collect();
    let offered = || {
        let plan = server.sesh("sesh-restore", ["--last-alive", "--dry-run"]);
        let plan = plan.ok().text().to_string();
        let mut names: Vec<String> = plan
            .lines()
            .filter_map(|row| Some(row.split_whitespace().next()?.to_string()))
            .collect();
        names.sort();
        names
    };
    assert_eq!(offered(), ["p0", "p1", "p2"]);
    server.dies();
    server.starts_again();
    names.sort_unstable();
    assert_eq!(offered(), names);
    for (made, note) in living.iter().zip(notes) {
        let now = server.record(made.uuid());
        assert_eq!(
            (now.text("note"), now.text("was")),
            (note.to_string().as_str(), "busy")
        );
    }
}

/// Exited seshes leave the server by calls that are killed.
#[test]
fn sesh_reap() {
    let server = Server::start();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let gone = names.map(|name| leave::exited(&server, name, &[]));
    let mut killer = Killer::new();
    killer.measures(server.sesh("sesh-reap", NONE));
    for round in 0..count(200) {
        leave::let_age(&server, gone[round % gone.len()].uuid());
        killer.kills(server.sesh("sesh-reap", NONE));
        let all = server.sesh("sesh-list", ["--all", "--json"]).ok().records();
        let mut found: Vec<&str> = all.iter().map(Record::name).collect();
        found.sort_unstable();
        assert_eq!(found, names);
    }
    for _ in 0..2 {
        server.sesh("sesh-reap", NONE).ok();
    }
    assert_eq!(leave::in_server(&server), 0);
    for made in &gone {
        let lines = server.sesh("pane-capture", [made.uuid()]).ok();
        assert_eq!(lines.text(), "last words\n");
    }
}

#[test]
fn sesh_end() {
    let server = Server::start();
    let before = traces(&server);
    let mut killer = Killer::new();
    let script = "trap '' HUP; echo ready; while :; do sleep 0.05; done";
    let new = || {
        let made = server.new_sesh(["one", "--", "sh", "-c", script]);
        server.shows(made.pane(), "ready");
        made
    };
    let end = || server.sesh("sesh-end", ["one", "--forget", "--timeout", "200ms"]);
    new();
    killer.measures(end());
    for _ in 0..count(200) {
        let made = new();
        killer.kills(end());
        if server.has_pane(made.pane()) {
            is_whole(&server);
        }
        let again = end().said();
        assert!(matches!(again.code(), Some(0 | 3)), "{again}");
        is_as_before(&server, &before);
    }
}

/// An agent that is told to leave as a person would tell it.
#[test]
fn sesh_end_of_an_agent() {
    let server = Server::start();
    let mut killer = Killer::new();
    let new = || {
        let agent = Agent::new(&server);
        let sesh = server.becomes(&agent.pane, "idle");
        (agent, sesh)
    };
    let (_, sesh) = new();
    killer.measures(server.sesh("sesh-end", [sesh.uuid()]));
    for _ in 0..count(80) {
        let (agent, sesh) = new();
        killer.kills(server.sesh("sesh-end", [sesh.uuid()]));
        let again = server.sesh("sesh-end", [sesh.uuid()]).said();
        assert!(matches!(again.code(), Some(0 | 3 | 4)), "{again}");
        server.runs(&agent.pane, "sh");
        let sent = agent.got();
        assert!(
            sent.iter().all(|(_, text)| text == "/exit") && sent.len() < 2,
            "{sent:?}"
        );
        assert_eq!(server.tmux(["list-buffers"]), "");
        server.tmux(["kill-pane", "-t", &agent.pane]);
    }
    // What a pane's last sender left goes with it.
    server.tmux(["set-environment", "-ghu", "SESH_swept"]);
    server.sesh("sesh-reap", NONE).ok();
    let hidden = server.tmux(["show-environment", "-gh"]);
    assert!(!hidden.contains("SESH_send_"), "{hidden}");
}

#[test]
fn sesh_gather() {
    const SET: usize = 3;
    let server = Server::start();
    let before = traces(&server);
    let mut killer = Killer::new();
    let new = || {
        for at in 0..SET {
            let script = format!("echo line {at}; exec sleep 1000");
            let name = format!("n-{at}");
            let made = server.new_sesh([&name, "--tag", "x", "--", "sh", "-c", &script]);
            server.shows(made.pane(), "line");
        }
    };
    let gather = |how: &str| server.sesh("sesh-gather", ["--tag", "x", "--json", how]);
    new();
    killer.measures(gather("--end"));
    gather("--forget").ok();
    for _ in 0..count(200) {
        new();
        killer.kills(gather("--end"));
        let all = gather("--forget").ok().json();
        let all = all.as_array().expect("a list");
        assert_eq!(all.len(), SET, "{all:?}");
        for one in all {
            let name = one["name"].as_str().expect("a name");
            let line = name.replace("n-", "line ");
            assert_eq!(one["lines"], json!([line]), "{one}");
        }
        is_as_before(&server, &before);
    }
}
