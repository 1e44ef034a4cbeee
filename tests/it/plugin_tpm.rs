//! The plugin as most people get it: by the real TPM, from a git remote, beside other plugins.

use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use super::plugin_install::{path, plugin_option};
use crate::support::{MAIN, Screen, Server, Site, copy_plugin, helpers, same_settings, say, until};

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

/// All that is in a folder: files with their text, links with their goal, folders.
fn listing(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut list = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder").flatten() {
            let path = entry.path();
            if let Ok(goal) = std::fs::read_link(&path) {
                list.push((path, goal.into_os_string().into_encoded_bytes()));
            } else if path.is_dir() {
                list.push((path.clone(), Vec::new()));
                folders.push(path);
            } else {
                list.push((path.clone(), std::fs::read(path).expect("a file")));
            }
        }
    }
    list.sort();
    list
}

#[test]
fn an_uninstall_of_all_leaves_the_home_as_it_was() {
    let Some(tpm) = tpm() else { return };
    let server = Server::start();
    let site = Site::start(&server);
    let program = helpers().display();
    let program = format!("#!/bin/sh\nexec \"{program}/${{0##*/}}\" \"$@\"\n");
    site.publish(&server, program.as_bytes());
    let remote = remote(&server);
    let home = server.path("home");
    // What a person has, and a folder that is empty.
    std::fs::remove_dir_all(home.join(".local")).expect("a folder");
    for (file, text) in [
        (".claude/settings.json", "{ \"model\": \"opus\" }\n"),
        (".codex/config.toml", "model = \"x\"\n"),
        (".gemini/settings.json", "{}\n"),
        (".config/opencode/opencode.json", "{}\n"),
        (".pi/agent/settings.json", "{}\n"),
        (".local/share/other/file", "other\n"),
    ] {
        let path = home.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    std::fs::create_dir_all(home.join(".tmux/plugins")).expect("a folder");
    let options = format!("set -g @sesh-release-url '{}'\n", site.address());
    let conf = configure(&server, &tpm, &options, &[&remote]);
    path(&server, &[]);
    let files = listing(&home);
    read(&server, &conf);
    let settings = server.settings();
    let said = server.outside(&tpm.join("bin/install_plugins")).said();
    assert_eq!(said.code(), Some(0), "{said}");
    read(&server, &conf);
    let plugin = home.join(".tmux/plugins/tmux-sesh");
    let bin = plugin.join("bin");
    until("the helpers are downloaded", || {
        plugin_option(&server, "bin") == bin.canonicalize().expect("a folder").display().to_string()
    });
    let helper = |name: &str, args: &[&str]| {
        let socket = server.socket();
        let call = server.call(&bin.join(name)).args(args);
        if name == "sesh-hooks" {
            call.said()
        } else {
            call.env("TMUX", format!("{},{},0", socket.display(), server.pid()))
                .said()
        }
    };
    // It is used for everything that leaves something.
    let agents = ["claude", "codex", "gemini", "opencode", "pi"];
    for words in [&["install"] as &[&str], &["install", "--skill"]] {
        let said = helper("sesh-hooks", &[words, &agents].concat());
        assert_eq!(said.code(), Some(0), "{said}");
    }
    for name in ["one", "two"] {
        let said = helper("sesh-new", &[name, "--", "sleep", "1000"]);
        assert_eq!(said.code(), Some(0), "{said}");
    }
    assert_eq!(helper("sesh-end", &["two"]).code(), Some(0));
    std::fs::write(home.join(".local/state/tmux-sesh/failures.log"), "x\n").expect("a file");
    let person = Screen::attach(&server, MAIN, (80, 24));
    person.shows("New pane: sesh-hooks install");
    until("what a login shell knows is known", || {
        home.join(".cache/tmux-sesh/login-path").exists()
    });
    drop(person);
    let said = server
        .outside(&plugin.join("plugin/uninstall"))
        .args(["--all"])
        .ok();
    for part in [
        "taken out: the hooks of claude codex gemini opencode pi",
        "taken out: the skill of claude codex gemini opencode pi",
        "its folder is removed",
    ] {
        assert!(said.text().contains(part), "{part}: {said}");
    }
    server.plugin_has_settled();
    assert_eq!(listing(&home), files);
    assert!(!server.path("run/tmux-sesh").exists());
    let panes = server.tmux(["list-panes", "-a", "-F", "#{@sesh_id}"]);
    assert_eq!(panes.trim(), "");
    same_settings(&server.settings(), &settings);
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
