//! The examples of the documents are run: each `console` block, page by page, in a shell in a pane of a private server. What
//! it prints is compared without what differs from run to run. `UPDATE=1` writes the output of the ones that differ anew.

use std::path::Path;

use regex::Regex;

use crate::docs;
use crate::send::Agent;
use crate::support::{MAIN, Server};

/// A command of an example, and what it prints.
struct Step {
    command: String,
    output: String,
}

/// The `console` blocks of a page: where their lines begin and end, and what they say.
fn examples(text: &str) -> Vec<(std::ops::Range<usize>, Vec<Step>)> {
    const START: &str = "\n```console\n";
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(START).map(|start| at + start + START.len()) {
        let end = start + text[start..].find("```").expect("the end of a block");
        found.push((start..end, steps(&text[start..end])));
        at = end;
    }
    found
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.into(),
                output: String::new(),
            });
            continue;
        }
        let step = steps.last_mut().expect("a block begins with a command");
        match line.strip_prefix("> ") {
            Some(more) if step.output.is_empty() => {
                step.command.push('\n');
                step.command.push_str(more);
            }
            _ => {
                step.output.push_str(line);
                step.output.push('\n');
            }
        }
    }
    steps
}

/// Runs the commands of a block in one shell, as if typed in the user's pane, and returns what each printed.
fn run(server: &Server, steps: &[Step]) -> Vec<String> {
    const END: &str = "\u{1e}";
    // The exit code of a command is there for the next one.
    let mut script =
        format!("exec 2>&1\nnext() {{ local code=$?; printf '{END}'; return $code; }}\n");
    for step in steps {
        script += &format!("{}\nnext\n", step.command);
    }
    let tmux = format!("{},{},0", server.socket().display(), server.pid());
    let shop = server.path("home/shop");
    std::fs::create_dir_all(&shop).expect("a folder");
    let mut call = server
        .call(Path::new("/bin/bash"))
        .args(["-c", &script])
        .folder(&shop)
        .env("LC_ALL", "C.UTF-8")
        .env("TMUX", tmux);
    let panes = server.try_tmux(["list-panes", "-a", "-F", "#{pane_id}"]);
    if let Some(pane) = panes.lines().first() {
        call = call.env("TMUX_PANE", pane);
    }
    let said = call.said();
    let home = server.path("home").display().to_string();
    said.text()
        .replace(&home, "/home/you")
        .split(END)
        .take(steps.len())
        .map(ToString::to_string)
        .collect()
}

/// A text without what differs from run to run: ids, times, and the width of columns.
fn timeless(text: &str) -> String {
    let rules = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
        (r"\b1[0-9]{9}\b", "TIME"),
        (r"\b[0-9]+(ms|s|m)\b", "AGE"),
        (r"%[0-9]+", "PANE"),
        (r" +", " "),
        (r" \n", "\n"),
    ];
    rules
        .iter()
        .fold(text.to_string(), |text, (rule, instead)| {
            let rule = Regex::new(rule).expect("a rule");
            rule.replace_all(&text, *instead).into_owned()
        })
}

/// Whether a command prints what a page says. What ends with `…` is the beginning.
fn agrees(printed: &str, says: &str) -> bool {
    let (printed, says) = (timeless(printed), timeless(says));
    match says.trim_end().strip_suffix('…') {
        Some(begin) => printed.starts_with(begin),
        None => printed.trim_end() == says.trim_end(),
    }
}

/// A program on the PATH of examples and their panes.
fn program(server: &Server, name: &str, script: &str) {
    let script = format!("#!/bin/sh\n{script}\n");
    server.program_file(&server.path("bin").join(name), script.as_bytes());
}

