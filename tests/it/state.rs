//! What agents in panes are doing: found, followed and let go, without a word of theirs to us.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::{assert_eq, assert_ne};

use crate::support::{Control, MAIN, NONE, Record, Server, is, until};

const ONE: &str = "46ed2323-f13a-4fb3-98e7-659d84033d77";
const TWO: &str = "7d0f2b6e-91c4-4f7c-8f35-0c2a6f1a9d10";

/// Has a fake Claude say its state as the real one does, in the file of its session.
#[track_caller]
fn claude_is(server: &Server, pane: &str, id: &str, status: &str) {
    let (status, waiting) = status.split_once(' ').unwrap_or((status, ""));
    let file = server.path("home/.claude/sessions/{pid}.json");
    let text = format!(
        "{{\"pid\":{{pid}},\"procStart\":\"{{start}}\",\"sessionId\":\"{id}\",\"status\":\"{status}\",\
         \"waitingFor\":\"{waiting}\"}}"
    );
    server.say(pane, &format!("file {} {text}", file.display()));
}

fn kill_agent(record: &Record, signal: Signal) {
    let pid = record.get("agentPid").as_i64().expect("the agent's pid");
    let pid = Pid::from_raw(i32::try_from(pid).expect("a pid"));
    kill(pid, signal).expect("it lives");
}

#[test]
fn an_agent_started_by_hand_is_a_sesh_as_long_as_it_lives() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "idle");
    let found = server.becomes(&pane, "idle");
    let folder = server.folder().file_name().expect("a name");
    let folder = folder.to_string_lossy().replace('.', "-");
    assert_eq!(found.name(), format!("claude-{folder}"));
    assert_eq!(found.text("agent"), "claude");
    assert_eq!(found.text("by"), "session-file");
    server.becomes(&pane, "idle");
    let found = server.sesh_of(&pane).expect("a sesh");
    assert_eq!(found.text("conversation"), ONE);
    assert_eq!(found.text("cwd"), server.folder().to_str().expect("UTF-8"));

    claude_is(&server, &pane, ONE, "busy");
    server.becomes(&pane, "busy");
    claude_is(&server, &pane, ONE, "waiting permission prompt");
    server.becomes(&pane, "waiting permission");
    claude_is(&server, &pane, ONE, "waiting dialog open");
    server.becomes(&pane, "waiting dialog");
    claude_is(&server, &pane, ONE, "idle");
    let last = server.becomes(&pane, "idle");

    server.say(&pane, "exit 0");
    until("it is over", || {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh_of(&pane).is_none()
    });
    let ended = server.record(last.uuid());
    assert_eq!((ended.state(), ended.live()), ("exited", false));
    assert_eq!(ended.text("conversation"), ONE);
    assert_eq!(server.format(&pane, "#{pane_dead}"), "0", "the pane stays");
}

#[test]
fn nothing_is_written_where_nothing_changed() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "busy");
    server.becomes(&pane, "busy");
    until("nothing is left to write", || {
        server.sesh("sesh-reap", ["--json"]).ok().text() == "[]\n"
    });
    // tmux names a window after its program up to half a second later.
    until("the window has its name", || {
        server.format(&pane, "#{window_name}") == "claude"
    });
    let before = server.everything();
    for _ in 0..5 {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh("sesh-list", NONE).ok();
    }
    assert_eq!(server.everything(), before);
}

#[test]
fn without_adoption_it_stays_a_pane() {
    let server = Server::start();
    server.tmux(["set-option", "-g", "@sesh-adopt", "off"]);
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "busy");
    server.sesh("sesh-reap", NONE).ok();
    assert!(server.sesh_of(&pane).is_none());
    until("its state is told all the same", || {
        let said = server.sesh("pane-resolve", ["--pane", &pane, "--json"]);
        is(&said.said().record(), "busy")
    });
}

