//! What a person sees of the plugin, and when it has been seen: who passes by, clients without UTF-8, a folder that is gone.

use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;

use crate::support::{MAIN, Screen, Server, until};

/// A loaded server with windows of seshes that have ended and are unread.
fn with_unread(names: &[&str]) -> (Server, Vec<String>) {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.load();
    let panes = names
        .iter()
        .map(|name| {
            let pane = server.window(MAIN);
            unread(&server, &pane, name);
            pane
        })
        .collect();
    server.recount();
    (server, panes)
}

fn unread(server: &Server, pane: &str, name: &str) {
    server.make_sesh(pane, name, "exited");
    for (option, value) in [("@sesh_exit", "1 - 5"), ("@sesh_gen", "2")] {
        server.tmux(["set-option", "-p", "-t", pane, option, value]);
    }
}

fn seen(server: &Server, pane: &str) -> String {
    server.format(pane, "#{@sesh_seen}")
}

#[test]
fn who_passes_by_has_not_seen() {
    let (server, panes) = with_unread(&["a", "b", "c"]);
    let person = Screen::attach(&server, MAIN, (80, 20));
    let user = server.user_pane();
    // A split of the user's window, and a session of its own.
    let split = server.tmux([
        "split-window",
        "-d",
        "-t",
        &user,
        "-P",
        "-F",
        "#{pane_id}",
        "cat",
    ]);
    let split = split.trim_end().to_string();
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let far = server.format("other:", "#{pane_id}");
    for (pane, name) in [(&split, "split"), (&far, "far")] {
        unread(&server, pane, name);
    }
    server.recount();
    server.counts("0 0 0 0 5 5");
    // Back and forth for longer than a look takes, so that each comes several times.
    let begun = Instant::now();
    until("a while has passed", || {
        for pane in &panes {
            server.tmux(["select-window", "-t", pane]);
        }
        server.tmux(["next-window", "-t", MAIN]);
        server.tmux(["select-window", "-t", &user]);
        server.tmux(["select-pane", "-t", &split]);
        server.tmux(["select-pane", "-t", &user]);
        server.tmux(["switch-client", "-c", person.client(), "-t", "=other"]);
        server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
        begun.elapsed() > Duration::from_secs(3)
    });
    server.tmux(["select-window", "-t", &user]);
    server.tmux(["select-pane", "-t", &user]);
    // The timers of the last arrivals are over when one that starts now is.
    server.tmux(["run-shell", "-d", "1.5", "true"]);
    let unseen = server.panes("#{@sesh_name}#{@sesh_seen} #{@seshsum_arrived}");
    assert_eq!(server.sums(), "0 0 0 0 5 5", "{unseen:?}");
    // Who stays has seen, each in its way.
    server.tmux(["select-window", "-t", &panes[1]]);
    until("the window is seen", || seen(&server, &panes[1]) == "2");
    server.tmux(["select-window", "-t", &user]);
    server.tmux(["select-pane", "-t", &split]);
    until("the pane is seen", || seen(&server, &split) == "2");
    server.tmux(["switch-client", "-c", person.client(), "-t", "=other"]);
    until("the session is seen", || seen(&server, &far) == "2");
    // Where the pane in front closes, the one beside it is looked at, without a command that selects it.
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    let front = server.tmux([
        "split-window",
        "-t",
        &panes[0],
        "-P",
        "-F",
        "#{pane_id}",
        "cat",
    ]);
    server.tmux(["select-window", "-t", front.trim_end()]);
    assert_eq!(seen(&server, &panes[0]), "1");
    server.tmux(["kill-pane", "-t", front.trim_end()]);
    until("the pane beside is seen", || {
        seen(&server, &panes[0]) == "2"
    });
    server.counts("0 0 0 0 5 1");
}

#[test]
fn a_key_of_ours_has_seen_at_once() {
    let server = Server::start();
    server.load();
    let one = server.new_sesh(["one", "--target", MAIN, "--", "false"]);
    server.ended(one.uuid());
    let person = Screen::attach(&server, MAIN, (80, 20));
    person.types(&["C-b", "N"]);
    until("the pane is shown", || {
        server.format(one.pane(), "#{window_active}") == "1"
    });
    assert_eq!(seen(&server, one.pane()), "2");
}

/// A client whose terminal is not UTF-8.
fn without_utf8(server: &Server, size: (u16, u16)) -> Screen {
    let program = server.program().display().to_string();
    let socket = server.socket().display().to_string();
    let screen = Screen::open(
        size,
        &[
            "env",
            "LC_ALL=C",
            "LANG=C",
            "TERM=screen",
            &program,
            "-S",
            &socket,
            "attach-session",
            "-t",
            MAIN,
        ],
    );
    until("a client without UTF-8 is attached", || {
        server
            .tmux(["list-clients", "-F", "#{client_utf8}"])
            .lines()
            .any(|line| line == "0")
    });
    screen
}

