//! Headless turns where the kinds of agents differ: the tools that they may use, their queues, and what they show of the
//! conversation that they are in.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use pretty_assertions::assert_eq;

use crate::support::{Call, Server, until};

/// Answers with its own arguments, and keeps a conversation as Claude does. Told to wait, it waits for a file.
const CLAUDE: &str = r#"
words="$*"
while [ $# -gt 0 ]; do
  case $1 in --session-id | --resume) id=$2 ;; esac
  shift
done
mkdir -p "$HOME/.claude/projects/p"
printf '{"type":"user","uuid":"1"}\n' >>"$HOME/.claude/projects/p/$id.jsonl"
prompt=$(cat)
echo "begin $prompt" >>"$HOME/turns"
if [ "$prompt" = wait ]; then until [ -e "$HOME/go" ]; do sleep 0.02; done; fi
echo "end $prompt" >>"$HOME/turns"
printf '{"type":"system","subtype":"init","session_id":"%s"}\n' "$id"
printf '{"type":"result","is_error":false,"result":"%s: %s"}\n' "$prompt" "$words"
"#;

/// Its thread is always the same. `queue` answers as the daemon does that has the thread open: into the rollout.
const CODEX: &str = r#"
id=0190d8a4-0000-7000-8000-000000000001
rollout=$HOME/.codex/sessions/2026/11/30/rollout-2026-11-30T00-00-00-$id.jsonl
event() { printf '{"type":"event_msg","payload":%s}\n' "$1" >>"$rollout"; }
item() { event "{\"type\":\"item_completed\",\"item\":{\"type\":\"$1\",\"content\":[{\"type\":\"text\",\"text\":\"$2\"}]}}"; }
if [ "$1" != queue ]; then
  mkdir -p "$(dirname "$rollout")"
  echo '{"type":"session_meta","payload":{}}' >>"$rollout"
  printf '{"type":"thread.started","thread_id":"%s"}\n' "$id"
  printf '{"type":"item.completed","item":{"type":"agent_message","text":"by exec"}}\n{"type":"turn.completed","usage":{}}\n'
  exit
fi
[ "$2" = "--thread=$id" ] || exit 2
text=${3#--message=}
echo "$text" >>"$HOME/queued"
case $text in
  gone) echo "thread not found" >&2; exit 1 ;;
  open) exit ;;
esac
# The end of a turn before it.
event '{"type":"task_complete"}'
event '{"type":"task_started"}'
item UserMessage "$text"
case $text in
  error) event '{"type":"task_complete","error":{"message":"no such model"}}' ;;
  *)
    item AgentMessage "I look."
    printf '{"type":"event_msg","payload":{"type":"item_comp' >>"$rollout"
    sleep 0.3 # why: a reader shall meet the half line
    printf 'leted","item":{"type":"AgentMessage","content":[{"type":"text","text":"got %s"}]}}}\n' "${#text}" >>"$rollout"
    event '{"type":"task_complete"}'
    ;;
esac
"#;

/// A pi of which no file and no word shows the conversation.
const PI: &str = r#"
echo '{"type":"session","id":"0190d8a4-0000-7000-8000-000000000002"}'
echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"4"}]}}'
echo '{"type":"agent_end"}'
"#;

fn server() -> Server {
    let server = Server::start();
    for (name, text) in [("claude", CLAUDE), ("codex", CODEX), ("pi", PI)] {
        server.script(name, text);
    }
    server
}

fn home(server: &Server, file: &str) -> PathBuf {
    server.path("home").join(file)
}

/// Creates a headless sesh by its first turn, and returns its uuid.
#[track_caller]
fn runner(server: &Server, agent: &str) -> String {
    let new = [
        "runner",
        "--headless",
        "--agent",
        agent,
        "--send",
        "one",
        "--reply",
    ];
    server.sesh("sesh-new", new).ok().lines()[0].to_string()
}

fn send(server: &Server, text: &str) -> Call {
    server.sesh("sesh-send", ["runner", text, "--reply"])
}

