//! Headless turns: agents that answer without a pane to attend to. The fakes behave as the real ones were measured.

mod soak;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Call, NONE, Record, Server, Victim, until};

/// A claude that does what the last line of its prompt says. It keeps the prompt, and its conversation as the real one
/// does. Told nothing, it answers with the number of bytes.
const CLAUDE: &str = r#"
id=
while [ $# -gt 0 ]; do
  case $1 in --session-id | --resume) how=$1 id=$2 ;; esac
  shift
done
folder=$HOME/.claude/projects/p
mkdir -p "$folder"
file=$folder/$id.jsonl
if [ "$how" = --resume ] && [ ! -e "$file" ]; then echo "No conversation found with session ID: $id" >&2; exit 1; fi
if [ "$how" = --session-id ] && [ -e "$file" ]; then echo "Session ID $id is already in use." >&2; exit 1; fi
prompt=$HOME/prompt-$id
cat >"$prompt"
ln -f "$prompt" "$HOME/prompt" 2>/dev/null
echo "$how" >>"$HOME/turns"
printf '{"type":"user","uuid":"1"}\n' >>"$file"
result() { printf '{"type":"result","subtype":"%s","is_error":%s,"result":"%s","session_id":"%s","permission_denials":[%s],"usage":{"output_tokens":3}}\n' "$1" "$2" "$3" "$id" "$4"; }
printf '{"type":"system","subtype":"init","session_id":"%s"}\n' "$id"
last=$(tail -n 1 "$prompt" | cut -c 1-100)
case $last in
  refuse) result success false 'I could not.' '{"tool_name":"Bash"},{"tool_name":"Bash"},{"tool_name":"Write"}' ;;
  error) result success true 'API Error: 400 #() \"quoted\"' ''; exit 0 ;;
  silent) exit 0 ;;
  parricide) kill -9 $PPID; sleep 1000 ;;
  tool)
    sleep 1000 & # why: a tool that still runs when its agent is killed
    echo $! >"$HOME/tool"
    echo $$ >"$HOME/pid.new" && mv "$HOME/pid.new" "$HOME/pid"
    wait
    ;;
  crash) echo 'out of memory' >&2; kill -ABRT $$ ;;
  half) printf '{"type":"result","subtype":"succ'; exit 0 ;;
  folder) result success false "$PWD" '' ;;
  stubborn)
    trap '' HUP TERM INT
    echo $$ >"$HOME/pid.new" && mv "$HOME/pid.new" "$HOME/pid"
    while :; do sleep 1000; done
    ;;
  wait)
    echo $$ >"$HOME/pid.new" && mv "$HOME/pid.new" "$HOME/pid"
    until [ -e "$HOME/go" ]; do sleep 0.02; done
    result success false "waited" ''
    ;;
  *) result success false "got $(wc -c <"$prompt" | tr -d ' ')" '' ;;
esac
"#;

/// A codex that tells its id, and has a lock of its own.
const CODEX: &str = r#"
id=0190d8a4-0000-7000-8000-000000000001
echo "$*" >>"$HOME/codex-turns"
cat >"$HOME/prompt"
printf '{"type":"thread.started","thread_id":"%s"}\n' "$id"
case $(cat "$HOME/prompt") in
  wait)
    echo $$ >"$HOME/pid.new" && mv "$HOME/pid.new" "$HOME/pid"
    until [ -e "$HOME/go" ]; do sleep 0.02; done
    printf '{"type":"item.completed","item":{"type":"agent_message","text":"waited"}}\n{"type":"turn.completed"}\n'
    ;;
  fail) printf '{"type":"turn.failed","error":{"message":"no such model"}}\n' ;;
  *)
    printf '{"type":"item.completed","item":{"type":"error","message":"unknown model"}}\n'
    printf '{"type":"item.completed","item":{"type":"agent_message","text":"first"}}\n'
    printf '{"type":"item.completed","item":{"type":"agent_message","text":"4"}}\n{"type":"turn.completed","usage":{"output_tokens":1}}\n'
    ;;
esac
"#;

/// A server with the fakes on PATH.
fn server() -> Server {
    let server = Server::start();
    server.script("claude", CLAUDE);
    server.script("codex", CODEX);
    server
}

fn home(server: &Server, file: &str) -> PathBuf {
    server.path("home").join(file)
}

fn delegate(server: &Server, task: &str) -> Call {
    server.sesh("sesh-delegate", ["--agent", "claude", task])
}

/// Creates a headless sesh and sends it the first text.
fn created(server: &Server, agent: &str, first: &str) -> Call {
    let args = ["worker", "--headless", "--agent", agent, "--send", first];
    server.sesh("sesh-new", args)
}

