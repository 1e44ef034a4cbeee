//! The plugin as most people get it: by the real TPM, from a git remote, beside other plugins.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use crate::support::{MAIN, Screen, Server, copy_plugin, same_settings, say, until};

/// Where Debian's tmux-plugin-manager puts it, and where TPM's own instructions do.
fn tpm() -> Option<PathBuf> {
    let mut places = vec![PathBuf::from("/usr/share/tmux-plugin-manager")];
    if let Some(home) = std::env::var_os("HOME") {
        places.push(Path::new(&home).join(".tmux/plugins/tpm"));
    }
    let found = places.into_iter().find(|place| place.join("tpm").is_file());
    if found.is_none() {
        say("not tested: TPM is not installed (apt-get install tmux-plugin-manager)");
    }
    found
}

fn git(server: &Server, folder: &Path, args: &[&str]) {
    let said = server
        .call("git".as_ref())
        .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
        .args(["-c", "init.defaultBranch=main", "-C"])
        .args([folder])
        .args(args)
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
}

/// A git remote with the plugin in it.
fn remote(server: &Server) -> PathBuf {
    let remote = server.path("remotes/tmux-sesh");
    copy_plugin(server, &remote);
    publish(server, &remote);
    remote
}

fn publish(server: &Server, folder: &Path) {
    git(server, folder, &["init", "-q"]);
    git(server, folder, &["add", "-A"]);
    git(server, folder, &["commit", "-q", "-m", "all of it"]);
}

/// Another plugin: a remote with one program in it.
fn other_plugin(server: &Server, name: &str, program: &str) -> PathBuf {
    let folder = server.path("remotes").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    server.program_file(
        &folder.join(format!("{name}.tmux")),
        format!("#!/bin/sh\n{program}\n").as_bytes(),
    );
    publish(server, &folder);
    folder
}

/// Writes the person's tmux.conf: these plugins, in this order, and TPM last.
fn configure(server: &Server, tpm: &Path, options: &str, plugins: &[&Path]) -> PathBuf {
    let mut text = options.to_string();
    for plugin in plugins {
        text.push_str(&format!("set -g @plugin '{}'\n", plugin.display()));
    }
    text.push_str(&format!("run '{}/tpm'\n", tpm.display()));
    let conf = server.path("home/.tmux.conf");
    std::fs::write(&conf, text).expect("a tmux.conf");
    conf
}

#[track_caller]
fn read(server: &Server, conf: &Path) {
    let said = server.try_tmux(["source-file".as_ref(), conf.as_os_str()]);
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(said.stderr.is_empty() && said.stdout.is_empty(), "{said}");
    server.plugin_has_settled();
}

fn loaded(server: &Server) -> bool {
    server
        .tmux(["display-message", "-p", "#{@seshplugin_keys}"])
        .contains("prefix e")
}

#[test]
fn install_press_keys_update_uninstall() {
    let Some(tpm) = tpm() else { return };
    let server = Server::start();
    let remote = remote(&server);
    let options = "set -g status-right '#{sesh_status}'\nset -g status-right-length 100\n";
    let conf = configure(&server, &tpm, options, &[&remote]);
    read(&server, &conf);
    assert!(!loaded(&server));
    let before = server.settings();
    let person = Screen::attach(&server, MAIN, (120, 30));
    person.types(&["C-b", "I"]);
    until("TPM has installed it and loaded it", || loaded(&server));
    person.shows("Done, press ENTER to continue");
    person.types(&["Enter"]);
    let folder = server.path("home/.tmux/plugins/tmux-sesh");
    assert_eq!(
        server
            .tmux(["display-message", "-p", "#{@seshplugin_dir}"])
            .trim_end(),
        folder
            .canonicalize()
            .expect("the folder")
            .display()
            .to_string()
    );
    server.make_sesh(&server.user_pane(), "mine", "busy");
    server.recount();
    person.shows("●1 ● mine now");
    person.types(&["C-b", "e"]);
    person.shows("type to filter");
    person.types(&["Escape"]);
    until("the picker is gone", || {
        !person.text().contains("type to filter")
    });
    // What `prefix ?` shows.
    assert!(server.tmux(["list-keys", "-N"]).contains("Go to a sesh"));
    // The configuration again, as people do after a change.
    let once = server.settings();
    read(&server, &conf);
    same_settings(&server.settings(), &once);
    // An update that is another version of the keys' text.
    let keys = remote.join("tmux.conf.d/30-keys.conf");
    let text = std::fs::read_to_string(&keys).expect("the keys");
    std::fs::write(
        &keys,
        format!("{text}set-option -s @seshplugin_updated 1\n"),
    )
    .expect("the keys");
    git(&server, &remote, &["commit", "-q", "-a", "-m", "an update"]);
    let said = server
        .outside(&tpm.join("bin/update_plugins"))
        .args(["all"])
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
    read(&server, &conf);
    assert_eq!(
        server.tmux(["display-message", "-p", "#{@seshplugin_updated}"]),
        "1\n"
    );
    // Away with it, and its line.
    server.uninstall_from(&folder, &["--forget"]);
    same_settings(&server.settings(), &before);
    let conf = configure(&server, &tpm, options, &[]);
    let said = server.outside(&tpm.join("bin/clean_plugins")).said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(!folder.exists(), "TPM could not remove it");
    read(&server, &conf);
    same_settings(&server.settings(), &before);
}

