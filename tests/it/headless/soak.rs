//! Many delegates at once, whose processes are killed at any moment.

use std::process::{Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{home, turn_files};
use crate::support::{Dice, NONE, Server, count, limit, say, seed};

/// How many delegates run at once.
const AT_ONCE: usize = 20;
/// How long the agent works at least and at most is 0 and 600 ms. The rest of a delegate takes about as many milliseconds.
const REST: usize = 300;

/// The first line of a prompt is the number of the task and what to do. Each answer has the number in it.
const BEGIN: &str = r#"
read -r number what
cat >/dev/null
echo $$ >"$HOME/agents/new-$number" && mv "$HOME/agents/new-$number" "$HOME/agents/$number"
"#;

/// A claude whose first process ignores TERM and waits for the one that works, as that of gemini does. It exits with 0
/// after a refused tool and after an error of the model.
const CLAUDE: &str = r#"
while [ $# -gt 0 ]; do
  case $1 in --session-id | --resume) id=$2 ;; esac
  shift
done
result() { printf '{"type":"result","subtype":"success","is_error":%s,"result":"%s","session_id":"%s","permission_denials":[%s]}\n' "$1" "$2" "$id" "$3"; }
work() {
  printf '{"type":"system","subtype":"init","session_id":"%s"}\n' "$id"
  sleep "0.$((number % 7))"
  case $what in
    refuse) result false "answer $number" '{"tool_name":"Bash"}' ;;
    error) result true "error $number" '' ;;
    tool)
      sleep 1000 & # why: a tool that its agent ends
      sleep 0.1 # why: kills shall hit the agent and its tool together
      kill $!
      result false "answer $number" ''
      ;;
    *) result false "answer $number" '' ;;
  esac
}
case $what in
  stubborn)
    trap '' TERM INT HUP
    work | cat
    ;;
  *) work ;;
esac
exit 0
"#;

/// A codex that holds a lock on its conversation and prints all that it has at its end.
const CODEX: &str = r#"
id=$(cat /proc/sys/kernel/random/uuid)
mkdir -p "$HOME/.codex/thread-writer-locks"
exec 9>"$HOME/.codex/thread-writer-locks/$id.lock"
flock -n 9 || exit 1
sleep "0.$((number % 7))"
printf '{"type":"thread.started","thread_id":"%s"}\n{"type":"item.completed","item":{"type":"agent_message","text":"answer %s"}}\n{"type":"turn.completed"}\n' "$id" "$number"
"#;

/// Whose process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    None,
    Delegate,
    Runner,
    Agent,
}

struct Task {
    number: usize,
    agent: &'static str,
    what: &'static str,
    killed: Killed,
    after: Duration,
}

impl Task {
    fn random(number: usize, dice: &mut Dice) -> Self {
        let plain = [("claude", "answer"), ("codex", "answer")];
        let others = [
            ("claude", "refuse"),
            ("claude", "error"),
            ("claude", "stubborn"),
            ("claude", "tool"),
        ];
        let (agent, what) = *dice.one_of(&[&plain[..], &others[..]].concat());
        let victims = [Killed::Delegate, Killed::Runner, Killed::Agent];
        let killed = match dice.roll(4) {
            0 => Killed::None,
            _ => *dice.one_of(&victims),
        };
        Self {
            number,
            agent,
            what,
            killed,
            after: dice.moment(REST + number % 7 * 100),
        }
    }

