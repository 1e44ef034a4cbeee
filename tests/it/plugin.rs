//! The plugin in a tmux: loading, the segment as a person sees it, keys, reloading, leaving.

use std::time::{Duration, Instant};

use pretty_assertions::{assert_eq, assert_ne};

use crate::support::{Control, MAIN, Screen, Server, same_settings, until, until_some};

const OPTIONS: &str = "plugin/doc/options.md";
const SHORT: &str = "#{sesh_status}";
const LONG: &str = "#{E:@sesh-status}";

fn global(server: &Server, name: &str) -> String {
    server
        .tmux(["show-options", "-gv", name])
        .trim_end_matches('\n')
        .into()
}

/// A person's screen on a server whose status line is the segment.
fn with_segment(server: &Server) -> Screen {
    server.option("status-right", SHORT);
    server.option("status-right-length", "100");
    server.option("status-left", "");
    server.option("window-status-format", "#I#{sesh_window}");
    server.option("window-status-current-format", "#I#{sesh_window}*");
    server.load();
    Screen::attach(server, MAIN, (120, 20))
}

#[test]
fn loading_says_nothing() {
    let server = Server::start();
    server.load();
    let entry = server.plugin().join("sesh.tmux");
    server.outside(&entry).ok();
    for shell in ["dash", "bash"] {
        let Ok(shell) = which::which(shell) else {
            continue;
        };
        let said = server.outside(&shell).args([&entry]).ok();
        assert!(said.stdout.is_empty(), "{said}");
    }
    assert_eq!(
        server.tmux(["display-message", "-p", "#{@seshplugin_trouble}"]),
        "\n"
    );
}

#[test]
fn each_file_is_plain_configuration() {
    let server = Server::start();
    let folder = server.plugin().join("tmux.conf.d");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("tmux.conf.d")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    // Alone, and after those before it; and each of them again.
    for file in files.iter().rev().chain(&files).chain(&files) {
        let said = server.try_tmux(["source-file".as_ref(), file.as_os_str()]);
        assert_eq!(said.code(), Some(0), "{said}");
        assert!(
            said.stdout.is_empty() && said.stderr.is_empty(),
            "{}: {said}",
            file.display()
        );
        server.plugin_has_settled();
    }
    let once = server.settings();
    for file in &files {
        server.tmux(["source-file".as_ref(), file.as_os_str()]);
    }
    server.plugin_has_settled();
    same_settings(&server.settings(), &once);
}

#[test]
fn reloading_changes_nothing() {
    let server = Server::start();
    server.option("status-right", &format!("{SHORT} #(true) %H:%M $HOME"));
    server.option("@sesh-tick", "0.3");
    server.tmux(["set-hook", "-g", "pane-died", "display-message mine"]);
    server.load();
    let once = server.settings();
    for _ in 0..20 {
        server.load();
    }
    same_settings(&server.settings(), &once);
    // And there is one tick: each looks once, which a variable asks for.
    server.tmux([
        "set-hook",
        "-g",
        "after-set-environment",
        "if-shell -F '#{&&:#{==:#{hook_argument_0},SESH_do},#{m:*look*,#{hook_argument_1}}}' \
         'set-option -gF @looks \"#{e|+:#{@looks},1}\"'",
    ]);
    let looks = || -> u32 {
        let looks = server.tmux(["display-message", "-p", "#{e|+:#{@looks},0}"]);
        looks.trim().parse().expect("a number")
    };
    let start = Instant::now();
    until("the tick has looked four times", || looks() >= 4);
    let took = start.elapsed();
    assert!(
        took > Duration::from_millis(800),
        "{took:?}: more than one tick"
    );
}

#[test]
fn it_leaves_no_trace() {
    let server = Server::start();
    let line = format!("{SHORT} #(true) \"%H:%M\" 'x' $HOME \\; #{{l:a,b}}}} #[fg=red]");
    server.option("status-right", &line);
    server.option("window-status-format", "#I:#W#{sesh_window}");
    server.option("@sesh-order", "waiting here");
    server.tmux(["set-hook", "-g", "pane-died[3]", "display-message mine"]);
    server.tmux(["bind-key", "-N", "my own", "g", "display-message mine"]);
    let before = server.settings();
    server.load();
    assert_ne!(server.settings(), before);
    let right = global(&server, "status-right");
    assert!(right.starts_with(LONG), "{right}");
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    server.recount();
    server.load();
    server.uninstall(&["--forget"]);
    same_settings(&server.settings(), &before);
    let panes = server.tmux(["show-options", "-p", "-t", made.pane()]);
    assert!(!panes.contains("@sesh_"), "{panes}");
    assert!(server.has_pane(made.pane()), "what runs goes on");
    // Back again, and away: the tick of the first load is not that of the second.
    server.load();
    server.uninstall(&[]);
    same_settings(&server.settings(), &before);
}

