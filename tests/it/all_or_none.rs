//! All targets are resolved before anything is done, and a reader that goes ends the output and no change.

use pretty_assertions::assert_eq;

use crate::support::{MAIN, Record, Screen, Server, until};

/// A server with two seshes and a pane that is none.
fn two() -> (Server, Record, Record) {
    let server = Server::start();
    let one = server.new_sesh(["--tag", "t", "one", "--", "cat"]);
    let two = server.new_sesh(["--tag", "t", "two", "--", "cat"]);
    (server, one, two)
}

#[test]
fn one_unknown_target_and_nothing_is_done() {
    let (server, ..) = two();
    let before = server.everything();
    let ways: [(&str, &[&str]); 14] = [
        ("sesh-set", &["one", "absent", "--note", "x"]),
        ("sesh-set", &["absent", "one", "--archive"]),
        ("sesh-set", &["one", "--parent", "absent", "--note", "x"]),
        ("sesh-set", &["one", "two", "%99", "--tag", "x"]),
        ("sesh-end", &["one", "absent"]),
        ("sesh-end", &["absent", "one", "--kill", "--forget"]),
        ("sesh-end", &["one", "ffffffff-ffff-4fff-8fff-ffffffffffff"]),
        ("sesh-gather", &["one", "absent", "--end"]),
        ("sesh-gather", &["%99", "one", "--forget"]),
        ("sesh-new", &["three", "--parent", "absent", "--", "cat"]),
        ("sesh-adopt", &["%99", "--name", "x"]),
        ("sesh-restore", &["absent"]),
        ("pane-keys", &["absent", "x"]),
        ("sesh-wait", &["one", "absent", "--for", "busy"]),
    ];
    for (helper, args) in ways {
        let said = server.sesh(helper, args).said();
        assert_eq!(said.code(), Some(3), "{said}");
        assert_eq!(server.everything(), before, "{said}");
    }
    // A shell would run it.
    let shell = server.session((80, 24), &["sh"]);
    server.runs(&shell, "sh");
    let ran = server.path("ran");
    let line = format!("touch '{}'", ran.display());
    let before = server.everything();
    for targets in [[shell.as_str(), "absent"], ["absent", shell.as_str()]] {
        let args = [targets[0], targets[1], line.as_str()];
        let sent = server.sesh("sesh-send", args).said();
        assert_eq!(sent.code(), Some(3), "{sent}");
        assert_eq!(server.everything(), before);
        assert!(!server.screen(&shell).contains("touch"));
    }
    server.sesh("sesh-send", [&shell, &line]).ok();
    until("alone it gets it", || ran.exists());
}

/// Every helper that changes more than one thing and prints: with a reader that has gone, as with `| head`, all of it is
/// done, and the exit code is the same.
#[test]
fn a_reader_that_goes_ends_no_change() {
    let (server, one, two) = two();
    for args in [
        &["one", "two", "--note", "n"][..],
        &["one", "two", "--json", "--note", "m"],
    ] {
        assert_eq!(server.sesh("sesh-set", args).unread(), Some(0));
        for sesh in [&one, &two] {
            assert_eq!(
                server.record(sesh.uuid()).text("note"),
                args[args.len() - 1]
            );
        }
    }
    for (way, note) in [(vec![], "p"), (vec!["--json"], "q")] {
        let args = [&["--tagged", "t", "--note", note][..], &way].concat();
        assert_eq!(server.sesh("sesh-set", &args).unread(), Some(0));
        for sesh in [&one, &two] {
            assert_eq!(server.record(sesh.uuid()).text("note"), note);
        }
    }
    for way in [vec![], vec!["--json"]] {
        let pane = server.session((80, 24), &["cat", "-"]);
        let args = [&[pane.as_str()][..], &way].concat();
        assert_eq!(server.sesh("sesh-adopt", &args).unread(), Some(0));
        assert_ne!(server.format(&pane, "#{@sesh_id}"), "");
        let name = format!("new{}", way.len());
        let args = [&[name.as_str()][..], &way, &["--", "cat"]].concat();
        assert_eq!(server.sesh("sesh-new", &args).unread(), Some(0));
        assert!(
            server
                .sesh("sesh-list", ["--json", &name])
                .ok()
                .only()
                .live()
        );
    }
    assert_eq!(
        server.sesh("sesh-gather", ["one", "two", "--end"]).unread(),
        Some(0)
    );
    for sesh in [&one, &two] {
        assert!(!server.record(sesh.uuid()).live());
    }
    assert_eq!(server.sesh("sesh-restore", ["one"]).unread(), Some(0));
    assert!(server.record(one.uuid()).live());
    // What comes after the output: the client goes there, and the message is sent.
    let person = Screen::attach(&server, MAIN, (80, 20));
    let user = server.user_pane();
    let enters = ["two", "--enter"];
    let restore = server.inside(&user, "sesh-restore", enters);
    assert_eq!(restore.unread(), Some(0));
    let two = server.record(two.uuid());
    let shown = || server.tmux(["list-clients", "-F", "#{client_name} #{pane_id}"]);
    assert!(shown().contains(&format!("{} {}", person.client(), two.pane())));
    let ran = server.path("ran");
    let line = format!("touch '{}'", ran.display());
    for way in [&[][..], &["--json"]] {
        let _ = std::fs::remove_file(&ran);
        let args = [&["--send", line.as_str()][..], way, &["--", "sh", "-i"]].concat();
        assert_eq!(server.sesh("sesh-new", &args).unread(), Some(0), "{args:?}");
        until("it has run", || ran.exists());
    }
}

#[test]
fn a_reader_that_goes_changes_no_exit_code() {
    let server = Server::start();
    let shells: Vec<String> = (0..2).map(|_| server.session((80, 24), &["sh"])).collect();
    for shell in &shells {
        server.runs(shell, "sh");
    }
    let user = server.user_pane();
    // The pane with `cat` gets nothing, and the shells all the same.
    for (at, way) in [&[][..], &["--json"]].into_iter().enumerate() {
        let line = format!(
            "echo run >>'{}'",
            server.path(&format!("ran{at}")).display()
        );
        let args = [&[shells[0].as_str(), &user, &shells[1], &line][..], way].concat();
        assert_eq!(
            server.sesh("sesh-send", &args).unread(),
            Some(4),
            "{args:?}"
        );
        until("both shells have run it", || {
            let ran = std::fs::read_to_string(server.path(&format!("ran{at}")));
            ran.is_ok_and(|ran| ran.lines().count() == 2)
        });
    }
}
