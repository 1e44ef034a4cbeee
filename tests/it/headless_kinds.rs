//! Headless turns where the kinds of agents differ: the tools that they may use, and what they show of the
//! conversation that they are in.

use std::path::PathBuf;

use pretty_assertions::assert_eq;

use crate::support::{Call, Server};

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
    sleep 0.3
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
