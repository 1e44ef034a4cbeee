//! Exited seshes leave the server after `@sesh-keep-records`, once the journal has them.

use pretty_assertions::{assert_eq, assert_ne};
use serde_json::Value;

use crate::journal::unwritable;
use crate::support::{Record, Server};

/// A sesh that has exited, without a pane.
pub(crate) fn exited(server: &Server, name: &str, args: &[&str]) -> Record {
    let command = ["--", "sh", "-c", "echo last words; exit 3"];
    let made = server.new_sesh([name].iter().chain(args).chain(&command));
    server.ended(made.uuid());
    server.sesh("sesh-end", [name]).ok();
    made
}

/// The stored record of a sesh, empty if the server has none.
fn book(server: &Server, uuid: &str) -> String {
    let option = format!("@seshbook_{uuid}");
    let book = server.tmux(["show-options", "-sqv", &option]);
    book.trim_end().into()
}

/// How many seshes the server has records and last lines of.
pub(crate) fn in_server(server: &Server) -> usize {
    let all = server.tmux(["show-options", "-s"]) + &server.tmux(["show-environment", "-gh"]);
    let is_of_sesh = |line: &&str| line.starts_with("@seshbook_") || line.starts_with("SESH_tail_");
    all.lines().filter(is_of_sesh).count()
}

/// Has a sesh end long ago. Does nothing if the server does not have it any more.
pub(crate) fn let_age(server: &Server, uuid: &str) {
    let old = book(server, uuid);
    let parts = old.split(',').map(|part| match part.strip_prefix("exit=") {
        Some(exit) => {
            let (status, _) = exit.rsplit_once(' ').expect("a time");
            format!("exit={status} 1700000000")
        }
        None => part.into(),
    });
    let aged = parts.collect::<Vec<String>>().join(",");
    if !aged.is_empty() {
        server.tmux(["set-option", "-s", &format!("@seshbook_{uuid}"), &aged]);
    }
}

fn reap(server: &Server) {
    let said = server.sesh("sesh-reap", ["--json"]).ok();
    assert_eq!(
        said.json(),
        Value::Array(Vec::new()),
        "it is no change to report"
    );
}

/// What helpers say of a sesh and of its tag.
fn told(server: &Server, name: &str, uuid: &str) -> Vec<(Option<i32>, String, String)> {
    let calls: [(&str, &[&str]); 9] = [
        ("sesh-list", &["--all", "--json"]),
        ("sesh-list", &["--json", name]),
        ("sesh-list", &["--json", uuid]),
        ("sesh-gather", &["--json", name]),
        ("sesh-gather", &["--json", "--tag", "ci"]),
        ("pane-capture", &["--json", name]),
        ("sesh-wait", &["--json", "--for", "exit", name]),
        (
            "sesh-wait",
            &["--json", "--for", "exit", "--all", "--tag", "ci"],
        ),
        ("sesh-explain", &["--json", name]),
    ];
    calls
        .map(|(helper, args)| {
            let said = server.sesh(helper, args).said();
            // A wait prints the socket of a sesh that only the journal has, and not that of another one without a pane.
            let socket = format!("\"{}\"", server.socket().display());
            let text = match helper {
                "sesh-wait" => said.text().replace(&socket, "null"),
                _ => said.text().into(),
            };
            (said.code(), text, said.stderr)
        })
        .into()
}

#[test]
fn an_exited_sesh_leaves_once_the_journal_has_it() {
    let server = Server::start();
    let old = exited(&server, "old", &["--tag", "ci", "--note", "50 % (a, b)"]);
    let young = exited(&server, "young", &["--tag", "ci"]);
    reap(&server);
    assert_eq!(in_server(&server), 4);
    let_age(&server, old.uuid());
    let before = told(&server, "old", old.uuid());
    // The journal has another time of its end, and cannot be written.
    unwritable(&server, || {
        for _ in 0..3 {
            reap(&server);
        }
        assert_eq!(in_server(&server), 4);
    });
    // It is written. What is read from the file counts, which is the next time.
    reap(&server);
    assert_eq!(in_server(&server), 4);
    reap(&server);
    assert_eq!(
        (in_server(&server), book(&server, old.uuid())),
        (2, String::new())
    );
    assert_ne!(book(&server, young.uuid()), "");
    assert_eq!(told(&server, "old", old.uuid()), before);
    // It can be changed, restored and forgotten as before.
    server.sesh("sesh-set", ["old", "--note", "n"]).ok();
    assert_eq!(server.record(old.uuid()).text("note"), "n");
    server.sesh("sesh-restore", ["old"]).ok();
    let back = server.record(old.uuid());
    assert!(back.live() && back.get("gen").as_u64() > old.get("gen").as_u64());
    server.sesh("sesh-end", ["old"]).ok();
    let_age(&server, old.uuid());
    for _ in 0..2 {
        reap(&server);
    }
    assert_eq!(in_server(&server), 2);
    server.sesh("sesh-end", ["--forget", "old"]).ok();
    server.sesh("sesh-list", ["old"]).fails(3);
}

#[test]
fn the_time_may_be_longer() {
    let server = Server::start();
    let old = exited(&server, "old", &[]);
    let_age(&server, old.uuid());
    for setting in ["off", "9000d"] {
        server.tmux(["set-option", "-g", "@sesh-keep-records", setting]);
        for _ in 0..3 {
            reap(&server);
        }
        assert_eq!(in_server(&server), 2, "{setting}");
    }
    server.tmux(["set-option", "-gu", "@sesh-keep-records"]);
    for _ in 0..2 {
        reap(&server);
    }
    assert_eq!(in_server(&server), 0);
    // No time is shorter than ten minutes.
    exited(&server, "young", &[]);
    server.tmux(["set-option", "-g", "@sesh-keep-records", "1s"]);
    for _ in 0..3 {
        reap(&server);
    }
    assert_eq!(in_server(&server), 2);
}

#[test]
fn one_that_leaves_meanwhile_is_restored() {
    let server = Server::start();
    let mut calls = 1;
    // It leaves before each of the questions of a restore in turn.
    for at in 1.. {
        let name = format!("one-{at}");
        let old = exited(&server, &name, &[]);
        let_age(&server, old.uuid());
        // The journal gets everything, and the sesh stays for now.
        reap(&server);
        let go = server.path("go");
        server.script(
            "tmux",
            &format!(
                "echo call >>'{calls}'\n[ \"$(wc -l <'{calls}')\" -ne {at} ] || '{tmux}' -S '{socket}' set-option -su @seshbook_{id} \\; \
                 set-environment -gu SESH_tail_{tail} 2>/dev/null\nexec '{tmux}' \"$@\"",
                calls = go.display(),
                tmux = server.program().display(),
                socket = server.socket().display(),
                id = old.uuid(),
                tail = old.uuid().replace('-', ""),
            ),
        );
        server
            .sesh("sesh-restore", [&name])
            .env("SESH_CLIENT", "tmux")
            .ok();
        assert!(server.record(old.uuid()).live(), "before question {at}");
        calls = std::fs::read_to_string(&go)
            .unwrap_or_default()
            .lines()
            .count();
        let _ = std::fs::remove_file(&go);
        server.sesh("sesh-end", ["--forget", &name]).ok();
        if at > calls {
            break;
        }
    }
    assert!(calls > 2, "a restore asks {calls} questions");
}
