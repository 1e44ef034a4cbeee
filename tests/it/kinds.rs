//! A kind of agent that a file of the user's defines, and nothing else: everything takes it.

use pretty_assertions::assert_eq;
use tmux_sesh::agent::kinds::KINDS;
use tmux_sesh::cli::{TOOLS, Tool};

use crate::support::{MAIN, Screen, Server, until};

/// The kind of the guide, under a name of its own, with a word behind its program.
const MINE: &str = r#"
[process]
names = ["mine"]

[commands]
launch = ["mine", "chat"]

[screen.busy]
state = "busy"
region = "bottom 3"
any = ["esc to interrupt"]
"#;

/// A server on which `mine` is installed and described.
fn scene() -> Server {
    let server = Server::start();
    server.agent("mine");
    describe(&server, "mine", MINE);
    server
}

fn describe(server: &Server, name: &str, text: &str) {
    let folder = server.path("home/.config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{name}.toml")), text).expect("a file");
}

/// The helpers that have an option `--agent`.
fn with_agent() -> Vec<&'static Tool> {
    let has = |tool: &&'static Tool| {
        let command = (tool.command)();
        command
            .get_arguments()
            .any(|argument| argument.get_long() == Some("agent"))
    };
    let tools: Vec<_> = TOOLS.into_iter().filter(has).collect();
    assert!(tools.len() >= 3, "this reads the wrong option");
    tools
}

#[test]
fn every_agent_option_takes_it() {
    let server = scene();
    // sesh-adopt takes the kind from the caller.
    let other = server.types("exec cat");
    server.runs(&other, "cat");
    for tool in with_agent() {
        let call = |args: &[&str]| server.sesh(tool.name, args);
        let unknown = match tool.name {
            "sesh-new" => {
                let made = server.new_sesh(["one", "--agent", "mine", "--", "--fast"]);
                server.runs(made.pane(), "mine");
                assert_eq!(made.text("agent"), "mine");
                let command = server.format(made.pane(), "#{@sesh_cmd}");
                assert!(command.ends_with("/bin/mine chat --fast"), "{command}");
                vec!["two", "--agent", "none"]
            }
            "sesh-adopt" => {
                call(&[&other, "--name", "other", "--agent", "mine"]).ok();
                assert_eq!(server.format(&other, "#{@sesh_agent}"), "mine");
                vec!["%0", "--agent", "none"]
            }
            // It looks for it, also where it is not known any more.
            "sesh-list" => {
                let said = call(&["--agent", "mine", "--no-header", "--columns", "name"]).ok();
                let mut names = said.lines();
                names.sort_unstable();
                assert_eq!(names, ["one", "other"]);
                assert_eq!(call(&["--agent", "none"]).ok().text(), "");
                continue;
            }
            // A helper that is new with one: the same has to hold for it.
            name => {
                let sentence = call(&["--agent", "mine"]).said().stderr;
                assert!(!sentence.contains("--agent"), "{name}: {sentence}");
                vec!["--agent", "none"]
            }
        };
        let sentence = call(&unknown).fails(2);
        assert!(sentence.contains("'none' for '--agent"), "{sentence}");
        for known in KINDS.iter().map(|kind| kind.name).chain(["mine"]) {
            assert!(sentence.contains(known), "{known}: {sentence}");
        }
        // The help is the same for all.
        let help = call(&["--help"]).ok();
        let built_in: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let shown = format!("[possible values: {}]", built_in.join(", "));
        let words: Vec<&str> = help.text().split_whitespace().collect();
        assert!(words.join(" ").contains(&shown), "{help}");
    }
}

#[test]
fn it_is_an_agent_like_those_that_come_along() {
    let server = scene();
    // By its command alone, also where other words are before it.
    describe(
        &server,
        "wrapped",
        "[process]\npackages = [\"@me/wrapped\"]\n[commands]\nlaunch = [\"sh\", \"wrapped.sh\"]\n",
    );
    for (command, agent) in [
        (["mine", "chat"], Some("mine")),
        (["sh", "wrapped.sh"], Some("wrapped")),
        (["sh", "other.sh"], None),
    ] {
        let made = server.new_sesh(["--"].iter().chain(&command));
        assert_eq!(made.get("agent").as_str(), agent, "{command:?}");
    }
    let pane = server.hosts("mine");
    server.say(&pane, "print esc to interrupt");
    let found = server.becomes(&pane, "busy");
    assert_eq!(found.text("agent"), "mine");
    let explained = server.sesh("sesh-explain", [&pane]).ok();
    assert!(explained.text().contains("busy by screen"), "{explained}");
    // Without [commands] its process's name starts it.
    describe(&server, "plain", "[process]\nnames = [\"mine\"]\n");
    let made = server.new_sesh(["plain", "--agent", "plain"]);
    server.runs(made.pane(), "mine");
    assert_eq!(made.text("agent"), "plain");
    describe(&server, "absent", "[process]\nnames = [\"absent\"]\n");
    let sentence = server.sesh("sesh-new", ["--agent", "absent"]).fails(3);
    assert!(sentence.contains("absent is not installed"), "{sentence}");
}

#[test]
fn what_takes_code_says_so() {
    let server = scene();
    for act in ["status", "install"] {
        let hooks = server.helper("sesh-hooks");
        let sentence = hooks.args([act, "mine"]).fails(2);
        assert!(
            sentence.contains("no hooks are known for \"mine\""),
            "{sentence}"
        );
        assert!(sentence.contains("sesh-report --state"), "{sentence}");
    }
    let pane = server.types("sesh-report --from mine x");
    server.shows(&pane, "no hooks are known for \"mine\"");
    // What it runs says its state by options.
    let pane = server.hosts("mine");
    server.say(&pane, "hook sesh-report --state waiting --why question");
    server.becomes(&pane, "waiting question");
}

#[test]
fn a_broken_file_stops_only_its_own_kind() {
    let server = scene();
    server.agent("claude");
    describe(&server, "broken", "[process]\nname = [\"x\"]\n");
    let sentence = server.sesh("sesh-new", ["--agent", "broken"]).fails(2);
    assert!(
        sentence.contains("broken.toml:2: name = [\"x\"]: unknown field `name`"),
        "{sentence}"
    );
    for kind in ["claude", "mine"] {
        let made = server.new_sesh(["--agent", kind]);
        server.runs(made.pane(), kind);
    }
    server.sesh("sesh-list", ["--agent", "mine"]).ok();
    server.helper("sesh-hooks").args(["status"]).ok();
}

#[test]
fn the_picker_makes_one_and_finds_it() {
    let server = scene();
    server.load();
    let quiet = ["--session", "quiet", "--", "cat"];
    server.new_sesh(quiet);
    let person = Screen::attach(&server, MAIN, (120, 40));
    person.types(&["C-b", "e"]);
    person.shows(" › ");
    person.types(&["C-n"]);
    person.shows("new (");
    person.types_text("made mine --fast");
    person.types(&["Enter"]);
    person.shows("made created");
    let made = server.sesh("sesh-list", ["--json", "made"]).ok().only();
    server.runs(made.pane(), "mine");
    assert_eq!(made.text("agent"), "mine");
    let command = server.format(made.pane(), "#{@sesh_cmd}");
    assert!(command.ends_with("/bin/mine chat --fast"), "{command}");
    person.types(&["C-u"]);
    person.types_text("agent:mine");
    until("only that one is shown", || {
        let text = person.text();
        text.contains("made") && !text.contains("quiet")
    });
}
