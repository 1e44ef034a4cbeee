//! A program to be copied as `claude`, `codex`, …: it does what it is told, a line each, until its terminal is gone.
//!
//! - `screen FILE` shows a recorded screen, `print TEXT` a line
//! - `title TEXT` sets the pane's title
//! - `file PATH TEXT` writes a file, in which `{pid}` and `{start}` are its own; `remove PATH` removes it
//! - `hook COMMAND` runs a line of the shell as it runs its hooks; `says TEXT` gives a text to `sesh-report --from NAME`,
//!   where NAME is what it is called
//! - `composer FOLDER` has it do what the real ones do with what is typed: see there
//! - `exit CODE`
//!
//! Told on its command line to go on with a conversation, it first does what stands in `~/NAME.resume`, in which `{id}` is
//! that conversation.
//!
//! `queue …` as its first word: see [`composer`]. With `-p` it answers what stdin has, and ends.
//!
//! `lease TMUX SOCKET VARIABLE`: it tries to take a lease, prints what came of it, and holds it until stdin ends.

mod composer;
mod drawn;
mod kind;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use tmux_sesh::store::lease::Lease;
use tmux_sesh::tmux::{Server, Socket};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "queue") {
        composer::queue(&words);
    }
    if let [word, program, socket, variable] = words.as_slice()
        && word == "lease"
    {
        return lease(program, socket, variable);
    }
    if words.iter().any(|word| word == "-p") {
        return answer();
    }
    let stdin = std::io::stdin();
    if let Ok(mut terminal) = tcgetattr(&stdin) {
        // As the real ones: what is typed is not on the screen by itself.
        terminal.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&stdin, SetArg::TCSANOW, &terminal).expect("a terminal that obeys");
    }
    let resumed = resumed();
    let typed = stdin.lines().map_while(Result::ok);
    for line in resumed.into_iter().chain(typed) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "screen" => {
                let text = std::fs::read_to_string(rest).expect("a screen");
                let text = text.trim_end_matches('\n').replace('\n', "\r\n");
                show(&format!("\x1b[H\x1b[2J{text}"));
            }
            "print" => show(&format!("{rest}\r\n")),
            "title" => show(&format!("\x1b]2;{rest}\x1b\\")),
            "file" => {
                let (path, text) = rest.split_once(' ').expect("a path and a text");
                let path = own(path);
                let folder = Path::new(&path).parent().expect("a folder");
                std::fs::create_dir_all(folder).expect("a folder");
                std::fs::write(&path, own(text)).expect("a file");
            }
            "remove" => std::fs::remove_file(own(rest)).expect("a file"),
            "hook" => {
                let mut hook = Command::new("sh");
                let hook = hook.args(["-c", rest]).stdin(Stdio::null());
                hook.status().expect("a shell");
            }
            "says" => says(&own(rest)),
            "composer" => composer::run(rest),
            "exit" => std::process::exit(rest.parse().expect("a code")),
            _ => {}
        }
    }
}

#[expect(clippy::print_stdout, reason = "what it shows is what it is for")]
fn show(text: &str) {
    print!("{text}");
    std::io::stdout().flush().expect("a terminal");
}

/// Answers a prompt without a terminal, as claude does.
fn answer() {
    let prompt = std::io::read_to_string(std::io::stdin()).expect("a prompt");
    let result = serde_json::json!({
        "type": "result", "is_error": false, "result": format!("got {}", prompt.len()),
    });
    writeln!(std::io::stdout(), "{result}").expect("stdout");
}

fn lease(program: &str, socket: &str, variable: &str) {
    let socket = Socket::Path(socket.into());
    let server = Server::with_program(program.into(), socket).expect("a server");
    let mut lease = Lease::of(&server, variable);
    let outcome = lease.take().expect("a try");
    writeln!(std::io::stdout(), "{outcome:?}").expect("stdout");
    let _ = std::io::stdin().lines().count();
}

/// What it is called.
fn name() -> String {
    let path = std::env::args().next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().into()
}

/// What it does when it is to go on with a conversation.
fn resumed() -> Vec<String> {
    const WORDS: [&str; 4] = ["--resume", "resume", "--session", "-s"];
    let argv: Vec<String> = std::env::args().collect();
    let at = argv.iter().position(|word| WORDS.contains(&word.as_str()));
    let Some(id) = at.and_then(|at| argv.get(at + 1)) else {
        return Vec::new();
    };
    let home = std::env::var_os("HOME").unwrap_or_default();
    let script = Path::new(&home).join(format!("{}.resume", name()));
    let script = std::fs::read_to_string(script).unwrap_or_default();
    script
        .lines()
        .map(|line| line.replace("{id}", id))
        .collect()
}

fn says(payload: &str) {
    let mut report = Command::new("sesh-report")
        .args(["--from", &name()])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sesh-report on PATH");
    let mut stdin = report.stdin.take().expect("its input");
    // It may have ended without reading it.
    let _ = stdin.write_all(payload.as_bytes());
    drop(stdin);
    report.wait().expect("its end");
}

/// A text with what only the process knows.
fn own(text: &str) -> String {
    let pid = std::process::id();
    let own = i32::try_from(pid).ok().and_then(tmux_sesh::proc::read);
    let start = own.map_or(0, |process| process.start);
    text.replace("{pid}", &pid.to_string())
        .replace("{start}", &start.to_string())
}
