//! Panes that tmux-resurrect brings back, and agents that somebody else starts again: they are the seshes they were.

use std::path::{Path, PathBuf};

use pretty_assertions::{assert_eq, assert_ne};
use tmux_sesh::id::SeshId;

use crate::support::{MAIN, NONE, Record, Server, is, say, until};

/// What resurrect had written before its hook was called.
const ITS_OWN: &str = "pane\tone\t0\t1\t:*\t0\ttitle\t:/\t1\tsh\t:\nstate\tone\t\n";

fn saved(server: &Server) -> PathBuf {
    let lines = server.sesh("sesh-save", ["--resurrect"]).ok();
    let file = server.path("last");
    std::fs::write(&file, format!("{ITS_OWN}{}", lines.text())).expect("a file");
    file
}

/// Another server, with a session of somebody else's.
fn reboots(server: &Server) {
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
}

fn begins(server: &Server) {
    server.sesh("sesh-restore", ["--resurrect-begins"]).ok();
}

/// The shells that are told to be back.
#[track_caller]
fn restored(server: &Server, file: &Path) -> Vec<Record> {
    let path = file.display().to_string();
    let args = ["--resurrect", path.as_str(), "--json"];
    server.sesh("sesh-restore", args).ok().records()
}

fn session(server: &Server, name: &str) -> String {
    let new = ["new-session", "-d", "-s", name, "-P", "-F", "#{pane_id}"];
    server.tmux(new).trim_end().into()
}

#[test]
fn a_shell_goes_on_in_the_pane_that_comes_back() {
    let server = Server::start();
    let one = server.new_sesh(["one", "--tag", "a", "--note", "50% of 'it'"]);
    let command = server.new_sesh(["two", "--", "sleep", "1000"]);
    let ended = server.new_sesh(["ended", "--", "true"]);
    server.ended(ended.uuid());
    let file = saved(&server);
    let text = std::fs::read_to_string(&file).expect("a file");
    let lines: Vec<&str> = text.lines().skip(ITS_OWN.lines().count()).collect();
    assert_eq!(
        lines,
        [
            format!("sesh\t{}\tone\t0\t0", one.uuid()),
            format!("sesh\t{}\ttwo\t0\t0", command.uuid())
        ]
    );
    let before = server.record(one.uuid());
    reboots(&server);
    begins(&server);
    let pane = session(&server, "one");
    server.tmux(["split-window", "-d", "-t", &pane]);
    session(&server, "two");
    let back = restored(&server, &file);
    let uuids: Vec<&str> = back.iter().map(Record::uuid).collect();
    assert_eq!(uuids, [one.uuid(), command.uuid()]);
    let now = server.record(one.uuid());
    assert!(now.live() && is(&now, "idle"), "{now:?}");
    assert_eq!(now.pane(), pane);
    for field in ["name", "tags", "note", "createdAt", "cwd"] {
        assert_eq!(now.get(field), before.get(field), "{field}");
    }
    let registered = server.panes("#{@sesh_id}");
    let registered = registered.iter().filter(|id| !id.is_empty()).count();
    assert_eq!(registered, 2, "nobody else's");
    // It lasts, as any other.
    server.sesh("sesh-set", ["one", "--tag", "b"]).ok();
    server.dies();
    let now = server.record(one.uuid());
    assert_eq!(now.strings("tags"), ["a", "b"]);
    assert_eq!(now.get("was"), "idle");
}

#[test]
fn panes_that_were_there_are_nobodys() {
    let server = Server::start();
    let one = server.new_sesh(["one"]);
    let file = saved(&server);
    reboots(&server);
    let path = file.display().to_string();
    let sentence = server.sesh("sesh-restore", ["--resurrect", &path]).fails(4);
    assert!(sentence.contains("--resurrect-begins"), "{sentence}");
    session(&server, "one");
    begins(&server);
    assert!(restored(&server, &file).is_empty());
    assert!(!server.record(one.uuid()).live());
    // Each time it is said anew which are there.
    server.sesh("sesh-restore", ["--resurrect", &path]).fails(4);
    server.tmux(["kill-session", "-t", "one"]);
    begins(&server);
    session(&server, "one");
    assert_eq!(restored(&server, &file)[0].uuid(), one.uuid());
    begins(&server);
    assert!(restored(&server, &file).is_empty(), "it is there already");
}

