//! Leases: of real processes that race for one, one holds it, and a holder that was killed holds nothing.

use pretty_assertions::assert_eq;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use tmux_sesh::store::lease::{Lease, LeaseOutcome};
use tmux_sesh::tmux::Socket;

use crate::support::{Server, helpers};

const VARIABLE: &str = "SESH_test_lease";

/// A process that tries to take the lease, and holds it until it is killed.
struct Holder {
    process: Child,
    printed: BufReader<ChildStdout>,
}

impl Holder {
    fn starts(server: &Server) -> Self {
        let mut process = Command::new(helpers().join("fake-agent"))
            .arg("lease")
            .args([server.program(), &server.socket()])
            .arg(VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("fake-agent starts");
        let printed = BufReader::new(process.stdout.take().expect("its stdout"));
        Self { process, printed }
    }

    /// Whether it got the lease.
    fn got_it(&mut self) -> bool {
        let mut line = String::new();
        self.printed.read_line(&mut line).expect("a line");
        match line.trim_end() {
            "Held" => true,
            "HeldByOther" => false,
            other => panic!("an outcome: {other:?}"),
        }
    }

    fn is_killed(&mut self) {
        self.process.kill().expect("it lives");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn own(server: &Server) -> tmux_sesh::tmux::Server {
    let socket = Socket::Path(server.socket());
    tmux_sesh::tmux::Server::with_program(server.program().into(), socket).expect("a server")
}

fn held_by(server: &Server) -> String {
    server.format(crate::support::MAIN, &format!("#{{{VARIABLE}}}"))
}

#[test]
fn of_processes_that_race_one_holds_it_until_it_is_killed() {
    let server = Server::start();
    for _ in 0..5 {
        let mut racers: Vec<Holder> = (0..6).map(|_| Holder::starts(&server)).collect();
        let mut winners: Vec<&mut Holder> = racers
            .iter_mut()
            .filter_map(|it| it.got_it().then_some(it))
            .collect();
        assert_eq!(winners.len(), 1, "winners");
        let winner = winners.remove(0);
        let pid = format!("{}:", winner.process.id());
        assert!(held_by(&server).starts_with(&pid), "{}", held_by(&server));
        // The variable still names it in the next round, where it is taken over.
        winner.is_killed();
    }
}

#[test]
fn what_is_released_is_free() {
    let server = Server::start();
    let (tmux, tmux_too) = (own(&server), own(&server));
    let mut one = Lease::of(&tmux, VARIABLE).marked("one");
    let mut two = Lease::of(&tmux_too, VARIABLE).marked("two");
    assert_eq!(one.take().expect("a try"), LeaseOutcome::Held);
    assert_eq!(two.take().expect("a try"), LeaseOutcome::HeldByOther);
    assert!(!Holder::starts(&server).got_it());
    one.release().expect("it is released");
    assert_eq!(held_by(&server), "");
    assert_eq!(two.take().expect("a try"), LeaseOutcome::Held);
    drop(two);
    assert_eq!(held_by(&server), "");
}

#[test]
fn one_that_is_closed_is_never_taken() {
    let server = Server::start();
    let tmux = own(&server);
    server.tmux(["set-environment", "-gh", VARIABLE, "done"]);
    let mut lease = Lease::of(&tmux, VARIABLE).closed_by("done");
    assert_eq!(lease.take().expect("a try"), LeaseOutcome::Closed);
    drop(lease);
    assert_eq!(held_by(&server), "done");
}
