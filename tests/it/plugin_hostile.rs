//! Text from outside, in every place where the plugin shows it: it is shown, and nothing of it runs.

use pretty_assertions::assert_eq;

use crate::support::{MAIN, Screen, Server, copy_plugin, same_settings, until};

/// Each would leave a file if it ran.
const HOSTILE: [&str; 10] = [
    "#(touch pwned)",
    "#{E:#{l:#(touch pwned)}}",
    "\"; run-shell 'touch pwned'; \"",
    "' ; run-shell \"touch pwned\" ; '",
    "$(touch pwned)`touch pwned`",
    "} { run-shell 'touch pwned' }",
    "#[fg=red]#[range=user|x],}#{?",
    "\\\"; new-window 'touch pwned' ; \\",
    "x ; run-shell 'touch pwned' ; display-message x",
    "%% %1 %%% \n second line ; run-shell 'touch pwned'",
];

fn unharmed(server: &Server) {
    server.plugin_has_settled();
    for folder in ["", "home", "home/work", "tmux-sesh"] {
        let path = server.path(folder).join("pwned");
        assert!(!path.exists(), "it ran, in {}", path.display());
    }
    assert!(server.alive());
}

#[test]
fn names_run_nothing_wherever_they_are_shown() {
    let server = Server::start();
    server.option("status-right", "#{sesh_status}");
    server.option("status-right-length", "100");
    server.option("window-status-format", "#I#{sesh_window}");
    server.option(
        "window-status-current-format",
        "#I#{sesh_window}#{E:@sesh-module}",
    );
    server.option("status-interval", "1");
    server.load();
    let user = server.user_pane();
    let person = Screen::attach(&server, MAIN, (150, 24));
    for text in HOSTILE {
        for option in [
            "@sesh_id",
            "@sesh_name",
            "@sesh_tags",
            "@sesh_note",
            "@sesh_state",
            "@sesh_exit",
            "@sesh_since",
            "@sesh_gen",
            "@sesh_seen",
        ] {
            server.tmux(["set-option", "-p", "-t", &user, option, text]);
        }
        server.recount();
        server.tmux(["set-option", "-pu", "-t", &user, "@sesh_exit"]);
        // What has no line break is read as it stands: as a name, and as a sentence of the plugin's.
        let readable = !text.contains('\n');
        if readable {
            person.shows(text);
        }
        let name = ["set-option", "-p", "-t", &user, "@sesh_name", "plain"];
        server.tmux(name);
        until("the name is another", || {
            !readable || !person.text().contains(text)
        });
        server.tmux(["set-option", "-s", "@seshplugin_trouble", text]);
        server.recount();
        if readable {
            person.shows(text);
        }
        server.tmux(["set-option", "-p", "-t", &user, "@sesh_name", text]);
        server.tmux(["set-option", "-su", "@seshplugin_trouble"]);
        person.types(&["C-b", "M-e"]);
        person.shows("End and forget");
        let title: String = text.lines().next().unwrap_or("").chars().take(16).collect();
        if readable {
            until("the menu has its title", || {
                person
                    .text()
                    .lines()
                    .any(|line| line.contains("┌─") && line.contains(&title))
            });
        }
        person.types(&["x"]);
        person.shows("(y/n)");
        person.types(&["n"]);
        person.types(&["C-b", "M-e"]);
        person.shows("End and forget");
        person.types(&["r"]);
        person.shows("new name:");
        person.types(&["C-c"]);
        until("the prompt is gone", || {
            !person.text().contains("new name:")
        });
        unharmed(&server);
    }
}

#[test]
fn what_is_typed_runs_nothing() {
    let server = Server::start();
    server.load();
    let user = server.user_pane();
    server.make_sesh(&user, "mine", "idle");
    let person = Screen::attach(&server, MAIN, (120, 24));
    for text in HOSTILE {
        let line = text.lines().next().expect("a line");
        for (item, prompt) in [("r", "new name:"), ("t", "tag:"), ("n", "note")] {
            person.types(&["C-b", "M-e"]);
            person.shows("End and forget");
            person.types(&[item]);
            person.shows(prompt);
            person.types(&["C-u"]);
            person.types_text(line);
            person.types(&["Enter"]);
            until("the prompt is gone", || !person.text().contains(prompt));
        }
        until("what was typed is used up", || {
            !server.tmux(["list-buffers"]).contains("sesh-typed")
        });
        unharmed(&server);
    }
}

