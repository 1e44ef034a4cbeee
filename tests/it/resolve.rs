//! `pane-resolve`: which agent lives in a pane, whatever it is wrapped in.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::{assert_eq, assert_ne};
use tmux_sesh::agent::kinds::KINDS;
use tmux_sesh::proc;

use crate::support::{NONE, Record, Server, until, until_some};

const ID: &str = "46ed2323-f13a-4fb3-98e7-659d84033d77";

/// What lives in a pane as soon as something does, and the exit code.
#[track_caller]
fn lives(server: &Server, pane: &str) -> (Record, i32) {
    until_some("an agent lives in the pane", || {
        let said = server
            .sesh("pane-resolve", ["--pane", pane, "--json"])
            .said();
        match said.code() {
            Some(code @ (0 | 4)) => Some((said.record(), code)),
            _ => None,
        }
    })
}

fn nobody(server: &Server, pane: &str) -> bool {
    let said = server.sesh("pane-resolve", ["--pane", pane]).said();
    said.code() == Some(3)
}

fn pid(found: &Record) -> Pid {
    let pid = found.get("pid").as_i64().expect("a pid");
    Pid::from_raw(i32::try_from(pid).expect("a pid"))
}

#[test]
fn every_kind_by_its_name() {
    let server = Server::start();
    for kind in KINDS {
        server.agent(kind.name);
        let pane = server.types(kind.name);
        let (found, code) = lives(&server, &pane);
        assert_eq!((found.text("agent"), code), (kind.name, 4));
        assert!(found.get("uuid").is_null() && found.get("conversation").is_null());
        assert_eq!(found.text("cwd"), server.folder().to_str().expect("UTF-8"));
        assert_eq!(found.text("tmux/pane"), pane);
        assert!(!found.text("machine").is_empty());
        assert_eq!(
            server.format(&pane, "#{socket_path} #{session_name} #{window_index}"),
            format!(
                "{} {} {}",
                found.text("tmux/socket"),
                found.text("tmux/session"),
                found.get("tmux/window")
            )
        );
    }
}

#[test]
fn through_links_wrappers_and_terminals() {
    let server = Server::start();
    let claude = server.agent("claude");
    std::os::unix::fs::symlink(&claude, server.path("bin/cc")).expect("a link");
    server.script("wrapped", "claude --model x\necho over");
    let lines = [
        "cc",
        "wrapped",
        "sh -c 'claude; true'",
        "exec claude",
        "script -qc claude /dev/null",
    ];
    for line in lines {
        let pane = server.types(line);
        let (found, code) = lives(&server, &pane);
        assert_eq!((found.text("agent"), code), ("claude", 4), "{line}");
        let process = proc::read(pid(&found).as_raw()).expect("a process");
        assert!(["claude", "cc"].contains(&process.name.as_str()), "{line}");
    }
}

#[test]
fn one_line_for_people() {
    let server = Server::start();
    server.agent("claude");
    let pane = server.types(&format!("claude --resume {ID}"));
    let (found, code) = lives(&server, &pane);
    assert_eq!((found.text("conversation"), code), (ID, 0));
    let expected = format!("claude\t{ID}\t{}\t\tunknown\t", pid(&found));
    let socket = server.socket();
    let said = server
        .helper("pane-resolve")
        .args(["--socket-path".as_ref(), socket.as_os_str()])
        .args(["--pane", &pane])
        .ok();
    assert_eq!(said.text(), format!("{expected}\n"));
    let said = server.inside(&pane, "pane-resolve", NONE).ok();
    assert_eq!(said.text(), format!("{expected}\n"));
}

#[test]
fn nobody_lives_there() {
    let server = Server::start();
    server.agent("claude");
    server.agent("codex");
    let shell = server.types("echo claude codex");
    server.shows(&shell, "claude codex\n");
    let daemon = server.types("codex -c a=b app-server --listen unix://");
    server.runs(&daemon, "codex");
    let viewer = server.types("claude attach 80dece1f");
    server.runs(&viewer, "claude");
    // A tool shell: a session of its own, without a terminal.
    let tool = server.types("setsid claude --model tool; echo over");
    server.shows(&tool, "over\n");
    for pane in [&shell, &daemon, &viewer, &tool, &server.user_pane()] {
        let sentence = server.sesh("pane-resolve", ["--pane", pane]).fails(3);
        assert!(sentence.contains(pane.as_str()), "{sentence}");
    }
    server.sesh("pane-resolve", ["--pane", "%999"]).fails(3);
    server.sesh("pane-resolve", NONE).fails(3);
    server.sesh("pane-resolve", ["--pane", "claude"]).fails(2);
    let ended = server.new_sesh(["one", "--", "sh", "-c", "exit 3"]);
    server.ended(ended.uuid());
    server
        .sesh("pane-resolve", ["--pane", ended.pane()])
        .fails(3);
    Server::empty()
        .sesh("pane-resolve", ["--pane", "%0"])
        .fails(3);
}