#[test]
fn state_is_forgotten_only_when_told() {
    let server = Server::start();
    server.load();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let uninstall = server.plugin().join("plugin/uninstall");
    let said = server.outside(&uninstall).ok();
    assert!(said.text().contains("1 sesh:"), "{said}");
    server.sesh("sesh-list", ["one"]).ok();
    // A person is asked.
    server.load();
    let tmux = format!("TMUX={},{},0", server.socket().display(), server.pid());
    let path = uninstall.display().to_string();
    let home = format!("HOME={}", server.path("home").display());
    let person = Screen::open(
        (100, 20),
        &["env", &tmux, &home, "sh", "-c", &format!("{path}; cat")],
    );
    person.shows("Forget them? [y/N]");
    person.types(&["y", "Enter"]);
    person.shows("has left");
    server.sesh("sesh-list", ["one"]).fails(3);
}

#[test]
fn the_segment_is_seen() {
    let server = Server::start();
    let person = with_segment(&server);
    // Nothing is nothing.
    assert!(!person.text().contains('●'), "{}", person.text());
    let user = server.user_pane();
    for (name, state) in [
        ("one", "busy"),
        ("two", "busy"),
        ("three", "idle"),
        ("four", "waiting"),
    ] {
        let pane = server.window(MAIN);
        server.make_sesh(&pane, name, state);
    }
    server.make_sesh(&user, "mine", "unknown");
    let ended = server.window(MAIN);
    server.make_sesh(&ended, "late", "exited");
    server.tmux(["set-option", "-p", "-t", &ended, "@sesh_exit", "1 - 5"]);
    server.tmux(["set-option", "-p", "-t", &ended, "@sesh_gen", "2"]);
    server.recount();
    person.shows("◆1 ■1 ●2 ○1 ◌1 ◌ mine now");
    person.shows("0 ◌*");
    person.shows("5 ■");
    // The age is computed, not written.
    server.tmux([
        "set-option",
        "-pF",
        "-t",
        &user,
        "@sesh_since",
        "#{e|-:#{T:#{l:%s}},7300}",
    ]);
    person.shows("mine 2h");
    // Looked at, it is news no more; an archived one does not count.
    server.tmux(["select-window", "-t", &ended]);
    person.shows("◆1 ●2 ○1 ◌1 □1 □ late");
    server.tmux(["set-option", "-p", "-t", &ended, "@sesh_archived", "1"]);
    server.recount();
    person.shows("◆1 ●2 ○1 ◌1 □ late");
    // Trouble comes first.
    server.tmux([
        "set-option",
        "-s",
        "@seshplugin_trouble",
        "sesh: #(touch x) #[fg=red] 100%",
    ]);
    person.shows("sesh: #(touch x) #[fg=red] 100% ◆1");
}

#[test]
fn glyphs_order_and_styles_are_the_persons() {
    let server = Server::start();
    for (option, value) in [
        ("@sesh-glyphs", "ascii"),
        ("@sesh-glyph-busy", "B"),
        ("@sesh-glyph-idle", "none"),
        ("@sesh-order", "idle | busy here"),
        ("@sesh-style-busy", "fg=#{@mine}"),
        ("@mine", "red"),
    ] {
        server.option(option, value);
    }
    let person = with_segment(&server);
    server.make_sesh(&server.user_pane(), "mine", "busy");
    let other = server.window(MAIN);
    server.make_sesh(&other, "other", "idle");
    server.recount();
    person.shows("1 | B1 B mine");
    let shown = server.format(&server.user_pane(), "#{E:@sesh-status}");
    assert!(shown.contains("#[fg=red]B1"), "{shown}");
    for (preset, style) in [
        ("light", "colour28"),
        ("dark", "colour114"),
        ("catppuccin", "fg=green-ish"),
    ] {
        server.tmux(["set-option", "-gu", "@sesh-style-busy"]);
        server.option("@thm_green", "green-ish");
        server.option("@sesh-preset", preset);
        server.load();
        let shown = server.format(&server.user_pane(), "#{E:@sesh-status}");
        assert!(shown.contains(style), "{preset}: {shown}");
    }
    // One that a person has made is theirs.
    server.option("@sesh-status", "my own");
    server.load();
    assert_eq!(global(&server, "@sesh-status"), "my own");
}

