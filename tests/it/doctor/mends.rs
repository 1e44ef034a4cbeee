//! Each problem that the doctor knows is brought about, what its mend says is done, and then the finding has gone.
//!
//! The `match` of [`ways`] has a row for each problem: one without a row does not compile.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;
use tmux_sesh::doctor::ProblemKind;
use tmux_sesh::tmux::version::Version;

use super::version;
use crate::support::{Call, Server, copy_plugin, helpers, say, until};
use crate::work::{Repo, write};

/// How many problems are looked at at once.
const AT_ONCE: usize = 4;

/// A problem that is there, and what to do about it.
struct Scene {
    server: Server,
    /// It is there only once.
    once: bool,
    /// How the doctor is called.
    doctor: Box<dyn Fn(&Server) -> Call>,
    /// What is done with the mend.
    follow: Follow,
}

type Follow = Box<dyn Fn(&Server, &str)>;

impl Scene {
    /// The doctor is called as usual, and the command of the mend is run.
    fn new(server: Server) -> Self {
        Self {
            server,
            once: false,
            doctor: Box::new(|server| server.sesh("sesh-doctor", ["--json"])),
            follow: Box::new(run),
        }
    }

    fn doctor(mut self, doctor: impl Fn(&Server) -> Call + 'static) -> Self {
        self.doctor = Box::new(doctor);
        self
    }

    /// What a person does who reads the mend.
    fn person(mut self, follow: impl Fn(&Server, &str) + 'static) -> Self {
        self.follow = Box::new(follow);
        self
    }

    /// The mend of a problem, if the doctor finds it.
    fn mend(&self, kind: ProblemKind) -> Option<String> {
        let said = (self.doctor)(&self.server).said();
        let all = said.json();
        let all = all.as_array().expect("a list");
        let finding = all.iter().find(|finding| finding["id"] == kind.id())?;
        assert_eq!(finding["area"], kind.area().as_str());
        let mend = finding["mend"].as_str().unwrap_or_default().to_string();
        assert!(!mend.is_empty(), "{finding}");
        Some(mend)
    }
}

type Way = fn() -> Scene;