#[test]
fn allowed_tools_are_given_in_the_words_of_the_agent() {
    let server = server();
    let tools = ["--allow", "Bash(git log:*)", "--allow", "a;\"b\" #()"];
    let words = "--allowedTools=Bash(git log:*) --allowedTools=a;\"b\" #()";
    let delegate = |agent: &str| server.sesh("sesh-delegate", ["--agent", agent, "one"]);
    let quoted = words.replace('"', "");
    let said = delegate("claude").args(["--allow", "Bash(git log:*)", "--allow", "a;b #()"]);
    let said = said.args(["--", "--more"]).ok();
    assert!(
        said.line().ends_with(&format!("{quoted} --more")),
        "{}",
        said.text()
    );
    // Each turn has its own.
    let new = [
        "runner",
        "--headless",
        "--agent",
        "claude",
        "--send",
        "one",
        "--reply",
    ];
    let new = server
        .sesh("sesh-new", new)
        .args(["--allow", "WebFetch"])
        .ok();
    assert!(
        new.lines()[1].ends_with("--allowedTools=WebFetch"),
        "{}",
        new.text()
    );
    let plain = send(&server, "two").ok();
    assert!(!plain.text().contains("allowed"), "{}", plain.text());
    let next = send(&server, "two").args(["--allow", "Edit"]).ok();
    assert!(
        next.line().ends_with("--allowedTools=Edit"),
        "{}",
        next.text()
    );
    // pi asks for nothing.
    assert_eq!(delegate("pi").args(tools).ok().line(), "4");
    assert_eq!(
        delegate("codex").args(tools).fails(4),
        "codex cannot be told which tools to allow: its own configuration decides"
    );
    delegate("claude").args(["--allow", ""]).fails(2);
    server
        .sesh("sesh-new", ["x", "--agent", "claude", "--allow", "Edit"])
        .fails(2);
}

#[test]
fn tools_are_allowed_in_headless_turns_only() {
    let server = Server::start();
    let pane = server.hosts("claude");
    let send = ["--allow", "Edit", &pane, "hello"];
    let refused = server.sesh("sesh-send", send).fails(4);
    assert!(
        refused.contains("--allow is for headless turns"),
        "{refused}"
    );
}

#[test]
fn what_compacts_a_conversation_without_a_pane() {
    let server = server();
    runner(&server, "claude");
    server
        .sesh("sesh-send", ["runner", "--compact", "--wait=1m"])
        .ok();
    let turns = std::fs::read_to_string(home(&server, "turns")).expect("the turns");
    assert!(turns.ends_with("begin /compact\nend /compact\n"), "{turns}");
    let new = [
        "other",
        "--headless",
        "--agent",
        "codex",
        "--send",
        "one",
        "--reply",
    ];
    server.sesh("sesh-new", new).ok();
    let refused = server.sesh("sesh-send", ["other", "--compact"]).fails(4);
    assert!(refused.contains("only in a pane"), "{refused}");
}

/// A codex whose thread another process has open. The lock is held as long as the file is.
fn opened(server: &Server) -> File {
    runner(server, "codex");
    let locks = home(server, ".codex/thread-writer-locks");
    std::fs::create_dir_all(&locks).expect("a folder");
    let lock = File::create(locks.join("0190d8a4-0000-7000-8000-000000000001.lock"));
    let lock = lock.expect("a file");
    lock.lock().expect("a lock");
    lock
}

#[test]
fn a_conversation_that_another_process_has_open_is_answered_through_its_queue() {
    let server = server();
    let lock = opened(&server);
    for text in ["hello", "-first", "@x", "/clear", "$(x) `y` ;"] {
        let said = server.sesh("sesh-send", ["runner", "-", "--reply"]);
        let said = said.stdin(text).ok();
        assert_eq!(said.line(), format!("got {}", text.len()));
    }
    let json = send(&server, "hello").args(["--json"]).ok().json();
    assert_eq!(json["reply"], "got 5");
    assert_eq!(json["proof"], "turn");
    let failed = send(&server, "error").said();
    assert_eq!(failed.code(), Some(1), "{failed}");
    assert!(failed.sentence().contains("no such model"), "{failed}");
    let gone = send(&server, "gone").said();
    assert_eq!(gone.code(), Some(1), "{gone}");
    assert!(gone.sentence().contains("thread not found"), "{gone}");
    // Nobody takes it out of the queue.
    let open = send(&server, "open").args(["--wait=1s"]).said();
    assert_eq!(open.code(), Some(6), "{open}");
    let long = server.sesh("sesh-send", ["runner", "-", "--reply"]);
    let long = long.stdin("x".repeat(200_000)).said();
    assert_eq!(long.code(), Some(1), "{long}");
    assert!(long.sentence().contains("too long for the queue"), "{long}");
    // Free again, it is resumed.
    drop(lock);
    assert_eq!(send(&server, "hello").ok().line(), "by exec");
}

