//! Where the helpers come from: which are taken, building them in the background, what a person is told.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;

use crate::support::{Call, MAIN, Screen, Server, helpers, say, until};

/// The folder of ours that Debian and others share; none of our helpers is there.
pub(super) const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin";

/// A folder with a stand-in for every helper, which says a version.
fn fake_helpers(server: &Server, name: &str, version: &str) -> PathBuf {
    let folder = server.path(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    for helper in ["sesh-list", "sesh-enter", "sesh-set"] {
        server.program_file(
            &folder.join(helper),
            format!("#!/bin/sh\necho {helper} {version}\n").as_bytes(),
        );
    }
    folder
}

/// A tmux whose PATH is this and the system's.
pub(super) fn path(server: &Server, folders: &[&Path]) {
    let tmux = server.program().parent().expect("a folder").display();
    let mut path: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    path.push(format!("{tmux}:{SYSTEM}"));
    server.tmux(["set-environment", "-g", "PATH", &path.join(":")]);
}

pub(super) fn plugin_option(server: &Server, name: &str) -> String {
    server
        .tmux(["display-message", "-p", &format!("#{{@seshplugin_{name}}}")])
        .trim_end()
        .into()
}

/// A cargo and a rustc that build at once what the real ones would, and write down that they did.
pub(super) fn fake_cargo(server: &Server, exit: i32) -> PathBuf {
    let folder = server.path("rust");
    std::fs::create_dir_all(&folder).expect("a folder");
    server.program_file(
        &folder.join("cargo"),
        format!(
            r#"#!/bin/sh
echo build >>'{calls}'
while [ -e '{hold}' ]; do sleep 0.02; done
for at in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "   Compiling crate$at v1.0.0" >&2; done
while [ -e '{hold_late}' ]; do sleep 0.02; done
[ {exit} = 0 ] || {{ echo 'error: it does not build' >&2; exit {exit}; }}
while [ $# -gt 0 ]; do
  [ "$1" = --target-dir ] && target=$2
  shift
done
mkdir -p "$target/release"
printf '#!/bin/sh\necho "${{0##*/}} 0.1.0"\n' >"$target/release/tmux-sesh"
"#,
            calls = server.path("builds").display(),
            hold = server.path("hold").display(),
            hold_late = server.path("hold-late").display(),
        )
        .as_bytes(),
    );
    server.program_file(
        &folder.join("rustc"),
        b"#!/bin/sh\n[ \"$1\" = -vV ] && echo host: x86_64-test\n[ \"$1\" = --print ] && echo /nowhere\nexit 0\n",
    );
    folder
}

/// Does something when it goes, also when a test fails.
struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub(super) fn builds(server: &Server) -> usize {
    std::fs::read_to_string(server.path("builds"))
        .unwrap_or_default()
        .lines()
        .count()
}

#[test]
fn the_first_that_is_new_enough_is_taken() {
    let server = Server::start();
    server.option("@sesh-install", "off");
    let old = fake_helpers(&server, "old", "0.0.9");
    let newer = fake_helpers(&server, "newer", "12.3.4");
    path(&server, &[&old, &newer]);
    server.load();
    assert_eq!(plugin_option(&server, "bin"), newer.display().to_string());
    assert_eq!(plugin_option(&server, "trouble"), "");
    // The plugin's own come before those, and what the person names before all.
    let own = server.plugin().join("bin");
    std::fs::copy(newer.join("sesh-list"), own.join("sesh-list")).expect("a copy");
    server.load();
    assert_eq!(plugin_option(&server, "bin"), own.display().to_string());
    let named = fake_helpers(&server, "home/na med's", "0.1.0");
    server.option("@sesh-bin", "~/na med's");
    server.load();
    assert_eq!(plugin_option(&server, "bin"), named.display().to_string());
    // Hooks and keys have the folder, whatever is in its name.
    let person = Screen::attach(&server, MAIN, (100, 20));
    server.program_file(
        &named.join("sesh-enter"),
        b"#!/bin/sh\necho \"sesh-enter: got $*\" >&2\nexit 1\n",
    );
    person.types(&["C-b", "e"]);
    person.shows(&format!("got --client {}", person.client()));
}

#[test]
fn old_ones_alone_are_told_of() {
    let server = Server::start();
    server.option("@sesh-install", "off");
    server.option("status-right", "#{sesh_status}");
    server.option("status-right-length", "110");
    let old = fake_helpers(&server, "old", "0.0.9");
    path(&server, &[&old]);
    server.load();
    assert_eq!(plugin_option(&server, "bin"), "");
    let trouble = plugin_option(&server, "trouble");
    assert!(
        trouble.contains("older than 0.1.0") && trouble.contains("bin/install"),
        "{trouble}"
    );
    let person = Screen::attach(&server, MAIN, (160, 20));
    person.shows("is older than 0.1.0");
    // The keys say the same.
    server.option("status-right", "");
    person.types(&["C-b", "M-e"]);
    person.shows("is older than 0.1.0");
}

#[test]
fn without_helpers_and_cargo_one_command_is_named() {
    let server = Server::start();
    server.option("status-right", "#{sesh_status}");
    server.option("status-right-length", "110");
    path(&server, &[]);
    for _ in 0..3 {
        server.load();
    }
    let trouble = plugin_option(&server, "trouble");
    let command = server.plugin().join("bin/install").display().to_string();
    assert_eq!(trouble, format!("sesh: no helpers, run {command}"));
    let person = Screen::attach(&server, MAIN, (160, 20));
    person.shows(&trouble);
    // That command says what it needs, and where to get it.
    let said = server
        .call(&server.plugin().join("bin/install"))
        .env("PATH", SYSTEM)
        .said();
    if !said.stderr.contains("Compiling") {
        assert!(said.sentence().contains("rustup.rs"), "{said}");
    }
    let state = std::fs::read_dir(server.path("home/.local/state/tmux-sesh"));
    assert_eq!(
        state.expect("a folder").count(),
        1,
        "nothing was to be written but that the user was welcomed"
    );
}

#[test]
fn they_are_built_once_in_the_background() {
    let server = Server::start();
    server.option("status-right", "#{sesh_status}");
    server.option("status-right-length", "110");
    let rust = fake_cargo(&server, 0);
    path(&server, &[&rust]);
    let hold = server.path("hold-late");
    std::fs::write(&hold, "").expect("a file");
    let person = Screen::attach(&server, MAIN, (120, 20));
    for _ in 0..5 {
        server.load();
    }
    person.shows("sesh: building the helpers (10 of ");
    assert_eq!(builds(&server), 1);
    std::fs::remove_file(&hold).expect("the file");
    let own = server.plugin().join("bin");
    until("they are in place", || {
        plugin_option(&server, "bin") == own.display().to_string()
    });
    until("all is well", || {
        plugin_option(&server, "trouble").is_empty()
    });
    let state = server.path("home/.local/state/tmux-sesh");
    let log = std::fs::read_to_string(state.join("build.log")).expect("a log");
    assert!(log.contains("Compiling crate12"), "{log}");
    until("the lock is gone", || !state.join("build.lock").exists());
    server.load();
    server.plugin_has_settled();
    assert_eq!(builds(&server), 1);
    // Uninstalled, none of it is left.
    server.uninstall(&[]);
    let left: Vec<_> = std::fs::read_dir(&own)
        .expect("bin")
        .map(|entry| entry.expect("a file").file_name())
        .collect();
    assert_eq!(left.len(), 2, "install and dist: {left:?}");
    assert!(!state.exists());
    until("what ran in the background is done", || {
        !server.path("home/.cache/tmux-sesh").exists()
    });
}

#[test]
fn a_build_that_fails_is_told_once_and_not_tried_again() {
    let server = Server::start();
    server.option("status-right", "");
    let rust = fake_cargo(&server, 3);
    path(&server, &[&rust]);
    let person = Screen::attach(&server, MAIN, (120, 20));
    server.load();
    person.shows("sesh: the build failed, see ~/.local/state/tmux-sesh/build.log");
    for _ in 0..3 {
        server.load();
    }
    server.plugin_has_settled();
    assert_eq!(builds(&server), 1);
    let trouble = plugin_option(&server, "trouble");
    assert_eq!(
        trouble,
        "sesh: the build failed, see ~/.local/state/tmux-sesh/build.log"
    );
    let log = server.path("home/.local/state/tmux-sesh/build.log");
    assert!(
        std::fs::read_to_string(log)
            .expect("a log")
            .contains("it does not build")
    );
    // Forbidden, nothing is built at all.
    let other = Server::start();
    let rust = fake_cargo(&other, 0);
    path(&other, &[&rust]);
    other.option("@sesh-install", "off");
    let before = other.processes();
    other.load();
    until("no job runs any more", || {
        let now = other.processes();
        now.iter().all(|pid| before.contains(pid))
    });
    assert_eq!(builds(&other), 0);
}

#[test]
fn helpers_that_leave_are_missed_once() {
    let server = Server::start();
    let folder = server.helpers_with_stand_in();
    server.option("@sesh-bin", &folder.display().to_string());
    server.option("@sesh-install", "off");
    server.option("@sesh-tick", "0.2");
    path(&server, &[]);
    server.load();
    std::fs::remove_dir_all(&folder).expect("the helpers go");
    let person = Screen::attach(&server, MAIN, (160, 20));
    person.types(&["C-b", "e"]);
    person.shows("no helpers in");
    let trouble = plugin_option(&server, "trouble");
    assert!(trouble.contains("bin/install"), "{trouble}");
    server.tmux([
        "set-hook",
        "-g",
        "after-set-option",
        "set-option -gF @written '#{@written}#{hook_argument_0} '",
    ]);
    let pane = server.window(MAIN);
    server.make_sesh(&pane, "one", "busy");
    server.tmux(["set-option", "-g", "@written", ""]);
    server.tmux(["kill-pane", "-t", &pane]);
    server.counts("0 0 0 0 0 0");
    for _ in 0..3 {
        server.plugin_has_settled();
    }
    let written = server.tmux(["display-message", "-p", "#{@written}"]);
    assert!(
        written.matches("@seshplugin_trouble").count() <= 1,
        "{written}"
    );
    // Back again: the next load finds them.
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(helpers().join("sesh-list"), folder.join("sesh-list"))
        .expect("a link");
    server.load();
    assert_eq!(plugin_option(&server, "trouble"), "");
    // Away and back without a load: the next sesh-reap says so.
    std::fs::remove_dir_all(&folder).expect("the helpers go");
    let ends = |server: &Server| {
        let pane = server.window(MAIN);
        server.make_sesh(&pane, "one", "busy");
        server.recount();
        server.tmux(["kill-pane", "-t", &pane]);
    };
    ends(&server);
    until("they are missed", || {
        plugin_option(&server, "trouble").contains("the helpers left")
    });
    server.helpers_with_stand_in();
    ends(&server);
    until("they are missed no more", || {
        plugin_option(&server, "trouble").is_empty()
    });
}

#[test]
fn a_plugin_folder_that_cannot_be_written_is_left_as_it_is() {
    let server = Server::start();
    let plugin = server.plugin();
    let rust = fake_cargo(&server, 0);
    let home = server.path("home");
    let ours = std::fs::read_dir(plugin.join("bin")).expect("bin").count();
    // Root may write anywhere, so that somebody else must try.
    let mut words: Vec<&str> = Vec::new();
    if nix::unistd::geteuid().is_root() {
        if which::which("setpriv").is_err() {
            return say("not tested: root may write anywhere, and there is no setpriv");
        }
        words.extend(["setpriv", "--reuid=65534", "--clear-groups"]);
        std::fs::remove_dir_all(home.join(".local")).expect("what root has made");
        for path in [server.folder().to_path_buf(), home.clone()] {
            std::fs::set_permissions(&path, Permissions::from_mode(0o777)).expect("permissions");
        }
    }
    std::fs::set_permissions(plugin.join("bin"), Permissions::from_mode(0o555))
        .expect("permissions");
    words.extend(["tmux", "-u", "-S"]);
    let socket = home.join("s").display().to_string();
    words.push(&socket);
    let path = format!(
        "{}:{}:{SYSTEM}",
        rust.display(),
        server.program().parent().expect("a folder").display()
    );
    let tmux = |args: &[&str]| {
        server
            .call("env".as_ref())
            .env("PATH", &path)
            .args(words.iter().chain(args))
            .said()
    };
    let _ends = AtEnd(|| drop(tmux(&["kill-server"])));
    let entry = plugin.join("sesh.tmux").display().to_string();
    let said = tmux(&[
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "cat",
        ";",
        "run-shell",
        &entry,
    ]);
    assert_eq!(said.code(), Some(0), "{said}");
    let place = home.join(".local/share/tmux-sesh/bin");
    until("they are built and found", || {
        let said = tmux(&[
            "display-message",
            "-p",
            "#{@seshplugin_bin} #{@seshplugin_trouble}",
        ]);
        said.text().trim_end() == place.display().to_string()
    });
    tmux(&["run-shell", &entry]);
    let said = tmux(&["display-message", "-p", "#{@seshplugin_bin}"]);
    assert_eq!(said.line(), place.display().to_string());
    assert_eq!(
        std::fs::read_dir(plugin.join("bin")).expect("bin").count(),
        ours
    );
    std::fs::set_permissions(plugin.join("bin"), Permissions::from_mode(0o755))
        .expect("permissions");
}

#[test]
fn an_archive_is_verified_and_moved_into_place() {
    let server = Server::start();
    let plugin = server.plugin();
    let rust = fake_cargo(&server, 0);
    let with_rust = format!("{}:{SYSTEM}", rust.display());
    let dist = server.path("dist");
    let said = server
        .call(&plugin.join("bin/dist"))
        .env("PATH", &with_rust)
        .args([&dist])
        .said();
    assert_eq!(said.code(), Some(0), "{said}");
    let archive = PathBuf::from(said.text().lines().last().expect("its path"));
    let prefix = server.path("prefix");
    let install = |archive: &Path| {
        server.call(&plugin.join("bin/install")).args([
            "--prefix".as_ref(),
            prefix.as_os_str(),
            "--from".as_ref(),
            archive.as_os_str(),
        ])
    };
    // A program that runs now is not half overwritten: it is another file.
    std::fs::create_dir_all(prefix.join("bin")).expect("a folder");
    std::fs::write(prefix.join("bin/sesh-list"), "old").expect("a file");
    let open = std::fs::File::open(prefix.join("bin/sesh-list")).expect("the old one");
    install(&archive).ok();
    assert_eq!(std::io::read_to_string(open).expect("its text"), "old");
    let said = server.call(&prefix.join("bin/sesh-list")).ok();
    assert_eq!(said.text(), "sesh-list 0.1.0\n");
    let names: Vec<String> = std::fs::read_dir(prefix.join("bin"))
        .expect("the helpers")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    // The papers are where man and the shells look for them, and a neighbour's are left alone.
    let share = prefix.join("share");
    for helper in ["tmux-sesh", "sesh-list", "pane-keys"] {
        for paper in [
            format!("man/man1/{helper}.1"),
            format!("bash-completion/completions/{helper}"),
            format!("fish/vendor_completions.d/{helper}.fish"),
        ] {
            assert!(share.join(&paper).is_file(), "{paper}");
        }
    }
    let zsh = share.join("zsh/site-functions");
    assert!(zsh.join("_tmux-sesh").is_file());
    std::fs::write(zsh.join("_other"), "").expect("a neighbour");
    server
        .call(&plugin.join("bin/install"))
        .args([
            "--uninstall".as_ref(),
            "--prefix".as_ref(),
            prefix.as_os_str(),
        ])
        .ok();
    assert_eq!(
        std::fs::read_dir(prefix.join("bin"))
            .expect("a folder")
            .count(),
        0
    );
    let left = server
        .call("/usr/bin/find".as_ref())
        .args([&share])
        .args(["-type", "f"])
        .ok();
    assert_eq!(left.text().trim(), zsh.join("_other").display().to_string());
    // Relative paths are those of whoever calls.
    let name = archive.file_name().expect("a name");
    let said = server
        .call(&plugin.join("bin/install"))
        .folder(&dist)
        .args(["--prefix", "../relative", "--from"])
        .args([name])
        .ok();
    let relative = server.path("relative/bin");
    assert!(relative.join("sesh-list").is_file());
    assert!(said.text().contains("is not on PATH"), "{said}");
    refuses_what_is_not_as_it_was_made(&archive, &dist, &install);
    assert_eq!(
        std::fs::read_dir(prefix.join("bin"))
            .expect("a folder")
            .count(),
        0
    );
}

/// Changed by one byte, or unknown, or without its sums.
fn refuses_what_is_not_as_it_was_made(
    archive: &Path,
    dist: &Path,
    install: &dyn Fn(&Path) -> Call,
) {
    let mut bytes = std::fs::read(archive).expect("the archive");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(archive, bytes).expect("the archive");
    assert!(install(archive).fails(1).contains("SHA256SUMS"));
    let other = dist.join("other.tar.gz");
    std::fs::copy(archive, &other).expect("a copy");
    assert!(install(&other).fails(1).contains("does not list"));
    std::fs::remove_file(dist.join("SHA256SUMS")).expect("the sums");
    assert!(install(archive).fails(1).contains("there is no SHA256SUMS"));
}

#[test]
fn a_release_has_a_static_archive_for_each_machine() {
    let server = Server::start();
    let plugin = server.plugin();
    let sysroot = server.path("rust");
    let target =
        |machine: &str| sysroot.join(format!("lib/rustlib/{machine}-unknown-linux-musl/lib"));
    server.script(
        "rustc",
        &format!(
            "[ \"$1\" = -vV ] && echo host: x86_64-test || echo '{}'",
            sysroot.display()
        ),
    );
    server.script(
        "cargo",
        "while [ $# -gt 0 ]; do case $1 in --target-dir) t=$2 ;; --target) to=$2/ ;; esac; shift; done\n\
         mkdir -p \"$t/${to-}release\"\n\
         { echo '#!/bin/sh'; echo \"# ${to-} ${CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER-}\"; } \
         >\"$t/${to-}release/tmux-sesh\"",
    );
    let name = |machine: &str| {
        let version = env!("CARGO_PKG_VERSION");
        format!("tmux-sesh-{version}-linux-{machine}.tar.gz")
    };
    let dist = |args: &[&str]| {
        let to = server.path("dist");
        let dist = server.call(&plugin.join("bin/dist"));
        dist.env("CARGO_TARGET_DIR", server.path("target"))
            .args(args)
            .args([to])
            .said()
    };
    if std::env::consts::OS != "linux" || std::env::consts::ARCH != "x86_64" {
        return say("not tested: the archives of two machines are those of Linux on x86_64");
    }
    // Without a target the archive of this machine is made, and it is said that it is not static.
    let said = dist(&[]);
    assert_eq!(said.code(), Some(0), "{said}");
    assert_eq!(said.lines().len(), 1, "{said}");
    for part in [
        "no archive for aarch64: this Rust has no target aarch64-unknown-linux-musl (rustup target add ",
        "the archive for x86_64 is not static: this Rust has no target x86_64-unknown-linux-musl",
    ] {
        assert!(said.stderr.contains(part), "{said}");
    }
    std::fs::remove_dir_all(server.path("dist")).expect("a folder");
    let said = dist(&["--all"]);
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(!server.path("dist").exists(), "{said}");
    for machine in ["x86_64", "aarch64"] {
        std::fs::create_dir_all(target(machine)).expect("a folder");
    }
    let said = dist(&["--all"]);
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(said.stderr.is_empty(), "{said}");
    let paths: Vec<String> = ["aarch64", "x86_64"]
        .iter()
        .map(|machine| {
            server
                .path("dist")
                .join(name(machine))
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(said.lines(), paths);
    let check = server
        .call("sha256sum".as_ref())
        .folder(&server.path("dist"));
    assert_eq!(check.args(["-c", "SHA256SUMS"]).ok().lines().len(), 2);
    for (path, word) in paths.iter().zip([
        "# aarch64-unknown-linux-musl/ rust-lld",
        "# x86_64-unknown-linux-musl/ ",
    ]) {
        let text = server
            .call("tar".as_ref())
            .args(["-xzOf", path, "tmux-sesh"])
            .ok();
        assert!(text.text().contains(word), "{text}");
    }
    assert_eq!(dist(&["--what"]).code(), Some(2));
}

#[test]
fn the_version_is_that_of_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("plugin/version.sh")).expect("the version");
    let line = format!("version={}", env!("CARGO_PKG_VERSION"));
    assert!(text.lines().any(|it| it == line), "{text}");
}
