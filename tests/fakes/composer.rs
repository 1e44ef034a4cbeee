//! What the real ones do with what is typed and pasted: [`Kind`] says what each does, [`Scene`] how it looks.
//!
//! `composer FOLDER` begins it. From then on the orders come from the pipe `FOLDER/orders`, a line each:
//!
//! - `busy`, `idle`: it works, or does not; `turn MS`: how long it works on what it is sent (0);
//!   `late MS`: how long it does not show that it works on a turn, whose end it notes then; `undrawn MS`: how long it
//!   does not even show what it was sent; `sticks MS`: how long its composer still shows what it was sent
//! - `ask`: it asks for permission; `ask-behind-paste`: when the next paste has come; `ask-trust`: whether to trust;
//!   `answered`: a person has said no
//! - `draft TEXT`: a person types, `\\n` for a new line; `clear`: and takes it away
//! - `says TEXT`, `footer TEXT`: rows above and below its composer; `mode TEXT`: a mode of its vim keys, in which Enter
//!   does not send; `plain`: it is drawn for a screen reader
//! - `swallow MS`: Enter within this time behind a paste is a line of it; `deaf N`: the next N Enters do nothing
//! - `returns TEXT`: when it is interrupted, that prompt is in its composer again
//! - `hooks`: it tells each prompt and each answer to sesh-report; `mute`: no more; `transcript`: it keeps one (Claude);
//!   `elsewhere`: its prompts begin other conversations from now on
//! - `answers TEXT`: what it answers, in which `\\n` ends a line; `threads`: its own command for its queue works (Codex)
//! - `exit`
//!
//! What it is sent stands in `FOLDER/got`, a line of JSON each: `["sent", TEXT]`, `["queued", TEXT]`, `["steered", TEXT]`,
//! `["approved", ""]`, `["swallowed", ""]` (an Enter), `["command", TEXT]`, `["ran", TEXT]`, and `["done", TEXT]` at the
//! end of a turn that it shows late.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use unicode_normalization::UnicodeNormalization;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use super::drawn::{Question, Scene};
use super::kind::{Kind, Meanwhile, Slash};

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
    kind: &'static Kind,
    got: PathBuf,
    text: String,
    /// What of the text came as one paste.
    pastes: Vec<String>,
    history: Vec<String>,
    queue: VecDeque<String>,
    stash: Option<String>,
    /// It works until then.
    until: Option<Instant>,
    busy: bool,
    asks: Option<Question>,
    asks_behind_paste: bool,
    hooks: bool,
    transcript: bool,
    answer: Option<String>,
    threads: bool,
    turn: Duration,
    late: Duration,
    undrawn: Duration,
    sticks: Duration,
    /// What it was sent last, and when.
    begun: Option<(String, Instant)>,
    says: Vec<String>,
    footer: Vec<String>,
    mode: String,
    plain: bool,
    swallow: Duration,
    deaf: u32,
    returns: Option<String>,
    /// When the key came that interrupts it.
    escaped: Option<Instant>,
    /// What it answered last.
    answered: String,
    pasted: Option<Instant>,
    /// When keys came, and how many right behind each other.
    typed: Option<(Instant, u32)>,
    leaves: bool,
}

/// Keys that come faster are one key.
const AT_ONCE: Duration = Duration::from_millis(100);
const BEGIN: &[u8] = b"\x1b[200~";
const END: &[u8] = b"\x1b[201~";
const CONVERSATION: &str = "46ed2323-f13a-4fb3-98e7-659d84033d77";
/// How long after one of 50 kB Gemini still takes Enter for a line of it.
const LATE: Duration = Duration::from_millis(110);
/// Words behind a slash that it knows.
const COMMANDS: [&str; 5] = ["/exit", "/quit", "/clear", "/compact", "/compress"];
/// So many keys at once are no person's.
const BURST: u32 = 3;

/// Where its command for the queue puts what is for a conversation.
fn thread(id: &str) -> PathBuf {
    let home = std::env::var_os("HOME").expect("a home");
    Path::new(&home).join(format!("thread-{id}"))
}

