//! `sesh-log`: what an agent's transcript has, from its end, as it grows and after it has been left.

mod follow;
mod live;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use insta::assert_snapshot;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tmux_sesh::agent::conversation::transcript_file;
use tmux_sesh::agent::kinds::Agents;
use tmux_sesh::id::SeshId;
use tmux_sesh::proc;
use tmux_sesh::transcript::form::TranscriptForm;
use tmux_sesh::transcript::growth::Growth;
use tmux_sesh::transcript::history::{Extent, History, LogPosition};
use tmux_sesh::transcript::{LogEntry, Logged};

use crate::support::{Record, Server, say, soak, until};

/// The recorded transcripts.
pub(crate) const RECORDED: [(&str, TranscriptForm); 6] = [
    ("claude-2.1.329-tools", TranscriptForm::Claude),
    ("claude-2.1.329-turns", TranscriptForm::Claude),
    ("codex-0.169.0", TranscriptForm::Codex),
    ("copilot-1.0.102", TranscriptForm::Copilot),
    ("gemini-0.61.0", TranscriptForm::Gemini),
    ("pi-0.73.1", TranscriptForm::Pi),
];

pub(crate) fn recorded(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts");
    folder.join(format!("{name}.jsonl"))
}

#[track_caller]
fn history(file: &Path, form: TranscriptForm, extent: &Extent) -> History {
    let file = File::open(file).expect("a transcript");
    History::read(file, form, extent).expect("a history")
}

/// Entries in a short form: a word, and their text or the name of their tool.
fn words(entries: &[Logged]) -> Vec<String> {
    entries
        .iter()
        .map(|logged| match &logged.entry {
            LogEntry::Prompt { text } => format!("prompt {text}"),
            LogEntry::Answer { text } => format!("answer {text}"),
            LogEntry::Tool { name, .. } => format!("tool {name}"),
            LogEntry::Result { text, .. } => format!("result {text}"),
            LogEntry::Note { text } => format!("note {text}"),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn what_each_form_has() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, form) in RECORDED {
            let whole = history(&recorded(name), form, &Extent::Whole);
            let lines = whole.entries.iter().map(serde_json::to_string);
            let lines: Vec<String> = lines.map(|line| line.expect("JSON")).collect();
            assert_snapshot!(format!("log-{name}"), lines.join("\n"));
        }
    });
}

/// Whatever is read, and however it is read, nothing is missing and nothing comes twice: the turns from the end are the
/// end of the whole, and what is read up to a line and what grows after it are together the whole.
#[test]
fn turns_cursors_and_growth_are_parts_of_the_whole() {
    let server = Server::empty();
    let part = server.path("part.jsonl");
    for (name, form) in RECORDED {
        let file = recorded(name);
        let whole = history(&file, form, &Extent::Whole).entries;
        for turns in 1..6 {
            let last = history(&file, form, &Extent::Turns(turns)).entries;
            let prompts = |entries: &[Logged]| {
                let is_prompt = |logged: &&Logged| matches!(logged.entry, LogEntry::Prompt { .. });
                entries.iter().filter(is_prompt).count()
            };
            assert_eq!(last, whole[whole.len() - last.len()..], "{name}");
            assert_eq!(prompts(&last), turns.min(prompts(&whole)), "{name}");
        }
        // Gemini replaces what it has written, and a tree changes its branch.
        if form.changes_file() || name == "claude-2.1.329-turns" {
            continue;
        }
        let content = std::fs::read(&file).expect("a transcript");
        let ends = content
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n');
        for (at, _) in ends.step_by(7) {
            // The next line is half written.
            std::fs::write(&part, &content[..content.len().min(at + 40)]).expect("a file");
            let before = history(&part, form, &Extent::Whole);
            let mut growth = Growth::after(form, &before);
            let position = growth.position();
            assert_eq!(position, LogPosition::Offset(at as u64 + 1));
            std::fs::write(&part, &content).expect("a file");
            let grown = growth
                .read(&File::open(&part).expect("a file"))
                .expect("its growth");
            let since = history(&part, form, &Extent::Since(position)).entries;
            for after in [grown, since] {
                let mut all = before.entries.clone();
                all.extend(after);
                assert_eq!(words(&all), words(&whole), "{name} at {at}");
            }
        }
    }
}

