//! A question goes to the server at once, without the tmux program; in doubt the program asks it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pretty_assertions::assert_eq;

use crate::send::Agent;
use crate::support::{Call, NONE, Play, Record, Relay, Server, message};

/// A server with a sesh that runs, one that is held and one that has gone.
struct House {
    server: Server,
    build: Record,
    held: Record,
    agent: String,
}

fn house() -> House {
    let server = Server::start();
    let build = server.new_sesh(["--tag", "x", "build", "--", "sleep", "1000"]);
    let held = server.new_sesh(["held", "--", "sh", "-c", "echo done; exit 3"]);
    let gone = server.new_sesh(["gone", "--", "sh", "-c", "echo was here; exec sleep 1000"]);
    server.shows(gone.pane(), "was here");
    server.ended(held.uuid());
    server.sesh("sesh-end", ["gone"]).ok();
    server.agent("claude");
    let agent = server.types("claude --resume 46ed2323-f13a-4fb3-98e7-659d84033d77");
    server.runs(&agent, "claude");
    House {
        server,
        build,
        held,
        agent,
    }
}

impl House {
    /// Every helper that asks one thing, in all its ways.
    fn questions(&self) -> Vec<(&'static str, Vec<&str>)> {
        let (build, held, pane) = (self.build.uuid(), self.held.uuid(), self.build.pane());
        vec![
            ("sesh-list", vec![]),
            ("sesh-list", vec!["--json"]),
            ("sesh-list", vec!["--all"]),
            ("sesh-list", vec!["--tags"]),
            ("sesh-list", vec!["--tag", "x", "--columns", "name"]),
            ("sesh-list", vec!["--format", "#{pane_id}"]),
            ("sesh-list", vec!["--all", "--format", "#{pane_id}"]),
            ("sesh-list", vec!["build"]),
            ("sesh-list", vec!["gone"]),
            ("sesh-pane", vec!["--pane", pane]),
            ("sesh-pane", vec!["--pane", pane, "--json"]),
            ("sesh-pane", vec!["--pane", pane, "--format", "#{pane_id}"]),
            ("pane-resolve", vec!["--pane", &self.agent]),
            ("pane-resolve", vec!["--pane", &self.agent, "--json"]),
            ("pane-capture", vec![pane]),
            ("pane-capture", vec!["build"]),
            ("pane-capture", vec![build, "--scrollback"]),
            ("pane-capture", vec!["build", "--json", "--ansi", "--join"]),
            ("pane-capture", vec!["held"]),
            ("pane-capture", vec![held, "--screen"]),
            ("pane-capture", vec!["gone"]),
            (
                "pane-capture",
                vec!["build", "--since", "start", "--cursor"],
            ),
            ("pane-capture", vec!["gone", "--since", "now", "--json"]),
            ("sesh-gather", vec!["held", "gone"]),
            ("sesh-gather", vec!["held", "--json"]),
        ]
    }
}

fn at(server: &Server, socket: &Path, helper: &str, args: &[&str]) -> Call {
    server
        .helper(helper)
        .args(["-S".as_ref(), socket.as_os_str()])
        .args(args)
}

/// How many clients a question is: which pane a name means, and what that shows, are two.
fn clients(helper: &str, args: &[&str], pane: &str) -> usize {
    let has_pane = args.first() != Some(&"gone");
    match helper {
        "pane-capture" if has_pane && args != [pane] => 2,
        "sesh-gather" => 2,
        _ => 1,
    }
}

#[test]
fn a_question_is_a_client_or_two_and_no_process() {
    let house = house();
    let server = &house.server;
    let pane = house.build.pane();
    let relay = Relay::before(server, "relay", Play::Honest);
    server.count_tmux();
    for (helper, args) in house.questions() {
        at(server, relay.socket(), helper, &args).ok();
        let clients = clients(helper, &args, pane);
        assert_eq!(
            (relay.clients(), server.tmux_calls()),
            (clients, 0),
            "{helper} {args:?}"
        );
    }
    server.inside(pane, "sesh-pane", NONE).ok();
    assert_eq!(server.tmux_calls(), 0);
}

#[test]
fn which_sesh_an_agents_pane_is_costs_one_question() {
    for kind in [
        "claude", "codex", "pi", "gemini", "opencode", "copilot", "aider",
    ] {
        let server = Server::start();
        let agent = Agent::called(&server, kind);
        let pane = agent.pane.clone();
        server.becomes(&pane, "idle");
        let relay = Relay::before(&server, "relay", Play::Honest);
        server.count_tmux();
        let ways: [&[&str]; 3] = [&[], &["--json"], &["--format", "#{pane_id}\n#{pane_title}"]];
        for way in ways {
            let mut args = vec!["--pane", pane.as_str()];
            args.extend(way);
            let direct = at(&server, relay.socket(), "sesh-pane", &args).ok();
            assert_eq!(
                (relay.clients(), server.tmux_calls()),
                (1, 0),
                "{kind}: {way:?}"
            );
            let program = server.sesh("sesh-pane", &args).env("SESH_CLIENT", "tmux");
            let program = program.ok();
            assert_eq!(server.tmux_calls(), 1, "{kind}: {way:?}");
            if *way != ["--json"] {
                assert_eq!(direct.text(), program.text(), "{kind}: {way:?}");
            }
        }
        let said = server.sesh("sesh-pane", ["--pane", &pane, "--json"]).ok();
        let record = said.record();
        assert_eq!(record.get("agent").as_str(), Some(kind));
        assert_eq!(record.state(), "idle", "{kind}");
    }
}