/// `codex queue --thread=ID --message=TEXT`.
pub(crate) fn queue(words: &[String]) -> ! {
    let of = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    let (Some(id), Some(text)) = (of("--thread="), of("--message=")) else {
        std::process::exit(2);
    };
    let Ok(mut file) = OpenOptions::new().append(true).open(thread(id)) else {
        std::process::exit(1);
    };
    writeln!(file, "{}", serde_json::json!(text)).expect("a line");
    std::process::exit(0);
}

/// Adds a turn to what Claude keeps of a conversation.
fn keep(prompt: &str, answer: &str) {
    let home = std::env::var_os("HOME").expect("a home");
    let folder = Path::new(&home).join(".claude/projects/project");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{CONVERSATION}.jsonl"));
    let file = OpenOptions::new().create(true).append(true).open(file);
    let mut file = file.expect("a file");
    for line in [
        serde_json::json!({ "type": "user", "message": { "content": prompt } }),
        serde_json::json!({ "type": "assistant", "message": { "content": [{ "type": "text", "text": answer }] } }),
        serde_json::json!({ "type": "system", "subtype": "turn_duration" }),
    ] {
        writeln!(file, "{line}").expect("a line");
    }
}

/// How many bytes the first character has, if all of them have come.
fn width(typed: &[u8]) -> Option<usize> {
    let width = typed[0].leading_ones().clamp(1, 4) as usize;
    (typed.len() >= width).then_some(width)
}

impl Composer {
    fn new(folder: &Path) -> Self {
        super::show("\x1b[?2004h");
        let kind = Kind::own();
        Self {
            kind,
            got: folder.join("got"),
            text: String::new(),
            pastes: Vec::new(),
            history: Vec::new(),
            queue: VecDeque::new(),
            stash: None,
            until: None,
            busy: false,
            asks: None,
            asks_behind_paste: false,
            hooks: false,
            transcript: false,
            answer: None,
            threads: false,
            turn: Duration::ZERO,
            late: Duration::ZERO,
            undrawn: Duration::ZERO,
            sticks: Duration::ZERO,
            begun: None,
            says: Vec::new(),
            footer: Vec::new(),
            mode: String::new(),
            plain: false,
            swallow: kind.swallows,
            deaf: 0,
            returns: None,
            escaped: None,
            answered: String::new(),
            pasted: None,
            typed: None,
            leaves: false,
        }
    }

    fn order(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || rest.parse::<u32>().expect("a number");
        match word {
            "busy" => {
                self.busy = true;
                // As with a prompt of a person's.
                self.says_of(true, "what it works on");
            }
            "idle" => {
                self.stops();
                self.says_of(false, "");
            }
            "turn" => self.turn = Duration::from_millis(number().into()),
            "ask" => self.asks = Some(Question::Permission),
            "ask-trust" => self.asks = Some(Question::Trust),
            "answered" => self.asks = None,
            "ask-behind-paste" => self.asks_behind_paste = true,
            "draft" => self.text.push_str(&rest.replace("\\n", "\n")),
            "late" => self.late = Duration::from_millis(number().into()),
            "undrawn" => {
                self.undrawn = Duration::from_millis(number().into());
                // What it was sent before stays on its screen.
                self.begun = None;
            }
            "sticks" => self.sticks = Duration::from_millis(number().into()),
            "says" => self.says.push(rest.into()),
            "footer" => self.footer.push(rest.into()),
            "mode" => self.mode = rest.into(),
            "plain" => self.plain = true,
            "clear" => self.text.clear(),
            "swallow" => self.swallow = Duration::from_millis(number().into()),
            "deaf" => self.deaf = number(),
            "returns" => self.returns = Some(rest.into()),
            "hooks" => self.hooks = true,
            "mute" => self.hooks = false,
            "transcript" => self.transcript = true,
            "elsewhere" => self.transcript = false,
            "answers" => self.answer = Some(rest.replace("\\n", "\n")),
            "threads" => {
                self.threads = true;
                File::create(thread(CONVERSATION)).expect("a file");
            }
            "exit" => self.leaves = true,
            _ => panic!("no order: {line}"),
        }
    }