#[test]
fn what_ended_or_is_forgotten_does_not_come_back() {
    let server = Server::start();
    let gone = server.new_sesh(["gone"]);
    let forgotten = server.new_sesh(["forgotten"]);
    let named = server.new_sesh(["named"]);
    let file = saved(&server);
    server.sesh("sesh-end", ["--kill", "gone"]).ok();
    server
        .sesh("sesh-end", ["--kill", "--forget", "forgotten"])
        .ok();
    reboots(&server);
    begins(&server);
    for name in ["gone", "forgotten", "named"] {
        session(&server, name);
    }
    let other = server.new_sesh(["named", "--target", "elsewhere"]);
    let path = file.display().to_string();
    let sentence = server.sesh("sesh-restore", ["--resurrect", &path]).fails(4);
    assert!(
        sentence.contains("the name named is now used"),
        "{sentence}"
    );
    let registered = server.panes("#{@sesh_id}").concat();
    assert_eq!(registered, other.uuid());
    assert!(!server.record(named.uuid()).live());
    assert!(!server.record(gone.uuid()).live());
    server.sesh("sesh-explain", [forgotten.uuid()]).fails(3);
}

#[test]
fn files_that_are_none() {
    let server = Server::start();
    server.new_sesh(["one"]);
    let none = server.path("none").display().to_string();
    begins(&server);
    let sentence = server.sesh("sesh-restore", ["--resurrect", &none]).fails(1);
    assert!(sentence.contains("none cannot be read"), "{sentence}");
    let odd = server.path("odd");
    std::fs::write(&odd, "sesh\n\nsesh\tx\ty\t0\t0\nsesh\t\t\t\t\n").expect("a file");
    assert!(restored(&server, &odd).is_empty());
}

#[test]
fn how_many_are_offered_is_never_stale() {
    let server = Server::start();
    for name in ["one", "two", "three"] {
        server.new_sesh([name]);
    }
    let file = saved(&server);
    reboots(&server);
    server.sesh("sesh-restore", ["--offer"]).ok();
    let offered = || server.tmux(["display-message", "-p", "#{@seshsum_lost}"]);
    assert_eq!(offered(), "3\n");
    server.sesh("sesh-restore", ["one"]).ok();
    assert_eq!(offered(), "2\n");
    server.sesh("sesh-end", ["--forget", "two"]).ok();
    assert_eq!(offered(), "1\n");
    begins(&server);
    session(&server, "three");
    assert_eq!(restored(&server, &file).len(), 1);
    assert_eq!(offered(), "\n");
}

/// What a fake Claude does to say its conversation as the real one does.
fn says(server: &Server, id: &str) -> String {
    let file = server.path("home/.claude/sessions/{pid}.json");
    format!(
        "file {} {{\"pid\":{{pid}},\"procStart\":\"{{start}}\",\"sessionId\":\"{id}\",\"status\":\"idle\"}}",
        file.display()
    )
}

/// A Claude that somebody starts in a shell, in a conversation. `None` until that is seen.
#[track_caller]
fn claude(server: &Server, conversation: &str) -> Record {
    let pane = server.hosts("claude");
    server.say(&pane, &says(server, conversation));
    server.becomes(&pane, "idle")
}