#[test]
fn a_theme_may_come_before_or_after() {
    let theme = |server: &Server| {
        server.option(
            "status-right",
            &format!("#[fg=red]{SHORT}#(true) %H:%M \\1 & $HOME"),
        );
        server.option(
            "window-status-current-format",
            "#W#{sesh_window}#{sesh_window}",
        );
    };
    let right = format!("#[fg=red]{LONG}#(true) %H:%M \\1 & $HOME");
    let replaced = |server: &Server| {
        // Two versions print a dollar with a backslash; inside tmux it has none.
        server.format(MAIN, "#{==:#{status-right},#{@right}}") == "1"
            && global(server, "window-status-current-format")
                == "#W#{E:@sesh-window}#{E:@sesh-window}"
    };
    // Before.
    let server = Server::start();
    server.option("@right", &right);
    theme(&server);
    server.load();
    assert!(replaced(&server));
    // After, with a client that comes.
    theme(&server);
    let person = Screen::attach(&server, MAIN, (80, 20));
    until("the client has brought it back", || replaced(&server));
    drop(person);
    // After, and nobody comes: the tick.
    server.option("@sesh-tick", "0.2");
    server.load();
    theme(&server);
    until("the tick has brought it back", || replaced(&server));
}

#[test]
fn a_tmux_that_starts_has_it_before_its_first_session() {
    let server = Server::empty();
    server.option("status-right", SHORT);
    server.option("window-status-format", "#W#{sesh_window}");
    server.option("@sesh-tick", "off");
    server.load();
    if server.tmux(["display-message", "-p", "#{version}"]) == "3.2a\n" {
        // There it waits for the session.
        server.tmux(["new-session", "-d", "cat"]);
    }
    assert_eq!(global(&server, "status-right"), LONG);
    assert_eq!(
        global(&server, "window-status-format"),
        "#W#{E:@sesh-window}"
    );
    assert!(
        server
            .tmux(["list-keys", "-T", "prefix"])
            .contains("key.sh enter")
    );
    assert!(
        server
            .tmux(["show-hooks", "-gw"])
            .contains("pane-exited[8801]")
    );
}

#[test]
fn a_session_with_a_line_of_its_own_keeps_it() {
    let server = Server::start();
    let session = format!("={MAIN}:");
    let own = format!("own {SHORT}");
    server.option("status-right", &format!("all {SHORT}"));
    server.tmux(["set-option", "-t", &session, "status-right", &own]);
    server.load();
    assert_eq!(global(&server, "status-right"), format!("all {SHORT}"));
    let local = || server.tmux(["show-options", "-v", "-t", &session, "status-right"]);
    assert_eq!(local().trim_end(), own);
    // Another session's client sees to the global one.
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let _other = Control::attach(&server, "other");
    until("the global line has the segment", || {
        global(&server, "status-right") == format!("all {LONG}")
    });
    assert_eq!(local().trim_end(), own);
    server.uninstall(&[]);
    assert_eq!(global(&server, "status-right"), format!("all {SHORT}"));
    assert_eq!(local().trim_end(), own);
}

#[test]
fn keys_take_nothing_that_is_bound() {
    let server = Server::start();
    let keys = || -> Vec<String> {
        server
            .tmux(["list-keys"])
            .lines()
            .filter(|line| !line.contains("key.sh "))
            .map(|line| line.split_whitespace().collect::<Vec<&str>>().join(" "))
            .collect()
    };
    let before = keys();
    server.load();
    assert_eq!(keys(), before, "a default key is taken");
    let bound = server.tmux(["display-message", "-p", "#{@seshplugin_keys}"]);
    assert!(
        bound.contains("prefix e") && bound.contains("prefix N") && bound.contains("prefix M-e"),
        "{bound}"
    );
    let notes = server.tmux(["list-keys", "-N", "-T", "prefix"]);
    assert!(notes.contains("Go to a sesh"), "{notes}");
    // What TPM and tmux-resurrect bind.
    for taken in ["I", "U", "M-u", "C-s", "C-r"] {
        assert!(!bound.split_whitespace().any(|key| key == taken), "{bound}");
    }
}