/// A headless sesh whose first turn is over.
struct Worker {
    server: Server,
    uuid: String,
}

impl Worker {
    #[track_caller]
    fn of(agent: &str) -> Self {
        let server = server();
        let said = created(&server, agent, "one").args(["--reply"]).ok();
        let uuid = said.lines()[0].to_string();
        Self { server, uuid }
    }

    fn sent(&self, text: &str) -> Call {
        self.server.sesh("sesh-send", ["worker", text])
    }

    /// What it answers.
    #[track_caller]
    fn reply(&self, text: &str) -> String {
        self.sent(text).args(["--reply"]).ok().line().into()
    }

    fn record(&self) -> Record {
        self.server.record(&self.uuid)
    }
}

/// How the conversation of each turn was named to claude.
fn turns(server: &Server) -> Vec<String> {
    let turns = std::fs::read_to_string(home(server, "turns")).unwrap_or_default();
    turns.lines().map(Into::into).collect()
}

/// Everything that a turn leaves: panes, seshes of any state, files.
fn leftovers(server: &Server) -> Vec<String> {
    let mut left = server.panes("#{session_name}");
    left.retain(|session| session == "sesh-headless");
    let seshes = server.sesh("sesh-list", ["--all", "--json"]).ok();
    left.extend(seshes.records().iter().map(|it| it.name().to_string()));
    left.extend(turn_files(server));
    let launch = server.launch_files().into_iter();
    left.extend(launch.map(|path| path.display().to_string()));
    left
}