#[test]
fn a_queued_turn_ends_with_the_process_that_has_the_conversation_open() {
    let server = server();
    let lock = opened(&server);
    let mut call = send(&server, "open").command();
    let call = call.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = call.stderr(Stdio::piped()).spawn().expect("a helper");
    let queued = home(&server, "queued");
    until("it is queued", || queued.exists());
    drop(lock);
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("has ended"), "{complaint}");
}

#[test]
fn an_agent_in_the_same_folder_may_be_in_the_conversation() {
    let server = server();
    let folders = ["one", "two"].map(|name| server.path(name));
    for folder in &folders {
        std::fs::create_dir(folder).expect("a folder");
    }
    let new = [
        "runner",
        "--headless",
        "--agent",
        "pi",
        "--send",
        "one",
        "--reply",
    ];
    let new = server.sesh("sesh-new", new);
    new.args(["--cwd".as_ref(), folders[0].as_os_str()]).ok();
    std::fs::remove_file(server.path("bin/pi")).expect("the script");
    let hosts = |folder: &PathBuf| {
        let pane = server.types(&format!("cd {}", folder.display()));
        server.starts(&pane, "pi");
        pane
    };
    let there = hosts(&folders[1]);
    let here = hosts(&folders[0]);
    let refused = send(&server, "two").fails(4);
    let place = format!("pi runs in {} and may be in the", folders[0].display());
    assert!(refused.contains(&place), "{refused}");
    server.say(&here, "exit 0");
    server.runs(&here, "sh");
    std::fs::remove_file(server.path("bin/pi")).expect("the fake");
    server.script("pi", PI);
    assert_eq!(send(&server, "two").ok().line(), "4");
    server.runs(&there, "pi");
}

/// Two seshes of two servers have one conversation: their turns follow each other.
#[test]
fn turns_of_two_servers_in_one_conversation_follow_each_other() {
    let (server, other) = (server(), server_like());
    let uuid = runner(&server, "claude");
    let conversation = server.record(&uuid).text("conversation").to_string();
    let of_other = |helper: &str, args: &[&str]| {
        let call = other.sesh(helper, args).env("HOME", server.path("home"));
        let state = home(&server, ".local/state");
        call.env("XDG_STATE_HOME", state)
    };
    let folder = server.record(&uuid).text("cwd").to_string();
    let adopt = [
        "--agent",
        "claude",
        "--conv",
        &conversation,
        "--cwd",
        &folder,
    ];
    of_other("sesh-adopt", &adopt)
        .args(["--name", "second"])
        .ok();
    let begin = |call: Call| {
        let mut command = call.command();
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().expect("a helper")
    };
    let first = begin(send(&server, "wait"));
    let turns = || std::fs::read_to_string(home(&server, "turns")).unwrap_or_default();
    until("the first has begun", || turns().contains("begin wait"));
    let send = ["--headless", "second", "three", "--reply"];
    let second = begin(of_other("sesh-send", &send));
    until("the second waits", || {
        let locks = home(&server, ".local/state/tmux-sesh/turns");
        let locks = std::fs::read_dir(locks).expect("a folder").flatten();
        let names = locks.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .into_iter()
            .any(|name| name == format!("claude-{conversation}.start"))
    });
    std::fs::write(home(&server, "go"), "").expect("a file");
    for (child, begin) in [(first, "wait: "), (second, "three: ")] {
        let output = child.wait_with_output().expect("its end");
        let answer = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(answer.starts_with(begin), "{answer}{complaint}");
    }
    let expected = "begin wait\nend wait\nbegin three\nend three\n";
    assert!(turns().ends_with(expected), "{}", turns());
}

/// A server beside another one.
fn server_like() -> Server {
    let server = Server::start();
    server.script("claude", CLAUDE);
    server
}