#[test]
fn an_agent_that_is_started_again_is_the_sesh_it_was() {
    let server = Server::start();
    let (mine, other) = (SeshId::random().to_string(), SeshId::random().to_string());
    let first = claude(&server, &mine);
    let keep = ["--name", "api", "--tag", "a"];
    server.inside(first.pane(), "sesh-adopt", keep).ok();
    reboots(&server);
    server.sesh("sesh-restore", ["--offer"]).ok();
    let offered = || server.tmux(["display-message", "-p", "#{@seshsum_lost}"]);
    assert_eq!(offered(), "1\n");
    let stranger = claude(&server, &other);
    assert_ne!(stranger.uuid(), first.uuid());
    assert_eq!(offered(), "1\n");
    let back = claude(&server, &mine);
    assert_eq!(back.uuid(), first.uuid());
    assert_eq!((back.name(), back.text("conversation")), ("api", &*mine));
    assert_eq!(back.strings("tags"), ["a"]);
    assert!(back.get("exit").is_null());
    assert_eq!(offered(), "\n");
    // A second one in the same conversation is another, and so is a third when that has ended.
    let twin = claude(&server, &mine);
    assert_ne!(twin.uuid(), first.uuid());
    server.say(twin.pane(), "exit 0");
    server.when("it has ended", twin.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        !record.live()
    });
    let third = claude(&server, &mine);
    assert!(![first.uuid(), twin.uuid()].contains(&third.uuid()));
    // It was kept by a person, and so its pane stays a sesh when the agent goes.
    server.say(back.pane(), "exit 0");
    let shell = server.when("its agent is gone", back.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        record.get("agent").is_null()
    });
    assert!(shell.live());
}

#[test]
fn an_agent_that_ended_a_moment_ago_is_the_sesh_it_was() {
    let server = Server::start();
    let id = SeshId::random().to_string();
    let first = claude(&server, &id);
    server
        .sesh("sesh-set", [first.uuid(), "--note", "mine"])
        .ok();
    server.say(first.pane(), "exit 0");
    server.when("it has ended", first.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        !record.live()
    });
    let back = claude(&server, &id);
    assert_eq!(back.uuid(), first.uuid());
    assert_eq!(back.text("note"), "mine");
    assert_ne!(back.pane(), first.pane());
    // One that was found goes with its agent, again.
    server.say(back.pane(), "exit 0");
    server.when("it has ended again", first.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        !record.live()
    });
}

#[test]
fn one_that_says_its_conversation_late_is_the_sesh_it_was() {
    let server = Server::start();
    let id = SeshId::random().to_string();
    let first = claude(&server, &id);
    server.sesh("sesh-set", [first.uuid(), "--tag", "a"]).ok();
    reboots(&server);
    let pane = server.hosts("claude");
    let as_yet = server.becomes(&pane, "unknown");
    assert_ne!(as_yet.uuid(), first.uuid());
    server.say(&pane, &says(&server, &id));
    let back = server.when("it is what it was", first.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        record.live()
    });
    assert_eq!(back.pane(), pane);
    assert_eq!(back.strings("tags"), ["a"]);
    server.sesh("sesh-explain", [as_yet.uuid()]).fails(3);
    // Nothing is left of what it was meanwhile.
    reboots(&server);
    let all = server.sesh("sesh-list", ["--all", "--json"]).ok().records();
    let uuids: Vec<&str> = all.iter().map(Record::uuid).collect();
    assert_eq!(uuids, [first.uuid()]);
    // One that somebody has done something with stays what it is.
    let pane = server.hosts("claude");
    let as_yet = server.becomes(&pane, "unknown");
    server
        .sesh("sesh-set", [as_yet.uuid(), "--note", "mine"])
        .ok();
    server.say(&pane, &says(&server, &id));
    let now = server.becomes(&pane, "idle");
    assert_eq!(
        (now.uuid(), now.text("conversation")),
        (as_yet.uuid(), &*id)
    );
}

/// A real plugin where tests/lab/plugins has put it.
fn real(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let lab = std::env::var_os("SESH_LAB_HOME").map(PathBuf::from);
    let lab = lab.or_else(|| Some(home?.join(".cache/sesh-lab")))?;
    let place = lab.join("plugins").join(name);
    let found = place.join("scripts").is_dir().then_some(place);
    if found.is_none() {
        say(&format!(
            "not tested: {name} is not here, and could not be fetched"
        ));
    }
    found
}

