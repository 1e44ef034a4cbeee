//! A uuid and exit 0 mean that the command runs.

use std::path::Path;

use pretty_assertions::assert_eq;

use crate::support::{Call, Server, until};

/// A program whose interpreter is missing, so that it is found and cannot be started.
fn without_interpreter(server: &Server, name: &str) -> String {
    let path = server.path("bin").join(name);
    server.program_file(&path, b"#!/no/such/interpreter\n");
    path.display().to_string()
}

fn at(server: &Server, socket: &Path, helper: &str, args: &[&str]) -> Call {
    server
        .helper(helper)
        .args(["-S".as_ref(), socket.as_os_str()])
        .args(args)
}

#[test]
fn what_is_said_to_be_made_runs() {
    let server = Server::start();
    for at in 0..20 {
        let word = format!("{}", 60_000 + at);
        server.sesh("sesh-new", ["--", "sleep", &word]).ok();
        let runs = server
            .processes()
            .into_iter()
            .any(|pid| tmux_sesh::proc::program(pid).argv == ["sleep", &word]);
        assert!(runs, "{word}");
    }
    assert_eq!(server.launch_files().len(), 0);
}

#[test]
fn a_command_that_ends_at_once_has_run() {
    let server = Server::start();
    for _ in 0..10 {
        let made = server.sesh("sesh-new", ["--json", "--", "true"]).ok();
        assert_eq!(server.ended(made.record().uuid()).code(), Some(0));
    }
    let made = server.sesh("sesh-new", ["--json", "--no-launch", "--", "true"]);
    let made = made.ok().record();
    server.shows(made.pane(), "Enter starts");
    // Its pane is not held, so that it closes at once too.
    server.option("@sesh-hold", "0");
    for _ in 0..10 {
        let made = server.sesh("sesh-new", ["--json", "--", "true"]).ok();
        assert_eq!(server.ended(made.record().uuid()).code(), Some(0));
    }
}

#[test]
fn a_command_that_cannot_be_started_leaves_nothing() {
    let server = Server::start();
    let program = without_interpreter(&server, "broken");
    let before = server.everything();
    let ways: [&[&str]; 4] = [
        &["one", "--", &program],
        &["one", "--json", "--session", "--", &program, "x"],
        &["one", "--window", "--send", "x", "--", &program],
        &["one", "--target", "main:w", "--wait", "--", &program],
    ];
    for args in ways {
        // Not in the session of the user: --window needs a pane to be in.
        let call = server.inside(&server.user_pane(), "sesh-new", args);
        let sentence = call.fails(1);
        assert!(
            sentence.starts_with("one did not start: cannot run"),
            "{sentence}"
        );
        server.sesh("sesh-list", ["--all", "one"]).fails(3);
    }
    assert_eq!(server.panes("#{pane_id}"), ["%0"]);
    assert_eq!(server.launch_files().len(), 0);
    assert_eq!(server.everything(), before);
    server.sesh("sesh-new", ["one", "--", "sleep", "1000"]).ok();
}

#[test]
fn a_shell_that_is_gone_is_said() {
    let server = Server::start();
    let shell = server.script("gone-shell", "exec /bin/sh");
    server.tmux(["set-option", "-g", "default-command", ""]);
    server.tmux([
        "set-option",
        "-g",
        "default-shell",
        shell.to_str().expect("UTF-8"),
    ]);
    server.sesh("sesh-new", ["one"]).ok();
    // As an update of the system does.
    without_interpreter(&server, "gone-shell");
    let sentence = server.sesh("sesh-new", ["two"]).fails(1);
    assert!(
        sentence.starts_with("two did not start: cannot run"),
        "{sentence}"
    );
}

#[test]
fn a_server_that_ends_at_once_has_made_nothing() {
    let server = Server::empty();
    let ways: [&[&str]; 3] = [
        &["one", "--", "sleep", "1000"],
        &["one", "--json"],
        &["one", "--", "sh", "-c", "exec sleep 1000"],
    ];
    // A server waits for its jobs before it ends. Until then it answers, and the command runs.
    for (at_once, job) in [
        (true, ""),
        (
            false,
            "set-hook -g session-created { run-shell 'sleep 2' }\n",
        ),
    ] {
        let configuration = format!("set -s exit-unattached on\n{job}");
        std::fs::write(server.path("home/.tmux.conf"), configuration).expect("a file");
        for (which, args) in ways.into_iter().enumerate() {
            let socket = server.path(&format!("ends{at_once}{which}"));
            let sentence = at(&server, &socket, "sesh-new", args).fails(1);
            assert!(sentence.contains("exit-unattached"), "{sentence}");
            until("the server has ended", || {
                let list = at(&server, &socket, "sesh-list", &["--all", "one"]);
                list.said().code() == Some(69)
            });
        }
    }
    assert_eq!(server.launch_files().len(), 0);
}

#[test]
fn a_restore_whose_command_cannot_be_started_changes_nothing() {
    let server = Server::start();
    let program = server.script("job", "exit 3");
    let program = program.to_str().expect("UTF-8");
    let made = server.new_sesh(["one", "--", program]);
    server.ended(made.uuid());
    server.sesh("sesh-end", ["one"]).ok();
    without_interpreter(&server, "job");
    server.dies();
    let kept = server.record(made.uuid());
    server.starts_again();
    server.session((80, 24), &["cat"]);
    // First only the journal has it.
    for _ in 0..2 {
        let before = server.record(made.uuid());
        let sentence = server.sesh("sesh-restore", ["one", "--run"]).fails(1);
        assert!(
            sentence.starts_with("one did not start: cannot run"),
            "{sentence}"
        );
        assert_eq!(server.record(made.uuid()), before);
        assert_eq!(server.panes("#{pane_id}").len(), 1);
    }
    server.dies();
    assert_eq!(server.record(made.uuid()), kept);
    server.starts_again();
    server.session((80, 24), &["cat"]);
    server.script("job", "exec sleep 1000");
    server.sesh("sesh-restore", ["one", "--run"]).ok();
    assert!(server.record(made.uuid()).live());
}

/// Needs to be root, and setpriv of util-linux.
#[test]
fn the_server_of_another_user_cannot_run_it() {
    const NOBODY: &str = "65534";
    let Ok(setpriv) = which::which("setpriv") else {
        return;
    };
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let server = Server::start();
    let folder = server.path("theirs");
    std::fs::create_dir(&folder).expect("a folder");
    let other = nix::unistd::Uid::from_raw(65534);
    nix::unistd::chown(&folder, Some(other), None).expect("root may");
    for path in [server.folder(), &folder] {
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, all).expect("root may");
    }
    let socket = folder.join("s");
    let theirs = |args: &[&str]| {
        server
            .call(&setpriv)
            .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
            .args([
                server.program().as_os_str(),
                "-S".as_ref(),
                socket.as_os_str(),
            ])
            .args(["-f", "/dev/null"])
            .args(args)
            .folder(&folder)
    };
    theirs(&["new-session", "-d", "-s", "main", "cat", "-"]).ok();
    let call = at(
        &server,
        &socket,
        "sesh-new",
        &["one", "--", "sleep", "1000"],
    )
    .folder(&folder);
    let said = call.said();
    theirs(&["kill-server"]).ok();
    assert!(said.stdout.is_empty(), "{said}");
    assert!(said.sentence().contains("another user"), "{said}");
    assert_eq!((said.code(), server.launch_files().len()), (Some(4), 0));
}