#[test]
fn keys_are_the_persons() {
    let server = Server::start();
    server.tmux(["bind-key", "e", "display-message", "mine"]);
    server.tmux([
        "bind-key",
        "-N",
        "it's \"my\" $HOME",
        "F5",
        "display-message",
        "mine too",
    ]);
    server.option("@sesh-key-next", "none");
    server.option("@sesh-key-menu", "F5 \" ; M-; C-]");
    let before = server.settings();
    server.load();
    let line = |key: &str| {
        server
            .tmux(["list-keys", "-T", "prefix"])
            .lines()
            .find(|line| line.contains(&format!(" {key} ")))
            .unwrap_or_default()
            .to_string()
    };
    assert!(
        line("e").contains("mine"),
        "a person's own key is taken: {}",
        line("e")
    );
    assert!(!server.tmux(["list-keys"]).contains("key.sh next"));
    let menus = server.tmux(["list-keys", "-T", "prefix"]);
    assert_eq!(menus.matches("key.sh menu").count(), 5, "{menus}");
    // Changed, the old ones are free again.
    server.option("@sesh-key-menu", "M-e");
    server.load();
    assert!(line("M-e").contains("key.sh menu"));
    assert!(!line("C-]").contains("key.sh"), "{}", line("C-]"));
    server.option("@sesh-key-menu", "F5 \" ; M-; C-]");
    server.load();
    server.uninstall(&[]);
    same_settings(&server.settings(), &before);
}

#[test]
fn a_key_opens_the_chooser_for_who_pressed_it() {
    let server = Server::start();
    server.option("@sesh-picker", "tree");
    server.load();
    let pane = server.window(MAIN);
    server.make_sesh(&pane, "lines", "busy");
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let presses = Screen::attach(&server, MAIN, (80, 20));
    let watches = Screen::attach(&server, "other", (80, 20));
    presses.types(&["C-b", "e"]);
    presses.shows("(0)");
    assert!(!watches.text().contains("(0)"), "{}", watches.text());
    presses.types(&["q"]);
    let user = server.user_pane();
    until("the chooser is gone", || {
        server.format(&user, "#{pane_mode}").is_empty()
    });
    // What a helper refuses is told to the same one.
    presses.types(&["C-b", "N"]);
    presses.shows("no sesh needs you");
    assert!(!watches.text().contains("no sesh"), "{}", watches.text());
}

#[test]
fn the_menu_names_tags_and_ends() {
    let server = Server::start();
    server.load();
    let person = Screen::attach(&server, MAIN, (100, 30));
    let user = server.user_pane();
    let menu = |item: &str| {
        person.types(&["C-b", "M-e"]);
        person.shows("└──");
        person.types(&[item]);
    };
    let answer = |prompt: &str, text: &str| {
        person.shows(prompt);
        person.types(&["C-u"]);
        person.types(&[text]);
        person.types(&["Enter"]);
    };
    menu("a");
    answer("name of the sesh", "mine");
    until("the pane is a sesh", || {
        server.format(&user, "#{@sesh_name}") == "mine"
    });
    menu("r");
    answer("new name:", "ours and yours");
    until("it has another name", || {
        server.format(&user, "#{@sesh_name}") == "ours and yours"
    });
    menu("t");
    answer("tag:", "work");
    until("it has a tag", || {
        server.format(&user, "#{@sesh_tags}") == " work "
    });
    menu("n");
    answer("note", "a \"b\" $HOME ; #(touch x) 100% ~ \\");
    until("it has a note", || {
        let note = server.sesh("sesh-list", ["--json"]).ok().only();
        note.0["note"] == "a \"b\" $HOME ; #(touch x) 100% ~ \\"
    });
    menu("a");
    person.shows("sesh: archived");
    until("it is put away", || {
        server.format(&user, "#{@sesh_archived}") == "1"
    });
    menu("c");
    until("its text is a buffer", || {
        server.tmux(["list-buffers"]).contains("sesh:")
    });
    // Ended only after a yes.
    let made = server.new_sesh(["--target", MAIN, "late", "--", "sleep", "1000"]);
    server.tmux(["select-window", "-t", made.pane()]);
    menu("x");
    person.shows("end late? (y/n)");
    person.types(&["n"]);
    menu("x");
    person.shows("end late? (y/n)");
    assert!(server.record(made.uuid()).live());
    person.types(&["y"]);
    server.ended(made.uuid());
    let left = server.tmux(["list-buffers"]);
    assert!(!left.contains("sesh-typed"), "{left}");
}