/// The settings as soon as the tick has seen to the theme's lines.
fn settled(server: &Server) -> String {
    until("no short form is left", || {
        !server
            .tmux(["show-options", "-gwv", "window-status-format"])
            .contains("sesh_window")
    });
    // What it was before depends on whether the tick came between the theme and the saver.
    server
        .settings()
        .lines()
        .filter(|line| !line.contains("@seshplugin_was_status-right"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn beside_a_theme_and_savers_in_both_orders() {
    let Some(tpm) = tpm() else { return };
    for ours_first in [true, false] {
        let server = Server::start();
        let remote = remote(&server);
        let theme = other_plugin(
            &server,
            "theme",
            "tmux set -g status-right '#[fg=blue]#{sesh_status}#[fg=white]THEME'\n\
             tmux set -g status-style bg=black\n\
             tmux set -g window-status-format '#W#{sesh_window}'",
        );
        // As continuum does: its command before what is there, once, and always as the last to write.
        let saver = other_plugin(
            &server,
            "saver",
            "was=$(tmux show -gqv status-right)\n\
             case $was in *saver.sh*) ;; *) tmux set -g status-right \"#(true saver.sh)$was\" ;; esac",
        );
        // As resurrect does.
        let keys = other_plugin(
            &server,
            "keys",
            "tmux bind-key C-s run-shell true\ntmux bind-key e run-shell true",
        );
        let plugins: Vec<&Path> = if ours_first {
            vec![&remote, &theme, &keys, &saver]
        } else {
            vec![&theme, &keys, &saver, &remote]
        };
        let options = "set -g status-right-length 100\nset -g @sesh-tick 0.3\n";
        let conf = configure(&server, &tpm, options, &plugins);
        read(&server, &conf);
        let said = server.outside(&tpm.join("bin/install_plugins")).said();
        assert_eq!(said.code(), Some(0), "{said}");
        read(&server, &conf);
        let right = || server.tmux(["show-options", "-gv", "status-right"]);
        let whole = "#(true saver.sh)#[fg=blue]#{E:@sesh-status}#[fg=white]THEME\n";
        until(&format!("all of them are in the line: {}", right()), || {
            right() == whole
        });
        server.make_sesh(&server.user_pane(), "mine", "busy");
        server.recount();
        let person = Screen::attach(&server, MAIN, (100, 20));
        person.shows("mine now THEME");
        // The key that the other plugin has bound after us is known to be its own now.
        read(&server, &conf);
        let once = settled(&server);
        for _ in 0..5 {
            read(&server, &conf);
            until("all of them are in the line", || right() == whole);
        }
        same_settings(&settled(&server), &once);
        // A key that another plugin has bound stays its own.
        let keys = server.tmux(["list-keys", "-T", "prefix"]);
        for key in ["C-s", "e"] {
            let is_bound = |line: &str| {
                let words: Vec<&str> = line.split_whitespace().collect();
                words.ends_with(&[key, "run-shell", "true"])
            };
            assert!(keys.lines().any(is_bound), "{key}: {keys}");
        }
    }
}

/// The first block of code in a language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&format!("\n```{language}\n"))
        .expect("a block");
    rest.split("```").next().unwrap_or(rest)
}

#[test]
fn the_readme_says_all_that_a_person_has_to_do() {
    let Some(tpm) = tpm() else { return };
    let server = Server::start();
    let remote = remote(&server);
    let readme = crate::docs::document("README.md");
    let lines = block(&readme, "tmux").replace("OWNER/tmux-sesh", &remote.display().to_string());
    let conf = configure(&server, &tpm, &lines, &[]);
    read(&server, &conf);
    let person = Screen::attach(&server, MAIN, (120, 30));
    person.types(&["C-b", "I"]);
    until("TPM has installed it and loaded it", || loaded(&server));
    person.shows("Done, press ENTER to continue");
    person.types(&["Enter"]);
    server.plugin_has_settled();
    std::fs::create_dir(server.path("home/.claude")).expect("the folder of an agent");
    let said = server
        .outside("/bin/sh".as_ref())
        .args(["-ec", block(&readme, "sh")])
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(server.path("home/.claude/settings.json").exists());
    server.make_sesh(&server.user_pane(), "mine", "busy");
    server.recount();
    person.shows("●1 ● mine now");
    person.shows("0:user ●");
    let bound = server.tmux(["display-message", "-p", "#{@seshplugin_keys}"]);
    let keys: Vec<&str> = crate::docs::section(&readme, "Four keys")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in keys {
        assert!(bound.contains(key), "{key} is none of {bound}");
    }
}