    /// Runs the delegate, and kills what is to be killed if it is there by then. Returns whether something was killed.
    fn run(&self, server: &Server) -> (Output, bool) {
        let text = format!("{} {}\nrest of the task", self.number, self.what);
        let call = server.sesh("sesh-delegate", ["--agent", self.agent, &text]);
        let mut command = call.command();
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::piped()).spawn().expect("a helper");
        let delegate = i32::try_from(child.id()).expect("a pid");
        let output = std::thread::spawn(move || child.wait_with_output());
        let mut is_killed = false;
        if self.killed != Killed::None {
            std::thread::sleep(self.after); // why: it is any moment that counts, and none of them is an event.
            is_killed = self.victim(server, delegate).is_some_and(|pid| {
                is_of(server, pid) && kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()
            });
        }
        let output = output.join().expect("a thread").expect("its end");
        (output, is_killed)
    }

    fn victim(&self, server: &Server, delegate: i32) -> Option<i32> {
        let turns = home(server, ".local/state/tmux-sesh/turns");
        match self.killed {
            Killed::None => None,
            Killed::Delegate => Some(delegate),
            Killed::Runner => turn_files(server).iter().find_map(|turn| {
                let starter = std::fs::read_to_string(turns.join(turn).join("starter")).ok()?;
                let runner = std::fs::read_to_string(turns.join(turn).join("runner")).ok()?;
                let is_own = starter.starts_with(&format!("{delegate}:"));
                is_own.then(|| runner.split(':').next()?.parse().ok())?
            }),
            Killed::Agent => {
                let file = home(server, "agents").join(self.number.to_string());
                std::fs::read_to_string(file).ok()?.trim().parse().ok()
            }
        }
    }

    /// Returns what is wrong with an outcome.
    fn fault(&self, output: &Output, is_killed: bool) -> Option<String> {
        let answer = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        let (number, agent) = (self.number, self.agent);
        let own_answer = format!("answer {number}\n");
        let (code, expected, said) = match self.what {
            "error" => (1, "", format!("{agent}: the turn failed: error {number}")),
            "refuse" => (0, own_answer.as_str(), "were refused".into()),
            _ => (0, own_answer.as_str(), String::new()),
        };
        let is_as_told = output.status.code() == Some(code)
            && answer == expected
            && complaint.contains(&said)
            && complaint.is_empty() == said.is_empty();
        // A killed delegate has no exit code, and what it waited for has one reason.
        let is_aborted = match output.status.code() {
            Some(1) => answer.is_empty() && complaint.contains("the turn was ended from outside"),
            None => self.killed == Killed::Delegate && (answer.is_empty() || answer == expected),
            _ => false,
        };
        let is_right = is_as_told || (is_killed && is_aborted);
        (!is_right).then(|| {
            let code = output.status.code();
            let (what, killed) = (self.what, self.killed);
            format!("{number} {agent} {what} {killed:?} ({is_killed}): {code:?} {answer:?} {complaint:?}")
        })
    }
}

/// Whether a process is one of this test. Another one may have its pid by now.
fn is_of(server: &Server, pid: i32) -> bool {
    server.processes().contains(&pid)
}

/// What is left of the delegates: processes, panes, options, locks, records, files.
fn left(server: &Server, before: &[i32]) -> Vec<String> {
    let mut left = super::leftovers(server);
    let of_server = server.tmux(["show-options", "-s"]) + &server.tmux(["show-environment", "-gh"]);
    let is_of_sesh = |line: &&str| {
        let kinds = ["@seshbook_", "@seshsum_", "@seshtail", "SESH_lease"];
        kinds.iter().any(|kind| line.starts_with(kind))
    };
    left.extend(of_server.lines().filter(is_of_sesh).map(Into::into));
    let mut processes = server.processes();
    processes.retain(|pid| !before.contains(pid));
    left.extend(processes.iter().map(|pid| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!(
            "{pid} {}",
            String::from_utf8_lossy(&words).replace('\0', " ")
        )
    }));
    left
}

/// 1,000 delegates, 20 at once. Most of them lose a process, of ours or of the agent's. `sesh-reap` runs beside them, as the
/// plugin runs it.
#[test]
fn each_reply_belongs_to_its_task_and_nothing_is_left() {
    let server = Server::start();
    std::fs::create_dir(home(&server, "agents")).expect("a folder");
    server.script("claude", &format!("{BEGIN}{CLAUDE}"));
    server.script("codex", &format!("{BEGIN}{CODEX}"));
    let before = server.processes();
    let (all, seed) = (count(1000), seed());
    let next = AtomicUsize::new(0);
    let (kills, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let reaper = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                server.sesh("sesh-reap", NONE).ok();
            }
        });
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= all {
                            return;
                        }
                        let mut dice = Dice::of(seed.wrapping_add(number as u64));
                        let task = Task::random(number, &mut dice);
                        let (output, is_killed) = task.run(&server);
                        kills.fetch_add(usize::from(is_killed), Ordering::Relaxed);
                        let fault = task.fault(&output, is_killed);
                        faults.lock().expect("no panic").extend(fault);
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().expect("a worker");
        }
        over.store(true, Ordering::Relaxed);
        reaper.join().expect("the reaper");
    });
    let kills = kills.load(Ordering::Relaxed);
    say(&format!("{kills} of {all} delegates lost a process"));
    assert!(kills > 0);
    let faults = faults.into_inner().expect("no panic");
    let mut remains = Vec::new();
    let deadline = std::time::Instant::now() + limit();
    while std::time::Instant::now() < deadline {
        server.sesh("sesh-reap", NONE).ok();
        remains = left(&server, &before);
        if remains.is_empty() {
            break;
        }
    }
    assert!(
        faults.is_empty() && remains.is_empty(),
        "{} faults:\n{}\n{} left:\n{}",
        faults.len(),
        faults.join("\n"),
        remains.len(),
        remains.join("\n")
    );
}