#[test]
fn the_menu_restores_what_was_alive() {
    let server = Server::start();
    let shell = server.new_sesh(["shell", "--session"]);
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "-s", MAIN]);
    server.load();
    until("it is offered", || {
        server.format(MAIN, "#{@seshsum_lost}") == "1"
    });
    let person = Screen::attach(&server, MAIN, (100, 30));
    person.types(&["C-b", "M-e"]);
    person.shows("Restore what was alive");
    person.types(&["R"]);
    person.shows("sesh: restored what was alive when tmux died");
    assert!(server.record(shell.uuid()).live());
    person.types(&["C-b", "M-e"]);
    person.shows("Adopt as a sesh");
    assert!(!person.text().contains("Restore what"));
}

#[test]
fn the_menu_says_what_cannot_be_done() {
    let server = Server::start();
    server.load();
    let user = server.user_pane();
    let pane = server.window(MAIN);
    for (pane, name) in [(&user, "mine"), (&pane, "taken")] {
        server.sesh("sesh-adopt", [pane, "--name", name]).ok();
    }
    let person = Screen::attach(&server, MAIN, (150, 30));
    let menu = |item: &str| {
        person.types(&["C-b", "M-e"]);
        person.shows("└──");
        person.types(&[item]);
    };
    let refused = |item: &str, prompt: &str, text: &str, why: &str| {
        menu(item);
        person.shows(prompt);
        person.types(&["C-u"]);
        person.types_text(text);
        person.types(&["Enter"]);
        person.shows(why);
        let screen = person.text();
        let message = screen.lines().find(|line| line.contains(why));
        let message = message.expect("the message").trim_end();
        assert!(message.chars().count() <= 80, "{message}");
        for avoided in ["sesh-set", "--help", "--name", "--tag"] {
            assert!(!message.contains(avoided), "{message}");
        }
        // A key takes the message away.
        person.types(&["Escape"]);
        until("the message is gone", || !person.text().contains(why));
    };
    refused("r", "new name:", "taken", "is taken by a live sesh");
    refused("r", "new name:", "$(touch x)", "is not a valid name");
    refused("r", "new name:", &"x".repeat(300), "...");
    refused(
        "t",
        "tag:",
        "not a tag!",
        "is not a tag: a tag is 1 to 64 of",
    );
    refused("T", "tag to remove:", "~", "is not a tag");
    // Its pane goes while it is asked about.
    server.tmux(["select-window", "-t", &pane]);
    menu("x");
    person.shows("end taken? (y/n)");
    server.tmux(["kill-pane", "-t", &pane]);
    person.types(&["y"]);
    person.shows("no pane ");
    // No room, and one sentence that says so.
    let small = Screen::attach(&server, MAIN, (70, 6));
    small.types(&["C-b", "M-e"]);
    small.shows("no room for the menu");
    // A long name is no reason for it.
    let name = "long name ".repeat(6);
    server
        .sesh("sesh-set", ["mine", "--name", name.trim()])
        .ok();
    let narrow = Screen::attach(&server, MAIN, (36, 20));
    narrow.types(&["C-b", "M-e"]);
    narrow.shows("long name long name long...");
    narrow.shows("End and forget");
}

