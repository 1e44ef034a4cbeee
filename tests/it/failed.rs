//! Commands that have failed: what a person sees and is told of them.

use pretty_assertions::assert_eq;

use crate::support::{MAIN, Screen, Server, until};

/// A server with the plugin, and a line of `~/../told` for each that a person was told of.
fn with_plugin() -> Server {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    let tell = "echo \"$SESH_NAME $SESH_STATE $SESH_EXIT: $SESH_SENTENCE\" >>\"$HOME/../told\"";
    server.option("@sesh-notify", tell);
    server.load();
    server
}

fn ends(server: &Server, name: &str, script: &str) -> String {
    let made = server.new_sesh([name, "--", "sh", "-c", script]);
    server.ended(made.uuid());
    server.plugin_has_settled();
    made.pane().into()
}

fn told(server: &Server) -> Vec<String> {
    let text = std::fs::read_to_string(server.path("told")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(Into::into).collect();
    lines.sort();
    lines
}

/// The segment, with the glyphs' styles as words.
fn segment(server: &Server) -> String {
    let segment = server.format(&server.user_pane(), "#{E:@sesh-status}");
    segment
        .replace("#[bold,underscore]", "FAILED ")
        .replace("#[push-default]", "")
        .replace("#[pop-default]", "")
        .replace("#[default]", "")
        .replace("#[bold]", "")
        .replace("#[]", "")
        .trim_end()
        .into()
}

#[test]
fn a_person_is_told_of_a_command_that_has_failed() {
    let server = with_plugin();
    ends(&server, "fine", "exit 0");
    ends(&server, "code", "exit 3");
    ends(&server, "killed", "kill -9 $$");
    ends(&server, "named (touch ran) & it", "exit 1");
    until("it is told", || told(&server).len() == 3);
    assert_eq!(
        told(&server),
        [
            "code exited exit 3: code has failed (exit 3)",
            "killed exited signal 9: killed has failed (signal 9)",
            "named (touch ran) & it exited exit 1: named (touch ran) & it has failed (exit 1)",
        ]
    );
    // What is asked to end has not failed, and neither has a shell whose last command has.
    let sleep = server.new_sesh(["sleep", "--", "sleep", "1000"]);
    server.runs(sleep.pane(), "sleep");
    server.sesh("sesh-end", ["sleep"]).ok();
    for signal in ["HUP", "INT", "TERM"] {
        ends(
            &server,
            &format!("by {signal}"),
            &format!("kill -{signal} $$"),
        );
    }
    ends(&server, "asked", "exit 143");
    let shell = server.new_sesh(["shell"]);
    server.when("it is at its prompt", shell.uuid(), |it| {
        it.state() == "idle"
    });
    server.say(shell.pane(), "exit 1");
    server.ended(shell.uuid());
    // What a client shows is no news.
    let screen = Screen::attach(&server, MAIN, (80, 20));
    let seen = server.new_sesh(["seen", "--", "sh", "-c", "read x; exit 4"]);
    server.tmux(["switch-client", "-c", screen.client(), "-t", seen.pane()]);
    server.say(seen.pane(), "go");
    server.ended(seen.uuid());
    server.plugin_has_settled();
    assert_eq!(told(&server).len(), 3);
    assert!(!server.path("ran").exists());
}

#[test]
fn the_segment_shows_failures_and_counts_no_sesh_twice() {
    let server = with_plugin();
    server.option("@sesh-preset", "plain");
    server.option("@sesh-order", "unseen ended");
    server.load();
    let fine = ends(&server, "fine", "exit 0");
    assert_eq!(segment(&server), "■1");
    let code = ends(&server, "code", "exit 3");
    assert_eq!(segment(&server), "FAILED ■1 ■1");
    // The sums mean what they meant.
    server.counts("0 0 0 0 2 2");
    let failed = || server.format(&server.user_pane(), "#{@seshsum_failed}");
    assert_eq!(failed(), "1");
    let see = |pane: &str| {
        server.tmux([
            "set-option",
            "-pF",
            "-t",
            pane,
            "@sesh_seen",
            "#{@sesh_gen}",
        ]);
        server.recount();
    };
    see(&fine);
    assert_eq!(segment(&server), "FAILED ■1 □1");
    see(&code);
    assert_eq!(segment(&server), "□2");
    assert_eq!(
        (failed().as_str(), server.sums().as_str()),
        ("0", "0 0 0 0 2 0")
    );
    // A scan of all panes has the same counts as the changes one by one.
    let more = ends(&server, "more", "exit 9");
    let letters = || server.panes("#{@seshsum_letter}");
    assert!(letters().contains(&format!("E{more}F")) && letters().contains(&"ef".into()));
    server.tmux(["set-hook", "-gR", "after-display-panes"]);
    assert_eq!(
        (segment(&server).as_str(), failed().as_str()),
        ("FAILED ■1 □2", "1")
    );
    server.sesh("sesh-end", ["more", "code", "fine"]).ok();
    until("nothing is left", || segment(&server).is_empty());
}

#[test]
fn the_windows_of_failed_commands_are_red() {
    let server = with_plugin();
    server.option("@sesh-preset", "dark");
    server.load();
    let fine = ends(&server, "fine", "exit 0");
    let code = ends(&server, "code", "exit 3");
    let glyph = |pane: &str| server.format(pane, "#{E:@sesh-window}");
    let red = "fg=colour210,bold";
    assert!(
        glyph(&code).contains(red) && glyph(&code).contains('■'),
        "{}",
        glyph(&code)
    );
    assert!(!glyph(&fine).contains(red), "{}", glyph(&fine));
    server.tmux([
        "set-option",
        "-pF",
        "-t",
        &code,
        "@sesh_seen",
        "#{@sesh_gen}",
    ]);
    server.recount();
    assert!(
        glyph(&code).contains(red) && glyph(&code).contains('□'),
        "{}",
        glyph(&code)
    );
    // Also where several panes are in the window, and in the part of the pane itself.
    server.tmux(["split-window", "-d", "-t", &code, "cat"]);
    assert!(glyph(&code).contains(red), "{}", glyph(&code));
    assert!(server.format(&code, "#{E:@seshpart_here}").contains(red));
    server.option("@sesh-style-failed", "fg=blue");
    server.load();
    assert!(glyph(&code).contains("fg=blue"), "{}", glyph(&code));
}

#[test]
fn the_list_on_a_terminal_shows_failures_in_red() {
    let server = Server::start();
    ends_without_plugin(&server, "fine", "exit 0");
    ends_without_plugin(&server, "code", "exit 3");
    let list = format!("sesh-list -S {}", server.socket().display());
    let shown = |colours: &str| {
        let pane = server.session(
            (100, 20),
            &[
                "env",
                "TERM=screen-256color",
                colours,
                "sh",
                "-c",
                &format!("{list}; cat"),
            ],
        );
        server.shows(&pane, "exited 3");
        server.tmux(["capture-pane", "-p", "-e", "-t", &pane])
    };
    let red: Vec<String> = shown("A=1")
        .lines()
        .filter(|line| line.contains("\x1b[31m"))
        .map(Into::into)
        .collect();
    assert!(red.len() == 1 && red[0].starts_with("code"), "{red:?}");
    assert!(!shown("NO_COLOR=1").contains("\x1b[31m"));
    // A pipe has no colours.
    let text = server.sesh("sesh-list", ["code"]).ok();
    assert!(!text.text().contains('\x1b'), "{text}");
}

fn ends_without_plugin(server: &Server, name: &str, script: &str) {
    let made = server.new_sesh([name, "--", "sh", "-c", script]);
    server.ended(made.uuid());
}