#[test]
fn sessions_windows_titles_and_folders_run_nothing() {
    let server = Server::start();
    server.option("status-right", "#{sesh_status}");
    server.option("status-right-length", "100");
    server.option("@sesh-tick", "0.2");
    let helpers = server.helpers_with_stand_in();
    server.option("@sesh-bin", &helpers.display().to_string());
    server.load();
    for (at, text) in HOSTILE.iter().enumerate() {
        let folder = server
            .path("home")
            .join(text.replace('/', "_").replace('\n', " "));
        std::fs::create_dir_all(&folder).expect("a folder with a strange name");
        let session = format!("s{at}");
        let pane = server.session((80, 20), &["-s", &session, "cat", "-"]);
        server.make_sesh(&pane, &session, "busy");
        // These expand what they are given: a name with a # comes from elsewhere with two.
        let doubled = text.replace('#', "##").replace('\n', " ");
        server.try_tmux(["rename-window", "-t", &pane, "--", &doubled]);
        server.try_tmux(["rename-session", "-t", &pane, "--", &doubled]);
        server.try_tmux(["select-pane", "-t", &pane, "-T", &doubled]);
        let grouped = format!("g{at}");
        server.tmux([
            "new-session",
            "-d",
            "-t",
            &server.format(&pane, "#{session_id}"),
            "-s",
            &grouped,
        ]);
        let respawned = server
            .tmux_call(["respawn-pane", "-k", "-t", &pane, "-c"])
            .args([folder.display().to_string().replace('#', "##")])
            .args(["cat", "-"])
            .said();
        assert_eq!(respawned.code(), Some(0), "{respawned}");
        server.runs(&pane, "cat");
        server.recount();
        server.counts(&format!("0 {} 0 0 0 0", at + 1));
        unharmed(&server);
    }
    until("the tick has looked", || server.reaps() > 0);
    let person = Screen::attach(&server, &server.format("=g0:", "#{session_name}"), (80, 20));
    person.shows(&format!("●{}", HOSTILE.len()));
    server.load();
    unharmed(&server);
    server.uninstall(&["--forget"]);
    unharmed(&server);
}

#[test]
fn what_is_told_runs_nothing() {
    let server = Server::start();
    let notified = "printf '%s\\n' \"$SESH_SENTENCE\" >>\"$HOME/../told\"";
    server.option("@sesh-notify", notified);
    server.load();
    let user = server.user_pane();
    server.make_sesh(&user, "mine", "waiting");
    let told = || std::fs::read_to_string(server.path("told")).unwrap_or_default();
    for text in HOSTILE.iter().chain(&["x\ntouch pwned\n"]) {
        for option in ["@sesh_id", "@sesh_name", "@sesh_why", "@sesh_agent"] {
            server.tmux(["set-option", "-p", "-t", &user, option, text]);
        }
        let before = told().len();
        server.tmux(["run-shell", "-t", &user, "#{E:@seshplugin_tell}"]);
        until(&format!("{text:?} is told"), || told().len() > before);
        unharmed(&server);
    }
    assert!(
        told().contains("$(touch pwned)`touch pwned` waits"),
        "{}",
        told()
    );
}

#[test]
fn a_plugin_folder_may_have_any_name() {
    let server = Server::start();
    let folder = server.path("a b#(touch pwned)'\";$(touch pwned)");
    copy_plugin(&server, &folder);
    let entry = folder.join("sesh.tmux");
    let before = server.settings();
    server.outside(&entry).ok();
    server.plugin_has_settled();
    let pane = server.window(MAIN);
    server.tmux(["kill-pane", "-t", &pane]);
    let person = Screen::attach(&server, MAIN, (120, 20));
    person.types(&["C-b", "e"]);
    person.shows("no live sesh");
    person.types(&["Escape"]);
    until("the picker is gone", || {
        !person.text().contains("no live sesh")
    });
    person.types(&["C-b", "M-e"]);
    person.shows("Adopt as a sesh");
    person.types(&["a"]);
    person.shows("name of the sesh");
    person.types(&["mine", "Enter"]);
    until("it is a sesh", || {
        server.format(&server.user_pane(), "#{@sesh_name}") == "mine"
    });
    server.option("@sesh-notify", "touch \"$HOME/told\"");
    let user = server.user_pane();
    server.tmux(["run-shell", "-t", &user, "#{E:@seshplugin_tell}"]);
    until("it is told", || server.path("home/told").exists());
    server.tmux(["set-option", "-gu", "@sesh-notify"]);
    unharmed(&server);
    server.uninstall_from(&folder, &["--forget"]);
    same_settings(&server.settings(), &before);
    unharmed(&server);
}