#[test]
fn stopped_it_lives_and_killed_it_does_not() {
    let server = Server::start();
    server.agent("claude");
    server.agent("codex");
    let pane = server.types("claude");
    let (claude, _) = lives(&server, &pane);
    server.tmux(["send-keys", "-t", &pane, "C-z"]);
    until("it is stopped", || {
        proc::read(pid(&claude).as_raw()).is_some_and(|process| process.stopped)
    });
    assert_eq!(lives(&server, &pane).0.text("agent"), "claude");
    // Another one by hand is another story.
    server.tmux(["send-keys", "-t", &pane, "codex", "Enter"]);
    until("codex has the foreground", || {
        lives(&server, &pane).0.text("agent") == "codex"
    });
    let (codex, _) = lives(&server, &pane);
    kill(pid(&codex), Signal::SIGKILL).expect("a process");
    until("the stopped one is all there is", || {
        lives(&server, &pane).0.text("agent") == "claude"
    });
    kill(pid(&claude), Signal::SIGKILL).expect("a process");
    until("nobody is left", || nobody(&server, &pane));
}

#[test]
fn a_sesh_is_named() {
    let server = Server::start();
    server.agent("codex");
    let made = server.new_sesh(["--agent", "codex", "one"]);
    let (found, code) = lives(&server, made.pane());
    assert_eq!((found.text("agent"), code), ("codex", 4));
    assert_eq!(found.uuid(), made.uuid());
    let pane = server.types("codex");
    lives(&server, &pane);
    server
        .sesh("sesh-adopt", [&pane, "--conv", "c #1", "--agent", "codex"])
        .ok();
    let (found, code) = lives(&server, &pane);
    assert_eq!((found.text("conversation"), code), ("c #1", 0));
    // What the sesh says of another kind of agent is nothing of this one.
    let pane = server.types("codex");
    lives(&server, &pane);
    server
        .sesh("sesh-adopt", [&pane, "--conv", "c #2", "--agent", "claude"])
        .ok();
    let (found, code) = lives(&server, &pane);
    assert_eq!((found.text("agent"), code), ("codex", 4));
}

#[test]
fn claudes_own_file_says_which_conversation() {
    let server = Server::start();
    server.agent("claude");
    let folder = server.path("config");
    std::fs::create_dir_all(folder.join("sessions")).expect("a folder");
    let pane = server.types(&format!(
        "CLAUDE_CONFIG_DIR='{}' claude --resume 3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f",
        folder.display()
    ));
    let (found, _) = lives(&server, &pane);
    assert_ne!(found.text("conversation"), ID);
    let pid = pid(&found);
    let start = proc::read(pid.as_raw()).expect("a process").start;
    let writes = |start: u64| {
        let text = format!("{{\"pid\":{pid},\"sessionId\":\"{ID}\",\"procStart\":\"{start}\"}}");
        std::fs::write(folder.join(format!("sessions/{pid}.json")), text).expect("a file");
    };
    writes(start);
    assert_eq!(lives(&server, &pane).0.text("conversation"), ID);
    // Left behind by an earlier process with the same pid, cut off, or no JSON.
    writes(start - 1);
    assert_ne!(lives(&server, &pane).0.text("conversation"), ID);
    for text in ["", "{", "[]", "{\"procStart\":7}"] {
        std::fs::write(folder.join(format!("sessions/{pid}.json")), text).expect("a file");
        assert_ne!(lives(&server, &pane).0.text("conversation"), ID, "{text}");
    }
}

#[test]
fn copilots_lock_says_which_conversation() {
    let server = Server::start();
    server.agent("copilot");
    let pane = server.types("copilot");
    let (found, code) = lives(&server, &pane);
    assert_eq!(code, 4);
    let state = server.path("home/.copilot/session-state");
    std::fs::create_dir_all(state.join(ID)).expect("a folder");
    std::fs::create_dir_all(state.join("other")).expect("a folder");
    let lock = format!("inuse.{}.lock", pid(&found));
    std::fs::write(state.join(ID).join(lock), "").expect("a file");
    let (found, code) = lives(&server, &pane);
    assert_eq!((found.text("conversation"), code), (ID, 0));
}

#[test]
fn the_users_own_agents() {
    let server = Server::start();
    server.agent("mine");
    let folder = server.path("home/.config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("mine.toml"), "[process]\nnames = [\"mine\"]\n").expect("a file");
    let pane = server.types(&format!("mine --id {ID}"));
    assert_eq!(lives(&server, &pane).0.text("agent"), "mine");
    // A part of it, and a broken one: that is told, and the rest is used.
    let broken = folder.join("claude.toml");
    std::fs::write(&broken, "[process]\nname = [\"x\"]\n").expect("a file");
    let said = server.sesh("pane-resolve", ["--pane", &pane]).said();
    assert_eq!(said.code(), Some(4));
    let sentence = said.sentence();
    let told = format!(
        "{}:2: name = [\"x\"]: unknown field `name`",
        broken.display()
    );
    assert!(sentence.starts_with(&told), "{sentence}");
    server.agent("claude");
    let pane = server.types("claude");
    assert_eq!(lives(&server, &pane).0.text("agent"), "claude");
}