/// A line of a tree.
pub(crate) fn node(id: &str, parent: Option<&str>, kind: &str, content: impl Into<Value>) -> Value {
    json!({
        "parentUuid": parent, "isSidechain": false, "type": kind, "uuid": id,
        "message": { "role": kind, "content": content.into() },
    })
}

pub(crate) fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub(crate) fn written(server: &Server, text: &str) -> PathBuf {
    let path = server.path("transcript.jsonl");
    std::fs::write(&path, text).expect("a transcript");
    path
}

/// Two processes have written to one conversation: the branch of the newest line counts.
#[test]
fn the_newest_branch_of_a_fork() {
    let server = Server::empty();
    let written_by_two = lines(&[
        node("1", None, "user", "begin"),
        node("2", Some("1"), "assistant", "begun"),
        node("3", Some("2"), "user", "in the pane"),
        node("h", Some("2"), "user", "headless"),
        node("4", Some("3"), "assistant", "of the pane"),
        node("i", Some("h"), "assistant", "of the headless one"),
    ]);
    let path = written(&server, &written_by_two);
    let form = TranscriptForm::Claude;
    let newest = [
        "prompt begin",
        "answer begun",
        "prompt headless",
        "answer of the headless one",
    ];
    let whole = history(&path, form, &Extent::Whole);
    assert_eq!(words(&whole.entries), newest);
    let one = history(&path, form, &Extent::Turns(1));
    assert_eq!(words(&one.entries), newest[2..]);
    // Whoever follows is told of it.
    let mut growth = Growth::after(form, &whole);
    let more = lines(&[node("5", Some("4"), "user", "again in the pane")]);
    assert_eq!(
        words(&growth.add(more.as_bytes())),
        [
            "note the conversation goes back to an earlier point",
            "prompt again in the pane"
        ]
    );
}

/// Tools that ran at the same time, whose results came in another order, and one that still runs.
#[test]
fn tools_at_the_same_time() {
    let server = Server::empty();
    let tool = |id: &str| json!([{ "type": "tool_use", "id": id, "name": id, "input": {} }]);
    let result = |id: &str| json!([{ "type": "tool_result", "tool_use_id": id, "content": id }]);
    let of_message = |mut line: Value| {
        line["message"]["id"] = json!("msg_1");
        line
    };
    let mut all = vec![
        node("1", None, "user", "run both"),
        of_message(node("2", Some("1"), "assistant", tool("a"))),
        of_message(node("3", Some("2"), "assistant", tool("b"))),
        node("r", Some("2"), "user", result("a")),
    ];
    let form = TranscriptForm::Claude;
    let expected = [
        "prompt run both",
        "tool a",
        "tool b",
        "result a",
        "result b",
        "answer done",
    ];
    let path = written(&server, &lines(&all));
    let running = history(&path, form, &Extent::Whole);
    assert_eq!(words(&running.entries), expected[..4]);
    let position = Growth::after(form, &running).position();
    // The answer follows one of the two results, whichever came last.
    for last in ["3", "2"] {
        all.truncate(2);
        let (first, second) = (("2", "a"), ("3", "b"));
        let (first, second) = if last == "3" {
            (first, second)
        } else {
            (second, first)
        };
        all.push(of_message(node("3", Some("2"), "assistant", tool("b"))));
        all.push(node("r", Some(first.0), "user", result(first.1)));
        all.push(node("s", Some(second.0), "user", result(second.1)));
        all.push(node("4", Some("s"), "assistant", "done"));
        let path = written(&server, &lines(&all));
        let mut found = words(&history(&path, form, &Extent::Whole).entries);
        found[3..5].sort();
        assert_eq!(found, expected);
        if last == "3" {
            let since = history(&path, form, &Extent::Since(position.clone()));
            assert_eq!(words(&since.entries), expected[4..]);
        }
    }
}