#[test]
fn the_doctor_finds_it_well() {
    let server = Server::start();
    server.option("status-right", SHORT);
    server.load();
    let areas = || -> Vec<String> {
        let said = server.sesh("sesh-doctor", crate::support::NONE).said();
        said.text()
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let verdict = words.next()?;
                Some(format!("{verdict} {}", words.next()?))
            })
            .collect()
    };
    let well = areas();
    for area in ["plugin", "keys", "hooks", "segment"] {
        assert!(well.contains(&format!("ok {area}")), "{area}: {well:?}");
    }
    server.option("status-right", SHORT);
    server.tmux(["set-hook", "-gu", "session-closed"]);
    let ill = areas();
    for area in ["hooks", "segment"] {
        assert!(!ill.contains(&format!("ok {area}")), "{area}: {ill:?}");
    }
    server.load();
    assert_eq!(areas(), well);
    server.tmux(["set-hook", "-g", "after-display-panes", "display-message"]);
    let ill = areas();
    assert!(!ill.contains(&"ok hooks".into()), "{ill:?}");
}

#[test]
fn every_option_is_documented() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).expect("a file");
    let documented = read(&root.join(OPTIONS));
    let mut known = std::collections::BTreeSet::new();
    for folder in ["plugin", "tmux.conf.d"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if !path.is_file() {
                continue;
            }
            for (at, _) in read(&path).match_indices("@sesh-") {
                let name: String = read(&path)[at..]
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || "@-".contains(*c))
                    .collect();
                known.insert(name);
            }
        }
    }
    assert!(known.len() > 20, "this reads the wrong files: {known:?}");
    // What the plugin sets itself is a format, and stands with those.
    let formats = read(&root.join("plugin/doc/formats.md"));
    for name in known.iter().filter(|name| !name.ends_with('-')) {
        let family = name.rsplit_once('-').map_or("", |(_, last)| last);
        let listed = documented.contains(&format!("`{name}`"))
            || documented.contains(&format!("`-{family}`"))
            || formats.contains(name.as_str());
        assert!(listed, "{name} is not in {OPTIONS}");
    }
}