#[test]
fn readers_see_what_is_and_not_what_was_written() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "busy");
    server.becomes(&pane, "busy");
    claude_is(&server, &pane, ONE, "waiting input needed");
    until("sesh-pane says so", || {
        server
            .sesh_of(&pane)
            .is_some_and(|record| is(&record, "waiting question"))
    });
    assert_eq!(
        server.format(&pane, "#{@sesh_state}"),
        "busy",
        "not written"
    );
    let listed = server.sesh("sesh-list", ["--state", "waiting", "--json"]);
    let listed = listed.ok().records();
    assert_eq!(listed.len(), 1);
    assert!(is(&listed[0], "waiting question"));
    let table = server.sesh("sesh-list", NONE).ok();
    let table = table.text();
    assert!(table.contains("waiting question"), "{table}");
}

#[test]
fn killed_it_is_gone_whatever_its_file_and_its_screen_say() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "busy");
    server.say(&pane, "print * Working (esc to interrupt)");
    let busy = server.becomes(&pane, "busy");
    kill_agent(&busy, Signal::SIGKILL);
    server.runs(&pane, "sh");
    until("the dead agent's sesh has ended", || {
        server.sesh("sesh-reap", NONE).ok();
        server.record(busy.uuid()).state() == "exited"
    });
    assert!(server.sesh_of(&pane).is_none());

    // Another one by hand in the same pane is another story, also of another kind.
    server.starts(&pane, "codex");
    server.say(&pane, "title ⠋ project");
    let other = server.becomes(&pane, "busy");
    assert_eq!(other.text("agent"), "codex");
    assert_ne!(other.uuid(), busy.uuid());
    assert!(other.get("conversation").is_null());
}

#[test]
fn suspended_it_does_nothing_until_it_is_continued() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "idle");
    let found = server.becomes(&pane, "idle");
    server.tmux(["send-keys", "-t", &pane, "C-z"]);
    server.runs(&pane, "sh");
    let stopped = server.becomes(&pane, "unknown");
    assert_eq!(stopped.uuid(), found.uuid());
    assert_eq!(stopped.text("by"), "process");
    server.say(&pane, "fg");
    server.runs(&pane, "claude");
    assert_eq!(server.becomes(&pane, "idle").uuid(), found.uuid());
}

#[test]
fn in_a_sesh_of_a_persons_an_agent_comes_and_goes() {
    let server = Server::start();
    let made = server.sesh("sesh-new", ["work", "--json"]).ok().record();
    let pane = made.pane().to_string();
    server.starts(&pane, "claude");
    claude_is(&server, &pane, ONE, "busy");
    let busy = server.becomes(&pane, "busy");
    assert_eq!((busy.uuid(), busy.name()), (made.uuid(), "work"));
    until("it is known", || {
        server.sesh("sesh-reap", NONE).ok();
        let record = server.record(made.uuid());
        record.get("agent") == "claude" && record.get("conversation") == ONE
    });
    server.say(&pane, "exit 1");
    until("the shell is left", || {
        server.sesh("sesh-reap", NONE).ok();
        let record = server.record(made.uuid());
        record.state() == "idle" && record.get("agent").is_null()
    });
    let left = server.record(made.uuid());
    assert!(left.live() && left.get("conversation").is_null());

    server.starts(&pane, "codex");
    server.say(&pane, "title [ ! ] Action Required | project");
    let other = server.becomes(&pane, "waiting permission");
    assert_eq!((other.uuid(), other.text("agent")), (made.uuid(), "codex"));
}

#[test]
fn one_after_another_in_one_moment() {
    let server = Server::start();
    let made = server.sesh("sesh-new", ["work", "--json"]).ok().record();
    let pane = made.pane().to_string();
    server.starts(&pane, "claude");
    claude_is(&server, &pane, ONE, "busy");
    server.becomes(&pane, "busy");
    // Nobody looks between the end of one and the start of the next.
    server.say(&pane, "exit 0");
    server.runs(&pane, "sh");
    server.starts(&pane, "claude");
    claude_is(&server, &pane, TWO, "busy");
    until("the second conversation is known", || {
        server.sesh("sesh-reap", NONE).ok();
        server.record(made.uuid()).get("conversation") == TWO
    });
}

