//! The helpers from a release archive: what is downloaded, what is verified, what a failure leaves, and how often it is tried.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use pretty_assertions::assert_eq;

use super::plugin_install::{SYSTEM, builds, fake_cargo, path, plugin_option};
use crate::support::{MAIN, Screen, Server, Site, archive, program, say, until};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A server without helpers whose plugin downloads from a site, with one archive there.
fn with_site() -> Option<(Server, Site)> {
    if which::which("curl").is_err() && which::which("wget").is_err() {
        say("not tested: there is neither curl nor wget");
        return None;
    }
    let server = Server::start();
    server.option("status-right", "");
    path(&server, &[]);
    let site = Site::start(&server);
    site.publish(&server, &program(VERSION));
    server.option("@sesh-release-url", &site.address());
    Some((server, site))
}

/// Helpers of another release, which the plugin downloaded before it was updated.
fn old_helpers(server: &Server) -> PathBuf {
    let bin = server.plugin().join("bin");
    server.program_file(&bin.join("sesh-list"), &program(VERSION));
    std::fs::write(bin.join(".sesh-built"), "release 0.0.9\n").expect("a file");
    bin
}

/// Every file of a folder with its text, and every link with its goal.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<_> = entries
        .map(|entry| {
            let path = entry.path();
            let text = match std::fs::read_link(&path) {
                Ok(goal) => goal.into_os_string().into_encoded_bytes(),
                Err(_) => std::fs::read(&path).unwrap_or_default(),
            };
            (path, text)
        })
        .collect();
    all.sort();
    all
}

fn is_idle(server: &Server) -> bool {
    !server
        .path("home/.local/state/tmux-sesh/build.lock")
        .exists()
}

/// Loads the plugin and waits until it has tried to obtain the helpers.
#[track_caller]
fn load(server: &Server, site: &Site) {
    let before = site.asked().len();
    server.load();
    until("it has asked for something, and is done", || {
        site.asked().len() > before && is_idle(server)
    });
}

#[test]
fn they_are_downloaded_once_and_verified() {
    let Some((server, site)) = with_site() else {
        return;
    };
    let rust = fake_cargo(&server, 0);
    path(&server, &[&rust]);
    server.option("status-right", "#{sesh_status}");
    server.option("status-right-length", "100");
    site.holds.store(true, Ordering::SeqCst);
    let person = Screen::attach(&server, MAIN, (120, 20));
    for _ in 0..5 {
        server.load();
    }
    person.shows("sesh: downloading the helpers");
    site.holds.store(false, Ordering::SeqCst);
    let own = server.plugin().join("bin");
    until("they are in place", || {
        plugin_option(&server, "bin") == own.display().to_string()
    });
    until("all is well", || {
        is_idle(&server) && plugin_option(&server, "trouble").is_empty()
    });
    assert_eq!(site.asked(), ["SHA256SUMS".to_string(), archive()]);
    assert_eq!(builds(&server), 0);
    let made = std::fs::read_to_string(own.join(".sesh-built")).expect("a file");
    assert_eq!(made, format!("release {VERSION}\n"));
    let said = server.call(&own.join("pane-keys")).ok();
    assert_eq!(said.line(), format!("pane-keys {VERSION}"));
    until("new panes find them", || {
        let path = server.tmux(["show-environment", "-g", "PATH"]);
        path.trim_end().ends_with(&own.display().to_string())
    });
    assert!(!server.path("home/.cache/tmux-sesh/download").exists());
    // That is enough until the plugin has another version.
    server.load();
    server.plugin_has_settled();
    assert_eq!(site.asked().len(), 2);
    std::fs::write(own.join(".sesh-built"), "release 0.0.9\n").expect("a file");
    load(&server, &site);
    assert_eq!(site.asked().len(), 4);
    // Uninstalled, none of it is left.
    server.uninstall(&[]);
    assert_eq!(contents(&own).len(), 2, "install and dist");
    until("what ran in the background is done", || {
        let gone = |folder: &str| !server.path(folder).exists();
        gone("home/.local/state/tmux-sesh") && gone("home/.cache/tmux-sesh")
    });
}

/// What is wrong with the site, and a part of the sentence that says so.
type Failure = (&'static str, fn(&Server, &Site), &'static str);