/// What was folded stays in the log, with a line that says so.
#[test]
fn a_conversation_that_was_compacted() {
    let server = Server::empty();
    let mut boundary = node("b", None, "system", Value::Null);
    boundary["subtype"] = json!("compact_boundary");
    boundary["logicalParentUuid"] = json!("2");
    let mut summary = node("s", Some("b"), "user", "what was said");
    summary["isCompactSummary"] = json!(true);
    let path = written(
        &server,
        &lines(&[
            node("1", None, "user", "begin"),
            node("2", Some("1"), "assistant", "begun"),
            boundary,
            summary,
            node("3", Some("s"), "user", "go on"),
        ]),
    );
    let whole = history(&path, TranscriptForm::Claude, &Extent::Whole);
    assert_eq!(
        words(&whole.entries),
        [
            "prompt begin",
            "answer begun",
            "note the conversation was compacted",
            "note what was said",
            "prompt go on"
        ]
    );
}

/// Lines that were torn by a crash, and lines of anything else, are left out, and the branch goes on before them.
#[test]
fn lines_that_cannot_be_read() {
    let server = Server::empty();
    let mut text = lines(&[
        node("1", None, "user", "begin"),
        node("2", Some("1"), "assistant", "begun"),
    ]);
    text.push_str(
        "{\"parentUuid\":\"2\",\"uuid\":\"3\",\"type\":\"us\n\u{0}\u{0}\nnull\n[1]\n\"x\"\n\n",
    );
    text.push_str(&lines(&[node("4", Some("3"), "user", "go on")]));
    let path = written(&server, &text);
    let whole = history(&path, TranscriptForm::Claude, &Extent::Whole);
    assert_eq!(
        words(&whole.entries),
        ["prompt begin", "answer begun", "prompt go on"]
    );
}

/// Gemini begins a file at each resume, which has all that went before.
#[test]
fn a_cursor_of_a_form_that_changes_its_file() {
    let server = Server::empty();
    let message = |id: &str, kind: &str, text: &str| json!({ "id": id, "type": kind, "content": [{ "text": text }] });
    let first = [
        message("1", "user", "begin"),
        message("2", "gemini", "begun"),
    ];
    let path = written(&server, &lines(&first));
    let form = TranscriptForm::Gemini;
    let before = history(&path, form, &Extent::Whole);
    let mut growth = Growth::after(form, &before);
    let position = growth.position();
    // The tool that an answer uses is added to the answer.
    let mut again = first[1].clone();
    again["toolCalls"] = json!([{ "id": "t", "name": "shell", "args": { "command": "ls" } }]);
    let grown = growth.add(lines(&[again.clone()]).as_bytes());
    assert_eq!(words(&grown), ["tool shell"]);
    let set = json!({ "$set": { "messages": [first[0], again] } });
    let resumed = written(&server, &lines(&[set, message("3", "user", "go on")]));
    let since = history(&resumed, form, &Extent::Since(position));
    assert_eq!(words(&since.entries), ["tool shell", "prompt go on"]);
    let whole = history(&resumed, form, &Extent::Whole);
    assert_eq!(
        words(&whole.entries),
        ["prompt begin", "answer begun", "tool shell", "prompt go on"]
    );
}

/// pi 1.6 can have one id in two folders: that of the sesh counts, although the other file is newer.
#[test]
fn the_file_of_the_folder_of_the_sesh() {
    let server = Server::empty();
    let agents = Agents::read(None);
    let pi = agents.named("pi").expect("pi");
    let id = SeshId::random().to_string();
    for folder in ["one", "other"] {
        let sessions = server.path("home/.pi/agent/sessions").join(folder);
        std::fs::create_dir_all(&sessions).expect("a folder");
        let head = json!({ "type": "session", "id": id, "cwd": format!("/src/{folder}") });
        let file = sessions.join(format!("2026-11-20_{id}.jsonl"));
        std::fs::write(file, lines(&[head])).expect("a file");
    }
    let home = server.path("home");
    let found = |cwd| {
        let variable = |name: &str| (name == "HOME").then(|| home.clone().into());
        let found = transcript_file(pi, &id, cwd, variable).expect("a file");
        found
            .path
            .parent()
            .expect("a folder")
            .file_name()
            .expect("a name")
            .to_os_string()
    };
    assert_eq!(found(Some("/src/one")), "one");
    assert_eq!(found(Some("/src/other")), "other");
    let variable = |name: &str| (name == "HOME").then(|| home.clone().into());
    for hostile in ["", "../x", "/etc/passwd", "no-such-id"] {
        assert_eq!(
            transcript_file(pi, hostile, None, variable),
            None,
            "{hostile}"
        );
    }
}