#[test]
fn a_found_one_becomes_a_persons_by_name() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "idle");
    let found = server.becomes(&pane, "idle");
    let said = server.sesh(
        "sesh-adopt",
        [&pane, "--name", "mine", "--tag", "x", "--json"],
    );
    let mine = said.ok().record();
    assert_eq!((mine.uuid(), mine.name()), (found.uuid(), "mine"));
    assert_eq!(mine.strings("tags"), ["x"]);
    let again = server.sesh("sesh-adopt", [pane.as_str()]).fails(4);
    assert!(again.contains("already the sesh mine"), "{again}");
    server.say(&pane, "exit 0");
    server.runs(&pane, "sh");
    let left = server.becomes(&pane, "idle");
    assert_eq!((left.uuid(), left.name()), (found.uuid(), "mine"));
    assert!(left.get("agent").is_null());
}

#[test]
fn two_of_one_folder_have_two_names() {
    let server = Server::start();
    let panes = [server.hosts("claude"), server.hosts("claude")];
    let names = panes.map(|pane| {
        until("it is found", || {
            server.sesh("sesh-reap", NONE).ok();
            server.sesh_of(&pane).is_some()
        });
        server.sesh_of(&pane).expect("a sesh").name().to_string()
    });
    assert!(
        names.contains(&format!("{}-2", names[0])) || names.contains(&format!("{}-2", names[1]))
    );
}

#[test]
fn several_that_reap_at_once_find_it_once() {
    let server = Server::start();
    let panes: Vec<String> = (0..4).map(|_| server.hosts("claude")).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| server.sesh("sesh-reap", NONE).ok());
        }
    });
    let listed = server.sesh("sesh-list", ["--json"]).ok().records();
    assert_eq!(listed.len(), panes.len());
    let ended = server.sesh("sesh-list", ["--all", "--json"]).ok().records();
    assert_eq!(ended.len(), panes.len(), "no book is left over");
}

#[test]
fn a_folder_with_a_hostile_name_is_only_text() {
    let server = Server::start();
    let folder = server.path("#(touch x); $HOME `id` 'é");
    std::fs::create_dir(&folder).expect("a folder");
    server.agent("claude");
    let pane = server.types(&format!(
        "cd '{}'\\''é' && claude",
        server.path("#(touch x); $HOME `id` ").display()
    ));
    server.runs(&pane, "claude");
    until("it is found", || {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh_of(&pane).is_some()
    });
    let found = server.sesh_of(&pane).expect("a sesh");
    assert_eq!(found.name(), "claude-touch-x-HOME-id");
    assert_eq!(found.text("cwd"), folder.to_str().expect("UTF-8"));
}

/// Has a fake Claude run its hooks for an event.
#[track_caller]
fn claude_says(server: &Server, pane: &str, event: &str, more: &str) {
    let comma = if more.is_empty() { "" } else { "," };
    server.say(
        pane,
        &format!("says {{\"hook_event_name\":\"{event}\",\"session_id\":\"{ONE}\"{comma}{more}}}"),
    );
}

