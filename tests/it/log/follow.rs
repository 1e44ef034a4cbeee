//! `sesh-log --follow` of a sesh that goes on in another conversation, or that has none yet.

use std::path::PathBuf;
use std::process::Command;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tmux_sesh::id::SeshId;

use super::{Follower, Talk};
use crate::support::{NONE, Server, until};

impl Talk {
    /// The agent goes on in a new conversation, as Claude does after `/clear`.
    fn goes_to(&mut self, id: &str) {
        self.is_in(id);
        self.file = self.expected().join(format!("{id}.jsonl"));
        self.leaf = 0;
    }

    /// The sesh is in a conversation from now on.
    #[track_caller]
    fn is_in(&self, id: &str) {
        self.tells_conversation(id);
        until("its conversation is stored", || {
            self.server.sesh("sesh-reap", NONE).ok();
            let stored = self.server.format(self.sesh.pane(), "#{@sesh_conv}");
            stored.trim_end() == id
        });
    }

    /// Goes on in another file than that of the sesh.
    fn swaps(&mut self, (file, leaf): &mut (PathBuf, u32)) {
        std::mem::swap(&mut self.file, file);
        std::mem::swap(&mut self.leaf, leaf);
    }

    /// The folder in which the agent keeps the transcripts of this folder.
    fn expected(&self) -> PathBuf {
        let folder = self.sesh.text("cwd");
        let folder = folder.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        self.server.path("home/.claude/projects").join(folder)
    }

    fn conversation(&self) -> String {
        let name = self.file.file_stem().expect("a name");
        name.to_str().expect("UTF-8").into()
    }
}

impl Follower {
    /// Waits until it waits for all at once: its reader, the agent's end, a change of the sesh, and mostly a file. Before that it
    /// also sleeps until the server answers.
    #[track_caller]
    pub(super) fn listens(&self) {
        let call = format!("/proc/{}/syscall", self.pid());
        until("it waits for all at once", || {
            let call = std::fs::read_to_string(&call).unwrap_or_default();
            // The number of the call, and how many descriptors it is given.
            let count = call.split(' ').nth(2);
            matches!(count, Some("0x3" | "0x4")) && self.sleeps()
        });
    }

    #[track_caller]
    fn prints_json(&mut self) -> Value {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut self.lines, &mut line).expect("a line");
        serde_json::from_str(&line).expect("an object")
    }

    #[track_caller]
    fn prints_cursor(&mut self) -> String {
        let printed = self.prints_json();
        printed["cursor"].as_str().expect("a cursor").into()
    }

    #[track_caller]
    fn prints_turn(&mut self, prompt: &str, answer: &str) -> String {
        let expected = json!({ "kind": "prompt", "text": prompt });
        assert_eq!(self.prints_json(), expected);
        let expected = json!({ "kind": "answer", "text": answer });
        assert_eq!(self.prints_json(), expected);
        self.prints_cursor()
    }
}

#[test]
fn following_goes_over_to_the_next_conversation() {
    let mut talk = Talk::new();
    let first = talk.conversation();
    talk.turn("one", "1");
    let mut follower = talk.follow(&["--json"]);
    follower.prints_turn("one", "1");
    follower.listens();

    // There is no transcript before the first prompt, and no folder for it.
    let second = SeshId::random().to_string();
    assert!(!talk.expected().exists());
    let mut other = (talk.file.clone(), talk.leaf);
    talk.goes_to(&second);
    let mark = |id: &str| json!({ "kind": "conversation", "id": id });
    assert_eq!(follower.prints_json(), mark(&second));
    let begin = follower.prints_cursor();
    follower.listens();
    std::fs::create_dir(talk.expected()).expect("a folder");
    talk.turn("two", "2");
    let cursor = follower.prints_turn("two", "2");
    talk.turn("three", "3");
    let last = follower.prints_turn("three", "3");

    // Each cursor is good for what came after it.
    assert_eq!(talk.json(&["--since", &begin]).0.len(), 4);
    assert_eq!(talk.json(&["--since", &cursor]).0.len(), 2);
    assert_eq!(talk.json(&["--since", &last]), (vec![], last));

    // It comes back: what was added meanwhile is printed, and what was printed does not come again.
    talk.swaps(&mut other);
    talk.turn("four", "4");
    talk.is_in(&first);
    assert_eq!(follower.prints_json(), mark(&first));
    follower.prints_turn("four", "4");
    talk.turn("five", "5");
    follower.prints_turn("five", "5");
    talk.swaps(&mut other);
    talk.turn("six", "6");
    talk.is_in(&second);
    assert_eq!(follower.prints_json(), mark(&second));
    follower.prints_turn("six", "6");

    talk.leaves();
    follower.prints("");
    follower.ends();
}

/// The old conversation and the new one change at the same time: what the old one still gets comes before the mark.
#[test]
fn the_last_lines_of_the_old_conversation_come_first() {
    let mut talk = Talk::new();
    talk.turn("one", "1");
    let mut follower = talk.follow(&[]);
    follower.prints("> one");
    follower.prints("  1");
    follower.listens();
    let pid = follower.pid().to_string();
    let signal = |name: &str| {
        let status = Command::new("kill").args([name, &pid]).status();
        assert!(status.expect("kill").success());
    };
    signal("-STOP");
    talk.turn("two", "2");
    let next = SeshId::random().to_string();
    talk.goes_to(&next);
    std::fs::create_dir(talk.expected()).expect("a folder");
    talk.turn("three", "3");
    signal("-CONT");
    follower.prints("> two");
    follower.prints("  2");
    follower.prints(&format!("- another conversation: {next}"));
    follower.prints("> three");
    follower.prints("  3");

    // A sesh that is forgotten has no more to say.
    let forget = ["--forget", "worker"];
    talk.server.sesh("sesh-end", forget).ok();
    follower.prints("");
    follower.ends();
}

/// An agent that a person has started in a shell, which nobody has told its conversation.
#[test]
fn following_waits_for_the_first_conversation() {
    let server = Server::start();
    let pane = server.hosts("claude");
    let adopts = [pane.as_str(), "--name", "worker", "--json"];
    let sesh = server.sesh("sesh-adopt", adopts).ok().record();
    let mut talk = Talk::of(server, sesh);
    let none = talk.server.sesh("sesh-log", ["worker"]).fails(3);
    assert!(none.contains("is unknown"), "{none}");
    let mut follower = talk.follow(&["--since", "now"]);
    follower.listens();
    let runs = follower.runs();
    talk.server.sesh("sesh-list", ["--json"]).ok();
    assert_eq!(follower.runs(), runs);

    talk.goes_to(&SeshId::random().to_string());
    follower.listens();
    std::fs::create_dir_all(talk.expected()).expect("a folder");
    talk.turn("one", "1");
    follower.prints("> one");
    follower.prints("  1");
    // The shell lives on, and the log is of the agent.
    talk.server.say(&pane, "exit 0");
    follower.prints("");
    follower.ends();
    assert!(talk.server.record("worker").live());
}

#[test]
fn what_has_exited_gets_no_first_conversation() {
    let server = Server::start();
    server.agent("codex");
    let sesh = server.new_sesh(["worker", "--agent", "codex"]);
    let talk = Talk::of(server, sesh);
    talk.server.runs(talk.sesh.pane(), "codex");
    let mut follower = talk.follow(&[]);
    follower.listens();
    talk.leaves();
    follower.prints("");
    follower.ends();
    let none = talk.server.sesh("sesh-log", ["worker", "-f"]).fails(3);
    assert!(none.contains("is unknown"), "{none}");
}