/// A Claude that is in a conversation.
pub(crate) struct Talk {
    pub(crate) server: Server,
    sesh: Record,
    file: PathBuf,
    /// The last line.
    leaf: u32,
}

impl Talk {
    pub(crate) fn new() -> Self {
        let server = Server::start();
        server.agent("claude");
        let id = SeshId::random().to_string();
        let sesh = server.new_sesh(["--agent", "claude", "worker"]);
        server.runs(sesh.pane(), "claude");
        let mut talk = Self::of(server, sesh);
        talk.tells_conversation(&id);
        talk.server.becomes(talk.sesh.pane(), "idle");
        let folder = talk.server.path("home/.claude/projects/project");
        std::fs::create_dir_all(&folder).expect("a folder");
        talk.file = folder.join(format!("{id}.jsonl"));
        talk
    }

    /// An agent whose conversation is not known.
    fn of(server: Server, sesh: Record) -> Self {
        Self {
            server,
            sesh,
            file: PathBuf::new(),
            leaf: 0,
        }
    }

    /// Has the agent write which conversation it is in.
    fn tells_conversation(&self, id: &str) {
        let session = self.server.path("home/.claude/sessions/{pid}.json");
        let says = format!(
            "file {} {{\"pid\":{{pid}},\"procStart\":\"{{start}}\",\"sessionId\":\"{id}\",\"status\":\"idle\"}}",
            session.display()
        );
        self.server.say(self.sesh.pane(), &says);
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(&self.file)
            .expect("the transcript");
        file.write_all(bytes).expect("a line");
    }

    /// Returns the next line of the conversation.
    fn next(&mut self, kind: &str, content: impl Into<Value>) -> Vec<u8> {
        let parent = (self.leaf > 0).then(|| self.leaf.to_string());
        self.leaf += 1;
        let line = node(&self.leaf.to_string(), parent.as_deref(), kind, content);
        format!("{line}\n").into_bytes()
    }

    pub(crate) fn turn(&mut self, prompt: &str, answer: &str) {
        let lines = [self.next("user", prompt), self.next("assistant", answer)];
        self.append(&lines.concat());
    }

    fn log(&self, args: &[&str]) -> Vec<String> {
        let said = self.server.sesh("sesh-log", ["worker"]).args(args).ok();
        said.text().lines().map(Into::into).collect()
    }

    /// Returns what `--json` prints: the entries, and the cursor.
    #[track_caller]
    fn json(&self, args: &[&str]) -> (Vec<Value>, String) {
        let lines = self.log(&[&["--json"], args].concat());
        let mut values: Vec<Value> = lines
            .iter()
            .map(|line| serde_json::from_str(line).expect("an object"))
            .collect();
        let last = values.pop().expect("a cursor");
        let cursor = last["cursor"].as_str().expect("a cursor").to_string();
        (values, cursor)
    }

    fn leaves(&self) {
        self.server.say(self.sesh.pane(), "exit 0");
        self.server.ended(self.sesh.uuid());
    }

    /// Starts to follow.
    fn follow(&self, args: &[&str]) -> Follower {
        let call = self.server.sesh("sesh-log", ["worker", "--follow"]);
        let mut command = call.args(args).command();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("sesh-log");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Follower { child, lines }
    }
}

/// A `sesh-log --follow`.
struct Follower {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Follower {
    #[track_caller]
    fn prints(&mut self, line: &str) {
        let mut read = String::new();
        self.lines.read_line(&mut read).expect("a line");
        assert_eq!(read.trim_end_matches('\n'), line);
    }

    fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// How often it has run: each time it begins to wait counts.
    fn runs(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("its status");
        let mut lines = status.lines();
        let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.expect("a count").trim().parse().expect("a number")
    }

    fn sleeps(&self) -> bool {
        let channel = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        channel.is_ok_and(|stat| stat.contains(") S "))
    }