#[test]
fn a_turn_with_hooks_has_a_generation_for_each_change_and_no_more() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "idle");
    let generation = |state: &str| {
        let record = server.becomes(&pane, state);
        // Evaluated over and over it stays what it is.
        for _ in 0..3 {
            server.sesh("sesh-reap", NONE).ok();
        }
        assert!(is(&server.sesh_of(&pane).expect("a sesh"), state));
        let now = server.format(&pane, "#{@sesh_gen}");
        assert_eq!(now, record.get("gen").to_string());
        now.parse::<u64>().expect("a number")
    };
    let first = generation("idle");
    claude_says(&server, &pane, "UserPromptSubmit", "\"prompt\":\"go\"");
    server.shows_state(&pane, "busy");
    claude_is(&server, &pane, ONE, "busy");
    assert_eq!(generation("busy"), first + 1);
    claude_says(
        &server,
        &pane,
        "PermissionRequest",
        "\"tool_name\":\"Bash\"",
    );
    server.shows_state(&pane, "waiting permission");
    claude_is(&server, &pane, ONE, "waiting permission prompt");
    assert_eq!(generation("waiting permission"), first + 2);
    claude_says(&server, &pane, "PostToolUse", "\"tool_name\":\"Bash\"");
    server.shows_state(&pane, "busy");
    claude_is(&server, &pane, ONE, "busy");
    assert_eq!(generation("busy"), first + 3);
    claude_says(&server, &pane, "Stop", "\"background_tasks\":[]");
    server.shows_state(&pane, "idle");
    claude_is(&server, &pane, ONE, "idle");
    assert_eq!(generation("idle"), first + 4);
}

#[test]
fn a_hook_that_never_comes_leaves_nothing_stuck() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "idle");
    server.becomes(&pane, "idle");
    claude_says(&server, &pane, "UserPromptSubmit", "\"prompt\":\"go\"");
    server.shows_state(&pane, "busy");
    // Escape: the file has been idle all the time, and no hook says so.
    server.becomes(&pane, "idle");
    claude_says(
        &server,
        &pane,
        "PermissionRequest",
        "\"tool_name\":\"Bash\"",
    );
    server.shows_state(&pane, "waiting permission");
    server.becomes(&pane, "idle");
}

#[test]
fn without_a_level_the_hook_is_believed() {
    let server = Server::start();
    let pane = server.hosts("claude");
    until("it is found", || {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh_of(&pane).is_some()
    });
    claude_says(&server, &pane, "UserPromptSubmit", "\"prompt\":\"go\"");
    server.shows_state(&pane, "busy");
    server.sesh("sesh-reap", NONE).ok();
    let busy = server.sesh_of(&pane).expect("a sesh");
    assert!(is(&busy, "busy"));
    assert_eq!((busy.text("by"), busy.text("conversation")), ("hook", ONE));
    kill_agent(&busy, Signal::SIGKILL);
    server.runs(&pane, "sh");
    until("a word of the dead counts no more", || {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh_of(&pane).is_none()
    });
}

#[test]
fn an_explanation_names_every_source() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "busy");
    let busy = server.becomes(&pane, "busy");
    let explain = |target: &str| server.sesh("sesh-explain", [target, "--json"]);
    let said = explain(busy.name()).ok().record();
    assert_eq!(
        (said.text("verdict/state"), said.text("verdict/by")),
        ("busy", "session-file")
    );
    let sources = said.get("sources").as_array().expect("a list").len();
    assert_eq!(sources, 3, "file, title, screen");
    assert_eq!(said.text("stored/state"), "busy");
    assert_eq!(said.text("pane"), pane);
    let lines = server.sesh("sesh-explain", [&pane]).ok();
    assert!(lines.text().contains("session-file"), "{}", lines.text());

    // A pane that is no sesh, a shell, one that has ended, and none.
    let user = server.user_pane();
    let said = explain(&user).ok().record();
    assert_eq!(said.text("verdict/state"), "busy");
    assert!(said.get("uuid").is_null() && said.get("stored").is_null());
    let shell = server.types("echo here");
    server.shows(&shell, "here\n");
    assert_eq!(explain(&shell).ok().record().text("verdict/state"), "idle");
    kill_agent(&busy, Signal::SIGKILL);
    server.runs(&pane, "sh");
    server.sesh("sesh-reap", NONE).ok();
    let said = explain(busy.uuid()).ok().record();
    assert_eq!(said.text("verdict/state"), "exited");
    explain("nobody").fails(3);
    explain("%99").fails(3);
}

