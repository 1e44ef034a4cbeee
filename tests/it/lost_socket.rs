//! A server whose socket was removed lives, and so does what runs there: it has not exited, and is not restored beside it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::support::{Record, Said, Server, until};

/// The one sesh of that name, as the journal has it, and what the list complains of.
fn listed(server: &Server, name: &str) -> (Record, String) {
    let said = server.sesh("sesh-list", ["--all", "--json"]).said();
    assert_eq!(said.code(), Some(0), "{said}");
    let mut records = said.records();
    records.retain(|record| record.name() == name);
    assert_eq!(records.len(), 1, "{said}");
    (records.remove(0), said.stderr.clone())
}

fn way_back(server: &Server) -> String {
    format!("kill -USR1 {}", server.pid())
}

/// What runs with this word on its command line.
fn running(server: &Server, word: &str) -> usize {
    let is_it = |pid: &i32| {
        let program = tmux_sesh::proc::program(*pid);
        program.argv.last().is_some_and(|last| last == word) && program.argv[0].ends_with("sleep")
    };
    server.processes().into_iter().filter(is_it).count()
}

fn fails_with_the_way_out(server: &Server, said: &Said) {
    assert_eq!(said.code(), Some(4), "{said}");
    assert!(said.stderr.contains(&way_back(server)), "{said}");
    assert!(said.stderr.contains("still runs"), "{said}");
}

/// A server with a command, a shell and an adopted pane, without its socket.
fn without_socket() -> Server {
    let server = Server::start();
    server.new_sesh(["job", "--", "sleep", "54321"]);
    server.new_sesh(["shell"]);
    let pane = server.session((80, 24), &["sleep", "54322"]);
    server.sesh("sesh-adopt", [&pane, "--name", "found"]).ok();
    std::fs::remove_file(server.socket()).expect("a socket");
    server
}

#[test]
fn what_runs_there_has_not_exited() {
    let server = without_socket();
    for name in ["job", "shell", "found"] {
        let (record, complaint) = listed(&server, name);
        assert_eq!(
            (record.state(), record.live()),
            ("unknown", false),
            "{name}"
        );
        assert!(record.get("exit").is_null(), "{name}");
        assert!(complaint.contains(&way_back(&server)), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
    let table = server.sesh("sesh-list", ["--all"]).said();
    assert!(table.text().contains("unknown (was busy)"), "{table}");
    let said = server.sesh("sesh-list", ["--tag", "x"]).fails(69);
    assert!(said.contains(&way_back(&server)), "{said}");
}

#[test]
fn no_helper_takes_it_for_exited() {
    let server = without_socket();
    let ways: [(&str, &[&str]); 10] = [
        ("sesh-restore", &["job"]),
        ("sesh-restore", &["found", "--run"]),
        ("sesh-restore", &["shell", "--dry-run"]),
        ("sesh-send", &["shell", "x"]),
        ("sesh-enter", &["job", "--print"]),
        ("sesh-end", &["job"]),
        ("sesh-end", &["job", "--forget"]),
        ("sesh-wait", &["job"]),
        ("pane-keys", &["job", "Enter"]),
        ("pane-capture", &["job"]),
    ];
    for another in [false, true] {
        if another {
            server.starts_again();
            server.session((80, 24), &["cat"]);
        }
        for (helper, args) in ways {
            fails_with_the_way_out(&server, &server.sesh(helper, args).said());
        }
        let explained = server.sesh("sesh-explain", ["job"]).ok();
        assert!(explained.text().contains(&way_back(&server)), "{explained}");
        let all = server
            .sesh("sesh-restore", ["--last-alive", "--run"])
            .said();
        assert_eq!((all.code(), all.text()), (Some(0), ""), "{all}");
        assert!(all.stderr.contains(&way_back(&server)), "{all}");
        assert_eq!(
            (running(&server, "54321"), running(&server, "54322")),
            (1, 1)
        );
    }
}

#[test]
fn the_way_out_leads_back() {
    let server = without_socket();
    let said = server.sesh("sesh-doctor", ["--json"]).said();
    assert!(said.text().contains(&way_back(&server)), "{said}");
    kill(Pid::from_raw(server.pid().cast_signed()), Signal::SIGUSR1).expect("it is there");
    until("the server is reached", || server.alive());
    for name in ["job", "shell", "found"] {
        let (record, complaint) = listed(&server, name);
        assert!(record.live(), "{name}");
        assert_eq!(complaint, "");
    }
    // What a person takes out of the store of a server that is reached is on no lost one.
    let (job, _) = listed(&server, "job");
    server.tmux(["set-option", "-pu", "-t", job.pane(), "@sesh_id"]);
    let book = format!("@seshbook_{}", job.uuid());
    server.tmux(["set-option", "-su", &book]);
    let (record, complaint) = listed(&server, "job");
    assert_eq!((record.state(), complaint.as_str()), ("exited", ""));
}

#[test]
fn a_folder_that_is_gone_too_is_made_again() {
    let server = Server::empty();
    let folder = server.path("sockets");
    std::fs::create_dir(&folder).expect("a folder");
    let socket = folder.join("s");
    let call = |helper: &str, args: &[&str]| {
        server
            .helper(helper)
            .args(["-S".as_ref(), socket.as_os_str()])
            .args(args)
    };
    call("sesh-new", &["job", "--", "sleep", "54323"]).ok();
    std::fs::remove_dir_all(&folder).expect("it is removed");
    let said = call("sesh-restore", &["job"]).fails(4);
    let (_, back) = said.split_once("is gone: ").expect("a way out");
    let back = back.strip_suffix(" creates it again").expect("a command");
    assert!(back.starts_with("mkdir "), "{back}");
    server.call("/bin/sh".as_ref()).args(["-c", back]).ok();
    until("the sesh is reached", || {
        // Until the server has made its socket, the journal answers, with a complaint.
        let said = call("sesh-list", &["job"]).said();
        said.code() == Some(0) && said.stderr.is_empty()
    });
    call("sesh-end", &["job", "--kill"]).ok();
}

#[test]
fn what_has_ended_meanwhile_is_restored() {
    let server = without_socket();
    for pid in server.processes() {
        if tmux_sesh::proc::program(pid).argv == ["sleep", "54321"] {
            kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is there");
        }
    }
    until("it has ended", || running(&server, "54321") == 0);
    let (record, _) = listed(&server, "job");
    assert_eq!((record.state(), record.text("was")), ("exited", "busy"));
    server.starts_again();
    let said = server.sesh("sesh-restore", ["job", "--run"]).said();
    assert_eq!(said.code(), Some(0), "{said}");
    until("it runs once more", || running(&server, "54321") == 1);
    assert_eq!(listed(&server, "found").0.state(), "unknown");
}