/// What a page's example needs before it, and what happens between two of them.
fn before(server: &Server, page: &str, at: usize) {
    match (page, at) {
        ("README.md", 0) => {
            let failed = "echo '211 passed, 1 failed: checkout::refund'\n\
                          echo 'make: *** [Makefile:2: test] Error 1'\nexit 2";
            program(server, "make", failed);
            server.agent("claude");
        }
        ("README.md", 1) => {
            let listed = server.sesh("sesh-list", ["reviewer", "--json"]);
            let reviewer = listed.ok().only();
            server.runs(reviewer.pane(), "claude");
            let agent = Agent::of(server, reviewer.pane());
            agent.shows("? for shortcuts");
            agent.order("hooks");
            agent.order("answers 0042_add_index: it builds the index without CONCURRENTLY.");
        }
        ("README.md", 2) => program(
            server,
            "codex",
            r#"cat >/dev/null
               echo '{"type":"thread.started","thread_id":"01a22dde-1d85-78f2-8e0f-1c045d98d2f8"}'
               echo '{"type":"item.completed","item":{"type":"agent_message","text":"tests/checkout.rs: refund and refund_again do the same."}}'
               echo '{"type":"turn.completed","usage":{}}'"#,
        ),
        ("README.md", 5) => {
            // What the agent shows once it is back.
            let file = server.path("home/.claude/sessions/{pid}.json");
            let session =
                r#"{"pid":{pid},"procStart":"{start}","sessionId":"{id}","status":"idle"}"#;
            let script = format!("file {} {session}", file.display());
            std::fs::write(server.path("home/claude.resume"), script).expect("a script");
            crashes(server);
        }
        ("plugin/doc/messages.md", 0) => {
            program(server, "git", "echo a difference");
            let worker = messaged(server, "worker");
            worker.order("hooks");
            worker.order("answers the tests pass");
            messaged(server, "reviewer");
        }
        ("plugin/doc/transcripts.md", 0) => {
            let worker = messaged(server, "worker");
            for order in ["hooks", "transcript", "answers the tests pass"] {
                worker.order(order);
            }
        }
        ("plugin/doc/messages.md", 1) => {
            let listed = server.sesh("sesh-list", ["worker", "--json"]);
            let worker = listed.ok().only();
            let number = worker.pane().trim_start_matches('%');
            let orders = server.path(&format!("composer{number}/orders"));
            std::fs::write(orders, "ask\n").expect("an order");
            server.shows(worker.pane(), "Do you want");
        }
        ("plugin/doc/helpers.md", 0) => {
            let tree =
                "echo 'tmux-sesh v0.1.0'\necho '├── serde v1.0.228'\necho '└── which v8.0.6'";
            program(server, "cargo", tree);
            server.option("default-shell", "/bin/bash");
        }
        ("plugin/doc/from-sesh-v1.md", 0) => {
            let shop = server.path("home/shop");
            std::fs::create_dir_all(&shop).expect("a folder");
            let record = format!(
                r#"{{"api": {{"uuid": "46ed2323-f13a-4fb3-98e7-659d84033d77", "name": "api", "agent": "claude",
                "cwd": "{}", "tags": ["work"], "summary": "fixed the tests"}}}}"#,
                shop.display()
            );
            std::fs::write(shop.join("sessions.json"), record).expect("a file");
        }
        ("plugin/doc/waiting.md", 0) => {
            program(server, "cargo", "test \"$1\" != audit || exit 101");
        }
        ("plugin/doc/restore.md", 0) => {
            server.option("default-shell", "/bin/bash");
            let shop = server.path("home/shop");
            std::fs::create_dir_all(&shop).expect("a folder");
            let shop = shop.display().to_string();
            let notes = server.new_sesh(["notes", "--cwd", &shop]);
            server.becomes(notes.pane(), "idle");
            server.new_sesh(["watch", "--cwd", &shop, "--", "tail", "-f", "/dev/null"]);
            crashes(server);
        }
        _ => {}
    }
}

/// tmux dies, and its user starts it again.
fn crashes(server: &Server) {
    server.dies();
    server.starts_again();
    server.session((120, 40), &["-s", MAIN, "cat", "-"]);
}

/// A sesh with an agent that gets messages.
fn messaged<'a>(server: &'a Server, name: &str) -> Agent<'a> {
    let agent = Agent::new(server);
    let adopted = [&agent.pane, "--name", name, "--agent", "claude"];
    server.sesh("sesh-adopt", adopted).ok();
    agent
}

