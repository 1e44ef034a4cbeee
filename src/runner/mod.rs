//! The process of every created pane. It runs the command as a foreground child, records the end of the command when
//! tmux has read all of its output, and then holds the pane readable.
//!
//! tmux alone would lose the exit status and the tail of the output (Debian's 3.3a: up to 181 of 200 tails), and a pane
//! that it keeps dead crashes a server of 3.2a or 3.3a that pastes into it. Therefore a created pane never becomes
//! dead: it is held here.

mod hold_timer;
pub mod queued;
mod text;
mod turn;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use self::hold_timer::HoldTimer;
use crate::env;
use crate::error;
use crate::error::{Error, Result};
use crate::id::{Name, PaneId, SeshId};
use crate::inventory::find;
use crate::journal::failures;
use crate::journal::launch::Launch;
use crate::journal::start_signal::StartReport;
use crate::pane::viewers;
use crate::proc;
use crate::proc::job::{End, Terminal, TerminalEvent};
use crate::proc::signal::Signal;
use crate::state::State;
use crate::store::commit::{self, commit_quietly};
use crate::store::condition::{both, equal, has_record, name_is_free, no_pane_has};
use crate::store::hint;
use crate::store::hold::{self, HeldPane};
use crate::store::note::{self, Note};
use crate::store::record::ExitStatus;
use crate::store::schema::HELD;
use crate::store::{Binding, Key, setting, tail, value, write};
use crate::tmux::{Batch, Frame, Server, Socket, command};

/// The name of this helper.
pub const PROGRAM: &str = proc::RUNNER;
/// How long tmux may take to read what was written. Measured: below 60 ms.
const DRAIN: Duration = Duration::from_secs(2);
/// Lines of an ended sesh that are kept when its pane closes.
const TAIL_LINES: u32 = 100;
/// What the server prints when it has written the end. It writes none if another process runs the sesh by now.
const ENDED: &str = "ended";

/// The sesh that this process runs.
struct Run {
    server: Server,
    /// The process of the server, whose child this process is.
    server_pid: i32,
    pane: PaneId,
    id: SeshId,
    /// Whether the pane was respawned, so that the store has the command.
    respawned: bool,
    launch: Launch,
    /// Tells the maker of the pane that the command runs.
    report: StartReport,
}

/// What a person chose at a waiting pane.
enum HeldChoice {
    Close,
    Start,
    Shell,
}

/// How a pane is held.
struct Hold {
    /// The line that the pane shows.
    line: String,
    /// The time after which the pane closes by itself.
    limit: Option<Duration>,
}

/// Runs what the launch file says. After a `respawn-pane` the launch file has already been read, and this runs what the
/// store says. Returns the exit code of the command.
///
/// # Errors
/// This process runs in no pane, or it is unknown what to run.
pub fn run(file: &Path) -> Result<u8> {
    let pane = env::tmux_pane()
        .ok_or_else(|| Error::usage("not in a tmux pane: sesh-new starts sesh-run, in a pane"))?;
    let mut terminal = Terminal::take()
        .map_err(|error| Error::failed(format!("this pane has no terminal: {error}")))?;
    let report = StartReport::of(file);
    let run = match Launch::take(file)? {
        Some(launch) => Run::from_launch(pane, launch, report)?,
        None => {
            let run = Run::from_store(pane)?;
            run.record_start()?;
            run
        }
    };
    let code = run.run_until_closed(&mut terminal)?;
    if !run.is_orphan() {
        viewers::lead_back(&run.server, Some(pane));
    }
    Ok(code)
}

impl Run {
    fn from_launch(pane: PaneId, launch: Launch, report: StartReport) -> Result<Self> {
        let id = launch
            .environment
            .iter()
            .rev()
            .find(|(name, _)| name == "SESH_ID")
            .and_then(|(_, id)| id.to_str())
            .ok_or_else(|| Error::failed("the launch file does not name a sesh"))?
            .parse()?;
        Ok(Self {
            server: patient(Server::with_program(launch.tmux.clone(), Socket::Default)?),
            server_pid: proc::own_parent(),
            pane,
            id,
            respawned: false,
            launch,
            report,
        })
    }