    fn keys(&mut self, typed: &mut Vec<u8>) {
        if self.works() && self.kind.meanwhile == Meanwhile::Nothing {
            if let Some(at) = typed.iter().position(|key| *key == self.kind.interrupt) {
                typed.remove(at);
                self.stops();
            } else {
                return;
            }
        }
        while !typed.is_empty() {
            if typed.starts_with(BEGIN) {
                let end = typed.windows(END.len()).position(|bytes| bytes == END);
                let Some(end) = end else { return };
                let text = String::from_utf8_lossy(&typed[BEGIN.len()..end]).into_owned();
                typed.drain(..end + END.len());
                if self.asks.is_none() {
                    self.paste(&text);
                }
                self.pasted = Some(Instant::now());
                // It ends what was taken for one.
                self.typed = None;
                if std::mem::take(&mut self.asks_behind_paste) {
                    self.asks = Some(Question::Permission);
                }
                continue;
            }
            // It may be the begin of a paste.
            if typed.len() < BEGIN.len() && typed.len() > 1 && BEGIN.starts_with(typed) {
                return;
            }
            let queues = self.kind.queues;
            if !queues.is_empty() && typed.starts_with(queues) {
                typed.drain(..queues.len());
                if self.works() && self.asks.is_none() {
                    self.enter(true);
                }
                continue;
            }
            let Some(width) = width(typed) else { return };
            let key = typed[0];
            let character: Vec<u8> = typed.drain(..width).collect();
            match key {
                // In a mode of its vim keys it is a movement.
                b'\r' if !self.mode.is_empty() => {}
                b'\r' => self.enter(false),
                // C-s
                0x13 if self.kind.stashes => self.stash = Some(std::mem::take(&mut self.text)),
                key if key == self.kind.interrupt => self.interrupted(),
                0x1b => self.asks = None,
                key if self.asks.is_some() => {
                    if self.kind.choices.contains(&key) {
                        self.asks = None;
                        self.note("approved", "");
                    }
                }
                0x7f => {
                    self.text.pop();
                }
                _ => {
                    let fast = Duration::from_millis(30);
                    let before = self.typed.filter(|(at, _)| at.elapsed() < fast);
                    let many = before.map_or(1, |(_, many)| many + 1);
                    self.typed = Some((Instant::now(), many));
                    self.text.push_str(&String::from_utf8_lossy(&character));
                }
            }
        }
    }

    /// A long paste takes Gemini more time.
    fn swallow(&self) -> Duration {
        let long = self.text.len() > 10_000 && !self.kind.swallows.is_zero();
        if long { LATE } else { self.swallow }
    }

    fn stops(&mut self) {
        self.busy = false;
        self.until = None;
    }

    fn interrupted(&mut self) {
        self.asks = None;
        let worked = self.works();
        let before = self.escaped.replace(Instant::now());
        if self.kind.twice && before.is_none_or(|at| at.elapsed() < AT_ONCE) {
            return;
        }
        self.stops();
        if let (true, Some(prompt)) = (worked, self.returns.take()) {
            self.text = prompt;
        }
    }

    fn paste(&mut self, text: &str) {
        let mut text = text.replace("\r\n", "\n").replace('\t', self.kind.tab);
        if self.kind.composes {
            text = text.nfc().collect();
        }
        if self.kind.mark(&text).is_some() {
            self.pastes.push(text.clone());
        }
        self.text.push_str(&text);
        if self.kind.pads && self.kind.mark(&text).is_some() {
            self.text.push(' ');
        }
    }

    /// What stands at the end, if that is being completed.
    fn completes(&self) -> Option<&str> {
        let word = self.text.rsplit(char::is_whitespace).next()?;
        let alone = word.len() == self.text.len();
        (self.kind.completes && !alone && word.starts_with('@')).then_some(word)
    }