    #[track_caller]
    fn ends(&mut self) {
        let mut code = None;
        until("sesh-log has ended", || {
            code = self.child.try_wait().expect("a status");
            code.is_some()
        });
        assert_eq!(code.and_then(|status| status.code()), Some(0));
    }
}

#[test]
fn the_last_turns_and_what_is_new() {
    let mut talk = Talk::new();
    let none = talk.server.sesh("sesh-log", ["worker"]).fails(3);
    assert!(none.contains("worker has no transcript yet"), "{none}");
    for turn in 1..=7 {
        talk.turn(
            &format!("prompt {turn}"),
            &format!("answer {turn}\nof two lines"),
        );
    }
    assert_eq!(
        talk.log(&["-n", "2"]),
        [
            "> prompt 6",
            "  answer 6",
            "  of two lines",
            "> prompt 7",
            "  answer 7",
            "  of two lines"
        ]
    );
    assert_eq!(talk.log(&[]).len(), 15);
    assert_eq!(talk.log(&["--whole"]).len(), 21);
    let (entries, cursor) = talk.json(&["-n", "1"]);
    assert_eq!(
        entries,
        [
            json!({ "kind": "prompt", "text": "prompt 7" }),
            json!({ "kind": "answer", "text": "answer 7\nof two lines" })
        ]
    );
    assert_eq!(talk.json(&["--since", &cursor]), (vec![], cursor.clone()));
    assert_eq!(talk.json(&["--since", "now"]), (vec![], cursor.clone()));
    assert_eq!(talk.json(&["--since", "start"]).0.len(), 14);

    // Half a line is not shown, and is not lost.
    let line = talk.next("user", "größe 🦀 ⟨\u{202e}#(date)\" ' ; \\");
    talk.append(&line[..line.len() - 30]);
    assert_eq!(talk.json(&["--since", &cursor]), (vec![], cursor.clone()));
    talk.append(&line[line.len() - 30..]);
    let (new, after) = talk.json(&["--since", &cursor]);
    assert_eq!(
        new,
        [json!({ "kind": "prompt", "text": "größe 🦀 ⟨\u{202e}#(date)\" ' ; \\" })]
    );
    assert_ne!(after, cursor);

    // The agent has exited, and then its pane is gone too.
    talk.leaves();
    assert_eq!(
        talk.json(&["--since", &cursor]),
        (new.clone(), after.clone())
    );
    talk.server.sesh("sesh-end", ["worker"]).ok();
    assert_eq!(talk.json(&["--since", &cursor]), (new, after));
    assert_eq!(talk.log(&["--whole", "--follow"]).len(), 22);

    // The file is shorter than it was: nothing says what of it is new.
    let mut short = Talk::new();
    short.turn("a prompt that is long", "and its answer");
    let (_, cursor) = short.json(&[]);
    let line = short.next("user", "anew");
    std::fs::write(&short.file, line).expect("a transcript");
    let said = "the transcript was written anew: this is all of it";
    let (anew, after) = short.json(&["--since", &cursor]);
    assert_eq!(
        anew,
        [
            json!({ "kind": "note", "text": said }),
            json!({ "kind": "prompt", "text": "anew" })
        ]
    );
    assert_eq!(short.json(&["--since", &after]), (vec![], after.clone()));

    // A cursor of another conversation: everything is new.
    let mut other = Talk::new();
    other.turn("hello", "world");
    assert_eq!(other.json(&["--since", &cursor]).0.len(), 2);
}

#[test]
fn what_has_no_transcript() {
    let talk = Talk::new();
    let server = &talk.server;
    server.new_sesh(["build", "--", "sleep", "1000"]);
    let sentence = server.sesh("sesh-log", ["build"]).fails(4);
    assert!(sentence.contains("build is no agent"), "{sentence}");
    server.agent("aider");
    server.new_sesh(["pair", "--agent", "aider"]);
    let sentence = server.sesh("sesh-log", ["pair"]).fails(4);
    assert!(
        sentence.contains("the transcripts of aider cannot be read"),
        "{sentence}"
    );
    server.agent("codex");
    server.new_sesh(["second", "--agent", "codex"]);
    let sentence = server.sesh("sesh-log", ["second"]).fails(3);
    assert!(
        sentence.contains("the conversation of second is unknown"),
        "{sentence}"
    );
    let pane = server.user_pane();
    server.sesh("sesh-log", [pane.as_str()]).fails(3);
    server.sesh("sesh-log", ["nobody"]).fails(3);
    for cursor in ["x", "l1.", "c1.AAAA", "$(date)", "-1"] {
        let since = format!("--since={cursor}");
        let sentence = server.sesh("sesh-log", ["worker", &since]).fails(2);
        assert!(sentence.contains("not a cursor of sesh-log"), "{sentence}");
    }
    server.sesh("sesh-log", ["worker", "-n", "0"]).fails(2);
    server
        .sesh("sesh-log", ["worker", "-n", "1", "--whole"])
        .fails(2);
}

#[test]
fn following_uses_nothing_until_something_is_written() {
    let mut talk = Talk::new();
    talk.turn("one", "1");
    let mut follower = talk.follow(&[]);
    follower.prints("> one");
    follower.prints("  1");
    follower.listens();
    let runs = follower.runs();
    assert!(proc::children(follower.pid()).is_empty());
    let threads = std::fs::read_dir(format!("/proc/{}/task", follower.pid()));
    // The second one waits for the signals that end it.
    assert_eq!(threads.expect("its threads").count(), 2);
    // What happens elsewhere does not wake it.
    let rounds = if soak() { 2000 } else { 20 };
    for _ in 0..rounds {
        talk.server.sesh("sesh-list", ["--json"]).ok();
    }
    assert!(follower.sleeps());
    assert_eq!(follower.runs(), runs);

    // Half a line is not printed, and the whole one is.
    let line = talk.next("user", "two");
    talk.append(&line[..10]);
    talk.append(&line[10..]);
    follower.prints("> two");
    let tool =
        json!([{ "type": "tool_use", "id": "t", "name": "Bash", "input": { "command": "ls" } }]);
    let line = talk.next("assistant", tool);
    talk.append(&line);
    follower.prints("* Bash: ls");

    // What is written last, at the very end, is printed too.
    talk.turn("three", "3");
    talk.leaves();
    follower.prints("> three");
    follower.prints("  3");
    follower.prints("");
    follower.ends();
}

#[test]
fn following_ends_when_its_reader_is_gone() {
    let mut talk = Talk::new();
    talk.turn("one", "1");
    let mut follower = talk.follow(&["--since", "now", "--json"]);
    let cursor = |follower: &mut Follower| {
        let mut line = String::new();
        follower.lines.read_line(&mut line).expect("a cursor");
        assert!(line.starts_with("{\"cursor\":"), "{line}");
    };
    cursor(&mut follower);
    talk.turn("two", "2");
    follower.prints(r#"{"kind":"prompt","text":"two"}"#);
    follower.prints(r#"{"kind":"answer","text":"2"}"#);
    cursor(&mut follower);
    // Nothing is written any more: it notices all the same.
    let Follower { mut child, lines } = follower;
    drop(lines);
    let mut code = None;
    until("sesh-log has ended", || {
        code = child.try_wait().expect("a status");
        code.is_some()
    });
    assert_eq!(code.and_then(|status| status.code()), Some(0));
}

/// 48 MB of a conversation with `SESH_SOAK=1`, with a line of 30 MB in it, else a small part of that.
#[test]
fn a_long_transcript_with_a_long_line() {
    let megabytes = if soak() { 48 } else { 4 };
    let long = if soak() { 30 << 20 } else { 3 << 20 };
    say(&format!("{megabytes} MB (SESH_SOAK=1 for 48)"));
    let mut talk = Talk::new();
    let mut text = Vec::new();
    let answer = "an answer of some length, as they are. ".repeat(50);
    let mut turns = 0;
    while text.len() < megabytes << 20 {
        turns += 1;
        text.extend(talk.next("user", format!("prompt {turns}")));
        text.extend(talk.next("assistant", answer.as_str()));
    }
    talk.append(&text);
    let tool =
        json!([{ "type": "tool_use", "id": "t", "name": "Read", "input": { "path": "/x" } }]);
    let result =
        json!([{ "type": "tool_result", "tool_use_id": "t", "content": "é".repeat(long / 2) }]);
    let lines = [
        talk.next("user", "read it"),
        talk.next("assistant", tool),
        talk.next("user", result),
    ];
    talk.append(&lines.concat());
    talk.turn("well?", "done");

    let printed = talk.log(&["-n", "2"]);
    assert_eq!(
        (printed[0].as_str(), printed[1].as_str()),
        ("> read it", "* Read: /x")
    );
    assert!(
        printed[2].starts_with("= éé") && printed[2].len() < 400,
        "{}",
        printed[2]
    );
    assert_eq!(
        printed[3],
        format!("  [cut: a line of {} kB]", lines[2].len() >> 10)
    );
    assert_eq!(printed[4..], ["> well?", "  done"]);

    let (entries, _) = talk.json(&["-n", "20"]);
    let cut = entries
        .iter()
        .find(|entry| entry["kind"] == "result")
        .expect("the result");
    let kept = cut["text"].as_str().expect("a text").len();
    assert!(kept <= 1 << 20 && kept > (1 << 20) - 4, "{kept}");
    assert_eq!(cut["cut"], lines[2].len() as u64 - 1);
    let prompts = |entries: &[Value]| {
        let all = entries.iter().filter(|entry| entry["kind"] == "prompt");
        all.count()
    };
    assert_eq!(prompts(&entries), 20);
    assert_eq!(prompts(&talk.json(&["--whole"]).0), turns + 2);

    // Turns that are too far from the end are left out, and it says so.
    let all = talk
        .server
        .sesh("sesh-log", ["worker", "-n", "1000000", "--json"])
        .said();
    let is_limited = all.stderr.contains("earlier turns were left out");
    assert_eq!(is_limited, megabytes > 16, "{}", all.stderr);
}

#[test]
fn what_a_list_has_of_the_transcripts() {
    let mut talk = Talk::new();
    talk.server.new_sesh(["build", "--", "sleep", "1000"]);
    let columns = ["--no-header", "--columns", "name,model,context,title"];
    let list = |talk: &Talk| {
        let said = talk.server.sesh("sesh-list", columns).ok();
        said.text()
            .lines()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    };
    assert_eq!(list(&talk), ["worker\t\t\t", "build\t\t\t"]);
    talk.turn("first\nof two lines", "1");
    let line = talk.next("assistant", "2");
    let mut line: Value = serde_json::from_slice(&line).expect("JSON");
    line["message"]["model"] = json!("opus");
    line["message"]["usage"] = json!({ "input_tokens": 10, "cache_read_input_tokens": 90 });
    talk.append(lines(&[line]).as_bytes());
    talk.turn(" second\nprompt", "3");
    // Without a window there is no percentage.
    assert_eq!(list(&talk)[0], "worker\topus\t\tsecond");
    talk.append(
        lines(&[json!({ "type": "custom-title", "customTitle": "the\ttitle" })]).as_bytes(),
    );
    assert_eq!(list(&talk)[0], "worker\topus\t\tthe\\ttitle");
    let record = talk
        .server
        .sesh("sesh-list", ["--json", "worker"])
        .ok()
        .only();
    assert_eq!(record.text("model"), "opus");
    assert!(record.get("contextPct").is_null());
    assert_eq!(record.text("title"), "the\ttitle");
    assert_eq!(
        record.text("transcript"),
        talk.file.to_str().expect("UTF-8")
    );
    assert_eq!(record.uuid(), talk.sesh.uuid());
    let asked = ["--json", "--columns", "model,context,title", "worker"];
    assert_eq!(talk.server.sesh("sesh-list", asked).ok().only().0, record.0);
    let of_pane = talk.server.sesh("sesh-pane", ["worker", "--json"]).ok();
    assert_eq!(of_pane.json()["title"], "the\ttitle");
    let shell = talk
        .server
        .sesh("sesh-list", ["--json", "build"])
        .ok()
        .only();
    assert!(shell.get("transcript").is_null());
    let other = talk
        .server
        .sesh("sesh-list", ["--json", "--columns", "name"])
        .fails(2);
    assert!(other.contains("--columns name"), "{other}");
}