    fn from_store(pane: PaneId) -> Result<Self> {
        let server = patient(Server::at(Socket::Default)?);
        let (record, _) = find::of_pane(&server, pane, None)?.ok_or_else(|| {
            Error::nothing("this pane is no longer a sesh, and its launch file has been used")
        })?;
        if record.is_headless() {
            if record.values.get(Key::Cmd).is_empty() {
                // What started the turn was killed, and sesh-reap has removed the files before this process read them.
                commit::forget(&server, &record)?;
            }
            return Err(Error::unusable(
                "a headless turn does not run again: sesh-send starts the next one",
            ));
        }
        let argv = value::decode_words(record.values.get(Key::Cmd))
            .into_iter()
            .map(OsString::from_vec)
            .collect();
        let environment = env::inherited_environment()
            .chain([
                ("SESH_ID".into(), record.uuid.to_string().into()),
                ("SESH_NAME".into(), record.name.clone().into()),
            ])
            .collect();
        Ok(Self {
            server_pid: proc::own_parent(),
            pane,
            id: record.uuid,
            respawned: true,
            launch: Launch {
                cwd: record.cwd.into(),
                tmux: server.program().into(),
                agent: record.agent.is_some(),
                argv,
                environment,
                wait: false,
                turn: None,
            },
            report: StartReport::default(),
            server,
        })
    }

    fn run_until_closed(&self, terminal: &mut Terminal) -> Result<u8> {
        if let Some(turn) = &self.launch.turn {
            return Ok(self.run_turn(terminal, turn));
        }
        if !self.respawned && !self.launch.argv.is_empty() {
            self.record_command(terminal);
        }
        if self.launch.wait {
            terminal.take_back();
            let command = self.launch.argv.iter().map(|word| word.to_string_lossy());
            terminal.write(&format!(
                "{}{HELD}ready; Enter starts, q closes]",
                text::typed(command)
            ));
            self.report.started();
            if let HeldChoice::Close = self.wait_for_choice(terminal, None, b"\r\n", b"") {
                // A command that never started has no exit of its own: its pane was closed. Its last lines stay those
                // of before.
                if !self.is_orphan() {
                    self.write_end(End::Signal(Signal::SIGHUP as i32), false, None);
                }
                return Ok(0);
            }
            terminal.write("\r\x1b[2K");
        }
        loop {
            let started = Instant::now();
            let (end, asked_to_end) = self.run_command(terminal);
            if self.report.has_failed() {
                return Ok(exit_code(end));
            }
            terminal.take_back();
            terminal.drain(DRAIN);
            let Some(hold) = self.record_end(end, asked_to_end, started.elapsed()) else {
                return Ok(exit_code(end));
            };
            terminal.write(&hold.line);
            match self.wait_for_choice(terminal, hold.limit, b"r", b"s") {
                HeldChoice::Close => return Ok(exit_code(end)),
                HeldChoice::Shell => return Ok(self.shell(terminal)),
                HeldChoice::Start => terminal.write("\r\n"),
            }
        }
    }

    /// Writes to the store the command and the process that the sesh is bound to.
    ///
    /// tmux keeps the text of its commands and shows it to every client (`show-messages`). Therefore the command is
    /// passed through the pane's own terminal, as its path (OSC 7, read by 3.2a to 3.8), and a format takes it from
    /// there: only the format's name is in the log.
    fn record_command(&self, terminal: &mut Terminal) {
        let pane = self.pane.to_string();
        let command =
            value::encode_words(self.launch.argv.iter().map(|word| word.as_encoded_bytes()));
        let proc = write::put(&pane, Key::Proc, &own_binding().to_string());
        // The sesh runs even if its command cannot be recorded.
        let commit = |condition: &str, commands| {
            commit::on_pane(
                &self.server,
                self.pane,
                self.id,
                condition,
                commands,
                Vec::new(),
            )
            .unwrap_or(true)
        };
        terminal.write(&format!("\x1b]7;{command}\x1b\\"));
        let arrived = both(&runs_this_process(), "#{!=:#{pane_path},}");
        let commands = || {
            let command = write::put_expanded(&pane, Key::Cmd, "#{pane_path}");
            vec![proc.clone(), command]
        };
        // This does not wait for an answer on the terminal, as the end does: keys typed by now belong to the command.
        let deadline = Instant::now() + DRAIN;
        while !commit(&arrived, commands()) && Instant::now() < deadline {}
        terminal.write("\x1b]7;\x1b\\");
    }