#[test]
fn each_client_gets_the_glyphs_that_it_can_show() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.option("status-right", "<#{sesh_status}>");
    server.option("status-right-length", "100");
    for name in ["window-status-format", "window-status-current-format"] {
        server.option(name, "#I#{sesh_window}");
    }
    server.option("@sesh-glyph-busy", "B");
    server.option("@sesh-glyph-unknown", "∎");
    server.load();
    for (name, state) in [
        ("one", "busy"),
        ("two", "idle"),
        ("three", "waiting"),
        ("four", "unknown"),
    ] {
        let pane = server.window(MAIN);
        server.make_sesh(&pane, name, state);
    }
    let (late, seen) = (server.window(MAIN), server.window(MAIN));
    for pane in [&late, &seen] {
        unread(&server, pane, "late");
    }
    server.tmux(["set-option", "-p", "-t", &seen, "@sesh_seen", "2"]);
    // A window with several seshes has all their glyphs.
    let beside = server.tmux([
        "split-window",
        "-d",
        "-t",
        &seen,
        "-P",
        "-F",
        "#{pane_id}",
        "cat",
    ]);
    server.make_sesh(beside.trim_end(), "beside", "busy");
    server.option("@seshsum_lost", "3");
    server.recount();
    let with = Screen::attach(&server, MAIN, (120, 20));
    let without = without_utf8(&server, (120, 20));
    with.shows("1 B 2 ○ 3 ◆ 4 ∎ 5 ■ 6 □ B");
    with.shows("<↺3 ◆1 ■1 B2 ○1 ∎1 □1 ");
    without.shows("1 B 2 - 3 ! 4 ? 5 + 6 x B");
    without.shows("<^3 !1 +1 B2 -1 ?1 x1 ");
    // And so in the picker.
    server.new_sesh(["real", "--target", MAIN]);
    without.types(&["C-b", "e"]);
    without.shows("- real");
    without.shows("> type to filter");
    let text = without.text();
    let mut picker = text.lines().take(19);
    assert!(!picker.any(|line| line.contains('_')), "{text}");
    without.types(&["Escape"]);
}

#[test]
fn a_folder_that_is_gone_leaves_nothing_behind() {
    for moved in [false, true] {
        let server = Server::start();
        server.option("@sesh-tick", "0.2");
        server.load();
        let pane = server.window(MAIN);
        server.make_sesh(&pane, "one", "busy");
        server.make_sesh(&server.user_pane(), "stays", "idle");
        server.recount();
        server.counts("0 1 1 0 0 0");
        let person = Screen::attach(&server, MAIN, (120, 20));
        let folder = server.plugin();
        if moved {
            std::fs::rename(&folder, server.path("elsewhere")).expect("it moves");
        } else {
            std::fs::remove_dir_all(&folder).expect("it goes");
        }
        // A closing starts the job that finds it.
        server.tmux(["kill-pane", "-t", &pane]);
        until("the hooks are gone", || server.plugin_hooks().is_empty());
        until("the tick and the counts are gone", || {
            server.tmux(["display-message", "-p", "#{SESH_tick}"]) == "\n"
                && server.sums() == "0 0 0 0 0 0"
        });
        // A key says one line, and again for the next.
        for _ in 0..2 {
            person.types(&["C-b", "e"]);
            person.shows("the folder of the plugin is gone");
            person.types(&["x"]);
            until("the line is gone", || !person.text().contains("is gone"));
        }
        assert_eq!(server.format(&server.user_pane(), "#{pane_in_mode}"), "0");
        // It comes back, and all is well again.
        if moved {
            std::fs::rename(server.path("elsewhere"), &folder).expect("it moves");
        }
        server.load();
        assert!(!server.plugin_hooks().is_empty());
        let pane = server.window(MAIN);
        server.make_sesh(&pane, "two", "idle");
        server.recount();
        server.counts("0 0 2 0 0 0");
    }
}

#[test]
fn every_job_is_silent_without_its_folder() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.option("@sesh-notify", "bell");
    server.load();
    let user = server.user_pane();
    server.make_sesh(&user, "mine", "idle");
    let person = Screen::attach(&server, MAIN, (120, 20));
    std::fs::remove_dir_all(server.plugin()).expect("it goes");
    // What a timer, a notification, a command and a hook start.
    server.tmux(["run-shell", "-t", &user, "#{E:@seshplugin_tell}"]);
    server.tmux(["sesh-count"]);
    for hook in ["post-save-layout", "pre-restore-all", "post-restore-all"] {
        let option = format!("@resurrect-hook-{hook}");
        let script = server.tmux(["show-options", "-gqv", &option]);
        let file = server.path("layout").display().to_string();
        let script = format!(
            "last_resurrect_file() {{ echo {file}; }}\n{} {file}",
            script.trim_end()
        );
        let script = if hook == "post-save-layout" {
            script
        } else {
            script.replace(&format!(" {file}"), "") + "\nwait"
        };
        server.tmux(["set-option", "-s", "@seshplugin_bin", "/nowhere"]);
        let said = server
            .outside("/bin/sh".as_ref())
            .args(["-c", &script])
            .said();
        assert_eq!(
            (said.code(), &said.stdout[..], said.stderr.as_str()),
            (Some(0), &b""[..], ""),
            "{hook}"
        );
    }
    server.plugin_has_settled();
    assert_eq!(
        server.format(&user, "#{pane_in_mode}"),
        "0",
        "{}",
        person.text()
    );
    assert!(server.plugin_hooks().is_empty());
}

