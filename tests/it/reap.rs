//! What is stored follows what is: `sesh-reap`, and the sums that every change of a state has written anew.

use crate::support::{Server, until};

/// The commands that stand in for those of the plugin: they count how often they were run.
const COUNTING: &str = "set-environment -ghF SESH_ran '#{e|+:#{SESH_ran},1}'";

/// How often they were run.
fn ran(server: &Server) -> u32 {
    let ran = server.tmux(["display-message", "-p", "#{SESH_ran}"]);
    ran.trim_end().parse().unwrap_or(0)
}

#[test]
fn every_change_of_a_state_has_the_sums_written() {
    let server = Server::start();
    let user = server.user_pane();
    server.tmux(["set-option", "-s", "@seshsum_procedure", COUNTING]);
    let counted = |what: &str, act: &dyn Fn()| {
        let before = ran(&server);
        act();
        until(&format!("the sums are written after {what}"), || {
            ran(&server) > before
        });
    };
    let helper = |helper: &str, args: &[&str]| {
        server.sesh(helper, args).ok();
    };
    for place in ["--session", "--window", "--split=v"] {
        counted(&format!("a birth with {place}"), &|| {
            server
                .inside(&user, "sesh-new", [place, "--no-launch", "--", "true"])
                .ok();
        });
    }
    let made = server.new_sesh(["one", "--no-launch", "--", "sleep", "1000"]);
    counted("its start", &|| {
        server.shows(made.pane(), "Enter starts");
        helper("pane-keys", &["one", "Enter"]);
    });
    server.runs(made.pane(), "sleep");
    counted("a rename", &|| {
        helper("sesh-set", &["one", "--name", "two"]);
    });
    counted("putting away", &|| {
        helper("sesh-set", &["two", "--archive"]);
    });
    counted("taking out", &|| {
        helper("sesh-set", &["two", "--unarchive"]);
    });
    counted("its end", &|| helper("pane-keys", &["two", "C-c"]));
    server.ended(made.uuid());
    counted("closing its pane", &|| helper("sesh-end", &["two"]));
    counted("forgetting it", &|| {
        helper("sesh-end", &["two", "--forget"]);
    });
    counted("an adoption", &|| {
        helper("sesh-adopt", &[&user, "--name", "three"]);
    });
    counted("letting it go", &|| helper("sesh-end", &["three"]));
}

#[test]
fn what_changes_nothing_writes_no_sums() {
    let server = Server::start();
    server.new_sesh(["one", "--tag", "x", "--", "sleep", "1000"]);
    server.tmux(["set-option", "-s", "@seshsum_procedure", COUNTING]);
    server.sesh("sesh-set", ["one", "--tag", "x"]).ok();
    server.sesh("sesh-list", ["--all"]).ok();
    // What comes later in the same queue has run: so would they have.
    server.sesh("sesh-set", ["one", "--tag", "y"]).ok();
    until("the sums are written", || ran(&server) > 0);
    assert_eq!(ran(&server), 1);
}

#[test]
fn no_sums_and_bad_sums_do_no_harm() {
    let server = Server::start();
    for (at, procedure) in [
        "",
        "rubbish {",
        "no-such-command",
        "kill-pane -t %999",
        "set-option -p -t %999 @x 1",
        "display-message -p '",
        "#(touch ran)#{E:@seshsum_procedure}",
    ]
    .iter()
    .enumerate()
    {
        server.tmux(["set-option", "-s", "@seshsum_procedure", procedure]);
        let name = format!("n{at}");
        let made = server.new_sesh([&name, "--", "sleep", "1000"]);
        server.sesh("sesh-set", [&name, "--archive"]).ok();
        server.sesh("sesh-end", [&name]).ok();
        assert_eq!(server.record(made.uuid()).state(), "exited", "{procedure}");
    }
    assert!(server.alive());
    assert!(!server.path("ran").exists());
}
