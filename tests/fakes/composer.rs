//! What the real ones do with what is typed and pasted, as it was measured: a text with a frame, Enter that is swallowed
//! close behind a paste, a queue, questions whose default is yes, drafts.
//!
//! `composer FOLDER` begins it. From then on the orders come from the pipe `FOLDER/orders`, a line each:
//!
//! - `busy`, `idle`: it works, or does not; `turn MS`: how long it works on what it is sent (0)
//! - `ask`: it asks for permission; `ask-behind-paste`: when the next paste has come
//! - `draft TEXT`: a person types; `clear`: and takes it away
//! - `swallow MS`: Enter within this time behind a paste is a line of it; `deaf N`: the next N Enters do nothing
//! - `hooks`: it tells each prompt to sesh-report
//! - `exit`
//!
//! What it is sent stands in `FOLDER/got`, a line of JSON each: `["sent", TEXT]`, `["queued", TEXT]`, `["approved", ""]`.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

pub(crate) fn run(folder: &str) -> ! {
    let folder = PathBuf::from(folder);
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).expect("a terminal");
    let mut terminal = before.clone();
    cfmakeraw(&mut terminal);
    tcsetattr(&stdin, SetArg::TCSANOW, &terminal).expect("a terminal that obeys");
    // Both ends, so that it never ends.
    let mut orders = OpenOptions::new()
        .read(true)
        .write(true)
        .open(folder.join("orders"))
        .expect("a pipe");
    let mut composer = Composer::new(&folder);
    let mut keys = File::from(stdin.as_fd().try_clone_to_owned().expect("a terminal"));
    let (mut typed, mut ordered) = (Vec::new(), Vec::new());
    composer.draw();
    loop {
        let wait = composer.wait();
        let mut ready = [
            PollFd::new(keys.as_fd(), PollFlags::POLLIN),
            PollFd::new(orders.as_fd(), PollFlags::POLLIN),
        ];
        poll(
            &mut ready,
            PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX),
        )
        .expect("an event");
        let has = |at: usize| ready[at].any() == Some(true);
        let (key, order) = (has(0), has(1));
        if key && !take(&mut keys, &mut typed) {
            std::process::exit(0);
        }
        if order {
            take(&mut orders, &mut ordered);
        }
        while let Some(end) = ordered.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = ordered.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_string();
            composer.order(&line);
        }
        composer.keys(&mut typed);
        if composer.leaves {
            super::show("\x1b[?2004l\x1b[H\x1b[2J");
            tcsetattr(&stdin, SetArg::TCSANOW, &before).expect("a terminal that obeys");
            std::process::exit(0);
        }
        composer.works_on();
        composer.draw();
    }
}

fn take(file: &mut File, into: &mut Vec<u8>) -> bool {
    let mut chunk = vec![0; 65_536];
    let length = file.read(&mut chunk).unwrap_or(0);
    into.extend_from_slice(&chunk[..length]);
    length > 0
}

struct Composer {
    got: PathBuf,
    text: String,
    /// How much of it stood there before the last paste, which is drawn on its own.
    before: usize,
    history: Vec<String>,
    queue: VecDeque<String>,
    stash: Option<String>,
    /// It works until then.
    until: Option<Instant>,
    busy: bool,
    asks: bool,
    asks_behind_paste: bool,
    hooks: bool,
    turn: Duration,
    swallow: Duration,
    deaf: u32,
    pasted: Option<Instant>,
    leaves: bool,
}

const BEGIN: &[u8] = b"\x1b[200~";
const END: &[u8] = b"\x1b[201~";
/// From so many lines on a paste is shown as a mark.
const LONG: usize = 4;

impl Composer {
    fn new(folder: &Path) -> Self {
        super::show("\x1b[?2004h");
        Self {
            got: folder.join("got"),
            text: String::new(),
            before: 0,
            history: Vec::new(),
            queue: VecDeque::new(),
            stash: None,
            until: None,
            busy: false,
            asks: false,
            asks_behind_paste: false,
            hooks: false,
            turn: Duration::ZERO,
            swallow: Duration::ZERO,
            deaf: 0,
            pasted: None,
            leaves: false,
        }
    }

    fn order(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || rest.parse::<u32>().expect("a number");
        match word {
            "busy" => self.busy = true,
            "idle" => {
                self.busy = false;
                self.until = None;
            }
            "turn" => self.turn = Duration::from_millis(number().into()),
            "ask" => self.asks = true,
            "ask-behind-paste" => self.asks_behind_paste = true,
            "draft" => self.text.push_str(rest),
            "clear" => self.text.clear(),
            "swallow" => self.swallow = Duration::from_millis(number().into()),
            "deaf" => self.deaf = number(),
            "hooks" => self.hooks = true,
            "exit" => self.leaves = true,
            _ => panic!("no order: {line}"),
        }
    }