#[test]
fn keys_start_what_a_login_shell_finds() {
    let server = Server::start();
    let own = server.path("home/.local/bin");
    std::fs::create_dir_all(&own).expect("a folder");
    server.program_file(&own.join("only-there"), b"#!/bin/sh\nexec sleep 1000\n");
    // A shell that prints and extends PATH where it is interactive. tmux 3.5 runs its jobs with it too.
    let home = server.path("home");
    std::fs::write(
        home.join(".bashrc"),
        "case $- in *i*) echo welcome; PATH=$HOME/.local/bin:$PATH;; esac\n",
    )
    .expect("a file");
    std::fs::write(home.join(".profile"), ". ~/.bashrc\n").expect("a file");
    server.tmux(["set-option", "-g", "default-shell", "/bin/bash"]);
    server.tmux(["set-environment", "-g", "HOME", &home.display().to_string()]);
    server.load();
    until("the PATH of a login shell is known", || {
        let entries = std::fs::read_dir(server.folder())
            .into_iter()
            .flatten()
            .flatten();
        let caches = entries.map(|entry| entry.path().join("tmux-sesh/login-path"));
        let caches = caches.chain([home.join(".cache/tmux-sesh/login-path")]);
        let mut read = caches.filter_map(|file| std::fs::read_to_string(file).ok());
        read.any(|path| path.starts_with(&format!("{}:", own.display())))
    });
    let screen = Screen::attach(&server, MAIN, (120, 40));
    screen.types(&["C-b", "a"]);
    screen.shows("name of the new sesh");
    screen.types_text("there");
    screen.types(&["Enter"]);
    until("the new sesh is there", || {
        server.panes("#{@sesh_name}").contains(&"there".into())
    });
    let pane = server.panes("#{@sesh_name} #{pane_id}");
    let pane = pane
        .iter()
        .find_map(|line| line.strip_prefix("there "))
        .expect("a pane");
    let pid = server.format(pane, "#{pane_pid}");
    let path = until_some("its shell runs", || {
        let child = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let environment = std::fs::read(format!("/proc/{}/environ", child.trim())).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let path = variables.find_map(|it| it.strip_prefix(b"PATH="))?;
        Some(String::from_utf8_lossy(path).into_owned())
    });
    assert!(
        path.split(':')
            .any(|folder| own.ends_with(folder) || folder == own.to_str().expect("UTF-8")),
        "{path}"
    );
    // A shell that hangs keeps nothing waiting.
    let hangs = "case $- in *i*) sleep 1000;; esac\n";
    std::fs::write(home.join(".bashrc"), hangs).expect("a file");
    let begun = std::time::Instant::now();
    server.tmux([
        "run-shell",
        &server.plugin().join("sesh.tmux").display().to_string(),
    ]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
}

#[test]
fn new_panes_find_the_helpers() {
    let server = Server::start();
    let tmux = server
        .program()
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    let base = format!("{tmux}:/usr/bin:/bin");
    let folder = || {
        let bin = server.tmux(["display-message", "-p", "#{@seshplugin_bin}"]);
        bin.trim_end().to_string()
    };
    let path = || {
        server
            .tmux(["show-environment", "-g", "PATH"])
            .trim_end()
            .to_string()
    };
    server.tmux(["set-environment", "-g", "PATH", &base]);
    server.option(
        "@sesh-bin",
        &crate::support::helpers().display().to_string(),
    );
    for _ in 0..3 {
        server.load();
        assert_eq!(path(), format!("PATH={base}:{}", folder()));
    }
    let pane = server.tmux([
        "new-window",
        "-dPF",
        "#{pane_id}",
        "command -v sesh-list; exec cat",
    ]);
    server.shows(pane.trim_end(), "/sesh-list");
    // A person adds a folder behind ours.
    server.tmux([
        "set-environment",
        "-g",
        "PATH",
        &format!("{base}:{}:/own", folder()),
    ]);
    server.load();
    assert_eq!(path(), format!("PATH={base}:{}:/own", folder()));
    server.uninstall(&["--keep"]);
    assert_eq!(path(), format!("PATH={base}:/own"));
    // What was there before stays.
    let before = format!("PATH={}:{base}", crate::support::helpers().display());
    server.tmux([
        "set-environment",
        "-g",
        "PATH",
        before.trim_start_matches("PATH="),
    ]);
    server.option(
        "@sesh-bin",
        &crate::support::helpers().display().to_string(),
    );
    server.load();
    assert_eq!(path(), before);
    server.uninstall(&["--keep"]);
    assert_eq!(path(), before);
}

#[test]
fn the_uninstall_names_hooks_and_skill_and_takes_them_out_when_asked() {
    let server = Server::start();
    let home = server.path("home");
    std::fs::create_dir_all(home.join(".claude")).expect("a folder");
    std::fs::create_dir_all(home.join(".codex")).expect("a folder");
    std::fs::write(
        home.join(".claude/settings.json"),
        "{ \"model\": \"opus\" }\n",
    )
    .expect("a file");
    let call = |program: &std::path::Path, args: &[&str]| {
        server
            .outside(program)
            .args(args)
            .env("HOME", &home)
            .ok()
            .text()
            .to_string()
    };
    std::fs::write(home.join(".codex/config.toml"), "model = \"x\"\n").expect("a file");
    let files = || {
        let mut list = Vec::new();
        let mut folders = vec![home.join(".claude"), home.join(".codex")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                match std::fs::read(entry.path()) {
                    Ok(bytes) => list.push((entry.path(), bytes)),
                    Err(_) => folders.push(entry.path()),
                }
            }
        }
        list.sort();
        list
    };
    let before = files();
    let hooks = crate::support::helpers().join("sesh-hooks");
    server.option(
        "@sesh-bin",
        &crate::support::helpers().display().to_string(),
    );
    server.load();
    call(&hooks, &["install", "claude", "codex"]);
    call(&hooks, &["install", "--skill", "claude"]);
    let uninstall = server.plugin().join("plugin/uninstall");
    // The plugin's own helpers stay as long as hooks call them.
    let helper = server.plugin().join("bin/sesh-report");
    std::fs::write(&helper, "").expect("a file");
    let installed = files();
    assert_ne!(installed, before);
    let said = call(&uninstall, &["--keep"]);
    for part in [
        "the hooks of claude codex",
        "the skill of claude",
        "--hooks",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(files(), installed);
    assert!(helper.exists());
    server.load();
    let said = call(&uninstall, &["--keep", "--hooks"]);
    assert!(!helper.exists());
    assert!(
        said.contains("taken out: the hooks of claude codex"),
        "{said}"
    );
    assert_eq!(files(), before);
    let said = call(&uninstall, &["--keep"]);
    assert!(!said.contains("hooks"), "{said}");
}