/// The ways in which a problem comes about here, or why none can be followed.
enum Ways {
    All(&'static [Way]),
    /// It is found, and what its mend says cannot be done here.
    Found(Way, &'static str),
}

use ProblemKind as P;
use Ways::{All, Found};

#[expect(clippy::too_many_lines, reason = "one table")]
fn ways(kind: P) -> Ways {
    match kind {
        P::NoTmux => All(&[without_tmux]),
        P::ClientTooOld => All(&[|| client("3.1c")]),
        P::ServerTooOld => All(&[|| Scene::new(pretended("3.1c", "3.4"))]),
        P::OtherProtocol => All(&[|| other(false), || Scene::new(other(false).server)]),
        P::OtherVersion => All(&[|| Scene::new(other(true).server)]),
        P::ServerHungUp => All(&[hangs_up]),
        P::ServerStopped => All(&[stopped]),
        P::ServerHangs => All(&[hangs]),
        P::NoAnswerOfTmux => All(&[prints_something]),
        P::NoVersion => All(&[|| client(""), || client_that_hangs()]),
        P::PasteIntoDead => All(&[keeps_dead]),
        P::LosesExits => All(&[utempter]),
        P::LostServer => All(&[socket_removed, folder_of_socket_removed]),
        P::HelperMissing => All(&[alone]),
        P::HelperWithoutVersion => All(&[|| leftover("exit 1")]),
        P::HelperOfOtherVersion => All(&[
            || leftover("echo sesh-new 0.0.1"),
            || leftover("echo sesh-new 999.0.0"),
            installed_together,
        ]),
        P::NoHelperOnPath => All(&[not_on_path]),
        P::LaunchFolder => All(&[
            || launch(|folder| mode(folder, 0o755)),
            || launch(|folder| mode(&folder.join("launch-x"), 0o644)),
            || launch(|folder| instead(folder, |at| std::fs::write(at, ""))),
            || launch(|folder| instead(folder, |at| symlink("/tmp", at))),
            launch_of_another,
        ]),
        P::LaunchUnwritable => All(&[no_temporary_folder, || limited(None)]),
        P::JournalOpen => All(&[|| journal_open(""), || journal_open("x.jsonl")]),
        P::SocketGone => All(&[socket_gone]),
        P::SocketOpen => All(&[|| socket_modes(0o750, 0o660), || socket_modes(0o711, 0o602)]),
        P::SocketFolderOpen => All(&[|| socket_modes(0o755, 0o700)]),
        P::JournalUnwritable => All(&[
            lock_is_a_folder,
            state_is_a_file,
            journal_of_another,
            lock_is_held,
            || limited(Some("one")),
        ]),
        P::JournalMissed => All(&[journal_missed]),
        P::JournalLacks => All(&[journal_removed]),
        P::JournalNewer => Found(
            || journal_with("{\"schema\":7,\"uuid\":\"3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f\"}\n"),
            "there is no newer version to install",
        ),
        P::JournalTorn => All(&[|| journal_with("{\"schema\":1,\"uu\n")]),
        P::PluginNotLoaded => All(&[not_loaded, helpers_of_a_plugin]),
        P::PluginTrouble => All(&[no_helpers, no_such_key]),
        P::PluginFolderGone => All(&[installed_again, uninstalled_by_another]),
        P::PluginWithoutHelpers => All(&[|| plugin_says("@seshplugin_bin", "")]),
        P::PluginHelpersGone => All(&[|| plugin_says("@seshplugin_bin", "/no/such/folder")]),
        P::PluginHelpersOld => All(&[old_helpers]),
        P::PluginOfOtherVersion => All(&[
            || plugin_says("@seshplugin_version", "0.0.1"),
            || plugin_says("@seshplugin_version", "999.0.0"),
        ]),
        P::KeyGone => All(&[|| after_load(&["unbind-key", "e"])]),
        P::KeyTaken => All(&[
            || after_load(&["bind-key", "e", "display-message", "mine"]),
            key_moved,
        ]),
        P::ProceduresGone => All(&[|| after_load(&["set-hook", "-g", "after-display-panes", ""])]),
        P::HooksGone => All(&[
            || after_load(&["set-hook", "-g", "pane-exited", "run-shell true"]),
            || after_load(&["set-hook", "-gu", "client-attached"]),
        ]),
        P::SegmentNotReplaced => All(&[
            || written("-g", "status-right", "#{sesh_status}"),
            || written("-gw", "window-status-format", "#{sesh_window}"),
            || written("-g", "status-format[1]", "#{sesh_status}"),
            || written("-g", "@theme_part", "#{sesh_status}"),
            literal_without_plugin,
        ]),
        P::SegmentUnset => All(&[segment_unset]),
        P::SegmentNotShown => All(&[|| after_load(&["set-option", "-g", "status-right", "theme"])]),
        P::SettingUnknown => All(&[
            || setting("-g", "@sesh-restore", "never"),
            || setting("-g", "@sesh-hold", "soon"),
            || setting("-s", "@sesh-picker", "fzf -m"),
        ]),
        P::AgentFile => All(&[|| agent_file(false), || agent_file(true)]),
        P::HooksDisabled => All(&[hooks_disabled]),
        P::HookFailed => All(&[
            || hook_failed("x"),
            || hook_failed("{}"),
            || Scene::new(hook_failed("x").server),
        ]),
        P::HookFailedBefore => All(&[hook_failed_before, || {
            Scene::new(hook_failed_before().server)
        }]),
        P::RecordNewer => {
            All(&[|| record("@seshbook_3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f", "9,x")])
        }
        P::RecordUnreadable => All(&[
            || record("@seshbook_x", "rubbish"),
            || record("@seshbook_$(id>ran)", "rubbish"),
        ]),
        P::StateForMany => All(&[
            || Scene::new(set(&["set-option", "-s", "@sesh_name", "x"])),
            || Scene::new(set(&["set-option", "-g", "@sesh_name", "x"])),
            || Scene::new(set(&["set-option", "-gw", "@sesh_name", "x"])),
        ]),
        P::Stale => All(&[runner_killed]),
        P::StateUnwritten => All(&[busy_shell]),
        P::ReapWithoutEnd => {
            All(&[|| Scene::new(set(&["set-environment", "-gh", "SESH_reap", "5"]))])
        }
        P::NotCompared => All(&[ends_meanwhile]),
        P::GitTooOld => All(&[old_git]),
        P::LedgerUnwritable => All(&[ledger_folder_is_a_file]),
        P::LedgerUnread => All(&[ledger_is_a_folder]),
        P::WorktreeWithoutHolder => All(&[holder_gone, dirty_and_dropped]),
    }
}

#[test]
fn what_each_mend_says_makes_its_finding_go() {
    let kinds = Mutex::new(P::ALL.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = kinds.lock().expect("the kinds").next();
                    let Some(&kind) = next else { break };
                    if std::panic::catch_unwind(|| check(kind)).is_err() {
                        failed.lock().expect("a list").push(kind.id());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("a list");
    assert!(failed.is_empty(), "{failed:?}");
}

#[track_caller]
fn check(kind: P) {
    match ways(kind) {
        All(ways) => ways.iter().for_each(|way| goes(kind, &way())),
        Found(way, why) => {
            assert!(way().mend(kind).is_some(), "{} is not found", kind.id());
            say(&format!("{}: its mend is left out: {why}", kind.id()));
        }
    }
}

#[test]
fn each_problem_has_a_word_of_its_own() {
    let mut ids: Vec<&str> = P::ALL.iter().map(|kind| kind.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), P::ALL.len());
}

#[track_caller]
fn goes(kind: P, scene: &Scene) {
    let id = kind.id();
    let mend = scene.mend(kind);
    let mend = mend.unwrap_or_else(|| panic!("{id} is not found"));
    assert!(
        scene.once || scene.mend(kind).is_some(),
        "{id} goes by itself"
    );
    (scene.follow)(&scene.server, &mend);
    until(
        &format!("{id} goes, as it is done what its mend says: {mend}"),
        || scene.mend(kind).is_none(),
    );
    assert!(!scene.server.path("ran").exists(), "{id}: a name was run");
}

/// The command of a mend: what stands behind its last colon, or all of it.
fn command(mend: &str) -> &str {
    mend.rsplit_once(": ").map_or(mend, |(_, command)| command)
}

/// Runs the command of a mend.
fn run(server: &Server, mend: &str) {
    sh(server, command(mend));
}

#[track_caller]
fn sh(server: &Server, script: &str) {
    let said = server.call("/bin/sh".as_ref()).args(["-c", script]).said();
    assert_eq!(said.code(), Some(0), "{said}");
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("a mode");
}

/// A server to which something was done.
fn set(command: &[&str]) -> Server {
    let server = Server::start();
    server.tmux(command);
    server
}

/// The `tmux` on PATH says that it is of this version; a mend that asks for another one removes it.
fn client(says: &str) -> Scene {
    let server = Server::start();
    let real = server.program().display().to_string();
    server.script(
        "tmux",
        &format!("case $1 in -V) echo 'tmux {says}' ;; *) exec '{real}' \"$@\" ;; esac"),
    );
    Scene::new(server).person(|server, mend| {
        assert!(
            mend.starts_with("install") || mend.starts_with("put"),
            "{mend}"
        );
        std::fs::remove_file(server.path("bin/tmux")).expect("a file");
    })
}

fn client_that_hangs() -> Scene {
    let scene = client("");
    let real = scene.server.program().display().to_string();
    scene.server.script(
        "tmux",
        &format!("case $1 in -V) exec sleep 1000 ;; *) exec '{real}' \"$@\" ;; esac"),
    );
    scene
}

/// A server that says to be of one version, with a client that says to be of another.
fn pretended(running: &str, client: &str) -> Server {
    let server = Server::start();
    let real = server.program().display().to_string();
    let version = server.format(crate::support::MAIN, "#{version}");
    let version = version.replace('.', "[.]");
    server.script(
        "tmux",
        &format!(
            "case $1 in -V) echo 'tmux {client}'; exit ;; esac\n'{real}' \"$@\" >'{out}' || exit\n\
             sed 's/{version}/{running}/' '{out}'",
            out = server.path("out").display()
        ),
    );
    server
}

/// A client of another version than the server: one that it can speak with, or not.
fn other(near: bool) -> Scene {
    let server = Server::start();
    let real = version(&server);
    let is = |text: &str| real == Version::parse(text).expect("a version");
    let is_new = real >= Version::parse("3.6").expect("a version");
    let says = match (is_new, near) {
        (true, true) => "3.6-rc",
        (false, true) if is("3.5") => "3.4",
        (false, true) => "3.5",
        (true, false) => "3.5a",
        (false, false) => "3.6b",
    };
    drop(server);
    client(says)
}

fn without_tmux() -> Scene {
    let server = Server::start();
    let doctor = |server: &Server| {
        let call = server.sesh("sesh-doctor", ["--json"]);
        if server.path("installed").exists() {
            call
        } else {
            call.env("PATH", "")
        }
    };
    Scene::new(server).doctor(doctor).person(|server, mend| {
        assert!(mend.starts_with("install it"), "{mend}");
        std::fs::write(server.path("installed"), "").expect("a file");
    })
}

fn hangs_up() -> Scene {
    let scene = client("3.5a");
    scene.server.script(
        "tmux",
        "case $1 in -V) echo 'tmux 3.5a' ;; *) echo 'server exited unexpectedly' >&2; exit 1 ;; esac",
    );
    scene
}

fn stopped() -> Scene {
    let server = Server::start();
    kill(pid_of(&server), Signal::SIGSTOP).expect("it is there");
    Scene::new(server)
}

fn pid_of(server: &Server) -> Pid {
    Pid::from_raw(server.pid().cast_signed())
}

fn prints_something() -> Scene {
    let scene = client("3.4");
    scene.server.script(
        "tmux",
        "case $1 in -V) echo tmux 3.4 ;; *) echo something ;; esac",
    );
    scene
}

/// A server that waits for its configuration, a file to which no process writes.
fn hangs() -> Scene {
    let server = Server::start();
    sh(
        &server,
        "mkfifo endless\ntmux -S \"$PWD/hung\" -f \"$PWD/endless\" start-server >/dev/null 2>&1 &",
    );
    let socket = server.path("hung");
    until("it listens", || {
        let made = socket.metadata().and_then(|metadata| metadata.modified());
        made.is_ok_and(|at| at.elapsed().unwrap_or_default().as_millis() > 100)
    });
    Scene::new(server).doctor(move |server| {
        server
            .helper("sesh-doctor")
            .args(["--json".as_ref(), "-S".as_ref(), socket.as_os_str()])
    })
}

fn keeps_dead() -> Scene {
    let server = pretended("3.3a", "3.3a");
    server.tmux(["set-option", "-gw", "remain-on-exit", "on"]);
    Scene::new(server)
}

/// A program with the name of the library in it, and no server that would run another one.
fn utempter() -> Scene {
    let server = Server::start();
    let says = |server: &Server, version: &str| {
        server.script(
            "tmux",
            &format!(
                "# libutempter.so\ncase $1 in -V) echo 'tmux {version}' ;; *) echo 'no server running' >&2; exit 1 ;; esac"
            ),
        );
    };
    says(&server, "3.5a");
    Scene::new(server)
        .doctor(|server| {
            server
                .helper("sesh-doctor")
                .args(["--json", "-S", "/nowhere/s"])
        })
        .person(move |server, mend| {
            assert!(mend.starts_with("update tmux to 3.6"), "{mend}");
            says(server, "3.6");
        })
}

fn socket_removed() -> Scene {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    std::fs::remove_file(server.socket()).expect("a socket");
    Scene::new(server)
}

fn folder_of_socket_removed() -> Scene {
    let server = Server::start();
    let folder = server.path("a folder");
    std::fs::create_dir(&folder).expect("a folder");
    let on = |server: &Server, helper: &str| {
        let socket = server.path("a folder/s");
        server
            .helper(helper)
            .args(["-S".as_ref(), socket.as_os_str()])
    };
    on(&server, "sesh-new")
        .args(["one", "--", "sleep", "1000"])
        .ok();
    std::fs::remove_dir_all(&folder).expect("a folder");
    Scene::new(server)
        .doctor(move |server| on(server, "sesh-doctor").args(["--json"]))
        .person(move |server, mend| {
            run(server, mend);
            until("it is reached", || {
                on(server, "sesh-list").said().code() == Some(0)
            });
            on(server, "sesh-doctor").said();
            let tmux = server.call(server.program());
            let socket = server.path("a folder/s");
            tmux.args(["-S".as_ref(), socket.as_os_str()])
                .args(["kill-server"])
                .ok();
        })
}

/// A doctor in a folder of its own. Another process copies it: see `Server::program_file`.
fn doctor_in(server: &Server, folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let doctor = folder.join("sesh-doctor");
    server
        .call("/bin/cp".as_ref())
        .args([&helpers().join("sesh-doctor"), &doctor])
        .ok();
    doctor
}

/// The other helpers come there too, as an installation puts them.
fn install(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    for entry in std::fs::read_dir(helpers()).expect("a folder").flatten() {
        let name = entry.file_name();
        let is_helper = ["sesh-", "pane-", "tmux-sesh"]
            .iter()
            .any(|start| name.to_string_lossy().starts_with(start));
        if is_helper && entry.path().extension().is_none() && !folder.join(&name).exists() {
            symlink(entry.path(), folder.join(&name)).expect("a link");
        }
    }
}

/// A doctor without neighbours, and with no PATH but that of `profile`, which a shell reads.
fn alone() -> Scene {
    let server = Server::start();
    let doctor = doctor_in(&server, &server.path("a lone folder"));
    symlink(server.program(), server.path("bin/tmux")).expect("a link");
    std::fs::write(server.path("profile"), "").expect("a file");
    Scene::new(server)
        .doctor(move |server| {
            server
                .call("/bin/sh".as_ref())
                .args(["-c", ". ./profile; exec \"$0\" \"$@\""])
                .args([&doctor])
                .args([
                    "--json".as_ref(),
                    "-S".as_ref(),
                    server.socket().as_os_str(),
                ])
                .env("PATH", server.path("bin"))
        })
        .person(|server, mend| {
            assert!(
                mend.starts_with("install all helpers of one version together"),
                "{mend}"
            );
            install(&server.path("a lone folder"));
        })
}

fn not_on_path() -> Scene {
    let scene = alone();
    install(&scene.server.path("a lone folder"));
    scene.person(|server, mend| {
        std::fs::write(server.path("profile"), command(mend)).expect("a file");
    })
}

fn leftover(does: &str) -> Scene {
    let server = Server::start();
    server.script("sesh-new", does);
    Scene::new(server)
}

fn installed_together() -> Scene {
    leftover("echo sesh-new 0.0.1").person(|server, mend| {
        assert!(
            mend.starts_with("install all helpers of one version together"),
            "{mend}"
        );
        std::fs::remove_file(server.path("bin/sesh-new")).expect("a file");
        install(&server.path("bin"));
    })
}

/// The folder of new panes, with a file in it, to which something is done.
fn launch(done: impl Fn(&Path)) -> Scene {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    let folder = server.path("run/tmux-sesh");
    let file = folder.join("launch-x");
    std::fs::write(&file, "").expect("a file");
    mode(&file, 0o600);
    done(&folder);
    Scene::new(server)
}

fn instead(folder: &Path, of: impl Fn(&Path) -> std::io::Result<()>) {
    std::fs::remove_dir_all(folder).expect("a folder");
    of(folder).expect("another");
}

/// A folder of another user's. Only root can make one.
fn launch_of_another() -> Scene {
    let scene = launch(|folder| {
        let _ = std::os::unix::fs::chown(folder, Some(12345), None);
        if !nix::unistd::geteuid().is_root() {
            mode(folder, 0o755);
        }
    });
    if !nix::unistd::geteuid().is_root() {
        return scene;
    }
    scene
        .doctor(|server| {
            let folder = ["run", "own"].into_iter().map(|name| server.path(name));
            let folder = folder.rev().find(|folder| folder.is_dir());
            server
                .sesh("sesh-doctor", ["--json"])
                .env("XDG_RUNTIME_DIR", folder.expect("a folder"))
        })
        .person(|server, mend| {
            assert_eq!(mend, "set XDG_RUNTIME_DIR to a folder that you own");
            std::fs::create_dir(server.path("own")).expect("a folder");
        })
}

fn no_temporary_folder() -> Scene {
    Scene::new(Server::start())
        .doctor(|server| {
            server
                .sesh("sesh-doctor", ["--json"])
                .env("XDG_RUNTIME_DIR", "")
                .env("TMPDIR", server.path("gone"))
        })
        .person(|server, mend| {
            assert!(mend.contains("make it writable"), "{mend}");
            std::fs::create_dir(server.path("gone")).expect("a folder");
        })
}

/// Files may not grow, until a file says that there is room. With a name, a sesh of it is there.
fn limited(name: Option<&str>) -> Scene {
    let server = Server::start();
    server.new_sesh([name.unwrap_or("one"), "--", "sleep", "1000"]);
    Scene::new(server)
        .doctor(|server| {
            let limit = if server.path("room").exists() {
                "unlimited"
            } else {
                "1"
            };
            server
                .call("/bin/sh".as_ref())
                .args([
                    "-c",
                    &format!("ulimit -f {limit}; exec sesh-doctor --json \"$@\" | cat"),
                ])
                .args(["sh".as_ref(), "-S".as_ref(), server.socket().as_os_str()])
        })
        .person(|server, mend| {
            assert!(mend.starts_with("free "), "{mend}");
            std::fs::write(server.path("room"), "").expect("a file");
            if mend.contains("sesh-save") {
                run(server, mend);
            }
        })
}

fn journal(server: &Server) -> PathBuf {
    server.path("home/.local/state/tmux-sesh/journal")
}

fn file(server: &Server) -> PathBuf {
    let entries = std::fs::read_dir(journal(server)).expect("the journal's folder");
    let mut files = entries.map(|entry| entry.expect("an entry").path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "jsonl"));
    file.expect("a journal")
}

/// A folder of state with a blank in its name, which others may open.
fn journal_open(name: &str) -> Scene {
    let server = Server::start();
    let state = server.path("my state");
    let open = state.join("tmux-sesh/journal").join(name);
    std::fs::create_dir_all(state.join("tmux-sesh/journal")).expect("a folder");
    mode(&state.join("tmux-sesh/journal"), 0o700);
    if !name.is_empty() {
        std::fs::write(&open, "").expect("a file");
    }
    mode(&open, 0o755);
    Scene::new(server).doctor(move |server| {
        server
            .sesh("sesh-doctor", ["--json"])
            .env("XDG_STATE_HOME", &state)
    })
}

/// The server is reached by another name of its socket.
fn socket_gone() -> Scene {
    let server = Server::start();
    let link = server.path("link");
    std::fs::hard_link(server.socket(), &link).expect("a link");
    std::fs::remove_file(server.socket()).expect("a socket");
    Scene::new(server).doctor(move |server| {
        let socket = server.socket();
        let socket = if socket.exists() { &socket } else { &link };
        server
            .helper("sesh-doctor")
            .args(["--json".as_ref(), "-S".as_ref(), socket.as_os_str()])
    })
}

fn socket_modes(folder: u32, socket: u32) -> Scene {
    let server = Server::start();
    mode(server.folder(), folder);
    mode(&server.socket(), socket);
    Scene::new(server)
}

fn with_sesh() -> Server {
    let server = Server::start();
    server.new_sesh(["one", "--", "sleep", "1000"]);
    server
}

fn lock_is_a_folder() -> Scene {
    let server = with_sesh();
    let lock = file(&server).with_extension("lock");
    std::fs::remove_file(&lock).expect("a lock");
    std::fs::create_dir(&lock).expect("a folder");
    Scene::new(server).person(move |server, mend| {
        assert!(mend.contains("make it writable; then: sesh-save"), "{mend}");
        std::fs::remove_dir(&lock).expect("a folder");
        run(server, mend);
    })
}

fn state_is_a_file() -> Scene {
    let server = Server::start();
    let state = server.path("home/.local/state/tmux-sesh");
    std::fs::create_dir_all(&state).expect("a folder");
    std::fs::write(state.join("journal"), "no folder").expect("a file");
    Scene::new(server).person(|server, mend| {
        assert!(mend.contains("make it writable; then: sesh-save"), "{mend}");
        std::fs::remove_file(journal(server)).expect("a file");
        run(server, mend);
    })
}

fn journal_of_another() -> Scene {
    let server = with_sesh();
    let path = file(&server);
    let text = std::fs::read_to_string(&path).expect("the journal");
    let socket = server.socket().display().to_string();
    std::fs::write(&path, text.replacen(&socket, "/another/socket", 1)).expect("the journal");
    Scene::new(server).person(move |server, mend| {
        assert!(
            mend.starts_with("move it elsewhere; then: sesh-save"),
            "{mend}"
        );
        std::fs::rename(&path, path.with_extension("away")).expect("a file");
        run(server, mend);
    })
}

/// Another process has the lock, and does not end.
fn lock_is_held() -> Scene {
    let server = with_sesh();
    let lock = file(&server).with_extension("lock");
    sh(
        &server,
        &format!(
            "flock '{}' sleep 1000 >/dev/null 2>&1 & echo $! >holder",
            lock.display()
        ),
    );
    until("it is held", || {
        let lock = std::fs::File::open(&lock).expect("a lock");
        lock.try_lock().is_err()
    });
    Scene::new(server).person(|server, mend| {
        assert!(mend.starts_with("end that process"), "{mend}");
        let holder = std::fs::read_to_string(server.path("holder")).expect("a file");
        for pid in tmux_sesh::proc::tree(holder.trim().parse().expect("a pid")) {
            let _ = kill(Pid::from_raw(pid.pid), Signal::SIGKILL);
        }
        run(server, mend);
    })
}

fn journal_missed() -> Scene {
    let scene = lock_is_a_folder();
    let set = scene.server.sesh("sesh-set", ["one", "--note", "x"]);
    assert_eq!(set.said().code(), Some(0));
    std::fs::remove_dir(file(&scene.server).with_extension("lock")).expect("a folder");
    Scene::new(scene.server)
}

fn journal_removed() -> Scene {
    let server = with_sesh();
    std::fs::remove_file(file(&server)).expect("a file");
    Scene::new(server)
}

fn journal_with(line: &str) -> Scene {
    let server = with_sesh();
    let mut text = std::fs::read_to_string(file(&server)).expect("the journal");
    text.push_str(line);
    std::fs::write(file(&server), text).expect("the journal");
    Scene::new(server)
}

/// The mend names the plugin's folder FOLDER where it cannot know it.
fn not_loaded() -> Scene {
    Scene::new(Server::start()).person(load_from_folder)
}

fn load_from_folder(server: &Server, mend: &str) {
    let load = command(mend);
    let load = load.strip_suffix(", where FOLDER is its folder");
    let folder = server.plugin().display().to_string();
    sh(
        server,
        &load.expect("a placeholder").replace("FOLDER", &folder),
    );
}

fn helpers_of_a_plugin() -> Scene {
    let server = Server::start();
    let folder = server.path("my 'plugins' #1");
    copy_plugin(&server, &folder);
    let doctor = doctor_in(&server, &folder.join("bin"));
    Scene::new(server).doctor(move |server| {
        server.call(&doctor).args([
            "--json".as_ref(),
            "-S".as_ref(),
            server.socket().as_os_str(),
        ])
    })
}

/// A server with the plugin, whose tick mends nothing meanwhile.
fn loaded() -> Server {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.option("@sesh-install", "off");
    server.option("status-right", "#{sesh_status}");
    server.load();
    server
}

fn after_load(command: &[&str]) -> Scene {
    let server = loaded();
    server.tmux(command);
    Scene::new(server)
}

fn plugin_says(option: &str, value: &str) -> Scene {
    after_load(&["set-option", "-s", option, value])
}

fn no_helpers() -> Scene {
    let server = Server::start();
    server.option("@sesh-install", "off");
    server.option("@sesh-tick", "off");
    let path = format!("{}:/usr/bin:/bin", server.path("bin").display());
    symlink(server.program(), server.path("bin/tmux")).expect("a link");
    server.tmux(["set-environment", "-g", "PATH", &path]);
    server.tmux(["set-environment", "-g", "HOME", "/nowhere"]);
    server.load();
    Scene::new(server).person(|server, mend| {
        let install_here = server.plugin().join("bin/install");
        let trouble = server.tmux(["show-options", "-sv", "@seshplugin_trouble"]);
        assert!(
            trouble.contains(&install_here.display().to_string()),
            "{trouble}"
        );
        assert!(mend.starts_with("follow its advice"), "{mend}");
        // Where that puts them.
        install(&server.plugin().join("bin"));
        run(server, mend);
    })
}

fn no_such_key() -> Scene {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.option("@sesh-key-enter", "NoSuchKey");
    server.load();
    Scene::new(server).person(|server, mend| {
        server.option("@sesh-key-enter", "e");
        run(server, mend);
    })
}

fn installed_again() -> Scene {
    let server = loaded();
    std::fs::remove_dir_all(server.plugin()).expect("a folder");
    Scene::new(server).person(|server, mend| {
        assert!(mend.starts_with("install it there again"), "{mend}");
        server.plugin();
        let (again, _) = mend.split_once(';').expect("two ways out");
        run(server, again);
    })
}

fn uninstalled_by_another() -> Scene {
    let server = loaded();
    std::fs::remove_dir_all(server.path("tmux-sesh")).expect("a folder");
    Scene::new(server).person(|server, mend| {
        assert!(mend.ends_with("run plugin/uninstall of any copy"), "{mend}");
        let copy = server.path("copy");
        copy_plugin(server, &copy);
        server.uninstall_from(&copy, &["--keep"]);
    })
}

fn old_helpers() -> Scene {
    let server = loaded();
    let folder = server.path("old");
    std::fs::create_dir(&folder).expect("a folder");
    server.program_file(
        &folder.join("sesh-reap"),
        b"#!/bin/sh\necho sesh-reap 0.0.1\n",
    );
    let folder = folder.display().to_string();
    server.tmux(["set-option", "-s", "@seshplugin_bin", &folder]);
    Scene::new(server).person(|server, mend| {
        assert!(mend.contains("bin/install"), "{mend}");
        install(&server.plugin().join("bin"));
        run(server, mend);
    })
}

fn key_moved() -> Scene {
    after_load(&["bind-key", "e", "display-message", "mine"]).person(|server, mend| {
        assert!(mend.contains("@sesh-key-enter"), "{mend}");
        server.option("@sesh-key-enter", "C-e");
        run(server, mend);
        let keys = server.tmux(["list-keys", "-T", "prefix"]);
        let line = |key: &str| keys.lines().any(|line| line.contains(&format!(" {key} ")));
        assert!(line("C-e") && keys.contains("mine"), "{keys}");
    })
}

fn literal_without_plugin() -> Scene {
    let server = set(&["set-option", "-g", "status-right", "x #{sesh_status}"]);
    Scene::new(server).person(load_from_folder)
}

/// A literal where the plugin replaces none: its tick does not look, and the session has lines of its own.
fn written(scope: &'static str, option: &'static str, literal: &str) -> Scene {
    let server = loaded();
    for (flags, line) in [("-t", "status-right"), ("-wt", "window-status-format")] {
        server.tmux(["set-option", flags, crate::support::MAIN, line, "x"]);
    }
    server.tmux(["set-option", "-g", "status-left", "#{E:@theme_part}"]);
    server.tmux(["set-option", scope, option, &format!("a {literal} z")]);
    Scene::new(server).person(move |server, mend| {
        let text = mend.strip_prefix("write ").expect("what to write");
        let text = text.strip_suffix(" there in its place").expect("where");
        server.tmux(["set-option", scope, option, &format!("a {text} z")]);
    })
}

fn segment_unset() -> Scene {
    let server = set(&["set-option", "-g", "status-right", "#{E:@sesh-status}"]);
    Scene::new(server).person(load_from_folder)
}

fn setting(scope: &str, name: &str, value: &str) -> Scene {
    Scene::new(set(&["set-option", scope, name, value]))
}

fn agent_file(corrected: bool) -> Scene {
    let server = Server::start();
    let folder = server.path("home/.config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("mine.toml");
    std::fs::write(&file, "nonsense = 1\n").expect("a file");
    Scene::new(server).person(move |_, mend| {
        assert!(mend.starts_with("correct this file"), "{mend}");
        let outcome = if corrected {
            std::fs::write(&file, "[process]\nnames = [\"mine\"]\n")
        } else {
            std::fs::remove_file(&file)
        };
        outcome.expect("a file");
    })
}

fn hooks_disabled() -> Scene {
    let server = Server::start();
    let settings = server.path("home/.claude/settings.json");
    std::fs::create_dir_all(settings.parent().expect("a folder")).expect("a folder");
    std::fs::write(&settings, "{\"disableAllHooks\": true}\n").expect("a file");
    server.helper("sesh-hooks").args(["install", "claude"]).ok();
    Scene::new(server).person(move |_, mend| {
        let file = mend.strip_prefix("remove this from ").expect("a file");
        assert_eq!(Path::new(file), settings);
        let text = std::fs::read_to_string(file).expect("a file");
        let mut settings: Value = serde_json::from_str(&text).expect("JSON");
        let removed = settings.as_object_mut().expect("an object");
        removed.remove("disableAllHooks").expect("the switch");
        std::fs::write(file, settings.to_string()).expect("a file");
    })
}

const STOP: &str =
    r#"{"hook_event_name":"Stop","session_id":"11111111-1111-4111-8111-111111111111"}"#;

fn report(server: &Server, agent: &str, payload: &str) {
    server
        .helper("sesh-report")
        .args(["--from", agent])
        .stdin(payload)
        .ok();
}

fn hook_failed(payload: &str) -> Scene {
    let server = Server::start();
    report(&server, "claude", payload);
    Scene::new(server).person(|server, mend| {
        assert!(
            mend.starts_with("this disappears when the same hook succeeds"),
            "{mend}"
        );
        report(server, "claude", STOP);
    })
}

fn hook_failed_before() -> Scene {
    let scene = hook_failed("x");
    let file = scene
        .server
        .path("home/.local/state/tmux-sesh/failures.log");
    let text = std::fs::read_to_string(&file).expect("a file");
    let (_, rest) = text.split_once(' ').expect("a time");
    std::fs::write(&file, format!("1000 {rest}")).expect("a file");
    scene
}

fn record(name: &str, text: &str) -> Scene {
    Scene::new(set(&["set-option", "-s", name, text]))
}

/// The doctor is called in the repository.
fn in_repository(repo: Repo) -> Scene {
    let Repo { server, top } = repo;
    let doctor = move |server: &Server| server.sesh("sesh-doctor", ["--json"]).folder(&top);
    Scene::new(server).doctor(doctor)
}

fn old_git() -> Scene {
    let repo = Repo::new();
    let git = which::which("git").expect("git on PATH");
    let text = format!(
        "case \"$*\" in *version*) echo git version 2.37.1 ;; *) exec {} \"$@\" ;; esac",
        git.display()
    );
    let script = repo.server.script("git", &text);
    in_repository(repo).person(move |_, _| std::fs::remove_file(&script).expect("a file"))
}

fn ledger_folder_is_a_file() -> Scene {
    let repo = Repo::new();
    repo.write(".git/sesh", "");
    let file = repo.top.join(".git/sesh");
    in_repository(repo).person(move |_, _| std::fs::remove_file(&file).expect("a file"))
}

fn ledger_is_a_folder() -> Scene {
    let repo = Repo::new();
    let folder = repo.top.join(".git/sesh/work.jsonl");
    std::fs::create_dir_all(&folder).expect("a folder");
    in_repository(repo).person(move |_, _| std::fs::remove_dir(&folder).expect("a folder"))
}

fn holder_gone() -> Scene {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x", "--worktree"]);
    repo.server.tmux(["kill-pane", "-t", one.pane()]);
    let top = repo.top.clone();
    in_repository(repo).person(move |server, mend| {
        let words: Vec<&str> = command(mend).split(' ').skip(1).collect();
        let call = server.inside(two.pane(), "sesh-work", words);
        call.folder(&top).ok();
    })
}

fn dirty_and_dropped() -> Scene {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let claim = repo.claim(one.pane(), &["x", "--worktree"]);
    let at = PathBuf::from(claim["worktree"].as_str().expect("a path"));
    write(&at, "new.txt", "new");
    repo.work(one.pane(), &["drop"]).ok();
    in_repository(repo).person(move |server, mend| {
        std::fs::remove_file(at.join("new.txt")).expect("a file");
        run(server, mend);
    })
}

fn runner_killed() -> Scene {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let pid = server.format(made.pane(), "#{pane_pid}");
    kill(Pid::from_raw(pid.parse().expect("a pid")), Signal::SIGKILL).expect("it is there");
    until("its pane goes", || !server.has_pane(made.pane()));
    Scene::new(server)
}

fn busy_shell() -> Scene {
    let server = Server::start();
    let shell = server.new_sesh(["shell"]);
    server.when("it is idle", shell.uuid(), |it| it.state() == "idle");
    server.tmux(["send-keys", "-t", shell.pane(), "sleep 1000", "Enter"]);
    server.when("it is busy", shell.uuid(), |it| it.state() == "busy");
    Scene::new(server)
}

/// The server ends behind the first question.
fn ends_meanwhile() -> Scene {
    let server = with_sesh();
    let real = server.program().display().to_string();
    let socket = server.socket().display().to_string();
    server.script(
        "tmux",
        &format!(
            "case $1 in -V) exec '{real}' -V ;; esac\n'{real}' \"$@\"; code=$?\n\
             '{real}' -S '{socket}' kill-server; exit $code"
        ),
    );
    let scene = Scene {
        once: true,
        ..Scene::new(server)
    };
    scene.person(|server, mend| {
        let again = command(mend);
        assert!(again.starts_with("sesh-doctor"), "{mend}");
        server.call("/bin/sh".as_ref()).args(["-c", again]).said();
    })
}