#[test]
fn a_list_that_is_watched_follows() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_is(&server, &pane, ONE, "busy");
    server.becomes(&pane, "busy");
    let socket = server.socket();
    let watch = format!("sesh-list -S {} --watch", socket.display());
    let watcher = server.types(&watch);
    server.shows(&watcher, "busy");
    claude_is(&server, &pane, ONE, "waiting permission prompt");
    until("the new state stands where the old one did", || {
        let screen = server.tmux(["capture-pane", "-p", "-t", &watcher]);
        screen.contains("waiting permission") && !screen.contains("busy")
    });
    server.tmux(["send-keys", "-t", &watcher, "C-c"]);
    server.runs(&watcher, "sh");
}

#[test]
fn the_next_is_who_waits_then_who_has_finished() {
    let server = Server::start();
    let agents: Vec<String> = (0..4).map(|_| server.hosts("claude")).collect();
    for pane in &agents {
        claude_is(&server, pane, ONE, "idle");
        server.becomes(pane, "idle");
    }
    let client = Control::attach(&server, MAIN);
    let name = client.name();
    let enter = ["--next", "--client", name.as_str()];
    let sentence = server.sesh("sesh-enter", enter).fails(3);
    assert!(sentence.contains("no sesh needs you"), "{sentence}");

    // One has worked and finished, one has a menu open, two wait.
    claude_is(&server, &agents[0], ONE, "busy");
    server.becomes(&agents[0], "busy");
    claude_is(&server, &agents[0], ONE, "idle");
    server.becomes(&agents[0], "idle");
    claude_is(&server, &agents[1], ONE, "waiting dialog open");
    server.becomes(&agents[1], "waiting dialog");
    for pane in [&agents[3], &agents[2]] {
        claude_is(&server, pane, ONE, "waiting permission prompt");
        let since = server
            .becomes(pane, "waiting permission")
            .get("since")
            .to_string();
        until("the clock goes on", || {
            server.format(pane, "#{T:#{l:%s}}") != since
        });
    }
    let order = [
        &agents[3], &agents[2], &agents[0], &agents[3], &agents[2], &agents[3],
    ];
    for pane in order {
        server.sesh("sesh-enter", enter).ok();
        let format = "#{client_name} #{pane_id}";
        let looks = server.tmux(["list-clients", "-F", format]);
        assert_eq!(looks.trim_end(), format!("{name} {pane}"));
    }
}

#[test]
fn all_panes_are_one_question_and_one_list_of_writes() {
    let server = Server::start();
    let agents: Vec<String> = (0..3).map(|_| server.hosts("claude")).collect();
    for pane in &agents {
        claude_is(&server, pane, ONE, "busy");
        server.becomes(pane, "busy");
    }
    server.count_tmux();
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(server.tmux_calls(), 0, "what it asks needs no process");
    claude_is(&server, &agents[0], ONE, "idle");
    server.becomes(&agents[0], "idle");
    assert_eq!(server.tmux_calls(), 0, "nor does what it writes");
    server.sesh("sesh-list", NONE).ok();
    server.sesh("sesh-explain", [&agents[0]]).ok();
    assert_eq!(server.tmux_calls(), 0);
}

#[test]
fn what_hooks_said_goes_with_the_pane() {
    let server = Server::start();
    let pane = server.hosts("claude");
    claude_says(&server, &pane, "UserPromptSubmit", "\"prompt\":\"go\"");
    let variable = format!("SESH_hook_{}=", pane.trim_start_matches('%'));
    let is_there = || server.tmux(["show-environment", "-gh"]).contains(&variable);
    until("it is said", is_there);
    server.sesh("sesh-reap", NONE).ok();
    assert!(is_there());
    server.tmux(["kill-pane", "-t", &pane]);
    // Looked for once an hour.
    server.sesh("sesh-reap", NONE).ok();
    assert!(is_there());
    server.tmux(["set-environment", "-gh", "SESH_swept", "1"]);
    server.sesh("sesh-reap", NONE).ok();
    assert!(!is_there());
}