    fn enter(&mut self, queues: bool) {
        match self.asks {
            Some(Question::Trust) if !self.kind.trusts => {
                self.leaves = true;
                return;
            }
            Some(_) => {
                self.asks = None;
                self.note("approved", "");
                return;
            }
            None => {}
        }
        let fast = self
            .typed
            .is_some_and(|(at, many)| many >= BURST && at.elapsed() < self.kind.fast);
        if fast || self.pasted.is_some_and(|at| at.elapsed() < self.swallow()) {
            self.text.push('\n');
            self.note("swallowed", "");
            return;
        }
        if self.deaf > 0 {
            self.deaf -= 1;
            return;
        }
        if let Some(word) = self.completes() {
            let end = self.text.len() - word.len();
            self.text.truncate(end);
            self.text.push_str("README.md");
            return;
        }
        if self.kind.goes_on && self.text.ends_with('\\') {
            self.text.pop();
            self.text.push('\n');
            return;
        }
        if self.text.trim().is_empty() {
            return;
        }
        let first = self.text.split_whitespace().next().unwrap_or_default();
        let first = first.to_string();
        let slash =
            self.text.starts_with('/') && (self.kind.paths || first.matches('/').count() == 1);
        let known = COMMANDS.contains(&first.as_str());
        if slash && !known && self.kind.slash == Slash::Stays {
            self.history.push("Unrecognized command".into());
            return;
        }
        let mut text = std::mem::take(&mut self.text);
        let pastes = std::mem::take(&mut self.pastes);
        text.truncate(text.trim_end_matches('\n').len());
        if let Some(stash) = self.stash.take() {
            self.text = stash;
        }
        if slash && (known || self.kind.slash == Slash::Gone) {
            if known {
                self.note("command", &text);
                self.history = vec![format!("> {text}")];
            } else {
                self.history.push(format!("Unknown command: {first}"));
            }
            self.leaves = matches!(first.as_str(), "/exit" | "/quit");
            return;
        }
        // Copilot trims first.
        let trimmed = text.trim_start();
        let run = if self.kind.name == "copilot" {
            trimmed
        } else {
            &text
        };
        if let (true, Some(command)) = (self.kind.runs, run.strip_prefix('!')) {
            self.note("ran", command);
            return;
        }
        if self.kind.trims {
            text = trimmed.into();
        }
        let whole = pastes
            .iter()
            .any(|paste| paste.trim_end_matches('\n') == text);
        match (self.works(), self.kind.meanwhile) {
            (true, Meanwhile::Steers) if !queues => {
                self.note("steered", &text);
                self.history
                    .push(format!("Steering: {}", self.shown(&text)));
                self.says_prompt(&text, whole);
            }
            (true, _) => {
                self.note("queued", &text);
                // It says so then, and not again when its turn comes.
                if self.kind.name == "claude" {
                    self.says_prompt(&text, whole);
                }
                self.history.push(format!("Queued: {}", self.shown(&text)));
                self.queue.push_back(text);
            }
            (false, _) => {
                // First, so that what a hook has told of stands there.
                self.note("sent", &text);
                self.says_prompt(&text, whole);
                self.begins(&text);
            }
        }
    }

    fn begins(&mut self, text: &str) {
        self.history.push(format!("> {}", self.shown(text)));
        let got = format!("got {}", text.chars().count());
        let answer = self.answer.clone().unwrap_or(got);
        self.history.push(self.shown(&answer));
        if self.transcript {
            keep(text, &answer);
        }
        self.answered = answer;
        self.begun = Some((text.into(), Instant::now()));
        if self.turn.is_zero() {
            self.says_of(false, &self.answered);
        } else {
            self.until = Some(Instant::now() + self.turn);
        }
    }

    fn says_prompt(&self, text: &str, whole: bool) {
        if self.kind.frames && whole {
            let id = "pasted_content id=\"fa1f\"";
            self.says_of(true, &format!("<{id}>\n{text}\n</{id}>"));
        } else {
            self.says_of(true, text);
        }
    }

    /// Its hook for a prompt, or for the end of a turn.
    fn says_of(&self, begin: bool, text: &str) {
        if !self.hooks {
            return;
        }
        let id = CONVERSATION;
        let payload = match (self.kind.name, begin) {
            ("gemini", true) => serde_json::json!({
                "session_id": id, "hook_event_name": "BeforeAgent", "prompt": text,
            }),
            ("gemini", false) => serde_json::json!({
                "session_id": id, "hook_event_name": "AfterAgent", "prompt_response": text,
            }),
            ("opencode", true) => serde_json::json!({
                "type": "chat.message", "properties": { "sessionID": "ses_1", "prompt": text },
            }),
            ("opencode", false) => serde_json::json!({
                "type": "session.idle", "properties": { "sessionID": "ses_1" },
            }),
            ("pi", true) => serde_json::json!({ "type": "input", "text": text, "sessionId": id }),
            ("pi", false) => serde_json::json!({ "type": "agent_end", "sessionId": id }),
            (_, true) => serde_json::json!({
                "session_id": id, "hook_event_name": "UserPromptSubmit", "prompt": text,
            }),
            (_, false) => serde_json::json!({
                "session_id": id, "hook_event_name": "Stop", "last_assistant_message": text,
            }),
        };
        super::says(&payload.to_string());
        if self.kind.name == "pi" && begin {
            let start = serde_json::json!({ "type": "agent_start", "sessionId": id });
            super::says(&start.to_string());
        }
    }