#[test]
fn the_default_shell_may_be_another_one() {
    // tmux 3.5 gives it all jobs. Others give them to sh.
    for shell in ["fish", "csh", "zsh"] {
        let Ok(shell) = which::which(shell) else {
            crate::support::say(&format!("not tested: {shell} is not installed"));
            continue;
        };
        let server = Server::start();
        server.option("default-shell", &shell.display().to_string());
        server.option("@sesh-tick", "0.2");
        server.load();
        let user = server.user_pane();
        let person = Screen::attach(&server, MAIN, (120, 20));
        let pane = server.window(MAIN);
        unread(&server, &pane, "one");
        server.recount();
        server.counts("0 0 0 0 1 1");
        server.tmux(["select-window", "-t", &pane]);
        until("it is seen", || seen(&server, &pane) == "2");
        server.tmux(["select-window", "-t", &user]);
        person.types(&["C-b", "M-e"]);
        person.shows("Adopt as a sesh");
        person.types(&["a"]);
        person.shows("name of the sesh");
        person.types(&["mine", "Enter"]);
        until("it is a sesh", || {
            server.format(&user, "#{@sesh_name}") == "mine"
        });
        assert_eq!(
            server.format(&user, "#{pane_in_mode}"),
            "0",
            "{}",
            person.text()
        );
        std::fs::remove_dir_all(server.plugin()).expect("it goes");
        server.tmux(["kill-pane", "-t", &pane]);
        until("the hooks are gone", || server.plugin_hooks().is_empty());
        assert_eq!(
            server.format(&user, "#{pane_in_mode}"),
            "0",
            "{}",
            person.text()
        );
    }
}

#[test]
fn keys_of_other_tables() {
    let server = Server::start();
    server.tmux(["bind-key", "-n", "M-h", "display-message", "mine"]);
    server.option(
        "@sesh-key-next",
        "root M-g M-h prefix g copy-mode-vi G mine x",
    );
    server.option("@sesh-key-menu", "none");
    server.option("@sesh-key-last", "F5 root F6");
    let before = server.settings();
    server.load();
    let bound = server.tmux(["display-message", "-p", "#{@seshplugin_keys}"]);
    for expected in [
        "root M-g root M-h prefix g copy-mode-vi G mine x",
        "prefix F5 root F6",
    ] {
        assert!(bound.contains(expected), "{bound}");
    }
    let keys = server.tmux(["list-keys"]);
    assert_eq!(keys.matches("key.sh next").count(), 5, "{keys}");
    assert!(!keys.contains("key.sh menu"), "{keys}");
    // One of them goes there without the prefix.
    let one = server.new_sesh(["one", "--target", MAIN, "--", "false"]);
    server.ended(one.uuid());
    let person = Screen::attach(&server, MAIN, (80, 20));
    person.types(&["M-g"]);
    until("the key goes there", || seen(&server, one.pane()) == "2");
    server.sesh("sesh-end", ["--forget", "one"]).ok();
    // Changed, the old ones are free again.
    server.option("@sesh-key-next", "root M-j");
    server.load();
    let keys = server.tmux(["list-keys"]);
    assert_eq!(keys.matches("key.sh next").count(), 1, "{keys}");
    server.option(
        "@sesh-key-next",
        "root M-g M-h prefix g copy-mode-vi G mine x",
    );
    server.load();
    drop(person);
    server.uninstall(&["--forget"]);
    crate::support::same_settings(&server.settings(), &before);
    // A table without a key is no key.
    server.option("@sesh-key-next", "rooot");
    server.load();
    let trouble = server.tmux(["display-message", "-p", "#{@seshplugin_trouble}"]);
    assert!(trouble.contains("tmux knows no key rooot"), "{trouble}");
}

#[test]
fn the_green_bar_of_every_version_is_the_default_one() {
    let server = Server::start();
    server.load();
    let bar = |style: &str| {
        let set = server.try_tmux(["set-option", "-g", "status-style", style]);
        (set.code() == Some(0)).then(|| {
            server.load();
            server.tmux(["display-message", "-p", "#{@seshlook_bar}"])
        })
    };
    let plain = Some("1\n".to_string());
    assert_eq!(bar("bg=green,fg=black"), plain);
    assert_eq!(bar("bg=#1e1e2e,fg=green"), Some("0\n".into()));
    // The development version's default.
    if let Some(bar) = bar("bg=themegreen,fg=themeblack") {
        assert_eq!(Some(bar), plain);
    }
}