    /// Writes to the store the processes that a shell's sesh is bound to: this one and the shell. With the shell's pid,
    /// one file of the process table is enough to find out whether the shell has the foreground.
    fn bind(&self, shell: i32) {
        let proc = Binding {
            shell: Some(shell),
            ..own_binding()
        };
        let pane = self.pane.to_string();
        let set = write::put(&pane, Key::Proc, &proc.to_string());
        // The shell runs even if it cannot be recorded.
        let _ = commit::on_pane(
            &self.server,
            self.pane,
            self.id,
            &runs_this_process(),
            vec![set],
            Vec::new(),
        );
    }

    /// Runs the command. The second value is whether this process was asked to end.
    fn run_command(&self, terminal: &mut Terminal) -> (End, bool) {
        let program = self.launch.argv.first();
        let shown = program.map_or_else(
            || env::shell().display().to_string(),
            |program| program.to_string_lossy().into_owned(),
        );
        terminal.restore();
        let failed = |terminal: &mut Terminal, why: &str| {
            self.report.failed(why);
            terminal.write(&format!("{PROGRAM}: {why}\r\n"));
        };
        if !self.launch.cwd.is_dir() {
            let folder = self.launch.cwd.display();
            failed(terminal, &format!("the folder {folder} is gone"));
            return (End::Code(126), false);
        }
        let started = |child| {
            self.report.started();
            if self.launch.argv.is_empty() {
                self.bind(child);
            }
        };
        match terminal.run(self.command(), started) {
            Ok(ended) => ended,
            Err(error) => {
                failed(terminal, &format!("cannot run {shown:?}: {error}"));
                let missing = error.kind() == std::io::ErrorKind::NotFound;
                (End::Code(if missing { 127 } else { 126 }), false)
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = match self.launch.argv.split_first() {
            Some((program, words)) => {
                let mut command = Command::new(program);
                command.args(words);
                command
            }
            None => self.shell_command(),
        };
        self.set_environment_and_folder(&mut command);
        command
    }

    /// Returns the command of a new shell, as tmux would start a new window there: the user's `default-command`, else a
    /// login shell.
    fn shell_command(&self) -> Command {
        let option = command::print(Some(&self.pane.to_string()), "#{default-command}");
        let answer = self.server.run(&Batch::from(option)).unwrap_or_default();
        match answer.trim_end_matches('\n') {
            "" => login_shell(),
            default => {
                let mut shell = Command::new(env::shell());
                shell.args(["-c", default]);
                shell
            }
        }
    }

    fn set_environment_and_folder(&self, command: &mut Command) {
        command
            .env_clear()
            .envs(env::of_pane())
            .envs(self.launch.environment.iter().cloned())
            .envs(env::of_pane().filter(|(name, _)| env::is_tmux(name)))
            .env("PWD", &self.launch.cwd)
            .current_dir(&self.launch.cwd);
    }

    /// Runs a shell in place of the command that ended, and returns its exit code. The record keeps how the command
    /// ended.
    fn shell(&self, terminal: &mut Terminal) -> u8 {
        let pane = self.pane.to_string();
        let _ = self.server.run(&Batch::from(command::if_format(
            Some(&pane),
            &self.is_own_pane(),
            &Batch::from(write::put(&pane, Key::Held, "")).then(write::book(&pane, self.id)),
            &Batch::new(),
        )));
        terminal.write("\r\x1b[2K");
        terminal.restore();
        let mut shell = self.shell_command();
        self.set_environment_and_folder(&mut shell);
        terminal
            .run(shell, |_| {})
            .map_or(127, |(end, _)| exit_code(end))
    }

    /// Returns the condition that the pane is this sesh's and runs this process.
    fn is_own_pane(&self) -> String {
        both(&equal(Key::Id, &self.id.to_string()), &runs_this_process())
    }

    /// Records that the command runs: again, or after waiting for a key.
    fn record_start(&self) -> Result<()> {
        let pane = self.pane.to_string();
        let record = write::reread(&self.server, self.pane, self.id)?;
        let name = Name::stored(&record.name)?;
        let mut commands = vec![
            write::put(&pane, Key::Exit, ""),
            write::put(&pane, Key::Held, ""),
            write::put(&pane, Key::Proc, &own_binding().to_string()),
        ];
        let state = match (self.launch.agent, self.launch.argv.is_empty()) {
            (true, _) => State::Unknown,
            (false, true) => State::Idle,
            (false, false) => State::Busy,
        };
        commands.extend(write::state(&pane, state, None, "process"));
        let free = both(&runs_this_process(), &name_is_free(&name, Some(self.id)));
        let values = [
            (Key::Exit, ""),
            (Key::State, state.as_str()),
            (Key::Why, ""),
        ];
        let note = Note::values(note::JournalEvent::Changed, self.id, &values);
        let notes = vec![note];
        let began = commit::on_pane(&self.server, self.pane, self.id, &free, commands, notes);
        log_warnings();
        if began? {
            Ok(())
        } else {
            Err(Error::unusable(format!(
                "the name {name} is now used by another live sesh: rename one with sesh-set"
            )))
        }
    }

    /// Records how the command ended, with its last lines. Returns `None` when the pane is not to be held.
    fn record_end(&self, end: End, asked_to_end: bool, took: Duration) -> Option<Hold> {
        if self.is_orphan() {
            return None;
        }
        let pane = self.pane.to_string();
        let frame = Frame::new();
        let answer = self.server.run(
            &Batch::from(command::print(
                Some(&pane),
                &frame.format([
                    setting::HOLD.format().as_str(),
                    setting::KEEP.format().as_str(),
                    "#{cursor_x}",
                    "#{pane_width}",
                ]),
            ))
            .then(command::capture_pane(
                &pane,
                &format!("-{TAIL_LINES}"),
                false,
                true,
            )),
        );
        let answer = answer.unwrap_or_default();
        let (rows, screen) = frame.read(&answer);
        let [hold_for, keep, cursor_column, width] = match rows.first().map(|row| &row[..]) {
            Some(&[a, b, c, d]) => [a, b, c, d],
            _ => [""; 4],
        };
        let limit = hold::limit(hold_for);
        let keep = hold::keep(keep);
        let at_once = end == End::Code(0) && limit == Some(Duration::ZERO);
        let held = !asked_to_end && !at_once && keep > 0 && !rows.is_empty();

        let tail = (!rows.is_empty()).then(|| text::tail(screen));
        let ended = self.write_end(end, held, tail.as_deref());
        if held {
            self.close_surplus(&ended, keep);
        }
        held.then(|| Hold {
            line: text::hold_line(end, took, cursor_column != "0", width.parse().unwrap_or(80)),
            limit: limit.filter(|_| end == End::Code(0)),
        })
    }

    /// Whether the server has ended. Another server may be at its socket by now, which has no record of this sesh.
    /// Also, a thousand processes like this one would each ask it.
    fn is_orphan(&self) -> bool {
        proc::own_parent() != self.server_pid
    }

    /// Writes an end to the store and to the journal. Returns which panes are held.
    fn write_end(&self, end: End, held: bool, tail: Option<&str>) -> String {
        let exit = match end {
            End::Code(code) => ExitStatus::value(Some(code), None),
            End::Signal(signal) => ExitStatus::value(None, Some(signal)),
        };
        let list = self.end_batch(&exit, held, tail);
        let answer = commit_quietly(&self.server, &list, |answer| {
            let answer = answer?;
            let ended = answer.lines().any(|line| line == ENDED);
            let notes = ended.then(|| Note::end(self.id, &exit, tail));
            Ok((answer, notes.into_iter().collect()))
        });
        log_warnings();
        answer.unwrap_or_default()
    }

    /// Returns the list that writes an end and prints which panes are held.
    fn end_batch(&self, exit: &str, held: bool, tail: Option<&str>) -> Batch {
        let pane = self.pane.to_string();
        let mut on_pane = Batch::new();
        on_pane.extend(write::end(&pane, exit));
        if held {
            on_pane.extend([write::put_expanded(&pane, Key::Held, write::NOW)]);
        }
        if let Some(tail) = tail {
            on_pane.extend([tail::set(self.id, tail)]);
        }
        let print_ended = || command::print(None, ENDED);
        on_pane.extend([write::book(&pane, self.id), print_ended()]);
        // If the pane was closed first (`kill-pane`), only the book record is left to write to. This does not apply to
        // a pane that was respawned: then another process runs the sesh.
        let own = equal(Key::Id, &self.id.to_string());
        let alone = both(&has_record(self.id), &no_pane_has(&own));
        let mut in_book = Batch::new();
        in_book.extend([write::end_in_book(self.id, exit)]);
        in_book.extend(hint::of_pane(&pane));
        in_book.extend([print_ended()]);
        let on_book = Batch::from(command::if_format(None, &alone, &in_book, &Batch::new()));
        Batch::from(command::if_format(
            Some(&pane),
            &self.is_own_pane(),
            &on_pane,
            &on_book,
        ))
        .then(HeldPane::list())
        .then(write::count(&pane))
    }

    /// Closes the panes that have been held longest, above the number that is kept.
    fn close_surplus(&self, rows: &str, keep: usize) {
        let held = rows.lines().filter_map(HeldPane::read).collect();
        for held in hold::surplus(held, keep) {
            let _ = self.server.run(&Batch::from(held.close()));
        }
    }

    /// Waits for one of the keys that a waiting pane accepts: those that start the command, those that open a shell,
    /// and those that close the pane.
    fn wait_for_choice(
        &self,
        terminal: &mut Terminal,
        limit: Option<Duration>,
        start: &[u8],
        shell: &[u8],
    ) -> HeldChoice {
        let mut timer = HoldTimer::new(limit);
        loop {
            match terminal.event(timer.next_look()) {
                TerminalEvent::Timeout => {
                    timer.look(viewers::is_read(&self.server, self.pane));
                    if timer.is_over() {
                        return HeldChoice::Close;
                    }
                }
                TerminalEvent::Key(key) if start.contains(&key) => match self.record_start() {
                    Ok(()) => return HeldChoice::Start,
                    Err(error) => terminal.write(&format!("\r\n{HELD}{error}]")),
                },
                TerminalEvent::Key(key) if shell.contains(&key) => return HeldChoice::Shell,
                // Enter, q, C-c, C-d.
                TerminalEvent::Key(b'\r' | b'\n' | b'q' | 3 | 4)
                | TerminalEvent::End
                | TerminalEvent::Gone => return HeldChoice::Close,
                TerminalEvent::Key(_) => {}
            }
        }
    }
}

/// Returns the server with a limit that a server which is stopped for some hours keeps. No person waits for this process,
/// and without an answer the end of the command would be lost.
fn patient(server: Server) -> Server {
    const ANSWER: Duration = Duration::from_secs(24 * 60 * 60);
    server.with_each_answer_within(ANSWER)
}

/// Returns the condition that a pane runs this process. The pane may have been respawned meanwhile.
fn runs_this_process() -> String {
    format!("#{{==:#{{pane_pid}},{}}}", std::process::id())
}

/// Returns the value of `@sesh_proc` for this process.
fn own_binding() -> Binding {
    let pid = std::process::id().cast_signed();
    proc::read(pid).map_or_else(|| Binding::pid(pid), |own| own.id().into())
}

/// Returns a login shell as tmux starts one: its name starts with a dash.
fn login_shell() -> Command {
    let path = env::shell();
    let mut name = OsString::from("-");
    name.push(path.file_name().unwrap_or("sh".as_ref()));
    let mut shell = Command::new(path);
    shell.arg0(name);
    shell
}

/// Moves warnings into the log of failures, because the output of this process belongs to its command. Without one, what
/// an earlier process has logged is over.
fn log_warnings() {
    let warnings = error::warnings();
    if warnings.is_empty() {
        failures::worked(PROGRAM);
    }
    for warning in warnings {
        failures::log(PROGRAM, &warning);
    }
}

/// Returns the exit code as a shell counts it: 128 plus the signal for a command that a signal ended.
fn exit_code(end: End) -> u8 {
    match end {
        End::Code(code) => u8::try_from(code).unwrap_or(1),
        End::Signal(signal) => u8::try_from(128 + signal).unwrap_or(255),
    }
}