    fn keys(&mut self, typed: &mut Vec<u8>) {
        while !typed.is_empty() {
            if typed.starts_with(BEGIN) {
                let end = typed.windows(END.len()).position(|bytes| bytes == END);
                let Some(end) = end else { return };
                let text = String::from_utf8_lossy(&typed[BEGIN.len()..end]).into_owned();
                typed.drain(..end + END.len());
                if !self.asks {
                    self.before = self.text.len();
                    self.text.push_str(&text);
                }
                self.pasted = Some(Instant::now());
                self.asks |= std::mem::take(&mut self.asks_behind_paste);
                continue;
            }
            // It may be the begin of a paste.
            if typed.len() < BEGIN.len() && typed.len() > 1 && BEGIN.starts_with(typed) {
                return;
            }
            let key = typed.remove(0);
            match key {
                b'\r' => self.enter(),
                // C-s
                0x13 => self.stash = Some(std::mem::take(&mut self.text)),
                0x1b => {
                    self.asks = false;
                    self.order("idle");
                }
                _ if self.asks => {}
                0x7f => {
                    self.text.pop();
                }
                key => self.text.push(char::from(key)),
            }
        }
    }

    fn enter(&mut self) {
        if self.asks {
            self.asks = false;
            self.note("approved", "");
            return;
        }
        if self.pasted.is_some_and(|at| at.elapsed() < self.swallow) {
            self.text.push('\n');
            return;
        }
        if self.deaf > 0 {
            self.deaf -= 1;
            return;
        }
        let text = std::mem::take(&mut self.text);
        if text.is_empty() {
            return;
        }
        if let Some(stash) = self.stash.take() {
            self.text = stash;
        }
        if self.works() {
            self.note("queued", &text);
            self.queue.push_back(text);
        } else {
            self.begins(&text);
        }
    }

    fn begins(&mut self, text: &str) {
        self.note("sent", text);
        self.leaves = text == "/exit";
        self.history.push(format!("> {}", shown(text)));
        self.history.push(format!("got {}", text.chars().count()));
        self.says("UserPromptSubmit", text);
        if self.turn.is_zero() {
            self.says("Stop", "");
        } else {
            self.until = Some(Instant::now() + self.turn);
        }
    }

    fn says(&self, event: &str, prompt: &str) {
        if self.hooks {
            let payload = serde_json::json!({
                "session_id": "46ed2323-f13a-4fb3-98e7-659d84033d77",
                "hook_event_name": event,
                "prompt": prompt,
            });
            super::says(&payload.to_string());
        }
    }

    fn works(&self) -> bool {
        self.busy || self.until.is_some()
    }

    fn works_on(&mut self) {
        if self.until.is_some_and(|until| until <= Instant::now()) {
            self.until = None;
            self.says("Stop", "");
        }
        if !self.works()
            && let Some(text) = self.queue.pop_front()
        {
            self.begins(&text);
        }
    }

    /// How long until something changes by itself.
    fn wait(&self) -> Duration {
        let until = self
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        until.map_or(Duration::from_secs(3600), |wait| {
            wait + Duration::from_millis(1)
        })
    }

    fn note(&self, what: &str, text: &str) {
        let line = serde_json::json!([what, text]);
        let file = OpenOptions::new().create(true).append(true).open(&self.got);
        writeln!(file.expect("a file"), "{line}").expect("a line");
    }

    fn draw(&self) {
        // As wide as the pane.
        let rule = "─".repeat(80);
        let mut rows: Vec<String> = Vec::new();
        let skip = self.history.len().saturating_sub(8);
        rows.extend(self.history[skip..].iter().cloned());
        if self.works() {
            rows.push("✻ Working… (esc to interrupt)".into());
        }
        rows.push(rule.clone());
        if self.asks {
            rows.extend(
                [
                    "Bash command",
                    "",
                    "  rm -r x",
                    "",
                    "Do you want to proceed?",
                    "❯ 1. Yes",
                    "  2. No",
                    "",
                    "Esc to cancel",
                ]
                .map(|row| format!(" {row}")),
            );
        } else {
            let (before, pasted) = self
                .text
                .split_at_checked(self.before)
                .unwrap_or(("", &self.text));
            let drawn = shown(before) + &shown(pasted);
            rows.push(format!("❯\u{a0}{}", drawn.replace('\n', "\n  ")));
            rows.push(rule.clone());
            rows.push(if self.works() {
                "  esc to interrupt".into()
            } else {
                "  ? for shortcuts".into()
            });
        }
        let text = rows.join("\n").replace('\n', "\r\n");
        // The cursor stands behind what is typed.
        super::show(&format!(
            "\x1b[H\x1b[2J{text}\x1b[{};3H",
            rows.len().saturating_sub(2)
        ));
    }
}

/// As it is drawn: a long text by a mark.
fn shown(text: &str) -> String {
    let lines = text.matches('\n').count();
    if lines + 1 >= LONG || text.len() > 800 {
        return format!("[Pasted text #1 +{lines} lines]");
    }
    text.into()
}