const FAILURES: [Failure; 10] = [
    (
        "no network",
        |server, _| server.option("@sesh-release-url", "http://127.0.0.1:1"),
        "(http://127.0.0.1:1/SHA256SUMS)",
    ),
    (
        "no such release",
        |_, site| std::fs::remove_file(site.file("SHA256SUMS")).expect("the sums"),
        "/SHA256SUMS)",
    ),
    (
        "no archive for this machine",
        |_, site| std::fs::write(site.file("SHA256SUMS"), "0 other.tar.gz\n").expect("a file"),
        "there is no tmux-sesh-",
    ),
    (
        "another checksum",
        |_, site| {
            let sums = std::fs::read_to_string(site.file("SHA256SUMS")).expect("the sums");
            let other = if sums.starts_with('0') { "1" } else { "0" };
            std::fs::write(site.file("SHA256SUMS"), format!("{other}{}", &sums[1..]))
                .expect("a file");
        },
        "is not what SHA256SUMS says",
    ),
    (
        "half an archive",
        |_, site| site.halves.store(true, Ordering::SeqCst),
        ".tar.gz)",
    ),
    (
        "no archive at all",
        |server, site| {
            std::fs::write(site.file(&archive()), "this is no archive").expect("a file");
            site.sum(server);
        },
        "cannot be unpacked: ",
    ),
    (
        "the program of another machine",
        |server, site| {
            site.publish(
                server,
                b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xff\xff",
            );
        },
        "do not run on this machine",
    ),
    (
        "another version",
        |server, site| site.publish(server, &program("9.9.9")),
        "are not of version",
    ),
    (
        "a full disk",
        |server, _| server.option("@sesh-download", "head -c 9 /dev/zero >/dev/full"),
        "No space left on device",
    ),
    (
        "a command that does nothing",
        |server, _| server.option("@sesh-download", "true"),
        "its command printed no reason",
    ),
];

#[test]
fn a_failure_leaves_the_old_ones_and_says_one_sentence() {
    for (what, breaks, part) in FAILURES {
        let Some((server, site)) = with_site() else {
            return;
        };
        let own = old_helpers(&server);
        let before = contents(&own);
        breaks(&server, &site);
        let person = Screen::attach(&server, MAIN, (200, 20));
        server.load();
        person.shows("sesh: the helpers are not updated: ");
        person.shows(part);
        until("nothing runs any more", || is_idle(&server));
        assert_eq!(contents(&own), before, "{what}");
        assert_eq!(plugin_option(&server, "bin"), own.display().to_string());
        assert_eq!(plugin_option(&server, "trouble"), "", "{what}");
        assert!(
            !server.path("home/.cache/tmux-sesh/download").exists(),
            "{what}"
        );
        // It is not tried at each load while there are helpers.
        let asked = site.asked().len();
        for _ in 0..3 {
            server.load();
        }
        assert!(is_idle(&server), "{what}");
        assert_eq!(site.asked().len(), asked, "{what}");
        // Without helpers it is, and the segment says why they are missing.
        std::fs::remove_file(own.join("sesh-list")).expect("the old one");
        server.load();
        until("the segment says it", || {
            let trouble = plugin_option(&server, "trouble");
            trouble.starts_with("sesh: no helpers: ") && trouble.contains(part)
        });
        let log = server.path("home/.local/state/tmux-sesh/build.log");
        let log = std::fs::read_to_string(log).expect("a log");
        assert!(log.contains(part), "{what}: {log}");
    }
}