/// Runs the examples of a page.
#[track_caller]
fn prints_what_it_says(page: &str) {
    let text = docs::document(page);
    let server = Server::start();
    let mut updated = text.clone();
    let mut differ = Vec::new();
    let examples = examples(&text);
    assert!(!examples.is_empty(), "{page} has no example");
    for (at, (place, steps)) in examples.iter().enumerate() {
        before(&server, page, at);
        let printed = run(&server, steps);
        let mut now = String::new();
        for (step, printed) in steps.iter().zip(&printed) {
            let same = agrees(printed, &step.output);
            if !same {
                differ.push(format!(
                    "$ {}\n-- it says\n{}-- it prints\n{printed}",
                    step.command, step.output
                ));
            }
            now += &format!("$ {}\n", step.command.replace('\n', "\n> "));
            now += if same { &step.output } else { printed };
        }
        updated = updated.replacen(&text[place.clone()], &now, 1);
    }
    if !differ.is_empty() && std::env::var_os("UPDATE").is_some() {
        docs::update(page, &updated);
    }
    assert!(differ.is_empty(), "{page}:\n{}", differ.join("\n"));
}

#[test]
fn those_of_the_readme() {
    prints_what_it_says("README.md");
}

#[test]
fn those_of_helpers() {
    prints_what_it_says("plugin/doc/helpers.md");
}

#[test]
fn those_of_from_sesh_v1() {
    prints_what_it_says("plugin/doc/from-sesh-v1.md");
}

#[test]
fn those_of_waiting() {
    prints_what_it_says("plugin/doc/waiting.md");
}

#[test]
fn those_of_messages() {
    prints_what_it_says("plugin/doc/messages.md");
}

#[test]
fn those_of_transcripts() {
    prints_what_it_says("plugin/doc/transcripts.md");
}

#[test]
fn those_of_restore() {
    prints_what_it_says("plugin/doc/restore.md");
}

/// Every page with examples has a test above.
#[test]
fn none_is_left_out() {
    let pages: Vec<String> = docs::documents()
        .into_iter()
        .filter(|(_, text)| !examples(text).is_empty())
        .map(|(page, _)| page)
        .collect();
    let run = [
        "README.md",
        "from-sesh-v1.md",
        "helpers.md",
        "messages.md",
        "restore.md",
        "transcripts.md",
        "waiting.md",
    ];
    assert_eq!(pages.len(), run.len(), "{pages:?}");
    for (page, name) in pages.iter().zip(run) {
        assert!(
            page.ends_with(name),
            "{page} has examples that no test runs"
        );
    }
}

/// The blocks of a document in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.any(|line| line == start) {
        let block = lines.by_ref().take_while(|line| *line != "```");
        blocks.push(block.map(|line| format!("{line}\n")).collect());
    }
    blocks
}

#[test]
fn tmux_and_the_shell_can_read_every_block() {
    let server = Server::start();
    let mut checked = 0;
    for (page, text) in docs::documents() {
        for block in blocks(&text, "tmux") {
            let file = server.path("block.conf");
            std::fs::write(&file, &block).expect("a file");
            let said = server.try_tmux(["source-file".as_ref(), "-n".as_ref(), file.as_os_str()]);
            assert!(
                said.code() == Some(0) && said.stderr.is_empty(),
                "{page}: {block}{said}"
            );
            checked += 1;
        }
        for block in blocks(&text, "sh") {
            let said = server
                .call(Path::new("/bin/bash"))
                .args(["-n", "-c", &block])
                .said();
            assert!(
                said.code() == Some(0) && said.stderr.is_empty(),
                "{page}: {block}{said}"
            );
            checked += 1;
        }
    }
    assert!(checked > 30, "this reads the wrong blocks: {checked}");
}

#[test]
fn every_option_that_is_named_exists() {
    let options = docs::document("plugin/doc/options.md");
    let formats = docs::document("plugin/doc/formats.md");
    let name = Regex::new("@sesh-[a-z]+(-[a-z]+)*").expect("a rule");
    for (page, text) in docs::documents() {
        for name in name.find_iter(&text).map(|found| found.as_str()) {
            let (_, last) = name.rsplit_once('-').expect("a hyphen");
            let listed = options.contains(&format!("| `{name}` |"))
                || options.contains(&format!("`-{last}`"))
                || formats.contains(&format!("E:{name}}}"))
                || name == "@sesh-key";
            assert!(listed, "{page} names {name}");
        }
    }
}