fn turn_files(server: &Server) -> Vec<String> {
    let folder = home(server, ".local/state/tmux-sesh/turns");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Waits until nothing is left, as `sesh-reap` leaves it.
#[track_caller]
fn is_cleared(server: &Server) {
    until("nothing is left", || {
        server.sesh("sesh-reap", NONE).ok();
        leftovers(server).is_empty()
    });
}

#[test]
fn a_task_is_answered_and_nothing_is_left() {
    let server = server();
    assert_eq!(delegate(&server, "four").ok().line(), "got 4");
    assert_eq!(leftovers(&server), Vec::<String>::new());
    let codex = server.sesh("sesh-delegate", ["--agent", "codex", "What is 2+2?"]);
    assert_eq!(codex.ok().line(), "4");
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

#[test]
fn a_task_without_a_server() {
    let server = Server::empty();
    server.script("claude", CLAUDE);
    server.tmux(["kill-server"]);
    assert_eq!(delegate(&server, "four").ok().line(), "got 4");
    assert_eq!(turn_files(&server), Vec::<String>::new());
    // The server has ended with its last pane, and the journal has no sesh either.
    let none = server.sesh("sesh-list", ["--all"]).fails(69);
    assert!(none.starts_with("no tmux server"), "{none}");
}

#[test]
fn every_text_arrives_as_it_is() {
    let server = server();
    let long = "größe 👩‍🚀 ".repeat(12_000);
    assert!(long.len() > 200_000);
    let texts = [
        "-p",
        "--help",
        "@file",
        "/etc/passwd",
        "!ls",
        "#()",
        "$(touch x) `y` \"q\" 'q' ;",
        "a\nb\n\nc\n",
        "\u{1b}[31m\u{7}",
        &long,
    ];
    for text in texts {
        let call = server.sesh("sesh-delegate", ["--agent", "claude", "-"]);
        let said = call.stdin(text).ok();
        assert_eq!(said.line(), format!("got {}", text.len()), "{text:.20}");
        let prompt = std::fs::read_to_string(home(&server, "prompt")).expect("a prompt");
        assert!(prompt == text, "{text:.20}");
    }
    for text in ["-p", "@file", "/etc/passwd"] {
        delegate(&server, text).ok();
        let prompt = std::fs::read_to_string(home(&server, "prompt")).expect("a prompt");
        assert_eq!(prompt, text);
    }
}

#[test]
fn what_is_no_task() {
    let server = server();
    let without = server.sesh("sesh-delegate", ["--agent", "claude"]);
    assert_eq!(
        without.stdin(" \n").fails(2),
        "the task is empty: give a text"
    );
    let unknown = server.sesh("sesh-delegate", ["--agent", "aider", "x"]);
    let endless = server.sesh("sesh-delegate", ["--agent", "claude"]);
    let endless = endless.stdin(vec![b'x'; 64 << 20]).fails(4);
    assert!(endless.starts_with("stdin has 64 MB or more"), "{endless}");
    assert_eq!(
        unknown.fails(4),
        "aider has no headless turns: its command line cannot do it"
    );
    let missing = server.sesh("sesh-delegate", ["--agent", "pi", "x"]);
    let missing = missing.env("PATH", "/usr/bin:/bin").fails(3);
    assert!(
        missing.starts_with("pi is not installed: no \"pi\" in"),
        "{missing}"
    );
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

#[test]
fn the_outcome_comes_from_the_output() {
    let server = server();
    let refused = delegate(&server, "refuse").said();
    assert_eq!(refused.code(), Some(0), "{refused}");
    assert_eq!(refused.line(), "I could not.");
    assert_eq!(
        refused.sentence(),
        "these tools were refused, since no person could be asked: Bash, Write"
    );
    let json = delegate(&server, "refuse").args(["--json"]).said().json();
    assert_eq!(
        json["refused"],
        serde_json::json!(["Bash", "Bash", "Write"])
    );
    assert_eq!(json["outcome"], "answered");
    assert_eq!(json["usage"]["output_tokens"], 3);
    // The agent exits with 0 in all of these.
    for (task, expected) in [
        (
            "error",
            "claude: the turn failed: API Error: 400 #() \"quoted\"",
        ),
        (
            "silent",
            "claude: the turn failed: it exited 0 without an answer",
        ),
        (
            "half",
            "claude: the turn failed: it exited 0 without an answer",
        ),
        ("crash", "claude: the turn failed: out of memory"),
    ] {
        let said = delegate(&server, task).said();
        assert_eq!((said.code(), said.sentence().as_str()), (Some(1), expected));
    }
    let failed = server.sesh("sesh-delegate", ["--agent", "codex", "fail"]);
    let failed = failed.said();
    assert_eq!(failed.sentence(), "codex: the turn failed: no such model");
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

#[test]
fn the_deadline_ends_what_ignores_term() {
    let server = server();
    let said = delegate(&server, "stubborn")
        .args(["--timeout", "1s"])
        .said();
    assert_eq!(said.code(), Some(6), "{said}");
    assert_eq!(
        said.sentence(),
        "claude: timed out: the turn was ended after 1s"
    );
    let agent = Victim::written(&server, "home/pid");
    assert!(!agent.alive());
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

/// Starts a call in the background.
fn begin(call: Call) -> std::process::Child {
    let mut command = call.command();
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().expect("a helper")
}

fn pid(child: &std::process::Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a pid"))
}

/// The `sesh-run` of the turn that runs.
fn sesh_run(server: &Server) -> Pid {
    let panes = server.panes("#{session_name} #{pane_pid}");
    let runner = panes
        .iter()
        .find_map(|line| line.strip_prefix("sesh-headless "));
    Pid::from_raw(runner.expect("a pane").parse().expect("a pid"))
}

#[test]
fn an_interrupt_leaves_nothing() {
    let server = server();
    let child = begin(delegate(&server, "stubborn"));
    let agent = Victim::written(&server, "home/pid");
    // INT ends it alike, unless these tests run in the background of a shell: there INT is ignored.
    kill(pid(&child), Signal::SIGTERM).expect("a process");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(130));
    assert!(!agent.alive());
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

#[test]
fn a_killed_delegate_is_cleared_by_the_next_reap() {
    let server = server();
    let mut child = begin(delegate(&server, "stubborn"));
    let agent = Victim::written(&server, "home/pid");
    child.kill().expect("a process");
    child.wait().expect("its end");
    server.sesh("sesh-reap", NONE).ok();
    assert!(!agent.alive());
    is_cleared(&server);
    // The next one works.
    assert_eq!(delegate(&server, "four").ok().line(), "got 4");
}

const RUNNER_KILLED: &str =
    "sesh-delegate: claude: the turn was ended from outside: its sesh-run was killed\n";

#[test]
fn a_killed_runner_is_an_aborted_turn() {
    let server = server();
    let child = begin(delegate(&server, "stubborn"));
    let agent = Victim::written(&server, "home/pid");
    kill(sesh_run(&server), Signal::SIGKILL).expect("a process");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(complaint, RUNNER_KILLED);
    until("the agent has ended", || !agent.alive());
    is_cleared(&server);
}

#[test]
fn all_of_ours_killed() {
    let server = server();
    let mut child = begin(delegate(&server, "stubborn"));
    let agent = Victim::written(&server, "home/pid");
    let sesh_run = self::sesh_run(&server);
    child.kill().expect("a process");
    child.wait().expect("its end");
    kill(sesh_run, Signal::SIGKILL).expect("a process");
    until("the pane has closed", || {
        !server
            .panes("#{session_name}")
            .contains(&"sesh-headless".into())
    });
    assert!(agent.alive(), "it ignores HUP and TERM");
    server.sesh("sesh-reap", NONE).ok();
    until("the agent has ended", || !agent.alive());
    is_cleared(&server);
}

#[test]
fn a_killed_agent_is_an_aborted_turn() {
    let server = server();
    let child = begin(delegate(&server, "wait"));
    let agent = Victim::written(&server, "home/pid");
    kill(agent.pid(), Signal::SIGKILL).expect("a process");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        complaint.contains("the turn was ended from outside"),
        "{complaint}"
    );
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

/// The process that could end it has gone with the agent.
#[test]
fn what_a_killed_agent_has_started_ends_with_it() {
    let server = server();
    let child = begin(delegate(&server, "tool"));
    let tool = Victim::written(&server, "home/tool");
    let agent = Victim::written(&server, "home/pid");
    kill(agent.pid(), Signal::SIGKILL).expect("a process");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    assert!(!tool.alive());
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

/// A turn counts from its begin on, whether or not its process could tell that the agent runs. Under load it is killed
/// before; here its pipe is taken away.
#[test]
fn a_runner_that_is_killed_before_it_tells_is_an_aborted_turn() {
    let server = server();
    until("the pipe was taken away in time", || {
        let mut child = begin(delegate(&server, "parricide"));
        let mut is_taken = false;
        while child.try_wait().expect("a status").is_none() {
            let mut files = server.launch_files();
            files.retain(|file| file.extension().is_some_and(|end| end == "started"));
            is_taken |= files.iter().any(|file| std::fs::remove_file(file).is_ok());
        }
        let output = child.wait_with_output().expect("its end");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(complaint, RUNNER_KILLED);
        is_taken
    });
    is_cleared(&server);
}

/// A process that is killed leaves files at any moment: a folder without its content, a lock without a holder, a launch
/// file without a pane.
#[test]
fn what_was_made_in_part_is_removed() {
    let server = server();
    delegate(&server, "four").ok();
    let turns = home(&server, ".local/state/tmux-sesh/turns");
    for (turn, starter) in [
        ("turn-1", None),
        ("turn-2", Some("12")),
        ("turn-3", Some("")),
    ] {
        std::fs::create_dir(turns.join(turn)).expect("a folder");
        if let Some(starter) = starter {
            std::fs::write(turns.join(turn).join("starter"), starter).expect("a file");
        }
    }
    // One whose process has ended, with its launch file, and one of a process that makes it at this moment.
    let uuid = "0190d8a4-0000-4000-8000-000000000001";
    let socket = server.socket();
    let starter = format!("1:1 {uuid} 1 1\n{}", socket.display());
    std::fs::create_dir(turns.join("turn-4")).expect("a folder");
    std::fs::write(turns.join("turn-4/starter"), starter).expect("a file");
    let launch = server.path("run/tmux-sesh");
    for end in ["", ".started"] {
        std::fs::write(launch.join(format!("launch-turn-4-x{end}")), "").expect("a file");
    }
    std::fs::write(turns.join("claude-1.run"), "").expect("a file");
    let held = std::fs::File::create(turns.join("claude-2.run")).expect("a file");
    held.lock().expect("a lock");
    let folder = std::fs::File::open(&turns).expect("the folder");
    folder.lock_shared().expect("a lock");
    server.sesh("sesh-reap", NONE).ok();
    let mut left = turn_files(&server);
    left.sort();
    let expected = ["claude-1.run", "claude-2.run", "turn-1", "turn-2", "turn-3"];
    assert_eq!(left, expected, "another process makes files");
    assert_eq!(server.launch_files(), Vec::<PathBuf>::new());
    drop(folder);
    server.sesh("sesh-reap", NONE).ok();
    assert_eq!(turn_files(&server), ["claude-2.run"]);
}

#[test]
fn a_pane_that_is_respawned_runs_no_second_turn() {
    let server = server();
    created(&server, "codex", "wait").ok();
    let _agent = Victim::written(&server, "home/pid");
    server.tmux(["respawn-pane", "-k", "-t", "=sesh-headless:"]);
    until("the pane has closed", || {
        let sessions = server.panes("#{session_name}");
        !sessions.contains(&"sesh-headless".into())
    });
    let turns = std::fs::read_to_string(home(&server, "codex-turns")).expect("the turns");
    assert_eq!(turns.lines().count(), 1);
}

#[test]
fn a_prompt_is_private_and_is_deleted() {
    let server = server();
    let child = begin(delegate(&server, "wait"));
    let _agent = Victim::written(&server, "home/pid");
    let files = turn_files(&server);
    let turn = files.iter().find(|name| name.starts_with("turn-"));
    let folder = home(&server, ".local/state/tmux-sesh/turns").join(turn.expect("a turn"));
    let names = std::fs::read_dir(&folder).expect("a folder").flatten();
    let mut names: Vec<String> = names
        .map(|entry| {
            let mode = entry.metadata().expect("a file").permissions().mode() & 0o777;
            format!("{} {mode:o}", entry.file_name().to_string_lossy())
        })
        .collect();
    names.sort();
    assert_eq!(names, ["output 600", "runner 600", "starter 600"]);
    let mode = std::fs::metadata(&folder)
        .expect("a folder")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    std::fs::write(home(&server, "go"), "").expect("a file");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "waited\n");
}

#[test]
fn a_headless_sesh_is_busy_and_then_exited() {
    let server = server();
    let said = created(&server, "codex", "wait").ok();
    let uuid = said.line();
    let _agent = Victim::written(&server, "home/pid");
    let record = server.record(uuid);
    assert_eq!(record.state(), "busy");
    assert_eq!(record.get("agent"), "codex");
    // A reconciliation sees an agent that draws nothing, and leaves it as it is.
    let changed = server.sesh("sesh-reap", ["--json"]).ok().json();
    assert_eq!(changed, serde_json::json!([]));
    assert_eq!(server.record(uuid).state(), "busy");
    std::fs::write(home(&server, "go"), "").expect("a file");
    let record = server.ended(uuid);
    assert_eq!(record.get("exit")["code"], 0);
    until("its files are removed", || turn_files(&server).is_empty());
}

#[test]
fn a_conversation_goes_from_turn_to_turn() {
    let worker = Worker::of("claude");
    let first = worker.record();
    assert_eq!(first.state(), "exited");
    assert_eq!(worker.reply("three"), "got 5");
    let second = worker.record();
    assert_eq!(second.get("conversation"), first.get("conversation"));
    assert_eq!(turns(&worker.server), ["--session-id", "--resume"]);
    let json = worker
        .sent("refuse")
        .args(["--reply", "--json"])
        .ok()
        .json();
    assert_eq!(json["outcome"], "delivered");
    assert_eq!(json["proof"], "turn");
    assert_eq!(json["replyFrom"], "output");
    assert_eq!(json["refused"][0], "Bash");
    let failed = worker.sent("error").args(["--reply"]).said();
    assert_eq!(failed.code(), Some(1), "{failed}");
    assert_eq!(turn_files(&worker.server), Vec::<String>::new());
}

#[test]
fn a_conversation_goes_on_with_the_id_that_the_agent_tells() {
    let worker = Worker::of("codex");
    assert_eq!(worker.reply("two"), "4");
    let turns = std::fs::read_to_string(home(&worker.server, "codex-turns")).expect("the turns");
    let second = turns.lines().nth(1).expect("a second turn");
    assert!(
        second.contains("resume 0190d8a4-0000-7000-8000-000000000001 -"),
        "{turns}"
    );
    assert_eq!(turn_files(&worker.server), Vec::<String>::new());
}

#[test]
fn senders_follow_each_other() {
    let worker = Worker::of("claude");
    let first = begin(worker.sent("wait").args(["--reply"]));
    let _agent = Victim::written(&worker.server, "home/pid");
    let second = begin(worker.sent("three").args(["--reply"]));
    let third = begin(worker.sent("seventeen").args(["--reply"]));
    std::fs::write(home(&worker.server, "go"), "").expect("a file");
    for (child, expected) in [(first, "waited\n"), (second, "got 5\n"), (third, "got 9\n")] {
        let output = child.wait_with_output().expect("its end");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let answer = String::from_utf8_lossy(&output.stdout);
        assert_eq!(answer, expected, "{complaint}");
    }
    let turns = turns(&worker.server);
    assert_eq!(turns, ["--session-id", "--resume", "--resume", "--resume"]);
    assert_eq!(turn_files(&worker.server), Vec::<String>::new());
}

#[test]
fn a_killed_turn_does_not_keep_the_next_from_its_conversation() {
    let worker = Worker::of("claude");
    worker.sent("stubborn").ok();
    let agent = Victim::written(&worker.server, "home/pid");
    kill(sesh_run(&worker.server), Signal::SIGKILL).expect("a process");
    assert_eq!(worker.reply("three"), "got 5");
    assert!(!agent.alive(), "two writers would fork the conversation");
}

/// Starts a claude by hand in a pane, in a conversation that its own file shows. Returns the pane.
#[track_caller]
fn by_hand(server: &Server, conversation: &str) -> String {
    let path = server.path("bin/claude");
    if path.exists() {
        std::fs::remove_file(&path).expect("the script");
    }
    let pane = server.hosts("claude");
    let sessions = home(server, ".claude/sessions");
    let line = format!(
        "file {}/{{pid}}.json {{\"sessionId\":\"{conversation}\",\"procStart\":\"{{start}}\",\"status\":\"idle\"}}",
        sessions.display()
    );
    server.say(&pane, &line);
    until("its file is there", || {
        sessions.read_dir().is_ok_and(|files| files.count() > 0)
    });
    pane
}

/// Puts the claude of headless turns in place of the one of panes.
fn scripted(server: &Server) {
    std::fs::remove_file(server.path("bin/claude")).expect("the fake");
    server.script("claude", CLAUDE);
}

#[test]
fn an_agent_of_a_pane_takes_a_turn_only_when_told() {
    let server = Server::start();
    let id = "1f0c8f5e-5d6b-4b0e-9d51-0d7c9b2e4a10";
    let pane = by_hand(&server, id);
    let record = server.becomes(&pane, "idle");
    let name = record.name();
    server.say(&pane, "exit 0");
    until("it has exited", || {
        server.sesh("sesh-reap", NONE).ok();
        !server.record(record.uuid()).live()
    });
    scripted(&server);
    let folder = home(&server, ".claude/projects/p");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{id}.jsonl")), "{}\n").expect("a transcript");
    let refused = server.sesh("sesh-send", [name, "four", "--reply"]);
    let refused = refused.fails(4);
    assert!(refused.contains("sesh-send --headless"), "{refused}");
    let sent = server.sesh("sesh-send", ["--headless", name, "four", "--reply"]);
    assert_eq!(sent.ok().line(), "got 4");
    assert_eq!(turns(&server), ["--resume"]);
    // From now on it is a headless sesh.
    let sent = server.sesh("sesh-send", [name, "three", "--reply"]);
    assert_eq!(sent.ok().line(), "got 5");
}

#[test]
fn a_conversation_in_a_pane_is_not_forked() {
    let worker = Worker::of("claude");
    // A pane that is no sesh, in which a person has resumed it. It becomes the sesh, and the message goes there: this
    // fake has no composer.
    let pane = by_hand(&worker.server, worker.record().text("conversation"));
    let sent = worker
        .sent("two")
        .args(["--json", "--timeout", "1s"])
        .said();
    assert_eq!(sent.code(), Some(4), "{sent}");
    assert_eq!(sent.json()["pane"].as_str(), Some(pane.as_str()), "{sent}");
    assert_eq!(turns(&worker.server).len(), 1, "no second turn has run");
    assert_eq!(turn_files(&worker.server), Vec::<String>::new());
}

#[test]
fn a_conversation_that_another_process_writes_is_not_forked() {
    let worker = Worker::of("codex");
    let locks = home(&worker.server, ".codex/thread-writer-locks");
    std::fs::create_dir_all(&locks).expect("a folder");
    let lock = locks.join("0190d8a4-0000-7000-8000-000000000001.lock");
    let lock = std::fs::File::create(lock).expect("a file");
    lock.lock().expect("a lock");
    let refused = worker.sent("two").args(["--reply"]).fails(4);
    assert!(
        refused.contains("has the conversation of worker open"),
        "{refused}"
    );
    drop(lock);
    assert_eq!(worker.reply("two"), "4");
}

#[test]
fn a_turn_works_in_the_folder_of_its_sesh() {
    let server = server();
    let folder = server.path("a b;#()");
    std::fs::create_dir(&folder).expect("a folder");
    let path = folder.display().to_string();
    let new = created(&server, "claude", "folder").args(["--reply", "--cwd", &path]);
    assert_eq!(new.ok().lines()[1], path);
    let sent = server.sesh("sesh-send", ["worker", "folder", "--reply"]);
    let sent = sent.folder(&server.path("home"));
    assert_eq!(sent.ok().line(), path);
}

#[test]
fn a_kept_delegate_takes_another_task() {
    let server = server();
    let keep = [
        "--agent", "claude", "--keep", "--name", "helper", "--json", "four",
    ];
    let json: Value = server.sesh("sesh-delegate", keep).ok().json();
    assert_eq!(json["name"], "helper");
    assert_eq!(json["reply"], "got 4");
    let sent = server
        .sesh("sesh-send", ["helper", "three", "--reply"])
        .ok();
    assert_eq!(sent.line(), "got 5");
    server.sesh("sesh-end", ["helper", "--forget"]).ok();
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

#[test]
fn a_kind_of_the_users_own() {
    let server = server();
    let folder = home(&server, ".config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    let manifest = "[process]\nnames = [\"mine\"]\n[headless]\nfirst = [\"mine\", \"{id}\"]\nform = \"text\"\nid = \"none\"\n";
    std::fs::write(folder.join("mine.toml"), manifest).expect("a manifest");
    server.script("mine", "echo \"answer to $(cat)\"; echo more $2");
    let said = server
        .sesh("sesh-delegate", ["--agent", "mine", "x", "--", "word"])
        .ok();
    assert_eq!(said.text(), "answer to x\nmore word\n");
}

/// Ctrl-S stops the output of a terminal, and then who writes there waits.
#[test]
fn a_person_who_presses_ctrl_s_does_not_stop_the_turn() {
    let server = server();
    let output = r#"
cat >/dev/null
echo $$ >"$HOME/pid.new" && mv "$HOME/pid.new" "$HOME/pid"
until [ -e "$HOME/go" ]; do sleep 0.02; done
for line in $(seq 2000); do
  echo '{"type":"assistant","message":{"content":[{"text":"much more than a terminal holds while nobody reads it"}]}}'
done
echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'
"#;
    server.script("claude", output);
    let child = begin(delegate(&server, "x").args(["--timeout", "5s"]));
    let _agent = Victim::written(&server, "home/pid");
    server.tmux(["send-keys", "-t", "sesh-headless:", "C-s"]);
    // The terminal shows it as any other key.
    until("the key has arrived", || {
        let screen = server.tmux(["capture-pane", "-p", "-t", "sesh-headless:"]);
        screen.contains("^S")
    });
    std::fs::write(home(&server, "go"), "").expect("a file");
    let output = child.wait_with_output().expect("its end");
    let complaint = String::from_utf8_lossy(&output.stderr);
    let answer = String::from_utf8_lossy(&output.stdout);
    assert_eq!(answer, "done\n", "{complaint}");
}

/// Has the first write of the result fail as on a full disk, and says whether a second one can succeed.
fn without_room(server: &Server, can_be_removed: bool) {
    let place = r#""$HOME/.local/state/tmux-sesh/turns/$SESH_TURN/result.new""#;
    let hinder = if can_be_removed {
        format!("ln -s /dev/full {place}")
    } else {
        format!("mkdir {place}")
    };
    server.script("claude", &format!("{hinder}\n{CLAUDE}"));
}

#[test]
fn a_result_without_room_takes_that_of_the_output() {
    let server = server();
    without_room(&server, true);
    assert_eq!(delegate(&server, "four").ok().line(), "got 4");
    without_room(&server, false);
    let sentence = delegate(&server, "four").fails(1);
    assert_eq!(
        sentence,
        "claude: the turn failed: its result could not be written: is the disk full?"
    );
    // A runner that is killed while it writes the result is another matter.
    let write = r#"cat >/dev/null; : >"$HOME/.local/state/tmux-sesh/turns/$SESH_TURN/result.new""#;
    server.script("claude", &format!("{write}\nkill -9 $PPID; sleep 1000"));
    let sentence = delegate(&server, "four").fails(1);
    assert_eq!(
        sentence,
        "claude: the turn was ended from outside: its sesh-run was killed"
    );
    is_cleared(&server);
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

/// A file system takes names of 255 bytes, and a conversation can have a longer one.
#[test]
fn a_conversation_with_a_long_name() {
    let server = server();
    let folder = home(&server, ".config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    let manifest = "[process]\nnames = [\"mine\"]\n[commands]\nresume = [\"mine\", \"{id}\"]\n\
                    [conversation]\nform = \"word\"\n\
                    [headless]\nfirst = [\"mine\"]\nnext = [\"mine\", \"{id}\"]\nform = \"text\"\nid = \"told\"\n";
    std::fs::write(folder.join("mine.toml"), manifest).expect("a manifest");
    server.script("mine", "cat >/dev/null; echo ${#1}");
    for (name, end) in [("one", "1"), ("two", "2")] {
        let conversation = "x".repeat(250) + end;
        let args = [
            "--agent",
            "mine",
            "--conv",
            &conversation,
            "--cwd",
            "/",
            "--name",
            name,
        ];
        server.sesh("sesh-adopt", args).ok();
        let sent = server.sesh("sesh-send", [name, "hi", "--headless", "--reply"]);
        assert_eq!(sent.ok().line(), "251");
    }
    assert_eq!(turn_files(&server), Vec::<String>::new());
}

#[test]
fn twenty_at_once() {
    let server = server();
    let all: Vec<_> = (1..=20)
        .map(|length| (length, begin(delegate(&server, &"x".repeat(length)))))
        .collect();
    for (length, child) in all {
        let output = child.wait_with_output().expect("its end");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let answer = String::from_utf8_lossy(&output.stdout);
        assert_eq!(answer, format!("got {length}\n"), "{complaint}");
    }
    assert_eq!(leftovers(&server), Vec::<String>::new());
}

/// The command lines that codex got, the last one first.
fn codex_turns(server: &Server) -> Vec<String> {
    let turns = std::fs::read_to_string(home(server, "codex-turns")).expect("the turns");
    turns.lines().rev().map(Into::into).collect()
}

#[test]
fn a_delegate_has_the_model_that_it_was_given() {
    let server = server();
    let delegate = |more: &[&str]| {
        let args = ["--agent", "codex", "2+2?"];
        server.sesh("sesh-delegate", args.iter().chain(more)).ok();
        codex_turns(&server).remove(0)
    };
    assert!(delegate(&["--model", "mini"]).ends_with(" - --model mini"));
    server.tmux(["set-option", "-g", "@sesh-model-codex", "of-kind"]);
    assert!(delegate(&[]).ends_with(" - --model of-kind"));
    assert!(delegate(&["--model", "mini"]).ends_with(" - --model mini"));
    assert!(delegate(&["--", "-m", "own"]).ends_with(" - -m own"));
    let turns = codex_turns(&server).len();
    for model in ["", "-x", "a\nb"] {
        let model = format!("--model={model}");
        let args = ["--agent", "codex", "2+2?", &model];
        server.sesh("sesh-delegate", args).fails(2);
    }
    assert_eq!(codex_turns(&server).len(), turns);
}

#[test]
fn later_turns_and_a_restore_have_the_model_of_the_sesh() {
    let server = server();
    let begin = |name: &str, kind: &str, model: &[&str]| {
        let new = [
            name,
            "--headless",
            "--agent",
            kind,
            "--send",
            "x",
            "--reply",
        ];
        server.sesh("sesh-new", new.iter().chain(model)).ok();
    };
    let send = |name: &str| {
        server.sesh("sesh-send", [name, "y", "--reply"]).ok();
    };
    begin("cx", "codex", &["--model", "a b"]);
    // The option is for new agents.
    server.tmux(["set-option", "-g", "@sesh-model", "other"]);
    for turn in 0..2 {
        send("cx");
        let turns = codex_turns(&server);
        assert!(turns[0].contains("resume"), "{turn}: {}", turns[0]);
        assert!(turns[0].ends_with(" - --model a b"), "{turn}: {}", turns[0]);
    }
    server.tmux(["set-option", "-gu", "@sesh-model"]);
    // Claude keeps it.
    begin("cl", "claude", &["--model", "opus"]);
    send("cl");
    let command = |name: &str| {
        let all = ["--all", "--json", name];
        let record = server.sesh("sesh-list", all).ok().only();
        record.get("command").to_string()
    };
    assert!(!command("cl").contains("opus"), "{}", command("cl"));
    assert!(
        command("cx").contains("\"--model\",\"a b\""),
        "{}",
        command("cx")
    );
    // The agent has started when it has written its words.
    server.script(
        "codex",
        "printf '%s|' \"$@\" >$HOME/new && mv $HOME/new $HOME/told; exec sleep 1000",
    );
    let told = |args: &[&str]| {
        let _ = std::fs::remove_file(home(&server, "told"));
        let restore = ["cx", "--timeout", "1s"];
        server
            .sesh("sesh-restore", restore.iter().chain(args))
            .said();
        let mut words = String::new();
        until("the agent is there", || {
            words = std::fs::read_to_string(home(&server, "told")).unwrap_or_default();
            !words.is_empty()
        });
        server.sesh("sesh-end", ["cx", "--kill"]).ok();
        words
    };
    let id = "resume|0190d8a4-0000-7000-8000-000000000001|";
    let words = told(&[]);
    assert!(words.starts_with(id), "{words}");
    assert!(words.ends_with("|--model|a b|"), "{words}");
    let words = told(&["--", "-m", "new"]);
    assert!(
        words.ends_with("|-m|new|") && !words.contains("a b"),
        "{words}"
    );
    let words = told(&[]);
    assert!(words.ends_with("|-m|new|"), "{words}");
}