fn loads(server: &Server, plugin: &Path, entry: &str) {
    let entry = plugin.join(entry).display().to_string();
    server.tmux(["run-shell", &format!("{entry} >/dev/null 2>&1")]);
}

fn runs(server: &Server, plugin: &Path, script: &str) {
    let script = plugin.join("scripts").join(script).display().to_string();
    server.tmux(["run-shell", &format!("{script} quiet >/dev/null 2>&1")]);
}

#[test]
fn the_real_resurrect_brings_shells_and_agents_back() {
    let Some(resurrect) = real("tmux-resurrect") else {
        return;
    };
    let server = Server::start();
    server.tmux(["set-option", "-g", "default-command", "exec sh -i"]);
    server.tmux(["set-option", "-g", "@resurrect-processes", "claude"]);
    server.load();
    loads(&server, &resurrect, "resurrect.tmux");
    let shell = server.new_sesh(["shell", "--tag", "a", "--target", "work"]);
    let id = SeshId::random().to_string();
    server.agent("claude");
    let script = server.path("home/claude.resume");
    std::fs::write(&script, says(&server, "{id}")).expect("a script");
    let pane = server.types(&format!("claude --resume {id}"));
    server.runs(&pane, "claude");
    let agent = server.becomes(&pane, "idle");
    server
        .inside(&pane, "sesh-adopt", ["--name", "agent", "--tag", "b"])
        .ok();
    runs(&server, &resurrect, "save.sh");
    let last = server.path("home/.local/share/tmux/resurrect/last");
    let text = std::fs::read_to_string(&last).expect("what it saved");
    assert_eq!(text.matches("\nsesh\t").count(), 2, "{text}");
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "-s", MAIN, "cat"]);
    server.tmux(["set-option", "-g", "default-command", "exec sh -i"]);
    server.tmux(["set-option", "-g", "@resurrect-processes", "claude"]);
    loads(&server, &resurrect, "resurrect.tmux");
    server.load();
    runs(&server, &resurrect, "restore.sh");
    let now = server.when("the shell is back", shell.uuid(), Record::live);
    assert_eq!(now.text("tmux/session"), "work");
    assert_eq!(now.strings("tags"), ["a"]);
    let now = server.when("the agent is back", agent.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        record.live()
    });
    assert_eq!((now.name(), now.text("conversation")), ("agent", &*id));
    assert_eq!(now.strings("tags"), ["b"]);
    let offered = || server.tmux(["display-message", "-p", "#{@seshsum_lost}"]);
    until("nothing is offered", || offered() == "\n");
}

#[test]
fn the_real_continuum_saves_and_restores() {
    let (Some(resurrect), Some(continuum)) = (real("tmux-resurrect"), real("tmux-continuum"))
    else {
        return;
    };
    let server = Server::start();
    // It restores where no other tmux server runs: nobody but this one's is to be seen.
    let ps = which::which("ps").expect("ps");
    let alone = format!("case $1 in -u) ;; *) exec {} \"$@\" ;; esac", ps.display());
    server.script("ps", &alone);
    let prepare = |restore: &str| {
        server.tmux(["set-option", "-g", "default-command", "exec sh -i"]);
        server.tmux(["set-option", "-g", "@continuum-restore", restore]);
        server.tmux(["set-option", "-g", "@continuum-save-interval", "1"]);
        server.load();
        loads(&server, &resurrect, "resurrect.tmux");
        loads(&server, &continuum, "continuum.tmux");
    };
    prepare("off");
    let shell = server.new_sesh(["shell", "--tag", "a"]);
    // A minute ago.
    server.tmux(["set-option", "-g", "@continuum-save-last-timestamp", "1"]);
    runs(&server, &continuum, "continuum_save.sh");
    let last = server.path("home/.local/share/tmux/resurrect/last");
    until("it has saved", || last.exists());
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "-s", MAIN, "cat"]);
    prepare("on");
    let now = server.when("the shell is back", shell.uuid(), Record::live);
    assert_eq!(now.strings("tags"), ["a"]);
    let shells = server.panes("#{@sesh_id}");
    assert_eq!(shells.concat(), shell.uuid(), "and nobody else is one");
}