    fn works(&self) -> bool {
        self.busy || self.until.is_some()
    }

    fn works_on(&mut self) {
        if self.until.is_some_and(|until| until <= Instant::now()) {
            self.until = None;
            if let Some((text, _)) = self.begun.as_ref().filter(|_| !self.late.is_zero()) {
                self.note("done", text);
            }
            self.says_of(false, &self.answered);
        }
        if self.threads && !self.works() {
            let text = std::fs::read_to_string(thread(CONVERSATION)).expect("a file");
            File::create(thread(CONVERSATION)).expect("a file");
            let line = |line| serde_json::from_str::<String>(line).expect("a text");
            self.queue.extend(text.lines().map(line));
        }
        while !self.works()
            && let Some(text) = self.queue.pop_front()
        {
            self.note("sent", &text);
            if self.kind.name != "claude" {
                self.says_prompt(&text, false);
            }
            self.begins(&text);
        }
    }

    /// How long until something changes by itself.
    fn wait(&self) -> Duration {
        let begun = self.begun.as_ref().map(|(_, at)| *at);
        let drawn =
            [self.late, self.undrawn, self.sticks].map(|after| begun.map(|begun| begun + after));
        let now = Instant::now();
        let next = drawn.into_iter().chain([self.until]).flatten();
        let next = next.filter(|at| *at > now).min();
        next.map_or(Duration::from_secs(3600), |at| {
            at.saturating_duration_since(now) + Duration::from_millis(1)
        })
    }

    fn note(&self, what: &str, text: &str) {
        let line = serde_json::json!([what, text]);
        let file = OpenOptions::new().create(true).append(true).open(&self.got);
        writeln!(file.expect("a file"), "{line}").expect("a line");
    }

    /// As it is drawn: a long paste by a mark.
    fn shown(&self, text: &str) -> String {
        self.kind.mark(text).unwrap_or_else(|| {
            // The end of a longer one is on the screen.
            const ENDS: usize = 300;
            let skip = text.chars().count().saturating_sub(ENDS);
            text.chars().skip(skip).collect()
        })
    }

    fn draw(&self) {
        let mut text = self.text.clone();
        for paste in &self.pastes {
            if let Some(mark) = self.kind.mark(paste) {
                text = text.replacen(paste.as_str(), &mark, 1);
            }
        }
        let within = |limit: Duration| {
            let begun = self.begun.as_ref();
            begun.filter(|(_, at)| at.elapsed() < limit)
        };
        // A prompt and its answer.
        let hidden = if within(self.undrawn).is_some() { 2 } else { 0 };
        let drawn = &self.history[..self.history.len().saturating_sub(hidden)];
        let skip = drawn.len().saturating_sub(6);
        let history = [&drawn[skip..], &self.says].concat();
        if let Some((sent, _)) = within(self.sticks).filter(|_| text.is_empty()) {
            text.clone_from(sent);
        }
        let scene = Scene {
            kind: self.kind,
            history: &history,
            text: &text,
            works: self.works() && within(self.late.max(self.undrawn)).is_none(),
            footer: &self.footer,
            mode: &self.mode,
            plain: self.plain,
            asks: self.asks,
            completes: self.completes().is_some(),
        };
        if let Some(title) = scene.title() {
            super::show(&format!("\x1b]2;{title}\x1b\\"));
        }
        let (rows, at) = scene.rows();
        let drawn = rows.join("\r\n");
        // The cursor stands in what is typed.
        super::show(&format!("\x1b[H\x1b[2J{drawn}\x1b[{};6H", at + 1));
    }
}