#[test]
fn one_that_is_killed_is_downloaded_again() {
    let Some((server, site)) = with_site() else {
        return;
    };
    let own = old_helpers(&server);
    let before = contents(&own);
    site.holds.store(true, Ordering::SeqCst);
    server.load();
    until("it is in the middle of the archive", || {
        site.asked().len() == 2
    });
    let lock = server.path("home/.local/state/tmux-sesh/build.lock/pid");
    let pid: i32 = std::fs::read_to_string(&lock)
        .expect("its process")
        .trim()
        .parse()
        .expect("a pid");
    for process in tmux_sesh::proc::tree(pid) {
        let pid = nix::unistd::Pid::from_raw(process.pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    site.holds.store(false, Ordering::SeqCst);
    assert_eq!(contents(&own), before);
    assert!(lock.exists(), "it had no time to take it away");
    // What an installation that was killed leaves beside the helpers goes too.
    std::fs::write(own.join(".sesh-list.999999999"), "half").expect("a file");
    server.load();
    until("they are new", || {
        std::fs::read_to_string(own.join(".sesh-built")).ok()
            == Some(format!("release {VERSION}\n"))
    });
    until("nothing runs any more", || is_idle(&server));
    assert!(!own.join(".sesh-list.999999999").exists());
    assert!(!server.path("home/.cache/tmux-sesh/download").exists());
}

#[test]
fn the_option_says_which_ways_are_taken() {
    let Some((server, site)) = with_site() else {
        return;
    };
    let own = server.plugin().join("bin");
    let rust = fake_cargo(&server, 0);
    path(&server, &[&rust]);
    let obtained = |made: &str| {
        until("there are helpers", || {
            own.join("sesh-list").exists() && is_idle(&server)
        });
        let from = std::fs::read_to_string(own.join(".sesh-built")).expect("a file");
        assert_eq!(from, format!("{made}\n"));
        server
            .call(&server.plugin().join("bin/install"))
            .args(["--uninstall"])
            .ok();
    };
    server.option("@sesh-install", "cargo");
    server.load();
    obtained(VERSION);
    assert_eq!((site.asked().len(), builds(&server)), (0, 1));
    server.option("@sesh-install", "release");
    server.load();
    obtained(&format!("release {VERSION}"));
    assert_eq!((site.asked().len(), builds(&server)), (2, 1));
    // Cargo where there is no release, and nothing where only a release will do.
    std::fs::remove_file(site.file("SHA256SUMS")).expect("the sums");
    server.option("@sesh-install", "on");
    server.load();
    obtained(VERSION);
    assert_eq!((site.asked().len(), builds(&server)), (3, 2));
    let log = server.path("home/.local/state/tmux-sesh/build.log");
    let log = std::fs::read_to_string(log).expect("a log");
    assert!(
        log.contains("the download failed: ") && log.contains("Compiling"),
        "{log}"
    );
    server.option("@sesh-install", "release");
    load(&server, &site);
    assert_eq!(builds(&server), 2);
    for off in ["off", "no", "0"] {
        server.option("@sesh-install", off);
        server.load();
        assert!(is_idle(&server));
    }
    assert_eq!((site.asked().len(), builds(&server)), (4, 2));
}

#[test]
fn the_options_are_taken_as_they_are() {
    let Some((server, site)) = with_site() else {
        return;
    };
    let own = server.plugin().join("bin");
    // The version in the address, and a command of the person's with all that a shell knows.
    let release = site.file(VERSION);
    std::fs::create_dir(&release).expect("a folder");
    for name in ["SHA256SUMS".to_string(), archive()] {
        std::fs::rename(site.file(&name), release.join(&name)).expect("a file");
    }
    let address = format!("file://{}/{{version}}/", site.file("").display());
    server.option("@sesh-release-url", &address);
    server.option(
        "@sesh-download",
        r#"x='$HOME "a" \$b #(false) %H;'; [ "$x" ] && cp "${SESH_URL#file://}" "$SESH_FILE";"#,
    );
    server.load();
    until("there are helpers", || own.join("sesh-list").exists());
    until("nothing runs any more", || is_idle(&server));
    assert_eq!(site.asked(), Vec::<String>::new());
    // By hand, in a terminal of that tmux, it is the same.
    let install = server.plugin().join("bin/install");
    std::fs::remove_file(own.join("sesh-list")).expect("a link");
    server.outside(&install).args(["--release"]).ok();
    assert!(own.join("sesh-list").exists());
    // No address is a command.
    for hostile in [
        "http://127.0.0.1:1/$(touch pwned)`touch pwned`",
        "http://127.0.0.1:1/';touch pwned;'\"; touch pwned; \"",
        "http://127.0.0.1:1/#(touch pwned)#{l:x}\n; touch pwned",
        "-o pwned",
        "http://127.0.0.1:1/ü🦀;x",
    ] {
        std::fs::remove_file(own.join("sesh-list")).expect("a link");
        server.option("@sesh-download", "");
        server.option("@sesh-release-url", hostile);
        server.load();
        until("the segment says it", || {
            plugin_option(&server, "trouble").starts_with("sesh: no helpers: the download failed: ")
        });
        until("nothing runs any more", || is_idle(&server));
        for folder in [server.folder(), &server.plugin(), &server.path("home")] {
            assert!(!folder.join("pwned").exists(), "{hostile}");
        }
        server.option("@sesh-release-url", &site.address());
        for name in ["SHA256SUMS".to_string(), archive()] {
            std::fs::copy(release.join(&name), site.file(&name)).expect("a file");
        }
        load(&server, &site);
        until("they are in use", || {
            own.join("sesh-list").exists()
                && !plugin_option(&server, "bin").is_empty()
                && plugin_option(&server, "trouble").is_empty()
        });
        std::fs::write(own.join(".sesh-built"), "release 0.0.9\n").expect("a file");
    }
}

#[test]
fn the_address_follows_from_where_the_plugin_was_cloned() {
    let server = Server::start();
    let plugin = server.plugin();
    let address = |wanted: &str| {
        let said = server
            .call("/bin/sh".as_ref())
            .env("PATH", SYSTEM)
            .args([
                "-c",
                "dir=$1; . \"$dir/plugin/version.sh\"; . \"$dir/plugin/release.sh\"; release_address \"$2\"",
                "sh",
            ])
            .args([plugin.as_os_str(), wanted.as_ref()])
            .said();
        (said.code() == Some(0)).then(|| said.text().to_string())
    };
    assert_eq!(address(""), None);
    assert_eq!(
        address("https://a/{version}/b/"),
        Some(format!("https://a/{VERSION}/b"))
    );
    let git_in = |folder: &Path, args: &[&str]| {
        let git = server.call("git".as_ref()).folder(folder);
        git.args(args).said();
    };
    let git = |args: &[&str]| git_in(&plugin, args);
    // A repository that the plugin is only copied into.
    git_in(server.folder(), &["init", "-q"]);
    let other = "https://github.com/me/dotfiles";
    git_in(server.folder(), &["remote", "add", "origin", other]);
    assert_eq!(address(""), None);
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", "x"]);
    let release = |repository: &str| {
        Some(format!(
            "https://github.com/{repository}/releases/download/v{VERSION}"
        ))
    };
    for (origin, wanted) in [
        (
            "https://git::@github.com/me/tmux-sesh",
            release("me/tmux-sesh"),
        ),
        (
            "https://github.com/me/tmux-sesh.git",
            release("me/tmux-sesh"),
        ),
        ("https://github.com/me/fork/", release("me/fork")),
        ("git@github.com:me/tmux-sesh.git", release("me/tmux-sesh")),
        (
            "ssh://git@github.com/me/tmux-sesh.git",
            release("me/tmux-sesh"),
        ),
        ("https://gitlab.com/me/tmux-sesh", None),
        ("https://evil.example/github.com/me/tmux-sesh", None),
        ("/home/me/tmux-sesh", None),
    ] {
        git(&["remote", "set-url", "origin", origin]);
        assert_eq!(address(""), wanted, "{origin}");
    }
    assert_eq!(address("file:///x"), Some("file:///x".into()));
}

#[test]
fn an_uninstall_ends_what_is_under_way() {
    let Some((server, site)) = with_site() else {
        return;
    };
    let own = server.plugin().join("bin");
    site.holds.store(true, Ordering::SeqCst);
    server.load();
    until("it is in the middle of the archive", || {
        site.asked().len() == 2
    });
    let lock = server.path("home/.local/state/tmux-sesh/build.lock/pid");
    let pid = std::fs::read_to_string(lock).expect("its process");
    let under_way = tmux_sesh::proc::tree(pid.trim().parse().expect("a pid"));
    assert!(under_way.len() > 2, "it, its installation and the download");
    server.uninstall(&["--all"]);
    until("all of it has ended", || {
        under_way.iter().all(|process| {
            let now = tmux_sesh::proc::read(process.pid);
            now.is_none_or(|now| now.zombie || now.start != process.start)
        })
    });
    site.holds.store(false, Ordering::SeqCst);
    server.plugin_has_settled();
    assert_eq!(contents(&own).len(), 2, "install and dist");
    assert!(!server.path("home/.local").exists());
    assert!(!server.path("home/.cache").exists());
}

#[test]
fn a_login_shell_that_sets_path_anew_finds_links() {
    let Some((server, _site)) = with_site() else {
        return;
    };
    let home = server.path("home");
    let own = server.plugin().join("bin");
    let links = home.join(".local/bin");
    let says = |path: &str| {
        std::fs::write(home.join(".profile"), format!("PATH={path}\n")).expect("a file");
    };
    let known = home.join(".cache/tmux-sesh/login-path");
    let loads = || {
        let _ = std::fs::remove_file(&known);
        server.load();
        until("what a login shell finds is known", || known.exists());
    };
    server.tmux(["set-environment", "-g", "HOME", &home.display().to_string()]);
    // One that does not look there gets none.
    says("/usr/bin:/bin");
    loads();
    assert!(own.join("sesh-list").exists());
    assert!(!links.exists());
    // One that keeps the folder needs none.
    says("$PATH");
    loads();
    assert!(!links.exists());
    let looks = "/usr/bin:/bin; [ ! -d ~/.local/bin ] || PATH=~/.local/bin:$PATH";
    says(looks);
    server.option("@sesh-links", "off");
    loads();
    assert!(!links.exists());
    server.option("@sesh-links", "on");
    loads();
    let said = server.call(&links.join("pane-keys")).ok();
    assert_eq!(said.line(), format!("pane-keys {VERSION}"));
    // What is there already stays, then and at the end.
    std::fs::remove_file(links.join("sesh-list")).expect("a link");
    std::fs::write(links.join("sesh-list"), "mine").expect("a file");
    loads();
    server.uninstall(&["--all"]);
    let left = contents(&links);
    assert_eq!(left, [(links.join("sesh-list"), b"mine".to_vec())]);
}