#[test]
fn a_persons_own_hooks_stay() {
    let server = Server::start();
    let hook = |name: &str| {
        let option = format!("@resurrect-hook-{name}");
        server.tmux(["show-options", "-gqv", &option])
    };
    server.tmux([
        "set-option",
        "-g",
        "@resurrect-hook-pre-restore-all",
        "mine",
    ]);
    let before = server.settings();
    server.load();
    assert!(hook("post-save-layout").contains("sesh-save"));
    assert!(hook("post-restore-all").contains("sesh-restore"));
    assert_eq!(hook("pre-restore-all"), "mine\n");
    server.uninstall(&["--forget"]);
    assert_eq!(server.settings(), before);
}

/// The seshes of the last server, as a server that resurrect restores too.
fn beside_resurrect(server: &Server, names: &[&str]) -> PathBuf {
    for name in names {
        server.new_sesh([*name, "--target", "work"]);
    }
    let lines = server.sesh("sesh-save", ["--resurrect"]).ok();
    let folder = server.path("saved");
    std::fs::create_dir(&folder).expect("a folder");
    let file = folder.join("last");
    std::fs::write(&file, format!("{ITS_OWN}{}", lines.text())).expect("a file");
    server.new_sesh(["late", "--target", "work"]);
    reboots(server);
    server.option("@sesh-restore", "on");
    server.option("@resurrect-dir", &folder.display().to_string());
    file
}

fn offer(server: &Server) -> String {
    server.sesh("sesh-restore", ["--offer"]).ok();
    server.tmux(["display-message", "-p", "#{@seshsum_lost}"])
}

#[test]
fn an_automatic_restore_waits_for_resurrects() {
    let server = Server::start();
    let file = beside_resurrect(&server, &["one", "two"]);
    server.option("@resurrect-restore-script-path", "/x/restore.sh");
    server.option("@resurrect-hook-post-restore-all", "x/sesh-restore y");
    assert_eq!(offer(&server), "3\n");
    assert_eq!(server.panes("#{@sesh_id}").concat(), "");
    // Also when the plugin is loaded once more, and while that restore runs.
    begins(&server);
    server.tmux(["set-option", "-gu", "@resurrect-restore-script-path"]);
    assert_eq!(offer(&server), "3\n");
    let pane = session(&server, "work");
    let second = server.tmux(["new-window", "-d", "-t", "work:", "-P", "-F", "#{pane_id}"]);
    restored(&server, &file);
    // The saved ones are in their places, and the other one is made.
    assert_eq!(server.format(&pane, "#{@sesh_name}"), "one");
    assert_eq!(server.format(second.trim_end(), "#{@sesh_name}"), "two");
    let mut all = server.panes("#{session_name} #{@sesh_name}");
    all.sort();
    assert_eq!(all, ["other ", "work late", "work one", "work two"]);
    assert_eq!(offer(&server), "\n");
}

#[test]
fn resurrect_that_cannot_call_does_not_hold_it_up() {
    // Nothing saved, a hook of the person's own, a plugin that is not there any more.
    for what in ["nothing saved", "own hook", "not loaded"] {
        let server = Server::start();
        let file = beside_resurrect(&server, &["one"]);
        server.option("@resurrect-hook-post-restore-all", "x/sesh-restore y");
        server.option("@resurrect-restore-script-path", "/x/restore.sh");
        match what {
            "nothing saved" => std::fs::remove_file(&file).expect("a file"),
            "own hook" => server.option("@resurrect-hook-post-restore-all", "mine"),
            _ => drop(server.tmux(["set-option", "-gu", "@resurrect-restore-script-path"])),
        }
        assert_eq!(offer(&server), "\n", "{what}");
        let all = server.panes("#{@sesh_name}").concat();
        assert_eq!(all.len(), "onelate".len(), "{what}: {all}");
    }
}
