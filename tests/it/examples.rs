//! Every example of every help is a line of shell that works.

use std::thread;

use tmux_sesh::cli::{TOOLS, Tool};

use crate::send::Agent;
use crate::support::{Call, MAIN, Said, Screen, Server, until, until_some};

/// The exit codes of examples that may be other than 0, by the start of the line.
const CODES: [(&str, &[i32]); 2] = [
    // Faults are findings here: the plugin is not loaded.
    ("sesh-doctor", &[0, 1]),
    // The conversation of the agent is not known.
    ("pane-resolve", &[0, 4]),
];

/// The answer of a codex without a terminal.
const CODEX: &str = r#"cat >/dev/null
echo '{"type":"item.completed","item":{"type":"agent_message","text":"4"}}'
echo '{"type":"turn.completed"}'"#;

/// A server with the panes and seshes that the examples name.
struct Scene {
    server: Server,
    /// Lives in the server.
    notes: String,
}

impl Scene {
    fn new() -> Self {
        let server = Server::start();
        for program in ["cargo", "git", "make", "npm"] {
            server.script(program, "echo done");
        }
        // It answers a headless turn.
        server.script("codex", CODEX);
        let new = ["new-window", "-d", "-P", "-F", "#{pane_id}", "-t", MAIN];
        for expected in ["%1", "%2", "%3"] {
            let pane = server.tmux(new.iter().chain(&["cat", "-"]));
            assert_eq!(pane.trim_end(), expected);
        }
        let sesh = |words: &[&str]| server.new_sesh([&["--target", MAIN], words].concat());
        let notes = sesh(&["notes"]);
        assert_eq!(notes.pane(), "%4");
        until("its shell shows a prompt", || {
            !server.screen(notes.pane()).trim().is_empty()
        });
        let agent = Agent::new(&server);
        assert_eq!(agent.pane, "%5");
        server
            .sesh("sesh-adopt", [&*agent.pane, "--name", "api"])
            .ok();
        server.becomes(&agent.pane, "idle");
        let print = "while echo compiled; do sleep 0.2; done";
        sesh(&["build", "--", "sh", "-c", print]);
        for (name, line) in [
            ("tests", "echo 3 passed"),
            ("lint", "echo 1 warning; false"),
        ] {
            let made = sesh(&[name, "--tag", "ci", "--", "sh", "-c", line]);
            server.ended(made.uuid());
        }
        let old = sesh(&["old", "--", "echo", "hello"]);
        server.ended(old.uuid());
        server.sesh("sesh-end", ["old"]).ok();
        let notes = notes.pane().into();
        Self { server, notes }
    }

    /// Has the agent keep a transcript, with a turn in it.
    fn talks(&self) {
        let orders = self.server.path("composer5/orders");
        std::fs::write(orders, "hooks\ntranscript\nanswers hello\n").expect("orders");
        let send = ["api", "say hello", "--wait"];
        self.server.sesh("sesh-send", send).ok();
    }

    /// Makes the folder a repository with an item of work.
    fn has_work(&self) {
        std::fs::remove_file(self.server.path("bin/git")).expect("the fake");
        let folder = self.server.folder();
        for words in [
            &["init", "-q"][..],
            &["commit", "-q", "--allow-empty", "-m", "one"],
        ] {
            let name = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
            let git = self.server.call("git".as_ref()).folder(folder);
            git.args(name).args(words).ok();
        }
        let items = r#"{"version": 1, "items": [{"id": "login"}]}"#;
        crate::work::write(folder, ".sesh/work.json", items);
    }

    /// Adds a gate, and branches to land, to the repository.
    fn has_landings(&self) {
        let folder = self.server.folder();
        let script = "
            git config user.name t && git config user.email t@example.org
            git branch -M main && echo '*' >.git/info/exclude
            mkdir -p .sesh && printf '#!/bin/sh\n' >.sesh/check && chmod +x .sesh/check
            git add -f .sesh && git commit -qm gate
            for branch in login hotfix feature; do
                git checkout -qb $branch main && echo 1 >$branch-file
                git add -f $branch-file && git commit -qm $branch
            done";
        let shell = self.server.call("/bin/sh".as_ref()).folder(folder);
        shell.args(["-c", script]).ok();
    }

    /// Runs a line as a person types it in a pane: in that of the sesh `notes`, or, where that would be adopted, in one
    /// that is no sesh.
    fn run(&self, line: &str) -> Said {
        let user = self.server.user_pane();
        let pane = if line.starts_with("sesh-adopt") {
            &user
        } else {
            &self.notes
        };
        let shell = self.server.inside(pane, "/bin/sh", ["-c", line]);
        if line.contains("--agent claude --send") {
            return self.with_new_agent(shell);
        }
        shell.said()
    }

    /// Runs what starts an agent and sends it a message. A fake agent draws its composer only when it is told to.
    fn with_new_agent(&self, call: Call) -> Said {
        thread::scope(|scope| {
            let call = scope.spawn(|| call.said());
            let pane = until_some("the agent has a pane", || {
                let all = self.server.sesh("sesh-list", ["--json", "fix"]).said();
                let known = all.code() == Some(0);
                known.then(|| all.only().pane().to_string())
            });
            self.server.runs(&pane, "claude");
            let _agent = Agent::of(&self.server, &pane);
            call.join().expect("its output")
        })
    }
}

fn run_examples(tool: &Tool) {
    let scene = Scene::new();
    if ["sesh-log", "sesh-set"].contains(&tool.name) {
        scene.talks();
    }
    if ["sesh-work", "sesh-land"].contains(&tool.name) {
        scene.has_work();
    }
    if tool.name == "sesh-land" {
        scene.has_landings();
    }
    let _client = Screen::attach(&scene.server, MAIN, (120, 40));
    let fails = |line: &str| {
        let said = scene.run(line);
        let codes = CODES.iter().find(|(start, _)| line.starts_with(start));
        let codes = codes.map_or(&[0][..], |(_, codes)| codes);
        let works = said.code().is_some_and(|code| codes.contains(&code));
        (!works).then(|| format!("{line}: {said}"))
    };
    let lines = tool.examples.iter().map(|(_, line)| line);
    let failures: Vec<String> = lines.filter_map(|line| fails(line)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_example_of_every_helper_works() {
    // Some at a time: they mostly wait.
    thread::scope(|scope| {
        for tools in TOOLS.chunks(TOOLS.len().div_ceil(4)) {
            scope.spawn(|| tools.iter().for_each(|tool| run_examples(tool)));
        }
    });
}

#[test]
fn examples_are_few_and_fit_a_terminal() {
    for tool in TOOLS {
        let count = tool.examples.len();
        assert!((3..=6).contains(&count), "{}: {count}", tool.name);
        for (does, line) in tool.examples {
            for text in [does, line] {
                assert!(text.chars().count() <= 76, "{text}");
            }
            assert!(line.contains("sesh") || line.contains("pane"), "{line}");
        }
    }
}