#[test]
fn a_list_with_agents_is_two_clients() {
    let server = Server::start();
    for kind in ["claude", "codex", "claude", "codex", "pi"] {
        let agent = Agent::called(&server, kind);
        server.becomes(&agent.pane, "idle");
    }
    let relay = Relay::before(&server, "relay", Play::Honest);
    let said = at(&server, relay.socket(), "sesh-list", &["--json"]).ok();
    assert_eq!(said.records().len(), 5);
    assert_eq!(relay.clients(), 2);
}

#[test]
fn through_the_program_it_is_a_process_each_and_the_same_answer() {
    let house = house();
    let server = &house.server;
    server.count_tmux();
    for (helper, args) in house.questions() {
        let direct = server.sesh(helper, &args).ok();
        assert_eq!(server.tmux_calls(), 0);
        let program = server.sesh(helper, &args).env("SESH_CLIENT", "tmux").ok();
        let clients = clients(helper, &args, house.build.pane());
        assert_eq!(server.tmux_calls(), clients, "{helper} {args:?}");
        // Ages tick.
        if !args.is_empty() && args != ["--all"] && args != ["build"] && args != ["gone"] {
            assert_eq!(direct.text(), program.text(), "{helper} {args:?}");
        }
    }
}

#[test]
fn a_refusal_is_the_same_either_way() {
    let house = house();
    let server = &house.server;
    for (helper, args, code) in [
        ("pane-capture", vec!["%99"], 3),
        ("sesh-pane", vec!["--pane", "%99"], 3),
        ("sesh-list", vec!["--format", "#{"], 2),
        ("pane-capture", vec!["nobody"], 3),
    ] {
        let direct = server.sesh(helper, &args).fails(code);
        let program = server
            .sesh(helper, &args)
            .env("SESH_CLIENT", "tmux")
            .fails(code);
        assert_eq!(direct, program, "{helper} {args:?}");
    }
}

#[test]
fn in_doubt_the_program_asks() {
    let house = house();
    let server = &house.server;
    let expected = server
        .sesh("sesh-list", ["--json"])
        .env("SESH_CLIENT", "tmux")
        .ok();
    let version = 12;
    let plays = [
        Play::Cut(0),
        Play::Cut(10),
        Play::Cut(100),
        Play::Cut(500),
        Play::Says(Vec::new()),
        Play::Says(message(version, b"")),
        Play::Says(message(9_999, b"what")),
        Play::Says(vec![0xff; 500]),
        Play::Says(vec![0; 500]),
    ];
    for (at_play, play) in plays.into_iter().enumerate() {
        let told = format!("{play:?}");
        let relay = Relay::before(server, &format!("relay{at_play}"), play);
        // The program finds the real server at any socket.
        server.script(
            "tmux",
            &format!(
                "echo call >>'{}'\nfor word; do shift; case $word in '{}') word='{}' ;; esac; set -- \"$@\" \"$word\"; done\nexec '{}' \"$@\"",
                server.path("calls").display(),
                relay.socket().display(),
                server.socket().display(),
                server.program().display()
            ),
        );
        let said = at(server, relay.socket(), "sesh-list", &["--json"]).ok();
        assert_eq!(said.text(), expected.text(), "{told}");
        assert_eq!((relay.clients(), server.tmux_calls()), (1, 1), "{told}");
    }
    assert!(server.alive());
}

/// tmux's own folder of sockets, at `-L named`: with a server in it, and the rights given.
fn folder_of_sockets(server: &Server, mode: u32) {
    let folder = server.path(&format!("tmux-{}", nix::unistd::getuid()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("its rights");
    let socket = folder.join("named");
    if !socket.exists() {
        std::os::unix::fs::symlink(server.socket(), socket).expect("a link");
    }
}

#[test]
fn a_named_socket_is_found_where_tmux_finds_it() {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    folder_of_sockets(&server, 0o700);
    server.count_tmux();
    let named = |name: &str| {
        server
            .helper("sesh-list")
            .args(["-L", name, "--columns", "name"])
    };
    assert!(named("named").ok().text().contains("one"));
    assert_eq!(server.tmux_calls(), 0);
    named("other").fails(69);
}

#[test]
fn a_folder_of_sockets_that_others_may_enter_is_not_believed() {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    folder_of_sockets(&server, 0o707);
    server.count_tmux();
    // tmux's own words differ by version.
    server.helper("sesh-list").args(["-L", "named"]).fails(1);
    assert!(server.tmux_calls() >= 1);
}
